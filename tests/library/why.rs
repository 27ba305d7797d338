//! What `why` says a stretch of time went into sums to that stretch, for any goroutine and any window.

use crate::common;

use gotrail::analysis::waits::path::{Window, path};
use gotrail::base::{Duration, GoIdx, Time};
use gotrail::read::Trace;
use std::path::{Path, PathBuf};

/// Windows of each trace, and how large one may be: `why` of a large one takes its time in a debug build.
const WINDOWS: u64 = 6;
const LARGEST: u64 = 1 << 20;

/// The traces of the repository, and those of the corpus if it is there.
fn traces() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared =
        ["corpus/traces", "corpus/go-reader-tests", "corpus/go-v1-tests"].into_iter().filter_map(common::shared);
    let mut all: Vec<PathBuf> = [root.join("tests/data")]
        .into_iter()
        .chain(shared)
        .flat_map(|f| std::fs::read_dir(f).unwrap())
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "trace") && p.metadata().is_ok_and(|m| m.len() < LARGEST))
        .collect();
    all.sort();
    all
}

/// Numbers that look random, and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below.max(1)
    }
}

/// A goroutine and a stretch of its life: all of it, or from one instant in it to another.
fn window(trace: &Trace, dice: &mut Dice) -> Option<Window> {
    let index = trace.index();
    let go = GoIdx(dice.roll(index.goroutines.len() as u64) as u32);
    let g = index.goroutine(go)?;
    let (from, to) = (g.from, g.ended.unwrap_or(index.end));
    let life = (to - from).0.max(0) as u64;
    let mut at = || from + Duration(dice.roll(life + 1) as i64);
    let (a, b): (Time, Time) = match at().0 % 4 {
        0 => (from, to),
        _ => (at(), at()),
    };
    (to > from).then_some(Window { go, from: a.min(b), to: a.max(b), end: None })
}

#[test]
fn the_parts_of_any_window_sum_to_it() {
    let (mut asked, mut ended) = (0, 0);
    for file in traces() {
        let bytes = std::fs::read(&file).unwrap();
        let Some(trace) = common::try_load_bytes(&bytes) else { continue };
        let mut dice = Dice(bytes.len() as u64);
        for _ in 0..WINDOWS {
            let Some(w) = window(&trace, &mut dice) else { continue };
            let p = path(&trace, w).unwrap();
            let (name, whole) = (file.display(), w.to - w.from);
            assert_eq!(p.total(), whole, "{name}: {w:?}");
            let shares: Duration = p.shares(&trace.index()).iter().map(|s| s.total).sum();
            assert_eq!(shares, whole, "the list of {name}: {w:?}");
            for piece in &p.pieces {
                assert!(piece.from >= w.from && piece.to <= w.to, "{name}: {w:?}: {piece:?}");
                if piece.what == gotrail::analysis::waits::path::What::Runnable {
                    assert!(piece.ready.stw + piece.ready.idle <= piece.len(), "{name}: {piece:?}");
                }
            }
            // One after the other, without a hole and without anything told twice.
            let mut pieces: Vec<_> = p.pieces.iter().map(|x| (x.from, x.to)).collect();
            pieces.sort();
            assert!(pieces.windows(2).all(|x| x[0].1 == x[1].0), "{name}: {w:?}: {pieces:?}");
            asked += 1;
            ended += usize::from(pieces.len() > 1);
        }
    }
    assert!(asked > 100 && ended > 20, "{asked} windows, {ended} of more than a piece");
}
