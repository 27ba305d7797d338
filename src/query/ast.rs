//! What a query is once it is read: a tree whose nodes know their place in the text, and which prints as a query again.

use super::pattern::{Matcher, PatternError};
use crate::base::duration::exact;
use crate::base::{Duration, Span};
use crate::model::segment::GoState;
use std::fmt::{self, Display};

/// A query. Equal to another if it asks the same in the same order; where its parts stand does not count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// The whole condition.
    pub root: Node,
}

/// A part of a query and where it stands. Comparing nodes ignores the place.
#[derive(Clone, Eq, Debug)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it asks.
    pub expr: Expr,
}

impl PartialEq for Node {
    fn eq(&self, o: &Node) -> bool {
        self.expr == o.expr
    }
}

/// What a part of a query asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expr {
    /// Nothing: every event will do (the empty query).
    All,
    /// One condition.
    Term(Term),
    /// The opposite.
    Not(Box<Node>),
    /// All of them; at least two, none of them an `And`.
    And(Vec<Node>),
    /// Any of them; at least two, none of them an `Or`.
    Or(Vec<Node>),
}

/// A text to look for. Case counts only if it holds an upper-case letter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    /// The text, or the source of the regular expression.
    pub text: String,
    /// Whether it is a regular expression.
    pub regex: bool,
}

impl Pattern {
    /// Whether a text contains it, as a test.
    ///
    /// # Errors
    ///
    /// It is too large.
    pub fn holder(&self) -> Result<impl Fn(&str) -> bool + use<>, PatternError> {
        let m = Matcher::contains(self)?;
        Ok(move |s: &str| m.is_match(s))
    }

    /// Whether it names a function, as `func:` does, as a test.
    ///
    /// # Errors
    ///
    /// It is too large.
    pub fn func(&self) -> Result<impl Fn(&str) -> bool + use<>, PatternError> {
        let m = Matcher::func(self)?;
        Ok(move |s: &str| m.is_match(s))
    }
}

/// How a duration is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cmp {
    /// Longer.
    Gt,
    /// As long or longer.
    Ge,
    /// Shorter.
    Lt,
    /// As short or shorter.
    Le,
}

impl Cmp {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Cmp::Gt => ">",
            Cmp::Ge => ">=",
            Cmp::Lt => "<",
            Cmp::Le => "<=",
        }
    }

    /// Whether `a` stands in this relation to `b`.
    pub fn holds(self, a: i64, b: i64) -> bool {
        match self {
            Cmp::Gt => a > b,
            Cmp::Ge => a >= b,
            Cmp::Lt => a < b,
            Cmp::Le => a <= b,
        }
    }
}

/// A set of event kinds under the name by which it was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KindSet {
    /// A kind, a class of kinds, or a glob over kinds.
    pub name: String,
    /// Bit `k as u8` for each kind `k` in it.
    pub bits: u64,
}

/// A waker or a task: by number or by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// Go's number.
    Number(u64),
    /// A name.
    Name(Pattern),
}

/// One condition on an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Term {
    /// Some text of the event: a frame's function or file, the kind's name, a label, region, task or log.
    Any(Pattern),
    /// A frame's function.
    Func(Pattern),
    /// A frame that is an operation of the lens of this name.
    Lens(&'static str),
    /// A frame's file, and its line.
    File(Pattern, Option<u32>),
    /// The state in which the event puts its goroutine.
    State(GoState),
    /// Why a goroutine stopped or blocked.
    Reason(Pattern),
    /// How long lasts what the event begins, in nanoseconds: the state in which it puts its goroutine, a task, a region.
    Dur(Cmp, i64),
    /// On a goroutine that is in a span of this kind or name, which took so long, in nanoseconds.
    Span(Pattern, Vec<(Cmp, i64)>),
    /// The goroutine that the event is about, by Go's number.
    Go(u64),
    /// The goroutine's start function.
    Group(Pattern),
    /// The P, by Go's number.
    Proc(u64),
    /// The thread, by the system's number.
    Thread(u64),
    /// The kind of event.
    Kind(KindSet),
    /// A log's category.
    Cat(Pattern),
    /// A log's message.
    Msg(Pattern),
    /// The user task.
    Task(Who),
    /// The user region.
    Region(Pattern),
    /// The goroutine's label.
    Label(Pattern),
    /// While the collector marks.
    Gc,
    /// While the world is stopped.
    Stw,
    /// At or after the first and before the second instant, in nanoseconds since the trace's start.
    Time(Option<i64>, Option<i64>),
    /// Who ended the wait.
    By(Who),
}

