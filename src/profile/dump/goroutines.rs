//! Dumps: the goroutines of a program at one moment.

use super::frames::{self, Frame};
use super::held::{Blocked, Scan};
use crate::input::Header;
use rustc_hash::FxHashMap;

/// The goroutines of a program at one moment. Stacks and words that many have are kept once.
#[derive(Clone, Debug, Default)]
pub struct Dump {
    /// The goroutines, in the order of the text.
    pub goroutines: Vec<Goroutine>,
    /// Why the program died, in its words: `panic: …`, `fatal error: …`, `SIGQUIT: quit`. Not escaped.
    pub cause: Option<String>,
    /// The line of the text, from 1 on, where it begins.
    pub line: usize,
    reasons: Table<String>,
    labels: Table<Vec<(String, String)>>,
    frames: Table<Frame>,
    stacks: Table<Vec<u32>>,
    by_id: FxHashMap<u64, u32>,
    blocked: FxHashMap<u64, Blocked>,
}

/// A goroutine of a dump. What its handles stand for the dump says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Goroutine {
    /// Its number, the same as in a trace of that process.
    pub id: u64,
    /// For how many minutes it has been blocked, if it is one at least.
    pub minutes: Option<u64>,
    /// Whether it is locked to its thread.
    pub locked: bool,
    /// Whether the runtime found that nothing can wake it any more.
    pub leaked: bool,
    /// The goroutine that made it, since Go 1.21.
    pub creator: Option<u64>,
    reason: u32,
    labels: u32,
    stack: u32,
    created_at: Option<u32>,
}

impl Dump {
    /// What a goroutine does or waits for, in the runtime's words. Not escaped.
    pub fn reason(&self, g: &Goroutine) -> &str {
        self.reasons.get(g.reason).map_or("", String::as_str)
    }

    /// A goroutine's labels, by name. Not escaped.
    pub fn labels(&self, g: &Goroutine) -> &[(String, String)] {
        self.labels.get(g.labels).map_or(&[], Vec::as_slice)
    }

    /// A goroutine's stack, the leaf first.
    pub fn stack(&self, g: &Goroutine) -> impl DoubleEndedIterator<Item = &Frame> {
        let stack = self.stacks.get(g.stack).map_or(&[][..], Vec::as_slice);
        stack.iter().filter_map(|&f| self.frames.get(f))
    }

    /// The handle of a goroutine's stack: the same stack has the same.
    pub fn stack_number(&self, g: &Goroutine) -> u32 {
        g.stack
    }

    /// Where the goroutine was made: the function, and the line of its `go` statement.
    pub fn created_at(&self, g: &Goroutine) -> Option<&Frame> {
        self.frames.get(g.created_at?)
    }

    /// The lock that a goroutine waits for, and what its callers have in hand; `None` if it waits for none, or if the traceback
    /// does not tell.
    pub fn blocked(&self, g: &Goroutine) -> Option<&Blocked> {
        self.blocked.get(&g.id)
    }

    /// The goroutine of this number.
    pub fn find(&self, id: u64) -> Option<&Goroutine> {
        self.goroutines.get(*self.by_id.get(&id)? as usize)
    }
}

/// Values that are kept once, by number.
#[derive(Clone, Debug)]
struct Table<T> {
    all: Vec<T>,
    ids: FxHashMap<T, u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { all: Vec::new(), ids: FxHashMap::default() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Table<T> {
    fn get(&self, id: u32) -> Option<&T> {
        self.all.get(id as usize)
    }

    fn add(&mut self, value: T) -> u32 {
        if let Some(&id) = self.ids.get(&value) {
            return id;
        }
        let id = self.all.len() as u32;
        self.all.push(value.clone());
        self.ids.insert(value, id);
        id
    }
}

/// Puts dumps together line by line.
#[derive(Default)]
pub(super) struct Parser {
    current: Option<Goroutine>,
    stack: Vec<u32>,
    /// The function of which the place comes in the next line, and whether it made the goroutine.
    function: Option<(String, bool)>,
    scan: Scan,
}

impl Parser {
    /// A goroutine begins in line `n`. With a `cause` the program has died anew.
    pub(super) fn begin(&mut self, dumps: &mut Vec<Dump>, h: &Header<'_>, cause: Option<String>, n: usize) {
        // Who was on another thread comes again, with its stack, and a thread's own goroutine with no cause of its own.
        let again = |d: &Dump| d.find(h.id).is_some_and(|g| d.stack(g).next().is_some());
        // A signal is told for each thread.
        let anew = cause.as_ref().is_some_and(|c| !c.starts_with("SIG"));
        let last = dumps.last_mut().filter(|d| !again(d) && !anew);
        let dump = match last {
            Some(d) => d,
            None => {
                dumps.push(Dump { cause, line: n, ..Dump::default() });
                dumps.last_mut().expect("it was just added")
            }
        };
        self.current = Some(Goroutine {
            id: h.id,
            minutes: h.minutes,
            locked: h.locked,
            leaked: h.leaked,
            creator: None,
            reason: dump.reasons.add(h.reason.to_owned()),
            labels: dump.labels.add(crate::profile::wire::legacy::labels::parse(h.labels)),
            stack: 0,
            created_at: None,
        });
    }

    /// A line that begins no goroutine.
    pub(super) fn line(&mut self, dumps: &mut [Dump], line: &str) {
        let (Some(g), Some(dump)) = (&mut self.current, dumps.last_mut()) else { return };
        if let Some((func, made)) = self.function.take()
            && let Some((file, line)) = frames::position(line)
        {
            let frame = dump.frames.add(Frame { func, file: file.to_owned(), line });
            match made {
                true => g.created_at = Some(frame),
                false => self.stack.push(frame),
            }
            return;
        }
        if let Some((func, by)) = frames::creator(line) {
            g.creator = by;
            self.function = Some((func.to_owned(), true));
        } else if let Some(func) = frames::function(line) {
            self.scan.call(func, line.trim());
            self.function = Some((func.to_owned(), false));
        }
    }

    /// The goroutine ends.
    pub(super) fn end(&mut self, dumps: &mut [Dump]) {
        self.function = None;
        let stack = std::mem::take(&mut self.stack);
        let blocked = self.scan.end();
        let (Some(mut g), Some(dump)) = (self.current.take(), dumps.last_mut()) else { return };
        g.stack = dump.stacks.add(stack);
        if let Some(blocked) = blocked {
            dump.blocked.insert(g.id, blocked);
        }
        match dump.by_id.get(&g.id) {
            // Only who had no stack comes again.
            Some(&i) => dump.goroutines[i as usize] = g,
            None => {
                dump.by_id.insert(g.id, dump.goroutines.len() as u32);
                dump.goroutines.push(g);
            }
        }
    }
}
