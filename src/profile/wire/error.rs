//! What can be wrong with a profile.

use thiserror::Error as ThisError;

/// One variant for each way in which a profile can be malformed.
#[derive(Clone, PartialEq, Eq, Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// No bytes at all.
    #[error("the profile is empty")]
    Empty,
    /// Neither profile.proto nor any of the legacy formats.
    #[error("this is not a profile in any format that pprof writes")]
    Unrecognized,
    /// The gzip stream is damaged.
    #[error("cannot unpack the profile: {0}")]
    Gzip(String),
    /// Unpacked, the profile is larger than we accept.
    #[error("the profile is larger than {0} bytes unpacked")]
    TooLarge(u64),
    /// Decoded, the profile takes more memory than we give it.
    #[error("the profile would take more than {0} bytes of memory: it has too many samples, labels or lines")]
    TooLargeDecoded(u64),
    /// Not a protobuf message of this type.
    #[error("malformed protobuf: {0}")]
    Protobuf(String),
    /// Two profiles written one after the other without being merged.
    #[error("two profiles are concatenated in one file; pass them as two files to merge them")]
    Concatenated,
    /// An entry of a table without any field.
    #[error("a {0} is empty")]
    EmptyEntry(&'static str),
    /// There is no string table.
    #[error("the string table is missing")]
    NoStringTable,
    /// The first string has to be the empty one.
    #[error("the first string of the string table is not empty")]
    FirstString,
    /// A string index beyond the table.
    #[error("{what} refers to string {index}, the table has {len}")]
    StringIndex {
        /// What refers to it.
        what: &'static str,
        /// The index.
        index: i64,
        /// Length of the table.
        len: usize,
    },
    /// Samples, but nothing that says what they mean.
    #[error("there are samples but no sample types")]
    NoSampleTypes,
    /// A sample has more or fewer values than there are sample types.
    #[error("sample {sample} has {values} values, there are {types} sample types")]
    ValueCount {
        /// Position of the sample.
        sample: usize,
        /// How many values it has.
        values: usize,
        /// How many it should have.
        types: usize,
    },
    /// A sample names a location that does not exist.
    #[error("sample {sample} refers to location {id}, which does not exist")]
    UnknownLocation {
        /// Position of the sample.
        sample: usize,
        /// The id.
        id: u64,
    },
    /// A line names a function that does not exist.
    #[error("location {location} refers to function {id}, which does not exist")]
    UnknownFunction {
        /// Id of the location.
        location: u64,
        /// The id.
        id: u64,
    },
    /// An entry with the id that means "none".
    #[error("a {0} has the reserved id 0")]
    ReservedId(&'static str),
    /// Two entries with the same id.
    #[error("two {what}s have the id {id}")]
    DuplicateId {
        /// `mapping`, `location` or `function`.
        what: &'static str,
        /// The id.
        id: u64,
    },
    /// JSON that is not what its format says.
    #[error("malformed {format}: {cause}")]
    Json {
        /// The format's name.
        format: &'static str,
        /// What is wrong, safe to show.
        cause: String,
    },
    /// A profile that ends before the names of its functions, which stand at its end.
    #[error("the file is cut off: the names of its functions, which stand at its end, are missing; fetch it again")]
    CutOff,
    /// A line of a legacy text that does not say what it should.
    #[error("line {line}: {what}: {text}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What was expected.
        what: &'static str,
        /// The beginning of the line, made safe to show.
        text: String,
    },
}
