//! Attack 28 on archive time-stamps: copied, rewritten, misplaced, and what they cover exchanged.

use crate::walk::{Fixed, NOW, Pki, SIGNED, time};
use tamga::asn1::{Reader, Tag, encode};
use tamga::crypto::{Digest, DigestAlgorithm};
use tamga::demonstration::KeyKind;
use tamga::format::cms;
use tamga::format::cms::long_term::HashIndex;
use tamga::port::TimestampAuthority as _;
use tamga::report::{CheckId, Decision, Reason, TimestampKind, TimestampOutcome, ValidationReport};
use tamga::service::extension::Level;
use tamga::stamp::Encapsulation;
use tamga::stamp::extension::{
    ValidationMaterial, add_archive_timestamp, add_signature_timestamp, add_validation_material, prepare_archive,
};

struct Bench {
    pki: Pki,
    lists: Vec<Vec<u8>>,
    lt: Vec<u8>,
    lta: Vec<u8>,
}

impl Bench {
    fn new() -> Bench {
        let pki = Pki::of(KeyKind::P256);
        let lists = pki.lists(SIGNED, &[]);
        let extended = |document: &[u8], level| pki.extended(document, SIGNED, level, &pki.first, &lists).unwrap();
        let lt = extended(&pki.signed(b"a licence", Encapsulation::Attached), Level::Lt);
        let lta = extended(&lt, Level::Lta);
        Bench { lt, lta, lists, pki }
    }

    fn judge(&self, document: &[u8]) -> ValidationReport {
        self.pki.judge(document, SIGNED, &self.lists, NOW)
    }

    /// The document is refused for its archive time-stamp.
    fn refused(&self, document: &[u8], code: &str) {
        let report = self.judge(document);
        let found = report.signatures[0].checks.outcome(CheckId::Timestamp).failure().map(Reason::code);
        assert_eq!(found, Some(code));
        assert_eq!(report.decision, Decision::Refused);
        assert_ne!(report.signatures[0].level, "LTA");
        let archive =
            report.signatures[0].timestamps.iter().find(|token| token.kind == TimestampKind::Archive).unwrap();
        assert_eq!((archive.outcome, archive.code.as_deref()), (TimestampOutcome::Invalid, Some(code)));
    }

    /// LT with the archive time-stamp that the parts make.
    fn with(&self, prepare: impl FnOnce(&[u8]) -> (Digest, Option<Vec<u8>>)) -> Vec<u8> {
        let (imprint, index) = prepare(&self.lt);
        let at = time(SIGNED).plus_seconds(7200);
        let token = Fixed { tsa: &self.pki.first, at }.token(&imprint).unwrap();
        let token = index.map_or(token.clone(), |index| with_index(&token, &[index]));
        unsigned(&self.lt, &token)
    }
}

/// The token with these indexes among the unsigned attributes of its signer.
fn with_index(token: &[u8], indexes: &[Vec<u8>]) -> Vec<u8> {
    let mut content_info = Reader::der(token).sequence().unwrap();
    let kind = content_info.element().unwrap();
    let mut signed_data = content_info.element().unwrap().reader().unwrap().sequence().unwrap();
    let mut parts = Vec::new();
    while signed_data.peek() != Some(Tag::SET) || parts.len() == 1 {
        parts.push(signed_data.element().unwrap().raw.to_vec());
    }
    let signer = signed_data.set().unwrap().element().unwrap();
    let kind_of_index = encode::oid(cms::long_term::HASH_INDEX_V3);
    let attributes: Vec<Vec<u8>> =
        indexes.iter().map(|index| encode::sequence(&[&kind_of_index, &encode::element(Tag::SET, &[index])])).collect();
    let unsigned = encode::implicit_set_of(Tag::context_constructed(1), &attributes);
    parts.push(encode::set_of(&[encode::sequence(&[signer.contents, &unsigned])]));
    encode::sequence(&[kind.raw, &encode::explicit(0, &encode::sequence_of(&parts))])
}

/// The document with a value of archive-time-stamp-v3, made by way of an empty preparation.
fn unsigned(document: &[u8], token: &[u8]) -> Vec<u8> {
    // A signature time-stamp with the other name: the attributes have the same shape.
    let marked = add_signature_timestamp(document, 0, token).unwrap();
    let parsed = cms::parse(&marked, None).unwrap();
    assert_eq!(parsed.signatures[0].signature_timestamps.len(), 2);
    let (from, to) =
        (encode::oid(cms::long_term::SIGNATURE_TIMESTAMP), encode::oid(cms::long_term::ARCHIVE_TIMESTAMP_V3));
    // Rewritten from the inside out, so that every length is right.
    rewrite(&marked, &|attribute: &[u8]| {
        attribute.ends_with(token).then(|| {
            let mut reader = Reader::der(attribute).sequence().unwrap();
            assert_eq!(reader.element().unwrap().raw, from);
            encode::sequence(&[&to, reader.element().unwrap().raw])
        })
    })
}

