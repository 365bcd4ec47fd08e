//! SOAP messages with WS-Security: both SOAP versions, three ways to carry the certificate, what must be signed, how
//! long it is fresh; forms inside a message that are signed for themselves.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tamga::demonstration::KeyKind;
use tamga::format::wsse::{SECURITY, UTILITY};
use tamga::pki::Certificate;
use tamga::report::{CheckId, Decision, Outcome, Time};
use tamga::verify::{ServiceRules, replay};

use crate::attacks::{EXCLUSIVE, RSA, method, refused};
use crate::support::{Peer, SHA256, at, outcome, outcome_of, person, reference, report, report_at, template};

const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";
const PROFILE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0";
const BASE64_BINARY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";
pub(crate) const BODY: &str = "<s:Body wsu:Id=\"body\"><request><iin>1</iin></request></s:Body>";

/// How a message carries the certificate.
#[derive(Clone, Copy, Debug)]
enum Carried {
    KeyIdentifier,
    BinarySecurityToken,
    X509Data,
    /// By name: the certificate is at hand or the message cannot be verified.
    IssuerSerial,
    SubjectKeyIdentifier,
}

/// What a message is made of.
struct Shape<'a> {
    soap: &'a str,
    token: Carried,
    /// Attributes of the Security header.
    attributes: &'a str,
    timestamp: String,
    body: &'a str,
    covered: &'a [&'a str],
}

/// A serial number in decimal digits, by long division.
fn decimal(octets: &[u8]) -> String {
    let (mut rest, mut digits) = (octets.to_vec(), Vec::new());
    while rest.iter().any(|octet| *octet > 0) {
        let mut remainder = 0u32;
        for octet in &mut rest {
            let value = remainder << 8 | u32::from(*octet);
            *octet = u8::try_from(value / 10).unwrap();
            remainder = value % 10;
        }
        digits.insert(0, char::from_digit(remainder, 10).unwrap());
    }
    digits.into_iter().collect()
}

fn security(attributes: &str, content: &str) -> String {
    format!("<wsse:Security xmlns:wsse=\"{SECURITY}\" {attributes}>{content}</wsse:Security>")
}

fn timestamp(expires: &str) -> String {
    let expires = if expires.is_empty() { String::new() } else { format!("<wsu:Expires>{expires}</wsu:Expires>") };
    format!("<wsu:Timestamp wsu:Id=\"ts\"><wsu:Created>2026-11-22T01:59:00Z</wsu:Created>{expires}</wsu:Timestamp>")
}

impl Shape<'_> {
    /// Signed by `xmlsec1`.
    fn signed(&self) -> String {
        let references: String =
            self.covered.iter().map(|id| reference(&format!("#{id}"), &method("Transform"), SHA256)).collect();
        let der = person(KeyKind::Rsa2048).certificate;
        let certificate = STANDARD.encode(&der);
        let parsed = Certificate::parse(&der).unwrap();
        let (header, key) = match self.token {
            Carried::KeyIdentifier => (
                String::new(),
                format!(
                    "<wsse:SecurityTokenReference><wsse:KeyIdentifier EncodingType=\"{BASE64_BINARY}\" ValueType=\"{PROFILE}#X509v3\">{certificate}</wsse:KeyIdentifier></wsse:SecurityTokenReference>"
                ),
            ),
            Carried::BinarySecurityToken => (
                format!(
                    "<wsse:BinarySecurityToken wsu:Id=\"token\" EncodingType=\"{BASE64_BINARY}\" ValueType=\"{PROFILE}#X509v3\">{certificate}</wsse:BinarySecurityToken>"
                ),
                format!(
                    "<wsse:SecurityTokenReference><wsse:Reference URI=\"#token\" ValueType=\"{PROFILE}#X509v3\"/></wsse:SecurityTokenReference>"
                ),
            ),
            Carried::X509Data => (
                String::new(),
                format!(
                    "<wsse:SecurityTokenReference><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></wsse:SecurityTokenReference>"
                ),
            ),
            Carried::IssuerSerial => {
                let number = decimal(parsed.serial_number());
                let issuer = format!(
                    "<ds:X509IssuerSerial><ds:X509IssuerName>CN=Root Agency</ds:X509IssuerName><ds:X509SerialNumber>{number}</ds:X509SerialNumber></ds:X509IssuerSerial>"
                );
                (
                    String::new(),
                    format!(
                        "<wsse:SecurityTokenReference><ds:X509Data>{issuer}</ds:X509Data></wsse:SecurityTokenReference>"
                    ),
                )
            }
            Carried::SubjectKeyIdentifier => {
                let identifier = STANDARD.encode(parsed.subject_key_identifier().unwrap());
                (
                    String::new(),
                    format!(
                        "<wsse:SecurityTokenReference><wsse:KeyIdentifier EncodingType=\"{BASE64_BINARY}\" ValueType=\"{PROFILE}#X509SubjectKeyIdentifier\">{identifier}</wsse:KeyIdentifier></wsse:SecurityTokenReference>"
                    ),
                )
            }
        };
        let signature = template(&method("CanonicalizationMethod"), RSA, &references)
            .replace("<ds:X509Data><ds:X509Certificate/></ds:X509Data>", &key);
        let header = security(self.attributes, &format!("{header}{}{signature}", self.timestamp));
        let unsigned = format!(
            "<s:Envelope xmlns:s=\"{}\" xmlns:wsu=\"{UTILITY}\"><s:Header>{header}</s:Header>{}</s:Envelope>",
            self.soap, self.body
        );
        // xmlsec1 looks for `Id` by local name in no namespace.
        let peer_text = unsigned.replace("wsu:Id=", "Id=");
        let ids = [format!("{}:Body", self.soap), format!("{UTILITY}:Timestamp"), "application".to_owned()];
        let signed = Peer::new().sign(&peer_text, "rsa", &ids).unwrap();
        signed[signed.find("<s:Envelope").unwrap()..].trim_end().to_owned()
    }
}

