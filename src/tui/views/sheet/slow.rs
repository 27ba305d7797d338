//! What makes spans slow: the parts of their critical paths against those of others.

use super::panel::{PanelLine, Panelled};
use crate::analysis::spans::slow::{Compared, FEW_GROUPS, Part, against};
use crate::base::text::count;
use crate::model::Index;
use crate::report::{spans as report, why};
use crate::tui::app::jobs::JobCtx;
use crate::tui::app::nav::Target;
use crate::tui::app::sheet::Slow;
use crate::tui::app::zoom;
use crate::tui::theme::Role;

/// Parts that are listed.
const PARTS: usize = 20;
/// Columns of the numbers of a part.
const NUMBERS: u16 = 65;

/// What makes spans slow; a part leads to the slow one that lost most to it.
///
/// # Errors
///
/// A part of the trace that cannot be read, in words.
pub fn slow(cx: &JobCtx, of: &Slow) -> Result<Panelled, String> {
    let title = format!("{} against the others", of.of);
    let Some(c) = against(cx, &of.slow, &of.normal)? else {
        let (slow, normal) = (count(of.slow.len() as u64), count(of.normal.len() as u64));
        let says = format!("{slow} whole ones in the box, {normal} others: there is nothing to compare");
        return Ok(Panelled { title, heading: None, lines: vec![PanelLine::plain(says, Role::Dim)], route: None });
    };
    Ok(Panelled {
        title: format!("{title}; Enter: the slowest by it"),
        heading: None,
        lines: lines(&cx.trace.index(), &c),
        route: None,
    })
}

fn lines(index: &Index, c: &Compared) -> Vec<PanelLine> {
    let mut lines: Vec<PanelLine> = report::sides(c).into_iter().map(|s| PanelLine::plain(s, Role::Dim)).collect();
    if c.groups < FEW_GROUPS {
        lines.push(PanelLine::plain(report::few_groups(), Role::Warning));
    }
    let heading = format!(
        "{:>9} {:>8} {:>9} {:>9} {:>8} {:>8} {:>6}  what the time went into",
        "more", "%", "95 % from", "to", "slow", "others", "first"
    );
    lines.push(PanelLine::plain(heading, Role::Heading).fix(NUMBERS));
    let whole = c.slow_mean - c.normal_mean;
    let line = |p: &Part| {
        let first = format!("{:.0} %", p.first * 100.0);
        let (low, high) = (report::signed(p.low), report::signed(p.high));
        let numbers = format!(" {low:>9} {high:>9} {:>8} {:>8} {first:>6}  ", p.slow.to_string(), p.normal.to_string());
        let more = format!("{:>9} {:>8}", report::signed(p.more()), why::percent(p.more(), whole));
        PanelLine {
            spans: vec![(more, Role::Title), (numbers, Role::Dim), (report::way(c, index, &p.way), Role::Text)],
            target: p.most.map(|w| Target { go: w.go, at: w.from, far: true }),
            zoom: p.most.map(|w| zoom::amid(w.from, w.to)),
            fixed: NUMBERS,
            ..PanelLine::default()
        }
    };
    lines.extend(c.parts.iter().take(PARTS).map(line));
    if let Some(rest) = c.parts.get(PARTS..).filter(|r| !r.is_empty()) {
        let more = rest.iter().map(Part::more).sum();
        let text = format!("{:>9} {:>8}{:>48}{} more", report::signed(more), why::percent(more, whole), "", rest.len());
        lines.push(PanelLine::plain(text, Role::Dim).fix(NUMBERS));
    }
    lines
}
