//! The query language: one text that means a set of events, in the viewer, in `grep` and wherever else events are meant.
//!
//! [`parse()`] reads the text into a [`Query`], whose nodes know where in the text they stand; [`Compiled`] is the query
//! made ready for one trace's index, so that a test of an event is a few array look-ups. [`help`] is the one table of
//! what can be written.
//!
//! ```text
//! query  = and { "or" and }
//! and    = unary { [ "and" ] unary }
//! unary  = ( "not" | "-" ) unary | "(" query ")" | term
//! term   = text | field ":" text | "dur" ( ">" | ">=" | "<" | "<=" ) duration | "gc" | "stw"
//! text   = word | '"' … '"' | "/" regex "/"
//! ```
//!
//! Together with `span:`, a `dur` that stands right behind it is the span's length; elsewhere it is that of what an event
//! begins: its goroutine's state, a task, a region.
//!
//! A word ends at white space; a parenthesis that opens inside a word belongs to it, so that Go's method names can be
//! written as they are: `payment.(*Core).settler`.

mod ast;
mod bits;
mod check;
mod compile;
mod error;
mod eval;
mod lex;
mod parse;
mod pattern;
mod words;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

pub use crate::base::Span;
pub use ast::{Cmp, Expr, KindSet, Node, Pattern, Query, Term, Who, quoted};
pub use bits::Bits;
pub use compile::{CompileCause, CompileError, Compiled, NoSpans, Spans, SpansError};
pub use error::QueryError;
pub use eval::{Ahead, Next, NoAhead};
pub use parse::parse;
pub use pattern::PatternError;
pub use words::{Candidate, Completion, Help, complete, help};
