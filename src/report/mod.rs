//! Output formats, one file (or folder) each.

pub mod pprof;
