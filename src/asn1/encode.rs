//! Writing DER: each function returns one complete element.
//!
//! What is built here is small (certificates, signed attributes, the frame around a content), so elements are plain
//! octets put together from the inside out. That also lets a fixture say things no typed encoder would.
//!
//! *Invariant:* lengths are definite and minimal, SET OF is sorted, times take the form their year asks for.

use super::{Oid, Tag};
use crate::report::Time;

/// An element of the given tag around its parts.
pub fn element(tag: Tag, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 10);
    out.push(tag.0);
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            let octets = length.to_be_bytes();
            let leading = octets.iter().take_while(|octet| **octet == 0).count();
            let significant = octets.len() - leading;
            // At most 8, the octets of a usize.
            out.push(0x80 | u8::try_from(significant).unwrap_or(0x7f));
            out.extend(octets.iter().skip(leading));
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// A SEQUENCE.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(Tag::SEQUENCE, parts)
}

/// A SEQUENCE OF.
pub fn sequence_of(members: &[Vec<u8>]) -> Vec<u8> {
    element(Tag::SEQUENCE, &members.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// A SET OF, its members in ascending order of their encodings (X.690 §11.6).
pub fn set_of(members: &[Vec<u8>]) -> Vec<u8> {
    implicit_set_of(Tag::SET, members)
}

/// A SET OF under another tag, such as the `[0]` of signed attributes (RFC 5652 §5.3).
pub fn implicit_set_of(tag: Tag, members: &[Vec<u8>]) -> Vec<u8> {
    let mut sorted: Vec<&[u8]> = members.iter().map(Vec::as_slice).collect();
    sorted.sort_unstable();
    element(tag, &sorted)
}

/// `[n] EXPLICIT` around one element.
pub fn explicit(n: u8, inner: &[u8]) -> Vec<u8> {
    element(Tag::context_constructed(n), &[inner])
}

/// A BOOLEAN.
pub fn boolean(value: bool) -> Vec<u8> {
    element(Tag::BOOLEAN, &[&[if value { 0xff } else { 0 }]])
}

/// A non-negative INTEGER from its magnitude, most significant octet first.
pub fn unsigned(magnitude: &[u8]) -> Vec<u8> {
    let leading = magnitude.iter().take_while(|octet| **octet == 0).count();
    let significant = magnitude.get(leading..).unwrap_or_default();
    let sign: &[u8] = if significant.first().is_none_or(|first| first & 0x80 != 0) { &[0] } else { &[] };
    element(Tag::INTEGER, &[sign, significant])
}

/// A non-negative INTEGER.
pub fn small_unsigned(value: u64) -> Vec<u8> {
    unsigned(&value.to_be_bytes())
}

/// An ENUMERATED below 128.
pub fn enumerated(value: u8) -> Vec<u8> {
    element(Tag::ENUMERATED, &[&[value & 0x7f]])
}

/// A BIT STRING of whole octets.
pub fn bit_string(octets: &[u8]) -> Vec<u8> {
    element(Tag::BIT_STRING, &[&[0], octets])
}

/// A BIT STRING with a named bit list: bit `n` is set where `1 << n` is, trailing zeros are dropped (X.690 §11.2.2).
pub fn named_bits(bits: u16) -> Vec<u8> {
    let [first, second] = bits.reverse_bits().to_be_bytes();
    let (octets, last): (&[u8], u8) = match (first, second) {
        (0, 0) => return element(Tag::BIT_STRING, &[&[0]]),
        (first, 0) => (&[first], first),
        (first, second) => (&[first, second], second),
    };
    // Below 8, the bits of an octet that is not zero.
    let unused = u8::try_from(last.trailing_zeros()).unwrap_or(0);
    element(Tag::BIT_STRING, &[&[unused], octets])
}

/// An OCTET STRING.
pub fn octet_string(octets: &[u8]) -> Vec<u8> {
    element(Tag::OCTET_STRING, &[octets])
}

/// NULL.
pub fn null() -> Vec<u8> {
    element(Tag::NULL, &[])
}

/// An OBJECT IDENTIFIER.
pub fn oid(oid: Oid<'_>) -> Vec<u8> {
    element(Tag::OID, &[oid.as_bytes()])
}

/// A character string of the given type, its octets as they are.
pub fn string(tag: Tag, text: &str) -> Vec<u8> {
    element(tag, &[text.as_bytes()])
}

/// A Time: UTCTime from 1950 through 2049, GeneralizedTime otherwise (RFC 5280 §4.1.2.5, RFC 5652 §11.3).
pub fn time(time: Time) -> Vec<u8> {
    let digits = digits(time);
    match digits.as_str().split_at_checked(2) {
        Some(("19", short)) if short >= "50" => string(Tag::UTC_TIME, short),
        Some(("20", short)) if short < "50" => string(Tag::UTC_TIME, short),
        _ => string(Tag::GENERALIZED_TIME, &digits),
    }
}

/// A GeneralizedTime without fractions.
pub fn generalized_time(time: Time) -> Vec<u8> {
    string(Tag::GENERALIZED_TIME, &digits(time))
}

/// `YYYYMMDDHHMMSSZ`, from the RFC 3339 form.
fn digits(time: Time) -> String {
    time.to_string().chars().filter(|c| c.is_ascii_digit() || *c == 'Z').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::{Reader, generalized_time as read_generalized, x509_time};
    use proptest::prelude::*;

    #[test]
    fn lengths_are_minimal() {
        for (length, header) in [
            (0, &[0x04, 0][..]),
            (0x7f, &[0x04, 0x7f]),
            (0x80, &[0x04, 0x81, 0x80]),
            (0xff, &[0x04, 0x81, 0xff]),
            (0x100, &[0x04, 0x82, 1, 0]),
            (0x1_0000, &[0x04, 0x83, 1, 0, 0]),
        ] {
            let octets = vec![7; length];
            let der = octet_string(&octets);
            assert_eq!(der, [header, &octets].concat());
            assert_eq!(Reader::der(&der).octet_string(), Ok(&octets[..]));
        }
    }

    #[test]
    fn named_bits_drop_trailing_zeros() {
        assert_eq!(named_bits(0), [3, 1, 0]);
        assert_eq!(named_bits(0b11), [3, 2, 6, 0xc0]);
        assert_eq!(named_bits(0b110_0000), [3, 2, 1, 0x06]);
        assert_eq!(named_bits(1 << 8), [3, 3, 7, 0, 0x80]);
    }

    #[test]
    fn sets_are_sorted_by_encoding() {
        let members = [null(), boolean(true), small_unsigned(300), small_unsigned(2)];
        assert_eq!(set_of(&members), [0x31, 12, 1, 1, 0xff, 2, 1, 2, 2, 2, 1, 0x2c, 5, 0]);
    }

    #[test]
    fn times_take_the_form_of_their_year() {
        for (text, tag) in [
            ("1949-12-31T23:59:59Z", Tag::GENERALIZED_TIME),
            ("1950-01-01T00:00:00Z", Tag::UTC_TIME),
            ("1999-12-31T23:59:59Z", Tag::UTC_TIME),
            ("2049-12-31T23:59:59Z", Tag::UTC_TIME),
            ("2050-01-01T00:00:00Z", Tag::GENERALIZED_TIME),
        ] {
            let moment: Time = text.parse().unwrap();
            let der = time(moment);
            assert_eq!((der[0], x509_time(&mut Reader::der(&der))), (tag.0, Ok(moment)), "{text}");
            let der = generalized_time(moment);
            assert_eq!(Reader::der(&der).element().and_then(|e| read_generalized(&e)), Ok(moment));
        }
    }

    proptest! {
        #[test]
        fn integers_are_read_back(value: u64) {
            let der = small_unsigned(value);
            let contents = Reader::der(&der).integer().unwrap();
            let read = contents.iter().fold(0u128, |n, octet| n * 256 + u128::from(*octet));
            prop_assert_eq!(read, u128::from(value));
            prop_assert!(contents[0] & 0x80 == 0);
        }
    }
}
