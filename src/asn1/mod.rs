//! ASN.1 over borrowed slices: what was received is kept byte for byte, nothing is re-encoded to be verified.
//!
//! Two sets of rules share one reader. [`Rules::Der`] is X.690 §10 and §11 to the letter and is what certificates,
//! CRLs, OCSP responses and time-stamp tokens must keep. [`Rules::Ber`] additionally takes the forms that real CMS
//! signers emit in the outer layers: indefinite lengths and constructed strings.
//!
//! *Invariant:* every accessor returns a slice of the input or an [`Error`] with the offset; nothing panics, recursion
//! is bounded by [`MAX_DEPTH`].

pub mod encode;
mod oid;
mod reader;
mod time;
mod value;

#[doc(hidden)]
pub use oid::encode as __encode_oid;
pub use oid::{NotAnOid, Oid, OidBuf, oid};
pub use reader::{Element, Error, ErrorKind, MAX_DEPTH, Reader, Rules};
pub use time::{UTC_TIME_OCTETS, generalized_time, utc_time, utc_time_octets, x509_time};
pub use value::{BitString, integer_is_minimal};

/// An identifier octet in low-tag-number form (X.690 §8.1.2): class, constructed bit and number in one byte.
///
/// High tag numbers do not occur in the formats read here and are refused by the reader.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u8);

impl Tag {
    /// BOOLEAN.
    pub const BOOLEAN: Tag = Tag(0x01);
    /// INTEGER.
    pub const INTEGER: Tag = Tag(0x02);
    /// BIT STRING, primitive.
    pub const BIT_STRING: Tag = Tag(0x03);
    /// OCTET STRING, primitive.
    pub const OCTET_STRING: Tag = Tag(0x04);
    /// OCTET STRING, constructed (BER only).
    pub const OCTET_STRING_CONSTRUCTED: Tag = Tag(0x24);
    /// NULL.
    pub const NULL: Tag = Tag(0x05);
    /// OBJECT IDENTIFIER.
    pub const OID: Tag = Tag(0x06);
    /// ENUMERATED.
    pub const ENUMERATED: Tag = Tag(0x0a);
    /// UTF8String.
    pub const UTF8_STRING: Tag = Tag(0x0c);
    /// SEQUENCE and SEQUENCE OF.
    pub const SEQUENCE: Tag = Tag(0x30);
    /// SET and SET OF.
    pub const SET: Tag = Tag(0x31);
    /// NumericString.
    pub const NUMERIC_STRING: Tag = Tag(0x12);
    /// PrintableString.
    pub const PRINTABLE_STRING: Tag = Tag(0x13);
    /// TeletexString (T61String).
    pub const TELETEX_STRING: Tag = Tag(0x14);
    /// IA5String.
    pub const IA5_STRING: Tag = Tag(0x16);
    /// UTCTime.
    pub const UTC_TIME: Tag = Tag(0x17);
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: Tag = Tag(0x18);
    /// VisibleString.
    pub const VISIBLE_STRING: Tag = Tag(0x1a);
    /// UniversalString.
    pub const UNIVERSAL_STRING: Tag = Tag(0x1c);
    /// BMPString.
    pub const BMP_STRING: Tag = Tag(0x1e);

    /// `[n]` context-specific, primitive (`n` at most 30).
    pub const fn context(n: u8) -> Tag {
        Tag(0x80 | n)
    }

    /// `[n]` context-specific, constructed (`n` at most 30).
    pub const fn context_constructed(n: u8) -> Tag {
        Tag(0xa0 | n)
    }

    /// Whether the contents are themselves elements (X.690 §8.1.2.5).
    pub const fn is_constructed(self) -> bool {
        self.0 & 0x20 != 0
    }
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tag({:#04x})", self.0)
    }
}
