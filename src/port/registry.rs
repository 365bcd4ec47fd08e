//! The registry: what was verified, registered, numbered, stamped; who may ask.
//!
//! *Invariant:* a method that writes answers only when the row is on disk, and its journal rows with it, in one
//! transaction.

use super::{EvidenceObject, FormDigest, Journal};
use crate::crypto::Digest;
use crate::licensing::{
    Container, Date, DocumentKind, Holder, LicenceAction, LicenceNumber, LicenceState, NumberFormat, PermitType,
    RequestNumber, RequestState, TransitionRefused,
};
use crate::report::{Decision, Time};
use crate::verify::replay::Taken;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// A verification report to be kept.
#[derive(Clone, Debug)]
pub struct NewReport {
    /// Id, as the report itself carries it; UUIDv7, so that rows arrive in the order of the index.
    pub id: Uuid,
    /// Validation time.
    pub at: Time,
    /// Who asked.
    pub actor: String,
    /// The decision.
    pub decision: Decision,
    /// Digest of the verified document.
    pub document: Digest,
    /// The report, JSON as answered.
    pub json: Bytes,
    /// The present of the verdict, which may be about an earlier time.
    pub judged_at: Time,
    /// The facts that it rested on, kept before.
    pub facts: Option<Digest>,
    /// Parameters of the verification, JSON, where there were any.
    pub parameters: Option<Vec<u8>>,
}

/// A report with what gives it again.
#[derive(Clone, Debug)]
pub struct ReplayableReport {
    /// Its position, from 1, in the order of recording.
    pub position: u64,
    /// Id.
    pub id: Uuid,
    /// The report, JSON as answered; its digest was compared on reading.
    pub json: Vec<u8>,
    /// The present of the verdict.
    pub judged_at: Time,
    /// The facts that it rested on; `None` for a report recorded before they were kept.
    pub facts: Option<Digest>,
    /// Parameters of the verification, JSON.
    pub parameters: Option<Vec<u8>>,
    /// Digest of the document, which is kept where it is that of a registered request or of a licence.
    pub document: Digest,
    /// Digest of the detached content, where the document is a registered request that has one.
    pub content: Option<Digest>,
}

/// A report as it was kept; the digest was compared on reading.
#[derive(Clone, Debug)]
pub struct StoredReport {
    /// Id.
    pub id: Uuid,
    /// Who asked.
    pub actor: String,
    /// Digest of the JSON.
    pub digest: Digest,
    /// The report, JSON as answered.
    pub json: Vec<u8>,
}

/// What identifies one signer's signature over one content, however it is wrapped: the digest of what was signed
/// together with the signer's certificate. Unsigned parts and encodings around it do not enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeenKey(pub [u8; 32]);

/// Where a number is counted: the format, and what fills its fields.
#[derive(Clone, Debug)]
pub struct NumberSeries {
    /// The shape of the numbers.
    pub format: NumberFormat,
    /// Letters of the type.
    pub permit_type: PermitType,
    /// Year, in Kazakhstan.
    pub year: i64,
}

/// The caller's promise that a repeated call is the same call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Who calls: keys of different callers do not meet.
    pub actor: String,
    /// The key, as sent.
    pub key: String,
    /// Digest of what was asked for. The same key with another body is a conflict.
    pub body: Digest,
}

/// A request that was verified and accepted, to be registered.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// The report of the verification that accepted it.
    pub report: NewReport,
    /// The signed document, as received.
    pub document: Bytes,
    /// The content, where the signature is detached.
    pub content: Option<Bytes>,
    /// Parameters of the verification, JSON, so that it can be repeated.
    pub parameters: Vec<u8>,
    /// Id of the service.
    pub service: String,
    /// Edition of the service.
    pub edition: String,
    /// The applicant's IIN, proven.
    pub iin: Option<String>,
    /// The applicant's BIN, proven.
    pub bin: Option<String>,
    /// One key for each signature.
    pub seen: Vec<SeenKey>,
    /// Where its number is counted.
    pub series: NumberSeries,
    /// When.
    pub at: Time,
    /// Who.
    pub actor: String,
}

/// A registered request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct RequestRecord {
    /// Its number.
    pub number: RequestNumber,
    /// When it was registered.
    pub registered_at: Time,
    /// Id of the service.
    pub service: String,
    /// Edition of the service.
    pub edition: String,
    /// What has become of it.
    pub state: RequestState,
    /// The applicant's IIN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iin: Option<String>,
    /// The applicant's BIN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bin: Option<String>,
    /// Digest of the signed document.
    pub document: Digest,
    /// Id of the report that accepted it.
    pub verification: Uuid,
    /// Digest of that report.
    pub report: Digest,
    /// What was issued for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<LicenceNumber>,
}

