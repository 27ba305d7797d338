//! Handles in the index for what a generation's tables number.

use crate::base::{StackId, StringId};
use crate::model::index::Index;
use crate::model::{Frame, Func};
use crate::wire::tables::Tables;

/// Handles for the positions in one generation's tables.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Maps {
    pub strings: Vec<StringId>,
    pub stacks: Vec<StackId>,
}

impl Maps {
    /// Interns a generation's strings and stacks.
    pub fn intern(index: &mut Index, tables: &Tables) -> Maps {
        let dict = &mut index.dict;
        let strings: Vec<StringId> = (0..tables.strings.len())
            .map(|i| dict.string(&crate::base::text::lossy(tables.strings.get(i as u32))))
            .collect();
        let get = |i: u32| strings.get(i as usize).copied();
        let empty = dict.string("");
        let stacks = (0..tables.stacks.len())
            .map(|i| {
                let mut stack = StackId::NONE;
                for f in tables.stacks.get(i as u32).iter().rev() {
                    let func = Func { name: get(f.func).unwrap_or(empty), file: get(f.file).unwrap_or(empty) };
                    let func = dict.func(func);
                    let frame = dict.frame(Frame { func, line: f.line, pc: f.pc });
                    stack = dict.push_frame(stack, frame);
                }
                stack
            })
            .collect();
        Maps { strings, stacks }
    }

    pub fn string(&self, i: u32) -> StringId {
        self.strings.get(i as usize).copied().unwrap_or_default()
    }

    pub fn stack(&self, i: u32) -> StackId {
        self.stacks.get(i as usize).copied().unwrap_or_default()
    }
}
