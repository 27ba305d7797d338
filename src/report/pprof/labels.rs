//! The lines above a report: what the profile is, which filters hold, how much is shown.

use super::Report;
use crate::base::text::escape;
use crate::profile::ops::graph::{Trimmed, base_name};
use crate::profile::ops::{dump, measure};

/// A filter longer than this many bytes is cut.
const LONGEST_FILTER: usize = 80;

impl Report {
    /// What the profile is.
    pub(super) fn profile_labels(&self) -> Vec<String> {
        let p = &self.profile;
        let mut out = Vec::new();
        if let Some(m) = p.mappings.first() {
            if !p.str(m.file).is_empty() {
                out.push(format!("File: {}", escape(base_name(p.str(m.file)))));
            }
            if !p.str(m.build_id).is_empty() {
                out.push(format!("Build ID: {}", escape(p.str(m.build_id))));
            }
        }
        // Comments that begin with # are for programs.
        let comments = p.comments.iter().map(|&c| p.str(c)).filter(|c| !c.starts_with('#'));
        out.extend(comments.flat_map(|c| c.split('\n')).map(|line| escape(line).into_owned()));
        if !self.sample_kind.is_empty() {
            out.push(format!("Type: {}", escape(&self.sample_kind)));
        }
        if !p.str(p.doc_url).is_empty() {
            out.push(format!("Doc: {}", escape(p.str(p.doc_url))));
        }
        if p.time_nanos != 0 {
            out.push(format!("Time: {}", dump::timestamp(p.time_nanos, false)));
        }
        if p.duration_nanos != 0 {
            let duration = measure::label(p.duration_nanos, "nanoseconds");
            let (nanos, unit) = measure::scale(self.total, &self.sample_unit, "nanoseconds");
            let mut share = String::new();
            if unit == "ns" && nanos != 0.0 {
                share = format!("({})", measure::percentage(nanos as i64, p.duration_nanos));
            }
            let total = escape(&self.value(self.total)).into_owned();
            out.push(format!("Duration: {duration}, Total samples = {total} {share}"));
        }
        out
    }

    /// What is shown of it.
    pub(super) fn report_labels(&self, shown: &Trimmed) -> Vec<String> {
        let mut out = if self.options.compact_labels { Vec::new() } else { self.profile_labels() };
        if !self.filters.is_empty() {
            out.push("Active filters:".to_string());
            for f in &self.filters {
                if f.len() > LONGEST_FILTER {
                    let end = (0..=LONGEST_FILTER).rev().find(|&i| f.is_char_boundary(i)).unwrap_or(0);
                    out.push(format!("   {}…", escape(&f[..end])));
                } else {
                    out.push(format!("   {}", escape(f)));
                }
            }
        }
        let nodes = &shown.graph.nodes;
        let sum = nodes.iter().fold(0i64, |sum, n| sum.wrapping_add(n.flat.get()));
        out.push(format!(
            "Showing nodes accounting for {}, {} of {} total",
            self.value(sum),
            self.share(sum).trim(),
            self.value(self.total)
        ));
        if self.total != 0 {
            if shown.dropped > 0 {
                let limit = (self.total as f64 * self.options.node_fraction) as i64;
                let s = if shown.dropped > 1 { "s" } else { "" };
                let limit = self.value(limit.wrapping_abs());
                out.push(format!("Dropped {} node{s} (cum <= {limit})", shown.dropped));
            }
            if !nodes.is_empty() && nodes.len() < shown.considered {
                out.push(format!("Showing top {} nodes out of {}", nodes.len(), shown.considered));
            }
        }
        out
    }
}
