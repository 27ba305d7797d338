//! Java's heap and contention texts, and the table of symbols that all their profiles end with.

use super::builder::{Builder, Call, Label};
use super::{Text, heap, hex_addresses, parse_int};
use crate::profile::wire::error::Error;
use regex::Regex;
use std::sync::LazyLock;

/// The average number of bytes between two samples of the heap.
const HEAP_SAMPLING_RATE: i64 = 512 << 10;

static ATTRIBUTE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"([\w ]+)=([\w ]+)").expect("fixed"));
static SAMPLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r" *([0-9]+) +([0-9]+) +@ +([ x0-9a-f]*)").expect("fixed"));
static LOCATION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*0x([[:xdigit:]]+)\s+(.*)\s*$").expect("fixed"));
static AT_LINE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^(.*)\s+\((.+):(-?[0-9]+)\)$").expect("fixed"));
static IN_FILE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^(.*)\s+\((.*)\)$").expect("fixed"));

/// `None` if `text` is neither a Java heap nor a Java contention profile.
pub(crate) fn decode(text: &str) -> Result<Option<Builder>, Error> {
    let mut text = Text::new(text);
    text.advance();
    let heap = match text.line.trim() {
        "--- heapz 1 ---" => true,
        "--- contentionz 1 ---" => false,
        _ => return Ok(None),
    };
    let mut b = Builder::new(&[], ("", ""), 0);
    let mut more = text.advance();
    while more {
        let line = text.line.trim();
        if !line.is_empty() {
            let Some(attribute) = ATTRIBUTE.captures(line) else { break };
            let (key, value) = (attribute[1].trim(), attribute[2].trim());
            let number = || parse_int(value).ok_or_else(|| text.fault("expected a number"));
            match (key, heap) {
                ("format", _) if value == "java" => {}
                ("resolution", true) => b.sample_types = own([("inuse_objects", "count"), ("inuse_space", value)]),
                ("resolution", false) => b.sample_types = own([("contentions", "count"), ("delay", value)]),
                ("sampling period", false) => {
                    b.period_type = ("contentions".into(), "count".into());
                    b.period = number()?;
                }
                ("ms since reset", false) => b.duration_nanos = number()?.wrapping_mul(1_000_000),
                _ => return Ok(None),
            }
        }
        more = text.advance();
    }
    while more {
        if !text.line.trim().is_empty() {
            let Some(sample) = SAMPLE.captures(text.line.trim()) else { break };
            let number = |i: usize| sample[i].parse::<i64>().map_err(|_| text.fault("a number of more than 64 bits"));
            // The sum comes first, unlike in every other format.
            let (mut sum, mut count) = (number(1)?, number(2)?);
            let stack = hex_addresses(&sample[3]).ok_or_else(|| text.fault("an address of more than 64 bits"))?;
            let mut labels = Vec::new();
            if heap {
                if count == 0 {
                    return Err(text.fault("bytes without an object"));
                }
                labels.push(Label::Number("bytes", sum / count));
                (count, sum) = heap::scale(count, sum, HEAP_SAMPLING_RATE);
            } else if b.period != 0 {
                (count, sum) = (count.wrapping_mul(b.period), sum.wrapping_mul(b.period));
            }
            b.sample_at(&stack, usize::MAX, vec![count, sum], labels);
        }
        more = text.advance();
    }
    let rest: Vec<&str> = more.then_some(text.line).into_iter().chain(text.lines).collect();
    read_locations(&rest.join("\n"), &mut b)?;
    Ok(Some(b))
}

fn own(types: [(&str, &str); 2]) -> Vec<(String, String)> {
    types.map(|(kind, unit)| (kind.to_string(), unit.to_string())).to_vec()
}

/// Reads lines `0xaddress function (file:line)`, `0xaddress function (library)` or `0xaddress state`, and forgets the
/// addresses.
pub(crate) fn read_locations(text: &str, b: &mut Builder) -> Result<(), Error> {
    let mut text = Text::new(text);
    // One function for each name: the file is that of its first mention.
    let mut files: rustc_hash::FxHashMap<String, String> = rustc_hash::FxHashMap::default();
    while text.advance() {
        let Some(symbol) = LOCATION.captures(text.line.trim()) else { continue };
        let address = u64::from_str_radix(&symbol[1], 16);
        let address = address.map_err(|_| text.fault("an address of more than 64 bits"))?;
        let Some(location) = b.find(address) else { continue };
        let what = &symbol[2];
        let (function, file, line) = if let Some(at) = AT_LINE.captures(what) {
            let line = at[3].parse::<i64>().unwrap_or(0).max(0);
            (at[1].to_string(), at[2].to_string(), line)
        } else if let Some(at) = IN_FILE.captures(what) {
            let base = at[2].trim_end_matches('/').rsplit('/').next().unwrap_or("");
            let base = match (&at[2], base) {
                ("", _) => ".",
                (_, "") => "/",
                (_, base) => base,
            };
            (at[1].to_string(), base.to_string(), 0)
        } else if what.contains("generated stub/JIT") {
            ("STUB".to_string(), String::new(), 0)
        } else {
            (what.to_string(), String::new(), 0)
        };
        let file = files.entry(function.clone()).or_insert(file).clone();
        b.set_calls(location, vec![Call { function, file, line }]);
    }
    b.forget_addresses = true;
    Ok(())
}
