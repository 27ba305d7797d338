//! Puts the parts of the generations together, in order, into the index of the whole.

mod ids;
mod links;
mod maps;
mod recordings;
mod replay;
mod totals;

use super::annotations::{Ranges, Regions, Tasks};
use super::fold::{Entrance, GoRow, Head, Part, UNTOUCHED};
use crate::base::EventNo;
use crate::base::{Duration, GoId, GoIdx, GroupId, ProcId, ProcIdx, StackId, StringId, ThreadId, ThreadIdx, Time};
use crate::model::index::{Earlier, Goroutine, Index, Proc, Reasons, SegmentInfo, Thread};
use crate::model::ownership::Owner;
use crate::model::reasons::FOREVER;
use crate::model::totals::{Link, Party};
use crate::model::waits::Stretch;
use crate::wire::event::{GoState, Kind, NONE, ProcState};
use ids::GoIds;
use links::{add_links, add_singles, party};
pub(crate) use maps::Maps;
use recordings::recording_start;
use rustc_hash::FxHashMap;

/// What is known of a goroutine at the end of the parts seen so far, beyond its row in the index.
#[derive(Clone, Copy, Debug)]
struct Open {
    state: GoState,
    since: Time,
    /// When the state was stated, where that is later than since when it is accounted.
    stated: Time,
    reason: StringId,
    stack: StackId,
    blocked: bool,
    /// Number of the event that began a wait; `EventNo::MAX` if that was before the trace.
    began: EventNo,
    /// Whether it was in the middle of a wait when it was first seen.
    found: bool,
    lost: Time,
    /// Whether any event (not only a CPU sample) spoke of it.
    seen: bool,
    gone: bool,
}

impl Open {
    /// Nothing is known, from `since` on.
    fn new(since: Time) -> Open {
        Open {
            state: GoState::Undetermined,
            since,
            stated: since,
            reason: StringId::NONE,
            stack: StackId::NONE,
            blocked: false,
            began: EventNo::MAX,
            found: false,
            lost: Time::MAX,
            seen: false,
            gone: false,
        }
    }

    /// The wait that it is in, up to `until`; of one that went on when the recording began, from `floor` on.
    fn wait(&self, (g, floor): (&Goroutine, Time), go: GoIdx, until: Time, ended: EventNo) -> Stretch {
        let from = if self.began == EventNo::MAX { g.from.max(floor) } else { self.since };
        Stretch { len: until.max(from) - from, from, began: self.began, ended, go }
    }
}

/// The state between parts.
#[derive(Default)]
pub(crate) struct Commit {
    open: Vec<Open>,
    proc_states: Vec<Option<ProcState>>,
    /// Ps that were in a syscall, and with which goroutine.
    syscalling: FxHashMap<ProcIdx, GoIdx>,
    /// Of each process.
    go_ids: Vec<GoIds>,
    proc_ids: FxHashMap<ProcId, ProcIdx>,
    thread_ids: FxHashMap<ThreadId, ThreadIdx>,
    group_ids: FxHashMap<StringId, GroupId>,
    regions: Regions,
    tasks: Tasks,
    ranges: Ranges,
    parts: usize,
    /// The goroutines that were seen in the recording that is being added, and when the one before it ended.
    present: Vec<GoIdx>,
    floor: Time,
    /// The recording that is being added, and the process that it is of.
    recording: Option<usize>,
    process: u32,
    /// Whether a part of the recording was added.
    begun: bool,
    /// After how many parts the groups are summed again.
    next_regroup: usize,
}

/// The handles that a segment's positions stand for.
pub(crate) struct Handles {
    pub gos: Vec<GoIdx>,
    pub procs: Vec<ProcIdx>,
    pub threads: Vec<ThreadIdx>,
}

