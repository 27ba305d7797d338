//! Takes a recording of fixed length: a trace and a CPU profile of the same seconds, so that CPU samples are in the trace,
//! and the other profiles before and after.

use super::clock;
use super::folder::Folder;
use super::plan::{Control, Progress, Wish, is_gone};
use super::server::Server;
use super::stream::{Piece, Stream};
use crate::base::text;
use crate::input::http::HttpError;
use crate::input::{self, Bytes, DUMP, HEADER, Limits, MANIFEST};
use crate::profile::model::Profile;
use crate::report::schema::recording::{self, Recording};
use std::fs::File;
use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

/// The trace's file.
pub const TRACE: &str = "trace.out";
/// The heap profiles from before the trace and from after it.
pub const HEAP: [&str; 2] = ["heap-before.pb.gz", "heap-after.pb.gz"];

/// A recording that is being made.
pub(super) struct Recorder<'a> {
    pub server: &'a Server,
    pub folder: &'a Folder,
    pub control: &'a Control<'a>,
    pub made: Recording,
    began: Instant,
    /// Whether nobody answers any more.
    gone: bool,
}

/// Takes a recording into a folder. What could not be had stands in the result, and in the manifest.
///
/// # Errors
///
/// The manifest cannot be written.
pub fn take(server: &Server, wish: &Wish, folder: &Folder, control: &Control) -> std::io::Result<Recording> {
    let mut r = Recorder::new(server, wish, folder, control);
    r.profile("heap", "", HEAP[0]);
    r.together(wish.seconds);
    r.after(wish.leaks);
    r.finish()
}

