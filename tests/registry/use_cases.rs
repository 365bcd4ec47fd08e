//! What the use cases do with verdicts, roles, states and failures.

use crate::world::*;
use std::sync::atomic::Ordering;
use tamga::licensing::{Container, DocumentKind, Licence, LicenceAction, LicenceNumber, LicenceState, RequestState};
use tamga::port::{Conflict, Journal, JournalEvent, Registry, SignerError};
use tamga::report::{Decision, ValidationReport};
use tamga::service::*;

fn world() -> (tempfile::TempDir, World) {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path(), Fault::default());
    (folder, world)
}

fn code<T>(outcome: Result<T, ServiceError>) -> &'static str {
    match outcome {
        Ok(_) => "done",
        Err(error) => error.code(),
    }
}

#[test]
fn a_request_is_verified_registered_and_answered() {
    let (_folder, world) = world();
    let registered = world.service.register_request(&portal(), &submission("request")).unwrap();
    assert_eq!(registered.novelty, Novelty::New);
    let again = world.service.register_request(&portal(), &submission("request")).unwrap();
    assert_eq!((again.novelty, &again.record), (Novelty::Before, &registered.record));
    let rewrapped = Submission { document: b"request|signature and more"[..].into(), ..submission("request") };
    let rewrapped = world.service.register_request(&portal(), &rewrapped).unwrap();
    assert_eq!(rewrapped.record.number, registered.record.number);
    let report: ValidationReport = serde_json::from_slice(&rewrapped.verification).unwrap();
    assert!(format!("{:?}", report.signatures[0].checks).contains("SavSeenBefore"));

    let licence = world.stamp(&registered.record.number, Some("k")).unwrap();
    assert_eq!(licence.kind, DocumentKind::Licence);
    let view = world.service.request(&officer(), &registered.record.number).unwrap();
    assert_eq!((view.record.state, view.record.licence), (RequestState::Issued, Some(licence.number.clone())));
    let sealed = sealed(&world, &licence.number, None);
    let content: Licence = serde_json::from_slice(sealed.split(|byte| *byte == b'|').next().unwrap()).unwrap();
    assert_eq!(content.number, licence.number);
    assert_eq!(content.request.document, registered.record.document);
    assert_eq!(content.request.report, registered.record.report);
    assert!(content.equivalence.ru.starts_with("Данный документ") && content.equivalence.kk.starts_with("Берілген"));
    assert_eq!(content.demonstration.as_deref(), Some("DEMONSTRATION"));
    let history = world.service.licence(&auditor(), &licence.number).unwrap().history;
    assert!(matches!(
        [&history[0].event, &history[1].event],
        [JournalEvent::Stamping { .. }, JournalEvent::Stamped { .. }]
    ));
    world.assert_accounted_for();
}

#[test]
fn roles_open_only_their_own_doors() {
    let (_folder, world) = world();
    let number = world.register("request");
    let nowhere = LicenceNumber("KZ00LPE00000000".into());
    let service = &world.service;
    assert_eq!(code(service.register_request(&officer(), &submission("x"))), "forbidden");
    assert_eq!(code(service.verify_request(&officer(), &submission("x"))), "forbidden");
    for caller in [portal(), auditor()] {
        assert_eq!(code(service.stamp_licence(&caller, &order(&number), None)), "forbidden");
        assert_eq!(code(service.duplicate(&caller, &nowhere, None)), "forbidden");
        assert_eq!(code(service.reissue(&caller, &nowhere, &order(&number), None)), "forbidden");
        let suspend = service.change_state(&caller, &nowhere, LicenceAction::Suspend, StateOrder::default());
        assert_eq!(code(suspend), "forbidden");
    }
    assert_eq!(code(service.licence(&portal(), &nowhere)), "forbidden");
    assert_eq!(world.signer.signed.load(Ordering::SeqCst), 0);
}

#[test]
fn a_portal_does_not_see_the_reports_of_another() {
    let (_folder, world) = world();
    let verified = world.service.verify_request(&portal(), &submission("x")).unwrap();
    let stranger = Caller { id: "token-other".into(), ..portal() };
    assert!(world.service.report(&portal(), verified.id).unwrap().is_some());
    assert_eq!(world.service.report(&auditor(), verified.id).unwrap().as_deref(), Some(&*verified.json));
    assert!(world.service.report(&stranger, verified.id).unwrap().is_none());
}

