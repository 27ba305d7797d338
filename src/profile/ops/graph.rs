//! The call graph of a profile: what each place cost by itself and with all that it called, and who called whom.

use crate::base::StringId;
use crate::base::text::escape;
use crate::profile::model::{Line, Location, Profile, Strings};
use rustc_hash::FxHashMap;
use std::borrow::Cow;

/// What tells one node from another. After [`Profile::aggregate`] this is as coarse as was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Info {
    /// Function.
    pub name: StringId,
    /// Source file, its path cleaned.
    pub file: StringId,
    /// File that is mapped at the address; only kept where nothing else is known, or when asked for.
    pub object: StringId,
    /// Address; 0 if it does not matter.
    pub address: u64,
    /// First line of the function; kept like `object`.
    pub start_line: i64,
    /// Line; 0 if it does not matter.
    pub line: i64,
    /// Column; 0 if it does not matter.
    pub column: i64,
}

/// The sum of some values, and of those that it is to be divided by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sum {
    /// Sum of the values.
    pub value: i64,
    /// Sum of the divisors; 0 where no mean is asked for.
    pub divisor: i64,
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.value = self.value.wrapping_add(other.value);
        self.divisor = self.divisor.wrapping_add(other.divisor);
    }

    /// The mean, or the sum if there is no divisor.
    pub fn get(self) -> i64 {
        if self.divisor == 0 { self.value } else { self.value.wrapping_div(self.divisor) }
    }
}

impl std::iter::Sum for Sum {
    fn sum<I: Iterator<Item = Sum>>(all: I) -> Sum {
        let mut sum = Sum::default();
        all.for_each(|s| sum.add(s));
        sum
    }
}

/// A node of the graph.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What it stands for.
    pub info: Info,
    /// What it cost by itself.
    pub flat: Sum,
    /// What it cost with all that it called; once for each sample, however often it is on the stack.
    pub cum: Sum,
    /// Whether it is the outermost frame of a stack and was inlined into one that a filter took away.
    pub inlined_root: bool,
}

/// A call.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// The caller, a position in [`Graph::nodes`], or beyond them in [`Trimmed::names`].
    pub from: u32,
    /// The callee.
    pub to: u32,
    /// What the caller paid for it; once for each sample.
    pub weight: Sum,
    /// Whether every such call was inlined.
    pub inline: bool,
    /// Whether there were other nodes between the two, which are not in the graph.
    pub residual: bool,
}

/// The places of a profile and the nodes that they belong to, before anything is counted.
pub struct Places {
    infos: Vec<Info>,
    /// For each location where in `nodes` its nodes begin; one more than there are locations.
    starts: Vec<u32>,
    /// Innermost call first, and whether it was inlined.
    nodes: Vec<(u32, bool)>,
}

/// What is summed up.
#[derive(Clone, Copy, Debug)]
pub struct Weights {
    /// Position of the sample type.
    pub index: usize,
    /// Whether to divide by the first value, for a mean.
    pub mean: bool,
}

impl Weights {
    /// What a sample counts.
    pub fn of(self, values: &[i64]) -> Sum {
        let value = values.get(self.index).copied().unwrap_or(0);
        Sum { value, divisor: if self.mean { values.first().copied().unwrap_or(0) } else { 0 } }
    }
}

/// Nodes and the calls between them.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The nodes, in no particular order until sorted.
    pub nodes: Vec<Node>,
    /// The calls.
    pub edges: Vec<Edge>,
}

const NONE: u32 = u32::MAX;

impl Places {
    /// The places of `p`. With `objects`, functions of the same name in different binaries stay apart. New strings
    /// (cleaned paths) are added to `p`.
    pub fn new(p: &mut Profile, objects: bool) -> Places {
        let Profile { functions, strings, .. } = p;
        let mut clean = FxHashMap::default();
        let mut clean_file = |file: StringId| {
            *clean.entry(file).or_insert_with(|| match strings.get(file) {
                "" => Strings::EMPTY,
                path => {
                    let clean = clean_path(path).into_owned();
                    strings.intern(&clean)
                }
            })
        };
        let files: Vec<StringId> = functions.iter().map(|f| clean_file(f.file)).collect();
        let mut places = Places { infos: Vec::new(), starts: vec![0], nodes: Vec::with_capacity(p.lines.len()) };
        let mut known: FxHashMap<Info, u32> = FxHashMap::default();
        for l in &p.locations {
            let infos = &mut places.infos;
            let mut node = |info: Info| {
                *known.entry(info).or_insert_with(|| {
                    infos.push(info);
                    infos.len() as u32 - 1
                })
            };
            for n in p.lines_of(l) {
                places.nodes.push((node(line_info(p, l, n, files[n.function as usize], objects)), n.inlined));
            }
            if l.lines.len == 0 {
                let info = Info { address: l.address, object: p.object_file(l), ..Info::EMPTY };
                places.nodes.push((node(info), false));
            }
            places.starts.push(places.nodes.len() as u32);
        }
        places
    }

