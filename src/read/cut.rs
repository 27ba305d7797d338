//! A piece of a trace as a trace of its own: whole generations, byte for byte, which any reader of traces opens.

use super::trace::{COPIED, Trace};
use crate::base::Time;
use crate::wire::error::Error;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// What was cut out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// How many generations.
    pub generations: usize,
    /// When the first of them begins.
    pub from: Time,
    /// When the last of them ends.
    pub to: Time,
}

/// Why nothing could be cut out.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// The format has no generations.
    #[error("a trace of Go 1.21 or earlier is one piece: nothing can be cut out of it")]
    OnePiece,
    /// Nothing lies in the window.
    #[error("nothing happens between --from and --to")]
    Nothing,
    /// The file is no longer what it was.
    #[error(transparent)]
    Read(#[from] Error),
    /// What was cut out cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

impl Trace {
    /// Writes the generations in which something happens at or after `from` and before `to`. The trace must have been read.
    ///
    /// # Errors
    ///
    /// See [`CutError`].
    pub fn cut(&self, from: Time, to: Time, out: &mut dyn Write) -> Result<Cut, CutError> {
        let index = self.index();
        let plans = self.plans.read().unwrap_or_else(|e| e.into_inner());
        let inside = |s: &crate::model::SegmentInfo| s.to >= from && s.from < to;
        let chosen = index.segments.iter().zip(plans.iter()).filter(|(s, _)| inside(s));
        let units: BTreeSet<usize> = chosen.map(|(_, p)| p.unit).collect();
        let of = |unit: usize| index.segments.iter().zip(plans.iter()).filter(move |(_, p)| p.unit == unit);
        let (Some(&first), Some(&last)) = (units.first(), units.last()) else { return Err(CutError::Nothing) };
        let pieces = self.file().pieces(|u| units.contains(&u)).ok_or(CutError::OnePiece)?;
        for piece in pieces {
            for at in piece.clone().step_by(COPIED) {
                out.write_all(&self.data.get(at..(at + COPIED).min(piece.end)))?;
            }
        }
        self.intact()?;
        Ok(Cut {
            generations: units.len(),
            from: of(first).map(|(s, _)| s.from).min().unwrap_or(from),
            to: of(last).map(|(s, _)| s.to).max().unwrap_or(to),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Bytes;
    use std::path::Path;
    use std::sync::atomic::AtomicBool;

    fn open(name: &str) -> Trace {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        read(std::fs::read(path).unwrap())
    }

    fn read(bytes: Vec<u8>) -> Trace {
        let trace = Trace::open("trace", Bytes::Memory(bytes.into())).unwrap();
        trace.load(&|_| {}, &AtomicBool::new(false));
        trace
    }

    fn cut(trace: &Trace, from: Time, to: Time) -> Result<(Cut, Trace), CutError> {
        let mut bytes = Vec::new();
        let cut = trace.cut(from, to, &mut bytes)?;
        Ok((cut, read(bytes)))
    }

    #[test]
    fn a_cut_is_a_trace_of_the_same_events() {
        let whole = open("sample-traces/trace.out");
        let (start, end) = (whole.index().start, whole.index().end);
        let (all, copy) = cut(&whole, Time::MIN, Time::MAX).unwrap();
        assert!(all.generations > 1);
        assert_eq!((all.from, all.to), (whole.index().segments[0].from, end));
        assert_eq!(copy.data.held(), whole.data.held(), "all generations are the file");

        // The last generation alone, which begins with statements about what goes on.
        let (one, last) = cut(&whole, end, Time::MAX).unwrap();
        assert_eq!(one.generations, 1);
        assert!(one.from > start);
        let (index, part) = (whole.index(), last.index());
        assert!(part.complete && part.losses.is_empty(), "{:?}", part.losses);
        let segments = index.segments.iter().filter(|s| s.from >= one.from);
        assert_eq!(part.events, segments.map(|s| u64::from(s.len)).sum::<u64>());
        assert!(part.start <= one.from && part.end == end);
    }

    #[test]
    fn what_cannot_be_cut_is_said() {
        let old = cut(&open("sample-traces/go1.21-trace.out"), Time::MIN, Time::MAX);
        assert!(matches!(old, Err(CutError::OnePiece)));
        let nothing = cut(&open("sample-traces/trace.out"), Time::MIN, Time(0));
        assert!(matches!(nothing, Err(CutError::Nothing)));
    }
}
