//! From a profile and the options to what is printed, in pprof's order: labels become frames, the total is taken, filters
//! are applied, details are forgotten.

use super::{Command, Granularity, Options, Report};
use crate::base::text::escape;
use crate::profile::convert::LabelUnits;
use crate::profile::model::Profile;
use crate::profile::ops::aggregate::Keep;
use crate::profile::ops::graph::{Sum, Weights};
use crate::profile::ops::pattern::Pattern;
use crate::profile::ops::tags::TagFilter;

impl Report {
    /// Filters and aggregates `profile` for `command`.
    ///
    /// # Errors
    /// A message for the user: no such sample type, an expression that does not compile, a divisor of zero.
    pub fn new(profile: Profile, command: &Command, options: &Options) -> Result<Report, String> {
        let mut p = profile;
        let options = options.clone().for_command(command);
        let mut warnings = Vec::new();
        let units = p.label_units();
        warn_units(&p, &units, &mut warnings);
        label_frames(&mut p, &options, &mut warnings);

        if options.relative_percentages {
            focus(&mut p, &units, &options, &mut warnings)?;
        }
        let index = p.sample_index(&options.sample_index).map_err(|e| e.to_string())?;
        let weights = Weights { index, mean: options.mean };
        if options.divide_by == 0.0 {
            return Err("zero divisor specified".to_string());
        }
        let kind = p.sample_types[index];
        let sample_kind = format!("{}{}", if options.mean { "mean_" } else { "" }, p.str(kind.kind));
        let sample_unit = p.str(kind.unit).to_string();
        let total = total(&p, weights);
        if !options.relative_percentages {
            focus(&mut p, &units, &options, &mut warnings)?;
        }
        if let Some(keep) = keep(&options) {
            p.aggregate(keep);
        }
        Ok(Report {
            profile: p,
            weights,
            total,
            warnings,
            units,
            sample_kind,
            sample_unit,
            output_unit: options.unit.clone(),
            filters: options.active_filters(),
            options,
        })
    }
}

fn warn_units(p: &Profile, units: &LabelUnits, warnings: &mut Vec<String>) {
    let mut all: Vec<String> = units
        .ignored
        .iter()
        .map(|(&key, ignored)| {
            let mut ignored: Vec<_> = ignored.iter().map(|&u| escape(p.str(u))).collect();
            ignored.sort();
            let (key_text, used) = (escape(p.str(key)), escape(units.get(p, key)));
            format!("for tag {key_text} used unit {used}, also encountered unit(s) {}", ignored.join(", "))
        })
        .collect();
    all.sort();
    warnings.append(&mut all);
}

fn label_frames(p: &mut Profile, o: &Options, warnings: &mut Vec<String>) {
    let keys = |list: &str| list.split(',').filter(|k| !k.is_empty()).map(str::to_string).collect::<Vec<_>>();
    let (roots, leaves) = (keys(&o.tagroot), keys(&o.tagleaf));
    let (root, leaf) = p.label_frames(&roots, &leaves, &o.unit);
    warn_unmatched(&o.tagroot, root, "TagRoot", warnings);
    warn_unmatched(&o.tagleaf, leaf, "TagLeaf", warnings);
}

fn warn_unmatched(option: &str, matched: bool, name: &str, warnings: &mut Vec<String>) {
    if !option.is_empty() && !matched {
        warnings.push(format!("{name} expression matched no samples"));
    }
}

fn pattern(name: &str, source: &str) -> Result<Option<Pattern>, String> {
    if source.is_empty() {
        return Ok(None);
    }
    Pattern::new(source).map(Some).map_err(|e| format!("parsing {name} regexp: {e}"))
}

fn tag_filter(name: &str, source: &str, warnings: &mut Vec<String>) -> Result<Option<TagFilter>, String> {
    if source.is_empty() {
        return Ok(None);
    }
    let filter = TagFilter::new(source).map_err(|e| format!("parsing {name} regexp: {e}"))?;
    if filter.is_range() {
        warnings.push(format!("{name}: interpreted '{}' as range, not regexp", escape(source)));
    }
    Ok(Some(filter))
}

/// Applies all filters.
fn focus(p: &mut Profile, units: &LabelUnits, o: &Options, warnings: &mut Vec<String>) -> Result<(), String> {
    let (focus, ignore) = (pattern("focus", &o.focus)?, pattern("ignore", &o.ignore)?);
    let (hide, show) = (pattern("hide", &o.hide)?, pattern("show", &o.show)?);
    let (show_from, prune_from) = (pattern("show_from", &o.show_from)?, pattern("prune_from", &o.prune_from)?);
    let (tagshow, taghide) = (pattern("tagshow", &o.tagshow)?, pattern("taghide", &o.taghide)?);
    let tagfocus = tag_filter("tagfocus", &o.tagfocus, warnings)?;
    let tagignore = tag_filter("tagignore", &o.tagignore, warnings)?;

    let m = p.filter_by_name(focus.as_ref(), ignore.as_ref(), hide.as_ref(), show.as_ref());
    warn_unmatched(&o.focus, m.focus, "Focus", warnings);
    warn_unmatched(&o.ignore, m.ignore, "Ignore", warnings);
    warn_unmatched(&o.hide, m.hide, "Hide", warnings);
    warn_unmatched(&o.show, m.show, "Show", warnings);
    if let Some(show_from) = &show_from {
        let matched = p.show_from(show_from);
        warn_unmatched(&o.show_from, matched, "ShowFrom", warnings);
    }
    if tagfocus.is_some() || tagignore.is_some() {
        let (focused, ignored) = p.filter_by_tag(units, tagfocus.as_ref(), tagignore.as_ref());
        warn_unmatched(&o.tagfocus, focused, "TagFocus", warnings);
        warn_unmatched(&o.tagignore, ignored, "TagIgnore", warnings);
    }
    if tagshow.is_some() || taghide.is_some() {
        let (shown, hidden) = p.filter_labels(tagshow.as_ref(), taghide.as_ref());
        warn_unmatched(&o.tagshow, shown, "TagShow", warnings);
        warn_unmatched(&o.taghide, hidden, "TagHide", warnings);
    }
    if let Some(prune_from) = &prune_from {
        p.prune_from(prune_from);
    }
    Ok(())
}

/// What percentages are of: the sum of all values without their signs, or of those of the profile compared with.
fn total(p: &Profile, weights: Weights) -> i64 {
    let add = |sum: &mut Sum, w: Sum| {
        sum.value = sum.value.wrapping_add(w.value.wrapping_abs());
        sum.divisor = sum.divisor.wrapping_add(w.divisor);
    };
    let (mut all, mut base) = (Sum::default(), Sum::default());
    for s in &p.samples {
        let w = weights.of(p.values_of(s));
        add(&mut all, w);
        if p.is_diff_base(s) {
            add(&mut base, w);
        }
    }
    if base.value > 0 { base.get() } else { all.get() }
}

/// What to keep apart; `None` for everything.
fn keep(o: &Options) -> Option<Keep> {
    use Granularity as G;
    let g = o.granularity;
    if g == G::Addresses && !o.noinlines {
        return None;
    }
    Some(Keep {
        inlined: !o.noinlines,
        functions: g != G::Files,
        files: g != G::Functions,
        lines: matches!(g, G::Lines | G::Addresses),
        columns: o.showcolumns,
        addresses: g == G::Addresses,
    })
}
