//! GOST 34.10-2015 and GOST 34.310-2004: verification and signing (RFC 7091; `r = x(kG) mod q`, `s = r·d + k·e mod q`).
//!
//! The Kazakh algorithms are those of GOST R 34.10-2012 and GOST R 34.10-2001 on the curves of [`ParameterSet`]; object
//! identifiers and the byte order of the signature differ. Digests come in as raw octets and are read as little-endian
//! integers, which is how both countries' encodings read them.
//!
//! *Invariant:* a [`PublicKey`] is a point of order `q` on a named curve; verification handles public values and may
//! take time that depends on them; everything that touches a [`SecretKey`] or a nonce does not branch on it or index
//! by it (`docs/gost.md` has the review and the measurement).

mod curve;
pub(super) mod encoding;
mod field;
mod fixed_base;
mod inversion;
mod limbs;
mod nonce;
mod parameters;
mod sign;
mod verify;

pub use nonce::HEDGE_LEN;

use std::fmt;

use super::GostByteOrder;
use curve::Affine;
use fixed_base::Quarters;
use limbs::Limbs;
use parameters::{CryptoProA, Tc26A256, Tc26A512};
use sign::SecretScalar;

/// A named curve; messages choose among these and never bring their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParameterSet {
    /// id-tc26-gost-3410-2012-512-paramSetA (RFC 7836 §A.2).
    Tc26A512,
    /// id-tc26-gost-3410-2012-256-paramSetA (RFC 7836 §A.2).
    Tc26A256,
    /// id-GostR3410-2001-CryptoPro-A-ParamSet (RFC 4357 §11.4).
    CryptoProA,
}

impl ParameterSet {
    /// Bytes of a coordinate, of a scalar and of half a signature.
    pub const fn coordinate_len(self) -> usize {
        match self {
            ParameterSet::Tc26A512 => 64,
            ParameterSet::Tc26A256 | ParameterSet::CryptoProA => 32,
        }
    }
}

impl ParameterSet {
    /// `count` products in the field of the coordinates, two at a time: what benchmarks count in.
    #[doc(hidden)]
    pub fn multiply_in_field(self, count: u32) -> u64 {
        fn products<C: curve::Curve>(count: u32) -> u64 {
            let Affine { x, y } = Affine::<C>::generator();
            let (mut a, mut b) = (x + y, y);
            for _ in 0..count / 2 {
                (a, b) = (a * y, b * y);
            }
            (a + b).integer().words().first().copied().unwrap_or_default()
        }
        match self {
            ParameterSet::Tc26A512 => products::<Tc26A512>(count),
            ParameterSet::Tc26A256 => products::<Tc26A256>(count),
            ParameterSet::CryptoProA => products::<CryptoProA>(count),
        }
    }
}

/// Why a key or a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GostError {
    /// Octets of another length than the parameter set has.
    #[error("length does not fit the parameter set")]
    Length,
    /// A coordinate that is not below the prime, or a point off the curve or outside the subgroup.
    #[error("not a point of the curve")]
    NotOnCurve,
    /// A private scalar of zero, or not below the order.
    #[error("scalar out of range")]
    ScalarOutOfRange,
    /// `r` or `s` is zero, or not below the order.
    #[error("signature component out of range")]
    ComponentOutOfRange,
    /// The equation does not hold.
    #[error("signature does not verify")]
    Mismatch,
}

#[derive(Clone, Debug)]
enum Point {
    Tc26A512(Affine<Tc26A512>),
    Tc26A256(Affine<Tc26A256>),
    CryptoProA(Affine<CryptoProA>),
}

/// A public key: a point of order `q`.
#[derive(Clone, Debug)]
pub struct PublicKey(Point);

macro_rules! for_point {
    ($point:expr, $bound:ident => $result:expr) => {
        match $point {
            Point::Tc26A512($bound) => $result,
            Point::Tc26A256($bound) => $result,
            Point::CryptoProA($bound) => $result,
        }
    };
}

impl PublicKey {
    /// A key from `x ‖ y`, little-endian each (RFC 9215 §4.3).
    ///
    /// # Errors
    /// [`GostError::Length`], [`GostError::NotOnCurve`].
    pub fn from_point(parameters: ParameterSet, point: &[u8]) -> Result<PublicKey, GostError> {
        Ok(PublicKey(match parameters {
            ParameterSet::Tc26A512 => Point::Tc26A512(verify::point_from_bytes(point)?),
            ParameterSet::Tc26A256 => Point::Tc26A256(verify::point_from_bytes(point)?),
            ParameterSet::CryptoProA => Point::CryptoProA(verify::point_from_bytes(point)?),
        }))
    }

    /// The curve.
    pub fn parameters(&self) -> ParameterSet {
        match self.0 {
            Point::Tc26A512(_) => ParameterSet::Tc26A512,
            Point::Tc26A256(_) => ParameterSet::Tc26A256,
            Point::CryptoProA(_) => ParameterSet::CryptoProA,
        }
    }

    /// `x ‖ y`, little-endian each.
    pub fn to_point(&self) -> Vec<u8> {
        for_point!(&self.0, point => verify::point_to_bytes(point))
    }

    /// The key with multiples of its point.
    pub fn prepare(&self) -> PreparedPublicKey {
        PreparedPublicKey(match &self.0 {
            Point::Tc26A512(point) => PreparedPoint::Tc26A512(Quarters::of_key(*point)),
            Point::Tc26A256(point) => PreparedPoint::Tc26A256(Quarters::of_key(*point)),
            Point::CryptoProA(point) => PreparedPoint::CryptoProA(Quarters::of_key(*point)),
        })
    }

