//! Folded stacks: `main.main;main.run;runtime.mapassign 12`, a line a stack, root first, as flame-graph tools read them.
//! Frames are functions; a wait stands under its stack in brackets, `[chan receive]`.

use crate::analysis::cost::offcpu::{Kind, Profile};
use crate::base::text;
use crate::model::{Frame, Index};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// A stack's frames, root first.
pub(super) type Stack = Vec<Frame>;

/// Stacks of a profile with what they weigh: CPU samples, else nanoseconds.
pub(super) fn stacks(p: &Profile, index: &Index) -> Vec<(Stack, Option<String>, u64)> {
    let weigh = |count: u64, ns: i64| if p.kind == Kind::Cpu { count } else { ns.max(0) as u64 };
    let all = p.records.iter().map(|r| {
        let mut frames: Stack = index.dict.stack(r.key.stack).collect();
        frames.reverse();
        (frames, p.reason(r).map(|r| format!("[{r}]")), weigh(r.count, r.total.ns()))
    });
    all.filter(|s| s.2 > 0).collect()
}

/// Writes a profile.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(p: &Profile, index: &Index, out: &mut dyn Write) -> io::Result<()> {
    // A semicolon is what parts frames, and the last space what parts the stack from its weight.
    let name = |s: &str| text::escape(s).replace(';', ":");
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for (frames, reason, weight) in stacks(p, index) {
        let names = frames.iter().map(|f| name(index.dict.func_name(f.func)));
        let line: Vec<String> = names.chain(reason.as_deref().map(name)).collect();
        let line = if line.is_empty() { "[no stack]".to_owned() } else { line.join(";") };
        *sums.entry(line).or_default() += weight;
    }
    sums.iter().try_for_each(|(stack, n)| writeln!(out, "{stack} {n}"))
}
