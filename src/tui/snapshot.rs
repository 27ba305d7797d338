//! Plays keys into the viewer without a terminal and prints the resulting screen.

use super::app::beside::Beside;
use super::app::jobs::{Effect, Job, JobCtx};
use super::app::keymap::{Key, Keymap};
use super::app::model::{Message, Model};
use super::theme::Theme;
use crate::analysis::profile::Profiled;
use crate::base::{Duration, GoId};
use crate::read::Trace;
use crate::source::Places;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::{Color, Modifier};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// How the screen is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Characters only.
    Text,
    /// With escape sequences for the styles.
    Ansi,
    /// A picture.
    Svg,
}

/// The viewer without a terminal: every effect is done before the next key, so the same keys give the same screen.
pub struct Driver {
    /// The viewer.
    pub model: Model,
    trace: Arc<Trace>,
    /// Files that the editor was asked to open.
    pub opened: Vec<(PathBuf, u32)>,
    /// Texts that were copied.
    pub copied: Vec<String>,
    /// Whether the viewer has asked to end.
    pub quit: bool,
}

impl Driver {
    /// A viewer of a trace that has been read whole.
    pub fn new(trace: Arc<Trace>, name: &str, theme: Theme, keymap: Keymap, size: Size) -> Driver {
        let model = Model::new(trace.clone(), name.to_string(), theme, keymap, size);
        let mut driver = Driver { model, trace, opened: Vec::new(), copied: Vec::new(), quit: false };
        driver.send(Message::Indexed);
        driver
    }

    /// Opens profiles beside the trace.
    pub fn open(&mut self, profiles: Vec<Arc<Profiled>>) {
        self.model.set_profiles(profiles);
        self.send(Message::Indexed);
    }

    /// Begins at an instant, counted from the trace's start, and at a goroutine if one is named.
    pub fn begin_at(&mut self, at: Duration, go: Option<GoId>) {
        self.model.begin_at(at, go);
        self.send(Message::Indexed);
    }

    /// Hands the model a message and does all that follows from it.
    pub fn send(&mut self, message: Message) {
        let mut waiting = VecDeque::from([message]);
        // A model that never came to rest would be an error of ours; it must not hang whoever asked.
        for _ in 0..10_000 {
            let Some(message) = waiting.pop_front() else { return };
            for effect in self.model.update(message) {
                match effect {
                    Effect::Run(job) => waiting.extend(self.run(job)),
                    Effect::Open { path, line } => self.opened.push((path, line)),
                    Effect::Copy(text) => self.copied.push(text),
                    Effect::Quit => self.quit = true,
                    Effect::Cancel(_) | Effect::Suspend | Effect::Redraw | Effect::StopRecording => {}
                }
            }
        }
    }

    fn run(&self, job: Job) -> Vec<Message> {
        let answers = Mutex::new(Vec::new());
        let say = |a| answers.lock().unwrap_or_else(|e| e.into_inner()).push(Message::Answer(a));
        job.run(&JobCtx::new(&self.trace, &AtomicBool::new(false)), &say);
        answers.into_inner().unwrap_or_else(|e| e.into_inner())
    }

    /// Plays keys as `--keys` has them: `/mapassign<Enter>jj`. Stops where the viewer ends.
    ///
    /// # Errors
    ///
    /// A key that there is not.
    pub fn keys(&mut self, keys: &str) -> Result<(), String> {
        for key in Key::parse_all(keys)? {
            if self.quit {
                break;
            }
            self.send(Message::Key(key.to_event()));
        }
        Ok(())
    }

    /// The screen, and where the text cursor stands.
    pub fn screen(&self, size: Size) -> (Buffer, Option<Position>) {
        let mut buf = Buffer::empty(Rect::from((Position::ORIGIN, size)));
        let cursor = self.model.render(&mut buf);
        (buf, cursor)
    }
}

/// The screen after `keys`, for a trace that has been read whole.
///
/// # Errors
///
/// A key that there is not.
#[allow(clippy::too_many_arguments)] // One call, from the command line.
pub fn snapshot(
    trace: Arc<Trace>,
    profiles: Vec<Arc<Profiled>>,
    beside: Beside,
    name: &str,
    at: Option<(Duration, Option<GoId>)>,
    theme: Theme,
    keymap: Keymap,
    size: Size,
    keys: &str,
    format: Format,
    places: Places,
) -> Result<String, String> {
    let light = theme.background == super::theme::Background::Light;
    let mut driver = Driver::new(trace, name, theme, keymap, size);
    driver.model.set_places(places);
    driver.model.set_beside(beside);
    driver.open(profiles);
    if let Some((at, go)) = at {
        driver.begin_at(at, go);
    }
    driver.keys(keys)?;
    let (buf, _) = driver.screen(size);
    Ok(match format {
        Format::Text => text(&buf),
        Format::Ansi => ansi(&buf),
        Format::Svg => svg(&buf, light),
    })
}

fn rows(buf: &Buffer) -> impl Iterator<Item = &[Cell]> {
    buf.content.chunks(usize::from(buf.area.width).max(1))
}

