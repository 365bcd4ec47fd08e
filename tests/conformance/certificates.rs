//! Every certificate of the corpus parses, and reads as another parser reads it.

use crate::corpus;
use base64::Engine;
use std::path::{Path, PathBuf};
use tamga::pki::Certificate;
use x509_parser::prelude::FromDer;

fn certificates(folder: &Path, out: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            certificates(&path, out);
        } else if path.extension().is_some_and(|e| e == "crt" || e == "cer" || e == "pem") {
            out.push((path.clone(), der(&std::fs::read(&path).unwrap())));
        }
    }
}

/// DER out of DER, PEM or bare base64.
pub(crate) fn der(bytes: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let body: String = text.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
            base64::engine::general_purpose::STANDARD.decode(body.trim()).unwrap()
        }
        _ => bytes.to_vec(),
    }
}

#[test]
fn corpus_certificates_read_as_x509_parser_reads_them() {
    let mut all = Vec::new();
    for part in ["pkits/certs", "kz"] {
        let Some(folder) = corpus(part) else { return };
        certificates(&folder, &mut all);
    }
    assert!(all.len() > 400, "{}", all.len());
    for (path, der) in all {
        let ours = Certificate::parse(&der).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (_, theirs) = x509_parser::certificate::X509Certificate::from_der(&der).unwrap();
        let name = path.display();
        assert_eq!(ours.tbs(), theirs.tbs_certificate.as_ref(), "{name}");
        assert_eq!(ours.serial_number(), theirs.raw_serial(), "{name}");
        assert_eq!(ours.issuer().raw(), theirs.issuer().as_raw(), "{name}");
        assert_eq!(ours.subject().raw(), theirs.subject().as_raw(), "{name}");
        assert_eq!(ours.not_before().unix(), theirs.validity().not_before.timestamp(), "{name}");
        assert_eq!(ours.not_after().unix(), theirs.validity().not_after.timestamp(), "{name}");
        assert_eq!(ours.spki(), theirs.public_key().raw, "{name}");
        assert_eq!(ours.public_key_bits(), theirs.public_key().subject_public_key.data.as_ref(), "{name}");
        let whole = theirs.signature_value.unused_bits == 0;
        assert_eq!(ours.signature(), if whole { theirs.signature_value.data.as_ref() } else { &[] }, "{name}");
        assert!(ours.signature_algorithms_agree(), "{name}");
        let extensions: Vec<_> =
            theirs.extensions().iter().map(|e| (e.oid.as_bytes().to_vec(), e.critical, e.value.to_vec())).collect();
        let read: Vec<_> =
            ours.extensions().map(|e| (e.id.as_bytes().to_vec(), e.critical, e.value.to_vec())).collect();
        assert_eq!(read, extensions, "{name}");
        let constraints = theirs.basic_constraints().unwrap().map(|c| (c.value.ca, c.value.path_len_constraint));
        assert_eq!(ours.basic_constraints().map(|c| (c.ca, c.path_len)), constraints, "{name}");
        for (mask, usage) in [
            (1u16, tamga::pki::extension::KeyUsage::DIGITAL_SIGNATURE),
            (1 << 1, tamga::pki::extension::KeyUsage::NON_REPUDIATION),
            (1 << 5, tamga::pki::extension::KeyUsage::KEY_CERT_SIGN),
            (1 << 6, tamga::pki::extension::KeyUsage::CRL_SIGN),
        ] {
            let expected = theirs.key_usage().unwrap().map(|usage| usage.value.flags & mask != 0);
            assert_eq!(ours.key_usage().map(|own| own.contains(usage)), expected, "{name}");
        }
    }
}

#[test]
fn national_test_signers_are_identified() {
    let Some(folder) = corpus("kz/cms/gost2015") else { return };
    for (file, iin, bin) in [
        ("individual_signer.cer", "123456789011", None),
        ("legal_entity_signer.cer", "123456789011", Some("123456789021")),
    ] {
        let certificate = Certificate::parse(&der(&std::fs::read(folder.join(file)).unwrap())).unwrap();
        let identity = tamga::pki::Identity::of(&certificate);
        assert_eq!(identity.iin.one().map(|n| n.as_str().to_owned()).as_deref(), Some(iin), "{file}");
        assert_eq!(identity.bin.one().map(|n| n.as_str().to_owned()).as_deref(), bin, "{file}");
        assert!(!identity.roles.is_empty(), "{file}");
    }
}

/// The example of RFC 8410 §10.2: X25519 key, Ed25519 signature, keyUsage with `critical` encoded although it is FALSE.
const RFC8410_EXAMPLE: &str = "
    MIIBLDCB36ADAgECAghWAUdKKo3DMDAFBgMrZXAwGTEXMBUGA1UEAwwOSUVURiBUZX
    N0IERlbW8wHhcNMTYwODAxMTIxOTI0WhcNNDAxMjMxMjM1OTU5WjAZMRcwFQYDVQQD
    DA5JRVRGIFRlc3QgRGVtbzAqMAUGAytlbgMhAIUg8AmJMKdUdIt93LQ+91oNvzoNJj
    ga9OukqY6qm05qo0UwQzAPBgNVHRMBAf8EBTADAQEAMA4GA1UdDwEBAAQEAwIDCDAg
    BgNVHQ4BAQAEFgQUmx9e7e0EM4Xk97xiPFl1uQvIuzswBQYDK2VwA0EAryMB/t3J5v
    /BzKc9dNZIpDmAgs3babFOTQbs+BolzlDUwsPrdGxO3YNGhW7Ibz3OGhhlxXrCe1Cg
    w1AH9efZBw==";

#[test]
fn the_example_of_rfc8410_is_a_certificate() {
    use tamga::crypto::{PublicKey, SignatureAlgorithm};
    let der = tamga::format::armour::base64_text(RFC8410_EXAMPLE.as_bytes()).unwrap();
    let certificate = Certificate::parse(&der).unwrap();
    assert!(!certificate.is_critical(tamga::pki::extension::id::KEY_USAGE));
    assert!(certificate.key_usage().unwrap().contains(tamga::pki::extension::KeyUsage::KEY_AGREEMENT));
    assert!(PublicKey::from_spki(certificate.spki()).is_err(), "a key that cannot sign");
    // The issuer's key, §10.1.
    let issuer =
        tamga::format::armour::base64_text(b"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=").unwrap();
    let issuer = PublicKey::from_spki(&issuer).unwrap();
    issuer.verify(&SignatureAlgorithm::Ed25519, certificate.tbs(), certificate.signature()).unwrap();
}
