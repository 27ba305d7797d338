//! Several profiles into one, as pprof does it.

use super::error::MergeError;
use super::measure;
use crate::base::StringId;
use crate::base::text::escape;
use crate::profile::model::sort_labels;
use crate::profile::model::{
    Function, Label, LabelValue, Line, Location, Mapping, Profile, Sample, Span, Strings, ValueType,
};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// One profile out of several: sample types that not all have are dropped, units become the finest, equal samples are
/// added up. A single profile stays as it is.
///
/// # Errors
/// There is no profile, no sample type in common, or types that do not go together.
pub fn combine(mut profiles: Vec<Profile>) -> Result<Profile, MergeError> {
    common_sample_types(&mut profiles)?;
    common_units(&mut profiles)?;
    if profiles.len() == 1 {
        return profiles.pop().ok_or(MergeError::Nothing);
    }
    merge(&profiles)
}

/// The profile with what its samples refer to and nothing else; equal samples are added up.
///
/// # Errors
/// As [`combine`].
pub fn compact(p: &Profile) -> Result<Profile, MergeError> {
    merge(std::slice::from_ref(p))
}

/// Scales `p` so that each of its sums equals that of `base`.
///
/// # Errors
/// The two have different types.
pub fn normalize(p: &mut Profile, base: &Profile) -> Result<(), MergeError> {
    let ratios = ratios(p, base)?;
    p.scale(&ratios);
    Ok(())
}

/// What the values of `p` are to be multiplied by so that their sums are those of `base`.
fn ratios(p: &Profile, base: &Profile) -> Result<Vec<f64>, MergeError> {
    compatible(p, base)?;
    let sums = |p: &Profile| {
        let mut sums = vec![0i64; p.sample_types.len()];
        for s in &p.samples {
            sums.iter_mut().zip(p.values_of(s)).for_each(|(sum, v)| *sum = sum.wrapping_add(*v));
        }
        sums
    };
    let ratio = |(own, base): (i64, i64)| if own == 0 { 0.0 } else { base as f64 / own as f64 };
    Ok(sums(p).into_iter().zip(sums(base)).map(ratio).collect())
}

/// Gives both profiles, behind each value, what it is after [`normalize`]: twice as many sample types, the second half of
/// which is scaled. So both are merged at once.
///
/// # Errors
/// As [`normalize`].
pub fn add_normalized(p: &mut Profile, base: &mut Profile) -> Result<(), MergeError> {
    let ratios = ratios(p, base)?;
    let as_they_are = vec![1.0; ratios.len()];
    for (p, ratios) in [(p, &ratios), (base, &as_they_are)] {
        for i in 0..p.sample_types.len() {
            let ValueType { kind, unit } = p.sample_types[i];
            let name = format!("normalised {}", p.strings.get(kind));
            p.sample_types.push(ValueType { kind: p.strings.intern(&name), unit });
        }
        for s in &mut p.samples {
            let start = p.values.len() as u32;
            p.values.extend_from_within(s.values.range());
            let scaled = |(i, &ratio): (usize, &f64)| {
                let v = p.values[s.values.start as usize + i];
                if ratio == 1.0 { v } else { (v as f64 * ratio).round() as i64 }
            };
            let scaled: Vec<i64> = ratios.iter().enumerate().map(scaled).collect();
            p.values.extend(scaled);
            s.values = Span { start, len: p.values.len() as u32 - start };
        }
    }
    Ok(())
}

/// Takes `base` away from `p`: its samples are added with the opposite sign. With `diff`, they carry a label by which
/// reports take their sum for the total.
///
/// # Errors
/// As [`combine`].
pub fn subtract(p: Profile, mut base: Profile, diff: bool) -> Result<Profile, MergeError> {
    if diff {
        base.set_label(crate::profile::model::DIFF_BASE_LABEL.0, crate::profile::model::DIFF_BASE_LABEL.1);
    }
    base.scale(&vec![-1.0; base.sample_types.len()]);
    combine(vec![p, base])
}

