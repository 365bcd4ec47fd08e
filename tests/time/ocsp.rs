//! OCSP as evidence that lasts: in SignedData.crls as RFC 5940 has it, and in the older attributes that are read still.

use crate::walk::{Fixed, Pki, SIGNED, Tsa, time};
use tamga::asn1::{Oid, Reader, Tag, encode};
use tamga::crypto::{Digest, DigestAlgorithm};
use tamga::demonstration::{CertificateStatus, Credential, KeyKind, OcspTemplate, SingleResponse, ocsp};
use tamga::format::cms;
use tamga::format::cms::long_term;
use tamga::pki::{Certificate, OcspResponse};
use tamga::report::{Decision, RevocationSource, Time, ValidationReport};
use tamga::service::extension::{Evidence, Extender, Level};
use tamga::stamp::Encapsulation;
use tamga::stamp::extension::add_signature_timestamp;
use tamga::verify::certificate::ValidationContext;
use tamga::verify::policy::Policy;
use tamga::verify::{DeclaredApplicant, VerificationInputs, verify};

/// Good answers of a day about everybody below the root.
fn responses(pki: &Pki, day: &str) -> Vec<Vec<u8>> {
    let at = time(day);
    let tsa: &Tsa = &pki.first;
    let about: [(&Credential, &Credential); 4] =
        [(&pki.issuer, &pki.signer), (&pki.root, &pki.issuer), (&tsa.above, &tsa.own), (&pki.root, &tsa.above)];
    let answer = |(issuer, of): (&Credential, &Credential)| {
        let id = ocsp::certificate_id(DigestAlgorithm::Sha256, issuer, &of.serial_number);
        OcspTemplate::new(at, vec![SingleResponse::new(id, CertificateStatus::Good, at)]).issue(issuer).unwrap()
    };
    about.into_iter().map(answer).collect()
}

fn judge(pki: &Pki, document: &[u8], at: Time, responses: &[Vec<u8>]) -> ValidationReport {
    let roots = [Certificate::parse(&pki.root.certificate).unwrap()];
    let responses: Vec<OcspResponse> = responses.iter().map(|der| OcspResponse::parse(der).unwrap()).collect();
    verify(&VerificationInputs {
        report_id: "ocsp",
        at,
        received_at: None,
        document,
        format: None,
        content: None,
        declared: DeclaredApplicant::default(),
        service: None,
        policy: &Policy::built_in("licence").unwrap(),
        context: ValidationContext { trust_anchors: &roots, responses: &responses, ..ValidationContext::default() },
    })
}

struct AtHand<'a> {
    pki: &'a Pki,
    responses: &'a [Vec<u8>],
}

impl Evidence for AtHand<'_> {
    fn certificate(&self, digest: &str) -> Option<Vec<u8>> {
        let all = [&self.pki.issuer, &self.pki.first.above];
        all.iter().find(|one| Digest::sha256(&one.certificate).to_string() == digest).map(|one| one.certificate.clone())
    }

    fn list(&self, _digest: &str) -> Option<Vec<u8>> {
        None
    }

    fn response(&self, digest: &str) -> Option<Vec<u8>> {
        self.responses.iter().find(|response| Digest::sha256(response).to_string() == digest).cloned()
    }
}

fn extended(pki: &Pki, document: &[u8], to: Level) -> Vec<u8> {
    let at = time(SIGNED).plus_seconds(7200);
    let responses = responses(pki, SIGNED);
    let authority = Fixed { tsa: &pki.first, at };
    let evidence = AtHand { pki, responses: &responses };
    let judge = |document: &[u8]| judge(pki, document, at, &responses);
    let extender = Extender { judge: &judge, evidence: &evidence, authority: Some(&authority), content: None };
    extender.extend(document, to).unwrap().document
}

fn holds(report: &ValidationReport, level: &str) {
    let code = report.refusal.as_ref().map(|refusal| refusal.code.as_str());
    assert_eq!((report.decision, report.signatures[0].level.as_str()), (Decision::Accepted, level), "{code:?}");
    assert!(report.signatures[0].revocation.iter().all(|evidence| evidence.source == RevocationSource::Ocsp));
}

#[test]
fn responses_travel_in_the_document_and_prove_it_alone() {
    let pki = Pki::of(KeyKind::P256);
    let b = pki.signed(b"a licence", Encapsulation::Attached);
    let at = time(SIGNED).plus_seconds(7300);
    for (level, name) in [(Level::Lt, "LT"), (Level::Lta, "LTA")] {
        let document = extended(&pki, &b, level);
        holds(&judge(&pki, &document, at, &[]), name);
        let parsed = cms::parse(&document, None).unwrap();
        let kinds: Vec<_> = parsed.elements.revocations.iter().map(|one| long_term::revocation_choice(one)).collect();
        assert_eq!(kinds.len(), 4);
        assert!(kinds.iter().all(|kind| matches!(kind, Some(long_term::CarriedEvidence::OcspResponse(_)))));
        // RFC 5652 §5.1: version 5 with other revocation information.
        let mut info = Reader::der(&document).sequence().unwrap();
        info.element().unwrap();
        let mut signed_data = info.element().unwrap().reader().unwrap().sequence().unwrap();
        assert_eq!(signed_data.element().unwrap().small_unsigned().unwrap(), 5);
    }
    // After the signer has expired: the answers of the day, and what is known of the authority today.
    let lta = extended(&pki, &b, Level::Lta);
    let day = time("2028-06-01").plus_seconds(7200);
    holds(&judge(&pki, &lta, day, &responses(&pki, "2028-06-01")), "LTA");
    assert_ne!(judge(&pki, &b, day, &responses(&pki, SIGNED)).decision, Decision::Accepted);
}

