//! Executables: their functions, machine code and line tables, for `disasm` and for addresses without names.
//!
//! ELF, Mach-O and PE, as the `object` crate reads them. Nothing in a file is trusted: all positions are checked, and
//! names are not escaped.

mod decode;
mod maps;
mod pclntab;
mod symbolise;

pub use decode::Instruction;
pub use maps::Assignment;
pub use pclntab::Lines;
pub use symbolise::{Call, Symbols, symbolise};

use object::{Architecture, BinaryFormat, Object, ObjectSection, ObjectSegment, ObjectSymbol, SymbolKind};
use std::ops::Range;
use std::sync::Arc;

/// A function of an executable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Symbol {
    /// Its name, as the linker has it.
    pub name: String,
    /// Its first address, as the file has it.
    pub start: u64,
    /// The first address after it.
    pub end: u64,
}

impl std::fmt::Debug for Binary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Binary of {:?} with {} functions", self.arch, self.symbols.len())
    }
}

/// Why an executable cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is none, or a damaged one.
    #[error("this is not an executable that can be read: {0}")]
    Format(#[from] object::Error),
    /// It is for a processor whose instructions are not known here.
    #[error("its machine code is for {0}; that of amd64, 386 and arm64 can be shown")]
    Architecture(String),
    /// It wants to be loaded where there is no room for it.
    #[error("it is damaged: it says to load it at {0:#x}, near the end of all addresses")]
    Base(u64),
    /// The names of its functions come to more than the file has.
    #[error("it is damaged: the names of its functions are longer than the file")]
    Names,
    /// It has no table of symbols.
    #[error("it has no symbol table; build it without -ldflags=-s")]
    Stripped,
}

/// An executable, held in memory.
pub struct Binary {
    bytes: Vec<u8>,
    arch: Architecture,
    /// Functions by address.
    symbols: Arc<[Symbol]>,
    /// Addresses, and where in the file their bytes are.
    sections: Vec<(u64, Range<usize>)>,
    /// Address and position in the file of the segment that holds the code.
    code: Option<(u64, u64)>,
    /// Where a Windows program wants to be loaded; 0 in others.
    image: u64,
    build_id: String,
    /// The file that has its debug information, if that is another.
    debug: Option<Vec<u8>>,
    /// Where the line table is in the file, and the address of the first function.
    pclntab: Option<(Range<usize>, u64)>,
}

