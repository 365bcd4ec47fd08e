//! Multiples of a fixed point computed beforehand, and the multiplications that use them.
//!
//! *Invariant:* [`Tables::multiply_secret`] reads every entry of a window whichever one it needs, and adds once a
//! window whatever the scalar is.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "window numbers and digits are bounded by the widths of the tables"
)]

use zeroize::Zeroize;

use super::curve::{Affine, Curve, Jacobian, Prepared, Scalar, odd_multiples_public, to_affine_all_public};
use super::field::{Element, Modulus};
use super::limbs::{Limbs, mask};

/// Bits of a window for secret scalars: `2^(6−1)` entries are read for each of `n / 6` additions.
const SECRET_WINDOW: usize = 6;
/// Entries of a window: the odd multiples up to `2^6 − 1`; the others are their opposites.
const SECRET_ENTRIES: usize = 1 << (SECRET_WINDOW - 1);
/// Width of the signed digits for the generator in public multiplications: 2048 points, 256 KiB at 512 bits.
const PUBLIC_GENERATOR_WIDTH: usize = 13;
/// Width of the signed digits for a point met once: 16 points.
const PUBLIC_POINT_WIDTH: usize = 6;
/// Width of the signed digits for the quarters of the generator's scalar: 64 points each.
const GENERATOR_QUARTER_WIDTH: usize = 8;
/// Width of the signed digits for the quarters of a key's scalar: 16 points each, 8 KiB in all at 512 bits.
const KEY_QUARTER_WIDTH: usize = 6;

/// Multiples of one point.
#[derive(Debug)]
pub(super) struct Tables<C: Curve> {
    /// For every window `i` the points `(2j + 1) · 2^(6i) · P`.
    windows: Vec<[Affine<C>; SECRET_ENTRIES]>,
    /// The points `(2j + 1) · P`.
    odd: Vec<Affine<C>>,
    /// For scalars taken in quarters.
    quarters: Quarters<C>,
}

/// The points `(2j + 1) · 2^(ni/4) · P` for the quarters `i` of a scalar of `n` bits: three doublings in four are done
/// beforehand.
#[derive(Clone, Debug)]
pub(super) struct Quarters<C: Curve> {
    width: usize,
    parts: Vec<Vec<Affine<C>>>,
}

impl<C: Curve> Quarters<C> {
    fn new(point: Affine<C>, width: usize) -> Self {
        let entries = 1 << (width - 2);
        let mut multiples = Vec::with_capacity(4 * entries);
        let mut base = Jacobian::from(point);
        for part in 0..4 {
            if part > 0 {
                for _ in 0..C::Limbs::WORDS * 64 / 4 {
                    base = base.double();
                }
            }
            odd_multiples(base, entries, &mut multiples);
        }
        let parts = to_affine_all_public(&multiples).chunks_exact(entries).map(<[_]>::to_vec).collect();
        Self { width, parts }
    }

    /// The multiples of a public key that will verify more than one signature.
    pub(super) fn of_key(point: Affine<C>) -> Self {
        Self::new(point, KEY_QUARTER_WIDTH)
    }

    /// The quarters of a scalar with the multiples that belong to them.
    fn terms(&self, scalar: C::Limbs) -> impl Iterator<Item = (SignedDigits, &[Affine<C>])> {
        let words = C::Limbs::WORDS / 4;
        self.parts.iter().enumerate().map(move |(part, multiples)| {
            let mut quarter = C::Limbs::ZERO;
            quarter.words_mut()[..words].copy_from_slice(&scalar.words()[part * words..][..words]);
            (SignedDigits::new(quarter, self.width), multiples.as_slice())
        })
    }
}

impl<C: Curve> Tables<C> {
    /// Computes the multiples of a point of the prime-order subgroup.
    pub(super) fn new(point: Affine<C>) -> Self {
        let mut multiples = Vec::new();
        let mut base = Jacobian::from(point);
        let count = C::ORDER_BITS.div_ceil(SECRET_WINDOW);
        for _ in 0..count {
            odd_multiples(base, SECRET_ENTRIES, &mut multiples);
            for _ in 0..SECRET_WINDOW {
                base = base.double();
            }
        }
        odd_multiples(point.into(), 1 << (PUBLIC_GENERATOR_WIDTH - 2), &mut multiples);
        let affine = to_affine_all_public(&multiples);
        let (windows, odd) = affine.split_at(count * SECRET_ENTRIES);
        Self {
            windows: windows.chunks_exact(SECRET_ENTRIES).filter_map(|window| window.try_into().ok()).collect(),
            odd: odd.to_vec(),
            quarters: Quarters::new(point, GENERATOR_QUARTER_WIDTH),
        }
    }

