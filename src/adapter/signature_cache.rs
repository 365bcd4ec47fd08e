//! Signatures of certificates and lists that were found good, remembered.
//!
//! *Invariant:* only a pure fact is kept: these octets verify under this key. Time, revocation and policy are judged
//! anew each time (attack 33), and the document's own signature is never looked up here.

use crate::crypto::Digest;
use crate::verify::certificate::SignatureCache;
use moka::sync::Cache;

/// Most facts kept: the certificates of a busy day's applicants, about 200 bytes each. The least used go first.
const MAX_FACTS: u64 = 65_536;

/// Facts shared by all threads. The map is keyed at random, so that nobody chooses its collisions.
#[derive(Clone, Debug)]
pub struct KnownSignatures(Cache<(Digest, Digest), ()>);

impl Default for KnownSignatures {
    fn default() -> KnownSignatures {
        KnownSignatures(Cache::new(MAX_FACTS))
    }
}

impl SignatureCache for KnownSignatures {
    fn is_known_good(&self, object: &Digest, key: &Digest) -> bool {
        self.0.contains_key(&(*object, *key))
    }

    fn remember_good(&self, object: &Digest, key: &Digest) {
        self.0.insert((*object, *key), ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_about_these_octets_under_this_key() {
        let facts = KnownSignatures::default();
        let (object, key) = (Digest::sha256(b"certificate"), Digest::sha256(b"key"));
        facts.remember_good(&object, &key);
        assert!(facts.is_known_good(&object, &key));
        assert!(!facts.is_known_good(&key, &object));
        assert!(!facts.is_known_good(&object, &Digest::sha256(b"another key")));
    }
}
