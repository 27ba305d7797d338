//! The view of profiles: keys in, screen and state out.

use super::{KEYS, drawn, mouse};
use crate::analysis::profile::Profiled;
use crate::profile::model::{Label, LabelValue, Profile, Span, Strings};
use crate::read::Trace;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::keymap::{Key, Keymap};
use crate::tui::app::model::Message;
use crate::tui::snapshot::{Driver, text};
use crate::tui::theme::{Background, ColorLevel, Theme};
use crossterm::event::{MouseButton, MouseEventKind};
use ratatui::layout::Size;
use std::sync::Arc;

/// A profile of the sample program.
fn profile(name: &str) -> Arc<Profiled> {
    let path = format!("{}/sample-traces/{name}", env!("CARGO_MANIFEST_DIR"));
    let profile = Profile::decode(&std::fs::read(path).unwrap()).unwrap();
    Arc::new(Profiled::new(name, profile).unwrap())
}

/// The viewer on profiles alone.
fn profiles(names: &[&str], level: ColorLevel, width: u16, height: u16) -> Driver {
    let size = Size { width, height };
    let theme = Theme::new(level, Background::Dark, false);
    let mut d = Driver::new(Arc::new(Trace::none()), &names.join(" + "), theme, Keymap::default(), size);
    d.open(names.iter().map(|n| profile(n)).collect());
    d
}

/// The sample's profile after the fix, compared with that of before.
fn compared(level: ColorLevel, width: u16, height: u16) -> Driver {
    let read = |name: &str| {
        let path = format!("{}/sample-traces/{name}", env!("CARGO_MANIFEST_DIR"));
        crate::profile::model::Profile::decode(&std::fs::read(path).unwrap()).unwrap()
    };
    let both = Profiled::against("fixed-cpu.pb.gz", read("fixed-cpu.pb.gz"), read("cpu.pb.gz"), false).unwrap();
    let mut d = profiles(&[], level, width, height);
    d.open(vec![Arc::new(both)]);
    d
}

#[test]
fn a_profile_alone_opens_on_its_view_and_the_others_say_that_there_is_no_trace() {
    let size = Size { width: 120, height: 40 };
    let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, 120, 40);
    assert_eq!(d.model.place().view, ViewId::Profile);
    let first = text(&d.screen(size).0);
    let row = first.lines().find(|l| l.starts_with('›')).unwrap();
    assert!(row.contains("0.39s 20.10% 20.10%    0.39s 20.10%        39 internal/runtime/maps"), "{first}");
    for keys in ["1", "2", "3", "4", "5", "8"] {
        d.keys(keys).unwrap();
        assert!(text(&d.screen(size).0).contains("no trace is open"), "{keys}");
    }
    d.keys("9").unwrap();
    assert_eq!(text(&d.screen(size).0), first);
}

#[test]
fn enter_puts_a_function_between_its_callers_and_callees_and_escape_comes_back() {
    let size = Size { width: 120, height: 40 };
    let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, 120, 40);
    d.keys("jj").unwrap();
    let table = text(&d.screen(size).0);
    d.keys("<Enter>").unwrap();
    let around = text(&d.screen(size).0);
    // As `peek` has it.
    let caller = around.lines().find(|l| l.contains("(*OrderCache).Update")).unwrap();
    assert!(caller.contains("1.27s 98.45%") && caller.contains("caller"), "{around}");
    d.keys("g<Enter>").unwrap();
    let line = |d: &Driver| {
        let screen = text(&d.screen(size).0);
        screen.lines().find(|l| l.starts_with('›')).unwrap().to_string()
    };
    assert!(line(&d).contains("▾ paycore/payment.(*OrderCache).Update"), "{}", line(&d));
    d.keys("<Esc>").unwrap();
    assert_eq!(text(&d.screen(size).0), around);
    d.keys("<Esc>").unwrap();
    assert_eq!(text(&d.screen(size).0), table);
}

