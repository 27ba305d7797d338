//! What `go tool pprof -CMD` prints, from the same numbers, with the same options.
//!
//! # Where we differ
//!
//! | | pprof | here | why |
//! |---|---|---|---|
//! | `list`, header of a function | adds up the cumulative values of its lines, so that recursion exceeds 100 % | counts each sample once | the header says what the function costs |
//! | `list`, range of lines | depends on the order of a hash map if the function's first line is unknown | from five lines before the first sample to five after the last | output is deterministic |
//! | `peek`, `^` and `$` | mean the ends of the row, with address, file and line | mean those of the function's name as well | `peek -lines 'Update$'` should find `Update` |
//! | ties | calls and labels whose values differ only in sign come in any order | by name | the same |
//! | text of `debug=1` | symbols in comments are ignored | used | they are there |
//! | text of `debug=2` | not read | read | it is what one has at hand |
//! | `(inline)` under `show`, `hide`, `show_from` | lost where the function that a call was inlined into is taken away | kept | the call was inlined |
//! | `disasm`, last instruction | cut by a byte, and printed as `?` | whole | it is there |
//! | `disasm`, header of a function | adds up the cumulative values of its instructions | counts each sample once | as for `list` |
//! | `disasm -mean`, header of a function | sums, above instructions whose values are means | means | they are of the total, which is a mean |
//! | `disasm`, expression | must match the function with its address, file and line, too | the function's name | `disasm 'Update$'` should find `Update` |
//! | `disasm`, text of instructions | as Go's assembler writes it | as GNU's does; ours are other libraries | the same instructions at the same addresses |
//! | `disasm`, libraries | looked for where the profile says | left out | it is about the program |
//! | times | in the local zone | in UTC | the same file gives the same output anywhere |
//! | control characters in names | printed | written out, as `\x1b` | a file must not steer the terminal |
//! | names as they are, `<module>`, `<T as X>::f`, `(anonymous namespace)::f` | lose what stands in brackets, down to nothing | keep what belongs to no name before it | a function needs a name |
//! | invalid UTF-8 in names | printed as it is | written out, as `\xff` | names that differ stay different |
//! | formats of other tools | not read | read: `perf script`, folded stacks, speedscope, Chrome, Firefox, jemalloc | it is what one has at hand |

pub mod comments;
pub mod disasm;
pub mod labels;
pub mod list;
pub mod options;
pub mod peek;
pub mod prepare;
pub mod raw;
pub mod source;
pub mod tags;
pub mod top;
pub mod traces;
pub mod tree;

pub use options::{Command, Granularity, Options};

use crate::profile::convert::LabelUnits;
use crate::profile::model::Profile;
use crate::profile::ops::graph::{Graph, Places, Trim, Trimmed, Weights};
use crate::profile::ops::measure;
use std::io::{self, Write};

/// A profile that is filtered and aggregated as the options ask, ready to be printed.
pub struct Report {
    /// What is left of the profile.
    pub profile: Profile,
    /// What is summed up.
    pub weights: Weights,
    /// What percentages are of.
    pub total: i64,
    /// Warnings for the user: filters that matched nothing, and the like.
    pub warnings: Vec<String>,
    options: Options,
    units: LabelUnits,
    sample_kind: String,
    sample_unit: String,
    output_unit: String,
    filters: Vec<String>,
}

/// Why a report could not be printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The output cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
    /// No function matches the expression of `peek`, `list` or `disasm`.
    #[error("no matches found for regexp: {0}")]
    NoMatch(String),
    /// Functions match the expression of `disasm`, and none of them was sampled.
    #[error(
        "no samples in {0}; `list` and `top` charge what is inlined to its own function, `disasm` to where it stands"
    )]
    NoSamples(String),
    /// The binary is not the program of the profile.
    #[error("this binary is not the program that was profiled: {0}; --binary names the one that ran")]
    Program(String),
}

impl Report {
    /// Prints what `command` asks for. Source lines for `list` come from `source`.
    ///
    /// # Errors
    /// If `out` cannot be written, no function matches the expression of `peek`, `list` or `disasm`, or the binary is
    /// another.
    pub fn write(
        &mut self,
        command: &Command,
        source: &mut dyn source::Lines,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        match command {
            Command::Top => Ok(top::write(self, out)?),
            Command::Tree => tree::write(self, None, out),
            Command::Peek(pattern) => peek::write(self, pattern, out),
            Command::List(pattern) => list::write(self, pattern, source, out),
            Command::Traces => Ok(traces::write(self, out)?),
            Command::Tags => Ok(tags::write(self, out)?),
            Command::Raw => Ok(raw::write(self, out)?),
            Command::Comments => Ok(comments::write(self, out)?),
            Command::Disasm(pattern, binary) => disasm::write(self, pattern, binary, out),
        }
    }

    /// The graph that is worth showing, and the unit to show it in. With `inlined_only`, of the calls only those of what
    /// was inlined somewhere.
    fn trimmed(&mut self, inlined_only: bool) -> Trimmed {
        let trim = Trim {
            cum: self.options.cum,
            drop_negative: self.options.drop_negative,
            node_count: self.options.node_count.unwrap_or(0),
            node_fraction: self.options.node_fraction,
            edge_fraction: self.options.edge_fraction,
            inlined_only,
        };
        self.trim_paths();
        let places = Places::new(&mut self.profile, false);
        let trimmed = Trimmed::new(&self.profile, &places, self.weights, trim);
        self.choose_unit(&trimmed.graph);
        trimmed
    }

    fn trim_paths(&mut self) {
        let Profile { functions, strings, .. } = &mut self.profile;
        for f in functions {
            let path = strings.get(f.file);
            let short = source::trim_path(path, &self.options.trim_path, &self.options.source_path);
            if short.len() != path.len() {
                let short = short.to_string();
                f.file = strings.intern(&short);
            }
        }
    }

    /// Chooses one unit for all values: that of the smallest, or a larger one if the sum is far larger.
    fn choose_unit(&mut self, g: &Graph) {
        if self.output_unit != "minimum" || g.nodes.is_empty() {
            return;
        }
        let smallest = g.nodes.iter().map(|n| match n.flat.get().wrapping_abs() {
            0 => n.cum.get().wrapping_abs(),
            flat => flat,
        });
        let (mut min, mut max) = (smallest.filter(|&v| v > 0).min().unwrap_or(self.total), self.total);
        let ratio = self.ratio();
        if ratio > 0.0 && ratio != 1.0 {
            min = (min as f64 * ratio) as i64;
            max = (max as f64 * ratio) as i64;
        }
        self.output_unit = measure::common_unit(min, max, &self.sample_unit);
    }

    fn ratio(&self) -> f64 {
        1.0 / self.options.divide_by
    }

    /// A value as text, in the unit of the report.
    fn value(&self, v: i64) -> String {
        let ratio = self.ratio();
        let v = if ratio > 0.0 && ratio != 1.0 { (v as f64 * ratio) as i64 } else { v };
        measure::scaled_label(v, &self.sample_unit, &self.output_unit)
    }

    /// A value as a share of the total.
    fn share(&self, v: i64) -> String {
        measure::percentage(v, self.total)
    }
}
