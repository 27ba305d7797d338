//! The viewer, in the terminal or played without one.

use super::position::{self, Position};
use super::{Exit, Failure, Result, Usage, demo, note, open, programs};
use crate::analysis::profile::Profiled;
use crate::config::{self, Settings};
use crate::input::{self, Kind};
use crate::profile::dump;
use crate::read::Trace;
use crate::read::bookmarks::Store;
use crate::read::trace::Options;
use crate::record::Folder;
use crate::record::take::TRACE;
use crate::source::Places;
use crate::tui::app::beside::Beside;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::keymap::Keymap;
use crate::tui::app::live::Live;
use crate::tui::snapshot::{self, Format};
use crate::tui::term::screen;
use crate::tui::term::screen::Setup;
use crate::tui::term::wait::{self, Look};
use crate::tui::theme::{Background, ColorLevel, Theme};
use clap::{Args, ValueEnum};
use ratatui::layout::Size;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Args, Default)]
pub(super) struct ViewArgs {
    /// Traces and profiles to open in the viewer; none opens the demo. A trace may name where to begin: trace.out@812.031ms:g8
    pub files: Vec<PathBuf>,
    /// Where sources are: a directory, or FROM=TO to replace the beginning of a file's name; may be given several times
    #[arg(long, value_name = "DIR|FROM=TO")]
    pub source: Vec<String>,
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
    #[command(flatten)]
    pub against: AgainstArgs,
    #[command(flatten)]
    pub open: open::OpenArgs,
}

/// What the profiles are compared with.
#[derive(Args, Default)]
#[command(rename_all = "snake_case")]
pub(super) struct AgainstArgs {
    /// Compare the profiles with this one, from before: what grew, what shrank
    #[arg(long, alias = "diff_base", alias = "diff-base", value_name = "PROFILE")]
    pub base: Option<PathBuf>,
    /// Scale the profiles to the sum of the one from before
    #[arg(long, requires = "base")]
    pub normalize: bool,
}

#[derive(Args)]
pub(super) struct SnapshotArgs {
    /// The trace and the profiles; none is the demo
    pub files: Vec<PathBuf>,
    /// The screen's columns and rows
    #[arg(long, default_value = "120x40", value_parser = size)]
    pub size: Size,
    /// Keys to press, such as /mapassign<Enter>jj<C-d>
    #[allow(rustdoc::invalid_html_tags)]
    #[arg(long, default_value = "")]
    pub keys: String,
    /// Where sources are: a directory, or FROM=TO to replace the beginning of a file's name; may be given several times
    #[arg(long, value_name = "DIR|FROM=TO")]
    pub source: Vec<String>,
    /// How the screen is printed
    #[arg(long, value_enum, default_value_t = Picture::Text)]
    pub format: Picture,
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
    /// Draw for a light background
    #[arg(long)]
    pub light: bool,
    #[command(flatten)]
    pub against: AgainstArgs,
    #[command(flatten)]
    pub open: open::OpenArgs,
}

/// How a screen is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Picture {
    /// Characters only
    Text,
    /// With escape sequences for the colours
    Ansi,
    /// A picture
    Svg,
}

fn size(s: &str) -> std::result::Result<Size, String> {
    let (w, h) = s.split_once('x').ok_or("write columns, x, rows: 120x40")?;
    let number = |s: &str| s.parse::<u16>().ok().filter(|n| (1..=1000).contains(n)).ok_or("1 to 1000 columns and rows");
    Ok(Size { width: number(w)?, height: number(h)? })
}

/// What is to be seen.
struct Opened {
    /// The trace, which may be [none](Trace::none).
    trace: Arc<Trace>,
    profiles: Vec<Arc<Profiled>>,
    /// Texts in which the program has told of its goroutines, or the race detector of races.
    told: Beside,
    /// What to call them.
    name: String,
    /// Where in the trace to begin.
    at: Option<Position>,
    /// The trace's file, if it is one.
    file: Option<PathBuf>,
}

