//! Hostile certificates, lists and responses (`validation.md` §5, attacks 21 to 27): each ends in its own code.
//!
//! Everything is issued here with fixed times; the keys are made anew for every run.

use std::sync::Arc;
use std::time::{Duration, Instant};
use tamga::adapter::fetch::{FetchRules, Fetcher, OnlineRevocation, PrivateAddresses};
use tamga::asn1::{Oid, encode, oid};
use tamga::crypto::DigestAlgorithm;
use tamga::demonstration::crl::CrlTemplate;
use tamga::demonstration::extension::{self, IssuingDistributionPoint};
use tamga::demonstration::ocsp::{CertificateStatus, OcspTemplate, SingleResponse, certificate_id};
use tamga::demonstration::{
    CertificateTemplate, Credential, Extension, Key, KeyKind, NameTemplate, RevokedEntry, Validity,
};
use tamga::pki::extension::{KeyUsage, id, purpose};
use tamga::pki::name::attribute;
use tamga::pki::{Certificate, Crl, OcspResponse, RevocationList};
use tamga::port::{OcspAnswer, OcspQuestion, RevocationSource as _};
use tamga::report::{CheckId, Outcome, Time};
use tamga::verify::certificate::{Material, Purpose, ValidationContext, validate_certificate};
use tamga::verify::policy::{Policy, RevocationSources};

pub(super) const AT: Time = Time::from_unix(1_800_000_000);
pub(super) const DAY: i64 = Validity::DAY;
pub(super) const YEAR: Validity = Validity::around(AT, 200, 200);

/// What an attacker may cost, at most (issue budget); unoptimised code is given tenfold.
const MOST_TIME: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 });

pub(super) fn key(label: &str) -> Arc<Key> {
    Key::cached(KeyKind::P256, label).unwrap()
}

pub(super) fn name(text: &str) -> NameTemplate {
    NameTemplate::new().with(attribute::COUNTRY, "KZ").with(attribute::COMMON_NAME, text)
}

pub(super) fn authority(text: &str, key: &Key) -> CertificateTemplate {
    CertificateTemplate::authority(name(text), key.spki(), YEAR, None)
}

pub(super) fn signer(text: &str) -> CertificateTemplate {
    CertificateTemplate::new(name(text), key("signer").spki(), YEAR)
        .with(extension::key_usage(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION))
        .with(extension::extended_key_usage(&[purpose::EMAIL_PROTECTION]))
}

pub(super) fn root() -> Credential {
    Credential::root(&authority("Root", &key("root")), key("root")).unwrap()
}

pub(super) fn below(issuer: &Credential, template: &CertificateTemplate, label: &str) -> Credential {
    issuer.issue(template, key(label)).unwrap()
}

/// A list of yesterday, good for six more days.
pub(super) fn list(number: u64) -> CrlTemplate {
    CrlTemplate::new(AT.plus_seconds(-DAY), number)
}

pub(super) fn entry(of: &Credential) -> RevokedEntry {
    RevokedEntry::new(&of.serial_number, AT.plus_seconds(-2 * DAY))
}

/// One question: a target and all that is at hand.
struct Case {
    target: Vec<u8>,
    anchors: Vec<Vec<u8>>,
    pool: Vec<Vec<u8>>,
    lists: Vec<Vec<u8>>,
    responses: Vec<Vec<u8>>,
    policy: Policy,
    at: Time,
}

impl Case {
    /// Root, one authority with an empty list of each, a signer.
    fn new(root: &Credential, authorities: &[&Credential], target: &Credential) -> Case {
        let lists = [root].into_iter().chain(authorities.iter().copied());
        Case {
            target: target.certificate.clone(),
            anchors: vec![root.certificate.clone()],
            pool: authorities.iter().map(|authority| authority.certificate.clone()).collect(),
            lists: lists.map(|issuer| list(1).issue(issuer).unwrap()).collect(),
            responses: Vec::new(),
            policy: Policy::default(),
            at: AT,
        }
    }

    fn lists(self, lists: &[Vec<u8>]) -> Case {
        Case { lists: lists.to_vec(), ..self }
    }

    fn responses(self, responses: &[Vec<u8>]) -> Case {
        Case { responses: responses.to_vec(), ..self }
    }

    /// The codes that stand against the target, in the order of the checks.
    fn codes(&self) -> Vec<&'static str> {
        let parse =
            |all: &[Vec<u8>]| -> Vec<Certificate> { all.iter().map(|der| Certificate::parse(der).unwrap()).collect() };
        let (anchors, pool) = (parse(&self.anchors), parse(&self.pool));
        let list = |der: &Vec<u8>| -> Arc<dyn RevocationList> { Arc::new(Crl::parse(der).unwrap()) };
        let lists: Vec<_> = self.lists.iter().map(list).collect();
        let responses: Vec<_> = self.responses.iter().map(|der| OcspResponse::parse(der).unwrap()).collect();
        let context = ValidationContext {
            trust_anchors: &anchors,
            intermediates: &pool,
            lists: &lists,
            responses: &responses,
            ..ValidationContext::default()
        };
        let target = Certificate::parse(&self.target).unwrap();
        let mut fastest = Duration::MAX;
        let mut outcome = None;
        for _ in 0..3 {
            let start = Instant::now();
            let purpose = Purpose::DocumentSignature;
            outcome =
                Some(validate_certificate(&target, &Material::default(), purpose, self.at, &self.policy, &context));
            fastest = fastest.min(start.elapsed());
        }
        assert!(fastest < MOST_TIME, "{fastest:?}");
        let findings = outcome.unwrap().findings;
        let checks = [
            CheckId::CertificationPath,
            CheckId::CertificateValidity,
            CheckId::Revocation,
            CheckId::KeyUsage,
            CheckId::CertificatePolicy,
            CheckId::Algorithms,
        ];
        let codes: Vec<_> =
            checks.iter().filter_map(|id| findings.outcome(*id).failure()).map(|reason| reason.code()).collect();
        let all_passed = checks.iter().all(|id| findings.outcome(*id) == &Outcome::Passed);
        assert_eq!(all_passed, codes.is_empty(), "a check that neither passed nor failed");
        codes
    }

    #[track_caller]
    fn ends_in(&self, codes: &[&str]) {
        assert_eq!(self.codes(), codes);
    }
}

