//! The labels of a profile's samples: what each value of each of them costs.

use super::cut;
use crate::profile::convert::LabelUnits;
use crate::profile::model::{DIFF_BASE_LABEL, Label, Profile, Sample};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// A label.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facet {
    /// Its name, as the profile has it.
    pub key: String,
    /// What the samples with it cost.
    pub all: Share,
    /// Its values in the order of their names, and last, if there are samples without it, these: a sample that has
    /// several of its values counts for each.
    pub values: Vec<Value>,
}

/// A value of a label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value {
    /// The value as [`cut::text`] has it; `None` stands for the samples without the label.
    pub text: Option<String>,
    /// What the samples with it cost.
    pub share: Share,
}

/// What some samples cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Share {
    /// In the unit of the sample type.
    pub flat: i64,
    /// Where profiles are compared, what they cost before; `flat` is by how much that has changed.
    pub before: i64,
    /// How much of what is counted they are.
    pub count: i64,
    /// How many stacks they are.
    pub stacks: usize,
}

impl Share {
    /// Where profiles are compared, what they cost now.
    pub fn after(&self) -> i64 {
        self.before.wrapping_add(self.flat)
    }

    /// What they cost now in parts of what they cost before; infinite for what is new.
    pub fn ratio(&self) -> f64 {
        super::ratio(self.before, self.after())
    }

    fn add(&mut self, (flat, before, count): Cost) {
        self.flat = self.flat.wrapping_add(flat);
        self.before = self.before.wrapping_add(before);
        self.count = self.count.wrapping_add(count);
        self.stacks += 1;
    }
}

/// What [`Share`] has of one sample: `flat`, `before` and `count`.
type Cost = (i64, i64, i64);

/// The labels of a profile's samples; `cost` gives a sample's value, what it was before, and how much of what is counted
/// it is.
pub fn facets(p: &Profile, units: &LabelUnits, cost: impl Fn(&Sample) -> Cost) -> Vec<Facet> {
    // Text is made once for each value, and not for each sample.
    let mut known: FxHashMap<Label, (usize, usize)> = FxHashMap::default();
    let mut keys: Vec<Facet> = Vec::new();
    let mut key_of: FxHashMap<&str, usize> = FxHashMap::default();
    let mut value_of: Vec<FxHashMap<String, usize>> = Vec::new();
    let mut all = Share::default();
    // The last sample that counted for each key and each of its values, from 1.
    let mut counted: Vec<(usize, Vec<usize>)> = Vec::new();
    for (i, s) in p.samples.iter().enumerate() {
        let cost = cost(s);
        all.add(cost);
        for l in p.labels_of(s).iter().filter(|l| p.str(l.key) != DIFF_BASE_LABEL.0) {
            let at = *known.entry(*l).or_insert_with(|| {
                let key = p.str(l.key);
                let k = *key_of.entry(key).or_insert(keys.len());
                if k == keys.len() {
                    keys.push(Facet { key: key.to_string(), ..Facet::default() });
                    value_of.push(FxHashMap::default());
                    counted.push((0, Vec::new()));
                }
                let text = cut::text(p, units, l);
                let values = &mut keys[k].values;
                let v = *value_of[k].entry(text.clone()).or_insert(values.len());
                if v == values.len() {
                    values.push(Value { text: Some(text), share: Share::default() });
                    counted[k].1.push(0);
                }
                (k, v)
            });
            let (key, values) = &mut counted[at.0];
            if std::mem::replace(key, i + 1) != i + 1 {
                keys[at.0].all.add(cost);
            }
            if std::mem::replace(&mut values[at.1], i + 1) != i + 1 {
                keys[at.0].values[at.1].share.add(cost);
            }
        }
    }
    let mut sorted: BTreeMap<String, Facet> = BTreeMap::new();
    for mut f in keys {
        f.values.sort_by(|a, b| a.text.cmp(&b.text));
        if f.all.stacks < all.stacks {
            let rest = Share {
                flat: all.flat.wrapping_sub(f.all.flat),
                before: all.before.wrapping_sub(f.all.before),
                count: all.count.wrapping_sub(f.all.count),
                stacks: all.stacks - f.all.stacks,
            };
            f.values.push(Value { text: None, share: rest });
        }
        sorted.insert(f.key.clone(), f);
    }
    sorted.into_values().collect()
}
