//! Which functions are variants of one another: those of the runtime by the table in `assets/variants.toml`, and the
//! instantiations of a generic function by their names.

use crate::base::text::fits;
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::LazyLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    family: Vec<Family>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    name: String,
    func: Vec<String>,
}

static TABLE: LazyLock<File> = LazyLock::new(|| {
    // A test holds that the built-in file is a good one.
    toml::from_str(include_str!("../../../assets/variants.toml")).expect("assets/variants.toml is well formed")
});

/// What a function and its variants are called together: `runtime.mapassign*`, `pkg.F[…]`. `None` if it has none.
pub fn family(func: &str) -> Option<Cow<'static, str>> {
    let of = |f: &&Family| f.func.iter().any(|p| fits(p, func));
    match TABLE.family.iter().find(of) {
        Some(f) => Some(Cow::Borrowed(&f.name)),
        None => without_types(func).map(Cow::Owned),
    }
}

/// The name of an instance of a generic function or type, `…` in place of its types; `None` if it is none.
fn without_types(func: &str) -> Option<String> {
    let first = func.find('[')?;
    // Neither C++, nor the compiler's own functions for arrays, nor what stands for a file without symbols.
    if func.contains("::") || func.starts_with("type:") || func.starts_with("type.") || !func[..first].contains('.') {
        return None;
    }
    let mut out = String::with_capacity(first + 8);
    let mut depth = 0u32;
    for c in func.chars() {
        match c {
            '[' => {
                if depth == 0 {
                    out.push_str("[…]");
                }
                depth += 1;
            }
            ']' => depth = depth.checked_sub(1)?,
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    (depth == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(func: &str) -> Option<String> {
        family(func).map(Cow::into_owned)
    }

    #[test]
    fn the_table_is_a_good_one_and_none_of_its_families_is_out_of_reach() {
        for (i, f) in TABLE.family.iter().enumerate() {
            assert!(!f.func.is_empty() && f.name.ends_with('*') && f.name.contains('.'), "{}", f.name);
            for p in &f.func {
                let example = p.strip_suffix('*').unwrap_or(p);
                let first = TABLE.family.iter().position(|f| f.func.iter().any(|p| fits(p, example)));
                assert_eq!(first, Some(i), "{p}");
            }
        }
    }

    #[test]
    fn the_variants_of_a_runtime_function_have_one_name() {
        for f in ["", "_faststr", "_fast32", "_fast32ptr", "_fast64", "_fast64ptr"] {
            assert_eq!(is(&format!("runtime.mapassign{f}")).as_deref(), Some("runtime.mapassign*"), "{f}");
        }
        assert_eq!(is("runtime.mapaccess2_fast64").as_deref(), Some("runtime.mapaccess2*"));
        assert_eq!(is("runtime.mapaccess1_fat").as_deref(), Some("runtime.mapaccess1*"));
        assert_eq!(is("runtime.mallocgcSmallScanNoHeaderSC5").as_deref(), Some("runtime.mallocgc*"));
        assert_eq!(is("runtime.mapclear"), None);
        assert_eq!(is("runtime.lockOSThread"), None);
        assert_eq!(is("main.mapassign"), None);
    }

    #[test]
    fn the_instances_of_a_generic_function_have_one_name() {
        for types in ["go.shape.int", "...", "go.shape.struct { a [2]int }, main.T[go.shape.int]"] {
            assert_eq!(is(&format!("example.org/x.F[{types}]")).as_deref(), Some("example.org/x.F[…]"), "{types}");
        }
        assert_eq!(is("main.(*T[go.shape.int]).M.func1").as_deref(), Some("main.(*T[…]).M.func1"));
        assert_eq!(is("main.F"), None);
        assert_eq!(is("std::vector<int>::operator[]"), None);
        assert_eq!(is("type:.eq.[2]string"), None);
        assert_eq!(is("[libc.so.6]"), None);
        assert_eq!(is("main.F[go.shape.int"), None);
        assert_eq!(is("main.F]x["), None);
    }
}
