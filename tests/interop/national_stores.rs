//! The national authority's key stores as the key that seals licences, with its own certificates and list.

use crate::fixture::moment;
use crate::licences::licence;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tamga::adapter::sealing::Sealing;
use tamga::adapter::soft_key::SoftKey;
use tamga::format::armour;
use tamga::licensing::Container;
use tamga::pki::{Certificate, Crl, RevocationList};
use tamga::port::KeySigner as _;
use tamga::report::{Decision, Time, ValidationReport};
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

/// A day on which the stores' certificates are valid and the list of August is current.
fn day() -> Time {
    moment()
}

fn sealed_by(store: &[u8]) -> (SoftKey, Vec<u8>) {
    let key = SoftKey::open(store, Some("Qwerty12"), Vec::new()).unwrap();
    let prepared = Sealing::default().prepare(Container::Cms, &licence(), &key, day()).unwrap();
    let value = key.sign(&prepared.to_be_signed).unwrap();
    let document = (prepared.seal)(&value).unwrap();
    (key, document)
}

fn judge(folder: &Path, document: &[u8], policy: &str) -> ValidationReport {
    let authority = fs::read(folder.join("ca/test/nca_gost2022_test.cer")).unwrap();
    let anchors = [Certificate::parse(&armour::dearmour(&authority).unwrap()).unwrap()];
    let list = Crl::parse(&fs::read(folder.join("crl/nca_gost2022_test_2026-08.crl")).unwrap()).unwrap();
    let lists = [Arc::new(list) as Arc<dyn RevocationList>];
    verify(&VerificationInputs {
        report_id: "test",
        at: day(),
        received_at: None,
        document,
        format: None,
        content: None,
        declared: DeclaredApplicant::default(),
        service: None,
        policy: &Policy::built_in(policy).unwrap(),
        context: ValidationContext { trust_anchors: &anchors, lists: &lists, ..ValidationContext::default() },
    })
}

#[test]
fn a_store_of_the_national_authority_seals_and_a_revoked_one_is_found_out() {
    let Some(folder) = corpus() else { return };
    for (file, code) in
        [("gost2015_head.p12", None), ("gost2015_individual.p12", None), ("gost2015_employee.p12", Some("rev-revoked"))]
    {
        let (key, document) = sealed_by(&fs::read(folder.join("p12").join(file)).unwrap());
        for policy in ["licence", "kz-500"] {
            for (what, octets) in [("licence", document.as_slice()), ("certificate", key.certificate())] {
                let report = judge(&folder, octets, policy);
                let found = report.refusal.as_ref().map(|refusal| refusal.code.as_str());
                assert_eq!(found, code, "{file} {policy} {what}");
                let decision = if code.is_none() { Decision::Accepted } else { Decision::Refused };
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
