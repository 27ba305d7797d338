//! A place in a trace, as the viewer's `y` copies it: `trace.out@812.031ms:g8`.

use crate::base::duration::DurationError;
use crate::base::text::escape;
use crate::base::{Duration, GoId};
use std::path::{Path, PathBuf};

/// Where a viewer begins: an instant, counted from the trace's start, and perhaps a goroutine.
pub type Position = (Duration, Option<GoId>);

/// What stands behind a file's name and an `@` is no position.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{}` is not a position in {}: {fault}", escape(text), escape(&file.to_string_lossy()))]
pub struct PositionError {
    file: PathBuf,
    text: String,
    fault: PositionFault,
}

/// Why a text is no position.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PositionFault {
    /// Its instant is none.
    #[error(transparent)]
    Instant(#[from] DurationError),
    /// What stands behind `:g` is no number.
    #[error("behind `:g` stands no goroutine's number")]
    Goroutine,
}

/// Parts a file's name from a position after it. What is a file's name as it stands is taken as one.
///
/// # Errors
///
/// There is a file of the name before the `@`, and behind it stands no position.
pub fn split(path: &Path) -> Result<(PathBuf, Option<Position>), PositionError> {
    let whole = Ok((path.to_owned(), None));
    let Some((file, text)) = path.to_str().and_then(|p| p.rsplit_once('@')) else { return whole };
    if path.exists() {
        return whole;
    }
    match position(text) {
        Ok(p) => Ok((file.into(), Some(p))),
        Err(fault) if Path::new(file).is_file() => {
            Err(PositionError { file: file.into(), text: text.to_owned(), fault })
        }
        Err(_) => whole,
    }
}

fn position(text: &str) -> Result<Position, PositionFault> {
    let (at, go) = match text.split_once(":g") {
        Some((at, go)) => (at, Some(GoId(go.parse().map_err(|_| PositionFault::Goroutine)?))),
        None => (text, None),
    };
    Ok((at.parse::<Duration>()?, go))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_stands_after_the_last_at() {
        let split = |s: &str| super::split(Path::new(s)).unwrap();
        assert_eq!(split("no/such@812.031ms:g8"), ("no/such".into(), Some((Duration(812_031_000), Some(GoId(8))))));
        assert_eq!(split("me@host@2s"), ("me@host".into(), Some((Duration(2_000_000_000), None))));
        for plain in ["trace.out", "a@b", "a@12", "a@1ms:g", "a@1ms:gx", "@", "src@", "Cargo.toml"] {
            assert_eq!(split(plain), (plain.into(), None), "{plain}");
        }
        // Where there is such a file, a position was meant.
        for wrong in ["Cargo.toml@.5s", "Cargo.toml@1S", "Cargo.toml@5", "Cargo.toml@1s:gx"] {
            assert!(super::split(Path::new(wrong)).is_err(), "{wrong}");
        }
    }
}
