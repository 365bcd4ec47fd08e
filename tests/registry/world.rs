//! A service on a file, with stand-ins for judging, sealing and signing, and with points where a process can die.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tamga::adapter::log::{FileLog, read_or_make_key};
use tamga::adapter::sqlite::SqliteRegistry;
use tamga::crypto::{Digest, DigestAlgorithm, SignatureAlgorithm};
use tamga::format::Format;
use tamga::licensing::{
    Bilingual, Catalogue, Container, DocumentKind, Licence, LicenceNumber, NumberFormat, RequestNumber,
};
use tamga::port::token::Role;
use tamga::port::*;
use tamga::report::*;
use tamga::service::*;
use tamga::verify::policy::Policy;
use tamga::verify::replay::Taken;
use uuid::Uuid;

pub const NOW: Time = Time::from_unix(1_795_312_800);
pub const IIN: &str = "850412300123";

/// A clock that a test turns.
pub struct HandClock(pub AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Time {
        Time::from_unix(self.0.load(Ordering::SeqCst))
    }
}

/// Where a process dies, and how: `kill -9` on itself, as the power would.
#[derive(Clone, Default)]
pub struct Fault(pub Option<String>);

impl Fault {
    pub fn point(&self, name: &str) {
        if self.0.as_deref() == Some(name) {
            let _ = std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
            loop {
                std::thread::park();
            }
        }
    }
}

impl Fault {
    /// A point that is passed for each container.
    pub fn point_of(&self, name: &str, content: &[u8]) {
        let container = if content.ends_with(b" ") { Container::Xml } else { Container::Cms };
        self.point(&format!("{name}-{}", container.as_str()));
    }
}

/// Judges by what a test says: a document is `content ‖ "|" ‖ anything`, accepted unless its digest was condemned.
#[derive(Default)]
pub struct StandInVerification {
    pub condemned: Mutex<HashSet<String>>,
    pub fault: Fault,
}

impl StandInVerification {
    pub fn condemn(&self, document: &[u8]) {
        self.condemned.lock().unwrap().insert(Digest::sha256(document).to_string());
    }
}

impl Verification for StandInVerification {
    fn policy(&self, id: &str) -> Option<Policy> {
        Policy::built_in(id)
    }

    fn verify(&self, question: &Question<'_>) -> ValidationReport {
        let sealed = question.policy.id == "licence" && question.format != Some(Format::Certificate);
        let digest = Digest::sha256(question.document).to_string();
        let content = question.document.split(|byte| *byte == b'|').next().unwrap();
        if sealed {
            self.fault.point_of("before-own-verification", content);
        }
        let mut checks = Checks::default();
        let condemned = self.condemned.lock().unwrap().contains(&digest);
        if condemned {
            let reason = Reason::RevRevoked { revoked_at: NOW, reason: "keyCompromise".into() };
            checks.fail(CheckId::Revocation, reason);
        }
        CheckId::ALL.into_iter().filter(|id| *id != CheckId::NotSeenBefore).for_each(|id| checks.pass(id));
        let judgement = judge(&checks, &[]);
        let signature = SignatureReport {
            decision: judgement.decision,
            indication: judgement.verdict.indication,
            sub_indication: judgement.verdict.sub_indication,
            signer: Some(Signer {
                common_name: Some("ТЕСТ".into()),
                iin: Some(IIN.into()),
                bin: None,
                organisation: None,
                roles: Vec::new(),
                serial_number: "01".into(),
                issuer: "CN=TEST".into(),
                not_before: NOW,
                not_after: NOW.plus_seconds(1000),
                certificate_digest: Digest::sha256(b"certificate").to_string(),
            }),
            algorithm: None,
            claimed_signing_time: Some(NOW),
            level: "B".into(),
            best_signature_time: NOW,
            proven_by: None,
            renew_before: None,
            timestamps: Vec::new(),
            signed_digest: None,
            freshness: None,
            scope: None,
            certification_path: Vec::new(),
            revocation: Vec::new(),
            checks,
        };
        if sealed {
            self.fault.point_of("after-own-verification", content);
        }
        ValidationReport {
            id: question.report_id.into(),
            software: SOFTWARE.into(),
            policy: PolicyReference { id: question.policy.id.clone(), version: "1".into(), digest: String::new() },
            decision: judgement.decision,
            retryable: judgement.decision == Decision::Undetermined,
            indication: judgement.verdict.indication,
            sub_indication: judgement.verdict.sub_indication,
            validation_time: question.at,
            best_signature_time: question.at,
            document: DocumentSummary {
                format: "cms".into(),
                detached: false,
                size: question.document.len() as u64,
                digest,
                content_digest: Some(Digest::sha256(content).to_string()),
            },
            refusal: judgement.reason.as_ref().map(refusal),
            signatures: vec![signature],
        }
    }
}

