//! Events as text and as JSON lines.

use super::schema;
use crate::base::{Duration, GoIdx, StackId, Time, text, time};
use crate::model::dict::{short_file, short_func, shown_func};
use crate::model::segment::Kind;
use crate::model::{Detail, Event, Index};
use std::io::{self, Write};

/// How events are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// A line an event: time, thread, P, goroutine, kind, details, the user's frame.
    Text,
    /// The same, with the stack below.
    TextWithStacks,
    /// A JSON object a line.
    JsonLines,
}

/// Writes events one after the other.
pub struct Writer {
    style: Style,
    start: Time,
}

impl Writer {
    /// A writer that shows times as offsets from `start`.
    pub fn new(style: Style, start: Time) -> Writer {
        Writer { style, start }
    }

    /// Writes an event.
    pub fn write(&mut self, index: &Index, e: &Event, out: &mut dyn Write) -> io::Result<()> {
        match self.style {
            Style::Text => self.text(index, e, out),
            Style::TextWithStacks => {
                self.text(index, e, out)?;
                for f in index.dict.stack(e.stack) {
                    let (func, file) = (index.dict.func_name(f.func), index.dict.func_file(f.func));
                    writeln!(out, "    {} {}:{}", text::escape(func), text::escape(file), f.line)?;
                }
                Ok(())
            }
            Style::JsonLines => super::json::write_line(&schema::event::Event::new(index, e, self.start), out),
        }
    }

    fn text(&self, index: &Index, e: &Event, out: &mut dyn Write) -> io::Result<()> {
        let at = time::offset(e.time - self.start, Duration(1));
        let go = goroutine(index, e.go);
        let proc = index.procs.get(e.proc.0 as usize).map_or(String::new(), |p| format!("P{}", p.id.0));
        let what = describe(index, e);
        let place = place(index, e.stack);
        let mut line = format!("{at:>16} {proc:<4} {go:<7} {:<18} {what}", e.kind.name());
        if !place.is_empty() {
            line.push_str(if what.is_empty() { "" } else { "  " });
            line.push_str(&place);
        }
        writeln!(out, "{}", line.trim_end())
    }
}

/// A goroutine's short name: `G12`, or nothing.
pub fn goroutine(index: &Index, g: GoIdx) -> String {
    index.goroutine(g).map_or(String::new(), |g| format!("G{}", g.id.0))
}

/// The user's frame of a stack, short and safe to show: `payment.(*OrderCache).Update order_cache.go:47`.
pub fn place(index: &Index, stack: StackId) -> String {
    let Some(f) = index.dict.user_line(stack) else { return String::new() };
    let func = index.dict.func_name(f.func);
    if func.is_empty() {
        return String::new();
    }
    let file = short_file(index.dict.func_file(f.func));
    text::escape(&format!("{} {file}:{}", short_func(func), f.line)).into_owned()
}

/// Which GC cycle an event is of, counted from the trace's beginning, and who triggered it.
fn cycle(index: &Index, e: &Event) -> String {
    let number = index.gc.partition_point(|r| r.from <= e.time);
    match index.goroutine(e.go).filter(|_| e.kind == Kind::GcBegin) {
        Some(g) => {
            format!("GC cycle #{number}, triggered by G{} {}", g.id.0, shown_func(index.goroutine_name(e.go)))
        }
        None => format!("GC cycle #{number}"),
    }
}

/// What an event says beyond its kind, in a few words that are safe to show.
pub fn describe(index: &Index, e: &Event) -> String {
    let s = |id| text::escape(index.dict.str(id)).into_owned();
    let by = || match index.goroutine(e.by) {
        Some(g) if e.by != e.go => format!("by G{}", g.id.0),
        _ => String::new(),
    };
    let proc =
        |p: crate::base::ProcIdx| index.procs.get(p.0 as usize).map_or(String::new(), |p| format!("P{}", p.id.0));
    match e.detail {
        Detail::Reason(r) | Detail::Label(r) | Detail::Stw(r) => s(r),
        Detail::Entry(stack) => {
            let func = index.dict.leaf(stack).map(|f| index.dict.frame_of(f).func);
            let func = func.map_or("", |f| index.dict.func_name(f));
            format!("{} {}", text::escape(short_func(func)), by())
        }
        Detail::GoStatus(state) => state.name().to_lowercase(),
        Detail::ProcStatus(p, state) => format!("{} {}", proc(p), state.name().to_lowercase()),
        Detail::Proc(p) => proc(p),
        Detail::Value(v) if matches!(e.kind, Kind::HeapAlloc | Kind::HeapGoal) => text::bytes(v),
        Detail::Value(_) if matches!(e.kind, Kind::GcBegin | Kind::GcEnd | Kind::GcActive) => cycle(index, e),
        Detail::Value(v) => v.to_string(),
        Detail::Swept { swept, reclaimed } => {
            format!("swept {}, reclaimed {}", text::bytes(swept), text::bytes(reclaimed))
        }
        Detail::Task { id, name, .. } if name.is_some() => format!("{} #{id}", s(name)),
        Detail::Task { id, .. } => format!("#{id}"),
        Detail::Region { task: 0, name } => s(name),
        Detail::Region { task, name } => format!("{} #{task}", s(name)),
        Detail::Log { category, message, .. } if category.is_some() && !index.dict.str(category).is_empty() => {
            format!("{}: {}", s(category), s(message))
        }
        Detail::Log { message, .. } => s(message),
        Detail::Clock { .. } if e.no == index.events => "the trace ends".into(),
        Detail::Clock { generation, .. } => format!("generation {generation}"),
        Detail::Experiment(args) => format!("{:#x} {}", args[0], args[1]),
        Detail::None if e.kind == Kind::GoUnblock => by(),
        Detail::None => String::new(),
    }
}
