//! Profiles summed up, held against what `go tool pprof` says of them.

use super::*;
use crate::analysis::cost::flame;
use crate::profile::model::{Label, LabelValue, Sample, ValueType};
use crate::profile::ops::pattern::Pattern;
use std::sync::atomic::AtomicBool;

static WANTED: AtomicBool = AtomicBool::new(false);

fn cpu() -> Profiled {
    let data = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/sample-traces/cpu.pb.gz")).unwrap();
    Profiled::new("cpu.pb.gz", Profile::decode(&data).unwrap()).unwrap()
}

fn ask(mine: bool) -> Ask {
    Ask { kind: 1, mine, ..Ask::default() }
}

#[test]
fn a_comparison_has_the_values_of_pprof_and_what_was_before() {
    let read = |name: &str| {
        let path = format!("{}/sample-traces/{name}", env!("CARGO_MANIFEST_DIR"));
        Profile::decode(&std::fs::read(path).unwrap()).unwrap()
    };
    let (new, old) = (read("fixed-cpu.pb.gz"), read("cpu.pb.gz"));
    let hot = Profiled::against("new", new.clone(), old.clone(), false).unwrap().sum_up(&ask(false), &WANTED).unwrap();
    let ms = 1_000_000;
    // go tool pprof -top -diff_base cpu.pb.gz fixed-cpu.pb.gz
    assert_eq!((hot.total, hot.change), (1940 * ms, Some(-990 * ms)));
    let first = &hot.rows[0];
    assert_eq!((first.name.as_str(), first.flat, first.cum), ("runtime.mapassign_faststr", -200 * ms, -1280 * ms));
    assert_eq!((first.before, first.after()), (1290 * ms, 10 * ms));
    let alone = |p: Profile| Profiled::new("alone", p).unwrap().sum_up(&ask(false), &WANTED).unwrap();
    let (before, after) = (alone(old.clone()), alone(new.clone()));
    let cum = |h: &Hot, name: &str| h.rows.iter().find(|r| r.name == name).map_or(0, |r| r.cum);
    for r in before.rows.iter().chain(&after.rows) {
        let want = (cum(&before, &r.name), cum(&after, &r.name));
        // What is the same as before is left out.
        let both = hot.rows.iter().find(|b| b.name == r.name);
        assert_eq!(both.map_or((r.cum, r.cum), |b| (b.before, b.after())), want, "{}", r.name);
    }
    // Samples are those of both, so that what was often before and is seldom now is not taken for what says little.
    let samples = |h: &Hot, name: &str| h.rows.iter().find(|r| r.name == name).map_or(0, |r| r.samples);
    assert!(hot.rows.iter().all(|r| r.samples == samples(&before, &r.name) + samples(&after, &r.name)));
    assert_eq!((first.samples, samples(&after, &first.name)), (130, 1));
    let scaled = Ask { normalize: true, ..ask(false) };
    let scaled = Profiled::against("new", new, old.clone(), true).unwrap().sum_up(&scaled, &WANTED).unwrap();
    assert_eq!(samples(&scaled, &first.name), 130);
    // So it is with labels.
    let route = |h: &Hot| h.facets.iter().find(|f| f.key == "route").unwrap().all;
    let (both, before, after) = (route(&hot), route(&before), route(&after));
    assert_eq!((both.before, both.after(), both.count), (before.flat, after.flat, before.count + after.count));
    // Only what has become more is in the graph, stack by stack.
    assert!(hot.tree.nodes[0].total > 0 && (hot.tree.nodes[0].total as i64) < 950 * ms);
    let same = Profiled::against("same", old.clone(), old, true).unwrap().sum_up(&ask(false), &WANTED).unwrap();
    assert!(same.change == Some(0) && same.rows.iter().all(|r| (r.flat, r.cum) == (0, 0)));
}

#[test]
fn what_is_no_longer_wanted_is_not_summed_up() {
    let cancelled = AtomicBool::new(true);
    assert_eq!(cpu().sum_up(&ask(false), &cancelled), Err(SumError::Cancelled));
}

