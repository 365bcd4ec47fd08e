//! KeyInfo: the certificate that a signature claims to be made with.
//!
//! Keys come from X.509 certificates alone (attack 7): KeyValue, KeyName and RetrievalMethod are passed over, whatever
//! they say, and nothing is fetched.
//!
//! *Invariant:* a certificate found here is a hint; only a path to a trust anchor makes it a signer's.

use std::borrow::Cow;

use super::super::xml::Element;
use super::super::{SignerIdentifier, wsse};
use super::xades::Xades;
use super::{Identifiers, NAMESPACE, malformed, octets_of};
use crate::pki::Certificate;
use crate::report::{CheckId, Checks, Reason};

/// What KeyInfo says.
pub(super) struct Key<'a> {
    pub(super) signer: Option<SignerIdentifier<'a>>,
    /// Whole DER each.
    pub(super) certificates: Vec<Vec<u8>>,
}

/// Reads KeyInfo: X509Data (XMLDSig §4.5.4) and security token references (WS-Security X.509 Token Profile 1.1 §3.3).
pub(super) fn read<'a>(
    key_info: Option<Element<'a>>,
    identifiers: &Identifiers<'a>,
    xades: &Xades<'a>,
) -> Result<Key<'a>, Reason> {
    let mut certificates = Vec::new();
    let mut named = None;
    for child in key_info.iter().flat_map(|k| k.child_elements()) {
        if child.is(NAMESPACE, "X509Data") {
            read_x509_data(child, &mut certificates, &mut named)?;
        } else if child.is(wsse::SECURITY, "SecurityTokenReference") {
            match wsse::token(child, |identifier| identifiers.get(identifier))? {
                Some(wsse::Token::Certificate(octets)) => certificates.push(octets),
                Some(wsse::Token::SubjectKeyIdentifier(octets)) => {
                    named = Some(SignerIdentifier::SubjectKeyIdentifier(Cow::Owned(octets)));
                }
                None => {
                    for data in child.children_named(NAMESPACE, "X509Data") {
                        read_x509_data(data, &mut certificates, &mut named)?;
                    }
                }
            }
        }
    }
    let signer = match signer_of(&certificates, xades) {
        Some(der) => Some(SignerIdentifier::Certificate(Cow::Owned(der.to_vec()))),
        None => named,
    };
    Ok(Key { signer, certificates })
}

fn read_x509_data(
    data: Element<'_>,
    certificates: &mut Vec<Vec<u8>>,
    named: &mut Option<SignerIdentifier<'_>>,
) -> Result<(), Reason> {
    for certificate in data.children_named(NAMESPACE, "X509Certificate") {
        certificates.push(octets_of(certificate).ok_or_else(|| malformed("X509Certificate"))?);
    }
    for identifier in data.children_named(NAMESPACE, "X509SKI") {
        let octets = octets_of(identifier).ok_or_else(|| malformed("X509SKI"))?;
        *named = Some(SignerIdentifier::SubjectKeyIdentifier(Cow::Owned(octets)));
    }
    for serial in data.children_named(NAMESPACE, "X509IssuerSerial") {
        let number = serial.only_child(NAMESPACE, "X509SerialNumber").and_then(|number| number.only_text());
        let number = number.and_then(|text| integer(text.trim())).ok_or_else(|| malformed("X509IssuerSerial"))?;
        named.get_or_insert(SignerIdentifier::SerialNumber(Cow::Owned(number)));
    }
    Ok(())
}

