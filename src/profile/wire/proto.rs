//! The messages of `profile.proto`, written out by hand.
//!
//! Field numbers and meanings are those of google/pprof's `proto/profile.proto`. Strings are indices into
//! [`Profile::string_table`]; the table holds bytes and not `String`s, because producers do write invalid UTF-8 and a
//! reader that rejects the whole profile for it helps nobody.

/// A profile: what was measured, and how often it was seen on which stack.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Profile {
    /// What each value of a sample means, in order.
    #[prost(message, repeated, tag = "1")]
    pub sample_type: Vec<ValueType>,
    /// The measurements.
    #[prost(message, repeated, tag = "2")]
    pub sample: Vec<Sample>,
    /// The binaries and libraries that addresses lie in; the first is the program itself.
    #[prost(message, repeated, tag = "3")]
    pub mapping: Vec<Mapping>,
    /// The places that stacks are made of.
    #[prost(message, repeated, tag = "4")]
    pub location: Vec<Location>,
    /// The functions that locations lie in.
    #[prost(message, repeated, tag = "5")]
    pub function: Vec<Function>,
    /// Every string once; the first is empty.
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub string_table: Vec<Vec<u8>>,
    /// Frames matching this regular expression (string index) are dropped with all that they call.
    #[prost(int64, tag = "7")]
    pub drop_frames: i64,
    /// Frames matching this one are kept nevertheless (string index).
    #[prost(int64, tag = "8")]
    pub keep_frames: i64,
    /// When the profile was taken, nanoseconds since 1970 UTC.
    #[prost(int64, tag = "9")]
    pub time_nanos: i64,
    /// How long it was taken for, nanoseconds.
    #[prost(int64, tag = "10")]
    pub duration_nanos: i64,
    /// What happens once in `period`.
    #[prost(message, optional, tag = "11")]
    pub period_type: Option<ValueType>,
    /// The number of events between samples.
    #[prost(int64, tag = "12")]
    pub period: i64,
    /// Free text (string indices).
    #[prost(int64, repeated, tag = "13")]
    pub comment: Vec<i64>,
    /// The sample type to show first (string index of its name).
    #[prost(int64, tag = "14")]
    pub default_sample_type: i64,
    /// Where this profile is documented (string index).
    #[prost(int64, tag = "15")]
    pub doc_url: i64,
}

/// What a number means: its kind and its unit (string indices).
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct ValueType {
    /// `cpu`, `inuse_space` …
    #[prost(int64, tag = "1")]
    pub r#type: i64,
    /// `nanoseconds`, `bytes`, `count` …
    #[prost(int64, tag = "2")]
    pub unit: i64,
}

/// One stack with its values.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Sample {
    /// Ids of the locations, leaf first.
    #[prost(uint64, repeated, tag = "1")]
    pub location_id: Vec<u64>,
    /// One value for each sample type.
    #[prost(int64, repeated, tag = "2")]
    pub value: Vec<i64>,
    /// Labels.
    #[prost(message, repeated, tag = "3")]
    pub label: Vec<Label>,
}

/// A label of a sample: a string or a number with its unit.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Label {
    /// Name (string index).
    #[prost(int64, tag = "1")]
    pub key: i64,
    /// String value (string index); 0 if the label is a number.
    #[prost(int64, tag = "2")]
    pub str: i64,
    /// Numeric value.
    #[prost(int64, tag = "3")]
    pub num: i64,
    /// Unit of the numeric value (string index).
    #[prost(int64, tag = "4")]
    pub num_unit: i64,
}

/// A range of addresses and the file mapped there.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Mapping {
    /// Non-zero and unique.
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// First address.
    #[prost(uint64, tag = "2")]
    pub memory_start: u64,
    /// First address after the range.
    #[prost(uint64, tag = "3")]
    pub memory_limit: u64,
    /// Offset in the file of the first address.
    #[prost(uint64, tag = "4")]
    pub file_offset: u64,
    /// Path of the file (string index).
    #[prost(int64, tag = "5")]
    pub filename: i64,
    /// Build id of the file (string index).
    #[prost(int64, tag = "6")]
    pub build_id: i64,
    /// Whether locations here carry functions.
    #[prost(bool, tag = "7")]
    pub has_functions: bool,
    /// Whether they carry file names.
    #[prost(bool, tag = "8")]
    pub has_filenames: bool,
    /// Whether they carry line numbers.
    #[prost(bool, tag = "9")]
    pub has_line_numbers: bool,
    /// Whether they carry inlined calls.
    #[prost(bool, tag = "10")]
    pub has_inline_frames: bool,
}

/// A place in the program: an address, and the calls inlined there.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Location {
    /// Non-zero and unique.
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// Id of the mapping; 0 if unknown.
    #[prost(uint64, tag = "2")]
    pub mapping_id: u64,
    /// Address; 0 if unknown.
    #[prost(uint64, tag = "3")]
    pub address: u64,
    /// Innermost inlined call first; the last is the function that really stands there.
    #[prost(message, repeated, tag = "4")]
    pub line: Vec<Line>,
    /// Whether several identical functions were folded into one by the linker.
    #[prost(bool, tag = "5")]
    pub is_folded: bool,
}

/// A line of a function.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Line {
    /// Id of the function.
    #[prost(uint64, tag = "1")]
    pub function_id: u64,
    /// Line in the function's file; 0 if unknown.
    #[prost(int64, tag = "2")]
    pub line: i64,
    /// Column in the line; 0 if unknown.
    #[prost(int64, tag = "3")]
    pub column: i64,
}

/// A function.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Function {
    /// Non-zero and unique.
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// Name for people (string index).
    #[prost(int64, tag = "2")]
    pub name: i64,
    /// Name as the linker knows it (string index).
    #[prost(int64, tag = "3")]
    pub system_name: i64,
    /// Source file (string index).
    #[prost(int64, tag = "4")]
    pub filename: i64,
    /// Line of the function's first statement; 0 if unknown.
    #[prost(int64, tag = "5")]
    pub start_line: i64,
}

impl Profile {
    /// The bytes of a string, if the index is in the table.
    pub fn string(&self, index: i64) -> Option<&[u8]> {
        usize::try_from(index).ok().and_then(|i| self.string_table.get(i)).map(Vec::as_slice)
    }
}
