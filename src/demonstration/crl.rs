//! Certificate revocation lists from templates.

use super::{Credential, Extension, KeyIdentifier, Validity, extension};
use crate::asn1::encode;
use crate::crypto::PrivateKeyError;
use crate::pki::extension::id;
use crate::report::Time;

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedEntry {
    /// userCertificate, its magnitude.
    pub serial_number: Vec<u8>,
    /// revocationDate.
    pub revoked_at: Time,
    /// crlEntryExtensions.
    pub extensions: Vec<Extension>,
}

impl RevokedEntry {
    /// An entry without extensions.
    pub fn new(serial_number: &[u8], revoked_at: Time) -> RevokedEntry {
        RevokedEntry { serial_number: serial_number.to_vec(), revoked_at, extensions: Vec::new() }
    }

    /// The entry and its reasonCode (RFC 5280 §5.3.1), a number of CRLReason.
    pub fn reason(self, reason: u8) -> RevokedEntry {
        self.with(Extension::new(id::CRL_REASON, encode::enumerated(reason)))
    }

    /// The entry and its invalidityDate (§5.3.2).
    pub fn invalidity_date(self, date: Time) -> RevokedEntry {
        self.with(Extension::new(id::INVALIDITY_DATE, encode::generalized_time(date)))
    }

    /// The entry and its certificateIssuer (§5.3.3), a `Name` in DER.
    pub fn certificate_issuer(self, name: &[u8]) -> RevokedEntry {
        let names = encode::sequence(&[&extension::directory_name(name)]);
        self.with(Extension::new(id::CERTIFICATE_ISSUER, names).critical())
    }

    /// The entry and one more extension.
    pub fn with(mut self, extension: Extension) -> RevokedEntry {
        self.extensions.push(extension);
        self
    }

    fn to_der(&self) -> Vec<u8> {
        let extensions = match self.extensions.as_slice() {
            [] => Vec::new(),
            some => extension::list(some),
        };
        encode::sequence(&[&encode::unsigned(&self.serial_number), &encode::time(self.revoked_at), &extensions])
    }
}

/// A list to be issued; nothing about it is checked.
#[derive(Clone, Debug)]
pub struct CrlTemplate {
    /// version: 1 for version 2, `None` for a list of version 1.
    pub version: Option<u8>,
    /// issuer in DER, where it is not the subject of who issues.
    pub issuer: Option<Vec<u8>>,
    /// thisUpdate.
    pub this_update: Time,
    /// nextUpdate.
    pub next_update: Option<Time>,
    /// revokedCertificates; the field is left out where there are none.
    pub entries: Vec<RevokedEntry>,
    /// crlExtensions, written after the authorityKeyIdentifier.
    pub extensions: Vec<Extension>,
    /// authorityKeyIdentifier.
    pub authority_key_identifier: KeyIdentifier,
}

impl CrlTemplate {
    /// A complete list with a number, good for a week.
    pub fn new(this_update: Time, number: u64) -> CrlTemplate {
        CrlTemplate {
            version: Some(1),
            issuer: None,
            this_update,
            next_update: Some(this_update.plus_seconds(7 * Validity::DAY)),
            entries: Vec::new(),
            extensions: vec![Extension::new(id::CRL_NUMBER, encode::small_unsigned(number))],
            authority_key_identifier: KeyIdentifier::OfIssuer,
        }
    }

    /// The list as a delta to the complete list of that number (§5.2.4).
    pub fn delta_to(self, base_number: u64) -> CrlTemplate {
        self.with(Extension::new(id::DELTA_CRL_INDICATOR, encode::small_unsigned(base_number)).critical())
    }

    /// The list and one more entry.
    pub fn revoke(mut self, entry: RevokedEntry) -> CrlTemplate {
        self.entries.push(entry);
        self
    }

    /// The list and this extension, in the place of one with the same identifier.
    pub fn with(mut self, extension: Extension) -> CrlTemplate {
        match self.extensions.iter_mut().find(|present| present.id == extension.id) {
            Some(present) => *present = extension,
            None => self.extensions.push(extension),
        }
        self
    }

    /// The list with another end of its period.
    pub fn next_update(self, next_update: Option<Time>) -> CrlTemplate {
        CrlTemplate { next_update, ..self }
    }

    /// The list in DER, signed by the issuer.
    ///
    /// # Errors
    /// As [`crate::crypto::PrivateKey::sign`].
    pub fn issue(&self, issuer: &Credential) -> Result<Vec<u8>, PrivateKeyError> {
        let mut extensions = Vec::new();
        match &self.authority_key_identifier {
            KeyIdentifier::OfIssuer => extensions.push(extension::authority_key_identifier(&issuer.key_identifier)),
            KeyIdentifier::Given(octets) => extensions.push(extension::authority_key_identifier(octets)),
            KeyIdentifier::Absent => (),
        }
        extensions.extend_from_slice(&self.extensions);
        let extensions = match extensions.as_slice() {
            [] => Vec::new(),
            some => encode::explicit(0, &extension::list(some)),
        };
        let entries = match self.entries.as_slice() {
            [] => Vec::new(),
            some => encode::sequence_of(&some.iter().map(RevokedEntry::to_der).collect::<Vec<_>>()),
        };
        issuer.sign(&encode::sequence(&[
            &self.version.map(|version| encode::small_unsigned(version.into())).unwrap_or_default(),
            &issuer.algorithm_identifier()?,
            self.issuer.as_deref().unwrap_or(&issuer.subject),
            &encode::time(self.this_update),
            &self.next_update.map(encode::time).unwrap_or_default(),
            &entries,
            &extensions,
        ]))
    }
}
