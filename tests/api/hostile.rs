//! Wrong input in every field and part of every call: a problem with a code, or a report; never a 500.

use crate::harness::{Answer, Service, signed_request, token};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::{
    prelude::{Strategy as _, any},
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use serde_json::{Value, json};
use tamga::{demonstration::Holder, port::token::Role};

/// What no field of any call wants.
fn wrong_values() -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1e308),
        json!([]),
        json!({}),
        json!([[]]),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("\u{202e}"),
        json!("'; DROP TABLE request; --"),
        json!("../../etc/passwd"),
        json!("%s%n"),
        json!("{{7*7}}"),
        json!("850412300123"),
        json!("８５０４１２３００１２３"),
        json!("2026-13-45T99:99:99Z"),
        json!("9999-12-31T23:59:59Z"),
        json!("-1"),
        json!("1970-01-01T00:00:00Z"),
        json!("💥"),
        json!("\u{fffd}"),
    ];
    values.push(json!("A".repeat(50_000)));
    values
}

/// The call was answered by a report, a record, or a problem with a code that blames the caller.
fn assert_sane(answer: &Answer, what: &str) {
    match answer.status {
        200 | 201 => assert!(answer.body.is_object(), "{what}"),
        400..=499 => assert!(!answer.problem().is_empty(), "{what}"),
        other => panic!("{other} for {what}: {}", answer.body),
    }
}

#[tokio::test]
async fn wrong_values_in_every_field() {
    let service = Service::start().await;
    let client = reqwest::Client::new();
    let document = STANDARD.encode(signed_request(Holder::IIN));
    let submission = json!({
        "document": document, "content": null, "format": "cms", "applicant": {"iin": Holder::IIN, "bin": null},
        "service": "agency-pipelines", "policy": "request", "validation_time": null,
    });
    let order = json!({
        "request": "2026-99999999", "issued_to": "ТОО", "activity": {"kk": "а", "ru": "б"}, "valid_until": "2027-01-01",
        "annexes": [{"number": "001", "activity": {"kk": "а", "ru": "б"}}], "reasons": null, "head": "А. Б.", "city": null,
    });
    let calls: [(&str, Role, Value); 7] = [
        ("/v1/verifications", Role::Auditor, submission.clone()),
        ("/v1/requests", Role::Portal, submission),
        ("/v1/licences", Role::Officer, order.clone()),
        ("/v1/licences/KZ00NONE/reissue", Role::Officer, order),
        ("/v1/licences/KZ00NONE/suspend", Role::Officer, json!({"reason": "x"})),
        ("/v1/licences/KZ00NONE/terminate", Role::Officer, json!({"reason": null})),
        ("/v1/licence-verifications", Role::Portal, json!({"document": document})),
    ];
    for (path, role, good) in calls {
        let send = |body: &Value| {
            let request = client.post(service.url(path)).bearer_auth(token(role)).header("idempotency-key", "hostile");
            Answer::of(request.json(body))
        };
        let fields: Vec<String> = good.as_object().unwrap().keys().cloned().collect();
        for field in &fields {
            for wrong in wrong_values() {
                let mut body = good.clone();
                body[field] = wrong.clone();
                let answer = send(&body).await;
                if answer.status == 429 {
                    break;
                }
                assert_sane(
                    &answer,
                    &format!("{path} {field} {}", wrong.to_string().chars().take(60).collect::<String>()),
                );
            }
            let mut without = good.clone();
            without.as_object_mut().unwrap().remove(field);
            assert_sane(&send(&without).await, &format!("{path} without {field}"));
        }
        let mut more = good.clone();
        more["unknown"] = json!(1);
        let answer = send(&more).await;
        assert!(answer.status == 400 || answer.status == 429, "{path}: an unknown field gives {}", answer.status);
    }
}

