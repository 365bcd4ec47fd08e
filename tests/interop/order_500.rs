//! The check points of Order № 500/НҚ, one test for each, under the policy `kz-500`; and what `kz-1187` asks.
//!
//! `docs/policy.md` has the table of points, checks, codes and tests; the last test here holds it to this file.

use crate::fixture::moment;
use crate::message::{Message, signing_certificate};
use std::sync::Arc;
use tamga::asn1::{Oid, oid};
use tamga::crypto::{Digest, DigestAlgorithm};
use tamga::demonstration::ocsp::{ResponderId, certificate_id};
use tamga::demonstration::{
    CertificateStatus, CertificateTemplate, Credential, CrlTemplate, Extension, Holder, Key, KeyKind, NameTemplate,
    OcspTemplate, RevokedEntry, SingleResponse, Validity, World, extension,
};
use tamga::format::{Format, cms};
use tamga::pki::extension::{KeyUsage, id, purpose};
use tamga::pki::name::attribute;
use tamga::pki::timestamp::{CertificateRequested, NewTstInfo};
use tamga::pki::{Certificate, Crl, OcspResponse, RevocationList, Role};
use tamga::report::{CheckId, Decision, Outcome, Time, ValidationReport};
use tamga::stamp::extension::add_signature_timestamp;
use tamga::stamp::timestamp::{Authority, prepare_token};
use tamga::verify::certificate::ValidationContext;
use tamga::verify::policy::Policy;
use tamga::verify::{DeclaredApplicant, VerificationInputs, verify};

const CONTENT: &[u8] = b"a request";
const GENERAL: Oid<'static> = oid!(1, 2, 398, 3, 3, 2);
const DAY: i64 = Validity::DAY;

fn parsed(der: &[u8]) -> Certificate {
    Certificate::parse(der).unwrap()
}

fn key(label: &str) -> Arc<Key> {
    Key::cached(KeyKind::P256, label).unwrap()
}

/// What is at hand when a document is judged.
struct Scene {
    world: World,
    signer: Credential,
    anchors: Vec<Vec<u8>>,
    intermediates: Vec<Vec<u8>>,
    lists: Vec<Vec<u8>>,
    responses: Vec<Vec<u8>>,
    at: Time,
    policy: &'static str,
}

impl Scene {
    /// A first head's signature in the national profile, and lists of today that name nobody.
    fn new() -> Scene {
        Scene::of(World::new(moment(), KeyKind::P256).unwrap())
    }

    fn of(world: World) -> Scene {
        let signer = world.holder(&Holder::first_head(), KeyKind::P256).unwrap();
        Scene {
            anchors: vec![world.root.certificate.clone()],
            intermediates: vec![world.authority.certificate.clone()],
            lists: world.crls().unwrap().to_vec(),
            responses: Vec::new(),
            at: moment(),
            policy: "kz-500",
            signer,
            world,
        }
    }

    /// The scene with a signer as a changed template describes it.
    fn signed_by(change: impl FnOnce(CertificateTemplate) -> CertificateTemplate) -> Scene {
        let scene = Scene::new();
        let key = Arc::clone(&scene.signer.key);
        let template = change(scene.world.template(&Holder::first_head(), key.spki()));
        let signer = scene.world.authority.issue(&template, key).unwrap();
        Scene { signer, ..scene }
    }

    /// A root and an authority with these dates, in days before and after the moment.
    fn dated(root: (i64, i64), authority: (i64, i64)) -> Scene {
        let name = |text: &str| NameTemplate::new().with(attribute::COMMON_NAME, text);
        let around = |(before, after)| Validity::around(moment(), before, after);
        let template = CertificateTemplate::authority(name("Root"), key("root").spki(), around(root), None);
        let root = Credential::root(&template, key("root")).unwrap();
        let template =
            CertificateTemplate::authority(name("Authority"), key("authority").spki(), around(authority), Some(0))
                .with(extension::certificate_policies(&[GENERAL]));
        let authority = root.issue(&template, key("authority")).unwrap();
        Scene::of(World { at: moment(), root, authority })
    }

    fn at(self, at: Time) -> Scene {
        Scene { at, ..self }
    }

    fn under(self, policy: &'static str) -> Scene {
        Scene { policy, ..self }
    }