impl Binary {
    /// Reads the tables of an executable.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn new(bytes: Vec<u8>) -> Result<Binary, Error> {
        let binary = Binary::tables(bytes)?;
        if binary.symbols.is_empty() { Err(Error::Stripped) } else { Ok(binary) }
    }

    /// Reads the tables of an executable. If its table of symbols was stripped, the functions are those that tracebacks
    /// know, which every Go program carries, or else those that others link with.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn even_stripped(bytes: Vec<u8>) -> Result<Binary, Error> {
        Binary::with_debug_file(bytes, |_| None)
    }

    /// The same, of a program or library whose debug information was put into a file of its own, as distributions do: `open`
    /// gives that of a build id, which is never empty. A file of another build id is none of it.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn with_debug_file(bytes: Vec<u8>, open: impl FnOnce(&str) -> Option<Vec<u8>>) -> Result<Binary, Error> {
        let mut binary = Binary::tables(bytes)?;
        let debug = Some(&binary.build_id).filter(|id| !id.is_empty()).and_then(|id| open(id));
        if let Some(debug) =
            debug.and_then(|bytes| Binary::tables(bytes).ok()).filter(|d| d.build_id == binary.build_id)
        {
            if !debug.symbols.is_empty() {
                binary.symbols = debug.symbols;
            }
            binary.debug = Some(debug.bytes);
        }
        if binary.symbols.is_empty() {
            let table =
                binary.pclntab.as_ref().and_then(|(range, first)| Some((binary.bytes.get(range.clone())?, *first)));
            binary.symbols = table.map_or_else(Vec::new, |(table, first)| pclntab::functions(table, first)).into();
        }
        if binary.symbols.is_empty() {
            let file = object::File::parse(&*binary.bytes)?;
            binary.symbols = functions(&file, file.dynamic_symbols(), binary.bytes.len())?.into();
        }
        if binary.symbols.is_empty() { Err(Error::Stripped) } else { Ok(binary) }
    }

    fn tables(bytes: Vec<u8>) -> Result<Binary, Error> {
        let file = object::File::parse(&*bytes)?;
        let arch = file.architecture();
        if !matches!(arch, Architecture::X86_64 | Architecture::I386 | Architecture::Aarch64) {
            return Err(Error::Architecture(format!("{arch:?}").to_lowercase()));
        }
        let image = if file.format() == BinaryFormat::Pe { file.relative_address_base() } else { 0 };
        // Positions in such a program are of 32 bits, one of a section and one in it. `object` adds them up unchecked.
        if image.checked_add(2 * u64::from(u32::MAX)).is_none() {
            return Err(Error::Base(image));
        }
        let inside = |(at, len): (u64, u64)| {
            let range = usize::try_from(at).ok()?..usize::try_from(at.checked_add(len)?).ok()?;
            bytes.get(range.clone()).map(|_| range)
        };
        let range_of = |s: &object::Section| s.file_range().and_then(inside);
        let sections: Vec<_> = file.sections().filter_map(|s| Some((s.address(), range_of(&s)?))).collect();
        let symbols = functions(&file, file.symbols(), bytes.len())?;
        let text = ["text", ".text", "__text"].iter().find_map(|n| file.section_by_name(n)).map(|s| s.address());
        let code = file.segments().find_map(|s| {
            let (from, to) = (s.address(), s.address().checked_add(s.size())?);
            text.filter(|t| (from..to).contains(t)).map(|_| (from, s.file_range().0))
        });
        let build_id = file.build_id().ok().flatten().unwrap_or_default();
        let build_id = build_id.iter().map(|b| format!("{b:02x}")).collect();
        let said = file.symbol_by_name("runtime.text").map(|s| s.address());
        let tables = [".gopclntab", ".data.rel.ro.gopclntab", "__gopclntab"];
        let section = tables.iter().find_map(|n| file.section_by_name(n));
        let table = section.as_ref().and_then(range_of);
        let table = table.or_else(|| {
            // Where the table has no section of its own, symbols say where it is.
            let at = |name| file.symbol_by_name(name).map(|s| s.address());
            let (from, to) = (at("runtime.pclntab")?, at("runtime.epclntab")?);
            within(&sections, from, to)
        });
        // A stripped program that others link with has code before Go's; the table may say where that begins.
        let start = || table.as_ref().and_then(|t| pclntab::text_start(bytes.get(t.clone())?));
        let relocated = || go_text(&file, section.as_ref()?.address());
        let first = said.or_else(start).or_else(relocated).or(text).unwrap_or(0);
        let (symbols, pclntab) = (symbols.into(), table.map(|t| (t, first)));
        Ok(Binary { arch, symbols, sections, code, image, build_id, debug: None, pclntab, bytes })
    }

    /// Its functions, by address.
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The function in which an address of the file lies.
    pub fn symbol_at(&self, address: u64) -> Option<&Symbol> {
        let next = self.symbols.partition_point(|s| s.start <= address);
        self.symbols[..next].last().filter(|s| address < s.end)
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The build id as GNU tools write it, in hexadecimal; empty if it has none.
    pub fn build_id(&self) -> &str {
        &self.build_id
    }

    /// What is to be taken off an address at run time to have that of the file. The file was mapped from `offset` on at
    /// `start`, so that `x` is at the file's position `x - start + offset`; and the segment of the code says which
    /// address stands at a position. Both 0 is said of no mapping: then addresses are those of the file.
    pub fn base(&self, start: u64, offset: u64) -> u64 {
        match self.code {
            // On Windows Go names the address at which the whole file was loaded, and no place in it.
            _ if self.image != 0 && start != 0 => start.wrapping_sub(self.image),
            _ if start == 0 && offset == 0 => 0,
            Some((address, position)) => start.wrapping_sub(offset).wrapping_add(position).wrapping_sub(address),
            None => 0,
        }
    }

    /// The instructions of a function, as many as its file has bytes for.
    pub fn instructions(&self, s: &Symbol) -> impl Iterator<Item = Instruction> + '_ {
        let code = within(&self.sections, s.start, s.end).and_then(|r| self.bytes.get(r)).unwrap_or(&[]);
        decode::decode(self.arch, code, s.start, &self.symbols)
    }

    /// The lines of source that the code of a function stands for, if the file tells.
    pub fn lines(&self, s: &Symbol) -> Option<Lines<'_>> {
        let (range, first) = self.pclntab.as_ref()?;
        Lines::of(self.bytes.get(range.clone())?, *first, s.start)
    }
}

