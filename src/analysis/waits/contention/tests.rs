use super::*;
use crate::analysis::states::source::Unanswered;
use crate::base::{FrameId, GoId, GroupId, ProcIdx, StackId, StringId, ThreadIdx};
use crate::build::SegmentBuilder;
use crate::build::commit::{Handles, Maps};
use crate::build::observe::{Events, NONE, Names, Observer, Row, Tables};
use crate::model::dict::{Frame, Func};
use crate::model::segment::Kind;
use crate::model::totals::{Link, Party};
use crate::model::{Detail, Event, Goroutine, Group, Segment, SegmentInfo};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A trace made by hand.
struct Made {
    index: Index,
    segments: Vec<Arc<Segment>>,
    waits: Vec<Wait>,
    /// By goroutine, since when it was in which state.
    states: Vec<Vec<(i64, GoState)>>,
    end: i64,
}

/// A wait in class `class`, and who ended it.
#[derive(Clone, Copy, Debug)]
struct Wait {
    class: usize,
    go: usize,
    from: i64,
    to: i64,
    by: Option<usize>,
    ended: usize,
}

impl Source for Made {
    fn with_index(&self, f: &mut dyn FnMut(&Index)) {
        f(&self.index);
    }

    fn segment(&self, i: usize) -> Result<Arc<Segment>, Unanswered> {
        self.segments.get(i).cloned().ok_or(Unanswered::NoTrace)
    }
}

const GOS: usize = 6;
const START: i64 = 1000;
/// Two locks, and a channel through which tokens go.
const CLASSES: usize = 3;
const CHANNEL: usize = 2;

fn stack(index: &mut Index, frames: &[(&str, u32)]) -> StackId {
    let mut stack = StackId::NONE;
    for &(name, line) in frames {
        let (name, file) = (index.dict.string(name), index.dict.string("x.go"));
        let func = index.dict.func(Func { name, file });
        let frame: FrameId = index.dict.frame(Frame { func, line, pc: 0 });
        stack = index.dict.push_frame(stack, frame);
    }
    stack
}

