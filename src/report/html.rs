//! A case as one HTML file, for people who do not have the tool: nothing is loaded, and no name out of a file is anything but
//! text. What the tables say is what the commands print, word for word.
//!
//! A content security policy allows the page's own style and script alone, by their hashes, and no request at all. Names in
//! the data of a flame graph stand as JSON in which no `<` is left.

use super::diff::Shown;
use super::findings::About;
use crate::analysis::cost::flame::Tree;
use crate::analysis::diff::Diff;
use crate::analysis::findings::{Finding, Findings, Severity};
use crate::base::text::{escape, escape_json};
use crate::model::Index;
use crate::model::dict::short_func;
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, Write};

const STYLE: &str = include_str!("../../assets/report/page.css");
const SCRIPT: &str = include_str!("../../assets/report/page.js");
/// SHA-256 of these, in Base64, as a content security policy has it. A test holds that they are.
const STYLE_HASH: &str = "16jKBBCGfSKZ9X6YK765aY+xBYoqUrDQz1LU6QiV6GE=";
const SCRIPT_HASH: &str = "FThYTXDw1y3+YSbzABsWwcucDXm9LXx177UtcwGZiMw=";

/// Nodes of a flame graph that are drawn, at most, the heaviest; and the least that one may weigh, as a part of all.
const MOST_NODES: usize = 8_000;
const LEAST: f64 = 0.0002;

/// Rows of each part of a comparison, at most.
const ROWS: usize = 30;

/// Text made inert: control characters written out, and what HTML gives a meaning to as references.
pub fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in escape(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A page that is being written.
pub struct Page<'a> {
    out: &'a mut dyn Write,
    /// How many parts there are so far: each has an address of its own on the page.
    parts: usize,
}

/// What the page begins with.
pub struct Contents<'a> {
    /// What it is called.
    pub title: &'a str,
    /// Its chapters, and what the parts of each are called, in the order in which they will come.
    pub chapters: &'a [(String, Vec<&'static str>)],
}

impl<'a> Page<'a> {
    /// Begins a page.
    ///
    /// # Errors
    ///
    /// `out` cannot be written.
    pub fn begin(contents: &Contents, out: &'a mut dyn Write) -> io::Result<Page<'a>> {
        let title = inert(contents.title);
        write!(
            out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; script-src 'sha256-{SCRIPT_HASH}'; base-uri \
             'none'; form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<nav>\n"
        )?;
        let mut parts = 0;
        for (chapter, names) in contents.chapters {
            writeln!(out, "<b>{}</b>", inert(chapter))?;
            for name in names {
                parts += 1;
                writeln!(out, "<a href=\"#part{parts}\">{}</a>", inert(name))?;
            }
        }
        writeln!(out, "</nav>")?;
        Ok(Page { out, parts: 0 })
    }

    /// Begins a chapter: of a trace, of a profile.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn chapter(&mut self, title: &str) -> io::Result<()> {
        writeln!(self.out, "<h2>{}</h2>", inert(title))
    }

    fn part(&mut self, title: &str) -> io::Result<()> {
        self.parts += 1;
        writeln!(self.out, "<h3 id=\"part{}\">{}</h3>", self.parts, inert(title))
    }

