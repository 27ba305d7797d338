//! The user's settings: one TOML file, every key optional, mistakes answered with their line and the nearest valid word.

use crate::base::{spell, text};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use thiserror::Error as ThisError;

#[cfg(test)]
mod tests;

/// The example file, which documents every key and holds the defaults.
pub const EXAMPLE: &str = include_str!("../../assets/settings.toml");

/// The environment variable that names another settings file.
pub const VARIABLE: &str = "GOTRAIL_CONFIG";

/// All settings.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Editor command or template; empty for `$VISUAL` and `$EDITOR`.
    pub editor: String,
    /// Colours.
    pub theme: Theme,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Whether the mouse works.
    pub mouse: bool,
    /// The view that a trace opens in, by the name in its tab; what there is is checked where views are known.
    pub view: String,
    /// How much room the panes get.
    pub density: Density,
    /// How much memory an open trace may take.
    pub memory: ByteSize,
    /// Where sources are.
    pub source: SourceSettings,
    /// What else is a span.
    pub spans: SpanSettings,
    /// Colours by what they are of, as text; what there is is checked where colours are known.
    pub colors: BTreeMap<String, String>,
    /// Keys by action name, as text; what they mean is checked where actions are known.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            editor: String::new(),
            theme: Theme::Auto,
            ascii: false,
            mouse: true,
            view: "timeline".into(),
            density: Density::Normal,
            memory: ByteSize(1_000_000_000),
            source: SourceSettings::default(),
            spans: SpanSettings::default(),
            colors: BTreeMap::new(),
            keys: BTreeMap::new(),
        }
    }
}

/// Where sources are.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceSettings {
    /// `DIR` or `FROM=TO`, in the order in which they are tried. A leading `~/` is the home directory, once loaded.
    pub paths: Vec<String>,
}

/// What is a span besides what the rules know.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpanSettings {
    /// Functions each call of which is one.
    pub calls: Vec<String>,
}

/// A set of colours.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// What the terminal and `NO_COLOR` call for.
    #[default]
    Auto,
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// The terminal's own sixteen colours.
    Ansi,
    /// No colours.
    Mono,
}

/// How much room the panes below a view get.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Density {
    /// A third of the screen.
    #[default]
    Normal,
    /// A quarter of it, and the strip at the top one row: the view shows more at once.
    Compact,
}

/// A number of bytes, written `512MB`, `1.5 GB` or `2GiB`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ByteSize(pub u64);

const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// A text that is not a size in bytes.
#[derive(Clone, PartialEq, Eq, Debug, ThisError)]
#[error("`{0}` is not a size: write it as 512MB, 1.5GB or 2GiB")]
pub struct ByteSizeError(String);

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    /// Units in any case: `K`, `kB`, `MB`, `GB`, `TB` are powers of ten, `KiB` … of 1024; a bare number is bytes.
    fn from_str(s: &str) -> Result<Self, ByteSizeError> {
        let bad = || ByteSizeError(s.to_owned());
        let text = s.trim();
        let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (number, unit) = (text[..split].trim(), &text[split..]);
        let factor = match unit {
            "" => 1,
            u => {
                let same = |(name, _): &&(&str, u64)| {
                    name.eq_ignore_ascii_case(u) || name.strip_suffix('B').is_some_and(|n| n.eq_ignore_ascii_case(u))
                };
                UNITS.iter().find(same).ok_or_else(bad)?.1
            }
        };
        if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Err(bad());
        }
        let bytes = number.parse::<f64>().map_err(|_| bad())? * factor as f64;
        if bytes < u64::MAX as f64 { Ok(ByteSize(bytes as u64)) } else { Err(bad()) }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().filter(|(_, u)| self.0 > 0 && self.0.is_multiple_of(*u)).max_by_key(|(_, u)| *u);
        let (name, unit) = unit.unwrap_or(&("B", 1));
        write!(f, "{}{name}", self.0 / unit)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// A settings file that cannot be used.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Something in it is wrong.
    #[error("{}:{line}: {message}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, on one line, with the nearest valid word.
        message: String,
    },
}

/// Settings files are read no further than this.
const MAX_SIZE: u64 = 1 << 20;

/// The file that `GOTRAIL_CONFIG` names or the one in the user's configuration directory, and whether it was named.
/// `None` if there is no home directory. `var` is the environment (`std::env::var_os`).
pub fn path(var: impl Fn(&str) -> Option<OsString>) -> Option<(PathBuf, bool)> {
    use etcetera::BaseStrategy;
    if let Some(named) = var(VARIABLE).filter(|v| !v.is_empty()) {
        return Some((named.into(), true));
    }
    let dirs = etcetera::choose_base_strategy().ok()?;
    Some((dirs.config_dir().join("gotrail/settings.toml"), false))
}

impl Settings {
    /// The user's settings: those of the file that [`path`] gives. The defaults if there is none, unless it was named.
    pub fn load(var: impl Fn(&str) -> Option<OsString>) -> Result<Settings, ConfigError> {
        let Some((path, named)) = path(&var) else { return Ok(Settings::default()) };
        let mut text = String::new();
        let read = std::fs::File::open(&path).and_then(|f| f.take(MAX_SIZE).read_to_string(&mut text));
        match read {
            Err(e) if e.kind() == io::ErrorKind::NotFound && !named => return Ok(Settings::default()),
            Err(cause) => return Err(ConfigError::Read { path, cause }),
            Ok(_) => {}
        }
        let mut settings = Settings::parse(&path, &text)?;
        if let Some(home) = var("HOME").and_then(|h| h.into_string().ok()) {
            for p in &mut settings.source.paths {
                *p = at_home(p, &home);
            }
        }
        Ok(settings)
    }

    /// Reads settings from TOML. `path` is for messages.
    pub fn parse(path: &Path, text: &str) -> Result<Settings, ConfigError> {
        toml::from_str(text).map_err(|e| {
            let at = e.span().map_or(0, |s| s.start).min(text.len());
            let line = 1 + text.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count();
            ConfigError::Wrong { path: path.into(), line, message: explain(e.message()) }
        })
    }
}

/// `~/x` and `from=~/x` with the home directory in place of `~`.
fn at_home(path: &str, home: &str) -> String {
    let (from, to) = path.split_once('=').map_or((None, path), |(from, to)| (Some(from), to));
    let to =
        to.strip_prefix("~/").map_or_else(|| to.to_string(), |rest| format!("{}/{rest}", home.trim_end_matches('/')));
    from.map_or_else(|| to.clone(), |from| format!("{from}={to}"))
}

/// The parser's message on one line; of a word that is not known, with the nearest of those that are.
///
/// serde says `unknown field `x`, expected one of `a`, `b``, and the same of variants.
fn explain(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = text::escape(&line).into_owned();
    let words: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
    let Some((word, known)) = words.split_first().filter(|_| line.starts_with("unknown ")) else { return line };
    let what = if line.starts_with("unknown variant") { "value" } else { "key" };
    match spell::nearest(word, known.iter().copied()) {
        Some(nearest) => format!("unknown {what} `{word}`{}", spell::hint(nearest)),
        None => format!("unknown {what} `{word}`: there are {}", known.join(", ")),
    }
}
