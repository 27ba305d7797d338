//! A tree of calls in JSON, each call with those below it in its `children`, taken apart into one text for each call. A
//! parser that goes down into each takes stack for each, and so stops at few: stacks of calls are often deeper.

use super::wrong;
use crate::base::text;
use crate::profile::wire::error::Error;
use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// What is in a file with a tree in its `head`.
pub(super) struct Split<'a> {
    /// The file, with the head and none below it.
    file: Cow<'a, [u8]>,
    /// The calls below the head in the order of the file, each without those below it.
    below: Vec<Part>,
}

/// A call of a tree.
struct Part {
    text: Vec<u8>,
    /// Where it stands in the file.
    at: usize,
    /// The call that it is below: 0 is the head, and from 1 on they are counted as they come.
    parent: usize,
}

/// A call whose text is not over yet.
struct Open {
    /// Counted as parents are.
    part: usize,
    /// How many braces and brackets are open in it.
    depth: usize,
    /// Whether its children come next, or what follows them.
    in_list: bool,
}

impl<'a> Split<'a> {
    /// Takes a file apart.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn of(data: &'a [u8], format: &'static str) -> Result<Split<'a>, Error> {
        if memmem::find(data, b"\"head\"").is_none() {
            return Ok(Split { file: data.into(), below: Vec::new() });
        }
        // What is left out takes no stack, however deep it is. From here on it is known to be JSON.
        serde_json::from_slice::<IgnoredAny>(data).map_err(wrong(format))?;
        Ok(split(data))
    }

    /// Reads the file, with its head.
    ///
    /// # Errors
    /// It is not what the format says.
    pub fn file<'b, T: Deserialize<'b>>(&'b self, format: &'static str) -> Result<T, Error> {
        read(&self.file, format, if self.below.is_empty() { "" } else { ", in the file or its `head`" })
    }

    /// Reads the calls below the head, each after the one that it is below, which is told: 0 is the head.
    pub fn below<'b, T: Deserialize<'b>>(
        &'b self,
        format: &'static str,
    ) -> impl Iterator<Item = Result<(usize, T), Error>> {
        self.below.iter().map(move |p| {
            let place = format!(", in the call at byte {}", p.at);
            Ok((p.parent, read(&p.text, format, &place)?))
        })
    }
}

/// Reads a text. Where it is a part of the file, lines and columns are not the file's, and `place` says where it is.
fn read<'b, T: Deserialize<'b>>(text: &'b [u8], format: &'static str, place: &str) -> Result<T, Error> {
    serde_json::from_slice(text).map_err(|e| {
        if place.is_empty() {
            return wrong(format)(e);
        }
        let said = e.to_string();
        let at = format!(" at line {} column {}", e.line(), e.column());
        let cause = format!("{}{place}", text::escape(said.strip_suffix(&at).unwrap_or(&said)));
        Error::Json { format, cause }
    })
}

/// Takes JSON apart; of what is none the parts are none.
fn split(data: &[u8]) -> Split<'_> {
    let mut file: Vec<u8> = Vec::new();
    let mut below: Vec<Part> = Vec::new();
    let mut open = vec![Open { part: 0, depth: 0, in_list: false }];
    // Whether what is open in the file itself is its `head`.
    let mut head = false;
    let mut i = 0;
    while let (Some(&byte), Some(top)) = (data.get(i), open.last_mut()) {
        if top.in_list && byte == b'{' {
            let parent = top.part;
            below.push(Part { text: vec![byte], at: i, parent });
            open.push(Open { part: below.len(), depth: 1, in_list: false });
            i += 1;
            continue;
        }
        if top.in_list && byte != b']' {
            i += 1;
            continue;
        }
        let text = match top.part.checked_sub(1) {
            Some(part) => &mut below[part].text,
            None => &mut file,
        };
        let end = if byte == b'"' { end_of_string(data, i) } else { i + 1 };
        let word = &data[i..end];
        text.extend_from_slice(word);
        i = end;
        match byte {
            b']' if top.in_list => top.in_list = false,
            b'{' | b'[' => top.depth += 1,
            b'}' | b']' => {
                top.depth = top.depth.saturating_sub(1);
                if top.depth == 0 && top.part > 0 {
                    open.pop();
                }
            }
            b'"' => {
                if top.part == 0 && top.depth == 1 {
                    head = word == b"\"head\"";
                }
                let own = if top.part == 0 { head && top.depth == 2 } else { top.depth == 1 };
                if own
                    && word == b"\"children\""
                    && let Some(list) = list_of_calls(&data[i..])
                {
                    text.extend_from_slice(b":[");
                    i += list;
                    top.in_list = true;
                }
            }
            _ => {}
        }
    }
    Split { file: file.into(), below }
}

