//! What of a profile is the program's own, told by names and paths.

use crate::profile::model::Profile;

/// Where the standard library's sources were when the program was built, from the path of one; `None` where paths were
/// trimmed.
pub(crate) fn goroot(p: &Profile) -> Option<&str> {
    let runtime = p.functions.iter().filter(|f| p.str(f.name).starts_with("runtime."));
    let root = |file: &'_ str| file.rfind("/src/runtime/").map(|at| at + "/src/".len());
    runtime.map(|f| p.str(f.file)).find_map(|file| root(file).and_then(|end| file.get(..end)))
}

/// The first elements of the standard library's packages.
const STD: &[&str] = &[
    "archive",
    "bufio",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "structs",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "unicode",
    "unique",
    "unsafe",
    "vendor",
    "weak",
];

/// Whether a function is of the main module: neither of the standard library nor of a module that the build fetched or
/// keeps a copy of. Profiles do not say so; names and paths do.
pub(crate) fn is_own(name: &str, file: &str, goroot: Option<&str>) -> bool {
    let package = name.split('/').next().unwrap_or("");
    let first = if package.len() < name.len() { package } else { name.split('.').next().unwrap_or("") };
    if first == "main" {
        return true;
    }
    if !name.contains('.') || name.starts_with("type:") || name.starts_with("go:") {
        return false;
    }
    let fetched = file.contains("/pkg/mod/") || file.contains("@v") || file.contains("/vendor/");
    let std = match goroot {
        Some(root) => file.starts_with(root) || first == "runtime",
        None => STD.contains(&first),
    };
    !fetched && !std
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_module_is_told_by_names_and_paths() {
        let root = Some("/usr/lib/go/src/");
        assert!(is_own("main.main", "/home/me/x/main.go", root));
        assert!(is_own("paycore/payment.(*Core).Pay", "/home/me/paycore/payment/core.go", root));
        assert!(is_own("example.org/shop/log.Write", "example.org/shop/log/log.go", None));
        assert!(!is_own("sync.(*Mutex).Lock", "/usr/lib/go/src/sync/mutex.go", root));
        assert!(!is_own("encoding/json.Marshal", "encoding/json/encode.go", None));
        assert!(!is_own("github.com/x/y.F", "/home/me/go/pkg/mod/github.com/x/y@v1.2.0/f.go", root));
        assert!(!is_own("malloc", "malloc.c", root));
    }
}
