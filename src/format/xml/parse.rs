//! The parser: one pass over the text, no recursion, every rule of well-formedness checked on the way.
//!
//! *Invariant:* it returns a tree only after the last byte was read and every element was closed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::format::limits::MAX_DOCUMENT_BYTES;

use super::names::{is_space, is_special_in_value, nc_name_len};
use super::tree::{AttributeData, Document, NO_NAMESPACE, NodeData, TOP, XML, XMLNS, first_namespaces};
use super::{XML_NAMESPACE, XMLNS_NAMESPACE, XmlError, encoding, limits, text};

/// Parses a whole document.
pub(super) fn parse(bytes: &[u8]) -> Result<Document<'_>, XmlError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(XmlError::LimitExceeded { limit: "bytes", maximum: MAX_DOCUMENT_BYTES });
    }
    let encoding::Decoded { text, declared } = encoding::decode(bytes)?;
    let mut parser = Parser::new(&text);
    if parser.xml_declaration()?.map(encoding::Encoding::named) != declared {
        return Err(XmlError::Encoding);
    }
    let Tables { nodes, attributes, namespaces, root, relative_namespace } = parser.run()?;
    Ok(Document { text, nodes, attributes, namespaces: namespaces.names, root, relative_namespace })
}

/// What a parse leaves behind.
struct Tables {
    nodes: Vec<NodeData>,
    attributes: Vec<AttributeData>,
    namespaces: Namespaces,
    root: u32,
    relative_namespace: bool,
}

/// Namespace names, each once.
struct Namespaces {
    names: Vec<Box<str>>,
    index: BTreeMap<Box<str>, u32>,
}

impl Namespaces {
    fn intern(&mut self, name: Cow<'_, str>) -> u32 {
        if let Some(&index) = self.index.get(name.as_ref()) {
            return index;
        }
        let index = offset(self.names.len());
        let name: Box<str> = name.into();
        self.index.insert(name.clone(), index);
        self.names.push(name);
        index
    }
}

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    position: usize,
    nodes: Vec<NodeData>,
    attributes: Vec<AttributeData>,
    namespaces: Namespaces,
    /// Namespace declarations in force: prefix and namespace.
    scope: Vec<(&'t str, u32)>,
    /// Open elements: the node, and how many declarations were in force before it.
    open: Vec<(u32, usize)>,
    root: Option<u32>,
    relative_namespace: bool,
    /// Bytes that nodes and attributes may take.
    max_tree: usize,
}

/// What an element is called: index of the namespace, length of the qualified name and of its prefix.
type Name = (u32, u16, u16);

/// Below this many attributes of a tag, comparing each with each is faster than sorting.
const FEW_ATTRIBUTES: usize = 8;
const REPEATED: &str = "two attributes of one name";

