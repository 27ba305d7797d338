//! The words of the language, once: help, completion, the manual and the check of a query all read this table.

use super::ast::{Pattern, Term};
use super::check;
use super::error::QueryError;
use super::lex::Field;
use crate::base::{GroupId, Span, StringId};
use crate::model::segment::{GoState, Kind};
use crate::model::{Index, lens};

/// One thing that can be written in a query: a row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Help {
    /// How it is written: a field ends with the sign before its value.
    pub term: &'static str,
    /// What it matches.
    pub meaning: &'static str,
    /// A query that uses it.
    pub example: &'static str,
    /// For a field, how its value becomes a term.
    pub(crate) read: Option<Read>,
}

/// How the value of a field becomes a term.
pub(crate) type Read = fn(&Field) -> Result<Term, QueryError>;

impl Help {
    /// The field's name, for the terms that are a field and a value.
    pub fn field(&self) -> Option<&'static str> {
        let end = self.term.find([':', '>'])?;
        Some(&self.term[..end])
    }

    /// Whether its value is compared (`dur>1ms`) and not matched.
    pub(crate) fn compares(&self) -> bool {
        self.term.ends_with('>')
    }
}

macro_rules! table {
    (@read) => { None };
    (@read $read:expr) => { Some($read) };
    ($($term:literal, $meaning:literal, $example:literal $(=> $read:expr)?;)*) => {
        &[$(Help { term: $term, meaning: $meaning, example: $example, read: table!(@read $($read)?) },)*]
    };
}

fn pattern(f: &Field) -> Result<Pattern, QueryError> {
    check::pattern(&f.value)
}

/// The words. A new one that says something that can be asked already is a row here; one that asks something new is
/// also a [`Term`], with what it tests in `compile` and `eval`.
static TABLE: &[Help] = table! {
    "word", "a frame's function or file, a kind of event, a label, region, task or log that contains it", "mapassign";
    "\"words\"", "the same, for text with spaces or signs", "\"before write\"";
    "/regex/", "a regular expression, here and as the value of a field", "/mapassign(_fast.*)?$/";
    "func:", "a frame's function: * is any text, the package's directories may be left out", "func:payment.*"
        => |f| pattern(f).map(Term::Func);
    "file:", "a frame's source file, and its line", "file:order_cache.go:47"
        => |f| check::file(&f.value);
    "lens:", "a frame that belongs to the operations of a lens: maps, channels, locks, alloc, gc, …", "lens:maps"
        => |f| check::lens(&f.value).map(Term::Lens);
    "state:", "puts its goroutine in this state: running, runnable, waiting, syscall", "state:waiting"
        => |f| check::state(&f.value).map(Term::State);
    "reason:", "why a goroutine blocked or stopped: the runtime's word, or what its stack tells", "reason:Mutex"
        => |f| pattern(f).map(Term::Reason);
    "dur>", "how long lasts what begins there: a state, a task, a region; also >=, < and <=", "state:waiting dur>1ms"
        => check::dur;
    "span:", "in a request, call, task or region of this name or kind; dur> right behind is its length", "span:http dur>9ms"
        => |f| pattern(f).map(|p| Term::Span(p, Vec::new()));
    "g:", "about the goroutine of this number", "g:12"
        => |f| check::number(&f.value, "a goroutine's number").map(Term::Go);
    "group:", "about a goroutine that started in this function", "group:\"payment.(*Core).settler\""
        => |f| pattern(f).map(Term::Group);
    "p:", "on the P of this number", "p:0"
        => |f| check::number(&f.value, "a P's number").map(Term::Proc);
    "m:", "on the thread of this number", "m:33"
        => |f| check::number(&f.value, "a thread's number").map(Term::Thread);
    "kind:", "events of this kind, or class of kinds; * is any text", "kind:GoBlock"
        => |f| check::kind(&f.value).map(Term::Kind);
    "cat:", "a log message's category", "cat:map"
        => |f| pattern(f).map(Term::Cat);
    "msg:", "a log message's text", "msg:before_write"
        => |f| pattern(f).map(Term::Msg);
    "task:", "a user task, by name or number", "task:checkout"
        => |f| check::who(&f.value).map(Term::Task);
    "region:", "a user region, by name", "region:settle"
        => |f| pattern(f).map(Term::Region);
    "label:", "a goroutine's label, key=value: by CPU profiles and dumps of the run", "label:endpoint=/pay"
        => |f| pattern(f).map(Term::Label);
    "gc", "while the GC is marking", "mapassign gc";
    "stw", "during stop-the-world (STW)", "state:runnable stw";
    "t:", "a window of time since the trace's start; either end may be left out", "t:812ms..813.5ms"
        => |f| check::time(&f.value);
    "by:", "unblocked by this function or goroutine", "by:\"payment.*\""
        => |f| check::who(&f.value).map(Term::By);
    "a b", "both; also written with and", "func:payment.* state:waiting";
    "a or b", "one of them, or both", "gc or stw";
    "not a", "the opposite; also written -a", "state:waiting -reason:sync";
    "( )", "groups", "g:12 (gc or stw)";
};

