//! What a goroutine waits for, read off its stack with the rules of `assets/reasons.toml`.

mod kind;

pub use kind::WaitKind;

use super::Dict;
use super::Waker;
use super::ownership::{is_cgo, is_library, is_runtime};
use crate::base::text::fits;
use crate::base::{GoIdx, StackId, StringId};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use std::sync::{LazyLock, Mutex, PoisonError};

/// What kind of thing is waited for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A mutex, whichever.
    Lock,
    /// A channel's receiver.
    Send,
    /// A channel's sender.
    Receive,
    /// Several channels.
    Select,
    /// A group of goroutines to be done.
    Group,
    /// A condition variable.
    Cond,
    /// Another's initialisation.
    Once,
    /// A semaphore.
    Semaphore,
    /// The network.
    Network,
    /// A clock.
    Sleep,
    /// The collector.
    Collector,
    /// The operating system.
    Syscall,
    /// A P.
    Sched,
    /// Something else.
    #[default]
    Other,
}

/// A reason in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// `Mutex`, `HTTP read`, `chan receive` …: ours, or the runtime's own word.
    pub name: String,
    /// What kind of thing is waited for.
    pub class: Class,
    /// Whether it is a clock, or a connection to come: nothing that holds work up.
    pub idle: bool,
}

impl Reason {
    /// Whether the trace says anything of it.
    pub fn is_recorded(&self) -> bool {
        self.name != NOT_RECORDED
    }

    /// The same for several waits: if all of them were going on when the trace began, as far as `count` and how many were
    /// `open` at either end tell.
    pub fn of_waits(self, (count, open): (u64, u64), longest_began_inside: bool) -> Reason {
        if open < count || longest_began_inside { self } else { self.from_before() }
    }

    /// The same for a wait that was going on when the trace began: where nothing else is known of it, that is.
    pub fn from_before(self) -> Reason {
        if self.name == NOT_RECORDED { Reason { name: "blocked since before the trace".into(), ..self } } else { self }
    }
}

/// A reason: a row of [`Reasons`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReasonId(pub u16);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    wakers: FxHashMap<String, WakerName>,
    ending: Vec<Ending>,
    rule: Vec<Rule>,
    via: Vec<Via>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
enum WakerName {
    Network,
    Timer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    reason: Option<String>,
    #[serde(default)]
    func: Vec<String>,
    waker: Option<WakerName>,
    ended: Option<How>,
    name: String,
    class: Class,
    #[serde(default)]
    idle: bool,
}

/// How a goroutine ended a wait.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It cancelled a context.
    Cancel,
    /// It closed a channel.
    Close,
    /// It sent.
    Send,
    /// It received.
    Receive,
    /// It released a lock.
    Release,
    /// It was the last reader to release a lock.
    ReadRelease,
}

