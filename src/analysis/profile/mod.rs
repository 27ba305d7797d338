//! What a profile says of functions, of lines and of stacks: own and cumulative values, as pprof counts them.

pub mod cut;
pub mod facets;
mod sum;
pub mod variants;

use super::cost::flame::Tree;
use super::cost::lenses::ByLens;
use crate::base::{FrameId, FuncId, StackId, StringId};
use crate::model::ownership;
use crate::model::{Dict, Frame, Func, Index};
use crate::profile::convert::LabelUnits;
use crate::profile::model::{Function, Line, Location, Profile, Span};
use crate::profile::ops::error::MergeError;
use crate::profile::ops::graph::base_name;
use crate::profile::ops::merge;
use crate::query;
use cut::Cut;
use facets::Facet;
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt;
pub use sum::SumError;

/// A profile with its functions, frames and stacks as those of a trace are known.
pub struct Profiled {
    /// What messages call the file. Not escaped.
    pub name: String,
    /// The profile.
    pub profile: Profile,
    /// Only its dictionary is filled: with the functions, frames and stacks of the profile.
    pub index: Index,
    compared: bool,
    /// Whether it is to be scaled to the sum of the one that it is compared with, unless the user says otherwise.
    pub normalize: bool,
    /// Whether it can be. Then a sample has its scaled values behind the others.
    normalized: Result<(), MergeError>,
    /// The frame of each of the profile's lines, as it is and with variants grouped.
    frames: [Vec<FrameId>; 2],
    /// Of each function whether it is the program's own.
    own: Vec<bool>,
    /// The name of each function where variants are grouped.
    families: Vec<StringId>,
    /// How many functions are variants of another one, and how many families they are.
    variants: (usize, usize),
    /// The stacks of each sample: see [`Stacks`].
    stacks: Vec<Stacks>,
    units: LabelUnits,
}

/// A sample's stack by whether variants are grouped, and by whether what is not the program's own is taken out.
type Stacks = [[StackId; 2]; 2];

impl fmt::Debug for Profiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profiled").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What is to be summed up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ask {
    /// Position of the sample type.
    pub kind: usize,
    /// Whether frames of the runtime and of libraries are charged to the nearest line of the program's own.
    pub mine: bool,
    /// Whether functions that are variants of one another count as one.
    pub grouped: bool,
    /// Whether, of two profiles that are compared, the new one is scaled to the sum of the other.
    pub normalize: bool,
    /// Whether, of two profiles that are compared, the tree is of what has become less.
    pub less: bool,
    /// What the samples are narrowed to.
    pub cuts: Vec<Cut>,
    /// How the lenses are used in the tree.
    pub lens: ByLens,
    /// The query that says which functions are meant.
    pub query: Option<String>,
}

/// A function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its name, safe to show.
    pub name: String,
    /// Its name as the profile has it, or that of its family.
    pub func: String,
    /// What it cost by itself, in the unit of the sample type.
    pub flat: i64,
    /// What it cost with all that it called.
    pub cum: i64,
    /// Where profiles are compared, what it cost before with all that it called; `flat` and `cum` are by how much that
    /// has changed.
    pub before: i64,
    /// How much of what is counted passed through it; where profiles are compared, in both together.
    pub samples: i64,
    /// Whether that is all that there was, as of goroutines and threads, and no sample of it.
    pub counted: bool,
    /// Its line that cost most.
    pub frame: FrameId,
    /// Whether it is the program's own.
    pub own: bool,
    /// Whether the query means it.
    pub matched: bool,
}

impl Row {
    /// Where profiles are compared, what it costs now with all that it calls.
    pub fn after(&self) -> i64 {
        self.before.wrapping_add(self.cum)
    }

    /// What it costs now in parts of what it cost before; infinite for what is new.
    pub fn ratio(&self) -> f64 {
        ratio(self.before, self.after())
    }
}

fn ratio(before: i64, after: i64) -> f64 {
    match (before, after) {
        (0, 0) => 1.0,
        _ => after as f64 / before as f64,
    }
}

/// What a line of a function cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    /// The line.
    pub frame: FrameId,
    /// By itself.
    pub flat: i64,
    /// With all that it called.
    pub cum: i64,
}

