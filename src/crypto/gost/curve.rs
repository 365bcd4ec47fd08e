//! Points of a curve `y² = x³ + a·x + b` in affine and Jacobian coordinates.
//!
//! *Invariant:* an [`Affine`] is a point of its curve other than the point at infinity; functions named `*_public`
//! may take time that depends on their arguments and are given public values alone.

use core::fmt::Debug;

use zeroize::Zeroize;

use super::field::{Element, Modulus};
use super::fixed_base::Tables;
use super::limbs::Limbs;

/// The coefficient `a`, told apart because `−3` makes doubling cheaper.
#[derive(Clone, Copy, Debug)]
pub(super) enum CoefficientA<L> {
    /// `p − 3`.
    MinusThree,
    /// Any other.
    Other(L),
}

/// A named curve with a subgroup of prime order.
pub(super) trait Curve: Copy + Send + Sync + Debug + 'static {
    /// Integers as wide as the field and the order.
    type Limbs: Limbs;
    /// The field of coordinates.
    type Base: Modulus<Limbs = Self::Limbs>;
    /// Integers modulo the order of the generator.
    type Scalar: Modulus<Limbs = Self::Limbs>;
    /// The coefficient `a`.
    const A: CoefficientA<Self::Limbs>;
    /// The coefficient `b`.
    const B: Self::Limbs;
    /// The generator.
    const GENERATOR: (Self::Limbs, Self::Limbs);
    /// The number of points divided by the order of the generator.
    const COFACTOR: u32;
    /// Number of bits of the order.
    const ORDER_BITS: usize;

    /// Multiples of the generator, computed at first use.
    fn tables() -> &'static Tables<Self>;
}

/// A coordinate.
pub(super) type Coordinate<C> = Element<<C as Curve>::Base>;
/// An integer modulo the order.
pub(super) type Scalar<C> = Element<<C as Curve>::Scalar>;

fn coefficient_a<C: Curve>() -> Coordinate<C> {
    match C::A {
        CoefficientA::MinusThree => -(Coordinate::<C>::ONE.double() + Element::ONE),
        CoefficientA::Other(a) => Element::reduce(a),
    }
}

/// A point that is not the point at infinity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine<C: Curve> {
    pub(super) x: Coordinate<C>,
    pub(super) y: Coordinate<C>,
}

impl<C: Curve> Affine<C> {
    /// The generator.
    pub(super) fn generator() -> Self {
        Self { x: Element::reduce(C::GENERATOR.0), y: Element::reduce(C::GENERATOR.1) }
    }

    /// A point from its coordinates; `None` unless both are below the prime and satisfy the equation.
    pub(super) fn from_coordinates(x: C::Limbs, y: C::Limbs) -> Option<Self> {
        let point = Self { x: Element::from_integer(x)?, y: Element::from_integer(y)? };
        let right = (point.x.square() + coefficient_a::<C>()) * point.x + Element::reduce(C::B);
        (point.y.square() == right).then_some(point)
    }

    /// The point with the opposite sign where `mask` is all ones.
    #[inline(always)]
    pub(super) fn negate_if(self, mask: u64) -> Self {
        Self { x: self.x, y: self.y.select(-self.y, mask) }
    }
}

/// A point as `(X/Z², Y/Z³)`; the point at infinity has `Z = 0`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jacobian<C: Curve> {
    pub(super) x: Coordinate<C>,
    pub(super) y: Coordinate<C>,
    pub(super) z: Coordinate<C>,
}

/// A Jacobian point with the powers of `Z` that an addition needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prepared<C: Curve> {
    point: Jacobian<C>,
    z_squared: Coordinate<C>,
    z_cubed: Coordinate<C>,
}

impl<C: Curve> From<Affine<C>> for Jacobian<C> {
    fn from(point: Affine<C>) -> Self {
        Self { x: point.x, y: point.y, z: Element::ONE }
    }
}

impl<C: Curve> From<Jacobian<C>> for Prepared<C> {
    fn from(point: Jacobian<C>) -> Self {
        let z_squared = point.z.square();
        Self { point, z_squared, z_cubed: z_squared * point.z }
    }
}

