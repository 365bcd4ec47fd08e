//! A list of the store as path validation sees it.

use super::index::{Index, IndexError};
use crate::crypto::{Digest, DigestAlgorithm, SignatureError};
use crate::pki::crl::{CrlScope, RevocationList, RevokedEntry};
use crate::pki::{Name, SubjectPublicKeyInfo, VerificationError};
use std::fs::File;

/// Whether a list stands on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// A complete list for its scope.
    Complete,
    /// A delta, of use beside its base only.
    Delta,
}

impl ListKind {
    /// What a scope says of its list.
    pub fn of(scope: &CrlScope) -> ListKind {
        if scope.is_complete() { ListKind::Complete } else { ListKind::Delta }
    }

    /// One word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            ListKind::Complete => "complete",
            ListKind::Delta => "delta",
        }
    }
}

/// A verified list: its scope, and a mapped index of its entries.
#[derive(Debug)]
pub struct IndexedList {
    scope: CrlScope,
    signer: Digest,
    index: Index,
}

impl IndexedList {
    pub(super) fn open(file: File) -> Result<IndexedList, IndexError> {
        let index = Index::open(file)?;
        let digest = |octets| Digest::from_octets(DigestAlgorithm::Sha256, octets).ok_or(IndexError::Damaged);
        // Lists with an unknown critical entry extension are not imported.
        let scope = CrlScope::from_skeleton(index.frame(), digest(index.source())?, false);
        Ok(IndexedList { scope: scope.map_err(|_| IndexError::Damaged)?, signer: digest(index.signer())?, index })
    }

    /// Complete or delta.
    pub fn kind(&self) -> ListKind {
        ListKind::of(&self.scope)
    }

    /// How many certificates it lists.
    pub fn entries(&self) -> usize {
        self.index.entries()
    }

    /// Octets of the index on disk and in memory that is shared.
    pub fn index_octets(&self) -> usize {
        self.index.octets()
    }

    /// Octets of the list as received.
    pub fn source_octets(&self) -> u64 {
        self.index.source_octets()
    }

    /// SHA-256 of the SubjectPublicKeyInfo under which the signature was verified.
    pub fn signer(&self) -> &Digest {
        &self.signer
    }
}

impl RevocationList for IndexedList {
    fn scope(&self) -> &CrlScope {
        &self.scope
    }

    fn find(&self, certificate_issuer: &Name<'_>, serial_number: &[u8]) -> Option<RevokedEntry> {
        let own = match *certificate_issuer == self.scope.issuer() {
            true => self.index.find_own(serial_number),
            false => None,
        };
        own.or_else(|| self.index.find_named(certificate_issuer, serial_number))
    }

    /// The signature was verified when the list was imported; what is left to compare is whose it was.
    fn verify_signature(&self, key: &SubjectPublicKeyInfo) -> Result<(), VerificationError> {
        match *key.digest() == self.signer {
            true => Ok(()),
            false => Err(SignatureError::Invalid.into()),
        }
    }
}
