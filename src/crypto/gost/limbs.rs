//! Little-endian multi-precision integers of 256 and 512 bits.
//!
//! *Invariant:* every function runs the same instructions on the same addresses whatever the values are; nothing
//! here branches on, or indexes by, a limb.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::panic,
    reason = "constants are checked at compile time; pure arithmetic on arrays of fixed length with loop bounds of that length; a u128 is split into halves"
)]

use zeroize::Zeroize;

/// An unsigned integer of fixed width, least significant word first.
pub(super) trait Limbs: Copy + Zeroize + Send + Sync + core::fmt::Debug + 'static {
    /// Number of 64-bit words.
    const WORDS: usize;
    /// Zero.
    const ZERO: Self;

    /// The words, least significant first.
    fn words(&self) -> &[u64];
    /// The words, writable.
    fn words_mut(&mut self) -> &mut [u64];
    /// Sum and carry.
    fn add(self, other: Self) -> (Self, bool);
    /// Difference and borrow.
    fn sub(self, other: Self) -> (Self, bool);
    /// Product as (low, high) halves.
    fn multiply(self, other: Self) -> (Self, Self);
    /// Square as (low, high) halves.
    fn square(self) -> (Self, Self);
    /// `low + self · word`, as (low, word above).
    fn multiply_word(self, word: u64, low: Self) -> (Self, u64);
    /// Twice the number, and the bit above the top.
    fn double(self) -> (Self, u64);
    /// Half of the number with one more bit, `above`, at the top.
    fn halve(self, above: u64) -> Self;
    /// Adds one word; returns the carry out of the top.
    fn add_word(self, word: u64) -> (Self, bool);
    /// Subtracts one word; returns the borrow out of the top.
    fn sub_word(self, word: u64) -> (Self, bool);
    /// `other` where `mask` is all ones, `self` where it is zero.
    fn select(self, other: Self, mask: u64) -> Self;
    /// `self | other` where `mask` is all ones, `self` where it is zero.
    fn gather(self, other: Self, mask: u64) -> Self;

    /// Reads exactly `8 · WORDS` little-endian bytes.
    fn from_le_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != Self::WORDS * 8 {
            return None;
        }
        let mut value = Self::ZERO;
        for (word, chunk) in value.words_mut().iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(chunk.try_into().ok()?);
        }
        Some(value)
    }

    /// Writes the value as little-endian bytes; `out` is `8 · WORDS` long.
    fn write_le_bytes(&self, out: &mut [u8]) {
        for (word, chunk) in self.words().iter().zip(out.chunks_exact_mut(8)) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
    }

    /// All ones where the value is zero, else zero.
    fn zero_mask(&self) -> u64 {
        let any = self.words().iter().fold(0, |any, word| any | word);
        mask((any | any.wrapping_neg()) >> 63 == 0)
    }

    /// Whether the value is zero.
    fn is_zero(&self) -> bool {
        self.zero_mask() != 0
    }

    /// Whether `self < other`.
    fn is_less(self, other: Self) -> bool {
        self.sub(other).1
    }

    /// Bits `position .. position + count` as a number; bits above the top are zero. `count` is at most 32.
    fn bits(&self, position: usize, count: usize) -> u64 {
        let (index, shift) = (position / 64, position % 64);
        let word = |at: usize| self.words().get(at).copied().unwrap_or(0);
        let value = (u128::from(word(index)) | u128::from(word(index + 1)) << 64) >> shift;
        value as u64 & ((1 << count) - 1)
    }
}

/// All ones for true, zero for false.
#[inline(always)]
pub(super) fn mask(condition: bool) -> u64 {
    u64::from(condition).wrapping_neg()
}

#[inline(always)]
fn wide(a: u64, b: u64) -> (u64, u64) {
    let product = u128::from(a) * u128::from(b);
    (product as u64, (product >> 64) as u64)
}

