//! X.509 certificates (RFC 5280 §4.1).
//!
//! ```text
//! Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue BIT STRING }
//! TBSCertificate ::= SEQUENCE { version [0] DEFAULT v1, serialNumber, signature, issuer, validity, subject,
//!     subjectPublicKeyInfo, issuerUniqueID [1] OPTIONAL, subjectUniqueID [2] OPTIONAL, extensions [3] OPTIONAL }
//! ```
//!
//! *Invariant:* every extension that is known here was read to its last byte when the certificate was parsed; no
//! accessor can fail, and none hides an extension that could not be read.

use super::extension::{self as ext, Extension, id};
use super::identity::Identity;
use super::name::Name;
use super::public_key::SubjectPublicKeyInfo;
use crate::asn1::{Error, Oid, Reader, Tag, x509_time};
use crate::crypto::{Digest, hexadecimal};
use crate::report::Time;
use std::sync::{Arc, OnceLock};
use std::{fmt, ops::Range};

/// A parsed certificate that owns its bytes; cloning shares them.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

/// The version field (RFC 5280 §4.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// v1: no unique identifiers, no extensions.
    V1,
    /// v2: no extensions.
    V2,
    /// v3.
    V3,
}

/// Why bytes are not a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not the DER of the structure.
    #[error("not a DER certificate: {0}")]
    Encoding(#[from] Error),
    /// Unique identifiers or extensions that the version does not have, or an unknown version.
    #[error("the certificate has fields that its version does not allow")]
    Version,
    /// "A certificate MUST NOT include more than one instance of a particular extension" (RFC 5280 §4.2).
    #[error("the certificate has an extension twice")]
    DuplicateExtension,
}

/// A run of the certificate's bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
}

/// Extensions whose values are read again when they are asked for.
#[derive(Clone, Copy)]
enum Known {
    SubjectKeyIdentifier,
    AuthorityKeyIdentifier,
    KeyUsage,
    ExtendedKeyUsage,
    BasicConstraints,
    CertificatePolicies,
    PolicyMappings,
    PolicyConstraints,
    InhibitAnyPolicy,
    NameConstraints,
    SubjectAltName,
    IssuerAltName,
    CrlDistributionPoints,
    FreshestCrl,
    AuthorityInformationAccess,
    OcspNocheck,
}

const KNOWN: usize = 16;

impl Known {
    fn of(oid: Oid<'_>) -> Option<Known> {
        Some(match oid {
            o if o == id::SUBJECT_KEY_IDENTIFIER => Known::SubjectKeyIdentifier,
            o if o == id::AUTHORITY_KEY_IDENTIFIER => Known::AuthorityKeyIdentifier,
            o if o == id::KEY_USAGE => Known::KeyUsage,
            o if o == id::EXTENDED_KEY_USAGE => Known::ExtendedKeyUsage,
            o if o == id::BASIC_CONSTRAINTS => Known::BasicConstraints,
            o if o == id::CERTIFICATE_POLICIES => Known::CertificatePolicies,
            o if o == id::POLICY_MAPPINGS => Known::PolicyMappings,
            o if o == id::POLICY_CONSTRAINTS => Known::PolicyConstraints,
            o if o == id::INHIBIT_ANY_POLICY => Known::InhibitAnyPolicy,
            o if o == id::NAME_CONSTRAINTS => Known::NameConstraints,
            o if o == id::SUBJECT_ALT_NAME => Known::SubjectAltName,
            o if o == id::ISSUER_ALT_NAME => Known::IssuerAltName,
            o if o == id::CRL_DISTRIBUTION_POINTS => Known::CrlDistributionPoints,
            o if o == id::FRESHEST_CRL => Known::FreshestCrl,
            o if o == id::AUTHORITY_INFORMATION_ACCESS => Known::AuthorityInformationAccess,
            o if o == id::OCSP_NOCHECK => Known::OcspNocheck,
            _ => return None,
        })
    }

