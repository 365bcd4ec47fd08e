//! XAdES baseline B: the signed properties of a signature (ETSI EN 319 132-1; v1.1.1 to v1.3.2 namespaces).
//!
//! *Invariant:* a property is used only if the SignedProperties it stands in are covered by a reference of the same
//! signature, by identity of the node; otherwise it is a claim of anybody's (attack 9).

use std::borrow::Cow;

use super::super::xml::Element;
use super::super::{CertificateReference, IssuerSerial};
use super::reference::Evaluated;
use super::{NAMESPACE, Parts, algorithm_of, base64, octets_of};
use crate::asn1::{Reader, Tag};
use crate::crypto::DigestAlgorithm;
use crate::report::{CheckId, Checks, Reason, Time};

const NAMESPACES: [&str; 3] =
    ["http://uri.etsi.org/01903/v1.3.2#", "http://uri.etsi.org/01903/v1.2.2#", "http://uri.etsi.org/01903/v1.1.1#"];

/// The signed properties that judgement needs.
#[derive(Default)]
pub(super) struct Xades<'a> {
    pub(super) certificate_references: Vec<CertificateReference<'a>>,
    /// The serial number beside the first of them, in decimal, where only that form is given.
    pub(super) serial_number: Option<String>,
    pub(super) signing_time: Option<Time>,
}

fn is(element: &Element<'_>, local_name: &str) -> bool {
    element.local_name() == local_name && NAMESPACES.contains(&element.namespace())
}

pub(super) fn is_counter_signature(element: &Element<'_>) -> bool {
    is(element, "CounterSignature")
}

pub(super) fn is_signed_properties(element: &Element<'_>) -> bool {
    is(element, "SignedProperties")
}

pub(super) fn is_qualifying_properties(element: &Element<'_>) -> bool {
    is(element, "QualifyingProperties")
}

fn inconsistent(attribute: &str) -> Reason {
    Reason::SavAttributeInconsistent { attribute: attribute.to_owned() }
}

/// Reads the qualifying properties of a signature and checks how they hang on it.
pub(super) fn read<'a>(
    signature: Element<'a>,
    parts: &Parts<'a>,
    references: &[Evaluated<'a>],
    findings: &mut Checks,
) -> Xades<'a> {
    let mut found = Xades::default();
    let mut fail = |reason| findings.fail(CheckId::SignedAttributes, reason);
    let qualifying: Vec<Element<'a>> =
        parts.objects.iter().flat_map(|o| o.child_elements()).filter(|e| is(e, "QualifyingProperties")).collect();
    let says_signed = |e: &Evaluated<'_>| {
        e.reference
            .attribute("", "Type")
            .is_some_and(|t| t.starts_with("http://uri.etsi.org/01903") && t.ends_with("SignedProperties"))
    };
    let [properties] = qualifying.as_slice() else {
        if !qualifying.is_empty() {
            fail(Reason::SavAttributeDuplicated { attribute: "QualifyingProperties".into() });
        } else if references.iter().any(says_signed) {
            fail(inconsistent("SignedProperties"));
        }
        return found;
    };
    // EN 319 132-1 §4.3.1: Target points at the Id of the signature.
    let target = properties.attribute("", "Target");
    let identifier = signature.attribute("", "Id");
    let hangs = matches!((&target, &identifier), (Some(t), Some(i)) if t.strip_prefix('#') == Some(i));
    if !hangs {
        fail(inconsistent("QualifyingProperties Target"));
    }
    let mut signed = properties.child_elements().filter(is_signed_properties);
    let (signed_properties, second) = (signed.next(), signed.next());
    let Some(signed_properties) = signed_properties.filter(|_| second.is_none()) else {
        fail(Reason::SavAttributeMissing { attribute: "SignedProperties".into() });
        return found;
    };
    // Covered by identity of the node, and by nothing that says it is something else.
    let covers = |e: &Evaluated<'a>| e.target() == Some(signed_properties);
    if !references.iter().any(|e| covers(e) && says_signed(e))
        || references.iter().any(|e| says_signed(e) && !covers(e))
    {
        fail(inconsistent("SignedProperties"));
        return found;
    }
    let Some(of_signature) = signed_properties.child_elements().find(|e| is(e, "SignedSignatureProperties")) else {
        return found;
    };
    let mut seen: Vec<&str> = Vec::new();
    for property in of_signature.child_elements().filter(|e| NAMESPACES.contains(&e.namespace())) {
        if seen.contains(&property.local_name()) {
            fail(Reason::SavAttributeDuplicated { attribute: property.local_name().to_owned() });
        }
        seen.push(property.local_name());
        match property.local_name() {
            "SigningTime" => match property.only_text().as_deref().and_then(date_time) {
                Some(time) => found.signing_time = Some(time),
                None => fail(inconsistent("SigningTime")),
            },
            "SigningCertificate" | "SigningCertificateV2" => {
                let before = found.certificate_references.len();
                for certificate in property.child_elements().filter(|e| is(e, "Cert")) {
                    match certificate_reference(certificate) {
                        Some(reference) => found.certificate_references.push(reference),
                        None => fail(inconsistent(property.local_name())),
                    }
                }
                if found.certificate_references.len() == before {
                    fail(Reason::SavAttributeMissing { attribute: "Cert".into() });
                }
                found.serial_number = found.serial_number.take().or_else(|| serial_number(property));
            }
            _ => {}
        }
    }
    for format in signed_properties
        .child_elements()
        .filter(|e| is(e, "SignedDataObjectProperties"))
        .flat_map(|e| e.child_elements())
        .filter(|e| is(e, "DataObjectFormat"))
    {
        // EN 319 132-1 §5.2.4: it speaks of a reference of this signature, whatever became of its digest.
        let target = format.attribute("", "ObjectReference");
        let names = |reference: Element<'_>| {
            let id = reference.attribute("", "Id");
            matches!((&target, &id), (Some(t), Some(i)) if t.strip_prefix('#') == Some(i))
        };
        if !parts.signed_info.children_named(NAMESPACE, "Reference").any(names) {
            fail(inconsistent("DataObjectFormat"));
        }
    }
    found
}

