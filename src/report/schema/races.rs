//! Reports of races.

use super::{Place, Version, group_name, number};
use crate::analysis::races;
use crate::model::Index;
use crate::profile::dump::Frame;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// Reports of the race detector, and of the runtime about maps, and the goroutines of a trace that they may mean.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Races {
    /// The version of this form.
    pub schema: Version,
    /// The trace; `null` if there is none.
    pub trace: Option<String>,
    /// The reports, in the order of the files.
    pub reports: Vec<Report>,
}

/// A report.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Report {
    /// The file that has it.
    pub file: String,
    /// The line of that file where it begins.
    pub line: usize,
    /// `fatal error: concurrent map writes` or the like, if it is the runtime's; `null`, if it is the race detector's.
    pub fatal: Option<String>,
    /// Who used the memory, the later one first.
    pub sides: Vec<Side>,
}

/// One side of a race.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Side {
    /// What it did: `read`, `write`, `atomic read`, `atomic write`, `map operation`.
    pub what: &'static str,
    /// The number that the report gives the goroutine, which is the runtime's only if `exact`; `null` of the main goroutine.
    pub number: Option<u64>,
    /// Whether `number` is the runtime's.
    pub exact: bool,
    /// Whether the goroutine had ended when the report was written.
    pub finished: bool,
    /// The line of user code; `null` if the detector had forgotten it.
    pub at: Option<Place>,
    /// The stack, the leaf first.
    pub stack: Vec<Place>,
    /// The line where the goroutine was created; `null` if the report does not say.
    pub created_at: Option<Place>,
    /// The goroutines of the trace that it may be, the likeliest first.
    pub candidates: Vec<Candidate>,
}

/// A goroutine of the trace that may be one of a report.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Candidate {
    /// Its number.
    pub g: Option<u64>,
    /// The function in which it starts; `null` if that is not known.
    pub group: Option<String>,
    /// Since when it was there.
    pub from_ns: i64,
    /// Until when.
    pub to_ns: i64,
    /// How many events of the trace stand in the function of the access.
    pub seen: u64,
}

fn place(f: &Frame) -> Place {
    Place { func: f.func.clone(), file: f.file.clone(), line: f.line }
}

impl Races {
    /// The reports, and the trace's name and index if there is one.
    pub fn new(reports: &[races::Report], trace: Option<(&str, &Index)>) -> Races {
        let index = trace.map(|t| t.1);
        Races {
            schema: Version,
            trace: trace.map(|t| t.0.to_owned()),
            reports: reports.iter().map(|r| Report::of(r, index)).collect(),
        }
    }
}

impl Report {
    fn of(r: &races::Report, index: Option<&Index>) -> Report {
        let side = |s: &races::Side| Side {
            what: s.what.word(),
            number: s.number,
            exact: s.exact,
            finished: s.finished,
            at: s.at().map(place),
            stack: s.stack.iter().map(place).collect(),
            created_at: s.created.as_ref().map(place),
            candidates: index.map_or_else(Vec::new, |index| {
                let candidate = |c: &races::Candidate| Candidate {
                    g: number(index, c.go),
                    group: index.goroutine(c.go).and_then(|g| group_name(index, g.group)),
                    from_ns: c.from.0,
                    to_ns: c.to.0,
                    seen: c.seen,
                };
                s.candidates.iter().map(candidate).collect()
            }),
        };
        Report {
            file: r.file.0.clone(),
            line: r.file.1,
            fatal: r.fatal.clone(),
            sides: r.sides.iter().map(side).collect(),
        }
    }
}
