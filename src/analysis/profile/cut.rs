//! Narrowing a profile to the samples through a function, or with a label, or to those without.

use super::variants;
use crate::profile::convert::LabelUnits;
use crate::profile::model::{Label, LabelValue, Profile, Sample};
use crate::profile::ops::measure;

/// What samples are told apart by. Names are as the profile has them, not escaped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// A function that is on the stack, or [a family](variants::family) of them.
    Func(String),
    /// A label's name, and its value as [`text`] has it; `None` for samples without a label of that name.
    Label(String, Option<String>),
}

/// Which samples are left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// What they have…
    pub what: What,
    /// … or do not have.
    pub without: bool,
}

/// The value of a label as text, numbers in the largest unit that fits, as pprof's `tags` has them.
pub fn text(p: &Profile, units: &LabelUnits, l: &Label) -> String {
    match l.value {
        LabelValue::Text(v) => p.str(v).to_string(),
        LabelValue::Number(v, _) => measure::scaled_label(v, units.get(p, l.key), "auto"),
    }
}

impl Cut {
    /// Takes out of `samples`, positions in those of `p`, what is not left.
    pub fn apply(&self, p: &Profile, units: &LabelUnits, samples: &mut Vec<usize>) {
        let mut retain = |has: &dyn Fn(&Sample) -> bool| {
            samples.retain(|&i| p.samples.get(i).is_some_and(|s| has(s) != self.without));
        };
        match &self.what {
            What::Func(name) => {
                let is = |func: &str| func == name || variants::family(func).is_some_and(|f| f == *name);
                let is: Vec<bool> = p.functions.iter().map(|f| is(p.str(f.name))).collect();
                let there = |l: u32| p.lines_of(&p.locations[l as usize]).iter().any(|n| is[n.function as usize]);
                let there: Vec<bool> = (0..p.locations.len() as u32).map(there).collect();
                retain(&|s| p.stack_of(s).iter().any(|&l| there[l as usize]));
            }
            What::Label(key, value) => {
                let of_key = |s: &Sample| p.labels_of(s).iter().filter(|l| p.str(l.key) == key).copied();
                match value {
                    Some(v) => retain(&|s| of_key(s).any(|l| text(p, units, &l) == *v)),
                    None => retain(&|s| of_key(s).next().is_none()),
                }
            }
        }
    }
}