macro_rules! limbs {
    ($words:literal, $multiply:ident, $square:ident) => {
        impl Limbs for [u64; $words] {
            const WORDS: usize = $words;
            const ZERO: Self = [0; $words];

            #[inline(always)]
            fn words(&self) -> &[u64] {
                self
            }

            #[inline(always)]
            fn words_mut(&mut self) -> &mut [u64] {
                self
            }

            #[inline(always)]
            fn add(self, other: Self) -> (Self, bool) {
                let (mut sum, mut carry) = (self, false);
                for i in 0..$words {
                    (sum[i], carry) = self[i].carrying_add(other[i], carry);
                }
                (sum, carry)
            }

            #[inline(always)]
            fn sub(self, other: Self) -> (Self, bool) {
                let (mut difference, mut borrow) = (self, false);
                for i in 0..$words {
                    (difference[i], borrow) = self[i].borrowing_sub(other[i], borrow);
                }
                (difference, borrow)
            }

            #[inline(always)]
            fn multiply(self, other: Self) -> (Self, Self) {
                $multiply(&self, &other)
            }

            #[inline(always)]
            fn square(self) -> (Self, Self) {
                $square(&self)
            }

            #[inline(always)]
            fn multiply_word(self, word: u64, low: Self) -> (Self, u64) {
                let (mut lower, mut upper) = ([0; $words], [0; $words]);
                for i in 0..$words {
                    (lower[i], upper[i]) = wide(self[i], word);
                }
                let (sum, carry) = Limbs::add(low, lower);
                let mut top = upper[$words - 1].wrapping_add(u64::from(carry));
                let (mut out, mut carry) = (sum, false);
                for i in 1..$words {
                    (out[i], carry) = sum[i].carrying_add(upper[i - 1], carry);
                }
                top = top.wrapping_add(u64::from(carry));
                (out, top)
            }

            #[inline(always)]
            fn double(self) -> (Self, u64) {
                let (out, carry) = twice(&self);
                (out, u64::from(carry))
            }

            #[inline(always)]
            fn halve(self, above: u64) -> Self {
                let mut out = self;
                for i in 0..$words - 1 {
                    out[i] = self[i] >> 1 | self[i + 1] << 63;
                }
                out[$words - 1] = self[$words - 1] >> 1 | above << 63;
                out
            }

            #[inline(always)]
            fn add_word(self, word: u64) -> (Self, bool) {
                let mut out = self;
                let mut carry;
                (out[0], carry) = self[0].overflowing_add(word);
                for i in 1..$words {
                    (out[i], carry) = self[i].carrying_add(0, carry);
                }
                (out, carry)
            }

            #[inline(always)]
            fn sub_word(self, word: u64) -> (Self, bool) {
                let mut out = self;
                let mut borrow;
                (out[0], borrow) = self[0].overflowing_sub(word);
                for i in 1..$words {
                    (out[i], borrow) = self[i].borrowing_sub(0, borrow);
                }
                (out, borrow)
            }

            #[inline(always)]
            fn select(self, other: Self, mask: u64) -> Self {
                let mut out = self;
                for i in 0..$words {
                    out[i] = self[i] ^ (mask & (self[i] ^ other[i]));
                }
                out
            }

            #[inline(always)]
            fn gather(self, other: Self, mask: u64) -> Self {
                let mut out = self;
                for i in 0..$words {
                    out[i] = self[i] | (mask & other[i]);
                }
                out
            }
        }
    };
}

limbs!(4, multiply_4, square_4);
limbs!(8, multiply_8, square_8);

/// One word times four.
#[inline(always)]
fn row(a: u64, b: &[u64; 4]) -> [u64; 5] {
    let (low_0, high_0) = wide(a, b[0]);
    let (low_1, high_1) = wide(a, b[1]);
    let (low_2, high_2) = wide(a, b[2]);
    let (low_3, high_3) = wide(a, b[3]);
    let (r1, carry) = low_1.overflowing_add(high_0);
    let (r2, carry) = low_2.carrying_add(high_1, carry);
    let (r3, carry) = low_3.carrying_add(high_2, carry);
    [low_0, r1, r2, r3, high_3.wrapping_add(u64::from(carry))]
}

/// Product of 256-bit numbers, eight words.
#[inline(always)]
fn product_4(a: &[u64; 4], b: &[u64; 4]) -> [u64; 8] {
    let [r0, r1, r2, r3, r4] = row(a[0], b);
    let mut t = [r0, r1, r2, r3, r4, 0, 0, 0];
    for i in 1..4 {
        let r = row(a[i], b);
        let mut carry = false;
        for j in 0..4 {
            (t[i + j], carry) = t[i + j].carrying_add(r[j], carry);
        }
        t[i + 4] = r[4].wrapping_add(u64::from(carry));
    }
    t
}

