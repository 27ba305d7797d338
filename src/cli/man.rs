//! The manual page: clap's, with the keys and the query language from the lists that the viewer uses.

use crate::query;
use crate::tui::app::keymap::Keymap;
use crate::tui::panels::help::{Line, QUERIES, lines};
use crate::tui::theme::UNICODE;
use clap::Command;
use clap_mangen::{Man, roff};
use roff::{Roff, bold, roman};
use std::io::{self, Write};

/// Where the commands on profiles do not print what pprof prints, because that is wrong, or not the same twice.
const PPROF: [(&str, &str); 10] = [
    ("list, recursion", "a function's header counts a sample once, however often the function is on its stack"),
    (
        "list, files",
        "only what is called as source files are is shown, and of it at most 8 MB: a profile may name any file",
    ),
    ("disasm, expression", "it is looked for in the names of functions alone, so that `Update$` finds `Update`"),
    (
        "disasm, last byte",
        "a function's last instruction is shown whole and has its samples; pprof cuts a byte off, and prints `?`",
    ),
    (
        "disasm, instructions",
        "are written as GNU's assembler writes them, those of AVX and with prefixes as one; libraries are left out",
    ),
    ("disasm, recursion", "a function's header counts a sample once; its instructions count as with pprof"),
    ("disasm --mean", "a function's header has means, as its instructions and the total do; with pprof it has sums"),
    ("--files", "whether an entry is marked (inline), and the order of equal entries, are the same in every run"),
    (
        "names",
        "`<module>`, `<T as X>::f` and `(anonymous namespace)::f` stay as they are; invalid UTF-8 is written as \\xff",
    ),
    ("units, names", "characters that steer a terminal are escaped"),
];

/// Writes the page in roff.
pub(super) fn write(command: Command, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Roff::new();
    // One page for all commands: clap's own list names a page of each, which there is not.
    page.control("SH", ["COMMANDS"]);
    page.text([roman("Each command tells its options with --help.")]);
    for c in command.get_subcommands() {
        let about = c.get_about().map(ToString::to_string).unwrap_or_default();
        page.control("TP", []).text([bold(format!("gotrail {}", c.get_name()))]).text([roman(about)]);
    }
    let man = Man::new(command);
    let out = &mut &mut *out;
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;

    page.control("SH", ["KEYS"]);
    for line in lines(&Keymap::default(), &UNICODE) {
        match line {
            // The query language has a section of its own.
            Line::Heading(h) if h == QUERIES => break,
            Line::Heading(h) => {
                page.control("SS", [h.as_str()]);
            }
            Line::Entry(keys, what) => {
                page.control("TP", []).text([bold(keys)]).text([roman(what)]);
            }
            Line::Empty => {}
        }
    }
    page.control("SH", ["QUERIES"]);
    for h in query::help() {
        page.control("TP", []).text([bold(h.term)]);
        page.text([roman(format!("{}. Example: ", h.meaning)), bold(h.example)]);
    }
    page.control("SH", ["DIFFERENCES FROM PPROF"]);
    for (what, how) in PPROF {
        page.control("TP", []).text([bold(what)]).text([roman(how)]);
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
    page.to_writer(out)?;
    man.render_version_section(out)
}
