//! Documents that openssl makes, judged by it and by us: the same verdict, or the row names the rule of ours that is
//! stricter. A row that names a rule and is accepted after all fails too.

use crate::fixture::Fixture;
use crate::openssl::OpenSsl;
use tamga::demonstration::KeyKind;

const CONTENT: &[u8] = b"{\"applicant\":{\"iin\":\"850412300125\"}}\r\nline\n";

/// What we say, beside what openssl says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// Both accept.
    Accepted,
    /// Both refuse, we with this code.
    Refused(&'static str),
    /// openssl accepts; we refuse with this code, and this is why.
    Stricter(&'static str, &'static str),
}
use Expected::{Accepted, Refused, Stricter};

struct Row {
    name: String,
    document: Vec<u8>,
    content: Option<Vec<u8>>,
    expected: Expected,
}

/// Signed in every way that openssl has for this kind of key.
fn good(peer: &OpenSsl, kind: KeyKind, rows: &mut Vec<Row>) {
    const PSS: &[&str] = &["-binary", "-nodetach", "-keyopt", "rsa_padding_mode:pss"];
    const NO_ATTRIBUTES: &str = "signatures without signed attributes can be shown as something else (attack 10)";
    let attached = ["-binary", "-nodetach"];
    let flavours: &[(&str, &[&str], Expected)] = &[
        ("attached", &[], Accepted),
        ("streamed, indefinite lengths", &["-stream"], Accepted),
        ("CAdES attributes", &["-cades"], Accepted),
        ("CAdES attributes, streamed", &["-cades", "-stream"], Accepted),
        ("by key identifier", &["-keyid"], Accepted),
        ("without certificates", &["-nocerts"], Accepted),
        ("without S/MIME capabilities", &["-nosmimecap"], Accepted),
        ("SHA-384", &["-md", "sha384"], Accepted),
        ("SHA-512", &["-md", "sha512"], Accepted),
        ("PEM", &["-outform", "PEM"], Accepted),
        ("text headers", &["-text"], Accepted),
        ("no attributes", &["-noattr"], Stricter("sav-attribute-missing", NO_ATTRIBUTES)),
        ("SHA-1", &["-md", "sha1"], Stricter("sav-algorithm-not-allowed", "SHA-1 has collisions (attack 20)")),
        (
            "two signers",
            &["-signer", "signer.pem", "-inkey", "signer.key", "-signer", "other.pem", "-inkey", "other.key"],
            Accepted,
        ),
    ];
    for (name, arguments, expected) in flavours {
        let document = peer.sign(CONTENT, &[&attached, *arguments].concat());
        rows.push(Row { name: format!("{kind:?} {name}"), document, content: None, expected: *expected });
    }
    for (name, arguments) in [("detached", &["-binary"][..]), ("detached, CAdES", &["-binary", "-cades"])] {
        let document = peer.sign(CONTENT, arguments);
        rows.push(Row {
            name: format!("{kind:?} {name}"),
            document,
            content: Some(CONTENT.into()),
            expected: Accepted,
        });
    }
    let document = peer.sign(b"", &attached);
    rows.push(Row { name: format!("{kind:?} empty content"), document, content: None, expected: Accepted });
    // Without -binary openssl signs canonical line ends, and so does the attached content.
    let document = peer.sign(CONTENT, &["-nodetach"]);
    rows.push(Row { name: format!("{kind:?} canonical text"), document, content: None, expected: Accepted });
    if matches!(kind, KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096) {
        for (name, more, expected) in [
            ("PSS", &["-keyopt", "rsa_pss_saltlen:32"][..], Accepted),
            ("PSS, short salt", &["-keyopt", "rsa_pss_saltlen:20"], Accepted),
            ("PSS, SHA-512", &["-md", "sha512", "-keyopt", "rsa_pss_saltlen:64"], Accepted),
            (
                "PSS, mask with another digest",
                &["-keyopt", "rsa_pss_saltlen:32", "-keyopt", "rsa_mgf1_md:sha512"],
                Stricter("sav-algorithm-not-allowed", "contract §5: mixed digests refused"),
            ),
        ] {
            let document = peer.sign(CONTENT, &[PSS, more].concat());
            rows.push(Row { name: format!("{kind:?} {name}"), document, content: None, expected });
        }
    }
}

