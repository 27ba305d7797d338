//! gotrail knows Go's execution traces and the profiles taken beside them.
//!
//! A [`Trace`] is read whole, and asked for its [events](Trace::events), its [goroutines](Trace::goroutines), its
//! [waits](Trace::waits), or the events that answer a [`Query`]. A [`Profile`] is asked for its
//! [functions](Profile::functions) and [lines](Profile::lines). All instants and lengths of time are in nanoseconds, all
//! names as Go writes them; what goes wrong is an [`Error`].
//!
//! ```
//! use gotrail::{EndedBy, Kind, Profile, Query, Trace};
//!
//! let trace = Trace::read("sample-traces/trace.out")?;
//! let wakeups = trace.events().filter(|e| e.as_ref().is_ok_and(|e| e.kind() == Kind::GoUnblock)).count();
//! assert_eq!(wakeups, trace.search(&Query::parse("kind:GoUnblock")?)?.len());
//!
//! // Who waited longest for a lock, and where the one that released it did.
//! let waits = trace.waits()?;
//! let lock = waits.iter().find(|w| w.reason.contains("Mutex")).expect("a lock that is contended");
//! assert!(matches!(&lock.ended_by, EndedBy::Goroutine(start) if start.starts_with("main.")));
//! println!("{} in {} waits at {:?}, released at {:?}", lock.total, lock.count, lock.at, lock.ended_at);
//!
//! let profile = Profile::read("sample-traces/cpu.pb.gz")?;
//! let hottest = &profile.lines("cpu")?[0];
//! assert!(hottest.flat * 100 / profile.total("cpu")? > 5);
//! # Ok::<(), gotrail::Error>(())
//! ```
//!
//! What is not named on this page belongs to the program `gotrail` and changes without notice. The tour of the house, in
//! the order in which data flows (each module knows only those before it): `base` → `input` → `wire` → `model` → `build` →
//! `read` → `query` → `analysis` → `report` → `tui` → `cli`; beside them `profile`, `source`, `config` and `record`, and
//! this `facade`.

#![cfg_attr(not(feature = "sql"), forbid(unsafe_code))]
// Who reads the hidden modules reads them with their private items.
#![allow(rustdoc::private_intra_doc_links)]

#[doc(hidden)]
pub mod analysis;
#[doc(hidden)]
pub mod base;
#[doc(hidden)]
pub mod build;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod config;
mod facade;
#[doc(hidden)]
pub mod input;
#[cfg(test)]
#[path = "../tests/common/left_out.rs"]
mod left_out;
#[doc(hidden)]
pub mod model;
#[doc(hidden)]
pub mod profile;
#[doc(hidden)]
pub mod query;
#[doc(hidden)]
pub mod read;
#[doc(hidden)]
pub mod record;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod source;
#[doc(hidden)]
pub mod tui;
#[doc(hidden)]
pub mod wire;

pub use base::Duration;
pub use facade::{
    Detail, EndedBy, Error, Event, Events, Frame, FunctionCost, Goroutine, LineCost, Profile, Query, SampleType, Trace,
    Wait,
};
pub use model::segment::{GoState, Kind};
