//! Time-stamp tokens over a signature: each is validated as a signature of its own (EN 319 102-1 §5.4; RFC 3161 §2.4.2).
//!
//! Two kinds of bad news are told apart. A token that is broken, is not over these octets, or is not a time-stamping
//! authority's is *invalid*: somebody put it there (attack 28), and the document is refused. A token that is intact but
//! whose authority cannot be confirmed proves nothing and moves nothing: the moment of verification stays now (Order
//! 500/НҚ p. 14), unless the policy asks for more.
//!
//! Tokens prove in turn: what a newer one covers is older than it, be it a token whose authority has expired since.
//!
//! *Invariant:* a time leaves this room only from a token of which every check ran and passed.

use super::carried::{self, Carried};
use super::certificate::{self, CertificateOutcome, Purpose};
use super::inputs::VerificationInputs;
use super::past;
use super::policy::{Reliability, Severity, TimestampStatus};
use super::proof::Proofs;
use super::signing_certificate::{Binding, find};
use crate::crypto::{Digest, DigestAlgorithm, PublicKey, SignatureAlgorithm};
use crate::format::cms::long_term::{self, HashIndex, IndexedElements};
use crate::format::{ParsedDocument, ParsedSignature, cms};
use crate::pki::Certificate;
use crate::pki::certificate::print_serial_number;
use crate::pki::extension::{GeneralName, id, purpose};
use crate::pki::timestamp::{ID_CT_TST_INFO, TstInfo};
use crate::report::{
    CheckId, Checks, Outcome, Reason, RevocationEvidence, Time, TimestampKind, TimestampOutcome, TimestampReport,
};

/// How far in the future a token's time may lie, in seconds: clocks of authorities and ours differ.
const MAX_CLOCK_SKEW_SECONDS: i64 = 300;

/// How exact a token is that does not say so, in seconds: what EN 319 421 asks of authorities at least.
const DEFAULT_ACCURACY_SECONDS: i64 = 1;

/// What the tokens about one signature prove.
pub(super) struct Tokens {
    /// The valid ones, the newest first.
    pub(super) valid: Vec<ValidToken>,
    /// What is proven to have existed, and when.
    pub(super) proofs: Proofs,
    /// Each token, in the order of the document, archive time-stamps last.
    pub(super) reports: Vec<TimestampReport>,
}

/// A token that proves its time.
pub(super) struct ValidToken {
    pub(super) kind: TimestampKind,
    /// genTime.
    pub(super) at: Time,
    /// Digest of the token.
    pub(super) digest: Digest,
    /// Until when it can be relied upon.
    pub(super) lasts_until: Option<Time>,
    /// Digests of what an archive time-stamp covers.
    pub(super) covers: Vec<Digest>,
    /// The authority's certificate.
    pub(super) certificate: Certificate,
    /// What the token carries to be judged by.
    pub(super) carried: Carried,
}

impl Tokens {
    /// The earliest valid token: they all prove that the signature existed.
    pub(super) fn earliest(&self) -> Option<&ValidToken> {
        self.valid.iter().min_by_key(|token| token.at)
    }
}

/// A token that was read.
struct Token<'a> {
    kind: TimestampKind,
    digest: Digest,
    document: Result<ParsedDocument<'a>, Reason>,
}

