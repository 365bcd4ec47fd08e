//! The registry on a real file.

use super::*;
use crate::licensing::{
    Container, DocumentKind, Holder, LicenceAction, LicenceState, NumberFormat, PermitType, RequestState,
    check_digits_hold,
};
use crate::port::token::Role;
use crate::port::{
    ChainBreak, CompletedForm, Conflict, FormDigest, IdempotencyKey, JournalEvent, NumberSeries, SealedForm,
    StampingPurpose, Unknown,
};
use crate::report::Decision;
use proptest::prelude::*;
use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

const NOW: Time = Time::from_unix(1_795_312_800);
const IIN: &str = "850412300123";

struct Fixture {
    folder: tempfile::TempDir,
    registry: SqliteRegistry,
}

impl Fixture {
    fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let registry = SqliteRegistry::open(&folder.path().join("registry.db")).unwrap();
        Fixture { folder, registry }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("registry.db")
    }

    /// A connection beside the registry, as someone with access to the file has.
    fn raw(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }

    fn reopen(self) -> Fixture {
        let file = self.file();
        drop(self.registry);
        Fixture { folder: self.folder, registry: SqliteRegistry::open(&file).unwrap() }
    }

    fn registered(&self, text: &str) -> RequestNumber {
        self.registry.register_request(request(text)).unwrap().record().number.clone()
    }

    fn reserved(&self, purpose: StampingPurpose) -> (StampingId, LicenceNumber) {
        match self.registry.reserve(reservation(purpose)).unwrap() {
            Reserved::Number { id, number } => (id, number),
            Reserved::Answered { .. } => panic!("answered before"),
        }
    }

    fn stamped(&self, purpose: StampingPurpose) -> LicenceRecord {
        let (id, number) = self.reserved(purpose);
        self.registry.record_intent(intent(id)).unwrap();
        self.registry.complete(completion(id, &number.0)).unwrap()
    }

    fn licence(&self, text: &str) -> LicenceRecord {
        let request = self.registered(text);
        self.stamped(StampingPurpose::Result { request, kind: DocumentKind::Licence })
    }
}

fn report(text: &str) -> NewReport {
    NewReport {
        id: Uuid::now_v7(),
        at: NOW,
        actor: "token-1".into(),
        decision: Decision::Accepted,
        document: Digest::sha256(text.as_bytes()),
        json: format!("{{\"about\":\"{text}\"}}").into_bytes().into(),
        judged_at: NOW,
        facts: None,
        parameters: None,
    }
}

fn series(template: &str) -> NumberSeries {
    NumberSeries {
        format: NumberFormat::parse(template).unwrap(),
        permit_type: PermitType::new("LPE").unwrap(),
        year: 2026,
    }
}

fn request(text: &str) -> NewRequest {
    NewRequest {
        report: report(text),
        document: text.as_bytes().to_vec().into(),
        content: None,
        parameters: b"{}".to_vec(),
        service: "agency-pipelines".into(),
        edition: "2014".into(),
        iin: Some(IIN.into()),
        bin: None,
        seen: vec![SeenKey(Digest::sha256(text.as_bytes()).as_bytes().try_into().unwrap())],
        series: series(NumberFormat::DEFAULT_REQUEST),
        at: NOW,
        actor: "token-1".into(),
    }
}

fn reservation(purpose: StampingPurpose) -> Reservation {
    Reservation {
        purpose,
        series: series(NumberFormat::DEFAULT_LICENCE),
        at: NOW,
        actor: "token-2".into(),
        idempotency: None,
    }
}

fn intent(id: StampingId) -> Intent {
    let xml = FormDigest { container: Container::Xml, digest: Digest::sha256(b"content as XML") };
    Intent {
        id,
        content: Digest::sha256(b"content"),
        forms: vec![xml],
        certificate: Digest::sha256(b"certificate"),
        at: NOW,
    }
}

