//! From the wire and back.

use super::model::{Function, Label, LabelValue, Line, Location, Mapping, Profile, Sample, Span, Strings, ValueType};
use super::model::{by_key, sort_labels};
use crate::base::StringId;

use super::wire::check::check;
use super::wire::{Error, proto};
use rustc_hash::FxHashMap;

/// Where the elements pushed since `start` lie.
fn since<T>(items: &[T], start: usize) -> Span {
    Span { start: start as u32, len: (items.len() - start) as u32 }
}

impl Profile {
    /// Decodes a profile in any format that pprof reads; says what is wrong with it otherwise.
    pub fn decode(data: &[u8]) -> Result<Profile, Error> {
        let (p, notes) = super::wire::decode_noted(data)?;
        Ok(Profile { notes, ..Profile::from_wire(&p)? })
    }

    /// What is left of a profile that is cut off, and a sentence that says what is missing, safe to show; `None` if it is not
    /// cut off.
    ///
    /// # Errors
    /// Nothing that could be shown is left.
    pub fn salvage(data: &[u8]) -> Option<Result<(Profile, String), Error>> {
        let whole = super::wire::salvage(data)?;
        Some(whole.and_then(|(p, said)| Ok((Profile::from_wire(&p)?, said))))
    }

    /// The names of the sample types whose values add up to more than 64 bits hold, so that totals and percentages of them
    /// are wrong here as they are in pprof.
    pub fn overflowing(&self) -> Vec<&str> {
        let sum = |i: usize| self.samples.iter().map(|s| i128::from(self.values_of(s)[i].unsigned_abs())).sum::<i128>();
        let types = self.sample_types.iter().enumerate();
        types.filter(|(i, _)| sum(*i) > i128::from(i64::MAX)).map(|(_, t)| self.str(t.kind)).collect()
    }

