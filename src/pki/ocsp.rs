//! Online certificate status: requests and responses (RFC 6960, nonce by RFC 9654).
//!
//! ```text
//! OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] SEQUENCE { responseType OID, response OCTET STRING } OPTIONAL }
//! BasicOCSPResponse ::= SEQUENCE { tbsResponseData, signatureAlgorithm, signature BIT STRING, certs [0] SEQUENCE OF Certificate OPTIONAL }
//! ResponseData ::= SEQUENCE { version [0] DEFAULT v1, responderID, producedAt, responses SEQUENCE OF SingleResponse, responseExtensions [1] OPTIONAL }
//! SingleResponse ::= SEQUENCE { certID, certStatus, thisUpdate, nextUpdate [0] OPTIONAL, singleExtensions [1] OPTIONAL }
//! ```
//!
//! *Invariant:* only a response whose status is "successful" becomes an [`OcspResponse`]; the unsigned statuses are
//! errors and say nothing about any certificate.

use super::certificate::{Certificate, algorithm_oid};
use super::crl::CrlReason;
use super::extension::{Extension, id};
use super::name::{Name, push_element};
use super::public_key::{SubjectPublicKeyInfo, VerificationError};
use crate::asn1::{Element, Error, Oid, Reader, Tag, generalized_time, oid};
use crate::crypto::{Digest, DigestAlgorithm};
use crate::report::Time;
use std::ops::Range;

/// Largest response taken (`validation.md` §4).
pub const MAX_OCSP_RESPONSE_BYTES: usize = 64 << 10;
/// Longest nonce: "1 to 128 octets" (RFC 9654 §2.1).
pub const MAX_NONCE_BYTES: usize = 128;

const BASIC_RESPONSE: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 1);
const NONCE: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 2);
const CRL_REFERENCES: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 3);
const ARCHIVE_CUTOFF: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 6);
const EXTENDED_REVOKED: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 9);

/// Why bytes are not an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OcspError {
    /// Not the DER of the structure.
    #[error("not a DER OCSP response: {0}")]
    Encoding(#[from] Error),
    /// An unsigned status: the responder did not answer (RFC 6960 §4.2.1).
    #[error("the responder answers {0}")]
    NoAnswer(&'static str),
    /// Another response type than id-pkix-ocsp-basic.
    #[error("the OCSP response is of an unknown type")]
    ResponseType,
    /// More bytes than a response may have.
    #[error("the OCSP response is larger than {0} bytes")]
    TooLarge(usize),
    /// An extension that is critical and not known.
    #[error("the OCSP response has a critical extension that is not known")]
    UnknownCriticalExtension,
}

/// CertID (RFC 6960 §4.1.1): which certificate, without saying its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertId {
    /// hashAlgorithm; `None` when it is not one of ours, and then the identifier matches nothing.
    pub hash_algorithm: Option<DigestAlgorithm>,
    /// issuerNameHash.
    pub issuer_name_hash: Box<[u8]>,
    /// issuerKeyHash.
    pub issuer_key_hash: Box<[u8]>,
    /// serialNumber: contents of the INTEGER.
    pub serial_number: Box<[u8]>,
}

impl CertId {
    /// The identifier of a certificate under its issuer's key.
    ///
    /// issuerNameHash is over the issuer field of the certificate, issuerKeyHash over the octets of the BIT STRING,
    /// which for a GOST key is a whole OCTET STRING.
    pub fn of(certificate: &Certificate, issuer_key_bits: &[u8], algorithm: DigestAlgorithm) -> CertId {
        CertId {
            hash_algorithm: Some(algorithm),
            issuer_name_hash: algorithm.digest(certificate.issuer().raw()).as_bytes().into(),
            issuer_key_hash: algorithm.digest(issuer_key_bits).as_bytes().into(),
            serial_number: certificate.serial_number().into(),
        }
    }

    /// Whether this is the identifier of a certificate under its issuer's key.
    pub fn matches(&self, certificate: &Certificate, issuer_key_bits: &[u8]) -> bool {
        *self.serial_number == *certificate.serial_number()
            && self.hash_algorithm.is_some_and(|algorithm| {
                let own = CertId::of(certificate, issuer_key_bits, algorithm);
                own.issuer_name_hash == self.issuer_name_hash && own.issuer_key_hash == self.issuer_key_hash
            })
    }

