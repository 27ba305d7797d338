//! gotrail knows Go's execution traces and the profiles taken beside them.
//!
//! The tour of the house, in the order in which data flows (each module knows only those before it):
//! [`base`] → [`input`] → [`wire`] → [`model`] → [`build`] → [`read`] → [`query`] → [`analysis`] → [`report`] → [`tui`] →
//! [`cli`]; to the side of them [`profile`], [`source`] and [`config`].
//!
//! A trace is opened, read, and asked:
//!
//! ```
//! use gotrail::{analysis::summary::summarize, input, read::Trace};
//! use std::sync::atomic::AtomicBool;
//!
//! let input = input::open("sample-traces/trace.out")?;
//! let trace = Trace::open(&input.name, input.bytes)?;
//! trace.load(&|_part| {}, &AtomicBool::new(false));
//! let summary = summarize(&trace.index());
//! let assigns: u64 = summary.mapassign_samples_by_caller_line.values().sum();
//! let hot = "paycore/payment.(*OrderCache).Update paycore/payment/order_cache.go:47";
//! assert!(summary.mapassign_samples_by_caller_line[hot] * 10 > assigns * 9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod analysis;
pub mod base;
pub mod build;
pub mod cli;
pub mod config;
pub mod input;
pub mod model;
pub mod profile;
pub mod query;
pub mod read;
pub mod report;
pub mod source;
pub mod tui;
pub mod wire;
