//! Every view of three traces in four sizes and all kinds of colours, in a file each. Of the sizes the text is kept, with runs
//! of one character shortened; of the themes what would be seen to change, as a number.

use super::incidents::incident;
use super::*;
use std::fmt::Write as _;

/// The views by name, and the keys that lead from the one before to each.
const VIEWS: &[(&str, &str)] = &[
    ("timeline", "1"),
    ("inside", "<Enter>e"),
    ("goroutines", "<Esc>e2"),
    ("waits", "3"),
    ("stacks", "4"),
    ("off_cpu", "x"),
    ("events", "5"),
    ("maps", "6"),
    ("runtime", "7"),
    ("tasks", "8"),
    ("findings", "0"),
    ("locks", "L"),
    ("chain", "c"),
    ("help", "<Esc><Esc>1?"),
];

/// The sizes, and whether the text of one is kept: of the others a number.
const SIZES: &[((u16, u16), bool)] = &[((80, 24), true), ((120, 40), true), ((200, 50), false), ((250, 70), true)];

/// As many of one character in a row are shortened.
const RUN: usize = 8;

/// A line without what is empty at its end, where runs of one character are written as that and how many.
fn shortened(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line.trim_end().chars().peekable();
    while let Some(c) = rest.next() {
        let mut n = 1;
        while rest.next_if_eq(&c).is_some() {
            n += 1;
        }
        match n {
            RUN.. => _ = write!(out, "{c}⟨{n}⟩"),
            _ => out.extend(std::iter::repeat_n(c, n)),
        }
    }
    out
}

/// A number of all that is seen, without the source pane: that says what the machine has. FNV-1a, which stays as it is.
fn number(d: &Driver, size: Size) -> u64 {
    let (buf, areas) = (d.screen(size).0, d.model.areas());
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    for at in buf.area.positions().filter(|p| !areas.source.contains(*p)) {
        let cell = &buf[at];
        let said = format!("{}{:?}{:?}{:?}", cell.symbol(), cell.fg, cell.bg, cell.modifier);
        for byte in said.bytes() {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    sum
}

/// The screen without the source pane, and without what stands to the right of the detail.
fn kept(d: &Driver, size: Size) -> String {
    let (buf, areas) = (d.screen(size).0, d.model.areas());
    let mut out = String::new();
    for y in 0..size.height {
        let cells = (0..size.width).filter(|&x| !areas.source.contains((x, y).into()));
        let line: String = cells.map(|x| buf[(x, y)].symbol()).collect();
        // In a border pane titles may name what is found on the machine.
        let line = if areas.rule.y == y { line.split('┬').next().unwrap_or_default().to_owned() } else { line };
        out += &shortened(&line);
        out.push('\n');
    }
    out
}

/// All that is kept of a view: texts by size, then a line of numbers for each theme.
fn picture(d: &mut Driver, sizes: &[((u16, u16), bool)]) -> String {
    let mut out = String::new();
    for &((width, height), text) in sizes {
        if text {
            d.send(Message::Resize(width, height));
            _ = writeln!(out, "{}== {width}x{height}", kept(d, Size { width, height }));
        }
    }
    let themes = [
        ("dark", ColorLevel::True, Background::Dark, false),
        ("light", ColorLevel::True, Background::Light, false),
        ("16", ColorLevel::Basic, Background::Dark, false),
        ("none", ColorLevel::None, Background::Dark, false),
        ("ascii", ColorLevel::None, Background::Dark, true),
    ];
    for (name, level, background, ascii) in themes {
        d.model.set_theme(Theme::new(level, background, ascii));
        let mut line = format!("{name:<5}");
        for &((width, height), _) in sizes {
            d.send(Message::Resize(width, height));
            _ = write!(line, " {:016x}", number(d, Size { width, height }));
        }
        _ = writeln!(out, "{line}");
    }
    d.model.set_theme(theme());
    d.send(Message::Resize(80, 24));
    out
}

/// Shows all views one after the other, and holds each against its file.
fn hold(name: &str, trace: Arc<Trace>, views: &[(&str, &str)], sizes: &[((u16, u16), bool)]) {
    let mut d = Driver::new(trace, "trace.out", theme(), Keymap::default(), Size { width: 80, height: 24 });
    for (view, keys) in views {
        d.keys(keys).unwrap();
        insta::assert_snapshot!(format!("{name}_{view}"), picture(&mut d, sizes));
    }
}

#[test]
fn every_view_of_the_sample_looks_as_it_did() {
    hold("sample", fixture::trace(), VIEWS, SIZES);
}

#[test]
fn every_view_of_an_exhausted_pool_looks_as_it_did() {
    let Some(trace) = incident("orders") else { return eprintln!("left out: orders is not there") };
    hold("orders", trace, VIEWS, SIZES);
}

/// The largest: of the sizes that are alike for all traces a number will do.
#[test]
fn every_view_of_a_leak_looks_as_it_did() {
    let Some(trace) = incident("quotes") else { return eprintln!("left out: quotes is not there") };
    hold("quotes", trace, VIEWS, &[((80, 24), true), ((120, 40), true), ((200, 50), false), ((250, 70), false)]);
}

#[test]
fn runs_are_shortened_and_nothing_else() {
    assert_eq!(shortened("─────────a  bb        c   "), "─⟨9⟩a  bb ⟨8⟩c");
}