fn completion(id: StampingId, text: &str) -> Completion {
    let document: Arc<[u8]> = format!("sealed {text} {}", id.0).into_bytes().into();
    Completion {
        id,
        service: "agency-pipelines".into(),
        holder: Holder { iin: Some(IIN.into()), bin: None, issued_to: "ТОО «Пример»".into() },
        issue_date: "2026-11-22".parse().unwrap(),
        valid_until: "2031-11-21".parse().ok(),
        digest: Digest::sha256(&document),
        document,
        content: Digest::sha256(b"content"),
        forms: vec![xml_form(id)],
        facts: None,
        at: NOW,
    }
}

fn xml_form(id: StampingId) -> CompletedForm {
    let document: Arc<[u8]> = format!("<sealed>{}</sealed>", id.0).into_bytes().into();
    let form = SealedForm {
        container: Container::Xml,
        digest: Digest::sha256(&document),
        content: Digest::sha256(b"content as XML"),
    };
    CompletedForm { form, document }
}

fn key(name: &str, body: &str) -> IdempotencyKey {
    IdempotencyKey { actor: "token-2".into(), key: name.into(), body: Digest::sha256(body.as_bytes()) }
}

fn conflict<T: std::fmt::Debug>(outcome: Result<T, RegistryError>) -> Conflict {
    match outcome {
        Err(RegistryError::Conflict(conflict)) => conflict,
        other => panic!("no conflict: {other:?}"),
    }
}

fn intact(registry: &SqliteRegistry) {
    registry.check_integrity().unwrap();
    registry.verify_chain().unwrap().unwrap();
}

#[test]
fn a_request_is_registered_once() {
    let fixture = Fixture::new();
    let first = fixture.registry.register_request(request("a")).unwrap();
    let again = fixture.registry.register_request(request("a")).unwrap();
    assert!(matches!(&first, Registration::New(record) if record.number.0 == "2026-00000001"));
    assert_eq!(again, Registration::Before(first.record().clone()));
    assert_ne!(fixture.registered("b"), first.record().number);
    let reports: i64 = fixture.raw().query_row("SELECT count(*) FROM report", [], |row| row.get(0)).unwrap();
    assert_eq!(reports, 3, "the report of the second call is kept too");
    assert_eq!(fixture.registry.journal_events("2026-00000001").len(), 1);
    intact(&fixture.registry);
}

#[test]
fn one_known_signature_is_enough_to_know_a_document() {
    let fixture = Fixture::new();
    let first = fixture.registered("a");
    let mut more = request("a with another signature");
    more.seen.extend(request("a").seen);
    assert_eq!(fixture.registry.register_request(more).unwrap().record().number, first);
    assert_eq!(fixture.registry.seen(&request("a").seen).unwrap(), Some(first));
    assert_eq!(fixture.registry.seen(&request("b").seen).unwrap(), None);
}

impl SqliteRegistry {
    fn journal_events(&self, subject: &str) -> Vec<JournalEvent> {
        self.history(subject).unwrap().into_iter().map(|entry| entry.event).collect()
    }
}

#[test]
fn what_was_stored_comes_back_after_a_restart() {
    let fixture = Fixture::new();
    let mut detached = request("signature");
    detached.content = Some(b"content"[..].into());
    let number = fixture.registry.register_request(detached.clone()).unwrap().record().number.clone();
    let fixture = fixture.reopen();
    let stored = fixture.registry.stored_request(&number).unwrap().unwrap();
    assert_eq!(stored.document, &*detached.document);
    assert_eq!(stored.content.as_deref(), detached.content.as_deref());
    assert_eq!(stored.parameters, detached.parameters);
    let report = fixture.registry.report(detached.report.id).unwrap().unwrap();
    assert_eq!(report.json, &*detached.report.json);
    assert_eq!(fixture.registry.report(Uuid::now_v7()).unwrap().map(|report| report.id), None);
    assert_eq!(fixture.registered("next").0, "2026-00000002");
}

