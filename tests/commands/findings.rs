//! `gotrail findings` on programs whose fault is known, and on ones that have none.

use assert_cmd::Command;
use serde_json::Value;

fn run(file: &str, args: &[&str]) -> (i32, String) {
    let out = Command::cargo_bin("gotrail").unwrap().arg("findings").arg(file).args(args).output().unwrap();
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap())
}

fn json(file: &str) -> Value {
    serde_json::from_str(&run(file, &["--format", "json"]).1).unwrap()
}

fn rules(v: &Value) -> Vec<String> {
    v["findings"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap().to_owned()).collect()
}

fn data(name: &str) -> String {
    format!("tests/data/{name}.trace")
}

#[test]
fn each_program_with_one_fault_has_exactly_its_finding() {
    let known = [
        ("convoy", "lock-convoy", "locks.go:35"),
        ("starved", "lock-starvation", "locks.go:65"),
        ("leak", "goroutine-leak", "channels.go"),
        ("nil", "goroutine-leak", "nil.go:20"),
        ("knot", "wait-cycle", "channels.go"),
        ("retries", "retry-storm", "calls.go:43"),
        ("receiver", "slow-receiver", "channels.go:17"),
        ("pool", "pool-exhausted", "blame.go:114"),
        ("limit", "pool-exhausted", "blame.go:158"),
        ("sweep", "lock-holder", "blame.go:55"),
        ("readers", "writer-behind-readers", "blame.go"),
        ("reload", "writer-behind-readers", "blame.go:338"),
        ("slots", "pool-exhausted", "slots.go:38"),
        ("filelock", "slow-sync", "files.go:28"),
        ("unbuffered", "small-reads", "files.go:58"),
    ];
    for (name, rule, at) in known {
        let v = json(&data(name));
        let mut found = rules(&v);
        found.dedup();
        assert_eq!(found, [rule], "{name}: {v:#}");
        let f = &v["findings"][0];
        let place = format!("{}:{}", f["at"]["file"].as_str().unwrap(), f["at"]["line"]);
        assert!(place.contains(at), "{name}: {place}");
        assert!(f["evidence"].as_array().is_some_and(|e| !e.is_empty()), "{name} has no evidence");
        assert!(f["cost_ns"].as_i64().unwrap() > 0, "{name} costs nothing");
    }
}

/// Two goroutines that wait for each other's lock are told before what goes on at the same lines, with the third that waits
/// behind them.
#[test]
fn a_deadlock_is_told_first() {
    let v = json(&data("deadlock"));
    assert_eq!(rules(&v)[0], "stuck-lock", "{v:#}");
    assert_eq!(rules(&v).iter().filter(|r| *r == "stuck-lock").count(), 1, "{v:#}");
    let f = &v["findings"][0];
    assert_eq!((f["severity"].as_str(), f["at"]["line"].as_u64()), (Some("warn"), Some(17)), "{f:#}");
    assert!(f["says"].as_str().unwrap().starts_with("3 goroutines are blocked to the end of the trace, "), "{f:#}");
    assert!(f["evidence"].to_string().contains("1 more to the end of the trace at programs/deadlock.go:42"), "{f:#}");
    // Each of the three has waited for as long as the trace goes on.
    let cost = f["cost_ns"].as_i64().unwrap();
    assert!((3 * 300_000_000..3 * 1_000_000_000).contains(&cost), "{cost}");
}

/// What is said of a trace, rule by rule, with what is worth no more than knowing.
fn loud(v: &Value) -> Vec<&str> {
    let all = v["findings"].as_array().unwrap().iter();
    all.filter(|f| f["severity"] != "info").map(|f| f["rule"].as_str().unwrap()).collect()
}

fn of_rule<'a>(v: &'a Value, rule: &str) -> &'a Value {
    v["findings"].as_array().unwrap().iter().find(|f| f["rule"] == rule).unwrap_or_else(|| panic!("{rule}: {v:#}"))
}

