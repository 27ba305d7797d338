//! The two lines of a call: what is called, and where it stands.

/// A call in a stack. Nothing of it is escaped.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Frame {
    /// The function, with its package's path.
    pub func: String,
    /// Its source file.
    pub file: String,
    /// The line; 0 if it is not told.
    pub line: u32,
}

/// `main.f` of `main.f(0x1, {0x2, 0x3})`; `None` if the line is none of a call.
pub(super) fn function(line: &str) -> Option<&str> {
    let name = line.trim().strip_suffix(')')?;
    // Arguments are the last balanced parenthesis: `(*T).M(...)` has one in its name.
    let mut depth = 1;
    for (i, c) in name.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&name[..i]).filter(|n| !n.is_empty());
        }
    }
    None
}

/// Whether a line is of a call or of whoever made a goroutine, with nothing before it.
pub(super) fn is_bare(line: &str) -> bool {
    line.starts_with("created by ") || function(line).is_some_and(|f| !f.contains(' '))
}

/// Who made a goroutine, by `created by main.main in goroutine 1`: the function, and since Go 1.21 the goroutine.
pub(super) fn creator(line: &str) -> Option<(&str, Option<u64>)> {
    let rest = line.trim().strip_prefix("created by ")?;
    match rest.rsplit_once(" in goroutine ") {
        Some((func, id)) if id.parse::<u64>().is_ok() => Some((func, id.parse().ok())),
        _ => Some((rest, None)),
    }
}

/// `file` and `line` of `⇥/path/file.go:12 +0x1d fp=…`, where a viewer of logs may have made spaces of the tab or taken it
/// off.
pub(super) fn position(line: &str) -> Option<(&str, u32)> {
    let place = line.trim_start();
    let indented = place.len() < line.len();
    let place = place.split_once(" +0x").map_or(place, |(place, _)| place).trim_end();
    let (file, number) = place.rsplit_once(':')?;
    if file.is_empty() || !(indented || file.starts_with('/') || file.ends_with(".go") || file.ends_with(".s")) {
        return None;
    }
    Some((file, number.parse().ok()?))
}
