//! Names as pprof shows them.

use crate::profile::model::{Mapping, Profile, Strings};

impl Profile {
    /// Makes the names of functions readable that the producer left as the linker knows them. What looks like C++ loses
    /// its parameters and template arguments.
    pub fn simplify_names(&mut self) {
        for f in &mut self.functions {
            let (name, system) = (self.strings.get(f.name), self.strings.get(f.system_name));
            if !name.is_empty() && name != system {
                continue;
            }
            f.name = f.system_name;
            if looks_like_cpp(system) {
                let simple = without(&without(system, b'(', b')'), b'<', b'>');
                f.name = self.strings.intern(&simple);
            }
        }
    }

    /// Forgets the paths of mappings that are really the addresses of servers.
    pub fn forget_servers(&mut self) {
        let is_url = |s: &str| {
            s.split_once(':').is_some_and(|(scheme, _)| {
                scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
            })
        };
        let strings = &self.strings;
        let anonymous = |m: &&mut Mapping| strings.get(m.build_id).is_empty() && is_url(strings.get(m.file));
        self.mappings.iter_mut().filter(anonymous).for_each(|m| m.file = Strings::EMPTY);
    }
}

/// Not Java (`class.<init>`) and not a method of a generic type of Go (`pkg.(*T[...]).M`), but with templates or
/// namespaces.
fn looks_like_cpp(name: &str) -> bool {
    !name.contains(".<") && !name.contains("]).") && (name.contains(['<', '>', '[', ']']) || name.contains("::"))
}

/// `name` without what stands between `open` and `close`, nested or not, and without these; as it is from the first
/// `close` on that was not opened.
fn without(name: &str, open: u8, close: u8) -> String {
    let mut out = Vec::with_capacity(name.len());
    let mut opened: Vec<usize> = Vec::new();
    for (i, &b) in name.as_bytes().iter().enumerate() {
        if b == close && opened.is_empty() {
            out.extend_from_slice(&name.as_bytes()[i..]);
            break;
        }
        out.push(b);
        if b == open {
            opened.push(out.len() - 1);
        } else if b == close
            && let Some(start) = opened.pop()
            && opened.is_empty()
        {
            out.truncate(start);
        }
    }
    // Only whole ASCII-delimited parts were taken out.
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_cpp_is_simplified() {
        assert_eq!(without("std::map<int, std::pair<a, b>>::find", b'<', b'>'), "std::map::find");
        assert_eq!(without("f(a(b)) const", b'(', b')'), "f const");
        assert_eq!(without("a->b<c>", b'<', b'>'), "a->b<c>");
        assert_eq!(without("f(x", b'(', b')'), "f(x");
        assert!(looks_like_cpp("slices.Sort[...]") && !looks_like_cpp("main.(*T[...]).M"));
        assert!(!looks_like_cpp("java.lang.String.<init>"));
    }
}
