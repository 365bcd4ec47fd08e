//! The transparency log over the registry's journal, in a folder.
//!
//! ```text
//! log/
//!   key.pem        the key of the checkpoints, Ed25519, PKCS #8; made at the first start where none is configured
//!   checkpoint     the last checkpoint, as published
//!   tile/          the tree ([`tiles`])
//! ```
//! Publishing goes in one order: rows are in the registry → their hashes are in the tiles, on disk → the checkpoint is
//! signed → it is in the registry, on disk → it is in the folder, and anyone may see it. A crash between two steps loses
//! a signature that nobody saw; the next one covers at least the same rows.
//!
//! *Invariant:* a checkpoint is signed only over rows that are on disk, behind the last one, and only after the tree was
//! found to begin with it.

mod key;
mod publisher;
mod remote;
mod tiles;

pub use key::{read_key, read_or_make_key};
pub use publisher::Publisher;
pub use remote::{RemoteError, RemoteLog};

use crate::crypto::{PrivateKey, SignatureAlgorithm};
use crate::port::{Journal, LogError, StoredCheckpoint, TransparencyLog};
use crate::report::Time;
use crate::transparency::merkle::{self, Hash, leaf_hash};
use crate::transparency::tile::{Content, Tiles as _, Tree, WIDTH};
use crate::transparency::{Checkpoint, Tile, VerifierKey, note};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tiles::{TileFiles, failed, make_folder, sync_folder};

/// Rows taken from the journal at a time: sixteen full tiles.
const PAGE: usize = 16 * 256;

/// The log.
pub struct FileLog {
    folder: PathBuf,
    tiles: TileFiles,
    journal: Arc<dyn Journal>,
    key: PrivateKey,
    verifier: VerifierKey,
    /// Held while a checkpoint is made: there is one after the other.
    publishing: Mutex<()>,
}

impl FileLog {
    /// The log of a journal in a folder, which is made where it is missing.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn open(folder: &Path, journal: Arc<dyn Journal>, key: PrivateKey, origin: &str) -> Result<FileLog, LogError> {
        make_folder(folder).map_err(|error| failed(folder, &error))?;
        let verifier = VerifierKey::from_spki(origin, key.spki()).map_err(LogError::Checkpoint)?;
        Ok(FileLog {
            folder: folder.to_owned(),
            tiles: TileFiles::new(folder.to_owned()),
            journal,
            key,
            verifier,
            publishing: Mutex::new(()),
        })
    }

    /// Holds what was published against the journal and the tiles, and makes the tiles again where they are not whole.
    /// To be called once, by the one service of the registry, before anything is published.
    ///
    /// # Errors
    /// [`LogError::RolledBack`], [`LogError::Altered`], [`LogError::Checkpoint`]: then nothing may be published, and no
    /// number be given out, because the registry is not the one it was.
    pub fn recover(&self) -> Result<(), LogError> {
        let _one = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = self.journal.head()?.map_or(0, |head| head.position);
        let mut published: Vec<Checkpoint> = Vec::new();
        for text in [self.read_checkpoint()?, self.published()?.map(|stored| stored.note)].into_iter().flatten() {
            published.push(Checkpoint::open(&text, &self.verifier).map_err(LogError::Checkpoint)?);
        }
        if let Some(beyond) = published.iter().find(|checkpoint| checkpoint.size > rows) {
            return Err(LogError::RolledBack { journal: rows, published: beyond.size });
        }
        let fits = |checkpoint: &Checkpoint| self.root(checkpoint.size).is_ok_and(|root| root == checkpoint.root);
        if !published.iter().all(fits) {
            let size = published.iter().map(|checkpoint| checkpoint.size).max().unwrap_or(0);
            self.extend(0, size)?;
        }
        match published.iter().find(|checkpoint| !fits(checkpoint)) {
            Some(altered) => Err(LogError::Altered { size: altered.size }),
            None => Ok(()),
        }
    }

    /// Adds the rows behind the first `size` to the tiles, up to `end`; how many the tiles have then.
    fn extend(&self, mut size: u64, end: u64) -> Result<u64, LogError> {
        while size < end {
            let limit = usize::try_from(end - size).map_or(PAGE, |left| left.min(PAGE));
            let rows = self.journal.rows_after(size, limit)?;
            let hashes: Vec<Hash> = rows
                .iter()
                .zip(size.saturating_add(1)..)
                .take_while(|(row, position)| row.position == *position)
                .map(|(row, _)| leaf_hash(row.leaf.as_bytes()))
                .collect();
            // A gap: a row was taken out.
            if hashes.is_empty() || hashes.len() != rows.len() {
                return Err(LogError::Altered { size: size.saturating_add(hashes.len() as u64) });
            }
            self.tiles.extend(size, &hashes)?;
            size += hashes.len() as u64;
        }
        Ok(size)
    }

    fn checkpoint_path(&self) -> PathBuf {
        self.folder.join("checkpoint")
    }

    fn read_checkpoint(&self) -> Result<Option<String>, LogError> {
        let path = self.checkpoint_path();
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, &error)),
        }
    }

    fn write_checkpoint(&self, note: &str) -> Result<(), LogError> {
        let path = self.checkpoint_path();
        let beside = path.with_extension("new");
        let write = || {
            let mut file = File::create(&beside)?;
            file.write_all(note.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, &path)?;
            sync_folder(&self.folder)
        };
        write().map_err(|error| failed(&path, &error))
    }

    fn sign(&self, checkpoint: &Checkpoint) -> Result<String, LogError> {
        let text = checkpoint.text();
        let signature = self.key.sign(&SignatureAlgorithm::Ed25519, text.as_bytes()).map_err(|_| LogError::Key)?;
        note::assemble(&text, &self.verifier, &signature).map_err(|_| LogError::Key)
    }
}

