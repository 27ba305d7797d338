//! `--by label:KEY`: groups by a label of goroutines.

use super::{Failure, Result, note};
use crate::analysis::labelled::{Label, Sum, sums};
use crate::read::Trace;

/// The label of `label:KEY`.
pub fn key(text: &str) -> std::result::Result<String, String> {
    match text.strip_prefix("label:") {
        Some(key) if !key.is_empty() => Ok(key.to_owned()),
        _ => Err("write a label: label:endpoint".to_owned()),
    }
}

/// What is known of the label in a trace that has been read; says so where that is nothing.
pub fn label(trace: &Trace, key: Option<&str>) -> Option<Label> {
    let index = trace.index();
    let label = Label::new(&index.beside, key?);
    if let Some(why) = label.missing(&index.beside) {
        note(&why);
    }
    Some(label)
}

/// Goroutines by the label, if one is asked for.
pub fn goroutines(trace: &Trace, key: Option<&str>) -> Result<Option<Vec<Sum>>> {
    label(trace, key).map(|l| sums(trace, &l).map_err(Failure::of(trace))).transpose()
}