impl Commit {
    /// Handles for the goroutines, Ps and threads of a decoder's tables, of this process. All are known once their part is
    /// committed.
    pub fn handles(&self, tables: &crate::wire::tables::Tables, process: u32) -> Handles {
        let ids = self.go_ids.get(process as usize);
        let go = |id: &GoId| ids.and_then(|m| m.get(*id)).unwrap_or_default();
        Handles {
            gos: tables.gos.iter().map(go).collect(),
            procs: tables.procs.iter().map(|id| self.proc_ids.get(id).copied().unwrap_or_default()).collect(),
            threads: tables.threads.iter().map(|id| self.thread_ids.get(id).copied().unwrap_or_default()).collect(),
        }
    }

    /// Takes over who is who from an index that is complete already.
    pub fn know(&mut self, index: &Index) {
        for (i, g) in (0u32..).zip(&index.goroutines) {
            self.ids(g.process.into()).insert(g.id, GoIdx(i));
        }
        self.proc_ids = (0u16..).zip(&index.procs).map(|(i, p)| (p.id, ProcIdx(i))).collect();
        self.thread_ids = (0u16..).zip(&index.threads).map(|(i, t)| (t.id, ThreadIdx(i))).collect();
    }

    /// Adds the next part to the index; `maps` has the handles of its strings and stacks.
    pub fn add(&mut self, index: &mut Index, mut part: Part, maps: &Maps) {
        let links = std::mem::take(&mut part.waited.links);
        if self.parts > 0 {
            part.not_before(index.end);
        } else {
            index.start = part.start;
            index.end = part.start;
        }
        self.parts += 1;
        if !self.begun
            && let Some(r) = index.recordings.last_mut()
        {
            (r.from, r.to) = (part.start, part.start);
        }
        let procs: Vec<ProcIdx> = part.ids.procs.iter().map(|&id| self.proc(index, id)).collect();
        for &id in &part.ids.threads {
            self.thread(index, id);
        }
        index.first = index.first.or(part.first);
        let before = index.goroutines.len();
        let gos: Vec<GoIdx> = part.ids.gos.iter().map(|&id| self.go(index, id, part.start)).collect();

        self.add_procs(index, &part, &procs);
        self.enter(index, &part, &gos, &procs, maps, before);
        self.close_heads(index, &part.heads, &part.gos, &gos, &procs, maps, &part);
        self.leave(index, &part, &gos, maps);
        self.add_counts(index, &part, maps);
        add_links(index, links, &gos, maps);
        add_singles(index, &part.waited.first, true, &gos, maps);
        add_singles(index, &part.waited.singles, false, &gos, maps);
        index.totals.waits_missing |= part.waited.missing;
        for (p, row) in procs.iter().zip(&part.procs) {
            match row.syscalling {
                UNTOUCHED => {}
                NONE => _ = self.syscalling.remove(p),
                go => {
                    if let Some(&go) = gos.get(go as usize) {
                        self.syscalling.insert(*p, go);
                    }
                }
            }
        }
        self.replay(index, &part, &gos, &procs, maps);

        for (go, e) in &part.drawn.entries {
            let go = gos[*go as usize];
            let carried = self.open[go.index()].state;
            index.grid.add(go, *e, carried);
        }
        index.grid.add_all(part.drawn.first_cell, &part.drawn.all_running, &part.drawn.all_runnable);
        for s in &part.segments {
            let mut stacks: Vec<StackId> = s.stacks.iter().map(|&i| maps.stack(i)).filter(|s| s.is_some()).collect();
            stacks.sort_unstable();
            stacks.dedup();
            // Generations overlap by a little; in the order that we show, time does not run backwards.
            let from = s.from.max(index.end);
            let to = s.to.max(from);
            index.segments.push(SegmentInfo { first: index.events, len: s.len, from, to, stacks, kinds: s.kinds });
            index.events += u64::from(s.len);
            index.end = index.end.max(to);
        }
        index.end = index.end.max(part.end);
        self.begun = true;
        if let Some(r) = index.recordings.last_mut() {
            r.to = index.end;
        }
        index.grid.fit();
        index.grid.set_end(index.end);
        index.samples = index.totals.of_kind(Kind::CpuSample);
        if self.parts >= self.next_regroup {
            // Rarer as it comes to take longer and to change less.
            self.next_regroup = self.parts + 1 + index.goroutines.len() / 20_000 + self.parts / 16;
            self.regroup(index);
        }
    }

