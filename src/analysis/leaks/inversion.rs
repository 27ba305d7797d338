//! Locks that are likely taken in different orders, by one dump: goroutines that wait for one lock each, and have the other's
//! in hand.
//!
//! A dump says which lock a goroutine waits for, by its address, and never who holds one. What it does show is what the
//! callers of the one who waits were given: a pointer to an object holds the lock that is a field of it. So a circle of locks
//! of which each is waited for by someone who has the next in hand is likely one of holders, and not certain.

use crate::analysis::waits::knots::strong;
use crate::base::text;
use crate::model::dict::{shown_func, shown_line};
use crate::profile::dump::{Dump, Frame, Goroutine};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// A lock in an object lies no farther from its beginning than this, in bytes.
const OBJECT: u64 = 4096;
/// Most locks of a dump that are looked at: quadratic in them.
const MOST: usize = 1000;

/// A goroutine that waits for a lock, and has another one in hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waits {
    /// Its number.
    pub id: u64,
    /// The address of the lock that it waits for.
    pub lock: u64,
    /// The line at which it does.
    pub at: Frame,
    /// The address of the lock that it has in hand.
    pub has: u64,
}

/// Locks that are likely taken in different orders: each is waited for by a goroutine that has the next in hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inversion {
    /// The goroutines, in the order of the circle: of each the lock that it has is that which the one before waits for.
    pub waits: Vec<Waits>,
    /// The numbers of those that were not blocked on a lock when the trace beside ended.
    pub went_on: Vec<u64>,
}

impl Inversion {
    /// Takes in what a trace says of the goroutines: whether one was blocked on a lock when it ended, nothing if it is not
    /// known there.
    pub fn beside(&mut self, blocked: impl Fn(u64) -> Option<bool>) {
        self.went_on = self.waits.iter().map(|w| w.id).filter(|id| blocked(*id) == Some(false)).collect();
    }

    /// What is seen, a sentence for each goroutine and one of what it means, safe to show.
    pub fn says(&self) -> Vec<String> {
        let one = |w: &Waits| {
            format!(
                "G{} waits for lock {:#x} at {} in {}, and its callers were given the object of lock {:#x}",
                w.id,
                w.lock,
                shown_line(&w.at.file, w.at.line),
                shown_func(&w.at.func),
                w.has
            )
        };
        let mut out: Vec<String> = self.waits.iter().map(one).collect();
        let names: Vec<String> = self.went_on.iter().map(|id| format!("G{id}")).collect();
        out.push(match names.len() {
            0 => format!(
                "lock-order inversion: likely, if {} still wait in a later dump; who holds a lock, no dump says",
                text::count(self.waits.len() as u64)
            ),
            n => format!(
                "by the dump alone it may be a lock-order inversion; {} {} not blocked on a lock when the trace ended: what \
                 waited before that has gone on",
                names.join(", "),
                if n == 1 { "was" } else { "were" }
            ),
        });
        out
    }
}

/// Circles of locks in a dump, those with the smallest addresses first.
pub fn inversions(d: &Dump) -> Vec<Inversion> {
    let mut by: BTreeMap<u64, Vec<&Goroutine>> = BTreeMap::new();
    for g in &d.goroutines {
        if let Some(b) = d.blocked(g) {
            by.entry(b.lock).or_default().push(g);
        }
    }
    if by.len() > MOST {
        return Vec::new();
    }
    let locks: Vec<u64> = by.keys().copied().collect();
    let given = by.values().flatten().filter_map(|g| d.blocked(g));
    let objects: BTreeSet<u64> = given.flat_map(|b| b.args.iter().copied()).collect();
    // Who waits for a lock and has another one in hand that somebody waits for.
    let mut edges: Vec<BTreeMap<usize, Waits>> = vec![BTreeMap::new(); locks.len()];
    for (i, all) in by.values().enumerate() {
        for g in all {
            for other in in_hand(d, g, &locks, &objects) {
                if let Some(at) = at(d, g).filter(|_| other != i) {
                    let waits = Waits { id: g.id, lock: locks[i], at: at.clone(), has: locks[other] };
                    edges[i].entry(other).or_insert(waits);
                }
            }
        }
    }
    let next: Vec<Vec<usize>> = edges.iter().map(|e| e.keys().copied().collect()).collect();
    let mut out: Vec<Inversion> =
        strong(&next).iter().filter(|c| c.len() > 1).filter_map(|c| circle(c, &edges)).collect();
    out.sort_by_key(|i| i.waits.first().map(|w| w.lock));
    out
}

/// A circle through the least lock of some that are connected, the shortest.
fn circle(of: &[usize], edges: &[BTreeMap<usize, Waits>]) -> Option<Inversion> {
    let start = *of.iter().min()?;
    // By lock, the one from which it was reached first.
    let mut from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(i) = queue.pop_front() {
        for &n in edges[i].keys().filter(|n| of.contains(n)) {
            if n == start {
                let mut path = vec![start, i];
                while let Some(&before) = path.last().and_then(|l| from.get(l)) {
                    path.push(before);
                }
                path.reverse();
                let waits: Option<Vec<Waits>> = path.windows(2).map(|w| edges[w[0]].get(&w[1]).cloned()).collect();
                return waits.map(|waits| Inversion { waits, went_on: Vec::new() });
            }
            if n != start && !from.contains_key(&n) {
                from.insert(n, i);
                queue.push_back(n);
            }
        }
    }
    None
}

