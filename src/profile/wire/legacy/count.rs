//! Go's count profiles as text (`goroutine`, `threadcreate` … with `debug=1`), and the symbols and labels that Go adds
//! to all its texts as comments.

use super::builder::{Builder, Call, Label};
use super::{Text, hex_addresses, is_blank, labels};
use crate::profile::wire::error::Error;

/// `None` if `text` is not a count profile.
pub(crate) fn decode(text: &str) -> Result<Option<Builder>, Error> {
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
    b.name_hidden();
    Ok(Some(b))
}

fn is_number(s: &str) -> bool {
    !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit())
}

/// Reads the comments that Go writes below a sample: `#⇥0xPC⇥function+0xoffset⇥file:line`, a line for each call, and
/// `# labels: {"key":"value"}`.
#[derive(Default)]
pub(crate) struct Symbols {
    /// The location of the line before, if that was a symbol: the next one at the same address was inlined into it.
    last: Option<u32>,
}

impl Symbols {
    /// Whether `line` was such a comment.
    pub(crate) fn read(&mut self, line: &str, b: &mut Builder) -> bool {
        if let Some(labels) = line.strip_prefix("# labels: ") {
            for (key, value) in labels::parse(labels) {
                b.label_last(Label::Owned(key, value));
            }
            return true;
        }
        let Some((address, call)) = parse_symbol(line) else {
            self.last = None;
            return false;
        };
        // Go prints the address of the call itself, which is where samples are placed too.
        let location = b.find(address);
        let inlined = location.is_some() && location == self.last;
        self.last = None;
        if let Some(location) = location {
            let known = b.calls(location);
            // The same call once more is recursion.
            if known.is_empty() || inlined && !known.contains(&call) {
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
