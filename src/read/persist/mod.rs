//! Indexes kept from one run to the next, so that a trace that was read once opens at once.
//!
//! One file a trace, in a folder of the user's, named after what identifies the trace: a digest of its length, of all
//! batch headers, and of blocks spread evenly over it. Two recordings cannot agree in
//! that: every batch begins with the instant at which a thread began to write it. (What it does not notice is a file
//! edited by hand, in place, in the middle of a batch.) A file's name and time play no part, so a copy is known again.
//!
//! A file is written under a name of its own and then renamed, so that another gotrail, or the next one, sees all of it
//! or nothing. It begins with a digest of the rest, and with a tag that changes with the program's version: whatever is
//! damaged, cut off, foreign or of another version is passed over and the index is built anew.
//!
//! Traces of the old format are not kept: a checkpoint in them is all of a decoder, and such files are rarely large.

mod folder;
mod layout;
#[cfg(test)]
mod tests;

pub(in crate::read) use folder::create_dir;
pub use folder::{Entry, Folder, LIMIT};

use super::plan::Plan;
use crate::base::codec::{Encode, Plain, Reader, digest};
use crate::input::Bytes;
use crate::model::Index;
use crate::wire::v2::batch::Scan;
use std::sync::Arc;

/// Traces smaller than this, in bytes, are read in less time than anybody notices.
pub const SMALLEST: u64 = 8 << 20;

/// To be raised with every change in what is written or in what it means.
const LAYOUT: u64 = 6;
/// How every file begins.
const MAGIC: [u8; 8] = *b"gotrail\n";
/// Bytes before what is digested: the magic, the tag, the digest and the length of the rest.
const HEADER: usize = 32;

/// What tells one trace from another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key(pub(crate) [u64; 2]);

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}{:016x}", self.0[0], self.0[1])
    }
}

/// Bytes at both ends of a trace that are part of its identity.
const ENDS: usize = 64 << 10;
/// How many blocks in between are, and their bytes.
const BLOCKS: usize = 128;
const BLOCK: usize = 256;

impl Key {
    /// The identity of a trace.
    pub(crate) fn of(data: &Bytes, scans: &[&Scan]) -> Key {
        let mut all = Vec::new();
        (data.len() as u64).put(&mut all);
        let mut add = |from: usize, len: usize| {
            all.extend_from_slice(&data.get(from..from.saturating_add(len)));
        };
        add(0, ENDS);
        add(data.len().saturating_sub(ENDS), ENDS);
        for i in 0..BLOCKS {
            add((data.len() as u128 * i as u128 / BLOCKS as u128) as usize, BLOCK);
        }
        for b in scans.iter().flat_map(|s| &s.generations).flat_map(|g| &g.batches) {
            (b.offset as u64, b.len, b.thread, b.ts).put(&mut all);
        }
        Key([digest(&all, 1), digest(&all, 2)])
    }
}

/// Changes with the program's version and, most likely, with any change of the layout.
fn tag() -> u64 {
    let mut all = Vec::new();
    LAYOUT.put(&mut all);
    env!("CARGO_PKG_VERSION").to_owned().encode(&mut all);
    layout::SIZES.iter().for_each(|&s| (s as u64).put(&mut all));
    digest(&all, 3)
}

/// What a file says before the index: for `gotrail cache`, and against files under a wrong name.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct About {
    pub key: [u64; 2],
    /// As the user named the trace. Not escaped.
    pub trace: String,
    pub bytes: u64,
    pub events: u64,
}

crate::encode!(About { key, trace, bytes, events });

/// Everything that a file holds.
pub(crate) struct Kept {
    pub index: Index,
    pub plans: Vec<Arc<Plan>>,
}

/// Reads the bytes of a file, written for the trace of this key and number of units.
pub(crate) fn decode(bytes: &[u8], key: Key, units: usize) -> Option<Kept> {
    let body = body(bytes)?;
    let mut r = Reader::new(body);
    if About::decode(&mut r)?.key != key.0 {
        return None;
    }
    let index = Index::decode(&mut r)?;
    let plans = layout::decode_plans(&mut r, units, &index.segments)?;
    r.at_end().then_some(Kept { index, plans })
}

/// What follows the header, if it is what the header says.
fn body(bytes: &[u8]) -> Option<&[u8]> {
    let mut r = Reader::new(bytes);
    let (magic, was_tag, sum, len): ([u8; 8], u64, u64, u64) = Encode::decode(&mut r)?;
    let body = bytes.get(HEADER..)?;
    (magic == MAGIC && was_tag == tag() && len == body.len() as u64 && sum == digest(body, 0)).then_some(body)
}

/// The bytes of a file; nothing for a trace that is not kept.
pub(crate) fn encode(about: &About, index: &Index, plans: &[Arc<Plan>]) -> Option<Vec<u8>> {
    let mut out = vec![0; HEADER];
    about.encode(&mut out);
    index.encode(&mut out);
    if !layout::encode_plans(plans, &mut out) {
        return None;
    }
    let mut header = Vec::with_capacity(HEADER);
    let body = &out[HEADER..];
    (MAGIC, tag(), digest(body, 0), body.len() as u64).encode(&mut header);
    out[..HEADER].copy_from_slice(&header);
    Some(out)
}

/// Where a trace's index is kept between runs.
#[derive(Clone, Debug)]
pub struct Keep {
    /// The folder; none to keep nothing.
    pub folder: Option<Folder>,
    /// Traces of fewer bytes are not kept.
    pub smallest: u64,
}

impl Default for Keep {
    fn default() -> Keep {
        Keep { folder: None, smallest: SMALLEST }
    }
}
