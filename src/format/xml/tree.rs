//! The one tree: nodes are ranges of the source text, in document order.
//!
//! Text is not a node of its own: it is what lies between two pieces of markup. That keeps a document at about 32
//! bytes a node beside its source, and makes canonicalization one pass over a flat array.
//!
//! *Invariant:* `nodes` is in document order, `Node::next` of an element is past its last descendant, and the
//! attributes of node *n* are those from its `attributes` up to the next node's.

use std::borrow::Cow;
use std::ops::Range;

use super::{XML_NAMESPACE, XMLNS_NAMESPACE, text};

/// No parent: the node stands at the top of the document.
pub(super) const TOP: u32 = u32::MAX;

/// The index of "no namespace" in [`Document::namespaces`].
pub(super) const NO_NAMESPACE: u32 = 0;
/// The index of [`XML_NAMESPACE`].
pub(super) const XML: u32 = 1;
/// The index of [`XMLNS_NAMESPACE`].
pub(super) const XMLNS: u32 = 2;

/// An element, comment, processing instruction or CDATA section.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeData {
    /// Of its `<`.
    pub(super) start: u32,
    /// Past the `>` of the start tag, or of the whole markup where it is not an element.
    pub(super) head_end: u32,
    /// Elements: of the `<` of the end tag; the same as `head_end` for an empty-element tag.
    pub(super) close: u32,
    /// The first node that is not a descendant.
    pub(super) next: u32,
    /// The parent element, or [`TOP`].
    pub(super) parent: u32,
    /// Where its attributes begin in the table.
    pub(super) attributes: u32,
    /// Elements: index of the namespace name.
    pub(super) namespace: u32,
    /// Elements: length of the qualified name; 0 for everything else.
    pub(super) name_len: u16,
    /// Elements: length of the prefix; 0 where there is none.
    pub(super) prefix_len: u16,
}

/// An attribute or a namespace declaration.
#[derive(Debug, Clone, Copy)]
pub(super) struct AttributeData {
    /// Of its name.
    pub(super) name: u32,
    /// Of its value, past the quote.
    pub(super) value: u32,
    /// Of the closing quote.
    pub(super) value_end: u32,
    /// Attributes: index of the namespace name. Declarations: of the namespace declared.
    pub(super) namespace: u32,
    /// Length of the qualified name.
    pub(super) name_len: u16,
    /// Length of the prefix.
    pub(super) prefix_len: u16,
    /// Attribute or declaration.
    pub(super) declaration: bool,
    /// Whether the value in the source is also its canonical form.
    pub(super) verbatim: bool,
}

/// A well-formed XML document without a document type.
#[derive(Debug)]
pub struct Document<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) nodes: Vec<NodeData>,
    pub(super) attributes: Vec<AttributeData>,
    pub(super) namespaces: Vec<Box<str>>,
    pub(super) root: u32,
    pub(super) relative_namespace: bool,
}

