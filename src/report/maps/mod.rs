//! Maps, as a table with what would help, and as JSON.

mod words;

pub use words::{advice, estimate, in_short, level, lock, missing, silent};

use crate::analysis::maps::{FEW, Line, Maps, Place, Suspect, column};
use crate::base::{Duration, text};
use crate::model::dict::{short_file, short_func};
use std::io::{self, Write};

/// The columns of the table: classes, or several together.
pub const COLUMNS: [&str; 7] = ["birth", "grow", "hash", "probe", "alloc", "assist", "other"];

/// Parts of a whole in tenths of a percent, which add up to 1000: the largest rests are rounded up.
pub fn shares(parts: &[u64]) -> Vec<u64> {
    let total: u128 = parts.iter().map(|&n| u128::from(n)).sum();
    if total == 0 {
        return vec![0; parts.len()];
    }
    let mut out: Vec<u64> = parts.iter().map(|&n| (u128::from(n) * 1000 / total) as u64).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(u128::from(parts[i]) * 1000 % total));
    let left = 1000 - out.iter().sum::<u64>();
    order.iter().take(left as usize).for_each(|&i| out[i] += 1);
    out
}

/// Tenths of a percent, as `41.0 %`; `·` for nothing.
pub fn percent(tenths: u64) -> String {
    if tenths == 0 { "·".into() } else { format!("{}.{} %", tenths / 10, tenths % 10) }
}

/// A place, short and safe to show.
pub fn place(p: &Place) -> String {
    text::escape(&format!("{}:{}", short_file(&p.file), p.line)).into_owned()
}

fn func(p: &Place) -> String {
    text::escape(short_func(&p.func)).into_owned()
}

/// Bytes of a signed value.
fn bytes(n: i64) -> String {
    text::bytes(u64::try_from(n).unwrap_or(0))
}

/// The part of a whole, in tenths of a percent.
fn part(n: i64, of: i64) -> u64 {
    if of <= 0 { 0 } else { (i128::from(n.max(0)) * 1000 / i128::from(of)) as u64 }
}

/// The lines as a table, without their details.
fn table(maps: &Maps, lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{:>8} {:>8}", "cpu", "of maps")?;
    for c in COLUMNS {
        write!(out, " {c:>7}")?;
    }
    writeln!(out, " {:>9} {:>10}  {:<8} line", "bytes", "objects", "op")?;
    let times: Vec<u64> = maps.lines.iter().map(|l| l.cpu.ns().max(0).unsigned_abs()).collect();
    for (l, share) in lines.iter().zip(shares(&times)) {
        let time = if l.samples == 0 { "·".to_owned() } else { l.cpu.to_string() };
        write!(out, "{time:>8} {:>8}", percent(share))?;
        let parts: Vec<u64> = COLUMNS.iter().map(|c| l.column(c)).collect();
        for share in shares(&parts) {
            write!(out, " {:>7}", percent(share))?;
        }
        let (size, objects) = match &l.heap {
            Some(h) => (bytes(h.bytes), text::count(u64::try_from(h.objects).unwrap_or(0))),
            None => ("·".into(), "·".into()),
        };
        let operation = l.operations.first().map_or("·", |o| o.name);
        writeln!(out, " {size:>9} {objects:>10}  {operation:<8} {}  {}", place(&l.place), func(&l.place))?;
    }
    Ok(())
}

/// What was looked at: the CPU samples and the heap profiles, a line each.
pub fn head(maps: &Maps) -> Vec<String> {
    let name = |name: &str| text::escape(name).into_owned();
    let mut out = Vec::new();
    if maps.samples > 0 {
        let from: Vec<String> = maps.sources.iter().map(|s| name(&s.name)).collect();
        out.push(format!(
            "operations on maps: {} of {} CPU samples ({}), {} on CPU · {}",
            text::count(maps.map_samples),
            text::count(maps.samples),
            percent(part(maps.map_cpu.ns(), maps.cpu.ns())).replace('·', "0 %"),
            maps.map_cpu,
            from.join(", ")
        ));
        let unused: Vec<String> =
            maps.unused.iter().map(|s| format!("{} ({} samples)", name(&s.name), text::count(s.count))).collect();
        if !unused.is_empty() {
            out.push(format!("not counted as well, for they may be the same samples: {}", unused.join(", ")));
        }
    } else {
        out.push("there are no CPU samples".to_owned());
    }
    if let Some(h) = &maps.heap {
        let guess = if h.guessed { ", the layout that fits best" } else { "" };
        let kind = match h.layout.family {
            crate::analysis::maps::ladder::Family::Swiss => "Swiss maps (Go 1.24 and later)",
            crate::analysis::maps::ladder::Family::Classic => "classic maps (up to Go 1.23)",
        };
        let names: Vec<String> = h.inputs.iter().map(|i| name(&i.name)).collect();
        let rate = match h.inputs.last().map_or(1, |i| i.rate) {
            ..=1 => "every allocation".to_owned(),
            n => format!("a sample every {}", bytes(n)),
        };
        out.push(format!("heap: {} · {kind}{guess} · {rate}", names.join(" → ")));
    }
    out
}