/// Where the string that begins at `from` is over.
fn end_of_string(data: &[u8], from: usize) -> usize {
    let mut i = from + 1;
    while let Some(&byte) = data.get(i) {
        match byte {
            b'"' => return i + 1,
            b'\\' => i += 2,
            _ => i += 1,
        }
    }
    data.len()
}

/// Where a name's value begins with a call in a list, how far it is to that.
fn list_of_calls(after_name: &[u8]) -> Option<usize> {
    let mut i = 0;
    for want in [b':', b'[', b'{'] {
        i += after_name.get(i..)?.iter().position(|b| !b.is_ascii_whitespace())?;
        if after_name[i] != want {
            return None;
        }
        i += usize::from(want != b'{');
    }
    Some(i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn parts(text: &str) -> Vec<(usize, usize, String)> {
        let split = Split::of(text.as_bytes(), "x").unwrap();
        assert!(split.file::<Value>("x").is_ok());
        let text = |t: &[u8]| String::from_utf8(t.to_vec()).unwrap();
        let below = split.below.iter().map(|p| (p.parent, p.at, text(&p.text)));
        std::iter::once((0, 0, text(&split.file))).chain(below).collect()
    }

    #[test]
    fn a_tree_comes_apart_into_its_calls() {
        let text = r#"{"a":"head","head":{"n":"children","children" : [ {"n":"\"}","children":[{"n":1}], "m":[{}]},{"n":2,"children":[]}]},"b":1}"#;
        let want = [
            (0, 0, r#"{"a":"head","head":{"n":"children","children":[]},"b":1}"#),
            (0, text.find(r#"{"n":"\"#).unwrap(), r#"{"n":"\"}","children":[], "m":[{}]}"#),
            (1, text.find(r#"{"n":1"#).unwrap(), r#"{"n":1}"#),
            (0, text.find(r#"{"n":2"#).unwrap(), r#"{"n":2,"children":[]}"#),
        ];
        assert_eq!(parts(text), want.map(|(parent, at, text)| (parent, at, text.to_owned())));
        for other in [
            r#"{"head":{"x\"children":[{"id":1}]}}"#,
            r#"{"x\"head":{"children":[{"id":1}]},"y":"head"}"#,
            r#"{"nodes":[{"children":[{"id":1}]}],"head":1}"#,
            r#"{"head":{"x":{"children":[{"id":1}]},"children":[1]}}"#,
            r#"{"head":{"children":[]},"children":[{"id":1}]}"#,
        ] {
            assert_eq!(parts(other), [(0, 0, other.to_owned())]);
        }
    }

    #[test]
    fn what_is_wrong_in_a_call_is_said_with_its_place() {
        #[derive(Deserialize, Debug)]
        struct Call {
            #[serde(rename = "n")]
            _n: u8,
        }
        let said = |text: &str| match Split::of(text.as_bytes(), "x") {
            Ok(split) => split.below::<Call>("x").find_map(Result::err).unwrap().to_string(),
            Err(e) => e.to_string(),
        };
        let bad = said(r#"{"head":{"children":[{"n":7},{"n":-1}]}}"#);
        assert_eq!(bad, "malformed x: invalid value: integer `-1`, expected u8, in the call at byte 29");
        assert_eq!(said(r#"{"head":{"children":[{"n":7},]}}"#), "malformed x: expected value at line 1 column 30");
        assert!(said(r#"{"head":{"children":[{"n":7}"#).contains("the file is cut off at line 1 column"));
    }

    #[test]
    fn what_is_no_json_comes_apart_into_something() {
        for text in [
            "",
            "}",
            "]]",
            "{\"head\":{\"children\":[{",
            "{\"head\":{\"children\":[{}}}}",
            "\"\\",
            "{\"head\":[\"children\":[{]}",
        ] {
            split(text.as_bytes());
        }
    }
}
