//! A profile summed up, and its values as text.

use super::share;
use crate::analysis::profile::{Ask, Cost, Hot};
use crate::base::FrameId;
use crate::profile::ops::measure;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::view::{Ctx, LineCosts};
use crate::tui::theme::Role;

/// What a profile was summed up for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// Position of the profile.
    pub(super) profile: usize,
    pub(super) ask: Ask,
}

/// A profile summed up, and what for.
#[derive(Debug)]
pub struct Found {
    pub(super) key: Key,
    pub(super) hot: Hot,
    /// The unit of its values, and the one they are shown in.
    pub(super) unit: String,
    pub(super) shown: String,
}

impl Found {
    /// A value as text.
    pub(super) fn value(&self, v: i64) -> String {
        measure::scaled_label(v, &self.unit, &self.shown)
    }

    /// A value as text; where profiles are compared a change, with its sign.
    pub(super) fn change(&self, v: i64) -> String {
        let plus = if v > 0 && self.hot.change.is_some() { "+" } else { "" };
        format!("{plus}{}", self.value(v))
    }

    /// The same in at most `width` columns: where it would be longer, in a unit of its own.
    pub(super) fn fitting(&self, v: i64, width: u16) -> String {
        let text = self.change(v);
        if text.len() <= usize::from(width) {
            return text;
        }
        let plus = if text.starts_with('+') { "+" } else { "" };
        format!("{plus}{}", measure::label(v, &self.unit))
    }

    /// A value that is no change, in at most `width` columns.
    pub(super) fn unsigned(&self, v: i64, width: u16) -> String {
        self.fitting(v, width).trim_start_matches('+').to_string()
    }

    /// The role of a value: what has become more is not like what has become less, where profiles are compared.
    pub(super) fn role(&self, v: i64, usual: Role) -> Role {
        match self.hot.change {
            Some(_) if v > 0 => Role::Error,
            Some(_) if v < 0 => Role::Running,
            _ => usual,
        }
    }

    /// A value as a share of all.
    pub(super) fn share(&self, v: i64) -> String {
        share(v, self.hot.total)
    }
}

impl LineCosts for Found {
    fn of(&self, cx: &Ctx, frame: FrameId) -> Vec<(u32, String, String)> {
        if cx.place.view != ViewId::Profile || cx.place.profile != self.key.profile {
            return Vec::new();
        }
        let Some(p) = cx.profiles.get(self.key.profile) else { return Vec::new() };
        let dict = &p.index.dict;
        let Some(f) = dict.frames().get(frame.index()) else { return Vec::new() };
        let text = |v: i64| if v == 0 { String::new() } else { self.change(v) };
        let Some(func) = dict.funcs().get(f.func.0 as usize) else { return Vec::new() };
        // A function's variants may stand in other files.
        let here = |c: &&Cost| dict.func_file(dict.frame_of(c.frame).func) == dict.str(func.file);
        let lines = self.hot.lines.get(&func.name).into_iter().flatten().filter(here);
        lines.map(|c| (dict.frame_of(c.frame).line, text(c.flat), text(c.cum))).collect()
    }
}
