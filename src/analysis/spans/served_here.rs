//! Which request that was served answers which that was sent, where both are in one process.
//!
//! A trace has no link between the two: what goes through the network is seen at both ends, and by nobody in between. A request
//! that was served while one alone was sent, and that was served alone in that one's time, is likely its answer; where several
//! overlap, nothing is said.

use super::{Found, KindNo, Span};
use rustc_hash::FxHashMap;

/// Spans that begin inside another one that are looked at: where there are more, too many overlap to tell.
const MOST: usize = 64;

/// The kinds of sending, and those of serving.
const ROLES: [(&str, &str); 2] = [("http.client", "http.server"), ("grpc.client", "grpc.server")];

/// By position of spans that were sent, the position of the one that likely served it. The spans are in the order in which they
/// began.
pub fn served_here(found: &Found) -> FxHashMap<usize, usize> {
    let mut out = FxHashMap::default();
    for (sends, serves) in ROLES {
        let of = |s: &Span, kind: &str| s.complete() && found.kind(s.kind) == kind;
        let all = |kind| found.spans.iter().enumerate().filter(move |(_, s)| of(s, kind)).map(|(i, _)| i);
        let served: Vec<usize> = all(serves).collect();
        let spans = &found.spans;
        // By position of one that was served, who sent what it may answer: nothing once there are two.
        let mut by: FxHashMap<usize, Option<usize>> = FxHashMap::default();
        let mut only: FxHashMap<usize, Option<usize>> = FxHashMap::default();
        for sent in all(sends) {
            let s = &spans[sent];
            let first = served.partition_point(|&i| spans[i].from < s.from);
            let during = served[first..].iter().take_while(|&&i| spans[i].from < s.to).take(MOST);
            // A handler that has written its answer may go on for a while.
            for &i in during.filter(|&&i| spans[i].go != s.go) {
                by.entry(i).and_modify(|b| *b = None).or_insert(Some(sent));
                only.entry(sent).and_modify(|o| *o = None).or_insert(Some(i));
            }
        }
        let pair =
            |(sent, served): (usize, Option<usize>)| Some((sent, served.filter(|i| by.get(i) == Some(&Some(sent)))?));
        out.extend(only.into_iter().filter_map(pair));
    }
    out
}

/// The kind of those that serve what spans of a kind send.
pub fn server_of(found: &Found, kind: KindNo) -> Option<&'static str> {
    ROLES.iter().find(|r| r.0 == found.kind(kind)).map(|r| r.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::spans::Bounds;
    use crate::base::{GoIdx, StringId, Time};

    fn span(kind: u16, go: u32, from: i64, to: i64) -> Span {
        let (from, to) = (Time(from), Time(to));
        Span {
            kind: KindNo(kind),
            name: StringId::NONE,
            go: GoIdx(go),
            ended_by: GoIdx::NONE,
            task: 0,
            from,
            to,
            begin: Bounds::exact(from),
            end: Bounds::exact(to),
            began: true,
            ended: true,
            first: None,
            last: None,
            arrived: None,
            answered: None,
            repeats: false,
        }
    }

    #[test]
    fn one_is_paired_where_no_other_overlaps() {
        let kinds = ["task", "region", "http.client", "http.server"].map(str::to_owned).to_vec();
        // Alone; then two that are sent at a time, and one of them served; then one that is served elsewhere.
        let spans = vec![
            span(2, 1, 0, 100),
            span(3, 2, 10, 110),
            span(2, 1, 200, 300),
            span(2, 3, 205, 290),
            span(3, 2, 210, 280),
            span(2, 1, 400, 500),
        ];
        let found = Found { kinds, spans, ..Found::default() };
        assert_eq!(served_here(&found).into_iter().collect::<Vec<_>>(), [(0, 1)]);
        assert_eq!(server_of(&found, KindNo(2)), Some("http.server"));
        assert_eq!(server_of(&found, KindNo(3)), None);
    }
}
