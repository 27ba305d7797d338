//! The library, on traces and profiles whose facts are known. Each binary of tests links all of the library, so the files
//! are modules of one.

#[path = "../common/mod.rs"]
mod common;
#[path = "../encoder/mod.rs"]
mod encoder;
#[path = "../targets/mod.rs"]
mod targets;

mod contention;
mod crews;
mod cut;
mod diff;
mod disasm;
mod fuzz_corpus;
mod lines;
mod links;
mod mapassign_callers;
mod offcpu;
mod old;
mod oracle;
mod path;
mod recordings;
mod salvage;
mod scope;
mod spans;
mod states;
mod symbols;
mod tasks;
mod timeline;
mod why;
