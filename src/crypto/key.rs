//! Public keys from SubjectPublicKeyInfo, and the verification of a signature under one.
//!
//! *Invariant:* a key that comes out of [`PublicKey::from_spki`] is of an allowed kind and size; explicit curves, DSA,
//! short RSA and even or small exponents never do (attacks 17 and 19).

use super::gost;
use super::{AlgorithmIdentifier, Digest, DigestAlgorithm, SignatureAlgorithm};
use crate::asn1::{Oid, Reader, Tag, oid};
use aws_lc_rs::digest::Digest as AwsDigest;
use aws_lc_rs::signature::{self as aws, ParsedPublicKey, RsaParameters, RsaPssSaltLength, VerificationAlgorithm};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Shortest RSA modulus, in bits (`validation.md` §4; NIST SP 800-131A rev. 2).
pub const MIN_RSA_BITS: usize = 2048;
/// Longest RSA modulus, in bits: bounds the time of one verification (`validation.md` §4).
pub const MAX_RSA_BITS: usize = 8192;
/// Longest RSA public exponent, in bits: bounds the time of one verification, as aws-lc does.
const MAX_RSA_EXPONENT_BITS: usize = 33;

/// A named curve (RFC 5480 §2.1.1.1). Explicit parameters are refused (CVE-2020-0601).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// secp256r1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
}

const CURVES: &[(Oid<'static>, Curve, usize)] = &[
    (oid!(1, 2, 840, 10045, 3, 1, 7), Curve::P256, 32),
    (oid!(1, 3, 132, 0, 34), Curve::P384, 48),
    (oid!(1, 3, 132, 0, 35), Curve::P521, 66),
];

/// Why a key cannot be used; each is refused by name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a SubjectPublicKeyInfo, or not one of its algorithm's.
    #[error("malformed public key")]
    Malformed,
    /// Known, and refused on purpose.
    #[error("{0}")]
    NotAllowed(String),
    /// An algorithm that is not known.
    #[error("unknown key algorithm {0}")]
    Unknown(String),
}

/// Why a signature does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The value is not the key holder's signature of this message.
    #[error("signature does not verify")]
    Invalid,
    /// The algorithm is not one for this kind of key.
    #[error("algorithm does not fit the key")]
    KeyMismatch,
}

#[derive(Debug)]
enum Material {
    Rsa {
        /// `RSAPublicKey`, RFC 8017 §A.1.1.
        pkcs1: Box<[u8]>,
        bits: usize,
        /// The key's identifier is id-RSASSA-PSS: no other padding may be used with it (RFC 4055 §1.2).
        pss_only: Option<PssRestriction>,
        /// Parsed once, at first use, for the commonest algorithm.
        parsed: OnceLock<Option<ParsedPublicKey>>,
    },
    Ec {
        curve: Curve,
        /// Uncompressed or compressed point.
        point: Box<[u8]>,
        parsed: OnceLock<Option<ParsedPublicKey>>,
    },
    Ed25519 {
        point: [u8; 32],
    },
    Gost {
        profile: &'static gost::encoding::Profile,
        key: gost::PublicKey,
        /// Whether it has verified before: at the second time the multiples are prepared, for a key that comes back
        /// will come again.
        used: AtomicBool,
        prepared: OnceLock<Box<gost::PreparedPublicKey>>,
    },
}

/// What parameters in an id-RSASSA-PSS key restrict (RFC 4055 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PssRestriction {
    /// No parameters: any.
    None,
    /// The digest and the least salt length.
    To(DigestAlgorithm, u16),
}

/// A public key, cheap to clone and shared by threads.
#[derive(Clone, Debug)]
pub struct PublicKey(Arc<Material>);

const RSA_ENCRYPTION: Oid<'static> = oid!(1, 2, 840, 113549, 1, 1, 1);
const RSASSA_PSS: Oid<'static> = oid!(1, 2, 840, 113549, 1, 1, 10);
const EC_PUBLIC_KEY: Oid<'static> = oid!(1, 2, 840, 10045, 2, 1);
const ED25519: Oid<'static> = oid!(1, 3, 101, 112);
const DSA: Oid<'static> = oid!(1, 2, 840, 10040, 4, 1);