#[test]
fn the_whole_life_of_a_licence() {
    let fixture = Fixture::new();
    let registry = &fixture.registry;
    let licence = fixture.licence("a");
    assert!(check_digits_hold(&licence.number.0), "{}", licence.number);
    assert_eq!(licence.state, LicenceState::Issued);
    let request = registry.request(&licence.request).unwrap().unwrap();
    assert_eq!((request.state, request.licence), (RequestState::Issued, Some(licence.number.clone())));
    assert_eq!(registry.licence_of_document(&licence.documents[0].digest).unwrap(), Some(licence.number.clone()));
    assert!(registry.document(&licence.documents[0].digest).unwrap().is_some());

    let change = |action, reason: Option<&str>| {
        registry.change_state(StateChange {
            number: licence.number.clone(),
            action,
            reason: reason.map(str::to_owned),
            at: NOW,
            actor: "token-2".into(),
        })
    };
    assert_eq!(change(LicenceAction::Suspend, Some("Иванов не уплатил")).unwrap().state, LicenceState::Suspended);
    assert!(matches!(conflict(change(LicenceAction::Suspend, None)), Conflict::Transition(_)));
    let duplicate = || StampingPurpose::Duplicate { of: licence.number.clone() };
    assert!(matches!(conflict(registry.reserve(reservation(duplicate()))), Conflict::Transition(_)));
    assert_eq!(change(LicenceAction::Resume, None).unwrap().state, LicenceState::Resumed);

    let duplicated = fixture.stamped(duplicate());
    assert_eq!(duplicated.number, licence.number);
    assert_eq!(duplicated.documents.len(), 2);
    assert_eq!(duplicated.documents[1].kind, DocumentKind::Duplicate);
    assert_eq!(registry.licence_of_document(&duplicated.documents[1].digest).unwrap(), Some(licence.number.clone()));

    let request = fixture.registered("reissue");
    let new = fixture.stamped(StampingPurpose::Reissue { request, replaces: licence.number.clone() });
    assert_eq!(new.replaces, Some(licence.number.clone()));
    assert_eq!(new.kind, DocumentKind::ReissuedLicence);
    let old = registry.licence(&licence.number).unwrap().unwrap();
    assert_eq!((old.state, old.replaced_by), (LicenceState::Reissued, Some(new.number.clone())));
    assert!(matches!(conflict(change(LicenceAction::Terminate, None)), Conflict::Transition(_)));

    let leaves: Vec<String> = registry.rows_after(0, 100).unwrap().into_iter().map(|row| row.leaf).collect();
    for personal in [IIN, "ТОО", "Иванов"] {
        assert!(leaves.iter().all(|leaf| !leaf.contains(personal)), "{personal} stands in the journal");
    }
    assert_eq!(registry.licences_after(None, 10).unwrap(), [licence.number.clone(), new.number.clone()]);
    assert_eq!(registry.licences_after(Some(&licence.number), 10).unwrap(), [new.number]);
    intact(registry);
}

#[test]
fn orders_and_refusals_have_no_states() {
    let fixture = Fixture::new();
    for (text, kind, state) in
        [("a", DocumentKind::Order, RequestState::Issued), ("b", DocumentKind::ReasonedRefusal, RequestState::Refused)]
    {
        let request = fixture.registered(text);
        let record = fixture.stamped(StampingPurpose::Result { request: request.clone(), kind });
        assert_eq!(fixture.registry.request(&request).unwrap().unwrap().state, state);
        let change = StateChange {
            number: record.number.clone(),
            action: LicenceAction::Suspend,
            reason: None,
            at: NOW,
            actor: "token-2".into(),
        };
        assert!(matches!(conflict(fixture.registry.change_state(change)), Conflict::Kind { .. }));
        let of = StampingPurpose::Duplicate { of: record.number };
        assert!(matches!(conflict(fixture.registry.reserve(reservation(of))), Conflict::Kind { .. }));
    }
}