impl<'a> Document<'a> {
    /// Parses a whole document.
    ///
    /// # Errors
    /// [`XmlError`](super::XmlError) where the bytes are not an XML document as the module describes it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, super::XmlError> {
        super::parse::parse(bytes)
    }

    /// The source text, decoded and without a byte order mark.
    pub fn source(&self) -> &str {
        &self.text
    }

    /// The document element.
    pub fn root(&self) -> Element<'_> {
        Element { document: self, index: self.root }
    }

    /// Every element, in document order.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        (0u32..).zip(&self.nodes).filter(|(_, n)| n.name_len > 0).map(|(index, _)| Element { document: self, index })
    }

    /// Whether some namespace name is relative: such a document has no canonical form (Canonical XML 1.0 §1.3).
    pub fn has_relative_namespace(&self) -> bool {
        self.relative_namespace
    }

    pub(super) fn node(&self, index: u32) -> Option<&NodeData> {
        self.nodes.get(index as usize)
    }

    pub(super) fn slice(&self, start: u32, end: u32) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(super) fn namespace_name(&self, index: u32) -> &str {
        self.namespaces.get(index as usize).map_or("", |n| n)
    }

    /// The attribute table of one node.
    pub(super) fn attribute_data(&self, index: u32) -> &[AttributeData] {
        let Some(node) = self.node(index) else { return &[] };
        let end = self.node(index.saturating_add(1)).map_or(self.attributes.len(), |n| n.attributes as usize);
        self.attributes.get(node.attributes as usize..end).unwrap_or_default()
    }

    /// Whether the element is written as an empty-element tag, or the node is no element.
    fn is_empty_tag(&self, node: &NodeData) -> bool {
        node.name_len == 0 || self.text.as_bytes().get((node.head_end as usize).wrapping_sub(2)) == Some(&b'/')
    }

    /// Past the `>` of the end tag.
    pub(super) fn end_of(&self, node: &NodeData) -> u32 {
        if self.is_empty_tag(node) {
            return node.head_end;
        }
        let after_name = node.close.saturating_add(2).saturating_add(u32::from(node.name_len));
        let rest = self.text.as_bytes().get(after_name as usize..).unwrap_or_default();
        let skipped = rest.iter().position(|&b| b == b'>').unwrap_or(0);
        after_name.saturating_add(u32::try_from(skipped).unwrap_or(u32::MAX)).saturating_add(1)
    }
}

impl NodeData {
    pub(super) fn is_element(&self) -> bool {
        self.name_len > 0
    }
}

impl AttributeData {
    pub(super) fn prefix<'d>(&self, document: &'d Document<'_>) -> &'d str {
        document.slice(self.name, self.name.saturating_add(u32::from(self.prefix_len)))
    }

    pub(super) fn qualified_name<'d>(&self, document: &'d Document<'_>) -> &'d str {
        document.slice(self.name, self.name.saturating_add(u32::from(self.name_len)))
    }

    pub(super) fn local_name<'d>(&self, document: &'d Document<'_>) -> &'d str {
        local(self.qualified_name(document), self.prefix_len)
    }

    pub(super) fn raw_value<'d>(&self, document: &'d Document<'_>) -> &'d str {
        document.slice(self.value, self.value_end)
    }

    /// The prefix that a declaration binds; empty for the default namespace.
    pub(super) fn declared_prefix<'d>(&self, document: &'d Document<'_>) -> &'d str {
        match self.prefix_len {
            0 => "",
            _ => self.local_name(document),
        }
    }
}

fn local(name: &str, prefix_len: u16) -> &str {
    match prefix_len {
        0 => name,
        n => name.get(usize::from(n) + 1..).unwrap_or_default(),
    }
}

/// An element of a [`Document`].
#[derive(Debug, Clone, Copy)]
pub struct Element<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) index: u32,
}

/// Two elements are the same only if they are the same node of the same document.
impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.index == other.index
    }
}

impl Eq for Element<'_> {}

