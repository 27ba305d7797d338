//! Writes the cells of a frame in few bytes: frames go through SSH, often over a poor line.
//!
//! The library's own encoder moves to a row and column for each gap and names both colours in the long form for each
//! change of one. Here a gap is passed over with the shortest move, a style is set by what changes of it, in the short
//! form where the terminal has one, or by resetting it. All sequences are of ECMA-48; colours above the first sixteen
//! are written in xterm's way.

use crate::tui::app::model::bounded;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use std::io::{self, Write};

/// A backend that does all but drawing as the library does.
pub struct Terse<W: Write> {
    inner: CrosstermBackend<W>,
    /// The bytes of a frame.
    out: Vec<u8>,
}

/// What the terminal does with the next character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// The modifiers that are used, how each is switched on, and how off. What switches off one of the two that the terminal
/// takes for weights switches off the other one as well.
const MODIFIERS: [(Modifier, u8, u8); 6] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::REVERSED, 7, 27),
    (Modifier::CROSSED_OUT, 9, 29),
];
const WEIGHTS: Modifier = Modifier::BOLD.union(Modifier::DIM);

impl<W: Write> Terse<W> {
    /// A backend that writes to `out`.
    pub fn new(out: W) -> Terse<W> {
        Terse { inner: CrosstermBackend::new(out), out: Vec::new() }
    }
}

impl Pen {
    /// What is seen of it where it writes a space: all of it if it draws lines or is reversed, else the background.
    fn paints(&self) -> Pen {
        let lines = !(self.modifier - WEIGHTS - Modifier::ITALIC).is_empty();
        if lines { *self } else { Pen { bg: self.bg, ..PLAIN } }
    }

    /// The parameters of the sequence that makes this pen of `before`; none if they are the same.
    fn after(&self, before: &Pen) -> String {
        let mut change = String::new();
        let (mut off, mut on) = (before.modifier - self.modifier, self.modifier - before.modifier);
        if off.intersects(WEIGHTS) {
            on |= self.modifier & WEIGHTS;
            off |= before.modifier & WEIGHTS;
        }
        let mut last = 0;
        for (m, _, code) in MODIFIERS.iter().filter(|(m, ..)| off.contains(*m)) {
            if *code != last {
                param(&mut change, &code.to_string());
            }
            last = *code;
            let _ = m;
        }
        for (_, code, _) in MODIFIERS.iter().filter(|(m, ..)| on.contains(*m)) {
            param(&mut change, &code.to_string());
        }
        if self.fg != before.fg {
            param(&mut change, &color(self.fg, 30));
        }
        if self.bg != before.bg {
            param(&mut change, &color(self.bg, 40));
        }
        change
    }

    /// Writes what makes this pen of `before`: the change, or all of it after a reset, whichever is shorter.
    fn write(&self, before: &Pen, out: &mut Vec<u8>) {
        if self == before {
            return;
        }
        let change = self.after(before);
        let mut fresh = self.after(&PLAIN);
        if !fresh.is_empty() {
            // Nothing before the first separator is a reset.
            fresh.insert(0, ';');
        }
        let shorter = if fresh.len() < change.len() { fresh } else { change };
        let _ = write!(out, "\x1b[{shorter}m");
    }
}

fn param(list: &mut String, one: &str) {
    if !list.is_empty() {
        list.push(';');
    }
    list.push_str(one);
}

