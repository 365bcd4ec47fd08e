//! `openssl ts` is the peer: it reads our tokens, we read its.

use crate::scene::{Scene, Token, failure, first_token, signature_value, stamped};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use tamga::demonstration::{KeyKind, pem};
use tamga::pki::timestamp::{CertificateRequested, TimeStampResp};
use tamga::report::{Time, TimestampOutcome};
use tamga::verify::policy::Severity;

fn openssl(arguments: &[&str], folder: &Path) -> (bool, String) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

/// The authority of openssl has no clock but the machine's.
fn now() -> Time {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Time::from_unix(i64::try_from(seconds).unwrap())
}

fn write(folder: &Path, scene: &Scene) {
    let file = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    file("root.pem", &pem("CERTIFICATE", &scene.world.root.certificate));
    file("ca.pem", &pem("CERTIFICATE", &scene.world.authority.certificate));
    file("tsa.pem", &pem("CERTIFICATE", &scene.authority.certificate));
    file("key.pem", &pem("PRIVATE KEY", scene.authority.key.pkcs8()));
    let both =
        pem("CERTIFICATE", &scene.authority.certificate) + &pem("CERTIFICATE", &scene.world.authority.certificate);
    file("untrusted.pem", &both);
}

#[test]
fn openssl_verifies_our_tokens() {
    for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384] {
        let folder = tempfile::tempdir().unwrap();
        let scene = Scene::new(crate::scene::moment(), kind);
        let value = signature_value(&scene.signed(b"a request"));
        write(folder.path(), &scene);
        std::fs::write(folder.path().join("value.bin"), &value).unwrap();
        std::fs::write(folder.path().join("other.bin"), b"other octets").unwrap();
        let at = scene.world.at.unix().to_string();
        for certificate in [CertificateRequested::Yes, CertificateRequested::No] {
            let token =
                Token { certificate, ..Token::new(&value, scene.world.at) }.made_by(&scene.authority, &scene.world);
            std::fs::write(folder.path().join("token.der"), &token).unwrap();
            #[rustfmt::skip]
            let verify = ["ts", "-verify", "-token_in", "-in", "token.der", "-CAfile", "root.pem", "-untrusted",
                "untrusted.pem", "-attime", &at];
            let (ok, text) = openssl(&[&verify[..], &["-data", "value.bin"]].concat(), folder.path());
            assert!(ok && text.contains("Verification: OK"), "{kind:?} {certificate:?}: {text}");
            let (ok, text) = openssl(&[&verify[..], &["-data", "other.bin"]].concat(), folder.path());
            assert!(!ok && text.contains("message imprint mismatch"), "{text}");
        }
    }
}

#[test]
fn tokens_of_openssl_are_read() {
    for (kind, digest) in [(KeyKind::Rsa2048, "sha256"), (KeyKind::P256, "sha512"), (KeyKind::Rsa3072, "sha384")] {
        let folder = tempfile::tempdir().unwrap();
        let scene = Scene::new(now(), kind);
        let document = scene.signed(b"a request");
        write(folder.path(), &scene);
        std::fs::write(folder.path().join("value.bin"), signature_value(&document)).unwrap();
        let configuration = format!(
            "[tsa]\ndefault_tsa = a\n[a]\nserial = serial\nsigner_cert = tsa.pem\nsigner_key = key.pem\n\
             certs = ca.pem\nsigner_digest = {digest}\ndefault_policy = 1.2.398.3.3.2.6.4\ndigests = {digest}\n\
             accuracy = secs:1, millisecs:500\nordering = yes\ntsa_name = yes\ness_cert_id_chain = no\n\
             clock_precision_digits = 3\n"
        );
        std::fs::write(folder.path().join("ts.cnf"), configuration).unwrap();
        std::fs::write(folder.path().join("serial"), "0A").unwrap();
        let digest_option = format!("-{digest}");
        #[rustfmt::skip]
        let (ok, text) = openssl(&["ts", "-query", "-data", "value.bin", &digest_option, "-cert", "-out", "query.der"],
            folder.path());
        assert!(ok, "{text}");
        #[rustfmt::skip]
        let (ok, text) = openssl(&["ts", "-reply", "-config", "ts.cnf", "-queryfile", "query.der", "-out", "reply.der"],
            folder.path());
        assert!(ok, "{text}");
        let reply = std::fs::read(folder.path().join("reply.der")).unwrap();
        let TimeStampResp::Granted(token) = TimeStampResp::parse(&reply).unwrap() else { panic!("{text}") };
        let report = scene.verify(&stamped(&document, token), now().plus_seconds(5), Severity::Warn);
        let found = first_token(&report);
        assert_ne!(found.outcome, TimestampOutcome::Invalid, "{kind:?}: {:?}", found.code);
        assert_eq!(failure(&report), None);
        assert!((found.gen_time.unwrap().unix() - now().unix()).abs() < 60);
        assert_eq!(found.serial_number.as_deref(), Some("0b"));
    }
}
