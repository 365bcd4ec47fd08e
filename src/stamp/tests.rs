use super::*;
use crate::crypto::PrivateKey;
use crate::demonstration::{Credential, Extension, Holder, Key, KeyKind, Validity, World, extension};
use crate::format::cms;
use crate::licensing::{Bilingual, DocumentKind, EQUIVALENCE};
use crate::pki::extension::{KeyUsage, id, purpose};
use crate::report::{CheckId, Outcome};

fn moment() -> Time {
    "2026-11-22T02:00:00Z".parse().unwrap()
}

fn licence() -> Licence {
    let [kk, ru] = EQUIVALENCE;
    let digest = Digest::sha256(b"request").to_string();
    serde_json::from_value(serde_json::json!({
        "schema": "tamga/licence/1",
        "demonstration": "DEMONSTRATION",
        "kind": "licence",
        "title": DocumentKind::Licence.title(),
        "number": "KZ18LAA00032760",
        "issue_date": "2026-11-22",
        "service": "agency-pipelines",
        "holder": {"bin": Holder::BIN, "issued_to": "ТОО «Үлгі»\nАстана"},
        "activity": {"kk": "қызмет", "ru": "деятельность"},
        "issuing_body": {"kk": "орган", "ru": "орган"},
        "head": "Үлгілі Ә.",
        "city": {"kk": "Астана", "ru": "Астана"},
        "request": {"number": "R-1", "document": digest, "report": digest},
        "equivalence": {"kk": kk, "ru": ru}
    }))
    .unwrap()
}

struct Seal {
    world: World,
    credential: Credential,
    certificate: Certificate,
    chain: Vec<Vec<u8>>,
}

impl Seal {
    fn new(kind: KeyKind) -> Seal {
        Seal::with(kind, |template| template)
    }

    fn with(
        kind: KeyKind,
        change: impl FnOnce(crate::demonstration::CertificateTemplate) -> crate::demonstration::CertificateTemplate,
    ) -> Seal {
        let world = World::new(moment(), KeyKind::P256).unwrap();
        let key = Key::cached(kind, "seal").unwrap();
        let template = change(world.template(&Holder::issuing_body(), key.spki()));
        let credential = world.authority.issue(&template, key).unwrap();
        let certificate = Certificate::parse(&credential.certificate).unwrap();
        let chain = vec![world.authority.certificate.clone()];
        Seal { world, credential, certificate, chain }
    }

    fn sealer(&self) -> Sealer<'_> {
        Sealer { certificate: &self.certificate, chain: &self.chain, algorithm: self.key().default_algorithm() }
    }

    fn key(&self) -> &PrivateKey {
        self.credential.key.private()
    }

    fn stamp(&self, licence: &Licence) -> Result<SealedLicence, StampRefused> {
        let sealer = self.sealer();
        let (to_be_signed, token) = prepare(&SealProfile::default(), licence, &sealer, moment())?;
        Ok(seal(token, &self.key().sign(&sealer.algorithm, to_be_signed.as_bytes()).unwrap())?)
    }
}

#[test]
fn a_licence_sealed_as_xml_says_the_same_and_only_in_one_form() {
    use crate::format::{xml::Document, xmldsig};
    let awkward = Licence { head: " <Үлгілі> & Ко\r\n\t]]>".into(), ..licence() };
    for (kind, licence) in
        KeyKind::ALL.into_iter().chain(KeyKind::NATIONAL).zip([licence(), awkward].into_iter().cycle())
    {
        let seal = Seal::new(kind);
        let sealer = seal.sealer();
        let (to_be_signed, token) = prepare_xml(&SealProfile::default(), &licence, &sealer, moment()).unwrap();
        let value = seal.key().sign(&sealer.algorithm, to_be_signed.as_bytes()).unwrap();
        let sealed = seal_xml(token, &value).unwrap();
        assert_eq!(read_xml(&sealed).unwrap().0, licence, "{kind:?}");
        let document = Document::parse(&sealed).unwrap();
        let parsed = xmldsig::parse(&document, None).unwrap();
        assert_eq!(parsed.certificates.len(), 2, "the chain travels along");
        let [signature] = parsed.signatures.as_slice() else { panic!("one signature") };
        for check in [CheckId::DocumentFormat, CheckId::ContentDigest, CheckId::SignedAttributes] {
            assert_eq!(signature.findings.outcome(check), &Outcome::Passed, "{kind:?} {check:?}");
        }
        assert!(signature.scope.as_ref().unwrap().whole_document);
        // Another spelling of the same content is not read.
        let text = String::from_utf8(sealed).unwrap();
        for other in [
            text.replacen("<number>", "<number >", 1),
            text.replacen("<kind>", "<!-- --><kind>", 1),
            text.replacen("</licence>", " </licence>", 1),
        ] {
            assert!(other != text && read_xml(other.as_bytes()).is_none());
        }
        // A value of another key seals nothing.
        let (_, token) = prepare_xml(&SealProfile::default(), &licence, &sealer, moment()).unwrap();
        assert_eq!(seal_xml(token, &vec![7; value.len()]), Err(SealError::SignatureInvalid));
    }
}