/// What is known of a line, each with what it is about.
pub fn details(maps: &Maps, l: &Line) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    if l.samples > 0 {
        let parts: Vec<u64> = l.operations.iter().map(|o| o.samples).collect();
        let each = l.operations.iter().zip(shares(&parts)).map(|(o, share)| format!("{} {}", o.name, percent(share)));
        let each: Vec<String> = each.collect();
        let samples = if l.samples == 1 { "sample" } else { "samples" };
        out.push(("operations", format!("{} · {} {samples}", each.join(", "), text::count(l.samples))));
    }
    if !l.goroutines.is_empty() {
        let some = l.goroutines.iter().take(4).map(|(group, n)| {
            let group = if group.is_empty() { "(no stack)" } else { short_func(group) };
            format!("{} {}", text::escape(group), text::count(*n))
        });
        let some: Vec<String> = some.collect();
        let more = l.goroutines.len().saturating_sub(4);
        let more = if more > 0 { format!(", and {more} more groups") } else { String::new() };
        out.push(("goroutines", some.join(", ") + &more));
    }
    if let Some(k) = &l.lock {
        out.push(("lock", words::lock(k)));
    }
    if l.gc_cycles > 0 {
        out.push(("GC", format!("began {} of {} cycles", l.gc_cycles, maps.gc_cycles.unwrap_or(0))));
    }
    if let Some(h) = &l.heap {
        let since = if maps.heap.as_ref().is_some_and(|h| h.inputs.len() > 1) { " between the profiles" } else { "" };
        let objects = text::count(u64::try_from(h.objects).unwrap_or(0));
        out.push(("heap", format!("{} in {objects} objects{since}; {} live", bytes(h.bytes), bytes(h.live))));
        if let Some(n) = h.entries {
            out.push(("entries", format!("{} made in sync.Map", text::count(n.unsigned_abs()))));
        }
        out.extend(h.estimates.iter().flat_map(words::estimate).map(|line| ("sizes", line)));
        out.extend(h.silent.map(|s| ("sizes", words::silent(s).to_owned())));
    }
    out.extend(l.advice.iter().map(|a| ("advice", words::advice(a, l))));
    out
}

/// Bytes that went into tables of each size, smallest tables first, each with the keys that such a table holds; empty if a
/// line's heap does not tell.
pub fn sizes(maps: &Maps, l: &Line) -> Vec<(String, f64)> {
    let (Some(heap), Some(of)) = (&maps.heap, &l.heap) else { return Vec::new() };
    let mut out: Vec<(String, f64)> = Vec::new();
    for e in &of.estimates {
        for (i, r) in e.rungs.iter().enumerate() {
            while out.len() <= i {
                out.push((keys(heap.layout.holds(out.len())), 0.0));
            }
            out[i].1 += r.bytes;
        }
    }
    out
}

/// A number of keys in few letters.
fn keys(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..10_000_000 => format!("{}k", n / 1000),
        _ => format!("{}M", n / 1_000_000),
    }
}

/// Map memory by line and size of table: keys that a table holds, and how many bytes went into tables of that size.
fn by_size(maps: &Maps, lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<(&Line, Vec<(String, f64)>)> =
        lines.iter().map(|l| (l, sizes(maps, l))).filter(|r| !r.1.is_empty()).collect();
    let Some(widest) = rows.iter().map(|r| &r.1).max_by_key(|r| r.len()) else { return Ok(()) };
    let most = rows.iter().flat_map(|r| &r.1).map(|s| s.1).fold(0.0, f64::max);
    writeln!(out, "\nbytes allocated for tables, by the keys that a table holds")?;
    write!(out, " ")?;
    widest.iter().try_for_each(|(keys, _)| write!(out, " {keys:>5}"))?;
    writeln!(out)?;
    for (l, sizes) in &rows {
        write!(out, " ")?;
        for i in 0..widest.len() {
            write!(out, " {:>5}", words::level(sizes.get(i).map_or(0.0, |s| s.1), most))?;
        }
        writeln!(out, "  {}", place(&l.place))?;
    }
    Ok(())
}