    fn read(reader: &mut Reader<'_>) -> Result<CertId, Error> {
        let mut fields = reader.sequence()?;
        let algorithm = algorithm_oid(fields.expect(Tag::SEQUENCE)?.raw)?;
        let cert_id = CertId {
            hash_algorithm: DigestAlgorithm::from_oid(algorithm),
            issuer_name_hash: fields.octet_string()?.into(),
            issuer_key_hash: fields.octet_string()?.into(),
            serial_number: fields.integer()?.into(),
        };
        fields.finish()?;
        Ok(cert_id)
    }

    fn encode(&self) -> Option<Vec<u8>> {
        let [mut algorithm, mut name, mut key, mut serial, mut oid, mut out] = [const { Vec::new() }; 6];
        push_element(&mut oid, Tag::OID, &[self.hash_algorithm?.oid()?.as_bytes()]);
        push_element(&mut algorithm, Tag::SEQUENCE, &[&oid, &[Tag::NULL.0, 0]]);
        push_element(&mut name, Tag::OCTET_STRING, &[&self.issuer_name_hash]);
        push_element(&mut key, Tag::OCTET_STRING, &[&self.issuer_key_hash]);
        push_element(&mut serial, Tag::INTEGER, &[&self.serial_number]);
        push_element(&mut out, Tag::SEQUENCE, &[&algorithm, &name, &key, &serial]);
        Some(out)
    }
}

/// The DER of an unsigned OCSPRequest for one certificate (RFC 6960 §4.1.1), with a nonce where one is given.
///
/// `None` where the identifier's hash algorithm has no identifier of its own.
pub fn request(cert_id: &CertId, nonce: Option<&[u8]>) -> Option<Vec<u8>> {
    let [mut single, mut list, mut tbs, mut out] = [const { Vec::new() }; 4];
    push_element(&mut single, Tag::SEQUENCE, &[&cert_id.encode()?]);
    push_element(&mut list, Tag::SEQUENCE, &[&single]);
    let extensions = nonce.map(|nonce| {
        let [mut oid, mut inner, mut value, mut extension, mut extensions, mut wrapper] = [const { Vec::new() }; 6];
        push_element(&mut oid, Tag::OID, &[NONCE.as_bytes()]);
        push_element(&mut inner, Tag::OCTET_STRING, &[nonce]);
        push_element(&mut value, Tag::OCTET_STRING, &[&inner]);
        push_element(&mut extension, Tag::SEQUENCE, &[&oid, &value]);
        push_element(&mut extensions, Tag::SEQUENCE, &[&extension]);
        push_element(&mut wrapper, Tag::context_constructed(2), &[&extensions]);
        wrapper
    });
    push_element(&mut tbs, Tag::SEQUENCE, &[&list, extensions.as_deref().unwrap_or_default()]);
    push_element(&mut out, Tag::SEQUENCE, &[&tbs]);
    Some(out)
}

/// CertStatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertStatus {
    /// Not revoked.
    Good,
    /// Revoked, or on hold.
    Revoked {
        /// revocationTime.
        at: Time,
        /// revocationReason.
        reason: Option<CrlReason>,
    },
    /// The responder does not know the certificate.
    Unknown,
}

/// SingleResponse: the answer about one certificate.
#[derive(Clone, Debug)]
pub struct SingleResponse {
    /// certID.
    pub cert_id: CertId,
    /// certStatus as sent; see [`OcspResponse::status`].
    pub status: CertStatus,
    /// thisUpdate.
    pub this_update: Time,
    /// nextUpdate.
    pub next_update: Option<Time>,
    /// id-pkix-ocsp-archive-cutoff: certificates that expired at this time or later are still known.
    pub archive_cutoff: Option<Time>,
    /// invalidityDate (RFC 6960 §4.4.5).
    pub invalidity_date: Option<Time>,
}

/// ResponderID.
#[derive(Clone, Debug)]
pub enum ResponderId {
    /// byName, the whole encoding of the name.
    Name(Box<[u8]>),
    /// byKey: SHA-1 of the key's BIT STRING octets.
    KeyHash(Box<[u8]>),
}

