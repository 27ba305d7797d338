//! `traces`: every sample with its labels and its stack.

use super::Report;
use crate::base::text::escape;
use crate::profile::model::{LabelValue, by_key};
use crate::profile::ops::graph::Places;
use crate::profile::ops::measure;
use std::io::{self, Write};

const SEPARATOR: &str = "-----------+-------------------------------------------------------";

/// Prints the report.
pub fn write(r: &mut Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", r.profile_labels().join("\n"))?;
    let places = Places::new(&mut r.profile, false);
    let p = &r.profile;
    let mut names: Vec<Option<String>> = vec![None; places.len()];
    for s in &p.samples {
        let stack = p.stack_of(s);
        if stack.is_empty() {
            continue;
        }
        writeln!(out, "{SEPARATOR}")?;
        let mut labels = [Vec::new(), Vec::new()];
        for of_key in by_key(p.labels_of(s)) {
            let key = of_key[0].key;
            let values = of_key.iter().map(|l| match l.value {
                LabelValue::Text(v) => escape(p.str(v)).into_owned(),
                LabelValue::Number(v, _) => escape(&measure::label(v, r.units.get(p, key))).into_owned(),
            });
            let values = values.collect::<Vec<_>>().join(" ");
            let is_number = matches!(of_key[0].value, LabelValue::Number(..));
            labels[usize::from(is_number)].push(format!("{:>10}:  {values}\n", escape(p.str(key))));
        }
        for lines in &mut labels {
            lines.sort();
            out.write_all(lines.concat().as_bytes())?;
        }
        let mut value = r.value(r.weights.of(p.values_of(s)).get());
        for &l in stack {
            for &(n, inline) in places.of(l) {
                let name = names[n as usize].get_or_insert_with(|| places.info(n).printable(p));
                let inline = if inline { " (inline)" } else { "" };
                writeln!(out, "{value:>10}   {name}{inline}")?;
                value.clear();
            }
        }
    }
    writeln!(out, "{SEPARATOR}")
}
