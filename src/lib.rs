//! gotrail knows Go's execution traces and the profiles taken beside them.
//!
//! The tour of the house, in the order in which data flows (each module knows only those before it):
//! [`base`] → [`input`] → [`wire`] → [`store`] → [`filter`] → [`analysis`] → [`report`] → tui → [`cli`]; to the side of
//! them [`source`] and [`config`].
//!
//! A trace is opened, read once into an index, and then asked:
//!
//! ```
//! use gotrail::{filter, analysis::search, input, store::Trace};
//! use std::sync::atomic::AtomicBool;
//!
//! let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/chain.trace");
//! let input = input::open(file.as_ref()).unwrap();
//! let trace = Trace::open(&input.name, input.bytes).unwrap();
//! let never = AtomicBool::new(false);
//! trace.load(&|_| (), &never);
//! let query = filter::parse("state:waiting reason:sync").unwrap();
//! let found = search::run(&trace, &query, &search::Options::default(), &never, &mut |_, _| ()).unwrap();
//! assert!(found.hits > 0 && found.hits < trace.index().events);
//! ```

pub mod analysis;
pub mod base;
pub mod cli;
pub mod config;
pub mod filter;
pub mod input;
pub mod report;
pub mod source;
pub mod store;
pub mod tui;
pub mod wire;
