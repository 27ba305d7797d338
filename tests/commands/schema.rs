//! What the commands print for programs is what their schemas say, key by key.

use crate::common;

use assert_cmd::Command;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Each output, and a command that prints it; of a goroutine or a task the traces' own.
const COMMANDS: &[(&str, &[&str])] = &[
    ("summary", &["summary", "--format", "json"]),
    ("waits", &["waits", "--format", "json"]),
    ("locks", &["locks", "--format", "json"]),
    ("why", &["why", "--format", "json", "-g", "1"]),
    ("spans", &["spans", "--format", "json", "--slow"]),
    ("lines", &["lines", "--format", "json"]),
    ("sched", &["sched", "--format", "json"]),
    ("gc", &["gc", "--format", "json"]),
    ("leaks", &["leaks", "--format", "json"]),
    ("races", &["races", "--format", "json"]),
    ("maps", &["maps", "--format", "json"]),
    ("findings", &["findings", "--format", "json"]),
    ("event", &["events", "--format", "jsonl"]),
    ("hit", &["grep", "--format", "jsonl", ""]),
    ("diff", &["diff", "--format", "json", "--all", "sample-traces/trace.out"]),
];

/// Outputs that no command prints of a trace alone: record.rs and kernel.rs hold them against their schema.
const WRITTEN: &[&str] = &["kernel", "recording"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn gotrail(args: &[&str], files: &[PathBuf]) -> String {
    let mut c = Command::new(env!("CARGO_BIN_EXE_gotrail"));
    let out = c.current_dir(root()).args(args).args(files).output().unwrap();
    let code = out.status.code();
    assert!(matches!(code, Some(0 | 1)), "{args:?} {files:?}: {code:?} {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// A published schema. Against it, values have no other keys than those that it names.
struct Schema(Value);

impl Schema {
    fn of(name: &str) -> Schema {
        let schema: Value = serde_json::from_str(&gotrail(&["schema", name], &[])).unwrap();
        assert_eq!(schema["properties"]["schema"]["const"], 1, "{name} has no version");
        Schema(schema)
    }

    /// What is wrong with a value, and where. Knows the words that our schemas use, and no others.
    fn fault(&self, s: &Value, v: &Value, at: &str) -> Option<String> {
        let rules = s.as_object()?;
        for (rule, arg) in rules {
            let fine = match rule.as_str() {
                "$schema" | "$defs" | "title" | "description" | "format" => true,
                "$ref" => {
                    let name = arg.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    return self.fault(&self.0["$defs"][name], v, at);
                }
                "const" => v == arg,
                "enum" => arg.as_array().unwrap().contains(v),
                "anyOf" | "oneOf" => arg.as_array().unwrap().iter().any(|s| self.fault(s, v, at).is_none()),
                "type" => match arg {
                    Value::Array(types) => types.iter().any(|t| is_a(t, v)),
                    one => is_a(one, v),
                },
                "minimum" => v.as_f64().is_none_or(|n| n >= arg.as_f64().unwrap()),
                "maximum" => v.as_f64().is_none_or(|n| n <= arg.as_f64().unwrap()),
                "minItems" => v.as_array().is_none_or(|a| a.len() as u64 >= arg.as_u64().unwrap()),
                "maxItems" => v.as_array().is_none_or(|a| a.len() as u64 <= arg.as_u64().unwrap()),
                "required" => {
                    let missing = arg.as_array().unwrap().iter().find(|k| v.get(k.as_str().unwrap()).is_none());
                    if let Some(k) = missing.filter(|_| v.is_object()) {
                        return Some(format!("{at}: {k} is missing"));
                    }
                    true
                }
                "items" => {
                    let mut items = v.as_array().into_iter().flatten().enumerate();
                    if let Some(fault) = items.find_map(|(i, v)| self.fault(arg, v, &format!("{at}/{i}"))) {
                        return Some(fault);
                    }
                    true
                }
                "properties" => {
                    let mut of = v.as_object().into_iter().flatten();
                    let fault = of.find_map(|(k, v)| {
                        let at = format!("{at}/{k}");
                        match arg.get(k) {
                            Some(s) => self.fault(s, v, &at),
                            None => Some(format!("{at} is not in the schema")),
                        }
                    });
                    if fault.is_some() {
                        return fault;
                    }
                    true
                }
                "additionalProperties" => {
                    let mut values = v.as_object().into_iter().flatten();
                    if let Some(fault) = values.find_map(|(k, v)| self.fault(arg, v, &format!("{at}/{k}"))) {
                        return Some(fault);
                    }
                    true
                }
                other => panic!("this test does not know what {other} means"),
            };
            if !fine {
                return Some(format!("{at}: {v} is not {rule} {arg}"));
            }
        }
        None
    }
}

fn is_a(t: &Value, v: &Value) -> bool {
    match t.as_str().unwrap() {
        "null" => v.is_null(),
        "boolean" => v.is_boolean(),
        "integer" => v.is_i64() || v.is_u64(),
        "number" => v.is_number(),
        "string" => v.is_string(),
        "array" => v.is_array(),
        "object" => v.is_object(),
        other => panic!("no type {other}"),
    }
}

fn traces() -> Vec<PathBuf> {
    let in_dir =
        |dir: &str| std::fs::read_dir(root().join(dir)).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
    let mut out: Vec<PathBuf> = in_dir("tests/data").into_iter().chain(in_dir("tests/data/v1")).collect();
    out.retain(|p| p.extension().is_some_and(|e| e == "trace"));
    out.sort();
    assert!(out.len() > 10);
    out
}

/// Holds what a command said against its schema; how many objects there were.
fn check(name: &str, schema: &Schema, said: &str) -> usize {
    let objects = serde_json::Deserializer::from_str(said).into_iter::<Value>();
    let faults = objects.map(|o| schema.fault(&schema.0, &o.unwrap(), ""));
    faults.map(|f| assert_eq!(f, None, "{name}")).count()
}

#[test]
fn every_output_has_a_command_here() {
    let listed = gotrail(&["schema"], &[]);
    let printed = || listed.lines().filter(|l| !WRITTEN.contains(&l.split(' ').next().unwrap()));
    let names: Vec<&str> = printed().map(|l| l.split(' ').next().unwrap()).collect();
    assert_eq!(names, COMMANDS.iter().map(|c| c.0).collect::<Vec<_>>());
    assert_eq!(listed.lines().count(), COMMANDS.len() + WRITTEN.len());
    for o in printed() {
        let words: Vec<&str> = o.split(',').next().unwrap_or_default().split_whitespace().skip(2).collect();
        assert!(COMMANDS.iter().any(|c| c.1.starts_with(&words)), "{o}");
    }
}

#[test]
fn outputs_are_as_their_schemas_say() {
    for (name, args) in COMMANDS {
        let schema = Schema::of(name);
        let objects: usize = traces().into_iter().map(|t| check(name, &schema, &gotrail(args, &[t]))).sum();
        assert!(objects > 5, "{name}: only {objects} objects");
    }
}

/// Of what a cut trace does not say there is nothing to print, in a form that the schema knows.
#[test]
fn outputs_of_cut_traces_are_too() {
    let dir = tempfile::tempdir().unwrap();
    let whole = std::fs::read(root().join("sample-traces/trace.out")).unwrap();
    for bytes in [20_000, 100_000, 300_000] {
        let file = dir.path().join(format!("{bytes}.trace"));
        std::fs::write(&file, &whole[..bytes]).unwrap();
        for (name, args) in COMMANDS {
            check(name, &Schema::of(name), &gotrail(args, std::slice::from_ref(&file)));
        }
    }
}

#[test]
fn sums_and_profiles_are_too() {
    for name in ["waits", "locks"] {
        let sum = gotrail(&[name, "--sum", "--format", "json"], &traces());
        assert_eq!(check(name, &Schema::of(name), &sum), 1);
    }
    let demo = |n: &str| root().join("sample-traces").join(n);
    let files = ["trace.out", "cpu.pb.gz", "heap.pb.gz", "mutex.pb.gz", "block.pb.gz"].map(demo);
    let lines = gotrail(&["lines", "--format", "json"], &files);
    assert_eq!(check("lines", &Schema::of("lines"), &lines), 1);
    let maps = gotrail(&["maps", "--format", "json"], &files[..3]);
    assert_eq!(check("maps", &Schema::of("maps"), &maps), 1);
    let maps: Value = serde_json::from_str(&maps).unwrap();
    assert!(maps["heap"]["profiles"].as_array().is_some_and(|p| p.len() == 1), "{maps}");
    let lines: Value = serde_json::from_str(&lines).unwrap();
    assert_eq!(lines["values"].as_array().unwrap().len(), 3);
}

#[test]
fn a_check_can_fail() {
    let schema = Schema::of("waits");
    let fault = |v: Value| schema.fault(&schema.0, &v, "");
    let right = json!({"schema": 1, "traces": 1, "waits": [], "cycles": [], "likely_inversions": []});
    assert_eq!(fault(right.clone()), None);
    for (key, wrong) in [("schema", json!(2)), ("waits", json!([{}])), ("cycles", json!(null)), ("more", json!(0))] {
        let mut v = right.clone();
        v[key] = wrong;
        assert!(fault(v).is_some(), "{key}");
    }
    assert!(fault(json!({})).is_some());
}

#[test]
fn what_the_kernel_says_beside_a_trace_is_as_its_schema_says() {
    let Some(dir) = common::shared("kernel") else { return };
    let folder = tempfile::tempdir().unwrap();
    let perf = folder.path().join("perf.txt");
    let mut text = "# clockid: monotonic (1)\n".to_owned();
    let packed = std::fs::read(dir.join("pair-default-ns.perf.txt.gz")).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed[..]), &mut text).unwrap();
    std::fs::write(&perf, text).unwrap();
    let said = gotrail(&["kernel", "--format", "json"], &[dir.join("pair.trace"), perf]);
    assert_eq!(check("kernel", &Schema::of("kernel"), &said), 1);
}
