//! The source pane: the file of the chosen frame, at its line.

pub mod brief;
mod costs;

use crate::base::{FrameId, FuncId, StackId, Time};
use crate::model::dict::short_file;
use crate::model::{Frame, Index};
use crate::source::{BuiltIn, Class, Finder, Highlights, Places, Text};
use crate::tui::app::action::Action;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::view::{Command, Ctx, LineCosts, Mouse, View};
use crate::tui::theme::Role;
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use rustc_hash::FxHashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// A function: of a profile, with its position, or of the trace.
type Of = (Option<usize>, FuncId);

/// A source file as it was found, or why it was not.
#[derive(Debug)]
pub struct Loaded {
    /// The function whose file it is.
    of: Of,
    /// The file, or where it was looked for.
    file: Result<File, Vec<String>>,
}

/// A file that was read.
#[derive(Debug)]
struct File {
    path: PathBuf,
    /// Whether it is inside the program, and not on disk.
    built_in: bool,
    /// Whether only its name says that it is the function's.
    by_name: bool,
    text: Text,
    highlights: Highlights,
}

/// How many files are kept.
const MAX_KEPT: usize = 32;

/// The pane.
#[derive(Default)]
pub struct Source {
    finder: Arc<OnceLock<Finder>>,
    built_in: Option<&'static BuiltIn>,
    loaded: FxHashMap<Of, Loaded>,
    asked: Option<Of>,
    /// The line at the top, and the frame for which it was chosen.
    top: usize,
    shown: FrameId,
    /// The line under the pane's own cursor.
    cursor: usize,
    /// Hits by line of the file shown, and what they were counted for.
    counts: FxHashMap<u32, u32>,
    counted: Option<(FuncId, String, usize)>,
    /// What lines cost as a view counts it.
    of_view: Option<Arc<dyn LineCosts>>,
    /// What the trace's lines cost.
    costs: costs::Column,
    /// How wide the pane is.
    width: u16,
}

impl Source {
    /// Looks for files in these places from now on.
    pub fn set_places(&mut self, places: Places) {
        self.built_in = places.built_in;
        self.finder = Arc::new(OnceLock::from(Finder::new(places)));
        self.loaded.clear();
        self.asked = None;
    }

    fn frame(&self, cx: &Ctx) -> Option<Frame> {
        let f = cx.place.frame.some()?;
        cx.frames().dict.frames().get(f.index()).copied()
    }

    fn load(&self, cx: &Ctx, f: Frame) -> Job {
        let (of, finder) = (of(cx, f), self.finder.clone());
        let file = cx.frames().dict.func_file(f.func).to_string();
        let name = cx.frames().dict.func_name(f.func).to_string();
        let work = move |_: &JobCtx| {
            let finder = finder.get_or_init(|| {
                let here = std::env::current_dir().ok();
                Finder::new(Places::of_this_machine(here.as_deref(), |v| std::env::var_os(v)))
            });
            let found = match finder.find(&file, &name) {
                Ok(found) => match found.read() {
                    Ok(text) => {
                        let highlights = Highlights::new(&found.path.to_string_lossy(), &text);
                        let (built_in, by_name) = (found.text.is_some(), found.by_name);
                        Ok(File { built_in, by_name, path: found.path, text, highlights })
                    }
                    Err(e) => Err(vec![format!("{}: {e}", crate::base::text::escape(&found.path.to_string_lossy()))]),
                },
                Err(e) => Err(e.looked),
            };
            Ok(Loaded { of, file: found })
        };
        Job::new("source", work, |pane: &mut Source, loaded, _, _| pane.take(loaded))
    }

    fn take(&mut self, loaded: Loaded) {
        if self.loaded.len() >= MAX_KEPT {
            self.loaded.clear();
        }
        self.loaded.insert(loaded.of, loaded);
        self.asked = None;
        self.shown = FrameId::NONE;
    }

    /// Shows beside the lines what a view says that they cost.
    pub fn set_costs(&mut self, costs: Arc<dyn LineCosts>) {
        self.of_view = Some(costs);
    }

