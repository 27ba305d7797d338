//! Which events are listed, and how they are read.

use crate::base::EventNo;
use crate::base::{GoIdx, Time};
use crate::model::Event;
use crate::tui::app::jobs::JobCtx;
use crate::tui::app::nav::{Narrow, Place};
use std::sync::Arc;

/// Most events of a narrowed list: 32 MB of numbers.
const MAX: usize = 4 << 20;

#[derive(Clone, Debug)]
enum Numbers {
    Range(EventNo, EventNo),
    Some(Arc<Vec<EventNo>>),
}

/// The numbers of the events that are listed, ascending.
#[derive(Clone, Debug)]
pub struct Listing {
    numbers: Numbers,
    /// The filters.
    pub narrowing: Vec<Narrow>,
    /// Whether there were more than can be listed.
    pub cut: bool,
}

impl Default for Listing {
    fn default() -> Listing {
        Listing::all(0)
    }
}

impl Listing {
    /// The first `n` events.
    pub fn all(n: u64) -> Listing {
        Listing { numbers: Numbers::Range(0, n), narrowing: Vec::new(), cut: false }
    }

    /// These events.
    pub fn of(numbers: Vec<EventNo>, narrowing: Vec<Narrow>) -> Listing {
        Listing { numbers: Numbers::Some(Arc::new(numbers)), narrowing, cut: false }
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        match &self.numbers {
            Numbers::Range(a, b) => b - a,
            Numbers::Some(v) => v.len() as u64,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the event in a row.
    pub fn get(&self, row: u64) -> Option<EventNo> {
        match &self.numbers {
            Numbers::Range(a, b) => a.checked_add(row).filter(|n| n < b),
            Numbers::Some(v) => v.get(usize::try_from(row).ok()?).copied(),
        }
    }

    /// The row of an event, or of the first after it.
    pub fn position(&self, no: EventNo) -> u64 {
        match &self.numbers {
            Numbers::Range(a, b) => no.clamp(*a, *b) - a,
            Numbers::Some(v) => v.partition_point(|&n| n < no) as u64,
        }
    }
}

/// The events that a narrowing by window, group or goroutine leaves.
///
/// # Errors
///
/// A part of the trace that cannot be read, in words.
pub fn narrowed(cx: &JobCtx, place: &Place) -> Result<Listing, String> {
    let (from, to) = place.window().unwrap_or((Time::MIN, Time::MAX));
    let segments = cx.trace.index().segments_between(from, to);
    let mut range: Option<(EventNo, EventNo)> = None;
    let mut some = Vec::new();
    let mut cut = false;
    for i in segments {
        if cx.cancelled() {
            break;
        }
        let seg = cx.trace.segment(i).map_err(|e| e.to_string())?;
        let within = seg.between(from, to);
        if place.group().is_none() && place.only().is_none() {
            let (a, b) = (seg.first + within.start as u64, seg.first + within.end as u64);
            if a < b {
                range = Some((range.map_or(a, |r| r.0), b));
            }
            continue;
        }
        let index = cx.trace.index();
        let wanted = |g: GoIdx| {
            place.only().is_none_or(|o| o == g)
                && place.group().is_none_or(|o| index.goroutine(g).is_some_and(|x| x.group == o))
        };
        let mut here: Vec<u32> = Vec::new();
        for &g in seg.goroutines().iter().filter(|g| wanted(**g)) {
            here.extend(seg.of_goroutine(g).iter().filter(|&&p| within.contains(&(p as usize))));
        }
        here.sort_unstable();
        some.extend(here.into_iter().map(|p| seg.first + u64::from(p)));
        if some.len() >= MAX {
            some.truncate(MAX);
            cut = true;
            break;
        }
    }
    let narrowed = place.group().is_some() || place.only().is_some();
    let numbers = match range.filter(|_| !narrowed) {
        Some((a, b)) => Numbers::Range(a, b),
        None => Numbers::Some(Arc::new(some)),
    };
    Ok(Listing { numbers, narrowing: place.narrowing.clone(), cut })
}

/// Reads events by number; those that cannot be had are left out.
pub fn read(cx: &JobCtx, numbers: &[EventNo]) -> Vec<Event> {
    let mut out = Vec::with_capacity(numbers.len());
    let mut open = None;
    for &no in numbers {
        let Some(i) = cx.trace.index().segment_of(no) else { continue };
        if open.as_ref().is_none_or(|(o, _)| *o != i) {
            if cx.cancelled() {
                break;
            }
            let Ok(seg) = cx.trace.segment(i) else { continue };
            open = Some((i, seg));
        }
        if let Some((_, seg)) = &open {
            let at = no.checked_sub(seg.first).map_or(usize::MAX, |i| i as usize);
            if at < seg.len() {
                out.push(seg.event(at));
            }
        }
    }
    out
}

/// The first event at or after an instant; the last of the trace if there is none.
///
/// # Errors
///
/// A part of the trace that cannot be read, in words.
pub fn event_at(cx: &JobCtx, at: Time) -> Result<EventNo, String> {
    let (found, last) = {
        let index = cx.trace.index();
        let i = index.segments.partition_point(|s| s.to < at);
        (index.segments.get(i).map(|_| i), index.events.saturating_sub(1))
    };
    let Some(i) = found else { return Ok(last) };
    let seg = cx.trace.segment(i).map_err(|e| e.to_string())?;
    let p = seg.time.partition_point(|&t| t < at).min(seg.len().saturating_sub(1));
    Ok(seg.first + p as u64)
}
