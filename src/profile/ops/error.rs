//! What can be wrong with what is asked of profiles.

use thiserror::Error as ThisError;

/// Why several profiles do not make one, or cannot be compared. The names in it are safe to show.
#[derive(Clone, PartialEq, Eq, Debug, ThisError)]
#[non_exhaustive]
pub enum MergeError {
    /// There are none.
    #[error("no profile to merge")]
    Nothing,
    /// No sample type is in all of them.
    #[error("the profiles have no sample type in common")]
    NothingInCommon,
    /// Two types of one name, or two periods, whose units do not measure the same.
    #[error("the profiles do not go together: {0} and {1}")]
    Units(String, String),
    /// Different periods.
    #[error("the profiles have different period types, {0} and {1}")]
    PeriodTypes(String, String),
    /// Different sample types.
    #[error("the profiles have different sample types, {0} and {1}")]
    SampleTypes(String, String),
    /// A comparison is wanted, and there is no second profile.
    #[error("it is not compared with another one")]
    NotCompared,
}

/// A sample type that a profile does not have. The names in it are safe to show.
#[derive(Clone, PartialEq, Eq, Debug, ThisError)]
#[non_exhaustive]
pub enum SampleTypeError {
    /// It has none.
    #[error("the profile has no samples")]
    NoSamples,
    /// A number that is none of theirs.
    #[error("sample_index {index} is outside the range [0..{last}]")]
    OutOfRange {
        /// The number.
        index: i64,
        /// The last that there is.
        last: usize,
    },
    /// A name that is none of theirs.
    #[error("sample_index {name:?} must be one of: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
}

/// An expression that is none, or that is too large; in the words of the crate that compiles it.
#[derive(Clone, PartialEq, Eq, Debug, ThisError)]
#[error("{0}")]
pub struct PatternError(pub String);
