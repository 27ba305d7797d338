//! What is kept of the whole trace: goroutines, procs, ranges, where each segment lies. A few percent of the file.

use super::gaps::Gaps;
use super::ownership::Owner;
use super::segment::{Kind, Segment};
use super::{Dict, Grid};
use crate::base::{
    Duration, FuncId, GoId, GoIdx, GroupId, ProcId, ProcIdx, StackId, StringId, ThreadId, ThreadIdx, Time,
};
use smallvec::SmallVec;

/// Time of a goroutine or a group, by state. The parts do not overlap and sum to the life inside the trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Times {
    /// On a P.
    pub running: Duration,
    /// Ready, waiting for a P.
    pub runnable: Duration,
    /// Blocked, for whatever reason.
    pub waiting: Duration,
    /// In a syscall with its P.
    pub syscall: Duration,
    /// In a syscall whose P was taken away.
    pub syscall_blocked: Duration,
}

impl Times {
    /// The sum of all parts.
    pub fn total(&self) -> Duration {
        self.running + self.runnable + self.waiting + self.syscall + self.syscall_blocked
    }

    /// Takes another's parts away.
    pub fn sub(&mut self, o: &Times) {
        self.running -= o.running;
        self.runnable -= o.runnable;
        self.waiting -= o.waiting;
        self.syscall -= o.syscall;
        self.syscall_blocked -= o.syscall_blocked;
    }

    /// Adds another's parts.
    pub fn add(&mut self, o: &Times) {
        self.running += o.running;
        self.runnable += o.runnable;
        self.waiting += o.waiting;
        self.syscall += o.syscall;
        self.syscall_blocked += o.syscall_blocked;
    }
}

/// Waiting time by reason, sorted by reason handle. There may be a million of these lists, and most have one reason.
pub type Reasons = SmallVec<[(StringId, Duration); 1]>;

/// One goroutine of the trace: there may be millions, so what few have is in [`Rare`].
#[derive(Clone, Debug)]
pub struct Goroutine {
    /// Go's number.
    pub id: GoId,
    /// The group of its start function.
    pub group: GroupId,
    /// Its start function; `NONE` if no stack of it is in the trace.
    pub entry: FuncId,
    /// Who created it; `NONE` if that was before the trace or by the runtime.
    pub creator: GoIdx,
    /// Where it was created.
    pub created_at: StackId,
    /// When it ended; `None` if it did not.
    pub ended: Option<Time>,
    /// From when on it is accounted: its creation, or the trace's start.
    pub from: Time,
    /// Time per state.
    pub times: Times,
    /// Waiting time by reason.
    pub blocked: Reasons,
    /// What few goroutines have.
    pub rare: Option<Box<Rare>>,
    /// The longest single wait.
    pub longest_wait: Duration,
    /// Events about it.
    pub events: u64,
    /// CPU samples that hit it.
    pub samples: u64,
    /// Its last label (`GC (dedicated)` …).
    pub label: StringId,
    /// The process that it is of, from 0 on: a file may hold recordings of several, which number theirs alike. No more recordings
    /// of a file are read than this counts.
    pub process: u16,
    /// Whether it was alive when the last recording in which it is ended, which says when it `ended`: what became of it is
    /// not in the file.
    pub cut: bool,
    /// Whether it was created in the trace, which is when it is accounted `from`.
    pub born: bool,
}

impl Goroutine {
    /// When it was created; `None` if before the trace.
    pub fn created(&self) -> Option<Time> {
        self.born.then_some(self.from)
    }

    /// When it blocked forever (`select {}`, a nil channel): Go's reader takes it as ended then.
    pub fn gone(&self) -> Option<Time> {
        self.rare.as_ref()?.gone
    }

    /// How long the syscall that it is in at the trace's end has been without its P.
    pub fn lost_at_end(&self) -> Duration {
        self.rare.as_ref().map_or(Duration::ZERO, |r| r.lost_at_end)
    }

    /// What of its times lies in earlier lives: C code that calls into Go again and again does it as the same goroutine.
    pub fn earlier(&self) -> Option<&Earlier> {
        self.rare.as_ref()?.earlier.as_deref()
    }