#[test]
fn what_stands_against_a_reservation_is_named_and_takes_no_number() {
    let fixture = Fixture::new();
    let registry = &fixture.registry;
    let result = |request: &RequestNumber| {
        registry.reserve(reservation(StampingPurpose::Result { request: request.clone(), kind: DocumentKind::Licence }))
    };
    let nowhere = RequestNumber("2026-99999999".into());
    assert!(matches!(result(&nowhere), Err(RegistryError::Unknown(Unknown::Request(_)))));
    let licence = fixture.licence("a");
    assert_eq!(
        conflict(result(&licence.request)),
        Conflict::RequestDecided { request: licence.request.clone(), licence: Some(licence.number.clone()) }
    );
    let under_way = fixture.registered("b");
    let reserved = result(&under_way).unwrap();
    assert_eq!(conflict(result(&under_way)), Conflict::StampingUnderWay);

    let mut other = request("of another person");
    other.iin = Some("900101300017".into());
    let other = registry.register_request(other).unwrap().record().number.clone();
    let reissue = StampingPurpose::Reissue { request: other, replaces: licence.number.clone() };
    assert!(matches!(conflict(registry.reserve(reservation(reissue))), Conflict::OtherHolder { .. }));
    let of = LicenceNumber("KZ00LPE00000000".into());
    let unknown = registry.reserve(reservation(StampingPurpose::Duplicate { of }));
    assert!(matches!(unknown, Err(RegistryError::Unknown(Unknown::Licence(_)))));

    let Reserved::Number { number, .. } = reserved else { panic!("answered") };
    assert!(number.0.ends_with("00000002"), "a refused reservation took a number: {number}");
    let duplicate = || StampingPurpose::Duplicate { of: licence.number.clone() };
    fixture.reserved(duplicate());
    assert_eq!(conflict(registry.reserve(reservation(duplicate()))), Conflict::StampingUnderWay);
}

#[test]
fn steps_out_of_order_do_nothing() {
    let fixture = Fixture::new();
    let registry = &fixture.registry;
    let request = fixture.registered("a");
    let purpose = StampingPurpose::Result { request, kind: DocumentKind::Licence };
    let over = |outcome: Result<(), RegistryError>| {
        assert!(matches!(outcome, Err(RegistryError::Unknown(Unknown::Stamping))), "{outcome:?}");
    };
    let (id, number) = fixture.reserved(purpose.clone());
    over(registry.complete(completion(id, "without intent")).map(drop));
    registry.record_intent(intent(id)).unwrap();
    over(registry.record_intent(intent(id)));
    registry.void(id, "cut-short", NOW).unwrap();
    over(registry.void(id, "cut-short", NOW));
    over(registry.record_intent(intent(id)));
    over(registry.complete(completion(id, "after void")).map(drop));
    assert_eq!(registry.licence(&number).unwrap(), None);

    let second = fixture.stamped(purpose);
    assert_ne!(second.number, number, "a voided number was handed out again");
    over(registry.void(id, "cut-short", NOW));
    let events = registry.journal_events(&number.0);
    assert!(matches!(&events[..], [JournalEvent::Stamping { .. }, JournalEvent::Voided { reason, .. }]
        if reason == "cut-short"));
    intact(registry);
}

#[test]
fn a_licence_suspended_while_its_duplicate_is_signed_gets_no_duplicate() {
    let fixture = Fixture::new();
    let registry = &fixture.registry;
    let licence = fixture.licence("a");
    let (id, _) = fixture.reserved(StampingPurpose::Duplicate { of: licence.number.clone() });
    registry.record_intent(intent(id)).unwrap();
    let change = StateChange {
        number: licence.number.clone(),
        action: LicenceAction::Suspend,
        reason: None,
        at: NOW,
        actor: "token-2".into(),
    };
    registry.change_state(change).unwrap();
    assert!(matches!(conflict(registry.complete(completion(id, "duplicate"))), Conflict::Transition(_)));
    assert_eq!(registry.licence(&licence.number).unwrap().unwrap().documents.len(), 1);
    intact(registry);
}