/// The same, spoilt.
fn bad(peer: &OpenSsl, kind: KeyKind, rows: &mut Vec<Row>) {
    let mut push = |name: &str, document: Vec<u8>, content: Option<&[u8]>, expected| {
        rows.push(Row { name: format!("{kind:?} {name}"), document, content: content.map(Into::into), expected });
    };
    let attached = peer.sign(CONTENT, &["-binary", "-nodetach", "-cades"]);
    let detached = peer.sign(CONTENT, &["-binary"]);
    let mut altered = attached.clone();
    let at = altered.windows(CONTENT.len()).position(|w| w == CONTENT).unwrap();
    altered[at + 20] ^= 1;
    push("content altered", altered, None, Refused("cv-digest-mismatch"));
    let mut altered = attached.clone();
    *altered.last_mut().unwrap() ^= 1;
    push("signature altered", altered, None, Refused("cv-signature-invalid"));
    push("truncated", attached[..attached.len() - 1].to_vec(), None, Refused("fc-malformed"));
    push(
        "trailing octet",
        [&attached[..], &[0]].concat(),
        None,
        Stricter("fc-malformed", "contract §5: octets after the structure"),
    );
    push("another content", detached.clone(), Some(b"another"), Refused("cv-digest-mismatch"));
    push("content not given", detached, None, Refused("cv-signed-data-missing"));
    push("nothing", b"0".to_vec(), None, Refused("fc-malformed"));
    let by_other = peer.sign(CONTENT, &["-binary", "-nodetach", "-signer", "signer.pem", "-inkey", "signer.key"]);
    // The identifier points at the other signer: the serial number of one in place of the other.
    let mut swapped = by_other;
    let (ours, theirs) = serial_numbers(peer);
    let positions: Vec<usize> =
        (0..swapped.len() - ours.len()).filter(|at| swapped[*at..].starts_with(&ours)).collect();
    let last = *positions.last().unwrap();
    swapped[last..last + theirs.len()].copy_from_slice(&theirs);
    push("another signer named", swapped, None, Refused("cv-signature-invalid"));
}

/// The serial numbers of both signers, which have the same length.
fn serial_numbers(peer: &OpenSsl) -> (Vec<u8>, Vec<u8>) {
    let of = |name: &str| {
        let der = tamga::format::armour::dearmour(&peer.read(name)).unwrap().to_vec();
        tamga::pki::Certificate::parse(&der).unwrap().serial_number().to_vec()
    };
    (of("signer.pem"), of("other.pem"))
}

#[test]
fn openssl_and_we_agree_or_the_row_names_our_rule() {
    let mut count = 0;
    let mut broken = Vec::new();
    for kind in [KeyKind::Rsa2048, KeyKind::Rsa4096, KeyKind::P256, KeyKind::P384] {
        let fixture = Fixture::today(kind);
        let peer = OpenSsl::new(&fixture);
        let mut rows = Vec::new();
        good(&peer, kind, &mut rows);
        bad(&peer, kind, &mut rows);
        count += rows.len();
        for Row { name, document, content, expected } in rows {
            let theirs = peer.verify(&document, content.as_deref(), &[]);
            let ours = fixture.judge(&document, content.as_deref());
            let agrees = match expected {
                Accepted => theirs.is_ok() && ours.holds(),
                Refused(code) => theirs.is_err() && ours.refused_with(code),
                Stricter(code, _) => theirs.is_ok() && ours.refused_with(code),
            };
            if !agrees {
                broken.push(format!(
                    "{name}: {expected:?}\n  openssl {:?}\n  ours holds {} {:?}",
                    theirs.map(|_| ()),
                    ours.holds(),
                    ours.codes()
                ));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(count >= 60, "{count} documents");
}
