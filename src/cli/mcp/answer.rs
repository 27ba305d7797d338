//! What an agent gets of what a command prints: a page of bounded size, which says where it goes on.

use serde_json::Value;

/// Bytes of a page. What stands around it, notes and the command, is usually below 1 KB; as JSON a page stands in its answer
/// twice.
pub const PAGE: usize = 3100;
/// Bytes of a line of text; longer ones are cut, with a word.
const LINE: usize = 1000;

/// Texts that an answer quotes.
pub mod text {
    /// A text on one line, of a bounded length, with nothing in it that could be meant for a terminal.
    pub fn short(s: &str) -> String {
        const MOST: usize = 200;
        let cut = s.char_indices().nth(MOST).map_or(s, |(i, _)| &s[..i]);
        let dots = if cut.len() < s.len() { "…" } else { "" };
        format!("{}{dots}", crate::base::text::escape(cut))
    }
}

/// Takes the lines of a page out of a text as it comes.
pub struct Lines {
    /// Lines to pass over.
    skip: u64,
    /// Bytes of a line that are kept.
    longest: usize,
    /// What is at hand of a line that is not whole, and how many bytes of it were left out.
    line: Vec<u8>,
    over: usize,
    /// The page.
    pub text: String,
    /// Lines in it.
    pub taken: u64,
    /// Whether there are lines after it.
    pub more: bool,
}

impl Lines {
    /// The page that begins after so many lines.
    pub fn after(skip: u64) -> Lines {
        Lines { skip, longest: LINE, line: Vec::new(), over: 0, text: String::new(), taken: 0, more: false }
    }

    /// The same of lines that are of use only whole.
    pub fn whole_after(skip: u64) -> Lines {
        Lines { longest: PAGE, ..Lines::after(skip) }
    }

    /// Takes what comes next; false if no more is wanted.
    pub fn add(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while !self.more {
            let end = rest.iter().position(|&b| b == b'\n');
            let part = &rest[..end.unwrap_or(rest.len())];
            let fits = part.len().min(self.longest.saturating_sub(self.line.len()));
            self.line.extend_from_slice(&part[..fits]);
            self.over += part.len() - fits;
            let Some(end) = end else { return true };
            self.end();
            rest = &rest[end + 1..];
        }
        false
    }

    /// Takes a last line that has no end.
    pub fn finish(&mut self) {
        if !self.line.is_empty() && !self.more {
            self.end();
        }
    }

    fn end(&mut self) {
        let (line, over) = (std::mem::take(&mut self.line), std::mem::take(&mut self.over));
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        let mut line = String::from_utf8_lossy(&line).into_owned();
        if over > 0 {
            line.push_str(&format!("… [{over} bytes more]"));
        }
        if self.taken > 0 && self.text.len() + line.len() >= PAGE {
            self.more = true;
            return;
        }
        self.text.push_str(&line);
        self.text.push('\n');
        self.taken += 1;
    }
}

/// A page of an object's main list.
pub struct Page {
    /// The object, with that part of the list.
    pub object: Value,
    /// Rows in it.
    pub taken: usize,
    /// Rows in all.
    pub of: usize,
    /// Entries of other lists that are left out.
    pub left_out: usize,
}

/// Bytes of a text inside of JSON; longer ones are cut.
const TEXT: usize = 300;

/// Cuts an object to a page of the list at `key` (`slow.parts` lies inside of `slow`), from row `from` on. An object without that
/// list has no rows. Other lists and texts are cut where they are long; a row that does not fit begins the next page, and only
/// one that is larger than a page is cut even more: what is there keeps its form.
pub fn page(mut object: Value, key: &str, from: usize) -> Page {
    let at = format!("/{}", key.replace('.', "/"));
    let rows = match object.pointer_mut(&at) {
        Some(Value::Array(rows)) => std::mem::take(rows),
        _ => Vec::new(),
    };
    let mut left_out = prune(&mut object, 4);
    let mut size = object.to_string().len();
    let of = rows.len();
    let mut taken = Vec::new();
    for row in rows.into_iter().skip(from) {
        let cut = |most| {
            let mut small = row.clone();
            let gone = prune(&mut small, most);
            let bytes = small.to_string().len() + 1;
            (small, gone, bytes)
        };
        let (mut small, mut gone, mut bytes) = cut(8);
        for most in [4, 2, 1, 0] {
            if size + bytes <= PAGE || !taken.is_empty() {
                break;
            }
            (small, gone, bytes) = cut(most);
        }
        if size + bytes > PAGE && !taken.is_empty() {
            break;
        }
        size += bytes;
        left_out += gone;
        taken.push(small);
    }
    let n = taken.len();
    if let Some(Value::Array(rows)) = object.pointer_mut(&at) {
        *rows = taken;
    }
    Page { object, taken: n, of, left_out }
}

/// Cuts lists to `most` entries and long texts; says how many entries that leaves out.
fn prune(value: &mut Value, most: usize) -> usize {
    match value {
        Value::Array(all) => {
            let gone = all.len().saturating_sub(most);
            all.truncate(most);
            gone + all.iter_mut().map(|v| prune(v, most)).sum::<usize>()
        }
        Value::Object(all) => all.values_mut().map(|v| prune(v, most)).sum(),
        Value::String(s) => {
            if let Some((i, _)) = s.char_indices().nth(TEXT) {
                s.truncate(i);
                s.push('…');
            }
            0
        }
        _ => 0,
    }
}
