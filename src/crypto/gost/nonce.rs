//! Nonces: the construction of RFC 6979 §3.2 over HMAC with Streebog, hedged with the caller's randomness.
//!
//! The layout is that of draft-irtf-cfrg-det-sigs-with-noise: the noise comes first and fills its block, the private
//! key has a block of its own behind it. Streebog looks its substitution up in tables, so its memory accesses depend
//! on what it hashes; with fresh noise in front, the chaining value that masks the private key is unknown and new for
//! every signature, and the accesses say nothing that could be put together over many of them.
//!
//! *Invariant:* with equal key, digest and noise the nonce is equal; with either the noise or the RFC 6979 part
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

/// The generator `(K, V)` of RFC 6979 §3.2.
pub(super) struct Nonces {
    key: Octets,
    value: Octets,
}

impl Nonces {
    /// Steps (b) to (g). `secret` and `digest` are integers below the order.
    pub(super) fn new<L: Limbs>(secret: &L, digest: &L, hedge: &[u8; HEDGE_LEN]) -> Self {
        let len = L::WORDS * 8;
        let mut nonces = Self { key: Zeroizing::new(vec![0; len]), value: Zeroizing::new(vec![1; len]) };
        let (secret, digest) = (big_endian(secret), big_endian(digest));
        for step in [0, 1] {
            let mut seed = Zeroizing::new(Vec::with_capacity(5 * BLOCK_LEN));
            seed.extend_from_slice(&nonces.value);
            seed.push(step);
            seed.extend_from_slice(hedge);
            pad(&mut seed);
            seed.extend_from_slice(&secret);
            pad(&mut seed);
            seed.extend_from_slice(&digest);
            nonces.key = hmac(&nonces.key, &seed);
            nonces.value = hmac(&nonces.key, &nonces.value);
        }
        nonces
    }

    /// Step (h): the next scalar that is neither zero nor above the order. One block of output is as long as the
    /// order, so the loop of (h.2) is one step.
    ///
    /// Whether a candidate is refused says nothing about the one that is taken.
    pub(super) fn next<C: Curve>(&mut self) -> Scalar<C> {
        loop {
            self.value = hmac(&self.key, &self.value);
            let candidate = from_big_endian::<C::Limbs>(&self.value, C::Limbs::WORDS * 64 - C::ORDER_BITS);
            if let Some(scalar) = Element::from_nonzero_integer(candidate) {
                return scalar;
            }
            self.reseed();
        }
    }

    /// Step (h.3) after a candidate that could not be used.
    pub(super) fn reseed(&mut self) {
        let mut seed = self.value.clone();
        seed.push(0);
        self.key = hmac(&self.key, &seed);
        self.value = hmac(&self.key, &self.value);
    }
}

/// Zeros up to a whole number of blocks.
fn pad(seed: &mut Vec<u8>) {
    let len = seed.len().next_multiple_of(BLOCK_LEN);
    seed.resize(len, 0);
}

fn hmac(key: &[u8], message: &[u8]) -> Octets {
    fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Octets {
        match <M as KeyInit>::new_from_slice(key) {
            Ok(mac) => Zeroizing::new(mac.chain_update(message).finalize().into_bytes().to_vec()),
            // HMAC takes keys of every length.
            Err(_) => Zeroizing::new(Vec::new()),
        }
    }
    if key.len() == 32 { mac::<Hmac<Streebog256>>(key, message) } else { mac::<Hmac<Streebog512>>(key, message) }
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
