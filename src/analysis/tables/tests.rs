//! The tables agree with the summary of the same trace, over all traces of the repository.

use super::{Cell, Column, Sink, Table, Type, Wanted, each};
use crate::analysis::summary::{Summary, summarize};
use crate::base::{Duration, Time};
use crate::input::Bytes;
use crate::model::Index;
use crate::read::Trace;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Rows, by table.
#[derive(Default)]
struct Kept(BTreeMap<Table, Vec<Vec<Cell>>>);

impl Sink for Kept {
    fn row(&mut self, table: Table, cells: &[Cell]) {
        let columns = table.columns();
        assert_eq!(cells.len(), columns.len(), "{}", table.name());
        for (cell, column) in cells.iter().zip(columns) {
            let fits = match cell {
                Cell::Null => true,
                Cell::Int(_) => column.of == Type::Int,
                Cell::Bool(_) => column.of == Type::Bool,
                Cell::Word(_) | Cell::Str(_) | Cell::Own(_) => column.of == Type::Text,
            };
            assert!(fits, "{}.{}: {cell:?}", table.name(), column.name);
        }
        self.0.entry(table).or_default().push(cells.to_vec());
    }
}

fn at(table: Table, name: &str) -> usize {
    let found = table.columns().iter().position(|c: &Column| c.name == name);
    found.unwrap_or_else(|| panic!("{} has no {name}", table.name()))
}

impl Kept {
    fn rows(&self, t: Table) -> &[Vec<Cell>] {
        self.0.get(&t).map_or(&[], Vec::as_slice)
    }

    /// How many rows there are of each text, made of these columns, and the sum of a number of theirs.
    fn sums(&self, index: &Index, t: Table, by: &[&str], sum: Option<&str>) -> BTreeMap<String, (u64, i64)> {
        let mut out: BTreeMap<String, (u64, i64)> = BTreeMap::new();
        for row in self.rows(t) {
            let key: Vec<&str> = by.iter().map(|c| row[at(t, c)].text(index).unwrap_or("")).collect();
            let n = sum.map_or(0, |c| number(&row[at(t, c)]));
            let e = out.entry(key.join("->")).or_default();
            *e = (e.0 + 1, e.1 + n);
        }
        out
    }
}

fn number(c: &Cell) -> i64 {
    match c {
        Cell::Int(n) => *n,
        Cell::Bool(b) => i64::from(*b),
        _ => 0,
    }
}

fn open(path: &Path) -> Trace {
    let bytes = std::fs::read(path).unwrap();
    let trace = Trace::open("trace", Bytes::Memory(bytes.into())).unwrap();
    trace.load(&|_| {}, &AtomicBool::new(false));
    trace
}

fn all(trace: &Trace, wanted: Wanted) -> Kept {
    let mut kept = Kept::default();
    each(trace, "trace", wanted, &mut kept).unwrap();
    kept
}

/// The traces of the repository.
fn traces() -> Vec<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dirs = [root.join("sample-traces"), root.join("tests/data")];
    let files = dirs.iter().flat_map(|d| std::fs::read_dir(d).unwrap().map(|e| e.unwrap().path()));
    let mut out: Vec<_> = files
        .filter(|p| {
            let name = p.file_name().unwrap().to_string_lossy();
            name.ends_with(".trace") || name.ends_with("trace.out")
        })
        .collect();
    out.sort();
    assert!(out.len() > 20, "{out:?}");
    out
}