/// Validates the tokens about a signature, the newest first, and records the outcome of the check `timestamp`.
///
/// Each is validated as of now, or where that fails with what newer ones have proven (EN 319 102-1 §5.6.3.4 step 5).
pub(super) fn validate_all(
    document: &ParsedDocument<'_>,
    signature: &ParsedSignature<'_>,
    carried: &Carried,
    inputs: &VerificationInputs<'_>,
    checks: &mut Checks,
) -> Tokens {
    let read = |kind, encoding| Token {
        kind,
        digest: Digest::sha256(encoding),
        document: cms::parse_signed_data(encoding, ID_CT_TST_INFO, None),
    };
    let signature_tokens = signature.signature_timestamps.iter().map(|t| read(TimestampKind::Signature, t));
    let archive_tokens = signature.archive_timestamps.iter().map(|t| read(TimestampKind::Archive, t));
    let tokens: Vec<Token<'_>> = signature_tokens.chain(archive_tokens).collect();
    let infos: Vec<Result<TstInfo<'_>, Reason>> = tokens.iter().map(info).collect();
    let mut order: Vec<usize> = (0..tokens.len()).collect();
    // Of one second, what covers the other comes first: an archive time-stamp, and of two the later one in the document.
    let time = |n: &usize| infos.get(*n).and_then(|info| info.as_ref().ok()).map(|info| info.gen_time);
    order.sort_by_key(|n| std::cmp::Reverse((time(n), *n)));

    let said =
        tokens.iter().zip(&infos).filter_map(|(token, info)| Some((token.digest, info.as_ref().ok()?.gen_time.time)));
    let said: Vec<(Digest, Time)> = said.collect();
    let subject = Subject { document, signature, carried, said: &said, inputs };
    let mut found = Tokens { valid: Vec::new(), proofs: Proofs::new(inputs.at), reports: Vec::new() };
    let mut reports: Vec<(usize, TimestampReport)> = Vec::with_capacity(tokens.len());
    for n in order {
        let (Some(token), Some(info)) = (tokens.get(n), infos.get(n)) else { continue };
        let mut report = TimestampReport::unread(token.kind, token.digest.to_string());
        let validated = subject.validate(token, info, &found.proofs, &mut report);
        match validated {
            Ok(valid) => {
                report.outcome = TimestampOutcome::Valid;
                found.proofs.add(signature_object(signature), valid.at);
                valid.covers.iter().for_each(|object| found.proofs.add(*object, valid.at));
                found.valid.push(valid);
                checks.pass(CheckId::Timestamp);
            }
            Err(Refusal::Invalid(reason)) => {
                report.code = Some(reason.code().to_owned());
                checks.fail(CheckId::Timestamp, reason);
            }
            Err(Refusal::Unconfirmed(reason)) => {
                report.outcome = TimestampOutcome::Unconfirmed;
                report.code = Some(reason.code().to_owned());
                match inputs.policy.unconfirmed_timestamp {
                    Severity::Refuse => checks.fail(CheckId::Timestamp, reason),
                    Severity::Warn => checks.warn(CheckId::Timestamp, reason),
                    Severity::Ignore => {}
                }
            }
        }
        reports.push((n, report));
    }
    reports.sort_by_key(|(n, _)| *n);
    found.reports = reports.into_iter().map(|(_, report)| report).collect();
    found
}

/// What a signature is called among the objects that are proven to exist.
pub(super) fn signature_object(signature: &ParsedSignature<'_>) -> Digest {
    Digest::sha256(&signature.signature)
}

fn info<'t>(token: &'t Token<'_>) -> Result<TstInfo<'t>, Reason> {
    let malformed = |what: String| Reason::TspMalformed { what };
    let document = token.document.as_ref().map_err(|reason| match reason {
        Reason::FcMalformed { what } => malformed(what.clone()),
        other => malformed(other.code().to_owned()),
    })?;
    let content = document.content.as_deref().ok_or_else(|| malformed("the TSTInfo is missing".to_owned()))?;
    TstInfo::parse(content).map_err(|error| malformed(format!("TSTInfo: {error}")))
}

/// Why a token proves nothing.
enum Refusal {
    Invalid(Reason),
    Unconfirmed(Reason),
}

fn malformed(what: impl ToString) -> Refusal {
    Refusal::Invalid(Reason::TspMalformed { what: what.to_string() })
}

/// What the tokens are about, and what there is to judge them by.
struct Subject<'a, 'd> {
    document: &'a ParsedDocument<'d>,
    signature: &'a ParsedSignature<'d>,
    carried: &'a Carried,
    /// What every token says of its time, true or not.
    said: &'a [(Digest, Time)],
    inputs: &'a VerificationInputs<'a>,
}

