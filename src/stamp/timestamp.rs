//! Time-stamp tokens: making one (RFC 3161 §2.4.2), and putting one into a signed document (CAdES-T).
//!
//! *Invariant:* a document that is extended keeps every octet that a signature covers; only unsigned attributes of the
//! named signer grow.

use super::cades::{CadesOrder, Encapsulation, PreparedSignature, SealError};
use crate::asn1::{Element, Error, Oid, Reader, Tag, encode, oid};
use crate::crypto::SignatureAlgorithm;
use crate::pki::Certificate;
use crate::pki::timestamp::{CertificateRequested, ID_CT_TST_INFO, NewTstInfo};

/// id-aa-timeStampToken (RFC 3161 §A).
const SIGNATURE_TIME_STAMP: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 16, 2, 14);

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

/// A document that cannot be extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtensionError {
    /// It is not SignedData.
    #[error("not CMS SignedData: {0}")]
    Malformed(#[from] Error),
    /// It has no such signer.
    #[error("there is no signer {0}")]
    NoSuchSigner(usize),
}

/// The document with a token over the signature value of signer `number` (counted from 0) among its unsigned attributes.
///
/// The token is not looked at: validate the result. BER frames come out with definite lengths.
///
/// # Errors
/// [`ExtensionError`].
pub fn add_signature_timestamp(document: &[u8], number: usize, token: &[u8]) -> Result<Vec<u8>, ExtensionError> {
    let mut outer = Reader::ber(document);
    let mut content_info = outer.sequence()?;
    outer.finish()?;
    let kind = content_info.oid()?;
    let mut explicit = content_info.expect(Tag::context_constructed(0))?.reader()?;
    let mut signed_data = explicit.sequence()?;
    let mut parts = Vec::new();
    while !signed_data.is_empty() {
        parts.push(signed_data.element()?);
    }
    // signerInfos is the last one (RFC 5652 §5.1).
    let signers = parts.pop().ok_or(ExtensionError::NoSuchSigner(number))?.expect(Tag::SET)?;
    let mut reader = signers.reader()?;
    let mut rewritten = Vec::new();
    let mut count = 0;
    while !reader.is_empty() {
        let signer = reader.expect(Tag::SEQUENCE)?;
        if count == number {
            rewritten.push(with_unsigned_attribute(&signer, SIGNATURE_TIME_STAMP, token)?);
        } else {
            rewritten.push(signer.raw.to_vec());
        }
        count += 1;
    }
    if number >= count {
        return Err(ExtensionError::NoSuchSigner(number));
    }
    let before: Vec<&[u8]> = parts.iter().map(|part| part.raw).collect();
    let signed_data = encode::sequence(&[&before.concat(), &encode::set_of(&rewritten)]);
    Ok(encode::sequence(&[&encode::oid(kind), &encode::explicit(0, &signed_data)]))
}

/// SignerInfo with one more unsigned attribute.
fn with_unsigned_attribute(signer: &Element<'_>, kind: Oid<'_>, value: &[u8]) -> Result<Vec<u8>, Error> {
    let unsigned = Tag::context_constructed(1);
    let mut reader = signer.reader()?;
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut attributes = vec![encode::sequence(&[&encode::oid(kind), &encode::element(Tag::SET, &[value])])];
    while !reader.is_empty() {
        let part = reader.element()?;
        // unsignedAttrs comes last; a [1] anywhere else is no SignerInfo, and nobody will read it as one.
        if part.tag == unsigned {
            let mut present = part.reader()?;
            while !present.is_empty() {
                attributes.push(present.element()?.raw.to_vec());
            }
        } else {
            kept.push(part.raw);
        }
    }
    Ok(encode::sequence(&[&kept.concat(), &encode::implicit_set_of(unsigned, &attributes)]))
}
