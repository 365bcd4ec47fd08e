//! Extending documents and stamping digests over HTTP.

use crate::harness::{Answer, Service, app, signed_request, signed_request_in, token};
use base64::Engine as _;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::{net::SocketAddr, sync::Arc};
use tamga::app::App;
use tamga::config::{Config, DataFolder, Http, Timestamps, Tsa};
use tamga::crypto::{Digest, DigestAlgorithm};
use tamga::pki::timestamp::{FailureInfo, TimeStampReq, TimeStampResp};
use tamga::port::token::Role;
use tamga::service::extension::Level;
use tamga::{demonstration::Holder, http, telemetry};

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
    let refused = ask(vec![0; 300_000], query).await.status().as_u16();
    assert_eq!(refused, 413);
    // The authority's certificate is one of its own, not the seal's.
    let demonstration = app().0.demonstration.as_ref().unwrap();
    assert_ne!(demonstration.timestamp_authority.key.spki(), demonstration.seal.key.spki());
}

/// One order for a licence at an installation of its own.
async fn stamped_by(timestamps: Timestamps, tsa: bool) -> (Answer, http::Server, App) {
    let listen = Http { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Http::default() };
    let app = tokio::task::spawn_blocking(move || {
        let data = DataFolder(tempfile::tempdir().unwrap().keep());
        let mut config = Config { data, timestamps, tsa: Tsa { enabled: tsa, ..Tsa::default() }, ..Config::default() };
        config.revocation.private_addresses = tamga::adapter::fetch::PrivateAddresses::Allow;
        App::build(&config).unwrap()
    });
    let app = app.await.unwrap();
    let demonstration = app.demonstration.as_ref().unwrap();
    let tokens = app.demonstration_tokens(demonstration).unwrap();
    let token = |wanted: Role| tokens.iter().find(|(role, _)| *role == wanted).unwrap().1.expose_secret().to_owned();
    let parts = http::Parts {
        use_cases: Arc::clone(&app.service),
        tokens: Arc::clone(&app.tokens) as _,
        readiness: Arc::clone(&app.readiness) as _,
        metrics: telemetry::metrics().unwrap(),
    };
    let server = http::start(&listen, http::router(parts, &listen).unwrap()).await.unwrap();
    let client = reqwest::Client::new();
    let url = |path: &str| format!("http://{}{path}", server.address());
    let body = json!({
        "document": base64(&signed_request_in(demonstration, Holder::IIN)), "applicant": {"iin": Holder::IIN},
        "service": "agency-pipelines",
    });
    let registered = client.post(url("/v1/requests")).bearer_auth(token(Role::Portal)).json(&body);
    let registered = Answer::of(registered).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    let order = json!({"request": registered.body["number"], "issued_to": "ТОО «Пример»"});
    let stamp = client.post(url("/v1/licences")).bearer_auth(token(Role::Officer)).json(&order);
    let answer = Answer::of(stamp.header("idempotency-key", "one")).await;
    (answer, server, app)
}

#[tokio::test(flavor = "multi_thread")]
async fn licences_are_stamped_at_the_level_of_the_installation() {
    for (level, name) in [(Level::T, "T"), (Level::Lta, "LTA")] {
        let (answer, server, app) = stamped_by(Timestamps { level, ..Timestamps::default() }, true).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let digest = answer.body["documents"][0]["digest"].as_str().unwrap().parse().unwrap();
        let registry = Arc::clone(&app.service.registry);
        let document = tokio::task::spawn_blocking(move || registry.document(&digest)).await.unwrap().unwrap().unwrap();
        let body = json!({"document": base64(&document)});
        let url = format!("http://{}/v1/licence-verifications", server.address());
        let answer = Answer::of(reqwest::Client::new().post(url).json(&body)).await;
        assert_eq!(answer.body["decision"], "accepted", "{}", answer.body);
        assert_eq!(answer.body["verification"]["signatures"][0]["level"], name);
    }
}

/// Nothing is issued without the time-stamp that the installation asks for; the number is voided.
#[tokio::test(flavor = "multi_thread")]
async fn no_licence_without_its_time_stamp() {
    // Nobody listens on the discard port.
    let urls = vec!["http://127.0.0.1:9/".to_owned()];
    let timestamps = Timestamps { urls, level: Level::T, attempts: 1, ..Timestamps::default() };
    let (answer, _server, app) = stamped_by(timestamps, false).await;
    assert_eq!((answer.status, answer.problem()), (503, "not-extended"));
    assert!(answer.headers.contains_key("retry-after"));
    let registry = Arc::clone(&app.service.registry);
    assert!(tokio::task::spawn_blocking(move || registry.unfinished()).await.unwrap().unwrap().is_empty());
}
