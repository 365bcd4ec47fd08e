//! Where revocation data comes from.

use crate::crypto::Digest;
use crate::pki::{Certificate, RevocationList};
use std::sync::Arc;
use std::time::Duration;

/// A certificate whose state is asked of its issuer's responder.
#[derive(Clone, Debug)]
pub struct OcspQuestion {
    /// Where the responder is; the same responder at several places, asked in this order until one answers.
    pub urls: Vec<String>,
    /// The request (RFC 6960 §4.1), in DER. Those after the first say the same another way, for a responder that does
    /// not understand the one before.
    pub requests: Vec<Vec<u8>>,
}

/// What came back; a failure is an input of the judgement, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OcspAnswer {
    /// Octets that claim to be a response; nothing about them has been verified.
    Response(Vec<u8>),
    /// Nothing, and why.
    Unavailable(String),
}

/// Gives revocation data. Never judges it; whoever asks does so only for paths that reach a trust anchor.
pub trait RevocationSource: Send + Sync {
    /// The lists in force, complete and delta, each with its signature verified. They stay readable while held.
    fn lists(&self) -> Vec<Arc<dyn RevocationList>>;

    /// A list of any day by the SHA-256 of its octets, as received; `None` when it is not kept.
    fn list_by_digest(&self, digest: &Digest) -> Option<Vec<u8>>;

    /// Asks all responders at the same time; one answer for each question, in their order, all within the deadline.
    fn ocsp(&self, questions: &[OcspQuestion], deadline: Duration) -> Vec<OcspAnswer>;

    /// The certificates that these certificates' caIssuers point to (RFC 5280 §4.2.2.1), fetched at the same time within
    /// the deadline; none where there is no answer. Nothing about them has been verified.
    fn issuers(&self, certificates: &[Certificate], deadline: Duration) -> Vec<Certificate>;
}
