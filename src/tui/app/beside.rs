//! What stands beside the trace: texts in which the program has told of its goroutines, or the race detector of races.

use crate::profile::dump::Told;
use std::sync::Arc;

/// Texts with their names.
pub type Beside = Arc<Vec<(String, Told)>>;
