//! A flight recorder for every program of Go 1.22 and later: the trace is read as it is written, and only its last seconds
//! are kept, until what is waited for has happened.

use super::folder::Folder;
use super::plan::{Control, Progress, Wish};
use super::server::Server;
use super::splitter::{Generation, SplitError, Splitter};
use super::stream::{Piece, Stream};
use super::take::{Recorder, TRACE};
use super::until::Until;
use crate::base::text;
use crate::query::CompileError;
use crate::report::schema::recording::Recording;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Generations that are awaited after a signal: the one that was going on, which the server sends when it is over, and
/// the one after it, which says that it is whole.
const AFTER: usize = 2;
/// How long they are awaited.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes that a ring takes in memory.
const MOST: usize = 1 << 30;

/// How a ring ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// An event answered the query.
    Found,
    /// A signal, or a key.
    Asked,
    /// The user had enough, or the time was up, or the server ended.
    Over,
}

impl End {
    fn words(self) -> &'static str {
        match self {
            End::Found => "an event that answers the query",
            End::Asked => "a signal",
            End::Over => "nothing that was waited for",
        }
    }
}

/// The last generations of a trace.
struct Ring {
    keep: u64,
    kept: VecDeque<Generation>,
    bytes: usize,
    /// Whether it was too large for what was to be kept.
    too_large: bool,
}

impl Ring {
    fn new(keep: Duration) -> Ring {
        let keep = u64::try_from(keep.as_nanos()).unwrap_or(u64::MAX);
        Ring { keep, kept: VecDeque::new(), bytes: 0, too_large: false }
    }

    /// Takes a generation, and drops those that are older than what is to be kept.
    fn push(&mut self, g: Generation) {
        self.bytes += g.bytes.len();
        let newest = g.to;
        self.kept.push_back(g);
        while let [_, second, ..] = self.kept.make_contiguous() {
            let too_large = self.bytes > MOST;
            if newest.saturating_sub(second.from) < self.keep && !too_large {
                break;
            }
            self.too_large |= too_large;
            self.bytes -= self.kept.pop_front().map_or(0, |g| g.bytes.len());
        }
    }

    /// The trace of what is kept.
    fn trace(&self, header: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(header.len() + self.bytes);
        out.extend_from_slice(header);
        self.kept.iter().for_each(|g| out.extend_from_slice(&g.bytes));
        out
    }
}

/// Keeps the last seconds of a server's trace until an event answers the query, or `control` says so, and writes them
/// into a folder.
///
/// # Errors
///
/// The manifest cannot be written.
pub fn keep(
    server: &Server,
    (wish, keep): (&Wish, Duration),
    until: Option<&Until>,
    folder: &Folder,
    control: &Control,
) -> std::io::Result<(Recording, End)> {
    let mut r = Recorder::new(server, wish, folder, control);
    let from = r.now();
    let query = format!("seconds={}", wish.seconds);
    // Whoever profiles the CPU meanwhile has samples in the trace; the profile itself is of all the time, and not kept.
    let mut samples = Some(Stream::open(server, "profile", &query, Some(wish.seconds)));
    let trace = Stream::open(server, "trace", &query, None);
    let mut watch = Watch { ring: Ring::new(keep), splitter: Splitter::default(), bytes: 0, begun: Instant::now() };
    let end = loop {
        match watch.step(&trace, control) {
            Step::More(new) if new > 0 => match until.map_or(Ok(false), |u| watch.answers(u)) {
                Ok(false) => {}
                Ok(true) => break End::Found,
                Err(e) => {
                    r.failed("query", &e.to_string());
                    break End::Over;
                }
            },
            Step::More(_) => {}
            Step::Asked => break End::Asked,
            Step::Stopped => break End::Over,
            Step::Over(None) => {
                // The last generation may hold what was waited for.
                let found = watch.last() && until.is_some_and(|u| watch.answers(u) == Ok(true));
                break if found { End::Found } else { End::Over };
            }
            Step::Over(Some(Fault::Http(e))) => {
                watch.last();
                r.fault("trace", &e);
                break End::Over;
            }
            Step::Over(Some(Fault::Split(e))) => {
                r.failed("trace", &e.to_string());
                break End::Over;
            }
        }
        if let Some(Piece::Failed(e)) = samples.as_ref().and_then(Stream::ready) {
            r.made.notes.push(format!("no CPU samples in the trace: {e}"));
            samples = None;
        }
    };
    drop((trace, samples));
    watch.write(&mut r, from);
    r.made.ended_by = Some(end.words().into());
    r.after(wish.leaks);
    Ok((r.finish()?, end))
}

