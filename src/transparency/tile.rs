//! Tiles: 256 neighbouring hashes of one level of the tree, as C2SP `tlog-tiles` cuts it.
//!
//! ```text
//! tile/<L>/<N>[.p/<W>]         hashes of the tree at height 8·L, from 256·N on; W of them where the tile is not full
//! tile/entries/<N>[.p/<W>]     the entries themselves, each behind its length in two octets
//! ```
//! `<N>` is written in groups of three digits, all but the last behind an `x`: 1234067 is `x001/x234/067`.
//!
//! A tile only ever grows: what a smaller tree has of it is the beginning of what a larger one has.

use super::merkle::{Hash, Nodes, perfect_root};
use std::fmt;

/// Hashes in a full tile.
pub const WIDTH: u64 = 256;
/// Levels of the tree in one tile: 256 is 2^8.
pub const HEIGHT: u32 = 8;
/// The highest level of tiles there can be: a tree has at most 2^63 entries.
pub const MAX_LEVEL: u8 = 7;
/// The longest entry a bundle can hold: its length has two octets.
pub const MAX_ENTRY_OCTETS: usize = 0xffff;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// Hashes of the tree at height 8 times this level.
    Hashes {
        /// The level.
        level: u8,
    },
    /// Entries.
    Entries,
}

/// One tile, or the beginning of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    /// What it holds.
    pub content: Content,
    /// Its position in its level.
    pub index: u64,
    /// How many hashes or entries of it: 1 to 256.
    pub width: u64,
}

impl Tile {
    /// The tile that a path names, below `tile/`; `None` where it names none.
    pub fn from_path(path: &str) -> Option<Tile> {
        let (head, rest) = path.split_once('/')?;
        let content = match head {
            "entries" => Content::Entries,
            level => Content::Hashes { level: number(level, 2).and_then(|level| u8::try_from(level).ok())? },
        };
        if matches!(content, Content::Hashes { level } if level > MAX_LEVEL || head != level.to_string()) {
            return None;
        }
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, WIDTH),
            Some((index, width)) => {
                let parsed = number(width, 3)?;
                let proper = (1..WIDTH).contains(&parsed) && parsed.to_string() == width;
                (index, if proper { parsed } else { return None })
            }
        };
        let index = index_from_path(index)?;
        let tile = Tile { content, index, width };
        // Only the one way of writing a tile's name is taken.
        (tile.to_string() == format!("tile/{path}")).then_some(tile)
    }

    /// The level of the tree's entries that the tile spans, or 0 for the entries themselves.
    pub fn level(&self) -> u8 {
        match self.content {
            Content::Hashes { level } => level,
            Content::Entries => 0,
        }
    }

    /// How much of the tile a tree of `size` entries has.
    pub fn available(&self, size: u64) -> u64 {
        let hashes = size.checked_shr(u32::from(self.level()).saturating_mul(HEIGHT)).unwrap_or(0);
        hashes.saturating_sub(self.index.saturating_mul(WIDTH)).min(WIDTH)
    }
}

impl fmt::Display for Tile {
    /// `tile/0/x001/234.p/7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes { level } => write!(f, "tile/{level}/{}", index_path(self.index))?,
            Content::Entries => write!(f, "tile/entries/{}", index_path(self.index))?,
        }
        if self.width < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// `x001/x234/067`.
pub fn index_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

fn index_from_path(path: &str) -> Option<u64> {
    let mut groups = path.split('/').rev();
    let last = groups.next().filter(|group| group.len() == 3).and_then(|group| number(group, 3))?;
    let mut index = last;
    let mut scale = 1_u64;
    for group in groups {
        let group = group.strip_prefix('x').filter(|group| group.len() == 3).and_then(|group| number(group, 3))?;
        scale = scale.checked_mul(1000)?;
        index = index.checked_add(group.checked_mul(scale)?)?;
    }
    Some(index)
}

/// A number of at most `digits` digits and nothing else.
fn number(text: &str, digits: usize) -> Option<u64> {
    let proper = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if proper { text.parse().ok() } else { None }
}