    /// The pane divided: the file's lines, and below them what there is to be said of their costs.
    fn divide(&self, area: Rect, cx: &Ctx) -> (Rect, Vec<String>) {
        let file = self.frame(cx).map(|f| cx.frames().dict.func_file(f.func));
        let mut note = file.map_or(Vec::new(), |f| self.costs.note(cx, f, area.width));
        if let Some((Loaded { file: Ok(File { by_name: true, path, .. }), .. }, _)) = self.present(cx) {
            let said = "by its name alone this is";
            let room = usize::from(area.width).saturating_sub(said.len() + 3);
            let path = crate::base::text::escape(&path.to_string_lossy()).into_owned();
            note.insert(0, format!("{said} {}", crate::base::text::fit_end(&path, room)));
        }
        // In a low pane the lines need the room more.
        let most = usize::from(area.height / 3);
        if note.len() > most {
            note.truncate(most);
            note.last_mut().into_iter().for_each(|l| l.push('…'));
        }
        (Rect { height: area.height - note.len() as u16, ..area }, note)
    }

    fn present(&self, cx: &Ctx) -> Option<(&Loaded, Frame)> {
        let f = self.frame(cx)?;
        Some((self.loaded.get(&of(cx, f))?, f))
    }

    /// Where the view says it: what each line of the function cost, by itself and with all that it called.
    fn costs(&self, cx: &Ctx) -> Option<FxHashMap<u32, (String, String)>> {
        let costs = Some(self.of_view.as_ref()?.of(cx, cx.place.frame)).filter(|c| !c.is_empty())?;
        Some(costs.into_iter().map(|(line, flat, cum)| (line, (flat, cum))).collect())
    }

    fn count(&mut self, cx: &Ctx, func: FuncId) {
        let Some(hits) = cx.hits.filter(|_| cx.place.view != ViewId::Profile) else {
            self.counts.clear();
            self.counted = None;
            return;
        };
        let list = hits.between(Time::MIN, Time::MAX);
        let key = (func, hits.query.clone(), list.len());
        if self.counted.as_ref() == Some(&key) {
            return;
        }
        self.counts = lines_hit(cx.index, list.iter().map(|h| h.stack), func);
        self.counted = Some(key);
    }
}

fn of(cx: &Ctx, f: Frame) -> Of {
    ((cx.place.view == ViewId::Profile || cx.no_trace()).then_some(cx.place.profile), f.func)
}

/// How many of the stacks have their user's frame on each line of the file in which `func` stands.
fn lines_hit(index: &Index, stacks: impl Iterator<Item = StackId>, func: FuncId) -> FxHashMap<u32, u32> {
    let file = index.dict.funcs().get(func.0 as usize).map(|f| f.file);
    let mut by_stack: FxHashMap<StackId, u32> = FxHashMap::default();
    for s in stacks {
        *by_stack.entry(s).or_default() += 1;
    }
    let mut lines = FxHashMap::default();
    for (s, n) in by_stack {
        if let Some(f) = index.dict.user_line(s)
            && index.dict.funcs().get(f.func.0 as usize).map(|f| f.file) == file
        {
            *lines.entry(f.line).or_default() += n;
        }
    }
    lines
}

/// The role of a cost: that of a change, if it has a sign.
fn sign(cost: &str, usual: Role) -> Role {
    match cost.as_bytes().first() {
        Some(b'+') => Role::Error,
        Some(b'-') => Role::Running,
        _ => usual,
    }
}

fn role(class: Class) -> Role {
    match class {
        Class::Keyword => Role::Keyword,
        Class::Type | Class::Package => Role::Type,
        Class::Function | Class::Builtin => Role::Func,
        Class::String | Class::Escape => Role::Str,
        Class::Number => Role::Number,
        Class::Comment => Role::Comment,
        Class::Field | Class::Operator => Role::Text,
    }
}

