//! What is well-formed, beside `roxmltree` and libxml2 (`xmllint`).

use std::io::Write;
use std::process::{Command, Stdio};

use tamga::format::xml::{Document, Element, Node, XmlError};

use crate::generator::{self, Random};

/// Damages a document in one or two places.
fn damaged(seed: u64) -> String {
    let mut random = Random::new(seed ^ 0x5EED);
    let mut bytes = generator::document(seed % 500).into_bytes();
    for _ in 0..=random.below(2) {
        let at = random.below(bytes.len());
        match random.below(3) {
            0 => {
                bytes.remove(at);
            }
            1 => {
                bytes[at] = random.pick(&[
                    b"<".as_slice(),
                    b">",
                    b"&",
                    b"/",
                    b"'",
                    b"\"",
                    b"=",
                    b":",
                    b" ",
                    b"]",
                    b"!",
                    b"?",
                    b";",
                    b"x",
                    b"#",
                    b"-",
                ])[0]
            }
            _ => {
                let from = random.below(bytes.len());
                let piece: Vec<u8> = bytes[from..bytes.len().min(from + random.below(12))].to_vec();
                bytes.splice(at..at, piece);
            }
        }
        if bytes.is_empty() {
            bytes.push(b' ');
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Everything a reader can see of an element, in one string.
fn seen(element: Element<'_>, out: &mut String) {
    out.push_str(&format!("<{{{}}}{}", element.namespace(), element.local_name()));
    let mut attributes: Vec<String> =
        element.attributes().map(|a| format!(" {{{}}}{}={:?}", a.namespace(), a.local_name(), a.value())).collect();
    attributes.sort();
    out.extend(attributes);
    out.push('>');
    for child in element.children() {
        match child {
            Node::Element(e) => seen(e, out),
            Node::Text(text) => out.push_str(&text),
            Node::Comment => out.push_str("<!>"),
            Node::Instruction => out.push_str("<?>"),
        }
    }
    out.push_str("</>");
}

fn seen_by_peer(node: roxmltree::Node<'_, '_>, out: &mut String) {
    out.push_str(&format!("<{{{}}}{}", node.tag_name().namespace().unwrap_or_default(), node.tag_name().name()));
    let mut attributes: Vec<String> = node
        .attributes()
        .map(|a| format!(" {{{}}}{}={:?}", a.namespace().unwrap_or_default(), a.name(), a.value()))
        .collect();
    attributes.sort();
    out.extend(attributes);
    out.push('>');
    for child in node.children() {
        match child.node_type() {
            roxmltree::NodeType::Element => seen_by_peer(child, out),
            roxmltree::NodeType::Text => out.push_str(child.text().unwrap_or_default()),
            roxmltree::NodeType::Comment => out.push_str("<!>"),
            roxmltree::NodeType::PI => out.push_str("<?>"),
            roxmltree::NodeType::Root => {}
        }
    }
    out.push_str("</>");
}

/// roxmltree 0.21 leaves a carriage return alone where a reference follows it, against XML 1.0 §2.11: line ends are
/// compared with libxml2 instead.
fn line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

#[test]
fn the_tree_is_that_of_roxmltree() {
    for seed in 0..2000 {
        let text = line_feeds(&generator::document(seed));
        let document = Document::parse(text.as_bytes()).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{text}"));
        let (mut own, mut peer) = (String::new(), String::new());
        seen(document.root(), &mut own);
        seen_by_peer(roxmltree::Document::parse(&text).unwrap().root_element(), &mut peer);
        assert_eq!(own, peer, "seed {seed}");
    }
}

#[test]
fn what_is_accepted_after_damage_reads_as_roxmltree_reads_it() {
    let mut accepted = 0;
    for seed in 0..20_000 {
        let text = line_feeds(&damaged(seed));
        let Ok(document) = Document::parse(text.as_bytes()) else { continue };
        // Where the peer is stricter or laxer is settled with libxml2 below; what both take, both must read alike.
        let Ok(peer) = roxmltree::Document::parse(&text) else { continue };
        accepted += 1;
        let (mut own, mut theirs) = (String::new(), String::new());
        seen(document.root(), &mut own);
        seen_by_peer(peer.root_element(), &mut theirs);
        assert_eq!(own, theirs, "seed {seed}: {text:?}");
    }
    assert!(accepted > 2000, "{accepted} damaged documents were still documents");
}

#[test]
fn what_is_well_formed_is_what_libxml2_says() {
    let (mut both, mut neither) = (0, 0);
    for seed in 0..1500 {
        let text = damaged(seed);
        let own = Document::parse(text.as_bytes()).map(|d| d.has_relative_namespace());
        let mut child = Command::new("xmllint")
            .args(["--noout", "--nonet", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("xmllint (libxml2-utils) is installed");
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let peer = child.wait_with_output().unwrap();
        let complaint = String::from_utf8_lossy(&peer.stderr).into_owned();
        // Warnings about namespace names are libxml2's opinion, not a rule.
        let clean = peer.status.success()
            && !complaint.lines().any(|l| l.contains("namespace error") && !l.contains("is not a valid URI"));
        match own {
            Ok(_) => assert!(clean, "seed {seed}: accepted here, not there: {complaint}\n{text:?}"),
            // Refused here on purpose, or an encoding that it knows and we do not.
            Err(XmlError::DocumentType | XmlError::Encoding) => {}
            // libxml2 takes other versions for 1.0, and declarations without white space between their parts.
            Err(XmlError::Malformed { rule: "the XML declaration" | "only XML 1.0 is accepted", .. }) => {}
            Err(e) => assert!(!clean, "seed {seed}: refused here ({e}), not there\n{text:?}"),
        }
        if clean { both += 1 } else { neither += 1 }
    }
    assert!(both > 100 && neither > 100, "{both} accepted, {neither} refused");
}
