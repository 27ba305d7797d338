//! Styles by role and glyphs by meaning. A pure function of what the terminal can do.

use crate::base::spell;
use crate::base::text::{LEVELS, escape};
use crate::model::reasons::WaitKind;
use crate::wire::event::GoState;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

/// How many colours there are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ColorLevel {
    /// None: glyphs, bold and reverse have to do.
    None,
    /// The sixteen of ANSI, in the user's own palette.
    Basic,
    /// 24 bits.
    True,
}

/// What the colours stand on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Background {
    /// Light text on dark.
    Dark,
    /// Dark text on light.
    Light,
}

/// What a style is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // The names say it.
pub enum Role {
    Text,
    Dim,
    Accent,
    Title,
    Border,
    Heading,
    Key,
    Error,
    Warning,
    Selection,
    Cursor,
    Hit,
    Sample,
    Running,
    Runnable,
    Waiting,
    /// A wait for a lock.
    WaitLock,
    /// A wait for the network or a file.
    WaitIo,
    /// A wait for a clock.
    WaitTimer,
    /// A wait for something that has no colour of its own.
    WaitOther,
    Syscall,
    Gc,
    Stw,
    Heap,
    Keyword,
    Type,
    Func,
    Str,
    Number,
    Comment,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 30] = [
        Role::Text,
        Role::Dim,
        Role::Accent,
        Role::Title,
        Role::Border,
        Role::Heading,
        Role::Key,
        Role::Error,
        Role::Warning,
        Role::Selection,
        Role::Cursor,
        Role::Hit,
        Role::Sample,
        Role::Running,
        Role::Runnable,
        Role::Waiting,
        Role::WaitLock,
        Role::WaitIo,
        Role::WaitTimer,
        Role::WaitOther,
        Role::Syscall,
        Role::Gc,
        Role::Stw,
        Role::Heap,
        Role::Keyword,
        Role::Type,
        Role::Func,
        Role::Str,
        Role::Number,
        Role::Comment,
    ];
}

/// Characters with a meaning, in a Unicode and an ASCII set of the same widths (one column each).
#[derive(Debug)]
#[allow(missing_docs)] // The names say it.
pub struct Glyphs {
    pub running: char,
    pub runnable: char,
    pub waiting: char,
    /// Waiting, by what for, in the order of [`WaitKind::ALL`].
    pub waits: [char; 6],
    /// The same, but for moments of running.
    pub waking: [char; 6],
    pub syscall: char,
    /// A goroutine that does not exist, a P that nobody holds.
    pub idle: char,
    pub gc: char,
    pub stw: char,
    pub hit: char,
    pub sample: char,
    pub collapsed: char,
    pub expanded: char,
    /// Stands before the selected row.
    pub marker: char,
    pub horizontal: char,
    pub vertical: char,
    pub cross_left: char,
    pub cross_right: char,
    pub cross_down: char,
    pub cross_up: char,
    pub arrow_up: char,
    pub arrow_down: char,
    pub tick: char,
    pub ellipsis: char,
    pub dot: char,
    pub times: char,
    pub sort_up: char,
    pub sort_down: char,
    /// Eight levels from little to full.
    pub levels: [char; 8],
    /// A filled cell of a bar.
    pub full: char,
}

/// Glyphs for terminals that can show Unicode.
pub static UNICODE: Glyphs = Glyphs {
    running: '█',
    runnable: 'r',
    waiting: '─',
    waits: ['═', '─', '≈', '·', '░', '¯'],
    waking: ['╧', '╌', '~', ':', '░', '-'],
    syscall: '▒',
    idle: ' ',
    gc: '▒',
    stw: '┃',
    hit: '◆',
    sample: '•',
    collapsed: '▸',
    expanded: '▾',
    marker: '›',
    horizontal: '─',
    vertical: '│',
    cross_left: '├',
    cross_right: '┤',
    cross_down: '┬',
    cross_up: '┴',
    arrow_up: '▲',
    arrow_down: '▼',
    tick: '│',
    ellipsis: '…',
    dot: '·',
    times: '×',
    sort_up: '▴',
    sort_down: '▾',
    levels: LEVELS,
    full: '█',
};

