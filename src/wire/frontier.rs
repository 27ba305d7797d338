//! Which of many streams is earliest: a tournament tree over their next times.

use crate::base::Time;

/// The next times of all streams; `Time::MAX` for one that is at its end or parked.
///
/// Streams take turns in no order that could be foretold: all steps are without branches.
#[derive(Clone, Debug, Default)]
pub struct Frontier {
    /// `nodes[1]` is the earliest stream; `nodes[leaves + i]` is stream `i` itself.
    nodes: Vec<Node>,
    leaves: usize,
}

/// A stream's next time and, below it, the stream: the smaller one is earlier, and of two at once the first.
type Node = u128;

const NOBODY: Node = node(u16::MAX, Time::MAX);

const fn node(stream: u16, key: Time) -> Node {
    ((key.0 as u64 ^ 1 << 63) as u128) << 64 | stream as u128
}

const fn key(node: Node) -> Time {
    Time(((node >> 64) as u64 ^ 1 << 63) as i64)
}

/// The earlier one.
#[inline]
fn earlier(a: Node, b: Node) -> Node {
    std::hint::select_unpredictable(b < a, b, a)
}

impl Frontier {
    /// Over streams with these next times.
    pub fn new(keys: &[Time]) -> Frontier {
        let leaves = keys.len().next_power_of_two().max(2);
        let mut nodes = vec![NOBODY; 2 * leaves];
        for (i, &key) in keys.iter().enumerate() {
            nodes[leaves + i] = node(i as u16, key);
        }
        for n in (1..leaves).rev() {
            nodes[n] = earlier(nodes[2 * n], nodes[2 * n + 1]);
        }
        Frontier { nodes, leaves }
    }

    /// The earliest stream, and the time of the second earliest: until then it stays the earliest.
    #[inline]
    pub fn min(&self) -> Option<(u16, Time)> {
        let first = *self.nodes.get(1)?;
        if key(first) == Time::MAX {
            return None;
        }
        let stream = first as u16;
        let mut second = NOBODY;
        let mut n = self.leaves + stream as usize;
        while n > 1 {
            second = earlier(second, self.nodes[n ^ 1]);
            n /= 2;
        }
        Some((stream, key(second)))
    }

    /// Sets a stream's next time.
    #[inline]
    pub fn set(&mut self, stream: u16, key: Time) {
        let mut n = self.leaves + stream as usize;
        if n >= self.nodes.len() {
            return;
        }
        let mut least = node(stream, key);
        self.nodes[n] = least;
        while n > 1 {
            least = earlier(least, self.nodes[n ^ 1]);
            n /= 2;
            self.nodes[n] = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_tree_agrees_with_a_search(mut keys in prop::collection::vec(0i64..50, 1..40), steps in prop::collection::vec((0usize..40, 0i64..60), 0..60)) {
            let mut f = Frontier::new(&keys.iter().map(|&k| Time(k)).collect::<Vec<_>>());
            for (i, k) in steps {
                let i = i % keys.len();
                let k = if k >= 50 { i64::MAX } else { k };
                keys[i] = k;
                f.set(i as u16, Time(k));
                let mut sorted = keys.clone();
                sorted.sort_unstable();
                match f.min() {
                    None => prop_assert_eq!(sorted[0], i64::MAX),
                    Some((m, second)) => {
                        prop_assert_eq!(keys[m as usize], sorted[0]);
                        prop_assert_eq!(second.0, sorted.get(1).copied().unwrap_or(i64::MAX));
                    }
                }
            }
        }
    }
}
