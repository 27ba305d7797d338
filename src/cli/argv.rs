//! Options as Go's tools take them: long ones with a single dash, and switches with a value (`-focus=x`, `-cum=true`).

use clap::{Arg, ArgAction, Command};
use std::ffi::OsString;

/// `args`, of which the first is the program's name, with a second dash before each argument that is a long option
/// written with one, and with the values of switches resolved: `-cum=true` becomes `--cum`, `-cum=false` nothing.
///
/// The options are those of `command` and, from the name of a subcommand on, those of the subcommand. Where a short option
/// could be meant as well (`-o` and its value in one argument), the long one wins; after `--` nothing changes. The values of
/// options are left alone only if they do not look like options themselves: `-focus -cum` reads as two options,
/// `-focus=-cum` as one.
pub fn normalise(command: &Command, args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args = args.into_iter();
    let mut out: Vec<OsString> = args.next().into_iter().collect();
    let mut path = vec![command];
    let mut literal = false;
    for arg in args {
        literal |= arg == "--";
        let text = arg.to_str().filter(|_| !literal);
        let option = text.and_then(|t| t.strip_prefix("--").or(t.strip_prefix('-')));
        let subcommand = text.and_then(|t| path[path.len() - 1].find_subcommand(t));
        match (option, subcommand) {
            (Some(option), _) => out.extend(fix(&path, option).unwrap_or(Some(arg))),
            (None, Some(subcommand)) => {
                path.push(subcommand);
                out.push(arg);
            }
            (None, None) => out.push(arg),
        }
    }
    out
}

/// What becomes of an option without its dashes: `None` if it stays as it is, `Some(None)` if it goes.
fn fix(path: &[&Command], text: &str) -> Option<Option<OsString>> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let option = path.iter().rev().find_map(|command| long_option(command, name)).filter(|_| name.len() > 1)?;
    let switch = value.filter(|_| matches!(option.get_action(), ArgAction::SetTrue)).and_then(parse_bool);
    Some(match switch {
        Some(false) => None,
        Some(true) => Some(format!("--{name}").into()),
        None => Some(format!("--{text}").into()),
    })
}

fn long_option<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command
        .get_arguments()
        .find(|a| a.get_long() == Some(name) || a.get_all_aliases().is_some_and(|aliases| aliases.contains(&name)))
}

/// `true` and `false` in the spellings that pprof takes.
pub fn parse_bool(s: &str) -> Option<bool> {
    match s.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" | "" => Some(true),
        "false" | "f" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_long_options_change() {
        let top = Command::new("top")
            .arg(Arg::new("focus").long("focus").alias("fokus"))
            .arg(Arg::new("cum").long("cum").action(ArgAction::SetTrue))
            .arg(Arg::new("o").short('o'));
        let command = Command::new("x").arg(Arg::new("quiet").long("quiet")).subcommand(top);
        for (line, want) in [
            ("top -focus=-cum -cum --cum -fokus f", "top --focus=-cum --cum --cum --fokus f"),
            ("top -cum=1 -cum=f --cum=false -cum=maybe", "top --cum --cum=maybe"),
            ("top -o -ofile - -quiet -- -cum", "top -o -ofile - --quiet -- -cum"),
            ("-cum top -cum", "-cum top --cum"),
            ("top top -cum", "top top --cum"),
        ] {
            let args = std::iter::once("top").chain(line.split(' ')).map(OsString::from);
            let fixed = normalise(&command, args).into_iter().skip(1);
            let fixed: Vec<String> = fixed.map(|a| a.into_string().unwrap()).collect();
            assert_eq!(fixed.join(" "), want);
        }
    }
}
