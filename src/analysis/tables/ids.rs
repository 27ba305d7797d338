//! Ids that depend on nothing but what they stand for, so that rows of different traces join.

use crate::base::codec::digest;
use crate::base::{FuncId, StackId};
use crate::model::Dict;

/// The ids of a trace's functions and stacks.
#[derive(Default, Debug)]
pub struct Ids {
    funcs: Vec<i64>,
    stacks: Vec<i64>,
}

/// What a function's bytes are hashed with, and what a stack's.
const SEEDS: (u64, u64) = (1, 2);

impl Ids {
    /// The ids of all functions and stacks of a dictionary.
    pub fn new(dict: &Dict) -> Ids {
        let mut bytes = Vec::new();
        let mut ids = Ids::default();
        for f in dict.funcs() {
            bytes.clear();
            bytes.extend_from_slice(dict.str(f.name).as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(dict.str(f.file).as_bytes());
            ids.funcs.push(digest(&bytes, SEEDS.0) as i64);
        }
        let (.., stacks) = dict.counts();
        for stack in (0..stacks as u32).map(StackId) {
            // Callers come first, so that theirs is known.
            let Some(leaf) = dict.leaf(stack) else { break };
            let frame = dict.frame_of(leaf);
            let caller = dict.caller(stack).some().map_or(0, |c| ids.stacks[c.index()]);
            bytes.clear();
            bytes.extend_from_slice(&caller.to_le_bytes());
            bytes.extend_from_slice(&ids.funcs[frame.func.index()].to_le_bytes());
            bytes.extend_from_slice(&u64::from(frame.line).to_le_bytes());
            ids.stacks.push(digest(&bytes, SEEDS.1) as i64);
        }
        ids
    }

    /// A function's id; nothing for none.
    pub fn func(&self, f: FuncId) -> Option<i64> {
        self.funcs.get(f.0 as usize).copied()
    }

    /// A stack's id; nothing for the empty one.
    pub fn stack(&self, s: StackId) -> Option<i64> {
        self.stacks.get(s.0 as usize).copied()
    }
}
