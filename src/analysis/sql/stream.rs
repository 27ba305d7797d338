//! The rows of a table of one trace, made by threads of their own while SQLite works on those before.

use super::Shared;
use super::held::Batch;
use crate::analysis::states::walk;
use crate::analysis::tables::{Rows, Table, Wanted};
use crate::read::Trace;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked whether the time is over, while there are no rows.
const AGAIN: Duration = Duration::from_millis(20);

/// Why there are no more rows.
#[derive(Debug)]
pub(super) enum Broken {
    /// A segment cannot be decoded, in a few words.
    Unreadable(String),
    /// They take more memory than they may.
    TooMuch,
    /// The time is over, or the query was called off.
    Over,
}

/// What comes from the threads.
enum Said {
    /// The rows of a segment, or the last ones.
    Rows(Batch),
    /// There are no more.
    End,
    Broken(Broken),
}

/// Rows in batches.
pub(super) struct Stream {
    rows: Receiver<Said>,
    shared: Arc<Shared>,
}

impl Stream {
    /// The rows that are wanted of a trace that has been read whole; the last batch has at most so many cells.
    pub fn new(trace: Arc<Trace>, shared: &Arc<Shared>, (table, wanted, most): (Table, Wanted, usize)) -> Stream {
        // One batch waits while the one before is worked on.
        let (to, rows) = bounded(0);
        let theirs = shared.clone();
        std::thread::spawn(move || make(&trace, (table, wanted, most), &theirs, &to));
        Stream { rows, shared: shared.clone() }
    }

    /// The next rows; `None` after the last.
    ///
    /// # Errors
    ///
    /// See [`Broken`].
    pub fn next(&self) -> Result<Option<Batch>, Broken> {
        loop {
            return match self.rows.recv_timeout(AGAIN) {
                Ok(Said::Rows(batch)) => Ok(Some(batch)),
                Ok(Said::End) => Ok(None),
                Ok(Said::Broken(why)) => Err(why),
                Err(RecvTimeoutError::Timeout) if self.shared.is_over() => Err(Broken::Over),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => {
                    Err(Broken::Unreadable("a fault of gotrail's: the thread that makes rows has failed".into()))
                }
            };
        }
    }
}

/// Makes the rows, until nobody takes them, or the time is over.
fn make(trace: &Trace, (table, wanted, most): (Table, Wanted, usize), shared: &Shared, to: &Sender<Said>) {
    // The index is free whenever this thread waits: somebody may want to write to it.
    let mut rows = Rows::new(&trace.index(), trace.name(), wanted);
    let all = rows.segments(&trace.index());
    let mut gone = false;
    let walked = walk::segments(trace, all, walk::threads(), &mut |_, seg| {
        let mut batch = Batch::new(table, wanted.columns, usize::MAX);
        rows.segment(&trace.index(), seg, &mut batch);
        // Segments without a row that is wanted give no sign of whether anybody still waits.
        gone = shared.is_over() || batch.len() > 0 && to.send(Said::Rows(batch)).is_err();
        if gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let mut last = Batch::new(table, wanted.columns, most);
    let end = match walked {
        _ if gone => Said::Broken(Broken::Over),
        Err(why) => Said::Broken(Broken::Unreadable(why.into())),
        Ok(()) => {
            rows.finish(&trace.index(), &mut last);
            if last.too_many { Said::Broken(Broken::TooMuch) } else { Said::End }
        }
    };
    // Whoever has enough is gone by now.
    if matches!(end, Said::End) && last.len() > 0 && to.send(Said::Rows(last)).is_err() {
        return;
    }
    let _ = to.send(end);
}
