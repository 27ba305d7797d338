//! The answer of a server with its headers before it, as `curl -i` saves it: RFC 9112.

use super::InputErrorKind;
use crate::base::text;

/// The body of an answer that was saved with its headers.
pub(super) struct Saved {
    /// The body, put together if it came in chunks.
    pub body: Vec<u8>,
    /// What was lost of it, in a sentence.
    pub note: Option<String>,
}

/// The most bytes of headers.
const MOST: usize = 64 << 10;

/// The body behind the headers that `bytes` begin with; `None` if they begin with none. Headers of redirections and of
/// `100 Continue` before it are skipped as well.
///
/// # Errors
///
/// The answer is one of an error.
pub(super) fn saved(bytes: &[u8]) -> Option<Result<Saved, InputErrorKind>> {
    let mut rest = bytes;
    let mut headers = None;
    while let Some((head, after)) = head(rest) {
        (headers, rest) = (Some(head), after);
    }
    let headers = headers?;
    let mut lines = headers.lines();
    let status = lines.next().unwrap_or_default();
    let (_, status) = status.split_once(' ').unwrap_or_default();
    if !status.starts_with('2') {
        let shown = text::fit(&text::escape(status.trim()), 60).into_owned();
        return Some(Err(InputErrorKind::ErrorAnswer(shown)));
    }
    let is_chunked = |l: &str| {
        let l = l.to_ascii_lowercase();
        l.starts_with("transfer-encoding:") && l.contains("chunked")
    };
    // Most programs put the chunks together and leave the header.
    let body = match lines.any(is_chunked).then(|| chunks(rest)).flatten() {
        Some((body, true)) => Saved { body, note: None },
        Some((body, false)) => {
            let note = format!("the answer's last chunk is cut off; {} came before it", text::bytes(body.len() as u64));
            Saved { body, note: Some(note) }
        }
        None => Saved { body: rest.to_vec(), note: None },
    };
    Some(Ok(body))
}

/// The headers that `bytes` begin with, and what follows them.
fn head(bytes: &[u8]) -> Option<(&str, &[u8])> {
    if !bytes.starts_with(b"HTTP/") {
        return None;
    }
    let within = &bytes[..bytes.len().min(MOST)];
    let end = |mark: &[u8]| within.windows(mark.len()).position(|w| w == mark).map(|at| (at, at + mark.len()));
    let (to, from) = end(b"\r\n\r\n").into_iter().chain(end(b"\n\n")).min()?;
    Some((std::str::from_utf8(&bytes[..to]).ok()?, &bytes[from..]))
}

/// A chunked body put together, and whether it has its end; `None` if it is none.
fn chunks(bytes: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut out = Vec::new();
    let mut rest = bytes;
    loop {
        let line = rest.iter().take(64).position(|&b| b == b'\n');
        let Some(line) = line else { return (!out.is_empty()).then_some((out, false)) };
        let size = std::str::from_utf8(&rest[..line]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = &rest[line + 1..];
        if size == 0 {
            return Some((out, true));
        }
        out.extend_from_slice(&rest[..size.min(rest.len())]);
        let Some(after) = rest.get(size..) else { return Some((out, false)) };
        rest = after.strip_prefix(b"\r\n").or(after.strip_prefix(b"\n")).unwrap_or(after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: &[u8]) -> (Vec<u8>, bool) {
        let s = saved(bytes).unwrap().unwrap_or_else(|e| panic!("{e}"));
        (s.body, s.note.is_some())
    }

    #[test]
    fn headers_are_skipped_and_chunks_put_together() {
        assert!(saved(b"go 1.22 trace").is_none() && saved(b"HTTP/1.1 200 OK\r\nA: b").is_none());
        assert_eq!(body(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nxyz"), (b"xyz".to_vec(), false));
        assert_eq!(body(b"HTTP/2 200 \nA: b\n\nxyz"), (b"xyz".to_vec(), false));
        assert_eq!(body(b"HTTP/1.1 302 Found\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx"), (b"x".to_vec(), false));
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        assert_eq!(body(chunked), (b"abcde".to_vec(), false));
        assert_eq!(body(&chunked[..chunked.len() - 8]), (b"abcd".to_vec(), true));
        let joined = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\x1f\x8bxyz";
        assert_eq!(body(joined), (b"\x1f\x8bxyz".to_vec(), false));
        let huge = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc";
        assert_eq!(body(huge), (b"abc".to_vec(), true));
    }

    #[test]
    fn an_error_is_named() {
        let e = saved(b"HTTP/1.1 404 Not\x1b[2J Found\r\n\r\n404 page not found\n").unwrap().err().unwrap();
        assert_eq!(e.to_string(), "an HTTP error page: 404 Not\\x1b[2J Found");
    }
}