#[tokio::test]
async fn wrong_bodies_media_types_paths_and_headers() {
    let service = Service::start().await;
    let client = reqwest::Client::new();
    let verifications = || client.post(service.url("/v1/verifications")).bearer_auth(token(Role::Auditor));
    let json = |body: &'static str| verifications().header("content-type", "application/json").body(body);
    let deep: &'static str = Box::leak("[".repeat(100_000).into_boxed_str());
    for (body, code) in [
        ("", "invalid-request"),
        ("null", "invalid-request"),
        ("{", "invalid-request"),
        ("{\"document\":\"AAAA\",\"document\":\"AAAA\"}", "invalid-request"),
        ("{\"document\":\"AAAA\"}{}", "invalid-request"),
        ("{\"document\":\"AA=A\"}", "invalid-request"),
        ("{\"document\":\"AAAA\",\"applicant\":{\"iin\":\"123\"}}", "invalid-parameter"),
        (deep, "invalid-request"),
    ] {
        let answer = Answer::of(json(body)).await;
        assert_eq!((answer.status, answer.problem()), (400, code), "{}", &body[..body.len().min(80)]);
    }
    for media_type in [
        "text/plain",
        "application/jose",
        "multipart/form-data",
        "application/json, text/plain",
        ";",
        "application/JSON/x",
    ] {
        let answer = Answer::of(verifications().header("content-type", media_type).body("{}")).await;
        assert!([400, 415].contains(&answer.status), "{media_type}: {}", answer.status);
        answer.problem();
    }
    let answer = Answer::of(verifications().body("{}")).await;
    assert_eq!((answer.status, answer.problem()), (415, "unsupported-media-type"));
    let answer = Answer::of(json("{\"document\":\"AAAA\"}").header("accept", "image/png")).await;
    assert_eq!((answer.status, answer.problem()), (406, "not-acceptable"));
    for query in ["?iin=850412300123", "?x", "?document=AAAA"] {
        let url = service.url(&format!("/v1/verifications{query}"));
        let answer = Answer::of(
            client.post(url).bearer_auth(token(Role::Auditor)).json(&serde_json::json!({"document": "AAAA"})),
        )
        .await;
        assert_eq!(answer.status, 400, "{query}");
    }
    for query in [
        "?iin=1",
        "?iin=850412300125&iin=850412300125",
        "?unknown=1",
        "?format=exe",
        "?validation_time=soon",
        "?iin=%00",
    ] {
        let url = service.url(&format!("/v1/verifications{query}"));
        let request = client
            .post(url)
            .bearer_auth(token(Role::Auditor))
            .header("content-type", "application/pkcs7-mime")
            .body("x");
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 400, "{query}");
        answer.problem();
    }
    for path in [
        "/v1/licences/%ff",
        "/v1/licences/%00",
        "/v1/licences/..%2f..",
        "/v1/requests/%F0%9F%92%A5",
        "/v1/verifications/1",
        &format!("/v1/licences/{}", "9".repeat(5000)),
    ] {
        let role = if path.contains("licences") { Role::Officer } else { Role::Portal };
        let answer = Answer::of(client.get(service.url(path)).bearer_auth(token(role))).await;
        assert!([400, 404].contains(&answer.status), "{path}: {}", answer.status);
        answer.problem();
    }
    for key in ["", "a b", &"k".repeat(129)] {
        let request =
            client.post(service.url("/v1/licences")).bearer_auth(token(Role::Officer)).header("idempotency-key", key);
        let answer = Answer::of(request.json(&serde_json::json!({"request": "1", "issued_to": "x"}))).await;
        assert_eq!((answer.status, answer.problem()), (400, "invalid-parameter"), "{key}");
    }
    let keyless =
        client.post(service.url("/v1/licences")).bearer_auth(token(Role::Officer)).json(&serde_json::json!({}));
    assert_eq!(Answer::of(keyless).await.problem(), "idempotency-key-missing");
}

/// A form as bytes: the client library's own writer is too well behaved.
fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in parts {
        body.extend_from_slice(format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--X--\r\n");
    body
}

#[tokio::test]
async fn three_forms_of_the_same_submission_give_the_same_verdict() {
    let service = Service::start().await;
    let client = reqwest::Client::new();
    let document = signed_request(Holder::IIN);
    let call =
        |query: &str| client.post(service.url(&format!("/v1/verifications{query}"))).bearer_auth(token(Role::Portal));
    let json = json!({"document": STANDARD.encode(&document), "applicant": {"iin": Holder::IIN}, "service": "agency-pipelines"});
    let parameters = json!({"applicant": {"iin": Holder::IIN}, "service": "agency-pipelines"}).to_string();
    let multipart = form(&[("document", &document), ("parameters", parameters.as_bytes())]);
    let query = format!("?iin={}&service=agency-pipelines", Holder::IIN);
    let answers = [
        Answer::of(call("").json(&json)).await,
        Answer::of(call("").header("content-type", "multipart/form-data; boundary=X").body(multipart)).await,
        Answer::of(call(&query).header("content-type", "application/pkcs7-mime").body(document.clone())).await,
    ];
    for answer in answers {
        assert_eq!((answer.status, &answer.body["decision"]), (200, &json!("accepted")), "{}", answer.body);
    }
    for parts in [
        form(&[("parameters", b"{}")]),
        form(&[("document", &document), ("document", &document)]),
        form(&[("document", &document), ("other", b"x")]),
        form(&[("document", &document), ("parameters", b"{\"document\":\"AAAA\"}")]),
        b"--X\r\nbroken".to_vec(),
        Vec::new(),
    ] {
        let answer = Answer::of(call("").header("content-type", "multipart/form-data; boundary=X").body(parts)).await;
        assert_eq!((answer.status, answer.problem()), (400, "invalid-request"));
    }
}

/// Octets of a good document changed, cut and repeated at random: a report, and never an acceptance of what was altered
/// in a signed part.
#[tokio::test]
async fn mutated_documents_are_judged() {
    const ROUNDS: usize = 200;
    let service = Service::start().await;
    let client = reqwest::Client::new();
    let document = signed_request(Holder::IIN);
    let mutation =
        (any::<proptest::sample::Index>(), any::<u8>(), 0..4u8).prop_map(|(index, octet, how)| (index, octet, how));
    let mut runner = TestRunner::deterministic();
    for _ in 0..ROUNDS {
        let (index, octet, how) = mutation.new_tree(&mut runner).unwrap().current();
        let mut mutated = document.clone();
        let at = index.index(mutated.len());
        match how {
            0 => mutated[at] ^= octet | 1,
            1 => mutated.truncate(at),
            2 => mutated.insert(at, octet),
            _ => drop(mutated.drain(at..(at + usize::from(octet)).min(document.len()))),
        }
        let url = service.url(&format!("/v1/verifications?iin={}", Holder::IIN));
        let request =
            client.post(url).bearer_auth(token(Role::Portal)).header("content-type", "application/pkcs7-mime");
        let answer = Answer::of(request.body(mutated.clone())).await;
        assert_eq!(answer.status, 200);
        let checks = answer.body["signatures"].as_array().unwrap();
        assert!(checks.iter().all(|signature| signature["checks"].as_array().unwrap().len() == 15));
    }
}
