//! Go's table of functions and lines, which every Go program carries for its tracebacks, as Go 1.16 and later write it.
//! The layout is that of the runtime's `pcHeader` and `_func` (`runtime/symtab.go`, `runtime/runtime2.go`), and of
//! `pcvalue`: pairs of differences, of a value and of an address, as variable-length integers.

use super::Symbol;

/// The lines of one function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lines<'a> {
    /// Lines, each up to before an address.
    lines: Vec<(u64, i32)>,
    /// Files, as the table has their names, in the same way.
    files: Vec<(u64, Option<&'a [u8]>)>,
}

/// Fields of a `_func` behind its entry, counted from 1.
const PCFILE: usize = 5;
const PCLN: usize = 6;
const CU_OFFSET: usize = 8;

struct Table<'a> {
    data: &'a [u8],
    quantum: u64,
    /// Bytes of an address.
    pointer: usize,
    /// Bytes of a field of the table of functions, and of a `_func`'s entry.
    field: usize,
    /// What entries are counted from.
    first: u64,
    functions: usize,
    names: usize,
    cu: usize,
    files: usize,
    pcs: usize,
    funcs: usize,
}

impl<'a> Table<'a> {
    fn new(data: &'a [u8], first: u64) -> Option<Table<'a>> {
        let magic = u32::from_le_bytes(data.get(..4)?.try_into().ok()?);
        let (quantum, pointer) = (*data.get(6)?, *data.get(7)?);
        if !matches!(pointer, 4 | 8) || !matches!(quantum, 1 | 2 | 4) {
            return None;
        }
        let mut t = Table {
            data,
            quantum: quantum.into(),
            pointer: pointer.into(),
            field: 4,
            first,
            functions: 0,
            names: 0,
            cu: 0,
            files: 0,
            pcs: 0,
            funcs: 0,
        };
        // Go 1.18 put the address of the first function in, and counts entries from there; 1.20 changed names alone.
        let words = match magic {
            0xffff_fff1 | 0xffff_fff0 => 4,
            0xffff_fffa => {
                (t.field, t.first) = (t.pointer, 0);
                3
            }
            _ => return None,
        };
        t.functions = t.word(0)?;
        t.names = t.word(words - 1)?;
        (t.cu, t.files, t.pcs, t.funcs) = (t.word(words)?, t.word(words + 1)?, t.word(words + 2)?, t.word(words + 3)?);
        Some(t)
    }

    fn number(&self, at: usize, len: usize) -> Option<u64> {
        let bytes = self.data.get(at..at.checked_add(len)?)?;
        Some(bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    fn word(&self, n: usize) -> Option<usize> {
        usize::try_from(self.number(8 + n * self.pointer, self.pointer)?).ok()
    }

    /// Address and position of the function that `pc` lies in.
    fn function(&self, pc: u64) -> Option<((u64, u64), usize)> {
        let entry = |i: usize| {
            let at = self.funcs.checked_add(i.checked_mul(2 * self.field)?)?;
            Some(self.first.wrapping_add(self.number(at, self.field)?))
        };
        let (mut low, mut high) = (0, self.functions);
        while low < high {
            let middle = low + (high - low) / 2;
            if entry(middle)? <= pc { low = middle + 1 } else { high = middle }
        }
        let i = low.checked_sub(1)?;
        let end = entry(i + 1)?;
        if end <= pc {
            return None;
        }
        let at = self.funcs.checked_add(i * 2 * self.field + self.field)?;
        Some(((entry(i)?, end), self.funcs.checked_add(usize::try_from(self.number(at, self.field)?).ok()?)?))
    }

    fn of_function(&self, function: usize, field: usize) -> Option<usize> {
        let at = function.checked_add(self.field + (field - 1) * 4)?;
        usize::try_from(self.number(at, 4)?).ok()
    }

    /// The values of a table, each up to before an address.
    fn values(&self, table: usize, (entry, end): (u64, u64)) -> Option<Vec<(u64, i32)>> {
        let mut at = self.pcs.checked_add(table)?;
        let mut next = || {
            let mut n = 0u32;
            for shift in (0..35).step_by(7) {
                let b = *self.data.get(at)?;
                at += 1;
                n |= u32::from(b & 0x7f).checked_shl(shift).unwrap_or(0);
                if b < 0x80 {
                    return Some(n);
                }
            }
            None
        };
        let (mut pc, mut value) = (entry, -1i32);
        let mut out = Vec::new();
        while pc < end {
            let delta = next()?;
            if delta == 0 && !out.is_empty() {
                break;
            }
            value = value.wrapping_add((delta >> 1) as i32 ^ -((delta & 1) as i32));
            let step = u64::from(next()?) * self.quantum;
            // So that there are no more steps than bytes of code.
            if step == 0 {
                break;
            }
            pc = pc.checked_add(step)?;
            out.push((pc, value));
        }
        Some(out)
    }

    /// The name of a file of the unit whose files begin at `unit`.
    fn file(&self, unit: usize, number: i32) -> Option<&'a [u8]> {
        let n = unit.checked_add(usize::try_from(number).ok()?)?;
        let at = self.number(self.cu.checked_add(n.checked_mul(4)?)?, 4)?;
        let name = self.data.get(self.files.checked_add(usize::try_from(at).ok()?)?..)?;
        let end = name.iter().take(LONGEST_NAME).position(|&b| b == 0)?;
        Some(&name[..end])
    }
}

/// Bytes of a file's name that are read.
const LONGEST_NAME: usize = 4096;

/// The address of the first function, where the table says it: from Go 1.18 on, and not where the linker leaves it to be
/// filled in.
pub(crate) fn text_start(table: &[u8]) -> Option<u64> {
    let t = Table::new(table, 0)?;
    let said = t.number(8 + 2 * t.pointer, t.pointer).filter(|&at| at != 0)?;
    (t.field == 4).then_some(said)
}

/// All functions that the table has, by address; `first` is the address of the program's first function.
pub(crate) fn functions(table: &[u8], first: u64) -> Vec<Symbol> {
    let Some(t) = Table::new(table, first) else { return Vec::new() };
    // A damaged table may say that there are any number; no more fit than it has bytes, nor are names longer in all.
    let most = t.functions.min(table.len() / (2 * t.field));
    let mut left = table.len();
    let one = |i: usize| {
        let at = t.funcs.checked_add(i.checked_mul(2 * t.field)?)?;
        let entry = |at: usize| Some(t.first.wrapping_add(t.number(at, t.field)?));
        let (start, end) = (entry(at)?, entry(at + 2 * t.field)?);
        let function = t.funcs.checked_add(usize::try_from(t.number(at + t.field, t.field)?).ok()?)?;
        let name = usize::try_from(t.number(function.checked_add(t.field)?, 4)?).ok()?;
        let name = t.data.get(t.names.checked_add(name)?..)?;
        let len = name.iter().take(LONGEST_NAME).position(|&b| b == 0)?;
        left = left.checked_sub(len)?;
        let name = String::from_utf8_lossy(&name[..len]).into_owned();
        Some(Symbol { name, start, end })
    };
    let mut out: Vec<Symbol> = (0..most).map_while(one).filter(|s| s.start < s.end).collect();
    out.sort_by_key(|s| s.start);
    out
}

impl<'a> Lines<'a> {
    /// The lines of the function that `pc` lies in; `first` is the address of the program's first function.
    pub(crate) fn of(table: &'a [u8], first: u64, pc: u64) -> Option<Lines<'a>> {
        let t = Table::new(table, first)?;
        let (bounds, function) = t.function(pc)?;
        let lines = t.values(t.of_function(function, PCLN)?, bounds)?;
        let numbers = t.values(t.of_function(function, PCFILE)?, bounds)?;
        let unit = t.of_function(function, CU_OFFSET)?;
        let files = numbers.into_iter().map(|(to, number)| (to, t.file(unit, number))).collect();
        Some(Lines { lines, files })
    }

    /// File and line of an address of the function; not escaped. No file whose name is not UTF-8, which Go's are.
    pub fn at(&self, pc: u64) -> Option<(&str, i64)> {
        let line = self.lines.get(self.lines.partition_point(|l| l.0 <= pc))?.1;
        let file = self.files.get(self.files.partition_point(|f| f.0 <= pc))?.1?;
        Some((std::str::from_utf8(file).ok()?, line.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A table as Go 1.20 and later write it, of two functions of 16 and 32 bytes from 0x1000 on.
    fn table() -> Vec<u8> {
        let mut out = vec![0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8];
        let (cu, files, pcs, funcs) = (72u64, 80, 100, 200);
        for word in [2, 2, 0, 72, cu, files, pcs, funcs] {
            out.extend(u64::to_le_bytes(word));
        }
        [0u32, 8].iter().for_each(|n| out.extend(n.to_le_bytes()));
        out.extend(b"x/a.go\0\0x/b.go\0");
        out.resize(pcs as usize, 0);
        // Line 10 for 4 bytes, then 12; file 0 for 8 bytes, then 1. The first bytes are no table.
        out.extend([0xff, 22, 4, 4, 12, 0]);
        out.extend([2, 8, 2, 8, 0]);
        out.resize(funcs as usize, 0);
        [0u32, 40, 16, 80, 48].iter().for_each(|n| out.extend(n.to_le_bytes()));
        out.resize(funcs as usize + 40, 0);
        for entry in [0u32, 16] {
            [entry, 0, 0, 0, 0, 6, 1, 0, 0, 0].iter().for_each(|n| out.extend(n.to_le_bytes()));
        }
        out
    }

    #[test]
    fn lines_and_files_change_within_a_function() {
        let t = table();
        let lines = Lines::of(&t, 0x1000, 0x1000).unwrap();
        assert_eq!(lines.at(0x1000), Some(("x/a.go", 10)));
        assert_eq!(lines.at(0x1004), Some(("x/a.go", 12)));
        assert_eq!(lines.at(0x1008), Some(("x/b.go", 12)));
        assert_eq!(lines.at(0x1010), None);
        // Of the second function with the same tables, from its own beginning on.
        assert_eq!(Lines::of(&t, 0x1000, 0x101f).unwrap().at(0x1014), Some(("x/a.go", 12)));
        assert_eq!((Lines::of(&t, 0x1000, 0xfff), Lines::of(&t, 0x1000, 0x1030)), (None, None));
    }

    proptest! {
        #[test]
        fn a_damaged_table_is_no_end_of_ours(at in 0usize..280, byte in 0u8.., cut in 0usize..280, pc in 0xff0u64..0x1040) {
            let mut t = table();
            t[at] = byte;
            t.truncate(cut.max(at));
            if let Some(lines) = Lines::of(&t, 0x1000, pc) {
                lines.at(pc);
            }
        }
    }
}
