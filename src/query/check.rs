//! What a single term means: its name, and whether its value is one that the name takes.

use super::ast::{Cmp, KindSet, Pattern, Span, Term, Who};
use super::error::{QueryError, nearest};
use super::lex::{Field, Value};
use super::{pattern, words};
use crate::model::lens;
use crate::model::segment::{GoState, Kind};

/// The term that a text alone is.
pub(crate) fn text(v: &Value) -> Result<Term, QueryError> {
    if !v.quoted && !v.regex {
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

/// The term that a field and its value are.
pub(crate) fn field(f: &Field) -> Result<Term, QueryError> {
    let v = &f.value;
    let Some(name) = words::fields().find(|w| *w == f.name || f.name.eq_ignore_ascii_case(w)) else {
        return Err(unknown_field(f));
    };
    if let (Some(cmp), true) = (f.cmp, name != "dur") {
        let e = QueryError::new(f.name_span, format!("`{name}` takes no `{}`", cmp.text()));
        return Err(e.suggest(Some(format!("{name}:"))));
    }
    if v.text.is_empty() && !v.quoted {
        let place = Span { start: v.span.start, end: v.span.start };
        let sign = f.cmp.map_or(":", Cmp::text);
        let example = words::help().iter().find(|h| h.field() == Some(name)).map_or("", |h| h.example);
        return Err(QueryError::new(place, format!("a value is missing after `{name}{sign}`, as in `{example}`")));
    }
    Ok(match name {
        "func" => Term::Func(pattern(v)?),
        "lens" => Term::Lens(lens(v)?),
        "file" => file(v)?,
        "state" => Term::State(state(v)?),
        "reason" => Term::Reason(pattern(v)?),
        "dur" => match f.cmp {
            Some(cmp) => Term::Dur(cmp, duration(&v.text, v.span)?),
            None => {
                let e = QueryError::new(f.name_span, "`dur` is compared with `>`, `>=`, `<` or `<=`");
                return Err(e.suggest(Some(format!("dur>{}", v.text))));
            }
        },
        "g" => Term::Go(number(v, "a goroutine's number")?),
        "group" => Term::Group(pattern(v)?),
        "p" => Term::Proc(number(v, "a P's number")?),
        "m" => Term::Thread(number(v, "a thread's number")?),
        "kind" => Term::Kind(kind(v)?),
        "cat" => Term::Cat(pattern(v)?),
        "msg" => Term::Msg(pattern(v)?),
        "task" => Term::Task(who(v)?),
        "region" => Term::Region(pattern(v)?),
        "label" => Term::Label(pattern(v)?),
        "t" => time(v)?,
        "by" => Term::By(who(v)?),
        other => unreachable!("`{other}` is in the table of words and not here"),
    })
}

fn unknown_field(f: &Field) -> QueryError {
    let (sign, what) = match f.cmp {
        Some(c) => (c.text(), "term"),
        None => (":", "term"),
    };
    let near = words::synonym(&f.name).or_else(|| nearest(&f.name, words::fields()));
    let span = Span { start: f.name_span.start, end: f.name_span.start + f.name.len() + sign.len() };
    let e = QueryError::new(span, format!("unknown {what} `{}{sign}`", f.name));
    match near {
        Some("dur") => e.suggest(Some(format!("dur{}", f.cmp.map_or(">", Cmp::text)))),
        Some(w) => e.suggest(Some(format!("{w}:"))),
        None => {
            let QueryError { span, message, suggestion } = e;
            QueryError { span, message: format!("{message}; put text that holds a `{sign}` in quotes"), suggestion }
        }
    }
}

fn is_number(s: &str) -> bool {
    !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit())
}

fn pattern(v: &Value) -> Result<Pattern, QueryError> {
    if v.text.is_empty() {
        return Err(QueryError::new(v.span, "an empty text matches everything"));
    }
    let p = Pattern { text: v.text.clone(), regex: v.regex };
    match v.regex.then(|| pattern::regex(&p)) {
        Some(Err(e)) => Err(QueryError::new(v.span, e)),
        _ => Ok(p),
    }
}

fn file(v: &Value) -> Result<Term, QueryError> {
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

fn number(v: &Value, what: &str) -> Result<u64, QueryError> {
    match v.text.parse() {
        Ok(n) if is_number(&v.text) => Ok(n),
        _ => Err(QueryError::new(v.span, format!("`{}` is not {what}", v.text))),
    }
}

fn who(v: &Value) -> Result<Who, QueryError> {
    // `#7` is how tasks' numbers are written elsewhere.
    let bare = Value { text: v.text.strip_prefix('#').unwrap_or(&v.text).into(), ..v.clone() };
    if !v.quoted && !v.regex && is_number(&bare.text) {
        return number(&bare, "a number that a trace can hold").map(Who::Number);
    }
    pattern(v).map(Who::Name)
}

fn lens(v: &Value) -> Result<&'static str, QueryError> {
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

fn state(v: &Value) -> Result<GoState, QueryError> {
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

fn kind(v: &Value) -> Result<KindSet, QueryError> {
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

/// Nanoseconds of a length of time as Go writes them: `1.5ms`, `1m30s`, `250µs`.
fn duration(s: &str, span: Span) -> Result<i64, QueryError> {
    let bad = || QueryError::new(span, format!("`{s}` is not a length of time, such as `1.5ms`"));
    if s == "0" {
        return Ok(0);
    }
    let mut total: i128 = 0;
    let mut rest = s;
    while !rest.is_empty() {
        let len = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (digits, after) = rest.split_at(len);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let malformed = whole.is_empty() || fraction.contains('.') || (digits.contains('.') && fraction.is_empty());
        if malformed || whole.len() > 19 || fraction.len() > 15 {
            return Err(bad());
        }
        let len = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(len);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "" => {
                let e = QueryError::new(span, format!("`{s}` has no unit (ns, us, ms, s, m, h)"));
                return Err(e.suggest(Some(format!("{s}ms"))));
            }
            _ => return Err(bad()),
        };
        let whole: i128 = whole.parse().map_err(|_| bad())?;
        total += whole * unit;
        if !fraction.is_empty() {
            let part: i128 = fraction.parse().map_err(|_| bad())?;
            total += part * unit / 10i128.pow(fraction.len() as u32);
        }
        rest = next;
    }
    if s.is_empty() {
        return Err(bad());
    }
    i64::try_from(total).map_err(|_| QueryError::new(span, format!("`{s}` is longer than any trace")))
}

fn time(v: &Value) -> Result<Term, QueryError> {
    let Some((from, to)) = v.text.split_once("..") else {
        let e = QueryError::new(v.span, "a window has two ends, one of which may be left out");
        return Err(e.suggest(Some(format!("t:{}..", v.text))));
    };
    // Quotes shift the text by one; the place is then the whole value.
    let part = |s: &str, start: usize| {
        let span = if v.quoted { v.span } else { Span { start, end: start + s.len() } };
        if s.is_empty() { Ok(None) } else { duration(s, span).map(Some) }
    };
    let a = part(from, v.span.start)?;
    let b = part(to, v.span.start + from.len() + 2)?;
    match (a, b) {
        (None, None) => Err(QueryError::new(v.span, "a window needs at least one end, as in `t:812ms..`")),
        (Some(x), Some(y)) if x > y => {
            let e = QueryError::new(v.span, "this window ends before it begins");
            Err(e.suggest(Some(format!("t:{to}..{from}"))))
        }
        _ => Ok(Term::Time(a, b)),
    }
}
