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
        c.arg("mcp").args(roots).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = c.spawn().unwrap();
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
    assert_eq!(about["result"]["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(about["result"]["resultType"], "complete");
    let tools = c.ask("tools/list", &of("2026-07-28"));
    assert_eq!(tools["result"]["resultType"], "complete");
    let wrong = c.ask("tools/list", &of("1999-01-01"));
    assert_eq!(wrong["error"]["code"], -32022);
    assert_eq!(wrong["error"]["data"]["supported"][0], "2026-07-28");
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
    for (tool, rows) in
        [("findings", "findings"), ("locks", "contended"), ("waits", "waits"), ("lines", "lines"), ("gc", "cycles")]
    {
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
    let mut c = Client::new(&[&crate::common::root().join("tests")]);
    let listed = c.text("list_files", &json!({}));
    let traces: Vec<&str> =
        listed.lines().filter(|l| l.contains("  trace  ")).filter_map(|l| l.split("  ").next()).collect();
    assert!(!traces.is_empty());
    for t in traces.iter().filter(|t| t.contains("hostile")).chain(traces.iter().take(1)) {
        let text = c.text("summary", &json!({ "file": t }));
        assert!(text.starts_with("[from the file: "), "{text}");
    }
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
