//! The parser takes any bytes; what it accepts, it can walk, and every range lies in the source.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamga::format::xml::Document;

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = Document::parse(bytes) else { return };
    let root = document.root();
    let mut elements = 0;
    for element in document.elements() {
        elements += 1;
        assert!(root.contains(&element));
        assert!(document.source().get(element.range()).is_some_and(|s| s.starts_with('<') && s.ends_with('>')));
        assert!(!element.local_name().is_empty());
        element.attributes().for_each(|a| drop(a.value()));
        element.children().for_each(drop);
        let _ = (element.only_text(), element.location());
    }
    assert_eq!(root.descendants_or_self().count(), elements);
});