/// Offsets fit: a document is at most [`MAX_DOCUMENT_BYTES`], three times as many when decoded.
fn offset(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        let names = first_namespaces();
        let index = (0u32..).zip(&names).map(|(i, n)| (n.clone(), i)).collect();
        Self {
            text,
            bytes: text.as_bytes(),
            position: 0,
            // Each node but text begins with one; what is not needed is never touched.
            nodes: Vec::with_capacity(memchr::memchr_iter(b'<', text.as_bytes()).count()),
            attributes: Vec::new(),
            namespaces: Namespaces { names, index },
            scope: Vec::new(),
            open: Vec::new(),
            root: None,
            relative_namespace: false,
            max_tree: limits::MAX_TREE_FACTOR.saturating_mul(text.len()).saturating_add(limits::SMALL_TREE),
        }
    }

    fn run(mut self) -> Result<Tables, XmlError> {
        loop {
            self.character_data()?;
            match (self.peek(0), self.peek(1)) {
                (None, _) => break,
                (_, Some(b'/')) => self.end_tag()?,
                (_, Some(b'?')) => self.processing_instruction()?,
                (_, Some(b'!')) => self.declaration()?,
                _ => self.start_tag()?,
            }
        }
        match (self.open.is_empty(), self.root) {
            (true, Some(root)) => Ok(Tables {
                nodes: self.nodes,
                attributes: self.attributes,
                namespaces: self.namespaces,
                root,
                relative_namespace: self.relative_namespace,
            }),
            (true, None) => Err(self.malformed("no document element")),
            (false, _) => Err(self.malformed("an element is not closed")),
        }
    }

    // Reading

    fn malformed(&self, rule: &'static str) -> XmlError {
        XmlError::Malformed { offset: self.position, rule }
    }

    #[inline]
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.position + ahead).copied()
    }

    #[inline]
    fn rest(&self) -> &'t str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Takes `token` if it is next.
    fn take(&mut self, token: &str) -> bool {
        let found = self.bytes.get(self.position..).is_some_and(|rest| rest.starts_with(token.as_bytes()));
        self.position += if found { token.len() } else { 0 };
        found
    }

    fn expect(&mut self, token: &str, rule: &'static str) -> Result<(), XmlError> {
        if self.take(token) { Ok(()) } else { Err(self.malformed(rule)) }
    }

    /// Takes white space; whether there was any.
    fn space(&mut self) -> bool {
        let start = self.position;
        while self.peek(0).is_some_and(is_space) {
            self.position += 1;
        }
        self.position > start
    }

    /// The text up to `token`, which is taken too.
    fn until(&mut self, token: &str, rule: &'static str) -> Result<&'t str, XmlError> {
        let start = self.position;
        let found = self.bytes.get(start..).and_then(|rest| memchr::memmem::find(rest, token.as_bytes()));
        let length = found.ok_or_else(|| self.malformed(rule))?;
        self.position = start + length + token.len();
        Ok(self.slice(start, start + length))
    }

    /// A qualified name: its length, and the length of its prefix.
    #[inline]
    fn qualified_name(&mut self) -> Result<(u16, u16), XmlError> {
        let first = nc_name_len(self.rest());
        if first == 0 {
            return Err(self.malformed("a name is expected"));
        }
        let (length, prefix) = match self.peek(first) {
            Some(b':') => {
                let second = nc_name_len(self.text.get(self.position + first + 1..).unwrap_or_default());
                if second == 0 || self.peek(first + 1 + second) == Some(b':') {
                    return Err(self.malformed("a qualified name has one colon, between two names"));
                }
                (first + 1 + second, first)
            }
            _ => (first, 0),
        };
        self.position += length;
        match (u16::try_from(length), u16::try_from(prefix)) {
            (Ok(l), Ok(p)) if length <= limits::MAX_NAME => Ok((l, p)),
            _ => Err(XmlError::LimitExceeded { limit: "bytes in a name", maximum: limits::MAX_NAME }),
        }
    }

    // Markup

    /// `XMLDecl` (XML 1.0 §2.8, production 23); the name of the encoding, where there is one.
    fn xml_declaration(&mut self) -> Result<Option<&'t str>, XmlError> {
        const RULE: &str = "the XML declaration";
        if !self.bytes.starts_with(b"<?xml") || !self.peek(5).is_some_and(is_space) {
            return Ok(None);
        }
        self.position = 5;
        self.space();
        if self.pseudo_attribute("version", RULE)? != Some("1.0") {
            // XML 1.1 has other line ends and other characters.
            return Err(self.malformed("only XML 1.0 is accepted"));
        }
        let mut spaced = self.space();
        let mut encoding = None;
        if spaced && let Some(name) = self.pseudo_attribute("encoding", RULE)? {
            encoding = Some(name);
            let mut letters = name.bytes();
            let first = letters.next().is_some_and(|b| b.is_ascii_alphabetic());
            if !first || !letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
                return Err(self.malformed(RULE));
            }
            spaced = self.space();
        }
        if spaced && let Some(value) = self.pseudo_attribute("standalone", RULE)? {
            if !matches!(value, "yes" | "no") {
                return Err(self.malformed(RULE));
            }
            self.space();
        }
        self.expect("?>", RULE)?;
        Ok(encoding)
    }

    fn pseudo_attribute(&mut self, name: &str, rule: &'static str) -> Result<Option<&'t str>, XmlError> {
        if !self.take(name) {
            return Ok(None);
        }
        self.space();
        self.expect("=", rule)?;
        self.space();
        match self.peek(0) {
            Some(b'"') => {
                self.position += 1;
                self.until("\"", rule).map(Some)
            }
            Some(b'\'') => {
                self.position += 1;
                self.until("'", rule).map(Some)
            }
            _ => Err(self.malformed(rule)),
        }
    }

    /// `CharData` and references, up to the next `<` or the end.
    fn character_data(&mut self) -> Result<(), XmlError> {
        let start = self.position;
        let rest = self.bytes.get(start..).unwrap_or_default();
        if self.open.is_empty() {
            let length = memchr::memchr(b'<', rest).unwrap_or(rest.len());
            let run = rest.get(..length).unwrap_or_default();
            return match run.iter().position(|&b| !is_space(b)) {
                None => {
                    self.position = start + length;
                    Ok(())
                }
                Some(at) => {
                    self.position = start + at;
                    Err(self.malformed("text outside the document element"))
                }
            };
        }
        for at in memchr::memchr3_iter(b'<', b'&', b'>', rest) {
            self.position = start + at;
            match rest.get(at) {
                Some(b'<') => return Ok(()),
                Some(b'&') => self.check_reference()?,
                _ if rest.get(..at).is_some_and(|before| before.ends_with(b"]]")) => {
                    return Err(self.malformed("]]> in character data"));
                }
                _ => {}
            }
        }
        self.position = self.bytes.len();
        Ok(())
    }

    fn check_reference(&self) -> Result<(), XmlError> {
        match text::reference(self.rest()) {
            Some(_) => Ok(()),
            None => Err(self.malformed("a reference to an entity that is not declared, or to no character")),
        }
    }

    /// Comments, CDATA sections; document type declarations are refused.
    fn declaration(&mut self) -> Result<(), XmlError> {
        let start = self.position;
        if self.take("<!--") {
            self.until("--", "a comment is not closed")?;
            // Production 15: no `--` inside, and no `-` before the end.
            self.expect(">", "-- in a comment")?;
        } else if self.take("<![CDATA[") {
            if self.open.is_empty() {
                return Err(self.malformed("text outside the document element"));
            }
            self.until("]]>", "a CDATA section is not closed")?;
        } else if self.take("<!DOCTYPE") {
            return Err(XmlError::DocumentType);
        } else {
            return Err(self.malformed("an unknown declaration"));
        }
        self.leaf(start)
    }

    /// `PI` (XML 1.0 §2.6, production 16); the target is an NCName (*Namespaces* §7).
    fn processing_instruction(&mut self) -> Result<(), XmlError> {
        const RULE: &str = "a processing instruction";
        let start = self.position;
        self.position += 2;
        let length = nc_name_len(self.rest());
        let target = self.slice(self.position, self.position + length);
        if target.is_empty() || target.eq_ignore_ascii_case("xml") {
            return Err(self.malformed("the target of a processing instruction"));
        }
        self.position += length;
        if !self.take("?>") {
            if !self.space() {
                return Err(self.malformed(RULE));
            }
            self.until("?>", RULE)?;
        }
        self.leaf(start)
    }

    fn parent(&self) -> u32 {
        self.open.last().map_or(TOP, |&(node, _)| node)
    }

    /// Adds a node that begins at `start` and whose head ends here.
    fn node(
        &mut self,
        start: usize,
        attributes: usize,
        (namespace, name_len, prefix_len): Name,
    ) -> Result<(), XmlError> {
        let tree = size_of_val(self.nodes.as_slice()) + size_of_val(self.attributes.as_slice());
        if tree > self.max_tree {
            return Err(XmlError::LimitExceeded { limit: "bytes of markup for its length", maximum: self.max_tree });
        }
        let end = offset(self.position);
        self.nodes.push(NodeData {
            start: offset(start),
            head_end: end,
            close: end,
            next: offset(self.nodes.len() + 1),
            parent: self.parent(),
            attributes: offset(attributes),
            namespace,
            name_len,
            prefix_len,
        });
        Ok(())
    }

    /// Adds a node that is not an element.
    fn leaf(&mut self, start: usize) -> Result<(), XmlError> {
        self.node(start, self.attributes.len(), (NO_NAMESPACE, 0, 0))
    }

    /// `STag` and `EmptyElemTag` (XML 1.0 §3.1).
    fn start_tag(&mut self) -> Result<(), XmlError> {
        let start = self.position;
        if self.open.is_empty() && self.root.is_some() {
            return Err(self.malformed("a second document element"));
        }
        if self.open.len() >= limits::MAX_DEPTH {
            return Err(XmlError::LimitExceeded { limit: "levels of elements", maximum: limits::MAX_DEPTH });
        }
        self.position += 1;
        let (name_len, prefix_len) = self.qualified_name()?;
        let prefix = self.slice(start + 1, start + 1 + usize::from(prefix_len));
        let first_attribute = self.attributes.len();
        let outer_scope = self.scope.len();
        let empty = loop {
            let spaced = self.space();
            match self.peek(0) {
                Some(b'>') => {
                    self.position += 1;
                    break false;
                }
                Some(b'/') => {
                    self.position += 1;
                    self.expect(">", "a start tag")?;
                    break true;
                }
                _ if !spaced => return Err(self.malformed("white space before an attribute")),
                _ => self.attribute(first_attribute)?,
            }
        };
        if self.attributes.len() > first_attribute {
            self.resolve_attributes(first_attribute)?;
        }
        let namespace = match self.resolve(prefix) {
            Some(namespace) if prefix != "xmlns" => namespace,
            _ => return Err(self.malformed("a prefix that is not declared")),
        };
        let index = offset(self.nodes.len());
        self.node(start, first_attribute, (namespace, name_len, prefix_len))?;
        if self.open.is_empty() {
            self.root = Some(index);
        }
        if empty {
            self.scope.truncate(outer_scope);
        } else {
            self.open.push((index, outer_scope));
        }
        Ok(())
    }

    /// `Attribute` (XML 1.0 §3.1, production 41), as written; prefixes are resolved when the tag is read.
    fn attribute(&mut self, first: usize) -> Result<(), XmlError> {
        if self.attributes.len() - first >= limits::MAX_ATTRIBUTES {
            return Err(XmlError::LimitExceeded {
                limit: "attributes of one element",
                maximum: limits::MAX_ATTRIBUTES,
            });
        }
        let name = self.position;
        let (name_len, prefix_len) = self.qualified_name()?;
        let name_end = self.position;
        self.space();
        self.expect("=", "an attribute has a value")?;
        self.space();
        let quote = match self.peek(0) {
            Some(quote @ (b'"' | b'\'')) => quote,
            _ => return Err(self.malformed("an attribute value is quoted")),
        };
        self.position += 1;
        let value = self.position;
        let mut verbatim = true;
        loop {
            let rest = self.bytes.get(self.position..).unwrap_or_default();
            self.position += rest.iter().position(|&b| is_special_in_value(b)).unwrap_or(rest.len());
            match self.peek(0) {
                Some(b) if b == quote => break,
                None | Some(b'<') => return Err(self.malformed("an attribute value")),
                Some(b'&') => {
                    self.check_reference()?;
                    verbatim = false;
                }
                Some(b'\'') => {}
                Some(_) => verbatim = false,
            }
            self.position += 1;
        }
        let value_end = self.position;
        self.position += 1;
        let prefix = self.slice(name, name + usize::from(prefix_len));
        let declaration = prefix == "xmlns" || (prefix_len == 0 && self.slice(name, name_end) == "xmlns");
        let mut namespace = NO_NAMESPACE;
        if declaration {
            let local = self.slice(name + usize::from(prefix_len) + 1, name_end);
            let declared = if prefix_len == 0 { "" } else { local };
            namespace = self.declare(declared, self.slice(value, value_end))?;
        }
        self.attributes.push(AttributeData {
            name: offset(name),
            value: offset(value),
            value_end: offset(value_end),
            namespace,
            name_len,
            prefix_len,
            declaration,
            verbatim,
        });
        Ok(())
    }

    /// A namespace declaration (*Namespaces in XML 1.0* §2, §3, §5).
    fn declare(&mut self, prefix: &'t str, raw: &'t str) -> Result<u32, XmlError> {
        let name = text::attribute(raw);
        let reserved = match name.as_ref() {
            XML_NAMESPACE => prefix != "xml",
            XMLNS_NAMESPACE => true,
            "" => !prefix.is_empty(),
            _ => matches!(prefix, "xml" | "xmlns"),
        };
        if reserved {
            return Err(self.malformed("a namespace declaration that the standard forbids"));
        }
        self.relative_namespace |= !name.is_empty() && !has_scheme(&name);
        let namespace = self.namespaces.intern(name);
        if self.scope.len() >= limits::MAX_NAMESPACES_IN_SCOPE {
            let maximum = limits::MAX_NAMESPACES_IN_SCOPE;
            return Err(XmlError::LimitExceeded { limit: "namespace declarations in force", maximum });
        }
        self.scope.push((prefix, namespace));
        Ok(namespace)
    }

    /// The namespace of a prefix; of the empty one, the default namespace.
    #[inline]
    fn resolve(&self, prefix: &str) -> Option<u32> {
        match self.scope.iter().rev().find(|(p, _)| *p == prefix) {
            Some(&(_, namespace)) => Some(namespace),
            None if prefix.is_empty() => Some(NO_NAMESPACE),
            None if prefix == "xml" => Some(XML),
            None => None,
        }
    }

    /// Gives the attributes of a tag their namespaces; no two may have one expanded name (*Namespaces* §6.3).
    fn resolve_attributes(&mut self, first: usize) -> Result<(), XmlError> {
        for at in first..self.attributes.len() {
            let Some(attribute) = self.attributes.get(at).copied() else { continue };
            if attribute.declaration || attribute.prefix_len == 0 {
                continue;
            }
            let start = attribute.name as usize;
            let resolved = self.resolve(self.slice(start, start + usize::from(attribute.prefix_len)));
            let namespace = resolved.ok_or_else(|| self.malformed("a prefix that is not declared"))?;
            if let Some(attribute) = self.attributes.get_mut(at) {
                attribute.namespace = namespace;
            }
        }
        let own = self.attributes.get(first..).unwrap_or_default();
        if own.len() < FEW_ATTRIBUTES {
            let repeated = own.iter().enumerate().skip(1).any(|(at, a)| {
                let name = self.expanded_name(a);
                own.iter().take(at).any(|b| self.expanded_name(b) == name)
            });
            return if repeated { Err(self.malformed(REPEATED)) } else { Ok(()) };
        }
        let mut keys: Vec<(u32, &str)> = own.iter().map(|a| self.expanded_name(a)).collect();
        keys.sort_unstable();
        match keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            true => Err(self.malformed(REPEATED)),
            false => Ok(()),
        }
    }

    fn expanded_name(&self, attribute: &AttributeData) -> (u32, &'t str) {
        let start = attribute.name as usize;
        let end = start + usize::from(attribute.name_len);
        match (attribute.declaration, attribute.prefix_len) {
            (true, _) => (XMLNS, self.slice(start, end)),
            (false, 0) => (NO_NAMESPACE, self.slice(start, end)),
            (false, prefix_len) => (attribute.namespace, self.slice(start + usize::from(prefix_len) + 1, end)),
        }
    }

    /// `ETag` (XML 1.0 §3.1, production 42).
    fn end_tag(&mut self) -> Result<(), XmlError> {
        const RULE: &str = "an end tag that does not match";
        let close = self.position;
        let Some((index, scope)) = self.open.pop() else { return Err(self.malformed(RULE)) };
        let next = offset(self.nodes.len());
        let Some(node) = self.nodes.get_mut(index as usize) else { return Err(self.malformed(RULE)) };
        node.close = offset(close);
        node.next = next;
        let start = node.start as usize + 1;
        let name = self.text.get(start..start + usize::from(node.name_len)).unwrap_or_default();
        self.position += 2;
        self.expect(name, RULE)?;
        self.space();
        self.expect(">", RULE)?;
        self.scope.truncate(scope);
        Ok(())
    }
}

/// Whether a namespace name is an absolute URI reference: it begins with a scheme (RFC 3986 §3.1).
fn has_scheme(name: &str) -> bool {
    let scheme = name.split(':').next().filter(|s| s.len() < name.len()).unwrap_or_default();
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