impl View for Source {
    fn title(&self, cx: &Ctx) -> String {
        match self.frame(cx) {
            Some(f) => {
                let file = cx.frames().dict.func_file(f.func);
                crate::base::text::escape(short_file(file)).into_owned() + self.costs.title(cx, file, self.width)
            }
            None if cx.place.view == ViewId::Profile || cx.place.lists_findings() || cx.no_trace() => "source".into(),
            None => "findings".into(),
        }
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        if action == Action::Editor {
            let Some((loaded, f)) = self.present(cx) else { return false };
            match &loaded.file {
                Ok(file) => {
                    let line = if cx.focused { self.cursor as u32 } else { f.line };
                    // An editor wants a file on disk.
                    let path = match self.built_in.filter(|_| file.built_in) {
                        Some(inside) => inside.unpack(&file.path.to_string_lossy()),
                        None => Ok(file.path.clone()),
                    };
                    out.push(match path {
                        Ok(path) => Command::Open(path, line.max(1)),
                        Err(e) => Command::Fail(format!("{} cannot be written for the editor: {e}", self.title(cx))),
                    });
                }
                Err(_) => out.push(Command::Fail(format!("{} was not found here", self.title(cx)))),
            }
            return true;
        }
        if !cx.focused {
            return false;
        }
        let Some((Loaded { file: Ok(file), .. }, _)) = self.present(cx) else { return false };
        let last = file.text.len().max(1);
        let to = match action {
            Action::Down => self.cursor + 1,
            Action::Up => self.cursor.saturating_sub(1),
            Action::HalfDown => self.cursor + 10,
            Action::HalfUp => self.cursor.saturating_sub(10),
            Action::PageDown => self.cursor + 20,
            Action::PageUp => self.cursor.saturating_sub(20),
            Action::Top => 1,
            Action::Bottom => last,
            Action::Enter => return self.handle(Action::Editor, cx, out),
            Action::Copy => {
                let text = format!("{}:{}", file.path.display(), self.cursor);
                out.push(Command::Copy(text));
                return true;
            }
            _ => return false,
        };
        self.cursor = to.clamp(1, last);
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let Some((Loaded { file: Ok(file), .. }, _)) = self.present(cx) else { return false };
        let last = file.text.len().max(1);
        let (area, _) = self.divide(area, cx);
        match what {
            Mouse::Press | Mouse::Double if !area.contains(at) => return false,
            Mouse::Press => self.cursor = (self.top + usize::from(at.y - area.y)).clamp(1, last),
            Mouse::Double => return self.handle(Action::Editor, cx, out),
            Mouse::Wheel(n, false) => {
                let bottom = last.saturating_sub(usize::from(area.height).saturating_sub(1)).max(1);
                self.top = self.top.saturating_add_signed(n as isize * 3).clamp(1, bottom);
                self.cursor = self.cursor.clamp(self.top, self.top + usize::from(area.height.max(1)) - 1);
            }
            _ => return false,
        }
        true
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        self.width = area.width;
        let Some(f) = self.frame(cx) else { return };
        if !self.loaded.contains_key(&of(cx, f)) {
            if self.asked != Some(of(cx, f)) {
                self.asked = Some(of(cx, f));
                out.push(Command::Run(self.load(cx, f)));
            }
            return;
        }
        self.count(cx, f.func);
        out.extend(self.costs.ask(cx, area.width).map(Command::Run));
        // Where it is not seen it stays where it was.
        if area.is_empty() {
            return;
        }
        let height = usize::from(self.divide(area, cx).0.height.max(1));
        if self.shown != cx.place.frame {
            self.shown = cx.place.frame;
            self.cursor = f.line.max(1) as usize;
            // The line stands a third down, so that what leads to it is seen.
            self.top = self.cursor.saturating_sub(height / 3).max(1);
        }
        self.top = self.top.clamp((self.cursor + 1).saturating_sub(height).max(1), self.cursor.max(1));
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        let dim = cx.theme.style(Role::Dim);
        let Some((loaded, f)) = self.present(cx) else {
            // A line is on its way, or there is none to show.
            if self.frame(cx).is_none() && cx.place.view != ViewId::Profile {
                brief::draw(area, buf, cx, self.built_in.map_or(&[], |b| b.hint));
            }
            return;
        };
        let file = match &loaded.file {
            Ok(file) => file,
            Err(looked) => {
                let name = format!("{}  {}", crate::tui::text::func(cx.frames().dict.func_name(f.func)), {
                    crate::tui::text::place(cx.frames(), f)
                });
                write(buf, area, area.x + 1, area.y, &name, cx.theme.style(Role::Text));
                write(buf, area, area.x + 1, area.y + 1, "the file was not found here:", cx.theme.style(Role::Warning));
                for (i, l) in looked.iter().enumerate().take(usize::from(area.height).saturating_sub(2)) {
                    write(buf, area, area.x + 3, area.y + 2 + i as u16, l, dim);
                }
                return;
            }
        };
        let (area, note) = self.divide(area, cx);
        for (i, line) in note.iter().enumerate() {
            let below = Rect { y: area.bottom() + i as u16, height: 1, ..area };
            write(buf, below, below.x + 1, below.y, line, dim);
        }
        let costs = self.costs(cx);
        let columns = costs::Column::width(cx, area.width) > 0;
        let of_trace = self.costs.of(cx, cx.frames().dict.func_file(f.func));
        let digits = file.text.len().to_string().len().max(3);
        for row in 0..area.height {
            let number = self.top.max(1) + usize::from(row);
            if number > file.text.len() {
                break;
            }
            let y = area.y + row;
            let here = number == f.line as usize;
            let style = if here { cx.theme.style(Role::Key) } else { dim };
            let x = write(buf, area, area.x, y, &format!("{number:>digits$} "), style);
            let x = match &costs {
                Some(costs) => {
                    let (flat, cum) = costs.get(&(number as u32)).map_or(("", ""), |c| (&c.0, &c.1));
                    // In a narrow pane the text needs the room more.
                    let x = match area.width {
                        0..56 => x,
                        _ => write(buf, area, x, y, &format!("{flat:>8} "), cx.theme.style(sign(flat, Role::Text))),
                    };
                    write(buf, area, x, y, &format!("{cum:>8} "), cx.theme.style(sign(cum, Role::Sample)))
                }
                None if columns => {
                    let cost = of_trace.and_then(|c| c.get(&(number as u32)).copied()).unwrap_or_default();
                    cost.render((area, x, y), buf, cx)
                }
                None => x,
            };
            let marker = if here { cx.theme.glyphs.collapsed } else { ' ' };
            let x = write(buf, area, x, y, &format!("{marker} "), cx.theme.style(Role::Key));
            // Hits stand at the right edge; the text ends before them.
            let hits = self.counts.get(&(number as u32)).map(|n| format!(" {}{n}", cx.theme.glyphs.hit));
            let kept = hits.as_ref().map_or(0, |h| h.chars().count() as u16);
            let clip = Rect { width: area.width.saturating_sub(kept), ..area };
            let line = file.text.shown(number);
            write(buf, clip, x, y, &line.text, cx.theme.style(Role::Text));
            for span in file.highlights.line(number) {
                let (a, b) = (line.offset(span.range.start), line.offset(span.range.end));
                let (Some(before), Some(text)) = (line.text.get(..a), line.text.get(a..b)) else { continue };
                let at = x + crate::base::text::width(before).min(usize::from(u16::MAX / 2)) as u16;
                write(buf, clip, at, y, text, cx.theme.style(role(span.class)));
            }
            if let Some(h) = hits {
                write(buf, area, area.right().saturating_sub(kept), y, &h, cx.theme.style(Role::Hit));
            }
            if here && !cx.focused || cx.focused && number == self.cursor {
                let from = if cx.theme.level == crate::tui::theme::ColorLevel::True { area.x } else { x };
                cx.theme.select(buf, Rect { x: from, y, width: area.right().saturating_sub(from), height: 1 });
            }
        }
    }
}
