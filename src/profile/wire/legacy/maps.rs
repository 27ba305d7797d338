//! The table of mapped files that legacy profiles end with: `/proc/self/maps`, or a brief form of it.

use regex::Regex;
use std::sync::LazyLock;

/// A range of addresses and the file mapped there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Mapping {
    pub start: u64,
    pub limit: u64,
    pub offset: u64,
    pub file: String,
    pub build_id: String,
}

/// The longest line after substitution: a line may be built from others, which may be built from others.
const MAX_LINE: usize = 64 << 10;

/// `start-end perm offset device inode path`, as Linux prints it.
static PROC: LazyLock<Regex> = LazyLock::new(|| {
    rx(r"(?x-u) ^\s* (?:0x)?([[:xdigit:]]+) [\s-]? \s* (?:0x)?([[:xdigit:]]+) :?
         (?:\s+([-rwxp]+))? (?:\s+([[:xdigit:]]+))? \s+[[:xdigit:]]+:[[:xdigit:]]+ \s+[0-9]+ (?:\s+(\S+))?")
});

/// `start-end perm path (@offset) build-id`, all but the range optional.
static BRIEF: LazyLock<Regex> = LazyLock::new(|| {
    rx(r"(?x-u) ^\s* (?:0x)?([[:xdigit:]]+) [\s-]? \s* (?:0x)?([[:xdigit:]]+) :?
         (?:\s+([-rwxp]+))? (?:\s+(\S+))? (?:\s+\(@([[:xdigit:]]+)\))? (?:\s+([[:xdigit:]]+))?")
});

/// What a logger puts before a line: `… file:line] `.
static LOG_PREFIX: LazyLock<Regex> = LazyLock::new(|| rx(r"^[^\[\]]+:[0-9]+\]\s"));

/// A shared library's name.
static LIBRARY: LazyLock<Regex> = LazyLock::new(|| rx(r"\.so$|\.so[._][0-9]+"));

fn rx(pattern: &str) -> Regex {
    // `\S` and friends match characters and not bytes, so that captures stay text.
    Regex::new(&pattern.replace("(?x-u)", "(?x)")).expect("a fixed expression")
}

/// The executable mappings in `lines`; what is no mapping is passed over. A line `name=value` defines `$name` for the
/// lines after it.
pub(crate) fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Mapping> {
    let mut out = Vec::new();
    let mut attributes: Vec<(String, String)> = Vec::new();
    for line in lines {
        let line = &line[LOG_PREFIX.find(line).map_or(0, |m| m.end())..];
        let line = substitute(line, &attributes);
        match parse_line(&line) {
            Some(Some(m)) => out.push(m),
            Some(None) => {}
            None => {
                if let Some((name, value)) = line.split_once('=') {
                    attributes.push((format!("${}", name.trim()), value.trim().to_string()));
                }
            }
        }
    }
    out
}

fn substitute(line: &str, attributes: &[(String, String)]) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('$').filter(|_| out.len() < MAX_LINE) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match attributes.iter().find(|(name, _)| rest.starts_with(name.as_str())) {
            Some((name, value)) => {
                out.push_str(value);
                rest = &rest[name.len()..];
            }
            None => {
                out.push('$');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// `None`: not a mapping. `Some(None)`: one that is not executable.
fn parse_line(line: &str) -> Option<Option<Mapping>> {
    let hex = |s: &str| u64::from_str_radix(s, 16).ok();
    let (caps, [perm, file, offset, build_id]) = match PROC.captures(line) {
        Some(c) => (c, [3, 5, 4, 99]),
        None => (BRIEF.captures(line)?, [3, 4, 5, 6]),
    };
    let group = |i: usize| caps.get(i).map_or("", |m| m.as_str());
    if !group(perm).is_empty() && !group(perm).contains('x') {
        return Some(None);
    }
    Some(Some(Mapping {
        start: hex(group(1))?,
        limit: hex(group(2))?,
        offset: if group(offset).is_empty() { 0 } else { hex(group(offset))? },
        file: group(file).to_string(),
        build_id: group(build_id).to_string(),
    }))
}

/// Joins what one file's mapping was split into, and puts what looks like the program itself first.
pub(crate) fn repair(mappings: &mut Vec<Mapping>) {
    let mut joined: Vec<Mapping> = Vec::with_capacity(mappings.len());
    for m in mappings.drain(..) {
        match joined.last_mut() {
            Some(last) if continues(last, &m) => {
                last.limit = m.limit;
                if !m.file.is_empty() {
                    last.file = m.file;
                }
                if !m.build_id.is_empty() {
                    last.build_id = m.build_id;
                }
            }
            _ => joined.push(m),
        }
    }
    let is_program = |m: &Mapping| {
        let file = m.file.replace("(deleted)", "");
        let file = file.trim();
        !file.is_empty() && !LIBRARY.is_match(file) && !file.starts_with('[')
    };
    if let Some(i) = joined.iter().position(is_program) {
        joined.swap(0, i);
    }
    *mappings = joined;
}

fn continues(a: &Mapping, b: &Mapping) -> bool {
    let agree = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
    agree(&a.file, &b.file)
        && agree(&a.build_id, &b.build_id)
        && a.limit == b.start
        && (a.offset == 0 || b.offset == 0 || a.offset.wrapping_add(a.limit.wrapping_sub(a.start)) == b.offset)
}

/// Gives each address the id (position + 1) of its mapping, and 0 to address 0. Adds a mapping of everything if any address
/// lies in none.
pub(crate) fn assign(mappings: &mut Vec<Mapping>, addresses: &[u64]) -> Vec<u64> {
    const PROGRAM_START: u64 = 0x400000;
    if mappings.len() > 1 {
        let huge = &mappings[0];
        if huge.file.starts_with("/anon_hugepage") && huge.limit == mappings[1].start {
            mappings.remove(0);
        }
    }
    if let Some(m) = mappings.first_mut()
        && m.start.wrapping_sub(m.offset) == PROGRAM_START
    {
        m.start = PROGRAM_START;
        m.offset = 0;
    }
    let mut everything = None;
    let mut out = Vec::with_capacity(addresses.len());
    for &a in addresses {
        if a == 0 {
            out.push(0);
            continue;
        }
        let found = mappings.iter().position(|m| m.start <= a && a < m.limit).or_else(|| {
            // The first part of a split mapping may be missing from the table.
            let i =
                mappings.iter().position(|m| m.offset != 0 && m.start.wrapping_sub(m.offset) <= a && a < m.start)?;
            let m = &mut mappings[i];
            m.start = m.start.wrapping_sub(m.offset);
            m.offset = 0;
            Some(i)
        });
        let i = found.or(everything).unwrap_or_else(|| {
            mappings.push(Mapping { limit: u64::MAX, ..Mapping::default() });
            everything = Some(mappings.len() - 1);
            mappings.len() - 1
        });
        out.push(i as u64 + 1);
    }
    out
}
