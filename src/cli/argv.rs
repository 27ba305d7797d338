//! Options as Go's tools take them: long ones with a single dash, and switches with a value (`-focus=x`, `-cum=true`).

use clap::{Arg, ArgAction, Command};
use std::ffi::OsString;

/// `args` with a second dash before each argument that is a long option of `command` written with one, and with the
/// values of switches resolved: `-cum=true` becomes `--cum`, `-cum=false` nothing. Where a short option could be meant as
/// well (`-o` and its value in one argument), the long one wins; after `--` nothing changes.
///
/// The values of options are left alone only if they do not look like options themselves: `-focus -cum` reads as two
/// options, `-focus=-cum` as one.
pub fn normalise(command: &Command, args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut literal = false;
    let fix = |arg: OsString| {
        literal |= arg == "--";
        let Some(text) = arg.to_str().filter(|a| !literal && a.starts_with('-')) else { return Some(arg) };
        let text = text.strip_prefix("--").unwrap_or(&text[1..]);
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let Some(option) = long_option(command, name).filter(|_| name.len() > 1) else { return Some(arg) };
        match value.and_then(parse_bool).filter(|_| matches!(option.get_action(), ArgAction::SetTrue)) {
            Some(false) => None,
            Some(true) => Some(format!("--{name}").into()),
            None => Some(format!("--{text}").into()),
        }
    };
    args.into_iter().filter_map(fix).collect()
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
        let command = Command::new("x")
            .arg(Arg::new("focus").long("focus").alias("fokus"))
            .arg(Arg::new("cum").long("cum").action(ArgAction::SetTrue))
            .arg(Arg::new("o").short('o'));
        let args = [
            "x",
            "-focus=-cum",
            "-cum",
            "--cum",
            "-cum=1",
            "-cum=f",
            "--cum=false",
            "-cum=maybe",
            "-fokus",
            "-o",
            "-ofile",
            "-",
            "--",
            "-cum",
        ];
        let fixed = normalise(&command, args.map(OsString::from));
        let want = [
            "x",
            "--focus=-cum",
            "--cum",
            "--cum",
            "--cum",
            "--cum=maybe",
            "--fokus",
            "-o",
            "-ofile",
            "-",
            "--",
            "-cum",
        ];
        assert_eq!(fixed, want);
    }
}
