//! OCSP against `openssl ocsp`, and against responders that misbehave.

use super::server::{Behaviour, Server};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tamga::adapter::fetch::{FetchRules, Fetcher, OnlineRevocation, PrivateAddresses};
use tamga::adapter::revocation_store::{Limits, RevocationStore};
use tamga::port::{OcspAnswer, OcspQuestion, RevocationSource as _};

const DEADLINE: Duration = Duration::from_secs(3);

/// Runs openssl and gives its output.
pub fn openssl(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "openssl {arguments:?}: {text}");
    text
}

/// `openssl ocsp` as a responder; ends with the test.
pub struct Responder(Child);

impl Drop for Responder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn respond(folder: &Path) -> (Responder, String) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    (respond_as(folder, port, "ca", "ca"), format!("http://127.0.0.1:{port}/"))
}

/// A responder for an authority whose answers somebody signs; both are names of files in the folder.
pub fn respond_as(folder: &Path, port: u16, authority: &str, signer: &str) -> Responder {
    let log = folder.join(format!("responder-{port}.log"));
    let child = Command::new("openssl")
        .current_dir(folder)
        .args(["ocsp", "-index", "index.txt", "-ndays", "1", "-port", &port.to_string()])
        .args(["-CA", &format!("{authority}.pem")])
        .args(["-rsigner", &format!("{signer}.pem"), "-rkey", &format!("{signer}.key")])
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let responder = Responder(child);
    let start = Instant::now();
    // Its own word, not a connection tried: after one without a request openssl answers nobody any more.
    while !fs::read_to_string(&log).unwrap().contains("waiting for OCSP client connections") {
        assert!(start.elapsed() < Duration::from_secs(20), "openssl ocsp does not listen");
        thread::sleep(Duration::from_millis(50));
    }
    responder
}

fn source(folder: &Path) -> OnlineRevocation {
    let rules = FetchRules {
        allowed_hosts: vec!["127.0.0.1".into()],
        private_addresses: PrivateAddresses::Allow,
        list_timeout: DEADLINE,
        response_timeout: DEADLINE,
    };
    let store = Arc::new(RevocationStore::open(&folder.join("store"), Limits::default()).unwrap());
    OnlineRevocation::new(Some(store), Fetcher::new(rules).unwrap()).unwrap()
}

#[test]
fn a_responder_of_openssl_says_good_and_revoked_and_openssl_believes_what_was_received() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let ca = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=DEMONSTRATION CA", "-days", "2"];
    openssl(folder, &[&["req", "-x509"], &key[..], &ca[..]].concat());
    let mut index = String::new();
    for (name, serial, state) in [("good", "1001", "V"), ("revoked", "1002", "R")] {
        let (request, certificate) = (format!("{name}.csr"), format!("{name}.pem"));
        let key_file = format!("{name}.key");
        let subject = format!("/CN={name}");
        openssl(
            folder,
            &[&["req", "-new"], &key[..], &["-keyout", &key_file, "-out", &request, "-subj", &subject]].concat(),
        );
        let sign = ["x509", "-req", "-in", &request, "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2"];
        let hex = format!("0x{serial}");
        openssl(folder, &[&sign[..], &["-set_serial", &hex, "-out", &certificate]].concat());
        let revoked = if state == "R" { "260101000000Z,keyCompromise" } else { "" };
        index += &format!("{state}\t350101000000Z\t{revoked}\t{serial}\tunknown\t{subject}\n");
        openssl(
            folder,
            &["ocsp", "-issuer", "ca.pem", "-cert", &certificate, "-no_nonce", "-reqout", &format!("{name}.req")],
        );
    }
    fs::write(folder.join("index.txt"), index).unwrap();

    let (_responder, url) = respond(folder);
    let source = source(folder);
    let question = |name: &str| OcspQuestion {
        urls: vec![url.clone()],
        requests: vec![fs::read(folder.join(format!("{name}.req"))).unwrap()],
    };
    for (name, said) in [("good", "good.pem: good"), ("revoked", "revoked.pem: revoked")] {
        let answers = source.ocsp(&[question(name)], DEADLINE);
        let [OcspAnswer::Response(response)] = &answers[..] else { panic!("{answers:?}") };
        fs::write(folder.join("response.der"), response).unwrap();
        let certificate = format!("{name}.pem");
        let verify = ["-issuer", "ca.pem", "-cert", &certificate, "-CAfile", "ca.pem"];
        let text = openssl(folder, &[&["ocsp", "-respin", "response.der"], &verify[..]].concat());
        assert!(text.contains(said) && text.contains("verify OK"), "{text}");
    }
}

#[test]
fn responders_that_misbehave_are_unavailable_within_the_deadline_and_do_not_hold_up_the_others() {
    let server = Server::start();
    let try_later = [0x30, 3, 0x0a, 1, 3];
    let answer = |status, headers: &str, body: &[u8]| Behaviour::Answer {
        status,
        headers: headers.to_owned(),
        body: body.to_vec(),
    };
    server.set("/later", answer("200 OK", "Content-Type: application/ocsp-response\r\n", &try_later));
    server.set("/silent", Behaviour::Silent);
    server.set("/drip", Behaviour::Drip { body: vec![0x30; 1000] });
    server.set("/portal", answer("200 OK", "Content-Type: text/html\r\n", b"<html>"));
    server.set("/large", answer("200 OK", "", &vec![0x30; 70_000]));
    server.set("/away", answer("302 Found", "Location: http://192.168.1.1/\r\n", b""));
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path());
    let paths = ["/later", "/silent", "/drip", "/portal", "/large", "/away", "/none"];
    let questions: Vec<OcspQuestion> =
        paths.iter().map(|path| OcspQuestion { urls: vec![server.url(path)], requests: vec![vec![0x30, 0]] }).collect();
    let start = Instant::now();
    let answers = source.ocsp(&questions, Duration::from_secs(1));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(answers[0], OcspAnswer::Response(try_later.to_vec()), "what it means is for the judgement to say");
    for (path, answer) in paths.iter().zip(&answers).skip(1) {
        assert!(matches!(answer, OcspAnswer::Unavailable(_)), "{path}: {answer:?}");
    }
}
