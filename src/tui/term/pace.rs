//! How often to draw: at once where the line is fast, seldom where it is not.
//!
//! A slow line is one that makes writes wait. Drawing on as if it were fast would put frames on it that are out of date
//! when they come out at the other end, and every key's answer would stand behind them.

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Shortest time between two frames: no terminal shows more than 60 a second.
pub const FRAME: Duration = Duration::from_millis(16);
/// Longest time between two frames that are wanted, however slow the line is.
const LONGEST: Duration = Duration::from_secs(1);

/// The time for which writes have waited since it was last taken; shared between a [`Timed`] and whoever asks.
#[derive(Clone, Default)]
pub struct Waited(Rc<Cell<Duration>>);

impl Waited {
    /// The time since the last call.
    pub fn take(&self) -> Duration {
        self.0.take()
    }
}

/// A writer that notes for how long its writes take.
pub struct Timed<W> {
    inner: W,
    waited: Waited,
}

impl<W> Timed<W> {
    /// A writer to `inner` that adds to `waited`.
    pub fn new(inner: W, waited: Waited) -> Self {
        Timed { inner, waited }
    }

    fn time<T>(&mut self, f: impl FnOnce(&mut W) -> T) -> T {
        let start = Instant::now();
        let out = f(&mut self.inner);
        self.waited.0.set(self.waited.0.get() + start.elapsed());
        out
    }
}

impl<W: Write> Write for Timed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.time(|w| w.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.time(W::flush)
    }
}

/// The time to leave between the end of a frame and the next one, for which input is gathered, when the frame's writes
/// have waited for `waited`. As long as the frame itself took on the line, so that the line is free half of the time;
/// none where writing took less than a frame's time.
pub fn rest(waited: Duration) -> Duration {
    if waited < FRAME { Duration::ZERO } else { waited.min(LONGEST) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_line_is_drawn_on_at_once_and_a_slow_one_as_often_as_it_bears() {
        let ms = Duration::from_millis;
        assert_eq!(rest(ms(0)), ms(0));
        assert_eq!(rest(ms(15)), ms(0));
        assert_eq!(rest(ms(80)), ms(80));
        assert_eq!(rest(ms(60_000)), ms(1000));
    }

    #[test]
    fn the_time_of_writes_is_counted_once() {
        /// Takes as long as the clock takes to go on.
        struct Slow(Vec<u8>);
        impl Write for Slow {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let start = Instant::now();
                while start.elapsed() < Duration::from_micros(1) {}
                self.0.write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let waited = Waited::default();
        let mut w = Timed::new(Slow(Vec::new()), waited.clone());
        w.write_all(b"frame").unwrap();
        w.flush().unwrap();
        assert_eq!(w.inner.0, b"frame");
        assert!(waited.take() >= Duration::from_micros(1));
        assert_eq!(waited.take(), Duration::ZERO);
    }
}
