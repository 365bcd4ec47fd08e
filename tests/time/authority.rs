//! Time-stamping authorities: our own before `openssl ts`, and the client before peers that behave and that do not.

use crate::peer::Peer;
use crate::scene::{Scene, TSA_POLICY, certificate, moment};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tamga::adapter::clock::SystemClock;
use tamga::adapter::demonstration_folder::private_key;
use tamga::adapter::fetch::{FetchRules, PrivateAddresses};
use tamga::adapter::soft_key::SoftKey;
use tamga::adapter::timestamp::{GuardedClock, OwnAuthority, OwnAuthorityError, TimestampClient, TimestampSettings};
use tamga::asn1::{Tag, encode, oid};
use tamga::crypto::{Digest, DigestAlgorithm};
use tamga::demonstration::{Credential, KeyKind, extension, pem};
use tamga::format::cms;
use tamga::pki::extension::purpose;
use tamga::pki::timestamp::{FailureInfo, ID_CT_TST_INFO, TimeStampReq, TimeStampResp, TstInfo};
use tamga::port::{Clock as _, TimestampAuthority as _, TimestampError, TimestampResponder as _};

const REPLY: &str = "application/timestamp-reply";

/// A scene of today: openssl has no clock but the machine's.
fn today(kind: KeyKind) -> Scene {
    Scene::new(SystemClock.now(), kind)
}

pub fn own(scene: &Scene, credential: &Credential, folder: &Path) -> Result<OwnAuthority, OwnAuthorityError> {
    let chain = vec![scene.world.authority.certificate.clone()];
    let signer = SoftKey::new(private_key(credential).unwrap(), certificate(credential), chain).unwrap();
    let guard = GuardedClock::new(Arc::new(SystemClock));
    let serials = folder.join("serial.json");
    OwnAuthority::new(Arc::new(signer), guard, TSA_POLICY.into(), DigestAlgorithm::Sha256, &serials)
}

fn openssl(arguments: &[&str], folder: &Path) -> (bool, String) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

#[test]
fn openssl_accepts_what_our_authority_answers() {
    for (kind, digest) in [(KeyKind::Rsa2048, "-sha256"), (KeyKind::P256, "-sha512"), (KeyKind::P384, "-sha384")] {
        let folder = tempfile::tempdir().unwrap();
        let scene = today(kind);
        let write = |name: &str, octets: &[u8]| std::fs::write(folder.path().join(name), octets).unwrap();
        write("root.pem", pem("CERTIFICATE", &scene.world.root.certificate).as_bytes());
        let chain = [&scene.world.authority.certificate, &scene.authority.certificate];
        write("chain.pem", chain.map(|one| pem("CERTIFICATE", one)).concat().as_bytes());
        write("data", b"what is stamped");
        let authority = own(&scene, &scene.authority, folder.path()).unwrap();
        for more in [&["-cert"][..], &[], &["-no_nonce"], &["-tspolicy", "1.2.398.3.3.2.6.4", "-cert"]] {
            let query = [&["ts", "-query", "-data", "data", digest, "-out", "q.tsq"], more].concat();
            let (ok, text) = openssl(&query, folder.path());
            assert!(ok, "{text}");
            write("r.tsr", &authority.answer(&std::fs::read(folder.path().join("q.tsq")).unwrap()));
            let verify = ["ts", "-verify", "-in", "r.tsr", "-CAfile", "root.pem", "-untrusted", "chain.pem"];
            for about in [&["-queryfile", "q.tsq"][..], &["-data", "data"]] {
                let (ok, text) = openssl(&[&verify[..], about].concat(), folder.path());
                assert!(ok && text.contains("Verification: OK"), "{kind:?} {more:?}: {text}");
            }
        }
        // The answer to another question is not accepted.
        let (_, text) = openssl(&["ts", "-query", "-data", "data", digest, "-out", "other.tsq"], folder.path());
        let verify = ["ts", "-verify", "-in", "r.tsr", "-queryfile", "other.tsq", "-CAfile", "root.pem", "-untrusted"];
        let (ok, said) = openssl(&[&verify[..], &["chain.pem"]].concat(), folder.path());
        assert!(!ok, "{text}{said}");
    }
}

