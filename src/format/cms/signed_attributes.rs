//! Signed attributes, to the letter: DER in SET OF order, one instance and one value each, consistent with the rest.

use super::{malformed, refuse};
use crate::asn1::{self, Element, Oid, Reader, Tag, oid};
use crate::crypto::{AlgorithmIdentifier, DigestAlgorithm};
use crate::format::limits::{MAX_ATTRIBUTES, check_limit};
use crate::format::{CertificateReference, IssuerSerial};
use crate::report::{CheckId, Checks, Reason, Time};
use std::borrow::Cow;

const CONTENT_TYPE: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 3);
const MESSAGE_DIGEST: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 4);
const SIGNING_TIME: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 5);
const COUNTER_SIGNATURE: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 6);
const ALGORITHM_PROTECTION: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 52);
const SIGNING_CERTIFICATE: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 16, 2, 12);
const SIGNING_CERTIFICATE_V2: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 16, 2, 47);
const SIGNATURE_TIME_STAMP: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 16, 2, 14);

/// Attributes with at most one instance and exactly one value, by their names in the standards.
const SINGLE: &[(Oid<'static>, &str)] = &[
    (CONTENT_TYPE, "contentType"),
    (MESSAGE_DIGEST, "messageDigest"),
    (SIGNING_TIME, "signingTime"),
    (ALGORITHM_PROTECTION, "cmsAlgorithmProtection"),
    (SIGNING_CERTIFICATE, "signingCertificate"),
    (SIGNING_CERTIFICATE_V2, "signingCertificateV2"),
];

/// The name of an attribute that is always a signed one.
pub(super) fn signed_only(kind: Oid<'_>) -> Option<&'static str> {
    SINGLE.iter().find(|row| row.0 == kind).map(|row| row.1)
}

/// What the signed attributes say.
pub(super) struct SignedAttributes<'a> {
    /// The octets that were signed: the received ones under the tag SET OF (RFC 5652 §5.4).
    pub(super) message: Vec<u8>,
    content_type: Option<Oid<'a>>,
    pub(super) message_digest: Option<&'a [u8]>,
    pub(super) signing_time: Option<Time>,
    pub(super) certificate_references: Vec<CertificateReference<'a>>,
    algorithm_protection: Option<Element<'a>>,
    /// Findings of single attributes, in the order met.
    reasons: Vec<Reason>,
}

fn inconsistent(attribute: &str) -> Reason {
    Reason::SavAttributeInconsistent { attribute: attribute.to_owned() }
}

impl<'a> SignedAttributes<'a> {
    /// Reads `[0] IMPLICIT SET SIZE (1..MAX) OF Attribute`.
    ///
    /// # Errors
    /// `fc-malformed` when the octets are not the DER encoding of such a set: what is verified must have one reading
    /// (attack 11).
    pub(super) fn parse(element: &Element<'a>) -> Result<SignedAttributes<'a>, Reason> {
        let mut outer = Reader::der(element.raw);
        let set = outer.element().map_err(|_| refuse("signed attributes are not DER"))?;
        check_der(&set).map_err(|_| refuse("signed attributes are not DER"))?;
        let mut parsed = SignedAttributes {
            message: {
                let mut message = element.raw.to_vec();
                message.first_mut().map(|tag| *tag = Tag::SET.0).ok_or_else(|| refuse("empty"))?;
                message
            },
            content_type: None,
            message_digest: None,
            signing_time: None,
            certificate_references: Vec::new(),
            algorithm_protection: None,
            reasons: Vec::new(),
        };
        let mut reader = set.reader().map_err(malformed)?;
        let mut previous: &[u8] = &[];
        let mut seen: Vec<Oid<'_>> = Vec::new();
        while !reader.is_empty() {
            check_limit("signed attributes", seen.len() + 1, MAX_ATTRIBUTES)?;
            let attribute = reader.expect(Tag::SEQUENCE).map_err(malformed)?;
            // X.690 §11.6: ascending order of the encodings, shorter ones padded with zero octets.
            if attribute.raw < previous {
                return Err(refuse("signed attributes are not in DER order"));
            }
            previous = attribute.raw;
            let mut inner = attribute.reader().map_err(malformed)?;
            let kind = inner.oid().map_err(malformed)?;
            let values = inner.expect(Tag::SET).map_err(malformed)?;
            inner.finish().map_err(malformed)?;
            let name = signed_only(kind);
            if let Some(name) = name
                && seen.contains(&kind)
            {
                parsed.reasons.push(Reason::SavAttributeDuplicated { attribute: name.to_owned() });
                continue;
            }
            seen.push(kind);
            let mut reader = values.reader().map_err(malformed)?;
            // RFC 5652 §5.3: SET OF AttributeValue is never empty.
            let value = reader.element().map_err(|_| refuse("an attribute has no value"))?;
            if !ascends(&value, reader.clone()).map_err(malformed)? {
                return Err(refuse("the values of a signed attribute are not in DER order"));
            }
            match name {
                Some(name) if !reader.is_empty() => {
                    parsed.reasons.push(Reason::SavAttributeDuplicated { attribute: name.to_owned() });
                }
                Some(name) => parsed.take(kind, name, &value),
                // RFC 5652 §11.4, RFC 3161 §A: these are unsigned by definition.
                None if kind == COUNTER_SIGNATURE => parsed.reasons.push(inconsistent("countersignature")),
                None if kind == SIGNATURE_TIME_STAMP => parsed.reasons.push(inconsistent("signatureTimeStampToken")),
                None => {}
            }
        }
        if seen.is_empty() {
            return Err(refuse("signed attributes are empty"));
        }
        Ok(parsed)
    }

    fn take(&mut self, kind: Oid<'_>, name: &str, value: &Element<'a>) {
        let taken: Result<(), asn1::Error> = (|| {
            match kind {
                CONTENT_TYPE => {
                    let element = value.expect(Tag::OID)?;
                    self.content_type = Some(Oid::from_contents(element.contents).ok_or(element.invalid())?);
                }
                MESSAGE_DIGEST => self.message_digest = Some(value.octet_string()?),
                SIGNING_TIME => self.signing_time = Some(asn1::x509_time(&mut Reader::der(value.raw))?),
                ALGORITHM_PROTECTION => self.algorithm_protection = Some(*value),
                SIGNING_CERTIFICATE => self.certificate_references.extend(ess_certificates(value, EssVersion::V1)?),
                SIGNING_CERTIFICATE_V2 => self.certificate_references.extend(ess_certificates(value, EssVersion::V2)?),
                _ => {}
            }
            Ok(())
        })();
        // Attack 14: a value of another type than the attribute's is an error, never a guess.
        if taken.is_err() {
            self.reasons.push(inconsistent(name));
        }
    }

    /// Records what the attributes prove or break.
    pub(super) fn check(
        &self,
        findings: &mut Checks,
        content_type: Oid<'_>,
        digest: &AlgorithmIdentifier<'_>,
        signature: &AlgorithmIdentifier<'_>,
    ) {
        let duplicated_or_broken = |name: &str| {
            self.reasons.iter().any(|reason| match reason {
                Reason::SavAttributeDuplicated { attribute } | Reason::SavAttributeInconsistent { attribute } => {
                    attribute == name
                }
                _ => false,
            })
        };
        for reason in &self.reasons {
            findings.fail(CheckId::SignedAttributes, reason.clone());
        }
        for (name, present) in
            [("contentType", self.content_type.is_some()), ("messageDigest", self.message_digest.is_some())]
        {
            if !present && !duplicated_or_broken(name) {
                findings.fail(CheckId::SignedAttributes, Reason::SavAttributeMissing { attribute: name.to_owned() });
            }
        }
        // RFC 5652 §11.1: equal to the eContentType.
        if self.content_type.is_some_and(|signed| signed != content_type) {
            findings.fail(CheckId::SignedAttributes, inconsistent("contentType"));
        }
        if let Some(protection) = &self.algorithm_protection
            && !protects(protection, digest, signature).unwrap_or(false)
        {
            findings.fail(CheckId::SignedAttributes, inconsistent("cmsAlgorithmProtection"));
        }
        findings.pass(CheckId::SignedAttributes);
    }
}

/// ```text
/// CMSAlgorithmProtection ::= SEQUENCE {
///     digestAlgorithm DigestAlgorithmIdentifier, signatureAlgorithm [1] SignatureAlgorithmIdentifier OPTIONAL,
///     macAlgorithm [2] MessageAuthenticationCodeAlgorithm OPTIONAL }
/// ```
/// (RFC 6211 §2). In SignedData the signature algorithm is there and the MAC algorithm is not.
fn protects(
    protection: &Element<'_>,
    digest: &AlgorithmIdentifier<'_>,
    signature: &AlgorithmIdentifier<'_>,
) -> Result<bool, asn1::Error> {
    let mut reader = protection.expect(Tag::SEQUENCE)?.reader()?;
    let protected_digest = AlgorithmIdentifier::parse(&mut reader)?;
    let protected_signature =
        AlgorithmIdentifier::from_contents(reader.expect(Tag::context_constructed(1))?.reader()?)?;
    reader.finish()?;
    let same = |a: &AlgorithmIdentifier<'_>, b: &AlgorithmIdentifier<'_>| {
        let parameters = match (&a.parameters, &b.parameters) {
            (Some(x), Some(y)) => x.raw == y.raw,
            // RFC 6211 §2 compares the fields; absent and NULL parameters mean the same for these algorithms.
            _ => a.has_no_parameters() && b.has_no_parameters(),
        };
        a.algorithm == b.algorithm && parameters
    };
    Ok(same(&protected_digest, digest) && same(&protected_signature, signature))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum EssVersion {
    V1,
    V2,
}

/// ```text
/// SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2, policies SEQUENCE OF PolicyInformation OPTIONAL }
/// ESSCertIDv2 ::= SEQUENCE {
///     hashAlgorithm AlgorithmIdentifier DEFAULT {algorithm id-sha256}, certHash OCTET STRING,
///     issuerSerial IssuerSerial OPTIONAL }
/// IssuerSerial ::= SEQUENCE { issuer GeneralNames, serialNumber CertificateSerialNumber }
/// ```
/// (RFC 5035 §3, §4). Version 1 is the same with SHA-1 and no hashAlgorithm.
fn ess_certificates<'a>(
    value: &Element<'a>,
    version: EssVersion,
) -> Result<Vec<CertificateReference<'a>>, asn1::Error> {
    let mut reader = value.expect(Tag::SEQUENCE)?.reader()?;
    let mut certificates = reader.sequence()?;
    let mut references = Vec::new();
    while !certificates.is_empty() {
        let mut inner = certificates.sequence()?;
        let digest_algorithm = match version {
            EssVersion::V1 => Some(DigestAlgorithm::Sha1),
            EssVersion::V2 if inner.peek() == Some(Tag::SEQUENCE) => {
                DigestAlgorithm::from_oid(AlgorithmIdentifier::parse(&mut inner)?.algorithm)
            }
            EssVersion::V2 => Some(DigestAlgorithm::Sha256),
        };
        let digest = Cow::Borrowed(inner.octet_string()?);
        let issuer_serial = match inner.optional(Tag::SEQUENCE)? {
            None => None,
            Some(issuer_serial) => Some(issuer_serial_number(&issuer_serial)?),
        };
        inner.finish()?;
        references.push(CertificateReference { digest_algorithm, digest, issuer_serial });
    }
    if references.is_empty() || references.len() > crate::format::limits::MAX_CERTIFICATES {
        return Err(value.invalid());
    }
    reader.optional(Tag::SEQUENCE)?;
    reader.finish()?;
    Ok(references)
}

/// The one directoryName of an IssuerSerial (RFC 5035 §4) and the serial number.
fn issuer_serial_number<'a>(element: &Element<'a>) -> Result<IssuerSerial<'a>, asn1::Error> {
    let mut reader = element.reader()?;
    let mut names = reader.sequence()?;
    let mut directory_name = names.expect(Tag::context_constructed(4))?.reader()?;
    names.finish()?;
    let issuer = directory_name.expect(Tag::SEQUENCE)?.raw;
    directory_name.finish()?;
    let serial_number = reader.integer()?;
    reader.finish()?;
    Ok(IssuerSerial { issuer: Cow::Borrowed(issuer), serial_number: Cow::Borrowed(serial_number) })
}

