//! The journal: every registration, stamping and change of state, in order, each row bound to all before it.
//!
//! A row is a leaf in the sense of RFC 6962 §2.1 (`SHA-256(0x00 ‖ entry)`): row 1 is entry 0 of the transparency log. The
//! chain hash of a row is `SHA-256(chain hash of the row before ‖ leaf hash)`: it names the first row that was altered
//! even where no log is at hand.
//!
//! *Invariant:* an entry carries digests, numbers and states, never a name, an IIN or a BIN.

use super::{EvidenceKind, RegistryError};
use crate::crypto::Digest;
use crate::licensing::{Container, DocumentKind, LicenceAction, LicenceNumber, LicenceState, RequestNumber};
use crate::report::Time;
use crate::transparency::merkle::{leaf_hash, sha256};
use serde::{Deserialize, Serialize};

/// SHA-256 over everything the journal says up to and including a row.
pub type ChainHash = [u8; 32];

/// A digest in one of the containers beside CMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct FormDigest {
    /// The container.
    pub container: Container,
    /// The digest.
    pub digest: Digest,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum JournalEvent {
    /// A request was verified, accepted and given a number.
    RequestRegistered {
        /// The number.
        number: RequestNumber,
        /// Id of the service.
        service: String,
        /// Digest of the signed request.
        document: Digest,
        /// Digest of the verification report.
        report: Digest,
    },
    /// The authority's key is about to sign. Written before, so that a signature without a row cannot exist.
    Stamping {
        /// Number of the licence.
        number: LicenceNumber,
        /// Kind of the document.
        kind: DocumentKind,
        /// The request it answers.
        request: RequestNumber,
        /// Digest of the content to be sealed.
        content: Digest,
        /// Digest of the signer's certificate.
        certificate: Digest,
        /// Digests of the content in the other containers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        forms: Vec<FormDigest>,
    },
    /// A sealed document was verified and issued.
    Stamped {
        /// Number of the licence.
        number: LicenceNumber,
        /// Kind of the document.
        kind: DocumentKind,
        /// The request it answers.
        request: RequestNumber,
        /// Digest of the sealed document.
        document: Digest,
        /// Digests of the document in the other containers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        forms: Vec<FormDigest>,
    },
    /// A reserved number will never be used, or a stamping that had begun came to nothing.
    Voided {
        /// Number of the licence.
        number: LicenceNumber,
        /// Kind of the document that was not issued.
        kind: DocumentKind,
        /// The request it would have answered.
        request: RequestNumber,
        /// Why, as a code.
        reason: String,
    },
    /// The state of a licence changed.
    StateChanged {
        /// Number of the licence.
        number: LicenceNumber,
        /// What was done.
        action: LicenceAction,
        /// The state before.
        from: LicenceState,
        /// The state after.
        to: LicenceState,
        /// Digest of the officer's reason, which is kept outside the journal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Digest>,
    },
    /// An object that verdicts rest on was kept for the first time.
    EvidenceKept {
        /// What it is.
        kind: EvidenceKind,
        /// Its digest.
        object: String,
    },
    /// An access token was made.
    TokenCreated {
        /// Id of the token.
        token: String,
        /// Its role.
        role: String,
    },
    /// An access token was revoked.
    TokenRevoked {
        /// Id of the token.
        token: String,
    },
}

impl JournalEvent {
    /// Number of the request, licence or token that the event is about.
    pub fn subject(&self) -> &str {
        match self {
            JournalEvent::RequestRegistered { number, .. } => &number.0,
            JournalEvent::Stamping { number, .. }
            | JournalEvent::Stamped { number, .. }
            | JournalEvent::Voided { number, .. }
            | JournalEvent::StateChanged { number, .. } => &number.0,
            JournalEvent::EvidenceKept { object, .. } => object,
            JournalEvent::TokenCreated { token, .. } | JournalEvent::TokenRevoked { token } => token,
        }
    }
}

/// One row's content: when, who, what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct JournalEntry {
    /// When it happened.
    pub at: Time,
    /// Who did it: the id of an access token, or a part of the system.
    pub actor: String,
    /// What happened.
    #[serde(flatten)]
    pub event: JournalEvent,
}

