//! What a single term means: its name, and whether its value is one that the name takes.

use super::ast::{Cmp, Expr, KindSet, Node, Pattern, Term, Who};
use super::error::QueryError;
use super::lex::{Field, Value};
use super::{pattern, words};
use crate::base::spell::nearest;
use crate::base::{Duration, Span};
use crate::model::lens;
use crate::model::segment::{GoState, Kind};

/// The term that a text alone is.
pub(crate) fn text(v: &Value) -> Result<Term, QueryError> {
    if !v.quoted && !v.regex {
        if let Some((field, value)) = words::assigned(&v.text) {
            let name = field.field().unwrap_or_default();
            let sign = if field.compares() { ">=" } else { ":" };
            let e = QueryError::new(v.span, format!("`{name}` takes no `=`"));
            return Err(e.suggest(Some(format!("{name}{sign}{value}"))));
        }
        match v.text.as_str() {
            "gc" => return Ok(Term::Gc),
            "stw" => return Ok(Term::Stw),
            // A source position as it is pasted from a stack.
            s if s.rsplit_once(':').is_some_and(|(f, l)| f.ends_with(".go") && is_number(l)) => return file(v),
            _ => {}
        }
    }
    pattern(v).map(Term::Any)
}

/// The term that a field and its value are: that of its row in the table of words.
pub(crate) fn field(f: &Field) -> Result<Term, QueryError> {
    let Some((help, read)) = words::field(&f.name).and_then(|h| Some((h, h.read?))) else {
        return Err(unknown_field(f));
    };
    let name = help.field().unwrap_or_default();
    if let (Some(cmp), false) = (f.cmp, help.compares()) {
        let e = QueryError::new(f.name_span, format!("`{name}` takes no `{}`", cmp.text()));
        return Err(e.suggest(Some(format!("{name}:"))));
    }
    if f.value.text.is_empty() && !f.value.quoted {
        let place = Span { start: f.value.span.start, end: f.value.span.start };
        let sign = f.cmp.map_or(":", Cmp::text);
        let message = format!("a value is missing after `{name}{sign}`, as in `{}`", help.example);
        return Err(QueryError::new(place, message));
    }
    if f.cmp.is_none() && help.compares() {
        let e = QueryError::new(f.name_span, format!("`{name}` is compared with `>`, `>=`, `<` or `<=`"));
        let meant = match f.value.text.split_once("..") {
            Some((from, to)) if !from.is_empty() && !to.is_empty() => format!("{name}>={from} {name}<{to}"),
            _ => format!("{name}>{}", f.value.text.trim_matches('.')),
        };
        return Err(e.suggest(Some(meant)));
    }
    read(f)
}

/// Whether conditions that an event is to meet all of can be met by one: those of tasks and regions put no goroutine in a
/// state. Those that cannot mean what happens inside.
pub(crate) fn together(all: &Node) -> Result<(), QueryError> {
    let Expr::And(parts) = &all.expr else { return Ok(()) };
    let terms = || parts.iter().filter_map(|n| if let Expr::Term(t) = &n.expr { Some((n.span, t)) } else { None });
    let state = terms().find(|(_, t)| matches!(t, Term::State(_) | Term::Reason(_)));
    let marked = terms().find_map(|(_, t)| match t {
        Term::Region(p) | Term::Task(Who::Name(p)) => Some((t, Some(p))),
        Term::Task(Who::Number(_)) => Some((t, None)),
        _ => None,
    });
    let (Some((span, state)), Some((marked, name))) = (state, marked) else { return Ok(()) };
    let e = QueryError::new(span, format!("events of `{marked}` put no goroutine in a state"));
    Err(e.suggest(name.map(|p| format!("span:{p} {state}"))))
}

/// How long lasts what an event begins.
pub(crate) fn dur(f: &Field) -> Result<Term, QueryError> {
    let cmp = f.cmp.unwrap_or(Cmp::Ge);
    Ok(Term::Dur(cmp, duration(&format!("{}{}", f.name, cmp.text()), &f.value, &f.value.text, 0)?))
}

