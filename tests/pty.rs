//! The viewer in a terminal: a pty, with vt100 for the screen. Nothing here sleeps; each step reads until the screen is
//! as expected, or the terminal has been silent for too long.
#![cfg(unix)]

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long nothing may come from the program before a step has failed. Generous: machines are busy.
const SILENCE: Duration = Duration::from_secs(60);

struct Viewer {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// The terminal's modes before the program started.
    modes: String,
}

/// The terminal's modes, to be compared.
fn modes(master: &dyn MasterPty) -> String {
    let t = master.get_termios().unwrap();
    format!("{:?} {:?} {:?} {:?} {:?}", t.input_flags, t.output_flags, t.control_flags, t.local_flags, t.control_chars)
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Viewer {
    fn start(cols: u16, rows: u16, env: &[(&str, &str)]) -> Viewer {
        Viewer::run((cols, rows), &[Path::new("sample-traces/trace.out")], env)
    }

    fn run((cols, rows): (u16, u16), args: &[&Path], env: &[(&str, &str)]) -> Viewer {
        let pair = native_pty_system().openpty(size(cols, rows)).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_gotrail"));
        command.args(args);
        command.cwd(root);
        for name in ["NO_COLOR", "VISUAL", "EDITOR", "LC_ALL", "LC_CTYPE", "COLORFGBG"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        env.iter().for_each(|(k, v)| command.env(k, v));
        let modes = modes(&*pair.master);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (to, output) = channel();
        std::thread::spawn(move || {
            let mut buf = [0; 8192];
            while let Ok(n @ 1..) = reader.read(&mut buf) {
                if to.send(buf[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Viewer {
            master: pair.master,
            child,
            keys,
            output,
            screen: vt100::Parser::new(rows.try_into().unwrap(), cols.try_into().unwrap(), 0),
            modes,
        }
    }

    /// Reads until the screen is as wanted.
    fn until(&mut self, what: &str, holds: impl Fn(&str) -> bool) {
        // A screen that counts seconds is never silent.
        let end = std::time::Instant::now() + SILENCE * 2;
        while !holds(&self.screen.screen().contents()) {
            match self.output.recv_timeout(SILENCE.min(end.saturating_duration_since(std::time::Instant::now()))) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(e) => panic!("{what}: {e}; the screen is\n{}", self.screen.screen().contents()),
            }
        }
    }

    fn shows(&mut self, text: &str) {
        self.until(text, |s| s.contains(text));
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Types the query and waits for its list of lines.
    fn mapassign(&mut self) {
        self.shows("175 73");
        self.press("/mapassign\r");
        self.shows("3 538 hits");
        self.shows("order_cache.go:47");
    }

    /// Reads to the end; the terminal is as it was before.
    fn ends(mut self) {
        while let Ok(bytes) = self.output.recv_timeout(SILENCE) {
            self.screen.process(&bytes);
        }
        self.child.wait().unwrap();
        let s = self.screen.screen();
        assert!(!s.alternate_screen(), "the alternate screen is left");
        assert!(!s.hide_cursor(), "the cursor is shown");
        assert!(!s.bracketed_paste(), "pastes are plain again");
        assert_eq!(s.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert_eq!(modes(&*self.master), self.modes, "the terminal's modes are as before");
    }

    fn signal(&mut self, name: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
    }
}

#[test]
fn the_founding_story_in_a_terminal() {
    for (cols, rows) in [(80, 24), (120, 40)] {
        let mut v = Viewer::start(cols, rows, &[]);
        v.mapassign();
        v.press("n");
        v.shows("hit 1 of 3 538");
        v.press("q");
        v.ends();
    }
}

/// From opening to the root cause of an incident: what and where is said without a key, why with one, and two show it.
#[test]
fn two_keys_lead_to_the_cause_of_an_incident() {
    let known = [
        (
            "orders",
            ["POOL EXHAUSTED", "orders/main.go:32"],
            ["released at", "orders/main.go:33", "72.9 % select (HTTP) at orders/main.go:60"],
            ["waiting: chan receive", "unblocked by", "orders/main.go:32"],
        ),
        (
            "quotes",
            ["GOROUTINE LEAK", "quotes/main.go:30"],
            ["13 560 goroutines of main.supplier are blocked in chan send", "20 286 were started", "quotes/main.go:30"],
            ["waiting: chan send", "still blocked at trace end", "quotes/main.go:30"],
        ),
    ];
    let mut seen = 0;
    for (name, first, why, proof) in known {
        let file = format!("../shared/incidents/out-{name}/trace.out");
        let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        if !trace.exists() {
            eprintln!("skipped: {} is not there", trace.display());
            continue;
        }
        let mut v = Viewer::run((80, 24), &[&trace], &[]);
        first.iter().for_each(|text| v.shows(text));
        v.press("0");
        why.iter().for_each(|text| v.shows(text));
        v.press("\r");
        proof.iter().for_each(|text| v.shows(text));
        v.press("q");
        v.ends();
        seen += 1;
    }
    eprintln!("{seen} of 2 incidents are there");
}

#[test]
fn follows_the_terminal_s_size() {
    let mut v = Viewer::start(80, 24, &[]);
    v.mapassign();
    v.master.resize(size(120, 40)).unwrap();
    v.screen.screen_mut().set_size(40.try_into().unwrap(), 120.try_into().unwrap());
    v.until("the new last row", |s| s.lines().nth(39).is_some_and(|l| l.contains("help")));
    v.press("q");
    v.ends();
}

#[test]
fn signals_give_the_terminal_back() {
    for name in ["-TERM", "-HUP", "-INT", "-QUIT", "-ABRT", "-BUS", "-SEGV"] {
        let mut v = Viewer::start(80, 24, &[]);
        v.shows("main.handle");
        v.signal(name);
        v.ends();
    }
}

#[test]
fn without_colours_states_differ_by_glyph() {
    for env in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let mut v = Viewer::start(120, 40, &[env]);
        v.shows("main.handle");
        let s = v.screen.screen();
        let colours = (0..40).flat_map(|y| (0..120).filter_map(move |x| s.cell(y, x)));
        assert!(
            colours.into_iter().all(|c| c.fgcolor() == vt100::Color::Default && c.bgcolor() == vt100::Color::Default)
        );
        v.press("q");
        v.ends();
    }
}

#[test]
fn the_editor_gets_the_line_and_gives_the_screen_back() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("my editor");
    let log = dir.path().join("log");
    std::fs::write(&script, "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$EDITOR_LOG\"\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let editor = format!("'{}' --wait", script.display());
    let mut v = Viewer::start(120, 40, &[("EDITOR", &editor), ("EDITOR_LOG", log.to_str().unwrap())]);
    v.mapassign();
    v.press("n");
    v.shows("hit 1 of 3 538");
    v.shows("▸         c.byID");
    // What is on the screen after this was drawn when the editor had ended.
    v.screen.process(b"\x1b[2J");
    v.press("o");
    v.shows("payment/order_cache.go");
    v.press("q");
    v.ends();
    let args = std::fs::read_to_string(&log).unwrap();
    assert!(args.starts_with("--wait\n"), "{args}");
    assert!(args.contains("order_cache.go") && args.contains("47"), "{args}");
}

#[test]
fn what_was_lost_is_said_once_in_a_terminal() {
    let trace = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-traces/trace.out")).unwrap();
    let cut = tempfile::Builder::new().prefix("cut").tempfile().unwrap();
    std::fs::write(cut.path(), &trace[..300_000]).unwrap();
    let mut v = Viewer::run((120, 60), &[Path::new("summary"), Path::new("--no-cache"), cut.path()], &[]);
    while let Ok(bytes) = v.output.recv_timeout(SILENCE) {
        v.screen.process(&bytes);
    }
    v.child.wait().unwrap();
    let screen = v.screen.screen().contents();
    assert_eq!(screen.matches("is cut off at byte 300000").count(), 1, "{screen}");
}

#[test]
fn an_editor_that_leaves_the_terminal_raw_does_not_leave_it_so() {
    let mut v = Viewer::start(120, 40, &[("EDITOR", "sh -c 'stty raw -echo; printf \\033[?1003h'")]);
    v.mapassign();
    v.press("n");
    v.shows("▸         c.byID");
    v.screen.process(b"\x1b[2J");
    v.press("o");
    v.shows("payment/order_cache.go");
    // Enter is a key of its own, and the viewer's modes are not the editor's.
    v.press("q");
    v.ends();
}

#[test]
fn a_trace_cut_short_while_it_is_on_the_screen_ends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.trace");
    let one = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-traces/trace.out")).unwrap();
    std::fs::write(&path, one.repeat(9)).unwrap();
    let mut v = Viewer::run((120, 40), &[Path::new("--no-cache"), &path], &[]);
    v.shows("main.handle");
    std::fs::File::options().write(true).open(&path).unwrap().set_len(1000).unwrap();
    v.press("G");
    v.press("/mapassign\r");
    v.shows("cut short");
    v.press("q");
    v.ends();
}

/// An incident's trace, where it is there.
fn incident(name: &str) -> Option<std::path::PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../shared/incidents/out-{name}/trace.out"));
    if !path.exists() {
        eprintln!("left out: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// Without the findings, which would say it at once.
#[test]
fn the_root_cause_of_two_incidents_is_at_most_three_keys_away() {
    for (name, events, keys) in [
        // A pool of four, held across a call to another service and a sleep.
        (
            "orders",
            "115 654 events",
            &[
                ("L", &["blocked at orders/main.go:32 main.(*Pool).Get", "a pool, held by up to 4"][..]),
                ("e", &["while held: 72.9 % select (HTTP)"]),
                ("c", &["root cause: ", "http.(*conn).serve, each waiting for the next"]),
            ][..],
        ),
        // Whoever asks several and takes the first answer leaves the others blocked.
        (
            "quotes",
            "1 027 605 events",
            &[(
                "L",
                &["blocked at quotes/main.go:30 main.supplier", "no receiver ever came", "still blocked at trace end"],
            )],
        ),
    ] {
        let Some(path) = incident(name) else { return };
        assert!(keys.len() <= 3);
        let mut v = Viewer::run((80, 24), &[&path], &[]);
        v.until(name, |s| s.contains(events) && !s.contains("reading"));
        for (key, shown) in keys {
            v.press(key);
            shown.iter().for_each(|text| v.shows(text));
        }
        v.press("q");
        v.ends();
    }
}

/// Where each generation of a trace of Go 1.26 or later ends: a batch is a type, four numbers and as many bytes as the last
/// of them says, and a byte of its own ends a generation.
fn generations(data: &[u8]) -> Vec<usize> {
    let (mut ends, mut at) = (Vec::new(), 16);
    while at < data.len() {
        if data[at] == 52 {
            at += 1;
            ends.push(at);
            continue;
        }
        let mut numbers = [0usize; 4];
        at += if data[at] == 1 { 1 } else { 2 };
        for n in &mut numbers {
            for shift in (0..).step_by(7) {
                *n |= usize::from(data[at] & 0x7f) << (shift & 63);
                at += 1;
                if data[at - 1] < 0x80 {
                    break;
                }
            }
        }
        at += numbers[3];
    }
    ends
}

/// A server of `net/http/pprof` that sends a generation of a trace each time that the test asks for one, and ends when it
/// asks no more.
fn server_in_steps(trace: Vec<u8>) -> (String, std::sync::mpsc::Sender<()>) {
    let (ask, asked) = channel::<()>();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = std::sync::Arc::new(std::sync::Mutex::new(asked));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (trace, asked) = (trace.clone(), asked.clone());
            std::thread::spawn(move || {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read_exact(&mut byte).is_err() {
                        return;
                    }
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                if !head.contains("/trace") {
                    let file = if head.contains("/profile") { "cpu.pb.gz" } else { "heap.pb.gz" };
                    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-traces").join(file);
                    let body = std::fs::read(path).unwrap();
                    let first = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                    let _ = stream.write_all(&[first.as_bytes(), &body].concat());
                    return;
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                let (mut from, asked) = (0, asked.lock().unwrap());
                for to in generations(&trace) {
                    if asked.recv().is_err() {
                        break;
                    }
                    let piece = &trace[from..to];
                    let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
                    if stream.write_all(&chunk).and_then(|()| stream.flush()).is_err() {
                        return;
                    }
                    from = to;
                }
                let _ = stream.write_all(b"0\r\n\r\n");
            });
        }
    });
    (format!("http://{address}"), ask)
}

/// A viewer that records what a server hands out in steps, and what asks for the next one.
fn recording(data: &[u8], folder: &Path) -> (Viewer, std::sync::mpsc::Sender<()>) {
    let (url, next) = server_in_steps(data.to_vec());
    let args = ["record", &url, "--seconds", "600", "-o"].map(Path::new);
    (Viewer::run((140, 30), &[&args[..], &[folder]].concat(), &[]), next)
}

/// The events that the title counts.
fn events(screen: &str) -> Option<u64> {
    let before = screen.lines().next()?.split(" events").next()?;
    let digits = before.rsplit(" · ").next()?.chars().filter(char::is_ascii_digit).collect::<String>();
    digits.parse().ok()
}

#[test]
fn a_recording_grows_on_the_screen_while_it_is_made() {
    let data = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/long.trace")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("rec");
    let (mut v, next) = recording(&data, &folder);
    // The second generation says where the first one ends.
    next.send(()).unwrap();
    next.send(()).unwrap();
    v.shows("Esc/q stops");
    v.until("events", |s| events(s).is_some());
    let mut before = events(&v.screen.screen().contents()).unwrap();
    // Keys are answered, and the cursor stays on its row while the trace grows.
    // The detail pane is named after what is under the cursor.
    let cursor = |s: &str| {
        let rule = s.lines().find(|l| l.starts_with("─ ") && l.contains('┬'))?;
        Some(rule.split(" · ").next().unwrap_or_default().to_owned())
    };
    v.until("a cursor", |s| cursor(s).is_some());
    let first = cursor(&v.screen.screen().contents());
    v.press("j");
    v.until("the next row", |s| cursor(s).is_some_and(|c| Some(c) != first));
    let row = cursor(&v.screen.screen().contents());
    for _ in 0..3 {
        next.send(()).unwrap();
        v.until("more events", |s| events(s).is_some_and(|n| n > before));
        before = events(&v.screen.screen().contents()).unwrap();
        assert_eq!(cursor(&v.screen.screen().contents()), row);
        v.press("?");
        v.shows("keys; / searches");
        v.press("\x1b");
        v.until("no list of keys", |s| !s.contains("keys; / searches"));
    }
    // All the rest, and the end of the answer: the trace is complete, and what was recorded beside it is open, too.
    (0..15).for_each(|_| next.send(()).unwrap());
    drop(next);
    v.until("the end of the recording", |s| !s.lines().next().is_some_and(|l| l.contains("recording")));
    v.press("9");
    // Without profiles the view says how they are opened.
    v.shows(" of 6: cpu.pb.gz");
    v.press("q");
    v.ends();
    assert_eq!(std::fs::read(folder.join("trace.out")).unwrap(), data);
    assert!(folder.join("gotrail.json").exists());
}

#[test]
fn the_first_q_ends_a_recording_and_what_was_had_is_kept() {
    let data = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/long.trace")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("rec");
    let (mut v, next) = recording(&data, &folder);
    (0..3).for_each(|_| next.send(()).unwrap());
    v.until("events", |s| events(s).is_some());
    v.press("q");
    v.until("the end of the recording", |s| !s.lines().next().is_some_and(|l| l.contains("recording")));
    v.press("q");
    v.ends();
    let kept = std::fs::read(folder.join("trace.out")).unwrap();
    assert!(!kept.is_empty() && data.starts_with(&kept));
}

/// Before the first generation is whole there is nothing to see: what is waited for is said, keys are not echoed, and the one
/// that leaves the viewer ends the recording, of which what was had is kept.
#[test]
fn a_recording_can_be_ended_before_there_is_anything_to_see() {
    let data = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/long.trace")).unwrap();
    for key in ["q", "\x03"] {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("rec");
        let (mut v, next) = recording(&data, &folder);
        v.shows("the viewer opens with the first whole second of the trace");
        assert!(v.screen.screen().alternate_screen());
        // What there is of the trace is less than a generation.
        next.send(()).unwrap();
        v.shows("/s · Esc/q stops");
        v.press("xyz");
        v.press(key);
        // The recording goes on while the server hands nothing out, and ends all the same.
        v.shows("ended early, by the user");
        v.shows("heap-before.pb.gz");
        let said = v.screen.screen().contents();
        assert!(!said.contains("xyz"), "{said}");
        drop(next);
        v.ends();
        assert!(folder.join("heap-before.pb.gz").exists() && folder.join("gotrail.json").exists());
    }
}
