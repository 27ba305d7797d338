//! The manual page: clap's, with the keys and the query language from the lists that the viewer uses.

use crate::filter;
use crate::tui::keymap::Keymap;
use crate::tui::overlay::help::{Line, lines};
use crate::tui::theme::UNICODE;
use clap::Command;
use clap_mangen::{Man, roff};
use roff::{Roff, bold, roman};
use std::io::{self, Write};

/// Writes the page in roff.
pub(super) fn write(command: Command, out: &mut dyn Write) -> io::Result<()> {
    let man = Man::new(command);
    let out = &mut &mut *out;
    man.render(out)?;

    let mut page = Roff::new();
    page.control("SH", ["KEYS"]);
    for line in lines(&Keymap::default(), &UNICODE) {
        match line {
            Line::Heading(h) if h.starts_with("keys") => {
                page.control("SS", [h.as_str()]);
            }
            // The query language has a section of its own.
            Line::Heading(_) => break,
            Line::Entry(keys, what) => {
                page.control("TP", []).text([bold(keys)]).text([roman(what)]);
            }
            Line::Empty => {}
        }
    }
    page.control("SH", ["QUERIES"]);
    for h in filter::help() {
        page.control("TP", []).text([bold(h.term)]);
        page.text([roman(format!("{}. Example: ", h.meaning)), bold(h.example)]);
    }
    page.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in [
        ("0", "it did what it was asked to"),
        ("1", "it found nothing where finding was the point"),
        ("2", "a mistake in the command line or in a query"),
        ("3", "an input could not be read"),
    ] {
        page.control("TP", []).text([bold(code)]).text([roman(meaning)]);
    }
    page.to_writer(out)
}
