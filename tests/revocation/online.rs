//! The service and the command line that ask: `openssl ocsp` as responder, and places that misbehave, end to end.

use super::responder::{Responder, openssl, respond_as};
use super::server::{Behaviour, Server};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tamga::app::App;
use tamga::config::{Asked, Config, DataFolder, Http, Revocation, Seconds, Trust};
use tamga::http::{Parts, router, start};
use tamga::port::token::Role;
use tamga::telemetry;
use tempfile::TempDir;

/// What all questions of one verdict may take, in seconds.
const ASK: u64 = 2;

/// An authority of openssl, responders, and signers whose certificates name them.
struct World {
    folder: TempDir,
    index: String,
    responders: Vec<Responder>,
}

const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const SIGNER: &str = "keyUsage=critical,digitalSignature,nonRepudiation\nextendedKeyUsage=emailProtection\n";
const AUTHORITY: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n";

impl World {
    fn new() -> World {
        let world = World { folder: tempfile::tempdir().unwrap(), index: String::new(), responders: Vec::new() };
        for (name, subject) in [("ca", "/CN=DEMONSTRATION root"), ("other", "/CN=DEMONSTRATION other")] {
            let files = ["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")];
            openssl(world.path(), &[&["req", "-x509"], &KEY[..], &files, &["-subj", subject, "-days", "2"]].concat());
        }
        world
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A certificate, its state in the index that the responders read, and a document where it is a signer's.
    fn issue(&mut self, name: &str, issuer: &str, serial: u32, state: &str, profile: &str, access: &[String]) {
        let (request, certificate, key) = (format!("{name}.csr"), format!("{name}.pem"), format!("{name}.key"));
        let subject = format!("/CN={name}");
        let files = ["-keyout", &key, "-out", &request, "-subj", &subject];
        openssl(self.path(), &[&["req", "-new"], &KEY[..], &files].concat());
        let access =
            if access.is_empty() { String::new() } else { format!("authorityInfoAccess={}\n", access.join(",")) };
        fs::write(self.path().join("extensions"), format!("{profile}{access}")).unwrap();
        let (issuer, issuer_key) = (format!("{issuer}.pem"), format!("{issuer}.key"));
        let sign = ["x509", "-req", "-in", &request, "-CA", &issuer, "-CAkey", &issuer_key, "-days", "2"];
        let serial = format!("{serial:04X}");
        let hex = format!("0x{serial}");
        let rest = ["-set_serial", &hex, "-extfile", "extensions", "-out", &certificate];
        openssl(self.path(), &[&sign[..], &rest].concat());
        let revoked = if state == "R" { "260101000000Z,keyCompromise" } else { "" };
        self.index += &format!("{state}\t350101000000Z\t{revoked}\t{serial}\tunknown\t{subject}\n");
        fs::write(self.path().join("index.txt"), &self.index).unwrap();
        if profile == SIGNER {
            fs::write(self.path().join("content"), "an application").unwrap();
            let (document, input) = (format!("{name}.cms"), ["-in", "content", "-binary", "-nodetach"]);
            let signer = ["-signer", &certificate, "-inkey", &key, "-outform", "DER", "-out", &document];
            openssl(self.path(), &[&["cms", "-sign"], &input[..], &signer].concat());
        }
    }

    /// A responder for an authority that signs as somebody; its port is known before it runs.
    fn respond(&mut self, port: u16, authority: &str, signer: &str) {
        self.responders.push(respond_as(self.folder.path(), port, authority, signer));
    }

    /// A list that nobody has renewed for long.
    fn list_of_january(&self, authority: &str) {
        fs::write(self.path().join("database"), "").unwrap();
        fs::write(self.path().join("ca.cnf"), "[ca]\ndefault_ca=x\n[x]\ndatabase=database\ndefault_md=sha256\n")
            .unwrap();
        let (certificate, key, list) =
            (format!("{authority}.pem"), format!("{authority}.key"), format!("{authority}.crl"));
        let times = ["-crl_lastupdate", "20260101000000Z", "-crl_nextupdate", "20260102000000Z"];
        let files = ["-cert", &certificate, "-keyfile", &key, "-out", &list];
        openssl(self.path(), &[&["ca", "-gencrl", "-config", "ca.cnf"], &times[..], &files].concat());
    }

