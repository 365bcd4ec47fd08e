//! The evidence store: small objects in the registry, lists as files.
//!
//! ```text
//! evidence/SHA256.crl    a revocation list that a verdict rested on, as received
//! ```
//! A list that the archive of lists has is one file under two names (a hard link): it is stored once, and when the archive
//! is pruned it stays here.
//!
//! *Invariant:* a list is under its name before the registry says that it is kept.

use crate::adapter::revocation_store::RevocationStore;
use crate::crypto::Digest;
use crate::port::{EvidenceKind, EvidenceObject, EvidenceStore, GatheredFacts, Registry, RegistryError};
use crate::report::Time;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Records remembered as kept: a day has a handful, and where responders are asked each verdict has its own.
const MAX_KNOWN: usize = 4096;

/// The store.
pub struct FileEvidence {
    folder: PathBuf,
    registry: Arc<dyn Registry>,
    lists: Arc<RevocationStore>,
    known: Mutex<HashSet<Digest>>,
    /// Held while objects are kept: calls that come upon the same new facts wait for the first.
    keeping: Mutex<()>,
}

impl FileEvidence {
    /// The store in a folder, which is made when the first list is kept.
    pub fn new(folder: PathBuf, registry: Arc<dyn Registry>, lists: Arc<RevocationStore>) -> FileEvidence {
        FileEvidence { folder, registry, lists, known: Mutex::default(), keeping: Mutex::new(()) }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{}.crl", digest.to_hex()))
    }

    fn keep_list(&self, list: &EvidenceObject) -> io::Result<()> {
        let path = self.path(&list.digest);
        if path.exists() {
            return Ok(());
        }
        make_private_folder(&self.folder)?;
        let archived = self.lists.archived(&list.digest)?;
        match (archived, &list.octets) {
            (Some(archived), _) if fs::hard_link(&archived, &path).is_ok() => {}
            // Another file system: a copy.
            (Some(archived), _) => write(&path, &fs::read(archived)?)?,
            (None, Some(octets)) => write(&path, octets)?,
            (None, None) => {
                return Err(io::Error::other(format!("the archive does not have the list {}", list.digest)));
            }
        }
        File::open(&self.folder)?.sync_all()
    }
}

impl EvidenceStore for FileEvidence {
    fn keep(&self, facts: &GatheredFacts, at: Time) -> Result<(), RegistryError> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known().contains(&facts.digest) {
            return Ok(());
        }
        let _one = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        if known().contains(&facts.digest) {
            return Ok(());
        }
        let mut objects = facts.objects.clone();
        for object in objects.iter_mut().filter(|object| object.kind == EvidenceKind::RevocationList) {
            self.keep_list(object).map_err(|error| RegistryError::Failed { cause: format!("evidence: {error}") })?;
            object.octets = None;
        }
        self.registry.record_evidence(objects, at)?;
        let mut known = known();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(facts.digest);
        Ok(())
    }

    fn object(&self, digest: &Digest) -> Result<Option<Vec<u8>>, RegistryError> {
        let octets = match self.registry.evidence(digest)? {
            None => return Ok(None),
            Some(Some(octets)) => octets,
            Some(None) => fs::read(self.path(digest)).map_err(|error| RegistryError::Damaged {
                what: format!("the revocation list {digest} cannot be read: {error}"),
            })?,
        };
        match Digest::sha256(&octets) == *digest {
            true => Ok(Some(octets)),
            false => Err(RegistryError::Damaged { what: format!("evidence {digest} is not what was kept") }),
        }
    }
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    match folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// Whole or not at all.
fn write(path: &Path, octets: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside)?;
    file.write_all(octets)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::revocation_store::Limits;
    use crate::adapter::sqlite::SqliteRegistry;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn calls_at_once_keep_the_same_facts_once() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Arc::new(SqliteRegistry::open(&folder.path().join("registry.db")).unwrap());
        let lists = Arc::new(RevocationStore::open(&folder.path().join("revocation"), Limits::default()).unwrap());
        let store = FileEvidence::new(folder.path().join("evidence"), Arc::clone(&registry) as _, lists);
        let list = EvidenceObject::new(EvidenceKind::RevocationList, vec![7; 3_000_000]);
        let facts = GatheredFacts { digest: list.digest, objects: vec![list] };
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| store.keep(&facts, Time::from_unix(0)).unwrap());
            }
        });
        assert_eq!(store.object(&facts.digest).unwrap().unwrap().len(), 3_000_000);
        assert_eq!(crate::port::Journal::head(&*registry).unwrap().unwrap().position, 1);
    }

    #[test]
    fn a_list_of_the_archive_is_one_file_and_outlives_the_archive() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Arc::new(SqliteRegistry::open(&folder.path().join("registry.db")).unwrap());
        let lists = Arc::new(RevocationStore::open(&folder.path().join("revocation"), Limits::default()).unwrap());
        let list = vec![7; 100_000];
        let digest = Digest::sha256(&list);
        let archived = folder.path().join(format!("revocation/archive/series-{}.crl", digest.to_hex()));
        fs::write(&archived, &list).unwrap();
        let store = FileEvidence::new(folder.path().join("evidence"), registry, lists);
        let object = |digest| EvidenceObject { kind: EvidenceKind::RevocationList, digest, octets: None };
        let facts = GatheredFacts { digest, objects: vec![object(digest)] };
        store.keep(&facts, Time::from_unix(0)).unwrap();
        store.keep(&facts, Time::from_unix(0)).unwrap();
        assert_eq!(fs::metadata(&archived).unwrap().nlink(), 2, "stored once, under two names");
        fs::remove_file(&archived).unwrap();
        assert_eq!(store.object(&digest).unwrap(), Some(list));
        assert_eq!(store.object(&Digest::sha256(b"never kept")).unwrap(), None);
        fs::write(store.path(&digest), b"another").unwrap();
        assert!(matches!(store.object(&digest), Err(RegistryError::Damaged { .. })));
        // A list that is nowhere is not recorded as kept.
        let missing = Digest::sha256(b"missing");
        let facts = GatheredFacts { digest: missing, objects: vec![object(missing)] };
        assert!(store.keep(&facts, Time::from_unix(0)).is_err());
        assert_eq!(store.object(&missing).unwrap(), None);
    }
}
