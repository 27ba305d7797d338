//! What a file seems to be that is none of those that can be opened, and what to do about it.

use super::kind::is_text;
use crate::base::text;

/// What to do where a server's answer was saved in place of what was asked for.
pub(super) const DOWNLOAD: &str = "did the download fail? fetch it with curl -f, which reports such answers as errors";
const UNPACK: &str = "unpack it first; gzip and zstd are read as they are";
const PROGRAM: &str = "name the trace or the profile; `gotrail PROGRAM PROFILE` takes both";
const OWN: &str = "open the trace that the Go program itself wrote";

/// What files begin with, what they are, and what to do.
const MAGICS: [(&[u8], &str, &str); 18] = [
    (b"\x7fELF", "an executable (ELF)", PROGRAM),
    (b"\xcf\xfa\xed\xfe", "an executable (Mach-O)", PROGRAM),
    (b"\xca\xfe\xba\xbe", "an executable (Mach-O) for several machines, or a Java class", PROGRAM),
    (b"MZ", "an executable (PE)", PROGRAM),
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
    (b"BZh", "bzip2 data", UNPACK),
    (b"\xfd7zXZ\0", "xz data", UNPACK),
    (b"\x04\x22\x4d\x18", "lz4 data", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"PERFILE", "a Linux perf recording", "run `perf script` first and open what it prints"),
    (b"2ELIFREP", "a Linux perf recording of another byte order", "run `perf script` where it was made"),
    (b"FLR\0", "a JDK Flight Recorder file (JFR)", "`jfr print` shows it; of a Go program open the pprof profile"),
    (b"GO PREPROFILE", "what `go tool preprofile` makes for the compiler", "open the CPU profile that it was made of"),
    (b"SQLite format 3\0", "an SQLite database", ""),
    (b"PAR1", "a Parquet file", ""),
    (b"\x89PNG", "a picture", ""),
    (b"%PDF", "a PDF document", ""),
    (b"mode: ", "a coverage profile", "`go tool cover` shows it"),
];

/// What `bytes` seem to be, in a few words that are safe to show, and a hint, which may be empty.
pub(super) fn describe(bytes: &[u8]) -> (String, &'static str) {
    if let Some((_, what, hint)) = MAGICS.iter().find(|(magic, ..)| bytes.starts_with(magic)) {
        return (what.to_string(), hint);
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return ("a tar archive".into(), "unpack it first");
    }
    if is_otlp(bytes) {
        return ("an OpenTelemetry profile (OTLP)".into(), OTLP);
    }
    if !is_text(bytes) {
        let first: Vec<String> = bytes.iter().take(8).map(|b| format!("{b:02x}")).collect();
        return (format!("binary data that begins {}", first.join(" ")), "");
    }
    let head = &bytes[..bytes.len().min(4096)];
    let all = String::from_utf8_lossy(head);
    let all = all.trim_start_matches('\u{feff}').trim_start();
    let line = all.lines().next().unwrap_or("").trim_end();
    let low = all.to_ascii_lowercase();
    if low.starts_with('<') {
        return document(all, &low);
    }
    let quoted = format!("text: \"{}\"", text::fit(&text::escape(line), 60));
    let answers = [
        "404 page not found",
        "curl: (",
        "could not enable",
        "profile duration exceeds",
        "unknown profile",
        "wget: ",
        "authentication required",
        "unauthorized",
        "forbidden",
        "failed to ",
    ];
    if answers.iter().any(|a| low.starts_with(a)) || http_status(line) {
        return (quoted, DOWNLOAD);
    }
    if low.starts_with('{') || low.starts_with('[') {
        return json(&low);
    }
    if low.starts_with("periodtype:") {
        return ("what pprof -raw prints".into(), "open the profile itself");
    }
    if is_pprof_report(&low) {
        return ("what pprof prints of a profile".into(), "open the profile itself");
    }
    if low.starts_with("m=") || low.contains("\nev=") || low.starts_with("ev=") || low.starts_with("trace go1.") {
        return ("a trace printed as text".into(), OWN);
    }
    if is_perf_trace(line) {
        return ("what `perf trace` prints".into(), "record with `perf record` and open what `perf script` prints");
    }
    if low.starts_with("# tracer:") {
        return ("what Linux's ftrace prints".into(), "record with `perf record` and open what `perf script` prints");
    }
    if low.starts_with("# samples:") || low.starts_with("# to display the perf.data header") {
        return ("what `perf report` prints".into(), "open what `perf script` prints");
    }
    (quoted, "")
}

