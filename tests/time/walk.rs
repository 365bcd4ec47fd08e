//! A licence walks through time: signed in 2026, verified in 2040, with everything that can happen between.
//!
//! The infrastructure is generated, the clock is fixed at every stage, and nothing is fetched: what is not given is not
//! known. SHA-256 is declared broken from 2035 on by the policy of every stage.

use std::collections::HashMap;
use std::sync::Arc;
use tamga::crypto::{Digest, DigestAlgorithm};
use tamga::demonstration::{
    CertificateTemplate, Credential, CrlTemplate, Holder, Key, KeyKind, NameTemplate, RevokedEntry, Validity, World,
};
use tamga::pki::extension::{KeyUsage, purpose};
use tamga::pki::name::attribute;
use tamga::pki::timestamp::{CertificateRequested, NewTstInfo};
use tamga::pki::{Certificate, Crl, RevocationList};
use tamga::port::{TimestampAuthority, TimestampError};
use tamga::report::{Decision, Time, TimestampKind, TimestampOutcome, ValidationReport};
use tamga::service::extension::{Evidence, ExtendError, Extender, Level};
use tamga::stamp::timestamp::{Authority, prepare_token};
use tamga::stamp::{CadesOrder, Encapsulation, PreparedSignature};
use tamga::verify::certificate::ValidationContext;
use tamga::verify::policy::{AlgorithmEnd, Policy, TimestampStatus};
use tamga::verify::{DeclaredApplicant, VerificationInputs, verify};

pub fn time(text: &str) -> Time {
    format!("{text}T00:00:00Z").parse().unwrap()
}

fn certificate(credential: &Credential) -> Certificate {
    Certificate::parse(&credential.certificate).unwrap()
}

/// Who is there, and until when.
pub struct Pki {
    /// P-384; 2020 to 2050.
    pub root: Credential,
    /// SHA-256; 2022 to 2032. Issues to the signer.
    pub issuer: Credential,
    /// SHA-256; 2026-01 to 2027-12.
    pub signer: Credential,
    /// SHA-256 under an authority of its own; 2025 to 2029.
    pub first: Tsa,
    /// P-384; 2028 to 2036.
    pub second: Tsa,
    /// P-384; 2033 to 2042.
    third: Tsa,
}

/// A time-stamping authority and the authority above it.
#[derive(Clone)]
pub struct Tsa {
    pub above: Credential,
    pub own: Credential,
    pub digest: DigestAlgorithm,
}

impl Pki {
    pub fn new() -> Pki {
        Pki::of(KeyKind::P256)
    }

    /// The same with another kind of key for signer, issuer and first authority.
    pub fn of(kind: KeyKind) -> Pki {
        let validity = |from: &str, to: &str| Validity { not_before: time(from), not_after: time(to) };
        let name = |text: &str| {
            NameTemplate::new()
                .with(attribute::COMMON_NAME, &format!("DEMONSTRATION {text}"))
                .with(attribute::COUNTRY, "KZ")
        };
        let authority = |of: Option<&Credential>, text: &str, kind, from: &str, to: &str| {
            let key = Key::cached(kind, text).unwrap();
            let template = CertificateTemplate::authority(name(text), key.spki(), validity(from, to), None);
            match of {
                None => Credential::root(&template, key).unwrap(),
                Some(issuer) => issuer.issue(&template, key).unwrap(),
            }
        };
        let root = authority(None, "ROOT OF 2020", KeyKind::P384, "2020-01-01", "2050-01-01");
        let issuer = authority(Some(&root), "ISSUER OF 2022", kind, "2022-01-01", "2032-01-01");
        let world = World::new(time("2026-03-01"), KeyKind::P256).unwrap();
        let key = Key::cached(kind, "signer of 2026").unwrap();
        let template = world.template(&Holder::issuing_body(), key.spki());
        let template = template.validity(validity("2026-01-01", "2027-12-31"));
        let signer = issuer.issue(&template, key).unwrap();
        let tsa = |text: &str, kind, digest, above: (&str, &str), own: (&str, &str)| {
            let above = authority(Some(&root), &format!("ABOVE {text}"), kind, above.0, above.1);
            let key = Key::cached(kind, text).unwrap();
            let template = CertificateTemplate::new(name(text), key.spki(), validity(own.0, own.1))
                .with(tamga::demonstration::extension::key_usage(KeyUsage::DIGITAL_SIGNATURE))
                .with(tamga::demonstration::extension::extended_key_usage(&[purpose::TIME_STAMPING]).critical());
            Tsa { own: above.issue(&template, key).unwrap(), above, digest }
        };
        let (sha256, sha384) = (DigestAlgorithm::Sha256, DigestAlgorithm::Sha384);
        Pki {
            first: tsa("FIRST TSA", kind, sha256, ("2024-01-01", "2034-01-01"), ("2025-01-01", "2029-12-31")),
            second: tsa(
                "SECOND TSA",
                KeyKind::P384,
                sha384,
                ("2027-01-01", "2044-01-01"),
                ("2028-01-01", "2036-12-31"),
            ),
            third: tsa("THIRD TSA", KeyKind::P384, sha384, ("2030-01-01", "2046-01-01"), ("2033-01-01", "2042-12-31")),
            root,
            issuer,
            signer,
        }
    }

