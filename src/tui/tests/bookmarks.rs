//! Bookmarks: made, listed, gone to, removed and brought back; and their file.

use super::{driver, theme};
use crate::read::bookmarks::{Edit, Store};
use crate::read::fixture;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::{Effect, JobCtx};
use crate::tui::app::keymap::{Key, Keymap};
use crate::tui::app::model::{Message, Model};
use crate::tui::snapshot::{Driver, text};
use ratatui::layout::Size;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

const SIZE: Size = Size { width: 120, height: 40 };

fn store(folder: &Path) -> (Store, PathBuf) {
    (Store::new(Some(&folder.join("trace.out")), None), folder.join("trace.out.bookmarks"))
}

/// A viewer that keeps bookmarks in a folder.
fn viewer(folder: &Path) -> Driver {
    let mut d = driver(SIZE.width, SIZE.height);
    d.model.set_bookmarks(store(folder).0);
    d.send(Message::Indexed);
    d
}

fn screen(d: &Driver) -> String {
    text(&d.screen(SIZE).0)
}

#[test]
fn a_bookmark_with_a_note_is_listed_gone_to_removed_and_brought_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = store(folder.path()).1;
    let mut d = viewer(folder.path());
    assert!(!file.exists(), "who makes no bookmark has no file");
    d.keys("2<Enter>jj").unwrap();
    let marked = d.model.place().clone();
    assert!(marked.go.is_some());
    d.keys("b").unwrap();
    assert!(screen(&d).lines().last().unwrap().contains("note: "), "{}", screen(&d));
    d.keys("p99 begins here<Enter>").unwrap();
    let line = fs::read_to_string(&file).unwrap();
    assert!(line.ends_with("\tgoroutines\tp99 begins here\n"), "{line}");
    // From elsewhere Enter leads back, and `[` from there.
    d.keys("1GB").unwrap();
    assert!(screen(&d).contains("p99 begins here"), "{}", screen(&d));
    d.keys("<Enter>").unwrap();
    let here = d.model.place();
    assert_eq!((here.view, here.go, here.at), (ViewId::Goroutines, marked.go, marked.at));
    d.keys("[").unwrap();
    assert_eq!(d.model.place().view, ViewId::Timeline);
    // Another viewer has it too; the note can be changed where it was made, and in the list.
    let mut other = viewer(folder.path());
    other.keys("Be").unwrap();
    assert!(screen(&other).lines().last().unwrap().contains("p99 begins here"));
    other.keys(", and ends<Enter>").unwrap();
    assert!(fs::read_to_string(&file).unwrap().ends_with("\tp99 begins here, and ends\n"));
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
    other.keys("Bd").unwrap();
    assert!(!fs::read_to_string(&file).unwrap().contains("p99"));
    assert!(screen(&other).contains("no bookmarks"), "{}", screen(&other));
    other.keys("u").unwrap();
    assert!(fs::read_to_string(&file).unwrap().ends_with("\tp99 begins here, and ends\n"));
    assert!(screen(&other).contains("p99 begins here, and ends"));
}

#[test]
fn a_range_that_was_selected_is_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut d = viewer(folder.path());
    d.keys("lllvllll<Enter>").unwrap();
    let range = d.model.place().window();
    assert!(range.is_some());
    d.keys("bslow<Enter><Esc><Esc>").unwrap();
    assert_eq!(d.model.place().window(), None);
    d.keys("B<Enter>").unwrap();
    assert_eq!(d.model.place().window(), range);
    assert_eq!(d.model.notice().map(|n| n.text.as_str()), Some("slow"));
}

#[test]
fn two_viewers_of_one_trace_have_the_bookmarks_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let (mut one, mut other) = (viewer(folder.path()), viewer(folder.path()));
    one.keys("2<Enter>bfrom one<Enter>").unwrap();
    other.keys("2<Enter>jjbfrom the other<Enter>B").unwrap();
    let both = |s: &str| s.contains("from one") && s.contains("from the other");
    assert!(both(&screen(&other)), "{}", screen(&other));
    // The first learns of it with its next change, which takes nothing away.
    one.keys("jbfrom one again<Enter>B").unwrap();
    assert!(both(&screen(&one)), "{}", screen(&one));
    assert_eq!(fs::read_to_string(store(folder.path()).1).unwrap().lines().count(), 4);
}

