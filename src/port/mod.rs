//! Roles that the use cases need filled: a clock, a signer, a registry with its journal, a
//! time-stamping authority.
//!
//! A role says what is promised, an adapter says how. The promises that matter are written at each method, because an
//! adapter that breaks one breaks a licence.
//!
//! *Invariant:* no role names an adapter, a database or a protocol.

mod evidence;
mod journal;
mod log;
mod registry;
mod revocation_source;
mod signer;
mod timestamp_authority;
pub mod token;

pub use evidence::{EvidenceKind, EvidenceObject, EvidenceStore, FactsRecord, GatheredFacts, SilentSource};
pub use journal::{
    ChainBreak, ChainHash, FormDigest, Journal, JournalEntry, JournalEvent, JournalRow, StoredCheckpoint, chain,
};
pub use log::{LogError, TransparencyLog};
pub use registry::{
    CompletedForm, Completion, Conflict, DocumentRecord, IdempotencyKey, Intent, LicenceRecord, NewReport, NewRequest,
    NumberSeries, Registration, Registry, RegistryError, ReplayableReport, RequestRecord, Reservation, Reserved,
    SealedForm, SeenKey, StampingId, StampingPurpose, StateChange, StoredReport, StoredRequest, Unfinished, Unknown,
};
pub use revocation_source::{OcspAnswer, OcspQuestion, RevocationSource};
pub use signer::{KeySigner, SignerError};
pub use timestamp_authority::{TimestampAuthority, TimestampError, TimestampResponder};

use crate::report::Time;

/// Tells the time, once per use case.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;
}