#[test]
fn an_idempotency_key_answers_as_before_and_only_for_the_same_call() {
    let fixture = Fixture::new();
    let registry = &fixture.registry;
    let request = fixture.registered("a");
    let with = |name: &str, body: &str| {
        let purpose = StampingPurpose::Result { request: request.clone(), kind: DocumentKind::Licence };
        registry.reserve(Reservation { idempotency: Some(key(name, body)), ..reservation(purpose) })
    };
    let Reserved::Number { id, .. } = with("k", "body").unwrap() else { panic!("answered") };
    assert_eq!(conflict(with("k", "body")), Conflict::KeyUnderWay);
    assert_eq!(conflict(with("k", "other")), Conflict::KeyReused);
    registry.void(id, "cut-short", NOW).unwrap();

    let Reserved::Number { id, .. } = with("k", "body").unwrap() else { panic!("a voided call was answered") };
    registry.record_intent(intent(id)).unwrap();
    let issued = registry.complete(completion(id, "licence")).unwrap();
    assert_eq!(with("k", "body").unwrap(), Reserved::Answered { answer: Box::new(issued.clone()) });
    assert_eq!(conflict(with("k", "other")), Conflict::KeyReused);
    assert!(matches!(conflict(with("another key", "body")), Conflict::RequestDecided { .. }));
    let fixture = fixture.reopen();
    let purpose = StampingPurpose::Result { request: request.clone(), kind: DocumentKind::Licence };
    let again = Reservation { idempotency: Some(key("k", "body")), ..reservation(purpose) };
    assert_eq!(fixture.registry.reserve(again).unwrap(), Reserved::Answered { answer: Box::new(issued) });
}

#[test]
fn sixty_four_callers_at_once_get_numbers_of_their_own() {
    const CALLERS: usize = 64;
    const EACH: usize = 8;
    let fixture = Fixture::new();
    let barrier = Barrier::new(CALLERS);
    let licences: Vec<LicenceNumber> = std::thread::scope(|scope| {
        let work = |caller: usize| {
            let (fixture, barrier) = (&fixture, &barrier);
            scope.spawn(move || {
                barrier.wait();
                (0..EACH).map(|turn| fixture.licence(&format!("{caller}/{turn}")).number).collect::<Vec<_>>()
            })
        };
        let callers: Vec<_> = (0..CALLERS).map(work).collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(licences.iter().collect::<HashSet<_>>().len(), CALLERS * EACH);
    let head = fixture.registry.head().unwrap().unwrap();
    assert_eq!(head.position, (CALLERS * EACH * 3) as u64);
    intact(&fixture.registry);
}

#[test]
fn the_same_request_from_many_callers_has_one_number() {
    let fixture = Fixture::new();
    let numbers: HashSet<RequestNumber> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..64).map(|_| scope.spawn(|| fixture.registered("the same"))).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(numbers.len(), 1);
}

#[test]
fn nothing_is_answered_before_it_is_committed() {
    let fixture = Fixture::new();
    let other = fixture.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answered = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let number = fixture.registered("a");
            answered.store(true, Ordering::SeqCst);
            number
        });
        std::thread::sleep(Duration::from_millis(200));
        assert!(!answered.load(Ordering::SeqCst), "answered while nothing could be committed");
        other.execute_batch("ROLLBACK").unwrap();
        let number = waiting.join().unwrap();
        let seen: bool = other.prepare("SELECT 1 FROM request WHERE number = ?1").unwrap().exists([number.0]).unwrap();
        assert!(seen, "an answered row is not in the file");
    });
}

