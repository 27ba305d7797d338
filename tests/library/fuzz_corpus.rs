//! Replays what fuzzing found: every file in `tests/data/fuzz/<target>/` went wrong once.

use crate::targets;

use std::path::Path;

#[test]
fn what_broke_once_does_not_again() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz");
    for (name, target) in targets::ALL {
        let Ok(entries) = std::fs::read_dir(root.join(name)) else { continue };
        let mut files: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
        files.sort();
        for f in files {
            eprintln!("{name} {}", f.display());
            target(&std::fs::read(&f).unwrap());
        }
    }
}

/// The traces of the other tests, whole and with a byte changed here and there.
#[test]
fn traces_with_a_byte_changed_load() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for name in ["hostile.trace", "coroutine.trace", "annotations-go1.22.trace", "v1/user_task_region_1_11_good.trace"]
    {
        let good = std::fs::read(root.join(name)).unwrap();
        targets::whole(&good);
        for at in (16..good.len()).step_by(37) {
            let mut bad = good.clone();
            bad[at] = bad[at].wrapping_mul(3).wrapping_add(1);
            targets::whole(&bad);
        }
    }
}

/// Programs of a few functions in each format, whole and with each byte changed in turn.
#[test]
fn programs_with_a_byte_changed_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/binary");
    for name in ["amd64.elf", "amd64.exe", "arm64.macho"] {
        let good = std::fs::read(root.join(name)).unwrap();
        let b = gotrail::profile::binary::Binary::new(good.clone()).unwrap();
        assert_eq!(b.symbols().len(), 2, "{name}");
        assert!(b.instructions(&b.symbols()[0]).any(|i| i.text == "ret"), "{name}");
        assert_eq!(b.lines(&b.symbols()[0]).is_some(), !name.ends_with("macho"), "{name}");
        targets::binary(&good);
        for at in 0..good.len() {
            for byte in [0, 1, 0x7f, 0xff, good[at] ^ 0x80] {
                let mut bad = good.clone();
                bad[at] = byte;
                targets::binary(&bad);
            }
            targets::binary(&good[..at]);
        }
    }
}

#[test]
fn the_other_targets_run() {
    targets::query(b"func:pay* dur>1ms or /a+/ reason:sync");
    targets::source(b"../../etc/passwd\nmain.main\na=b");
    targets::source(b"v2/order.rs\nmain.main\n");
    targets::profile(b"\x0a\x04\x08\x01\x10\x02");
    targets::v2(b"\x03\x01\x01\x01\x01\x00");
    targets::v1(b"\x06");
    targets::viewer(b"\x50\x18\x08/x\x0c5n+q");
    targets::viewer(b"\xff\x01\x041234");
    targets::kept(b"");
    for at in (0..4000u16).step_by(61) {
        let [low, high] = at.to_le_bytes();
        targets::kept(&[low, high, 0xff]);
        targets::kept(&[low, high, 0x01, low, high.wrapping_add(1), 0x80]);
    }
    targets::told(b"panic: x\n\ngoroutine 1 [running]:\nmain.f(0x1)\n\t/a.go:1 +0x1\ngoroutine 1 [x]:\n");
    targets::told(b"WARNING: DATA RACE\nRead at 0x1 by goroutine 7:\n  \x1b[31mmain.f()\n      /a.go:1 +0x1\n");
    targets::perf(b"demo 7 5.000001:  10 cycles: \n\t 12 f+0x1 (/x)\n");
    targets::folded(b"main;f 1\n");
    targets::speedscope(b"{}");
    targets::chrome(b"{\"nodes\":[]}");
    targets::firefox(b"{\"threads\":[]}");
}