    /// The lists of root and authority, the authority's changed.
    fn list(mut self, change: impl FnOnce(CrlTemplate) -> CrlTemplate) -> Scene {
        self.lists[1] = change(self.world.crl()).issue(&self.world.authority).unwrap();
        self
    }

    /// No list of the authority, and this response.
    fn response(mut self, response: Vec<u8>) -> Scene {
        self.lists.truncate(1);
        self.responses = vec![response];
        self
    }

    fn single(&self, status: CertificateStatus, this_update: Time) -> SingleResponse {
        let id = certificate_id(DigestAlgorithm::Sha256, &self.world.authority, &self.signer.serial_number);
        SingleResponse::new(id, status, this_update)
    }

    /// An answer of the authority itself, of this moment.
    fn answer(&self, status: CertificateStatus) -> Vec<u8> {
        let single = self.single(status, self.at);
        OcspTemplate::new(self.at, vec![single]).issue(&self.world.authority).unwrap()
    }

    fn document(&self) -> Vec<u8> {
        Message::new(&self.signer, CONTENT).sign(&self.signer)
    }

    /// The document with a token of an authority, made at a time.
    fn stamped(&self, document: &[u8], authority: &Credential, gen_time: Time) -> Vec<u8> {
        let stamped = cms::parse(document, None).unwrap().signatures[0].signature.to_vec();
        self.with_token(document, authority, gen_time, &stamped)
    }

    fn with_token(&self, document: &[u8], authority: &Credential, gen_time: Time, stamped: &[u8]) -> Vec<u8> {
        let info = NewTstInfo {
            policy: oid!(1, 2, 398, 3, 3, 2, 6, 4),
            message_imprint: DigestAlgorithm::Sha256.digest(stamped),
            serial_number: &[1],
            gen_time,
            accuracy: None,
            nonce: None,
        };
        let certificate = parsed(&authority.certificate);
        let chain = [self.world.authority.certificate.clone()];
        let who = Authority { certificate: &certificate, chain: &chain, algorithm: authority.algorithm };
        let prepared = prepare_token(&who, &info, CertificateRequested::Yes).unwrap();
        let value = authority.key.private().sign(&authority.algorithm, prepared.to_be_signed()).unwrap();
        add_signature_timestamp(document, 0, &prepared.assemble(&value).unwrap()).unwrap()
    }

    fn judge(&self, document: &[u8]) -> ValidationReport {
        self.judge_as(document, None)
    }

    /// The signer's certificate alone, as it is checked before signing.
    fn judge_certificate(&self) -> ValidationReport {
        self.judge_as(&self.signer.certificate, Some(Format::Certificate))
    }

    fn judge_as(&self, document: &[u8], format: Option<Format>) -> ValidationReport {
        let certificates = |all: &[Vec<u8>]| -> Vec<Certificate> { all.iter().map(|der| parsed(der)).collect() };
        let (anchors, intermediates) = (certificates(&self.anchors), certificates(&self.intermediates));
        let list = |der: &Vec<u8>| -> Arc<dyn RevocationList> { Arc::new(Crl::parse(der).unwrap()) };
        let lists: Vec<_> = self.lists.iter().map(list).collect();
        let responses: Vec<_> = self.responses.iter().map(|der| OcspResponse::parse(der).unwrap()).collect();
        verify(&VerificationInputs {
            report_id: "test",
            at: self.at,
            received_at: None,
            document,
            format,
            content: None,
            declared: DeclaredApplicant::default(),
            service: None,
            policy: &Policy::built_in(self.policy).unwrap(),
            context: ValidationContext {
                trust_anchors: &anchors,
                intermediates: &intermediates,
                lists: &lists,
                responses: &responses,
                ..ValidationContext::default()
            },
        })
    }
}

#[track_caller]
fn accepted(report: &ValidationReport) {
    assert_eq!(report.decision, Decision::Accepted, "{:?}", report.refusal.as_ref().map(|refusal| &refusal.code));
}

/// Refused, not left open, and the check fails with the code.
#[track_caller]
fn refused(report: &ValidationReport, check: CheckId, code: &str) {
    assert_eq!(found(report, check), Some(code));
    assert_eq!(report.decision, Decision::Refused);
}

/// Neither accepted nor refused for good: a usable answer may come.
#[track_caller]
fn open(report: &ValidationReport, code: &str) {
    assert_eq!(found(report, CheckId::Revocation), Some(code));
    assert_eq!(report.decision, Decision::Undetermined);
}

