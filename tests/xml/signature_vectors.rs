//! The published signature vectors: each verified, or refused with the code that the table says.

use tamga::crypto::PublicKey;
use tamga::format::xml::Document;
use tamga::format::{ParsedSignature, SignerIdentifier, xmldsig};
use tamga::pki::Certificate;
use tamga::report::{CheckId, Reason};

use std::path::Path;

use crate::corpus;

/// `verified`, or the code of the first reason that refuses the first signature.
fn outcome(bytes: &[u8], content: Option<&[u8]>) -> String {
    let document = match Document::parse(bytes) {
        Ok(document) => document,
        Err(error) => return Reason::from(error).code().to_owned(),
    };
    match xmldsig::parse(&document, content) {
        Err(reason) => reason.code().to_owned(),
        Ok(parsed) => judged(&parsed.signatures[0]),
    }
}

fn judged(signature: &ParsedSignature<'_>) -> String {
    for check in CheckId::ALL {
        if let Some(reason) = signature.findings.outcome(check).failure() {
            return reason.code().to_owned();
        }
    }
    let algorithm = match &signature.algorithm {
        Ok(algorithm) => algorithm,
        Err(reason) => return reason.code().to_owned(),
    };
    let SignerIdentifier::Certificate(der) = &signature.signer else { return "isc-signing-certificate-missing".into() };
    let Ok(certificate) = Certificate::parse(der) else { return "isc-signing-certificate-missing".into() };
    let key = match PublicKey::from_spki(certificate.spki()) {
        Ok(key) => key,
        Err(error) => return format!("sav-algorithm-not-allowed ({error})"),
    };
    match key.verify(algorithm, &signature.message, &signature.signature) {
        Ok(()) => "verified".into(),
        Err(_) => "cv-signature-invalid".into(),
    }
}

/// The content that a detached signature names, where the corpus has it.
fn content(folder: &Path, beside: &Path, bytes: &[u8]) -> Option<Vec<u8>> {
    let document = Document::parse(bytes).ok()?;
    let mut references = document.elements().filter(|e| e.is(xmldsig::NAMESPACE, "Reference"));
    let uri = references.find_map(|r| r.attribute("", "URI").filter(|u| !u.is_empty() && !u.starts_with('#')))?;
    let name = match &*uri {
        "http://www.w3.org/TR/xml-stylesheet" if beside.ends_with("aleksey-xmldsig-01") => {
            return std::fs::read(folder.join("external-data/xml-stylesheet-2018")).ok();
        }
        "http://www.w3.org/TR/xml-stylesheet" => {
            return std::fs::read(folder.join("external-data/xml-stylesheet-2005")).ok();
        }
        "http://www.w3.org/Signature/2002/04/xml-stylesheet.b64" => {
            return std::fs::read(folder.join("external-data/xml-stylesheet-2005.b64")).ok();
        }
        name => name.rsplit('/').next().unwrap_or(name),
    };
    std::fs::read(beside.join(name)).ok()
}

/// File, outcome without and with the content it names, and why: one line each.
const TABLE: &str = include_str!("signature_vectors.txt");

#[test]
fn every_vector_is_verified_or_refused_with_its_code() {
    let Some(corpus) = corpus::folder() else { return };
    let folder = corpus.join("xmldsig");
    let text = std::fs::read_to_string(folder.join("expectations.json")).unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let (mut lines, mut absent, mut verified) = (Vec::new(), 0, 0);
    for row in &rows {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let path = folder.join(text("folder")).join(text("file"));
        let Ok(bytes) = std::fs::read(&path) else {
            absent += 1;
            continue;
        };
        let first = outcome(&bytes, None);
        let content = content(&folder, path.parent().unwrap(), &bytes);
        let second = content.map_or("-".to_owned(), |content| outcome(&bytes, Some(&content)));
        if text("expected") == "invalid" {
            assert!(first != "verified" && second != "verified", "{} must not verify", path.display());
        }
        verified += usize::from(first == "verified" || second == "verified");
        // No vector is refused for octets that we would make otherwise: that would be a fault of ours.
        let faults = ["cv-digest-mismatch", "cv-signature-invalid"];
        assert!(
            text("expected") == "invalid" || !faults.contains(&&*first) && !faults.contains(&&*second),
            "{}: {first} {second}",
            path.display()
        );
        lines.push(format!("{}\t{first}\t{second}", path.strip_prefix(&folder).unwrap().display()));
    }
    let expected: Vec<String> = TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').take(3).collect::<Vec<_>>().join("\t"))
        .collect();
    if std::env::var_os("UPDATE_TABLE").is_some() {
        println!("{}", lines.join("\n"));
    }
    assert_eq!(lines, expected);
    assert_eq!((absent, verified), (9, 6), "files that the corpus leaves out, and vectors that verify");
}

/// `corpus/kz/xml`: enveloped signatures that NCALayer's library made in 2020.
#[test]
fn the_national_examples_verify() {
    let Some(corpus) = corpus::folder() else { return };
    for (file, expected) in [
        ("rsa/individual_sign.xml", "verified"),
        ("rsa/individual_auth.xml", "verified"),
        ("gost2004/organization_sign.xml", "verified"),
    ] {
        let bytes = std::fs::read(corpus.join("kz/xml").join(file)).unwrap();
        assert_eq!(outcome(&bytes, None), expected, "{file}");
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(
            outcome(text.replace("<name>NCANode<", "<name>NCANodE<").as_bytes(), None),
            "cv-digest-mismatch",
            "{file}"
        );
        assert_eq!(
            outcome(text.replace("standalone=\"no\"", "standalone=\"yes\"").as_bytes(), None),
            expected,
            "{file}: the declaration is not signed"
        );
    }
}

/// What the national library made is what we make, octet for octet: the layout, the line breaks, the digests.
#[test]
fn the_plain_profile_is_that_of_the_national_library() {
    use tamga::format::xmldsig::enveloped::{Order, PreparedXml, Profile};
    let Some(corpus) = corpus::folder() else { return };
    for file in ["rsa/individual_sign.xml", "rsa/individual_auth.xml", "gost2004/organization_sign.xml"] {
        let original = std::fs::read(corpus.join("kz/xml").join(file)).unwrap();
        let document = Document::parse(&original).unwrap();
        let parsed = xmldsig::parse(&document, None).unwrap();
        let signature = &parsed.signatures[0];
        let range = signature.element.unwrap().range();
        let unsigned = [&original[..range.start], &original[range.end..]].concat();
        let SignerIdentifier::Certificate(der) = &signature.signer else { panic!("a certificate") };
        let prepared = PreparedXml::new(&Order {
            document: &unsigned,
            certificate: &Certificate::parse(der).unwrap(),
            chain: &[],
            algorithm: signature.algorithm.clone().unwrap(),
            signing_time: "2020-01-28T00:00:00Z".parse().unwrap(),
            profile: Profile::Plain,
        })
        .unwrap();
        assert_eq!(prepared.to_be_signed(), &*signature.message);
        let assembled = prepared.assemble(&signature.signature).unwrap();
        assert_eq!(String::from_utf8(assembled).unwrap(), String::from_utf8(original).unwrap(), "{file}");
    }
}
