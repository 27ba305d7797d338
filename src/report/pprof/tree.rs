//! `tree`: each place between those that called it and those that it called.

use super::{Error, Report};
use crate::profile::ops::graph::Edge;
use crate::profile::ops::measure;
use crate::profile::ops::pattern::Pattern;
use std::io::Write;

const SEPARATOR: &str = "----------------------------------------------------------+-------------";
const LEGEND: &str = "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t ";

/// Prints the report, of the places that match `only`.
///
/// # Errors
/// If `out` cannot be written, or nothing matches.
pub fn write(r: &mut Report, only: Option<&Pattern>, out: &mut dyn Write) -> Result<(), Error> {
    let t = r.trimmed(false);
    let (callers, callees) = (t.graph.sorted_edges(&t.names, true), t.graph.sorted_edges(&t.names, false));
    writeln!(out, "{}", r.report_labels(&t).join("\n"))?;
    writeln!(out, "{SEPARATOR}\n{LEGEND}")?;
    let mut sum = 0i64;
    let mut any = false;
    for (i, (n, name)) in t.graph.nodes.iter().zip(&t.names).enumerate() {
        // By the name of the function as well, so that `^` and `$` mean its ends.
        if only.is_some_and(|p| !p.is_match(name) && !p.is_match(r.profile.str(n.info.name))) {
            continue;
        }
        any = true;
        let (flat, cum) = (n.flat.get(), n.cum.get());
        let call = |out: &mut dyn Write, e: &Edge, other: u32| {
            let (value, share) = (r.value(e.weight.value), measure::percentage(e.weight.value, cum));
            let inline = if e.inline { " (inline)" } else { "" };
            writeln!(out, "{value:>50} {share} |   {}{inline}", t.names[other as usize])
        };
        writeln!(out, "{SEPARATOR}")?;
        for e in &callers[i] {
            call(out, e, e.from)?;
        }
        sum = sum.wrapping_add(flat);
        let (flat_share, sum_share, cum_share) = (r.share(flat), r.share(sum), r.share(cum));
        let (flat, cum) = (r.value(flat), r.value(cum));
        writeln!(out, "{flat:>10} {flat_share} {sum_share} {cum:>10} {cum_share}                | {name}")?;
        for e in &callees[i] {
            call(out, e, e.to)?;
        }
    }
    if !t.graph.nodes.is_empty() {
        writeln!(out, "{SEPARATOR}")?;
    }
    match only {
        Some(pattern) if !any => Err(Error::NoMatch(pattern.source().to_string())),
        _ => Ok(()),
    }
}
