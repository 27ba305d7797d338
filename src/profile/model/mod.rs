//! A pprof profile in memory, and what pprof does with one: filters, merging, the call graph.
//!
//! Tables with `u32` handles; stacks, lines, labels and values lie in arrays that samples and locations hold a [`Span`]
//! of. Filters shorten spans or append to the arrays, so nothing is copied that stays as it is.

pub mod strings;

#[cfg(test)]
mod tests;

use crate::base::StringId;
use crate::profile::ops::error::SampleTypeError;
pub use strings::Strings;

/// A stretch of one of the arrays of a [`Profile`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// Position of the first element.
    pub start: u32,
    /// Number of elements.
    pub len: u32,
}

impl Span {
    /// As positions.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }

    /// What is left without the first `n` elements.
    pub(crate) fn skip(self, n: usize) -> Span {
        let n = (n as u32).min(self.len);
        Span { start: self.start + n, len: self.len - n }
    }

    /// The first `n` elements.
    pub(crate) fn take(self, n: usize) -> Span {
        Span { start: self.start, len: (n as u32).min(self.len) }
    }
}

/// What a value means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct ValueType {
    /// `cpu`, `inuse_space` …
    pub kind: StringId,
    /// `nanoseconds`, `bytes`, `count` …
    pub unit: StringId,
}

/// A function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Function {
    /// The id that the file gives it.
    pub id: u64,
    /// Name for people.
    pub name: StringId,
    /// Name as the linker knows it.
    pub system_name: StringId,
    /// Path of the source file.
    pub file: StringId,
    /// Line of its first statement; 0 if unknown.
    pub start_line: i64,
}

/// A range of addresses and the file mapped there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Mapping {
    /// The id that the file gives it.
    pub id: u64,
    /// First address.
    pub start: u64,
    /// First address after the range.
    pub limit: u64,
    /// Offset in the file of the first address.
    pub offset: u64,
    /// Path of the file.
    pub file: StringId,
    /// Build id of the file.
    pub build_id: StringId,
    /// Whether locations here carry functions.
    pub has_functions: bool,
    /// Whether they carry file names.
    pub has_filenames: bool,
    /// Whether they carry line numbers.
    pub has_line_numbers: bool,
    /// Whether they carry inlined calls.
    pub has_inline_frames: bool,
}

/// A line of a function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Line {
    /// Position in [`Profile::functions`].
    pub function: u32,
    /// Line; 0 if unknown.
    pub line: i64,
    /// Column; 0 if unknown.
    pub column: i64,
    /// Whether the call was inlined into the line after it. It stays so where a filter takes that line away.
    pub inlined: bool,
}

/// A place in the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Location {
    /// The id that the file gives it.
    pub id: u64,
    /// Position in [`Profile::mappings`], if known.
    pub mapping: Option<u32>,
    /// Address; 0 if unknown.
    pub address: u64,
    /// In [`Profile::lines`]: the innermost inlined call first, last the function that really stands there.
    pub lines: Span,
    /// Whether the linker folded several identical functions into this one.
    pub folded: bool,
}

/// A label of a sample.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Label {
    /// Its name.
    pub key: StringId,
    /// Its value.
    pub value: LabelValue,
}

/// The value of a label.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LabelValue {
    /// A string.
    Text(StringId),
    /// A number, and its unit, which may be empty.
    Number(i64, StringId),
}

/// A stack with its values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// In [`Profile::frames`], leaf first.
    pub stack: Span,
    /// In [`Profile::values`], one for each sample type.
    pub values: Span,
    /// In [`Profile::labels`], ordered by key: strings first, then numbers.
    pub labels: Span,
}

/// A profile.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// All strings.
    pub strings: Strings,
    /// What the values of a sample mean.
    pub sample_types: Vec<ValueType>,
    /// The sample type to show if nothing else is asked for; empty for the last.
    pub default_sample_type: StringId,
    /// What happens once in `period`.
    pub period_type: ValueType,
    /// The number of events between samples.
    pub period: i64,
    /// When the profile was taken, nanoseconds since 1970 UTC; 0 if unknown.
    pub time_nanos: i64,
    /// How long it was taken for, nanoseconds; 0 if unknown.
    pub duration_nanos: i64,
    /// Frames that match are dropped with all that they call.
    pub drop_frames: StringId,
    /// Frames that match are kept nevertheless.
    pub keep_frames: StringId,
    /// Free text.
    pub comments: Vec<StringId>,
    /// Where the profile is documented.
    pub doc_url: StringId,
    /// The functions that locations lie in.
    pub functions: Vec<Function>,
    /// The files that addresses lie in; the first is the program.
    pub mappings: Vec<Mapping>,
    /// The places that stacks are made of.
    pub locations: Vec<Location>,
    /// The measurements.
    pub samples: Vec<Sample>,
    /// Lines of all locations.
    pub lines: Vec<Line>,
    /// Stacks of all samples, as positions in `locations`.
    pub frames: Vec<u32>,
    /// Values of all samples.
    pub values: Vec<i64>,
    /// Labels of all samples.
    pub labels: Vec<Label>,
    /// What was not read as the file has it, in plain sentences that are safe to show. They are of the file, and go no further.
    pub notes: Vec<String>,
}

