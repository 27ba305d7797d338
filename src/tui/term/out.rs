//! What is written to the terminal goes through here, so that there is an end to it: whoever gives the terminal back from
//! another thread than the one that draws is the last to write.

use super::tty::{self, Guardian};
use std::io::{self, Write, stdout};
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a write that is under way may take before the terminal is given back without waiting for its end.
// Without signals nobody but the thread that draws gives the terminal back.
#[cfg_attr(not(unix), allow(dead_code))]
const PATIENCE: Duration = Duration::from_millis(300);

struct State {
    /// Nothing more is written.
    over: bool,
    guardian: Option<Guardian>,
}

static STATE: Mutex<State> = Mutex::new(State { over: false, guardian: None });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(|e| e.into_inner())
}

/// The terminal, as far as it is still ours.
pub struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if state().over { Ok(bytes.len()) } else { stdout().write(bytes) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if state().over { Ok(()) } else { stdout().flush() }
    }
}

/// Notes how the terminal is, before anything is changed, and has somebody wait for an end that cannot be noticed here.
pub fn begin() {
    tty::restore();
    state().guardian = Guardian::start();
}

/// The viewer has given the terminal back and does not take it again.
pub fn end() {
    let guardian = state().guardian.take();
    if let Some(g) = guardian {
        g.dismiss();
    }
}

/// Gives the terminal back from any thread, for good. Does not wait for a thread that draws and has stopped in the middle
/// of it, nor for a terminal that takes no more.
#[cfg_attr(not(unix), allow(dead_code))]
pub fn give_back() {
    let deadline = Instant::now() + PATIENCE;
    let mut state = loop {
        match STATE.try_lock() {
            Ok(state) => break Some(state),
            Err(TryLockError::Poisoned(e)) => break Some(e.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() > deadline => break None,
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    };
    let guardian = state.as_mut().and_then(|s| {
        s.over = true;
        s.guardian.take()
    });
    tty::restore();
    let (done, written) = channel::<()>();
    let writer = thread::Builder::new().name("last words".into()).spawn(move || {
        tty::write_restore();
        drop(done);
    });
    if writer.is_ok() {
        let _ = written.recv_timeout(PATIENCE);
    }
    if let Some(g) = guardian {
        g.dismiss();
    }
}
