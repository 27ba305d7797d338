//! `top`, `tree`, `peek`, `list`, `traces`, `tags`, `raw` and `comments`: pprof's reports with pprof's options.

use crate::base::text::escape;
use crate::report::pprof::{self, Command, Granularity, Options, Report, source};
use crate::store::profile::pattern::Pattern;
use crate::store::profile::{Profile, merge};
use crate::wire::pprof::MAX_UNPACKED;
use anyhow::Context;
use clap::{ArgAction, Args};
use rustc_hash::FxHashMap;
use std::io::{Read, Write};
use std::path::Path;

/// Which report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `top`
    Top,
    /// `tree`
    Tree,
    /// `peek REGEX`
    Peek,
    /// `list REGEX`
    List,
    /// `traces`
    Traces,
    /// `tags`
    Tags,
    /// `raw`
    Raw,
    /// `comments`
    Comments,
}

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// All is well.
    Success = 0,
    /// Nothing was found.
    Nothing = 1,
    /// The arguments make no sense.
    Usage = 2,
    /// A file could not be read.
    Input = 3,
}

fn parse_bool(s: &str) -> Result<bool, String> {
    match s.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" | "" => Ok(true),
        "false" | "f" | "no" | "n" | "0" => Ok(false),
        _ => Err("expected true or false".to_string()),
    }
}

/// What becomes one entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
#[value(rename_all = "lower")]
pub enum GranularityArg {
    /// Functions of the same name
    Functions,
    /// Functions of the same name in the same file
    FileFunctions,
    /// Source files
    Files,
    /// Source lines
    Lines,
    /// Addresses
    Addresses,
}

/// The arguments of all these commands.
#[derive(Args, Clone, Debug)]
pub struct ProfileArgs {
    /// Profiles; several are added up. `-` is standard input. For `peek` and `list`, a regular expression before them
    #[arg(required = true, value_name = "PROFILE")]
    pub files: Vec<String>,