    /// Reads the whole value, to accept or refuse it.
    fn check(self, extension: &Extension<'_>) -> Result<(), Error> {
        use ext::List;
        match self {
            Known::SubjectKeyIdentifier => extension.parse(|r| r.octet_string().map(drop)),
            Known::AuthorityKeyIdentifier => extension.parse(|r| ext::AuthorityKeyIdentifier::read(r).map(drop)),
            Known::KeyUsage => extension.parse(|r| ext::KeyUsage::read(r).map(drop)),
            Known::ExtendedKeyUsage => extension.parse(|r| List::<Oid<'_>>::read(r).map(drop)),
            Known::BasicConstraints => extension.parse(|r| ext::BasicConstraints::read(r).map(drop)),
            Known::CertificatePolicies => extension.parse(|r| ext::read_certificate_policies(r).map(drop)),
            Known::PolicyMappings => extension.parse(|r| List::<ext::PolicyMapping<'_>>::read(r).map(drop)),
            Known::PolicyConstraints => extension.parse(|r| ext::PolicyConstraints::read(r).map(drop)),
            Known::InhibitAnyPolicy => {
                extension.parse(|r| r.element()?.expect(Tag::INTEGER)?.small_unsigned().map(drop))
            }
            Known::NameConstraints => extension.parse(|r| ext::NameConstraints::read(r).map(drop)),
            Known::SubjectAltName | Known::IssuerAltName => {
                extension.parse(|r| List::<ext::GeneralName<'_>>::read(r).map(drop))
            }
            Known::CrlDistributionPoints | Known::FreshestCrl => {
                extension.parse(|r| List::<ext::DistributionPoint<'_>>::read(r).map(drop))
            }
            Known::AuthorityInformationAccess => {
                extension.parse(|r| List::<ext::AccessDescription<'_>>::read(r).map(drop))
            }
            Known::OcspNocheck => extension.parse(|r| r.element()?.null()),
        }
    }
}

struct Inner {
    der: Box<[u8]>,
    tbs: Span,
    version: Version,
    serial_number: Span,
    signature_algorithm: Span,
    inner_signature_algorithm: Span,
    issuer: Span,
    subject: Span,
    spki: Span,
    signature: Span,
    not_before: Time,
    not_after: Time,
    /// Values of known extensions; an absent one has an empty span (no value of theirs is empty).
    known: [Span; KNOWN],
    /// Bit `n` is set when the known extension `n` is critical.
    critical: u32,
    /// Identifiers of extensions that are not known, or known and critical with contents that cannot be processed.
    unrecognised: Vec<(Span, bool)>,
    extensions: Span,
    digest: OnceLock<Digest>,
    public_key: OnceLock<SubjectPublicKeyInfo>,
    self_issued: OnceLock<bool>,
    printed: OnceLock<Box<Printed>>,
    identity: OnceLock<Box<Identity>>,
}

/// What reports print of a certificate.
struct Printed {
    subject: Box<str>,
    issuer: Box<str>,
    serial_number: Box<str>,
    digest: Box<str>,
}

/// Where `part`, a slice of `whole`, lies in it.
fn span(whole: &[u8], part: &[u8]) -> Result<Span, Error> {
    let too_long = Error { kind: crate::asn1::ErrorKind::Length, offset: 0 };
    let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize).ok_or(too_long)?;
    let end = start + part.len();
    match (u32::try_from(start), u32::try_from(end)) {
        (Ok(start), Ok(end)) => Ok(Span { start, end }),
        _ => Err(too_long),
    }
}

impl Certificate {
    /// A certificate from the DER of exactly one.
    ///
    /// # Errors
    /// [`CertificateError`]: not DER, fields that the version does not allow, an extension twice, a known extension
    /// with contents that are not its type's.
    pub fn parse(der: &[u8]) -> Result<Certificate, CertificateError> {
        let mut outer = Reader::der(der);
        let mut certificate = outer.sequence()?;
        outer.finish()?;
        let tbs = certificate.expect(Tag::SEQUENCE)?;
        let signature_algorithm = certificate.expect(Tag::SEQUENCE)?;
        algorithm_oid(signature_algorithm.raw)?;
        let signature = certificate.expect(Tag::BIT_STRING)?.bit_string()?;
        certificate.finish()?;

        let mut fields = tbs.reader()?;
        let version = read_version(&mut fields)?;
        let serial_number = fields.integer()?;
        let inner_signature_algorithm = fields.expect(Tag::SEQUENCE)?;
        algorithm_oid(inner_signature_algorithm.raw)?;
        let issuer = Name::read(&mut fields)?;
        let mut validity = fields.sequence()?;
        let not_before = x509_time(&mut validity)?;
        let not_after = x509_time(&mut validity)?;
        validity.finish()?;
        let subject = Name::read(&mut fields)?;
        let spki = fields.expect(Tag::SEQUENCE)?;
        for n in [1, 2] {
            if let Some(unique) = fields.optional(Tag::context(n))? {
                unique.retagged(Tag::BIT_STRING).bit_string()?;
                if version < Version::V2 {
                    return Err(CertificateError::Version);
                }
            }
        }
        let mut inner = Inner {
            tbs: span(der, tbs.raw)?,
            version,
            serial_number: span(der, serial_number)?,
            signature_algorithm: span(der, signature_algorithm.raw)?,
            inner_signature_algorithm: span(der, inner_signature_algorithm.raw)?,
            issuer: span(der, issuer.raw())?,
            subject: span(der, subject.raw())?,
            spki: span(der, spki.raw)?,
            // No algorithm makes a signature of a broken number of octets: an empty one verifies under no key.
            signature: if signature.unused == 0 { span(der, signature.octets)? } else { Span::default() },
            not_before,
            not_after,
            known: [Span::default(); KNOWN],
            critical: 0,
            unrecognised: Vec::new(),
            extensions: Span::default(),
            digest: OnceLock::new(),
            public_key: OnceLock::new(),
            self_issued: OnceLock::new(),
            printed: OnceLock::new(),
            identity: OnceLock::new(),
            der: Box::default(),
        };
        if let Some(wrapper) = fields.optional(Tag::context_constructed(3))? {
            if version < Version::V3 {
                return Err(CertificateError::Version);
            }
            let mut wrapper = wrapper.reader()?;
            let list = wrapper.expect(Tag::SEQUENCE)?;
            wrapper.finish()?;
            inner.extensions = span(der, list.contents)?;
            let mut list = list.reader()?;
            // SEQUENCE SIZE (1..MAX).
            inner.add(der, &Extension::read(&mut list)?)?;
            while !list.is_empty() {
                inner.add(der, &Extension::read(&mut list)?)?;
            }
        }
        fields.finish()?;
        if !ext::all_distinct(inner.unrecognised.iter().map(|&(oid, _)| slice(der, oid))) {
            return Err(CertificateError::DuplicateExtension);
        }
        inner.der = der.into();
        Ok(Certificate(Arc::new(inner)))
    }

    /// Issuer (the whole encoding) and serial number (contents octets) that stand in bytes which [`Certificate::parse`]
    /// refuses, to say which certificate it was.
    pub(crate) fn claimed_issuer_and_serial_number(der: &[u8]) -> Option<(&[u8], &[u8])> {
        let mut fields = Reader::ber(der).sequence().ok()?.sequence().ok()?;
        fields.optional(Tag::context_constructed(0)).ok()?;
        let serial_number = fields.expect(Tag::INTEGER).ok()?.contents;
        fields.expect(Tag::SEQUENCE).ok()?;
        Some((fields.expect(Tag::SEQUENCE).ok()?.raw, serial_number))
    }

    fn bytes(&self, span: Span) -> &[u8] {
        slice(&self.0.der, span)
    }

    /// The whole encoding.
    pub fn raw(&self) -> &[u8] {
        &self.0.der
    }

    /// The encoding of the TBSCertificate, which is what the issuer signed.
    pub fn tbs(&self) -> &[u8] {
        self.bytes(self.0.tbs)
    }

    /// SHA-256 of the whole encoding, computed once.
    pub fn digest(&self) -> &Digest {
        self.0.digest.get_or_init(|| Digest::sha256(self.raw()))
    }

    fn printed(&self) -> &Printed {
        self.0.printed.get_or_init(|| {
            Box::new(Printed {
                subject: self.subject().to_string().into(),
                issuer: self.issuer().to_string().into(),
                serial_number: print_serial_number(self.serial_number()).into(),
                digest: self.digest().to_string().into(),
            })
        })
    }

    /// The subject as reports have it (RFC 4514), printed once.
    pub fn subject_text(&self) -> &str {
        &self.printed().subject
    }

    /// The issuer as reports have it (RFC 4514), printed once.
    pub fn issuer_text(&self) -> &str {
        &self.printed().issuer
    }

    /// The serial number as reports have it, see [`print_serial_number`].
    pub fn serial_number_text(&self) -> &str {
        &self.printed().serial_number
    }

    /// The digest as reports have it, printed once.
    pub fn digest_text(&self) -> &str {
        &self.printed().digest
    }

    /// Whom the certificate names, read once.
    pub fn identity(&self) -> &Identity {
        self.0.identity.get_or_init(|| Box::new(Identity::of(self)))
    }

    /// version.
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// serialNumber: contents of the INTEGER (which real issuers have made long and negative).
    pub fn serial_number(&self) -> &[u8] {
        self.bytes(self.0.serial_number)
    }

    /// issuer.
    pub fn issuer(&self) -> Name<'_> {
        Name::reread(self.bytes(self.0.issuer))
    }

    /// subject.
    pub fn subject(&self) -> Name<'_> {
        Name::reread(self.bytes(self.0.subject))
    }

    /// notBefore.
    pub fn not_before(&self) -> Time {
        self.0.not_before
    }

    /// notAfter.
    pub fn not_after(&self) -> Time {
        self.0.not_after
    }

    /// Whether `at` lies in the validity period, both ends included (RFC 5280 §4.1.2.5).
    pub fn is_valid_at(&self, at: Time) -> bool {
        self.0.not_before <= at && at <= self.0.not_after
    }

    /// subjectPublicKeyInfo, the whole SEQUENCE.
    pub fn spki(&self) -> &[u8] {
        self.bytes(self.0.spki)
    }

    /// subjectPublicKeyInfo, with its digest and parsed key kept once they were asked for.
    pub fn public_key(&self) -> &SubjectPublicKeyInfo {
        self.0.public_key.get_or_init(|| SubjectPublicKeyInfo::new(self.spki()))
    }

    /// Contents octets of subjectPublicKey's BIT STRING, without the count of unused bits; empty if there is none.
    pub fn public_key_bits(&self) -> &[u8] {
        let read = || -> Result<&[u8], Error> {
            let mut spki = Reader::der(self.spki()).sequence()?;
            spki.element()?;
            spki.element()?.bit_string_octets()
        };
        read().unwrap_or_default()
    }

    /// The outer signatureAlgorithm, the whole AlgorithmIdentifier.
    pub fn signature_algorithm(&self) -> &[u8] {
        self.bytes(self.0.signature_algorithm)
    }

    /// Whether the signature field and signatureAlgorithm say the same (RFC 5280 §4.1.1.2, §4.1.2.3).
    ///
    /// DEVIATION: absent and NULL parameters count as the same: the national authority leaves the NULL out of the inner
    /// one. Both mean "none" for every algorithm that is accepted.
    pub fn signature_algorithms_agree(&self) -> bool {
        algorithms_agree(self.signature_algorithm(), self.bytes(self.0.inner_signature_algorithm))
    }

    /// signatureValue; empty when it is not a whole number of octets.
    pub fn signature(&self) -> &[u8] {
        self.bytes(self.0.signature)
    }

    /// Whether issuer and subject are the same name (RFC 5280 §3.2).
    pub fn is_self_issued(&self) -> bool {
        *self.0.self_issued.get_or_init(|| self.issuer() == self.subject())
    }

    fn value<'a, T>(&'a self, known: Known, read: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>) -> Option<T> {
        let value = self.bytes(*self.0.known.get(known as usize)?);
        if value.is_empty() { None } else { read(&mut Reader::der(value)).ok() }
    }

    /// subjectKeyIdentifier.
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.value(Known::SubjectKeyIdentifier, Reader::octet_string)
    }

