//! A profile for speedscope: <https://www.speedscope.app/file-format-schema.json>, a profile of the type `sampled`.

use super::folded::stacks;
use crate::analysis::cost::offcpu::{Kind, Profile};
use crate::model::Index;
use crate::report::json;
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct File {
    #[serde(rename = "$schema")]
    schema: &'static str,
    name: String,
    exporter: &'static str,
    #[serde(rename = "activeProfileIndex")]
    active: u32,
    shared: Shared,
    profiles: Vec<Sampled>,
}

#[derive(Serialize)]
struct Shared {
    frames: Vec<Frame>,
}

#[derive(Serialize)]
struct Frame {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sampled {
    #[serde(rename = "type")]
    of: &'static str,
    name: String,
    unit: &'static str,
    start_value: u64,
    end_value: u64,
    samples: Vec<Vec<usize>>,
    weights: Vec<u64>,
}

/// Writes a profile of the trace of this name.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(p: &Profile, what: &str, name: &str, index: &Index, out: &mut dyn Write) -> io::Result<()> {
    let mut frames = Vec::new();
    let mut ids: FxHashMap<(String, u32), usize> = FxHashMap::default();
    let mut frame = |func: &str, file: &str, line: u32| {
        *ids.entry((format!("{func}\0{file}"), line)).or_insert_with(|| {
            let known = !file.is_empty();
            frames.push(Frame {
                name: func.to_owned(),
                file: known.then(|| file.to_owned()),
                line: (known && line > 0).then_some(line),
            });
            frames.len() - 1
        })
    };
    let (mut samples, mut weights) = (Vec::new(), Vec::new());
    for (stack, reason, weight) in stacks(p, index) {
        let named = |f: &crate::model::Frame| (index.dict.func_name(f.func), index.dict.func_file(f.func), f.line);
        let mut sample: Vec<usize> =
            stack.iter().map(named).map(|(func, file, line)| frame(func, file, line)).collect();
        sample.extend(reason.as_deref().map(|r| frame(r, "", 0)));
        samples.push(sample);
        weights.push(weight);
    }
    let unit = if p.kind == Kind::Cpu { "none" } else { "nanoseconds" };
    let sampled = Sampled {
        of: "sampled",
        name: what.to_owned(),
        unit,
        start_value: 0,
        end_value: weights.iter().fold(0, |a, &b| a.saturating_add(b)),
        samples,
        weights,
    };
    let file = File {
        schema: "https://www.speedscope.app/file-format-schema.json",
        name: name.to_owned(),
        exporter: concat!("gotrail ", env!("CARGO_PKG_VERSION")),
        active: 0,
        shared: Shared { frames },
        profiles: vec![sampled],
    };
    json::write_line(&file, out)
}
