//! Who waited for whom, in one trace or summed up over several, as text and as JSON.

use crate::analysis::waits::links::Party;
use crate::analysis::waits::links::table::{Longest, Named, Row, Table};
use crate::analysis::waits::standing::Standing;
use crate::base::{Duration, text, time};
use crate::model::dict::short_func;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Idle waits that are listed, at most.
const IDLE: usize = 10;

/// Writes the first `limit` links, then the knots, then how to ask about the longest wait of the link that cost most, of
/// those that goroutines ended again and again. Waits of the runtime's own goroutines are left out but for `all`.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(table: &Table, all: bool, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    let shown: Vec<_> = table.rows.iter().filter(|(_, r)| all || r.users).collect();
    let hidden = table.rows.len() - shown.len();
    if table.traces > 1 {
        writeln!(out, "{} traces\n", table.traces)?;
    }
    writeln!(
        out,
        "{:>8} {:>8} {:>8} {:>8}  waited for · who waited, where ← who ended it, where",
        "total", "waits", "p99", "max"
    )?;
    let (stalls, idle): (Vec<_>, Vec<_>) = shown.iter().partition(|(_, r)| r.standing == Standing::Stall);
    rows(&stalls, limit, out)?;
    if table.rows.is_empty() {
        writeln!(out, "{:>35}  no waits", "")?;
    }
    if !idle.is_empty() {
        writeln!(out, "\n{:>35}  idle: waiting for work, for connections, for a clock", "")?;
        rows(&idle, limit.min(IDLE), out)?;
    }
    if hidden > 0 {
        writeln!(out, "{:>35}  {hidden} of the runtime's own goroutines not shown (--all)", "")?;
    }
    for k in &table.knots {
        let names: Vec<String> = k.groups.iter().map(|g| short(g)).collect();
        writeln!(
            out,
            "\nknot: {} keep waiting for each other, {} times, {} in all; they bound each other's throughput",
            names.join(", "),
            text::count(k.waits),
            k.total
        )?;
        for (a, b, n, d) in k.between.iter().take(6) {
            writeln!(out, "{:>8} {:>8}  {} ← {}", d.to_string(), text::count(*n), short(a), short(b))?;
        }
    }
    hint(table, out)
}

/// Writes the first `limit` rows, and how many more there are.
fn rows(all: &[&&(Named, Row)], limit: usize, out: &mut dyn Write) -> io::Result<()> {
    for (k, r) in all.iter().take(limit).map(|r| (&r.0, &r.1)) {
        let (total, p99, max) = (r.total.to_string(), r.p99().to_string(), r.max.to_string());
        writeln!(out, "{total:>8} {:>8} {p99:>8} {max:>8}  {}", text::count(r.count), words(k, r))?;
    }
    if all.len() > limit {
        let rest: Duration = all[limit..].iter().map(|r| r.1.total).sum();
        writeln!(out, "{:>8} {:>26}  {} more (--limit)", rest.to_string(), "", all.len() - limit)?;
    }
    Ok(())
}

/// What a row's waits have in common, safe to show: for what, who where, ended by whom where.
pub(super) fn words(k: &Named, r: &Row) -> String {
    let open = match (r.open, k.ended_by) {
        (0, _) => String::new(),
        (n, "nobody") => format!(" · {} unfinished", text::count(n)),
        (n, _) => format!(" · {} since before the trace", text::count(n)),
    };
    format!(
        "{} · {}{} ← {}{}{open}",
        text::escape(&k.reason),
        short(&k.waiter),
        spaced(&k.at.line),
        ended_by(k),
        spaced(&k.waker_at.line)
    )
}

fn hint(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let by_goroutines = |(k, r): &&(Named, Row)| r.users && r.standing == Standing::Stall && k.ended_by == "goroutine";
    let Some((k, r)) = table.rows.iter().filter(by_goroutines).max_by_key(|(_, r)| (r.count > 1, r.total)) else {
        return Ok(());
    };
    if r.max <= Duration::ZERO {
        return Ok(());
    }
    let Longest { trace, g: Some(g), offset, .. } = &r.longest else { return Ok(()) };
    // Both ends of what is shorter than a few of the usual digits would read the same.
    let digits = if r.max < Duration(1_000_000) { Duration(1) } else { Duration(1000) };
    let at = |t| time::offset(t, digits);
    // A name that a shell would not leave as it is has to be written by the user.
    let plain = trace.chars().all(|c| c.is_ascii_alphanumeric() || "._-/+".contains(c)) && !trace.starts_with('-');
    let file = if plain && !trace.is_empty() { trace.as_str() } else { "FILE" };
    let (from, to) = (at(*offset), at(*offset + r.max));
    let of = format!("{} by {}{}", text::escape(&k.reason), short(&k.waiter), spaced(&k.at.line));
    writeln!(out, "\nthe longest {of}: gotrail why {file} -g {g} --from {from} --to {to}")
}

/// The links and knots as JSON; all times in ns. In a sum of several traces the longest wait says which it is in.
pub fn json(table: &Table) -> Value {
    let links: Vec<Value> = table
        .rows
        .iter()
        .map(|(k, r)| {
            let mut o = json!({
                "waiting": k.waiter,
                "waiter_at": k.at.full,
                "reason": k.reason,
                "ended_by": k.ended_by,
                "waker": k.waker,
                "waker_at": k.waker_at.full,
                "idle": r.standing == Standing::Idle,
                "count": r.count,
                "open": r.open,
                "total_ns": r.total.ns(),
                "p99_ns": r.p99().ns(),
                "max_ns": r.max.ns(),
                "longest_event": r.longest.event,
                "longest_g": r.longest.g,
                "longest_from_ns": r.longest.from_ns,
            });
            if table.traces > 1 {
                o["longest_in"] = json!(r.longest.trace);
            }
            o
        })
        .collect();
    let between =
        |b: &(String, String, u64, Duration)| json!({"waiting": b.0, "waker": b.1, "count": b.2, "total_ns": b.3.ns()});
    let knots: Vec<Value> = table
        .knots
        .iter()
        .map(|k| {
            let waits: Vec<Value> = k.between.iter().map(between).collect();
            json!({"groups": k.groups, "count": k.waits, "total_ns": k.total.ns(), "between": waits})
        })
        .collect();
    json!({"links": links, "knots": knots})
}

/// A group's name, short and safe to show.
fn short(name: &str) -> String {
    if name.is_empty() { "(not known)".into() } else { text::escape(short_func(name)).into_owned() }
}

/// Who ended the waits of a row, short and safe to show.
fn ended_by(k: &Named) -> String {
    Party::words_of(k.ended_by).map_or_else(|| short(&k.waker), str::to_owned)
}

fn spaced(s: &str) -> String {
    if s.is_empty() { String::new() } else { format!(" {s}") }
}