/// Whether the elements of a SET OF ascend (X.690 §11.6), the first one apart.
fn ascends<'a>(first: &Element<'a>, mut rest: Reader<'a>) -> Result<bool, asn1::Error> {
    let mut previous = first.raw;
    while !rest.is_empty() {
        let next = rest.element()?.raw;
        if next < previous {
            return Ok(false);
        }
        previous = next;
    }
    Ok(true)
}

/// Whether an element is DER through and through, as far as tags alone tell: lengths, booleans, integers, bit strings,
/// no constructed strings. The order of sets is the callers' to check: a tag does not tell SET from SET OF.
fn check_der(element: &Element<'_>) -> Result<(), asn1::Error> {
    match element.tag {
        Tag::BOOLEAN => element.boolean().map(drop),
        Tag::INTEGER => element.integer().map(drop),
        Tag::BIT_STRING => element.bit_string().map(drop),
        Tag::NULL => element.null(),
        Tag::OID => Oid::from_contents(element.contents).map(drop).ok_or(element.invalid()),
        tag if !tag.is_constructed() => Ok(()),
        // X.690 §10.2: no constructed form of the universal strings.
        tag if tag.0 & 0xc0 == 0 && !matches!(tag, Tag::SEQUENCE | Tag::SET) => Err(element.invalid()),
        _ => {
            let mut reader = element.reader()?;
            while !reader.is_empty() {
                check_der(&reader.element()?)?;
            }
            Ok(())
        }
    }
}