#[test]
fn functions_have_the_values_and_the_order_of_pprof() {
    let hot = cpu().sum_up(&ask(false), &WANTED).unwrap();
    let first: Vec<_> = hot.rows.iter().take(3).map(|r| (r.name.as_str(), r.flat, r.cum)).collect();
    let ms = 1_000_000;
    let want = [
        ("internal/runtime/maps.ctrlGroup.matchH2", 390 * ms, 390 * ms),
        ("runtime.memclrNoHeapPointers", 210 * ms, 210 * ms),
        ("runtime.mapassign_faststr", 200 * ms, 1290 * ms),
    ];
    assert_eq!(first, want);
    assert_eq!((hot.total, hot.counted.clone()), (1940 * ms, ("samples".to_string(), 194, 194)));
    assert_eq!(hot.rows[2].samples, 129);
    assert_eq!(hot.rows.iter().map(|r| r.flat).sum::<i64>(), hot.total);
    assert_eq!(hot.tree.nodes[0].total, hot.total as u64);
}

#[test]
fn what_is_charged_to_the_program_loses_nothing_and_lands_on_its_line() {
    let p = cpu();
    let hot = p.sum_up(&ask(true), &WANTED).unwrap();
    let update = hot.rows.iter().find(|r| r.name.ends_with("(*OrderCache).Update")).unwrap();
    assert!(update.own && update.flat > 1_200_000_000 && hot.rows[0] == *update, "{update:?}");
    assert_eq!(p.index.dict.frame_of(update.frame).line, 47);
    assert_eq!(hot.rows.iter().map(|r| r.flat).sum::<i64>(), 1_940_000_000);
    assert!(!hot.rows.iter().any(|r| r.name.contains("mapassign")));
}

fn sample(name: &str) -> Profile {
    let path = format!("{}/sample-traces/{name}", env!("CARGO_MANIFEST_DIR"));
    Profile::decode(&std::fs::read(path).unwrap()).unwrap()
}

fn func(name: &str, without: bool) -> Cut {
    Cut { what: cut::What::Func(name.into()), without }
}

fn label(key: &str, value: Option<&str>, without: bool) -> Cut {
    Cut { what: cut::What::Label(key.into(), value.map(String::from)), without }
}

/// Names and values of the functions.
fn table(hot: &Hot) -> Vec<(&str, i64, i64)> {
    hot.rows.iter().map(|r| (r.name.as_str(), r.flat, r.cum)).collect()
}

/// By names, who called whom at what cost.
fn calls(hot: &Hot) -> Vec<(&str, &str, i64)> {
    let name = |r: usize| hot.rows[r].name.as_str();
    let all = hot.callees.iter().enumerate();
    all.flat_map(|(from, list)| list.iter().map(move |&(to, v)| (name(from), name(to), v))).collect()
}

#[test]
fn narrowed_to_a_function_it_is_what_focus_and_ignore_leave() {
    for (file, kind) in [("cpu.pb.gz", 1), ("heap.pb.gz", 3), ("mutex.pb.gz", 1)] {
        let p = sample(file);
        let whole = Profiled::new(file, p.clone()).unwrap();
        let all = whole.sum_up(&Ask { kind, ..Ask::default() }, &WANTED).unwrap();
        for (i, r) in all.rows.iter().enumerate().filter(|(i, _)| i % 7 == 0) {
            let pattern = Pattern::new(&format!(r"^\Q{}\E$", r.func)).unwrap();
            let without = i % 2 == 1;
            let mut filtered = p.clone();
            let (focus, ignore) = if without { (None, Some(&pattern)) } else { (Some(&pattern), None) };
            filtered.filter_by_name(focus, ignore, None, None);
            let want = Profiled::new(file, filtered).unwrap().sum_up(&Ask { kind, ..Ask::default() }, &WANTED).unwrap();
            let ask = Ask { kind, cuts: vec![func(&r.func, without)], ..Ask::default() };
            let got = whole.sum_up(&ask, &WANTED).unwrap();
            assert_eq!((table(&got), calls(&got)), (table(&want), calls(&want)), "{file} {} {without}", r.func);
            assert_eq!((got.total, got.left), (all.total, want.total));
            assert_eq!(got.tree.nodes[0].total, want.tree.nodes[0].total);
        }
    }
}

