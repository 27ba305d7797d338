//! What jobs bring back, and how far they are.

use super::{Model, cx};
use crate::model::Index;
use crate::tui::app::found::Found;
use crate::tui::app::hits::Hits;
use crate::tui::app::jobs::{Answer, Effect, Slot};
use crate::tui::app::marks::Marks;
use crate::tui::app::shared_jobs;
use crate::tui::app::sheet::Sheet;
use crate::tui::app::view::Pane;
use crate::tui::app::waited::Waited;
use crate::tui::chrome::footer::Notice;
use crate::tui::views::sheet;
use std::any::{Any, TypeId};

impl Model {
    /// Gives an answer to the part that asked: the hits, what lies over the views, a view or a pane.
    pub(super) fn answer(&mut self, answer: Answer, index: &Index, effects: &mut Vec<Effect>) {
        let answer = match answer {
            Answer::To(recipient) => {
                self.working.take_if(|(slot, _)| slot.is_of(recipient.part));
                recipient
            }
            Answer::Working(slot, how) => {
                self.working = Some((slot, how));
                return;
            }
            Answer::Failed(why) => {
                self.working = None;
                self.notice = Some(Notice { text: why, bad: true });
                return;
            }
        };
        let mut out = Vec::new();
        // The hits are a part of what all others look at.
        if answer.part == TypeId::of::<Hits>() {
            if let Some(mut hits) = self.shared.hits.take() {
                answer.deliver(&mut hits, &cx(&self.shared, index, false), &mut out);
                self.shared.hits = Some(hits);
            }
        } else if answer.part == TypeId::of::<Found>() {
            let mut found = std::mem::take(&mut self.shared.found);
            answer.deliver(&mut found, &cx(&self.shared, index, false), &mut out);
            self.shared.found = found;
        } else if answer.part == TypeId::of::<Marks>() {
            let mut marks = std::mem::take(&mut self.shared.marks);
            answer.deliver(&mut marks, &cx(&self.shared, index, false), &mut out);
            self.shared.marks = marks;
        } else if answer.part == TypeId::of::<Waited>() {
            let mut waited = std::mem::take(&mut self.shared.waited);
            answer.deliver(&mut waited, &cx(&self.shared, index, false), &mut out);
            self.shared.waited = waited;
        } else {
            let cx = cx(&self.shared, index, false);
            let overlay: &mut dyn Any = &mut self.overlay;
            match (*overlay).type_id() == answer.part {
                true => answer.deliver(overlay, &cx, &mut out),
                false => {
                    if let Some(part) = self.views.part(answer.part) {
                        answer.deliver(part, &cx, &mut out);
                    }
                }
            }
        }
        self.apply(out, index, effects);
    }

    /// Shows a sheet of the whole trace.
    pub(super) fn sheet(&mut self, sheet: Sheet, index: &Index) {
        if self.shared.trace.is_none() {
            return self.say("there is no trace to look into");
        }
        if !index.complete {
            return self.say("the trace is not read yet");
        }
        if self.shared.nav.here().sheet.as_ref() != Some(&sheet) {
            let to = self.shared.nav.here().with_sheet(sheet);
            self.shared.nav.enter(to);
        }
        self.focus = Pane::Body;
    }

    /// Asks for the names of waits as soon as the trace is read.
    pub(super) fn name_waits(&mut self, index: &Index, effects: &mut Vec<Effect>) {
        effects.extend(self.shared.waited.due(index).then(|| Effect::Run(shared_jobs::names_of_waits())));
    }

    /// Asks what profiles and texts beside the trace say of its goroutines, as soon as that is read.
    pub(super) fn join(&mut self, index: &Index, effects: &mut Vec<Effect>) {
        let s = &mut self.shared;
        if !index.complete || s.trace.is_none() || s.joined {
            return;
        }
        if let Some(job) = shared_jobs::join(&s.profiles, &s.beside) {
            s.joined = true;
            effects.push(Effect::Run(job));
        }
    }

    /// Asks the rules as soon as the trace is read, unless it is so large that they are to wait until they are wanted.
    pub(super) fn look_for_findings(&mut self, index: &Index, effects: &mut Vec<Effect>) {
        if self.shared.found.at_once(index) && !self.shared.trace.is_none() {
            self.shared.found = Found::Looking(0.0);
            effects.push(Effect::Run(shared_jobs::findings(self.shared.beside.clone())));
        }
    }

