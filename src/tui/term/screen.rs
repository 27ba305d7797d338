//! The terminal: taking it over, giving it back whatever happens, and the loop between input, model and screen.

use super::encoder::Terse;
use super::live;
use super::out::{self, Out};
use super::pace::{self, FRAME, Timed, Waited};
use super::signals::{self, Asked};
use super::tty;
use crate::analysis::profile::Profiled;
use crate::read::Trace;
use crate::read::bookmarks::Store;
use crate::source::{Places, editor};
use crate::tui::app::beside::Beside;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::Effect;
use crate::tui::app::keymap::Keymap;
use crate::tui::app::live::{Going, Live, Recorded};
use crate::tui::app::model::{Message, Model};
use crate::tui::app::runner::{Delivery, Runner};
use crate::tui::theme::Theme;
use crossbeam_channel::{Receiver, Sender, unbounded};
use crossterm::event::{self, EnableBracketedPaste, EnableMouseCapture, Event};
use crossterm::{cursor, execute, terminal};
use ratatui::Terminal;
use ratatui::layout::{Rect, Size};
use std::ffi::OsString;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What the viewer needs to start.
pub struct Setup {
    /// The trace, opened and not read.
    pub trace: Arc<Trace>,
    /// The profiles that are opened with it.
    pub profiles: Vec<Arc<Profiled>>,
    /// Texts that say something of the trace's goroutines.
    pub beside: Beside,
    /// What messages call them.
    pub name: String,
    /// Where in the trace to begin: how long after its start, and at which goroutine.
    pub at: Option<(crate::base::Duration, Option<crate::base::GoId>)>,
    /// Styles and glyphs.
    pub theme: Theme,
    /// Keys.
    pub keymap: Keymap,
    /// The editor's command from the settings, before `$VISUAL` and `$EDITOR`.
    pub editor: Option<String>,
    /// Where sources are.
    pub places: Places,
    /// Where the trace's bookmarks are kept.
    pub bookmarks: Store,
    /// Whether the mouse is the viewer's, and not the terminal's own.
    pub mouse: bool,
    /// The view to begin in.
    pub view: ViewId,
    /// The recording whose trace it is, if that is still being made.
    pub live: Option<Live>,
}

/// How long the input thread waits for input before it looks whether it is to pause.
const POLL: Duration = Duration::from_millis(100);

/// Something the loop wakes up for.
pub(super) enum Wake {
    Input(Event),
    /// There will be no more input: the terminal has gone.
    Closed,
    Answer(Delivery),
    Indexed,
    /// The trace could not be read to its end.
    Failed(&'static str),
    Signal(Asked),
    Recording(Going),
    Recorded(Recorded),
}

/// Takes the terminal over.
pub(super) fn enter(mouse: bool) -> io::Result<()> {
    tty::raw()?;
    execute!(Out, terminal::EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
    if mouse { execute!(Out, EnableMouseCapture) } else { Ok(()) }
}

/// Gives the terminal back. Does what it can: part of it may be gone.
fn leave() {
    let _ = Out.write_all(tty::RESTORE).and_then(|()| Out.flush());
    let _ = terminal::disable_raw_mode();
    tty::restore();
}

/// Gives the terminal back when it goes out of scope.
pub(super) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        leave();
        out::end();
    }
}

/// Makes a panic of this thread give the terminal back before it is printed. Those of workers are caught, cost only
/// their answer, and are not printed over the screen.
fn restore_on_panic() {
    let here = thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if thread::current().id() == here {
            leave();
            before(info);
        }
    }));
}

/// Lets the input thread be stopped while another program reads the terminal.
#[derive(Default)]
struct Pause {
    /// Whether a pause is wanted, and whether the thread is in it.
    state: Mutex<(bool, bool)>,
    changed: Condvar,
}

impl Pause {
    /// Stops the input thread; returns once it reads no more.
    fn hold(&self) {
        let mut s = self.state.lock().unwrap_or_else(|e| e.into_inner());
        s.0 = true;
        // The thread may have ended; then nobody reads, and there is nobody to wait for.
        let deadline = Instant::now() + POLL * 5;
        while !s.1 && Instant::now() < deadline {
            s = self.changed.wait_timeout(s, POLL).unwrap_or_else(|e| e.into_inner()).0;
        }
    }