    /// What a node stands for.
    pub fn info(&self, node: u32) -> &Info {
        &self.infos[node as usize]
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.infos.len()
    }

    /// Whether the profile has no locations.
    pub fn is_empty(&self) -> bool {
        self.infos.is_empty()
    }

    /// What groups of nodes cost with all that they called. `group` gives each node's group, as a position below
    /// `groups`, if it is in any; a sample counts once for a group, however many nodes of it are on the stack.
    pub fn cum_of_groups(
        &self,
        p: &Profile,
        weights: Weights,
        groups: usize,
        group: impl FnMut(&Info) -> Option<usize>,
    ) -> Vec<Sum> {
        let group: Vec<Option<usize>> = self.infos.iter().map(group).collect();
        let mut sums = vec![Sum::default(); groups];
        let mut seen = vec![0u32; groups];
        for (i, s) in p.samples.iter().enumerate() {
            for g in p.stack_of(s).iter().flat_map(|&l| self.of(l)).filter_map(|n| group[n.0 as usize]) {
                if std::mem::replace(&mut seen[g], i as u32 + 1) != i as u32 + 1 {
                    sums[g].add(weights.of(p.values_of(s)));
                }
            }
        }
        sums
    }

    /// The nodes of a location, innermost call first, and of each whether the call was inlined.
    pub fn of(&self, location: u32) -> &[(u32, bool)] {
        &self.nodes[self.starts[location as usize] as usize..self.starts[location as usize + 1] as usize]
    }

    /// Sums up the nodes of all places.
    fn sums(&self, p: &Profile, weights: Weights) -> Vec<(Sum, Sum)> {
        let mut sums = vec![(Sum::default(), Sum::default()); self.infos.len()];
        let mut seen = vec![0u32; self.infos.len()];
        for (i, s) in p.samples.iter().enumerate() {
            let w = weights.of(p.values_of(s));
            if w == Sum::default() {
                continue;
            }
            let stack = p.stack_of(s);
            for &(n, _) in stack.iter().flat_map(|&l| self.of(l)) {
                if std::mem::replace(&mut seen[n as usize], i as u32 + 1) != i as u32 + 1 {
                    sums[n as usize].1.add(w);
                }
            }
            if let Some(&(leaf, _)) = stack.first().and_then(|&l| self.of(l).first()) {
                sums[leaf as usize].0.add(w);
            }
        }
        sums
    }
}

impl Info {
    const EMPTY: Info = Info {
        name: Strings::EMPTY,
        file: Strings::EMPTY,
        object: Strings::EMPTY,
        address: 0,
        start_line: 0,
        line: 0,
        column: 0,
    };

    /// The node's name as a report prints it, safe to show: address, function, file and line as far as they are kept,
    /// and in want of all of them the binary.
    pub fn printable(&self, p: &Profile) -> String {
        let text = |id| escape(p.str(id));
        let mut out = String::new();
        if self.address != 0 {
            out = format!("{:016x}", self.address);
        }
        let mut part = |s: &str| {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(s);
        };
        let (name, file, object) = (p.str(self.name), p.str(self.file), p.str(self.object));
        if !name.is_empty() {
            part(&text(self.name));
        }
        if self.line != 0 {
            part(&format!("{}:{}", text(self.file), self.line));
            if self.column != 0 {
                out.push_str(&format!(":{}", self.column));
            }
        } else if !file.is_empty() {
            part(&text(self.file));
        } else if !name.is_empty() {
        } else if !object.is_empty() {
            part(&format!("[{}]", escape(base_name(object))));
        } else {
            part("<unknown>");
        }
        out
    }

    /// Everything as text: the last resort of sorting.
    fn everything(&self, p: &Profile) -> String {
        let Info { address, start_line, line, column, .. } = self;
        let (name, file, object) = (p.str(self.name), p.str(self.file), p.str(self.object));
        format!("{{{name}  {address} {file} {start_line} {line} {column} {object}}}")
    }
}

fn line_info(p: &Profile, l: &Location, n: &Line, file: StringId, objects: bool) -> Info {
    let f = &p.functions[n.function as usize];
    let mut info = Info { name: f.name, file, address: l.address, line: n.line, column: n.column, ..Info::EMPTY };
    if objects || p.str(f.name).is_empty() {
        info.object = p.object_file(l);
        info.start_line = f.start_line;
    }
    info
}