/// A message as the gateway has it.
pub(crate) fn message(body: &str, expires: &str, covered: &[&str]) -> String {
    Shape {
        soap: SOAP_11,
        token: Carried::KeyIdentifier,
        attributes: "s:mustUnderstand=\"1\"",
        timestamp: timestamp(expires),
        body,
        covered,
    }
    .signed()
}

#[test]
fn both_versions_of_soap_and_every_way_to_carry_the_certificate() {
    for soap in [SOAP_11, SOAP_12] {
        for token in [Carried::KeyIdentifier, Carried::BinarySecurityToken, Carried::X509Data] {
            for attributes in ["", "s:mustUnderstand=\"1\"", "s:mustUnderstand=\"true\"", "s:mustUnderstand=\"0\""] {
                let shape = |timestamp: String, covered: &'static [&'static str]| {
                    Shape { soap, token, attributes, timestamp, body: BODY, covered }.signed()
                };
                let name = format!("{soap} {token:?} {attributes}");
                let fresh = report(&shape(timestamp("2026-11-22T02:04:00Z"), &["body", "ts"]), None);
                assert_eq!(fresh.decision, Decision::Accepted, "{name}: {:?}", fresh.refusal);
                assert_eq!(fresh.document.format, "wsse", "{name}");
                let timeless = report(&shape(String::new(), &["body"]), None);
                assert_eq!(timeless.decision, Decision::Accepted, "{name}: no Timestamp");
                assert!(replay::takes(&timeless).is_empty(), "{name}: without a Timestamp there is no window");
            }
        }
    }
}

/// A certificate that a message only names must be at hand (contract §5).
#[test]
fn a_certificate_that_is_named_must_be_at_hand() {
    let signer = person(KeyKind::Rsa2048).certificate;
    let other = person(KeyKind::P256).certificate;
    for token in [Carried::IssuerSerial, Carried::SubjectKeyIdentifier] {
        let shape =
            Shape { soap: SOAP_11, token, attributes: "", timestamp: String::new(), body: BODY, covered: &["body"] };
        let document = shape.signed();
        let with = |signer: Option<&[u8]>| report_at(&document, None, at(), None, signer);
        assert_eq!(with(Some(&signer)).decision, Decision::Accepted, "{token:?}: {:?}", with(Some(&signer)).refusal);
        for signer in [None, Some(&other[..])] {
            assert_eq!(outcome(&with(signer)), "isc-signing-certificate-missing", "{token:?}");
        }
    }
}

#[test]
fn body_and_timestamp_must_be_signed_once_and_fresh() {
    let honest = message(BODY, "2026-11-22T02:04:00Z", &["body", "ts"]);
    let found = report(&honest, None);
    assert_eq!(outcome(&found), "holds", "{:?}\n{honest}", found.signatures[0].checks);
    for (name, document, code) in [
        ("expired", message(BODY, "2026-11-22T01:59:30Z", &["body", "ts"]), "sav-message-expired"),
        ("only the Timestamp", message(BODY, "2026-11-22T02:04:00Z", &["ts"]), "fc-not-covered"),
        ("only the Body", message(BODY, "2026-11-22T02:04:00Z", &["body"]), "fc-not-covered"),
        (
            "a later end written in",
            message(BODY, "2026-11-22T01:59:30Z", &["body", "ts"]).replace("01:59:30", "02:59:30"),
            "cv-digest-mismatch",
        ),
        (
            "the Body moved",
            honest
                .replace("</s:Header>", "</s:Header><s:Body Id=\"evil\"><x/></s:Body>")
                .replacen("<s:Body Id=\"body\"", "<w><s:Body Id=\"body\"", 1)
                .replace("</s:Body></s:Envelope>", "</s:Body></w></s:Envelope>"),
            "fc-malformed",
        ),
        (
            "two bodies",
            honest.replace("</s:Header>", "</s:Header><s:Body Id=\"evil\"><x/></s:Body>"),
            "fc-ambiguous-reference",
        ),
        (
            "two Security headers",
            honest.replace("</s:Header>", &format!("{}</s:Header>", security("", ""))),
            "fc-ambiguous-reference",
        ),
        (
            "two Timestamps",
            honest.replace("<ds:Signature ", "<wsu:Timestamp/><ds:Signature "),
            "fc-ambiguous-reference",
        ),
        ("a time that is none", honest.replace("2026-11-22T02:04:00Z", "tomorrow"), "fc-malformed"),
        (
            "mustUnderstand that is no boolean",
            honest.replace("mustUnderstand=\"1\"", "mustUnderstand=\"maybe\""),
            "fc-malformed",
        ),
    ] {
        assert_ne!(document, honest, "{name}");
        refused(name, &document, None, &[code]);
    }
    // The signed Body in a header, another in its place: McIntosh and Austel, 2005.
    let at = honest.find("<s:Body").unwrap();
    let end = honest.find("</s:Body>").unwrap() + "</s:Body>".len();
    let body = &honest[at..end];
    for id in ["body", "other"] {
        let moved = honest
            .replace(body, &format!("<s:Body Id=\"{id}\"><request><iin>2</iin></request></s:Body>"))
            .replace("</s:Header>", &format!("<wrapper>{body}</wrapper></s:Header>"));
        let code = if id == "body" { "fc-ambiguous-reference" } else { "fc-not-covered" };
        refused("wrapped Body", &moved, None, &[code]);
    }
}

