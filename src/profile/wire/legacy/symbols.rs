//! Profiles with their symbols before them, as gperftools' `pprof --raw` writes them:
//!
//! `--- symbol`, `binary=PATH`, lines `0xADDRESS NAME`, of inlined calls `INNER--OUTER`, `---`, and then a section
//! `--- profile` or `--- heap` with the profile as it was, binary or text.

use super::Error;
use crate::profile::wire::proto::{Function, Line, Profile};
use rustc_hash::FxHashMap;

/// How such a file begins.
pub(crate) const START: &[u8] = b"--- symbol";

/// The most bytes of a name.
const LONGEST: usize = 64 << 10;

/// Decodes the profile behind the symbols with `decode`, and puts them into it.
pub(crate) fn decode(data: &[u8], decode: fn(&[u8]) -> Result<Profile, Error>) -> Result<Profile, Error> {
    let mut names: FxHashMap<u64, String> = FxHashMap::default();
    let mut rest = data;
    let mut program = String::new();
    let mut ended = false;
    while let Some(end) = rest.iter().take(LONGEST).position(|&b| b == b'\n') {
        let line = crate::base::text::lossy(rest[..end].trim_ascii());
        rest = &rest[end + 1..];
        if ended && line.starts_with("--- ") {
            break;
        }
        if let Some(path) = line.strip_prefix("binary=") {
            program = path.to_owned();
        } else if let Some((address, name)) = line.strip_prefix("0x").and_then(|l| l.split_once(' '))
            && let Ok(address) = u64::from_str_radix(address, 16)
        {
            names.insert(address, name.trim().to_owned());
        }
        ended |= &*line == "---";
    }
    let mut p = decode(rest)?;
    name(&mut p, &names);
    if !program.is_empty()
        && let Some(m) = p.mapping.first_mut().filter(|m| m.filename == 0)
    {
        m.filename = p.string_table.len() as i64;
        p.string_table.push(program.into_bytes());
    }
    Ok(p)
}

/// Gives the locations the names of their addresses; those of callers were moved back by one, before or after the names were
/// looked up.
fn name(p: &mut Profile, names: &FxHashMap<u64, String>) {
    let mut functions: FxHashMap<&str, u64> = FxHashMap::default();
    let mut next = p.function.iter().map(|f| f.id).max().unwrap_or(0);
    for l in p.location.iter_mut().filter(|l| l.line.is_empty()) {
        let found = names.get(&l.address).or_else(|| names.get(&l.address.wrapping_add(1)));
        for name in found.into_iter().flat_map(|n| n.split("--")).filter(|n| !n.is_empty()) {
            let id = *functions.entry(name).or_insert_with(|| {
                next += 1;
                let string = p.string_table.len() as i64;
                p.string_table.push(name.as_bytes().to_vec());
                p.function.push(Function { id: next, name: string, system_name: string, ..Function::default() });
                next
            });
            l.line.push(Line { function_id: id, ..Line::default() });
        }
    }
    for m in &mut p.mapping {
        m.has_functions |= p.location.iter().any(|l| l.mapping_id == m.id && !l.line.is_empty());
    }
}
