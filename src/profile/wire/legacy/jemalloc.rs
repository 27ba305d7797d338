//! jemalloc's heap profiles: `heap_v2/RATE`, then for each stack `@ 0x…`, below it what each thread has there and `t*:` for
//! all (jemalloc's `src/prof_data.c`).

use super::builder::Builder;
use super::heap::scale;
use super::{Text, hex_addresses, is_maps_header};
use crate::profile::wire::error::Error;
use regex::Regex;
use std::sync::LazyLock;

static COUNTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*t\*: *([0-9]+): *([0-9]+) *\[ *([0-9]+): *([0-9]+) *\]").expect("a valid expression")
});

/// `None` if `text` is not such a profile.
pub(crate) fn decode(text: &str) -> Result<Option<Builder>, Error> {
    let mut text = Text::new(text);
    text.advance();
    let Some(rate) = text.line.strip_prefix("heap_v2/") else { return Ok(None) };
    let rate = rate.trim().parse::<i64>().map_err(|_| text.fault("expected the sampling rate"))?;
    let types =
        [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")];
    let mut b = Builder::new(&types, ("space", "bytes"), rate);
    // What stands before the first stack is of all stacks together.
    let mut stack: Option<Vec<u64>> = None;
    while text.advance() && !is_maps_header(text.line) {
        if let Some(addresses) = text.line.strip_prefix('@') {
            let addresses = hex_addresses(addresses);
            stack = Some(addresses.ok_or_else(|| text.fault("an address of more than 64 bits"))?);
        } else if let (Some(counts), Some(stack)) = (COUNTS.captures(text.line), &stack) {
            let number = |i: usize| counts[i].parse::<i64>().map_err(|_| text.fault("a number of more than 64 bits"));
            let (used, all) = (scale(number(1)?, number(2)?, rate), scale(number(3)?, number(4)?, rate));
            b.sample_at(stack, 0, vec![all.0, all.1, used.0, used.1], Vec::new());
        }
    }
    text.read_maps(&mut b);
    Ok(Some(b))
}
