//! Tests that need what not everyone has are left out with a word, and counted. The library's own tests include this
//! file, too.

use std::io::Write;
use std::path::{Path, PathBuf};

/// A file or folder of `../shared`. `None`, and the test is [left out](leave_out), if that folder is not there at all; where
/// it is, what is missing in it fails the test.
pub fn shared(path: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    if !folder.is_dir() {
        leave_out("there is no ../shared");
        return None;
    }
    let path = folder.join(path);
    assert!(path.exists(), "{} is missing", path.display());
    Some(path)
}

/// Says that the test that is running is left out, and why. It is counted in `target/left-out`;
/// with `GOTRAIL_LEAVE_OUT=nothing` in the environment it fails instead.
pub fn leave_out(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let all = std::env::var("GOTRAIL_LEAVE_OUT").is_ok_and(|v| v.starts_with("nothing"));
    assert!(!all, "{test} may not be left out: {why}");
    count(test, why);
}

/// The same for what CI need not have: it is counted, and fails only with `GOTRAIL_LEAVE_OUT=nothing-at-all`, which
/// `scripts/check-all` sets.
#[allow(dead_code)]
pub fn leave_out_of_ci(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let all = std::env::var("GOTRAIL_LEAVE_OUT").as_deref() == Ok("nothing-at-all");
    assert!(!all, "{test} may not be left out: {why}");
    count(test, why);
}

fn count(test: &str, why: &str) {
    eprintln!("left out: {test}: {why}");
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/left-out");
    let file = std::fs::OpenOptions::new().create(true).append(true).open(list);
    // The build may be somewhere else.
    let _ = file.and_then(|mut f| writeln!(f, "{test}: {why}"));
}