/// The good path that every attack spoils.
pub(super) fn good() -> (Credential, Credential, Credential) {
    let root = root();
    let ca = below(&root, &authority("CA", &key("ca")), "ca");
    let target = below(&ca, &signer("Signer"), "signer");
    (root, ca, target)
}

#[test]
fn the_path_that_the_attacks_spoil_is_good() {
    let (root, ca, target) = good();
    Case::new(&root, &[&ca], &target).ends_in(&[]);
}

// Attack 21: basicConstraints, keyCertSign, path length.

#[test]
fn an_end_entity_issues() {
    let (root, ca, leaf) = good();
    let forged = below(&leaf, &signer("Forged"), "forged");
    // Nor may it sign lists.
    Case::new(&root, &[&ca, &leaf], &forged).ends_in(&["xcv-basic-constraints", "rev-unavailable"]);
}

#[test]
fn an_authority_without_key_cert_sign_issues() {
    let root = root();
    let template = authority("CA", &key("ca")).with(extension::key_usage(KeyUsage::CRL_SIGN));
    let ca = below(&root, &template, "ca");
    Case::new(&root, &[&ca], &below(&ca, &signer("Signer"), "signer")).ends_in(&["xcv-key-usage"]);
}

#[test]
fn a_path_is_longer_than_its_constraint() {
    let root = root();
    let template = CertificateTemplate::authority(name("CA"), key("ca").spki(), YEAR, Some(0));
    let ca = below(&root, &template, "ca");
    let sub = below(&ca, &authority("Sub", &key("sub")), "sub");
    Case::new(&root, &[&ca, &sub], &below(&sub, &signer("Signer"), "signer")).ends_in(&["xcv-path-length"]);
}

#[test]
fn a_version_1_certificate_issues() {
    let root = root();
    let mut template = authority("CA", &key("ca"));
    (template.version, template.extensions) = (0, Vec::new());
    template.authority_key_identifier = tamga::demonstration::KeyIdentifier::Absent;
    let ca = below(&root, &template, "ca");
    Case::new(&root, &[&ca], &below(&ca, &signer("Signer"), "signer")).ends_in(&["xcv-basic-constraints"]);
}

#[test]
fn a_critical_extension_is_not_known() {
    let (root, ca, _) = good();
    let unknown = Extension::new(oid!(1, 3, 6, 1, 4, 1, 99999, 1), encode::null()).critical();
    let target = below(&ca, &signer("Signer").with(unknown), "signer");
    Case::new(&root, &[&ca], &target).ends_in(&["xcv-critical-extension-unknown"]);
}

#[test]
fn a_critical_extension_of_the_trust_anchor_is_not_known() {
    let unknown = Extension::new(oid!(1, 3, 6, 1, 4, 1, 99999, 1), encode::null());
    let issued = |extension: Extension| {
        let root = Credential::root(&authority("Root", &key("root")).with(extension), key("root")).unwrap();
        let ca = below(&root, &authority("CA", &key("ca")), "ca");
        let target = below(&ca, &signer("Signer"), "signer");
        Case::new(&root, &[&ca], &target)
    };
    issued(unknown.clone()).ends_in(&[]);
    issued(unknown.clone().critical()).ends_in(&["xcv-critical-extension-unknown"]);
    // Nor is a signer accepted for being named as an anchor itself.
    let (root, ca, _) = good();
    let target = below(&ca, &signer("Signer").with(unknown.critical()), "signer");
    let mut case = Case::new(&root, &[&ca], &target);
    case.anchors.push(target.certificate.clone());
    case.ends_in(&["xcv-critical-extension-unknown"]);
}

#[test]
fn a_trust_anchor_that_is_no_authority_issues() {
    // A signer's certificate without basicConstraints and keyUsage, named as an anchor to accept that signer alone.
    let template = CertificateTemplate::new(name("Pinned"), key("pinned").spki(), YEAR);
    let pinned = Credential::root(&template, key("pinned")).unwrap();
    let forged = below(&pinned, &signer("Forged"), "forged");
    Case::new(&pinned, &[], &forged).ends_in(&["xcv-basic-constraints"]);
    let mut alone = Case::new(&pinned, &[], &pinned);
    alone.ends_in(&[]);
    alone.lists.clear();
    alone.ends_in(&[]);
}

