//! CMS SignedData (RFC 5652), attached and detached.
//!
//! The outer layers may be BER, as streaming signers emit them: indefinite lengths, content in segments. Signed
//! attributes must be DER in SET OF order, and the octets that were received are the octets that are verified, with
//! the tag exchanged (RFC 5652 §5.4).
//!
//! *Invariant:* a signer without signed attributes, without an algorithm or with a broken attribute is still reported,
//! with the finding that refuses it; it is never left out.

pub mod long_term;
mod signed_attributes;

use super::limits::{MAX_CERTIFICATES, MAX_DOCUMENT_BYTES, MAX_SIGNERS, MAX_TIMESTAMPS, check_limit};
use super::{Format, ParsedDocument, ParsedSignature, SignerIdentifier};
use crate::asn1::{Element, Error, ErrorKind, MAX_DEPTH, Oid, Reader, Tag, oid};
use crate::crypto::{AlgorithmError, AlgorithmIdentifier, Digest, DigestAlgorithm, SignatureAlgorithm};
use crate::report::{CheckId, Checks, Reason};
use long_term::SignedDataElements;
use signed_attributes::SignedAttributes;
use std::borrow::Cow;

/// id-data (RFC 5652 §4).
pub const ID_DATA: Oid<'static> = oid!(1, 2, 840, 113549, 1, 7, 1);
/// id-signedData (RFC 5652 §5.1).
pub const ID_SIGNED_DATA: Oid<'static> = oid!(1, 2, 840, 113549, 1, 7, 2);

fn malformed(error: Error) -> Reason {
    match error.kind {
        ErrorKind::TooDeep => Reason::FcLimitExceeded { limit: "nesting".to_owned(), maximum: MAX_DEPTH.into() },
        _ => Reason::FcMalformed { what: format!("CMS: {error}") },
    }
}

fn refuse(what: &str) -> Reason {
    Reason::FcMalformed { what: format!("CMS: {what}") }
}

/// Reads a signed document: DER, BER, PEM or bare base64.
///
/// `content` is the detached content; where the document carries its content and `content` is given too, they must be
/// the same octets (contract §5).
///
/// # Errors
/// A `fc-` reason when the container cannot be read at all; findings about one signer are in its
/// [`ParsedSignature::findings`].
pub fn parse<'a>(document: &'a [u8], content: Option<&'a [u8]>) -> Result<ParsedDocument<'a>, Reason> {
    parse_signed_data(document, ID_DATA, content)
}

/// Reads SignedData over the given content type, from octets that begin at the ContentInfo.
///
/// # Errors
/// As [`parse`].
pub fn parse_signed_data<'a>(
    document: &'a [u8],
    content_type: Oid<'_>,
    detached_content: Option<&'a [u8]>,
) -> Result<ParsedDocument<'a>, Reason> {
    check_limit("document bytes", document.len(), MAX_DOCUMENT_BYTES)?;
    if let Some(content) = detached_content {
        check_limit("content bytes", content.len(), MAX_DOCUMENT_BYTES)?;
    }
    let envelope = envelope(document)?;
    let detached = envelope.content.is_none();
    let carried_differs = match (&envelope.content, detached_content) {
        (Some(carried), Some(given)) => **carried != *given,
        _ => false,
    };
    let content = envelope.content.or(detached_content.map(Cow::Borrowed));
    if envelope.content_type != content_type {
        return Err(refuse(&format!("the content type is {}, not {content_type}", envelope.content_type)));
    }
    if envelope.signer_infos.is_empty() {
        return Err(Reason::FcNoSignature {});
    }
    let mut digests = ContentDigests { content: content.as_deref(), known: Vec::new() };
    let mut signatures = Vec::with_capacity(envelope.signer_infos.len());
    for signer_info in &envelope.signer_infos {
        let mut signature = signer(signer_info, &envelope.digest_algorithms, envelope.content_type, &mut digests)?;
        if carried_differs {
            signature.findings.fail(CheckId::ContentDigest, Reason::CvDigestMismatch {});
        }
        signatures.push(signature);
    }
    let tokens = |one: &ParsedSignature<'_>| one.signature_timestamps.len() + one.archive_timestamps.len();
    check_limit("time-stamps", signatures.iter().map(tokens).sum(), MAX_TIMESTAMPS)?;
    let content_digest = digests.of(DigestAlgorithm::Sha256);
    Ok(ParsedDocument {
        format: Format::Cms,
        detached,
        content,
        content_digest,
        certificates: envelope.certificates,
        elements: envelope.elements,
        signatures,
    })
}

/// The certificates that a message carries, signed or certs-only (RFC 5652 §5.1); none where it is no SignedData.
pub fn certificates(document: &[u8]) -> Vec<Vec<u8>> {
    let carried = envelope(document).map(|envelope| envelope.certificates).unwrap_or_default();
    carried.into_iter().map(Cow::into_owned).collect()
}