impl<'a> Recorder<'a> {
    pub fn new(server: &'a Server, wish: &Wish, folder: &'a Folder, control: &'a Control<'a>) -> Recorder<'a> {
        let made = Recording {
            gotrail: env!("CARGO_PKG_VERSION").into(),
            url: server.shown(),
            headers: server.headers(),
            command: server.command.clone(),
            began: clock::rfc3339(SystemTime::now()),
            server_date: server.date.clone(),
            seconds: wish.seconds,
            rate: wish.rate.clone(),
            ..Recording::default()
        };
        Recorder { server, folder, control, made, began: Instant::now(), gone: false }
    }

    /// Nanoseconds since the beginning.
    pub fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub fn stopped(&self) -> bool {
        self.control.stop.load(Ordering::Relaxed)
    }

    /// The trace and the CPU profile of the same seconds.
    fn together(&mut self, seconds: u64) {
        if self.gone || self.stopped() {
            return;
        }
        let from = self.now();
        let query = format!("seconds={seconds}");
        let mut profile = Some(Stream::open(self.server, "profile", &query, Some(seconds)));
        let mut trace = Some(Stream::open(self.server, "trace", &query, Some(seconds)));
        let (mut file, mut answered) = (None, false);
        let (mut cpu, mut bytes, mut head) = (Vec::new(), 0, Vec::new());
        let start = Instant::now();
        while trace.is_some() || profile.is_some() {
            if self.stopped() {
                self.made.notes.push("ended early, by the user".into());
                break;
            }
            // Whichever is still awaited sets the pace.
            let (from_trace, from_profile) = match (&trace, &profile) {
                (Some(t), p) => (t.next(), p.as_ref().and_then(Stream::ready)),
                (None, Some(p)) => (None, p.next()),
                (None, None) => break,
            };
            match from_trace {
                Some(Piece::Bytes(piece)) => {
                    head.extend(piece.iter().take(HEADER.saturating_sub(head.len())));
                    match self.append(&mut file, TRACE, &piece) {
                        Ok(()) => bytes += piece.len() as u64,
                        Err(e) => {
                            self.failed("trace", &format!("writing {TRACE}: {e}"));
                            trace = None;
                        }
                    }
                }
                Some(Piece::End) => (trace, answered) = (None, true),
                Some(Piece::Failed(e)) => {
                    self.fault("trace", &e);
                    trace = None;
                }
                None => {}
            }
            match from_profile {
                Some(Piece::Bytes(piece)) => cpu.extend(piece),
                Some(Piece::End) => {
                    self.keep_profile("profile", "cpu.pb.gz", &cpu, from);
                    profile = None;
                }
                Some(Piece::Failed(e)) => {
                    self.fault("profile", &e);
                    profile = None;
                }
                None => {}
            }
            (self.control.progress)(Progress { elapsed: start.elapsed(), bytes, kept: 0 });
        }
        let rate = Progress { elapsed: start.elapsed(), bytes, kept: 0 }.rate();
        match file {
            Some(_) => self.keep_trace(&head, bytes, from, rate),
            None if answered => self.failed("trace", "the answer was empty"),
            None if trace.is_some() => self.failed("trace", "nothing of it had come when the recording was ended"),
            // Why is said already.
            None => {}
        }
    }

    fn append(&self, file: &mut Option<File>, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let file = match file {
            Some(file) => file,
            None => file.insert(self.folder.file(name)?),
        };
        file.write_all(bytes)
    }

    /// Notes the trace that is in the folder, if it is one.
    pub fn keep_trace(&mut self, head: &[u8], bytes: u64, from: u64, rate: u64) {
        let Some(minor) = input::header(head) else {
            self.failed("trace", &format!("what came is no execution trace, {}", text::bytes(bytes)));
            return self.folder.remove(TRACE);
        };
        self.made.trace_format = Some(format!("1.{minor}"));
        self.made.trace_bytes_per_second = Some(rate);
        let to = self.now();
        let (name, endpoint) = (TRACE.into(), "trace".into());
        self.made.files.push(recording::File { name, endpoint, bytes, from_ns: from, to_ns: to });
    }

    /// What is asked for at the end.
    pub fn after(&mut self, leaks: bool) {
        self.profile("heap", "", HEAP[1]);
        self.profile("mutex", "", "mutex.pb.gz");
        self.profile("block", "", "block.pb.gz");
        self.profile("goroutine", "", "goroutine.pb.gz");
        if leaks {
            self.profile("goroutineleak", "", "goroutineleak.pb.gz");
        }
        self.profile("goroutine", "debug=2", DUMP);
    }

    /// Asks for a profile and keeps it, unless nobody answers any more.
    pub fn profile(&mut self, endpoint: &str, query: &str, name: &str) {
        if self.gone || self.stopped() {
            return;
        }
        let from = self.now();
        let stream = Stream::open(self.server, endpoint, query, Some(0));
        let (mut bytes, most) = (Vec::new(), Limits::of_this_machine().in_memory);
        while !self.stopped() {
            match stream.next() {
                Some(Piece::Bytes(b)) => bytes.extend(b),
                Some(Piece::End) => return self.keep_profile(endpoint, name, &bytes, from),
                Some(Piece::Failed(e)) => return self.fault(endpoint, &e),
                None => {}
            }
            if bytes.len() as u64 > most {
                return self.fault(endpoint, &HttpError::TooLarge(most));
            }
        }
    }

    /// Keeps a profile that opens, or text.
    fn keep_profile(&mut self, endpoint: &str, name: &str, bytes: &[u8], from: u64) {
        if name != DUMP {
            let input = input::from_bytes(endpoint, Bytes::Memory(bytes.to_vec().into()), Limits::of_this_machine());
            let input = input.map_err(|e| e.kind.to_string());
            match input.and_then(|i| Profile::decode(&i.bytes.all()).map_err(|e| e.to_string())) {
                Ok(profile) if profile.samples.is_empty() => self.empty(endpoint),
                Ok(_) => {}
                Err(why) => return self.failed(endpoint, &format!("what came cannot be opened: {why}")),
            }
        }
        if let Err(e) = self.folder.write(name, bytes) {
            return self.failed(endpoint, &format!("writing {name}: {e}"));
        }
        let (name, endpoint, to) = (name.into(), endpoint.into(), self.now());
        let bytes = bytes.len() as u64;
        self.made.files.push(recording::File { name, endpoint, bytes, from_ns: from, to_ns: to });
    }

    /// Says why a profile is empty, where that is likely to be a setting.
    fn empty(&mut self, endpoint: &str) {
        let calls = match endpoint {
            "mutex" => "runtime.SetMutexProfileFraction",
            "block" => "runtime.SetBlockProfileRate",
            _ => return,
        };
        self.made.notes.push(format!("the {endpoint} profile is empty: a program turns it on with {calls}"));
    }

    /// Something could not be had.
    pub fn fault(&mut self, what: &str, e: &HttpError) {
        self.failed(what, &e.to_string());
        if is_gone(e) && !self.gone {
            self.gone = true;
            self.made.notes.push("the server is gone; what it would have been asked for after that is missing".into());
        }
    }

    pub fn failed(&mut self, what: &str, why: &str) {
        let why = text::escape(&self.server.hide(why)).into_owned();
        self.made.failed.push(recording::Failed { what: what.to_owned(), why });
    }

    /// Writes the manifest.
    pub fn finish(mut self) -> std::io::Result<Recording> {
        self.made.ended = clock::rfc3339(SystemTime::now());
        let json = serde_json::to_string_pretty(&self.made).map_err(std::io::Error::from)?;
        self.folder.write(MANIFEST, format!("{}\n", text::escape_json(&json)).as_bytes())?;
        Ok(self.made)
    }
}