/// Of waits that a deadline ends it is told how many there are and how many are begun again.
#[test]
fn retries_are_counted() {
    let v = json(&data("retries"));
    let f = of_rule(&v, "retry-storm");
    assert_eq!(f["severity"], "warn", "{f:#}");
    let says = f["says"].as_str().unwrap();
    assert!(says.starts_with("90 of 90 waits at programs/calls.go:43 are ended by a deadline, "), "{says}");
    assert!(says.ends_with(" and 84 are begun again"), "each of six gives up once for good: {says}");
}

/// More receivers are no advice where the receivers wait for something themselves.
#[test]
fn receivers_that_wait_themselves_are_told_with_what_they_wait_for() {
    let v = json(&data("behind"));
    assert_eq!(rules(&v), ["slow-receiver", "slow-receiver"], "{v:#}");
    let at = |line: u64| v["findings"].as_array().unwrap().iter().find(|f| f["at"]["line"] == line).unwrap();
    let f = at(77);
    let (says, advice) = (f["says"].as_str().unwrap(), f["advice"].as_str().unwrap());
    assert!(says.contains("the receivers are blocked themselves "), "{f:#}");
    for line in ["programs/calls.go:84", "programs/calls.go:85"] {
        assert!(says.contains(line) && advice.contains(line), "{line}: {f:#}");
    }
    assert!(!advice.contains("Receive in several goroutines"), "{advice}");
    // What they wait for is the cause, and as bad.
    assert_eq!((&v["findings"][0]["at"]["line"], &v["findings"][0]["severity"]), (&84.into(), &f["severity"]));
    assert!(at(84)["evidence"].to_string().contains("receive what others wait to send: see SLOW RECEIVER"), "{v:#}");
}

/// Two goroutines that take turns, and the goroutines of idle connections, hold nobody up.
#[test]
fn exchanges_and_idle_connections_are_no_finding() {
    assert_eq!(rules(&json(&data("exchange"))), [""; 0]);
    assert!(!rules(&json(&data("pipeline"))).iter().any(|r| r == "wait-cycle"));
    let v = json(&data("keepalive"));
    assert_eq!(loud(&v), [""; 0], "{v:#}");
    assert!(!rules(&v).iter().any(|r| r == "slow-sender"), "{v:#}");
}

/// A stop of the world for a dump is worth knowing, and says nothing against the program; one that a goroutine holds up does.
#[test]
fn a_stop_for_a_dump_is_no_fault_of_the_program() {
    let v = json(&data("dumped"));
    let f = of_rule(&v, "long-stw");
    assert_eq!(f["severity"], "info", "{f:#}");
    assert!(
        f["says"].as_str().unwrap().contains(", for a tool (stop-the-world (all goroutines stack trace))"),
        "{f:#}"
    );
    let place = format!("{}:{}", f["at"]["file"].as_str().unwrap(), f["at"]["line"]);
    assert!(
        place.ends_with("calls.go:136") && f["evidence"].to_string().contains("asked for by G1 main.main at"),
        "{f:#}"
    );
    // What the goroutine runs meanwhile is not its own work.
    let quiet = ["single-goroutine", "long-run"];
    assert!(!loud(&v).iter().any(|r| quiet.contains(r)), "{v:#}");
    assert_eq!(of_rule(&json(&data("holdup")), "long-stw")["severity"], "critical");
}

/// A task that gives up is told with what the goroutine did that it had started.
#[test]
fn a_task_that_gives_up_is_told_with_what_it_had_started() {
    let v = json(&data("patience"));
    assert_eq!(rules(&v), ["span-outliers"], "{v:#}");
    let says = v["findings"][0]["says"].as_str().unwrap();
    let (own, started) =
        says.split_once("; main.fetchLate, which it started, spent ").unwrap_or_else(|| panic!("{v:#}"));
    assert!(own.contains("select (context done) at programs/calls.go:"), "{says}");
    assert!(started.contains(" % of that time in chan receive at programs/calls.go:"), "{says}");
}