/// Map memory by line and time, from a series of heap profiles.
fn by_time(maps: &Maps, lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    let Some(heap) = maps.heap.as_ref().filter(|h| h.inputs.len() > 1) else { return Ok(()) };
    let rows: Vec<(&Line, &[i64])> = lines.iter().filter_map(|l| Some((l, &l.heap.as_ref()?.series[..]))).collect();
    let most = rows.iter().flat_map(|r| r.1).copied().max().unwrap_or(0);
    if most <= 0 {
        return Ok(());
    }
    writeln!(out, "\nlive bytes over {} heap profiles", text::count(heap.inputs.len() as u64))?;
    for (l, series) in rows {
        let cells: String = series.iter().map(|&n| words::level(n as f64, most as f64)).collect();
        let (from, to) = (series.first().copied().unwrap_or(0), series.last().copied().unwrap_or(0));
        writeln!(out, "  {cells}  {:>9} → {:>9}  {}", bytes(from), bytes(to), place(&l.place))?;
    }
    Ok(())
}

/// Writes the first `limit` lines as a table, then what is known of each and what would help.
pub fn write(maps: &Maps, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    head(maps).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    if maps.lines.is_empty() {
        return writeln!(out, "no line of code operates on maps here");
    }
    let shown = &maps.lines[..maps.lines.len().min(limit)];
    writeln!(out)?;
    table(maps, shown, out)?;
    let rest = &maps.lines[shown.len()..];
    if !rest.is_empty() {
        let time = rest.iter().fold(0i64, |sum, l| sum.saturating_add(l.cpu.ns()));
        let times: Vec<u64> = maps.lines.iter().map(|l| l.cpu.ns().max(0).unsigned_abs()).collect();
        writeln!(
            out,
            "{:>8} {:>8}  {} more (--limit)",
            Duration(time).to_string(),
            percent(shares(&times)[shown.len()..].iter().sum()),
            text::count(rest.len() as u64)
        )?;
    }
    if maps.samples > 0 && maps.map_samples < FEW {
        writeln!(out, "too few samples: {} in maps; the split by class says little below {FEW}", maps.map_samples)?;
    }
    for l in shown {
        writeln!(out, "\n{}  {}", place(&l.place), func(&l.place))?;
        details(maps, l).iter().try_for_each(|(what, text)| writeln!(out, "  {what:<11} {text}"))?;
    }
    by_size(maps, shown, out)?;
    by_time(maps, shown, out)?;
    maps.suspects.iter().try_for_each(|s| writeln!(out, "\n{}", suspect(s)))
}

/// Two goroutines that were in an assignment at once, in a sentence.
pub fn suspect(s: &Suspect) -> String {
    format!(
        "suspect: G{} and G{} were both in an assignment at {} within {} (at {}; {} such pairs), and no lock around it is \
         seen. If they write to one map, this is a data race: run it with -race.",
        s.goroutines.0.0,
        s.goroutines.1.0,
        place(&s.place),
        s.apart,
        s.at,
        text::count(s.pairs)
    )
}

/// Classes of a line by name, with their samples.
pub(crate) fn classes(of: &[u64]) -> impl Iterator<Item = (&'static str, u64)> + '_ {
    crate::model::lens::maps().classes.iter().map(|c| c.name.as_str()).zip(of.iter().copied())
}

/// Samples by column.
pub(crate) fn columns(of: &[u64]) -> impl Iterator<Item = (&'static str, u64)> + '_ {
    COLUMNS.iter().map(|c| (*c, column(of, c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_whole() {
        for parts in [&[1, 1, 1][..], &[7, 0, 13, 80, 3], &[1], &[u64::MAX / 2, 1, 5], &[2, 2, 2, 2, 2, 2, 1]] {
            assert_eq!(shares(parts).iter().sum::<u64>(), 1000, "{parts:?}");
        }
        assert_eq!(shares(&[0, 0]), [0, 0]);
        assert_eq!(shares(&[1, 1, 1]), [334, 333, 333]);
        assert_eq!(percent(1000), "100.0 %");
    }

    #[test]
    fn every_class_has_a_column() {
        for c in &crate::model::lens::maps().classes {
            assert!(COLUMNS.contains(&c.column.as_str()), "{} is in no column", c.name);
        }
    }
}
