//! Filters by the names in a stack: focus, ignore, hide, show, show_from.
//!
//! A location matches by the name of a function, the name of its file, or the file that is mapped there.

use super::pattern::Pattern;
use crate::base::StringId;
use crate::profile::model::{Line, Location, Profile, Span};

/// Which filters found anything to match.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Matched {
    /// `focus` matched, or there was none.
    pub focus: bool,
    /// `ignore` matched.
    pub ignore: bool,
    /// `hide` matched.
    pub hide: bool,
    /// `show` matched.
    pub show: bool,
}

/// A pattern, and what it said of each string so far.
struct Matcher<'a> {
    pattern: &'a Pattern,
    known: Vec<Option<bool>>,
}

impl<'a> Matcher<'a> {
    fn new(pattern: &'a Pattern, p: &Profile) -> Matcher<'a> {
        Matcher { pattern, known: vec![None; p.strings.len()] }
    }

    fn string(&mut self, p: &Profile, id: StringId) -> bool {
        match self.known.get_mut(id.index()) {
            Some(known) => *known.get_or_insert_with(|| self.pattern.is_match(p.str(id))),
            None => self.pattern.is_match(""),
        }
    }

    fn line(&mut self, p: &Profile, n: &Line) -> bool {
        let f = p.functions[n.function as usize];
        self.string(p, f.name) || self.string(p, f.file)
    }

    fn object(&mut self, p: &Profile, l: &Location) -> bool {
        l.mapping.is_some_and(|m| self.string(p, p.mappings[m as usize].file))
    }

    fn location(&mut self, p: &Profile, l: &Location) -> bool {
        p.lines_of(l).iter().any(|n| self.line(p, n)) || self.object(p, l)
    }
}

/// What becomes of the samples through a location.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Nothing,
    Keep,
    Drop,
}

impl Profile {
    /// Keeps the samples that pass through a location matching `focus` and through none matching `ignore`; takes the
    /// frames matching `hide`, and those not matching `show`, out of their stacks, and drops the samples whose stack
    /// that empties.
    pub fn filter_by_name(
        &mut self,
        focus: Option<&Pattern>,
        ignore: Option<&Pattern>,
        hide: Option<&Pattern>,
        show: Option<&Pattern>,
    ) -> Matched {
        let mut matched = Matched::default();
        if focus.is_none() && ignore.is_none() && hide.is_none() && show.is_none() {
            matched.focus = true;
            return matched;
        }
        let [mut focus, mut ignore, mut hide, mut show] =
            [focus, ignore, hide, show].map(|p| p.map(|p| Matcher::new(p, self)));
        let mut fates = vec![Fate::Nothing; self.locations.len()];
        let mut hidden = vec![false; self.locations.len()];
        for i in 0..self.locations.len() {
            let l = self.locations[i];
            if ignore.as_mut().is_some_and(|m| m.location(self, &l)) {
                matched.ignore = true;
                fates[i] = Fate::Drop;
            } else if focus.as_mut().is_none_or(|m| m.location(self, &l)) {
                matched.focus = true;
                fates[i] = Fate::Keep;
            }
            if let Some(hide) = &mut hide
                && hide.location(self, &l)
            {
                matched.hide = true;
                let whole = hide.object(self, &l);
                self.retain_lines(i, |p, n| !whole && !hide.line(p, n));
                hidden[i] |= self.locations[i].lines.len == 0;
            }
            if let Some(show) = &mut show {
                let whole = show.object(self, &l);
                self.retain_lines(i, |p, n| whole || show.line(p, n));
                if self.locations[i].lines.len == 0 {
                    hidden[i] = true;
                } else {
                    matched.show = true;
                }
            }
        }
        let any_hidden = hidden.contains(&true);
        let mut samples = std::mem::take(&mut self.samples);
        samples.retain_mut(|s| {
            let stack = self.stack_of(s);
            let fate = |wanted: Fate| stack.iter().any(|&l| fates[l as usize] == wanted);
            if fate(Fate::Drop) || !fate(Fate::Keep) {
                return false;
            }
            if any_hidden && stack.iter().any(|&l| hidden[l as usize]) {
                let start = self.frames.len();
                for i in s.stack.range() {
                    let l = self.frames[i];
                    if !hidden[l as usize] {
                        self.frames.push(l);
                    }
                }
                s.stack = Span { start: start as u32, len: (self.frames.len() - start) as u32 };
            }
            !any_hidden || s.stack.len > 0
        });
        self.samples = samples;
        matched
    }

    /// Keeps, of each stack, what the frame nearest to the root that matches calls, and that frame itself; drops the
    /// samples without one. Whether there was any.
    pub fn show_from(&mut self, pattern: &Pattern) -> bool {
        let mut m = Matcher::new(pattern, self);
        let mut shown = vec![false; self.locations.len()];
        for (i, shown) in shown.iter_mut().enumerate() {
            let l = self.locations[i];
            if m.object(self, &l) {
                *shown = true;
            } else if let Some(last) = self.lines_of(&l).iter().rposition(|n| m.line(self, n)) {
                *shown = true;
                self.locations[i].lines = l.lines.take(last + 1);
            }
        }
        let frames = &self.frames;
        self.samples.retain_mut(|s| {
            let last = frames[s.stack.range()].iter().rposition(|&l| shown[l as usize]);
            last.map(|last| s.stack = s.stack.take(last + 1)).is_some()
        });
        shown.contains(&true)
    }

    /// Keeps the lines of a location that `keep` wants.
    fn retain_lines(&mut self, location: usize, mut keep: impl FnMut(&Profile, &Line) -> bool) {
        let span = self.locations[location].lines;
        let kept: Vec<Line> = self.lines[span.range()].iter().filter(|n| keep(self, n)).copied().collect();
        if kept.len() == span.len as usize {
            return;
        }
        let start = self.lines.len() as u32;
        self.locations[location].lines = Span { start, len: kept.len() as u32 };
        self.lines.extend(kept);
    }
}