    /// Take this profile away from the others
    #[arg(long, value_name = "PROFILE", help_heading = "Comparing")]
    pub base: Vec<String>,
    /// Compare with this profile: percentages are of it
    #[arg(long = "diff_base", alias = "diff-base", value_name = "PROFILE", help_heading = "Comparing")]
    pub diff_base: Vec<String>,
    /// Scale the profile to the sum of the base profile
    #[arg(long = "normalize", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Comparing")]
    pub normalize: bool,
    /// Leave out what has become less
    #[arg(long = "drop_negative", alias = "drop-negative", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Comparing")]
    pub drop_negative: bool,
    /// Only samples through a function, file or binary that matches
    #[arg(
        long = "focus",
        value_name = "REGEX",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Filters"
    )]
    pub focus: String,
    /// No samples through a function, file or binary that matches
    #[arg(
        long = "ignore",
        value_name = "REGEX",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Filters"
    )]
    pub ignore: String,
    /// Only frames that match
    #[arg(
        long = "show",
        value_name = "REGEX",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Filters"
    )]
    pub show: String,
    /// No frames that match
    #[arg(
        long = "hide",
        value_name = "REGEX",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Filters"
    )]
    pub hide: String,
    /// Nothing above the outermost frame that matches
    #[arg(
        long = "show_from",
        alias = "show-from",
        value_name = "REGEX",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Filters"
    )]
    pub show_from: String,
    /// Nothing below the innermost frame that matches
    #[arg(
        long = "prune_from",
        alias = "prune-from",
        value_name = "REGEX",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Filters"
    )]
    pub prune_from: String,
    /// Only samples with a label that matches: `name=regex`, `regex` or a range like `1kb:10kb`
    #[arg(
        long = "tagfocus",
        value_name = "FILTER",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Filters"
    )]
    pub tagfocus: String,
    /// No samples with a label that matches
    #[arg(
        long = "tagignore",
        value_name = "FILTER",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Filters"
    )]
    pub tagignore: String,
    /// Only labels whose name matches
    #[arg(
        long = "tagshow",
        value_name = "REGEX",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Filters"
    )]
    pub tagshow: String,
    /// No labels whose name matches
    #[arg(
        long = "taghide",
        value_name = "REGEX",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Filters"
    )]
    pub taghide: String,
    /// Labels to make the outermost frames of
    #[arg(
        long = "tagroot",
        value_name = "KEY,…",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Filters"
    )]
    pub tagroot: String,
    /// Labels to make the innermost frames of
    #[arg(
        long = "tagleaf",
        value_name = "KEY,…",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Filters"
    )]
    pub tagleaf: String,
    /// Keep the frames that the profile itself says to drop
    #[arg(long = "all_frames", alias = "all-frames", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Filters")]
    pub all_frames: bool,
    /// Name or number of the value to show
    #[arg(
        long = "sample_index",
        alias = "sample-index",
        value_name = "TYPE",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Values"
    )]
    pub sample_index: String,
    /// The same as `--sample_index=inuse_space`
    #[arg(long = "inuse_space", alias = "inuse-space", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Values")]
    pub inuse_space: bool,
    /// The same as `--sample_index=inuse_objects`
    #[arg(long = "inuse_objects", alias = "inuse-objects", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Values")]
    pub inuse_objects: bool,
    /// The same as `--sample_index=alloc_space`
    #[arg(long = "alloc_space", alias = "alloc-space", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Values")]
    pub alloc_space: bool,
    /// The same as `--sample_index=alloc_objects`
    #[arg(long = "alloc_objects", alias = "alloc-objects", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Values")]
    pub alloc_objects: bool,
    /// The same as `--sample_index=delay`
    #[arg(long = "total_delay", alias = "total-delay", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Values")]
    pub total_delay: bool,
    /// The same as `--sample_index=contentions`
    #[arg(long = "contentions", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Values")]
    pub contentions: bool,
    /// The same as `--mean --sample_index=delay`
    #[arg(long = "mean_delay", alias = "mean-delay", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Values")]
    pub mean_delay: bool,
    /// The mean: values divided by the first value
    #[arg(long = "mean", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Values")]
    pub mean: bool,
    /// Divide all values
    #[arg(
        long = "divide_by",
        alias = "divide-by",
        value_name = "N",
        default_value_t = 1.0,
        allow_negative_numbers = true,
        help_heading = "Values"
    )]
    pub divide_by: f64,
    /// Unit to show values in
    #[arg(long, value_name = "UNIT", default_value = "minimum", help_heading = "Values")]
    pub unit: String,
    /// Percentages of what passed the filters
    #[arg(long = "relative_percentages", alias = "relative-percentages", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Values")]
    pub relative_percentages: bool,
    /// Sort by cumulative value
    #[arg(long = "cum", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Shape")]
    pub cum: bool,
    /// Sort by flat value (default)
    #[arg(long = "flat", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Shape")]
    pub flat: bool,
    /// What becomes one entry: functions, filefunctions, files, lines or addresses
    #[arg(long, value_name = "WHAT", value_enum, help_heading = "Shape")]
    pub granularity: Option<GranularityArg>,
    /// The same as `--granularity=functions`
    #[arg(long = "functions", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Shape")]
    pub functions: bool,
    /// The same as `--granularity=filefunctions`
    #[arg(long = "filefunctions", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Shape")]
    pub filefunctions: bool,
    /// The same as `--granularity=files`
    #[arg(id = "files_granularity", long = "files", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Shape")]
    pub files_granularity: bool,
    /// The same as `--granularity=lines`
    #[arg(long = "lines", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Shape")]
    pub lines: bool,
    /// The same as `--granularity=addresses`
    #[arg(long = "addresses", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Shape")]
    pub addresses: bool,
    /// Charge inlined calls to the function they were inlined into
    #[arg(long = "noinlines", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Shape")]
    pub noinlines: bool,
    /// Show columns with lines
    #[arg(long = "showcolumns", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Shape")]
    pub showcolumns: bool,
    /// At most so many entries; 0 for all
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = -1, hide_default_value = true, help_heading = "Shape")]
    pub nodecount: i64,
    /// Leave out entries below this share of the total
    #[arg(long, value_name = "SHARE", default_value_t = 0.005, help_heading = "Shape")]
    pub nodefraction: f64,
    /// Leave out calls below this share of the total
    #[arg(long, value_name = "SHARE", default_value_t = 0.001, help_heading = "Shape")]
    pub edgefraction: f64,
    /// Leave out what is small; `--trim=false` shows everything
    #[arg(long = "trim", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Shape")]
    pub trim: bool,
    /// No header
    #[arg(long = "compact_labels", alias = "compact-labels", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set, hide_default_value = true, help_heading = "Shape")]
    pub compact_labels: bool,
    /// Directories to search for sources, separated by colons
    #[arg(
        long = "source_path",
        alias = "source-path",
        value_name = "DIRS",
        default_value = "",
        hide_default_value = true,
        help_heading = "Sources"
    )]
    pub source_path: String,
    /// Prefixes to take off the paths of sources, separated by colons
    #[arg(
        long = "trim_path",
        alias = "trim-path",
        value_name = "PREFIXES",
        default_value = "",
        hide_default_value = true,
        help_heading = "Sources"
    )]
    pub trim_path: String,
}

