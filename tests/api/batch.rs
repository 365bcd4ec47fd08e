//! Many documents in one call, and callers who do not mean well.

use crate::harness::{Answer, Service, signed_request, token};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};
use tamga::{config::Seconds, demonstration::Holder, port::token::Role};

fn line(document: &[u8]) -> String {
    json!({"document": STANDARD.encode(document), "applicant": {"iin": Holder::IIN}}).to_string()
}

async fn send(service: &Service, body: impl Into<reqwest::Body>) -> reqwest::Response {
    let call = reqwest::Client::new().post(service.url("/v1/verifications/batch")).bearer_auth(token(Role::Portal));
    call.header("content-type", "application/x-ndjson").body(body).send().await.unwrap()
}

fn answers(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The head of a call whose body is sent in chunks.
fn open(service: &Service) -> TcpStream {
    let mut stream = TcpStream::connect(service.server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = format!(
        "POST /v1/verifications/batch HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n",
        token(Role::Portal)
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn chunk(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_has_its_answer_in_order() {
    let service = Service::start().await;
    let good = signed_request(Holder::IIN);
    let mut body = String::new();
    let mut expected = Vec::new();
    for n in 0..100u64 {
        match n % 5 {
            0 => body += "{\"document\": 1}\n",
            1 => body += &(line(b"no signature at all") + "\r\n"),
            2 => body += "not JSON\n",
            _ => body += &(line(&good) + "\n"),
        }
        expected.push(match n % 5 {
            0 | 2 => json!({"code": "invalid-request", "line": n + 1, "status": 400}),
            1 => json!({"decision": "refused"}),
            _ => json!({"decision": "accepted"}),
        });
    }
    // Without the last end of line, and with blank lines behind.
    let response = send(&service, body.trim_end().to_owned() + "\n \n\n").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let found = answers(&response.text().await.unwrap());
    assert_eq!(found.len(), expected.len());
    for (number, (found, expected)) in found.iter().zip(&expected).enumerate() {
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&found[key], value, "line {}: {found}", number + 1);
        }
    }
    // What was answered is on disk, byte for byte.
    let report = &found[3];
    let url = service.url(&format!("/v1/verifications/{}", report["id"].as_str().unwrap()));
    let stored = Answer::of(reqwest::Client::new().get(url).bearer_auth(token(Role::Portal))).await;
    assert_eq!(&stored.body, report);
}

#[tokio::test]
async fn an_empty_batch_and_wrong_calls() {
    let service = Service::start().await;
    let response = send(&service, "").await;
    assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (200, ""));
    let call = || reqwest::Client::new().post(service.url("/v1/verifications/batch"));
    let json = || call().bearer_auth(token(Role::Portal)).header("content-type", "application/json").body("{}");
    assert_eq!(Answer::of(json()).await.problem(), "unsupported-media-type");
    let ndjson = || call().header("content-type", "application/x-ndjson").body("{}");
    assert_eq!(Answer::of(ndjson()).await.problem(), "unauthenticated");
    assert_eq!(Answer::of(ndjson().bearer_auth(token(Role::Officer))).await.problem(), "forbidden");
    let answer = Answer::of(ndjson().bearer_auth(token(Role::Portal)).header("accept", "text/html")).await;
    assert_eq!(answer.problem(), "not-acceptable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_line_is_refused_and_the_next_is_judged() {
    let service = Service::with(|http| http.max_document = tamga::config::Bytes(64 << 10)).await;
    let huge = "x".repeat(4 << 20);
    let body = format!("{huge}\n{}\n{{\"document\":\"{huge}\"}}\n", line(&signed_request(Holder::IIN)));
    let found = answers(&send(&service, body).await.text().await.unwrap());
    let codes: Vec<&Value> = found.iter().map(|answer| answer.get("code").unwrap_or(&answer["decision"])).collect();
    assert_eq!(codes, ["body-too-large", "accepted", "body-too-large"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_answered_while_the_body_is_still_being_sent() {
    let service = Service::start().await;
    let text = line(&signed_request(Holder::IIN));
    tokio::task::spawn_blocking(move || {
        let mut stream = open(&service);
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        for _ in 0..3 {
            chunk(&mut stream, &format!("{text}\n")).unwrap();
            let mut answer = String::new();
            while !answer.contains("\"decision\":\"accepted\"") {
                answer.clear();
                assert!(reader.read_line(&mut answer).unwrap() > 0, "the answer ended");
            }
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_leaves_the_service_as_it_was() {
    let service = Service::with(|http| http.max_concurrent_requests = 1).await;
    let text = line(&signed_request(Holder::IIN));
    for whole_lines in [0, 3] {
        let mut stream = open(&service);
        let lines = format!("{text}\n").repeat(whole_lines);
        chunk(&mut stream, &format!("{lines}{}", &text[..text.len() / 2])).unwrap();
        drop(stream);
    }
    // The one place is free again.
    let started = Instant::now();
    loop {
        let response = send(&service, format!("{text}\n")).await;
        if response.status() == 200 {
            assert_eq!(answers(&response.text().await.unwrap())[0]["decision"], "accepted");
            return;
        }
        assert_eq!(response.status(), 503);
        assert!(started.elapsed() < Duration::from_secs(20), "the place was not given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stops_ends_with_a_problem() {
    let service = Service::with(|http| http.request_timeout = Seconds(1)).await;
    let text = line(&signed_request(Holder::IIN));
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = open(&service);
        chunk(&mut stream, &format!("{text}\n{{\"docu")).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    })
    .await
    .unwrap();
    let (accepted, timeout) = (answer.find("\"accepted\"").unwrap(), answer.find("request-timeout").unwrap());
    assert!(accepted < timeout, "{answer}");
}

/// A caller who sends and never reads: reading stops, the window stays bounded, and the place is given back.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_does_not_read_is_left() {
    let adjust = |http: &mut tamga::config::Http| {
        http.request_timeout = Seconds(1);
        http.max_concurrent_requests = 1;
    };
    let service = Service::with(adjust).await;
    let text = format!("{}\n", line(&signed_request(Holder::IIN)));
    let address = service.url("/healthz");
    let mut stream = open(&service);
    stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let lines = text.repeat(32);
    let (sent, mut stream) = tokio::task::spawn_blocking(move || {
        let mut sent = 0usize;
        while chunk(&mut stream, &lines).is_ok() && sent < 64 << 20 {
            sent += lines.len();
        }
        (sent, stream)
    })
    .await
    .unwrap();
    assert!(sent < 64 << 20, "the service read everything from a caller who reads nothing");
    let started = Instant::now();
    while send(&service, text.clone()).await.status() != 200 {
        assert!(started.elapsed() < Duration::from_secs(20), "the place was not given back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(reqwest::get(address).await.unwrap().status(), 200);
    let _ = stream.read(&mut [0; 1]);
}
