//! What people bring in place of a profile: each case of `../shared/field/profiles` gets the answer that its README asks
//! for, from the commands and from the viewer in the same words.

use crate::common;

use common::{run, shared};
use std::path::Path;

/// A case: its file, what is found in the output of `top` (or on standard error, where it cannot be read), and whether it
/// can be read.
const CASES: &[(&str, &str, bool)] = &[
    ("chrome-trace/ss__trace-event_simple.json", "a JSON trace for Chrome or Perfetto", false),
    ("cli-busy-text/busy.txt", "cpu profiling already in use", false),
    ("cli-gzip-of-gzip/gzgz.pb.gz", "Total samples = 1.94s", true),
    ("cli-html-404/404.html", "an HTTP error page: 404 Not Found", false),
    ("cli-http-headers/withheaders.pb.gz", "Total samples = 1.94s", true),
    ("cli-perf-data/perf.data", "a Linux perf recording (run `perf script` first", false),
    ("cli-tar-gz/prof.tar.gz", "a tar archive (unpack it first)", false),
    ("cli-trailing-newline/trailing.pb.gz", "Total samples = 1.94s", true),
    ("cli-zip/prof.zip", "a zip archive (unpack it first)", false),
    ("cli-zstd/cpu.pb.zst", "Total samples = 1.94s", true),
    ("comment-newline/deflt.pb.gz", "hello comment\nsecond\n", true),
    ("cpuprofile/ss__65_simple.cpuprofile", " d\n", true),
    ("debug2-in-panic/panic.txt", "main.leak.func1", true),
    ("debug2-sigquit-log/sigquit.txt", "main.leak.func1", true),
    ("debug2-viewer/goroutineleak.debug2.txt", "main.leak.func1", true),
    ("folded/ss__stackcollapse_simple.txt", "Type: samples", true),
    ("names-angle-brackets/names.pb.gz", "<module>", true),
    ("overflow/overflow.pb.gz", "add up to more than 64 bits hold", true),
    ("perf-script/ss__linux-perf_simple-with-header.linux-perf.txt", "Type: cpu-clock", true),
    ("preprofile/preprofile.pgo", "what `go tool preprofile` makes for the compiler", false),
    ("regex-x-brace/cpu.pb.gz", "Type: cpu", true),
    ("truncated-download/trunc.pb.gz", "the file is cut off", false),
    ("unsymbolised/unsym.pb.gz", "Type: cpu", true),
];