    /// A sealed licence, CAdES-B.
    pub fn signed(&self, content: &[u8], encapsulation: Encapsulation) -> Vec<u8> {
        let certificate = certificate(&self.signer);
        let prepared = PreparedSignature::new(&CadesOrder {
            content,
            content_type: tamga::format::cms::ID_DATA,
            encapsulation,
            certificate: &certificate,
            chain: std::slice::from_ref(&self.issuer.certificate),
            algorithm: self.signer.algorithm,
            at: time("2026-03-01"),
            content_description: None,
        })
        .unwrap();
        sign(&self.signer, prepared)
    }

    fn authorities(&self) -> [&Credential; 5] {
        [&self.root, &self.issuer, &self.first.above, &self.second.above, &self.third.above]
    }

    /// The list of every authority that is valid on a day, issued on it; good for a week.
    pub fn lists(&self, day: &str, revoked: &[Revoked<'_>]) -> Vec<Vec<u8>> {
        let at = time(day);
        let alive = self.authorities().into_iter().filter(|authority| certificate(authority).is_valid_at(at));
        let list = |authority: &Credential| {
            let number = u64::try_from(at.unix()).unwrap();
            let mut template = CrlTemplate::new(at, number);
            for row in revoked.iter().filter(|row| row.by == authority.certificate && time(row.since) <= at) {
                let entry = RevokedEntry::new(&row.serial_number, time(row.since));
                template = template.revoke(match row.reason {
                    Some(code) => entry.reason(code),
                    None => entry,
                });
            }
            template.issue(authority).unwrap()
        };
        alive.map(list).collect()
    }

    pub fn revoked<'a>(&self, by: &Credential, of: &Credential, since: &'a str, reason: Option<u8>) -> Revoked<'a> {
        Revoked { by: by.certificate.clone(), serial_number: of.serial_number.clone(), since, reason }
    }

    /// The verdict of a day with these lists and the root alone.
    pub fn judge(&self, document: &[u8], day: &str, lists: &[Vec<u8>], status: TimestampStatus) -> ValidationReport {
        self.judge_content(document, None, time(day).plus_seconds(7200), lists, status)
    }

    fn judge_content(
        &self,
        document: &[u8],
        content: Option<&[u8]>,
        at: Time,
        lists: &[Vec<u8>],
        status: TimestampStatus,
    ) -> ValidationReport {
        let mut policy = Policy::built_in("licence").unwrap();
        policy.algorithms = vec![AlgorithmEnd { name: "SHA-256".into(), until: Some(time("2035-01-01")) }];
        policy.revocation.timestamp_status = status;
        let roots = [certificate(&self.root)];
        let lists: Vec<Arc<dyn RevocationList>> =
            lists.iter().map(|der| -> Arc<dyn RevocationList> { Arc::new(Crl::parse(der).unwrap()) }).collect();
        verify(&VerificationInputs {
            report_id: "walk",
            at,
            received_at: None,
            document,
            format: None,
            content,
            declared: DeclaredApplicant::default(),
            service: None,
            policy: &policy,
            context: ValidationContext { trust_anchors: &roots, lists: &lists, ..ValidationContext::default() },
        })
    }

    /// The document at a level, extended on a day by an authority, with the lists of that day.
    pub fn extended(
        &self,
        document: &[u8],
        day: &str,
        to: Level,
        tsa: &Tsa,
        lists: &[Vec<u8>],
    ) -> Result<Vec<u8>, ExtendError> {
        self.extended_content(document, None, day, to, tsa, lists)
    }

    fn extended_content(
        &self,
        document: &[u8],
        content: Option<&[u8]>,
        day: &str,
        to: Level,
        tsa: &Tsa,
        lists: &[Vec<u8>],
    ) -> Result<Vec<u8>, ExtendError> {
        let at = time(day).plus_seconds(7200);
        let judge = |document: &[u8]| self.judge_content(document, content, at, lists, TimestampStatus::Now);
        let authority = Fixed { tsa, at };
        let evidence = AtHand { pki: self, lists };
        let extender = Extender { judge: &judge, evidence: &evidence, authority: Some(&authority), content };
        Ok(extender.extend(document, to)?.document)
    }
}

