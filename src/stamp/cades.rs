//! CAdES-B around a content: CMS SignedData with the attributes that EN 319 122-1 asks for at level B.
//!
//! ```text
//! SignedData ::= SEQUENCE { version 1, digestAlgorithms SET OF, encapContentInfo { id-data, [0] OCTET STRING OPTIONAL },
//!     certificates [0] IMPLICIT SET OF, signerInfos SET OF SignerInfo }
//! SignerInfo ::= SEQUENCE { version 1, sid IssuerAndSerialNumber, digestAlgorithm, signedAttrs [0] IMPLICIT SET OF,
//!     signatureAlgorithm, signature OCTET STRING }
//! ```
//! (RFC 5652 §5.1, §5.3). Signed attributes: contentType, messageDigest, signingTime, signingCertificateV2 (RFC 5035),
//! cmsAlgorithmProtection (RFC 6211), contentHints where the content is described (RFC 2634 §2.9).
//!
//! *Invariant:* the key signs attributes, never the content itself; a document leaves only with a value that verifies
//! under its certificate.

use crate::asn1::{Oid, Tag, encode, oid};
use crate::crypto::{DigestAlgorithm, PublicKey, SignatureAlgorithm, SignatureError};
use crate::pki::Certificate;
use crate::report::Time;

const ID_DATA: Oid<'static> = oid!(1, 2, 840, 113549, 1, 7, 1);
const ID_SIGNED_DATA: Oid<'static> = oid!(1, 2, 840, 113549, 1, 7, 2);
const CONTENT_TYPE: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 3);
const MESSAGE_DIGEST: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 4);
const SIGNING_TIME: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 5);
const ALGORITHM_PROTECTION: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 52);
const CONTENT_HINTS: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 16, 2, 4);
const SIGNING_CERTIFICATE_V2: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 16, 2, 47);

/// Where the content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encapsulation {
    /// In the document.
    Attached,
    /// Beside it.
    Detached,
}

/// What is to be signed, by whom, when and how.
#[derive(Clone, Copy, Debug)]
pub struct CadesOrder<'a> {
    /// The content.
    pub content: &'a [u8],
    /// What the content is: id-data, or id-ct-TSTInfo in a time-stamp token.
    pub content_type: Oid<'a>,
    /// Where it goes.
    pub encapsulation: Encapsulation,
    /// The signer's certificate.
    pub certificate: &'a Certificate,
    /// Certificates above it, DER; they travel along.
    pub chain: &'a [Vec<u8>],
    /// The algorithm of the signature; its digest is the content's too (RFC 8933 §3).
    pub algorithm: SignatureAlgorithm,
    /// signingTime.
    pub at: Time,
    /// What the content is, for contentHints.
    pub content_description: Option<&'a str>,
}

/// A signature was not made of what was prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The certificate's key cannot be used.
    #[error("the certificate's key cannot be used")]
    KeyNotUsable,
    /// The algorithm is not one of the certificate's key, or has no identifier.
    #[error("the algorithm does not fit the certificate's key")]
    AlgorithmMismatch,
    /// The value does not verify under the certificate.
    #[error("the signature does not verify under the signer's certificate")]
    SignatureInvalid,
}

/// A signature without its value.
#[derive(Debug)]
pub struct PreparedSignature {
    key: PublicKey,
    algorithm: SignatureAlgorithm,
    /// Signed attributes under the tag SET OF.
    to_be_signed: Vec<u8>,
    digest_identifier: Vec<u8>,
    signature_identifier: Vec<u8>,
    signer_identifier: Vec<u8>,
    /// `OBJECT IDENTIFIER` of the content type.
    content_type: Vec<u8>,
    /// RFC 5652 §5.1: 1 for id-data, 3 for any other content.
    version: u64,
    encapsulated: Option<Vec<u8>>,
    certificates: Vec<Vec<u8>>,
}