    /// authorityKeyIdentifier.
    pub fn authority_key_identifier(&self) -> Option<ext::AuthorityKeyIdentifier<'_>> {
        self.value(Known::AuthorityKeyIdentifier, ext::AuthorityKeyIdentifier::read)
    }

    /// keyUsage.
    pub fn key_usage(&self) -> Option<ext::KeyUsage> {
        self.value(Known::KeyUsage, ext::KeyUsage::read)
    }

    /// extKeyUsage.
    pub fn extended_key_usage(&self) -> Option<ext::List<'_, Oid<'_>>> {
        self.value(Known::ExtendedKeyUsage, ext::List::read)
    }

    /// basicConstraints.
    pub fn basic_constraints(&self) -> Option<ext::BasicConstraints> {
        self.value(Known::BasicConstraints, ext::BasicConstraints::read)
    }

    /// certificatePolicies.
    pub fn certificate_policies(&self) -> Option<ext::List<'_, ext::PolicyInformation<'_>>> {
        self.value(Known::CertificatePolicies, ext::List::read)
    }

    /// policyMappings.
    pub fn policy_mappings(&self) -> Option<ext::List<'_, ext::PolicyMapping<'_>>> {
        self.value(Known::PolicyMappings, ext::List::read)
    }

    /// policyConstraints.
    pub fn policy_constraints(&self) -> Option<ext::PolicyConstraints> {
        self.value(Known::PolicyConstraints, ext::PolicyConstraints::read)
    }

    /// inhibitAnyPolicy.
    pub fn inhibit_any_policy(&self) -> Option<u32> {
        self.value(Known::InhibitAnyPolicy, |r| r.element()?.small_unsigned())
    }

    /// nameConstraints.
    pub fn name_constraints(&self) -> Option<ext::NameConstraints<'_>> {
        self.value(Known::NameConstraints, ext::NameConstraints::read)
    }

    /// subjectAltName.
    pub fn subject_alt_name(&self) -> Option<ext::List<'_, ext::GeneralName<'_>>> {
        self.value(Known::SubjectAltName, ext::List::read)
    }

    /// cRLDistributionPoints.
    pub fn crl_distribution_points(&self) -> Option<ext::List<'_, ext::DistributionPoint<'_>>> {
        self.value(Known::CrlDistributionPoints, ext::List::read)
    }

    /// freshestCRL.
    pub fn freshest_crl(&self) -> Option<ext::List<'_, ext::DistributionPoint<'_>>> {
        self.value(Known::FreshestCrl, ext::List::read)
    }

    /// authorityInfoAccess.
    pub fn authority_information_access(&self) -> Option<ext::List<'_, ext::AccessDescription<'_>>> {
        self.value(Known::AuthorityInformationAccess, ext::List::read)
    }

    /// Whether id-pkix-ocsp-nocheck is there.
    pub fn has_ocsp_nocheck(&self) -> bool {
        self.value(Known::OcspNocheck, |r| r.element()).is_some()
    }

    /// Whether an extension is there and critical.
    pub fn is_critical(&self, extension: Oid<'_>) -> bool {
        match Known::of(extension) {
            Some(known) => self.0.critical & 1 << known as u32 != 0,
            None => {
                self.0.unrecognised.iter().any(|&(oid, critical)| critical && self.bytes(oid) == extension.as_bytes())
            }
        }
    }

    /// Critical extensions that this parser does not know, or whose contents it cannot process: a path validator must
    /// refuse the certificate (RFC 5280 §4.2).
    pub fn unrecognised_critical(&self) -> impl Iterator<Item = Oid<'_>> {
        let critical = self.0.unrecognised.iter().filter(|(_, critical)| *critical);
        critical.filter_map(|&(oid, _)| Oid::from_contents(self.bytes(oid)))
    }

    /// All extensions in the order of the encoding.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'_>> {
        let mut reader = Reader::der(self.bytes(self.0.extensions));
        std::iter::from_fn(move || if reader.is_empty() { None } else { Extension::read(&mut reader).ok() })
    }
}

