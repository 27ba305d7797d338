//! `peek`: the tree around the places whose name matches, nothing left out.

use super::{Error, Report, tree};
use crate::profile::ops::pattern::Pattern;
use std::io::Write;

/// Prints the report.
///
/// # Errors
/// If `out` cannot be written, or nothing matches.
pub fn write(r: &mut Report, pattern: &Pattern, out: &mut dyn Write) -> Result<(), Error> {
    // Nothing is printed where nothing matches.
    let mut text = Vec::new();
    tree::write(r, Some(pattern), &mut text)?;
    Ok(out.write_all(&text)?)
}
