//! The limits of `--fail-on`.

use crate::analysis::diff::{Diff, Measure, Row, Side, Verdict, What};
use crate::base::{Duration, number};
use crate::cli::window;

/// A limit that a comparison may pass.
#[derive(Clone, PartialEq, Debug)]
pub enum Limit {
    /// Anything is worse, or only in B.
    Worse,
    /// Something by name is larger than it was by more than a part.
    More {
        /// What kinds of things.
        what: &'static [What],
        /// Its name: of a line the function, and after a colon its line.
        name: String,
        /// What of it.
        of: Of,
        /// By how much.
        part: f64,
    },
    /// Something by name takes longer than this in B, whatever it took in A.
    Beyond {
        /// What kinds of things.
        what: &'static [What],
        /// Its name, as in [`Limit::More`].
        name: String,
        /// What of it.
        of: Of,
        /// The most that it may take.
        most: Duration,
    },
}

/// What of something measured is held against a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Of {
    /// The median length.
    P50,
    /// The 99th percentile.
    P99,
    /// The longest.
    Max,
    /// Time a unit of work.
    Total,
}

const KINDS: &[(&str, &[What])] = &[
    ("line", &[What::Line]),
    ("wait", &[What::Wait]),
    ("task", &[What::Task]),
    ("region", &[What::Region]),
    ("span", &[What::Span, What::Task, What::Region]),
    ("group", &[What::Group]),
];

const MEASURES: &[(&str, Of)] = &[("p50", Of::P50), ("p99", Of::P99), ("max", Of::Max), ("total", Of::Total)];

impl Limit {
    /// A limit as it is written: `worse`, `task:payment p99 +10%`, or `span:main.pay p99>50ms`.
    pub fn parse(text: &str) -> Result<Limit, String> {
        let wrong = |why: &str| {
            Err(format!(
                "--fail-on {text}: {why}; such as 'task:payment p99 +10%', 'span:main.pay p99>50ms', or `worse`"
            ))
        };
        if text.trim() == "worse" {
            return Ok(Limit::Worse);
        }
        let spaced = text.replacen('>', " >", 1).replace("> ", ">");
        let (subject, part) = spaced.trim().rsplit_once(' ').unwrap_or((text, ""));
        let (subject, of) = match subject.trim().rsplit_once(' ') {
            Some((subject, of)) => (subject.trim(), of),
            None => (subject.trim(), "total"),
        };
        let Some((kind, name)) = subject.split_once(':').filter(|s| !s.1.is_empty()) else {
            return wrong("a kind and a name are missing");
        };
        let Some((_, what)) = KINDS.iter().find(|k| k.0 == kind) else {
            return wrong("the kinds are line, wait, task, region, span and group");
        };
        let Some((_, of)) = MEASURES.iter().find(|m| m.0 == of) else {
            return wrong("what is held against it is p50, p99, max or total");
        };
        if of != &Of::Total && what.iter().all(|w| matches!(w, What::Line | What::Group)) {
            return wrong("lines and groups have no lengths but a total; a wait at a line has lengths: wait:");
        }
        if let Some(most) = part.strip_prefix('>') {
            return match window::duration(most) {
                Ok(most) => Ok(Limit::Beyond { what, name: name.into(), of: *of, most }),
                Err(_) => wrong("what it may take at most is a length of time: 50ms"),
            };
        }
        let part = part.strip_prefix('+').and_then(|p| p.strip_suffix('%')).and_then(|p| p.parse::<f64>().ok());
        match part.filter(|p| p.is_finite() && *p >= 0.0) {
            Some(part) => Ok(Limit::More { what, name: name.into(), of: *of, part: part / 100.0 }),
            None => wrong("by how much is missing"),
        }
    }

    /// How it is passed, a sentence each.
    pub fn passed(&self, d: &Diff) -> Vec<String> {
        let (what, name, of) = match self {
            Limit::Worse => {
                let n = d.rows.iter().filter(|r| matches!(r.verdict, Verdict::Worse | Verdict::OnlyB)).count();
                return (n > 0).then(|| format!("worse: {n} measures")).into_iter().collect();
            }
            Limit::More { what, name, of, .. } | Limit::Beyond { what, name, of, .. } => (what, name, of),
        };
        // The tail of lengths is theirs, in another row.
        let own = |r: &&Row| what.contains(&r.key.what) && r.key.measure != Measure::Tail && named(r, name);
        let rows: Vec<&Row> = d.rows.iter().filter(own).collect();
        if rows.is_empty() {
            return vec![format!("{name}: nothing of this name was measured")];
        }
        let measure = MEASURES.iter().find(|m| m.1 == *of).map_or("", |m| m.0);
        let said = |r: &Row, limit: String| {
            let [a, b] = [value(&r.a, *of), value(&r.b, *of)].map(|ns| Duration(ns as i64));
            let (what, of) = (r.key.what.name(), r.key.measure.name());
            format!("{what} {name}, {of}: {measure} {a} in A, {b} in B, more than {limit}")
        };
        let passed = |r: &&&Row| match self {
            Limit::Beyond { most, .. } => value(&r.b, *of) > most.ns() as f64,
            Limit::More { part, .. } => value(&r.b, *of) > value(&r.a, *of) * (1.0 + part),
            Limit::Worse => false,
        };
        let limit = match self {
            Limit::Beyond { most, .. } => most.to_string(),
            Limit::More { part, .. } => format!("+{}", number::percent(*part, 1.0)),
            Limit::Worse => String::new(),
        };
        rows.iter().filter(passed).map(|r| said(r, limit.clone())).collect()
    }
}

fn named(r: &Row, name: &str) -> bool {
    let short = crate::model::dict::short_func(&r.key.name);
    let line = format!(":{}", r.key.line);
    [name, name.strip_suffix(&line).unwrap_or(name)].iter().any(|n| *n == r.key.name || *n == short)
}

fn value(s: &Side, of: Of) -> f64 {
    match of {
        Of::P50 => s.p50,
        Of::P99 => s.p99,
        Of::Max => s.max,
        Of::Total => s.per_unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_people_write_them() {
        let task = Limit::More { what: &[What::Task], name: "payment".into(), of: Of::P99, part: 0.1 };
        assert_eq!(Limit::parse("task:payment p99 +10%"), Ok(task));
        let group = Limit::More { what: &[What::Group], name: "main.(*T).f".into(), of: Of::Total, part: 0.025 };
        assert_eq!(Limit::parse("group:main.(*T).f +2.5%"), Ok(group));
        assert_eq!(Limit::parse("worse"), Ok(Limit::Worse));
        let span = |text: &str| match Limit::parse(text) {
            Ok(Limit::Beyond { name, of, most, .. }) => (name, of, most),
            other => panic!("{text}: {other:?}"),
        };
        for text in ["span:main.pay p99>50ms", "span:main.pay p99 >50ms", "span:main.pay p99 > 50ms"] {
            assert_eq!(span(text), ("main.pay".into(), Of::P99, Duration(50_000_000)), "{text}");
        }
        for wrong in [
            "",
            "p99",
            "task: p99 +1%",
            "lock:x +1%",
            "task:x p98 +1%",
            "task:x p99",
            "task:x p99 +x%",
            "task:x -1%",
            "line:f:3 p50 +1%",
            "span:x p99>",
            "span:x p99>50",
        ] {
            assert!(Limit::parse(wrong).is_err(), "{wrong}");
        }
    }
}
