//! `gotrail maps` against profiles of known truth: `tests/data/maps` has some, `../shared/maps` more (its README says which
//! program made each, with how many maps of how many keys).

use crate::common;

use assert_cmd::Command;
use common::shared;
use gotrail::model::lens;
use gotrail::profile::model::Profile;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn run(files: &[PathBuf], more: &[&str]) -> String {
    let mut command = Command::cargo_bin("gotrail").unwrap();
    let out = command.arg("maps").arg("--no-cache").args(files).args(more).output().unwrap();
    let (text, error) = (String::from_utf8(out.stdout).unwrap(), String::from_utf8_lossy(&out.stderr).into_owned());
    assert!(matches!(out.status.code(), Some(0 | 1)), "{files:?}: {error}");
    text
}

fn maps(files: &[PathBuf]) -> Value {
    serde_json::from_str(&run(files, &["--format", "json"])).unwrap()
}

/// The profiles whose names begin so, of the repository and, where it is, of `../shared/maps`.
fn profiles(start: &str) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = Vec::new();
    for folder in [root().join("tests/data/maps")].into_iter().chain(shared("maps")) {
        let entries = fs::read_dir(&folder).unwrap();
        let fits = |p: &PathBuf| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(start));
        out.extend(entries.map(|e| e.unwrap().path()).filter(fits));
    }
    out.sort_by_key(|p| p.file_name().map(|n| n.to_owned()));
    out.dedup_by_key(|p| p.file_name().map(|n| n.to_owned()));
    out
}

fn name(p: &Path) -> String {
    p.file_name().unwrap().to_string_lossy().into_owned()
}

fn line<'a>(maps: &'a Value, func: &str, line: u64) -> Option<&'a Value> {
    let rows = maps["lines"].as_array().unwrap();
    rows.iter().find(|l| l["at"]["func"].as_str().unwrap().contains(func) && l["at"]["line"] == line)
}

/// The brackets of a line: low, high, maps.
fn brackets(line: &Value) -> Vec<(u64, u64, u64)> {
    let sizes = line["heap"]["sizes"].as_array().map_or(&[][..], Vec::as_slice);
    let all = sizes.iter().flat_map(|s| s["brackets"].as_array().unwrap());
    all.map(|b| (b["low"].as_u64().unwrap(), b["high"].as_u64().unwrap(), b["maps"].as_u64().unwrap())).collect()
}

/// The bracket that holds most keys.
fn main_bracket(line: &Value) -> Option<(u64, u64, u64)> {
    brackets(line).into_iter().max_by_key(|b| b.0 * b.2)
}

#[test]
fn the_size_of_maps_lies_in_the_bracket_that_is_given() {
    let (mut full, mut told, mut silent) = (0, 0, 0);
    for path in profiles("ladder-") {
        let name = name(&path);
        let parts: Vec<&str> = name.trim_end_matches(".pb.gz").split('_').collect();
        let [_, case, _, rate, keys] = parts[..] else { panic!("{name}") };
        let keys: u64 = keys.parse().unwrap();
        let maps = maps(&[path]);
        let func = format!("main.fill_{case}");
        let rows = maps["lines"].as_array().unwrap().iter().filter(|l| l["at"]["func"] == func.as_str());
        let found: Vec<_> = rows.filter_map(main_bracket).collect();
        let inside = found.iter().any(|b| b.0 <= keys && keys <= b.1);
        match (rate, found.is_empty()) {
            ("1", _) => {
                assert!(inside, "{name}: {keys} is not in {found:?}");
                full += 1;
            }
            (_, true) => silent += 1,
            (_, false) => {
                assert!(inside, "{name}: {keys} is not in {found:?}");
                told += 1;
            }
        }
    }
    eprintln!("full profiles: {full}; sampled ones: {told} told, {silent} silent");
    assert!(full >= 4);
}

