//! Folded stacks: `root;…;leaf number`, as Brendan Gregg's `stackcollapse-*` write them and `flamegraph.pl` reads them.

use super::assemble::Assembler;
use crate::base::text;
use crate::input::folded_line;
use crate::profile::wire::error::Error;
use crate::profile::wire::proto::Profile;

/// Reads folded stacks. Numbers with decimals, which some tools write, are rounded.
pub(super) fn decode(text: &str) -> Result<Profile, Error> {
    let mut a = Assembler::default();
    let kind = a.kind("samples", "count");
    let count = text.lines().count();
    for (i, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((stack, number)) = folded_line(line) else {
            if i + 1 == count && !text.ends_with('\n') {
                // The last line is cut off.
                break;
            }
            let shown = text::escape(&text::fit(line.trim(), 80)).into_owned();
            return Err(Error::Line { line: i + 1, what: "expected a stack and a number", text: shown });
        };
        let number = number.parse::<f64>().map_or(0, |n| n.round() as i64);
        let mut frames: Vec<u64> = stack.split(';').filter(|f| !f.is_empty()).map(|f| a.call(f, "", 0, 0)).collect();
        frames.reverse();
        a.add(&frames, &[], &[(kind, number)])?;
    }
    Ok(a.finish())
}
