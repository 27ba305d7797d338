//! Where the viewer stands while a trace is read and when it has been.

use super::Model;
use crate::base::{FrameId, GoId, GoIdx, Time};
use crate::model::Index;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::nav::Place;
use crate::tui::chrome::footer::Notice;

impl Model {
    pub(super) fn indexed(&mut self, index: &Index) {
        if !self.began && index.events > 0 {
            self.began = true;
            let here = self.shared.nav.here_mut();
            here.at = here.at.clamp(index.start, index.end.max(index.start));
        }
        if let Some((at, go)) = self.begin_at {
            self.begin(index, index.start + at, go);
        }
        if index.complete && !self.reported {
            self.reported = true;
            if !self.touched {
                // The cursor begins on the first row of the whole trace, not on what was first when little had been read.
                let here = self.shared.nav.here_mut();
                (here.row, here.frame) = (None, FrameId::NONE);
            }
            if let Some(loss) = index.losses.first() {
                let more = match index.losses.len() {
                    1 => String::new(),
                    n => format!(" (and {} more)", n - 1),
                };
                self.notice = Some(Notice { text: format!("{loss}{more}"), bad: true });
            }
        }
    }

    /// Goes to where the user wanted to begin, if that has been read.
    fn begin(&mut self, index: &Index, at: Time, go: Option<GoId>) {
        if at > index.end && !index.complete {
            return;
        }
        (self.begin_at, self.touched) = (None, true);
        let found = go.map(|id| index.find_goroutine(id, at));
        if found == Some(None) {
            self.say("the trace has no such goroutine");
        }
        if at > index.end {
            self.say("the trace ends before that instant");
        }
        let at = at.clamp(index.start, index.end);
        let go = found.flatten().unwrap_or(GoIdx::NONE);
        let here = self.shared.nav.here().with_view(ViewId::Timeline);
        *self.shared.nav.here_mut() = Place { at, go, row: None, event: None, ..here };
    }
}
