//! The manual: commands and options from the command line's own definition, keys and the query language from the lists
//! that the viewer uses. `gotrail man` writes it in roff, and for docs/manual.md in Markdown.

use super::{Cli, Exit, Result};
use crate::query;
use crate::tui::app::keymap::Keymap;
use crate::tui::panels::help::{Line, QUERIES, lines};
use crate::tui::theme::UNICODE;
use clap::{Arg, Args, Command, CommandFactory, ValueEnum};
use clap_mangen::{Man, roff};
use roff::{Roff, bold, roman};
use std::io::Write;

#[derive(Args)]
pub(super) struct ManArgs {
    /// How to write it
    #[arg(long, value_enum, default_value_t = Form::Roff)]
    format: Form,
}

/// What the manual is written for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For `man`
    Roff,
    /// For a page of documentation: commands, options, keys, queries
    Markdown,
}

/// A part of the manual.
struct Section {
    title: &'static str,
    blocks: Vec<Block>,
}

/// What a section is made of.
enum Block {
    /// Words.
    Text(String),
    /// A heading below the section's.
    Heading(String),
    /// Something that is written or pressed, and what it means.
    Entry(String, String),
}

/// Where the commands on profiles do not print what pprof prints, because that is wrong, or not the same twice.
const PPROF: [(&str, &str); 11] = [
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
    ("texts of debug=1", "functions have the names that the text says; pprof has none without the program"),
    ("units, names, labels", "characters that steer a terminal are escaped"),
];

/// What a command's end says to the shell.
const EXIT: [(Exit, &str); 5] = [
    (Exit::Done, "it did what it was asked to"),
    (
        Exit::NothingFound,
        "it found nothing where finding was the point, or `findings` found something at `--level` or above",
    ),
    (Exit::Usage, "a mistake in the command line or in a query"),
    (Exit::BadInput, "an input could not be read"),
    (Exit::LimitPassed, "a limit of `diff --fail-on` is passed"),
];

/// What is read from the environment.
const ENVIRONMENT: [(&str, &str); 7] = [
    ("VISUAL, EDITOR", "the editor that `o` opens, in this order, after the settings' own; `vi` if there is none"),
    ("GOTRAIL_CONFIG", "the settings file, in place of `~/.config/gotrail/settings.toml`"),
    ("NO_COLOR", "no colours, if it is set and not empty"),
    ("COLORFGBG", "whether the terminal's background is light, as some terminals say it"),
    ("COLUMNS, LINES", "how large the page is that reports are laid out for, where they do not go to a terminal"),
    ("LC_ALL, LC_CTYPE, LANG", "ASCII only, if they say C or POSIX"),
    ("GOROOT, GOPATH, GOMODCACHE", "where sources of the standard library and of modules are looked for"),
];

/// Writes the manual.
pub(super) fn run(args: &ManArgs, out: &mut dyn Write) -> Result<Exit> {
    match args.format {
        Form::Roff => page(out)?,
        Form::Markdown => out.write_all(markdown(&sections()).as_bytes())?,
    }
    Ok(Exit::Done)
}

/// A command and those below it that do something, by the words that call them; the program by itself is the viewer.
fn all(command: &Command, called: &str, out: &mut Vec<(String, Command)>) {
    if out.is_empty() || command.get_subcommands().next().is_none() {
        out.push((called.to_owned(), command.clone()));
    }
    for c in command.get_subcommands().filter(|c| c.get_name() != "help") {
        all(c, &format!("{called} {}", c.get_name()), out);
    }
}

/// How an argument is written.
fn written(arg: &Arg) -> String {
    let value = arg.get_value_names().map(|names| names.iter().map(|n| format!("<{n}>")).collect::<Vec<_>>().join(" "));
    let value = value.filter(|_| arg.is_positional() || arg.get_action().takes_values());
    let short = arg.get_short().map(|c| format!("-{c}"));
    let long = arg.get_long().map(|l| format!("--{l}"));
    let name = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    match value {
        Some(value) if name.is_empty() => value,
        Some(value) => format!("{name} {value}"),
        None => name,
    }
}

/// What an argument means, with what may be said and what holds if nothing is.
fn meaning(arg: &Arg) -> String {
    let mut out = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('\n', " ");
    if !arg.get_action().takes_values() {
        return out;
    }
    let values: Vec<String> = arg.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
    if !values.is_empty() && !arg.is_hide_possible_values_set() && values != ["true", "false"] {
        out.push_str(&format!(" [{}]", values.join(", ")));
    }
    let default: Vec<_> = arg.get_default_values().iter().map(|v| v.to_string_lossy()).collect();
    if !default.is_empty() && !arg.is_hide_default_value_set() {
        out.push_str(&format!(" [default: {}]", default.join(" ")));
    }
    out
}

