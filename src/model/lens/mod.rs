//! Lenses: what functions of the runtime mean. Maps, channels, locks, allocation …, as data in `assets/lenses`.
//!
//! A lens names *operations*, and some also *classes*: what the time of an operation went into. Both are decided from the
//! names of functions alone, so that traces, profiles and queries give the same answer.

#[cfg(test)]
mod tests;

use crate::base::text::fits;
use serde::Deserialize;
use std::sync::LazyLock;

/// Functions that mean the same.
#[derive(Debug)]
pub struct Group {
    /// What they are called together: `assign`, `growth`.
    pub name: String,
    /// The group of which this one is a part where there is no room for all; its own name, if of none.
    pub column: String,
    /// What it means, in a few words; may be empty.
    pub about: String,
    patterns: Vec<String>,
    /// Functions that are of the group where another calls them: the one called, and its caller.
    called: Vec<(String, String)>,
}

impl Group {
    /// Whether a function is of the group.
    pub fn has(&self, func: &str) -> bool {
        self.patterns.iter().any(|p| fits(p, func))
    }
}

/// A lens.
#[derive(Debug)]
pub struct Lens {
    /// Its name, as a query has it: `lens:maps`.
    pub name: &'static str,
    /// What it shows, in a few words.
    pub about: String,
    /// The operations. No function is of two.
    pub operations: Vec<Group>,
    /// What the time of an operation went into; the first that fits counts. May be empty.
    pub classes: Vec<Group>,
}

/// What a stack does, by a lens: positions in its operations and classes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Found {
    /// The outermost operation.
    pub operation: usize,
    /// The first class that has a function from there to the leaf; `None` if none has.
    pub class: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    operation: Vec<Row>,
    #[serde(default)]
    class: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    column: Option<String>,
    #[serde(default)]
    about: String,
    func: Vec<String>,
    #[serde(default)]
    called: Vec<Called>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Called {
    func: String,
    by: String,
}

macro_rules! lenses {
    ($($name:literal),*) => {
        &[$(($name, include_str!(concat!("../../../assets/lenses/", $name, ".toml")))),*]
    };
}

/// The lenses by name, in the order in which one that has a function is looked for.
static FILES: &[(&str, &str)] = lenses!(
    "maps",
    "interfaces",
    "strings",
    "channels",
    "select",
    "locks",
    "gc",
    "alloc",
    "network",
    "syscalls",
    "sched"
);

static ALL: LazyLock<Vec<Lens>> = LazyLock::new(|| FILES.iter().map(|&(name, text)| read(name, text)).collect());

fn read(name: &'static str, text: &str) -> Lens {
    // A test holds that the built-in files are good ones.
    let file: File = toml::from_str(text).expect("a lens is well formed");
    let group = |r: Row| Group {
        column: r.column.unwrap_or_else(|| r.name.clone()),
        patterns: r.func.iter().flat_map(|p| expand(p)).collect(),
        called: r.called.iter().flat_map(|c| expand(&c.by).into_iter().map(|by| (c.func.clone(), by))).collect(),
        name: r.name,
        about: r.about,
    };
    let groups = |rows: Vec<Row>| rows.into_iter().map(group).collect();
    Lens { name, about: file.about, operations: groups(file.operation), classes: groups(file.class) }
}

/// The patterns that one with `{a,b}` stands for.
fn expand(pattern: &str) -> Vec<String> {
    let Some((head, rest)) = pattern.split_once('{') else { return vec![pattern.to_owned()] };
    let Some((inside, tail)) = rest.split_once('}') else { return vec![pattern.to_owned()] };
    let tails = expand(tail);
    inside.split(',').flat_map(|word| tails.iter().map(move |t| format!("{head}{word}{t}"))).collect()
}

/// All lenses.
pub fn all() -> &'static [Lens] {
    &ALL
}

/// The lens of a name.
pub fn find(name: &str) -> Option<&'static Lens> {
    ALL.iter().find(|l| l.name == name)
}

/// The first lens that has a function among its operations: what flame graphs colour by.
pub fn of(func: &str) -> Option<&'static Lens> {
    ALL.iter().find(|l| l.has(func))
}

/// The lens for maps.
pub fn maps() -> &'static Lens {
    find("maps").expect("there is a lens for maps")
}

impl Lens {
    /// The operation that a function is, by position.
    pub fn operation(&self, func: &str) -> Option<usize> {
        self.operations.iter().position(|g| g.has(func))
    }

    /// The first class that has a function, by position.
    pub fn class(&self, func: &str) -> Option<usize> {
        self.classes.iter().position(|g| g.has(func))
    }

    /// Whether a function is one of its operations.
    pub fn has(&self, func: &str) -> bool {
        self.operation(func).is_some()
    }

    /// Whether it hangs on the caller of a function which class that is of.
    pub fn asks_caller(&self, func: &str) -> bool {
        self.classes.iter().flat_map(|g| &g.called).any(|(f, _)| fits(f, func))
    }

    /// The first class that has a function where `caller` calls it, by position.
    pub fn class_by(&self, func: &str, caller: &str) -> Option<usize> {
        let calls = |(f, by): &(String, String)| fits(f, func) && fits(by, caller);
        self.classes.iter().position(|g| g.called.iter().any(calls))
    }

    /// What a stack does. `frames` are the functions below the user's frame, leaf first.
    pub fn of_stack<'a>(&self, frames: impl Iterator<Item = &'a str>) -> Option<Found> {
        let mut frames = frames.peekable();
        let each = std::iter::from_fn(|| {
            let f = frames.next()?;
            let by = frames.peek().and_then(|caller| self.class_by(f, caller));
            Some((self.operation(f), [self.class(f), by].into_iter().flatten().min()))
        });
        self.of_frames(each)
    }

    /// The same, where operation and class of each function are known.
    pub fn of_frames(&self, frames: impl Iterator<Item = (Option<usize>, Option<usize>)>) -> Option<Found> {
        let mut found = None;
        let mut class: Option<usize> = None;
        for (operation, of) in frames {
            class = [class, of].into_iter().flatten().min();
            // The frames so far are those from this one to the leaf.
            if let Some(operation) = operation {
                found = Some(Found { operation, class });
            }
        }
        found
    }
}