/// Glyphs for terminals that cannot.
pub static ASCII: Glyphs = Glyphs {
    running: '#',
    runnable: 'r',
    waiting: '-',
    waits: ['m', 'c', 'n', 'z', 'g', '_'],
    waking: ['M', 'C', 'N', 'Z', 'g', '~'],
    syscall: '%',
    idle: ' ',
    gc: '%',
    stw: '!',
    hit: '*',
    sample: '.',
    collapsed: '+',
    expanded: '-',
    marker: '>',
    horizontal: '-',
    vertical: '|',
    cross_left: '+',
    cross_right: '+',
    cross_down: '+',
    cross_up: '+',
    arrow_up: '^',
    arrow_down: 'v',
    tick: '|',
    ellipsis: '~',
    dot: '|',
    times: 'x',
    sort_up: '^',
    sort_down: 'v',
    levels: ['.', '.', ':', '-', '=', '+', '*', '#'],
    full: '#',
};

/// Styles and glyphs.
#[derive(Clone, Debug)]
pub struct Theme {
    /// How many colours there are.
    pub level: ColorLevel,
    /// What they stand on.
    pub background: Background,
    /// The glyphs.
    pub glyphs: &'static Glyphs,
    /// Whether the panes give room to the view.
    pub compact: bool,
    /// Colours that the user has chosen, in 24 bits.
    own: Vec<(Role, u32)>,
}

/// What users choose colours of, and what it is the style of.
const NAMED: [(&str, Role); 9] = [
    ("running", Role::Running),
    ("runnable", Role::Runnable),
    ("syscall", Role::Syscall),
    ("lock", Role::WaitLock),
    ("channel", Role::Waiting),
    ("io", Role::WaitIo),
    ("timer", Role::WaitTimer),
    ("gc", Role::Gc),
    ("other", Role::WaitOther),
];

impl Theme {
    /// A theme for a terminal.
    pub fn new(level: ColorLevel, background: Background, ascii: bool) -> Theme {
        let glyphs = if ascii { &ASCII } else { &UNICODE };
        Theme { level, background, glyphs, compact: false, own: Vec::new() }
    }

