//! The command line from outside: exit codes, errors, streams.

use crate::common;

use assert_cmd::Command;
use common::{data, root};
use flate2::{Compression, write::GzEncoder};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Output, Stdio};

fn gotrail() -> Command {
    Command::from_std(common::gotrail())
}

fn output(args: &[&str]) -> Output {
    gotrail().args(args).output().unwrap()
}

/// Runs `summary` on a file of these bytes: exit code and what it says, without the folder's name.
fn summary_of(bytes: &[u8]) -> (i32, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f");
    std::fs::write(&file, bytes).unwrap();
    let out = gotrail().arg("summary").arg(&file).output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    (out.status.code().unwrap(), said.replace(&format!("{}/", dir.path().display()), ""))
}

/// One line that names the file and holds `part`, and the exit code of unreadable input.
fn refused(bytes: &[u8], part: &str) {
    let (code, said) = summary_of(bytes);
    assert_eq!(code, 3, "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("gotrail: f: ") && said.contains(part), "{said}");
}

#[test]
fn bad_inputs_are_refused_with_a_cause() {
    refused(b"", "the file is empty");
    refused(b"Dear diary,\nnothing happened.\n", "neither a Go execution trace nor a pprof profile");
    refused(b"go 1.22 t", "ends inside a trace's 16-byte header");
    refused(b"go 1.99 trace\0\0\0", "1.99");
}

#[test]
fn places_that_are_not_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (path, part) in [(dir.path().to_path_buf(), "is a directory"), (dir.path().join("absent"), "no such file")] {
        let out = gotrail().arg("summary").arg(path).output().unwrap();
        assert_eq!(out.status.code(), Some(3));
        assert!(String::from_utf8(out.stderr).unwrap().contains(part));
    }
}

