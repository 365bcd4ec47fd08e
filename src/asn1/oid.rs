//! Object identifiers as the bytes they travel in.

use std::{fmt, str::FromStr};

/// An OBJECT IDENTIFIER: the contents octets of its encoding (X.690 §8.19), borrowed.
///
/// Comparison is on bytes, so it is exact and does not allocate; `Display` prints dotted decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid<'a>(&'a [u8]);

/// Longest contents accepted: far above any registered identifier (CVE-2023-2650: quadratic time on giant OIDs).
const MAX_OID_BYTES: usize = 128;

impl<'a> Oid<'a> {
    /// An identifier from contents octets; `None` when they are empty, too long, end inside a subidentifier or have
    /// one with leading zeros (X.690 §8.19.2).
    pub fn from_contents(contents: &'a [u8]) -> Option<Oid<'a>> {
        let (last, _) = contents.split_last()?;
        if contents.len() > MAX_OID_BYTES || last & 0x80 != 0 {
            return None;
        }
        let mut starts = true;
        for &b in contents {
            if starts && b == 0x80 {
                return None;
            }
            starts = b & 0x80 == 0;
        }
        Some(Oid(contents))
    }

    /// An identifier from contents octets known at compile time; see [`oid!`](crate::asn1::oid).
    pub const fn from_static(contents: &'static [u8]) -> Oid<'static> {
        Oid(contents)
    }

    /// The contents octets.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Display for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arc: u128 = 0;
        let mut first = true;
        for &b in self.0 {
            // Subidentifiers past 128 bits do not occur; saturate rather than wrap, this is only for people to read.
            arc = arc.saturating_mul(128).saturating_add(u128::from(b & 0x7f));
            if b & 0x80 != 0 {
                continue;
            }
            if first {
                let root = (arc / 40).min(2);
                write!(f, "{root}.{}", arc - root * 40)?;
                first = false;
            } else {
                write!(f, ".{arc}")?;
            }
            arc = 0;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

/// An OBJECT IDENTIFIER that owns its octets; in text and in configuration it is dotted decimals.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OidBuf(Box<[u8]>);

impl OidBuf {
    /// The identifier, borrowed.
    pub fn as_oid(&self) -> Oid<'_> {
        Oid(&self.0)
    }
}

impl From<Oid<'_>> for OidBuf {
    fn from(oid: Oid<'_>) -> OidBuf {
        OidBuf(oid.0.into())
    }
}

/// The text is not an object identifier in dotted decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an object identifier in dotted decimals, such as 1.2.398.3.3.2")]
pub struct NotAnOid;

impl FromStr for OidBuf {
    type Err = NotAnOid;

    fn from_str(text: &str) -> Result<OidBuf, NotAnOid> {
        let arcs: Vec<u64> = text.split('.').map(arc).collect::<Option<_>>().ok_or(NotAnOid)?;
        // X.660: the first arc is 0, 1 or 2; below 0 and 1 there are forty.
        let subidentifiers = match *arcs.as_slice() {
            [root @ 0..=1, second @ 0..=39, ref rest @ ..] => [&[root * 40 + second], rest].concat(),
            [2, second, ref rest @ ..] => [&[second.checked_add(80).ok_or(NotAnOid)?], rest].concat(),
            _ => return Err(NotAnOid),
        };
        let mut octets = Vec::new();
        for value in subidentifiers {
            let septets = (1..10).find(|n| value >> (7 * n) == 0).unwrap_or(10);
            for n in (0..septets).rev() {
                let septet = (value >> (7 * n)).to_le_bytes()[0] & 0x7f;
                octets.push(if n == 0 { septet } else { septet | 0x80 });
            }
        }
        Oid::from_contents(&octets).map(OidBuf::from).ok_or(NotAnOid)
    }
}

/// One arc in decimals, without sign and leading zeros.
fn arc(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

impl fmt::Display for OidBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_oid().fmt(f)
    }
}

impl fmt::Debug for OidBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_oid(), f)
    }
}

impl serde::Serialize for OidBuf {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for OidBuf {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<OidBuf, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Encodes dotted arcs into contents octets; used by the [`oid!`](crate::asn1::oid) macro at compile time.
pub const fn encode<const N: usize>(arcs: &[u64]) -> ([u8; N], usize) {
    let mut out = [0u8; N];
    let mut at = 0;
    let mut i = 1;
    while i < arcs.len() {
        #[allow(clippy::indexing_slicing)]
        let value = if i == 1 { arcs[0] * 40 + arcs[1] } else { arcs[i] };
        let mut shift = 63;
        while shift > 0 && (value >> shift) == 0 {
            shift -= 7;
        }
        loop {
            #[allow(clippy::cast_possible_truncation)]
            let septet = ((value >> shift) & 0x7f) as u8;
            #[allow(clippy::indexing_slicing)]
            {
                out[at] = if shift == 0 { septet } else { septet | 0x80 };
            }
            at += 1;
            if shift == 0 {
                break;
            }
            shift -= 7;
        }
        i += 1;
    }
    (out, at)
}

/// A constant [`Oid`] from its arcs: `oid!(2, 5, 29, 15)`.
#[macro_export]
#[doc(hidden)]
macro_rules! __oid {
    ($($arc:expr),+ $(,)?) => {{
        const ENCODED: ([u8; 64], usize) = $crate::asn1::__encode_oid::<64>(&[$($arc),+]);
        const CONTENTS: &[u8] = ENCODED.0.split_at(ENCODED.1).0;
        $crate::asn1::Oid::from_static(CONTENTS)
    }};
}
pub use __oid as oid;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arcs_encode_and_print() {
        for (value, bytes, text) in [
            (oid!(2, 5, 29, 15), &[0x55, 0x1d, 0x0f][..], "2.5.29.15"),
            (
                oid!(1, 2, 840, 113549, 1, 1, 11),
                &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11][..],
                "1.2.840.113549.1.1.11",
            ),
            (
                oid!(1, 2, 398, 3, 10, 1, 1, 2, 3, 2),
                &[0x2a, 0x83, 0x0e, 3, 10, 1, 1, 2, 3, 2][..],
                "1.2.398.3.10.1.1.2.3.2",
            ),
            (oid!(2, 999, 0), &[0x88, 0x37, 0][..], "2.999.0"),
        ] {
            assert_eq!(value.as_bytes(), bytes);
            assert_eq!(value.to_string(), text);
            assert_eq!(text.parse::<OidBuf>().unwrap().as_oid(), value);
        }
    }

    #[test]
    fn text_that_is_no_identifier_is_refused() {
        for text in ["", "1", "1.40", "3.1", "1.2.", "1..2", "1.02", "+1.2", "1.2.x", "2.18446744073709551615"] {
            assert!(text.parse::<OidBuf>().is_err(), "{text}");
        }
    }

    #[test]
    fn malformed_contents_are_refused() {
        assert!(Oid::from_contents(&[]).is_none());
        assert!(Oid::from_contents(&[0x2a, 0x86]).is_none(), "ends inside a subidentifier");
        assert!(Oid::from_contents(&[0x2a, 0x80, 0x01]).is_none(), "leading zeros");
        assert!(Oid::from_contents(&[0x2a; 129]).is_none(), "giant");
    }
}