    /// The same with the user's own colours, by what they are of: `#rrggbb`.
    ///
    /// # Errors
    ///
    /// A sentence for each name that there is not, and for each text that is not a colour.
    pub fn with_colors<'a>(mut self, all: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Theme, Vec<String>> {
        let mut wrong = Vec::new();
        for (name, color) in all {
            let hex = color.strip_prefix('#').filter(|h| h.len() == 6 && h.bytes().all(|b| b.is_ascii_hexdigit()));
            match (NAMED.iter().find(|n| n.0 == name), hex.and_then(|h| u32::from_str_radix(h, 16).ok())) {
                (Some(&(_, role)), Some(c)) => self.own.push((role, c)),
                (None, _) => {
                    let near = spell::hint_nearest(name, NAMED.iter().map(|n| n.0));
                    wrong.push(format!("colors: there is no `{}`{near}", escape(name)));
                }
                (_, None) => {
                    wrong.push(format!("colors: {name}: `{}` is not a colour: write it as #ff9e64", escape(color)));
                }
            }
        }
        if wrong.is_empty() { Ok(self) } else { Err(wrong) }
    }

    /// Whether only ASCII may be drawn.
    pub fn is_ascii(&self) -> bool {
        std::ptr::eq(self.glyphs, &ASCII)
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        let style = self.modifiers(role);
        match self.level {
            ColorLevel::None => style,
            ColorLevel::Basic => basic(role).map_or(style, |c| style.fg(c)),
            ColorLevel::True => {
                let own = self.own.iter().find(|o| o.0 == role).map(|o| o.1);
                let style = match own.or_else(|| rgb(role, self.background == Background::Light)) {
                    Some(c) => style.fg(Color::from_u32(c)),
                    None => style,
                };
                match role {
                    // Where colours are free a selected row is tinted, and keeps the colours of its text. Text without
                    // a colour of its own gets one: the terminal's might be as dark or as light as the tint.
                    Role::Selection => style
                        .remove_modifier(Modifier::REVERSED)
                        .fg(Color::from_u32(self.ink()))
                        .bg(Color::from_u32(self.tint())),
                    _ => style,
                }
            }
        }
    }

    /// The colour of plain text where the terminal's own cannot be relied on, in 24 bits.
    pub fn ink(&self) -> u32 {
        if self.background == Background::Light { 0x24292f } else { 0xd7dde6 }
    }

    /// The colour of what text is taken to stand on.
    pub fn paper(&self) -> u32 {
        if self.background == Background::Light { 0xffffff } else { 0x14181f }
    }

    /// The colour behind what is selected.
    fn tint(&self) -> u32 {
        if self.background == Background::Light { 0xdde4ee } else { 0x2c3442 }
    }

    /// Shows that what stands in an area is selected; it keeps the colours of its text where there are enough.
    pub fn select(&self, buf: &mut Buffer, area: Rect) {
        let style = self.style(Role::Selection);
        if self.level != ColorLevel::True {
            buf.set_style(area, style);
            return;
        }
        let area = area.intersection(buf.area);
        for position in area.positions() {
            let cell = &mut buf[position];
            // What is filled stays so: its text is for that colour.
            let (fg, bg) = (cell.fg, cell.bg);
            cell.set_style(style);
            if fg != Color::Reset {
                cell.set_fg(fg);
            }
            if bg != Color::Reset {
                cell.set_bg(bg);
            }
        }
    }

    /// Fills a cell with the colour that its text has.
    pub fn fill(&self, cell: &mut Cell) {
        match (self.level, cell.fg) {
            (ColorLevel::True, Color::Reset) | (ColorLevel::None | ColorLevel::Basic, _) => {
                cell.set_style(Style::new().add_modifier(Modifier::REVERSED));
            }
            (ColorLevel::True, fill) => {
                cell.set_fg(Color::from_u32(self.paper())).set_bg(fill);
            }
        }
    }

    /// The style of a block that is filled with a role's colour and has text in it.
    pub fn filled(&self, role: Role) -> Style {
        let style = self.style(role);
        match (self.level, style.fg) {
            (ColorLevel::True, Some(fill)) => style.fg(Color::from_u32(self.paper())).bg(fill),
            _ => style.add_modifier(Modifier::REVERSED),
        }
    }

    /// The style of a goroutine's state.
    pub fn state(&self, s: GoState) -> Style {
        self.style(match s {
            GoState::Running => Role::Running,
            GoState::Runnable => Role::Runnable,
            GoState::Waiting => Role::Waiting,
            GoState::Syscall => Role::Syscall,
            GoState::Undetermined | GoState::NotExist => Role::Dim,
        })
    }

    /// The style of a wait, by what it is for; of one of which that is not known, that of all others.
    pub fn wait(&self, kind: Option<WaitKind>) -> Style {
        self.style(Theme::wait_role(kind.unwrap_or(WaitKind::Other)))
    }

    /// What a wait's style is for.
    pub fn wait_role(kind: WaitKind) -> Role {
        match kind {
            WaitKind::Lock => Role::WaitLock,
            WaitKind::Channel => Role::Waiting,
            WaitKind::Io => Role::WaitIo,
            WaitKind::Timer => Role::WaitTimer,
            WaitKind::Gc => Role::Gc,
            WaitKind::Other => Role::WaitOther,
        }
    }

    /// The glyph of a wait: a different one for each kind, so that they differ without colour.
    pub fn wait_glyph(&self, kind: Option<WaitKind>) -> char {
        self.glyphs.waits[kind.unwrap_or(WaitKind::Other) as usize]
    }

    /// The same of one that waits but for moments of running.
    pub fn waking_glyph(&self, kind: Option<WaitKind>) -> char {
        self.glyphs.waking[kind.unwrap_or(WaitKind::Other) as usize]
    }

    /// The glyph of a goroutine's state: a different one for each, so that states differ without colour.
    pub fn state_glyph(&self, s: GoState) -> char {
        match s {
            GoState::Running => self.glyphs.running,
            GoState::Runnable => self.glyphs.runnable,
            GoState::Waiting => self.glyphs.waiting,
            GoState::Syscall => self.glyphs.syscall,
            GoState::Undetermined | GoState::NotExist => self.glyphs.idle,
        }
    }

    /// The glyph for a share of a cell, 0 to 1: nothing for 0, and at least the lowest level for anything more.
    pub fn level_glyph(&self, share: f64) -> char {
        if share.is_nan() || share <= 0.0 {
            return ' ';
        }
        self.glyphs.levels[((share * 8.0).ceil() as usize).clamp(1, 8) - 1]
    }

    fn modifiers(&self, role: Role) -> Style {
        let style = Style::new();
        match role {
            Role::Selection | Role::Cursor => style.add_modifier(Modifier::REVERSED),
            Role::Title | Role::Heading | Role::Key | Role::Error | Role::Hit | Role::Keyword => {
                style.add_modifier(Modifier::BOLD)
            }
            Role::Stw => style.add_modifier(Modifier::BOLD),
            Role::Dim | Role::Border | Role::Comment | Role::WaitTimer if self.level == ColorLevel::None => {
                style.add_modifier(Modifier::DIM)
            }
            _ => style,
        }
    }
}

