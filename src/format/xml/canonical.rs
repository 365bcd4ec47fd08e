//! Canonical XML: the octets that a digest is made of, straight from the tree into the digest.
//!
//! Canonical XML 1.0 (W3C 2001-03-15), Canonical XML 1.1 (W3C 2008-05-02) and Exclusive Canonicalization 1.0 (W3C
//! 2002-07-18), each with and without comments. One pass over the nodes in document order, no recursion, no copy of
//! the document: octets go to a [`Sink`] through one small buffer.
//!
//! *Invariant:* either every octet of the canonical form reached the sink and `Ok` came back, or an error did; an
//! error is never an empty result ("void canonicalization", attack 4).

mod output;
mod writer;

use super::limits;
use super::tree::{Document, Element};
use output::Output;
use writer::Writer;

/// Canonical XML 1.0, the default of XMLDSig and what NCALayer uses.
pub const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
/// Canonical XML 1.1.
pub const INCLUSIVE_11: &str = "http://www.w3.org/2006/12/xml-c14n11";
/// Exclusive Canonicalization 1.0; also the namespace of `InclusiveNamespaces`.
pub const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// Which rules for namespaces and `xml:` attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Canonical XML 1.0.
    Inclusive,
    /// Canonical XML 1.1.
    Inclusive11,
    /// Exclusive Canonicalization 1.0.
    Exclusive,
}

/// Whether comments are part of the octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comments {
    /// They are left out.
    Omitted,
    /// They are kept.
    Kept,
}

/// A canonicalization algorithm with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonicalization {
    /// The rules.
    pub method: Method,
    /// What becomes of comments.
    pub comments: Comments,
    /// `InclusiveNamespaces PrefixList` (exclusive only); the default namespace is the empty prefix.
    pub inclusive_prefixes: Vec<Box<str>>,
}

impl Canonicalization {
    /// The algorithm with this identifier, without parameters.
    pub fn from_uri(uri: &str) -> Option<Self> {
        let plain =
            [(INCLUSIVE, Method::Inclusive), (INCLUSIVE_11, Method::Inclusive11), (EXCLUSIVE, Method::Exclusive)];
        let (rest, method) = plain.iter().find_map(|&(base, method)| Some((uri.strip_prefix(base)?, method)))?;
        let comments = match (rest, method) {
            ("", _) => Comments::Omitted,
            ("WithComments", Method::Exclusive) | ("#WithComments", Method::Inclusive | Method::Inclusive11) => {
                Comments::Kept
            }
            _ => return None,
        };
        Some(Self { method, comments, inclusive_prefixes: Vec::new() })
    }

    /// Whether it is Exclusive Canonicalization, the only method with parameters.
    pub fn is_exclusive(&self) -> bool {
        self.method == Method::Exclusive
    }

    /// Adds a `PrefixList` (Exclusive Canonicalization 1.0 §4); `None` where it is longer than the budget.
    pub fn with_prefix_list(mut self, list: &str) -> Option<Self> {
        self.inclusive_prefixes = list
            .split([' ', '\t', '\n', '\r'])
            .filter(|p| !p.is_empty())
            .map(|p| if p == "#default" { "" } else { p }.into())
            .collect();
        (self.inclusive_prefixes.len() <= limits::MAX_INCLUSIVE_PREFIXES).then_some(self)
    }
}

/// Why a node-set has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// Canonical XML 1.0 §1.3: an implementation must report failure on relative namespace names.
    #[error("the document has a relative namespace name and no canonical form")]
    RelativeNamespace,
}

/// Where octets go.
pub trait Sink {
    /// Takes the next octets.
    fn write(&mut self, octets: &[u8]);
}

impl Sink for Vec<u8> {
    fn write(&mut self, octets: &[u8]) {
        self.extend_from_slice(octets);
    }
}