impl<'d> Subject<'_, 'd> {
    /// Validates one token; `report` takes what the token says on the way.
    fn validate(
        &self,
        token: &Token<'_>,
        info: &Result<TstInfo<'_>, Reason>,
        proofs: &Proofs,
        report: &mut TimestampReport,
    ) -> Result<ValidToken, Refusal> {
        let info = info.as_ref().map_err(|reason| Refusal::Invalid(reason.clone()))?;
        let document = token.document.as_ref().map_err(|reason| Refusal::Invalid(reason.clone()))?;
        // RFC 3161 §2.4.2: "a time-stamp token MUST NOT contain any signatures other than the signature of the TSA".
        let [own] = document.signatures.as_slice() else {
            return Err(malformed("more than one signature"));
        };
        report.gen_time = Some(info.gen_time.time);
        report.policy = Some(info.policy.to_string());
        report.serial_number = Some(print_serial_number(info.serial_number));
        if let Some(extension) = info.critical_extension {
            return Err(malformed(format!("unknown critical extension {extension}")));
        }
        let imprint =
            info.message_imprint.known().ok_or_else(|| not_allowed(&info.message_imprint.algorithm.to_string()))?;
        let covers = match token.kind {
            TimestampKind::Signature => {
                // RFC 3161 §A: the imprint is over the octets of SignerInfo.signature.
                check_imprint(&imprint, &self.signature.signature)?;
                Vec::new()
            }
            TimestampKind::Archive => carried::digests_of(&self.check_archive(&imprint, own)?),
        };

        // The container's own findings, then the key.
        if let Some(reason) = own.findings.iter().find_map(|(_, outcome)| outcome.failure()) {
            return Err(match reason {
                Reason::CvDigestMismatch {} => Refusal::Invalid(Reason::TspSignatureInvalid {}),
                other => malformed(other.code()),
            });
        }
        let algorithm = own.algorithm.as_ref().map_err(|reason| match reason {
            Reason::SavAlgorithmNotAllowed { algorithm } => not_allowed(algorithm),
            other => malformed(other.code()),
        })?;
        // The token's own certificates first, then the document's: hints, all of them.
        let in_token = Carried::by(document, &self.inputs.context);
        let bag: Vec<Certificate> = in_token.certificates.iter().chain(&self.carried.certificates).cloned().collect();
        let (certificate, binding) = find(own, &bag, self.inputs.context.intermediates)
            .ok_or(Refusal::Unconfirmed(Reason::TspCertificateMissing {}))?;
        report.authority = Some(certificate.subject_text().to_owned());
        // RFC 3161 §2.4.2: the ESSCertID or ESSCertIDv2 MUST be there.
        if binding != Binding::Referenced {
            return Err(Refusal::Invalid(Reason::TspCertificateReferenceMismatch {}));
        }
        let key = PublicKey::from_spki(certificate.spki()).map_err(|error| not_allowed(&error.to_string()))?;
        key.verify(algorithm, &own.message, &own.signature)
            .map_err(|_| Refusal::Invalid(Reason::TspSignatureInvalid {}))?;

        check_authority(&certificate, info)?;
        check_times(&certificate, info.gen_time.time, self.inputs)?;
        self.check_order(info, &covers)?;
        let made = Made { certificate: &certificate, algorithm, key: &key, imprint: imprint.algorithm(), info };
        let carried = [&in_token, self.carried];
        let standing = made.check(&carried, proofs.of(&token.digest), proofs, self.inputs)?;
        report.certification_path = super::path_certificates(&standing.path, true);
        report.revocation = standing.revocation;

        Ok(ValidToken {
            kind: token.kind,
            at: info.gen_time.time,
            digest: token.digest,
            lasts_until: made.lasts_until(&standing.path, self.inputs),
            covers,
            certificate: certificate.into_owned(),
            carried: in_token,
        })
    }

    /// EN 319 102-1 §5.5.4 step 4 e: what covers another token was made after it, as exactly as both say.
    fn check_order(&self, info: &TstInfo<'_>, covers: &[Digest]) -> Result<(), Refusal> {
        let covered_at = info.gen_time.time;
        let accuracy = info.accuracy.map_or(DEFAULT_ACCURACY_SECONDS, |accuracy| {
            i64::try_from(accuracy.microseconds().div_ceil(1_000_000)).unwrap_or(i64::MAX)
        });
        let latest = covered_at.plus_seconds(accuracy.saturating_add(DEFAULT_ACCURACY_SECONDS));
        let covered = self.said.iter().filter(|(token, _)| covers.contains(token));
        match covered.map(|(_, gen_time)| *gen_time).max().filter(|gen_time| *gen_time > latest) {
            Some(gen_time) => Err(Refusal::Invalid(Reason::TspOrder { gen_time, covered_at })),
            None => Ok(()),
        }
    }

    /// EN 319 122-1 §5.5.2 and §5.5.3: the index names only what is there, by the digest of the imprint, and the imprint
    /// is over everything that it names.
    fn check_archive(&self, imprint: &Digest, own: &ParsedSignature<'_>) -> Result<IndexedElements<'d>, Refusal> {
        let broken = |what: &str| Refusal::Invalid(Reason::TspHashIndexInvalid { what: what.to_owned() });
        let mut values = own.unsigned_values.iter().filter(|value| value.kind == long_term::HASH_INDEX_V3);
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(broken("not one index"));
        };
        let index = HashIndex::parse(value.value).map_err(|error| broken(&error.to_string()))?;
        let algorithm = imprint.algorithm();
        if DigestAlgorithm::from_oid(index.algorithm) != Some(algorithm) {
            return Err(broken("another digest algorithm than the imprint's"));
        }
        check_strength(algorithm)?;
        let octets = long_term::archived_octets(self.document, self.signature, algorithm, index.encoding);
        check_imprint(imprint, &octets.ok_or(Refusal::Unconfirmed(Reason::CvSignedDataMissing {}))?)?;
        index
            .elements(algorithm, self.document, self.signature)
            .ok_or_else(|| broken("it names something that the document does not carry"))
    }
}

