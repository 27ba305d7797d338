//! Names for addresses, from programs that are built on the spot where there are compilers for them.

use crate::common;

use common::leave_out;
use gotrail::profile::binary::Binary;
use std::path::Path;
use std::process::Command;

/// A function that is inlined into one that is not.
const SOURCE: &str = "\
static inline __attribute__((always_inline)) int inner(volatile int *p) {
    return *p * 3;
}
__attribute__((noinline)) int outer(volatile int *p) {
    return inner(p) + 1;
}
int main(void) {
    volatile int n = 4;
    return outer(&n);
}
";

/// Builds `source` with the system's C compiler; nothing where there is none.
fn built(dir: &Path, options: &[&str]) -> Option<Vec<u8>> {
    let (source, program) = (dir.join("a.c"), dir.join("a.out"));
    std::fs::write(&source, SOURCE).unwrap();
    let done = Command::new("cc").args(options).arg("-o").arg(&program).arg(&source).status();
    if !done.is_ok_and(|s| s.success()) {
        leave_out("there is no C compiler");
        return None;
    }
    Some(std::fs::read(program).unwrap())
}

#[test]
fn dwarf_tells_the_calls_that_were_inlined_as_addr2line_does() {
    let dir = tempfile::tempdir().unwrap();
    let Some(bytes) = built(dir.path(), &["-g", "-O1"]) else { return };
    let binary = Binary::even_stripped(bytes).unwrap();
    let symbols = binary.symbolised();
    let outer = binary.symbols().iter().find(|s| s.name == "outer").unwrap();
    let mut inlined = 0;
    for at in outer.start..outer.end {
        let mut told = Command::new("addr2line");
        told.args(["-f", "-i", "-e"]).arg(dir.path().join("a.out")).arg(format!("{at:#x}"));
        let Ok(out) = told.output() else { return leave_out("there is no addr2line") };
        let text = String::from_utf8(out.stdout).unwrap();
        let names: Vec<&str> = text.lines().step_by(2).collect();
        let calls = symbols.at(at);
        let got: Vec<&str> = calls.iter().map(|c| c.func.as_str()).collect();
        assert_eq!(got, names, "{at:#x}");
        inlined += usize::from(got == ["inner", "outer"]);
    }
    assert!(inlined > 0, "nothing was inlined");
}

#[test]
fn without_dwarf_the_table_of_symbols_tells_and_without_that_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let Some(bytes) = built(dir.path(), &["-O1"]) else { return };
    let binary = Binary::even_stripped(bytes).unwrap();
    let outer = binary.symbols().iter().find(|s| s.name == "outer").unwrap();
    let call = &binary.symbolised().at(outer.start + 1)[0];
    assert_eq!((call.func.as_str(), call.file.as_str(), call.line), ("outer", "", 0));
    assert!(binary.symbolised().at(1).is_empty());
    let Some(bytes) = built(dir.path(), &["-O1", "-s"]) else { return };
    assert!(Binary::even_stripped(bytes).is_err_and(|e| e.to_string().contains("no symbol table")));
}

#[test]
fn a_file_of_its_own_with_the_debug_information_tells_as_much() {
    let dir = tempfile::tempdir().unwrap();
    let Some(whole) = built(dir.path(), &["-g", "-O1", "-Wl,--build-id"]) else { return };
    let (program, debug, bare) = (dir.path().join("a.out"), dir.path().join("a.debug"), dir.path().join("bare"));
    for (option, to) in [("--only-keep-debug", &debug), ("--strip-all", &bare)] {
        let Ok(done) = Command::new("objcopy").arg(option).arg(&program).arg(to).status() else {
            return leave_out("there is no objcopy");
        };
        assert!(done.success());
    }
    let (debug, bare) = (std::fs::read(debug).unwrap(), std::fs::read(bare).unwrap());
    let whole = Binary::even_stripped(whole).unwrap();
    let outer = whole.symbols().iter().find(|s| s.name == "outer").unwrap();
    let id = whole.build_id().to_owned();
    let parts = Binary::with_debug_file(bare.clone(), |asked| (asked == id).then(|| debug.clone())).unwrap();
    for at in outer.start..outer.end {
        assert_eq!(parts.symbolised().at(at), whole.symbolised().at(at), "{at:#x}");
    }
    // That of another program is none of it.
    let mut other = debug.clone();
    let bytes: Vec<u8> = (0..id.len()).step_by(2).map(|i| u8::from_str_radix(&id[i..i + 2], 16).unwrap()).collect();
    let at = memchr::memmem::find(&other, &bytes).unwrap();
    other[at] ^= 1;
    assert!(Binary::with_debug_file(bare, |_| Some(other)).is_err());
}
