//! What maps allocate as they grow: the exact sizes, from the sources of the runtime (`internal/runtime/maps/table.go`,
//! `runtime/map.go`, `runtime/sizeclasses.go`), held against heap profiles of Go 1.19 to 1.27.
//!
//! A heap profile keeps the size of every object, so a map that grew has left a *ladder* there: one object for each size
//! that its table had on the way. The rungs are counted from 0, which is the first group (or bucket) of eight slots.

/// How a runtime lays maps out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// Buckets and overflow buckets: up to Go 1.23.
    Classic,
    /// Groups of slots with control words: from Go 1.24 on.
    Swiss,
}

/// What of a Go version matters here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Layout {
    /// How maps are laid out.
    pub family: Family,
    /// The minor version: 24 for Go 1.24.
    pub minor: u32,
}

impl Layout {
    /// That of a Go version, as it is by default.
    pub fn of(minor: u32) -> Layout {
        Layout { family: if minor >= 24 { Family::Swiss } else { Family::Classic }, minor }
    }

    /// How many rungs a ladder has at most.
    pub fn rungs(self) -> usize {
        match self.family {
            Family::Swiss => SWISS_RUNGS,
            Family::Classic => 24,
        }
    }

    /// The least and the most bytes of a group or bucket of eight slots that a ladder alone can tell. Keys and values are
    /// of 1 to 128 bytes, longer ones are kept apart; groups of slots below 4 bytes look like what else maps allocate.
    pub fn units(self) -> std::ops::RangeInclusive<u64> {
        match self.family {
            Family::Swiss => 8 + 8 * 4..=8 + 8 * 256,
            Family::Classic => 16 + 8 * 4..=16 + 8 * 256,
        }
    }

    /// Bytes of the object at rung `i`, as the profile states them, of a map whose group or bucket has `unit` bytes.
    pub fn rung(self, unit: Unit, i: usize) -> u64 {
        match self.family {
            Family::Swiss => self.object(unit.bytes << i.min(SWISS_RUNGS), unit.pointers),
            Family::Classic => self.buckets(unit, i),
        }
    }

    /// An array of 2^B buckets, from B = 4 on with some for overflow.
    fn buckets(self, unit: Unit, b: usize) -> u64 {
        let mut n = 1u64 << b.min(40);
        if b >= 4 {
            n += 1 << (b - 4).min(40);
            let bytes = unit.bytes * n;
            let whole = self.object(bytes, unit.pointers) - self.header(bytes, unit.pointers);
            n = whole / unit.bytes;
        }
        self.object(unit.bytes * n, unit.pointers)
    }

    /// What the allocator puts in front of an object with pointers.
    fn header(self, bytes: u64, pointers: bool) -> u64 {
        if self.minor >= 22 && pointers && (513..=32760).contains(&bytes) { 8 } else { 0 }
    }

    /// The size that a profile states for an object of so many bytes: its size class, or whole pages.
    pub fn object(self, bytes: u64, pointers: bool) -> u64 {
        let small = if self.minor >= 22 { 32768 - 8 } else { 32768 };
        if bytes > small {
            return bytes.div_ceil(PAGE).saturating_mul(PAGE);
        }
        let bytes = bytes + self.header(bytes, pointers);
        let class = CLASSES.partition_point(|&c| c < bytes);
        CLASSES.get(class).copied().unwrap_or(bytes)
    }

    /// The most keys that a map at rung `i` holds before it grows.
    pub fn holds(self, i: usize) -> u64 {
        match (self.family, i) {
            (_, 0) => 8,
            (Family::Swiss, i) => 7 << i.min(40),
            // Go 1.21 rounded its load factor of 6.5 down.
            (Family::Classic, i) if self.minor == 21 => 6 << i.min(40),
            (Family::Classic, i) => 13 << (i.min(40) - 1),
        }
    }

    /// The keys of maps that came to rung `i` and not beyond.
    pub fn keys_at(self, i: usize) -> (u64, u64) {
        (i.checked_sub(1).map_or(1, |below| self.holds(below) + 1), self.holds(i))
    }
}

/// The first group or bucket of a map: eight slots.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Unit {
    /// Its bytes.
    pub bytes: u64,
    /// Whether keys or values hold pointers, so that the GC scans them.
    pub pointers: bool,
}

/// Sizes of tables of a Swiss map: 1 to 128 groups. A table that is full then is split in two.
pub const SWISS_RUNGS: usize = 8;
/// The most keys of one table of a Swiss map.
pub const TABLE_KEYS: u64 = 896;
/// Bytes of a map's header.
pub const HEADER: u64 = 48;
/// Bytes of a Swiss map's description of a table.
pub const TABLE: u64 = 32;
/// Bytes of the first directory of a Swiss map's tables.
pub const DIRECTORY: u64 = 8;

const PAGE: u64 = 8192;

/// The allocator's size classes (5120 is none).
const CLASSES: [u64; 67] = [
    8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448, 480,
    512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688, 3072, 3200, 3456, 4096, 4864,
    5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728, 10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072, 20480,
    21760, 24576, 27264, 28672, 32768,
];

