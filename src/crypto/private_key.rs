//! Private keys in memory, and signing with them.
//!
//! The pure rooms never sign; a `KeySigner` of ring 4 holds one of these. Randomness for ECDSA, PSS and the hedge of
//! GOST nonces is drawn from aws-lc, here and nowhere else in this room.
//!
//! *Invariant:* key octets are wiped when the value is dropped and never printed.

use super::gost;
use super::{AlgorithmIdentifier, DigestAlgorithm, PublicKey, SignatureAlgorithm, pss_salt_len};
use crate::asn1::{Reader, Tag};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::signature::{self as aws, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use std::fmt;

/// Why a private key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrivateKeyError {
    /// Not a PKCS#8 PrivateKeyInfo of a supported kind.
    #[error("not a usable private key")]
    Rejected,
    /// The algorithm is not one of this key.
    #[error("algorithm does not fit the key")]
    KeyMismatch,
    /// The cryptographic module failed.
    #[error("signing failed")]
    Failed,
}

enum Material {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Gost(Box<GostKey>),
}

struct GostKey {
    algorithm: SignatureAlgorithm,
    secret: gost::SecretKey,
}

/// A private key that can sign.
pub struct PrivateKey {
    material: Material,
    spki: Vec<u8>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

/// `SubjectPublicKeyInfo` of an Ed25519 key up to the key itself (RFC 8410 §4).
const ED25519_SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl PrivateKey {
    /// A key from PKCS#8 `PrivateKeyInfo` in DER (RFC 5958): RSA, P-256, P-384, Ed25519, GOST.
    ///
    /// # Errors
    /// [`PrivateKeyError::Rejected`].
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<PrivateKey, PrivateKeyError> {
        if let Some(key) = gost_key(pkcs8) {
            return key;
        }
        let rejected = |_| PrivateKeyError::Rejected;
        let x509 = |key: &dyn Fn() -> Result<PublicKeyX509Der<'static>, aws_lc_rs::error::Unspecified>| {
            key().map(|der| der.as_ref().to_vec()).map_err(rejected)
        };
        if let Ok(pair) = RsaKeyPair::from_pkcs8(pkcs8) {
            let spki = x509(&|| pair.public_key().as_der())?;
            return Ok(PrivateKey { material: Material::Rsa(pair), spki });
        }
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&aws::ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8) {
            let spki = x509(&|| pair.public_key().as_der())?;
            return Ok(PrivateKey { material: Material::P256(pair), spki });
        }
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&aws::ECDSA_P384_SHA384_ASN1_SIGNING, pkcs8) {
            let spki = x509(&|| pair.public_key().as_der())?;
            return Ok(PrivateKey { material: Material::P384(pair), spki });
        }
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8) {
            let spki = [&ED25519_SPKI_PREFIX[..], pair.public_key().as_ref()].concat();
            return Ok(PrivateKey { material: Material::Ed25519(pair), spki });
        }
        Err(PrivateKeyError::Rejected)
    }

    /// The public half as `SubjectPublicKeyInfo` in DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Whether the certificate's key is this key's other half.
    pub fn matches(&self, public_key: &PublicKey) -> bool {
        let algorithm = self.default_algorithm();
        let probe = b"tamga: does this certificate belong to this key?";
        self.sign(&algorithm, probe).is_ok_and(|value| public_key.verify(&algorithm, probe, &value).is_ok())
    }

    /// The algorithm used where nothing else is asked for.
    pub fn default_algorithm(&self) -> SignatureAlgorithm {
        match &self.material {
            Material::Rsa(_) => SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256),
            Material::P256(_) => SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256),
            Material::P384(_) => SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha384),
            Material::Ed25519(_) => SignatureAlgorithm::Ed25519,
            Material::Gost(key) => key.algorithm,
        }
    }

    /// Signs a message; ECDSA values are `Ecdsa-Sig-Value` in DER.
    ///
    /// # Errors
    /// [`PrivateKeyError::KeyMismatch`] for an algorithm that is not this key's, [`PrivateKeyError::Failed`].
    pub fn sign(&self, algorithm: &SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, PrivateKeyError> {
        use DigestAlgorithm::{Sha256, Sha384, Sha512};
        let random = SystemRandom::new();
        match (&self.material, algorithm) {
            (Material::Rsa(pair), algorithm) => {
                let encoding: &'static dyn aws::RsaEncoding = match algorithm {
                    SignatureAlgorithm::RsaPkcs1(Sha256) => &aws::RSA_PKCS1_SHA256,
                    SignatureAlgorithm::RsaPkcs1(Sha384) => &aws::RSA_PKCS1_SHA384,
                    SignatureAlgorithm::RsaPkcs1(Sha512) => &aws::RSA_PKCS1_SHA512,
                    SignatureAlgorithm::RsaPss { digest, salt_len } if *salt_len == pss_salt_len(*digest) => {
                        match digest {
                            Sha256 => &aws::RSA_PSS_SHA256,
                            Sha384 => &aws::RSA_PSS_SHA384,
                            Sha512 => &aws::RSA_PSS_SHA512,
                            _ => return Err(PrivateKeyError::KeyMismatch),
                        }
                    }
                    _ => return Err(PrivateKeyError::KeyMismatch),
                };
                let mut value = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut value).map_err(|_| PrivateKeyError::Failed)?;
                Ok(value)
            }
            (Material::P256(pair), SignatureAlgorithm::Ecdsa(Sha256))
            | (Material::P384(pair), SignatureAlgorithm::Ecdsa(Sha384)) => {
                let value = pair.sign(&random, message).map_err(|_| PrivateKeyError::Failed)?;
                Ok(value.as_ref().to_vec())
            }
            (Material::Ed25519(pair), SignatureAlgorithm::Ed25519) => {
                Ok(pair.try_sign(message).map_err(|_| PrivateKeyError::Failed)?.as_ref().to_vec())
            }
            (Material::Gost(key), algorithm) if key.algorithm == *algorithm => {
                let digest = algorithm.digest().ok_or(PrivateKeyError::KeyMismatch)?.digest(message);
                let mut hedge = zeroize::Zeroizing::new([0; gost::HEDGE_LEN]);
                random.fill(&mut *hedge).map_err(|_| PrivateKeyError::Failed)?;
                key.secret
                    .sign_digest(digest.as_bytes(), &hedge, algorithm.gost_byte_order())
                    .map_err(|_| PrivateKeyError::Failed)
            }
            _ => Err(PrivateKeyError::KeyMismatch),
        }
    }
}

