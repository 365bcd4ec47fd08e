//! Whatever is changed: an accepted document with a change in a signed part is never accepted, and a change elsewhere
//! never alters who signed what.

use std::collections::BTreeMap;

use tamga::demonstration::{Holder, KeyKind};
use tamga::format::xml::Document;
use tamga::format::xml::canonical::{Canonicalization, canonicalize};
use tamga::format::xmldsig::{self, enveloped::Profile};
use tamga::verify::{ContentIdentityRule, ServiceRules};

use crate::generator::Random;
use crate::support::{outcome, person, report, sign};

/// What a document says where everything that is XML's own holds: the signed octets, the signer, the value read.
fn meaning(text: &str, rules: &ServiceRules) -> Option<(Vec<u8>, String)> {
    let report = report(text, Some(rules));
    if outcome(&report) != "holds" {
        return None;
    }
    let document = Document::parse(text.as_bytes()).unwrap();
    let parsed = xmldsig::parse(&document, None).unwrap();
    let algorithm = Canonicalization::from_uri("http://www.w3.org/TR/2001/REC-xml-c14n-20010315").unwrap();
    let mut octets = Vec::new();
    for part in parsed.signatures.iter().flat_map(|s| &s.covered).filter_map(|c| c.nodes()) {
        canonicalize(&document, part, &algorithm, &mut octets).unwrap();
    }
    let signer = &report.signatures[0].signer.as_ref().unwrap().certificate_digest;
    Some((octets, signer.clone()))
}

fn rules(iin: &str) -> ServiceRules {
    ServiceRules {
        content_identity: Some(ContentIdentityRule {
            xml_iin: Some(format!("/form/{iin}")),
            ..ContentIdentityRule::default()
        }),
        xml_namespaces: BTreeMap::new(),
        ..ServiceRules::default()
    }
}

fn signed() -> String {
    let iin = Holder::IIN;
    let document = format!(
        "<form xmlns:p='urn:p'><iin>{iin}</iin><p:object k='1' p:k=\"2\">Қоймалар &amp; т.б.</p:object><!-- note --><list><item>1</item><item>2</item></list></form>"
    );
    sign(&document, Profile::BaselineB, &person(KeyKind::P256))
}

#[test]
fn flip_a_byte() {
    let text = signed();
    let rules = rules("iin");
    let original = meaning(&text, &rules).expect("the honest document holds");
    let bytes = text.as_bytes();
    let mut survived = 0;
    for at in 0..bytes.len() {
        for change in [bytes[at] ^ 1, bytes[at] ^ 0x20, b' '] {
            let mut changed = bytes.to_vec();
            changed[at] = change;
            let Ok(changed) = String::from_utf8(changed) else { continue };
            if changed == text {
                continue;
            }
            if let Some(found) = meaning(&changed, &rules) {
                survived += 1;
                assert!(found == original, "byte {at} changed to {change:#x} altered what was signed\n{changed}");
            }
        }
    }
    // Comments and white space outside the signed nodes may change.
    assert!(survived > 0);
}

#[test]
fn move_a_node() {
    let text = signed();
    let rules = rules("iin");
    let original = meaning(&text, &rules).unwrap();
    let document = Document::parse(text.as_bytes()).unwrap();
    let elements: Vec<_> = document.elements().map(|e| e.range()).collect();
    let mut random = Random::new(7);
    let mut moved = 0;
    for _ in 0..1500 {
        let from = elements[random.below(elements.len())].clone();
        let to = elements[random.below(elements.len())].clone();
        let place = if random.chance(50) { to.start } else { to.end };
        let piece = &text[from.clone()];
        // Copied, moved or removed.
        let changed = match random.below(3) {
            0 => format!("{}{piece}{}", &text[..place], &text[place..]),
            1 if place <= from.start => {
                format!("{}{piece}{}{}", &text[..place], &text[place..from.start], &text[from.end..])
            }
            1 if place >= from.end => {
                format!("{}{}{piece}{}", &text[..from.start], &text[from.end..place], &text[place..])
            }
            _ => format!("{}{}", &text[..from.start], &text[from.end..]),
        };
        if changed == text {
            continue;
        }
        moved += 1;
        if let Some(found) = meaning(&changed, &rules) {
            assert!(found == original, "a moved node altered what was signed\n{changed}");
        }
    }
    assert!(moved > 1000);
}
