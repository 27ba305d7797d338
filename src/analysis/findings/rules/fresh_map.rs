//! A small map is made for each call.

use super::maps::{Cause, look};
use crate::analysis::findings::Rule;

pub(super) const RULE: Rule = Rule {
    name: "fresh-map",
    title: "A FRESH MAP EACH TIME",
    measures: "CPU samples in operations on maps at a line where making them takes most, in percent of all samples",
    look: |f, levels| look(f, levels, &RULE, Cause::Fresh),
};
