//! Signals. Those that end the program do so without the thread that draws, which may be stuck; the others are handed on.

#[cfg(not(unix))]
pub use other::{listen, stop};
#[cfg(unix)]
pub use unix::{listen, stop};

/// What a signal asks of the viewer.
#[derive(Clone, Copy)]
#[cfg_attr(not(unix), allow(dead_code))]
pub enum Asked {
    /// To end.
    End,
    /// To stop, as the shell's job.
    Stop,
    /// To take the terminal back: the shell has continued it.
    GoOn,
}

#[cfg(unix)]
mod unix {
    use super::super::out;
    use super::Asked;
    use nix::sys::signal::{SigSet, Signal};
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
    pub fn listen(lent: Arc<AtomicBool>, to: impl Fn(Asked) -> bool + Send + 'static) -> io::Result<Handle> {
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
                        let _ = stop();
                        true
                    }
                    SIGCONT | SIGINT | SIGQUIT if lent => true,
                    SIGTSTP => to(Asked::Stop),
                    SIGCONT => to(Asked::GoOn),
                    SIGINT if !std::mem::replace(&mut asked, true) => to(Asked::End),
                    _ => end(s),
                };
                if !handed_on {
                    break;
                }
            }
        })?;
        Ok(handle)
    }

    /// Stops the program as the shell's job, and returns when it goes on: true, since there is job control.
    ///
    /// # Errors
    ///
    /// The signal's own effect cannot be had.
    pub fn stop() -> io::Result<bool> {
        emulate_default_handler(SIGTSTP).map(|()| true)
    }

    /// Gives the terminal back and ends as the signal ends a program.
    fn end(signal: i32) -> bool {
        out::give_back();
        let _ = emulate_default_handler(signal);
        false
    }

    /// Somebody else's SIGSEGV ends the program as the other signals do. One of our own (a stack that overflows) cannot be
    /// held, and is for the guardian.
    fn hold_segv() -> io::Result<()> {
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
}

/// Where there is no job control. Ctrl-C is a key there while the viewer has the terminal, and reaches it as one.
#[cfg(not(unix))]
mod other {
    use super::Asked;
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    pub struct Handle;

    impl Handle {
        pub fn close(&self) {}
    }

    pub fn listen(_lent: Arc<AtomicBool>, _to: impl Fn(Asked) -> bool + Send + 'static) -> io::Result<Handle> {
        Ok(Handle)
    }

    /// Does nothing, and says so.
    pub fn stop() -> io::Result<bool> {
        Ok(false)
    }
}
