//! Residues modulo the primes of the curves, in two representations.
//!
//! Coordinates live modulo `2^n − c` with a small `c`: a product is folded, `high · 2^n ≡ high · c`, and values stay
//! anywhere below `2^n` until they are compared or written. Scalars live modulo the group order, which has no shape,
//! in Montgomery form.
//!
//! *Invariant:* apart from functions named `*_public`, no function branches on, or indexes by, a residue.
#![allow(
    clippy::indexing_slicing,
    reason = "pure arithmetic on arrays of fixed length with loop bounds of that length"
)]

use core::marker::PhantomData;
use core::ops::{Add, Mul, Neg, Sub};

use zeroize::Zeroize;

use super::inversion::{invert_public, invert_secret};
use super::limbs::{Limbs, mask};

/// An odd prime modulus and the representation of residues that suits it.
pub(super) trait Modulus: Copy + Send + Sync + core::fmt::Debug + 'static {
    /// Integers as wide as the modulus.
    type Limbs: Limbs;
    /// The prime.
    const PRIME: Self::Limbs;
    /// One, in the representation.
    const ONE: Self::Limbs;

    /// Sum in the representation.
    fn add(a: Self::Limbs, b: Self::Limbs) -> Self::Limbs;
    /// Difference in the representation.
    fn sub(a: Self::Limbs, b: Self::Limbs) -> Self::Limbs;
    /// Product in the representation.
    fn multiply(a: Self::Limbs, b: Self::Limbs) -> Self::Limbs;
    /// Square in the representation.
    fn square(a: Self::Limbs) -> Self::Limbs;
    /// Half of the residue.
    fn halve(a: Self::Limbs) -> Self::Limbs;
    /// Half of three times the residue.
    fn three_halves(a: Self::Limbs) -> Self::Limbs {
        Self::halve(Self::add(Self::add(a, a), a))
    }
    /// `a − 2b`.
    fn sub_double(a: Self::Limbs, b: Self::Limbs) -> Self::Limbs {
        Self::sub(Self::sub(a, b), b)
    }
    /// Representation of an integer below `2^n`, reduced.
    fn represent(integer: Self::Limbs) -> Self::Limbs;
    /// The least non-negative integer of the residue.
    fn integer(representation: Self::Limbs) -> Self::Limbs;
}

/// Modulo `2^n − C`, where `n` is the width of the limbs.
#[derive(Clone, Copy, Debug)]
pub(super) struct PseudoMersenne<L, const C: u64>(PhantomData<L>);

