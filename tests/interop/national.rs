//! The national authority's material through the whole verification: its documents, and its key stores as the key that
//! seals licences, with its own certificates and list.

use crate::fixture::moment;
use crate::licences::licence;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tamga::adapter::sealing::Sealing;
use tamga::adapter::soft_key::SoftKey;
use tamga::format::armour;
use tamga::licensing::Container;
use tamga::pki::ocsp::CertStatus;
use tamga::pki::{Bin, Certificate, Crl, Iin, OcspResponse, RevocationList};
use tamga::port::KeySigner as _;
use tamga::report::{CheckId, Decision, Outcome, Reason, Time, ValidationReport};
use tamga::service::Stamping as _;
use tamga::verify::certificate::ValidationContext;
use tamga::verify::policy::Policy;
use tamga::verify::{DeclaredApplicant, VerificationInputs, verify};

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("TAMGA_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from)
        .join("kz");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no corpus");
    None
}

/// A question about a document, with files of the corpus for facts.
struct Case<'a> {
    folder: &'a Path,
    anchor: &'a str,
    list: Option<&'a str>,
    content: Option<&'a str>,
    at: &'a str,
    policy: &'a str,
    declared: DeclaredApplicant,
}

impl<'a> Case<'a> {
    /// The authority and the list of 2026.
    fn of_2026(folder: &'a Path) -> Case<'a> {
        Case {
            folder,
            anchor: "ca/test/nca_gost2022_test.cer",
            list: Some("crl/nca_gost2022_test_2026-08.crl"),
            content: None,
            at: "2026-08-20T00:00:00Z",
            policy: "signature",
            declared: DeclaredApplicant::default(),
        }
    }

    fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.folder.join(file)).unwrap()
    }

    fn judge(&self, document: &[u8]) -> ValidationReport {
        let anchors = [Certificate::parse(&armour::dearmour(&self.read(self.anchor)).unwrap()).unwrap()];
        let list = |file: &str| Arc::new(Crl::parse(&self.read(file)).unwrap()) as Arc<dyn RevocationList>;
        let lists: Vec<_> = self.list.map(list).into_iter().collect();
        let content = self.content.map(|file| self.read(file));
        verify(&VerificationInputs {
            report_id: "test",
            at: self.at.parse().unwrap(),
            received_at: None,
            document,
            format: None,
            content: content.as_deref(),
            declared: self.declared.clone(),
            service: None,
            policy: &Policy::built_in(self.policy).unwrap(),
            context: ValidationContext { trust_anchors: &anchors, lists: &lists, ..ValidationContext::default() },
        })
    }
}

fn code(report: &ValidationReport) -> Option<&str> {
    report.refusal.as_ref().map(|refusal| refusal.code.as_str())
}

const IIN: &str = "123456789011";
const BIN: &str = "123456789021";

#[test]
fn documents_of_2026_are_accepted_with_iin_bin_and_role() {
    let Some(folder) = corpus() else { return };
    for (file, content, bin, roles) in [
        ("individual_attached.der", None, None, &["natural-person"][..]),
        ("individual_detached.der", Some("cms/gost2015/individual_document.txt"), None, &["natural-person"]),
        ("legal_entity_attached.der", None, Some(BIN), &["legal-entity"]),
    ] {
        let (iin, bin) = (Iin::parse(IIN), bin.and_then(Bin::parse));
        for policy in ["request", "kz-500"] {
            let case = Case { content, policy, declared: DeclaredApplicant { iin, bin }, ..Case::of_2026(&folder) };
            let document = case.read(&format!("cms/gost2015/{file}"));
            let report = case.judge(&document);
            assert_eq!((code(&report), report.decision), (None, Decision::Accepted), "{file} {policy}");
            let signer = report.signatures[0].signer.as_ref().unwrap();
            assert_eq!((signer.iin.as_deref(), signer.bin.as_deref()), (Some(IIN), bin.as_ref().map(Bin::as_str)));
            assert!(roles.iter().all(|role| signer.roles.iter().any(|found| found == role)), "{:?}", signer.roles);
            let algorithm = report.signatures[0].algorithm.as_deref();
            assert_eq!(algorithm, Some("GOST 34.10-2015-512 with GOST 34.11-2015-512"));
            let other = Case { declared: DeclaredApplicant { iin: Iin::parse("850412300125"), bin }, ..case };
            assert_eq!(code(&other.judge(&document)), Some("id-applicant-mismatch"));
        }
    }
}

