//! Use cases, knowing nothing of HTTP.
//!
//! Every use case is one synchronous call: it may wait for the store, so an asynchronous caller gives it a thread of
//! its own.
//!
//! *Invariant:* time is read once per use case and handed down; a caller's role is checked here, whatever the protocol
//! checked before.

pub mod access;
mod audit;
mod error;
pub mod extension;
mod licences;
mod log;
mod model;
mod proof;
pub mod readiness;
mod replay;
mod requests;
pub mod signing;
mod stamping;
mod verification;

pub use audit::{AuditFinding, AuditOrder, AuditSummary, AuditedDocument, AuditedLicence};
pub use error::ServiceError;
pub use log::{LicenceProof, LogAudit, LogFinding, ProvenEntry};
pub use model::{
    Applicant, Caller, Idempotency, LicenceVerified, LicenceView, Novelty, Recovery, Registered, RegistryFinding,
    RequestView, STATE_ACTIONS, StampOrder, StateOrder, Submission, VerificationParameters, Verified,
};
pub use proof::{ExtensionOrder, Proof};
pub use replay::{ReplayOutcome, ReplaySummary, ReplayedReport};
pub use verification::{HitRate, Question, VerdictWithFacts, Verification};

use crate::crypto::Digest;
use crate::licensing::{Bilingual, Catalogue, Container, Licence, NumberFormat};
use crate::port::{Clock, EvidenceStore, KeySigner, Registry, TransparencyLog};
use crate::report::Time;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How far the clock may stand before the last row of the journal, in seconds: steps of time synchronisation.
const MAX_CLOCK_STEP_SECONDS: i64 = 5;

/// Who issues: what a licence says of the authority where the officer says nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// Full name of the issuing body.
    pub body: Bilingual,
    /// Surname and initials of its head.
    pub head: String,
    /// City.
    pub city: Bilingual,
}

/// What an installation decides about the use cases.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The services.
    pub catalogue: Catalogue,
    /// Shape of the numbers of licences.
    pub licence_numbers: NumberFormat,
    /// Shape of the numbers of requests.
    pub request_numbers: NumberFormat,
    /// Who issues.
    pub authority: Authority,
    /// What every document says where the keys are not real ones.
    pub demonstration: Option<String>,
}

/// What a sealed document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedContent {
    /// The licence.
    pub licence: Licence,
    /// Digest of the content: what the intent recorded.
    pub digest: Digest,
}

/// A licence ready to be signed.
pub struct Prepared {
    /// Digest of the content to be sealed.
    pub content: Digest,
    /// The octets to be signed.
    pub to_be_signed: Vec<u8>,
    /// Takes the signature and gives the sealed document.
    pub seal: Seal,
}

/// From a signature to the sealed document.
pub type Seal = Box<dyn FnOnce(&[u8]) -> Result<Vec<u8>, ServiceError>>;

/// Builds sealed documents, without a key.
pub trait Stamping: Send + Sync {
    /// Lays out content and signed attributes; a licence that breaks the profile is refused, never repaired.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`], [`ServiceError::Internal`].
    fn prepare(
        &self,
        container: Container,
        licence: &Licence,
        signer: &dyn KeySigner,
        at: Time,
    ) -> Result<Prepared, ServiceError>;

    /// The content of a document that was sealed, in whichever container; `None` where it is no such document.
    fn content(&self, sealed: &[u8]) -> Option<SealedContent>;
}

/// The use cases of one installation.
pub struct Service {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Keeps what happened.
    pub registry: Arc<dyn Registry>,
    /// Judges documents.
    pub verification: Arc<dyn Verification>,
    /// Builds sealed documents.
    pub stamping: Arc<dyn Stamping>,
    /// Signs; without one, everything but stamping works.
    pub signer: Option<Arc<dyn KeySigner>>,
    /// Publishes the journal; without one, everything but its proofs works.
    pub log: Option<Arc<dyn TransparencyLog>>,
    /// Keeps what verdicts rest on; without one, reports cannot be given again.
    pub evidence: Option<Arc<dyn EvidenceStore>>,
    /// Makes proof last.
    pub proof: Proof,
    /// What the installation decides.
    pub settings: Settings,
}

impl Service {
    /// The time, where the journal does not speak against it: nothing is stamped on a clock that went back (attack 34).
    fn proven_time(&self) -> Result<Time, ServiceError> {
        let now = self.clock.now();
        let Some(head) = self.registry.head()? else { return Ok(now) };
        let entry = head.entry()?;
        let behind = entry.at.unix().saturating_sub(now.unix());
        if behind > MAX_CLOCK_STEP_SECONDS {
            return Err(ServiceError::ClockWentBack { seconds: behind });
        }
        Ok(now)
    }
}
