//! The modes of the terminal: what they were at the very start, and giving them back, whatever ends the program.
//!
//! What the program itself can notice (its end, a panic, a signal that it handles) it gives the terminal back after. For
//! what it cannot (SIGKILL, SIGSEGV, an abort, a stack that overflows) a small process of the same program waits for its
//! end; it does nothing if it was told that the terminal has been given back.

#[cfg(not(unix))]
pub use other::{Guardian, guard, raw, restore, write_restore};
#[cfg(unix)]
pub use unix::{Guardian, guard, raw, restore, write_restore};

/// Ends what the viewer began: a frame that is not whole, colours, pastes and the mouse, the other screen, the hidden cursor.
pub const RESTORE: &[u8] =
    b"\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?1006l\x1b[?1015l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1049l\x1b[?25h";

/// The argument that makes the program wait for the end of another one, and give the terminal back.
pub const GUARD: &str = "--give-the-terminal-back";

#[cfg(unix)]
mod unix {
    use super::{GUARD, RESTORE};
    use rustix::termios::{self, OptionalActions, SpecialCodeIndex, Termios};
    use signal_hook::consts::{SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
    use std::fs::File;
    use std::io::{self, BufRead, Write};
    use std::process::{Child, Command, Stdio};
    use std::str::{FromStr, SplitWhitespace};
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, OnceLock};

    /// The terminal, and its modes before anything was changed.
    fn start() -> &'static Option<(File, Termios)> {
        static START: OnceLock<Option<(File, Termios)>> = OnceLock::new();
        START.get_or_init(|| {
            let tty = File::options().read(true).write(true).open("/dev/tty").ok()?;
            let modes = termios::tcgetattr(&tty).ok()?;
            Some((tty, modes))
        })
    }

    /// Sets the modes that were there at the start. The first call notes them.
    pub fn restore() {
        if let Some((tty, modes)) = start() {
            let _ = termios::tcsetattr(tty, OptionalActions::Now, modes);
        }
    }

    /// Writes [`RESTORE`], past what is buffered. Does what it can: the terminal may be gone.
    pub fn write_restore() {
        if let Some((tty, _)) = start() {
            let _ = (&mut &*tty).write_all(RESTORE);
        }
    }

    /// Sets the modes in which keys come as they are pressed, whatever another program left behind.
    ///
    /// # Errors
    ///
    /// The terminal has gone.
    pub fn raw() -> io::Result<()> {
        // crossterm does nothing if it believes that they are set.
        let _ = crossterm::terminal::disable_raw_mode();
        restore();
        crossterm::terminal::enable_raw_mode()
    }

    /// The modes that [`raw`] changes, as one line.
    fn line(modes: &Termios) -> String {
        let codes = [SpecialCodeIndex::VMIN, SpecialCodeIndex::VTIME].map(|i| modes.special_codes[i]);
        format!(
            "{} {} {} {} {} {}",
            modes.input_modes.bits(),
            modes.output_modes.bits(),
            modes.control_modes.bits(),
            modes.local_modes.bits(),
            codes[0],
            codes[1]
        )
    }

    /// Sets what a [`line`] says. How wide the numbers are differs from system to system.
    fn set(modes: &mut Termios, line: &str) -> Option<()> {
        fn next<T: FromStr>(numbers: &mut SplitWhitespace) -> Option<T> {
            numbers.next()?.parse().ok()
        }
        let numbers = &mut line.split_whitespace();
        modes.input_modes = termios::InputModes::from_bits_retain(next(numbers)?);
        modes.output_modes = termios::OutputModes::from_bits_retain(next(numbers)?);
        modes.control_modes = termios::ControlModes::from_bits_retain(next(numbers)?);
        modes.local_modes = termios::LocalModes::from_bits_retain(next(numbers)?);
        modes.special_codes[SpecialCodeIndex::VMIN] = next(numbers)?;
        modes.special_codes[SpecialCodeIndex::VTIME] = next(numbers)?;
        numbers.next().is_none().then_some(())
    }

    /// The process that waits for the end of this one.
    pub struct Guardian(Child);

    impl Guardian {
        /// Starts it; nothing if that cannot be done, which is no reason not to go on.
        pub fn start() -> Option<Guardian> {
            let (_, modes) = start().as_ref()?;
            let mut child = Command::new(std::env::current_exe().ok()?)
                .arg(GUARD)
                .stdin(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .ok()?;
            writeln!(child.stdin.as_mut()?, "{}", line(modes)).ok()?;
            Some(Guardian(child))
        }

        /// The terminal has been given back: there is nothing more to do.
        pub fn dismiss(mut self) {
            if let Some(mut pipe) = self.0.stdin.take() {
                let _ = writeln!(pipe, "done");
            }
        }
    }

    /// What the guardian does: waits until the other end of standard input is closed.
    pub fn guard() {
        // Keys that are meant for the others of the process group do not end it.
        let ignored = Arc::new(AtomicBool::new(false));
        for s in [SIGINT, SIGQUIT, SIGTERM, SIGTSTP] {
            let _ = signal_hook::flag::register(s, ignored.clone());
        }
        let mut said = io::stdin().lock().lines().map_while(Result::ok);
        let Some(line) = said.next() else { return };
        if said.any(|l| l == "done") {
            return;
        }
        // Once the shell has taken the terminal back its modes are the shell's.
        if let Some((tty, modes)) = start()
            && !modes.local_modes.intersects(termios::LocalModes::ICANON | termios::LocalModes::ECHO)
        {
            let mut modes = modes.clone();
            if set(&mut modes, &line).is_some() {
                let _ = termios::tcsetattr(tty, OptionalActions::Now, &modes);
            }
        }
        write_restore();
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn modes_survive_the_way_through_a_line() {
            let pair = portable_pty::native_pty_system().openpty(portable_pty::PtySize::default()).unwrap();
            let tty = File::options().read(true).write(true).open(pair.master.tty_name().unwrap()).unwrap();
            let before = termios::tcgetattr(&tty).unwrap();
            let mut raw = before.clone();
            raw.make_raw();
            assert_ne!(line(&raw), line(&before));
            set(&mut raw, &line(&before)).unwrap();
            assert_eq!(line(&raw), line(&before));
            for wrong in ["", "1 2 3", "1 2 3 4 5 999", "a b c d e f"] {
                assert!(set(&mut raw, wrong).is_none(), "{wrong}");
            }
        }
    }
}

/// Where there are no such modes, crossterm knows what to do.
#[cfg(not(unix))]
mod other {
    pub struct Guardian;

    impl Guardian {
        pub fn start() -> Option<Guardian> {
            None
        }

        pub fn dismiss(self) {}
    }

    pub fn guard() {}

    pub fn restore() {
        let _ = crossterm::terminal::disable_raw_mode();
    }

    pub fn write_restore() {
        use std::io::Write;
        let mut out = std::io::stdout();
        let _ = out.write_all(super::RESTORE).and_then(|()| out.flush());
    }

    pub fn raw() -> std::io::Result<()> {
        crossterm::terminal::enable_raw_mode()
    }
}
