//! The part of the Ps that the GC leaves to the program, over time; and the least of it in any window.
//!
//! A window has the least at one of the instants at which it begins or ends with a change. So a pass over the changes,
//! one pointer at each end of the window, finds it exactly; costs are whole numbers.

use crate::base::{Duration, Time};

/// Cost over time: from each instant on, what a nanosecond costs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Series {
    /// When each rate begins, ascending; the first is the beginning of the whole.
    at: Vec<Time>,
    /// The cost of a nanosecond, in `unit`s.
    rate: Vec<u64>,
    /// The cost of all before.
    sum: Vec<u128>,
    /// When the whole ends.
    end: Time,
    /// What a nanosecond costs at most: no P is left to the program.
    unit: u64,
}

/// A window and the program's part of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Window {
    /// When it begins.
    pub from: Time,
    /// How long it is.
    pub len: Duration,
    /// The part of the Ps' time that is left to the program, 0 to 1.
    pub utilisation: f64,
}

impl Series {
    /// A series from `start` to `end` in which nothing costs anything yet.
    pub fn new(start: Time, end: Time, unit: u64) -> Series {
        Series { at: vec![start], rate: vec![0], sum: vec![0], end: end.max(start), unit: unit.max(1) }
    }

    /// From `at` on, which is no earlier than what was pushed before, a nanosecond costs `rate`.
    pub fn push(&mut self, at: Time, rate: u64) {
        let rate = rate.min(self.unit);
        let last = self.at.len() - 1;
        let at = at.max(self.at[last]).min(self.end);
        if self.rate[last] == rate {
            return;
        }
        if at == self.at[last] {
            self.rate[last] = rate;
            if last > 0 && self.rate[last - 1] == rate {
                self.at.pop();
                self.rate.pop();
                self.sum.pop();
            }
            return;
        }
        let sum = self.cost_to(at);
        self.at.push(at);
        self.rate.push(rate);
        self.sum.push(sum);
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        self.end - self.at[0]
    }

    /// When it begins.
    pub fn start(&self) -> Time {
        self.at[0]
    }

    /// The cost up to `t`, from the last change on; for pushing.
    fn cost_to(&self, t: Time) -> u128 {
        let last = self.at.len() - 1;
        self.sum[last] + u128::from(self.rate[last]) * (t - self.at[last]).ns().max(0) as u128
    }

    /// The cost up to `t`, where `i` is the change that it lies behind.
    fn cost_at(&self, i: usize, t: Time) -> u128 {
        self.sum[i] + u128::from(self.rate[i]) * (t - self.at[i]).ns().max(0) as u128
    }

    /// The cost between two instants.
    pub fn cost(&self, from: Time, to: Time) -> u128 {
        let cost = |t: Time| {
            let t = t.clamp(self.at[0], self.end);
            self.cost_at(self.at.partition_point(|&a| a <= t).saturating_sub(1), t)
        };
        cost(to).saturating_sub(cost(from))
    }

    /// The program's part of the time between two instants.
    pub fn utilisation(&self, from: Time, to: Time) -> f64 {
        self.part(self.cost(from, to), to - from)
    }

    fn part(&self, cost: u128, len: Duration) -> f64 {
        let most = u128::from(self.unit) * len.ns().max(1) as u128;
        (most.saturating_sub(cost)) as f64 / most as f64
    }

    /// Calls `each` with the begin of every window of `len` in which the cost can be extreme, in order, and the cost.
    /// Between two of them it changes evenly.
    fn windows(&self, len: Duration, mut each: impl FnMut(Time, u128)) {
        let last = self.end - len;
        if len <= Duration::ZERO || last < self.at[0] {
            return;
        }
        let (mut a, mut b) = (0, self.at.partition_point(|&t| t <= self.at[0] + len).saturating_sub(1));
        let mut t = self.at[0];
        loop {
            each(t, self.cost_at(b, t + len) - self.cost_at(a, t));
            if t >= last {
                return;
            }
            let next_a = self.at.get(a + 1).copied().unwrap_or(Time::MAX);
            let next_b = self.at.get(b + 1).map_or(Time::MAX, |&t| t - len);
            t = next_a.min(next_b).min(last);
            while self.at.get(a + 1).is_some_and(|&x| x <= t) {
                a += 1;
            }
            while self.at.get(b + 1).is_some_and(|&x| x <= t + len) {
                b += 1;
            }
        }
    }

