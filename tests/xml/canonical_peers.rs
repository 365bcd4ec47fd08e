//! Canonical forms beside libxml2's (`xmllint`).

use std::io::Write;
use std::process::Command;

use tamga::format::xml::Document;
use tamga::format::xml::canonical::{Canonicalization, Subtree, canonicalize};

use crate::generator;

fn ours(text: &str, uri: &str) -> Vec<u8> {
    let document = Document::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let mut out = Vec::new();
    canonicalize(&document, &Subtree::whole(&document), &Canonicalization::from_uri(uri).unwrap(), &mut out).unwrap();
    out
}

#[test]
fn whole_documents_have_the_octets_of_libxml2() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("document.xml");
    for seed in 0..300 {
        let text = generator::document(seed);
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        for (option, uri) in [
            ("--c14n", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"),
            ("--c14n11", "http://www.w3.org/2006/12/xml-c14n11#WithComments"),
            ("--exc-c14n", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"),
        ] {
            let peer =
                Command::new("xmllint").arg(option).arg(&path).output().expect("xmllint (libxml2-utils) is installed");
            assert!(peer.status.success(), "seed {seed}: {}\n{text}", String::from_utf8_lossy(&peer.stderr));
            let (own, theirs) = (ours(&text, uri), peer.stdout);
            assert!(
                own == theirs,
                "seed {seed} {option}\nsource: {text:?}\nours:   {:?}\ntheirs: {:?}",
                String::from_utf8_lossy(&own),
                String::from_utf8_lossy(&theirs)
            );
        }
    }
}
