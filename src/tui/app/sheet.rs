//! What stands in the body for a while in place of a numbered view: locks, a chain of waits, a critical path, what makes
//! spans slow, an answer to SQL.

use crate::analysis::spans::Span;
use crate::analysis::waits::path::Window;
use crate::base::EventNo;
use std::sync::Arc;

/// A view without a number, by what it is of.
#[derive(Clone, PartialEq, Debug)]
pub enum Sheet {
    /// The locks and channels that goroutines queue for.
    Locks,
    /// The chain of the wait that an event began.
    Chain(EventNo),
    /// The critical path of a window, and what that is of, not escaped.
    Path(Window, Arc<str>),
    /// What makes spans slow, against others.
    Slow(Arc<Slow>),
    /// The answer to a query in SQL, not escaped.
    Sql(Arc<str>),
}

/// Spans that are slow, and others to hold them against.
#[derive(PartialEq, Eq, Debug)]
pub struct Slow {
    /// What the slow ones are, safe to show.
    pub of: String,
    /// These.
    pub slow: Vec<Span>,
    /// The others.
    pub normal: Vec<Span>,
}

impl Sheet {
    /// What it is called where there is room for a word.
    pub fn name(&self) -> &'static str {
        match self {
            Sheet::Locks => "locks",
            Sheet::Chain(_) => "chain",
            Sheet::Path(..) => "critical path",
            Sheet::Slow(_) => "slow against the others",
            Sheet::Sql(_) => "sql",
        }
    }
}
