//! Lines of user code, one for each stack.

use super::dict::{shown_func, shown_line};
use super::{Dict, Frame, Index};
use crate::base::{FrameId, FuncId, StackId};
use rustc_hash::FxHashMap;

/// A line of a function: a row of [`Places`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PlaceId(pub u32);

impl PlaceId {
    /// No line is known.
    pub const NONE: PlaceId = PlaceId(u32::MAX);
}

/// The lines of each stack that matter to a user, found once for all stacks.
#[derive(Default)]
pub struct Places {
    lines: Vec<(FuncId, u32)>,
    /// Of each stack, its user's frame.
    user: Vec<PlaceId>,
    /// Of each stack, its frame nearest to the leaf outside the runtime.
    near: Vec<PlaceId>,
}

impl Places {
    /// Finds the places of all stacks of a trace.
    pub fn new(dict: &Dict) -> Places {
        let mut ids: FxHashMap<(FuncId, u32), u32> = FxHashMap::default();
        let mut p = Places::default();
        let mut place = |f: &Frame| {
            let next = p.lines.len() as u32;
            let id = *ids.entry((f.func, f.line)).or_insert(next);
            if id == next {
                p.lines.push((f.func, f.line));
            }
            PlaceId(id)
        };
        let frames: Vec<PlaceId> = dict.frames().iter().map(&mut place).collect();
        let of = |f: Option<FrameId>| f.map_or(PlaceId::NONE, |f| frames[f.index()]);
        let stacks = dict.counts().3 as u32;
        p.user = (0..stacks).map(|s| of(dict.user_frame(StackId(s)))).collect();
        p.near = (0..stacks).map(|s| of(dict.near_frame(StackId(s)))).collect();
        p
    }

    /// The line of user code of a stack: that of [`Dict::user_frame`].
    pub fn user(&self, stack: StackId) -> PlaceId {
        self.user.get(stack.0 as usize).copied().unwrap_or(PlaceId::NONE)
    }

    /// The line that called into the runtime or `sync`: for a lock, that of the call of `Lock`.
    pub fn near(&self, stack: StackId) -> PlaceId {
        self.near.get(stack.0 as usize).copied().unwrap_or(PlaceId::NONE)
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether no stack has a line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// A place's function and line.
    pub fn get(&self, p: PlaceId) -> Option<(FuncId, u32)> {
        self.lines.get(p.0 as usize).copied()
    }

    /// A place in full, as Go writes it: `payment.(*OrderCache).Update paycore/payment/order_cache.go:46`; empty for none.
    pub fn full(&self, index: &Index, p: PlaceId) -> String {
        match self.get(p) {
            Some((f, line)) => format!("{} {}:{line}", index.dict.func_name(f), index.dict.func_file(f)),
            None => String::new(),
        }
    }

    /// A place's file and line, short and safe to show: `payment/order_cache.go:46`, and `?:46` where the file is not known;
    /// empty for none.
    pub fn line(&self, index: &Index, p: PlaceId) -> String {
        match self.get(p) {
            Some((f, line)) if line > 0 || !index.dict.func_file(f).is_empty() => {
                shown_line(index.dict.func_file(f), line)
            }
            _ => String::new(),
        }
    }

    /// A place's function, short and safe to show, in words if it is not known; empty for no place.
    pub fn func(&self, index: &Index, p: PlaceId) -> String {
        self.get(p).map_or(String::new(), |(f, _)| shown_func(index.dict.func_name(f)))
    }
}
