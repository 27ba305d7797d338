//! Every action there is can be reached: by a key, by `:` and through `?`; and a key that finds nothing says so.

use super::{driver, mouse};
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::keymap::Keymap;
use crate::tui::app::model::Message;
use crate::tui::panels::palette::matching;
use crate::tui::snapshot::text;
use crossterm::event::{MouseButton, MouseEventKind};
use ratatui::layout::Size;

/// Wide and high enough that help shows a whole action in a line.
const SIZE: Size = Size { width: 120, height: 40 };

/// The key of a view in which keys of a scope mean something.
fn view_of(scope: Scope) -> &'static str {
    match scope {
        Scope::Global | Scope::Timeline => "1",
        Scope::Table => "2",
        Scope::Stacks => "4",
        Scope::Profile => "9",
        Scope::Findings => "0",
    }
}

/// What `?` says in a view, from its first row to its last.
fn help_in(view: &str) -> String {
    let mut d = driver(SIZE.width, SIZE.height);
    d.keys(&format!("{view}?")).unwrap();
    let mut all = text(&d.screen(SIZE).0);
    for _ in 0..12 {
        d.keys("<PageDown>").unwrap();
        all.push_str(&text(&d.screen(SIZE).0));
    }
    all
}

#[test]
fn every_action_has_a_key_and_stands_in_the_palette_and_in_help() {
    let keymap = Keymap::default();
    let helps: Vec<(Scope, String)> = Scope::ALL.into_iter().map(|s| (s, help_in(view_of(s)))).collect();
    for &action in Action::ALL {
        let (name, scope) = (action.name(), action.scope());
        let keys = keymap.keys(action);
        assert!(!keys.is_empty(), "{name} has no key");
        for &key in keys {
            assert_eq!(keymap.action(scope, key), Some(action), "{name} by {key}");
        }
        assert!(action == Action::Palette || matching("").contains(&action), "{name} is not in the palette");
        // Whoever types its name finds it first, unless its name is a word of the trade as well.
        let found = matching(name);
        assert!(action == Action::Palette || found.iter().take(3).any(|a| *a == action), "{name}: {found:?}");
        let help = &helps.iter().find(|h| h.0 == scope).unwrap().1;
        assert!(help.contains(action.help()), "{name} is not in the help of {}: {help}", scope.place());
    }
}

#[test]
fn every_action_of_the_palette_can_be_taken() {
    let mut d = driver(80, 24);
    for &action in Action::ALL.iter().filter(|a| !matches!(a, Action::Palette | Action::Quit)) {
        // What the one before has opened is left.
        d.keys("<Esc><Esc>1:").unwrap();
        d.keys(action.name()).unwrap();
        let place = matching(action.name()).iter().position(|a| *a == action).unwrap();
        d.keys(&"<Down>".repeat(place)).unwrap();
        let chosen = text(&d.screen(Size { width: 80, height: 24 }).0);
        assert!(chosen.lines().any(|l| l.contains('›') && l.contains(action.name())), "{}: {chosen}", action.name());
        d.keys("<Enter>").unwrap();
        let screen = text(&d.screen(Size { width: 80, height: 24 }).0);
        assert!(!screen.contains("─ actions ─") && !d.quit, "{}: {screen}", action.name());
    }
    d.keys("<Esc><Esc>:quit<Enter>").unwrap();
    assert!(d.quit);
}

#[test]
fn a_key_of_another_view_says_where_it_means_something() {
    let keymap = Keymap::default();
    let mut d = driver(SIZE.width, SIZE.height);
    for &view in ViewId::ALL {
        d.keys(&view.number().to_string()).unwrap();
        let scope = d.model.focused_scope();
        for &action in Action::ALL {
            for &key in keymap.keys(action).iter().filter(|k| keymap.action(scope, **k).is_none()) {
                d.send(Message::Key(key.to_event()));
                let notice = d.model.notice().map(|n| n.text.clone()).unwrap_or_default();
                let says = format!("{key} means something in ");
                assert!(notice.starts_with(&says), "{key} ({}) in {}: {notice}", action.name(), view.name());
            }
        }
    }
}

#[test]
fn every_view_is_one_click_away() {
    let mut d = driver(SIZE.width, SIZE.height);
    let tabs = d.model.areas().tabs;
    let mut seen = Vec::new();
    for x in 0..SIZE.width {
        d.send(mouse(MouseEventKind::Down(MouseButton::Left), x, tabs.y));
        d.send(mouse(MouseEventKind::Up(MouseButton::Left), x, tabs.y));
        seen.push(d.model.place().view);
    }
    for &view in ViewId::ALL {
        assert!(seen.contains(&view), "no click leads to {}", view.name());
    }
}
