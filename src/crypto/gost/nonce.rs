//! Nonces: the construction of RFC 6979 §3.2 over HMAC with Streebog, hedged with the caller's randomness.
//!
//! The construction is taken in two parts. *Once a key*, [`NonceSeed`] runs steps (b) to (g) over the private key with
//! noise before it; *for every signature*, [`Nonces`] goes on with step (h), whose first output takes new noise and the
//! digest in beside `V`. The nonce is a pseudo-random function of noise and digest under a key that nobody knows
//! without the private one, which is what RFC 6979 §3.3 rests on, for a sixth of the compressions. An output has 512 bits
//! for every curve and is reduced modulo the order, where RFC 6979 would draw again: see `docs/adr/gost-nonce.md`.
//!
//! Streebog looks its substitution up in tables, so its memory accesses depend on what it hashes. The private key is
//! hashed when its seed is made and never again, behind noise that fills a block of its own
//! (draft-irtf-cfrg-det-sigs-with-noise); what is hashed for a signature depends on the seed alone, and is new each time.
//!
//! *Invariant:* with equal seed, digest and noise the nonce is equal; with either the noise or the RFC 6979 part
//! unbroken it is unpredictable.

use hmac::{Hmac, KeyInit, Mac};
use streebog::Streebog512;
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
/// `K` or `V`: as long as a block, so that a key is used as it is.
type Output = Zeroizing<[u8; BLOCK_LEN]>;

/// HMAC with Streebog-512 as far as it has read; wiped when dropped.
#[derive(Clone)]
struct Keyed(Hmac<Streebog512>);

impl Keyed {
    fn new(key: &[u8; BLOCK_LEN]) -> Self {
        Self(Hmac::new(key.into()))
    }

    fn and(mut self, octets: &[u8]) -> Self {
        self.0.update(octets);
        self
    }

    fn finish(self) -> Output {
        Zeroizing::new(self.0.finalize().into_bytes().into())
    }
}

/// The generator's state that belongs to a key: `K` and `V` after step (g).
pub(super) struct NonceSeed {
    keyed: Keyed,
    /// The same with `V ‖ 00` read already.
    begun: Keyed,
}

impl NonceSeed {
    /// Steps (b) to (g) over the private key, an integer below the order.
    pub(super) fn new<L: Limbs>(secret: &L, noise: &[u8; HEDGE_LEN]) -> Self {
        let (mut key, mut value): (Output, Output) = (Zeroizing::new([0; BLOCK_LEN]), Zeroizing::new([1; BLOCK_LEN]));
        let secret = big_endian(secret);
        for step in [0, 1] {
            let mut seed = Zeroizing::new(Vec::with_capacity(4 * BLOCK_LEN));
            seed.extend_from_slice(&*value);
            seed.push(step);
            seed.extend_from_slice(noise);
            pad(&mut seed);
            seed.extend_from_slice(&secret);
            key = Keyed::new(&key).and(&seed).finish();
            value = Keyed::new(&key).and(&*value).finish();
        }
        let keyed = Keyed::new(&key);
        Self { begun: keyed.clone().and(&*value).and(&[0]), keyed }
    }
}

/// The generator `(K, V)` of one signature.
pub(super) struct Nonces {
    keyed: Keyed,
    value: Output,
}

impl Nonces {
    /// Step (h.2) with the noise and the digest, an integer below the order.
    pub(super) fn new<L: Limbs>(seed: &NonceSeed, digest: &L, hedge: &[u8; HEDGE_LEN]) -> Self {
        let value = seed.begun.clone().and(hedge).and(&big_endian(digest)).finish();
        Self { keyed: seed.keyed.clone(), value }
    }

    /// The scalar of the output, or of the first one after it that is not zero.
    pub(super) fn scalar<C: Curve>(&mut self) -> Scalar<C> {
        loop {
            let scalar = reduced::<C>(&self.value);
            if !scalar.is_zero() {
                return scalar;
            }
            self.advance();
        }
    }

    /// The next output after one that could not be used: step (h.3), and (h.2) again.
    pub(super) fn advance(&mut self) {
        self.keyed = Keyed::new(&self.keyed.clone().and(&*self.value).and(&[0]).finish());
        for _ in 0..2 {
            self.value = self.keyed.clone().and(&*self.value).finish();
        }
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

/// The big-endian integer of 512 bits modulo the order. What is left of the order's 256 bits, or of an order that lies
/// within 2^255 of 2^512, is uniform but for 2^−255 (the method of extra bits, FIPS 186-5 §A.3.1).
fn reduced<C: Curve>(octets: &[u8; BLOCK_LEN]) -> Scalar<C> {
    let len = C::Limbs::WORDS * 8;
    let mut all_ones = C::Limbs::ZERO;
    all_ones.words_mut().fill(u64::MAX);
    let shift = Scalar::<C>::reduce(all_ones) + Element::ONE;
    octets.chunks_exact(len).fold(Element::ZERO, |above: Scalar<C>, chunk| {
        let mut little = Zeroizing::new(chunk.to_vec());
        little.reverse();
        above * shift + Element::reduce(C::Limbs::from_le_bytes(&little).unwrap_or(C::Limbs::ZERO))
    })
}