#[test]
fn an_operation_that_fails_takes_nothing_with_it() {
    let fixture = Fixture::new();
    let gate = Arc::new(Barrier::new(2));
    std::thread::scope(|scope| {
        // The writing thread is held, so that the others form one group behind it.
        let hold = Arc::clone(&gate);
        let registry = &fixture.registry;
        scope.spawn(move || {
            registry.write(move |_| {
                hold.wait();
                hold.wait();
                Ok(())
            })
        });
        gate.wait();
        let good: Vec<_> = (0..5).map(|n| scope.spawn(move || fixture_register(registry, n))).collect();
        let bad: Vec<_> = (0..5)
            .map(|_| {
                scope.spawn(|| {
                    registry.write(|connection| {
                        connection.execute("INSERT INTO counter (scope, last) VALUES ('bad', 1)", [])?;
                        Err::<(), _>(RegistryError::Busy)
                    })
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(100));
        gate.wait();
        let numbers: HashSet<_> = good.into_iter().map(|call| call.join().unwrap().unwrap()).collect();
        assert_eq!(numbers.len(), 5);
        for call in bad {
            assert_eq!(call.join().unwrap(), Err(RegistryError::Busy));
        }
    });
    let left: i64 =
        fixture.raw().query_row("SELECT count(*) FROM counter WHERE scope = 'bad'", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    intact(&fixture.registry);
}

fn fixture_register(registry: &SqliteRegistry, n: usize) -> Result<RequestNumber, RegistryError> {
    Ok(registry.register_request(request(&format!("good {n}")))?.record().number.clone())
}

#[test]
fn a_full_store_says_so_and_goes_on_when_there_is_room() {
    let fixture = Fixture::new();
    let registry = &fixture.registry;
    fixture.registered("before");
    let set_limit = |pages: i64| {
        registry
            .write(move |connection| {
                Ok(connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))?)
            })
            .unwrap();
    };
    set_limit(1);
    let mut large = request("large");
    large.document = vec![7; 1 << 20].into();
    assert_eq!(registry.register_request(large.clone()).unwrap_err(), RegistryError::Full);
    assert_eq!(registry.seen(&large.seen).unwrap(), None);
    set_limit(1 << 30);
    assert_eq!(registry.register_request(large).unwrap().record().number.0, "2026-00000002");
    registry.check_writable().unwrap();
    intact(registry);
}

#[test]
fn an_altered_journal_row_is_found_and_named() {
    let alterations: [(&str, u64); 4] = [
        ("UPDATE journal SET leaf = replace(leaf, 'agency-pipelines', 'comm-licence') WHERE position = 7", 7),
        ("DELETE FROM journal WHERE position = 5", 5),
        ("UPDATE journal SET hash = zeroblob(32) WHERE position = 1", 1),
        ("UPDATE journal SET leaf = (SELECT leaf FROM journal WHERE position = 4) WHERE position = 3", 3),
    ];
    for (alteration, wanted) in alterations {
        let fixture = Fixture::new();
        (0..10).for_each(|n| drop(fixture.registered(&n.to_string())));
        assert_eq!(fixture.registry.verify_chain().unwrap().unwrap().unwrap().position, 10);
        assert_eq!(fixture.raw().execute(alteration, []).unwrap(), 1);
        match fixture.registry.verify_chain().unwrap() {
            Err(ChainBreak { position, .. }) => assert_eq!(position, wanted, "{alteration}"),
            Ok(_) => panic!("not found: {alteration}"),
        }
    }
}

#[test]
fn altered_documents_and_reports_are_not_given_out() {
    let fixture = Fixture::new();
    let registry = &fixture.registry;
    let licence = fixture.licence("a");
    let request = registry.request(&licence.request).unwrap().unwrap();
    let damaged = |outcome: Result<(), RegistryError>| {
        assert!(matches!(outcome, Err(RegistryError::Damaged { .. })), "{outcome:?}");
    };
    fixture.raw().execute("UPDATE body SET bytes = CAST(bytes || x'00' AS BLOB)", []).unwrap();
    damaged(registry.document(&licence.documents[0].digest).map(drop));
    damaged(registry.stored_request(&request.number).map(drop));
    fixture.raw().execute("UPDATE report SET json = CAST(replace(json, 'a', 'b') AS BLOB)", []).unwrap();
    damaged(registry.report(request.verification).map(drop));
    fixture.raw().execute_batch("PRAGMA ignore_check_constraints = 1; UPDATE licence SET state = 'eternal'").unwrap();
    damaged(registry.licence(&licence.number).map(drop));
}

#[test]
fn a_damaged_or_foreign_file_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.db");
    let opened = |file: &Path| SqliteRegistry::open(file).map(drop);
    std::fs::write(&file, b"this is no database, and long enough to be told from an empty file".repeat(20)).unwrap();
    assert!(matches!(opened(&file), Err(RegistryError::Damaged { .. })));
    assert!(matches!(opened(&folder.path().join("no/such/folder.db")), Err(RegistryError::Failed { .. })));

    let fixture = Fixture::new();
    (0..200).for_each(|n| drop(fixture.registered(&n.to_string())));
    let fixture = fixture.reopen();
    let path = fixture.file();
    drop(fixture.registry);
    let mut bytes = std::fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0xaa);
    std::fs::write(&path, bytes).unwrap();
    let outcome = SqliteRegistry::open(&path).and_then(|registry| registry.check_integrity());
    assert!(matches!(outcome, Err(RegistryError::Damaged { .. })), "{outcome:?}");
}