impl<C: Curve> Jacobian<C> {
    pub(super) const INFINITY: Self = Self { x: Element::ONE, y: Element::ONE, z: Element::ZERO };

    pub(super) fn is_infinity(&self) -> bool {
        self.z.is_zero()
    }

    /// Twice the point. Holds for every point, infinity included: `Z = 0` gives `Z = 0`.
    ///
    /// The usual formulas scaled by one half, which spares multiples of four and eight: `Z₃ = Y·Z`. Here and in the
    /// additions, products that do not wait for each other stand side by side, so that the processor overlaps them.
    pub(super) fn double(&self) -> Self {
        let zz = self.z.square();
        let yy = self.y.square();
        // (3·X² + a·Z⁴) / 2
        let slope = match C::A {
            CoefficientA::MinusThree => ((self.x - zz) * (self.x + zz)).three_halves(),
            CoefficientA::Other(_) => {
                let xx = self.x.square();
                (xx + xx + xx + coefficient_a::<C>() * zz.square()).halve()
            }
        };
        let beta = self.x * yy;
        let slope_squared = slope.square();
        let z = self.y * self.z;
        let yyyy = yy.square();
        let x = slope_squared.sub_double(beta);
        let y = slope * (beta - x) - yyyy;
        Self { x, y, z }
    }

    /// Sum with an affine point, for points that are neither equal nor opposite nor infinity.
    ///
    /// For equal points the result is `(0, 0, 0)`, for opposite ones infinity.
    pub(super) fn add_affine_incomplete(&self, other: &Affine<C>) -> Self {
        let (h, r) = self.differences(other);
        finish_addition::<C>(self.x, self.y, h, r, self.z)
    }

    /// How far the coordinates of an affine point lie from this one's, both scaled by `Z`.
    #[inline(always)]
    fn differences(&self, other: &Affine<C>) -> (Coordinate<C>, Coordinate<C>) {
        let zz = self.z.square();
        let u = other.x * zz;
        let zzz = zz * self.z;
        (u - self.x, other.y * zzz - self.y)
    }

    /// Sum with an affine point, for any two points.
    pub(super) fn add_affine_public(&self, other: &Affine<C>) -> Self {
        if self.z.is_zero_public() {
            return (*other).into();
        }
        let (h, r) = self.differences(other);
        if h.is_zero_public() {
            return if r.is_zero() { self.double() } else { Self::INFINITY };
        }
        finish_addition::<C>(self.x, self.y, h, r, self.z)
    }

    /// Sum, for any two points.
    pub(super) fn add_public(&self, other: &Prepared<C>) -> Self {
        if self.is_infinity() {
            return other.point;
        }
        if other.point.is_infinity() {
            return *self;
        }
        let zz = self.z.square();
        let u1 = self.x * other.z_squared;
        let s1 = self.y * other.z_cubed;
        let h = other.point.x * zz - u1;
        let r = other.point.y * (zz * self.z) - s1;
        if h.is_zero() {
            return if r.is_zero() { self.double() } else { Self::INFINITY };
        }
        finish_addition::<C>(u1, s1, h, r, self.z * other.point.z)
    }

    /// `other` where `mask` is all ones, `self` where it is zero.
    pub(super) fn select(self, other: Self, mask: u64) -> Self {
        Self { x: self.x.select(other.x, mask), y: self.y.select(other.y, mask), z: self.z.select(other.z, mask) }
    }

    /// The affine form of a point that is not infinity; the time does not depend on the point.
    pub(super) fn to_affine(self) -> Affine<C> {
        let inverse = self.z.invert();
        let squared = inverse.square();
        Affine { x: self.x * squared, y: self.y * squared * inverse }
    }

    /// Whether the affine x, taken modulo the order, is `r`; no inversion is needed for that.
    pub(super) fn x_is_congruent_public(&self, r: C::Limbs) -> bool {
        if self.is_infinity() {
            return false;
        }
        let zz = self.z.square();
        let mut candidate = r;
        loop {
            let Some(x) = Element::from_integer(candidate) else { return false };
            if x * zz == self.x {
                return true;
            }
            match candidate.add(C::Scalar::PRIME) {
                (next, false) => candidate = next,
                (_, true) => return false,
            }
        }
    }
}

