use super::*;
use crate::read::fixture;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::keymap::Keymap;
use crate::tui::app::nav::Row;
use crate::tui::snapshot::Driver;
use crate::tui::theme::{Background, ColorLevel, Theme};
use ratatui::layout::Size;

const SLOWEST_TASK: &str = "8<Enter>p<Enter>";

fn driver(keys: &str, width: u16, height: u16, level: ColorLevel, ascii: bool) -> Driver {
    let theme = Theme::new(level, Background::Dark, ascii);
    let mut d = Driver::new(fixture::trace(), "trace.out", theme, Keymap::default(), Size { width, height });
    d.keys(keys).unwrap();
    d
}

fn route_of(keys: &str) -> RouteRef {
    driver(keys, 120, 40, ColorLevel::True, false).model.place().route.clone().unwrap()
}

/// Windows of all kinds over a route: whole, its parts, beyond its ends, and down to single nanoseconds.
fn windows(r: &Route) -> Vec<Window> {
    let span = r.to - r.from;
    let mut out = Vec::new();
    for (a, b) in [(0, 64), (1, 9), (31, 33), (60, 64), (-8, 72), (63, 80), (-30, 1)] {
        for width in [1, 7, 80, 333] {
            let at = |k: i64| r.from + Duration(span.0 / 64 * k);
            out.push(Window { from: at(a), to: at(b), width });
        }
    }
    out.push(Window { from: r.from + Duration(1000), to: r.from + Duration(1080), width: 80 });
    out
}

#[test]
fn the_lane_of_a_path_has_all_its_time_and_each_cell_is_lit_in_some_goroutine() {
    let r = route_of(SLOWEST_TASK);
    for w in windows(&r) {
        let (strip, stretches) = r.lane(w);
        let sum: Duration = strip.cells.iter().map(|c| c.running + c.runnable + c.waiting + c.syscall).sum();
        let inside = (w.to.min(r.to) - w.from.max(r.from)).max(Duration::ZERO);
        assert_eq!(sum, inside, "{w:?}");
        let lit = r.lit(w);
        for s in &stretches {
            let cells = &lit[&s.go];
            assert!((s.from..s.to).all(|i| cells[i]), "{w:?} {s:?}");
        }
        let named: usize = stretches.iter().map(|s| s.to - s.from).sum();
        let touched = strip.cells.iter().filter(|c| (c.running + c.runnable + c.waiting + c.syscall).0 > 0).count();
        assert_eq!(named, touched, "{w:?}");
    }
}

#[test]
fn what_a_window_shows_is_kept_until_window_or_route_change() {
    let (r, o) = (route_of(SLOWEST_TASK), route_of("3jjjjjj<Enter>cj<Enter>"));
    let all = windows(&r);
    let mut kept = None;
    Sight::keep(&mut kept, Some(&r), all[1]);
    let first = Sight::of(&kept, &r, all[1]).unwrap().lane.0.cells.as_ptr();
    Sight::keep(&mut kept, Some(&r), all[1]);
    let same = Sight::of(&kept, &r, all[1]).unwrap();
    assert_eq!(same.lane.0.cells.as_ptr(), first);
    assert_eq!(
        (&same.lane.0.cells, &same.lit, &same.arrows),
        (&r.lane(all[1]).0.cells, &r.lit(all[1]), &r.arrows_in(all[1]))
    );
    // What is of another window or of another route is not shown for it.
    assert!(Sight::of(&kept, &r, all[2]).is_none() && Sight::of(&kept, &o, all[1]).is_none());
    Sight::keep(&mut kept, Some(&r), all[2]);
    assert_eq!(Sight::of(&kept, &r, all[2]).unwrap().lane.0.cells.len(), all[2].width);
    Sight::keep(&mut kept, Some(&o), all[2]);
    assert!(Sight::of(&kept, &o, all[2]).is_some());
    Sight::keep(&mut kept, None, all[2]);
    assert!(kept.is_none());
}

#[test]
fn an_arrow_stands_where_the_path_goes_from_one_goroutine_to_another() {
    let r = route_of(SLOWEST_TASK);
    assert!(r.arrows.len() >= 8, "{:?}", r.arrows);
    for a in &r.arrows {
        assert_eq!(r.at(a.at - Duration(1)), Some(a.from), "{a:?}");
        assert_eq!(r.at(a.at), Some(a.to), "{a:?}");
        assert!(r.lanes.contains(&a.from) && r.lanes.contains(&a.to));
    }
    for w in windows(&r) {
        let drawn = r.arrows_in(w);
        assert!(drawn.windows(2).all(|p| p[0].0 < p[1].0 || p[0].0 == p[1].0 && p[0].1.waited >= p[1].1.waited));
        assert!(drawn.iter().all(|(c, a)| *c < w.width && a.waited.0 >= 2 * w.cell_span().0));
    }
}

