//! Runs a call: a command in a process of its own, and what it printed as an answer.

use super::answer::{self, Lines, text};
use super::files::Roots;
use super::rpc::{Fault, INVALID_PARAMS, Request};
use super::tools::{self, Asked, Tool};
use crate::base::Duration;
use crate::base::duration::exact;
use crate::base::text::escape_json;
use crossbeam_channel::{Receiver, Sender, bounded, select};
use serde_json::{Value, json};
use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The most that a command may print as JSON, in bytes.
const MOST_JSON: usize = 64 << 20;
/// Bytes of what a command says on standard error that are handed on.
const NOTES: u64 = 600;

/// What holds for every call.
#[derive(Clone, Copy)]
pub struct Limits {
    /// How long it may take.
    pub timeout: Duration,
    /// Whether it leaves the cache alone.
    pub no_cache: bool,
}

/// Why a command was ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// What it printed is enough.
    Enough,
    /// Nobody wants to know any more.
    Cancelled,
    /// It took too long.
    Late,
}

/// The answer to a call.
pub fn answer(request: &Request, roots: &Roots, limits: Limits, cancelled: &Receiver<()>) -> Value {
    let name = request.params.get("name").and_then(Value::as_str).unwrap_or_default();
    let Some(tool) = tools::ALL.iter().find(|t| t.name == name) else {
        return request.answer(Err(Fault::new(INVALID_PARAMS, format!("there is no tool `{}`", text::short(name)))));
    };
    let nothing = json!({});
    let arguments = request.params.get("arguments").filter(|a| !a.is_null()).unwrap_or(&nothing);
    let done = tool.asked(arguments, roots).and_then(|asked| match tool.command {
        [] => Ok(page_of_list(&roots.list(), asked.cursor)),
        _ => run(tool, &asked, limits, cancelled),
    });
    // What a command says of a file that it refuses may quote it.
    let refused = |why: String| json!({ "content": [said(&format!("{}{why}", tools::MARK))], "isError": true });
    request.answer(Ok(done.unwrap_or_else(refused)))
}

/// A text of an answer.
fn said(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

/// The page of a text that no command printed.
fn page_of_list(all: &str, cursor: u64) -> Value {
    let mut lines = Lines::after(cursor);
    lines.add(all.as_bytes());
    let more = if lines.more { format!("more: cursor {}\n", cursor + lines.taken) } else { String::new() };
    json!({ "content": [said(&format!("{}{}{more}", tools::MARK, lines.text))], "isError": false })
}

/// Runs a tool's command. What cannot be answered is said in a sentence.
fn run(tool: &Tool, asked: &Asked, limits: Limits, cancelled: &Receiver<()>) -> Result<Value, String> {
    let wait = limits.timeout;
    let program = std::env::current_exe().map_err(|e| format!("the program cannot be started: {e}"))?;
    let mut command = Command::new(program);
    command.current_dir(&asked.folder).args(&asked.arguments);
    // Lines are as long as they are.
    command.env_remove("COLUMNS").env_remove("LINES");
    if limits.no_cache {
        // Not all commands have the option; all know this.
        command.env("GOTRAIL_CACHE", "");
    }
    let mut lines = if asked.json { Lines::whole_after(asked.cursor) } else { Lines::after(asked.cursor) };
    let mut json = Vec::new();
    let mut take = |bytes: &[u8]| match asked.json && !tool.json_lines() {
        true => {
            json.extend_from_slice(bytes);
            json.len() <= MOST_JSON
        }
        false => lines.add(bytes),
    };
    let until = Instant::now() + std::time::Duration::from_nanos(u64::try_from(wait.ns()).unwrap_or(0));
    let ended = process(&mut command, &mut take, until, cancelled)
        .map_err(|e| format!("the program cannot be started: {e}"))?;
    lines.finish();
    let notes: Vec<&str> = ended.notes.lines().map(|l| l.strip_prefix("gotrail: ").unwrap_or(l)).collect();
    let notes = notes.join("\n");
    match (ended.stop, ended.code) {
        (Some(Stop::Cancelled), _) => return Err("cancelled".into()),
        (Some(Stop::Late), _) => {
            return Err(format!("ended after {}: ask for less, with from, to or a filter", exact(wait)));
        }
        (Some(Stop::Enough), _) if json.len() > MOST_JSON => {
            return Err("too much as JSON: ask for less, or for text".into());
        }
        (Some(Stop::Enough), _) | (None, Some(0 | 1)) => {}
        (None, _) => return Err(if notes.is_empty() { "the command failed".into() } else { notes }),
    }
    let about = About { tool, asked, notes: &notes };
    if asked.json { about.structured(&json, &lines) } else { Ok(about.text(&lines)) }
}

/// What stands around a page.
struct About<'a> {
    tool: &'a Tool,
    asked: &'a Asked,
    notes: &'a str,
}

