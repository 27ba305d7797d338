//! What `--memory` bounds: the peak of the whole program, on traces made to take as much as they can.

mod common;

use nix::sys::resource::{UsageWho, getrusage};
use std::path::{Path, PathBuf};

/// A trace of Go 1.23, put together byte by byte.
struct Made {
    bytes: Vec<u8>,
    generation: u64,
}

/// The largest batch of the format, with room for its last record.
const BATCH: usize = 60 << 10;

fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn record(kind: u8, args: &[u64], out: &mut Vec<u8>) {
    out.push(kind);
    args.iter().for_each(|&n| varint(n, out));
}

impl Made {
    fn new() -> Made {
        Made { bytes: b"go 1.23 trace\0\0\0".to_vec(), generation: 1 }
    }

    fn batch(&mut self, data: &[u8]) {
        let ts = self.generation * 1_000_000;
        record(1, &[self.generation, 0, ts, data.len() as u64], &mut self.bytes);
        self.bytes.extend_from_slice(data);
    }

    /// Batches of so many records, each of which `one` appends; all begin with `head`.
    fn batches(&mut self, head: &[u8], n: u64, one: impl Fn(u64, &mut Vec<u8>)) {
        let mut data = head.to_vec();
        for i in 0..n {
            one(i, &mut data);
            if data.len() > BATCH || i + 1 == n {
                self.batch(&data);
                data = head.to_vec();
            }
        }
    }

    /// Ends a generation: its clock ticks every 64 ns.
    fn clock(&mut self) {
        let mut data = Vec::new();
        record(8, &[15_625_000], &mut data);
        self.batch(&data);
        self.generation += 1;
    }

    fn write(&self, to: &Path) -> PathBuf {
        std::fs::write(to, &self.bytes).unwrap();
        to.to_owned()
    }
}

/// As many goroutines, all of which wait.
fn goroutines(n: u64) -> Made {
    let mut made = Made::new();
    made.batches(&[], n, |i, out| record(25, &[1, i + 1, u64::MAX, 4], out));
    made.clock();
    made
}

/// As many generations of one event each.
fn generations(n: u64) -> Made {
    let mut made = Made::new();
    for _ in 0..n {
        made.batches(&[], 1, |_, out| record(25, &[1, 1, u64::MAX, 4], out));
        made.clock();
    }
    made
}

/// As many stacks, all different.
fn stacks(n: u64) -> Made {
    let mut made = Made::new();
    made.batches(&[], n, |i, out| record(48, &[1, 1, u64::MAX, 4, i + 1], out));
    made.batches(&[2], n, |i, out| {
        record(3, &[i + 1, 12], out);
        (0..12u64).for_each(|f| [i * 64 + f + 1, 1, 1, f + 1].iter().for_each(|&n| varint(n, out)));
    });
    made.batches(&[4], 1, |_, out| {
        record(5, &[1, 6], out);
        out.extend_from_slice(b"main.f");
    });
    made.clock();
    made
}

#[test]
fn the_peak_stays_within_what_is_allowed_or_it_is_said_why_not() {
    let dir = tempfile::tempdir().unwrap();
    let files = [("goroutines", goroutines(60_000)), ("generations", generations(3_000)), ("stacks", stacks(12_000))];
    let files = files.map(|(name, made)| (name, made.write(&dir.path().join(name))));
    // From the smallest on: what is measured is the largest peak of all children so far.
    for memory in [1u64, 32] {
        let most = memory * 3 / 2 * 1_000_000 + (64 << 20);
        for (name, file) in &files {
            for command in [&["summary", "--no-cache"][..], &["events", "--no-cache"], &["findings", "--no-cache"]] {
                let file = file.to_str().unwrap();
                let (_, said, code) = common::run([command, &["--memory", &format!("{memory}MB"), file][..]].concat());
                let refused = code == 3 && said.contains("more is needed than --memory allows");
                assert!(code == 0 || code == 1 || refused, "{name} {command:?} {memory} MB: {code} {said}");
                assert!(!refused || memory < 32, "{name} {command:?} fits: {said}");
                let peak = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() as u64 * 1024;
                assert!(peak < most + (4 << 20), "{name} {command:?} {memory} MB: {peak} bytes");
            }
        }
    }
    // Stacks of one generation are read together: where they would take more, that is known before.
    let file = stacks(200_000).write(&dir.path().join("many stacks"));
    let (_, said, code) = common::run(["summary", "--no-cache", "--memory", "32MB", file.to_str().unwrap()]);
    assert!(code == 3 && said.contains("more is needed than --memory allows"), "{code} {said}");
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() as u64 * 1024;
    assert!(peak < 48_000_000 + (68 << 20), "{peak} bytes");
}
