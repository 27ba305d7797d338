//! Several recordings in one file: where each begins, and what there is to say of them.

use crate::base::Time;
use crate::model::Index;
use crate::model::index::Recording;

/// When the recording at hand begins.
pub(super) fn recording_start(index: &Index) -> Time {
    index.recordings.last().map_or(Time::MIN, |r| r.from)
}

/// What there is to say of several recordings: how many, and how far apart.
pub(super) fn recordings(all: &[Recording]) -> Option<String> {
    let gaps = all.windows(2).map(|w| w[1].from - w[0].to);
    let (least, most) = (gaps.clone().min()?, gaps.max()?);
    let n = all.len();
    let apart = match (least.0, most.0) {
        (a, b) if b - a <= b / 5 => format!("{} apart", most),
        _ => format!("{least} to {most} apart"),
    };
    let processes = all.last().map_or(1, |r| r.process + 1);
    let of = if processes > 1 { format!(" of {processes} processes") } else { String::new() };
    Some(format!(
        "{n} recordings{of}, {apart}: what happened between them is not known; --recording 1 to {n} opens one"
    ))
}