/// The label that marks the samples of the profile that is compared with.
pub const DIFF_BASE_LABEL: (&str, &str) = ("pprof::base", "true");

impl Profile {
    /// The text of a string.
    pub fn str(&self, id: StringId) -> &str {
        self.strings.get(id)
    }

    /// The lines of a location.
    pub fn lines_of(&self, l: &Location) -> &[Line] {
        &self.lines[l.lines.range()]
    }

    /// The stack of a sample, leaf first, as positions in `locations`.
    pub fn stack_of(&self, s: &Sample) -> &[u32] {
        &self.frames[s.stack.range()]
    }

    /// The values of a sample, one for each sample type.
    pub fn values_of(&self, s: &Sample) -> &[i64] {
        &self.values[s.values.range()]
    }

    /// The labels of a sample.
    pub fn labels_of(&self, s: &Sample) -> &[Label] {
        &self.labels[s.labels.range()]
    }

    /// Path of the file that a location's mapping maps; empty if unknown.
    pub fn object_file(&self, l: &Location) -> StringId {
        l.mapping.map_or(Strings::EMPTY, |m| self.mappings[m as usize].file)
    }

    /// Position of the sample type of a name, of a number written out, or (for the empty name) of the default.
    ///
    /// # Errors
    /// There is none such.
    pub fn sample_index(&self, name: &str) -> Result<usize, SampleTypeError> {
        let kinds = || self.sample_types.iter().map(|t| self.str(t.kind));
        let Some(last) = self.sample_types.len().checked_sub(1) else {
            return Err(SampleTypeError::NoSamples);
        };
        if name.is_empty() {
            let default = self.str(self.default_sample_type);
            let found = if default.is_empty() { None } else { kinds().position(|k| k == default) };
            return Ok(found.unwrap_or(last));
        }
        if let Ok(index) = name.parse::<i64>() {
            let position = usize::try_from(index).ok().filter(|&i| i <= last);
            return position.ok_or(SampleTypeError::OutOfRange { index, last });
        }
        // Profiles of older Go call `inuse_space` just `space`.
        let short = name.strip_prefix("inuse_").unwrap_or(name);
        kinds().position(|k| k == name || k == short).ok_or_else(|| {
            let known: Vec<_> = kinds().map(crate::base::text::escape).collect();
            SampleTypeError::Unknown { name: name.into(), known: known.join(", ") }
        })
    }

    /// Whether a sample belongs to the profile that is compared with.
    pub fn is_diff_base(&self, s: &Sample) -> bool {
        self.labels_of(s).iter().any(|l| {
            self.str(l.key) == DIFF_BASE_LABEL.0
                && matches!(l.value, LabelValue::Text(v) if self.str(v) == DIFF_BASE_LABEL.1)
        })
    }

    /// Multiplies each value by the ratio of its type, rounds, and drops the samples in which no scaled value is left.
    /// Values whose ratio is 1 stay and do not count.
    pub fn scale(&mut self, ratios: &[f64]) {
        if ratios.iter().all(|&r| r == 1.0) {
            return;
        }
        let values = &mut self.values;
        self.samples.retain(|s| {
            let mut keep = false;
            for (v, &r) in values[s.values.range()].iter_mut().zip(ratios).filter(|(_, r)| **r != 1.0) {
                *v = (*v as f64 * r).round() as i64;
                keep |= *v != 0;
            }
            keep
        });
    }

    /// Gives all samples the label `key` with the value `value`, in place of what they had under that key.
    pub fn set_label(&mut self, key: &str, value: &str) {
        let new = Label { key: self.strings.intern(key), value: LabelValue::Text(self.strings.intern(value)) };
        for s in &mut self.samples {
            let start = self.labels.len() as u32;
            let is_old = |l: &Label| l.key == new.key && matches!(l.value, LabelValue::Text(_));
            for i in s.labels.range() {
                let l = self.labels[i];
                if !is_old(&l) {
                    self.labels.push(l);
                }
            }
            self.labels.push(new);
            s.labels = Span { start, len: self.labels.len() as u32 - start };
            sort_labels(&self.strings, &mut self.labels[s.labels.range()]);
        }
    }

    /// Gives the profile a mapping of everything, if it has none: some older Go profiles do not.
    pub fn ensure_mapping(&mut self) {
        if self.mappings.is_empty() {
            let nothing = Strings::EMPTY;
            self.mappings.push(Mapping { id: 1, file: nothing, build_id: nothing, ..Mapping::default() });
            for l in &mut self.locations {
                l.mapping = Some(0);
            }
        }
    }
}

/// Orders labels by kind and key; those of one key keep their order.
pub(crate) fn sort_labels(strings: &Strings, labels: &mut [Label]) {
    if labels.len() > 1 {
        labels.sort_by_key(|l| (matches!(l.value, LabelValue::Number(..)), strings.get(l.key)));
    }
}

/// The labels of one key, together.
pub fn by_key(labels: &[Label]) -> impl Iterator<Item = &[Label]> {
    let is_number = |l: &Label| matches!(l.value, LabelValue::Number(..));
    labels.chunk_by(move |a, b| a.key == b.key && is_number(a) == is_number(b))
}
