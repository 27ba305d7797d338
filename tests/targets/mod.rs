//! What the fuzz targets do with their bytes. Shared between `fuzz/`, which looks for new inputs, and `fuzz_corpus.rs`,
//! which replays those that once broke something. None may panic, and what is asserted here holds for every input.

#![allow(dead_code, reason = "each fuzz target is a program of its own and uses one of these")]

use gotrail::analysis::leaks::{self, Beside};
use gotrail::analysis::races;
use gotrail::analysis::search::{self, Options};
use gotrail::analysis::waits::links::table::Table;
use gotrail::analysis::waits::links::{self, links};
use gotrail::base::codec;
use gotrail::base::{Time, text};
use gotrail::input::{self, Bytes, Limits, Other};
use gotrail::model::Lane;
use gotrail::profile::Profile;
use gotrail::profile::binary::Binary;
use gotrail::profile::dump;
use gotrail::profile::wire;
use gotrail::query;
use gotrail::read::Trace;
use gotrail::read::persist::{Folder, Keep, LIMIT};
use gotrail::read::trace::Options as OpenOptions;
use gotrail::report;
use gotrail::source::{Finder, Places};
use gotrail::tui::app::keymap::Keymap;
use gotrail::tui::snapshot::{self, Format};
use gotrail::tui::theme::{Background, ColorLevel, Theme};
use gotrail::wire::event::{Events, NONE};
use gotrail::wire::v1;
use gotrail::wire::v2::batch;
use gotrail::wire::v2::generation::{Fallback, GenTables};
use gotrail::wire::v2::order::{Cut, Orderer};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

/// A target.
pub type Target = fn(&[u8]);

/// The targets by name; the corpus of each is the folder of that name in `tests/data/fuzz`.
pub const ALL: &[(&str, Target)] = &[
    ("v2", v2),
    ("v1", v1),
    ("whole", whole),
    ("pprof", profile),
    ("filter", query),
    ("source", source),
    ("binary", binary),
    ("viewer", viewer),
    ("kept", kept),
    ("told", told),
    ("perf", perf),
    ("folded", folded),
    ("speedscope", speedscope),
    ("chrome", chrome),
    ("firefox", firefox),
];

/// Dumps of goroutines and reports of races in any log: what is read of them, what is made of it, and what is printed.
pub fn told(data: &[u8]) {
    let told = dump::read(data);
    for d in &told.dumps {
        assert!(!d.goroutines.is_empty());
        let mut all: Vec<u64> = d.goroutines.iter().map(|g| g.id).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), d.goroutines.len(), "a goroutine is there twice");
        assert!(d.goroutines.iter().all(|g| d.find(g.id) == Some(g)));
    }
    let beside: Vec<_> = told.dumps.iter().map(|d| ("x".to_owned(), Beside::Dump(d))).collect();
    let found = leaks::leaks(None, &beside);
    let mut out = Vec::new();
    report::leaks::write(&found, 10, &mut out).unwrap();
    let reports = races::reports("x", &told);
    report::races::write(&reports, None, &mut out).unwrap();
    let said = String::from_utf8(out).unwrap();
    assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
    input::recognise(data);
    let _ = wire::decode(data);
}

