//! `comments`: the free text in a profile.

use super::Report;
use crate::base::text::escape;
use std::io::{self, Write};

/// Prints the report.
pub fn write(r: &Report, out: &mut dyn Write) -> io::Result<()> {
    for &c in &r.profile.comments {
        for line in r.profile.str(c).split('\n') {
            writeln!(out, "{}", escape(line))?;
        }
    }
    Ok(())
}