/// Entries as a bundle: each behind its length. `None` where one is too long.
pub fn bundle<'a>(entries: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    for entry in entries {
        octets.extend_from_slice(&u16::try_from(entry.len()).ok()?.to_be_bytes());
        octets.extend_from_slice(entry);
    }
    Some(octets)
}

/// The entries of a bundle; `None` where it is cut short.
pub fn entries(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bundle.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bundle = rest;
    }
    bundle.is_empty().then_some(entries)
}

/// Gives the hashes of tiles.
pub trait Tiles {
    /// Why a tile cannot be given.
    type Error;

    /// Hashes `from..from + count` of a tile, which the tree has.
    ///
    /// # Errors
    /// They cannot be read.
    fn hashes(&self, level: u8, index: u64, from: u64, count: u64) -> Result<Vec<Hash>, Self::Error>;

    /// What a tile is that does not have the hashes it should have.
    fn damaged(&self, level: u8, index: u64) -> Self::Error;
}

/// The tree behind tiles.
pub struct Tree<'a, T>(pub &'a T);

impl<T: Tiles> Nodes for Tree<'_, T> {
    type Error = T::Error;

    fn node(&self, height: u32, index: u64) -> Result<Hash, T::Error> {
        let level = u8::try_from(height / HEIGHT).unwrap_or(u8::MAX);
        let within = height % HEIGHT;
        // The first hash at height 8·level that the node covers, and how many there are.
        let first = index << within;
        let tile = first / WIDTH;
        let hashes = self.0.hashes(level, tile, first % WIDTH, 1 << within)?;
        match perfect_root(&hashes) {
            Some(root) if hashes.len() == 1 << within => Ok(root),
            _ => Err(self.0.damaged(level, tile)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_tiles() {
        for (path, tile) in [
            ("0/000", Some((Content::Hashes { level: 0 }, 0, 256))),
            ("1/x001/234", Some((Content::Hashes { level: 1 }, 1234, 256))),
            ("entries/x001/x234/067.p/7", Some((Content::Entries, 1_234_067, 7))),
            ("0/0", None),
            ("0/x000/001", None),
            ("00/000", None),
            ("8/000", None),
            ("0/000.p/0", None),
            ("0/000.p/256", None),
            ("0/000.p/07", None),
            ("0/../../key", None),
            ("0/x001/x/067", None),
            ("0/000/", None),
            ("", None),
            ("0/+01", None),
            ("0/x999/x999/x999/x999/x999/x999/x999/999", None),
        ] {
            let found = Tile::from_path(path).map(|tile| (tile.content, tile.index, tile.width));
            assert_eq!(found, tile, "{path}");
        }
    }

    #[test]
    fn a_tree_has_the_beginnings_of_its_last_tiles() {
        let tile = |level, index| Tile { content: Content::Hashes { level }, index, width: WIDTH };
        assert_eq!(tile(0, 0).available(70_000), 256);
        assert_eq!(tile(0, 273).available(70_000), 112);
        assert_eq!(tile(0, 274).available(70_000), 0);
        assert_eq!(tile(1, 1).available(70_000), 17);
        assert_eq!(tile(2, 0).available(70_000), 1);
        assert_eq!(tile(7, 0).available(u64::MAX), 255);
    }

    proptest! {
        #[test]
        fn a_name_is_read_as_it_was_written(level in 0..=MAX_LEVEL, index in any::<u64>(), width in 1..=WIDTH) {
            for content in [Content::Hashes { level }, Content::Entries] {
                let tile = Tile { content, index, width };
                let written = tile.to_string();
                prop_assert_eq!(Tile::from_path(written.strip_prefix("tile/").unwrap()), Some(tile));
            }
        }

        #[test]
        fn a_bundle_gives_its_entries_back(given in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..20)) {
            let octets = bundle(given.iter().map(Vec::as_slice)).unwrap();
            prop_assert_eq!(entries(&octets).unwrap(), given.iter().map(Vec::as_slice).collect::<Vec<_>>());
            if !octets.is_empty() {
                let cut = entries(&octets[..octets.len() - 1]);
                prop_assert!(cut.is_none_or(|cut| cut.len() < given.len()));
            }
        }
    }
}