impl TransparencyLog for FileLog {
    fn verifier_key(&self) -> &VerifierKey {
        &self.verifier
    }

    fn published(&self) -> Result<Option<StoredCheckpoint>, LogError> {
        Ok(self.journal.last_checkpoint(self.verifier.name())?)
    }

    fn publish(&self, at: Time) -> Result<StoredCheckpoint, LogError> {
        let _one = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = self.journal.head()?.map_or(0, |head| head.position);
        let last = self.published()?;
        let before = match &last {
            Some(last) if last.size == rows => return Ok(last.clone()),
            Some(last) => Some(Checkpoint::open(&last.note, &self.verifier).map_err(LogError::Checkpoint)?),
            None => None,
        };
        let size = before.as_ref().map_or(0, |before| before.size);
        if rows < size {
            return Err(LogError::RolledBack { journal: rows, published: size });
        }
        // What is signed extends what was signed: the tiles still give the last root.
        if let Some(before) = &before
            && self.root(size)? != before.root
        {
            return Err(LogError::Altered { size });
        }
        let size = self.extend(size, rows)?;
        let checkpoint = Checkpoint { origin: self.verifier.name().to_owned(), size, root: self.root(size)? };
        let note = self.sign(&checkpoint)?;
        let stored = StoredCheckpoint { origin: checkpoint.origin, size, at, note, token: None };
        self.journal.record_checkpoint(stored.clone())?;
        self.write_checkpoint(&stored.note)?;
        Ok(stored)
    }

    fn tile(&self, tile: &Tile) -> Result<Option<Vec<u8>>, LogError> {
        let Content::Hashes { level } = tile.content else { return Ok(None) };
        let size = self.published()?.map_or(0, |published| published.size);
        if tile.width > tile.available(size) {
            return Ok(None);
        }
        self.tiles.hashes(level, tile.index, 0, tile.width).map(|hashes| Some(hashes.concat()))
    }

    fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, LogError> {
        merkle::inclusion_proof(&Tree(&self.tiles), index, size)
    }

    fn consistency_proof(&self, old: u64, new: u64) -> Result<Vec<Hash>, LogError> {
        merkle::consistency_proof(&Tree(&self.tiles), old, new)
    }

    fn root(&self, size: u64) -> Result<Hash, LogError> {
        merkle::root(&Tree(&self.tiles), size)
    }

    fn leaf_hashes(&self, from: u64, count: u64) -> Result<Vec<Hash>, LogError> {
        let mut hashes = Vec::new();
        while (hashes.len() as u64) < count {
            let at = from.saturating_add(hashes.len() as u64);
            let (tile, within) = (at / WIDTH, at % WIDTH);
            let wanted = (WIDTH - within).min(count - hashes.len() as u64);
            let octets = self.tiles.read(0, tile, within, wanted)?;
            let (found, _) = octets.as_chunks::<32>();
            hashes.extend_from_slice(found);
            if (found.len() as u64) < wanted {
                break;
            }
        }
        Ok(hashes)
    }
}
