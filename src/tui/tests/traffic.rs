//! How many bytes a screen and a movement take.

use super::*;

/// Counts the bytes that are written to it.
#[derive(Clone, Default)]
struct Counter(std::rc::Rc<std::cell::Cell<usize>>);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What goes to a terminal of 200 by 50 that has sixteen colours, as most do through SSH, for the whole screen, and then for each of these keys, in bytes.
fn traffic(keys: &[&str]) -> Vec<usize> {
    let size = Size { width: 200, height: 50 };
    let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, size.width, size.height)) };
    let counter = Counter::default();
    let mut terminal = Terminal::with_options(Terse::new(counter.clone()), options).unwrap();
    let theme = Theme::new(ColorLevel::Basic, Background::Dark, false);
    let mut d = Driver::new(fixture::trace(), "trace.out", theme, Keymap::default(), size);
    let mut sent = Vec::new();
    for key in [""].iter().chain(keys) {
        d.keys(key).unwrap();
        terminal.draw(|frame| _ = d.model.render(frame.buffer_mut())).unwrap();
        sent.push(counter.0.take());
    }
    sent
}

#[test]
fn a_slow_line_carries_a_screen_in_16_kb_and_a_movement_in_one_where_the_source_stays() {
    for (view, most) in [("1", 1024), ("2", 1126), ("3", 2500), ("4", 2500), ("5", 2500), ("8", 1126)] {
        let sent = traffic(&[view, "j", "j", "k"]);
        assert!(sent[..2].iter().all(|&n| n < 13 << 10), "view {view}: {sent:?}");
        assert!(sent[2..].iter().all(|&n| n <= most), "view {view}: {sent:?}");
    }
}