/// What came.
enum Step {
    /// So many new generations.
    More(usize),
    /// What was going on when a signal came is there.
    Asked,
    /// The user has had enough.
    Stopped,
    /// No more comes, and why if it should have.
    Over(Option<Fault>),
}

/// Why no more comes.
enum Fault {
    Http(crate::input::http::HttpError),
    Split(SplitError),
}

/// A trace that comes in.
struct Watch {
    ring: Ring,
    splitter: Splitter,
    bytes: u64,
    begun: Instant,
}

impl Watch {
    /// Takes all that has come; waits a moment if nothing has.
    fn step(&mut self, trace: &Stream, control: &Control) -> Step {
        if control.stop.load(Ordering::Relaxed) {
            return Step::Stopped;
        }
        if control.keep.load(Ordering::Relaxed) {
            return self.await_now(trace, control);
        }
        let mut new = 0;
        let mut next = trace.next();
        while let Some(piece) = next {
            match self.take(piece) {
                Ok(n) => new += n,
                Err(over) => return over,
            }
            next = trace.ready();
        }
        self.tell(control);
        Step::More(new)
    }

    /// Waits for the generation that is going on.
    fn await_now(&mut self, trace: &Stream, control: &Control) -> Step {
        let (since, mut more) = (Instant::now(), 0);
        while more < AFTER && since.elapsed() < PATIENCE && !control.stop.load(Ordering::Relaxed) {
            match trace.next().map(|piece| self.take(piece)) {
                Some(Ok(n)) => more += n,
                Some(Err(Step::Over(Some(fault)))) => return Step::Over(Some(fault)),
                Some(Err(_)) => {
                    self.last();
                    break;
                }
                None => {}
            }
            self.tell(control);
        }
        Step::Asked
    }

    fn take(&mut self, piece: Piece) -> Result<usize, Step> {
        let bytes = match piece {
            Piece::Bytes(bytes) => bytes,
            Piece::End => return Err(Step::Over(None)),
            Piece::Failed(e) => return Err(Step::Over(Some(Fault::Http(e)))),
        };
        self.bytes += bytes.len() as u64;
        let new = self.splitter.push(&bytes).map_err(|e| Step::Over(Some(Fault::Split(e))))?;
        let n = new.len();
        new.into_iter().for_each(|g| self.ring.push(g));
        Ok(n)
    }

    /// Takes the last generation of a trace that has ended, if it is whole.
    fn last(&mut self) -> bool {
        let last = self.splitter.end();
        let any = last.is_some();
        last.into_iter().for_each(|g| self.ring.push(g));
        any || !self.ring.kept.is_empty()
    }

    fn tell(&self, control: &Control) {
        (control.progress)(self.progress());
    }

    fn progress(&self) -> Progress {
        Progress { elapsed: self.begun.elapsed(), bytes: self.bytes, kept: self.ring.kept.len() }
    }

    fn answers(&self, until: &Until) -> Result<bool, CompileError> {
        until.answers(self.ring.trace(self.splitter.header()))
    }

    /// Writes what is kept.
    fn write(self, r: &mut Recorder, from: u64) {
        let (Some(first), Some(last)) = (self.ring.kept.front(), self.ring.kept.back()) else {
            if r.made.failed.is_empty() {
                r.failed("trace", "it ended before its first generation was whole, about a second");
            }
            return;
        };
        r.made.generations = Some([first.number, last.number]);
        if self.ring.too_large {
            let most = text::bytes(MOST as u64);
            r.made.notes.push(format!("less is kept than was asked for: more than {most} would be needed"));
        }
        let trace = self.ring.trace(self.splitter.header());
        match r.folder.write(TRACE, &trace) {
            Ok(()) => r.keep_trace(&trace, trace.len() as u64, from, self.progress().rate()),
            Err(e) => r.failed("trace", &format!("writing {TRACE}: {e}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_no_less_than_it_should_and_a_generation_more() {
        let mut ring = Ring::new(Duration::from_secs(3));
        let second = 1_000_000_000;
        for n in 1..=10 {
            ring.push(Generation { number: n, bytes: vec![0; 10], from: n * second, to: (n + 1) * second });
            let spans = (n + 1) * second - ring.kept[0].from;
            assert!(spans >= (3 * second).min(n * second) && spans <= 4 * second, "{n}: {spans}");
        }
        assert_eq!(ring.kept.iter().map(|g| g.number).collect::<Vec<_>>(), [8, 9, 10]);
        assert_eq!((ring.bytes, ring.trace(b"head").len()), (30, 34));
    }
}