    /// A part that is what a command prints.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn printed(&mut self, title: &str, command: &str, text: &str) -> io::Result<()> {
        self.part(title)?;
        let lines: Vec<String> = text.trim_end().lines().map(inert).collect();
        writeln!(self.out, "<p class=\"dim\">as <code>{}</code> has it</p>", inert(command))?;
        writeln!(self.out, "<pre tabindex=\"0\">{}</pre>", lines.join("\n"))
    }

    /// What is wrong, with its evidence; what is fine, and what cannot be told.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn findings(&mut self, title: &str, about: &About, all: &Findings) -> io::Result<()> {
        self.part(title)?;
        if all.found.is_empty() {
            writeln!(self.out, "<p>nothing is wrong by the rules that could be applied</p>")?;
        }
        for f in &all.found {
            self.finding(about, f)?;
        }
        for (what, quiet) in [("fine", &all.fine), ("cannot be told", &all.untold)] {
            if quiet.is_empty() {
                continue;
            }
            writeln!(self.out, "<details><summary>{what}: {}</summary>\n<ul>", quiet.len())?;
            quiet.iter().try_for_each(|q| writeln!(self.out, "<li>{}</li>", inert(&q.says)))?;
            writeln!(self.out, "</ul></details>")?;
        }
        Ok(())
    }

    fn finding(&mut self, about: &About, f: &Finding) -> io::Result<()> {
        let level = match f.severity {
            Severity::Critical => "critical",
            Severity::Warn => "warn",
            Severity::Info => "info",
        };
        let (title, says, cost) = (inert(f.title), inert(&f.says), inert(&f.cost.to_string()));
        write!(
            self.out,
            "<article class=\"{level}\">\n<h4><span class=\"level\">{level}</span> {title} · {says}</h4>\n<p>{cost}"
        )?;
        let line = about.line(f);
        if !line.is_empty() {
            write!(self.out, " · <code>{}</code>", inert(&line))?;
        }
        writeln!(self.out, "</p>\n<ul>")?;
        let evidence = f.evidence.iter().filter(|e| !e.is_empty());
        evidence.into_iter().try_for_each(|e| writeln!(self.out, "<li>{}</li>", inert(e)))?;
        let (advice, check) = (inert(&f.advice), inert(&about.check(f)));
        writeln!(self.out, "</ul>\n<p>{advice}</p>\n<p class=\"dim\">check: <code>{check}</code></p>\n</article>")
    }

    /// How the trace from after differs from the one from before.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn diff(&mut self, title: &str, d: &Diff) -> io::Result<()> {
        self.part(title)?;
        let shown = Shown::new(d, ROWS);
        for line in [Some(&shown.sides), shown.throughput.as_ref()].into_iter().flatten() {
            writeln!(self.out, "<p>{}</p>", inert(line))?;
        }
        for n in &d.notes {
            writeln!(self.out, "<p class=\"dim\">{}</p>", inert(&n.words()))?;
        }
        if shown.parts.is_empty() {
            writeln!(self.out, "<p>nothing differs by more than chance</p>")?;
        }
        for part in &shown.parts {
            writeln!(self.out, "<h4>{}</h4>\n<div class=\"scroll\"><table>\n<tr>", inert(part.title))?;
            ["change", "%", "A", "B", "what"].iter().try_for_each(|t| write!(self.out, "<th>{t}</th>"))?;
            writeln!(self.out, "</tr>")?;
            for row in &part.rows {
                let cells: String = row.iter().fold(String::new(), |mut all, c| {
                    let _ = write!(all, "<td>{}</td>", inert(c));
                    all
                });
                writeln!(self.out, "<tr>{cells}</tr>")?;
            }
            writeln!(self.out, "</table></div>")?;
            if part.more > 0 {
                writeln!(self.out, "<p class=\"dim\">{} more (gotrail diff --limit)</p>", part.more)?;
            }
        }
        writeln!(self.out, "<p>{}</p>", inert(&shown.unchanged))
    }

    /// A flame graph that can be searched: `unit` is `samples`, `nanoseconds`, `bytes`, or what is counted.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn flame(&mut self, title: &str, (tree, index): (&Tree, &Index), unit: &str) -> io::Result<()> {
        self.part(title)?;
        if tree.nodes.len() < 2 {
            return writeln!(self.out, "<p>nothing was sampled</p>");
        }
        let graph = Graph::new(tree, index, unit);
        // In JSON an `<` may stand as its number, so that no name ends the element.
        let json = serde_json::to_string(&graph).map_err(io::Error::other)?;
        let json = escape_json(&json).replace('<', "\\u003c");
        writeln!(
            self.out,
            "<div class=\"graph\">\n<div class=\"tools\"><input type=\"search\" placeholder=\"search functions\" \
             aria-label=\"search functions of {0}\"><button type=\"button\">whole</button></div>\n<div class=\"says\" \
             role=\"status\"></div>\n<div class=\"flame\"></div>",
            inert(title)
        )?;
        if graph.left_out > 0 {
            writeln!(self.out, "<p class=\"dim\">{} smaller functions are not drawn</p>", graph.left_out)?;
        }
        writeln!(self.out, "<script type=\"application/json\">{json}</script>\n</div>")
    }

    /// Ends the page.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn end(self) -> io::Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        writeln!(
            self.out,
            "<p class=\"dim\">written by gotrail {version}</p>\n<script>{SCRIPT}</script>\n</body>\n</html>"
        )
    }
}

/// A flame graph as the page's script reads it.
#[derive(Serialize)]
struct Graph {
    unit: String,
    names: Vec<String>,
    /// Name, parent, where it begins, weight, its own weight. The first is all.
    nodes: Vec<(usize, usize, u64, u64, u64)>,
    /// How many are too small.
    #[serde(skip)]
    left_out: usize,
}

impl Graph {
    fn new(tree: &Tree, index: &Index, unit: &str) -> Graph {
        let whole = tree.nodes.first().map_or(0, |n| n.total);
        let mut totals: Vec<u64> = tree.nodes.iter().map(|n| n.total).collect();
        totals.sort_unstable_by(|a, b| b.cmp(a));
        let least = totals.get(MOST_NODES).map_or(0, |n| n + 1).max((whole as f64 * LEAST) as u64).max(1);
        let mut g = Graph { unit: unit.to_owned(), names: Vec::new(), nodes: Vec::new(), left_out: 0 };
        let mut ids: FxHashMap<String, usize> = FxHashMap::default();
        // What is drawn has its callers drawn, as they weigh as much at least.
        let mut at = vec![0; tree.nodes.len()];
        for (i, n) in tree.nodes.iter().enumerate() {
            if i > 0 && n.total < least {
                g.left_out += 1;
                continue;
            }
            let name = match (i, n.part.name()) {
                (0, _) => "all".to_owned(),
                (_, Some(name)) => name.to_owned(),
                (_, None) => escape(short_func(index.dict.func_name(n.func))).into_owned(),
            };
            let id = *ids.entry(name).or_insert_with_key(|name| {
                g.names.push(name.clone());
                g.names.len() - 1
            });
            at[i] = g.nodes.len();
            g.nodes.push((id, at[n.parent], n.start, n.total, n.own));
        }
        g
    }
}

#[cfg(test)]
mod tests;