/// The newer trace formats, without their header: the first byte chooses the version, the rest is batches. Scan, tables,
/// order, and going on from a checkpoint.
pub fn v2(data: &[u8]) {
    let Some((&version, batches)) = data.split_first() else { return };
    let minor = [22, 23, 25, 26][usize::from(version) % 4];
    let mut file = header(minor);
    file.extend_from_slice(batches);
    let scan = batch::scan(&file, minor);
    let file = Bytes::Memory(file.into());
    for (i, g) in scan.generations.iter().enumerate() {
        let tables = GenTables::read(&file, g, &Fallback::default());
        let cut = if i + 1 < scan.generations.len() { Cut::LastEvent } else { Cut::None };
        let mut orderer = Orderer::new(&file, g, &tables, cut);
        let mut one_by_one = Orderer::new(&file, g, &tables, cut);
        let (mut events, mut singles) = (Events::default(), Events::default());
        let mut last = Time::MIN;
        let mut more = true;
        while more {
            let checkpoint = orderer.checkpoint();
            events.clear();
            more = orderer.next(&mut events, 64);
            singles.clear();
            while singles.len() < events.len() && {
                let n = singles.len() + 1;
                one_by_one.next(&mut singles, n)
            } {}
            let shown = |e: &Events| format!("{:?}", e.rows);
            assert_eq!(shown(&events), shown(&singles), "how many are asked for changes what comes");
            for r in &events.rows {
                assert!(r.time >= last, "time runs backwards");
                last = r.time;
                assert!(r.go == NONE || (r.go as usize) < orderer.tables.gos.len());
                assert!(r.stack == NONE || (r.stack as usize) < tables.tables.stacks.len());
            }
            if last != Time::MIN && events.len() > 1 {
                let mut again = Events::default();
                let mut resumed = Orderer::resume(&file, g, &tables, cut, &checkpoint);
                resumed.next(&mut again, 64);
                let kinds = |e: &Events| e.rows.iter().map(|r| r.kind).collect::<Vec<_>>();
                // At the very beginning there is no state to go on from.
                if events.rows[0].kind != gotrail::wire::event::Kind::Sync {
                    assert_eq!(kinds(&events), kinds(&again), "a checkpoint leads elsewhere");
                }
            }
        }
    }
}

/// The older trace formats, without their header: the first byte chooses the version.
pub fn v1(data: &[u8]) {
    let Some((&version, records)) = data.split_first() else { return };
    let minor = [7, 8, 9, 10, 11, 19, 21][usize::from(version) % 7];
    let mut file = header(minor);
    file.extend_from_slice(records);
    let Ok(layout) = v1::Layout::read(&file, minor) else { return };
    let mut decoder = v1::Decoder::new(&file, &layout);
    let mut events = Events::default();
    loop {
        events.clear();
        let checkpoint = decoder.checkpoint();
        if !decoder.next(&mut events, 64) {
            break;
        }
        let mut again = Events::default();
        v1::Decoder::resume(&file, &layout, &checkpoint).next(&mut again, 64);
        assert_eq!(events.len(), again.len(), "a checkpoint leads elsewhere");
        for r in &events.rows {
            assert!(r.go == NONE || (r.go as usize) < decoder.tables().gos.len());
        }
    }
    decoder.losses();
}

/// A file as the command line gets it: unpacked, recognised; a trace is loaded, every segment of it decoded, its events
/// counted twice, its lanes drawn.
pub fn whole(data: &[u8]) {
    let limits = Limits { max_unpacked: 16 << 20, in_memory: 16 << 20 };
    let Ok(input) = input::from_bytes("fuzz", Bytes::Memory(data.to_vec().into()), limits) else { return };
    let Ok(trace) = Trace::open("fuzz", input.bytes) else { return };
    trace.load(&|_| {}, &AtomicBool::new(false));
    let segments = trace.index().segments.len();
    let mut events = 0;
    for i in 0..segments {
        let segment = trace.segment(i).expect("a segment of a loaded trace");
        for e in 0..segment.len() {
            segment.event(e);
        }
        events += segment.len() as u64;
    }
    let index = trace.index();
    assert!(index.complete);
    assert_eq!(events, index.events);
    let (from, to) = (index.start, index.end);
    for lane in [Lane::All, Lane::Go(gotrail::base::GoIdx(0)), Lane::Proc(gotrail::base::ProcIdx(0))] {
        index.cells(lane, from, to, 80);
    }
    for loss in &index.losses {
        assert_eq!(text::escape(loss), *loss, "a loss is told in the file's own words");
    }
    let summary = gotrail::analysis::summary::summarize(&index);
    serde_json::to_vec(&summary).expect("a summary is JSON");
    let mut out = Vec::new();
    let links = links(&trace, links::Options::default()).expect("a loaded trace has its waits");
    let table = Table::new(&links, &index, "fuzz");
    let wrong = gotrail::report::summary::Wrong::Large(0);
    gotrail::report::summary::write("fuzz", &index, (&table, &wrong), gotrail::report::table::Page::ENDLESS, &mut out)
        .expect("memory does not fail");
    let shown = String::from_utf8(out).expect("text is UTF-8");
    assert!(shown.lines().all(|l| text::escape(l) == l), "something unescaped is shown");
}

