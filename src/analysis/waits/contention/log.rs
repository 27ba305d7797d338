//! The waits that goroutines may queue in, and who ended them, step by step: kept while a trace is read, or shown to
//! [`Keeper`] afterwards, so that the queues can be followed without decoding it again.

use crate::base::{EventNo, GoIdx, StackId, StringId, Time, text};
use crate::build::observe::{Events, NONE, Names, Observer, Row, Tables, Watch};
use crate::model::reasons::TABLE;
use crate::model::segment::{GoState, Kind};
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Most steps that are kept, for the sake of memory: 24 bytes each, and there are two to a wait.
const MOST: usize = 12 << 20;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// A goroutine began to wait.
    Begin { reason: StringId, stack: StackId },
    /// A goroutine was found waiting, perhaps in a stack that is stated. Its time is that of the statement.
    Found { stack: StackId },
    /// A wait ended.
    End { by: GoIdx, stack: StackId },
    /// A goroutine was stopped that had ended a wait since it runs, the last time one that is kept.
    Stop { stack: StackId },
    /// Another recording begins, the one with this place in the index.
    Recording(usize),
}

/// A step, its kind in the two highest bits of `no`.
#[derive(Clone, Copy)]
struct Packed {
    time: Time,
    go: u32,
    /// The event's number in its unit.
    no: u32,
    /// Of a reason and a stack, a row of the keys.
    key: u32,
    by: u32,
}

const KIND: u32 = 30;
const NUMBER: u32 = (1 << KIND) - 1;
const BEGIN: u32 = 0;
const END: u32 = 1;
const FOUND: u32 = 2;
const STOP: u32 = 3;

/// What a goroutine of a unit does.
#[derive(Clone, Copy, Default)]
struct Doing {
    /// Whether the unit has said anything of its state.
    known: bool,
    /// Whether it is in a wait that is not kept.
    passed_over: bool,
    /// Whether it has ended a wait since it runs, the last time one that is kept.
    ended: bool,
}

/// The steps of one unit.
#[derive(Default)]
struct Steps {
    /// Number of the unit's first event.
    first: EventNo,
    recording: usize,
    steps: Vec<Packed>,
}

/// All steps of a trace, in order.
#[derive(Default)]
struct All {
    units: Vec<Steps>,
    keys: Vec<(StringId, StackId)>,
    ids: FxHashMap<(StringId, StackId), u32>,
    events: EventNo,
    recording: usize,
    /// Goroutines of which the recording has said something.
    known: Vec<bool>,
}

impl All {
    fn key(&mut self, key: (StringId, StackId)) -> u32 {
        let next = self.keys.len() as u32;
        let id = *self.ids.entry(key).or_insert(next);
        if id == next {
            self.keys.push(key);
        }
        id
    }

    fn know(&mut self, go: u32) {
        // Handles are dense, so this grows by what there is.
        if go as usize >= self.known.len() && go != NONE {
            self.known.resize(go as usize + 1, false);
        }
        if let Some(known) = self.known.get_mut(go as usize) {
            *known = true;
        }
    }
}

struct Shared {
    all: Mutex<All>,
    /// How many steps there are in all units, and most.
    count: AtomicUsize,
    most: usize,
}

/// Keeps the waits of a trace.
pub struct Keeper(Arc<Shared>);

impl Default for Keeper {
    fn default() -> Keeper {
        Keeper::holding(MOST)
    }
}

impl Keeper {
    /// One that keeps at most so many steps.
    pub(super) fn holding(most: usize) -> Keeper {
        Keeper(Arc::new(Shared { all: Mutex::default(), count: AtomicUsize::new(0), most }))
    }

    /// What was kept; nothing if it was too much.
    pub fn take(&self) -> Option<Kept> {
        let all = std::mem::take(&mut *self.0.all.lock().unwrap_or_else(PoisonError::into_inner));
        (self.0.count.load(Ordering::Relaxed) <= self.0.most).then_some(Kept(all))
    }
}

impl Observer for Keeper {
    fn unit(&self, _start: Time, tables: &Tables, _only: bool) -> Box<dyn Watch> {
        let strings = (0..tables.strings.len() as u32).map(|i| tables.strings.get(i));
        Box::new(Unit {
            wanted: strings.map(|s| TABLE.may_queue(&text::lossy(s))).collect(),
            unnamed: TABLE.may_queue(""),
            gos: Vec::new(),
            keys: Vec::new(),
            ids: FxHashMap::default(),
            last: Vec::new(),
            steps: Vec::new(),
            no: 0,
            shared: Arc::clone(&self.0),
        })
    }
}

struct Unit {
    /// Of each string, whether waits for it are kept; and whether those without a reason are.
    wanted: Vec<bool>,
    unnamed: bool,
    gos: Vec<Doing>,
    keys: Vec<(u32, u32)>,
    ids: FxHashMap<(u32, u32), u32>,
    /// By stack, the reason that it last came with and the key of both: most often it is the same again.
    last: Vec<(u32, u32)>,
    steps: Vec<Packed>,
    /// Events so far.
    no: u64,
    shared: Arc<Shared>,
}

impl Unit {
    fn key(&mut self, reason: u32, stack: u32) -> u32 {
        let slot = stack.wrapping_add(1) as usize;
        if let Some(&(r, key)) = self.last.get(slot)
            && r == reason
            && key != NONE
        {
            return key;
        }
        let next = self.keys.len() as u32;
        let id = *self.ids.entry((reason, stack)).or_insert(next);
        if id == next {
            self.keys.push((reason, stack));
        }
        // Positions are given one by one, so this grows by what there is.
        if slot >= self.last.len() {
            self.last.resize(slot + 1, (NONE, NONE));
        }
        self.last[slot] = (reason, id);
        id
    }