#[test]
fn a_query_leaves_the_functions_that_it_matches_and_what_is_charged_to_the_code_is_on_its_line() {
    let size = Size { width: 120, height: 40 };
    let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, 120, 40);
    d.keys("/mapassign<Enter>").unwrap();
    let screen = text(&d.screen(size).0);
    assert!(screen.contains("1 of 192 functions match /mapassign: 66.49%"), "{screen}");
    d.keys("<Esc>m").unwrap();
    let screen = text(&d.screen(size).0);
    let row = screen.lines().find(|l| l.starts_with('›')).unwrap();
    assert!(row.contains("paycore/payment.(*OrderCache).Update"), "{screen}");
    assert!(screen.contains("payment/order_cache.go:47"), "{screen}");
    d.keys("o").unwrap();
    if let Some((path, line)) = d.opened.first() {
        assert!(path.ends_with("payment/order_cache.go") && *line == 47, "{path:?}");
    }
}

#[test]
fn x_goes_through_all_sample_types_of_all_profiles() {
    let size = Size { width: 120, height: 40 };
    let mut d = profiles(&["cpu.pb.gz", "heap.pb.gz"], ColorLevel::True, 120, 40);
    let mut seen = Vec::new();
    for _ in 0..6 {
        let screen = text(&d.screen(size).0);
        let line = screen.lines().find(|l| l.contains(" of 2: ")).unwrap().trim();
        seen.push(line.split(" · ").next().unwrap().to_string());
        d.keys("x").unwrap();
    }
    assert_eq!(seen, ["cpu", "alloc_objects", "alloc_space", "inuse_objects", "inuse_space", "samples"]);
}

#[test]
fn a_profile_can_be_drawn_at_any_size_and_stands_all_keys() {
    let mut d = profiles(&["cpu.pb.gz", "mutex.pb.gz"], ColorLevel::True, 80, 24);
    for k in KEYS.iter().chain(["9", "<Enter>", "j", "t", "j", "<Enter>", "l", "<Esc>", "x", "9", "o", "G"].iter()) {
        d.send(Message::Key(Key::parse(k).unwrap().to_event()));
        for (w, h) in [(1, 1), (2, 3), (3, 40), (80, 1), (20, 5), (79, 13), (250, 70), (0, 0), (80, 24)] {
            d.send(Message::Resize(w, h));
            d.screen(Size { width: w, height: h });
            d.send(mouse(MouseEventKind::Down(MouseButton::Left), w / 3, h / 2));
        }
    }
}

#[test]
fn profiles_look_as_they_did() {
    for (w, h) in [(80, 24), (160, 50)] {
        for (name, keys) in [
            ("profile", "jj"),
            ("profile_calls", "jj<Enter>"),
            ("profile_graph", "tjjj"),
            ("profile_mine", "m"),
            ("profile_query", "/mapassign<Enter>"),
        ] {
            let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, w, h);
            d.keys(keys).unwrap();
            insta::assert_snapshot!(format!("{name}_{w}x{h}"), drawn(&d, w, h));
        }
    }
    for (w, h) in [(80, 24), (160, 50)] {
        let mut d = compared(ColorLevel::Basic, w, h);
        insta::assert_snapshot!(format!("profile_compared_{w}x{h}"), drawn(&d, w, h));
        d.keys("/Update<Enter>t").unwrap();
        insta::assert_snapshot!(format!("profile_compared_graph_{w}x{h}"), drawn(&d, w, h));
    }
    for (name, keys) in [("profile_plain", "jj"), ("profile_graph_plain", "tjjj")] {
        let mut d = profiles(&["cpu.pb.gz"], ColorLevel::None, 80, 24);
        d.keys(keys).unwrap();
        insta::assert_snapshot!(name, drawn(&d, 80, 24));
    }
}

/// The top line, and the one above the table.
fn heads(d: &Driver) -> (String, String) {
    let screen = text(&d.screen(Size { width: 160, height: 50 }).0);
    let head = screen.lines().position(|l| l.contains("9 profile")).unwrap() + 1;
    (screen.lines().next().unwrap().to_string(), screen.lines().nth(head).unwrap().to_string())
}

/// The body's first rows, from the cursor's.
fn cursor(d: &Driver) -> String {
    let screen = text(&d.screen(Size { width: 160, height: 50 }).0);
    screen.lines().find(|l| l.starts_with('›')).unwrap_or_default().to_string()
}

