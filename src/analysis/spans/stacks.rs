//! What a stack says of spans: worked out once for each stack that occurs.

use super::rules::{Form, Rule, Rules, names};
use crate::base::{FrameId, FuncId, StackId, StringId};
use crate::model::ownership::{Owner, goroot, is_below_all, is_main_module};
use crate::model::{Dict, Frame};
use rustc_hash::FxHashMap;

/// A rule, by its position.
pub type RuleNo = u16;

/// Where a goroutine that serves is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Between requests, or reading one.
    Idle,
    /// Where a handler begins.
    Begin,
    /// In the handler.
    Handler,
    /// Behind the handler.
    After,
    /// In a function that is not listed.
    Other,
    /// Says nothing.
    Pass,
    /// It is over.
    Over,
}

/// The handler that a stack names, and how many `ServeHTTP` lie above it: where one wraps another, the innermost counts.
pub type Handler = (u16, StringId);

/// No handler.
pub const NO_HANDLER: Handler = (0, StringId::NONE);

/// What a stack of a serving goroutine says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Serving {
    /// The rule.
    pub rule: RuleNo,
    /// Where it is.
    pub step: Step,
    /// The handler, if it is in one.
    pub handler: Handler,
    /// It starts the background reader, if it creates a goroutine.
    pub reader: bool,
    /// It stops that reader.
    pub stop: bool,
    /// Each wait between requests ends with one.
    pub always: bool,
}

/// What a stack of a goroutine that is a span says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Living {
    /// The rule.
    pub rule: RuleNo,
    /// The handler has returned.
    pub over: bool,
    /// The handler.
    pub handler: Handler,
}

/// The frames above a call, by number: the same ones for a CPU sample as for other events, whose stacks lack the
/// runtime's frames below the goroutine's start.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct CallerId(u32);

/// A call on a stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Calling {
    /// The rule.
    pub rule: RuleNo,
    /// What is called.
    pub func: FuncId,
    /// The stack of who calls, as [`Stacks`] numbers those.
    pub caller: CallerId,
    /// The frame in what is called.
    pub frame: FrameId,
    /// Whether it ends there: no new one begins.
    pub ends: bool,
    /// Whether it waits there once.
    pub once: bool,
    /// Where in the call: the stack, without what repeats a read or a write of a file.
    pub place: StackId,
}

/// What a stack says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Said {
    /// Of a goroutine that serves.
    pub serving: Option<Serving>,
    /// Of a goroutine that is a span.
    pub living: Option<Living>,
    /// Of calls, the outer before the inner.
    pub calls: Vec<Calling>,
}

/// What a function is to a rule, a bit each.
type Roles = u16;
const ROOT: Roles = 1;
const IDLE: Roles = 2;
const BEGIN: Roles = 4;
const HANDLER: Roles = 8;
const AFTER: Roles = 16;
const PASS: Roles = 32;
const OVER: Roles = 64;
const READER: Roles = 128;
const STOP: Roles = 256;
const ENTRY: Roles = 512;
const CALL: Roles = 1024;
const SERVER: Roles = 2048;
const ONCE: Roles = 4096;

/// As many frames a Go trace has of a stack at most: what is deeper lacks its root.
pub const MOST_FRAMES: usize = 128;

/// Reads stacks.
pub struct Stacks<'a> {
    dict: &'a Dict,
    /// By function, what it is to which rules.
    roles: FxHashMap<FuncId, Vec<(RuleNo, Roles)>>,
    /// The rules by which each wait between requests ends with one.
    always: Vec<RuleNo>,
    /// By function, whether it is of the main module.
    mine: Vec<bool>,
    /// By stack, a position in `said`; 0 is not known yet.
    known: Vec<u32>,
    said: Vec<Said>,
    /// The frames above calls: those of a caller, and the next.
    callers: FxHashMap<(CallerId, FrameId), CallerId>,
}

/// The position of what says nothing.
const NOTHING: u32 = 1;

