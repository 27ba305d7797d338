//! A frame: address, function with the distance from its beginning, file: `\t 829a3 runtime.clone.abi0+0x83 (/srv/app)`.

/// A frame of a call chain. Nothing of it is escaped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Frame<'a> {
    /// The address as perf prints it: in the kernel the address, in a program the position in its file.
    pub address: u64,
    /// The function; empty if perf does not know it.
    pub func: &'a str,
    /// The file; empty if perf does not know it.
    pub file: &'a str,
    /// Whether it was inlined into the next frame, which then has the same address.
    pub inlined: bool,
}

/// The frame that a line is, `None` if it is none.
pub(super) fn frame(line: &str) -> Option<Frame<'_>> {
    let line = line.trim();
    let (address, rest) = line.split_once(' ').unwrap_or((line, ""));
    if address.len() > 16 || !address.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let address = u64::from_str_radix(address, 16).ok()?;
    let rest = rest.trim();
    let (func, file) = match rest.strip_suffix(')') {
        Some(inner) => {
            let at = opening(inner)?;
            (rest[..at].trim_end(), &inner[at + 1..])
        }
        None => (rest, ""),
    };
    let known = |s: &'static str| move |text: &&str| *text != s;
    let func = Some(func).filter(known("[unknown]")).unwrap_or("");
    let file = Some(file).filter(known("[unknown]")).unwrap_or("");
    let inlined = file == "inlined";
    Some(Frame { address, func: without_offset(func), file: if inlined { "" } else { file }, inlined })
}

/// Where the parenthesis opens that a text without its last `)` would close.
fn opening(inner: &str) -> Option<usize> {
    let mut depth = 1;
    for (i, b) in inner.bytes().enumerate().rev() {
        match b {
            b')' => depth += 1,
            b'(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(i);
        }
    }
    None
}

fn without_offset(func: &str) -> &str {
    match func.rsplit_once("+0x") {
        Some((name, offset)) if !name.is_empty() && offset.bytes().all(|b| b.is_ascii_hexdigit()) => name,
        _ => func,
    }
}

/// The frame that stands behind an event on its line, after the fields of a tracepoint if it is one: without a call chain
/// perf prints the address there.
pub(super) fn behind(rest: &str) -> Option<Frame<'_>> {
    if let Some(f) = frame(rest).filter(|f| !f.func.is_empty() || !f.file.is_empty()) {
        return Some(f);
    }
    // The last word that is an address with a function and a file behind it.
    let inner = rest.strip_suffix(')')?;
    let before = rest[..opening(inner)?].trim_end();
    let (fields, func) = before.rsplit_once(' ').filter(|(_, f)| f.contains("+0x") || *f == "[unknown]")?;
    let address = fields.rsplit(' ').next()?;
    let at = rest.len() - (rest.len() - fields.len()) - address.len();
    (address.len() >= 5 && !func.contains('=')).then(|| frame(&rest[at..])).flatten()
}