/// What can be written in a query, in the order in which to explain it.
pub fn help() -> &'static [Help] {
    TABLE
}

/// The row of a field, whatever the case in which it is written.
pub(crate) fn field(name: &str) -> Option<&'static Help> {
    TABLE.iter().find(|h| h.field().is_some_and(|f| f.eq_ignore_ascii_case(name)))
}

/// The names of the fields whose values are compared.
pub(crate) fn compared() -> impl Iterator<Item = &'static str> {
    TABLE.iter().filter(|h| h.compares()).filter_map(Help::field)
}

/// The names of the fields.
pub(crate) fn fields() -> impl Iterator<Item = &'static str> + Clone {
    TABLE.iter().filter_map(Help::field)
}

/// The field and the value of a text such as `dur=1ms`, which is no term.
pub(crate) fn assigned(text: &str) -> Option<(&'static Help, &str)> {
    let (name, value) = text.split_once('=')?;
    Some((field(name)?, value))
}

/// Whether a text alone, without quotes, would mean something else than the text.
pub(crate) fn is_reserved(s: &str) -> bool {
    matches!(s, "gc" | "stw" | "and" | "AND" | "or" | "OR" | "not" | "NOT")
        || compared().any(|w| w == s)
        || assigned(s).is_some()
}

/// The field that people mean by a word that is far from its name.
pub(crate) fn synonym(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "fn" | "function" | "frame" | "stack" => "func",
        "goroutine" | "go" | "goid" | "gid" => "g",
        "proc" | "cpu" | "processor" => "p",
        "thread" | "tid" => "m",
        "time" | "at" | "window" => "t",
        "line" | "source" | "path" | "src" => "file",
        "waker" | "wokenby" | "unblocker" => "by",
        "duration" | "longer" => "dur",
        "category" => "cat",
        "message" | "log" => "msg",
        "wait" | "why" => "reason",
        "event" | "type" => "kind",
        "name" => "group",
        "maps" => "lens",
        "request" | "handler" | "call" => "span",
        _ => return None,
    })
}

/// The state that people mean by another word.
pub(crate) fn synonym_state(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "blocked" | "block" | "wait" | "sleeping" | "parked" => "waiting",
        "ready" | "queued" => "runnable",
        "executing" | "run" => "running",
        "dead" | "ended" | "exited" => "notexist",
        _ => return None,
    })
}

/// The states, as a query spells them; the useful ones first.
pub(crate) fn states() -> impl Iterator<Item = String> {
    GoState::ALL.into_iter().rev().map(|s| s.name().to_lowercase())
}

/// The kinds of events and the classes that hold several, as a query spells them.
pub(crate) fn kinds() -> Vec<String> {
    let mut out: Vec<String> = Kind::ALL.iter().map(|k| k.name().to_string()).collect();
    for k in Kind::ALL {
        let class = format!("{:?}", k.class());
        if !out.contains(&class) {
            out.push(class);
        }
    }
    out
}