#[test]
fn narrowed_to_a_label_it_is_what_tagfocus_leaves() {
    let p = cpu();
    let narrow = |cuts: Vec<Cut>, mine| p.sum_up(&Ask { cuts, ..ask(mine) }, &WANTED).unwrap();
    let payout = narrow(vec![label("route", Some("payout"), false)], false);
    let ms = 1_000_000;
    // go tool pprof -top -tagfocus=route=payout cpu.pb.gz
    assert_eq!((payout.total, payout.left, payout.counted.1), (1940 * ms, 940 * ms, 94));
    let first: Vec<_> = table(&payout).into_iter().take(2).collect();
    let want = [
        ("internal/runtime/maps.ctrlGroup.matchH2", 200 * ms, 200 * ms),
        ("runtime.memclrNoHeapPointers", 140 * ms, 140 * ms),
    ];
    assert_eq!(first, want);
    let rest = narrow(vec![label("route", None, false)], false);
    assert_eq!(rest.left, 1000 * ms);
    assert_eq!(table(&rest), table(&narrow(vec![label("route", Some("payout"), true)], false)));
    assert_eq!(table(&payout), table(&narrow(vec![label("route", None, true)], false)));
    // What is charged to the program's own code is as much.
    assert_eq!(narrow(vec![label("route", Some("payout"), false)], true).left, 940 * ms);
    // Both cuts count, and what no sample has leaves nothing.
    let both = narrow(vec![label("route", Some("payout"), false), func("runtime.mapassign_faststr", true)], false);
    assert!(both.left < 940 * ms && !table(&both).iter().any(|r| r.0 == "runtime.mapassign_faststr"));
    let none = narrow(vec![label("route", None, false), label("route", Some("payout"), false)], false);
    assert!(none.rows.is_empty() && none.left == 0 && none.total == 1940 * ms);
}

#[test]
fn facets_have_the_values_of_tags_and_what_has_none_beside_them() {
    let hot = Profiled::new("heap", sample("heap.pb.gz"))
        .unwrap()
        .sum_up(&Ask { kind: 3, ..Ask::default() }, &WANTED)
        .unwrap();
    let [bytes] = &hot.facets[..] else { panic!("{:?}", hot.facets) };
    // go tool pprof -tags heap.pb.gz
    let shown = |text: &str| bytes.values.iter().find(|v| v.text.as_deref() == Some(text)).map(|v| v.share.flat);
    let mb = |v: f64| move |got: i64| (got as f64 / 1024.0 / 1024.0 - v).abs() < 0.006;
    assert!(shown("288B").is_some_and(mb(30.51)) && shown("26.62kB").is_some_and(mb(4.62)), "{bytes:?}");
    assert_eq!((bytes.key.as_str(), bytes.all.flat), ("bytes", hot.total));

    let hot = cpu().sum_up(&ask(false), &WANTED).unwrap();
    let [route] = &hot.facets[..] else { panic!("{:?}", hot.facets) };
    let values: Vec<_> = route.values.iter().map(|v| (v.text.as_deref(), v.share.flat, v.share.count)).collect();
    assert_eq!(values, [(Some("payout"), 940_000_000, 94), (None, 1_000_000_000, 100)]);
}

#[test]
fn a_sample_with_several_values_of_a_label_counts_for_each_and_once_for_the_label() {
    let mut p = Profile::default();
    let mut s = |text: &str| p.strings.intern(text);
    let (cpu, count, key, a, b) = (s("cpu"), s("count"), s("k"), s("a"), s("b"));
    p.sample_types.push(ValueType { kind: cpu, unit: count });
    let text = |v| Label { key, value: LabelValue::Text(v) };
    for (value, labels) in [(1, vec![text(a), text(b), text(a)]), (2, vec![text(b)]), (4, vec![])] {
        let (values, start) = (p.values.len() as u32, p.labels.len() as u32);
        p.values.push(value);
        p.labels.extend(labels);
        let labels = Span { start, len: p.labels.len() as u32 - start };
        p.samples.push(Sample { stack: Span::default(), values: Span { start: values, len: 1 }, labels });
    }
    let facets = facets::facets(&p, &p.label_units(), |s| (p.values_of(s)[0], 0, 1));
    let values: Vec<_> = facets[0].values.iter().map(|v| (v.text.as_deref(), v.share.flat, v.share.count)).collect();
    assert_eq!(values, [(Some("a"), 1, 1), (Some("b"), 3, 2), (None, 4, 1)]);
    assert_eq!((facets.len(), facets[0].all.flat, facets[0].all.count), (1, 3, 2));
}

