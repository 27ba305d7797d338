//! Profiles: pprof's protobuf and what came before it, and what is done with them; executables, for `disasm`.

pub mod binary;
pub mod convert;
pub mod dump;
pub mod model;
pub mod ops;
pub mod perf;
pub mod wire;

pub use model::Profile;