    fn doing(&mut self, go: u32) -> Option<&mut Doing> {
        let i = go as usize;
        if i >= self.gos.len() {
            if go == NONE {
                return None;
            }
            self.gos.resize(i + 1, Doing::default());
        }
        self.gos.get_mut(i)
    }

    fn push(&mut self, kind: u32, r: &Row, no: u64, key: u32) {
        let Some(no) = u32::try_from(no).ok().filter(|n| *n <= NUMBER) else {
            // A unit of so many events is more than can be kept.
            self.shared.count.store(self.shared.most + 1, Ordering::Relaxed);
            return;
        };
        self.steps.push(Packed { time: r.time, go: r.go, no: no | kind << KIND, key, by: r.by });
    }

    fn begin(&mut self, r: &Row, no: u64, reason: u32) {
        let wanted = self.wanted.get(reason as usize).copied().unwrap_or(self.unnamed);
        let Some(d) = self.doing(r.go) else { return };
        (d.known, d.passed_over) = (true, !wanted);
        if wanted {
            let key = self.key(reason, r.stack);
            self.push(BEGIN, r, no, key);
        }
    }

    fn row(&mut self, r: &Row, no: u64) {
        match r.kind {
            Kind::GoBlock => self.begin(r, no, r.arg),
            Kind::GoCreateBlocked => self.begin(r, no, NONE),
            Kind::GoUnblock => {
                let Some(d) = self.doing(r.go) else { return };
                let kept = !std::mem::take(&mut d.passed_over);
                d.known = true;
                if let Some(by) = self.doing(r.by) {
                    by.ended = kept;
                }
                if kept {
                    let key = self.key(NONE, r.stack);
                    self.push(END, r, no, key);
                }
            }
            Kind::GoStop => {
                let Some(d) = self.doing(r.go) else { return };
                d.known = true;
                if std::mem::take(&mut d.ended) {
                    let key = self.key(NONE, r.stack);
                    self.push(STOP, r, no, key);
                }
            }
            Kind::GoStatus => {
                let Some(d) = self.doing(r.go) else { return };
                if !std::mem::replace(&mut d.known, true) && r.arg == GoState::Waiting as u32 {
                    let key = self.key(NONE, r.stack);
                    self.push(FOUND, r, no, key);
                }
            }
            k if k.go_transition().is_some() => {
                if let Some(d) = self.doing(r.go) {
                    *d = Doing { known: true, ..Doing::default() };
                }
            }
            _ => {}
        }
    }
}

impl Watch for Unit {
    fn events(&mut self, events: &Events) {
        if self.shared.count.load(Ordering::Relaxed) > self.shared.most {
            return;
        }
        let before = self.steps.len();
        for (no, r) in (self.no..).zip(&events.rows) {
            self.row(r, no);
        }
        self.no += events.len() as u64;
        if self.shared.count.fetch_add(self.steps.len() - before, Ordering::Relaxed) > self.shared.most {
            self.steps = Vec::new();
        }
    }

    fn end(&mut self) {
        (self.wanted, self.last) = (Vec::new(), Vec::new());
    }

    fn commit(self: Box<Self>, names: &Names, floor: Time) {
        let Unit { gos, keys, mut steps, no, shared, .. } = *self;
        let mut all = shared.all.lock().unwrap_or_else(PoisonError::into_inner);
        let first = all.events;
        all.events += no;
        if shared.count.load(Ordering::Relaxed) > shared.most {
            all.units = Vec::new();
            return;
        }
        if std::mem::replace(&mut all.recording, names.recording()) != names.recording() {
            all.known.clear();
        }
        let keys: Vec<u32> = keys.iter().map(|&(r, s)| all.key((names.string(r), names.stack(s)))).collect();
        steps.retain_mut(|p| {
            p.go = names.go(p.go).0;
            p.by = names.go(p.by).0;
            p.key = keys.get(p.key as usize).copied().unwrap_or(NONE);
            p.time = p.time.max(floor);
            // What an earlier unit has said of it goes on.
            p.no >> KIND != FOUND || !all.known.get(p.go as usize).copied().unwrap_or(false)
        });
        for (i, _) in (0u32..).zip(&gos).filter(|(_, d)| d.known) {
            all.know(names.go(i).0);
        }
        let recording = all.recording;
        all.units.push(Steps { first, recording, steps });
    }
}

/// The waits of a trace, step by step.
pub struct Kept(All);

impl Kept {
    /// Shows every step in order, with its time, its goroutine and the number of its event.
    pub(super) fn each(&self, mut visit: impl FnMut(Time, GoIdx, EventNo, Step)) {
        let mut recording = 0;
        let all = &self.0;
        let key = |k: u32| all.keys.get(k as usize).copied().unwrap_or((StringId::NONE, StackId::NONE));
        for u in &all.units {
            if std::mem::replace(&mut recording, u.recording) != u.recording {
                visit(Time::MIN, GoIdx::NONE, u.first, Step::Recording(u.recording));
            }
            for p in &u.steps {
                let (reason, stack) = key(p.key);
                let step = match p.no >> KIND {
                    BEGIN => Step::Begin { reason, stack },
                    END => Step::End { by: GoIdx(p.by), stack },
                    FOUND => Step::Found { stack },
                    _ => Step::Stop { stack },
                };
                visit(p.time, GoIdx(p.go), u.first + u64::from(p.no & NUMBER), step);
            }
        }
    }

    /// The bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.0.units.iter().map(|u| u.steps.capacity() * size_of::<Packed>()).sum()
    }
}
