//! Firefox's profiles, which samply writes as well: the processed format
//! (<https://github.com/firefox-devtools/profiler/blob/main/src/types/profile.ts>), and the one that Gecko itself writes, in
//! which tables are lists of rows with a schema.

use super::assemble::{Assembled, Assembler};
use super::numbers::{Decimal, Whole};
use super::{odd, wrong};
use crate::profile::wire::error::Error;
use serde_json::Value;

const NAME: &str = "Firefox profile";

/// The most frames of a stack: a chain of prefixes may lead back to itself.
const DEEPEST: usize = 1 << 16;

/// Reads a profile of Firefox. The thread's name is a label, and so is its number, if there are several threads.
pub(super) fn decode(data: &[u8]) -> Result<Assembled, Error> {
    let file: Value = serde_json::from_slice(data).map_err(wrong(NAME))?;
    let mut a = Assembler::default();
    // Milliseconds.
    let interval = file["meta"]["interval"].as_f64().filter(|i| *i > 0.0);
    if interval.is_none() {
        a.note("it does not say how long a sample lasts: samples are only counted".into());
    }
    let mut threads: Vec<&Value> = Vec::new();
    // Gecko's format has the other processes' profiles in it, each with its threads.
    let mut open = vec![&file];
    while let Some(process) = open.pop() {
        threads.extend(process["threads"].as_array().into_iter().flatten());
        open.extend(process["processes"].as_array().into_iter().flatten());
    }
    let several = threads.len() > 1;
    let (mut stackless, mut rounded) = (0, 0);
    for t in threads {
        let (name, tid) = (t["name"].as_str().unwrap_or(""), t["tid"].to_string());
        let labels = [("thread", name), ("tid", tid.trim_matches('"'))];
        let thread = Thread::new(t, &file["shared"]);
        let (kind, mut whole, counted) = match thread.samples.0["weightType"].as_str() {
            Some("bytes") => (a.kind("space", "bytes"), Whole::times_ten_to(0), false),
            Some("tracing-ms") => (a.kind("time", "nanoseconds"), Whole::times_ten_to(6), false),
            _ => (a.kind("samples", "count"), Whole::times_ten_to(0), true),
        };
        for i in 0..thread.samples.rows() {
            let weight = match thread.samples.get(i, "weight") {
                Value::Null => Some(Decimal::one()),
                Value::Number(n) => Decimal::of(n),
                _ => return Err(odd(NAME, "a weight is no number")),
            };
            let Some(stack) = thread.samples.index(i, "stack") else {
                stackless += 1;
                continue;
            };
            let stack = thread.stack(&mut a, stack)?;
            let value = weight.and_then(|w| whole.value(w));
            let mut values = vec![(kind, value)];
            if let Some(interval) = interval.filter(|_| counted) {
                let nanos = value.map(|v| v as f64 * interval * 1e6).filter(|n| n.abs() < i64::MAX as f64);
                values.push((a.kind("time", "nanoseconds"), nanos.map(|n| n as i64)));
            }
            a.add(&stack, if several { &labels } else { &[] }, &values)?;
        }
        rounded += whole.rounded;
    }
    a.note_of(stackless, "sample has no stack and was left out", "samples have no stack and were left out");
    a.note_of(rounded, "weight was rounded", "weights were rounded; their sum is right");
    Ok(a.finish())
}

/// A table in either form: lists by column, or rows with a schema that says which column is where.
#[derive(Clone, Copy)]
struct Table<'a>(&'a Value);

impl<'a> Table<'a> {
    fn rows(self) -> usize {
        match &self.0["data"] {
            Value::Array(rows) => rows.len(),
            _ => match self.0["length"].as_u64() {
                // A damaged file may say any length; its columns have no more than they have.
                Some(n) => self.0.as_object().map_or(0, |o| {
                    let longest = o.values().filter_map(|v| v.as_array().map(Vec::len)).max().unwrap_or(0);
                    longest.min(usize::try_from(n).unwrap_or(usize::MAX))
                }),
                None => self.0["stack"].as_array().map_or(0, Vec::len),
            },
        }
    }

    fn get(self, row: usize, column: &str) -> &'a Value {
        match &self.0["data"] {
            Value::Array(rows) => match self.0["schema"][column].as_u64().and_then(|c| usize::try_from(c).ok()) {
                Some(c) => rows.get(row).map_or(&Value::Null, |r| r.get(c).unwrap_or(&Value::Null)),
                None => &Value::Null,
            },
            _ => self.0[column].get(row).unwrap_or(&Value::Null),
        }
    }

    fn number(self, row: usize, column: &str) -> Option<f64> {
        self.get(row, column).as_f64()
    }

    fn index(self, row: usize, column: &str) -> Option<usize> {
        self.get(row, column).as_u64().and_then(|n| usize::try_from(n).ok())
    }
}

/// The tables of a thread; newer files have most of them once for all threads.
struct Thread<'a> {
    samples: Table<'a>,
    stacks: Table<'a>,
    frames: Table<'a>,
    funcs: Table<'a>,
    sources: Table<'a>,
    strings: &'a Value,
}

impl<'a> Thread<'a> {
    fn new(t: &'a Value, shared: &'a Value) -> Thread<'a> {
        let of = |name: &str| if t[name].is_null() { &shared[name] } else { &t[name] };
        let strings = ["stringArray", "stringTable"].into_iter().map(of).find(|v| v.is_array());
        Thread {
            samples: Table(&t["samples"]),
            stacks: Table(of("stackTable")),
            frames: Table(of("frameTable")),
            funcs: Table(of("funcTable")),
            sources: Table(of("sources")),
            strings: strings.unwrap_or(&Value::Null),
        }
    }

    /// A string of the thread's table; an empty one where none is named.
    fn string(&self, i: Option<usize>) -> Result<&'a str, Error> {
        let Some(i) = i else { return Ok("") };
        self.strings.get(i).and_then(Value::as_str).ok_or_else(|| odd(NAME, format!("there is no string {i}")))
    }

    /// The places of a stack, leaf first.
    fn stack(&self, a: &mut Assembler, stack: usize) -> Result<Vec<u64>, Error> {
        let mut out = Vec::new();
        let mut at = Some(stack);
        while let Some(i) = at {
            let frame = self.stacks.index(i, "frame").ok_or_else(|| odd(NAME, format!("stack {i} has no frame")))?;
            let place = self.place(a, frame)?;
            out.push(place);
            at = self.stacks.index(i, "prefix");
            if out.len() > DEEPEST {
                return Err(odd(NAME, "its stacks are in a circle"));
            }
        }
        Ok(out)
    }

    fn place(&self, a: &mut Assembler, frame: usize) -> Result<u64, Error> {
        let line = self.frames.number(frame, "line").map_or(0, |n| n as i64);
        let column = self.frames.number(frame, "column").map_or(0, |n| n as i64);
        // Gecko writes a function and where it stands as one: `name (file:line:column)`.
        let location = self.frames.index(frame, "location");
        match self.frames.index(frame, "func") {
            Some(func) => {
                let name = self.funcs.index(func, "name");
                let name = self.string(Some(name.ok_or_else(|| odd(NAME, format!("there is no function {func}")))?))?;
                let file = match self.funcs.index(func, "source") {
                    Some(source) => self.string(self.sources.index(source, "filename"))?,
                    None => self.string(self.funcs.index(func, "fileName"))?,
                };
                Ok(a.call(name, file, line, column))
            }
            None if location.is_some() => Ok(a.call(self.string(location)?, "", line, column)),
            None => Err(odd(NAME, format!("there is no frame {frame}"))),
        }
    }
}
