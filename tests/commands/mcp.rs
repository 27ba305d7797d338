//! `gotrail mcp` answers a client as the Model Context Protocol says.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A client of the server over these roots.
struct Client {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    ids: u64,
}

impl Client {
    fn new(roots: &[&Path]) -> Client {
        let mut c = Command::new(env!("CARGO_BIN_EXE_gotrail"));
        c.arg("mcp").args(roots);
        Client::of(c)
    }

    fn of(mut server: Command) -> Client {
        let mut child = server.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Client { child, to, from, ids: 0 }
    }

    fn send(&mut self, line: &str) {
        writeln!(self.to.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next line, which is a message and safe to show.
    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n') && !line.trim_end().chars().any(char::is_control), "{line:?}");
        let message: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(message["jsonrpc"], "2.0");
        message
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.ids += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.ids, "method": method, "params": params }).to_string());
        let answer = self.hear();
        assert_eq!(answer["id"], self.ids, "{answer}");
        answer
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let answer = self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }));
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    /// The text of a call that is answered.
    fn text(&mut self, tool: &str, arguments: &Value) -> String {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], false, "{result}");
        assert!(
            result.to_string().len() < 4096 || result["structuredContent"].is_object(),
            "{}",
            result.to_string().len()
        );
        texts(&result)
    }

    /// All rows of a list in structured content, page by page as cursors say.
    fn all_rows(&mut self, tool: &str, arguments: &Value, rows: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), Some(0));
        while let Some(at) = cursor {
            let mut arguments = arguments.clone();
            (arguments["format"], arguments["cursor"]) = ("json".into(), at.into());
            let page = self.call(tool, &arguments);
            all.extend_from_slice(page["structuredContent"].pointer(rows).unwrap().as_array().unwrap());
            cursor = next(page["content"][0]["text"].as_str().unwrap());
            assert!(cursor.is_none_or(|next| next > at), "{tool}: {cursor:?} after {at}");
        }
        all
    }

    /// The text of a call that is refused.
    fn refusal(&mut self, tool: &str, arguments: &Value) -> String {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{result}");
        texts(&result)
    }

    /// Ends the input; whether the server ends well, without a word more.
    fn end(mut self) -> bool {
        drop(self.to.take());
        let mut rest = String::new();
        self.from.read_line(&mut rest).unwrap();
        self.child.wait().unwrap().success() && rest.is_empty()
    }
}