/// The document with the unsigned attributes of its one signer rewritten where the function says so.
fn rewrite(document: &[u8], change: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut content_info = Reader::ber(document).sequence().unwrap();
    let kind = content_info.element().unwrap();
    let mut signed_data = content_info.element().unwrap().reader().unwrap().sequence().unwrap();
    let mut parts = Vec::new();
    while signed_data.peek() != Some(Tag::SET) || parts.len() == 1 {
        parts.push(signed_data.element().unwrap().raw.to_vec());
    }
    let signer = signed_data.set().unwrap().element().unwrap();
    let mut fields = signer.reader().unwrap();
    let mut kept = Vec::new();
    let mut attributes = Vec::new();
    while !fields.is_empty() {
        let field = fields.element().unwrap();
        if field.tag == Tag::context_constructed(1) {
            let mut reader = field.reader().unwrap();
            while !reader.is_empty() {
                let attribute = reader.element().unwrap().raw;
                attributes.push(change(attribute).unwrap_or_else(|| attribute.to_vec()));
            }
        } else {
            kept.extend_from_slice(field.raw);
        }
    }
    let signer = encode::sequence(&[&kept, &encode::implicit_set_of(Tag::context_constructed(1), &attributes)]);
    parts.push(encode::set_of(&[signer]));
    encode::sequence(&[kind.raw, &encode::explicit(0, &encode::sequence_of(&parts))])
}

/// The document without a member of its sets.
fn without(document: &[u8], member: &[u8]) -> Vec<u8> {
    let mut content_info = Reader::ber(document).sequence().unwrap();
    let kind = content_info.element().unwrap();
    let mut signed_data = content_info.element().unwrap().reader().unwrap().sequence().unwrap();
    let mut parts = Vec::new();
    while !signed_data.is_empty() {
        let part = signed_data.element().unwrap();
        let mut members = Vec::new();
        if part.tag == Tag::context_constructed(0) || part.tag == Tag::context_constructed(1) {
            let mut reader = part.reader().unwrap();
            while !reader.is_empty() {
                members.push(reader.element().unwrap().raw.to_vec());
            }
        }
        let before = members.len();
        members.retain(|one| one != member);
        parts.push(if members.len() == before {
            part.raw.to_vec()
        } else {
            encode::implicit_set_of(part.tag, &members)
        });
    }
    encode::sequence(&[kind.raw, &encode::explicit(0, &encode::sequence_of(&parts))])
}

/// The index and the imprint as the standard has them.
fn honest(document: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let parsed = cms::parse(document, None).unwrap();
    let signature = &parsed.signatures[0];
    let index = HashIndex::build(&parsed, signature, DigestAlgorithm::Sha256).unwrap();
    let octets = cms::long_term::archived_octets(&parsed, signature, DigestAlgorithm::Sha256, &index).unwrap();
    (index, octets)
}

#[test]
fn what_the_others_are_made_from_holds() {
    let bench = Bench::new();
    let document = bench.with(|lt| {
        let (index, octets) = honest(lt);
        (Digest::sha256(&octets), Some(index))
    });
    let report = bench.judge(&document);
    assert_eq!((report.decision, report.signatures[0].level.as_str()), (Decision::Accepted, "LTA"));
}

#[test]
fn an_archive_stamp_copied_from_another_document_is_refused() {
    let bench = Bench::new();
    let parsed = cms::parse(&bench.lta, None).unwrap();
    let archive = parsed.signatures[0].archive_timestamps[0];
    let other = bench.pki.signed(b"another licence", Encapsulation::Attached);
    let other = bench.pki.extended(&other, SIGNED, Level::Lt, &bench.pki.first, &bench.lists).unwrap();
    bench.refused(&unsigned(&other, archive), "tsp-imprint-mismatch");
    // The same content and signer, signed once more.
    let again = bench.pki.signed(b"a licence", Encapsulation::Attached);
    let again = bench.pki.extended(&again, SIGNED, Level::Lt, &bench.pki.first, &bench.lists).unwrap();
    bench.refused(&unsigned(&again, archive), "tsp-imprint-mismatch");
}

#[test]
fn an_archive_stamp_without_its_index_or_with_two_is_refused() {
    let bench = Bench::new();
    let honest_imprint = |lt: &[u8]| Digest::sha256(&honest(lt).1);
    bench.refused(&bench.with(|lt| (honest_imprint(lt), None)), "tsp-hash-index-invalid");
    let at = time(SIGNED).plus_seconds(7200);
    let (index, octets) = honest(&bench.lt);
    let token = Fixed { tsa: &bench.pki.first, at }.token(&Digest::sha256(&octets)).unwrap();
    let twice = with_index(&token, &[index.clone(), index.clone()]);
    bench.refused(&unsigned(&bench.lt, &twice), "tsp-hash-index-invalid");
    let broken = encode::sequence(&[&index]);
    bench.refused(&unsigned(&bench.lt, &with_index(&token, &[broken])), "tsp-hash-index-invalid");
    // An index that was exchanged after the stamp was made.
    let b = bench.pki.signed(b"a licence", Encapsulation::Attached);
    let (smaller, _) = honest(&b);
    bench.refused(&unsigned(&bench.lt, &with_index(&token, &[smaller])), "tsp-imprint-mismatch");
}

