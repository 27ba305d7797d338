//! What goroutines did, step by step: when each changed its state, and for waits why, where, and who ended them. Kept while
//! a trace is read, or shown to [`Keeper`] afterwards, so that queues can be followed, and what holders did meanwhile,
//! without decoding the trace again.

use crate::base::{EventNo, GoIdx, StackId, StringId, Time, text};
use crate::build::observe::{Events, NONE, Names, Observer, Row, Tables, Watch};
use crate::model::reasons::TABLE;
use crate::model::segment::{GoState, Kind};
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Most steps that are kept, for the sake of memory: 12 bytes each, and eight more for two of the three to a wait.
const MOST: usize = 18 << 20;

/// A reason, where there is one, and a stack: see [`Kept::key`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Key(pub u32);

/// What happened to a wait that goroutines may queue in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// A goroutine began to wait, for a reason and in a stack.
    Begin(Key),
    /// A goroutine was found waiting, perhaps in a stack that is stated. Its time is that of the statement.
    Found(Key),
    /// A wait ended, in a stack of who did it.
    End { by: GoIdx, key: Key },
    /// A goroutine was stopped, in this stack, that had ended a wait since it runs, the last time one that may be queued in.
    Stop(Key),
    /// Another recording begins, the one with this number in the file.
    Recording(usize),
}

/// A change of a goroutine's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub time: Time,
    pub go: GoIdx,
    pub no: EventNo,
    pub kind: Kind,
    /// Of a wait that goroutines may queue in, or a stop after one was ended: it is a [`Step`].
    pub queues: bool,
    /// Of a wait that begins, why; the stack of whoever did it, for those kinds of which [`has_stack`] is true.
    pub key: Key,
    /// For a wait that ends, who ended it.
    pub by: GoIdx,
    /// What was found, for `GoStatus`.
    pub found: GoState,
}

/// What a trace consists of, for who follows it.
pub(super) enum Item {
    /// Another recording begins, the one with this number in the file.
    Recording(usize),
    Change(Change),
}

/// Whether a change of this kind is kept with its stack: of others nobody asks where.
fn has_stack(kind: Kind) -> bool {
    use Kind::{GoBlock, GoCreateBlocked, GoCreateSyscall, GoStatus, GoStop, GoSyscallBegin, GoUnblock};
    matches!(kind, GoBlock | GoCreateBlocked | GoUnblock | GoStop | GoSyscallBegin | GoCreateSyscall | GoStatus)
}

/// A change, without its stack.
#[derive(Clone, Copy)]
struct Packed {
    /// Nanoseconds since the change before; [`FAR`] where they are too many.
    since: u32,
    go: u32,
    /// The event's number in its unit, above that its kind, and in the highest bit whether it is a [`Step`].
    no: u32,
}

/// The time is one of [`Steps::far`].
const FAR: u32 = u32::MAX;
const QUEUES: u32 = 1 << 31;
const KIND: u32 = 25;
const NUMBER: u32 = (1 << KIND) - 1;

impl Packed {
    fn kind(self) -> Kind {
        let kind = (self.no & !QUEUES) >> KIND;
        Kind::ALL.get(kind as usize).copied().unwrap_or(Kind::Sync)
    }
}

/// What a goroutine of a unit does.
#[derive(Clone, Copy, Default)]
struct Doing {
    /// Whether the unit has said anything of its state.
    known: bool,
    /// Whether it is in a wait that nobody queues in.
    passed_over: bool,
    /// Whether it has ended a wait since it runs, the last time one that may be queued in.
    ended: bool,
}

/// The changes of one unit.
#[derive(Default)]
struct Steps {
    /// Number of the unit's first event.
    first: EventNo,
    recording: usize,
    /// When the unit before it ended.
    floor: Time,
    steps: Vec<Packed>,
    /// Of those that have a stack, that and the reason as a row of the keys, and who ended the wait or what was found.
    more: Vec<(u32, u32)>,
    /// The times of those that are long after the change before.
    far: Vec<Time>,
    /// By position, the trace's own goroutines and rows of its keys.
    gos: Vec<GoIdx>,
    keys: Vec<u32>,
}