/// The characters of a screen, without the spaces at the ends of lines.
pub fn text(buf: &Buffer) -> String {
    let mut out = String::new();
    for row in rows(buf) {
        let line: String = row.iter().map(Cell::symbol).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Runs of cells of one style in a row: where each begins, how many cells it has, its text.
fn runs(row: &[Cell]) -> Vec<(usize, usize, &Cell, String)> {
    let mut out: Vec<(usize, usize, &Cell, String)> = Vec::new();
    for (x, cell) in row.iter().enumerate() {
        match out.last_mut() {
            Some((_, n, first, s)) if first.style() == cell.style() => {
                *n += 1;
                s.push_str(cell.symbol());
            }
            _ => out.push((x, 1, cell, cell.symbol().to_string())),
        }
    }
    out
}

/// A screen with escape sequences for its styles (ECMA-48, SGR).
pub fn ansi(buf: &Buffer) -> String {
    let mut out = String::new();
    for row in rows(buf) {
        for (_, _, cell, s) in runs(row) {
            let mut codes = vec!["0".to_string()];
            for (m, code) in [
                (Modifier::BOLD, "1"),
                (Modifier::DIM, "2"),
                (Modifier::ITALIC, "3"),
                (Modifier::UNDERLINED, "4"),
                (Modifier::REVERSED, "7"),
            ] {
                if cell.modifier.contains(m) {
                    codes.push(code.into());
                }
            }
            codes.extend(sgr(cell.fg, 30));
            codes.extend(sgr(cell.bg, 40));
            out.push_str(&format!("\x1b[{}m{s}", codes.join(";")));
        }
        out.push_str("\x1b[0m\n");
    }
    out
}

/// The number of one of the sixteen colours.
fn ansi_number(c: Color) -> Option<u8> {
    Some(match c {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        _ => return None,
    })
}

fn sgr(c: Color, base: u8) -> Option<String> {
    match c {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some(format!("{};2;{r};{g};{b}", base + 8)),
        Color::Indexed(i) => Some(format!("{};5;{i}", base + 8)),
        c => ansi_number(c).map(|n| if n < 8 { base + n } else { base + 52 + n }).map(|n| n.to_string()),
    }
}

/// The sixteen colours in a picture, which has no terminal to ask.
const PALETTE: [u32; 16] = [
    0x1b1f27, 0xe5534b, 0x57ab5a, 0xc69026, 0x539bf5, 0xb083f0, 0x39c5cf, 0xadbac7, 0x768390, 0xff938a, 0x8ddb8c,
    0xeac55f, 0x96d0ff, 0xdcbdfb, 0x56d4dd, 0xffffff,
];

fn css(c: Color) -> Option<String> {
    match c {
        Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        c => ansi_number(c).map(|n| format!("#{:06x}", PALETTE[n as usize])),
    }
}

fn xml(s: &str) -> String {
    let mut out = String::new();
    for c in s.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A screen as a picture: a grid of cells of 8.4 by 18 pixels in a monospaced font of 14.
pub fn svg(buf: &Buffer, light: bool) -> String {
    const W: f64 = 8.4;
    const H: f64 = 18.0;
    const PAD: f64 = 10.0;
    let (ink, paper) = if light { ("#24292f", "#ffffff") } else { ("#d7dde6", "#14181f") };
    let width = f64::from(buf.area.width) * W + 2.0 * PAD;
    let height = f64::from(buf.area.height) * H + 2.0 * PAD;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 \
         {width:.1} {height:.1}\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{paper}\"/>\n<g \
         font-family=\"ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"14\" fill=\"{ink}\" \
         xml:space=\"preserve\">\n"
    );
    for (y, row) in rows(buf).enumerate() {
        let top = PAD + y as f64 * H;
        for (x, n, cell, s) in runs(row) {
            let (mut fg, mut bg) = (css(cell.fg), css(cell.bg));
            if cell.modifier.contains(Modifier::REVERSED) {
                (fg, bg) = (Some(bg.unwrap_or_else(|| paper.into())), Some(fg.unwrap_or_else(|| ink.into())));
            }
            let left = PAD + x as f64 * W;
            let length = n as f64 * W;
            if let Some(bg) = bg {
                out.push_str(&format!(
                    "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{length:.1}\" height=\"{H}\" fill=\"{bg}\"/>\n"
                ));
            }
            if s.trim().is_empty() {
                continue;
            }
            // Spaces at the ends say nothing, and renderers disagree about them.
            let lead = s.chars().take_while(|c| *c == ' ').count();
            let body = s.trim_matches(' ');
            let left = left + lead as f64 * W;
            let length = crate::base::text::width(body) as f64 * W;
            let mut attributes = String::new();
            if let Some(fg) = fg {
                attributes.push_str(&format!(" fill=\"{fg}\""));
            }
            for (m, a) in [
                (Modifier::BOLD, " font-weight=\"bold\""),
                (Modifier::ITALIC, " font-style=\"italic\""),
                (Modifier::UNDERLINED, " text-decoration=\"underline\""),
                (Modifier::DIM, " opacity=\"0.6\""),
            ] {
                if cell.modifier.contains(m) {
                    attributes.push_str(a);
                }
            }
            out.push_str(&format!(
                "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{length:.1}\" \
                 lengthAdjust=\"spacingAndGlyphs\"{attributes}>{}</text>\n",
                top + 13.5,
                xml(body)
            ));
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}
