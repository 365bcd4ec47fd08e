//! Attacks 1 to 9 of the threat list on one form: none is accepted, each ends in its code.
//!
//! The honest document is a form whose `application` is signed by Id, as portals do it, and read by the service's rule.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tamga::demonstration::{Holder, KeyKind};
use tamga::format::xmldsig::enveloped::Profile;
use tamga::report::{CheckId, Decision, Outcome};
use tamga::verify::{ContentIdentityRule, ServiceRules};

use crate::support::{ENVELOPED, Peer, SHA256, outcome, outcome_of, person, reference, report, sign, template, world};

pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(crate) const RSA: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";

/// The IIN of the holder who signs, as his certificate says it.
fn iin() -> String {
    Holder::IIN.to_owned()
}

fn application(id: &str, iin: &str) -> String {
    let id = if id.is_empty() { String::new() } else { format!(" Id=\"{id}\"") };
    format!("<application{id}><iin>{iin}</iin><object>Қоймалар</object></application>")
}

fn rules() -> ServiceRules {
    ServiceRules {
        content_identity: Some(ContentIdentityRule {
            xml_iin: Some("/form/application/iin".into()),
            ..ContentIdentityRule::default()
        }),
        xml_element: Some("/form/application".into()),
        xml_namespaces: BTreeMap::new(),
        ..ServiceRules::default()
    }
}

pub(crate) fn method(name: &str) -> String {
    format!("<ds:{name} Algorithm=\"{EXCLUSIVE}\"/>")
}

struct Honest {
    document: String,
    original: String,
    signature: String,
    evil: &'static str,
}

/// `<form>application signature</form>`, signed by `xmlsec1`, with its two parts.
fn honest() -> Honest {
    let original = application("app", &iin());
    let unsigned = format!(
        "<form>{original}{}</form>",
        template(&method("CanonicalizationMethod"), RSA, &reference("#app", &method("Transform"), SHA256))
    );
    let signed = Peer::new().sign(&unsigned, "rsa", &["application".to_owned()]).unwrap();
    let at = signed.find("<ds:Signature ").unwrap();
    let end = signed.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let document = signed[signed.find("<form>").unwrap()..].trim_end().to_owned();
    Honest { document, original, signature: signed[at..end].to_owned(), evil: "990101300999" }
}

pub(crate) fn refused(name: &str, document: &str, rules: Option<&ServiceRules>, codes: &[&str]) {
    let report = report(document, rules);
    let found = outcome(&report);
    assert_ne!(report.decision, Decision::Accepted, "{name}\n{document}");
    assert!(codes.contains(&&*found), "{name}: {found}, not {codes:?}\n{document}");
}

#[test]
fn the_honest_form_holds_and_names_its_scope() {
    let honest = honest();
    let report = report(&honest.document, Some(&rules()));
    assert_eq!(outcome(&report), "holds", "{:?}", report.signatures[0].checks);
    assert_eq!(report.decision, Decision::Accepted, "{:?}", report.refusal);
    assert_eq!(report.signatures[0].checks.outcome(CheckId::IdentityContent), &Outcome::Passed);
    let scope = report.signatures[0].scope.as_ref().unwrap();
    assert_eq!(
        (scope.path.as_str(), scope.name.as_str(), scope.whole_document),
        ("/form/application", "{}application", false)
    );
}

/// Contract §5: a part signed by Id shows its cryptography as passed, and is refused where no service names it.
#[test]
fn a_signed_part_alone_is_not_the_document() {
    let honest = honest();
    let report = report(&honest.document, None);
    let checks = &report.signatures[0].checks;
    assert_eq!(outcome(&report), "fc-not-covered");
    assert_eq!(checks.outcome(CheckId::ContentDigest), &Outcome::Passed);
    assert_eq!(checks.outcome(CheckId::SignatureValue), &Outcome::Passed);
}