#[test]
fn fields_that_cannot_be_used_are_named() {
    let (_folder, world) = world();
    type Spoil = fn(&mut VerificationParameters);
    let cases: [(Spoil, &str); 9] = [
        (|p| p.service = None, "/service"),
        (|p| p.service = Some("nothing".into()), "/service"),
        (|p| p.applicant.iin = Some("85041230012".into()), "/applicant/iin"),
        (|p| p.applicant.bin = Some("85041230012x".into()), "/applicant/bin"),
        (|p| p.format = Some("docx".into()), "/format"),
        (|p| p.format = Some("certificate".into()), "/format"),
        (|p| p.policy = Some("nothing".into()), "/policy"),
        (|p| p.policy = Some("signature".into()), "/policy"),
        (|p| p.validation_time = Some(NOW), "/validation_time"),
    ];
    for (spoil, wanted) in cases {
        let mut submission = submission("x");
        spoil(&mut submission.parameters);
        match world.service.register_request(&portal(), &submission) {
            Err(ServiceError::Invalid { field, .. }) => assert_eq!(field, wanted),
            other => panic!("{wanted}: {other:?}"),
        }
    }
    let number = world.register("request");
    let mut order = order(&number);
    order.terms.issued_to = " ".into();
    assert_eq!(code(world.service.stamp_licence(&officer(), &order, None)), "invalid-field");
    world.assert_accounted_for();
}

#[test]
fn only_an_auditor_asks_about_the_past_and_nobody_about_the_future() {
    let (_folder, world) = world();
    let mut submission = submission("x");
    submission.parameters.validation_time = Some(NOW.plus_seconds(-1));
    assert_eq!(code(world.service.verify_request(&portal(), &submission)), "forbidden");
    assert_eq!(code(world.service.verify_request(&auditor(), &submission)), "done");
    submission.parameters.validation_time = Some(NOW.plus_seconds(1));
    assert_eq!(code(world.service.verify_request(&auditor(), &submission)), "invalid-field");
}

#[test]
fn a_refused_request_is_not_registered_but_its_report_is_kept() {
    let (_folder, world) = world();
    let submission = submission("revoked");
    world.verification.condemn(&submission.document);
    let Err(ServiceError::NotAcceptable { report, .. }) = world.service.register_request(&portal(), &submission) else {
        panic!("accepted")
    };
    let report: ValidationReport = serde_json::from_slice(&report).unwrap();
    assert_eq!(report.refusal.unwrap().code, "rev-revoked");
    assert!(world.registry.report(report.id.parse().unwrap()).unwrap().is_some());
    assert!(world.registry.head().unwrap().is_none());
}

#[test]
fn a_certificate_revoked_after_registration_stops_the_stamp() {
    let (_folder, world) = world();
    let number = world.register("request");
    world.verification.condemn(&submission("request").document);
    assert_eq!(code(world.stamp(&number, None)), "request-not-acceptable");
    assert_eq!(world.signer.signed.load(Ordering::SeqCst), 0);
    world.verification.condemned.lock().unwrap().clear();
    assert_eq!(code(world.stamp(&number, None)), "done");
}