impl<'a> Stacks<'a> {
    /// A reader of the stacks of a trace.
    pub fn new(dict: &'a Dict, rules: &Rules) -> Stacks<'a> {
        let mut roles: FxHashMap<FuncId, Vec<(RuleNo, Roles)>> = FxHashMap::default();
        for (no, rule) in (0u16..).zip(&rules.all) {
            let mut lists: Vec<(&[String], Roles)> = match &rule.form {
                Form::Serve(s) => vec![
                    (std::slice::from_ref(&s.root), ROOT),
                    (&s.idle, IDLE),
                    (&s.begin, BEGIN),
                    (&s.handler, HANDLER),
                    (&s.after, AFTER),
                    (&s.pass, PASS),
                    (&s.over, OVER),
                    (&s.reader, READER),
                    (&s.stop, STOP),
                ],
                Form::Goroutine { entry, over } => vec![(entry, ENTRY), (over, OVER)],
                Form::Call { func, over, once, .. } => {
                    vec![(func, CALL), (over, OVER), (once, ONCE)]
                }
            };
            lists.push((&rule.server, SERVER));
            for (i, func) in (0u32..).map(FuncId).zip(dict.funcs()) {
                let name = dict.str(func.name);
                let is =
                    |(list, role): &(&[String], Roles)| if list.iter().any(|p| names(p, name)) { *role } else { 0 };
                let all = lists.iter().map(is).fold(0, |a, b| a | b);
                if all != 0 {
                    roles.entry(i).or_default().push((no, all));
                }
            }
        }
        let said = vec![Said::default(), Said::default()];
        let named = || dict.funcs().iter().map(|f| (dict.str(f.name), dict.str(f.file)));
        let goroot = named().find_map(|(name, file)| goroot(name, file));
        let mine = named().map(|(name, file)| is_main_module(name, file, goroot)).collect();
        let woken = |r: &Rule| matches!(&r.form, Form::Serve(s) if s.woken);
        let always = (0u16..).zip(&rules.all).filter(|(_, r)| woken(r)).map(|r| r.0).collect();
        Stacks { dict, roles, always, mine, known: vec![0; dict.counts().3], said, callers: FxHashMap::default() }
    }

    /// Whether nothing in the trace can be a span by these rules.
    pub fn is_idle(&self) -> bool {
        self.roles.values().flatten().all(|r| r.1 & (ROOT | ENTRY | CALL) == 0)
    }

    /// What a stack says; nothing, for most.
    pub fn said(&mut self, stack: StackId) -> Option<&Said> {
        let slot = self.known.get(stack.index()).copied().filter(|_| stack.is_some())?;
        let at = if slot == 0 {
            let said = self.read(stack);
            let at = if said == Said::default() {
                NOTHING
            } else {
                self.said.push(said);
                self.said.len() as u32 - 1
            };
            self.known[stack.index()] = at;
            at
        } else {
            slot
        };
        (at != NOTHING).then(|| &self.said[at as usize])
    }

    /// The rule of goroutines that start in a function, if they are spans.
    pub fn entry(&self, stack: StackId) -> Option<RuleNo> {
        let f = self.dict.stack(stack).last()?;
        self.roles.get(&f.func)?.iter().find(|r| r.1 & ENTRY != 0).map(|r| r.0)
    }

    fn role(&self, f: FuncId, rule: RuleNo) -> Roles {
        self.roles.get(&f).and_then(|all| all.iter().find(|r| r.0 == rule)).map_or(0, |r| r.1)
    }

    fn read(&mut self, stack: StackId) -> Said {
        // Root first.
        let mut at = stack;
        let mut frames: Vec<(StackId, FrameId, Frame)> = Vec::new();
        while let Some(leaf) = self.dict.leaf(at) {
            frames.push((at, leaf, self.dict.frame_of(leaf)));
            at = self.dict.caller(at);
        }
        frames.reverse();
        let below = frames.iter().take_while(|f| is_below_all(self.dict.func_name(f.2.func))).count();
        // A stack that is nothing but those says nothing.
        frames.drain(..below);
        if !frames.iter().any(|f| self.roles.contains_key(&f.2.func)) {
            return Said::default();
        }
        let callers = self.number(&frames);
        let mut said = Said::default();
        for (i, (here, id, f)) in frames.iter().enumerate() {
            let Some(roles) = self.roles.get(&f.func) else { continue };
            let above = &frames[i + 1..];
            for &(rule, role) in roles {
                if role & ROOT != 0 && said.serving.is_none() {
                    said.serving = Some(self.serving(rule, above));
                }
                // A goroutine that only calls what others start in is none.
                if role & ENTRY != 0 && i == 0 {
                    let over = above.iter().any(|f| self.role(f.2.func, rule) & OVER != 0);
                    said.living = Some(Living { rule, over, handler: self.handler(rule, above) });
                }
                if role & CALL != 0 && !said.calls.iter().any(|c| c.rule == rule) {
                    let (caller, place) = (callers[i], self.place(*here, above));
                    let any = |role| above.iter().any(|f| self.role(f.2.func, rule) & role != 0);
                    let (ends, once) = (any(OVER), any(ONCE));
                    let (func, frame) = (f.func, *id);
                    said.calls.push(Calling { rule, func, caller, frame, ends, once, place });
                }
            }
        }
        said
    }

    /// For each frame the number of those before it, root first.
    fn number(&mut self, frames: &[(StackId, FrameId, Frame)]) -> Vec<CallerId> {
        let mut at = CallerId::default();
        let number = |f: &(StackId, FrameId, Frame)| {
            let (before, next) = (at, CallerId(self.callers.len() as u32 + 1));
            at = *self.callers.entry((before, f.1)).or_insert(next);
            before
        };
        frames.iter().map(number).collect()
    }

    fn serving(&self, rule: RuleNo, above: &[(StackId, FrameId, Frame)]) -> Serving {
        let any = |role: Roles| above.iter().any(|f| self.role(f.2.func, rule) & role != 0);
        let callee = above.first().map(|f| self.role(f.2.func, rule));
        let step = match callee {
            _ if any(OVER) => Step::Over,
            None => Step::Pass,
            Some(r) if r & IDLE != 0 => Step::Idle,
            Some(r) if r & BEGIN != 0 => Step::Begin,
            Some(r) if r & HANDLER != 0 => Step::Handler,
            Some(r) if r & AFTER != 0 => Step::After,
            Some(r) if r & PASS != 0 => Step::Pass,
            Some(_) => Step::Other,
        };
        let handler = if step == Step::Handler { self.handler(rule, above) } else { NO_HANDLER };
        let always = self.always.contains(&rule);
        Serving { rule, step, handler, reader: any(READER), stop: any(STOP), always }
    }

    /// The handler that frames name: the first function of the main module's below the innermost `ServeHTTP`; of what is all a
    /// library's, the first of a package that is not the server's own.
    fn handler(&self, rule: RuleNo, above: &[(StackId, FrameId, Frame)]) -> Handler {
        let mut found = NO_HANDLER;
        let (mut depth, mut users, mut called) = (0u16, false, false);
        for (.., f) in above {
            // A library's function is a handler only where a server calls it.
            let by_server = std::mem::take(&mut called);
            let Some(func) = self.dict.funcs().get(f.func.0 as usize) else { continue };
            let name = self.dict.str(func.name);
            let serves = name.ends_with(".ServeHTTP");
            if serves {
                depth = depth.saturating_add(1);
                (users, called) = (false, true);
            }
            let owner = self.dict.owner(f.func);
            if owner == Owner::Runtime || self.role(f.func, rule) & SERVER != 0 {
                continue;
            }
            let user = self.mine.get(f.func.index()) == Some(&true);
            // The main module's function stands for all that it calls; a library's until one of those is called.
            if user && (!users || found.0 < depth) || (by_server || serves) && found.0 < depth {
                found = (depth, func.name);
                users = user;
            }
        }
        found
    }

    /// The part of a call's stack that tells one place in it from another: a read that is tried again is one place.
    fn place(&self, call: StackId, above: &[(StackId, FrameId, Frame)]) -> StackId {
        let retried = |f: &Frame| self.dict.func_name(f.func).starts_with("internal/poll.(*FD).");
        // The tries are at lines of their own.
        let tried = above.iter().find(|f| retried(&f.2)).map(|f| self.dict.caller(f.0));
        tried.or(above.last().map(|f| f.0)).unwrap_or(call)
    }
}
