//! What verdicts rest on is kept once, and gives the same reports again.

use std::ops::ControlFlow;
use tamga::{
    adapter::{clock::SystemClock, demonstration_folder::private_key},
    app::App,
    config,
    demonstration::Holder,
    licensing::Container,
    pki::Certificate,
    port::{Clock as _, Journal as _, JournalEvent, token::Role},
    service::{
        Applicant, Caller, ReplayOutcome, ReplaySummary, StampOrder, Submission, VerificationParameters,
        signing::{SigningOrder, sign_cms},
    },
    stamp::Encapsulation,
};

pub(crate) struct Office {
    pub(crate) app: App,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) fn caller(role: Role) -> Caller {
    Caller { id: role.as_str().to_owned(), role }
}

impl Office {
    pub(crate) fn open() -> Office {
        let folder = tempfile::tempdir().unwrap();
        let data = config::DataFolder(folder.path().to_owned());
        let app = App::build(&config::Config { data, ..config::Config::default() }).unwrap();
        Office { app, folder }
    }

    fn submission(&self, encapsulation: Encapsulation, declared: &str) -> Submission {
        let demonstration = self.app.demonstration.as_ref().unwrap();
        let credential = &demonstration.applicant;
        let content = format!(
            "{{\"service\":\"agency-pipelines\",\"applicant\":{{\"iin\":\"{}\"}},\"nonce\":\"{}\"}}",
            Holder::IIN,
            uuid::Uuid::now_v7()
        );
        let order = SigningOrder {
            content: content.as_bytes(),
            encapsulation,
            certificate: &Certificate::parse(&credential.certificate).unwrap(),
            chain: std::slice::from_ref(&demonstration.world.authority.certificate),
            at: SystemClock.now(),
        };
        let document = sign_cms(&order, &private_key(credential).unwrap()).unwrap().document;
        Submission {
            document: document.into(),
            content: (encapsulation == Encapsulation::Detached).then(|| content.into_bytes().into()),
            parameters: VerificationParameters {
                applicant: Applicant { iin: Some(declared.to_owned()), bin: None },
                service: Some("agency-pipelines".into()),
                ..VerificationParameters::default()
            },
        }
    }

    /// Registers a request, stamps its licence, and has anyone verify it.
    pub(crate) fn whole_job(&self, encapsulation: Encapsulation) {
        let service = &self.app.service;
        let submission = self.submission(encapsulation, Holder::IIN);
        let number = service.register_request(&caller(Role::Portal), &submission).unwrap().record.number;
        let order = serde_json::json!({"request": number, "issued_to": "ТОО «Пример»"});
        let order: StampOrder = serde_json::from_value(order).unwrap();
        let licence = service.stamp_licence(&caller(Role::Officer), &order, None).unwrap();
        let sealed = service.licence_document(&caller(Role::Auditor), &licence.number, None, &Container::ALL).unwrap();
        let (_, sealed) = sealed.unwrap();
        service.verify_licence(&sealed).unwrap();
    }

    fn replay(&self) -> (ReplaySummary, Vec<ReplayOutcome>) {
        let mut outcomes = Vec::new();
        let summary = self.app.service.replay(&caller(Role::Auditor), 0, &mut |report| {
            outcomes.push(report.outcome.clone());
            ControlFlow::Continue(())
        });
        (summary.unwrap(), outcomes)
    }

    fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.app.tokens.path()).unwrap()
    }
}

#[test]
fn reports_are_given_again_octet_by_octet_and_a_change_is_an_alarm() {
    let office = Office::open();
    office.whole_job(Encapsulation::Attached);
    office.whole_job(Encapsulation::Detached);
    // The same request again: it has been seen before, and the report says so.
    let submission = office.submission(Encapsulation::Attached, Holder::IIN);
    for _ in 0..2 {
        office.app.service.register_request(&caller(Role::Portal), &submission).unwrap();
    }
    // Refused: the document is not kept, so the report cannot be given again.
    let refused = office.submission(Encapsulation::Attached, "900101300017");
    assert!(office.app.service.register_request(&caller(Role::Portal), &refused).is_err());
    let (summary, outcomes) = office.replay();
    let expected = ReplaySummary { reports: 7, same: 6, not_kept: 1, ..ReplaySummary::default() };
    assert_eq!(summary, expected, "{outcomes:#?}");

    // A verdict that was turned over, with its digest: the evidence gives another one.
    let raw = office.raw();
    let json: Vec<u8> = raw.query_row("SELECT json FROM report WHERE seq = 1", [], |row| row.get(0)).unwrap();
    let turned = String::from_utf8(json.clone()).unwrap().replacen("\"accepted\"", "\"refused\"", 1).into_bytes();
    let put = |json: &[u8]| {
        let digest = tamga::crypto::Digest::sha256(json);
        raw.execute(
            "UPDATE report SET json = ?1, digest = ?2 WHERE seq = 1",
            rusqlite::params![json, digest.as_bytes()],
        )
        .unwrap();
    };
    put(&turned);
    let (summary, outcomes) = office.replay();
    assert_eq!((summary.alarms, &outcomes[0]), (1, &ReplayOutcome::Differs { at: "/decision".into() }));
    put(&json);

    // Evidence that is another, and evidence that is gone.
    raw.execute("UPDATE evidence SET octets = x'00' WHERE kind = 'certificate'", []).unwrap();
    let (summary, outcomes) = office.replay();
    assert_eq!(summary.alarms, 6, "{outcomes:#?}");
    assert!(outcomes.iter().any(|outcome| matches!(outcome, ReplayOutcome::Damaged { .. })));
}

#[test]
fn a_list_is_kept_once_and_its_loss_is_found() {
    let office = Office::open();
    for _ in 0..3 {
        office.whole_job(Encapsulation::Attached);
    }
    let lists: Vec<_> =
        std::fs::read_dir(office.folder.path().join("evidence")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(lists.len(), 2, "root's and authority's");
    let raw = office.raw();
    let count = |sql: &str| raw.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let kept = count("SELECT count(*) FROM evidence");
    assert_eq!(count("SELECT count(*) FROM evidence WHERE octets IS NULL AND kind = 'revocation-list'"), 2);
    assert_eq!(count("SELECT count(*) FROM report WHERE facts IS NULL"), 0);
    assert_eq!(count("SELECT count(*) FROM document WHERE facts IS NULL"), 0);
    // Every object is one entry of the log, so that a time-stamped checkpoint covers it.
    let rows = office.app.tokens.rows_after(0, 1000).unwrap();
    let entries = rows.iter().filter(|row| matches!(row.entry().unwrap().event, JournalEvent::EvidenceKept { .. }));
    assert_eq!(i64::try_from(entries.count()).unwrap(), kept);

    std::fs::remove_file(&lists[0]).unwrap();
    let (summary, outcomes) = office.replay();
    assert_eq!((summary.same, summary.alarms), (0, summary.reports), "{outcomes:#?}");
}
