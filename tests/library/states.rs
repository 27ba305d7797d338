//! What a goroutine was doing has one answer, whichever way it is asked: by following the events forward, by looking an
//! instant up, or by going from an event backwards.

use crate::common::load;
use gotrail::analysis::states::forward::Timeline;
use gotrail::analysis::states::interval::{Edge, at};
use gotrail::analysis::states::source::Source;
use gotrail::analysis::states::tracker::{self, Interval, Visit};
use gotrail::base::{StringId, Time};
use gotrail::model::segment::GoState;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// All stretches of a trace that take time.
#[derive(Default)]
struct All(Vec<Interval>);

impl Visit for All {
    fn end(&mut self, w: &Interval) {
        if w.to > w.from && w.state != GoState::Undetermined {
            self.0.push(*w);
        }
    }
}

#[test]
fn every_way_of_asking_has_the_same_answer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut asked = 0;
    for folder in ["tests/data", "sample-traces"] {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(root.join(folder)).unwrap().map(|e| e.unwrap().path()).collect();
        paths.retain(|p| p.extension().is_some_and(|e| e == "trace" || e == "out"));
        paths.sort();
        for path in paths {
            let trace = load(&path);
            let mut all = All::default();
            tracker::each(&trace, &mut all).unwrap();
            let index = trace.index();
            if index.recordings.len() > 1 {
                // What is looked up before a gap still ends with the gap, and not with its recording.
                continue;
            }
            let mut timeline = Timeline::new(&trace, &index);
            let step = (all.0.len() / 400).max(1);
            for w in all.0.iter().step_by(step) {
                asked += 1;
                let say = |what: &str| format!("{what}, {}: {w:?}", path.display());
                let middle = Time(w.from.0 + (w.to.0 - w.from.0) / 2);
                let Some(i) = at(&trace, w.go, middle, &AtomicBool::new(false)) else { panic!("{}", say("none")) };
                // What nobody ends is looked up to just behind the last event.
                let to = if w.end.is_none() { i.to.min(index.end) } else { i.to };
                assert_eq!((i.state, i.from, to), (w.state, w.from, w.to), "{}", say("looked up"));
                if w.state == GoState::Waiting {
                    assert_eq!(i.reason, w.reason, "{}", say("looked up"));
                }
                let ended = match i.end {
                    Edge::Event(e) => Some((e.no, e.by)),
                    Edge::Trace | Edge::Untraced | Edge::Unread => None,
                };
                assert_eq!(ended, w.end.map(|e| (e.no, e.by)), "{}", say("looked up"));
                // From its end, or the trace's, backwards.
                let no = w.end.map_or(index.events, |e| e.no);
                let Some(b) = timeline.before(w.go, no, Time::MIN).unwrap() else { panic!("{}", say("none before")) };
                assert_eq!((b.state, b.from, b.began), (w.state, w.from, w.began), "{}", say("before"));
                let reason = |i: &Interval| if i.state == GoState::Waiting { i.reason } else { StringId::NONE };
                assert_eq!((reason(&b), b.stack), (reason(w), w.stack), "{}", say("before"));
                // And from its beginning on.
                if let Some(began) = w.began {
                    let after = timeline.after(w.go, began + 1).unwrap().map(|(e, _)| e);
                    assert_eq!(after, w.end, "{}", say("after"));
                }
            }
            let _ = Source::cuts(&trace);
        }
    }
    assert!(asked > 2000, "only {asked} stretches were asked for");
}
