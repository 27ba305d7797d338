//! The line with which `perf script` begins an event, read here and nowhere else.
//!
//! `comm [pid/]tid [cpu] sec.usec: [period] event: …`, as `perf_sample__fprintf_start` and `process_event` of Linux's
//! `tools/perf/builtin-script.c` print it: the name of the thread may hold spaces, colons and slashes and is padded to 16
//! columns where no call chain follows; the time has six decimals, nine with `--ns`; the CPU is there with `-a` or `-C`; a
//! period stands at samples, not at tracepoints; what follows the event is a tracepoint's fields or a frame.

use regex::Regex;
use std::sync::LazyLock;

/// An event's line, taken apart. Nothing of it is escaped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PerfLine<'a> {
    /// The name of the thread.
    pub comm: &'a str,
    /// The process, if it is told.
    pub pid: Option<i64>,
    /// The thread.
    pub tid: i64,
    /// The CPU, if it is told.
    pub cpu: Option<u32>,
    /// Nanoseconds on the recording's clock, if they are told.
    pub time: Option<u64>,
    /// How much of the event the sample stands for: nanoseconds of a clock, else a count.
    pub period: Option<u64>,
    /// The event, `sched:sched_switch` or `cpu-clock/freq=499/`; empty if it is not told.
    pub event: &'a str,
    /// What follows it.
    pub rest: &'a str,
}

/// With what the header of `perf script --header` begins.
const HEADER: &[u8] = b"# ========\n# captured on";

/// Takes an event's line apart; `None` if it is none.
pub fn perf_line(line: &str) -> Option<PerfLine<'_>> {
    static TIMED: LazyLock<Regex> = LazyLock::new(|| {
        let flags = r"[.\-A-Za-z0-9]{3,7}";
        Regex::new(&format!(
            r"^\s*(\S(?:.*?\S)?)\s+(?:(-?\d+)/\s*)?(-?\d+)\s+(?:\[(\d+)\]\s+)?(?:{flags}\s+)?(\d+)\.(\d{{9}}|\d{{6}}):(?:\s+(.*))?$"
        ))
        .expect("a valid expression")
    });
    static BARE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"^\s*(\S(?:.*?\S)?)\s+(?:(-?\d+)/\s*)?(-?\d+)\s+(?:\[(\d+)\]\s+)?((?:\d+\s+)?[a-z][\w\-]*(?:[:/][\w\-:/=,.]*)?:)\s*$",
        )
        .expect("a valid expression")
    });
    let line = line.trim_end();
    // Most lines are of frames; they have no such end of a number.
    if !line.contains(':') {
        return None;
    }
    let timed = TIMED.captures(line);
    let c = timed.as_ref().map_or_else(|| BARE.captures(line), |_| None);
    let c = timed.as_ref().or(c.as_ref())?;
    let text = |i: usize| c.get(i).map(|m| m.as_str());
    let is_timed = timed.is_some();
    let time = if is_timed {
        let (sec, fraction) = (text(5)?.parse::<u64>().ok()?, text(6)?);
        let nanos = fraction.parse::<u64>().ok()? * if fraction.len() == 6 { 1000 } else { 1 };
        Some(sec.checked_mul(1_000_000_000)?.checked_add(nanos)?)
    } else {
        None
    };
    let rest = line[c.get(if is_timed { 7 } else { 5 }).map_or(line.len(), |m| m.start())..].trim_start();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (period, rest) = match rest[..digits].parse().ok().filter(|_| rest[digits..].starts_with(' ')) {
        Some(period) => (Some(period), rest[digits..].trim_start()),
        None => (None, rest),
    };
    let ends = |(at, _): &(usize, &str)| matches!(rest.as_bytes().get(at + 1), None | Some(b' ' | b'\t'));
    let (event, rest) = match rest.match_indices(':').find(ends) {
        Some((at, _)) if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '{') => {
            (&rest[..at], rest[at + 1..].trim_start())
        }
        _ => ("", rest),
    };
    Some(PerfLine {
        comm: text(1)?,
        pid: text(2).and_then(|n| n.parse().ok()),
        tid: text(3)?.parse().ok()?,
        cpu: text(4).and_then(|n| n.parse().ok()),
        time,
        period,
        event,
        rest,
    })
}

