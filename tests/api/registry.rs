//! From a request to a licence and on, as the portal and the officer see it.

use crate::harness::{Answer, Service, signed_request, token};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tamga::{demonstration::Holder, port::token::Role};

struct Office {
    service: Service,
    client: reqwest::Client,
}

impl Office {
    async fn open() -> Office {
        Office { service: Service::start().await, client: reqwest::Client::new() }
    }

    async fn post(&self, role: Role, path: &str, body: &Value, key: Option<&str>) -> Answer {
        let mut request = self.client.post(self.service.url(path)).bearer_auth(token(role)).json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        Answer::of(request).await
    }

    async fn get(&self, role: Role, path: &str) -> Answer {
        Answer::of(self.client.get(self.service.url(path)).bearer_auth(token(role))).await
    }

    async fn registered(&self) -> String {
        let body = json!({
            "document": STANDARD.encode(signed_request(Holder::IIN)), "applicant": {"iin": Holder::IIN},
            "service": "agency-pipelines",
        });
        let answer = self.post(Role::Portal, "/v1/requests", &body, None).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let number = answer.body["number"].as_str().unwrap().to_owned();
        assert_eq!(answer.headers["location"], format!("/v1/requests/{number}"));
        assert_eq!(answer.body["verification"]["decision"], "accepted");
        number
    }

    async fn stamped(&self) -> String {
        let order = json!({"request": self.registered().await, "issued_to": "ТОО «Пример»"});
        let key = uuid::Uuid::now_v7().to_string();
        let answer = self.post(Role::Officer, "/v1/licences", &order, Some(&key)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["number"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_refused_request_is_a_problem_with_the_report() {
    let office = Office::open().await;
    let body = json!({
        "document": STANDARD.encode(signed_request(Holder::IIN)), "applicant": {"iin": "900101300017"},
        "service": "agency-pipelines",
    });
    let answer = office.post(Role::Portal, "/v1/requests", &body, None).await;
    assert_eq!((answer.status, answer.problem()), (422, "request-not-acceptable"));
    assert_eq!(answer.body["refusal"]["code"], "id-applicant-mismatch");
    for language in ["kk", "ru", "en"] {
        assert!(answer.body["refusal"]["message"][language].is_string());
    }
    let id = answer.body["verification"]["id"].as_str().unwrap();
    assert_eq!(office.get(Role::Auditor, &format!("/v1/verifications/{id}")).await.status, 200);
}

#[tokio::test]
async fn the_states_of_a_licence() {
    let office = Office::open().await;
    let number = office.stamped().await;
    let path = |action: &str| format!("/v1/licences/{number}{action}");
    assert_eq!(office.get(Role::Auditor, &path("")).await.body["state"], "issued");
    let reason = json!({"reason": "проверка"});
    assert_eq!(office.post(Role::Officer, &path("/resume"), &reason, None).await.problem(), "state-not-allowed");
    for (action, state) in [("/suspend", "suspended"), ("/resume", "resumed"), ("/terminate", "terminated")] {
        let answer = office.post(Role::Officer, &path(action), &reason, None).await;
        assert_eq!((answer.status, &answer.body["state"]), (200, &json!(state)));
    }
    let answer = office.post(Role::Officer, &path("/duplicate"), &json!({}), None).await;
    assert_eq!((answer.status, answer.problem()), (409, "state-not-allowed"));
}

#[tokio::test]
async fn duplicates_and_reissues() {
    let office = Office::open().await;
    let number = office.stamped().await;
    let duplicate = office.post(Role::Officer, &format!("/v1/licences/{number}/duplicate"), &json!({}), None).await;
    assert_eq!((duplicate.status, &duplicate.body["number"]), (201, &json!(number)));
    let order = json!({"request": office.registered().await, "issued_to": "ТОО «Пример»"});
    let reissued = office.post(Role::Officer, &format!("/v1/licences/{number}/reissue"), &order, None).await;
    assert_eq!((reissued.status, &reissued.body["replaces"]), (201, &json!(number)), "{}", reissued.body);
    assert_eq!(office.get(Role::Officer, &format!("/v1/licences/{number}")).await.body["state"], "reissued");
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_one_order() {
    let office = Office::open().await;
    let order = json!({"request": office.registered().await, "issued_to": "ТОО «Пример»"});
    let key = uuid::Uuid::now_v7().to_string();
    let first = office.post(Role::Officer, "/v1/licences", &order, Some(&key)).await;
    let again = office.post(Role::Officer, "/v1/licences", &order, Some(&key)).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    let other = json!({"request": order["request"], "issued_to": "ТОО «Другой»"});
    let answer = office.post(Role::Officer, "/v1/licences", &other, Some(&key)).await;
    assert_eq!((answer.status, answer.problem()), (422, "idempotency-key-reused"));
}

#[tokio::test]
async fn accept_chooses_the_container() {
    let office = Office::open().await;
    let number = office.stamped().await;
    let url = office.service.url(&format!("/v1/licences/{number}/document"));
    let call = |accept: &'static str| {
        let call = office.client.get(&url).bearer_auth(token(Role::Auditor));
        if accept.is_empty() { call } else { call.header("accept", accept) }
    };
    const CMS: &str = "application/pkcs7-mime";
    for (accept, media_type) in [
        ("", CMS),
        ("*/*", CMS),
        (CMS, CMS),
        ("application/*", CMS),
        ("application/xml", "application/xml"),
        ("text/xml", "text/xml"),
        ("text/*", "text/xml"),
        ("application/pkcs7-mime;q=0.5, application/xml", "application/xml"),
        ("application/pkcs7-mime;q=0, */*;q=0.1", "application/xml"),
        ("application/xml;q=0.9, application/pkcs7-mime", CMS),
    ] {
        let sealed = call(accept).send().await.unwrap();
        assert_eq!(sealed.status(), 200, "{accept}");
        assert_eq!(sealed.headers()["content-type"], media_type, "{accept}");
        assert_eq!(sealed.headers()["vary"], "accept");
        let document = sealed.bytes().await.unwrap();
        assert_eq!(document[0], if media_type == CMS { 0x30 } else { b'<' }, "{accept}");
        let body = json!({"document": STANDARD.encode(&document), "policy": "licence"});
        let judged = office.post(Role::Auditor, "/v1/verifications", &body, None).await;
        assert_eq!(judged.body["decision"], "accepted", "{accept}: {}", judged.body);
        let presented = office
            .post(Role::Auditor, "/v1/licence-verifications", &json!({"document": STANDARD.encode(&document)}), None)
            .await;
        assert_eq!(presented.body["registry"]["finding"], "issued", "{accept}: {}", presented.body);
    }
    for accept in ["application/pdf", "text/html", "application/xml;q=0"] {
        assert_eq!(Answer::of(call(accept)).await.problem(), "not-acceptable", "{accept}");
    }
}

#[tokio::test]
async fn the_past_is_for_auditors() {
    let office = Office::open().await;
    let body = |time: &str| json!({"document": "AAAA", "validation_time": time});
    let past = body("2026-01-01T00:00:00Z");
    assert_eq!(office.post(Role::Portal, "/v1/verifications", &past, None).await.problem(), "forbidden");
    assert_eq!(office.post(Role::Auditor, "/v1/verifications", &past, None).await.status, 200);
    let future = office.post(Role::Auditor, "/v1/verifications", &body("2999-01-01T00:00:00Z"), None).await;
    assert_eq!((future.status, future.problem()), (400, "invalid-field"));
}
