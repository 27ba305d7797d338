//! What goroutines do that start in one function which only calls what it is given: `func1` of an own `run(f)`, of
//! `sync.WaitGroup.Go` or of `errgroup`. Their start function tells nothing, what that calls does.
//!
//! A line that calls several functions most likely calls a variable. Where the root frame of a group's stacks is one of a
//! function without a name and does so, the function that it calls is a goroutine's role; all others have that of their
//! start function.

use crate::base::{FrameId, FuncId, GroupId, StackId};
use crate::model::Index;
use crate::model::dict::Dict;
use crate::model::places::{PlaceId, Places};
use rustc_hash::{FxHashMap, FxHashSet};

/// Goroutines of one group that do the same: a function that their start function calls; `NONE` where it calls no
/// variable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Role {
    /// The group.
    pub group: GroupId,
    /// What the start function calls.
    pub func: FuncId,
}

impl Role {
    /// What it is called, not escaped.
    pub fn name(self, index: &Index) -> &str {
        if self.func.is_some() { index.dict.func_name(self.func) } else { index.group_name(self.group) }
    }
}

/// The roles at the lines of a trace.
pub struct Roles {
    /// By start function and line; nothing for a line that several roles pass.
    at: FxHashMap<(FuncId, PlaceId), Option<FuncId>>,
}

/// The root frame of a stack, and the function that it calls.
fn root(dict: &Dict, stack: StackId) -> Option<(FrameId, FuncId)> {
    let mut called = FuncId::NONE;
    let mut frames = dict.stack_ids(stack).peekable();
    while let Some(frame) = frames.next() {
        if frames.peek().is_none() {
            return Some((frame, called));
        }
        called = dict.frame_of(frame).func;
    }
    None
}

/// Whether a function has no name in the source: the compiler calls it `func1` of the one around it.
fn is_closure(func: &str) -> bool {
    let number = func.rsplit_once(".func").map_or("", |(_, n)| n);
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

impl Roles {
    /// Looks at all stacks of a trace.
    pub fn new(index: &Index, places: &Places) -> Roles {
        let dict = &index.dict;
        let mut calls: FxHashMap<(FuncId, u32), FxHashSet<FuncId>> = FxHashMap::default();
        let stacks = || (0..dict.counts().3 as u32).map(StackId).filter_map(|s| Some((s, root(dict, s)?)));
        for (_, (frame, called)) in stacks().filter(|s| s.1.1.is_some()) {
            let f = dict.frame_of(frame);
            calls.entry((f.func, f.line)).or_default().insert(called);
        }
        let mut at: FxHashMap<(FuncId, PlaceId), Option<FuncId>> = FxHashMap::default();
        for (stack, (frame, called)) in stacks() {
            let f = dict.frame_of(frame);
            let runs = is_closure(dict.func_name(f.func)) && calls.get(&(f.func, f.line)).is_some_and(|c| c.len() > 1);
            let role = if runs { called } else { FuncId::NONE };
            let one = at.entry((f.func, places.user(stack))).or_insert(Some(role));
            if *one != Some(role) {
                *one = None;
            }
        }
        Roles { at }
    }

    /// The role of goroutines of a group that waited, or ended waits, at a line.
    pub fn of(&self, index: &Index, group: GroupId, at: PlaceId) -> Role {
        let member = index.groups.get(group.index()).and_then(|g| index.goroutine(*g.members.first()?));
        let func = member.and_then(|g| self.at.get(&(g.entry, at)).copied().flatten());
        Role { group, func: func.unwrap_or(FuncId::NONE) }
    }
}
