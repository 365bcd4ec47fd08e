//! A file mapped for reading, shared by every thread and process that maps it.
//!
//! The mapping is `vm-memory`'s: its accessors are volatile, so that another process that writes to the file changes
//! answers but never the meaning of this program. A file that is made shorter while it is mapped ends the process
//! (SIGBUS); index files are therefore written under another name, made read-only, and only ever replaced by rename.
//!
//! *Invariant:* no reference into the mapping leaves this file; what leaves it is a copy.

use std::fs::File;
use std::io;
use vm_memory::mmap::MmapRegionBuilder;
use vm_memory::{Bytes as _, FileOffset, MmapRegion, VolatileMemory as _};

/// A mapped file.
#[derive(Debug)]
pub(super) struct Map(MmapRegion);

impl Map {
    /// Maps a whole file.
    pub(super) fn open(file: File) -> io::Result<Map> {
        let size = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let region = MmapRegionBuilder::new(size)
            .with_file_offset(FileOffset::new(file, 0))
            .with_mmap_prot(libc::PROT_READ)
            .with_mmap_flags(libc::MAP_SHARED)
            .build()
            .map_err(io::Error::other)?;
        Ok(Map(region))
    }

    /// Octets in the file.
    pub(super) fn len(&self) -> usize {
        self.0.size()
    }

    /// Copies from `offset`; `None` where the file ends before `to` is full.
    pub(super) fn read(&self, offset: usize, to: &mut [u8]) -> Option<()> {
        self.0.get_slice(offset, to.len()).ok()?.read_slice(to, 0).ok()
    }

    /// Copies `N` octets from `offset`.
    pub(super) fn array<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        let mut octets = [0; N];
        self.read(offset, &mut octets)?;
        Some(octets)
    }
}
