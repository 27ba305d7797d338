//! A place in a trace, as the viewer's `y` copies it: `trace.out@812.031ms:g8`.

use crate::base::{Duration, GoId};
use std::path::{Path, PathBuf};

/// Where a viewer begins: an instant, counted from the trace's start, and perhaps a goroutine.
pub type Position = (Duration, Option<GoId>);

/// Parts a file's name from a position after it. What is a file's name as it stands is taken as one.
pub fn split(path: &Path) -> (PathBuf, Option<Position>) {
    let whole = || (path.to_owned(), None);
    let Some((file, text)) = path.to_str().and_then(|p| p.rsplit_once('@')) else { return whole() };
    match position(text) {
        Some(p) if !path.exists() => (file.into(), Some(p)),
        _ => whole(),
    }
}

fn position(text: &str) -> Option<Position> {
    let (at, go) = match text.split_once(":g") {
        Some((at, go)) => (at, Some(GoId(go.parse().ok()?))),
        None => (text, None),
    };
    Some((at.parse().ok()?, go))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_stands_after_the_last_at() {
        let split = |s: &str| split(Path::new(s));
        assert_eq!(split("no/such@812.031ms:g8"), ("no/such".into(), Some((Duration(812_031_000), Some(GoId(8))))));
        assert_eq!(split("me@host@2s"), ("me@host".into(), Some((Duration(2_000_000_000), None))));
        for plain in ["trace.out", "a@b", "a@12", "a@1ms:g", "a@1ms:gx", "@", "src@", "Cargo.toml"] {
            assert_eq!(split(plain), (plain.into(), None), "{plain}");
        }
    }
}
