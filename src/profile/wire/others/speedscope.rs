//! speedscope's own format: <https://github.com/jlfwong/speedscope/blob/main/src/lib/file-format-spec.ts>.

use super::assemble::{Assembled, Assembler};
use super::numbers::{Decimal, Whole};
use super::{odd, wrong};
use crate::base::text;
use crate::profile::wire::error::Error;
use serde::Deserialize;
use serde_json::Number;

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
    Evented { name: String, unit: String, end_value: Number, events: Vec<Event> },
    Sampled {
        name: String,
        unit: String,
        samples: Vec<Vec<usize>>,
        #[serde(default)]
        weights: Vec<Option<Number>>,
    },
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    at: Number,
    frame: usize,
}

impl Part {
    fn name(&self) -> &str {
        match self {
            Part::Evented { name, .. } | Part::Sampled { name, .. } => name,
        }
    }

    fn unit(&self) -> &str {
        match self {
            Part::Evented { unit, .. } | Part::Sampled { unit, .. } => unit,
        }
    }

    /// The numbers that its values are made of.
    fn numbers(&self) -> Vec<Decimal> {
        match self {
            Part::Sampled { weights, .. } => weights.iter().flatten().filter_map(Decimal::of).collect(),
            Part::Evented { events, end_value, .. } => {
                let all: Vec<Decimal> =
                    events.iter().map(|e| &e.at).chain([end_value]).filter_map(Decimal::of).collect();
                all.windows(2).filter_map(|w| w[1].less(w[0])).collect()
            }
        }
    }
}

/// Type and unit of values that are measured, and the power of ten that theirs are to be multiplied by; nothing for counts.
fn measured(unit: &str) -> Option<(&'static str, &'static str, u32)> {
    match unit {
        "nanoseconds" => Some(("time", "nanoseconds", 0)),
        "microseconds" => Some(("time", "nanoseconds", 3)),
        "milliseconds" => Some(("time", "nanoseconds", 6)),
        "seconds" => Some(("time", "nanoseconds", 9)),
        "bytes" => Some(("space", "bytes", 0)),
        _ => None,
    }
}

/// Reads a file of speedscope. The name of each of its profiles is the label `thread`, if it has several.
pub(super) fn decode(data: &[u8]) -> Result<Assembled, Error> {
    let file: File = serde_json::from_slice(data).map_err(wrong(NAME))?;
    let mut a = Assembler::default();
    let whole = |n: Option<f64>| n.map_or(0, |n| n as i64).max(0);
    let frames = file.shared.frames.iter();
    let frames: Vec<u64> =
        frames.map(|f| a.call(&f.name, f.file.as_deref().unwrap_or(""), whole(f.line), whole(f.col))).collect();
    let place = |i: usize| frames.get(i).copied().ok_or_else(|| odd(NAME, format!("there is no frame {i}")));
    let several = file.profiles.len() > 1;
    // Counts with decimals are all in the same unit.
    let numbers = file.profiles.iter().filter(|p| measured(p.unit()).is_none()).flat_map(Part::numbers);
    let mut counts = Whole::counts(numbers.collect::<Vec<_>>().into_iter());
    if file.profiles.is_empty() {
        return Err(odd(NAME, "it has no profiles"));
    }
    let (mut rounded, mut without, mut beyond, mut back) = (0, 0, 0, 0);
    for part in &file.profiles {
        let (kind, unit, power) = measured(part.unit()).unwrap_or(("weight", counts.unit(), 0));
        let kind = a.kind(kind, unit);
        let mut times = Whole::times_ten_to(power);
        let whole = if measured(part.unit()).is_some() { &mut times } else { &mut counts };
        let label = [("thread", part.name())];
        let labels = if several { &label[..] } else { &[] };
        match part {
            Part::Sampled { samples, weights, unit, .. } => {
                let one = Number::from(1);
                for (i, sample) in samples.iter().enumerate() {
                    let stack: Vec<u64> = sample.iter().rev().map(|&i| place(i)).collect::<Result<_, _>>()?;
                    let weight = match weights.get(i) {
                        // Where nothing is measured, samples are counted.
                        None if weights.is_empty() && unit == "none" => Some(&one),
                        weight => weight.and_then(Option::as_ref),
                    };
                    match weight {
                        Some(w) => {
                            a.add(&stack, labels, &[(kind, Decimal::of(w).and_then(|w| whole.value(w)))])?;
                        }
                        None => without += 1,
                    }
                }
                beyond += weights.len().saturating_sub(samples.len());
            }
            Part::Evented { events, end_value, .. } => {
                let mut open: Vec<u64> = Vec::new();
                let mut since = events.first().and_then(|e| Decimal::of(&e.at));
                let mut until = |a: &mut Assembler, open: &[u64], at: &Number| -> Result<(), Error> {
                    let at = Decimal::of(at);
                    let passed = at.zip(since).and_then(|(at, since)| at.less(since));
                    // What goes back takes place when the event before it does: no time counts twice.
                    if passed.is_some_and(Decimal::is_negative) {
                        back += 1;
                        return Ok(());
                    }
                    since = at.or(since);
                    if open.is_empty() || passed.is_some_and(Decimal::is_zero) {
                        return Ok(());
                    }
                    let stack: Vec<u64> = open.iter().rev().copied().collect();
                    a.add(&stack, labels, &[(kind, passed.and_then(|p| whole.value(p)))])
                };
                for e in events {
                    until(&mut a, &open, &e.at)?;
                    match e.r#type.as_str() {
                        "O" => open.push(place(e.frame)?),
                        "C" if open.last() == Some(&place(e.frame)?) => _ = open.pop(),
                        "C" => return Err(odd(NAME, format!("frame {} ends and was not the innermost", e.frame))),
                        other => {
                            let other = text::escape(&text::fit(other, 20)).into_owned();
                            return Err(odd(NAME, format!("an event is of the type `{other}`, and not `O` or `C`")));
                        }
                    }
                }
                until(&mut a, &open, end_value)?;
            }
        }
        rounded += times.rounded;
    }
    counts.said().into_iter().for_each(|said| a.note(said));
    for (n, one, many) in [
        (
            rounded,
            "value is no whole nanosecond or byte and was rounded",
            "values are no whole nanoseconds or bytes and were rounded; their sum is right",
        ),
        (without, "sample has no weight and was left out", "samples have no weight and were left out"),
        (beyond, "weight has no sample and was left out", "weights have no sample and were left out"),
        (
            back,
            "event goes back in time, and takes place when the one before it does",
            "events go back in time, and take place when those before them do",
        ),
    ] {
        a.note_of(n, one, many);
    }
    if let Some(name) = file.name.filter(|n| !n.is_empty()) {
        a.comment(&name);
    }
    Ok(a.finish())
}
