//! Identifiers and encodings of keys: in Kazakhstan and in RFC 9215.
//!
//! ```text
//! SubjectPublicKeyInfo ::= SEQUENCE {
//!     algorithm        SEQUENCE { key OID, SEQUENCE { parameter set OID, digest OID OPTIONAL } },
//!     subjectPublicKey BIT STRING { OCTET STRING { x ‖ y, little-endian each } } }
//! PrivateKeyInfo.privateKey ::= OCTET STRING { OCTET STRING { d, little-endian } }      GOST 34.10-2015
//!                             | OCTET STRING { INTEGER d }                              GOST 34.310-2004
//! ```
//!
//! *Invariant:* key, parameter set and digest must belong together; nothing is guessed from lengths.

use super::{GostByteOrder, ParameterSet, PublicKey, SecretKey};
use crate::asn1::{Element, Error, Oid, Reader, Tag, oid};
use crate::crypto::{AlgorithmIdentifier, DigestAlgorithm, KeyError, SignatureAlgorithm};

/// Which standard and whose identifiers a key goes by: it is used with that signature algorithm and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crypto) struct Profile {
    /// The name of the key in a report.
    pub(in crate::crypto) name: &'static str,
    /// The signature algorithm.
    pub(in crate::crypto) algorithm: SignatureAlgorithm,
    key: Oid<'static>,
    sets: &'static [(Oid<'static>, ParameterSet)],
    digests: &'static [Oid<'static>],
}

const PROFILES: &[Profile] = &[
    Profile {
        name: "GOST 34.10-2015-512",
        algorithm: SignatureAlgorithm::Gost2015 { digest: DigestAlgorithm::Streebog512, order: GostByteOrder::Kazakh },
        key: oid!(1, 2, 398, 3, 10, 1, 1, 2, 2),
        sets: &[(oid!(1, 2, 398, 3, 10, 1, 1, 2, 2, 1), ParameterSet::Tc26A512)],
        digests: &[oid!(1, 2, 398, 3, 10, 1, 3, 3)],
    },
    Profile {
        name: "GOST 34.10-2015-256",
        algorithm: SignatureAlgorithm::Gost2015 { digest: DigestAlgorithm::Streebog256, order: GostByteOrder::Kazakh },
        key: oid!(1, 2, 398, 3, 10, 1, 1, 2, 1),
        sets: &[(oid!(1, 2, 398, 3, 10, 1, 1, 2, 1, 1), ParameterSet::Tc26A256)],
        digests: &[oid!(1, 2, 398, 3, 10, 1, 3, 2)],
    },
    Profile {
        name: "GOST 34.310-2004",
        algorithm: SignatureAlgorithm::Gost2004,
        key: oid!(1, 2, 398, 3, 10, 1, 1, 1, 1),
        sets: &[(oid!(1, 2, 398, 3, 10, 1, 1, 1, 1, 1), ParameterSet::CryptoProA)],
        digests: &[oid!(1, 2, 398, 3, 10, 1, 3, 1, 1, 0), oid!(1, 2, 398, 3, 10, 1, 3, 1)],
    },
    // RFC 9215 §4.2 and §4.3; the sets named B of 256 bits and XchA are CryptoPro-A (RFC 4357 §11.4, RFC 7836 §A.2).
    Profile {
        name: "GOST R 34.10-2012-512",
        algorithm: SignatureAlgorithm::Gost2015 { digest: DigestAlgorithm::Streebog512, order: GostByteOrder::Tc26 },
        key: oid!(1, 2, 643, 7, 1, 1, 1, 2),
        sets: &[(oid!(1, 2, 643, 7, 1, 2, 1, 2, 1), ParameterSet::Tc26A512)],
        digests: &[oid!(1, 2, 643, 7, 1, 1, 2, 3)],
    },
    Profile {
        name: "GOST R 34.10-2012-256",
        algorithm: SignatureAlgorithm::Gost2015 { digest: DigestAlgorithm::Streebog256, order: GostByteOrder::Tc26 },
        key: oid!(1, 2, 643, 7, 1, 1, 1, 1),
        sets: &[
            (oid!(1, 2, 643, 7, 1, 2, 1, 1, 1), ParameterSet::Tc26A256),
            (oid!(1, 2, 643, 7, 1, 2, 1, 1, 2), ParameterSet::CryptoProA),
            (oid!(1, 2, 643, 2, 2, 35, 1), ParameterSet::CryptoProA),
            (oid!(1, 2, 643, 2, 2, 36, 0), ParameterSet::CryptoProA),
        ],
        digests: &[oid!(1, 2, 643, 7, 1, 1, 2, 2)],
    },
];