/// A successful basic response; its signature is not verified yet.
#[derive(Clone, Debug)]
pub struct OcspResponse {
    /// responderID.
    pub responder_id: ResponderId,
    /// producedAt.
    pub produced_at: Time,
    /// responses.
    pub responses: Vec<SingleResponse>,
    /// The nonce, where the response has one.
    pub nonce: Option<Box<[u8]>>,
    /// certs, those that parse.
    pub certificates: Vec<Certificate>,
    /// SHA-256 of the whole response.
    pub digest: Digest,
    extended_revoked: bool,
    der: Box<[u8]>,
    tbs: Range<usize>,
    signature_algorithm: Box<[u8]>,
    signature: Box<[u8]>,
}

impl OcspResponse {
    /// A response from the DER of exactly one OCSPResponse.
    ///
    /// # Errors
    /// [`OcspError`]; [`OcspError::NoAnswer`] for every status but "successful".
    pub fn parse(der: &[u8]) -> Result<OcspResponse, OcspError> {
        if der.len() > MAX_OCSP_RESPONSE_BYTES {
            return Err(OcspError::TooLarge(MAX_OCSP_RESPONSE_BYTES));
        }
        let mut outer = Reader::der(der);
        let mut response = outer.sequence()?;
        outer.finish()?;
        let status = response.expect(Tag::ENUMERATED)?;
        match status.small_unsigned()? {
            0 => {}
            1 => return Err(OcspError::NoAnswer("malformedRequest")),
            2 => return Err(OcspError::NoAnswer("internalError")),
            3 => return Err(OcspError::NoAnswer("tryLater")),
            5 => return Err(OcspError::NoAnswer("sigRequired")),
            6 => return Err(OcspError::NoAnswer("unauthorized")),
            _ => return Err(OcspError::Encoding(status.invalid())),
        }
        let mut wrapper = response.expect(Tag::context_constructed(0))?.reader()?;
        response.finish()?;
        let mut bytes = wrapper.sequence()?;
        wrapper.finish()?;
        if bytes.oid()? != BASIC_RESPONSE {
            return Err(OcspError::ResponseType);
        }
        let basic = bytes.octet_string()?;
        bytes.finish()?;
        OcspResponse::parse_basic(der, basic)
    }

    /// A response from the DER of exactly one BasicOCSPResponse, as documents carry it; its digest is of those octets.
    ///
    /// # Errors
    /// As [`OcspResponse::parse`].
    pub fn parse_basic_response(der: &[u8]) -> Result<OcspResponse, OcspError> {
        if der.len() > MAX_OCSP_RESPONSE_BYTES {
            return Err(OcspError::TooLarge(MAX_OCSP_RESPONSE_BYTES));
        }
        OcspResponse::parse_basic(der, der)
    }