    /// The minimum mutator utilisation of windows of `len`: the window that has the least, the first of several. `None` if
    /// the whole is shorter.
    pub fn least(&self, len: Duration) -> Option<Window> {
        let mut most: Option<(u128, Time)> = None;
        self.windows(len, |t, cost| {
            if most.is_none_or(|m| cost > m.0) {
                most = Some((cost, t));
            }
        });
        most.map(|(cost, from)| Window { from, len, utilisation: self.part(cost, len) })
    }

    /// What of the time all but the `q`-th part of the windows of `len` have at least: 0.99 for p99. Windows begin at
    /// every instant.
    pub fn quantiles(&self, len: Duration, qs: &[f64]) -> Vec<f64> {
        // Pieces over which the part that is taken changes evenly: from, to, for how long.
        let mut pieces: Vec<(f64, f64, f64)> = Vec::new();
        let mut before: Option<(Time, f64)> = None;
        self.windows(len, |t, cost| {
            let taken = 1.0 - self.part(cost, len);
            if let Some((b, c)) = before {
                pieces.push((taken.min(c), taken.max(c), (t - b).ns() as f64));
            }
            before = Some((t, taken));
        });
        let whole: f64 = pieces.iter().map(|p| p.2).sum();
        let Some((_, only)) = before else { return vec![1.0; qs.len()] };
        if whole <= 0.0 {
            return vec![1.0 - only; qs.len()];
        }
        // For how long no more than `x` is taken.
        let below = |x: f64| -> f64 {
            let part = |&(lo, hi, d): &(f64, f64, f64)| match x {
                _ if x >= hi => d,
                _ if x < lo => 0.0,
                _ => d * (x - lo) / (hi - lo),
            };
            pieces.iter().map(part).sum()
        };
        let find = |&q: &f64| {
            let (mut lo, mut hi) = (0.0, 1.0);
            if below(lo) >= whole * q {
                return 1.0;
            }
            // To a millionth.
            for _ in 0..20 {
                let mid = (lo + hi) / 2.0;
                if below(mid) >= whole * q { hi = mid } else { lo = mid }
            }
            1.0 - hi
        };
        qs.iter().map(find).collect()
    }

    /// The `n` windows of `len` that have the least, no two of which overlap.
    pub fn worst(&self, len: Duration, n: usize) -> Vec<Window> {
        let mut all: Vec<(u128, Time)> = Vec::new();
        self.windows(len, |t, cost| {
            if cost > 0 {
                all.push((cost, t));
            }
        });
        all.sort_by_key(|&(cost, t)| (std::cmp::Reverse(cost), t));
        let mut out: Vec<(u128, Time)> = Vec::new();
        for (cost, t) in all {
            if out.len() >= n {
                break;
            }
            if out.iter().all(|o| (o.1 - t).ns().abs() >= len.ns()) {
                out.push((cost, t));
            }
        }
        out.into_iter().map(|(cost, from)| Window { from, len, utilisation: self.part(cost, len) }).collect()
    }

    /// The program's part in each of `width` equal cells.
    pub fn cells(&self, from: Time, to: Time, width: usize) -> Vec<f64> {
        let span = (to - from).ns().max(1);
        let edge = |i: usize| from + Duration((i128::from(span) * i as i128 / width.max(1) as i128) as i64);
        (0..width).map(|i| self.utilisation(edge(i), edge(i + 1))).collect()
    }
}