/// A registered request with everything needed to verify it again.
#[derive(Clone, Debug)]
pub struct StoredRequest {
    /// The record.
    pub record: RequestRecord,
    /// The signed document, as received; its digest was compared on reading.
    pub document: Vec<u8>,
    /// The content, where the signature is detached.
    pub content: Option<Vec<u8>>,
    /// Parameters of the verification, JSON.
    pub parameters: Vec<u8>,
}

/// What registering came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Registered now.
    New(RequestRecord),
    /// The same signed document was registered before; it keeps its number.
    Before(RequestRecord),
}

impl Registration {
    /// The record, new or not.
    pub fn record(&self) -> &RequestRecord {
        match self {
            Registration::New(record) | Registration::Before(record) => record,
        }
    }
}

/// Id of one attempt to stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StampingId(pub Uuid);

/// What is to be stamped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StampingPurpose {
    /// The result of a request: licence, permit, order or refusal. Takes a new number.
    Result {
        /// The request.
        request: RequestNumber,
        /// What is issued.
        kind: DocumentKind,
    },
    /// A licence in the place of another. Takes a new number.
    Reissue {
        /// The request for it.
        request: RequestNumber,
        /// The licence to be replaced.
        replaces: LicenceNumber,
    },
    /// A licence sealed once more under its own number.
    Duplicate {
        /// The licence.
        of: LicenceNumber,
    },
}

impl StampingPurpose {
    /// The kind of document that comes of it.
    pub fn kind(&self) -> DocumentKind {
        match self {
            StampingPurpose::Result { kind, .. } => *kind,
            StampingPurpose::Reissue { .. } => DocumentKind::ReissuedLicence,
            StampingPurpose::Duplicate { .. } => DocumentKind::Duplicate,
        }
    }
}

/// A number to be set aside before anything is signed.
#[derive(Clone, Debug)]
pub struct Reservation {
    /// What for.
    pub purpose: StampingPurpose,
    /// Where numbers are counted.
    pub series: NumberSeries,
    /// When.
    pub at: Time,
    /// Who.
    pub actor: String,
    /// The caller's key, where there is one.
    pub idempotency: Option<IdempotencyKey>,
}

/// What a reservation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// A number is set aside.
    Number {
        /// The attempt.
        id: StampingId,
        /// The number: new, or the licence's own for a duplicate.
        number: LicenceNumber,
    },
    /// The same call was answered before.
    Answered {
        /// The licence as it was when it was issued.
        answer: Box<LicenceRecord>,
    },
}

/// What is about to be signed.
#[derive(Clone, Debug)]
pub struct Intent {
    /// The attempt.
    pub id: StampingId,
    /// Digest of the content to be sealed.
    pub content: Digest,
    /// Digests of the content in the other containers.
    pub forms: Vec<FormDigest>,
    /// Digest of the signer's certificate.
    pub certificate: Digest,
    /// When.
    pub at: Time,
}

/// A sealed and verified document, to be issued.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The attempt.
    pub id: StampingId,
    /// Id of the service.
    pub service: String,
    /// The holder.
    pub holder: Holder,
    /// Date of issue.
    pub issue_date: Date,
    /// Last day of validity.
    pub valid_until: Option<Date>,
    /// The sealed document.
    pub document: Arc<[u8]>,
    /// Its digest.
    pub digest: Digest,
    /// Digest of the sealed content.
    pub content: Digest,
    /// The same document in the other containers.
    pub forms: Vec<CompletedForm>,
    /// The facts on which our own verification rested, kept before.
    pub facts: Option<Digest>,
    /// When.
    pub at: Time,
}

/// A sealed and verified document in another container than CMS.
#[derive(Clone, Debug)]
pub struct CompletedForm {
    /// What is kept about it.
    pub form: SealedForm,
    /// The sealed document.
    pub document: Arc<[u8]>,
}

/// An attempt to stamp that was begun and neither completed nor voided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The attempt.
    pub id: StampingId,
    /// The number.
    pub number: LicenceNumber,
    /// Kind of the document.
    pub kind: DocumentKind,
    /// When the number was set aside.
    pub since: Time,
}

/// A sealed document in one container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct SealedForm {
    /// The container.
    pub container: Container,
    /// Digest of the sealed document.
    pub digest: Digest,
    /// Digest of the sealed content.
    pub content: Digest,
}

