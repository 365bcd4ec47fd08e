//! The national authority's own material: every signature of the corpus verifies under the key that made it.

use crate::corpus;
use std::fs;
use std::path::Path;
use tamga::asn1::{Element, Oid, Reader, Tag, oid};
use tamga::crypto::{AlgorithmIdentifier, DigestAlgorithm, PublicKey, SignatureAlgorithm};
use tamga::format::{ParsedSignature, armour, cms, xml, xmldsig};
use tamga::pki::crl::CrlParts;
use tamga::pki::{Certificate, Role};

fn certificate(path: &Path) -> Certificate {
    let bytes = fs::read(path).unwrap();
    let der = armour::dearmour(&bytes).unwrap();
    Certificate::parse(&der).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn certificates(folder: &Path) -> Vec<(String, Certificate)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), certificate(&path)))
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn algorithm(identifier: &[u8]) -> SignatureAlgorithm {
    SignatureAlgorithm::from_identifier(&AlgorithmIdentifier::parse(&mut Reader::der(identifier)).unwrap()).unwrap()
}

fn is_issued_by(subject: &Certificate, issuer: &Certificate) -> bool {
    let key = PublicKey::from_spki(issuer.spki()).unwrap();
    key.verify(&algorithm(subject.signature_algorithm()), subject.tbs(), subject.signature()).is_ok()
}

/// SHA-256 of every production certificate, and the key that signed it.
const PRODUCTION: &[(&str, &str, &str)] = &[
    ("root_gost_2022", "root_gost_2022", "af77725f8328bb24f89d81da3acdf7cee4324248538b7ba2cd2a860517fb9dca"),
    ("nca_gost_2022", "root_gost_2022", "32c7d233a42703a327f3025543a05b930e3f39a786c68dfa196baa86d5618524"),
    ("root_rsa_2020", "root_rsa_2020", "9ba06354b626641715182e4d07c9dbaa1777720fa795d03174ffc68876535dcd"),
    ("nca_rsa_2022", "root_rsa_2020", "84fb799a66140950818c056a5d9730acc2a7622cdd4ef0d47113b132fb892905"),
    ("root_gost_2020", "root_gost_2020", "c48164ab5ccaaee6b938299a1e3aeebd6f698bb2bd716a0f0d85befc46166aa2"),
    ("root_gost", "root_gost", "9ab210e5"),
    ("root_rsa", "root_rsa", "a7064abc"),
    ("nca_gost", "root_gost", "908521d0"),
    ("nca_rsa", "root_rsa", "34d1b311"),
    ("btsd_gost", "root_gost_2020", "74bb80ed"),
    ("ucgo_gost", "root_gost_2020", "eb5a5318"),
];

#[test]
fn authorities_are_issued_as_their_table_says() {
    let (Some(production), Some(test)) = (corpus("kz/ca/prod"), corpus("kz/ca/test")) else { return };
    let known = certificates(&production);
    assert_eq!(known.len(), PRODUCTION.len());
    let by_name = |name: &str| &known.iter().find(|row| row.0 == name).unwrap_or_else(|| panic!("{name}")).1;
    for (name, issuer, digest) in PRODUCTION {
        let subject = by_name(name);
        let hex = subject.digest().to_hex();
        assert!(hex.starts_with(digest), "{name}: {hex}");
        // By key and not by name: two roots are called the same, and only one of them signed.
        let issuers: Vec<&str> =
            known.iter().filter(|row| is_issued_by(subject, &row.1)).map(|row| row.0.as_str()).collect();
        assert_eq!(issuers, [*issuer], "{name}");
    }
    let root = certificate(&test.join("root_gost2022_test.cer"));
    assert!(is_issued_by(&root, &root));
    assert!(is_issued_by(&certificate(&test.join("nca_gost2022_test.cer")), &root));
}

#[test]
fn two_roots_share_a_name_and_not_a_key() {
    let Some(folder) = corpus("kz/ca/prod") else { return };
    let (old, new) = (certificate(&folder.join("root_gost.pem")), certificate(&folder.join("root_gost_2020.cer")));
    assert!(!is_issued_by(&new, &old) && !is_issued_by(&old, &new));
    // The re-issued root: its subordinate is older than it, on the same key.
    let subordinate = certificate(&folder.join("btsd_gost.cer"));
    assert!(subordinate.not_before() < new.not_before());
    assert!(is_issued_by(&subordinate, &new));
}

fn authority(name: &str) -> Option<Certificate> {
    Some(certificate(&corpus("kz/ca/test")?.join(name)))
}

