//! Folded stacks: `root;…;leaf number`, as Brendan Gregg's `stackcollapse-*` write them and `flamegraph.pl` reads them; with
//! two numbers, before and after, as `difffolded.pl` writes them.

use super::assemble::{Assembled, Assembler};
use super::numbers::{Decimal, Whole};
use crate::base::text;
use crate::input::folded_line;
use crate::profile::wire::error::Error;

/// Reads folded stacks. Numbers with decimals, which some tools write, are counted in thousandths or smaller parts.
pub(super) fn decode(text: &str) -> Result<Assembled, Error> {
    let mut a = Assembler::default();
    let mut lines: Vec<(&str, &str)> = Vec::new();
    let (mut odd, mut first_odd) = (0, None);
    let count = text.lines().count();
    for (i, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        match folded_line(line) {
            Some(line) => lines.push(line),
            None if i + 1 == count && !text.ends_with('\n') => {
                a.note("the last line is cut off and was left out".into())
            }
            None => {
                odd += 1;
                let shown = || text::escape(&text::fit(line.trim(), 80)).into_owned();
                first_odd.get_or_insert_with(|| (i + 1, shown()));
            }
        }
    }
    if let Some((line, text)) = first_odd {
        if lines.is_empty() {
            return Err(Error::Line { line, what: "expected a stack and a number such as 12 or 0.5", text });
        }
        let first = format!("first line {line}: {text}");
        a.note_of(
            odd,
            &format!("line that is no stack and number was left out, {first}"),
            &format!("lines that are no stack and number were left out, {first}"),
        );
    }
    // A name may end in a number; that all do is a second column.
    let two: Option<Vec<(&str, &str)>> = lines.iter().map(|l| folded_line(l.0)).collect();
    match two.filter(|t| !t.is_empty()) {
        None => column(&mut a, "samples", &lines)?.into_iter().for_each(|said| a.note(said)),
        Some(two) => {
            let after: Vec<(&str, &str)> = two.iter().zip(&lines).map(|(two, one)| (two.0, one.1)).collect();
            for (name, lines) in [("before", two), ("after", after)] {
                // Both may have the same to say.
                column(&mut a, name, &lines)?.into_iter().for_each(|said| a.note(format!("column `{name}`: {said}")));
            }
        }
    }
    Ok(a.finish())
}

/// Adds the samples of one column of numbers; what there is to say of them.
fn column<'a>(a: &mut Assembler, name: &str, lines: &[(&'a str, &'a str)]) -> Result<Option<String>, Error> {
    let numbers: Vec<Option<Decimal>> = lines.iter().map(|l| Decimal::parse(l.1)).collect();
    let mut whole = Whole::counts(numbers.iter().copied().flatten());
    let kind = a.kind(name, whole.unit());
    for ((stack, _), number) in lines.iter().zip(numbers) {
        let mut frames: Vec<u64> = stack.split(';').filter(|f| !f.is_empty()).map(|f| a.call(f, "", 0, 0)).collect();
        frames.reverse();
        a.add(&frames, &[], &[(kind, number.and_then(|n| whole.value(n)))])?;
    }
    Ok(whole.said())
}
