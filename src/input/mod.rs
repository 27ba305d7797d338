//! Opens files: maps or reads them, unpacks gzip and zstd, and recognises by content what they are.

use std::ops::Deref;
use std::sync::Arc;

/// The bytes of an input, mapped or in memory. Cheap to clone.
#[derive(Clone)]
pub enum Bytes {
    /// In memory.
    Memory(Arc<[u8]>),
    /// Part of the program.
    Static(&'static [u8]),
    /// A mapped file.
    Mapped(Arc<memmap2::Mmap>),
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Memory(b) => b,
            Bytes::Static(b) => b,
            Bytes::Mapped(m) => m,
        }
    }
}