#[test]
fn signers_are_issued_and_named_as_the_profile_says() {
    let Some(folder) = corpus("kz") else { return };
    let gost2015 = authority("nca_gost2022_test.cer").unwrap();
    for (file, roles, has_bin) in [
        ("individual_signer.cer", &[Role::NaturalPerson][..], false),
        ("legal_entity_signer.cer", &[Role::LegalEntity], true),
    ] {
        let signer = certificate(&folder.join("cms/gost2015").join(file));
        assert!(is_issued_by(&signer, &gost2015), "{file}");
        let identity = tamga::pki::Identity::of(&signer);
        assert!(identity.iin.one().is_some(), "{file}");
        assert_eq!(identity.bin.one().is_some(), has_bin, "{file}");
        assert!(roles.iter().all(|role| identity.roles.contains(role)), "{file}: {:?}", identity.roles);
    }
    let (gost2004, rsa) = (authority("nca_gost_test.crt").unwrap(), authority("nca_rsa_test.crt").unwrap());
    for (name, signer) in certificates(&folder.join("cert")) {
        let issuers = [&gost2004, &rsa].iter().filter(|issuer| is_issued_by(&signer, issuer)).count();
        assert_eq!(issuers, 1, "{name}");
        assert!(tamga::pki::Identity::of(&signer).iin.one().is_some(), "{name}");
    }
}

#[test]
fn revocation_lists_are_signed_by_their_authorities() {
    let Some(folder) = corpus("kz/crl") else { return };
    let authorities = ["nca_gost2022_test.cer", "nca_gost_test.crt", "nca_rsa_test.crt"].map(|n| authority(n).unwrap());
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let der = fs::read(&path).unwrap();
        CrlParts::parse(&der).unwrap();
        let mut outer = Reader::der(&der).sequence().unwrap();
        let tbs = outer.element().unwrap().raw;
        let identifier = outer.element().unwrap().raw;
        let signature = outer.element().unwrap().bit_string_octets().unwrap();
        let signers = authorities.iter().filter(|authority| {
            let key = PublicKey::from_spki(authority.spki()).unwrap();
            key.verify(&algorithm(identifier), tbs, signature).is_ok()
        });
        assert_eq!(signers.count(), 1, "{}", path.display());
        count += 1;
    }
    assert_eq!(count, 6);
}

fn holds(signature: &ParsedSignature<'_>, signer: &Certificate) {
    let key = PublicKey::from_spki(signer.spki()).unwrap();
    let algorithm = signature.algorithm.as_ref().unwrap();
    assert_eq!(key.verify(algorithm, &signature.message, &signature.signature), Ok(()));
    let mut altered = signature.message.to_vec();
    altered[0] ^= 1;
    assert!(key.verify(algorithm, &altered, &signature.signature).is_err());
}

#[test]
fn cms_documents_of_every_generation_verify() {
    let Some(folder) = corpus("kz/cms") else { return };
    for (file, content, key) in [
        ("gost2015/individual_attached.der", None, "GOST 34.10-2015-512"),
        ("gost2015/individual_detached.der", Some("gost2015/individual_document.txt"), "GOST 34.10-2015-512"),
        ("gost2015/legal_entity_attached.der", None, "GOST 34.10-2015-512"),
        ("gost2004/organization_sign.cms", None, "GOST 34.310-2004"),
        ("rsa/individual_sign.cms", None, "RSA-2048"),
        ("rsa/individual_auth.cms", None, "RSA-2048"),
    ] {
        let bytes = fs::read(folder.join(file)).unwrap();
        let der = armour::dearmour(&bytes).unwrap();
        let content = content.map(|content| fs::read(folder.join(content)).unwrap());
        let parsed = cms::parse(&der, content.as_deref()).unwrap();
        let [signature] = parsed.signatures.as_slice() else { panic!("{file}: one signer") };
        let signer = Certificate::parse(&parsed.certificates[0]).unwrap();
        assert_eq!(PublicKey::from_spki(signer.spki()).unwrap().name(), key, "{file}");
        holds(signature, &signer);
        assert_eq!(signature.signature_timestamps.len(), usize::from(file.starts_with("gost2015")), "{file}");
        for token in &signature.signature_timestamps {
            timestamp_holds(token, Some(&signature.signature));
        }
    }
}

#[test]
fn xml_documents_of_every_generation_verify() {
    let Some(folder) = corpus("kz/xml") else { return };
    for (file, key) in [
        ("rsa/individual_sign.xml", "RSA-2048"),
        ("rsa/individual_auth.xml", "RSA-2048"),
        ("gost2004/organization_sign.xml", "GOST 34.310-2004"),
    ] {
        let bytes = fs::read(folder.join(file)).unwrap();
        let document = xml::Document::parse(&bytes).unwrap();
        let parsed = xmldsig::parse(&document, None).unwrap();
        let [signature] = parsed.signatures.as_slice() else { panic!("{file}: one signature") };
        let signer = Certificate::parse(&parsed.certificates[0]).unwrap();
        assert_eq!(PublicKey::from_spki(signer.spki()).unwrap().name(), key, "{file}");
        holds(signature, &signer);
    }
}

