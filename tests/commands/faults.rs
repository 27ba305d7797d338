//! What breaks while the program runs: files that are cut short while they are open.

use crate::common;

use gotrail::input::{self, Bytes};
use gotrail::read::Trace;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::AtomicBool;

/// More than is read into memory at once: the sample's recording again and again.
fn large(dir: &tempfile::TempDir) -> PathBuf {
    let path = dir.path().join("large.trace");
    let one = fs::read(common::sample("trace.out")).unwrap();
    fs::write(&path, one.repeat(9)).unwrap();
    path
}

fn cut(path: &PathBuf, len: u64) {
    File::options().write(true).open(path).unwrap().set_len(len).unwrap();
}

#[test]
fn a_trace_cut_short_while_it_is_open_is_an_error_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = large(&dir);
    let size = fs::metadata(&path).unwrap().len();
    let input = input::open(&path).unwrap();
    assert!(matches!(input.bytes, Bytes::File(_)), "the file is not read at once");
    let trace = Trace::open("large", input.bytes).unwrap();
    cut(&path, size / 2);
    trace.load(&|_| {}, &AtomicBool::new(false));
    let why = trace.intact().unwrap_err();
    assert!(why.to_string().contains("the file was cut short while it was open"), "{why}");
    assert!(why.offset >= size / 2 && why.offset < size, "{why}");
    let index = trace.index();
    assert!(index.complete && index.events > 0);
    assert!(index.losses.iter().any(|l| l.contains("cut short while it was open")), "{:?}", index.losses);
}

#[test]
fn segments_of_a_trace_cut_short_after_it_was_read_cannot_be_decoded() {
    let dir = tempfile::tempdir().unwrap();
    let path = large(&dir);
    let trace = common::load(&path);
    let segments = trace.index().segments.len();
    assert!(segments > 8 && trace.segment(0).is_ok());
    trace.forget_segments();
    cut(&path, 100);
    for i in 0..segments {
        assert!(trace.segment(i).is_err(), "segment {i}");
    }
}

#[test]
fn events_of_a_shrinking_file_end_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = large(&dir);
    let mut child = common::gotrail()
        .args(["events", "--no-cache"])
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    // Once it prints, the trace has been read, and most of what it is to print has not been decoded again.
    let mut first = [0; 100];
    out.read_exact(&mut first).unwrap();
    cut(&path, 1000);
    out.read_to_end(&mut Vec::new()).unwrap();
    let end = child.wait_with_output().unwrap();
    let said = String::from_utf8(end.stderr).unwrap();
    assert_eq!(end.status.code(), Some(3), "{said}");
    assert!(said.contains("large.trace: at byte "), "{said}");
    assert!(said.trim_end().ends_with("to 1000B (open it again to see what is left)"), "{said}");
}

#[test]
fn what_is_read_is_never_written_onto() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("t");
    let bytes = fs::read(common::data("chain.trace")).unwrap();
    fs::write(&trace, &bytes).unwrap();
    let (link, hard) = (dir.path().join("link"), dir.path().join("hard"));
    #[cfg(unix)]
    std::os::unix::fs::symlink(&trace, &link).unwrap();
    fs::hard_link(&trace, &hard).unwrap();
    for to in [&trace, &link, &hard] {
        for from in [trace.clone(), dir.path().to_owned(), PathBuf::from(format!("{}@1ms", trace.display()))] {
            let (_, said, exit) = common::run([
                "profile".as_ref(),
                "--kind".as_ref(),
                "offcpu".as_ref(),
                from.as_os_str(),
                "-o".as_ref(),
                to.as_os_str(),
            ]);
            assert!(exit == 3 && said.contains("it is the file that is read"), "{exit} {said}");
            assert!(fs::read(&trace).unwrap() == bytes, "{} is as it was", trace.display());
        }
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "nothing half written is left behind");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let trace = common::data("chain.trace");
    let trace = trace.to_str().unwrap();
    let commands: [&[&str]; 5] = [
        &["summary", trace],
        &["events", trace],
        &["waits", trace, "--format", "json"],
        &["export", trace, "--format", "cut"],
        &["profile", trace, "--kind", "offcpu", "-o", "-"],
    ];
    for args in commands {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let out = common::gotrail().args(args).stdout(full).output().unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(3), "{args:?}: {said}");
        assert!(said.contains("No space left on device"), "{args:?}: {said}");
    }
    let (_, said, exit) = common::run(["profile", trace, "--kind", "offcpu", "-o", "/dev/full"]);
    assert!(exit == 3 && said.contains("writing /dev/full: No space left on device"), "{said}");
}

#[test]
fn no_argument_commands_the_terminal() {
    for args in [
        &["--\x1b]0;title\x07"][..],
        &["summary", "--\x1b]0;title\x07"],
        &["summary", "\x1b]0;title\x07"],
        &["summary", "a", "--memory", "\x1b[2J"],
        &["\x1b]0;title\x07"],
        &["top", "\x1b]0;title\x07"],
        &["diff", "\x1b]0;title\x07"],
        &["why", "\x1b]0;title\x07", "--task", "\x1b[2J"],
    ] {
        let (out, said, exit) = common::run(args);
        assert!(exit == 2 || exit == 3, "{args:?}: {exit} {said}");
        let unsafe_ = |c: char| c != '\n' && gotrail::base::text::is_unsafe(c);
        assert!(!out.contains(unsafe_) && !said.contains(unsafe_), "{args:?}: {said:?}");
    }
}

/// A trace of 292 years, which is all that its numbers can say: nothing counts in steps of seconds, and every screen draws.
#[test]
fn the_longest_trace_draws_on_screens_of_any_size() {
    let Some(path) = common::shared("field/hostile/width1-hang.trace") else { return };
    let path = path.to_str().unwrap();
    for size in ["1x1", "1x2", "2x1", "1x1000", "1000x1", "3x3", "120x40", "1000x1000"] {
        let (_, said, exit) = common::run(["snapshot", "--no-cache", "--size", size, "--keys", "1-+2345678", path]);
        assert_eq!(exit, 0, "{size}: {said}");
    }
    let (out, said, exit) = common::run(["summary", "--no-cache", path]);
    assert!(exit == 0 && out.contains("2562047h47m"), "{said}");
}