/// The locks, by their positions, of which a goroutine's callers were given the object: the first behind its beginning, unless
/// another object begins in between.
fn in_hand(d: &Dump, g: &Goroutine, locks: &[u64], objects: &BTreeSet<u64>) -> Vec<usize> {
    let Some(b) = d.blocked(g) else { return Vec::new() };
    let lock = |&arg: &u64| {
        let first = locks.partition_point(|&l| l < arg);
        let near = locks.get(first).filter(|&&l| l - arg < OBJECT)?;
        let between = objects.range((Bound::Excluded(arg), Bound::Unbounded)).next();
        (between.is_none_or(|o| o > near) || arg == *near).then_some(first)
    };
    b.args.iter().filter_map(lock).collect()
}

/// The line of the user's that waits for the lock: the first call above those of package sync.
fn at<'a>(d: &'a Dump, g: &Goroutine) -> Option<&'a Frame> {
    let internal = |f: &str| ["runtime.", "sync.", "internal/sync."].iter().any(|p| f.starts_with(p));
    d.stack(g).find(|f| !internal(&f.func))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::dump;

    /// A goroutine that waits for a lock in `main.transfer`, which was given two accounts.
    fn transfer(id: u64, lock: &str, given: &str) -> String {
        format!(
            "goroutine {id} [sync.Mutex.Lock, 2 minutes]:\n\
             internal/sync.runtime_SemacquireMutex(0x0?, 0x0?, 0x0?)\n\t/go/sema.go:95 +0x25\n\
             internal/sync.(*Mutex).lockSlow({lock})\n\t/go/mutex.go:149 +0x15d\n\
             internal/sync.(*Mutex).Lock(...)\n\t/go/mutex.go:70\n\
             sync.(*Mutex).Lock(...)\n\t/go/mutex.go:46\n\
             main.transfer({given})\n\t/app/bank.go:{} +0x9c\n\
             created by main.main in goroutine 1\n\t/app/main.go:9 +0x5e\n\n",
            10 + id
        )
    }

    fn of(text: &str) -> Vec<Inversion> {
        let told = dump::read(text.as_bytes());
        assert_eq!(told.dumps.len(), 1);
        inversions(&told.dumps[0])
    }

    #[test]
    fn two_that_wait_for_what_the_other_has_in_hand_are_a_circle() {
        // The lock is a field of the account, eight bytes behind its beginning.
        let (a, b) = ("0xc000014008", "0xc000026008");
        let text = transfer(7, b, "0xc000014000, 0xc000026000?") + &transfer(8, a, "0xc000026000, 0xc000014000?");
        let found = of(&text);
        assert_eq!(found.len(), 1, "{found:#?}");
        let seen: Vec<_> = found[0].waits.iter().map(|w| (w.id, w.lock, w.at.line, w.has)).collect();
        assert_eq!(seen, [(8, 0xc000014008, 18, 0xc000026008), (7, 0xc000026008, 17, 0xc000014008)]);
        let says = found[0].says();
        assert!(
            says[0].starts_with("G8 waits for lock 0xc000014008 at ") && says[0].contains("bank.go:18"),
            "{says:#?}"
        );
        assert!(says[2].starts_with("lock-order inversion: likely"), "{says:#?}");
    }

    #[test]
    fn what_a_trace_shows_to_have_gone_on_is_not_called_likely() {
        let (a, b) = ("0xc000014008", "0xc000026008");
        let text = transfer(7, b, "0xc000014000, 0xc000026000") + &transfer(8, a, "0xc000026000, 0xc000014000");
        let mut found = of(&text);
        found[0].beside(|id| (id == 7).then_some(true));
        assert!(found[0].says()[2].starts_with("lock-order inversion: likely"), "{:?}", found[0].says());
        found[0].beside(|id| Some(id == 7));
        assert_eq!(found[0].went_on, [8]);
        assert!(found[0].says()[2].starts_with("by the dump alone"), "{:?}", found[0].says());
    }

    #[test]
    fn three_in_a_circle_are_one() {
        let text = transfer(1, "0xc000100000", "0xc000300000")
            + &transfer(2, "0xc000200000", "0xc000100000")
            + &transfer(3, "0xc000300000", "0xc000200000");
        let found = of(&text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].waits.iter().map(|w| w.id).collect::<Vec<_>>(), [1, 3, 2]);
    }

    #[test]
    fn a_queue_at_one_lock_is_none() {
        // All wait for one lock, one of them with another lock's object in hand for which nobody waits.
        let a = "0xc000014008";
        let text = transfer(7, a, "0xc000014000, 0xc000026000") + &transfer(8, a, "0xc000014000, 0xc000026000");
        assert_eq!(of(&text), []);
        // One waits for the other, which waits for something else.
        let text =
            transfer(7, a, "0xc000014000, 0xc000026000") + &transfer(8, "0xc000026008", "0xc000026000, 0xc000099000");
        assert_eq!(of(&text), []);
        // What lies between the pointer and the lock is another object: the first one's lock is not waited for.
        let text =
            transfer(7, "0xc000014008", "0xc000014010") + &transfer(8, "0xc000014028", "0xc000014020, 0xc000014000");
        assert_eq!(of(&text), []);
    }

    #[test]
    fn hostile_addresses_are_none() {
        let text = transfer(7, "0xffffffffffffffff", "0xfffffffffffffff0, 0xffffffffffffffffffff, 0x, 0x??")
            + &transfer(8, "0x1", "0xffffffffffffffff");
        assert_eq!(of(&text), []);
    }
}
