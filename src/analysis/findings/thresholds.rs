//! From where on a rule speaks: `assets/findings.toml`, and what a user overrides in it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much a finding matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth a look now.
    Warn,
    /// Likely to be the incident.
    Critical,
}

/// What a rule's measure must reach, in the rule's own unit.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    /// Worth knowing.
    pub info: f64,
    /// Worth a look now.
    pub warn: f64,
    /// Likely to be the incident.
    pub critical: f64,
}

impl Levels {
    /// How severe a measure is; nothing below `info`.
    pub fn of(&self, measure: f64) -> Option<Severity> {
        [(self.critical, Severity::Critical), (self.warn, Severity::Warn), (self.info, Severity::Info)]
            .into_iter()
            .find(|(least, _)| measure >= *least)
            .map(|(_, s)| s)
    }
}

/// Levels with some of them left out.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Some3 {
    info: Option<f64>,
    warn: Option<f64>,
    critical: Option<f64>,
}

/// Why a file of thresholds cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThresholdError {
    /// It is not TOML of the right shape.
    #[error("{}", .0.message())]
    Syntax(Box<toml::de::Error>),
    /// It names a rule that does not exist.
    #[error("there is no rule {0}")]
    Rule(String),
}

/// The levels of all rules, by name.
#[derive(Clone, PartialEq, Debug)]
pub struct Thresholds(BTreeMap<String, Levels>);

impl Default for Thresholds {
    fn default() -> Thresholds {
        // A test holds that the built-in file is a good one.
        Thresholds(toml::from_str(include_str!("../../../assets/findings.toml")).expect("findings.toml is well formed"))
    }
}

impl Thresholds {
    /// The levels of a rule. A rule without levels never speaks; a test holds that each has some.
    pub fn of(&self, rule: &str) -> Levels {
        let never = Levels { info: f64::INFINITY, warn: f64::INFINITY, critical: f64::INFINITY };
        self.0.get(rule).copied().unwrap_or(never)
    }

    /// The same with what a text in TOML says instead.
    ///
    /// # Errors
    ///
    /// The text is not of the shape of `assets/findings.toml`, or names a rule that does not exist.
    pub fn with(mut self, text: &str) -> Result<Thresholds, ThresholdError> {
        let other: BTreeMap<String, Some3> = toml::from_str(text).map_err(|e| ThresholdError::Syntax(Box::new(e)))?;
        for (rule, o) in other {
            let l = self.0.get_mut(&rule).ok_or(ThresholdError::Rule(rule))?;
            l.info = o.info.unwrap_or(l.info);
            l.warn = o.warn.unwrap_or(l.warn);
            l.critical = o.critical.unwrap_or(l.critical);
        }
        Ok(self)
    }

    /// The names of the rules that have levels.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::findings::rules::RULES;

    #[test]
    fn every_rule_has_levels_that_rise_and_no_other_has() {
        let t = Thresholds::default();
        let mut rules: Vec<&str> = RULES.iter().map(|r| r.name).collect();
        rules.sort_unstable();
        assert_eq!(t.names().collect::<Vec<_>>(), rules);
        for r in rules {
            let l = t.of(r);
            assert!(l.info <= l.warn && l.warn <= l.critical, "{r}: {l:?}");
        }
    }

    #[test]
    fn single_values_can_be_overridden() {
        let t = Thresholds::default().with("[long-stw]\nwarn = 3").unwrap();
        let was = Thresholds::default().of("long-stw");
        assert_eq!(t.of("long-stw"), Levels { warn: 3.0, ..was });
        assert_eq!(t.of("long-stw").of(5.0), Some(Severity::Warn));
        assert_eq!(t.of("long-stw").of(1.0), None);
        assert!(Thresholds::default().with("[no-such]\nwarn = 3").is_err());
        assert!(Thresholds::default().with("[long-stw]\nloud = 3").is_err());
    }
}