/// What may replace the end of a query that is being typed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Completion {
    /// The part that a candidate replaces.
    pub span: Span,
    /// What may stand there, best first.
    pub candidates: Vec<Candidate>,
}

/// One way to go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The text, as the query needs it (in quotes where it has to be).
    pub text: String,
    /// What it means; may be empty.
    pub meaning: &'static str,
}

/// Candidates of one completion.
const MAX_CANDIDATES: usize = 50;

/// How the last token of `text` may go on: names of fields, states and kinds, and with an index the functions, files,
/// groups and reasons of that trace. An empty last token offers every field.
pub fn complete(text: &str, index: Option<&Index>) -> Completion {
    let start = last_token(text);
    let token = &text[start..];
    let (skip, value) = match token.split_once(':') {
        Some((field, value)) => (field.len() + 1, Some((field, value))),
        None => (0, None),
    };
    let span = Span { start: start + skip, end: text.len() };
    let candidates = match value {
        Some((field, value)) => values(field, value.trim_start_matches('"'), index),
        None => TABLE
            .iter()
            .filter(|h| h.field().is_some() || is_reserved(h.term))
            .filter(|h| h.term.starts_with(&token.to_lowercase()))
            .map(|h| Candidate { text: h.term.to_string(), meaning: h.meaning })
            .collect(),
    };
    Completion { span, candidates }
}

/// Where the token begins that the end of `text` is part of.
fn last_token(text: &str) -> usize {
    let mut start = 0;
    let mut quoted = false;
    for (i, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => start = i + c.len_utf8(),
            '(' | '-' if i == start => start = i + 1,
            _ => {}
        }
    }
    start
}

fn values(field: &str, typed: &str, index: Option<&Index>) -> Vec<Candidate> {
    let plain = |text: String| Candidate { text, meaning: "" };
    let typed = typed.to_lowercase();
    match field {
        "lens" => {
            let all = lens::all().iter().filter(|l| l.name.starts_with(&typed));
            all.map(|l| Candidate { text: l.name.to_string(), meaning: &l.about }).collect()
        }
        "state" => states().filter(|s| s.starts_with(&typed)).map(plain).collect(),
        "kind" => {
            let kinds = Kind::ALL.iter().filter(|k| k.name().to_lowercase().starts_with(&typed));
            kinds.map(|k| plain(k.name().to_string())).collect()
        }
        _ => index.map_or_else(Vec::new, |index| names(field, &typed, index)),
    }
}

/// Names of the trace that contain what was typed; those that begin with it first, then by name.
fn names(field: &str, typed: &str, index: &Index) -> Vec<Candidate> {
    use crate::model::dict::{short_file, short_func};
    let dict = &index.dict;
    let mut names: Vec<&str> = match field {
        "func" | "by" => dict.funcs().iter().map(|f| short_func(dict.str(f.name))).collect(),
        "file" => dict.funcs().iter().map(|f| short_file(dict.str(f.file))).collect(),
        "group" => (0..index.groups.len() as u32).map(|g| short_func(index.group_name(GroupId(g)))).collect(),
        "reason" => {
            let mut ids: Vec<StringId> = index.groups.iter().flat_map(|g| g.blocked.iter().map(|b| b.0)).collect();
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().map(|id| dict.str(id)).collect()
        }
        _ => Vec::new(),
    };
    names.retain(|n| !n.is_empty() && n.to_lowercase().contains(typed));
    names.sort_unstable_by_key(|n| (!n.to_lowercase().starts_with(typed), *n));
    names.dedup();
    names.truncate(MAX_CANDIDATES);
    let text = |n: &str| super::Pattern { text: n.to_string(), regex: false }.to_string();
    names.into_iter().map(|n| Candidate { text: text(n), meaning: "" }).collect()
}
