//! A stop-the-world pause is long.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Row, Severity, Ties, Verdict, View};
use crate::analysis::waits::stw::Stop;
use crate::base::{Duration, GoIdx, text};
use crate::model::Range;
use crate::model::dict::short_func;
use crate::model::places::PlaceId;

pub(super) const RULE: Rule =
    Rule { name: "long-stw", title: "LONG STW", measures: "the longest stop-the-world pause, in ms", look };

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let all = &f.index.stw;
    let ms = |r: &Range| (r.to - r.from).ns() as f64 / 1e6;
    // What a tool asks for says nothing against the program: it is worth knowing, and no more.
    let severity = |s: &Stop| levels.of(ms(&s.range)).map(|l| if s.tool { Severity::Info } else { l });
    let worst = f.more.stops.iter().filter_map(|s| Some((s, severity(s)?))).next();
    let total: Duration = all.iter().map(|r| r.to - r.from).sum();
    let Some((stop, severity)) = worst else {
        return Verdict::Fine(match all.iter().map(|r| r.to - r.from).max() {
            None => "STW: none".into(),
            Some(longest) => {
                format!("STW: {} pauses, {total} in total, longest {longest}", text::count(all.len() as u64))
            }
        });
    };
    let len = stop.range.to - stop.range.from;
    let at = stop.range.from - f.index.start;
    let name = text::escape(f.index.dict.str(stop.range.name)).into_owned();
    let many = all.iter().filter(|r| ms(r) >= levels.info).count();
    let (stopped, go, at_line) = last_to_stop(f, stop, len);
    let (asked, asked_at) = asked(f, stop);
    let mut evidence = vec![
        format!(
            "{} pauses, {total} in total; {} of them {}ms or longer",
            text::count(all.len() as u64),
            text::count(many as u64),
            levels.info
        ),
        format!("the longest is {name}, {len} from {at} on{asked}"),
        stopped,
    ];
    if stop.tool {
        evidence[1] = format!("it is {name}, {len} from {at} on{asked}: whoever looks at the program stopped it");
    } else if let Some(tool) = f.more.stops.iter().find(|s| s.tool && ms(&s.range) >= levels.info) {
        let (name, len) = (f.index.dict.str(tool.range.name), tool.range.to - tool.range.from);
        evidence.push(format!("a tool stops it, too: {}, {len} at most", text::escape(name)));
    }
    let advice = match go {
        _ if stop.tool => TOOL,
        Some(_) => {
            "See what that goroutine ran on with: a loop without calls, or a long copy. A loaded machine stops late, too."
        }
        None => "No goroutine ran on: see what asked for the stop, and how often; a loaded machine makes each longer.",
    };
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: ms(&stop.range),
        says: match stop.tool {
            true => format!("the world stands still for {len}, for a tool ({name})"),
            false => format!("the world stands still for {len} ({name})"),
        },
        cost: Cost { time: total, of: "of all Ps" },
        at: if stop.tool { asked_at } else { at_line },
        time: Some(stop.range.from),
        go: go.filter(|_| !stop.tool).unwrap_or(stop.range.go),
        view: View::Timeline,
        evidence,
        advice: advice.into(),
        check: format!("events FILE --filter 'stw t:{}ns..{}ns'", at.ns(), (at + len).ns() + 1),
        ties: Ties { row: Some(Row::Stw), ..Ties::default() },
    }])
}

/// What to do about stops that tools make.
const TOOL: &str = "Nothing is wrong with the program: a dump of all goroutines (debug=2, runtime.Stack), a heap dump or the trace \
                    itself stops it. Take fewer of them where there are very many goroutines.";

/// Who asked for a stop, in words, and the line at which that was.
fn asked(f: &Facts, stop: &Stop) -> (String, PlaceId) {
    let Some(g) = f.index.goroutine(stop.range.go) else { return (String::new(), PlaceId::NONE) };
    let at = f.more.links.places.user(stop.asked);
    let line = if at == PlaceId::NONE { String::new() } else { format!(" at {}", f.line(at)) };
    let name = text::escape(short_func(f.index.goroutine_name(stop.range.go))).into_owned();
    (format!(", asked for by G{} {name}{line}", g.id.0), at)
}

/// Who kept the world from stopping: a sentence, and the goroutine and its line if that took most of the pause.
fn last_to_stop(f: &Facts, stop: &Stop, pause: Duration) -> (String, Option<GoIdx>, PlaceId) {
    let Some(last) = stop.last else {
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
