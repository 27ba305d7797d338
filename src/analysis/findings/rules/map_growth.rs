//! A map grows again and again.

use super::maps::{Cause, look};
use crate::analysis::findings::Rule;

pub(super) const RULE: Rule = Rule {
    name: "map-growth",
    title: "MAP GROWTH",
    measures: "CPU samples in operations on maps at a line where growing takes most of them, in percent of all samples",
    look: |f, levels| look(f, levels, &RULE, Cause::Growth),
};