/// Whether a text is what `perf script` prints: it has perf's header, or one of its first lines is an event's.
pub(super) fn is_perf_script(text: &[u8]) -> bool {
    /// Lines that are looked at: an event's frames may stand first where the beginning was cut off.
    const LINES: usize = 40;
    let head = String::from_utf8_lossy(&text[..text.len().min(super::ENOUGH)]);
    let lines = head.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')).take(LINES);
    let mut lines = lines.map(perf_line).peekable();
    // perf's warnings stand first where both its outputs went into one file.
    let sampled = |l: &PerfLine| l.period.is_some() && !l.event.is_empty();
    text.starts_with(HEADER)
        || lines.peek().is_some_and(|first| first.is_some_and(|l| !l.event.is_empty() || l.rest.is_empty()))
        || lines.filter(|l| l.is_some_and(|l| l.time.is_some() && (l.event.contains(':') || sampled(&l)))).count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> PerfLine<'_> {
        perf_line(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn every_variation_of_the_line_is_read() {
        let l = line(
            "            demo 30226 [000]  6939.105987715:            sched:sched_wakeup_new: comm=demo pid=30229",
        );
        assert_eq!((l.comm, l.pid, l.tid, l.cpu), ("demo", None, 30226, Some(0)));
        assert_eq!((l.time, l.period, l.event), (Some(6_939_105_987_715), None, "sched:sched_wakeup_new"));
        assert_eq!(l.rest, "comm=demo pid=30229");

        let l = line("demo 12699 [000]  5247.523057:    2004008          cpu-clock/freq=499/: ");
        assert_eq!((l.time, l.period), (Some(5_247_523_057_000), Some(2_004_008)));
        assert_eq!((l.event, l.rest), ("cpu-clock/freq=499/", ""));

        let l = line("kworker/0:2-events 11/12 5163.010499: sched:sched_switch: prev_comm=a: b prev_pid=1");
        assert_eq!((l.comm, l.pid, l.tid, l.cpu), ("kworker/0:2-events", Some(11), 12, None));
        assert_eq!(l.rest, "prev_comm=a: b prev_pid=1");

        let l = line("other cgu.1 7 9 30228 [012] 1.000001: cpu-clock/freq=499,call-graph=fp/:u: ");
        assert_eq!(
            (l.comm, l.tid, l.cpu, l.event),
            ("other cgu.1 7 9", 30228, Some(12), "cpu-clock/freq=499,call-graph=fp/:u")
        );

        let l = line("swapper     0 [001] 5.123456:          1 cycles:  ffffffff81 do_idle+0x1 ([kernel.kallsyms])");
        assert_eq!((l.tid, l.period, l.event), (0, Some(1), "cycles"));
        assert_eq!(l.rest, "ffffffff81 do_idle+0x1 ([kernel.kallsyms])");

        let l = line("a 1 5.123456: ");
        assert_eq!((l.event, l.rest, l.period), ("", "", None));
        let l = line("perf 1234 [000] d..2. 5.123456: sched:sched_waking: comm=x");
        assert_eq!((l.comm, l.tid, l.event), ("perf", 1234, "sched:sched_waking"));
        let l = line("demo 11    250000 cpu-clock:u: ");
        assert_eq!((l.time, l.period, l.event), (None, Some(250_000), "cpu-clock:u"));
    }

    #[test]
    fn what_is_no_event_is_none() {
        for text in [
            "",
            "\t           829a3 runtime.clone.abi0+0x83 (/srv/app/demo)",
            "# event : name = cpu-clock",
            "2026-01-02 03:04:05 served",
            "a;b;c 1",
            "goroutine 1 [running]:",
            "goroutine 7 [chan receive, 5 minutes]:",
            "a 1 99999999999999999999.000000: x:",
        ] {
            assert_eq!(perf_line(text), None, "{text}");
        }
    }
}
