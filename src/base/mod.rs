//! The words every layer shares: ids, time, and text that is safe to show.

pub mod codec;
pub mod ids;
pub mod text;
pub mod time;

pub use ids::{
    EventNo, FrameId, FuncId, GoId, GoIdx, GroupId, ProcId, ProcIdx, StackId, StringId, ThreadId, ThreadIdx,
};
pub use time::{Duration, Time};
