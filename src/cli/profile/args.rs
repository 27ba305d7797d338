//! pprof's options as arguments.

use crate::profile::ops::names::Demangle;
use crate::report::pprof::{Granularity, Options};
use clap::{ArgAction, Args};

/// The arguments of all profile commands.
#[derive(Args, Clone, Debug)]
#[command(about = None, long_about = None)]
pub struct ProfileArgs {
    /// Profiles; several are added up. `-` is standard input
    #[arg(required = true, value_name = "PROFILE")]
    pub files: Vec<String>,
    /// What to compare with.
    #[command(flatten)]
    pub compare: CompareArgs,
    /// Which samples, frames and labels.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Which values, and how to print them.
    #[command(flatten)]
    pub values: ValueArgs,
    /// What becomes one entry, and which entries.
    #[command(flatten)]
    pub shape: ShapeArgs,
    /// Where sources are.
    #[command(flatten)]
    pub sources: SourceArgs,
}

/// What to compare with.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Comparing", rename_all = "snake_case")]
pub struct CompareArgs {
    /// Take this profile away from the others
    #[arg(long, value_name = "PROFILE")]
    pub base: Vec<String>,
    /// Compare with this profile: percentages are of it
    #[arg(long, alias = "diff-base", value_name = "PROFILE")]
    pub diff_base: Vec<String>,
    /// Scale the profile to the sum of the base profile
    #[arg(long)]
    pub normalize: bool,
    /// Leave out what shrank
    #[arg(long, alias = "drop-negative")]
    pub drop_negative: bool,
}

/// Which samples, frames and labels.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Filters", rename_all = "snake_case")]
pub struct FilterArgs {
    /// Only samples through a function, file or binary that matches
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    pub focus: Option<String>,
    /// No samples through a function, file or binary that matches
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    pub ignore: Option<String>,
    /// Only frames that match
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    pub show: Option<String>,
    /// No frames that match
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    pub hide: Option<String>,
    /// Nothing above the outermost frame that matches
    #[arg(long, alias = "show-from", value_name = "REGEX", allow_hyphen_values = true)]
    pub show_from: Option<String>,
    /// Nothing below the innermost frame that matches
    #[arg(long, alias = "prune-from", value_name = "REGEX", allow_hyphen_values = true)]
    pub prune_from: Option<String>,
    /// Only samples with a label that matches: `name=regex`, `regex` or a range like `1kb:10kb`
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    pub tagfocus: Option<String>,
    /// No samples with a label that matches
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    pub tagignore: Option<String>,
    /// Only labels whose name matches
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    pub tagshow: Option<String>,
    /// No labels whose name matches
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    pub taghide: Option<String>,
    /// Labels to make the outermost frames of
    #[arg(long, value_name = "KEY,…")]
    pub tagroot: Option<String>,
    /// Labels to make the innermost frames of
    #[arg(long, value_name = "KEY,…")]
    pub tagleaf: Option<String>,
    /// Keep the frames that the profile itself says to drop
    #[arg(long, alias = "all-frames")]
    pub all_frames: bool,
}

/// Which values, and how to print them.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Values", rename_all = "snake_case")]
pub struct ValueArgs {
    /// Name or number of the value to show
    #[arg(long, alias = "sample-index", value_name = "TYPE", allow_hyphen_values = true)]
    pub sample_index: Option<String>,
    /// The same as --sample_index=inuse_space
    #[arg(long, alias = "inuse-space")]
    pub inuse_space: bool,
    /// The same as --sample_index=inuse_objects
    #[arg(long, alias = "inuse-objects")]
    pub inuse_objects: bool,
    /// The same as --sample_index=alloc_space
    #[arg(long, alias = "alloc-space")]
    pub alloc_space: bool,
    /// The same as --sample_index=alloc_objects
    #[arg(long, alias = "alloc-objects")]
    pub alloc_objects: bool,
    /// The same as --sample_index=delay
    #[arg(long, alias = "total-delay")]
    pub total_delay: bool,
    /// The same as --sample_index=contentions
    #[arg(long)]
    pub contentions: bool,
    /// The same as --mean --sample_index=delay
    #[arg(long, alias = "mean-delay")]
    pub mean_delay: bool,
    /// The mean: values divided by the first value
    #[arg(long)]
    pub mean: bool,
    /// Divide all values
    #[arg(long, alias = "divide-by", value_name = "N", default_value_t = 1.0, allow_negative_numbers = true)]
    pub divide_by: f64,
    /// Unit to show values in
    #[arg(long, value_name = "UNIT", default_value = "minimum")]
    pub unit: String,
    /// Percentages of what passed the filters
    #[arg(long, alias = "relative-percentages")]
    pub relative_percentages: bool,
}

