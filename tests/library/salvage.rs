//! Traces that are cut off, damaged, or break the rules: what is whole is there, and what is lost is said.

use crate::common;
use crate::encoder;

use common::load_bytes as load;
use encoder::{Trace as Encoder, batch, event, stacks, strings};
use gotrail::model::Detail;
use gotrail::read::Trace;
use gotrail::wire::event::Kind;
use gotrail::wire::v2::batch::scan;
use gotrail::wire::v2::spec::id;
use std::path::Path;

/// How many events each generation has, its own beginning included.
fn events_by_generation(trace: &Trace) -> Vec<usize> {
    let mut out = Vec::new();
    let segments = trace.index().segments.len();
    for i in 0..segments {
        for k in &trace.segment(i).unwrap().kind {
            if *k == Kind::Sync {
                out.push(0);
            }
            *out.last_mut().unwrap() += 1;
        }
    }
    out
}

/// Two generations, in each of which goroutine 1 starts goroutine 2 and waits for it.
fn two_generations() -> Vec<u8> {
    let mut t = Encoder::new(26);
    for g in 1..=2u64 {
        let at = g * 1_000_000;
        let mut body = event(id::PROC_STATUS, 1, &[0, 1]);
        body.extend(event(id::GO_STATUS, 1, &[1, 7, 2]));
        body.extend(event(id::GO_BLOCK, 50, &[2, 1]));
        body.extend(event(id::GO_STATUS, 50, &[2, u64::MAX, 4]));
        body.extend(event(id::GO_UNBLOCK, 50, &[2, 1, 0]));
        body.extend(event(id::GO_START, 50, &[2, 2]));
        body.extend(event(id::GO_STOP, 50, &[3, 0]));
        t.push(batch(g, u64::MAX, at, &encoder::sync()));
        t.push(batch(g, 7, at, &body));
        t.push(batch(g, u64::MAX, at, &stacks(&[(1, &[(100, 4, 5, 12)])])));
        t.push(batch(g, u64::MAX, at, &strings(&["x", "sync", "preempted", "main.main", "/m.go"])));
        t.end_generation();
    }
    t.bytes
}

fn lost(trace: &Trace) -> Vec<String> {
    trace.index().losses.clone()
}

#[test]
fn a_whole_trace_lost_nothing() {
    let t = load(&two_generations());
    assert_eq!(lost(&t), Vec::<String>::new());
    assert_eq!(events_by_generation(&t), [8, 8]);
}

#[test]
fn cut_anywhere_the_whole_generations_are_there_and_the_loss_is_one_sentence() {
    let data = two_generations();
    let whole = load(&data);
    let full = events_by_generation(&whole);
    let ends: Vec<usize> = scan(&data, 26).generations.iter().map(|g| g.end).collect();
    for cut in 16..data.len() {
        let t = load(&data[..cut]);
        let have = events_by_generation(&t);
        let n = ends.iter().filter(|&&e| e <= cut).count();
        assert!(have.len() >= n && have[..n] == full[..n], "cut at {cut}: {have:?}");
        let said = lost(&t);
        let between = cut == 16 || ends.contains(&cut);
        assert_eq!(said.len(), usize::from(!between), "cut at {cut}: {said:?}");
    }
}

#[test]
fn real_traces_cut_anywhere_load() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for (name, minor) in [("annotations.trace", 26), ("annotations-go1.22.trace", 22), ("coroutine.trace", 26)] {
        let data = std::fs::read(root.join(name)).unwrap();
        let full = events_by_generation(&load(&data));
        let ends: Vec<usize> = scan(&data, minor).generations.iter().map(|g| g.end).collect();
        for cut in (16..=data.len()).rev().step_by(7) {
            let t = load(&data[..cut]);
            let n = ends.iter().filter(|&&e| e <= cut).count();
            assert_eq!(events_by_generation(&t)[..n], full[..n], "{name} cut at {cut}");
            assert!(lost(&t).len() <= 2, "{name} cut at {cut}: {:?}", lost(&t));
        }
    }
}