fn agree(path: &Path, kept: &Kept, index: &Index, s: &Summary) {
    let path = path.display();
    assert_eq!(kept.rows(Table::Events).len() as u64, s.events, "{path}");
    assert_eq!(kept.rows(Table::Samples).len() as u64, s.cpu_samples, "{path}");
    let counts = |m: BTreeMap<String, (u64, i64)>| m.into_iter().map(|(k, v)| (k, v.0)).collect::<BTreeMap<_, _>>();

    // What is restated has no row, and what is under way at the end no state after it.
    let changes = |m: &BTreeMap<String, u64>| {
        let mut out: BTreeMap<String, u64> = BTreeMap::new();
        for (k, n) in m {
            let (from, to) = k.split(' ').next().unwrap().split_once("->").unwrap();
            if from != to {
                *out.entry(format!("{from}->{to}")).or_default() += n;
            }
        }
        out
    };
    let rows = |t| {
        let mut m = counts(kept.sums(index, t, &["from_state", "to_state"], None));
        m.retain(|k, _| !k.ends_with("->"));
        m
    };
    assert_eq!(rows(Table::Transitions), changes(&s.goroutine_transitions), "{path}");
    let mut procs = rows(Table::ProcTransitions);
    procs.retain(|k, _| k.split_once("->").is_none_or(|(a, b)| a != b));
    assert_eq!(procs, changes(&s.proc_transitions), "{path}");

    let t = Table::Ranges;
    let ended: Vec<_> = kept.rows(t).iter().filter(|r| r[at(t, "ended")] == Cell::Bool(true)).cloned().collect();
    let ended = Kept(BTreeMap::from([(t, ended)])).sums(index, t, &["name"], Some("duration_ns"));
    let mut want: BTreeMap<String, (u64, i64)> =
        s.ranges.iter().map(|(k, r)| (k.clone(), (r.count, r.total_ns))).collect();
    want.retain(|_, r| r.0 > 0);
    assert_eq!(ended, want, "{path}");

    let metrics = counts(kept.sums(index, Table::Metrics, &["name"], None));
    assert_eq!(metrics, s.metrics.iter().map(|(k, m)| (k.clone(), m.count)).collect(), "{path}");
    assert_eq!(counts(kept.sums(index, Table::Logs, &["category"], None)), s.logs, "{path}");
    for (t, want) in [(Table::Tasks, &s.tasks), (Table::Regions, &s.regions)] {
        let mut got = counts(kept.sums(index, t, &["name"], None));
        got.remove("");
        let mut want: BTreeMap<String, u64> = want.iter().map(|(k, f)| (k.clone(), f.count)).collect();
        want.remove("");
        assert_eq!(got, want, "{path}: {}", t.name());
    }
    let links: u64 = kept.rows(Table::Links).iter().map(|r| number(&r[at(Table::Links, "waits")]) as u64).sum();
    assert_eq!(links, s.links.iter().map(|l| l.count).sum::<u64>(), "{path}");
    let total: i64 = kept.rows(Table::Links).iter().map(|r| number(&r[at(Table::Links, "total_ns")])).sum();
    assert_eq!(total, s.links.iter().map(|l| l.total_ns).sum::<i64>(), "{path}");

    let t = Table::Goroutines;
    assert_eq!(kept.rows(t).len() as u64, s.goroutines, "{path}");
    assert_eq!(kept.rows(Table::TraceSummary).len(), 1, "{path}");
}

#[test]
fn rows_and_sums_are_those_of_the_summary() {
    for path in traces() {
        let trace = open(&path);
        let kept = all(&trace, Wanted::of(Table::ALL));
        let index = trace.index();
        agree(&path, &kept, &index, &summarize(&index));
        if index.recordings.len() > 1 {
            continue;
        }
        // All that a goroutine's stretches last is its life, in each state.
        let t = Table::Transitions;
        for (state, column) in [("Running", "running_ns"), ("Runnable", "runnable_ns"), ("Waiting", "waiting_ns")] {
            let got = kept.sums(&index, t, &["from_state"], Some("duration_ns")).get(state).map_or(0, |s| s.1);
            let g = Table::Goroutines;
            let want: i64 = kept.rows(g).iter().map(|r| number(&r[at(g, column)])).sum();
            assert_eq!(got, want, "{}: {state}", path.display());
        }
    }
}