macro_rules! pseudo_mersenne {
    ($words:literal) => {
        impl<const C: u64> Modulus for PseudoMersenne<[u64; $words], C> {
            type Limbs = [u64; $words];
            const PRIME: Self::Limbs = {
                let mut prime = [u64::MAX; $words];
                prime[0] = C.wrapping_neg();
                prime
            };
            const ONE: Self::Limbs = {
                let mut one = [0; $words];
                one[0] = 1;
                one
            };

            #[inline(always)]
            fn add(a: Self::Limbs, b: Self::Limbs) -> Self::Limbs {
                let (sum, carry) = Limbs::add(a, b);
                wrap_up(sum, mask(carry) & C, C)
            }

            #[inline(always)]
            fn sub(a: Self::Limbs, b: Self::Limbs) -> Self::Limbs {
                let (difference, borrow) = Limbs::sub(a, b);
                let (difference, borrow) = difference.sub_word(mask(borrow) & C);
                // A second borrow leaves a value above 2^n − C: its lowest word bears C.
                let mut out = difference;
                out[0] = out[0].wrapping_sub(mask(borrow) & C);
                out
            }

            // Out of line: inlined, the formulas of a point would not fit the instruction cache.
            #[inline(never)]
            fn multiply(a: Self::Limbs, b: Self::Limbs) -> Self::Limbs {
                let (low, high) = Limbs::multiply(a, b);
                let (low, top) = high.multiply_word(C, low);
                // top ≤ C, and C² is far below a word.
                wrap_up(low, top.wrapping_mul(C), C)
            }

            #[inline(never)]
            fn square(a: Self::Limbs) -> Self::Limbs {
                let (low, high) = Limbs::square(a);
                let (low, top) = high.multiply_word(C, low);
                wrap_up(low, top.wrapping_mul(C), C)
            }

            #[inline(always)]
            fn halve(a: Self::Limbs) -> Self::Limbs {
                Self::halve_wide(a, 0)
            }

            #[inline(always)]
            fn three_halves(a: Self::Limbs) -> Self::Limbs {
                let (twice, top) = a.double();
                let (sum, carry) = Limbs::add(twice, a);
                Self::halve_wide(sum, top + u64::from(carry))
            }

            #[inline(always)]
            fn sub_double(a: Self::Limbs, b: Self::Limbs) -> Self::Limbs {
                let (twice, top) = b.double();
                let (difference, borrow) = Limbs::sub(a, twice);
                // Each 2^n that is owed stands for C.
                let (difference, borrow) = difference.sub_word((top + u64::from(borrow)) * C);
                let mut out = difference;
                out[0] = out[0].wrapping_sub(mask(borrow) & C);
                out
            }

            #[inline(always)]
            fn represent(integer: Self::Limbs) -> Self::Limbs {
                integer
            }

            #[inline(always)]
            fn integer(representation: Self::Limbs) -> Self::Limbs {
                // Below 2^n, so at most one prime too high: adding C carries exactly then.
                let (reduced, carry) = representation.add_word(C);
                representation.select(reduced, mask(carry))
            }
        }
    };
}

pseudo_mersenne!(4);
pseudo_mersenne!(8);

impl<L: Limbs, const C: u64> PseudoMersenne<L, C> {
    /// Half of `value + top · 2^n`, where `top` is below three.
    #[inline(always)]
    fn halve_wide(value: L, top: u64) -> L {
        // An odd value becomes even by adding 2^n − C.
        let odd = value.words()[0] & 1;
        let (even, borrow) = value.sub_word(odd.wrapping_neg() & C);
        let top = top.wrapping_add(odd).wrapping_sub(u64::from(borrow));
        wrap_up(even.halve(top & 1), (top >> 1) * C, C)
    }
}

/// Adds a small word; a carry out of the top comes back as `c`, and cannot carry again.
#[inline(always)]
fn wrap_up<L: Limbs>(value: L, word: u64, c: u64) -> L {
    let (mut sum, carry) = value.add_word(word);
    sum.words_mut()[0] = sum.words()[0].wrapping_add(mask(carry) & c);
    sum
}

/// A modulus whose residues are kept multiplied by `R = 2^n`, below the prime.
pub(super) trait MontgomeryModulus: Copy + Send + Sync + core::fmt::Debug + 'static {
    /// Integers as wide as the modulus.
    type Limbs: Limbs;
    /// The prime.
    const PRIME: Self::Limbs;
    /// `R mod PRIME`.
    const R: Self::Limbs;
    /// `R² mod PRIME`.
    const R_SQUARED: Self::Limbs;
    /// `−PRIME⁻¹ mod 2^64`.
    const NEGATED_INVERSE: u64;
}

/// Residues of a [`MontgomeryModulus`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Montgomery<T>(PhantomData<T>);

impl<T: MontgomeryModulus> Montgomery<T> {
    /// `value · R⁻¹` for `value = low + high · R < PRIME · R`.
    #[inline(always)]
    fn reduce(mut low: T::Limbs, mut high: T::Limbs) -> T::Limbs {
        let words = T::Limbs::WORDS;
        let mut above = false;
        for i in 0..words {
            let factor = low.words()[i].wrapping_mul(T::NEGATED_INVERSE);
            let mut carry = 0;
            for j in 0..words {
                let at = i + j;
                let slot = if at < words { &mut low.words_mut()[at] } else { &mut high.words_mut()[at - words] };
                (*slot, carry) = factor.carrying_mul_add(T::PRIME.words()[j], *slot, carry);
            }
            let slot = &mut high.words_mut()[i];
            (*slot, above) = slot.carrying_add(carry, above);
        }
        Self::below_prime(high, above)
    }

