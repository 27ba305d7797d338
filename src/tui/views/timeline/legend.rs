//! What the signs of the timeline mean.

use crate::model::reasons::WaitKind;
use crate::tui::app::view::Legend;
use crate::tui::theme::Glyphs;
use crate::tui::widgets::overview::{BOOKMARK, MARK};

/// What the signs of the timeline mean, each with its meaning.
pub fn legend(glyphs: &Glyphs) -> Legend {
    let [least, .., full] = glyphs.levels;
    let entry = |mark: String, meaning: &str| (mark, meaning.to_owned());
    let mut out = vec![
        entry(
            format!("{least} to {full}"),
            "running: how much of the time; in a group, of all Ps; a name is the goroutine's",
        ),
        entry(glyphs.runnable.into(), "runnable: waiting for a P"),
        entry(glyphs.syscall.into(), "in a syscall"),
    ];
    out.extend(WaitKind::ALL.map(|k| {
        let (only, but) = (glyphs.waits[k as usize], glyphs.waking[k as usize]);
        (format!("{only} {but}"), format!("waiting for {}", k.name()))
    }));
    let arrows = format!("{} {}", glyphs.arrow_up, glyphs.arrow_down);
    out.extend([
        entry(String::new(), "the sign on the right: waiting, but for moments of running"),
        entry(
            "m c s n z g f".into(),
            "at the start of a long wait: lock, channel, select, network, sleep, GC, forever",
        ),
        entry(glyphs.hit.into(), "hits of the query; where there are many, bars take their colour"),
        entry(glyphs.sample.into(), "a CPU sample"),
        entry(arrows, "in a chain or a critical path: who is unblocked, by the goroutine at the other end of the line"),
        entry(
            "mouse".into(),
            "dragging selects; a double click and the wheel zoom at the pointer, over names it scrolls",
        ),
        entry(MARK.into(), "in the strip at the top: a finding (view 0), in the colour of how much it matters"),
        entry(BOOKMARK.into(), "in the same strip: a bookmark (b makes one, B lists them)"),
        entry(format!("{} {}", glyphs.gc, glyphs.stw), "in the rows above: GC active, stop-the-world"),
        entry("mutator".into(), "below GC (e): the part of the Ps that the GC leaves to the program"),
        entry(
            "heap".into(),
            "e draws it higher: bars are what is live, the line above them the heap goal, a sign at the top one beyond",
        ),
        entry(
            format!("CPU samples {}", glyphs.arrow_up),
            "e shows them by lens (maps, alloc, locks …); the sign on maps: a map grew there",
        ),
        entry(
            "below a goroutine".into(),
            "(e): its regions, then its stacks from the outermost frame down, in the colours of lenses",
        ),
    ]);
    out
}