    /// Where what few goroutines have is to be changed.
    pub(crate) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Whether it was alive when its recording ended.
    pub fn unfinished(&self) -> bool {
        self.ended.is_none() || self.cut
    }
}

/// What few goroutines have.
#[derive(Clone, Debug, Default)]
pub struct Rare {
    /// See [`Goroutine::gone`].
    pub gone: Option<Time>,
    /// See [`Goroutine::lost_at_end`].
    pub lost_at_end: Duration,
    /// See [`Goroutine::earlier`].
    pub earlier: Option<Box<Earlier>>,
}

/// Times of a goroutine's earlier lives.
#[derive(Clone, Debug)]
pub struct Earlier {
    /// Time per state.
    pub times: Times,
    /// Waiting time by reason.
    pub blocked: Reasons,
}

impl Goroutine {
    /// A goroutine of which nothing is known but its number, accounted from `from` on.
    pub fn new(id: GoId, from: Time) -> Goroutine {
        Goroutine {
            id,
            group: GroupId::NONE,
            entry: FuncId::NONE,
            creator: GoIdx::NONE,
            created_at: StackId::NONE,
            ended: None,
            from,
            times: Times::default(),
            blocked: Reasons::new(),
            rare: None,
            longest_wait: Duration::ZERO,
            events: 0,
            samples: 0,
            label: StringId::NONE,
            process: 0,
            cut: false,
            born: false,
        }
    }
}

/// All goroutines that started in the same function.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The function's name; empty for goroutines of which no stack is known.
    pub name: StringId,
    /// What it is shown as where the user did not write that function; `NONE` where it is shown as it is.
    pub shown: StringId,
    /// Whose its goroutines are.
    pub owner: Owner,
    /// Its members, by number of goroutine.
    pub members: Vec<GoIdx>,
    /// Sum of the members' times.
    pub times: Times,
    /// Sum of the members' waiting time by reason.
    pub blocked: Reasons,
    /// The longest single wait of a member.
    pub longest_wait: Duration,
    /// Events about members.
    pub events: u64,
    /// CPU samples that hit members.
    pub samples: u64,
}

/// One P.
#[derive(Clone, Debug)]
pub struct Proc {
    /// Go's number.
    pub id: ProcId,
    /// Time held by a thread.
    pub running: Duration,
}

/// One thread.
#[derive(Clone, Debug)]
pub struct Thread {
    /// The operating system's number.
    pub id: ThreadId,
}

/// A stretch of time in which something was going on: marking, a stopped world, a sweep, an assist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// When it began (the trace's start, if earlier).
    pub from: Time,
    /// When it ended (the trace's end, if later).
    pub to: Time,
    /// What it is called: for a stopped world, its kind.
    pub name: StringId,
    /// The goroutine that did it, for assists and stopped worlds.
    pub go: GoIdx,
    /// The P that did it, for sweeps.
    pub proc: ProcIdx,
}

/// Where a segment lies in the trace, and what is in it.
#[derive(Clone, Debug)]
pub struct SegmentInfo {
    /// Number of its first event.
    pub first: u64,
    /// How many events it has.
    pub len: u32,
    /// Time of its first event.
    pub from: Time,
    /// Time of its last event.
    pub to: Time,
    /// The stacks that occur in it, those of new goroutines' entries among them, ascending.
    pub stacks: Vec<StackId>,
    /// The kinds that occur in it, a bit each.
    pub kinds: u64,
}

/// One recording of a file: what a tracer wrote between its start and its stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recording {
    /// Its number in the file, from 0 on.
    pub number: u32,
    /// The process that it is of, from 0 on.
    pub process: u32,
    /// Minor version of the format.
    pub minor: u32,
    /// When it begins.
    pub from: Time,
    /// When it ends; what lies between two recordings was not traced, and is not known.
    pub to: Time,
}

