//! The limits of every container (`validation.md` §4). Each refuses with `fc-limit-exceeded`.

use crate::report::Reason;

/// Largest document, in bytes: a scanned dossier of a few hundred pages; the portals' own limit is lower.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;
/// Most signers of one document: a council signs with fewer.
pub const MAX_SIGNERS: usize = 32;
/// Most certificates in one container: 32 signers with an intermediate each.
pub const MAX_CERTIFICATES: usize = 64;
/// Largest certificate handed in alone, in bytes: real ones have one or two thousand, hostile ones megabytes.
pub const MAX_CERTIFICATE_BYTES: usize = 2 * 1024 * 1024;
/// Most attributes of one signer: the standards define about thirty.
pub const MAX_ATTRIBUTES: usize = 64;
/// Most values of the unsigned attributes of one signer.
pub const MAX_UNSIGNED_VALUES: usize = 128;
/// Most time-stamps of one document, of whatever kind: one signer's of fifty years, renewed every year, or two each of 32
/// signers. Each costs some path validations.
pub const MAX_TIMESTAMPS: usize = 64;

/// Refuses a count above its limit.
///
/// # Errors
/// [`Reason::FcLimitExceeded`].
pub fn check_limit(limit: &str, found: usize, maximum: usize) -> Result<(), Reason> {
    if found <= maximum {
        return Ok(());
    }
    Err(Reason::FcLimitExceeded { limit: limit.to_owned(), maximum: maximum as u64 })
}
