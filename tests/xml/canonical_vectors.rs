//! Published canonicalization vectors: `merlin-c14n-three` (28 octet strings) and the W3C's `xml:base` ones.

use sha1::{Digest, Sha1};
use tamga::format::xml::canonical::{Canonicalization, Member, NodeSet, canonicalize};
use tamga::format::xml::{Document, Element};

use crate::corpus;

/// An XPath expression of the vectors, written by hand.
struct Filter {
    holds: Predicate,
}

/// Whether an expression holds for a node.
type Predicate = fn(Member<'_>) -> bool;

impl NodeSet for Filter {
    const COMPLETE: bool = false;

    fn apex(&self) -> Option<Element<'_>> {
        None
    }

    fn prunes(&self, _: Element<'_>) -> bool {
        false
    }

    fn contains(&self, member: Member<'_>) -> bool {
        (self.holds)(member)
    }
}

/// The element a node stands at, or below.
fn place(member: Member<'_>) -> Option<Element<'_>> {
    match member {
        Member::Element(e) | Member::Text(e) | Member::Attribute(e, ..) | Member::Namespace(e, ..) => Some(e),
        Member::Comment(e) | Member::Instruction(e) => e,
    }
}

fn within(member: Member<'_>, namespace: &str, local_name: &str) -> bool {
    place(member).is_some_and(|e| std::iter::once(e).chain(e.ancestors()).any(|a| a.is(namespace, local_name)))
}

const BAR: &str = "http://example.org/bar";
const BAZ: &str = "http://example.org/baz";
const FOO: &str = "http://example.org/foo";

fn is_text(member: Member<'_>) -> bool {
    matches!(member, Member::Text(_))
}

fn has_namespace_uri(member: Member<'_>) -> bool {
    match member {
        Member::Element(e) => !e.namespace().is_empty(),
        Member::Attribute(_, namespace, _) => !namespace.is_empty(),
        _ => false,
    }
}

fn is_own_namespace(member: Member<'_>) -> bool {
    matches!(member, Member::Namespace(owner, _, uri) if uri == owner.namespace())
}

/// The nine expressions, in the order of the first nine references; each then comes with exclusive rules, and with a list.
const EXPRESSIONS: [(&str, Predicate); 9] = [
    ("ancestor-or-self::bar:Something", |m| within(m, BAR, "Something")),
    (
        "ancestor-or-self::bar:Something and ((name() != \"bar\") or parent::bar:Something) and ((name() != \"foo\") or parent::foo:Something) and ((name() != \"baz\") or parent::baz:Something) and ((name() != \"\") or self::text())",
        |m| {
            within(m, BAR, "Something")
                && match m {
                    Member::Namespace(owner, "bar", _) => owner.is(BAR, "Something"),
                    Member::Namespace(owner, "foo", _) => owner.is(FOO, "Something"),
                    Member::Namespace(owner, "baz", _) => owner.is(BAZ, "Something"),
                    Member::Namespace(_, prefix, _) => !prefix.is_empty(),
                    Member::Comment(_) => false,
                    _ => true,
                }
        },
    ),
    (
        "ancestor-or-self::bar:Something and (self::text() or (namespace-uri() != \"\") or (string(self::node()) = namespace-uri(parent::node())))",
        |m| within(m, BAR, "Something") && (is_text(m) || has_namespace_uri(m) || is_own_namespace(m)),
    ),
    (
        "ancestor-or-self::bar:Something and not (self::foo:Something) and (self::text() or (namespace-uri() != \"\") or (string(self::node()) = namespace-uri(parent::node())))",
        |m| {
            within(m, BAR, "Something")
                && !matches!(m, Member::Element(e) if e.is(FOO, "Something"))
                && (is_text(m) || has_namespace_uri(m) || is_own_namespace(m))
        },
    ),
    (
        "ancestor-or-self::bar:Something and (count(parent::node()/namespace::*) != count(parent::node()/namespace::* | self::node()))",
        |m| within(m, BAR, "Something") && !matches!(m, Member::Namespace(..)),
    ),
    ("ancestor-or-self::bar:Something and (self::text() or (namespace-uri() != \"\"))", |m| {
        within(m, BAR, "Something") && (is_text(m) || has_namespace_uri(m))
    }),
    (
        "ancestor-or-self::bar:Something and (count(parent::node()/namespace::*) = count(parent::node()/namespace::* | self::node()))",
        |m| within(m, BAR, "Something") && matches!(m, Member::Namespace(..)),
    ),
    ("ancestor-or-self::bar:Something and (string(self::node()) = namespace-uri(parent::node()))", |m| {
        within(m, BAR, "Something") && is_own_namespace(m)
    }),
    (
        "ancestor-or-self::bar:Something and (self::text() or (namespace-uri() != \"\") or ((name() = \"\") and ((count(ancestor-or-self::node()) mod 2) = 1)))",
        |m| {
            // The node itself, its owner with the owner's ancestors, and the root node.
            let odd = |owner: Element<'_>| (owner.ancestors().count() + 3) % 2 == 1;
            within(m, BAR, "Something")
                && (is_text(m) || has_namespace_uri(m) || matches!(m, Member::Namespace(owner, "", _) if odd(owner)))
        },
    ),
];

const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

#[test]
fn every_octet_string_of_merlin_c14n_three() {
    let Some(corpus) = corpus::folder() else { return };
    let folder = corpus.join("xmldsig/merlin-c14n-three");
    let bytes = std::fs::read(folder.join("signature.xml")).unwrap();
    let document = Document::parse(&bytes).unwrap();
    let signed_info = document.elements().find(|e| e.is(DSIG, "SignedInfo")).unwrap();
    let references: Vec<Element<'_>> = signed_info.children_named(DSIG, "Reference").collect();
    assert_eq!(references.len(), 27);
    for (number, reference) in references.iter().enumerate() {
        let transforms: Vec<Element<'_>> =
            reference.only_child(DSIG, "Transforms").unwrap().children_named(DSIG, "Transform").collect();
        let expression = transforms[0].string_value().split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, holds) =
            EXPRESSIONS.iter().find(|(text, _)| *text == expression).unwrap_or_else(|| panic!("{expression}"));
        let algorithm = match transforms.get(1) {
            None => Canonicalization::from_uri("http://www.w3.org/TR/2001/REC-xml-c14n-20010315").unwrap(),
            Some(transform) => {
                let list = transform.child_elements().next().and_then(|e| e.attribute("", "PrefixList"));
                let algorithm = Canonicalization::from_uri(&transform.attribute("", "Algorithm").unwrap()).unwrap();
                algorithm.with_prefix_list(&list.unwrap_or_default()).unwrap()
            }
        };
        let mut octets = Vec::new();
        canonicalize(&document, &Filter { holds: *holds }, &algorithm, &mut octets).unwrap();
        let expected = std::fs::read(folder.join(format!("c14n-{number}.txt"))).unwrap();
        assert!(
            octets == expected,
            "c14n-{number}\nours:     {}\nexpected: {}",
            String::from_utf8_lossy(&octets),
            String::from_utf8_lossy(&expected)
        );
    }
    // The last one is the SignedInfo itself.
    let mut octets = Vec::new();
    let algorithm = Canonicalization::from_uri("http://www.w3.org/TR/2001/REC-xml-c14n-20010315").unwrap();
    canonicalize(&document, &tamga::format::xml::canonical::Subtree::of(signed_info), &algorithm, &mut octets).unwrap();
    assert!(octets == std::fs::read(folder.join("c14n-27.txt")).unwrap());
}