fn malformed(_: Error) -> KeyError {
    KeyError::Malformed
}

/// The profile and the curve that an algorithm identifier names; `None` where the key is not of GOST.
pub(in crate::crypto) fn profile(
    identifier: &AlgorithmIdentifier<'_>,
) -> Option<Result<(&'static Profile, ParameterSet), KeyError>> {
    let profile = PROFILES.iter().find(|profile| profile.key == identifier.algorithm)?;
    Some(parameters(profile, identifier.parameters).map(|set| (profile, set)))
}

fn parameters(profile: &Profile, parameters: Option<Element<'_>>) -> Result<ParameterSet, KeyError> {
    let parameters = parameters.ok_or(KeyError::Malformed)?.expect(Tag::SEQUENCE).map_err(malformed)?;
    let mut reader = parameters.reader().map_err(malformed)?;
    let set = reader.oid().map_err(malformed)?;
    let (_, set) = profile
        .sets
        .iter()
        .find(|row| row.0 == set)
        .ok_or_else(|| KeyError::NotAllowed(format!("{} key with the parameter set {set}", profile.name)))?;
    if !reader.is_empty() {
        let digest = reader.oid().map_err(malformed)?;
        if !profile.digests.contains(&digest) {
            return Err(KeyError::NotAllowed(format!("{} key for the digest {digest}", profile.name)));
        }
    }
    reader.finish().map_err(malformed)?;
    Ok(*set)
}

/// The key in the contents of `subjectPublicKey`.
pub(in crate::crypto) fn public_key(set: ParameterSet, octets: &[u8]) -> Result<PublicKey, KeyError> {
    let mut reader = Reader::der(octets);
    let point = reader.octet_string().map_err(malformed)?;
    reader.finish().map_err(malformed)?;
    PublicKey::from_point(set, point).map_err(|_| KeyError::Malformed)
}

/// The key in the contents of `privateKey`.
///
/// An octet string, within another or not, holds a little-endian scalar of the full length; an INTEGER is big-endian
/// by nature.
pub(in crate::crypto) fn secret_key(set: ParameterSet, octets: &[u8]) -> Result<SecretKey, KeyError> {
    let refused = |_| KeyError::Malformed;
    if octets.len() == set.coordinate_len() {
        return SecretKey::from_le_bytes(set, octets).map_err(refused);
    }
    let mut reader = Reader::der(octets);
    let inner = reader.element().map_err(malformed)?;
    reader.finish().map_err(malformed)?;
    match inner.tag {
        Tag::OCTET_STRING => SecretKey::from_le_bytes(set, inner.contents).map_err(refused),
        Tag::INTEGER => {
            let contents = inner.integer().map_err(malformed)?;
            match contents {
                [first, ..] if first & 0x80 != 0 => Err(KeyError::Malformed),
                [0, magnitude @ ..] | magnitude => SecretKey::from_be_bytes(set, magnitude).map_err(refused),
            }
        }
        _ => Err(KeyError::Malformed),
    }
}

/// `SubjectPublicKeyInfo` of a key; the algorithm identifier is given whole, as it stood beside the private key.
pub(in crate::crypto) fn spki(identifier: &[u8], key: &PublicKey) -> Vec<u8> {
    let octets = element(Tag::OCTET_STRING, &key.to_point());
    let bits = element(Tag::BIT_STRING, &[&[0], &octets[..]].concat());
    element(Tag::SEQUENCE, &[identifier, &bits].concat())
}

/// An element in DER; the contents here are far below 64 KiB.
fn element(tag: Tag, contents: &[u8]) -> Vec<u8> {
    let [.., high, low] = contents.len().to_be_bytes();
    let mut out = match (high, low) {
        (0, 0..=0x7f) => vec![tag.0, low],
        (0, _) => vec![tag.0, 0x81, low],
        _ => vec![tag.0, 0x82, high, low],
    };
    out.extend_from_slice(contents);
    out
}
