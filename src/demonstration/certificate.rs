//! Certificates from templates, and the credentials that issue them.

use super::{Extension, Key, NameTemplate, extension};
use crate::asn1::{Oid, encode};
use crate::crypto::{DigestAlgorithm, PrivateKeyError, SignatureAlgorithm};
use crate::pki::extension::KeyUsage;
use crate::report::Time;
use std::sync::Arc;

/// The time from `not_before` to `not_after`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub not_before: Time,
    /// Last second.
    pub not_after: Time,
}

impl Validity {
    /// Seconds of a day.
    pub const DAY: i64 = 86_400;

    /// Some days before and some days after a moment.
    pub const fn around(at: Time, days_before: i64, days_after: i64) -> Validity {
        Validity {
            not_before: at.plus_seconds(-days_before * Validity::DAY),
            not_after: at.plus_seconds(days_after * Validity::DAY),
        }
    }
}

/// How the authority's key is named in what it issues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeyIdentifier {
    /// By the issuer's subjectKeyIdentifier.
    #[default]
    OfIssuer,
    /// By these octets.
    Given(Vec<u8>),
    /// Not at all.
    Absent,
}

/// A key, its certificate and what has to be known to issue with them: an authority, a responder, a signer.
#[derive(Clone)]
pub struct Credential {
    /// The certificate in DER.
    pub certificate: Vec<u8>,
    /// The subject, `Name` in DER.
    pub subject: Vec<u8>,
    /// The serial number's magnitude.
    pub serial_number: Vec<u8>,
    /// subjectKeyIdentifier.
    pub key_identifier: Vec<u8>,
    /// The key pair.
    pub key: Arc<Key>,
    /// What it signs with.
    pub algorithm: SignatureAlgorithm,
}

impl Credential {
    /// A self-signed authority.
    ///
    /// # Errors
    /// As [`crate::crypto::PrivateKey::sign`].
    pub fn root(template: &CertificateTemplate, key: Arc<Key>) -> Result<Credential, PrivateKeyError> {
        let mut this = Credential::unissued(template, key);
        this.certificate = template.issue(&this)?;
        Ok(this)
    }

    /// The credential of the template's subject, issued by this one. The key must be the one of the template.
    ///
    /// # Errors
    /// As [`crate::crypto::PrivateKey::sign`].
    pub fn issue(&self, template: &CertificateTemplate, key: Arc<Key>) -> Result<Credential, PrivateKeyError> {
        let certificate = template.issue(self)?;
        Ok(Credential { certificate, ..Credential::unissued(template, key) })
    }

    /// The AlgorithmIdentifier of what it signs, in DER.
    pub(super) fn algorithm_identifier(&self) -> Result<Vec<u8>, PrivateKeyError> {
        self.algorithm.to_identifier().ok_or(PrivateKeyError::KeyMismatch)
    }

    /// `SIGNED{ToBeSigned}`: the signed part, the algorithm, the value, and whatever the caller adds after them.
    pub(super) fn sign(&self, to_be_signed: &[u8]) -> Result<Vec<u8>, PrivateKeyError> {
        let value = self.key.private().sign(&self.algorithm, to_be_signed)?;
        Ok(encode::sequence(&[to_be_signed, &self.algorithm_identifier()?, &encode::bit_string(&value)]))
    }

    fn unissued(template: &CertificateTemplate, key: Arc<Key>) -> Credential {
        Credential {
            certificate: Vec::new(),
            subject: template.subject.to_der(),
            serial_number: template.serial_number.clone(),
            key_identifier: key_identifier(key.spki()),
            algorithm: key.private().default_algorithm(),
            key,
        }
    }
}

/// A certificate to be issued; nothing about it is checked.
#[derive(Clone, Debug)]
pub struct CertificateTemplate {
    /// version: 2 for version 3.
    pub version: u8,
    /// serialNumber, its magnitude.
    pub serial_number: Vec<u8>,
    /// issuer in DER, where it is not the subject of who issues.
    pub issuer: Option<Vec<u8>>,
    /// validity.
    pub validity: Validity,
    /// subject.
    pub subject: NameTemplate,
    /// subjectPublicKeyInfo in DER.
    pub spki: Vec<u8>,
    /// Extensions in the order in which they are written.
    pub extensions: Vec<Extension>,
    /// authorityKeyIdentifier, written after the others.
    pub authority_key_identifier: KeyIdentifier,
    /// The AlgorithmIdentifier inside the signed part, where it is not the one of the signature.
    pub inner_algorithm: Option<Vec<u8>>,
}