/// The GOST key of a `PrivateKeyInfo`; `None` where it is of another kind.
///
/// ```text
/// OneAsymmetricKey ::= SEQUENCE {
///     version             INTEGER,
///     privateKeyAlgorithm AlgorithmIdentifier,
///     privateKey          OCTET STRING,
///     attributes      [0] IMPLICIT SET OF Attribute OPTIONAL,
///     publicKey       [1] IMPLICIT BIT STRING OPTIONAL }
/// ```
/// (RFC 5958 §2). The public half is computed, not taken from there.
fn gost_key(pkcs8: &[u8]) -> Option<Result<PrivateKey, PrivateKeyError>> {
    let mut outer = Reader::der(pkcs8);
    let mut reader = outer.sequence().ok()?;
    outer.finish().ok()?;
    reader.integer().ok()?;
    let identifier = reader.clone().expect(Tag::SEQUENCE).ok()?.raw;
    let algorithm = AlgorithmIdentifier::parse(&mut reader).ok()?;
    let named = gost::encoding::profile(&algorithm)?;
    let mut noise = zeroize::Zeroizing::new([0; gost::HEDGE_LEN]);
    if SystemRandom::new().fill(&mut *noise).is_err() {
        return Some(Err(PrivateKeyError::Failed));
    }
    let parsed = || {
        let (profile, set) = named.ok()?;
        let secret = gost::encoding::secret_key(set, reader.octet_string().ok()?).ok()?.with_noise(&noise);
        reader.optional(Tag::context_constructed(0)).ok()?;
        reader.optional(Tag::context(1)).ok()?;
        reader.finish().ok()?;
        let spki = gost::encoding::spki(identifier, &secret.public_key());
        let key = GostKey { algorithm: profile.algorithm, secret };
        Some(PrivateKey { material: Material::Gost(Box::new(key)), spki })
    };
    Some(parsed().ok_or(PrivateKeyError::Rejected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_signs_what_its_public_half_verifies() {
        let rsa = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let rsa: aws_lc_rs::encoding::Pkcs8V1Der<'_> = rsa.as_der().unwrap();
        let p256 = EcdsaKeyPair::generate_pkcs8(&aws::ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        let p384 = EcdsaKeyPair::generate_pkcs8(&aws::ECDSA_P384_SHA384_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        let ed = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        for (pkcs8, name) in
            [(rsa.as_ref(), "RSA-2048"), (p256.as_ref(), "P-256"), (p384.as_ref(), "P-384"), (ed.as_ref(), "Ed25519")]
        {
            let key = PrivateKey::from_pkcs8(pkcs8).unwrap();
            let public = PublicKey::from_spki(key.spki()).unwrap();
            assert_eq!(public.name(), name);
            assert!(key.matches(&public), "{name}");
        }
        assert_eq!(PrivateKey::from_pkcs8(b"nonsense").unwrap_err(), PrivateKeyError::Rejected);
    }
}