/// All changes of a trace, in order.
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
            now: Time::MIN,
            found: Vec::new(),
            out: Steps::default(),
            no: 0,
            shared: Arc::clone(&self.0),
        })
    }
}

struct Unit {
    /// Of each string, whether goroutines may queue in waits for it; and whether they may in those without a reason.
    wanted: Vec<bool>,
    unnamed: bool,
    gos: Vec<Doing>,
    keys: Vec<(u32, u32)>,
    ids: FxHashMap<(u32, u32), u32>,
    /// By stack, the reason that it last came with and the key of both: most often it is the same again.
    last: Vec<(u32, u32)>,
    /// The time of the last change.
    now: Time,
    /// Which steps say what a goroutine was found doing.
    found: Vec<u32>,
    out: Steps,
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

    /// Keeps a change; of one that has a stack `by` is who ended the wait, or what was found.
    fn push(&mut self, r: &Row, no: u64, queues: bool, reason: u32, by: u32) {
        let Some(no) = u32::try_from(no).ok().filter(|n| *n <= NUMBER) else {
            // A unit of so many events is more than can be kept.
            self.shared.count.store(self.shared.most + 1, Ordering::Relaxed);
            return;
        };
        if has_stack(r.kind) {
            let key = self.key(reason, r.stack);
            self.out.more.push((key, by));
        }
        let since = r.time.0.checked_sub(self.now.0).and_then(|d| u32::try_from(d).ok()).unwrap_or(FAR);
        if since == FAR {
            self.out.far.push(r.time);
        }
        self.now = r.time;
        let no = no | (r.kind as u32) << KIND | if queues { QUEUES } else { 0 };
        self.out.steps.push(Packed { since, go: r.go, no });
    }

    fn begin(&mut self, r: &Row, no: u64, reason: u32) {
        let wanted = self.wanted.get(reason as usize).copied().unwrap_or(self.unnamed);
        let Some(d) = self.doing(r.go) else { return };
        (d.known, d.passed_over) = (true, !wanted);
        self.push(r, no, wanted, reason, NONE);
    }