impl ProfileArgs {
    /// The options of the report; an error where they contradict each other.
    fn options(&self) -> Result<Options, String> {
        let sorted = [("cum", self.cum), ("flat", self.flat)];
        one_of(&sorted.map(|(name, set)| (name, set, ())))?;
        let kinds = [
            ("functions", self.functions, GranularityArg::Functions),
            ("filefunctions", self.filefunctions, GranularityArg::FileFunctions),
            ("files", self.files_granularity, GranularityArg::Files),
            ("lines", self.lines, GranularityArg::Lines),
            ("addresses", self.addresses, GranularityArg::Addresses),
        ];
        let granularity = match one_of(&kinds)?.or(self.granularity) {
            None | Some(GranularityArg::Functions) => Granularity::Functions,
            Some(GranularityArg::FileFunctions) => Granularity::FileFunctions,
            Some(GranularityArg::Files) => Granularity::Files,
            Some(GranularityArg::Lines) => Granularity::Lines,
            Some(GranularityArg::Addresses) => Granularity::Addresses,
        };
        let types = [
            ("total_delay", self.total_delay, "delay"),
            ("mean_delay", self.mean_delay, "delay"),
            ("contentions", self.contentions, "contentions"),
            ("inuse_space", self.inuse_space, "inuse_space"),
            ("inuse_objects", self.inuse_objects, "inuse_objects"),
            ("alloc_space", self.alloc_space, "alloc_space"),
            ("alloc_objects", self.alloc_objects, "alloc_objects"),
        ];
        let sample_index = match one_of(&types)? {
            Some(kind) if self.sample_index.is_empty() => kind.to_string(),
            _ => self.sample_index.clone(),
        };
        Ok(Options {
            cum: self.cum,
            granularity,
            noinlines: self.noinlines,
            showcolumns: self.showcolumns,
            sample_index,
            mean: self.mean || self.mean_delay,
            divide_by: self.divide_by,
            unit: self.unit.clone(),
            relative_percentages: self.relative_percentages,
            compact_labels: self.compact_labels,
            drop_negative: self.drop_negative,
            node_count: usize::try_from(self.nodecount).ok(),
            node_fraction: self.nodefraction,
            edge_fraction: self.edgefraction,
            trim: self.trim,
            focus: self.focus.clone(),
            ignore: self.ignore.clone(),
            hide: self.hide.clone(),
            show: self.show.clone(),
            show_from: self.show_from.clone(),
            prune_from: self.prune_from.clone(),
            tagfocus: self.tagfocus.clone(),
            tagignore: self.tagignore.clone(),
            tagshow: self.tagshow.clone(),
            taghide: self.taghide.clone(),
            tagroot: self.tagroot.clone(),
            tagleaf: self.tagleaf.clone(),
            source_path: self.source_path.clone(),
            trim_path: self.trim_path.clone(),
        })
    }
}