/// Goroutines take turns to run, wait for one of the classes, and end waits of others; each step lets one do what it can. At least `least` lies between two events.
fn make(steps: &[(u8, u8, u8, u8)], least: i64) -> Made {
    let mut index = Index { start: Time(START), ..Index::default() };
    let (mut wait_at, mut end_at, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    for c in 0..CLASSES as u32 {
        let (lock, unlock, reason) = match c as usize {
            CHANNEL => ("runtime.chanrecv1", "runtime.chansend1", "chan receive"),
            _ => ("sync.(*Mutex).Lock", "sync.(*Mutex).Unlock", "sync"),
        };
        wait_at.push(stack(&mut index, &[("main.take", 10 + c), (lock, 1)]));
        end_at.push(stack(&mut index, &[("main.give", 20 + c), (unlock, 2)]));
        reasons.push(index.dict.string(reason));
    }
    let mut events: Vec<Event> = Vec::new();
    let mut now = START;
    let mut state = [GoState::Runnable; GOS];
    // The last one was waiting when the trace began, and nobody knows what for.
    state[GOS - 1] = GoState::Waiting;
    let mut waiting: [Option<(Option<usize>, i64)>; GOS] = [None; GOS];
    waiting[GOS - 1] = Some((None, START));
    let mut states: Vec<Vec<(i64, GoState)>> = state.iter().map(|&s| vec![(START, s)]).collect();
    let mut seen = [false; GOS];
    let mut waits = Vec::new();
    for &(g, op, class, dt) in steps {
        let (g, class) = (usize::from(g) % GOS, usize::from(class) % CLASSES);
        now += i64::from(dt % 11).max(least);
        let mut push = |kind, go: usize, by: Option<usize>, stack, detail| {
            let go_of = |g: usize| GoIdx(g as u32);
            events.push(Event {
                no: events.len() as u64,
                time: Time(now),
                kind,
                go: go_of(go),
                by: by.map_or(GoIdx::NONE, go_of),
                proc: ProcIdx(0),
                thread: ThreadIdx(0),
                stack,
                detail,
            });
            events.len() - 1
        };
        if !std::mem::replace(&mut seen[g], true) {
            // Since Go 1.23 the stack of one that waits is stated, too.
            let stated = (state[g] == GoState::Waiting && op % 2 == 1).then_some(class);
            let stack = stated.map_or(StackId::NONE, |c| wait_at[c]);
            push(Kind::GoStatus, g, None, stack, Detail::GoStatus(state[g]));
            if stated.is_some() {
                waiting[g] = Some((stated, START));
            }
        }
        let runner = (0..GOS).find(|&r| state[r] == GoState::Running);
        let to = match (state[g], runner) {
            (GoState::Runnable, None) => {
                push(Kind::GoStart, g, None, StackId::NONE, Detail::None);
                GoState::Running
            }
            (GoState::Running, _) if op % 3 == 0 => {
                push(Kind::GoStop, g, Some(g), StackId::NONE, Detail::Reason(StringId::NONE));
                GoState::Runnable
            }
            (GoState::Running, _) => {
                push(Kind::GoBlock, g, Some(g), wait_at[class], Detail::Reason(reasons[class]));
                waiting[g] = Some((Some(class), now));
                GoState::Waiting
            }
            (GoState::Waiting, Some(by)) => {
                let (of, from) = waiting[g].take().unwrap();
                let of_class = of.unwrap_or(class);
                let no = push(Kind::GoUnblock, g, Some(by), end_at[of_class], Detail::None);
                waits.push(Wait { class: of_class, go: g, from, to: now, by: Some(by), ended: no });
                GoState::Runnable
            }
            _ => continue,
        };
        state[g] = to;
        states[g].push((now, to));
    }
    // That a wait at one line was once ended at another is what tells that both are of one class.
    for c in 0..CLASSES {
        let (waiter, waker) = (Party::Go(GoIdx(0)), Party::Go(GoIdx(1)));
        let link = Link { waiter, reason: reasons[c], waiter_stack: wait_at[c], waker, waker_stack: end_at[c] };
        index.totals.links.entry(link).or_default();
    }
    for (g, w) in waiting.iter().enumerate() {
        if let Some((Some(class), from)) = *w {
            waits.push(Wait { class, go: g, from, to: now, by: None, ended: usize::MAX });
        }
    }
    let mut segments = Vec::new();
    for part in events.chunks(7) {
        let mut b = SegmentBuilder::new(part[0].no);
        for e in part {
            b.push(*e);
        }
        segments.push(Arc::new(b.finish()));
        index.segments.push(SegmentInfo {
            first: part[0].no,
            len: part.len() as u32,
            from: part[0].time,
            to: part[part.len() - 1].time,
            stacks: Vec::new(),
            kinds: u64::MAX,
        });
    }
    index.end = events.last().map_or(index.start, |e| e.time);
    index.events = events.len() as u64;
    for g in 0..GOS {
        let name = index.dict.string(&format!("main.g{g}"));
        index.groups.push(Group { name, ..Group::default() });
        let group = GroupId(g as u32);
        index.goroutines.push(Goroutine { group, ..Goroutine::new(GoId(g as u64), index.start) });
    }
    let end = index.end.0;
    for w in waits.iter_mut().filter(|w| w.by.is_none()) {
        w.to = end;
    }
    Made { index, segments, waits, states, end }
}

/// The line in `main.take` by which a class is known.
fn class_of(c: &Contention, x: &Contended) -> usize {
    let lines = x.waits_at.iter().map(|w| w.0).chain(x.ended_at.iter().map(|e| e.0));
    let line = lines.filter_map(|p| c.places.get(p)).map(|(_, line)| line).next().unwrap();
    line as usize % 10
}

/// What the rule says, moment by moment: by class, who caused how much delay; what nobody is known to have caused; and
/// what holders did meanwhile.
type Rule = BTreeMap<usize, (BTreeMap<String, i64>, i64, BTreeMap<GoState, i64>)>;

fn rule(made: &Made) -> Rule {
    let mut out = Rule::new();
    for w in &made.waits {
        out.entry(w.class).or_default();
    }
    for (&class, (blame, rest, held)) in &mut out {
        let of: Vec<&Wait> = made.waits.iter().filter(|w| w.class == class).collect();
        let mut releases: Vec<(i64, usize, usize)> = of.iter().filter_map(|w| Some((w.to, w.ended, w.by?))).collect();
        releases.sort_unstable();
        let depth = |t: i64| of.iter().filter(|w| w.from <= t && t < w.to).count() as i64;
        let state = |g: usize, t: i64| made.states[g].iter().rev().find(|s| s.0 <= t).unwrap().1;
        for t in START..made.end {
            match releases.iter().find(|r| r.0 > t) {
                Some(r) => *blame.entry(format!("main.g{}", r.2)).or_default() += depth(t),
                None => *rest += depth(t),
            }
            for (i, &(at, _, by)) in releases.iter().enumerate() {
                // Since when it held what it released then.
                let since = if class == CHANNEL {
                    let woken = of.iter().filter(|w| w.go == by && w.by.is_some() && w.to <= at && w.to > w.from);
                    let woken = woken.map(|w| w.to).max().unwrap_or(START);
                    let gave = releases[..i].iter().filter(|r| r.2 == by).map(|r| r.0).max().unwrap_or(START);
                    // Whoever comes while somebody waits must queue.
                    let busy = (START..at).rev().find(|&t| depth(t) == 0).map_or(START, |t| t + 1);
                    woken.max(gave).max(busy)
                } else {
                    releases[..i].last().map_or(START, |r| r.0)
                };
                if since <= t && t < at && depth(t) > 0 {
                    *held.entry(state(by, t)).or_default() += depth(t);
                }
            }
        }
        blame.retain(|_, d| *d > 0);
    }
    out
}

fn found(c: &Contention) -> Rule {
    let mut out = Rule::new();
    for x in &c.classes {
        let (blame, rest, held) = out.entry(class_of(c, x)).or_default();
        assert_eq!(
            x.blame.iter().map(|b| b.delay).sum::<Duration>() + x.unreleased,
            x.total,
            "the parts are the whole"
        );
        for b in x.blame.iter().filter(|b| b.delay > Duration::ZERO) {
            *blame.entry(b.who.clone()).or_default() += b.delay.ns();
        }
        *rest += x.unreleased.ns();
        for m in &x.while_held {
            *held.entry(m.state).or_default() += m.weight.ns();
        }
    }
    out
}

/// What a keeper that may keep so many steps keeps of a trace that comes in so many units.
fn keep(made: &Made, units: usize, most: usize) -> Option<Kept> {
    let all = || 0..1 << 12;
    let maps = Maps { strings: all().map(StringId).collect(), stacks: all().map(StackId).collect() };
    let handles = Handles { gos: all().map(GoIdx).collect(), procs: Vec::new(), threads: Vec::new() };
    let keeper = Keeper::holding(most);
    for unit in made.segments.chunks(made.segments.len().div_ceil(units).max(1)) {
        let mut watch = keeper.unit(Time(START), &Tables::default(), units == 1);
        for seg in unit {
            let mut events = Events::default();
            for i in 0..seg.len() {
                let e = seg.event(i);
                let arg = match e.detail {
                    Detail::Reason(r) => r.0,
                    Detail::GoStatus(state) => state as u32,
                    _ => NONE,
                };
                let (go, by, stack) = (e.go.0, e.by.0, e.stack.0);
                events.push(Row { time: e.time, go, by, stack, arg, proc: 0, thread: 0, kind: e.kind });
            }
            watch.events(&events);
        }
        watch.end();
        watch.commit(&Names { handles: &handles, maps: &maps, recording: 0 }, Time::MIN);
    }
    keeper.take()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn delay_belongs_to_who_releases_next(
        steps in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 0..120),
        apart in any::<bool>(),
    ) {
        let made = make(&steps, apart.into());
        let (c, mut want) = (contention(&made, None).unwrap(), rule(&made));
        let mut got = found(&c);
        if !apart {
            // Of several events at one instant, counting moments does not tell who held what in between.
            want.values_mut().chain(got.values_mut()).for_each(|c| c.2.clear());
        }
        prop_assert_eq!(got, want);
        // So does what was kept of the waits, however many units there are.
        for units in 1..=3 {
            let kept = contention(&made, keep(&made, units, 1000).as_ref()).unwrap();
            prop_assert_eq!(&kept.classes, &c.classes);
        }
        prop_assert!(made.waits.is_empty() || keep(&made, 1, 0).is_none());
    }
}

