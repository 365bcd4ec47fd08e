//! Verification: public values alone, in time that depends on them.
//!
//! *Invariant:* `r` and `s` are between one and the order less one before anything is computed.

use super::curve::{Affine, Curve, Jacobian, Scalar, multiply_public};
use super::field::{Element, Modulus};
use super::fixed_base::Quarters;
use super::limbs::Limbs;
use super::{GostByteOrder, GostError, digest_to_scalar};

/// A point from `x ‖ y`, little-endian each, checked to have the order of the generator.
pub(super) fn point_from_bytes<C: Curve>(bytes: &[u8]) -> Result<Affine<C>, GostError> {
    let len = C::Limbs::WORDS * 8;
    if bytes.len() != 2 * len {
        return Err(GostError::Length);
    }
    let (x, y) = bytes.split_at(len);
    let x = C::Limbs::from_le_bytes(x).ok_or(GostError::Length)?;
    let y = C::Limbs::from_le_bytes(y).ok_or(GostError::Length)?;
    let point = Affine::<C>::from_coordinates(x, y).ok_or(GostError::NotOnCurve)?;
    // With a cofactor of one every point of the curve is in the subgroup.
    if C::COFACTOR != 1 && !multiply_public(&point, C::Scalar::PRIME).is_infinity() {
        return Err(GostError::NotOnCurve);
    }
    Ok(point)
}

/// `x ‖ y`, little-endian each.
pub(super) fn point_to_bytes<C: Curve>(point: &Affine<C>) -> Vec<u8> {
    let mut bytes = vec![0; 16 * C::Limbs::WORDS];
    let (x, y) = bytes.split_at_mut(8 * C::Limbs::WORDS);
    point.x.integer().write_le_bytes(x);
    point.y.integer().write_le_bytes(y);
    bytes
}

/// Splits a signature into `(r, s)`.
fn components<C: Curve>(signature: &[u8], order: GostByteOrder) -> Result<(C::Limbs, C::Limbs), GostError> {
    let len = C::Limbs::WORDS * 8;
    if signature.len() != 2 * len {
        return Err(GostError::Length);
    }
    // s ‖ r with both big-endian is r ‖ s with both little-endian, read backwards.
    let reversed: Vec<u8>;
    let signature = match order {
        GostByteOrder::Kazakh => signature,
        GostByteOrder::Tc26 => {
            reversed = signature.iter().rev().copied().collect();
            &reversed
        }
    };
    let (r, s) = signature.split_at(len);
    let r = C::Limbs::from_le_bytes(r).ok_or(GostError::Length)?;
    let s = C::Limbs::from_le_bytes(s).ok_or(GostError::Length)?;
    Ok((r, s))
}

/// RFC 7091 §6.2 under a key met once.
pub(super) fn verify_digest<C: Curve>(
    key: &Affine<C>,
    digest: &[u8],
    signature: &[u8],
    order: GostByteOrder,
) -> Result<(), GostError> {
    verify(digest, signature, order, |z1, z2| C::tables().multiply_add_public(z1, key, z2))
}

/// The same under a key whose multiples are at hand.
pub(super) fn verify_digest_prepared<C: Curve>(
    key: &Quarters<C>,
    digest: &[u8],
    signature: &[u8],
    order: GostByteOrder,
) -> Result<(), GostError> {
    verify(digest, signature, order, |z1, z2| C::tables().multiply_add_prepared_public(z1, key, z2))
}

/// `sum(z1, z2)` is `z1·G + z2·Q`.
fn verify<C: Curve>(
    digest: &[u8],
    signature: &[u8],
    order: GostByteOrder,
    sum: impl FnOnce(C::Limbs, C::Limbs) -> Jacobian<C>,
) -> Result<(), GostError> {
    let (r, s) = components::<C>(signature, order)?;
    let r_scalar = Scalar::<C>::from_nonzero_integer(r).ok_or(GostError::ComponentOutOfRange)?;
    let s_scalar = Scalar::<C>::from_nonzero_integer(s).ok_or(GostError::ComponentOutOfRange)?;
    let inverse: Element<C::Scalar> = digest_to_scalar::<C>(digest)?.invert_public();
    let z1 = s_scalar * inverse;
    let z2 = -(r_scalar * inverse);
    let point = sum(z1.integer(), z2.integer());
    if point.x_is_congruent_public(r) { Ok(()) } else { Err(GostError::Mismatch) }
}
