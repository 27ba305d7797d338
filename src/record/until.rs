//! What a ring waits for: an event that answers a query.

use crate::analysis::search::{self, Options};
use crate::input::Bytes;
use crate::query::{CompileError, Query};
use crate::read::Trace;
use std::sync::atomic::{AtomicBool, Ordering};

/// A query that ends a ring.
#[derive(Clone, Debug)]
pub struct Until {
    query: Query,
}

impl Until {
    /// A ring ends when an event answers this.
    pub fn new(query: Query) -> Until {
        Until { query }
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
        Ok(found.into_inner())
    }
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
        assert!(answers("span:payment dur>56ms") && !answers("span:payment dur>57ms"));
        assert!(answers("state:waiting dur>1ms") && answers("mapassign") && !answers("no.such.function"));
    }

    #[test]
    fn what_is_no_trace_answers_nothing() {
        let any = Until::new(parse("dur>1ns").unwrap());
        assert_eq!(any.answers(b"nothing".to_vec()).ok(), Some(false));
    }
}
