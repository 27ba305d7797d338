//! What the tests share: where files are, opening and loading, running the program, and leaving tests out with a word.

// Each test binary uses a part of it.
#![allow(dead_code)]

mod left_out;

use gotrail::input::{self, Bytes};
use gotrail::read::Trace;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

#[allow(unused_imports)]
pub use left_out::{leave_out, leave_out_of_ci, shared};

/// The folder of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of `tests/data`.
pub fn data(name: &str) -> PathBuf {
    root().join("tests/data").join(name)
}

/// A file of `sample-traces`.
pub fn sample(name: &str) -> PathBuf {
    root().join("sample-traces").join(name)
}

/// A file's bytes; of a packed one, those inside.
pub fn unpacked(path: impl AsRef<Path>) -> Vec<u8> {
    input::open(path).unwrap().bytes.all().into_owned()
}

/// Opens the trace at `path`, and does not read it yet.
pub fn unread(path: impl AsRef<Path>) -> Trace {
    let input = input::open(path).unwrap();
    Trace::open(&input.name, input.bytes).unwrap()
}

/// Reads the trace at `path` whole.
pub fn load(path: impl AsRef<Path>) -> Trace {
    read(unread(path))
}

/// Reads the trace that these bytes are whole.
pub fn load_bytes(bytes: &[u8]) -> Trace {
    try_load_bytes(bytes).expect("a trace")
}

/// The same; nothing if they are none.
pub fn try_load_bytes(bytes: &[u8]) -> Option<Trace> {
    Trace::open("t", Bytes::Memory(bytes.to_vec().into())).ok().map(read)
}

fn read(trace: Trace) -> Trace {
    trace.load(&|_| {}, &AtomicBool::new(false));
    assert!(trace.index().complete);
    trace
}

/// The program, in the folder of the repository.
pub fn gotrail() -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_gotrail"));
    c.current_dir(root());
    c
}

/// What the program prints with these arguments, and on standard error, and its exit code.
pub fn run<I: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = I>) -> (String, String, i32) {
    let out = gotrail().args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(out.stdout), text(out.stderr), out.status.code().unwrap())
}

/// The facts that Go's own reader states of the trace beside them.
pub fn facts(path: &Path) -> serde_json::Value {
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The traces of a folder that have their facts beside them, and those: by name.
pub fn with_facts(dir: &Path) -> BTreeMap<PathBuf, PathBuf> {
    let paths = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let traces = paths.filter(|p| p.extension().is_some_and(|e| e == "trace"));
    let pairs = traces.map(|t| (t.clone(), t.with_extension("facts.json.gz")));
    pairs.filter(|(_, facts)| facts.exists()).collect()
}

/// The recording of a program whose behaviour is known, read whole.
pub fn recording(name: &str) -> Trace {
    load(data(&format!("{name}.trace")))
}

/// The sample's trace, read whole.
pub fn sample_trace() -> Trace {
    load(sample("trace.out"))
}

/// Recordings of programs whose behaviour is known, by name: those that tests run through.
pub const PROGRAMS: &[&str] = &[
    "chain",
    "convoy",
    "starved",
    "sweep",
    "pool",
    "limit",
    "gone",
    "picker",
    "receiver",
    "selects",
    "leak",
    "network",
    "timer",
    "waits",
    "path",
    "knot",
    "annotations",
    "annotations-go1.22",
    "coroutine",
    "syscall",
    "hostile",
];

/// All traces that are here.
pub fn traces() -> Vec<PathBuf> {
    let folders = ["tests/data", "tests/data/v1", "sample-traces"];
    let files = folders.iter().flat_map(|f| std::fs::read_dir(root().join(f)).unwrap()).map(|f| f.unwrap().path());
    let is_trace = |p: &PathBuf| p.extension().is_some_and(|e| e == "trace") || p.ends_with("trace.out");
    files.filter(|p| is_trace(p) || p.to_string_lossy().ends_with("-trace.out")).collect()
}