#[test]
fn a_certificate_alone_over_a_key_that_may_not_sign() {
    use tamga::verify::{DeclaredApplicant, VerificationInputs, verify};
    let (root, ca, _) = good();
    let anchors = [Certificate::parse(&root.certificate).unwrap()];
    let pool = [Certificate::parse(&ca.certificate).unwrap()];
    let lists = [&root, &ca]
        .map(|issuer| -> Arc<dyn RevocationList> { Arc::new(Crl::parse(&list(1).issue(issuer).unwrap()).unwrap()) });
    let policy = Policy::default();
    let judge = |spki: &[u8]| {
        let template = CertificateTemplate { spki: spki.to_vec(), ..signer("Signer") };
        let document = template.issue(&ca).unwrap();
        let context = ValidationContext {
            trust_anchors: &anchors,
            intermediates: &pool,
            lists: &lists,
            ..ValidationContext::default()
        };
        let report = verify(&VerificationInputs {
            report_id: "test",
            at: AT,
            received_at: None,
            document: &document,
            format: None,
            content: None,
            declared: DeclaredApplicant::default(),
            service: None,
            policy: &policy,
            context,
        });
        report.refusal.map(|refusal| refusal.code)
    };
    let spki = |algorithm: &[&[u8]], key: &[u8]| {
        encode::sequence(&[&encode::sequence(algorithm), &encode::element(tamga::asn1::Tag::BIT_STRING, &[&[0], key])])
    };
    assert_eq!(judge(key("signer").spki()), None);
    // RSA of 1024 bits; the curve's parameters spelled out; a key for agreement alone.
    let modulus = encode::unsigned(&[0xff; 128]);
    let short = encode::sequence(&[&modulus, &encode::unsigned(&[1, 0, 1])]);
    let rsa = encode::oid(oid!(1, 2, 840, 113549, 1, 1, 1));
    let explicit = [&encode::oid(oid!(1, 2, 840, 10045, 2, 1))[..], &encode::sequence(&[&encode::small_unsigned(1)])];
    for weak in [
        spki(&[&rsa, &encode::null()], &short),
        spki(&explicit, &[4; 65]),
        spki(&[&encode::oid(oid!(1, 3, 101, 110))], &[9; 32]),
    ] {
        assert_eq!(judge(&weak).as_deref(), Some("sav-algorithm-not-allowed"));
    }
}

#[test]
fn another_key_has_the_issuers_name() {
    let (root, ca, _) = good();
    let impostor = below(&root, &authority("CA", &key("impostor")), "impostor");
    let forged = below(&impostor, &signer("Signer"), "signer");
    // Only the true CA's certificate is at hand.
    Case::new(&root, &[&ca], &forged).ends_in(&["xcv-issuer-signature-invalid"]);
    let stranger = Credential::root(&authority("Root", &key("stranger")), key("stranger")).unwrap();
    let forged = below(&stranger, &signer("Signer"), "signer");
    Case::new(&root, &[], &forged).ends_in(&["xcv-issuer-signature-invalid"]);
}

#[test]
fn nobody_trusted_issued_it() {
    let (root, ca, target) = good();
    let mut case = Case::new(&root, &[], &target);
    case.ends_in(&["xcv-no-path"]);
    case.anchors.clear();
    case.pool = vec![root.certificate, ca.certificate];
    case.ends_in(&["xcv-no-path"]);
}

#[test]
fn dates_and_use_are_checked() {
    let (root, ca, _) = good();
    let with = |template: CertificateTemplate| Case::new(&root, &[&ca], &below(&ca, &template, "signer")).codes();
    let early = Validity { not_before: AT.plus_seconds(1), not_after: AT.plus_seconds(DAY) };
    assert_eq!(with(signer("S").validity(early)), ["xcv-not-yet-valid"]);
    let edge = Validity { not_before: AT.plus_seconds(-DAY), not_after: AT };
    assert_eq!(with(signer("S").validity(edge)), [""; 0]);
    assert_eq!(with(signer("S").with(extension::key_usage(KeyUsage::DIGITAL_SIGNATURE))), ["xcv-key-usage"]);
    let client = extension::extended_key_usage(&[purpose::CLIENT_AUTH]);
    assert_eq!(with(signer("S").with(client)), ["xcv-extended-key-usage"]);
    assert_eq!(with(signer("S").without(id::EXTENDED_KEY_USAGE)), [""; 0]);
}

#[test]
fn an_anchor_is_held_to_what_it_says() {
    let with = |template: CertificateTemplate| {
        let root = Credential::root(&template, key("root")).unwrap();
        let ca = below(&root, &authority("CA", &key("ca")), "ca");
        Case::new(&root, &[&ca], &below(&ca, &signer("Signer"), "signer")).codes()
    };
    let plain = || authority("Root", &key("root"));
    assert_eq!(with(plain()), [""; 0]);
    assert_eq!(with(plain().without(id::BASIC_CONSTRAINTS)), ["xcv-basic-constraints"]);
    let unknown = Extension::new(oid!(1, 3, 6, 1, 4, 1, 99999, 1), encode::null()).critical();
    assert_eq!(with(plain().with(unknown)), ["xcv-critical-extension-unknown"]);
    let constraints = extension::name_constraints(&[], &[extension::dns_name("a.kz")]);
    assert_eq!(with(plain().with(constraints.non_critical())), ["xcv-certificate-malformed"]);
}

