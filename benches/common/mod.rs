//! Traces to measure on: one that is named, or one that is made here.
//!
//! What is made is a plausible recording of Go 1.26 of a program that does nothing but pass the turn: goroutines that
//! wake each other across threads and block, at some 200 ns an event, a new generation each second, with stacks of
//! eight frames of which one in many thousands assigns to a map. The same size gives the same bytes.

use gotrail::input::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;

/// A trace's bytes, and where they are from.
pub struct Source {
    /// The bytes.
    pub bytes: Bytes,
    /// For the reader of the results.
    pub name: String,
}

/// The trace that `GOTRAIL_BENCH_TRACE` names, or one of `GOTRAIL_BENCH_MB` megabytes (16 if that is not set).
pub fn source() -> Source {
    if let Some(path) = std::env::var_os("GOTRAIL_BENCH_TRACE").filter(|p| !p.is_empty()) {
        let input = gotrail::input::open(&path).expect("GOTRAIL_BENCH_TRACE can be opened");
        return Source { bytes: input.bytes, name: input.name };
    }
    let mb = std::env::var("GOTRAIL_BENCH_MB").ok().and_then(|s| s.parse().ok()).unwrap_or(16);
    Source { bytes: Bytes::Memory(Arc::from(make(mb << 20))), name: format!("made here, {mb} MB") }
}

const THREADS: usize = 8;
const GOROUTINES: usize = 512;
const STACKS: u64 = 400;
const BATCH: usize = 63 << 10;
/// Clock units of 64 ns in a second.
const SECOND: u64 = 15_625_000;
const NOBODY: u64 = u64::MAX;

mod op {
    pub const BATCH: u8 = 1;
    pub const STACKS: u8 = 2;
    pub const STACK: u8 = 3;
    pub const STRINGS: u8 = 4;
    pub const STRING: u8 = 5;
    pub const FREQUENCY: u8 = 8;
    pub const PROC_STATUS: u8 = 13;
    pub const GO_START: u8 = 16;
    pub const GO_BLOCK: u8 = 20;
    pub const GO_UNBLOCK: u8 = 21;
    pub const GO_STATUS_STACK: u8 = 48;
    pub const SYNC: u8 = 50;
    pub const CLOCK_SNAPSHOT: u8 = 51;
    pub const END: u8 = 52;
}

fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// A thread's batch that is being filled.
#[derive(Default)]
struct Batch {
    data: Vec<u8>,
    from: u64,
    last: u64,
}

struct Maker {
    out: Vec<u8>,
    generation: u64,
    now: u64,
    batches: Vec<Batch>,
    random: u64,
}

