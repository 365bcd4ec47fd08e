//! What a verdict rested on, kept so that it can be given again.
//!
//! Everything is kept once, by the SHA-256 of its octets. A [`FactsRecord`] names the objects that were at hand for a
//! verdict; it is an object itself, and the same for every verdict until something of it changes. Each object that is kept
//! for the first time is an entry of the journal, so that a time-stamped checkpoint of the log proves that it existed.

use super::RegistryError;
use crate::crypto::Digest;
use crate::report::Time;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// A certificate, DER.
    Certificate,
    /// A revocation list, DER.
    RevocationList,
    /// An OCSP response, DER.
    OcspResponse,
    /// A policy, JSON.
    Policy,
    /// A [`FactsRecord`], JSON.
    Facts,
}

impl EvidenceKind {
    /// The name in the store and in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            EvidenceKind::Certificate => "certificate",
            EvidenceKind::RevocationList => "revocation-list",
            EvidenceKind::OcspResponse => "ocsp-response",
            EvidenceKind::Policy => "policy",
            EvidenceKind::Facts => "facts",
        }
    }
}

impl fmt::Display for EvidenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An object to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceObject {
    /// What it is.
    pub kind: EvidenceKind,
    /// SHA-256 of its octets.
    pub digest: Digest,
    /// The octets; `None` for a list that the archive of lists has under this digest.
    pub octets: Option<Arc<[u8]>>,
}

impl EvidenceObject {
    /// An object with its octets.
    pub fn new(kind: EvidenceKind, octets: impl Into<Arc<[u8]>>) -> EvidenceObject {
        let octets = octets.into();
        EvidenceObject { kind, digest: Digest::sha256(&octets), octets: Some(octets) }
    }
}

/// A source that was asked in vain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SilentSource {
    /// Which one.
    pub source: String,
    /// What became of it.
    pub cause: String,
}

/// The facts that a verdict rested on, by digest, in the order in which they were at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactsRecord {
    /// The software that judged.
    pub software: String,
    /// The policy.
    pub policy: Digest,
    /// Trust anchors.
    pub trust_anchors: Vec<Digest>,
    /// Certificates that were not trusted by themselves.
    pub intermediates: Vec<Digest>,
    /// Revocation lists.
    pub lists: Vec<Digest>,
    /// OCSP responses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responses: Vec<Digest>,
    /// Sources that were asked in vain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unavailable: Vec<SilentSource>,
}

/// The facts of a verdict with their objects, ready to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatheredFacts {
    /// Digest of the record.
    pub digest: Digest,
    /// The record first, then everything that it names.
    pub objects: Vec<EvidenceObject>,
}

impl GatheredFacts {
    /// A record and the objects that it names.
    ///
    /// # Errors
    /// The record cannot be written as JSON.
    pub fn new(record: &FactsRecord, named: Vec<EvidenceObject>) -> Result<GatheredFacts, serde_json::Error> {
        let first = EvidenceObject::new(EvidenceKind::Facts, serde_json::to_vec(record)?);
        let digest = first.digest;
        Ok(GatheredFacts { digest, objects: std::iter::once(first).chain(named).collect() })
    }
}

/// Keeps evidence.
pub trait EvidenceStore: Send + Sync {
    /// Keeps what is not kept yet, on disk when this answers, each new object with its row in the journal. Cheap where all
    /// of it is kept.
    ///
    /// # Errors
    /// [`RegistryError`]; then a report that refers to it must not be recorded.
    fn keep(&self, facts: &GatheredFacts, at: Time) -> Result<(), RegistryError>;

    /// An object by digest, compared; `None` where it was never kept.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`] where it was kept and is not there, or is another.
    fn object(&self, digest: &Digest) -> Result<Option<Vec<u8>>, RegistryError>;
}
