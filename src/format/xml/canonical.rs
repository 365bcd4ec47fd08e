//! Canonical XML: the octets that a digest is made of, straight from the tree into the digest.
//!
//! Canonical XML 1.0 (W3C 2001-03-15), Canonical XML 1.1 (W3C 2008-05-02) and Exclusive Canonicalization 1.0 (W3C
//! 2002-07-18), each with and without comments. One pass over the nodes in document order, no recursion, no copy of
//! the document: octets go to a [`Sink`] through one small buffer.
//!
//! *Invariant:* either every octet of the canonical form reached the sink and `Ok` came back, or an error did; an
//! error is never an empty result ("void canonicalization", attack 4).

use std::borrow::Cow;

use super::text::{Origin, Piece, Pieces};
use super::tree::{AttributeData, Document, Element, NO_NAMESPACE, NodeData, TOP, XML};
use super::{XML_NAMESPACE, base_uri, limits};

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
    let out = Buffered { sink, buffer: Vec::with_capacity(BUFFER + SMALL) };
    let mut writer = Writer { document, set, algorithm, out, open: Vec::new(), rendered: Vec::new() };
    writer.run();
    writer.out.flush();
    Ok(())
}

/// Octets gathered before a digest is called.
const BUFFER: usize = 8 << 10;
/// Runs longer than this go to the sink as they are.
const SMALL: usize = 1 << 10;

struct Buffered<'s, S> {
    sink: &'s mut S,
    buffer: Vec<u8>,
}

impl<S: Sink> Buffered<'_, S> {
    #[inline]
    fn push(&mut self, octets: &[u8]) {
        if octets.len() > SMALL {
            self.flush();
            self.sink.write(octets);
            return;
        }
        self.buffer.extend_from_slice(octets);
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }

    fn push_char(&mut self, c: char) {
        self.push(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn flush(&mut self) {
        if !self.buffer.is_empty() {
            self.sink.write(&self.buffer);
            self.buffer.clear();
        }
    }

    /// A text node (Canonical XML 1.0 §2.3).
    fn text_char(&mut self, c: char) {
        match c {
            '&' => self.push(b"&amp;"),
            '<' => self.push(b"&lt;"),
            '>' => self.push(b"&gt;"),
            '\r' => self.push(b"&#xD;"),
            other => self.push_char(other),
        }
    }

    /// An attribute value (Canonical XML 1.0 §2.3).
    fn value_char(&mut self, c: char) {
        match c {
            '&' => self.push(b"&amp;"),
            '<' => self.push(b"&lt;"),
            '"' => self.push(b"&quot;"),
            '\t' => self.push(b"&#x9;"),
            '\n' => self.push(b"&#xA;"),
            '\r' => self.push(b"&#xD;"),
            other => self.push_char(other),
        }
    }

    fn value(&mut self, value: &str) {
        match value.bytes().any(|b| matches!(b, b'&' | b'<' | b'"' | b'\t' | b'\n' | b'\r')) {
            false => self.push(value.as_bytes()),
            true => value.chars().for_each(|c| self.value_char(c)),
        }
    }

    /// Character data of the source.
    fn text(&mut self, mut raw: &str) {
        while let Some(at) = memchr::memchr3(b'&', b'\r', b'>', raw.as_bytes()) {
            let (run, rest) = raw.split_at_checked(at).unwrap_or((raw, ""));
            self.push(run.as_bytes());
            raw = match rest.strip_prefix('>') {
                Some(rest) => {
                    self.push(b"&gt;");
                    rest
                }
                None => {
                    let mut pieces = Pieces::of_text(rest);
                    if let Some(Piece::Character(c, _)) = pieces.next() {
                        self.text_char(c);
                    }
                    pieces.rest()
                }
            };
        }
        self.push(raw.as_bytes());
    }

    /// A CDATA section becomes character data.
    fn cdata(&mut self, raw: &str) {
        for piece in Pieces::of_literal(raw) {
            match piece {
                Piece::Run(run) => run.split_inclusive(['&', '<', '>']).for_each(|part| {
                    let plain = part.trim_end_matches(['&', '<', '>']);
                    self.push(plain.as_bytes());
                    part.get(plain.len()..).unwrap_or_default().chars().for_each(|c| self.text_char(c));
                }),
                Piece::Character(c, _) => self.push_char(c),
            }
        }
    }

    /// A comment or the data of a processing instruction.
    fn literal(&mut self, raw: &str) {
        for piece in Pieces::of_literal(raw) {
            match piece {
                Piece::Run(run) => self.push(run.as_bytes()),
                Piece::Character(c, _) => self.push_char(c),
            }
        }
    }

    /// An attribute value of the source.
    fn source_value(&mut self, raw: &str) {
        for piece in Pieces::of_text(raw) {
            match piece {
                Piece::Run(run) => {
                    run.chars().for_each(|c| self.value_char(if matches!(c, '\t' | '\n') { ' ' } else { c }));
                }
                Piece::Character(_, Origin::Literal) => self.push(b" "),
                Piece::Character(c, Origin::Reference) => self.value_char(c),
            }
        }
    }
}

/// An element whose end tag is still to come.
struct Open {
    index: u32,
    next: u32,
    close: u32,
    end: u32,
    in_set: bool,
    /// How many namespaces were rendered before it.
    rendered: usize,
    /// Sets with holes, inclusive rules: where the namespaces of the nearest element in the set begin.
    floor: usize,
}

/// A namespace declaration to write, or written by an element still open.
type Binding<'d> = (&'d str, u32);

