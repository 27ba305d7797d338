//! `disasm` with programs that are made here: ELF files with the functions that a profile of the sample names, at its
//! addresses, and an instruction of one byte at each.

use crate::common;

use gotrail::profile::binary::Binary;
use gotrail::profile::model::Profile;
use std::collections::BTreeMap;
use std::io::Write;

const PROFILE: &str = "sample-traces/cpu.pb.gz";
const UPDATE: &str = "paycore/payment.(*OrderCache).Update";
const NOP: u8 = 0x90;
/// Where the segment of the code stands in the file, and in memory as Go's linker has it.
const POSITION: u64 = 0x1000;
const CODE: u64 = 0x401000;

fn profile() -> Profile {
    let data = std::fs::read(common::root().join(PROFILE)).unwrap();
    Profile::decode(&data).unwrap()
}

/// The functions of the program with the first and the last of their addresses in the profile.
fn functions(p: &Profile) -> BTreeMap<String, (u64, u64)> {
    let mut out: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for l in p.locations.iter().filter(|l| l.mapping == Some(0)) {
        let function = p.lines[l.lines.range()].last().unwrap().function as usize;
        let range = out.entry(p.str(p.functions[function].name).to_string()).or_insert((l.address, l.address));
        *range = (range.0.min(l.address), range.1.max(l.address));
    }
    out
}

/// An ELF file for amd64 that holds these functions, with `shift` taken off the addresses of the functions.
fn elf(functions: &BTreeMap<String, (u64, u64)>, machine: u16, shift: u64) -> Vec<u8> {
    let from = CODE;
    let to = functions.values().map(|r| r.1 + 1).max().unwrap_or(CODE);
    let mut names = vec![0u8];
    let mut symbols = vec![0u8; 24];
    for (name, (first, last)) in functions {
        symbols.extend((names.len() as u32).to_le_bytes());
        // A global function of the first section.
        symbols.extend([0x12, 0, 1, 0]);
        symbols.extend((first - shift).to_le_bytes());
        symbols.extend((last + 1 - first).to_le_bytes());
        names.extend(name.as_bytes());
        names.push(0);
    }
    let titles = b"\0.text\0.symtab\0.strtab\0.shstrtab\0";
    let mut file = vec![0; POSITION as usize];
    file.extend(vec![NOP; to.saturating_sub(from) as usize]);
    let mut sections: Vec<[u64; 10]> = vec![[0; 10], [1, 1, 6, from, POSITION, to.saturating_sub(from), 0, 0, 16, 0]];
    for (title, kind, data, link, entry) in
        [(7, 2, &symbols[..], 3, 24), (15, 3, &names[..], 0, 0), (23, 3, &titles[..], 0, 0)]
    {
        sections.push([title, kind, 0, 0, file.len() as u64, data.len() as u64, link, 1, 1, entry]);
        file.extend(data);
    }
    let table = file.len() as u64;
    for s in &sections {
        let [name, kind, flags, address, at, len, link, info, align, entry] = *s;
        for word in [name as u32, kind as u32] {
            file.extend(word.to_le_bytes());
        }
        [flags, address, at, len].iter().for_each(|w| file.extend(w.to_le_bytes()));
        [link as u32, info as u32].iter().for_each(|w| file.extend(w.to_le_bytes()));
        [align, entry].iter().for_each(|w| file.extend(w.to_le_bytes()));
    }
    let mut head = b"\x7fELF\x02\x01\x01".to_vec();
    head.resize(16, 0);
    [2u16, machine].iter().for_each(|w| head.extend(w.to_le_bytes()));
    head.extend(1u32.to_le_bytes());
    [from, 64, table].iter().for_each(|w| head.extend(w.to_le_bytes()));
    head.extend(0u32.to_le_bytes());
    [64u16, 56, 1, 64, sections.len() as u16, 4].iter().for_each(|w| head.extend(w.to_le_bytes()));
    // The segment that is loaded and run.
    [1u32, 5].iter().for_each(|w| head.extend(w.to_le_bytes()));
    let len = to.saturating_sub(from);
    [POSITION, from, from, len, len, 0x1000].iter().for_each(|w| head.extend(w.to_le_bytes()));
    file[..head.len()].copy_from_slice(&head);
    file
}

/// Exit code, standard output and standard error of `gotrail disasm` with this program.
fn disasm(pattern: &str, program: &[u8]) -> (i32, String, String) {
    disasm_with(&[], pattern, program)
}

fn disasm_with(options: &[&str], pattern: &str, program: &[u8]) -> (i32, String, String) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(program).unwrap();
    let out = common::gotrail()
        .arg("disasm")
        .args(options)
        .args([pattern, PROFILE, "--binary"])
        .arg(file.path())
        .output()
        .unwrap();
    let text = |b: &[u8]| String::from_utf8(b.to_vec()).unwrap();
    (out.status.code().unwrap(), text(&out.stdout), text(&out.stderr))
}

const AMD64: u16 = 62;

