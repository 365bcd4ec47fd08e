//! A transparency log: an append-only list whose past nobody can rewrite unseen.
//!
//! Entries are leaves of the Merkle tree of RFC 6962 §2.1. What a reader downloads are [`tile`]s of that tree (C2SP
//! `tlog-tiles`), and a [`checkpoint`]: size and root, signed (C2SP `tlog-checkpoint` in a C2SP `signed-note`). An
//! inclusion proof binds one entry to a checkpoint, a consistency proof an older checkpoint to a newer one.
//!
//! *Invariant:* everything here is computed from hashes that the caller brings; nothing is read, written or signed.

pub mod checkpoint;
pub mod merkle;
pub mod note;
pub mod tile;

pub use checkpoint::Checkpoint;
pub use merkle::Hash;
pub use note::{NoteError, VerifierKey};
pub use tile::Tile;
