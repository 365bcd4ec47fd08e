//! Who may call what: the contract's table, asked call by call.

use crate::harness::{Answer, Service, app, token};
use Role::{Admin, Auditor, Officer, Portal};
use secrecy::ExposeSecret as _;
use std::collections::BTreeSet;
use tamga::{
    adapter::clock::SystemClock,
    app::new_token,
    port::{
        Clock as _,
        token::{Role, TokenStore as _},
    },
};

/// The contract's table (§2). An empty list is anyone.
const CALLS: &[(&str, &str, &[Role])] = &[
    ("POST", "/v1/verifications", &[Portal, Auditor]),
    ("POST", "/v1/verifications/batch", &[Portal, Auditor]),
    ("GET", "/v1/verifications/{id}", &[Portal, Auditor]),
    ("POST", "/v1/requests", &[Portal]),
    ("GET", "/v1/requests/{number}", &[Portal, Officer]),
    ("POST", "/v1/licences", &[Officer]),
    ("GET", "/v1/licences/{number}", &[Officer, Auditor]),
    ("GET", "/v1/licences/{number}/document", &[Officer, Auditor]),
    ("GET", "/v1/licences/{number}/proof", &[Officer, Auditor]),
    ("POST", "/v1/licences/{number}/reissue", &[Officer]),
    ("POST", "/v1/licences/{number}/duplicate", &[Officer]),
    ("POST", "/v1/licences/{number}/suspend", &[Officer]),
    ("POST", "/v1/licences/{number}/resume", &[Officer]),
    ("POST", "/v1/licences/{number}/terminate", &[Officer]),
    ("POST", "/v1/licence-verifications", &[]),
    ("GET", "/log/checkpoint", &[]),
    ("GET", "/log/tile/{tile}", &[]),
    ("POST", "/v1/extensions", &[Portal, Officer, Auditor]),
    ("POST", "/tsa", &[]),
    ("GET", "/healthz", &[]),
    ("GET", "/readyz", &[]),
    ("GET", "/metrics", &[]),
    ("GET", "/openapi.json", &[]),
    ("GET", "/docs", &[]),
];

async fn call(service: &Service, method: &str, path: &str, token: Option<&str>) -> Answer {
    let path = path.replace("{id}", "01a206fe-172c-714c-8d6d-80998f8967a8").replace("{number}", "KZ00NONE");
    let mut request = reqwest::Client::new().request(method.parse().unwrap(), service.url(&path));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    Answer::of(request).await
}

#[tokio::test]
async fn every_call_lets_in_exactly_its_roles() {
    let service = Service::start().await;
    for (method, path, roles) in CALLS {
        let nobody = call(&service, method, path, None).await;
        if roles.is_empty() {
            assert!(![401, 403].contains(&nobody.status), "{method} {path}: {}", nobody.status);
            continue;
        }
        assert_eq!((nobody.status, nobody.problem()), (401, "unauthenticated"), "{method} {path}");
        assert!(nobody.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        for role in [Portal, Officer, Auditor, Admin] {
            let answer = call(&service, method, path, Some(token(role))).await;
            if roles.contains(&role) {
                assert!(![401, 403].contains(&answer.status), "{method} {path} as {role}: {}", answer.status);
            } else {
                assert_eq!((answer.status, answer.problem()), (403, "forbidden"), "{method} {path} as {role}");
            }
        }
    }
}

/// A route that is added and forgotten here makes this test fail.
#[tokio::test]
async fn the_description_and_this_table_name_the_same_calls() {
    let service = Service::start().await;
    let description = Answer::of(reqwest::Client::new().get(service.url("/openapi.json"))).await.body;
    let mut described = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let secured = operation["security"].as_array().is_some_and(|rules| !rules.is_empty());
            let open = CALLS.iter().any(|(m, p, roles)| p == path && m.to_lowercase() == *method && roles.is_empty());
            assert_eq!(secured, !open, "{method} {path}");
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let listed: BTreeSet<_> =
        CALLS.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(described, listed);
}

#[tokio::test]
async fn a_revoked_or_expired_token_opens_nothing() {
    let service = Service::start().await;
    let (app, _) = app();
    let now = SystemClock.now();
    let path = "/v1/licences/KZ00NONE";
    let expired = new_token(app.tokens.as_ref(), "t", Auditor, now.plus_seconds(-10), now.plus_seconds(-5)).unwrap();
    assert_eq!(call(&service, "GET", path, Some(expired.expose_secret())).await.status, 401);
    let good = new_token(app.tokens.as_ref(), "t", Auditor, now.plus_seconds(-10), now.plus_seconds(600)).unwrap();
    assert_eq!(call(&service, "GET", path, Some(good.expose_secret())).await.status, 404);
    let id = good.expose_secret().split('_').nth(1).unwrap();
    assert!(app.tokens.revoke(id, now).unwrap());
    assert_eq!(call(&service, "GET", path, Some(good.expose_secret())).await.status, 401);
}

#[tokio::test]
async fn a_portal_sees_its_own_reports_alone() {
    let service = Service::start().await;
    let client = reqwest::Client::new();
    let body = serde_json::json!({"document": "AAAA"});
    let report = Answer::of(client.post(service.url("/v1/verifications")).bearer_auth(token(Portal)).json(&body)).await;
    assert_eq!(report.status, 200);
    let url = service.url(&format!("/v1/verifications/{}", report.body["id"].as_str().unwrap()));
    let again = Answer::of(client.get(&url).bearer_auth(token(Portal))).await;
    assert_eq!((again.status, &again.body), (200, &report.body));
    assert_eq!(Answer::of(client.get(&url).bearer_auth(token(Auditor))).await.status, 200);
    let now = SystemClock.now();
    let other = new_token(app().0.tokens.as_ref(), "other", Portal, now, now.plus_seconds(600)).unwrap();
    assert_eq!(Answer::of(client.get(&url).bearer_auth(other.expose_secret())).await.status, 404);
}