#[test]
fn ids_are_known_and_stand_for_one_thing() {
    let trace = open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-traces/trace.out"));
    let kept = all(&trace, Wanted::of(Table::ALL));
    let column = |t: Table, c: &str| -> Vec<i64> {
        kept.rows(t).iter().filter(|r| r[at(t, c)] != Cell::Null).map(|r| number(&r[at(t, c)])).collect()
    };
    let unique = |t, c| {
        let all = column(t, c);
        let set: std::collections::BTreeSet<i64> = all.iter().copied().collect();
        assert_eq!(set.len(), all.len(), "{c}");
        set
    };
    let stacks = unique(Table::Stacks, "stack_id");
    let functions = unique(Table::Functions, "function_id");
    for (t, c) in [
        (Table::Events, "stack_id"),
        (Table::Transitions, "stack_id"),
        (Table::Transitions, "waker_stack_id"),
        (Table::Samples, "stack_id"),
        (Table::Goroutines, "created_stack_id"),
        (Table::Links, "waker_stack_id"),
    ] {
        assert!(column(t, c).iter().all(|s| stacks.contains(s)), "{}.{c}", t.name());
    }
    for (t, c) in [(Table::Stacks, "function_id"), (Table::Frames, "function_id"), (Table::Goroutines, "function_id")] {
        assert!(column(t, c).iter().all(|f| functions.contains(f)), "{}.{c}", t.name());
    }
    let depths: i64 = column(Table::Stacks, "depth").iter().sum();
    assert_eq!(depths as usize, kept.rows(Table::Frames).len());

    // Another run of the same program, of another build: what both name has one id.
    let other = open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-traces/fixed-trace.out"));
    let others = all(&other, Wanted::of(&[Table::Functions]));
    let names = |k: &Kept, index: &Index| -> BTreeMap<(String, String), i64> {
        let text = |c: &Cell| c.text(index).unwrap_or_default().to_owned();
        k.rows(Table::Functions).iter().map(|r| ((text(&r[1]), text(&r[2])), number(&r[0]))).collect()
    };
    let (a, b) = (names(&kept, &trace.index()), names(&others, &other.index()));
    let both: Vec<_> = a.iter().filter_map(|(k, x)| Some((x, b.get(k)?))).collect();
    assert!(both.len() > 50 && both.iter().all(|(x, y)| x == y), "{}", both.len());
    assert_ne!(trace.digest(), other.digest());
}

#[test]
fn a_window_and_a_goroutine_leave_the_others_out() {
    let trace = open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-traces/trace.out"));
    let index = trace.index();
    let middle = index.start + Duration(index.duration().ns() / 2);
    let to = middle + Duration(10_000_000);
    drop(index);
    let tables = [Table::Events, Table::Transitions];
    let whole = all(&trace, Wanted::of(&tables));
    let some = all(&trace, Wanted { from: middle, to, go: Some(8), ..Wanted::of(&tables) });
    let inside = |r: &&Vec<Cell>, g, from, to_column| {
        r[g] == Cell::Int(8) && number(&r[to_column]) >= middle.0 && Time(number(&r[from])) < to
    };
    let t = Table::Transitions;
    let (g, from, end) = (at(t, "g"), at(t, "start_ns"), at(t, "end_ns"));
    let want: Vec<_> = whole.rows(t).iter().filter(|r| inside(r, g, from, end)).cloned().collect();
    assert!(!want.is_empty());
    assert_eq!(some.rows(t), want);
    let t = Table::Events;
    let (g, time) = (at(t, "g"), at(t, "time_ns"));
    let want: Vec<_> = whole.rows(t).iter().filter(|r| inside(r, g, time, time)).cloned().collect();
    assert!(!want.is_empty());
    assert_eq!(some.rows(t), want);
}

#[test]
fn names_are_of_one_form_and_no_column_is_twice() {
    for t in Table::ALL {
        let mut names: Vec<&str> = t.columns().iter().map(|c| c.name).collect();
        names.push(super::TRACE_ID.name);
        let plain = |n: &&str| n.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        assert!(names.iter().all(plain) && plain(&t.name()), "{}", t.name());
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), t.columns().len() + 1, "{}", t.name());
        assert_eq!(Table::named(t.name()), Some(*t));
    }
}
