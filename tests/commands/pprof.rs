//! Profiles from end to end: what pprof prints, held against pprof itself.

use crate::common;

use clap::Args;
use gotrail::cli::argv;
use gotrail::cli::profile::{Exit, Kind, ProfileArgs, run};
use gotrail::profile::model::Profile;
use gotrail::profile::ops::pattern::Pattern;
use gotrail::report::pprof::{Command, Granularity, Options, Report, source};
use proptest::prelude::*;
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pprof")
}

fn kind(name: &str) -> Kind {
    match name {
        "top" => Kind::Top,
        "tree" => Kind::Tree,
        "peek" => Kind::Peek,
        "list" => Kind::List,
        "traces" => Kind::Traces,
        "tags" => Kind::Tags,
        "raw" => Kind::Raw,
        "comments" => Kind::Comments,
        _ => panic!("no such command: {name}"),
    }
}

/// Runs a command line; files are those of `tests/pprof`.
fn gotrail(line: &str) -> (Exit, String, String) {
    let dir = golden();
    let place = |word: &str| match word.rsplit_once('=') {
        Some((option, file)) if file.ends_with(".gz") => format!("{option}={}", dir.join(file).display()),
        None if word.ends_with(".gz") => dir.join(word).display().to_string(),
        _ => word.to_string(),
    };
    let mut words = line.split(' ');
    let command = words.next().unwrap();
    let parser = ProfileArgs::augment_args(clap::Command::new("gotrail"));
    let args = std::iter::once(command.to_string()).chain(words.map(place)).map(OsString::from);
    let args = argv::normalise(&parser, args);
    let args = clap::FromArgMatches::from_arg_matches(&parser.try_get_matches_from(args).unwrap()).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = run(kind(command), &args, &mut out, &mut err).unwrap();
    (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

#[test]
fn reports_are_those_of_pprof() {
    let cases = std::fs::read_to_string(golden().join("cases.txt")).unwrap();
    let mut compared = 0;
    for case in cases.lines().filter(|l| !l.starts_with('#')) {
        let (name, line) = case.split_once(": ").unwrap();
        let want = std::fs::read_to_string(golden().join(format!("{name}.txt"))).unwrap();
        let (exit, out, err) = gotrail(line);
        assert_eq!(exit, Exit::Done, "{name}: {err}");
        assert_eq!(out, want, "{name}");
        compared += 1;
    }
    assert_eq!(compared, 18);
}

#[test]
fn options_have_one_dash_or_two_and_a_value_after_a_space_or_an_equals_sign() {
    let want = gotrail("top -cum -nodecount=5 -focus=mapassign cpu.pb.gz").1;
    for line in [
        "top --cum --nodecount=5 --focus=mapassign cpu.pb.gz",
        "top -cum -nodecount 5 -focus mapassign cpu.pb.gz",
        "top cpu.pb.gz -cum=true -nodecount=5 -focus mapassign",
        "top -trim=true -flat=false --cum cpu.pb.gz --focus mapassign --nodecount 5",
    ] {
        assert_eq!(gotrail(line).1, want, "{line}");
    }
}

#[test]
fn mistakes_are_named_and_have_their_exit_codes() {
    for (line, exit, message) in [
        ("top -cum -flat cpu.pb.gz", Exit::Usage, "--cum and --flat cannot both be given"),
        ("top -lines -files cpu.pb.gz", Exit::Usage, "--files and --lines cannot both be given"),
        ("top -normalize cpu.pb.gz", Exit::Usage, "--normalize needs --base or --diff_base"),
        ("top -focus=( cpu.pb.gz", Exit::Usage, "parsing focus regexp"),
        ("top -sample_index=inuse_space cpu.pb.gz", Exit::Usage, "must be one of: samples, cpu"),
        ("top -divide_by=0 cpu.pb.gz", Exit::Usage, "zero divisor"),
        ("top cpu.pb.gz heap.pb.gz", Exit::BadInput, "no sample type in common"),
        ("top nothing.pb.gz", Exit::BadInput, "no such file"),
        ("peek nothing_of_the_kind cpu.pb.gz", Exit::NothingFound, "no matches found for regexp: nothing_of_the_kind"),
        ("top -focus=nothing_of_the_kind cpu.pb.gz", Exit::Done, "Focus expression matched no samples"),
    ] {
        let (got, _, err) = gotrail(line);
        assert_eq!(got, exit, "{line}: {err}");
        assert!(err.contains(message), "{line}: {err}");
    }
}

#[test]
fn every_profile_of_pprofs_own_tests_reads_as_pprof_reads_it() {
    let Some(dir) = common::shared("corpus/profiles/pprof-tests/profile") else { return };
    let files = std::fs::read_dir(&dir).unwrap();
    let mut compared = 0;
    for file in files.map(|f| f.unwrap().path()).filter(|f| f.extension().is_some_and(|e| e == "string")) {
        let profile = Profile::decode(&std::fs::read(file.with_extension("")).unwrap()).unwrap();
        assert_eq!(profile.to_debug_string(), std::fs::read_to_string(&file).unwrap(), "{}", file.display());
        let again = Profile::from_wire(&profile.to_wire()).unwrap();
        assert_eq!(again.to_debug_string(), profile.to_debug_string(), "{}", file.display());
        compared += 1;
    }
    assert_eq!(compared, 14);
}

/// No source at all.
struct Nowhere;

impl source::Lines for Nowhere {
    fn lines(&mut self, _: &str) -> Result<&[String], String> {
        Err("there is none".to_string())
    }
}

/// One source file.
struct OneFile(Vec<String>);

impl source::Lines for OneFile {
    fn lines(&mut self, path: &str) -> Result<&[String], String> {
        if path == "/app/m.go" { Ok(&self.0) } else { Err(format!("there is no {path}")) }
    }
}

/// What `command` prints of the goroutines in `text`.
fn report(text: &str, command: &Command, options: &Options) -> String {
    let mut report = Report::new(Profile::decode(text.as_bytes()).unwrap(), command, options).unwrap();
    let mut file = OneFile((1..=30).map(|n| format!("\tline {n}")).collect());
    let mut out = Vec::new();
    report.write(command, &mut file, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_listing_counts_recursion_once_in_its_header() {
    let text = "goroutine 1 [running]:\nmain.f(...)\n\t/app/m.go:7\nmain.f(...)\n\t/app/m.go:9\n\
                main.main()\n\t/app/other.go:20\n";
    let list = Command::List(Pattern::new("main").unwrap());
    let out = report(text, &list, &Options::default());
    let want = "\
Total: 1
ROUTINE ======================== main.f in /app/m.go
         1          1 (flat, cum)   100% of Total
         .          .      2:\tline 2
         .          .      3:\tline 3
         .          .      4:\tline 4
         .          .      5:\tline 5
         .          .      6:\tline 6
         1          1      7:\tline 7
         .          .      8:\tline 8
         .          1      9:\tline 9
         .          .     10:\tline 10
         .          .     11:\tline 11
         .          .     12:\tline 12
         .          .     13:\tline 13
         .          .     14:\tline 14
ROUTINE ======================== main.main in /app/other.go
         0          1 (flat, cum)   100% of Total
 Error: there is no /app/other.go
";
    assert_eq!(out, want);
}

#[test]
fn peek_finds_a_function_by_the_end_of_its_name() {
    let text = "goroutine 1 [running]:\nmain.f(...)\n\t/app/m.go:7\nmain.main()\n\t/app/m.go:20\n";
    let options = Options { granularity: Granularity::Lines, ..Options::default() };
    let out = report(text, &Command::Peek(Pattern::new("f$").unwrap()), &options);
    assert!(out.contains("| main.f /app/m.go:7\n") && !out.contains("| main.main"), "{out}");
}

#[test]
fn nothing_in_a_profile_steers_the_terminal() {
    let text = "goroutine 1 [run\x07ning]:\nmain.\x1b]0;x\x07f(...)\n\t/a\x1b[2Jpp/m.go:7\n";
    let all = Pattern::new(".").unwrap();
    let commands = [
        Command::Top,
        Command::Tree,
        Command::Peek(all.clone()),
        Command::List(all),
        Command::Traces,
        Command::Tags,
        Command::Raw,
    ];
    for command in commands {
        let options = Options { granularity: Granularity::Lines, focus: "\x1b|m".to_string(), ..Options::default() };
        let out = report(text, &command, &options);
        assert!(!out.contains(['\x1b', '\x07']), "{command:?}: {out}");
        assert!(out.contains("\\x1b") || out.contains("\\x07") || out.contains("\\a"), "{command:?}: {out}");
    }
}

#[test]
fn a_name_may_be_longer_than_any_line() {
    let long = "x".repeat(100_000);
    let text = format!(
        "goroutine profile: total 1\n1 @ 0x11\n# labels: {{\"{long}\":\"{long}\"}}\n#\t0x10\t{long}+0x1\t/m.go:1\n"
    );
    for command in [Command::Top, Command::Tree, Command::Traces, Command::Tags, Command::Raw] {
        assert!(report(&text, &command, &Options::default()).contains(&long), "{command:?}");
    }
}

/// Everything that can be done with a profile, on whatever `data` is.
fn exercise(data: &[u8]) {
    let Ok(profile) = Profile::decode(data) else { return };
    Profile::from_wire(&profile.to_wire()).unwrap();
    let any = Pattern::new("a").unwrap();
    let options = Options {
        focus: "a|r".to_string(),
        hide: "u".to_string(),
        show_from: "m".to_string(),
        tagroot: "bytes,phase".to_string(),
        tagignore: "64kb".to_string(),
        ..Options::default()
    };
    let commands =
        [Command::Top, Command::Tree, Command::Peek(any.clone()), Command::List(any), Command::Traces, Command::Tags];
    for command in commands {
        for options in [&Options::default(), &options] {
            if let Ok(mut report) = Report::new(profile.clone(), &command, options) {
                let _ = report.write(&command, &mut Nowhere, &mut Vec::new());
            }
        }
    }
    let mut negative = profile.clone();
    negative.drop_uninteresting();
    let _ = gotrail::profile::ops::merge::subtract(profile, negative, true).map(|p| p.to_debug_string());
}

#[test]
fn extreme_numbers_are_no_problem() {
    use gotrail::profile::wire::{decode, encode};
    let whole = decode(&std::fs::read(golden().join("heap.pb.gz")).unwrap()).unwrap();
    for n in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX] {
        let mut p = whole.clone();
        for (i, s) in p.sample.iter_mut().enumerate() {
            s.value.iter_mut().skip(i % 3).for_each(|v| *v = n);
            s.label.iter_mut().for_each(|l| l.num = n);
            s.location_id.truncate(i);
        }
        for m in &mut p.mapping {
            (m.memory_start, m.memory_limit, m.file_offset) = (n as u64, !n as u64, n as u64);
        }
        for l in &mut p.location {
            l.address = n as u64;
            l.line.iter_mut().for_each(|line| (line.line, line.column) = (n, n));
        }
        p.function.iter_mut().for_each(|f| f.start_line = n);
        (p.time_nanos, p.duration_nanos, p.period) = (n, n, n);
        exercise(&encode(&p));
    }
}

/// Profiles to damage: those of `tests/pprof` unpacked, and a text of each legacy format.
fn seeds() -> Vec<Vec<u8>> {
    let packed = ["heap-base.pb.gz", "mutex.pb.gz"].map(|f| std::fs::read(golden().join(f)).unwrap());
    let mut seeds = packed.to_vec();
    for data in &packed {
        let mut raw = Vec::new();
        flate2::read::GzDecoder::new(&data[..]).read_to_end(&mut raw).unwrap();
        seeds.push(raw);
    }
    let texts = [
        "heap profile: 2: 2048 [5: 5120] @ heap/1048576\n2: 2048 [5: 5120] @ 0x1001 0x2001\n#\t0x1000\tf+0x1\ta.go:3\n\
         MAPPED_LIBRARIES:\nb=/opt\n1000-2000 r-xp 00000000 08:01 7 $b/app\n",
        "--- mutex:\ncycles/second=2000000000\nsampling period=10\n400 3 @ 0x101 0x201\n",
        "goroutine profile: total 3\n2 @ 0x11 0x21\n# labels: {\"id\":\"x\"}\n#\t0x10\tmain.f+0x1\t/m.go:1\n",
        "goroutine 7 [chan receive, 5 minutes] {id: x}:\nmain.wait(...)\n\t/app/main.go:6\n",
        "--- threadz 1 ---\n\n--- Thread a1 (name: main/12) stack: ---\n  PC: 0x10: f\n---- no stack trace for a3\n",
        "--- heapz 1 ---\nformat = java\nresolution = bytes\n 700 2 @ 0x1 0x2\n  0x1 a.B.lock (B.java:5)\n",
    ];
    seeds.extend(texts.map(|t| t.as_bytes().to_vec()));
    let words = [0u32, 3, 0, 10_000, 0, 5, 2, 0x1000, 0x2001, 0, 1, 0];
    seeds.push(words.iter().flat_map(|w| w.to_le_bytes()).collect());
    seeds
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn damaged_profiles_are_read_or_refused(
        seed in 0usize..11,
        cut in any::<proptest::sample::Index>(),
        cuts in any::<bool>(),
        changes in prop::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), any::<bool>()), 0..8),
    ) {
        let mut data = seeds().swap_remove(seed);
        if cuts {
            data.truncate(cut.index(data.len()));
        }
        for (at, byte, insert) in changes {
            let at = at.index(data.len() + 1);
            match data.get_mut(at) {
                Some(b) if !insert => *b = byte,
                _ => data.insert(at, byte),
            }
        }
        exercise(&data);
    }
}