/// The value of the one option that is set, if any; an error if there are several.
fn one_of<T: Copy>(options: &[(&str, bool, T)]) -> Result<Option<T>, String> {
    let mut set = options.iter().filter(|o| o.1);
    match (set.next(), set.next()) {
        (Some(a), Some(b)) => Err(format!("--{} and --{} cannot both be given", a.0, b.0)),
        (first, _) => Ok(first.map(|o| o.2)),
    }
}

/// Prints a report to `out`; warnings and faults that the user can mend to `err`.
///
/// # Errors
/// If `out` or `err` cannot be written.
pub fn run(kind: Kind, args: &ProfileArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    match prepare(kind, args) {
        Err(fault) => {
            writeln!(err, "gotrail: {}", fault.message)?;
            Ok(fault.exit)
        }
        Ok((command, mut report)) => {
            for w in &report.warnings {
                writeln!(err, "gotrail: {w}")?;
            }
            let mut sources = Sources::new(&args.source_path, &args.trim_path);
            match report.write(&command, &mut sources, out) {
                Ok(()) => Ok(Exit::Success),
                Err(e @ pprof::Error::NoMatch(_)) => {
                    writeln!(err, "gotrail: {}", escape(&e.to_string()))?;
                    Ok(Exit::Nothing)
                }
                Err(pprof::Error::Write(e)) => Err(e.into()),
            }
        }
    }
}

/// What the user has to mend.
struct Fault {
    exit: Exit,
    message: String,
}

impl Fault {
    fn usage(message: impl Into<String>) -> Fault {
        Fault { exit: Exit::Usage, message: message.into() }
    }

    fn input(message: impl Into<String>) -> Fault {
        Fault { exit: Exit::Input, message: message.into() }
    }
}

fn prepare(kind: Kind, args: &ProfileArgs) -> Result<(Command, Report), Fault> {
    let options = args.options().map_err(Fault::usage)?;
    if !args.base.is_empty() && !args.diff_base.is_empty() {
        return Err(Fault::usage("--base and --diff_base cannot both be given"));
    }
    let mut files = args.files.as_slice();
    // A single argument is the profile, and everything matches.
    let mut pattern = "";
    if matches!(kind, Kind::Peek | Kind::List) && files.len() > 1 {
        pattern = &files[0];
        files = &files[1..];
    }
    let pattern = Pattern::new(pattern).map_err(|e| Fault::usage(format!("parsing argument regexp {pattern}: {e}")))?;
    let command = match kind {
        Kind::Top => Command::Top,
        Kind::Tree => Command::Tree,
        Kind::Peek => Command::Peek(pattern),
        Kind::List => Command::List(pattern),
        Kind::Traces => Command::Traces,
        Kind::Tags => Command::Tags,
        Kind::Raw => Command::Raw,
        Kind::Comments => Command::Comments,
    };
    let profile = load(args, files)?;
    let report = Report::new(profile, &command, &options).map_err(Fault::usage)?;
    Ok((command, report))
}

