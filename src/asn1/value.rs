//! Values of the universal types.

use super::{Element, Error, Reader, Rules, Tag};

/// A BIT STRING: its octets and how many bits of the last one do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitString<'a> {
    /// The octets, first bit in the most significant position.
    pub octets: &'a [u8],
    /// Unused bits in the last octet, 0 to 7.
    pub unused: u8,
}

impl BitString<'_> {
    /// Whether bit `n` (named bit lists count from 0 at the left) is set.
    pub fn bit(&self, n: usize) -> bool {
        self.octets.get(n / 8).is_some_and(|b| b & (0x80 >> (n % 8)) != 0)
    }
}

/// Whether contents octets are the shortest form of an INTEGER (X.690 §8.3.2).
pub fn integer_is_minimal(contents: &[u8]) -> bool {
    match contents {
        [] => false,
        [_] => true,
        [0x00, second, ..] => second & 0x80 != 0,
        [0xff, second, ..] => second & 0x80 == 0,
        _ => true,
    }
}

impl<'a> Element<'a> {
    /// The contents of an INTEGER, two's complement, shortest form.
    ///
    /// # Errors
    /// Another tag, or a form that is not minimal (forbidden in BER too, X.690 §8.3.2).
    pub fn integer(&self) -> Result<&'a [u8], Error> {
        self.expect(Tag::INTEGER)?;
        if integer_is_minimal(self.contents) { Ok(self.contents) } else { Err(self.invalid()) }
    }

    /// An INTEGER or ENUMERATED that is not negative and fits 32 bits.
    ///
    /// # Errors
    /// Everything else.
    pub fn small_unsigned(&self) -> Result<u32, Error> {
        if !matches!(self.tag, Tag::INTEGER | Tag::ENUMERATED) || !integer_is_minimal(self.contents) {
            return Err(self.invalid());
        }
        let octets = match self.contents {
            [0x00, rest @ ..] => rest,
            [first, ..] if first & 0x80 != 0 => return Err(self.invalid()),
            octets => octets,
        };
        if octets.len() > 4 {
            return Err(self.invalid());
        }
        Ok(octets.iter().fold(0, |n, &b| (n << 8) | u32::from(b)))
    }

    /// A BOOLEAN; DER takes `00` and `FF` only (X.690 §11.1).
    ///
    /// # Errors
    /// Another tag, length or value.
    pub fn boolean(&self) -> Result<bool, Error> {
        self.expect(Tag::BOOLEAN)?;
        match (self.contents, self.rules) {
            ([0x00], _) => Ok(false),
            ([0xff], _) | ([_], Rules::Ber) => Ok(true),
            _ => Err(self.invalid()),
        }
    }

    /// NULL: nothing inside.
    ///
    /// # Errors
    /// Another tag, or contents.
    pub fn null(&self) -> Result<(), Error> {
        self.expect(Tag::NULL)?;
        if self.contents.is_empty() { Ok(()) } else { Err(self.invalid()) }
    }

    /// The contents of a primitive OCTET STRING.
    ///
    /// # Errors
    /// Another tag.
    pub fn octet_string(&self) -> Result<&'a [u8], Error> {
        Ok(self.expect(Tag::OCTET_STRING)?.contents)
    }

    /// A BIT STRING; in DER the unused bits must be zero (X.690 §11.2.1).
    ///
    /// # Errors
    /// Another tag, no first octet, more than seven unused bits, unused bits of nothing.
    pub fn bit_string(&self) -> Result<BitString<'a>, Error> {
        self.expect(Tag::BIT_STRING)?;
        let (&unused, octets) = self.contents.split_first().ok_or(self.invalid())?;
        let stray = match octets.last() {
            None => unused != 0,
            Some(last) => unused > 7 || (self.rules == Rules::Der && last & ((1u8 << unused) - 1) != 0),
        };
        if stray { Err(self.invalid()) } else { Ok(BitString { octets, unused }) }
    }

    /// A BIT STRING that is a whole number of octets (keys and signatures).
    ///
    /// # Errors
    /// As [`Element::bit_string`], and when bits are unused.
    pub fn bit_string_octets(&self) -> Result<&'a [u8], Error> {
        let bits = self.bit_string()?;
        if bits.unused == 0 { Ok(bits.octets) } else { Err(self.invalid()) }
    }
}

impl<'a> Reader<'a> {
    /// The INTEGER that comes next, as contents octets.
    ///
    /// # Errors
    /// As [`Element::integer`].
    pub fn integer(&mut self) -> Result<&'a [u8], Error> {
        self.element()?.integer()
    }

    /// The OCTET STRING that comes next.
    ///
    /// # Errors
    /// As [`Element::octet_string`].
    pub fn octet_string(&mut self) -> Result<&'a [u8], Error> {
        self.expect(Tag::OCTET_STRING)?.octet_string()
    }

    /// A BOOLEAN with DEFAULT FALSE. DER leaves the default out (X.690 §11.5), so an explicit FALSE is refused there.
    ///
    /// # Errors
    /// As [`Element::boolean`], and an encoded default in DER.
    pub fn boolean_default_false(&mut self) -> Result<bool, Error> {
        match self.optional(Tag::BOOLEAN)? {
            None => Ok(false),
            Some(element) => match element.boolean()? {
                false if element.rules == Rules::Der => Err(element.invalid()),
                value => Ok(value),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal() {
        for (der, ok) in [
            (&[2, 1, 0][..], true),
            (&[2, 2, 0, 0x80], true),
            (&[2, 2, 0, 0x7f], false),
            (&[2, 2, 0xff, 0x80], false),
            (&[2, 0], false),
        ] {
            assert_eq!(Reader::der(der).integer().is_ok(), ok, "{der:02x?}");
        }
    }

    #[test]
    fn small_unsigned_refuses_negative_and_large() {
        let value = |der: &[u8]| Reader::der(der).element().unwrap().small_unsigned().ok();
        assert_eq!(value(&[2, 1, 5]), Some(5));
        assert_eq!(value(&[2, 5, 0, 0xff, 0xff, 0xff, 0xff]), Some(u32::MAX));
        assert_eq!(value(&[2, 1, 0xff]), None);
        assert_eq!(value(&[2, 5, 1, 0, 0, 0, 0]), None);
    }

    #[test]
    fn der_booleans_and_bits_are_strict() {
        assert!(Reader::der(&[1, 1, 1]).boolean_default_false().is_err());
        assert!(Reader::ber(&[1, 1, 1]).boolean_default_false().unwrap());
        assert!(Reader::der(&[1, 1, 0]).boolean_default_false().is_err(), "an encoded default");
        let bits = |der: &[u8]| Reader::der(der).element().unwrap().bit_string().is_ok();
        assert!(bits(&[3, 2, 1, 0x06]));
        assert!(!bits(&[3, 2, 1, 0x07]), "stray unused bit");
        assert!(!bits(&[3, 1, 1]), "unused bits of nothing");
        assert!(!bits(&[3, 2, 8, 0]));
        assert!(!bits(&[3, 0]));
    }
}