/// What is remembered of a message is what was signed, and for how long it says; judged again later, it is as fresh as
/// it was when it arrived.
#[test]
fn the_window_of_a_message() {
    let text = message(BODY, "2026-11-22T02:04:00Z", &["body", "ts"]);
    let first = replay::takes(&report(&text, None));
    assert_eq!((first.len(), first[0].until), (1, Time::from_civil(2026, 11, 22, 2, 4, 0)));
    let rewrapped =
        text.replace("<s:Header>", "<s:Header><!-- again -->").replace("<ds:SignatureValue>", "<ds:SignatureValue>\n");
    assert_eq!(replay::takes(&report(&rewrapped, None)), first);
    let endless = replay::takes(&report(&message(BODY, "", &["body", "ts"]), None));
    assert_eq!((endless.len(), endless[0].until), (1, None));
    assert_ne!(endless[0].key, first[0].key);

    let mut replayed = report(&text, None);
    replay::refuse(&mut replayed);
    assert_eq!(replayed.decision, Decision::Refused);
    assert_eq!(replayed.refusal.as_ref().unwrap().code, "sav-message-replayed");
    assert!(replay::takes(&replayed).is_empty());

    let later = at().plus_seconds(86_400);
    let code = |received_at| report_at(&text, None, later, received_at, None).refusal.map(|refusal| refusal.code);
    assert_eq!(code(None).as_deref(), Some("sav-message-expired"));
    assert_ne!(code(Some(at())).as_deref(), Some("sav-message-expired"));
}

/// A form in the Body with a signature of its own: the header's signature speaks for the message, the form's for the form.
#[test]
fn a_signed_form_inside_a_signed_message() {
    let form = |references: &str| {
        format!(
            "<s:Body wsu:Id=\"body\"><form><application wsu:Id=\"app\"><iin>1</iin></application>{}</form></s:Body>",
            template(&method("CanonicalizationMethod"), RSA, references)
        )
    };
    // xmlsec1 signs the first signature of a document, the message's; the form's is signed before, alone.
    let own = reference("#app", &method("Transform"), SHA256);
    let alone = format!("<s:Envelope xmlns:s=\"{SOAP_11}\" xmlns:wsu=\"{UTILITY}\">{}</s:Envelope>", form(&own));
    let signed = Peer::new().sign(&alone.replace("wsu:Id=", "Id="), "rsa", &["application".to_owned()]).unwrap();
    let body = &signed[signed.find("<s:Body").unwrap()..signed.find("</s:Body>").unwrap() + "</s:Body>".len()];
    let message = message(body, "2026-11-22T02:04:00Z", &["body", "ts"]);
    let rules = ServiceRules {
        xml_element: Some(format!("/Q{{{SOAP_11}}}Envelope/Q{{{SOAP_11}}}Body/form/application")),
        ..ServiceRules::default()
    };
    let found = report(&message, Some(&rules));
    assert_eq!(found.signatures.iter().map(outcome_of).collect::<Vec<_>>(), ["holds", "holds"], "{message}");
    assert_eq!(found.decision, Decision::Accepted, "{:?}", found.refusal);
    assert_eq!(replay::takes(&found).len(), 1, "the form's own signature does not say when the message ends");
    // Without a rule the form's signature covers a part only.
    assert_eq!(
        report(&message, None).signatures.iter().map(outcome_of).collect::<Vec<_>>(),
        ["holds", "fc-not-covered"]
    );
    // Where nobody signs the header, nobody signs the Timestamp.
    let start = message.find("<ds:Signature ").unwrap();
    let end = message.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let unsigned = format!("{}{}", &message[..start], &message[end..]);
    let found = report(&unsigned, Some(&rules));
    assert_eq!(outcome(&found), "fc-not-covered");
    assert_eq!(found.signatures[0].checks.outcome(CheckId::SignatureValue), &Outcome::Passed);
    assert!(message.contains(EXCLUSIVE));
}
