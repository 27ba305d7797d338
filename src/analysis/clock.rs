//! When a profile was taken, by the clock of a trace: from Go 1.25 on a trace says at its beginning what a clock on the wall
//! showed.

use crate::base::{Duration, Time};
use crate::model::segment::Kind;
use crate::model::{Detail, Segment};
use crate::profile::model::Profile;

/// How far a clock, and what is taken together, may be apart: the profiler begins and ends a little before or after it says.
pub const SLACK: Duration = Duration(50_000_000);

/// How the time of a profile lies over that of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overlap {
    /// They have this in common.
    Within {
        /// From here.
        from: Time,
        /// To before here.
        to: Time,
    },
    /// The profile ended so long before the trace began.
    Before(Duration),
    /// The profile began so long after the trace ended.
    After(Duration),
}

/// What the wall's clock shows at the trace's time 0, ns since 1970 UTC; nothing if the segment does not say.
pub fn epoch(seg: &Segment) -> Option<i64> {
    (0..seg.len()).filter(|&i| seg.kind[i] == Kind::Sync).find_map(|i| match seg.event(i).detail {
        Detail::Clock { at, wall_ns, .. } if wall_ns > 0 => i64::try_from(wall_ns).ok()?.checked_sub(at.0),
        _ => None,
    })
}

/// How a profile lies over a trace from `start` to `end`; nothing if it does not say when it was taken, and for how long.
pub fn overlap(p: &Profile, epoch: i64, (start, end): (Time, Time)) -> Option<Overlap> {
    if p.time_nanos <= 0 || p.duration_nanos <= 0 {
        return None;
    }
    let from = p.time_nanos.saturating_sub(epoch);
    let to = from.saturating_add(p.duration_nanos);
    Some(if to <= start.0 {
        Overlap::Before(Duration(start.0.saturating_sub(to)))
    } else if from >= end.0 {
        Overlap::After(Duration(from.saturating_sub(end.0)))
    } else {
        Overlap::Within { from: Time(from.max(start.0)), to: Time(to.min(end.0)) }
    })
}

impl Overlap {
    /// Whether something that happened at an instant may be in the profile.
    pub fn has(self, at: Time) -> bool {
        match self {
            Overlap::Within { from, to } => {
                at.0 >= from.0.saturating_sub(SLACK.0) && at.0 < to.0.saturating_add(SLACK.0)
            }
            _ => false,
        }
    }

    /// In words, of a trace from `start` to `end`.
    pub fn words(self, (start, end): (Time, Time)) -> String {
        let edge = Duration((end - start).0 / 1000).min(SLACK);
        match self {
            Overlap::Before(d) => format!("ended {d} before the trace began"),
            Overlap::After(d) => format!("began {d} after the trace ended"),
            // A profiler that is started with the trace begins some microseconds after it.
            Overlap::Within { from, to } if from - start <= edge && end - to <= edge => "covers the whole trace".into(),
            Overlap::Within { from, to } => {
                let from = if from == start { "0".into() } else { (from - start).to_string() };
                format!("covers {from} to {} of {} of the trace", to - start, end - start)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_lies_before_over_or_after_a_trace() {
        const S: i64 = 1_000_000_000;
        let trace = (Time(5 * S), Time(7 * S));
        let words = |time: i64, duration: i64| {
            let p = Profile { time_nanos: 1000 * S + time, duration_nanos: duration, ..Profile::default() };
            overlap(&p, 1000 * S, trace).map(|o| o.words(trace))
        };
        let said = |text: &str| Some(text.to_string());
        assert_eq!(words(4 * S, 4 * S), said("covers the whole trace"));
        assert_eq!(words(4 * S, 2 * S), said("covers 0 to 1.00s of 2.00s of the trace"));
        assert_eq!(words(6 * S, S / 2), said("covers 1.00s to 1.50s of 2.00s of the trace"));
        assert_eq!(words(-185 * S, 10 * S), said("ended 3m00s before the trace began"));
        assert_eq!(words(4 * S, S), said("ended 0ns before the trace began"));
        assert_eq!(words(9 * S, S), said("began 2.00s after the trace ended"));
        assert_eq!(words(6 * S, 0), None);
        let at = overlap(&Profile { time_nanos: S, duration_nanos: i64::MAX, ..Profile::default() }, -S, trace);
        assert_eq!(at, Some(Overlap::Within { from: trace.0, to: trace.1 }));
        assert!(at.unwrap().has(Time(5 * S)) && !at.unwrap().has(Time(8 * S)));
    }
}
