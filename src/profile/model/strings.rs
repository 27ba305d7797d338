//! The strings of a profile, each once, behind a handle.

use crate::base::StringId;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// Interned strings. Handle 0 is always the empty string.
#[derive(Clone, Debug)]
pub struct Strings {
    text: String,
    ends: Vec<u32>,
    ids: HashTable<u32>,
}

impl Default for Strings {
    fn default() -> Self {
        let mut s = Strings { text: String::new(), ends: Vec::new(), ids: HashTable::new() };
        s.intern("");
        s
    }
}

fn hash(s: &str) -> u64 {
    let mut h = FxHasher::default();
    h.write(s.as_bytes());
    h.finish()
}

fn slice<'a>(text: &'a str, ends: &[u32], i: u32) -> &'a str {
    let from = if i == 0 { 0 } else { ends[i as usize - 1] };
    &text[from as usize..ends[i as usize] as usize]
}

impl Strings {
    /// The empty string.
    pub const EMPTY: StringId = StringId(0);

    /// The handle of `s`, added if it is new. Texts of more than 4 GiB together are cut off: what does not fit is
    /// interned as the empty string.
    pub fn intern(&mut self, s: &str) -> StringId {
        let Strings { text, ends, ids } = self;
        let Ok(end) = u32::try_from(text.len() + s.len()) else { return Self::EMPTY };
        let h = hash(s);
        match ids.entry(h, |&i| slice(text, ends, i) == s, |&i| hash(slice(text, ends, i))) {
            Entry::Occupied(e) => StringId(*e.get()),
            Entry::Vacant(e) => {
                let id = ends.len() as u32;
                e.insert(id);
                text.push_str(s);
                ends.push(end);
                StringId(id)
            }
        }
    }

    /// The text behind a handle; empty for one that is not of this table.
    pub fn get(&self, id: StringId) -> &str {
        if id.index() < self.ends.len() { slice(&self.text, &self.ends, id.0) } else { "" }
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Never: the empty string is always there.
    pub fn is_empty(&self) -> bool {
        false
    }
}
