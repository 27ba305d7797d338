//! What SQL answers, and what it does not.

use super::{Limits, SqlError, ask};
use crate::analysis::summary::summarize;
use crate::analysis::tables::Value;
use crate::input::Bytes;
use crate::read::Trace;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

fn open(name: &str) -> (String, Arc<Trace>) {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-traces").join(name)).unwrap();
    let trace = Trace::open(name, Bytes::Memory(bytes.into())).unwrap();
    trace.load(&|_| {}, &AtomicBool::new(false));
    (format!("{:016x}", trace.digest()), Arc::new(trace))
}

const LIMITS: Limits = Limits { until: None, memory: 256 << 20 };

type Answer = Result<Vec<Vec<Value>>, SqlError>;

fn within(limits: Limits, traces: &[(String, Arc<Trace>)], sql: &str) -> Answer {
    let mut out = Vec::new();
    ask(traces.to_vec(), sql, limits, &Arc::default(), &mut |_| {}, &mut |r| {
        out.push(r.to_vec());
        true
    })?;
    Ok(out)
}

fn one(traces: &[(String, Arc<Trace>)], sql: &str) -> i64 {
    match &within(LIMITS, traces, sql).unwrap()[..] {
        [row] => match row[..] {
            [Value::Int(n)] => n,
            _ => panic!("{sql}: {row:?}"),
        },
        rows => panic!("{sql}: {rows:?}"),
    }
}

#[test]
fn answers_agree_with_the_summary_and_join() {
    let traces = [open("trace.out"), open("fixed-trace.out")];
    let facts: Vec<_> = traces.iter().map(|t| summarize(&t.1.index())).collect();
    let events = facts.iter().map(|f| f.events as i64).sum::<i64>();
    assert_eq!(one(&traces, "select count(*) from events"), events);
    for ((id, _), f) in traces.iter().zip(&facts) {
        assert_eq!(one(&traces, &format!("select count(*) from events where trace_id = '{id}'")), f.events as i64);
    }
    // A join looks stacks and functions up by their ids.
    let sql = "select f.name, count(*) from samples s join functions f using (trace_id, function_id) group by 1";
    let mut got = within(LIMITS, &traces[..1], sql).unwrap();
    let mut want: Vec<Vec<Value>> =
        facts[0].cpu_samples_by_leaf.iter().map(|(k, n)| vec![Value::Text(k.clone()), Value::Int(*n as i64)]).collect();
    let key = |r: &Vec<Value>| format!("{r:?}");
    got.sort_by_key(key);
    want.sort_by_key(key);
    assert_eq!(got, want);
    let mapassign: u64 = facts[0].mapassign_samples_by_caller_line.values().sum();
    let sql = "select count(distinct s.no) from samples s join frames f on f.stack_id = s.stack_id \
               where f.function like 'runtime.mapassign%'";
    assert_eq!(one(&traces[..1], sql), mapassign as i64);
}

#[test]
fn what_is_pushed_down_leaves_no_row_out() {
    let traces = [open("trace.out")];
    let (start, end) = (traces[0].1.index().start.0, traces[0].1.index().end.0);
    let middle = start + (end - start) / 2;
    // A sum hides the column from the plan.
    for (table, column) in [
        ("events", "time_ns"),
        ("transitions", "start_ns"),
        ("transitions", "end_ns"),
        ("ranges", "start_ns"),
        ("proc_transitions", "end_ns"),
        ("samples", "time_ns"),
        ("goroutines", "start_ns"),
        ("regions", "end_ns"),
    ] {
        for op in ["<", "<=", ">", ">=", "="] {
            let at = match op {
                "=" => one(&traces, &format!("select max({column}) from {table} where {column} + 0 < {middle}")),
                _ => middle,
            };
            let down = one(&traces, &format!("select count(*) from {table} where {column} {op} {at}"));
            let not = one(&traces, &format!("select count(*) from {table} where {column} + 0 {op} {at}"));
            assert_eq!(down, not, "{table}.{column} {op}");
            assert!(down > 0, "{table}.{column} {op} says nothing");
        }
    }
    for table in ["events", "transitions", "samples", "regions", "logs", "goroutines"] {
        let down = one(&traces, &format!("select count(*) from {table} where g = 8"));
        assert_eq!(down, one(&traces, &format!("select count(*) from {table} where g + 0 = 8")), "{table}");
    }
    assert_eq!(one(&traces, "select count(*) from events where g is null or time_ns > 'x'"), {
        one(&traces, "select count(*) from events where g + 0 is null or time_ns > 'x'")
    });
}