#[test]
fn the_profile_is_broken() {
    let root = root();
    let with = |ca: CertificateTemplate, signer: CertificateTemplate| {
        let ca = below(&root, &ca, "ca");
        Case::new(&root, &[&ca], &below(&ca, &signer, "signer")).codes()
    };
    let malformed = ["xcv-certificate-malformed"];
    let numbered = |number: &[u8]| CertificateTemplate { serial_number: number.to_vec(), ..signer("Signer") };
    let ca = || authority("CA", &key("ca"));
    assert_eq!(with(ca(), numbered(&[0])), malformed, "zero");
    assert_eq!(with(ca(), numbered(&[0x7f; 21])), malformed, "21 octets");
    assert_eq!(with(ca(), numbered(&[0x7f; 20])), [""; 0], "20 octets");
    let constraints = extension::name_constraints(&[], &[extension::dns_name("a.kz")]);
    assert_eq!(with(ca().with(constraints.clone()), signer("Signer")), [""; 0]);
    assert_eq!(with(ca().with(constraints.non_critical()), signer("Signer")), malformed);
}

// Attack 22: name constraints.

#[test]
fn names_outside_the_constraints() {
    let root = root();
    let constrained = |permitted: &[Vec<u8>], excluded: &[Vec<u8>], names: &[Vec<u8>]| {
        let template = authority("CA", &key("ca")).with(extension::name_constraints(permitted, excluded));
        let ca = below(&root, &template, "ca");
        let target = below(&ca, &signer("Signer").with(extension::subject_alt_name(names)), "signer");
        Case::new(&root, &[&ca], &target).codes()
    };
    let (dns, mail, uri) = (extension::dns_name, extension::rfc822_name, extension::uri);
    let bad = ["xcv-name-constraints"];
    assert_eq!(constrained(&[dns("a.kz")], &[], &[dns("x.a.kz")]), [""; 0]);
    assert_eq!(constrained(&[dns("a.kz")], &[], &[dns("xa.kz")]), bad);
    assert_eq!(constrained(&[], &[dns("s.a.kz")], &[dns("*.a.kz")]), bad, "a wildcard over the excluded name");
    assert_eq!(constrained(&[mail("a.kz")], &[], &[mail("x@b.kz@a.kz")]), bad);
    assert_eq!(constrained(&[mail("a.kz")], &[], &[mail("x@A.KZ")]), [""; 0]);
    assert_eq!(constrained(&[uri("a.kz")], &[], &[uri("http://a.kz:80/x")]), [""; 0]);
    assert_eq!(constrained(&[uri("a.kz")], &[], &[uri("http://a.kz.b.kz/")]), bad);
    assert_eq!(constrained(&[], &[uri("a.kz")], &[uri("urn:x")]), bad, "no host to judge");
    let other = encode::element(tamga::asn1::Tag::context(8), &[&[0x2a, 3]]);
    assert_eq!(
        constrained(std::slice::from_ref(&other), &[], std::slice::from_ref(&other)),
        bad,
        "a form that is not known"
    );
    let elsewhere = extension::directory_name(&name("Elsewhere").to_der());
    assert_eq!(constrained(&[elsewhere], &[], &[dns("a.kz")]), bad, "the subject");
}

#[test]
fn an_address_in_the_subject_is_constrained_whatever_alternative_names_there_are() {
    let root = root();
    let constraints = extension::name_constraints(&[extension::rfc822_name("a.kz")], &[]);
    let ca = below(&root, &authority("CA", &key("ca")).with(constraints), "ca");
    let codes = |address: &str, names: &[Vec<u8>]| {
        let subject = name("Signer").with(attribute::EMAIL_ADDRESS, address);
        let mut template = CertificateTemplate { subject, ..signer("Signer") };
        if !names.is_empty() {
            template = template.with(extension::subject_alt_name(names));
        }
        Case::new(&root, &[&ca], &below(&ca, &template, "signer")).codes()
    };
    let other = [extension::dns_name("b.kz")];
    assert_eq!(codes("x@a.kz", &[]), [""; 0]);
    assert_eq!(codes("x@a.kz", &other), [""; 0]);
    assert_eq!(codes("x@b.kz", &[]), ["xcv-name-constraints"]);
    assert_eq!(codes("x@b.kz", &other), ["xcv-name-constraints"]);
}

#[test]
fn name_constraints_are_paid_for() {
    let root = root();
    let names = |prefix: &str| -> Vec<Vec<u8>> {
        (0..2_000).map(|n| extension::dns_name(&format!("{prefix}{n}.a.kz"))).collect()
    };
    let template = authority("CA", &key("ca")).with(extension::name_constraints(&[], &names("no")));
    let ca = below(&root, &template, "ca");
    let target = below(&ca, &signer("Signer").with(extension::subject_alt_name(&names("yes"))), "signer");
    Case::new(&root, &[&ca], &target).ends_in(&["xcv-budget-exceeded"]);
}

// Attack 23: policies.

