//! What operations look at.

use crate::harness::{Answer, Service};
use tamga::service::readiness::Part;

#[tokio::test]
async fn live_and_ready() {
    let service = Service::start().await;
    let client = reqwest::Client::new();
    let health = Answer::of(client.get(service.url("/healthz"))).await;
    assert_eq!((health.status, &health.body["status"]), (200, &"live".into()));
    let ready = Answer::of(client.get(service.url("/readyz"))).await;
    assert_eq!(ready.status, 200);
    let names: Vec<&str> =
        ready.body["parts"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["signer", "store", "trust", "revocation"]);
}

#[tokio::test]
async fn every_part_that_fails_is_named_and_recovers() {
    let service = Service::start().await;
    let client = reqwest::Client::new();
    let count = service.readiness.0.lock().unwrap().len();
    for index in 0..count {
        let fine = service.readiness.0.lock().unwrap()[index].clone();
        service.readiness.0.lock().unwrap()[index] = Part { name: fine.name, state: Err("gone".into()) };
        let answer = Answer::of(client.get(service.url("/readyz"))).await;
        assert_eq!((answer.status, answer.problem()), (503, "unavailable"));
        assert!(answer.headers.contains_key("retry-after"));
        assert_eq!(answer.body["parts"][index]["name"], fine.name);
        assert_eq!(answer.body["parts"][index]["ready"], false);
        assert_eq!(answer.body["parts"][index]["detail"], "gone");
        service.readiness.0.lock().unwrap()[index] = fine;
        assert_eq!(Answer::of(client.get(service.url("/readyz"))).await.status, 200);
    }
    service.readiness.0.lock().unwrap().clear();
    assert_eq!(Answer::of(client.get(service.url("/readyz"))).await.status, 503, "nothing looked at is not ready");
}

#[tokio::test]
async fn measurements_name_routes_not_paths() {
    let service = Service::start().await;
    let client = reqwest::Client::new();
    for path in ["/healthz", "/v1/requests/850412300123", "/unknown/850412300123"] {
        client.get(service.url(path)).send().await.unwrap();
    }
    let text = client.get(service.url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("tamga_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"}"), "{text}");
    assert!(text.contains("tamga_http_request_seconds_bucket"), "{text}");
    assert!(!text.contains("850412300123"), "{text}");
}

#[tokio::test]
async fn the_description_and_its_page_need_no_network() {
    let service = Service::start().await;
    let client = reqwest::Client::new();
    let description = Answer::of(client.get(service.url("/openapi.json"))).await;
    assert_eq!(description.status, 200);
    assert!(description.body["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(description.body["paths"]["/healthz"]["get"].is_object());
    let page = client.get(service.url("/docs/")).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    let mut assets = 0;
    for attribute in page.split(['"', '\'']).filter(|text| text.ends_with(".js") || text.ends_with(".css")) {
        assert!(!attribute.contains("//"), "{attribute} is fetched from elsewhere");
        let name = attribute.trim_start_matches("./");
        let asset = client.get(service.url(&format!("/docs/{name}"))).send().await.unwrap();
        assert_eq!(asset.status(), 200, "{name}");
        let text = asset.text().await.unwrap();
        assert!(!text.is_empty());
        if name.contains("initializer") {
            assert!(text.contains("/openapi.json"), "{text}");
        }
        assets += 1;
    }
    assert!(assets >= 3, "{page}");
}
