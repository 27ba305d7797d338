//! Prints the longest waits that goroutines ended, and where: `cargo run --example longest_waits -- trace.out`.

use gotrail::{EndedBy, Frame, Trace};

fn main() -> Result<(), gotrail::Error> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "sample-traces/trace.out".into());
    let mut waits = Trace::read(path)?.waits()?;
    waits.retain(|wait| matches!(wait.ended_by, EndedBy::Goroutine(_)));
    waits.sort_by_key(|wait| std::cmp::Reverse(wait.max));
    let place = |f: &Option<Frame>| f.as_ref().map_or(String::new(), |f| format!("{}:{}", f.file, f.line));
    for wait in waits.iter().take(10) {
        println!("{:>8}  {} for {} at {}", wait.max, wait.waiter, wait.reason, place(&wait.at));
        println!("{:>8}  ended by {:?} {}", "", wait.ended_by, place(&wait.ended_at));
    }
    Ok(())
}