fn basic(role: Role) -> Option<Color> {
    Some(match role {
        Role::Text | Role::Title | Role::Heading | Role::Selection | Role::Cursor => return None,
        Role::Dim | Role::Border | Role::Comment | Role::WaitTimer => Color::DarkGray,
        Role::Accent | Role::Key | Role::Keyword => Color::Cyan,
        Role::Error | Role::Stw => Color::Red,
        Role::Warning | Role::Runnable => Color::Yellow,
        Role::Hit => Color::Magenta,
        Role::Sample => Color::White,
        Role::Running => Color::Green,
        // The dark blue of most palettes cannot be read on black.
        Role::Waiting => Color::LightBlue,
        Role::WaitLock => Color::LightRed,
        Role::WaitIo => Color::LightCyan,
        Role::WaitOther => Color::Gray,
        Role::Syscall => Color::Cyan,
        Role::Gc => Color::LightMagenta,
        Role::Heap => Color::LightBlue,
        Role::Type => Color::Yellow,
        Role::Func => Color::LightBlue,
        Role::Str => Color::Green,
        Role::Number => Color::Magenta,
    })
}

fn rgb(role: Role, light: bool) -> Option<u32> {
    let (dark_bg, light_bg) = match role {
        Role::Text | Role::Title | Role::Heading | Role::Selection | Role::Cursor => return None,
        Role::Dim | Role::Comment | Role::WaitTimer => (0x9aa4b2, 0x565e69),
        Role::Border => (0x4a5361, 0xb4bcc8),
        Role::Accent | Role::Key => (0x6cb6ff, 0x0b62b4),
        Role::Error | Role::Stw => (0xff7d7a, 0xb01c19),
        Role::Warning | Role::Runnable => (0xe3b341, 0x7a5200),
        Role::Hit => (0xff7bd5, 0xb3128a),
        Role::Sample => (0xd7dde6, 0x343b45),
        Role::Running => (0x57c785, 0x146b39),
        Role::Waiting => (0x8aa9e0, 0x3d5f98),
        Role::WaitLock => (0xff9e64, 0x9a4a00),
        Role::WaitIo => (0xb9cf6e, 0x4d5f08),
        Role::WaitOther => (0xc8b79e, 0x6b5a3e),
        Role::Syscall => (0x47b8c9, 0x07626f),
        Role::Gc => (0xb392f0, 0x6f45c4),
        Role::Heap => (0x8fb3e8, 0x2f5ea3),
        Role::Keyword => (0xf08c7a, 0xa03724),
        Role::Type => (0xe3b341, 0x765000),
        Role::Func => (0x9fc8ff, 0x1f5fae),
        Role::Str => (0x93d39a, 0x23682b),
        Role::Number => (0xc9a6ff, 0x6f42c1),
    };
    Some(if light { light_bg } else { dark_bg })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_s_colours_take_the_place_of_the_theme_s_and_mistakes_are_named() {
        let theme = || Theme::new(ColorLevel::True, Background::Dark, false);
        let own = theme().with_colors([("lock", "#ff0001")].into_iter()).unwrap();
        assert_eq!(own.wait(Some(WaitKind::Lock)).fg, Some(Color::Rgb(0xff, 0, 1)));
        assert_eq!(own.style(Role::Running), theme().style(Role::Running));
        let wrong = theme().with_colors([("lokc", "#ff0001"), ("io", "red"), ("gc", "#12\u{e9}34")].into_iter());
        let wrong = wrong.unwrap_err();
        assert_eq!(wrong.len(), 3);
        assert!(wrong[0].contains("`lokc`") && wrong[0].contains("`lock`"), "{}", wrong[0]);
        assert!(wrong[1].contains("`red` is not a colour"), "{}", wrong[1]);
    }
}
