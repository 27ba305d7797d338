use super::Profile;
use crate::profile::ops::aggregate::Keep;
use crate::profile::ops::graph::{Places, Trim, Trimmed, Weights};
use crate::profile::ops::merge;
use crate::profile::ops::pattern::Pattern;
use crate::profile::ops::tags::TagFilter;
use crate::profile::wire::proto;

/// A profile from lines `root;…;leaf value label=text number:unit…`. `a<b` in a stack is one location where `b` was
/// inlined into `a`.
fn profile(lines: &[&str]) -> Profile {
    let mut strings = vec![String::new()];
    let mut string = |s: &str| {
        strings.iter().position(|t| t == s).unwrap_or_else(|| {
            strings.push(s.to_string());
            strings.len() - 1
        }) as i64
    };
    let mut p = proto::Profile {
        sample_type: vec![proto::ValueType { r#type: string("cpu"), unit: string("nanoseconds") }],
        mapping: vec![proto::Mapping {
            id: 1,
            memory_limit: 1 << 20,
            filename: string("/bin/app"),
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut places: Vec<String> = Vec::new();
    for line in lines {
        let mut words = line.split(' ');
        let stack = words.next().unwrap();
        let mut sample = proto::Sample { value: vec![words.next().unwrap().parse().unwrap()], ..Default::default() };
        for place in stack.split(';').rev().filter(|p| !p.is_empty()) {
            let known = places.iter().position(|p| p == place).unwrap_or_else(|| {
                places.push(place.to_string());
                let mut lines = Vec::new();
                for name in place.split('<').rev() {
                    let name = string(name);
                    let known = p.function.iter().position(|f| f.name == name).unwrap_or_else(|| {
                        let id = p.function.len() as u64 + 1;
                        let file = string("main.go");
                        p.function.push(proto::Function { id, name, system_name: name, filename: file, start_line: 1 });
                        p.function.len() - 1
                    });
                    lines.push(proto::Line { function_id: known as u64 + 1, line: 7, column: 2 });
                }
                let id = places.len() as u64;
                p.location.push(proto::Location {
                    id,
                    mapping_id: 1,
                    address: place.bytes().map(u64::from).sum::<u64>() * 16,
                    line: lines,
                    is_folded: false,
                });
                places.len() - 1
            });
            sample.location_id.push(known as u64 + 1);
        }
        for label in words {
            let (key, value) = label.split_once('=').unwrap();
            let mut label = proto::Label { key: string(key), ..Default::default() };
            match value.split_once(':') {
                Some((number, unit)) => (label.num, label.num_unit) = (number.parse().unwrap(), string(unit)),
                None => label.str = string(value),
            }
            sample.label.push(label);
        }
        p.sample.push(sample);
    }
    p.string_table = strings.into_iter().map(String::into_bytes).collect();
    Profile::from_wire(&p).unwrap()
}

/// The samples as `profile` takes them.
fn lines(p: &Profile) -> Vec<String> {
    let name = |f: u32| p.str(p.functions[f as usize].name);
    let place = |&l: &u32| {
        p.lines_of(&p.locations[l as usize]).iter().rev().map(|n| name(n.function)).collect::<Vec<_>>().join("<")
    };
    let stack = |s| p.stack_of(s).iter().rev().map(place).collect::<Vec<_>>().join(";");
    p.samples.iter().map(|s| format!("{} {}", stack(s), p.values_of(s)[0])).collect()
}

fn rx(s: &str) -> Pattern {
    Pattern::new(s).unwrap()
}

const FLAT: Weights = Weights { index: 0, mean: false };

/// Functions: `name flat cum`, and calls: `caller>callee weight`.
fn graph(p: &mut Profile, trim: Trim) -> (Vec<String>, Vec<String>) {
    p.aggregate(Keep { inlined: true, functions: true, files: false, lines: false, columns: false, addresses: false });
    let places = Places::new(p, false);
    let t = Trimmed::new(p, &places, FLAT, trim);
    let node =
        |(n, name): (&crate::profile::ops::graph::Node, &String)| format!("{name} {} {}", n.flat.get(), n.cum.get());
    let nodes = t.graph.nodes.iter().zip(&t.names).map(node).collect();
    let edge = |e: crate::profile::ops::graph::Edge| {
        let mark = if e.residual { "~" } else { "" }.to_string() + if e.inline { "i" } else { "" };
        format!("{}>{} {}{mark}", t.names[e.from as usize], t.names[e.to as usize], e.weight.value)
    };
    (nodes, t.graph.sorted_edges(&t.names, false).into_iter().flatten().map(edge).collect())
}

#[test]
fn recursion_counts_once() {
    let mut p = profile(&["main;f;g;f;g;f 10", "main;f 5", "main;f;f 1"]);
    let (nodes, edges) = graph(&mut p, Trim::NOTHING);
    assert_eq!(nodes, ["f 16 16", "g 0 10", "main 0 16"]);
    assert_eq!(edges, ["f>g 10", "g>f 10", "main>f 16"]);
}

#[test]
fn what_is_left_out_is_bridged() {
    let mut p = profile(&["main;a;b;c 98", "main;a<d;e 2"]);
    let (nodes, edges) = graph(&mut p, Trim { node_fraction: 0.05, ..Trim::NOTHING });
    assert_eq!(nodes, ["c 98 98", "a 0 100", "b 0 98", "main 0 100"]);
    assert_eq!(edges, ["a>b 98", "b>c 98", "main>a 100"]);
    let (nodes, edges) = graph(&mut p, Trim { node_count: 2, cum: true, ..Trim::NOTHING });
    assert_eq!(nodes, ["a 0 100", "main 0 100"]);
    assert_eq!(edges, ["main>a 100"]);
    let (nodes, edges) = graph(&mut p, Trim { node_count: 2, ..Trim::NOTHING });
    assert_eq!(nodes, ["c 98 98", "e 2 2"]);
    assert!(edges.is_empty());
    let mut p = profile(&["main;a;b 9", "b;main 7"]);
    let (_, edges) = graph(&mut p, Trim { node_count: 2, ..Trim::NOTHING });
    assert_eq!(edges, ["b>main 7", "main>b 9~"]);
}

#[test]
fn focus_and_ignore_choose_samples_and_hide_and_show_choose_frames() {
    let all = ["main;a;b 1", "main;a<x;c 2", "main;d 3"];
    let filtered = |focus: &str, ignore: &str, hide: &str, show: &str| {
        let mut p = profile(&all);
        let [f, i, h, s] = [focus, ignore, hide, show].map(|s| (!s.is_empty()).then(|| rx(s)));
        p.filter_by_name(f.as_ref(), i.as_ref(), h.as_ref(), s.as_ref());
        lines(&p)
    };
    assert_eq!(filtered("^a$", "", "", ""), ["main;a;b 1", "main;a<x;c 2"]);
    assert_eq!(filtered("^a$", "^x$", "", ""), ["main;a;b 1"]);
    assert_eq!(filtered("", "", "^(a|d|main)$", ""), ["b 1", "x;c 2"]);
    assert_eq!(filtered("", "", "", "^(a|c)$"), ["a 1", "a;c 2"]);
    // The file of the mapping counts too: nothing is left to hide.
    assert_eq!(filtered("", "", "bin/app", ""), [""; 0]);
    assert_eq!(filtered("bin/app", "", "", "").len(), 3);
}

#[test]
fn a_call_stays_inlined_when_its_caller_is_hidden() {
    let mut p = profile(&["main;a<x;c 2"]);
    p.filter_by_name(None, None, Some(&rx("^a$")), None);
    assert_eq!(graph(&mut p, Trim::NOTHING).1, ["main>x 2i", "x>c 2"]);
}

#[test]
fn stacks_are_cut_at_the_frames_that_match() {
    let cut = |f: fn(&mut Profile)| {
        let mut p = profile(&["main;a;b;a;c 1", "main;d<e;c 2", "main;z 3"]);
        f(&mut p);
        lines(&p)
    };
    assert_eq!(cut(|p| assert!(p.show_from(&rx("^(a|d)$")))), ["a;b;a;c 1", "d<e;c 2"]);
    assert_eq!(cut(|p| assert!(p.show_from(&rx("^e$")))), ["e;c 2"]);
    assert_eq!(cut(|p| p.prune_from(&rx("^a$"))), ["main;a;b;a 1", "main;d<e;c 2", "main;z 3"]);
    assert_eq!(cut(|p| p.prune(&rx("^[ad]$"), None)), ["main 1", "main 2", "main;z 3"]);
    assert_eq!(cut(|p| p.prune(&rx("^[be]$"), None)), ["main;a 1", "main;d 2", "main;z 3"]);
    assert_eq!(cut(|p| p.prune(&rx("^[ab]$"), Some(&rx("a")))), ["main;a 1", "main;d<e;c 2", "main;z 3"]);
    // Where everything would go, all stays.
    assert_eq!(cut(|p| p.prune(&rx("."), None)), ["main;a;b;a;c 1", "main;d<e;c 2", "main;z 3"]);
}

#[test]
fn equal_samples_of_several_profiles_are_added_up() {
    let a = profile(&["main;f 1", "main;g 2 k=v", "main;h 4"]);
    let b = profile(&["main;g 20 k=v", "main;g 8", "main;f 10", "main;h -4"]);
    let p = merge::combine(vec![a, b]).unwrap();
    assert_eq!(lines(&p), ["main;f 11", "main;g 22", "main;g 8"]);
    // What only `h` used is gone.
    assert_eq!(p.locations.len(), 3);
}

#[test]
fn a_base_is_taken_away_and_percentages_can_be_of_it() {
    let (new, base) = (profile(&["main;f 30", "main;g 10"]), profile(&["main;f 10", "main;h 5"]));
    let p = merge::subtract(new.clone(), base.clone(), false).unwrap();
    assert_eq!(lines(&p), ["main;f 20", "main;g 10", "main;h -5"]);
    let p = merge::subtract(new.clone(), base.clone(), true).unwrap();
    assert_eq!(lines(&p), ["main;f 30", "main;g 10", "main;f -10", "main;h -5"]);
    assert_eq!(p.samples.iter().map(|s| p.is_diff_base(s)).collect::<Vec<_>>(), [false, false, true, true]);
    let mut p = new;
    merge::normalize(&mut p, &base).unwrap();
    assert_eq!(lines(&p), ["main;f 11", "main;g 4"]);
}

#[test]
fn profiles_in_other_units_are_scaled_to_the_finest() {
    let mut a = profile(&["f 3"]);
    a.sample_types[0].unit = a.strings.intern("milliseconds");
    let p = merge::combine(vec![a.clone(), profile(&["f 5"])]).unwrap();
    assert_eq!(lines(&p), ["f 3000005"]);
    a.sample_types[0].unit = a.strings.intern("bytes");
    assert!(merge::combine(vec![a, profile(&["f 5"])]).err().unwrap().to_string().contains("cpu/bytes"));
}

#[test]
fn labels_choose_samples() {
    let all = ["f 1 phase=load size=2048:bytes", "f 2 phase=pay", "f 4 size=64:bytes size=4096:bytes"];
    let kept = |focus: &str| {
        let mut p = profile(&all);
        let units = p.label_units();
        p.filter_by_tag(&units, Some(&TagFilter::new(focus).unwrap()), None);
        p.samples.iter().map(|s| p.values_of(s)[0]).sum::<i64>()
    };
    for (focus, sum) in [
        ("load", 1),
        ("phase:pay", 2),
        ("phase=^p", 2),
        ("phase=load,pay", 3),
        ("phase,load", 1),
        ("2kb", 1),
        ("size=2kb:", 5),
        (":1kb", 4),
        ("1kb:3kb", 1),
        ("size=64", 0),
        ("other=2kb", 0),
    ] {
        assert_eq!(kept(focus), sum, "{focus}");
    }
}

#[test]
fn labels_become_frames() {
    let mut p = profile(&["main;f 1 phase=load size=2048:bytes", "main;g 2"]);
    let own = |keys: &[&str]| keys.iter().map(|k| k.to_string()).collect::<Vec<_>>();
    assert_eq!(p.label_frames(&own(&["phase", "size"]), &own(&["none"]), "kb"), (true, false));
    assert_eq!(lines(&p), ["load;2kB;main;f; 1", ";;main;g; 2"]);
    p.filter_labels(Some(&rx("s")), Some(&rx("z")));
    assert_eq!(p.samples.iter().map(|s| p.labels_of(s).len()).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn sample_types_are_found_by_name_number_or_default() {
    let mut p = profile(&["f 1"]);
    p.sample_types =
        ["objects", "space"].map(|k| super::ValueType { kind: p.strings.intern(k), ..p.sample_types[0] }).into();
    assert_eq!(p.sample_index(""), Ok(1));
    p.default_sample_type = p.strings.intern("objects");
    assert_eq!((p.sample_index(""), p.sample_index("inuse_space"), p.sample_index("1")), (Ok(0), Ok(1), Ok(1)));
    assert!(p.sample_index("2").unwrap_err().to_string().contains("[0..1]"));
    assert!(p.sample_index("delay").unwrap_err().to_string().contains("objects, space"));
}
