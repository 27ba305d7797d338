//! Forgetting details, so that places that differ only in them become one.

use crate::profile::model::{Profile, Span, Strings};

/// What to keep apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// Inlined calls as frames of their own; otherwise they are charged to the function they were inlined into.
    pub inlined: bool,
    /// Functions.
    pub functions: bool,
    /// Source files.
    pub files: bool,
    /// Source lines.
    pub lines: bool,
    /// Columns.
    pub columns: bool,
    /// Addresses.
    pub addresses: bool,
}

impl Profile {
    /// Forgets everything that is not to be kept.
    pub fn aggregate(&mut self, keep: Keep) {
        for m in &mut self.mappings {
            m.has_inline_frames &= keep.inlined;
            m.has_functions &= keep.functions;
            m.has_filenames &= keep.files;
            m.has_line_numbers &= keep.lines;
        }
        for f in &mut self.functions {
            if !keep.functions {
                f.name = Strings::EMPTY;
                f.system_name = Strings::EMPTY;
            }
            if !keep.files {
                f.file = Strings::EMPTY;
            }
        }
        for l in &mut self.locations {
            if !keep.inlined && l.lines.len > 1 {
                l.lines = Span { start: l.lines.start + l.lines.len - 1, len: 1 };
            }
            if !keep.addresses {
                l.address = 0;
            }
        }
        for n in &mut self.lines {
            if !keep.lines {
                n.line = 0;
            }
            if !keep.lines || !keep.columns {
                n.column = 0;
            }
        }
    }
}
