//! Filters by label, and labels as frames: tagfocus, tagignore, tagshow, taghide, tagroot, tagleaf.

use super::error::PatternError;
use super::measure;
use super::pattern::Pattern;
use crate::base::StringId;
use crate::profile::convert::LabelUnits;
use crate::profile::model::{Function, Label, LabelValue, Line, Location, Profile, Sample, Span, Strings, by_key};
use rustc_hash::FxHashMap;

/// What `tagfocus` or `tagignore` asks of a sample's labels.
pub enum TagFilter {
    /// A numeric label lies in a range.
    Range {
        /// The label's name; any if absent.
        key: Option<String>,
        /// The range.
        range: Range,
    },
    /// The label of this name matches one of the expressions.
    Named(String, Vec<Pattern>),
    /// For each expression there is a label whose `name:value` it matches.
    Any(Vec<Pattern>),
}

/// A range of numbers, both ends in it, in the unit that the user wrote.
pub struct Range {
    min: f64,
    max: f64,
    unit: String,
}

impl Range {
    /// Reads `32kb`, `:64kb`, `4mb:` or `12kb:64mb`; `None` if `s` is none of these.
    fn parse(s: &str) -> Option<Range> {
        let end = |s: &str, unit: Option<&str>| {
            let digits = s.strip_prefix(['+', '-']).unwrap_or(s);
            let split = s.len() - digits.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, own) = s.split_at(split);
            if !own.bytes().all(|b| b.is_ascii_alphabetic()) {
                return None;
            }
            Some(measure::scale(number.trim_start_matches('+').parse().ok()?, own, unit.unwrap_or(own)))
        };
        let (min, max) = match s.split_once(':') {
            None => (s, s),
            Some(ends) => ends,
        };
        if min.is_empty() {
            let (max, unit) = end(max, None)?;
            return Some(Range { min: f64::NEG_INFINITY, max, unit });
        }
        let (from, unit) = end(min, None)?;
        if max.is_empty() {
            return Some(Range { min: from, max: f64::INFINITY, unit });
        }
        if !s.contains(':') {
            return Some(Range { min: from, max: from, unit });
        }
        let (to, other) = end(max, Some(&unit))?;
        (unit == other).then_some(Range { min: from, max: to, unit })
    }

    fn contains(&self, value: i64, unit: &str) -> bool {
        let (value, unit) = measure::scale(value, unit, &self.unit);
        unit == self.unit && self.min <= value && value <= self.max
    }
}

impl TagFilter {
    /// Reads `name=what` or `what`, where `what` is a range or a list of regular expressions separated by commas.
    ///
    /// # Errors
    /// An expression that does not compile.
    pub fn new(text: &str) -> Result<TagFilter, PatternError> {
        let (key, what) = match text.split_once('=') {
            Some((key, what)) => (Some(key.to_string()).filter(|k| !k.is_empty()), what),
            None => (None, text),
        };
        if let Some(range) = Range::parse(what) {
            return Ok(TagFilter::Range { key, range });
        }
        let patterns = what.split(',').map(Pattern::new).collect::<Result<Vec<_>, _>>()?;
        Ok(match key {
            Some(key) => TagFilter::Named(key, patterns),
            None => TagFilter::Any(patterns),
        })
    }

    /// Whether the filter took the text for a range of numbers.
    pub fn is_range(&self) -> bool {
        matches!(self, TagFilter::Range { .. })
    }

    fn matches(&self, p: &Profile, units: &LabelUnits, s: &Sample) -> bool {
        let labels = p.labels_of(s);
        let text = |l: &Label| match l.value {
            LabelValue::Text(v) => Some((p.str(l.key), p.str(v))),
            LabelValue::Number(..) => None,
        };
        match self {
            TagFilter::Range { key, range } => labels.iter().any(|l| match l.value {
                LabelValue::Number(v, _) => {
                    key.as_ref().is_none_or(|k| k == p.str(l.key)) && range.contains(v, units.get(p, l.key))
                }
                LabelValue::Text(_) => false,
            }),
            TagFilter::Named(key, patterns) => labels
                .iter()
                .filter_map(text)
                .any(|(k, v)| k == key && patterns.iter().any(|pattern| pattern.is_match(v))),
            TagFilter::Any(patterns) => patterns
                .iter()
                .all(|pattern| labels.iter().filter_map(text).any(|(k, v)| pattern.is_match(&format!("{k}:{v}")))),
        }
    }
}

