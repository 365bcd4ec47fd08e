//! Certificates and revocation data out of files and folders, told apart by their content.
//!
//! *Invariant:* what is in a file or folder and cannot be used is skipped and logged, never an error and never trusted;
//! only a path that cannot be read at all is an error.

use crate::format::{armour, cms};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The largest file that is looked at: a revocation list of the national CA has some 40 MB, the limit on one is 256 MiB.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// Folders inside folders; a ring of links ends here.
const MAX_DEPTH: usize = 8;

/// A path that was named cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {cause}")]
pub struct Unreadable {
    /// The path.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

/// Everything in these files and folders that `parse` takes, in the order of the names.
///
/// # Errors
/// [`Unreadable`] for a named path that is not there; within a folder such a file is skipped.
pub fn load<T>(paths: &[PathBuf], parse: impl Fn(&[u8]) -> Result<T, String>) -> Result<Vec<T>, Unreadable> {
    let mut found = Vec::new();
    for path in paths {
        let unreadable = |cause| Unreadable { path: path.clone(), cause };
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            let mut files = Vec::new();
            list(path, MAX_DEPTH, &mut files).map_err(unreadable)?;
            for file in files {
                match read(&file) {
                    Ok(bytes) => take(&file, &bytes, &parse, &mut found),
                    Err(cause) => skipped(&file, &cause.to_string()),
                }
            }
        } else {
            take(path, &read(path).map_err(unreadable)?, &parse, &mut found);
        }
    }
    Ok(found)
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    entries.sort();
    for entry in entries {
        match fs::metadata(&entry) {
            Ok(metadata) if metadata.is_dir() && depth > 0 => {
                if let Err(cause) = list(&entry, depth - 1, files) {
                    skipped(&entry, &cause.to_string());
                }
            }
            Ok(metadata) if metadata.is_file() => files.push(entry),
            Ok(_) => {}
            Err(cause) => skipped(&entry, &cause.to_string()),
        }
    }
    Ok(())
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let size = fs::metadata(path)?.len();
    if size > MAX_FILE_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{size} bytes, the limit is {MAX_FILE_BYTES}"),
        ));
    }
    fs::read(path)
}

fn take<T>(path: &Path, bytes: &[u8], parse: &impl Fn(&[u8]) -> Result<T, String>, found: &mut Vec<T>) {
    if bytes.first() == Some(&0x30) {
        return take_der(path, bytes, parse, found);
    }
    let blocks = match armour::first_label(bytes) {
        Some(_) => armour::pem_sections(bytes).into_iter().map(|(_, block)| block).collect(),
        None => vec![armour::base64_text(bytes)],
    };
    for block in blocks {
        match block {
            Ok(der) => take_der(path, &der, parse, found),
            Err(error) => skipped(path, &error.to_string()),
        }
    }
}

/// One item, or a set of them without signers.
fn take_der<T>(path: &Path, der: &[u8], parse: &impl Fn(&[u8]) -> Result<T, String>, found: &mut Vec<T>) {
    let reason = match parse(der) {
        Ok(item) => return found.push(item),
        Err(reason) => reason,
    };
    let Some(items) = cms::certificates_and_lists(der) else {
        return skipped(path, &reason);
    };
    let before = found.len();
    found.extend(items.iter().filter_map(|item| parse(item).ok()));
    // Certificates and lists stand side by side in a set, and one kind is asked for.
    let left = items.len() - (found.len() - before);
    if left > 0 || items.is_empty() {
        skipped(path, &format!("{left} of {} items of the set", items.len()));
    }
}

fn skipped(path: &Path, reason: &str) {
    tracing::warn!(file = %path.display(), reason, "skipped");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes what begins like a SEQUENCE.
    fn sequences(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, Unreadable> {
        load(paths, |der| if der.starts_with(&[0x30]) { Ok(der.to_vec()) } else { Err("no SEQUENCE".into()) })
    }

    #[test]
    fn a_folder_gives_what_is_usable() {
        let folder = tempfile::tempdir().expect("folder");
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("written");
        write("a.der", &[0x30, 1, 0]);
        write("b.pem", b"subject=somebody\n-----BEGIN CERTIFICATE-----\nMAEC\n-----END CERTIFICATE-----\n-----BEGIN X509 CRL-----\nMAED\n-----END X509 CRL-----\n");
        write("c.pem", b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
        write("d.pem", b"-----BEGIN CERTIFICATE-----\nMAEC\n");
        write("e.txt", b"notes");
        write("f.empty", b"");
        fs::create_dir(folder.path().join("inner")).expect("folder");
        write("inner/g.der", &[0x30, 1, 7]);
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), folder.path().join("inner/ring")).expect("link");
        let found = sequences(&[folder.path().to_owned()]).expect("readable");
        assert_eq!(found[..3], [vec![0x30, 1, 0], vec![0x30, 1, 2], vec![0x30, 1, 3]]);
        assert!(found.contains(&vec![0x30, 1, 7]));
    }

    #[test]
    fn a_named_path_that_is_not_there_is_an_error_and_a_useless_file_is_not() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("useless");
        assert!(sequences(std::slice::from_ref(&file)).is_err());
        fs::write(&file, b"useless").expect("written");
        assert_eq!(sequences(&[file]).expect("readable"), Vec::<Vec<u8>>::new());
    }
}