/// Not for every day: `cargo test --release --test library salvage -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes, and reads ../shared"]
fn traces_of_every_version_cut_in_steps_load() {
    let Some(root) = common::shared("corpus/traces") else { return };
    let names = ["annotations-go1.22", "allocfree-go1.23", "gc-stress-go1.24", "wait-on-pipe-go1.25", "stress-go1.26"];
    let more = ["cgo-callback-go1.27", "cpu-profile-go1.27", "generations-go1.27", "paycore-go1.21", "paycore-go1.27"];
    for name in names.into_iter().chain(more) {
        let data = std::fs::read(root.join(format!("{name}.trace"))).unwrap();
        let minor = gotrail::input::header(&data).unwrap();
        let full = events_by_generation(&load(&data));
        // The old format has no generations.
        let ends: Vec<usize> =
            if minor < 22 { Vec::new() } else { scan(&data, minor).generations.iter().map(|g| g.end).collect() };
        let (mut loaded, mut refused, mut whole) = (0, 0, 0);
        for cut in (0..data.len()).step_by(997) {
            let n = ends.iter().filter(|&&e| e <= cut).count();
            let Some(t) = common::try_load_bytes(&data[..cut]) else {
                assert_eq!(n, 0, "{name} cut at {cut} is refused");
                refused += 1;
                continue;
            };
            let have = events_by_generation(&t);
            assert!(have.len() >= n && have[..n] == full[..n], "{name} cut at {cut}: {have:?} of {full:?}");
            loaded += 1;
            whole += usize::from(n > 0);
        }
        println!(
            "{name}: {} generations; {loaded} cuts loaded, {whole} of them with whole ones, {refused} refused",
            ends.len()
        );
    }
}

#[test]
fn a_cut_generation_takes_its_reasons_from_the_one_before() {
    let data = two_generations();
    let second = scan(&data, 26).generations[1].clone();
    // After the events, before the tables.
    let cut = second.batches[1].offset + second.batches[1].len as usize;
    let t = load(&data[..cut]);
    let index = t.index();
    let segment = t.segment(index.segments.len() - 1).unwrap();
    let block = (0..segment.len()).map(|i| segment.event(i)).find(|e| e.kind == Kind::GoBlock).unwrap();
    let Detail::Reason(reason) = block.detail else { panic!("a block has a reason") };
    assert_eq!(index.dict.str(reason), "sync");
    assert!(!block.stack.is_some(), "a stack out of nowhere");
    assert!(index.losses[0].contains("its stacks are unknown"), "{:?}", index.losses);
    // The goroutine's name is known from the first generation all the same.
    assert_eq!(index.goroutine_name(block.go), "main.main");
}

#[test]
fn output_that_got_into_the_file_is_passed_over() {
    let data = two_generations();
    let first = scan(&data, 26).generations[0].clone();
    let full = events_by_generation(&load(&data));
    for at in [16, first.batches[0].offset + first.batches[0].len as usize, first.end] {
        let stray = b"2026/11/23 listening on :8080\n";
        let mixed = [&data[..at], stray, &data[at..]].concat();
        let t = load(&mixed);
        assert_eq!(events_by_generation(&t), full, "at {at}");
        assert_eq!(lost(&t), [format!("30 bytes at byte {at} are no part of a trace and were passed over")]);
    }
}

/// One generation, in which thread 7 does `body` after P 0 and goroutine 1 have been stated as running on it.
fn one(body: &[Vec<u8>]) -> Trace {
    let mut t = Encoder::new(26);
    let mut all = event(id::PROC_STATUS, 1, &[0, 1]);
    all.extend(event(id::GO_STATUS, 1, &[1, 7, 2]));
    all.extend(body.concat());
    t.push(batch(1, u64::MAX, 10, &encoder::sync()));
    t.push(batch(1, 7, 10, &all));
    t.push(batch(1, u64::MAX, 10, &strings(&["outer", "inner", "task"])));
    t.end_generation();
    load(&t.bytes)
}

