//! What goroutines waited for, by the names that waits have: made by a job when the trace has been read, for all views.

use crate::analysis::waits::links::Named;
use crate::base::{Duration, GroupId, StringId};
use crate::model::Index;

/// The names of waits, as soon as they are known.
#[derive(Default)]
pub struct Waited {
    asked: bool,
    named: Option<Named>,
}

impl Waited {
    /// Whether the names are to be asked for: once, when the trace has been read.
    pub fn due(&mut self, index: &Index) -> bool {
        index.complete && !std::mem::replace(&mut self.asked, true)
    }

    /// These are the names.
    pub fn set(&mut self, named: Option<Named>) {
        self.named = named;
    }

    /// Whether they are known.
    pub fn known(&self) -> bool {
        self.named.is_some()
    }

    /// What a group's goroutines waited for, the longest first, not escaped; in the words of the trace until more is known.
    pub fn group(&self, index: &Index, g: GroupId) -> Vec<(String, Duration)> {
        match (&self.named, index.groups.get(g.0 as usize)) {
            (Some(named), _) => named.of_group(g).to_vec(),
            (None, Some(group)) => {
                let mut all = group.blocked.clone();
                all.sort_by_key(|r| (std::cmp::Reverse(r.1), r.0));
                all.into_iter().map(|(r, d)| (index.dict.str(r).to_owned(), d)).collect()
            }
            (None, None) => Vec::new(),
        }
    }

    /// What one of a group's goroutines waited for that has this reason of the runtime's, not escaped.
    pub fn one<'a>(&'a self, index: &'a Index, g: GroupId, reason: StringId) -> &'a str {
        let named = self.named.as_ref().and_then(|n| n.only(g, reason));
        named.unwrap_or_else(|| index.dict.str(reason))
    }
}