impl About<'_> {
    /// How to go on, what the page lacks, what the command said, and the command.
    fn around(&self, next: Option<u64>, of: &str, lacks: &str) -> String {
        let mut all = String::new();
        if let Some(next) = next {
            all.push_str(&format!("more: cursor {next}{of}\n"));
        }
        if !lacks.is_empty() {
            all.push_str(&format!("left out: {lacks}\n"));
        }
        if !self.notes.is_empty() {
            all.push_str(&format!("note: {}\n", self.notes));
        }
        all.push_str(&format!("command: gotrail {}\n", text::short(&self.asked.shown())));
        all
    }

    fn text(&self, lines: &Lines) -> Value {
        let next = lines.more.then_some(self.asked.cursor + lines.taken);
        let body = match (lines.text.is_empty(), self.asked.cursor) {
            (true, 0) => "nothing found\n",
            (true, _) => "nothing more\n",
            _ => &lines.text,
        };
        let whole = format!("{}{body}{}", tools::MARK, self.around(next, "", ""));
        json!({ "content": [said(&whole)], "isError": false })
    }

    /// A page as JSON, as the command's schema has it, and as text.
    fn structured(&self, json: &[u8], lines: &Lines) -> Result<Value, String> {
        let from = usize::try_from(self.asked.cursor).unwrap_or(usize::MAX);
        let (object, next, of, lacks) = if self.tool.json_lines() {
            let rows: Vec<Value> = lines.text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
            // A line that was cut is none.
            let lost = lines.taken - rows.len() as u64;
            let next = lines.more.then_some(self.asked.cursor + lines.taken);
            let lost = if lost > 0 {
                format!("{lost} rows that are too long for JSON here: ask for text")
            } else {
                String::new()
            };
            (json!({ self.tool.rows: rows }), next, String::new(), lost)
        } else {
            let whole: Value = match json.trim_ascii() {
                [] => {
                    let whole = format!("{}nothing found\n{}", tools::MARK, self.around(None, "", ""));
                    return Ok(json!({ "content": [said(&whole)], "isError": false }));
                }
                some => serde_json::from_slice(some).map_err(|e| format!("the command printed no JSON: {e}"))?,
            };
            let page = answer::page(whole, self.tool.rows, from);
            let end = from.saturating_add(page.taken);
            let of = format!(" of {} rows of {}", page.of, self.tool.rows);
            let lacks = match page.left_out {
                0 => String::new(),
                n => format!("{n} entries of other lists, which the command prints"),
            };
            // What is left out of this page is left out of every other, too: only rows make one more.
            let next = (end < page.of).then_some(end as u64);
            (page.object, next, of, lacks)
        };
        let around = format!("{}{}", tools::MARK, self.around(next, &of, &lacks));
        // As text it is read as it stands: what would turn its direction is written out.
        let content = [said(&around), said(&escape_json(&object.to_string()))];
        Ok(json!({ "content": content, "structuredContent": object, "isError": false }))
    }
}

/// How a process ended.
struct Ended {
    stop: Option<Stop>,
    code: Option<i32>,
    notes: String,
}

/// Runs a process, hands on what it prints until `take` has enough, and ends it then, when it is cancelled, or at `until`.
fn process(
    command: &mut Command,
    take: &mut dyn FnMut(&[u8]) -> bool,
    until: Instant,
    cancelled: &Receiver<()>,
) -> io::Result<Ended> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (printed, told) = (child.stdout.take(), child.stderr.take());
    let (chunks, heard) = bounded(4);
    let reader = std::thread::spawn(move || printed.map(|p| chunked(p, &chunks)));
    let notes = std::thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut told) = told {
            let _ = told.by_ref().take(NOTES).read_to_end(&mut kept);
            // What is not kept is read all the same, so that it does not stop the command.
            let _ = io::copy(&mut told, &mut io::sink());
        }
        String::from_utf8_lossy(&kept).trim_end().to_owned()
    });
    let late = crossbeam_channel::at(until);
    let stop = loop {
        select! {
            recv(heard) -> chunk => match chunk {
                Ok(chunk) => if !take(&chunk) { break Some(Stop::Enough) },
                Err(_) => break None,
            },
            recv(cancelled) -> _ => break Some(Stop::Cancelled),
            recv(late) -> _ => break Some(Stop::Late),
        }
    };
    if stop.is_some() {
        let _ = child.kill();
    }
    drop(heard);
    let code = child.wait()?.code();
    let _ = reader.join();
    Ok(Ended { stop, code, notes: notes.join().unwrap_or_default() })
}

/// Sends what can be read, until there is no more or nobody listens.
fn chunked(mut from: impl Read, to: &Sender<Vec<u8>>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        if to.send(buffer[..n].to_vec()).is_err() {
            break;
        }
    }
}