/// What to leave out of a graph, and how to sort it.
#[derive(Clone, Copy, Debug)]
pub struct Trim {
    /// Sort by cumulative value, not by flat.
    pub cum: bool,
    /// Leave out nodes with a negative value.
    pub drop_negative: bool,
    /// Keep at most so many nodes; 0 for all.
    pub node_count: usize,
    /// Leave out nodes below this share of the total.
    pub node_fraction: f64,
    /// Leave out calls below this share of the total.
    pub edge_fraction: f64,
    /// Leave out calls of what is inlined nowhere: the rest tells whether a node was inlined into its callers.
    pub inlined_only: bool,
}

impl Trim {
    /// Leave out nothing.
    pub const NOTHING: Trim = Trim {
        cum: false,
        drop_negative: false,
        node_count: 0,
        node_fraction: 0.0,
        edge_fraction: 0.0,
        inlined_only: false,
    };
}

/// A graph that shows the important part of a profile.
pub struct Trimmed {
    /// The graph, its nodes sorted.
    pub graph: Graph,
    /// The names of its nodes, and after them of nodes outside that its calls come from and go to.
    pub names: Vec<String>,
    /// How many nodes there were when the small ones had been left out.
    pub considered: usize,
    /// How many small nodes were left out.
    pub dropped: usize,
}

impl Trimmed {
    /// Builds the graph of `p` and leaves out what `trim` says, in the order in which pprof does.
    pub fn new(p: &Profile, places: &Places, weights: Weights, trim: Trim) -> Trimmed {
        let sums = places.sums(p, weights);
        let is_negative = |flat: i64, cum: i64| flat < 0 || flat == 0 && cum < 0;
        let mut chosen: Vec<u32> = (0..sums.len() as u32)
            .filter(|&n| {
                let (flat, cum) = sums[n as usize];
                (flat.value != 0 || cum.value != 0) && !(trim.drop_negative && is_negative(flat.value, cum.value))
            })
            .collect();
        let all = chosen.len();
        let total = chosen.iter().fold(0i64, |t, &n| t.wrapping_add(sums[n as usize].0.value));
        let cutoff = |fraction: f64| ((total as f64 * fraction) as i64).wrapping_abs();
        let (node_cutoff, edge_cutoff) = (cutoff(trim.node_fraction), cutoff(trim.edge_fraction));
        if node_cutoff > 0 {
            chosen.retain(|&n| sums[n as usize].1.value.wrapping_abs() >= node_cutoff);
        }
        let considered = chosen.len();

        let mut named: Vec<(u32, String)> =
            chosen.into_iter().map(|n| (n, places.infos[n as usize].printable(p))).collect();
        let order = Order { p, places, sums: &sums, cum: trim.cum };
        named.sort_unstable_by(|a, b| order.compare(a, b));
        if trim.node_count > 0 {
            named.truncate(trim.node_count);
        }
        let mut position = vec![NONE; sums.len()];
        for (i, (n, _)) in named.iter().enumerate() {
            position[*n as usize] = i as u32;
        }
        let nodes = named.iter().map(|(n, _)| {
            let (flat, cum) = sums[*n as usize];
            Node { info: places.infos[*n as usize], flat, cum, inlined_root: false }
        });
        let mut nodes: Vec<Node> = nodes.collect();
        // Where nothing that counts is left out, calls from and to nodes that come to nothing are shown as well; where
        // something is, they are bridged like any other.
        let mut names: Vec<String> = named.into_iter().map(|(_, name)| name).collect();
        if names.len() == all {
            for (n, position) in position.iter_mut().enumerate().filter(|(_, p)| **p == NONE) {
                *position = names.len() as u32;
                names.push(places.infos[n].printable(p));
            }
        }
        let mut wanted = vec![!trim.inlined_only; names.len()];
        for &(n, inlined) in &places.nodes {
            if let (true, Some(wanted)) = (inlined, wanted.get_mut(position[n as usize] as usize)) {
                *wanted = true;
            }
        }
        let mut edges = edges(p, places, weights, (&position, &wanted), &mut nodes);
        let shown = nodes.len() as u32;
        edges.retain(|e| e.to >= shown || e.weight.value.wrapping_abs() >= edge_cutoff);
        Trimmed { graph: Graph { nodes, edges }, names, considered, dropped: all - considered }
    }
}

/// How nodes are sorted: by value, then name, then the other value, then everything.
struct Order<'a> {
    p: &'a Profile,
    places: &'a Places,
    sums: &'a [(Sum, Sum)],
    cum: bool,
}