/// Reads, merges and compares the profiles.
fn load(args: &ProfileArgs, files: &[String]) -> Result<Profile, Fault> {
    let mut program = None;
    let mut files = files;
    // As with pprof, the program itself may come first.
    if let [first, rest @ ..] = files
        && !rest.is_empty()
        && is_program(first)
    {
        program = Some(first.as_str());
        files = rest;
    }
    let read_all = |files: &[String]| {
        let profiles = files.iter().map(|f| read(f, program)).collect::<anyhow::Result<Vec<_>>>();
        let profiles = profiles.map_err(|e| Fault::input(escape(&format!("{e:#}"))))?;
        merge::combine(profiles).map_err(Fault::input)
    };
    let mut p = read_all(files)?;
    let (base, diff) = if args.diff_base.is_empty() { (&args.base, false) } else { (&args.diff_base, true) };
    if !base.is_empty() {
        let base = read_all(base)?;
        if args.normalize {
            merge::normalize(&mut p, &base).map_err(Fault::input)?;
        }
        p = merge::subtract(p, base, diff).map_err(Fault::input)?;
    } else if args.normalize {
        return Err(Fault::usage("--normalize needs --base or --diff_base"));
    }
    p.simplify_names();
    if !args.all_frames {
        p.drop_uninteresting();
    }
    p.forget_servers();
    Ok(p)
}

fn read(file: &str, program: Option<&str>) -> anyhow::Result<Profile> {
    let mut data = Vec::new();
    let mut from: Box<dyn Read> = if file == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).with_context(|| format!("cannot open {file}"))?)
    };
    // One byte more than is accepted, so that decoding says what is wrong.
    from.by_ref().take(MAX_UNPACKED + 1).read_to_end(&mut data).with_context(|| format!("cannot read {file}"))?;
    let mut p = Profile::decode(&data).with_context(|| format!("cannot read {file}"))?;
    p.ensure_mapping();
    if let Some(program) = program {
        p.mappings[0].file = p.strings.intern(program);
    }
    Ok(p)
}

/// Whether a file begins like an executable: ELF, Mach-O or PE.
fn is_program(file: &str) -> bool {
    let mut magic = [0; 4];
    let read = std::fs::File::open(file).and_then(|mut f| f.read_exact(&mut magic));
    read.is_ok()
        && (&magic == b"\x7fELF"
            || magic.starts_with(b"MZ")
            || matches!(magic, [0xcf | 0xce, 0xfa, 0xed, 0xfe] | [0xfe, 0xed, 0xfa, 0xce | 0xcf]))
}

/// The largest source file that is read, bytes.
const MAX_SOURCE: u64 = 64 << 20;

/// Source files on disk, each read once.
struct Sources {
    search: String,
    trim: String,
    known: FxHashMap<String, Result<Vec<String>, String>>,
}

impl Sources {
    fn new(search: &str, trim: &str) -> Sources {
        let here = || std::env::current_dir().map(|d| d.to_string_lossy().into_owned()).unwrap_or_default();
        let search = if search.is_empty() { here() } else { search.to_string() };
        Sources { search, trim: trim.to_string(), known: FxHashMap::default() }
    }

    /// Relative paths are searched for in each directory of the search path and in those above it.
    fn read(&self, path: &str) -> Result<Vec<String>, String> {
        let path = source::trim_path(path, &self.trim, &self.search);
        if path.starts_with('/') {
            return read_lines(Path::new(path)).map_err(|e| format!("open {path}: {e}"));
        }
        let places = self.search.split(':').flat_map(|dir| Path::new(dir).ancestors());
        let found = places.map(|dir| dir.join(path)).find_map(|file| read_lines(&file).ok());
        found.ok_or_else(|| format!("could not find file {path} on path {}", self.search))
    }
}

fn read_lines(file: &Path) -> std::io::Result<Vec<String>> {
    let mut text = Vec::new();
    std::fs::File::open(file)?.take(MAX_SOURCE).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).lines().map(str::to_string).collect())
}

impl source::Lines for Sources {
    fn lines(&mut self, path: &str) -> Result<&[String], String> {
        if !self.known.contains_key(path) {
            let lines = self.read(path);
            self.known.insert(path.to_string(), lines);
        }
        match &self.known[path] {
            Ok(lines) => Ok(lines),
            Err(e) => Err(e.clone()),
        }
    }
}