#[test]
fn regions_that_do_not_match_and_tasks_that_conflict_are_said_and_no_more() {
    let t = one(&[
        event(id::REGION_BEGIN, 1, &[0, 1, 0]),
        event(id::REGION_BEGIN, 1, &[0, 2, 0]),
        event(id::REGION_END, 1, &[0, 1, 0]),
        event(id::TASK_BEGIN, 1, &[5, 0, 3, 0]),
        event(id::TASK_BEGIN, 1, &[5, 0, 3, 0]),
        event(id::TASK_END, 1, &[5, 0]),
        event(id::TASK_END, 1, &[5, 0]),
    ]);
    assert_eq!(t.index().events, 10);
    let said = lost(&t);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("1 regions end under another name"), "{said:?}");
    assert!(said[1].starts_with("1 tasks begin again"), "{said:?}");
}

#[test]
fn a_status_of_a_goroutine_that_nobody_knew_and_an_impossible_one_are_taken() {
    let t = one(&[
        event(id::GO_STATUS, 1, &[1 << 60, u64::MAX, 4]),
        event(id::GO_STATUS, 1, &[9, u64::MAX, 99]),
        event(id::GO_START, 1, &[77, 12]),
        event(id::GO_STOP, 1, &[1, 0]),
    ]);
    let said = lost(&t);
    assert_eq!(said, ["generation 1: 2 events contradict the others and were passed over or forced"]);
    let ids: Vec<u64> = t.index().goroutines.iter().map(|g| g.id.0).collect();
    assert_eq!(ids, [1, 1 << 60, 77]);
}

#[test]
fn many_holes_are_told_in_few_sentences() {
    let mut t = Encoder::new(26);
    for i in 0..50u64 {
        t.push(batch(1, 7, 10 + i, &event(id::HEAP_ALLOC, 1, &[i])));
        t.push(batch(1, 8, 10 + i, &event(id::HEAP_ALLOC, 1, &[i])));
        t.push(b"11 requests, 1111 bytes\n".to_vec());
    }
    t.push(batch(1, 7, 99, &event(id::HEAP_ALLOC, 1, &[0])));
    t.end_generation();
    let t = load(&t.bytes);
    assert_eq!(t.index().events, 102);
    assert!(lost(&t).len() <= 4, "{:?}", lost(&t));
}

#[test]
fn ps_without_number_and_without_end_take_little_room() {
    // Each says that it is held from the first instant to the last.
    let mut body = Vec::new();
    for p in 0..20_000u64 {
        body.push(event(id::PROC_STATUS, 0, &[p, 1]));
    }
    body.push(event(id::HEAP_ALLOC, 1 << 40, &[1]));
    let mut t = Encoder::new(26);
    for (i, b) in body.chunks(5000).enumerate() {
        t.push(batch(1, 7, 10 + i as u64, &b.concat()));
    }
    t.push(batch(1, 8, 1 << 41, &event(id::HEAP_ALLOC, 1, &[1])));
    t.end_generation();
    let t = load(&t.bytes);
    assert_eq!(t.index().procs.len(), 20_000);
    assert!(t.index().grid.bytes() < 64 << 20, "{} bytes", t.index().grid.bytes());
}

/// An event of an experiment shows as many arguments as it has, whatever was decoded before it.
#[test]
fn events_show_no_arguments_of_others() {
    let mut t = Encoder::new(26);
    let mut body = event(id::PROC_STATUS, 1, &[0, 1]);
    body.extend(event(id::GO_STATUS, 1, &[1, 7, 2]));
    body.extend(event(id::SPAN, 1, &[11, 12, 13]));
    body.extend(event(id::SPAN_FREE, 1, &[21]));
    t.push(batch(1, u64::MAX, 0, &encoder::sync()));
    t.push(batch(1, 7, 0, &body));
    t.end_generation();
    let trace = load(&t.bytes);
    let segment = trace.segment(0).unwrap();
    let shown: Vec<Detail> = (0..segment.len()).map(|i| segment.event(i).detail).collect();
    assert_eq!(shown[shown.len() - 2..], [Detail::Experiment([11, 12, 13, 0]), Detail::Experiment([21, 0, 0, 0])]);
}