/// Attack 1: the eight signature wrappings (Somorovsky and others, 2012), each with an evil copy of the same Id, of
/// another Id, and of none.
#[test]
fn wrapping_xsw1_to_xsw8() {
    let Honest { original, signature, evil, document } = honest();
    let form = document.trim_start_matches("<form>").trim_end_matches("</form>").to_owned();
    let inside = |signature: &str, content: &str| {
        signature.replace("</ds:Signature>", &format!("<ds:Object>{content}</ds:Object></ds:Signature>"))
    };
    let child =
        |signature: &str, content: &str| signature.replace("</ds:Signature>", &format!("{content}</ds:Signature>"));
    for id in ["app", "evil", ""] {
        let evil_application = application(id, evil);
        let open = evil_application.trim_end_matches("</application>").to_owned();
        let wrapped: [(&str, String); 8] = [
            // A new root; the old one below the signature.
            (
                "XSW1",
                format!("<form>{evil_application}{}</form>", child(&signature, &format!("<form>{original}</form>"))),
            ),
            // A new root; the old one beside the signature.
            ("XSW2", format!("<form>{evil_application}<form>{original}</form>{signature}</form>")),
            // The evil part before the signed one.
            ("XSW3", format!("<form>{evil_application}{original}{signature}</form>")),
            // The signed part inside the evil one.
            ("XSW4", format!("<form>{open}{original}</application>{signature}</form>")),
            // The signature inside the evil part, the signed one at the end.
            ("XSW5", format!("<form>{open}{signature}</application><wrapper>{original}</wrapper></form>")),
            // The signed part below the signature inside the evil part.
            ("XSW6", format!("<form>{open}{}</application></form>", child(&signature, &original))),
            // The signed part in extensions before the evil one.
            ("XSW7", format!("<form><extensions>{original}</extensions>{evil_application}{signature}</form>")),
            // The signed part in an Object of the signature inside the evil part.
            ("XSW8", format!("<form>{open}{}</application></form>", inside(&signature, &original))),
        ];
        for (name, document) in wrapped {
            assert!(document != form && document.contains(evil));
            let codes: &[&str] = match (id, name) {
                ("app", _) => &["fc-ambiguous-reference", "fc-malformed"],
                (_, "XSW1" | "XSW6") => &["fc-malformed"],
                (_, "XSW3") => &["fc-ambiguous-reference"],
                _ => &["fc-not-covered"],
            };
            refused(&format!("{name} with Id {id:?}"), &document, Some(&rules()), codes);
            // And without a rule of the service.
            assert_ne!(outcome(&report(&document, None)), "holds", "{name}");
        }
    }
}

/// Wrapping of a document signed whole, as NCALayer does: URI="" moves with the root.
#[test]
fn wrapping_of_a_whole_document() {
    let signed =
        sign(&format!("<form>{}</form>", application("app", &iin())), Profile::BaselineB, &person(KeyKind::P256));
    let evil = application("app2", "990101300999");
    let at = signed.find("<ds:Signature ").unwrap();
    let signature = signed[at..].trim_end_matches("</form>");
    for (name, document) in [
        ("a new root around it", format!("<form>{evil}{signed}</form>")),
        ("the signature moved under evil content", format!("<form>{evil}{signature}</form>")),
        ("evil content added", signed.replacen("<form>", &format!("<form>{evil}"), 1)),
        (
            "the old content in an Object",
            format!(
                "<form>{evil}{}</form>",
                signature
                    .replace("</ds:Signature>", &format!("<ds:Object>{}</ds:Object></ds:Signature>", &signed[..at]))
            ),
        ),
    ] {
        refused(name, &document, None, &["cv-digest-mismatch", "fc-malformed"]);
    }
    // What the enveloped transform takes away is not read either.
    let in_object = signed.replace("</ds:Signature>", &format!("<ds:Object>{evil}</ds:Object></ds:Signature>"));
    let rules = ServiceRules {
        content_identity: Some(ContentIdentityRule {
            xml_iin: Some("/form/Q{http://www.w3.org/2000/09/xmldsig#}Signature/Q{http://www.w3.org/2000/09/xmldsig#}Object/application/iin".into()),
            ..ContentIdentityRule::default()
        }),
        ..ServiceRules::default()
    };
    refused("an unsigned Object", &in_object, None, &["fc-not-covered"]);
    let rules = ServiceRules { xml_element: Some("/form".into()), ..rules };
    refused("an unsigned Object is read", &in_object, Some(&rules), &["id-content-unreadable"]);
}

