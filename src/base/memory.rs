//! How much memory there is for this program: what the machine has, less if its control group or its limits say so.

use std::fs;
use std::path::Path;

/// The most memory that is used where nobody says otherwise, in bytes.
const MOST: u64 = 1_000_000_000;

/// The memory that is used where nobody says otherwise, in bytes: a quarter of what there is, 1 GB at most.
pub fn usual() -> u64 {
    limit().map_or(MOST, |all| (all / 4).min(MOST))
}

/// How much the program may come to, in bytes: the machine's memory, or less if a control group (cgroup, version 1 or 2)
/// or `ulimit -v` say so. Nothing where the system does not tell.
pub fn limit() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|s| kilobytes(&s, "MemTotal:"));
    let space = read("/proc/self/limits").and_then(|s| address_space(&s));
    let groups = read("/proc/self/cgroup").and_then(|s| {
        let number = |path: &Path| fs::read_to_string(path).ok()?.trim().parse().ok();
        control_groups(&s, &number)
    });
    [machine, space, groups].into_iter().flatten().min()
}

/// How much memory the program holds now, in bytes: what is resident, and its address space. Nothing where the system does
/// not tell.
pub fn held() -> Option<(u64, u64)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    Some((kilobytes(&status, "VmRSS:")?, kilobytes(&status, "VmSize:")?))
}

/// What a line such as `VmRSS:  1234 kB` says, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// How much the program may come to before it says that it needs more, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    resident: u64,
    /// The same of the address space.
    space: u64,
}

/// What a program needs beside what `--memory` is for: itself, its threads, what it prints.
const BESIDE: u64 = 64 << 20;

impl Most {
    /// Where the user gave so many bytes: half as much again, for what comes and goes, and 64 MiB for the program itself. In any
    /// case no more than seven eighths of what there is.
    pub fn of(given: Option<u64>) -> Most {
        let space = fs::read_to_string("/proc/self/limits").ok().and_then(|s| address_space(&s));
        Most::where_there_are(given, limit(), space)
    }

    /// The same where memory and the address space have these limits.
    fn where_there_are(given: Option<u64>, limit: Option<u64>, space: Option<u64>) -> Most {
        let all = |limit: Option<u64>| limit.map_or(u64::MAX, |l| l - l / 8);
        let given = given.map_or(u64::MAX, |m| (m.saturating_add(m / 2)).saturating_add(BESIDE));
        Most { resident: given.min(all(limit)), space: all(space) }
    }

    /// Whether half of it is in use, or would be with so many bytes `more`.
    pub fn half_exceeded(&self, more: u64) -> bool {
        let half = |n: u64, most: u64| n.saturating_add(more) > most / 2;
        held().is_some_and(|(resident, space)| half(resident, self.resident) || half(space, self.space))
    }

    /// Where `more` bytes than are held now are too many: how many are resident now. Nothing where they are not, or the system does
    /// not tell.
    pub fn exceeded(&self, more: u64) -> Option<u64> {
        self.exceeded_where(held()?, more)
    }

    /// The same where so much is resident, and the address space is so large.
    fn exceeded_where(&self, (resident, space): (u64, u64), more: u64) -> Option<u64> {
        let over = resident.saturating_add(more) > self.resident || space.saturating_add(more) > self.space;
        over.then_some(resident)
    }
}

/// The soft limit of the address space in `/proc/self/limits`.
fn address_space(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|l| l.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The smallest limit of the control groups in `/proc/self/cgroup` and of those around them. `number` reads a file that
/// holds a number; "max", which is none, stands for no limit.
fn control_groups(groups: &str, number: &dyn Fn(&Path) -> Option<u64>) -> Option<u64> {
    let of = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?.trim_start_matches('/'));
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            c if c.split(',').any(|c| c == "memory") => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => return None,
        };
        // In a container the path may be that outside, and the root is its own.
        Path::new(path).ancestors().filter_map(|a| number(&Path::new(root).join(a).join(file))).min()
    };
    groups.lines().filter_map(of).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_the_address_space_are_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max address space         500000000            unlimited            bytes     \n";
        assert_eq!(address_space(limits), Some(500_000_000));
        assert_eq!(address_space(&limits.replace("500000000", "unlimited")), None);
    }

    #[test]
    fn the_smallest_control_group_counts() {
        let number = |path: &Path| match path.to_str()? {
            "/sys/fs/cgroup/memory.max" => Some(900),
            "/sys/fs/cgroup/a/memory.max" => Some(500),
            "/sys/fs/cgroup/memory/memory.limit_in_bytes" => Some(800),
            "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes" => Some(u64::MAX),
            _ => None,
        };
        let of = |groups| control_groups(groups, &number);
        assert_eq!(of("0::/a/b\n"), Some(500), "the group around it");
        assert_eq!(of("0::/elsewhere\n"), Some(900), "the container's own root");
        assert_eq!(of("4:cpu,memory:/a/b\n3:cpu:/a\n"), Some(800));
        assert_eq!(of("4:memory:/a/b\n0::/a\n"), Some(500));
        assert_eq!(of("3:cpu:/\n"), None);
    }

    #[test]
    fn what_is_held_is_compared_with_what_is_allowed() {
        let most = Most { resident: 100, space: 1000 };
        assert_eq!(most.exceeded_where((60, 900), 40), None);
        assert_eq!(most.exceeded_where((60, 900), 41), Some(60), "more than may be resident");
        assert_eq!(most.exceeded_where((10, 990), 11), Some(10), "more than the address space");
        assert_eq!(most.exceeded_where((10, 10), u64::MAX), Some(10));
    }

    #[test]
    fn what_is_allowed_is_what_was_given_and_more_but_not_all_there_is() {
        let of = |given, limit, space| {
            let most = Most::where_there_are(given, limit, space);
            (most.resident, most.space)
        };
        assert_eq!(of(Some(100_000_000), None, None), (150_000_000 + BESIDE, u64::MAX));
        assert_eq!(of(Some(100_000_000), Some(160_000_000), Some(800)), (140_000_000, 700));
        assert_eq!(of(None, Some(800), None), (700, u64::MAX));
        assert_eq!(of(Some(u64::MAX), None, None), (u64::MAX, u64::MAX));
    }

    #[test]
    fn lines_of_kilobytes_are_read() {
        let status = "Name:\tx\nVmSize:\t  123456 kB\nVmRSS:\t    2 kB\nThreads:\t1\n";
        assert_eq!(
            ["VmRSS:", "VmSize:", "VmSwap:", "Threads:"].map(|name| kilobytes(status, name)),
            [Some(2048), Some(126_418_944), None, None]
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_tells_what_is_held() {
        let (resident, space) = held().unwrap();
        assert!(resident > 0 && space > resident);
        assert!(limit().is_some_and(|all| all > 0));
    }

    #[test]
    fn there_is_some_memory() {
        assert!((1..=MOST).contains(&usual()));
    }
}
