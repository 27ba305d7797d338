//! How many goroutines there were at each instant.

use crate::base::Time;
use crate::model::Index;

/// Up to so many goroutines each birth and each end is a step; of more the steps are put together to this number.
const STEPS: usize = 50_000;

/// How many goroutines there were from each instant on, in order of time: for a trace that has been read whole.
pub fn alive(index: &Index) -> Vec<(Time, u64)> {
    let mut changes: Vec<(Time, i64)> = Vec::with_capacity(index.goroutines.len() * 2);
    for g in &index.goroutines {
        changes.push((g.created().unwrap_or(index.start), 1));
        changes.extend(g.ended.or(g.gone()).map(|t| (t, -1)));
    }
    changes.sort_unstable();
    let together = changes.len().div_ceil(STEPS).max(1);
    let (mut out, mut now) = (Vec::new(), 0i64);
    for part in changes.chunks(together) {
        now += part.iter().map(|c| c.1).sum::<i64>();
        if let Some(&(t, _)) = part.last() {
            match out.last_mut() {
                Some(last @ &mut (at, _)) if at == t => *last = (t, now.max(0) as u64),
                _ => out.push((t, now.max(0) as u64)),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_with_those_that_have_not_ended_and_never_counts_more_than_there_are() {
        let trace = crate::read::fixture::trace();
        let index = trace.index();
        let all = alive(&index);
        let open = index.goroutines.iter().filter(|g| g.ended.or(g.gone()).is_none()).count() as u64;
        assert_eq!(all.last().unwrap().1, open);
        assert!(all.windows(2).all(|w| w[0].0 < w[1].0), "in order, each instant once");
        assert!(all.iter().all(|a| a.1 <= index.goroutines.len() as u64));
        // At the start there are those that were not created in the trace.
        let before = index.goroutines.iter().filter(|g| g.created().is_none_or(|t| t <= index.start)).count() as u64;
        assert!(all[0].0 > index.start || all[0].1 <= before);
    }
}
