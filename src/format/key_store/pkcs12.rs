//! PKCS #12 (RFC 7292), in DER and in the BER of the national authority: indefinite lengths, split strings.
//!
//! *Invariant:* the MAC has been verified before anything inside is decrypted or parsed.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::encryption::{Password, Secret};
use super::{Contents, KeyStoreError, decrypt_pkcs8};
use crate::asn1::{Element, Error, Oid, Reader, Tag, oid};
use crate::crypto::{AlgorithmIdentifier, DigestAlgorithm};

const DATA: Oid<'static> = oid!(1, 2, 840, 113549, 1, 7, 1);
const ENCRYPTED_DATA: Oid<'static> = oid!(1, 2, 840, 113549, 1, 7, 6);
const KEY_BAG: Oid<'static> = oid!(1, 2, 840, 113549, 1, 12, 10, 1, 1);
const SHROUDED_KEY_BAG: Oid<'static> = oid!(1, 2, 840, 113549, 1, 12, 10, 1, 2);
const CERT_BAG: Oid<'static> = oid!(1, 2, 840, 113549, 1, 12, 10, 1, 3);
const SAFE_CONTENTS_BAG: Oid<'static> = oid!(1, 2, 840, 113549, 1, 12, 10, 1, 6);
const X509_CERTIFICATE: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 22, 1);

/// How deep safe contents may nest in safe contents; nobody nests them at all.
const MAX_NESTED_BAGS: usize = 2;

fn malformed(_: Error) -> KeyStoreError {
    KeyStoreError::Malformed
}

/// ```text
/// PFX ::= SEQUENCE { version INTEGER {v3(3)}, authSafe ContentInfo, macData MacData OPTIONAL }
/// AuthenticatedSafe ::= SEQUENCE OF ContentInfo
/// ```
pub(super) fn read(pfx: &[u8], password: &Password) -> Result<Contents, KeyStoreError> {
    let mut outer = Reader::ber(pfx);
    let mut reader = outer.sequence().map_err(malformed)?;
    outer.finish().map_err(malformed)?;
    if reader.element().and_then(|e| e.small_unsigned()).map_err(malformed)? != 3 {
        return Err(KeyStoreError::Unsupported("PKCS #12 version".into()));
    }
    let mut safe = reader.sequence().map_err(malformed)?;
    if safe.oid().map_err(malformed)? != DATA {
        return Err(KeyStoreError::Unsupported("PKCS #12 with a public-key integrity mode".into()));
    }
    let safe = octets(explicit(&mut safe)?)?;
    if reader.is_empty() {
        return Err(KeyStoreError::Unsupported("PKCS #12 without a MAC".into()));
    }
    verify_mac(reader.sequence().map_err(malformed)?, &safe, password)?;
    reader.finish().map_err(malformed)?;

    let mut contents = Contents::default();
    let mut outer = Reader::ber(&safe);
    let mut infos = outer.sequence().map_err(malformed)?;
    outer.finish().map_err(malformed)?;
    while !infos.is_empty() {
        let mut info = infos.sequence().map_err(malformed)?;
        let kind = info.oid().map_err(malformed)?;
        let content = explicit(&mut info)?;
        info.finish().map_err(malformed)?;
        let bags = if kind == DATA {
            octets(content)?
        } else if kind == ENCRYPTED_DATA {
            encrypted_data(content, password)?
        } else {
            return Err(KeyStoreError::Unsupported(format!("PKCS #12 content {kind}")));
        };
        read_bags(&bags, password, &mut contents, MAX_NESTED_BAGS)?;
    }
    Ok(contents)
}

/// The element inside `[0] EXPLICIT`.
fn explicit<'a>(reader: &mut Reader<'a>) -> Result<Element<'a>, KeyStoreError> {
    let mut inner = reader.expect(Tag::context_constructed(0)).and_then(|e| e.reader()).map_err(malformed)?;
    let element = inner.element().map_err(malformed)?;
    inner.finish().map_err(malformed)?;
    Ok(element)
}

/// The octets of an OCTET STRING, whole or in pieces (X.690 §8.7); a context tag may stand in place of its own.
fn octets(element: Element<'_>) -> Result<Secret, KeyStoreError> {
    let mut joined = Zeroizing::new(Vec::new());
    join(element, &mut joined)?;
    Ok(joined)
}

fn join(element: Element<'_>, joined: &mut Vec<u8>) -> Result<(), KeyStoreError> {
    match element.tag {
        tag if tag == Tag::OCTET_STRING || tag == Tag::context(0) => joined.extend_from_slice(element.contents),
        tag if tag == Tag::OCTET_STRING_CONSTRUCTED || tag == Tag::context_constructed(0) => {
            let mut pieces = element.reader().map_err(malformed)?;
            while !pieces.is_empty() {
                let piece = pieces.element().map_err(malformed)?;
                if !matches!(piece.tag, Tag::OCTET_STRING | Tag::OCTET_STRING_CONSTRUCTED) {
                    return Err(KeyStoreError::Malformed);
                }
                join(piece, joined)?;
            }
        }
        _ => return Err(KeyStoreError::Malformed),
    }
    Ok(())
}

