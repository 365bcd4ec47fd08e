//! Signing: secret values, in time that does not depend on them.
//!
//! *Invariant:* no branch and no index depends on the private scalar or on a nonce. What may be learnt from the time
//! is whether a nonce was refused, which says nothing about the next one.

use std::sync::OnceLock;

use zeroize::{Zeroize, Zeroizing};

use super::curve::{Affine, Curve, Scalar};
use super::field::Element;
use super::limbs::Limbs;
use super::nonce::{HEDGE_LEN, NonceSeed, Nonces};
use super::{GostByteOrder, GostError, digest_to_scalar};

/// A private scalar between one and the order less one.
pub(super) struct SecretScalar<C: Curve> {
    scalar: Scalar<C>,
    /// What hides the scalar where its seed is made.
    noise: Zeroizing<[u8; HEDGE_LEN]>,
    /// Made at the first signature.
    seed: OnceLock<NonceSeed>,
}

impl<C: Curve> Drop for SecretScalar<C> {
    fn drop(&mut self) {
        self.scalar.zeroize();
    }
}

impl<C: Curve> SecretScalar<C> {
    /// The scalar of exactly as many little-endian octets as the order has.
    pub(super) fn from_le_bytes(bytes: &[u8]) -> Result<Self, GostError> {
        let integer = Zeroizing::new(C::Limbs::from_le_bytes(bytes).ok_or(GostError::Length)?);
        let scalar = Scalar::<C>::from_nonzero_integer(*integer).ok_or(GostError::ScalarOutOfRange)?;
        Ok(Self { scalar, noise: Zeroizing::new([0; HEDGE_LEN]), seed: OnceLock::new() })
    }

    /// The same scalar with nonces from another seed.
    pub(super) fn with_noise(mut self, noise: &[u8; HEDGE_LEN]) -> Self {
        *self.noise = *noise;
        self.seed = OnceLock::new();
        self
    }

    /// `d·G`.
    pub(super) fn public_point(&self) -> Affine<C> {
        C::tables().multiply_secret(self.scalar).to_affine()
    }

    /// RFC 7091 §6.1.
    pub(super) fn sign_digest(
        &self,
        digest: &[u8],
        hedge: &[u8; HEDGE_LEN],
        order: GostByteOrder,
    ) -> Result<Vec<u8>, GostError> {
        let e = digest_to_scalar::<C>(digest)?;
        let seed = self.seed.get_or_init(|| NonceSeed::new(&*Zeroizing::new(self.scalar.integer()), &self.noise));
        let mut nonces = Nonces::new(seed, &e.integer(), hedge);
        loop {
            let nonce = Zeroizing::new(nonces.scalar::<C>());
            if let Some(signature) = self.sign_with_nonce(e, &nonce, order) {
                return Ok(signature);
            }
            nonces.advance();
        }
    }

    /// The signature with a given nonce; `None` where `r` or `s` is zero, which asks for another nonce.
    pub(super) fn sign_with_nonce(&self, e: Scalar<C>, nonce: &Scalar<C>, order: GostByteOrder) -> Option<Vec<u8>> {
        let mut point = C::tables().multiply_secret(*nonce);
        let r: Scalar<C> = Element::reduce(point.to_affine().x.integer());
        point.zeroize();
        let s = r * self.scalar + *nonce * e;
        if r.is_zero() || s.is_zero() {
            return None;
        }
        let len = C::Limbs::WORDS * 8;
        let mut signature = vec![0; 2 * len];
        let (first, second) = signature.split_at_mut(len);
        r.integer().write_le_bytes(first);
        s.integer().write_le_bytes(second);
        if order == GostByteOrder::Tc26 {
            signature.reverse();
        }
        Some(signature)
    }
}
