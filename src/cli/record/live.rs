//! A recording that is shown while it is being made.

use super::{Flags, said};
use crate::analysis::profile::Profiled;
use crate::base::Duration;
use crate::base::text::escape;
use crate::cli::{Exit, Result, viewer};
use crate::input::{self, Bytes, DUMP};
use crate::profile::model::Profile;
use crate::read::Trace;
use crate::read::trace::Options;
use crate::record::take::{self, TRACE};
use crate::record::{Control, Folder, Progress, Server, Wish};
use crate::report::schema::recording::Recording;
use crate::tui::app::live::{Going, Live, Recorded, Step};
use crate::tui::term::wait::Look;
use crossbeam_channel::{Receiver, Sender, TryRecvError, unbounded};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Records, and opens the viewer as soon as the first generation is whole. If it never is, the viewer shows what there is
/// in the end.
pub(super) fn run(
    server: &Server,
    wish: &Wish,
    folder: &Folder,
    flags: &Flags,
    view: viewer::ViewArgs,
    out: &mut dyn Write,
) -> Result<Exit> {
    std::thread::scope(|s| {
        let (tell, steps) = unbounded();
        let recorder = s.spawn(move || record(server, wish, folder, flags, &tell));
        let first = begun(&steps, (server, wish, folder), flags, &view);
        if first.is_err() {
            flags.stop.store(true, Ordering::Relaxed);
        }
        let shown = match first? {
            Some(trace) => {
                let live = Live { steps, stop: Arc::clone(&flags.stop) };
                let shown = viewer::watch(&view, trace, folder, live);
                // Whoever leaves the viewer has had enough.
                flags.stop.store(true, Ordering::Relaxed);
                Some(shown)
            }
            None => None,
        };
        let made = recorder.join().map_err(|_| io::Error::other("an error in gotrail itself; please report it"))??;
        let exit = said(&made, folder, out)?;
        match shown {
            Some(shown) => shown.map(|_| exit),
            None if made.files.is_empty() || flags.stopped() => Ok(exit),
            None => {
                out.flush()?;
                let files = files(&made, folder);
                // Without files the viewer opens the demo.
                if !files.is_empty() {
                    viewer::run(&viewer::ViewArgs { files, ..view })?;
                }
                Ok(exit)
            }
        }
    })
}

/// The files of a recording that the viewer opens.
pub(super) fn files(made: &Recording, folder: &Folder) -> Vec<PathBuf> {
    made.files.iter().map(|f| folder.path().join(&f.name)).filter(|f| !f.ends_with(DUMP)).collect()
}

/// Makes the recording and says how far it is.
fn record(server: &Server, wish: &Wish, folder: &Folder, flags: &Flags, tell: &Sender<Step>) -> io::Result<Recording> {
    let progress = |p: Progress| {
        // Nobody listens once the viewer has been left.
        let _ = tell.send(Step::Going(Going { elapsed: p.elapsed, rate: p.rate() }));
    };
    let made = take::take(server, wish, folder, &Control { stop: &flags.stop, keep: &flags.keep, progress: &progress });
    let recorded = match &made {
        Ok(made) => beside(made, folder),
        Err(_) => Recorded::default(),
    };
    let _ = tell.send(Step::Over(recorded));
    made
}

/// What was taken beside the trace. Each has been decoded once, before it was kept.
fn beside(made: &Recording, folder: &Folder) -> Recorded {
    let open = |path: &Path| {
        let input = input::open(path).ok()?;
        let profile = Profile::decode(&input.bytes.all()).ok()?;
        Profiled::new(&input::called(path), profile).ok()
    };
    let paths = files(made, folder);
    let mut profiles: Vec<_> =
        paths.iter().filter(|p| !p.ends_with(TRACE)).filter_map(|p| open(p)).map(Arc::new).collect();
    viewer::of_cpu_first(&mut profiles);
    let failed = made.failed.first().map(|f| format!("{}: {}", f.what, f.why));
    Recorded { profiles, failed, ..Recorded::default() }
}

/// The trace, as soon as its first generation is whole; nothing if the recording ends before, as it does for who wants no more.
fn begun(
    steps: &Receiver<Step>,
    (server, wish, folder): (&Server, &Wish, &Folder),
    flags: &Flags,
    view: &viewer::ViewArgs,
) -> Result<Option<Arc<Trace>>> {
    let never = AtomicBool::new(false);
    let host = escape(&server.host()).into_owned();
    let mut going = None;
    viewer::wait(view, |enough| {
        if enough {
            flags.stop.store(true, Ordering::Relaxed);
        }
        loop {
            match steps.try_recv() {
                Ok(Step::Going(now)) => going = Some(now),
                Ok(Step::Over(_)) | Err(TryRecvError::Disconnected) => return Look::Has(None),
                Err(TryRecvError::Empty) => break,
            }
        }
        let stopping = flags.stopped();
        // What cannot be read yet is read in the end, and what is wrong with it is said then.
        if !stopping
            && let Some(trace) = open(&folder.path().join(TRACE), wish, view)
            && trace.grow(false, &|_| {}, &never).is_ok_and(|n| n > 0)
        {
            return Look::Has(Some(Arc::new(trace)));
        }
        let far = going.map_or_else(|| "recording · Esc/q stops".into(), |g: Going| g.words(stopping));
        let opens = "the viewer opens with the first whole second of the trace";
        Look::Waits(vec![host.clone(), far, if stopping { String::new() } else { opens.into() }])
    })
}

/// The trace's file, which is being written.
fn open(path: &Path, wish: &Wish, view: &viewer::ViewArgs) -> Option<Trace> {
    let bytes = Bytes::of_file(File::open(path).ok()?).ok()?;
    let expected = i64::try_from(wish.seconds).ok()?.checked_mul(1_000_000_000).map(Duration);
    let options = Options { growing: expected, ..view.open.options(None) };
    Trace::open_with(&input::called(path), bytes, options).ok()
}