    fn go(&mut self, index: &mut Index, id: GoId, from: Time) -> GoIdx {
        let process = self.process;
        if let Some(g) = self.ids(process).get(id) {
            return g;
        }
        let g = GoIdx(index.goroutines.len() as u32);
        let number = u16::try_from(process).unwrap_or(u16::MAX);
        index.goroutines.push(Goroutine { process: number, ..Goroutine::new(id, from) });
        self.open.push(Open::new(from));
        let unknown = self.group(index, "");
        index.goroutines[g.index()].group = unknown;
        index.grid.join_group(g, unknown);
        self.ids(process).insert(id, g);
        g
    }

    /// The goroutines of a process by number.
    fn ids(&mut self, process: u32) -> &mut GoIds {
        let i = process as usize;
        if i >= self.go_ids.len() {
            self.go_ids.resize_with(i + 1, GoIds::default);
        }
        &mut self.go_ids[i]
    }

    fn group(&mut self, index: &mut Index, name: &str) -> GroupId {
        let owner = Owner::of_goroutine(name);
        let name = index.dict.string(name);
        *self.group_ids.entry(name).or_insert_with(|| {
            index.groups.push(crate::model::Group { name, owner, ..crate::model::Group::default() });
            GroupId(index.groups.len() as u32 - 1)
        })
    }

    fn proc(&mut self, index: &mut Index, id: ProcId) -> ProcIdx {
        let next = ProcIdx(index.procs.len().min(usize::from(u16::MAX)) as u16);
        let p = *self.proc_ids.entry(id).or_insert(next);
        if p == next && p.is_some() {
            index.procs.push(Proc { id, running: Duration::ZERO });
            self.proc_states.push(None);
        }
        p
    }

    fn thread(&mut self, index: &mut Index, id: ThreadId) {
        let next = ThreadIdx(index.threads.len().min(usize::from(u16::MAX)) as u16);
        if *self.thread_ids.entry(id).or_insert(next) == next && next.is_some() {
            index.threads.push(Thread { id });
        }
    }

