//! Reports of the race detector. Their form is ThreadSanitizer's for Go (`tsan_report.cpp` in LLVM's compiler-rt, in its
//! branch for Go): the accesses, and where the goroutines that made them were created.

use super::frames::{self, Frame};

/// A report: two accesses to the same memory, one of them a write, that nothing puts in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Race {
    /// The accesses, the later one first.
    pub accesses: Vec<Access>,
    /// The goroutines that are named, and where they were created.
    pub created: Vec<Created>,
    /// The line of the text, from 1 on, where it begins.
    pub line: usize,
}

/// One access.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Access {
    /// Whether it wrote.
    pub write: bool,
    /// Whether it was atomic.
    pub atomic: bool,
    /// The address.
    pub address: u64,
    /// The number that the race detector gives the goroutine, which is not the runtime's; `None` for the main goroutine.
    pub by: Option<u64>,
    /// Its stack, the leaf first; empty where the detector had forgotten it.
    pub stack: Vec<Frame>,
}

/// Where a goroutine was created.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Created {
    /// The race detector's number of it.
    pub id: u64,
    /// Whether it had ended by then.
    pub finished: bool,
    /// The stack of the `go` statement, the leaf first.
    pub stack: Vec<Frame>,
}

impl Race {
    /// Where the goroutine of an access was created; `None` for the main goroutine, and where the report does not say.
    pub fn created(&self, access: &Access) -> Option<&Created> {
        self.created.iter().find(|c| Some(c.id) == access.by)
    }
}

/// Which stack the calls belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Access,
    Created,
}

/// Puts reports together line by line.
#[derive(Default)]
pub(super) struct Parser {
    current: Option<Race>,
    part: Option<Part>,
    function: Option<String>,
    /// The reports that are whole.
    pub(super) done: Vec<Race>,
}

impl Parser {
    /// A report begins in line `n`.
    pub(super) fn begin(&mut self, n: usize) {
        self.current = Some(Race { line: n, ..Race::default() });
    }

    /// A line that begins no report.
    pub(super) fn line(&mut self, line: &str) {
        let Some(race) = &mut self.current else { return };
        if let Some(func) = self.function.take()
            && let Some((file, line)) = frames::position(line)
        {
            let frame = Frame { func, file: file.to_owned(), line };
            match self.part {
                Some(Part::Access) => race.accesses.last_mut().map(|a| &mut a.stack),
                Some(Part::Created) => race.created.last_mut().map(|c| &mut c.stack),
                None => None,
            }
            .into_iter()
            .for_each(|s| s.push(frame.clone()));
            return;
        }
        if line.starts_with("=====") {
            self.end();
        } else if let Some(a) = access(line) {
            race.accesses.push(a);
            self.part = Some(Part::Access);
        } else if let Some(c) = created(line) {
            race.created.push(c);
            self.part = Some(Part::Created);
        } else {
            self.function = frames::function(line).map(str::to_owned);
        }
    }

    /// The report ends.
    pub(super) fn end(&mut self) {
        (self.part, self.function) = (None, None);
        self.done.extend(self.current.take().filter(|r| !r.accesses.is_empty()));
    }
}

/// `Write at 0x00c0000140e8 by goroutine 7:`, `Previous atomic read at … by main goroutine:`.
fn access(line: &str) -> Option<Access> {
    let (what, rest) = line.trim().strip_suffix(':')?.split_once(" at 0x")?;
    let (address, by) = rest.split_once(" by ")?;
    let what = what.to_ascii_lowercase();
    let what = what.strip_prefix("previous ").unwrap_or(&what);
    let (atomic, what) = what.strip_prefix("atomic ").map_or((false, what), |w| (true, w));
    let by = match by.strip_prefix("goroutine ") {
        Some(n) => Some(n.parse().ok()?),
        None if by == "main goroutine" => None,
        None => return None,
    };
    let write = match what {
        "write" => true,
        "read" => false,
        _ => return None,
    };
    Some(Access { write, atomic, address: u64::from_str_radix(address, 16).ok()?, by, stack: Vec::new() })
}

/// `Goroutine 7 (running) created at:`.
fn created(line: &str) -> Option<Created> {
    let rest = line.trim().strip_prefix("Goroutine ")?.strip_suffix(" created at:")?;
    let (id, state) = rest.split_once(' ')?;
    Some(Created { id: id.parse().ok()?, finished: state == "(finished)", stack: Vec::new() })
}
