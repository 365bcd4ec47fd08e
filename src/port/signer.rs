//! The holder of the authority's key.

use crate::crypto::SignatureAlgorithm;

/// Signs with one key. The key never leaves the adapter.
pub trait KeySigner: Send + Sync {
    /// The signer's certificate, DER.
    fn certificate(&self) -> &[u8];

    /// Certificates above it, DER, towards the trust anchor; may be empty.
    fn chain(&self) -> &[Vec<u8>];

    /// The algorithm of the signatures made.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Signs the octets as they are (the algorithm's own digest is computed inside).
    ///
    /// # Errors
    /// [`SignerError`]; after one, no signature has left the signer.
    fn sign(&self, to_be_signed: &[u8]) -> Result<Vec<u8>, SignerError>;
}

/// Why nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// A later try may succeed: a token that is busy, a session that was lost.
    #[error("the signer is not available: {cause}")]
    Transient {
        /// What was met, without key material.
        cause: String,
    },
    /// It will fail again: a key that is gone, an algorithm the key does not have.
    #[error("the signer cannot sign: {cause}")]
    Permanent {
        /// What was met, without key material.
        cause: String,
    },
}