/// Attack 2.
#[test]
fn identifiers_that_name_two_elements() {
    let honest = honest();
    for other in [
        "<x Id=\"app\"/>",
        "<x ID=\"app\"/>",
        "<x xml:id=\"app\"/>",
        "<x u:Id=\"app\" xmlns:u=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd\"/>",
    ] {
        for place in ["<form>", "<ds:X509Data>"] {
            let document = honest.document.replacen(place, &format!("{place}{other}"), 1);
            refused(other, &document, Some(&rules()), &["fc-ambiguous-reference"]);
        }
    }
    // Attributes that only look like identifiers name nothing.
    for attribute in ["id", "iD", "AssertionID", "x:Id"] {
        let declared = if attribute.starts_with("x:") { " xmlns:x=\"urn:x\"" } else { "" };
        let document = honest.document.replace("<application Id=", &format!("<application{declared} {attribute}="));
        refused(attribute, &document, Some(&rules()), &["cv-signed-data-missing"]);
    }
}

/// Attack 3: what two parsers could read in two ways is refused, or read once.
#[test]
fn parser_differentials() {
    let honest = honest();
    for (name, document, codes) in [
        (
            "an entity that splits a name",
            honest.document.replacen("<form>", "<!DOCTYPE form [<!ENTITY e 'x'>]><form>", 1),
            ["fc-malformed"],
        ),
        (
            "two attributes of one name",
            honest.document.replace("<application Id=\"app\">", "<application Id=\"app\" Id=\"app\">"),
            ["fc-malformed"],
        ),
        (
            "two attributes of one expanded name",
            honest
                .document
                .replace("<application ", "<application xmlns:a=\"urn:a\" xmlns:b=\"urn:a\" a:x=\"\" b:x=\"\" "),
            ["fc-malformed"],
        ),
        ("an end tag with attributes", honest.document.replace("</iin>", "</iin x=\"\">"), ["fc-malformed"]),
        (
            "an undeclared prefix",
            honest.document.replace("<iin>", "<p:iin>").replace("</iin>", "</p:iin>"),
            ["fc-malformed"],
        ),
        ("text after the end", format!("{}<form/>", honest.document), ["fc-malformed"]),
        ("XML 1.1", format!("<?xml version=\"1.1\"?>{}", honest.document), ["fc-malformed"]),
        (
            "an encoding that lies",
            format!("<?xml version=\"1.0\" encoding=\"UTF-7\"?>{}", honest.document),
            ["fc-malformed"],
        ),
        (
            "an encoding named where only some look for it",
            format!("<?xml version=\"1.0\"{}encoding=\"ISO-8859-1\"?>{}", " ".repeat(300), honest.document),
            ["fc-malformed"],
        ),
        ("a NUL", honest.document.replace("<object>", "<object>\u{0}"), ["fc-malformed"]),
    ] {
        refused(name, &document, Some(&rules()), &codes);
    }
    // A signature in another namespace is none.
    refused(
        "a look-alike namespace",
        &honest.document.replace("http://www.w3.org/2000/09/xmldsig#\"", "http://www.w3.org/2000/09/xmldsig\""),
        Some(&rules()),
        &["fc-no-signature"],
    );
}

