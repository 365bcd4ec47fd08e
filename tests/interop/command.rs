//! `tamga sign` as a person calls it.

use crate::fixture::Fixture;
use crate::openssl::OpenSsl;
use assert_cmd::Command;
use tamga::demonstration::KeyKind;

fn tamga(peer: &OpenSsl, arguments: &[&str]) -> std::process::Output {
    Command::cargo_bin("tamga").unwrap().args(arguments).current_dir(peer.folder()).output().unwrap()
}

#[test]
fn what_the_command_signs_openssl_accepts() {
    let fixture = Fixture::new(KeyKind::P256);
    let peer = OpenSsl::new(&fixture);
    peer.write("request.json", b"{}");
    let key = [peer.read("signer.key"), peer.read("signer.pem"), peer.read("ca.pem")].concat();
    peer.write("key.pem", &key);
    let at = ["--at", "2026-11-22T02:00:00Z"];
    for (detached, content) in [(false, None), (true, Some(&b"{}"[..]))] {
        let mut arguments = vec!["sign", "request.json", "--key", "key.pem", "-o", "request.p7m", at[0], at[1]];
        if detached {
            arguments.push("--detached");
        }
        let output = tamga(&peer, &arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let signed = peer.read("request.p7m");
        assert_eq!(peer.verify(&signed, content, &["-cades"]).unwrap(), b"{}");
        assert!(fixture.judge_alone(&signed, content).holds());
    }
}

#[test]
fn the_command_refuses_what_it_cannot_use_and_warns_of_an_expired_key() {
    let fixture = Fixture::new(KeyKind::P256);
    let peer = OpenSsl::new(&fixture);
    peer.write("request.json", b"{}");
    let run = |arguments: &[&str]| {
        let output = tamga(&peer, &[&["sign", "request.json", "-o", "out"], arguments].concat());
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run(&["--key", "signer.key"]);
    assert_eq!(code, 64, "no certificate: {said}");
    let (code, said) = run(&["--key", "signer.key", "--certificate", "other.pem"]);
    assert_eq!(code, 64, "the certificate of another key: {said}");
    assert_eq!(run(&["--key", "nowhere.pem"]).0, 65);
    assert_eq!(run(&["--key", "request.json"]).0, 65);
    assert_eq!(run(&["--key", "signer.key", "--key-password-env", "NO_SUCH_VARIABLE"]).0, 64);
    let late = ["--key", "signer.key", "--certificate", "signer.pem", "--at", "2040-01-01T00:00:00Z"];
    let (code, said) = run(&late);
    assert!(code == 0 && said.contains("expired"), "{code}: {said}");
}
