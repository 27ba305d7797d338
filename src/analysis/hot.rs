//! What a profile says of functions, of lines and of stacks: own and cumulative values, as pprof counts them.

use super::flame::{self, Tree, Weighed};
use crate::base::{FrameId, FuncId, StackId};
use crate::filter;
use crate::store::profile::aggregate::Keep;
use crate::store::profile::graph::{Places, Trim, Trimmed, Weights, base_name};
use crate::store::profile::{Function, Line, Location, Profile, Span, merge};
use crate::store::{Dict, Frame, Func, Index};
use rustc_hash::FxHashMap;
use std::fmt;

/// Share of the total below which a function has no say in the unit that all values are shown in, as with `top`.
const MINOR: f64 = 0.005;

/// A profile with its functions, frames and stacks as those of a trace are known.
pub struct Profiled {
    /// What messages call the file. Not escaped.
    pub name: String,
    /// The profile.
    pub profile: Profile,
    /// Only its dictionary is filled: with the functions, frames and stacks of the profile.
    pub index: Index,
    /// The frame of each of the profile's lines.
    frames: Vec<FrameId>,
    /// Of each function whether it is the program's own.
    own: Vec<bool>,
    /// The stack of each sample, as it is and with what is not the program's own taken out.
    stacks: Vec<[StackId; 2]>,
}

impl fmt::Debug for Profiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profiled").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What is to be summed up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    /// Position of the sample type.
    pub kind: usize,
    /// Whether frames of the runtime and of libraries are charged to the nearest line of the program's own.
    pub mine: bool,
    /// The query that says which functions are meant.
    pub query: Option<String>,
}