impl<'d> Element<'d> {
    pub(super) fn data(&self) -> Option<&'d NodeData> {
        self.document.node(self.index)
    }

    /// The document it is part of.
    pub fn document(&self) -> &'d Document<'d> {
        self.document
    }

    /// Its place among the nodes of the document, in document order.
    pub fn order(&self) -> usize {
        self.index as usize
    }

    /// The name as written, with its prefix.
    pub fn qualified_name(&self) -> &'d str {
        self.data().map_or("", |n| {
            let start = n.start.saturating_add(1);
            self.document.slice(start, start.saturating_add(u32::from(n.name_len)))
        })
    }

    /// The name without its prefix.
    pub fn local_name(&self) -> &'d str {
        self.data().map_or("", |n| local(self.qualified_name(), n.prefix_len))
    }

    /// The prefix; empty where there is none.
    pub fn prefix(&self) -> &'d str {
        self.data().and_then(|n| self.qualified_name().get(..usize::from(n.prefix_len))).unwrap_or_default()
    }

    /// The namespace name; empty for none.
    pub fn namespace(&self) -> &'d str {
        self.data().map_or("", |n| self.document.namespace_name(n.namespace))
    }

    /// Whether it has this expanded name.
    pub fn is(&self, namespace: &str, local_name: &str) -> bool {
        self.local_name() == local_name && self.namespace() == namespace
    }

    /// The parent element; `None` for the document element.
    pub fn parent(&self) -> Option<Element<'d>> {
        let parent = self.data()?.parent;
        (parent != TOP).then_some(Element { document: self.document, index: parent })
    }

    /// Its ancestors, the parent first.
    pub fn ancestors(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        std::iter::successors(self.parent(), Element::parent)
    }

    /// Whether `other` is this element or one of its descendants.
    pub fn contains(&self, other: &Element<'_>) -> bool {
        std::ptr::eq(self.document, other.document)
            && self.data().is_some_and(|n| (self.index..n.next).contains(&other.index))
    }

    /// The element itself and every element below it, in document order.
    pub fn descendants_or_self(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        let document = self.document;
        let end = self.data().map_or(self.index, |n| n.next);
        (self.index..end)
            .filter(move |&i| document.node(i).is_some_and(NodeData::is_element))
            .map(move |index| Element { document, index })
    }

    /// Its child nodes, text among them.
    pub fn children(&self) -> Children<'d> {
        let (position, next) = self.data().map_or((0, 0), |n| (n.head_end, self.index.saturating_add(1)));
        Children { parent: *self, position, next }
    }

    /// Its child elements.
    pub fn child_elements(&self) -> impl Iterator<Item = Element<'d>> + use<'d> {
        self.children().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            _ => None,
        })
    }

    /// The child elements with this expanded name.
    pub fn children_named<'n>(
        &self,
        namespace: &'n str,
        local_name: &'n str,
    ) -> impl Iterator<Item = Element<'d>> + use<'d, 'n> {
        self.child_elements().filter(move |e| e.is(namespace, local_name))
    }

    /// The only child element with this expanded name; `None` for none and for several.
    pub fn only_child(&self, namespace: &str, local_name: &str) -> Option<Element<'d>> {
        let mut found = self.children_named(namespace, local_name);
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// Its attributes, namespace declarations left out.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'d>> + use<'d> {
        let document = self.document;
        let data = document.attribute_data(self.index);
        data.iter().filter(|a| !a.declaration).map(move |data| Attribute { document, data })
    }

    /// The value of the attribute with this expanded name.
    pub fn attribute(&self, namespace: &str, local_name: &str) -> Option<Cow<'d, str>> {
        self.attributes().find(|a| a.local_name() == local_name && a.namespace() == namespace).map(|a| a.value())
    }

    /// Its content where that is text alone: no element, comment, processing instruction or CDATA section.
    ///
    /// What a comment cut in two is not read as one value (attack 4).
    pub fn only_text(&self) -> Option<Cow<'d, str>> {
        let data = self.data()?;
        (data.next == self.index.saturating_add(1)).then(|| text::text(self.document.slice(data.head_end, data.close)))
    }

    /// The string-value of XPath: all text below it, in document order.
    pub fn string_value(&self) -> String {
        let mut value = String::new();
        self.append_text(&mut value, &[]);
        value
    }

    /// Appends the text below it, leaving out the subtrees of `without`.
    pub fn append_text(&self, value: &mut String, without: &[Element<'_>]) {
        for child in self.children() {
            match child {
                Node::Text(raw) => value.push_str(&raw),
                Node::Element(e) if !without.contains(&e) => e.append_text(value, without),
                Node::Element(_) | Node::Comment | Node::Instruction => {}
            }
        }
    }

    /// The bytes of the element in [`Document::source`].
    pub fn range(&self) -> Range<usize> {
        self.data().map_or(0..0, |n| n.start as usize..self.document.end_of(n) as usize)
    }

    /// Where its content begins in [`Document::source`], and where the end tag stands; `None` for an empty-element tag.
    pub fn content_range(&self) -> Option<Range<usize>> {
        self.data().filter(|n| !self.document.is_empty_tag(n)).map(|n| n.head_end as usize..n.close as usize)
    }

    /// A path that names this element alone, as an auditor reads it: `/soap:Envelope/soap:Body[2]`.
    pub fn location(&self) -> String {
        let mut steps: Vec<String> = std::iter::once(*self).chain(self.ancestors()).map(|e| e.step()).collect();
        steps.reverse();
        format!("/{}", steps.join("/"))
    }

    fn step(&self) -> String {
        let name = self.qualified_name();
        let Some(parent) = self.parent() else { return name.to_owned() };
        let mut before = 0usize;
        let mut same = 0usize;
        for sibling in parent.child_elements().filter(|s| s.qualified_name() == name) {
            same += 1;
            before += usize::from(sibling.index < self.index);
        }
        match same {
            0 | 1 => name.to_owned(),
            _ => format!("{name}[{}]", before + 1),
        }
    }

    /// The namespace that `prefix` is bound to here.
    pub fn lookup_prefix(&self, prefix: &str) -> Option<&'d str> {
        if prefix == "xml" {
            return Some(XML_NAMESPACE);
        }
        std::iter::once(*self).chain(self.ancestors()).find_map(|e| {
            self.document
                .attribute_data(e.index)
                .iter()
                .find(|a| a.declaration && a.declared_prefix(self.document) == prefix)
                .map(|a| self.document.namespace_name(a.namespace))
        })
    }
}