/// Keeps the sample types that all profiles have, in the order of the first.
fn common_sample_types(profiles: &mut [Profile]) -> Result<(), MergeError> {
    let Some(first) = profiles.first() else { return Err(MergeError::Nothing) };
    let has = |p: &Profile, kind: &str| p.sample_types.iter().position(|t| p.str(t.kind) == kind);
    let common: Vec<String> = first
        .sample_types
        .iter()
        .map(|t| first.str(t.kind).to_string())
        .filter(|kind| profiles.iter().all(|p| has(p, kind).is_some()))
        .collect();
    if common.is_empty() {
        return Err(MergeError::NothingInCommon);
    }
    for p in profiles {
        let from: Vec<usize> = common.iter().filter_map(|kind| has(p, kind)).collect();
        if from.iter().copied().eq(0..p.sample_types.len()) {
            continue;
        }
        if !common.iter().any(|kind| kind == p.str(p.default_sample_type)) {
            p.default_sample_type = p.strings.intern(&common[0]);
        }
        p.sample_types = from.iter().map(|&i| p.sample_types[i]).collect();
        let old = std::mem::take(&mut p.values);
        for s in &mut p.samples {
            let start = p.values.len() as u32;
            p.values.extend(from.iter().map(|&i| old[s.values.start as usize + i]));
            s.values = Span { start, len: from.len() as u32 };
        }
    }
    Ok(())
}

/// Scales everything to the finest unit that any of the profiles has for it.
fn common_units(profiles: &mut [Profile]) -> Result<(), MergeError> {
    if profiles.len() < 2 {
        return Ok(());
    }
    let text = |p: &Profile, t: ValueType| (p.str(t.kind).to_string(), p.str(t.unit).to_string());
    let finest = |types: Vec<(String, String)>| -> Result<String, MergeError> {
        let mut min = &types[0];
        for t in &types[1..] {
            let stem = |s: &str| s.strip_suffix('s').unwrap_or(s).to_string();
            if stem(&min.0) != stem(&t.0) || !measure::same_kind(&min.1, &t.1) {
                let name = |t: &(String, String)| escape(&format!("{}/{}", t.0, t.1)).into_owned();
                return Err(MergeError::Units(name(min), name(t)));
            }
            if measure::scale(1, &t.1, &min.1).0 < 1.0 {
                min = t;
            }
        }
        Ok(min.1.clone())
    };
    let period_unit = finest(profiles.iter().map(|p| text(p, p.period_type)).collect())?;
    let types = profiles[0].sample_types.len();
    let units = (0..types).map(|i| finest(profiles.iter().map(|p| text(p, p.sample_types[i])).collect()));
    let units = units.collect::<Result<Vec<_>, _>>()?;
    for p in profiles {
        p.period = measure::scale(p.period, p.strings.get(p.period_type.unit), &period_unit).0 as i64;
        p.period_type.unit = p.strings.intern(&period_unit);
        let mut ratios = Vec::new();
        for (t, unit) in p.sample_types.iter_mut().zip(&units) {
            ratios.push(measure::scale(1, p.strings.get(t.unit), unit).0);
            t.unit = p.strings.intern(unit);
        }
        p.scale(&ratios);
    }
    Ok(())
}

fn compatible(a: &Profile, b: &Profile) -> Result<(), MergeError> {
    let equal = |x: ValueType, y: ValueType| a.str(x.kind) == b.str(y.kind) && a.str(x.unit) == b.str(y.unit);
    let name = |p: &Profile, t: ValueType| escape(&format!("{}/{}", p.str(t.kind), p.str(t.unit))).into_owned();
    if !equal(a.period_type, b.period_type) {
        let (a, b) = (name(a, a.period_type), name(b, b.period_type));
        return Err(MergeError::PeriodTypes(a, b));
    }
    let same = a.sample_types.len() == b.sample_types.len()
        && a.sample_types.iter().zip(&b.sample_types).all(|(&x, &y)| equal(x, y));
    if !same {
        let names = |p: &Profile| p.sample_types.iter().map(|&t| name(p, t)).collect::<Vec<_>>().join(", ");
        return Err(MergeError::SampleTypes(names(a), names(b)));
    }
    Ok(())
}

/// Adds up profiles of the same types. Samples that come to nothing are dropped, and everything that only they used.
fn merge(sources: &[Profile]) -> Result<Profile, MergeError> {
    let mut out = Merger::new(sources)?;
    for p in sources {
        Source::new(&mut out, p).add();
    }
    let merged = out.out;
    if merged.samples.iter().any(|s| is_zero(&merged, s)) {
        return merge(&[merged]);
    }
    Ok(merged)
}

fn is_zero(p: &Profile, s: &Sample) -> bool {
    p.values_of(s).iter().all(|&v| v == 0)
}

