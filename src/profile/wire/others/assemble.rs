//! Puts a profile together from what another tool's file says. Places, stacks and labels that are equal are kept once.

use crate::profile::wire::error::Error;
use crate::profile::wire::proto;
use rustc_hash::FxHashMap;

/// The most frames of all stacks together. Files in which every event has a stack of its own could ask for any number.
const MOST_FRAMES: usize = 1 << 26;
/// The most frames that are looked at, with the steps to them that are none.
const MOST_WORK: usize = 1 << 31;

/// The most values, of all types in all samples together: each sample has one of each type.
const MOST_VALUES: usize = 1 << 26;

/// What is said of files that ask for more than that.
const TOO_LARGE: Error = Error::TooLargeDecoded(crate::profile::wire::MAX_DECODED);

/// A function at a line of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Call<'a> {
    pub func: &'a str,
    pub file: &'a str,
    /// From 1 on; 0 if it is not told.
    pub line: i64,
    pub column: i64,
}

/// A sample's stack and labels.
type Key = (Vec<u64>, Vec<(i64, i64)>);

/// What tells one location from another: its mapping, its address, and the functions with their lines and columns.
type Place = (u64, u64, Vec<(u64, i64, i64)>);

/// A profile in the making.
#[derive(Default)]
pub(super) struct Assembler {
    p: proto::Profile,
    strings: FxHashMap<String, i64>,
    /// The position of each sample type, by its name and unit.
    kinds: FxHashMap<(i64, i64), usize>,
    mappings: FxHashMap<String, u64>,
    functions: FxHashMap<(i64, i64), u64>,
    locations: FxHashMap<Place, u64>,
    samples: FxHashMap<Key, usize>,
    frames: usize,
    work: usize,
    /// What the values of each type add up to, without their signs.
    totals: Vec<u64>,
    /// Values that 64 bits do not hold, alone or with those before them.
    too_large: usize,
    notes: Vec<String>,
}

/// A profile, and what was not read as the file has it, in plain sentences that are safe to show.
pub(super) type Assembled = (proto::Profile, Vec<String>);

impl Assembler {
    fn string(&mut self, text: &str) -> i64 {
        if self.p.string_table.is_empty() {
            self.p.string_table.push(Vec::new());
        }
        if text.is_empty() {
            return 0;
        }
        if let Some(&i) = self.strings.get(text) {
            return i;
        }
        let i = self.p.string_table.len() as i64;
        self.p.string_table.push(text.as_bytes().to_vec());
        self.strings.insert(text.to_owned(), i);
        i
    }

