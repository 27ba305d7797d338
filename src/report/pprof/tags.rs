//! `tags`: for each label how much each of its values cost.

use super::Report;
use crate::base::text::escape;
use crate::profile::model::LabelValue;
use crate::profile::ops::measure;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Prints the report.
pub fn write(r: &Report, out: &mut dyn Write) -> io::Result<()> {
    let p = &r.profile;
    let mut keys: BTreeMap<&str, (i64, FxHashMap<String, i64>)> = BTreeMap::new();
    for s in &p.samples {
        let weight = r.weights.of(p.values_of(s)).value;
        for l in p.labels_of(s) {
            let value = match l.value {
                LabelValue::Text(v) => p.str(v).to_string(),
                LabelValue::Number(v, _) => measure::scaled_label(v, r.units.get(p, l.key), &r.output_unit),
            };
            let (sum, values) = keys.entry(p.str(l.key)).or_default();
            *sum = sum.wrapping_add(weight);
            let one = values.entry(value).or_default();
            *one = one.wrapping_add(weight);
        }
    }
    for (key, (sum, values)) in keys {
        let mut values: Vec<(String, i64)> = values.into_iter().collect();
        values.sort_by(|a, b| b.1.wrapping_abs().cmp(&a.1.wrapping_abs()).then_with(|| a.0.cmp(&b.0)));
        let share = |v: i64| if r.total > 0 { format!(" ({})", r.share(v)) } else { String::new() };
        let head = format!("{}:", escape(key));
        let costs: Vec<String> = values.iter().map(|&(_, v)| format!("{}{}:", r.value(v), share(v))).collect();
        let first = 1 + head.chars().count().max(usize::from(!costs.is_empty()));
        let second = 1 + costs.iter().map(|c| c.chars().count()).max().unwrap_or(0);
        let (sum, total, share_of_sum) = (r.value(sum), r.value(r.total), share(sum));
        writeln!(out, "{} Total {sum} of {total}{share_of_sum}", right(&head, first))?;
        for ((value, _), cost) in values.iter().zip(costs) {
            writeln!(out, "{}{} {}", right("", first), right(&cost, second), escape(value))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// `s` at the right end of `width` columns. The width comes from the profile, and may be larger than what formatting takes.
fn right(s: &str, width: usize) -> String {
    let padding = width.saturating_sub(s.chars().count());
    format!("{}{s}", " ".repeat(padding))
}