    /// Subtracts the prime once if `value + carry · R` is not below it.
    #[inline(always)]
    fn below_prime(value: T::Limbs, carry: bool) -> T::Limbs {
        let (reduced, borrow) = value.sub(T::PRIME);
        value.select(reduced, mask(carry | !borrow))
    }
}

impl<T: MontgomeryModulus> Modulus for Montgomery<T> {
    type Limbs = T::Limbs;
    const PRIME: T::Limbs = T::PRIME;
    const ONE: T::Limbs = T::R;

    fn add(a: T::Limbs, b: T::Limbs) -> T::Limbs {
        let (sum, carry) = a.add(b);
        Self::below_prime(sum, carry)
    }

    fn sub(a: T::Limbs, b: T::Limbs) -> T::Limbs {
        let (difference, borrow) = a.sub(b);
        difference.select(difference.add(T::PRIME).0, mask(borrow))
    }

    fn multiply(a: T::Limbs, b: T::Limbs) -> T::Limbs {
        let (low, high) = a.multiply(b);
        Self::reduce(low, high)
    }

    fn square(a: T::Limbs) -> T::Limbs {
        let (low, high) = a.square();
        Self::reduce(low, high)
    }

    fn halve(a: T::Limbs) -> T::Limbs {
        let odd = a.words()[0] & 1;
        let (sum, carry) = a.add(T::Limbs::ZERO.select(T::PRIME, odd.wrapping_neg()));
        sum.halve(u64::from(carry))
    }

    fn represent(integer: T::Limbs) -> T::Limbs {
        // integer · R² < R · PRIME, so one reduction is enough even where the integer is not below the prime.
        Self::multiply(integer, T::R_SQUARED)
    }

    fn integer(representation: T::Limbs) -> T::Limbs {
        Self::reduce(representation, T::Limbs::ZERO)
    }
}

/// `2^bits mod prime`, by doubling.
pub(super) const fn power_of_two<const N: usize>(prime: [u64; N], bits: usize) -> [u64; N] {
    let mut value = [0u64; N];
    value[0] = 1;
    let mut step = 0;
    while step < bits {
        let (mut doubled, mut carry, mut i) = ([0u64; N], 0, 0);
        while i < N {
            doubled[i] = value[i] << 1 | carry;
            carry = value[i] >> 63;
            i += 1;
        }
        let (mut reduced, mut borrow, mut i) = ([0u64; N], 0, 0);
        while i < N {
            let (difference, first) = doubled[i].overflowing_sub(prime[i]);
            let (difference, second) = difference.overflowing_sub(borrow);
            reduced[i] = difference;
            borrow = (first | second) as u64;
            i += 1;
        }
        value = if carry >= borrow { reduced } else { doubled };
        step += 1;
    }
    value
}

/// `−odd⁻¹ mod 2^64`, by Newton's iteration.
pub(super) const fn negated_inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut step = 0;
    while step < 5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
        step += 1;
    }
    inverse.wrapping_neg()
}