/// Certificates and revocation lists out of SignedData that has no signers and no content (RFC 5652 §5.1, "the
/// degenerate case"): how sets of certificates are handed around, often in a file named `.p7b`.
///
/// A document that somebody signed is no such set: what it carries is its signer's choice.
pub fn certificates_and_lists(document: &[u8]) -> Option<Vec<Cow<'_, [u8]>>> {
    let envelope = envelope(document).ok()?;
    let is_set = envelope.signer_infos.is_empty() && envelope.content.is_none();
    // The other RevocationInfoChoice, [1], is no list.
    let lists = envelope.elements.revocations.into_iter().filter(|choice| choice.first() == Some(&Tag::SEQUENCE.0));
    let lists = lists.map(Cow::Borrowed);
    is_set.then(|| envelope.certificates.into_iter().chain(lists).collect())
}

/// The parts of SignedData, unjudged.
struct Envelope<'a> {
    content_type: Oid<'a>,
    content: Option<Cow<'a, [u8]>>,
    digest_algorithms: Vec<Oid<'a>>,
    certificates: Vec<Cow<'a, [u8]>>,
    elements: SignedDataElements<'a>,
    signer_infos: Vec<Element<'a>>,
}

/// ```text
/// ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY DEFINED BY contentType }
/// SignedData ::= SEQUENCE {
///     version CMSVersion, digestAlgorithms SET OF DigestAlgorithmIdentifier,
///     encapContentInfo SEQUENCE { eContentType OBJECT IDENTIFIER, eContent [0] EXPLICIT OCTET STRING OPTIONAL },
///     certificates [0] IMPLICIT CertificateSet OPTIONAL, crls [1] IMPLICIT RevocationInfoChoices OPTIONAL,
///     signerInfos SET OF SignerInfo }
/// ```
fn envelope(document: &[u8]) -> Result<Envelope<'_>, Reason> {
    let mut outer = Reader::ber(document);
    let mut content_info = outer.sequence().map_err(malformed)?;
    outer.finish().map_err(malformed)?;
    let kind = content_info.oid().map_err(malformed)?;
    if kind != ID_SIGNED_DATA {
        return Err(refuse(&format!("the content is {kind}, not SignedData")));
    }
    let mut explicit = content_info.expect(Tag::context_constructed(0)).and_then(|e| e.reader()).map_err(malformed)?;
    content_info.finish().map_err(malformed)?;
    let mut signed_data = explicit.sequence().map_err(malformed)?;
    explicit.finish().map_err(malformed)?;

    let version = signed_data.element().and_then(|e| e.expect(Tag::INTEGER)?.small_unsigned()).map_err(malformed)?;
    if !matches!(version, 1 | 3..=5) {
        return Err(refuse(&format!("SignedData version {version}")));
    }
    let mut algorithms = signed_data.set().map_err(malformed)?;
    let mut digest_algorithms = Vec::new();
    while !algorithms.is_empty() {
        check_limit("digest algorithms", digest_algorithms.len() + 1, MAX_SIGNERS)?;
        digest_algorithms.push(AlgorithmIdentifier::parse(&mut algorithms).map_err(malformed)?.algorithm);
    }

    let mut encapsulated = signed_data.sequence().map_err(malformed)?;
    let content_type = encapsulated.expect(Tag::OID).map_err(malformed)?;
    let mut elements = SignedDataElements { content_type: content_type.raw, ..SignedDataElements::default() };
    let content_type = Oid::from_contents(content_type.contents).ok_or_else(|| malformed(content_type.invalid()))?;
    let content = match encapsulated.optional(Tag::context_constructed(0)).map_err(malformed)? {
        None => None,
        Some(explicit) => {
            let mut inner = explicit.reader().map_err(malformed)?;
            let octets = octet_string(&inner.element().map_err(malformed)?).map_err(malformed)?;
            inner.finish().map_err(malformed)?;
            Some(octets)
        }
    };
    encapsulated.finish().map_err(malformed)?;

    let mut certificates = Vec::new();
    if let Some(set) = signed_data.optional(Tag::context_constructed(0)).map_err(malformed)? {
        let mut reader = set.reader().map_err(malformed)?;
        while !reader.is_empty() {
            check_limit("certificates", elements.certificates.len() + 1, MAX_CERTIFICATES)?;
            let choice = reader.element().map_err(malformed)?;
            elements.certificates.push(choice.raw);
            // CertificateChoices: attribute and other certificates are tagged and prove nothing here.
            if choice.tag == Tag::SEQUENCE {
                certificates.push(Cow::Borrowed(choice.raw));
            }
        }
    }
    if let Some(set) = signed_data.optional(Tag::context_constructed(1)).map_err(malformed)? {
        let mut reader = set.reader().map_err(malformed)?;
        while !reader.is_empty() {
            check_limit("revocation lists", elements.revocations.len() + 1, MAX_CERTIFICATES)?;
            elements.revocations.push(reader.element().map_err(malformed)?.raw);
        }
    }
    let mut set = signed_data.set().map_err(malformed)?;
    signed_data.finish().map_err(malformed)?;
    let mut signer_infos = Vec::new();
    while !set.is_empty() {
        check_limit("signers", signer_infos.len() + 1, MAX_SIGNERS)?;
        signer_infos.push(set.expect(Tag::SEQUENCE).map_err(malformed)?);
    }
    Ok(Envelope { content_type, content, digest_algorithms, certificates, elements, signer_infos })
}

