//! Profiles in the formats of other tools: each a file here, told apart by [`crate::input::recognise`].

mod assemble;
mod chrome;
mod firefox;
mod folded;
mod numbers;
mod perf;
mod speedscope;
#[cfg(test)]
mod tests;
mod tree;

use super::error::Error;
use crate::input::Other;

/// Decodes `data`, which is in the format `other`; with what was not read as it stands there.
///
/// # Errors
/// What is wrong with it, in words of its own format.
pub fn decode(other: Other, data: &[u8]) -> Result<assemble::Assembled, Error> {
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    match other {
        Other::PerfScript => perf::decode(&crate::base::text::lossy(data)),
        Other::Folded => folded::decode(&crate::base::text::lossy(data)),
        Other::Speedscope => speedscope::decode(data),
        Other::CpuProfile => chrome::cpu(data),
        Other::HeapProfile => chrome::heap(data),
        Other::ChromeTrace => chrome::trace(data),
        Other::Firefox => firefox::decode(data),
    }
}

/// JSON that is not what the format says.
fn wrong(format: &'static str) -> impl Fn(serde_json::Error) -> Error {
    move |e| {
        let cause = match e.is_eof() {
            true => format!("the file is cut off at line {} column {}", e.line(), e.column()),
            false => crate::base::text::escape(&e.to_string()).into_owned(),
        };
        Error::Json { format, cause }
    }
}

/// Something that a format says cannot be.
fn odd(format: &'static str, cause: impl Into<String>) -> Error {
    Error::Json { format, cause: cause.into() }
}