/// A row of a list.
pub struct Revoked<'a> {
    by: Vec<u8>,
    serial_number: Vec<u8>,
    since: &'a str,
    reason: Option<u8>,
}

fn sign(credential: &Credential, prepared: PreparedSignature) -> Vec<u8> {
    let value = credential.key.private().sign(&credential.algorithm, prepared.to_be_signed()).unwrap();
    prepared.assemble(&value).unwrap()
}

/// An authority whose clock stands.
pub struct Fixed<'a> {
    pub tsa: &'a Tsa,
    pub at: Time,
}

impl TimestampAuthority for Fixed<'_> {
    fn digest_algorithm(&self) -> DigestAlgorithm {
        self.tsa.digest
    }

    fn token(&self, imprint: &Digest) -> Result<Vec<u8>, TimestampError> {
        let info = NewTstInfo {
            policy: crate::scene::TSA_POLICY,
            message_imprint: *imprint,
            serial_number: &[1, 2, 3],
            gen_time: self.at,
            accuracy: None,
            nonce: None,
        };
        let own = certificate(&self.tsa.own);
        let chain = [self.tsa.above.certificate.clone()];
        let who = Authority { certificate: &own, chain: &chain, algorithm: self.tsa.own.algorithm };
        Ok(sign(&self.tsa.own, prepare_token(&who, &info, CertificateRequested::Yes).unwrap()))
    }
}

/// Evidence by its digest.
struct AtHand<'a> {
    pki: &'a Pki,
    lists: &'a [Vec<u8>],
}

impl Evidence for AtHand<'_> {
    fn certificate(&self, digest: &str) -> Option<Vec<u8>> {
        let all = self.pki.authorities();
        all.iter().find(|one| Digest::sha256(&one.certificate).to_string() == digest).map(|one| one.certificate.clone())
    }

    fn list(&self, digest: &str) -> Option<Vec<u8>> {
        self.lists.iter().find(|list| Digest::sha256(list).to_string() == digest).cloned()
    }

    fn response(&self, _digest: &str) -> Option<Vec<u8>> {
        None
    }
}

/// The licence at every level, as made on the day it was signed, and its renewals.
struct Licence {
    b: Vec<u8>,
    t: Vec<u8>,
    lt: Vec<u8>,
    lta: Vec<u8>,
    /// Renewed in March 2028 by the second authority.
    renewed_2028: Vec<u8>,
    /// And in 2034 by the third.
    renewed_2034: Vec<u8>,
}

