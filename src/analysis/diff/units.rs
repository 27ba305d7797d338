//! What a program does for others, its requests and tasks: how many a second, and by which of them times are counted.

use super::{Facts, Key, What, stats};
use crate::model::dict::short_func;

/// Fewest of a kind on each side by which times are counted where nobody says by what.
const FEWEST: u64 = 20;
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
}

fn count(side: &[Facts], of: &dyn Fn(&Key) -> bool) -> u64 {
    side.iter().flat_map(|f| &f.counts).filter(|(k, _)| of(k)).map(|(_, n)| n).sum()
}

fn lengths(side: &[Facts], of: &dyn Fn(&Key) -> bool) -> Vec<f64> {
    let all = side.iter().flat_map(|f| &f.lengths).filter(|(k, _)| of(k));
    all.flat_map(|(_, l)| l.iter().map(|x| x.1)).collect()
}

fn is_served(k: &Key) -> bool {
    k.what == What::Span && k.reason.ends_with(".server")
}

/// The work that both sides do, the requests first, then the tasks, the most frequent first, and of those that are as frequent
/// the longest.
pub(super) fn work(a: &[Facts], b: &[Facts], seconds: (f64, f64)) -> Vec<Work> {
    let made = |name: &str, of: &dyn Fn(&Key) -> bool| {
        let (n, m) = (count(a, of), count(b, of));
        let p99 = |side: &[Facts]| stats::quantile(&lengths(side, of), 0.99);
        (n.min(m) >= FEWEST).then(|| Work {
            name: name.to_owned(),
            rate: (n as f64 / seconds.0, m as f64 / seconds.1),
            p99: (p99(a), p99(b)),
        })
    };
    let mut names: Vec<&str> =
        a.iter().flat_map(|f| f.counts.keys()).filter(|k| k.what == What::Task).map(|k| k.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &str, k: &Key| k.what == What::Task && k.name == name;
    let total = |w: &Work| lengths(a, &|k| of(&w.name, k)).iter().sum::<f64>();
    let mut tasks: Vec<Work> = names.into_iter().filter_map(|n| made(n, &|k| of(n, k))).collect();
    tasks.sort_by(|x, y| y.rate.0.total_cmp(&x.rate.0).then_with(|| total(y).total_cmp(&total(x))));
    made(REQUEST, &is_served).into_iter().chain(tasks).take(MOST).collect()
}

/// The unit of work that is asked for, and how many there were a second; nothing for wall time.
///
/// # Errors
///
/// There is no such unit on both sides.
pub(super) fn unit(
    per: &Per,
    (a, b): (&[Facts], &[Facts]),
    work: &[Work],
    seconds: (f64, f64),
) -> Result<Option<Work>, String> {
    let Per::Named(name) = per else {
        return Ok(work.first().filter(|_| *per == Per::Auto).cloned());
    };
    if let Some(w) = work.iter().find(|w| w.name == *name) {
        return Ok(Some(w.clone()));
    }
    // Few requests count, too, where somebody asks for them. A region that is called as its task is, is not another unit.
    let named = |k: &Key| k.name == *name || k.what == What::Span && short_func(&k.name) == name;
    for what in [None, Some(What::Task), Some(What::Region), Some(What::Span)] {
        let of = |k: &Key| match what {
            None => name == REQUEST && is_served(k),
            Some(what) => k.what == what && named(k),
        };
        let (n, m) = (count(a, &of), count(b, &of));
        if n + m == 0 {
            continue;
        }
        if n.min(m) == 0 {
            break;
        }
        let p99 = |side: &[Facts]| stats::quantile(&lengths(side, &of), 0.99);
        let rate = (n as f64 / seconds.0, m as f64 / seconds.1);
        return Ok(Some(Work { name: name.clone(), rate, p99: (p99(a), p99(b)) }));
    }
    Err(format!("--per {name}: no task, region or request of this name ends on both sides"))
}