fn found(report: &ValidationReport, check: CheckId) -> Option<&str> {
    report.signatures[0].checks.outcome(check).failure().map(tamga::report::Reason::code)
}

fn entry(of: &Credential) -> RevokedEntry {
    RevokedEntry::new(&of.serial_number, moment().plus_seconds(-DAY)).reason(1)
}

#[test]
fn p_4_the_certificate_is_checked_before_signing() {
    accepted(&Scene::new().judge_certificate());
    let late = moment().plus_seconds(400 * DAY);
    refused(&Scene::new().at(late).judge_certificate(), CheckId::CertificateValidity, "xcv-expired");
    let scene = Scene::new();
    let revoked = entry(&scene.signer);
    refused(&scene.list(|list| list.revoke(revoked)).judge_certificate(), CheckId::Revocation, "rev-revoked");
    let for_authentication = Scene::signed_by(|t| t.with(extension::extended_key_usage(&[purpose::CLIENT_AUTH])));
    refused(&for_authentication.judge_certificate(), CheckId::KeyUsage, "xcv-extended-key-usage");
    let mut forged = Scene::new();
    forged.world.authority.key = key("forger");
    let template = forged.world.template(&Holder::first_head(), forged.signer.key.spki());
    forged.signer = forged.world.authority.issue(&template, Arc::clone(&forged.signer.key)).unwrap();
    refused(&forged.judge_certificate(), CheckId::CertificationPath, "xcv-issuer-signature-invalid");
    // OCSP, and the list where it does not answer.
    let scene = Scene::new();
    let good = scene.answer(CertificateStatus::Good);
    accepted(&scene.response(good).judge_certificate());
    let mut silent = Scene::new();
    silent.lists.truncate(1);
    open(&silent.judge_certificate(), "rev-unavailable");
}

#[test]
fn p_8_the_signing_certificate_attribute_is_required_and_names_the_signer() {
    let scene = Scene::new();
    accepted(&scene.judge(&scene.document()));
    let plain = {
        let mut message = Message::new(&scene.signer, CONTENT);
        message.attributes.truncate(3);
        message.sign(&scene.signer)
    };
    refused(&scene.judge(&plain), CheckId::SignedAttributes, "sav-attribute-missing");
    accepted(&Scene::new().under("signature").judge(&plain));
    let other = {
        let mut message = Message::new(&scene.signer, CONTENT);
        message.attributes[3] = signing_certificate(&scene.world.authority.certificate);
        message.sign(&scene.signer)
    };
    refused(&scene.judge(&other), CheckId::SigningCertificate, "isc-certificate-reference-mismatch");
}

#[test]
fn p_8_the_first_version_of_the_attribute_is_not_enough() {
    use tamga::asn1::encode;
    let scene = Scene::new();
    let mut message = Message::new(&scene.signer, CONTENT);
    let hash = DigestAlgorithm::Sha1.digest(&scene.signer.certificate);
    let certificates = encode::sequence(&[&encode::sequence(&[&encode::octet_string(hash.as_bytes())])]);
    let value = encode::sequence(&[&certificates]);
    message.attributes[3] = crate::message::attribute(oid!(1, 2, 840, 113549, 1, 9, 16, 2, 12), &[value]);
    let document = message.sign(&scene.signer);
    refused(&scene.judge(&document), CheckId::SignedAttributes, "sav-attribute-missing");
    accepted(&Scene::new().under("signature").judge(&document));
}

#[test]
fn p_14_the_moment_is_the_time_of_a_valid_token_and_otherwise_now() {
    let scene = Scene::signed_by(|template| template.validity(Validity::around(moment(), 30, -5)));
    // A list that was issued while the certificate was valid: it would name it.
    let scene = scene.list(|list| CrlTemplate { this_update: moment().plus_seconds(-6 * DAY), ..list });
    let authority = scene.world.timestamp_authority(KeyKind::P256).unwrap();
    let then = moment().plus_seconds(-10 * DAY);
    let document = scene.document();
    refused(&scene.judge(&document), CheckId::CertificateValidity, "xcv-expired");
    let report = scene.judge(&scene.stamped(&document, &authority, then));
    accepted(&report);
    assert_eq!(report.best_signature_time, then);
    let late = scene.stamped(&document, &authority, moment().plus_seconds(-DAY));
    refused(&scene.judge(&late), CheckId::CertificateValidity, "xcv-expired");
}

