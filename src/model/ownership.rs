//! Whose code a function is, whose a goroutine, and which frame of a stack is the user's. The one place that decides it:
//! views, queries and reports all hide, dim, and name lines by what is found here. It is decided by names, once for each
//! function ([`Dict::owner`](super::Dict::owner)) and once for each group of goroutines ([`Group::owner`](super::Group)).

/// Whose code a function is, or whose a goroutine. Those with the larger value stand nearer to the user.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Owner {
    /// The runtime's. Of functions also that of its closest kin: `internal/…`, `sync`, and what the compiler makes.
    Runtime,
    /// That of another package of the standard library, or of one that stands beside it.
    Library,
    /// Nobody knows: the trace does not name it. Never hidden: it may well be the user's.
    #[default]
    Unknown,
    /// The program's.
    User,
}

/// The first elements of the import paths of the standard library's packages, but for those that count as the runtime's.
/// No path of a module that can be fetched begins so: those have a dot in their first element.
const STANDARD: &[&str] = &[
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

/// What the names of functions have in them that cgo makes: `main._Cfunc_compress`.
const CGO: &[&str] = &["._Cfunc_", "._C2func_", "._cgo_"];

/// Whether cgo made a function, to call one of C.
pub fn is_cgo(func: &str) -> bool {
    CGO.iter().any(|made| func.contains(made))
}

/// The start function of the goroutine in which `iter.Pull` runs an iterator.
const ITERATOR: &str = "runtime.corostart";

/// Whether a function is one that the runtime puts below a goroutine's own. CPU samples and profiles have it, and the other
/// stacks of a trace do not.
pub fn is_below_all(func: &str) -> bool {
    matches!(func, "runtime.goexit" | "runtime.main")
}

/// Whether goroutines of this start function are iterators, run as coroutines: they are the user's code.
pub fn is_iterator(entry: &str) -> bool {
    entry == ITERATOR
}

/// Whether a function belongs to the runtime and its closest kin, as `traceoracle` understands it.
pub fn is_runtime(func: &str) -> bool {
    is_runtimes_package(func) || func.starts_with("internal/") || func.starts_with("sync.")
}

/// Whether a function is of package `runtime` or one below it.
fn is_runtimes_package(func: &str) -> bool {
    func.starts_with("runtime.") || func.starts_with("runtime/")
}

/// Whether a goroutine of this start function marks for the GC.
pub fn is_mark_worker(entry: &str) -> bool {
    entry == "runtime.gcBgMarkWorker"
}

/// Whether a function runs a whole collection for its caller.
pub fn is_collection(func: &str) -> bool {
    matches!(func, "runtime.GC" | "runtime/debug.FreeOSMemory" | "runtime/debug.freeOSMemory")
}

/// Whether a function is the runtime itself: packages `runtime` and `internal/runtime/…`, not those around them.
pub fn is_core(func: &str) -> bool {
    func.starts_with("runtime.") || func.starts_with("internal/runtime/")
}

/// Whether a function is the runtime's or a library's.
pub fn is_library(func: &str) -> bool {
    matches!(Owner::of(func), Owner::Runtime | Owner::Library)
}

/// Whether Go's own reader counts a goroutine of this start function, or one of which no stack is known, as the
/// runtime's: it does not close their regions when they end. For the facts that are held against that reader's alone;
/// everything else asks [`Owner::of_goroutine`].
pub fn is_system_to_go(entry: &str) -> bool {
    entry.is_empty() || entry != "runtime.main" && entry.starts_with("runtime.")
}

/// Where the standard library's sources were when a program was built, told by one of its functions, by name and file.
pub fn goroot<'a>(func: &str, file: &'a str) -> Option<&'a str> {
    let end = file.rfind("/src/runtime/").filter(|_| func.starts_with("runtime."))? + "/src/".len();
    file.get(..end)
}

/// Whether a function is of the main module: the user's, and in no module that the build fetched or keeps a copy of.
/// Names and paths tell; `goroot` is where the standard library's sources are, if paths were not trimmed.
pub fn is_main_module(func: &str, file: &str, goroot: Option<&str>) -> bool {
    let fetched = || file.contains("/pkg/mod/") || file.contains("@v") || file.contains("/vendor/");
    let main = func.starts_with("main.") || func.starts_with("main/");
    main || Owner::of(func) == Owner::User && !fetched() && !goroot.is_some_and(|root| file.starts_with(root))
}

