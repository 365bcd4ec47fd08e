//! Revocation lists at national size: verified once, indexed, mapped, swapped whole.
//!
//! ```text
//! revocation/
//!   index/SERIES.idx             the index of the last good list of a series (issuer key, issuer name, scope, kind)
//!   archive/SERIES-SHA256.crl    every list that was ever good, as received, by its digest
//!   staging/                     what is being received or written; emptied at start
//!   lock                         held while a list is imported, by whichever process does it
//! ```
//! A list replaces the last good one of its series only after all of it was read, its signature verified under the
//! issuer's key, its dates and its number compared with those of the list at hand. The new index is written under
//! another name, synchronised, and renamed over the old one: a crash at any point leaves the old or the new. Readers
//! hold an `Arc` and are never waited for.
//!
//! *Invariant:* a file under `index` is an index of a list whose signature verified; a list that fails replaces nothing.

mod archive;
mod import;
mod index;
mod list;
mod map;
pub mod measure;
mod record;
mod sample;
mod walk;

pub use import::{ImportError, Imported, ListSigner, StagedList, Staleness};
pub use index::IndexError;
pub use list::{IndexedList, ListKind};
pub use sample::{SampleAuthority, SampleTimes, sample_serial};
pub use walk::WalkError;

use crate::crypto::{Digest, DigestAlgorithm};
use crate::pki::crl::CrlScope;
use crate::report::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

/// How much the store takes and keeps.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest list, in octets (`validation.md` §4).
    pub max_list_octets: u64,
    /// What the archive may grow to, in octets; the oldest lists go first, those in use never.
    pub max_archive_octets: u64,
}

impl Default for Limits {
    /// 256 MiB a list; 64 GiB of archive: with the national list of 2026, 21 MB a day, eight years.
    fn default() -> Limits {
        Limits { max_list_octets: 256 << 20, max_archive_octets: 64 << 30 }
    }
}

/// A series of lists of which each replaces the one before: one issuer key and name, one scope, complete or delta.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series(String);

impl Series {
    pub(crate) fn new(signer: &Digest, scope: &CrlScope) -> Series {
        let mut hasher = DigestAlgorithm::Sha256.hasher();
        let issuer = scope.issuer().canonical();
        let point = scope.issuing_distribution_point_raw().unwrap_or_default();
        for part in [signer.as_bytes(), &issuer, point, ListKind::of(scope).as_str().as_bytes()] {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        // 128 bits name a series; two keys of one issuer do not meet by chance.
        Series(hasher.finish().to_hex().chars().take(32).collect())
    }

    /// The name as it stands in file names.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the store knows of one series.
#[derive(Clone, Debug)]
struct Held {
    list: Arc<IndexedList>,
    /// When the file that is mapped was written, to notice that another process replaced it.
    written: Option<SystemTime>,
}

#[derive(Debug, Default)]
struct Lists {
    held: BTreeMap<Series, Held>,
    /// Series whose index was refused when it was opened.
    damaged: BTreeSet<Series>,
    all: Arc<[Arc<IndexedList>]>,
}

/// The store.
#[derive(Debug)]
pub struct RevocationStore {
    folder: PathBuf,
    limits: Limits,
    lists: RwLock<Lists>,
    importing: Mutex<()>,
}

impl RevocationStore {
    /// Opens the store in a folder, making the folder where there is none, and maps every index in it.
    ///
    /// An index that is damaged, or of another version, is set aside: [`RevocationStore::recover`] builds it again.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(folder: &Path, limits: Limits) -> io::Result<RevocationStore> {
        for part in ["index", "archive", "staging"] {
            fs::create_dir_all(folder.join(part))?;
        }
        let store =
            RevocationStore { folder: folder.to_owned(), limits, lists: RwLock::default(), importing: Mutex::new(()) };
        store.empty_staging()?;
        store.reload()?;
        Ok(store)
    }

    /// The lists at hand, complete and delta. They stay usable for as long as they are held, whatever is imported.
    pub fn lists(&self) -> Arc<[Arc<IndexedList>]> {
        Arc::clone(&self.lists.read().unwrap_or_else(PoisonError::into_inner).all)
    }

    /// How much the store takes and keeps.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Series of which the index was refused and no list is at hand.
    pub fn damaged(&self) -> Vec<Series> {
        self.lists.read().unwrap_or_else(PoisonError::into_inner).damaged.iter().cloned().collect()
    }

    /// Maps what another process has imported since. Cheap when nothing changed.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn reload(&self) -> io::Result<()> {
        for file in fs::read_dir(self.folder.join("index"))? {
            let path = file?.path();
            let (Some(stem), Some("idx")) = (path.file_stem().and_then(|s| s.to_str()), extension(&path)) else {
                continue;
            };
            let series = Series(stem.to_owned());
            let written = fs::metadata(&path)?.modified().ok();
            if self.held(&series).is_some_and(|held| held.written == written) {
                continue;
            }
            match File::open(&path).map_err(IndexError::from).and_then(IndexedList::open) {
                Ok(list) => self.swap(series, list, written),
                Err(error) => {
                    tracing::error!(series = series.as_str(), %error, "index of a revocation list refused");
                    self.lists.write().unwrap_or_else(PoisonError::into_inner).damaged.insert(series);
                }
            }
        }
        Ok(())
    }

    /// Builds what was set aside as damaged again from the archive, under the keys given.
    pub fn recover(&self, signers: &[ListSigner], at: Time) {
        for series in self.damaged() {
            let rebuilt = self.newest_archived(&series).map_err(ImportError::from).and_then(|newest| {
                let source = newest.ok_or(ImportError::Walk(WalkError::Empty))?;
                let staged = self.stage(&mut File::open(source)?)?;
                self.import(staged, signers, at, Staleness::Accept)
            });
            match rebuilt {
                Ok(_) => tracing::warn!(series = series.as_str(), "index of a revocation list built again"),
                Err(error) => {
                    tracing::error!(series = series.as_str(), %error, "index of a revocation list cannot be built again");
                }
            }
        }
    }

    fn held(&self, series: &Series) -> Option<Held> {
        self.lists.read().unwrap_or_else(PoisonError::into_inner).held.get(series).cloned()
    }

    fn swap(&self, series: Series, list: IndexedList, written: Option<SystemTime>) {
        let held = Held { list: Arc::new(list), written };
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        lists.damaged.remove(&series);
        lists.held.insert(series, held);
        lists.all = lists.held.values().map(|held| Arc::clone(&held.list)).collect();
    }

    fn index_path(&self, series: &Series) -> PathBuf {
        self.folder.join("index").join(format!("{}.idx", series.as_str()))
    }
}

fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(|extension| extension.to_str())
}