/// Signed with a key for authentication: the cryptography holds, and the key may not sign.
#[test]
fn documents_signed_with_an_authentication_key_are_refused_for_its_usage() {
    let Some(folder) = corpus() else { return };
    for (file, refused) in [
        ("cms/rsa/individual_auth.cms", true),
        ("cms/rsa/individual_sign.cms", false),
        ("xml/rsa/individual_auth.xml", true),
        ("xml/rsa/individual_sign.xml", false),
    ] {
        for policy in ["signature", "kz-500", "kz-1187"] {
            let case = Case {
                anchor: "ca/test/nca_rsa_test.crt",
                list: None,
                at: "2020-06-01T00:00:00Z",
                policy,
                ..Case::of_2026(&folder)
            };
            let report = case.judge(&case.read(file));
            let checks = &report.signatures[0].checks;
            assert_eq!(checks.outcome(CheckId::SignatureValue), &Outcome::Passed, "{file}");
            assert_eq!(checks.outcome(CheckId::CertificateValidity), &Outcome::Passed, "{file}");
            let usage = checks.outcome(CheckId::KeyUsage).failure().map(Reason::code);
            assert_eq!(usage.is_some(), refused, "{file} {policy}: {usage:?}");
            assert_ne!(report.decision, Decision::Accepted, "there is no list of that time");
        }
    }
}

/// RFC 6960 §4.4.8: "revoked since 1970, on hold" is what the responder says of a number that was never issued.
#[test]
fn a_number_that_was_never_issued_is_unknown_and_not_revoked() {
    let Some(folder) = corpus() else { return };
    let status = |file: &str| {
        let response = OcspResponse::parse(&fs::read(folder.join("ocsp").join(file)).unwrap()).unwrap();
        response.status(&response.responses[0])
    };
    assert_eq!(status("gost2015_individual.der"), CertStatus::Unknown);
    let CertStatus::Revoked { at, .. } = status("gost2015_ceo_revoked.der") else { panic!("revoked") };
    assert_eq!(at.to_string(), "2022-07-27T10:25:30Z");
}

fn sealed_by(store: &[u8]) -> (SoftKey, Vec<u8>) {
    let key = SoftKey::open(store, Some("Qwerty12"), Vec::new()).unwrap();
    let prepared = Sealing::default().prepare(Container::Cms, &licence(), &key, moment()).unwrap();
    let value = key.sign(&prepared.to_be_signed).unwrap();
    let document = (prepared.seal)(&value).unwrap();
    (key, document)
}

#[test]
fn a_store_of_the_national_authority_seals_and_a_revoked_one_is_found_out() {
    let Some(folder) = corpus() else { return };
    for (file, expected) in
        [("gost2015_head.p12", None), ("gost2015_individual.p12", None), ("gost2015_employee.p12", Some("rev-revoked"))]
    {
        let (key, document) = sealed_by(&fs::read(folder.join("p12").join(file)).unwrap());
        for policy in ["licence", "kz-500"] {
            let case = Case { at: "2026-11-22T02:00:00Z", policy, ..Case::of_2026(&folder) };
            for (what, octets) in [("licence", document.as_slice()), ("certificate", key.certificate())] {
                let report = case.judge(octets);
                assert_eq!(code(&report), expected, "{file} {policy} {what}");
                let decision = if expected.is_none() { Decision::Accepted } else { Decision::Refused };
                assert_eq!(report.decision, decision, "{file} {policy} {what}");
            }
        }
    }
}

/// A key of 2020 for GOST 34.310-2004 opens, and seals nothing new.
#[test]
fn a_store_of_the_standard_of_2004_seals_nothing() {
    let Some(folder) = corpus() else { return };
    let store = fs::read(folder.join("p12/gost2004_organization_sign.p12")).unwrap();
    let key = SoftKey::open(&store, Some("Qwerty12"), Vec::new()).unwrap();
    let within_its_validity: Time = "2020-06-01T00:00:00Z".parse().unwrap();
    let refused = Sealing::default().prepare(Container::Cms, &licence(), &key, within_its_validity).err();
    assert!(format!("{refused:?}").contains("not strong enough"), "{refused:?}");
}