fn not_allowed(algorithm: &str) -> Refusal {
    Refusal::Invalid(Reason::TspAlgorithmNotAllowed { algorithm: algorithm.to_owned() })
}

/// Order 500/НҚ p. 17: the imprint is the digest of what is stamped.
fn check_imprint(imprint: &Digest, stamped: &[u8]) -> Result<(), Refusal> {
    check_strength(imprint.algorithm())?;
    if imprint.algorithm().digest(stamped) != *imprint {
        return Err(Refusal::Invalid(Reason::TspImprintMismatch {}));
    }
    Ok(())
}

fn check_strength(algorithm: DigestAlgorithm) -> Result<(), Refusal> {
    if algorithm.is_collision_resistant() { Ok(()) } else { Err(not_allowed(algorithm.name())) }
}

/// RFC 3161 §2.3: one purpose, critical; §2.4.2: the name in the token is one of the certificate's.
fn check_authority(certificate: &Certificate, info: &TstInfo<'_>) -> Result<(), Refusal> {
    let sole = certificate
        .extended_key_usage()
        .is_some_and(|purposes| purposes.iter().count() == 1 && purposes.iter().all(|p| p == purpose::TIME_STAMPING));
    if !sole || !certificate.is_critical(id::EXTENDED_KEY_USAGE) {
        return Err(Refusal::Invalid(Reason::TspExtendedKeyUsage {}));
    }
    let named = match &info.tsa {
        None => true,
        Some(GeneralName::Directory(name)) if *name == certificate.subject() => true,
        Some(name) => certificate.subject_alt_name().is_some_and(|names| names.iter().any(|other| other == *name)),
    };
    if named { Ok(()) } else { Err(Refusal::Invalid(Reason::TspAuthorityMismatch {})) }
}

/// The token is not of the future, and its authority's certificate was valid when it was made.
fn check_times(certificate: &Certificate, gen_time: Time, inputs: &VerificationInputs<'_>) -> Result<(), Refusal> {
    let at = inputs.at;
    let implausible = Reason::TspTimeImplausible { gen_time, validation_time: at };
    if gen_time > at.plus_seconds(MAX_CLOCK_SKEW_SECONDS) {
        // One that was added after the time in question says nothing about it, and is no forgery.
        let present = inputs.context.now.unwrap_or(at).max(at).plus_seconds(MAX_CLOCK_SKEW_SECONDS);
        return Err(if gen_time > present { Refusal::Invalid(implausible) } else { Refusal::Unconfirmed(implausible) });
    }
    if !certificate.is_valid_at(gen_time) {
        let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
        return Err(Refusal::Invalid(Reason::TspOutsideValidity { gen_time, not_before, not_after }));
    }
    Ok(())
}

/// By whom and how a token was made.
struct Made<'a> {
    certificate: &'a Certificate,
    algorithm: &'a SignatureAlgorithm,
    key: &'a PublicKey,
    imprint: DigestAlgorithm,
    info: &'a TstInfo<'a>,
}

/// What a token's authority rests on.
struct Standing {
    path: Vec<Certificate>,
    revocation: Vec<RevocationEvidence>,
}