/// One sealed document of a licence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct DocumentRecord {
    /// Kind.
    pub kind: DocumentKind,
    /// Digest of the sealed document.
    pub digest: Digest,
    /// Digest of the sealed content.
    pub content: Digest,
    /// When it was stamped.
    pub stamped_at: Time,
    /// The same document in the other containers; none where it was stamped before there were any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forms: Vec<SealedForm>,
    /// The facts on which our own verification rested then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Digest>,
}

impl DocumentRecord {
    /// The document in each of its containers, CMS first.
    pub fn sealed(&self) -> impl Iterator<Item = SealedForm> + '_ {
        let cms = SealedForm { container: Container::Cms, digest: self.digest, content: self.content };
        std::iter::once(cms).chain(self.forms.iter().copied())
    }
}

/// A licence as the registry has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct LicenceRecord {
    /// Number.
    pub number: LicenceNumber,
    /// Kind of the document.
    pub kind: DocumentKind,
    /// State.
    pub state: LicenceState,
    /// Id of the service.
    pub service: String,
    /// Holder.
    pub holder: Holder,
    /// The request it answers.
    pub request: RequestNumber,
    /// Date of issue.
    pub issue_date: Date,
    /// Last day of validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
    /// The licence whose place it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<LicenceNumber>,
    /// The licence that took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<LicenceNumber>,
    /// The sealed documents: the original first, then duplicates.
    pub documents: Vec<DocumentRecord>,
}

/// An officer's change of a licence's state: suspend, resume, terminate.
#[derive(Clone, Debug)]
pub struct StateChange {
    /// The licence.
    pub number: LicenceNumber,
    /// What is done.
    pub action: LicenceAction,
    /// Why, in the officer's words; the journal carries its digest alone.
    pub reason: Option<String>,
    /// When.
    pub at: Time,
    /// Who.
    pub actor: String,
}

/// What the registry does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// No such request.
    #[error("no request has the number {0}")]
    Request(RequestNumber),
    /// No such licence.
    #[error("no licence has the number {0}")]
    Licence(LicenceNumber),
    /// No such attempt to stamp, or it is over.
    #[error("no stamping is open under this id")]
    Stamping,
}

/// What stands against an operation that is well formed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The request was decided before.
    #[error("request {request} was decided before")]
    RequestDecided {
        /// The request.
        request: RequestNumber,
        /// What was issued for it.
        licence: Option<LicenceNumber>,
    },
    /// Something is being stamped for the same request or licence right now.
    #[error("a stamping is under way for the same request or licence")]
    StampingUnderWay,
    /// The key was used with another body.
    #[error("the idempotency key was used for another call")]
    KeyReused,
    /// The call with this key is still being answered.
    #[error("the call with this idempotency key is under way")]
    KeyUnderWay,
    /// The state of the licence does not allow it.
    #[error(transparent)]
    Transition(#[from] TransitionRefused),
    /// The kind of document does not have this action.
    #[error("a document of the kind {kind} cannot be used for: {action}")]
    Kind {
        /// The kind.
        kind: DocumentKind,
        /// The action.
        action: LicenceAction,
    },
    /// A new licence must be of the service and for the holder of the one it replaces.
    #[error("request {request} is of another service or applicant than the licence")]
    OtherHolder {
        /// The request.
        request: RequestNumber,
    },
    /// Every number of the series was given out.
    #[error("the numbers of this series are used up")]
    NumbersUsedUp,
}

/// Why the registry did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// It is not there.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// It cannot be done as things stand.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The store is locked by someone else or overloaded; a later try may succeed.
    #[error("the store is busy")]
    Busy,
    /// No space is left; a later try may succeed.
    #[error("the store is full")]
    Full,
    /// What is stored is not what was stored.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// What does not fit.
        what: String,
    },
    /// Anything else the store said.
    #[error("the store failed: {cause}")]
    Failed {
        /// What it said.
        cause: String,
    },
}

/// Keeps reports, requests, numbers, licences, tokens and the journal.
pub trait Registry: Journal {
    /// Whether rows can be written now.
    ///
    /// # Errors
    /// What stands against it.
    fn check_writable(&self) -> Result<(), RegistryError>;

    /// Keeps a report.
    ///
    /// # Errors
    /// [`RegistryError`]; then nothing was kept.
    fn record_report(&self, report: NewReport) -> Result<(), RegistryError>;

    /// Keeps a report and calls back when it is on disk or was not kept; need not wait for that itself.
    fn record_report_then(&self, report: NewReport, kept: Box<dyn FnOnce(Result<(), RegistryError>) + Send>) {
        kept(self.record_report(report));
    }

