//! The command that opens an editor at a line. No shell takes part: a name out of a file is one argument, whatever is
//! in it.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use thiserror::Error as ThisError;

/// A program to start, with its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EditorCommand {
    /// The program, to be looked up in `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Whether it takes over the terminal, which must be handed to it and taken back. Otherwise it opens its own window
    /// and is started beside the viewer.
    pub terminal: bool,
}

/// Why an editor setting cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, ThisError)]
#[non_exhaustive]
pub enum EditorError {
    /// A quote is opened and not closed.
    #[error("the editor command {0:?} has a quote without its partner")]
    OpenQuote(String),
    /// It says nothing.
    #[error("the editor command is empty")]
    Empty,
}

/// How an editor is told about a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `+47 FILE`
    Plus,
    /// `FILE:47`
    Colon,
    /// `-g FILE:47`
    Goto,
    /// `--line 47 FILE`
    Line,
    /// `-l 47 FILE`
    ShortLine,
    /// `-- +47 FILE`
    Through,
}

/// The editor's command line for `file` at `line` (counted from 1; 0 is taken as 1).
///
/// `setting` comes before `$VISUAL`, and that before `$EDITOR`; with none of them it is `vi`. Each may have arguments,
/// quoted as for a shell; one with `{file}` in it is a template, in which `{line}` stands for the line. `var` is the
/// environment (`std::env::var_os`).
pub fn command(
    setting: Option<&str>,
    var: impl Fn(&str) -> Option<OsString>,
    file: &Path,
    line: u32,
) -> Result<EditorCommand, EditorError> {
    let from_env = |name| var(name).and_then(|v| v.into_string().ok());
    let text = [setting.map(String::from), from_env("VISUAL"), from_env("EDITOR")]
        .into_iter()
        .flatten()
        .find(|s| !s.trim().is_empty())
        .unwrap_or_else(|| "vi".into());
    let mut words = split(&text)?;
    if words.first().is_some_and(|w| is_assignment(w)) {
        words.insert(0, "env".into());
    }
    let name = editor_name(&words).ok_or(EditorError::Empty)?;
    let (style, terminal) = known(&name, &words);
    let file = as_argument(file);
    let line = line.max(1).to_string();
    let mut words = words.into_iter();
    let program = OsString::from(words.next().ok_or(EditorError::Empty)?);
    let mut args: Vec<OsString> = Vec::new();
    if text.contains("{file}") {
        args.extend(words.map(|w| fill(&w, &file, &line)));
        return Ok(EditorCommand { program, args, terminal });
    }
    args.extend(words.map(OsString::from));
    let at_line = |file: &OsStr| {
        let mut s = file.to_os_string();
        s.push(":");
        s.push(&line);
        s
    };
    match style {
        Style::Plus => args.extend([format!("+{line}").into(), file]),
        Style::Colon => args.push(at_line(&file)),
        Style::Goto => {
            if !args.iter().any(|a| a == "-g" || a == "--goto") {
                args.push("-g".into());
            }
            args.push(at_line(&file));
        }
        Style::Line => args.extend(["--line".into(), line.into(), file]),
        Style::ShortLine => args.extend(["-l".into(), line.into(), file]),
        Style::Through => args.extend(["--".into(), format!("+{line}").into(), file]),
    }
    Ok(EditorCommand { program, args, terminal })
}

/// The file so that no editor takes it for anything but a file: not for an option (`-x`), a command (`+x`) or a URL.
fn as_argument(file: &Path) -> OsString {
    let plain = file.is_absolute() || file.starts_with(".") || file.starts_with("..");
    if plain { file.into() } else { Path::new(".").join(file).into() }
}

