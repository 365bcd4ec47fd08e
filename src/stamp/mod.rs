//! Stamping: the pure construction of a sealed licence. "Stamp" is the product's word for what ETSI and eIDAS
//! call an electronic seal.
//!
//! [`prepare`] turns a licence into the octets to be signed and a token; whoever holds the key signs them, once;
//! [`seal`] turns the token and the value into the sealed document. Between the two nothing here knows what happens,
//! and no key is ever here.
//!
//! *Invariant:* what the authority's key signs is always the attributes of a licence that passed the lint, never octets
//! that somebody chose (attack 38); what is sealed verifies under the certificate it names. The lint refuses, it never
//! repairs.

mod cades;
pub mod canonical;
pub mod extension;
mod lint;
pub mod timestamp;
mod xml;

pub use cades::{CadesOrder, Encapsulation, PreparedSignature, SealError};
pub use lint::{SealProfile, StampRefused};
pub use xml::{NAMESPACE as XML_NAMESPACE, XmlStampToken, prepare_xml, read_xml, seal_xml};

use crate::crypto::{Digest, SignatureAlgorithm};
use crate::format::cms::ID_DATA;
use crate::licensing::Licence;
use crate::pki::Certificate;
use crate::report::Time;

/// What the signed attributes say the content is (contentHints, RFC 2634 §2.9): the octets under a seal mean a licence
/// in no other place.
const CONTENT_DESCRIPTION: &str = "application/json; profile=\"tamga/licence/1\"";

/// The authority's side of a seal, without its key.
#[derive(Clone, Copy, Debug)]
pub struct Sealer<'a> {
    /// The certificate of the key that will sign.
    pub certificate: &'a Certificate,
    /// Certificates above it, DER, towards the trust anchor; they travel in the document.
    pub chain: &'a [Vec<u8>],
    /// What the key will sign with.
    pub algorithm: SignatureAlgorithm,
}

/// The octets that the authority's key signs: DER of the signed attributes (RFC 5652 §5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToBeSigned(Vec<u8>);

impl ToBeSigned {
    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What [`seal`] needs besides the signature's value. Made by [`prepare`] alone and used up by [`seal`].
#[derive(Debug)]
pub struct StampToken {
    prepared: PreparedSignature,
    content_digest: Digest,
}

impl StampToken {
    /// SHA-256 of the content, canonical JSON: what the intent records.
    pub fn content_digest(&self) -> Digest {
        self.content_digest
    }
}

/// A sealed licence: attached CAdES-B in DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedLicence {
    document: Vec<u8>,
    content_digest: Digest,
}

impl SealedLicence {
    /// `ContentInfo` in DER.
    pub fn as_bytes(&self) -> &[u8] {
        &self.document
    }

    /// `ContentInfo` in DER.
    pub fn into_bytes(self) -> Vec<u8> {
        self.document
    }

    /// SHA-256 of the content.
    pub fn content_digest(&self) -> Digest {
        self.content_digest
    }
}

/// Prepares a licence to be sealed at a moment: the lint, the canonical content, the attributes to be signed.
///
/// # Errors
/// [`StampRefused`], by what the lint met first.
pub fn prepare(
    profile: &SealProfile,
    licence: &Licence,
    sealer: &Sealer<'_>,
    at: Time,
) -> Result<(ToBeSigned, StampToken), StampRefused> {
    profile.check_certificate(sealer, at)?;
    lint::check_licence(licence, at)?;
    let value = serde_json::to_value(licence).map_err(|error| StampRefused::Content { what: error.to_string() })?;
    let content = canonical::to_bytes(&value).map_err(|error| StampRefused::Content { what: error.to_string() })?;
    let prepared = PreparedSignature::new(&CadesOrder {
        content: &content,
        content_type: ID_DATA,
        encapsulation: Encapsulation::Attached,
        certificate: sealer.certificate,
        chain: sealer.chain,
        algorithm: sealer.algorithm,
        at,
        content_description: Some(CONTENT_DESCRIPTION),
    })?;
    let to_be_signed = ToBeSigned(prepared.to_be_signed().to_vec());
    Ok((to_be_signed, StampToken { prepared, content_digest: Digest::sha256(&content) }))
}

/// Puts the value that the authority's key made in its place.
///
/// # Errors
/// [`SealError`]: the value is not the certificate holder's signature of what was prepared; nothing is sealed.
pub fn seal(token: StampToken, signature: &[u8]) -> Result<SealedLicence, SealError> {
    let document = token.prepared.assemble(signature)?;
    Ok(SealedLicence { document, content_digest: token.content_digest })
}

/// The licence that a sealed content says, where it says one in the only form in which it is sealed.
///
/// A content that is no canonical JSON (duplicate names, other spellings) has more than one reading and is refused.
pub fn read_content(content: &[u8]) -> Option<Licence> {
    let licence: Licence = serde_json::from_slice(content).ok()?;
    let canonical = canonical::to_bytes(&serde_json::to_value(&licence).ok()?).ok()?;
    (canonical == content).then_some(licence)
}

#[cfg(test)]
#[cfg(feature = "server")]
mod tests;