/// Seals as `content ‖ "|" ‖ signature`; the content of the XML form ends with a space.
pub struct StandInStamping(pub Fault);

impl Stamping for StandInStamping {
    fn prepare(
        &self,
        container: Container,
        licence: &Licence,
        _: &dyn KeySigner,
        _: Time,
    ) -> Result<Prepared, ServiceError> {
        let mut content = serde_json::to_vec(licence).unwrap();
        if container == Container::Xml {
            content.push(b' ');
        }
        self.0.point_of("before-preparing", &content);
        let fault = self.0.clone();
        Ok(Prepared {
            content: Digest::sha256(&content),
            to_be_signed: content.clone(),
            seal: Box::new(move |signature| {
                let sealed = [&content, &b"|"[..], signature].concat();
                fault.point_of("after-sealing", &content);
                Ok(sealed)
            }),
        })
    }

    fn content(&self, sealed: &[u8]) -> Option<SealedContent> {
        let content = sealed.split(|byte| *byte == b'|').next()?;
        Some(SealedContent { licence: serde_json::from_slice(content).ok()?, digest: Digest::sha256(content) })
    }
}

/// Signs with a digest; can be told to fail.
#[derive(Default)]
pub struct StandInSigner {
    pub fault: Fault,
    pub failure: Mutex<Option<SignerError>>,
    pub signed: AtomicI64,
}

impl KeySigner for StandInSigner {
    fn certificate(&self) -> &[u8] {
        b"certificate of the authority"
    }

    fn chain(&self) -> &[Vec<u8>] {
        &[]
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256)
    }

    fn sign(&self, to_be_signed: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.fault.point_of("before-signing", to_be_signed);
        if let Some(failure) = self.failure.lock().unwrap().clone() {
            return Err(failure);
        }
        self.signed.fetch_add(1, Ordering::SeqCst);
        let signature = format!("{}", Digest::sha256(to_be_signed)).into_bytes();
        self.fault.point_of("after-signing", to_be_signed);
        Ok(signature)
    }
}

/// The registry, with points around the writes of a stamping.
pub struct Faulty {
    pub inner: SqliteRegistry,
    pub fault: Fault,
}

impl Faulty {
    fn around<T>(&self, before: &str, after: &str, write: impl FnOnce() -> T) -> T {
        self.fault.point(before);
        let outcome = write();
        self.fault.point(after);
        outcome
    }
}

impl Journal for Faulty {
    fn head(&self) -> Result<Option<JournalRow>, RegistryError> {
        self.inner.head()
    }
    fn rows_after(&self, position: u64, limit: usize) -> Result<Vec<JournalRow>, RegistryError> {
        self.around("before-reading-rows", "after-reading-rows", || self.inner.rows_after(position, limit))
    }
    fn rows_about(&self, subject: &str) -> Result<Vec<JournalRow>, RegistryError> {
        self.inner.rows_about(subject)
    }
    fn checkpoints(&self, origin: &str) -> Result<Vec<StoredCheckpoint>, RegistryError> {
        self.inner.checkpoints(origin)
    }
    fn record_checkpoint(&self, checkpoint: StoredCheckpoint) -> Result<(), RegistryError> {
        self.around("before-recording", "after-recording", || self.inner.record_checkpoint(checkpoint))
    }
}

