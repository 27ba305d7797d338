//! Go's count profiles as text (`goroutine`, `threadcreate` … with `debug=1`), and the symbols and labels that Go adds
//! to all its texts as comments.

use super::super::error::Error;
use super::builder::{Builder, Call, Label};
use super::{Text, hex_addresses, is_blank};

/// `None` if `text` is not a count profile.
pub(super) fn decode(text: &str) -> Result<Option<Builder>, Error> {
    let mut text = Text::new(text);
    text.skip_blank();
    let Some((kind, total)) = text.line.split_once(" profile: total ") else { return Ok(None) };
    if kind.is_empty() || kind.contains(char::is_whitespace) || !is_number(total) {
        return Ok(None);
    }
    let mut b = Builder::new(&[(kind, "count")], (kind, "count"), 1);
    let mut symbols = Symbols::default();
    while text.advance() {
        if symbols.read(text.line, &mut b) || is_blank(text.line) {
            continue;
        }
        if text.line.starts_with("---") {
            break;
        }
        let sample = text.line.split_once(" @").filter(|(n, stack)| is_number(n) && stack.starts_with(" 0x"));
        let (n, stack) = sample.ok_or_else(|| text.fault("expected `count @ address…`"))?;
        let n = n.parse().map_err(|_| text.fault("a number of more than 64 bits"))?;
        let stack = hex_addresses(stack).ok_or_else(|| text.fault("an address of more than 64 bits"))?;
        b.sample_at(&stack, 0, vec![n], Vec::new());
    }
    text.read_maps(&mut b);
    Ok(Some(b))
}

fn is_number(s: &str) -> bool {
    !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit())
}

/// Reads the comments that Go writes below a sample: `#⇥0xPC⇥function+0xoffset⇥file:line`, a line for each call, and
/// `# labels: {"key":"value"}`.
#[derive(Default)]
pub(super) struct Symbols {
    /// The location of the line before, if that was a symbol: the next one at the same address was inlined into it.
    last: Option<u32>,
}

impl Symbols {
    /// Whether `line` was such a comment.
    pub(super) fn read(&mut self, line: &str, b: &mut Builder) -> bool {
        if let Some(labels) = line.strip_prefix("# labels: ") {
            for (key, value) in parse_labels(labels) {
                b.label_last(Label::Owned(key, value));
            }
            return true;
        }
        let Some((address, call)) = parse_symbol(line) else {
            self.last = None;
            return false;
        };
        // Go prints the address of the call itself, which is where samples are placed too.
        if let Some(location) = b.find(address) {
            if b.calls(location) == 0 || self.last == Some(location) {
                b.add_call(location, call);
                self.last = Some(location);
            }
        }
        true
    }
}

fn parse_symbol(line: &str) -> Option<(u64, Call)> {
    // Columns are padded with further tabs.
    let mut fields = line.strip_prefix("#\t0x")?.split('\t').filter(|f| !f.is_empty());
    let address = u64::from_str_radix(fields.next()?, 16).ok()?;
    let (function, _offset) = fields.next()?.rsplit_once("+0x")?;
    let (file, line) = fields.next()?.rsplit_once(':')?;
    Some((address, Call { function: function.to_string(), file: file.to_string(), line: line.trim().parse().ok()? }))
}

/// The pairs of `{"key":"value", …}`, with Go's quoting; stops at the first fault.
fn parse_labels(s: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut rest = s.trim().trim_start_matches('{');
    while let Some((key, after)) = unquote(rest.trim_start_matches([',', ' '])) {
        let Some((value, after)) = after.strip_prefix(':').and_then(|v| unquote(v.trim_start())) else { break };
        out.push((key, value));
        rest = after;
    }
    out
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