    /// `scalar · P` for a scalar that is secret and not zero.
    ///
    /// The scalar is made odd (`k` or `q − k`, and the sign given back at the end) and written with `n` windows of
    /// `w` bits as `Σ dᵢ·2^(wi)` with odd digits `|dᵢ| < 2^w`. Before window `j` the sum is odd and below `2^(wj)` in
    /// absolute value, and what is added is at least `2^(wj)`: as integers the two are neither equal nor opposite,
    /// nor is the sum zero, and below `q` integers and residues agree. Only in the last window can they be congruent
    /// modulo `q`; they are not opposite, because the result is not zero, so it is enough to handle equality there.
    pub(super) fn multiply_secret(&self, scalar: Scalar<C>) -> Jacobian<C> {
        let integer = scalar.integer();
        let (opposite, _) = C::Scalar::PRIME.sub(integer);
        let even = integer.words()[0].wrapping_sub(1) & 1;
        let even = core::hint::black_box(even.wrapping_neg());
        let mut odd = integer.select(opposite, even);
        // k = Σ (2bᵢ − 1)·2^i over the bits b of (k − 1)/2 + 2^(m−1), where m is the number of digits' bits.
        let mut sum = Jacobian::<C>::INFINITY;
        let last = self.windows.len() - 1;
        for (number, window) in self.windows.iter().enumerate() {
            let bits = if number == last {
                odd.bits(number * SECRET_WINDOW + 1, SECRET_WINDOW - 1) | 1 << (SECRET_WINDOW - 1)
            } else {
                odd.bits(number * SECRET_WINDOW + 1, SECRET_WINDOW)
            };
            let negative = (bits >> (SECRET_WINDOW - 1)).wrapping_sub(1);
            let negative = core::hint::black_box(negative);
            let index = (bits ^ negative) & (SECRET_ENTRIES as u64 - 1);
            let point = select(window, index).negate_if(negative);
            if number == 0 {
                sum = point.into();
            } else if number == last {
                let twice = sum.double();
                let added = sum.add_affine_incomplete(&point);
                let equal = added.z.zero_mask();
                sum = added.select(twice, core::hint::black_box(equal));
            } else {
                sum = sum.add_affine_incomplete(&point);
            }
        }
        odd.zeroize();
        sum.y = sum.y.select(-sum.y, even);
        sum
    }

    /// `a · P + b · Q` for public values.
    pub(super) fn multiply_add_public(&self, a: C::Limbs, q: &Affine<C>, b: C::Limbs) -> Jacobian<C> {
        let multiples = odd_multiples_public(q, 1 << (PUBLIC_POINT_WIDTH - 2));
        sum_of_products_public(&[
            (SignedDigits::new(a, PUBLIC_GENERATOR_WIDTH), &self.odd),
            (SignedDigits::new(b, PUBLIC_POINT_WIDTH), &multiples),
        ])
    }

    /// `a · P + b · Q` for public values, with multiples of `Q` at hand.
    pub(super) fn multiply_add_prepared_public(&self, a: C::Limbs, q: &Quarters<C>, b: C::Limbs) -> Jacobian<C> {
        let terms: Vec<_> = self.quarters.terms(a).chain(q.terms(b)).collect();
        sum_of_products_public(&terms)
    }
}

/// The sum of public scalars times points, with signed digits and shared doublings. A term has its scalar and the odd
/// multiples of its point.
fn sum_of_products_public<C: Curve>(terms: &[(SignedDigits, &[Affine<C>])]) -> Jacobian<C> {
    let length = terms.iter().map(|term| term.0.length).max().unwrap_or(0);
    let mut sum = Jacobian::INFINITY;
    for position in (0..length).rev() {
        sum = sum.double();
        for (digits, multiples) in terms {
            if let Some((index, negative)) = digits.digit(position) {
                sum = sum.add_affine_public(&multiples[index].negate_if(negative));
            }
        }
    }
    sum
}

/// Appends `P, 3P, 5P, …` to the list; the multiples must be below the order.
fn odd_multiples<C: Curve>(point: Jacobian<C>, count: usize, multiples: &mut Vec<Jacobian<C>>) {
    let twice = Prepared::from(point.double());
    let mut multiple = point;
    for _ in 0..count {
        multiples.push(multiple);
        multiple = multiple.add_public(&twice);
    }
}

/// The entry of a secret index: every entry is read.
#[inline(always)]
fn select<C: Curve>(window: &[Affine<C>; SECRET_ENTRIES], index: u64) -> Affine<C> {
    let mut point = Affine { x: Element::ZERO, y: Element::ZERO };
    for (at, entry) in window.iter().enumerate() {
        let difference = at as u64 ^ index;
        let chosen = mask((difference | difference.wrapping_neg()) >> 63 == 0);
        let chosen = core::hint::black_box(chosen);
        point.x = point.x.gather(entry.x, chosen);
        point.y = point.y.gather(entry.y, chosen);
    }
    point
}

/// A public integer in non-adjacent form: digits zero or odd and below `2^(width−1)` in absolute value.
struct SignedDigits {
    digits: [i16; 513],
    length: usize,
}