impl Order<'_> {
    fn compare(&self, a: &(u32, String), b: &(u32, String)) -> std::cmp::Ordering {
        let values = |n: u32| {
            let (flat, cum) = self.sums[n as usize];
            let (flat, cum) = (flat.value.wrapping_abs(), cum.value.wrapping_abs());
            if self.cum { (cum, flat) } else { (flat, cum) }
        };
        let ((a0, a1), (b0, b1)) = (values(a.0), values(b.0));
        let info = |n: u32| &self.places.infos[n as usize];
        b0.cmp(&a0)
            .then_with(|| match (info(a.0).address, info(b.0).address) {
                (x, y) if x != 0 && y != 0 && x != y => x.cmp(&y),
                _ => a.1.cmp(&b.1),
            })
            .then_with(|| b1.cmp(&a1))
            .then_with(|| info(a.0).everything(self.p).cmp(&info(b.0).everything(self.p)))
    }
}

/// The calls between the nodes that have a position, of those that are wanted; nodes without one are bridged. Marks the
/// roots that were inlined.
fn edges(
    p: &Profile,
    places: &Places,
    weights: Weights,
    (position, wanted): (&[u32], &[bool]),
    nodes: &mut [Node],
) -> Vec<Edge> {
    let mut edges: Vec<Edge> = Vec::new();
    // For each edge the sample that counted it last.
    let mut seen: Vec<u32> = Vec::new();
    let mut known: FxHashMap<(u32, u32), u32> = FxHashMap::default();
    for (i, s) in p.samples.iter().enumerate() {
        let w = weights.of(p.values_of(s));
        if w == Sum::default() {
            continue;
        }
        let mut parent = NONE;
        let mut residual = false;
        for &l in p.stack_of(s).iter().rev() {
            for &(n, inline) in places.of(l).iter().rev() {
                let n = position[n as usize];
                if n == NONE {
                    residual = true;
                    continue;
                }
                if parent != NONE && parent != n && wanted[n as usize] {
                    let e = *known.entry((parent, n)).or_insert_with(|| {
                        seen.push(0);
                        edges.push(Edge { from: parent, to: n, weight: Sum::default(), inline, residual });
                        edges.len() as u32 - 1
                    }) as usize;
                    if std::mem::replace(&mut seen[e], i as u32 + 1) != i as u32 + 1 {
                        edges[e].weight.add(w);
                        edges[e].inline &= inline;
                        edges[e].residual |= residual;
                    }
                }
                if inline
                    && parent == NONE
                    && !residual
                    && let Some(root) = nodes.get_mut(n as usize)
                {
                    root.inlined_root = true;
                }
                parent = n;
                residual = false;
            }
        }
    }
    edges
}

impl Graph {
    /// For each node the edges into it (`incoming`) or out of it, the heaviest first, then by the names of both ends.
    pub fn sorted_edges(&self, names: &[String], incoming: bool) -> Vec<Vec<Edge>> {
        let mut out = vec![Vec::new(); self.nodes.len()];
        for e in &self.edges {
            if let Some(list) = out.get_mut(if incoming { e.to } else { e.from } as usize) {
                list.push(*e);
            }
        }
        for list in &mut out {
            list.sort_by(|a, b| {
                let weight = |e: &Edge| e.weight.value.wrapping_abs();
                let ends = |e: &Edge| (&names[e.from as usize], &names[e.to as usize]);
                weight(b).cmp(&weight(a)).then_with(|| ends(a).cmp(&ends(b)))
            });
        }
        out
    }
}

/// `path` without `.`, `..` and doubled slashes, as far as that is possible by looking at it: Go's `path/filepath.Clean`
/// on Unix.
pub fn clean_path(path: &str) -> Cow<'_, str> {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    let clean = format!("{}{}", if rooted { "/" } else { "" }, parts.join("/"));
    match clean.as_str() {
        "" => Cow::Borrowed("."),
        clean if clean == path => Cow::Borrowed(path),
        _ => Cow::Owned(clean),
    }
}

/// The last element of a path: Go's `path/filepath.Base` on Unix.
pub fn base_name(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    match path.trim_end_matches('/') {
        "" => "/",
        path => path.rsplit('/').next().unwrap_or(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_go_does() {
        for (path, want) in [
            ("/a/b/../c", "/a/c"),
            ("./x//y/", "x/y"),
            ("/..", "/"),
            ("../a", "../a"),
            ("a/../..", ".."),
            ("", "."),
            ("/a/b.go", "/a/b.go"),
        ] {
            assert_eq!(clean_path(path), want);
        }
        assert_eq!(base_name("/a/b/"), "b");
        assert_eq!(base_name("//"), "/");
    }
}