/// What makes two mappings the same, wherever they were loaded: size in pages, offset, build id or path.
type MappingKey = (u64, u64, StringId);

/// What makes two locations the same: mapping, address within it, folded, lines.
type LocationKey = (Option<u32>, u64, bool, Vec<Line>);

struct Merger {
    out: Profile,
    mappings: FxHashMap<MappingKey, u32>,
    locations: FxHashMap<LocationKey, u32>,
    functions: FxHashMap<(i64, StringId, StringId, StringId), u32>,
    samples: HashTable<u32>,
}

impl Merger {
    fn new(sources: &[Profile]) -> Result<Merger, MergeError> {
        let first = sources.first().ok_or(MergeError::Nothing)?;
        let mut out = Profile::default();
        let mut comments: Vec<&str> = Vec::new();
        let (mut default, mut doc_url) = ("", "");
        for p in sources {
            compatible(first, p)?;
            if out.time_nanos == 0 || p.time_nanos < out.time_nanos {
                out.time_nanos = p.time_nanos;
            }
            out.duration_nanos = out.duration_nanos.wrapping_add(p.duration_nanos);
            if out.period == 0 || out.period < p.period {
                out.period = p.period;
            }
            for c in p.comments.iter().map(|&c| p.str(c)) {
                if !comments.contains(&c) {
                    comments.push(c);
                }
            }
            default = if default.is_empty() { p.str(p.default_sample_type) } else { default };
            doc_url = if doc_url.is_empty() { p.str(p.doc_url) } else { doc_url };
        }
        let mut intern = |s: &str| out.strings.intern(s);
        out.comments = comments.iter().map(|c| intern(c)).collect();
        out.default_sample_type = intern(default);
        out.doc_url = intern(doc_url);
        out.drop_frames = intern(first.str(first.drop_frames));
        out.keep_frames = intern(first.str(first.keep_frames));
        let mut value_type =
            |t: &ValueType| ValueType { kind: intern(first.str(t.kind)), unit: intern(first.str(t.unit)) };
        let types = first.sample_types.iter().map(&mut value_type).collect();
        let period_type = value_type(&first.period_type);
        (out.sample_types, out.period_type) = (types, period_type);
        Ok(Merger {
            out,
            mappings: FxHashMap::default(),
            locations: FxHashMap::default(),
            functions: FxHashMap::default(),
            samples: HashTable::new(),
        })
    }
}

/// One source on its way into the merged profile, with what is known of its handles there.
struct Source<'a> {
    into: &'a mut Merger,
    from: &'a Profile,
    strings: Vec<Option<StringId>>,
    mappings: Vec<Option<(u32, u64)>>,
    functions: Vec<Option<u32>>,
    locations: Vec<Option<u32>>,
}

