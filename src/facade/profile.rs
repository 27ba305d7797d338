//! Profiles.

use super::{Error, Frame};
use crate::analysis::profile::{Ask, Profiled};
use crate::input::{self, Bytes, Input, Limits};
use crate::profile::model;
use std::cmp::Reverse;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// A profile: `profile.proto` or one of the older formats that pprof reads.
///
/// Its functions and lines have the values that `gotrail top` and `go tool pprof -top` give them: frames that the profile
/// itself declares uninteresting are left out.
#[derive(Debug)]
pub struct Profile {
    inner: Profiled,
    /// Position of the sample type that pprof shows unless told otherwise.
    default: usize,
}

/// What a value of a profile's samples means.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SampleType {
    /// `cpu`, `inuse_space`, `contentions` …
    pub name: String,
    /// `nanoseconds`, `bytes`, `count` …
    pub unit: String,
}

/// What a function cost, in the unit of the sample type.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FunctionCost {
    /// Its name, without the type arguments and versions that pprof leaves out.
    pub function: String,
    /// By itself.
    pub flat: i64,
    /// With all that it called.
    pub cum: i64,
}

/// What a line of source cost, in the unit of the sample type.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LineCost {
    /// The line.
    pub frame: Frame,
    /// By itself.
    pub flat: i64,
    /// With all that it called.
    pub cum: i64,
}

impl Profile {
    /// Reads the profile at `path`, or from standard input for `-`; gzip and zstd are unpacked.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is not a profile.
    pub fn read(path: impl AsRef<Path>) -> Result<Profile, Error> {
        Profile::of(input::open(path).map_err(|e| Error::input(&e))?)
    }

    /// Reads a profile that is in memory, packed or not. `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// The bytes are not a profile.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Profile, Error> {
        let bytes = Bytes::Memory(bytes.into());
        Profile::of(input::from_bytes(name, bytes, Limits::of_this_machine()).map_err(|e| Error::input(&e))?)
    }

    fn of(input: Input) -> Result<Profile, Error> {
        let Input { name, bytes, kind, .. } = input;
        if matches!(kind, input::Kind::Trace { .. }) {
            return Err(Error::NotAProfile { name });
        }
        let wrong = |message: String| Error::Profile { name: name.clone(), message };
        let profile = model::Profile::decode(&bytes.all()).map_err(|e| wrong(e.to_string()))?;
        let default = profile.sample_index("").unwrap_or(0);
        let inner = Profiled::new(&name, profile).map_err(|e| wrong(e.to_string()))?;
        Ok(Profile { inner, default })
    }

    /// What the values of each sample mean, in the file's order.
    pub fn sample_types(&self) -> Vec<SampleType> {
        self.inner.kinds().map(|(name, unit)| SampleType { name: name.into(), unit: unit.into() }).collect()
    }

    /// The sum of all samples' values of a type; of the type that pprof shows unless told otherwise, if `sample_type` is
    /// empty. Values count without their signs.
    ///
    /// # Errors
    ///
    /// [`Error::SampleType`] if there are no samples of that type.
    pub fn total(&self, sample_type: &str) -> Result<i64, Error> {
        self.sum_up(sample_type).map(|hot| hot.total)
    }

    /// What each function cost, the one with the highest own value first. See [`total`](Self::total) for `sample_type`.
    ///
    /// # Errors
    ///
    /// [`Error::SampleType`] if there are no samples of that type.
    pub fn functions(&self, sample_type: &str) -> Result<Vec<FunctionCost>, Error> {
        let rows = self.sum_up(sample_type)?.rows.into_iter();
        Ok(rows.map(|r| FunctionCost { function: r.func, flat: r.flat, cum: r.cum }).collect())
    }

    /// What each line of source cost, the one with the highest own value first. See [`total`](Self::total) for
    /// `sample_type`.
    ///
    /// # Errors
    ///
    /// [`Error::SampleType`] if there are no samples of that type.
    pub fn lines(&self, sample_type: &str) -> Result<Vec<LineCost>, Error> {
        let hot = self.sum_up(sample_type)?;
        let dict = &self.inner.index.dict;
        let line = |c: &crate::analysis::profile::Cost| {
            let f = dict.frame_of(c.frame);
            let frame = Frame {
                function: dict.func_name(f.func).to_owned(),
                file: dict.func_file(f.func).to_owned(),
                line: f.line,
            };
            LineCost { frame, flat: c.flat, cum: c.cum }
        };
        let mut lines: Vec<LineCost> = hot.lines.values().flatten().map(line).collect();
        let size = |l: &LineCost| Reverse((l.flat.unsigned_abs(), l.cum.unsigned_abs()));
        lines.sort_by(|a, b| (size(a), &a.frame).cmp(&(size(b), &b.frame)));
        Ok(lines)
    }

    fn sum_up(&self, sample_type: &str) -> Result<crate::analysis::profile::Hot, Error> {
        let kind = match sample_type {
            "" => Ok(self.default),
            name => self.inner.profile.sample_index(name),
        };
        let wrong = |message: String| Error::SampleType { name: self.inner.name.clone(), message };
        let kind = kind.map_err(|e| wrong(e.to_string()))?;
        if kind >= self.inner.kinds().len() {
            return Err(wrong("the profile has no samples".into()));
        }
        let ask = Ask { kind, ..Ask::default() };
        self.inner.sum_up(&ask, &AtomicBool::new(false)).map_err(|e| wrong(e.to_string()))
    }
}