impl PublicKey {
    /// A key from its `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7), the whole encoding in DER.
    ///
    /// # Errors
    /// As the variants of [`KeyError`] say.
    pub fn from_spki(spki: &[u8]) -> Result<PublicKey, KeyError> {
        let malformed = |_: crate::asn1::Error| KeyError::Malformed;
        let mut outer = Reader::der(spki);
        let mut reader = outer.sequence().map_err(malformed)?;
        outer.finish().map_err(malformed)?;
        let identifier = AlgorithmIdentifier::parse(&mut reader).map_err(malformed)?;
        let key = reader.element().and_then(|e| e.bit_string_octets()).map_err(malformed)?;
        reader.finish().map_err(malformed)?;
        if let Some(named) = gost::encoding::profile(&identifier) {
            let (profile, set) = named?;
            let key = gost::encoding::public_key(set, key)?;
            let (used, prepared) = (AtomicBool::new(false), OnceLock::new());
            return Ok(PublicKey(Arc::new(Material::Gost { profile, key, used, prepared })));
        }
        let material = match identifier.algorithm {
            RSA_ENCRYPTION if identifier.has_no_parameters() => rsa(key, None)?,
            RSA_ENCRYPTION => return Err(KeyError::Malformed),
            RSASSA_PSS => {
                let restriction = match identifier.parameters {
                    None => PssRestriction::None,
                    Some(_) => match SignatureAlgorithm::from_identifier(&identifier) {
                        Ok(SignatureAlgorithm::RsaPss { digest, salt_len }) => PssRestriction::To(digest, salt_len),
                        Ok(_) => return Err(KeyError::Malformed),
                        Err(error) => return Err(KeyError::NotAllowed(error.to_string())),
                    },
                };
                rsa(key, Some(restriction))?
            }
            EC_PUBLIC_KEY => {
                let parameters = identifier.parameters.ok_or(KeyError::Malformed)?;
                if parameters.tag != Tag::OID {
                    // RFC 5480 §2.1.1: implicitCurve and specifiedCurve MUST NOT be used.
                    return Err(KeyError::NotAllowed("EC key with explicit or implicit curve parameters".into()));
                }
                let name = Oid::from_contents(parameters.contents).ok_or(KeyError::Malformed)?;
                let (_, curve, size) = CURVES
                    .iter()
                    .find(|row| row.0 == name)
                    .ok_or_else(|| KeyError::NotAllowed(format!("EC key on the curve {name}")))?;
                let form_fits = match key.first() {
                    Some(4) => key.len() == 1 + 2 * size,
                    Some(2 | 3) => key.len() == 1 + size,
                    _ => false,
                };
                if !form_fits {
                    return Err(KeyError::Malformed);
                }
                let parsed =
                    ParsedPublicKey::new(ecdsa(*curve, default_digest(*curve)).ok_or(KeyError::Malformed)?, key)
                        .map_err(|_| KeyError::Malformed)?;
                Material::Ec { curve: *curve, point: key.into(), parsed: OnceLock::from(Some(parsed)) }
            }
            ED25519 if identifier.parameters.is_none() => {
                Material::Ed25519 { point: key.try_into().map_err(|_| KeyError::Malformed)? }
            }
            ED25519 => return Err(KeyError::Malformed),
            DSA => return Err(KeyError::NotAllowed("DSA".into())),
            other => return Err(KeyError::Unknown(other.to_string())),
        };
        Ok(PublicKey(Arc::new(material)))
    }

    /// Kind and size as people write them: `RSA-2048`, `P-256`.
    pub fn name(&self) -> String {
        match &*self.0 {
            Material::Rsa { bits, .. } => format!("RSA-{bits}"),
            Material::Ec { curve: Curve::P256, .. } => "P-256".into(),
            Material::Ec { curve: Curve::P384, .. } => "P-384".into(),
            Material::Ec { curve: Curve::P521, .. } => "P-521".into(),
            Material::Ed25519 { .. } => "Ed25519".into(),
            Material::Gost { profile, .. } => profile.name.into(),
        }
    }

    /// Octets of memory that the key may come to take: what is prepared of it at its first uses is the most.
    pub fn memory_octets(&self) -> usize {
        match &*self.0 {
            Material::Rsa { pkcs1, .. } => 8 * pkcs1.len(),
            Material::Ec { .. } | Material::Ed25519 { .. } => 1 << 10,
            Material::Gost { .. } => 24 << 10,
        }
    }

    /// Octets of a coordinate, for a key of an elliptic curve over a prime field: r and s have as many.
    pub fn coordinate_len(&self) -> Option<usize> {
        match &*self.0 {
            Material::Ec { curve, .. } => CURVES.iter().find(|row| row.1 == *curve).map(|row| row.2),
            _ => None,
        }
    }

