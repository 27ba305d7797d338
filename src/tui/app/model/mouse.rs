//! What the mouse does: it means the part of the screen that it is over.

use super::{Model, cx, over};
use crate::model::Index;
use crate::tui::app::jobs::Effect;
use crate::tui::app::view::{Mouse, View};
use crate::tui::chrome::footer;
use crate::tui::chrome::layout;
use crate::tui::chrome::layout::Spot;
use crate::tui::panels::Overlay;
use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

impl Model {
    pub(super) fn mouse(&mut self, e: MouseEvent, index: &Index, effects: &mut Vec<Effect>) {
        let at = Position::new(e.column, e.row);
        let ctrl = e.modifiers.contains(KeyModifiers::CONTROL);
        if self.overlay.is_some() {
            match e.kind {
                MouseEventKind::ScrollDown => self.overlay.wheel(3),
                MouseEventKind::ScrollUp => self.overlay.wheel(-3),
                MouseEventKind::Down(MouseButton::Left) => {
                    let double = self.last_press.replace(at) == Some(at);
                    let screen = Rect::from((Position::ORIGIN, self.size));
                    let Model { overlay, keymap, shared, .. } = self;
                    let then = overlay.press(at, double, screen, &over(keymap, index, shared));
                    self.then(then, index, effects);
                }
                MouseEventKind::Down(_) => self.overlay = Overlay::None,
                _ => {}
            }
            return;
        }
        let areas = self.areas();
        let what = match e.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                self.notice = None;
                if self.last_press.replace(at) == Some(at) { Mouse::Double } else { Mouse::Press }
            }
            MouseEventKind::Drag(MouseButton::Left) => {
                self.last_press = None;
                Mouse::Drag
            }
            MouseEventKind::Up(MouseButton::Left) => Mouse::Release,
            MouseEventKind::ScrollDown => Mouse::Wheel(1, ctrl),
            MouseEventKind::ScrollUp => Mouse::Wheel(-1, ctrl),
            _ => return,
        };
        let view = self.shared.nav.here().view;
        let mut out = Vec::new();
        match areas.spot(at) {
            Spot::Pane(pane, area) => {
                if matches!(what, Mouse::Press | Mouse::Double) {
                    self.focus = pane;
                    self.pressed = Some((pane, at));
                }
                // A drag belongs to where it began.
                let dragging = matches!(what, Mouse::Drag | Mouse::Release);
                if dragging && self.pressed.is_none_or(|(p, _)| p != pane) {
                    return;
                }
                let cx = cx(&self.shared, index, pane == self.focus);
                self.views.get(pane, self.shared.nav.here()).mouse(at, what, area, &cx, &mut out);
            }
            Spot::Overview(area) => {
                let cx = cx(&self.shared, index, false);
                self.views.overview.mouse(at, what, area, &cx, &mut out);
            }
            Spot::Tabs if matches!(what, Mouse::Press | Mouse::Double) => {
                let x = at.x - areas.tabs.x;
                let beside = layout::beside(self.shared.nav.here().sheet.as_ref());
                let hit = layout::tabs(areas.tabs.width, beside, view)
                    .into_iter()
                    .find(|(_, text, from)| (*from..from + text.len() as u16).contains(&x));
                if let Some((id, _, _)) = hit {
                    self.show(id);
                }
            }
            Spot::Foot if matches!(what, Mouse::Press) => {
                let x = at.x - areas.foot.x;
                let scope = self.scope();
                let on_wait = footer::on_wait(self.shared.nav.here(), &self.shared.found, scope);
                let about = (self.shared.hits.is_some(), on_wait);
                let hit = footer::hints(areas.foot.width, &self.keymap, scope, about)
                    .into_iter()
                    .find(|h| (h.x..h.x + h.width).contains(&x));
                if let Some(h) = hit {
                    self.act(h.action, index, effects);
                }
            }
            _ => {}
        }
        if what == Mouse::Release {
            self.pressed = None;
        }
        self.apply(out, index, effects);
    }
}
