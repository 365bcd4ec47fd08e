//! Proofs of existence: at which time an object is proven to have existed (EN 319 102-1 §5.6.2.3).
//!
//! *Invariant:* a proof comes from a time-stamp token that was validated, or it is the present; it only moves backward.

use crate::crypto::Digest;
use crate::report::Time;
use std::collections::HashMap;

/// Objects and the earliest time at which each is proven to have existed, by the SHA-256 of their encodings.
pub(super) struct Proofs {
    now: Time,
    earliest: HashMap<Digest, Time>,
}

impl Proofs {
    /// Everything at hand is proven to exist now (§5.6.3.4 step 2).
    pub(super) fn new(now: Time) -> Proofs {
        Proofs { now, earliest: HashMap::new() }
    }

    /// The earliest time at which an object is proven to have existed.
    pub(super) fn of(&self, object: &Digest) -> Time {
        self.earliest.get(object).copied().unwrap_or(self.now)
    }

    /// Takes note that an object existed at a time.
    pub(super) fn add(&mut self, object: Digest, at: Time) {
        let known = self.earliest.entry(object).or_insert(self.now);
        *known = at.min(*known);
    }
}
