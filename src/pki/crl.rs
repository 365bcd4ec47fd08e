//! Certificate revocation lists (RFC 5280 §5): what a list says, and of whom.
//!
//! ```text
//! CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue BIT STRING }
//! TBSCertList ::= SEQUENCE { version v2 OPTIONAL, signature, issuer, thisUpdate, nextUpdate OPTIONAL,
//!     revokedCertificates SEQUENCE OF SEQUENCE { userCertificate, revocationDate, crlEntryExtensions OPTIONAL } OPTIONAL,
//!     crlExtensions [0] OPTIONAL }
//! ```
//!
//! Path validation sees lists through [`RevocationList`] alone, so that a list may be these bytes ([`Crl`]) or an index
//! made of them.
//!
//! *Invariant:* a list that exists was walked to its last entry; nothing in it is passed over in silence.

mod in_memory;
mod scope;

pub use in_memory::{Crl, MAX_CRL_BYTES};
pub use scope::{CrlNumber, CrlScope};

use super::Name;
use super::certificate::algorithm_oid;
use super::extension::{self as ext, Extension, GeneralName, id};
use super::name::push_element;
use super::public_key::{SubjectPublicKeyInfo, VerificationError};
use crate::asn1::{Element, Error, Reader, Tag, generalized_time, x509_time};
use crate::report::Time;

/// A revocation list as path validation sees it: whole bytes, or an index of them.
pub trait RevocationList: Send + Sync {
    /// Whom the list is from, when, and which certificates it is about.
    fn scope(&self) -> &CrlScope;

    /// The list as received, where it is at hand whole.
    fn raw(&self) -> Option<&[u8]> {
        None
    }

    /// The entry for a certificate, by its issuer and serial number (contents of the INTEGER).
    ///
    /// Where the list has several for it, one that revokes wins over removeFromCRL.
    fn find(&self, certificate_issuer: &Name<'_>, serial_number: &[u8]) -> Option<RevokedEntry>;

    /// Verifies the list's signature under a key. An index that was verified when it was made compares keys.
    ///
    /// # Errors
    /// The key or the algorithm is refused, or the signature does not verify.
    fn verify_signature(&self, key: &SubjectPublicKeyInfo) -> Result<(), VerificationError>;
}

/// What a list says about one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevokedEntry {
    /// revocationDate.
    pub revocation_date: Time,
    /// reasonCode; absent means unspecified.
    pub reason: Option<CrlReason>,
    /// invalidityDate.
    pub invalidity_date: Option<Time>,
}

/// CRLReason (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // The names are the standard's own.
pub enum CrlReason {
    Unspecified = 0,
    KeyCompromise = 1,
    CaCompromise = 2,
    AffiliationChanged = 3,
    Superseded = 4,
    CessationOfOperation = 5,
    CertificateHold = 6,
    RemoveFromCrl = 8,
    PrivilegeWithdrawn = 9,
    AaCompromise = 10,
}

impl CrlReason {
    /// The reason with a code; 7 is not used.
    pub fn from_code(code: u32) -> Option<CrlReason> {
        Some(match code {
            0 => CrlReason::Unspecified,
            1 => CrlReason::KeyCompromise,
            2 => CrlReason::CaCompromise,
            3 => CrlReason::AffiliationChanged,
            4 => CrlReason::Superseded,
            5 => CrlReason::CessationOfOperation,
            6 => CrlReason::CertificateHold,
            8 => CrlReason::RemoveFromCrl,
            9 => CrlReason::PrivilegeWithdrawn,
            10 => CrlReason::AaCompromise,
            _ => return None,
        })
    }

