//! Profiles in the formats of other tools, told by their content.

use super::perf;

/// The format of another tool's profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Other {
    /// What `perf script` prints.
    PerfScript,
    /// Folded stacks, as `stackcollapse-*` writes them: frames with `;` between them, a space, a number.
    Folded,
    /// speedscope's own JSON.
    Speedscope,
    /// A `.cpuprofile` of V8: Chrome's DevTools and Node.
    CpuProfile,
    /// A `.heapprofile` of V8.
    HeapProfile,
    /// A trace of Chrome in which CPU profiles are.
    ChromeTrace,
    /// A profile of Firefox, or of samply.
    Firefox,
}

/// Which of these `bytes`, perhaps the beginning of a longer file, are.
pub(super) fn other(bytes: &[u8]) -> Option<Other> {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match start.first()? {
        b'{' | b'[' => json(start),
        _ if perf::is_perf_script(bytes) => Some(Other::PerfScript),
        _ if is_folded(start) => Some(Other::Folded),
        _ => None,
    }
}

/// Whether `needle` is in `bytes`.
fn has(bytes: &[u8], needle: &str) -> bool {
    let pattern = regex::bytes::Regex::new(&regex::escape(needle)).expect("an escaped text is an expression");
    pattern.is_match(bytes)
}

fn json(bytes: &[u8]) -> Option<Other> {
    let key = |name: &str| has(bytes, &format!("\"{name}\""));
    let profile_of_chrome = || key("ProfileChunk") || key("CpuProfile");
    if bytes.starts_with(b"[") {
        return (key("ph") && profile_of_chrome()).then_some(Other::ChromeTrace);
    }
    if has(bytes, "www.speedscope.app/file-format-schema.json") {
        Some(Other::Speedscope)
    } else if key("traceEvents") {
        profile_of_chrome().then_some(Other::ChromeTrace)
    } else if key("callFrame") && key("selfSize") {
        Some(Other::HeapProfile)
    } else if key("startTime") && (key("callFrame") || key("functionName") && key("head")) {
        Some(Other::CpuProfile)
    } else if key("meta") && key("threads") && (key("stackTable") || key("frameTable")) {
        Some(Other::Firefox)
    } else {
        None
    }
}

/// Stack and number of a line of folded stacks; the number may have decimals, and as for `flamegraph.pl` none behind the
/// point. `None` if it is none.
pub fn folded_line(line: &str) -> Option<(&str, &str)> {
    let (stack, number) = line.trim_end().rsplit_once([' ', '\t'])?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let stack = stack.trim_end();
    (digits(whole) && (digits(part) || part.is_empty()) && !stack.is_empty()).then_some((stack, number))
}

/// Whether a line is one of folded stacks, or was meant to be: its number is negative, or is written in another way.
fn is_meant_as_folded(line: &str) -> bool {
    let is_number = |number: &str| number.parse::<f64>().is_ok();
    let mut parts = line.trim_end().rsplitn(2, [' ', '\t']);
    folded_line(line).is_some() || parts.next().is_some_and(is_number) && parts.next().is_some_and(|s| s.contains(';'))
}

/// Whether the first lines are of folded stacks, all but a few, and one has several frames.
fn is_folded(bytes: &[u8]) -> bool {
    const LINES: usize = 64;
    const LINES_A_WRONG_ONE: usize = 4;
    let cut = bytes.len() > super::ENOUGH;
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(super::ENOUGH)]);
    let all: Vec<&str> = head.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')).take(LINES).collect();
    // The last line may be longer than what is looked at, and a file may be cut off in it.
    let open = cut || !bytes.ends_with(b"\n");
    let all = if open && all.len() > 1 && folded_line(all[all.len() - 1]).is_none() {
        &all[..all.len() - 1]
    } else {
        &all[..]
    };
    let several = |l: &&str| l.rsplit_once([' ', '\t']).is_some_and(|(stack, _)| stack.trim_matches(';').contains(';'));
    let good: Vec<&str> = all.iter().copied().filter(|l| is_meant_as_folded(l)).collect();
    // One line of something else, or a few among many, are left out, and said to be.
    let (good, several) = (good.len(), good.iter().any(several));
    all.len() - good <= (good / LINES_A_WRONG_ONE).max(1) && several
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_what_is_in_them() {
        for (text, want) in [
            ("a;b;c 1\na;b 2", Some(Other::Folded)),
            ("main;x y::z<u> 1.5\n", Some(Other::Folded)),
            ("# a comment\nmain 3\nmain;f 4\n", Some(Other::Folded)),
            ("main;f 3\nmain;g x\n", Some(Other::Folded)),
            ("main;f 3\nmain;g x\nmain;h y\n", None),
            ("main 3\nfoo 4\n", None),
            ("a;b;c\nx;y;1\n", None),
            ("a, b 1\nc;d none\n", None),
            ("demo 1 5.000001:    1 cycles: \n\t 1 f (/x)\n", Some(Other::PerfScript)),
            ("# ========\n# captured on: x\n", Some(Other::PerfScript)),
            (r#"{"$schema":"https://www.speedscope.app/file-format-schema.json"}"#, Some(Other::Speedscope)),
            (r#"{"nodes":[{"callFrame":{}}],"startTime":1}"#, Some(Other::CpuProfile)),
            (r#"{"head":{"functionName":"(root)"},"startTime":1}"#, Some(Other::CpuProfile)),
            (r#"{"head":{"callFrame":{},"selfSize":0}}"#, Some(Other::HeapProfile)),
            (r#"{"traceEvents":[{"name":"ProfileChunk"}]}"#, Some(Other::ChromeTrace)),
            (r#"[{"ph":"P","name":"ProfileChunk"}]"#, Some(Other::ChromeTrace)),
            (r#"{"traceEvents":[]}"#, None),
            (r#"[{"ph":"B"}]"#, None),
            (r#" {"meta":{},"threads":[{"stackTable":{}}]}"#, Some(Other::Firefox)),
            (r#"{"a":1}"#, None),
            ("", None),
        ] {
            assert_eq!(other(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn a_folded_line_ends_with_a_number() {
        assert_eq!(folded_line("a;b c 12\r"), Some(("a;b c", "12")));
        assert_eq!(folded_line("a;b 1."), Some(("a;b", "1.")));
        for line in ["a;b", "12", "a -1", "a .5", " 1", "a 1e5"] {
            assert_eq!(folded_line(line), None, "{line}");
        }
    }
}