    /// The profile that a message describes. String indices beyond the table read as the empty string.
    ///
    /// # Errors
    /// Ids that occur twice or do not exist, and samples with too many or too few values.
    pub fn from_wire(p: &proto::Profile) -> Result<Profile, Error> {
        let ids = check(p)?;
        let mut out = Profile::default();
        // Each string of the file is looked at once; from here on there are only handles.
        let table = p.string_table.iter();
        let table: Vec<StringId> = table.map(|s| out.strings.intern(&crate::base::text::lossy(s))).collect();
        let string = |i: i64| usize::try_from(i).ok().and_then(|i| table.get(i)).copied().unwrap_or(Strings::EMPTY);
        let value_type = |t: &proto::ValueType| ValueType { kind: string(t.r#type), unit: string(t.unit) };

        out.sample_types = p.sample_type.iter().map(value_type).collect();
        // A unit is printed with every value: it is made safe to show once and for all.
        for t in &mut out.sample_types {
            let unit = out.strings.get(t.unit);
            if let std::borrow::Cow::Owned(safe) = crate::base::text::escape(unit) {
                t.unit = out.strings.intern(&safe);
            }
        }
        out.default_sample_type = string(p.default_sample_type);
        out.period_type = value_type(&p.period_type.unwrap_or_default());
        out.period = p.period;
        out.time_nanos = p.time_nanos;
        out.duration_nanos = p.duration_nanos;
        out.drop_frames = string(p.drop_frames);
        out.keep_frames = string(p.keep_frames);
        out.comments = p.comment.iter().map(|&c| string(c)).collect();
        out.doc_url = string(p.doc_url);
        let functions = p.function.iter().map(|f| Function {
            id: f.id,
            name: string(f.name),
            system_name: string(f.system_name),
            file: string(f.filename),
            start_line: f.start_line,
        });
        out.functions = functions.collect();
        let mappings = p.mapping.iter().map(|m| Mapping {
            id: m.id,
            start: m.memory_start,
            limit: m.memory_limit,
            offset: m.file_offset,
            file: string(m.filename),
            build_id: string(m.build_id),
            has_functions: m.has_functions,
            has_filenames: m.has_filenames,
            has_line_numbers: m.has_line_numbers,
            has_inline_frames: m.has_inline_frames,
        });
        out.mappings = mappings.collect();
        out.locations.reserve(p.location.len());
        for l in &p.location {
            let start = out.lines.len();
            for (i, n) in l.line.iter().enumerate() {
                let inlined = i + 1 < l.line.len();
                let function = ids.functions.get(n.function_id);
                let function = function.ok_or(Error::UnknownFunction { location: l.id, id: n.function_id })?;
                out.lines.push(Line { function, line: n.line, column: n.column, inlined });
            }
            out.locations.push(Location {
                id: l.id,
                mapping: ids.mappings.get(l.mapping_id),
                address: l.address,
                lines: since(&out.lines, start),
                folded: l.is_folded,
            });
        }
        out.samples.reserve(p.sample.len());
        out.values.reserve(p.sample.len() * p.sample_type.len());
        for (i, s) in p.sample.iter().enumerate() {
            let (frames, values, labels) = (out.frames.len(), out.values.len(), out.labels.len());
            for &id in &s.location_id {
                let location = ids.locations.get(id).ok_or(Error::UnknownLocation { sample: i, id })?;
                out.frames.push(location);
            }
            out.values.extend(&s.value);
            for l in &s.label {
                // The message cannot tell a label that is the number 0 without a unit from one that is nothing.
                if l.str != 0 {
                    out.labels.push(Label { key: string(l.key), value: LabelValue::Text(string(l.str)) });
                } else if l.num != 0 || l.num_unit != 0 {
                    out.labels.push(Label { key: string(l.key), value: LabelValue::Number(l.num, string(l.num_unit)) });
                }
            }
            let labels = since(&out.labels, labels);
            sort_labels(&out.strings, &mut out.labels[labels.range()]);
            out.samples.push(Sample { stack: since(&out.frames, frames), values: since(&out.values, values), labels });
        }
        Ok(out)
    }

    /// The message that describes this profile: strings in the order of their first use, ids as they are.
    pub fn to_wire(&self) -> proto::Profile {
        let mut table = Table { profile: self, ids: FxHashMap::default(), strings: vec![Vec::new()] };
        let mut p = proto::Profile::default();
        let value_type = |t: &ValueType, table: &mut Table| proto::ValueType {
            r#type: table.index(t.kind),
            unit: table.index(t.unit),
        };
        p.sample_type = self.sample_types.iter().map(|t| value_type(t, &mut table)).collect();
        for s in &self.samples {
            let label = self.labels_of(s).iter().map(|l| match l.value {
                LabelValue::Text(v) => {
                    proto::Label { key: table.index(l.key), str: table.index(v), ..Default::default() }
                }
                LabelValue::Number(num, unit) => {
                    proto::Label { key: table.index(l.key), str: 0, num, num_unit: table.index(unit) }
                }
            });
            p.sample.push(proto::Sample {
                location_id: self.stack_of(s).iter().map(|&l| self.locations[l as usize].id).collect(),
                value: self.values_of(s).to_vec(),
                label: label.collect(),
            });
        }
        let mappings = self.mappings.iter().map(|m| proto::Mapping {
            id: m.id,
            memory_start: m.start,
            memory_limit: m.limit,
            file_offset: m.offset,
            filename: table.index(m.file),
            build_id: table.index(m.build_id),
            has_functions: m.has_functions,
            has_filenames: m.has_filenames,
            has_line_numbers: m.has_line_numbers,
            has_inline_frames: m.has_inline_frames,
        });
        p.mapping = mappings.collect();
        let line = |n: &Line| proto::Line {
            function_id: self.functions[n.function as usize].id,
            line: n.line,
            column: n.column,
        };
        let locations = self.locations.iter().map(|l| proto::Location {
            id: l.id,
            mapping_id: l.mapping.map_or(0, |m| self.mappings[m as usize].id),
            address: l.address,
            line: self.lines_of(l).iter().map(line).collect(),
            is_folded: l.folded,
        });
        p.location = locations.collect();
        let functions = self.functions.iter().map(|f| proto::Function {
            id: f.id,
            name: table.index(f.name),
            system_name: table.index(f.system_name),
            filename: table.index(f.file),
            start_line: f.start_line,
        });
        p.function = functions.collect();
        p.drop_frames = table.index(self.drop_frames);
        p.keep_frames = table.index(self.keep_frames);
        p.time_nanos = self.time_nanos;
        p.duration_nanos = self.duration_nanos;
        p.period_type = Some(value_type(&self.period_type, &mut table));
        p.period = self.period;
        p.comment = self.comments.iter().map(|&c| table.index(c)).collect();
        p.default_sample_type = table.index(self.default_sample_type);
        p.doc_url = table.index(self.doc_url);
        p.string_table = table.strings;
        p
    }

    /// The units of the numeric labels, by key: the first that a sample gives, or what the key suggests. With them, for
    /// each key with several units, those that are not used.
    pub fn label_units(&self) -> LabelUnits {
        let mut units = LabelUnits::default();
        for s in &self.samples {
            for labels in by_key(self.labels_of(s)) {
                for l in labels {
                    let LabelValue::Number(_, unit) = l.value else { continue };
                    let entry = units.of.entry(l.key).or_insert(Strings::EMPTY);
                    if unit == Strings::EMPTY || *entry == unit {
                        continue;
                    } else if *entry == Strings::EMPTY {
                        *entry = unit;
                    } else {
                        let ignored = units.ignored.entry(l.key).or_default();
                        if !ignored.contains(&unit) {
                            ignored.push(unit);
                        }
                    }
                }
            }
        }
        units
    }
}

/// The units of numeric labels.
#[derive(Clone, Default)]
pub struct LabelUnits {
    of: FxHashMap<StringId, StringId>,
    /// For each key, units that some of its values have and that are not used.
    pub ignored: FxHashMap<StringId, Vec<StringId>>,
}

impl LabelUnits {
    /// The unit of the values under `key`.
    pub fn get<'p>(&self, p: &'p Profile, key: StringId) -> &'p str {
        match self.of.get(&key) {
            None => "",
            Some(&unit) if unit != Strings::EMPTY => p.str(unit),
            Some(_) => match p.str(key) {
                "alignment" | "request" => "bytes",
                key => key,
            },
        }
    }
}

/// A string table in the making.
struct Table<'a> {
    profile: &'a Profile,
    ids: FxHashMap<StringId, i64>,
    strings: Vec<Vec<u8>>,
}

impl Table<'_> {
    fn index(&mut self, id: StringId) -> i64 {
        let text = self.profile.str(id);
        if text.is_empty() {
            return 0;
        }
        *self.ids.entry(id).or_insert_with(|| {
            self.strings.push(text.as_bytes().to_vec());
            self.strings.len() as i64 - 1
        })
    }
}