#[test]
fn a_sealed_licence_is_read_back_by_our_own_reader_with_every_kind_of_key() {
    for kind in KeyKind::ALL.into_iter().chain(KeyKind::NATIONAL) {
        let seal = Seal::new(kind);
        let sealed = seal.stamp(&licence()).unwrap();
        let document = cms::parse(sealed.as_bytes(), None).unwrap();
        let content = document.content.as_deref().unwrap();
        assert_eq!(read_content(content), Some(licence()));
        assert_eq!(Digest::sha256(content), sealed.content_digest());
        assert_eq!(document.certificates.len(), 2);
        let [signature] = document.signatures.as_slice() else { panic!("one signature") };
        for check in [CheckId::DocumentFormat, CheckId::ContentDigest, CheckId::SignedAttributes] {
            assert_eq!(signature.findings.outcome(check), &Outcome::Passed, "{kind:?} {check:?}");
        }
        assert_eq!(signature.claimed_signing_time, Some(moment()));
        assert_eq!(signature.certificate_references.len(), 1);
        let key = crate::crypto::PublicKey::from_spki(seal.certificate.spki()).unwrap();
        let algorithm = signature.algorithm.as_ref().unwrap();
        assert_eq!(algorithm, &seal.sealer().algorithm);
        assert_eq!(key.verify(algorithm, &signature.message, &signature.signature), Ok(()));
    }
}

#[test]
fn a_key_of_the_standard_of_2004_seals_nothing_new() {
    let refused = Seal::new(KeyKind::Gost2004).stamp(&licence()).unwrap_err();
    assert!(refused.to_string().contains("not strong enough"), "{refused}");
}

#[test]
fn the_same_licence_gives_the_same_octets_to_sign() {
    let seal = Seal::new(KeyKind::P256);
    let once = || prepare(&SealProfile::default(), &licence(), &seal.sealer(), moment()).unwrap();
    let ((first, a), (second, b)) = (once(), once());
    assert_eq!(first, second);
    assert_eq!(a.content_digest(), b.content_digest());
    assert_eq!(first.as_bytes().first(), Some(&0x31), "attributes, not content, are signed");
}

#[test]
fn a_value_of_another_key_or_of_other_octets_seals_nothing() {
    let seal_of = Seal::new(KeyKind::P256);
    let prepared = || prepare(&SealProfile::default(), &licence(), &seal_of.sealer(), moment()).unwrap();
    let algorithm = seal_of.sealer().algorithm;
    let other = Key::cached(KeyKind::P256, "other").unwrap();
    let (to_be_signed, token) = prepared();
    let foreign = other.private().sign(&algorithm, to_be_signed.as_bytes()).unwrap();
    assert_eq!(seal(token, &foreign), Err(SealError::SignatureInvalid));
    let (_, token) = prepared();
    let content = seal_of.key().sign(&algorithm, b"{}").unwrap();
    assert_eq!(seal(token, &content), Err(SealError::SignatureInvalid));
    let (_, token) = prepared();
    assert_eq!(seal(token, &[]), Err(SealError::SignatureInvalid));
}

