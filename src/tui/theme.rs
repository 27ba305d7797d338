//! Styles by role and glyphs by meaning. A pure function of what the terminal can do.

use crate::base::text::LEVELS;
use crate::wire::event::GoState;
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
    pub const ALL: [Role; 26] = [
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
    /// Waiting, but for moments of running.
    pub waking: char,
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
    waking: '╌',
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
    waking: '~',
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
}

impl Theme {
    /// A theme for a terminal.
    pub fn new(level: ColorLevel, background: Background, ascii: bool) -> Theme {
        Theme { level, background, glyphs: if ascii { &ASCII } else { &UNICODE } }
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
                let style = match rgb(role, self.background == Background::Light) {
                    Some(c) => style.fg(Color::from_u32(c)),
                    None => style,
                };
                match role {
                    // Where colours are free a selected row is tinted, and keeps the colours of its text.
                    Role::Selection => {
                        let tint = if self.background == Background::Light { 0xdde4ee } else { 0x2c3442 };
                        style.remove_modifier(Modifier::REVERSED).bg(Color::from_u32(tint))
                    }
                    _ => style,
                }
            }
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
            Role::Dim | Role::Border | Role::Comment if self.level == ColorLevel::None => {
                style.add_modifier(Modifier::DIM)
            }
            _ => style,
        }
    }
}

fn basic(role: Role) -> Option<Color> {
    Some(match role {
        Role::Text | Role::Title | Role::Heading | Role::Selection | Role::Cursor => return None,
        Role::Dim | Role::Border | Role::Comment => Color::DarkGray,
        Role::Accent | Role::Key | Role::Keyword => Color::Cyan,
        Role::Error | Role::Stw => Color::Red,
        Role::Warning | Role::Runnable => Color::Yellow,
        Role::Hit => Color::Magenta,
        Role::Sample => Color::White,
        Role::Running => Color::Green,
        Role::Waiting => Color::Blue,
        Role::Syscall => Color::Cyan,
        Role::Gc => Color::LightMagenta,
        Role::Heap => Color::LightBlue,
        Role::Type => Color::Yellow,
        Role::Func => Color::Blue,
        Role::Str => Color::Green,
        Role::Number => Color::Magenta,
    })
}

fn rgb(role: Role, light: bool) -> Option<u32> {
    let (dark_bg, light_bg) = match role {
        Role::Text | Role::Title | Role::Heading | Role::Selection | Role::Cursor => return None,
        Role::Dim | Role::Comment => (0x7d8795, 0x6b7480),
        Role::Border => (0x4a5361, 0xb4bcc8),
        Role::Accent | Role::Key => (0x6cb6ff, 0x0b62b4),
        Role::Error | Role::Stw => (0xff6b68, 0xc4221f),
        Role::Warning | Role::Runnable => (0xe3b341, 0x946300),
        Role::Hit => (0xff7bd5, 0xb3128a),
        Role::Sample => (0xd7dde6, 0x343b45),
        Role::Running => (0x57c785, 0x1b7f45),
        Role::Waiting => (0x5c7fb8, 0x4a6ea9),
        Role::Syscall => (0x47b8c9, 0x0b7a8a),
        Role::Gc => (0xb392f0, 0x7a4fd0),
        Role::Heap => (0x8fb3e8, 0x3a6db8),
        Role::Keyword => (0xf08c7a, 0xb3402c),
        Role::Type => (0xe3b341, 0x8a5d00),
        Role::Func => (0x9fc8ff, 0x1f5fae),
        Role::Str => (0x93d39a, 0x2a7a33),
        Role::Number => (0xc9a6ff, 0x6f42c1),
    };
    Some(if light { light_bg } else { dark_bg })
}
