//! What stands beside a trace says of its goroutines, which the trace itself does not: labels, and what dumps and reports
//! tell.

use crate::base::{GoIdx, Time};

/// A label of a goroutine (`pprof.Do`), for a stretch of time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Labelled {
    /// The goroutine.
    pub go: GoIdx,
    /// From this instant.
    pub from: Time,
    /// To this instant, which belongs to it.
    pub to: Time,
    /// The label. Not escaped.
    pub key: String,
    /// Its value. Not escaped.
    pub value: String,
    /// Whether the runtime said so of this goroutine, in a dump; otherwise it follows from samples of a profile that match
    /// the trace's.
    pub exact: bool,
}

/// Who says that a goroutine waits in what is likely a circle of locks, by a dump.
pub const LOCK_ORDER: &str = "locks";

/// Something that is said of a goroutine.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Told {
    /// The goroutine.
    pub go: GoIdx,
    /// Who says it, in a word: `dump`, `race`, [`LOCK_ORDER`]. Safe to show.
    pub who: &'static str,
    /// What it is. Safe to show.
    pub what: String,
}

/// All that is said, by goroutine.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Beside {
    labels: Vec<Labelled>,
    told: Vec<Told>,
    matched: Vec<(u64, u64)>,
}

impl Beside {
    /// Rows in any order. Where the runtime says what a goroutine's label is, what follows from samples is left out.
    pub fn new(mut labels: Vec<Labelled>, mut told: Vec<Told>) -> Beside {
        labels.sort();
        let exact: Vec<(GoIdx, String)> = labels.iter().filter(|l| l.exact).map(|l| (l.go, l.key.clone())).collect();
        labels.retain(|l| l.exact || exact.binary_search_by(|e| (e.0, &e.1).cmp(&(l.go, &l.key))).is_err());
        // The lines of one source stay in their order.
        told.sort_by_key(|t| t.go);
        Beside { labels, told, matched: Vec::new() }
    }

    /// The same with how many samples of each profile that has labels are the trace's, and how many it has.
    pub fn with_matched(self, matched: Vec<(u64, u64)>) -> Beside {
        Beside { matched, ..self }
    }

    /// Of each profile with labels, how many of its samples are the trace's, and how many it has.
    pub fn matched(&self) -> &[(u64, u64)] {
        &self.matched
    }

    /// All labels, by goroutine and time.
    pub fn labels(&self) -> &[Labelled] {
        &self.labels
    }

    /// The labels of a goroutine, by time.
    pub fn labels_of(&self, go: GoIdx) -> &[Labelled] {
        let first = self.labels.partition_point(|l| l.go < go);
        let n = self.labels[first..].partition_point(|l| l.go == go);
        &self.labels[first..first + n]
    }

    /// What one who says something says, each once.
    pub fn said_by(&self, who: &str) -> Vec<&str> {
        let mut out: Vec<&str> = self.told.iter().filter(|t| t.who == who).map(|t| t.what.as_str()).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// What is told of a goroutine.
    pub fn told_of(&self, go: GoIdx) -> &[Told] {
        let first = self.told.partition_point(|t| t.go < go);
        let n = self.told[first..].partition_point(|t| t.go == go);
        &self.told[first..first + n]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(go: u32, from: i64, key: &str, value: &str, exact: bool) -> Labelled {
        let (go, from, to) = (GoIdx(go), Time(from), Time(from + 10));
        Labelled { go, from, to, key: key.into(), value: value.into(), exact }
    }

    #[test]
    fn what_the_runtime_says_counts_before_what_samples_say() {
        let rows = [
            label(7, 50, "endpoint", "/pay", false),
            label(7, 0, "endpoint", "/refund", true),
            label(7, 20, "tenant", "a", false),
            label(3, 0, "tenant", "b", true),
            label(3, 0, "endpoint", "/pay", false),
        ];
        let b = Beside::new(rows.into(), Vec::new());
        let of = |go| b.labels_of(GoIdx(go)).iter().map(|l| format!("{}={}", l.key, l.value)).collect::<Vec<_>>();
        assert_eq!(of(7), ["endpoint=/refund", "tenant=a"]);
        assert_eq!(of(3), ["endpoint=/pay", "tenant=b"]);
        assert!(of(5).is_empty() && b.told_of(GoIdx(7)).is_empty());
    }
}
