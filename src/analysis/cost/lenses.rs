//! What stacks mean below the line of user code, by the lenses: which of the runtime's operations it is in.

use crate::base::{FrameId, FuncId};
use crate::model::{Dict, lens};
use rustc_hash::FxHashMap;

/// How the lenses are used in a call tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum ByLens {
    /// They are not.
    #[default]
    No,
    /// Functions know their lens.
    Known,
    /// What stands below a line of user code is one group for each operation and its class.
    Grouped,
}

impl ByLens {
    /// The next way, around the end.
    pub fn next(self) -> ByLens {
        match self {
            ByLens::No => ByLens::Known,
            ByLens::Known => ByLens::Grouped,
            ByLens::Grouped => ByLens::No,
        }
    }
}

/// A lens, by its position among all.
pub type LensNo = u8;

/// The outermost operation below the line of user code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meaning {
    /// Its frame, by position from the leaf.
    pub at: usize,
    /// Its lens.
    pub lens: LensNo,
    /// The operation, by position in the lens.
    pub operation: u8,
    /// The class of what the leaf does, by position in the lens.
    pub class: Option<u8>,
}

/// The lenses of functions, looked up once each.
#[derive(Default)]
pub struct Lenses(FxHashMap<FuncId, Option<(LensNo, u8)>>);

impl Lenses {
    /// The first lens that has a function among its operations, and which of them it is.
    pub fn of(&mut self, dict: &Dict, func: FuncId) -> Option<(LensNo, u8)> {
        *self.0.entry(func).or_insert_with(|| {
            let name = dict.func_name(func);
            let found = |(no, l): (u8, &lens::Lens)| Some((no, u8::try_from(l.operation(name)?).ok()?));
            (0u8..).zip(lens::all()).find_map(found)
        })
    }

    /// The lens of each frame of a stack, leaf first: from the line of user code to the leaf who has none is of that of
    /// its caller, and the user's code is of none.
    pub fn along(&mut self, dict: &Dict, frames: &[FrameId]) -> Vec<Option<LensNo>> {
        let mut lens = None;
        let mut of: Vec<Option<LensNo>> = vec![None; frames.len()];
        for i in (0..dict.below_user(frames)).rev() {
            lens = self.of(dict, dict.frame_of(frames[i]).func).map(|l| l.0).or(lens);
            of[i] = lens;
        }
        of
    }

    /// What the frames of a stack below the line of user code mean, leaf first.
    pub fn meaning(&mut self, dict: &Dict, below: &[FrameId]) -> Option<Meaning> {
        let func = |f: FrameId| dict.frame_of(f).func;
        let (at, (lens, operation)) = (0..below.len()).rev().find_map(|i| Some((i, self.of(dict, func(below[i]))?)))?;
        let names = below[..=at].iter().map(|&f| dict.func_name(func(f)));
        let class = lens::all().get(usize::from(lens))?.of_stack(names).and_then(|f| f.class);
        Some(Meaning { at, lens, operation, class: class.and_then(|c| u8::try_from(c).ok()) })
    }
}

/// A lens's name.
pub fn name(lens: LensNo) -> &'static str {
    lens::all().get(usize::from(lens)).map_or("", |l| l.name)
}

/// What one of its operations is called.
pub fn operation(lens: LensNo, no: u8) -> &'static str {
    let of = lens::all().get(usize::from(lens)).and_then(|l| l.operations.get(usize::from(no)));
    of.map_or("", |g| g.name.as_str())
}

/// What one of its classes is called.
pub fn class(lens: LensNo, no: u8) -> &'static str {
    let of = lens::all().get(usize::from(lens)).and_then(|l| l.classes.get(usize::from(no)));
    of.map_or("", |g| g.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::flame::{Layout, Part, Tree, samples, tree};
    use super::*;
    use crate::analysis::maps::{Files, of_trace};
    use crate::analysis::waits::contention::contention;
    use crate::read::fixture;

    fn sample(layout: Layout) -> Tree {
        let trace = fixture::trace();
        let index = trace.index();
        tree(&index.dict, &samples(&index), layout, &|_| false)
    }

    #[test]
    fn groups_have_the_numbers_of_the_view_of_maps_and_lose_nothing() {
        let plain = sample(Layout::default());
        let trace = fixture::trace();
        let maps = of_trace(&*trace, &contention(&*trace, None).unwrap(), &Files::default()).unwrap();
        let no = (0u8..).zip(lens::all()).find(|l| l.1.name == "maps").unwrap().0;
        for (lens, mine) in [(ByLens::Known, false), (ByLens::Grouped, false), (ByLens::Grouped, true)] {
            let t = sample(Layout { lens, mine, ..Layout::default() });
            assert_eq!(t.nodes[0].total, plain.nodes[0].total);
            // What is in an operation on maps below another lens's, as a lock's, is of that.
            assert_eq!(t.lenses.iter().find(|l| l.0 == no).map(|l| l.1), Some(maps.map_samples), "{:?}", t.lenses);
            assert!(t.lenses.iter().map(|l| l.1).sum::<u64>() <= t.nodes[0].total);
            for n in &t.nodes {
                let below: u64 = n.children.iter().map(|&c| t.nodes[c].total).sum();
                assert_eq!(n.total, below + n.own);
            }
            if lens != ByLens::Grouped {
                continue;
            }
            let of = |wanted: Part| t.nodes.iter().filter(|n| n.part == wanted).map(|n| n.total).sum::<u64>();
            assert_eq!(of(Part::Lens(no)), maps.map_samples);
            for (i, class) in (0u8..).zip(&lens::maps().classes) {
                let want: u64 = maps.lines.iter().map(|l| l.classes[usize::from(i)]).sum();
                assert_eq!(of(Part::Class(no, i)), want, "{}", class.name);
            }
            for (i, operation) in (0u8..).zip(&lens::maps().operations) {
                assert_eq!(of(Part::Operation(no, i)), maps.of_operation(&operation.name), "{}", operation.name);
            }
        }
    }

    #[test]
    fn a_function_without_a_lens_is_of_that_of_its_caller_and_code_of_the_user_of_none() {
        let t = sample(Layout { lens: ByLens::Known, ..Layout::default() });
        let trace = fixture::trace();
        let dict = &trace.index().dict;
        let named =
            |name: &'static str| t.nodes.iter().filter(move |n| n.func.is_some() && dict.func_name(n.func) == name);
        let of = |n: &super::super::flame::Node| n.lens.map(name);
        assert!(named("runtime.mapassign_faststr").all(|n| of(n) == Some("maps")));
        // It is inlined into what looks for a key.
        let match_h2: Vec<_> = named("internal/runtime/maps.ctrlGroup.matchH2").map(of).collect();
        assert!(!match_h2.is_empty() && match_h2.iter().all(|l| *l == Some("maps")), "{match_h2:?}");
        assert!(named("paycore/payment.(*OrderCache).Update").all(|n| n.lens.is_none()));
        assert!(named("runtime.mallocgc").any(|n| of(n) == Some("alloc")));
        assert!(sample(Layout::default()).nodes.iter().all(|n| n.lens.is_none()));
    }
}
