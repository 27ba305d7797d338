//! Signals. Those that end the program do so without the thread that draws, which may be stuck; the others are handed on.

use super::out;
use signal_hook::consts::{SIGABRT, SIGBUS, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Listens, and hands to `to` what the viewer does itself; it says false when nobody listens there any more. While the
/// terminal is `lent`, its keys are another program's.
///
/// # Errors
///
/// There is no thread to be had, or signals cannot be handled.
pub fn listen(lent: Arc<AtomicBool>, to: impl Fn(i32) -> bool + Send + 'static) -> io::Result<Handle> {
    hold_segv()?;
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGBUS, SIGTSTP, SIGCONT])?;
    let handle = signals.handle();
    thread::Builder::new().name("signals".into()).spawn(move || {
        let mut asked = false;
        for s in signals.forever() {
            let lent = lent.load(Ordering::Relaxed);
            let handed_on = match s {
                // When the editor is stopped so are we, or the shell would never come back.
                SIGTSTP if lent => {
                    let _ = emulate_default_handler(SIGTSTP);
                    true
                }
                SIGCONT | SIGINT | SIGQUIT if lent => true,
                SIGTSTP | SIGCONT => to(s),
                SIGINT if !std::mem::replace(&mut asked, true) => to(s),
                _ => end(s),
            };
            if !handed_on {
                break;
            }
        }
    })?;
    Ok(handle)
}

/// Gives the terminal back and ends as the signal ends a program.
fn end(signal: i32) -> bool {
    out::give_back();
    let _ = emulate_default_handler(signal);
    false
}

/// Somebody else's SIGSEGV ends the program as the other signals do. One of our own (a stack that overflows) cannot be
/// held, and is for the guardian.
#[cfg(unix)]
fn hold_segv() -> io::Result<()> {
    use nix::sys::signal::{SigSet, Signal};
    let mut set = SigSet::empty();
    set.add(Signal::SIGSEGV);
    set.thread_block()?;
    thread::Builder::new().name("segv".into()).spawn(move || {
        if set.wait().is_ok() {
            end(Signal::SIGSEGV as i32);
        }
    })?;
    Ok(())
}

#[cfg(not(unix))]
fn hold_segv() -> io::Result<()> {
    Ok(())
}