#[test]
fn of_a_directory_every_trace_is_taken_and_the_rest_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for name in ["b.trace", "a.txt"] {
        std::fs::copy(data("chain.trace"), at(name)).unwrap();
    }
    std::fs::copy(data("leak.trace"), at("c")).unwrap();
    std::fs::write(at("notes.trace"), "no trace at all\n").unwrap();
    std::fs::create_dir(at("deeper")).unwrap();
    std::fs::copy(data("chain.trace"), at("deeper/d.trace")).unwrap();
    let hostile = if cfg!(unix) { "\u{1b}[31mx\u{202e}" } else { "x" };
    std::fs::write(at(hostile), "nor this\n").unwrap();
    #[cfg(unix)]
    assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());

    let out = gotrail().args(["summary", "--no-cache"]).arg(dir.path()).output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(0), "{said}");
    let text = String::from_utf8(out.stdout).unwrap();
    let heads: Vec<&str> = text.lines().filter(|l| l.contains(" Ps · ")).collect();
    let names = ["a.txt ", "b.trace ", "c "];
    assert_eq!(heads.len(), names.len(), "{text}");
    assert!(heads.iter().zip(names).all(|(h, n)| h.contains(&format!("/{n}"))), "{heads:?}");
    for name in ["notes.trace", "x"] {
        assert!(said.lines().any(|l| l.contains(name) && l.contains("left out: neither a Go")), "{name}: {said}");
    }
    assert_eq!(said.contains("pipe: left out: it is not a file"), cfg!(unix), "{said}");
    assert!(!said.contains("deeper"), "{said}");
    assert!(!said.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{said:?}");

    // What is said of each trace stands below its name, and programs get one object a trace.
    let of_both = |args: &[&str]| {
        let out = gotrail().args(args).arg("--no-cache").args([at("b.trace"), at("c")]).output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{args:?}");
        String::from_utf8(out.stdout).unwrap()
    };
    for args in [&["events"][..], &["waits"], &["locks"], &["sched"], &["gc"], &["why", "--goroutine", "1"]] {
        let text = of_both(args);
        let heads: Vec<&str> = text.lines().filter(|l| l.starts_with('/')).collect();
        assert!(heads.len() == 2 && heads[0].ends_with("b.trace") && heads[1].ends_with("/c"), "{args:?}: {heads:?}");
    }
    let json = of_both(&["waits", "--format", "json"]);
    let mut objects = serde_json::Deserializer::from_str(&json).into_iter::<serde_json::Value>();
    assert!(objects.by_ref().all(|o| o.is_ok()) && json.matches("\"waits\"").count() == 2, "{json}");
    // Summed up they are one: every link of one is in the sum, and what both have counts twice.
    let links = |names: &[&str], sum: bool| {
        let mut c = gotrail();
        c.args(["waits", "--no-cache", "--format", "json"]).args(names.iter().map(|f| at(f)));
        let out = c.args(sum.then_some("--sum")).output().unwrap();
        assert_eq!(out.status.code(), Some(0));
        let mut v = serde_json::from_slice::<serde_json::Value>(&out.stdout).unwrap();
        // Those alike in time stand in some order.
        let name = |l: &serde_json::Value| ["group", "at", "ended_by"].map(|k| l[k].to_string());
        v["waits"].as_array_mut().unwrap().sort_by_key(name);
        v
    };
    let totals = |v: &serde_json::Value| {
        let sum = |key: &str| v["waits"].as_array().unwrap().iter().map(|l| l[key].as_i64().unwrap()).sum::<i64>();
        ["count", "open", "total_ns"].map(sum)
    };
    let (chain, leak) = (links(&["b.trace"], false), links(&["c"], false));
    assert_eq!(links(&["c"], true), leak, "the sum of one is that one");
    let both = links(&["b.trace", "c"], true);
    for (i, all) in totals(&both).into_iter().enumerate() {
        assert_eq!(all, totals(&chain)[i] + totals(&leak)[i]);
    }
    assert!(both["waits"].as_array().unwrap().iter().all(|l| l["longest"]["file"].is_string()));
    let twice = links(&["b.trace", "a.txt"], true);
    let one_by_one = chain["waits"].as_array().unwrap().iter().zip(twice["waits"].as_array().unwrap());
    for (once, twice) in one_by_one {
        assert_eq!(twice["count"].as_i64(), once["count"].as_i64().map(|n| 2 * n));
        assert_eq!((&twice["max_ns"], &twice["p99_ns"]), (&once["max_ns"], &once["p99_ns"]));
    }
    assert_eq!(twice["waits"].as_array().unwrap().len(), chain["waits"].as_array().unwrap().len());
    let locks = |names: &[&Path]| {
        let out = gotrail().args(["locks", "--no-cache", "--format", "json", "--sum"]).args(names).output().unwrap();
        let v = serde_json::from_slice::<serde_json::Value>(&out.stdout).unwrap();
        let all = v["contended"].as_array().unwrap();
        let lock = all.iter().find(|c| c["what"] == "lock").unwrap();
        ["count", "handoffs", "total_ns", "busy_ns", "starved", "max_ns", "waiters_max"]
            .map(|k| lock[k].as_i64().unwrap())
    };
    let convoy = data("convoy.trace");
    let (once, twice) = (locks(&[&convoy]), locks(&[&convoy, &convoy]));
    for i in 0..once.len() {
        assert_eq!(twice[i], if i < 5 { 2 * once[i] } else { once[i] });
    }
    assert_eq!(once[..2], [6, 6]);
    // One profile has what both have.
    let total = |files: &[&str]| {
        let to = at("sync.pb.gz");
        let mut c = gotrail();
        c.args(["profile", "--no-cache", "--kind", "sync", "-o"]).arg(&to).args(files.iter().map(|f| at(f)));
        assert_eq!(c.output().unwrap().status.code(), Some(0));
        let p = gotrail::profile::model::Profile::decode(&gotrail::input::open(&to).unwrap().bytes.all()).unwrap();
        p.samples.iter().map(|s| p.values_of(s)[1]).sum::<i64>()
    };
    assert_eq!(total(&["b.trace", "c"]), total(&["b.trace"]) + total(&["c"]));

    // What one of them has is found, whichever comes last.
    let args = ["events", "--no-cache", "--filter", "func:main.leaf or func:main.*"];
    let out = gotrail().args(args).arg(dir.path()).output().unwrap();
    assert_eq!(out.status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_named_pipe_gives_the_same_as_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let file = data("chain.trace");
    let want = output(&["summary", "--format", "json", file.to_str().unwrap()]).stdout;
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        // Opening waits for the reader.
        move || std::fs::write(pipe, std::fs::read(file).unwrap()).unwrap()
    });
    let out = gotrail().args(["summary", "--format", "json"]).arg(&pipe).output().unwrap();
    writer.join().unwrap();
    assert_eq!(out.status.code(), Some(0));
    assert_eq!(String::from_utf8(out.stdout).unwrap(), String::from_utf8(want).unwrap());
}

