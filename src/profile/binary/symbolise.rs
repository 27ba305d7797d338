//! Names for addresses: of DWARF with the calls that were inlined, else of the tables of symbols, else of Go's own table.

use super::Binary;
use crate::profile::model::{Function, Line, Profile, Span};
use gimli::{EndianRcSlice, RunTimeEndian};
use object::{CompressionFormat, Object, ObjectSection};
use rustc_hash::FxHashMap;
use std::io::Read;
use std::rc::Rc;

/// The most that a section of DWARF may come to unpacked, bytes.
const MOST: u64 = 2 << 30;
/// The most calls that may be inlined at one place.
const DEEPEST: usize = 256;

/// A call that stands at an address.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Call {
    /// The function as the linker or DWARF has it. Not escaped.
    pub func: String,
    /// The source file; empty if it is not known.
    pub file: String,
    /// The line; 0 if it is not known.
    pub line: i64,
}

type Slice = EndianRcSlice<RunTimeEndian>;

/// What tells the calls at an address of a program.
pub struct Symbols<'a> {
    binary: &'a Binary,
    dwarf: Option<addr2line::Context<Slice>>,
}

impl Binary {
    /// Ready to name addresses.
    pub fn symbolised(&self) -> Symbols<'_> {
        Symbols { binary: self, dwarf: dwarf(self.debug.as_deref().unwrap_or(&self.bytes)) }
    }
}

/// The debug information of a program, if it has any that can be read.
fn dwarf(bytes: &[u8]) -> Option<addr2line::Context<Slice>> {
    let file = object::File::parse(bytes).ok()?;
    let endian = if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
    let section = |id: gimli::SectionId| -> Result<Slice, gimli::Error> {
        let data = file.section_by_name(id.name()).and_then(|s| unpacked(&s)).unwrap_or_default();
        Ok(EndianRcSlice::new(Rc::from(data), endian))
    };
    let dwarf = gimli::Dwarf::load(section).ok()?;
    addr2line::Context::from_dwarf(dwarf).ok()
}

/// A section's bytes, unpacked if they are packed with zlib.
fn unpacked(s: &object::Section) -> Option<Vec<u8>> {
    let data = s.compressed_data().ok()?;
    match data.format {
        CompressionFormat::None => Some(data.data.to_vec()),
        CompressionFormat::Zlib => {
            let mut out = Vec::new();
            let packed = flate2::read::ZlibDecoder::new(data.data);
            packed.take(MOST.min(data.uncompressed_size)).read_to_end(&mut out).ok()?;
            Some(out)
        }
        _ => None,
    }
}

impl Symbols<'_> {
    /// The calls at an address of the file, the innermost inlined one first; none if nothing is known of it.
    pub fn at(&self, address: u64) -> Vec<Call> {
        let mut out = Vec::new();
        if let Some(dwarf) = &self.dwarf
            && let Ok(mut frames) = dwarf.find_frames(address).skip_all_loads()
        {
            while let Ok(Some(f)) = frames.next() {
                let func = f.function.as_ref().and_then(|f| f.raw_name().ok()).unwrap_or_default().into_owned();
                let place = f.location.as_ref();
                let file = place.and_then(|l| l.file).unwrap_or_default().to_owned();
                out.push(Call { func, file, line: place.and_then(|l| l.line).unwrap_or(0).into() });
                if out.len() >= DEEPEST {
                    break;
                }
            }
        }
        if out.iter().any(|c| !c.func.is_empty()) {
            return out;
        }
        let Some(symbol) = self.binary.symbol_at(address) else { return Vec::new() };
        let lines = self.binary.lines(symbol);
        let (file, line) = match lines.as_ref().and_then(|l| l.at(address)) {
            Some((file, line)) => (file.to_owned(), line),
            None => out.pop().map_or((String::new(), 0), |c| (c.file, c.line)),
        };
        vec![Call { func: symbol.name.clone(), file, line }]
    }
}

/// Names the places of `p` that have nothing but an address. `open` gives the program that is mapped from a file with a build
/// id, which may be empty, if it is at hand. Gives how many places were named, and how many were not.
pub fn symbolise(p: &mut Profile, open: &mut dyn FnMut(&str, &str) -> Option<Binary>) -> (u64, u64) {
    let (mut named, mut nameless) = (0, 0);
    let mut functions: FxHashMap<(String, String), u32> = FxHashMap::default();
    let mut next = p.functions.iter().map(|f| f.id).max().unwrap_or(0);
    for m in 0..p.mappings.len() {
        let of =
            |l: &crate::profile::model::Location| l.mapping == Some(m as u32) && l.lines.len == 0 && l.address != 0;
        let places: Vec<usize> = (0..p.locations.len()).filter(|&i| of(&p.locations[i])).collect();
        if places.is_empty() {
            continue;
        }
        let mapping = p.mappings[m];
        let Some(binary) = open(p.str(mapping.file), p.str(mapping.build_id)) else {
            nameless += places.len() as u64;
            continue;
        };
        let base = binary.base(mapping.start, mapping.offset);
        let symbols = binary.symbolised();
        for i in places {
            let calls = symbols.at(p.locations[i].address.wrapping_sub(base));
            let start = p.lines.len() as u32;
            let count = calls.len();
            for (n, call) in calls.into_iter().enumerate() {
                let key = (call.func, call.file);
                let function = functions.get(&key).copied().unwrap_or_else(|| {
                    next += 1;
                    let (name, file) = (p.strings.intern(&key.0), p.strings.intern(&key.1));
                    p.functions.push(Function { id: next, name, system_name: name, file, start_line: 0 });
                    p.functions.len() as u32 - 1
                });
                functions.insert(key, function);
                p.lines.push(Line { function, line: call.line, column: 0, inlined: n + 1 < count });
            }
            p.locations[i].lines = Span { start, len: p.lines.len() as u32 - start };
            if count > 0 { named += 1 } else { nameless += 1 }
        }
        p.mappings[m].has_functions = true;
    }
    (named, nameless)
}
