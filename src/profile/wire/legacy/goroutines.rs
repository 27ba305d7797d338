//! What Go prints for `/debug/pprof/goroutine?debug=2`, and when a program dies: every goroutine with its stack.

use super::Text;
use super::builder::{Builder, Call, Label};
use crate::profile::wire::error::Error;

/// `None` if `text` has no goroutine header in its first line. One sample for each goroutine, with its labels, a
/// label `state`, and, where Go says how long it has been waiting, `wait_minutes`.
pub(crate) fn decode(text: &str) -> Result<Option<Builder>, Error> {
    let mut text = Text::new(text);
    text.skip_blank();
    if header(text.line).is_none() {
        return Ok(None);
    }
    let mut b = Builder::new(&[("goroutine", "count")], ("goroutine", "count"), 1);
    let mut places = rustc_hash::FxHashMap::default();
    let mut more = true;
    while more {
        let Some(labels) = header(text.line) else {
            more = text.advance();
            continue;
        };
        let mut stack = Vec::new();
        more = text.advance();
        while more && header(text.line).is_none() {
            let function = text.line;
            more = text.advance();
            let Some((file, line)) = position(text.line).filter(|_| more) else { continue };
            let Some(function) = function_name(function) else { continue };
            let key = (function.to_string(), file.to_string(), line);
            let location = *places.entry(key).or_insert_with(|| {
                b.anonymous(vec![Call { function: function.to_string(), file: file.to_string(), line }])
            });
            stack.push(location);
            more = text.advance();
        }
        b.sample(stack, vec![1], labels);
    }
    Ok(Some(b))
}

/// Whether `line` introduces a goroutine.
pub(crate) fn is_header(line: &str) -> bool {
    header(line).is_some()
}

/// The labels of `goroutine 7 [chan receive, 5 minutes] {key: value}:`.
fn header(line: &str) -> Option<Vec<Label>> {
    let (id, rest) = line.strip_prefix("goroutine ")?.split_once(' ')?;
    id.parse::<u64>().ok()?;
    // A dying program tells more between the number and the state.
    let (state, rest) = rest[rest.find('[')? + 1..].split_once(']')?;
    let rest = rest.strip_suffix(':')?.trim_start();
    if !rest.is_empty() && !rest.starts_with('{') {
        return None;
    }
    let mut labels = Vec::new();
    for (i, part) in state.split(", ").enumerate() {
        if let Some(minutes) = part.strip_suffix(" minutes").and_then(|m| m.parse().ok()) {
            labels.push(Label::Number("wait_minutes", minutes));
        } else if i == 0 {
            labels.push(Label::Text("state", part.to_string()));
        }
    }
    labels.extend(super::labels::parse(rest).into_iter().map(|(key, value)| Label::Owned(key, value)));
    Some(labels)
}

/// `main.f` of `main.f(0x1, 0x2)` or `created by main.f in goroutine 1`.
fn function_name(line: &str) -> Option<&str> {
    let name = match line.strip_prefix("created by ") {
        // Where it was created is not a frame of the goroutine.
        Some(_) => return None,
        None => line.strip_suffix(')')?,
    };
    // Arguments are the last balanced parenthesis: `(*T).M(...)` has one in its name.
    let mut depth = 1;
    for (i, c) in name.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&name[..i]);
        }
    }
    None
}

/// `file` and `line` of `⇥/path/file.go:12 +0x1d`.
fn position(line: &str) -> Option<(&str, i64)> {
    let place = line.strip_prefix('\t')?;
    let place = place.rsplit_once(" +0x").map_or(place, |(place, _)| place);
    let (file, line) = place.rsplit_once(':')?;
    Some((file, line.parse().ok()?))
}