#[test]
fn the_lint_refuses_certificates_that_should_not_seal() {
    let at = moment();
    let expired = Validity::around(at.plus_seconds(-100 * Validity::DAY), 10, 10);
    let refused = |seal: Seal| seal.stamp(&licence()).unwrap_err();
    let with = |extension: Extension| Seal::with(KeyKind::P256, |template| template.with(extension));
    assert!(matches!(
        refused(Seal::with(KeyKind::P256, |template| template.validity(expired))),
        StampRefused::OutsideValidity { .. }
    ));
    assert_eq!(refused(with(extension::authority(None))), StampRefused::CertificationAuthority);
    assert_eq!(refused(with(extension::key_usage(KeyUsage::DIGITAL_SIGNATURE))), StampRefused::KeyUsage);
    assert_eq!(refused(Seal::with(KeyKind::P256, |t| t.without(id::KEY_USAGE))), StampRefused::KeyUsage);
    for purposes in [
        &[purpose::CLIENT_AUTH][..],
        &[purpose::DOCUMENT_SIGNING, purpose::TIME_STAMPING],
        &[purpose::ANY, purpose::OCSP_SIGNING],
    ] {
        assert_eq!(refused(with(extension::extended_key_usage(purposes))), StampRefused::ExtendedKeyUsage);
    }
    let seal = Seal::new(KeyKind::Rsa2048);
    let profile = SealProfile { min_rsa_bits: 3072 };
    assert_eq!(
        prepare(&profile, &licence(), &seal.sealer(), at).unwrap_err(),
        StampRefused::KeyTooShort { bits: 2048, min_bits: 3072 }
    );
    let mut wrong_chain = Seal::new(KeyKind::P256);
    wrong_chain.chain = vec![wrong_chain.world.root.certificate.clone()];
    assert_eq!(refused(wrong_chain), StampRefused::Chain { position: 1 });
    let rsa_for_ecdsa = Sealer { algorithm: Seal::new(KeyKind::P256).sealer().algorithm, ..seal.sealer() };
    assert_eq!(
        prepare(&SealProfile::default(), &licence(), &rsa_for_ecdsa, at).unwrap_err(),
        StampRefused::Key(SealError::AlgorithmMismatch)
    );
}

#[test]
fn the_lint_refuses_licences_that_contradict_themselves() {
    type Spoil = fn(&mut Licence);
    let cases: [(Spoil, &str); 11] = [
        (|l| l.equivalence.ru.push(' '), "/equivalence"),
        (|l| l.title = DocumentKind::Order.title(), "/title"),
        (|l| l.holder.bin = None, "/holder"),
        (|l| l.holder.issued_to = " ".into(), "/holder/issued_to"),
        (|l| l.city.kk = String::new(), "/city"),
        (|l| l.issue_date = "2026-11-21".parse().unwrap(), "/issue_date"),
        (|l| l.issue_date = "2026-11-23".parse().unwrap(), "/issue_date"),
        (|l| l.valid_until = "2026-11-21".parse().ok(), "/valid_until"),
        (|l| l.reasons = Some(Bilingual::new("а", "б")), "/reasons"),
        (|l| (l.kind, l.title) = (DocumentKind::Duplicate, DocumentKind::Duplicate.title()), "/duplicate"),
        (|l| l.kind = DocumentKind::ReissuedLicence, "/replaces"),
    ];
    let seal = Seal::new(KeyKind::P256);
    for (spoil, field) in cases {
        let mut licence = licence();
        spoil(&mut licence);
        assert_eq!(seal.stamp(&licence).unwrap_err(), StampRefused::Field { field });
    }
}

#[test]
fn a_content_with_a_second_reading_is_not_a_licence() {
    let canonical = canonical::to_bytes(&serde_json::to_value(licence()).unwrap()).unwrap();
    assert_eq!(read_content(&canonical), Some(licence()));
    let text = String::from_utf8(canonical).unwrap();
    for other in [format!(" {text}"), text.replacen("{\"", "{\"city\":null,\"", 1), text.replace("\\n", "\\u000a")] {
        assert_ne!(other, text);
        assert_eq!(read_content(other.as_bytes()), None);
    }
}