/// What becomes one entry, and which entries.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Shape", rename_all = "snake_case")]
pub struct ShapeArgs {
    /// Sort by cumulative value
    #[arg(long)]
    pub cum: bool,
    /// Sort by flat value (default)
    #[arg(long)]
    pub flat: bool,
    /// What becomes one entry
    #[arg(long, value_name = "WHAT", value_enum)]
    pub granularity: Option<GranularityArg>,
    /// The same as --granularity=functions (default)
    #[arg(long)]
    pub functions: bool,
    /// The same as --granularity=filefunctions
    #[arg(long)]
    pub filefunctions: bool,
    /// The same as --granularity=files
    #[arg(long = "files", id = "files_granularity")]
    pub files: bool,
    /// The same as --granularity=lines
    #[arg(long)]
    pub lines: bool,
    /// The same as --granularity=addresses
    #[arg(long)]
    pub addresses: bool,
    /// Charge inlined calls to the function they were inlined into
    #[arg(long)]
    pub noinlines: bool,
    /// Show columns with lines
    #[arg(long)]
    pub showcolumns: bool,
    /// At most so many entries, 0 for all; by default all for `top`, 80 for `tree`
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub nodecount: Option<i64>,
    /// Leave out entries below this share of the total
    #[arg(long, value_name = "SHARE", default_value_t = 0.005)]
    pub nodefraction: f64,
    /// Leave out calls below this share of the total
    #[arg(long, value_name = "SHARE", default_value_t = 0.001)]
    pub edgefraction: f64,
    /// Whether to leave out what is small
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true",
        default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set)]
    pub trim: bool,
    /// No header
    #[arg(long, alias = "compact-labels")]
    pub compact_labels: bool,
}

/// Where sources are.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Sources", rename_all = "snake_case")]
pub struct SourceArgs {
    /// Directories to search for sources, separated by colons
    #[arg(long, alias = "source-path", value_name = "DIRS")]
    pub source_path: Option<String>,
    /// Prefixes to take off the paths of sources, separated by colons
    #[arg(long, alias = "trim-path", value_name = "PREFIXES")]
    pub trim_path: Option<String>,
    /// How much of the names of Rust and C++ to show
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    pub demangle: DemangleArg,
    /// The program that was profiled, for disasm and for addresses without names; it may stand before the profile as well
    #[arg(long, value_name = "FILE")]
    pub binary: Option<String>,
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

/// How much of a name is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum DemangleArg {
    /// The name as the linker knows it
    None,
    /// The name without parameters and template arguments
    #[default]
    Simple,
    /// The name with all that it says
    Full,
}

impl From<DemangleArg> for Demangle {
    fn from(how: DemangleArg) -> Demangle {
        match how {
            DemangleArg::None => Demangle::None,
            DemangleArg::Simple => Demangle::Simple,
            DemangleArg::Full => Demangle::Full,
        }
    }
}

/// `true` and `false` in pprof's spellings.
fn parse_bool(s: &str) -> Result<bool, String> {
    crate::cli::argv::parse_bool(s).ok_or_else(|| "expected true or false".to_string())
}

impl ProfileArgs {
    /// The options of the report; an error where they contradict each other.
    pub(super) fn options(&self) -> Result<Options, String> {
        let ProfileArgs { compare, filter, values, shape, sources, .. } = self;
        one_of(&[("cum", shape.cum, ()), ("flat", shape.flat, ())])?;
        let text = |s: &Option<String>| s.clone().unwrap_or_default();
        Ok(Options {
            cum: shape.cum,
            granularity: shape.granularity()?,
            noinlines: shape.noinlines,
            showcolumns: shape.showcolumns,
            sample_index: values.sample_index()?,
            mean: values.mean || values.mean_delay,
            divide_by: values.divide_by,
            unit: values.unit.clone(),
            relative_percentages: values.relative_percentages,
            compact_labels: shape.compact_labels,
            drop_negative: compare.drop_negative,
            node_count: shape.nodecount.and_then(|n| usize::try_from(n).ok()),
            node_fraction: shape.nodefraction,
            edge_fraction: shape.edgefraction,
            trim: shape.trim,
            focus: text(&filter.focus),
            ignore: text(&filter.ignore),
            hide: text(&filter.hide),
            show: text(&filter.show),
            show_from: text(&filter.show_from),
            prune_from: text(&filter.prune_from),
            tagfocus: text(&filter.tagfocus),
            tagignore: text(&filter.tagignore),
            tagshow: text(&filter.tagshow),
            taghide: text(&filter.taghide),
            tagroot: text(&filter.tagroot),
            tagleaf: text(&filter.tagleaf),
            source_path: text(&sources.source_path),
            trim_path: text(&sources.trim_path),
        })
    }
}

impl ShapeArgs {
    fn granularity(&self) -> Result<Granularity, String> {
        use GranularityArg as G;
        let flags = [
            ("functions", self.functions, G::Functions),
            ("filefunctions", self.filefunctions, G::FileFunctions),
            ("files", self.files, G::Files),
            ("lines", self.lines, G::Lines),
            ("addresses", self.addresses, G::Addresses),
        ];
        Ok(match one_of(&flags)?.or(self.granularity).unwrap_or(G::Functions) {
            G::Functions => Granularity::Functions,
            G::FileFunctions => Granularity::FileFunctions,
            G::Files => Granularity::Files,
            G::Lines => Granularity::Lines,
            G::Addresses => Granularity::Addresses,
        })
    }
}

impl ValueArgs {
    fn sample_index(&self) -> Result<String, String> {
        let flags = [
            ("total_delay", self.total_delay, "delay"),
            ("mean_delay", self.mean_delay, "delay"),
            ("contentions", self.contentions, "contentions"),
            ("inuse_space", self.inuse_space, "inuse_space"),
            ("inuse_objects", self.inuse_objects, "inuse_objects"),
            ("alloc_space", self.alloc_space, "alloc_space"),
            ("alloc_objects", self.alloc_objects, "alloc_objects"),
        ];
        let flag = one_of(&flags)?;
        Ok(self.sample_index.clone().or(flag.map(str::to_string)).unwrap_or_default())
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
