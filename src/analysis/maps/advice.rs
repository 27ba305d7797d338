//! What would help at a line, and what says so. An advice that the figures do not carry is not given.

use super::estimate::{Bracket, Estimate};
use super::{FEW, Line, Maps};
use crate::base::Duration;

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Give the map its size when it is made.
    Presize,
    /// Keep a struct, or one map, instead of a fresh small map each time.
    Struct,
    /// Take a key that hashes and compares faster.
    Key,
    /// Split the map or move its lock.
    Lock,
    /// Keep values without pointers, not interfaces that the GC has to scan.
    Interface,
    /// Clear or make anew a map whose entries come and go.
    Tombstones,
    /// There are too few samples to say.
    FewSamples,
}

impl Kind {
    /// As data has it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Presize => "presize",
            Kind::Struct => "struct",
            Kind::Key => "key",
            Kind::Lock => "lock",
            Kind::Interface => "interface",
            Kind::Tombstones => "tombstones",
            Kind::FewSamples => "few samples",
        }
    }
}

/// An advice with its evidence.
#[derive(Clone, PartialEq, Debug)]
pub struct Advice {
    /// What to do.
    pub kind: Kind,
    /// The part of the line's time on CPU that speaks for it, 0 to 1.
    pub share: f64,
    /// The part of the line's time on CPU that it saves, about, 0 to 1; ±0.1.
    pub saves_cpu: Option<f64>,
    /// Bytes allocated that it saves, about.
    pub saves_bytes: Option<f64>,
    /// The maps meant, for a size.
    pub maps: Option<Bracket>,
    /// How long others waited for the lock.
    pub waited: Option<Duration>,
}

impl Advice {
    fn new(kind: Kind, share: f64) -> Advice {
        Advice { kind, share, saves_cpu: None, saves_bytes: None, maps: None, waited: None }
    }
}

/// Keys up to which a hint changes nothing.
const SMALL: u64 = 8;

/// The small maps that are made at a line, if there are many of them and they are much of what it allocates.
fn small(l: &Line) -> Option<Bracket> {
    const MANY: f64 = 1000.0;
    const PART: f64 = 0.2;
    let h = l.heap.as_ref().filter(|h| h.born >= MANY)?;
    let of = |e: &&Estimate| e.used() == 1 && e.main().is_some_and(|b| b.high <= SMALL);
    let e = h.estimates.iter().filter(of).max_by(|a, b| a.bytes().total_cmp(&b.bytes()))?;
    (e.explained >= PART).then(|| e.main()).flatten()
}

/// What would help at a line.
pub(super) fn of(l: &Line, all: &Maps) -> Vec<Advice> {
    let of = |n: u64| n as f64 / l.samples.max(1) as f64;
    let main = l.heap.as_ref().and_then(|h| h.main()).filter(|e| e.main().is_some_and(|b| b.high > SMALL));
    let small = small(l);
    let size = |a: Advice| Advice { maps: main.and_then(|e| e.main()), saves_bytes: main.map(|e| e.outgrown), ..a };
    let mut out = Vec::new();
    if l.samples < FEW {
        if l.samples > 0 {
            out.push(Advice::new(Kind::FewSamples, 0.0));
        }
        // What the heap says does not hang on CPU samples.
        if let Some(b) = small {
            out.push(Advice { maps: Some(b), ..Advice::new(Kind::Struct, 0.0) });
        }
        if main.is_some() {
            out.push(size(Advice::new(Kind::Presize, 0.0)));
        }
        return out;
    }
    let lens = &crate::model::lens::maps().classes;
    let class = |name: &str| lens.iter().zip(&l.classes).filter(|(c, _)| c.name == name).map(|(_, n)| *n).sum::<u64>();
    let growth = of(class("growth"));
    // Where small maps are most of what the line allocates, it allocates and marks for the GC because of them.
    let because = if small.is_some() { class("alloc") + class("assist") } else { 0 };
    let birth = of(class("birth") + because);
    if birth >= 0.2 || small.is_some() {
        out.push(Advice { maps: small, saves_cpu: Some(birth), ..Advice::new(Kind::Struct, birth) });
    }
    if growth >= 0.2 || main.is_some() {
        // Half of what the allocator takes in growth is for the last table, which is needed in any case.
        let saves = (growth - 0.5 * of(l.growth_alloc)).max(0.0);
        out.push(size(Advice { saves_cpu: Some(saves), ..Advice::new(Kind::Presize, growth) }));
    }
    let hash = of(class("hash") + class("compare"));
    if hash >= 0.35 {
        out.push(Advice::new(Kind::Key, hash));
    }
    let pointers = of(class("assist"));
    let converts = l.conversions as f64 / (l.samples + l.conversions) as f64;
    if l.conversions > 0 && converts >= 0.05 || pointers >= 0.15 && small.is_none() {
        out.push(Advice::new(Kind::Interface, pointers.max(converts)));
    }
    let tombstones = of(class("tombstones"));
    if tombstones >= 0.15 {
        out.push(Advice::new(Kind::Tombstones, tombstones));
    }
    out.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.kind.cmp(&b.kind)));
    // Others' waiting is no time on CPU: it counts when there is as much of it as of the operation itself.
    if let Some(lock) = l.lock.as_ref().filter(|lock| lock.waited.ns() >= l.cpu.ns().max(all.map_cpu.ns() / 10)) {
        let at = usize::from(!out.is_empty());
        out.insert(at, Advice { waited: Some(lock.waited), ..Advice::new(Kind::Lock, 0.0) });
    }
    out
}