/// Attack 4.
#[test]
fn canonicalization_tricks() {
    let honest = honest();
    let document = &honest.document;
    let inside = |tag: &str, text: &str| document.replacen(&format!("<ds:{tag}>"), &format!("<ds:{tag}>{text}"), 1);
    let signed_info = &document[document.find("<ds:SignedInfo>").unwrap()
        ..document.find("</ds:SignedInfo>").unwrap() + "</ds:SignedInfo>".len()];
    let value = &document[document.find("<ds:SignatureValue>").unwrap()
        ..document.find("</ds:SignatureValue>").unwrap() + "</ds:SignatureValue>".len()];
    for (name, changed, code) in [
        ("a comment in DigestValue", inside("DigestValue", "<!--x-->"), "fc-malformed"),
        ("a comment in SignatureValue", inside("SignatureValue", "<!--x-->"), "fc-malformed"),
        ("an element in DigestValue", inside("DigestValue", "<x/>"), "fc-malformed"),
        ("CDATA in SignatureValue", inside("SignatureValue", "<![CDATA[]]>"), "fc-malformed"),
        ("two SignedInfo", document.replacen(signed_info, &format!("{signed_info}{signed_info}"), 1), "fc-malformed"),
        (
            "SignedInfo in an Object first",
            document.replacen(signed_info, &format!("<ds:Object>{signed_info}</ds:Object>{signed_info}"), 1),
            "fc-malformed",
        ),
        ("two SignatureValue", document.replacen(value, &format!("{value}{value}"), 1), "fc-malformed"),
        ("a relative namespace", document.replacen("<form>", "<form xmlns:r=\"relative\">", 1), "fc-malformed"),
        ("a comment in the value read", document.replace("<iin>", "<iin><!--x-->"), "id-content-unreadable"),
        (
            "a reference over nothing",
            format!(
                "<form><application Id=\"app\"/>{}</form>",
                honest
                    .signature
                    .replace(
                        &method("Transform"),
                        "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#base64\"/>"
                    )
                    .replace(
                        "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
                        "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#base64\"/>"
                    )
            ),
            "fc-malformed",
        ),
        ("an unknown canonicalization", document.replacen(EXCLUSIVE, "urn:none", 1), "fc-transform-not-allowed"),
    ] {
        assert_ne!(&changed, document, "{name}");
        refused(name, &changed, Some(&rules()), &[code]);
    }
}

/// Attack 5.
#[test]
fn entities_and_bombs() {
    let honest = honest();
    let document = &honest.document;
    let laughs: String = (0..9).map(|i| format!("<!ENTITY l{} '{}'>", i + 1, format!("&l{i};").repeat(10))).collect();
    let deep = format!("{}{}", "<d>".repeat(150), "</d>".repeat(150));
    let wide: String = (0..400).map(|i| format!(" a{i}=''")).collect();
    for (name, changed, code) in [
        (
            "an external entity",
            format!(
                "<!DOCTYPE form [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>{}",
                document.replace("<object>", "<object>&e;")
            ),
            "fc-malformed",
        ),
        (
            "an external subset",
            format!("<!DOCTYPE form SYSTEM 'http://attacker.invalid/x.dtd'>{document}"),
            "fc-malformed",
        ),
        (
            "a billion laughs",
            format!("<!DOCTYPE form [<!ENTITY l0 'ha'>{laughs}]>{}", document.replace("<object>", "<object>&l9;")),
            "fc-malformed",
        ),
        ("depth", document.replace("<object>", &format!("{deep}<object>")), "fc-limit-exceeded"),
        ("attributes", document.replace("<object>", &format!("<object{wide}>")), "fc-limit-exceeded"),
        // XInclude is an element like any other: what is signed has changed.
        (
            "XInclude",
            document.replace(
                "<object>",
                "<x:include xmlns:x=\"http://www.w3.org/2001/XInclude\" href=\"/etc/passwd\" parse=\"text\"/><object>",
            ),
            "cv-digest-mismatch",
        ),
    ] {
        refused(name, &changed, Some(&rules()), &[code]);
    }
}

/// Attack 5: comments leave nothing in the octets, but the walk through them takes time; thirty walks are more than one
/// document is worth.
#[test]
fn references_over_comments_are_charged_for() {
    let one = reference("", &method("Transform"), SHA256)
        .replace("<ds:DigestValue/>", "<ds:DigestValue>AAAA</ds:DigestValue>");
    let signature = template(&method("CanonicalizationMethod"), RSA, &one.repeat(30))
        .replace("<ds:SignatureValue/>", "<ds:SignatureValue>AAAA</ds:SignatureValue>");
    let comment = format!("<!--{}-->", "x".repeat(9 << 20));
    refused("comments", &format!("<form>{comment}{signature}</form>"), None, &["fc-limit-exceeded"]);
    refused("no comments", &format!("<form>{signature}</form>"), None, &["cv-digest-mismatch"]);
}