#[test]
fn bad_requests_get_the_failure_that_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let scene = today(KeyKind::P256);
    let authority = own(&scene, &scene.authority, folder.path()).unwrap();
    let good = TimeStampReq::build(&Digest::sha256(b"x"), Some(TSA_POLICY), Some(&[7])).unwrap();
    let weak = TimeStampReq::build(&DigestAlgorithm::Sha1.digest(b"x"), None, None).unwrap();
    let other = TimeStampReq::build(&Digest::sha256(b"x"), Some(oid!(1, 2, 3, 4)), None).unwrap();
    let extended = {
        let imprint = encode::sequence(&[
            &DigestAlgorithm::Sha256.to_identifier(),
            &encode::octet_string(Digest::sha256(b"x").as_bytes()),
        ]);
        let one = encode::sequence(&[&encode::oid(oid!(1, 2, 3)), &encode::octet_string(&[5, 0])]);
        let extensions = encode::element(Tag::context_constructed(0), &[&one]);
        encode::sequence(&[&encode::small_unsigned(1), &imprint, &extensions])
    };
    let unknown = {
        let imprint =
            encode::sequence(&[&encode::sequence(&[&encode::oid(oid!(1, 2, 3))]), &encode::octet_string(&[0; 32])]);
        encode::sequence(&[&encode::small_unsigned(1), &imprint])
    };
    let rows: [(&[u8], FailureInfo); 7] = [
        (b"", FailureInfo::BadDataFormat),
        (b"<html>", FailureInfo::BadDataFormat),
        (good.get(..good.len() - 1).unwrap(), FailureInfo::BadDataFormat),
        (&weak, FailureInfo::BadAlg),
        (&unknown, FailureInfo::BadAlg),
        (&other, FailureInfo::UnacceptedPolicy),
        (&extended, FailureInfo::UnacceptedExtension),
    ];
    for (request, failure) in rows {
        let answer = authority.answer(request);
        let expected = TimeStampResp::Refused { status: 2, failure: Some(failure) };
        assert_eq!(TimeStampResp::parse(&answer), Ok(expected), "{request:02x?}");
        std::fs::write(folder.path().join("r.tsr"), &answer).unwrap();
        let (ok, text) = openssl(&["ts", "-reply", "-in", "r.tsr", "-text"], folder.path());
        assert!(ok && text.contains("Rejected"), "{text}");
    }
    assert!(matches!(TimeStampResp::parse(&authority.answer(&good)), Ok(TimeStampResp::Granted(_))));
    // The national digest is stamped like any other.
    let national = TimeStampReq::build(&DigestAlgorithm::Streebog512.digest(b"x"), None, None).unwrap();
    assert!(matches!(TimeStampResp::parse(&authority.answer(&national)), Ok(TimeStampResp::Granted(_))));
}

#[test]
fn serial_numbers_never_repeat_and_tokens_say_what_was_asked() {
    let folder = tempfile::tempdir().unwrap();
    let scene = today(KeyKind::P256);
    let mut seen = std::collections::HashSet::new();
    for restart in 0..3 {
        let authority = own(&scene, &scene.authority, folder.path()).unwrap();
        for n in 0..20u8 {
            let imprint = Digest::sha256(&[restart, n]);
            let token = authority.token(&imprint).unwrap();
            let document = cms::parse_signed_data(&token, ID_CT_TST_INFO, None).unwrap();
            let info = TstInfo::parse(document.content.as_deref().unwrap()).unwrap();
            assert_eq!(info.message_imprint.known(), Some(imprint));
            assert!((info.gen_time.time.unix() - SystemClock.now().unix()).abs() < 60);
            assert!(seen.insert(info.serial_number.to_vec()));
        }
    }
}

#[test]
fn a_certificate_that_is_not_for_time_stamping_alone_makes_no_authority() {
    let folder = tempfile::tempdir().unwrap();
    let scene = today(KeyKind::P256);
    let refused =
        |credential: &Credential| matches!(own(&scene, credential, folder.path()), Err(OwnAuthorityError::Certificate));
    assert!(refused(&scene.signer));
    let not_critical = extension::extended_key_usage(&[purpose::TIME_STAMPING]);
    assert!(refused(&scene.other_authority(|template| template.with(not_critical))));
    let two = extension::extended_key_usage(&[purpose::TIME_STAMPING, purpose::EMAIL_PROTECTION]).critical();
    assert!(refused(&scene.other_authority(|template| template.with(two))));
    // One that has expired makes no token.
    let past = Scene::new(moment().plus_seconds(-1000 * 86_400), KeyKind::P256);
    let authority = own(&past, &past.authority, folder.path()).unwrap();
    assert!(matches!(authority.token(&Digest::sha256(b"x")), Err(TimestampError::Unavailable { .. })));
}

