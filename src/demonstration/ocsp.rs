//! OCSP responses from templates (RFC 6960 §4.2.1).

use super::certificate::public_key_octets;
use super::{Credential, Extension, Validity, extension};
use crate::asn1::{Oid, Tag, encode, oid};
use crate::crypto::{DigestAlgorithm, PrivateKeyError};
use crate::report::Time;

/// id-pkix-ocsp-basic.
const BASIC: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 1);
/// id-pkix-ocsp-nonce.
const NONCE: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 2);

/// What a response says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Not revoked.
    Good,
    /// Revoked, with a number of CRLReason where there is one.
    Revoked {
        /// revocationTime.
        at: Time,
        /// revocationReason.
        reason: Option<u8>,
    },
    /// The responder does not know the certificate.
    Unknown,
}

/// The answer about one certificate.
#[derive(Clone, Debug)]
pub struct SingleResponse {
    /// CertID in DER.
    pub certificate_id: Vec<u8>,
    /// certStatus.
    pub status: CertificateStatus,
    /// thisUpdate.
    pub this_update: Time,
    /// nextUpdate.
    pub next_update: Option<Time>,
    /// singleExtensions.
    pub extensions: Vec<Extension>,
}

impl SingleResponse {
    /// An answer good for a day.
    pub fn new(certificate_id: Vec<u8>, status: CertificateStatus, this_update: Time) -> SingleResponse {
        let next_update = Some(this_update.plus_seconds(Validity::DAY));
        SingleResponse { certificate_id, status, this_update, next_update, extensions: Vec::new() }
    }

    fn to_der(&self) -> Vec<u8> {
        let status = match self.status {
            CertificateStatus::Good => encode::element(Tag::context(0), &[]),
            CertificateStatus::Revoked { at, reason } => {
                let reason = reason.map(|r| encode::explicit(0, &encode::enumerated(r))).unwrap_or_default();
                encode::element(Tag::context_constructed(1), &[&encode::generalized_time(at), &reason])
            }
            CertificateStatus::Unknown => encode::element(Tag::context(2), &[]),
        };
        let next_update = self.next_update.map(|t| encode::explicit(0, &encode::generalized_time(t)));
        encode::sequence(&[
            &self.certificate_id,
            &status,
            &encode::generalized_time(self.this_update),
            &next_update.unwrap_or_default(),
            &optional_extensions(&self.extensions),
        ])
    }
}

/// `CertID` in DER of the certificate with this serial number under this issuer.
pub fn certificate_id(digest: DigestAlgorithm, issuer: &Credential, serial_number: &[u8]) -> Vec<u8> {
    let hash = |octets: &[u8]| encode::octet_string(digest.digest(octets).as_bytes());
    encode::sequence(&[
        &digest.to_identifier(),
        &hash(&issuer.subject),
        &hash(public_key_octets(issuer.key.spki())),
        &encode::unsigned(serial_number),
    ])
}

/// How a response names its signer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponderId {
    /// By the SHA-1 of the key.
    #[default]
    ByKey,
    /// By the subject.
    ByName,
}

/// A successful response to be issued; nothing about it is checked.
#[derive(Clone, Debug)]
pub struct OcspTemplate {
    /// responderID.
    pub responder_id: ResponderId,
    /// producedAt.
    pub produced_at: Time,
    /// responses.
    pub responses: Vec<SingleResponse>,
    /// responseExtensions.
    pub extensions: Vec<Extension>,
    /// certs: what is sent along, such as the delegated responder's certificate.
    pub certificates: Vec<Vec<u8>>,
}

impl OcspTemplate {
    /// A response without nonce and without certificates.
    pub fn new(produced_at: Time, responses: Vec<SingleResponse>) -> OcspTemplate {
        OcspTemplate {
            responder_id: ResponderId::ByKey,
            produced_at,
            responses,
            extensions: Vec::new(),
            certificates: Vec::new(),
        }
    }

    /// The response and the nonce it answers (RFC 9654).
    pub fn nonce(mut self, nonce: &[u8]) -> OcspTemplate {
        self.extensions.push(Extension::new(NONCE, encode::octet_string(nonce)));
        self
    }

    /// `OCSPResponse` in DER, signed by the authority or by a responder it delegated to.
    ///
    /// # Errors
    /// As [`crate::crypto::PrivateKey::sign`].
    pub fn issue(&self, signer: &Credential) -> Result<Vec<u8>, PrivateKeyError> {
        let responder = match self.responder_id {
            ResponderId::ByName => encode::explicit(1, &signer.subject),
            ResponderId::ByKey => encode::explicit(2, &encode::octet_string(&signer.key_identifier)),
        };
        let data = encode::sequence(&[
            &responder,
            &encode::generalized_time(self.produced_at),
            &encode::sequence_of(&self.responses.iter().map(SingleResponse::to_der).collect::<Vec<_>>()),
            &optional_extensions(&self.extensions),
        ]);
        let certificates = match self.certificates.as_slice() {
            [] => Vec::new(),
            some => encode::explicit(0, &encode::sequence_of(some)),
        };
        let value = signer.key.private().sign(&signer.algorithm, &data)?;
        let basic =
            encode::sequence(&[&data, &signer.algorithm_identifier()?, &encode::bit_string(&value), &certificates]);
        let bytes = encode::sequence(&[&encode::oid(BASIC), &encode::octet_string(&basic)]);
        Ok(encode::sequence(&[&encode::enumerated(0), &encode::explicit(0, &bytes)]))
    }
}

/// An `OCSPResponse` without an answer: 1 malformedRequest, 2 internalError, 3 tryLater, 5 sigRequired,
/// 6 unauthorized (RFC 6960 §4.2.1).
pub fn error_response(status: u8) -> Vec<u8> {
    encode::sequence(&[&encode::enumerated(status)])
}

/// `[1] EXPLICIT Extensions`, left out where there are none.
fn optional_extensions(extensions: &[Extension]) -> Vec<u8> {
    match extensions {
        [] => Vec::new(),
        some => encode::explicit(1, &extension::list(some)),
    }
}
