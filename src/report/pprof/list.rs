//! `list`: the source of functions, with what each line cost.

use super::{Error, Report, source};
use crate::base::text::escape;
use crate::profile::ops::graph::{Node, Places, Trim, Trimmed};
use crate::profile::ops::pattern::Pattern;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::io::Write;

/// Lines shown before the first and after the last that cost anything.
const MARGIN: i64 = 5;

/// Prints the report.
///
/// # Errors
/// If `out` cannot be written, or nothing matches.
pub fn write(r: &mut Report, pattern: &Pattern, src: &mut dyn source::Lines, out: &mut dyn Write) -> Result<(), Error> {
    r.trim_paths();
    let places = Places::new(&mut r.profile, true);
    let trim = Trim { drop_negative: r.options.drop_negative, ..Trim::NOTHING };
    let graph = Trimmed::new(&r.profile, &places, r.weights, trim).graph;
    let p = &r.profile;
    let mut functions: BTreeMap<&str, BTreeMap<&str, Vec<Node>>> = BTreeMap::new();
    for n in graph.nodes {
        let name = p.str(n.info.name);
        if pattern.is_match(name) {
            let files = functions.entry(name).or_default();
            if !p.str(n.info.file).is_empty() {
                files.entry(p.str(n.info.file)).or_default().push(n);
            }
        }
    }
    if functions.is_empty() {
        return Err(Error::NoMatch(pattern.source().to_string()));
    }
    writeln!(out, "Total: {}", r.value(r.total))?;
    let routines =
        functions.values().flat_map(|files| files.values()).map(|nodes| (nodes[0].info.name, nodes[0].info.file));
    let routines: FxHashMap<_, _> = routines.enumerate().map(|(i, routine)| (routine, i)).collect();
    let cums = places.cum_of_groups(p, r.weights, routines.len(), |i| routines.get(&(i.name, i.file)).copied());
    let mut cums = cums.into_iter().map(|sum| sum.value);
    for (name, files) in functions {
        if files.is_empty() {
            writeln!(out, "No source information for {}", escape(name))?;
        }
        for (file, nodes) in files {
            let flat = nodes.iter().fold(0i64, |sum, n| sum.wrapping_add(n.flat.value));
            let cum = cums.next().unwrap_or(0);
            writeln!(out, "ROUTINE ======================== {} in {}", escape(name), escape(file))?;
            writeln!(out, "{:>10} {:>10} (flat, cum) {} of Total", r.value(flat), r.value(cum), r.share(cum))?;
            match src.lines(file) {
                Ok(lines) => write_lines(r, &nodes, lines, out)?,
                Err(e) => writeln!(out, " Error: {}", escape(&e))?,
            }
        }
    }
    Ok(())
}

fn write_lines(r: &Report, nodes: &[Node], lines: &[String], out: &mut dyn Write) -> std::io::Result<()> {
    let first = |n: &Node| if n.info.start_line != 0 { n.info.start_line } else { n.info.line.saturating_sub(MARGIN) };
    let from = nodes.iter().map(first).min().unwrap_or(1).max(1);
    let to = nodes.iter().map(|n| n.info.line.saturating_add(MARGIN)).max().unwrap_or(0);
    let value = |v: i64| if v == 0 { ".".to_string() } else { r.value(v) };
    let skip = usize::try_from(from - 1).unwrap_or(usize::MAX);
    for (number, text) in (from..=to).zip(lines.iter().skip(skip)) {
        let at = nodes.iter().filter(|n| n.info.line == number);
        let (flat, cum) =
            at.fold((0i64, 0i64), |(flat, cum), n| (flat.wrapping_add(n.flat.value), cum.wrapping_add(n.cum.value)));
        // Tabs are what the source is indented with.
        let text = text.split('\t').map(escape).collect::<Vec<_>>().join("\t");
        writeln!(out, "{:>10} {:>10} {number:>6}:{text}", value(flat), value(cum))?;
    }
    Ok(())
}