/// Whether a function of the standard library is a test of it, whose author is who looks at the trace: `go test -trace`
/// records those. All that is in a package of its own (`net/http_test.f`), and tests beside the code (`net/http.TestX`);
/// what is there for tests to call (`testing/fstest.TestFS`) is none.
fn is_test_of_library(head: &str) -> bool {
    let start = head.rfind('/').map_or(0, |slash| slash + 1);
    let Some((package, name)) = head[start..].split_once('.') else { return false };
    let is_test =
        |kind: &str| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with(|c: char| !c.is_lowercase()));
    package.ends_with("_test")
        || !head.starts_with("testing") && ["Test", "Benchmark", "Fuzz"].iter().any(|k| is_test(k))
}

impl Owner {
    /// Whose code the function of this name is.
    pub fn of(func: &str) -> Owner {
        // A type argument may hold slashes and dots of its own.
        let head = func.split('[').next().unwrap_or_default();
        let first = head.split(['/', '.']).next().unwrap_or_default();
        match func {
            "" => Owner::Unknown,
            _ if is_runtime(func) => Owner::Runtime,
            // What the compiler wraps.
            _ if func.starts_with("_.") => Owner::Runtime,
            // What cgo makes for each C function that is called: the call itself stands in the function above.
            _ if is_cgo(func) => Owner::Library,
            // What stands in no package: assembly, C. And what the compiler makes for a type.
            _ if !func.contains('.')
                || func.starts_with("type:")
                || func.starts_with("type..")
                || func.starts_with("go:") =>
            {
                Owner::Library
            }
            // A first element with a dot is a module's: `time.example/x.F`.
            _ if head[first.len()..].starts_with('.') && head.contains('/') => match func {
                _ if func.starts_with("golang.org/x/") => Owner::Library,
                _ => Owner::User,
            },
            _ if STANDARD.contains(&first) && !is_test_of_library(head) => Owner::Library,
            _ => Owner::User,
        }
    }

    /// Whose a goroutine is that starts in the function of this name, and all that start there. What a package of the
    /// standard library starts on a program's behalf (`sync.(*WaitGroup).Go.func1`, `net/http.(*conn).serve`) is not the
    /// runtime's.
    pub fn of_goroutine(entry: &str) -> Owner {
        match Owner::of(entry) {
            _ if entry == "runtime.main" || is_iterator(entry) => Owner::User,
            Owner::Runtime if !is_runtimes_package(entry) && !is_core(entry) => Owner::Library,
            owner => owner,
        }
    }

    /// Whether a goroutine of this owner is left out where only a program's own are shown.
    pub fn is_hidden(self) -> bool {
        self == Owner::Runtime
    }
}

/// Which frames of a stack are one's own: those of the user's code. Of a goroutine that is a library's from end to end
/// they are those of the package in which it starts; if the runtime started it, all that are not the runtime's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Own<'a> {
    least: Owner,
    package: Option<&'a str>,
}