#[test]
fn what_is_grouped_before_sqlite_sees_it_is_what_sqlite_would_have_grouped() {
    let traces = [open("trace.out"), open("go1.22-trace.out")];
    let plan = |sql: &str| format!("{:?}", within(LIMITS, &traces, &format!("explain query plan {sql}")).unwrap());
    for (table, by, of) in [
        ("transitions", "from_state", "duration_ns"),
        ("transitions", "reason, complete, to_state", "start_ns"),
        ("transitions", "waker_stack_id", "no"),
        ("events", "kind, p", "length(detail)"),
        ("events", "trace_id, g", "arg"),
        ("goroutines", "function, created", "events"),
        ("logs", "category", "length(message)"),
        ("stacks", "user_file", "depth"),
    ] {
        // A plus hides a column from the plan.
        let hidden = by.split(", ").map(|c| format!("+{c}")).collect::<Vec<_>>().join(", ");
        let of = |by: &str| format!("select {by}, count(*), sum({of}) from {table} group by {by}");
        assert!(!plan(&of(by)).contains("TEMP B-TREE") && plan(&of(&hidden)).contains("TEMP B-TREE"), "{by}");
        let got = within(LIMITS, &traces, &of(by)).unwrap();
        assert!(got.len() > 1 && got == within(LIMITS, &traces, &of(&hidden)).unwrap(), "{table} by {by}");
        let of = |by: &str| format!("select {by} from {table} order by {}", by.replace(',', " desc,"));
        assert_eq!(within(LIMITS, &traces, &of(by)), within(LIMITS, &traces, &of(&hidden)), "{table} by {by}");
    }
    let distinct = |what| one(&traces, &format!("select count(*) from (select distinct {what} from events)"));
    assert_eq!(distinct("kind, m"), distinct("+kind, +m"));
    // Where there is no room for all rows SQLite gets them as they come.
    let little = Limits { memory: 1 << 20, ..LIMITS };
    let sql = "explain query plan select kind, sum(no) from events group by 1";
    assert!(format!("{:?}", within(little, &traces, sql)).contains("TEMP B-TREE"));
}

#[test]
fn only_queries_are_answered() {
    let traces = [open("go1.22-trace.out")];
    for sql in [
        "attach 'x.db' as x",
        "create table x(a)",
        "create temp table x(a)",
        "create view v as select 1",
        "create virtual table x using events",
        "insert into events(no) values (1)",
        "delete from events",
        "update events set no = 1",
        "drop table events",
        "pragma hard_heap_limit = 0",
        "select * from pragma_table_info('events')",
        "select load_extension('x')",
        "vacuum",
        "vacuum into 'x.db'",
        "begin",
        "analyze",
    ] {
        let got = within(LIMITS, &traces, sql);
        assert!(matches!(got, Err(SqlError::Query { .. })), "{sql}: {got:?}");
    }
    assert!(!Path::new("x.db").exists());
    let said = |sql| match within(LIMITS, &traces, sql) {
        Err(SqlError::Query { message, at }) => (message, at.map(|s| (s.start, s.end))),
        other => panic!("{sql}: {other:?}"),
    };
    assert_eq!(said("select 1; select 2"), ("one query at a time".into(), None));
    assert_eq!(said("select kindd from events").1, Some((7, 12)));
    assert!(said("select * from event").0.contains("no such table: event"));
    assert!(said("attach 'x.db' as x").0.contains("only queries are answered"));
    assert_eq!(said("select count(* from events").1.map(|s| s.0), Some(15));
}

#[test]
fn a_query_ends_when_its_time_does() {
    let traces = [open("trace.out")];
    let now = Limits { until: Some(Instant::now()), ..LIMITS };
    let forever = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    assert_eq!(within(now, &traces, forever), Err(SqlError::Timeout));
    assert_eq!(within(now, &traces, "select count(*) from events where kind = 'x'"), Err(SqlError::Timeout));
}