/// What is known of a whole trace. While it is being built, of the part up to [`Index::end`].
#[derive(Default)]
pub struct Index {
    /// Strings, functions, frames, stacks.
    pub dict: Dict,
    /// Version of the format in the header, as `(1, 26)`.
    pub version: (u32, u32),
    /// All goroutines, in the order in which they were first seen.
    pub goroutines: Vec<Goroutine>,
    /// All groups, those with most members' time first once the index is complete.
    pub groups: Vec<Group>,
    /// All Ps, by number once the index is complete.
    pub procs: Vec<Proc>,
    /// All threads.
    pub threads: Vec<Thread>,
    /// The segments, in order.
    pub segments: Vec<SegmentInfo>,
    /// Summaries of each lane for every zoom level.
    pub grid: Grid,
    /// The recordings, in order: one, but where tracing was started again or files were appended.
    pub recordings: Vec<Recording>,
    /// Concurrent mark phases.
    pub gc: Vec<Range>,
    /// Stopped worlds.
    pub stw: Vec<Range>,
    /// Live heap over time, thinned to at most a few thousand points that keep every cell's extremes.
    pub heap: Vec<(Time, u64)>,
    /// Heap goal over time.
    pub heap_goal: Vec<(Time, u64)>,
    /// GOMAXPROCS over time.
    pub gomaxprocs: Vec<(Time, u64)>,
    /// When the trace begins: its first generation, or its first event.
    pub start: Time,
    /// Time of the first event that says more than that a generation begins.
    pub first: Option<Time>,
    /// Time of the last event seen.
    pub end: Time,
    /// Events seen.
    pub events: u64,
    /// CPU samples seen.
    pub samples: u64,
    /// Whether the whole trace has been read.
    pub complete: bool,
    /// How much of the file's bytes has been read, 0 to 1.
    pub progress: f64,
    /// Counts and sums of the whole.
    pub totals: super::totals::Totals,
    /// What could not be read, in plain sentences.
    pub losses: Vec<String>,
    /// What stands beside the trace says of its goroutines.
    pub beside: super::Beside,
}

/// Whether a sentence says of a file that it holds several recordings, and how they are read: nothing is lost by that.
pub fn is_about_recordings(loss: &str) -> bool {
    loss.starts_with("recording ") || loss.split([' ', ',']).nth(1) == Some("recordings")
}

impl Index {
    /// What of the file could not be read, or not as it stands: all of `losses` but what they say of several recordings.
    pub fn lost(&self) -> impl Iterator<Item = &str> {
        self.losses.iter().map(String::as_str).filter(|l| !is_about_recordings(l))
    }

    /// From when to when the file has recordings of a process: the first begins and the last ends then.
    pub fn recorded(&self, process: u32) -> (Time, Time) {
        let of = || self.recordings.iter().filter(|r| r.process == process);
        let (from, to) = (of().map(|r| r.from).min(), of().map(|r| r.to).max());
        (from.unwrap_or(self.start), to.unwrap_or(self.end))
    }

    /// When the recording ends in which an instant lies: what went on after that is not known, if nothing tells of it later.
    pub fn recording_end(&self, at: Time) -> Time {
        let i = self.recordings.partition_point(|r| r.from <= at);
        i.checked_sub(1).map_or(self.end, |i| self.recordings[i].to.max(at))
    }

    /// The process that a goroutine is of.
    pub fn process(&self, go: GoIdx) -> u32 {
        self.goroutine(go).map_or(0, |g| g.process.into())
    }

    /// Length of the trace.
    pub fn duration(&self) -> Duration {
        self.end - self.start
    }

    /// The Ps in the order of their numbers, for what lists them: the index has them in the order in which they came.
    pub fn procs_in_order(&self) -> Vec<ProcIdx> {
        let mut all: Vec<ProcIdx> = (0u16..).zip(&self.procs).map(|(i, _)| ProcIdx(i)).collect();
        all.sort_by_key(|p| self.procs[p.index()].id);
        all
    }

    /// A goroutine's row.
    pub fn goroutine(&self, g: GoIdx) -> Option<&Goroutine> {
        self.goroutines.get(g.0 as usize)
    }

    /// The goroutine that had number `id` at an instant; else, where numbers are used again, the last one that had it.
    pub fn find_goroutine(&self, id: GoId, at: Time) -> Option<GoIdx> {
        let all = || (0u32..).map(GoIdx).zip(&self.goroutines).filter(|(_, g)| g.id == id);
        let there = all().find(|(_, g)| g.from <= at && g.ended.is_none_or(|t| t > at));
        there.or_else(|| all().last()).map(|(i, _)| i)
    }

