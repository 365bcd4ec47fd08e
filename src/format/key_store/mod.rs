//! Files that hold a private key: PKCS #12, PKCS #8 plain or encrypted, and the older PEM forms.
//!
//! *Invariant:* a [`KeyStore`] holds exactly one private key, and its certificate, where there is one, belongs to that
//! key; what the file does not say is not guessed, what is not supported is refused by name.

mod encryption;
mod pkcs12;

use encryption::{Password, Secret};
use zeroize::Zeroizing;

use super::armour;
use crate::asn1::{Element, Error, Reader, Tag};
use crate::crypto::{AlgorithmIdentifier, PrivateKey, PrivateKeyError, PublicKey};
use crate::pki::{Certificate, CertificateError};

/// Longest file: a key, its chain, and room.
pub const MAX_KEY_STORE_BYTES: usize = 1 << 20;

/// Why a file gives no key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyStoreError {
    /// Not a key store, or not one to the letter of its format.
    #[error("not a PKCS #12 or PKCS #8 file")]
    Malformed,
    /// A variant that is not supported.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// The file is encrypted and no password was given.
    #[error("a password is needed")]
    PasswordNeeded,
    /// The password is wrong, or the file has been altered.
    #[error("wrong password or altered file")]
    WrongPassword,
    /// No private key inside.
    #[error("no private key inside")]
    NoKey,
    /// More than one private key inside.
    #[error("more than one private key inside")]
    SeveralKeys,
    /// The private key is not usable.
    #[error(transparent)]
    Key(#[from] PrivateKeyError),
    /// A certificate inside does not parse.
    #[error("certificate inside the key store: {0}")]
    Certificate(#[from] CertificateError),
}

/// What was found in a file, before it is judged.
#[derive(Default)]
struct Contents {
    /// `PrivateKeyInfo`.
    keys: Vec<Secret>,
    /// DER.
    certificates: Vec<Vec<u8>>,
}

/// A private key with the certificates that lay beside it.
#[derive(Debug)]
pub struct KeyStore {
    key: PrivateKey,
    certificate: Option<Certificate>,
    others: Vec<Certificate>,
}

impl KeyStore {
    /// Opens a file, by its content: DER, BER or PEM; PKCS #12, PKCS #8, or PEM blocks of a key and certificates.
    ///
    /// # Errors
    /// As the variants of [`KeyStoreError`] say.
    pub fn open(file: &[u8], password: Option<&str>) -> Result<KeyStore, KeyStoreError> {
        if file.len() > MAX_KEY_STORE_BYTES {
            return Err(KeyStoreError::Malformed);
        }
        let password = password.map(Password::new);
        let contents = if file.first() != Some(&0x30) {
            read_pem(file, password.as_ref())?
        } else {
            read_der(file, password.as_ref())?
        };
        KeyStore::new(contents)
    }

    fn new(contents: Contents) -> Result<KeyStore, KeyStoreError> {
        let key = match contents.keys.as_slice() {
            [] => return Err(KeyStoreError::NoKey),
            [key] => PrivateKey::from_pkcs8(key)?,
            _ => return Err(KeyStoreError::SeveralKeys),
        };
        let mut others =
            contents.certificates.iter().map(|der| Certificate::parse(der)).collect::<Result<Vec<_>, _>>()?;
        let own = others.iter().position(|certificate| {
            certificate.spki() == key.spki()
                || PublicKey::from_spki(certificate.spki()).is_ok_and(|public| key.matches(&public))
        });
        let certificate = own.map(|at| others.remove(at));
        Ok(KeyStore { key, certificate, others })
    }

    /// The private key.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The certificate of the key, where the file has it.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// The other certificates, in the order of the file.
    pub fn other_certificates(&self) -> &[Certificate] {
        &self.others
    }

    /// The parts: key, its certificate, the other certificates.
    pub fn into_parts(self) -> (PrivateKey, Option<Certificate>, Vec<Certificate>) {
        (self.key, self.certificate, self.others)
    }
}

fn malformed(_: Error) -> KeyStoreError {
    KeyStoreError::Malformed
}

fn read_pem(text: &[u8], password: Option<&Password>) -> Result<Contents, KeyStoreError> {
    if armour::first_label(text).is_none() {
        let text = armour::without_bom_and_space(text);
        let der = Zeroizing::new(armour::base64_text(text).map_err(|_| KeyStoreError::Malformed)?);
        return read_der(&der, password);
    }
    let mut contents = Contents::default();
    for (label, block) in armour::labelled_pem_blocks(text).map_err(|_| KeyStoreError::Malformed)? {
        let block = Zeroizing::new(block);
        match label.as_str() {
            "PRIVATE KEY" => contents.keys.push(block),
            "ENCRYPTED PRIVATE KEY" => {
                contents.keys.push(decrypt_pkcs8(whole(&block)?, password.ok_or(KeyStoreError::PasswordNeeded)?)?);
            }
            "RSA PRIVATE KEY" => contents.keys.push(private_key_info(RSA_IDENTIFIER, &block)?),
            "EC PRIVATE KEY" => contents.keys.push(ec_private_key_info(&block)?),
            "CERTIFICATE" => contents.certificates.push(block.to_vec()),
            // What `openssl ecparam` puts in front of an EC key: the key says it again.
            "EC PARAMETERS" => {}
            "PKCS12" => return read_der(&block, password),
            other => return Err(KeyStoreError::Unsupported(format!("PEM block {other}"))),
        }
    }
    Ok(contents)
}

fn whole(der: &[u8]) -> Result<Element<'_>, KeyStoreError> {
    let mut outer = Reader::ber(der);
    let element = outer.element().map_err(malformed)?;
    outer.finish().map_err(malformed)?;
    Ok(element)
}