#[test]
fn instructions_of_a_function_add_up_to_what_it_cost() {
    let p = profile();
    let all = functions(&p);
    let (from, to) = all[UPDATE];
    // What the profile says of each address: the leaves there, and each sample that goes through it once.
    let mut costs: BTreeMap<u64, (i64, i64)> = BTreeMap::new();
    let mut whole = (0, 0);
    for s in &p.samples {
        let value = *p.values_of(s).last().unwrap();
        let mut at: Vec<u64> = p.stack_of(s).iter().map(|&l| p.locations[l as usize].address).collect();
        let leaf = at[0];
        at.retain(|a| (from..=to).contains(a));
        at.sort_unstable();
        at.dedup();
        whole.1 += if at.is_empty() { 0 } else { value };
        for a in at {
            let cost = costs.entry(a).or_default();
            cost.1 += value;
            if a == leaf {
                (cost.0, whole.0) = (cost.0 + value, whole.0 + value);
            }
        }
    }
    let shown = |v: i64| {
        if v == 0 { ".".to_string() } else { gotrail::profile::ops::measure::scaled_label(v, "nanoseconds", "minimum") }
    };
    let (code, out, err) = disasm(r"OrderCache.*Update$", &elf(&all, AMD64, 0));
    assert_eq!((code, err.as_str()), (0, ""));
    let mut lines = out.lines();
    assert!(lines.next().unwrap().starts_with("Total: "));
    assert_eq!(lines.next().unwrap(), format!("ROUTINE ======================== {UPDATE}"));
    let head: Vec<&str> = lines.next().unwrap().split_whitespace().take(2).collect();
    assert_eq!(head, [shown(whole.0), shown(whole.1)]);
    let mut next = from;
    for line in lines {
        let mut words = line.split_whitespace();
        let (flat, cum) = costs.get(&next).copied().unwrap_or_default();
        assert_eq!((words.next(), words.next()), (Some(&*shown(flat)), Some(&*shown(cum))), "{line}");
        assert_eq!((words.next(), words.next()), (Some(&*format!("{next:x}:")), Some("nop")), "{line}");
        next += 1;
    }
    assert_eq!(next, to + 1);
    assert!(out.contains(";paycore/payment.(*OrderCache).Update order_cache.go:47"), "{out}");
}

#[test]
fn with_means_all_numbers_are_means() {
    let p = profile();
    let (code, out, err) = disasm_with(&["--mean"], r"OrderCache.*Update$", &elf(&functions(&p), AMD64, 0));
    assert_eq!((code, err.as_str()), (0, ""));
    // Every sample of this profile stands for 10 ms.
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("Total: 10ms"));
    assert_eq!(lines.nth(1), Some("      10ms       10ms (flat, cum)   100% of Total"));
    let numbers = lines.flat_map(|l| l.split_whitespace().take(2));
    assert!(numbers.into_iter().all(|n| n == "10ms" || n == "."), "{out}");
}

#[test]
fn what_does_not_fit_is_said() {
    let all = functions(&profile());
    let program = elf(&all, AMD64, 0);
    let (code, _, err) = disasm("no.such.function", &program);
    assert!(code == 1 && err.contains("no matches found for regexp: no.such.function"), "{err}");
    // The same functions elsewhere.
    let (code, _, err) = disasm("Update", &elf(&all, AMD64, 0x40));
    assert!(code == 3 && err.contains("not the program that was profiled"), "{err}");
    let (code, _, err) = disasm("Update", &elf(&BTreeMap::new(), AMD64, 0));
    assert!(code == 3 && err.contains("no symbol table"), "{err}");
    let (code, _, err) = disasm("Update", &elf(&all, 243, 0));
    assert!(code == 3 && err.contains("riscv64"), "{err}");
    let (code, _, err) = disasm("Update", b"#!/bin/sh\n");
    assert!(code == 3 && err.contains("not an executable"), "{err}");
    let mut more = all.clone();
    let end = all.values().map(|r| r.1).max().unwrap();
    more.insert("main.idle".into(), (end + 16, end + 32));
    let (code, _, err) = disasm("main.idle", &elf(&more, AMD64, 0));
    assert!(code == 1 && err.contains("no samples in main.idle"), "{err}");
}

#[test]
fn where_a_program_was_mapped_says_what_to_take_off() {
    let program = Binary::new(elf(&functions(&profile()), AMD64, 0)).unwrap();
    // Mapped from the file's beginning on, from its code on, and as the file says.
    assert_eq!(program.base(0x7f00_0000_0000, 0), 0x7f00_0000_0000 + POSITION - CODE);
    assert_eq!(program.base(0x7f00_0000_0000, POSITION), 0x7f00_0000_0000 - CODE);
    assert_eq!(program.base(CODE, POSITION), 0);
    assert_eq!(program.base(0, 0), 0);
}

proptest::proptest! {
    #[test]
    fn a_damaged_program_is_no_end_of_ours(at in 0usize..8192, byte in 0u8.., cut in 0usize..8192) {
        let all: BTreeMap<String, (u64, u64)> =
            [("main.a", 0x401000), ("main.b", 0x401100)].map(|(n, a)| (n.to_string(), (a, a + 0x7f))).into();
        let mut file = elf(&all, AMD64, 0);
        let n = file.len();
        // The headers are at the beginning and the tables at the end.
        let at = if at < 512 { at } else { n - 1 - at % (n - 0x1000) };
        file[at] = byte;
        file.truncate(n - if cut < 1024 { cut } else { 0 });
        if let Ok(b) = Binary::new(file) {
            for s in b.symbols() {
                b.instructions(s).for_each(drop);
                b.lines(s);
            }
        }
    }
}
