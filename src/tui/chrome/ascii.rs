//! The screen of a terminal without Unicode.

use crate::tui::theme::{ASCII, UNICODE};
use ratatui::buffer::Buffer;

/// Replaces what a terminal without Unicode cannot show: our own signs by their likes, the names of a trace by `?`.
pub fn replace(buf: &mut Buffer) {
    for cell in buf.content.iter_mut().filter(|c| !c.symbol().is_ascii()) {
        let level = UNICODE.levels.iter().position(|l| cell.symbol() == l.encode_utf8(&mut [0; 4]));
        if let Some(i) = level {
            cell.set_char(ASCII.levels[i]);
            continue;
        }
        cell.set_symbol(match cell.symbol() {
            "…" => "~",
            "µ" => "u",
            "×" => "x",
            "·" => "|",
            "→" => ">",
            "←" => "<",
            _ => "?",
        });
    }
}
