//! Numbers of goroutines, threads and tasks have 64 bits: two traces that differ only in these read alike, in every command
//! and every view, and no two goroutines become one.

use crate::common;

use common::{data, run};
use gotrail::wire::v2::spec::{Arg, SPECS, structural};
use std::collections::BTreeSet;
use std::path::Path;

/// What is added to the numbers: the largest of them are just below those that stand for none.
const BASE: u64 = u64::MAX - 100_000;

fn number(bytes: &[u8], at: &mut usize) -> u64 {
    let (mut n, mut shift) = (0, 0);
    loop {
        let b = bytes[*at];
        *at += 1;
        n |= u64::from(b & 0x7f) << shift;
        shift += 7;
        if b < 0x80 {
            return n;
        }
    }
}

fn put(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// A number as large as they come; those that stand for none stay.
fn large(n: u64) -> u64 {
    if n == 0 || n == u64::MAX { n } else { BASE + n }
}

/// The same trace with large numbers of goroutines, threads and tasks. CPU samples are not rewritten.
fn with_large_ids(trace: &[u8]) -> Vec<u8> {
    let mut out = trace[..16].to_vec();
    let mut at = 16;
    while at < trace.len() {
        let kind = trace[at];
        at += 1;
        out.push(kind);
        if kind != structural::EVENT_BATCH {
            continue;
        }
        let [generation, thread, ts, size] = std::array::from_fn(|_| number(trace, &mut at));
        let body = &trace[at..at + size as usize];
        at += size as usize;
        let first = SPECS.iter().find(|s| body.first() == Some(&s.id));
        let body = if first.is_some() { events(body) } else { body.to_vec() };
        [generation, large(thread), ts, body.len() as u64].into_iter().for_each(|n| put(n, &mut out));
        out.extend(body);
    }
    out
}

fn events(body: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < body.len() {
        let spec = SPECS.iter().find(|s| s.id == body[at]).expect("a batch of events has nothing else");
        out.push(body[at]);
        at += 1;
        put(number(body, &mut at), &mut out);
        for arg in spec.args {
            let n = number(body, &mut at);
            put(if matches!(arg, Arg::Go | Arg::Thread | Arg::Task) { large(n) } else { n }, &mut out);
        }
    }
    out
}

/// The lines of an output with the large numbers made small again, without regard to how they are laid out.
fn said(args: &[&str], file: &Path) -> Vec<String> {
    let args: Vec<&std::ffi::OsStr> = args.iter().map(std::ffi::OsStr::new).chain([file.as_os_str()]).collect();
    let (out, err, code) = run(&args);
    assert!(code == 0 || code == 1, "{args:?}: {code}\n{err}");
    assert!(!err.contains("panic"), "{args:?}: {err}");
    let folder = file.parent().unwrap().to_str().unwrap();
    let small = |word: &str| {
        let (mut all, mut digits) = (String::new(), String::new());
        for c in word.chars().chain(['\0']) {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            match digits.parse::<u64>() {
                Ok(n) if n > BASE && n < u64::MAX => all += &(n - BASE).to_string(),
                _ => all += &digits,
            }
            digits.clear();
            all.extend(Some(c).filter(|&c| c != '\0'));
        }
        all
    };
    let line = |l: &str| l.replace(folder, "").split_whitespace().map(small).collect::<Vec<_>>().join(" ");
    out.lines().map(line).collect()
}

fn pair(name: &str) -> (tempfile::TempDir, [std::path::PathBuf; 2]) {
    let dir = tempfile::tempdir().unwrap();
    let original = std::fs::read(data(&format!("{name}.trace"))).unwrap();
    let paths = ["small", "large"].map(|size| dir.path().join(size).join("t.trace"));
    for (path, bytes) in paths.iter().zip([original.clone(), with_large_ids(&original)]) {
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    (dir, paths)
}

#[test]
fn every_command_says_the_same_of_large_numbers() {
    for name in ["annotations", "locked", "leak"] {
        let (_dir, [small, large]) = pair(name);
        for args in [
            &["summary", "--no-cache"][..],
            &["summary", "--no-cache", "--format", "json"],
            &["waits", "--no-cache", "--all"],
            &["waits", "--no-cache", "--format", "json"],
            &["locks", "--no-cache"],
            &["locks", "--no-cache", "--format", "json"],
            &["leaks"],
            &["findings", "--no-cache"],
            &["sched", "--no-cache"],
            &["gc", "--no-cache"],
            &["spans", "--no-cache"],
            &["events", "--no-cache"],
            &["events", "--no-cache", "--format", "jsonl"],
            &["grep", "state:running"],
        ] {
            assert_eq!(said(args, &large), said(args, &small), "{name}: {args:?}");
        }
        let of = |g: u64, file: &Path| said(&["why", "--no-cache", "-g", &g.to_string()], file);
        assert_eq!(of(BASE + 1, &large), of(1, &small), "{name}");
    }
}

#[test]
fn no_two_goroutines_become_one_in_tables_and_exports() {
    let (_dir, [small, large]) = pair("annotations");
    let column = |file: &Path| -> BTreeSet<String> {
        let (out, _, code) =
            run(["export", "--format", "csv", "--table", "goroutines"].map(Path::new).into_iter().chain([file]));
        assert_eq!(code, 0);
        out.lines().skip(1).filter_map(|l| Some(l.split(',').nth(1)?.to_owned())).collect()
    };
    let (few, many) = (column(&small), column(&large));
    assert!(few.len() > 5 && few.len() == many.len(), "{many:?}");
    // As Go's own reader has them: 64 bits with a sign.
    assert!(many.contains(&((BASE + 1) as i64).to_string()), "{many:?}");
    let names = |file: &Path| -> BTreeSet<String> {
        let (out, _, _) = run(["export", "--format", "chrome"].map(Path::new).into_iter().chain([file]));
        out.lines().filter(|l| l.contains("thread_name")).map(str::to_owned).collect()
    };
    assert_eq!(names(&small).len(), names(&large).len());
    assert!(names(&large).iter().any(|n| n.contains(&format!("\"G{}\"", BASE + 1))), "{:?}", names(&large));
}

/// A number that is cut is another one's: in no view one stands cut.
#[test]
fn no_view_cuts_a_large_number() {
    let (_dir, [_, large]) = pair("annotations");
    for keys in ["1", "2", "2 Enter", "3", "3 Enter c", "5", "7", "8", "8 Enter", "0", "L"] {
        for size in ["80x24", "160x40"] {
            let args = ["snapshot", "--no-cache", "--size", size, "--keys", keys].map(Path::new);
            let (out, err, code) = run(args.into_iter().chain([large.as_path()]));
            assert_eq!(code, 0, "{keys}: {err}");
            // The list of events is where it is told whose each is.
            for line in out.lines().take(14).filter(|_| keys == "5") {
                let cut =
                    |w: &str| w.strip_prefix(['G', 'M']).is_some_and(|n| n.starts_with("1844") && n.contains('…'));
                // What an event says at length may be cut.
                assert!(!line.split_whitespace().take(6).any(cut), "{keys} at {size}: {line}");
            }
        }
    }
}
