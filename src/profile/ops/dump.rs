//! The whole profile as text, for people who look for what is wrong with it: what `pprof -raw` prints.

use crate::base::text::escape;
use crate::profile::model::{LabelValue, Profile, Strings, by_key};
use std::fmt::Write;

impl Profile {
    /// The whole profile as text, the same as google/pprof's `Profile.String`, but with times in UTC.
    pub fn to_debug_string(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_debug(&mut out);
        out
    }

    fn write_debug(&self, out: &mut String) -> std::fmt::Result {
        let text = |id| escape(self.str(id));
        for &c in &self.comments {
            writeln!(out, "Comment: {}", text(c))?;
        }
        if !self.str(self.doc_url).is_empty() {
            writeln!(out, "Doc: {}", text(self.doc_url))?;
        }
        writeln!(out, "PeriodType: {} {}", text(self.period_type.kind), text(self.period_type.unit))?;
        writeln!(out, "Period: {}", self.period)?;
        if self.time_nanos != 0 {
            writeln!(out, "Time: {}", timestamp(self.time_nanos, true))?;
        }
        if self.duration_nanos != 0 {
            let text = duration(self.duration_nanos);
            writeln!(out, "Duration: {}", text.chars().take(4).collect::<String>())?;
        }
        writeln!(out, "Samples:")?;
        let mut types = String::new();
        for t in &self.sample_types {
            let default = if self.str(t.kind) == self.str(self.default_sample_type) { "[dflt]" } else { "" };
            write!(types, "{}/{}{default} ", text(t.kind), text(t.unit))?;
        }
        writeln!(out, "{}", types.trim())?;
        for s in &self.samples {
            for v in self.values_of(s) {
                write!(out, " {v:>10}")?;
            }
            out.push_str(": ");
            for &l in self.stack_of(s) {
                write!(out, "{} ", self.locations[l as usize].id)?;
            }
            out.push('\n');
            self.write_labels(out, s)?;
        }
        writeln!(out, "Locations")?;
        for l in &self.locations {
            let mut head = format!("{:>6}: {:#x} ", l.id, l.address);
            if let Some(m) = l.mapping {
                write!(head, "M={} ", self.mappings[m as usize].id)?;
            }
            if l.folded {
                head.push_str("[F] ");
            }
            if l.lines.len == 0 {
                writeln!(out, "{head}")?;
            }
            for n in self.lines_of(l) {
                let f = &self.functions[n.function as usize];
                write!(out, "{head}{} {}:{}:{} s={}", text(f.name), text(f.file), n.line, n.column, f.start_line)?;
                if f.name != f.system_name {
                    write!(out, "({})", text(f.system_name))?;
                }
                out.push('\n');
                head = " ".repeat(13);
            }
        }
        writeln!(out, "Mappings")?;
        for m in &self.mappings {
            write!(out, "{}: {:#x}/{:#x}/{:#x} ", m.id, m.start, m.limit, m.offset)?;
            write!(out, "{} {} ", text(m.file), text(m.build_id))?;
            for (has, flag) in [
                (m.has_functions, "[FN]"),
                (m.has_filenames, "[FL]"),
                (m.has_line_numbers, "[LN]"),
                (m.has_inline_frames, "[IN]"),
            ] {
                out.push_str(if has { flag } else { "" });
            }
            out.push('\n');
        }
        Ok(())
    }

    /// A line for the strings among a sample's labels and one for the numbers.
    fn write_labels(&self, out: &mut String, s: &crate::profile::model::Sample) -> std::fmt::Result {
        let mut lines = [Vec::new(), Vec::new()];
        for labels in by_key(self.labels_of(s)) {
            let has_units = labels.iter().any(|l| matches!(l.value, LabelValue::Number(_, u) if u != Strings::EMPTY));
            let values = labels.iter().map(|l| match l.value {
                LabelValue::Text(v) => escape(self.str(v)).into_owned(),
                LabelValue::Number(v, unit) if has_units => format!("{v} {}", escape(self.str(unit))),
                LabelValue::Number(v, _) => v.to_string(),
            });
            let values = values.collect::<Vec<_>>().join(" ");
            let is_number = matches!(labels[0].value, LabelValue::Number(..));
            lines[usize::from(is_number)].push(format!("{}:[{values}]", escape(self.str(labels[0].key))));
        }
        for mut line in lines.into_iter().filter(|l| !l.is_empty()) {
            line.sort();
            writeln!(out, "{:16}{}", "", line.join(" "))?;
        }
        Ok(())
    }
}

/// An instant in UTC: `2006-01-02 15:04:05 UTC`, or with `fraction` as Go prints a time by default,
/// `2006-01-02 15:04:05.25 +0000 UTC`. `nanos` since 1970.
pub fn timestamp(nanos: i64, fraction: bool) -> String {
    let (secs, nanos) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    let (days, secs) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let mut out = format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60);
    if fraction && nanos != 0 {
        out.push_str(format!(".{nanos:09}").trim_end_matches('0'));
    }
    out + if fraction { " +0000 UTC" } else { " UTC" }
}

/// Year, month and day of the day `days` after 1970-01-01, counting years from March so that the leap day comes last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (shifted, day) = (month, day - (153 * month + 2) / 5 + 1);
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

/// A length of time as Go prints it: `1h40m3.5s`, `1.5ms`, `0s`.
fn duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let n = nanos.unsigned_abs();
    let fraction = |n: u64, one: u64| {
        let digits = format!("{:0width$}", n % one, width = one.ilog10() as usize);
        let digits = digits.trim_end_matches('0').to_string();
        format!("{}{}{digits}", n / one, if digits.is_empty() { "" } else { "." })
    };
    match n {
        0 => "0s".to_string(),
        1..1_000 => format!("{sign}{n}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", fraction(n, 1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", fraction(n, 1_000_000)),
        _ => {
            let minutes = n / 60_000_000_000;
            let seconds = fraction(n % 60_000_000_000, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, m) => format!("{sign}{m}m{seconds}s"),
                (h, m) => format!("{sign}{h}h{m}m{seconds}s"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations_read_as_go_prints_them() {
        assert_eq!(timestamp(1_700_000_000_250_000_000, true), "2023-11-14 22:13:20.25 +0000 UTC");
        assert_eq!(timestamp(951_782_400_000_000_000, false), "2000-02-29 00:00:00 UTC");
        assert_eq!(timestamp(-1, true), "1969-12-31 23:59:59.999999999 +0000 UTC");
        assert_eq!(duration(6_019_923_000_000), "1h40m19.923s");
        assert_eq!(duration(1_500), "1.5µs");
        assert_eq!(duration(-90_000_000_000), "-1m30s");
        assert_eq!(duration(i64::MIN), "-2562047h47m16.854775808s");
    }
}