    /// What the foot says of a job that takes a while.
    pub(super) fn working(&self) -> Option<Notice> {
        let (slot, how) = self.working.as_ref()?;
        let cancel = if *slot == sheet::slot() { "; Esc cancels" } else { "" };
        // The rules are at work whatever is on the screen, which may say how far something else is.
        let what = if *slot == shared_jobs::findings_slot() { "findings: " } else { "" };
        Some(Notice { text: format!("{what}{how}{cancel}"), bad: false })
    }

    /// Calls the rules off, if they are looking.
    pub(super) fn stop_looking(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.shared.found, Found::Looking(_)) {
            effects.push(Effect::Cancel(shared_jobs::findings_slot()));
            self.shared.found = Found::Cancelled;
        }
    }

    /// Ends what runs in a slot, and says so.
    pub(super) fn call_off(&mut self, slot: Slot, effects: &mut Vec<Effect>) {
        self.working.take_if(|(at, _)| *at == slot);
        effects.push(Effect::Cancel(slot));
        self.say("cancelled; Enter looks again");
    }

    /// Ends a sheet's job that takes a while, and leaves that; `false` if there is none.
    pub(super) fn cancel(&mut self, effects: &mut Vec<Effect>) -> bool {
        let working = self.working.take_if(|(slot, _)| *slot == sheet::slot());
        if working.is_some() {
            effects.push(Effect::Cancel(sheet::slot()));
            // There is nothing in it to stay for.
            if self.shared.nav.here().sheet.is_some() {
                self.shared.nav.escape();
            }
            self.say("cancelled");
        }
        working.is_some()
    }
}

#[cfg(test)]
mod tests {
    use crate::tui::app::jobs::{Answer, Effect};
    use crate::tui::app::keymap::{Key, Keymap};
    use crate::tui::app::model::{Message, Model};
    use crate::tui::app::nav::Row;
    use crate::tui::theme::{Background, ColorLevel, Theme};
    use crate::tui::views::sheet;
    use ratatui::buffer::Buffer;
    use ratatui::layout::{Rect, Size};

    fn foot(m: &Model) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, 100, 30));
        m.render(&mut buf);
        (0..100).map(|x| buf[(x, 29)].symbol().to_owned()).collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn a_job_that_takes_a_while_says_how_far_it_is_and_escape_ends_it() {
        let theme = Theme::new(ColorLevel::True, Background::Dark, false);
        let trace = crate::read::fixture::trace();
        let mut m = Model::new(trace, "x".into(), theme, Keymap::default(), Size::new(100, 30));
        m.update(Message::Indexed);
        m.update(Message::Answer(Answer::Working(sheet::slot(), "looking … 58 %".into())));
        assert_eq!(foot(&m), "looking … 58 %; Esc cancels");
        let escape = || Message::Key(Key::parse_all("<Esc>").unwrap()[0].to_event());
        let effects = m.update(escape());
        assert!(effects.iter().any(|e| matches!(e, Effect::Cancel(s) if *s == sheet::slot())));
        assert_eq!(foot(&m), "cancelled");
        // There is nothing left to end.
        assert!(!m.update(escape()).iter().any(|e| matches!(e, Effect::Cancel(_))));
    }

    #[test]
    fn the_cursor_begins_on_the_first_row_unless_the_user_has_moved_it() {
        let model = || {
            let theme = Theme::new(ColorLevel::True, Background::Dark, false);
            let mut m =
                Model::new(crate::read::fixture::trace(), "x".into(), theme, Keymap::default(), Size::new(100, 30));
            // Where it was when little had been read.
            m.shared.nav.here_mut().row = Some(Row::Gc);
            m
        };
        let mut m = model();
        m.update(Message::Indexed);
        assert!(matches!(m.place().row, Some(Row::Group(_))), "{:?}", m.place());
        let mut m = model();
        m.update(Message::Key(Key::parse_all("j").unwrap()[0].to_event()));
        m.update(Message::Indexed);
        assert!(!matches!(m.place().row, Some(Row::Group(_))), "{:?}", m.place());
    }
}
