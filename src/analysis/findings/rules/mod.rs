//! The rules, one file each.

mod churn;
mod gc_by_hand;
mod gc_pressure;
mod gomaxprocs;
mod gosched;
mod leak;
mod lock_convoy;
mod lock_holder;
mod pool;
mod queues;
mod rwmutex;
mod single;
mod slow_receiver;
mod slow_sender;
mod spans;
mod starvation;
mod stw;
mod timers;
mod unbalanced;
mod wait_cycle;

use super::thresholds::Levels;
use super::{Facts, Verdict};

/// A rule.
pub struct Rule {
    /// Its name in thresholds, in JSON and for hiding it.
    pub name: &'static str,
    /// What it finds, in a few words.
    pub title: &'static str,
    /// What it measures, with the unit of its thresholds.
    pub measures: &'static str,
    /// Looks at a trace.
    pub look: fn(&Facts, &Levels) -> Verdict,
}

/// All rules, in the order of the documentation.
pub const RULES: &[Rule] = &[
    leak::RULE,
    pool::RULE,
    slow_receiver::RULE,
    slow_sender::RULE,
    starvation::RULE,
    rwmutex::RULE,
    lock_holder::RULE,
    lock_convoy::RULE,
    timers::RULE,
    churn::RULE,
    gosched::RULE,
    gc_pressure::RULE,
    gc_by_hand::RULE,
    stw::RULE,
    gomaxprocs::RULE,
    single::RULE,
    unbalanced::RULE,
    wait_cycle::RULE,
    spans::RULE,
];