#[test]
fn narrowings_stand_in_the_title_in_their_order_and_escape_takes_the_last_one_off() {
    let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, 160, 50);
    let whole = heads(&d);
    d.keys("jji").unwrap();
    let through = heads(&d);
    assert!(through.0.ends_with("through runtime.mapassign_faststr"), "{through:?}");
    // go tool pprof -top -focus='^runtime.mapassign_faststr$' cpu.pb.gz
    assert!(through.1.contains("1.29s, 66.49% of 1.94s · 129 of 194 samples"), "{through:?}");
    d.keys("gI").unwrap();
    let both = heads(&d);
    assert!(both.0.ends_with("through runtime.mapassign_faststr   not through maps.ctrlGroup.matchH2"), "{both:?}");
    d.keys("T").unwrap();
    assert!(heads(&d).1.contains("1 label"), "{:?}", heads(&d));
    d.keys("jj<Enter>/Update<Enter>").unwrap();
    let all = heads(&d);
    assert!(all.0.ends_with("without route   filter /Update"), "{all:?}");
    d.keys("<Esc>").unwrap();
    assert!(heads(&d).0.ends_with("without route"), "{:?}", heads(&d));
    // Back from the label it is on the list, and from there in the table.
    d.keys("<Esc>").unwrap();
    assert!(cursor(&d).ends_with("without") && heads(&d).0 == both.0, "{}", cursor(&d));
    d.keys("<Esc>").unwrap();
    assert_eq!(heads(&d), both);
    d.keys("<Esc>").unwrap();
    assert_eq!(heads(&d), through);
    d.keys("<Esc>").unwrap();
    assert_eq!(heads(&d), whole);
    // History has them as well.
    d.keys("[").unwrap();
    assert_eq!(heads(&d), through);
}

#[test]
fn escape_leaves_what_was_entered_last_be_it_a_function_a_zoom_or_a_narrowing() {
    let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, 160, 50);
    let screen = |d: &Driver| text(&d.screen(Size { width: 160, height: 50 }).0);
    let mut seen = vec![screen(&d)];
    for keys in ["jj<Enter>", "g<Enter>", "i", "gjjI"] {
        d.keys(keys).unwrap();
        seen.push(heads(&d).0 + cursor(&d).split_whitespace().last().unwrap_or_default());
    }
    assert!(seen[4].contains("not through"), "{seen:?}");
    d.keys("<Esc>").unwrap();
    assert!(
        heads(&d).0.contains("through payment.(*OrderCache).Update") && !heads(&d).0.contains("not"),
        "{:?}",
        heads(&d)
    );
    assert!(screen(&d).contains("▾ paycore/payment.(*OrderCache).Update"), "{}", screen(&d));
    d.keys("<Esc>").unwrap();
    assert!(!heads(&d).0.contains("through"), "{:?}", heads(&d));
    assert!(screen(&d).contains("▾ paycore/payment.(*OrderCache).Update"), "{}", screen(&d));
    d.keys("<Esc>").unwrap();
    assert!(screen(&d).contains("▾ runtime.mapassign_faststr"), "{}", screen(&d));
    d.keys("<Esc>").unwrap();
    assert!(!screen(&d).contains('▾') || screen(&d).contains("▾flat"), "{}", screen(&d));
    // The same with the graph: zoomed, then narrowed, then both back.
    d.keys("t").unwrap();
    let whole = screen(&d);
    d.keys("kk<Enter>").unwrap();
    let zoomed = screen(&d);
    assert_ne!(whole, zoomed);
    d.keys("i").unwrap();
    assert!(heads(&d).0.contains("through"), "{}", screen(&d));
    d.keys("<Esc>").unwrap();
    assert_eq!(screen(&d), zoomed);
    d.keys("<Esc>").unwrap();
    assert!(heads(&d).1.starts_with(" cpu · 1.94s") && !screen(&d).contains("nothing"), "{}", screen(&d));
}

