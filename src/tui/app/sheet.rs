//! What stands in the body for a while in place of a numbered view: locks, a chain of waits, a critical path, an answer.

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
    /// The answer to a query in SQL, not escaped.
    Sql(Arc<str>),
}

impl Sheet {
    /// What it is called where there is room for a word.
    pub fn name(&self) -> &'static str {
        match self {
            Sheet::Locks => "locks",
            Sheet::Chain(_) => "chain",
            Sheet::Path(..) => "critical path",
            Sheet::Sql(_) => "sql",
        }
    }
}
