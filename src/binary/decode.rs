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

/// Names what stands exactly at an address.
struct Names(Arc<[Symbol]>);

impl Names {
    fn of(&self, address: u64) -> Option<&str> {
        let at = self.0.partition_point(|s| s.start < address);
        self.0.get(at).filter(|s| s.start == address).map(|s| s.name.as_str())
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

/// The instructions of `code`, which stands at `start`.
pub(super) fn decode(arch: Architecture, code: &[u8], start: u64, symbols: &Arc<[Symbol]>) -> Vec<Instruction> {
    match arch {
        Architecture::Aarch64 => arm64(code, start),
        Architecture::I386 => x86(32, code, start, symbols),
        _ => x86(64, code, start, symbols),
    }
}

fn x86(bits: u32, code: &[u8], start: u64, symbols: &Arc<[Symbol]>) -> Vec<Instruction> {
    let mut format = GasFormatter::with_options(Some(Box::new(Names(symbols.clone()))), None);
    format.options_mut().set_branch_leading_zeros(false);
    format.options_mut().set_uppercase_hex(false);
    format.options_mut().set_signed_immediate_operands(true);
    let mut decoder = Decoder::with_ip(bits, code, start, DecoderOptions::NONE);
    let mut out = Vec::new();
    while decoder.can_decode() {
        let (address, position) = (decoder.ip(), decoder.position());
        let instruction = decoder.decode();
        let mut text = String::new();
        if instruction.is_invalid() {
            // What follows may be one again.
            text.push('?');
            if decoder.set_position(position + 1).is_err() {
                break;
            }
            decoder.set_ip(address.wrapping_add(1));
        } else {
            format.format(&instruction, &mut text);
        }
        out.push(Instruction { address, text });
    }
    out
}

fn arm64(code: &[u8], start: u64) -> Vec<Instruction> {
    let decoder = yaxpeax_arm::armv8::a64::InstDecoder::default();
    let words = code.chunks_exact(4).zip((start..).step_by(4));
    let of = |word: &[u8]| decoder.decode(&mut U8Reader::new(word)).map_or("?".into(), |i| i.to_string());
    words.map(|(word, address)| Instruction { address, text: of(word) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(arch: Architecture, code: &[u8]) -> Vec<(u64, String)> {
        let symbols: Arc<[Symbol]> = Arc::new([Symbol { name: "main.fib".into(), start: 0x400000, end: 0x400040 }]);
        decode(arch, code, 0x400010, &symbols).into_iter().map(|i| (i.address, i.text)).collect()
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
