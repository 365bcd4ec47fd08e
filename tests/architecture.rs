//! The house rules that a compiler does not know: arrows point inward, the inner rings do no I/O.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a broken rule is a panic here

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms and their rings: a room may use rooms of its own ring and of lower ones, except as `NEVER` says.
const RINGS: &[(&str, u8)] = &[
    ("report", 0),
    ("asn1", 0),
    ("crypto", 1),
    ("pki", 1),
    ("format", 1),
    ("verify", 2),
    ("stamp", 2),
    ("licensing", 2),
    ("transparency", 2),
    ("port", 3),
    ("service", 3),
    ("adapter", 4),
    ("http", 4),
    ("config", 4),
    ("telemetry", 4),
    ("demonstration", 4),
    ("cli", 4),
    ("app", 4),
];

/// Rooms that never name each other although the rings would let them.
const NEVER: &[(&str, &str)] = &[
    ("adapter", "http"),
    ("http", "adapter"),
    ("adapter", "cli"),
    ("http", "cli"),
    ("adapter", "app"),
    ("crypto", "pki"),
    ("crypto", "format"),
    ("pki", "format"),
];

/// What rings 0 to 2 do not do: I/O, clocks, randomness, logging, waiting.
const FORBIDDEN_INSIDE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::io::stdin",
    "SystemTime::now",
    "Instant::now",
    "async fn",
    ".await",
    "rand::",
    "tracing::",
    "println!",
    "eprintln!",
    "tokio::",
];

/// The exceptions, with their reasons.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "crypto/private_key.rs",
    "rand::",
    "aws-lc draws the randomness of ECDSA and PSS itself and wants its source named; only signers of ring 4 call it",
)];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// The code of a file without comments and without its test module.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    before_tests.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

fn ring(room: &str) -> Option<u8> {
    RINGS.iter().find(|row| row.0 == room).map(|row| row.1)
}

/// Rooms that a piece of code names as `crate::room`, also inside `use crate::{a, b::c}`.
fn named_rooms(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut word = String::new();
            let mut fresh = true;
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => fresh = true,
                    c if depth == 1 && fresh && (c.is_alphanumeric() || c == '_') => word.push(c),
                    _ => {}
                }
                if !(c.is_alphanumeric() || c == '_' || word.is_empty()) {
                    rooms.push(std::mem::take(&mut word));
                    fresh = false;
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            rooms.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    rooms
}

#[test]
fn arrows_point_inward_and_the_inner_rings_do_no_io() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut broken = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
        if file.file_name().is_some_and(|name| name == "tests.rs") || matches!(&*relative, "lib.rs" | "main.rs") {
            continue;
        }
        let room = relative.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let Some(own) = ring(&room) else {
            broken.push(format!("{relative}: the room `{room}` has no ring"));
            continue;
        };
        let code = code(&fs::read_to_string(&file).unwrap());
        for named in named_rooms(&code) {
            let outward = ring(&named).is_some_and(|other| other > own);
            let never = NEVER.contains(&(room.as_str(), named.as_str()));
            if outward || never {
                broken.push(format!("{relative}: `{room}` names `{named}`"));
            }
        }
        if own <= 2 {
            for forbidden in FORBIDDEN_INSIDE {
                let excused = EXCEPTIONS.iter().any(|row| row.0 == relative && row.1 == *forbidden);
                if code.contains(forbidden) && !excused {
                    broken.push(format!("{relative}: `{forbidden}` in ring {own}"));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_room_of_the_library_has_a_ring() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for line in lib.lines() {
        if let Some(room) = line.trim().strip_prefix("pub mod ").and_then(|r| r.strip_suffix(';')) {
            assert!(ring(room).is_some(), "the room `{room}` has no ring");
        }
    }
}

#[test]
fn the_scanner_sees_grouped_and_plain_names() {
    assert_eq!(named_rooms("use crate::{pki::Name, http::{self, x}};"), ["pki", "http"]);
    assert_eq!(named_rooms("fn f() { crate::adapter::g() }"), ["adapter"]);
}

#[test]
fn the_binary_is_thin() {
    let main = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs")).unwrap();
    assert!(main.lines().count() < 50);
}