/// `defCan-1` of the W3C's second edition tests: Canonical XML 1.1 of a document with a hole. The other two put XSLT
/// in between and change nothing: `defCan-2` names the same octets for `ietf:e21`.
#[test]
fn the_w3c_vectors_for_xml_base() {
    let Some(corpus) = corpus::folder() else { return };
    let bytes = std::fs::read(corpus.join("xmldsig/xmldsig2ed-tests/c14n11/xml-base-input.xml")).unwrap();
    let document = Document::parse(&bytes).unwrap();
    let algorithm = Canonicalization::from_uri("http://www.w3.org/2006/12/xml-c14n11").unwrap();
    let digest = |holds: fn(Member<'_>) -> bool| {
        let mut octets = Vec::new();
        canonicalize(&document, &Filter { holds }, &algorithm, &mut octets).unwrap();
        (hex(&Sha1::digest(&octets)), String::from_utf8(octets).unwrap())
    };
    let (first, octets) =
        digest(|m| within(m, "http://www.ietf.org", "c14n11XmlBaseDoc1") && !within(m, "http://www.ietf.org", "e2"));
    assert_eq!(first, hex(&decode("t7d2cL8Ink8A5i3cS9/bu9MBBU8=")), "{octets}");
    let (second, octets) = digest(|m| within(m, "http://www.ietf.org", "e21"));
    assert!(octets.contains("xml:base=\"http://xmlbase.example.org/xmlbase21/\""), "{octets}");
    assert_eq!(second, hex(&decode("fL7Igzs0LL7lKHJzAJIKYCphYBo=")), "{octets}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn decode(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}
