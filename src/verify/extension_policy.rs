//! The profile of certificates and extensions, one row for each clause of RFC 5280 §4 that a path validator can hold a
//! certificate to and that §6.1 does not name itself.
//!
//! What §6.1 asks (basicConstraints, keyCertSign, critical extensions) stands in [`mod@super::path`]. Rows are about what
//! a certificate *must not* say; conventions that conforming issuers break in the open (criticality of keyUsage, of
//! basicConstraints and of the policy extensions, absent key identifiers, negative serial numbers) are no rows: PKITS has
//! valid paths that break them.
//!
//! *Invariant:* a row never lets through what another would refuse.

use crate::pki::extension::{KeyUsage, id};
use crate::pki::{Certificate, Version};

/// Which certificates of a path a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// Those that issue.
    Issuer,
    /// The last one, whose use is in question.
    Target,
}

/// One clause.
pub(super) struct Row {
    /// The clause of RFC 5280.
    pub(super) clause: &'static str,
    /// What it asks.
    pub(super) rule: &'static str,
    breaks: fn(&Certificate, Position) -> bool,
}

/// The table.
pub(super) const ROWS: &[Row] = &[
    Row {
        clause: "4.1.1.2",
        rule: "signatureAlgorithm and the signature field are the same",
        breaks: |certificate, _| !certificate.signature_algorithms_agree(),
    },
    Row {
        clause: "4.1.2.2",
        rule: "the serial number has at most 20 octets and is not zero",
        breaks: |certificate, _| {
            let number = certificate.serial_number();
            let magnitude = number.strip_prefix(&[0]).unwrap_or(number);
            magnitude.is_empty() || magnitude.len() > 20
        },
    },
    Row {
        clause: "4.1.2.4",
        rule: "the issuer is not empty",
        breaks: |certificate, _| certificate.issuer().is_empty(),
    },
    Row {
        clause: "4.1.2.6",
        rule: "the subject of an issuer is not empty",
        breaks: |certificate, position| position == Position::Issuer && certificate.subject().is_empty(),
    },
    Row {
        clause: "4.2.1.6",
        rule: "an empty subject comes with a critical subjectAltName",
        breaks: |certificate, _| certificate.subject().is_empty() && !certificate.is_critical(id::SUBJECT_ALT_NAME),
    },
    Row {
        clause: "4.2.1.1",
        rule: "authorityKeyIdentifier is not critical",
        breaks: |certificate, _| certificate.is_critical(id::AUTHORITY_KEY_IDENTIFIER),
    },
    Row {
        clause: "4.2.1.2",
        rule: "subjectKeyIdentifier is not critical",
        breaks: |certificate, _| certificate.is_critical(id::SUBJECT_KEY_IDENTIFIER),
    },
    Row {
        clause: "4.2.1.3",
        rule: "keyCertSign is for CA certificates",
        breaks: |certificate, _| {
            let is_ca = certificate.basic_constraints().is_some_and(|constraints| constraints.ca);
            certificate.version() == Version::V3
                && !is_ca
                && certificate.key_usage().is_some_and(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN))
        },
    },
    Row {
        clause: "4.2.1.10",
        rule: "nameConstraints is for CA certificates",
        breaks: |certificate, _| {
            certificate.name_constraints().is_some()
                && !certificate.basic_constraints().is_some_and(|constraints| constraints.ca)
        },
    },
    Row {
        clause: "4.2.1.10",
        rule: "nameConstraints is critical",
        breaks: |certificate, _| {
            certificate.name_constraints().is_some() && !certificate.is_critical(id::NAME_CONSTRAINTS)
        },
    },
    Row {
        clause: "4.2.2.1",
        rule: "authorityInfoAccess is not critical",
        breaks: |certificate, _| certificate.is_critical(id::AUTHORITY_INFORMATION_ACCESS),
    },
];

/// The first row that a certificate breaks.
pub(super) fn first_broken(certificate: &Certificate, position: Position) -> Option<&'static Row> {
    ROWS.iter().find(|row| (row.breaks)(certificate, position))
}