#[test]
fn each_line_of_a_program_of_many_habits_is_as_it_is() {
    let mut seen = 0;
    for path in profiles("share-").into_iter().filter(|p| !name(p).contains("512k")) {
        let name = name(&path);
        let swiss = !name.contains("1.23");
        let maps = maps(&[path]);
        let at = |func: &str, n: u64| line(&maps, func, n).unwrap_or_else(|| panic!("{name}: no line {func}:{n}"));
        let has = |l: &Value, keys: u64, count: u64| {
            let near = |b: &(u64, u64, u64)| b.0 <= keys && keys <= b.1 && b.2.abs_diff(count) * 50 <= count;
            assert!(brackets(l).iter().any(near), "{name}: {count} maps of {keys} keys are not in {:?}", brackets(l));
        };
        // m[k] = map literal: 20000 small maps and the one that they are in.
        has(at("main.inner", 22), 3, 20_000);
        has(at("main.inner", 22), 20_000, 1);
        // Values allocated on the same line are no maps.
        for (func, n) in [("main.mk", 31), ("main.ptr", 40)] {
            has(at(func, n), 20_000, 1);
            assert_eq!(brackets(at(func, n)).len(), 1, "{name}: {func}: {:?}", brackets(at(func, n)));
        }
        // Two maps of the same size, with other types, on one line.
        let two = at("main.two", 50);
        let both = brackets(two).iter().filter(|b| b.0 <= 20_000 && 20_000 <= b.1).count();
        assert_eq!(both, 2, "{name}: {:?}", brackets(two));
        has(at("main.app", 59), 5_000, 1);
        has(at("main.churn", 68), 2_000, 1);
        // Filled and emptied 20 times: as large as it was once.
        has(at("main.clr", 101), 5_000, 1);
        // Maps on the stack: 1000 of 20 keys.
        has(at("main.stack", 116), 20, 1_000);
        has(at("main.refl", 137), 3_000, 1);
        has(at("put", 160), 3_000, 1);
        if swiss {
            assert_eq!(at("main.smap", 127)["heap"]["sync_map_entries"], 5_000, "{name}");
        }
        seen += 1;
    }
    assert!(seen >= 2);
}

#[test]
fn every_sample_in_a_map_is_of_an_operation_and_a_class() {
    let lens = lens::maps();
    let mut versions = 0;
    for path in profiles("cpu-1.") {
        let p = Profile::decode(&fs::read(&path).unwrap()).unwrap();
        let (mut all, mut left) = (0, Vec::new());
        for s in &p.samples {
            let stack: Vec<&str> = p
                .stack_of(s)
                .iter()
                .flat_map(|&l| p.lines_of(&p.locations[l as usize]))
                .map(|l| p.str(p.functions[l.function as usize].name))
                .collect();
            let user = stack.iter().position(|f| f.starts_with("main.")).unwrap_or(stack.len());
            let below = &stack[..user];
            let of_maps = |f: &&&str| {
                f.starts_with("internal/runtime/maps.")
                    || f.starts_with("runtime.map")
                    || f.starts_with("runtime.makemap")
            };
            if user < stack.len() && below.iter().any(|f| of_maps(&f)) {
                all += 1;
                let found = lens.of_stack(below.iter().copied());
                if found.is_none_or(|f| f.class.is_none()) {
                    left.push(below.to_vec());
                }
            }
        }
        assert!(all > 50, "{}: only {all} stacks in maps", name(&path));
        assert!(left.is_empty(), "{}: left unclassified: {left:?}", name(&path));
        let maps = maps(&[path]);
        let names: Vec<&str> =
            maps["lines"].as_array().unwrap().iter().map(|l| l["operations"][0]["name"].as_str().unwrap()).collect();
        for operation in ["assign", "access", "delete"] {
            assert!(names.contains(&operation), "{names:?}");
        }
        versions += 1;
    }
    assert!(versions >= 2);
}

/// Classes and columns add up to the samples, operations to the line, lines to the whole.
fn sums(maps: &Value, what: &str) {
    let sum = |v: &Value| v.as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>();
    let mut all = 0;
    for l in maps["lines"].as_array().unwrap() {
        let samples = l["samples"].as_u64().unwrap();
        assert_eq!((sum(&l["classes"]), sum(&l["columns"])), (samples, samples), "{what}: {l}");
        let mut of_operations = 0;
        for o in l["operations"].as_array().unwrap() {
            assert_eq!(sum(&o["classes"]), o["samples"].as_u64().unwrap(), "{what}: {o}");
            of_operations += o["samples"].as_u64().unwrap();
        }
        assert_eq!(of_operations, samples, "{what}");
        all += samples;
    }
    assert_eq!(all, maps["cpu"]["map_samples"].as_u64().unwrap(), "{what}");
}

