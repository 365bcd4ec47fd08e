//! `tamga sign --format xml` and `tamga verify` as a person calls them, with `xmlsec1` in between.

use assert_cmd::Command;
use tamga::demonstration::{KeyKind, pem};

use crate::support::{Peer, SIGNED_PROPERTIES, person, world};

#[test]
fn what_the_command_signs_it_accepts_and_so_does_xmlsec1() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let world = world();
    let lists = world.crls().unwrap();
    write("root.pem", pem("CERTIFICATE", &world.root.certificate).as_bytes());
    write("root.crl", &lists[0]);
    write("authority.crl", &lists[1]);
    write("form.xml", "<form><iin>850412300125</iin></form>".as_bytes());
    let tamga = |arguments: &[&str]| {
        let output = Command::cargo_bin("tamga").unwrap().args(arguments).current_dir(folder.path()).output().unwrap();
        (
            output.status.code().unwrap(),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        )
    };
    for kind in [KeyKind::Rsa2048, KeyKind::P256] {
        let credential = person(kind);
        let key = [
            pem("PRIVATE KEY", credential.key.pkcs8()),
            pem("CERTIFICATE", &credential.certificate),
            pem("CERTIFICATE", &world.authority.certificate),
        ]
        .concat();
        write("key.pem", key.as_bytes());
        let sign = [
            "sign",
            "form.xml",
            "--key",
            "key.pem",
            "--format",
            "xml",
            "-o",
            "signed.xml",
            "--at",
            "2026-11-22T02:00:00Z",
        ];
        let (code, said) = tamga(&sign);
        assert_eq!((code, said.as_str()), (0, ""));
        let verify = [
            "verify",
            "signed.xml",
            "--trust",
            "root.pem",
            "--crl",
            "root.crl",
            "--crl",
            "authority.crl",
            "--at",
            "2026-11-22T02:00:00Z",
            "--offline",
            "--iin",
            "850412300125",
            "--json",
        ];
        let (code, said) = tamga(&verify);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("\"whole_document\":true") && said.contains("\"format\":\"xmldsig\""), "{said}");
        let signed = std::fs::read_to_string(folder.path().join("signed.xml")).unwrap();
        Peer::new().verify(&signed, &[SIGNED_PROPERTIES.to_owned()]).unwrap();
        write("signed.xml", signed.replace("850412300125", "850412300126").as_bytes());
        let (code, said) = tamga(&verify);
        assert!(code == 1 && said.contains("cv-digest-mismatch"), "{code} {said}");
    }
    let (code, said) =
        tamga(&["sign", "form.xml", "--key", "key.pem", "--format", "xml", "--detached", "-o", "signed.xml"]);
    assert!(code == 64 && said.contains("detached"), "{code} {said}");
    write("form.xml", b"no XML");
    assert_eq!(tamga(&["sign", "form.xml", "--key", "key.pem", "--format", "xml", "-o", "signed.xml"]).0, 64);
}