/// The first trace among the files, and the profiles.
fn opened(files: &[PathBuf], against: &AgainstArgs, options: &Options) -> Result<Opened> {
    let base = against.base.as_ref().map(|path| open::profile(path).map(|p| p.1)).transpose()?;
    if files.is_empty() {
        let limits = input::Limits::of_this_machine();
        let bytes = |name, bytes| input::from_bytes(name, input::Bytes::Static(bytes), limits);
        let trace = open::from_input(bytes("demo", demo::TRACE)?, options)?;
        let (name, profile) = demo::PROFILE;
        let profile = Profiled::new(name, open::profile_in(bytes(name, profile)?)?.1);
        let profile = profile.map_err(|e| Failure::Unusable { name: name.into(), message: e.to_string() })?;
        return Ok(Opened {
            trace,
            profiles: vec![Arc::new(profile)],
            told: Beside::default(),
            name: "demo".into(),
            at: None,
            file: None,
        });
    }
    let (mut found, mut at, mut trace_file) = (None, None, None);
    let (mut profiles, mut told, mut names) = (Vec::new(), Vec::new(), Vec::new());
    let limits = options.limits();
    let mut said = Vec::new();
    let named = files.iter().map(|f| Ok(position::split(f).map_err(Usage::from)?)).collect::<Result<Vec<_>>>()?;
    let paths = named.iter().flat_map(|(f, at)| input::expand(f, limits, &mut said).into_iter().map(|p| (p, *at)));
    let paths: Vec<_> = paths.collect();
    said.iter().for_each(|s| note(s));
    // As with pprof, the program may come first.
    let program = paths.first().filter(|p| paths.len() > 1 && programs::is_program(&p.0)).map(|p| p.0.clone());
    for (path, position) in paths.into_iter().skip(usize::from(program.is_some())) {
        let input = input::open_within(&path, limits)?;
        let name = if path == Path::new("-") { input.name.clone() } else { input::called(&path) };
        match input.kind {
            Kind::Trace { .. } if found.is_none() => {
                found = Some(open::from_input(input, options)?);
                at = position;
                trace_file = Some(path).filter(|p| p.is_file());
                names.insert(0, name);
            }
            Kind::Trace { .. } => note(&format!("{name}: left out, the viewer shows one trace at a time")),
            ref kind => {
                if let Kind::Log { goroutines, .. } = *kind {
                    told.push((name.clone(), dump::read(&input.bytes.all())));
                    // Reports of races are nothing to sum up.
                    if !goroutines {
                        names.push(name);
                        continue;
                    }
                }
                let (_, mut profile) = open::profile_in(input)?;
                programs::name(&mut profile, program.as_deref().and_then(Path::to_str));
                let profile = match &base {
                    Some(base) => Profiled::against(&name, profile, base.clone(), against.normalize),
                    None => Profiled::new(&name, profile),
                };
                profiles.push(Arc::new(
                    profile.map_err(|e| Failure::Unusable { name: name.clone(), message: e.to_string() })?,
                ));
                names.push(match &against.base {
                    Some(base) => format!("{name} against {}", input::called(base)),
                    None => name,
                });
            }
        }
    }
    if base.is_some() && profiles.is_empty() {
        return Err(Usage::NothingToCompare.into());
    }
    if names.is_empty() {
        return Err(Failure::NothingToShow);
    }
    if found.is_none() && profiles.is_empty() {
        let message = "it has reports of the race detector alone: name a trace of the run as well, or gotrail races";
        return Err(Failure::Unusable { name: names.join(" + "), message: message.into() });
    }
    // In a folder they stand by name: that of the CPU is looked at first, and one without samples last.
    if files.iter().any(|f| f.is_dir()) {
        of_cpu_first(&mut profiles);
    }
    let trace = found.unwrap_or_else(|| Arc::new(Trace::none()));
    Ok(Opened { trace, profiles, told: Arc::new(told), name: called(&names, files), at, file: trace_file })
}

/// Puts the profile of the CPU first, and those without samples last.
pub(super) fn of_cpu_first(profiles: &mut [Arc<Profiled>]) {
    profiles.sort_by_key(|p| (p.profile.samples.is_empty(), !p.kinds().any(|k| k.0 == "cpu")));
}

/// What many files are called in the title, where all their names would leave no room for anything else; those of a folder with
/// its name.
fn called(names: &[String], files: &[PathBuf]) -> String {
    let folder = match files {
        [one] if one.is_dir() => {
            one.file_name().map(|n| format!("{}/", crate::base::text::escape(&n.to_string_lossy()))).unwrap_or_default()
        }
        _ => String::new(),
    };
    let whole = match names {
        [first, rest @ ..] if rest.len() > 1 => format!("{first} + {} more files", rest.len()),
        _ => names.join(" + "),
    };
    folder + &whole
}

/// What the terminal can show, from its environment, and what the settings make of it.
fn theme(settings: &Settings, ascii: bool, var: impl Fn(&str) -> Option<OsString>) -> Result<Theme> {
    let text = |name: &str| var(name).map(|v| v.to_string_lossy().into_owned()).unwrap_or_default();
    let level = match supports_color::on(supports_color::Stream::Stdout) {
        _ if !text("NO_COLOR").is_empty() || text("TERM") == "dumb" => ColorLevel::None,
        Some(l) if l.has_16m => ColorLevel::True,
        Some(_) => ColorLevel::Basic,
        None => ColorLevel::None,
    };
    // COLORFGBG is "text;background", in numbers of the sixteen colours.
    let light = matches!(text("COLORFGBG").rsplit(';').next(), Some("7" | "15"));
    let background = if light { Background::Light } else { Background::Dark };
    let (level, background) = match settings.theme {
        config::Theme::Auto => (level, background),
        config::Theme::Dark => (level, Background::Dark),
        config::Theme::Light => (level, Background::Light),
        config::Theme::Ansi => (level.min(ColorLevel::Basic), background),
        config::Theme::Mono => (ColorLevel::None, background),
    };
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(text).into_iter().find(|v| !v.is_empty()).unwrap_or_default();
    let plain = matches!(locale.as_str(), "C" | "POSIX") || matches!(text("TERM").as_str(), "dumb" | "vt100");
    let theme = Theme::new(level, background, ascii || settings.ascii || plain);
    let colors = settings.colors.iter().map(|(name, color)| (name.as_str(), color.as_str()));
    let mut theme = theme.with_colors(colors).map_err(Usage::Bindings)?;
    theme.compact = settings.density == config::Density::Compact;
    Ok(theme)
}