const TST_INFO: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 16, 1, 4);

/// The token's signature holds under a certificate of the production authority, and its imprint is of the message.
fn timestamp_holds(token: &[u8], message: Option<&[u8]>) {
    let parsed = cms::parse_signed_data(token, TST_INFO, None).unwrap();
    let [signature] = parsed.signatures.as_slice() else { panic!("one signer") };
    let signer = parsed
        .certificates
        .iter()
        .map(|der| Certificate::parse(der).unwrap())
        .find(|certificate| certificate.extended_key_usage().is_some());
    let signer = signer.unwrap();
    holds(signature, &signer);
    let authority = corpus("kz/ca").unwrap();
    let issuers = certificates(&authority.join("prod")).into_iter().chain(certificates(&authority.join("test")));
    assert_eq!(issuers.filter(|row| is_issued_by(&signer, &row.1)).count(), 1);
    // TSTInfo ::= SEQUENCE { version, policy, messageImprint SEQUENCE { AlgorithmIdentifier, OCTET STRING }, … }
    let info = parsed.content.as_deref().unwrap();
    let mut fields = Reader::der(info).sequence().unwrap();
    fields.element().unwrap();
    fields.element().unwrap();
    let mut imprint = fields.sequence().unwrap();
    let identifier = AlgorithmIdentifier::parse(&mut imprint).unwrap();
    let digest = DigestAlgorithm::from_oid(identifier.algorithm).unwrap();
    let value = imprint.octet_string().unwrap();
    if let Some(message) = message {
        assert_eq!(digest.digest(message).as_bytes(), value);
    }
}

#[test]
fn the_timestamp_response_verifies() {
    let Some(folder) = corpus("kz/tsp") else { return };
    let token = fs::read(folder.join("token.der")).unwrap();
    timestamp_holds(&token, None);
    // TimeStampResp ::= SEQUENCE { status PKIStatusInfo, timeStampToken ContentInfo OPTIONAL }
    let response = fs::read(folder.join("response.der")).unwrap();
    let mut fields = Reader::der(&response).sequence().unwrap();
    fields.element().unwrap();
    timestamp_holds(fields.element().unwrap().raw, None);
}

#[test]
fn ocsp_responses_verify() {
    let Some(folder) = corpus("kz/ocsp") else { return };
    let authority = authority("nca_gost2022_test.cer").unwrap();
    // A number that was never issued is answered as revoked since 1970 (RFC 6960 §4.4.8, extended revoked definition).
    for (file, revoked_at) in
        [("gost2015_individual.der", "19700101000000Z"), ("gost2015_ceo_revoked.der", "20220727102530Z")]
    {
        let der = fs::read(folder.join(file)).unwrap();
        // OCSPResponse, ResponseBytes, BasicOCSPResponse (RFC 6960 §4.2.1).
        let mut response = Reader::der(&der).sequence().unwrap();
        assert_eq!(response.element().unwrap().small_unsigned(), Ok(0), "{file}: successful");
        let mut bytes = response.element().unwrap().reader().unwrap().sequence().unwrap();
        bytes.oid().unwrap();
        let basic = bytes.octet_string().unwrap();
        let mut basic = Reader::der(basic).sequence().unwrap();
        let data = basic.element().unwrap();
        let identifier = basic.element().unwrap().raw;
        let signature = basic.element().unwrap().bit_string_octets().unwrap();
        let responder = basic.optional(Tag::context_constructed(0)).unwrap();
        let responder = responder.map(|certs| {
            let first = certs.reader().unwrap().sequence().unwrap().element().unwrap().raw;
            Certificate::parse(first).unwrap()
        });
        if let Some(responder) = &responder {
            assert!(is_issued_by(responder, &authority), "{file}: delegated responder");
        }
        let key = PublicKey::from_spki(responder.as_ref().unwrap_or(&authority).spki()).unwrap();
        assert_eq!(key.verify(&algorithm(identifier), data.raw, signature), Ok(()), "{file}");
        assert_eq!(revocation_time(data), Some(revoked_at.as_bytes()), "{file}");
    }
}

/// The revocationTime of the first single response, where it says `revoked [1]`.
fn revocation_time<'a>(data: Element<'a>) -> Option<&'a [u8]> {
    let mut fields = data.reader().unwrap();
    let responses = loop {
        let field = fields.element().unwrap();
        if field.tag == Tag::SEQUENCE {
            break field;
        }
    };
    let mut single = responses.reader().unwrap().sequence().unwrap();
    single.element().unwrap();
    let status = single.element().unwrap();
    (status.tag == Tag::context_constructed(1)).then(|| status.reader().unwrap().element().unwrap().contents)
}