/// Tells the three structures apart by what their first two fields are.
fn read_der(der: &[u8], password: Option<&Password>) -> Result<Contents, KeyStoreError> {
    let element = whole(der)?;
    let mut fields = element.expect(Tag::SEQUENCE).and_then(|e| e.reader()).map_err(malformed)?;
    let first = fields.element().map_err(malformed)?;
    let second = fields.element().map_err(malformed)?;
    let needed = || password.ok_or(KeyStoreError::PasswordNeeded);
    let key = match (first.tag, second.tag) {
        (Tag::SEQUENCE, Tag::OCTET_STRING) => decrypt_pkcs8(element, needed()?)?,
        (Tag::INTEGER, Tag::SEQUENCE) if first.contents == [3] => return pkcs12::read(der, needed()?),
        (Tag::INTEGER, Tag::SEQUENCE) => Zeroizing::new(der.to_vec()),
        (Tag::INTEGER, Tag::INTEGER) => private_key_info(RSA_IDENTIFIER, der)?,
        (Tag::INTEGER, Tag::OCTET_STRING) => ec_private_key_info(der)?,
        _ => return Err(KeyStoreError::Malformed),
    };
    Ok(Contents { keys: vec![key], certificates: Vec::new() })
}

/// ```text
/// EncryptedPrivateKeyInfo ::= SEQUENCE { encryptionAlgorithm AlgorithmIdentifier, encryptedData OCTET STRING }
/// ```
/// (RFC 5958 §3).
fn decrypt_pkcs8(element: Element<'_>, password: &Password) -> Result<Secret, KeyStoreError> {
    let mut reader = element.expect(Tag::SEQUENCE).and_then(|e| e.reader()).map_err(malformed)?;
    let algorithm = AlgorithmIdentifier::parse(&mut reader).map_err(malformed)?;
    let encrypted = reader.octet_string().map_err(malformed)?;
    reader.finish().map_err(malformed)?;
    password.decrypt(&algorithm, encrypted)
}

/// `AlgorithmIdentifier` of rsaEncryption with NULL.
const RSA_IDENTIFIER: &[u8] = &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
/// The OID id-ecPublicKey (RFC 5480 §2.1.1).
const EC_PUBLIC_KEY: &[u8] = &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];

/// Wraps a key of an older form into a `PrivateKeyInfo` of version 0.
fn private_key_info(identifier: &[u8], key: &[u8]) -> Result<Secret, KeyStoreError> {
    let octets = sequence(Tag::OCTET_STRING, &[key])?;
    sequence(Tag::SEQUENCE, &[&[2, 1, 0], identifier, &octets])
}

/// ```text
/// ECPrivateKey ::= SEQUENCE { version INTEGER { ecPrivkeyVer1(1) }, privateKey OCTET STRING,
///     parameters [0] ECParameters OPTIONAL, publicKey [1] BIT STRING OPTIONAL }
/// ```
/// (RFC 5915 §3). The parameters must be there: alone the octets do not say which curve they are of.
fn ec_private_key_info(der: &[u8]) -> Result<Secret, KeyStoreError> {
    let mut outer = Reader::der(der);
    let mut reader = outer.sequence().map_err(malformed)?;
    outer.finish().map_err(malformed)?;
    reader.integer().map_err(malformed)?;
    reader.octet_string().map_err(malformed)?;
    let parameters = reader.expect(Tag::context_constructed(0)).map_err(malformed)?;
    let identifier = sequence(Tag::SEQUENCE, &[EC_PUBLIC_KEY, parameters.contents])?;
    private_key_info(&identifier, der)
}

/// An element in DER.
fn sequence(tag: Tag, parts: &[&[u8]]) -> Result<Secret, KeyStoreError> {
    let contents = Zeroizing::new(parts.concat());
    let [.., third, high, low] = contents.len().to_be_bytes();
    let mut out = Zeroizing::new(match (third, high, low) {
        (0, 0, 0..=0x7f) => vec![tag.0, low],
        (0, 0, _) => vec![tag.0, 0x81, low],
        (0, ..) => vec![tag.0, 0x82, high, low],
        _ => return Err(KeyStoreError::Malformed),
    });
    out.extend_from_slice(&contents);
    Ok(out)
}