const OTLP: &str = "export the profile as pprof; the format is still changing";

/// A document in HTML or XML; one in HTML by its title, which says what a server answered.
fn document(all: &str, low: &str) -> (String, &'static str) {
    let html = ["<!doctype html", "<html", "<head"].iter().any(|s| low.starts_with(s));
    // Lower case has the same length in ASCII, and elsewhere a title is left out rather than cut wrongly.
    let title = ["title", "h1"].iter().find_map(|tag| {
        let from = low.find(&format!("<{tag}>"))? + tag.len() + 2;
        let to = from + low[from..].find(&format!("</{tag}"))?;
        all.get(from..to).map(str::trim).filter(|t| !t.is_empty())
    });
    match title.filter(|_| html) {
        Some(t) if http_status(t) => (format!("an HTTP error page: {}", text::fit(&text::escape(t), 60)), DOWNLOAD),
        Some(t) => (format!("a web page: \"{}\"", text::fit(&text::escape(t), 60)), DOWNLOAD),
        None if html => ("a web page".into(), DOWNLOAD),
        None if low.starts_with("<?xml") && low.contains("<svg") || low.starts_with("<svg") => {
            ("a picture (SVG)".into(), "of a flame graph open the folded stacks or the profile")
        }
        None => ("an XML or HTML document".into(), DOWNLOAD),
    }
}

/// JSON that is none of the profiles that are read.
fn json(low: &str) -> (String, &'static str) {
    let has = |key: &str| low.contains(&format!("\"{key}\""));
    if has("traceevents") || low.starts_with('[') && has("ph") && (has("ts") || has("pid")) {
        ("a JSON trace for Chrome or Perfetto".into(), OWN)
    } else if has("resourceprofiles") {
        ("an OpenTelemetry profile (OTLP)".into(), OTLP)
    } else if has("resourcespans") {
        ("OpenTelemetry spans (OTLP)".into(), OWN)
    } else if has("snapshot") && has("node_fields") {
        ("a snapshot of V8's heap".into(), "open a .heapprofile")
    } else {
        ("JSON".into(), "")
    }
}

/// Whether a text is one of pprof's reports.
fn is_pprof_report(low: &str) -> bool {
    low.contains("\nshowing nodes accounting for") || low.starts_with("showing nodes accounting for")
}

/// Whether a line is one of `perf trace`: `5173031.532 ( 0.301 ms): demo/11239 nanosleep(…`.
fn is_perf_trace(line: &str) -> bool {
    let Some((time, rest)) = line.trim_start().split_once(" (") else { return false };
    time.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && rest.split_once("): ").is_some_and(|(took, call)| {
            (took.trim().is_empty() || took.trim_end().ends_with("ms")) && call.contains('/')
        })
}

/// Whether `bytes` are OpenTelemetry's `ProfilesData`: its resources are field 1 and hold messages in field 2 that hold
/// messages, where a profile of pprof has value types of two numbers.
fn is_otlp(bytes: &[u8]) -> bool {
    let block = |b: &[u8]| -> Option<(u8, usize)> {
        let mut len = 0usize;
        for (i, &byte) in b.get(1..)?.iter().take(5).enumerate() {
            len |= usize::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                return Some((b[0], len)).filter(|_| b.len() > i + 2);
            }
        }
        None
    };
    let skip = |b: &[u8]| 1 + b[1..].iter().take_while(|b| **b >= 0x80).count() + 1;
    // ResourceProfiles { resource = 1 { attributes = 1 { key = 1 "…" } } }
    let mut rest = bytes;
    for depth in 0..4 {
        match block(rest) {
            Some((0x0a, len)) if len > 0 => rest = &rest[skip(rest)..],
            _ => return false,
        }
        if depth == 3 {
            return rest.starts_with(b"service.") || rest.starts_with(b"telemetry.") || rest.starts_with(b"host.");
        }
    }
    false
}

/// Whether a line reads as an HTTP answer: `HTTP/1.1 503 …`, `502 Bad Gateway`, `upstream connect error …`.
fn http_status(line: &str) -> bool {
    let status = |s: &str| {
        let mut words = s.split_whitespace();
        let code =
            words.next().is_some_and(|w| w.len() == 3 && w.parse::<u16>().is_ok_and(|c| (400..600).contains(&c)));
        code && words.next().is_some_and(|w| w.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    line.starts_with("HTTP/") || line.starts_with("upstream ") || status(line)
}
