//! Nonces: the construction of RFC 6979 §3.2 over HMAC with Streebog, hedged with the caller's randomness.
//!
//! The construction is taken in two parts. *Once a key*, [`NonceSeed`] runs steps (b) to (g) over the private key with
//! noise before it; *for every signature*, [`Nonces`] updates that state with new noise and the digest, as step (f) does,
//! and goes on with step (h). The nonce is a pseudo-random function of noise and digest under a key that nobody knows
//! without the private one, which is what RFC 6979 §3.3 rests on, for a third of the compressions: see
//! `docs/adr/gost-nonce.md`.
//!
//! Streebog looks its substitution up in tables, so its memory accesses depend on what it hashes. The private key is
//! hashed when its seed is made and never again, behind noise that fills a block of its own
//! (draft-irtf-cfrg-det-sigs-with-noise); what is hashed for a signature depends on the seed alone, and is new each time.
//!
//! *Invariant:* with equal seed, digest and noise the nonce is equal; with either the noise or the RFC 6979 part
//! unbroken it is unpredictable.

use hmac::{Hmac, KeyInit, Mac};
use streebog::{Streebog256, Streebog512};
use zeroize::Zeroizing;

use super::curve::{Curve, Scalar};
use super::field::Element;
use super::limbs::Limbs;

/// Bytes of noise for one signature: as many as the security level of the longest key.
pub const HEDGE_LEN: usize = 32;
/// Block of Streebog in bytes (GOST 34.11-2015 §4).
const BLOCK_LEN: usize = 64;

/// Octets of a secret, wiped when dropped.
type Octets = Zeroizing<Vec<u8>>;

/// HMAC under a key of the length of its digest, as far as it has read; wiped when dropped.
#[derive(Clone)]
enum Keyed {
    Short(Hmac<Streebog256>),
    Long(Hmac<Streebog512>),
}

impl Keyed {
    fn new(key: &[u8]) -> Self {
        // HMAC takes keys of every length up to a block as they are.
        fn padded(key: &[u8]) -> Zeroizing<[u8; BLOCK_LEN]> {
            let mut block = Zeroizing::new([0; BLOCK_LEN]);
            block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
            block
        }
        let block = padded(key);
        if key.len() == 32 {
            Keyed::Short(Hmac::new((&*block).into()))
        } else {
            Keyed::Long(Hmac::new((&*block).into()))
        }
    }

    fn and(mut self, octets: &[u8]) -> Self {
        match &mut self {
            Keyed::Short(mac) => mac.update(octets),
            Keyed::Long(mac) => mac.update(octets),
        }
        self
    }

    fn finish(self) -> Octets {
        match self {
            Keyed::Short(mac) => Zeroizing::new(mac.finalize().into_bytes().to_vec()),
            Keyed::Long(mac) => Zeroizing::new(mac.finalize().into_bytes().to_vec()),
        }
    }
}

/// The generator's state that belongs to a key: `(K, V)` after step (g), with `V ‖ 00` read under `K` already.
pub(super) struct NonceSeed {
    keyed: Keyed,
    value: Octets,
}

impl NonceSeed {
    /// Steps (b) to (g) over the private key, an integer below the order.
    pub(super) fn new<L: Limbs>(secret: &L, noise: &[u8; HEDGE_LEN]) -> Self {
        let len = L::WORDS * 8;
        let (mut key, mut value): (Octets, Octets) = (Zeroizing::new(vec![0; len]), Zeroizing::new(vec![1; len]));
        let secret = big_endian(secret);
        for step in [0, 1] {
            let mut seed = Zeroizing::new(Vec::with_capacity(4 * BLOCK_LEN));
            seed.extend_from_slice(&value);
            seed.push(step);
            seed.extend_from_slice(noise);
            pad(&mut seed);
            seed.extend_from_slice(&secret);
            key = Keyed::new(&key).and(&seed).finish();
            value = Keyed::new(&key).and(&value).finish();
        }
        Self { keyed: Keyed::new(&key).and(&value).and(&[0]), value }
    }
}

/// The generator `(K, V)` of one signature.
pub(super) struct Nonces {
    keyed: Keyed,
    value: Octets,
}

impl Nonces {
    /// Step (f) with the noise and the digest, an integer below the order.
    pub(super) fn new<L: Limbs>(seed: &NonceSeed, digest: &L, hedge: &[u8; HEDGE_LEN]) -> Self {
        let key = seed.keyed.clone().and(hedge).and(&big_endian(digest)).finish();
        Self { keyed: Keyed::new(&key), value: seed.value.clone() }
    }

    /// Step (h): the next scalar that is neither zero nor above the order. One block of output is as long as the
    /// order, so the loop of (h.2) is one step.
    ///
    /// Whether a candidate is refused says nothing about the one that is taken.
    pub(super) fn next<C: Curve>(&mut self) -> Scalar<C> {
        loop {
            self.value = self.keyed.clone().and(&self.value).finish();
            let candidate = from_big_endian::<C::Limbs>(&self.value, C::Limbs::WORDS * 64 - C::ORDER_BITS);
            if let Some(scalar) = Element::from_nonzero_integer(candidate) {
                return scalar;
            }
            self.reseed();
        }
    }

    /// Step (h.3) after a candidate that could not be used.
    pub(super) fn reseed(&mut self) {
        self.keyed = Keyed::new(&self.keyed.clone().and(&self.value).and(&[0]).finish());
        self.value = self.keyed.clone().and(&self.value).finish();
    }
}

/// Zeros up to a whole number of blocks.
fn pad(seed: &mut Vec<u8>) {
    let len = seed.len().next_multiple_of(BLOCK_LEN);
    seed.resize(len, 0);
}

fn big_endian<L: Limbs>(integer: &L) -> Octets {
    let mut octets = Zeroizing::new(vec![0; L::WORDS * 8]);
    integer.write_le_bytes(&mut octets);
    octets.reverse();
    octets
}

/// The integer of big-endian octets, shifted right by less than a word.
fn from_big_endian<L: Limbs>(octets: &[u8], shift: usize) -> L {
    let mut little = Zeroizing::new(octets.to_vec());
    little.reverse();
    let mut integer = L::from_le_bytes(&little).unwrap_or(L::ZERO);
    if shift > 0 {
        let mut above = 0;
        for word in integer.words_mut().iter_mut().rev() {
            let low = *word << (64 - shift);
            *word = *word >> shift | above;
            above = low;
        }
    }
    integer
}
