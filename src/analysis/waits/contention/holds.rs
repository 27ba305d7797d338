//! The stretches of time in which goroutines held what others waited for.

use crate::base::{GoIdx, Time};

/// Most that are kept of a class. Beyond that every other one is left out.
const MOST: usize = 1 << 20;

/// A stretch of time in which a goroutine held what others waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hold {
    pub go: GoIdx,
    pub from: Time,
    pub to: Time,
    /// Goroutine-nanoseconds waited for it in all of that; nothing if those of its class are meant.
    pub area: Option<i128>,
}

/// Those of one class, or as many of them as are kept.
pub(super) struct Holds {
    kept: Vec<Hold>,
    /// One in so many is kept.
    every: u64,
    seen: u64,
}

impl Default for Holds {
    fn default() -> Holds {
        Holds { kept: Vec::new(), every: 1, seen: 0 }
    }
}

impl Holds {
    /// Adds one, unless it is empty.
    pub fn add(&mut self, hold: Hold) {
        if hold.from >= hold.to {
            return;
        }
        self.seen += 1;
        if !self.seen.is_multiple_of(self.every) {
            return;
        }
        if self.kept.len() >= MOST {
            let mut i = 0;
            self.kept.retain(|_| {
                i += 1;
                i % 2 == 0
            });
            self.every *= 2;
        }
        self.kept.push(hold);
    }

    /// All that are kept, by their ends.
    pub fn all(&self) -> &[Hold] {
        &self.kept
    }

    /// How many there were at once, at most.
    pub fn most_at_once(&self) -> u64 {
        let mut ends: Vec<(Time, i64)> = Vec::with_capacity(2 * self.kept.len());
        for h in &self.kept {
            // One that ends where another begins came before it.
            ends.extend([(h.from, 1), (h.to, -1)]);
        }
        ends.sort_unstable();
        let (mut now, mut most) = (0i64, 0i64);
        for (_, d) in ends {
            now += d;
            most = most.max(now);
        }
        most.max(0) as u64
    }
}