impl Made<'_> {
    /// Path, use and revocation of the authority's certificate, and the algorithms of the token.
    ///
    /// All of it must hold when the token was made, and now too: a token cannot prove by itself that it is older than the
    /// end of its own certificate. One thing is softer (RFC 3161 §4): a revocation after genTime, for a reason that does
    /// not look backward, leaves the token alone. Where that fails, the token must be proven to be old enough by another
    /// one (EN 319 102-1 §5.6.2.4).
    fn check(
        &self,
        carried: &[&Carried],
        proven: Time,
        proofs: &Proofs,
        inputs: &VerificationInputs<'_>,
    ) -> Result<Standing, Refusal> {
        let purpose = Purpose::TimestampAuthority;
        let basic = || {
            let policy = inputs.policy;
            policy
                .algorithm_is_allowed(self.algorithm, self.key, inputs.at)
                .map_err(|algorithm| Reason::TspAlgorithmNotAllowed { algorithm })?;
            if !policy.digest_reliability(self.imprint).covers(inputs.at) {
                return Err(Reason::TspAlgorithmNotAllowed { algorithm: self.imprint.name().to_owned() });
            }
            let now = certificate::validate(self.certificate, carried, purpose, inputs);
            let revoked = |reason: &Reason| matches!(reason, Reason::RevRevoked { .. } | Reason::RevCaRevoked { .. });
            let at_token = policy.revocation.timestamp_status == TimestampStatus::AtToken;
            let settled_then = |reason: &Reason| revoked(reason) || (at_token && reason.retryable());
            if let Some(reason) = first_failure(&now).filter(|reason| !settled_then(reason)) {
                return Err(authority_finding(&reason, inputs.at));
            }
            let gen_time = self.info.gen_time.time.min(inputs.at);
            let then = certificate::validate_at(self.certificate, carried, purpose, gen_time, inputs);
            match first_failure(&then) {
                Some(reason) => Err(authority_finding(&reason, inputs.at)),
                None => Ok(Standing { path: then.path, revocation: then.revocation }),
            }
        };
        basic().or_else(|reason| self.check_past(carried, proven, proofs, inputs).ok_or(Refusal::Unconfirmed(reason)))
    }

    fn check_past(
        &self,
        carried: &[&Carried],
        proven: Time,
        proofs: &Proofs,
        inputs: &VerificationInputs<'_>,
    ) -> Option<Standing> {
        let old_enough =
            proven < inputs.at && self.certificate.is_valid_at(proven) && self.reliability(inputs).covers(proven);
        if !old_enough {
            return None;
        }
        let past = past::validate_past(self.certificate, carried, Purpose::TimestampAuthority, proofs, inputs)?;
        (proven <= past.control_time)
            .then(|| Standing { path: past.path().to_vec(), revocation: past.evidence().to_vec() })
    }

    fn reliability(&self, inputs: &VerificationInputs<'_>) -> Reliability {
        let policy = inputs.policy;
        policy.reliability(self.algorithm, self.key).min(policy.digest_reliability(self.imprint))
    }

    /// The last second at which the token can be relied upon: the end of its certificates or of its algorithms.
    fn lasts_until(&self, path: &[Certificate], inputs: &VerificationInputs<'_>) -> Option<Time> {
        super::level::path_lasts_until(path, inputs).into_iter().chain(self.reliability(inputs).last_second()).min()
    }
}

/// What stands against a certificate first: a failure that is not about revocation, then one that is, then a check that
/// did not run.
fn first_failure(outcome: &CertificateOutcome) -> Option<Reason> {
    let failures = || outcome.findings.iter().filter_map(|(check, found)| Some((check, found.failure()?)));
    let failed = failures().find(|(check, _)| *check != CheckId::Revocation).or_else(|| failures().next());
    let required = [CheckId::CertificationPath, CheckId::CertificateValidity, CheckId::Revocation, CheckId::KeyUsage];
    failed.map(|(_, reason)| reason.clone()).or_else(|| {
        let skipped = required.into_iter().find(|check| outcome.findings.outcome(*check) == &Outcome::NotEvaluated)?;
        Some(Reason::FcCheckNotEvaluated { check: skipped.as_str().to_owned() })
    })
}

/// A finding about the authority's certificate, said of the token.
fn authority_finding(reason: &Reason, at: Time) -> Reason {
    match reason {
        Reason::RevRevoked { revoked_at, reason } | Reason::RevCaRevoked { revoked_at, reason, .. } => {
            Reason::TspRevoked { revoked_at: *revoked_at, reason: reason.clone() }
        }
        Reason::XcvNoPath {} => Reason::TspNoPath {},
        Reason::XcvExpired { not_after, .. } => Reason::TspExpired { not_after: *not_after, validation_time: at },
        other if other.retryable() => Reason::TspRevocationUnavailable { cause: other.code().to_owned() },
        other => Reason::TspCertificateInvalid { cause: other.code().to_owned() },
    }
}
