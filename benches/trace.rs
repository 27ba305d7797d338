//! What reading, indexing, searching and drawing a trace costs, in events and bytes a second; ns an event last.
//!
//! `GOTRAIL_BENCH_TRACE=FILE cargo bench` measures on a recording of one's own, `GOTRAIL_BENCH_MB=64` on a larger one that
//! is made; `cargo bench order` only what has "order" in its name.

mod common;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use gotrail::analysis::search::{self, Options as SearchOptions};
use gotrail::input::{Bytes, HEADER};
use gotrail::model::Lane;
use gotrail::query;
use gotrail::read::Trace;
use gotrail::read::persist::{Folder, Keep, LIMIT};
use gotrail::read::trace::Options;
use gotrail::tui::app::jobs::{Effect, JobCtx};
use gotrail::tui::app::keymap::{Key, Keymap};
use gotrail::tui::app::model::Message;
use gotrail::tui::snapshot::Driver;
use gotrail::tui::theme::{Background, ColorLevel, Theme};
use gotrail::wire::event::Events;
use gotrail::wire::v2::batch::{self, Scan};
use gotrail::wire::v2::generation::{Fallback, GenTables};
use gotrail::wire::v2::order::{Cut, Orderer};
use gotrail::wire::v2::spec::VERSIONS;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Rect, Size};
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::hint::black_box;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

fn source() -> &'static common::Source {
    static SOURCE: OnceLock<common::Source> = OnceLock::new();
    SOURCE.get_or_init(common::source)
}

fn data() -> &'static Bytes {
    &source().bytes
}

/// The trace, opened and not read.
fn open(options: Options) -> Trace {
    Trace::open_with("bench", source().bytes.clone(), options).expect("a trace")
}

fn load(trace: &Trace) {
    trace.load(&|_| {}, &AtomicBool::new(false));
}

/// The trace, read once for all.
fn trace() -> Arc<Trace> {
    static TRACE: OnceLock<Arc<Trace>> = OnceLock::new();
    let trace = TRACE.get_or_init(|| {
        let trace = open(Options::default());
        load(&trace);
        Arc::new(trace)
    });
    Arc::clone(trace)
}

/// Its generations; nothing for a trace of the old format, whose decoder is measured by `index` alone.
fn scan() -> Option<&'static Scan> {
    static SCAN: OnceLock<Option<Scan>> = OnceLock::new();
    let minor = gotrail::input::header(&data().get(0..HEADER))?;
    SCAN.get_or_init(|| VERSIONS.contains(&minor).then(|| batch::scan_at(data(), 0, minor))).as_ref()
}

fn counters() -> (ItemsCount, BytesCount) {
    let events = trace().index().events;
    (ItemsCount::new(events), BytesCount::new(data().len()))
}

/// Measures `f` with what it goes through in each call.
fn measure<T>(bencher: Bencher, f: impl Fn() -> T + Sync) {
    let (events, bytes) = counters();
    bencher.counter(events).counter(bytes).bench(f);
}

#[divan::bench(max_time = 3)]
fn a_scan_headers(bencher: Bencher) {
    let minor = trace().index().version.1;
    measure(bencher, || batch::scan_at(data(), 0, minor));
}

#[divan::bench(max_time = 3)]
fn b_tables(bencher: Bencher) {
    let Some(scan) = scan() else { return };
    measure(bencher, || {
        for g in &scan.generations {
            black_box(GenTables::read(data(), g, &Fallback::default()));
        }
    });
}

/// Decoding and ordering, on one core.
fn order_all(scan: &Scan) {
    let mut events = Events::default();
    for g in &scan.generations {
        let tables = GenTables::read(data(), g, &Fallback::default());
        let mut orderer = Orderer::new(data(), g, &tables, Cut::None);
        loop {
            events.clear();
            let more = orderer.next(&mut events, 16 << 10);
            black_box(&events);
            if !more {
                break;
            }
        }
    }
}

#[divan::bench(max_time = 10, sample_count = 10)]
fn c_order(bencher: Bencher) {
    let Some(scan) = scan() else { return };
    measure(bencher, || order_all(scan));
}

