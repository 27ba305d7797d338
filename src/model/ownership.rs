//! Whose code a function is, and which frame of a stack is the user's. The one place that decides it: views, queries and
//! reports all name the line that is found here.

/// Whose code a function is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Code {
    /// The runtime's, or that of its closest kin: `internal/…` and `sync`.
    Runtime,
    /// That of another package of the standard library, or of one that stands beside it.
    Library,
    /// The program's.
    User,
}

/// Packages besides the runtime's that stand between the user's code and the place where the runtime parks a goroutine,
/// as the beginnings of their functions' names.
const LIBRARIES: &[&str] = &[
    "sync/",
    "time.",
    "syscall.",
    "os.",
    "os/",
    "io.",
    "io/",
    "bufio.",
    "net.",
    "net/",
    "crypto/",
    "context.",
    "reflect.",
    "iter.",
    "vendor/",
    "database/sql.",
    "log.",
    "log/",
    "fmt.",
    "bytes.",
    "strings.",
    "encoding/",
    "compress/",
    "golang.org/x/",
    "slices.",
    "sort.",
    "maps.",
    "archive/",
    "cmp.",
    "container/",
    "database/sql/",
    "debug/",
    "embed.",
    "errors.",
    "expvar.",
    "flag.",
    "go/",
    "hash.",
    "hash/",
    "html.",
    "html/",
    "image.",
    "image/",
    "index/",
    "math.",
    "math/",
    "mime.",
    "mime/",
    "path.",
    "path/",
    "regexp.",
    "regexp/",
    "strconv.",
    "testing.",
    "testing/",
    "text/",
    "unicode.",
    "unicode/",
    "unique.",
];

/// Whether a function belongs to the runtime and its closest kin, as `traceoracle` understands it.
pub fn is_runtime(func: &str) -> bool {
    func.starts_with("runtime.")
        || func.starts_with("runtime/")
        || func.starts_with("internal/")
        || func.starts_with("sync.")
}

/// Whether a function is the runtime's or a library's.
pub fn is_library(func: &str) -> bool {
    Code::of(func) != Code::User
}

/// Whether a goroutine of this start function belongs to the runtime, as Go's viewer has it.
pub fn is_system(entry: &str) -> bool {
    entry.is_empty() || entry != "runtime.main" && entry.starts_with("runtime.")
}

impl Code {
    /// Whose code the function of this name is.
    pub fn of(func: &str) -> Code {
        match func {
            _ if is_runtime(func) => Code::Runtime,
            // What the compiler wraps, and what stands in no package: assembly, C.
            _ if func.starts_with("_.") => Code::Runtime,
            _ if !func.is_empty() && !func.contains('.') => Code::Library,
            _ if LIBRARIES.iter().any(|l| func.starts_with(l)) => Code::Library,
            _ => Code::User,
        }
    }
}

/// Which frames of a stack are one's own: those of the user's code. Of a goroutine that is a library's from end to end
/// they are those of the package in which it starts; if the runtime started it, all that are not the runtime's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Own<'a> {
    least: Code,
    package: Option<&'a str>,
}

impl<'a> Own<'a> {
    /// Looks at a stack's functions, leaf first.
    pub fn of(frames: impl Iterator<Item = (Code, &'a str)>) -> Own<'a> {
        let mut root = None;
        for f in frames {
            if f.0 == Code::User {
                return Own { least: Code::User, package: None };
            }
            root = Some(f);
        }
        let package = root.filter(|r| r.0 == Code::Library).map(|r| package(r.1));
        Own { least: Code::Library, package }
    }

    /// Whether a frame of that stack is one's own.
    pub fn has(&self, (code, func): (Code, &str)) -> bool {
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
        assert_eq!(Code::of("internal/poll.(*FD).Read"), Code::Runtime);
    }

    #[test]
    fn a_package_ends_at_the_dot_behind_its_last_slash() {
        assert_eq!(package("net/http.(*conn).serve"), "net/http.");
        assert_eq!(package("slices.SortFunc[go.shape.*a/b.C]"), "slices.");
        assert_eq!(package("gopkg.in/x.v1/y.F"), "gopkg.in/x.v1/y.");
    }
}
