//! What is known of maps, in sentences.

use super::place;
use crate::analysis::maps::estimate::{Bracket, Estimate};
use crate::analysis::maps::heap::Silent;
use crate::analysis::maps::{Advice, AdviceKind, FEW, Line, Lock, Maps};
use crate::base::text;

/// A height for a part of the most: `·` for nothing.
pub fn level(n: f64, most: f64) -> char {
    if n <= 0.0 || most <= 0.0 {
        return '·';
    }
    text::LEVELS[((n / most * 8.0).ceil() as usize).clamp(1, 8) - 1]
}

/// About how many maps, to two digits.
fn about(n: f64) -> String {
    let n = n.round().max(1.0);
    let unit = 10f64.powf((n.log10().floor() - 1.0).max(0.0));
    text::count(((n / unit).round() * unit) as u64)
}

fn maps(b: &Bracket) -> String {
    let n = about(b.maps);
    let one = n == "1";
    format!(
        "about {n} {} with {} to {} keys",
        if one { "map ends" } else { "maps end" },
        text::count(b.low),
        text::count(b.high)
    )
}

/// What an estimate says; one sentence a bracket.
pub fn estimate(e: &Estimate) -> Vec<String> {
    let slot = match &e.others[..] {
        [_] => format!(" · tables of {}-byte groups", e.unit.bytes),
        _ => String::new(),
    };
    let mut out: Vec<String> = e.brackets.iter().map(maps).collect();
    if let Some(last) = out.last_mut() {
        *last += &slot;
        if e.outgrown > 0.0 {
            *last += &format!(
                " · {} of {} went into tables that were outgrown",
                text::bytes(e.outgrown as u64),
                text::bytes(e.bytes() as u64)
            );
        }
    }
    out
}

/// Why nothing is said of sizes.
pub fn silent(s: Silent) -> &'static str {
    match s {
        Silent::FewSamples => "too few samples in the heap profile to say how large the maps became",
        Silent::Ambiguous => {
            "not told: several sizes of keys and values explain the objects; name the program with --binary"
        }
        Silent::NoLadder => "not told: the objects of this line are not those of growing maps",
    }
}

/// A lock that is held around a line.
pub fn lock(l: &Lock) -> String {
    format!(
        "held from {} to {}: others waited {} for it, {} times",
        place(&l.acquired),
        place(&l.released),
        l.waited,
        text::count(l.waits)
    )
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// An advice in two or three words, for a column.
pub fn in_short(a: &Advice) -> String {
    match a.kind {
        AdviceKind::FewSamples => "few samples".into(),
        AdviceKind::Presize => match &a.maps {
            Some(b) => format!("make(…, {})", b.high),
            None => "pre-size".into(),
        },
        AdviceKind::Struct => "a struct".into(),
        AdviceKind::Key => "cheaper key".into(),
        AdviceKind::Lock => "shard, lock".into(),
        AdviceKind::Interface => "no interface".into(),
        AdviceKind::Tombstones => "clear it".into(),
    }
}

/// What cannot be told, and what it takes. `trace` says whether a trace is among what was looked at, and `part` whether
/// only a part of it was.
pub fn missing(maps: &Maps, trace: bool, part: bool) -> Vec<&'static str> {
    let mut out = Vec::new();
    if maps.samples == 0 {
        out.push(match (trace, part) {
            (true, true) => "no CPU samples in what the filter leaves of this trace",
            (true, false) => {
                "no CPU samples in this trace: record the CPU profile at the same time, or open one beside it"
            }
            (false, _) => "no CPU samples in these profiles: open a CPU profile or a trace beside them",
        });
    }
    if maps.heap.is_none() {
        out.push("no heap profile: open one of the same run beside it for bytes, objects and the sizes of maps");
    }
    out
}

/// An advice in a sentence, with its evidence.
pub fn advice(a: &Advice, l: &Line) -> String {
    let of = format!("{} of this line's time", percent(a.share));
    match a.kind {
        AdviceKind::FewSamples => {
            format!("too few samples ({} of at least {FEW}) to say what the time went into", text::count(l.samples))
        }
        AdviceKind::Presize => {
            let mut out = match &a.maps {
                Some(b) => format!("make it with its size, make(map[…]…, {}): {}", b.high, maps(b)),
                None => "make it with its size, if that is known".to_owned(),
            };
            if a.share > 0.0 {
                out += &format!("; growth takes {of}");
            }
            let mut saves = Vec::new();
            if let Some(bytes) = a.saves_bytes.filter(|b| *b > 0.0) {
                saves.push(format!("{} allocated", text::bytes(bytes as u64)));
            }
            if let Some(cpu) = a.saves_cpu.filter(|c| *c >= 0.01) {
                saves.push(format!("{} of its CPU (±10)", percent(cpu)));
            }
            if !saves.is_empty() {
                out += &format!("; saves about {}", saves.join(" and "));
            }
            out
        }
        AdviceKind::Struct => {
            let mut why = Vec::new();
            if a.share > 0.0 {
                why.push(format!("making them takes {of}"));
            }
            if let Some(b) = &a.maps {
                let (n, high) = (about(b.maps), text::count(b.high));
                why.push(format!("about {n} maps of up to {high} keys were made here"));
            }
            format!("keep a struct, or one map that is reused, instead of a fresh small map: {}", why.join("; "))
        }
        AdviceKind::Key => format!("take a key that is cheaper to hash, such as an integer: hashing and comparing take {of}"),
        AdviceKind::Lock => format!(
            "shard the map or do less under its lock: others waited {} for it",
            a.waited.unwrap_or_default()
        ),
        AdviceKind::Interface => {
            "keep values of a concrete type without pointers instead of interfaces: the GC scans each of them, and this \
             line pays for it"
                .to_owned()
        }
        AdviceKind::Tombstones => {
            format!("clear the map or make it anew once its entries have gone: cleaning up after deletions takes {of}")
        }
    }
}
