//! Recordings of a running program, over HTTP from what `net/http/pprof` serves.
//!
//! [`take`](take::take) takes a trace and the profiles of the same seconds into a folder; [`ring`] keeps only the last
//! seconds of a trace until something happens in it. Whatever goes wrong, what was had by then is kept.

mod clock;
mod folder;
mod plan;
pub mod ring;
mod server;
mod splitter;
mod stream;
pub mod take;
mod until;

pub use folder::{Folder, FolderError};
pub use plan::{Control, Progress, Wish};
pub use server::Server;
pub use until::Until;