/// Where sources are looked for: what the command line says, then the settings, then in the program itself if it shows
/// what is built in, then the usual places.
fn places(settings: &Settings, args: &[String], demo: bool) -> Places {
    let here = std::env::current_dir().ok();
    let mut places = Places::of_this_machine(here.as_deref(), |v| std::env::var_os(v));
    for spec in args.iter().chain(&settings.source.paths) {
        places.add(spec);
    }
    places.built_in = demo.then_some(&demo::SOURCES);
    places
}

/// Opens the viewer.
pub(super) fn run(args: &ViewArgs) -> Result<Exit> {
    if !std::io::stdout().is_terminal() {
        return Err(Usage::NoTerminal.into());
    }
    let settings = Settings::load(|v| std::env::var_os(v)).map_err(Usage::Settings)?;
    let o = opened(&args.files, &args.against, &args.open.options(open::chosen(&settings)))?;
    show(args, &settings, o, None)
}

/// Opens the viewer on a trace that is being recorded into a folder.
pub(super) fn watch(args: &ViewArgs, trace: Arc<Trace>, folder: &Folder, live: Live) -> Result<Exit> {
    let settings = Settings::load(|v| std::env::var_os(v)).map_err(Usage::Settings)?;
    let name = called(&[trace.name().to_owned()], &[folder.path().to_owned()]);
    let (profiles, told, file) = (Vec::new(), Beside::default(), Some(folder.path().join(TRACE)));
    show(args, &settings, Opened { trace, profiles, told, name, at: None, file }, Some(live))
}

/// Takes the terminal over until what is waited for is there; see [`wait::wait`].
pub(super) fn wait<T>(args: &ViewArgs, look: impl FnMut(bool) -> Look<T>) -> Result<T> {
    let settings = Settings::load(|v| std::env::var_os(v)).map_err(Usage::Settings)?;
    let keymap = Keymap::new(&settings.keys).map_err(Usage::Bindings)?;
    let theme = theme(&settings, args.ascii, |v| std::env::var_os(v))?;
    wait::wait(&theme, &keymap, look).map_err(Failure::Viewer)
}

fn show(args: &ViewArgs, settings: &Settings, o: Opened, live: Option<Live>) -> Result<Exit> {
    let keymap = Keymap::new(&settings.keys).map_err(Usage::Bindings)?;
    let view = ViewId::from_name(&settings.view).map_err(|e| Usage::Bindings(vec![e]))?;
    // What is being recorded is no file yet, and not the demo either.
    let demo = args.files.is_empty() && live.is_none();
    screen::run(Setup {
        trace: o.trace,
        profiles: o.profiles,
        beside: o.told,
        name: o.name,
        at: o.at,
        theme: theme(settings, args.ascii, |v| std::env::var_os(v))?,
        keymap,
        editor: Some(settings.editor.clone()).filter(|e| !e.trim().is_empty()),
        places: places(settings, &args.source, demo),
        bookmarks: Store::of_the_user(o.file.as_deref()),
        mouse: settings.mouse,
        view,
        live,
    })
    .map_err(Failure::Viewer)?;
    Ok(Exit::Done)
}

/// Prints the screen that keys lead to.
pub(super) fn snapshot(args: &SnapshotArgs, out: &mut dyn Write) -> Result<Exit> {
    let o = opened(&args.files, &args.against, &args.open.options(None))?;
    open::load(&o.trace, None);
    open::intact(&o.trace)?;
    let level = if args.format == Picture::Text { ColorLevel::None } else { ColorLevel::True };
    let background = if args.light { Background::Light } else { Background::Dark };
    let format = match args.format {
        Picture::Text => Format::Text,
        Picture::Ansi => Format::Ansi,
        Picture::Svg => Format::Svg,
    };
    let theme = Theme::new(level, background, args.ascii);
    let places = places(&Settings::default(), &args.source, args.files.is_empty());
    let screen = snapshot::snapshot(
        o.trace,
        o.profiles,
        o.told,
        &o.name,
        o.at,
        theme,
        Keymap::default(),
        args.size,
        &args.keys,
        format,
        places,
    )
    .map_err(Usage::Keys)?;
    out.write_all(screen.as_bytes())?;
    Ok(Exit::Done)
}
