//! Whether a fix has helped, as a table of a few figures: before and after. In English, or in Chinese.

use super::CHANCE;
use crate::analysis::diff::{Figure, Note, RUNS, Told};
use crate::base::{Duration, number, text};
use clap::ValueEnum;
use std::io::{self, Write};

/// The language of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Lang {
    /// English
    #[default]
    En,
    /// Chinese
    Zh,
}

impl Lang {
    fn pick<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        match self {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    fn figure(self, f: &Figure) -> String {
        let name = |n: &str| match (self, n) {
            (Lang::Zh, "request") => "请求".to_owned(),
            _ => text::escape(n).into_owned(),
        };
        match f {
            Figure::MapAssign => self.pick("CPU in runtime.mapassign", "runtime.mapassign 的 CPU 占比").into(),
            Figure::Objects => self.pick("objects allocated per second", "每秒分配对象数").into(),
            Figure::P99(n) => format!("{}{}", self.pick("P99 of ", "P99："), name(n)),
            Figure::Throughput(n) => format!("{}{}", name(n), self.pick(" per second", "：每秒次数")),
        }
    }
}

/// A value as it is shown, and how it changed from the one before: a share by points, all else by a part.
fn value(f: &Figure, x: f64) -> String {
    match f {
        Figure::MapAssign => number::percent(x, 1.0),
        Figure::Objects => text::count(x as u64),
        Figure::P99(_) => Duration(x as i64).to_string(),
        Figure::Throughput(_) => number::rate(x),
    }
}

fn change(t: &Told, lang: Lang) -> String {
    let (Some(a), Some(b)) = (t.a, t.b) else { return String::new() };
    let sign = if b < a { "−" } else { "+" };
    let chance = match t.by_chance {
        Some(true) if a != b => lang.pick(&format!(" ({CHANCE})"), "（可能是偶然）").to_owned(),
        _ => String::new(),
    };
    match t.figure {
        Figure::MapAssign => format!("{sign}{:.1} {}", (b - a).abs() * 100.0, lang.pick("points", "个百分点")),
        _ if a > 0.0 => format!("{sign}{}{chance}", number::percent(((b - a) / a).abs(), 1.0)),
        _ => String::new(),
    }
}

/// What there is to know about the sides, of which the one with fewer has `few` recordings.
fn note(n: Note, few: usize, lang: Lang) -> String {
    let recordings = if few == 1 { "recording" } else { "recordings" };
    let (en, zh) = match n {
        Note::OneSideSampled => (n.words(), "只有一侧有 CPU 采样：CPU 上的差异仅由此而来".to_owned()),
        Note::FewRuns => (
            format!(
                "these figures are of {few} {recordings} a side: how much one run differs from the next is known from {RUNS} on"
            ),
            format!("以上数字每侧只来自 {few} 份跟踪：每侧至少 {RUNS} 份才能知道各次运行之间本来有多大差异"),
        ),
    };
    lang.pick(&en, &zh).to_owned()
}

/// Writes the table as Markdown, what is missing in it, and what there is to know about the sides, of which the one with fewer
/// has `few` recordings.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(told: &[Told], notes: &[Note], few: usize, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let heads = [("", ""), ("before", "优化前"), ("after", "优化后"), ("change", "变化")].map(|(e, z)| lang.pick(e, z));
    writeln!(out, "| {} |\n|---|---:|---:|---:|", heads.join(" | "))?;
    for t in told {
        let cell = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| value(&t.figure, x));
        let what = lang.figure(&t.figure).replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;");
        writeln!(out, "| {what} | {} | {} | {} |", cell(t.a), cell(t.b), change(t, lang))?;
    }
    let missing = |f: &Figure| told.iter().any(|t| t.figure == *f && (t.a.is_none() || t.b.is_none()));
    if missing(&Figure::MapAssign) {
        let en = "without a CPU profile beside it a trace has no CPU samples: gotrail record takes both";
        writeln!(
            out,
            "\n{}",
            lang.pick(en, "跟踪期间没有同时采集 CPU profile，所以没有 CPU 采样：gotrail record 会同时采集")
        )?;
    }
    if missing(&Figure::Objects) {
        let en = "objects are counted from heap profiles before and after the trace: gotrail record takes both into its folder";
        writeln!(
            out,
            "\n{}",
            lang.pick(en, "分配对象数由跟踪前后的两份 heap profile 得出：gotrail record 会把两份都放进目录")
        )?;
    }
    if !told.iter().any(|t| matches!(t.figure, Figure::P99(_))) {
        let en = "no requests and no tasks are in both traces, at least 20 a side: --per names a region or a handler";
        writeln!(
            out,
            "\n{}",
            lang.pick(en, "两份跟踪里都没有足够（每份至少 20 个）的请求或 task：用 --per 指定 region 或 handler")
        )?;
    }
    notes.iter().try_for_each(|n| writeln!(out, "\n{}", note(*n, few, lang)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_stands_in_the_table_and_what_is_not_is_said() {
        let told = [
            Told { figure: Figure::MapAssign, a: Some(0.667), b: Some(0.031), by_chance: None },
            Told { figure: Figure::Objects, a: Some(1_234_567.0), b: None, by_chance: None },
            Told { figure: Figure::P99("pay|ment".into()), a: Some(53.7e6), b: Some(12e6), by_chance: Some(false) },
            Told {
                figure: Figure::Throughput("pay|ment".into()),
                a: Some(200.0),
                b: Some(190.0),
                by_chance: Some(true),
            },
        ];
        let print = |lang| {
            let mut out = Vec::new();
            write(&told, &[Note::OneSideSampled, Note::FewRuns], 1, lang, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let en = print(Lang::En);
        assert!(en.contains("| CPU in runtime.mapassign | 66.7 % | 3.1 % | −63.6 points |"), "{en}");
        assert!(en.contains("of 1 recording a side: how much") && en.contains("only one side has CPU samples"), "{en}");
        assert!(en.contains("| −5.0 % (may be chance) |"), "{en}");
        assert!(en.contains(" | – |  |") && en.contains("gotrail record takes both into its folder"), "{en}");
        assert!(en.contains("| P99 of pay\\|ment | 53.7ms | 12.0ms | −77.7 % |"), "{en}");
        let zh = print(Lang::Zh);
        assert!(zh.contains("| runtime.mapassign 的 CPU 占比 | 66.7 % | 3.1 % | −63.6 个百分点 |"), "{zh}");
        assert!(zh.contains("| −5.0 %（可能是偶然） |") && zh.contains("只有一侧有 CPU 采样"), "{zh}");
        assert!(zh.contains("优化前") && !zh.contains("before"), "{zh}");
    }
}