pub const SIGNED: &str = "2026-03-02";

impl Licence {
    fn of(pki: &Pki) -> Licence {
        let b = pki.signed(b"a licence", Encapsulation::Attached);
        let lists = pki.lists(SIGNED, &[]);
        let at = |document: &[u8], level| pki.extended(document, SIGNED, level, &pki.first, &lists).unwrap();
        let t = at(&b, Level::T);
        let lt = at(&t, Level::Lt);
        let lta = at(&lt, Level::Lta);
        let renewed_2028 = pki.renewed(&lta, "2028-03-01", &pki.second);
        let renewed_2034 = pki.renewed(&renewed_2028, "2034-06-01", &pki.third);
        Licence { t, lt, b, lta, renewed_2028, renewed_2034 }
    }
}

impl Pki {
    fn renewed(&self, document: &[u8], day: &str, tsa: &Tsa) -> Vec<u8> {
        self.extended(document, day, Level::Lta, tsa, &self.lists(day, &[])).unwrap()
    }
}

fn level(report: &ValidationReport) -> &str {
    &report.signatures[0].level
}

fn code(report: &ValidationReport) -> Option<&str> {
    report.refusal.as_ref().map(|refusal| refusal.code.as_str())
}

fn says(report: &ValidationReport) -> String {
    let tokens: Vec<_> =
        report.signatures[0].timestamps.iter().map(|t| (t.kind, t.outcome, t.code.clone(), t.gen_time)).collect();
    format!("{:?} {:?} {:?} {} {tokens:?}", report.decision, report.sub_indication, code(report), level(report))
}

fn accepted(report: &ValidationReport, expected: &str) {
    assert_eq!(report.decision, Decision::Accepted, "{}", says(report));
    assert_eq!(level(report), expected, "{}", says(report));
    let best = report.best_signature_time;
    if expected != "B" {
        assert!(best >= time(SIGNED) && best < time("2026-03-03"), "{best}");
        assert!(report.signatures[0].proven_by.is_some());
    }
}

fn refused(report: &ValidationReport, expected: &str) {
    assert_eq!(code(report), Some(expected), "{}", says(report));
    assert_ne!(report.decision, Decision::Accepted);
}

pub const NOW: TimestampStatus = TimestampStatus::Now;
const AT_TOKEN: TimestampStatus = TimestampStatus::AtToken;

#[test]
fn every_level_is_what_it_says_on_the_day() {
    let pki = Pki::new();
    let licence = Licence::of(&pki);
    let lists = pki.lists(SIGNED, &[]);
    for (document, level) in [(&licence.b, "B"), (&licence.t, "T"), (&licence.lt, "LT"), (&licence.lta, "LTA")] {
        accepted(&pki.judge(document, SIGNED, &lists, NOW), level);
    }
    // What the document carries is enough of the signer and of the time-stamp: with no list at hand the same.
    accepted(&pki.judge(&licence.lta, SIGNED, &[], NOW), "LTA");
    accepted(&pki.judge(&licence.lt, SIGNED, &[], NOW), "LT");
    refused(&pki.judge(&licence.t, SIGNED, &[], NOW), "rev-unavailable");
    let until = |document: &[u8]| pki.judge(document, SIGNED, &lists, NOW).signatures[0].renew_before;
    assert_eq!(until(&licence.b), None);
    assert_eq!(until(&licence.t), Some(time("2027-12-31")), "the signer's certificate");
    assert_eq!(until(&licence.lt), Some(time("2029-12-31")), "the time-stamping authority's");
    assert_eq!(until(&licence.lta), Some(time("2029-12-31")));
    let renewed = pki.judge(&licence.renewed_2028, "2028-03-02", &pki.lists("2028-03-02", &[]), NOW);
    assert_eq!(renewed.signatures[0].renew_before, Some(time("2036-12-31")));
}

