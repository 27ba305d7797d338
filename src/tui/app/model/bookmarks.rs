//! What lies over the views and its answers, and the bookmarks, which come and go there.

use super::{Model, over};
use crate::model::Index;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::Effect;
use crate::tui::app::keymap::Key;
use crate::tui::app::marks;
use crate::tui::app::shared_jobs;
use crate::tui::app::sheet::Sheet;
use crate::tui::app::view::Pane;
use crate::tui::panels::{Note, Overlay, Then};

impl Model {
    /// Hands a key to what lies over the views.
    pub(super) fn over(&mut self, key: Key, index: &Index, effects: &mut Vec<Effect>) {
        let then = self.overlay.key(key, &over(&self.keymap, index, &self.shared));
        self.then(then, index, effects);
    }

    /// Does what that makes of a key or a press.
    pub(super) fn then(&mut self, then: Then, index: &Index, effects: &mut Vec<Effect>) {
        if !matches!(then, Then::Stay | Then::Remove(_) | Then::Undo) {
            self.overlay = Overlay::None;
        }
        match then {
            Then::Stay | Then::Close => {}
            Then::Do(action) => self.act(action, index, effects),
            Then::Sql(q) => self.sheet(Sheet::Sql(q.into()), index),
            Then::Query(q) => self.query(q, index, effects),
            Then::Bookmark(edit) => {
                self.shared.marks.edit(edit);
                self.say("bookmarked; B lists the bookmarks");
            }
            Then::Note(mark) => self.overlay = Overlay::Note(Note::of(mark, false)),
            Then::Remove(mark) => {
                self.shared.marks.remove(mark);
                self.say("removed; u brings it back");
            }
            Then::Undo if self.shared.marks.undo() => self.say("it is back"),
            Then::Undo => self.say("no bookmark was removed"),
            Then::Jump(mark) => {
                let to = marks::place_of(&mark, self.shared.nav.here(), index);
                self.shared.nav.jump(to);
                self.focus = Pane::Body;
                if !mark.note.is_empty() {
                    self.say(&mark.note);
                }
            }
        }
    }

    /// Asks for the note of a bookmark of where the cursor is; of one that is there already, to change it.
    pub(super) fn bookmark(&mut self, index: &Index) {
        let here = self.shared.nav.here();
        if self.shared.trace.is_none() || here.view == ViewId::Profile && here.sheet.is_none() {
            return self.say("a bookmark is of an instant in a trace, and a profile has none");
        }
        let mark = marks::of_place(here, index);
        let same = self.shared.marks.all().iter().find(|b| (b.at, b.go, b.range) == (mark.at, mark.go, mark.range));
        self.overlay = Overlay::Note(match same {
            Some(there) => Note::of(there.clone(), false),
            None => Note::of(mark, true),
        });
    }

    /// Reads and writes the files of the bookmarks; ends the viewer where that waits for it.
    pub(super) fn keep_bookmarks(&mut self, index: &Index, effects: &mut Vec<Effect>) {
        // What is being recorded has no digest yet, and of a large trace that takes a while.
        if self.live.is_none() && !self.shared.trace.is_none() && (index.complete || self.leaving) {
            effects.extend(self.shared.marks.due().map(|due| Effect::Run(shared_jobs::bookmarks(due))));
        }
        if self.leaving && !self.shared.marks.unsaved() {
            self.leaving = false;
            // Who has lost them is to read that.
            if !self.shared.marks.failed() {
                effects.push(Effect::Quit);
            }
        }
    }

    /// Ends the viewer, once the bookmarks are written; at once for who asks again.
    pub(super) fn quit(&mut self, effects: &mut Vec<Effect>) {
        if self.shared.marks.unsaved() && !self.leaving {
            self.leaving = true;
            self.say("the bookmarks are being written; q again leaves without");
        } else {
            effects.push(Effect::Quit);
        }
    }

    /// Keeps bookmarks in these files.
    pub fn set_bookmarks(&mut self, store: crate::read::bookmarks::Store) {
        self.shared.marks.set_store(store);
    }
}