#[test]
fn policies_explode() {
    let root = root();
    let policy = |n: u64| -> Vec<u8> {
        let text = format!("1.2.398.9.{n}");
        text.parse::<tamga::asn1::OidBuf>().unwrap().as_oid().as_bytes().to_vec()
    };
    let oids: Vec<Vec<u8>> = (0..100).map(policy).collect();
    let all: Vec<Oid<'_>> = oids.iter().map(|contents| Oid::from_contents(contents).unwrap()).collect();
    let pairs: Vec<(Oid<'_>, Oid<'_>)> = all.iter().flat_map(|a| all.iter().map(move |b| (*a, *b))).collect();
    let mut issuer = root.clone();
    let mut chain = Vec::new();
    for level in 0..5 {
        let label = format!("level {level}");
        let template = authority(&label, &key(&label))
            .with(extension::certificate_policies(&all))
            .with(extension::policy_mappings(&pairs));
        issuer = below(&issuer, &template, &label);
        chain.push(issuer.clone());
    }
    let target = below(&issuer, &signer("Signer").with(extension::certificate_policies(&all)), "signer");
    let chain: Vec<&Credential> = chain.iter().collect();
    Case::new(&root, &chain, &target).ends_in(&["xcv-budget-exceeded"]);
}

#[test]
fn a_policy_is_asked_for_and_not_there() {
    let (root, ca, target) = good();
    let mut case = Case::new(&root, &[&ca], &target);
    case.policy.path.require_explicit_policy = true;
    case.ends_in(&["xcv-policy"]);
}

// Attack 24: path building.

#[test]
fn a_mesh_of_cross_certificates_ends() {
    let root = root();
    let labels: Vec<String> = (0..16).map(|n| format!("mesh {n}")).collect();
    let nodes: Vec<Credential> =
        labels.iter().map(|label| Credential::root(&authority(label, &key(label)), key(label)).unwrap()).collect();
    let mut pool = Vec::new();
    for (issuer, from) in nodes.iter().zip(&labels) {
        for label in labels.iter().filter(|label| *label != from) {
            pool.push(issuer.issue(&authority(label, &key(label)), key(label)).unwrap().certificate);
        }
    }
    let target = below(&nodes[0], &signer("Signer"), "signer");
    let mut case = Case::new(&root, &[], &target);
    case.pool = pool;
    // Nothing in the mesh leads to the anchor.
    case.ends_in(&["xcv-no-path"]);
    // One bridge does, at the far end.
    let bridge = below(&root, &authority(&labels[15], &key(&labels[15])), &labels[15]);
    case.pool.push(bridge.certificate.clone());
    case.lists = vec![list(1).issue(&root).unwrap()];
    case.lists.extend(nodes.iter().map(|node| list(1).issue(node).unwrap()));
    case.ends_in(&[]);
    // The bridge has the right name and the wrong key.
    case.pool.pop();
    let forged = below(&root, &authority(&labels[15], &key("forged bridge")), "forged bridge");
    case.pool.push(forged.certificate);
    let codes = case.codes();
    assert!(codes == ["xcv-issuer-signature-invalid"] || codes == ["xcv-budget-exceeded"], "{codes:?}");
}

#[test]
fn a_path_is_too_deep() {
    let root = root();
    let mut issuer = root.clone();
    let mut chain = Vec::new();
    for level in 0..12 {
        let label = format!("deep {level}");
        issuer = below(&issuer, &authority(&label, &key(&label)), &label);
        chain.push(issuer.clone());
    }
    let target = below(&issuer, &signer("Signer"), "signer");
    Case::new(&root, &chain.iter().collect::<Vec<_>>(), &target).ends_in(&["xcv-budget-exceeded"]);
}

#[test]
fn monsters_of_many_megabytes_end() {
    let root = root();
    let names: Vec<Vec<u8>> =
        (0..60_000).map(|n| extension::dns_name(&format!("a-long-name-{n}.example.kz"))).collect();
    let mut issuer = root.clone();
    let mut chain = Vec::new();
    for level in 0..3 {
        let label = format!("monster {level}");
        let template = authority(&label, &key(&label)).with(extension::name_constraints(&[], &names));
        issuer = below(&issuer, &template, &label);
        chain.push(issuer.clone());
    }
    let target = below(&issuer, &signer("Signer").with(extension::subject_alt_name(&names)), "signer");
    assert!(target.certificate.len() > 1_600_000);
    Case::new(&root, &chain.iter().collect::<Vec<_>>(), &target).ends_in(&["xcv-budget-exceeded"]);
}

// Attack 25: which list speaks of what.

#[test]
fn lists_that_do_not_count() {
    let (root, ca, target) = good();
    let of_root = list(1).issue(&root).unwrap();
    let codes = |of_ca: Vec<u8>| Case::new(&root, &[&ca], &target).lists(&[of_root.clone(), of_ca]).codes();
    let unusable = ["rev-unavailable"];
    let impostor = below(&root, &authority("CA", &key("impostor")), "impostor");
    assert_eq!(codes(list(1).issue(&impostor).unwrap()), unusable, "wrong key, same name");
    assert_eq!(codes(of_root.clone()), unusable, "another issuer's list");
    let point = |point: IssuingDistributionPoint<'_>| codes(list(1).with(point.to_extension()).issue(&ca).unwrap());
    let only = IssuingDistributionPoint::default;
    assert_eq!(point(IssuingDistributionPoint { only_authority: true, ..only() }), unusable);
    assert_eq!(point(IssuingDistributionPoint { only_attribute: true, ..only() }), unusable);
    assert_eq!(point(IssuingDistributionPoint { uri: Some("http://other.kz/x.crl"), ..only() }), unusable);
    assert_eq!(point(IssuingDistributionPoint { reasons: Some(1 << 1), ..only() }), unusable, "one reason only");
    assert_eq!(point(IssuingDistributionPoint { only_user: true, ..only() }), [""; 0]);
    assert_eq!(codes(list(2).delta_to(1).issue(&ca).unwrap()), unusable, "a delta alone");
    let freshest = extension::freshest_crl(&["http://a.kz/d.crl"]).critical();
    assert_eq!(codes(list(1).with(freshest).issue(&ca).unwrap()), unusable, "a delta by the national profile");
    let unknown = || Extension::new(oid!(1, 3, 6, 1, 4, 1, 99999, 2), encode::null()).critical();
    assert_eq!(codes(list(1).with(unknown()).issue(&ca).unwrap()), unusable);
    let other = RevokedEntry::new(&[9], AT).with(unknown());
    assert_eq!(codes(list(1).revoke(other).issue(&ca).unwrap()), unusable);
    let future = CrlTemplate::new(AT.plus_seconds(DAY), 1);
    assert_eq!(codes(future.issue(&ca).unwrap()), unusable);
    let template = authority("CA", &key("ca")).with(extension::key_usage(KeyUsage::KEY_CERT_SIGN));
    let mute = below(&root, &template, "ca");
    let case = Case::new(&root, &[&mute], &below(&mute, &signer("Signer"), "signer"));
    assert_eq!(case.codes(), unusable, "the issuer may not sign lists");
}

