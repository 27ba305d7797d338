//! `gotrail diff`.

mod limit;

use super::open::{self, Between};
use super::{Exit, Failure, Result, Usage, page};
use crate::analysis::diff::{Facts, Options, Per, diff, objects_per_second, story};
use crate::base::text;
use crate::input;
use crate::profile::model::Profile;
use crate::record::take::HEAP;
use crate::report;
use crate::report::diff::story::Lang;
use crate::report::json;
use crate::report::schema::diff::Json;
use clap::{Args, ValueEnum};
use limit::Limit;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Args)]
#[command(override_usage = "gotrail diff [OPTIONS] <A>... -- <B>...\n       gotrail diff [OPTIONS] <A> <B>")]
pub struct DiffArgs {
    /// Traces from before, one or several; of a directory every trace directly in it
    #[arg(required = true, value_name = "A")]
    a: Vec<PathBuf>,
    /// Traces from after, behind `--`
    #[arg(last = true, value_name = "B")]
    b: Vec<PathBuf>,
    #[command(flatten)]
    open: open::OpenArgs,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Style,
    /// The language of `--format story`
    #[arg(long, value_enum, default_value = "en")]
    lang: Lang,
    /// Compare times per task or region of this name that ends, per request of this handler, per `request`, or per second of
    /// `wall` time [default: per request, or per task, where there are 20 on both sides, else wall]
    #[arg(long, value_name = "NAME")]
    per: Option<String>,
    /// The least change that counts, in per cent
    #[arg(long, value_name = "PERCENT", default_value = "5")]
    least: f64,
    /// Rows of each part, at most
    #[arg(long, value_name = "N", default_value = "20")]
    limit: usize,
    /// What did not change as well
    #[arg(long)]
    all: bool,
    /// Exit with 4 if B is worse than this: `worse` for anything, or a line, wait, task, region, span or group by name, what
    /// of it (p50, p99, max or total) and by how much ('task:payment p99 +10%'), or beyond what, whatever A has
    /// ('span:main.pay p99>50ms'). May be given several times
    #[arg(long, value_name = "LIMIT")]
    fail_on: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Style {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// For a pull request
    Markdown,
    /// Whether a fix has helped, in four rows: CPU in map assignments, objects allocated per second, P99, throughput
    Story,
}

pub fn run(args: &DiffArgs, out: &mut dyn Write) -> Result<Exit> {
    let limits = args.fail_on.iter().map(|l| Limit::parse(l)).collect::<std::result::Result<Vec<_>, _>>();
    let limits = limits.map_err(Usage::Limit)?;
    let (a, b) = match (args.a.as_slice(), args.b.as_slice()) {
        ([a, b], []) => (std::slice::from_ref(a), std::slice::from_ref(b)),
        (_, []) => return Err(Usage::OneSide.into()),
        sides => sides,
    };
    let (a, b) = (Side::read(a, &args.open)?, Side::read(b, &args.open)?);
    let exit = a.exit.max(b.exit);
    if a.facts.is_empty() || b.facts.is_empty() {
        return Err(Failure::NothingToShow);
    }
    let per = match args.per.as_deref() {
        None => Per::Auto,
        Some("wall") => Per::Wall,
        Some(name) => Per::Named(name.to_owned()),
    };
    let opts = Options { least: args.least.max(0.0) / 100.0, per };
    let d = diff(&a.facts, &b.facts, &opts).map_err(Failure::Analysis)?;
    let told = story(&a.facts, &b.facts, &d);
    let failed: Vec<String> = limits.iter().flat_map(|l| l.passed(&d)).collect();
    match args.format {
        Style::Text => report::diff::write(&d, args.limit, args.all, page(), out)?,
        Style::Markdown => report::diff::markdown(&d, args.limit, out)?,
        Style::Story => report::diff::story::write(&told, &d.notes, d.runs.0.min(d.runs.1), args.lang, out)?,
        Style::Json => json::write(&Json::of((&d, &told), (&a.names, &b.names), &failed, args.all), out)?,
    }
    if args.format != Style::Json {
        failed.iter().try_for_each(|f| writeln!(out, "failed: {}", text::escape(f)))?;
    }
    Ok(if failed.is_empty() { exit } else { exit.max(Exit::LimitPassed) })
}

/// Objects allocated a second, as the heap profiles say that a recording has beside its trace.
fn objects(path: &Path) -> Option<f64> {
    let folder = if path.is_dir() { path } else { path.parent()? };
    let [before, after] = HEAP.map(|name| {
        let input = input::open(folder.join(name)).ok()?;
        Profile::decode(&input.bytes.all()).ok()
    });
    objects_per_second(&before?, &after?)
}

/// The traces of a side.
struct Side {
    /// What is compared of each.
    facts: Vec<Facts>,
    /// What they are called.
    names: Vec<String>,
    /// Whether all could be read.
    exit: Exit,
}

impl Side {
    fn read(paths: &[PathBuf], open: &open::OpenArgs) -> Result<Side> {
        let (mut facts, mut names) = (Vec::new(), Vec::new());
        let mut nowhere = std::io::sink();
        let exit = open::each_trace(paths, open, (Between::Nothing, &mut nowhere), |trace, _| {
            facts.push(Facts::of(trace).map_err(Failure::of(trace))?);
            names.push(trace.name().to_owned());
            Ok(())
        })?;
        // Of a folder with one recording the heap profiles in it are of that one.
        if let ([fact], [path]) = (facts.as_mut_slice(), paths) {
            fact.objects = objects(path);
        }
        Ok(Side { facts, names, exit })
    }
}