/// The address of Go's first function in a program that may be loaded anywhere, whose line table is at an address. Pointers
/// are filled in when it is loaded: where one to the table is filled in, the runtime's `moduledata` begins
/// (`runtime/symtab.go`), which has the address of the code behind six slices and three addresses.
fn go_text(file: &object::File, table: u64) -> Option<u64> {
    const TEXT: u64 = 8 + 6 * 24 + 3 * 8;
    let filled: rustc_hash::FxHashMap<u64, u64> =
        file.dynamic_relocations()?.map(|(at, r)| (at, r.addend().cast_unsigned())).collect();
    let candidates = filled.iter().filter(|(_, to)| **to == table).map(|(at, _)| *at);
    candidates.filter_map(|at| filled.get(&at.checked_add(TEXT)?).copied()).min()
}

/// Where in the file the bytes from one address to another are.
fn within(sections: &[(u64, Range<usize>)], from: u64, to: u64) -> Option<Range<usize>> {
    sections.iter().find_map(|(address, range)| {
        let skip = usize::try_from(from.checked_sub(*address)?).ok().filter(|s| *s < range.len())?;
        let len = usize::try_from(to.checked_sub(from)?).ok()?.min(range.len() - skip);
        Some(range.start + skip..range.start + skip + len)
    })
}

/// The functions among `symbols`, by address. Of a Mach-O file without the underscore that its linker puts before names.
fn functions<'a>(
    file: &object::File<'a>,
    symbols: impl Iterator<Item = object::Symbol<'a, 'a>>,
    most: usize,
) -> Result<Vec<Symbol>, Error> {
    let underscore = if file.format() == BinaryFormat::MachO { "_" } else { "" };
    let all = symbols.filter(|s| s.kind() == SymbolKind::Text && s.is_definition());
    // A linker writes each name once, so that all together are no longer than the file.
    let mut left = most;
    let mut out = Vec::new();
    for s in all {
        let name = s.name_bytes().unwrap_or(&[]);
        left = left.checked_sub(name.len()).ok_or(Error::Names)?;
        let name = crate::base::text::lossy(name);
        let name = name.strip_prefix(underscore).unwrap_or(&name).to_owned();
        if !name.is_empty() {
            out.push(Symbol { name, start: s.address(), end: s.address().saturating_add(s.size()) });
        }
    }
    out.sort_by(|a, b| (a.start, a.end, &a.name).cmp(&(b.start, b.end, &b.name)));
    out.dedup();
    // Only ELF says how long a function is; elsewhere it ends where the next begins.
    if file.format() != BinaryFormat::Elf {
        out.dedup_by_key(|s| s.start);
        let ends = |s: object::Section| s.address().saturating_add(s.size());
        let last = file.sections().filter(|s| s.kind() == object::SectionKind::Text).map(ends).max().unwrap_or(0);
        for i in 0..out.len() {
            out[i].end = out.get(i + 1).map_or(last, |next| next.start);
        }
    }
    out.retain(|s| s.end > s.start);
    Ok(out)
}