#[test]
fn every_case_gets_its_answer_from_the_commands_and_the_viewer_alike() {
    let Some(dir) = shared("field/profiles") else { return };
    let mut wrong = Vec::new();
    for &(file, want, reads) in CASES {
        let path = dir.join(file);
        let (out, err, code) = run([Path::new("top"), &path]);
        if !(out.contains(want) || err.contains(want)) || (code == 0) != reads {
            wrong.push(format!("top {file}: {code}\n{err}{out}"));
        }
        let (shown, said, viewed) = run([Path::new("snapshot"), &path]);
        // Where it cannot be read, and of what was lost, both say the same.
        if said != err || viewed != code || reads && !shown.contains("9 profile") {
            wrong.push(format!("snapshot {file}: {viewed}\n{said}{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cases that need more than their file, and the test that has them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("disasm-macos", "profiles_without_their_program_are_asked_which_it_was"),
    ("disasm-stripped", "profiles_without_their_program_are_asked_which_it_was"),
    ("goroutine-approx", "what_is_counted_whole_is_no_estimate"),
    ("source-of-another-program", "a_file_that_only_has_the_name_is_not_shown_without_a_word"),
    ("width1-hang.trace", "the_longest_trace_draws_on_screens_of_any_size"),
    ("eog-20MB.trace.gz", "a_packed_trace_of_ends_of_generations_is_read_and_its_loss_said"),
];

#[test]
fn every_folder_has_a_case_here_or_a_test_elsewhere() {
    let Some(field) = shared("field") else { return };
    let mut without = Vec::new();
    for kind in ["profiles", "hostile"] {
        for entry in std::fs::read_dir(field.join(kind)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let here = CASES.iter().any(|(file, ..)| file.split('/').next() == Some(name.as_str()));
            if !here && !ELSEWHERE.iter().any(|(case, _)| *case == name) {
                without.push(format!("{kind}/{name}"));
            }
        }
    }
    assert!(without.is_empty(), "without a test: {without:?}");
}

/// The programs of two cases are not among them: what they ask for is held by the tests of executables. That another program is
/// not taken for theirs is held here.
#[test]
fn profiles_without_their_program_are_asked_which_it_was() {
    let Some(dir) = shared("field/profiles") else { return };
    let other = common::data("binary/arm64.macho");
    for profile in ["disasm-macos/dis-prog-darwin.pb.gz", "disasm-stripped/cpu.pb.gz"] {
        let profile = dir.join(profile);
        let (_, said, code) = run([Path::new("disasm"), Path::new("Sum"), &profile]);
        assert!(code == 2 && said.contains("which program was profiled? --binary FILE names it"), "{code} {said}");
        let with = [Path::new("disasm"), Path::new("--binary"), &other, Path::new("Sum"), &profile];
        let (_, said, code) = run(with);
        assert!(code == 3 && said.contains("this binary is not the program that was profiled"), "{code} {said}");
    }
}

/// Files of other tools with numbers that nobody would have written, or cut off: what is in them, what is found in what is
/// said of it, and whether they can be read. `../shared` is not needed.
const ODD: &[(&str, &str, &str, bool)] = &[
    (
        "step.cpuprofile",
        r#"{"nodes":[{"id":1,"callFrame":{"functionName":"a"}}],"startTime":0,"endTime":9,"samples":[1,1,1],"timeDeltas":[1,9e18,3]}"#,
        "1 value does not fit 64 bits",
        true,
    ),
    (
        "cut.cpuprofile",
        r#"{"nodes":[{"id":1,"callFrame":{"functionName":"a"}}],"startTime":0,"sam"#,
        "the file is cut off",
        false,
    ),
    (
        "back.speedscope",
        r#"{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{"frames":[{"name":"a"}]},"profiles":[
        {"type":"evented","name":"t","unit":"bytes","startValue":0,"endValue":9,"events":[{"type":"O","at":5,"frame":0},
        {"type":"C","at":2,"frame":0}]}]}"#,
        "1 event goes back in time",
        true,
    ),
    (
        "none.speedscope",
        r#"{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{"frames":[]},"profiles":[]}"#,
        "it has no profiles",
        false,
    ),
    ("numbers.folded", "main;a 1e3\nmain;b -4\nmain;c 5\n", "2 lines that are no stack and number were left out", true),
    ("two.folded", "main;a 1\nmain;b x\n", "1 line that is no stack and number was left out", true),
    ("negative.folded", "main;a -3\nmain;b -4\n", "expected a stack and a number", false),
    (
        "open.trace",
        r#"[{"name":"ProfileChunk","ph":"P","args":{"data":{"cpuProfile":{"nodes":[{"id":1,"callFrame":{"functionName":"a"}}],"samples":[1]}}}},"#,
        "its list of events has no end",
        true,
    ),
];

#[test]
fn odd_files_of_other_tools_get_the_same_words_from_the_commands_and_the_viewer() {
    let dir = tempfile::tempdir().unwrap();
    for &(name, text, want, reads) in ODD {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let (_, err, code) = run([Path::new("top"), &path]);
        assert!(err.contains(want) && (code == 0) == reads, "{name}: {code} {err}");
        let (_, said, viewed) = run([Path::new("snapshot"), &path]);
        assert_eq!((said, viewed), (err, code), "{name}");
    }
}

#[test]
fn names_stay_and_expressions_are_gos() {
    let Some(dir) = shared("field/profiles") else { return };
    let names = dir.join("names-angle-brackets/names.pb.gz");
    let top = |how: &str| run([Path::new("top"), Path::new("--demangle"), Path::new(how), &names]).0;
    let simple = top("simple");
    for name in
        ["<module>", "<main>", "<lambda>", "<T as core::fmt::Display>::fmt", "foo::bar", "std::vector::push_back"]
    {
        assert!(simple.lines().any(|l| l.ends_with(&format!("  {name}"))), "{name}: {simple}");
    }
    assert!(top("none").contains("_ZN3foo3barEv") && top("full").contains("foo::bar()"));
    let cpu = dir.join("regex-x-brace/cpu.pb.gz");
    let (_, err, code) = run([Path::new("top"), Path::new(r"--focus=\x{6d}ain"), &cpu]);
    assert_eq!((err.as_str(), code), ("", 0));
}

#[test]
fn what_we_do_not_have_is_answered_with_a_sentence() {
    let cpu = "tests/pprof/cpu.pb.gz";
    for (args, want) in [
        (&["svg", cpu][..], "there is no `svg`; `gotrail snapshot --format svg"),
        (&["web", cpu], "there is no `web`"),
        (&["top", "-call_tree", cpu], "there is no `-call_tree`; `gotrail traces"),
        (&["top", "-http=:8080", cpu], "shows the profile in the terminal"),
        (&["tpo", "--cum", cpu], "there is neither a file nor a command `tpo`; did you mean `gotrail top`?"),
    ] {
        let (_, err, code) = run(args);
        assert!(err.contains(want) && code == 2, "{args:?}: {code} {err}");
    }
}

#[test]
fn a_profile_that_was_written_is_that_which_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.pb.gz");
    let (cpu, heap) = ("tests/pprof/cpu.pb.gz", "tests/pprof/heap.pb.gz");
    let rows = |args: &[&str]| {
        let (out, err, code) = run(args);
        assert_eq!((err.as_str(), code), ("", 0), "{args:?}");
        out
    };
    for options in [&["--focus=mapassign"][..], &["--ignore=mapassign"], &["--base", "tests/pprof/cpu-base.pb.gz"], &[]]
    {
        let p = path.to_str().unwrap();
        rows(&[&["proto", "-o", p, cpu][..], options].concat());
        let want = rows(&[&["top", "--trim=false", cpu][..], options].concat());
        let got = rows(&["top", "--trim=false", p]);
        // Of a part of the samples the shares are of that part, and so the header differs.
        let flat = |text: &str| {
            let rows = text.lines().skip_while(|l| !l.trim_start().starts_with("flat "));
            rows.filter_map(|l| l.split_whitespace().next().map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(flat(&got), flat(&want), "{options:?}\n{got}\n{want}");
        assert!(flat(&got).len() > 3, "{got}");
    }
    let (_, err, code) = run(["proto", "-o", heap, heap]);
    assert!(code == 3 && err.contains("the file that is read"), "{err}");
}

#[test]
fn the_program_may_come_first_and_tells_the_names_of_addresses() {
    let Some(dir) = shared("field/profiles") else { return };
    let own = env!("CARGO_BIN_EXE_gotrail");
    let cpu = dir.join("regex-x-brace/cpu.pb.gz");
    let (out, _, code) = run([Path::new("top"), Path::new(own), &cpu]);
    assert!(code == 0 && out.starts_with("File: gotrail\n"), "{out}");
    let (shown, err, code) = run([Path::new("snapshot"), Path::new(own), &cpu]);
    assert!(code == 0 && shown.contains("cpu.pb.gz"), "{err}{shown}");
}

#[test]
fn a_packed_trace_of_ends_of_generations_is_read_and_its_loss_said() {
    let Some(dir) = shared("field/hostile") else { return };
    let (out, _, code) = run([Path::new("summary"), &dir.join("eog-20MB.trace.gz")]);
    assert!(code == 0 && out.contains("lost"), "{out}");
}

#[test]
fn a_profile_on_standard_output_is_bytes() {
    let out = common::gotrail().args(["proto", "sample-traces/cpu.pb.gz"]).output().unwrap();
    assert!(
        out.status.success() && out.stdout.starts_with(&[0x1f, 0x8b]),
        "{:?}",
        &out.stdout[..8.min(out.stdout.len())]
    );
}

#[test]
fn a_file_that_only_has_the_name_is_not_shown_without_a_word() {
    let Some(profiles) = shared("field/profiles/source-of-another-program") else { return };
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("sub")).unwrap();
    std::fs::write(dir.path().join("sub/main.go"), "package main\n\nfunc other() {\n\t// nothing of it\n}\n").unwrap();
    for name in ["src0.pb.gz", "src1.pb.gz"] {
        let out = common::gotrail()
            .current_dir(dir.path())
            .args(["snapshot", "--size", "120x30"])
            .arg(profiles.join(name))
            .output()
            .unwrap();
        let shown = String::from_utf8(out.stdout).unwrap();
        assert!(shown.contains("// nothing of it") && shown.contains("by its name alone this is"), "{name}: {shown}");
        assert!(shown.contains("sub/main.go"), "{name}: {shown}");
    }
}

#[test]
fn what_is_counted_whole_is_no_estimate() {
    let Some(path) = shared("field/profiles/goroutine-approx/paycore-go1.27-goroutine.pb.gz") else { return };
    let (shown, err, code) = run([Path::new("snapshot"), &path]);
    assert!(code == 0 && shown.contains("12") && !shown.contains('~'), "{err}{shown}");
    let (shown, _, _) = run(["snapshot", "sample-traces/cpu.pb.gz"]);
    assert!(shown.contains("~ fewer than 5"), "{shown}");
}
