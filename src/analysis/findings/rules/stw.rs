//! A stop-the-world pause is long.

use crate::analysis::findings::Rule;
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Cost, Facts, Finding, Verdict, View};
use crate::base::{Duration, text};
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
    Verdict::Found(vec![Finding {
        rule: RULE.name,
        title: RULE.title,
        severity,
        measure: ms,
        says: format!("the world stands still for {len} ({name})"),
        cost: Cost { time: total, of: "of all Ps" },
        at: PlaceId::NONE,
        time: Some(longest.from),
        go: longest.go,
        view: View::Timeline,
        evidence: vec![
            format!("{} pauses, {total} in total; {} of them {}ms or longer", text::count(stw.len() as u64), text::count(many as u64), levels.info),
            format!("the longest is {name}, {len} from {at} on"),
        ],
        advice: "See which goroutine ran on when the world should stop: a loop without calls, or a long copy. A loaded machine stops late, too.".into(),
        check: format!("events FILE --filter 'stw t:{}ns..{}ns'", at.ns(), (at + len).ns() + 1),
        covers: Vec::new(),
    }])
}
