//! What is whole of a profile that is cut off: a download that broke off, a disk that was full.
//!
//! Go writes the names last, so that a profile cut early has none, and one cut late lacks a few.

use super::error::Error;
use super::proto::Profile;
use super::{check, skip_field};
use rustc_hash::FxHashSet;

/// In place of a name that was cut off.
const MISSING: &str = "(cut off)";

/// The profile that is left of `data`, and a sentence that says what is missing, safe to show. `None` if `data` ends where
/// a field does, so that it is not cut off but otherwise wrong.
///
/// # Errors
/// No name is left, or what is left does not fit together.
pub fn salvage(data: &[u8]) -> Option<Result<(Profile, String), Error>> {
    let mut rest = data;
    while let Some(after) = skip_field(rest).filter(|_| !rest.is_empty()) {
        rest = after;
    }
    let whole = data.len() - rest.len();
    if rest.is_empty() || whole == 0 || !is_cut(rest) {
        return None;
    }
    let p = match super::decode_whole(&data[..whole]) {
        Ok(p) => p,
        Err(e) => return Some(Err(e)),
    };
    if p.string_table.len() < 2 {
        return Some(Err(Error::CutOff));
    }
    Some(complete(p, whole))
}

/// Whether `rest` is the beginning of a field: one that says to be longer than what is there.
fn is_cut(rest: &[u8]) -> bool {
    let Some((tag, after)) = super::varint(rest) else { return rest.len() < 10 };
    match tag & 7 {
        0 => after.len() < 10,
        1 => after.len() < 8,
        2 => {
            super::varint(after).map_or(after.len() < 10, |(n, body)| n <= super::MAX_UNPACKED && n > body.len() as u64)
        }
        5 => after.len() < 4,
        _ => false,
    }
}

/// Gives what is named beyond the end of a table a name that says so, and takes out what is not there.
fn complete(mut p: Profile, whole: usize) -> Result<(Profile, String), Error> {
    let len = p.string_table.len() as i64;
    let mut names = FxHashSet::default();
    let mut missing = |i: &mut i64| {
        if !(0..len).contains(i) {
            names.insert(*i);
            *i = len;
        }
    };
    for t in p.sample_type.iter_mut().chain(&mut p.period_type) {
        missing(&mut t.r#type);
        missing(&mut t.unit);
    }
    for m in &mut p.mapping {
        missing(&mut m.filename);
        missing(&mut m.build_id);
    }
    for f in &mut p.function {
        missing(&mut f.name);
        missing(&mut f.system_name);
        missing(&mut f.filename);
    }
    for l in p.sample.iter_mut().flat_map(|s| &mut s.label) {
        missing(&mut l.key);
        missing(&mut l.str);
        missing(&mut l.num_unit);
    }
    p.comment.iter_mut().for_each(&mut missing);
    missing(&mut p.drop_frames);
    missing(&mut p.keep_frames);
    missing(&mut p.default_sample_type);
    missing(&mut p.doc_url);
    p.string_table.push(MISSING.as_bytes().to_vec());
    // Patterns that are cut off would match what they were not made for.
    p.drop_frames = if p.drop_frames == len { 0 } else { p.drop_frames };
    p.keep_frames = if p.keep_frames == len { 0 } else { p.keep_frames };
    p.default_sample_type = if p.default_sample_type == len { 0 } else { p.default_sample_type };

    let functions: FxHashSet<u64> = p.function.iter().map(|f| f.id).collect();
    p.location.iter_mut().for_each(|l| l.line.retain(|n| functions.contains(&n.function_id)));
    let locations: FxHashSet<u64> = p.location.iter().map(|l| l.id).collect();
    let types = p.sample_type.len();
    let all = p.sample.len();
    p.sample.retain(|s| s.value.len() == types && s.location_id.iter().all(|id| locations.contains(id)));
    check::check(&p)?;
    let said = format!(
        "the file is cut off at byte {whole}, as by a download that broke off: {} names and {} of {all} samples are missing",
        names.len(),
        all - p.sample.len()
    );
    Ok((p, said))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::wire::proto::{Function, Line, Location, Sample, ValueType};
    use prost::Message;

    fn profile() -> Vec<u8> {
        let names = ["", "cpu", "ns", "f", "a long name of a function"];
        let function = |id, name| Function { id, name, system_name: name, ..Default::default() };
        let location = |id| {
            let line = vec![Line { function_id: id, ..Default::default() }];
            Location { id, line, ..Default::default() }
        };
        let p = Profile {
            sample_type: vec![ValueType { r#type: 1, unit: 2 }],
            sample: vec![Sample { location_id: vec![1, 2], value: vec![7], label: vec![] }],
            location: vec![location(1), location(2)],
            function: vec![function(1, 3), function(2, 4)],
            string_table: names.map(|n| n.as_bytes().to_vec()).to_vec(),
            ..Default::default()
        };
        p.encode_to_vec()
    }

    #[test]
    fn a_profile_cut_anywhere_is_told_as_far_as_it_is_whole() {
        let all = profile();
        assert!(salvage(&all).is_none());
        let (p, said) = salvage(&all[..all.len() - 3]).unwrap().unwrap();
        assert_eq!(p.string(p.function[1].name), Some(MISSING.as_bytes()));
        assert!(said.contains("1 names and 0 of 1 samples are missing"), "{said}");
        let early = salvage(&all[..20]).unwrap().unwrap_err();
        assert!(early.to_string().contains("cut off"), "{early}");
        for cut in 1..all.len() {
            if let Some(Ok((p, _))) = salvage(&all[..cut]) {
                check::check_strings(&p).unwrap();
            }
        }
        assert!(salvage(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff").is_none());
    }
}