/// Prints the query in one canonical form, which reads as an equal query.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.expr.fmt(f)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::All => Ok(()),
            Expr::Term(t) => t.fmt(f),
            Expr::Not(n) => {
                f.write_str("not ")?;
                let long = matches!(&n.expr, Expr::Term(Term::Span(_, lengths)) if !lengths.is_empty());
                n.expr.inside(f, long || matches!(n.expr, Expr::And(_) | Expr::Or(_)))
            }
            Expr::And(parts) => {
                for (i, n) in parts.iter().enumerate() {
                    f.write_str(if i > 0 { " " } else { "" })?;
                    n.expr.inside(f, matches!(n.expr, Expr::Or(_)))?;
                }
                Ok(())
            }
            Expr::Or(parts) => {
                for (i, n) in parts.iter().enumerate() {
                    f.write_str(if i > 0 { " or " } else { "" })?;
                    n.expr.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

impl Expr {
    fn inside(&self, f: &mut fmt::Formatter<'_>, parens: bool) -> fmt::Result {
        if parens { write!(f, "({self})") } else { self.fmt(f) }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Any(p) if !p.regex && super::words::is_reserved(&p.text) => f.write_str(&quoted(&p.text)),
            Term::Any(p) => p.fmt(f),
            Term::Func(p) => write!(f, "func:{p}"),
            Term::Lens(name) => write!(f, "lens:{name}"),
            Term::File(p, None) => write!(f, "file:{p}"),
            Term::File(p, Some(line)) => {
                let text = format!("{}:{line}", p.text);
                write!(f, "file:{}", if is_plain(&p.text) { text } else { quoted(&text) })
            }
            Term::State(s) => write!(f, "state:{}", s.name().to_lowercase()),
            Term::Reason(p) => write!(f, "reason:{p}"),
            Term::Dur(c, ns) => write!(f, "dur{}{}", c.text(), exact(Duration(*ns))),
            Term::Span(p, lengths) => {
                write!(f, "span:{p}")?;
                lengths.iter().try_for_each(|(c, ns)| write!(f, " {}", Term::Dur(*c, *ns)))
            }
            Term::Go(n) => write!(f, "g:{n}"),
            Term::Group(p) => write!(f, "group:{p}"),
            Term::Proc(n) => write!(f, "p:{n}"),
            Term::Thread(n) => write!(f, "m:{n}"),
            Term::Kind(k) => write!(f, "kind:{}", k.name),
            Term::Cat(p) => write!(f, "cat:{p}"),
            Term::Msg(p) => write!(f, "msg:{p}"),
            Term::Task(w) => write!(f, "task:{w}"),
            Term::Region(p) => write!(f, "region:{p}"),
            Term::Label(p) => write!(f, "label:{p}"),
            Term::Gc => f.write_str("gc"),
            Term::Stw => f.write_str("stw"),
            Term::Time(from, to) => {
                let side = |x: &Option<i64>| x.map_or(String::new(), |ns| exact(Duration(ns)));
                write!(f, "t:{}..{}", side(from), side(to))
            }
            Term::By(w) => write!(f, "by:{w}"),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Number(n) => write!(f, "{n}"),
            // Digits alone would read as a number.
            Who::Name(p) if !p.regex && p.text.bytes().all(|b| b.is_ascii_digit()) => f.write_str(&quoted(&p.text)),
            Who::Name(p) => p.fmt(f),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.regex {
            write!(f, "/{}/", self.text)
        } else if is_plain(&self.text) {
            f.write_str(&self.text)
        } else {
            f.write_str(&quoted(&self.text))
        }
    }
}

/// Whether a text reads as itself without quotes, whatever stands around it.
fn is_plain(s: &str) -> bool {
    !s.is_empty() && s.chars().all(|c| c.is_alphanumeric() || "_.*?".contains(c))
}

/// A text in quotes, as a query has it: `quoted(r#"a "b""#)` is `"a \"b\""`.
pub fn quoted(s: &str) -> String {
    let mut out = String::with_capacity(s.len() + 2);
    out.push('"');
    for c in s.chars() {
        if c == '"' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}
