//! From machine code to instructions in words.

use super::Symbol;
use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter, SymbolResolver, SymbolResult};
use object::Architecture;
use std::sync::Arc;
use yaxpeax_arch::{Decoder as _, U8Reader};

/// An instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// Its address in the file.
    pub address: u64,
    /// What it is, as GNU's assembler writes it, sources before destinations; `?` where there is none. Not escaped.
    pub text: String,
}

/// Bytes of the longest name that stands for an address.
const LONGEST_NAME: usize = 512;

/// Names what stands exactly at an address.
struct Names(Arc<[Symbol]>);

impl Names {
    fn of(&self, address: u64) -> Option<&str> {
        let at = self.0.partition_point(|s| s.start < address);
        self.0.get(at).filter(|s| s.start == address && s.name.len() <= LONGEST_NAME).map(|s| s.name.as_str())
    }
}

impl SymbolResolver for Names {
    fn symbol(
        &mut self,
        _: &iced_x86::Instruction,
        _: u32,
        _: Option<u32>,
        address: u64,
        _: u32,
    ) -> Option<SymbolResult<'_>> {
        self.of(address).map(|name| SymbolResult::with_str(address, name))
    }
}

/// The instructions of `code`, which stands at `start`, put into words one at a time: a name may be long and stand in each.
pub(crate) fn decode<'a>(
    arch: Architecture,
    code: &'a [u8],
    start: u64,
    symbols: &Arc<[Symbol]>,
) -> Box<dyn Iterator<Item = Instruction> + 'a> {
    match arch {
        Architecture::Aarch64 => Box::new(arm64(code, start)),
        Architecture::I386 => Box::new(X86::new(32, code, start, symbols)),
        _ => Box::new(X86::new(64, code, start, symbols)),
    }
}

struct X86<'a> {
    decoder: Decoder<'a>,
    format: GasFormatter,
}

impl<'a> X86<'a> {
    fn new(bits: u32, code: &'a [u8], start: u64, symbols: &Arc<[Symbol]>) -> X86<'a> {
        let mut format = GasFormatter::with_options(Some(Box::new(Names(symbols.clone()))), None);
        format.options_mut().set_branch_leading_zeros(false);
        format.options_mut().set_uppercase_hex(false);
        format.options_mut().set_signed_immediate_operands(true);
        X86 { decoder: Decoder::with_ip(bits, code, start, DecoderOptions::NONE), format }
    }
}

impl Iterator for X86<'_> {
    type Item = Instruction;

    fn next(&mut self) -> Option<Instruction> {
        if !self.decoder.can_decode() {
            return None;
        }
        let (address, position) = (self.decoder.ip(), self.decoder.position());
        let instruction = self.decoder.decode();
        let mut text = String::new();
        if instruction.is_invalid() {
            // What follows may be one again.
            text.push('?');
            self.decoder.set_position(position + 1).ok()?;
            self.decoder.set_ip(address.wrapping_add(1));
        } else {
            self.format.format(&instruction, &mut text);
        }
        Some(Instruction { address, text })
    }
}

fn arm64(code: &[u8], start: u64) -> impl Iterator<Item = Instruction> + '_ {
    let decoder = yaxpeax_arm::armv8::a64::InstDecoder::default();
    let words = code.chunks_exact(4).zip((start..).step_by(4));
    let of = move |word: &[u8]| decoder.decode(&mut U8Reader::new(word)).map_or("?".into(), |i| i.to_string());
    words.map(move |(word, address)| Instruction { address, text: of(word) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(arch: Architecture, code: &[u8]) -> Vec<(u64, String)> {
        let symbols: Arc<[Symbol]> = Arc::new([Symbol { name: "main.fib".into(), start: 0x400000, end: 0x400040 }]);
        decode(arch, code, 0x400010, &symbols).map(|i| (i.address, i.text)).collect()
    }

    #[test]
    fn calls_name_functions_and_what_is_no_instruction_takes_one_byte() {
        let code = [0x48, 0x89, 0xe5, 0xe8, 0xe8, 0xff, 0xff, 0xff, 0x06, 0xc3, 0xe8];
        let got = text(Architecture::X86_64, &code);
        let want = [
            (0x400010, "mov %rsp,%rbp"),
            (0x400013, "call main.fib"),
            (0x400018, "?"),
            (0x400019, "ret"),
            (0x40001a, "?"),
        ];
        assert_eq!(got, want.map(|(at, text)| (at, text.to_string())));
    }

    #[test]
    fn instructions_of_arm64_are_words() {
        let got = text(Architecture::Aarch64, &[0xc0, 0x03, 0x5f, 0xd6, 0xff, 0xff, 0xff, 0xff, 0x01]);
        assert_eq!(got, [(0x400010, "ret".to_string()), (0x400014, "?".to_string())]);
    }
}
