//! Extending documents and stamping digests over HTTP.

use crate::harness::{Answer, Service, app, signed_request, token};
use base64::Engine as _;
use serde_json::json;
use tamga::crypto::{Digest, DigestAlgorithm};
use tamga::pki::timestamp::{FailureInfo, TimeStampReq, TimeStampResp};
use tamga::port::token::Role;

fn base64(octets: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(octets)
}

async fn extend(service: &Service, role: Role, body: &serde_json::Value) -> Answer {
    let request = reqwest::Client::new().post(service.url("/v1/extensions")).bearer_auth(token(role));
    Answer::of(request.json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_extended_to_every_level_and_renewed() {
    let service = Service::start().await;
    let mut document = base64(&signed_request("850412300125"));
    for (to, level, tokens) in [("t", "T", 1), ("lt", "LT", 1), ("lta", "LTA", 2), ("lta", "LTA", 3)] {
        let answer = extend(&service, Role::Portal, &json!({"document": document, "to": to})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let report = &answer.body["verification"];
        assert_eq!(report["decision"], "accepted");
        let signature = &report["signatures"][0];
        assert_eq!(signature["level"], level);
        assert_eq!(signature["timestamps"].as_array().unwrap().len(), tokens);
        assert!(signature["proven_by"].as_str().unwrap().starts_with("sha-256:"));
        assert!(signature["renew_before"].is_string());
        document = answer.body["document"].as_str().unwrap().to_owned();
    }
    // It is still the signed request that it was.
    let request = reqwest::Client::new().post(service.url("/v1/verifications")).bearer_auth(token(Role::Portal));
    let body = json!({"document": document, "applicant": {"iin": "850412300125"}});
    let answer = Answer::of(request.json(&body)).await;
    assert_eq!((answer.status, &answer.body["decision"]), (200, &json!("accepted")), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_extended_says_why() {
    let service = Service::start().await;
    let mut broken = signed_request("850412300125");
    let last = broken.len() - 1;
    broken[last] ^= 1;
    let answer = extend(&service, Role::Officer, &json!({"document": base64(&broken), "to": "t"})).await;
    assert_eq!((answer.status, answer.problem()), (422, "request-not-acceptable"));
    assert_eq!(answer.body["refusal"]["code"], "cv-signature-invalid");
    let good = base64(&signed_request("850412300125"));
    for (body, status) in [
        (json!({"document": good, "to": "b"}), 400),
        (json!({"document": good, "to": "LT"}), 400),
        (json!({"document": good}), 400),
        (json!({"to": "t"}), 400),
        (json!({"document": "%%%", "to": "t"}), 400),
        (json!({"document": good, "to": "t", "policy": "no such"}), 400),
        (json!({"document": good, "to": "t", "level": "t"}), 400),
        (json!({"document": base64(b"not signed"), "to": "t"}), 422),
    ] {
        let answer = extend(&service, Role::Auditor, &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        answer.problem();
    }
    let answer = Answer::of(reqwest::Client::new().post(service.url("/v1/extensions")).json(&json!({}))).await;
    assert_eq!((answer.status, answer.problem()), (401, "unauthenticated"));
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_are_stamped_for_anyone() {
    let service = Service::start().await;
    let ask = async |body: Vec<u8>, kind: &str| {
        let request = reqwest::Client::new().post(service.url("/tsa")).header("content-type", kind.to_owned());
        request.body(body).send().await.unwrap()
    };
    let query = "application/timestamp-query";
    let request = TimeStampReq::build(&Digest::sha256(b"x"), None, Some(&[9])).unwrap();
    let response = ask(request, query).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/timestamp-reply".parse().unwrap())
    );
    assert!(matches!(TimeStampResp::parse(&response.bytes().await.unwrap()), Ok(TimeStampResp::Granted(_))));
    let weak = TimeStampReq::build(&DigestAlgorithm::Sha1.digest(b"x"), None, None).unwrap();
    for (body, failure) in [(weak, FailureInfo::BadAlg), (b"nonsense".to_vec(), FailureInfo::BadDataFormat)] {
        let response = ask(body, query).await;
        assert_eq!(response.status(), 200);
        let answer = response.bytes().await.unwrap();
        assert_eq!(TimeStampResp::parse(&answer), Ok(TimeStampResp::Refused { status: 2, failure: Some(failure) }));
    }
    assert_eq!(ask(b"x".to_vec(), "application/octet-stream").await.status(), 415);
    let refused = ask(vec![0; 2 << 20], query).await.status().as_u16();
    assert_eq!(refused, 413);
    // The authority's certificate is one of its own, not the seal's.
    let demonstration = app().0.demonstration.as_ref().unwrap();
    assert_ne!(demonstration.timestamp_authority.key.spki(), demonstration.seal.key.spki());
}
