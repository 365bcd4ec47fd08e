//! Messages that are sent twice (WS-Security 1.1 §10: a Timestamp bounds how long a receiver must remember).
//!
//! A message that says how long it is fresh is taken once while it is: [`takes`] says what is to be remembered of an
//! accepted one and until when, the caller asks whoever remembers, and [`refuse`] writes the answer into the report.
//! A message without a Timestamp has no such window (contract §5); registering the same one twice is another matter, and
//! gives the same number.
//!
//! *Invariant:* only an accepted message is remembered, so nobody can use up another's message with a broken copy.

use crate::crypto::Digest;
use crate::report::{CheckId, Decision, Reason, SignatureReport, Time, ValidationReport};

/// What is remembered of a signed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Digest of what is signed, the Timestamp in it, and of the signer's certificate. Another wrapping, other unsigned
    /// parts and other white space around them change nothing.
    pub key: Digest,
    /// Until when; `None` where the message never ends.
    pub until: Option<Time>,
}

/// What an accepted message is to be remembered by: an entry for each signature over its Timestamp.
pub fn takes(report: &ValidationReport) -> Vec<Taken> {
    if report.decision != Decision::Accepted {
        return Vec::new();
    }
    let taken = |signature: &SignatureReport| {
        let (freshness, signed) = (signature.freshness?, signature.signed_digest.as_ref()?);
        let certificate = &signature.signer.as_ref()?.certificate_digest;
        let key = Digest::sha256(format!("message\n{signed}\n{certificate}").as_bytes());
        Some(Taken { key, until: freshness.expires })
    };
    report.signatures.iter().filter_map(taken).collect()
}

/// Refuses a message that was taken before.
pub fn refuse(report: &mut ValidationReport) {
    let expires = report.signatures.iter().filter_map(|signature| signature.freshness?.expires).max();
    report.refuse_for(CheckId::NotSeenBefore, &Reason::SavMessageReplayed { expires });
}