#[test]
fn revocations_stand() {
    let (root, ca, target) = good();
    let of_root = list(1).issue(&root).unwrap();
    let codes = |lists: &[CrlTemplate]| {
        let mut all = vec![of_root.clone()];
        all.extend(lists.iter().map(|list| list.issue(&ca).unwrap()));
        Case::new(&root, &[&ca], &target).lists(&all).codes()
    };
    assert_eq!(codes(&[list(1).revoke(entry(&target).reason(1))]), ["rev-revoked"]);
    assert_eq!(codes(&[list(1).revoke(entry(&target).reason(6))]), ["rev-on-hold"]);
    let stale = |list: CrlTemplate| list.next_update(Some(AT.plus_seconds(-1)));
    assert_eq!(codes(&[stale(list(1))]), ["rev-stale"]);
    assert_eq!(codes(&[list(1).next_update(None)]), ["rev-stale"], "no end is no freshness");
    assert_eq!(codes(&[stale(list(1).revoke(entry(&target)))]), ["rev-revoked"], "a listed serial stays revoked");
    // A delta on top.
    let base = list(1);
    assert_eq!(codes(&[base.clone(), list(2).delta_to(1).revoke(entry(&target))]), ["rev-revoked"]);
    let held = list(1).revoke(entry(&target).reason(6));
    assert_eq!(codes(&[held.clone(), list(2).delta_to(1).revoke(entry(&target).reason(8))]), [""; 0], "removed");
    assert_eq!(codes(&[held, list(2).delta_to(5).revoke(entry(&target).reason(8))]), ["rev-on-hold"], "another base");
    assert_eq!(codes(&[stale(base), list(2).delta_to(1)]), [""; 0], "a fresh delta refreshes its base");
    // A mirror serves an older list beside the newer one: the higher number speaks.
    let newer = list(7).revoke(entry(&target).reason(1));
    let mut replayed = list(6);
    replayed.this_update = AT.plus_seconds(-60);
    assert_eq!(codes(&[replayed, newer]), ["rev-revoked"]);
}

#[test]
fn lists_of_two_series_are_both_heard() {
    let (root, ca, _) = good();
    let uri = "http://a.kz/part.crl";
    let template = signer("Signer").with(extension::crl_distribution_points(&[uri]));
    let target = below(&ca, &template, "signer");
    let of_root = list(1).issue(&root).unwrap();
    let part = |list: CrlTemplate| {
        let point = IssuingDistributionPoint { uri: Some(uri), ..IssuingDistributionPoint::default() };
        list.with(point.to_extension()).issue(&ca).unwrap()
    };
    let codes = |lists: [Vec<u8>; 2]| {
        let lists = [std::slice::from_ref(&of_root), &lists[..]].concat();
        Case::new(&root, &[&ca], &target).lists(&lists).codes()
    };
    let whole = || list(100).issue(&ca).unwrap();
    assert_eq!(codes([whole(), part(list(3))]), [""; 0]);
    // Numbers of two series do not compare: the partition's list is not older for its lower number.
    assert_eq!(codes([whole(), part(list(3).revoke(entry(&target).reason(1)))]), ["rev-revoked"]);
    let revoking = list(2).revoke(entry(&target).reason(1)).issue(&ca).unwrap();
    assert_eq!(codes([part(list(3)), revoking]), ["rev-revoked"]);
}

#[test]
fn another_authority_below_the_anchor_gives_the_issuers_name_away() {
    let (root, ca, target) = good();
    let sub = below(&root, &authority("Sub", &key("sub")), "sub");
    let codes = |issuer: &Credential| {
        let template = authority("CA", &key("impostor")).with(extension::key_usage(KeyUsage::CRL_SIGN));
        let impostor = below(issuer, &template, "impostor");
        let lists = [&root, &sub, &impostor].map(|issuer| list(1).issue(issuer).unwrap());
        let mut case = Case::new(&root, &[&ca, &sub], &target).lists(&lists);
        case.pool.push(impostor.certificate);
        case.codes()
    };
    assert_eq!(codes(&sub), ["rev-unavailable"]);
    // Who issued the authority may give its lists a key of their own (PKITS 4.4.19).
    assert_eq!(codes(&root), [""; 0]);
}

