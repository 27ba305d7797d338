//! Instants on the command line: `812ms`, `1.5s`, counted from the trace's start.

use super::Usage;
use crate::base::{Duration, Time};
use clap::Args;

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
    pub fn of(&self, start: Time) -> Result<(Time, Time), Usage> {
        window(start, self.from, self.to)
    }
}

/// A length of time: a number and its unit (`ns`, `us`, `µs`, `ms`, `s`, `m`).
pub fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = match unit {
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" | "min" => 60e9,
        "" => return Err(format!("{text} has no unit: write {text}ms or {text}s")),
        other => return Err(format!("{other} is no unit of time: use ns, us, ms or s")),
    };
    let n: f64 = number.parse().map_err(|_| format!("{text} is no length of time: write 812ms or 1.5s"))?;
    Ok(Duration((n * unit).round() as i64))
}

/// The window `from..to` on the trace's clock, from offsets.
pub fn window(start: Time, from: Option<Duration>, to: Option<Duration>) -> Result<(Time, Time), Usage> {
    let at = |d: Option<Duration>, default| d.map_or(default, |d| start + d);
    let (from, to) = (at(from, Time::MIN), at(to, Time::MAX));
    if from >= to {
        return Err(Usage("--from is not before --to".into()));
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_units() {
        assert_eq!(duration("812.031ms"), Ok(Duration(812_031_000)));
        assert_eq!(duration("2s"), Ok(Duration(2_000_000_000)));
        assert_eq!(duration("7ns"), Ok(Duration(7)));
        for wrong in ["", "12", "x", "1.2.3s", "5h", "-3ms"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