impl Cost {
    /// For order: the costliest, or what has changed most, first.
    fn size(&self) -> (u64, u64) {
        (self.cum.unsigned_abs(), self.flat.unsigned_abs())
    }
}

/// Somebody who called or was called: position of the function, and what the calls cost.
pub type Call = (usize, i64);

/// A profile summed up.
#[derive(Clone, PartialEq, Debug)]
pub struct Hot {
    /// What percentages are of: the whole profile without its narrowing; where profiles are compared, the one before.
    pub total: i64,
    /// What is left of it by the narrowing.
    pub left: i64,
    /// Where profiles are compared, by how much what is left has changed.
    pub change: Option<i64>,
    /// What is counted in [`Row::samples`], safe to show, how much of it is left, and how much of it there is.
    pub counted: (String, i64, i64),
    /// The functions, those with the highest own value first.
    pub rows: Vec<Row>,
    /// Who called each, the heaviest first.
    pub callers: Vec<Vec<Call>>,
    /// What each called, the heaviest first.
    pub callees: Vec<Vec<Call>>,
    /// By the functions' names, those of their lines that cost anything, the costliest first.
    pub lines: FxHashMap<StringId, Vec<Cost>>,
    /// The labels of the samples.
    pub facets: Vec<Facet>,
    /// The call tree; where profiles are compared, of what has become more, or less.
    pub tree: Tree,
    /// Lowest and highest value for which a common unit is to be found.
    pub range: (i64, i64),
    /// Whether there is a query that says anything of functions.
    pub filtered: bool,
}

impl Profiled {
    /// Takes a profile over, prepared as for pprof's reports.
    ///
    /// # Errors
    ///
    /// The profile has sample types that contradict each other.
    pub fn new(name: &str, profile: Profile) -> Result<Profiled, MergeError> {
        Ok(Profiled::of(name, whole(profile)?))
    }

    /// Takes a profile over to be compared with the one `base` from before, whose samples count against it. With
    /// `normalize` it is at first to be scaled to the sum of that one.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new); the two have no sample type in common.
    pub fn against(name: &str, profile: Profile, base: Profile, normalize: bool) -> Result<Profiled, MergeError> {
        let (mut profile, mut base) = (whole(profile)?, whole(base)?);
        let normalized = merge::add_normalized(&mut profile, &mut base);
        if normalize {
            normalized.clone()?;
        }
        let mut compared = merge::subtract(profile, base, true)?;
        if normalized.is_ok() {
            compared.sample_types.truncate(compared.sample_types.len() / 2);
        }
        Ok(Profiled { normalize, normalized, ..Profiled::of(name, compared) })
    }

    /// Whether it is compared with another one.
    pub fn is_compared(&self) -> bool {
        self.compared
    }

