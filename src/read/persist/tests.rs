use super::*;
use crate::input;
use crate::read::Trace;
use crate::read::trace::Options;
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

static DEMO: &[u8] = include_bytes!("../../../assets/demo.trace.gz");

fn open(folder: &Path) -> Trace {
    let input = input::from_bytes("demo", input::Bytes::Static(DEMO), input::Limits::default()).unwrap();
    let keep = Keep { folder: Some(Folder::new(folder, LIMIT)), smallest: 0 };
    Trace::open_with("demo", input.bytes, Options { keep, ..Options::default() }).unwrap()
}

fn load(trace: &Trace) {
    trace.load(&|_| {}, &AtomicBool::new(false));
}

/// A trace that has been read, and the bytes that are kept of it.
fn kept() -> &'static (Trace, Vec<u8>) {
    static KEPT: OnceLock<(Trace, Vec<u8>)> = OnceLock::new();
    KEPT.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let trace = open(dir.path());
        load(&trace);
        let files = trace.kept.folder.as_ref().unwrap().list().unwrap();
        let bytes = fs::read(&files[0].path).unwrap();
        (trace, bytes)
    })
}

/// Everything that an index and its plans say, as bytes without order-dependent maps: what is read back and written
/// again has the same length and reads back the same.
fn same(a: &Trace, b: &Trace) {
    let (x, y) = (a.index(), b.index());
    assert!(y.complete);
    assert_eq!(x.events, y.events);
    assert_eq!(format!("{:?}", x.goroutines), format!("{:?}", y.goroutines));
    assert_eq!(format!("{:?}", x.groups), format!("{:?}", y.groups));
    assert_eq!(format!("{:?}", x.segments), format!("{:?}", y.segments));
    assert_eq!((&x.gc, &x.stw, &x.losses), (&y.gc, &y.stw, &y.losses));
    assert_eq!((&x.heap, x.start, x.end, x.first), (&y.heap, y.start, y.end, y.first));
    assert_eq!(
        (&x.totals.links, &x.totals.other_waits, &x.totals.kinds, &x.totals.samples),
        (&y.totals.links, &y.totals.other_waits, &y.totals.kinds, &y.totals.samples)
    );
    assert_eq!(x.dict.counts(), y.dict.counts());
    let lane = |i: &Index, g: usize| {
        let g = crate::base::GoIdx(g as u32);
        i.cells(crate::model::Lane::Go(g), i.start, i.end, 300)
    };
    for g in 0..x.goroutines.len() {
        assert_eq!(lane(&x, g), lane(&y, g));
    }
    let segments = x.segments.len();
    drop((x, y));
    for i in 0..segments {
        let (s, t) = (a.segment(i).unwrap(), b.segment(i).unwrap());
        assert_eq!(s.len(), t.len());
        for e in 0..s.len() {
            assert_eq!(s.event(e), t.event(e));
        }
    }
}

#[test]
fn a_trace_opened_again_is_the_same_to_the_last_event() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("not/there/yet");
    let (first, second) = (open(&folder), open(&folder));
    load(&first);
    assert!(second.restore(), "nothing was kept");
    same(&first, &second);
    let dict = &mut second.index.write().unwrap().dict;
    let before = dict.counts();
    let main = dict.find("main.main").unwrap();
    assert_eq!(dict.string("main.main"), main);
    assert_eq!(dict.counts(), before);
}

#[test]
fn whatever_is_not_whole_is_built_anew() {
    let (trace, bytes) = kept();
    let units = trace.file().units();
    let key = trace.key().unwrap();
    assert!(decode(bytes, key, units).is_some());
    assert!(decode(bytes, Key([1, 2]), units).is_none(), "another trace's");
    assert!(decode(bytes, key, 0).is_none(), "of more generations than there are");
    for cut in [0, 1, HEADER - 1, HEADER, HEADER + 1, bytes.len() / 2, bytes.len() - 1] {
        assert!(decode(&bytes[..cut], key, units).is_none(), "cut at {cut}");
    }
    for at in (0..HEADER).chain((HEADER..bytes.len()).step_by(bytes.len() / 97)) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert!(decode(&damaged, key, units).is_none(), "changed at {at}");
    }
    let dir = tempfile::tempdir().unwrap();
    let again = open(dir.path());
    fs::write(dir.path().join(format!("{key}.index")), &bytes[..bytes.len() / 3]).unwrap();
    assert!(!again.restore());
    load(&again);
    assert!(again.index().complete);
    assert!(open(dir.path()).restore(), "the damaged file was not replaced");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Also where the digest is right, as only somebody who wants it can make it.
    #[test]
    fn no_bytes_at_all_make_reading_panic(at in any::<prop::sample::Index>(), with in prop::collection::vec(any::<u8>(), 1..9)) {
        let (trace, bytes) = kept();
        let mut forged = bytes.clone();
        let at = HEADER + at.index(bytes.len() - HEADER - with.len());
        forged[at..at + with.len()].copy_from_slice(&with);
        let sum = digest(&forged[HEADER..], 0);
        forged[16..24].copy_from_slice(&sum.to_le_bytes());
        let _ = decode(&forged, trace.key().unwrap(), trace.file().units());
    }
}

