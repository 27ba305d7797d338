//! The memory map, one of the two places in the program that may use `unsafe`.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;

/// Maps a regular file for reading.
pub(super) fn map(file: &File) -> io::Result<memmap2::Mmap> {
    // SAFETY: the map is never handed out as anything but `&[u8]`, which may hold any bytes. What the type system cannot
    // promise is that nobody else changes the file meanwhile. If another process *writes* to it, the bytes read are old
    // or new ones, and decoders trust neither. If another process *truncates* it, touching a page beyond the new end
    // raises SIGBUS, which ends the program. That is rare and cannot be ruled out: no lock binds a stranger. It is kept
    // unlikely by reading small files into memory (`super::SMALL`); a trace that is still being written only grows, and
    // the map's length is that of the moment it was opened.
    unsafe { memmap2::Mmap::map(file) }
}