fn unknown_field(f: &Field) -> QueryError {
    let (sign, what) = match f.cmp {
        Some(c) => (c.text(), "term"),
        None => (":", "term"),
    };
    let near = words::synonym(&f.name).or_else(|| nearest(&f.name, words::fields()));
    let span = Span { start: f.name_span.start, end: f.name_span.start + f.name.len() + sign.len() };
    let e = QueryError::new(span, format!("unknown {what} `{}{sign}`", f.name));
    match near.and_then(words::field) {
        Some(h) if h.compares() => {
            e.suggest(Some(format!("{}{}", h.field().unwrap_or_default(), f.cmp.map_or(">", Cmp::text))))
        }
        Some(h) => e.suggest(Some(h.term.to_owned())),
        None => {
            let QueryError { span, message, suggestion } = e;
            QueryError { span, message: format!("{message}; put text that holds a `{sign}` in quotes"), suggestion }
        }
    }
}

fn is_number(s: &str) -> bool {
    !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit())
}

pub(crate) fn pattern(v: &Value) -> Result<Pattern, QueryError> {
    if v.text.is_empty() {
        return Err(QueryError::new(v.span, "an empty text matches everything"));
    }
    let p = Pattern { text: v.text.clone(), regex: v.regex };
    match v.regex.then(|| pattern::regex(&p)) {
        Some(Err(e)) => Err(QueryError::new(v.span, e.to_string())),
        _ => Ok(p),
    }
}

pub(crate) fn file(v: &Value) -> Result<Term, QueryError> {
    if let (false, Some((path, line))) = (v.regex, v.text.rsplit_once(':'))
        && is_number(line)
        && !path.is_empty()
    {
        let line = line.parse().map_err(|_| {
            let start = v.span.end - line.len() - usize::from(v.quoted);
            QueryError::new(Span { start, end: start + line.len() }, format!("there is no line {line}"))
        })?;
        return Ok(Term::File(Pattern { text: path.to_string(), regex: false }, Some(line)));
    }
    Ok(Term::File(pattern(v)?, None))
}

pub(crate) fn number(v: &Value, what: &str) -> Result<u64, QueryError> {
    match v.text.parse() {
        Ok(n) if is_number(&v.text) => Ok(n),
        _ => Err(QueryError::new(v.span, format!("`{}` is not {what}", v.text))),
    }
}

pub(crate) fn who(v: &Value) -> Result<Who, QueryError> {
    // `#7` is how tasks' numbers are written elsewhere.
    let bare = Value { text: v.text.strip_prefix('#').unwrap_or(&v.text).into(), ..v.clone() };
    if !v.quoted && !v.regex && is_number(&bare.text) {
        return number(&bare, "a number that a trace can hold").map(Who::Number);
    }
    pattern(v).map(Who::Name)
}

pub(crate) fn lens(v: &Value) -> Result<&'static str, QueryError> {
    let names = || lens::all().iter().map(|l| l.name);
    names().find(|n| n.eq_ignore_ascii_case(&v.text)).ok_or_else(|| {
        let e = QueryError::new(v.span, format!("`{}` is not a lens", v.text));
        match nearest(&v.text, names()) {
            Some(w) => e.suggest(Some(format!("lens:{w}"))),
            None => {
                let all: Vec<&str> = names().collect();
                QueryError::new(v.span, format!("{e}; the lenses are {}", all.join(", ")))
            }
        }
    })
}

pub(crate) fn state(v: &Value) -> Result<GoState, QueryError> {
    let found = GoState::ALL.into_iter().find(|s| s.name().eq_ignore_ascii_case(&v.text));
    found.ok_or_else(|| {
        let names: Vec<String> = words::states().collect();
        let near = words::synonym_state(&v.text).or_else(|| nearest(&v.text, names.iter().map(String::as_str)));
        let e = QueryError::new(v.span, format!("`{}` is not a state", v.text));
        match near {
            Some(w) => e.suggest(Some(format!("state:{w}"))),
            None => QueryError::new(v.span, format!("{e}; the states are {}", names.join(", "))),
        }
    })
}