#[test]
fn an_index_by_another_digest_than_the_imprint_is_refused() {
    let bench = Bench::new();
    let document = bench.with(|lt| {
        let parsed = cms::parse(lt, None).unwrap();
        let index = HashIndex::build(&parsed, &parsed.signatures[0], DigestAlgorithm::Sha384).unwrap();
        let octets =
            cms::long_term::archived_octets(&parsed, &parsed.signatures[0], DigestAlgorithm::Sha256, &index).unwrap();
        (Digest::sha256(&octets), Some(index))
    });
    bench.refused(&document, "tsp-hash-index-invalid");
}

/// Whatever is taken away that the index names breaks it; what is added is not covered and breaks nothing.
#[test]
fn evidence_that_was_covered_cannot_be_taken_away() {
    let bench = Bench::new();
    let parsed = cms::parse(&bench.lta, None).unwrap();
    let members: Vec<&[u8]> =
        parsed.elements.certificates.iter().chain(&parsed.elements.revocations).copied().collect();
    assert!(members.len() >= 5, "{}", members.len());
    let signer = &bench.pki.signer.certificate;
    for member in members.iter().filter(|member| *member != signer) {
        bench.refused(&without(&bench.lta, member), "tsp-hash-index-invalid");
    }
    // Without the signature time-stamp that it covers.
    let token = parsed.signatures[0].signature_timestamps[0];
    let gone = rewrite(&bench.lta, &|attribute| {
        attribute
            .ends_with(token)
            .then(|| encode::sequence(&[&encode::oid(tamga::asn1::oid!(1, 2, 3)), &encode::set_of(&[])]))
    });
    bench.refused(&gone, "tsp-hash-index-invalid");
    let more = ValidationMaterial { lists: bench.pki.lists("2026-03-03", &[]), ..ValidationMaterial::default() };
    let grown = add_validation_material(&bench.lta, &more).unwrap();
    let report = bench.pki.judge(&grown, "2026-03-03", &[], NOW);
    assert_eq!((report.decision, report.signatures[0].level.as_str()), (Decision::Accepted, "LTA"));
}

/// A token that says it is younger than one that covers it: one of the two lies.
#[test]
fn tokens_out_of_order_are_refused() {
    let bench = Bench::new();
    let at = time(SIGNED).plus_seconds(7200);
    let prepared = prepare_archive(&bench.lt, 0, None, DigestAlgorithm::Sha256).unwrap();
    for (earlier, code) in [(2, None), (3, Some("tsp-order")), (3600, Some("tsp-order"))] {
        let authority = Fixed { tsa: &bench.pki.first, at: at.plus_seconds(-earlier) };
        let token = authority.token(&prepared.imprint).unwrap();
        let document = add_archive_timestamp(&bench.lt, 0, &prepared, &token).unwrap();
        let report = bench.judge(&document);
        let found = report.signatures[0].checks.outcome(CheckId::Timestamp).failure().map(Reason::code);
        assert_eq!(found, code, "{earlier} s");
    }
}

/// Each time-stamp costs path validations: their number is bounded.
#[test]
fn a_flood_of_time_stamps_is_refused() {
    let bench = Bench::new();
    let token = cms::parse(&bench.lt, None).unwrap().signatures[0].signature_timestamps[0].to_vec();
    let mut document = bench.lt.clone();
    for _ in 0..63 {
        document = add_signature_timestamp(&document, 0, &token).unwrap();
    }
    assert_eq!(bench.judge(&document).decision, Decision::Accepted, "64 of them");
    let report = bench.judge(&add_signature_timestamp(&document, 0, &token).unwrap());
    assert_eq!(report.refusal.map(|refusal| refusal.code).as_deref(), Some("fc-limit-exceeded"));
}

/// Every octet of the archive time-stamp and of what it covers counts.
#[test]
fn a_flipped_octet_never_leaves_the_level() {
    let bench = Bench::new();
    let mut kept = 0;
    for at in (0..bench.lta.len()).step_by(23) {
        let mut document = bench.lta.clone();
        document[at] ^= 0x10;
        let report = bench.judge(&document);
        if report.decision == Decision::Accepted && report.signatures[0].level == "LTA" {
            kept += 1;
        }
    }
    // Frames whose octets nothing covers, such as a version or a tag that reads the same.
    assert!(kept <= 3, "{kept} flips left the level");
}
