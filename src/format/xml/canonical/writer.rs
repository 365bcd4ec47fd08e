//! One pass over the nodes in document order.
//!
//! *Invariant:* start and end tags of the elements in the set are written in pairs; a namespace is rendered exactly where
//! no output ancestor has it in force.

use std::borrow::Cow;

use super::super::tree::{AttributeData, NO_NAMESPACE, NodeData, TOP, XML};
use super::super::{base_uri, text};
use super::output::Output;
use super::{Canonicalization, Comments, Document, Element, Member, Method, NodeSet, Sink};

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

pub(super) struct Writer<'d, 's, N, S> {
    document: &'d Document<'d>,
    set: &'d N,
    algorithm: &'d Canonicalization,
    out: Output<'d, 's, S>,
    open: Vec<Open>,
    rendered: Vec<Binding<'d>>,
    /// Attributes of one tag, kept for its memory.
    list: Vec<&'d AttributeData>,
}

impl<'d, 's, N: NodeSet, S: Sink> Writer<'d, 's, N, S> {
    pub(super) fn new(
        document: &'d Document<'d>,
        set: &'d N,
        algorithm: &'d Canonicalization,
        out: Output<'d, 's, S>,
    ) -> Self {
        Self { document, set, algorithm, out, open: Vec::new(), rendered: Vec::new(), list: Vec::new() }
    }

    pub(super) fn finish(mut self) {
        self.out.finish();
    }

