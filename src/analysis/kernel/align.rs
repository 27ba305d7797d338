//! How the clock of a recording lies over that of a trace. On Linux both count `CLOCK_MONOTONIC` where perf was told to
//! (`-k mono`); from Go 1.25 on a trace says what the clocks showed.

use super::threads::Recorded;
use crate::base::Time;
use crate::model::segment::Kind;
use crate::model::{Detail, Index, Segment};

/// What to add to a time of the recording to have the trace's, and on what grounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offset {
    /// Nanoseconds.
    pub ns: i64,
    /// Why.
    pub by: Grounds,
}

/// On what grounds two clocks are laid over each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grounds {
    /// The user said so.
    Said,
    /// Both are the monotonic clock, by the trace's snapshot of its clocks.
    Snapshot,
    /// Both are the monotonic clock, as Go's traces on Linux are.
    Same,
    /// The recording is on the wall's clock, which the trace's snapshot has.
    Wall,
    /// The recording does not say its clock.
    Assumed,
}

/// What the clocks showed: of the trace, monotonic, and of the wall.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// The trace's time.
    pub at: Time,
    /// `CLOCK_MONOTONIC`, ns.
    pub mono_ns: u64,
    /// The wall's clock, ns since 1970.
    pub wall_ns: u64,
}

/// The first snapshot of the clocks in a segment; none before Go 1.25.
pub fn snapshot(seg: &Segment) -> Option<Snapshot> {
    (0..seg.len()).filter(|&i| seg.kind[i] == Kind::Sync).find_map(|i| match seg.event(i).detail {
        Detail::Clock { at, mono_ns, wall_ns, .. } if mono_ns > 0 => Some(Snapshot { at, mono_ns, wall_ns }),
        _ => None,
    })
}

/// The offset; or in a sentence why there is none.
///
/// # Errors
///
/// The clocks cannot be laid over each other.
pub fn offset(r: &Recorded, index: &Index, snapshot: Option<Snapshot>, said: Option<i64>) -> Result<Offset, String> {
    let to = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX);
    if let Some(ns) = said {
        return Ok(Offset { ns, by: Grounds::Said });
    }
    let monotonic = |by| match snapshot {
        Some(s) => Offset { ns: s.at.0.saturating_sub(to(s.mono_ns)), by },
        None => Offset { ns: 0, by },
    };
    match r.about.clock.as_deref() {
        Some("monotonic") if snapshot.is_some() => Ok(monotonic(Grounds::Snapshot)),
        Some("monotonic") if index.version.1 < 22 => Err(format!(
            "a trace of format 1.{} is on the CPU's clock, and nothing in it says what the monotonic clock showed: \
             say --offset, in nanoseconds to add to perf's times",
            index.version.1
        )),
        Some("monotonic") => Ok(monotonic(Grounds::Same)),
        Some("realtime") if snapshot.is_some_and(|s| s.wall_ns > 0) => {
            let s = snapshot.expect("there is one");
            Ok(Offset { ns: s.at.0.saturating_sub(to(s.wall_ns)), by: Grounds::Wall })
        }
        Some(other) => Err(format!(
            "the recording is on the clock `{}`, and the trace is not: record with -k mono, or say --offset",
            crate::base::text::escape(other)
        )),
        None if r.about.header => Err(
            "the recording is on perf's own clock, which is off by milliseconds: record with -k mono, or say --offset"
                .into(),
        ),
        None if index.version.1 < 22 => Err("the recording does not say its clock: say --offset".into()),
        None => Ok(monotonic(Grounds::Assumed)),
    }
}