impl Inner {
    fn add(&mut self, der: &[u8], extension: &Extension<'_>) -> Result<(), CertificateError> {
        let Some(known) = Known::of(extension.id) else {
            self.unrecognised.push((span(der, extension.id.as_bytes())?, extension.critical));
            return Ok(());
        };
        known.check(extension)?;
        let slot = self.known.get_mut(known as usize).ok_or(CertificateError::DuplicateExtension)?;
        if slot.end != 0 {
            return Err(CertificateError::DuplicateExtension);
        }
        *slot = span(der, extension.value)?;
        if extension.critical {
            self.critical |= 1 << known as u32;
            if !is_processable(known, extension) {
                self.unrecognised.push((span(der, extension.id.as_bytes())?, true));
            }
        }
        Ok(())
    }
}

/// "If this extension is critical, the path validation software MUST be able to interpret this extension (including
/// the optional qualifier), or MUST reject the certificate" (RFC 5280 §4.2.1.4).
fn is_processable(known: Known, extension: &Extension<'_>) -> bool {
    match known {
        Known::CertificatePolicies => {
            extension.parse(ext::List::<ext::PolicyInformation<'_>>::read).is_ok_and(|list| {
                list.iter()
                    .filter_map(|information| information.qualifiers)
                    .flat_map(|qualifiers| qualifiers.iter())
                    .all(|qualifier| [id::QUALIFIER_CPS, id::QUALIFIER_USER_NOTICE].contains(&qualifier.id))
            })
        }
        _ => true,
    }
}

