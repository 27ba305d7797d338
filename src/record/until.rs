//! What a ring waits for: an event that answers a query, or a task or region of a length.

use crate::analysis::search::{self, Options};
use crate::analysis::tasks;
use crate::analysis::waits::links;
use crate::input::Bytes;
use crate::query::{Cmp, CompileError, Expr, Node, Query, Term};
use crate::read::Trace;
use std::sync::atomic::{AtomicBool, Ordering};

/// A query that ends a ring. Together with `task:` or `region:`, `dur>` is the length of the task or region: the query's
/// own `dur>` is that of a goroutine's state, and these events begin none.
#[derive(Clone, Debug)]
pub struct Until {
    query: Query,
    /// The query of the events at which tasks or regions begin, and how long those are to be.
    lengths: Option<(Query, Vec<(Cmp, i64)>)>,
}

impl Until {
    /// A ring ends when an event answers this.
    pub fn new(query: Query) -> Until {
        let lengths = lengths(&query);
        Until { query, lengths }
    }

    /// Whether an event of a whole trace answers; a trace that cannot be read has none.
    ///
    /// # Errors
    ///
    /// The query has a pattern that is too large.
    pub fn answers(&self, trace: Vec<u8>) -> Result<bool, CompileError> {
        let Ok(trace) = Trace::open("ring", Bytes::Memory(trace.into())) else { return Ok(false) };
        trace.load(&|_| {}, &AtomicBool::new(false));
        let found = AtomicBool::new(false);
        search::run(&trace, &self.query, &Options::default(), &found, &mut |_, hits| {
            found.fetch_or(!hits.is_empty(), Ordering::Relaxed);
        })?;
        if let (false, Some((begins, lengths))) = (found.load(Ordering::Relaxed), &self.lengths) {
            let filter = search::compile(&trace, begins)?;
            let opts = links::Options { filter: Some(&filter), ..links::Options::default() };
            // What cannot be decoded holds nothing that is looked for.
            let _ = tasks::each(&trace, opts, None, &mut |i| {
                let long = i.complete() && lengths.iter().all(|(cmp, ns)| cmp.holds(i.len().ns(), *ns));
                found.fetch_or(long, Ordering::Relaxed);
            });
        }
        Ok(found.into_inner())
    }
}

/// A query of tasks or regions and their lengths, parted; nothing if it asks for something else.
fn lengths(query: &Query) -> Option<(Query, Vec<(Cmp, i64)>)> {
    let Expr::And(all) = &query.root.expr else { return None };
    let (mut lengths, mut rest) = (Vec::new(), Vec::new());
    for node in all {
        match &node.expr {
            Expr::Term(Term::Dur(cmp, ns)) => lengths.push((*cmp, *ns)),
            _ => rest.push(node.clone()),
        }
    }
    let named = |n: &Node| matches!(n.expr, Expr::Term(Term::Task(_) | Term::Region(_)));
    if lengths.is_empty() || !rest.iter().any(named) {
        return None;
    }
    let span = query.root.span;
    let expr = if rest.len() == 1 { rest.remove(0).expr } else { Expr::And(rest) };
    Some((Query { root: Node { span, expr } }, lengths))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::parse;

    fn answers(query: &str) -> bool {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-traces/trace.out");
        let trace = std::fs::read(path).unwrap();
        Until::new(parse(query).unwrap()).answers(trace).unwrap()
    }

    #[test]
    fn lengths_are_those_of_tasks_and_of_states() {
        // The longest payment took 56.7 ms, as `gotrail why --task payment` says.
        assert!(answers("task:payment dur>56ms"));
        assert!(!answers("task:payment dur>57ms"));
        assert!(!answers("task:nothing dur>1ns"));
        assert!(answers("state:waiting dur>1ms") && answers("mapassign") && !answers("no.such.function"));
    }

    #[test]
    fn what_is_no_trace_answers_nothing() {
        let any = Until::new(parse("dur>1ns").unwrap());
        assert_eq!(any.answers(b"nothing".to_vec()).ok(), Some(false));
    }
}
