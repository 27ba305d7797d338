//! One line assigns to maps, and that takes much of the CPU.

use super::maps::{Cause, look};
use crate::analysis::findings::Rule;

pub(super) const RULE: Rule = Rule {
    name: "map-line",
    title: "ONE LINE ASSIGNS TO MAPS",
    measures: "CPU samples in operations on maps at a line that has most of all assignments, in percent of all samples",
    look: |f, levels| look(f, levels, &RULE, Cause::Line),
};
