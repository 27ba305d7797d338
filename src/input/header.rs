//! The header of an execution trace, `go 1.N trace` padded with zeros to 16 bytes: read here and nowhere else.

use super::ENOUGH;
use memchr::memmem;

/// Length of a trace's header in bytes.
pub const HEADER: usize = 16;
/// How every header begins.
pub(super) const START: &[u8] = b"go 1.";
/// What follows the version; the zeros go on to the header's end.
pub(super) const TAIL: &[u8] = b" trace\0\0\0\0\0";

/// The format's minor version, 22 for `go 1.22 trace`, if `bytes` begin with a trace's header.
pub fn header(bytes: &[u8]) -> Option<u32> {
    let rest = bytes.get(..HEADER)?.strip_prefix(START)?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let minor = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    let tail = &rest[digits..];
    (TAIL.starts_with(tail) && tail.len() > b" trace".len()).then_some(minor)
}

/// Where the next header begins, at `from` or later and before `to`.
pub fn next_header(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    let mut at = from;
    let end = to.min(bytes.len());
    while at < end {
        // All of a header that begins before `to` counts.
        let part = bytes.get(at..end.saturating_add(HEADER).min(bytes.len()))?;
        at += memmem::find(part, START)?;
        if at < end && header(&bytes[at..]).is_some() {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Where a trace begins that has text before it, and its version: what a program printed, or the headers of an HTTP
/// answer.
pub fn behind_text(bytes: &[u8]) -> Option<(usize, u32)> {
    let at = next_header(bytes, 1, ENOUGH)?;
    let before = &bytes[..at];
    let printable = before.iter().filter(|&&b| b >= 0x20 || matches!(b, b'\n' | b'\r' | b'\t' | 0x1b)).count();
    (printable * 100 >= before.len() * 95 && !before.contains(&0)).then(|| (at, header(&bytes[at..]).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_sixteen_bytes_and_nothing_else() {
        assert_eq!(header(b"go 1.22 trace\0\0\0"), Some(22));
        assert_eq!(header(b"go 1.5 trace\0\0\0\0\x01"), Some(5));
        for wrong in [&b"go 1.22 trace\0\0"[..], b"go 1.22 trace\0\0x", b"go 1.22 tracer\0\0", b"go 1. trace\0\0\0\0\0"]
        {
            assert_eq!(header(wrong), None, "{wrong:?}");
        }
        assert_eq!(header(b"go 1.123456 trace"), None);
    }

    #[test]
    fn headers_are_found_behind_text_and_not_behind_other_data() {
        let trace = b"go 1.26 trace\0\0\0\x01";
        for (before, found) in [
            (&b"serving on :8080\n"[..], true),
            (b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n", true),
            (b"go 1.2", true),
            (b"\x00\x01\x02\x03\x04\x05", false),
        ] {
            let all = [before, trace].concat();
            assert_eq!(behind_text(&all), found.then_some((before.len(), 26)), "{before:?}");
            assert_eq!(next_header(&all, 0, all.len()), Some(before.len()));
            assert_eq!(next_header(&all, 0, before.len()), None);
            assert_eq!(next_header(&all, before.len() + 1, all.len()), None);
        }
        assert_eq!(behind_text(trace), None, "nothing is before it");
    }
}
