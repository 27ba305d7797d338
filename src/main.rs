//! Temporary.
use std::sync::Arc;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let f = std::fs::File::open(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    drop(f);
    let t = gotrail::store::Trace::open(&path, gotrail::input::Bytes::Memory(Arc::from(bytes))).unwrap();
    t.load(&|_| {}, &Default::default());
    let s = gotrail::analysis::summary::summarize(&t.index());
    println!("{}", serde_json::to_string_pretty(&s).unwrap());
}
