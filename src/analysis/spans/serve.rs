//! A goroutine that serves one request after the other, followed event by event.
//!
//! Waiting between two requests is not what tells them apart: a read that has data never blocks. Each syscall of the
//! connection's goroutine is in the trace with its stack, and so is the start of the background reader, once a request.

use super::stacks::{Handler, MOST_FRAMES, NO_HANDLER, RuleNo, Serving, Step};
use super::{Bounds, Edge, Served};
use crate::base::{EventNo, Time};

/// What happens to a goroutine that serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happens {
    /// It starts another goroutine.
    Creates,
    /// It blocks.
    Blocks,
    /// It enters a syscall.
    Calls,
    /// Somebody unblocks it.
    Unblocked,
    /// It starts to run.
    Starts,
    /// Anything else.
    Else,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Where {
    Unknown,
    Idle,
    Handler,
    After,
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
struct Request {
    arrived: Option<Time>,
    begin: Edge,
    /// Its beginning is in the trace.
    began: bool,
    /// The last event inside the handler.
    last: Time,
    end: Option<Edge>,
    /// End of the last write behind the handler.
    answered: Option<Time>,
    /// The background reader has been started.
    reader: bool,
    /// It has been stopped.
    stopped: bool,
    handler: Handler,
}

/// A goroutine that serves.
#[derive(Clone, Debug)]
pub struct Server {
    /// By which rule.
    pub rule: RuleNo,
    /// Whether each wait between requests ends with one.
    always: bool,
    at: Where,
    /// The last event, and its number.
    last: (Time, EventNo),
    /// The last event between requests, or while one was read.
    idle: (Time, EventNo),
    arrived: Option<Time>,
    /// Somebody unblocked it when that arrived.
    woken: bool,
    request: Option<Request>,
}

/// What is known of an event: when, its number, and what happens.
pub type Now = (Time, EventNo, Happens);

impl Server {
    /// One of which nothing is known before `start`; or which was `created` in the trace, and has served nothing yet. `always`
    /// says that each of its waits between requests ends with one.
    pub fn new((rule, always): (RuleNo, bool), start: Time, created: bool) -> Server {
        let none = (start, 0);
        let at = if created { Where::Idle } else { Where::Unknown };
        Server { rule, always, at, last: none, idle: none, arrived: None, woken: false, request: None }
    }

    /// An event with a stack of the goroutine, of `depth` frames; `said` is nothing if that does not tell. Hands on what ends.
    pub fn says(&mut self, said: Option<&Serving>, depth: usize, now: Now, out: &mut dyn FnMut(Served)) {
        let (t, no, happens) = now;
        let step = match said {
            Some(s) => s.step,
            // So deep, it can only be in the handler.
            None if depth >= MOST_FRAMES => Step::Handler,
            None => Step::Pass,
        };
        let (handler, stop) = said.map_or((NO_HANDLER, false), |s| (s.handler, s.stop));
        let reads = happens == Happens::Creates && said.is_some_and(|s| s.reader);
        match step {
            Step::Idle => self.idles(now, out),
            Step::Begin if reads => {
                self.close(t, no, out);
                let begin = Edge { at: t, bounds: Bounds { earliest: t, latest: t }, no };
                self.open(begin, true);
                self.mark_reader();
                self.at = Where::Handler;
            }
            Step::Handler => {
                self.handles(reads, handler, (t, no), out);
                self.at = Where::Handler;
            }
            Step::After => {
                self.leaves(reads, stop, (t, no), out);
                self.at = Where::After;
            }
            Step::Other if self.request.is_some() => {
                self.end((t, no));
                self.at = Where::After;
            }
            Step::Over => self.end((t, no)),
            Step::Begin | Step::Other | Step::Pass => {}
        }
        self.last = (t, no);
    }

    /// An event about the goroutine without a stack of it.
    pub fn goes_on(&mut self, now: Now) {
        let (t, no, happens) = now;
        match (self.at, &mut self.request) {
            (Where::Idle, _) => {
                self.idle = (t, no);
                if happens == Happens::Unblocked {
                    (self.arrived, self.woken) = (Some(t), true);
                }
                if happens == Happens::Starts && self.always && self.woken {
                    self.open(Edge { at: t, bounds: Bounds::exact(t), no }, true);
                    self.at = Where::Handler;
                }
            }
            (Where::Handler, Some(r)) => r.last = t,
            (Where::After, Some(r)) if r.answered.is_some() && !r.stopped => r.answered = Some(t),
            _ => {}
        }
        self.last = (t, no);
    }

    /// The goroutine has ended, or nothing more is known of it if `ended` is not set.
    pub fn over(mut self, t: Time, no: EventNo, ended: bool, out: &mut dyn FnMut(Served)) {
        // Who serves a request waits for the next one before it ends: it has been told to end.
        if ended && self.always && self.request.is_some_and(|r| r.last == r.begin.at) {
            return;
        }
        if ended {
            self.close(t, no, out);
        } else if let Some(r) = self.request.take() {
            out(self.served(&r, r.end, t));
        }
    }

    fn idles(&mut self, (t, no, happens): Now, out: &mut dyn FnMut(Served)) {
        self.close(t, no, out);
        self.at = Where::Idle;
        self.idle = (t, no);
        match happens {
            Happens::Blocks => (self.arrived, self.woken) = (None, false),
            Happens::Calls if !self.woken => self.arrived = Some(t),
            _ => {}
        }
    }

    /// A request begins.
    fn open(&mut self, begin: Edge, began: bool) {
        let (arrived, at) = (self.arrived.take(), begin.at);
        self.woken = false;
        self.request = Some(Request {
            arrived: arrived.filter(|a| *a <= at),
            begin,
            began,
            last: at,
            end: None,
            answered: None,
            reader: false,
            stopped: false,
            handler: NO_HANDLER,
        });
    }

    /// One of which the trace shows only that it is under way at `t`: it began behind what was last seen of the one before.
    fn open_before(&mut self, t: Time) {
        let ((at, no), began) = match self.at {
            Where::Unknown => (self.last, false),
            Where::Idle => (self.idle, true),
            Where::Handler | Where::After => (self.last, true),
        };
        self.open(Edge { at, bounds: Bounds { earliest: at, latest: t }, no }, began);
    }

    fn mark_reader(&mut self) {
        if let Some(r) = &mut self.request {
            r.reader = true;
        }
    }

    fn handles(&mut self, reads: bool, handler: Handler, (t, no): (Time, EventNo), out: &mut dyn FnMut(Served)) {
        // After the handler's end, or with a second reader, it is the next request's.
        if self.request.is_some_and(|r| r.end.is_some() || r.reader && reads) {
            self.close(self.last.0, no, out);
            self.open_before(t);
        } else if self.request.is_none() {
            self.open_before(t);
        }
        if let Some(r) = &mut self.request {
            r.last = t;
            r.reader |= reads;
            if handler.0 > r.handler.0 || !r.handler.1.is_some() {
                r.handler = handler;
            }
        }
    }

    fn leaves(&mut self, reads: bool, stop: bool, (t, no): (Time, EventNo), out: &mut dyn FnMut(Served)) {
        let next = |r: Request| r.reader && reads || r.end.is_some() && r.stopped && !stop;
        if self.request.is_some_and(next) {
            self.close(self.last.0, no, out);
            self.open_before(t);
        } else if self.request.is_none() {
            self.open_before(t);
        }
        self.end((t, no));
        if let Some(r) = &mut self.request {
            r.reader |= reads;
            r.stopped |= stop;
            if !stop {
                r.answered = Some(t);
            }
        }
    }

    /// The handler has returned.
    fn end(&mut self, (at, no): (Time, EventNo)) {
        if let Some(r) = self.request.as_mut().filter(|r| r.end.is_none()) {
            r.end = Some(Edge { at, bounds: Bounds { earliest: r.last, latest: at }, no });
        }
    }

    fn close(&mut self, at: Time, no: EventNo, out: &mut dyn FnMut(Served)) {
        let Some(r) = self.request.take() else { return };
        let end = r.end.unwrap_or(Edge { at, bounds: Bounds { earliest: r.last, latest: at }, no });
        out(self.served(&r, Some(end), at));
    }

    fn served(&self, r: &Request, end: Option<Edge>, until: Time) -> Served {
        Served {
            rule: self.rule,
            name: r.handler.1,
            begin: r.begin,
            began: r.began,
            end,
            until,
            arrived: r.arrived,
            answered: r.answered,
        }
    }
}