/// Declares a prime without shape.
macro_rules! montgomery_modulus {
    ($(#[$documentation:meta])* $name:ident, $words:literal, $prime:literal) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug)]
        pub(in crate::crypto::gost) struct $name;

        impl $crate::crypto::gost::field::MontgomeryModulus for $name {
            type Limbs = [u64; $words];
            const PRIME: [u64; $words] = $crate::crypto::gost::limbs::hex($prime);
            const R: [u64; $words] = $crate::crypto::gost::field::power_of_two(Self::PRIME, 64 * $words);
            const R_SQUARED: [u64; $words] = $crate::crypto::gost::field::power_of_two(Self::PRIME, 128 * $words);
            const NEGATED_INVERSE: u64 = $crate::crypto::gost::field::negated_inverse(Self::PRIME[0]);
        }
    };
}
pub(super) use montgomery_modulus;

/// A residue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<M: Modulus>(M::Limbs);

impl<M: Modulus> Element<M> {
    pub(super) const ZERO: Self = Self(M::Limbs::ZERO);
    pub(super) const ONE: Self = Self(M::ONE);

    /// The residue of any integer of the width.
    pub(super) fn reduce(integer: M::Limbs) -> Self {
        Self(M::represent(integer))
    }

    /// The residue of an integer below the prime; `None` for any other.
    pub(super) fn from_integer(integer: M::Limbs) -> Option<Self> {
        integer.is_less(M::PRIME).then(|| Self::reduce(integer))
    }

    /// The residue of an integer below the prime and not zero.
    pub(super) fn from_nonzero_integer(integer: M::Limbs) -> Option<Self> {
        if integer.is_zero() { None } else { Self::from_integer(integer) }
    }

    /// The least non-negative integer of the residue.
    pub(super) fn integer(self) -> M::Limbs {
        M::integer(self.0)
    }

    #[inline(always)]
    pub(super) fn square(self) -> Self {
        Self(M::square(self.0))
    }

    #[inline(always)]
    pub(super) fn double(self) -> Self {
        self + self
    }

    #[inline(always)]
    pub(super) fn halve(self) -> Self {
        Self(M::halve(self.0))
    }

    #[inline(always)]
    pub(super) fn three_halves(self) -> Self {
        Self(M::three_halves(self.0))
    }

    /// `self − 2 · other`.
    #[inline(always)]
    pub(super) fn sub_double(self, other: Self) -> Self {
        Self(M::sub_double(self.0, other.0))
    }

    /// Whether the residue is zero.
    pub(super) fn is_zero(self) -> bool {
        self.zero_mask() != 0
    }

    /// The same for a public value: one word tells nearly always.
    #[inline(always)]
    pub(super) fn is_zero_public(self) -> bool {
        let last = M::Limbs::WORDS - 1;
        let top = self.0.words()[last];
        (top == 0 || top == M::PRIME.words()[last]) && self.is_zero()
    }

    /// All ones where the residue is zero, else zero.
    #[inline(always)]
    pub(super) fn zero_mask(self) -> u64 {
        self.0.zero_mask() | self.0.sub(M::PRIME).0.zero_mask()
    }

    /// `other` where `mask` is all ones, `self` where it is zero.
    #[inline(always)]
    pub(super) fn select(self, other: Self, mask: u64) -> Self {
        Self(self.0.select(other.0, mask))
    }

    /// `self` with the words of `other` laid over it where `mask` is all ones; one of the two must be zero.
    #[inline(always)]
    pub(super) fn gather(self, other: Self, mask: u64) -> Self {
        Self(self.0.gather(other.0, mask))
    }

    /// The inverse; zero for zero.
    pub(super) fn invert(self) -> Self {
        Self::reduce(invert_secret(self.integer(), M::PRIME))
    }

    /// The inverse of a public value, in time that depends on it; zero for zero.
    pub(super) fn invert_public(self) -> Self {
        Self::reduce(invert_public(self.integer(), M::PRIME))
    }
}

impl<M: Modulus> Add for Element<M> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(M::add(self.0, other.0))
    }
}

impl<M: Modulus> Sub for Element<M> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(M::sub(self.0, other.0))
    }
}

impl<M: Modulus> Mul for Element<M> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(M::multiply(self.0, other.0))
    }
}

impl<M: Modulus> Neg for Element<M> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl<M: Modulus> PartialEq for Element<M> {
    fn eq(&self, other: &Self) -> bool {
        (*self - *other).is_zero()
    }
}

impl<M: Modulus> Eq for Element<M> {}

impl<M: Modulus> Zeroize for Element<M> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}