#[test]
fn a_trace_that_is_still_written_is_shown_as_far_as_it_is_whole() {
    let bytes = std::fs::read(root().join("sample-traces/trace.out")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("growing");
    let mut writer = std::fs::File::create(&file).unwrap();
    let events = || {
        let out = gotrail().args(["events", "--no-cache"]).arg(&file).output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
        out.stdout.iter().filter(|b| **b == b'\n').count()
    };
    let mut seen = 0;
    for part in bytes.chunks(bytes.len() / 2 + 1) {
        writer.write_all(part).unwrap();
        let now = events();
        assert!(now > seen, "{now} events after {seen}");
        seen = now;
    }
}

#[cfg(unix)]
#[test]
fn files_without_permission_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    /// A user who may do nothing; by this number on every Unix.
    const NOBODY: u32 = 65_534;
    let dir = tempfile::tempdir().unwrap();
    let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(dir.path(), 0o755);
    let file = dir.path().join("f");
    std::fs::write(&file, "x").unwrap();
    mode(&file, 0o000);
    let mut command = common::gotrail();
    if std::fs::File::open(&file).is_ok() {
        // Root may read everything. The build's folder may be closed to others, so the program goes where this file is.
        let program = dir.path().join("gotrail");
        std::fs::copy(env!("CARGO_BIN_EXE_gotrail"), &program).unwrap();
        command = std::process::Command::new(program);
        command.current_dir(dir.path()).env("HOME", dir.path()).env_remove("XDG_CONFIG_HOME").uid(NOBODY).gid(NOBODY);
    }
    let out = command.arg("summary").arg(&file).output().unwrap();
    assert_eq!(out.status.code(), Some(3));
    assert!(String::from_utf8(out.stderr).unwrap().contains("permission denied"));
}

#[test]
fn the_mark_stands_under_the_fault() {
    let trace = "tests/data/chain.trace";
    for (args, text, fault) in [
        (["events", trace, "--filter", "state:waiting dur>1s5xs"], "state:waiting dur>1s5xs", "xs"),
        (["events", trace, "--filter", "reasn:sync"], "reasn:sync", "reasn:"),
        (["events", trace, "--filter", "t:1h..2secs"], "t:1h..2secs", "secs"),
        (["links", trace, "--from", "1s5x"], "1s5x", "x"),
    ] {
        let out = output(&args);
        assert_eq!(out.status.code(), Some(2));
        let said = String::from_utf8(out.stderr).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        let at = lines.iter().position(|l| l.trim_start() == text).unwrap_or_else(|| panic!("{said}"));
        assert_eq!(lines[at + 1].trim_start(), "^".repeat(fault.len()), "{said}");
        assert_eq!(lines[at + 1].find('^'), lines[at].rfind(fault), "{said}");
    }
}

#[test]
fn lengths_of_time_mean_the_same_everywhere() {
    // Nothing of 50 ms lies after one hour, 1.5 s or two minutes; everything lies before.
    let trace = "tests/data/chain.trace";
    for length in ["1h", "1s500ms", "2min", "2m", "1.5s"] {
        let after = String::from_utf8(output(&["links", trace, "--from", length]).stdout).unwrap();
        assert!(after.contains("no waits"), "{length}: {after}");
        let window = format!("t:{length}..");
        assert_eq!(output(&["events", trace, "--filter", &window]).status.code(), Some(1), "{window}");
        for (filter, code) in [(format!("dur>{length}"), 1), (format!("t:..{length}"), 0)] {
            assert_eq!(output(&["events", trace, "--filter", &filter]).status.code(), Some(code), "{filter}");
        }
        let position = output(&["snapshot", &format!("{trace}@{length}"), "--size", "80x24"]);
        assert_eq!(position.status.code(), Some(0), "{length}");
    }
}