    /// The modulus in bits, for an RSA key.
    pub fn rsa_bits(&self) -> Option<usize> {
        match &*self.0 {
            Material::Rsa { bits, .. } => Some(*bits),
            _ => None,
        }
    }

    /// Verifies a signature of a message.
    ///
    /// # Errors
    /// [`SignatureError::KeyMismatch`] for an algorithm of another kind of key, else [`SignatureError::Invalid`].
    pub fn verify(
        &self,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        if let (Material::Ed25519 { point }, SignatureAlgorithm::Ed25519) = (&*self.0, algorithm) {
            return aws::ED25519.verify_sig(point, message, signature).map_err(|_| SignatureError::Invalid);
        }
        let digest = algorithm.digest().ok_or(SignatureError::KeyMismatch)?;
        self.verify_digest(algorithm, &digest.digest(message), signature)
    }

    /// Verifies a signature of a message of which the digest is at hand (large lists are digested while they stream).
    ///
    /// # Errors
    /// As [`PublicKey::verify`]; Ed25519 has no digest apart from itself and is a [`SignatureError::KeyMismatch`].
    pub fn verify_digest(
        &self,
        algorithm: &SignatureAlgorithm,
        digest: &Digest,
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        if algorithm.digest() != Some(digest.algorithm()) {
            return Err(SignatureError::KeyMismatch);
        }
        let imported = || {
            let algorithm = digest.algorithm().aws().ok_or(SignatureError::KeyMismatch)?;
            AwsDigest::import_less_safe(digest.as_bytes(), algorithm).map_err(|_| SignatureError::Invalid)
        };
        match (&*self.0, algorithm) {
            (Material::Rsa { pkcs1, pss_only, parsed, .. }, SignatureAlgorithm::RsaPkcs1(hash)) => {
                if pss_only.is_some() {
                    return Err(SignatureError::KeyMismatch);
                }
                let parameters = match hash {
                    DigestAlgorithm::Sha256 => &aws::RSA_PKCS1_2048_8192_SHA256,
                    DigestAlgorithm::Sha384 => &aws::RSA_PKCS1_2048_8192_SHA384,
                    DigestAlgorithm::Sha512 => &aws::RSA_PKCS1_2048_8192_SHA512,
                    _ => return Err(SignatureError::KeyMismatch),
                };
                verify_parsed(parsed, &aws::RSA_PKCS1_2048_8192_SHA256, parameters, pkcs1, &imported()?, signature)
            }
            (Material::Rsa { pkcs1, pss_only, .. }, SignatureAlgorithm::RsaPss { digest: hash, salt_len }) => {
                if let Some(PssRestriction::To(only, least)) = pss_only
                    && (only != hash || salt_len < least)
                {
                    return Err(SignatureError::KeyMismatch);
                }
                let parameters: RsaParameters = match hash {
                    DigestAlgorithm::Sha256 => aws::RSA_PSS_2048_8192_SHA256,
                    DigestAlgorithm::Sha384 => aws::RSA_PSS_2048_8192_SHA384,
                    DigestAlgorithm::Sha512 => aws::RSA_PSS_2048_8192_SHA512,
                    _ => return Err(SignatureError::KeyMismatch),
                };
                parameters
                    .with_pss_salt_length(RsaPssSaltLength::Custom(*salt_len))
                    .verify_digest_sig(pkcs1, &imported()?, signature)
                    .map_err(|_| SignatureError::Invalid)
            }
            (Material::Ec { curve, point, parsed }, SignatureAlgorithm::Ecdsa(hash)) => {
                let parameters = ecdsa(*curve, *hash).ok_or(SignatureError::KeyMismatch)?;
                let default = ecdsa(*curve, default_digest(*curve)).ok_or(SignatureError::KeyMismatch)?;
                verify_parsed(parsed, default, parameters, point, &imported()?, signature)
            }
            (
                Material::Gost { profile, key, used, prepared },
                SignatureAlgorithm::Gost2004 | SignatureAlgorithm::Gost2015 { .. },
            ) => {
                if profile.algorithm != *algorithm {
                    return Err(SignatureError::KeyMismatch);
                }
                let (digest, order) = (digest.as_bytes(), algorithm.gost_byte_order());
                let result = if used.swap(true, Ordering::Relaxed) {
                    prepared.get_or_init(|| Box::new(key.prepare())).verify_digest(digest, signature, order)
                } else {
                    key.verify_digest(digest, signature, order)
                };
                result.map_err(|_| SignatureError::Invalid)
            }
            _ => Err(SignatureError::KeyMismatch),
        }
    }
}

