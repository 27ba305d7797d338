//! What stands beside the trace: texts in which the program has told of its goroutines, or the race detector of races.

use super::found::Found;
use super::jobs::{Job, JobCtx};
use crate::analysis::beside::beside;
use crate::analysis::cost::labels::has_labels;
use crate::analysis::profile::Profiled;
use crate::profile::dump::Told;
use std::sync::Arc;

/// Texts with their names.
pub type Beside = Arc<Vec<(String, Told)>>;

/// Finds out what profiles and texts say of the trace's goroutines; nothing if they say nothing.
pub fn join(profiles: &[Arc<Profiled>], texts: &Beside) -> Option<Job> {
    let with: Vec<Arc<Profiled>> =
        profiles.iter().filter(|p| !p.is_compared() && has_labels(&p.profile)).cloned().collect();
    if with.is_empty() && texts.is_empty() {
        return None;
    }
    let texts = texts.clone();
    let work = move |cx: &JobCtx| {
        let profiles: Vec<_> = with.iter().map(|p| &p.profile).collect();
        let told: Vec<_> = texts.iter().map(|(name, told)| (name.as_str(), told)).collect();
        let all = beside(cx, &profiles, &told)?;
        cx.trace.set_beside(all);
        Ok(())
    };
    // The trace has the answer: there is nothing more to do than to draw it.
    Some(Job::new("beside", work, |_: &mut Found, (), _, _| {}))
}
