//! The mouse: on the timeline, and in what lies over the views.

use super::{driver, mouse};
use crate::base::Time;
use crate::tui::app::catalog::ViewId;
use crate::tui::snapshot::{Driver, text};
use crossterm::event::{MouseButton, MouseEventKind};
use ratatui::layout::Size;

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

#[test]
fn rows_of_the_palette_are_selected_and_taken_with_the_mouse() {
    let (down, up) = (MouseEventKind::Down(MouseButton::Left), MouseEventKind::Up(MouseButton::Left));
    let size = Size { width: 120, height: 40 };
    let mut d = driver(size.width, size.height);
    d.keys(":view-events").unwrap();
    let row = |d: &Driver| {
        let screen = text(&d.screen(size).0);
        let at = screen.lines().position(|l| l.contains("│") && l.contains("show the events")).unwrap();
        (60, at as u16)
    };
    let (x, y) = row(&d);
    // The wheel and a press stay in it, the second press takes the row.
    d.send(mouse(MouseEventKind::ScrollDown, x, y));
    let (x, y) = row(&d);
    for kind in [down, up] {
        d.send(mouse(kind, x, y));
    }
    assert!(text(&d.screen(size).0).contains("─ actions ─"), "{}", text(&d.screen(size).0));
    d.send(mouse(down, x, y));
    assert_eq!(d.model.place().view, ViewId::Events);
    // Beside it a press puts it away.
    d.keys(":").unwrap();
    d.send(mouse(down, 1, 30));
    assert!(!text(&d.screen(size).0).contains("─ actions ─"));
}

#[test]
fn a_bookmark_is_gone_to_by_a_double_click() {
    let (down, up) = (MouseEventKind::Down(MouseButton::Left), MouseEventKind::Up(MouseButton::Left));
    let size = Size { width: 120, height: 40 };
    let mut d = driver(size.width, size.height);
    d.keys("bfirst<Enter>5Gbsecond<Enter>1gB").unwrap();
    let screen = text(&d.screen(size).0);
    let y = screen.lines().position(|l| l.contains("│") && l.contains("second")).unwrap() as u16;
    for kind in [down, up, down] {
        d.send(mouse(kind, 60, y));
    }
    assert_eq!(d.model.place().view, ViewId::Events);
    assert_eq!(d.model.notice().map(|n| n.text.as_str()), Some("second"));
}