#[test]
fn commands_and_viewer_read_the_same_profiles_with_the_same_words() {
    let profile = std::fs::read(root().join("sample-traces/cpu.pb.gz")).unwrap();
    let pack = |bytes: &[u8]| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let dump = b"goroutine 7 [chan receive, 5 minutes]:\nmain.main()\n\t/m.go:12 +0x1d\n".to_vec();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f");
    for (bytes, code) in [
        (pack(&profile), 0),
        ([&profile[..], b"\n"].concat(), 0),
        (dump, 0),
        (b"<!DOCTYPE html><html>404".to_vec(), 3),
        (b"PK\x03\x04abc".to_vec(), 3),
        (profile[..3000].to_vec(), 3),
        (std::fs::read(data("chain.trace")).unwrap(), 3),
    ] {
        std::fs::write(&file, &bytes).unwrap();
        let said = |args: &[&str]| {
            let out = gotrail().args(args).arg(&file).output().unwrap();
            (out.status.code(), String::from_utf8(out.stderr).unwrap())
        };
        let top = said(&["top"]);
        assert_eq!(top.0, Some(code), "{}", top.1);
        if !bytes.starts_with(b"go 1.") {
            assert_eq!(said(&["snapshot"]), top);
        }
    }
}

#[test]
fn exit_codes_are_those_of_the_manual() {
    let trace = data("chain.trace");
    let trace = trace.to_str().unwrap();
    let code = |args: &[&str]| output(args).status.code().unwrap();
    assert_eq!(code(&["summary", trace]), 0);
    assert_eq!(code(&["events", trace, "--filter", "kind:GoBlock"]), 0);
    assert_eq!(code(&["events", trace, "--filter", "no_function_has_this_name"]), 1);
    assert_eq!(code(&["events", trace, "--filter", "state:"]), 2);
    assert_eq!(code(&["events", trace, "--no-such-option"]), 2);
    assert_eq!(code(&["snapshot", trace, "--keys", "<NoSuchKey>"]), 2);
    assert_eq!(code(&["snapshot", trace, "--size", "wide"]), 2);
    assert_eq!(code(&["summary"]), 2);
    assert_eq!(code(&["summary", "absent"]), 3);
    assert_eq!(code(&["--help"]), 0);
    assert_eq!(code(&["--version"]), 0);
    // Without a terminal there is no viewer.
    assert_eq!(code(&[trace]), 2);
}

#[test]
fn a_cut_trace_is_shown_as_far_as_it_goes() {
    let bytes = std::fs::read(root().join("sample-traces/trace.out")).unwrap();
    let (code, said) = summary_of(&bytes[..bytes.len() * 3 / 4]);
    assert_eq!(code, 0, "{said}");
    assert!(!said.is_empty(), "it says what was lost");
}

#[test]
fn streams_and_packed_files_give_the_same_as_the_file() {
    let plain = std::fs::read(data("chain.trace")).unwrap();
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(&plain).unwrap();
    let gz = gz.finish().unwrap();
    let zstd = ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest);
    let want = output(&["summary", "--format", "json", data("chain.trace").to_str().unwrap()]).stdout;
    assert!(!want.is_empty());
    for bytes in [plain, gz, zstd] {
        let out = gotrail().args(["summary", "--format", "json", "-"]).write_stdin(bytes).output().unwrap();
        assert_eq!(out.status.code(), Some(0));
        assert_eq!(String::from_utf8(out.stdout).unwrap(), String::from_utf8(want.clone()).unwrap());
    }
}

