//! Distinguished names, put together attribute by attribute.

use crate::asn1::{Oid, Tag, encode};
use crate::pki::name::attribute;

/// A distinguished name in the making: one attribute per RDN, in the order given, unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameTemplate {
    rdns: Vec<Vec<u8>>,
}

impl NameTemplate {
    /// The empty name.
    pub fn new() -> NameTemplate {
        NameTemplate::default()
    }

    /// The name and an attribute of the string type that RFC 5280 §A.1 and the national profile give it.
    pub fn with(self, kind: Oid<'_>, value: &str) -> NameTemplate {
        let tag = match kind {
            attribute::COUNTRY | attribute::SERIAL_NUMBER => Tag::PRINTABLE_STRING,
            attribute::EMAIL_ADDRESS | attribute::DOMAIN_COMPONENT => Tag::IA5_STRING,
            _ => Tag::UTF8_STRING,
        };
        self.with_rdn(&[(kind, tag, value.as_bytes())])
    }

    /// The name and one RDN of attributes of any string type, multi-valued where there are several.
    pub fn with_rdn(mut self, attributes: &[(Oid<'_>, Tag, &[u8])]) -> NameTemplate {
        let members: Vec<Vec<u8>> = attributes
            .iter()
            .map(|(kind, tag, value)| encode::sequence(&[&encode::oid(*kind), &encode::element(*tag, &[value])]))
            .collect();
        self.rdns.push(encode::set_of(&members));
        self
    }

    /// `Name` in DER.
    pub fn to_der(&self) -> Vec<u8> {
        encode::sequence_of(&self.rdns)
    }
}
