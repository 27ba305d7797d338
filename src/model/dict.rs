//! Dictionaries: every string, function, frame and stack of a trace once, behind a `u32` handle.
//!
//! Stacks are a prefix tree: a stack is the node of its leaf frame, and its parent is the stack of the caller. The tree
//! is stored parents first, so a caller's handle is always smaller than its callee's.

use super::ownership::{Own, Owner};
use crate::base::{FrameId, FuncId, StackId, StringId, text};
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

/// A function: its name as the Go linker writes it, and the file it stands in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Func {
    /// Qualified name, `payment.(*OrderCache).Update`.
    pub name: StringId,
    /// Path of the source file, as the compiler recorded it.
    pub file: StringId,
}

/// One frame of a stack. Inlined calls are frames of their own, with the PC of the call they were inlined into.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Frame {
    /// The function.
    pub func: FuncId,
    /// The line in the function's file; 0 if not known.
    pub line: u32,
    /// Address of the call.
    pub pc: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Node {
    pub parent: StackId,
    pub frame: FrameId,
}

/// All dictionaries of a trace. Interning the same thing twice gives the same handle; handles are given in order, so
/// the same sequence of calls gives the same handles.
#[derive(Default)]
pub struct Dict {
    pub(crate) text: String,
    pub(crate) strings: Vec<(u32, u32)>,
    pub(crate) funcs: Vec<Func>,
    /// Whose each function is.
    owners: Vec<Owner>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) stacks: Vec<Node>,
    pub(crate) depths: Vec<u16>,
    string_ids: HashTable<u32>,
    func_ids: HashTable<u32>,
    frame_ids: HashTable<u32>,
    stack_ids: HashTable<u32>,
}

fn hash_of(x: impl Hash) -> u64 {
    let mut h = FxHasher::default();
    x.hash(&mut h);
    h.finish()
}

/// Position of `x` in `items`, appended if it is new.
fn intern<T: Copy + Eq + Hash>(items: &mut Vec<T>, ids: &mut HashTable<u32>, x: T) -> (u32, bool) {
    use hashbrown::hash_table::Entry;
    match ids.entry(hash_of(x), |&i| items[i as usize] == x, |&i| hash_of(items[i as usize])) {
        Entry::Occupied(e) => (*e.get(), false),
        Entry::Vacant(e) => {
            let id = items.len() as u32;
            e.insert(id);
            items.push(x);
            (id, true)
        }
    }
}

/// The table of positions in `items`, which are all different.
fn positions<T: Hash>(items: &[T]) -> HashTable<u32> {
    let mut ids = HashTable::with_capacity(items.len());
    for (i, x) in (0u32..).zip(items) {
        ids.insert_unique(hash_of(x), i, |&i| hash_of(&items[i as usize]));
    }
    ids
}

/// All strings together take at most about this many bytes: a program may log what it likes.
const MAX_TEXT: usize = 256 << 20;
/// What stands for every further string.
const TOO_MUCH: &str = "(not kept: too much text)";

impl Dict {
    /// The dictionaries that are made of these columns; nothing if they do not fit together.
    pub(crate) fn restore(
        text: String,
        strings: Vec<(u32, u32)>,
        funcs: Vec<Func>,
        frames: Vec<Frame>,
        stacks: Vec<Node>,
        depths: Vec<u16>,
    ) -> Option<Dict> {
        let at = |i: &u32| {
            let (from, len) = strings[*i as usize];
            &text[from as usize..][..len as usize]
        };
        let inside = |&(from, len): &(u32, u32)| text.get(from as usize..from as usize + len as usize).is_some();
        let rooted = |(i, n): (usize, &Node)| {
            n.frame.index() < frames.len() && n.parent.some().is_none_or(|parent| parent.index() < i)
        };
        let sound = strings.iter().all(inside)
            && frames.iter().all(|f| f.func.index() < funcs.len())
            && depths.len() == stacks.len()
            && stacks.iter().enumerate().all(rooted);
        if !sound {
            return None;
        }
        let mut string_ids = HashTable::with_capacity(strings.len());
        for i in 0..strings.len() as u32 {
            string_ids.insert_unique(hash_of(at(&i)), i, |i| hash_of(at(i)));
        }
        let name = |f: &Func| strings.get(f.name.0 as usize).map_or("", |_| at(&f.name.0));
        let owners = funcs.iter().map(|f| Owner::of(name(f))).collect();
        let (func_ids, frame_ids, stack_ids) = (positions(&funcs), positions(&frames), positions(&stacks));
        Some(Dict { text, strings, funcs, owners, frames, stacks, depths, string_ids, func_ids, frame_ids, stack_ids })
    }