#[test]
fn a_narrowing_that_leaves_nothing_says_how_to_get_back() {
    for keys in ["iI", "Tjii<Esc>TjI", "Tji<Esc>Tjj<Enter>Tji"] {
        let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, 100, 30);
        d.keys(keys).unwrap();
        let depth = d.model.place().narrowing.len();
        d.keys("<Esc><Esc><Esc><Esc><Esc>").unwrap();
        assert!(depth > 0 && d.model.place().narrowing.is_empty(), "{keys}");
        let screen = text(&d.screen(Size { width: 100, height: 30 }).0);
        assert!(screen.contains("cpu · 1.94s · 194 samples"), "{keys} {screen}");
    }
    let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, 100, 30);
    d.keys("iI").unwrap();
    let screen = |d: &Driver| text(&d.screen(Size { width: 100, height: 30 }).0);
    assert!(screen(&d).contains("no samples match the filter; Esc removes the last filter"), "{}", screen(&d));
    d.keys("t").unwrap();
    assert!(screen(&d).contains("no samples match the filter; Esc removes the last filter"), "{}", screen(&d));
    d.keys("T").unwrap();
    assert!(screen(&d).contains("none of these samples has a label"), "{}", screen(&d));
    let mut d = profiles(&["mutex.pb.gz"], ColorLevel::True, 100, 30);
    d.keys("T").unwrap();
    assert!(screen(&d).contains("the samples of this profile have no labels"), "{}", screen(&d));
}

fn cursor_of(d: &Driver, width: u16, height: u16) -> String {
    let screen = text(&d.screen(Size { width, height }).0);
    screen.lines().find(|l| l.starts_with('›')).unwrap_or_default().to_string()
}

#[test]
fn a_profile_narrowed_is_charged_to_the_code_as_well_and_the_views_of_a_trace_know_nothing_of_it() {
    let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, 160, 50);
    d.keys("Tj<Enter>m").unwrap();
    let (top, head) = heads(&d);
    assert!(top.ends_with("route=payout") && head.contains("attributed to your code"), "{top} {head}");
    assert!(cursor(&d).contains("payment.(*OrderCache).Update"), "{}", cursor(&d));
    d.keys("1").unwrap();
    assert!(!text(&d.screen(Size { width: 160, height: 50 }).0).contains("route=payout"));
    // There Escape has nothing of a profile's to take off.
    d.keys("<Esc>9").unwrap();
    assert_eq!(heads(&d).0, top);
}

#[test]
fn a_comparison_is_normalised_on_a_key_and_has_a_graph_of_what_has_become_less() {
    let mut d = compared(ColorLevel::True, 160, 50);
    d.keys("=").unwrap();
    let head = heads(&d).1;
    // go tool pprof -top -normalize -diff_base cpu.pb.gz fixed-cpu.pb.gz
    assert!(head.contains("1940ms before, 1940ms after") && head.contains("normalised"), "{head}");
    assert!(cursor(&d).contains("+426.84ms +22.00%  +426.84ms"), "{}", cursor(&d));
    d.keys("=t").unwrap();
    let head = heads(&d).1;
    assert!(head.contains("0.95s after · -0.99s · what grew") && !head.contains("normalised"), "{head}");
    d.keys("-g").unwrap();
    let size = Size { width: 160, height: 50 };
    let screen = text(&d.screen(size).0);
    assert!(screen.contains("what shrank") && screen.contains("-1.87s"), "{screen}");
    // In the table there is no such choice, and it says so.
    for keys in ["t", "tT"] {
        d.keys(keys).unwrap();
        let before = text(&d.screen(size).0);
        d.keys("-").unwrap();
        assert!(d.model.notice().is_some_and(|n| n.text.contains("graph")), "{keys}: {:?}", d.model.notice());
        assert_eq!(text(&d.screen(size).0).lines().next(), before.lines().next());
        d.keys("t").unwrap();
        assert!(text(&d.screen(size).0).contains("what shrank"), "{keys}");
    }
    let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, 160, 50);
    for key in ["=", "-"] {
        d.keys(key).unwrap();
        assert!(d.model.notice().is_some_and(|n| n.text.contains("--base")), "{:?}", d.model.notice());
    }
}