/// The signer's among several: the one that the signed reference names, else the one that issued none of the others.
/// XMLDSig §4.5.4 gives no order to the certificates of a chain.
fn signer_of<'c>(certificates: &'c [Vec<u8>], xades: &Xades<'_>) -> Option<&'c [u8]> {
    if let Some(reference) = xades.certificate_references.first()
        && let Some(algorithm) = reference.digest_algorithm
        && let Some(named) =
            certificates.iter().find(|der| algorithm.digest(der).as_bytes() == reference.digest.as_ref())
    {
        return Some(named);
    }
    if let [only] = certificates {
        return Some(only);
    }
    let parsed: Vec<(&Vec<u8>, Certificate)> =
        certificates.iter().filter_map(|der| Some((der, Certificate::parse(der).ok()?))).collect();
    let issued_another = |(der, certificate): &&(&Vec<u8>, Certificate)| {
        parsed.iter().any(|(other, c)| other != der && c.issuer() == certificate.subject())
    };
    let leaf = parsed.iter().find(|entry| !issued_another(entry)).map(|(der, _)| der.as_slice());
    leaf.or_else(|| certificates.first().map(Vec::as_slice))
}

/// XAdES SigningCertificate names the serial number beside the digest; it must be the certificate's.
pub(super) fn check_serial_number(key: &Key<'_>, xades: &Xades<'_>, findings: &mut Checks) {
    let Some(claimed) = &xades.serial_number else { return };
    let Some(SignerIdentifier::Certificate(der)) = &key.signer else { return };
    let Ok(certificate) = Certificate::parse(der) else { return };
    if decimal(certificate.serial_number()) != *claimed {
        let reason = Reason::SavAttributeInconsistent { attribute: "SigningCertificate IssuerSerial".into() };
        findings.fail(CheckId::SignedAttributes, reason);
    }
}

/// Digits of a serial number: RFC 5280 §4.1.2.2 has 20 octets at most, old authorities went beyond.
const MAX_DIGITS: usize = 100;

/// The contents of the INTEGER that decimal digits stand for.
fn integer(digits: &str) -> Option<Vec<u8>> {
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return None;
    }
    // Least significant octet first, with room for the sign.
    let mut octets: Vec<u8> = vec![0];
    for digit in digits.bytes() {
        let mut carry = u32::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        for octet in &mut octets {
            carry += u32::from(*octet) * 10;
            *octet = u8::try_from(carry & 0xFF).unwrap_or(0);
            carry >>= 8;
        }
        if carry > 0 {
            octets.push(u8::try_from(carry).unwrap_or(0));
        }
    }
    if octets.last().is_some_and(|high| *high >= 0x80) {
        octets.push(0);
    }
    octets.reverse();
    Some(octets)
}

/// A positive INTEGER in decimal digits.
fn decimal(contents: &[u8]) -> String {
    let mut digits: Vec<u8> = vec![0];
    for octet in contents.iter().take(64) {
        let mut carry = u32::from(*octet);
        for digit in digits.iter_mut().rev() {
            let value = u32::from(*digit) * 256 + carry;
            *digit = u8::try_from(value % 10).unwrap_or(0);
            carry = value / 10;
        }
        while carry > 0 {
            digits.insert(0, u8::try_from(carry % 10).unwrap_or(0));
            carry /= 10;
        }
    }
    digits.iter().map(|d| char::from(b'0' + d)).collect()
}

#[cfg(test)]
mod tests {
    use super::{decimal, integer};

    #[test]
    fn serial_numbers_in_decimal() {
        assert_eq!(decimal(&[0]), "0");
        assert_eq!(decimal(&[1, 0]), "256");
        assert_eq!(decimal(&[0, 0xFF, 0xFF, 0xFF, 0xFF]), "4294967295");
        assert_eq!(decimal(&u128::MAX.to_be_bytes()), u128::MAX.to_string());
        for contents in [&[0][..], &[1, 0], &[0x7F], &[0, 0x80], &[0, 0xFF, 0xFF, 0xFF, 0xFF], &[0, 0xDE, 0xAD, 0xBE]] {
            assert_eq!(integer(&decimal(contents)).as_deref(), Some(contents));
        }
        assert_eq!(integer("00256").as_deref(), Some(&[1, 0][..]));
        for none in ["", "-1", "+1", "0x10", "1 2", &"9".repeat(101)] {
            assert_eq!(integer(none), None, "{none}");
        }
    }
}