#[test]
fn a_janitor_is_blamed_for_what_it_held_up() {
    // g1 runs, two wait for it; it releases both after 15; then g2 releases g3's next wait after 1.
    let lock = 0;
    let steps = [
        (2, 0, lock, 0), // g2 starts
        (2, 1, lock, 0), // and waits
        (3, 0, lock, 5),
        (3, 1, lock, 0),
        (1, 0, lock, 0),  // g1 starts
        (2, 0, lock, 10), // g1 releases g2
        (3, 0, lock, 0),  // and g3
    ];
    let made = make(&steps, 0);
    let c = contention(&made, None).unwrap();
    assert_eq!(c.classes.len(), 1);
    let blame: Vec<_> = c.classes[0].blame.iter().map(|b| (b.who.as_str(), b.delay.ns(), b.releases)).collect();
    assert_eq!(blame, [("main.g1", 25, 2)]);
}

/// Puts events into a trace: when, what, to whom, by whom, in which stack, with what reason.
fn by_hand(index: &mut Index, events: &[(i64, Kind, u32, u32, StackId, Detail)]) -> Arc<Segment> {
    let mut b = SegmentBuilder::new(0);
    for (no, &(time, kind, go, by, stack, detail)) in (0u64..).zip(events) {
        let (go, by, proc, thread) = (GoIdx(go), GoIdx(by), ProcIdx(0), ThreadIdx(0));
        b.push(Event { no, time: Time(time), kind, go, by, proc, thread, stack, detail });
        let gos = &mut index.goroutines;
        while gos.len() <= go.index() {
            gos.push(Goroutine { group: GroupId(0), ..Goroutine::new(GoId(gos.len() as u64), index.start) });
        }
        if kind == Kind::GoCreate {
            gos[go.index()] = Goroutine { born: true, ..Goroutine::new(GoId(go.0.into()), Time(time)) };
        }
    }
    let (from, to) = (Time(events[0].0), Time(events[events.len() - 1].0));
    let len = events.len() as u32;
    index.segments.push(SegmentInfo { first: 0, len, from, to, stacks: Vec::new(), kinds: u64::MAX });
    (index.end, index.events) = (to, u64::from(len));
    Arc::new(b.finish())
}