/// Verifies with the key parsed for `default` where that is the algorithm asked for, else from its bytes.
fn verify_parsed<A: VerificationAlgorithm + PartialEq>(
    parsed: &OnceLock<Option<ParsedPublicKey>>,
    default: &'static A,
    asked: &'static A,
    bytes: &[u8],
    digest: &AwsDigest,
    signature: &[u8],
) -> Result<(), SignatureError> {
    let result = if asked == default {
        match parsed.get_or_init(|| ParsedPublicKey::new(default, bytes).ok()) {
            Some(key) => key.verify_digest_sig(digest, signature),
            None => return Err(SignatureError::Invalid),
        }
    } else {
        asked.verify_digest_sig(bytes, digest, signature)
    };
    result.map_err(|_| SignatureError::Invalid)
}

const fn default_digest(curve: Curve) -> DigestAlgorithm {
    match curve {
        Curve::P256 => DigestAlgorithm::Sha256,
        Curve::P384 => DigestAlgorithm::Sha384,
        Curve::P521 => DigestAlgorithm::Sha512,
    }
}

fn ecdsa(curve: Curve, digest: DigestAlgorithm) -> Option<&'static aws::EcdsaVerificationAlgorithm> {
    Some(match (curve, digest) {
        (Curve::P256, DigestAlgorithm::Sha256) => &aws::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, DigestAlgorithm::Sha384) => &aws::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, DigestAlgorithm::Sha512) => &aws::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, DigestAlgorithm::Sha256) => &aws::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, DigestAlgorithm::Sha384) => &aws::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, DigestAlgorithm::Sha512) => &aws::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, DigestAlgorithm::Sha256) => &aws::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, DigestAlgorithm::Sha384) => &aws::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, DigestAlgorithm::Sha512) => &aws::ECDSA_P521_SHA512_ASN1,
        _ => return None,
    })
}

/// ```text
/// RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
/// ```
fn rsa(pkcs1: &[u8], pss_only: Option<PssRestriction>) -> Result<Material, KeyError> {
    let malformed = |_: crate::asn1::Error| KeyError::Malformed;
    let mut outer = Reader::der(pkcs1);
    let mut reader = outer.sequence().map_err(malformed)?;
    outer.finish().map_err(malformed)?;
    let modulus = positive(reader.integer().map_err(malformed)?)?;
    let exponent = positive(reader.integer().map_err(malformed)?)?;
    reader.finish().map_err(malformed)?;
    let bits = bit_length(modulus);
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        return Err(KeyError::NotAllowed(format!("RSA-{bits}")));
    }
    let (exponent_bits, odd) = (bit_length(exponent), exponent.last().is_some_and(|b| b & 1 == 1));
    // 65537 is the least number of 17 bits that is odd and not 65536.
    if exponent_bits < 17 || !odd || exponent_bits > MAX_RSA_EXPONENT_BITS {
        return Err(KeyError::NotAllowed("RSA with a public exponent that is even, below 65537 or too long".into()));
    }
    if modulus.last().is_none_or(|b| b & 1 == 0) {
        return Err(KeyError::Malformed);
    }
    Ok(Material::Rsa { pkcs1: pkcs1.into(), bits, pss_only, parsed: OnceLock::new() })
}

/// The octets of a positive INTEGER without its sign octet.
fn positive(contents: &[u8]) -> Result<&[u8], KeyError> {
    match contents {
        [0] => Err(KeyError::Malformed),
        [0, rest @ ..] => Ok(rest),
        [first, ..] if first & 0x80 != 0 => Err(KeyError::Malformed),
        octets => Ok(octets),
    }
}