/// What a dump beside the trace shows of two locks is a sentence of the finding, and no more than likely.
#[test]
fn a_dump_shows_that_locks_are_likely_taken_in_different_orders() {
    let trace = "tests/data/beside/orders.trace";
    let (_, alone) = run(trace, &["--format", "json"]);
    let (_, with) = run(trace, &["--format", "json", "--with", "tests/data/beside/orders.txt.gz"]);
    let of = |text: &str| of_rule(&serde_json::from_str(text).unwrap(), "stuck-lock")["evidence"].to_string();
    assert!(of(&alone).contains("who holds a lock, no trace shows") && !of(&alone).contains("likely"), "{alone}");
    let said = of(&with);
    for what in
        [" waits for lock 0x", " and its callers were given the object of lock 0x", "lock-order inversion: likely"]
    {
        assert!(said.contains(what), "{what}: {said}");
    }
    assert!(said.contains("orders.go:25 in main.(*account).deposit"), "{said}");
}

/// What is slow because of a lock is a sentence of the lock's finding, and no finding above it.
#[test]
fn slow_tasks_are_laid_to_the_lock_that_they_wait_for() {
    let v = json(&data("slowlock"));
    assert_eq!(rules(&v), ["lock-holder"], "{v:#}");
    let f = &v["findings"][0];
    assert_eq!(f["severity"], "critical");
    let evidence: Vec<&str> = f["evidence"].as_array().unwrap().iter().map(|e| e.as_str().unwrap()).collect();
    for (i, what) in [(0, "slows task order (p99 "), (1, "slows region price (p99 ")] {
        assert!(evidence[i].starts_with(what), "{evidence:#?}");
        let share = evidence[i].split("lose ").nth(1).and_then(|s| s.split(" %").next());
        assert!(share.unwrap().parse::<f64>().unwrap() > 80.0, "{evidence:#?}");
    }
    // The deferred Unlock is at the line where its function returns: the call that the lock is held across is said as well.
    assert!(f["at"]["line"] == 54 && evidence.contains(&"it is held across the call at programs/slow.go:50"), "{f:#}");
    assert!(f["says"].as_str().unwrap().contains("; slows task order to p99 "), "{f:#}");
}

/// The same of requests that no one marked.
#[test]
fn slow_requests_are_laid_to_the_lock_that_they_wait_for() {
    let v = json(&data("slowserve"));
    assert_eq!(rules(&v), ["lock-holder"], "{v:#}");
    let f = &v["findings"][0];
    assert!(f["says"].as_str().unwrap().contains("; slows request main.(*book).servePay to p99 "), "{f:#}");
    let first = f["evidence"][0].as_str().unwrap();
    let share = first.split("lose ").nth(1).and_then(|s| s.split(" %").next()).unwrap();
    assert!(first.starts_with("slows request main.(*book).servePay (p99 ") && first.contains(" of 320 "), "{first}");
    assert!(share.parse::<f64>().unwrap() > 80.0, "{first}");
    assert_eq!(f["at"]["line"], 79);
    // Requests of a program that is well, and a trace without any.
    let said = |name: &str, key: &str| {
        let v = json(&data(name));
        let of = v[key].as_array().unwrap().iter().find(|q| q["rule"] == "slow-requests");
        of.unwrap_or_else(|| panic!("{name}: {v:#}"))["says"].as_str().unwrap().to_owned()
    };
    assert!(said("requests-go1.26", "fine").starts_with("requests: "));
    assert!(said("timer", "cannot_tell").starts_with("requests: none in this trace"));
}

/// Of a lock whose holders wait for a pool the pool is the cause.
#[test]
fn a_lock_that_is_held_over_a_wait_for_a_pool_comes_after_the_pool() {
    let v = json(&data("slowpool"));
    assert_eq!(rules(&v)[..2], ["pool-exhausted", "lock-holder"], "{v:#}");
    let evidence = v["findings"][1]["evidence"].to_string();
    assert!(evidence.contains("it is taken at programs/slow.go:126, and held across the call at programs/slow.go:129"));
    assert!(
        v["findings"][0]["evidence"].to_string().contains("hold a lock that others wait for: see LOCK HELD TOO LONG")
    );
}