/// A function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its name, safe to show.
    pub name: String,
    /// What it cost by itself, in the unit of the sample type.
    pub flat: i64,
    /// What it cost with all that it called.
    pub cum: i64,
    /// Where profiles are compared, what it cost before with all that it called; `flat` and `cum` are by how much that
    /// has changed.
    pub before: i64,
    /// How much of what is counted passed through it.
    pub samples: i64,
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
        match (self.before, self.after()) {
            (0, 0) => 1.0,
            (before, after) => after as f64 / before as f64,
        }
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
    /// What percentages are of: where profiles are compared, what the one before has.
    pub total: i64,
    /// Where profiles are compared, by how much all has changed.
    pub change: Option<i64>,
    /// What is counted in [`Row::samples`], safe to show, and how much of it there is.
    pub counted: (String, i64),
    /// The functions, those with the highest own value first.
    pub rows: Vec<Row>,
    /// Who called each, the heaviest first.
    pub callers: Vec<Vec<Call>>,
    /// What each called, the heaviest first.
    pub callees: Vec<Vec<Call>>,
    /// The lines of each function that cost anything, the costliest first.
    pub lines: FxHashMap<FuncId, Vec<Cost>>,
    /// The call tree; where profiles are compared, of what has become more.
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
    pub fn new(name: &str, profile: Profile) -> Result<Profiled, String> {
        Ok(Profiled::of(name, whole(profile)?))
    }

    /// Takes a profile over to be compared with the one `base` from before, whose samples count against it. With
    /// `normalize` it is scaled to the sum of that one.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new); the two have no sample type in common.
    pub fn against(name: &str, profile: Profile, base: Profile, normalize: bool) -> Result<Profiled, String> {
        let (mut profile, base) = (whole(profile)?, whole(base)?);
        if normalize {
            merge::normalize(&mut profile, &base)?;
        }
        Ok(Profiled::of(name, merge::subtract(profile, base, true)?))
    }

    /// Whether it is compared with another one.
    pub fn is_compared(&self) -> bool {
        self.profile.samples.iter().any(|s| self.profile.is_diff_base(s))
    }

    fn of(name: &str, mut profile: Profile) -> Profiled {
        profile.simplify_names();
        profile.drop_uninteresting();
        profile.forget_servers();
        name_the_nameless(&mut profile);
        let goroot = goroot(&profile).map(str::to_string);
        let own = profile.functions.iter().map(|f| is_own(profile.str(f.name), profile.str(f.file), goroot.as_deref()));
        let own: Vec<bool> = own.collect();
        let mut dict = Dict::default();
        let funcs: Vec<FuncId> = profile
            .functions
            .iter()
            .map(|f| {
                let (name, file) = (dict.string(profile.str(f.name)), dict.string(profile.str(f.file)));
                dict.func(Func { name, file })
            })
            .collect();
        let frame = |l: &Line| {
            let line = u32::try_from(l.line).unwrap_or(0);
            dict.frame(Frame { func: funcs[l.function as usize], line, pc: 0 })
        };
        let frames: Vec<FrameId> = profile.lines.iter().map(frame).collect();
        let mut stacks = Vec::with_capacity(profile.samples.len());
        for s in &profile.samples {
            let mut both = [StackId::NONE; 2];
            let lines =
                || profile.stack_of(s).iter().rev().flat_map(|&l| profile.locations[l as usize].lines.range().rev());
            for i in lines() {
                both[0] = dict.push_frame(both[0], frames[i]);
                if own[profile.lines[i].function as usize] {
                    both[1] = dict.push_frame(both[1], frames[i]);
                }
            }
            // Where nothing is the program's own, what it began with stands for the rest.
            if let (false, Some(first)) = (both[1].is_some(), lines().next()) {
                both[1] = dict.push_frame(StackId::NONE, frames[first]);
            }
            stacks.push(both);
        }
        let index = Index { dict, complete: true, ..Index::default() };
        Profiled { name: name.to_string(), profile, index, frames, own, stacks }
    }

    /// The sample types: name and unit, not escaped.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.profile.sample_types.iter().map(|t| (self.profile.str(t.kind), self.profile.str(t.unit)))
    }

    /// The profile without what is not the program's own, and the frame of each of its lines.
    fn mine(&self) -> (Profile, Vec<FrameId>) {
        let (mut p, mut frames) = (self.profile.clone(), self.frames.clone());
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
        (p, frames)
    }

    /// What stands for the number of samples: the position of a sample type that counts, for `kind`.
    fn counter(&self, kind: usize) -> Option<usize> {
        let of = |name: &str| self.kinds().position(|(k, unit)| k == name && unit == "count");
        let chosen = self.kinds().nth(kind).map_or("", |k| k.0);
        let objects = chosen.strip_suffix("_space").map(|k| format!("{k}_objects"));
        let same = || self.kinds().nth(kind).filter(|k| k.1 == "count").map(|_| kind);
        of("samples").or_else(|| of("contentions")).or_else(|| of(&objects?)).or_else(same)
    }

    /// Sums the profile up.
    ///
    /// # Errors
    ///
    /// The query is not one.
    pub fn sum_up(&self, ask: &Ask) -> Result<Hot, String> {
        let marks = match &ask.query {
            Some(q) => {
                let parsed = filter::parse(q).map_err(|e| e.to_string())?;
                let compiled = filter::Compiled::new(&parsed, &self.index).map_err(|e| e.to_string())?;
                Some(compiled).filter(|m| m.has_frames())
            }
            None => None,
        };
        let matches = |f: FrameId| marks.as_ref().is_some_and(|m| m.matches_frame(f));
        let (p, frames) = if ask.mine { self.mine() } else { (self.profile.clone(), self.frames.clone()) };
        let weights = Weights { index: ask.kind, mean: false };
        let dict = &self.index.dict;
        let costs = costs(&p, &frames, weights, dict);

        let compared = self.is_compared();
        let mut by_stack: FxHashMap<StackId, usize> = FxHashMap::default();
        let mut weighed: Vec<(StackId, i64)> = Vec::new();
        for (stacks, s) in self.stacks.iter().zip(&p.samples) {
            let (stack, value) = (stacks[usize::from(ask.mine)], weights.of(p.values_of(s)).value);
            let at = *by_stack.entry(stack).or_insert(weighed.len());
            match weighed.get_mut(at) {
                Some(w) => w.1 = w.1.saturating_add(value),
                None => weighed.push((stack, value)),
            }
        }
        let weigh = weighed.into_iter().map(|(stack, value)| Weighed {
            stack,
            waker: StackId::NONE,
            weight: value.max(0) as u64,
        });
        let tree = flame::tree(dict, &weigh.collect::<Vec<_>>(), false, &matches);

        let counter = self.counter(ask.kind);
        let count = |s| counter.map_or(1, |index| Weights { index, mean: false }.of(p.values_of(s)).value);
        // As in pprof's reports the total of a comparison is that of the profile from before.
        let of_total = p.samples.iter().filter(|s| !compared || p.is_diff_base(s));
        let total = of_total.fold(0i64, |t, s| t.wrapping_add(weights.of(p.values_of(s)).value.wrapping_abs()));
        let all = p.samples.iter().fold(0i64, |t, s| t.wrapping_add(weights.of(p.values_of(s)).value));
        let change = compared.then_some(all);
        let name = counter.and_then(|c| self.kinds().nth(c)).map_or("stacks", |k| k.0);
        let counted =
            (crate::base::text::escape(name).into_owned(), p.samples.iter().map(count).fold(0i64, i64::saturating_add));

        let mut named = p.clone();
        named.aggregate(Keep {
            inlined: true,
            functions: true,
            files: false,
            lines: false,
            columns: false,
            addresses: false,
        });
        let places = Places::new(&mut named, false);
        let t = Trimmed::new(&named, &places, weights, Trim::NOTHING);

        // A function's name stands for all functions of that name; its costliest line for its source.
        let mut heaviest: FxHashMap<&str, Cost> = FxHashMap::default();
        let mut meant: FxHashMap<&str, bool> = FxHashMap::default();
        for (i, c) in costs.iter().enumerate().filter(|(_, c)| (c.flat, c.cum) != (0, 0)) {
            let frame = FrameId(i as u32);
            let name = dict.func_name(dict.frame_of(frame).func);
            let best = heaviest.entry(name).or_insert(*c);
            if c.size() > best.size() {
                *best = *c;
            }
            *meant.entry(name).or_default() |= matches(frame);
        }
        let own: FxHashMap<&str, bool> =
            self.profile.functions.iter().zip(&self.own).map(|(f, &own)| (self.profile.str(f.name), own)).collect();
        let mut position: FxHashMap<&str, usize> = FxHashMap::default();
        let mut rows = Vec::with_capacity(t.graph.nodes.len());
        for (n, shown) in t.graph.nodes.iter().zip(&t.names) {
            let name = named.str(n.info.name);
            position.insert(name, rows.len());
            rows.push(Row {
                name: shown.clone(),
                flat: n.flat.get(),
                cum: n.cum.get(),
                before: 0,
                samples: 0,
                frame: heaviest.get(name).map_or(FrameId::NONE, |c| c.frame),
                own: own.get(name).copied().unwrap_or(false),
                matched: meant.get(name).copied().unwrap_or(false),
            });
        }
        let of = |f: &Function| position.get(self.profile.str(f.name)).copied();
        let of: Vec<Option<usize>> = self.profile.functions.iter().map(of).collect();
        let mut seen = vec![0usize; rows.len()];
        for (i, s) in p.samples.iter().enumerate() {
            for n in p.stack_of(s).iter().flat_map(|&l| p.lines_of(&p.locations[l as usize])) {
                if let Some(r) = of[n.function as usize].filter(|&r| std::mem::replace(&mut seen[r], i + 1) != i + 1) {
                    rows[r].samples = rows[r].samples.wrapping_add(count(s));
                    if compared && p.is_diff_base(s) {
                        rows[r].before = rows[r].before.wrapping_sub(weights.of(p.values_of(s)).value);
                    }
                }
            }
        }
        let calls = |incoming: bool| {
            let list = t.graph.sorted_edges(&t.names, incoming).into_iter();
            let other = |e: &crate::store::profile::graph::Edge| if incoming { e.from } else { e.to } as usize;
            let known = rows.len();
            list.map(|l| l.iter().map(|e| (other(e), e.weight.get())).filter(|c| c.0 < known).collect()).collect()
        };
        let (callers, callees) = (calls(true), calls(false));
        let least = (total as f64 * MINOR) as i64;
        let smallest = rows.iter().filter(|r| r.cum.wrapping_abs() >= least).map(|r| match r.flat.wrapping_abs() {
            0 => r.cum.wrapping_abs(),
            flat => flat,
        });
        let range = (smallest.filter(|&v| v > 0).min().unwrap_or(total), total);
        let mut lines: FxHashMap<FuncId, Vec<Cost>> = FxHashMap::default();
        for c in costs.into_iter().filter(|c| (c.flat, c.cum) != (0, 0)) {
            lines.entry(dict.frame_of(c.frame).func).or_default().push(c);
        }
        for l in lines.values_mut() {
            l.sort_by_key(|c| (std::cmp::Reverse(c.size()), dict.frame_of(c.frame).line));
        }
        Ok(Hot { total, change, counted, rows, callers, callees, lines, tree, range, filtered: marks.is_some() })
    }
}