    /// The code.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The standard's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            CrlReason::Unspecified => "unspecified",
            CrlReason::KeyCompromise => "keyCompromise",
            CrlReason::CaCompromise => "cACompromise",
            CrlReason::AffiliationChanged => "affiliationChanged",
            CrlReason::Superseded => "superseded",
            CrlReason::CessationOfOperation => "cessationOfOperation",
            CrlReason::CertificateHold => "certificateHold",
            CrlReason::RemoveFromCrl => "removeFromCRL",
            CrlReason::PrivilegeWithdrawn => "privilegeWithdrawn",
            CrlReason::AaCompromise => "aACompromise",
        }
    }

    /// Whether a revocation for this reason leaves alone what was signed and time-stamped before it
    /// (`validation.md` §3).
    pub const fn is_benign_afterwards(self) -> bool {
        matches!(
            self,
            CrlReason::AffiliationChanged
                | CrlReason::Superseded
                | CrlReason::CessationOfOperation
                | CrlReason::PrivilegeWithdrawn
        )
    }
}

/// Why bytes are not a revocation list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrlError {
    /// Not the DER of the structure.
    #[error("not a DER revocation list: {0}")]
    Encoding(#[from] Error),
    /// Extensions in a v1 list, or an unknown version.
    #[error("the list has fields that its version does not allow")]
    Version,
    /// An extension twice.
    #[error("the list has an extension twice")]
    DuplicateExtension,
    /// More bytes than a list may have.
    #[error("the list is larger than {0} bytes")]
    TooLarge(usize),
}

/// The parts of a list, entries not yet walked.
pub struct CrlParts<'a> {
    /// The encoding of the TBSCertList, which is what the issuer signed.
    pub tbs: &'a [u8],
    /// signatureValue; empty when it is not a whole number of octets.
    pub signature: &'a [u8],
    /// What the list says about itself.
    pub scope: CrlScope,
    /// Contents of revokedCertificates.
    pub revoked: &'a [u8],
    has_entry_extensions: bool,
    /// Contents of the TBSCertList before and after revokedCertificates.
    around: [&'a [u8]; 2],
    algorithm: &'a [u8],
}

impl<'a> CrlParts<'a> {
    /// The parts of a list from the DER of exactly one. The digest of the scope is that of `der`.
    ///
    /// # Errors
    /// [`CrlError`].
    pub fn parse(der: &'a [u8]) -> Result<CrlParts<'a>, CrlError> {
        let mut outer = Reader::der(der);
        let mut list = outer.sequence()?;
        outer.finish()?;
        let tbs = list.expect(Tag::SEQUENCE)?;
        let algorithm = list.expect(Tag::SEQUENCE)?.raw;
        let signature = list.expect(Tag::BIT_STRING)?.bit_string()?;
        list.finish()?;

        let mut fields = tbs.reader()?;
        let v2 = match fields.optional(Tag::INTEGER)? {
            None => false,
            Some(version) if version.contents == [1] => true,
            Some(_) => return Err(CrlError::Version),
        };
        let inner_algorithm = fields.expect(Tag::SEQUENCE)?.raw;
        algorithm_oid(inner_algorithm)?;
        algorithm_oid(algorithm)?;
        let issuer = Name::read(&mut fields)?;
        let this_update = x509_time(&mut fields)?;
        let next_update = match fields.peek() {
            Some(Tag::UTC_TIME | Tag::GENERALIZED_TIME) => Some(x509_time(&mut fields)?),
            _ => None,
        };
        let before = tbs.contents.len() - fields.rest().len();
        let revoked = match fields.optional(Tag::SEQUENCE)? {
            None => &[][..],
            // RFC 5280 §5.1.2.6: "When there are no revoked certificates, the revoked certificates list MUST be absent."
            Some(element) if element.contents.is_empty() => return Err(element.invalid().into()),
            Some(element) => element.contents,
        };
        let around = [tbs.contents.get(..before).unwrap_or_default(), fields.rest()];
        let extensions = fields.optional(Tag::context_constructed(0))?;
        fields.finish()?;
        if extensions.is_some() && !v2 {
            return Err(CrlError::Version);
        }
        let mut scope = CrlScope::new(der, issuer, this_update, next_update, algorithm, inner_algorithm);
        if let Some(wrapper) = extensions {
            let mut wrapper = wrapper.reader()?;
            let mut list = wrapper.sequence()?;
            wrapper.finish()?;
            scope.add(&Extension::read(&mut list)?)?;
            while !list.is_empty() {
                scope.add(&Extension::read(&mut list)?)?;
            }
        }
        let signature = if signature.unused == 0 { signature.octets } else { &[] };
        Ok(CrlParts { tbs: tbs.raw, signature, scope, revoked, has_entry_extensions: v2, around, algorithm })
    }

    /// The same list without entries and signature, as DER: what an index keeps, to have the scope again with
    /// [`CrlScope::from_skeleton`].
    pub fn skeleton(&self) -> Vec<u8> {
        let (mut tbs, mut out) = (Vec::new(), Vec::new());
        push_element(&mut tbs, Tag::SEQUENCE, &self.around);
        push_element(&mut out, Tag::SEQUENCE, &[&tbs, self.algorithm, &[Tag::BIT_STRING.0, 1, 0]]);
        out
    }

    /// The entries, in the order of the list.
    pub fn entries(&self) -> Entries<'a> {
        Entries { reader: Reader::der(self.revoked), issuer: None, extensions_allowed: self.has_entry_extensions }
    }
}

