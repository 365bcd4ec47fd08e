//! The transparency log over the journal: what is published, and what proves it.

use super::{RegistryError, StoredCheckpoint};
use crate::report::Time;
use crate::transparency::{Hash, NoteError, Tile, VerifierKey};

/// Why the log does not answer, or publishes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] RegistryError),
    /// A file of the log cannot be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        cause: String,
    },
    /// A tile does not have the hashes it should have.
    #[error("{tile} is damaged")]
    Tile {
        /// Its path.
        tile: String,
    },
    /// A checkpoint that was published is not one of this log's key.
    #[error(
        "a published checkpoint is not of this key: {0}; a new log begins in an empty folder, under another origin"
    )]
    Checkpoint(NoteError),
    /// The journal is shorter than what was published from it: an older copy of the registry was put in its place.
    #[error(
        "the journal has {journal} rows, and a checkpoint over {published} was published: an older registry was put in place"
    )]
    RolledBack {
        /// Rows that there are.
        journal: u64,
        /// Rows that were published.
        published: u64,
    },
    /// The journal does not lead to the root that was published.
    #[error("the journal's first {size} rows are not those that were published: `tamga audit --log` names the row")]
    Altered {
        /// Rows that the checkpoint covers.
        size: u64,
    },
    /// The key did not sign.
    #[error("the log's key did not sign")]
    Key,
}

/// Publishes the journal.
pub trait TransparencyLog: Send + Sync {
    /// The key of the checkpoints.
    fn verifier_key(&self) -> &VerifierKey;

    /// The last checkpoint that was published.
    ///
    /// # Errors
    /// [`LogError`].
    fn published(&self) -> Result<Option<StoredCheckpoint>, LogError>;

    /// A checkpoint over every row that the journal has now; the last one where nothing has been added.
    ///
    /// # Errors
    /// [`LogError`]; then nothing was signed, or what was signed is of no one's knowledge and the next checkpoint extends it.
    fn publish(&self, at: Time) -> Result<StoredCheckpoint, LogError>;

    /// The octets of a tile of hashes, which the published tree has; `None` where it does not.
    ///
    /// # Errors
    /// [`LogError`].
    fn tile(&self, tile: &Tile) -> Result<Option<Vec<u8>>, LogError>;

    /// RFC 6962 §2.1.1: proves the entry `index`, from 0, under the root of `size` entries.
    ///
    /// # Errors
    /// [`LogError`].
    fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, LogError>;

    /// RFC 6962 §2.1.2: proves that the tree of `new` entries begins with that of `old` entries.
    ///
    /// # Errors
    /// [`LogError`].
    fn consistency_proof(&self, old: u64, new: u64) -> Result<Vec<Hash>, LogError>;

    /// The root that the tiles give for the first `size` entries.
    ///
    /// # Errors
    /// [`LogError`].
    fn root(&self, size: u64) -> Result<Hash, LogError>;

    /// Leaf hashes `from..from + count` as the tiles have them; fewer where the tiles end.
    ///
    /// # Errors
    /// [`LogError`].
    fn leaf_hashes(&self, from: u64, count: u64) -> Result<Vec<Hash>, LogError>;
}
