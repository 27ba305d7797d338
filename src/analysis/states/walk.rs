//! Walks segments in order while other threads decode those ahead.

use super::source::Source;
use crate::analysis::states::source::Unanswered;
use crate::model::Segment;
use crossbeam_channel::bounded;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

/// Threads that decode ahead: as many as there are cores, of which at most eight help.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(8)
}

/// Calls `each` with every segment of `range` in order, on this thread, until it breaks. Decoding runs ahead on
/// `threads` others, by one segment each.
///
/// # Errors
///
/// The first segment that cannot be decoded, in a few words.
pub fn segments<S: Source>(
    source: &S,
    range: Range<usize>,
    threads: usize,
    each: &mut dyn FnMut(usize, &Arc<Segment>) -> ControlFlow<()>,
) -> Result<(), Unanswered> {
    let threads = threads.clamp(1, range.len().max(1));
    std::thread::scope(|scope| {
        let mut queues = Vec::with_capacity(threads);
        for k in 0..threads {
            let (send, receive) = bounded(0);
            let turns = range.clone().skip(k).step_by(threads);
            scope.spawn(move || {
                for i in turns {
                    // The reader has gone once it has seen enough.
                    if send.send(source.segment(i)).is_err() {
                        break;
                    }
                }
            });
            queues.push(receive);
        }
        for (turn, i) in range.enumerate() {
            let Ok(segment) = queues[turn % threads].recv() else { break };
            if each(i, &segment?).is_break() {
                break;
            }
        }
        drop(queues);
        Ok(())
    })
}
