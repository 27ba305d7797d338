//! The founding question, on real traces: which lines of user code assign to maps. Held against the facts that Go's own
//! reader states, where the folder of shared traces lies beside the repository.

use flate2::read::GzDecoder;
use gotrail::analysis::cost::hits::{Hits, core_line};
use gotrail::analysis::search::{self, Options};
use gotrail::input::Bytes;
use gotrail::query::parse;
use gotrail::read::Trace;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn facts(path: &Path) -> BTreeMap<String, u64> {
    let file = fs::File::open(path).unwrap();
    let facts: serde_json::Value = serde_json::from_reader(GzDecoder::new(file)).unwrap();
    let lines = facts["mapassign_samples_by_caller_line"].as_object().cloned().unwrap_or_default();
    lines.into_iter().map(|(line, n)| (line, n.as_u64().unwrap())).collect()
}

fn callers(path: &Path) -> Option<BTreeMap<String, u64>> {
    let data: Arc<[u8]> = fs::read(path).unwrap().into();
    // The formats before Go 1.22 have their own tests.
    let trace = Trace::open("trace", Bytes::Memory(data)).ok()?;
    let never = AtomicBool::new(false);
    trace.load(&|_| (), &never);
    let query = parse("func:runtime.mapassign* kind:CPUSample").unwrap();
    let query = search::compile(&trace, &query).unwrap();
    let mut hits = Hits::new(1000);
    search::run_compiled(&trace, &query, &Options::default(), &never, &mut |_, found| hits.add(&found));
    let index = trace.index();
    let dict = &index.dict;
    let sums = hits.callers(dict, &query, core_line).samples;
    let user = sums.into_iter().filter(|c| c.func.is_some());
    Some(user.map(|c| (format!("{} {}:{}", dict.func_name(c.func), dict.func_file(c.func), c.line), c.count)).collect())
}

#[test]
fn mapassign_samples_by_line_are_those_of_gos_reader() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/traces");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    };
    let mut compared = 0;
    for path in entries.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "trace")) {
        let want = path.with_extension("facts.json.gz");
        if !want.exists() {
            continue;
        }
        if let Some(got) = callers(&path) {
            assert_eq!(got, facts(&want), "{}", path.display());
            compared += 1;
        }
    }
    eprintln!("{compared} traces compared");
}