/// A profile as pprof's reports take it over.
fn whole(mut profile: Profile) -> Result<Profile, String> {
    profile.ensure_mapping();
    merge::combine(vec![profile])
}

/// What each line cost, by itself and with all that it called; once for each sample, however often it is on the stack.
fn costs(p: &Profile, frames: &[FrameId], weights: Weights, dict: &Dict) -> Vec<Cost> {
    let none = |i| Cost { frame: FrameId(i as u32), flat: 0, cum: 0 };
    let mut costs: Vec<Cost> = (0..dict.frames().len()).map(none).collect();
    let mut seen = vec![0usize; costs.len()];
    for (i, s) in p.samples.iter().enumerate() {
        let w = weights.of(p.values_of(s)).value;
        let lines = p.stack_of(s).iter().flat_map(|&l| p.locations[l as usize].lines.range());
        for (n, line) in lines.enumerate() {
            let at = frames[line].index();
            if n == 0 {
                costs[at].flat = costs[at].flat.wrapping_add(w);
            }
            if std::mem::replace(&mut seen[at], i + 1) != i + 1 {
                costs[at].cum = costs[at].cum.wrapping_add(w);
            }
        }
    }
    costs
}

/// Gives locations without a function one that is called as pprof's reports call them: by the file mapped there.
fn name_the_nameless(p: &mut Profile) {
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
        let function = match p.functions.iter().rposition(|f| f.name == name && f.file == file) {
            Some(f) => f as u32,
            None => {
                p.functions.push(Function { id: 0, name, system_name: name, file, start_line: 0 });
                p.functions.len() as u32 - 1
            }
        };
        let start = p.lines.len() as u32;
        p.lines.push(Line { function, line: 0, column: 0, inlined: false });
        p.locations[i].lines = Span { start, len: 1 };
    }
}