#[test]
fn a_direct_list_has_entries_of_other_issuers() {
    let (root, ca, target) = good();
    let codes = |list: CrlTemplate| {
        let lists = [super::hostile::list(1).issue(&root).unwrap(), list.issue(&ca).unwrap()];
        Case::new(&root, &[&ca], &target).lists(&lists).codes()
    };
    // certificateIssuer holds for the entries after it, so the signer's would not be found.
    let of_root = RevokedEntry::new(&[9], AT).certificate_issuer(&root.subject);
    assert_eq!(codes(list(1).revoke(of_root).revoke(entry(&target))), ["rev-unavailable"]);
}

#[test]
fn an_authority_is_revoked() {
    let (root, ca, target) = good();
    let of_root = list(1).revoke(entry(&ca).reason(2)).issue(&root).unwrap();
    let of_ca = list(1).issue(&ca).unwrap();
    Case::new(&root, &[&ca], &target).lists(&[of_root, of_ca.clone()]).ends_in(&["rev-ca-revoked"]);
    Case::new(&root, &[&ca], &target).lists(&[of_ca]).ends_in(&["rev-unavailable"]);
}

// Attack 26: what comes after the certificate's end.

#[test]
fn a_list_of_after_the_end_proves_nothing() {
    let (root, ca, _) = good();
    let ended = Validity { not_before: AT.plus_seconds(-300 * DAY), not_after: AT.plus_seconds(-2 * DAY) };
    let target = below(&ca, &signer("Signer").validity(ended), "signer");
    Case::new(&root, &[&ca], &target).ends_in(&["xcv-expired", "rev-unavailable"]);
    let keeps = |since: Time| Extension::new(id::EXPIRED_CERTS_ON_CRL, encode::generalized_time(since));
    let lists = |since: Time| [list(1).issue(&root).unwrap(), list(1).with(keeps(since)).issue(&ca).unwrap()];
    let case = |since| Case::new(&root, &[&ca], &target).lists(&lists(since));
    case(AT.plus_seconds(-400 * DAY)).ends_in(&["xcv-expired"]);
    case(AT.plus_seconds(-DAY)).ends_in(&["xcv-expired", "rev-unavailable"]);
}

// Attack 27: OCSP.

#[test]
fn responses_that_do_and_do_not_count() {
    let (root, ca, target) = good();
    let of_root = list(1).issue(&root).unwrap();
    let now = AT.plus_seconds(-60);
    let about = |issuer: &Credential, status| {
        let id = certificate_id(DigestAlgorithm::Sha1, issuer, &target.serial_number);
        SingleResponse::new(id, status, now)
    };
    let case = |responses: &[Vec<u8>]| {
        Case::new(&root, &[&ca], &target).lists(std::slice::from_ref(&of_root)).responses(responses)
    };
    let codes = |template: OcspTemplate, signer: &Credential| case(&[template.issue(signer).unwrap()]).codes();
    let said = |status| OcspTemplate::new(now, vec![about(&ca, status)]);
    let good = || said(CertificateStatus::Good);
    let unusable = ["rev-unavailable"];
    assert_eq!(codes(good(), &ca), [""; 0], "the issuer itself");
    let at = AT.plus_seconds(-DAY);
    assert_eq!(codes(said(CertificateStatus::Revoked { at, reason: Some(1) }), &ca), ["rev-revoked"]);
    assert_eq!(codes(said(CertificateStatus::Revoked { at, reason: Some(6) }), &ca), ["rev-on-hold"]);
    assert_eq!(codes(said(CertificateStatus::Unknown), &ca), ["rev-unknown"]);

    let responder = |purposes: &[Oid<'_>]| {
        CertificateTemplate::new(name("Responder"), key("responder").spki(), YEAR)
            .with(extension::key_usage(KeyUsage::DIGITAL_SIGNATURE))
            .with(extension::extended_key_usage(purposes))
            .with(extension::ocsp_nocheck())
    };
    let delegated = |issuer: &Credential, template: &CertificateTemplate| {
        let signer = below(issuer, template, "responder");
        codes(OcspTemplate { certificates: vec![signer.certificate.clone()], ..good() }, &signer)
    };
    assert_eq!(delegated(&ca, &responder(&[purpose::OCSP_SIGNING])), [""; 0]);
    assert_eq!(delegated(&ca, &responder(&[purpose::EMAIL_PROTECTION])), unusable, "not for OCSP");
    assert_eq!(delegated(&ca, &responder(&[purpose::ANY])), unusable, "any is not OCSP");
    assert_eq!(delegated(&root, &responder(&[purpose::OCSP_SIGNING])), unusable, "another issuer's responder");
    let impostor = below(&root, &authority("CA", &key("impostor")), "impostor");
    assert_eq!(delegated(&impostor, &responder(&[purpose::OCSP_SIGNING])), unusable, "same name, another key");
    let ended = Validity { not_before: AT.plus_seconds(-9 * DAY), not_after: AT.plus_seconds(-DAY) };
    assert_eq!(delegated(&ca, &responder(&[purpose::OCSP_SIGNING]).validity(ended)), unusable, "expired");
    let revocable = responder(&[purpose::OCSP_SIGNING])
        .without(id::OCSP_NOCHECK)
        .with(extension::crl_distribution_points(&["http://a.kz/ca.crl"]));
    assert_eq!(delegated(&ca, &revocable), unusable, "its own status is not known");
    let signer = below(&ca, &revocable, "responder");
    let answer = OcspTemplate { certificates: vec![signer.certificate.clone()], ..good() }.issue(&signer).unwrap();
    let mut known = case(&[answer]);
    known.policy.revocation.sources = RevocationSources::Ocsp;
    known.lists.push(list(1).issue(&ca).unwrap());
    // The authority's own status comes by list alone, so only the signer's can be good here.
    known.ends_in(&["rev-unavailable"]);
    known.policy.revocation.sources = RevocationSources::OcspThenCrl;
    known.ends_in(&[]);
    known.lists.pop();
    known.lists.push(list(1).revoke(entry(&signer)).issue(&ca).unwrap());
    known.policy.revocation.sources = RevocationSources::OcspThenCrl;
    known.ends_in(&[]);

    // Another issuer's CertID, an old answer, one from the future, a forged one.
    let foreign = OcspTemplate::new(now, vec![about(&root, CertificateStatus::Good)]);
    assert_eq!(codes(foreign, &ca), unusable);
    let mut old = about(&ca, CertificateStatus::Good);
    (old.this_update, old.next_update) = (AT.plus_seconds(-3 * DAY), Some(AT.plus_seconds(-1)));
    assert_eq!(codes(OcspTemplate::new(now, vec![old.clone()]), &ca), ["rev-stale"]);
    old.next_update = None;
    assert_eq!(codes(OcspTemplate::new(now, vec![old.clone()]), &ca), ["rev-stale"], "no end is a day");
    old.this_update = AT.plus_seconds(DAY);
    assert_eq!(codes(OcspTemplate::new(now, vec![old]), &ca), unusable);
    let mut forged = good().issue(&ca).unwrap();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert_eq!(case(&[forged]).codes(), unusable);

    // Several answers in one response: the revocation stands.
    let both = vec![about(&ca, CertificateStatus::Good), about(&ca, CertificateStatus::Revoked { at, reason: None })];
    assert_eq!(codes(OcspTemplate::new(now, both), &ca), ["rev-revoked"]);
    // A certificate that was never issued (RFC 6960 §2.2).
    let never = CertificateStatus::Revoked { at: Time::from_unix(0), reason: Some(6) };
    let mut extended = said(never);
    extended.extensions.push(Extension::new(oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 9), encode::null()));
    assert_eq!(codes(extended, &ca), ["rev-unknown"]);
}