    fn of(called: &str, mut profile: Profile) -> Profiled {
        profile.simplify_names();
        profile.drop_uninteresting();
        profile.forget_servers();
        name_the_nameless(&mut profile);
        let mut named = profile.functions.iter().map(|f| (profile.str(f.name), profile.str(f.file)));
        let goroot = named.find_map(|(name, file)| ownership::goroot(name, file)).map(str::to_string);
        let named = profile.functions.iter().map(|f| (profile.str(f.name), profile.str(f.file)));
        let own = named.map(|(name, file)| ownership::is_main_module(name, file, goroot.as_deref()));
        let own: Vec<bool> = own.collect();
        let (families, variants) = group(&mut profile);
        let mut dict = Dict::default();
        let mut funcs = |grouped: bool| -> Vec<FuncId> {
            let func = |(f, &family): (&Function, &StringId)| {
                let name = if grouped { family } else { f.name };
                let (name, file) = (dict.string(profile.str(name)), dict.string(profile.str(f.file)));
                dict.func(Func { name, file })
            };
            profile.functions.iter().zip(&families).map(func).collect()
        };
        let funcs = [funcs(false), funcs(true)];
        let mut frame = |l: &Line, funcs: &[FuncId]| {
            let line = u32::try_from(l.line).unwrap_or(0);
            dict.frame(Frame { func: funcs[l.function as usize], line, pc: 0 })
        };
        let frames = [0, 1].map(|g| profile.lines.iter().map(|l| frame(l, &funcs[g])).collect::<Vec<_>>());
        let function = |line: usize| profile.lines[line].function as usize;
        let name = |function: usize| profile.functions[function].name;
        let mut stacks = Vec::with_capacity(profile.samples.len());
        for s in &profile.samples {
            let lines =
                || profile.stack_of(s).iter().rev().flat_map(|&l| profile.locations[l as usize].lines.range().rev());
            let mut all: Stacks = [[StackId::NONE; 2]; 2];
            for (grouped, both) in all.iter_mut().enumerate() {
                let frames = &frames[grouped];
                let mut last = [None; 2];
                for i in lines() {
                    let f = function(i);
                    for mine in [0, 1] {
                        if mine == 1 && !own[f] {
                            continue;
                        }
                        // What a variant leaves to another one is done by one function.
                        let other = |o: usize| families[o] == families[f] && name(o) != name(f);
                        if !(last[mine].replace(f).is_some_and(other) && grouped == 1) {
                            both[mine] = dict.push_frame(both[mine], frames[i]);
                        }
                    }
                }
                // Where nothing is the program's own, what it began with stands for the rest.
                if let (false, Some(first)) = (both[1].is_some(), lines().next()) {
                    both[1] = dict.push_frame(StackId::NONE, frames[first]);
                }
            }
            stacks.push(all);
        }
        let normalized = Err(MergeError::NotCompared);
        let index = Index { dict, complete: true, ..Index::default() };
        let (called, units) = (called.to_string(), profile.label_units());
        let compared = profile.samples.iter().any(|s| profile.is_diff_base(s));
        Profiled {
            name: called,
            compared,
            profile,
            index,
            normalize: false,
            normalized,
            frames,
            own,
            families,
            variants,
            stacks,
            units,
        }
    }

    /// Whether it can be scaled to the sum of the one that it is compared with.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn can_be_normalized(&self) -> Result<(), &MergeError> {
        self.normalized.as_ref().copied()
    }

    /// How many functions are variants of another one, and how many families they are.
    pub fn variants(&self) -> (usize, usize) {
        self.variants
    }

    /// The sample types: name and unit, not escaped.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.profile.sample_types.iter().map(|t| (self.profile.str(t.kind), self.profile.str(t.unit)))
    }

    /// Takes what is not the program's own out of the stacks of `p`, which is this profile with fewer samples; `frames`
    /// has the frame of each of its lines.
    fn charge(&self, p: &mut Profile, frames: &mut Vec<FrameId>) {
        // For each location what is left of it, and the outermost line alone.
        let mut left = Vec::with_capacity(p.locations.len());
        for i in 0..p.locations.len() {
            let l = p.locations[i];
            let start = p.lines.len() as u32;
            for n in l.lines.range() {
                if self.own[p.lines[n].function as usize] {
                    p.lines.push(p.lines[n]);
                    frames.push(frames[n]);
                }
            }
            left.push(Span { start, len: p.lines.len() as u32 - start });
        }
        let mut outermost: FxHashMap<u32, u32> = FxHashMap::default();
        for i in 0..p.samples.len() {
            let s = p.samples[i];
            let start = p.frames.len() as u32;
            for f in s.stack.range() {
                let l = p.frames[f];
                if left.get(l as usize).is_some_and(|s| s.len > 0) {
                    p.frames.push(l);
                }
            }
            if p.frames.len() as u32 == start
                && let Some(&root) = p.stack_of(&s).last()
            {
                let locations = &mut p.locations;
                let l = *outermost.entry(root).or_insert_with(|| {
                    let l: Location = locations[root as usize];
                    let last = l.lines.start + l.lines.len.saturating_sub(1);
                    locations.push(Location { lines: Span { start: last, len: l.lines.len.min(1) }, ..l });
                    locations.len() as u32 - 1
                });
                p.frames.push(l);
            }
            p.samples[i].stack = Span { start, len: p.frames.len() as u32 - start };
        }
        for (l, span) in p.locations.iter_mut().zip(left).filter(|(_, s)| s.len > 0) {
            l.lines = span;
        }
    }

    /// The samples that the cuts leave, as positions.
    fn left(&self, cuts: &[Cut]) -> Vec<usize> {
        let mut samples = (0..self.profile.samples.len()).collect();
        for c in cuts {
            c.apply(&self.profile, &self.units, &mut samples);
        }
        samples
    }

    /// Whether values are of all that there was when the profile was taken: Go writes each goroutine and thread.
    fn is_census(&self, kind: usize) -> bool {
        let kind = self.kinds().nth(kind).map_or("", |k| k.0);
        ["goroutine", "goroutineleak", "threadcreate"].contains(&kind)
    }

    /// What stands for the number of samples: the position of a sample type that counts, for `kind`.
    fn counter(&self, kind: usize) -> Option<usize> {
        let of = |name: &str| self.kinds().position(|(k, unit)| k == name && unit == "count");
        let chosen = self.kinds().nth(kind).map_or("", |k| k.0);
        let objects = chosen.strip_suffix("_space").map(|k| format!("{k}_objects"));
        let same = || self.kinds().nth(kind).filter(|k| k.1 == "count").map(|_| kind);
        of("samples").or_else(|| of("contentions")).or_else(|| of(&objects?)).or_else(same)
    }

    /// The frames that the query means, of those given for the profile's lines: where variants are grouped, those that
    /// stand for one that it means, by the name of that or of the group.
    fn meant(&self, marks: Option<&query::Compiled>, frames: &[FrameId]) -> FxHashSet<FrameId> {
        let Some(marks) = marks else { return FxHashSet::default() };
        let as_they_are = self.frames[0].iter();
        let meant = as_they_are.zip(frames).filter(|&(&was, &is)| marks.matches_frame(was) || marks.matches_frame(is));
        meant.map(|(_, &is)| is).collect()
    }
}

