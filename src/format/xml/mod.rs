//! XML 1.0 with namespaces: one strict parser, one tree, and the octets that are signed.
//!
//! A signature over XML is only as good as the agreement between the program that digests a document and the
//! program that reads it. So there is one parse of the input and one tree; digests ([`canonical`]), references
//! and the reading of values ([`path`]) all walk the same nodes, which are ranges of the one source text.
//! The reasons for a parser of our own are in `docs/adr/xml-parser.md`.
//!
//! What is refused, because two readers may see it differently: document type declarations (and with them
//! entities and attribute defaults), XML 1.1, encodings other than UTF-8, UTF-16 with a byte order mark, US-ASCII
//! and ISO 8859-1, names that break *Namespaces in XML 1.0*, and whatever goes past the budgets of [`limits`].
//!
//! *Invariant:* a [`Document`] exists only if its whole source text is well-formed and namespace-well-formed; every
//! offset in it lies on a character boundary of that text.

mod base_uri;
pub mod canonical;
mod encoding;
pub mod limits;
mod names;
mod parse;
pub mod path;
mod text;
mod tree;

use crate::report::Reason;

pub use tree::{Attribute, Children, Document, Element, Node};

/// The namespace of the prefix `xml` (*Namespaces in XML 1.0* §3).
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of the prefix `xmlns` (*Namespaces in XML 1.0* §3).
pub const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// The reason as the report has it.
impl From<XmlError> for Reason {
    fn from(error: XmlError) -> Reason {
        match error {
            XmlError::LimitExceeded { limit, maximum } => {
                Reason::FcLimitExceeded { limit: format!("XML {limit}"), maximum: maximum as u64 }
            }
            other => Reason::FcMalformed { what: other.to_string() },
        }
    }
}

/// Why a text is not an XML document that may be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// A rule of XML 1.0 or of *Namespaces in XML 1.0* is broken.
    #[error("not well-formed XML at byte {offset}: {rule}")]
    Malformed {
        /// Byte offset in the (decoded) text.
        offset: usize,
        /// The rule, in a few words.
        rule: &'static str,
    },
    /// There is a document type declaration (attack 5: entities, defaults, external subsets).
    #[error("a document type declaration is not accepted")]
    DocumentType,
    /// The encoding is not one that every reader decodes alike.
    #[error("the character encoding is not accepted")]
    Encoding,
    /// A budget of [`limits`] is spent.
    #[error("limit exceeded: more than {maximum} {limit}")]
    LimitExceeded {
        /// What there is too much of.
        limit: &'static str,
        /// How much of it is accepted.
        maximum: usize,
    },
}
