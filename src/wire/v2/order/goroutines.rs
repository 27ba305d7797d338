//! What the goroutines of a generation are doing, as far as the rules ask.

use super::Numbers;
use crate::wire::event::{GoState, NONE};

/// A goroutine's state and the number in sequence of its last event that has one, in one word, so that both are compared at
/// once. The runtime counts up by one: of a number in a damaged file the upper three bits do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Go(u64);

/// Bits of the state.
const STATE: u32 = 3;

impl Go {
    /// In this state, after the event of this number.
    #[inline(always)]
    pub fn new(seq: u64, state: GoState) -> Go {
        Go(seq << STATE | state as u64)
    }

    pub fn seq(self) -> u64 {
        self.0 >> STATE
    }

    #[inline]
    pub fn state(self) -> GoState {
        GoState::ALL.get((self.0 & ((1 << STATE) - 1)) as usize).copied().unwrap_or_default()
    }

    /// Whether it is in this state, and `seq` is its next number.
    #[inline(always)]
    pub fn expects(self, seq: u64, state: GoState) -> bool {
        self == Go::new(seq.wrapping_sub(1), state)
    }

    /// Whether there is none any more, or none that is known of.
    pub fn is_over(self) -> bool {
        matches!(self.state(), GoState::NotExist | GoState::Undetermined)
    }

    /// Its state changes; its number stays.
    #[inline]
    pub fn enter(&mut self, state: GoState) {
        *self = Go::new(self.seq(), state);
    }
}

/// The goroutines by position, and where each number is.
pub(super) struct Goroutines {
    rows: Vec<Go>,
    numbers: Numbers,
    /// Those looked up last, by the low bits of their number.
    recent: Box<[(u64, u32); RECENT]>,
}

/// A power of two.
const RECENT: usize = 1024;

impl Default for Goroutines {
    fn default() -> Goroutines {
        // A number that has another place stands for none.
        let recent = std::array::from_fn(|i| (i as u64 + 1, NONE));
        Goroutines { rows: Vec::new(), numbers: Numbers::default(), recent: Box::new(recent) }
    }
}

impl Goroutines {
    pub fn get(&self, go: u32) -> Option<Go> {
        self.rows.get(go as usize).copied()
    }

    #[inline(always)]
    pub fn get_mut(&mut self, go: u32) -> Option<&mut Go> {
        self.rows.get_mut(go as usize)
    }

    pub fn iter(&self) -> impl Iterator<Item = Go> + '_ {
        self.rows.iter().copied()
    }

    /// The position of the one of this number; `NONE` if it is not known.
    #[inline(always)]
    pub fn find(&mut self, id: u64) -> u32 {
        let recent = self.recent[id as usize & (RECENT - 1)];
        if recent.0 == id { recent.1 } else { self.look_up(id) }
    }

    #[cold]
    fn look_up(&mut self, id: u64) -> u32 {
        let Some(go) = self.numbers.get(id) else { return NONE };
        self.recent[id as usize & (RECENT - 1)] = (id, go);
        go
    }

    /// Adds one that is not known, of which nothing is known but its number.
    pub fn add(&mut self, id: u64) -> u32 {
        let go = self.rows.len() as u32;
        self.rows.push(Go::new(0, GoState::Undetermined));
        self.numbers.insert(id, go);
        go
    }

    /// The goroutine of a number goes from one state to another, if it is there and `seq` is its next number in sequence. Its
    /// position; `None` if that cannot be yet.
    #[inline(always)]
    pub fn in_turn(&mut self, id: u64, seq: u64, from: GoState, to: GoState) -> Option<u32> {
        let g = self.find(id);
        let go = self.rows.get_mut(g as usize)?;
        if !go.expects(seq, from) {
            return None;
        }
        *go = Go::new(seq, to);
        Some(g)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goroutine_goes_on_only_in_its_state_and_in_its_turn() {
        let mut gos = Goroutines::default();
        assert_eq!([0, 1, 1024, u64::MAX].map(|id| gos.find(id)), [NONE; 4]);
        let far = gos.add(1 << 40);
        *gos.get_mut(far).unwrap() = Go::new(7, GoState::Waiting);
        let (waiting, runnable) = (GoState::Waiting, GoState::Runnable);
        for (seq, from) in [(9, waiting), (7, waiting), (8, runnable), (8 + (1 << 40), waiting)] {
            assert_eq!(gos.in_turn(1 << 40, seq, from, GoState::Running), None, "{seq} {from:?}");
        }
        assert_eq!(gos.in_turn(1 << 40, 8, waiting, runnable), Some(far));
        assert_eq!(gos.get(far).map(|g| (g.seq(), g.state(), g.is_over())), Some((8, runnable, false)));
        assert_eq!(gos.in_turn(2, 1, waiting, runnable), None);
        let next = gos.add(2);
        assert_eq!((gos.find(2), gos.find(2 + (1 << 20)), next), (1, NONE, 1));
    }

    #[test]
    fn states_fit_beside_numbers() {
        for state in GoState::ALL {
            let mut go = Go::new((1 << 61) - 1, state);
            assert_eq!((go.seq(), go.state()), ((1 << 61) - 1, state));
            go.enter(GoState::Syscall);
            assert_eq!((go.seq(), go.state()), ((1 << 61) - 1, GoState::Syscall));
        }
    }
}
