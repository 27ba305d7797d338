//! Long options with a single dash, as Go's tools take them: `-focus=x` for `--focus=x`.

use clap::Command;
use std::ffi::OsString;

/// `args` with a second dash before each argument that is a long option of `command` written with one. Where a short
/// option could be meant as well (`-o` and its value in one argument), the long one wins; after `--` nothing changes.
///
/// The values of options are left alone only if they cannot be options themselves: `-focus -cum` reads as two options,
/// `-focus=-cum` as one.
pub fn normalise(command: &Command, args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut literal = false;
    let fix = |arg: OsString| {
        literal |= arg == "--";
        let name = match arg.to_str().and_then(|a| a.strip_prefix('-')) {
            Some(rest) if !literal && rest.len() > 1 && !rest.starts_with('-') => {
                rest.split('=').next().unwrap_or(rest)
            }
            _ => return arg,
        };
        if !is_long_option(command, name) {
            return arg;
        }
        let mut fixed = OsString::from("-");
        fixed.push(arg);
        fixed
    };
    args.into_iter().map(fix).collect()
}

fn is_long_option(command: &Command, name: &str) -> bool {
    command
        .get_arguments()
        .any(|a| a.get_long() == Some(name) || a.get_all_aliases().is_some_and(|aliases| aliases.contains(&name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, ArgAction};

    #[test]
    fn only_known_long_options_get_a_second_dash() {
        let command = Command::new("x")
            .arg(Arg::new("focus").long("focus").alias("fokus"))
            .arg(Arg::new("cum").long("cum").action(ArgAction::SetTrue))
            .arg(Arg::new("o").short('o'));
        let args = ["x", "-focus=-cum", "-cum", "--cum", "-fokus", "-o", "-ofile", "-", "--", "-cum"];
        let fixed = normalise(&command, args.map(OsString::from));
        assert_eq!(fixed, ["x", "--focus=-cum", "--cum", "--cum", "--fokus", "-o", "-ofile", "-", "--", "-cum"]);
    }
}
