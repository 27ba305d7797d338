//! What can be asked of a report.

use crate::profile::binary::Binary;
use crate::profile::ops::pattern::Pattern;
use std::sync::Arc;

/// What to print.
#[derive(Clone, Debug)]
pub enum Command {
    /// The most expensive places.
    Top,
    /// Each place with who called it and what it called.
    Tree,
    /// The same for the places whose name matches, none left out.
    Peek(Pattern),
    /// Source of the functions that match, with what each line cost.
    List(Pattern),
    /// Every sample with its stack.
    Traces,
    /// The labels.
    Tags,
    /// The whole profile.
    Raw,
    /// The comments.
    Comments,
    /// Instructions of the functions of a program that match, with what each cost.
    Disasm(Pattern, Arc<Binary>),
}

/// What becomes one entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Granularity {
    /// Functions of the same name.
    Functions,
    /// Functions of the same name in the same file.
    FileFunctions,
    /// Source files.
    Files,
    /// Source lines.
    Lines,
    /// Addresses.
    Addresses,
}

/// pprof's options, by its names for them.
#[derive(Clone, PartialEq, Debug)]
pub struct Options {
    /// Sort by cumulative value, not by flat.
    pub cum: bool,
    /// What becomes one entry.
    pub granularity: Granularity,
    /// Charge inlined calls to the function they were inlined into.
    pub noinlines: bool,
    /// Keep columns apart at the granularity of lines.
    pub showcolumns: bool,
    /// Name or position of the sample type; empty for the profile's default.
    pub sample_index: String,
    /// Divide by the first sample type, for a mean.
    pub mean: bool,
    /// Divide all values.
    pub divide_by: f64,
    /// Unit to print values in; `minimum` for one that suits the smallest, `auto` for one that suits each.
    pub unit: String,
    /// Percentages of what passed the filters, not of the whole profile.
    pub relative_percentages: bool,
    /// Print no header.
    pub compact_labels: bool,
    /// Leave out nodes with a negative value.
    pub drop_negative: bool,
    /// At most so many nodes; `None` for the command's default.
    pub node_count: Option<usize>,
    /// Leave out nodes below this share of the total.
    pub node_fraction: f64,
    /// Leave out calls below this share of the total.
    pub edge_fraction: f64,
    /// Whether to leave out anything.
    pub trim: bool,
    /// Keep samples through a place that matches.
    pub focus: String,
    /// Drop samples through a place that matches.
    pub ignore: String,
    /// Take matching frames out of the stacks.
    pub hide: String,
    /// Take frames that do not match out of the stacks.
    pub show: String,
    /// Take the callers of the outermost matching frame out of the stacks.
    pub show_from: String,
    /// Take what the innermost matching frame calls out of the stacks.
    pub prune_from: String,
    /// Keep samples with a label that matches.
    pub tagfocus: String,
    /// Drop samples with a label that matches.
    pub tagignore: String,
    /// Drop labels whose name does not match.
    pub tagshow: String,
    /// Drop labels whose name matches.
    pub taghide: String,
    /// Keys of labels to make the outermost frames of, separated by commas.
    pub tagroot: String,
    /// Keys of labels to make the innermost frames of.
    pub tagleaf: String,
    /// Directories to search for sources, separated by colons.
    pub source_path: String,
    /// Prefixes to take off the paths of sources, separated by colons.
    pub trim_path: String,
}

impl Default for Options {
    fn default() -> Self {
        let none = String::new;
        Options {
            cum: false,
            granularity: Granularity::Functions,
            noinlines: false,
            showcolumns: false,
            sample_index: none(),
            mean: false,
            divide_by: 1.0,
            unit: "minimum".to_string(),
            relative_percentages: false,
            compact_labels: false,
            drop_negative: false,
            node_count: None,
            node_fraction: 0.005,
            edge_fraction: 0.001,
            trim: true,
            focus: none(),
            ignore: none(),
            hide: none(),
            show: none(),
            show_from: none(),
            prune_from: none(),
            tagfocus: none(),
            tagignore: none(),
            tagshow: none(),
            taghide: none(),
            tagroot: none(),
            tagleaf: none(),
            source_path: none(),
            trim_path: none(),
        }
    }
}

impl Options {
    /// The options as they hold for `command`: some see everything, some at a granularity of their own.
    pub(super) fn for_command(mut self, command: &Command) -> Options {
        let mut trim = self.trim;
        match command {
            Command::Peek(_) => trim = false,
            Command::List(_) => {
                trim = false;
                self.granularity = Granularity::Lines;
            }
            Command::Disasm(..) => {
                trim = false;
                self.granularity = Granularity::Addresses;
                // Else a sample would count once for each call that was inlined at its address.
                self.noinlines = true;
            }
            Command::Raw => {
                trim = false;
                self.granularity = Granularity::Addresses;
            }
            Command::Top => self.node_count = self.node_count.or(Some(0)),
            Command::Tree | Command::Traces | Command::Tags | Command::Comments => {
                self.node_count = self.node_count.or(Some(80));
            }
        }
        if !trim {
            self.node_count = Some(0);
            self.node_fraction = 0.0;
            self.edge_fraction = 0.0;
        }
        self
    }

    /// The filters that are set, as the header of a report names them.
    pub(super) fn active_filters(&self) -> Vec<String> {
        let all = [
            ("focus", &self.focus),
            ("ignore", &self.ignore),
            ("hide", &self.hide),
            ("show", &self.show),
            ("show_from", &self.show_from),
            ("tagfocus", &self.tagfocus),
            ("tagignore", &self.tagignore),
            ("tagshow", &self.tagshow),
            ("taghide", &self.taghide),
        ];
        all.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}={value}")).collect()
    }
}
