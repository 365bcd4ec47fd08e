//! Material for the fuzzers to begin with: objects with every field and extension that the parsers know, made here.

use super::hostile::{AT, DAY, authority, below, entry, good, key, list, name, signer};
use std::fs;
use std::path::{Path, PathBuf};
use tamga::asn1::{encode, oid};
use tamga::crypto::DigestAlgorithm;
use tamga::demonstration::extension::{self, IssuingDistributionPoint};
use tamga::demonstration::ocsp::{CertificateStatus, OcspTemplate, SingleResponse, certificate_id};
use tamga::demonstration::{Credential, Extension, Key, KeyKind, RevokedEntry};
use tamga::pki::extension::{KeyUsage, id, purpose};
use tamga::report::Time;

fn write(folder: &Path, target: &str, seeds: &[Vec<u8>]) {
    let folder = folder.join(target);
    fs::create_dir_all(&folder).unwrap();
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:02}")), seed).unwrap();
    }
}

fn certificates() -> Vec<Vec<u8>> {
    let (root, ca, target) = good();
    let (a, b) = (oid!(1, 2, 398, 9, 1), oid!(1, 2, 398, 9, 2));
    let (dns, mail, uri) = (extension::dns_name, extension::rfc822_name, extension::uri);
    let constrained = authority("Constrained", &key("constrained"))
        .with(extension::name_constraints(&[dns("a.kz"), mail("a.kz")], &[uri("b.kz")]))
        .with(extension::certificate_policies(&[a, b]))
        .with(extension::policy_mappings(&[(a, b)]))
        .with(extension::policy_constraints(Some(2), Some(1)))
        .with(extension::inhibit_any_policy(1))
        .with(extension::freshest_crl(&["http://a.kz/d.crl"]));
    let named = signer("Named")
        .with(extension::subject_alt_name(&[
            dns("x.a.kz"),
            mail("x@a.kz"),
            uri("http://a.kz/"),
            extension::directory_name(&root.subject),
        ]))
        .with(extension::crl_distribution_points(&["http://a.kz/a.crl", "http://b.kz/a.crl"]))
        .with(extension::authority_information_access(&["http://ocsp.a.kz/"], &["http://a.kz/ca.cer"]));
    let responder = signer("Responder")
        .with(extension::extended_key_usage(&[purpose::OCSP_SIGNING]))
        .with(extension::ocsp_nocheck());
    let of_kind = |kind| {
        let key = Key::cached(kind, "seed").unwrap();
        let template = tamga::demonstration::CertificateTemplate::authority(
            name("Kind"),
            key.spki(),
            super::hostile::YEAR,
            Some(3),
        );
        Credential::root(&template, key).unwrap().certificate
    };
    let mut seeds = vec![root.certificate.clone(), ca.certificate.clone(), target.certificate];
    seeds.extend([
        below(&root, &constrained, "constrained").certificate,
        below(&ca, &named, "signer").certificate,
        below(&ca, &responder, "signer").certificate,
    ]);
    seeds.extend([KeyKind::P384, KeyKind::Ed25519, KeyKind::Rsa2048].map(of_kind));
    seeds
}

fn lists() -> Vec<Vec<u8>> {
    let (root, ca, target) = good();
    let point = |point: IssuingDistributionPoint<'_>| point.to_extension();
    let only = IssuingDistributionPoint::default;
    let full = entry(&target).reason(1).invalidity_date(AT.plus_seconds(-3 * DAY));
    let indirect = [
        RevokedEntry::new(&[1], AT),
        RevokedEntry::new(&[2], AT).certificate_issuer(&root.subject),
        RevokedEntry::new(&[3], AT).reason(6),
        RevokedEntry::new(&[4], AT).certificate_issuer(&ca.subject).reason(8),
    ];
    let mut many = list(9);
    for n in 1..200u8 {
        many = many.revoke(RevokedEntry::new(&[n, 7], AT.plus_seconds(i64::from(n))).reason(n % 7));
    }
    let keeps = Extension::new(id::EXPIRED_CERTS_ON_CRL, encode::generalized_time(AT));
    let lists = [
        list(1),
        list(2).revoke(full.clone()),
        list(3).delta_to(2).revoke(full),
        list(4).with(point(IssuingDistributionPoint { uri: Some("http://a.kz/a.crl"), only_user: true, ..only() })),
        list(5).with(point(IssuingDistributionPoint { reasons: Some(0x1fe), only_authority: true, ..only() })),
        indirect
            .into_iter()
            .fold(list(6).with(point(IssuingDistributionPoint { indirect: true, ..only() })), |list, entry| {
                list.revoke(entry)
            }),
        list(7).with(extension::freshest_crl(&["http://a.kz/d.crl"])).with(keeps),
        list(8).next_update(None),
        many,
    ];
    lists.iter().map(|list| list.issue(&ca).unwrap()).collect()
}

fn responses() -> Vec<Vec<u8>> {
    let (_, ca, target) = good();
    let template = signer("Responder")
        .with(extension::key_usage(KeyUsage::DIGITAL_SIGNATURE))
        .with(extension::extended_key_usage(&[purpose::OCSP_SIGNING]))
        .with(extension::ocsp_nocheck());
    let responder = below(&ca, &template, "responder");
    let single = |digest, status| SingleResponse::new(certificate_id(digest, &ca, &target.serial_number), status, AT);
    let one = |status| OcspTemplate::new(AT, vec![single(DigestAlgorithm::Sha1, status)]);
    let revoked = |at: Time, reason| CertificateStatus::Revoked { at, reason };
    let mut dated = one(revoked(AT, Some(1)));
    let date = |id| Extension::new(id, encode::generalized_time(AT));
    dated.responses[0].extensions = vec![date(id::INVALIDITY_DATE), date(oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 6))];
    let mut extended = one(revoked(Time::from_unix(0), Some(6)));
    extended.extensions.push(Extension::new(oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 9), encode::null()));
    let nonce = encode::octet_string(&[7; 32]);
    extended.extensions.push(Extension::new(oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 2), nonce));
    let several = [CertificateStatus::Good, CertificateStatus::Unknown, revoked(AT, None)];
    let several = several.map(|status| single(DigestAlgorithm::Sha256, status)).to_vec();
    let delegated = OcspTemplate { certificates: vec![responder.certificate.clone()], ..one(CertificateStatus::Good) };
    let mut seeds: Vec<Vec<u8>> = [one(CertificateStatus::Good), dated, extended, OcspTemplate::new(AT, several)]
        .iter()
        .map(|template| template.issue(&ca).unwrap())
        .collect();
    seeds.push(delegated.issue(&responder).unwrap());
    seeds.push(vec![0x30, 3, 0x0a, 1, 3]);
    seeds
}

/// `TAMGA_SEEDS=FOLDER cargo test --test conformance -- --ignored seeds`
#[test]
#[ignore = "writes seeds for the fuzzers into the folder that TAMGA_SEEDS names"]
fn seeds_for_the_fuzzers() {
    let folder = PathBuf::from(std::env::var_os("TAMGA_SEEDS").expect("TAMGA_SEEDS names a folder"));
    write(&folder, "certificate", &certificates());
    write(&folder, "crl", &lists());
    write(&folder, "ocsp", &responses());
}
