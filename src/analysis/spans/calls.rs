//! Calls of functions, told by the stacks of one goroutine's events.
//!
//! Events that have the function with the same frames above it are of one call, until an event with another stack. Where
//! calls follow each other without such an event, a rule may say that they are parted where the code went back. CPU samples say
//! that a call goes on, and do not part calls: they hit any line of a loop.

use super::rules::Split;
use super::stacks::{Calling, RuleNo};
use super::{Bounds, Edge};
use crate::base::{EventNo, FuncId, StackId, Time};
use crate::model::Dict;

/// Places of a call that are remembered: a call of more is not parted by the rest.
const MOST_PLACES: usize = 256;

/// A call that is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Called {
    /// By which rule.
    pub rule: RuleNo,
    /// What was called.
    pub func: FuncId,
    /// Its first event, and the last before it.
    pub begin: Edge,
    /// Whether there was an event before it.
    pub began: bool,
    /// Its last event, and the first behind it; nothing if it is still going on.
    pub end: Option<Edge>,
    /// Its last event.
    pub until: Time,
    /// That it is not one with its neighbour rests on a place that came again, and on nothing else.
    pub repeats: bool,
}

/// A call under way.
#[derive(Clone, Debug)]
struct Open {
    of: Calling,
    begin: Edge,
    began: bool,
    last: (Time, EventNo),
    /// The stack of its last event that is no CPU sample.
    stack: StackId,
    /// Nothing but CPU samples has told of it.
    sampled: bool,
    /// The places that it has been at.
    places: Vec<StackId>,
    repeats: bool,
    /// It has had the wait that it has once.
    waited: bool,
}

/// What an event is to the call that it is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Means {
    /// A CPU sample.
    Sample,
    /// The goroutine blocks.
    Block,
    /// Anything else.
    Else,
}

/// The calls of one goroutine.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    open: Vec<Open>,
    /// The last event, if there was one.
    last: Option<Time>,
    /// The last event with a stack was in these calls.
    inside: bool,
}

impl Calls {
    /// Whether none is under way.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// A goroutine whose last event was at `last`.
    pub fn after(last: Option<Time>) -> Calls {
        Calls { last, ..Calls::default() }
    }

    /// An event with a stack that has these calls. `split` says how a rule parts calls.
    pub fn says(
        &mut self,
        dict: &Dict,
        calls: &[Calling],
        (stack, t, no, means): (StackId, Time, EventNo, Means),
        split: impl Fn(RuleNo) -> Split,
        out: &mut dyn FnMut(Called),
    ) {
        let (last, sample) = (self.last, means == Means::Sample);
        let mut parted = None;
        self.open.retain(|o| {
            let same = calls.iter().find(|c| (c.rule, c.func, c.caller) == (o.of.rule, o.of.func, o.of.caller));
            let Some(c) = same else {
                out(o.over(Some((t, no))));
                return false;
            };
            let back = match means {
                Means::Sample => Back::No,
                Means::Block if c.once && o.waited => Back::Once,
                _ if o.sampled => Back::No,
                _ => back(dict, o, c, stack, split(c.rule)),
            };
            match back {
                Back::No => true,
                why => {
                    out(o.over(Some((t, no))));
                    parted = Some((c.rule, why));
                    false
                }
            }
        });
        for c in calls {
            if let Some(o) = self.open.iter_mut().find(|o| o.of.rule == c.rule) {
                o.last = (t, no);
                if sample {
                    continue;
                }
                (o.of, o.stack) = (*c, stack);
                o.goes_through(c, means);
                if std::mem::take(&mut o.sampled) {
                    o.places.clear();
                }
                if o.places.len() < MOST_PLACES && !o.places.contains(&c.place) {
                    o.places.push(c.place);
                }
                continue;
            }
            let repeats = parted.is_some_and(|(rule, why)| rule == c.rule && why == Back::Repeats);
            let mut o = Open {
                of: *c,
                begin: Edge { at: t, bounds: Bounds { earliest: last.unwrap_or(t), latest: t }, no },
                began: last.is_some(),
                last: (t, no),
                stack,
                sampled: sample,
                places: vec![c.place],
                repeats,
                waited: false,
            };
            if !sample {
                o.goes_through(c, means);
            }
            self.open.push(o);
        }
        (self.last, self.inside) = (Some(t), !calls.is_empty());
    }

    /// An event about the goroutine without a stack of it.
    pub fn goes_on(&mut self, t: Time, no: EventNo) {
        for o in self.open.iter_mut().filter(|_| self.inside) {
            o.last = (t, no);
        }
        self.last = Some(t);
    }

    /// The goroutine has ended, or nothing more is known of it if `ended` is not set.
    pub fn over(self, t: Time, no: EventNo, ended: bool, out: &mut dyn FnMut(Called)) {
        self.open.iter().for_each(|o| out(o.over(ended.then_some((t, no)))));
    }
}

impl Open {
    /// An event of it.
    fn goes_through(&mut self, c: &Calling, means: Means) {
        self.waited |= c.once && means == Means::Block;
    }

    fn over(&self, next: Option<(Time, EventNo)>) -> Called {
        let (at, no) = self.last;
        let end = next.map(|(t, _)| Edge { at, bounds: Bounds { earliest: at, latest: t }, no });
        Called {
            rule: self.of.rule,
            func: self.of.func,
            begin: self.begin,
            began: self.began,
            end,
            until: at,
            repeats: self.repeats,
        }
    }
}

