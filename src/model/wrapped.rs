//! What goroutines are called whose start function the user did not write: what the compiler or the library wraps around a
//! `go` statement's function.
//!
//! Of `go f(x)` the compiler makes `main.main.gowrap1`, which calls `f` (`walkGo` in `cmd/compile/internal/walk/stmt.go`, Go
//! 1.22 and later). Where it knows `f` when it compiles, the runtime names that in the trace (`startPCForTrace`); where `f`
//! is a method of an interface or a variable it cannot, and the trace has the wrapper's name. No stack has a frame of it:
//! the first frame is that of `f`. `sync.WaitGroup.Go` and `errgroup` call what they are given from functions of their own.

use super::Index;
use super::ownership::Owner;
use super::totals::Party;
use crate::base::{FuncId, GoIdx, GroupId, StackId};
use rustc_hash::FxHashMap;

/// Library functions that do nothing but to call what they are given in a goroutine of its own.
const RUNNERS: &[&str] = &["sync.(*WaitGroup).Go.func1", "golang.org/x/sync/errgroup.(*Group).Go.func1"];

/// Whether the compiler made a function for a `go` statement.
fn is_wrapper(func: &str) -> bool {
    let number = func.rsplit_once(".gowrap").map_or("", |(_, n)| n);
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

/// The functions that a group's goroutines were seen in first: one, or several.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    One(FuncId),
    Several,
}

impl Index {
    /// Finds the names of groups whose start function only calls what the user wrote: by their stacks, if these agree, else
    /// a wrapper by the line of its `go` statement.
    pub(crate) fn name_wrapped(&mut self) {
        let names = self.groups.iter().map(|g| self.dict.str(g.name));
        let wrapped: Vec<bool> = names.map(|n| is_wrapper(n) || RUNNERS.contains(&n)).collect();
        if !wrapped.contains(&true) {
            return;
        }
        let mut seen: FxHashMap<GroupId, Seen> = FxHashMap::default();
        let mut see = |party: Party, stack: StackId| {
            let Party::Group(g) = party else { return };
            let Some(func) = wrapped.get(g.index()).filter(|w| **w).and_then(|_| self.outermost(stack)) else { return };
            let one = seen.entry(g).or_insert(Seen::One(func));
            if *one != Seen::One(func) {
                *one = Seen::Several;
            }
        };
        for l in self.totals.all_waits().map(|w| w.0).chain(self.totals.calls.keys().map(|c| &c.0)) {
            see(l.waiter, l.waiter_stack);
            see(l.waker, l.waker_stack);
        }
        for (i, _) in wrapped.iter().enumerate().filter(|(_, w)| **w) {
            let id = GroupId(i as u32);
            let name = match seen.get(&id) {
                Some(Seen::One(f)) => Some(self.dict.func_name(*f).to_owned()),
                _ if is_wrapper(self.dict.str(self.groups[i].name)) => self.go_statement(id),
                _ => None,
            };
            if let Some(name) = name {
                self.groups[i].shown = self.dict.string(&name);
            }
        }
    }

    /// The user's function nearest to a stack's root.
    fn outermost(&self, stack: StackId) -> Option<FuncId> {
        let users = self.dict.stack(stack).map(|f| f.func).filter(|f| self.dict.owner(*f) == Owner::User);
        users.last()
    }

    /// What a group is called by the line that started its first goroutine: `main.serve (go statement, main.go:40)`.
    fn go_statement(&self, id: GroupId) -> Option<String> {
        let first = self.goroutine(*self.groups.get(id.index())?.members.first()?)?;
        let f = self.dict.user_line(first.created_at)?;
        let file = self.dict.func_file(f.func).rsplit('/').next().unwrap_or_default();
        Some(format!("{} (go statement, {file}:{})", self.dict.func_name(f.func), f.line))
    }

    /// The name of the function in which a group's goroutines start as the trace has it; empty if not known. Where that is
    /// what somebody is to read, [`Index::group_name`] is.
    pub fn start_function(&self, g: GroupId) -> &str {
        self.groups.get(g.index()).map_or("", |g| self.dict.str(g.name))
    }

    /// The name of the function in which a goroutine starts as the trace has it; empty if not known.
    pub fn start_of(&self, g: GoIdx) -> &str {
        self.goroutine(g).map_or("", |g| self.dict.func_name(g.entry))
    }

    /// The names by which a group is found: the one that is shown, and that of its start function.
    pub fn group_names(&self, g: GroupId) -> [&str; 2] {
        [self.group_name(g), self.start_function(g)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_compiler_wraps_is_told_by_its_name() {
        for (func, is) in [
            ("main.main.gowrap1", true),
            ("shop/cart.(*Cart).Serve.func2.gowrap12", true),
            ("main.main.func1", false),
            ("main.gowrap", false),
            ("main.main.gowrapped", false),
            ("main.main.gowrap1.func1", false),
        ] {
            assert_eq!(is_wrapper(func), is, "{func}");
        }
    }
}
