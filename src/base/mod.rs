//! What every layer shares: ids, time and how it is written, numbers as people see them, and text that is safe to show.

pub mod codec;
pub mod duration;
pub mod ids;
pub mod machine;
pub mod number;
pub mod span;
pub mod spell;
pub mod text;
pub mod time;

pub use ids::{
    EventNo, FrameId, FuncId, GoId, GoIdx, GroupId, ProcId, ProcIdx, StackId, StringId, ThreadId, ThreadIdx,
};
pub use span::Span;
pub use time::{Duration, Time};
