//! Whether the longest of many lengths differ, where their median may not: most requests go by a lock that is held now and
//! then, and some do not.

use super::facts::{Facts, Key, Measure};
use super::{Row, Side, Verdict, stats};

/// Fewest lengths on each side of which one in a hundred is a tail.
const FEWEST: usize = 50;
/// Fewest slices with a length beyond the limit, on the side with more of them: what happened once is no habit.
const SLICES: usize = 3;

/// The two sides.
pub(super) struct Sides<'a> {
    pub a: &'a [Facts],
    pub b: &'a [Facts],
    /// The length of the recordings of each side, in seconds.
    pub seconds: (f64, f64),
    /// The least change that counts.
    pub least: f64,
    /// Whether several recordings a side say how much one differs from the next.
    pub by_runs: bool,
}

/// A length and the slice that it is in.
type Length = (u32, f64);

/// What is known of the tails of the lengths of both sides.
pub(super) struct Tails {
    /// The 99th percentile in A, and in B.
    high: (f64, f64),
    /// What lies beyond the limit is longer than it by so much, on average over all lengths, in A, and in B.
    over: (f64, f64),
    /// How likely it is by chance that more of one side's lengths lie beyond the limit.
    pub p: f64,
}

impl Sides<'_> {
    /// The row of the tail of `of`, which is one of lengths; nothing if there are too few of them.
    pub fn row(&self, of: &Row) -> Option<Row> {
        let all = |side: &[Facts]| side.iter().map(|f| lengths(f, &of.key).to_vec()).collect::<Vec<_>>();
        let tails = self.test(&all(self.a), &all(self.b))?;
        let cost = |over: f64, s: Side, seconds: f64| over * s.count as f64 / seconds;
        Some(Row {
            key: Key { measure: Measure::Tail, ..of.key.clone() },
            change: tails.high.1 - tails.high.0,
            interval: None,
            cost: cost(tails.over.1, of.b, self.seconds.1) - cost(tails.over.0, of.a, self.seconds.0),
            p: tails.p,
            verdict: Verdict::Unchanged,
            ..of.clone()
        })
    }

    /// Compares the tails of lengths, which are those of each recording of A and of B; nothing if there are too few of them.
    ///
    /// Halfway between the two 99th percentiles, as a ratio, lies the limit: it is tested whether more of the one side's lie
    /// beyond it, slice by slice, since those that are close in time are alike.
    pub fn test(&self, a: &[Vec<Length>], b: &[Vec<Length>]) -> Option<Tails> {
        let values = |side: &[Vec<Length>]| side.iter().flatten().map(|x| x.1).collect::<Vec<f64>>();
        let (all_a, all_b) = (values(a), values(b));
        if all_a.len() < FEWEST || all_b.len() < FEWEST {
            return None;
        }
        let p99 = |x: &[f64]| stats::quantile(x, 0.99);
        let high = (p99(&all_a), p99(&all_b));
        let limit = (high.0.max(1.0) * high.1.max(1.0)).sqrt();
        let (beyond_a, beyond_b) = (beyond(self.a, a, limit), beyond(self.b, b, limit));
        let slices = |x: &[f64]| x.iter().filter(|n| **n > 0.0).count();
        let p = if slices(&beyond_a).max(slices(&beyond_b)) < SLICES {
            1.0
        } else if self.by_runs {
            let runs =
                |side: &[Vec<Length>]| side.iter().map(|l| p99(&values(std::slice::from_ref(l)))).collect::<Vec<f64>>();
            stats::permutation(&runs(a), &runs(b), self.least)
        } else {
            let more = stats::totals(&beyond_a, &beyond_b, self.least).min(stats::presence(&beyond_a, &beyond_b));
            more.max(stats::tails_drift(&all_a, &all_b, self.least))
        };
        let over = |x: &[f64]| x.iter().map(|x| (x - limit).max(0.0)).sum::<f64>() / x.len() as f64;
        Some(Tails { high, over: (over(&all_a), over(&all_b)), p })
    }
}

fn lengths<'a>(f: &'a Facts, key: &Key) -> &'a [Length] {
    f.lengths.get(key).map_or(&[], Vec::as_slice)
}

/// For each slice how many lengths lie beyond a limit, as a part of how many there are in a slice on average.
fn beyond(side: &[Facts], of: &[Vec<Length>], limit: f64) -> Vec<f64> {
    let all: usize = of.iter().map(Vec::len).sum();
    let slices: usize = side.iter().map(|f| f.slices).sum();
    let each = slices.max(1) as f64 / all.max(1) as f64;
    let in_slices = |(f, lengths): (&Facts, &Vec<Length>)| {
        let mut out = vec![0.0; f.slices];
        for (slice, _) in lengths.iter().filter(|x| x.1 > limit) {
            if let Some(n) = out.get_mut(*slice as usize) {
                *n += each;
            }
        }
        out
    };
    side.iter().zip(of).flat_map(in_slices).collect()
}