/// 2029: the signer's certificate has expired.
#[test]
fn the_signer_has_expired() {
    let pki = Pki::new();
    let licence = Licence::of(&pki);
    let lists = pki.lists("2029-06-01", &[]);
    refused(&pki.judge(&licence.b, "2029-06-01", &lists, NOW), "xcv-expired");
    refused(&pki.judge(&licence.t, "2029-06-01", &lists, NOW), "xcv-expired");
    accepted(&pki.judge(&licence.lt, "2029-06-01", &lists, NOW), "LT");
    accepted(&pki.judge(&licence.lta, "2029-06-01", &lists, NOW), "LTA");
    // A list of the signer's time says of the licence at T what it needs.
    let kept: Vec<Vec<u8>> = lists.into_iter().chain(pki.lists(SIGNED, &[])).collect();
    accepted(&pki.judge(&licence.t, "2029-06-01", &kept, NOW), "T");
    // Offline the status of the authority of the newest time-stamp is not known today, unless the policy takes the
    // status of its own day.
    for document in [&licence.lt, &licence.lta] {
        let report = pki.judge(document, "2029-06-01", &[], NOW);
        refused(&report, "xcv-expired");
        let newest = report.signatures[0].timestamps.last().unwrap();
        assert_eq!(newest.code.as_deref(), Some("tsp-revocation-unavailable"));
        assert_ne!(pki.judge(document, "2029-06-01", &[], AT_TOKEN).decision, Decision::Refused);
    }
    accepted(&pki.judge(&licence.lta, "2029-06-01", &[], AT_TOKEN), "LTA");
    refused(&pki.judge(&licence.t, "2029-06-01", &[], AT_TOKEN), "xcv-expired");
}

/// Revoked in 2027, for each reason: what was proven before stays for the reasons that do not look backward.
#[test]
fn the_signer_is_revoked_for_each_reason() {
    let pki = Pki::new();
    let licence = Licence::of(&pki);
    let benign = [3, 4, 5, 9];
    for reason in [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), Some(9), Some(10)] {
        let row = [pki.revoked(&pki.issuer, &pki.signer, "2027-02-01", reason)];
        let lists = pki.lists("2027-06-01", &row);
        refused(&pki.judge(&licence.b, "2027-06-01", &lists, NOW), "rev-revoked");
        for (document, level) in [(&licence.t, "T"), (&licence.lt, "LT"), (&licence.lta, "LTA")] {
            let report = pki.judge(document, "2027-06-01", &lists, NOW);
            if reason.is_some_and(|code| benign.contains(&code)) {
                accepted(&report, level);
            } else {
                refused(&report, "rev-revoked");
            }
        }
        // A licence of the day after the revocation has no such proof.
        let late = pki.extended(&licence.b, "2027-02-02", Level::T, &pki.first, &pki.lists("2027-02-02", &[])).unwrap();
        refused(&pki.judge(&late, "2027-06-01", &lists, NOW), "rev-revoked");
    }
}

/// Held in 2027, and nothing else: a signature of before is not touched, one of now waits.
#[test]
fn the_signer_is_on_hold() {
    let pki = Pki::new();
    let licence = Licence::of(&pki);
    let row = [pki.revoked(&pki.issuer, &pki.signer, "2027-02-01", Some(6))];
    let lists = pki.lists("2027-06-01", &row);
    let report = pki.judge(&licence.b, "2027-06-01", &lists, NOW);
    refused(&report, "rev-on-hold");
    assert_eq!(report.decision, Decision::Undetermined);
    accepted(&pki.judge(&licence.lta, "2027-06-01", &lists, NOW), "LTA");
}

