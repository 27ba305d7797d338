//! `top`: the most expensive places, one a line.

use super::Report;
use std::io::{self, Write};

/// Prints the report.
pub fn write(r: &mut Report, out: &mut dyn Write) -> io::Result<()> {
    let t = r.trimmed(true);
    // Whether each place was inlined into some callers, and whether it was called by some.
    let mut inlined: Vec<_> = t.graph.nodes.iter().map(|n| (n.inlined_root, false)).collect();
    for e in &t.graph.edges {
        if let Some(i) = inlined.get_mut(e.to as usize) {
            i.0 |= e.inline;
            i.1 |= !e.inline;
        }
    }
    writeln!(out, "{}", r.report_labels(&t).join("\n"))?;
    writeln!(out, "{:>10} {:>5}% {:>5}% {:>10} {:>5}%", "flat", "flat", "sum", "cum", "cum")?;
    let mut sum = 0i64;
    for ((n, name), inlined) in t.graph.nodes.iter().zip(&t.names).zip(inlined) {
        let (flat, cum) = (n.flat.get(), n.cum.get());
        sum = sum.wrapping_add(flat);
        let inline = match inlined {
            (true, true) => " (partial-inline)",
            (true, false) => " (inline)",
            (false, _) => "",
        };
        let (flat_share, sum_share, cum_share) = (r.share(flat), r.share(sum), r.share(cum));
        let (flat, cum) = (r.value(flat), r.value(cum));
        writeln!(out, "{flat:>10} {flat_share} {sum_share} {cum:>10} {cum_share}  {name}{inline}")?;
    }
    Ok(())
}
