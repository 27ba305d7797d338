//! Requests of one handler of which a few take very much longer than most, told without a word of the program's.

use super::spans::uneven;
use crate::analysis::findings::slow::{Spans, What};
use crate::analysis::findings::thresholds::Levels;
use crate::analysis::findings::{Facts, Rule, Verdict};
use crate::base::{Duration, text};

pub(super) const RULE: Rule = Rule {
    name: "slow-requests",
    title: "SLOW REQUESTS",
    measures: "p99 over p50 of the times that requests spend in one handler, from twenty requests and a p99 of 30 ms on",
    look,
};

/// Below this, a busy machine makes as much of a difference: whoever sleeps for a moment may wait for a CPU for 20 ms.
const NOTICED: Duration = Duration(30_000_000);

fn look(f: &Facts, levels: &Levels) -> Verdict {
    let served = |s: &Spans| s.what == What::Request;
    let (mut handlers, mut requests) = (0, 0);
    for s in f.more.spans.iter().filter(|s| served(s)) {
        (handlers, requests) = (handlers + 1, requests + s.count);
    }
    if handlers == 0 {
        return Verdict::CannotTell("requests: none in this trace that the rules know (gotrail spans)".into());
    }
    let found = uneven(f, levels, &RULE, NOTICED, &served);
    match found.is_empty() {
        true => Verdict::Fine(format!(
            "requests: {} of {handlers} handlers, none with few that are very much slower",
            text::count(requests)
        )),
        false => Verdict::Found(found),
    }
}