#[test]
fn foreign_keys_are_enforced_on_the_writing_connection() {
    let fixture = Fixture::new();
    let orphan = fixture
        .registry
        .write(|connection| Ok(connection.execute("INSERT INTO seen (key, request) VALUES (zeroblob(32), 7)", [])?));
    assert!(matches!(orphan, Err(RegistryError::Failed { .. })), "{orphan:?}");
    let on: i32 = fixture.registry.read(|c| Ok(c.pragma_query_value(None, "foreign_keys", |row| row.get(0))?)).unwrap();
    let full: i32 =
        fixture.registry.write(|c| Ok(c.pragma_query_value(None, "synchronous", |row| row.get(0))?)).unwrap();
    assert_eq!((on, full), (1, 2));
}

#[test]
fn readers_cannot_write() {
    let fixture = Fixture::new();
    let outcome = fixture.registry.read(|connection| Ok(connection.execute("DELETE FROM journal", [])?));
    assert!(matches!(outcome, Err(RegistryError::Failed { .. })), "{outcome:?}");
}

#[test]
fn a_registry_has_one_service() {
    let fixture = Fixture::new();
    fixture.registry.claim().unwrap();
    let second = SqliteRegistry::open(&fixture.file()).unwrap();
    assert_eq!(second.claim(), Err(RegistryError::Busy));
    drop(fixture.registry);
    second.claim().unwrap();
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_file_and_its_log() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    fixture.registered("a");
    for entry in std::fs::read_dir(fixture.folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
    }
}

#[test]
fn errors_carry_no_personal_data() {
    let fixture = Fixture::new();
    let mut wrong = request("a");
    wrong.series = series("{serial:1}");
    (0..9).for_each(|n| {
        let mut request = request(&format!("fill {n}"));
        request.series = series("{serial:1}");
        drop(fixture.registry.register_request(request).unwrap());
    });
    let error = fixture.registry.register_request(wrong).unwrap_err();
    assert_eq!(error, RegistryError::Conflict(Conflict::NumbersUsedUp));
    let error =
        fixture.registry.write(|c| Ok(c.execute("UPDATE request SET number = '1', iin = ?1", [IIN])?)).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(IIN), "{error}");
}

#[test]
fn a_changed_format_steps_over_numbers_of_the_old_one() {
    let fixture = Fixture::new();
    let numbered = |text: &str, template: &str| {
        let mut request = request(text);
        request.series = series(template);
        fixture.registry.register_request(request).unwrap().record().number.0.clone()
    };
    assert_eq!(numbered("a", "{serial:4}"), "0001");
    assert_eq!(numbered("b", "{serial:4}"), "0002");
    assert_eq!(numbered("c", "0{serial:3}"), "0003");
    assert_eq!(numbered("d", "{serial:4}"), "0004");
}