    /// What a goroutine is called: its start function, or what the user wrote in place of that; empty if not known.
    pub fn goroutine_name(&self, g: GoIdx) -> &str {
        let Some(g) = self.goroutine(g) else { return "" };
        match self.groups.get(g.group.0 as usize).filter(|g| g.shown.is_some()) {
            Some(group) => self.dict.str(group.shown),
            None => self.dict.func_name(g.entry),
        }
    }

    /// What a group is called: its start function, or what the user wrote in place of that; empty if not known.
    pub fn group_name(&self, g: GroupId) -> &str {
        self.groups.get(g.0 as usize).map_or("", |g| self.dict.str(if g.shown.is_some() { g.shown } else { g.name }))
    }

    /// Whose the goroutines of a group are.
    pub fn owner(&self, g: GroupId) -> Owner {
        self.groups.get(g.0 as usize).map_or(Owner::Unknown, |g| g.owner)
    }

    /// Whose a goroutine is.
    pub fn owner_of(&self, g: GoIdx) -> Owner {
        self.goroutine(g).map_or(Owner::Unknown, |g| self.owner(g.group))
    }

    /// How many events there are, as every text and Go's own reader count them: it says once more at the end that the
    /// trace is in step.
    pub fn event_count(&self) -> u64 {
        self.events + 1
    }

    /// The event that Go's reader adds at the end, which no segment of the file has: in a segment of its own.
    pub fn closing(&self) -> Segment {
        Segment {
            first: self.events,
            time: vec![self.end],
            kind: vec![Kind::Sync],
            go: vec![GoIdx::NONE],
            by: vec![GoIdx::NONE],
            proc: vec![ProcIdx::NONE],
            thread: vec![ThreadIdx::NONE],
            stack: vec![StackId::NONE],
            arg: vec![u32::MAX],
            ..Segment::default()
        }
    }

    /// The segment that holds event number `no`.
    pub fn segment_of(&self, no: u64) -> Option<usize> {
        let i = self.segments.partition_point(|s| s.first <= no).checked_sub(1)?;
        (no < self.segments[i].first + u64::from(self.segments[i].len)).then_some(i)
    }

    /// How much of the time from `from` to `to` lies between two recordings.
    pub fn untraced_in(&self, from: Time, to: Time) -> Duration {
        self.gaps().inside(from, to.max(from))
    }

    /// What was not traced, between two recordings.
    pub fn gaps(&self) -> Gaps {
        Gaps::new(self.recordings.windows(2).map(|r| (r[0].to, r[1].from)))
    }

    /// How long was traced: the trace's length without what lies between recordings.
    pub fn traced(&self) -> Duration {
        self.duration() - self.untraced_in(self.start, self.end)
    }

    /// Whether an instant lies between two recordings: nothing is known of it.
    pub fn untraced(&self, at: Time) -> bool {
        let after = self.recordings.partition_point(|r| r.from <= at);
        after > 0 && after < self.recordings.len() && at >= self.recordings[after - 1].to
    }

    /// The segments that may hold events at or after `from` and before `to`.
    pub fn segments_between(&self, from: Time, to: Time) -> std::ops::Range<usize> {
        let a = self.segments.partition_point(|s| s.to < from);
        let b = self.segments.partition_point(|s| s.from < to);
        a..b.max(a)
    }
}

impl Index {
    /// The content of `lane` in `width` equal cells of the window `from..to`, as precise as the grid's own cells are.
    pub fn cells(&self, lane: super::Lane, from: Time, to: Time, width: usize) -> Vec<super::Cell> {
        let group = if let super::Lane::Group(g) = lane { self.groups.get(g.0 as usize) } else { None };
        self.grid.cells(lane, group.map_or(&[], |g| &g.members), from, to, width)
    }

    /// Tells the grid of each goroutine's group, and makes the lanes of groups: for an index that was not built just now.
    pub(crate) fn sum_groups(&mut self) {
        for (i, g) in (0u32..).zip(&self.goroutines) {
            self.grid.join_group(GoIdx(i), g.group);
        }
        self.grid.sum();
    }
}
