//! `disasm`: the instructions of functions, with what each cost.

use super::{Error, Report};
use crate::base::text::escape;
use crate::profile::binary::{Binary, Symbol};
use crate::profile::model::{Mapping, Profile};
use crate::profile::ops::graph::{Node, Places, Sum, Trim, Trimmed};
use crate::profile::ops::pattern::Pattern;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::io::Write;

/// An instruction shorter than this has its line of source behind it, a longer one above it.
const SHORT: usize = 40;
/// How many functions may stand on the same code, taken over the whole program.
const ALIASES: u64 = 4;
/// Functions that are named in a message.
const NAMED: usize = 3;

/// Prints the report.
///
/// # Errors
/// If `out` cannot be written, nothing matches, or the program is not that of the profile.
pub fn write(r: &mut Report, pattern: &Pattern, binary: &Binary, out: &mut dyn Write) -> Result<(), Error> {
    let places = Places::new(&mut r.profile, true);
    let trim = Trim { drop_negative: r.options.drop_negative, ..Trim::NOTHING };
    let graph = Trimmed::new(&r.profile, &places, r.weights, trim).graph;
    let p = &r.profile;
    let program = Program::new(p, binary);
    program.check()?;
    let mut nodes: Vec<(u64, Node)> =
        graph.nodes.into_iter().filter_map(|n| Some((program.address(n.info.address)?, n))).collect();
    nodes.sort_by_key(|n| (n.0, n.1.info.address));

    let address = address(pattern.source());
    let wanted = |s: &&Symbol| match address {
        Some(a) => (s.start..s.end).contains(&a),
        None => pattern.is_match(&s.name),
    };
    let mut matching: Vec<&Symbol> = binary.symbols().iter().filter(wanted).collect();
    matching.sort_by(|a, b| (&a.name, a.start).cmp(&(&b.name, b.start)));
    let inside = |s: &Symbol| {
        let from = nodes.partition_point(|n| n.0 < s.start);
        let to = nodes.partition_point(|n| n.0 < s.end);
        &nodes[from..to.max(from)]
    };
    let sampled: Vec<&Symbol> = matching.iter().copied().filter(|s| !inside(s).is_empty()).collect();
    if sampled.is_empty() {
        return Err(nothing(&matching, pattern));
    }
    let code = sampled.iter().fold(0u64, |sum, s| sum.saturating_add(s.end - s.start));
    if code > binary.size().saturating_mul(ALIASES) {
        return Err(Error::Program("its functions lie over each other".into()));
    }
    writeln!(out, "Total: {}", r.value(r.total))?;
    // Functions of several names stand at one address.
    let starts: BTreeSet<u64> = sampled.iter().map(|s| s.start).collect();
    let starts: FxHashMap<u64, usize> = starts.into_iter().zip(0..).collect();
    let mut of_address: FxHashMap<u64, usize> = FxHashMap::default();
    for s in &sampled {
        of_address.extend(inside(s).iter().map(|n| (n.1.info.address, starts[&s.start])));
    }
    let cums = places.cum_of_groups(p, r.weights, starts.len(), |i| of_address.get(&i.address).copied());
    for s in &sampled {
        let cum = cums[starts[&s.start]];
        let flat: Sum = inside(s).iter().map(|n| n.1.flat).sum();
        writeln!(out, "ROUTINE ======================== {}", escape(&s.name))?;
        // Of means both, as the instructions below and the total above are.
        let (flat, cum) = (r.value(flat.get()), cum.get());
        writeln!(out, "{flat:>10} {:>10} (flat, cum) {} of Total", r.value(cum), r.share(cum))?;
        function(r, binary, s, inside(s), out)?;
    }
    Ok(())
}