/// A profile as pprof's reports take it over.
fn whole(mut profile: Profile) -> Result<Profile, MergeError> {
    profile.ensure_mapping();
    merge::combine(vec![profile])
}

/// The name of each function's family, or its own where the profile has no other of that family; and how many functions
/// have others beside them, and how many families these are.
fn group(p: &mut Profile) -> (Vec<StringId>, (usize, usize)) {
    let mut of: FxHashMap<StringId, Option<String>> = FxHashMap::default();
    let mut members: FxHashMap<String, usize> = FxHashMap::default();
    for f in &p.functions {
        of.entry(f.name).or_insert_with(|| {
            let family = variants::family(p.str(f.name))?.into_owned();
            *members.entry(family.clone()).or_default() += 1;
            Some(family)
        });
    }
    members.retain(|_, n| *n > 1);
    let Profile { functions, strings, .. } = p;
    let name = |f: &Function| match of.get(&f.name) {
        Some(Some(family)) if members.contains_key(family) => strings.intern(family),
        _ => f.name,
    };
    let names = functions.iter().map(name).collect();
    (names, (members.values().sum(), members.len()))
}

/// Gives locations without a function one that is called as pprof's reports call them: by the file mapped there.
fn name_the_nameless(p: &mut Profile) {
    let known = p.functions.iter().zip(0u32..).map(|(f, i)| ((f.name, f.file), i));
    let mut known: FxHashMap<(StringId, StringId), u32> = known.collect();
    for i in 0..p.locations.len() {
        let l = p.locations[i];
        if l.lines.len > 0 {
            continue;
        }
        let object = p.object_file(&l);
        let name = match p.str(object) {
            "" => "<unknown>".to_string(),
            object => format!("[{}]", base_name(object)),
        };
        let name = p.strings.intern(&name);
        let file = p.strings.intern("");
        let function = *known.entry((name, file)).or_insert_with(|| {
            p.functions.push(Function { id: 0, name, system_name: name, file, start_line: 0 });
            p.functions.len() as u32 - 1
        });
        let start = p.lines.len() as u32;
        p.lines.push(Line { function, line: 0, column: 0, inlined: false });
        p.locations[i].lines = Span { start, len: 1 };
    }
}

#[cfg(test)]
mod tests;