    /// Interns a string.
    pub fn string(&mut self, s: &str) -> StringId {
        use hashbrown::hash_table::Entry;
        let s = if self.text.len() < MAX_TEXT { s } else { self.find(s).map_or(TOO_MUCH, |_| s) };
        let Dict { text, strings, string_ids, .. } = self;
        let at = |i: u32| {
            let (from, len) = strings[i as usize];
            &text[from as usize..][..len as usize]
        };
        let id = match string_ids.entry(hash_of(s), |&i| at(i) == s, |&i| hash_of(at(i))) {
            Entry::Occupied(e) => *e.get(),
            Entry::Vacant(e) => {
                let id = strings.len() as u32;
                e.insert(id);
                strings.push((text.len() as u32, s.len() as u32));
                text.push_str(s);
                id
            }
        };
        StringId(id)
    }

    /// Interns a function.
    pub fn func(&mut self, f: Func) -> FuncId {
        let (id, new) = intern(&mut self.funcs, &mut self.func_ids, f);
        if new {
            self.owners.push(Owner::of(self.str(f.name)));
        }
        FuncId(id)
    }

    /// Interns a frame.
    pub fn frame(&mut self, f: Frame) -> FrameId {
        FrameId(intern(&mut self.frames, &mut self.frame_ids, f).0)
    }

    /// Interns the stack that `frame` makes on top of `caller` (`StackId::NONE` for a root frame).
    pub fn push_frame(&mut self, caller: StackId, frame: FrameId) -> StackId {
        let (id, new) = intern(&mut self.stacks, &mut self.stack_ids, Node { parent: caller, frame });
        if new {
            let depth = caller.some().map_or(0, |p| self.depths[p.index()]);
            self.depths.push(depth.saturating_add(1));
        }
        StackId(id)
    }

    /// The handle of `s`, if any event, frame or label of the trace mentions it.
    pub fn find(&self, s: &str) -> Option<StringId> {
        self.string_ids.find(hash_of(s), |&i| self.str(StringId(i)) == s).map(|&i| StringId(i))
    }

    /// The text of a string; empty for `NONE`.
    pub fn str(&self, id: StringId) -> &str {
        match self.strings.get(id.0 as usize) {
            Some(&(from, len)) => &self.text[from as usize..][..len as usize],
            None => "",
        }
    }

    /// How many strings, functions, frames and stacks there are.
    pub fn counts(&self) -> (usize, usize, usize, usize) {
        (self.strings.len(), self.funcs.len(), self.frames.len(), self.stacks.len())
    }

    /// All functions, by handle.
    pub fn funcs(&self) -> &[Func] {
        &self.funcs
    }

    /// All frames, by handle.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The frame behind a handle.
    pub fn frame_of(&self, id: FrameId) -> Frame {
        self.frames[id.index()]
    }

    /// A function's qualified name.
    pub fn func_name(&self, id: FuncId) -> &str {
        self.funcs.get(id.0 as usize).map_or("", |f| self.str(f.name))
    }

    /// The source file that a function stands in.
    pub fn func_file(&self, id: FuncId) -> &str {
        self.funcs.get(id.0 as usize).map_or("", |f| self.str(f.file))
    }

    /// The leaf frame of a stack.
    pub fn leaf(&self, id: StackId) -> Option<FrameId> {
        self.stacks.get(id.0 as usize).map(|n| n.frame)
    }

