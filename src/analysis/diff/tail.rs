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

fn lengths<'a>(f: &'a Facts, key: &Key) -> &'a [Length] {
    f.lengths.get(key).map_or(&[], Vec::as_slice)
}

impl Sides<'_> {
    /// The row of the tail of `of`, which is one of lengths; nothing if there are too few of them.
    ///
    /// Halfway between the two 99th percentiles, as a ratio, lies the limit: it is tested whether more of the one side's lie
    /// beyond it, slice by slice, since those that are close in time are alike.
    pub fn row(&self, of: &Row) -> Option<Row> {
        let all = |side: &[Facts]| side.iter().flat_map(|f| lengths(f, &of.key)).map(|x| x.1).collect::<Vec<f64>>();
        let (a, b) = (all(self.a), all(self.b));
        if a.len() < FEWEST || b.len() < FEWEST {
            return None;
        }
        let (high_a, high_b) = (stats::quantile(&a, 0.99), stats::quantile(&b, 0.99));
        let limit = (high_a.max(1.0) * high_b.max(1.0)).sqrt();
        let (beyond_a, beyond_b) = (self.beyond(self.a, &of.key, limit), self.beyond(self.b, &of.key, limit));
        let slices = |x: &[f64]| x.iter().filter(|n| **n > 0.0).count();
        let p = if slices(&beyond_a).max(slices(&beyond_b)) < SLICES {
            1.0
        } else if self.by_runs {
            let runs = |side: &[Facts]| {
                let of = |f: &Facts| stats::quantile(&all(std::slice::from_ref(f)), 0.99);
                side.iter().map(of).collect::<Vec<f64>>()
            };
            stats::permutation(&runs(self.a), &runs(self.b), self.least)
        } else {
            stats::bootstrap(&beyond_a, &beyond_b, self.least).min(stats::presence(&beyond_a, &beyond_b))
        };
        // What those beyond the limit are longer than it, a second.
        let over = |x: &[f64], s: Side, seconds: f64| {
            let sum: f64 = x.iter().map(|x| (x - limit).max(0.0)).sum();
            sum / x.len() as f64 * s.count as f64 / seconds
        };
        let (over_a, over_b) = (over(&a, of.a, self.seconds.0), over(&b, of.b, self.seconds.1));
        Some(Row {
            key: Key { measure: Measure::Tail, ..of.key.clone() },
            change: high_b - high_a,
            interval: None,
            cost: over_b - over_a,
            p,
            verdict: Verdict::Unchanged,
            ..of.clone()
        })
    }

    /// For each slice how many lengths lie beyond a limit, as a part of how many there are in a slice on average.
    fn beyond(&self, side: &[Facts], key: &Key, limit: f64) -> Vec<f64> {
        let all: usize = side.iter().map(|f| lengths(f, key).len()).sum();
        let slices: usize = side.iter().map(|f| f.slices).sum();
        let each = slices.max(1) as f64 / all.max(1) as f64;
        let of = |f: &Facts| {
            let mut out = vec![0.0; f.slices];
            for (slice, _) in lengths(f, key).iter().filter(|x| x.1 > limit) {
                if let Some(n) = out.get_mut(*slice as usize) {
                    *n += each;
                }
            }
            out
        };
        side.iter().flat_map(of).collect()
    }
}
