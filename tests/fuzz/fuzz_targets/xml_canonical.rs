//! A canonical form parses again, and is its own canonical form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamga::format::xml::Document;
use tamga::format::xml::canonical::{Canonicalization, Subtree, canonicalize};

const METHODS: [&str; 4] = [
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    "http://www.w3.org/2006/12/xml-c14n11",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
];

fn written(subtree: &Subtree<'_>, algorithm: &Canonicalization) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    canonicalize(subtree.document(), subtree, algorithm, &mut octets).ok().map(|()| octets)
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = Document::parse(bytes) else { return };
    for uri in METHODS {
        let algorithm = Canonicalization::from_uri(uri).expect("a known method");
        let parts = std::iter::once(Subtree::whole(&document)).chain(document.elements().take(8).map(Subtree::of));
        for part in parts {
            let Some(once) = written(&part, &algorithm) else { return };
            let again = Document::parse(&once).expect("a canonical form is well-formed");
            assert_eq!(written(&Subtree::whole(&again), &algorithm).as_deref(), Some(once.as_slice()), "{uri}");
        }
    }
});
