//! Lowering signatures never panics, and reports as covered only what is there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamga::format::xml::Document;
use tamga::format::{wsse, xmldsig};

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = Document::parse(bytes) else { return };
    if wsse::is_message(&document) {
        let _ = wsse::parse(&document);
    }
    let Ok(parsed) = xmldsig::parse(&document, None) else { return };
    for signature in &parsed.signatures {
        assert!(signature.element.is_some() && !signature.message.is_empty());
        for part in signature.covered.iter().filter_map(|c| c.nodes()) {
            assert!(document.root().contains(&part.top()));
        }
    }
});