/// An OCTET STRING, whole or in segments (X.690 §8.7.3).
fn octet_string<'a>(element: &Element<'a>) -> Result<Cow<'a, [u8]>, Error> {
    fn gather(element: &Element<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        if element.tag == Tag::OCTET_STRING {
            out.extend_from_slice(element.contents);
            return Ok(());
        }
        let mut reader = element.expect(Tag::OCTET_STRING_CONSTRUCTED)?.reader()?;
        while !reader.is_empty() {
            gather(&reader.element()?, out)?;
        }
        Ok(())
    }
    if element.tag == Tag::OCTET_STRING {
        return Ok(Cow::Borrowed(element.contents));
    }
    let mut out = Vec::new();
    gather(element, &mut out)?;
    Ok(Cow::Owned(out))
}

/// Digests of the content, each computed once however many signers there are.
struct ContentDigests<'a> {
    content: Option<&'a [u8]>,
    known: Vec<Digest>,
}

impl ContentDigests<'_> {
    fn of(&mut self, algorithm: DigestAlgorithm) -> Option<Digest> {
        let content = self.content?;
        if let Some(known) = self.known.iter().find(|d| d.algorithm() == algorithm) {
            return Some(*known);
        }
        let digest = algorithm.digest(content);
        self.known.push(digest);
        Some(digest)
    }
}