#[test]
fn who_held_a_lock_before_its_last_holder_was_there_answers_for_that_time_and_not_the_creator() {
    use crate::analysis::waits::path::{What as Did, Window, path};
    let mut index = Index { start: Time(1000), ..Index::default() };
    let lock = stack(&mut index, &[("main.take", 10), ("sync.(*Mutex).Lock", 1)]);
    let unlock = stack(&mut index, &[("main.give", 20), ("sync.(*Mutex).Unlock", 2)]);
    let reason = Detail::Reason(index.dict.string("sync"));
    let (none, no_one) = (StackId::NONE, GoIdx::NONE.0);
    let running = Detail::GoStatus(GoState::Running);
    let events = [
        (1000, Kind::GoStatus, 0, no_one, none, running),
        (1000, Kind::GoStatus, 1, no_one, none, running),
        (1000, Kind::GoStatus, 2, no_one, none, running),
        (1000, Kind::GoStatus, 4, no_one, none, running),
        (1001, Kind::GoBlock, 1, 1, lock, reason),
        (1001, Kind::GoBlock, 2, 2, lock, reason),
        (1010, Kind::GoUnblock, 2, 0, unlock, Detail::None),
        (1010, Kind::GoStart, 2, no_one, none, Detail::None),
        (1015, Kind::GoCreate, 3, 4, none, Detail::Entry(none)),
        (1016, Kind::GoStart, 3, no_one, none, Detail::None),
        (1030, Kind::GoUnblock, 1, 3, unlock, Detail::None),
    ];
    let segments = vec![by_hand(&mut index, &events)];
    let (waiter, waker) = (Party::Go(GoIdx(1)), Party::Go(GoIdx(3)));
    let link = Link { waiter, reason: index.dict.string("sync"), waiter_stack: lock, waker, waker_stack: unlock };
    index.totals.links.entry(link).or_default();
    let made = Made { index, segments, waits: Vec::new(), states: Vec::new(), end: 1030 };
    let window = Window { go: GoIdx(1), from: Time(1001), to: Time(1030), end: None };
    let p = path(&made, window).unwrap();
    let got: Vec<_> = p.pieces.iter().map(|p| (p.go.0, p.what, p.len().ns())).collect();
    let want = [(0, Did::Running, 9), (2, Did::Running, 5), (3, Did::Runnable, 1), (3, Did::Running, 14)];
    assert_eq!(got, want);
}