/// Whether the code of a call went back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Back {
    No,
    /// To an earlier line.
    Line,
    /// To a wait that a call has once.
    Once,
    /// To a place where it was before: a loop inside the call looks the same.
    Repeats,
}

fn back(dict: &Dict, o: &Open, c: &Calling, stack: StackId, split: Split) -> Back {
    if split == Split::Never || c.ends || c.place == o.of.place {
        return Back::No;
    }
    let line = |f| dict.frame_of(f).line;
    if line(c.frame) < line(o.of.frame) {
        return Back::Line;
    }
    if o.places.first() == Some(&c.place) {
        return Back::Repeats;
    }
    if parts_at_lower_line(dict, o.stack, stack) {
        return Back::Repeats;
    }
    Back::No
}

/// Whether the first frame, from the root on, in which two stacks differ is of one function, and at a lower line in the
/// second.
fn parts_at_lower_line(dict: &Dict, a: StackId, b: StackId) -> bool {
    let frames = |s: StackId| {
        let mut all: Vec<_> = dict.stack(s).collect();
        all.reverse();
        all
    };
    let (a, b) = (frames(a), frames(b));
    let first = a.iter().zip(&b).find(|(x, y)| (x.func, x.line) != (y.func, y.line));
    first.is_some_and(|(x, y)| x.func == y.func && y.line < x.line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::spans::rules::Rules;
    use crate::analysis::spans::stacks::Stacks;
    use crate::base::FrameId;
    use crate::model::Frame;
    use crate::model::dict::Func;

    const CLIENT: &str = "net/http.(*Transport).RoundTrip";

    /// A stack by its functions and lines, root first.
    fn stack(dict: &mut Dict, frames: &[(&str, u32)]) -> StackId {
        let mut stack = StackId::NONE;
        for &(name, line) in frames {
            let (name, file) = (dict.string(name), dict.string("x.go"));
            let func = dict.func(Func { name, file });
            let frame: FrameId = dict.frame(Frame { func, line, pc: 0 });
            stack = dict.push_frame(stack, frame);
        }
        stack
    }

    #[test]
    fn a_cpu_sample_is_of_the_call_that_it_hits_and_parts_none() {
        let mut dict = Dict::default();
        let blocks = stack(&mut dict, &[("main.client", 57), (CLIENT, 17), ("runtime.selectgo", 327)]);
        let [early, late] = [12, 40].map(|line| {
            let frames = [("runtime.goexit", 1695), ("main.client", 57), (CLIENT, line), ("runtime.mallocgc", 1153)];
            stack(&mut dict, &frames)
        });
        let outside = stack(&mut dict, &[("main.client", 63), ("runtime.chanrecv1", 442)]);
        let mut stacks = Stacks::new(&dict, Rules::shipped());
        let (mut calls, mut out) = (Calls::after(Some(Time(1))), Vec::new());
        let events = [(late, true), (blocks, false), (early, true), (late, true), (blocks, false), (outside, false)];
        for (&(stack, sample), n) in events.iter().zip(2..) {
            let said = stacks.said(stack).map_or(&[][..], |s| &s.calls);
            let at = (stack, Time(n), n as EventNo, if sample { Means::Sample } else { Means::Else });
            calls.says(&dict, said, at, |_| Split::Back, &mut |c| out.push((c.begin.at, c.until)));
        }
        assert_eq!(out, [(Time(2), Time(6))]);
    }

    /// The calls of a client that blocks in these places, one after the other, by their first and last wait.
    fn calls_of(func: &str, waits: &[&[(&str, u32)]]) -> Vec<(i64, i64)> {
        let mut dict = Dict::default();
        let of = |inside: &&[(&str, u32)]| stack(&mut dict, &[&[("main.client", 57), (func, 33)][..], inside].concat());
        let stacks: Vec<StackId> = waits.iter().map(of).collect();
        let mut reader = Stacks::new(&dict, Rules::shipped());
        let (mut calls, mut out) = (Calls::after(Some(Time(0))), Vec::new());
        let mut take = |c: Called| out.push((c.begin.at.0, c.until.0));
        for (&stack, n) in stacks.iter().zip(1..) {
            let said = reader.said(stack).map_or(&[][..], |s| &s.calls);
            let at = (stack, Time(n), n as EventNo, Means::Block);
            calls.says(&dict, said, at, |_| Split::Back, &mut take);
        }
        calls.over(Time(99), 99, true, &mut take);
        out
    }

    #[test]
    fn a_call_waits_once_for_its_headers() {
        const INVOKE: &str = "google.golang.org/grpc.(*ClientConn).Invoke";
        const HEADER: &[(&str, u32)] = &[("google.golang.org/grpc/internal/transport.(*Stream).waitOnHeader", 321)];
        const DATA: &[(&str, u32)] =
            &[("google.golang.org/grpc/internal/transport.(*recvBufferReader).readClient", 189)];
        assert_eq!(calls_of(INVOKE, &[HEADER, HEADER, DATA, DATA, HEADER]), [(1, 1), (2, 4), (5, 5)]);
    }
}