#[test]
fn sources_are_asked_in_the_order_of_the_policy() {
    let (root, ca, target) = good();
    let id = certificate_id(DigestAlgorithm::Sha256, &ca, &target.serial_number);
    let now = AT.plus_seconds(-60);
    let answer =
        |status| OcspTemplate::new(now, vec![SingleResponse::new(id.clone(), status, now)]).issue(&ca).unwrap();
    let codes = |sources, status, lists: bool| {
        let mut case = Case::new(&root, &[&ca], &target).responses(&[answer(status)]);
        case.policy.revocation.sources = sources;
        if !lists {
            case.lists.pop();
        }
        case.codes()
    };
    use CertificateStatus::{Good, Unknown};
    assert_eq!(codes(RevocationSources::OcspThenCrl, Unknown, true), ["rev-unknown"]);
    assert_eq!(codes(RevocationSources::CrlThenOcsp, Unknown, true), [""; 0]);
    assert_eq!(codes(RevocationSources::CrlThenOcsp, Good, false), [""; 0]);
    assert_eq!(codes(RevocationSources::Crl, Good, false), ["rev-unavailable"]);
    assert_eq!(codes(RevocationSources::Both, Good, false), ["rev-unavailable"]);
}

// Attack 36: where a certificate's URLs lead.

#[test]
fn urls_of_a_certificate_lead_nowhere_inside() {
    let hosts = ["127.0.0.1", "[::1]", "[::ffff:a00:1]", "169.254.169.254", "10.0.0.1", "localhost", "0x7f.1"];
    let rules = FetchRules {
        // Even an operator who allows the names does not allow the addresses.
        allowed_hosts: hosts.map(str::to_owned).into(),
        private_addresses: PrivateAddresses::Refuse,
        list_timeout: Duration::from_secs(1),
        response_timeout: Duration::from_secs(1),
    };
    let source = OnlineRevocation::new(None, Fetcher::new(rules).unwrap()).unwrap();
    let refused = |url: &str, why: &str| {
        let question = OcspQuestion { urls: vec![url.to_owned()], requests: vec![vec![0x30, 0]] };
        let start = Instant::now();
        let answers = source.ocsp(&[question], Duration::from_secs(1));
        assert!(start.elapsed() < MOST_TIME, "{url}: {:?}", start.elapsed());
        assert!(matches!(&answers[..], [OcspAnswer::Unavailable(cause)] if cause.contains(why)), "{url}: {answers:?}");
    };
    for host in hosts {
        refused(&format!("http://{host}:9/ocsp"), "address");
    }
    refused("http://pki.example/ocsp", "not one of the allowed");
    refused("http://localhost@pki.example/", "not one of the allowed");
    refused("http://user:secret@localhost/", "not one of the allowed");
    refused("file:///etc/passwd", "scheme file");
    refused("ldap://localhost/cn=x", "scheme ldap");
    refused("not a URL", "not a URL");
}