/// Twice a number, and the carry: by additions, because shifts across two words, which a compiler likes better, are
/// slow on AMD processors.
#[inline(always)]
fn twice<const N: usize>(value: &[u64; N]) -> ([u64; N], bool) {
    let zero = core::hint::black_box(0);
    let (mut out, mut carry) = (*value, false);
    for word in &mut out {
        (*word, carry) = word.carrying_add(*word | zero, carry);
    }
    (out, carry)
}

/// Square of a 256-bit number: six cross products, doubled, and four squares.
#[inline(always)]
fn squared_4(a: &[u64; 4]) -> [u64; 8] {
    let (l01, h01) = wide(a[0], a[1]);
    let (l02, h02) = wide(a[0], a[2]);
    let (l03, h03) = wide(a[0], a[3]);
    let (l12, h12) = wide(a[1], a[2]);
    let (l13, h13) = wide(a[1], a[3]);
    let (l23, h23) = wide(a[2], a[3]);
    let t1 = l01;
    let (t2, carry) = l02.overflowing_add(h01);
    let (t3, carry) = l03.carrying_add(h02, carry);
    let t4 = h03.wrapping_add(u64::from(carry));
    let (t3, carry) = t3.overflowing_add(l12);
    let (t4, carry) = t4.carrying_add(l13, carry);
    let t5 = h13.wrapping_add(u64::from(carry));
    let (t4, carry) = t4.overflowing_add(h12);
    let (t5, carry) = t5.carrying_add(l23, carry);
    let t6 = h23.wrapping_add(u64::from(carry));
    let ([t1, t2, t3, t4, t5, t6], carry) = twice(&[t1, t2, t3, t4, t5, t6]);
    let t7 = u64::from(carry);
    let (l0, h0) = wide(a[0], a[0]);
    let (l1, h1) = wide(a[1], a[1]);
    let (l2, h2) = wide(a[2], a[2]);
    let (l3, h3) = wide(a[3], a[3]);
    let (t1, carry) = t1.overflowing_add(h0);
    let (t2, carry) = t2.carrying_add(l1, carry);
    let (t3, carry) = t3.carrying_add(h1, carry);
    let (t4, carry) = t4.carrying_add(l2, carry);
    let (t5, carry) = t5.carrying_add(h2, carry);
    let (t6, carry) = t6.carrying_add(l3, carry);
    let t7 = t7.wrapping_add(h3).wrapping_add(u64::from(carry));
    [l0, t1, t2, t3, t4, t5, t6, t7]
}

#[inline(always)]
fn halves<const N: usize, const HALF: usize>(value: &[u64; N]) -> ([u64; HALF], [u64; HALF]) {
    let (mut low, mut high) = ([0; HALF], [0; HALF]);
    low.copy_from_slice(&value[..HALF]);
    high.copy_from_slice(&value[HALF..]);
    (low, high)
}

#[inline(always)]
fn multiply_4(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], [u64; 4]) {
    halves(&product_4(a, b))
}

#[inline(always)]
fn square_4(a: &[u64; 4]) -> ([u64; 4], [u64; 4]) {
    halves(&squared_4(a))
}

/// `|a − b|` and a mask that is all ones where `a < b`.
#[inline(always)]
fn distance(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], u64) {
    let (mut difference, borrow) = Limbs::sub(*a, *b);
    let sign = mask(borrow);
    let mut carry = borrow;
    for word in &mut difference {
        (*word, carry) = (*word ^ sign).carrying_add(0, carry);
    }
    (difference, sign)
}

/// `low + middle · 2^256 + high · 2^512`, where the middle part has one word more.
#[inline(always)]
fn join(low: [u64; 8], middle: [u64; 8], middle_top: u64, high: [u64; 8]) -> ([u64; 8], [u64; 8]) {
    let (mut low, mut high) = (low, high);
    let mut carry = false;
    for i in 0..4 {
        (low[i + 4], carry) = low[i + 4].carrying_add(middle[i], carry);
    }
    for i in 0..4 {
        (high[i], carry) = high[i].carrying_add(middle[i + 4], carry);
    }
    (high[4], carry) = high[4].carrying_add(middle_top, carry);
    for word in &mut high[5..] {
        (*word, carry) = word.carrying_add(0, carry);
    }
    (low, high)
}