impl SignedDigits {
    fn new<L: Limbs>(integer: L, width: usize) -> Self {
        let bits = L::WORDS * 64;
        let mut digits = [0; 513];
        let (mut position, mut carry, mut length) = (0, 0, 0);
        while position <= bits {
            if integer.bits(position, 1) == carry {
                position += 1;
                continue;
            }
            let count = width.min(bits + 1 - position);
            let word = integer.bits(position, count) + carry;
            carry = word >> (width - 1) & 1;
            digits[position] = word as i16 - ((carry as i16) << width);
            length = position + 1;
            position += count;
        }
        Self { digits, length }
    }

    /// Index into the odd multiples and the sign as a mask.
    #[inline(always)]
    fn digit(&self, position: usize) -> Option<(usize, u64)> {
        let digit = self.digits[position];
        (digit != 0).then(|| (usize::from(digit.unsigned_abs()) / 2, mask(digit < 0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::gost::curve::multiply_public;
    use crate::crypto::gost::field::Element;
    use crate::crypto::gost::parameters::{CryptoProA, StandardExample256, StandardExample512, Tc26A256, Tc26A512};
    use proptest::prelude::*;

    fn same<C: Curve>(a: Jacobian<C>, b: Jacobian<C>) -> bool {
        if a.is_infinity() || b.is_infinity() {
            return a.is_infinity() && b.is_infinity();
        }
        let (a, b) = (a.to_affine(), b.to_affine());
        a.x == b.x && a.y == b.y
    }

    fn multiplications_agree<C: Curve>(scalar: C::Limbs, other: C::Limbs) {
        let scalar = Scalar::<C>::reduce(scalar);
        let other = Scalar::<C>::reduce(other);
        let generator = Affine::<C>::generator();
        let expected = multiply_public(&generator, scalar.integer());
        if !scalar.is_zero() {
            assert!(same(C::tables().multiply_secret(scalar), expected));
        }
        let q = multiply_public(&generator, (other + Element::ONE).integer());
        if q.is_infinity() {
            return;
        }
        let q = q.to_affine();
        let joint = C::tables().multiply_add_public(scalar.integer(), &q, other.integer());
        let expected = multiply_public(&generator, (scalar + other * (other + Element::ONE)).integer());
        assert!(same(joint, expected));
        let prepared = Quarters::of_key(q);
        let joint = C::tables().multiply_add_prepared_public(scalar.integer(), &prepared, other.integer());
        assert!(same(joint, expected));
    }

    fn at_the_edges<C: Curve>() {
        let order = C::Scalar::PRIME;
        let mut one = C::Limbs::ZERO;
        one.words_mut()[0] = 1;
        let mut edges = vec![C::Limbs::ZERO, one];
        for small in 1..40 {
            edges.push(C::Limbs::ZERO.add_word(small).0);
            edges.push(order.sub_word(small).0);
        }
        for window in 1..C::ORDER_BITS {
            let mut power = C::Limbs::ZERO;
            power.words_mut()[window / 64] = 1 << (window % 64);
            edges.push(power);
            edges.push(order.sub(power).0);
        }
        // The one scalar whose last window adds equal points: k = 2·d·2^(wt) − q.
        let last = C::ORDER_BITS.div_ceil(SECRET_WINDOW) - 1;
        for digit in (1..1u64 << (SECRET_WINDOW - 1)).step_by(2) {
            let mut power = Scalar::<C>::ONE;
            for _ in 0..last * SECRET_WINDOW + 1 {
                power = power.double();
            }
            let mut times = C::Limbs::ZERO;
            times.words_mut()[0] = digit;
            edges.push((power * Element::reduce(times)).integer());
        }
        for edge in edges {
            multiplications_agree::<C>(edge, one);
        }
    }

    #[test]
    fn scalars_at_the_edges_multiply_right() {
        at_the_edges::<Tc26A512>();
        at_the_edges::<Tc26A256>();
        at_the_edges::<CryptoProA>();
        at_the_edges::<StandardExample256>();
        at_the_edges::<StandardExample512>();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn multiplications_agree_with_double_and_add(a: [u64; 8], b: [u64; 8], c: [u64; 4], d: [u64; 4]) {
            multiplications_agree::<Tc26A512>(a, b);
            multiplications_agree::<StandardExample512>(a, b);
            multiplications_agree::<Tc26A256>(c, d);
            multiplications_agree::<CryptoProA>(c, d);
            multiplications_agree::<StandardExample256>(c, d);
        }

        #[test]
        fn signed_digits_are_the_integer(integer: [u64; 4], width in 2usize..11) {
            let digits = SignedDigits::new(integer, width);
            let value = digits.digits[..digits.length].iter().rev().fold(Scalar::<CryptoProA>::ZERO, |value, digit| {
                let size = Scalar::<CryptoProA>::reduce([u64::from(digit.unsigned_abs()), 0, 0, 0]);
                let doubled = value.double();
                if *digit < 0 { doubled - size } else { doubled + size }
            });
            prop_assert!(value == Element::reduce(integer));
        }
    }
}
