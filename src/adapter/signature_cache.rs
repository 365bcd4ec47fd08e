//! Facts remembered from one verification to the next: signatures of certificates and lists that were found good, and
//! certificates as they were parsed.
//!
//! *Invariant:* only pure facts are kept: these octets verify under this key, these octets are this certificate. Time,
//! revocation and policy are judged anew each time (attack 33), and the document's own signature is never looked up here.

use crate::crypto::{Digest, PublicKey};
use crate::pki::{Certificate, CertificateError};
use crate::service::HitRate;
use crate::verify::certificate::SignatureCache;
use crate::verify::policy::Policy;
use moka::sync::Cache;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Most good signatures kept: the certificates of a busy day's applicants, about 200 bytes each. The least used go first.
const MAX_SIGNATURES: u64 = 65_536;
/// Octets that parsed certificates may take.
const MAX_CERTIFICATE_OCTETS: u64 = 24 << 20;
/// What a parsed certificate takes beside its encoding and its key: fields, names as printed, digests.
const OCTETS_BESIDE_ENCODING: usize = 1_536;
/// Last octets of a certificate by which it is looked up: they lie in its signature, so no two issued ones share them.
const KEY_OCTETS: usize = 32;
/// Policies kept; an installation has a handful.
const MAX_POLICIES: usize = 32;

type SignatureKey = ([u8; 32], [u8; 32]);
type CertificateKey = [u8; KEY_OCTETS];

#[derive(Debug, Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Counters {
    fn count(&self, known: bool) -> bool {
        if known { &self.hits } else { &self.misses }.fetch_add(1, Ordering::Relaxed);
        known
    }

    fn rate(&self) -> HitRate {
        HitRate { hits: self.hits.load(Ordering::Relaxed), misses: self.misses.load(Ordering::Relaxed) }
    }
}

/// What a parsed certificate may come to take.
fn weight(_: &CertificateKey, certificate: &Certificate) -> u32 {
    let key = certificate.public_key().key().map_or(0, PublicKey::memory_octets);
    u32::try_from(certificate.raw().len() + key + OCTETS_BESIDE_ENCODING).unwrap_or(u32::MAX)
}

/// Facts shared by all threads. The tables are keyed at random, so that nobody chooses their collisions, and bounded.
#[derive(Debug)]
pub struct KnownSignatures {
    signatures: Cache<SignatureKey, ()>,
    certificates: Cache<CertificateKey, Certificate>,
    policies: RwLock<Vec<(Policy, Arc<str>)>>,
    signature_hits: Counters,
    certificate_hits: Counters,
}

impl Default for KnownSignatures {
    fn default() -> KnownSignatures {
        KnownSignatures {
            signatures: Cache::new(MAX_SIGNATURES),
            certificates: Cache::builder().weigher(weight).max_capacity(MAX_CERTIFICATE_OCTETS).build(),
            policies: RwLock::default(),
            signature_hits: Counters::default(),
            certificate_hits: Counters::default(),
        }
    }
}

impl KnownSignatures {
    /// How often a signature was known.
    pub fn signature_hits(&self) -> HitRate {
        self.signature_hits.rate()
    }

    /// How often a certificate was known.
    pub fn certificate_hits(&self) -> HitRate {
        self.certificate_hits.rate()
    }
}

/// Certificates and keys are named by SHA-256; under another digest nothing is remembered.
fn key(object: &Digest, key: &Digest) -> Option<SignatureKey> {
    Some((object.as_bytes().try_into().ok()?, key.as_bytes().try_into().ok()?))
}

impl SignatureCache for KnownSignatures {
    fn is_known_good(&self, object: &Digest, by: &Digest) -> bool {
        self.signature_hits.count(key(object, by).is_some_and(|key| self.signatures.contains_key(&key)))
    }

    fn remember_good(&self, object: &Digest, by: &Digest) {
        if let Some(key) = key(object, by) {
            self.signatures.insert(key, ());
        }
    }

    fn parse_certificate(&self, der: &[u8]) -> Result<Certificate, CertificateError> {
        let Some(key) = der.last_chunk::<KEY_OCTETS>() else { return Certificate::parse(der) };
        // Every octet is compared: a forger can share a key, and then takes that one place, but is never mistaken.
        let known = self.certificates.get(key).filter(|known| known.raw() == der);
        self.certificate_hits.count(known.is_some());
        if let Some(known) = known {
            return Ok(known);
        }
        let certificate = Certificate::parse(der)?;
        self.certificates.insert(*key, certificate.clone());
        Ok(certificate)
    }

    fn policy_digest(&self, policy: &Policy) -> String {
        let known = self.policies.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, digest)) = known.iter().find(|(known, _)| known == policy) {
            return digest.as_ref().to_owned();
        }
        drop(known);
        let digest = policy.digest();
        let mut known = self.policies.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MAX_POLICIES {
            known.push((policy.clone(), digest.as_str().into()));
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demonstration::{KeyKind, World};

    #[test]
    fn a_fact_is_about_these_octets_under_this_key() {
        let facts = KnownSignatures::default();
        let (object, key) = (Digest::sha256(b"certificate"), Digest::sha256(b"key"));
        facts.remember_good(&object, &key);
        assert!(facts.is_known_good(&object, &key));
        assert!(!facts.is_known_good(&key, &object));
        assert!(!facts.is_known_good(&object, &Digest::sha256(b"another key")));
        assert_eq!(facts.signature_hits(), HitRate { hits: 1, misses: 2 });
    }

    #[test]
    fn a_certificate_that_shares_its_last_octets_with_a_known_one_is_another() {
        let world = World::new("2026-11-22T02:00:00Z".parse().unwrap(), KeyKind::P256).unwrap();
        let der = &world.root.certificate;
        let facts = KnownSignatures::default();
        let known = facts.parse_certificate(der).unwrap();
        assert_eq!(facts.parse_certificate(der).unwrap(), known);
        assert_eq!(facts.certificate_hits(), HitRate { hits: 1, misses: 1 });
        // Another serial number, the same signature value: a certificate of its own, with a digest of its own.
        let serial = known.serial_number();
        let at = der.windows(serial.len()).position(|window| window == serial).unwrap();
        let mut forged = der.clone();
        forged[at + serial.len() - 1] ^= 1;
        let other = facts.parse_certificate(&forged).unwrap();
        assert_eq!(other.raw(), forged);
        assert_ne!(other.digest(), known.digest());
        assert_eq!(facts.parse_certificate(der).unwrap().raw(), der, "nor is the genuine one taken for the forged one");
    }

    #[test]
    fn policies_that_differ_have_digests_that_differ() {
        let facts = KnownSignatures::default();
        let policy = Policy::default();
        let stricter = Policy { check_digit: crate::verify::policy::Severity::Refuse, ..Policy::default() };
        for _ in 0..2 {
            assert_eq!(facts.policy_digest(&policy), policy.digest());
            assert_eq!(facts.policy_digest(&stricter), stricter.digest());
        }
    }
}
