//! The timeline with its panes on the sample trace, driven by actions and read off a buffer.

use super::{Overview, Timeline};
use crate::store::Trace;
use crate::tui::action::Action;
use crate::tui::effects::{JobCtx, run};
use crate::tui::hits::Hits;
use crate::tui::nav::{Nav, Place, Row};
use crate::tui::theme::{Background, ColorLevel, Theme};
use crate::tui::views::detail::Detail;
use crate::tui::views::source::Source;
use crate::tui::views::{Command, Ctx, Pane, View, ViewId};
use crate::wire::event::Kind;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

struct Screen {
    trace: Arc<Trace>,
    theme: Theme,
    nav: Nav,
    hits: Option<Hits>,
    overview: Overview,
    timeline: Timeline,
    detail: Detail,
    source: Source,
    focus: Pane,
    said: Vec<String>,
    copied: Vec<String>,
    area: Rect,
}

fn sample() -> Arc<Trace> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-traces/trace.out");
    let input = crate::input::open(path).unwrap();
    let trace = Trace::open("trace.out", input.bytes).unwrap();
    trace.load(&|_| {}, &AtomicBool::new(false));
    Arc::new(trace)
}

impl Screen {
    fn new(width: u16, height: u16, level: ColorLevel, ascii: bool) -> Screen {
        let trace = sample();
        let start = trace.index().start;
        let mut source = Source::default();
        let root = std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/sample-traces/paycore"));
        source.set_places(crate::source::Places { sources: vec![root], ..Default::default() });
        let mut s = Screen {
            trace,
            theme: Theme::new(level, Background::Dark, ascii),
            nav: Nav::new(Place::new(ViewId::Timeline, start)),
            hits: None,
            overview: Overview::default(),
            timeline: Timeline::default(),
            detail: Detail::default(),
            source,
            focus: Pane::Body,
            said: Vec::new(),
            copied: Vec::new(),
            area: Rect::new(0, 0, width, height),
        };
        s.settle();
        s
    }

    fn areas(&self) -> [Rect; 4] {
        let a = self.area;
        let panes = (a.height / 3).max(4);
        let top = if a.height > 36 { 2 } else { 1 };
        let body = Rect { y: top, height: a.height - top - panes, ..a };
        let bottom = Rect { y: body.bottom(), height: panes, ..a };
        let half = a.width / 2;
        [
            Rect { height: top, ..a },
            body,
            Rect { width: half, ..bottom },
            Rect { x: half + 1, width: a.width - half - 1, ..bottom },
        ]
    }

    fn with<R>(&mut self, f: impl FnOnce(&mut Self, &Ctx, &mut Vec<Command>) -> R) -> R {
        let trace = self.trace.clone();
        let index = trace.index();
        let (theme, place) = (self.theme.clone(), self.nav.here().clone());
        let hits = self.hits.take();
        let mut out = Vec::new();
        let cx = Ctx {
            trace: &trace,
            index: &index,
            theme: &theme,
            place: &place,
            hits: hits.as_ref(),
            focused: false,
            name: "trace.out",
        };
        let r = f(self, &cx, &mut out);
        drop(index);
        self.hits = hits;
        self.apply(out);
        r
    }

    fn apply(&mut self, out: Vec<Command>) {
        for c in out {
            match c {
                Command::Move(p) => *self.nav.here_mut() = p,
                Command::Enter(p) => self.nav.enter(p),
                Command::Jump(p) => self.nav.jump(p),
                Command::Narrow(n) => self.nav.narrow(n),
                Command::Back => drop(self.nav.escape()),
                Command::Frame(f) => self.nav.here_mut().frame = f,
                Command::Focus(p) => self.focus = p,
                Command::Copy(t) => self.copied.push(t),
                Command::Say(t) | Command::Fail(t) => self.said.push(t),
                Command::Open(p, line) => self.said.push(format!("open {} {line}", p.display())),
                Command::Run(job) => {
                    let trace = self.trace.clone();
                    let cancel = AtomicBool::new(false);
                    let reply = run(job, &JobCtx { trace: &trace, cancel: &cancel, partial: &|_| {} });
                    self.with(|s, cx, out| {
                        s.timeline.receive(&reply, cx, out);
                        s.detail.receive(&reply, cx, out);
                        s.source.receive(&reply, cx, out);
                    });
                }
                _ => {}
            }
        }
    }

