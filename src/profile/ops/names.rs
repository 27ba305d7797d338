//! Names as people write them: those of Rust and C++ demangled.

use crate::profile::model::{Mapping, Profile, Strings};
use std::fmt;

/// How much of a name that a linker knows is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Demangle {
    /// The name as the linker knows it.
    None,
    /// The name without parameters and template arguments.
    #[default]
    Simple,
    /// The name with all that it says.
    Full,
}

impl Profile {
    /// [`demangle`](Self::demangle) as it is done unless something else is asked for.
    pub fn simplify_names(&mut self) {
        self.demangle(Demangle::Simple);
    }

    /// Makes the names of functions readable that the producer left as the linker knows them.
    pub fn demangle(&mut self, how: Demangle) {
        for f in &mut self.functions {
            let (name, system) = (self.strings.get(f.name), self.strings.get(f.system_name));
            if how == Demangle::None {
                f.name = if system.is_empty() { f.name } else { f.system_name };
                continue;
            }
            if !name.is_empty() && name != system {
                continue;
            }
            f.name = f.system_name;
            if let Some(readable) = readable(system, how) {
                f.name = self.strings.intern(&readable);
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

/// What a name as a linker knows it is for people; `None` if it stays as it is.
fn readable(system: &str, how: Demangle) -> Option<String> {
    let simple = |name: &str| without(&without(name, b'(', b')'), b'<', b'>');
    if let Some(name) = rust(system, how) {
        return Some(name);
    }
    if let Some(name) = cpp(system, how) {
        return Some(if how == Demangle::Simple { without(&name, b'<', b'>') } else { name });
    }
    (how == Demangle::Simple && looks_like_cpp(system)).then(|| simple(system))
}

/// Bytes of the longest name that is made: a few bytes of a mangled name may stand for any number.
const LONGEST: usize = 16 << 10;

/// A name in the making, no longer than [`LONGEST`].
#[derive(Default)]
struct Name(String);

impl fmt::Write for Name {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        if self.0.len() + s.len() > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(s);
        Ok(())
    }
}

/// A name of Rust's, in the form of today or the older one, which ends with `17h` and a hash.
fn rust(system: &str, how: Demangle) -> Option<String> {
    let plain = system.strip_prefix('_').filter(|s| s.starts_with("_R") || s.starts_with("_Z")).unwrap_or(system);
    let hash = |s: &str| s.len() == 17 && s.starts_with('h') && s[1..].bytes().all(|b| b.is_ascii_hexdigit());
    let older = || {
        let end = plain.split(".llvm.").next().and_then(|s| s.strip_suffix('E'))?;
        end.get(end.len().checked_sub(17)?..).filter(|s| hash(s) && end.ends_with(&format!("17{s}")))
    };
    if !(plain.starts_with("_R") || plain.starts_with("_ZN") && older().is_some()) {
        return None;
    }
    let name = rustc_demangle::try_demangle(plain).ok()?;
    let mut out = Name::default();
    let written = match how {
        Demangle::Full => fmt::write(&mut out, format_args!("{name}")),
        _ => fmt::write(&mut out, format_args!("{name:#}")),
    };
    written.ok().map(|()| out.0)
}

/// A name of C++'s, as the Itanium ABI mangles it; macOS puts a further underscore before it.
fn cpp(system: &str, how: Demangle) -> Option<String> {
    let plain = system.strip_prefix('_').filter(|s| s.starts_with("_Z")).unwrap_or(system);
    if !plain.starts_with("_Z") || plain.len() > LONGEST {
        return None;
    }
    let options = match how {
        Demangle::Full => cpp_demangle::DemangleOptions::new(),
        _ => cpp_demangle::DemangleOptions::new().no_params().no_return_type(),
    };
    // What linkers and compilers put behind a name: `.part.0`, `.constprop.1`, `@plt`.
    let (name, suffix) = plain.find(['.', '@']).map_or((plain, ""), |at| plain.split_at(at));
    let symbol = cpp_demangle::Symbol::new(name).ok()?;
    let mut out = Name::default();
    symbol.structured_demangle(&mut out, &options).ok()?;
    (!out.0.is_empty()).then(|| if how == Demangle::Full { out.0 + suffix } else { out.0 })
}

/// Not Java (`class.<init>`) and not a method of a generic type of Go (`pkg.(*T[...]).M`), but with templates or
/// namespaces.
fn looks_like_cpp(name: &str) -> bool {
    !name.contains(".<") && !name.contains("]).") && (name.contains(['<', '>', '[', ']']) || name.contains("::"))
}

/// `name` without what stands between `open` and `close`, nested or not, and without these; as it is from the first
/// `close` on that was not opened. What stands for itself stays: `<module>`, `<T as X>::f`, `(anonymous namespace)::f`, but
/// not the arguments of a name before them.
fn without(name: &str, open: u8, close: u8) -> String {
    let bytes = name.as_bytes();
    let mut out = Vec::with_capacity(name.len());
    // Where each stands that is open, and whether it belongs to a name.
    let mut opened: Vec<(usize, bool)> = Vec::new();
    for (i, &b) in bytes.iter().enumerate() {
        if b == close && opened.is_empty() {
            out.extend_from_slice(&bytes[i..]);
            break;
        }
        let before = i.checked_sub(1).map(|i| bytes[i]);
        out.push(b);
        if b == open {
            let named = before.is_some_and(|p| p.is_ascii_alphanumeric() || b"_$~]>})".contains(&p) || p >= 0x80);
            opened.push((out.len() - 1, named));
        } else if b == close
            && let Some((start, named)) = opened.pop()
            && named
            && opened.iter().all(|o| !o.1)
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
        for (name, want) in [
            ("<module>", "<module>"),
            ("<T as core::fmt::Display>::fmt", "<T as core::fmt::Display>::fmt"),
            ("(anonymous namespace)::f(int)", "(anonymous namespace)::f"),
            ("alloc::vec::Vec<T,A>::push", "alloc::vec::Vec::push"),
            ("block in <class:Foo>", "block in <class:Foo>"),
            ("operator<<", "operator<<"),
            ("<>c__DisplayClass", "<>c__DisplayClass"),
            ("std::vector<int, std::allocator<int> >::push_back(int const&)", "std::vector::push_back"),
        ] {
            assert_eq!(without(&without(name, b'(', b')'), b'<', b'>'), want);
        }
        assert!(looks_like_cpp("slices.Sort[...]") && !looks_like_cpp("main.(*T[...]).M"));
        assert!(!looks_like_cpp("java.lang.String.<init>"));
    }

    #[test]
    fn names_of_rust_and_cpp_are_demangled() {
        for (system, simple, full) in [
            ("_ZN3foo3barEv", "foo::bar", "foo::bar()"),
            ("__ZN3foo3barEi", "foo::bar", "foo::bar(int)"),
            (
                "_ZNSt6vectorIiSaIiEE9push_backERKi",
                "std::vector::push_back",
                "std::vector<int, std::allocator<int> >::push_back(int const&)",
            ),
            ("_Z5deltav.part.0", "delta", "delta().part.0"),
            ("_RNvC6_123foo3bar", "123foo::bar", "123foo::bar"),
            (
                "_ZN4core3fmt9Formatter9write_fmt17h0123456789abcdefE",
                "core::fmt::Formatter::write_fmt",
                "core::fmt::Formatter::write_fmt::h0123456789abcdef",
            ),
        ] {
            assert_eq!(readable(system, Demangle::Simple).as_deref(), Some(simple));
            assert_eq!(readable(system, Demangle::Full).as_deref(), Some(full));
        }
        for name in ["main.main", "_cgo_panic", "_Z", "_R", "_ZN", "runtime.(*T).f"] {
            assert_eq!(readable(name, Demangle::Full), None, "{name}");
        }
    }

    #[test]
    fn a_name_that_stands_for_endlessly_many_letters_is_left() {
        // Each pair doubles what the one before it stands for.
        let doubled = "S_S_".to_owned()
            + &(0..30u32)
                .map(|i| {
                    let c = std::char::from_digit(i % 36, 36).unwrap_or('0').to_ascii_uppercase();
                    format!("P1aIS{c}_S{c}_E")
                })
                .collect::<String>();
        let name = format!("_Z1fI1xE{doubled}");
        assert!(readable(&name, Demangle::Full).is_none_or(|n| n.len() <= LONGEST + name.len()));
    }
}
