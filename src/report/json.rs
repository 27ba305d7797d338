//! Report values as JSON.

use serde::Serialize;
use std::io::{self, Write};

/// Writes a value as an indented JSON object and a line end.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)
}
