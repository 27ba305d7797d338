use super::*;
use std::collections::BTreeSet;

/// Symbols of real runtimes, made by `tests/data/lens/symbols.sh`: a function and the versions that have it on each line.
const SYMBOLS: &str = include_str!("../../../tests/data/lens/symbols.txt");

fn symbols() -> impl Iterator<Item = (&'static str, &'static str)> {
    SYMBOLS.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(' '))
}

#[test]
fn the_files_are_good_ones() {
    for l in all() {
        assert!(!l.about.is_empty() && !l.operations.is_empty(), "{}", l.name);
        for groups in [&l.operations, &l.classes] {
            let names: BTreeSet<&str> = groups.iter().map(|g| g.name.as_str()).collect();
            assert_eq!(names.len(), groups.len(), "{}: a name is there twice", l.name);
            for p in groups.iter().flat_map(|g| &g.patterns) {
                assert!(!p.is_empty() && !p.contains(['{', '}', ' ', ',']), "{}: {p}", l.name);
                let stars = p.replace("(*", "(").matches('*').count();
                assert!(stars == 0 || stars == 1 && p.ends_with('*'), "{p}: a star stands only at the end");
            }
        }
        for (i, g) in l.operations.iter().enumerate() {
            for p in &g.patterns {
                let example = p.strip_suffix('*').unwrap_or(p);
                assert_eq!(l.operation(example), Some(i), "{}: {p} is out of reach", l.name);
            }
        }
    }
}

#[test]
fn every_operation_on_maps_is_of_a_class() {
    let l = maps();
    for p in l.operations.iter().flat_map(|g| &g.patterns) {
        assert!(l.class(p.strip_suffix('*').unwrap_or(p)).is_some(), "{p}");
    }
}

#[test]
fn the_outermost_operation_and_the_first_class_decide() {
    let is = |stack: &[&str]| {
        let l = maps();
        let f = l.of_stack(stack.iter().copied())?;
        Some((l.operations[f.operation].name.as_str(), f.class.map(|c| l.classes[c].name.as_str())))
    };
    let assign = "runtime.mapassign_faststr";
    assert_eq!(is(&["internal/runtime/maps.ctrlGroup.matchH2", assign]), Some(("assign", Some("write"))));
    let growth = ["internal/runtime/maps.newTable", "internal/runtime/maps.(*table).grow", assign];
    assert_eq!(is(&growth), Some(("assign", Some("growth"))));
    let birth = ["runtime.mallocgc", "internal/runtime/maps.(*Map).growToSmall", assign];
    assert_eq!(is(&birth), Some(("assign", Some("birth"))));
    assert_eq!(is(&["runtime.gcAssistAlloc", "runtime.mallocgc", assign]), Some(("assign", Some("assist"))));
    assert_eq!(is(&["runtime.newobject", "runtime.makemap_small"]), Some(("make", Some("birth"))));
    assert_eq!(is(&["aeshashbody", "runtime.mapaccess2_faststr"]), Some(("access", Some("hash"))));
    // The first bucket of a classic map is a part of making it, the large values that it holds are not.
    let bucket = ["runtime.mallocgc", "runtime.newobject", assign];
    assert_eq!(is(&bucket), Some(("assign", Some("birth"))));
    assert_eq!(is(&["runtime.mallocgc", "runtime.newobject", "runtime.mapassign"]), Some(("assign", Some("alloc"))));
    let overflow = ["runtime.mallocgc", "runtime.newobject", "runtime.(*hmap).newoverflow", assign];
    assert_eq!(is(&overflow), Some(("assign", Some("growth"))));
    assert_eq!(is(&["runtime.gcAssistAlloc", bucket[0], bucket[1], assign]), Some(("assign", Some("assist"))));
    let large = ["runtime.newobject", "internal/runtime/maps.newobject", assign];
    assert_eq!(is(&large), Some(("assign", Some("alloc"))));
    // Growing by a deletion, and one operation below another.
    assert_eq!(is(&["runtime.evacuate", "runtime.growWork", "runtime.mapdelete"]), Some(("delete", Some("growth"))));
    assert_eq!(is(&["aeshashbody", assign, "sync.(*Map).Store"]), Some(("sync.Map", Some("hash"))));
    assert_eq!(
        is(&["internal/runtime/maps.(*Map).Clone", "maps.clone", "maps.Clone[...]"]),
        Some(("clone", Some("clone")))
    );
    assert_eq!(
        is(&[assign, "reflect.mapassign_faststr0", "reflect.Value.SetMapIndex"]),
        Some(("assign", Some("write")))
    );
    // What stands outside of the operation does not count, and without one there is nothing.
    assert_eq!(is(&[assign, "runtime.mallocgc"]), Some(("assign", Some("write"))));
    assert_eq!(is(&["aeshashbody", "runtime.strhash"]), None);
    assert_eq!(is(&["runtime.(*traceMap).put"]), None);
}