fn texts(result: &Value) -> String {
    result["content"].as_array().unwrap().iter().map(|c| c["text"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Where an answer says that it goes on.
fn next(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix("more: cursor "))?;
    Some(line.split(' ').next().unwrap().parse().unwrap())
}

fn samples() -> Client {
    Client::new(&[&crate::common::root().join("sample-traces")])
}

#[test]
fn an_agent_finds_the_line_and_its_lock_in_few_calls() {
    let mut c = samples();
    let hello =
        json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let hello = c.ask("initialize", &hello);
    assert_eq!(hello["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(hello["result"]["serverInfo"]["name"], "gotrail");
    c.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);

    assert!(c.text("list_files", &json!({})).contains("\ntrace.out  trace  "));
    let found = c.text("findings", &json!({ "file": "trace.out" }));
    assert!(found.contains("order_cache.go:47"), "{found}");
    let locks = c.text("locks", &json!({ "file": "trace.out" }));
    assert!(locks.contains("Mutex\n") && locks.contains("blocked at payment/order_cache.go:45"), "{locks}");
    let source = c.text("source", &json!({ "file": "trace.out", "name": "payment/order_cache.go" }));
    assert!(source.contains("  47          c.byID[t.ID] = map[string]string{"), "{source}");
    assert!(c.end());
}

#[test]
fn requests_that_stand_for_themselves_are_answered_too() {
    let mut c = samples();
    let of = |version: &str| {
        json!({ "_meta": {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
        } })
    };
    let about = c.ask("server/discover", &of("2026-07-28"));
    let versions = json!(["2026-07-28", "2025-11-25", "2025-06-18", "2024-11-05"]);
    assert_eq!(about["result"]["supportedVersions"], versions);
    assert_eq!(about["result"]["resultType"], "complete");
    let tools = c.ask("tools/list", &of("2026-07-28"));
    assert_eq!(tools["result"]["resultType"], "complete");
    let wrong = c.ask("tools/list", &of("1999-01-01"));
    assert_eq!(wrong["error"]["code"], -32022);
    assert_eq!(wrong["error"]["data"]["supported"], versions);
    assert!(wrong["error"]["message"].as_str().unwrap().contains("is not spoken here: \"1999-01-01\""));
    // One that is listed is spoken, but not so.
    let otherwise = c.ask("tools/list", &of("2025-06-18"));
    assert_eq!(otherwise["error"]["code"], -32022);
    let why = otherwise["error"]["message"].as_str().unwrap();
    assert!(why.starts_with("a connection of version \"2025-06-18\" begins with `initialize`"), "{why}");
    // Who does not know that version is not told of it.
    assert!(c.ask("tools/list", &json!({}))["result"]["resultType"].is_null());
    assert!(c.end());
}

#[test]
fn tools_are_listed_with_their_arguments_and_take_no_others() {
    let mut c = samples();
    let tools = c.ask("tools/list", &json!({}))["result"]["tools"].clone();
    let tools = tools.as_array().unwrap();
    assert!(tools.len() >= 15);
    for t in tools {
        let name = t["name"].as_str().unwrap();
        assert_eq!(t["inputSchema"]["additionalProperties"], false, "{name}");
        assert_eq!(t["annotations"]["readOnlyHint"], true, "{name}");
        let why = c.refusal(name, &json!({ "--output": "x" }));
        assert!(why.contains("has no `--output`"), "{name}: {why}");
        for required in t["inputSchema"]["required"].as_array().unwrap() {
            let why = c.refusal(name, &json!({}));
            assert!(why.contains("wants `"), "{name} {required}: {why}");
        }
    }
    assert!(c.end());
}

#[test]
fn structured_content_has_the_form_of_the_schema_page_by_page() {
    let mut c = samples();
    for (tool, rows) in [
        ("findings", "findings"),
        ("locks", "contended"),
        ("waits", "waits"),
        ("lines", "lines"),
        ("gc", "cycles"),
        ("spans", "slowest"),
    ] {
        let (whole, _, _) = crate::common::run([tool, "--format", "json", "sample-traces/trace.out"]);
        let whole: Value = serde_json::from_str(&whole).unwrap();
        let (mut cursor, mut n) = (0, 0);
        while n < whole[rows].as_array().unwrap().len() {
            let page = c.call(tool, &json!({ "file": "trace.out", "format": "json", "cursor": cursor }));
            let object = &page["structuredContent"];
            let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(object), keys(&whole), "{tool}");
            let (got, want) = (object[rows].as_array().unwrap(), &whole[rows][n]);
            assert_eq!(keys(&got[0]), keys(want), "{tool}");
            assert_eq!(serde_json::from_str::<Value>(page["content"][1]["text"].as_str().unwrap()).unwrap(), *object);
            n += got.len();
            cursor = n;
        }
    }
    // A list that lies inside of another object, and one of two lists of the same command.
    let between = json!({ "file": "trace.out", "from": "800ms", "to": "820ms" });
    for (tool, command, rows) in
        [("slow", &["why", "--slow"][..], "/slow/parts"), ("handlers", &["spans"], "/handlers")]
    {
        let options = ["--from=800ms", "--to=820ms", "--format=json", "sample-traces/trace.out"];
        let (whole, _, _) = crate::common::run(command.iter().chain(&options));
        let whole: Value = serde_json::from_str(&whole).unwrap();
        let got = c.all_rows(tool, &between, rows);
        let want = whole.pointer(rows).unwrap().as_array().unwrap();
        let names = |rows: &[Value]| rows.iter().map(|r| (r["what"].clone(), r["name"].clone())).collect::<Vec<_>>();
        assert!(want.len() > 4, "{tool}: this trace shows nothing");
        assert_eq!(names(&got), names(want), "{tool}");
    }
    let json = json!({ "file": "trace.out", "from": "800ms", "to": "820ms", "format": "json" });
    let slow = c.call("slow", &json)["structuredContent"].clone();
    assert!(slow["slow"]["parts"].is_array() && slow.get("pieces").is_none() && slow.get("slow.parts").is_none());
    let rows =
        c.call("query", &json!({ "sql": "select 1 as one, 'x' as x", "files": ["trace.out"], "format": "json" }));
    assert_eq!(rows["structuredContent"], json!({ "rows": [{ "one": 1, "x": "x" }] }));
    assert!(c.end());
}

#[test]
fn long_answers_go_on_at_their_cursor() {
    let mut c = samples();
    let (whole, _, _) = crate::common::run(["events", "--filter", "kind:log", "sample-traces/trace.out"]);
    let (mut cursor, mut got) = (0, String::new());
    loop {
        let page = c.text("events", &json!({ "file": "trace.out", "filter": "kind:log", "cursor": cursor }));
        let (body, around) = page.split_once("command: ").unwrap();
        assert!(around.starts_with("gotrail events --filter=kind:log trace.out"), "{around}");
        let body = body.split_once('\n').unwrap().1;
        match body.split_once("more: cursor ") {
            Some((lines, next)) => {
                got.push_str(lines);
                cursor = next.trim().parse().unwrap();
            }
            None => {
                got.push_str(body);
                break;
            }
        }
    }
    assert_eq!(got, whole);
    assert!(c.end());
}

#[test]
fn cursors_of_every_tool_come_to_an_end() {
    let root = crate::common::root();
    let mut c = Client::new(&[&root.join("sample-traces"), &root.join("tests/data")]);
    let file = "requests-go1.26.trace";
    let tools = c.ask("tools/list", &json!({}))["result"]["tools"].clone();
    for tool in tools.as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        let arguments = match name {
            "list_files" => json!({}),
            "why" => json!({ "file": file, "goroutine": 1, "from": "0s", "to": "5ms" }),
            "source" => json!({ "file": "trace.out", "name": "payment/order_cache.go" }),
            "events" => json!({ "file": file, "filter": "kind:log" }),
            "query" => json!({ "files": [file], "sql": "select * from stacks limit 40" }),
            "top" => json!({ "file": "cpu.pb.gz" }),
            "diff" => json!({ "before": file, "after": file }),
            _ => json!({ "file": file }),
        };
        let formats = tool["inputSchema"]["properties"]["format"]["enum"].as_array().cloned();
        for format in formats.unwrap_or_else(|| vec![Value::Null]) {
            let (mut cursor, mut bodies) = (0, Vec::new());
            loop {
                let mut arguments = arguments.clone();
                arguments["cursor"] = cursor.into();
                if !format.is_null() {
                    arguments["format"] = format.clone();
                }
                let page = c.call(name, &arguments);
                assert_eq!(page["isError"], false, "{name}: {page}");
                bodies.push(page["content"][0]["text"].as_str().unwrap().to_owned());
                let Some(next) = next(bodies.last().unwrap()) else { break };
                assert!(next > cursor, "{name} {format}: {next} after {cursor}");
                cursor = next;
            }
            assert!(bodies.iter().all(|b| b.starts_with("[from the file: ")), "{name}");
            assert!(!bodies.last().unwrap().contains("nothing more"), "{name} {format}: a page too many");
        }
    }
    // What is left out of lists beside the rows is said, and is no reason to go on.
    let page = c.call("spans", &json!({ "file": file, "format": "json", "cursor": 100_000 }));
    let text = page["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("\nleft out: ") && !text.contains("more: "), "{text}");
    assert!(c.end());
}

#[test]
fn a_call_that_takes_too_long_says_how_long_it_had() {
    let mut c = Client::new(&[Path::new("--timeout=50ms"), &crate::common::root().join("sample-traces")]);
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    let why = c.refusal("query", &json!({ "sql": endless, "files": ["trace.out"] }));
    assert!(why.contains("\nended after 50ms: "), "{why}");
    assert!(c.end());
}

#[test]
fn sources_are_those_below_the_folders_that_were_named() {
    let dir = tempfile::tempdir().unwrap();
    let samples = crate::common::root().join("sample-traces");
    let folder = dir.path().join("a=b");
    std::fs::create_dir_all(folder.join("paycore/payment")).unwrap();
    for file in ["trace.out", "paycore/payment/order_cache.go"] {
        std::fs::copy(samples.join(file), folder.join(file)).unwrap();
    }
    let asked = json!({ "file": "trace.out", "name": "payment/order_cache.go" });
    let line = "  47          c.byID[t.ID] = map[string]string{";
    let mut c = Client::new(&[&folder]);
    assert!(c.text("source", &asked).contains(line), "a folder with a sign in its name");
    assert!(c.end());
    // Who names a file does not name what lies beside it.
    let mut c = Client::new(&[&folder.join("trace.out")]);
    let source = c.text("source", &asked);
    assert!(source.contains("payment/order_cache.go") && !source.contains("c.byID"), "{source}");
    assert!(c.end());
}

#[test]
fn nothing_is_said_of_files_outside_of_the_roots() {
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("in");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(dir.path().join("secret"), "x").unwrap();
    let samples = crate::common::root().join("sample-traces");
    std::fs::copy(samples.join("trace.out"), inside.join("trace.out")).unwrap();
    let mut c = Client::new(&[&inside]);
    let whole = dir.path().join("secret@1S");
    for (there, not) in [("../secret@1S", "../nobody@1S"), (whole.to_str().unwrap(), "/nobody@1S")] {
        let why = |c: &mut Client, file: &str| c.refusal("why", &json!({ "file": file })).replace(file, "FILE");
        let (there, not) = (why(&mut c, there), why(&mut c, not));
        assert!(there.contains("there is no file FILE below"), "{there}");
        assert_eq!(there, not);
    }
    let why = c.refusal("why", &json!({ "file": "trace.out@1S" }));
    assert!(why.contains("`1S` is not a position in "), "{why}");
    // A link that looks like a position leads out.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(dir.path().join("secret"), inside.join("trace.out@1ms")).unwrap();
        let why = c.refusal("why", &json!({ "file": "trace.out@1ms" }));
        assert!(why.contains("there is no file trace.out@1ms below"), "{why}");
    }
    assert!(c.end());
}

#[test]
fn what_is_wrong_is_said_and_the_server_goes_on() {
    let mut c = samples();
    assert_eq!(c.ask("resources/list", &json!({}))["error"]["code"], -32601);
    assert_eq!(c.ask("tools/call", &json!({ "name": "rm" }))["error"]["code"], -32602);
    c.send("{");
    assert_eq!(c.hear()["error"]["code"], -32700);
    c.send(r#"{"jsonrpc":"2.0","id":99999999999999999999999,"method":"ping"}"#);
    assert_eq!(c.hear()["error"]["code"], -32600);
    c.send(r#"{"jsonrpc":"2.0","id":"a b","method":"ping"}"#);
    assert_eq!(c.hear(), json!({ "jsonrpc": "2.0", "id": "a b", "result": {} }));

    for file in
        ["../Cargo.toml", "/etc/passwd", "no.out", "http://localhost/trace.out", "", ".", "-", "\u{1b}]0;x\u{7}"]
    {
        let why = c.refusal("summary", &json!({ "file": file }));
        assert!(why.contains("there is no file"), "{file}: {why}");
    }
    let why = c.refusal("events", &json!({ "file": "trace.out", "filter": "dur>" }));
    assert!(why.contains("dur>") && !why.contains("gotrail:"), "{why}");
    let why = c.refusal("query", &json!({ "sql": "drop table events", "files": ["trace.out"] }));
    assert!(why.contains("only queries are answered"), "{why}");
    // Nothing that is said becomes an option.
    let why = c.refusal("query", &json!({ "sql": "--help", "files": ["trace.out"] }));
    assert!(!why.contains("Usage"), "{why}");
    assert_eq!(c.ask("ping", &json!({}))["result"], json!({}));
    assert!(c.end());
}

#[test]
fn names_of_a_trace_are_data() {
    let mut c = Client::new(&[&crate::common::root().join("tests/data")]);
    let mark = "[from the file: ";
    let (mut listed, mut cursor) = (String::new(), Some(0));
    while let Some(at) = cursor {
        let page = c.text("list_files", &json!({ "cursor": at }));
        assert!(page.starts_with(mark), "{page}");
        cursor = next(&page);
        listed.push_str(&page);
    }
    assert!(listed.contains("\nhostile.trace  trace  "), "{listed}");
    // The change of reading direction that its names have is written out, or they have none.
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    for (tool, asked, written) in [
        ("summary", json!({}), ""),
        ("events", json!({ "filter": "kind:log" }), r"\u{202e}"),
        ("events", json!({ "filter": "kind:log", "format": "json" }), r"\u202e"),
        ("why", json!({ "region": "nobody" }), ""),
        ("waits", json!({ "format": "json" }), ""),
    ] {
        let mut asked = asked;
        asked["file"] = "hostile.trace".into();
        let text = c.text(tool, &asked);
        assert!(text.starts_with(mark), "{text}");
        assert!(text.contains(written), "{text}");
        assert!(!text.chars().any(|c| turns(c) || c != '\n' && c.is_control()), "{text:?}");
    }
    let why = c.refusal("events", &json!({ "file": "hostile.trace", "filter": "dur>" }));
    assert!(why.starts_with(mark), "{why}");
    assert!(c.end());
}

#[test]
fn a_call_that_is_cancelled_has_no_answer_and_others_have() {
    let mut c = samples();
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    let call = |id: u64, sql: &str| {
        let arguments = json!({ "sql": sql, "files": ["trace.out"] });
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": "query", "arguments": arguments } })
    };
    c.send(&call(1, endless).to_string());
    c.send(&call(1, "select 1").to_string());
    let again = c.hear();
    assert_eq!((&again["id"], &again["error"]["code"]), (&json!(1), &json!(-32600)), "one answer an id");
    c.send(&call(2, "select 41 + 1").to_string());
    c.send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#);
    let answer = c.hear();
    assert_eq!(answer["id"], 2, "{answer}");
    assert!(texts(&answer["result"]).contains("42"));
    assert!(c.end());
}

#[test]
fn calls_are_answered_though_the_input_has_ended() {
    let mut c = samples();
    for id in 1..=3 {
        let call = json!({ "name": "query", "arguments": { "sql": format!("select {id}"), "files": ["trace.out"] } });
        c.send(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": call }).to_string());
    }
    drop(c.to.take());
    assert_eq!((1..=3).map(|_| c.hear()["id"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(c.end());
}

#[test]
fn a_client_that_is_gone_ends_the_server() {
    let mut c = samples();
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    let call = json!({ "name": "query", "arguments": { "sql": endless, "files": ["trace.out"] } });
    c.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call }).to_string());
    let Client { mut child, to, from, .. } = c;
    drop(from);
    // Its answer cannot be written, though a call is under way.
    let mut to = to.unwrap();
    writeln!(to, r#"{{"jsonrpc":"2.0","id":2,"method":"ping"}}"#).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_protocols_own_client_finds_it_too() {
    let Some(python) = std::env::var_os("GOTRAIL_PYTHON") else {
        return crate::common::leave_out_of_ci("GOTRAIL_PYTHON names no Python");
    };
    let has = Command::new(&python).args(["-c", "from mcp import Client"]).stderr(Stdio::null()).status();
    if !has.is_ok_and(|s| s.success()) {
        return crate::common::leave_out_of_ci("this Python has no mcp");
    }
    let script = crate::common::root().join("tests/mcp_sdk/client.py");
    let out = Command::new(python)
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_gotrail"))
        .arg(crate::common::root().join("sample-traces"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(String::from_utf8_lossy(&out.stdout), "2026-07-28 3\n2025-11-25 3\n");
}

#[test]
fn calls_leave_the_cache_alone_where_that_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    // Only large traces are kept.
    let one = std::fs::read("sample-traces/trace.out").unwrap();
    std::fs::write(dir.path().join("large.trace"), one.repeat(9)).unwrap();
    for (option, kept) in [(&["--no-cache"][..], false), (&[], true)] {
        let cache = dir.path().join("cache");
        let mut server = Command::new(env!("CARGO_BIN_EXE_gotrail"));
        server.arg("mcp").args(option).arg(dir.path()).env("GOTRAIL_CACHE", &cache);
        let mut client = Client::of(server);
        client.ask("initialize", &json!({ "protocolVersion": "2025-06-18", "capabilities": {} }));
        client.text("summary", &json!({ "file": "large.trace" }));
        let files = std::fs::read_dir(&cache).map_or(0, Iterator::count);
        assert_eq!(files > 0, kept, "{option:?}: {files} files");
    }
}
