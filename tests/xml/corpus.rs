//! The folder of material that is not part of the project.

use std::path::PathBuf;

/// The corpus: `TAMGA_CORPUS`, else beside the repository. With `CI=true` it must be there if its folder is.
pub(crate) fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("TAMGA_CORPUS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| {
        // A worktree stands one level deeper than the repository.
        let home = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let beside = home.join("../shared/corpus");
        if beside.is_dir() { beside } else { home.join("../../shared/corpus") }
    });
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no corpus at {}", folder.display());
    None
}
