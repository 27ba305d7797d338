//! The spans that a text means, as `span:` in a query and `--span` on the command line do.

use super::rules::Rules;
use super::{Found, KindNo, Span, find};
use crate::analysis::search::Source;
use crate::base::StringId;
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
) -> Result<Picked, String> {
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
