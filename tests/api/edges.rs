//! Calls that go wrong before any use case sees them.

use crate::harness::{Answer, Service};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};
use tamga::config::Seconds;

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let service = Service::start().await;
    let client = reqwest::Client::new();
    let answer = Answer::of(client.get(service.url("/nothing"))).await;
    assert_eq!((answer.status, answer.problem()), (404, "not-found"));
    let answer = Answer::of(client.delete(service.url("/healthz"))).await;
    assert_eq!((answer.status, answer.problem()), (405, "method-not-allowed"));
    assert!(answer.headers["allow"].to_str().unwrap().contains("GET"));
}

#[tokio::test]
async fn a_call_keeps_its_name() {
    let service = Service::start().await;
    let client = reqwest::Client::new();
    let answer = Answer::of(client.get(service.url("/healthz")).header("x-request-id", "portal-1")).await;
    assert_eq!(answer.headers["x-request-id"], "portal-1");
    let answer = Answer::of(client.get(service.url("/nothing")).header("x-request-id", "not a name")).await;
    assert_ne!(answer.headers["x-request-id"], "not a name");
    answer.problem();
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_heads_are_cut() {
    let service = Service::start().await;
    let long = format!("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\n\r\n", "a".repeat(200_000));
    let answer = service.raw(long.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many: String = (0..200).map(|index| format!("X-{index}: a\r\n")).collect();
    let answer = service.raw(format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{many}\r\n").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let answer = service.raw(b"\x16\x03\x01 not HTTP\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_never_ends_is_cut() {
    let service = Service::with(|http| http.header_timeout = Seconds(1)).await;
    for bytes in [&b"GET /healthz HTTP/1.1\r\nHost: a\r\n"[..], b"", b"GE"] {
        let started = Instant::now();
        let mut stream = TcpStream::connect(service.server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(started.elapsed() < Duration::from_secs(5), "the connection stayed open");
    }
}

#[tokio::test]
async fn a_signal_to_stop_lets_no_new_call_in() {
    let service = Service::start().await;
    let url = service.url("/healthz");
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
    let started = Instant::now();
    service.server.shut_down().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(reqwest::get(&url).await.is_err());
}