/// Attack 6.
#[test]
fn transforms_that_are_programs() {
    let honest = honest();
    let transform = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>";
    let with = |transforms: &str| honest.document.replace(transform, transforms);
    for (name, document) in [
        (
            "XSLT",
            with(
                "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"><xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\" version=\"1.0\"/></ds:Transform>",
            ),
        ),
        (
            "XPath",
            with(
                "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>not(self::iin)</ds:XPath></ds:Transform>",
            ),
        ),
        (
            "XPath filter",
            with(
                "<ds:Transform Algorithm=\"http://www.w3.org/2002/06/xmldsig-filter2\"><f:XPath xmlns:f=\"http://www.w3.org/2002/06/xmldsig-filter2\" Filter=\"subtract\">//iin</f:XPath></ds:Transform>",
            ),
        ),
        (
            "STR",
            with(
                "<ds:Transform Algorithm=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform\"/>",
            ),
        ),
        ("an XPath as parameter", with(&transform.replace("/>", "><ds:XPath>1</ds:XPath></ds:Transform>"))),
        ("canonicalized twice", with(&transform.repeat(2))),
        ("enveloped twice", with(&ENVELOPED.repeat(2))),
        ("enveloped after canonicalization", with(&format!("{transform}{ENVELOPED}"))),
        ("XPointer that computes", honest.document.replace("URI=\"#app\"", "URI=\"#xpointer(//application)\"")),
        ("XPointer that joins", honest.document.replace("URI=\"#app\"", "URI=\"#xpointer(id('app') | id('x'))\"")),
    ] {
        assert_ne!(document, honest.document, "{name}");
        refused(name, &document, Some(&rules()), &["fc-transform-not-allowed"]);
    }
    refused("six transforms", &with(&transform.repeat(6)), Some(&rules()), &["fc-limit-exceeded"]);
    let start = honest.document.find("<ds:Reference ").unwrap();
    let end = honest.document.find("</ds:Reference>").unwrap() + "</ds:Reference>".len();
    let one = honest.document[start..end].to_owned();
    let manifest = format!("<ds:Manifest Id=\"m\">{}</ds:Manifest>", reference("#app", "", SHA256).repeat(31));
    let in_manifest = template(&method("CanonicalizationMethod"), RSA, &reference("#m", "", SHA256))
        .replace("</ds:Signature>", &format!("<ds:Object>{manifest}</ds:Object></ds:Signature>"));
    let ids = ["application".to_owned(), "http://www.w3.org/2000/09/xmldsig#:Manifest".to_owned()];
    let signed = Peer::new().sign(&format!("<form>{}{in_manifest}</form>", honest.original), "rsa", &ids).unwrap();
    refused("31 references in a manifest", &signed, Some(&rules()), &["fc-limit-exceeded"]);
    refused("31 references", &honest.document.replace(&one, &one.repeat(31)), Some(&rules()), &["fc-limit-exceeded"]);
}