#[test]
fn p_15_the_signature_verifies_with_the_key_of_a_certificate_that_is_at_hand() {
    let mut scene = Scene::new();
    let mut message = Message::new(&scene.signer, CONTENT);
    message.certificates.clear();
    let bare = message.sign(&scene.signer);
    refused(&scene.judge(&bare), CheckId::SigningCertificate, "isc-signing-certificate-missing");
    scene.intermediates.push(scene.signer.certificate.clone());
    accepted(&scene.judge(&bare));
    let foreign = Message::new(&scene.signer, CONTENT).sign(&Credential { key: key("forger"), ..scene.signer.clone() });
    refused(&scene.judge(&foreign), CheckId::SignatureValue, "cv-signature-invalid");
}

#[test]
fn p_16_1_every_certificate_up_to_the_root_is_valid_at_the_moment() {
    for (root, authority, code) in [
        ((1000, 3000), (900, 2000), None),
        ((1000, -1), (900, 2000), Some("xcv-expired")),
        ((1000, 3000), (900, -1), Some("xcv-expired")),
        ((1000, 3000), (-1, 2000), Some("xcv-not-yet-valid")),
        ((-1, 3000), (-1, 2000), Some("xcv-not-yet-valid")),
    ] {
        let scene = Scene::dated(root, authority);
        let report = scene.judge(&scene.document());
        match code {
            None => accepted(&report),
            Some(code) => refused(&report, CheckId::CertificateValidity, code),
        }
    }
    let scene = Scene::signed_by(|template| template.validity(Validity::around(moment(), -1, 30)));
    refused(&scene.judge(&scene.document()), CheckId::CertificateValidity, "xcv-not-yet-valid");
}

/// The root of 2020 has a subordinate of 2019: it was issued again on the same key.
#[test]
fn p_16_1_a_root_issued_again_on_its_key_is_as_old_as_what_it_signed() {
    let scene = Scene::dated((5, 3000), (900, 2000)).at(moment().plus_seconds(-10 * DAY));
    accepted(&scene.list(|list| CrlTemplate { this_update: moment().plus_seconds(-11 * DAY), ..list }).judge_early());
    // Before the subordinate there is nothing that shows the key in use.
    let scene = Scene::dated((5, 3000), (9, 2000)).at(moment().plus_seconds(-10 * DAY));
    refused(&scene.judge(&scene.document()), CheckId::CertificateValidity, "xcv-not-yet-valid");
}

impl Scene {
    /// A document signed on the day of the scene, with lists of the root of the day before.
    fn judge_early(mut self) -> ValidationReport {
        let list = CrlTemplate { this_update: self.at.plus_seconds(-DAY), ..self.world.crl() };
        self.lists[0] = list.issue(&self.world.root).unwrap();
        let mut message = Message::new(&self.signer, CONTENT);
        let signing_time = tamga::asn1::encode::time(self.at);
        message.attributes[2] = crate::message::attribute(crate::message::SIGNING_TIME, &[signing_time]);
        self.judge(&message.sign(&self.signer))
    }
}

#[test]
fn p_16_2_the_certificate_is_not_revoked_by_ocsp_list_or_delta() {
    let scene = Scene::new();
    let document = scene.document();
    let revoked = entry(&scene.signer);
    refused(&scene.list(|list| list.revoke(revoked)).judge(&document), CheckId::Revocation, "rev-revoked");

    let mut scene = Scene::new();
    let delta = CrlTemplate::new(moment().plus_seconds(-1800), 2).delta_to(1).revoke(entry(&scene.signer));
    scene.lists.push(delta.issue(&scene.world.authority).unwrap());
    refused(&scene.judge(&document), CheckId::Revocation, "rev-revoked");

    let mut scene = Scene::new();
    let since = moment().plus_seconds(-DAY);
    scene.responses = vec![scene.answer(CertificateStatus::Revoked { at: since, reason: Some(1) })];
    refused(&scene.judge(&document), CheckId::Revocation, "rev-revoked");

    let mut scene = Scene::new();
    scene.lists[0] = scene.world.crl().revoke(entry(&scene.world.authority)).issue(&scene.world.root).unwrap();
    refused(&scene.judge(&document), CheckId::Revocation, "rev-ca-revoked");
}

