//! `tamga extend` as a person calls it, and as a machine kills it.

use crate::authority::own;
use crate::peer::Peer;
use crate::scene::{Scene, certificate};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tamga::adapter::clock::SystemClock;
use tamga::demonstration::{KeyKind, pem};
use tamga::pki::{Crl, RevocationList};
use tamga::port::{Clock as _, TimestampResponder as _};
use tamga::report::{Decision, ValidationReport};
use tamga::verify::certificate::ValidationContext;
use tamga::verify::policy::Severity;

struct Desk {
    folder: tempfile::TempDir,
    scene: Scene,
    peer: Peer,
}

impl Desk {
    fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let scene = Scene::new(SystemClock.now(), KeyKind::P256);
        let write = |name: &str, octets: &[u8]| std::fs::write(folder.path().join(name), octets).unwrap();
        write("root.pem", pem("CERTIFICATE", &scene.world.root.certificate).as_bytes());
        write("ca.pem", pem("CERTIFICATE", &scene.world.authority.certificate).as_bytes());
        let [root, authority] = scene.world.crls().unwrap();
        write("root.crl", &root);
        write("ca.crl", &authority);
        write("b.p7s", &scene.signed(b"a licence"));
        let peer = Peer::start();
        let authority = Arc::new(own(&scene, &scene.authority, folder.path()).unwrap());
        peer.set("/tsa", move |request| ("200 OK", "application/timestamp-reply", authority.answer(request)));
        Desk { folder, scene, peer }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn extend(&self, from: &str, level: &str, to: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tamga"));
        let url = self.peer.url("/tsa");
        #[rustfmt::skip]
        command.current_dir(self.path()).args(["extend", from, "--to", level, "-o", to, "--tsa", &url,
            "--allow-private-addresses", "--trust", "root.pem", "--intermediates", "ca.pem", "--crl", "root.crl",
            "--crl", "ca.crl"]);
        command
    }

    fn run(&self, from: &str, level: &str, to: &str, more: &[&str]) -> (Option<i32>, String) {
        let output = self.extend(from, level, to).args(more).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said)
    }

    fn judge(&self, file: &str) -> ValidationReport {
        let document = std::fs::read(self.path().join(file)).unwrap();
        let roots = [certificate(&self.scene.world.root)];
        let lists = self.scene.world.crls().unwrap();
        let lists: Vec<Arc<dyn RevocationList>> =
            lists.iter().map(|der| -> Arc<dyn RevocationList> { Arc::new(Crl::parse(der).unwrap()) }).collect();
        let context = ValidationContext { trust_anchors: &roots, lists: &lists, ..ValidationContext::default() };
        crate::scene::judge(&document, SystemClock.now(), Severity::Refuse, context)
    }
}

#[test]
fn documents_rise_level_by_level_and_openssl_reads_each() {
    let desk = Desk::new();
    let mut from = "b.p7s".to_owned();
    for (level, name) in [("t", "T"), ("lt", "LT"), ("lta", "LTA"), ("lta", "LTA")] {
        let to = format!("{level}.p7s");
        let (code, said) = desk.run(&from, level, &to, &[]);
        assert_eq!(code, Some(0), "{said}");
        let report = desk.judge(&to);
        assert_eq!((report.decision, report.signatures[0].level.as_str()), (Decision::Accepted, name), "{said}");
        #[rustfmt::skip]
        let openssl = Command::new("openssl").current_dir(desk.path()).args(["cms", "-verify", "-cades", "-inform", "DER",
            "-in", &to, "-CAfile", "root.pem", "-purpose", "any", "-certsout", "certs.pem"]).output().unwrap();
        assert_eq!(openssl.stdout, b"a licence", "{level}: {}", String::from_utf8_lossy(&openssl.stderr));
        from = to;
    }
    // Renewed in its place: two archive time-stamps.
    assert_eq!(desk.judge("lta.p7s").signatures[0].timestamps.len(), 3);
    // What is not accepted is not extended, and nothing is written.
    let mut broken = std::fs::read(desk.path().join("b.p7s")).unwrap();
    let at = broken.windows(9).position(|window| window == b"a licence").unwrap();
    broken[at] ^= 1;
    std::fs::write(desk.path().join("broken.p7s"), &broken).unwrap();
    let (code, said) = desk.run("broken.p7s", "t", "out.p7s", &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cv-digest-mismatch"), "{said}");
    // An authority that refuses what is asked of it.
    let (code, said) = desk.run("b.p7s", "t", "out.p7s", &["--tsa-policy", "1.2.3.4"]);
    assert_eq!(code, Some(70), "{said}");
    assert!(said.contains("UnacceptedPolicy"), "{said}");
    assert!(!desk.path().join("out.p7s").exists());
}

/// Killed at any moment: the output is the old document or the new one, whole.
#[test]
fn a_killed_extension_leaves_no_half_document() {
    let desk = Desk::new();
    let started = Instant::now();
    assert_eq!(desk.run("b.p7s", "lta", "whole.p7s", &[]).0, Some(0));
    // Later after every kill that came too early, earlier after every one that came too late: a walk around the moment
    // in which the document is written, however busy the machine is.
    let mut delay = started.elapsed() / 8;
    std::fs::copy(desk.path().join("b.p7s"), desk.path().join("place.p7s")).unwrap();
    let (mut old, mut new) = (0, 0);
    for round in 0..20u32 {
        // In its place, over itself.
        let mut child =
            desk.extend("place.p7s", "lta", "place.p7s").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(delay);
        let _ = child.kill();
        let _ = child.wait();
        let report = desk.judge("place.p7s");
        assert_eq!(report.decision, Decision::Accepted, "round {round}");
        match report.signatures[0].level.as_str() {
            "B" => {
                old += 1;
                delay = delay * 3 / 2 + Duration::from_millis(1);
            }
            "LTA" => {
                new += 1;
                delay = delay * 3 / 4;
            }
            other => panic!("a half: {other}"),
        }
        std::fs::copy(desk.path().join("b.p7s"), desk.path().join("place.p7s")).unwrap();
    }
    println!("killed {old} times before the end, {new} times after it");
    assert!(old > 0 && new > 0, "old {old}, new {new}: the walk met both ends");
}
