//! OpenSSL as a peer.

use std::path::Path;
use std::process::Command;

/// Runs `openssl` in a folder and returns what it printed; a failure fails the test.
pub(crate) fn run(folder: &Path, arguments: &str) -> Vec<u8> {
    let (succeeded, output) = attempt(folder, arguments);
    assert!(succeeded, "openssl {arguments}: {}", String::from_utf8_lossy(&output));
    output
}

/// Runs `openssl` in a folder: whether it succeeded, and what it printed.
pub(crate) fn attempt(folder: &Path, arguments: &str) -> (bool, Vec<u8>) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl is installed");
    if output.status.success() { (true, output.stdout) } else { (false, output.stderr) }
}