/// A profile: what can be decoded can be encoded, and says the same again.
pub fn profile(data: &[u8]) {
    if let Ok(p) = wire::decode(data) {
        let again = wire::decode(&wire::encode(&p)).expect("what we wrote");
        assert_eq!(wire::encode(&again), wire::encode(&p));
    }
    if let Some(Ok((p, said))) = wire::salvage(data) {
        Profile::from_wire(&p).expect("what is left fits together");
        assert_eq!(text::escape(&said), said);
    }
}

/// A profile of another tool, in a format that it may not be in: what is decoded is a profile.
fn other(format: Other, data: &[u8]) {
    if let Ok((p, _)) = wire::others::decode(format, data) {
        let p = Profile::from_wire(&p).expect("what was put together fits together");
        assert!(p.samples.iter().all(|s| p.values_of(s).len() == p.sample_types.len()));
    }
}

/// What `perf script` prints: as a profile, and as what threads did.
pub fn perf(data: &[u8]) {
    other(Other::PerfScript, data);
    let r = gotrail::analysis::kernel::read(&text::lossy(data));
    assert!(r.threads.values().all(|changes| changes.is_sorted_by_key(|c| c.at)));
    assert!(r.unchained <= r.switches);
}

/// Folded stacks.
pub fn folded(data: &[u8]) {
    other(Other::Folded, data);
}

/// speedscope's JSON.
pub fn speedscope(data: &[u8]) {
    other(Other::Speedscope, data);
}

/// V8's profiles in all their forms.
pub fn chrome(data: &[u8]) {
    for format in [Other::CpuProfile, Other::HeapProfile, Other::ChromeTrace] {
        other(format, data);
    }
}

/// Firefox's profiles.
pub fn firefox(data: &[u8]) {
    other(Other::Firefox, data);
}

/// A query: parsed, compiled for a trace and asked of every event of it.
pub fn query(data: &[u8]) {
    static TRACE: OnceLock<Trace> = OnceLock::new();
    let trace = TRACE.get_or_init(|| {
        let bytes = include_bytes!("../data/annotations.trace");
        let trace = Trace::open("fuzz", Bytes::Static(bytes)).expect("a good trace");
        trace.load(&|_| {}, &AtomicBool::new(false));
        trace
    });
    let Ok(text) = std::str::from_utf8(data) else { return };
    match query::parse(text) {
        Err(e) => _ = e.render(text),
        Ok(q) => {
            let options = Options { threads: 1, ..Options::default() };
            _ = search::run(trace, &q, &options, &AtomicBool::new(false), &mut |_, _| {});
        }
    }
    let half = (0..=text.len() / 2).rfind(|&i| text.is_char_boundary(i)).unwrap_or(0);
    query::complete(&text[..half], Some(&trace.index()));
    query::complete(text, None);
}

/// A file's name out of a trace, a function's, and a mapping, one a line: what is found lies below a root.
pub fn source(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (file, func, mapping) = (next(), next(), next());
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/wire");
    let mut places = Places { sources: vec![root.clone()], work_dir: Some(root.clone()), ..Places::default() };
    if let Some((from, _)) = mapping.split_once('=') {
        places.add(&format!("{from}={}", root.display()));
    }
    if let Ok(found) = Finder::new(places).find(file, func) {
        let real = found.path.canonicalize().expect("what is found exists");
        let below = real.starts_with(root.canonicalize().expect("the root exists"));
        assert!(below || found.how == gotrail::source::How::AsItStands, "{} leads out", found.path.display());
    }
}

/// An executable: its functions, their instructions and lines. What is taken apart is bounded as `disasm` bounds it.
pub fn binary(data: &[u8]) {
    let Ok(b) = Binary::new(data.to_vec()) else { return };
    b.base(0x7f00_0000_0000, 0x1000);
    assert_eq!(b.size(), data.len() as u64);
    assert!(b.build_id().len() <= 2 * data.len());
    let mut left = b.size().saturating_mul(4);
    for s in b.symbols() {
        assert!(s.start < s.end, "a function without code");
        assert!(b.symbol_at(s.start).is_some_and(|found| found.start == s.start), "a function is not found");
        let Some(rest) = left.checked_sub(s.end - s.start) else { break };
        left = rest;
        let lines = b.lines(s);
        for i in b.instructions(s) {
            assert!((s.start..s.end).contains(&i.address), "an instruction outside of its function");
            lines.as_ref().and_then(|l| l.at(i.address));
        }
    }
}

