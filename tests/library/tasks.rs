//! Tasks and regions, against what the index counts while it is built.

use crate::common;

use gotrail::analysis::tasks::{Instance, Sum, What, list, sums};
use gotrail::analysis::waits::links::Options;
use gotrail::base::Duration;
use gotrail::model::totals::SpanTally;
use gotrail::read::Trace;

fn all(trace: &Trace) -> Vec<Sum> {
    sums(trace, Options::default(), None).unwrap()
}

#[test]
fn the_sums_are_those_that_the_index_keeps() {
    for bytes in [&include_bytes!("../data/annotations.trace")[..], include_bytes!("../data/annotations-go1.22.trace")]
    {
        let trace = common::load_bytes(bytes);
        let sums = all(&trace);
        let index = trace.index();
        assert!(sums.iter().any(|s| s.what == What::Task) && sums.iter().any(|s| s.what == What::Region));
        for (what, totals) in [(What::Task, &index.totals.tasks), (What::Region, &index.totals.regions)] {
            let ours: Vec<_> = sums.iter().filter(|s| s.what == what && s.name.is_some()).collect();
            let theirs = totals.iter().filter(|(n, _)| n.is_some());
            assert_eq!(ours.len(), theirs.count());
            for s in ours {
                let known = totals.get(&s.name).map(|t: &SpanTally| (t.count, t.complete, t.inside_ns()));
                let found = (s.count, s.count - s.open, s.total.ns());
                assert_eq!(Some(found), known, "{what:?} {}", index.dict.str(s.name));
            }
        }
    }
}

/// Go's own reader counts the background task, number 0, which is what regions without a task belong to: it is none.
#[test]
fn the_background_is_no_task() {
    let (mut tasks, mut without) = (0, 0);
    for minor in 22..=27 {
        let Some(file) = common::shared(&format!("corpus/traces/annotations-go1.{minor}.trace")) else { return };
        let trace = common::load(file);
        gotrail::analysis::tasks::each(&trace, Options::default(), None, &mut |i| match i.what {
            What::Task => {
                assert!(i.task != 0 && (i.name.is_some() || !i.began), "{i:?}");
                tasks += 1;
            }
            What::Region => without += u64::from(i.task == 0),
        })
        .unwrap();
        // Nor is there a row for it that has nothing in it.
        assert!(all(&trace).iter().all(|s| s.count > 0 && (s.what == What::Region || s.name.is_some())));
    }
    assert!(tasks > 0 && without > 0, "{tasks} tasks, {without} regions without one");
}

#[test]
fn the_longest_come_first_and_sum_to_the_whole() {
    let trace = common::load_bytes(include_bytes!("../data/annotations.trace"));
    for s in all(&trace) {
        let of = |limit| list(&trace, Options::default(), None, (s.what, s.name), limit).unwrap();
        let every = of(1000);
        assert_eq!(every.len() as u64, s.count);
        assert!(every.is_sorted_by(|a, b| a.len() >= b.len()));
        let whole: Duration = every.iter().map(Instance::len).sum();
        assert_eq!(whole, s.total);
        assert_eq!(of(1).first().map(Instance::len), every.first().map(Instance::len));
    }
}
