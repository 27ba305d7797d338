//! What the machine has, as far as the system says it.

/// Bytes that a line of Linux's `/proc/meminfo` names, such as `MemTotal` or `MemAvailable`. `None` on other systems, and where
/// there is no `/proc`.
pub fn memory(line: &str) -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    bytes(&std::fs::read_to_string("/proc/meminfo").ok()?, line)
}

fn bytes(meminfo: &str, line: &str) -> Option<u64> {
    let value = meminfo.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':'))?;
    let kb: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kb.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_their_whole_name() {
        let text = "MemTotal:       16384 kB\nMemAvailableX:  1 kB\nMemAvailable:    8192 kB\nHuge:  7\n";
        assert_eq!(bytes(text, "MemTotal"), Some(16 << 20));
        assert_eq!(bytes(text, "MemAvailable"), Some(8 << 20));
        assert_eq!((bytes(text, "Mem"), bytes(text, "Huge"), bytes("", "MemTotal")), (None, None, None));
    }
}
