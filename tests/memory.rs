//! What `--memory` bounds: the peak of the whole program, on traces made to take as much as they can.

mod common;

use nix::sys::resource::{UsageWho, getrusage};
use std::path::{Path, PathBuf};

/// A trace, put together byte by byte.
struct Made {
    bytes: Vec<u8>,
    /// The minor version of its header.
    minor: u32,
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
        Made::of(23)
    }

    /// Of Go 1.`minor`.
    fn of(minor: u32) -> Made {
        Made { bytes: format!("go 1.{minor} trace\0\0\0").into_bytes(), minor, generation: 1 }
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

    /// The batch that tells how the clock ticks, every 64 ns: the first of a generation from Go 1.25 on, the last before.
    fn clock(&mut self) {
        let mut data = if self.minor < 25 { Vec::new() } else { vec![50] };
        record(8, &[15_625_000], &mut data);
        self.batch(&data);
    }

    /// Ends a generation.
    fn end(&mut self) {
        match self.minor {
            ..25 => self.clock(),
            25 => {}
            26.. => self.bytes.push(52),
        }
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
    made.end();
    made
}

/// As many generations of one event each, of Go 1.`minor`.
fn generations(minor: u32, n: u64) -> Made {
    let mut made = Made::of(minor);
    for _ in 0..n {
        if minor >= 25 {
            made.clock();
        }
        made.batches(&[], 1, |_, out| record(25, &[1, 1, u64::MAX, 4], out));
        made.end();
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
    made.end();
    made
}

#[test]
fn the_peak_stays_within_what_is_allowed_or_it_is_said_why_not() {
    let dir = tempfile::tempdir().unwrap();
    let files =
        [("goroutines", goroutines(60_000)), ("generations", generations(23, 3_000)), ("stacks", stacks(12_000))];
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
    many_generations(dir.path());
}

/// Generations without number are read, and refused before what is kept of their headers takes too much.
fn many_generations(dir: &Path) {
    for minor in [22, 23, 25, 26] {
        let file = generations(minor, 20_000).write(&dir.join("some"));
        let (out, said, code) = common::run(["summary", "--no-cache", "--format", "json", file.to_str().unwrap()]);
        let summary: serde_json::Value = serde_json::from_str(&out).expect(&said);
        // Each states a goroutine, and says that it begins; the reader adds one event at the end.
        assert_eq!((summary["events"].as_u64(), code), (Some(40_001), 0), "Go 1.{minor}: {said}");
        let file = generations(minor, 400_000).write(&dir.join("many"));
        let (_, said, code) = common::run(["summary", "--no-cache", "--memory", "1MB", file.to_str().unwrap()]);
        assert!(code == 3 && said.contains("more is needed than --memory allows"), "Go 1.{minor}: {code} {said}");
    }
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() as u64 * 1024;
    assert!(peak < 48_000_000 + (68 << 20), "{peak} bytes");
}
