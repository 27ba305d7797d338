//! Lines of user code, one for each stack.

use super::reasons::Table;
use crate::base::{FrameId, FuncId, StackId, text};
use crate::store::dict::{is_runtime, short_file, short_func};
use crate::store::{Dict, Index};
use rustc_hash::FxHashMap;

/// A line of a function: a row of [`Places`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PlaceId(pub u32);

impl PlaceId {
    /// No line is known.
    pub const NONE: PlaceId = PlaceId(u32::MAX);
}

/// The line of each stack that matters to a user, found once for all stacks: a stack is a node below its caller's, so
/// each looks at its own frame and else at its caller's answer.
#[derive(Default)]
pub struct Places {
    lines: Vec<(FuncId, u32)>,
    /// Of each stack, its frame nearest to the leaf that is no library's; where there is none, that of the package in which
    /// the goroutine starts, or else as `near`.
    user: Vec<PlaceId>,
    /// Of each stack, its frame nearest to the leaf outside the runtime, `internal/…` and `sync`.
    near: Vec<PlaceId>,
}

impl Places {
    /// Finds the places of all stacks of a trace.
    pub fn new(dict: &Dict, table: &Table) -> Places {
        let mut ids: FxHashMap<(FuncId, u32), u32> = FxHashMap::default();
        let mut p = Places::default();
        let library: Vec<bool> = dict.funcs().iter().map(|f| table.is_library(dict.str(f.name))).collect();
        let runtime: Vec<bool> = dict.funcs().iter().map(|f| is_runtime(dict.str(f.name))).collect();
        let frames: Vec<PlaceId> = dict
            .frames()
            .iter()
            .map(|f| {
                let next = p.lines.len() as u32;
                let id = *ids.entry((f.func, f.line)).or_insert(next);
                if id == next {
                    p.lines.push((f.func, f.line));
                }
                PlaceId(id)
            })
            .collect();
        let (_, _, _, stacks) = dict.counts();
        let packages: Vec<&str> = dict.funcs().iter().map(|f| package(dict.str(f.name))).collect();
        let mut outside = vec![(false, false); stacks];
        // The package at the root, and the frame nearest to the leaf that is of it.
        let mut roots: Vec<(&str, PlaceId)> = Vec::with_capacity(stacks);
        for s in 0..stacks {
            let id = StackId(s as u32);
            let leaf = dict.leaf(id).unwrap_or(FrameId::NONE);
            let func = dict.frame_of(leaf).func.index();
            let caller = dict.caller(id).some().map(StackId::index).filter(|&c| c < s);
            let own = frames[leaf.index()];
            let of = |own_is: bool, caller_is: bool, from: &[PlaceId]| match caller {
                Some(c) if !own_is && caller_is => from[c],
                _ => own,
            };
            let above = caller.map_or((false, false), |c| outside[c]);
            let (user, near) = (!library[func], !runtime[func]);
            let n = of(near, above.1, &p.near);
            let (root, above_it) = caller.map_or((packages[func], own), |c| roots[c]);
            let home = if packages[func] == root { own } else { above_it };
            roots.push((root, home));
            let u = match user || above.0 {
                true => of(user, above.0, &p.user),
                false if near || above.1 => {
                    if is_runtime(root) {
                        n
                    } else {
                        home
                    }
                }
                false => n,
            };
            p.user.push(u);
            p.near.push(n);
            outside[s] = (user || above.0, near || above.1);
        }
        p
    }

    /// The line of user code of a stack; where all of it is a library's, the line nearest to the leaf of the package in
    /// which the goroutine started, or the line that called into the runtime.
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

    /// A place's file and line, short and safe to show: `payment/order_cache.go:46`; empty for none.
    pub fn line(&self, index: &Index, p: PlaceId) -> String {
        match self.get(p) {
            Some((f, line)) if !index.dict.func_file(f).is_empty() => {
                text::escape(&format!("{}:{line}", short_file(index.dict.func_file(f)))).into_owned()
            }
            _ => String::new(),
        }
    }

    /// A place's function, short and safe to show; empty for none.
    pub fn func(&self, index: &Index, p: PlaceId) -> String {
        let name = self.get(p).map_or("", |(f, _)| index.dict.func_name(f));
        text::escape(short_func(name)).into_owned()
    }
}

/// The package of a function with the dot behind it: `net/http.` of `net/http.(*conn).serve`.
fn package(func: &str) -> &str {
    // A type argument may hold slashes of its own.
    let head = &func[..func.find('[').unwrap_or(func.len())];
    let last = head.rfind('/').map_or(0, |i| i + 1);
    let dot = func[last..].find('.').map_or(func.len(), |i| last + i + 1);
    &func[..dot]
}

#[cfg(test)]
mod tests {
    use super::super::TABLE;
    use super::*;
    use crate::store::{Frame, Func};

    /// The function that `user` names for a stack of these, root first.
    fn user(stack: &[&str]) -> String {
        let mut d = Dict::default();
        let mut at = StackId::NONE;
        for name in stack {
            let name = d.string(name);
            let func = d.func(Func { name, file: name });
            let frame = d.frame(Frame { func, line: 1, pc: 0 });
            at = d.push_frame(at, frame);
        }
        let places = Places::new(&d, &TABLE);
        places.get(places.user(at)).map_or("", |(f, _)| d.func_name(f)).to_string()
    }

    #[test]
    fn a_stack_without_user_code_stands_where_it_calls_into_the_runtime() {
        assert_eq!(user(&["main.main", "net/http.(*Client).Do", "runtime.selectgo"]), "main.main");
        assert_eq!(
            user(&["net/http.(*conn).serve", "net/http.(*conn).wait", "runtime.selectgo"]),
            "net/http.(*conn).wait"
        );
        let read = ["net/http.(*conn).serve", "net/http.(*connReader).Read", "net.(*conn).Read", "runtime.gopark"];
        assert_eq!(user(&read), "net/http.(*connReader).Read");
        assert_eq!(user(&["runtime.bgsweep", "runtime.goparkunlock"]), "runtime.goparkunlock");
    }
}