#[divan::bench(max_time = 10, sample_count = 10)]
fn d_index_on_all_cores(bencher: Bencher) {
    measure(bencher, || load(&open(Options::default())));
}

fn kept() -> Options {
    static DIR: OnceLock<tempfile::TempDir> = OnceLock::new();
    let dir = DIR.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
    Options { keep: Keep { folder: Some(Folder::new(dir.path(), LIMIT)), smallest: 0 }, ..Options::default() }
}

#[divan::bench(max_time = 5)]
fn e_open_again_from_the_cache(bencher: Bencher) {
    load(&open(kept()));
    measure(bencher, || {
        let trace = open(kept());
        load(&trace);
        trace
    });
}

#[divan::bench(max_time = 5)]
fn f_decode_a_segment(bencher: Bencher) {
    let trace = trace();
    let index = trace.index();
    let (middle, events) = (index.segments.len() / 2, index.events / index.segments.len().max(1) as u64);
    drop(index);
    bencher
        .counter(ItemsCount::new(events))
        .with_inputs(|| trace.forget_segments())
        .bench_values(|()| trace.segment(middle));
}

fn search_for(bencher: Bencher, text: &str) {
    let (trace, query) = (trace(), query::parse(text).expect("a query"));
    measure(bencher, || {
        let options = SearchOptions::default();
        search::run(&*trace, &query, &options, &AtomicBool::new(false), &mut |_, hits| drop(black_box(hits))).is_ok()
    });
}

#[divan::bench(max_time = 10, sample_count = 10)]
fn g_search_for_what_is_rare(bencher: Bencher) {
    search_for(bencher, "mapassign");
}

#[divan::bench(max_time = 10, sample_count = 5)]
fn g_search_for_what_is_everywhere(bencher: Bencher) {
    search_for(bencher, "state:waiting dur>1ms");
}

#[divan::bench(max_time = 3)]
fn h_cells_of_all_goroutines(bencher: Bencher) {
    let trace = trace();
    bencher.bench(|| {
        let index = trace.index();
        for g in 0..index.goroutines.len().min(1000) as u32 {
            black_box(index.cells(Lane::Go(gotrail::base::GoIdx(g)), index.start, index.end, 200));
        }
    });
}

const SCREEN: Size = Size { width: 200, height: 50 };

fn viewer(keys: &str) -> Driver {
    let theme = Theme::new(ColorLevel::True, Background::Dark, false);
    let mut driver = Driver::new(trace(), "bench", theme, Keymap::default(), SCREEN);
    driver.keys(keys).expect("keys");
    driver
}

#[divan::bench(max_time = 3)]
fn i_frame_of_the_whole(bencher: Bencher) {
    let driver = viewer("");
    bencher.bench_local(|| driver.screen(SCREEN));
}

#[divan::bench(max_time = 3)]
fn i_frame_close_in(bencher: Bencher) {
    let driver = viewer("wwwwwwwwwwwwwwwwwwww");
    bencher.bench_local(|| driver.screen(SCREEN));
}

/// A key and all that follows from it, as in a terminal, and the frame.
#[divan::bench(max_time = 5)]
fn i_pan_by_a_step(bencher: Bencher) {
    let mut driver = viewer("wwww");
    let mut right = true;
    bencher.bench_local(|| {
        driver.keys(if right { "d" } else { "a" }).expect("keys");
        right = !right;
        driver.screen(SCREEN)
    });
}

