//! What is a span without the program saying so, as data: `assets/spans.toml`, and the functions that a user names.

use crate::base::text::fits;
use crate::model::dict::short_func;
use serde::Deserialize;
use std::sync::LazyLock;

/// When a call of the same function is a new one, though no event between the two tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Never: `for { F() }` and `F() { for {} }` look alike.
    #[default]
    Never,
    /// Where the code of one call would have gone back.
    Back,
}

/// How spans of a rule are told.
#[derive(Clone, Debug)]
pub enum Form {
    /// A goroutine that serves one request after the other.
    Serve(Box<Serve>),
    /// A goroutine is a span.
    Goroutine {
        /// The functions in which it starts.
        entry: Vec<String>,
        /// The functions that tidy up after the handler.
        over: Vec<String>,
    },
    /// A call is a span.
    Call {
        /// The functions.
        func: Vec<String>,
        /// When it is a new one.
        split: Split,
        /// The functions in which it ends: what is in one of them is no new call.
        over: Vec<String>,
        /// The functions in which it waits once: the second wait there is the next call's.
        once: Vec<String>,
    },
}

/// The functions of a server: see `assets/spans.toml`.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // The file says what they are.
pub struct Serve {
    pub root: String,
    pub idle: Vec<String>,
    pub begin: Vec<String>,
    pub handler: Vec<String>,
    pub after: Vec<String>,
    pub pass: Vec<String>,
    pub over: Vec<String>,
    pub reader: Vec<String>,
    pub stop: Vec<String>,
    pub woken: bool,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The kind of span that it finds: `http.server`.
    pub name: String,
    /// What that is, in a few words; may be empty.
    pub about: String,
    /// How it is told.
    pub form: Form,
    /// Functions that are no handlers.
    pub server: Vec<String>,
}

/// All rules of a search.
#[derive(Clone, Debug)]
pub struct Rules {
    /// In the order of the file; those of the user come last.
    pub all: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    span: Vec<Row>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Row {
    name: String,
    about: String,
    serve: Option<String>,
    idle: Vec<String>,
    begin: Vec<String>,
    handler: Vec<String>,
    after: Vec<String>,
    pass: Vec<String>,
    over: Vec<String>,
    reader: Vec<String>,
    stop: Vec<String>,
    woken: bool,
    goroutine: Vec<String>,
    call: Vec<String>,
    once: Vec<String>,
    split: Split,
    server: Vec<String>,
}

impl Row {
    fn rule(self) -> Rule {
        let form = match self.serve {
            Some(root) => Form::Serve(Box::new(Serve {
                root,
                idle: self.idle,
                begin: self.begin,
                handler: self.handler,
                after: self.after,
                pass: self.pass,
                over: self.over,
                reader: self.reader,
                stop: self.stop,
                woken: self.woken,
            })),
            None if !self.goroutine.is_empty() => Form::Goroutine { entry: self.goroutine, over: self.over },
            None => Form::Call { func: self.call, split: self.split, over: self.over, once: self.once },
        };
        Rule { name: self.name, about: self.about, form, server: self.server }
    }
}

static SHIPPED: LazyLock<Rules> = LazyLock::new(|| {
    // A test holds that the built-in file is a good one.
    let file: File = toml::from_str(include_str!("../../../assets/spans.toml")).expect("the rules are well formed");
    Rules { all: file.span.into_iter().map(Row::rule).collect() }
});

/// What the spans of a user's functions are called.
pub const CALL: &str = "call";

impl Default for Rules {
    fn default() -> Rules {
        Rules::shipped().clone()
    }
}

impl Rules {
    /// The rules of `assets/spans.toml`.
    pub fn shipped() -> &'static Rules {
        &SHIPPED
    }

    /// Adds that calls of these functions are spans: `payment.(*Core).Pay`, the directories of whose package may be left
    /// out, and whose last letters may be a `*`.
    pub fn with_calls(mut self, funcs: &[String]) -> Rules {
        if !funcs.is_empty() {
            let none = Vec::new;
            let (func, split) = (funcs.to_vec(), Split::Never);
            let form = Form::Call { func, split, over: none(), once: none() };
            let about = "calls of functions that you named".to_owned();
            self.all.push(Rule { name: CALL.to_owned(), about, form, server: Vec::new() });
        }
        self
    }
}

/// Whether a rule's function is that of this name. Only a user's may leave the directories of a package out.
pub fn names(pattern: &str, func: &str) -> bool {
    fits(pattern, func) || !pattern.contains('/') && fits(pattern, short_func(func))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_rules_are_of_all_forms_and_say_what_they_find() {
        let rules = &Rules::shipped().all;
        assert!(rules.iter().all(|r| !r.name.is_empty() && !r.about.is_empty()));
        let empty = |r: &Rule| match &r.form {
            Form::Serve(s) => s.idle.is_empty() || s.handler.is_empty() || s.after.is_empty(),
            Form::Goroutine { entry, .. } => entry.is_empty(),
            Form::Call { func, .. } => func.is_empty(),
        };
        assert!(!rules.iter().any(empty));
        assert!(rules.iter().any(|r| matches!(r.form, Form::Serve(_))));
    }

    #[test]
    fn a_package_may_be_named_without_its_directories() {
        assert!(names("payment.(*Core).Pay", "example.com/x/payment.(*Core).Pay"));
        assert!(names("main.handle*", "main.handlePay") && !names("main.handle", "main.handlePay"));
        assert!(!names("x/payment.Pay", "y/payment.Pay"));
    }
}
