//! `raw`: the whole profile.

use super::Report;
use std::io::{self, Write};

/// Prints the report.
pub fn write(r: &Report, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(r.profile.to_debug_string().as_bytes())
}