#[test]
fn the_source_pane_says_in_whole_how_a_profile_beside_the_trace_fits() {
    let later = |by: i64| {
        let path = format!("{}/sample-traces/cpu.pb.gz", env!("CARGO_MANIFEST_DIR"));
        let mut p = Profile::decode(&std::fs::read(path).unwrap()).unwrap();
        p.time_nanos += by;
        Arc::new(Profiled::new("cpu.pb.gz", p).unwrap())
    };
    let pane = |by: i64, width: u16, height: u16| {
        let size = Size { width, height };
        let theme = Theme::new(ColorLevel::True, Background::Dark, false);
        let mut d = Driver::new(crate::read::fixture::trace(), "trace.out", theme, Keymap::default(), size);
        d.open(vec![later(by)]);
        d.keys("/mapassign<Enter>").unwrap();
        let (screen, area) = (text(&d.screen(size).0), d.model.areas().source);
        let cut = |l: &str| l.chars().skip(usize::from(area.x)).take(usize::from(area.width)).collect::<String>();
        screen.lines().skip(usize::from(area.y) - 1).take(usize::from(area.height) + 1).map(cut).collect::<Vec<_>>()
    };
    for (w, h) in [(120, 30), (160, 40), (250, 70)] {
        let lines = pane(0, w, h);
        assert!(lines[0].contains("order_cache.go · on CPU, blocked ─"), "{lines:#?}");
        assert_eq!(lines.last().unwrap().trim(), "194 of 194 samples matched, covers the whole trace", "{lines:#?}");
        let words = |lines: &[String]| lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        let part = words(&pane(1_000_000_000, w, h));
        assert!(part.contains(" samples matched, covers ") && part.ends_with(" of 2.02s of the trace"), "{part}");
        let after = words(&pane(60_000_000_000, w, h));
        assert!(after.contains("profile began ") && after.ends_with(" after the trace ended"), "{after}");
    }
    // Where there are no columns there is nothing to be said of them.
    let narrow = pane(0, 80, 24).join("\n");
    assert!(!narrow.contains("on CPU") && !narrow.contains("matched"), "{narrow}");
}

#[test]
fn labels_have_no_source_and_the_function_that_was_left_has_its_own_again() {
    let size = Size { width: 120, height: 40 };
    let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, 120, 40);
    d.keys("jj").unwrap();
    let table = text(&d.screen(size).0);
    assert!(table.contains("lines of runtime.mapassign_faststr"), "{table}");
    d.keys("Tj").unwrap();
    let screen = text(&d.screen(size).0);
    assert!(!screen.contains("lines of") && screen.contains("┬─ source ─"), "{screen}");
    d.keys("T").unwrap();
    assert_eq!(text(&d.screen(size).0), table);
}

#[test]
fn a_comparison_dims_what_had_few_samples_on_both_sides_and_says_so() {
    let d = compared(ColorLevel::None, 160, 50);
    assert!(heads(&d).1.ends_with("dim: fewer than 5"), "{}", heads(&d).1);
    let screen = d.screen(Size { width: 160, height: 50 }).0;
    let lines = text(&screen);
    let dim = |name: &str| {
        let (y, line) = lines.lines().enumerate().find(|(_, l)| l.contains(name)).unwrap_or_else(|| panic!("{lines}"));
        let x = line[..line.find(name).unwrap()].chars().count();
        screen[(x as u16, y as u16)].modifier.contains(ratatui::style::Modifier::DIM)
    };
    // Three samples before and six after, which are three by their difference; three before and none after.
    assert!(!dim("runtime.concatstrings") && dim("runtime.(*mspan).init"), "{lines}");
}

#[test]
fn labels_of_a_comparison_have_what_they_cost_before_and_after() {
    let mut d = compared(ColorLevel::True, 160, 50);
    d.keys("Tj").unwrap();
    let screen = text(&d.screen(Size { width: 160, height: 50 }).0);
    assert!(screen.contains("before") && screen.contains("ratio") && !screen.contains(" count "), "{screen}");
    // go tool pprof -tags cpu.pb.gz, and the same of fixed-cpu.pb.gz
    let cells: Vec<String> = cursor(&d).split_whitespace().map(String::from).collect();
    assert_eq!(cells[3], "0.94s", "{}", cursor(&d));
    // Sorted by what it is now.
    d.keys("g>>>").unwrap();
    let screen = text(&d.screen(Size { width: 160, height: 50 }).0);
    assert!(screen.contains("▾after"), "{screen}");
}