    fn parse_basic(der: &[u8], basic: &[u8]) -> Result<OcspResponse, OcspError> {
        let mut outer = Reader::der(basic);
        let mut fields = outer.sequence()?;
        outer.finish()?;
        let tbs = fields.expect(Tag::SEQUENCE)?;
        let signature_algorithm = fields.expect(Tag::SEQUENCE)?.raw;
        algorithm_oid(signature_algorithm)?;
        let signature = fields.expect(Tag::BIT_STRING)?.bit_string_octets()?;
        let mut certificates = Vec::new();
        if let Some(wrapper) = fields.optional(Tag::context_constructed(0))? {
            let mut wrapper = wrapper.reader()?;
            let mut list = wrapper.sequence()?;
            wrapper.finish()?;
            while !list.is_empty() {
                certificates.extend(Certificate::parse(list.element()?.raw).ok());
            }
        }
        fields.finish()?;

        let mut data = tbs.reader()?;
        if let Some(version) = data.optional(Tag::context_constructed(0))? {
            // DEVIATION: X.690 §11.5 leaves the DEFAULT v1 out; responders write it, and it says the same.
            let mut inner = version.reader()?;
            if inner.integer()? != [0] {
                return Err(OcspError::Encoding(version.invalid()));
            }
            inner.finish()?;
        }
        let responder = data.element()?;
        let mut inner = responder.reader()?;
        let responder_id = match responder.tag.0 {
            0xa1 => ResponderId::Name(Name::read(&mut inner)?.raw().into()),
            0xa2 => ResponderId::KeyHash(inner.octet_string()?.into()),
            _ => return Err(OcspError::Encoding(responder.invalid())),
        };
        inner.finish()?;
        let produced_at = generalized_time(&data.expect(Tag::GENERALIZED_TIME)?)?;
        let mut list = data.sequence()?;
        let mut responses = Vec::new();
        while !list.is_empty() {
            responses.push(read_single(&mut list)?);
        }
        let (mut nonce, mut extended_revoked) = (None, false);
        if let Some(wrapper) = data.optional(Tag::context_constructed(1))? {
            each_extension(&wrapper, |extension| {
                match extension.id {
                    // RFC 9654 §2.1: the value is an OCTET STRING; responders of before 2013 echo bare octets.
                    o if o == NONCE => {
                        nonce = Some(extension.parse(Reader::octet_string).unwrap_or(extension.value).into());
                    }
                    o if o == EXTENDED_REVOKED => extended_revoked = true,
                    _ if extension.critical => return Err(OcspError::UnknownCriticalExtension),
                    _ => {}
                }
                Ok(())
            })?;
        }
        data.finish()?;
        let start = (tbs.raw.as_ptr() as usize).saturating_sub(der.as_ptr() as usize);
        Ok(OcspResponse {
            responder_id,
            produced_at,
            responses,
            nonce,
            certificates,
            digest: Digest::sha256(der),
            extended_revoked,
            tbs: start..start + tbs.raw.len(),
            signature_algorithm: signature_algorithm.into(),
            signature: signature.into(),
            der: der.into(),
        })
    }

    /// The whole encoding.
    pub fn raw(&self) -> &[u8] {
        &self.der
    }

    /// signatureAlgorithm, the whole AlgorithmIdentifier.
    pub fn signature_algorithm(&self) -> &[u8] {
        &self.signature_algorithm
    }

    /// What the response says about a certificate that one of its answers is about.
    ///
    /// The extended answer "revoked" for a certificate that was never issued (RFC 6960 §2.2: certificateHold since
    /// 1 January 1970, announced by an extension) is no revocation: the responder does not know the certificate.
    pub fn status(&self, single: &SingleResponse) -> CertStatus {
        match single.status {
            CertStatus::Revoked { at, reason: Some(CrlReason::CertificateHold) }
                if self.extended_revoked && at == Time::from_unix(0) =>
            {
                CertStatus::Unknown
            }
            status => status,
        }
    }

    /// Whether the responder names itself by this certificate's subject or key.
    pub fn is_by(&self, responder: &Certificate) -> bool {
        match &self.responder_id {
            ResponderId::Name(raw) => Name::reread(raw) == responder.subject(),
            ResponderId::KeyHash(hash) => {
                *DigestAlgorithm::Sha1.digest(responder.public_key_bits()).as_bytes() == **hash
            }
        }
    }

    /// Verifies the signature under a key.
    ///
    /// # Errors
    /// The key or the algorithm is refused, or the signature does not verify.
    pub fn verify_signature(&self, key: &SubjectPublicKeyInfo) -> Result<(), VerificationError> {
        let tbs = self.der.get(self.tbs.clone()).unwrap_or_default();
        key.verify(&self.signature_algorithm, tbs, &self.signature)
    }
}