    /// Goroutines enter the part: created, or stated.
    fn enter(&mut self, index: &mut Index, part: &Part, gos: &[GoIdx], procs: &[ProcIdx], maps: &Maps, before: usize) {
        for (row, &go) in part.gos.iter().zip(gos) {
            let i = go.index();
            let new = i >= before || !self.open[i].seen;
            if i < before && new && self.open[i].since < self.floor {
                self.open[i] = Open::new(self.floor);
            }
            match row.entrance {
                Entrance::Unseen => continue,
                Entrance::Carried => {}
                Entrance::Created { at, by, stack } => {
                    let g = &mut index.goroutines[i];
                    let earlier = row.few.as_ref().and_then(|few| few.earlier.as_ref());
                    if !new || earlier.is_some() {
                        let mut e = Earlier { times: g.times, blocked: g.blocked.clone() };
                        if let Some((times, reasons)) = earlier {
                            e.times.add(times);
                            for &(reason, d) in reasons {
                                add_reason(&mut e.blocked, maps.string(reason), d);
                            }
                        }
                        g.rare_mut().earlier = Some(Box::new(e));
                    }
                    let o = &self.open[i];
                    index.totals.waits_missing |= o.found || o.seen && o.state == GoState::Waiting;
                    (g.ended, g.born, g.cut) = (None, true, false);
                    if let Some(rare) = &mut g.rare {
                        rare.gone = None;
                    }
                    self.open[i].gone = false;
                    g.from = at;
                    g.creator = gos.get(by as usize).copied().unwrap_or_default();
                    g.created_at = maps.stack(stack);
                }
                Entrance::Stated { state, at, proc, stack } => {
                    let key = if new { (GoState::Undetermined, state) } else { (state, state) };
                    *index.totals.go_transitions.entry((key.0, key.1, StringId::NONE)).or_default() += 1;
                    if new {
                        self.name(index, go, maps.stack(stack));
                        // It outlived the recording before.
                        let g = &mut index.goroutines[i];
                        if std::mem::take(&mut g.cut) {
                            g.ended = None;
                        }
                        let o = &mut self.open[i];
                        (o.state, o.since, o.stated) = (state, part.start, at);
                        o.stack = maps.stack(stack);
                        o.found = state == GoState::Waiting;
                        index.grid.begin(go, part.start, state);
                        if state == GoState::Syscall {
                            // As Go's summarizer has it: until the statement with the P it is stated with or without
                            // one, from then on as if it had one.
                            let d = at - part.start;
                            let t = &mut index.goroutines[i].times;
                            match procs.get(proc as usize) {
                                Some(&p) => {
                                    t.syscall += d;
                                    self.syscalling.insert(p, go);
                                }
                                None => t.syscall_blocked += d,
                            }
                            o.since = at;
                        }
                    }
                }
            }
            if !std::mem::replace(&mut self.open[i].seen, true) {
                self.present.push(go);
            }
            self.name(index, go, maps.stack(row.first_stack));
        }
    }

    /// Gives a goroutine its start function, if it has none yet: the root of its first stack.
    fn name(&mut self, index: &mut Index, go: GoIdx, stack: StackId) {
        let i = go.index();
        if index.goroutines[i].entry.is_some() {
            return;
        }
        let Some(root) = index.dict.root(stack) else { return };
        if index.dict.func_name(root.func).is_empty() {
            return;
        }
        index.goroutines[i].entry = root.func;
        let name = index.dict.func_name(root.func).to_owned();
        let group = self.group(index, &name);
        index.goroutines[i].group = group;
        index.grid.join_group(go, group);
    }

    /// Closes the intervals that were open when the part began.
    #[allow(clippy::too_many_arguments)]
    fn close_heads(
        &mut self,
        index: &mut Index,
        heads: &[Head],
        rows: &[GoRow],
        gos: &[GoIdx],
        procs: &[ProcIdx],
        maps: &Maps,
        part: &Part,
    ) {
        for (p, row) in procs.iter().zip(&part.procs) {
            if row.first_idle != Time::MAX
                && let Some(go) = self.syscalling.get(p)
                && self.open[go.index()].state == GoState::Syscall
            {
                let o = &mut self.open[go.index()];
                o.lost = o.lost.min(row.first_idle);
                self.syscalling.remove(p);
            }
        }
        let floor = recording_start(index);
        for h in heads {
            let Some(&go) = gos.get(h.go as usize) else { continue };
            let o = self.open[go.index()];
            let g = &mut index.goroutines[go.index()];
            if let Entrance::Created { .. } = rows[h.go as usize].entrance {
                continue;
            }
            close(g, &o, h.until);
            let d = h.until - o.since;
            match o.state {
                GoState::Waiting => {
                    if o.blocked {
                        index.totals.waits.entry(o.reason).or_default().add(d);
                    }
                    if h.kind != Kind::GoUnblock {
                        index.totals.waits_missing = true;
                        continue;
                    }
                    let wait = o.wait((g, floor), go, h.until, index.events + h.no);
                    let waker = gos.get(h.by as usize).copied().unwrap_or_default();
                    let link = Link {
                        waiter: party(index, go),
                        reason: o.reason,
                        waiter_stack: o.stack,
                        waker: party(index, waker),
                        waker_stack: maps.stack(h.stack),
                    };
                    if o.blocked {
                        let sums = index.totals.links.entry(link).or_default();
                        sums.tally.add(d);
                        sums.waits.add(wait);
                    } else {
                        index.totals.other_waits.entry((link, true)).or_default().add(wait);
                    }
                }
                GoState::Runnable => index.totals.sched.add(h.until - o.stated),
                GoState::Syscall => {
                    index.totals.syscalls.add(h.until - o.stated);
                    let call = o.wait((g, floor), go, h.until, index.events + h.no);
                    let link = call_link(party(index, go), o.stack);
                    index.totals.calls.entry((link, true)).or_default().add(call);
                }
                _ => {}
            }
        }
    }