impl How {
    /// Whether it closed a channel, be it that of a context.
    pub fn closes(self) -> bool {
        matches!(self, How::Cancel | How::Close)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ending {
    name: How,
    func: Vec<String>,
}

/// What is known of who ended a wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    By(WakerName),
    How(How),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Via {
    #[serde(default)]
    func: Vec<String>,
    name: String,
}

/// The rules.
pub struct Table(File);

/// The built-in rules.
pub static TABLE: LazyLock<Table> = LazyLock::new(|| {
    // A test holds that the built-in file is a good one.
    Table(toml::from_str(include_str!("../../../assets/reasons.toml")).expect("assets/reasons.toml is well formed"))
});

impl Table {
    /// Whether waits for this reason of the runtime's, or for one that is not known, may be for a lock, a channel or the
    /// like.
    pub fn may_queue(&self, reason: &str) -> bool {
        let queue = |r: &&Rule| {
            use Class::{Cond, Group, Lock, Once, Receive, Select, Semaphore, Send};
            matches!(r.class, Lock | Send | Receive | Select | Cond | Group | Once | Semaphore)
        };
        let fits = |r: &Rule| r.reason.as_deref().is_none_or(|want| want == reason);
        reason.is_empty() || self.0.rule.iter().filter(queue).any(fits)
    }

    /// Who ends waits of this reason when no goroutine does.
    pub fn waker(&self, reason: &str) -> Waker {
        match self.0.wakers.get(reason) {
            Some(WakerName::Network) => Waker::Network,
            Some(WakerName::Timer) => Waker::Timer,
            None => Waker::Runtime,
        }
    }

    /// The functions between the leaf of a stack and the user's code; for what cgo makes, that which it calls.
    fn above_user(dict: &Dict, stack: StackId) -> Vec<&str> {
        let names = dict.stack(stack).map(|f| dict.func_name(f.func)).take_while(|name| is_library(name));
        names.map(|name| if is_cgo(name) { CGO_CALL } else { name }).collect()
    }

    /// How a goroutine that did so in `stack` ended a wait.
    fn how(&self, dict: &Dict, stack: StackId) -> Option<How> {
        // Where the leaf has no name, nothing is known of it.
        dict.stack(stack).next().filter(|leaf| !dict.func_name(leaf.func).is_empty())?;
        let funcs = Table::above_user(dict, stack);
        let is = |e: &&Ending| e.func.iter().any(|p| funcs.iter().any(|name| fits(p, name)));
        let named = self.0.ending.iter().find(is).map(|e| e.name);
        // Of a close the runtime leaves its own frames out: only there does the stack begin with who called it.
        named.or_else(|| funcs.first().is_none_or(|leaf| !is_runtime(leaf)).then_some(How::Close))
    }

    fn refine(&self, dict: &Dict, reason: &str, stack: StackId, ended: Option<Ended>) -> Reason {
        let funcs = Table::above_user(dict, stack);
        let any = |patterns: &[String]| {
            patterns.is_empty() || patterns.iter().any(|p| funcs.iter().any(|name| fits(p, name)))
        };
        let rule = self.0.rule.iter().find(|r| {
            // A wait that began before the trace has no reason; its stack may still tell.
            let told = match r.reason.as_deref() {
                None => !reason.is_empty(),
                // Who ended it tells less than a stack does.
                Some("") if r.ended.is_some() => reason.is_empty() && !stack.is_some(),
                Some(want) => want == reason || reason.is_empty() && !r.func.is_empty() && r.class != Class::Syscall,
            };
            let by = r.waker.map(Ended::By).or(r.ended.map(Ended::How));
            told && (by.is_none() || by == ended) && any(&r.func)
        });
        match rule {
            Some(r) if r.class == Class::Network => {
                let via = self.0.via.iter().find(|v| any(&v.func)).map_or("network", |v| v.name.as_str());
                Reason { name: format!("{via} {}", r.name), class: r.class, idle: r.idle }
            }
            Some(r) => Reason { name: r.name.clone(), class: r.class, idle: r.idle },
            None if reason.is_empty() => Reason { name: unsaid(dict, stack), class: Class::Other, idle: false },
            None => Reason {
                name: reason.to_owned(),
                class: if reason == "network" { Class::Network } else { Class::Other },
                idle: false,
            },
        }
    }
}

/// What waits are called in more words than the runtime has for them: a "sync" in `sync.(*Mutex).Lock` a "Mutex". These
/// are the names by how waits begin; who ends them tells more ([`Reasons::refine_ended`]), but later.
pub trait WaitNames {
    /// The waits of which such a name satisfies `test`: some of `reasons`, the runtime's words, none of them twice, with
    /// the stacks in which waits for these have one. There are few such sets, however many reasons.
    fn waits(&self, dict: &Dict, reasons: &[StringId], test: &dyn Fn(&str) -> bool) -> Vec<(Vec<StringId>, Vec<bool>)>;

    /// The stacks of syscalls of which the name satisfies `test`.
    fn syscalls(&self, dict: &Dict, test: &dyn Fn(&str) -> bool) -> Vec<bool>;
}

impl WaitNames for Table {
    fn waits(&self, dict: &Dict, reasons: &[StringId], test: &dyn Fn(&str) -> bool) -> Vec<(Vec<StringId>, Vec<bool>)> {
        let known: FxHashSet<&str> = self.0.rule.iter().filter_map(|r| r.reason.as_deref()).collect();
        // Words that no rule names all fit the same rules.
        let (named, others): (Vec<_>, Vec<_>) = reasons.iter().partition(|r| known.contains(dict.str(**r)));
        let alike = named.into_iter().map(|r| vec![r]).chain(Some(others).filter(|o| !o.is_empty()));
        let found = alike.map(|words| (self.stacks(dict, dict.str(words[0]), test), words));
        found.filter(|(stacks, _)| stacks.contains(&true)).map(|(stacks, words)| (words, stacks)).collect()
    }

    fn syscalls(&self, dict: &Dict, test: &dyn Fn(&str) -> bool) -> Vec<bool> {
        self.stacks(dict, SYSCALL, test)
    }
}

impl Table {
    /// The stacks in which what the runtime gives this reason has a name that satisfies `test`. Empty stands for none.
    fn stacks(&self, dict: &Dict, reason: &str, test: &dyn Fn(&str) -> bool) -> Vec<bool> {
        let fits_name = |r: &&Rule| match r.class {
            Class::Network => self.0.via.iter().any(|v| test(&format!("{} {}", v.name, r.name))),
            _ => test(&r.name),
        };
        let told = |r: &&Rule| r.waker.is_none() && r.ended.is_none();
        let of_reason = |r: &&Rule| r.reason.as_deref().is_none_or(|want| want == reason);
        let rules: Vec<&Rule> = self.0.rule.iter().filter(told).filter(of_reason).filter(fits_name).collect();
        if rules.is_empty() {
            return Vec::new();
        }
        // Few stacks have a function that such a rule names: only these are looked at as a whole.
        let names = |name: &str| {
            let by = |r: &&Rule| r.func.is_empty() || r.func.iter().any(|p| fits(p, name));
            rules.iter().any(by)
        };
        let mut stacks = dict.stacks_with(|d, f| names(d.func_name(f.func)));
        for (i, may) in stacks.iter_mut().enumerate().filter(|(_, may)| **may) {
            *may = test(&self.refine(dict, reason, StackId(i as u32), None).name);
        }
        stacks
    }
}

/// What a wait is for of which the trace does not say that: a wait that it began with, or the runtime's own.
fn unsaid(dict: &Dict, stack: StackId) -> String {
    let parks = |name: &&str| !["runtime.gopark", "runtime.goparkunlock", "runtime.mcall"].contains(name);
    match dict.stack(stack).map(|f| dict.func_name(f.func)).find(|name| !name.is_empty() && parks(name)) {
        Some(name) => format!("wake-up in {name}"),
        None => NOT_RECORDED.into(),
    }
}

/// The word for syscalls in the rules.
const SYSCALL: &str = "syscall";

/// The function of the runtime that calls C. It is not always in the stack.
const CGO_CALL: &str = "runtime.cgocall";

/// The runtime's word for a wait that can have no end.
pub const FOREVER: &str = "forever";

/// The word for switches between coroutines in the rules.
const COROUTINE: &str = "coroutine switch";

/// The name of a reason of which neither a word nor a stack is in the trace.
const NOT_RECORDED: &str = "not recorded";

fn by(waker: Waker) -> Option<Ended> {
    match waker {
        Waker::Network => Some(Ended::By(WakerName::Network)),
        Waker::Timer => Some(Ended::By(WakerName::Timer)),
        _ => None,
    }
}

/// The reasons of a trace, refined; each pair of reason and stack is looked at once.
#[derive(Default)]
pub struct Reasons(Mutex<Known>);

#[derive(Default)]
struct Known {
    rows: Vec<Reason>,
    ids: FxHashMap<String, ReasonId>,
    cache: FxHashMap<(StringId, StackId, u8), ReasonId>,
    wakers: FxHashMap<StringId, Waker>,
    polls: FxHashMap<StackId, bool>,
    hows: FxHashMap<StackId, Option<How>>,
}

impl Reasons {
    /// The refined reason of a wait that began with `reason` in `stack` and was ended by `waker`.
    pub fn refine(&self, dict: &Dict, reason: StringId, stack: StackId, waker: Waker) -> ReasonId {
        self.named(dict, (reason, dict.str(reason)), stack, by(waker))
    }

    /// The same with the stack in which a goroutine ended the wait: of a select that tells which case it was.
    pub fn refine_ended(
        &self,
        dict: &Dict,
        (reason, stack): (StringId, StackId),
        (waker, waker_stack): (Waker, StackId),
    ) -> ReasonId {
        let ended = match waker {
            Waker::Go(_) => self.how(dict, waker_stack).map(Ended::How),
            _ => by(waker),
        };
        self.named(dict, (reason, dict.str(reason)), stack, ended)
    }

    /// How a goroutine that did so in `stack` ended a wait; nothing if the stack is not known.
    pub fn how(&self, dict: &Dict, stack: StackId) -> Option<How> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known.hows.entry(stack).or_insert_with(|| TABLE.how(dict, stack))
    }

    /// The same for a syscall.
    pub fn syscall(&self, dict: &Dict, stack: StackId) -> ReasonId {
        self.named(dict, (StringId(u32::MAX - 1), SYSCALL), stack, None)
    }

    /// The same for the switch from a goroutine to an iterator that `iter.Pull` runs, or back.
    pub fn coroutine(&self, dict: &Dict) -> ReasonId {
        self.named(dict, (StringId(u32::MAX - 2), COROUTINE), StackId::NONE, None)
    }

    fn named(&self, dict: &Dict, (key, reason): (StringId, &str), stack: StackId, ended: Option<Ended>) -> ReasonId {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended_no = match ended {
            None => 0,
            Some(Ended::By(w)) => w as u8 + 1,
            Some(Ended::How(h)) => h as u8 + 3,
        };
        let key = (key, stack, ended_no);
        if let Some(&id) = known.cache.get(&key) {
            return id;
        }
        let r = TABLE.refine(dict, reason, stack, ended);
        let next = ReasonId(known.rows.len().min(usize::from(u16::MAX)) as u16);
        let id = *known.ids.entry(r.name.clone()).or_insert(next);
        if id == next && known.rows.len() < usize::from(u16::MAX) {
            known.rows.push(r);
        }
        known.cache.insert(key, id);
        id
    }

    /// Who ended a wait that began with `reason` in `waiter_stack`, given the goroutine that did and its stack.
    pub fn waker(&self, dict: &Dict, (reason, waiter_stack): (StringId, StackId), by: GoIdx, stack: StackId) -> Waker {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let default = match reason.some() {
            Some(_) => *known.wakers.entry(reason).or_insert_with(|| TABLE.waker(dict.str(reason))),
            None => match TABLE.refine(dict, "", waiter_stack, None).class {
                Class::Network => Waker::Network,
                Class::Sleep | Class::Receive | Class::Select => Waker::Timer,
                _ => Waker::Runtime,
            },
        };
        if !by.is_some() {
            return default;
        }
        // The poller may be run by any goroutine that is in the runtime; one that closes the file is another matter.
        if default == Waker::Network {
            let polls = *known
                .polls
                .entry(stack)
                .or_insert_with(|| dict.stack(stack).any(|f| dict.func_name(f.func).starts_with("internal/poll.")));
            if !polls {
                return Waker::Network;
            }
        }
        Waker::Go(by)
    }

    /// A reason's name and class.
    pub fn get(&self, id: ReasonId) -> Reason {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.rows.get(usize::from(id.0)).cloned().unwrap_or(Reason {
            name: "other".into(),
            class: Class::Other,
            idle: false,
        })
    }
}

#[cfg(test)]
mod tests;