    pub(super) fn run(&mut self) {
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
            self.out.text(start as usize, end as usize);
        }
    }

    fn end_tag(&mut self, index: u32) {
        self.out.octets(b"</");
        self.out.octets(self.at(index).qualified_name().as_bytes());
        self.out.octets(b">");
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
        let (start, end) = (node.start as usize, node.head_end as usize);
        if markup.starts_with("<![CDATA[") {
            if parent.is_some_and(|p| self.contains(Member::Text(p))) {
                self.out.cdata(start + "<![CDATA[".len(), end - "]]>".len());
            }
        } else if markup.starts_with("<!--") {
            if self.algorithm.comments == Comments::Kept && self.contains(Member::Comment(parent)) {
                self.out.octets(before);
                self.out.literal(start, end);
                self.out.octets(after);
            }
        } else if self.contains(Member::Instruction(parent)) {
            let body = markup.strip_prefix("<?").and_then(|b| b.strip_suffix("?>")).unwrap_or_default();
            let target = body.find([' ', '\t', '\n', '\r']).unwrap_or(body.len());
            let data = body.get(target..).unwrap_or_default().trim_start_matches([' ', '\t', '\n', '\r']);
            self.out.octets(before);
            self.out.source(start, start + "<?".len() + target);
            if !data.is_empty() {
                self.out.octets(b" ");
                self.out.literal(end - "?>".len() - data.len(), end - "?>".len());
            }
            self.out.octets(b"?>");
            self.out.octets(after);
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
            let start = node.start as usize;
            self.out.source(start, start + 1 + usize::from(node.name_len));
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
            self.out.octets(b">");
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
        if !nearest && !own.iter().any(|a| a.declaration) {
            return;
        }
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
        self.out.octets(b" xmlns");
        if !prefix.is_empty() {
            self.out.octets(b":");
            self.out.octets(prefix.as_bytes());
        }
        self.out.octets(b"=\"");
        self.out.value(self.document.namespace_name(namespace));
        self.out.octets(b"\"");
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
        let mut list = std::mem::take(&mut self.list);
        list.extend(own.iter().filter(|a| !a.declaration));
        if !N::COMPLETE {
            list.retain(|a| {
                let namespace = document.namespace_name(a.namespace);
                self.contains(Member::Attribute(element, namespace, a.local_name(document)))
            });
        }
        let mut base = None;
        if orphan && self.algorithm.method != Method::Exclusive {
            base = self.inherit(element, own, &mut list);
        }
        if list.len() > 1 {
            list.sort_unstable_by(|a, b| self.order(a).cmp(&self.order(b)));
        }
        let is_base = |a: &AttributeData| a.namespace == XML && a.local_name(document) == "base";
        for &attribute in &list {
            match &base {
                Some(value) if is_base(attribute) => self.computed_base(value),
                _ => self.attribute(attribute),
            }
        }
        list.clear();
        self.list = list;
    }

    /// The namespace name first, then the local name; no namespace comes first (Canonical XML 1.0 §2.2).
    fn order(&self, attribute: &AttributeData) -> (&'d str, &'d str) {
        (self.document.namespace_name(attribute.namespace), attribute.local_name(self.document))
    }

    fn attribute(&mut self, attribute: &AttributeData) {
        let (name, value, end) = (attribute.name as usize, attribute.value as usize, attribute.value_end as usize);
        let name_end = name + usize::from(attribute.name_len);
        if attribute.verbatim && self.out.is_written_canonically(name, name_end, value) {
            self.out.source(name - 1, end + 1);
            return;
        }
        self.out.octets(b" ");
        self.out.source(name, name_end);
        self.out.octets(b"=\"");
        match attribute.verbatim {
            true => self.out.source(value, end),
            false => self.out.source_value(value, end),
        }
        self.out.octets(b"\"");
    }

    fn computed_base(&mut self, value: &str) {
        if !value.is_empty() {
            self.out.octets(b" xml:base=\"");
            self.out.value(value);
            self.out.octets(b"\"");
        }
    }

    /// `xml:` attributes of ancestors that are not in the set (Canonical XML 1.0 §2.4, 1.1 §2.4), and the value of
    /// `xml:base` where it is another than an attribute says: empty where there is to be none.
    fn inherit(
        &self,
        element: Element<'d>,
        own: &'d [AttributeData],
        list: &mut Vec<&'d AttributeData>,
    ) -> Option<String> {
        let document = self.document;
        let is_xml = |a: &&AttributeData| !a.declaration && a.namespace == XML;
        let mut seen: Vec<&str> = own.iter().filter(is_xml).map(|a| a.local_name(document)).collect();
        for ancestor in element.ancestors() {
            for attribute in document.attribute_data(ancestor.index).iter().filter(is_xml) {
                let name = attribute.local_name(document);
                let inherited = self.algorithm.method == Method::Inclusive || matches!(name, "lang" | "space");
                if inherited && !seen.contains(&name) {
                    seen.push(name);
                    list.push(attribute);
                }
            }
        }
        if self.algorithm.method == Method::Inclusive11 { self.fix_base(element, list) } else { None }
    }

    /// Canonical XML 1.1 §2.4: the `xml:base` of omitted ancestors is joined with that of the element.
    fn fix_base(&self, element: Element<'d>, list: &mut Vec<&'d AttributeData>) -> Option<String> {
        let document = self.document;
        let base_of = |e: Element<'d>| {
            let is_base = |a: &&AttributeData| !a.declaration && a.namespace == XML && a.local_name(document) == "base";
            document.attribute_data(e.index).iter().find(is_base)
        };
        let omitted = element.ancestors().take_while(|a| N::COMPLETE || !self.set.contains(Member::Element(*a)));
        let mut bases = omitted.filter_map(base_of).peekable();
        let nearest = *bases.peek()?;
        let value_of = |a: &AttributeData| text::attribute(a.raw_value(document));
        let own = base_of(element);
        let joined = bases.map(value_of).fold(own.map(value_of), |inner, base| {
            Some(match inner {
                None => base,
                Some(inner) => Cow::Owned(base_uri::join(&base, &inner)),
            })
        });
        // The place among the attributes is that of the element's own, or of the one it inherits.
        if !list.iter().any(|a| own.is_some_and(|own| std::ptr::eq(*a, own))) {
            list.push(nearest);
        }
        Some(joined.unwrap_or_default().into_owned())
    }
}