/// What is closed is not given back: whoever waits for the one that makes a value waits for no pool.
#[test]
fn waiting_for_who_makes_a_value_is_no_pool() {
    let v = json(&data("flight"));
    assert_eq!(rules(&v), [""; 0], "{v:#}");
}

/// A stage hands on to the next at the lines at which that waits: no pool is exhausted, and nobody is slow.
#[test]
fn a_pipeline_that_waits_for_work_has_no_finding() {
    let v = json(&data("pipeline"));
    assert_eq!(rules(&v), [""; 0], "{v:#}");
}

/// Programs that read, write, sync and call a lot are well as long as it is not too much of that.
#[test]
fn syscalls_as_such_are_no_finding() {
    let calls = ["slow-sync", "small-reads", "cgo-calls"];
    let files = std::fs::read_dir("tests/data").unwrap().map(|e| e.unwrap().path());
    let traces = files.filter(|p| p.extension().is_some_and(|e| e == "trace"));
    let mut looked = 0;
    for path in traces
        .filter(|p| !["filelock", "unbuffered", "restart", "across"].iter().any(|n| p.ends_with(format!("{n}.trace"))))
    {
        let v = json(path.to_str().unwrap());
        let said = v["fine"].as_array().unwrap().iter().filter(|q| calls.iter().any(|c| q["rule"] == *c)).count();
        assert_eq!(said, calls.len(), "{}: {:?}", path.display(), rules(&v));
        looked += 1;
    }
    assert!(looked >= 25, "{looked}");
    // Syscalls there are.
    let text = json(&data("syscall"))["fine"].to_string();
    assert!(text.contains("reads and writes: at most"), "{text}");
}

#[test]
fn what_is_fine_and_what_cannot_be_told_is_said() {
    let v = json(&data("timer"));
    assert!(rules(&v).is_empty(), "{v:#}");
    let said = |key: &str| v[key].as_array().unwrap().iter().map(|q| q["rule"].as_str().unwrap()).collect::<Vec<_>>();
    assert!(said("fine").contains(&"gc-pressure") && said("fine").contains(&"lock-holder"));
    assert!(said("cannot_tell").contains(&"span-outliers"));
    // Every rule says something.
    let all = gotrail::analysis::findings::rules::RULES.len();
    assert_eq!(said("fine").len() + said("cannot_tell").len(), all);
}

#[test]
fn the_founding_story_is_the_first_finding_and_gone_after_the_fix() {
    let v = json("sample-traces/trace.out");
    let first = &v["findings"][0];
    assert_eq!((first["rule"].as_str(), first["severity"].as_str()), (Some("map-line"), Some("critical")));
    assert_eq!((first["at"]["line"].as_u64(), first["goroutine"].as_u64()), (Some(47), None));
    assert!(first["at"]["file"].as_str().unwrap().ends_with("payment/order_cache.go"));
    assert!(first["evidence"].to_string().contains("a lock is held around it"), "{first:#}");
    // The lock is the same cause, and not said twice.
    assert!(!rules(&v).iter().any(|r| r.starts_with("lock-")));
    let fixed = json("sample-traces/fixed-trace.out");
    assert!(!fixed["findings"].to_string().contains("order_cache.go"));
    assert!(!fixed["findings"].to_string().contains("\"critical\""), "{fixed:#}");
}

#[test]
fn the_first_finding_of_a_summary_is_that_of_findings() {
    for file in [data("convoy"), data("leak"), data("pool"), data("knot"), "sample-traces/trace.out".into()] {
        let v = json(&file);
        let out = Command::cargo_bin("gotrail").unwrap().args(["summary", &file]).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        let (first, title) = (&v["findings"][0], v["findings"][0]["title"].as_str().unwrap());
        let severity = first["severity"].as_str().unwrap();
        let said = text.lines().find(|l| ["critical ", "warn ", "info "].iter().any(|w| l.starts_with(w)));
        let said = said.unwrap_or_else(|| panic!("{file} has no finding: {text}"));
        assert!(said.starts_with(severity) && said.contains(title), "{file}: {said}, not {severity} {title}");
        assert!(text.contains("gotrail findings FILE for all"), "{text}");
    }
    let out = Command::cargo_bin("gotrail").unwrap().args(["summary", &data("timer")]).output().unwrap();
    assert!(!String::from_utf8(out.stdout).unwrap().contains("gotrail findings"), "nothing is wrong with it");
}