#[test]
fn a_report_or_document_that_was_altered_stops_the_stamp() {
    for alteration in [
        "UPDATE report SET json = CAST(replace(json, 'TEST', 'TSET') AS BLOB)",
        "UPDATE body SET bytes = CAST('other' AS BLOB)",
        "UPDATE report SET digest = zeroblob(32)",
    ] {
        let (_folder, world) = world();
        let number = world.register("request");
        rusqlite::Connection::open(world.registry.inner.path()).unwrap().execute(alteration, []).unwrap();
        assert_eq!(code(world.stamp(&number, None)), "store-damaged", "{alteration}");
        assert_eq!(world.signer.signed.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn the_authoritys_own_revoked_certificate_signs_nothing() {
    let (_folder, world) = world();
    let number = world.register("request");
    world.verification.condemn(b"certificate of the authority");
    assert_eq!(code(world.stamp(&number, None)), "signer-not-usable");
    assert_eq!(world.signer.signed.load(Ordering::SeqCst), 0);
    world.assert_accounted_for();
}

#[test]
fn a_signer_that_fails_leaves_a_voided_number_and_a_request_that_can_be_stamped() {
    let (_folder, world) = world();
    let number = world.register("request");
    *world.signer.failure.lock().unwrap() = Some(SignerError::Transient { cause: "the token is busy".into() });
    let error = world.stamp(&number, Some("k")).unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("not-signed", true));
    world.assert_accounted_for();
    *world.signer.failure.lock().unwrap() = None;
    let licence = world.stamp(&number, Some("k")).unwrap();
    assert!(licence.number.0.ends_with("00000002"), "{}", licence.number);
    world.assert_accounted_for();
}

#[test]
fn a_seal_that_our_own_verification_refuses_is_not_issued() {
    struct Condemns(std::sync::Arc<StandInVerification>);
    impl Verification for Condemns {
        fn policy(&self, id: &str) -> Option<tamga::verify::policy::Policy> {
            self.0.policy(id)
        }
        fn verify(&self, question: &Question<'_>) -> ValidationReport {
            if question.document.contains(&b'|') && question.policy.id == "licence" {
                self.0.condemn(question.document);
            }
            self.0.verify(question)
        }
    }
    let (_folder, mut world) = world();
    let number = world.register("request");
    world.service.verification = std::sync::Arc::new(Condemns(std::sync::Arc::clone(&world.verification)));
    assert_eq!(code(world.stamp(&number, None)), "own-output-refused");
    assert!(world.registry.licences_after(None, 1).unwrap().is_empty());
    world.assert_accounted_for();
}

#[test]
fn nothing_is_stamped_on_a_clock_that_went_back() {
    let (_folder, world) = world();
    let number = world.register("request");
    world.clock.0.store(NOW.unix() - 6, Ordering::SeqCst);
    let error = world.stamp(&number, None).unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("clock-went-back", true));
    world.clock.0.store(NOW.unix() - 5, Ordering::SeqCst);
    assert_eq!(code(world.stamp(&number, None)), "done");
}

#[test]
fn without_a_key_everything_but_stamping_works() {
    let (_folder, mut world) = world();
    world.service.signer = None;
    let number = world.register("request");
    assert_eq!(code(world.stamp(&number, None)), "not-signed");
    assert_eq!(code(world.service.request(&officer(), &number)), "done");
}

#[test]
fn a_refusal_with_reasons_is_a_document_of_its_own() {
    let (_folder, world) = world();
    let number = world.register("request");
    let mut order = order(&number);
    order.terms.reasons = Some(tamga::licensing::Bilingual::new("себеп", "причина"));
    let refusal = world.service.stamp_licence(&officer(), &order, None).unwrap();
    assert_eq!(refusal.kind, DocumentKind::ReasonedRefusal);
    assert_eq!(world.service.request(&officer(), &number).unwrap().record.state, RequestState::Refused);
    let suspend =
        world.service.change_state(&officer(), &refusal.number, LicenceAction::Suspend, StateOrder::default());
    assert_eq!(code(suspend), "kind-not-allowed");
}

#[test]
fn a_duplicate_seals_the_same_content_and_says_so() {
    let (_folder, world) = world();
    let licence = world.stamp(&world.register("request"), None).unwrap();
    let duplicated = world.service.duplicate(&officer(), &licence.number, None).unwrap();
    let content = |kind| -> Licence {
        let sealed = sealed(&world, &licence.number, Some(kind));
        serde_json::from_slice(sealed.split(|byte| *byte == b'|').next().unwrap()).unwrap()
    };
    let (original, duplicate) = (content(DocumentKind::Licence), content(DocumentKind::Duplicate));
    let note = duplicate.duplicate.clone().unwrap();
    assert_eq!((note.kind, note.document), (DocumentKind::Licence, duplicated.documents[0].digest));
    assert_eq!(duplicate, original.duplicate(note));
    // A second duplicate is one of the original too.
    let second = world.service.duplicate(&officer(), &licence.number, None).unwrap();
    assert_eq!(second.documents.len(), 3);
    world.assert_accounted_for();
}

#[test]
fn a_reissue_takes_the_place_of_the_old_licence() {
    let (_folder, world) = world();
    let old = world.stamp(&world.register("request"), None).unwrap();
    let request = world.register("for the reissue");
    let new = world.service.reissue(&officer(), &old.number, &order(&request), None).unwrap();
    assert_eq!((new.kind, new.replaces.as_ref()), (DocumentKind::ReissuedLicence, Some(&old.number)));
    assert_eq!(world.service.licence(&officer(), &old.number).unwrap().record.state, LicenceState::Reissued);
    let another = world.register("once more");
    assert_eq!(code(world.service.reissue(&officer(), &old.number, &order(&another), None)), "state-not-allowed");
    world.assert_accounted_for();
}

#[test]
fn the_same_key_for_another_call_is_a_conflict() {
    let (_folder, world) = world();
    let first = world.stamp(&world.register("request"), Some("k")).unwrap();
    let request = world.register("other");
    let key = idempotency("k");
    assert_eq!(code(world.service.duplicate(&officer(), &first.number, Some(&key))), "idempotency-key-reused");
    assert_eq!(
        code(world.service.reissue(&officer(), &first.number, &order(&request), Some(&key))),
        "idempotency-key-reused"
    );
    let other_body = Idempotency { body: b"another body"[..].into(), ..key };
    assert_eq!(
        code(world.service.stamp_licence(&officer(), &order(&request), Some(&other_body))),
        "idempotency-key-reused"
    );
    let other_officer = Caller { id: "token-officer-2".into(), ..officer() };
    let key = idempotency("k");
    assert_eq!(code(world.service.stamp_licence(&other_officer, &order(&request), Some(&key))), "done");
}

#[test]
fn many_calls_at_once_with_one_key_stamp_once() {
    let (_folder, world) = world();
    let number = world.register("request");
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..32).map(|_| scope.spawn(|| world.stamp(&number, Some("k")))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(world.signer.signed.load(Ordering::SeqCst), 2, "once for each container");
    for outcome in outcomes {
        match outcome {
            Ok(licence) => assert!(licence.number.0.ends_with("00000001")),
            Err(ServiceError::Conflict(Conflict::KeyUnderWay)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(code(world.stamp(&number, Some("k"))), "done");
    assert_eq!(world.signer.signed.load(Ordering::SeqCst), 2, "once for each container");
    world.assert_accounted_for();
}

#[test]
fn what_the_registry_says_of_a_presented_licence() {
    let (_folder, world) = world();
    let licence = world.stamp(&world.register("request"), None).unwrap();
    let sealed = sealed(&world, &licence.number, None);
    let finding = |document: &[u8]| world.service.verify_licence(document).unwrap().registry;
    assert!(matches!(finding(&sealed), RegistryFinding::Issued { in_force: true, .. }));
    let xml = sealed_in(&world, &licence.number, None, Container::Xml);
    assert_ne!(xml, sealed);
    assert!(matches!(finding(&xml), RegistryFinding::Issued { in_force: true, .. }));
    let rewrapped = [&xml[..], b" and more"].concat();
    assert!(matches!(finding(&rewrapped), RegistryFinding::Rewrapped { .. }));
    let suspend =
        world.service.change_state(&officer(), &licence.number, LicenceAction::Suspend, StateOrder::default());
    assert_eq!(suspend.unwrap().record.state, LicenceState::Suspended);
    assert!(matches!(finding(&sealed), RegistryFinding::Issued { in_force: false, .. }));
    assert_eq!(finding(b"anything"), RegistryFinding::NotALicence {});

    let content: &[u8] = sealed.split(|byte| *byte == b'|').next().unwrap();
    let signed_by_anyone = |content: &[u8]| [content, b"|by anyone"].concat();
    assert!(matches!(finding(&signed_by_anyone(content)), RegistryFinding::Rewrapped { in_force: false, .. }));
    let forged = |from: &str, to: &str| {
        let text = String::from_utf8(content.to_vec()).unwrap();
        assert!(text.contains(from));
        signed_by_anyone(text.replace(from, to).as_bytes())
    };
    let richer = forged("Астана\"", "Алматы\"");
    assert!(matches!(finding(&richer), RegistryFinding::OtherContent { .. }));
    let invented = forged(&licence.number.0, "KZ18LAA00032760");
    assert!(matches!(finding(&invented), RegistryFinding::NumberUnknown { .. }));
    for forged in [richer, invented] {
        let found = world.service.verify_licence(&forged).unwrap();
        assert_eq!((found.verified.decision, found.decision()), (Decision::Accepted, Decision::Refused));
    }
}

#[test]
fn a_reissue_with_reasons_is_refused_before_a_number_is_taken() {
    let (_folder, world) = world();
    let old = world.stamp(&world.register("request"), None).unwrap();
    let mut order = order(&world.register("for the reissue"));
    order.terms.reasons = Some(tamga::licensing::Bilingual::new("себеп", "причина"));
    assert_eq!(code(world.service.reissue(&officer(), &old.number, &order, None)), "invalid-field");
    world.assert_accounted_for();
}

fn walk(after: Option<LicenceNumber>) -> AuditOrder {
    AuditOrder { after, jobs: 2, renew_before: Some(NOW.plus_seconds(2000)), ..AuditOrder::default() }
}

#[test]
fn an_audit_goes_through_everything_and_can_be_taken_up_again() {
    let (_folder, world) = world();
    let numbers: Vec<LicenceNumber> =
        (0..40).map(|n| world.stamp(&world.register(&n.to_string()), None).unwrap().number).collect();
    world.service.duplicate(&officer(), &numbers[3], None).unwrap();
    let suspend = world.service.change_state(&officer(), &numbers[4], LicenceAction::Suspend, StateOrder::default());
    assert_eq!(code(suspend), "done");
    let mut lines = Vec::new();
    let summary = world.service.audit(&auditor(), walk(None), &mut |line, _| {
        lines.push(serde_json::to_string(line).unwrap());
        std::ops::ControlFlow::Continue(())
    });
    let summary = summary.unwrap();
    assert_eq!((summary.licences, summary.documents, summary.with_findings), (40, 41, 0), "{lines:#?}");
    assert_eq!(summary.journal_break, None);
    assert_eq!((summary.unsound, summary.to_renew, summary.by_decision["accepted"]), (0, 40, 82));
    assert_eq!(lines.len(), 40);
    assert!(lines.iter().zip(&numbers).all(|(line, number)| line.contains(&number.0)));

    let mut seen = Vec::new();
    let stopped = world.service.audit(&auditor(), walk(None), &mut |line, _| {
        seen.push(line.number.clone());
        if seen.len() == 7 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    });
    assert_eq!(stopped.unwrap().licences, 7);
    world
        .service
        .audit(&auditor(), walk(seen.last().cloned()), &mut |line, _| {
            seen.push(line.number.clone());
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, numbers);
    assert_eq!(
        code(world.service.audit(&portal(), walk(None), &mut |_, _| std::ops::ControlFlow::Continue(()))),
        "forbidden"
    );
}

#[test]
fn an_audit_finds_what_was_altered() {
    let alterations: [(&str, &str); 11] = [
        ("UPDATE licence SET state = 'resumed' WHERE seq = 2", "state-differs"),
        ("UPDATE licence SET iin = '900101300017' WHERE seq = 2", "record-differs"),
        ("UPDATE licence SET valid_until = '2099-01-01' WHERE seq = 2", "record-differs"),
        (
            "UPDATE body SET bytes = CAST('x' AS BLOB) WHERE id = (SELECT body FROM document WHERE licence = 2)",
            "damaged",
        ),
        (
            "UPDATE body SET bytes = CAST('x' AS BLOB) WHERE id = (SELECT body FROM document_form WHERE document = 2)",
            "damaged",
        ),
        (
            "UPDATE document_form SET body = (SELECT body FROM document_form WHERE document = 1) WHERE document = 2",
            "not-in-journal",
        ),
        ("UPDATE document_form SET content = zeroblob(32) WHERE document = 2", "record-differs"),
        ("DELETE FROM document_form WHERE document = 2", "not-in-journal"),
        (
            "UPDATE document SET body = (SELECT body FROM document WHERE licence = 1) WHERE licence = 2",
            "not-in-journal",
        ),
        ("UPDATE request SET document = 1 WHERE seq = 2", "request-differs"),
        ("DELETE FROM journal WHERE leaf LIKE '%stamped%' AND position > 5", "not-in-journal"),
    ];
    for (alteration, wanted) in alterations {
        let (_folder, world) = world();
        (0..3).for_each(|n| drop(world.stamp(&world.register(&n.to_string()), None).unwrap()));
        let raw = rusqlite::Connection::open(world.registry.inner.path()).unwrap();
        assert!(raw.execute(alteration, []).unwrap() > 0);
        let mut found = Vec::new();
        let summary = world.service.audit(&auditor(), walk(None), &mut |line, _| {
            found.push(line.clone());
            std::ops::ControlFlow::Continue(())
        });
        let second = serde_json::to_string(&found[1]).unwrap();
        assert!(second.contains(wanted), "{alteration}: {second}");
        assert!(found[0].findings.is_empty(), "{alteration}: {:?}", found[0]);
        assert!(summary.unwrap().with_findings > 0);
    }
}

#[test]
fn an_audit_names_a_seal_that_does_not_verify_any_more() {
    for container in Container::ALL {
        let (_folder, world) = world();
        let licence = world.stamp(&world.register("request"), None).unwrap();
        world.verification.condemn(&sealed_in(&world, &licence.number, None, container));
        let mut lines = Vec::new();
        let summary = world.service.audit(&auditor(), walk(None), &mut |line, _| {
            lines.push(line.clone());
            std::ops::ControlFlow::Continue(())
        });
        assert_eq!(summary.unwrap().by_code.get("rev-revoked"), Some(&1));
        let refused: Vec<Container> =
            lines[0].documents.iter().filter(|found| found.refusal.is_some()).map(|found| found.container).collect();
        assert_eq!(refused, [container]);
        assert!(!lines[0].is_sound());
    }
}