#[test]
fn json_keys_are_stable() {
    let out = output(&["summary", "--format", "json", data("annotations.trace").to_str().unwrap()]);
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    for key in [
        "events",
        "start_ns",
        "end_ns",
        "kinds",
        "goroutine_transitions",
        "proc_transitions",
        "goroutines_by_name",
        "ranges",
        "metrics",
        "tasks",
        "regions",
        "logs",
        "cpu_samples",
        "cpu_samples_by_leaf",
        "cpu_samples_by_function",
        "mapassign_samples_by_caller_line",
        "links",
    ] {
        assert!(json.get(key).is_some(), "{key}");
    }
}

#[test]
fn a_bad_file_does_not_hide_the_others() {
    let (a, b) = (data("chain.trace"), data("leak.trace"));
    let out = output(&["summary", "--format", "json", a.to_str().unwrap(), "absent", b.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(3));
    let objects: Vec<serde_json::Value> =
        serde_json::Deserializer::from_slice(&out.stdout).into_iter().map(|v| v.unwrap()).collect();
    assert_eq!(objects.len(), 2);
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_gotrail"))
        .arg("events")
        .arg(root().join("sample-traces/trace.out"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut some = [0; 100];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut some).unwrap();
    drop(stdout);
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&out.stderr), "");
}

#[test]
fn completions_and_manual_are_printed() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let out = output(&["completions", shell]);
        assert_eq!(out.status.code(), Some(0));
        assert!(String::from_utf8(out.stdout).unwrap().contains("snapshot"), "{shell}");
    }
    let man = String::from_utf8(output(&["man"]).stdout).unwrap();
    for part in [".TH gotrail", ".SH KEYS", ".SH QUERIES", ".SH \"EXIT STATUS\"", "open the source line in your editor"]
    {
        assert!(man.contains(part), "{part}");
    }
    // There is this one page: no other is named.
    assert!(man.contains("gotrail disasm") && !man.contains("(1)"), "{man}");
    // A line that begins with one of these would be a request.
    let requests = man.lines().filter(|l| l.starts_with('\''));
    assert_eq!(requests.count(), 0);
}

#[test]
fn commands_that_take_an_expression_say_so() {
    for command in ["peek", "list", "disasm"] {
        let help = String::from_utf8(output(&[command, "--help"]).stdout).unwrap();
        assert!(help.contains(&format!("gotrail {command} [OPTIONS] [REGEX] <PROFILE>...")), "{help}");
        assert!(help.contains("a regular expression"), "{help}");
    }
    assert!(!String::from_utf8(output(&["top", "--help"]).stdout).unwrap().contains("a regular expression"));
}

#[test]
fn a_summary_names_the_format_and_not_the_go_that_wrote_it() {
    // Recorded by Go 1.27, whose format is that of 1.26.
    let file = "tests/data/chain.trace";
    let text = String::from_utf8(output(&["summary", file]).stdout).unwrap();
    assert!(text.lines().next().unwrap().contains(" · trace format of go 1.26 · "), "{text}");
    let json: serde_json::Value =
        serde_json::from_slice(&output(&["summary", "--format", "json", file]).stdout).unwrap();
    assert_eq!(json["format"], "go 1.26");
}

#[test]
fn the_wait_that_links_points_to_is_one_that_why_knows() {
    // A part of waits that go on beyond it, and waits of less than a microsecond.
    for (args, trace, hint) in [
        (&["--from", "10ms", "--to", "30ms"][..], "chain", Some("--from 0.010000s --to 0.030000s")),
        (&["--filter", "dur<1us"][..], "knot", None),
    ] {
        let file = format!("tests/data/{trace}.trace");
        let out = gotrail().arg("waits").args(args).arg(&file).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        let (of, command) = text.lines().last().unwrap().split_once(": gotrail ").unwrap();
        assert!(of.starts_with("the longest ") && of.contains(" by main."), "{of}");
        assert!(command.ends_with(hint.unwrap_or("s")), "{command}");
        let why = output(&command.split(' ').collect::<Vec<_>>());
        assert_eq!(why.status.code(), Some(0), "{command}");
    }
}