/// Walks over the whole trace at every depth of zoom, and gives each frame's time in ms, sorted: what the viewer's thread
/// takes to answer a key or a job, to draw, and to find what has changed. Jobs run on other threads in the viewer, so
/// their time is not counted; whatever they decode is forgotten at every turn, so that most frames come from the index.
fn frames() -> Vec<f64> {
    let trace = trace();
    let theme = Theme::new(ColorLevel::True, Background::Dark, false);
    let mut driver = Driver::new(trace.clone(), "bench", theme, Keymap::default(), SCREEN);
    let out = CrosstermBackend::new(std::io::sink());
    let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, SCREEN.width, SCREEN.height)) };
    let mut terminal = Terminal::with_options(out, options).expect("a terminal in memory");
    let mut times = Vec::new();
    let mut frame = |driver: &mut Driver, message: Message| {
        let start = Instant::now();
        let effects = driver.model.update(message);
        let drawn = terminal.draw(|f| _ = driver.model.render(f.buffer_mut()));
        drawn.expect("a frame");
        times.push(start.elapsed().as_nanos() as f64 / 1e6);
        effects
    };
    let cancel = AtomicBool::new(false);
    let steps = ["d", "d", "l", "j", "w", "d", "a", "w", "k", "d", "s", "d", "d", "d", "."];
    for round in 0..40 {
        trace.forget_segments();
        // Zooms in to another depth each round, from wherever the last has left the cursor.
        let keys = std::iter::repeat_n("w", round % 24).chain(steps).chain(["f"]);
        for key in keys {
            for key in Key::parse_all(key).expect("a key") {
                let mut waiting = frame(&mut driver, Message::Key(key.to_event()));
                let mut rounds = 0;
                while !waiting.is_empty() && rounds < 100 {
                    rounds += 1;
                    let mut next = Vec::new();
                    for effect in waiting {
                        let Effect::Run(job) = effect else { continue };
                        let answers = Mutex::new(Vec::new());
                        let say = |a| answers.lock().expect("no panic").push(a);
                        job.run(&JobCtx::new(&trace, &cancel), &say);
                        for answer in answers.into_inner().expect("no panic") {
                            next.extend(frame(&mut driver, Message::Answer(answer)));
                        }
                    }
                    waiting = next;
                }
            }
        }
    }
    times.sort_by(f64::total_cmp);
    times
}

/// How long the first hit takes, and all, in ms; and how many there are.
fn first_and_last_hit(text: &str) -> (f64, f64, usize) {
    let (trace, query) = (trace(), query::parse(text).expect("a query"));
    trace.forget_segments();
    let (start, first, count) = (Instant::now(), Mutex::new(None), Mutex::new(0));
    let ms = || start.elapsed().as_nanos() as f64 / 1e6;
    let _ = search::run(&*trace, &query, &SearchOptions::default(), &AtomicBool::new(false), &mut |_, hits| {
        if !hits.is_empty() {
            first.lock().expect("no panic").get_or_insert_with(ms);
            *count.lock().expect("no panic") += hits.len();
        }
    });
    let all = ms();
    (first.into_inner().expect("no panic").unwrap_or(all), all, count.into_inner().expect("no panic"))
}

/// The best of three, in ns an event.
fn ns_per_event(events: u64, mut f: impl FnMut()) -> f64 {
    let once = |_| {
        let start = Instant::now();
        f();
        start.elapsed().as_nanos() as f64 / events.max(1) as f64
    };
    (0..3).map(once).fold(f64::INFINITY, f64::min)
}

fn main() {
    let events = trace().index().events;
    println!("{}: {} bytes, {events} events", source().name, data().len());
    divan::main();
    println!("\nns an event, best of three");
    if let Some(scan) = scan() {
        println!("{:>8.2}  decode and order, one core", ns_per_event(events, || order_all(scan)));
    }
    println!("{:>8.2}  index, all cores", ns_per_event(events, || load(&open(Options::default()))));

    let times = frames();
    let at = |q: f64| times[((times.len() - 1) as f64 * q) as usize];
    println!("\n{} frames of {}x{}, panning and zooming, ms", times.len(), SCREEN.width, SCREEN.height);
    println!("{:>8.2}  median\n{:>8.2}  99 in 100\n{:>8.2}  longest", at(0.5), at(0.99), at(1.0));
    let (first, all, hits) = first_and_last_hit("mapassign");
    println!(
        "\nsearch for mapassign, nothing decoded before: {hits} hits\n{first:>8.1}  ms to the first\n{all:>8.1}  ms to the last"
    );
}
