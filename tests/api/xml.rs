//! XML over HTTP: raw, in JSON and in multipart; messages with WS-Security; the service's own rules.

use crate::harness::{Answer, Service, app, message, new_form, sign_form, token};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tamga::{demonstration::Holder, port::token::Role};

/// One document in every form that a call can carry it.
async fn in_every_form(service: &Service, document: &[u8]) -> Vec<(&'static str, Answer)> {
    let client = reqwest::Client::new();
    let url = service.url("/v1/verifications");
    let query = format!("{url}?iin={}&service=agency-pipelines", Holder::IIN);
    let parameters = json!({"applicant": {"iin": Holder::IIN}, "service": "agency-pipelines"});
    let post = |url: &str| client.post(url).bearer_auth(token(Role::Auditor));
    let mut answers = Vec::new();
    for media_type in ["application/xml", "text/xml", "application/soap+xml; charset=utf-8"] {
        let raw = post(&query).header("content-type", media_type).body(document.to_vec());
        answers.push((media_type, Answer::of(raw).await));
    }
    let mut body = parameters.clone();
    body["document"] = STANDARD.encode(document).into();
    answers.push(("JSON", Answer::of(post(&url).json(&body)).await));
    let form = [
        &b"--boundary\r\ncontent-disposition: form-data; name=\"document\"; filename=\"form.xml\"\r\n\r\n"[..],
        document,
        b"\r\n--boundary\r\ncontent-disposition: form-data; name=\"parameters\"\r\n\r\n",
        parameters.to_string().as_bytes(),
        b"\r\n--boundary--\r\n",
    ]
    .concat();
    let form = post(&url).header("content-type", "multipart/form-data; boundary=boundary").body(form);
    answers.push(("multipart", Answer::of(form).await));
    answers
}

fn code(answer: &Answer) -> &str {
    answer.body["refusal"]["code"].as_str().unwrap_or("accepted")
}

#[tokio::test]
async fn a_portals_form_in_every_form_of_a_call() {
    let service = Service::start().await;
    let form = sign_form(&new_form(Holder::IIN));
    for (name, answer) in in_every_form(&service, &form).await {
        assert_eq!((answer.status, &answer.body["decision"]), (200, &json!("accepted")), "{name}: {}", answer.body);
        assert_eq!(answer.body["document"]["format"], "xmldsig", "{name}");
        assert_eq!(answer.body["signatures"][0]["scope"]["whole_document"], true, "{name}");
        let checks = answer.body["signatures"][0]["checks"].as_array().unwrap();
        let identity = checks.iter().find(|check| check["id"] == "identity-content").unwrap();
        assert_eq!(identity["outcome"], "passed", "{name}: the IIN is read out of what was signed");
    }
}

#[tokio::test]
async fn bad_xml_is_a_report_with_its_code_in_every_form_of_a_call() {
    let service = Service::start().await;
    let signed = String::from_utf8(sign_form(&new_form(Holder::IIN))).unwrap();
    let other_iin = String::from_utf8(sign_form(&new_form("900101300017"))).unwrap();
    let deep = format!("<a>{}{}</a>", "<b>".repeat(200), "</b>".repeat(200));
    for (name, document, wanted) in [
        ("an altered form", signed.replace(Holder::IIN, "900101300017"), "cv-digest-mismatch"),
        ("another applicant in the form", other_iin, "id-content-mismatch"),
        ("no signature", new_form(Holder::IIN), "fc-no-signature"),
        ("a document type", signed.replacen("<request>", "<!DOCTYPE request><request>", 1), "fc-malformed"),
        ("half a document", signed[..signed.len() / 2].to_owned(), "fc-malformed"),
        ("depth", deep, "fc-limit-exceeded"),
        ("not UTF-8", String::from("<?xml version=\"1.0\" encoding=\"utf-7\"?><a/>"), "fc-malformed"),
        ("a lone bracket", "<".to_owned(), "fc-malformed"),
        ("a new root", format!("<request>{signed}</request>"), "fc-not-covered|cv-digest-mismatch|fc-malformed"),
    ] {
        for (form, answer) in in_every_form(&service, document.as_bytes()).await {
            assert_eq!((answer.status, &answer.body["decision"]), (200, &json!("refused")), "{name}, {form}");
            assert!(wanted.split('|').any(|wanted| wanted == code(&answer)), "{name}, {form}: {}", code(&answer));
        }
    }
    for (form, answer) in in_every_form(&service, b"").await {
        assert_eq!((answer.status, code(&answer)), (200, "fc-malformed"), "{form}");
    }
}