/// Goroutines that wait to send or receive at the lines of one class, and who ends that: when, whose, from where, by whom.
fn at_channels(events: &[(i64, bool, u32, Option<u32>)]) -> Contended {
    let mut index = Index { start: Time(0), ..Index::default() };
    let group = index.dict.string("main.g");
    index.groups.push(Group { name: group, ..Group::default() });
    let send = stack(&mut index, &[("main.give", 10), ("runtime.chansend1", 1)]);
    let receive = stack(&mut index, &[("main.take", 20), ("runtime.chanrecv1", 2)]);
    let reasons = ["chan send", "chan receive"].map(|r| index.dict.string(r));
    let side = |sender: bool| if sender { (reasons[0], send, receive) } else { (reasons[1], receive, send) };
    let mut all: Vec<_> = Vec::new();
    for g in 0..=events.iter().flat_map(|e| [e.2, e.3.unwrap_or(0)]).max().unwrap_or(0) {
        let running = Detail::GoStatus(GoState::Running);
        all.push((0, Kind::GoStatus, g, GoIdx::NONE.0, StackId::NONE, running));
    }
    all.extend(events.iter().map(|&(at, sender, go, by)| match by {
        None => (at, Kind::GoBlock, go, go, side(sender).1, Detail::Reason(side(sender).0)),
        Some(by) => (at, Kind::GoUnblock, go, by, side(sender).2, Detail::None),
    }));
    for sender in [true, false] {
        let (reason, waiter_stack, waker_stack) = side(sender);
        let (waiter, waker) = (Party::Go(GoIdx(0)), Party::Go(GoIdx(1)));
        index.totals.links.entry(Link { waiter, reason, waiter_stack, waker, waker_stack }).or_default();
    }
    let segments = vec![by_hand(&mut index, &all)];
    let made = Made { index, segments, waits: Vec::new(), states: Vec::new(), end: 0 };
    let c = contention(&made, None).unwrap();
    assert_eq!(c.classes.len(), 1);
    let x = c.classes[0].clone();
    assert_eq!(x.blame.iter().map(|b| b.delay).sum::<Duration>() + x.unreleased, x.total);
    x
}

#[test]
fn senders_that_nobody_receives_from_are_not_laid_to_those_who_send_elsewhere() {
    // g0 sends for ever; g1 waits for an answer of its own, which g2 sends at the same line.
    let x = at_channels(&[(100, true, 0, None), (200, false, 1, None), (300, false, 1, Some(2))]);
    let blame: Vec<_> = x.blame.iter().map(|b| (b.delay.ns(), b.releases)).collect();
    assert_eq!((blame, x.unreleased.ns(), x.total.ns()), (vec![(100, 1)], 200, 300));
    assert!(!x.several);
}

#[test]
fn a_sender_that_others_overtake_waits_at_another_channel() {
    const MS: i64 = 1_000_000;
    let mut events = vec![(0, true, 0, None)];
    for n in 1..=4 {
        // Each waits for 1 ms, and g9 receives.
        events.extend([(n * 10 * MS, true, n as u32, None), ((n * 10 + 1) * MS, true, n as u32, Some(9))]);
    }
    let x = at_channels(&events);
    let blame: Vec<_> = x.blame.iter().map(|b| (b.delay.ns(), b.releases)).collect();
    assert_eq!((blame, x.unreleased.ns(), x.several), (vec![(4 * MS, 4)], 41 * MS, true));
    // Of one channel nobody overtakes: g9 answers for who is still in the queue.
    let mut events: Vec<_> = (0..6).map(|n| (i64::from(n) * 10 * MS, true, n, None)).collect();
    events.extend((0..5).map(|n| ((100 + 10 * i64::from(n)) * MS, true, n, Some(9))));
    let x = at_channels(&events);
    assert_eq!((x.several, x.unreleased.ns()), (false, 0));
    assert_eq!(x.blame.iter().map(|b| b.delay.ns()).sum::<i64>(), x.total.ns());
}

#[test]
fn closing_a_channel_wakes_the_last_one_first_and_shows_no_second_channel() {
    let mut index = Index::default();
    let close = stack(&mut index, &[("main.stop", 30)]);
    let how = Reasons::default().how(&index.dict, close);
    assert_eq!(how, Some(How::Close));
    let mut each = each::Each::default();
    for n in 0..9 {
        each.come(GoIdx(n), Time(i64::from(n) * 1_000_000), line::Order::Receivers);
    }
    for n in (0..9).rev() {
        each.leave(GoIdx(n));
        let (by, began) = ((GroupId(0), PlaceId(0), how), Time(i64::from(n) * 1_000_000));
        each.release(
            (GoIdx(9), by),
            (line::Order::Receivers, began),
            (began, Time(9_000_000), Time(9_000_000)),
            Time(0),
            true,
        );
    }
    assert!(!each.several());
}
