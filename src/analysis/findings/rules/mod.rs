//! The rules, one file each.

mod assists;
mod calls;
mod cgo;
mod churn;
mod fresh_map;
mod gc_by_hand;
mod gc_pressure;
mod gomaxprocs;
mod gosched;
mod idle_p;
mod incomplete;
mod leak;
mod lock_convoy;
mod lock_holder;
mod long_run;
mod map_growth;
mod map_line;
mod maps;
mod pool;
mod queues;
mod requests;
mod retries;
mod rwmutex;
mod saturation;
mod single;
mod slow_receiver;
mod slow_sender;
mod slow_sync;
mod small_io;
mod spans;
mod starvation;
mod stuck_lock;
mod stw;
mod threads;
mod timers;
mod unbalanced;
mod wait_cycle;

use super::Rule;

/// Rules that need no name of a function, a reason or a label: they can tell also of a trace that was cut before its names.
pub const WITHOUT_NAMES: &[&str] = &[
    gc_pressure::RULE.name,
    assists::RULE.name,
    stw::RULE.name,
    saturation::RULE.name,
    idle_p::RULE.name,
    gomaxprocs::RULE.name,
    incomplete::RULE.name,
];

/// Tasks, regions and requests that are slow: what they wait for is the cause.
pub(super) const SLOW: &[&str] = &[spans::RULE.name, requests::RULE.name];
/// Senders wait for receivers.
pub(super) const RECEIVES: &str = slow_receiver::RULE.name;
/// All Ps are busy; goroutines wait while a P is idle; the world stands still; goroutines help with marking.
pub(super) const BUSY: &str = saturation::RULE.name;
pub(super) const WAKES_LATE: &str = idle_p::RULE.name;
pub(super) const STOPPED: &str = stw::RULE.name;
pub(super) const HELPS_MARKING: &[&str] = &[assists::RULE.name, gc_pressure::RULE.name];

/// All rules, in the order of the documentation.
pub const RULES: &[Rule] = &[
    map_line::RULE,
    map_growth::RULE,
    fresh_map::RULE,
    leak::RULE,
    pool::RULE,
    retries::RULE,
    slow_receiver::RULE,
    slow_sender::RULE,
    stuck_lock::RULE,
    starvation::RULE,
    rwmutex::RULE,
    lock_holder::RULE,
    lock_convoy::RULE,
    timers::RULE,
    churn::RULE,
    gosched::RULE,
    gc_pressure::RULE,
    assists::RULE,
    gc_by_hand::RULE,
    stw::RULE,
    saturation::RULE,
    idle_p::RULE,
    long_run::RULE,
    threads::RULE,
    slow_sync::RULE,
    small_io::RULE,
    cgo::RULE,
    gomaxprocs::RULE,
    single::RULE,
    unbalanced::RULE,
    wait_cycle::RULE,
    spans::RULE,
    requests::RULE,
    incomplete::RULE,
];
