//! The parts of the server that need no process.

use super::answer::{self, Lines, PAGE};
use super::files::Roots;
use super::rpc::{self, Message};
use super::{Event, Server, read};
use serde_json::{Value, json};

/// The code and the id of the error that a line gets.
fn fault(line: &str) -> Option<(i64, Value)> {
    let (id, fault) = rpc::parse(line.as_bytes()).err()?;
    let answer = rpc::error(&id, &fault);
    assert_eq!(answer["jsonrpc"], "2.0");
    Some((answer["error"]["code"].as_i64().unwrap(), answer["id"].clone()))
}

#[test]
fn what_is_no_message_gets_the_code_of_json_rpc() {
    let call = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
    assert_eq!(fault("{"), Some((-32700, Value::Null)));
    assert_eq!(fault(&"[".repeat(100_000)), Some((-32700, Value::Null)));
    assert_eq!(fault("[]"), Some((-32600, Value::Null)));
    assert_eq!(fault("17"), Some((-32600, Value::Null)));
    assert_eq!(fault(r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#), Some((-32600, json!(7))));
    assert_eq!(fault(r#"{"jsonrpc":"2.0","id":7}"#), Some((-32600, json!(7))));
    assert_eq!(fault(r#"{"jsonrpc":"2.0","id":7,"method":1}"#), Some((-32600, json!(7))));
    assert_eq!(fault(r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}"#), Some((-32602, json!(7))));
    for id in ["null", "1.5", "true", "{}", "123456789012345678901234567890"] {
        assert_eq!(fault(&call(id)), Some((-32600, Value::Null)), "{id}");
    }
    for id in ["0", "-1", "18446744073709551615", "\"\"", "\"\\u0000x\""] {
        let Ok(Message::Request(r)) = rpc::parse(call(id).as_bytes()) else { panic!("{id}") };
        assert_eq!(r.answer(Ok(json!({})))["id"], serde_json::from_str::<Value>(id).unwrap());
    }
    assert!(matches!(rpc::parse(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#), Ok(Message::Answer)));
    assert!(matches!(rpc::parse(br#"{"jsonrpc":"2.0","method":"x"}"#), Ok(Message::Notification { .. })));
}

#[test]
fn a_line_that_is_too_long_is_passed_over() {
    let long = "x".repeat(super::LONGEST as usize + 10);
    let (events, heard) = crossbeam_channel::unbounded();
    read(format!("a\n{long}\nb").as_bytes(), &events);
    drop(events);
    let lines: Vec<Option<Vec<u8>>> = heard
        .iter()
        .filter_map(|e| match e {
            Event::Line(l) => Some(l),
            _ => None,
        })
        .collect();
    assert_eq!(lines, [Some(b"a\n".to_vec()), None, Some(b"b".to_vec())]);
}

#[test]
fn pages_of_text_lie_end_to_end_however_it_comes() {
    let all: Vec<String> = (0..500).map(|i| format!("line {i} µ")).collect();
    let text = all.join("\n");
    for chunk in [1, 7, 100_000] {
        let (mut got, mut cursor) = (Vec::new(), 0);
        loop {
            let mut page = Lines::after(cursor);
            text.as_bytes().chunks(chunk).all(|c| page.add(c));
            page.finish();
            assert!(page.text.len() <= PAGE);
            got.extend(page.text.lines().map(str::to_owned));
            cursor += page.taken;
            if !page.more {
                break;
            }
        }
        assert_eq!(got, all);
    }
    let mut page = Lines::after(0);
    page.add("y".repeat(5000).as_bytes());
    page.finish();
    assert!(page.text.ends_with("y… [4000 bytes more]\n"), "{}", page.text);
}

#[test]
fn pages_of_lists_keep_every_row_and_say_what_is_left_out() {
    let row = |i: usize| json!({ "i": i, "list": (0..i % 20).collect::<Vec<_>>(), "text": "t".repeat(i) });
    let whole = json!({ "rows": (0..200).map(row).collect::<Vec<_>>(), "other": (0..50).collect::<Vec<_>>() });
    let (mut from, mut seen) = (0, Vec::new());
    while from < 200 {
        let page = answer::page(whole.clone(), "rows", from);
        assert!(page.taken > 0 && page.of == 200 && page.left_out >= 46);
        assert!(page.object.to_string().len() <= PAGE + 100);
        seen.extend(page.object["rows"].as_array().unwrap().iter().map(|r| r["i"].as_u64().unwrap()));
        from += page.taken;
    }
    assert_eq!(seen, (0..200).collect::<Vec<u64>>());
    let none = answer::page(json!({ "rows": [] }), "rows", 7);
    assert_eq!((none.taken, none.of, none.left_out), (0, 0, 0));
}

#[test]
fn a_row_that_does_not_fit_begins_the_next_page_whole() {
    let row = |i: usize| json!({ "i": i, "list": ["x".repeat(100), "y".repeat(100), "z".repeat(100)] });
    let whole = json!({ "rows": (0..50).map(row).collect::<Vec<_>>() });
    let (mut from, mut seen) = (0, Vec::new());
    while from < 50 {
        let page = answer::page(whole.clone(), "rows", from);
        assert_eq!(page.left_out, 0);
        seen.extend_from_slice(page.object["rows"].as_array().unwrap());
        from += page.taken;
    }
    assert_eq!(Value::Array(seen), whole["rows"]);
    // One that is larger than a page is all of it, and cut.
    let large = json!({ "list": (0..8).map(|_| "x".repeat(290)).collect::<Vec<_>>(), "more": "m".repeat(290), "n": vec!["n".repeat(290); 8] });
    let page = answer::page(json!({ "rows": [large, 1] }), "rows", 0);
    assert_eq!((page.object["rows"][0]["list"].as_array().unwrap().len(), page.left_out), (4, 8));
    assert_eq!(page.object["rows"][1], 1);
}

#[test]
fn a_page_has_the_keys_of_its_object_and_no_others() {
    let whole = json!({ "a": { "rows": [1, 2, 3], "b": null } });
    let page = answer::page(whole.clone(), "a.rows", 1);
    assert_eq!((page.object, page.taken, page.of), (json!({ "a": { "rows": [2, 3], "b": null } }), 2, 3));
    for none in ["rows", "a.b", "a.c", "c.rows"] {
        let page = answer::page(whole.clone(), none, 0);
        assert_eq!((page.object, page.taken, page.of), (whole.clone(), 0, 0), "{none}");
    }
}

#[test]
fn an_id_that_is_used_again_gets_its_own_answer() {
    let call = r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"list_files"}}"#;
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a"}}"#;
    let ((calls, waiting), (events, heard)) = (crossbeam_channel::unbounded(), crossbeam_channel::unbounded());
    for line in [call, cancel, call] {
        events.send(Event::Line(Some(line.into()))).unwrap();
    }
    events.send(Event::Done(0, json!("the cancelled one"))).unwrap();
    events.send(Event::Done(1, json!("the other"))).unwrap();
    events.send(Event::End).unwrap();
    let mut answers = Vec::new();
    let write = &mut |answer: &Value| {
        answers.push(answer.clone());
        Ok(())
    };
    Server::new(calls).serve(&heard, write).unwrap();
    assert_eq!(answers, ["the other"]);
    assert_eq!(waiting.iter().map(|c| c.number).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_list_looks_at_a_bounded_number_of_files_and_folders() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..5 {
        std::fs::create_dir_all(dir.path().join(format!("d{i}/e"))).unwrap();
    }
    std::fs::write(dir.path().join("x.trace"), b"go 1.26 trace\0\0\0").unwrap();
    let roots = Roots::new(&[dir.path().to_owned()]).unwrap();
    // The root, five folders with one in each, and the file.
    assert_eq!(roots.list_of(13), "x.trace  trace  16B\n");
    assert_eq!(
        roots.list_of(12),
        "x.trace  trace  16B\n12 files and folders were looked at; what else there is was not\n"
    );
    assert!(roots.list_of(4).starts_with("no traces or profiles here\n4 files and"));
}

#[test]
fn equal_names_of_two_roots_are_told_apart_and_found() {
    let dir = tempfile::tempdir().unwrap();
    let real = std::fs::canonicalize(dir.path()).unwrap();
    for to in ["a/x.trace", "a/only.trace", "b/x.trace", "c/b/x.trace", "c/b/y.trace"] {
        std::fs::create_dir_all(real.join(to).parent().unwrap()).unwrap();
        std::fs::write(real.join(to), b"go 1.26 trace\0\0\0").unwrap();
    }
    std::fs::write(real.join("secret.trace"), b"go 1.26 trace\0\0\0").unwrap();
    let roots = |of: &[&str]| Roots::new(&of.iter().map(|r| real.join(r)).collect::<Vec<_>>()).unwrap();
    let names = |roots: &Roots| -> Vec<String> {
        roots.list().lines().map(|l| l.split("  ").next().unwrap_or_default().to_owned()).collect()
    };
    let two = roots(&["a", "b"]);
    assert_eq!(names(&two), ["only.trace", "a/x.trace", "b/x.trace"]);
    let alike = roots(&["b", "c/b"]);
    let whole = |name: &str| real.join(name).to_string_lossy().into_owned();
    assert_eq!(names(&alike), [whole("b/x.trace"), whole("c/b/x.trace"), "y.trace".into()]);
    assert_eq!(names(&roots(&["c", "c/b"])), ["b/x.trace", "b/y.trace"], "a root in another one adds nothing");
    for (roots, asked, want) in [
        (&two, "b/x.trace", "b/x.trace"),
        (&two, "a/only.trace", "a/only.trace"),
        (&two, "only.trace@1ms", "a/only.trace@1ms"),
        (&alike, &whole("c/b/x.trace"), "c/b/x.trace"),
    ] {
        assert_eq!(roots.find(asked).map(|n| n.whole), Ok(whole(want)), "{asked}");
    }
    for outside in ["secret.trace", "../secret.trace", "c/b/y.trace", "b/../secret.trace"] {
        assert!(two.find(outside).is_err(), "{outside}");
    }
}