#[test]
fn traces_that_differ_anywhere_that_counts_have_keys_of_their_own() {
    let (trace, _) = kept();
    let file = trace.file();
    let scan = file.scans().expect("the demo is of the new format")[0];
    let key = Key::of(&trace.data, &[scan]);
    let mut data = trace.data.all().into_owned();
    assert_eq!(Key::of(&input::Bytes::Memory(data.clone().into()), &[scan]), key);
    let mut other = scan.clone();
    other.generations[0].batches[3].ts += 1;
    assert_ne!(
        Key::of(&input::Bytes::Memory(data.clone().into()), &[&other]),
        key,
        "a batch was begun at another time"
    );
    for at in [100, data.len() / 2, data.len() - 100] {
        data[at] ^= 1;
        assert_ne!(Key::of(&input::Bytes::Memory(data.clone().into()), &[scan]), key, "another byte at {at}");
        data[at] ^= 1;
    }
    data.push(0);
    assert_ne!(Key::of(&input::Bytes::Memory(data.clone().into()), &[scan]), key);
}

#[test]
fn small_traces_and_cancelled_passes_leave_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let cancelled = open(dir.path());
    cancelled.load(&|_| {}, &AtomicBool::new(true));
    let input = input::from_bytes("demo", input::Bytes::Static(DEMO), input::Limits::default()).unwrap();
    let keep = Keep { folder: Some(Folder::new(dir.path(), LIMIT)), ..Keep::default() };
    let small = Trace::open_with("demo", input.bytes, Options { keep, ..Options::default() }).unwrap();
    load(&small);
    assert!(small.index().complete && !cancelled.index().complete);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn the_folder_stays_small_and_holds_only_what_is_ours() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::new(dir.path(), 1000);
    let key = |n: u64| Key([n, 0]);
    let age = |path: &Path, seconds: u64| {
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    };
    let path = |n: u64| dir.path().join(format!("{}.index", key(n)));
    for (n, seconds) in [(1, 300), (2, 200), (3, 100)] {
        folder.write(key(n), &[0; 300]).unwrap();
        age(&path(n), seconds);
    }
    fs::write(dir.path().join("notes.txt"), "somebody else's").unwrap();
    for (name, seconds) in [("left.1-0.unfinished", 7200), ("under-way.2-0.unfinished", 10)] {
        fs::write(dir.path().join(name), [0; 50]).unwrap();
        age(&dir.path().join(name), seconds);
    }
    folder.used(key(1));
    folder.write(key(4), &[0; 300]).unwrap();
    let there: Vec<bool> = (1..=4).map(|n| path(n).exists()).collect();
    assert_eq!(there, [true, false, true, true], "the one that was not used for the longest time goes");
    assert!(!dir.path().join("left.1-0.unfinished").exists());
    assert!(dir.path().join("under-way.2-0.unfinished").exists());
    folder.write(key(5), &[0; 2000]).unwrap();
    assert!(!path(5).exists(), "more than the whole folder may take");
    let (files, bytes) = folder.clear().unwrap();
    assert_eq!((files, bytes), (4, 950));
    assert_eq!(folder.list().unwrap(), []);
    assert!(dir.path().join("notes.txt").exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_no_reason_to_fail() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a file");
    fs::write(&file, "").unwrap();
    let trace = open(&file.join("folder"));
    load(&trace);
    assert!(trace.index().complete);
    assert!(trace.keep().is_err());
}

#[test]
fn the_list_says_which_trace_each_file_belongs_to() {
    let dir = tempfile::tempdir().unwrap();
    let trace = open(dir.path());
    load(&trace);
    fs::write(dir.path().join("foreign.index"), "something else").unwrap();
    let list = trace.kept.folder.as_ref().unwrap().list().unwrap();
    let mut traces: Vec<_> = list.into_iter().map(|e| e.trace).collect();
    traces.sort();
    assert_eq!(traces, [None, Some(("demo".into(), trace.size(), trace.index().events))]);
}