#[test]
fn a_chain_leads_from_the_waiter_to_who_kept_it_waiting() {
    let r = route_of("3jjjjjj<Enter>cj<Enter>");
    assert!(!r.has_path() && r.at(r.from).is_none());
    // From the one who waited down to the one whom nobody held up.
    let first = r.arrows.last().unwrap();
    assert_eq!((r.lanes[0], r.lanes[1]), (first.to, first.from));
    assert!(r.arrows.windows(2).all(|p| p[0].to == p[1].from), "{:?}", r.arrows);
}

#[test]
fn escape_leaves_a_route_and_so_does_going_to_a_goroutine_outside() {
    let mut d = driver(SLOWEST_TASK, 120, 40, ColorLevel::True, false);
    let inside = d.model.place().clone();
    assert_eq!(inside.view, ViewId::Timeline);
    d.keys("jj2").unwrap();
    assert_eq!(d.model.place().view, ViewId::Goroutines);
    d.keys("1").unwrap();
    assert_eq!(d.model.place().route, inside.route);
    d.keys("<Esc>").unwrap();
    assert_eq!((d.model.place().view, &d.model.place().route), (ViewId::Tasks, &None));
    // What was read there is open again, and goes away as it did before.
    let screen = |d: &Driver| crate::tui::snapshot::text(&d.screen(Size { width: 120, height: 40 }).0);
    assert!(screen(&d).contains("critical path · task payment"), "{}", screen(&d));
    d.keys("<Esc>").unwrap();
    assert!(!screen(&d).contains("critical path"));
    d.keys("[[").unwrap();
    assert_eq!(d.model.place().route, inside.route);
    // The last group is none of those whose goroutines take part.
    d.keys("2G<Enter>").unwrap();
    assert!(!inside.route.unwrap().lanes.contains(&d.model.place().go));
    d.keys("<Enter>").unwrap();
    assert_eq!((d.model.place().view, &d.model.place().route), (ViewId::Timeline, &None));
}

#[test]
fn a_lock_leads_to_its_longest_wait_and_shows_it_whole() {
    let mut d = driver("L<Enter>", 120, 40, ColorLevel::True, false);
    let here = d.model.place().clone();
    let (from, to) = here.zoom.unwrap();
    assert!(from < here.at && to - from < Duration(30_000_000), "{here:?}");
    assert!(here.go.is_some());
    d.keys("<Esc><Esc>").unwrap();
    assert_eq!((d.model.place().zoom, d.model.place().view), (None, ViewId::Timeline));
}

#[test]
fn history_has_the_locks_too_and_escape_comes_back_to_them_from_another_view() {
    let mut d = driver("L<Enter>", 120, 40, ColorLevel::True, false);
    let shows = |d: &Driver| {
        crate::tui::snapshot::text(&d.screen(Size { width: 120, height: 40 }).0).contains("locks and channels that")
    };
    assert!(!shows(&d));
    d.keys("[").unwrap();
    assert!(shows(&d));
    d.keys("]").unwrap();
    assert!(!shows(&d));
    d.keys("<Esc>").unwrap();
    assert!(shows(&d));
    d.keys("3<Esc>").unwrap();
    assert!(shows(&d));
}

#[test]
fn on_the_path_enter_goes_to_whoever_it_is_in() {
    let mut d = driver(SLOWEST_TASK, 120, 40, ColorLevel::True, false);
    d.keys("kllllllllll").unwrap();
    assert_eq!(d.model.place().row, Some(Row::Path));
    let here = d.model.place().clone();
    let who = here.route.as_ref().unwrap().at(here.at).unwrap();
    d.keys("<Enter>").unwrap();
    assert_eq!((d.model.place().go, d.model.place().at), (who, here.at));
    d.keys("<Esc>").unwrap();
    assert_eq!(d.model.place().row, Some(Row::Path));
}

#[test]
fn routes_look_as_they_did() {
    let drawn = crate::tui::tests::drawn;
    for (w, h) in [(80, 24), (160, 50)] {
        let d = driver(SLOWEST_TASK, w, h, ColorLevel::True, false);
        insta::assert_snapshot!(format!("path_{w}x{h}"), drawn(&d, w, h));
        let d = driver("3jjjjjj<Enter>c<Enter>", w, h, ColorLevel::Basic, false);
        insta::assert_snapshot!(format!("chain_{w}x{h}"), drawn(&d, w, h));
    }
    let d = driver(SLOWEST_TASK, 120, 30, ColorLevel::None, true);
    insta::assert_snapshot!("path_ascii", drawn(&d, 120, 30));
}
