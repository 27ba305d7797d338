//! Writes small traces of the newer format by hand, rules or no rules.

/// A trace in the making.
pub struct Trace {
    pub bytes: Vec<u8>,
}

impl Trace {
    /// Its header.
    pub fn new(minor: u32) -> Trace {
        let mut bytes = format!("go 1.{minor} trace").into_bytes();
        bytes.resize(16, 0);
        Trace { bytes }
    }

    /// Appends a batch, or anything else.
    pub fn push(&mut self, bytes: Vec<u8>) {
        self.bytes.extend(bytes);
    }

    /// Appends the marker that Go writes from 1.26 on.
    pub fn end_generation(&mut self) {
        self.bytes.push(52);
    }
}

pub fn number(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn numbers(ns: &[u64]) -> Vec<u8> {
    let mut out = Vec::new();
    ns.iter().for_each(|&n| number(n, &mut out));
    out
}

/// A batch of a generation and a thread that starts at `ts`, in clock units.
pub fn batch(generation: u64, thread: u64, ts: u64, body: &[u8]) -> Vec<u8> {
    let mut out = vec![1];
    out.extend(numbers(&[generation, thread, ts, body.len() as u64]));
    out.extend_from_slice(body);
    out
}

/// An event `dt` clock units after the one before.
pub fn event(op: u8, dt: u64, args: &[u64]) -> Vec<u8> {
    let mut out = vec![op];
    number(dt, &mut out);
    out.extend(numbers(args));
    out
}

/// A table of strings with the ids 1, 2, ….
pub fn strings(all: &[&str]) -> Vec<u8> {
    let mut out = vec![4];
    for (i, s) in all.iter().enumerate() {
        out.push(5);
        out.extend(numbers(&[i as u64 + 1, s.len() as u64]));
        out.extend_from_slice(s.as_bytes());
    }
    out
}

/// A table of stacks: ids, and frames (pc, function, file, line) from the leaf on.
pub fn stacks(all: &[(u64, &[(u64, u64, u64, u64)])]) -> Vec<u8> {
    let mut out = vec![2];
    for (id, frames) in all {
        out.push(3);
        out.extend(numbers(&[*id, frames.len() as u64]));
        for &(pc, func, file, line) in *frames {
            out.extend(numbers(&[pc, func, file, line]));
        }
    }
    out
}

/// The clock: units of 64 ns, and a snapshot.
pub fn sync() -> Vec<u8> {
    let mut out = vec![50, 8];
    number(15_625_000, &mut out);
    out.push(51);
    out.extend(numbers(&[0, 1000, 1_700_000_000, 5]));
    out
}