/// What `gotrail maps` must say of the payment core.
fn payment_core(files: &[PathBuf], what: &str) -> Value {
    let maps = maps(files);
    sums(&maps, what);
    let first = &maps["lines"][0];
    let place = format!("{}:{}", first["at"]["file"].as_str().unwrap(), first["at"]["line"]);
    assert!(place.ends_with("order_cache.go:47"), "{what}: {place}");
    let of = |l: &Value| {
        let all = l["operations"].as_array().unwrap().iter().filter(|o| o["name"] == "assign");
        all.map(|o| o["samples"].as_u64().unwrap()).sum::<u64>()
    };
    let all: u64 = maps["lines"].as_array().unwrap().iter().map(of).sum();
    let share = of(first) as f64 / all as f64;
    // The recordings of the corpus last a third of a second: of a dozen samples no share is told.
    let least = if all >= 20 { 0.85 } else { 0.6 };
    assert!(share > least, "{what}: {share:.3} of {all} samples of assignment");
    maps
}

#[test]
fn the_payment_core_is_hot_where_it_makes_a_map_each_time() {
    let sample = payment_core(&[root().join("sample-traces/trace.out")], "the sample");
    let advice = sample["lines"][0]["advice"].as_array().unwrap();
    assert_eq!(advice[0]["kind"], "struct", "{advice:?}");
    let lock = &sample["lines"][0]["lock"];
    assert!(lock["waited_ns"].as_i64().unwrap() > 0, "{lock}");
    assert!(sample["lines"][0]["goroutines"][0]["samples"].as_u64().unwrap() > 0);

    // The first bucket of a classic map is a part of making it: nothing else is allocated there.
    for classic in ["go1.21-trace.out", "go1.22-trace.out"] {
        let maps = payment_core(&[root().join("sample-traces").join(classic)], classic);
        let line = &maps["lines"][0];
        let of = |class: &str| line["classes"][class].as_u64().unwrap();
        let all = line["samples"].as_u64().unwrap();
        assert!(of("birth") * 4 > all && of("alloc") == 0, "{classic}: {line}");
        assert!(line["advice"].as_array().unwrap().iter().any(|a| a["kind"] == "struct"), "{classic}: {line}");
    }

    let Some(corpus) = shared("corpus") else { return };
    for minor in 21..=27 {
        let trace = corpus.join(format!("traces/paycore-go1.{minor}.trace"));
        let profile = |what: &str| corpus.join(format!("profiles/paycore-go1.{minor}-{what}.pb.gz"));
        let files = [trace, profile("cpu"), profile("heap-base"), profile("heap-current")];
        let maps = payment_core(&files, &format!("1.{minor}"));
        let line = &maps["lines"][0];
        // Small maps are made here: the heap profile knows, and with enough samples the CPU does, too.
        assert!(line["heap"]["small_maps_made"].as_u64().unwrap() > 1000, "1.{minor}: {line}");
        assert!(line["advice"].as_array().unwrap().iter().any(|a| a["kind"] == "struct"), "1.{minor}: {line}");
        assert!(line["heap"]["bytes"].as_i64().unwrap() > 1 << 20, "1.{minor}: {line}");
    }
}

#[test]
fn the_text_says_what_the_data_say() {
    let text = run(&[root().join("sample-traces/trace.out")], &["--limit", "2"]);
    for part in ["operations on maps:", "birth", "assist", "payment/order_cache.go:47", "advice", "lock"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let text = run(&[root().join("tests/data/maps/share-1.27.3.pb.gz")], &[]);
    for part in ["Swiss maps", "about 20 000 maps end with 1 to 8 keys", "bytes allocated for tables"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn what_is_no_input_for_maps_is_told() {
    let mut command = Command::cargo_bin("gotrail").unwrap();
    let trace = root().join("sample-traces/trace.out");
    let out = command.arg("maps").args([&trace, &trace]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("a second trace"));
}