#[test]
fn grouped_variants_have_the_values_of_a_profile_in_which_they_are_one_function() {
    for (file, kind) in [("cpu.pb.gz", 1), ("heap.pb.gz", 1), ("goroutine.pb.gz", 0), ("fixed-cpu.pb.gz", 1)] {
        let Ok(data) = std::fs::read(format!("{}/sample-traces/{file}", env!("CARGO_MANIFEST_DIR"))) else { continue };
        let p = Profile::decode(&data).unwrap();
        let whole = Profiled::new(file, p).unwrap();
        let (functions, families) = whole.variants();
        let mut renamed = whole.profile.clone();
        for (f, &family) in renamed.functions.iter_mut().zip(&whole.families) {
            (f.name, f.system_name) = (family, family);
        }
        let want = Profiled::new(file, renamed).unwrap();
        for mine in [false, true] {
            let ask = Ask { kind, mine, ..Ask::default() };
            let (got, want) = (
                whole.sum_up(&Ask { grouped: true, ..ask.clone() }, &WANTED).unwrap(),
                want.sum_up(&ask, &WANTED).unwrap(),
            );
            assert_eq!((table(&got), calls(&got)), (table(&want), calls(&want)), "{file} {mine}");
            assert_eq!(got.tree.nodes[0].total, want.tree.nodes[0].total);
            let samples = |h: &Hot| h.rows.iter().map(|r| r.samples).collect::<Vec<_>>();
            assert_eq!(samples(&got), samples(&want));
        }
        let plain = whole.sum_up(&Ask { kind, ..Ask::default() }, &WANTED).unwrap();
        let grouped = whole.sum_up(&Ask { kind, grouped: true, ..Ask::default() }, &WANTED).unwrap();
        assert!(functions >= 2 * families && plain.rows.len() - grouped.rows.len() <= functions - families);
    }
}

/// A profile of stacks, root first, each with a value.
fn made(stacks: &[(&[&str], i64)]) -> Profile {
    let mut p = Profile::default();
    let (kind, unit) = (p.strings.intern("cpu"), p.strings.intern("count"));
    p.sample_types.push(ValueType { kind, unit });
    for (stack, value) in stacks {
        let (start, values) = (p.frames.len() as u32, p.values.len() as u32);
        for f in stack.iter().rev() {
            let name = p.strings.intern(f);
            let at = p.functions.iter().position(|f| f.name == name).unwrap_or_else(|| {
                let (id, file) = (p.functions.len() as u64 + 1, p.strings.intern("/x/main.go"));
                p.functions.push(Function { id, name, system_name: name, file, start_line: 0 });
                p.lines.push(Line { function: id as u32 - 1, line: id as i64, column: 0, inlined: false });
                let lines = Span { start: id as u32 - 1, len: 1 };
                p.locations.push(Location { id, mapping: None, address: id, lines, folded: false });
                id as usize - 1
            });
            p.frames.push(at as u32);
        }
        p.values.push(*value);
        let stack = Span { start, len: p.frames.len() as u32 - start };
        p.samples.push(Sample { stack, values: Span { start: values, len: 1 }, labels: Span::default() });
    }
    p
}

