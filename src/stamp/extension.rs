//! Extending a signed document so that its proof lasts: validation material and archive time-stamps (ETSI EN 319 122-1
//! §5.4 and §5.5; CAdES-LT and CAdES-LTA).
//!
//! Pure construction: what goes in was judged elsewhere, what comes out is judged again.
//!
//! *Invariant:* a document that is extended keeps every octet that a signature or an earlier archive time-stamp covers;
//! sets and unsigned attributes only grow, and what is in them already is kept in its encoding.

use crate::asn1::{Element, Error, Oid, Reader, Tag, encode};
use crate::crypto::{Digest, DigestAlgorithm};
use crate::format::cms::{self, long_term};
use crate::format::{ParsedDocument, ParsedSignature};

/// A document that cannot be extended.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExtensionError {
    /// It is not SignedData.
    #[error("not CMS SignedData: {0}")]
    Malformed(#[from] Error),
    /// It cannot be read as a signed document; the reason's code.
    #[error("not a signed document: {0}")]
    Unreadable(&'static str),
    /// It has no such signer.
    #[error("there is no signer {0}")]
    NoSuchSigner(usize),
    /// The content travels apart and is not at hand.
    #[error("the signed content is not at hand")]
    ContentMissing,
    /// The digest algorithm has no identifier.
    #[error("the digest algorithm has no identifier")]
    DigestNotUsable,
    /// Two elements of the document cannot be told apart from what they are not: the token is none.
    #[error("the token cannot take an index")]
    TokenNotUsable,
}

/// SignedData, taken apart.
struct Parts<'a> {
    kind: Oid<'a>,
    version: u32,
    digest_algorithms: &'a [u8],
    content: &'a [u8],
    certificates: Vec<&'a [u8]>,
    revocations: Vec<&'a [u8]>,
    signers: Vec<Element<'a>>,
}

impl<'a> Parts<'a> {
    fn of(document: &'a [u8]) -> Result<Parts<'a>, Error> {
        let mut outer = Reader::ber(document);
        let mut content_info = outer.sequence()?;
        outer.finish()?;
        let kind = content_info.oid()?;
        let mut explicit = content_info.expect(Tag::context_constructed(0))?.reader()?;
        let mut signed_data = explicit.sequence()?;
        let version = signed_data.expect(Tag::INTEGER)?.small_unsigned()?;
        let digest_algorithms = signed_data.expect(Tag::SET)?.raw;
        let content = signed_data.expect(Tag::SEQUENCE)?.raw;
        let members = |set: Option<Element<'a>>| -> Result<Vec<&'a [u8]>, Error> {
            let mut found = Vec::new();
            if let Some(set) = set {
                let mut reader = set.reader()?;
                while !reader.is_empty() {
                    found.push(reader.element()?.raw);
                }
            }
            Ok(found)
        };
        let certificates = members(signed_data.optional(Tag::context_constructed(0))?)?;
        let revocations = members(signed_data.optional(Tag::context_constructed(1))?)?;
        let mut set = signed_data.set()?;
        signed_data.finish()?;
        let mut signers = Vec::new();
        while !set.is_empty() {
            signers.push(set.expect(Tag::SEQUENCE)?);
        }
        Ok(Parts { kind, version, digest_algorithms, content, certificates, revocations, signers })
    }

    /// `ContentInfo` with these signers. BER frames come out with definite lengths.
    fn assemble(&self, signers: &[Vec<u8>]) -> Vec<u8> {
        let set = |n: u8, members: &[&[u8]]| {
            let members: Vec<Vec<u8>> = members.iter().map(|member| member.to_vec()).collect();
            let tag = Tag::context_constructed(n);
            if members.is_empty() { Vec::new() } else { encode::implicit_set_of(tag, &members) }
        };
        // RFC 5652 §5.1: "IF ((certificates is present) AND (any certificates with a type of other are present)) OR
        // ((crls is present) AND (any crls with a type of other are present)) THEN version MUST be 5".
        let other = |member: &&[u8]| member.first() == Some(&Tag::context_constructed(1).0);
        let version = if self.revocations.iter().any(other) { 5 } else { self.version };
        let signed_data = encode::sequence(&[
            &encode::small_unsigned(version.into()),
            self.digest_algorithms,
            self.content,
            &set(0, &self.certificates),
            &set(1, &self.revocations),
            &encode::set_of(signers),
        ]);
        encode::sequence(&[&encode::oid(self.kind), &encode::explicit(0, &signed_data)])
    }
}

/// Evidence to be put into a document, each in DER.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidationMaterial {
    /// Certificates.
    pub certificates: Vec<Vec<u8>>,
    /// Revocation lists.
    pub lists: Vec<Vec<u8>>,
    /// OCSP responses, whole.
    pub responses: Vec<Vec<u8>>,
}

