//! A list as the bytes that were received, with an index made at first use.

use super::{CrlError, CrlParts, CrlReason, CrlScope, Entries, RevocationList, RevokedEntry};
use crate::asn1::Reader;
use crate::pki::Name;
use crate::pki::public_key::{SubjectPublicKeyInfo, VerificationError};
use std::ops::Range;
use std::sync::OnceLock;

/// Largest list taken (`validation.md` §4): the national list had 21 MB in 2026.
pub const MAX_CRL_BYTES: usize = 256 << 20;

/// A revocation list in memory.
pub struct Crl {
    der: Box<[u8]>,
    scope: CrlScope,
    tbs: Range<usize>,
    signature: Range<usize>,
    revoked: Range<usize>,
    extensions_allowed: bool,
    entries: usize,
    index: OnceLock<Vec<Slot>>,
}

/// Where an entry stands, and which certificateIssuer holds for it.
struct Slot {
    entry: Range<usize>,
    issuer: Option<Range<usize>>,
}

impl Crl {
    /// A list from the DER of exactly one; every entry is walked.
    ///
    /// # Errors
    /// [`CrlError`].
    pub fn parse(der: &[u8]) -> Result<Crl, CrlError> {
        if der.len() > MAX_CRL_BYTES {
            return Err(CrlError::TooLarge(MAX_CRL_BYTES));
        }
        let mut parts = CrlParts::parse(der)?;
        let mut entries = 0;
        let is_indirect = parts.scope.issuing_distribution_point().is_some_and(|point| point.indirect_crl);
        for entry in parts.entries() {
            let entry = entry?;
            entries += 1;
            // RFC 5280 §5.3.3: certificateIssuer stands in indirect lists alone. In any other nobody can tell which
            // certificates the entries after it are about.
            let is_misplaced = entry.certificate_issuer.is_some() && !is_indirect;
            parts.scope.has_unknown_critical_entries |= entry.unknown_critical || is_misplaced;
        }
        let range = |part: &[u8]| {
            let start = (part.as_ptr() as usize).saturating_sub(der.as_ptr() as usize);
            start..start + part.len()
        };
        Ok(Crl {
            tbs: range(parts.tbs),
            signature: if parts.signature.is_empty() { 0..0 } else { range(parts.signature) },
            revoked: if parts.revoked.is_empty() { 0..0 } else { range(parts.revoked) },
            extensions_allowed: parts.has_entry_extensions,
            scope: parts.scope,
            entries,
            index: OnceLock::new(),
            der: der.into(),
        })
    }

    /// The whole encoding.
    pub fn raw(&self) -> &[u8] {
        &self.der
    }

    /// How many entries the list has.
    pub fn len(&self) -> usize {
        self.entries
    }

    /// Whether the list has no entry.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.der.get(range.clone()).unwrap_or_default()
    }

    fn walk(&self) -> Entries<'_> {
        Entries {
            reader: Reader::der(self.bytes(&self.revoked)),
            issuer: None,
            extensions_allowed: self.extensions_allowed,
        }
    }

    fn serial_number(&self, slot: &Slot) -> &[u8] {
        let read = |bytes| Reader::der(bytes).sequence()?.integer();
        read(self.bytes(&slot.entry)).unwrap_or_default()
    }

    /// Slots sorted by serial number.
    fn index(&self) -> &[Slot] {
        self.index.get_or_init(|| {
            let mut slots = Vec::with_capacity(self.entries);
            let mut walk = self.walk();
            loop {
                let start = self.revoked.start + walk.offset();
                let Some(Ok(entry)) = walk.next() else { break };
                let issuer = entry.certificate_issuer.map(|name| {
                    let start = (name.raw().as_ptr() as usize).saturating_sub(self.der.as_ptr() as usize);
                    start..start + name.raw().len()
                });
                slots.push(Slot { entry: start..self.revoked.start + walk.offset(), issuer });
            }
            slots.sort_by(|a, b| self.serial_number(a).cmp(self.serial_number(b)));
            slots
        })
    }
}

impl RevocationList for Crl {
    fn scope(&self) -> &CrlScope {
        &self.scope
    }

    fn raw(&self) -> Option<&[u8]> {
        Some(&self.der)
    }

    fn find(&self, certificate_issuer: &Name<'_>, serial_number: &[u8]) -> Option<RevokedEntry> {
        let index = self.index();
        let start = index.partition_point(|slot| self.serial_number(slot) < serial_number);
        let found = index
            .get(start..)?
            .iter()
            .take_while(|slot| self.serial_number(slot) == serial_number)
            .filter(|slot| match &slot.issuer {
                Some(range) => Name::reread(self.bytes(range)) == *certificate_issuer,
                None => self.scope.issuer() == *certificate_issuer,
            })
            .filter_map(|slot| {
                let mut entry = Entries {
                    reader: Reader::der(self.bytes(&slot.entry)),
                    issuer: None,
                    extensions_allowed: self.extensions_allowed,
                };
                Some(entry.next()?.ok()?.revoked)
            });
        found.min_by_key(|entry| (entry.reason == Some(CrlReason::RemoveFromCrl), entry.revocation_date))
    }

    fn verify_signature(&self, key: &SubjectPublicKeyInfo) -> Result<(), VerificationError> {
        key.verify(self.scope.signature_algorithm(), self.bytes(&self.tbs), self.bytes(&self.signature))
    }
}

impl std::fmt::Debug for Crl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Crl({}, {} entries)", self.scope.digest, self.entries)
    }
}
