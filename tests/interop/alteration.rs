//! One altered octet: in a signed part it is never accepted, elsewhere it never changes who signed what. And any number
//! of altered documents never panic.
//!
//! `.ci/mutate` runs a million.

use crate::fixture::Fixture;
use crate::licences::sealed_licence;
use crate::message::Message;
use proptest::prelude::*;
use tamga::demonstration::{Key, KeyKind};

/// Offsets of the content, of the signed attributes and of the signature's value.
fn signed_parts(document: &[u8], parts: &[&[u8]]) -> Vec<std::ops::Range<usize>> {
    let found = |part: &&[u8]| {
        let at = document.windows(part.len()).rposition(|window| window == *part).unwrap();
        at..at + part.len()
    };
    parts.iter().map(found).collect()
}

/// Every octet of the document, with one bit, all bits, and the low bit of it altered.
#[test]
fn an_altered_octet_is_refused_or_changes_nothing() {
    for kind in [KeyKind::P256, KeyKind::Rsa2048, KeyKind::Ed25519] {
        let fixture = Fixture::new(kind);
        let (_, document) = sealed_licence(&fixture, kind);
        let before = fixture.judge_alone(&document, None);
        assert!(before.holds());
        let parsed = tamga::format::cms::parse(&document, None).unwrap();
        let content = parsed.content.as_deref().unwrap();
        let attributes = &parsed.signatures[0].message[1..];
        let signed = signed_parts(&document, &[content, attributes, &parsed.signatures[0].signature]);
        let mut accepted = 0;
        for at in 0..document.len() {
            for mask in [0x01, 0x80, 0xff] {
                let mut altered = document.clone();
                altered[at] ^= mask;
                let after = fixture.judge_alone(&altered, None);
                if !after.holds() {
                    continue;
                }
                accepted += 1;
                assert!(!signed.iter().any(|part| part.contains(&at)), "{kind:?}: signed octet {at} ^ {mask:#x}");
                assert_eq!(after.who_signed_what(), before.who_signed_what(), "{kind:?}: octet {at} ^ {mask:#x}");
            }
        }
        // The authority's certificate is not the signature's: altered, it still verifies, and the path fails.
        assert!(accepted > 0, "the test alters something that is not signed");
    }
}

/// A run of edits: octets set, removed, repeated, swapped.
fn mutate(document: &mut Vec<u8>, edits: &[(u16, u8, u8)]) {
    for (at, kind, value) in edits {
        if document.is_empty() {
            return;
        }
        let at = usize::from(*at) % document.len();
        match kind % 6 {
            0 => document[at] = *value,
            1 => document[at] ^= 1 << (value % 8),
            2 => drop(document.remove(at)),
            3 => document.insert(at, *value),
            4 => {
                let end = (at + usize::from(*value)).min(document.len());
                let run = document[at..end].to_vec();
                document.splice(at..at, run);
            }
            _ => document.truncate(at.max(1)),
        }
    }
}

/// Numbers from a counter: the same documents every time (SplitMix64).
fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

#[test]
fn mutated_documents_never_panic_and_never_say_another_signer() {
    let count: u64 = std::env::var("TAMGA_MUTATIONS").map_or(20_000, |text| text.parse().unwrap());
    let fixture = Fixture::new(KeyKind::P256);
    let (_, licence) = sealed_licence(&fixture, KeyKind::P256);
    let seeds = [licence, Message::new(&fixture.signer, b"request").sign(&fixture.signer)];
    let before: Vec<_> = seeds.iter().map(|seed| fixture.judge_alone(seed, None).who_signed_what()).collect();
    let mut random = numbers(1);
    let mut next = || random.next().unwrap();
    for round in 0..count {
        let which = usize::try_from(next() % 2).unwrap();
        let mut document = seeds[which].clone();
        let edits: Vec<(u16, u8, u8)> = (0..=next() % 4)
            .map(|_| {
                let [a, b, kind, value, ..] = next().to_le_bytes();
                (u16::from_le_bytes([a, b]), kind, value)
            })
            .collect();
        mutate(&mut document, &edits);
        let verdict = fixture.judge_alone(&document, None);
        if verdict.holds() {
            assert_eq!(verdict.who_signed_what(), before[which], "round {round}: {edits:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_signature_of_any_content_holds_for_it_alone(content: Vec<u8>, other: Vec<u8>) {
        let fixture = Fixture::new(KeyKind::P256);
        let message = Message::new(&fixture.signer, &content);
        prop_assert!(fixture.judge_alone(&message.sign(&fixture.signer), None).holds());
        let detached = Message { content: None, ..message }.sign(&fixture.signer);
        prop_assert!(fixture.judge_alone(&detached, Some(&content)).holds());
        prop_assert_eq!(fixture.judge_alone(&detached, Some(&other)).holds(), other == content);
    }

    #[test]
    fn a_signature_of_another_key_never_holds(content: Vec<u8>) {
        let fixture = Fixture::new(KeyKind::P256);
        let mut forger = fixture.signer.clone();
        forger.key = Key::cached(KeyKind::P256, "forger").unwrap();
        prop_assert!(!fixture.judge_alone(&Message::new(&fixture.signer, &content).sign(&forger), None).holds());
    }
}
