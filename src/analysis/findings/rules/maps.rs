//! What the rules about maps have in common: the lines that the map lens names, each with one cause.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Severity, Ties, Verdict, View};
use crate::analysis::maps::{Advice, AdviceKind, Line};
use crate::base::{GoIdx, text};
use crate::model::places::PlaceId;

/// What makes a line expensive: one cause each, so that no two rules speak of the same line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cause {
    /// It makes most of all assignments.
    Line,
    /// Its maps grow.
    Growth,
    /// Its maps are new each time.
    Fresh,
    /// Something else.
    Other,
}

/// Fewer samples say nothing.
const ENOUGH: u64 = 20;
/// Less than this part of what all Ps could have run is not critical, in percent.
const MUCH: f64 = 20.0;
/// A line with this part of all samples in maps dominates them, in percent.
const MOST: u64 = 60;

fn cause(line: &Line, all: u64) -> Cause {
    let (grow, birth) = (line.column("grow"), line.column("birth"));
    let most = line.classes.iter().copied().max().unwrap_or(0);
    // What a line that grows or is born most of the time suffers from is told by its own rule.
    if grow * 10 >= line.samples * 4 && grow >= birth {
        Cause::Growth
    } else if birth * 2 >= line.samples && birth > 0 {
        Cause::Fresh
    } else if line.samples * 100 >= all * MOST {
        Cause::Line
    } else if birth >= grow && birth > 0 && birth * 10 >= line.samples * 3 && birth >= most.min(birth) {
        Cause::Fresh
    } else {
        Cause::Other
    }
}

pub(super) fn look(f: &Facts, levels: &Levels, rule: &Rule, wanted: Cause) -> Verdict {
    let maps = &f.more.maps;
    if maps.samples < ENOUGH {
        return Verdict::CannotTell(match maps.samples {
            0 => "maps: no CPU samples in this trace: record a CPU profile at the same time".into(),
            n => format!("maps: {n} CPU samples in this trace are too few to tell"),
        });
    }
    let mut found = Vec::new();
    for line in maps.lines.iter().filter(|l| cause(l, maps.map_samples) == wanted) {
        let share = line.samples as f64 * 100.0 / maps.samples as f64;
        let Some(severity) = levels.of(share).filter(|_| line.samples >= ENOUGH) else { continue };
        // Where the Ps are idle most of the time, a large part of what they do run is no incident.
        let of_all = line.cpu.as_secs_f64() * 100.0 / (f.seconds() * f.procs() as f64);
        let severity = if of_all < MUCH { severity.min(Severity::Warn) } else { severity };
        let at = place(f, line);
        let classes: Vec<String> = ["birth", "grow", "hash", "probe", "alloc", "assist"]
            .into_iter()
            .filter(|c| line.column(c) > 0)
            .map(|c| format!("{c} {:.0} %", line.column(c) as f64 * 100.0 / line.samples.max(1) as f64))
            .collect();
        let mut evidence = vec![
            format!(
                "{} of {} samples in maps are at {}, {:.1} %; {} samples in total",
                text::count(line.samples),
                text::count(maps.map_samples),
                f.line(at),
                line.samples as f64 * 100.0 / maps.map_samples.max(1) as f64,
                text::count(maps.samples)
            ),
            format!("what they go into: {}; {of_all:.1} % of what {} Ps could run", classes.join(", "), f.procs()),
        ];
        let mut covers = Vec::new();
        if let Some(lock) = line.lock.as_ref().filter(|l| l.waits > 0) {
            evidence.push(format!(
                "a lock is held around it: others waited for that {} times, {} in total",
                text::count(lock.waits),
                lock.waited
            ));
            covers = f.places_of(&lock.acquired.func);
        }
        found.push(Finding {
            rule: rule.name,
            title: rule.title,
            severity,
            measure: share,
            says: match wanted {
                Cause::Growth => format!("maps grow at one line, {share:.1} % of CPU"),
                Cause::Fresh => format!("maps are made anew at one line, {share:.1} % of CPU"),
                _ => format!("{share:.1} % of CPU goes into maps at one line"),
            },
            cost: Cost { time: line.cpu, of: "CPU by samples" },
            at,
            time: None,
            go: GoIdx::NONE,
            view: View::Maps,
            evidence,
            advice: match wanted {
                Cause::Growth => {
                    "Give make the number of keys that are to come; gotrail maps with a heap profile tells how many."
                }
                Cause::Fresh => {
                    "A struct, or one map that is cleared and used again, does without making one each time."
                }
                _ => "",
            }
            .to_owned()
                + &helps(line, wanted),
            check: "maps FILE".into(),
            ties: Ties { covers, ..Ties::default() },
        });
    }
    if found.is_empty() {
        let share = maps.map_samples as f64 * 100.0 / maps.samples.max(1) as f64;
        return Verdict::Fine(format!("maps: {share:.1} % of CPU samples are in operations on maps"));
    }
    Verdict::Found(found)
}

/// What the map lens advises for a line, in a sentence each.
fn helps(line: &Line, wanted: Cause) -> String {
    if wanted != Cause::Line {
        return String::new();
    }
    let sentence = |a: &Advice| match a.kind {
        AdviceKind::Presize => Some("Give make the number of keys that are to come."),
        AdviceKind::Struct => {
            Some("Keep a struct, or one map that is cleared and used again, instead of a fresh small map.")
        }
        AdviceKind::Key => Some("Take a key that hashes and compares faster."),
        AdviceKind::Lock => Some("Shard the map, or do less under its lock."),
        AdviceKind::Interface => Some("Keep values without pointers, not interfaces that the GC has to scan."),
        AdviceKind::Tombstones => Some("Make a map anew whose entries come and go."),
        AdviceKind::FewSamples => None,
    };
    let all: Vec<&str> = line.advice.iter().filter_map(sentence).collect();
    if all.is_empty() { "Write less often, or into something that is no map.".into() } else { all.join(" ") }
}

/// The place of a line, if any stack of the trace has it.
fn place(f: &Facts, line: &Line) -> PlaceId {
    let places = &f.more.links.places;
    (0..places.len() as u32)
        .map(PlaceId)
        .find(|&p| {
            places.get(p).is_some_and(|(func, n)| {
                n == line.place.line
                    && f.index.dict.func_name(func) == line.place.func
                    && f.index.dict.func_file(func) == line.place.file
            })
        })
        .unwrap_or(PlaceId::NONE)
}