impl<'a> Source<'a> {
    fn new(into: &'a mut Merger, from: &'a Profile) -> Source<'a> {
        Source {
            into,
            from,
            strings: vec![None; from.strings.len()],
            mappings: vec![None; from.mappings.len()],
            functions: vec![None; from.functions.len()],
            locations: vec![None; from.locations.len()],
        }
    }

    fn add(&mut self) {
        // The program is the first mapping, and has to stay it.
        if self.into.mappings.is_empty() && !self.from.mappings.is_empty() {
            self.mapping(0);
        }
        for s in &self.from.samples {
            if !is_zero(self.from, s) {
                self.sample(s);
            }
        }
    }

    fn string(&mut self, id: StringId) -> StringId {
        let strings = &mut self.into.out.strings;
        match self.strings.get_mut(id.index()) {
            Some(slot) => *slot.get_or_insert_with(|| strings.intern(self.from.str(id))),
            None => Strings::EMPTY,
        }
    }

    /// The mapping's handle, and what has to be added to its addresses.
    fn mapping(&mut self, i: u32) -> (u32, u64) {
        if let Some(known) = self.mappings[i as usize] {
            return known;
        }
        const PAGE: u64 = 0x1000;
        let m = self.from.mappings[i as usize];
        let (file, build_id) = (self.string(m.file), self.string(m.build_id));
        let pages = m.limit.wrapping_sub(m.start).wrapping_add(PAGE - 1) / PAGE;
        let name = if build_id != Strings::EMPTY { build_id } else { file };
        let mappings = &mut self.into.out.mappings;
        let new = *self.into.mappings.entry((pages, m.offset, name)).or_insert_with(|| {
            mappings.push(Mapping { id: mappings.len() as u64 + 1, file, build_id, ..m });
            mappings.len() as u32 - 1
        });
        let result = (new, mappings[new as usize].start.wrapping_sub(m.start));
        self.mappings[i as usize] = Some(result);
        result
    }

    fn function(&mut self, i: u32) -> u32 {
        if let Some(known) = self.functions[i as usize] {
            return known;
        }
        let f = self.from.functions[i as usize];
        let (name, system_name, file) = (self.string(f.name), self.string(f.system_name), self.string(f.file));
        let functions = &mut self.into.out.functions;
        let new = *self.into.functions.entry((f.start_line, name, system_name, file)).or_insert_with(|| {
            functions.push(Function { id: functions.len() as u64 + 1, name, system_name, file, ..f });
            functions.len() as u32 - 1
        });
        self.functions[i as usize] = Some(new);
        new
    }

    fn location(&mut self, i: u32) -> u32 {
        if let Some(known) = self.locations[i as usize] {
            return known;
        }
        let l = self.from.locations[i as usize];
        let (mapping, shift) = l.mapping.map(|m| self.mapping(m)).unzip();
        let address = l.address.wrapping_add(shift.unwrap_or(0));
        let mut lines = self.from.lines_of(&l).to_vec();
        for n in &mut lines {
            n.function = self.function(n.function);
        }
        let out = &mut self.into.out;
        let start = mapping.map_or(0, |m| out.mappings[m as usize].start);
        let key = (mapping, address.wrapping_sub(start), l.folded, lines);
        let new = match self.into.locations.entry(key) {
            std::collections::hash_map::Entry::Occupied(e) => *e.get(),
            std::collections::hash_map::Entry::Vacant(e) => {
                let lines = Span { start: out.lines.len() as u32, len: e.key().3.len() as u32 };
                out.lines.extend(&e.key().3);
                let id = out.locations.len() as u64 + 1;
                out.locations.push(Location { id, mapping, address, lines, folded: l.folded });
                *e.insert(out.locations.len() as u32 - 1)
            }
        };
        self.locations[i as usize] = Some(new);
        new
    }

    fn sample(&mut self, s: &Sample) {
        // Pushed first and taken back if an equal one is there already.
        let frames = self.into.out.frames.len();
        for &l in self.from.stack_of(s) {
            let l = self.location(l);
            self.into.out.frames.push(l);
        }
        let labels = self.into.out.labels.len();
        for l in self.from.labels_of(s) {
            let value = match l.value {
                LabelValue::Text(v) => LabelValue::Text(self.string(v)),
                LabelValue::Number(v, unit) => LabelValue::Number(v, self.string(unit)),
            };
            let key = self.string(l.key);
            self.into.out.labels.push(Label { key, value });
        }
        let Merger { out, samples, .. } = &mut *self.into;
        sort_labels(&out.strings, &mut out.labels[labels..]);
        let Profile { samples: list, frames: all_frames, labels: all_labels, values: all_values, .. } = out;
        let key_of = |s: &Sample| (&all_frames[s.stack.range()], &all_labels[s.labels.range()]);
        let hash_of = |s: &Sample| {
            let mut h = FxHasher::default();
            key_of(s).hash(&mut h);
            h.finish()
        };
        let span = |from: usize, to: usize| Span { start: from as u32, len: (to - from) as u32 };
        let new = Sample {
            stack: span(frames, all_frames.len()),
            labels: span(labels, all_labels.len()),
            values: span(all_values.len(), all_values.len() + self.from.sample_types.len()),
        };
        let entry = samples.entry(
            hash_of(&new),
            |&i| key_of(&list[i as usize]) == key_of(&new),
            |&i| hash_of(&list[i as usize]),
        );
        match entry {
            Entry::Occupied(e) => {
                let old = list[*e.get() as usize];
                let values = all_values[old.values.range()].iter_mut();
                values.zip(self.from.values_of(s)).for_each(|(sum, v)| *sum = sum.wrapping_add(*v));
                all_frames.truncate(frames);
                all_labels.truncate(labels);
            }
            Entry::Vacant(e) => {
                e.insert(list.len() as u32);
                all_values.extend(self.from.values_of(s));
                list.push(new);
            }
        }
    }
}