/// The authority above the signer is revoked in 2028.
#[test]
fn the_intermediate_is_revoked() {
    let pki = Pki::new();
    let licence = Licence::of(&pki);
    for (reason, stands) in [(Some(4), true), (Some(5), true), (Some(2), false), (Some(1), false), (None, false)] {
        let row = [pki.revoked(&pki.root, &pki.issuer, "2028-02-01", reason)];
        let lists = pki.lists("2028-06-01", &row);
        assert_ne!(pki.judge(&licence.b, "2028-06-01", &lists, NOW).decision, Decision::Accepted);
        for (document, level) in [(&licence.lt, "LT"), (&licence.lta, "LTA"), (&licence.renewed_2028, "LTA")] {
            let report = pki.judge(document, "2028-06-01", &lists, NOW);
            if stands {
                accepted(&report, level);
            } else {
                assert_ne!(report.decision, Decision::Accepted, "{reason:?} {}", says(&report));
            }
        }
    }
}

/// 2030: the first authority has expired. What was renewed in time stands, what was not has no proof left.
#[test]
fn the_time_stamping_authority_has_expired() {
    let pki = Pki::new();
    let licence = Licence::of(&pki);
    let lists = pki.lists("2030-06-01", &[]);
    for document in [&licence.lt, &licence.lta] {
        let report = pki.judge(document, "2030-06-01", &lists, NOW);
        refused(&report, "xcv-expired");
        assert_eq!(level(&report), "B");
        assert_eq!(report.signatures[0].timestamps[0].code.as_deref(), Some("tsp-expired"));
    }
    let report = pki.judge(&licence.renewed_2028, "2030-06-01", &lists, NOW);
    accepted(&report, "LTA");
    assert!(report.signatures[0].timestamps.iter().all(|token| token.outcome == TimestampOutcome::Valid));
    // Too late is too late: nothing that is not accepted is renewed.
    let late = pki.extended(&licence.lta, "2030-06-01", Level::Lta, &pki.second, &lists);
    assert!(matches!(late, Err(ExtendError::NotAccepted(_))));
}

/// The first authority's key is compromised in mid-2028: its tokens prove nothing any more, except those that another
/// authority has seen before.
#[test]
fn the_time_stamping_authority_is_compromised() {
    let pki = Pki::new();
    let licence = Licence::of(&pki);
    let row = [pki.revoked(&pki.first.above, &pki.first.own, "2028-07-01", Some(1))];
    let lists = pki.lists("2029-06-01", &row);
    let report = pki.judge(&licence.lta, "2029-06-01", &lists, NOW);
    refused(&report, "xcv-expired");
    assert_eq!(report.signatures[0].timestamps[0].code.as_deref(), Some("tsp-revoked"));
    accepted(&pki.judge(&licence.renewed_2028, "2029-06-01", &lists, NOW), "LTA");
    // Revoked before the other authority saw them: no.
    let row = [pki.revoked(&pki.first.above, &pki.first.own, "2028-02-01", Some(1))];
    let report = pki.judge(&licence.renewed_2028, "2029-06-01", &pki.lists("2029-06-01", &row), NOW);
    refused(&report, "xcv-expired");
}

/// 2036: SHA-256 has ended with 2034. The signature, its certificates and the first tokens are made with it.
#[test]
fn an_algorithm_has_ended() {
    let pki = Pki::new();
    let licence = Licence::of(&pki);
    let lists = pki.lists("2036-06-01", &[]);
    // The second authority uses SHA-384 and saw everything in 2028.
    accepted(&pki.judge(&licence.renewed_2028, "2036-06-01", &lists, NOW), "LTA");
    accepted(&pki.judge(&licence.renewed_2034, "2036-06-01", &lists, NOW), "LTA");
    for document in [&licence.b, &licence.t, &licence.lt, &licence.lta] {
        assert_ne!(pki.judge(document, "2036-06-01", &lists, NOW).decision, Decision::Accepted);
    }
    // An archive time-stamp of a good authority over a weak digest ends with the digest.
    let weak = Tsa { digest: DigestAlgorithm::Sha256, ..pki.second.clone() };
    let weak = pki.renewed(&licence.lta, "2028-03-01", &weak);
    accepted(&pki.judge(&weak, "2034-12-01", &pki.lists("2034-12-01", &[]), NOW), "LTA");
    let report = pki.judge(&weak, "2036-06-01", &lists, NOW);
    assert_ne!(report.decision, Decision::Accepted, "{}", says(&report));
    let newest = report.signatures[0].timestamps.last().unwrap();
    assert_eq!(newest.code.as_deref(), Some("tsp-algorithm-not-allowed"));
}

