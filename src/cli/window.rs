//! Instants on the command line: `812ms`, `1.5s`, counted from the trace's start.

use super::{Result, Usage};
use crate::base::duration::DurationError;
use crate::base::{Duration, Time};
use clap::Args;
use std::fmt;

/// The window that a command looks at.
#[derive(Args)]
pub struct WindowArgs {
    /// Only what lies after this instant, counted from the trace's start: 812.031ms
    #[arg(long, value_name = "T", value_parser = duration)]
    from: Option<Duration>,
    /// Only what lies before this instant
    #[arg(long, value_name = "T", value_parser = duration)]
    to: Option<Duration>,
}

impl WindowArgs {
    /// The window on the clock of a trace that starts at `start`.
    pub fn of(&self, start: Time) -> Result<(Time, Time)> {
        window(start, self.from, self.to)
    }
}

/// A length of time; what is wrong with one is said with a mark under the place.
pub fn duration(text: &str) -> std::result::Result<Duration, Marked> {
    text.parse().map_err(|error| Marked { text: text.into(), error })
}

/// A mistake in an argument, and the argument.
#[derive(Debug)]
pub struct Marked {
    text: String,
    error: DurationError,
}

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        let Marked { text, error } = self;
        if !text.is_empty() && (error.span.start, error.span.end) != (0, text.len()) {
            write!(f, "\n{}", super::failure::indented(&error.span.mark(text)))?;
        }
        Ok(())
    }
}

impl std::error::Error for Marked {}

/// The window `from..to` on the trace's clock, from offsets.
pub fn window(start: Time, from: Option<Duration>, to: Option<Duration>) -> Result<(Time, Time)> {
    let at = |d: Option<Duration>, default| d.map_or(default, |d| start + d);
    let (from, to) = (at(from, Time::MIN), at(to, Time::MAX));
    if from >= to {
        return Err(Usage::EmptyWindow.into());
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_under_the_fault() {
        assert_eq!(duration("1h2min").unwrap(), Duration(3_720_000_000_000));
        let wrong = |text| duration(text).unwrap_err().to_string();
        assert_eq!(wrong("1s5x"), "`x` is not a unit of time (ns, us, ms, s, m, h)\n    1s5x\n       ^",);
        assert!(!wrong("12").contains('\n'), "a mark under all of it says nothing");
        assert!(!wrong("").contains('\n'));
    }
}
