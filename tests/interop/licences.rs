//! What we make, openssl accepts.

use crate::fixture::{Fixture, moment};
use crate::message::Message;
use crate::openssl::OpenSsl;
use tamga::asn1::encode;
use tamga::crypto::Digest;
use tamga::demonstration::{Credential, Holder, KeyKind};
use tamga::licensing::{DocumentKind, EQUIVALENCE, Licence};
use tamga::pki::Certificate;
use tamga::service::signing::{SigningOrder, SigningWarning, sign_cms};
use tamga::stamp::{Encapsulation, SealProfile, Sealer, prepare, read_content, seal};

/// openssl 3.0 has no Ed25519 in CMS: it asks for a digest that the algorithm does not have. The primitive is compared in
/// [`openssl_and_we_agree_on_ed25519_over_signed_attributes`].
fn peer_knows(kind: KeyKind) -> bool {
    kind != KeyKind::Ed25519
}

pub fn licence() -> Licence {
    let [kk, ru] = EQUIVALENCE;
    let digest = Digest::sha256(b"request").to_string();
    serde_json::from_value(serde_json::json!({
        "schema": "tamga/licence/1", "demonstration": "DEMONSTRATION", "kind": "licence",
        "title": DocumentKind::Licence.title(), "number": "KZ18LAA00032760", "issue_date": "2026-11-22",
        "service": "agency-pipelines", "holder": {"bin": Holder::BIN, "issued_to": "ТОО «Үлгі»"},
        "activity": {"kk": "қызмет", "ru": "деятельность"}, "issuing_body": {"kk": "орган", "ru": "орган"},
        "head": "Үлгілі Ә.", "city": {"kk": "Астана", "ru": "Астана"},
        "request": {"number": "R-1", "document": digest, "report": digest}, "equivalence": {"kk": kk, "ru": ru}
    }))
    .unwrap()
}

/// A licence sealed by the issuing body of the fixture's world.
pub fn sealed_licence(fixture: &Fixture, kind: KeyKind) -> (Credential, Vec<u8>) {
    let credential = fixture.world.holder(&Holder::issuing_body(), kind).unwrap();
    let certificate = Certificate::parse(&credential.certificate).unwrap();
    let chain = [fixture.world.authority.certificate.clone()];
    let sealer = Sealer { certificate: &certificate, chain: &chain, algorithm: credential.algorithm };
    let (to_be_signed, token) = prepare(&SealProfile::default(), &licence(), &sealer, moment()).unwrap();
    let value = credential.key.private().sign(&credential.algorithm, to_be_signed.as_bytes()).unwrap();
    (credential, seal(token, &value).unwrap().into_bytes())
}

#[test]
fn openssl_accepts_every_stamped_licence() {
    for kind in KeyKind::ALL {
        let fixture = Fixture::new(kind);
        let (_, document) = sealed_licence(&fixture, kind);
        let verdict = fixture.judge_alone(&document, None);
        assert!(verdict.holds(), "{kind:?}: {:?}", verdict.codes());
        if peer_knows(kind) {
            let content = OpenSsl::new(&fixture).verify(&document, None, &["-cades"]).unwrap();
            assert_eq!(read_content(&content), Some(licence()), "{kind:?}");
        }
    }
}

/// openssl has no word for these keys: our own verification of the whole document stands alone.
#[test]
fn licences_sealed_with_national_keys_hold() {
    for kind in KeyKind::NATIONAL {
        let fixture = Fixture::new(kind);
        let (_, document) = sealed_licence(&fixture, kind);
        let verdict = fixture.judge_alone(&document, None);
        assert!(verdict.holds(), "{kind:?}: {:?}", verdict.codes());
        let mut altered = document;
        let at = altered.windows(11).position(|window| window == b"KZ18LAA0003").unwrap();
        altered[at] ^= 1;
        assert!(fixture.judge_alone(&altered, None).refused_with("cv-digest-mismatch"), "{kind:?}");
    }
}

#[test]
fn openssl_accepts_what_an_applicant_signs_attached_and_detached() {
    for kind in KeyKind::ALL {
        let fixture = Fixture::new(kind);
        let peer = OpenSsl::new(&fixture);
        let certificate = Certificate::parse(&fixture.signer.certificate).unwrap();
        let chain = [fixture.world.authority.certificate.clone()];
        for (encapsulation, beside) in
            [(Encapsulation::Attached, None), (Encapsulation::Detached, Some(&b"request"[..]))]
        {
            let order = SigningOrder {
                content: b"request",
                encapsulation,
                certificate: &certificate,
                chain: &chain,
                at: moment(),
            };
            let signed = sign_cms(&order, fixture.signer.key.private()).unwrap();
            assert_eq!(signed.warnings, []);
            let verdict = fixture.judge_alone(&signed.document, beside);
            assert!(verdict.holds(), "{kind:?} {encapsulation:?}: {:?}", verdict.codes());
            if peer_knows(kind) {
                assert_eq!(peer.verify(&signed.document, beside, &["-cades"]).unwrap(), b"request");
            }
        }
    }
}

/// RFC 8419 §3.1: the signature is over the DER of the signed attributes itself, and their digest is SHA-512.
#[test]
fn openssl_and_we_agree_on_ed25519_over_signed_attributes() {
    let fixture = Fixture::new(KeyKind::Ed25519);
    let peer = OpenSsl::new(&fixture);
    let message = Message::new(&fixture.signer, b"request");
    let document = message.sign(&fixture.signer);
    let parsed = tamga::format::cms::parse(&document, None).unwrap();
    let [signature] = parsed.signatures.as_slice() else { panic!("one signer") };
    assert!(peer.verifies(&signature.message, &signature.signature));
    let mut altered = signature.message.to_vec();
    *altered.last_mut().unwrap() ^= 1;
    assert!(!peer.verifies(&altered, &signature.signature));

    let attributes = encode::set_of(&message.attributes);
    let theirs = message.assemble(Some(&attributes), &peer.sign_message(&attributes));
    assert!(fixture.judge_alone(&theirs, None).holds());
    let over_another = message.assemble(Some(&attributes), &peer.sign_message(b"another message"));
    assert!(fixture.judge_alone(&over_another, None).refused_with("cv-signature-invalid"));
}

#[test]
fn an_expired_certificate_signs_with_a_warning() {
    let fixture = Fixture::new(KeyKind::P256);
    let certificate = Certificate::parse(&fixture.signer.certificate).unwrap();
    let order = |at| SigningOrder {
        content: b"request",
        encapsulation: Encapsulation::Attached,
        certificate: &certificate,
        chain: &[],
        at,
    };
    let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
    let warnings = |at| sign_cms(&order(at), fixture.signer.key.private()).unwrap().warnings;
    assert_eq!(warnings(not_after), []);
    assert_eq!(warnings(not_after.plus_seconds(1)), [SigningWarning::Expired { not_after }]);
    assert_eq!(warnings(not_before.plus_seconds(-1)), [SigningWarning::NotYetValid { not_before }]);
    assert!(sign_cms(&order(moment()), fixture.other.key.private()).is_err(), "another key than the certificate's");
}
