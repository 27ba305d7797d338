//! Report values as JSON, safe to show: what must not reach a terminal as it is stands as `\u` escapes, which mean the
//! same to every reader of JSON.

use crate::base::text;
use serde::Serialize;
use std::io::{self, Write};

/// Writes a value as an indented JSON object and a line end.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let json = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
    writeln!(out, "{}", text::escape_json(&json))
}

/// Writes a value as a JSON object on one line.
pub fn write_line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let json = serde_json::to_string(value).map_err(io::Error::from)?;
    writeln!(out, "{}", text::escape_json(&json))
}