#[test]
fn tokens_are_kept_found_and_revoked() {
    let fixture = Fixture::new();
    let store: &dyn TokenStore = &fixture.registry;
    let record = TokenRecord {
        id: "0a0b0c0d0e0f".into(),
        holder: "portal".into(),
        role: Role::Portal,
        digest: [7; 32],
        created: NOW,
        expires: NOW.plus_seconds(60),
        revoked: None,
    };
    store.insert(&record).unwrap();
    assert!(store.insert(&record).is_err());
    assert_eq!(store.find(&record.id).unwrap(), Some(record.clone()));
    assert!(!store.revoke("ffffffffffff", NOW).unwrap());
    assert!(store.revoke(&record.id, NOW).unwrap());
    assert!(store.revoke(&record.id, NOW.plus_seconds(5)).unwrap());
    let revoked = TokenRecord { revoked: Some(NOW), ..record };
    assert_eq!(store.list().unwrap(), [revoked]);
    assert_eq!(fixture.registry.journal_events("0a0b0c0d0e0f").len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the order of stampings, voids and restarts: every number is used once, and each is accounted for.
    #[test]
    fn numbers_are_unique_and_accounted_for(steps in prop::collection::vec(0u8..6, 1..40)) {
        let mut fixture = Fixture::new();
        let mut given = Vec::new();
        for (n, step) in steps.iter().enumerate() {
            if *step == 5 {
                fixture = fixture.reopen();
                continue;
            }
            let request = fixture.registered(&n.to_string());
            let (id, number) = fixture.reserved(StampingPurpose::Result { request, kind: DocumentKind::Licence });
            given.push(number.clone());
            if *step > 0 {
                fixture.registry.record_intent(intent(id)).unwrap();
            }
            if *step > 2 {
                fixture.registry.complete(completion(id, &number.0)).unwrap();
            } else if *step > 1 {
                fixture.registry.void(id, "cut-short", NOW).unwrap();
            }
        }
        prop_assert_eq!(given.iter().collect::<HashSet<_>>().len(), given.len());
        for open in fixture.registry.unfinished().unwrap() {
            fixture.registry.void(open.id, "cut-short", NOW).unwrap();
        }
        for number in &given {
            let licence = fixture.registry.licence(number).unwrap().is_some();
            let voided = fixture.registry.journal_events(&number.0).iter()
                .any(|event| matches!(event, JournalEvent::Voided { .. }));
            prop_assert!(licence != voided, "{}", number);
        }
        intact(&fixture.registry);
    }
}

const CHILD: &str = "TAMGA_TEST_REGISTRY_CHILD";

/// The child of the test below: registers without end and says each number after it was answered.
#[test]
#[ignore = "started by a_killed_process_loses_nothing_that_was_answered"]
fn child_that_registers_until_it_is_killed() {
    let Some(file) = std::env::var_os(CHILD) else { return };
    let registry = SqliteRegistry::open(Path::new(&file)).unwrap();
    std::thread::scope(|scope| {
        for caller in 0..8 {
            let registry = &registry;
            scope.spawn(move || {
                for turn in 0_u64.. {
                    let text = format!("{} {caller} {turn}", std::process::id());
                    let number = registry.register_request(request(&text)).unwrap().record().number.clone();
                    // One line in one write: the parent reads whole lines or none.
                    eprintln!("answered {number}");
                }
            });
        }
    });
}

#[test]
fn a_killed_process_loses_nothing_that_was_answered() {
    let fixture = Fixture::new();
    let file = fixture.file();
    drop(fixture.registry);
    let mut answered = HashSet::new();
    for round in 0..4_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["adapter::sqlite::tests::child_that_registers_until_it_is_killed", "--exact", "--ignored"])
            .arg("--nocapture")
            .env(CHILD, &file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut take = |line: Option<std::io::Result<String>>| {
            let line = line?.ok()?;
            if let Some(number) = line.strip_prefix("answered ")
                && number.len() == "2026-00000001".len()
            {
                assert!(answered.insert(number.to_owned()), "{number} was given out twice");
            }
            Some(())
        };
        for _ in 0..100 + 37 * round {
            take(lines.next()).expect("the child goes on");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        while take(lines.next()).is_some() {}
    }
    let registry = SqliteRegistry::open(&file).unwrap();
    for number in &answered {
        assert!(registry.request(&RequestNumber(number.clone())).unwrap().is_some(), "{number} is lost");
    }
    assert!(answered.len() >= 400);
    intact(&registry);
}
