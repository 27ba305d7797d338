//! Dumps of goroutines as profiles: what Go prints for `/debug/pprof/goroutine?debug=2`, and when a program dies, inside
//! any log.

use super::builder::{Builder, Call, Label};
use crate::profile::dump;

/// `None` if `text` has no goroutine. One sample for each goroutine, with its labels, a label `state`, and, where Go says
/// how long it has been waiting, `wait_minutes`; of several dumps each goroutine says in which it is.
pub(crate) fn decode(text: &str) -> Option<Builder> {
    let dumps = dump::read(text.as_bytes()).dumps;
    let several = dumps.len() > 1;
    let mut b = Builder::new(&[("goroutine", "count")], ("goroutine", "count"), 1);
    let mut places = rustc_hash::FxHashMap::default();
    for (n, dump) in dumps.iter().enumerate() {
        for g in &dump.goroutines {
            let stack = dump.stack(g).map(|f| {
                *places.entry(f).or_insert_with(|| {
                    let (function, file, line) = (f.func.clone(), f.file.clone(), i64::from(f.line));
                    b.anonymous(vec![Call { function, file, line }])
                })
            });
            let stack = stack.collect();
            let mut labels = vec![Label::Text("state", dump.reason(g).to_owned())];
            labels.extend(g.minutes.map(|m| Label::Number("wait_minutes", i64::try_from(m).unwrap_or(i64::MAX))));
            labels.extend(g.leaked.then(|| Label::Text("leaked", "yes".into())));
            labels.extend(several.then(|| Label::Number("dump", n as i64 + 1)));
            labels.extend(dump.labels(g).iter().cloned().map(|(key, value)| Label::Owned(key, value)));
            b.sample(stack, vec![1], labels);
        }
    }
    (!dumps.is_empty()).then_some(b)
}