/// Karatsuba: three products of 256 bits in place of four.
#[inline(always)]
fn multiply_8(a: &[u64; 8], b: &[u64; 8]) -> ([u64; 8], [u64; 8]) {
    let (a_low, a_high) = halves(a);
    let (b_low, b_high) = halves(b);
    let low = product_4(&a_low, &b_low);
    let high = product_4(&a_high, &b_high);
    let (mut middle, top) = Limbs::add(low, high);
    // a_low·b_high + a_high·b_low = low + high + (a_high − a_low)(b_low − b_high)
    let (a_distance, a_sign) = distance(&a_high, &a_low);
    let (b_distance, b_sign) = distance(&b_low, &b_high);
    let mut cross = product_4(&a_distance, &b_distance);
    let sign = a_sign ^ b_sign;
    let mut carry = sign & 1 == 1;
    for i in 0..8 {
        cross[i] ^= sign;
        (middle[i], carry) = middle[i].carrying_add(cross[i], carry);
    }
    let top = u64::from(top).wrapping_add(u64::from(carry)).wrapping_add(sign);
    join(low, middle, top, high)
}

#[inline(always)]
fn square_8(a: &[u64; 8]) -> ([u64; 8], [u64; 8]) {
    let (a_low, a_high) = halves(a);
    let cross = product_4(&a_low, &a_high);
    let low = squared_4(&a_low);
    let high = squared_4(&a_high);
    let (middle, top) = twice(&cross);
    join(low, middle, u64::from(top), high)
}

/// Reads a big-endian hexadecimal constant of exactly `16 · N` digits.
pub(super) const fn hex<const N: usize>(digits: &str) -> [u64; N] {
    let bytes = digits.as_bytes();
    assert!(bytes.len() == 16 * N, "constant of another width");
    let mut value = [0u64; N];
    let mut i = 0;
    while i < bytes.len() {
        let digit = match bytes[i] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'A'..=b'F' => digit - b'A' + 10,
            _ => panic!("not an upper-case hexadecimal digit"),
        };
        let word = N - 1 - i / 16;
        value[word] = value[word] << 4 | digit as u64;
        i += 1;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn schoolbook<const N: usize>(a: &[u64; N], b: &[u64; N]) -> Vec<u64> {
        let mut t = vec![0u64; 2 * N];
        for i in 0..N {
            let mut carry = 0;
            for j in 0..N {
                (t[i + j], carry) = a[i].carrying_mul_add(b[j], t[i + j], carry);
            }
            t[i + N] = carry;
        }
        t
    }

    /// Words that are often all zeros or all ones: where carries go wrong.
    fn edgy<const N: usize>() -> impl Strategy<Value = [u64; N]> {
        prop::array::uniform(prop_oneof![Just(0), Just(u64::MAX), Just(1), any::<u64>()])
    }

    fn joined<const N: usize>((low, high): ([u64; N], [u64; N])) -> Vec<u64> {
        low.into_iter().chain(high).collect()
    }

    proptest! {
        #[test]
        fn products_equal_the_schoolbook(a in edgy::<8>(), b in edgy::<8>(), c in edgy::<4>(), d in edgy::<4>()) {
            prop_assert_eq!(joined(Limbs::multiply(a, b)), schoolbook(&a, &b));
            prop_assert_eq!(joined(Limbs::square(a)), schoolbook(&a, &a));
            prop_assert_eq!(joined(Limbs::multiply(c, d)), schoolbook(&c, &d));
            prop_assert_eq!(joined(Limbs::square(c)), schoolbook(&c, &c));
        }

        #[test]
        fn difference_undoes_sum(a in edgy::<8>(), b in edgy::<8>()) {
            let (sum, carry) = Limbs::add(a, b);
            prop_assert_eq!(Limbs::sub(sum, b), (a, carry));
        }

        #[test]
        fn bits_are_those_of_the_words(a in edgy::<4>(), position in 0usize..260, count in 1usize..20) {
            let expected = (0..count).filter(|bit| {
                let at = position + bit;
                at < 256 && a[at / 64] >> (at % 64) & 1 == 1
            }).fold(0u64, |value, bit| value | 1 << bit);
            prop_assert_eq!(a.bits(position, count), expected);
        }
    }
}
