//! Reads a trace while it is being written: generations that are whole are added to the index, which stays the same one.

use super::trace::Trace;
use crate::build::recordings::Recordings;
use crate::wire::error::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

impl Trace {
    /// Takes in what has been appended to the file since it was opened [as one that grows](super::trace::Options::growing), or
    /// since the last time. Generations are added to the index once it is known where they end; with `over`, when nobody
    /// writes any more, all the rest is, and the index is complete. Returns how many generations the index has. `progress` is
    /// called after each.
    ///
    /// # Errors
    ///
    /// The file can no longer be read.
    pub fn grow(&self, over: bool, progress: &(dyn Fn(f64) + Sync), cancel: &AtomicBool) -> Result<usize, Error> {
        let at = self.data.len();
        self.data.extend().map_err(|e| Error::new(at as u64, ErrorKind::Missing(e.to_string())))?;
        // The headers of the batches are all that is read for this, some thirty bytes for each 64 KiB.
        let now = Recordings::open(&self.data, None, self.most())?;
        let settled = if over { now.units() } else { now.settled() };
        let losses = now.losses();
        *self.recordings.write().unwrap_or_else(|e| e.into_inner()) = Arc::new(now);
        self.read_units(settled, None, progress, cancel);
        let read = self.generations_read();
        if over && read == settled {
            self.index_mut().losses.splice(0..0, losses);
            self.finish(true, progress, cancel);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Duration;
    use crate::input::Bytes;
    use crate::read::trace::Options;
    use std::io::Write;
    use std::path::Path;

    /// Writes a trace bit by bit and reads it meanwhile; returns it and how many generations were known after each bit.
    fn grown(data: &[u8], by: usize) -> (Trace, Vec<usize>) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&data[..by]).unwrap();
        let options = Options { growing: Some(Duration(2_000_000_000)), ..Options::default() };
        let bytes = Bytes::of_file(file.try_clone().unwrap()).unwrap();
        let trace = Trace::open_with("grows", bytes, options).unwrap();
        let (none, mut known) = (AtomicBool::new(false), Vec::new());
        for piece in data[by..].chunks(by) {
            file.write_all(piece).unwrap();
            known.push(trace.grow(false, &|_| {}, &none).unwrap());
            assert!(!trace.index().complete);
        }
        known.push(trace.grow(true, &|_| {}, &none).unwrap());
        (trace, known)
    }

    #[test]
    fn a_trace_that_grew_is_the_trace_that_was_read_at_once() {
        for name in ["sample-traces/trace.out", "sample-traces/go1.22-trace.out", "tests/data/annotations-go1.22.trace"]
        {
            let input = crate::input::open(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
            let data = input.bytes.all().into_owned();
            let whole = Trace::open(name, Bytes::Memory(data.clone().into())).unwrap();
            whole.load(&|_| {}, &AtomicBool::new(false));
            // So that headers and batches are cut anywhere.
            let (trace, known) = grown(&data, (data.len() / 40).max(1) + 7);
            assert!(known.is_sorted() && known.last() == Some(&whole.file().units()), "{name}: {known:?}");
            assert!(whole.file().units() < 3 || known.iter().any(|n| *n > 0 && *n < whole.file().units()), "{known:?}");
            let (a, b) = (whole.index(), trace.index());
            assert!(b.complete);
            assert_eq!(a.losses, b.losses, "{name}");
            assert_eq!((a.events, a.start, a.end, a.samples), (b.events, b.start, b.end, b.samples), "{name}");
            assert_eq!(a.totals.go_transitions, b.totals.go_transitions, "{name}");
            let lives = |i: &crate::model::Index| {
                i.goroutines.iter().map(|g| (g.id, g.from, g.ended, g.times)).collect::<Vec<_>>()
            };
            assert_eq!(lives(&a), lives(&b), "{name}");
            drop((a, b));
            for i in 0..whole.index().segments.len() {
                let (a, b) = (whole.segment(i).unwrap(), trace.segment(i).unwrap());
                assert_eq!((a.first, &a.time), (b.first, &b.time), "{name}: segment {i}");
            }
        }
    }
}
