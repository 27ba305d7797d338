//! Labels of goroutines (`pprof.Do`), which a trace does not say: out of CPU profiles of the same run, whose samples match
//! the trace's, and out of dumps.

use super::join::{Evidence, Sampled, Table, Verdict, cpu, is_cpu};
use crate::analysis::clock;
use crate::analysis::states::source::{Source, Unanswered};
use crate::model::beside::Labelled;
use crate::model::segment::Kind;
use crate::profile::model::{LabelValue, Profile};

/// Whether a profile is of the CPU and has labels that are text.
pub fn has_labels(p: &Profile) -> bool {
    let text = |l: &crate::profile::model::Label| matches!(l.value, LabelValue::Text(_));
    is_cpu(p).is_some() && p.samples.iter().any(|s| p.labels_of(s).iter().any(text))
}

/// Labels of goroutines, and of each profile how many of its samples are the trace's, and how many it has.
pub type OfSamples = (Vec<Labelled>, Vec<(u64, u64)>);

/// The labels that goroutines of a trace have by CPU profiles of the same run, each from the first to the last of successive
/// samples that have the same; and how many samples of each profile are the trace's, of how many. The trace has been read
/// whole.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn of_samples<S: Source>(source: &S, profiles: &[&Profile]) -> Result<OfSamples, Unanswered> {
    let (mut samples, mut epoch, mut with) = (Vec::new(), None, Vec::new());
    source.with_index(&mut |index| with = index.segments.iter().map(|s| s.kinds).collect());
    let wanted = 1u64 << Kind::CpuSample as u8 | 1 << Kind::Sync as u8;
    for i in (0..with.len()).filter(|&i| with[i] & wanted != 0) {
        let seg = source.segment(i)?;
        epoch = epoch.or_else(|| clock::epoch(&seg));
        for i in (0..seg.len()).filter(|&i| seg.kind[i] == Kind::CpuSample) {
            let (time, go, stack) = (seg.time[i], seg.go[i], seg.stack[i]);
            samples.push(Sampled { time, go, stack, wanted: true, taken: false });
        }
    }
    let (mut out, mut counts) = (Vec::new(), Vec::new());
    source.with_index(&mut |index| {
        let (mut table, mut evidence) = (Table::default(), Evidence::default());
        for p in profiles {
            let overlap = epoch.and_then(|e| clock::overlap(p, e, (index.start, index.end)));
            if let (Some(which), None | Some(clock::Overlap::Within { .. })) = (is_cpu(p), overlap) {
                let m = cpu(&index.dict, &mut table, (&mut samples, overlap), p, which, false, &mut evidence);
                let matched = if m.verdict == Verdict::Foreign { 0 } else { m.matched() };
                counts.push((matched, m.profile));
            } else {
                counts.push((0, p.samples.len() as u64));
            }
        }
        out = std::mem::take(&mut evidence).over_time();
    });
    Ok((out, counts))
}
