//! Files that are there whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Writes a file beside its place, syncs it, and moves it there: whoever looks finds the old octets or the new ones, and
/// so does whoever looks after a crash at any point.
///
/// # Errors
/// As the file system says; the place is then untouched.
pub fn write(path: &Path, octets: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.new", std::process::id()));
    let beside = Beside(folder.join(beside));
    let mut file = File::create(&beside.0)?;
    file.write_all(octets)?;
    file.sync_all()?;
    fs::rename(&beside.0, path)?;
    // The entry of the folder is durable only with the folder.
    File::open(folder)?.sync_all()
}

/// A file that must not stay.
struct Beside(PathBuf);

impl Drop for Beside {
    fn drop(&mut self) {
        // After the move there is nothing to remove.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_leaves_the_old_file_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.p7s");
        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(write(&folder.path().join("missing").join("a"), b"x").is_err());
        // A folder in its place.
        fs::create_dir(folder.path().join("b")).unwrap();
        assert!(write(&folder.path().join("b"), b"x").is_err());
        let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["a.p7s", "b"]);
    }
}