    fn resume(&self) {
        self.state.lock().unwrap_or_else(|e| e.into_inner()).0 = false;
        self.changed.notify_all();
    }

    /// For the input thread: waits while a pause is wanted.
    fn point(&self) {
        let mut s = self.state.lock().unwrap_or_else(|e| e.into_inner());
        while s.0 {
            s.1 = true;
            self.changed.notify_all();
            s = self.changed.wait(s).unwrap_or_else(|e| e.into_inner());
        }
        s.1 = false;
    }
}

/// Reads input on a thread of its own. Where standard input is not the terminal (it may be the trace), crossterm reads
/// `/dev/tty`.
fn read_input(to: Sender<Wake>, pause: Arc<Pause>) -> io::Result<()> {
    thread::Builder::new().name("input".into()).spawn(move || {
        loop {
            pause.point();
            match event::poll(POLL) {
                Ok(false) => continue,
                Ok(true) => match event::read() {
                    Ok(e) => {
                        if to.send(Wake::Input(e)).is_err() {
                            return;
                        }
                    }
                    Err(_) => break,
                },
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let _ = to.send(Wake::Closed);
    })?;
    Ok(())
}

/// Runs the viewer until the user leaves it.
///
/// # Errors
///
/// The terminal cannot be used, or goes away.
pub fn run(setup: Setup) -> anyhow::Result<()> {
    let (wake, woken) = unbounded();
    restore_on_panic();

    // Signals first, so that none that comes while the terminal is being taken over leaves it in raw mode.
    let lent = Arc::new(AtomicBool::new(false));
    let to = wake.clone();
    let handle = signals::listen(lent.clone(), move |s| to.send(Wake::Signal(s)).is_ok())?;

    out::begin();
    let guard = Guard;
    enter(setup.mouse)?;
    let pause = Arc::new(Pause::default());
    read_input(wake.clone(), pause.clone())?;

    let to = wake.clone();
    let runner = Runner::new(setup.trace.clone(), move |a| drop(to.send(Wake::Answer(a))));
    let stop = Arc::new(AtomicBool::new(false));
    let (loader, recording) = match setup.live {
        Some(live) => (live::follow(&setup.trace, live.steps, wake, stop.clone())?, Some(live.stop)),
        None => (load(&setup.trace, wake, stop.clone())?, None),
    };

    let waited = Waited::default();
    let mut terminal = screen(&waited)?;
    let size = terminal.size()?;
    let mut model = Model::new(setup.trace, setup.name, setup.theme, setup.keymap, size);
    model.set_places(setup.places);
    model.set_beside(setup.beside);
    model.set_bookmarks(setup.bookmarks);
    model.begin_in(setup.view);
    model.set_profiles(setup.profiles);
    if let Some((at, go)) = setup.at {
        model.begin_at(at, go);
    }
    let mut shell = Shell {
        model,
        runner,
        pause,
        lent,
        editor: setup.editor,
        mouse: setup.mouse,
        ended: false,
        redraw: false,
        waited,
        recording,
    };
    let result = shell.turn(&mut terminal, &woken);

    stop.store(true, Ordering::Relaxed);
    handle.close();
    drop(guard);
    // The loader looks at the flag between steps, and the program's end does not wait for it.
    drop(loader);
    result
}

/// A screen on which nothing is drawn yet. Frames go out in one write.
pub(super) fn screen(waited: &Waited) -> io::Result<Screen> {
    let out = Timed::new(Out, waited.clone());
    Ok(ManuallyDrop::new(Terminal::new(Terse::new(io::BufWriter::with_capacity(1 << 16, out)))?))
}

/// Reads the trace in the background, and says at most some thirty times a second that it has got further.
fn load(trace: &Arc<Trace>, to: Sender<Wake>, stop: Arc<AtomicBool>) -> io::Result<thread::JoinHandle<()>> {
    let trace = trace.clone();
    thread::Builder::new().name("load".into()).spawn(move || {
        let last = Mutex::new(None::<Instant>);
        let report = |_| {
            let mut last = last.lock().unwrap_or_else(|e| e.into_inner());
            if last.is_none_or(|t| t.elapsed() > FRAME * 2) {
                *last = Some(Instant::now());
                let _ = to.send(Wake::Indexed);
            }
        };
        // A panic in it is an error of ours; what has been read until then stays on the screen.
        if std::panic::catch_unwind(AssertUnwindSafe(|| trace.load(&report, &stop))).is_err() {
            trace.lose("an error in gotrail itself ended the reading early; please report it");
            let _ = to.send(Wake::Failed("an error in gotrail itself ended the reading early; please report it"));
        }
        let _ = to.send(Wake::Indexed);
    })
}

/// The library's own end of a terminal complains on standard error, which may have gone with the terminal; [`leave`] gives
/// it back without.
pub(super) type Screen = ManuallyDrop<Terminal<Terse<io::BufWriter<Timed<Out>>>>>;

struct Shell {
    model: Model,
    runner: Arc<Runner>,
    pause: Arc<Pause>,
    /// Whether an editor has the terminal.
    lent: Arc<AtomicBool>,
    editor: Option<String>,
    mouse: bool,
    ended: bool,
    /// Whether the next frame is drawn onto an empty screen.
    redraw: bool,
    /// For how long the writes of a frame have waited.
    waited: Waited,
    /// Ends the recording that is shown.
    recording: Option<Arc<AtomicBool>>,
}

impl Shell {
    fn turn(&mut self, terminal: &mut Screen, woken: &Receiver<Wake>) -> anyhow::Result<()> {
        loop {
            if std::mem::take(&mut self.redraw) {
                // `Terminal::clear` would ask the terminal where its cursor is, and wait for the answer that the thread
                // which reads the keys gets: a new one knows that nothing is drawn.
                execute!(Out, terminal::Clear(terminal::ClearType::All))?;
                *terminal = screen(&self.waited)?;
            }
            let drawn = Instant::now();
            let model = &self.model;
            terminal.draw(|frame| {
                if let Some(cursor) = model.render(frame.buffer_mut()) {
                    frame.set_cursor_position(cursor);
                }
            })?;
            let free = Instant::now() + pace::rest(self.waited.take());
            // All that has come in meanwhile is taken before the next frame: keys held down cannot pile up.
            let mut next = Some(woken.recv()?);
            let mut quiet = false;
            while let Some(wake) = next {
                quiet |= matches!(wake, Wake::Answer(_) | Wake::Indexed | Wake::Recording(_));
                self.wake(wake, terminal)?;
                if self.ended {
                    return Ok(());
                }
                next = woken.try_recv().ok();
                // Input is drawn as soon as the line is free; what the background says can wait for the next frame's time.
                if next.is_none() {
                    let due = if quiet { free.max(drawn + FRAME) } else { free };
                    next = woken.recv_timeout(due.saturating_duration_since(Instant::now())).ok();
                }
            }
        }
    }

    fn wake(&mut self, wake: Wake, terminal: &mut Screen) -> anyhow::Result<()> {
        let message = match wake {
            Wake::Input(Event::Key(e)) => Message::Key(e),
            Wake::Input(Event::Mouse(e)) => Message::Mouse(e),
            Wake::Input(Event::Paste(s)) => Message::Paste(s),
            Wake::Input(Event::Resize(w, h)) => Message::Resize(w, h),
            Wake::Input(_) => return Ok(()),
            Wake::Closed => {
                self.ended = true;
                return Ok(());
            }
            Wake::Answer(a) if self.runner.wanted(&a) => Message::Answer(a.answer),
            Wake::Answer(_) => return Ok(()),
            Wake::Indexed => Message::Indexed,
            Wake::Recording(going) => Message::Recording(going),
            Wake::Recorded(recorded) => Message::Recorded(recorded),
            Wake::Failed(why) => Message::Fail(why.into()),
            Wake::Signal(Asked::Stop) => return self.suspend(terminal),
            Wake::Signal(Asked::GoOn) => return self.back(terminal),
            Wake::Signal(Asked::End) => {
                self.ended = true;
                return Ok(());
            }
        };
        self.message(message, terminal)
    }

    fn message(&mut self, message: Message, terminal: &mut Screen) -> anyhow::Result<()> {
        for effect in self.model.update(message) {
            match effect {
                Effect::Run(job) => self.runner.run(job),
                Effect::Cancel(kind) => self.runner.cancel(kind),
                Effect::Open { path, line } => self.edit(&path, line, terminal)?,
                Effect::Copy(text) => {
                    write!(Out, "{}", osc52(&text))?;
                    Out.flush()?;
                    let shown = crate::base::text::fit(&text, 60).into_owned();
                    self.message(Message::Say(format!("copied {shown}")), terminal)?;
                }
                Effect::Suspend => self.suspend(terminal)?,
                Effect::Redraw => self.redraw = true,
                Effect::StopRecording => {
                    if let Some(stop) = &self.recording {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                Effect::Quit => self.ended = true,
            }
        }
        Ok(())
    }

    /// Takes the terminal back after someone else had it.
    fn back(&mut self, terminal: &mut Screen) -> anyhow::Result<()> {
        enter(self.mouse)?;
        self.redraw = true;
        let Size { width, height } = terminal.size()?;
        terminal.resize(Rect::new(0, 0, width, height))?;
        self.message(Message::Resize(width, height), terminal)
    }

    /// Stops the program as the shell expects it; goes on when the shell lets it.
    fn suspend(&mut self, terminal: &mut Screen) -> anyhow::Result<()> {
        self.pause.hold();
        leave();
        let stopped = signals::stop()?;
        self.pause.resume();
        if stopped {
            // SIGCONT, which comes with going on, takes the terminal back.
            return Ok(());
        }
        self.back(terminal)?;
        self.message(Message::Say("there is no job control here".into()), terminal)
    }

    fn edit(&mut self, path: &Path, line: u32, terminal: &mut Screen) -> anyhow::Result<()> {
        let var = |name: &str| -> Option<OsString> { std::env::var_os(name) };
        let command = match editor::command(self.editor.as_deref(), var, path, line) {
            Ok(c) => c,
            Err(e) => return self.message(Message::Fail(e.to_string()), terminal),
        };
        let program = crate::base::text::escape(&command.program.to_string_lossy()).into_owned();
        let mut run = std::process::Command::new(&command.program);
        run.args(&command.args);
        if !command.terminal {
            use std::process::Stdio;
            run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let message = match run.spawn() {
                Ok(mut child) => {
                    // Somebody has to wait for it, or it stays as a zombie.
                    let _ = thread::Builder::new().name("editor".into()).spawn(move || child.wait());
                    Message::Say(format!("opened in {program}"))
                }
                Err(e) => Message::Fail(format!("{program} cannot be started: {e}; set $EDITOR to your editor")),
            };
            return self.message(message, terminal);
        }
        self.pause.hold();
        leave();
        if !std::io::IsTerminal::is_terminal(&io::stdin())
            && let Ok(tty) = std::fs::File::open("/dev/tty")
        {
            run.stdin(tty);
        }
        self.lent.store(true, Ordering::Relaxed);
        let status = run.status();
        self.lent.store(false, Ordering::Relaxed);
        self.pause.resume();
        self.back(terminal)?;
        let message = match status {
            Ok(s) if s.success() => return Ok(()),
            Ok(s) => Message::Fail(format!("{program} ended with {s}")),
            Err(e) => Message::Fail(format!("{program} cannot be started: {e}; set $EDITOR to your editor")),
        };
        self.message(message, terminal)
    }
}

/// The escape sequence (xterm's OSC 52) that puts text on the clipboard of the terminal's own machine.
fn osc52(text: &str) -> String {
    format!("\x1b]52;c;{}\x1b\\", base64(text.as_bytes()))
}

/// Base64 (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0u32, |n, &b| n << 8 | u32::from(b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            if i <= chunk.len() {
                out.push(char::from(DIGITS[(n >> (18 - 6 * i)) as usize & 63]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copied_text_is_base64() {
        // The test vectors of RFC 4648, section 10.
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (text, want) in cases {
            assert_eq!(base64(text.as_bytes()), want);
        }
        assert_eq!(osc52("hi"), "\x1b]52;c;aGk=\x1b\\");
    }
}
