//! Making time-stamp tokens (RFC 3161 §2.4.2).
//!
//! *Invariant:* a token says what it was ordered to say and nothing else; what is signed are its attributes.

use super::cades::{CadesOrder, Encapsulation, PreparedSignature, SealError};
use crate::asn1::Oid;
use crate::crypto::{Digest, SignatureAlgorithm};
use crate::pki::Certificate;
use crate::pki::timestamp::{CertificateRequested, FailureInfo, ID_CT_TST_INFO, NewTstInfo, TimeStampReq};

/// Who makes tokens, without the key.
#[derive(Clone, Copy, Debug)]
pub struct Authority<'a> {
    /// The certificate of the key that will sign.
    pub certificate: &'a Certificate,
    /// Certificates above it, DER.
    pub chain: &'a [Vec<u8>],
    /// What the key will sign with.
    pub algorithm: SignatureAlgorithm,
}

/// Prepares the token that says `info`; sign [`PreparedSignature::to_be_signed`] and assemble.
///
/// # Errors
/// As [`PreparedSignature::new`]; [`SealError::AlgorithmMismatch`] also where the imprint's digest has no identifier.
pub fn prepare_token(
    authority: &Authority<'_>,
    info: &NewTstInfo<'_>,
    certificate: CertificateRequested,
) -> Result<PreparedSignature, SealError> {
    let content = info.to_der().ok_or(SealError::AlgorithmMismatch)?;
    let prepared = PreparedSignature::new(&CadesOrder {
        content: &content,
        content_type: ID_CT_TST_INFO,
        encapsulation: Encapsulation::Attached,
        certificate: authority.certificate,
        chain: authority.chain,
        algorithm: authority.algorithm,
        at: info.gen_time,
        content_description: None,
    })?;
    Ok(match certificate {
        CertificateRequested::Yes => prepared,
        CertificateRequested::No => prepared.without_certificates(),
    })
}

/// A request that a token may be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptedRequest<'a> {
    /// What is stamped.
    pub imprint: Digest,
    /// The nonce to repeat, INTEGER contents.
    pub nonce: Option<&'a [u8]>,
    /// Whether the token carries the certificate.
    pub certificate: CertificateRequested,
}

/// Reads a TimeStampReq for an authority of this policy (RFC 3161 §2.4.1 and §2.4.2).
///
/// # Errors
/// The PKIFailureInfo to answer with: badDataFormat, badAlg, unacceptedPolicy, unacceptedExtension.
pub fn accept_request<'a>(request: &'a [u8], policy: Oid<'_>) -> Result<AcceptedRequest<'a>, FailureInfo> {
    let request = TimeStampReq::parse(request).map_err(|_| FailureInfo::BadDataFormat)?;
    let imprint = request.message_imprint.known().ok_or(FailureInfo::BadAlg)?;
    if !imprint.algorithm().is_collision_resistant() {
        return Err(FailureInfo::BadAlg);
    }
    if request.policy.is_some_and(|wanted| wanted != policy) {
        return Err(FailureInfo::UnacceptedPolicy);
    }
    if request.extension.is_some() {
        return Err(FailureInfo::UnacceptedExtension);
    }
    Ok(AcceptedRequest { imprint, nonce: request.nonce, certificate: request.certificate })
}
