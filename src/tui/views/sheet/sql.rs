//! The answer to a query in SQL: a line a row. A row that has an instant or a goroutine leads there.

use super::panel::Panelled;
use crate::read::Trace;
use crate::tui::app::jobs::JobCtx;
use std::sync::Arc;

/// A program that was built without SQLite has no answer.
#[cfg(not(feature = "sql"))]
pub fn answer(_: &JobCtx, _: Arc<Trace>, _: &str) -> Panelled {
    super::make::failed("this gotrail is built without SQL".into())
}

/// Asks the trace, and says what is wrong with the query if it has no answer.
#[cfg(feature = "sql")]
pub fn answer(cx: &JobCtx, trace: Arc<Trace>, text: &str) -> Panelled {
    with_sql::answer(cx, trace, text)
}

#[cfg(feature = "sql")]
mod with_sql {
    use super::super::panel::{PanelLine, Panelled};
    use crate::analysis::sql::{self, Limits, SqlError};
    use crate::analysis::tables::Value;
    use crate::base::text::{count, escape};
    use crate::base::{Duration, GoId, GoIdx, Time, memory};
    use crate::model::Index;
    use crate::read::Trace;
    use crate::report::rows::table;
    use crate::report::table::Page;
    use crate::tui::app::jobs::JobCtx;
    use crate::tui::app::nav::Target;
    use crate::tui::app::zoom;
    use crate::tui::theme::Role;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::{self, Instant};

    /// The most rows that are shown.
    const MOST: usize = 1000;
    /// How long a query may take.
    const LIMIT: time::Duration = time::Duration::from_secs(60);
    /// How often it is looked whether the answer is still wanted.
    const LOOK: time::Duration = time::Duration::from_millis(50);

    /// The names of the columns, and rows.
    #[derive(Default)]
    struct Rows {
        names: Vec<String>,
        rows: Vec<Vec<Value>>,
        more: bool,
    }

    pub fn answer(cx: &JobCtx, trace: Arc<Trace>, text: &str) -> Panelled {
        let mut got = Rows::default();
        let asked = ask(cx, trace, text, &mut got);
        let index = cx.trace.index();
        let n = got.rows.len();
        let mut said = match (got.more, n) {
            (true, _) => format!("the first {} rows", count(n as u64)),
            (false, 1) => "1 row".into(),
            (false, _) => format!("{} rows", count(n as u64)),
        };
        let mut lines = Vec::new();
        if let Err(e) = asked {
            lines.extend(wrong(&e, text));
            if n == 0 {
                return Panelled { title: "sql: no answer".into(), heading: None, lines, route: None };
            }
            said = format!("{said}, which are not all");
        }
        let mut shown = table(&got.names, &got.rows, Page::ENDLESS).into_iter();
        let heading = shown.next().map(|l| PanelLine::plain(l, Role::Heading));
        let columns = Columns::of(&got.names);
        let row = |(line, row): (String, &Vec<Value>)| PanelLine {
            target: columns.target(row, &index),
            zoom: columns.zoom(row),
            ..PanelLine::plain(line, Role::Text)
        };
        let rows: Vec<PanelLine> = shown.zip(&got.rows).map(row).collect();
        let leads = if rows.iter().any(|l| l.target.is_some()) { "; Enter: on the timeline" } else { "" };
        lines.extend(rows);
        Panelled { title: format!("sql · {said}{leads}"), heading, lines, route: None }
    }

    /// Asks in a thread of its own, so that a query that takes long ends when nobody wants it any more.
    fn ask(cx: &JobCtx, trace: Arc<Trace>, text: &str, got: &mut Rows) -> Result<(), SqlError> {
        let stop = Arc::new(AtomicBool::new(false));
        let memory = usize::try_from(memory::usual()).unwrap_or(usize::MAX) / 2;
        let limits = Limits { until: Instant::now().checked_add(LIMIT), memory };
        let traces = vec![(format!("{:016x}", trace.digest()), trace)];
        let Rows { names, rows, more } = got;
        let waiting = thread::current();
        thread::scope(|scope| {
            let asking = scope.spawn(|| {
                let asked = sql::ask(traces, text, limits, &stop, &mut |n| *names = n.to_vec(), &mut |row| {
                    *more = rows.len() >= MOST;
                    if !*more {
                        rows.push(row.to_vec());
                    }
                    !*more
                });
                waiting.unpark();
                asked
            });
            while !asking.is_finished() {
                if cx.cancelled() {
                    stop.store(true, Ordering::Relaxed);
                }
                thread::park_timeout(LOOK);
            }
            asking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// What is wrong, and where in the query.
    fn wrong(e: &SqlError, text: &str) -> Vec<PanelLine> {
        let line = |s: &str| PanelLine::plain(escape(s).into_owned(), Role::Error);
        match e {
            SqlError::Query { message, at } => {
                let (text, at) = sql::line(text, *at);
                let mut lines = vec![line(message)];
                lines.extend(
                    at.map(|at| at.mark(&text)).into_iter().flat_map(|m| m.lines().map(line).collect::<Vec<_>>()),
                );
                lines
            }
            SqlError::Timeout => vec![line(&format!("the query took longer than {} s", LIMIT.as_secs()))],
            SqlError::Memory => vec![line("the query needs more memory than there is for it")],
            SqlError::Trace(why) => vec![line(why)],
        }
    }

    /// The columns by which a row leads somewhere.
    struct Columns {
        go: Option<usize>,
        at: Option<usize>,
        end: Option<usize>,
        long: Option<usize>,
    }

    impl Columns {
        fn of(names: &[String]) -> Columns {
            let named = |any: &[&str]| names.iter().position(|n| any.contains(&n.as_str()));
            Columns {
                go: named(&["g", "goroutine"]),
                at: named(&["time_ns", "start_ns"]),
                end: named(&["end_ns"]),
                long: named(&["duration_ns"]),
            }
        }

        fn number(row: &[Value], column: Option<usize>) -> Option<i64> {
            match row.get(column?)? {
                Value::Int(n) => Some(*n),
                _ => None,
            }
        }

        /// The goroutine at the instant; where only one of them is known, its beginning, or nobody.
        fn target(&self, row: &[Value], index: &Index) -> Option<Target> {
            let at = Columns::number(row, self.at).map(Time).filter(|t| (index.start..=index.end).contains(t));
            let id = Columns::number(row, self.go).and_then(|g| u64::try_from(g).ok()).map(GoId);
            let go = id.and_then(|id| index.find_goroutine(id, at.unwrap_or(index.start)));
            let begun = go.and_then(|g| index.goroutine(g)).map(|g| g.from.max(index.start));
            let at = at.or(begun)?;
            Some(Target { go: go.unwrap_or(GoIdx::NONE), at, far: true })
        }

        /// The window of what has a length.
        fn zoom(&self, row: &[Value]) -> Option<(Time, Time)> {
            let at = Time(Columns::number(row, self.at)?);
            let end = match Columns::number(row, self.end) {
                Some(end) => Time(end),
                None => at + Duration(Columns::number(row, self.long)?),
            };
            (end > at).then(|| zoom::amid(at, end))
        }
    }
}
