//! What `perf script` prints: events with their frames, and what its header says.

mod frame;
mod sched;
#[cfg(test)]
mod tests;

pub use frame::Frame;
pub use sched::{Sched, sched};

use crate::input::{PerfLine, perf_line};

/// What the header says, where there is one (`--header`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// The clock of the times: `monotonic`; `None` if it is not told.
    pub clock: Option<String>,
    /// The command line that recorded.
    pub command: Option<String>,
    /// Whether there is a header at all.
    pub header: bool,
}

/// An event with the frames that were printed below it or behind it, leaf first.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a, 'f> {
    /// Its line.
    pub line: PerfLine<'a>,
    /// Its frames.
    pub frames: &'f [Frame<'a>],
    /// The number of its line in the text, from 1 on.
    pub number: usize,
}

/// The most frames of an event; perf itself takes at most 127 from the kernel.
const MOST_FRAMES: usize = 4096;

/// Shows every event of a text to `each`, in the text's order. Gives what the header says, and how many lines were none of
/// any.
pub fn read<'a>(text: &'a str, mut each: impl FnMut(Event<'a, '_>)) -> (About, u64) {
    let mut about = About::default();
    let mut open: Option<(PerfLine<'a>, usize)> = None;
    let mut frames: Vec<Frame<'a>> = Vec::new();
    let mut odd = 0;
    let mut close = |open: &mut Option<(PerfLine<'a>, usize)>, frames: &mut Vec<Frame<'a>>| {
        if let Some((line, number)) = open.take() {
            each(Event { line, frames, number });
        }
        frames.clear();
    };
    for (i, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            close(&mut open, &mut frames);
        } else if let Some(comment) = line.strip_prefix('#') {
            about.read(comment.trim());
        } else if open.is_some() && line.starts_with('\t') {
            match frame::frame(line) {
                Some(f) if frames.len() < MOST_FRAMES => frames.push(f),
                Some(_) => {}
                // A frame's line of source, which `-F srcline` prints below it.
                None if line.starts_with([' ', '\t']) => {}
                None => odd += 1,
            }
        } else if let Some(head) = perf_line(line) {
            close(&mut open, &mut frames);
            frames.extend(frame::behind(head.rest));
            open = Some((head, i + 1));
        } else if let Some(f) = frame::frame(line).filter(|_| open.is_some()) {
            frames.push(f);
        } else if !(open.is_some() && line.starts_with(' ')) {
            odd += 1;
        }
    }
    close(&mut open, &mut frames);
    (about, odd)
}

impl About {
    fn read(&mut self, comment: &str) {
        self.header |= comment.starts_with("captured on") || comment.starts_with("====");
        let value = |name: &str| comment.strip_prefix(name)?.trim_start().strip_prefix(':').map(str::trim);
        if let Some(clock) = value("clockid") {
            // `monotonic (1)`: its name and its number.
            self.clock = Some(clock.split_whitespace().next().unwrap_or("").to_owned());
        }
        if let Some(command) = value("cmdline") {
            self.command = Some(command.to_owned());
        }
    }
}