    /// The position of a sample type, made at its first mention.
    pub fn kind(&mut self, name: &str, unit: &str) -> usize {
        let (name, unit) = (self.string(name), self.string(unit));
        let next = self.p.sample_type.len();
        let kind = *self.kinds.entry((name, unit)).or_insert(next);
        if kind == next {
            self.p.sample_type.push(proto::ValueType { r#type: name, unit });
            self.totals.push(0);
        }
        kind
    }

    /// The id of a mapping of a file, made at its first mention. Where `positions`, addresses are positions in the file.
    pub fn mapping(&mut self, file: &str, positions: bool) -> u64 {
        if let Some(&id) = self.mappings.get(file) {
            return id;
        }
        let id = self.p.mapping.len() as u64 + 1;
        let filename = self.string(file);
        // A file that is mapped from its position 1 on at the address 1: an address is a position.
        let at = u64::from(positions);
        let m = proto::Mapping { id, memory_start: at, file_offset: at, filename, ..Default::default() };
        self.p.mapping.push(proto::Mapping { memory_limit: u64::MAX, has_functions: true, ..m });
        self.mappings.insert(file.to_owned(), id);
        id
    }

    /// The id of the place at which these calls stand, innermost first.
    pub fn place(&mut self, calls: &[Call], mapping: u64, address: u64) -> u64 {
        let lines: Vec<_> = calls.iter().map(|c| (self.function(c), c.line, c.column)).collect();
        let next = self.p.location.len() as u64 + 1;
        let id = *self.locations.entry((mapping, address, lines.clone())).or_insert(next);
        if id == next {
            let line = lines.iter().map(|&(function_id, line, column)| proto::Line { function_id, line, column });
            let line = line.collect();
            self.p.location.push(proto::Location { id, mapping_id: mapping, address, line, is_folded: false });
        }
        id
    }

    /// The id of the place of one call that has no address.
    pub fn call(&mut self, func: &str, file: &str, line: i64, column: i64) -> u64 {
        self.place(&[Call { func, file, line, column }], 0, 0)
    }

    fn function(&mut self, c: &Call) -> u64 {
        let (name, filename) = (self.string(c.func), self.string(c.file));
        let next = self.p.function.len() as u64 + 1;
        let id = *self.functions.entry((name, filename)).or_insert(next);
        if id == next {
            self.p.function.push(proto::Function { id, name, system_name: name, filename, start_line: 0 });
        }
        id
    }

    /// Counts steps to the frames of a stack that are no frames themselves.
    ///
    /// # Errors
    /// More was looked at than a file is worth.
    pub fn looked_at(&mut self, steps: usize) -> Result<(), Error> {
        self.work += steps;
        if self.work > MOST_WORK { Err(TOO_LARGE) } else { Ok(()) }
    }

    /// A value, if the total of its type with it, which reports show, fits 64 bits.
    fn fits(&mut self, (kind, value): (usize, Option<i64>)) -> Option<(usize, i64)> {
        let total = value.and_then(|v| self.totals[kind].checked_add(v.unsigned_abs()));
        match (value, total.filter(|t| *t <= i64::MAX as u64)) {
            (Some(value), Some(total)) => {
                self.totals[kind] = total;
                Some((kind, value))
            }
            _ => {
                self.too_large += 1;
                None
            }
        }
    }

    /// Adds to the values of the sample with this stack, leaf first, and these labels. A value that 64 bits do not hold is
    /// `None`; such values, and those with which a total would not fit, are left out and counted.
    ///
    /// # Errors
    /// There are more frames, or more values of all types, than there is room for.
    pub fn add(
        &mut self,
        stack: &[u64],
        labels: &[(&str, &str)],
        values: &[(usize, Option<i64>)],
    ) -> Result<(), Error> {
        self.work += stack.len();
        let fitting: Vec<(usize, i64)> = values.iter().filter_map(|v| self.fits(*v)).collect();
        if fitting.is_empty() && !values.is_empty() {
            return if self.work > MOST_WORK { Err(TOO_LARGE) } else { Ok(()) };
        }
        let labels: Vec<(i64, i64)> = labels.iter().map(|(k, v)| (self.string(k), self.string(v))).collect();
        let key = (stack.to_vec(), labels);
        let i = match self.samples.get(&key) {
            Some(&i) => i,
            None => {
                self.frames += stack.len();
                let label = key.1.iter().map(|&(key, str)| proto::Label { key, str, ..Default::default() }).collect();
                let i = self.p.sample.len();
                self.p.sample.push(proto::Sample { location_id: key.0.clone(), value: Vec::new(), label });
                self.samples.insert(key, i);
                i
            }
        };
        let values_of_all = self.p.sample_type.len().saturating_mul(self.p.sample.len());
        if self.frames > MOST_FRAMES || self.work > MOST_WORK || values_of_all > MOST_VALUES {
            return Err(TOO_LARGE);
        }
        let sample = &mut self.p.sample[i].value;
        for (kind, value) in fitting {
            if sample.len() <= kind {
                sample.resize(kind + 1, 0);
            }
            // No sum of a part is more than the total, which fits.
            sample[kind] += value;
        }
        Ok(())
    }

    /// Says that something was not read as the file has it.
    pub fn note(&mut self, said: String) {
        self.notes.push(said);
    }

    /// The same of so many, of which none is not worth a word: `one` follows "1", `many` another number.
    pub fn note_of(&mut self, n: usize, one: &str, many: &str) {
        match n {
            0 => {}
            1 => self.note(format!("1 {one}")),
            n => self.note(format!("{n} {many}")),
        }
    }

    /// Says something of the profile as a whole.
    pub fn comment(&mut self, text: &str) {
        let comment = self.string(text);
        self.p.comment.push(comment);
    }

    /// The length of the recording, nanoseconds.
    pub fn duration(&mut self, nanos: i64) {
        self.p.duration_nanos = nanos;
    }

    /// Puts the mapping of a file first, where the program is looked for.
    pub fn program(&mut self, file: &str) {
        if let Some(at) = self.mappings.get(file).map(|&id| id as usize - 1) {
            self.p.mapping[..=at].rotate_right(1);
        }
    }

    /// The profile; a value for each type in each sample.
    pub fn finish(mut self) -> Assembled {
        self.string("");
        let types = self.p.sample_type.len();
        self.p.sample.iter_mut().for_each(|s| s.value.resize(types, 0));
        self.note_of(
            self.too_large,
            "value does not fit 64 bits, alone or added up, and was left out",
            "values do not fit 64 bits, alone or added up, and were left out",
        );
        (self.p, self.notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_are_no_frames_are_work() {
        let mut a = Assembler::default();
        assert_eq!(a.looked_at(MOST_WORK - 1), Ok(()));
        assert_eq!(a.add(&[1], &[], &[]), Ok(()));
        assert_eq!(a.looked_at(1), Err(TOO_LARGE));
    }

    #[test]
    fn types_times_samples_are_bounded() {
        let mut a = Assembler::default();
        let types = 1 << 16;
        for i in 0..types {
            assert_eq!(a.kind(&i.to_string(), "count"), i);
        }
        assert_eq!((a.kind("7", "count"), a.kind("7", "bytes")), (7, types), "of the same name and another unit");
        let most = MOST_VALUES / (types + 1);
        for i in 0..most {
            assert_eq!(a.add(&[i as u64], &[], &[(0, Some(1))]), Ok(()));
        }
        assert_eq!(a.add(&[0], &[], &[(0, Some(1))]), Ok(()), "no other sample");
        assert_eq!(a.add(&[most as u64], &[], &[(0, Some(1))]), Err(TOO_LARGE));
    }
}
