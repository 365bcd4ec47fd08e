//! The part of XPath that names a value without choice: `/form/applicant/iin`, `/f:form/f:applicant/@f:bin`.
//!
//! ```text
//! path  = "/" step *("/" step) ["/" ("@" name / "text()")]
//! step  = name
//! name  = local / prefix ":" local / "Q{" namespace "}" local        (the last as in XPath 3.1)
//! ```
//!
//! A name without a prefix is in no namespace, as in XPath 1.0. There are no predicates, axes, functions or `//`: a
//! rule that could mean several elements is not a rule.
//!
//! *Invariant:* evaluation gives every match there is; that it must be one is for the caller to ask.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::tree::{Document, Element};

/// An expanded name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    namespace: String,
    local: String,
}

/// What the last step takes of the element.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Take {
    Text,
    Attribute(Name),
}

/// A parsed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    steps: Vec<Name>,
    take: Take,
}

/// The text is not a path of the kind that is supported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a supported path: {0}")]
pub struct PathError(String);

impl Path {
    /// Parses a path; `namespaces` binds its prefixes.
    ///
    /// # Errors
    /// [`PathError`] for anything outside the grammar, and for a prefix without a binding.
    pub fn parse(text: &str, namespaces: &BTreeMap<String, String>) -> Result<Path, PathError> {
        let unsupported = || PathError(text.to_owned());
        let mut rest = text.trim();
        let mut steps = Vec::new();
        let mut take = Take::Text;
        while !rest.is_empty() {
            rest = rest.strip_prefix('/').ok_or_else(unsupported)?;
            if rest == "text()" {
                rest = "";
                continue;
            }
            let attribute = rest.strip_prefix('@');
            let (name, after) = Self::name(attribute.unwrap_or(rest), namespaces).ok_or_else(unsupported)?;
            match attribute {
                None => steps.push(name),
                Some(_) if after.is_empty() => take = Take::Attribute(name),
                Some(_) => return Err(unsupported()),
            }
            rest = after;
        }
        match steps.is_empty() {
            true => Err(unsupported()),
            false => Ok(Path { steps, take }),
        }
    }

    /// One name, and what follows it.
    fn name<'t>(text: &'t str, namespaces: &BTreeMap<String, String>) -> Option<(Name, &'t str)> {
        let (namespace, rest) = match text.strip_prefix("Q{") {
            Some(braced) => {
                let (namespace, rest) = braced.split_once('}')?;
                (namespace.to_owned(), rest)
            }
            None => {
                let end = text.find('/').unwrap_or(text.len());
                match text.get(..end)?.split_once(':') {
                    Some((prefix, _)) => (namespaces.get(prefix)?.clone(), text.get(prefix.len() + 1..)?),
                    None => (String::new(), text),
                }
            }
        };
        let end = rest.find('/').unwrap_or(rest.len());
        let (local, after) = rest.split_at_checked(end)?;
        let whole = !local.is_empty() && super::names::nc_name_len(local) == local.len();
        whole.then(|| (Name { namespace, local: local.to_owned() }, after))
    }

    /// Whether the path ends at an element, not at an attribute.
    pub fn names_an_element(&self) -> bool {
        self.take == Take::Text
    }

    /// The elements that the steps lead to, from the document element on.
    pub fn elements<'d>(&self, document: &'d Document<'d>) -> Vec<Element<'d>> {
        let mut steps = self.steps.iter();
        let mut found: Vec<Element<'d>> = match steps.next() {
            Some(name) if document.root().is(&name.namespace, &name.local) => vec![document.root()],
            _ => Vec::new(),
        };
        for name in steps {
            found =
                found.iter().flat_map(|e| e.child_elements()).filter(|e| e.is(&name.namespace, &name.local)).collect();
        }
        found
    }

    /// The value at one of these elements: its text where it has text alone, or an attribute.
    pub fn value<'d>(&self, element: Element<'d>) -> Option<Cow<'d, str>> {
        match &self.take {
            Take::Text => element.only_text(),
            Take::Attribute(name) => element.attribute(&name.namespace, &name.local),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(path: &str, text: &str) -> Option<Vec<Option<String>>> {
        let namespaces = BTreeMap::from([("f".to_owned(), "urn:f".to_owned())]);
        let path = Path::parse(path, &namespaces).ok()?;
        let document = Document::parse(text.as_bytes()).unwrap();
        Some(path.elements(&document).into_iter().map(|e| path.value(e).map(Cow::into_owned)).collect())
    }

    #[test]
    fn a_path_names_text_and_attributes() {
        let text = "<a><b x='1' f:x='2' xmlns:f='urn:f'>t</b><f:b xmlns:f='urn:f'>u</f:b></a>";
        for (path, value) in [
            ("/a/b", "t"),
            ("/a/b/text()", "t"),
            ("/a/b/@x", "1"),
            ("/a/b/@f:x", "2"),
            ("/a/f:b", "u"),
            ("/a/Q{urn:f}b", "u"),
            ("/a/b/@Q{urn:f}x", "2"),
            ("/Q{}a/b", "t"),
        ] {
            assert_eq!(values(path, text), Some(vec![Some(value.to_owned())]), "{path}");
        }
        assert_eq!(values("/a/c", text), Some(vec![]));
        assert_eq!(values("/b", text), Some(vec![]));
    }

    #[test]
    fn every_match_is_given_and_a_mixed_content_has_no_value() {
        assert_eq!(
            values("/a/b", "<a><b>1</b><c><b>2</b></c><b>3</b></a>"),
            Some(vec![Some("1".into()), Some("3".into())])
        );
        assert_eq!(values("/a/b", "<a><b>1<!-- -->2</b></a>"), Some(vec![None]));
    }

    #[test]
    fn what_could_mean_several_things_is_no_path() {
        for path in [
            "",
            "/",
            "a",
            "//a",
            "/a//b",
            "/a/b[1]",
            "/a/*",
            "/a/..",
            "/a/@x/b",
            "/g:a",
            "/a/b:",
            "/a/count()",
            "/a/text()/b",
            "/a|/b",
            "/Q{urn",
            "/a/",
        ] {
            assert_eq!(values(path, "<a/>"), None, "{path}");
        }
    }
}
