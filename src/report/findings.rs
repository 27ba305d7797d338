//! Findings as text, JSON, SARIF and Markdown. The order, the numbers and the sentences are the same in all of them.

use super::schema::findings::Json;
use crate::analysis::findings::rules::RULES;
use crate::analysis::findings::{Finding, Findings, Severity};
use crate::base::text;
use crate::model::Index;
use crate::model::places::Places;
use serde_json::{Value, json};
use std::io::{self, Write};

/// What a report is about.
pub struct About<'a> {
    /// What messages call the trace. Not escaped.
    pub name: &'a str,
    /// What is known of it.
    pub index: &'a Index,
    /// What the findings' places are.
    pub places: &'a Places,
}

impl About<'_> {
    /// The command that shows a finding's proof, with the file's name in it if a shell leaves that as it is.
    pub fn check(&self, f: &Finding) -> String {
        // A name that cannot be written in a shell has to be given by the user.
        let name = Some(self.name).filter(|n| !n.starts_with('-') && !n.is_empty()).and_then(text::shell_word);
        let file = name.as_deref().unwrap_or("FILE");
        format!("gotrail {}", text::escape(&f.check).replacen("FILE", file, 1))
    }

    /// The line of a finding, safe to show; empty if it has none.
    pub fn line(&self, f: &Finding) -> String {
        self.places.line(self.index, f.at)
    }

    fn at(&self, f: &Finding) -> String {
        f.time.map_or(String::new(), |t| format!("{:.6}s", (t - self.index.start).as_secs_f64()))
    }

    fn goroutine(&self, f: &Finding) -> Option<u64> {
        self.index.goroutine(f.go).map(|g| g.id.0)
    }
}

/// How loud a severity is, in three columns.
fn mark(s: Severity) -> &'static str {
    match s {
        Severity::Critical => "!!!",
        Severity::Warn => " !!",
        Severity::Info => "  i",
    }
}

/// Writes findings for people: each with its cost, its line and its evidence, then what is fine, then what cannot be told.
///
/// # Errors
///
/// `out` cannot be written.
pub fn text(about: &About, all: &Findings, out: &mut dyn Write) -> io::Result<()> {
    if all.found.is_empty() {
        writeln!(out, "nothing is wrong by the rules that could be applied")?;
    }
    for f in &all.found {
        let line = about.line(f);
        let space = if line.is_empty() { "" } else { "  " };
        writeln!(out, "{} {}  {}  · {}{space}{line}", mark(f.severity), f.title, f.says, f.cost)?;
        for e in f.evidence.iter().filter(|e| !e.is_empty()) {
            writeln!(out, "      {e}")?;
        }
        let at = about.at(f);
        let go = about.goroutine(f).map_or(String::new(), |g| format!("G{g}"));
        if !at.is_empty() || !go.is_empty() {
            let both = if !at.is_empty() && !go.is_empty() { " at " } else { "" };
            writeln!(out, "      look  {go}{both}{at}")?;
        }
        writeln!(out, "      do    {}", f.advice)?;
        writeln!(out, "      check {}", about.check(f))?;
    }
    // Rules that look at the same thing may say the same.
    for (sign, quiet) in [(" ok", &all.fine), ("  ?", &all.untold)] {
        for (i, q) in quiet.iter().enumerate() {
            if quiet[..i].iter().all(|o| o.says != q.says) {
                writeln!(out, "{sign} {}", q.says)?;
            }
        }
    }
    Ok(())
}

/// The first findings, for the top of a summary: a line each, of at most `width` columns, and where all of them are.
///
/// # Errors
///
/// `out` cannot be written.
pub fn brief(about: &About, all: &Findings, most: usize, width: usize, out: &mut dyn Write) -> io::Result<()> {
    for f in all.found.iter().take(most) {
        let line = about.line(f);
        let space = if line.is_empty() { "" } else { "  " };
        let text = format!("{} {}  · {}{space}{line}", level(f.severity), f.title, f.cost);
        writeln!(out, "{}", text::fit(&text, width))?;
    }
    if !all.found.is_empty() {
        let n = text::count(all.found.len() as u64);
        let s = if all.found.len() == 1 { "" } else { "s" };
        writeln!(out, "{}", text::fit(&format!("{n} finding{s}: gotrail findings FILE for all"), width))?;
    }
    Ok(())
}

