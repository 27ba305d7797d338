use super::*;
use crate::model::segment::Kind;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-traces/");
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/");

fn sample(name: &str) -> String {
    format!("{SAMPLES}{name}")
}

#[test]
fn events_are_those_of_the_trace() {
    let trace = Trace::read(format!("{DATA}chain.trace")).unwrap();
    let events: Vec<Event<'_>> = trace.events().collect::<Result<_, _>>().unwrap();
    assert_eq!(events.len() as u64, trace.event_count());
    assert!(events.iter().enumerate().all(|(i, e)| e.number() == i as u64));
    assert!(events.windows(2).all(|w| w[0].time() <= w[1].time()));
    let unblocked = trace.search(&Query::parse("kind:GoUnblock").unwrap()).unwrap();
    let by_hand = events.iter().filter(|e| e.kind() == Kind::GoUnblock).map(Event::number);
    assert!(unblocked.iter().map(Event::number).eq(by_hand));
    assert!(!unblocked.is_empty());
    let logs = trace.search(&Query::parse("kind:log").unwrap()).unwrap();
    assert!(logs.iter().all(|e| matches!(e.detail(), Detail::Log { .. })));
}

#[test]
fn mistakes_are_errors_with_what_it_takes_to_mend_them() {
    let missing = Trace::read("no/such\x1b").unwrap_err();
    assert!(matches!(&missing, Error::Input { name, .. } if name == "no/such\x1b"), "{missing:?}");
    assert!(missing.to_string().starts_with("no/such\\x1b: no such file ("), "{missing}");
    assert!(matches!(Trace::read(sample("cpu.pb.gz")), Err(Error::NotATrace { .. })));
    assert!(matches!(Profile::read(sample("trace.out")), Err(Error::NotAProfile { .. })));
    let query = Query::parse("a dur>1s5x").unwrap_err();
    assert!(matches!(query, Error::Query { start: 9, end: 10, .. }), "{query:?}");
    let kind = Profile::read(sample("cpu.pb.gz")).unwrap().total("heap").unwrap_err();
    assert!(kind.to_string().contains("samples, cpu"), "{kind}");
    let future = Trace::from_bytes("x", b"go 1.99 trace\0\0\0".to_vec()).unwrap_err();
    assert!(matches!(future, Error::Trace { .. }), "{future:?}");
}

#[test]
fn what_was_lost_is_said() {
    let mut bytes = std::fs::read(format!("{DATA}chain.trace")).unwrap();
    assert!(Trace::from_bytes("whole", bytes.clone()).unwrap().losses().is_empty());
    bytes.truncate(bytes.len() - 40);
    assert!(!Trace::from_bytes("cut", bytes).unwrap().losses().is_empty());
}

#[test]
fn costs_of_lines_add_up() {
    let profile = Profile::read(sample("cpu.pb.gz")).unwrap();
    assert_eq!(profile.sample_types()[1].unit, "nanoseconds");
    let (total, lines) = (profile.total("").unwrap(), profile.lines("").unwrap());
    assert_eq!(lines.iter().map(|l| l.flat).sum::<i64>(), total);
    let functions = profile.functions("cpu").unwrap();
    assert_eq!(functions.iter().map(|f| f.flat).sum::<i64>(), total);
    assert!(functions.windows(2).all(|w| w[0].flat >= w[1].flat));
}
