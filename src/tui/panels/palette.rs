//! The palette: finds an action by a few letters of its name or help, or asks the trace in SQL: `sql select …`.

use super::{OverlayCtx, Then, boxed, place};
use crate::analysis::tables::Table;
use crate::base::text;
use crate::tui::app::action::Action;
use crate::tui::app::keymap::Key;
use crate::tui::theme::Role;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::write;
use crossterm::event::{KeyCode, KeyModifiers};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

const ROWS: u16 = 12;
const COLUMNS: u16 = 72;

/// The overlay.
#[derive(Default)]
pub struct Palette {
    input: Input,
    list: Scroll,
}

/// Words of those who look for the cause of something, and the actions that show it.
const WORDS: &[(&str, &[&str])] = &[
    ("mutex lock rwmutex contention contended convoy semaphore pool", &["locks"]),
    ("channel chan send receive select backpressure", &["locks", "view-waits"]),
    ("why slow", &["path", "chain", "view-findings"]),
    ("root cause", &["chain", "view-findings"]),
    ("blocked waiting off-cpu", &["view-waits", "stacks-of"]),
    ("latency scheduler runnable preemption gomaxprocs idle", &["view-runtime"]),
    ("p99 tail duration", &["view-tasks", "path"]),
    ("gc garbage pause stw heap assist memory", &["view-runtime"]),
    ("leak", &["view-findings", "view-goroutines"]),
    ("hot cpu flame", &["view-stacks", "view-profile"]),
    ("problem wrong diagnose deadlock", &["view-findings"]),
    ("range window scope", &["select"]),
    ("map find grep", &["filter"]),
];

/// The actions that match, best first; all of them for no text. A few letters in their order find a name; of what an action
/// does, and of the words for what one looks for, whole beginnings of words do.
pub fn matching(typed: &str) -> Vec<Action> {
    let all = Action::ALL.iter().copied().filter(|a| *a != Action::Palette);
    let wanted: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    if wanted.is_empty() {
        return all.collect();
    }
    let pattern = Pattern::parse(typed, CaseMatching::Smart, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buf = Vec::new();
    let has = |text: &str| {
        let text = text.to_lowercase();
        let begins = |w: &String| text.split(|c: char| !c.is_alphanumeric() && c != '-').any(|t| t.starts_with(w));
        wanted.iter().all(begins)
    };
    let place = |a: Action| WORDS.iter().filter(|w| has(w.0)).find_map(|w| w.1.iter().position(|x| *x == a.name()));
    // The words of the trade come first, then names, and what is only said of an action last.
    let rank = |a: Action| match (place(a), has(a.name()) || has(&a.name().replace('-', " ")), has(a.help())) {
        (Some(i), ..) => Some((0, i as u32)),
        (_, true, _) => Some((1, 0)),
        (.., true) => Some((3, 0)),
        _ => None,
    };
    let mut found: Vec<((u32, u32), Action)> = all
        .filter_map(|a| {
            let near = pattern.score(Utf32Str::new(a.name(), &mut buf), &mut matcher);
            Some((rank(a).or(near.map(|s| (2, u32::MAX - s)))?, a))
        })
        .collect();
    found.sort_by_key(|f| f.0);
    found.into_iter().map(|(_, a)| a).collect()
}

/// The query that is typed, if it is one in SQL.
fn sql(typed: &str) -> Option<&str> {
    let (word, query) = typed.trim_start().split_once(char::is_whitespace)?;
    (cfg!(feature = "sql") && word.eq_ignore_ascii_case("sql")).then_some(query.trim())
}

impl Palette {
    pub(super) fn paste(&mut self, text: impl Iterator<Item = char>) {
        super::insert(&mut self.input, text);
        self.list.select(0);
        self.list.fit(matching(self.input.value()).len() as u64, ROWS);
    }

    pub(super) fn key(&mut self, key: Key, _cx: &OverlayCtx) -> Then {
        let found = matching(self.input.value());
        self.list.fit(found.len() as u64, ROWS);
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return Then::Close,
            KeyCode::Char('c') if ctrl => return Then::Close,
            KeyCode::Enter => {
                if let Some(query) = sql(self.input.value()) {
                    return if query.is_empty() { Then::Stay } else { Then::Sql(query.to_owned()) };
                }
                return found.get(self.list.selected as usize).map_or(Then::Close, |&a| Then::Do(a));
            }
            KeyCode::Down | KeyCode::Tab => drop(self.list.handle(Action::Down)),
            KeyCode::Char('n') if ctrl => drop(self.list.handle(Action::Down)),
            KeyCode::Up => drop(self.list.handle(Action::Up)),
            KeyCode::Char('p') if ctrl => drop(self.list.handle(Action::Up)),
            KeyCode::Backspace if self.input.value().is_empty() => return Then::Close,
            _ if super::is_too_much(&self.input, key) => {}
            _ => {
                if self.input.handle_event(&crossterm::event::Event::Key(key.to_event())).is_some_and(|c| c.value) {
                    self.list.select(0);
                }
            }
        }
        self.list.fit(matching(self.input.value()).len() as u64, ROWS);
        Then::Stay
    }

    pub(super) fn wheel(&mut self, rows: i32) {
        self.list.fit(matching(self.input.value()).len() as u64, ROWS);
        self.list.wheel(i64::from(rows));
    }

    pub(super) fn press(&mut self, at: Position, double: bool, screen: Rect) -> Then {
        let (area, inside) = place(screen, COLUMNS, ROWS + 1);
        if !area.contains(at) {
            return Then::Close;
        }
        if sql(self.input.value()).is_some() || !inside.contains(at) || at.y == inside.y {
            return Then::Stay;
        }
        let found = matching(self.input.value());
        self.list.fit(found.len() as u64, inside.height - 1);
        let row = self.list.top + u64::from(at.y - inside.y - 1);
        let Some(&action) = found.get(row as usize) else { return Then::Stay };
        self.list.select(row);
        if double { Then::Do(action) } else { Then::Stay }
    }

    pub(super) fn render(&self, screen: Rect, buf: &mut Buffer, cx: &OverlayCtx) -> Option<Position> {
        let found = matching(self.input.value());
        let inside = boxed(screen, COLUMNS, ROWS + 1, "actions", buf, cx.theme);
        if inside.is_empty() {
            return None;
        }
        let x = write(buf, inside, inside.x, inside.y, ":", cx.theme.style(Role::Key));
        let room = usize::from(inside.right().saturating_sub(x + 1));
        let skip = self.input.visual_scroll(room);
        let typed: String = self.input.value().chars().skip(skip).collect();
        write(buf, inside, x, inside.y, &text::escape(&typed), cx.theme.style(Role::Text));
        let cursor = (x + self.input.visual_cursor().saturating_sub(skip) as u16).min(inside.right() - 1);
        if sql(self.input.value()).is_some() {
            tables(inside, buf, cx);
            return Some(Position::new(cursor, inside.y));
        }
        let mut list = self.list;
        list.fit(found.len() as u64, inside.height.saturating_sub(1));
        for (i, no) in list.seen().enumerate() {
            let Some(&action) = found.get(no as usize) else { break };
            let y = inside.y + 1 + i as u16;
            let selected = no == list.selected;
            if selected {
                cx.theme.select(buf, Rect { y, height: 1, ..inside });
            }
            let mark = if selected { cx.theme.glyphs.marker } else { ' ' };
            write(buf, inside, inside.x, y, &mark.to_string(), cx.theme.style(Role::Accent));
            write(buf, inside, inside.x + 2, y, action.name(), cx.theme.style(Role::Title));
            write(buf, inside, inside.x + 22, y, action.help(), cx.theme.style(Role::Text));
            let keys = cx.keymap.text(action);
            let at = inside.right().saturating_sub(text::width(&keys) as u16 + 1);
            let free = inside.x + 24 + text::width(action.help()) as u16;
            if at > free {
                write(buf, inside, at, y, &keys, cx.theme.style(Role::Key));
            }
        }
        if found.is_empty() {
            write(buf, inside, inside.x + 2, inside.y + 1, "no such action", cx.theme.style(Role::Dim));
        }
        Some(Position::new(cursor, inside.y))
    }
}

