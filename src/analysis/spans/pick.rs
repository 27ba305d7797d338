//! The spans that a text means, as `span:` in a query and `--span` on the command line do.

use super::rules::Rules;
use super::{Found, KindNo, Span, find};
use crate::analysis::states::look_ahead::LookAhead;
use crate::analysis::states::source::{Source, Unanswered};
use crate::base::{EventNo, StringId};
use crate::query::Compiled;
use rustc_hash::FxHashSet;

/// The most functions that a text may name beside the rules'.
const MOST_FUNCTIONS: usize = 100;

/// The spans of a trace, and which of them are meant.
pub struct Picked {
    /// All.
    pub found: Found,
    named: FxHashSet<(KindNo, StringId)>,
}

impl Picked {
    /// Whether a span is one of those that are meant.
    pub fn has(&self, s: &Span) -> bool {
        self.named.contains(&(s.kind, s.name))
    }

    /// Those that are meant, in the order in which they began.
    pub fn spans(&self) -> impl Iterator<Item = &Span> {
        self.found.spans.iter().filter(|s| self.has(s))
    }
}

/// Finds the spans whose kind or name `holds`. Where there is none, calls of the functions whose name `is_func` are meant:
/// spans of a user's own.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn pick<S: Source>(
    source: &S,
    rules: &Rules,
    holds: &dyn Fn(&str) -> bool,
    is_func: &dyn Fn(&str) -> bool,
) -> Result<Picked, Unanswered> {
    let found = find(source, rules)?;
    let (mut named, mut funcs) = (FxHashSet::default(), Vec::new());
    source.with_index(&mut |index| {
        let all = found.spans.iter().map(|s| (s.kind, s.name)).collect::<FxHashSet<_>>();
        let meant = |(k, n): &(KindNo, StringId)| holds(found.kind(*k)) || holds(index.dict.str(*n));
        named = all.into_iter().filter(meant).collect();
        if named.is_empty() {
            let names = index.dict.funcs().iter().map(|f| index.dict.str(f.name));
            funcs = names.filter(|n| is_func(n)).take(MOST_FUNCTIONS).map(str::to_owned).collect();
        }
    });
    if funcs.is_empty() {
        return Ok(Picked { found, named });
    }
    let found = find(source, &rules.clone().with_calls(&funcs))?;
    source.with_index(&mut |index| {
        let of = found.spans.iter().map(|s| (s.kind, s.name));
        named = of.filter(|(_, n)| is_func(index.dict.str(*n))).collect();
    });
    Ok(Picked { found, named })
}

/// Which spans begin (or end, if they began before the trace) with an event that answers a query.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn answering<S: Source>(source: &S, spans: &[Span], query: &Compiled) -> Result<Vec<bool>, Unanswered> {
    let mut events: Vec<(EventNo, usize)> =
        spans.iter().enumerate().filter_map(|(i, s)| Some((s.first.or(s.last)?, i))).collect();
    events.sort_unstable();
    let (ahead, mut out) = (LookAhead::new(source), vec![false; spans.len()]);
    let mut firsts = Vec::new();
    source.with_index(&mut |index| firsts = index.segments.iter().map(|s| (s.first, u64::from(s.len))).collect());
    let mut held = None;
    for (no, i) in events {
        let Some(at) = firsts.partition_point(|s| s.0 <= no).checked_sub(1) else { continue };
        let position = no - firsts[at].0;
        if position >= firsts[at].1 {
            continue;
        }
        let seg = match held.take() {
            Some((known, seg)) if known == at => seg,
            _ => source.segment(at)?,
        };
        out[i] = query.matches(&seg, position as usize, &ahead);
        held = Some((at, seg));
    }
    Ok(out)
}
