//! Where source lines come from.

/// Source files by the path that a profile gives them.
pub trait Lines {
    /// The lines of a file.
    ///
    /// # Errors
    /// A message for the user.
    fn lines(&mut self, path: &str) -> Result<&[String], String>;
}

/// `path` without what is known to be in front of sources: the prefixes in `trim` (separated by colons) and Bazel's
/// sandbox; or, if there are none, everything up to the name of one of the directories in `search`.
pub fn trim_path<'a>(path: &'a str, trim: &str, search: &str) -> &'a str {
    if trim.is_empty() {
        for dir in search.split(':').filter(|_| !search.is_empty()) {
            let wanted = format!("/{}/", crate::profile::ops::graph::base_name(dir));
            if let Some(at) = path.find(&wanted) {
                return &path[at + wanted.len()..];
            }
        }
    }
    let configured = trim.split(':').filter(|_| !trim.is_empty());
    for prefix in configured.chain(["/proc/self/cwd/./", "/proc/self/cwd/"]) {
        let rest = path.strip_prefix(prefix.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
        if let Some(rest) = rest {
            return rest;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::trim_path;

    #[test]
    fn paths_are_trimmed_by_prefix_or_by_the_name_of_a_directory() {
        assert_eq!(trim_path("/build/app/main.go", "/build", ""), "app/main.go");
        assert_eq!(trim_path("/remote/app/cmd/main.go", "", "/home/me/app"), "cmd/main.go");
        assert_eq!(trim_path("/proc/self/cwd/./a.cc", "", ""), "a.cc");
        assert_eq!(trim_path("/proc/self/cwd/a.cc", "/x", ""), "a.cc");
        assert_eq!(trim_path("/builder/a.go", "/build", ""), "/builder/a.go");
    }
}
