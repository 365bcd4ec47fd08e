//! Subject public keys with what is derived from them once: digest and parsed key.

use crate::asn1::Reader;
use crate::crypto::{
    AlgorithmError, AlgorithmIdentifier, Digest, KeyError, PublicKey, SignatureAlgorithm, SignatureError,
};
use std::fmt;
use std::sync::OnceLock;

/// A SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
pub struct SubjectPublicKeyInfo {
    raw: Box<[u8]>,
    digest: OnceLock<Digest>,
    key: OnceLock<Result<PublicKey, KeyError>>,
}

/// Why something is not signed by a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerificationError {
    /// The key is refused, by name.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The algorithm is refused, by name.
    #[error(transparent)]
    Algorithm(#[from] AlgorithmError),
    /// The signature does not verify.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl SubjectPublicKeyInfo {
    /// A key from the whole encoding, which is not looked at before it is needed.
    pub fn new(raw: &[u8]) -> SubjectPublicKeyInfo {
        SubjectPublicKeyInfo { raw: raw.into(), digest: OnceLock::new(), key: OnceLock::new() }
    }

    /// The whole encoding.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// SHA-256 of the whole encoding: what a key is known by.
    pub fn digest(&self) -> &Digest {
        self.digest.get_or_init(|| Digest::sha256(&self.raw))
    }

    /// The parsed key.
    ///
    /// # Errors
    /// Why the key is refused.
    pub fn key(&self) -> Result<&PublicKey, KeyError> {
        self.key.get_or_init(|| PublicKey::from_spki(&self.raw)).as_ref().map_err(Clone::clone)
    }

    /// Verifies a signature made under an AlgorithmIdentifier, given as its whole encoding.
    ///
    /// # Errors
    /// The key or the algorithm is refused, or the signature does not verify.
    pub fn verify(&self, algorithm: &[u8], message: &[u8], signature: &[u8]) -> Result<(), VerificationError> {
        let algorithm = signature_algorithm(algorithm)?;
        Ok(self.key()?.verify(&algorithm, message, signature)?)
    }
}

/// The algorithm that a whole AlgorithmIdentifier names.
///
/// # Errors
/// As [`SignatureAlgorithm::from_identifier`]; a broken identifier is unknown.
pub fn signature_algorithm(identifier: &[u8]) -> Result<SignatureAlgorithm, AlgorithmError> {
    let identifier = AlgorithmIdentifier::parse(&mut Reader::der(identifier))
        .map_err(|error| AlgorithmError::Unknown(error.to_string()))?;
    SignatureAlgorithm::from_identifier(&identifier)
}

impl PartialEq for SubjectPublicKeyInfo {
    fn eq(&self, other: &SubjectPublicKeyInfo) -> bool {
        self.raw == other.raw
    }
}

impl Eq for SubjectPublicKeyInfo {}

impl fmt::Debug for SubjectPublicKeyInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectPublicKeyInfo({})", self.digest())
    }
}
