//! What a program does for others, its requests and tasks: how many a second, and by which of them times are counted.

use super::{Facts, Key, What, stats};
use crate::model::dict::short_func;
use std::collections::BTreeMap;

/// Fewest of a kind on each side by which times are counted where nobody says by what.
const FEWEST: u64 = 20;
/// Most names of tasks, the most frequent, that are looked at one by one.
const LOOKED_AT: usize = 100;
/// Most kinds of which the throughput is said.
const MOST: usize = 4;
/// How all requests together are called.
const REQUEST: &str = "request";

/// By what times are counted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Per {
    /// By the request that is served, if there are enough on both sides; else by the task that is most frequent; else by
    /// wall time.
    #[default]
    Auto,
    /// By wall time.
    Wall,
    /// By the complete tasks, regions or requests of this name.
    Named(String),
}

/// Some of a program's work: how often it was done a second, and how long it took.
#[derive(Clone, PartialEq, Debug)]
pub struct Work {
    /// The task, or `request` for all that are served.
    pub name: String,
    /// How many a second, in A and in B.
    pub rate: (f64, f64),
    /// The 99th percentile of their lengths in nanoseconds, in A and in B.
    pub p99: (f64, f64),
    /// Whether by how much the rate differs may be chance.
    pub rate_by_chance: bool,
    /// Whether by how much the 99th percentile differs may be chance.
    pub p99_by_chance: bool,
    /// What it is; nothing for all requests that are served.
    pub(super) what: Option<What>,
}

impl Work {
    /// Whether something with a length is one of these.
    pub(super) fn is(&self, k: &Key) -> bool {
        let named = || k.name == self.name || k.what == What::Span && short_func(&k.name) == self.name;
        self.what.map_or_else(|| is_served(k), |what| k.what == what && named())
    }

    /// How many ended in each slice of a recording.
    pub(super) fn per_slice(&self, f: &Facts) -> Vec<f64> {
        let mut out = vec![0.0; f.slices];
        for (key, lengths) in f.lengths.iter().filter(|(k, _)| self.is(k)) {
            // Where not all are kept, each stands for several.
            let count = f.counts.get(key).map_or(lengths.len() as f64, |n| *n as f64);
            let each = count / lengths.len().max(1) as f64;
            for (slice, _) in lengths {
                if let Some(n) = out.get_mut(*slice as usize) {
                    *n += each;
                }
            }
        }
        out
    }

    /// The lengths of a recording, each with its slice, in the order of time.
    pub(super) fn lengths(&self, f: &Facts) -> Vec<(u32, f64)> {
        let all = f.lengths.iter().filter(|(k, _)| self.is(k)).flat_map(|(_, l)| l.iter().copied());
        let mut all: Vec<(u32, f64)> = all.collect();
        all.sort_by_key(|x| x.0);
        all
    }
}

/// The work of this name and kind, and how often it was done on each side.
fn made(name: &str, what: Option<What>, sides: Sides) -> (Work, (u64, u64)) {
    let ((a, b), seconds) = sides;
    let mut work = Work {
        name: name.to_owned(),
        rate: (0.0, 0.0),
        p99: (0.0, 0.0),
        rate_by_chance: true,
        p99_by_chance: true,
        what,
    };
    let count =
        |side: &[Facts]| side.iter().flat_map(|f| &f.counts).filter(|(k, _)| work.is(k)).map(|(_, n)| n).sum::<u64>();
    let p99 = |side: &[Facts]| {
        let all: Vec<f64> = side.iter().flat_map(|f| work.lengths(f)).map(|x| x.1).collect();
        stats::quantile(&all, 0.99)
    };
    let (n, m, p99) = (count(a), count(b), (p99(a), p99(b)));
    work.rate = (n as f64 / seconds.0, m as f64 / seconds.1);
    work.p99 = p99;
    (work, (n, m))
}

fn is_served(k: &Key) -> bool {
    k.what == What::Span && k.reason.ends_with(".server")
}

/// The recordings of both sides, and the seconds of each.
pub(super) type Sides<'a> = ((&'a [Facts], &'a [Facts]), (f64, f64));

/// The work that both sides do, the requests first, then the tasks, the most frequent first, and of those that are as frequent
/// the longest.
pub(super) fn work(sides: Sides) -> Vec<Work> {
    let (a, b) = sides.0;
    let enough = |name: &str, what| {
        let (work, (n, m)) = made(name, what, sides);
        (n.min(m) >= FEWEST).then_some(work)
    };
    // Of many names most are rare: they are counted first, as to look one up is to go through all.
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (side, f) in a.iter().map(|f| (0, f)).chain(b.iter().map(|f| (1, f))) {
        for (k, n) in f.counts.iter().filter(|(k, _)| k.what == What::Task) {
            let (of_a, of_b) = counts.entry(&k.name).or_default();
            *(if side == 0 { of_a } else { of_b }) += n;
        }
    }
    let mut often: Vec<(u64, &str)> =
        counts.into_iter().filter(|(_, (n, m))| *n.min(m) >= FEWEST).map(|(name, (n, m))| (n + m, name)).collect();
    often.sort_by(|x, y| y.0.cmp(&x.0).then(x.1.cmp(y.1)));
    often.truncate(LOOKED_AT);
    let all = |w: &Work| a.iter().chain(b).flat_map(|f| w.lengths(f)).map(|x| x.1).sum::<f64>();
    let mut tasks: Vec<(f64, f64, Work)> = often
        .into_iter()
        .filter_map(|(_, name)| enough(name, Some(What::Task)))
        .map(|w| (w.rate.0 + w.rate.1, all(&w), w))
        .collect();
    tasks.sort_by(|x, y| y.0.total_cmp(&x.0).then(y.1.total_cmp(&x.1)));
    enough(REQUEST, None).into_iter().chain(tasks.into_iter().map(|t| t.2)).take(MOST).collect()
}

/// The unit of work that is asked for, and how many there were a second; nothing for wall time.
///
/// # Errors
///
/// There is no such unit on both sides.
pub(super) fn unit(per: &Per, work: &[Work], sides: Sides) -> Result<Option<Work>, String> {
    let Per::Named(name) = per else {
        return Ok(work.first().filter(|_| *per == Per::Auto).cloned());
    };
    if let Some(w) = work.iter().find(|w| w.name == *name) {
        return Ok(Some(w.clone()));
    }
    // Few requests count, too, where somebody asks for them. A region that is called as its task is, is not another unit.
    let served = (name == REQUEST).then_some(None);
    for what in served.into_iter().chain([What::Task, What::Region, What::Span].map(Some)) {
        let (work, (n, m)) = made(name, what, sides);
        if n + m == 0 {
            continue;
        }
        if n.min(m) == 0 {
            break;
        }
        return Ok(Some(work));
    }
    Err(format!("--per {name}: no task, region or request of this name ends on both sides"))
}
