//! What reading a profile, printing it and summing it up for the viewer costs, in samples and bytes a second.
//!
//! `GOTRAIL_BENCH_PROFILE=FILE cargo bench --bench pprof` measures on a profile of one's own. The one that is made has 20 000
//! samples of two values over 6 000 locations in 2 000 functions, with stacks of 8 to 40 frames that share their roots.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use gotrail::analysis::profile::{Ask, Profiled};
use gotrail::profile::model::Profile;
use gotrail::profile::wire;
use gotrail::profile::wire::proto;
use gotrail::report::pprof::{Command, Options, Report};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

const SAMPLES: u64 = 20_000;
const FUNCTIONS: u64 = 2_000;
const LINES: u64 = 3;

/// The file, as a program writes it.
fn data() -> &'static [u8] {
    static DATA: OnceLock<Vec<u8>> = OnceLock::new();
    DATA.get_or_init(|| match std::env::var_os("GOTRAIL_BENCH_PROFILE").filter(|p| !p.is_empty()) {
        Some(path) => std::fs::read(path).expect("GOTRAIL_BENCH_PROFILE can be read"),
        None => wire::encode_gzip(&make()),
    })
}

fn make() -> proto::Profile {
    let mut random = 1u64;
    let mut below = |n: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % n
    };
    let mut strings: Vec<String> = ["", "samples", "count", "cpu", "nanoseconds"].map(String::from).into();
    let mut string = |s: String| {
        strings.push(s);
        strings.len() as i64 - 1
    };
    let function = (1..=FUNCTIONS).map(|id| {
        let name = string(format!("example.com/shop/part{}.(*Type{}).Method{id}", id % 40, id % 200));
        let filename = string(format!("/src/shop/part{}/type{}.go", id % 40, id % 200));
        proto::Function { id, name, system_name: name, filename, start_line: 10 }
    });
    let function: Vec<_> = function.collect();
    let location = (1..=FUNCTIONS * LINES).map(|id| {
        let line = proto::Line { function_id: (id - 1) / LINES + 1, line: 12 + (id % LINES) as i64, column: 0 };
        proto::Location { id, mapping_id: 1, address: 0x40_0000 + id * 64, line: vec![line], is_folded: false }
    });
    let location: Vec<_> = location.collect();
    let sample = (0..SAMPLES).map(|_| {
        let depth = 8 + below(33);
        // The nearer to the root, the fewer functions there are.
        let mut stack: Vec<u64> = (0..depth).map(|k| 1 + below((4u64 << k.min(20)).min(FUNCTIONS * LINES))).collect();
        stack.reverse();
        let n = 1 + below(3) as i64;
        proto::Sample { location_id: stack, value: vec![n, n * 10_000_000], label: vec![] }
    });
    let sample: Vec<_> = sample.collect();
    let of = |r#type, unit| proto::ValueType { r#type, unit };
    proto::Profile {
        sample_type: vec![of(1, 2), of(3, 4)],
        sample,
        mapping: vec![proto::Mapping { id: 1, memory_start: 0x40_0000, memory_limit: 0x80_0000, ..Default::default() }],
        location,
        function,
        string_table: strings.into_iter().map(String::into_bytes).collect(),
        period_type: Some(of(3, 4)),
        period: 10_000_000,
        ..Default::default()
    }
}

fn profile() -> Profile {
    Profile::decode(data()).expect("a profile")
}

/// Measures `f` with what it goes through in each call, on what `input` makes anew for each.
fn measure<I, T>(bencher: Bencher, input: impl Fn() -> I + Sync, f: impl Fn(I) -> T + Sync) {
    let samples = profile().samples.len();
    bencher
        .with_inputs(input)
        .input_counter(move |_| ItemsCount::new(samples))
        .input_counter(|_| BytesCount::new(data().len()))
        .bench_values(f);
}

#[divan::bench(max_time = 3)]
fn a_unpack_and_decode(bencher: Bencher) {
    measure(bencher, || (), |()| wire::decode(data()).expect("a profile"));
}

#[divan::bench(max_time = 3)]
fn b_read(bencher: Bencher) {
    measure(bencher, || (), |()| profile());
}

fn print(command: &Command, profile: Profile) -> usize {
    let mut out = Vec::new();
    let mut report = Report::new(profile, command, &Options::default()).expect("a report");
    match command {
        Command::Tree => gotrail::report::pprof::tree::write(&mut report, None, &mut out).expect("written"),
        _ => gotrail::report::pprof::top::write(&mut report, &mut out).expect("written"),
    }
    out.len()
}

#[divan::bench(max_time = 3)]
fn c_top(bencher: Bencher) {
    measure(bencher, profile, |p| print(&Command::Top, p));
}

#[divan::bench(max_time = 3)]
fn c_tree(bencher: Bencher) {
    measure(bencher, profile, |p| print(&Command::Tree, p));
}

/// What the viewer does on a key that asks for another sum: table, callers, callees and flame graph at once.
#[divan::bench(max_time = 5)]
fn d_sum_up_for_the_viewer(bencher: Bencher) {
    let profiled = Profiled::new("bench", profile()).expect("a profile to look at");
    measure(bencher, Ask::default, |ask| profiled.sum_up(&ask, &AtomicBool::new(false)).expect("a sum"));
}

fn main() {
    println!("{} bytes, {} samples", data().len(), profile().samples.len());
    divan::main();
}