/// A profile with labels of many values, and with some that mean something to a terminal.
fn labelled(keys: usize, values: usize) -> Arc<Profiled> {
    let path = format!("{}/sample-traces/cpu.pb.gz", env!("CARGO_MANIFEST_DIR"));
    let mut p = Profile::decode(&std::fs::read(path).unwrap()).unwrap();
    let base = p.samples.clone();
    let per_sample = (keys * values).div_ceil(base.len());
    let mut n = 0;
    for s in &mut p.samples {
        let start = p.labels.len() as u32;
        for _ in 0..per_sample {
            let key = p.strings.intern(&format!("key{:02}\x1b[2J", n % keys));
            let value = LabelValue::Number((n / keys) as i64, Strings::EMPTY);
            p.labels.push(Label { key, value });
            n += 1;
        }
        p.labels[start as usize..].sort_by_key(|l| l.key);
        s.labels = Span { start, len: p.labels.len() as u32 - start };
    }
    Arc::new(Profiled::new("labelled", p).unwrap())
}

#[test]
fn labels_with_thousands_of_values_are_closed_at_first_and_can_be_gone_through() {
    let mut d = profiles(&[], ColorLevel::True, 100, 30);
    d.open(vec![labelled(30, 4000)]);
    let screen = |d: &Driver| text(&d.screen(Size { width: 100, height: 30 }).0);
    d.keys("T").unwrap();
    assert!(screen(&d).contains("30 labels") && screen(&d).contains(r"▸ key02\x1b[2J"), "{}", screen(&d));
    d.keys("jj<Enter>").unwrap();
    assert!(cursor_of(&d, 100, 30).contains(r"▾ key02\x1b[2J  4 0"), "{}", screen(&d));
    d.keys("G<C-u>kkg").unwrap();
    d.keys("jjj<Enter>").unwrap();
    assert!(screen(&d).lines().next().unwrap().contains(r"key02\x1b[2J="), "{}", screen(&d));
    d.keys("<Esc>h").unwrap();
    assert!(cursor_of(&d, 100, 30).contains("▾ key02"), "{}", screen(&d));
    d.keys("h>>>").unwrap();
    assert!(cursor_of(&d, 100, 30).contains("▸ key02"), "{}", screen(&d));
}

#[test]
fn views_of_labels_variants_and_narrowings_look_as_they_did() {
    for (w, h) in [(80, 24), (160, 50)] {
        for (name, keys) in [
            ("grouped", "VG<C-u>g"),
            ("grouped_calls", "Vjjjjjj<Enter>"),
            ("grouped_graph", "Vjjjjjjt"),
            ("labels", "Tj"),
            ("narrowed", "Tj<Enter>jji"),
            ("narrowed_graph", "Tj<Enter>jIt"),
            ("nothing", "iI"),
        ] {
            let mut d = profiles(&["cpu.pb.gz"], ColorLevel::True, w, h);
            d.keys(keys).unwrap();
            insta::assert_snapshot!(format!("{name}_{w}x{h}"), drawn(&d, w, h));
        }
        let mut d = profiles(&["heap.pb.gz"], ColorLevel::True, w, h);
        d.keys("Tjj").unwrap();
        insta::assert_snapshot!(format!("labels_numbers_{w}x{h}"), drawn(&d, w, h));
        for (name, keys) in [("normalised", "="), ("less", "jt-"), ("normalised_less", "=jt-jj")] {
            let mut d = compared(ColorLevel::Basic, w, h);
            d.keys(keys).unwrap();
            insta::assert_snapshot!(format!("{name}_{w}x{h}"), drawn(&d, w, h));
        }
    }
    let mut d = profiles(&["cpu.pb.gz"], ColorLevel::None, 80, 24);
    d.keys("Tj").unwrap();
    insta::assert_snapshot!("labels_plain", drawn(&d, 80, 24));
}