/// Bits of the kinds for which `test` holds.
fn kinds(test: impl Fn(Kind) -> bool) -> u64 {
    Kind::ALL.iter().filter(|&&k| test(k)).fold(0, |bits, &k| bits | 1 << k as u8)
}

pub(crate) fn kind(v: &Value) -> Result<KindSet, QueryError> {
    let named = |k: Kind| k.name().eq_ignore_ascii_case(&v.text);
    let classed = |k: Kind| format!("{:?}", k.class()).eq_ignore_ascii_case(&v.text);
    if let Some(&k) = Kind::ALL.iter().find(|&&k| named(k)) {
        return Ok(KindSet { name: k.name().to_string(), bits: 1 << k as u8 });
    }
    if let Some(&k) = Kind::ALL.iter().find(|&&k| classed(k)) {
        return Ok(KindSet { name: format!("{:?}", k.class()), bits: kinds(classed) });
    }
    if v.text.contains(['*', '?']) && v.text.chars().all(|c| c.is_ascii_alphanumeric() || c == '*' || c == '?') {
        let name = v.text.to_lowercase();
        let glob = pattern::Matcher::whole(&Pattern { text: name.clone(), regex: false });
        let bits = kinds(|k| glob.as_ref().is_ok_and(|g| g.is_match(k.name())));
        if bits != 0 {
            return Ok(KindSet { name, bits });
        }
    }
    let names = words::kinds();
    let near = nearest(&v.text, names.iter().map(String::as_str));
    let near = near.or_else(|| {
        let word = v.text.to_lowercase();
        let holds = |n: &&String| word.len() > 2 && n.to_lowercase().contains(&word);
        names.iter().find(holds).map(String::as_str)
    });
    let e = QueryError::new(v.span, format!("`{}` is not a kind of event", v.text));
    Err(e.suggest(near.map(|n| format!("kind:{n}"))))
}

/// The length of time that `part` is, which begins `at` bytes into the value of `field`.
fn duration(field: &str, v: &Value, part: &str, at: usize) -> Result<i64, QueryError> {
    if v.regex {
        return Err(QueryError::new(v.span, "a length of time is compared, and not matched"));
    }
    part.parse::<Duration>().map(Duration::ns).map_err(|e| {
        // A quote stands before the text; where something in it was escaped, the place is the whole value.
        let span = match v.span.end - v.span.start - v.text.len() {
            0 => e.span.shifted(v.span.start + at),
            2 => e.span.shifted(v.span.start + at + 1),
            _ => v.span,
        };
        let whole = |s: String| format!("{field}{}{s}{}", &v.text[..at], &v.text[at + part.len()..]);
        QueryError::new(span, e.fault.to_string()).suggest(e.suggestion.map(whole))
    })
}

pub(crate) fn time(v: &Value) -> Result<Term, QueryError> {
    let Some((from, to)) = v.text.split_once("..") else {
        let e = QueryError::new(v.span, "a window has two ends, one of which may be left out");
        return Err(e.suggest(Some(format!("t:{}..", v.text))));
    };
    let part = |s: &str, at: usize| if s.is_empty() { Ok(None) } else { duration("t:", v, s, at).map(Some) };
    let a = part(from, 0)?;
    let b = part(to, from.len() + 2)?;
    match (a, b) {
        (None, None) => Err(QueryError::new(v.span, "a window needs at least one end, as in `t:812ms..`")),
        (Some(x), Some(y)) if x > y => {
            let e = QueryError::new(v.span, "this window ends before it begins");
            Err(e.suggest(Some(format!("t:{to}..{from}"))))
        }
        _ => Ok(Term::Time(a, b)),
    }
}
