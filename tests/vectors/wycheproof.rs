//! Project Wycheproof (attacks 17 and 18): RSA with both paddings, ECDSA in DER and in fixed form, EdDSA.
//!
//! A vector is either held to the suite's verdict or counted under the rule of ours that keeps its key or its digest
//! out; the counts are asserted, so a vector that is no longer run is seen.

use std::collections::BTreeMap;
use tamga::crypto::{DigestAlgorithm, KeyError, PublicKey, SignatureAlgorithm, ecdsa_der_from_fixed};
use wycheproof::{HashFunction, TestResult};

/// What became of the vectors of one kind.
#[derive(Debug, Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    /// Signatures that the suite leaves open and that verify.
    open_accepted: usize,
    /// Signatures that the suite leaves open and that do not.
    open_refused: usize,
    /// Vectors that never reach a verification, by the rule that keeps them out.
    outside: BTreeMap<String, usize>,
}

impl Tally {
    /// Holds one verdict to the suite's.
    fn hold(&mut self, vector: &str, verified: bool, expected: TestResult) {
        let count = match (expected, verified) {
            (TestResult::Valid, true) => &mut self.accepted,
            (TestResult::Invalid, false) => &mut self.refused,
            (TestResult::Acceptable, true) => &mut self.open_accepted,
            (TestResult::Acceptable, false) => &mut self.open_refused,
            (TestResult::Valid, false) => panic!("{vector} is valid and was refused"),
            (TestResult::Invalid, true) => panic!("{vector} is invalid and was accepted"),
        };
        *count += 1;
    }

    fn leave_out(&mut self, rule: impl Into<String>, vectors: usize) {
        *self.outside.entry(rule.into()).or_default() += vectors;
    }

    /// Holds the counts: valid and accepted, invalid and refused, open and accepted, open and refused; and what was left
    /// out, by rule.
    #[track_caller]
    fn ends_in(&self, counts: [usize; 4], outside: &[(&str, usize)]) {
        let found: Vec<(&str, usize)> = self.outside.iter().map(|(rule, count)| (rule.as_str(), *count)).collect();
        let verdicts = [self.accepted, self.refused, self.open_accepted, self.open_refused];
        assert_eq!((verdicts, found.as_slice()), (counts, outside));
    }
}

/// The digests that signatures may be over; every other has no identifier here.
fn digest(hash: HashFunction) -> Result<DigestAlgorithm, String> {
    match hash {
        HashFunction::Sha2_256 => Ok(DigestAlgorithm::Sha256),
        HashFunction::Sha2_384 => Ok(DigestAlgorithm::Sha384),
        HashFunction::Sha2_512 => Ok(DigestAlgorithm::Sha512),
        _ => Err("digest".to_owned()),
    }
}

/// The rule that keeps a key out.
fn rule(error: &KeyError) -> String {
    match error {
        KeyError::NotAllowed(what) if what.starts_with("EC key on the curve") => "curve".to_owned(),
        other => other.to_string(),
    }
}

#[test]
fn rsa_with_pkcs1_padding() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let mut tally = Tally::default();
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_spki(&group.der).map_err(|error| rule(&error));
            match digest(group.hash).and_then(|digest| Ok((digest, key?))) {
                Err(rule) => tally.leave_out(rule, group.tests.len()),
                Ok((digest, key)) => {
                    for test in group.tests {
                        let verified = key.verify(&SignatureAlgorithm::RsaPkcs1(digest), &test.msg, &test.sig).is_ok();
                        tally.hold(&format!("{name:?} {}", test.tc_id), verified, test.result);
                    }
                }
            }
        }
    }
    tally.ends_in(
        [84, 3005, 0, 12],
        &[("RSA with a public exponent that is even, below 65537 or too long", 5), ("digest", 3096)],
    );
}

#[test]
fn rsa_with_pss_padding() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let mut tally = Tally::default();
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_spki(&group.der).map_err(|error| rule(&error));
            let same = match group.mgf_hash {
                Some(mask) if mask == group.hash => Ok(()),
                _ => Err("mask".to_owned()),
            };
            match digest(group.hash).and_then(|digest| same.and(Ok((digest, key?)))) {
                Err(rule) => tally.leave_out(rule, group.tests.len()),
                Ok((digest, key)) => {
                    let salt_len = u16::try_from(group.salt_size).unwrap();
                    let algorithm = SignatureAlgorithm::RsaPss { digest, salt_len };
                    for test in group.tests {
                        let verified = key.verify(&algorithm, &test.msg, &test.sig).is_ok();
                        tally.hold(&format!("{name:?} {}", test.tc_id), verified, test.result);
                    }
                }
            }
        }
    }
    tally.ends_in([1191, 585, 0, 0], &[("RSA-PSS with mixed digests", 250), ("digest", 1291), ("mask", 180)]);
}

#[test]
fn ecdsa_in_der_and_in_fixed_form() {
    use wycheproof::ecdsa::{TestGroupTypeId, TestName, TestSet};
    let (mut der, mut fixed) = (Tally::default(), Tally::default());
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            let is_fixed = group.test_type == TestGroupTypeId::EcdsaP1363;
            let tally = if is_fixed { &mut fixed } else { &mut der };
            let key = PublicKey::from_spki(&group.der).map_err(|error| rule(&error));
            match digest(group.hash).and_then(|digest| Ok((digest, key?))) {
                Err(rule) => tally.leave_out(rule, group.tests.len()),
                Ok((digest, key)) => {
                    for test in group.tests {
                        // RFC 9231 §2.3.6: r and s are as long as a coordinate each.
                        let whole = Some(test.sig.len()) == key.coordinate_len().map(|len| 2 * len);
                        let value = match is_fixed {
                            false => Some(test.sig.to_vec()),
                            true if whole => ecdsa_der_from_fixed(&test.sig),
                            true => None,
                        };
                        let verified = value.is_some_and(|value| {
                            key.verify(&SignatureAlgorithm::Ecdsa(digest), &test.msg, &value).is_ok()
                        });
                        tally.hold(&format!("{name:?} {}", test.tc_id), verified, test.result);
                    }
                }
            }
        }
    }
    der.ends_in([1236, 1862, 0, 0], &[("curve", 7266), ("digest", 11991)]);
    fixed.ends_in([1069, 441, 0, 0], &[("curve", 3677), ("digest", 2361)]);
}

#[test]
fn eddsa() {
    use wycheproof::eddsa::{TestName, TestSet};
    let mut tally = Tally::default();
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            match PublicKey::from_spki(&group.der) {
                Err(error) => tally.leave_out(rule(&error), group.tests.len()),
                Ok(key) => {
                    for test in group.tests {
                        let verified = key.verify(&SignatureAlgorithm::Ed25519, &test.msg, &test.sig).is_ok();
                        tally.hold(&format!("{name:?} {}", test.tc_id), verified, test.result);
                    }
                }
            }
        }
    }
    tally.ends_in([88, 63, 0, 0], &[("unknown key algorithm 1.3.101.113", 87)]);
}
