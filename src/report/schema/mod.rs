//! What the JSON outputs of all commands look like, one file an output.
//!
//! An output is a struct that derives `Serialize` and, in tests, `JsonSchema`: the documentation of its fields is what
//! `docs/schema.md` and the JSON Schema say of them. To publish one:
//!
//! 1. write `schema/NAME.rs` with the struct (its first field is `pub schema: Version`) and the function that makes it
//!    out of the analysis' values;
//! 2. add a row `NAME: Struct, "command";` to the table below;
//! 3. print it with [`json::write`](super::json::write), create an empty `docs/schema/NAME.json`, and run
//!    `GOTRAIL_SCHEMA=write cargo test --lib schema`, which fills it and `docs/schema.md` in;
//! 4. add the command to the list in `tests/commands/schema.rs`, which holds what it prints against its schema.
//!
//! The forms are the same everywhere:
//!
//! - every key is always there; what is not known is `null`, and what there is none of is an empty array. (Events, of
//!   which there are millions, leave out what they do not have.)
//! - a line of code is a [`Place`], who ended a wait an [`Ender`];
//! - lengths of time are whole nanoseconds in keys that end in `_ns`. Instants, in `from_ns` and `to_ns`, are on the clock
//!   of the trace, that of `start_ns` of `summary`;
//! - functions, files and reasons are as the trace has them, not shortened;
//! - adding a key keeps the version; removing or renaming one, or giving it another meaning, makes the next.

pub mod labels;

use crate::analysis::waits::links::{EndedBy, Party, group};
use crate::base::{GoIdx, GroupId};
use crate::model::places::{PlaceId, Places};
use crate::model::{Index, Waker};
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// A published output.
pub struct Published {
    /// What it is called: the name of the file in `docs/schema`, too.
    pub name: &'static str,
    /// The command that prints it.
    pub command: &'static str,
    /// Its JSON Schema.
    pub schema: &'static str,
}

macro_rules! outputs {
    ($($name:ident: $type:ty, $command:literal;)*) => {
        $(pub mod $name;)*

        /// All outputs, in the order of the documentation.
        pub const ALL: &[Published] = &[$(Published {
            name: stringify!($name),
            command: $command,
            schema: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/", stringify!($name), ".json")),
        }),*];

        #[cfg(test)]
        fn generated() -> Vec<(&'static Published, schemars::Schema)> {
            let settings = || schemars::generate::SchemaSettings::draft2020_12().for_serialize();
            let schemas = [$(settings().into_generator().into_root_schema_for::<$type>()),*];
            ALL.iter().zip(schemas).collect()
        }
    };
}

outputs! {
    summary: summary::Summary, "gotrail summary --format json";
    waits: waits::Waits, "gotrail waits --format json";
    locks: locks::Locks, "gotrail locks --format json";
    why: why::Why, "gotrail why --format json";
    spans: spans::Spans, "gotrail spans --format json, and gotrail why --slow";
    lines: lines::Lines, "gotrail lines --format json";
    sched: sched::Json, "gotrail sched --format json";
    gc: gc::Json, "gotrail gc --format json";
    leaks: leaks::Leaks, "gotrail leaks --format json";
    races: races::Races, "gotrail races --format json";
    kernel: kernel::Json, "gotrail kernel --format json";
    maps: maps::Json<'static>, "gotrail maps --format json";
    findings: findings::Json<'static>, "gotrail findings --format json";
    event: event::Event<'static>, "gotrail events --format jsonl";
    hit: hit::Hit<'static>, "gotrail grep --format jsonl";
    diff: diff::Json<'static>, "gotrail diff --format json";
    recording: recording::Recording, "gotrail.json, by gotrail record";
}

/// The version of the outputs: 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Version;

impl Version {
    /// The number.
    pub const NUMBER: u32 = 1;
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u32(Version::NUMBER)
    }
}

#[cfg(test)]
impl JsonSchema for Version {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "const": Version::NUMBER })
    }
}

/// A line of code.
#[derive(Serialize, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Place {
    /// The function, as the trace names it: `payment.(*OrderCache).Update`; empty if the trace does not name it.
    pub func: String,
    /// The source file, as the compiler saw it; empty if the trace does not say.
    pub file: String,
    /// The line, counted from 1; 0 if the trace does not say.
    pub line: u32,
}

impl Place {
    /// A line of a trace; `None` if it is not known.
    pub fn of(places: &Places, index: &Index, p: PlaceId) -> Option<Place> {
        let (func, line) = places.get(p)?;
        let (func, file) = (index.dict.func_name(func).to_owned(), index.dict.func_file(func).to_owned());
        Some(Place { func, file, line })
    }
}

/// What ended a wait.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum EnderKind {
    /// A goroutine.
    Goroutine,
    /// The network poller.
    Network,
    /// A timer.
    Timer,
    /// The runtime, on no goroutine's behalf.
    Runtime,
    /// The operating system, or C: the call returned.
    Return,
    /// Nothing: still blocked at trace end.
    #[serde(rename = "none")]
    Nobody,
}

impl From<EndedBy> for EnderKind {
    fn from(by: EndedBy) -> EnderKind {
        match by {
            EndedBy::Goroutine => EnderKind::Goroutine,
            EndedBy::Network => EnderKind::Network,
            EndedBy::Timer => EnderKind::Timer,
            EndedBy::Runtime => EnderKind::Runtime,
            EndedBy::Return => EnderKind::Return,
            EndedBy::Nobody => EnderKind::Nobody,
        }
    }
}

/// Who ended a wait, or many of one kind.
#[derive(Serialize, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Ender {
    /// What it was.
    pub kind: EnderKind,
    /// If a goroutine: its start function; `null` if that is not known.
    pub group: Option<String>,
    /// If one certain goroutine: its number.
    pub g: Option<u64>,
    /// The line of code in which it ended the wait; `null` if that is not known.
    pub at: Option<Place>,
}

impl Ender {
    /// The ender of one wait, at a line.
    pub fn of(waker: Waker, at: Option<Place>, index: &Index) -> Ender {
        let kind = Party::of(waker, index).ended_by().into();
        let go = if let Waker::Go(g) = waker { Some(g) } else { None };
        let of = go.and_then(|g| group_name(index, group(index, g)));
        Ender { kind, group: of, g: go.and_then(|g| number(index, g)), at }
    }
}

/// A group's name: the start function of its goroutines; `None` if it is not known.
pub fn group_name(index: &Index, g: GroupId) -> Option<String> {
    known(index.group_name(g))
}

/// A goroutine's number.
pub fn number(index: &Index, g: GoIdx) -> Option<u64> {
    index.goroutine(g).map(|g| g.id.0)
}

/// A name, unless it is empty.
fn known(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests;