#[test]
fn a_hostile_file_steers_no_terminal_and_leads_nowhere_it_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = store(folder.path());
    let digest = fixture::trace().digest();
    let lines = [
        "999999999s\tg99999999\t1s..99999999s\t\u{202e}views\t\u{1b}[2Jevil\u{202e}",
        "0s\t-\t-\tprofile\tno profile is open",
    ];
    let text: String = lines.iter().map(|l| format!("{digest:016x}\t{l}\n")).collect();
    fs::write(&file, text).unwrap();
    assert_eq!(store.edit(digest, &Edit::default()).all.len(), 2);
    let mut d = viewer(folder.path());
    d.keys("B").unwrap();
    let listed = screen(&d);
    assert!(listed.contains("[2Jevil\\u{202e}") && !listed.contains(['\u{1b}', '\u{202e}']), "{listed}");
    d.keys("<Enter>BG<Enter>").unwrap();
    let here = d.model.place();
    let trace = fixture::trace();
    assert!(here.at <= trace.index().end && here.view == ViewId::Timeline, "{here:?}");
    for keys in ["f", "2", "3", "5", "8", "1"] {
        d.keys(keys).unwrap();
        screen(&d);
    }
}

#[test]
fn a_note_is_given_up_with_escape_and_pasted_without_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    let file = store(folder.path()).1;
    let mut d = viewer(folder.path());
    d.keys("bnot this<Esc>").unwrap();
    assert!(!file.exists());
    d.keys("b").unwrap();
    d.send(Message::Paste("one\ntwo\tthree\u{1b}[2J".into()));
    d.keys("<Enter>").unwrap();
    assert!(fs::read_to_string(&file).unwrap().ends_with("\tonetwothree[2J\n"));
}

#[test]
fn the_viewer_ends_when_the_bookmarks_are_written_or_q_is_pressed_again() {
    for again in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (store, file) = store(folder.path());
        let trace = fixture::trace();
        let mut m = Model::new(trace.clone(), "x".into(), theme(), Keymap::default(), SIZE);
        m.set_bookmarks(store);
        let mut jobs = Vec::new();
        let mut quit = false;
        let mut take = |effects: Vec<Effect>, jobs: &mut Vec<_>| {
            for e in effects {
                match e {
                    Effect::Run(job) if job.slot.name == "bookmarks" => jobs.push(job),
                    Effect::Quit => quit = true,
                    _ => {}
                }
            }
            quit
        };
        for key in Key::parse_all("bmine<Enter>q").unwrap() {
            assert!(!take(m.update(Message::Key(key.to_event())), &mut jobs), "it is not written yet");
        }
        if again {
            assert!(take(m.update(Message::Key(Key::parse("q").unwrap().to_event())), &mut jobs));
            continue;
        }
        // One job reads what there is, the next one writes.
        for _ in 0..2 {
            let answers = Mutex::new(Vec::new());
            let say = |a| answers.lock().unwrap().push(a);
            jobs.remove(0).run(&JobCtx::new(&trace, &AtomicBool::new(false)), &say);
            for a in answers.into_inner().unwrap() {
                take(m.update(Message::Answer(a)), &mut jobs);
            }
        }
        assert!(take(Vec::new(), &mut jobs));
        assert!(fs::read_to_string(&file).unwrap().contains("mine"));
    }
}

#[test]
fn a_profile_has_no_instants_to_bookmark() {
    let folder = tempfile::tempdir().unwrap();
    let mut d = viewer(folder.path());
    d.keys("9b").unwrap();
    assert!(d.model.notice().is_some_and(|n| n.text.contains("a profile has none")), "{}", screen(&d));
}
