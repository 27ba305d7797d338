//! The rules by which the streams of the Ps become one order.
//!
//! Each goroutine counts what other Ps do to it. An event that says which count it expects has to wait until the
//! goroutine has got there; of all events that need not wait, the earliest is next.
//!
//! Source: docs/format.md, section 9.2.

use super::spec::op;
use super::stream::Head;

/// What a goroutine is doing, as far as order goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Status {
    /// Not seen yet.
    #[default]
    Dead,
    /// Ready.
    Runnable,
    /// On a P.
    Running,
    /// Blocked, or in a syscall without a P.
    Waiting,
}

/// A goroutine's place in its own history.
#[derive(Clone, Copy, Debug, Default)]
pub struct Go {
    /// How often it was created, started or unblocked.
    pub seq: u64,
    /// What it is doing.
    pub status: Status,
}

/// The counter an event expects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expect {
    /// This one; it is one more afterwards.
    Seq(u64),
    /// Any; it is one more afterwards.
    Next,
    /// Any; it stays.
    Same,
}

/// Who has to be in which state for an event, and what comes of it.
#[derive(Clone, Copy, Debug)]
struct Rule {
    go: u32,
    expect: Expect,
    from: Status,
    to: Status,
}

/// The rule that an event is under, if it is under any. The collector's own counter is not here.
#[inline]
fn rule(h: &Head) -> Option<Rule> {
    use Status::*;
    let (go, expect, from, to) = match h.op {
        op::GO_CREATE => (h.target, Expect::Seq(0), Dead, Runnable),
        op::GO_WAITING | op::GO_IN_SYSCALL => (h.target, Expect::Seq(1), Runnable, Waiting),
        op::GO_START | op::GO_START_LABEL => (h.target, Expect::Seq(h.args[1]), Runnable, Running),
        op::GO_START_LOCAL => (h.target, Expect::Next, Runnable, Running),
        op::GO_BLOCK
        | op::GO_BLOCK_SEND
        | op::GO_BLOCK_RECV
        | op::GO_BLOCK_SELECT
        | op::GO_BLOCK_SYNC
        | op::GO_BLOCK_COND
        | op::GO_BLOCK_NET
        | op::GO_SLEEP
        | op::GO_SYS_BLOCK
        | op::GO_BLOCK_GC => (h.go, Expect::Same, Running, Waiting),
        op::GO_SCHED | op::GO_PREEMPT => (h.go, Expect::Same, Running, Runnable),
        op::GO_UNBLOCK | op::GO_SYS_EXIT => (h.target, Expect::Seq(h.args[1]), Waiting, Runnable),
        op::GO_UNBLOCK_LOCAL | op::GO_SYS_EXIT_LOCAL => (h.target, Expect::Next, Waiting, Runnable),
        _ => return None,
    };
    Some(Rule { go, expect, from, to })
}

/// Where every goroutine is.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// By position.
    pub gos: Vec<Go>,
    /// How many collections have begun.
    gc: u64,
}

impl Rules {
    /// Whether nothing that comes before the event is missing.
    pub fn ready(&self, h: &Head) -> bool {
        match rule(h) {
            None => h.op != op::GC_START || h.args[0] == self.gc,
            // An event of no goroutine waits for nobody.
            Some(r) => self.gos.get(r.go as usize).is_none_or(|g| r.met_by(g)),
        }
    }

    /// Takes the event as having happened, if nothing before it is missing or if it is forced; says whether it did.
    #[inline]
    pub fn apply(&mut self, h: &Head, forced: bool) -> bool {
        let Some(r) = rule(h) else {
            if h.op == op::GC_START {
                if h.args[0] != self.gc && !forced {
                    return false;
                }
                self.gc = h.args[0].wrapping_add(1);
            }
            return true;
        };
        let Some(g) = self.gos.get_mut(r.go as usize) else { return true };
        if !r.met_by(g) && !forced {
            return false;
        }
        g.status = r.to;
        g.seq = match r.expect {
            Expect::Seq(n) => n.wrapping_add(1),
            Expect::Next => g.seq.wrapping_add(1),
            Expect::Same => g.seq,
        };
        true
    }
}

impl Rule {
    #[inline]
    fn met_by(&self, g: &Go) -> bool {
        g.status == self.from
            && match self.expect {
                Expect::Seq(n) => n == g.seq,
                _ => true,
            }
    }
}