    fn row(&mut self, r: &Row, no: u64) {
        match r.kind {
            Kind::GoBlock => self.begin(r, no, r.arg),
            Kind::GoCreateBlocked => self.begin(r, no, NONE),
            Kind::GoUnblock => {
                let Some(d) = self.doing(r.go) else { return };
                let queues = !std::mem::take(&mut d.passed_over);
                d.known = true;
                if let Some(by) = self.doing(r.by) {
                    by.ended = queues;
                }
                self.push(r, no, queues, NONE, r.by);
            }
            Kind::GoStop => {
                let Some(d) = self.doing(r.go) else { return };
                d.known = true;
                let ended = std::mem::take(&mut d.ended);
                self.push(r, no, ended, NONE, NONE);
            }
            Kind::GoStatus => {
                let Some(d) = self.doing(r.go) else { return };
                if !std::mem::replace(&mut d.known, true) {
                    self.found.push(self.out.steps.len() as u32);
                    self.push(r, no, r.arg == GoState::Waiting as u32, NONE, r.arg);
                }
            }
            k if k.go_transition().is_some() => {
                let Some(d) = self.doing(r.go) else { return };
                *d = Doing { known: true, ..Doing::default() };
                self.push(r, no, false, NONE, NONE);
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
        let before = self.out.steps.len();
        for (no, r) in (self.no..).zip(&events.rows) {
            self.row(r, no);
        }
        self.no += events.len() as u64;
        if self.shared.count.fetch_add(self.out.steps.len() - before, Ordering::Relaxed) > self.shared.most {
            (self.out, self.found) = Default::default();
        }
    }

    fn end(&mut self) {
        (self.wanted, self.last) = (Vec::new(), Vec::new());
    }

    fn commit(self: Box<Self>, names: &Names, floor: Time) {
        let Unit { gos, keys, found, mut out, no, shared, .. } = *self;
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
        out.keys = keys.iter().map(|&(r, s)| all.key((names.string(r), names.stack(s)))).collect();
        out.gos = (0..gos.len() as u32).map(|i| names.go(i)).collect();
        // What an earlier unit has said of it goes on.
        for step in found {
            let Some(step) = out.steps.get_mut(step as usize) else { continue };
            let go = out.gos.get(step.go as usize).copied().unwrap_or_default();
            if all.known.get(go.0 as usize).copied().unwrap_or(false) {
                step.no &= !QUEUES;
            }
        }
        for (go, _) in out.gos.iter().zip(&gos).filter(|(_, d)| d.known) {
            all.know(go.0);
        }
        (out.first, out.floor, out.recording) = (first, floor, all.recording);
        all.units.push(out);
    }
}

/// What the goroutines of a trace did, step by step.
pub struct Kept(All);

impl Kept {
    /// How many keys there are.
    pub(super) fn keys(&self) -> usize {
        self.0.keys.len()
    }

    /// The reason and the stack of a key.
    #[inline]
    pub(super) fn key(&self, key: Key) -> (StringId, StackId) {
        self.0.keys.get(key.0 as usize).copied().unwrap_or((StringId::NONE, StackId::NONE))
    }

    /// Shows every change in order.
    pub(super) fn changes(&self, mut visit: impl FnMut(Item)) {
        let mut recording = 0;
        let all = &self.0;
        for u in &all.units {
            if std::mem::replace(&mut recording, u.recording) != u.recording {
                visit(Item::Recording(u.recording));
            }
            let (mut more, mut far) = (u.more.iter(), u.far.iter());
            let go_of = |i: u32| u.gos.get(i as usize).copied().unwrap_or_default();
            let mut now = Time::MIN;
            for p in &u.steps {
                now = match p.since {
                    FAR => far.next().copied().unwrap_or(now),
                    since => Time(now.0 + i64::from(since)),
                };
                let kind = p.kind();
                let (key, by) = match has_stack(kind) {
                    true => more.next().copied().unwrap_or((NONE, NONE)),
                    false => (NONE, NONE),
                };
                let key = Key(u.keys.get(key as usize).copied().unwrap_or(NONE));
                let found = GoState::ALL.get(by as usize).copied().unwrap_or_default();
                visit(Item::Change(Change {
                    time: now.max(u.floor),
                    go: go_of(p.go),
                    no: u.first + u64::from(p.no & NUMBER),
                    kind,
                    queues: p.no & QUEUES > 0,
                    key,
                    by: if kind == Kind::GoUnblock { go_of(by) } else { GoIdx::NONE },
                    found,
                }));
            }
        }
    }

    /// Shows every step in order, with its time, its goroutine and the number of its event.
    pub(super) fn each(&self, mut visit: impl FnMut(Time, GoIdx, EventNo, Step)) {
        self.changes(|item| {
            let c = match item {
                Item::Recording(i) => return visit(Time::MIN, GoIdx::NONE, 0, Step::Recording(i)),
                Item::Change(c) if c.queues => c,
                Item::Change(_) => return,
            };
            let step = match c.kind {
                Kind::GoUnblock => Step::End { by: c.by, key: c.key },
                Kind::GoStatus => Step::Found(c.key),
                Kind::GoStop => Step::Stop(c.key),
                _ => Step::Begin(c.key),
            };
            visit(c.time, c.go, c.no, step);
        });
    }

    /// The bytes that it takes.
    pub fn bytes(&self) -> usize {
        let of = |u: &Steps| {
            let (gos, keys) = (u.gos.capacity() * size_of::<GoIdx>(), u.keys.capacity() * size_of::<u32>());
            let steps = u.steps.capacity() * size_of::<Packed>() + u.more.capacity() * size_of::<(u32, u32)>();
            steps + gos + keys + u.far.capacity() * size_of::<Time>()
        };
        self.0.units.iter().map(of).sum()
    }
}