/// A serial number as hexadecimal digits, without the sign octet of DER.
pub fn print_serial_number(contents: &[u8]) -> String {
    let octets = match contents {
        [0, rest @ ..] if !rest.is_empty() => rest,
        octets => octets,
    };
    let mut digits = String::with_capacity(2 * octets.len());
    // Writing to a string cannot fail.
    let _ = hexadecimal(octets, &mut digits);
    digits
}

fn slice(der: &[u8], span: Span) -> &[u8] {
    let range = || -> Option<Range<usize>> { Some(usize::try_from(span.start).ok()?..usize::try_from(span.end).ok()?) };
    range().and_then(|range| der.get(range)).unwrap_or_default()
}

fn read_version(fields: &mut Reader<'_>) -> Result<Version, CertificateError> {
    let Some(wrapper) = fields.optional(Tag::context_constructed(0))? else {
        return Ok(Version::V1);
    };
    let mut inner = wrapper.reader()?;
    let version = inner.integer()?;
    inner.finish()?;
    match version {
        [1] => Ok(Version::V2),
        [2] => Ok(Version::V3),
        // v1 is the DEFAULT, which DER leaves out.
        [0] => Err(CertificateError::Encoding(wrapper.invalid())),
        _ => Err(CertificateError::Version),
    }
}

/// The algorithm of an AlgorithmIdentifier; checks that nothing follows its parameters.
pub(super) fn algorithm_oid(raw: &[u8]) -> Result<Oid<'_>, Error> {
    let mut fields = Reader::der(raw).sequence()?;
    let oid = fields.oid()?;
    if !fields.is_empty() {
        fields.element()?;
    }
    fields.finish()?;
    Ok(oid)
}

/// Whether two AlgorithmIdentifiers say the same, absent parameters and NULL being one.
pub(super) fn algorithms_agree(a: &[u8], b: &[u8]) -> bool {
    fn parts(raw: &[u8]) -> Option<(Oid<'_>, &[u8])> {
        let mut fields = Reader::der(raw).sequence().ok()?;
        let oid = fields.oid().ok()?;
        let parameters = fields.rest();
        Some((oid, if parameters == [0x05, 0x00] { &[] } else { parameters }))
    }
    a == b || matches!((parts(a), parts(b)), (Some(a), Some(b)) if a == b)
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Certificate) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.raw() == other.raw()
    }
}

impl Eq for Certificate {}

impl std::hash::Hash for Certificate {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.digest().hash(state);
    }
}

/// Prints the digest: a subject holds personal data, and logs must not.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.digest())
    }
}
