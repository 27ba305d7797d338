//! Heap, growth and fragmentation texts of gperftools and Go (`/debug/pprof/heap?debug=1`).

use super::builder::{Builder, Label};
use super::{Text, count, hex_addresses, is_blank, is_maps_header};
use crate::profile::wire::error::Error;
use regex::Regex;
use std::sync::LazyLock;

static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    let totals = r"heap profile: *([0-9]+): *([0-9]+) *\[ *([0-9]+): *([0-9]+) *\] *@";
    Regex::new(&format!("{totals} *(heap[_a-z0-9]*)/?([0-9]*)|{totals} (?:growth|fragmentation)")).expect("fixed")
});
static SAMPLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(-?[0-9]+): *(-?[0-9]+) *\[ *([0-9]+): *([0-9]+) *\] @([ x0-9a-f]*)").expect("fixed")
});

/// `None` if `text` is not a heap profile.
pub(crate) fn decode(text: &str) -> Result<Option<Builder>, Error> {
    let mut text = Text::new(text);
    text.advance();
    let Some(head) = HEADER.captures(text.line) else { return Ok(None) };
    let group = |i: usize| head.get(i).map_or("", |m| m.as_str());
    let mut has_alloc = false;
    let mut sampled = false;
    let mut period = 1;
    if head.get(5).is_some() {
        has_alloc = group(3) != group(1) && group(3) != "0" || group(4) != group(2) && group(4) != "0";
        let rate = match group(6) {
            "" => 0,
            rate => match rate.parse::<i64>() {
                Ok(rate) => rate,
                Err(_) => return Ok(None),
            },
        };
        (sampled, period) = match group(5) {
            "heapz_v2" | "heap_v2" => (true, rate),
            "heapprofile" => (false, 1),
            "heap" => (true, rate / 2),
            _ => return Ok(None),
        };
    }
    // What is allocated comes before what is in use, because the last type is shown by default.
    let types: &[(&str, &str)] = if has_alloc {
        &[("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")]
    } else {
        &[("objects", "count"), ("space", "bytes")]
    };
    let mut b = Builder::new(types, ("space", "bytes"), period);
    let mut symbols = count::Symbols::default();
    while text.advance() {
        if symbols.read(text.line, &mut b) || is_blank(text.line) {
            continue;
        }
        if is_maps_header(text.line) {
            break;
        }
        let sample = SAMPLE.captures(text.line).ok_or_else(|| text.fault("expected a heap sample"))?;
        let number = |i: usize| sample[i].parse::<i64>().map_err(|_| text.fault("a number of more than 64 bits"));
        let mut values = Vec::with_capacity(4);
        let mut block = 0;
        for (objects, bytes) in [(3, 4), (1, 2)].into_iter().skip(usize::from(!has_alloc)) {
            let (objects, bytes) = (number(objects)?, number(bytes)?);
            if objects == 0 && bytes != 0 {
                return Err(text.fault("bytes without an object"));
            }
            if objects != 0 {
                block = bytes.wrapping_div(objects);
            }
            let scaled = if sampled { scale(objects, bytes, period) } else { (objects, bytes) };
            values.extend([scaled.0, scaled.1]);
        }
        let stack = hex_addresses(&sample[5]).ok_or_else(|| text.fault("an address of more than 64 bits"))?;
        b.sample_at(&stack, 0, values, vec![Label::Number("bytes", block)]);
    }
    text.read_maps(&mut b);
    b.name_hidden();
    Ok(Some(b))
}

/// What `count` sampled objects of `size` bytes together stand for, when one byte in `rate` is sampled on average: an
/// object of `s` bytes is seen with probability `1 - exp(-s/rate)`.
pub(crate) fn scale(count: i64, size: i64, rate: i64) -> (i64, i64) {
    if count == 0 || size == 0 {
        return (0, 0);
    }
    if rate <= 1 {
        return (count, size);
    }
    let average = size as f64 / count as f64;
    let scale = 1.0 / (1.0 - (-average / rate as f64).exp());
    ((count as f64 * scale) as i64, (size as f64 * scale) as i64)
}