/// What can be asked in SQL: the tables.
fn tables(inside: Rect, buf: &mut Buffer, cx: &OverlayCtx) {
    let names: Vec<&str> = Table::ALL.iter().map(|t| t.name()).collect();
    let mut lines =
        vec!["Enter asks the trace; a row with a time or a goroutine leads there.".to_owned(), String::new()];
    lines.extend(text::wrap(&format!("Tables: {}", names.join(", ")), usize::from(inside.width.saturating_sub(4))));
    lines.push(String::new());
    lines.push("sql select * from transitions where duration_ns > 1e6".into());
    lines.push("gotrail query --list-tables has their columns".into());
    for (y, line) in (inside.y + 1..inside.bottom()).zip(&lines) {
        write(buf, inside, inside.x + 2, y, line, cx.theme.style(Role::Dim));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::catalog::ViewId;

    #[test]
    fn a_few_letters_find_the_action() {
        assert_eq!(matching("gorou")[0], Action::View(ViewId::Goroutines));
        assert_eq!(matching("zin")[0], Action::ZoomIn);
        assert_eq!(matching("editor")[0], Action::Editor);
        assert!(matching("xyzzy").is_empty());
    }

    #[test]
    fn words_of_the_trade_find_where_that_is_seen() {
        for (typed, action) in [
            ("mutex", Action::Locks),
            ("contention", Action::Locks),
            ("slow", Action::Path),
            ("why", Action::Path),
            ("gc", Action::View(ViewId::Runtime)),
            ("latency", Action::View(ViewId::Runtime)),
            ("leak", Action::View(ViewId::Findings)),
            ("root cause", Action::Chain),
            ("lock", Action::Locks),
            ("view-waits", Action::View(ViewId::Links)),
        ] {
            assert_eq!(matching(typed).first(), Some(&action), "{typed}");
        }
    }

    #[test]
    fn words_lead_to_actions_that_there_are() {
        for name in WORDS.iter().flat_map(|w| w.1) {
            assert!(Action::from_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn sql_is_told_by_its_first_word() {
        assert_eq!(sql("sql select 1 "), Some("select 1"));
        assert_eq!(sql("SQL\tselect 1"), Some("select 1"));
        assert_eq!((sql("sql"), sql("sqlx y"), sql("select 1")), (None, None, None));
    }

    #[test]
    fn what_does_not_match_is_not_offered() {
        // Letters that are scattered over a sentence are no match.
        assert!(matching("mutex").iter().all(|a| *a == Action::Locks));
        for typed in ["gc", "leak", "zoom", "slow"] {
            for a in matching(typed) {
                let mut rest = a.name().chars();
                let named = typed.chars().all(|c| rest.any(|r| r == c));
                let said = a.help().to_lowercase().contains(typed);
                let listed = WORDS.iter().any(|w| w.0.contains(typed) && w.1.contains(&a.name()));
                assert!(named || said || listed, "{typed}: {}", a.name());
            }
        }
    }
}