/// A word of a template with file and line filled in.
fn fill(word: &str, file: &OsStr, line: &str) -> OsString {
    let mut out = OsString::new();
    for (i, piece) in word.split("{file}").enumerate() {
        if i > 0 {
            out.push(file);
        }
        out.push(piece.replace("{line}", line));
    }
    out
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// The editor's own name, without its directory, `.exe` and the like, and what it is run through.
fn editor_name(words: &[String]) -> Option<String> {
    let base = |w: &str| -> String {
        let base = w.rsplit(['/', '\\']).next().unwrap_or(w).to_ascii_lowercase();
        let base = [".exe", ".cmd", ".bat", ".sh"].iter().find_map(|s| base.strip_suffix(s)).unwrap_or(&base);
        base.strip_suffix("64").unwrap_or(base).to_string()
    };
    let through = ["env", "sudo", "doas", "command", "exec", "nice", "nohup"];
    words
        .iter()
        .filter(|w| !is_assignment(w))
        .map(|w| base(w))
        .find(|w| !through.contains(&w.as_str()))
        .or_else(|| words.first().map(|w| base(w)))
        .filter(|w| !w.is_empty())
}

/// How an editor wants its line, and whether it takes over the terminal. One that nobody knows is treated as vi is.
fn known(name: &str, words: &[String]) -> (Style, bool) {
    let has = |options: &[&str]| words.iter().any(|w| options.contains(&w.as_str()));
    match name {
        "hx" | "helix" => (Style::Colon, true),
        // Without -n it waits in the terminal for the server to be done, and says so there.
        "emacsclient" => (Style::Plus, !has(&["-n", "--no-wait"])),
        "gvim" | "mvim" | "gedit" | "bbedit" | "xed" | "gnome-text-editor" => (Style::Plus, false),
        "neovide" | "nvim-qt" => (Style::Through, false),
        "code" | "code-insiders" | "code-oss" | "codium" | "vscodium" | "cursor" | "windsurf" => (Style::Goto, false),
        "subl" | "sublime_text" | "zed" | "zeditor" | "atom" | "pulsar" => (Style::Colon, false),
        "idea" | "goland" | "pycharm" | "clion" | "rustrover" | "webstorm" | "fleet" | "kate" => (Style::Line, false),
        "mate" => (Style::ShortLine, false),
        // vi, vim, nvim, view, nvi, emacs, nano, micro, kak, joe, jed, mg, ne, mcedit, less …
        _ => (Style::Plus, true),
    }
}

/// Splits a command line into words as a POSIX shell does: quotes and backslashes, no expansions of any kind.
pub fn split(text: &str) -> Result<Vec<String>, EditorError> {
    let open = || EditorError::OpenQuote(text.to_string());
    // On Windows a backslash is part of a path.
    let backslash = |c| c == '\\' && !cfg!(windows);
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or_else(open)? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or_else(open)? {
                        '"' => break,
                        c if backslash(c) => match chars.next().ok_or_else(open)? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            '\n' => {}
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            c if backslash(c) => match chars.next() {
                Some('\n') => {}
                c => word.get_or_insert_default().push(c.unwrap_or('\\')),
            },
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(editor: &str, file: &str) -> String {
        let c = command(None, |v| (v == "EDITOR").then(|| editor.into()), Path::new(file), 47).unwrap();
        let mut words = vec![c.program];
        words.extend(c.args);
        let words: Vec<_> = words.iter().map(|w| w.to_str().unwrap()).collect();
        format!("{} {}", if c.terminal { "terminal" } else { "window" }, words.join("|"))
    }

    #[test]
    fn each_editor_gets_its_line_in_its_own_way() {
        for name in ["vi", "vim", "nvim", "view", "nano", "micro", "kak", "emacs", "emacsclient", "ed-of-my-own"] {
            assert_eq!(run(name, "/s/a.go"), format!("terminal {name}|+47|/s/a.go"));
        }
        for name in ["hx", "helix"] {
            assert_eq!(run(name, "/s/a.go"), format!("terminal {name}|/s/a.go:47"));
        }
        for name in ["code", "codium", "cursor"] {
            assert_eq!(run(name, "/s/a.go"), format!("window {name}|-g|/s/a.go:47"));
        }
        for name in ["subl", "zed"] {
            assert_eq!(run(name, "/s/a.go"), format!("window {name}|/s/a.go:47"));
        }
        for name in ["idea", "goland", "goland.sh", "/opt/GoLand/bin/goland"] {
            assert_eq!(run(name, "/s/a.go"), format!("window {name}|--line|47|/s/a.go"));
        }
        assert_eq!(run("emacsclient -n", "/s/a.go"), "window emacsclient|-n|+47|/s/a.go");
        assert_eq!(run("emacsclient -nw -a ''", "/s/a.go"), "terminal emacsclient|-nw|-a||+47|/s/a.go");
        assert_eq!(run("code --wait -g", "/s/a.go"), "window code|--wait|-g|/s/a.go:47");
        assert_eq!(run("env TERM=xterm /usr/bin/hx", "/s/a.go"), "terminal env|TERM=xterm|/usr/bin/hx|/s/a.go:47");
        assert_eq!(run("A=b vim", "/s/a.go"), "terminal env|A=b|vim|+47|/s/a.go");
    }

    #[test]
    fn arguments_and_quoted_spaces_stay_what_they_are() {
        assert_eq!(
            run("\"/opt/My Editor/ed\" -x 'a b' c\\ d", "/s/a b.go"),
            "terminal /opt/My Editor/ed|-x|a b|c d|+47|/s/a b.go"
        );
        let words = split(r#"a"b 'c"'d "e'f  g\"h '' "\n\$""#).unwrap();
        assert_eq!(words, ["ab 'cd \"ef", "g\"h", "", "\\n$"]);
        assert!(matches!(split("vim 'x"), Err(EditorError::OpenQuote(_))));
        assert_eq!(split(" \t ").unwrap(), [""; 0]);
        let quotes = command(Some("''"), |_| None, Path::new("a.go"), 1);
        assert_eq!(quotes, Err(EditorError::Empty));
    }

    #[test]
    fn a_name_out_of_a_file_is_one_argument_and_a_file() {
        assert_eq!(run("vim", "-c:!rm.go"), "terminal vim|+47|./-c:!rm.go");
        assert_eq!(run("vim", "+!ls.go"), "terminal vim|+47|./+!ls.go");
        assert_eq!(run("code", "http:/x/a.go"), "window code|-g|./http:/x/a.go:47");
        assert_eq!(run("vim", "/s/$(reboot);`id` {line}.go"), "terminal vim|+47|/s/$(reboot);`id` {line}.go");
        assert_eq!(run("vim", "../a.go"), "terminal vim|+47|../a.go");
    }

    #[test]
    fn a_template_says_where_file_and_line_go() {
        let c =
            command(Some("code -r -g {file}:{line}"), |_| Some("vi".into()), Path::new("/s/a b{line}.go"), 9).unwrap();
        assert_eq!((c.program.to_str().unwrap(), c.terminal), ("code", false));
        assert_eq!(c.args, ["-r", "-g", "/s/a b{line}.go:9"]);
        assert_eq!(run("tmux split-window vim +{line} {file}", "-a.go"), "terminal tmux|split-window|vim|+47|./-a.go");
    }

    #[test]
    fn visual_comes_before_editor_and_vi_last() {
        let env = |v: &str| Some(if v == "VISUAL" { " ".into() } else { "nano".into() });
        assert_eq!(command(None, env, Path::new("/a.go"), 0).unwrap().program, "nano");
        let c = command(None, |_| None, Path::new("/a.go"), 0).unwrap();
        assert_eq!((c.program, c.args), ("vi".into(), vec!["+1".into(), "/a.go".into()]));
    }
}