    /// Verifies a signature of a digest.
    ///
    /// # Errors
    /// [`GostError::Length`], [`GostError::ComponentOutOfRange`], [`GostError::Mismatch`].
    pub fn verify_digest(&self, digest: &[u8], signature: &[u8], order: GostByteOrder) -> Result<(), GostError> {
        for_point!(&self.0, point => verify::verify_digest(point, digest, signature, order))
    }
}

#[derive(Clone, Debug)]
enum PreparedPoint {
    Tc26A512(Quarters<Tc26A512>),
    Tc26A256(Quarters<Tc26A256>),
    CryptoProA(Quarters<CryptoProA>),
}

/// A public key with multiples of its point: preparing costs less than a verification, and each one after it takes
/// less than half the time. For keys that verify again and again, as those of authorities do.
#[derive(Clone, Debug)]
pub struct PreparedPublicKey(PreparedPoint);

impl PreparedPublicKey {
    /// Verifies a signature of a digest.
    ///
    /// # Errors
    /// As [`PublicKey::verify_digest`].
    pub fn verify_digest(&self, digest: &[u8], signature: &[u8], order: GostByteOrder) -> Result<(), GostError> {
        match &self.0 {
            PreparedPoint::Tc26A512(point) => verify::verify_digest_prepared(point, digest, signature, order),
            PreparedPoint::Tc26A256(point) => verify::verify_digest_prepared(point, digest, signature, order),
            PreparedPoint::CryptoProA(point) => verify::verify_digest_prepared(point, digest, signature, order),
        }
    }
}

enum Secret {
    Tc26A512(SecretScalar<Tc26A512>),
    Tc26A256(SecretScalar<Tc26A256>),
    CryptoProA(SecretScalar<CryptoProA>),
}

/// A private key, wiped when dropped.
pub struct SecretKey(Secret);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl SecretKey {
    /// A key from its scalar, little-endian: how keys of 2015 are stored.
    ///
    /// # Errors
    /// [`GostError::Length`], [`GostError::ScalarOutOfRange`].
    pub fn from_le_bytes(parameters: ParameterSet, scalar: &[u8]) -> Result<SecretKey, GostError> {
        Ok(SecretKey(match parameters {
            ParameterSet::Tc26A512 => Secret::Tc26A512(SecretScalar::from_le_bytes(scalar)?),
            ParameterSet::Tc26A256 => Secret::Tc26A256(SecretScalar::from_le_bytes(scalar)?),
            ParameterSet::CryptoProA => Secret::CryptoProA(SecretScalar::from_le_bytes(scalar)?),
        }))
    }

    /// A key from its scalar as an unsigned big-endian integer of at most the parameter set's length: how keys of
    /// GOST 34.310-2004 are stored.
    ///
    /// # Errors
    /// [`GostError::Length`], [`GostError::ScalarOutOfRange`].
    pub fn from_be_bytes(parameters: ParameterSet, scalar: &[u8]) -> Result<SecretKey, GostError> {
        let len = parameters.coordinate_len();
        if scalar.len() > len {
            return Err(GostError::Length);
        }
        let mut little = zeroize::Zeroizing::new(Vec::with_capacity(len));
        little.extend(scalar.iter().rev());
        little.resize(len, 0);
        SecretKey::from_le_bytes(parameters, &little)
    }

    /// The same key with nonces from a seed of its own: fresh randomness, drawn once, that hides the private scalar
    /// where the seed is made (see [`nonce`]). Without it the seed follows from the scalar alone.
    #[must_use]
    pub fn with_noise(self, noise: &[u8; HEDGE_LEN]) -> SecretKey {
        SecretKey(match self.0 {
            Secret::Tc26A512(scalar) => Secret::Tc26A512(scalar.with_noise(noise)),
            Secret::Tc26A256(scalar) => Secret::Tc26A256(scalar.with_noise(noise)),
            Secret::CryptoProA(scalar) => Secret::CryptoProA(scalar.with_noise(noise)),
        })
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(match &self.0 {
            Secret::Tc26A512(scalar) => Point::Tc26A512(scalar.public_point()),
            Secret::Tc26A256(scalar) => Point::Tc26A256(scalar.public_point()),
            Secret::CryptoProA(scalar) => Point::CryptoProA(scalar.public_point()),
        })
    }

    /// Signs a digest. `hedge` is fresh randomness; see [`nonce`] for what it adds to the deterministic nonce.
    ///
    /// # Errors
    /// [`GostError::Length`] for a digest of another length than the parameter set has.
    pub fn sign_digest(
        &self,
        digest: &[u8],
        hedge: &[u8; HEDGE_LEN],
        order: GostByteOrder,
    ) -> Result<Vec<u8>, GostError> {
        match &self.0 {
            Secret::Tc26A512(scalar) => scalar.sign_digest(digest, hedge, order),
            Secret::Tc26A256(scalar) => scalar.sign_digest(digest, hedge, order),
            Secret::CryptoProA(scalar) => scalar.sign_digest(digest, hedge, order),
        }
    }
}

/// The integer `e` of a digest: little-endian, modulo the order, and one in place of zero (RFC 7091 §6.1 step 2).
fn digest_to_scalar<C: curve::Curve>(digest: &[u8]) -> Result<curve::Scalar<C>, GostError> {
    let e = curve::Scalar::<C>::reduce(C::Limbs::from_le_bytes(digest).ok_or(GostError::Length)?);
    Ok(if e.is_zero() { field::Element::ONE } else { e })
}

#[cfg(test)]
mod tests;
