//! Calls that go wrong before any use case sees them.

use crate::harness::{Answer, Service, token};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};
use tamga::{config::Seconds, port::token::Role};

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

/// A call whose body never comes whole: headers, then silence.
fn unfinished(service: &Service) -> TcpStream {
    let mut stream = TcpStream::connect(service.server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST /v1/verifications HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 21\r\n\r\n{{\"document\":",
        token(Role::Portal)
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_cut() {
    let service = Service::with(|http| http.request_timeout = Seconds(1)).await;
    let started = Instant::now();
    let answer = rest(unfinished(&service));
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"code\":\"request-timeout\""), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_too_many_is_told_to_come_again() {
    let service = Service::with(|http| http.max_concurrent_requests = 1).await;
    let client = reqwest::Client::new();
    let call = || client.get(service.url("/v1/licences/KZ00NONE")).bearer_auth(token(Role::Officer));
    assert_eq!(Answer::of(call()).await.status, 404);
    let mut occupying = unfinished(&service);
    std::thread::sleep(Duration::from_millis(300));
    let answer = Answer::of(call()).await;
    assert_eq!((answer.status, answer.problem()), (503, "unavailable"));
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(Answer::of(client.get(service.url("/healthz"))).await.status, 200, "operations need no place");
    occupying.write_all(b"\"AAAA\"}   ").unwrap();
    let mut first = [0; 12];
    occupying.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    assert_eq!(Answer::of(call()).await.status, 404, "the place is free again");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let service = Service::with(|http| http.max_document = tamga::config::Bytes(1024)).await;
    let client = reqwest::Client::new();
    let call = || client.post(service.url("/v1/verifications")).bearer_auth(token(Role::Portal));
    let announced = Answer::of(call().header("content-type", "application/pkcs7-mime").body(vec![0; 300_000])).await;
    assert_eq!((announced.status, announced.problem()), (413, "body-too-large"));
    let within_the_envelope =
        Answer::of(call().header("content-type", "application/pkcs7-mime").body(vec![0; 1025])).await;
    assert_eq!((within_the_envelope.status, within_the_envelope.problem()), (413, "body-too-large"));
    let fits = Answer::of(call().header("content-type", "application/pkcs7-mime").body(vec![0; 1024])).await;
    assert_eq!(fits.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunked_body_over_the_limit_is_refused() {
    let service = Service::with(|http| http.max_document = tamga::config::Bytes(1024)).await;
    let mut call = format!(
        "POST /v1/verifications HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        token(Role::Portal)
    );
    for _ in 0..20 {
        call += &format!("4000\r\n{}\r\n", "a".repeat(0x4000));
    }
    let answer = service.raw(call.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn the_public_call_is_rate_limited() {
    let service = Service::with(|http| http.public_requests_per_minute = 3).await;
    let client = reqwest::Client::new();
    let call = || client.post(service.url("/v1/licence-verifications")).json(&serde_json::json!({"document": "AAAA"}));
    for _ in 0..3 {
        assert_eq!(Answer::of(call()).await.status, 200);
    }
    let answer = Answer::of(call()).await;
    assert_eq!((answer.status, answer.problem()), (429, "too-many-requests"));
    let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds));
}

/// Attack 37's relative: what is under way when the signal comes is finished.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_way_is_finished_before_the_end() {
    let service = Service::start().await;
    let mut stream = unfinished(&service);
    std::thread::sleep(Duration::from_millis(300));
    let stopping = tokio::spawn(service.server.shut_down());
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(b"\"AAAA\"}   ").unwrap();
    let answer = rest(stream);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    stopping.await.unwrap().unwrap();
}

/// Large bodies together may not take more memory than there is for them: one more is refused, small ones go on.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_without_memory_are_refused_and_small_ones_are_not() {
    let service = Service::with(|http| http.max_body_memory = tamga::config::Bytes(1 << 20)).await;
    let head = |length: usize| {
        format!(
            "POST /v1/verifications HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/pkcs7-mime\r\nContent-Length: {length}\r\n\r\n",
            token(Role::Portal)
        )
    };
    // One body that has taken all but its end.
    let mut large = TcpStream::connect(service.server.address()).unwrap();
    large.write_all(head(1 << 20).as_bytes()).unwrap();
    large.write_all(&vec![b'x'; (1 << 20) - 1]).unwrap();
    let url = service.url("/v1/verifications?iin=850412300123");
    let send = |octets: usize| {
        let call = reqwest::Client::new().post(url.clone()).bearer_auth(token(Role::Portal));
        Answer::of(call.header("content-type", "application/pkcs7-mime").body(vec![b'x'; octets]))
    };
    let started = Instant::now();
    let refused = loop {
        let answer = send(400 << 10).await;
        if answer.status == 503 {
            break answer;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "it never became too much: {}", answer.body);
    };
    assert_eq!((refused.problem(), &refused.headers["retry-after"]), ("unavailable", &"1".parse().unwrap()));
    assert_eq!(send(32 << 10).await.status, 200);
    // What was taken is given back.
    large.write_all(b"x").unwrap();
    let started = Instant::now();
    while send(400 << 10).await.status != 200 {
        assert!(started.elapsed() < Duration::from_secs(20), "the memory was not given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
