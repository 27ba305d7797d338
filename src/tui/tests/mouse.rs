//! The mouse on the timeline.

use super::{driver, mouse};
use crate::base::Time;
use crate::tui::snapshot::Driver;
use crossterm::event::{MouseButton, MouseEventKind};

/// What the timeline shows from when to when.
fn shown(d: &Driver) -> (Time, Time) {
    let place = d.model.place();
    place.zoom.unwrap_or((Time::MIN, Time::MAX))
}

#[test]
fn the_wheel_and_a_double_click_zoom_at_the_pointer() {
    let mut d = driver(120, 40);
    d.keys("f").unwrap();
    let body = d.model.areas().body;
    let (x, y) = (body.x + 80, body.y + 6);
    d.send(mouse(MouseEventKind::ScrollUp, x, y));
    let (from, to) = shown(&d);
    assert!(from > Time::MIN && to < Time::MAX, "{from:?} {to:?}");
    d.send(mouse(MouseEventKind::ScrollUp, x, y));
    let closer = shown(&d);
    assert!(closer.0 >= from && closer.1 <= to && (closer.1 - closer.0).ns() * 2 <= (to - from).ns() + 2, "{closer:?}");
    d.send(mouse(MouseEventKind::ScrollDown, x, y));
    assert!((shown(&d).1 - shown(&d).0).ns() > (closer.1 - closer.0).ns());
    let before = shown(&d);
    for _ in 0..2 {
        d.send(mouse(MouseEventKind::Down(MouseButton::Left), x, y));
        d.send(mouse(MouseEventKind::Up(MouseButton::Left), x, y));
    }
    let zoomed = shown(&d);
    assert!((zoomed.1 - zoomed.0).ns() * 3 < (before.1 - before.0).ns(), "{before:?} {zoomed:?}");
    // Over the names the wheel scrolls, and what is shown stays.
    d.send(mouse(MouseEventKind::ScrollDown, body.x + 2, y));
    assert_eq!(shown(&d), zoomed);
}