impl Maker {
    fn random(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    fn batch(&mut self, thread: u64, at: u64, data: &[u8]) {
        self.out.push(op::BATCH);
        for n in [self.generation, thread, at, data.len() as u64] {
            varint(&mut self.out, n);
        }
        self.out.extend_from_slice(data);
    }

    fn flush(&mut self, thread: usize) {
        let b = std::mem::take(&mut self.batches[thread]);
        if !b.data.is_empty() {
            self.batch(thread as u64 + 1, b.from, &b.data);
        }
    }

    fn event(&mut self, thread: usize, op: u8, args: &[u64]) {
        self.now += 1 + self.random % 5;
        if self.batches[thread].data.len() > BATCH {
            self.flush(thread);
        }
        let b = &mut self.batches[thread];
        if b.data.is_empty() {
            (b.from, b.last) = (self.now, self.now);
        }
        b.data.push(op);
        varint(&mut b.data, self.now - b.last);
        b.last = self.now;
        for &a in args {
            varint(&mut b.data, a);
        }
    }

    fn tables(&mut self) {
        let mut strings = vec![op::STRINGS];
        let mut string = |id: u64, s: &str| {
            strings.push(op::STRING);
            varint(&mut strings, id);
            varint(&mut strings, s.len() as u64);
            strings.extend_from_slice(s.as_bytes());
        };
        string(1, "sync");
        string(2, "/src/bench/main.go");
        string(3, "runtime.mapassign_faststr");
        for i in 0..100 {
            string(10 + i, &format!("bench/work.(*Service{}).step{i}", i / 10));
        }
        let mut stacks = vec![op::STACKS];
        for id in 1..=STACKS {
            stacks.push(op::STACK);
            varint(&mut stacks, id);
            varint(&mut stacks, 8);
            for depth in 0..8 {
                let func = match depth {
                    0 if id == STACKS => 3,
                    7 => 10 + id % 10,
                    _ => 10 + (id * 7 + depth * 13) % 100,
                };
                for n in [0x40_0000 + func * 64 + depth, func, 2, 10 + func] {
                    varint(&mut stacks, n);
                }
            }
        }
        let now = self.now;
        self.batch(NOBODY, now, &strings);
        self.batch(NOBODY, now, &stacks);
    }

    fn clock(&mut self) {
        let mut clock = vec![op::SYNC, op::FREQUENCY];
        varint(&mut clock, SECOND);
        clock.push(op::CLOCK_SNAPSHOT);
        for n in [0, self.now * 64, 1_700_000_000, 0] {
            varint(&mut clock, n);
        }
        let now = self.now;
        self.batch(NOBODY, now, &clock);
    }
}

/// Makes a trace of about `size` bytes.
pub fn make(size: usize) -> Vec<u8> {
    let mut m = Maker {
        out: Vec::with_capacity(size + (1 << 20)),
        generation: 0,
        now: 1_000_000_000,
        batches: (0..THREADS).map(|_| Batch::default()).collect(),
        random: 1,
    };
    m.out.extend_from_slice(b"go 1.26 trace\0\0\0");
    // Who runs on each thread; who waits; who is ready.
    let mut running: Vec<usize> = (0..THREADS).collect();
    let mut waiting: Vec<usize> = (THREADS..GOROUTINES).collect();
    let mut ready: VecDeque<usize> = VecDeque::new();
    while m.out.len() < size {
        m.generation += 1;
        m.clock();
        let mut seq = [0u64; GOROUTINES];
        // Each goroutine comes by at a few places of its own.
        let stack = |m: &mut Maker, g: usize, place: u64| match m.random(20_000) {
            0 => STACKS,
            _ => 1 + (g as u64 * 3 + place) % (STACKS - 1),
        };
        for (t, &g) in running.iter().enumerate() {
            m.event(t, op::PROC_STATUS, &[t as u64, 1]);
            m.event(t, op::GO_STATUS_STACK, &[g as u64 + 1, t as u64 + 1, 2, 1]);
        }
        for (list, state) in [(Vec::from(ready.clone()), 1), (waiting.clone(), 4)] {
            for g in list {
                let s = stack(&mut m, g, 0);
                m.event(0, op::GO_STATUS_STACK, &[g as u64 + 1, NOBODY, state, s]);
            }
        }
        let end = m.now + SECOND;
        while m.now < end && m.out.len() < size {
            let t = m.random(THREADS as u64) as usize;
            // A goroutine wakes its neighbour, as the two ends of a channel do, or the first that waits.
            let neighbour = waiting.iter().position(|&g| g == running[t] ^ 1);
            let woken = waiting.swap_remove(neighbour.unwrap_or(0));
            seq[woken] += 1;
            let s = stack(&mut m, running[t], 1);
            m.event(t, op::GO_UNBLOCK, &[woken as u64 + 1, seq[woken], s]);
            ready.push_back(woken);
            let s = stack(&mut m, running[t], 2);
            m.event(t, op::GO_BLOCK, &[1, s]);
            waiting.push(running[t]);
            let next = ready.pop_front().expect("somebody was just made ready");
            seq[next] += 1;
            m.event(t, op::GO_START, &[next as u64 + 1, seq[next]]);
            running[t] = next;
        }
        for t in 0..THREADS {
            m.flush(t);
        }
        m.tables();
        m.out.push(op::END);
    }
    m.out
}