fn client(urls: Vec<String>, attempts: u32, private_addresses: PrivateAddresses, seconds: u64) -> TimestampClient {
    let timeout = Duration::from_secs(seconds);
    let settings =
        TimestampSettings { urls, policy: Some(TSA_POLICY.into()), digest: DigestAlgorithm::Sha256, attempts, timeout };
    let rules = FetchRules {
        allowed_hosts: vec!["127.0.0.1".into()],
        private_addresses,
        list_timeout: timeout,
        response_timeout: timeout,
    };
    TimestampClient::new(settings, rules)
}

#[test]
fn the_client_takes_an_answer_to_its_question_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let scene = today(KeyKind::P256);
    let authority = Arc::new(own(&scene, &scene.authority, folder.path()).unwrap());
    let peer = Peer::start();
    let good = Arc::clone(&authority);
    peer.set("/good", move |request| ("200 OK", REPLY, good.answer(request)));
    // An answer of before: of another nonce.
    let first = authority.answer(&TimeStampReq::build(&Digest::sha256(b"x"), None, Some(&[7])).unwrap());
    peer.set("/replay", move |_| ("200 OK", REPLY, first.clone()));
    // An answer about another digest under the right nonce.
    let other = Arc::clone(&authority);
    peer.set("/other-digest", move |request| {
        let nonce = TimeStampReq::parse(request).unwrap().nonce.unwrap().to_vec();
        ("200 OK", REPLY, other.answer(&TimeStampReq::build(&Digest::sha256(b"y"), None, Some(&nonce)).unwrap()))
    });
    peer.set("/refuses", |_| ("200 OK", REPLY, TimeStampResp::rejection(FailureInfo::BadAlg)));
    peer.set("/garbage", |_| ("200 OK", REPLY, vec![0x30, 3, 1, 2, 3]));
    peer.set("/portal", |_| ("200 OK", "text/html", b"<html>log in</html>".to_vec()));
    peer.set("/large", |_| ("200 OK", REPLY, vec![0x30; 70_000]));
    peer.set("/broken", |_| ("503 Service Unavailable", "text/plain", Vec::new()));
    peer.set("/silent", |_| {
        std::thread::sleep(Duration::from_secs(3));
        ("200 OK", REPLY, Vec::new())
    });

    let ask = |paths: &[&str], attempts| {
        let urls = paths.iter().map(|path| peer.url(path)).collect();
        client(urls, attempts, PrivateAddresses::Allow, 60).token(&Digest::sha256(b"x"))
    };
    let token = ask(&["/good"], 1).unwrap();
    let document = cms::parse_signed_data(&token, ID_CT_TST_INFO, None).unwrap();
    assert!(!document.certificates.is_empty());
    peer.asked();
    // What may pass is asked again, what stays is not; the next mirror is asked in either case.
    for (path, attempts, said) in [
        ("/replay", 2, "another nonce"),
        ("/other-digest", 2, "another digest"),
        ("/garbage", 2, "no time-stamp response"),
        ("/broken", 2, "503"),
        ("/refuses", 1, "BadAlg"),
        ("/portal", 1, "text/html"),
        ("/large", 1, "larger"),
        ("/missing", 1, "404"),
    ] {
        let error = ask(&[path], 2).unwrap_err();
        assert!(error.to_string().contains(said), "{path}: {error}");
        assert_eq!(peer.asked().len(), attempts, "{path}");
        assert_eq!(matches!(error, TimestampError::Unavailable { .. }), attempts == 2, "{path}");
        assert!(ask(&[path, "/good"], 1).is_ok(), "{path}: the mirror");
        peer.asked();
    }
    let error =
        client(vec![peer.url("/silent")], 1, PrivateAddresses::Allow, 1).token(&Digest::sha256(b"x")).unwrap_err();
    assert!(error.to_string().contains("in time"), "{error}");
}

/// The rules of fetching hold for authorities too (attack 36).
#[test]
fn the_client_keeps_the_rules_of_fetching() {
    let peer = Peer::start();
    let imprint = Digest::sha256(b"x");
    let refused = client(vec![peer.url("/good")], 1, PrivateAddresses::Refuse, 60).token(&imprint).unwrap_err();
    assert!(refused.to_string().contains("not a public address"), "{refused}");
    for (url, said) in [("http://example.invalid/", "not one of the allowed"), ("file:///etc/passwd", "not fetched")] {
        let refused = client(vec![url.to_owned()], 1, PrivateAddresses::Allow, 60).token(&imprint).unwrap_err();
        assert!(refused.to_string().contains(said), "{refused}");
    }
    assert!(peer.asked().is_empty());
}