/// The BasicOCSPResponse inside an OCSPResponse.
fn basic(response: &[u8]) -> Vec<u8> {
    let mut outer = Reader::der(response).sequence().unwrap();
    outer.element().unwrap();
    let mut bytes = outer.element().unwrap().reader().unwrap().sequence().unwrap();
    bytes.element().unwrap();
    bytes.octet_string().unwrap().to_vec()
}

/// The document with one more unsigned attribute, made by way of a marked time-stamp.
fn with_attribute(document: &[u8], kind: Oid<'_>, value: &[u8]) -> Vec<u8> {
    let mut info = Reader::der(document).sequence().unwrap();
    let content_type = info.element().unwrap();
    let mut signed_data = info.element().unwrap().reader().unwrap().sequence().unwrap();
    let mut parts = Vec::new();
    while signed_data.peek() != Some(Tag::SET) || parts.len() == 1 {
        parts.push(signed_data.element().unwrap().raw.to_vec());
    }
    let signer = signed_data.set().unwrap().element().unwrap();
    let mut fields = signer.reader().unwrap();
    let mut kept = Vec::new();
    let mut attributes = vec![encode::sequence(&[&encode::oid(kind), &encode::element(Tag::SET, &[value])])];
    while !fields.is_empty() {
        let field = fields.element().unwrap();
        if field.tag == Tag::context_constructed(1) {
            let mut reader = field.reader().unwrap();
            while !reader.is_empty() {
                attributes.push(reader.element().unwrap().raw.to_vec());
            }
        } else {
            kept.extend_from_slice(field.raw);
        }
    }
    let signer = encode::sequence(&[&kept, &encode::implicit_set_of(Tag::context_constructed(1), &attributes)]);
    parts.push(encode::set_of(&[signer]));
    encode::sequence(&[content_type.raw, &encode::explicit(0, &encode::sequence_of(&parts))])
}

/// certificate-values and revocation-values (EN 319 122-1 §A.1), as documents of before 2013 carry them.
#[test]
fn the_older_attributes_are_read() {
    let pki = Pki::of(KeyKind::P256);
    let b = pki.signed(b"a licence", Encapsulation::Attached);
    let at = time(SIGNED).plus_seconds(7200);
    let value = crate::scene::signature_value(&b);
    let token =
        tamga::port::TimestampAuthority::token(&Fixed { tsa: &pki.first, at }, &Digest::sha256(&value)).unwrap();
    let t = add_signature_timestamp(&b, 0, &token).unwrap();
    let certificates = encode::sequence_of(&[pki.first.above.certificate.clone(), pki.issuer.certificate.clone()]);
    let basics: Vec<Vec<u8>> = responses(&pki, SIGNED).iter().map(|response| basic(response)).collect();
    let by_ocsp = encode::sequence(&[&encode::explicit(1, &encode::sequence_of(&basics))]);
    let by_list = encode::sequence(&[&encode::explicit(0, &encode::sequence_of(&pki.lists(SIGNED, &[])))]);
    for values in [by_ocsp, by_list] {
        let document = with_attribute(&t, long_term::CERTIFICATE_VALUES, &certificates);
        let document = with_attribute(&document, long_term::REVOCATION_VALUES, &values);
        let report = judge(&pki, &document, at.plus_seconds(60), &[]);
        assert_eq!((report.decision, report.signatures[0].level.as_str()), (Decision::Accepted, "LT"));
        // What is not the structure is left out, and proves nothing.
        for broken in [&values[..values.len() - 1], &[0x30, 0], &[5, 0]] {
            let broken = encode::sequence(&[broken]);
            let document = with_attribute(&t, long_term::REVOCATION_VALUES, &broken);
            assert_ne!(judge(&pki, &document, at.plus_seconds(60), &[]).decision, Decision::Accepted);
        }
    }
    // References alone are no evidence (complete-certificate-references, complete-revocation-references).
    for number in [21, 22] {
        let kind = match number {
            21 => tamga::asn1::oid!(1, 2, 840, 113549, 1, 9, 16, 2, 21),
            _ => tamga::asn1::oid!(1, 2, 840, 113549, 1, 9, 16, 2, 22),
        };
        let document = with_attribute(&t, kind, &encode::sequence(&[]));
        let report = judge(&pki, &document, at.plus_seconds(60), &responses(&pki, SIGNED));
        assert_eq!((report.decision, report.signatures[0].level.as_str()), (Decision::Accepted, "T"));
    }
}