/// The options of each command; commands that have the same ones share the list.
fn options(commands: &[(String, Command)]) -> Vec<Block> {
    type Group<'a> = (Vec<String>, Vec<&'a (String, Command)>);
    let mut groups: Vec<Group> = Vec::new();
    for one in commands {
        let args = one.1.get_arguments().map(|a| a.get_id().to_string()).collect::<Vec<_>>();
        match groups.iter_mut().find(|g| g.0 == args) {
            Some(group) => group.1.push(one),
            None => groups.push((args, vec![one])),
        }
    }
    let mut out = Vec::new();
    for (_, group) in groups {
        let names: Vec<&str> = group.iter().map(|c| c.0.trim_start_matches("gotrail").trim_start()).collect();
        let shown = |a: &&Arg| !a.is_hide_set() && !matches!(a.get_id().as_str(), "help" | "version");
        let args: Vec<&Arg> = group[0].1.get_arguments().filter(shown).collect();
        if args.is_empty() {
            continue;
        }
        out.push(Block::Heading(format!("gotrail {}", names.join(", ")).trim_end().to_owned()));
        let (places, named): (Vec<&Arg>, Vec<&Arg>) = args.into_iter().partition(|a| a.is_positional());
        out.extend(places.into_iter().chain(named).map(|a| Block::Entry(written(a), meaning(a))));
    }
    out
}

/// All of the manual but what clap's own page has.
fn sections() -> Vec<Section> {
    let mut root = Cli::command();
    root.build();
    let mut commands = Vec::new();
    all(&root, "gotrail", &mut commands);
    let abouts = commands.iter().map(|(name, c)| {
        Block::Entry(name.clone(), c.get_about().map(ToString::to_string).unwrap_or_default().replace('\n', " "))
    });
    let mut keys = Vec::new();
    for line in lines(&Keymap::default(), &UNICODE) {
        match line {
            // The query language has a section of its own.
            Line::Heading(h) if h == QUERIES => break,
            Line::Heading(h) => keys.push(Block::Heading(h)),
            Line::Entry(what, how) => keys.push(Block::Entry(what, how)),
            Line::Empty => {}
        }
    }
    let queries = query::help()
        .iter()
        .map(|h| Block::Entry(h.term.to_owned(), format!("{}. Example: `{}`", h.meaning, h.example)));
    let entries = |list: &[(&str, &str)]| -> Vec<Block> {
        list.iter().map(|(what, how)| Block::Entry((*what).to_owned(), (*how).to_owned())).collect()
    };
    let exit: Vec<Block> =
        EXIT.iter().map(|(e, how)| Block::Entry((*e as u8).to_string(), (*how).to_owned())).collect();
    let text = |s: &str| Block::Text(s.to_owned());
    vec![
        Section { title: "Commands", blocks: abouts.collect() },
        Section {
            title: "Options",
            blocks: std::iter::once(text(
                "As with Go's tools, long options may be written with one dash, and switches with a value: \
                 `-cum`, `-focus=x`, `-trim=false`.",
            ))
            .chain(options(&commands))
            .collect(),
        },
        Section { title: "Keys", blocks: keys },
        Section {
            title: "Queries",
            blocks: std::iter::once(text(
                "In the viewer after `/`, in `--filter` and `--until`, and for `grep`. Upper and lower case differ only \
                 where a word has an upper-case letter.",
            ))
            .chain(queries)
            .collect(),
        },
        Section { title: "Differences from pprof", blocks: entries(&PPROF) },
        Section { title: "Environment", blocks: entries(&ENVIRONMENT) },
        Section { title: "Exit status", blocks: exit },
    ]
}

/// Writes the page in roff.
fn page(out: &mut dyn Write) -> Result<()> {
    let mut roff = Roff::new();
    for section in sections() {
        roff.control("SH", [section.title.to_uppercase().as_str()]);
        for block in section.blocks {
            match block {
                Block::Text(text) => drop(roff.control("PP", []).text([roman(text)])),
                Block::Heading(h) => drop(roff.control("SS", [h.as_str()])),
                Block::Entry(what, how) => drop(roff.control("TP", []).text([bold(what)]).text([roman(how)])),
            }
        }
    }
    let man = Man::new(Cli::command());
    let out = &mut &mut *out;
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    roff.to_writer(out)?;
    Ok(man.render_version_section(out)?)
}

/// Text that stands for itself in a cell of a table.
fn cell(text: &str) -> String {
    let mut out = String::new();
    // What is quoted as code keeps its characters, but for the bars that would end the cell.
    for (i, part) in text.split('`').enumerate() {
        if i > 0 {
            out.push('`');
        }
        let part = part.replace('|', "\\|");
        out.push_str(&if i % 2 == 0 { part.replace('<', "&lt;").replace('*', "\\*") } else { part });
    }
    out
}

/// The sections as Markdown, entries as tables.
fn markdown(sections: &[Section]) -> String {
    let mut out = String::new();
    for section in sections {
        out.push_str(&format!("## {}\n\n", section.title));
        let mut table = false;
        for block in &section.blocks {
            if table && !matches!(block, Block::Entry(..)) {
                out.push('\n');
                table = false;
            }
            match block {
                Block::Text(text) => out.push_str(&format!("{text}\n\n")),
                Block::Heading(h) => out.push_str(&format!("### {h}\n\n")),
                Block::Entry(what, how) => {
                    if !table {
                        out.push_str("| | |\n|---|---|\n");
                        table = true;
                    }
                    out.push_str(&format!("| `{}` | {} |\n", what.replace('|', "\\|"), cell(how)));
                }
            }
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}
