//! All text can be read: its colour stands out against what is behind it.

use super::{driver_of, mouse};
use crate::tui::app::keymap::Keymap;
use crate::tui::snapshot::Driver;
use crate::tui::theme::{Background, ColorLevel, Role, Theme};
use ratatui::layout::Size;
use ratatui::style::{Color, Modifier};
use std::collections::BTreeMap;

/// The relative luminance of a colour (WCAG 2.1, "relative luminance").
fn luminance(c: u32) -> f64 {
    let channel = |shift: u32| {
        let v = f64::from(c >> shift & 255) / 255.0;
        if v <= 0.03928 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
}

/// How far two colours stand apart, 1 to 21 (WCAG 2.1, "contrast ratio").
fn contrast(a: u32, b: u32) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn number(c: Color, usual: u32) -> u32 {
    match c {
        Color::Rgb(r, g, b) => u32::from_be_bytes([0, r, g, b]),
        Color::Reset => usual,
        other => panic!("{other:?} in 24 bits"),
    }
}

/// The least contrast of text that is to be read.
const LEAST: f64 = 4.5;

/// What a screen has of text: pairs of colours, and where each was seen.
fn pairs(d: &Driver, size: Size, theme: &Theme, seen: &mut BTreeMap<(u32, u32), String>) {
    let (buf, _) = d.screen(size);
    for row in buf.content.chunks(usize::from(size.width)) {
        for cell in row.iter().filter(|c| c.symbol().chars().any(char::is_alphanumeric)) {
            let (mut fg, mut bg) = (number(cell.fg, theme.ink()), number(cell.bg, theme.paper()));
            if cell.modifier.contains(Modifier::REVERSED) {
                (fg, bg) = (bg, fg);
            }
            seen.entry((fg, bg)).or_insert_with(|| row.iter().map(|c| c.symbol()).collect::<String>());
        }
    }
}

#[test]
fn text_on_every_screen_stands_out_in_both_themes() {
    let size = Size { width: 160, height: 50 };
    // Views, panes, panels and overlays, each with the focus where it can be.
    let keys = [
        "",
        "<Enter>j",
        "jjj<Enter>",
        "vlll",
        "2",
        "2jj<Enter>",
        "3",
        "3<Enter>",
        "4",
        "4t",
        "4x",
        "5jj",
        "8",
        "8<Enter>",
        "/main<Enter>",
        "/main<Enter>n",
        "L",
        "?",
        ":zoom",
        "/func:",
        "<Tab>",
        "<Tab><Tab>jj",
        "i",
        "2<Tab><Tab>",
    ];
    for background in [Background::Dark, Background::Light] {
        let theme = Theme::new(ColorLevel::True, background, false);
        let mut seen = BTreeMap::new();
        for k in keys {
            let mut d = driver_of(theme.clone(), size);
            d.keys(k).unwrap();
            pairs(&d, size, &theme, &mut seen);
        }
        let mut d = driver_of(theme.clone(), size);
        d.send(mouse(crossterm::event::MouseEventKind::Down(crossterm::event::MouseButton::Left), 60, 8));
        pairs(&d, size, &theme, &mut seen);
        assert!(seen.len() > 12, "only {} pairs of colours", seen.len());
        for ((fg, bg), row) in seen {
            let c = contrast(fg, bg);
            assert!(c >= LEAST, "{fg:06x} on {bg:06x} is {c:.2}:1 in {background:?}: {row}");
        }
    }
}

/// Keys that lead through all views of a trace, one after the other.
const TOUR: [&str; 16] =
    ["1", "<Enter>", "<Esc>2", "3", "z", "<Esc>L", "jj", "c", "<Esc><Esc>4", "x", "5", "6", "7", "8", "0", "?"];

/// What is wrong with a screen, in a theme: colours or characters that it has not, and text that hardly stands out.
fn wrong(buf: &ratatui::buffer::Buffer, theme: &Theme) -> Option<String> {
    for (i, row) in buf.content.chunks(usize::from(buf.area.width)).enumerate() {
        for cell in row {
            let said = match theme.level {
                _ if theme.is_ascii() && !cell.symbol().is_ascii() => "is not ASCII".to_owned(),
                ColorLevel::None if cell.fg != Color::Reset || cell.bg != Color::Reset => "has a colour".to_owned(),
                ColorLevel::Basic if matches!((cell.fg, cell.bg), (Color::Rgb(..), _) | (_, Color::Rgb(..))) => {
                    "has one of 24 bits".to_owned()
                }
                ColorLevel::True if cell.symbol().chars().any(char::is_alphanumeric) => {
                    let (fg, bg) = (number(cell.fg, theme.ink()), number(cell.bg, theme.paper()));
                    let c = contrast(fg, bg);
                    if c >= LEAST {
                        continue;
                    }
                    format!("{fg:06x} on {bg:06x} is {c:.2}:1")
                }
                _ => continue,
            };
            let row: String = row.iter().map(|c| c.symbol()).collect();
            return Some(format!("`{}` {said}, row {i}: {row}", cell.symbol()));
        }
    }
    None
}

#[test]
fn every_view_of_an_incident_keeps_to_what_the_terminal_can_show() {
    let Some(trace) = super::incidents::incident("orders") else {
        eprintln!("the incidents are not there");
        return;
    };
    let theme = |level, background, ascii| Theme::new(level, background, ascii);
    let runs = [
        (theme(ColorLevel::True, Background::Dark, false), (80, 24)),
        (theme(ColorLevel::True, Background::Light, false), (250, 70)),
        (theme(ColorLevel::Basic, Background::Dark, false), (120, 40)),
        (theme(ColorLevel::None, Background::Dark, false), (200, 50)),
        (theme(ColorLevel::None, Background::Dark, true), (80, 24)),
    ];
    for (theme, (width, height)) in runs {
        let size = Size { width, height };
        let mut d = Driver::new(trace.clone(), "trace.out", theme.clone(), Keymap::default(), size);
        for keys in TOUR {
            d.keys(keys).unwrap();
            let found = wrong(&d.screen(size).0, &theme);
            assert_eq!(found, None, "{width}x{height}, {:?}, after {keys}", theme.level);
        }
    }
}

#[test]
fn every_role_stands_out_on_paper_and_on_what_is_selected() {
    for background in [Background::Dark, Background::Light] {
        let theme = Theme::new(ColorLevel::True, background, false);
        let tint = number(theme.style(Role::Selection).bg.unwrap(), theme.paper());
        // Lines between things are no text.
        for role in Role::ALL.into_iter().filter(|r| *r != Role::Border) {
            let fg = theme.style(role).fg.map_or(theme.ink(), |c| number(c, theme.ink()));
            for behind in [theme.paper(), tint] {
                let c = contrast(fg, behind);
                assert!(c >= LEAST, "{role:?} is {c:.2}:1 on {behind:06x} in {background:?}");
            }
        }
    }
}

#[test]
fn the_formula_gives_the_known_values() {
    assert!((contrast(0xffffff, 0x000000) - 21.0).abs() < 1e-9);
    assert!((contrast(0x777777, 0xffffff) - 4.48).abs() < 0.01);
    assert_eq!(contrast(0x123456, 0x123456), 1.0);
}