/// ```text
/// SignerInfo ::= SEQUENCE {
///     version CMSVersion, sid SignerIdentifier, digestAlgorithm DigestAlgorithmIdentifier,
///     signedAttrs [0] IMPLICIT SignedAttributes OPTIONAL, signatureAlgorithm SignatureAlgorithmIdentifier,
///     signature OCTET STRING, unsignedAttrs [1] IMPLICIT UnsignedAttributes OPTIONAL }
/// ```
fn signer<'a>(
    signer_info: &Element<'a>,
    declared_digests: &[Oid<'_>],
    content_type: Oid<'_>,
    digests: &mut ContentDigests<'_>,
) -> Result<ParsedSignature<'a>, Reason> {
    let mut reader = signer_info.reader().map_err(malformed)?;
    let mut fields = reader.clone();
    let version = reader.element().and_then(|e| e.expect(Tag::INTEGER)?.small_unsigned()).map_err(malformed)?;
    if !matches!(version, 1 | 3) {
        return Err(refuse(&format!("SignerInfo version {version}")));
    }
    let sid = reader.element().map_err(malformed)?;
    let signer = if sid.tag == Tag::context(0) {
        SignerIdentifier::SubjectKeyIdentifier(Cow::Borrowed(sid.contents))
    } else if sid.tag == Tag::context_constructed(0) {
        // The BER form of [0] IMPLICIT OCTET STRING.
        let mut inner = sid.reader().map_err(malformed)?;
        let mut octets = Vec::new();
        while !inner.is_empty() {
            octets.extend_from_slice(&octet_string(&inner.element().map_err(malformed)?).map_err(malformed)?);
        }
        SignerIdentifier::SubjectKeyIdentifier(Cow::Owned(octets))
    } else {
        let mut inner = sid.expect(Tag::SEQUENCE).and_then(|e| e.reader()).map_err(malformed)?;
        let issuer = inner.expect(Tag::SEQUENCE).map_err(malformed)?.raw;
        let serial_number = inner.integer().map_err(malformed)?;
        inner.finish().map_err(malformed)?;
        SignerIdentifier::IssuerAndSerialNumber { issuer, serial_number }
    };
    let digest_identifier = AlgorithmIdentifier::parse(&mut reader).map_err(malformed)?;
    let signed_attributes = reader.optional(Tag::context_constructed(0)).map_err(malformed)?;
    let signature_identifier = AlgorithmIdentifier::parse(&mut reader).map_err(malformed)?;
    let signature = octet_string(&reader.element().map_err(malformed)?).map_err(malformed)?;
    let mut signer_fields = Vec::new();
    while fields.offset() < reader.offset() {
        signer_fields.push(fields.element().map_err(malformed)?.raw);
    }
    let unsigned_attributes = reader.optional(Tag::context_constructed(1)).map_err(malformed)?;
    reader.finish().map_err(malformed)?;

    let mut findings = Checks::default();
    let digest_algorithm = DigestAlgorithm::from_oid(digest_identifier.algorithm);
    let algorithm = match digest_algorithm {
        None => Err(Reason::SavAlgorithmNotAllowed { algorithm: refused_digest(digest_identifier.algorithm) }),
        Some(digest) => {
            SignatureAlgorithm::from_signer_info(&signature_identifier, digest).map_err(|error| match error {
                AlgorithmError::DigestMismatch(_) => {
                    Reason::SavAttributeInconsistent { attribute: "digestAlgorithm".into() }
                }
                other => Reason::SavAlgorithmNotAllowed { algorithm: other.to_string() },
            })
        }
    };
    if let Err(reason @ Reason::SavAttributeInconsistent { .. }) = &algorithm {
        findings.fail(CheckId::SignedAttributes, reason.clone());
    }
    // RFC 5652 §5.1: every signer's digest is listed, "to facilitate one-pass verification".
    if !declared_digests.contains(&digest_identifier.algorithm) {
        findings
            .fail(CheckId::SignedAttributes, Reason::SavAttributeInconsistent { attribute: "digestAlgorithms".into() });
    }
    let content_digest = digest_algorithm.map(|algorithm| digests.of(algorithm));
    let mut parsed = ParsedSignature {
        signer,
        certificate_references: Vec::new(),
        algorithm,
        message: Cow::Borrowed(&[]),
        signature,
        claimed_signing_time: None,
        signature_timestamps: Vec::new(),
        archive_timestamps: Vec::new(),
        signer_fields,
        unsigned_values: Vec::new(),
        findings,
        scope: None,
        covered: Vec::new(),
        element: None,
    };
    match signed_attributes {
        None => {
            // Attack 10: octets signed without attributes can be shown as attributes of something else, and back.
            parsed
                .findings
                .fail(CheckId::SignedAttributes, Reason::SavAttributeMissing { attribute: "signedAttrs".into() });
            if digests.content.is_none() {
                parsed.findings.fail(CheckId::ContentDigest, Reason::CvSignedDataMissing {});
            }
            parsed.message = Cow::Owned(digests.content.unwrap_or_default().to_vec());
        }
        Some(element) => {
            let attributes = SignedAttributes::parse(&element)?;
            attributes.check(&mut parsed.findings, content_type, &digest_identifier, &signature_identifier);
            parsed.message = Cow::Owned(attributes.message);
            parsed.claimed_signing_time = attributes.signing_time;
            parsed.certificate_references = attributes.certificate_references;
            match (content_digest, attributes.message_digest) {
                (Some(None), _) => parsed.findings.fail(CheckId::ContentDigest, Reason::CvSignedDataMissing {}),
                (Some(Some(computed)), Some(signed)) if computed.as_bytes() == signed => {
                    parsed.findings.pass(CheckId::ContentDigest);
                }
                (Some(Some(_)), Some(_)) => parsed.findings.fail(CheckId::ContentDigest, Reason::CvDigestMismatch {}),
                // The digest algorithm is unknown or the attribute is missing: said elsewhere, and not evaluated here.
                _ => {}
            }
        }
    }
    parsed.findings.pass(CheckId::DocumentFormat);
    if let Some(attributes) = unsigned_attributes {
        parsed.unsigned_values = long_term::unsigned_values(&attributes)?;
        // RFC 5652 §11.1 to §11.3, RFC 5035 §3, RFC 6211 §2: "MUST NOT be an unsigned attribute".
        for name in parsed.unsigned_values.iter().filter_map(|value| signed_attributes::signed_only(value.kind)) {
            let reason = Reason::SavAttributeInconsistent { attribute: name.to_owned() };
            parsed.findings.fail(CheckId::SignedAttributes, reason);
        }
        parsed.signature_timestamps = values_of(long_term::SIGNATURE_TIMESTAMP, &parsed.unsigned_values);
        parsed.archive_timestamps = values_of(long_term::ARCHIVE_TIMESTAMP_V3, &parsed.unsigned_values);
    }
    Ok(parsed)
}

fn values_of<'a>(kind: Oid<'_>, values: &[long_term::UnsignedValue<'a>]) -> Vec<&'a [u8]> {
    values.iter().filter(|value| value.kind == kind).map(|value| value.value).collect()
}

/// Digests that are refused by name rather than by number.
fn refused_digest(algorithm: Oid<'_>) -> String {
    const MD5: Oid<'static> = oid!(1, 2, 840, 113549, 2, 5);
    const MD2: Oid<'static> = oid!(1, 2, 840, 113549, 2, 2);
    match algorithm {
        MD5 => "MD5".into(),
        MD2 => "MD2".into(),
        other => format!("digest {other}"),
    }
}