impl JournalEntry {
    /// The octets of the leaf, stored as they are.
    pub fn leaf(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// A row as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// Position, from 1, without gaps.
    pub position: u64,
    /// The octets of the leaf.
    pub leaf: String,
    /// The chain hash of this row.
    pub hash: ChainHash,
    /// The number by which the row is found; it must be the entry's own.
    pub subject: String,
}

impl JournalRow {
    /// What the row says.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`] where it cannot be read.
    pub fn entry(&self) -> Result<JournalEntry, RegistryError> {
        let unreadable = || RegistryError::Damaged { what: format!("journal row {} cannot be read", self.position) };
        serde_json::from_str(&self.leaf).map_err(|_| unreadable())
    }
}

/// The first row that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("journal row {position}: {what}")]
pub struct ChainBreak {
    /// Position of the row.
    pub position: u64,
    /// What does not fit.
    pub what: &'static str,
}

/// The chain hash of a row from the one before; the first row follows on 32 zero octets.
pub fn chain(previous: &ChainHash, leaf: &[u8]) -> ChainHash {
    sha256(&[previous, &leaf_hash(leaf)])
}

/// A checkpoint of the transparency log over the journal, as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// Which log.
    pub origin: String,
    /// How many rows it covers: those up to this position.
    pub size: u64,
    /// When it was made, by our clock.
    pub at: Time,
    /// The signed note.
    pub note: String,
    /// A time-stamp token over the note (RFC 3161), DER, where one was asked for.
    pub token: Option<Vec<u8>>,
}

/// The journal, read side. Rows are written by [`super::Registry`] in the transaction they record.
pub trait Journal: Send + Sync {
    /// The last row.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn head(&self) -> Result<Option<JournalRow>, RegistryError>;

    /// Rows after `position`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn rows_after(&self, position: u64, limit: usize) -> Result<Vec<JournalRow>, RegistryError>;

    /// Every row about one number, oldest first.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn rows_about(&self, subject: &str) -> Result<Vec<JournalRow>, RegistryError>;

    /// What the rows about one number say, oldest first.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn history(&self, subject: &str) -> Result<Vec<JournalEntry>, RegistryError> {
        self.rows_about(subject)?.iter().map(JournalRow::entry).collect()
    }

    /// The checkpoints of a log that are kept, smallest first: every time-stamped one, and the last.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn checkpoints(&self, origin: &str) -> Result<Vec<StoredCheckpoint>, RegistryError>;

    /// The last checkpoint of a log.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn last_checkpoint(&self, origin: &str) -> Result<Option<StoredCheckpoint>, RegistryError> {
        Ok(self.checkpoints(origin)?.pop())
    }

    /// Keeps a checkpoint, on disk when this answers. It takes the place of the last one where that is not time-stamped.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`] where it covers fewer rows than the last one, or more than there are.
    fn record_checkpoint(&self, checkpoint: StoredCheckpoint) -> Result<(), RegistryError>;

    /// Walks the chain from the first row and compares each hash; the first row that does not fit is named.
    /// Gives the head.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn verify_chain(&self) -> Result<Result<Option<JournalRow>, ChainBreak>, RegistryError> {
        const PAGE: usize = 4096;
        let mut last: Option<JournalRow> = None;
        loop {
            let (position, mut previous) = last.as_ref().map_or((0, [0; 32]), |row| (row.position, row.hash));
            let rows = self.rows_after(position, PAGE)?;
            if rows.is_empty() {
                return Ok(Ok(last));
            }
            for (row, expected) in rows.iter().zip(position.saturating_add(1)..) {
                let broken = |what| Ok(Err(ChainBreak { position: expected, what }));
                if row.position != expected {
                    return broken("the row is missing");
                }
                if chain(&previous, row.leaf.as_bytes()) != row.hash {
                    return broken("the row was altered, or one before it");
                }
                previous = row.hash;
            }
            last = rows.into_iter().next_back();
        }
    }
}