#[test]
fn p_16_3_the_path_leads_to_a_trusted_root() {
    let mut scene = Scene::new();
    scene.anchors = vec![Scene::dated((10, 10), (9, 9)).world.root.certificate];
    refused(&scene.judge(&scene.document()), CheckId::CertificationPath, "xcv-no-path");
    let mut scene = Scene::new();
    scene.intermediates.clear();
    refused(&scene.judge(&scene.document()), CheckId::CertificationPath, "xcv-no-path");
    let mut scene = Scene::new();
    // An authority that the root's name and another key have signed.
    scene.world.root.key = key("another root");
    let authority = CertificateTemplate::authority(
        NameTemplate::new().with(attribute::COMMON_NAME, "Forged"),
        key("authority").spki(),
        Validity::around(moment(), 9, 9),
        None,
    );
    scene.world.authority = scene.world.root.issue(&authority, key("authority")).unwrap();
    scene.signer = scene.world.holder(&Holder::first_head(), KeyKind::P256).unwrap();
    scene.intermediates = vec![scene.world.authority.certificate.clone()];
    refused(&scene.judge(&scene.document()), CheckId::CertificationPath, "xcv-issuer-signature-invalid");
}

#[test]
fn p_16_4_the_certificate_is_for_signing_and_of_a_signing_policy() {
    let usage = |usage| move |template: CertificateTemplate| template.with(extension::key_usage(usage));
    let purposes = |list: &[Oid<'static>]| {
        let extension = extension::extended_key_usage(list);
        move |template: CertificateTemplate| template.with(extension)
    };
    let policies = |list: &[Oid<'static>]| {
        let extension = extension::certificate_policies(list);
        move |template: CertificateTemplate| template.with(extension)
    };
    let judged = |scene: Scene| scene.judge(&scene.document());
    let head = [Role::LegalEntity.oid(), Role::FirstHead.oid()];

    accepted(&judged(Scene::signed_by(usage(KeyUsage::DIGITAL_SIGNATURE))));
    accepted(&judged(Scene::signed_by(usage(KeyUsage::NON_REPUDIATION))));
    // One key for authentication and for signing, since 2024.
    let both = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION | KeyUsage::KEY_AGREEMENT;
    accepted(&judged(Scene::signed_by(usage(both))));
    refused(&judged(Scene::signed_by(usage(KeyUsage::KEY_ENCIPHERMENT))), CheckId::KeyUsage, "xcv-key-usage");

    let of_use = |list: &[Oid<'static>]| judged(Scene::signed_by(purposes(list)));
    accepted(&of_use(&[purpose::EMAIL_PROTECTION, head[0], head[1]]));
    for list in [
        // A key for authentication.
        &[purpose::CLIENT_AUTH, head[0], head[1]][..],
        &head,
        &[purpose::ANY],
        // Keys for one system alone.
        &[purpose::EMAIL_PROTECTION, Role::TreasuryClient.oid()],
        &[purpose::EMAIL_PROTECTION, Role::Notary.oid()],
    ] {
        refused(&of_use(list), CheckId::KeyUsage, "xcv-extended-key-usage");
    }
    let without = |template: CertificateTemplate| template.without(id::EXTENDED_KEY_USAGE);
    refused(&judged(Scene::signed_by(without)), CheckId::KeyUsage, "xcv-extended-key-usage");
    // Criticality changes between generations and means nothing here.
    let reversed = |template: CertificateTemplate| {
        let usage = extension::key_usage(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION).non_critical();
        template.with(usage).with(extension::extended_key_usage(&[purpose::EMAIL_PROTECTION]).critical())
    };
    accepted(&judged(Scene::signed_by(reversed)));

    let (entity, person) = (oid!(1, 2, 398, 3, 3, 2, 1), oid!(1, 2, 398, 3, 3, 2, 3));
    let of_policy = |list: &[Oid<'static>]| judged(Scene::signed_by(policies(list)));
    accepted(&of_policy(&[entity]));
    accepted(&of_policy(&[person]));
    let for_authentication = [oid!(1, 2, 398, 3, 3, 2, 2), oid!(1, 2, 398, 3, 3, 2, 4)];
    for foreign in [&for_authentication[..], &[oid!(1, 2, 398, 3, 3, 2, 6, 4)], &[oid!(2, 5, 29, 32, 0)]] {
        refused(&of_policy(foreign), CheckId::CertificatePolicy, "xcv-policy");
    }
    let without = |template: CertificateTemplate| template.without(id::CERTIFICATE_POLICIES);
    refused(&judged(Scene::signed_by(without)), CheckId::CertificatePolicy, "xcv-policy");
}

#[test]
fn p_17_a_token_is_over_this_signature_and_of_a_time_stamping_authority() {
    let scene = Scene::new();
    let document = scene.document();
    let authority = scene.world.timestamp_authority(KeyKind::P256).unwrap();
    let then = moment().plus_seconds(-DAY);
    accepted(&scene.judge(&scene.stamped(&document, &authority, then)));
    let elsewhere = scene.with_token(&document, &authority, then, b"other octets");
    refused(&scene.judge(&elsewhere), CheckId::Timestamp, "tsp-imprint-mismatch");
    let template = scene.world.timestamp_template(authority.key.spki());
    let signing = template.clone().with(extension::extended_key_usage(&[purpose::EMAIL_PROTECTION]).critical());
    let signing = scene.world.authority.issue(&signing, Arc::clone(&authority.key)).unwrap();
    refused(&scene.judge(&scene.stamped(&document, &signing, then)), CheckId::Timestamp, "tsp-extended-key-usage");
    let mut altered = scene.stamped(&document, &authority, then);
    let last = altered.len() - 1;
    altered[last] ^= 1;
    assert!(matches!(
        found(&scene.judge(&altered), CheckId::Timestamp),
        Some("tsp-signature-invalid" | "tsp-malformed")
    ));
    let ended = template.validity(Validity::around(moment(), 30, -5));
    let ended = scene.world.authority.issue(&ended, Arc::clone(&authority.key)).unwrap();
    refused(&scene.judge(&scene.stamped(&document, &ended, then)), CheckId::Timestamp, "tsp-outside-validity");
}

/// The production service answers with an RSA authority for GOST signatures: another hierarchy, which is trusted too.
#[test]
fn p_17_2_the_authority_of_the_token_may_be_of_another_trusted_hierarchy() {
    let mut scene = Scene::new();
    let other = Scene::dated((900, 900), (800, 800));
    let rsa = other.world.timestamp_authority(KeyKind::Rsa2048).unwrap();
    scene.anchors.push(other.world.root.certificate.clone());
    scene.intermediates.push(other.world.authority.certificate.clone());
    scene.lists.extend(other.lists.iter().cloned());
    let then = moment().plus_seconds(-DAY);
    let report = scene.judge(&scene.stamped(&scene.document(), &rsa, then));
    accepted(&report);
    assert_eq!(report.best_signature_time, then);
}

#[test]
fn p_18_1_to_4_a_list_is_the_issuers_about_the_certificate_and_its_signature_verifies() {
    let scene = Scene::new();
    let document = scene.document();
    let with = |change: &dyn Fn(CrlTemplate) -> CrlTemplate, signer: &dyn Fn(&World) -> Credential| {
        let mut scene = Scene::new();
        scene.lists[1] = change(scene.world.crl()).issue(&signer(&scene.world)).unwrap();
        scene.judge(&document)
    };
    let own = |world: &World| world.authority.clone();
    accepted(&with(&|list| list, &own));
    // 18.1 structure: no list at all is read from octets that are none.
    assert!(Crl::parse(&scene.lists[1][..scene.lists[1].len() - 1]).is_err());
    let unknown = Extension::new(oid!(1, 2, 3, 4), vec![5, 0]).critical();
    open(&with(&|list| list.with(unknown.clone()), &own), "rev-unavailable");
    // 18.2 issuer
    open(&with(&|list| list, &|world| world.root.clone()), "rev-unavailable");
    // 18.3 about another kind of certificates
    let authorities_alone =
        extension::IssuingDistributionPoint { only_authority: true, ..extension::IssuingDistributionPoint::default() };
    let authorities_alone = authorities_alone.to_extension();
    open(&with(&|list| list.with(authorities_alone.clone()), &own), "rev-unavailable");
    // 18.4 signature
    let forger = |world: &World| Credential { key: key("forger"), ..world.authority.clone() };
    open(&with(&|list| list, &forger), "rev-unavailable");
}

#[test]
fn p_18_5_a_list_past_its_period_is_negative() {
    let scene = Scene::new().list(|list| list.next_update(Some(moment().plus_seconds(-1))));
    let document = scene.document();
    refused(&scene.judge(&document), CheckId::Revocation, "rev-unknown");
    // Left open by the policy that the Order does not bind.
    open(&scene.under("signature").judge(&document), "rev-stale");
}

#[test]
fn p_19_1_to_5_a_response_is_about_the_certificate_by_a_responder_that_may_answer() {
    let scene = Scene::new();
    let document = scene.document();
    let good = || scene.single(CertificateStatus::Good, moment());
    let judged = |response: Vec<u8>| Scene::new().response(response).judge(&document);
    let by = |signer: &Credential, singles: Vec<SingleResponse>, along: Vec<Vec<u8>>| {
        let template = OcspTemplate::new(moment(), singles);
        OcspTemplate { certificates: along, ..template }.issue(signer).unwrap()
    };
    let authority = &scene.world.authority;
    accepted(&judged(by(authority, vec![good()], Vec::new())));
    // 19.1 structure
    let whole = by(authority, vec![good()], Vec::new());
    assert!(OcspResponse::parse(&whole[..whole.len() - 1]).is_err());
    // 19.2 the responder is identified
    let stranger = Credential { key: key("forger"), key_identifier: vec![1; 20], ..authority.clone() };
    open(&judged(by(&stranger, vec![good()], Vec::new())), "rev-unavailable");
    // 19.3 CertID
    let of_another = certificate_id(DigestAlgorithm::Sha256, authority, &[1, 2, 3]);
    let about_another = SingleResponse::new(of_another, CertificateStatus::Good, moment());
    open(&judged(by(authority, vec![about_another], Vec::new())), "rev-unavailable");
    // 19.4 signature
    let forger = Credential { key: key("forger"), ..authority.clone() };
    open(&judged(by(&forger, vec![good()], Vec::new())), "rev-unavailable");
    // 19.5 a responder that the authority delegated to
    let responder = |list: &[Oid<'static>]| {
        let name = NameTemplate::new().with(attribute::COMMON_NAME, "OCSP RESPONDER");
        let template = CertificateTemplate::new(name, key("responder").spki(), Validity::around(moment(), 9, 300))
            .with(extension::key_usage(KeyUsage::DIGITAL_SIGNATURE))
            .with(extension::extended_key_usage(list));
        authority.issue(&template, key("responder")).unwrap()
    };
    for by_name in [ResponderId::ByKey, ResponderId::ByName] {
        let delegated = responder(&[purpose::OCSP_SIGNING]);
        let along = vec![delegated.certificate.clone()];
        let template =
            OcspTemplate { responder_id: by_name, certificates: along, ..OcspTemplate::new(moment(), vec![good()]) };
        accepted(&judged(template.issue(&delegated).unwrap()));
    }
    let other = responder(&[purpose::EMAIL_PROTECTION]);
    open(&judged(by(&other, vec![good()], vec![other.certificate.clone()])), "rev-unavailable");
}

#[test]
fn p_19_6_a_receipt_testifies_about_the_moment() {
    let scene = Scene::new();
    let document = scene.document();
    let made = |ago: i64| {
        let time = moment().plus_seconds(-ago);
        OcspTemplate::new(time, vec![scene.single(CertificateStatus::Good, time)])
            .issue(&scene.world.authority)
            .unwrap()
    };
    accepted(&Scene::new().response(made(300)).judge(&document));
    refused(&Scene::new().response(made(301)).judge(&document), CheckId::Revocation, "rev-unknown");
    accepted(&Scene::new().response(made(301)).under("signature").judge(&document));
    // The list answers where the receipt does not.
    let both = Scene { responses: vec![made(301)], ..Scene::new() };
    accepted(&both.judge(&document));
}

#[test]
fn p_19_7_unknown_is_negative() {
    let mut scene = Scene::new();
    let unknown = scene.answer(CertificateStatus::Unknown);
    let document = scene.document();
    scene.responses = vec![unknown.clone()];
    // Also where a list says nothing against it: the responder has answered.
    refused(&scene.judge(&document), CheckId::Revocation, "rev-unknown");
    refused(&scene.response(unknown).judge(&document), CheckId::Revocation, "rev-unknown");
}

#[test]
fn p_22_the_report_names_the_rules_it_was_made_by() {
    let scene = Scene::new();
    let report = scene.judge(&scene.document());
    let policy = Policy::built_in("kz-500").unwrap();
    assert_eq!((report.policy.id.as_str(), &report.policy.version), ("kz-500", &policy.version));
    assert_eq!(report.policy.digest, Digest::sha256(&serde_json::to_vec(&policy).unwrap()).to_string());
    assert_ne!(report.policy.digest, Policy::built_in("kz-1187").unwrap().digest());
}

/// A year earlier, when Order № 1187 was in force.
fn of_2025() -> Scene {
    let at: Time = "2025-11-22T02:00:00Z".parse().unwrap();
    Scene { at, ..Scene::of(World::new(at, KeyKind::P256).unwrap()) }.under("kz-1187")
}

fn signed_in(scene: &Scene) -> Vec<u8> {
    let mut message = Message::new(&scene.signer, CONTENT);
    let signing_time = tamga::asn1::encode::time(scene.at);
    message.attributes[2] = crate::message::attribute(crate::message::SIGNING_TIME, &[signing_time]);
    message.sign(&scene.signer)
}

#[test]
fn order_1187_judges_what_is_proven_to_be_older_than_september_2026() {
    let scene = of_2025();
    let document = signed_in(&scene);
    accepted(&scene.judge(&document));
    // What nothing proves to be that old is judged as of now, and the claimed time proves nothing.
    let report = Scene::new().under("kz-1187").judge(&Scene::new().document());
    refused(&report, CheckId::Timestamp, "sav-policy-not-in-force");
    refused(&Scene::new().under("kz-1187").judge_certificate(), CheckId::Timestamp, "sav-policy-not-in-force");
    // A token does.
    let scene = Scene::signed_by(|template| template.validity(Validity::around(moment(), 200, 100)));
    let authority = scene.world.timestamp_authority(KeyKind::P256).unwrap();
    let scene = scene.under("kz-1187");
    let early: Time = "2026-08-31T12:00:00Z".parse().unwrap();
    accepted(&scene.judge(&scene.stamped(&scene.document(), &authority, early)));
    let late: Time = "2026-09-05T19:00:00Z".parse().unwrap();
    let report = scene.judge(&scene.stamped(&scene.document(), &authority, late));
    refused(&report, CheckId::Timestamp, "sav-policy-not-in-force");
}

#[test]
fn order_1187_asks_for_the_key_usage_of_signing() {
    let with = |usage: KeyUsage| {
        let scene = of_2025();
        let template = scene.world.template(&Holder::first_head(), scene.signer.key.spki());
        let template = template.with(extension::key_usage(usage));
        let signer = scene.world.authority.issue(&template, Arc::clone(&scene.signer.key)).unwrap();
        let scene = Scene { signer, ..scene };
        scene.judge(&signed_in(&scene))
    };
    accepted(&with(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION));
    refused(&with(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT), CheckId::KeyUsage, "xcv-key-usage");
    refused(&with(KeyUsage::DIGITAL_SIGNATURE), CheckId::KeyUsage, "xcv-key-usage");
}

/// Older software signed without the attribute.
#[test]
fn order_1187_accepts_a_plain_signature() {
    let scene = of_2025();
    let mut message = Message::new(&scene.signer, CONTENT);
    message.attributes.truncate(2);
    let report = scene.judge(&message.sign(&scene.signer));
    accepted(&report);
    assert!(matches!(report.signatures[0].checks.outcome(CheckId::SignedAttributes), Outcome::Warned(_)));
}

#[test]
fn the_documentation_names_every_point_and_its_test() {
    let documentation = include_str!("../../docs/policy.md");
    let tests = include_str!("order_500.rs").split("#[test]\nfn ").skip(1).filter_map(|rest| rest.split('(').next());
    for test in tests.filter(|name| name.starts_with("p_") || name.starts_with("order_1187")) {
        assert!(documentation.contains(&format!("`{test}`")), "{test}");
    }
    let rows = documentation.split("| p. | ").nth(1).unwrap().split("\n\n").next().unwrap();
    for row in rows.lines().skip(2) {
        let test = row.rsplit('`').nth(1).unwrap();
        assert!(include_str!("order_500.rs").contains(&format!("\nfn {test}()")), "{row}");
    }
    for point in [
        "4", "8", "14", "15", "16.1", "16.2", "16.3", "16.4", "17", "17.2", "18.1", "18.5", "19.1", "19.6", "19.7",
        "22",
    ] {
        assert!(
            rows.lines()
                .any(|row| row.starts_with(&format!("| {point} ")) || row.starts_with(&format!("| {point} to"))),
            "{point}"
        );
    }
}