impl PreparedSignature {
    /// Digests the content and writes the attributes to be signed.
    ///
    /// # Errors
    /// [`SealError::KeyNotUsable`], [`SealError::AlgorithmMismatch`].
    pub fn new(order: &CadesOrder<'_>) -> Result<PreparedSignature, SealError> {
        let key = PublicKey::from_spki(order.certificate.spki()).map_err(|_| SealError::KeyNotUsable)?;
        let mismatch = key.verify(&order.algorithm, &[], &[]) == Err(SignatureError::KeyMismatch);
        let signature_identifier = order.algorithm.to_identifier().filter(|_| !mismatch);
        let signature_identifier = signature_identifier.ok_or(SealError::AlgorithmMismatch)?;
        // Ed25519 has no digest apart from itself: RFC 8419 §3.1 asks for SHA-512.
        let digest = order.algorithm.digest().unwrap_or(DigestAlgorithm::Sha512);
        let digest_identifier = digest.to_identifier();
        let issuer_and_serial =
            [order.certificate.issuer().raw(), &encode::element(Tag::INTEGER, &[order.certificate.serial_number()])];
        let mut attributes = vec![
            attribute(CONTENT_TYPE, &encode::oid(order.content_type)),
            attribute(MESSAGE_DIGEST, &encode::octet_string(digest.digest(order.content).as_bytes())),
            attribute(SIGNING_TIME, &encode::time(order.at)),
            attribute(SIGNING_CERTIFICATE_V2, &signing_certificate(order.certificate, &issuer_and_serial)),
            attribute(ALGORITHM_PROTECTION, &algorithm_protection(&digest_identifier, &signature_identifier)),
        ];
        if let Some(description) = order.content_description {
            let hints = encode::sequence(&[&encode::string(Tag::UTF8_STRING, description), &encode::oid(ID_DATA)]);
            attributes.push(attribute(CONTENT_HINTS, &hints));
        }
        let mut certificates = vec![order.certificate.raw().to_vec()];
        certificates.extend(order.chain.iter().filter(|above| *above != order.certificate.raw()).cloned());
        Ok(PreparedSignature {
            key,
            algorithm: order.algorithm,
            to_be_signed: encode::set_of(&attributes),
            digest_identifier,
            signature_identifier,
            signer_identifier: encode::sequence(&issuer_and_serial),
            content_type: encode::oid(order.content_type),
            version: if order.content_type == ID_DATA { 1 } else { 3 },
            encapsulated: (order.encapsulation == Encapsulation::Attached).then(|| order.content.to_vec()),
            certificates,
        })
    }

    /// The same without certificates: who relies on it has them.
    #[must_use]
    pub fn without_certificates(self) -> PreparedSignature {
        PreparedSignature { certificates: Vec::new(), ..self }
    }

    /// The octets to be signed: the attributes in DER under the tag SET OF (RFC 5652 §5.4).
    pub fn to_be_signed(&self) -> &[u8] {
        &self.to_be_signed
    }

    /// `ContentInfo` in DER with the signature's value in its place.
    ///
    /// # Errors
    /// [`SealError::SignatureInvalid`]: the value is another's, or the signer is broken.
    pub fn assemble(self, signature: &[u8]) -> Result<Vec<u8>, SealError> {
        self.key.verify(&self.algorithm, &self.to_be_signed, signature).map_err(|_| SealError::SignatureInvalid)?;
        let version = encode::small_unsigned(1);
        let mut signed_attributes = self.to_be_signed;
        if let Some(tag) = signed_attributes.first_mut() {
            *tag = Tag::context_constructed(0).0;
        }
        let signer_info = encode::sequence(&[
            &version,
            &self.signer_identifier,
            &self.digest_identifier,
            &signed_attributes,
            &self.signature_identifier,
            &encode::octet_string(signature),
        ]);
        let content = match self.encapsulated {
            Some(content) => encode::explicit(0, &encode::octet_string(&content)),
            None => Vec::new(),
        };
        let certificates = match self.certificates.as_slice() {
            [] => Vec::new(),
            certificates => encode::implicit_set_of(Tag::context_constructed(0), certificates),
        };
        let signed_data = encode::sequence(&[
            &encode::small_unsigned(self.version),
            &encode::set_of(&[self.digest_identifier]),
            &encode::sequence(&[&self.content_type, &content]),
            &certificates,
            &encode::set_of(&[signer_info]),
        ]);
        Ok(encode::sequence(&[&encode::oid(ID_SIGNED_DATA), &encode::explicit(0, &signed_data)]))
    }
}

/// `Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }` with one value.
fn attribute(kind: Oid<'_>, value: &[u8]) -> Vec<u8> {
    encode::sequence(&[&encode::oid(kind), &encode::element(Tag::SET, &[value])])
}

/// `SigningCertificateV2` (RFC 5035 §3) with one ESSCertIDv2: the hash by the default algorithm, which DER leaves out,
/// and the issuerSerial.
fn signing_certificate(certificate: &Certificate, issuer_and_serial: &[&[u8]; 2]) -> Vec<u8> {
    let hash = DigestAlgorithm::Sha256.digest(certificate.raw());
    let [issuer, serial_number] = issuer_and_serial;
    let issuer = encode::sequence(&[&encode::explicit(4, issuer)]);
    let issuer_serial = encode::sequence(&[&issuer, serial_number]);
    let identifier = encode::sequence(&[&encode::octet_string(hash.as_bytes()), &issuer_serial]);
    encode::sequence(&[&encode::sequence(&[&identifier])])
}

/// `CMSAlgorithmProtection ::= SEQUENCE { digestAlgorithm, signatureAlgorithm [1] IMPLICIT … }` (RFC 6211 §2).
fn algorithm_protection(digest_identifier: &[u8], signature_identifier: &[u8]) -> Vec<u8> {
    let mut signature = signature_identifier.to_vec();
    if let Some(tag) = signature.first_mut() {
        *tag = Tag::context_constructed(1).0;
    }
    encode::sequence(&[digest_identifier, &signature])
}