impl CertificateTemplate {
    /// A certificate with a subjectKeyIdentifier and no other extension; the serial number follows from the rest.
    pub fn new(subject: NameTemplate, spki: &[u8], validity: Validity) -> CertificateTemplate {
        let mut seed = subject.to_der();
        seed.extend_from_slice(spki);
        seed.extend(validity.not_before.unix().to_be_bytes());
        seed.extend(validity.not_after.unix().to_be_bytes());
        let digest = DigestAlgorithm::Sha256.digest(&seed);
        let mut serial_number: Vec<u8> = digest.as_bytes().iter().copied().take(20).collect();
        if let Some(first) = serial_number.first_mut() {
            // Positive and never zero (RFC 5280 §4.1.2.2), 20 octets with the sign.
            *first = *first & 0x7f | 0x40;
        }
        CertificateTemplate {
            version: 2,
            serial_number,
            issuer: None,
            validity,
            subject,
            spki: spki.to_vec(),
            extensions: vec![extension::subject_key_identifier(&key_identifier(spki))],
            authority_key_identifier: KeyIdentifier::OfIssuer,
            inner_algorithm: None,
        }
    }

    /// A certificate of an authority that may sign certificates and lists.
    pub fn authority(subject: NameTemplate, spki: &[u8], validity: Validity, path_len: Option<u8>) -> Self {
        CertificateTemplate::new(subject, spki, validity)
            .with(extension::authority(path_len))
            .with(extension::key_usage(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN))
    }

    /// The template with this extension, in the place of one with the same identifier.
    pub fn with(mut self, extension: Extension) -> CertificateTemplate {
        match self.extensions.iter_mut().find(|present| present.id == extension.id) {
            Some(present) => *present = extension,
            None => self.extensions.push(extension),
        }
        self
    }

    /// The template without the extension. The authorityKeyIdentifier has a field of its own.
    pub fn without(mut self, id: Oid<'_>) -> CertificateTemplate {
        self.extensions.retain(|present| present.id != id);
        self
    }

    /// The template with another subject.
    pub fn subject(self, subject: NameTemplate) -> CertificateTemplate {
        CertificateTemplate { subject, ..self }
    }

    /// The template with another validity.
    pub fn validity(self, validity: Validity) -> CertificateTemplate {
        CertificateTemplate { validity, ..self }
    }

    /// The template with another serial number.
    pub fn serial_number(self, serial_number: &[u8]) -> CertificateTemplate {
        CertificateTemplate { serial_number: serial_number.to_vec(), ..self }
    }

    /// `TBSCertificate` in DER (RFC 5280 §4.1).
    fn to_be_signed(&self, issuer: &Credential, algorithm: &[u8]) -> Vec<u8> {
        let mut extensions = self.extensions.clone();
        match &self.authority_key_identifier {
            KeyIdentifier::OfIssuer => extensions.push(extension::authority_key_identifier(&issuer.key_identifier)),
            KeyIdentifier::Given(octets) => extensions.push(extension::authority_key_identifier(octets)),
            KeyIdentifier::Absent => (),
        }
        let version = match self.version {
            0 => Vec::new(),
            version => encode::explicit(0, &encode::small_unsigned(version.into())),
        };
        let extensions = match extensions.as_slice() {
            [] => Vec::new(),
            some => encode::explicit(3, &extension::list(some)),
        };
        encode::sequence(&[
            &version,
            &encode::unsigned(&self.serial_number),
            self.inner_algorithm.as_deref().unwrap_or(algorithm),
            self.issuer.as_deref().unwrap_or(&issuer.subject),
            &encode::sequence(&[&encode::time(self.validity.not_before), &encode::time(self.validity.not_after)]),
            &self.subject.to_der(),
            &self.spki,
            &extensions,
        ])
    }

    /// The certificate in DER, signed by the issuer with the issuer's algorithm.
    ///
    /// # Errors
    /// As [`crate::crypto::PrivateKey::sign`].
    pub fn issue(&self, issuer: &Credential) -> Result<Vec<u8>, PrivateKeyError> {
        let algorithm = issuer.algorithm_identifier()?;
        issuer.sign(&self.to_be_signed(issuer, &algorithm))
    }
}

/// The identifier of a key: SHA-1 of the subjectPublicKey's octets (RFC 5280 §4.2.1.2 (1)).
pub(super) fn key_identifier(spki: &[u8]) -> Vec<u8> {
    DigestAlgorithm::Sha1.digest(public_key_octets(spki)).as_bytes().to_vec()
}

/// What the BIT STRING of a SubjectPublicKeyInfo holds; nothing where it is none.
pub(super) fn public_key_octets(spki: &[u8]) -> &[u8] {
    let read = || {
        let mut inner = crate::asn1::Reader::der(spki).sequence()?;
        inner.sequence()?;
        inner.element()?.bit_string_octets()
    };
    read().unwrap_or_default()
}
