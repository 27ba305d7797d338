//! A stop-the-world pause is long.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::analysis::findings::{Row, Ties};
use crate::base::{Duration, GoIdx, text};
use crate::model::dict::short_func;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule =
    Rule { name: "long-stw", title: "LONG STW", measures: "the longest stop-the-world pause, in ms", look };

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let stw = &f.index.stw;
    let Some(longest) = stw.iter().max_by_key(|r| r.to - r.from) else {
        return Verdict::Fine("STW: none".into());
    };
    let total: Duration = stw.iter().map(|r| r.to - r.from).sum();
    let len = longest.to - longest.from;
    let at = longest.from - f.index.start;
    let ms = len.ns() as f64 / 1e6;
    let Some(severity) = levels.of(ms) else {
        return Verdict::Fine(format!(
            "STW: {} pauses, {total} in total, longest {len}",
            text::count(stw.len() as u64)
        ));
    };
    let name = text::escape(f.index.dict.str(longest.name)).into_owned();
    let many = stw.iter().filter(|r| (r.to - r.from).ns() as f64 / 1e6 >= levels.info).count();
    let (stopped, go, at_line) = last_to_stop(f, len);
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: ms,
        says: format!("the world stands still for {len} ({name})"),
        cost: Cost { time: total, of: "of all Ps" },
        at: at_line,
        time: Some(longest.from),
        go: go.unwrap_or(longest.go),
        view: View::Timeline,
        evidence: vec![
            format!("{} pauses, {total} in total; {} of them {}ms or longer", text::count(stw.len() as u64), text::count(many as u64), levels.info),
            format!("the longest is {name}, {len} from {at} on"),
            stopped,
        ],
        advice: match go {
            Some(_) => "See what that goroutine ran on with: a loop without calls, or a long copy. A loaded machine stops late, too.",
            None => "No goroutine ran on: see what asked for the stop, a dump or a profile of all goroutines say, and how often; a loaded machine makes each longer.",
        }
        .into(),
        check: format!("events FILE --filter 'stw t:{}ns..{}ns'", at.ns(), (at + len).ns() + 1),
        ties: Ties { row: Some(Row::Stw), ..Ties::default() },
    }])
}

/// Who kept the world from stopping: a sentence, and the goroutine and its line if that took most of the pause.
fn last_to_stop(f: &Facts, pause: Duration) -> (String, Option<GoIdx>, PlaceId) {
    let Some(last) = f.more.last_to_stop else {
        return (
            "no goroutine of another P had to be stopped for that: the pause itself took the time".into(),
            None,
            PlaceId::NONE,
        );
    };
    let at = f.more.links.places.user(last.stack);
    let who = f.index.goroutine(last.go).map_or(String::new(), |g| format!("G{} ", g.id.0));
    let name = text::escape(short_func(f.index.goroutine_name(last.go))).into_owned();
    let line = if at == PlaceId::NONE { String::new() } else { format!(" at {}", f.line(at)) };
    let said = format!("last to stop: {who}{name}{line}, {} after it was asked to", last.waited);
    match last.waited.ns() >= pause.ns() / 2 {
        true => (said, Some(last.go), at),
        false => (format!("{said}; the rest is the pause itself"), None, PlaceId::NONE),
    }
}
