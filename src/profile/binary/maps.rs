//! The types of the maps that a program assigns to, by line of source.
//!
//! A call of `runtime.mapassign*` passes the map's type as its first argument, which the compiler loads right before:
//! `LEAQ type, AX; CALL runtime.mapassign_faststr`. In the type stands how large a group of slots (Go 1.24 and later) or a
//! bucket is (`internal/abi`, `SwissMapType` and `OldMapType`). This needs no debug information, and where the table of
//! symbols is stripped the table that tracebacks use has the names. Shared code of generic functions takes the type from a
//! dictionary, and tells nothing.

use super::{Binary, within};
use crate::model::ownership::Owner;
use iced_x86::{Decoder, DecoderOptions, Mnemonic, OpKind, Register};
use object::Architecture;
use rustc_hash::FxHashSet;

/// An assignment to a map.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Assignment {
    /// The source file, as the program has it. Not escaped.
    pub file: String,
    /// The line.
    pub line: u32,
    /// Bytes of a group of slots or a bucket.
    pub unit: u64,
    /// Whether keys or values hold pointers.
    pub pointers: bool,
}

/// Where a map's type has the type of a group or bucket, and where a type has the bytes up to its last pointer.
const GROUP: u64 = 64;
const POINTERS: u64 = 8;
/// Where it has the bytes of a group, as a word, from Go 1.24 on; and those of a bucket, as 16 bits, before.
const GROUP_SIZE: u64 = 80;
const BUCKET_SIZE: u64 = 82;
/// Groups and buckets are no larger than this: keys and values above 128 bytes are kept apart.
const LARGEST: u64 = 16 + 8 * 256;

impl Binary {
    /// The version of Go that built the program: `(1, 24)`.
    pub fn go_version(&self) -> Option<(u32, u32)> {
        const MAGIC: &[u8] = b"\xff Go buildinf:";
        /// Bytes up to the version, where it stands in the section itself, as Go 1.18 and later write it.
        const HEADER: usize = 32;
        const INLINE: u8 = 2;
        let at = self.bytes.windows(MAGIC.len()).position(|w| w == MAGIC)?;
        let info = self.bytes.get(at..)?;
        if info.get(MAGIC.len() + 1)? & INLINE == 0 {
            return None;
        }
        let len = usize::from(*info.get(HEADER)?);
        let version = std::str::from_utf8(info.get(HEADER + 1..HEADER + 1 + len)?).ok()?;
        let mut numbers = version.strip_prefix("go")?.split(|c: char| !c.is_ascii_digit());
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }

    /// Bytes at an address, little-endian.
    fn read(&self, address: u64, len: u64) -> Option<u64> {
        let range = within(&self.sections, address, address.checked_add(len)?)?;
        let bytes = self.bytes.get(range).filter(|b| b.len() as u64 == len)?;
        Some(bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    /// What the type of a map at an address says: bytes of a group or bucket, and whether it holds pointers.
    fn map_type(&self, address: u64, minor: u32) -> Option<(u64, bool)> {
        let at = |offset: u64| address.checked_add(offset);
        let unit = if minor >= 24 { self.read(at(GROUP_SIZE)?, 8)? } else { self.read(at(BUCKET_SIZE)?, 2)? };
        let group = self.read(at(GROUP)?, 8)?;
        let pointers = self.read(group.checked_add(POINTERS)?, 8)? > 0;
        (8..=LARGEST).contains(&unit).then_some((unit, pointers))
    }

    /// The assignments to maps in the program's code, by line. Nothing for other machines than amd64, and for programs that
    /// do not say which Go built them.
    pub fn map_assignments(&self) -> Vec<Assignment> {
        let Some((_, minor)) = self.go_version().filter(|_| self.arch == Architecture::X86_64) else {
            return Vec::new();
        };
        let assigns = |name: &str| name.starts_with("runtime.mapassign");
        let targets: FxHashSet<u64> = self.symbols.iter().filter(|s| assigns(&s.name)).map(|s| s.start).collect();
        let mut out = Vec::new();
        for s in self.symbols.iter().filter(|s| Owner::of(&s.name) != Owner::Runtime) {
            let code = within(&self.sections, s.start, s.end).and_then(|r| self.bytes.get(r)).unwrap_or(&[]);
            let calls = calls(code, s.start, &targets);
            let lines = if calls.is_empty() { None } else { self.lines(s) };
            let Some(lines) = lines else { continue };
            for (pc, address) in calls {
                if let (Some((file, line)), Some((unit, pointers))) = (lines.at(pc), self.map_type(address, minor)) {
                    let line = u32::try_from(line).unwrap_or(0);
                    out.push(Assignment { file: file.to_owned(), line, unit, pointers });
                }
            }
        }
        out.sort();
        out.dedup();
        out
    }
}

/// Calls of `targets` in a function's code, with the address that AX then holds, if that is known.
fn calls(code: &[u8], start: u64, targets: &FxHashSet<u64>) -> Vec<(u64, u64)> {
    let mut decoder = Decoder::with_ip(64, code, start, DecoderOptions::NONE);
    let mut ax = None;
    let mut out = Vec::new();
    while decoder.can_decode() {
        let i = decoder.decode();
        let writes_ax = i.op_count() > 0
            && i.op0_kind() == OpKind::Register
            && matches!(i.op0_register(), Register::RAX | Register::EAX | Register::AX | Register::AL)
            && !matches!(i.mnemonic(), Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Push);
        match i.mnemonic() {
            Mnemonic::Call => {
                if let (true, Some(address)) = (targets.contains(&i.near_branch_target()), ax) {
                    out.push((i.ip(), address));
                }
                ax = None;
            }
            Mnemonic::Lea if writes_ax => ax = i.is_ip_rel_memory_operand().then(|| i.ip_rel_memory_address()),
            Mnemonic::Mov if writes_ax => {
                let immediate =
                    matches!(i.op1_kind(), OpKind::Immediate32 | OpKind::Immediate32to64 | OpKind::Immediate64);
                ax = immediate.then(|| i.immediate(1));
            }
            _ if writes_ax || i.is_invalid() => ax = None,
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_found_with_the_type_that_was_loaded_before() {
        // lea 0x100(%rip),%rax; mov %rbx,%rcx; call +0x0 (0x1020); lea, overwritten by mov (%rsp),%rax; call.
        let mut code = vec![0x48, 0x8d, 0x05, 0x00, 0x01, 0, 0, 0x48, 0x89, 0xd9, 0xe8];
        code.extend(0x11i32.to_le_bytes());
        code.extend([0x48, 0x8d, 0x05, 0, 0, 0, 0, 0x48, 0x8b, 0x04, 0x24, 0xe8]);
        code.extend((0x1020 - 0x101fi32).to_le_bytes());
        let targets = FxHashSet::from_iter([0x1020]);
        assert_eq!(calls(&code, 0x1000, &targets), [(0x100a, 0x1107)]);
        assert_eq!(calls(&code, 0x1000, &FxHashSet::default()), []);
    }
}