impl<'a> Own<'a> {
    /// Looks at a stack's functions, leaf first.
    pub fn of(frames: impl Iterator<Item = (Owner, &'a str)>) -> Own<'a> {
        let mut root = None;
        for f in frames {
            if f.0 == Owner::User {
                return Own { least: Owner::User, package: None };
            }
            root = Some(f);
        }
        let package = root.filter(|r| r.0 == Owner::Library).map(|r| package(r.1));
        Own { least: Owner::Library, package }
    }

    /// Whether a frame of that stack is one's own.
    pub fn has(&self, (code, func): (Owner, &str)) -> bool {
        code >= self.least && self.package.is_none_or(|p| package(func) == p)
    }
}

/// The package of a function with the dot behind it: `net/http.` of `net/http.(*conn).serve`.
fn package(func: &str) -> &str {
    // A type argument may hold slashes of its own.
    let head = &func[..func.find('[').unwrap_or(func.len())];
    let last = head.rfind('/').map_or(0, |i| i + 1);
    let dot = func[last..].find('.').map_or(func.len(), |i| last + i + 1);
    &func[..dot]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_told_from_users() {
        for library in ["sync.(*Mutex).Lock", "net/http.(*conn).serve", "golang.org/x/sync/errgroup.(*Group).Wait"] {
            assert!(is_library(library), "{library}");
        }
        for user in ["main.main", "paycore/payment.(*Core).Pay", "timely.Do", "network.Dial", "example.com/sync.Do"] {
            assert!(!is_library(user), "{user}");
        }
        for (func, owner) in [
            ("internal/poll.(*FD).Read", Owner::Runtime),
            ("runtime/pprof.profileWriter", Owner::Runtime),
            ("_.(*T).M", Owner::Runtime),
            ("", Owner::Unknown),
            ("malloc", Owner::Library),
            ("main._Cfunc_compress", Owner::Library),
            ("type:.eq.main.T", Owner::Library),
            ("type..hash.main.T", Owner::Library),
            ("encoding/json.Marshal", Owner::Library),
            ("slices.SortFunc[go.shape.*example.com/b.C]", Owner::Library),
            ("vendor/golang.org/x/net/http2/hpack.(*Decoder).Write", Owner::Library),
            ("net/http_test.handler.func1", Owner::User),
            ("net/http.TestServe.func2", Owner::User),
            ("testing/fstest.TestFS", Owner::Library),
            ("testing.tRunner", Owner::Library),
            ("crypto/tls.TestingOnlyKey", Owner::Library),
            ("time.example/x.Do", Owner::User),
            ("main.Do[sync/atomic.Int32]", Owner::User),
        ] {
            assert_eq!(Owner::of(func), owner, "{func}");
        }
    }

    #[test]
    fn goroutines_are_the_runtimes_only_where_the_runtime_starts_them() {
        for (entry, owner) in [
            ("runtime.bgsweep", Owner::Runtime),
            ("runtime/trace.Start.func1", Owner::Runtime),
            ("internal/runtime/maps.f", Owner::Runtime),
            ("runtime.main", Owner::User),
            ("runtime.corostart", Owner::User),
            ("main.main", Owner::User),
            ("sync.(*WaitGroup).Go.func1", Owner::Library),
            ("internal/singleflight.(*Group).doCall", Owner::Library),
            ("net/http.(*conn).serve", Owner::Library),
            ("", Owner::Unknown),
        ] {
            assert_eq!(Owner::of_goroutine(entry), owner, "{entry}");
            assert_eq!(Owner::of_goroutine(entry).is_hidden(), owner == Owner::Runtime, "{entry}");
        }
    }

    #[test]
    fn the_main_module_is_told_by_names_and_paths() {
        let root = goroot("runtime.main", "/usr/lib/go/src/runtime/proc.go");
        assert_eq!(root, Some("/usr/lib/go/src/"));
        assert_eq!(goroot("main.f", "/home/me/src/runtime/x.go"), None);
        assert!(is_main_module("main.main", "/home/me/x/main.go", root));
        assert!(is_main_module("paycore/payment.(*Core).Pay", "/home/me/paycore/payment/core.go", root));
        assert!(is_main_module("example.org/shop/log.Write", "example.org/shop/log/log.go", None));
        assert!(!is_main_module("sync.(*Mutex).Lock", "/usr/lib/go/src/sync/mutex.go", root));
        assert!(!is_main_module("encoding/json.Marshal", "encoding/json/encode.go", None));
        assert!(!is_main_module("github.com/x/y.F", "/home/me/go/pkg/mod/github.com/x/y@v1.2.0/f.go", root));
        assert!(!is_main_module("malloc", "malloc.c", root));
    }

    #[test]
    fn a_package_ends_at_the_dot_behind_its_last_slash() {
        assert_eq!(package("net/http.(*conn).serve"), "net/http.");
        assert_eq!(package("slices.SortFunc[go.shape.*a/b.C]"), "slices.");
        assert_eq!(package("gopkg.in/x.v1/y.F"), "gopkg.in/x.v1/y.");
    }
}