impl Profile {
    /// Keeps the samples that match `focus` and do not match `ignore`. Says of each whether any sample matched.
    pub fn filter_by_tag(
        &mut self,
        units: &LabelUnits,
        focus: Option<&TagFilter>,
        ignore: Option<&TagFilter>,
    ) -> (bool, bool) {
        let (mut focused, mut ignored) = (false, false);
        let mut samples = std::mem::take(&mut self.samples);
        samples.retain(|s| {
            let focus = focus.is_none_or(|f| f.matches(self, units, s));
            let ignore = ignore.is_some_and(|f| f.matches(self, units, s));
            focused |= focus;
            ignored |= ignore;
            focus && !ignore
        });
        self.samples = samples;
        (focused, ignored)
    }

    /// Removes the labels whose name does not match `show` or matches `hide`. Says of each whether any label matched.
    pub fn filter_labels(&mut self, show: Option<&Pattern>, hide: Option<&Pattern>) -> (bool, bool) {
        let (mut shown, mut hidden) = (false, false);
        for s in &mut self.samples {
            let start = self.labels.len() as u32;
            for i in s.labels.range() {
                let l = self.labels[i];
                let key = self.strings.get(l.key);
                let show = show.is_none_or(|p| p.is_match(key));
                let hide = hide.is_some_and(|p| p.is_match(key));
                shown |= show;
                hidden |= hide;
                if show && !hide {
                    self.labels.push(l);
                }
            }
            s.labels = Span { start, len: self.labels.len() as u32 - start };
        }
        (shown, hidden)
    }

    /// Adds frames for the values of labels: those of `roots` above the root, the first key outermost; those of `leaves`
    /// below the leaf, the last key innermost. Numbers are written in `unit`. Says of each list whether any sample has
    /// such a label.
    pub fn label_frames(&mut self, roots: &[String], leaves: &[String], unit: &str) -> (bool, bool) {
        let mut matched = (false, false);
        if roots.is_empty() && leaves.is_empty() {
            return matched;
        }
        let mut made = LabelFrames {
            known: FxHashMap::default(),
            next_location: self.locations.iter().map(|l| l.id).max().unwrap_or(0).wrapping_add(1),
            next_function: self.functions.iter().map(|f| f.id).max().unwrap_or(0).wrapping_add(1),
        };
        for i in 0..self.samples.len() {
            let s = self.samples[i];
            let mut frames = |p: &mut Profile, keys: &[String], any: &mut bool| {
                let mut out = Vec::with_capacity(keys.len());
                for key in keys.iter().rev() {
                    let values = p.label_texts(&s, key, unit);
                    *any |= !values.is_empty();
                    out.push(made.location(p, &values.join(","), key));
                }
                out
            };
            let above = frames(self, roots, &mut matched.0);
            let below = frames(self, leaves, &mut matched.1);
            let start = self.frames.len() as u32;
            self.frames.extend(below);
            self.frames.extend_from_within(s.stack.range());
            self.frames.extend(above);
            self.samples[i].stack = Span { start, len: self.frames.len() as u32 - start };
        }
        matched
    }

    /// The values that a sample has under `key`, as text: strings first.
    fn label_texts(&self, s: &Sample, key: &str, unit: &str) -> Vec<String> {
        let mut out = Vec::new();
        for labels in by_key(self.labels_of(s)).filter(|l| self.str(l[0].key) == key) {
            let has_units = labels.iter().any(|l| matches!(l.value, LabelValue::Number(_, u) if u != Strings::EMPTY));
            for l in labels {
                out.push(match l.value {
                    LabelValue::Text(v) => self.str(v).to_string(),
                    LabelValue::Number(v, own) if has_units => measure::scaled_label(v, self.str(own), unit),
                    LabelValue::Number(v, _) => measure::scaled_label(v, "", ""),
                });
            }
        }
        out
    }
}

/// The locations made for labels so far.
struct LabelFrames {
    known: FxHashMap<(StringId, StringId), u32>,
    next_location: u64,
    next_function: u64,
}

impl LabelFrames {
    /// The location of a label's frame: a function named like the value, in a file named like the key.
    fn location(&mut self, p: &mut Profile, value: &str, key: &str) -> u32 {
        let (name, file) = (p.strings.intern(value), p.strings.intern(key));
        *self.known.entry((name, file)).or_insert_with(|| {
            let (id, system_name) = (self.next_function, Strings::EMPTY);
            p.functions.push(Function { id, name, system_name, file, start_line: 0 });
            let lines = Span { start: p.lines.len() as u32, len: 1 };
            p.lines.push(Line { function: p.functions.len() as u32 - 1, line: 0, column: 0, inlined: false });
            let id = self.next_location;
            p.locations.push(Location { id, mapping: None, address: 0, lines, folded: false });
            self.next_function = self.next_function.wrapping_add(1);
            self.next_location = self.next_location.wrapping_add(1);
            p.locations.len() as u32 - 1
        })
    }
}
