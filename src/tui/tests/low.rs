//! A screen of 80 by 24: what is opened has the room, and nothing is out of reach.

use super::{after, driver, theme};
use crate::read::fixture;
use crate::tui::app::jobs::Effect;
use crate::tui::app::keymap::{Key, Keymap};
use crate::tui::app::model::{Message, Model};
use crate::tui::snapshot::{Driver, text};
use ratatui::layout::Size;

const SIZE: Size = Size { width: 80, height: 24 };

fn screen(d: &Driver) -> String {
    text(&d.screen(SIZE).0)
}

#[test]
fn what_a_goroutine_was_in_is_seen_when_it_is_opened() {
    let (mut d, before) = after("2<Enter><Enter>", SIZE.width, SIZE.height);
    let last = |s: &str| s.lines().take(14).last().unwrap().to_owned();
    assert!(!before.contains("main.handle  ma"), "{before}");
    d.keys("e").unwrap();
    let open = screen(&d);
    // Its row has moved up, so that its regions and frames stand below it.
    let row = open.lines().position(|l| l.contains("▾ G")).unwrap_or_else(|| panic!("{open}"));
    let below: Vec<&str> = open.lines().skip(row + 1).take(13 - row).collect();
    assert!(below.len() >= 5 && below.iter().all(|l| !l.contains("▸")), "{open}");
    assert_ne!(last(&before), last(&open));
    d.keys("e").unwrap();
    assert!(!screen(&d).contains("▾ G"), "{}", screen(&d));
}

#[test]
fn the_samples_and_their_lenses_stand_below_the_goroutines() {
    let (mut d, first) = after("G", SIZE.width, SIZE.height);
    assert!(first.contains("CPU samples"), "{first}");
    d.keys("e").unwrap();
    let open = screen(&d);
    assert!(open.lines().skip(4).take(10).any(|l| l.trim_start().starts_with("maps ")), "{open}");
}

#[test]
fn what_is_said_of_a_finding_or_a_lock_has_all_the_room_that_it_asks_for() {
    for (keys, pane) in [("0", "─┬─"), ("L", "─┬─")] {
        let (mut d, folded) = after(keys, SIZE.width, SIZE.height);
        assert!(folded.contains(pane), "{folded}");
        d.keys("e").unwrap();
        let open = screen(&d);
        assert!(!open.contains(pane), "{open}");
        // A pane that is asked for comes back.
        d.keys("<Tab>").unwrap();
        assert!(screen(&d).contains(pane), "{}", screen(&d));
        d.keys("<Esc>e").unwrap();
        assert!(screen(&d).contains(pane), "{}", screen(&d));
    }
}

#[test]
fn a_sum_of_a_critical_path_opens_into_its_steps_and_a_step_leads_to_the_timeline() {
    let size = Size { width: 160, height: 50 };
    let mut d = driver(size.width, size.height);
    d.keys("8<Enter>p").unwrap();
    let shown = |d: &Driver| text(&d.screen(size).0);
    let folded = shown(&d);
    // The first sum of several steps.
    let mut sum = folded.lines().find(|l| l.starts_with('›')).unwrap_or_else(|| panic!("{folded}")).to_owned();
    for _ in 0..10 {
        if sum.contains("›▸") {
            break;
        }
        d.keys("j").unwrap();
        sum = shown(&d).lines().find(|l| l.starts_with('›')).unwrap().to_owned();
    }
    assert!(sum.contains("›▸"), "{folded}");
    let times: usize = sum.split_whitespace().nth(4).and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{sum}"));
    assert!(times > 1, "{sum}");
    d.keys("<Enter>").unwrap();
    let open = shown(&d);
    let steps = open.lines().skip_while(|l| !l.starts_with("›▾")).skip(1).take_while(|l| l.contains("  at ")).count();
    assert!(steps > 1 && steps <= times, "{open}");
    d.keys("<Enter>").unwrap();
    assert!(shown(&d).contains("›▸") && !shown(&d).contains("›▾"), "{}", shown(&d));
    d.keys("<Enter>j<Enter>").unwrap();
    assert!(shown(&d).contains("1 timeline"));
    assert!(d.model.place().route.is_some() && d.model.place().sheet.is_none());
    d.keys("<Esc>").unwrap();
    assert!(d.model.place().sheet.is_some());
}

#[test]
fn escape_calls_off_what_looks_at_the_gc_and_enter_looks_again() {
    for (key, slot) in ["7", "6"].into_iter().zip(["runtime", "maps"]) {
        let mut m = Model::new(fixture::trace(), "x".into(), theme(), Keymap::default(), SIZE);
        m.update(Message::Indexed);
        let mut press = |keys: &str| m.update(Message::Key(Key::parse_all(keys).unwrap()[0].to_event()));
        let asks = |effects: &[Effect]| effects.iter().any(|e| matches!(e, Effect::Run(job) if job.slot.name == slot));
        let ends = |effects: &[Effect]| effects.iter().any(|e| matches!(e, Effect::Cancel(s) if s.name == slot));
        assert!(asks(&press(key)), "{slot}");
        let effects = press("<Esc>");
        assert!(ends(&effects) && !asks(&effects), "{slot}");
        assert!(!ends(&press("<Esc>")), "{slot}: there is nothing left to call off");
        press(key);
        assert!(asks(&press("<Enter>")), "{slot}");
        assert!(m.notice().is_none());
    }
}