    /// The stack of the caller of a stack's leaf; `NONE` at the root.
    pub fn caller(&self, id: StackId) -> StackId {
        self.stacks.get(id.0 as usize).map_or(StackId::NONE, |n| n.parent)
    }

    /// How many frames a stack has.
    pub fn depth(&self, id: StackId) -> usize {
        self.depths.get(id.0 as usize).map_or(0, |&d| d as usize)
    }

    /// The frames of a stack, leaf first.
    pub fn stack(&self, id: StackId) -> impl Iterator<Item = Frame> + '_ {
        self.stack_ids(id).map(|f| self.frames[f.index()])
    }

    /// The frames of a stack, leaf first, as handles.
    pub fn stack_ids(&self, id: StackId) -> impl Iterator<Item = FrameId> + '_ {
        let mut at = id;
        std::iter::from_fn(move || {
            let node = self.stacks.get(at.0 as usize)?;
            at = node.parent;
            Some(node.frame)
        })
    }

    /// The root frame of a stack: where its goroutine started.
    pub fn root(&self, id: StackId) -> Option<Frame> {
        self.stack(id).last()
    }

    /// For every stack, by handle, whether any of its frames satisfies `test`; each frame is tested once.
    pub fn stacks_with(&self, mut test: impl FnMut(&Dict, Frame) -> bool) -> Vec<bool> {
        let frames: Vec<bool> = self.frames.iter().map(|&f| test(self, f)).collect();
        let mut stacks = Vec::with_capacity(self.stacks.len());
        for n in &self.stacks {
            let above = n.parent.some().is_some_and(|p| stacks[p.index()]);
            stacks.push(above || frames[n.frame.index()]);
        }
        stacks
    }

    /// Whose code a function is.
    pub fn owner(&self, f: FuncId) -> Owner {
        self.owners.get(f.0 as usize).copied().unwrap_or_default()
    }

    /// Whose code a frame is, and its function's name.
    pub fn code(&self, f: FrameId) -> (Owner, &str) {
        let func = self.frame_of(f).func;
        (self.owner(func), self.func_name(func))
    }

    /// The frame of a stack that stands in the user's code: the one nearest to the leaf that is [`Own`], or else the leaf.
    pub fn user_frame(&self, id: StackId) -> Option<FrameId> {
        let own = Own::of(self.stack_ids(id).map(|f| self.code(f)));
        self.stack_ids(id).find(|&f| own.has(self.code(f))).or_else(|| self.leaf(id))
    }

    /// How many of a stack's frames, leaf first, are below the one that [`Dict::user_frame`] finds; all, if there is none.
    pub fn below_user(&self, frames: &[FrameId]) -> usize {
        let own = Own::of(frames.iter().map(|&f| self.code(f)));
        frames.iter().position(|&f| own.has(self.code(f))).unwrap_or(frames.len())
    }

    /// The line of [`Dict::user_frame`].
    pub fn user_line(&self, id: StackId) -> Option<Frame> {
        self.user_frame(id).map(|f| self.frame_of(f))
    }

    /// The part of a stack from the frame nearest to the leaf that satisfies `test` to the root; all of it, if none does.
    pub fn top(&self, id: StackId, test: impl Fn(FrameId) -> bool) -> StackId {
        let mut at = id;
        while let Some(leaf) = self.leaf(at) {
            if test(leaf) {
                return at;
            }
            at = self.caller(at);
        }
        id
    }

    /// The frame of a stack nearest to the leaf outside the runtime, or else the leaf: for a lock, the call of `Lock`.
    pub fn near_frame(&self, id: StackId) -> Option<FrameId> {
        self.stack_ids(id).find(|&f| self.code(f).0 > Owner::Runtime).or_else(|| self.leaf(id))
    }

    /// Bytes that the dictionaries take.
    pub fn bytes(&self) -> usize {
        self.text.capacity()
            + self.strings.capacity() * 12
            + self.funcs.capacity() * 12
            + self.frames.capacity() * (size_of::<Frame>() + 4)
            + self.stacks.capacity() * (size_of::<Node>() + 6)
    }
}