/// 2040: signer, issuer, first and second authority have expired, SHA-256 is broken, and there is no network.
#[test]
fn the_auditor_of_2040_gets_the_same_answer() {
    let pki = Pki::new();
    let licence = Licence::of(&pki);
    // With the lists of the third authority on a disk.
    let report = pki.judge(&licence.renewed_2034, "2040-06-01", &pki.lists("2040-06-01", &[]), NOW);
    accepted(&report, "LTA");
    assert_eq!(report.signatures[0].renew_before, Some(time("2042-12-31")));
    let kinds: Vec<_> = report.signatures[0].timestamps.iter().map(|token| token.kind).collect();
    assert_eq!(
        kinds,
        [TimestampKind::Signature, TimestampKind::Archive, TimestampKind::Archive, TimestampKind::Archive]
    );
    // With nothing at all: the status of the third authority today is not known.
    let offline = pki.judge(&licence.renewed_2034, "2040-06-01", &[], NOW);
    refused(&offline, "xcv-expired");
    let newest = offline.signatures[0].timestamps.last().unwrap();
    assert_eq!(newest.code.as_deref(), Some("tsp-revocation-unavailable"));
    // A renewal that was not made, a link that is missing.
    for document in [&licence.b, &licence.t, &licence.lt, &licence.lta, &licence.renewed_2028] {
        let report = pki.judge(document, "2040-06-01", &pki.lists("2040-06-01", &[]), NOW);
        assert_ne!(report.decision, Decision::Accepted, "{}", says(&report));
    }
    // Nothing after 2042.
    let report = pki.judge(&licence.renewed_2034, "2043-06-01", &pki.lists("2043-06-01", &[]), NOW);
    refused(&report, "xcv-expired");
}

/// The content travels apart: without it an archive time-stamp proves nothing, with another it is broken.
#[test]
fn a_detached_licence_keeps_its_proof_with_its_content() {
    let pki = Pki::new();
    let b = pki.signed(b"a licence", Encapsulation::Detached);
    let lists = pki.lists(SIGNED, &[]);
    let content = Some(&b"a licence"[..]);
    let lta = pki.extended_content(&b, content, SIGNED, Level::Lta, &pki.first, &lists).unwrap();
    let at = time(SIGNED).plus_seconds(7200);
    accepted(&pki.judge_content(&lta, content, at, &lists, NOW), "LTA");
    assert_eq!(code(&pki.judge_content(&lta, None, at, &lists, NOW)), Some("cv-signed-data-missing"));
    let other = pki.judge_content(&lta, Some(b"another licence"), at, &lists, NOW);
    refused(&other, "cv-digest-mismatch");
}

/// Extending never moves a signed octet, and never the octets that an earlier archive time-stamp covers.
#[test]
fn renewals_keep_what_was_covered() {
    let pki = Pki::new();
    let licence = Licence::of(&pki);
    let mut known: HashMap<Digest, Vec<u8>> = HashMap::new();
    for document in [&licence.b, &licence.t, &licence.lt, &licence.lta, &licence.renewed_2028, &licence.renewed_2034] {
        let parsed = tamga::format::cms::parse(document, None).unwrap();
        let signature = &parsed.signatures[0];
        let present: HashMap<Digest, Vec<u8>> =
            (parsed.elements.certificates.iter().chain(&parsed.elements.revocations))
                .chain(&signature.signer_fields)
                .copied()
                .chain(signature.unsigned_values.iter().map(|value| value.value))
                .map(|octets| (Digest::sha256(octets), octets.to_vec()))
                .collect();
        assert!(known.keys().all(|digest| present.contains_key(digest)));
        known = present;
    }
}
