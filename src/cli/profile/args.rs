//! pprof's options as arguments.

use crate::report::pprof::{Granularity, Options};
use clap::{ArgAction, Args};

/// `true` and `false` as pprof takes them.
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
    pub(super) fn options(&self) -> Result<Options, String> {
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
