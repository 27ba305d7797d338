//! The view of GC and scheduler.

use super::*;

#[test]
fn the_runtime_view_has_the_numbers_of_the_commands_and_goes_to_the_worst() {
    let trace = fixture::trace();
    let (gc, sched) = (Collector::new((Time::MIN, Time::MAX)), Scheduler::new((Time::MIN, Time::MAX)));
    assert!(trace.observe(&Both(&gc, &sched), &|_| {}, &AtomicBool::new(false)));
    let (gc, sched) = (gc.finish(&trace.index()), sched.finish(&trace.index()));
    let (mut d, screen) = after("7", 200, 50);
    for said in
        [report::gc::line(&gc), report::gc::mmu_line(&gc), report::sched::head(&sched, &trace.index())[1].clone()]
    {
        assert!(screen.contains(&said), "{said}\n{screen}");
    }
    // Enter on a cycle shows it on the timeline, and on a group its longest wait; Esc comes back.
    d.keys("<Enter>").unwrap();
    let first = &gc.cycles[0];
    let at = d.model.place();
    assert_eq!((at.view, at.at, at.go), (ViewId::Timeline, first.from, first.trigger));
    d.keys("<Esc>").unwrap();
    assert_eq!(d.model.place().view, ViewId::Runtime);
    d.keys("Gj<Enter>").unwrap();
    let (at, longest) = (d.model.place(), sched.groups[0].all.longest);
    assert_eq!((at.view, at.at, at.go), (ViewId::Timeline, longest.from, longest.go));
    // What is selected is all that it is of.
    let (d, screen) = after("7Gji", 120, 40);
    assert_eq!(d.model.place().group(), Some(sched.groups[0].group), "{screen}");
}