/// A severity in a word, as wide as the widest.
fn level(s: Severity) -> &'static str {
    match s {
        Severity::Critical => "critical",
        Severity::Warn => "warn    ",
        Severity::Info => "info    ",
    }
}

/// Findings as JSON.
pub fn json<'a>(about: &About<'a>, all: &'a Findings) -> Json<'a> {
    Json::of(about.name, all, (about.index, about.places), |f| about.check(f))
}

/// Findings of several traces in the Static Analysis Results Interchange Format, version 2.1.0 (OASIS), as CI systems read
/// it.
pub fn sarif(all: &[(Value, Vec<SarifResult>)]) -> Value {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|r| {
            json!({
                "id": r.name,
                "shortDescription": {"text": r.title},
                "fullDescription": {"text": format!("Measures {}.", r.measures)},
            })
        })
        .collect();
    let results: Vec<&Value> = all.iter().flat_map(|(_, results)| results.iter().map(|r| &r.0)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "gotrail", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "artifacts": all.iter().map(|(a, _)| a).collect::<Vec<_>>(),
            "results": results,
        }],
    })
}

/// One finding as SARIF has it.
pub struct SarifResult(Value);

/// The results of one trace, for [`sarif`], with the artifact that they are about.
pub fn sarif_results(about: &About, all: &Findings) -> (Value, Vec<SarifResult>) {
    let uri = |path: &str| path.trim_start_matches('/').replace(' ', "%20");
    let results = all.found.iter().map(|f| {
        let mut locations = vec![json!({"physicalLocation": {"artifactLocation": {"uri": uri(about.name)}}})];
        if let Some((func, line)) = about.places.get(f.at)
            && line > 0
        {
            let file = about.index.dict.func_file(func);
            let place = json!({
                "physicalLocation": {"artifactLocation": {"uri": uri(file)}, "region": {"startLine": line}},
                "logicalLocations": [{"fullyQualifiedName": about.index.dict.func_name(func), "kind": "function"}],
            });
            locations.insert(0, place);
        }
        let evidence: Vec<&str> = f.evidence.iter().map(String::as_str).filter(|e| !e.is_empty()).collect();
        SarifResult(json!({
            "ruleId": f.rule,
            "level": match f.severity {
                Severity::Critical => "error",
                Severity::Warn => "warning",
                Severity::Info => "note",
            },
            "message": {"text": format!("{}. {}. {}", f.says, evidence.join(". "), f.advice)},
            "locations": locations,
            "properties": {"measure": f.measure, "costNs": f.cost.time.ns(), "check": about.check(f)},
        }))
    });
    (json!({"location": {"uri": uri(about.name)}}), results.collect())
}

/// Findings as Markdown, for an incident's chat.
///
/// # Errors
///
/// `out` cannot be written.
pub fn markdown(about: &About, all: &Findings, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### {}", md(&text::escape(about.name)))?;
    if all.found.is_empty() {
        writeln!(out, "\nNothing is wrong by the rules that could be applied.")?;
    }
    for f in &all.found {
        markdown_one(about, f, out)?;
    }
    Ok(())
}

/// One finding as Markdown.
///
/// # Errors
///
/// `out` cannot be written.
pub fn markdown_one(about: &About, f: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let level = level(f.severity).trim_end();
    writeln!(out, "\n**{}** ({level}): {} — {}\n", md(f.title), md(&f.says), f.cost)?;
    let line = about.line(f);
    if !line.is_empty() {
        writeln!(out, "- at `{}`", line.replace('`', "'"))?;
    }
    for e in f.evidence.iter().filter(|e| !e.is_empty()) {
        writeln!(out, "- {}", md(e))?;
    }
    writeln!(out, "- do: {}", md(&f.advice))?;
    writeln!(out, "- check: `{}`", about.check(f).replace('`', "'"))
}

/// Text in which nothing is taken for Markdown.
fn md(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for c in s.chars() {
        if matches!(c, '*' | '_' | '`' | '[' | ']' | '<' | '>' | '#' | '|' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
