//! Counts which goroutines unblocked others, and where: `cargo run --example count_wakeups -- trace.out`.

use gotrail::{Kind, Trace};
use std::collections::BTreeMap;

fn main() -> Result<(), gotrail::Error> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "sample-traces/trace.out".into());
    let mut wakeups = BTreeMap::new();
    for event in Trace::read(path)?.events() {
        let event = event?;
        if event.kind() == Kind::GoUnblock {
            let function = event.stack().into_iter().map(|frame| frame.function).next();
            *wakeups.entry(function.unwrap_or_else(|| "(no stack)".into())).or_insert(0) += 1;
        }
    }
    let mut wakeups: Vec<(String, u64)> = wakeups.into_iter().collect();
    wakeups.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (function, count) in wakeups.iter().take(10) {
        println!("{count:>8}  {function}");
    }
    Ok(())
}
