//! Fetches from servers over HTTP: what `net/http/pprof` serves, and files.

mod client;
mod error;
#[cfg(unix)]
mod unix;
mod url;

pub(super) use client::fetch;
pub use client::{Answer, Body, Client, Request};
pub use error::HttpError;
pub use url::{Scheme, Secrets, Url};