impl Registry for Faulty {
    fn check_writable(&self) -> Result<(), RegistryError> {
        self.inner.check_writable()
    }
    fn record_report(&self, report: NewReport) -> Result<(), RegistryError> {
        self.inner.record_report(report)
    }
    fn report(&self, id: Uuid) -> Result<Option<StoredReport>, RegistryError> {
        self.inner.report(id)
    }
    fn reports_after(&self, position: u64, limit: usize) -> Result<Vec<ReplayableReport>, RegistryError> {
        self.inner.reports_after(position, limit)
    }
    fn record_evidence(&self, objects: Vec<EvidenceObject>, at: Time) -> Result<(), RegistryError> {
        self.inner.record_evidence(objects, at)
    }
    fn evidence(&self, digest: &Digest) -> Result<Option<Option<Vec<u8>>>, RegistryError> {
        self.inner.evidence(digest)
    }
    fn seen(&self, keys: &[SeenKey]) -> Result<Option<RequestNumber>, RegistryError> {
        self.inner.seen(keys)
    }
    fn take_messages(&self, messages: &[Taken], at: Time) -> Result<bool, RegistryError> {
        self.inner.take_messages(messages, at)
    }
    fn register_request(&self, request: NewRequest) -> Result<Registration, RegistryError> {
        self.inner.register_request(request)
    }
    fn request(&self, number: &RequestNumber) -> Result<Option<RequestRecord>, RegistryError> {
        self.inner.request(number)
    }
    fn stored_request(&self, number: &RequestNumber) -> Result<Option<StoredRequest>, RegistryError> {
        self.inner.stored_request(number)
    }
    fn reserve(&self, reservation: Reservation) -> Result<Reserved, RegistryError> {
        self.around("before-reserving", "after-reserving", || self.inner.reserve(reservation))
    }
    fn answered(&self, key: &IdempotencyKey) -> Result<Option<LicenceRecord>, RegistryError> {
        self.inner.answered(key)
    }
    fn record_intent(&self, intent: Intent) -> Result<(), RegistryError> {
        self.around("before-intent", "after-intent", || self.inner.record_intent(intent))
    }
    fn complete(&self, completion: Completion) -> Result<LicenceRecord, RegistryError> {
        self.around("before-completing", "after-completing", || self.inner.complete(completion))
    }
    fn void(&self, id: StampingId, reason: &'static str, at: Time) -> Result<(), RegistryError> {
        self.around("before-voiding", "after-voiding", || self.inner.void(id, reason, at))
    }
    fn unfinished(&self) -> Result<Vec<Unfinished>, RegistryError> {
        self.inner.unfinished()
    }
    fn change_state(&self, change: StateChange) -> Result<LicenceRecord, RegistryError> {
        self.inner.change_state(change)
    }
    fn licence(&self, number: &LicenceNumber) -> Result<Option<LicenceRecord>, RegistryError> {
        self.inner.licence(number)
    }
    fn licence_of_document(&self, document: &Digest) -> Result<Option<LicenceNumber>, RegistryError> {
        self.inner.licence_of_document(document)
    }
    fn document(&self, digest: &Digest) -> Result<Option<Vec<u8>>, RegistryError> {
        self.inner.document(digest)
    }
    fn licence_count(&self) -> Result<u64, RegistryError> {
        self.inner.licence_count()
    }
    fn licences_after(&self, after: Option<&LicenceNumber>, limit: usize) -> Result<Vec<LicenceNumber>, RegistryError> {
        self.inner.licences_after(after, limit)
    }
}

/// A service and the parts that a test turns.
pub struct World {
    pub service: Service,
    pub clock: Arc<HandClock>,
    pub verification: Arc<StandInVerification>,
    pub signer: Arc<StandInSigner>,
    pub registry: Arc<Faulty>,
    pub log: Arc<FileLog>,
}

pub fn file(folder: &Path) -> PathBuf {
    folder.join("registry.db")
}

impl World {
    pub fn open(folder: &Path, fault: Fault) -> World {
        let clock = Arc::new(HandClock(AtomicI64::new(NOW.unix())));
        let verification = Arc::new(StandInVerification { fault: fault.clone(), ..StandInVerification::default() });
        let signer = Arc::new(StandInSigner { fault: fault.clone(), ..StandInSigner::default() });
        let inner = SqliteRegistry::open(&file(folder)).unwrap();
        let registry = Arc::new(Faulty { inner, fault: fault.clone() });
        let log_folder = folder.join("log");
        let key = read_or_make_key(&log_folder).unwrap();
        let log = Arc::new(FileLog::open(&log_folder, Arc::clone(&registry) as _, key, "test.example/log").unwrap());
        let service = Service {
            clock: Arc::clone(&clock) as _,
            registry: Arc::clone(&registry) as _,
            verification: Arc::clone(&verification) as _,
            stamping: Arc::new(StandInStamping(fault)),
            signer: Some(Arc::clone(&signer) as _),
            log: Some(Arc::clone(&log) as _),
            evidence: None,
            proof: tamga::service::Proof::default(),
            settings: Settings {
                catalogue: Catalogue::default(),
                licence_numbers: NumberFormat::parse(NumberFormat::DEFAULT_LICENCE).unwrap(),
                request_numbers: NumberFormat::parse(NumberFormat::DEFAULT_REQUEST).unwrap(),
                authority: Authority {
                    body: Bilingual::new("Агенттік", "Агентство"),
                    head: "Иванов И. И.".into(),
                    city: Bilingual::new("Астана", "Астана"),
                },
                demonstration: Some("DEMONSTRATION".into()),
            },
        };
        World { service, clock, verification, signer, registry, log }
    }