/// Where the standard library's sources were when the program was built, from the path of one; `None` where paths were
/// trimmed.
fn goroot(p: &Profile) -> Option<&str> {
    let runtime = p.functions.iter().filter(|f| p.str(f.name).starts_with("runtime."));
    let root = |file: &'_ str| file.rfind("/src/runtime/").map(|at| at + "/src/".len());
    runtime.map(|f| p.str(f.file)).find_map(|file| root(file).and_then(|end| file.get(..end)))
}

/// The first elements of the standard library's packages.
const STD: &[&str] = &[
    "archive",
    "bufio",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "structs",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "unicode",
    "unique",
    "unsafe",
    "vendor",
    "weak",
];

/// Whether a function is of the main module: neither of the standard library nor of a module that the build fetched or
/// keeps a copy of. Profiles do not say so; names and paths do.
fn is_own(name: &str, file: &str, goroot: Option<&str>) -> bool {
    let package = name.split('/').next().unwrap_or("");
    let first = if package.len() < name.len() { package } else { name.split('.').next().unwrap_or("") };
    if first == "main" {
        return true;
    }
    if !name.contains('.') || name.starts_with("type:") || name.starts_with("go:") {
        return false;
    }
    let fetched = file.contains("/pkg/mod/") || file.contains("@v") || file.contains("/vendor/");
    let std = match goroot {
        Some(root) => file.starts_with(root) || first == "runtime",
        None => STD.contains(&first),
    };
    !fetched && !std
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu() -> Profiled {
        let data = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/sample-traces/cpu.pb.gz")).unwrap();
        Profiled::new("cpu.pb.gz", Profile::decode(&data).unwrap()).unwrap()
    }

    fn ask(mine: bool) -> Ask {
        Ask { kind: 1, mine, query: None }
    }

    #[test]
    fn a_comparison_has_the_values_of_pprof_and_what_was_before() {
        let read = |name: &str| {
            let path = format!("{}/sample-traces/{name}", env!("CARGO_MANIFEST_DIR"));
            Profile::decode(&std::fs::read(path).unwrap()).unwrap()
        };
        let (new, old) = (read("fixed-cpu.pb.gz"), read("cpu.pb.gz"));
        let hot = Profiled::against("new", new.clone(), old.clone(), false).unwrap().sum_up(&ask(false)).unwrap();
        let ms = 1_000_000;
        // go tool pprof -top -diff_base cpu.pb.gz fixed-cpu.pb.gz
        assert_eq!((hot.total, hot.change), (1940 * ms, Some(-990 * ms)));
        let first = &hot.rows[0];
        assert_eq!((first.name.as_str(), first.flat, first.cum), ("runtime.mapassign_faststr", -200 * ms, -1280 * ms));
        assert_eq!((first.before, first.after()), (1290 * ms, 10 * ms));
        let alone = |p: Profile| Profiled::new("alone", p).unwrap().sum_up(&ask(false)).unwrap();
        let (before, after) = (alone(old.clone()), alone(new.clone()));
        let cum = |h: &Hot, name: &str| h.rows.iter().find(|r| r.name == name).map_or(0, |r| r.cum);
        for r in before.rows.iter().chain(&after.rows) {
            let want = (cum(&before, &r.name), cum(&after, &r.name));
            // What is the same as before is left out.
            let both = hot.rows.iter().find(|b| b.name == r.name);
            assert_eq!(both.map_or((r.cum, r.cum), |b| (b.before, b.after())), want, "{}", r.name);
        }
        // Only what has become more is in the graph, stack by stack.
        assert!(hot.tree.nodes[0].total > 0 && (hot.tree.nodes[0].total as i64) < 950 * ms);
        let same = Profiled::against("same", old.clone(), old, true).unwrap().sum_up(&ask(false)).unwrap();
        assert!(same.change == Some(0) && same.rows.iter().all(|r| (r.flat, r.cum) == (0, 0)));
    }

    #[test]
    fn functions_have_the_values_and_the_order_of_pprof() {
        let hot = cpu().sum_up(&ask(false)).unwrap();
        let first: Vec<_> = hot.rows.iter().take(3).map(|r| (r.name.as_str(), r.flat, r.cum)).collect();
        let ms = 1_000_000;
        let want = [
            ("internal/runtime/maps.ctrlGroup.matchH2", 390 * ms, 390 * ms),
            ("runtime.memclrNoHeapPointers", 210 * ms, 210 * ms),
            ("runtime.mapassign_faststr", 200 * ms, 1290 * ms),
        ];
        assert_eq!(first, want);
        assert_eq!((hot.total, hot.counted.clone()), (1940 * ms, ("samples".to_string(), 194)));
        assert_eq!(hot.rows[2].samples, 129);
        assert_eq!(hot.rows.iter().map(|r| r.flat).sum::<i64>(), hot.total);
        assert_eq!(hot.tree.nodes[0].total, hot.total as u64);
    }

    #[test]
    fn what_is_charged_to_the_program_loses_nothing_and_lands_on_its_line() {
        let p = cpu();
        let hot = p.sum_up(&ask(true)).unwrap();
        let update = hot.rows.iter().find(|r| r.name.ends_with("(*OrderCache).Update")).unwrap();
        assert!(update.own && update.flat > 1_200_000_000 && hot.rows[0] == *update, "{update:?}");
        assert_eq!(p.index.dict.frame_of(update.frame).line, 47);
        assert_eq!(hot.rows.iter().map(|r| r.flat).sum::<i64>(), 1_940_000_000);
        assert!(!hot.rows.iter().any(|r| r.name.contains("mapassign")));
    }

    #[test]
    fn the_main_module_is_told_by_names_and_paths() {
        let root = Some("/usr/lib/go/src/");
        assert!(is_own("main.main", "/home/me/x/main.go", root));
        assert!(is_own("paycore/payment.(*Core).Pay", "/home/me/paycore/payment/core.go", root));
        assert!(is_own("example.org/shop/log.Write", "example.org/shop/log/log.go", None));
        assert!(!is_own("sync.(*Mutex).Lock", "/usr/lib/go/src/sync/mutex.go", root));
        assert!(!is_own("encoding/json.Marshal", "encoding/json/encode.go", None));
        assert!(!is_own("github.com/x/y.F", "/home/me/go/pkg/mod/github.com/x/y@v1.2.0/f.go", root));
        assert!(!is_own("malloc", "malloc.c", root));
    }
}