fn function(
    r: &Report,
    binary: &Binary,
    s: &Symbol,
    nodes: &[(u64, Node)],
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let p = &r.profile;
    let lines = binary.lines(s);
    let mut instructions = binary.instructions(s).peekable();
    let value = |v: i64| if v == 0 { ".".to_string() } else { r.value(v) };
    let mut rest = nodes;
    let mut last = (String::new(), String::new(), 0);
    while let Some(inst) = instructions.next() {
        // A sample may fall into the middle of an instruction.
        let next = instructions.peek().map_or(u64::MAX, |n| n.address);
        let (here, after) = rest.split_at(rest.partition_point(|n| n.0 < next));
        rest = after;
        let sum = |of: fn(&Node) -> Sum| here.iter().map(|n| of(&n.1)).sum::<Sum>().get();
        let (flat, cum) = (sum(|n| n.flat), sum(|n| n.cum));
        let (mut file, mut line) =
            lines.as_ref().and_then(|l| l.at(inst.address)).map_or((String::new(), 0), |(f, l)| (base(f), l));
        let mut func = String::new();
        for (_, n) in here {
            if file.is_empty() {
                file = base(p.str(n.info.file));
            }
            if line == 0 {
                line = n.info.line;
            }
            if func.is_empty() {
                func = p.str(n.info.name).to_string();
            }
        }
        let place = (func, file, line);
        let at = if place == last { String::new() } else { words(&place) };
        last = place;
        let row = format!("{:>10} {:>10} {:>10x}:", value(flat), value(cum), inst.address);
        let text = escape(&inst.text);
        match at.as_str() {
            "" => writeln!(out, "{row} {text}")?,
            at if text.len() < SHORT => writeln!(out, "{row} {text:<SHORT$};{at}")?,
            at => {
                writeln!(out, "{:74};{at}", "")?;
                writeln!(out, "{row} {text}")?;
            }
        }
    }
    Ok(())
}

fn words((func, file, line): &(String, String, i64)) -> String {
    let mut out = String::new();
    if !func.is_empty() {
        out = format!("{} ", escape(func));
    }
    if !file.is_empty() {
        out += &escape(file);
        if *line != 0 {
            out += &format!(":{line}");
        }
    }
    out
}

/// A path's last element.
fn base(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or("").to_string()
}

/// The address that an expression is, as Go writes numbers.
fn address(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn nothing(matching: &[&Symbol], pattern: &Pattern) -> Error {
    let Some((first, more)) = matching.split_first() else {
        return Error::NoMatch(format!("{} (names of functions as the program has them)", pattern.source()));
    };
    let mut names = escape(&first.name).into_owned();
    more.iter().take(NAMED - 1).for_each(|s| names += &format!(", {}", escape(&s.name)));
    if matching.len() > NAMED {
        names += &format!(" and {} more", matching.len() - NAMED);
    }
    Error::NoSamples(names)
}

/// The program in a profile, and its file.
struct Program<'a> {
    profile: &'a Profile,
    binary: &'a Binary,
    /// Where it was mapped, and what is to be taken off the addresses there.
    mappings: Vec<(Mapping, u64)>,
}

impl<'a> Program<'a> {
    fn new(profile: &'a Profile, binary: &'a Binary) -> Program<'a> {
        // The first mapping is the program; it may be mapped in several pieces.
        let file = profile.mappings.first().map(|m| m.file);
        let of_program = profile.mappings.iter().filter(|m| Some(m.file) == file);
        let mappings = of_program.map(|m| (*m, binary.base(m.start, m.offset))).collect();
        Program { profile, binary, mappings }
    }

    /// Where what was at an address at run time is in the file; nothing for what is not the program's.
    fn address(&self, at: u64) -> Option<u64> {
        let inside = |m: &&(Mapping, u64)| m.0.limit == 0 || (m.0.start..m.0.limit).contains(&at);
        self.mappings.iter().find(inside).filter(|_| at != 0).map(|m| at.wrapping_sub(m.1))
    }

    /// Whether the file is the program that ran: by the build ids, and by the functions at the addresses of the profile.
    fn check(&self) -> Result<(), Error> {
        let p = self.profile;
        let known = self.mappings.iter().map(|m| p.str(m.0.build_id)).find(|id| !id.is_empty()).unwrap_or("");
        let id = self.binary.build_id();
        if !known.is_empty() && !id.is_empty() && !known.eq_ignore_ascii_case(id) {
            return Err(Error::Program(format!(
                "its build id is {id}, and that of the program of the profile {}",
                escape(known)
            )));
        }
        let (mut same, mut all) = (0usize, 0usize);
        for l in &p.locations {
            let Some(line) = p.lines[l.lines.range()].last() else { continue };
            let Some(at) = self.address(l.address) else { continue };
            let name = p.functions.get(line.function as usize).map_or("", |f| p.str(f.name));
            // What stands in brackets is written in several ways.
            let plain = |name: &str| name.split('[').next().unwrap_or("").to_string();
            all += 1;
            same += usize::from(self.binary.symbol_at(at).is_some_and(|s| plain(&s.name) == plain(name)));
        }
        if same * 2 < all {
            let text =
                format!("only {same} of {all} addresses of the profile lie in the functions that it names there");
            return Err(Error::Program(text));
        }
        Ok(())
    }
}