#[test]
fn exit_codes_are_for_ci() {
    assert_eq!(run(&data("timer"), &[]).0, 0);
    assert_eq!(run(&data("convoy"), &[]).0, 1);
    assert_eq!(run(&data("convoy"), &["--level", "critical"]).0, 0);
    assert_eq!(run(&data("leak"), &[]).0, 0);
    assert_eq!(run(&data("leak"), &["--level", "info"]).0, 1);
    assert_eq!(run(&data("convoy"), &["--hide", "lock-convoy"]).0, 0);
    let wrong =
        Command::cargo_bin("gotrail").unwrap().args(["findings", "--rule", "x", &data("leak")]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    let gone = Command::cargo_bin("gotrail").unwrap().args(["findings", "no-such-file"]).output().unwrap();
    assert_eq!(gone.status.code(), Some(3));
}

#[test]
fn thresholds_can_be_overridden() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("loud.toml");
    std::fs::write(&file, "[long-stw]\ninfo = 0.000001\n").unwrap();
    let with = ["--format", "json", "--thresholds", file.to_str().unwrap()];
    let v: Value = serde_json::from_str(&run(&data("timer"), &with).1).unwrap();
    assert_eq!(rules(&v), ["long-stw"]);
}

#[test]
fn sarif_names_rules_levels_and_lines() {
    let (_, text) = run(&data("convoy"), &["--format", "sarif"]);
    let v: Value = serde_json::from_str(&text).unwrap();
    let run = &v["runs"][0];
    assert_eq!(v["version"], "2.1.0");
    let r = &run["results"][0];
    let known: Vec<_> = run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|r| &r["id"]).collect();
    assert!(known.contains(&&r["ruleId"]));
    assert_eq!(r["level"], "warning");
    assert_eq!(r["locations"][0]["physicalLocation"]["region"]["startLine"], 35);
}

#[test]
fn nothing_of_a_hostile_trace_reaches_the_terminal_or_markdown_as_it_is() {
    for format in ["text", "markdown", "json", "sarif"] {
        let (_, text) = run(&data("hostile"), &["--format", format]);
        assert!(!text.contains('\x1b') && !text.contains('\x07') && !text.contains('\u{202e}'), "{format}");
    }
}

/// The table of all rules. With `GOTRAIL_FINDINGS=write` in the environment it is written anew.
#[test]
fn the_documentation_has_every_rule_with_its_thresholds() {
    use gotrail::analysis::findings::{Thresholds, rules::RULES};
    let known = Thresholds::default();
    let mut text = String::from(
        "# The rules of `gotrail findings`\n\nEach rule measures one thing and speaks from a threshold on; a file like \
         `assets/findings.toml`, given as `--thresholds`,\noverrides single values. Severity comes first in the order, then \
         what lies on critical paths of slow\ntasks and regions, then cost. Where these lose most of their time to one \
         finding, they are a sentence of it, and it is as bad\nas they are. A rule that cannot tell says why.\n\n| rule | finding | measures | info | warn | critical |\n\
         |---|---|---|---|---|---|\n",
    );
    for r in RULES {
        let l = known.of(r.name);
        text +=
            &format!("| `{}` | {} | {} | {} | {} | {} |\n", r.name, r.title, r.measures, l.info, l.warn, l.critical);
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/findings.md");
    if std::env::var("GOTRAIL_FINDINGS").as_deref() == Ok("write") {
        std::fs::write(&path, &text).unwrap();
    }
    assert!(RULES.len() >= 24, "only {} rules", RULES.len());
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "GOTRAIL_FINDINGS=write brings it up to date");
}
