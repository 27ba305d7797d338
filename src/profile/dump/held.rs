//! What a traceback says of a lock that a goroutine waits for, and of what its callers have in hand.

/// Most addresses that are kept of one goroutine's callers.
const MOST: usize = 64;
/// Smaller values are no addresses.
const LEAST: u64 = 1 << 16;

/// The functions of package sync, and what they call, that wait for a lock whose address is their first argument.
const LOCKS: [&str; 7] = [
    "internal/sync.(*Mutex).lockSlow",
    "internal/sync.(*Mutex).Lock",
    "sync.(*Mutex).lockSlow",
    "sync.(*Mutex).Lock",
    "sync.(*RWMutex).Lock",
    "sync.(*RWMutex).RLock",
    "sync.(*RWMutex).rlockSlow",
];

/// The lock that a goroutine waits for, by its stack.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Blocked {
    /// The lock's address.
    pub lock: u64,
    /// Arguments of the functions above the call of the lock, the callee's first: what the traceback prints in hexadecimal and
    /// may be an address. At most a few dozen.
    pub args: Vec<u64>,
}

/// Takes the calls of one stack, the leaf first.
#[derive(Default)]
pub(super) struct Scan {
    found: Option<Blocked>,
}

impl Scan {
    /// A call as the traceback prints it, `main.f(0x1, {0x2, 0x3?})`, of this function.
    pub(super) fn call(&mut self, func: &str, line: &str) {
        let mut args = line.get(func.len()..).map_or("", |rest| rest).split(['(', ')', '{', '}', ',', ' ']);
        if LOCKS.contains(&func) {
            // Of an inlined call nothing is printed: then that which it calls tells.
            let lock = args.find_map(address);
            if let Some(lock) = lock {
                self.found.get_or_insert_default().lock = lock;
            }
        } else if let Some(b) = &mut self.found {
            let room = MOST.saturating_sub(b.args.len());
            b.args.extend(args.filter_map(address).filter(|&a| a != b.lock).take(room));
        }
    }

    /// What it came to. The stack ends here.
    pub(super) fn end(&mut self) -> Option<Blocked> {
        self.found.take().filter(|b| b.lock != 0)
    }
}

/// `0xc000012080`, and with a `?` behind it, where the runtime is not sure that it is up to date.
fn address(word: &str) -> Option<u64> {
    let digits = word.strip_prefix("0x")?.trim_end_matches('?');
    u64::from_str_radix(digits, 16).ok().filter(|&a| a >= LEAST)
}