fn header(minor: u32) -> Vec<u8> {
    let mut h = format!("go 1.{minor} trace").into_bytes();
    h.resize(16, 0);
    h
}

/// The whole viewer: two bytes are the screen's columns and rows, the next says how many keys come, one a byte, and what
/// follows is a trace of the newer format as in [`v2`], or, if nothing does, a good one.
pub fn viewer(data: &[u8]) {
    const NAMED: [&str; 12] = [
        "<Enter>", "<Esc>", "<Tab>", "<Up>", "<Down>", "<Left>", "<Right>", "<Home>", "<End>", "<C-d>", "<C-u>",
        "<Space>",
    ];
    let [width, height, keys, rest @ ..] = data else { return };
    let (keys, rest) = rest.split_at(usize::from(keys % 32).min(rest.len()));
    let keys: String = keys
        .iter()
        .map(|&k| match char::from(k) {
            c if c.is_ascii_graphic() && c != '<' => c.to_string(),
            _ => NAMED[usize::from(k) % NAMED.len()].to_owned(),
        })
        .collect();
    let bytes = match rest.split_first() {
        None => include_bytes!("../data/annotations.trace").to_vec(),
        Some((&version, batches)) => {
            let mut file = header([22, 23, 25, 26][usize::from(version) % 4]);
            file.extend_from_slice(batches);
            file
        }
    };
    let Ok(trace) = Trace::open("fuzz", Bytes::Memory(bytes.into())) else { return };
    trace.load(&|_| {}, &AtomicBool::new(false));
    // The largest that is drawn, and every small one.
    let side = |n: u8| if n == u8::MAX { 1000 } else { u16::from(n).max(1) };
    let size = ratatui::layout::Size { width: side(*width), height: side(*height).min(300) };
    let theme = Theme::new(ColorLevel::None, Background::Dark, false);
    let (trace, keymap, places) = (Arc::new(trace), Keymap::default(), Places::default());
    let drawn = snapshot::snapshot(
        trace,
        Vec::new(),
        std::sync::Arc::default(),
        "fuzz",
        None,
        theme,
        keymap,
        size,
        &keys,
        Format::Text,
        places,
    );
    let drawn = drawn.expect("all keys are known");
    assert!(drawn.lines().all(|l| text::escape(l) == l), "something unescaped is drawn");
}

/// An index kept from an earlier run in which bytes were changed: three bytes a change, where and to what. What is damaged
/// is passed over, or reads as some index, of which every segment can be asked for.
pub fn kept(data: &[u8]) {
    const TRACE: &[u8] = include_bytes!("../data/annotations.trace");
    let dir = tempfile::tempdir().expect("a folder");
    // Others may not see into the folder.
    let folder = Folder::new(dir.path().join("kept"), LIMIT);
    let open = || {
        let keep = Keep { folder: Some(folder.clone()), smallest: 0 };
        let trace = Trace::open_with("fuzz", Bytes::Static(TRACE), OpenOptions { keep, ..OpenOptions::default() });
        let trace = trace.expect("a good trace");
        trace.load(&|_| {}, &AtomicBool::new(false));
        trace
    };
    open();
    let Some(entry) = folder.list().expect("the folder can be read").pop() else { return };
    let mut file = std::fs::read(&entry.path).expect("it was written");
    for change in data.chunks_exact(3) {
        let at = KEPT_HEADER + usize::from(u16::from_le_bytes([change[0], change[1]])) % (file.len() - KEPT_HEADER);
        file[at] = change[2];
    }
    // The digest stands before the length; with a wrong one nothing else would be looked at.
    let digest = codec::digest(&file[KEPT_HEADER..], 0);
    file[KEPT_HEADER - 16..KEPT_HEADER - 8].copy_from_slice(&digest.to_le_bytes());
    std::fs::write(&entry.path, file).expect("it is our file");
    let trace = open();
    let segments = trace.index().segments.len();
    for i in 0..segments {
        if let Ok(segment) = trace.segment(i) {
            (0..segment.len()).for_each(|e| _ = segment.event(e));
        }
    }
}

/// Bytes before what is digested in a kept index.
const KEPT_HEADER: usize = 32;
