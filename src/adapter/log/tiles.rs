//! Tiles of hashes as files that only grow: the beginning of a file is the tile of an earlier tree.
//!
//! ```text
//! log/tile/<L>/<N>      up to 256 hashes of 32 octets
//! ```
//! What stands in a file beyond the last checkpoint was never signed: after a crash the same rows write it again.
//!
//! *Invariant:* a hash that a checkpoint covers is synchronised before the checkpoint exists, and is not written again.

use crate::port::LogError;
use crate::transparency::merkle::{Hash, perfect_root};
use crate::transparency::tile::{Content, HEIGHT, Tile, Tiles, WIDTH};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Octets of a hash.
const HASH: u64 = 32;

/// The folder of the tiles.
pub(super) struct TileFiles {
    folder: PathBuf,
}

impl TileFiles {
    pub(super) fn new(folder: PathBuf) -> TileFiles {
        TileFiles { folder }
    }

    fn path(&self, level: u8, index: u64) -> PathBuf {
        self.folder.join(Tile { content: Content::Hashes { level }, index, width: WIDTH }.to_string())
    }

    /// The first octets of a tile, as many as there are up to `width` hashes.
    pub(super) fn read(&self, level: u8, index: u64, from: u64, width: u64) -> Result<Vec<u8>, LogError> {
        let path = self.path(level, index);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&path, &error)),
        };
        let mut octets = vec![0; usize::try_from(width.min(WIDTH) * HASH).unwrap_or(0)];
        let mut have = 0;
        while let Some(rest) = octets.get_mut(have..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, from * HASH + have as u64) {
                Ok(0) => break,
                Ok(read) => have += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(&path, &error)),
            }
        }
        octets.truncate(have);
        Ok(octets)
    }

    /// Adds leaf hashes behind the first `size`, and the hashes of every tile that becomes full. On disk when it answers.
    pub(super) fn extend(&self, size: u64, leaves: &[Hash]) -> Result<(), LogError> {
        let (mut start, mut level, mut hashes) = (size, 0_u8, leaves.to_vec());
        while !hashes.is_empty() {
            let mut full = Vec::new();
            let mut rest = hashes.as_slice();
            let mut at = start;
            while !rest.is_empty() {
                let (tile, from) = (at / WIDTH, at % WIDTH);
                let room = usize::try_from(WIDTH - from).unwrap_or(rest.len());
                let (now, later) = rest.split_at(room.min(rest.len()));
                self.write(level, tile, from, now)?;
                at += now.len() as u64;
                rest = later;
                if at.is_multiple_of(WIDTH) {
                    let whole = self.hashes(level, tile, 0, WIDTH)?;
                    full.push(perfect_root(&whole).ok_or_else(|| self.damaged(level, tile))?);
                }
            }
            start >>= HEIGHT;
            level = level.saturating_add(1);
            hashes = full;
        }
        Ok(())
    }

    fn write(&self, level: u8, index: u64, from: u64, hashes: &[Hash]) -> Result<(), LogError> {
        let path = self.path(level, index);
        let write = || {
            let new = !path.exists();
            if new && let Some(folder) = path.parent() {
                make_folder(folder)?;
            }
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
            file.write_all_at(&hashes.concat(), from * HASH)?;
            file.sync_data()?;
            match path.parent() {
                Some(folder) if new => sync_folder(folder),
                _ => Ok(()),
            }
        };
        write().map_err(|error| failed(&path, &error))
    }
}

impl Tiles for TileFiles {
    type Error = LogError;

    fn hashes(&self, level: u8, index: u64, from: u64, count: u64) -> Result<Vec<Hash>, LogError> {
        let octets = self.read(level, index, from, count)?;
        let (hashes, rest) = octets.as_chunks::<32>();
        match rest.is_empty() && hashes.len() as u64 == count {
            true => Ok(hashes.to_vec()),
            false => Err(self.damaged(level, index)),
        }
    }

    fn damaged(&self, level: u8, index: u64) -> LogError {
        LogError::Tile { tile: Tile { content: Content::Hashes { level }, index, width: WIDTH }.to_string() }
    }
}

/// Makes a folder so that it is still there after a power cut.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folder(parent)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(parent.unwrap_or(Path::new("."))),
    }
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

pub(super) fn failed(path: &Path, error: &io::Error) -> LogError {
    LogError::File { path: path.display().to_string(), cause: error.to_string() }
}