    /// A report by id.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`] where its digest does not fit.
    fn report(&self, id: Uuid) -> Result<Option<StoredReport>, RegistryError>;

    /// Reports after a position with what gives them again, at most `limit`.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`] where a digest does not fit.
    fn reports_after(&self, position: u64, limit: usize) -> Result<Vec<ReplayableReport>, RegistryError>;

    /// Keeps objects that are not kept yet, each with its row in the journal. One without octets is kept elsewhere.
    ///
    /// # Errors
    /// [`RegistryError`]; then nothing was kept.
    fn record_evidence(&self, objects: Vec<EvidenceObject>, at: Time) -> Result<(), RegistryError>;

    /// An object's octets, not compared; `Some(None)` where they are kept elsewhere.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn evidence(&self, digest: &Digest) -> Result<Option<Option<Vec<u8>>>, RegistryError>;

    /// The request that was registered with any of these signatures.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn seen(&self, keys: &[SeenKey]) -> Result<Option<RequestNumber>, RegistryError>;

    /// Remembers messages until each says it ends, and for good where it does not say so: `true` where all of them are
    /// new. Two calls at once with one message: one of them gets `true`.
    ///
    /// # Errors
    /// [`RegistryError`]; then whether they are new is not known.
    fn take_messages(&self, messages: &[Taken], at: Time) -> Result<bool, RegistryError>;

    /// Registers an accepted request under a new number, once: where one of its signatures was registered before, that
    /// registration is the answer. The report is kept in both cases.
    ///
    /// # Errors
    /// [`RegistryError`]; then nothing was kept.
    fn register_request(&self, request: NewRequest) -> Result<Registration, RegistryError>;

    /// A request by number.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn request(&self, number: &RequestNumber) -> Result<Option<RequestRecord>, RegistryError>;

    /// A request by number, with the documents.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`] where a digest does not fit.
    fn stored_request(&self, number: &RequestNumber) -> Result<Option<StoredRequest>, RegistryError>;

    /// Sets a number aside for good: it belongs to this attempt and to no other, ever. Claims the idempotency key.
    ///
    /// # Errors
    /// [`Conflict`] and [`Unknown`] where the purpose does not hold; then no number was taken.
    fn reserve(&self, reservation: Reservation) -> Result<Reserved, RegistryError>;

    /// What the same call was answered before, without taking anything.
    ///
    /// # Errors
    /// [`Conflict::KeyReused`], [`Conflict::KeyUnderWay`].
    fn answered(&self, key: &IdempotencyKey) -> Result<Option<LicenceRecord>, RegistryError>;

    /// Records that the key is about to sign. Nothing may be signed before this has answered.
    ///
    /// # Errors
    /// [`RegistryError`]; then nothing may be signed.
    fn record_intent(&self, intent: Intent) -> Result<(), RegistryError>;

    /// Issues the sealed document: licence, document, request, replaced licence and journal in one transaction. The
    /// record is kept as the answer to the idempotency key.
    ///
    /// # Errors
    /// [`RegistryError`]; then nothing was issued.
    fn complete(&self, completion: Completion) -> Result<LicenceRecord, RegistryError>;

    /// Ends an attempt without a document: the number stays used, the request and the idempotency key are free again.
    ///
    /// # Errors
    /// [`Unknown::Stamping`] where it is over already.
    fn void(&self, id: StampingId, reason: &'static str, at: Time) -> Result<(), RegistryError>;

    /// Attempts that were begun and not ended.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn unfinished(&self) -> Result<Vec<Unfinished>, RegistryError>;

    /// The state of a licence becomes another.
    ///
    /// # Errors
    /// [`Conflict::Transition`], [`Unknown::Licence`].
    fn change_state(&self, change: StateChange) -> Result<LicenceRecord, RegistryError>;

    /// A licence by number.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn licence(&self, number: &LicenceNumber) -> Result<Option<LicenceRecord>, RegistryError>;

    /// The number under which a sealed document was issued.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn licence_of_document(&self, document: &Digest) -> Result<Option<LicenceNumber>, RegistryError>;

    /// A stored document by digest.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`] where the bytes are not the ones stored.
    fn document(&self, digest: &Digest) -> Result<Option<Vec<u8>>, RegistryError>;

    /// How many licences there are.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn licence_count(&self) -> Result<u64, RegistryError>;

    /// Licence numbers after `after` in the order of issue, at most `limit`; the walk of an audit.
    ///
    /// # Errors
    /// [`RegistryError`] where the store cannot be read.
    fn licences_after(&self, after: Option<&LicenceNumber>, limit: usize) -> Result<Vec<LicenceNumber>, RegistryError>;
}