/// Sets with holes: a prefix whose namespace node is left out.
const HOLE: u32 = u32::MAX;

struct Writer<'d, 's, N, S> {
    document: &'d Document<'d>,
    set: &'d N,
    algorithm: &'d Canonicalization,
    out: Buffered<'s, S>,
    open: Vec<Open>,
    rendered: Vec<Binding<'d>>,
}

impl<'d, N: NodeSet, S: Sink> Writer<'d, '_, N, S> {
    fn run(&mut self) {
        let apex = self.set.apex();
        let (mut at, last) = match apex {
            Some(element) => (element.index, element.data().map_or(element.index, |n| n.next)),
            None => (0, u32::try_from(self.document.nodes.len()).unwrap_or(u32::MAX)),
        };
        let mut position = 0;
        loop {
            while let Some(open) = self.open.pop_if(|open| open.next <= at) {
                self.character_data(open.index, position, open.close);
                position = open.end;
                if open.in_set {
                    self.end_tag(open.index);
                }
                self.rendered.truncate(open.rendered);
            }
            let Some(node) = self.document.node(at).filter(|_| at < last) else { break };
            if let Some(parent) = self.open.last() {
                self.character_data(parent.index, position, node.start);
            }
            position = node.head_end;
            if !node.is_element() {
                self.leaf(node);
                at += 1;
                continue;
            }
            let element = Element { document: self.document, index: at };
            if self.set.prunes(element) {
                position = self.document.end_of(node);
                at = node.next;
                continue;
            }
            self.element(element, node);
            at += 1;
        }
    }

    fn contains(&self, member: Member<'_>) -> bool {
        N::COMPLETE || self.set.contains(member)
    }

    fn at(&self, index: u32) -> Element<'d> {
        Element { document: self.document, index }
    }

    fn character_data(&mut self, parent: u32, start: u32, end: u32) {
        if start < end && self.contains(Member::Text(self.at(parent))) {
            self.out.text(self.document.slice(start, end));
        }
    }

    fn end_tag(&mut self, index: u32) {
        self.out.push(b"</");
        self.out.push(self.at(index).qualified_name().as_bytes());
        self.out.push(b">");
    }

    /// Comments, processing instructions, CDATA sections.
    fn leaf(&mut self, node: &NodeData) {
        let markup = self.document.slice(node.start, node.head_end);
        let parent = (node.parent != TOP).then(|| self.at(node.parent));
        // At the top they stand on lines of their own (Canonical XML 1.0 §2.3).
        let after_root = self.document.node(self.document.root).is_some_and(|root| root.start < node.start);
        let (before, after): (&[u8], &[u8]) = match (parent, after_root) {
            (Some(_), _) => (b"", b""),
            (None, true) => (b"\n", b""),
            (None, false) => (b"", b"\n"),
        };
        if let Some(body) = markup.strip_prefix("<![CDATA[") {
            if parent.is_some_and(|p| self.contains(Member::Text(p))) {
                self.out.cdata(body.strip_suffix("]]>").unwrap_or(body));
            }
        } else if let Some(body) = markup.strip_prefix("<!--") {
            if self.algorithm.comments == Comments::Kept && self.contains(Member::Comment(parent)) {
                self.out.push(before);
                self.out.push(b"<!--");
                self.out.literal(body.strip_suffix("-->").unwrap_or(body));
                self.out.push(b"-->");
                self.out.push(after);
            }
        } else if self.contains(Member::Instruction(parent)) {
            let body = markup.strip_prefix("<?").and_then(|b| b.strip_suffix("?>")).unwrap_or_default();
            let (target, data) = body.split_once([' ', '\t', '\n', '\r']).unwrap_or((body, ""));
            self.out.push(before);
            self.out.push(b"<?");
            self.out.push(target.as_bytes());
            let data = data.trim_start_matches([' ', '\t', '\n', '\r']);
            if !data.is_empty() {
                self.out.push(b" ");
                self.out.literal(data);
            }
            self.out.push(b"?>");
            self.out.push(after);
        }
    }

    fn element(&mut self, element: Element<'d>, node: &NodeData) {
        let rendered = self.rendered.len();
        let in_set = self.contains(Member::Element(element));
        let mut floor = self.open.last().map_or(0, |open| open.floor);
        let own = self.document.attribute_data(element.index);
        let orphan = node.parent != TOP
            && match N::COMPLETE {
                true => self.open.is_empty(),
                false => !self.open.last().is_some_and(|parent| parent.in_set),
            };
        if in_set {
            self.out.push(b"<");
            self.out.push(element.qualified_name().as_bytes());
        }
        // Of an element that is not in the set, its namespace and attribute nodes may be.
        match self.algorithm.method {
            Method::Exclusive => self.exclusive_namespaces(element, node, own, in_set),
            _ if N::COMPLETE && !self.open.is_empty() && own.is_empty() => {}
            _ => self.inclusive_namespaces(element, own, floor, in_set),
        }
        if !in_set {
            self.rendered.truncate(rendered);
        } else if !N::COMPLETE && self.algorithm.method != Method::Exclusive {
            floor = rendered;
        }
        if orphan || !own.is_empty() {
            self.attributes(element, own, orphan && in_set);
        }
        if in_set {
            self.out.push(b">");
        }
        let end = self.document.end_of(node);
        self.open.push(Open { index: element.index, next: node.next, close: node.close, end, in_set, rendered, floor });
    }

    // Namespaces

    /// What an output ancestor last rendered for a prefix.
    fn last_rendered(&self, prefix: &str, floor: usize) -> Option<u32> {
        let stack = self.rendered.get(floor..).unwrap_or_default();
        stack.iter().rev().find(|(p, _)| *p == prefix).map(|&(_, namespace)| namespace)
    }

    /// Whether a declaration says something new; `xmlns=""` only takes back a default namespace.
    fn is_news(&self, (prefix, namespace): Binding<'_>, floor: usize) -> bool {
        match (self.last_rendered(prefix, floor), namespace) {
            (last, NO_NAMESPACE) => last.is_some_and(|l| l != NO_NAMESPACE),
            (last, namespace) => last != Some(namespace),
        }
    }

    /// Canonical XML 1.0 §2.3 and §4.6: every namespace node that the nearest output ancestor has not.
    fn inclusive_namespaces(&mut self, element: Element<'d>, own: &'d [AttributeData], floor: usize, in_set: bool) {
        let nearest = !N::COMPLETE || self.open.is_empty();
        let mut axis = match nearest {
            true => self.in_scope(element),
            false => self.declared(own),
        };
        axis.retain(|&(prefix, namespace)| prefix != "xml" && self.has_namespace(element, prefix, namespace));
        if !N::COMPLETE && in_set && !axis.iter().any(|(prefix, _)| prefix.is_empty()) {
            axis.push(("", NO_NAMESPACE));
        }
        axis.sort_unstable_by_key(|&(prefix, _)| prefix);
        let news: Vec<bool> = axis.iter().map(|&binding| self.is_news(binding, floor)).collect();
        for (&binding, news) in axis.iter().zip(news) {
            if news {
                self.declaration(binding);
            }
            // Sets with holes compare with the namespaces that the ancestor has, written by it or not.
            if news || !N::COMPLETE {
                self.rendered.push(binding);
            }
        }
    }

    /// Exclusive Canonicalization 1.0 §3: the prefixes that the start tag uses, and those of the list.
    fn exclusive_namespaces(&mut self, element: Element<'d>, node: &NodeData, own: &'d [AttributeData], in_set: bool) {
        let mut pending: Vec<Binding<'d>> = Vec::new();
        let mut consider = |writer: &Self, binding: Binding<'d>| {
            let (prefix, namespace) = binding;
            let absent = !writer.has_namespace(element, prefix, namespace);
            let binding = match (absent, prefix) {
                (true, "") if in_set => ("", NO_NAMESPACE),
                // Used, but its namespace node is not in the set: what an ancestor rendered no longer counts (§3).
                (true, prefix) if in_set => (prefix, HOLE),
                (true, _) => return,
                (false, _) => binding,
            };
            if binding.0 != "xml" && (binding.1 == HOLE || writer.is_news(binding, 0)) {
                pending.push(binding);
            }
        };
        if in_set {
            consider(self, (element.prefix(), node.namespace));
        }
        for attribute in own.iter().filter(|a| in_set && !a.declaration && a.prefix_len > 0) {
            let member = Member::Attribute(
                element,
                self.document.namespace_name(attribute.namespace),
                attribute.local_name(self.document),
            );
            if self.contains(member) {
                consider(self, (attribute.prefix(self.document), attribute.namespace));
            }
        }
        if !self.algorithm.inclusive_prefixes.is_empty() {
            let axis = match !N::COMPLETE || self.open.is_empty() {
                true => self.in_scope(element),
                false => self.declared(own),
            };
            for binding in axis {
                if self.algorithm.inclusive_prefixes.iter().any(|p| **p == *binding.0) {
                    consider(self, binding);
                }
            }
        }
        pending.sort_unstable();
        pending.dedup();
        for binding in pending {
            if binding.1 != HOLE {
                self.declaration(binding);
            }
            self.rendered.push(binding);
        }
    }

    fn has_namespace(&self, element: Element<'_>, prefix: &str, namespace: u32) -> bool {
        N::COMPLETE
            || (namespace != NO_NAMESPACE
                && self.set.contains(Member::Namespace(element, prefix, self.document.namespace_name(namespace))))
    }

    fn declaration(&mut self, (prefix, namespace): Binding<'_>) {
        self.out.push(b" xmlns");
        if !prefix.is_empty() {
            self.out.push(b":");
            self.out.push(prefix.as_bytes());
        }
        self.out.push(b"=\"");
        self.out.value(self.document.namespace_name(namespace));
        self.out.push(b"\"");
    }

    /// The declarations of one element.
    fn declared(&self, own: &'d [AttributeData]) -> Vec<Binding<'d>> {
        own.iter().filter(|a| a.declaration).map(|a| (a.declared_prefix(self.document), a.namespace)).collect()
    }

    /// The namespace axis of an element; a default namespace taken back is not on it.
    fn in_scope(&self, element: Element<'d>) -> Vec<Binding<'d>> {
        let mut axis: Vec<Binding<'d>> = Vec::new();
        for e in std::iter::once(element).chain(element.ancestors()) {
            axis.extend(self.declared(self.document.attribute_data(e.index)));
        }
        // The nearest declaration of a prefix stays: the sort is stable.
        axis.sort_by_key(|&(prefix, _)| prefix);
        axis.dedup_by_key(|(prefix, _)| *prefix);
        axis
    }

    // Attributes

    fn attributes(&mut self, element: Element<'d>, own: &'d [AttributeData], orphan: bool) {
        let document = self.document;
        let mut list: Vec<Output<'d>> = Vec::with_capacity(own.len());
        for attribute in own.iter().filter(|a| !a.declaration) {
            let output = Output::of(document, attribute);
            if self.contains(Member::Attribute(element, output.namespace, output.local_name)) {
                list.push(output);
            }
        }
        if orphan && self.algorithm.method != Method::Exclusive {
            self.inherit(element, own, &mut list);
        }
        if list.len() > 1 {
            // The namespace name first, then the local name; no namespace comes first (Canonical XML 1.0 §2.2).
            list.sort_unstable_by(|a, b| (a.namespace, a.local_name).cmp(&(b.namespace, b.local_name)));
        }
        for output in list {
            self.out.push(b" ");
            self.out.push(output.qualified_name.as_bytes());
            self.out.push(b"=\"");
            match output.value {
                Value::Verbatim(value) => self.out.push(value.as_bytes()),
                Value::Source(raw) => self.out.source_value(raw),
                Value::Computed(value) => self.out.value(&value),
            }
            self.out.push(b"\"");
        }
    }

    /// `xml:` attributes of ancestors that are not in the set (Canonical XML 1.0 §2.4, 1.1 §2.4).
    fn inherit(&self, element: Element<'d>, own: &'d [AttributeData], list: &mut Vec<Output<'d>>) {
        let document = self.document;
        let is_xml = |a: &&AttributeData| !a.declaration && a.namespace == XML;
        let mut seen: Vec<&str> = own.iter().filter(is_xml).map(|a| a.local_name(document)).collect();
        for ancestor in element.ancestors() {
            for attribute in document.attribute_data(ancestor.index).iter().filter(is_xml) {
                let name = attribute.local_name(document);
                let inherited = self.algorithm.method == Method::Inclusive || matches!(name, "lang" | "space");
                if inherited && !seen.contains(&name) {
                    seen.push(name);
                    list.push(Output::of(document, attribute));
                }
            }
        }
        if self.algorithm.method == Method::Inclusive11 {
            self.fix_base(element, list);
        }
    }

    /// Canonical XML 1.1 §2.4: the `xml:base` of omitted ancestors is joined with that of the element.
    fn fix_base(&self, element: Element<'d>, list: &mut Vec<Output<'d>>) {
        let omitted = element.ancestors().take_while(|a| N::COMPLETE || !self.set.contains(Member::Element(*a)));
        let mut bases = omitted.filter_map(|a| a.attribute(XML_NAMESPACE, "base")).peekable();
        if bases.peek().is_none() {
            return;
        }
        let own = element.attribute(XML_NAMESPACE, "base");
        let value = bases.fold(own, |inner, base| {
            Some(match inner {
                None => base,
                Some(inner) => Cow::Owned(base_uri::join(&base, &inner)),
            })
        });
        list.retain(|o| !(o.namespace == XML_NAMESPACE && o.local_name == "base"));
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            list.push(Output {
                namespace: XML_NAMESPACE,
                local_name: "base",
                qualified_name: "xml:base",
                value: Value::Computed(value.into_owned()),
            });
        }
    }
}

/// An attribute about to be written.
struct Output<'d> {
    namespace: &'d str,
    local_name: &'d str,
    qualified_name: &'d str,
    value: Value<'d>,
}

enum Value<'d> {
    /// The source is the canonical form.
    Verbatim(&'d str),
    /// As in the source.
    Source(&'d str),
    /// Made here.
    Computed(String),
}

impl<'d> Output<'d> {
    fn of(document: &'d Document<'d>, attribute: &'d AttributeData) -> Self {
        let raw = attribute.raw_value(document);
        Self {
            namespace: document.namespace_name(attribute.namespace),
            local_name: attribute.local_name(document),
            qualified_name: attribute.qualified_name(document),
            value: if attribute.verbatim { Value::Verbatim(raw) } else { Value::Source(raw) },
        }
    }
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;