/// The tables that a Swiss map of `keys` keys has come to: how many on average, and the standard deviation.
///
/// The first table is split when it has more than [`TABLE_KEYS`]. From then on keys fall into tables by their hash, so a
/// table at depth d, which has 1/2^d of them, is split with the probability that a Poisson variable of mean keys/2^d
/// exceeds that.
pub fn tables(keys: u64) -> (f64, f64) {
    if keys <= TABLE_KEYS {
        return (1.0, 0.0);
    }
    let (mut mean, mut variance) = (2.0, 0.0);
    for depth in 1..48 {
        let tables = (1u64 << depth) as f64;
        let p = over_full(keys as f64 / tables);
        if p < 1e-12 {
            break;
        }
        mean += tables * p;
        variance += tables * p * (1.0 - p);
    }
    (mean, variance.sqrt())
}

/// The probability that a Poisson variable of this mean exceeds [`TABLE_KEYS`].
fn over_full(mean: f64) -> f64 {
    if mean < 600.0 {
        return 0.0;
    }
    if mean > 1300.0 {
        return 1.0;
    }
    // The terms from the limit on to the side that the mean is not on, each from the one before: they only become smaller.
    let limit = TABLE_KEYS as f64;
    let at_limit = (limit * mean.ln() - mean - log_factorial(TABLE_KEYS)).exp();
    let (mut sum, mut term, mut k) = (0.0, at_limit, limit);
    if mean > limit {
        while k >= 0.0 && term > 1e-18 {
            sum += term;
            term *= k / mean;
            k -= 1.0;
        }
        return (1.0 - sum).clamp(0.0, 1.0);
    }
    loop {
        k += 1.0;
        term *= mean / k;
        sum += term;
        if term < 1e-18 {
            return sum.min(1.0);
        }
    }
}

fn log_factorial(n: u64) -> f64 {
    (2..=n).map(|k| (k as f64).ln()).sum()
}

/// The keys of Swiss maps that have come to between `least` and `most` tables: a bracket that leaves two standard
/// deviations for how keys fall.
pub fn keys_of_tables(least: f64, most: f64) -> (u64, u64) {
    const LARGEST: u64 = 1 << 40;
    let search = |test: &dyn Fn(u64) -> bool| {
        let (mut low, mut high) = (TABLE_KEYS + 1, LARGEST);
        while low < high {
            let middle = low + (high - low) / 2;
            if test(middle) { high = middle } else { low = middle + 1 }
        }
        low
    };
    let low = search(&|n| {
        let (mean, deviation) = tables(n);
        mean + 2.0 * deviation >= least
    });
    let high = search(&|n| {
        let (mean, deviation) = tables(n);
        mean - 2.0 * deviation > most
    });
    (low, high.saturating_sub(1).max(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWISS: Layout = Layout { family: Family::Swiss, minor: 27 };

    fn rungs(l: Layout, bytes: u64, pointers: bool, n: usize) -> Vec<u64> {
        (0..n).map(|i| l.rung(Unit { bytes, pointers }, i)).collect()
    }

    #[test]
    fn ladders_are_those_of_real_profiles() {
        // map[string]int and map[int64]struct{}, as recorded.
        assert_eq!(rungs(SWISS, 200, true, 8), [208, 416, 896, 1792, 3456, 6528, 13568, 27264]);
        assert_eq!(rungs(SWISS, 136, false, 8), [144, 288, 576, 1152, 2304, 4864, 9472, 18432]);
        let classic = Layout::of(23);
        assert_eq!(rungs(classic, 208, true, 7), [208, 416, 896, 1792, 4096, 8192, 14336]);
        assert_eq!(rungs(classic, 80, false, 5), [80, 160, 320, 640, 1408]);
        assert_eq!(SWISS.object(32769, false), 40960);
        assert_eq!(Layout::of(21).object(32768, true), 32768);
    }

    #[test]
    fn brackets_meet_without_a_gap() {
        for minor in [19, 21, 23, 27] {
            let l = Layout::of(minor);
            for i in 1..l.rungs() {
                assert_eq!(l.keys_at(i).0, l.keys_at(i - 1).1 + 1, "{minor} {i}");
            }
        }
        assert_eq!(SWISS.keys_at(7), (449, 896));
        assert_eq!(Layout::of(23).keys_at(2), (14, 26));
        assert_eq!(Layout::of(21).keys_at(2), (13, 24));
    }

    #[test]
    fn a_map_of_as_many_keys_lies_in_the_bracket_of_its_tables() {
        for keys in [897u64, 1000, 2300, 33_000, 210_000, 1_100_000, 30_000_000] {
            let (mean, deviation) = tables(keys);
            let (low, high) = keys_of_tables(mean - deviation, mean + deviation);
            assert!(low <= keys && keys <= high, "{keys} is not in {low}..{high}");
            assert!(high < keys * 3 && low * 3 > keys, "{keys} in {low}..{high} says little");
        }
        assert_eq!((tables(896), tables(897)), ((1.0, 0.0), (2.0, 0.0)));
    }
}
