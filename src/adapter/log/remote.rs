//! Somebody's log, read over HTTP: what an outsider needs to hold two checkpoints against each other, or to look at
//! every entry.
//!
//! *Invariant:* nothing that was fetched counts before it leads to a root that the log's key signed.

use crate::transparency::merkle::{self, Hash, leaf_hash, node_hash};
use crate::transparency::tile::{self, Content, Tiles, Tree, WIDTH};
use crate::transparency::{Checkpoint, NoteError, Tile, VerifierKey};
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// For one tile, which has at most 16 MiB and usually 80 KiB.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer taken: 256 entries of the longest kind.
const MAX_OCTETS: usize = 256 * (2 + tile::MAX_ENTRY_OCTETS);

/// Why a log cannot be checked, or does not hold.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// No client can be had.
    #[error("no HTTP client: {0}")]
    Client(String),
    /// An answer is missing.
    #[error("{url}: {cause}")]
    Fetch {
        /// What was asked for.
        url: String,
        /// What became of it.
        cause: String,
    },
    /// A checkpoint is not the log's.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] NoteError),
    /// A tile is not as long as it must be.
    #[error("{0} is damaged")]
    Tile(String),
    /// The log does not begin with what was known of it: it was rewritten.
    #[error("THE LOG WAS REWRITTEN: the checkpoint over {new} does not begin with the one over {old}")]
    Inconsistent {
        /// The older size.
        old: u64,
        /// The newer size.
        new: u64,
    },
    /// The entries do not lead to the signed root.
    #[error("THE ENTRIES ARE NOT THE ONES THAT WERE SIGNED: another root over {size}")]
    Root {
        /// How many entries.
        size: u64,
    },
}

/// A log at a URL.
pub struct RemoteLog {
    runtime: Runtime,
    client: reqwest::Client,
    base: String,
    key: VerifierKey,
}

impl RemoteLog {
    /// The log below a URL (`https://licences.example/log`).
    ///
    /// # Errors
    /// [`RemoteError::Client`].
    pub fn new(base: &str, key: VerifierKey) -> Result<RemoteLog, RemoteError> {
        let client = |error: reqwest::Error| RemoteError::Client(error.to_string());
        let io = |error: io::Error| RemoteError::Client(error.to_string());
        Ok(RemoteLog {
            runtime: Builder::new_current_thread().enable_all().build().map_err(io)?,
            client: reqwest::Client::builder().timeout(TIMEOUT).build().map_err(client)?,
            base: base.trim_end_matches('/').to_owned(),
            key,
        })
    }

    /// The log's checkpoint of now, as signed.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn checkpoint(&self) -> Result<(Checkpoint, String), RemoteError> {
        let octets = self.fetch("checkpoint")?;
        let note = String::from_utf8(octets).map_err(|_| NoteError::Malformed)?;
        Ok((Checkpoint::open(&note, &self.key)?, note))
    }

    /// Whether the log at `new` begins with what it was at `old`, by a consistency proof out of its tiles.
    ///
    /// # Errors
    /// [`RemoteError::Inconsistent`], or what stood in the way of finding out.
    pub fn check_consistency(&self, old: &Checkpoint, new: &Checkpoint) -> Result<(), RemoteError> {
        let inconsistent = RemoteError::Inconsistent { old: old.size, new: new.size };
        if old.size > new.size {
            return Err(inconsistent);
        }
        let tiles = Fetched { log: self, size: new.size, tiles: RefCell::default() };
        let proof = merkle::consistency_proof(&Tree(&tiles), old.size, new.size)?;
        match merkle::verify_consistency(old.size, &old.root, new.size, &new.root, &proof) {
            true => Ok(()),
            false => Err(inconsistent),
        }
    }

    /// Fetches every entry of a checkpoint and computes the root anew.
    ///
    /// # Errors
    /// [`RemoteError::Root`], or what stood in the way of finding out.
    pub fn check_entries(&self, checkpoint: &Checkpoint, progress: &mut dyn FnMut(u64)) -> Result<(), RemoteError> {
        let mut peaks: Vec<(u32, Hash)> = Vec::new();
        let mut size = 0_u64;
        while size < checkpoint.size {
            let width = (checkpoint.size - size).min(WIDTH);
            let tile = Tile { content: Content::Entries, index: size / WIDTH, width };
            let octets = self.fetch(&tile.to_string())?;
            let entries = tile::entries(&octets).filter(|entries| entries.len() as u64 == width);
            for entry in entries.ok_or_else(|| RemoteError::Tile(tile.to_string()))? {
                push(&mut peaks, leaf_hash(entry));
            }
            size += width;
            progress(size);
        }
        let root = peaks.into_iter().map(|(_, hash)| hash).rev().reduce(|right, left| node_hash(&left, &right));
        match root.unwrap_or_else(merkle::empty_root) == checkpoint.root {
            true => Ok(()),
            false => Err(RemoteError::Root { size }),
        }
    }

    fn fetch(&self, path: &str) -> Result<Vec<u8>, RemoteError> {
        let url = format!("{}/{path}", self.base);
        let fetch = async {
            let mut response = self.client.get(&url).send().await?.error_for_status()?;
            let mut octets = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                octets.extend_from_slice(&chunk);
                if octets.len() > MAX_OCTETS {
                    return Ok(None);
                }
            }
            Ok::<_, reqwest::Error>(Some(octets))
        };
        let failed = |cause: String| RemoteError::Fetch { url: url.clone(), cause };
        match self.runtime.block_on(fetch) {
            Ok(Some(octets)) => Ok(octets),
            Ok(None) => Err(failed("the answer is too long".to_owned())),
            Err(error) => Err(failed(error.without_url().to_string())),
        }
    }
}

/// Adds a leaf to the roots of the perfect subtrees so far.
fn push(peaks: &mut Vec<(u32, Hash)>, leaf: Hash) {
    let mut node = (0, leaf);
    while let Some((height, left)) = peaks.pop_if(|(height, _)| *height == node.0) {
        node = (height + 1, node_hash(&left, &node.1));
    }
    peaks.push(node);
}

/// Tiles of a tree of a certain size, each fetched once.
struct Fetched<'a> {
    log: &'a RemoteLog,
    size: u64,
    tiles: RefCell<HashMap<Tile, Vec<Hash>>>,
}

impl Tiles for Fetched<'_> {
    type Error = RemoteError;

    fn hashes(&self, level: u8, index: u64, from: u64, count: u64) -> Result<Vec<Hash>, RemoteError> {
        let mut tile = Tile { content: Content::Hashes { level }, index, width: WIDTH };
        tile.width = tile.available(self.size);
        let mut tiles = self.tiles.borrow_mut();
        let known = match tiles.entry(tile) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let octets = self.log.fetch(&tile.to_string())?;
                let (hashes, rest) = octets.as_chunks::<32>();
                if !rest.is_empty() || hashes.len() as u64 != tile.width {
                    return Err(self.damaged(level, index));
                }
                new.insert(hashes.to_vec())
            }
        };
        let end = from.saturating_add(count);
        let range = usize::try_from(from).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX);
        known.get(range).map(<[Hash]>::to_vec).ok_or_else(|| self.damaged(level, index))
    }

    fn damaged(&self, level: u8, index: u64) -> RemoteError {
        RemoteError::Tile(Tile { content: Content::Hashes { level }, index, width: WIDTH }.to_string())
    }
}
