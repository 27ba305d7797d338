//! The tables that a decoder fills beside its events: what the positions in `Events` point at.

use crate::base::{GoId, ProcId, ThreadId};

/// Byte strings by position, in one allocation.
#[derive(Default, Clone, Debug)]
pub struct Strings {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Strings {
    /// Appends a string and returns its position. Of what would make the table larger than 4 GB nothing is kept but
    /// the position.
    pub fn push(&mut self, s: &[u8]) -> u32 {
        let s = if self.bytes.len() + s.len() > u32::MAX as usize { &[] } else { s };
        self.bytes.extend_from_slice(s);
        self.ends.push(self.bytes.len() as u32);
        (self.ends.len() - 1) as u32
    }

    /// The string at a position; empty if there is none.
    pub fn get(&self, i: u32) -> &[u8] {
        let i = i as usize;
        match self.ends.get(i) {
            Some(&end) => {
                let start = if i == 0 { 0 } else { self.ends[i - 1] };
                &self.bytes[start as usize..end as usize]
            }
            None => &[],
        }
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// A frame as the file has it; function and file are positions in [`Tables::strings`] (`event::NONE` if missing).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct WireFrame {
    /// Address of the call.
    pub pc: u64,
    /// Function name.
    pub func: u32,
    /// Source file.
    pub file: u32,
    /// Line.
    pub line: u32,
}

/// Stacks by position, leaf first, in one allocation.
#[derive(Default, Clone, Debug)]
pub struct Stacks {
    frames: Vec<WireFrame>,
    ends: Vec<u32>,
}

impl Stacks {
    /// Appends a stack (leaf first) and returns its position.
    pub fn push(&mut self, frames: impl IntoIterator<Item = WireFrame>) -> u32 {
        self.frames.extend(frames);
        self.ends.push(self.frames.len() as u32);
        (self.ends.len() - 1) as u32
    }

    /// The frames of the stack at a position; empty if there is none.
    pub fn get(&self, i: u32) -> &[WireFrame] {
        let i = i as usize;
        match self.ends.get(i) {
            Some(&end) => {
                let start = if i == 0 { 0 } else { self.ends[i - 1] };
                &self.frames[start as usize..end as usize]
            }
            None => &[],
        }
    }

    /// How many stacks there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Everything that the positions in a decoder's `Events` point at. `gos`, `procs` and `threads` grow while events are
/// decoded; strings and stacks are there before.
#[derive(Default, Clone, Debug)]
pub struct Tables {
    /// Strings: reasons, labels, names, messages.
    pub strings: Strings,
    /// Stacks.
    pub stacks: Stacks,
    /// Goroutines by position.
    pub gos: Vec<GoId>,
    /// Ps by position.
    pub procs: Vec<ProcId>,
    /// Threads by position.
    pub threads: Vec<ThreadId>,
}