/// A node of the XPath data model, as a node-set is asked about it.
#[derive(Debug, Clone, Copy)]
pub enum Member<'d> {
    /// An element.
    Element(Element<'d>),
    /// Text below this element.
    Text(Element<'d>),
    /// A comment below this element, or at the top.
    Comment(Option<Element<'d>>),
    /// A processing instruction below this element, or at the top.
    Instruction(Option<Element<'d>>),
    /// An attribute of this element: its namespace and local name.
    Attribute(Element<'d>, &'d str, &'d str),
    /// A namespace node of this element: prefix and namespace.
    Namespace(Element<'d>, &'d str, &'d str),
}

/// Which nodes of a document are canonicalized.
pub trait NodeSet {
    /// Whether the set is all of a document or subtree but for whole subtrees left out: the only kind that a
    /// signature may cover here, and one that needs no question per node.
    const COMPLETE: bool;

    /// The element whose subtree holds the set; `None` for the document.
    fn apex(&self) -> Option<Element<'_>>;

    /// Whether this element and all below it is out.
    fn prunes(&self, element: Element<'_>) -> bool;

    /// Whether the node is in; asked only where the set is not complete.
    fn contains(&self, member: Member<'_>) -> bool;
}

/// A document or an element with all below it, signatures possibly left out: what a reference may cover.
#[derive(Debug, Clone)]
pub struct Subtree<'d> {
    document: &'d Document<'d>,
    apex: Option<Element<'d>>,
    without: Vec<Element<'d>>,
}

impl<'d> Subtree<'d> {
    /// The whole document.
    pub fn whole(document: &'d Document<'d>) -> Self {
        Self { document, apex: None, without: Vec::new() }
    }

    /// An element with all below it.
    pub fn of(apex: Element<'d>) -> Self {
        Self { document: apex.document(), apex: Some(apex), without: Vec::new() }
    }

    /// The same without an element and all below it: the enveloped signature transform (XMLDSig §6.6.4).
    #[must_use]
    pub fn without(mut self, element: Element<'d>) -> Self {
        self.without.push(element);
        self
    }

    /// The element at its top: for the whole document the document element.
    pub fn top(&self) -> Element<'d> {
        self.apex.unwrap_or_else(|| self.document.root())
    }

    /// Whether it is the whole document, comments and processing instructions around the root included.
    pub fn is_whole(&self) -> bool {
        self.apex.is_none()
    }

    /// The elements left out.
    pub fn left_out(&self) -> &[Element<'d>] {
        &self.without
    }

    /// The document it is part of.
    pub fn document(&self) -> &'d Document<'d> {
        self.document
    }

    /// How many bytes of source its top has: what a walk through it costs.
    pub fn source_len(&self) -> usize {
        self.apex.map_or(self.document.source().len(), |apex| apex.range().len())
    }

    /// Whether the element is in the set.
    pub fn covers(&self, element: Element<'_>) -> bool {
        self.apex.is_none_or(|a| a.contains(&element)) && !self.without.iter().any(|w| w.contains(&element))
    }
}

impl NodeSet for Subtree<'_> {
    const COMPLETE: bool = true;

    fn apex(&self) -> Option<Element<'_>> {
        self.apex
    }

    fn prunes(&self, element: Element<'_>) -> bool {
        self.without.iter().any(|w| w.index == element.index)
    }

    fn contains(&self, _: Member<'_>) -> bool {
        true
    }
}

/// Writes the canonical form of a node-set.
///
/// # Errors
/// [`CanonicalError`]; what the sink took until then is then worth nothing.
pub fn canonicalize<N: NodeSet, S: Sink>(
    document: &Document<'_>,
    set: &N,
    algorithm: &Canonicalization,
    sink: &mut S,
) -> Result<(), CanonicalError> {
    if document.has_relative_namespace() {
        return Err(CanonicalError::RelativeNamespace);
    }
    let mut writer = Writer::new(document, set, algorithm, Output::new(document.source(), sink));
    writer.run();
    writer.finish();
    Ok(())
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;
