//! What profiles, dumps and reports of races beside a trace say of its goroutines.

use crate::analysis::cost::labels;
use crate::analysis::leaks::{Inversion, inversions};
use crate::analysis::races;
use crate::analysis::states::interval;
use crate::analysis::states::source::{Source, Unanswered};
use crate::base::{GoId, GoIdx, Time, text};
use crate::model::beside::{Beside, LOCK_ORDER, Labelled, Told};
use crate::model::dict::{shown_line, without_types};
use crate::model::reasons::{Class, Reasons};
use crate::model::segment::GoState;
use crate::model::{Index, Waker};
use crate::profile::dump;
use crate::profile::model::Profile;
use rustc_hash::FxHashMap;
use std::sync::atomic::AtomicBool;

/// Joins them with a trace that has been read whole. A text comes with its name, which may be shown.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn beside<S: Source>(
    source: &S,
    profiles: &[&Profile],
    told: &[(&str, &dump::Told)],
) -> Result<Beside, Unanswered> {
    let with: Vec<&Profile> = profiles.iter().copied().filter(|p| labels::has_labels(p)).collect();
    let (mut labelled, matched) =
        if with.is_empty() { (Vec::new(), Vec::new()) } else { labels::of_samples(source, &with)? };
    let mut said = Vec::new();
    let dumps = told.iter().flat_map(|(name, t)| t.dumps.iter().map(move |d| (*name, d)));
    let mut dumps: Vec<_> = dumps.map(|(name, d)| (name, d, inversions(d))).collect();
    for i in dumps.iter_mut().flat_map(|d| &mut d.2) {
        i.beside(|id| blocked_at_end(source, id));
    }
    source.with_index(&mut |index| {
        for (name, d, orders) in &dumps {
            of_dump(index, name, (d, orders), &mut labelled, &mut said);
        }
    });
    for (name, t) in told {
        let mut reports = races::reports(name, t);
        reports.retain(|r| r.fatal.is_none());
        races::locate(source, &mut reports)?;
        reports.iter().for_each(|r| of_report(r, &mut said));
    }
    Ok(Beside::new(labelled, said).with_matched(matched))
}

/// Whether a goroutine is blocked on a lock when the trace ends; nothing if the trace does not know it.
fn blocked_at_end<S: Source>(source: &S, id: u64) -> Option<bool> {
    let (mut go, mut end) = (None, Time::MIN);
    source.with_index(&mut |index| (go, end) = (index.find_goroutine(GoId(id), index.end), index.end));
    let Some(now) = interval::at(source, go?, end, &AtomicBool::new(false)) else { return Some(false) };
    let mut locked = false;
    source.with_index(&mut |index| {
        let reasons = Reasons::default();
        let reason = reasons.refine(&index.dict, now.reason, now.stack, Waker::Nobody);
        locked = now.state == GoState::Waiting && reasons.get(reason).class == Class::Lock;
    });
    Some(locked)
}

/// What a dump says of the goroutines that have a number of it and start in the same function.
fn of_dump(
    index: &Index,
    name: &str,
    (d, orders): (&dump::Dump, &[Inversion]),
    labelled: &mut Vec<Labelled>,
    said: &mut Vec<Told>,
) {
    let all = index.goroutines.iter().zip(0u32..).map(|(g, i)| (g.id.0, GoIdx(i)));
    let by_id: FxHashMap<u64, GoIdx> = all.collect();
    for g in &d.goroutines {
        let Some((&go, known)) = by_id.get(&g.id).and_then(|go| Some((go, index.goroutine(*go)?))) else { continue };
        let (here, there) = (index.goroutine_name(go), d.stack(g).next_back().map_or("", |f| f.func.as_str()));
        let main = g.id == 1 && matches!(there, "main.main" | "runtime.main");
        if !here.is_empty() && !there.is_empty() && !main && without_types(here) != without_types(there) {
            continue;
        }
        let mut what = text::escape(d.reason(g)).into_owned();
        what += &g.minutes.map_or(String::new(), |m| format!(" for {m} minutes"));
        what += if g.leaked { ", marked as leaked" } else { "" };
        what += if g.locked { ", locked to its thread" } else { "" };
        said.push(Told { go, who: "dump", what: format!("{what} · {}", text::escape(name)) });
        for i in orders.iter().filter(|i| i.waits.iter().any(|w| w.id == g.id)) {
            let what = format!("{} · {}", i.says().join("; "), text::escape(name));
            said.push(Told { go, who: LOCK_ORDER, what });
        }
        // Labels seldom change in a goroutine's life, and a dump says what they are at one moment of it.
        let (from, to) = (known.created().unwrap_or(index.start), known.ended.unwrap_or(index.end));
        labelled.extend(d.labels(g).iter().cloned().map(|(key, value)| Labelled {
            go,
            from,
            to,
            key,
            value,
            exact: true,
        }));
    }
}

/// What a report of a race says of the goroutines that it may mean.
fn of_report(r: &races::Report, said: &mut Vec<Told>) {
    for s in &r.sides {
        let Some(at) = s.at() else { continue };
        let alike = match s.candidates.len() {
            1 => String::new(),
            n => format!(", one of {n} alike"),
        };
        let what = format!(
            "{} at {}{alike} · {}:{}",
            s.what.word(),
            shown_line(&at.file, at.line),
            text::escape(&r.file.0),
            r.file.1
        );
        said.extend(s.candidates.iter().map(|c| Told { go: c.go, who: "race", what: what.clone() }));
    }
}
