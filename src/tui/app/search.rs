//! The search for a query's hits, and queries for analyses to begin with.

use super::hits::{Hit, Hits};
use super::jobs::{Job, JobCtx, Slot};
use super::nav::Place;
use super::view::Command;
use crate::analysis::search;
use crate::model::Index;
use crate::query;
use std::sync::Arc;

/// What a search says as it goes on.
enum Step {
    /// It has begun, with the query compiled.
    Begun(Arc<query::Compiled>),
    /// The hits of one segment.
    Found(Arc<[Hit]>),
    /// It has come to its end; and why part of the trace could not be searched, if so.
    Done(Option<String>),
}

const NAME: &str = "search";

/// The slot of the search.
pub fn slot() -> Slot {
    Slot::of::<Hits>(NAME)
}

/// A job that finds the hits of a query.
pub fn search(query: String) -> Job {
    let text = query.clone();
    Job::stream(
        NAME,
        move |cx, say| {
            let parsed = query::parse(&query).map_err(|e| e.to_string())?;
            let compiled = search::compile(cx.trace, &parsed).map(Arc::new).map_err(|e| e.to_string())?;
            say(Step::Begun(compiled.clone()));
            let options = search::Options::default();
            let outcome = search::run_compiled(cx.trace, &compiled, &options, cx.cancel, &mut |_, hits| {
                if !hits.is_empty() {
                    say(Step::Found(hits.into()));
                }
            });
            if !outcome.cancelled {
                say(Step::Done(outcome.failed.first().map(|(_, why)| why.to_string())));
            }
            Ok(())
        },
        move |hits: &mut Hits, step, _, out| {
            let current = hits.query == text;
            match step {
                Step::Begun(compiled) if current => hits.compiled = Some(compiled),
                Step::Found(found) if current => hits.found.add(&found),
                Step::Done(failed) => {
                    hits.complete |= current;
                    out.extend(failed.map(|why| Command::Fail(format!("part of the trace was not searched: {why}"))));
                }
                _ => {}
            }
        },
    )
}

/// The query that stands for a narrowing by query and by goroutine: which events analyses begin with.
pub fn query_of(place: &Place, index: &Index) -> Option<String> {
    let only = place.only().and_then(|g| index.goroutine(g)).map(|g| format!("g:{}", g.id.0));
    match (place.query(), only) {
        (Some(q), Some(g)) => Some(format!("({q}) {g}")),
        (Some(q), None) => Some(q.to_string()),
        (None, only) => only,
    }
}

/// Compiles what [`query_of`] gave.
///
/// # Errors
///
/// What is wrong with it, in words.
pub fn compile(cx: &JobCtx, query: Option<&str>) -> Result<Option<query::Compiled>, String> {
    let Some(query) = query else { return Ok(None) };
    let parsed = query::parse(query).map_err(|e| e.to_string())?;
    search::compile(cx.trace, &parsed).map(Some).map_err(|e| e.to_string())
}
