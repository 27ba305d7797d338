//! Words that are no command and no option: what was probably meant, and what there is in place of what pprof has.

use super::Usage;
use crate::base::spell;
use clap::error::ErrorKind;
use std::path::{Path, PathBuf};

/// Commands and options of pprof and its neighbours that we do not have, and what there is.
const INSTEAD: [(&str, &str); 24] = [
    ("web", PICTURE),
    ("svg", PICTURE),
    ("png", PICTURE),
    ("pdf", PICTURE),
    ("gif", PICTURE),
    ("ps", PICTURE),
    ("gv", PICTURE),
    ("eog", PICTURE),
    ("evince", PICTURE),
    ("dot", PICTURE),
    ("http", "`gotrail PROFILE` shows the profile in the terminal, as a flame graph with `f`"),
    ("weblist", "`gotrail list REGEX PROFILE` prints sources, and the viewer shows them with `s`"),
    ("topproto", "`gotrail proto -o FILE PROFILE` writes the profile"),
    ("callgrind", "`gotrail proto -o FILE PROFILE` writes the profile, which `go tool pprof -callgrind` converts"),
    ("kcachegrind", "`gotrail proto -o FILE PROFILE` writes the profile, which `go tool pprof -callgrind` converts"),
    ("call_tree", "`gotrail traces PROFILE` prints every stack, and the viewer's flame graph is a tree of calls"),
    ("interactive", "`gotrail PROFILE` opens the viewer"),
    ("symbolize", "addresses are named from the programs at hand; --demangle says how much of a name is shown"),
    ("tools", "programs are read without other tools"),
    ("seconds", "`gotrail record --help` says how a running program is recorded"),
    ("timeout", "`gotrail record --help` says how a running program is recorded"),
    ("buildid", "--binary FILE names the program"),
    ("add_comment", "comments are printed with `gotrail comments`, and not written"),
    ("intel_syntax", "instructions are written as GNU's assembler writes them"),
];

const PICTURE: &str = "`gotrail snapshot --format svg PROFILE` draws a screen of the viewer";

/// What there is in place of a word.
fn instead(word: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(w, _)| *w == word).map(|(_, what)| *what)
}

/// What is wrong with the first of these files, if it is none but a command of pprof's, or nearly the name of a command.
pub(super) fn command(cli: &clap::Command, files: &[PathBuf]) -> Option<Usage> {
    misspelt(cli, files.first()?.as_os_str().to_str()?)
}

fn misspelt(cli: &clap::Command, word: &str) -> Option<Usage> {
    if Path::new(word).exists() {
        return None;
    }
    if let Some(instead) = instead(word) {
        return Some(Usage::NotHere { word: word.into(), instead });
    }
    let name = spell::nearest(word, cli.get_subcommands().map(clap::Command::get_name))?;
    Some(Usage::NoSuchCommand { word: word.into(), command: name.into() })
}

/// What to say where clap found an option that it does not know: that there is something else for it, or that the word which
/// was meant as a command is none.
pub(super) fn option(cli: &clap::Command, e: &clap::Error) -> Option<Usage> {
    // Of `-call_tree` clap names the first letter alone, and of `-http` it is that of --help.
    if !matches!(e.kind(), ErrorKind::UnknownArgument | ErrorKind::DisplayHelp) {
        return None;
    }
    let options = std::env::args().skip(1).filter(|a| a.starts_with('-'));
    for option in options {
        let word = option.trim_start_matches('-').split('=').next().unwrap_or_default();
        if let Some(instead) = instead(word) {
            return Some(Usage::NotHere { word: option, instead });
        }
    }
    if e.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    // The options of a command are unknown where its name is mistyped.
    let first = std::env::args().nth(1).filter(|a| !a.starts_with('-'))?;
    let known = cli.get_subcommands().any(|c| c.get_name() == first || c.get_all_aliases().any(|a| a == first));
    if known { None } else { misspelt(cli, &first) }
}
