//! Who waited for whom, as a table and as JSON.

use super::why::group_name;
use crate::analysis::knots::Knot;
use crate::analysis::links::{Edge, Links, Party};
use crate::base::{Duration, text, time};
use crate::store::Index;
use crate::store::commit::is_system;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Whether an edge's waiter is one of the user's goroutines.
pub fn is_users(index: &Index, e: &Edge) -> bool {
    let name = index.group_name(e.key.waiter);
    !is_system(name) && !name.starts_with("runtime/")
}

/// Who ended the waits of an edge, short and safe to show.
pub fn party(index: &Index, p: Party) -> String {
    match p {
        Party::Group(g) => group_name(index, g),
        other => other.name(index).to_owned(),
    }
}

/// Writes the first `limit` edges, then the knots. Waits of the runtime's own goroutines are left out but for `all`.
pub fn write(
    links: &Links,
    knots: &[Knot],
    index: &Index,
    all: bool,
    limit: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let shown: Vec<&Edge> = links.edges.iter().filter(|e| all || is_users(index, e)).collect();
    let hidden = links.edges.len() - shown.len();
    writeln!(
        out,
        "{:>8} {:>8} {:>8} {:>8}  waited for · who waited, where ← who ended it, where",
        "total", "waits", "p99", "max"
    )?;
    for e in shown.iter().take(limit) {
        let open = if e.open > 0 { format!(" · {} open", text::count(e.open)) } else { String::new() };
        let waker_at = spaced(links.places.line(index, e.key.waker_at));
        writeln!(
            out,
            "{:>8} {:>8} {:>8} {:>8}  {} · {}{} ← {}{}{open}",
            e.total.to_string(),
            text::count(e.count),
            e.p99.to_string(),
            e.max.to_string(),
            text::escape(&links.reason(e).name),
            group_name(index, e.key.waiter),
            spaced(links.places.line(index, e.key.at)),
            party(index, e.key.waker),
            waker_at,
        )?;
    }
    if shown.len() > limit {
        let rest: Duration = shown[limit..].iter().map(|e| e.total).sum();
        writeln!(out, "{:>8} {:>8} {:>8} {:>8}  {} more (--limit)", rest.to_string(), "", "", "", shown.len() - limit)?;
    }
    if hidden > 0 {
        writeln!(out, "{:>35}  {hidden} of the runtime's own goroutines not shown (--all)", "")?;
    }
    for k in knots {
        let names: Vec<String> = k.groups.iter().map(|&g| group_name(index, g)).collect();
        writeln!(
            out,
            "\nknot: {} keep waiting for each other, {} times, {} in all; they bound each other's throughput",
            names.join(", "),
            text::count(k.waits),
            k.total
        )?;
        for &(a, b, n, d) in k.between.iter().take(6) {
            writeln!(
                out,
                "{:>8} {:>8}  {} ← {}",
                d.to_string(),
                text::count(n),
                group_name(index, a),
                group_name(index, b)
            )?;
        }
    }
    Ok(())
}

fn spaced(s: String) -> String {
    if s.is_empty() { s } else { format!(" {s}") }
}

/// The edges and knots as JSON; all times in ns.
pub fn json(links: &Links, knots: &[Knot], index: &Index) -> Value {
    let edges: Vec<Value> = links.edges.iter().map(|e| edge(links, index, e)).collect();
    let knots: Vec<Value> = knots
        .iter()
        .map(|k| {
            let names: Vec<&str> = k.groups.iter().map(|&g| index.group_name(g)).collect();
            let between: Vec<Value> = k
                .between
                .iter()
                .map(|&(a, b, n, d)| {
                    json!({"waiting": index.group_name(a), "waker": index.group_name(b), "count": n, "total_ns": d.ns()})
                })
                .collect();
            json!({"groups": names, "count": k.waits, "total_ns": k.total.ns(), "between": between})
        })
        .collect();
    json!({"links": edges, "knots": knots})
}

fn edge(links: &Links, index: &Index, e: &Edge) -> Value {
    let (kind, waker) = match e.key.waker {
        Party::Group(g) => ("goroutine", index.group_name(g)),
        Party::Network => ("network", ""),
        Party::Timer => ("timer", ""),
        Party::Runtime => ("runtime", ""),
        Party::Nobody => ("nobody", ""),
    };
    json!({
        "waiting": index.group_name(e.key.waiter),
        "waiter_at": links.places.full(index, e.key.at),
        "reason": links.reason(e).name,
        "ended_by": kind,
        "waker": waker,
        "waker_at": links.places.full(index, e.key.waker_at),
        "count": e.count,
        "open": e.open,
        "total_ns": e.total.ns(),
        "p99_ns": e.p99.ns(),
        "max_ns": e.max.ns(),
        "longest_event": e.longest,
        "longest_g": index.goroutine(e.longest_go).map(|g| g.id.0),
        "longest_from_ns": e.longest_from.0,
    })
}

/// Writes how to ask about the longest wait of the edge that cost most, of those that goroutines ended again and again.
/// `name` is what messages call the trace.
pub fn hint(links: &Links, index: &Index, name: &str, out: &mut dyn Write) -> io::Result<()> {
    let by_goroutines = |e: &&Edge| is_users(index, e) && matches!(e.key.waker, Party::Group(_));
    let Some(e) = links.edges.iter().filter(by_goroutines).max_by_key(|e| (e.count > 1, e.total)) else {
        return Ok(());
    };
    let Some(g) = index.goroutine(e.longest_go) else { return Ok(()) };
    let at = |t| time::offset(t - index.start, Duration(1000));
    let to = e.longest_from + e.max;
    // A name that a shell would not leave as it is has to be written by the user.
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/+".contains(c)) && !name.starts_with('-');
    let file = if plain && !name.is_empty() { name } else { "FILE" };
    writeln!(out, "\nlongest of these: gotrail why {file} -g {} --from {} --to {}", g.id.0, at(e.longest_from), at(to))
}
