//! Inversion modulo an odd prime, by the division steps of Bernstein and Yang ("Fast constant-time gcd computation and
//! modular inversion", 2019), in batches on one word.
//!
//! *Invariant:* [`invert_secret`] runs the same instructions whatever the value is; [`invert_public`] stops as soon as
//! nothing is left and is never for secrets.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "arithmetic on arrays of fixed length; words are taken apart into 62 bits and a sign"
)]

use core::hint::black_box;

use super::limbs::Limbs;

/// Bits of a digit; a digit has a sign, and room for the sum of two products beside it.
const DIGIT_BITS: usize = 62;
const DIGIT_MASK: i64 = (1 << DIGIT_BITS) - 1;
/// Digits of 512 bits with a sign.
const DIGITS: usize = 9;

type Digits = [i64; DIGITS];

/// The matrix of a batch of steps, times `2^62`.
struct Transition {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// Steps in a batch of [`invert_secret`]; the matrix of 59 steps, times eight, is one of 62.
const SECRET_STEPS: usize = 59;

/// The inverse of `value` modulo an odd prime; zero for zero. `value` is below the prime.
///
/// With `δ` starting at one half, `⌊(45907·n + 26313) / 19929⌋` steps are enough for `n` bits (Pieter Wuille, "A formal
/// proof of safegcd bounds", 2021): 591 for 256 and 1181 for 512.
pub(super) fn invert_secret<L: Limbs>(value: L, prime: L) -> L {
    let modulus = digits(prime);
    let inverse = (super::field::negated_inverse(prime.words()[0]).wrapping_neg() as i64) & DIGIT_MASK;
    let bits = L::WORDS * 64;
    let width = bits.div_ceil(DIGIT_BITS);
    let (mut f, mut g) = (modulus, digits(value));
    let (mut d, mut e): (Digits, Digits) = ([0; DIGITS], [0; DIGITS]);
    e[0] = 1;
    let mut zeta = -1;
    for _ in 0..((45907 * bits + 26313) / 19929).div_ceil(SECRET_STEPS) {
        let transition = steps_secret(&mut zeta, f[0] as u64, g[0] as u64);
        update_coefficients(&mut d[..width], &mut e[..width], &transition, &modulus, inverse);
        update_values(&mut f[..width], &mut g[..width], &transition);
    }
    integer(normalized(d, f[width - 1] >> 63, &modulus, width))
}

/// 59 division steps on the low words, each with masks in place of branches; `zeta` is `−(δ + 1/2)`.
fn steps_secret(zeta: &mut i64, mut f: u64, mut g: u64) -> Transition {
    let (mut u, mut v, mut q, mut r) = (8u64, 0u64, 0u64, 8u64);
    for _ in 0..SECRET_STEPS {
        let swap = black_box((*zeta >> 63) as u64);
        let odd = black_box((g & 1).wrapping_neg());
        g = g.wrapping_add(((f ^ swap).wrapping_sub(swap)) & odd);
        q = q.wrapping_add(((u ^ swap).wrapping_sub(swap)) & odd);
        r = r.wrapping_add(((v ^ swap).wrapping_sub(swap)) & odd);
        let swap = swap & odd;
        *zeta = (*zeta ^ swap as i64).wrapping_sub(1);
        f = f.wrapping_add(g & swap);
        u = u.wrapping_add(q & swap);
        v = v.wrapping_add(r & swap);
        g >>= 1;
        u <<= 1;
        v <<= 1;
    }
    Transition { u: u as i64, v: v as i64, q: q as i64, r: r as i64 }
}

/// The same, in time that depends on the value.
pub(super) fn invert_public<L: Limbs>(value: L, prime: L) -> L {
    let modulus = digits(prime);
    // prime⁻¹ mod 2^62.
    let inverse = (super::field::negated_inverse(prime.words()[0]).wrapping_neg() as i64) & DIGIT_MASK;
    let width = (L::WORDS * 64).div_ceil(DIGIT_BITS);
    let (mut f, mut g) = (modulus, digits(value));
    let (mut d, mut e): (Digits, Digits) = ([0; DIGITS], [0; DIGITS]);
    e[0] = 1;
    let (mut eta, mut len) = (-1, width);
    while g[..len].iter().any(|digit| *digit != 0) {
        let transition = steps(&mut eta, f[0] as u64, g[0] as u64);
        update_coefficients(&mut d[..width], &mut e[..width], &transition, &modulus, inverse);
        update_values(&mut f[..len], &mut g[..len], &transition);
        // Drop the top digits once both are no more than signs.
        let (top_f, top_g) = (f[len - 1], g[len - 1]);
        if len > 1 && top_f == top_f >> 63 && top_g == top_g >> 63 {
            f[len - 2] |= top_f << DIGIT_BITS;
            g[len - 2] |= top_g << DIGIT_BITS;
            len -= 1;
        }
    }
    integer(normalized(d, f[len - 1] >> 63, &modulus, width))
}

fn digits<L: Limbs>(integer: L) -> Digits {
    let mut digits = [0; DIGITS];
    for (at, digit) in digits.iter_mut().enumerate() {
        let low = integer.bits(at * DIGIT_BITS, 31);
        let high = integer.bits(at * DIGIT_BITS + 31, 31);
        *digit = (low | high << 31) as i64;
    }
    digits
}

fn integer<L: Limbs>(digits: Digits) -> L {
    let mut integer = L::ZERO;
    for (at, word) in integer.words_mut().iter_mut().enumerate() {
        let (index, shift) = (at * 64 / DIGIT_BITS, at * 64 % DIGIT_BITS);
        let digit = |i: usize| digits.get(i).copied().unwrap_or(0) as u64;
        let above = u128::from(digit(index + 1)) << DIGIT_BITS | u128::from(digit(index + 2)) << (2 * DIGIT_BITS);
        *word = ((u128::from(digit(index)) | above) >> shift) as u64;
    }
    integer
}

/// 62 division steps on the low words; several at once where the value allows.
fn steps(eta: &mut i64, mut f: u64, mut g: u64) -> Transition {
    let (mut u, mut v, mut q, mut r) = (1u64, 0u64, 0u64, 1u64);
    let mut left = DIGIT_BITS as i64;
    loop {
        let zeros = (g | u64::MAX << left).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        *eta -= i64::from(zeros);
        left -= i64::from(zeros);
        if left == 0 {
            return Transition { u: u as i64, v: v as i64, q: q as i64, r: r as i64 };
        }
        let multiple = if *eta < 0 {
            *eta = -*eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
            // Cancels up to six bits of g: f·(f² − 2) is −1/f modulo 64.
            let cancelled = low_mask((*eta + 1).min(left)) & 63;
            f.wrapping_mul(g).wrapping_mul(f.wrapping_mul(f).wrapping_sub(2)) & cancelled
        } else {
            // Up to four bits: f + ((f + 1) & 4)·2 is 1/f modulo 16.
            let cancelled = low_mask((*eta + 1).min(left)) & 15;
            let inverse = f.wrapping_add((f.wrapping_add(1) & 4) << 1);
            inverse.wrapping_neg().wrapping_mul(g) & cancelled
        };
        g = g.wrapping_add(f.wrapping_mul(multiple));
        q = q.wrapping_add(u.wrapping_mul(multiple));
        r = r.wrapping_add(v.wrapping_mul(multiple));
    }
}

fn low_mask(bits: i64) -> u64 {
    u64::MAX >> (64 - bits)
}

fn product(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

/// `(f, g) := transition · (f, g) / 2^62`.
fn update_values(f: &mut [i64], g: &mut [i64], t: &Transition) {
    let mut low_f = (product(t.u, f[0]) + product(t.v, g[0])) >> DIGIT_BITS;
    let mut low_g = (product(t.q, f[0]) + product(t.r, g[0])) >> DIGIT_BITS;
    for i in 1..f.len() {
        low_f += product(t.u, f[i]) + product(t.v, g[i]);
        low_g += product(t.q, f[i]) + product(t.r, g[i]);
        f[i - 1] = low_f as i64 & DIGIT_MASK;
        g[i - 1] = low_g as i64 & DIGIT_MASK;
        low_f >>= DIGIT_BITS;
        low_g >>= DIGIT_BITS;
    }
    let last = f.len() - 1;
    f[last] = low_f as i64;
    g[last] = low_g as i64;
}

/// `(d, e) := transition · (d, e) / 2^62` modulo the prime; both stay between `−2·prime` and `prime`.
fn update_coefficients(d: &mut [i64], e: &mut [i64], t: &Transition, modulus: &Digits, inverse: i64) {
    let last = d.len() - 1;
    let (sign_d, sign_e) = (d[last] >> 63, e[last] >> 63);
    let mut multiple_d = (t.u & sign_d) + (t.v & sign_e);
    let mut multiple_e = (t.q & sign_d) + (t.r & sign_e);
    let mut low_d = product(t.u, d[0]) + product(t.v, e[0]);
    let mut low_e = product(t.q, d[0]) + product(t.r, e[0]);
    // Make the low digits divisible by 2^62.
    multiple_d -= inverse.wrapping_mul(low_d as i64).wrapping_add(multiple_d) & DIGIT_MASK;
    multiple_e -= inverse.wrapping_mul(low_e as i64).wrapping_add(multiple_e) & DIGIT_MASK;
    low_d = (low_d + product(modulus[0], multiple_d)) >> DIGIT_BITS;
    low_e = (low_e + product(modulus[0], multiple_e)) >> DIGIT_BITS;
    for i in 1..=last {
        low_d += product(t.u, d[i]) + product(t.v, e[i]) + product(modulus[i], multiple_d);
        low_e += product(t.q, d[i]) + product(t.r, e[i]) + product(modulus[i], multiple_e);
        d[i - 1] = low_d as i64 & DIGIT_MASK;
        e[i - 1] = low_e as i64 & DIGIT_MASK;
        low_d >>= DIGIT_BITS;
        low_e >>= DIGIT_BITS;
    }
    d[last] = low_d as i64;
    e[last] = low_e as i64;
}

/// `d`, or `−d` where `negate` is all ones, modulo the prime and between zero and the prime.
fn normalized(mut d: Digits, negate: i64, modulus: &Digits, width: usize) -> Digits {
    for negate in [negate, 0] {
        let below_zero = black_box(d[width - 1] >> 63);
        for (digit, prime) in d.iter_mut().zip(modulus) {
            *digit = ((*digit + (prime & below_zero)) ^ negate) - negate;
        }
        for i in 0..width - 1 {
            d[i + 1] += d[i] >> DIGIT_BITS;
            d[i] &= DIGIT_MASK;
        }
    }
    d
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::gost::curve::{Curve, Scalar};
    use crate::crypto::gost::field::{Element, Modulus};
    use crate::crypto::gost::parameters::{CryptoProA, StandardExample512, Tc26A256, Tc26A512};
    use proptest::prelude::*;

    /// By Fermat's little theorem.
    fn fermat<M: Modulus>(value: Element<M>) -> Element<M> {
        let (exponent, _) = M::PRIME.sub_word(2);
        (0..M::Limbs::WORDS * 64).rev().fold(Element::ONE, |result, bit| {
            let squared = result.square();
            if exponent.bits(bit, 1) == 1 { squared * value } else { squared }
        })
    }

    fn inverts<C: Curve>(integer: C::Limbs) {
        let value = Scalar::<C>::reduce(integer);
        let inverse = Scalar::<C>::reduce(invert_public(value.integer(), C::Scalar::PRIME));
        assert!(inverse == fermat(value), "{:?}", value.integer());
        assert!(inverse == Scalar::<C>::reduce(invert_secret(value.integer(), C::Scalar::PRIME)));
    }

    fn inverts_edges<C: Curve>() {
        for small in 0..20 {
            inverts::<C>(C::Limbs::ZERO.add_word(small).0);
            inverts::<C>(C::Scalar::PRIME.sub_word(small).0);
        }
        for bit in 0..C::ORDER_BITS {
            let mut power = C::Limbs::ZERO;
            power.words_mut()[bit / 64] = 1 << (bit % 64);
            inverts::<C>(power);
            inverts::<C>(C::Scalar::PRIME.sub(power).0);
        }
    }

    #[test]
    fn edges_invert() {
        inverts_edges::<Tc26A512>();
        inverts_edges::<Tc26A256>();
        inverts_edges::<CryptoProA>();
        inverts_edges::<StandardExample512>();
    }

    proptest! {
        #[test]
        fn inverses_agree_with_fermat(a: [u64; 8], b: [u64; 4]) {
            let x = Element::<<Tc26A512 as Curve>::Base>::reduce(a);
            prop_assert!(x.invert() == fermat(x) && x.invert_public() == fermat(x));
            inverts::<Tc26A512>(a);
            inverts::<StandardExample512>(a);
            inverts::<Tc26A256>(b);
            inverts::<CryptoProA>(b);
        }
    }
}