/// A message that says how long it is fresh is taken once; a wrapping of it is the same message.
#[tokio::test]
async fn a_message_is_taken_once_in_its_window() {
    let service = Service::start().await;
    let client = reqwest::Client::new();
    let send = |role: Role, document: String| {
        let call = client.post(service.url("/v1/verifications")).bearer_auth(token(role));
        Answer::of(call.json(&json!({"document": STANDARD.encode(document), "policy": "signature"})))
    };
    let first = message(Some(240));
    // An auditor looks and takes nothing.
    assert_eq!(code(&send(Role::Auditor, first.clone()).await), "accepted");
    let broken = first.replace("<form>", "<form> ");
    assert_eq!(code(&send(Role::Portal, broken).await), "cv-digest-mismatch", "a broken copy takes nothing");
    let answer = send(Role::Portal, first.clone()).await;
    assert_eq!(code(&answer), "accepted", "{}", answer.body);
    assert_eq!(answer.body["document"]["format"], "wsse");
    for again in [first.clone(), first.replace("<s:Header>", "<s:Header>\n <!-- again -->")] {
        let answer = send(Role::Portal, again).await;
        assert_eq!((answer.status, code(&answer)), (200, "sav-message-replayed"));
        assert_eq!((&answer.body["decision"], &answer.body["retryable"]), (&json!("refused"), &json!(false)));
        assert_eq!(answer.body["signatures"][0]["decision"], "refused");
        let checks = answer.body["signatures"][0]["checks"].as_array().unwrap();
        assert_eq!(checks.iter().find(|check| check["id"] == "not-seen-before").unwrap()["outcome"], "failed");
    }
    assert_eq!(code(&send(Role::Auditor, first).await), "accepted");
    assert_eq!(code(&send(Role::Portal, message(Some(240))).await), "accepted", "another message");
    assert_eq!(code(&send(Role::Portal, message(Some(-1))).await), "sav-message-expired");
    // Without a Timestamp there is no window.
    let timeless = message(None);
    for _ in 0..2 {
        assert_eq!(code(&send(Role::Portal, timeless.clone()).await), "accepted");
    }
}

#[tokio::test]
async fn of_many_equal_messages_at_once_one_is_taken() {
    let service = Service::start().await;
    let client = reqwest::Client::new();
    let body = json!({"document": STANDARD.encode(message(Some(240))), "policy": "signature"});
    let calls = (0..16).map(|_| {
        let call = client.post(service.url("/v1/verifications")).bearer_auth(token(Role::Portal)).json(&body);
        tokio::spawn(Answer::of(call))
    });
    let mut accepted = 0;
    for call in calls.collect::<Vec<_>>() {
        match code(&call.await.unwrap()) {
            "accepted" => accepted += 1,
            other => assert_eq!(other, "sav-message-replayed"),
        }
    }
    assert_eq!(accepted, 1);
}

/// White space around a signature, or in its base64, makes no new request of an old one (attack 39).
#[tokio::test]
async fn an_xml_request_is_registered_once_whatever_its_unsigned_parts_say() {
    let service = Service::start().await;
    let client = reqwest::Client::new();
    let signed = String::from_utf8(sign_form(&new_form(Holder::IIN))).unwrap();
    let register = |document: String| {
        let body: Value = json!({
            "document": STANDARD.encode(document), "applicant": {"iin": Holder::IIN}, "service": "agency-pipelines",
        });
        Answer::of(client.post(service.url("/v1/requests")).bearer_auth(token(Role::Portal)).json(&body))
    };
    let first = register(signed.clone()).await;
    assert_eq!(first.status, 201, "{}", first.body);
    for again in [
        signed.clone(),
        format!("{signed}\n<!-- again -->"),
        signed.replace("<ds:X509Certificate>", "<ds:X509Certificate>\n"),
        signed.replace("<ds:SignatureValue>", "<ds:SignatureValue> "),
    ] {
        let answer = register(again).await;
        assert_eq!((answer.status, &answer.body["number"]), (200, &first.body["number"]), "{}", answer.body);
    }
    let stamped = json!({"request": first.body["number"], "issued_to": "ТОО «Пример»"});
    let key = uuid::Uuid::now_v7().to_string();
    let call =
        client.post(service.url("/v1/licences")).bearer_auth(token(Role::Officer)).header("idempotency-key", key);
    let answer = Answer::of(call.json(&stamped)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.body["documents"][0]["forms"][0]["container"], "xml");
    assert!(app().0.demonstration.is_some());
}
