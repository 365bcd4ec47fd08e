//! Lists as they were received, by their digest: the list of the day, for auditors.

use super::{RevocationStore, Series, extension};
use crate::crypto::Digest;
use crate::pki::crl::RevocationList as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

impl RevocationStore {
    /// The file of a list by SHA-256 of its octets; `None` when it is not kept, or no longer.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub fn archived(&self, digest: &Digest) -> io::Result<Option<PathBuf>> {
        let ending = format!("-{}.crl", digest.to_hex());
        Ok(self.archive()?.into_iter().map(|kept| kept.path).find(|path| name(path).ends_with(&ending)))
    }

    pub(super) fn archive_path(&self, series: &Series, digest: &Digest) -> PathBuf {
        self.folder.join("archive").join(format!("{}-{}.crl", series.as_str(), digest.to_hex()))
    }

    pub(super) fn newest_archived(&self, series: &Series) -> io::Result<Option<PathBuf>> {
        let of_series = |kept: &Kept| name(&kept.path).starts_with(series.as_str());
        Ok(self.archive()?.into_iter().filter(of_series).max_by_key(|kept| kept.written).map(|kept| kept.path))
    }

    /// Removes the oldest lists until the archive is small enough; lists in use stay.
    pub(super) fn prune_archive(&self) -> io::Result<()> {
        let mut kept = self.archive()?;
        kept.sort_by_key(|kept| kept.written);
        let mut total: u64 = kept.iter().map(|kept| kept.octets).sum();
        let in_use: Vec<String> = self.lists().iter().map(|list| list.scope().digest.to_hex()).collect();
        for Kept { path, octets, .. } in kept {
            if total <= self.limits.max_archive_octets {
                break;
            }
            if !in_use.iter().any(|digest| name(&path).contains(digest)) {
                fs::remove_file(&path)?;
                total -= octets;
            }
        }
        Ok(())
    }

    fn archive(&self) -> io::Result<Vec<Kept>> {
        let mut kept = Vec::new();
        for file in fs::read_dir(self.folder.join("archive"))? {
            let file = file?;
            let (path, metadata) = (file.path(), file.metadata()?);
            if extension(&path) == Some("crl") {
                let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                kept.push(Kept { path, octets: metadata.len(), written });
            }
        }
        Ok(kept)
    }
}

struct Kept {
    path: PathBuf,
    octets: u64,
    written: SystemTime,
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
