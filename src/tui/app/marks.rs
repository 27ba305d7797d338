//! The trace's bookmarks: those that there are, and the way into and out of their files, which a job goes.

use super::catalog::ViewId;
use super::nav::{Narrow, Place};
use crate::base::Time;
use crate::model::Index;
use crate::read::bookmarks::{Bookmark, Edit, Kept, Store};

/// The bookmarks.
#[derive(Default)]
pub struct Marks {
    /// Where they are kept; nowhere if `None`.
    store: Option<Store>,
    /// The digest of the trace, once it is known.
    digest: Option<u64>,
    all: Vec<Bookmark>,
    /// Changes that the files do not have yet, and those that a job is about to write.
    pending: Vec<Edit>,
    writing: Vec<Edit>,
    /// Whether a job is at work, and whether the last one could not write.
    busy: bool,
    failed: bool,
    loaded: bool,
    /// What undoes the last removals, the last one last.
    removed: Vec<Edit>,
}

impl Marks {
    /// Keeps them in files from now on.
    pub fn set_store(&mut self, store: Store) {
        self.store = Some(store);
    }

    /// All of them, in order.
    pub fn all(&self) -> &[Bookmark] {
        &self.all
    }

    /// Whether there is something to be written, or being written.
    pub fn unsaved(&self) -> bool {
        self.store.is_some() && (!self.writing.is_empty() || !self.pending.is_empty() && !self.failed)
    }

    /// Whether what was to be written last could not be.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Makes a change.
    pub fn edit(&mut self, edit: Edit) {
        edit.apply(&mut self.all);
        self.pending.push(edit);
        self.failed = false;
    }

    /// Removes one; [`undo`](Self::undo) brings it back.
    pub fn remove(&mut self, mark: Bookmark) {
        let edit = Edit { remove: vec![mark], ..Edit::default() };
        self.removed.push(edit.undone());
        self.edit(edit);
    }

    /// Brings back what was removed last; `false` if nothing was.
    pub fn undo(&mut self) -> bool {
        let Some(edit) = self.removed.pop() else { return false };
        self.edit(edit);
        true
    }

    /// What the files are to be asked, where they have not been read or something has changed.
    pub fn due(&mut self) -> Option<Due> {
        let store = self.store.clone()?;
        if self.busy || self.failed || (self.loaded && self.pending.is_empty()) {
            return None;
        }
        (self.busy, self.writing) = (true, std::mem::take(&mut self.pending));
        Some(Due { store, edit: merged(&self.writing), digest: self.digest })
    }

    /// What the files of the trace with this digest have. Returns what there is to say of that.
    pub fn kept(&mut self, digest: u64, kept: Kept) -> Option<Spoken> {
        (self.busy, self.loaded, self.digest) = (false, true, Some(digest));
        let written = std::mem::take(&mut self.writing);
        self.all = kept.all;
        let said = if let Some(why) = kept.failed {
            // They stay as long as the viewer does, and are tried again with the next change.
            (self.failed, self.pending) =
                (self.pending.is_empty(), [written, std::mem::take(&mut self.pending)].concat());
            Some(Spoken::Failed(format!("bookmarks could not be written: {why}")))
        } else if let Some((path, Some(why))) = kept.instead {
            Some(Spoken::Elsewhere(format!("{why}; the bookmark is in {}", path.display())))
        } else {
            None
        };
        self.pending.iter().for_each(|e| e.apply(&mut self.all));
        said
    }
}

/// What the files of the bookmarks are asked.
pub struct Due {
    /// The files.
    pub store: Store,
    /// What is to be changed.
    pub edit: Edit,
    /// The digest of the trace, if it is known.
    pub digest: Option<u64>,
}

/// What there is to say after the files were asked.
pub enum Spoken {
    /// They could not be written.
    Failed(String),
    /// They could, but not beside the trace.
    Elsewhere(String),
}

/// Several changes, one after the other, as one.
fn merged(edits: &[Edit]) -> Edit {
    let mut all = Edit::default();
    for e in edits {
        all.add.retain(|b| !e.remove.contains(b));
        all.remove.retain(|b| !e.add.contains(b));
        all.remove.extend(e.remove.iter().cloned());
        all.add.extend(e.add.iter().cloned());
    }
    all
}

/// The bookmark of a place, without a note.
pub fn of_place(place: &Place, index: &Index) -> Bookmark {
    Bookmark {
        at: place.at - index.start,
        go: index.goroutine(place.go).map(|g| g.id),
        range: place.window().map(|(from, to)| (from - index.start, to - index.start)),
        view: place.view.name().to_owned(),
        note: String::new(),
    }
}

/// Where a bookmark leads, from a place on.
pub fn place_of(mark: &Bookmark, from: &Place, index: &Index) -> Place {
    let at = (index.start + mark.at).clamp(index.start, index.end.max(index.start));
    let go = mark.go.and_then(|id| index.find_goroutine(id, at)).unwrap_or_default();
    let view = ViewId::from_name(&mark.view).ok().filter(|v| *v != ViewId::Profile).unwrap_or(ViewId::Timeline);
    let inside = |(a, b): &(Time, Time)| *a <= at && at < *b;
    let mut to = Place { at, go, row: None, event: None, route: None, ..from.with_view(view) };
    to.zoom = to.zoom.filter(inside);
    match mark.range {
        Some((a, b)) => to.narrow(Narrow::Window(index.start + a, index.start + b)),
        None => to.narrowing.retain(|n| !matches!(n, Narrow::Window(..))),
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Duration;

    fn mark(ns: i64) -> Bookmark {
        Bookmark { at: Duration(ns), go: None, range: None, view: "timeline".into(), note: String::new() }
    }

    #[test]
    fn changes_that_follow_each_other_are_one_that_does_the_same() {
        let add = |ns| Edit { add: vec![mark(ns)], ..Edit::default() };
        for edits in [
            vec![add(1), add(2), add(1).undone()],
            vec![add(1).undone(), add(1)],
            vec![add(1), add(1).undone(), add(1), Edit { remove: vec![mark(1)], add: vec![mark(3)] }],
        ] {
            for before in [vec![], vec![mark(1)], vec![mark(1), mark(2)]] {
                let (mut one, mut each) = (before.clone(), before.clone());
                merged(&edits).apply(&mut one);
                edits.iter().for_each(|e| e.apply(&mut each));
                assert_eq!(one, each, "{edits:?} of {before:?}");
            }
        }
    }
}