/// The document with the material in its sets, where it is not there yet (EN 319 122-1 §5.4.1: certificates go to
/// SignedData.certificates; §5.4.2: revocation data to SignedData.crls).
///
/// # Errors
/// [`ExtensionError::Malformed`].
pub fn add_validation_material(document: &[u8], material: &ValidationMaterial) -> Result<Vec<u8>, ExtensionError> {
    let mut parts = Parts::of(document)?;
    let responses: Vec<Vec<u8>> = material
        .responses
        .iter()
        .map(|response| {
            let format = encode::oid(long_term::OCSP_RESPONSE);
            encode::element(Tag::context_constructed(1), &[&format, response])
        })
        .collect();
    for certificate in &material.certificates {
        if !parts.certificates.contains(&certificate.as_slice()) {
            parts.certificates.push(certificate);
        }
    }
    for choice in material.lists.iter().chain(&responses) {
        if !parts.revocations.contains(&choice.as_slice()) {
            parts.revocations.push(choice);
        }
    }
    let signers: Vec<Vec<u8>> = parts.signers.iter().map(|signer| signer.raw.to_vec()).collect();
    Ok(parts.assemble(&signers))
}

/// The document with a token over the signature value of signer `number` (counted from 0) among its unsigned attributes.
///
/// The token is not looked at: validate the result.
///
/// # Errors
/// [`ExtensionError`].
pub fn add_signature_timestamp(document: &[u8], number: usize, token: &[u8]) -> Result<Vec<u8>, ExtensionError> {
    add_unsigned_attribute(document, number, long_term::SIGNATURE_TIMESTAMP, token)
}

/// What an archive time-stamp is to be over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedArchive {
    /// The digest that the authority is asked to stamp.
    pub imprint: Digest,
    /// ATSHashIndexV3 in DER: what the stamp will cover.
    hash_index: Vec<u8>,
}

/// Digests everything that the document carries for signer `number`, to be stamped. `content` is the detached content.
///
/// # Errors
/// [`ExtensionError`].
pub fn prepare_archive(
    document: &[u8],
    number: usize,
    content: Option<&[u8]>,
    algorithm: DigestAlgorithm,
) -> Result<PreparedArchive, ExtensionError> {
    let parsed = cms::parse(document, content).map_err(|reason| ExtensionError::Unreadable(reason.code()))?;
    let signature = parsed.signatures.get(number).ok_or(ExtensionError::NoSuchSigner(number))?;
    let hash_index = index(&parsed, signature, algorithm)?;
    let octets = long_term::archived_octets(&parsed, signature, algorithm, &hash_index);
    let octets = octets.ok_or(ExtensionError::ContentMissing)?;
    Ok(PreparedArchive { imprint: algorithm.digest(&octets), hash_index })
}

fn index(
    document: &ParsedDocument<'_>,
    signature: &ParsedSignature<'_>,
    algorithm: DigestAlgorithm,
) -> Result<Vec<u8>, ExtensionError> {
    long_term::HashIndex::build(document, signature, algorithm).ok_or(ExtensionError::DigestNotUsable)
}

/// The document with the archive time-stamp: the token that was made of [`PreparedArchive::imprint`], the index among
/// its unsigned attributes.
///
/// # Errors
/// [`ExtensionError`].
pub fn add_archive_timestamp(
    document: &[u8],
    number: usize,
    prepared: &PreparedArchive,
    token: &[u8],
) -> Result<Vec<u8>, ExtensionError> {
    let parts = Parts::of(token)?;
    let [signer] = parts.signers.as_slice() else { return Err(ExtensionError::TokenNotUsable) };
    let signer = with_unsigned_attribute(signer, long_term::HASH_INDEX_V3, &prepared.hash_index)?;
    let token = parts.assemble(&[signer]);
    add_unsigned_attribute(document, number, long_term::ARCHIVE_TIMESTAMP_V3, &token)
}

fn add_unsigned_attribute(
    document: &[u8],
    number: usize,
    kind: Oid<'_>,
    value: &[u8],
) -> Result<Vec<u8>, ExtensionError> {
    let parts = Parts::of(document)?;
    if number >= parts.signers.len() {
        return Err(ExtensionError::NoSuchSigner(number));
    }
    let rewritten = |(n, signer): (usize, &Element<'_>)| {
        if n == number { with_unsigned_attribute(signer, kind, value) } else { Ok(signer.raw.to_vec()) }
    };
    let signers = parts.signers.iter().enumerate().map(rewritten).collect::<Result<Vec<_>, Error>>()?;
    Ok(parts.assemble(&signers))
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