/// Functions of the runtimes whose names speak of maps and that are no operation on one.
const NO_MAP: &[&str] = &[
    "runtime.(*traceMap).*",
    "runtime.(*pageAlloc).findMappedAddr",
    "runtime.(*stkframe).*",
    "runtime.(*immortalWeakHandleMap).*",
    "runtime.bulkBarrierBitmap",
    "runtime.callCgoM*",
    "runtime.{mmap,munmap,sysMap,sysMmap,sysMunmap,progToPointerMask,unrollgcprog,stackmapdata}*",
    "runtime.mapKeyError*",
    "runtime.mapinitnoop*",
    "runtime.unique_runtime_registerUniqueMapCleanup*",
    "runtime.{getStackMap,racemapshadow}",
    "runtime.(*{mspan,mheap,pageAlloc}).*",
    "{net,syscall}.*",
    "reflect.(*{ptrType,structType,rtype,interfaceType,mapType,funcType}).*",
    "reflect.{flag.,(*flag).,MapOf,dumpPtrBitMap,maplen}*",
];

/// Those that only pass on what others do, or build and describe maps and their types.
const AROUND: &[&str] = &[
    "reflect.(*MapIter).*",
    "reflect.(*Value).*",
    "reflect.Value.*",
    "reflect.MakeMap*",
    "maps.{Keys,Values}*",
    "runtime.(*bmap).*",
    "runtime.(*maptype).*",
    "runtime.(*hmap).{growing,noldbuckets,oldbucketmask,sameSizeGrow}",
    "internal/concurrent.NewHashTrieMap*",
    "internal/runtime/maps.{fatal,mapKeyError,rand,typeString,typedmemclr,typedmemmove,checkMasks,AlgInit}*",
    "internal/runtime/maps.(*unhashableTypeError).*",
    "internal/runtime/maps.unhashableTypeError.*",
    "internal/runtime/maps.(*Map).Used",
    "internal/runtime/maps.(*table).{Used,reset,Print}",
];

#[test]
fn nothing_of_maps_is_left_out_in_any_runtime() {
    let lens = maps();
    let known = |list: &[&str], func: &str| list.iter().flat_map(|p| expand(p)).any(|p| fits(&p, func));
    let mut versions = BTreeSet::new();
    let mut left = BTreeSet::new();
    for (func, of) in symbols() {
        versions.extend(of.split(','));
        let of_maps = func.starts_with("internal/runtime/maps.") || func.to_lowercase().contains("map");
        if of_maps
            && lens.operation(func).is_none()
            && lens.class(func).is_none()
            && !known(NO_MAP, func)
            && !known(AROUND, func)
        {
            left.insert(func);
        }
    }
    assert!(versions.len() >= 8, "{versions:?}");
    assert!(left.is_empty(), "left unclassified: {left:#?}");
}

#[test]
fn every_operation_is_of_some_runtime() {
    let named: Vec<&str> = symbols().map(|s| s.0).collect();
    for l in all() {
        for g in l.operations.iter().chain(&l.classes) {
            assert!(named.iter().any(|f| g.has(f)), "{}: no runtime has any function of {:?}", l.name, g.name);
        }
    }
}