fn read_single(reader: &mut Reader<'_>) -> Result<SingleResponse, OcspError> {
    let mut fields = reader.sequence()?;
    let cert_id = CertId::read(&mut fields)?;
    let element = fields.element()?;
    let status = match element.tag.0 {
        0x80 => {
            element.retagged(Tag::NULL).null()?;
            CertStatus::Good
        }
        0x82 => {
            element.retagged(Tag::NULL).null()?;
            CertStatus::Unknown
        }
        0xa1 => {
            let mut info = element.reader()?;
            let at = generalized_time(&info.expect(Tag::GENERALIZED_TIME)?)?;
            let reason = match info.optional(Tag::context_constructed(0))? {
                None => None,
                Some(wrapper) => {
                    let mut inner = wrapper.reader()?;
                    let code = inner.expect(Tag::ENUMERATED)?;
                    inner.finish()?;
                    Some(CrlReason::from_code(code.small_unsigned()?).ok_or(code.invalid())?)
                }
            };
            info.finish()?;
            CertStatus::Revoked { at, reason }
        }
        _ => return Err(OcspError::Encoding(element.invalid())),
    };
    let this_update = generalized_time(&fields.expect(Tag::GENERALIZED_TIME)?)?;
    let next_update = match fields.optional(Tag::context_constructed(0))? {
        None => None,
        Some(wrapper) => {
            let mut inner = wrapper.reader()?;
            let time = generalized_time(&inner.expect(Tag::GENERALIZED_TIME)?)?;
            inner.finish()?;
            Some(time)
        }
    };
    let (mut archive_cutoff, mut invalidity_date) = (None, None);
    if let Some(wrapper) = fields.optional(Tag::context_constructed(1))? {
        each_extension(&wrapper, |extension| {
            match extension.id {
                o if o == ARCHIVE_CUTOFF => {
                    let cutoff = extension.parse(|r| generalized_time(&r.expect(Tag::GENERALIZED_TIME)?))?;
                    archive_cutoff = Some(cutoff);
                }
                o if o == id::INVALIDITY_DATE => {
                    let date = extension.parse(|r| generalized_time(&r.expect(Tag::GENERALIZED_TIME)?))?;
                    invalidity_date = Some(date);
                }
                // "all the extensions specified as CRL entry extensions are also supported" (RFC 6960 §4.4.5).
                o if [CRL_REFERENCES, id::CRL_REASON].contains(&o) => {}
                _ if extension.critical => return Err(OcspError::UnknownCriticalExtension),
                _ => {}
            }
            Ok(())
        })?;
    }
    fields.finish()?;
    Ok(SingleResponse { cert_id, status, this_update, next_update, archive_cutoff, invalidity_date })
}

fn each_extension(
    wrapper: &Element<'_>,
    mut each: impl FnMut(&Extension<'_>) -> Result<(), OcspError>,
) -> Result<(), OcspError> {
    let mut inner = wrapper.reader()?;
    let mut list = inner.sequence()?;
    inner.finish()?;
    while !list.is_empty() {
        each(&Extension::read(&mut list)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_statuses_are_no_answers() {
        for (code, name) in
            [(1, "malformedRequest"), (2, "internalError"), (3, "tryLater"), (5, "sigRequired"), (6, "unauthorized")]
        {
            let parsed = OcspResponse::parse(&[0x30, 3, 10, 1, code]);
            assert_eq!(parsed.unwrap_err(), OcspError::NoAnswer(name));
        }
        for der in [&[0x30, 3, 10, 1, 0][..], &[0x30, 3, 10, 1, 4], &[], b"<html>", &[0x30, 3, 10, 1, 3, 0]] {
            assert!(matches!(OcspResponse::parse(der), Err(OcspError::Encoding(_))), "{der:02x?}");
        }
        assert!(matches!(OcspResponse::parse(&vec![0x30; 70_000]), Err(OcspError::TooLarge(_))));
    }

    #[test]
    fn a_request_names_one_certificate() {
        let id = CertId {
            hash_algorithm: Some(DigestAlgorithm::Sha1),
            issuer_name_hash: [1; 20].into(),
            issuer_key_hash: [2; 20].into(),
            serial_number: [3].into(),
        };
        let der = request(&id, Some(&[9; 16])).unwrap();
        let mut tbs = Reader::der(&der).sequence().unwrap().sequence().unwrap();
        let mut single = tbs.sequence().unwrap().sequence().unwrap();
        assert_eq!(CertId::read(&mut single).unwrap(), id);
        let mut extensions = tbs.expect(Tag::context_constructed(2)).unwrap().reader().unwrap().sequence().unwrap();
        let nonce = Extension::read(&mut extensions).unwrap();
        assert_eq!((nonce.id, nonce.parse(Reader::octet_string).unwrap()), (NONCE, &[9; 16][..]));
        assert!(request(&id, None).unwrap().len() < der.len());
    }
}