fn bit_length(octets: &[u8]) -> usize {
    match octets.split_first() {
        None => 0,
        Some((first, rest)) => rest.len() * 8 + (8 - first.leading_zeros() as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};

    fn rsa_pair() -> (RsaKeyPair, PublicKey) {
        let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let spki = pair.public_key().as_der().unwrap();
        (pair, PublicKey::from_spki(spki.as_ref()).unwrap())
    }

    #[test]
    fn rsa_signatures_verify_and_altered_ones_do_not() {
        let (pair, key) = rsa_pair();
        assert_eq!(key.name(), "RSA-2048");
        let mut value = vec![0; pair.public_modulus_len()];
        pair.sign(&signature::RSA_PKCS1_SHA384, &SystemRandom::new(), b"message", &mut value).unwrap();
        let algorithm = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha384);
        assert_eq!(key.verify(&algorithm, b"message", &value), Ok(()));
        assert_eq!(key.verify(&algorithm, b"massage", &value), Err(SignatureError::Invalid));
        let other = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256);
        assert_eq!(key.verify(&other, b"message", &value), Err(SignatureError::Invalid));
        let foreign = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
        assert_eq!(key.verify(&foreign, b"message", &value), Err(SignatureError::KeyMismatch));
        value[7] ^= 1;
        assert_eq!(key.verify(&algorithm, b"message", &value), Err(SignatureError::Invalid));
    }

    #[test]
    fn pss_salt_must_be_as_long_as_declared() {
        let (pair, key) = rsa_pair();
        let mut value = vec![0; pair.public_modulus_len()];
        pair.sign(&signature::RSA_PSS_SHA256, &SystemRandom::new(), b"message", &mut value).unwrap();
        let pss = |salt_len| SignatureAlgorithm::RsaPss { digest: DigestAlgorithm::Sha256, salt_len };
        assert_eq!(key.verify(&pss(32), b"message", &value), Ok(()));
        assert_eq!(key.verify(&pss(20), b"message", &value), Err(SignatureError::Invalid));
    }

    #[test]
    fn second_opinions_agree_on_ecdsa() {
        use p256::ecdsa::signature::Verifier;
        let algorithm = &signature::ECDSA_P256_SHA256_ASN1_SIGNING;
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let value = pair.sign(&SystemRandom::new(), b"message").unwrap();
        let spki: Vec<u8> =
            pair.public_key().as_der().map(|d: aws_lc_rs::encoding::PublicKeyX509Der<'_>| d.as_ref().to_vec()).unwrap();
        let key = PublicKey::from_spki(&spki).unwrap();
        let ours = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
        assert_eq!(key.verify(&ours, b"message", value.as_ref()), Ok(()));
        let second = p256::ecdsa::VerifyingKey::from_sec1_bytes(pair.public_key().as_ref()).unwrap();
        second.verify(b"message", &p256::ecdsa::Signature::from_der(value.as_ref()).unwrap()).unwrap();
        // CVE-2022-21449: r and s of zero.
        assert_eq!(key.verify(&ours, b"message", &[0x30, 6, 2, 1, 0, 2, 1, 0]), Err(SignatureError::Invalid));
    }

    #[test]
    fn ed25519_verifies() {
        let pair = Ed25519KeyPair::generate().unwrap();
        let mut spki = vec![0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
        spki.extend_from_slice(pair.public_key().as_ref());
        let key = PublicKey::from_spki(&spki).unwrap();
        let value = pair.sign(b"message");
        assert_eq!(key.verify(&SignatureAlgorithm::Ed25519, b"message", value.as_ref()), Ok(()));
        assert_eq!(key.verify(&SignatureAlgorithm::Ed25519, b"massage", value.as_ref()), Err(SignatureError::Invalid));
    }

    #[test]
    fn explicit_curves_dsa_and_short_rsa_are_refused_by_name() {
        let spki = |algorithm: &[u8], key: &[u8]| {
            let mut bits = vec![3, u8::try_from(key.len() + 1).unwrap(), 0];
            bits.extend_from_slice(key);
            let mut out = vec![0x30, u8::try_from(algorithm.len() + bits.len()).unwrap()];
            out.extend_from_slice(algorithm);
            out.extend(bits);
            out
        };
        let explicit = [0x30, 11, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 0x30, 0];
        assert!(matches!(PublicKey::from_spki(&spki(&explicit, &[4; 65])), Err(KeyError::NotAllowed(_))));
        let dsa = [0x30, 9, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
        assert_eq!(PublicKey::from_spki(&spki(&dsa, &[2, 1, 5])).unwrap_err(), KeyError::NotAllowed("DSA".into()));
        let rsa = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
        let short = [0x30, 8, 2, 1, 0x55, 2, 3, 1, 0, 1];
        assert_eq!(PublicKey::from_spki(&spki(&rsa, &short)).unwrap_err(), KeyError::NotAllowed("RSA-7".into()));
    }

    #[test]
    fn points_off_the_curve_are_refused() {
        let mut spki = vec![0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
        spki.extend([6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 3, 0x42, 0, 4]);
        spki.extend([7; 64]);
        assert_eq!(PublicKey::from_spki(&spki).unwrap_err(), KeyError::Malformed);
    }
}