/// A child of an element.
#[derive(Debug, Clone)]
pub enum Node<'d> {
    /// An element.
    Element(Element<'d>),
    /// Characters, in their final form; a CDATA section is one of its own.
    Text(Cow<'d, str>),
    /// A comment.
    Comment,
    /// A processing instruction.
    Instruction,
}

/// The child nodes of an element.
#[derive(Debug, Clone)]
pub struct Children<'d> {
    parent: Element<'d>,
    position: u32,
    next: u32,
}

impl<'d> Iterator for Children<'d> {
    type Item = Node<'d>;

    fn next(&mut self) -> Option<Node<'d>> {
        let document = self.parent.document;
        let parent = self.parent.data()?;
        let child = (self.next < parent.next).then(|| document.node(self.next)).flatten();
        let text_end = child.map_or(parent.close, |c| c.start);
        if self.position < text_end {
            let raw = document.slice(self.position, text_end);
            self.position = text_end;
            return Some(Node::Text(text::text(raw)));
        }
        let child = child?;
        let index = self.next;
        self.next = child.next;
        self.position = document.end_of(child);
        if child.is_element() {
            return Some(Node::Element(Element { document, index }));
        }
        let markup = document.slice(child.start, child.head_end);
        if let Some(body) = markup.strip_prefix("<![CDATA[") {
            return Some(Node::Text(text::literal(body.strip_suffix("]]>").unwrap_or(body))));
        }
        Some(if markup.starts_with("<!--") { Node::Comment } else { Node::Instruction })
    }
}

/// An attribute that is not a namespace declaration.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'d> {
    document: &'d Document<'d>,
    data: &'d AttributeData,
}

impl<'d> Attribute<'d> {
    /// The name without its prefix.
    pub fn local_name(&self) -> &'d str {
        self.data.local_name(self.document)
    }

    /// The namespace name; empty for none.
    pub fn namespace(&self) -> &'d str {
        self.document.namespace_name(self.data.namespace)
    }

    /// The value, normalized (XML 1.0 §3.3.3).
    pub fn value(&self) -> Cow<'d, str> {
        text::attribute(self.data.raw_value(self.document))
    }
}

/// The first three namespaces of every document.
pub(super) fn first_namespaces() -> Vec<Box<str>> {
    vec!["".into(), XML_NAMESPACE.into(), XMLNS_NAMESPACE.into()]
}
