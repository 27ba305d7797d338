//! gperftools' thread texts: the stack of each thread.

use super::builder::Builder;
use super::{Text, hex_addresses, is_maps_header};
use crate::profile::wire::error::Error;
use regex::Regex;
use std::sync::LazyLock;

static HEADER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"--- threadz [0-9]+ ---").expect("fixed"));
static THREAD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"--- Thread ([[:xdigit:]]+) \(name: (.*)/([0-9]+)\) stack: ---").expect("fixed"));

/// `None` if `text` is not a thread profile.
pub(crate) fn decode(text: &str) -> Result<Option<Builder>, Error> {
    let mut text = Text::new(text);
    text.skip_blank();
    if HEADER.is_match(text.line) {
        while text.advance() && !is_maps_header(text.line) && !text.line.starts_with('-') {}
    } else if !THREAD.is_match(text.line) {
        return Ok(None);
    }
    let mut b = Builder::new(&[("thread", "count")], ("thread", "count"), 1);
    while !is_maps_header(text.line) && !text.line.trim().starts_with("---- no stack trace for") {
        if !THREAD.is_match(text.line) {
            return Ok(None);
        }
        let (stack, same) = thread(&mut text)?;
        if same || stack.is_empty() {
            b.repeat_last();
        } else {
            // The leaf is where the thread stands, not a return address.
            b.sample_at(&stack, 1, vec![1], Vec::new());
        }
    }
    text.read_maps(&mut b);
    b.strip_twin_leaf();
    Ok(Some(b))
}

/// The addresses up to the next header, and whether the thread stands where the one before it does.
fn thread(text: &mut Text) -> Result<(Vec<u64>, bool), Error> {
    let mut stack = Vec::new();
    let mut same = false;
    while text.advance() {
        let line = text.line.trim();
        if line.starts_with("---") {
            break;
        }
        if line.contains("same as previous thread") {
            same = true;
        } else {
            stack.extend(hex_addresses(line).ok_or_else(|| text.fault("an address of more than 64 bits"))?);
        }
    }
    Ok((stack, same))
}