    fn settle(&mut self) {
        for _ in 0..3 {
            let [_, body, detail, source] = self.areas();
            self.with(|s, cx, out| s.timeline.prepare(body, cx, out));
            self.with(|s, cx, out| s.detail.prepare(detail, cx, out));
            self.with(|s, cx, out| s.source.prepare(source, cx, out));
        }
    }

    fn press(&mut self, actions: &[Action]) {
        for &a in actions {
            let done = self.with(|s, cx, out| {
                let cx = Ctx { focused: true, ..*cx };
                match s.focus {
                    Pane::Body => s.timeline.handle(a, &cx, out),
                    Pane::Detail => s.detail.handle(a, &cx, out),
                    _ => s.source.handle(a, &cx, out),
                }
            });
            if !done {
                self.with(|s, cx, out| s.detail.handle(a, cx, out) || s.source.handle(a, cx, out));
            }
            self.settle();
        }
    }

    fn query(&mut self, text: &str) {
        let mut hits = Hits::new(text.into());
        let query = crate::filter::parse(text).unwrap();
        let opts = crate::analysis::search::Options::default();
        let never = AtomicBool::new(false);
        crate::analysis::search::run(&*self.trace, &query, &opts, &never, &mut |_, h| hits.found.add(&h)).unwrap();
        hits.complete = true;
        self.hits = Some(hits);
        self.settle();
    }

    fn draw(&self) -> Buffer {
        let mut buf = Buffer::empty(self.area);
        let index = self.trace.index();
        let [overview, body, detail, source] = self.areas();
        let cx = Ctx {
            trace: &self.trace,
            index: &index,
            theme: &self.theme,
            place: self.nav.here(),
            hits: self.hits.as_ref(),
            focused: false,
            name: "trace.out",
        };
        self.overview.render(overview, &mut buf, &cx);
        self.timeline.render(body, &mut buf, &Ctx { focused: self.focus == Pane::Body, ..cx });
        self.detail.render(detail, &mut buf, &Ctx { focused: self.focus == Pane::Detail, ..cx });
        self.source.render(source, &mut buf, &Ctx { focused: self.focus == Pane::Source, ..cx });
        let _ = &cx;
        buf
    }

    fn text(&self) -> String {
        let buf = self.draw();
        let index = self.trace.index();
        let cx = Ctx {
            trace: &self.trace,
            index: &index,
            theme: &self.theme,
            place: self.nav.here(),
            hits: self.hits.as_ref(),
            focused: false,
            name: "trace.out",
        };
        let title = format!("[{} | {}]\n", self.detail.title(&cx), self.source.title(&cx));
        title + &rows(&buf)
    }
}

fn rows(buf: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buf.area.height {
        let row: String = (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect();
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

#[test]
fn look() {
    use Action::*;
    for (w, h) in [(80, 24), (120, 40), (250, 70)] {
        let mut s = Screen::new(w, h, ColorLevel::True, false);
        println!("{}", s.text());
        s.query("mapassign");
        s.press(&[Enter]);
        println!("{}", s.text());
        let hit = s.hits.as_ref().unwrap().list()[40];
        s.nav.here_mut().at = hit.time;
        s.nav.here_mut().go = hit.go;
        s.nav.here_mut().event = Some(hit.no);
        s.press(&[ZoomIn, ZoomIn, ZoomIn, ZoomIn, ZoomIn, ZoomIn, ZoomIn]);
        println!("{}", s.text());
        s.press(&[NextEvent]);
        println!("{}", s.text());
        s.press(&[Unblocker]);
        println!("{} {:?}", s.text(), s.said);
        s.press(&[Enter, Down, Enter]);
        println!("{} {:?}", s.text(), s.said);
    }
}
