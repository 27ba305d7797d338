//! SQL from the palette: its answer is a table whose rows lead to the timeline.
#![cfg(feature = "sql")]

use super::after;
use crate::tui::snapshot::text;
use ratatui::layout::Size;

const SIZE: Size = Size { width: 120, height: 30 };

#[test]
fn a_row_of_an_answer_leads_to_its_goroutine_and_time() {
    let sql = "select g, start_ns, duration_ns, reason from transitions where reason = \"sync\" and g > 1 order by 3 desc limit 3";
    let (mut d, screen) = after(&format!(":sql {sql}<Enter>"), SIZE.width, SIZE.height);
    assert!(screen.contains("sql · 3 rows; Enter: on the timeline"), "{screen}");
    let row = screen.lines().find(|l| l.starts_with('›')).expect("a row that leads somewhere");
    let go = row.split_whitespace().nth(1).unwrap();
    d.keys("<Enter>").unwrap();
    let screen = text(&d.screen(SIZE).0);
    assert!(screen.contains(&format!("G{go} waiting: ")), "{screen}");
    // And back to where one was.
    d.keys("<Esc>").unwrap();
    assert!(text(&d.screen(SIZE).0).contains("sql · 3 rows"));
}

#[test]
fn what_has_no_answer_says_why() {
    for (sql, said) in [
        ("select kindd from events", ["no such column: kindd", "       ^^^^^"]),
        ("drop table events", ["only queries are answered", "sql: no answer"]),
        ("select 1 where 1 = 2", ["sql · 0 rows", "1"]),
    ] {
        let (_, screen) = after(&format!(":sql {sql}<Enter>"), SIZE.width, SIZE.height);
        assert!(said.iter().all(|s| screen.contains(s)), "{sql}: {screen}");
    }
    let (_, screen) =
        after(":sql with recursive n(i) as (select 1 union all select i + 1 from n) select i from n<Enter>", 120, 30);
    assert!(
        screen.contains("sql · the first 1\u{202f}000 rows") || screen.contains("sql · the first 1 000 rows"),
        "{screen}"
    );
}