    pub fn register(&self, text: &str) -> RequestNumber {
        self.service.register_request(&portal(), &submission(text)).unwrap().record.number
    }

    pub fn stamp(&self, request: &RequestNumber, key: Option<&str>) -> Result<LicenceRecord, ServiceError> {
        self.service.stamp_licence(&officer(), &order(request), key.map(idempotency).as_ref())
    }

    /// Everything about numbers that must hold whatever happened: none twice, each issued or voided, never both,
    /// nothing half issued.
    pub fn assert_accounted_for(&self) {
        let raw = rusqlite::Connection::open(self.registry.inner.path()).unwrap();
        let mut numbers = HashSet::new();
        let rows: Vec<(String, String, String)> = raw
            .prepare("SELECT number, kind, state FROM stamping ORDER BY seq")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        for (number, kind, state) in &rows {
            let number = LicenceNumber(number.clone());
            if kind != DocumentKind::Duplicate.as_str() {
                assert!(numbers.insert(number.clone()), "{number} was given out twice");
            }
            let events = self.registry.history(&number.0).unwrap();
            let happened = |wanted: fn(&JournalEvent) -> Option<DocumentKind>| {
                events.iter().filter(|entry| wanted(&entry.event).is_some_and(|found| found.as_str() == kind)).count()
            };
            let stamped = happened(|event| match event {
                JournalEvent::Stamped { kind, .. } => Some(*kind),
                _ => None,
            });
            let voided = happened(|event| match event {
                JournalEvent::Voided { kind, .. } => Some(*kind),
                _ => None,
            });
            let licence = self.registry.licence(&number).unwrap();
            match state.as_str() {
                "completed" => {
                    assert!(stamped > 0, "{number} was issued without a row in the journal");
                    for document in licence.expect("a completed number has a licence").documents {
                        let sealed: Vec<SealedForm> = document.sealed().collect();
                        assert_eq!(sealed.iter().map(|form| form.container).collect::<Vec<_>>(), Container::ALL);
                        assert!(sealed.iter().all(|form| self.registry.document(&form.digest).unwrap().is_some()));
                    }
                }
                "voided" => {
                    assert!(voided > 0, "{number} was voided without a row in the journal");
                    assert!(kind == DocumentKind::Duplicate.as_str() || licence.is_none());
                }
                open => panic!("{number} is still {open}"),
            }
        }
        self.registry.verify_chain().unwrap().unwrap();
        self.registry.inner.check_integrity().unwrap();
    }
}

/// The sealed document in its first container, CMS.
pub fn sealed(world: &World, number: &LicenceNumber, kind: Option<DocumentKind>) -> Vec<u8> {
    sealed_in(world, number, kind, Container::Cms)
}

pub fn sealed_in(world: &World, number: &LicenceNumber, kind: Option<DocumentKind>, container: Container) -> Vec<u8> {
    let found = world.service.licence_document(&auditor(), number, kind, &[container]).unwrap();
    let (served, document) = found.expect("sealed in this container");
    assert_eq!(served, container);
    document
}

pub fn portal() -> Caller {
    Caller { id: "token-portal".into(), role: Role::Portal }
}

pub fn officer() -> Caller {
    Caller { id: "token-officer".into(), role: Role::Officer }
}

pub fn auditor() -> Caller {
    Caller { id: "token-auditor".into(), role: Role::Auditor }
}

pub fn submission(text: &str) -> Submission {
    Submission {
        document: format!("{text}|signature").into_bytes().into(),
        content: None,
        parameters: VerificationParameters {
            applicant: Applicant { iin: Some(IIN.into()), bin: None },
            service: Some("agency-pipelines".into()),
            ..VerificationParameters::default()
        },
    }
}

pub fn order(request: &RequestNumber) -> StampOrder {
    serde_json::from_value(serde_json::json!({"request": request, "issued_to": "ТОО «Пример», Астана"})).unwrap()
}

pub fn idempotency(key: &str) -> Idempotency {
    Idempotency { key: key.into(), body: b"the body"[..].into() }
}
