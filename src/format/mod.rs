//! Containers of signatures, each lowered to [`ParsedDocument`]: what was signed, by which key it claims to be signed,
//! and what the container itself proves or breaks. No certificate is judged here.
//!
//! *Invariant:* every octet that a signature covers is a slice of what was received, or a canonical form of it whose
//! production is the format's own rule; nothing is guessed, nothing unsigned is reported as signed.

pub mod armour;
pub mod cms;
pub mod key_store;
pub mod limits;
pub mod wsse;
pub mod xml;
pub mod xmldsig;

use crate::crypto::{Digest, DigestAlgorithm, SignatureAlgorithm};
use crate::report::{Checks, Reason, Time};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A container format, as the caller may name it (contract §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// CMS SignedData (RFC 5652).
    Cms,
    /// XML Signature.
    Xmldsig,
    /// SOAP with WS-Security.
    Wsse,
    /// PDF.
    Pdf,
    /// JSON Web Signature.
    Jws,
    /// A certificate alone, judged before anything is signed (condition 3).
    Certificate,
}

impl Format {
    /// The name as it stands in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Cms => "cms",
            Format::Xmldsig => "xmldsig",
            Format::Wsse => "wsse",
            Format::Pdf => "pdf",
            Format::Jws => "jws",
            Format::Certificate => "certificate",
        }
    }

    /// What the bytes look like, by their beginning alone; `None` when they look like nothing known.
    pub fn detect(document: &[u8]) -> Option<Format> {
        let text = armour::without_bom_and_space(document);
        if text.starts_with(b"%PDF-") {
            return Some(Format::Pdf);
        }
        // UTF-16 with its byte order mark.
        if text.starts_with(b"<") || document.starts_with(b"\xff\xfe<\0") || document.starts_with(b"\xfe\xff\0<") {
            return Some(Format::Xmldsig);
        }
        if text.first() != Some(&0x30)
            && let Some(b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE") = armour::first_label(text)
        {
            return Some(Format::Certificate);
        }
        let binary = armour::dearmour(document).ok()?;
        let mut reader = crate::asn1::Reader::ber(&binary);
        let inner = reader.sequence().ok()?;
        match inner.peek()? {
            crate::asn1::Tag::OID => Some(Format::Cms),
            crate::asn1::Tag::SEQUENCE => Some(Format::Certificate),
            _ => None,
        }
    }
}

/// How a signature names the certificate of its signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignerIdentifier<'a> {
    /// Issuer name (raw DER) and serial number (contents octets).
    IssuerAndSerialNumber {
        /// The whole encoding of the issuer's Name.
        issuer: &'a [u8],
        /// INTEGER contents.
        serial_number: &'a [u8],
    },
    /// The serial number alone, INTEGER contents: XML writes the issuer's name as free text. It is a hint like the others.
    SerialNumber(Cow<'a, [u8]>),
    /// The subject key identifier.
    SubjectKeyIdentifier(Cow<'a, [u8]>),
    /// The certificate itself, as KeyInfo carries it.
    Certificate(Cow<'a, [u8]>),
}

/// A signed reference to the signer's certificate: ESSCertID, ESSCertIDv2, XAdES SigningCertificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateReference<'a> {
    /// The algorithm of the digest; `None` when it is not known.
    pub digest_algorithm: Option<DigestAlgorithm>,
    /// Digest of the certificate.
    pub digest: Cow<'a, [u8]>,
    /// Issuer and serial number, where given.
    pub issuer_serial: Option<IssuerSerial<'a>>,
}

/// Issuer and serial number of a referenced certificate (RFC 5035 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerSerial<'a> {
    /// The whole encoding of the issuer's Name.
    pub issuer: Cow<'a, [u8]>,
    /// INTEGER contents.
    pub serial_number: Cow<'a, [u8]>,
}

/// One signature of a document.
#[derive(Clone, Debug)]
pub struct ParsedSignature<'a> {
    /// Whose certificate it claims to be made with.
    pub signer: SignerIdentifier<'a>,
    /// Signed references to that certificate; the first one is the signer's (RFC 5035 §3).
    pub certificate_references: Vec<CertificateReference<'a>>,
    /// The algorithm, or why it cannot be used.
    pub algorithm: Result<SignatureAlgorithm, Reason>,
    /// The octets that the signature value is over.
    pub message: Cow<'a, [u8]>,
    /// The signature value, in the form that [`crate::crypto::PublicKey::verify`] takes.
    pub signature: Cow<'a, [u8]>,
    /// The value of the claimed signing time. Never trusted.
    pub claimed_signing_time: Option<Time>,
    /// Time-stamp tokens over the signature value, each a whole ContentInfo.
    pub signature_timestamps: Vec<&'a [u8]>,
    /// CMS: archive time-stamps (version 3), each a whole ContentInfo.
    pub archive_timestamps: Vec<&'a [u8]>,
    /// CMS: the fields of the SignerInfo from version to signature, which an archive time-stamp covers.
    pub signer_fields: Vec<&'a [u8]>,
    /// CMS: every value of the unsigned attributes.
    pub unsigned_values: Vec<cms::long_term::UnsignedValue<'a>>,
    /// What the container itself proves or breaks: `document-format`, `content-digest`, `signed-attributes`.
    pub findings: Checks,
    /// What the signature covers, where the format can cover a part.
    pub scope: Option<Scope>,
    /// XML: everything that it covers and whose digest agrees.
    pub covered: Vec<xmldsig::Covered<'a>>,
    /// XML: the signature itself.
    pub element: Option<xml::Element<'a>>,
}

impl ParsedSignature<'_> {
    /// XML: whether the element is among what the signature covers.
    pub fn covers(&self, element: xml::Element<'_>) -> bool {
        self.covered.iter().filter_map(|covered| covered.nodes()).any(|nodes| nodes.covers(element))
    }

    /// XML: whether it is over the content beside the document.
    pub fn covers_content(&self) -> bool {
        self.covered.iter().any(|c| matches!(c, xmldsig::Covered::Content))
    }
}

/// What a signature covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Path of the covered element from the document element.
    pub path: String,
    /// Its qualified name, `{namespace}local`.
    pub name: String,
    /// Whether it is the whole document.
    pub whole_document: bool,
}

/// A document with its signatures.
#[derive(Clone, Debug)]
pub struct ParsedDocument<'a> {
    /// The container.
    pub format: Format,
    /// Whether the signed content travels apart.
    pub detached: bool,
    /// The signed content, where it is one run of octets.
    pub content: Option<Cow<'a, [u8]>>,
    /// SHA-256 of the signed content, where there is content.
    pub content_digest: Option<Digest>,
    /// Certificates that the container carries, whole DER each: hints, nothing more.
    pub certificates: Vec<Cow<'a, [u8]>>,
    /// CMS: the members of its sets, as they were received; revocation data is there and nowhere else.
    pub elements: cms::long_term::SignedDataElements<'a>,
    /// The signatures, in the order of the container.
    pub signatures: Vec<ParsedSignature<'a>>,
}
