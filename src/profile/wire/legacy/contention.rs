//! Contention texts of gperftools and Go (`mutex` and `block` with `debug=1`).

use super::builder::Builder;
use super::{Text, count, hex_addresses, is_blank, parse_int};
use crate::profile::wire::error::Error;
use regex::Regex;
use std::sync::LazyLock;

static SAMPLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"([0-9]+) *([0-9]+) @([ x0-9a-f]*)").expect("fixed"));

/// `None` if `text` is not a contention profile of a native program.
pub(crate) fn decode(text: &str) -> Result<Option<Builder>, Error> {
    let mut text = Text::new(text);
    text.advance();
    if !["--- contentionz ", "--- mutex:", "--- contention:"].iter().any(|h| text.line.starts_with(h)) {
        return Ok(None);
    }
    let types = [("contentions", "count"), ("delay", "nanoseconds")];
    let mut b = Builder::new(&types, ("contentions", "count"), 1);
    let mut hz = 0;
    let mut more = false;
    while text.advance() {
        let line = text.line.trim();
        if is_blank(line) {
            continue;
        }
        more = true;
        let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with("---")) else { break };
        more = false;
        let number = parse_int(value.trim());
        match (key.trim(), number) {
            ("cycles/second", Some(n)) => hz = n,
            ("sampling period", Some(n)) => b.period = n,
            ("ms since reset", Some(n)) => b.duration_nanos = n.wrapping_mul(1_000_000),
            ("discarded samples", _) => {}
            // `format` and `resolution` are Java's.
            _ => return Ok(None),
        }
    }
    let mut symbols = count::Symbols::default();
    while more {
        let line = text.line.trim();
        if line.starts_with("---") {
            break;
        }
        if !symbols.read(text.line, &mut b) && !is_blank(line) {
            let Some(sample) = SAMPLE.captures(line) else { return Ok(None) };
            let number = |i: usize| sample[i].parse::<i64>().map_err(|_| text.fault("a number of more than 64 bits"));
            let (mut delay, mut contentions) = (number(1)?, number(2)?);
            if b.period > 0 {
                // Only one in `period` was recorded, and the delay in cycles.
                if hz > 0 {
                    delay = (delay as f64 * b.period as f64 / (hz as f64 / 1e9)) as i64;
                }
                contentions = contentions.wrapping_mul(b.period);
            }
            let stack = hex_addresses(&sample[3]).ok_or_else(|| text.fault("an address of more than 64 bits"))?;
            b.sample_at(&stack, 0, vec![contentions, delay], Vec::new());
        }
        more = text.advance();
    }
    text.read_maps(&mut b);
    b.name_hidden();
    Ok(Some(b))
}
