//! Windows of time to zoom to so that something is seen well.

use crate::base::{Duration, Time};

/// The window that a stretch of time fills, with a fortieth of it to spare at either side: for what is to be seen as a
/// whole, such as a critical path.
pub fn filled_by(from: Time, to: Time) -> (Time, Time) {
    let margin = Duration(((to - from).0 / 40).max(1));
    (from - margin, to + margin)
}

/// The window in whose middle half a stretch of time stands: for what is to be seen with what led to it and what
/// followed, such as one wait. At least a microsecond is there at either side.
pub fn amid(from: Time, to: Time) -> (Time, Time) {
    let margin = Duration(((to - from).0 / 2).max(1_000));
    (from - margin, to + margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_fills_one_window_and_half_of_the_other() {
        let (from, to) = (Time(10_000), Time(50_000));
        assert_eq!(filled_by(from, to), (Time(9_000), Time(51_000)));
        assert_eq!(amid(from, to), (Time(-10_000), Time(70_000)));
        assert_eq!(amid(from, from), (Time(9_000), Time(11_000)));
        assert_eq!(filled_by(from, from), (Time(9_999), Time(10_001)));
    }
}