/// Attack 7.
#[test]
fn keys_that_prove_nothing() {
    let honest = honest();
    let key_info = &honest.signature[honest.signature.find("<ds:KeyInfo>").unwrap()
        ..honest.signature.find("</ds:KeyInfo>").unwrap() + "</ds:KeyInfo>".len()];
    let with = |text: &str| honest.document.replace(key_info, text);
    for (name, document, code) in [
        ("HMAC", honest.document.replace(RSA, "http://www.w3.org/2000/09/xmldsig#hmac-sha1"), "sav-algorithm-not-allowed"),
        ("HMAC cut to one bit", honest.document.replace(&format!("<ds:SignatureMethod Algorithm=\"{RSA}\"/>"), "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256\"><ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>"), "sav-algorithm-not-allowed"),
        ("parameters where none belong", honest.document.replace(&format!("<ds:SignatureMethod Algorithm=\"{RSA}\"/>"), &format!("<ds:SignatureMethod Algorithm=\"{RSA}\"><x/></ds:SignatureMethod>")), "sav-algorithm-not-allowed"),
        ("SHA-1", honest.document.replace(RSA, "http://www.w3.org/2000/09/xmldsig#rsa-sha1"), "sav-algorithm-not-allowed"),
        ("an algorithm of another key", honest.document.replace(RSA, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"), "cv-signature-invalid"),
        ("no KeyInfo", with(""), "isc-signing-certificate-missing"),
        ("a bare key", with("<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>"), "isc-signing-certificate-missing"),
        ("a key by name", with("<ds:KeyInfo><ds:KeyName>admin</ds:KeyName></ds:KeyInfo>"), "isc-signing-certificate-missing"),
    ] {
        assert_ne!(document, honest.document, "{name}");
        refused(name, &document, Some(&rules()), &[code]);
    }
    // ECDSA values are r and s side by side (RFC 9231 §2.3.6); the DER of X.509 is another form of the same number.
    let signed = sign("<form><iin>1</iin></form>", Profile::Plain, &person(KeyKind::P256));
    let start = signed.find("<ds:SignatureValue>").unwrap() + "<ds:SignatureValue>".len();
    let end = signed.find("</ds:SignatureValue>").unwrap();
    let fixed = STANDARD.decode(signed[start..end].replace('\n', "")).unwrap();
    let der = STANDARD.encode(tamga::crypto::ecdsa_der_from_fixed(&fixed).unwrap());
    let in_der = format!("{}{der}{}", &signed[..start], &signed[end..]);
    refused("an ECDSA value in DER", &in_der, None, &["cv-signature-invalid"]);
    // Somebody else's certificate: the signature is not his.
    let other = world().holder(&Holder::first_head(), KeyKind::Rsa2048).unwrap().certificate;
    let other = STANDARD.encode(other);
    let foreign = with(&format!(
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{other}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
    ));
    refused("another's certificate", &foreign, Some(&rules()), &["cv-signature-invalid"]);
}

/// Attack 8: nothing is fetched.
#[test]
fn references_that_lead_outside() {
    let honest = honest();
    for uri in [
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data",
        "other.xml",
        "cid:part1",
        "ftp://x/y",
        "form#app",
    ] {
        let document = honest.document.replace("URI=\"#app\"", &format!("URI=\"{uri}\""));
        refused(uri, &document, Some(&rules()), &["cv-signed-data-missing"]);
    }
    refused("no URI", &honest.document.replace(" URI=\"#app\"", ""), Some(&rules()), &["fc-ambiguous-reference"]);
    let retrieval = "<ds:KeyInfo><ds:RetrievalMethod URI=\"http://attacker.invalid/cert\" Type=\"http://www.w3.org/2000/09/xmldsig#rawX509Certificate\"/></ds:KeyInfo>";
    let start = honest.document.find("<ds:KeyInfo>").unwrap();
    let end = honest.document.find("</ds:KeyInfo>").unwrap() + "</ds:KeyInfo>".len();
    let document = format!("{}{retrieval}{}", &honest.document[..start], &honest.document[end..]);
    refused("RetrievalMethod", &document, Some(&rules()), &["isc-signing-certificate-missing"]);
}

/// Attack 9.
#[test]
fn xades_that_hangs_on_nothing() {
    let signed = sign("<form><iin>1</iin></form>", Profile::BaselineB, &person(KeyKind::P256));
    assert_eq!(outcome(&report(&signed, None)), "holds");
    let properties = &signed[signed.find("<xades:QualifyingProperties").unwrap()
        ..signed.find("</xades:QualifyingProperties>").unwrap() + "</xades:QualifyingProperties>".len()];
    let start = signed.find("<ds:Reference Type=").unwrap();
    let end = start + signed[start..].find("</ds:Reference>\n").unwrap() + "</ds:Reference>\n".len();
    let unreferenced = format!("{}{}", &signed[..start], &signed[end..]);
    for (name, document, codes) in [
        ("a foreign Target", signed.replace("Target=\"#", "Target=\"#x"), ["sav-attribute-inconsistent"]),
        ("no Target", signed.replace(" Target=\"#", " Targe=\"#"), ["sav-attribute-inconsistent"]),
        ("a second QualifyingProperties", signed.replace(properties, &format!("{properties}{}", properties.replace("signedprops\"", "signedprops2\""))), ["sav-attribute-duplicated"]),
        ("another certificate's digest", signed.replacen("<xades:CertDigest><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue>", "<xades:CertDigest><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue>AAAA", 1), ["cv-digest-mismatch"]),
        ("another signing time", signed.replace("2026-11-22T02:00:00Z", "2025-11-22T02:00:00Z"), ["cv-digest-mismatch"]),
        // A counter-signature is nobody's signature of the document.
        ("a signature dressed as a counter-signature", signed.replace("<ds:Signature ", "<xades:CounterSignature xmlns:xades=\"http://uri.etsi.org/01903/v1.3.2#\"><ds:Signature ").replace("</ds:Signature>", "</ds:Signature></xades:CounterSignature>"), ["fc-no-signature"]),
    ] {
        assert_ne!(document, signed, "{name}");
        refused(name, &document, None, &codes);
    }
    let untyped = signed.replace("Type=\"http://uri.etsi.org/01903#SignedProperties\" ", "");
    for (name, document) in
        [("SignedProperties that no reference names", unreferenced), ("a reference that does not say so", untyped)]
    {
        let found = report(&document, None);
        let about_properties = found.signatures[0].checks.outcome(CheckId::SignedAttributes).failure().unwrap();
        assert_eq!(about_properties.code(), "sav-attribute-inconsistent", "{name}");
        assert_eq!(found.signatures[0].claimed_signing_time, None, "{name}: what is not signed is not said");
    }
    // A manifest is verified too: what it names was altered after signing.
    let manifest = format!("<ds:Manifest Id=\"m\">{}</ds:Manifest>", reference("#data", "", SHA256));
    let template = template(&method("CanonicalizationMethod"), RSA, &reference("#m", "", SHA256))
        .replace("</ds:Signature>", &format!("<ds:Object>{manifest}</ds:Object></ds:Signature>"));
    let ids = ["data".to_owned(), "http://www.w3.org/2000/09/xmldsig#:Manifest".to_owned()];
    let signed = Peer::new().sign(&format!("<form><data Id=\"data\">x</data>{template}</form>"), "rsa", &ids).unwrap();
    refused("a manifest alone covers nothing", &signed, None, &["fc-not-covered"]);
    refused("what a manifest names", &signed.replace(">x</data>", ">y</data>"), None, &["cv-digest-mismatch"]);
}

/// Co-signers: each envelops the document with the signatures before it; all hold, and none can be taken for another.
#[test]
fn co_signatures_hold_in_the_order_they_were_made() {
    let first = sign("<form><iin>1</iin></form>", Profile::BaselineB, &person(KeyKind::P256));
    let second = sign(&first, Profile::BaselineB, &person(KeyKind::Rsa2048));
    let third = sign(&second, Profile::Plain, &person(KeyKind::P256));
    let found = report(&third, None);
    assert_eq!(found.decision, Decision::Accepted, "{:?}", found.refusal);
    assert_eq!(found.signatures.iter().map(outcome_of).collect::<Vec<_>>(), ["holds", "holds", "holds"]);
    assert!(found.signatures.iter().all(|s| s.scope.as_ref().unwrap().whole_document));
    // A co-signer may put his signature in front of the others.
    let start = second.rfind("<ds:Signature ").unwrap();
    let end = second.rfind("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let in_front = second[..start].replacen("<form>", &format!("<form>{}", &second[start..end]), 1) + &second[end..];
    let in_front = report(&in_front, None);
    assert_eq!(in_front.signatures.iter().map(outcome_of).collect::<Vec<_>>(), ["holds", "holds"]);
    assert!(in_front.signatures[0].algorithm.as_ref().unwrap().contains("RSA"), "the later one stands first");
    // Something slipped in between is covered by nobody who signed before.
    let slipped = third.replacen("<ds:Signature ", "<evil/><ds:Signature ", 1);
    assert!(report(&slipped, None).signatures.iter().all(|s| outcome_of(s) == "cv-digest-mismatch"));
    // Without the first signature the later ones no longer hold.
    let start = third.find("<ds:Signature ").unwrap();
    let end = third.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let cut = format!("{}{}", &third[..start], &third[end..]);
    assert!(report(&cut, None).signatures.iter().all(|s| outcome_of(s) == "cv-digest-mismatch"));
}
