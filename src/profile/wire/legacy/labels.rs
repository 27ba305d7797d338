//! Labels as Go's texts carry them: `{"key":"value", "other":"value"}` with `debug=1`, `{key: value}` with quotes only
//! where they are needed with `debug=2`.

/// The pairs in `s`; stops at the first fault.
pub(crate) fn parse(s: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let Some(mut rest) = s.trim().strip_prefix('{') else { return out };
    while let Some((key, after)) = word(rest.trim_start_matches([',', ' ']), ':') {
        let Some((value, after)) = after.strip_prefix(':').and_then(|v| word(v.trim_start(), ',')) else { break };
        out.push((key, value));
        rest = after;
    }
    out
}

/// The quoted or plain word that `s` begins with, and what follows it. A plain one ends before `end` or a brace.
fn word(s: &str, end: char) -> Option<(String, &str)> {
    if s.starts_with('"') {
        return unquote(s);
    }
    let (word, rest) = s.split_at(s.find([end, '}'])?);
    (!word.is_empty()).then(|| (word.to_string(), rest))
}

/// The string that `s` begins with, in Go's double quotes, and what follows it.
fn unquote(s: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = s.strip_prefix('"')?.chars();
    loop {
        match chars.next()? {
            '"' => return Some((out, chars.as_str())),
            '\\' => {
                let (c, digits) = match chars.next()? {
                    'n' => ('\n', 0),
                    't' => ('\t', 0),
                    'r' => ('\r', 0),
                    'x' => ('\0', 2),
                    'u' => ('\0', 4),
                    'U' => ('\0', 8),
                    c => (c, 0),
                };
                if digits == 0 {
                    out.push(c);
                } else {
                    let rest = chars.as_str();
                    let code = u32::from_str_radix(rest.get(..digits)?, 16).ok()?;
                    out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                    chars = rest[digits..].chars();
                }
            }
            c => out.push(c),
        }
    }
}
