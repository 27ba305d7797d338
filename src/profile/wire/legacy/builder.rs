//! Collects what a legacy text says into a profile.

use super::maps;
use super::maps::Mapping;
use crate::profile::wire::proto;
use rustc_hash::FxHashMap;

/// What stands for a function of the runtime of which Go's texts leave the name out.
pub(crate) const HIDDEN: &str = "runtime.[hidden]";

/// A call that stands at an address.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub function: String,
    pub file: String,
    pub line: i64,
}

/// A label of a sample.
pub(crate) enum Label {
    Text(&'static str, String),
    Number(&'static str, i64),
    Owned(String, String),
}

struct Location {
    address: u64,
    calls: Vec<Call>,
}

struct Sample {
    /// Positions in `locations`, leaf first.
    stack: Vec<u32>,
    values: Vec<i64>,
    labels: Vec<Label>,
}

/// A profile in the making. Locations are told apart by address until [`finish`](Builder::finish).
#[derive(Default)]
pub(crate) struct Builder {
    pub period_type: (String, String),
    pub period: i64,
    pub duration_nanos: i64,
    pub sample_types: Vec<(String, String)>,
    pub mappings: Vec<Mapping>,
    /// Whether addresses are left out in the end, so that profiles of different runs merge.
    pub forget_addresses: bool,
    locations: Vec<Location>,
    by_address: FxHashMap<u64, u32>,
    samples: Vec<Sample>,
}

impl Builder {
    /// A profile whose samples have these types, each a name and a unit.
    pub fn new(types: &[(&str, &str)], period_type: (&str, &str), period: i64) -> Builder {
        let own = |t: &(&str, &str)| (t.0.to_string(), t.1.to_string());
        Builder {
            sample_types: types.iter().map(own).collect(),
            period_type: own(&period_type),
            period,
            ..Builder::default()
        }
    }

    /// The location of an address, made at its first mention.
    pub fn location(&mut self, address: u64) -> u32 {
        *self.by_address.entry(address).or_insert_with(|| {
            self.locations.push(Location { address, calls: Vec::new() });
            (self.locations.len() - 1) as u32
        })
    }

    /// A location that is not told apart by address.
    pub fn anonymous(&mut self, calls: Vec<Call>) -> u32 {
        self.locations.push(Location { address: 0, calls });
        (self.locations.len() - 1) as u32
    }

    /// The location of an address, if a sample has mentioned it.
    pub fn find(&self, address: u64) -> Option<u32> {
        self.by_address.get(&address).copied()
    }

    /// Says which calls stand at a location, innermost first, in place of its address.
    pub fn set_calls(&mut self, location: u32, calls: Vec<Call>) {
        self.locations[location as usize] = Location { address: 0, calls };
    }

    /// Adds one call to those that stand at a location.
    pub fn add_call(&mut self, location: u32, call: Call) {
        self.locations[location as usize].calls.push(call);
    }

    /// The calls that are known to stand at a location.
    pub fn calls(&self, location: u32) -> &[Call] {
        &self.locations[location as usize].calls
    }

    /// Adds a sample. `stack` is leaf first.
    pub fn sample(&mut self, stack: Vec<u32>, values: Vec<i64>, labels: Vec<Label>) {
        self.samples.push(Sample { stack, values, labels });
    }

    /// Adds a sample of return addresses, leaf first. Those from position `from` on are moved back by one, to lie in the
    /// call instruction.
    pub fn sample_at(&mut self, addresses: &[u64], from: usize, values: Vec<i64>, labels: Vec<Label>) {
        let stack = addresses.iter().enumerate();
        let stack = stack.map(|(i, &a)| self.location(if i >= from { a.wrapping_sub(1) } else { a })).collect();
        self.sample(stack, values, labels);
    }

    /// Counts the last sample once more.
    pub fn repeat_last(&mut self) {
        if let Some(value) = self.samples.last_mut().and_then(|s| s.values.first_mut()) {
            *value = value.wrapping_add(1);
        }
    }

    /// Adds a label to the last sample.
    pub fn label_last(&mut self, label: Label) {
        if let Some(s) = self.samples.last_mut() {
            s.labels.push(label);
        }
    }

    /// Removes the frame above the leaf where nearly all samples have the same one: it was pushed by the signal handler
    /// that took the sample. Twice, because two may have been pushed.
    pub fn strip_handler(&mut self) {
        for _ in 0..2 {
            let mut counts: FxHashMap<u32, usize> = FxHashMap::default();
            for second in self.samples.iter().filter_map(|s| s.stack.get(1)) {
                *counts.entry(*second).or_default() += 1;
            }
            let enough = self.samples.len() - self.samples.len() / 32;
            let Some(handler) = counts.iter().find(|&(_, &n)| n >= enough).map(|(&l, _)| l) else { break };
            for s in &mut self.samples {
                if s.stack.get(1) == Some(&handler) {
                    s.stack.remove(1);
                }
            }
        }
    }

    /// Removes the frame above the leaf where it is the leaf again, moved back like a return address.
    pub fn strip_twin_leaf(&mut self) {
        let address = |l: u32| self.locations[l as usize].address;
        for s in &mut self.samples {
            if s.stack.len() > 1 && address(s.stack[0]) == address(s.stack[1]).wrapping_add(1) {
                s.stack.remove(1);
            }
        }
    }

    /// Names the frames that Go leaves out when it prints the symbols of a stack: functions of the runtime above the
    /// leaf, and `runtime.goexit` at the root. Without their names they could not be dropped like those of the newer
    /// format.
    pub fn name_hidden(&mut self) {
        // Samples share locations: what one has named is still hidden in the next.
        let told: Vec<bool> = self.locations.iter().map(|l| !l.calls.is_empty()).collect();
        let named = |l: &u32| told[*l as usize];
        let mut name = |l: u32, name: &str| {
            let calls = &mut self.locations[l as usize].calls;
            if calls.is_empty() {
                calls.push(Call { function: name.to_string(), file: String::new(), line: 0 });
            }
        };
        for s in &self.samples {
            let (Some(first), Some(last)) = (s.stack.iter().position(named), s.stack.iter().rposition(named)) else {
                continue;
            };
            s.stack[..first].iter().for_each(|&l| name(l, HIDDEN));
            if let [root] = s.stack[last + 1..] {
                name(root, "runtime.goexit");
            }
        }
    }

    /// The profile, with locations and functions numbered by first use.
    pub fn finish(mut self) -> proto::Profile {
        maps::repair(&mut self.mappings);
        let mut strings = Strings::default();
        let mut p = proto::Profile { period: self.period, duration_nanos: self.duration_nanos, ..Default::default() };
        strings.index("");
        let mut value_type =
            |t: &(String, String)| proto::ValueType { r#type: strings.index(&t.0), unit: strings.index(&t.1) };
        p.sample_type = self.sample_types.iter().map(&mut value_type).collect();
        p.period_type = Some(value_type(&self.period_type));

        let mut ids = vec![0u64; self.locations.len()];
        let mut used = Vec::new();
        for s in &self.samples {
            for &l in &s.stack {
                if ids[l as usize] == 0 {
                    used.push(l);
                    ids[l as usize] = used.len() as u64;
                }
            }
            p.sample.push(proto::Sample {
                location_id: s.stack.iter().map(|&l| ids[l as usize]).collect(),
                value: s.values.clone(),
                label: s.labels.iter().map(|l| strings.label(l)).collect(),
            });
        }
        let mut functions: FxHashMap<(&str, &str), u64> = FxHashMap::default();
        let addresses: Vec<u64> = used.iter().map(|&l| self.locations[l as usize].address).collect();
        let mapped = maps::assign(&mut self.mappings, &addresses);
        for (i, &l) in used.iter().enumerate() {
            let l = &self.locations[l as usize];
            let mut line = Vec::new();
            for call in &l.calls {
                let next = functions.len() as u64 + 1;
                let id = *functions.entry((&call.function, &call.file)).or_insert(next);
                if id == next {
                    let name = strings.index(&call.function);
                    let filename = strings.index(&call.file);
                    p.function.push(proto::Function { id, name, system_name: name, filename, start_line: 0 });
                }
                line.push(proto::Line { function_id: id, line: call.line, column: 0 });
            }
            p.location.push(proto::Location {
                id: i as u64 + 1,
                mapping_id: mapped[i],
                address: if self.forget_addresses { 0 } else { l.address },
                line,
                is_folded: false,
            });
        }
        // A mapping counts as symbolized once any of its locations is.
        let mut symbolized = vec![false; self.mappings.len()];
        for l in p.location.iter().filter(|l| !l.line.is_empty() && l.mapping_id > 0) {
            symbolized[l.mapping_id as usize - 1] = true;
        }
        for (i, m) in self.mappings.iter().enumerate() {
            p.mapping.push(proto::Mapping {
                id: i as u64 + 1,
                memory_start: m.start,
                memory_limit: m.limit,
                file_offset: m.offset,
                filename: strings.index(&m.file),
                build_id: strings.index(&m.build_id),
                has_functions: symbolized[i],
                has_filenames: symbolized[i],
                has_line_numbers: symbolized[i],
                has_inline_frames: symbolized[i],
            });
        }
        p.string_table = strings.table;
        p
    }
}

/// A string table in the making.
#[derive(Default)]
pub(crate) struct Strings {
    pub table: Vec<Vec<u8>>,
    ids: FxHashMap<String, i64>,
}

impl Strings {
    /// The index of `s`, added if it is new.
    pub fn index(&mut self, s: &str) -> i64 {
        if let Some(&i) = self.ids.get(s) {
            return i;
        }
        let i = self.table.len() as i64;
        self.table.push(s.as_bytes().to_vec());
        self.ids.insert(s.to_string(), i);
        i
    }

    fn label(&mut self, label: &Label) -> proto::Label {
        match label {
            Label::Text(key, value) => {
                proto::Label { key: self.index(key), str: self.index(value), ..Default::default() }
            }
            Label::Owned(key, value) => {
                proto::Label { key: self.index(key), str: self.index(value), ..Default::default() }
            }
            Label::Number(key, value) => proto::Label { key: self.index(key), num: *value, ..Default::default() },
        }
    }
}