/// A function's name without its type arguments, as a traceback prints it: `main.F[...]` of `main.F[go.shape.int]`.
pub fn without_types(name: &str) -> std::borrow::Cow<'_, str> {
    match (name.find('['), name.rfind(']')) {
        (Some(from), Some(to)) if from < to => format!("{}[...]{}", &name[..from], &name[to + 1..]).into(),
        _ => name.into(),
    }
}

/// A function's name without the directories of its package: `payment.(*Core).Pay` for `paycore/payment.(*Core).Pay`.
pub fn short_func(name: &str) -> &str {
    // A type argument may hold slashes of its own: `slices.SortFunc[go.shape.*a/b.C]`.
    let head = name.find('[').unwrap_or(name.len());
    match name[..head].rfind('/') {
        Some(i) => &name[i + 1..],
        None => name,
    }
}

/// What is shown for a name that the trace does not have: of a function, or of where a goroutine starts.
pub const NOT_KNOWN: &str = "(not known)";

/// A function's name as it is shown: short, and safe.
pub fn shown_func(name: &str) -> String {
    if name.is_empty() { NOT_KNOWN.into() } else { text::escape(short_func(name)).into_owned() }
}

/// A line of source as it is shown: `payment/order_cache.go:47`, and `?:47` where the file is not known.
pub fn shown_line(file: &str, line: u32) -> String {
    let file = if file.is_empty() { "?".into() } else { text::escape(short_file(file)) };
    format!("{file}:{line}")
}

/// A file's last directory and name: `payment/order_cache.go`.
pub fn short_file(path: &str) -> &str {
    let mut cuts = path.rmatch_indices('/');
    match (cuts.next(), cuts.next()) {
        (Some(_), Some((i, _))) => &path[i + 1..],
        _ => path.trim_start_matches('/'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dict() -> (Dict, StackId) {
        let mut d = Dict::default();
        let mut stack = StackId::NONE;
        for (name, line) in
            [("main.main", 10), ("payment.(*OrderCache).Update", 47), ("runtime.mapassign_faststr", 202)]
        {
            let (name, file) = (d.string(name), d.string("payment/order_cache.go"));
            let func = d.func(Func { name, file });
            let frame = d.frame(Frame { func, line, pc: line as u64 });
            stack = d.push_frame(stack, frame);
        }
        (d, stack)
    }

    #[test]
    fn the_same_stack_has_one_handle_and_reads_leaf_first() {
        let (mut d, s) = dict();
        let leaf = d.leaf(s).unwrap();
        let again = d.push_frame(d.caller(s), leaf);
        assert_eq!(again, s);
        let names: Vec<_> = d.stack(s).map(|f| d.func_name(f.func).to_string()).collect();
        assert_eq!(names, ["runtime.mapassign_faststr", "payment.(*OrderCache).Update", "main.main"]);
        assert_eq!(d.depth(s), 3);
        assert_eq!(d.user_line(s).unwrap().line, 47);
        assert_eq!(d.root(s).unwrap().line, 10);
    }

    #[test]
    fn a_frame_test_reaches_all_stacks_above_it() {
        let (d, s) = dict();
        let with = d.stacks_with(|d, f| d.func_name(f.func).contains("Update"));
        assert_eq!(with, [false, true, true]);
        assert!(with[s.index()]);
    }

    #[test]
    fn short_names() {
        assert_eq!(short_func("paycore/payment.(*Core).Pay"), "payment.(*Core).Pay");
        assert_eq!(short_func("slices.SortFunc[go.shape.*a/b.C]"), "slices.SortFunc[go.shape.*a/b.C]");
        assert_eq!(short_file("/home/x/payment/order_cache.go"), "payment/order_cache.go");
        assert_eq!(short_file("main.go"), "main.go");
    }

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
        d.user_line(at).map_or("", |f| d.func_name(f.func)).to_string()
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
