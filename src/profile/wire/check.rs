//! Whether a decoded profile means anything: indices in their tables, ids unique, values as many as types.

use super::error::Error;
use super::proto::Profile;
use rustc_hash::FxHashMap;

/// From the ids of a table to positions in it.
///
/// Producers nearly always count 1, 2, 3 …, so ids up to the table's length are looked up in an array; any other goes
/// through a hash map. The array is as long as the table, never as large as an id.
pub struct IdMap {
    dense: Vec<u32>,
    sparse: FxHashMap<u64, u32>,
}

impl IdMap {
    /// Numbers `ids` in order. Errors on id 0 and on an id that occurs twice; `what` names the table.
    pub fn new(what: &'static str, ids: impl ExactSizeIterator<Item = u64>) -> Result<IdMap, Error> {
        let mut map = IdMap { dense: vec![u32::MAX; ids.len() + 1], sparse: FxHashMap::default() };
        for (i, id) in ids.enumerate() {
            if id == 0 {
                return Err(Error::ReservedId(what));
            }
            let old = match usize::try_from(id).ok().and_then(|id| map.dense.get_mut(id)) {
                Some(slot) => std::mem::replace(slot, i as u32),
                None => map.sparse.insert(id, i as u32).unwrap_or(u32::MAX),
            };
            if old != u32::MAX {
                return Err(Error::DuplicateId { what, id });
            }
        }
        Ok(map)
    }

    /// The position of `id`.
    pub fn get(&self, id: u64) -> Option<u32> {
        let i = match usize::try_from(id).ok().and_then(|id| self.dense.get(id)) {
            Some(&i) => i,
            None => *self.sparse.get(&id)?,
        };
        (i != u32::MAX).then_some(i)
    }
}

/// Positions by id of the three tables.
pub struct Ids {
    /// Of [`Profile::mapping`].
    pub mappings: IdMap,
    /// Of [`Profile::location`].
    pub locations: IdMap,
    /// Of [`Profile::function`].
    pub functions: IdMap,
}

impl Ids {
    /// Numbers the tables of `p`.
    fn new(p: &Profile) -> Result<Ids, Error> {
        Ok(Ids {
            mappings: IdMap::new("mapping", p.mapping.iter().map(|m| m.id))?,
            functions: IdMap::new("function", p.function.iter().map(|f| f.id))?,
            locations: IdMap::new("location", p.location.iter().map(|l| l.id))?,
        })
    }
}

/// Whether every string index of `p` is in its table.
///
/// Without a string table nothing can be a profile: even the absent name is string 0. This is what tells a protobuf
/// apart from text that happens to parse as one.
pub(crate) fn check_strings(p: &Profile) -> Result<(), Error> {
    match p.string_table.first() {
        None => return Err(Error::NoStringTable),
        Some(s) if !s.is_empty() => return Err(Error::FirstString),
        Some(_) => {}
    }
    let len = p.string_table.len();
    let check = |what: &'static str, index: i64| {
        if (0..len as i64).contains(&index) { Ok(()) } else { Err(Error::StringIndex { what, index, len }) }
    };
    for t in p.sample_type.iter().chain(&p.period_type) {
        check("a value type", t.r#type)?;
        check("a value type", t.unit)?;
    }
    for m in &p.mapping {
        check("a mapping", m.filename)?;
        check("a mapping", m.build_id)?;
    }
    for f in &p.function {
        check("a function", f.name)?;
        check("a function", f.system_name)?;
        check("a function", f.filename)?;
    }
    for l in p.sample.iter().flat_map(|s| &s.label) {
        check("a label", l.key)?;
        check("a label", l.str)?;
        check("a label", l.num_unit)?;
    }
    for &c in &p.comment {
        check("a comment", c)?;
    }
    check("drop_frames", p.drop_frames)?;
    check("keep_frames", p.keep_frames)?;
    check("default_sample_type", p.default_sample_type)?;
    check("doc_url", p.doc_url)
}

/// Whether the tables of `p` fit together. Says nothing of its strings. Gives the positions of all ids.
pub fn check(p: &Profile) -> Result<Ids, Error> {
    let types = p.sample_type.len();
    if types == 0 && !p.sample.is_empty() {
        return Err(Error::NoSampleTypes);
    }
    let ids = Ids::new(p)?;
    for (i, s) in p.sample.iter().enumerate() {
        if s.value.len() != types {
            return Err(Error::ValueCount { sample: i, values: s.value.len(), types });
        }
        if let Some(&id) = s.location_id.iter().find(|&&id| ids.locations.get(id).is_none()) {
            return Err(Error::UnknownLocation { sample: i, id });
        }
    }
    for l in &p.location {
        if let Some(line) = l.line.iter().find(|n| ids.functions.get(n.function_id).is_none()) {
            return Err(Error::UnknownFunction { location: l.id, id: line.function_id });
        }
    }
    Ok(ids)
}