#[test]
fn a_copied_position_opens_the_trace_there() {
    let at = |file: &str| {
        let out = gotrail().args(["snapshot", file, "--size", "120x40"]).assert().success();
        String::from_utf8(out.get_output().stdout.clone()).unwrap()
    };
    let there = at("sample-traces/trace.out@812.031ms:g8");
    assert!(there.lines().any(|l| l.starts_with("─ G8 waiting: chan receive")), "{there}");
    assert!(at("sample-traces/trace.out@812.031ms:g9999").contains("the trace has no such goroutine"));
    assert!(at("sample-traces/trace.out@8s").contains("the trace ends before that instant"));
}

#[test]
fn the_scheduler_and_the_gc_obey_a_window_and_sum_to_their_wholes() {
    let run = |args: &[&str]| {
        let out = gotrail().args(args).args(["--format", "json", "sample-traces/trace.out"]).output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_slice::<serde_json::Value>(&out.stdout).unwrap()
    };
    let ns = |v: &serde_json::Value, key: &str| v[key].as_i64().unwrap();
    for args in [&["sched"][..], &["sched", "--from", "100ms", "--to", "200ms"]] {
        let v = run(args);
        let w = &v["waits"];
        assert_eq!(ns(w, "total_ns"), ns(w, "busy_ns") + ns(w, "idle_p_ns") + ns(w, "stw_ns"));
        let groups = v["groups"].as_array().unwrap();
        assert_eq!(ns(w, "total_ns"), groups.iter().map(|g| ns(&g["waits"], "total_ns")).sum::<i64>());
        for g in groups {
            let behind: i64 = g["behind"].as_array().unwrap().iter().map(|b| ns(b, "ns")).sum();
            assert_eq!(behind, ns(&g["waits"], "busy_ns"));
        }
    }
    let (whole, part) = (run(&["gc"]), run(&["gc", "--from", "450ms", "--to", "470ms"]));
    assert_eq!(ns(&part, "to_ns") - ns(&part, "from_ns"), 20_000_000);
    assert_eq!((whole["cycles"].as_array().unwrap().len(), part["cycles"].as_array().unwrap().len()), (7, 1));
    let last = part["mmu"].as_array().unwrap().last().unwrap();
    assert_eq!(ns(last, "window_ns"), 20_000_000);
    let out = gotrail().args(["sched", "--from", "2s", "--to", "1s", "sample-traces/trace.out"]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
}

#[test]
fn the_incident_is_played_to_its_line_with_nothing_but_the_program() {
    let nowhere = tempfile::tempdir().unwrap();
    let screen = |keys: &str| {
        let mut c = Command::new(env!("CARGO_BIN_EXE_gotrail"));
        let c = c.args(["snapshot", "--size", "120x36", "--keys", keys]).current_dir(nowhere.path());
        let out = c.env_clear().env("TMPDIR", nowhere.path().join("none")).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stderr), "");
        String::from_utf8(out.stdout).unwrap()
    };
    let first = screen("");
    for said in ["/mapassign Enter n", "the lock around it", "ONE LINE ASSIGNS TO MAPS"] {
        assert!(first.contains(said), "{said}: {first}");
    }
    let hit = screen("/mapassign<Enter>n");
    let line = hit.lines().find(|l| l.contains("▸") && l.contains("c.byID[t.ID] = map"));
    assert!(line.is_some_and(|l| l.contains(" 47 ")), "{hit}");
    // The profile of the same seconds is there, too.
    assert!(screen("9").contains("runtime.mapassign_faststr"));
}

#[test]
fn all_sources_of_the_incident_are_inside() {
    fn files(dir: &std::path::Path, out: &mut Vec<String>) {
        for path in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
            match path.is_dir() {
                true => files(&path, out),
                false if path.extension().is_some_and(|e| e == "go") => out.push(path.display().to_string()),
                false => {}
            }
        }
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    files(&root.join("sample-traces/paycore"), &mut found);
    let listed = std::fs::read_to_string(root.join("src/cli/demo.rs")).unwrap();
    assert!(found.len() > 5);
    for file in found {
        let name = file.split("sample-traces/paycore/").nth(1).unwrap();
        assert!(listed.contains(&format!("\"{name}\"")), "{name} is not in src/cli/demo.rs");
    }
}