#[test]
fn variants_that_call_each_other_are_one_function_everywhere_and_a_lone_one_keeps_its_name() {
    let p = made(&[
        (&["main.main", "main.F[int]", "main.F[string]", "runtime.mapassign"], 3),
        (&["main.main", "main.F[int]", "runtime.mapassign_fast64"], 4),
        (&["main.main", "main.G[int]", "main.G[int]", "runtime.mapdelete_fast64"], 5),
    ]);
    let p = Profiled::new("made", p).unwrap();
    assert_eq!(p.variants(), (4, 2));
    let hot = p.sum_up(&Ask { grouped: true, ..Ask::default() }, &WANTED).unwrap();
    let mut rows = table(&hot);
    rows.sort_unstable();
    let want = [
        ("main.F[…]", 0, 7),
        ("main.G[int]", 0, 5),
        ("main.main", 0, 12),
        ("runtime.mapassign*", 7, 7),
        ("runtime.mapdelete_fast64", 5, 5),
    ];
    assert_eq!(rows, want);
    let dict = &p.index.dict;
    let tree = |hot: &Hot| -> Vec<String> {
        let line = |n: &flame::Node| format!("{}{} {}", ">".repeat(n.depth), dict.func_name(n.func), n.total);
        hot.tree.nodes[1..].iter().map(line).collect()
    };
    let want = [
        ">main.main 12",
        ">>main.F[…] 7",
        ">>>runtime.mapassign* 7",
        ">>main.G[int] 5",
        ">>>main.G[int] 5",
        ">>>>runtime.mapdelete_fast64 5",
    ];
    let mut got = tree(&hot);
    got.sort_by_key(|l| want.iter().position(|w| w == l));
    assert_eq!(got, want);
    // The lines of all variants are those of the family, and a query that means one of them means it.
    let frame = hot.rows.iter().find(|r| r.func == "main.F[…]").unwrap().frame;
    let name = dict.funcs()[dict.frame_of(frame).func.0 as usize].name;
    assert_eq!(hot.lines[&name].len(), 2);
    let query = Some("func:*mapassign_fast64".into());
    let hot = p.sum_up(&Ask { grouped: true, query, ..Ask::default() }, &WANTED).unwrap();
    let matched: Vec<&str> = hot.rows.iter().filter(|r| r.matched).map(|r| r.name.as_str()).collect();
    assert_eq!(matched, ["runtime.mapassign*"]);
    // A family can be narrowed to whether or not its members stand as one.
    for grouped in [false, true] {
        let cuts = vec![func("runtime.mapassign*", false), func("main.F[…]", false)];
        assert_eq!(p.sum_up(&Ask { grouped, cuts, ..Ask::default() }, &WANTED).unwrap().left, 7);
    }
}

#[test]
fn normalised_profiles_have_the_values_of_pprof_and_what_became_less_has_a_tree_of_its_own() {
    let (new, old) = (sample("fixed-cpu.pb.gz"), sample("cpu.pb.gz"));
    for kind in [0, 1] {
        let mut scaled = new.clone();
        merge::normalize(&mut scaled, &old).unwrap();
        let want = Profiled::against("scaled", scaled, old.clone(), false).unwrap();
        let both = Profiled::against("both", new.clone(), old.clone(), false).unwrap();
        let ask = Ask { kind, ..Ask::default() };
        let (want, got) = (
            want.sum_up(&ask, &WANTED).unwrap(),
            both.sum_up(&Ask { normalize: true, ..ask.clone() }, &WANTED).unwrap(),
        );
        assert_eq!((table(&got), got.change), (table(&want), want.change));
        assert!(got.change.is_some_and(|c| c.abs() < got.total / 20), "{:?} of {}", got.change, got.total);

        let more = both.sum_up(&ask, &WANTED).unwrap();
        let less = both.sum_up(&Ask { less: true, ..ask.clone() }, &WANTED).unwrap();
        let total = |h: &Hot| h.tree.nodes[0].total as i64;
        assert_eq!(Some(total(&more) - total(&less)), more.change);
        assert!(total(&less) > 0 && table(&more) == table(&less));
        // Turned around, the two change places.
        let back = Profiled::against("back", old.clone(), new.clone(), false).unwrap();
        assert_eq!(total(&back.sum_up(&Ask { less: true, ..ask }, &WANTED).unwrap()), total(&more));
    }
}