    fn document(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(format!("{name}.cms"))).unwrap()
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn ocsp(url: impl std::fmt::Display) -> String {
    format!("OCSP;URI:{url}")
}

fn revocation() -> Revocation {
    Revocation {
        allowed_hosts: vec!["127.0.0.1".into()],
        private_addresses: tamga::adapter::fetch::PrivateAddresses::Allow,
        response_timeout: Seconds(5),
        ask_timeout: Seconds(ASK),
        ocsp: Asked::WhenOpen,
        issuers: Asked::WhenOpen,
        ..Revocation::default()
    }
}

/// Asks a running service.
#[derive(Clone)]
struct Caller {
    client: reqwest::Client,
    address: SocketAddr,
    token: String,
}

impl Caller {
    async fn verify(&self, document: Vec<u8>) -> (Value, Duration) {
        let start = Instant::now();
        let request = self.client.post(format!("http://{}/v1/verifications?policy=signature", self.address));
        let request = request.bearer_auth(&self.token).header("content-type", "application/pkcs7-mime").body(document);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        (serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap(), start.elapsed())
    }
}

/// Decision and the code of the reason.
fn verdict(report: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&report["decision"]), text(&report["refusal"]["code"]))
}

fn revocation_cause(report: &Value) -> String {
    let checks = report["signatures"][0]["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["id"] == "revocation").unwrap();
    check["reason"]["args"]["cause"].as_str().unwrap_or_default().to_owned()
}

const ACCEPTED: (&str, &str) = ("accepted", "");
const REVOKED: (&str, &str) = ("refused", "rev-revoked");
const STALE: (&str, &str) = ("undetermined", "rev-stale");
const OPEN: (&str, &str) = ("undetermined", "rev-unavailable");

#[test]
fn responders_decide_what_is_open_and_those_that_misbehave_leave_it_open_while_the_service_goes_on() {
    let mut world = World::new();
    let (live, wrong, of_sub) = (free_port(), free_port(), free_port());
    let at = |port: u16| format!("http://127.0.0.1:{port}/");
    let places = Server::start();
    let (silent, drip) = (Server::start(), Server::start());
    let answer = |headers: &str, body: &[u8]| Behaviour::Answer {
        status: "200 OK",
        headers: headers.to_owned(),
        body: body.to_vec(),
    };
    places.set("/later", answer("Content-Type: application/ocsp-response\r\n", &[0x30, 3, 0x0a, 1, 3]));
    places.set("/empty", answer("", b""));
    places.set("/portal", answer("Content-Type: text/html\r\n", b"<html>Welcome to the guest network</html>"));
    silent.set("/", Behaviour::Silent);
    drip.set("/", Behaviour::Drip { body: vec![0x30; 2000] });

    let signer = |world: &mut World, name: &str, serial, state, access: &[String]| {
        world.issue(name, "ca", serial, state, SIGNER, access);
    };
    signer(&mut world, "good", 0x1001, "V", &[ocsp(at(live))]);
    signer(&mut world, "revoked", 0x1002, "R", &[ocsp(at(live))]);
    signer(&mut world, "wrong-signer", 0x1003, "V", &[ocsp(at(wrong))]);
    signer(&mut world, "later", 0x1004, "V", &[ocsp(places.url("/later"))]);
    signer(&mut world, "empty", 0x1005, "V", &[ocsp(places.url("/empty"))]);
    signer(&mut world, "portal", 0x1006, "V", &[ocsp(places.url("/portal"))]);
    signer(&mut world, "silent", 0x1007, "V", &[ocsp(silent.url("/"))]);
    signer(&mut world, "drip", 0x1008, "V", &[ocsp(drip.url("/"))]);
    signer(&mut world, "mirrored", 0x1009, "V", &[ocsp(places.url("/later")), ocsp(at(live))]);
    signer(&mut world, "elsewhere", 0x100A, "V", &[ocsp("http://169.254.169.254/ocsp")]);
    signer(&mut world, "nowhere", 0x100B, "V", &[]);
    world.issue("stale", "other", 0x100E, "V", SIGNER, &[]);
    world.list_of_january("other");
    // An intermediate that no document carries, behind caIssuers; its own status is the root's to tell.
    world.issue("sub", "ca", 0x100C, "V", AUTHORITY, &[ocsp(at(live))]);
    let access = [ocsp(at(of_sub)), format!("caIssuers;URI:{}", places.url("/sub.cer"))];
    world.issue("below", "sub", 0x100D, "V", SIGNER, &access);
    openssl(world.path(), &["x509", "-in", "sub.pem", "-outform", "DER", "-out", "sub.cer"]);
    places.set(
        "/sub.cer",
        answer("Content-Type: application/pkix-cert\r\n", &fs::read(world.path().join("sub.cer")).unwrap()),
    );
    world.respond(live, "ca", "ca");
    world.respond(wrong, "ca", "other");
    world.respond(of_sub, "sub", "sub");

    let config = Config {
        data: DataFolder(world.path().join("data")),
        trust: Trust {
            anchors: ["ca.pem", "other.pem"].map(|file| world.path().join(file)).into(),
            crls: vec![world.path().join("other.crl")],
            ..Trust::default()
        },
        revocation: revocation(),
        http: Http { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Http::default() },
        ..Config::default()
    };
    config.check().unwrap();
    let app = App::build(&config).unwrap();
    let tokens = app.demonstration_tokens(app.demonstration.as_ref().unwrap()).unwrap();
    let token = tokens.iter().find(|(role, _)| *role == Role::Portal).unwrap().1.expose_secret().to_owned();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let parts = Parts {
            use_cases: Arc::clone(&app.service),
            tokens: Arc::clone(&app.tokens) as _,
            readiness: Arc::clone(&app.readiness) as _,
            metrics: telemetry::metrics().unwrap(),
        };
        let server = start(&config.http, router(parts, &config.http).unwrap()).await.unwrap();
        let caller = Caller { client: reqwest::Client::new(), address: server.address(), token };

        // Slow ones first, to see that they hold up nobody else.
        let slow: Vec<_> = ["silent", "drip", "silent", "drip"]
            .into_iter()
            .map(|name| {
                let (caller, document) = (caller.clone(), world.document(name));
                tokio::spawn(async move { caller.verify(document).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(100)).await;
        for (name, expected, cause) in [
            ("good", ACCEPTED, ""),
            ("revoked", REVOKED, ""),
            ("wrong-signer", OPEN, "responder"),
            ("later", OPEN, "tryLater"),
            ("empty", OPEN, "empty"),
            ("portal", OPEN, "text/html"),
            ("mirrored", ACCEPTED, ""),
            ("elsewhere", OPEN, "not one of the allowed"),
            ("nowhere", OPEN, ""),
            ("stale", STALE, ""),
            ("below", ACCEPTED, ""),
        ] {
            let (report, _) = caller.verify(world.document(name)).await;
            let (decision, code) = verdict(&report);
            assert_eq!((decision.as_str(), code.as_str()), expected, "{name}: {report}");
            assert_eq!(report["retryable"], expected.0 == "undetermined", "{name}");
            assert!(revocation_cause(&report).contains(cause), "{name}: {}", revocation_cause(&report));
        }
        let (report, elapsed) = caller.verify(world.document("good")).await;
        assert_eq!(verdict(&report).0, "accepted");
        assert!(elapsed < Duration::from_secs(ASK), "{elapsed:?}: others wait too");
        assert_eq!(report["signatures"][0]["revocation"][0]["source"], "ocsp");
        for slow in slow {
            let (report, elapsed) = slow.await.unwrap();
            let (decision, code) = verdict(&report);
            assert_eq!((decision.as_str(), code.as_str()), OPEN, "{report}");
            assert!(elapsed < Duration::from_secs(ASK + 3), "{elapsed:?}");
        }
        // A place that did not answer is left alone for a while: nobody waits for it again.
        let (report, elapsed) = caller.verify(world.document("silent")).await;
        assert!(revocation_cause(&report).contains("a moment ago"), "{report}");
        assert!(elapsed < Duration::from_millis(ASK * 500), "{elapsed:?}");
        server.shut_down().await.unwrap();
    });

    // The command line: the same verdicts as exit codes, and none of them without leave to ask.
    let table = "[revocation]\nallowed_hosts = ['127.0.0.1']\nprivate_addresses = 'allow'\nocsp = 'when-open'\n\
        issuers = 'when-open'\nask_timeout = '2s'\n";
    fs::write(world.path().join("tamga.toml"), table).unwrap();
    let exit = |name: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tamga"));
        command.current_dir(world.path()).env_remove("TAMGA_CONFIG");
        let output = command.args(["verify", &format!("{name}.cms"), "--trust", "ca.pem"]).args(more).output().unwrap();
        output.status.code().unwrap()
    };
    let asking = ["--config", "tamga.toml"];
    for (name, code) in [
        ("good", 0),
        ("revoked", 1),
        ("wrong-signer", 2),
        ("later", 2),
        ("empty", 2),
        ("silent", 2),
        ("drip", 2),
        ("below", 0),
    ] {
        assert_eq!(exit(name, &asking), code, "{name}");
    }
    assert_eq!(exit("good", &["--config", "tamga.toml", "--offline"]), 2);
    assert_eq!(exit("good", &[]), 2);
    assert_eq!(exit("stale", &["--trust", "other.pem", "--crl", "other.crl"]), 2);
    assert_eq!(exit("below", &[]), 1, "no path to the trust anchor without the intermediate");
}