/// One entry of a list.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// userCertificate: contents of the INTEGER.
    pub serial_number: &'a [u8],
    /// What is said about it.
    pub revoked: RevokedEntry,
    /// Whose certificate it is: `None` for the list's issuer, else the certificateIssuer of this entry or of the last
    /// one before it that had one (RFC 5280 §5.3.3).
    pub certificate_issuer: Option<Name<'a>>,
    /// An extension is critical and not known: the list must not be used at all (RFC 5280 §5.3).
    pub unknown_critical: bool,
}

/// A walk over the entries of a list; ends after the first error.
pub struct Entries<'a> {
    reader: Reader<'a>,
    issuer: Option<Name<'a>>,
    extensions_allowed: bool,
}

impl<'a> Entries<'a> {
    /// How many octets of the list's entries have been read.
    pub fn offset(&self) -> usize {
        self.reader.offset()
    }

    fn read(&mut self) -> Result<Entry<'a>, CrlError> {
        let mut fields = self.reader.sequence()?;
        let serial_number = fields.integer()?;
        let revocation_date = x509_time(&mut fields)?;
        let mut entry = Entry {
            serial_number,
            revoked: RevokedEntry { revocation_date, reason: None, invalidity_date: None },
            certificate_issuer: None,
            unknown_critical: false,
        };
        if let Some(list) = fields.optional(Tag::SEQUENCE)? {
            if !self.extensions_allowed {
                return Err(CrlError::Version);
            }
            self.read_extensions(&list, &mut entry)?;
        }
        fields.finish()?;
        entry.certificate_issuer = self.issuer;
        Ok(entry)
    }

    fn read_extensions(&mut self, list: &Element<'a>, entry: &mut Entry<'a>) -> Result<(), CrlError> {
        let mut extensions = list.reader()?;
        let mut seen_issuer = false;
        loop {
            let extension = Extension::read(&mut extensions)?;
            let duplicate = if extension.id == id::CRL_REASON {
                let reason = extension.parse(|r| {
                    let element = r.expect(Tag::ENUMERATED)?;
                    CrlReason::from_code(element.small_unsigned()?).ok_or(element.invalid())
                })?;
                entry.revoked.reason.replace(reason).is_some()
            } else if extension.id == id::INVALIDITY_DATE {
                let date = extension.parse(|r| generalized_time(&r.expect(Tag::GENERALIZED_TIME)?))?;
                entry.revoked.invalidity_date.replace(date).is_some()
            } else if extension.id == id::CERTIFICATE_ISSUER {
                let names = extension.parse(ext::List::<GeneralName<'a>>::read)?;
                let mut directory = names.iter().filter_map(|name| match name {
                    GeneralName::Directory(name) => Some(name),
                    _ => None,
                });
                // Without a directoryName nobody can tell whose certificate the entry is about.
                match directory.next() {
                    Some(name) => self.issuer = Some(name),
                    None => entry.unknown_critical = true,
                }
                std::mem::replace(&mut seen_issuer, true)
            } else {
                entry.unknown_critical |= extension.critical;
                false
            };
            if duplicate {
                return Err(CrlError::DuplicateExtension);
            }
            if extensions.is_empty() {
                return Ok(());
            }
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, CrlError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let entry = self.read();
        if entry.is_err() {
            self.reader = Reader::der(&[]);
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        push_element(&mut out, Tag(tag), parts);
        out
    }

    const ALGORITHM: &[u8] = &[0x30, 3, 6, 1, 0x2a];
    const TIME: &[u8] = b"\x17\x0d250101000000Z";

    fn name(letter: u8) -> Vec<u8> {
        element(0x30, &[&element(0x31, &[&element(0x30, &[&[6, 3, 0x55, 4, 3], &[0x0c, 1, letter]])])])
    }

    fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
        let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
        element(0x30, &[&element(6, &[oid]), critical, &element(4, &[value])])
    }

    fn entry(serial: u8, extensions: &[Vec<u8>]) -> Vec<u8> {
        let list = element(0x30, &extensions.iter().map(Vec::as_slice).collect::<Vec<_>>());
        element(0x30, &[&[2, 1, serial], TIME, if extensions.is_empty() { &[] } else { &list }])
    }

    fn list(version: &[u8], entries: &[Vec<u8>], extensions: &[Vec<u8>]) -> Vec<u8> {
        let some = element(0x30, &entries.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let entries = if entries.is_empty() { Vec::new() } else { some };
        let extensions = element(0x30, &extensions.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let extensions = if extensions.len() > 2 { element(0xa0, &[&extensions]) } else { Vec::new() };
        let tbs = element(0x30, &[version, ALGORITHM, &name(b'A'), TIME, TIME, &entries, &extensions]);
        element(0x30, &[&tbs, ALGORITHM, &[3, 2, 0, 1]])
    }

    const V2: &[u8] = &[2, 1, 1];
    const REASON: &[u8] = &[0x55, 0x1d, 21];
    const ISSUER: &[u8] = &[0x55, 0x1d, 29];

    fn directory(letter: u8) -> Vec<u8> {
        element(0x30, &[&element(0xa4, &[&name(letter)])])
    }

    #[test]
    fn certificate_issuer_sticks_until_the_next_one() {
        let der = list(
            V2,
            &[
                entry(1, &[]),
                entry(2, &[extension(ISSUER, true, &directory(b'B'))]),
                entry(3, &[extension(REASON, false, &[10, 1, 1])]),
                entry(4, &[extension(ISSUER, true, &directory(b'C'))]),
            ],
            &[],
        );
        let crl = Crl::parse(&der).unwrap();
        for (serial, issuer) in [(1, b'A'), (2, b'B'), (3, b'B'), (4, b'C')] {
            for letter in [b'A', b'B', b'C'] {
                let name = name(letter);
                let found = crl.find(&Name::parse(&name).unwrap(), &[serial]);
                assert_eq!(found.is_some(), letter == issuer, "{serial} {letter}");
            }
        }
        let b = name(b'B');
        let found = crl.find(&Name::parse(&b).unwrap(), &[3]).unwrap();
        assert_eq!(found.reason, Some(CrlReason::KeyCompromise));
    }

    #[test]
    fn entries_of_other_issuers_make_a_direct_list_unusable() {
        let with = |point: &[u8]| {
            let entries = [entry(1, &[extension(ISSUER, true, &directory(b'B'))]), entry(2, &[])];
            let point = extension(&[0x55, 0x1d, 28], true, point);
            Crl::parse(&list(V2, &entries, &[point])).unwrap().scope().has_unknown_critical_entries
        };
        assert!(!with(&[0x30, 3, 0x84, 1, 0xff]), "indirectCRL");
        assert!(with(&[0x30, 3, 0x81, 1, 0xff]), "onlyContainsUserCerts");
    }

    #[test]
    fn an_empty_list_of_entries_is_refused_and_an_absent_one_is_not() {
        let der = list(V2, &[], &[]);
        assert!(Crl::parse(&der).unwrap().is_empty());
        let tbs = element(0x30, &[V2, ALGORITHM, &name(b'A'), TIME, TIME, &[0x30, 0]]);
        assert!(Crl::parse(&element(0x30, &[&tbs, ALGORITHM, &[3, 2, 0, 1]])).is_err());
    }

    #[test]
    fn a_revocation_wins_over_its_removal() {
        let der = list(V2, &[entry(1, &[extension(REASON, false, &[10, 1, 8])]), entry(1, &[])], &[]);
        let a = name(b'A');
        assert_eq!(Crl::parse(&der).unwrap().find(&Name::parse(&a).unwrap(), &[1]).unwrap().reason, None);
    }

    #[test]
    fn what_v1_does_not_have_is_refused() {
        let reason = extension(REASON, false, &[10, 1, 1]);
        assert_eq!(Crl::parse(&list(&[], &[entry(1, &[reason])], &[])).unwrap_err(), CrlError::Version);
        let number = extension(&[0x55, 0x1d, 20], false, &[2, 1, 5]);
        assert_eq!(Crl::parse(&list(&[], &[], &[number])).unwrap_err(), CrlError::Version);
        assert_eq!(Crl::parse(&list(&[2, 1, 0], &[entry(1, &[])], &[])).unwrap_err(), CrlError::Version);
        assert!(Crl::parse(&list(&[], &[entry(1, &[])], &[])).is_ok());
    }

    #[test]
    fn unknown_critical_extensions_are_told() {
        let unknown = extension(&[0x2a, 3], true, &[5, 0]);
        let crl = Crl::parse(&list(V2, &[entry(1, std::slice::from_ref(&unknown))], &[])).unwrap();
        assert!(crl.scope().has_unknown_critical_entries && crl.scope().unknown_critical.is_empty());
        let crl = Crl::parse(&list(V2, &[entry(1, &[])], &[unknown])).unwrap();
        assert_eq!(crl.scope().unknown_critical, ["1.2.3"]);
        let reason = extension(REASON, false, &[10, 1, 7]);
        assert!(Crl::parse(&list(V2, &[entry(1, &[reason])], &[])).is_err(), "reason 7 is not used");
    }

    #[test]
    fn a_skeleton_gives_the_scope_again() {
        let number = extension(&[0x55, 0x1d, 20], false, &[2, 2, 1, 0]);
        let base = extension(&[0x55, 0x1d, 27], true, &[2, 1, 9]);
        let der = list(V2, &[entry(1, &[])], &[number, base]);
        let parts = CrlParts::parse(&der).unwrap();
        let scope = CrlScope::from_skeleton(&parts.skeleton(), parts.scope.digest, true).unwrap();
        assert_eq!(scope.crl_number.unwrap().to_string(), "256");
        assert_eq!(scope.base_crl_number.unwrap().to_string(), "9");
        assert!(!scope.is_complete() && scope.has_unknown_critical_entries);
        assert_eq!((scope.digest, scope.issuer()), (parts.scope.digest, parts.scope.issuer()));
        assert_eq!(scope.signature_algorithm(), ALGORITHM);
    }

    #[test]
    fn numbers_compare_by_value() {
        let number = |contents: &[u8]| CrlNumber::from_contents(contents);
        assert!(number(&[0, 0x80]) < number(&[1, 0]) && number(&[2]) < number(&[0, 0x80]));
        assert_eq!(number(&[0xff]), None, "negative");
        assert!(number(&[0x7f; 20]).is_some() && number(&[0x7f; 21]).is_none());
        assert_eq!(number(&[0x7f; 20]).unwrap().to_string(), format!("0x{}", "7f".repeat(20)));
    }
}