/// The parameters of a colour; `base` is 30 for the foreground, 40 for the background.
fn color(c: Color, base: u8) -> String {
    let ansi = |n: u8| if n < 8 { (base + n).to_string() } else { (base + 52 + n).to_string() };
    match c {
        Color::Reset => (base + 9).to_string(),
        Color::Black => ansi(0),
        Color::Red => ansi(1),
        Color::Green => ansi(2),
        Color::Yellow => ansi(3),
        Color::Blue => ansi(4),
        Color::Magenta => ansi(5),
        Color::Cyan => ansi(6),
        Color::Gray => ansi(7),
        Color::DarkGray => ansi(8),
        Color::LightRed => ansi(9),
        Color::LightGreen => ansi(10),
        Color::LightYellow => ansi(11),
        Color::LightBlue => ansi(12),
        Color::LightMagenta => ansi(13),
        Color::LightCyan => ansi(14),
        Color::White => ansi(15),
        Color::Indexed(n) if n < 16 => ansi(n),
        Color::Indexed(n) => format!("{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

/// Writes a move to a column and row. `from` is where the cursor is, if that is certain.
fn go(from: Option<(u16, u16)>, (x, y): (u16, u16), out: &mut Vec<u8>) {
    let _ = match from {
        Some(here) if here == (x, y) => Ok(()),
        Some((column, row)) if row == y && x == column + 1 => write!(out, "\x1b[C"),
        Some((column, row)) if row == y && x > column => write!(out, "\x1b[{}C", x - column),
        _ if x == 0 => write!(out, "\x1b[{}H", y + 1),
        _ => write!(out, "\x1b[{};{}H", y + 1, x + 1),
    };
}

impl<W: Write> Backend for Terse<W> {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        self.out.clear();
        let mut pen = PLAIN;
        // Where the next character goes, and whether the terminal is sure to think so too: it may take another width
        // for a character that is not ASCII.
        let mut next: Option<(u16, u16)> = None;
        let mut sure = false;
        for (x, y, cell) in content {
            if next != Some((x, y)) {
                go(next.filter(|_| sure), (x, y), &mut self.out);
                sure = true;
            }
            let want = Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
            // What a space would be written with is not to be seen.
            let want = if cell.symbol() == " " && want.paints() == pen.paints() { pen } else { want };
            want.write(&pen, &mut self.out);
            pen = want;
            self.out.extend_from_slice(cell.symbol().as_bytes());
            sure &= cell.symbol().len() == 1;
            next = Some((x + 1, y));
        }
        PLAIN.write(&pen, &mut self.out);
        self.inner.write_all(&self.out)
    }

    fn append_lines(&mut self, n: u16) -> io::Result<()> {
        self.inner.append_lines(n)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size().map(bounded)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::Terminal;
    use ratatui::TerminalOptions;
    use ratatui::Viewport;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use std::cell::RefCell;
    use std::num::NonZeroU16;
    use std::rc::Rc;

    const AREA: Rect = Rect::new(0, 0, 24, 4);

    #[derive(Clone, Default)]
    struct Sink(Rc<RefCell<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn style() -> impl Strategy<Value = Style> {
        let color = prop_oneof![
            Just(Color::Reset),
            Just(Color::Red),
            Just(Color::DarkGray),
            Just(Color::White),
            Just(Color::Indexed(9)),
            Just(Color::Indexed(200)),
            Just(Color::Rgb(1, 2, 3))
        ];
        (color.clone(), color, 0u8..32).prop_map(|(fg, bg, bits)| {
            // Bold and dim at once look different from terminal to terminal.
            let bits = if bits & 3 == 3 { bits - 1 } else { bits };
            let m = MODIFIERS[..5].iter().enumerate().filter(|(i, _)| bits >> i & 1 != 0).map(|(_, m)| m.0);
            Style::reset().fg(fg).bg(bg).add_modifier(m.collect())
        })
    }

    fn frame() -> impl Strategy<Value = Vec<(u16, u16, &'static str, Style)>> {
        let texts = prop::sample::select(vec!["a", "main.go", "▸ x", "世界", "  ", "12 345"]);
        prop::collection::vec((0u16..24, 0u16..4, texts, style()), 0..12)
    }

    fn paint(buffer: &mut Buffer, texts: &[(u16, u16, &'static str, Style)]) {
        for &(x, y, text, style) in texts {
            buffer.set_stringn(x, y, text, usize::from(AREA.width - x), style);
        }
    }

    fn shown(bytes: &[u8]) -> Vec<String> {
        let size = |n| NonZeroU16::new(n).unwrap();
        let mut screen = vt100::Parser::new(size(AREA.height), size(AREA.width), 0);
        screen.process(bytes);
        let screen = screen.screen();
        let look = |c: &vt100::Cell| {
            let flags = (c.bold(), c.dim(), c.italic(), c.underline(), c.inverse());
            let (text, flags) = match c.contents() {
                "" | " " if !c.underline() && !c.inverse() => (String::new(), String::new()),
                text => (text.to_owned(), format!("{:?} {flags:?}", c.fgcolor())),
            };
            format!("{text:?} {flags} {:?}", c.bgcolor())
        };
        let cells = (0..AREA.height).flat_map(|y| (0..AREA.width).map(move |x| (x, y)));
        cells.filter_map(|(x, y)| screen.cell(y, x)).map(look).collect()
    }

    proptest! {
        #[test]
        fn a_terminal_shows_the_same_as_from_the_library_and_never_for_more_bytes(frames in prop::collection::vec(frame(), 1..4)) {
            let (ours, theirs) = (Sink::default(), Sink::default());
            let options = || TerminalOptions { viewport: Viewport::Fixed(AREA) };
            let mut a = Terminal::with_options(Terse::new(ours.clone()), options()).unwrap();
            let mut b = Terminal::with_options(CrosstermBackend::new(theirs.clone()), options()).unwrap();
            for texts in &frames {
                a.draw(|f| paint(f.buffer_mut(), texts)).unwrap();
                b.draw(|f| paint(f.buffer_mut(), texts)).unwrap();
            }
            let (here, there) = (shown(&ours.0.borrow()), shown(&theirs.0.borrow()));
            for (i, (a, b)) in here.iter().zip(&there).enumerate() {
                prop_assert_eq!(a, b, "cell {}", i);
            }
            prop_assert!(ours.0.borrow().len() <= theirs.0.borrow().len());
        }
    }
}
