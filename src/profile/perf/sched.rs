//! The fields of the scheduler's tracepoints, as Linux's `include/trace/events/sched.h` prints them, and as libtraceevent's
//! plugin does (`comm:pid [prio] S ==> comm:pid [prio]`).

use regex::Regex;
use std::sync::LazyLock;

/// What the scheduler did. Names are not escaped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sched<'a> {
    /// A thread left a CPU and another came onto it.
    Switch {
        /// Who left.
        prev: i64,
        /// Whether it would have gone on: it was preempted, or gave the CPU away.
        runnable: bool,
        /// Who came; 0 is nobody.
        next: i64,
        /// Its name.
        next_comm: &'a str,
    },
    /// A thread was made runnable.
    Wakeup {
        /// The thread.
        tid: i64,
    },
}

/// The scheduler's event, of an event's name and its fields; `None` if it is another, or has no such fields.
pub fn sched<'a>(event: &str, fields: &'a str) -> Option<Sched<'a>> {
    static SWITCH: LazyLock<Regex> = LazyLock::new(|| {
        rx(r"^prev_comm=.* prev_pid=(-?\d+) prev_prio=-?\d+ prev_state=(\S+) ==> next_comm=(.*) next_pid=(-?\d+)")
    });
    static SHORT: LazyLock<Regex> = LazyLock::new(|| rx(r"^.*:(-?\d+) \[-?\d+\] (\S+) ==> (.*):(-?\d+) \[-?\d+\]"));
    static WAKEUP: LazyLock<Regex> = LazyLock::new(|| rx(r"^comm=.* pid=(-?\d+) prio="));
    static SHORT_WAKEUP: LazyLock<Regex> = LazyLock::new(|| rx(r"^.*:(-?\d+) \[-?\d+\]"));
    match event.strip_prefix("sched:").unwrap_or(event) {
        "sched_switch" => {
            let c = SWITCH.captures(fields).or_else(|| SHORT.captures(fields))?;
            let text = |i: usize| c.get(i).map_or("", |m| m.as_str());
            Some(Sched::Switch {
                prev: text(1).parse().ok()?,
                // `R+` is one that was preempted in the kernel.
                runnable: text(2).starts_with('R'),
                next: text(4).parse().ok()?,
                next_comm: c.get(3).map_or("", |m| m.as_str()),
            })
        }
        "sched_wakeup" | "sched_wakeup_new" => {
            let c = WAKEUP.captures(fields).or_else(|| SHORT_WAKEUP.captures(fields))?;
            Some(Sched::Wakeup { tid: c[1].parse().ok()? })
        }
        _ => None,
    }
}

fn rx(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid expression")
}
