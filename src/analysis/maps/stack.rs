//! Stacks, of traces and of profiles alike, as the lens wants them.

use crate::base::StackId;
use crate::base::text::fits;
use crate::model::ownership::{Own, Owner};
use crate::model::{Dict, lens, lens::Found};
use crate::profile::model::{Profile, Sample};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// A line of source. Not escaped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place {
    /// The source file.
    pub file: String,
    /// The line; 0 if not known.
    pub line: u32,
    /// The function.
    pub func: String,
}

/// Functions and lines of user code on the stacks above a line.
pub(super) type Around = BTreeSet<(String, u32)>;

/// Frames of a stack that are looked at, from the leaf.
const MAX_FRAMES: usize = 256;

/// A frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub func: &'a str,
    pub file: &'a str,
    pub line: u32,
}

impl Call<'_> {
    pub(super) fn place(&self) -> Place {
        Place { file: self.file.to_owned(), line: self.line, func: self.func.to_owned() }
    }
}

/// The frames of a stack of a trace, leaf first.
pub(super) fn of_trace(dict: &Dict, stack: StackId) -> Vec<Call<'_>> {
    let frames = dict.stack(stack).take(MAX_FRAMES);
    frames.map(|f| Call { func: dict.func_name(f.func), file: dict.func_file(f.func), line: f.line }).collect()
}

/// The frames of a sample of a profile, leaf first.
pub(super) fn of_profile<'a>(p: &'a Profile, s: &Sample) -> Vec<Call<'a>> {
    let lines = p.stack_of(s).iter().filter_map(|&l| p.locations.get(l as usize)).flat_map(|l| p.lines_of(l));
    let call = |l: &crate::profile::model::Line| match p.functions.get(l.function as usize) {
        Some(f) => Call { func: p.str(f.name), file: p.str(f.file), line: u32::try_from(l.line).unwrap_or(0) },
        None => Call { func: "", file: "", line: 0 },
    };
    lines.map(call).take(MAX_FRAMES).collect()
}

/// What is known of a function by its name.
#[derive(Clone, Copy)]
struct Known {
    code: Owner,
    operation: Option<usize>,
    class: Option<usize>,
    /// Whether its caller may make it another class.
    asks: bool,
    converts: bool,
    allocates: bool,
}

/// What a stack does with maps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    /// The frame of user code, by position.
    pub user: usize,
    /// The operation and its class; nothing if there is none.
    pub found: Option<Found>,
    /// Whether the allocator is at work.
    pub allocates: bool,
    /// Whether a value is made into an interface.
    pub converts: bool,
}

/// Functions by name, looked up once each.
#[derive(Default)]
pub(super) struct Functions(FxHashMap<String, Known>);

impl Functions {
    fn known(&mut self, func: &str) -> Known {
        if let Some(k) = self.0.get(func) {
            return *k;
        }
        let maps = lens::maps();
        let interfaces = lens::find("interfaces");
        let known = Known {
            code: Owner::of(func),
            operation: maps.operation(func),
            class: maps.class(func),
            asks: maps.asks_caller(func),
            converts: interfaces.is_some_and(|l| l.operation(func) == Some(0)),
            allocates: lens::find("alloc").is_some_and(|l| l.has(func)),
        };
        self.0.insert(func.to_owned(), known);
        known
    }

    /// What a stack, leaf first, does with maps.
    pub(super) fn split(&mut self, stack: &[Call<'_>]) -> Option<Split> {
        let known: Vec<Known> = stack.iter().map(|c| self.known(c.func)).collect();
        let code = |i: usize| (known[i].code, stack[i].func);
        let own = Own::of((0..stack.len()).map(code));
        let user = (0..stack.len()).find(|&i| own.has(code(i)))?;
        let below = &known[..user];
        Some(Split {
            user,
            found: lens::maps().of_frames(below.iter().enumerate().map(|(i, k)| {
                let by = (k.asks && i + 1 < user).then(|| lens::maps().class_by(stack[i].func, stack[i + 1].func));
                (k.operation, [k.class, by.flatten()].into_iter().flatten().min())
            })),
            allocates: below.iter().any(|k| k.allocates),
            converts: below.iter().any(|k| k.converts),
        })
    }

    /// The functions and lines of user code of a stack, from the user's frame on.
    pub(super) fn around(&mut self, stack: &[Call<'_>], user: usize, out: &mut Around) {
        for c in stack.get(user..).unwrap_or(&[]) {
            if self.known(c.func).code == Owner::User {
                out.insert((c.func.to_owned(), c.line));
            }
        }
    }

    /// Whether some function is of Swiss maps.
    pub(super) fn swiss(&self) -> Option<bool> {
        /// Functions that only Swiss maps have, and such as all have, or only the classic ones.
        const SWISS: &str = "internal/runtime/maps.*";
        const ANY: [&str; 2] = ["runtime.mapassign*", "runtime.evacuate*"];
        if self.0.keys().any(|f| fits(SWISS, f)) {
            return Some(true);
        }
        self.0.keys().any(|f| ANY.iter().any(|p| fits(p, f))).then_some(false)
    }
}
