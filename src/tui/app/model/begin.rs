//! What the viewer begins with, and where it stands while a trace is read and when it has been.

use super::Model;
use crate::analysis::profile::Profiled;
use crate::base::{Duration, FrameId, GoId, GoIdx, Time};
use crate::model::Index;
use crate::source::Places;
use crate::tui::app::action::Scope;
use crate::tui::app::beside::Beside;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::found::Found;
use crate::tui::app::jobs::Effect;
use crate::tui::app::live::{Going, Recorded};
use crate::tui::app::nav::Place;
use crate::tui::app::view::Pane;
use crate::tui::chrome::footer::Notice;
use std::sync::Arc;

impl Model {
    /// Looks for sources in these places from now on.
    pub fn set_places(&mut self, places: Places) {
        self.views.source.set_places(places);
    }

    /// Whose keys mean something where the focus is.
    pub fn focused_scope(&self) -> Scope {
        let here = self.shared.nav.here();
        match self.views.look(self.focus, here).scope() {
            // In a pane without keys of its own those of the view still mean what they say.
            Scope::Global => self.views.look(Pane::Body, here).scope(),
            s => s,
        }
    }

    /// Draws with another theme from now on.
    #[cfg(test)]
    pub fn set_theme(&mut self, theme: crate::tui::theme::Theme) {
        self.shared.theme = theme;
    }

    /// Opens profiles beside the trace; where there is no trace, on them.
    pub fn set_profiles(&mut self, profiles: Vec<Arc<Profiled>>) {
        self.shared.profiles = profiles;
        if self.shared.trace.is_none() {
            self.shared.nav.here_mut().view = ViewId::Profile;
        }
    }

    /// Takes in texts that say something of the trace's goroutines.
    pub fn set_beside(&mut self, beside: Beside) {
        self.shared.beside = beside;
        // The rules look at it as well.
        self.shared.found = Found::default();
    }

    /// Begins in a view.
    pub fn begin_in(&mut self, view: ViewId) {
        self.shared.nav.here_mut().view = view;
    }

    /// Begins at an instant, counted from the trace's start, and at a goroutine if one is named.
    pub fn begin_at(&mut self, at: Duration, go: Option<GoId>) {
        self.begin_at = Some((at, go));
    }

    /// Takes note of how far the recording is.
    pub(super) fn recording(&mut self, going: Going) {
        let stopping = self.live.is_some_and(|(_, stopping)| stopping);
        self.live = Some((going, stopping));
        self.shared.recording = Some(going.words(stopping));
    }

    /// The recording is over: what was taken beside the trace is opened with it.
    pub(super) fn recorded(&mut self, recorded: Recorded) {
        (self.live, self.shared.recording) = (None, None);
        let Recorded { profiles, beside, failed } = recorded;
        self.shared.profiles = profiles;
        self.set_beside(beside);
        self.shared.joined = false;
        if let Some(text) = failed {
            self.notice = Some(Notice { text, bad: true });
        }
    }

    /// Ends the recording that is being made; `false` if there is none, or it has been told already.
    pub(super) fn stop_recording(&mut self, effects: &mut Vec<Effect>) -> bool {
        let Some((going, stopping @ false)) = &mut self.live else { return false };
        *stopping = true;
        self.shared.recording = Some(going.words(true));
        effects.push(Effect::StopRecording);
        self.say("the recording ends; q leaves gotrail");
        true
    }

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