    /// Goroutines leave the part: sums, and the state that is open at its end.
    fn leave(&mut self, index: &mut Index, part: &Part, gos: &[GoIdx], maps: &Maps) {
        for (row, &go) in part.gos.iter().zip(gos) {
            let i = go.index();
            let g = &mut index.goroutines[i];
            g.events += u64::from(row.events);
            g.times.add(&row.times());
            g.longest_wait = g.longest_wait.max(row.longest_wait);
            for (reason, d) in row.by_reason() {
                add_reason(&mut g.blocked, maps.string(reason), d);
            }
            if let Some(few) = &row.few {
                g.samples += u64::from(few.samples);
                if few.label != NONE {
                    g.label = maps.string(few.label);
                }
            }
            g.ended = row.ended().or(g.ended);
            if row.since == Time::MIN {
                continue; // Still in the state in which it entered.
            }
            let reason = maps.string(row.reason);
            let forever = row.state == GoState::Waiting && index.dict.str(reason) == FOREVER;
            let o = &mut self.open[i];
            o.state = row.state;
            o.since = row.since;
            o.stated = row.since;
            o.reason = reason;
            o.stack = maps.stack(row.stack);
            o.blocked = row.blocked;
            o.began = index.events + row.began;
            o.lost = row.lost();
            if forever {
                o.gone = true;
                g.rare_mut().gone = Some(row.since);
            }
        }
    }
}

/// A syscall made in a stack, as a link to nobody.
fn call_link(waiter: Party, waiter_stack: StackId) -> Link {
    Link { waiter, reason: StringId::NONE, waiter_stack, waker: Party::Nobody, waker_stack: StackId::NONE }
}

/// Name of the range of concurrent marking, as Go's reader calls it.
pub const GC_MARK: &str = "GC concurrent mark phase";
/// Name of the range of a P's sweeping.
pub const GC_SWEEP: &str = "GC incremental sweep";
/// Name of the range of a goroutine's mark assist.
pub const GC_ASSIST: &str = "GC mark assist";

fn add_reason(sums: &mut Reasons, reason: StringId, d: Duration) {
    match sums.binary_search_by_key(&reason, |s| s.0) {
        Ok(i) => sums[i].1 += d,
        Err(i) => sums.insert(i, (reason, d)),
    }
}

/// Accounts the open interval of a goroutine up to `until`. Returns how long its syscall had lost its P.
fn close(g: &mut Goroutine, o: &Open, until: Time) -> Duration {
    let d = Duration((until - o.since).0.max(0));
    match o.state {
        GoState::Running => g.times.running += d,
        GoState::Runnable => g.times.runnable += d,
        GoState::Waiting => {
            g.times.waiting += d;
            g.longest_wait = g.longest_wait.max(d);
            add_reason(&mut g.blocked, o.reason, d);
        }
        GoState::Syscall => {
            let lost = o.lost.max(o.since).min(until.max(o.since));
            g.times.syscall += lost - o.since;
            g.times.syscall_blocked += until.max(lost) - lost;
            return until.max(lost) - lost;
        }
        GoState::NotExist | GoState::Undetermined => {}
    }
    Duration::ZERO
}
