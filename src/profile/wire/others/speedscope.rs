//! speedscope's own format: <https://github.com/jlfwong/speedscope/blob/main/src/lib/file-format-spec.ts>.

use super::assemble::Assembler;
use super::{odd, wrong};
use crate::profile::wire::error::Error;
use crate::profile::wire::proto::Profile;
use serde::Deserialize;

const NAME: &str = "speedscope file";

#[derive(Deserialize)]
struct File {
    shared: Shared,
    profiles: Vec<Part>,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Shared {
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    name: String,
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    line: Option<f64>,
    #[serde(default)]
    col: Option<f64>,
}

/// The profile of a thread.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Part {
    #[serde(rename_all = "camelCase")]
    Evented {
        name: String,
        unit: String,
        end_value: f64,
        events: Vec<Event>,
    },
    Sampled {
        name: String,
        unit: String,
        samples: Vec<Vec<usize>>,
        weights: Vec<f64>,
    },
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    at: f64,
    frame: usize,
}

/// Reads a file of speedscope. The name of each of its profiles is the label `thread`, if it has several.
pub(super) fn decode(data: &[u8]) -> Result<Profile, Error> {
    let file: File = serde_json::from_slice(data).map_err(wrong(NAME))?;
    let mut a = Assembler::default();
    let whole = |n: Option<f64>| n.map_or(0, |n| n as i64).max(0);
    let frames = file.shared.frames.iter();
    let frames: Vec<u64> =
        frames.map(|f| a.call(&f.name, f.file.as_deref().unwrap_or(""), whole(f.line), whole(f.col))).collect();
    let place = |i: usize| frames.get(i).copied().ok_or_else(|| odd(NAME, format!("there is no frame {i}")));
    let several = file.profiles.len() > 1;
    for part in &file.profiles {
        let (name, unit) = match part {
            Part::Evented { name, unit, .. } | Part::Sampled { name, unit, .. } => (name, unit),
        };
        let (kind, unit, scale) = match unit.as_str() {
            "nanoseconds" => ("time", "nanoseconds", 1.0),
            "microseconds" => ("time", "nanoseconds", 1e3),
            "milliseconds" => ("time", "nanoseconds", 1e6),
            "seconds" => ("time", "nanoseconds", 1e9),
            "bytes" => ("space", "bytes", 1.0),
            _ => ("weight", "count", 1.0),
        };
        let kind = a.kind(kind, unit);
        let label = [("thread", name.as_str())];
        let labels = if several { &label[..] } else { &[] };
        match part {
            Part::Sampled { samples, weights, .. } => {
                for (i, sample) in samples.iter().enumerate() {
                    let stack: Vec<u64> = sample.iter().rev().map(|&i| place(i)).collect::<Result<_, _>>()?;
                    let weight = weights.get(i).copied().unwrap_or(1.0);
                    a.add(&stack, labels, &[(kind, (weight * scale).round() as i64)])?;
                }
            }
            Part::Evented { events, end_value, .. } => {
                let mut open: Vec<u64> = Vec::new();
                let mut since = events.first().map_or(0.0, |e| e.at);
                let mut until = |a: &mut Assembler, open: &[u64], at: f64| -> Result<(), Error> {
                    let value = ((at - since) * scale).round() as i64;
                    since = at;
                    let stack: Vec<u64> = open.iter().rev().copied().collect();
                    if open.is_empty() || value <= 0 { Ok(()) } else { a.add(&stack, labels, &[(kind, value)]) }
                };
                for e in events {
                    until(&mut a, &open, e.at)?;
                    match e.r#type.as_str() {
                        "O" => open.push(place(e.frame)?),
                        _ if open.last() == Some(&place(e.frame)?) => _ = open.pop(),
                        _ => return Err(odd(NAME, format!("frame {} ends and was not the innermost", e.frame))),
                    }
                }
                until(&mut a, &open, *end_value)?;
            }
        }
    }
    if let Some(name) = file.name.filter(|n| !n.is_empty()) {
        a.comment(&name);
    }
    Ok(a.finish())
}