/// The sum from the scaled coordinates of the first point, the differences and the common `Z`.
#[inline(always)]
fn finish_addition<C: Curve>(
    u1: Coordinate<C>,
    s1: Coordinate<C>,
    h: Coordinate<C>,
    r: Coordinate<C>,
    z: Coordinate<C>,
) -> Jacobian<C> {
    let hh = h.square();
    let rr = r.square();
    let hhh = h * hh;
    let v = u1 * hh;
    let z = z * h;
    let x = (rr - hhh).sub_double(v);
    let s1_hhh = s1 * hhh;
    let y = r * (v - x) - s1_hhh;
    Jacobian { x, y, z }
}

impl<C: Curve> Zeroize for Jacobian<C> {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
    }
}

/// The affine forms of public points none of which is infinity, with one inversion (Montgomery's trick).
pub(super) fn to_affine_all_public<C: Curve>(points: &[Jacobian<C>]) -> Vec<Affine<C>> {
    let mut products = Vec::with_capacity(points.len());
    let mut product = Coordinate::<C>::ONE;
    for point in points {
        products.push(product);
        product = product * point.z;
    }
    let mut inverse = product.invert_public();
    let mut affine = Vec::with_capacity(points.len());
    for (point, before) in points.iter().zip(products).rev() {
        let z_inverse = inverse * before;
        inverse = inverse * point.z;
        let squared = z_inverse.square();
        affine.push(Affine { x: point.x * squared, y: point.y * squared * z_inverse });
    }
    affine.reverse();
    affine
}

/// `P, 3P, 5P, …` in affine form for a public point of prime order above all of them.
///
/// Points with one common `Z` are cheap to add (Meloni, "New point addition formulae for ECC applications", 2007): the
/// sum has the `Z` of its summands times the distance of their x, and `2P` is brought along. The distances lead back from
/// the inverse of the last `Z` to the one of each point.
pub(super) fn odd_multiples_public<C: Curve>(point: &Affine<C>, count: usize) -> Vec<Affine<C>> {
    let Affine { x, y } = *point;
    // 2P and P with Z = y; see `Jacobian::double`.
    let yy = y.square();
    let xx = x.square();
    let slope = (xx + xx + xx + coefficient_a::<C>()).halve();
    let (mut x1, mut y1) = (x * yy, yy.square());
    let mut z = y;
    let (mut x2, mut y2) = {
        let x2 = slope.square().sub_double(x1);
        (x2, slope * (x1 - x2) - y1)
    };
    let mut scaled = Vec::with_capacity(count);
    for _ in 1..count {
        let distance = x2 - x1;
        let squared = distance.square();
        let rise = y2 - y1;
        let (w1, w2) = (x1 * squared, x2 * squared);
        let rise_squared = rise.square();
        let updated = y2 * (w2 - w1);
        z = z * distance;
        x1 = rise_squared - w1 - w2;
        y1 = rise * (w2 - x1) - updated;
        (x2, y2) = (w2, updated);
        scaled.push((x1, y1, distance));
    }
    let mut inverse = z.invert_public();
    let mut affine = Vec::with_capacity(count);
    for (x, y, distance) in scaled.into_iter().rev() {
        let squared = inverse.square();
        affine.push(Affine { x: x * squared, y: y * squared * inverse });
        inverse = inverse * distance;
    }
    affine.push(*point);
    affine.reverse();
    affine
}

/// `scalar · point` by double and add, for public values.
pub(super) fn multiply_public<C: Curve>(point: &Affine<C>, scalar: C::Limbs) -> Jacobian<C> {
    let mut result = Jacobian::INFINITY;
    for bit in (0..C::Limbs::WORDS * 64).rev() {
        result = result.double();
        if scalar.bits(bit, 1) == 1 {
            result = result.add_affine_public(point);
        }
    }
    result
}
