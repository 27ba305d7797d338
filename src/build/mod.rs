//! Makes a model out of a trace's events: units are decoded, folded into parts, and committed to the index in order.

mod annotations;
pub mod builder;
pub mod commit;
pub mod decode;
pub mod fold;
pub mod observe;
pub(crate) mod recordings;
pub(crate) mod segments;

pub use builder::SegmentBuilder;
