//! Whoever says when something existed.

use crate::crypto::{Digest, DigestAlgorithm};

/// Makes time-stamp tokens (RFC 3161).
pub trait TimestampAuthority: Send + Sync {
    /// The digest algorithm that it is asked with.
    fn digest_algorithm(&self) -> DigestAlgorithm;

    /// A token over a digest: a whole ContentInfo that carries the authority's certificate.
    ///
    /// What is handed out answers this question and no other; whether its authority is to be believed is judged in
    /// verification.
    ///
    /// # Errors
    /// [`TimestampError`].
    fn token(&self, imprint: &Digest) -> Result<Vec<u8>, TimestampError>;
}

/// Answers the requests of others.
pub trait TimestampResponder: Send + Sync {
    /// A TimeStampResp in DER: a token, or the PKIFailureInfo that says why there is none.
    fn answer(&self, request: &[u8]) -> Vec<u8>;
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// No authority answered: a later try may succeed.
    #[error("no time-stamping authority answers: {cause}")]
    Unavailable {
        /// What was met, one line for each authority.
        cause: String,
    },
    /// The authority refuses for good.
    #[error("the time-stamping authority refuses: {cause}")]
    Refused {
        /// PKIFailureInfo, or what was met.
        cause: String,
    },
}