/// ```text
/// <Cert> CertDigest(ds:DigestMethod ds:DigestValue) (IssuerSerial / IssuerSerialV2)? </Cert>
/// ```
fn certificate_reference(certificate: Element<'_>) -> Option<CertificateReference<'_>> {
    let digest = certificate.child_elements().find(|e| is(e, "CertDigest"))?;
    let method = digest.only_child(NAMESPACE, "DigestMethod")?;
    let value = octets_of(digest.only_child(NAMESPACE, "DigestValue")?)?;
    let issuer_serial = match certificate.child_elements().find(|e| is(e, "IssuerSerialV2")) {
        Some(element) => Some(issuer_serial(&base64(&element.only_text()?)?)?),
        None => None,
    };
    Some(CertificateReference {
        digest_algorithm: DigestAlgorithm::from_uri(&algorithm_of(method).ok()?),
        digest: Cow::Owned(value),
        issuer_serial,
    })
}

/// ```text
/// IssuerSerial ::= SEQUENCE { issuer GeneralNames, serialNumber CertificateSerialNumber }     (RFC 5035 §4)
/// ```
fn issuer_serial(der: &[u8]) -> Option<IssuerSerial<'static>> {
    let mut outer = Reader::der(der);
    let mut sequence = outer.sequence().ok()?;
    outer.finish().ok()?;
    let mut names = sequence.sequence().ok()?;
    let mut directory_name = names.expect(Tag::context_constructed(4)).ok()?.reader().ok()?;
    let issuer = directory_name.expect(Tag::SEQUENCE).ok()?.raw.to_vec();
    names.finish().ok()?;
    let serial_number = sequence.integer().ok()?.to_vec();
    sequence.finish().ok()?;
    Some(IssuerSerial { issuer: Cow::Owned(issuer), serial_number: Cow::Owned(serial_number) })
}

/// The serial number of the first certificate in the string form of SigningCertificate v1. The issuer's name there is
/// free text in practice; the digest binds the certificate.
fn serial_number(property: Element<'_>) -> Option<String> {
    let certificate = property.child_elements().find(|e| is(e, "Cert"))?;
    let issuer_serial = certificate.child_elements().find(|e| is(e, "IssuerSerial"))?;
    let text = issuer_serial.only_child(NAMESPACE, "X509SerialNumber")?.only_text()?;
    Some(text.trim().trim_start_matches('0').to_owned()).map(|t| if t.is_empty() { "0".to_owned() } else { t })
}

/// `xs:dateTime`; without a zone it is read as UTC (XML Schema 2 §3.2.7).
pub(crate) fn date_time(text: &str) -> Option<Time> {
    let text = text.trim();
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}
