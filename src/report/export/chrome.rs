//! The JSON of Chrome's trace viewer, which Perfetto's UI and speedscope read as well: an object with `traceEvents`, of
//! which each is one slice (`X`), instant (`i`), value (`C`), end of a flow (`s`, `f`) or name (`M`). Times are in µs,
//! from the trace's start.

use super::lanes::{Draw, Drawn, Lanes, Slice, Track, groups};
use super::lines::json;
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::tables;
use crate::base::{GroupId, StackId, Time};
use crate::model::Index;
use rustc_hash::{FxHashMap, FxHashSet};
use std::io::{self, Write};

/// The process that stands for what is not of one group of goroutines.
const RUNTIME: u64 = 1;

struct Chrome<'a> {
    index: &'a Index,
    out: &'a mut dyn Write,
    groups: FxHashMap<i64, (GroupId, &'a str)>,
    named: FxHashSet<Track>,
    processes: FxHashSet<u64>,
    result: io::Result<()>,
    first: bool,
}

impl Chrome<'_> {
    fn put(&mut self, event: &str) {
        if self.result.is_ok() {
            let comma = if std::mem::take(&mut self.first) { "" } else { ",\n" };
            self.result = write!(self.out, "{comma}{event}");
        }
    }

    /// µs from the trace's start.
    fn at(&self, t: Time) -> String {
        let ns = (t - self.index.start).ns();
        let sign = if ns < 0 { "-" } else { "" };
        format!("{sign}{}.{:03}", ns.unsigned_abs() / 1000, ns.unsigned_abs() % 1000)
    }

    /// The process and the thread of a track, which are named when they are met.
    fn place(&mut self, track: Track) -> String {
        let group = track.goroutine().and_then(|g| self.groups.get(&g).copied());
        let (pid, process) = match (track, group) {
            (_, Some((id, name))) if id.is_some() => (u64::from(id.0) + 10, name),
            (_, Some(_)) => (9, "goroutines without a stack"),
            (Track::Task(_), _) => (8, "tasks"),
            _ => (RUNTIME, "runtime"),
        };
        // Threads are told apart by numbers of 53 bits at most.
        let tid = (track.id() >> 56) << 44 | track.id() & ((1 << 44) - 1);
        if self.processes.insert(pid) {
            let name = json(if process.is_empty() { "goroutines without a stack" } else { process });
            self.put(&format!(r#"{{"ph":"M","name":"process_name","pid":{pid},"args":{{"name":{name}}}}}"#));
        }
        if self.named.insert(track) {
            let name = json(&track.name());
            self.put(&format!(r#"{{"ph":"M","name":"thread_name","pid":{pid},"tid":{tid},"args":{{"name":{name}}}}}"#));
        }
        format!(r#""pid":{pid},"tid":{tid}"#)
    }
}

impl Draw for Chrome<'_> {
    fn slice(&mut self, s: &Slice) {
        let place = self.place(s.track);
        let (from, dur) = (self.at(s.from), (s.to - s.from).ns().max(0));
        let args: Vec<String> = s.args.iter().map(|(k, v)| format!("{}:{}", json(k), json(v))).collect();
        let name = json(s.name);
        self.put(&format!(
            r#"{{"ph":"X","name":{name},{place},"ts":{from},"dur":{}.{:03},"args":{{{}}}}}"#,
            dur / 1000,
            dur % 1000,
            args.join(",")
        ));
        if let Some(flow) = s.flow {
            self.put(&format!(
                r#"{{"ph":"f","bp":"e","cat":"unblock","name":"unblock","id":{flow},{place},"ts":{from}}}"#
            ));
        }
    }

    fn instant(&mut self, track: Track, name: &str, at: Time, flow: Option<u64>) {
        let place = self.place(track);
        let (name, at) = (json(name), self.at(at));
        self.put(&format!(r#"{{"ph":"i","s":"t","name":{name},{place},"ts":{at}}}"#));
        if let Some(flow) = flow {
            self.put(&format!(r#"{{"ph":"s","cat":"unblock","name":"unblock","id":{flow},{place},"ts":{at}}}"#));
        }
    }

    fn counter(&mut self, name: &str, at: Time, value: i64) {
        let (name, at) = (json(name), self.at(at));
        self.put(&format!(
            r#"{{"ph":"C","name":{name},"pid":{RUNTIME},"tid":0,"ts":{at},"args":{{"value":{value}}}}}"#
        ));
    }

    fn sample(&mut self, at: Time, m: Option<i64>, p: Option<i64>, stack: Option<StackId>) {
        let place = match p {
            Some(p) => self.place(Track::Proc(p)),
            None => format!(r#""pid":{RUNTIME},"tid":{}"#, m.unwrap_or(0)),
        };
        let dict = &self.index.dict;
        let line = stack.and_then(|s| dict.user_line(s)).map(|f| format!("{}:{}", dict.func_name(f.func), f.line));
        let (at, line) = (self.at(at), json(&line.unwrap_or_default()));
        self.put(&format!(
            r#"{{"ph":"i","s":"t","cat":"cpu","name":"CPU sample",{place},"ts":{at},"args":{{"at":{line}}}}}"#
        ));
    }

    fn failed(&self) -> bool {
        self.result.is_err()
    }
}

/// Writes what lies in the window of a trace. The outer error is one of reading it.
///
/// # Errors
///
/// A segment that cannot be decoded; or `out` cannot be written.
pub fn write<S: Source>(
    source: &S,
    index: &Index,
    window: (Time, Time),
    out: &mut dyn Write,
) -> Result<io::Result<Drawn>, Unanswered> {
    let mut draw = Chrome {
        index,
        out,
        groups: groups(index),
        named: FxHashSet::default(),
        processes: FxHashSet::default(),
        result: Ok(()),
        first: true,
    };
    draw.result = draw.out.write_all(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
    let mut lanes = Lanes::new(index, window, draw);
    let wanted = lanes.wanted();
    tables::each(source, "", wanted, &mut lanes)?;
    let drawn = lanes.drawn();
    let Chrome { out, result, .. } = lanes.draw;
    Ok(result.and_then(|()| out.write_all(b"\n]}\n")).map(|()| drawn))
}