/// ```text
/// MacData ::= SEQUENCE { mac DigestInfo, macSalt OCTET STRING, iterations INTEGER DEFAULT 1 }
/// DigestInfo ::= SEQUENCE { digestAlgorithm AlgorithmIdentifier, digest OCTET STRING }
/// ```
fn verify_mac(mut mac_data: Reader<'_>, safe: &[u8], password: &Password) -> Result<(), KeyStoreError> {
    let mut mac = mac_data.sequence().map_err(malformed)?;
    let algorithm = AlgorithmIdentifier::parse(&mut mac).map_err(malformed)?;
    let value = octets(mac.element().map_err(malformed)?)?;
    mac.finish().map_err(malformed)?;
    let salt = octets(mac_data.element().map_err(malformed)?)?;
    let iterations = match mac_data.optional(Tag::INTEGER).map_err(malformed)? {
        Some(iterations) => iterations.small_unsigned().map_err(malformed)?,
        None => 1,
    };
    mac_data.finish().map_err(malformed)?;
    if !algorithm.has_no_parameters() {
        return Err(KeyStoreError::Malformed);
    }
    let unsupported = || KeyStoreError::Unsupported(format!("MAC {}", algorithm.algorithm));
    let digest = DigestAlgorithm::from_oid(algorithm.algorithm).ok_or_else(unsupported)?;
    let function = match digest {
        DigestAlgorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        DigestAlgorithm::Sha224 => hmac::HMAC_SHA224,
        DigestAlgorithm::Sha256 => hmac::HMAC_SHA256,
        DigestAlgorithm::Sha384 => hmac::HMAC_SHA384,
        DigestAlgorithm::Sha512 => hmac::HMAC_SHA512,
        _ => return Err(unsupported()),
    };
    let key = password.mac_key(digest, &salt, iterations)?;
    hmac::verify(&hmac::Key::new(function, &key), safe, &value).map_err(|_| KeyStoreError::WrongPassword)
}

/// ```text
/// EncryptedData ::= SEQUENCE { version INTEGER, encryptedContentInfo SEQUENCE {
///     contentType OBJECT IDENTIFIER, contentEncryptionAlgorithm AlgorithmIdentifier,
///     encryptedContent [0] IMPLICIT OCTET STRING OPTIONAL }, … }
/// ```
fn encrypted_data(content: Element<'_>, password: &Password) -> Result<Secret, KeyStoreError> {
    let mut reader = content.expect(Tag::SEQUENCE).and_then(|e| e.reader()).map_err(malformed)?;
    reader.integer().map_err(malformed)?;
    let mut info = reader.sequence().map_err(malformed)?;
    if info.oid().map_err(malformed)? != DATA {
        return Err(KeyStoreError::Malformed);
    }
    let algorithm = AlgorithmIdentifier::parse(&mut info).map_err(malformed)?;
    let encrypted = octets(info.element().map_err(malformed)?)?;
    info.finish().map_err(malformed)?;
    password.decrypt(&algorithm, &encrypted)
}

/// ```text
/// SafeContents ::= SEQUENCE OF SEQUENCE {
///     bagId OBJECT IDENTIFIER, bagValue [0] EXPLICIT ANY, bagAttributes SET OF PKCS12Attribute OPTIONAL }
/// ```
/// Bags of other kinds (CRLs, secrets) are passed over: they hold neither keys nor certificates.
fn read_bags(
    safe_contents: &[u8],
    password: &Password,
    contents: &mut Contents,
    nested: usize,
) -> Result<(), KeyStoreError> {
    let mut outer = Reader::ber(safe_contents);
    let mut bags = outer.sequence().map_err(malformed)?;
    outer.finish().map_err(malformed)?;
    while !bags.is_empty() {
        let mut bag = bags.sequence().map_err(malformed)?;
        let kind = bag.oid().map_err(malformed)?;
        let value = explicit(&mut bag)?;
        bag.optional(Tag::SET).map_err(malformed)?;
        bag.finish().map_err(malformed)?;
        if kind == KEY_BAG {
            contents.keys.push(Zeroizing::new(value.raw.to_vec()));
        } else if kind == SHROUDED_KEY_BAG {
            contents.keys.push(decrypt_pkcs8(value, password)?);
        } else if kind == CERT_BAG {
            // CertBag ::= SEQUENCE { certId OBJECT IDENTIFIER, certValue [0] EXPLICIT ANY }
            let mut certificate = value.expect(Tag::SEQUENCE).and_then(|e| e.reader()).map_err(malformed)?;
            if certificate.oid().map_err(malformed)? == X509_CERTIFICATE {
                contents.certificates.push(octets(explicit(&mut certificate)?)?.to_vec());
            }
        } else if kind == SAFE_CONTENTS_BAG && nested > 0 {
            read_bags(value.raw, password, contents, nested - 1)?;
        }
    }
    Ok(())
}
