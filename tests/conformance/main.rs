//! Conformance: published suites and hostile material, each row with the answer that the standard gives.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod certificates;
#[cfg(feature = "server")]
mod hostile;
mod kz;
mod pkits;
mod revocation_lists;
#[cfg(feature = "server")]
mod seeds;

use std::path::PathBuf;

/// The folder of material that is not part of the project; `None`, said aloud, where it is not at hand.
fn corpus(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TAMGA_CORPUS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    let folder = root.join(part);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no corpus folder {part:?}; set TAMGA_CORPUS");
    None
}
