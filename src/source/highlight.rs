//! Highlights Go, and says which function a line stands in.
//!
//! Spans come from tree-sitter's tree, which is whole even for broken code: what cannot be parsed is an error node with
//! ordinary leaves inside.

use super::load::Text;
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};
use tree_sitter::{Node, ParseOptions, ParseState, Parser, Point, TreeCursor};

/// What a stretch of source is, for colouring.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    /// `func`, `return`, `map` …
    Keyword,
    /// The name of a type.
    Type,
    /// The name of a function or method, where it is declared or called.
    Function,
    /// `make`, `len`, `true`, `nil` …
    Builtin,
    /// A field.
    Field,
    /// The name of a package in its clause.
    Package,
    /// A string or rune, with its quotes.
    String,
    /// `\n` and the like inside a string.
    Escape,
    /// A number.
    Number,
    /// A comment.
    Comment,
    /// An operator.
    Operator,
}

/// A highlighted stretch of one line; what lies between spans is plain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    /// Byte range in the raw line (see [`super::load::Shown::offset`]).
    pub range: Range<usize>,
    /// What it is.
    pub class: Class,
}

/// A function of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// `Update`, or `(*OrderCache).Update` for a method. Not escaped.
    pub name: String,
    /// First and last line, counted from 1.
    pub lines: (usize, usize),
}

/// The highlighting of a whole file.
#[derive(Clone, Default, Debug)]
pub struct Highlights {
    lines: Vec<Vec<Span>>,
    functions: Vec<Function>,
}

/// Trees deeper than this are not followed further.
const MAX_DEPTH: usize = 2000;
/// The longest time that is spent on taking a file apart; the largest that people write take a tenth of it.
const LONGEST: Duration = Duration::from_millis(500);

impl Highlights {
    /// Highlights `text`, the content of a file called `name`. Anything but Go is left plain.
    pub fn new(name: &str, text: &Text) -> Highlights {
        if !name.ends_with(".go") {
            return Highlights::default();
        }
        let mut parser = Parser::new();
        if parser.set_language(&tree_sitter_go::LANGUAGE.into()).is_err() {
            return Highlights::default();
        }
        // What nests without end takes a parser without end, in time and in memory.
        let start = Instant::now();
        let mut stop = |_: &ParseState| match start.elapsed() > LONGEST {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let raw = text.raw().as_bytes();
        let mut read = |at: usize, _: Point| raw.get(at..).unwrap_or_default();
        let options = ParseOptions::new().progress_callback(&mut stop);
        let Some(tree) = parser.parse_with_options(&mut read, None, Some(options)) else {
            return Highlights::default();
        };
        let mut out = Highlights { lines: vec![Vec::new(); text.len()], functions: Vec::new() };
        walk(&mut tree.walk(), text, &mut out);
        out
    }

    /// The spans of line `number`, counted from 1, in order and not overlapping.
    pub fn line(&self, number: usize) -> &[Span] {
        number.checked_sub(1).and_then(|i| self.lines.get(i)).map_or(&[], Vec::as_slice)
    }

    /// The declared function that line `number`, counted from 1, stands in.
    pub fn enclosing(&self, number: usize) -> Option<&Function> {
        self.functions.iter().find(|f| (f.lines.0..=f.lines.1).contains(&number))
    }

    /// All declared functions and methods, in order.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }
}

/// Visits every node, parents first, without recursion.
fn walk(cursor: &mut TreeCursor, text: &Text, out: &mut Highlights) {
    let mut depth = 0;
    loop {
        let node = cursor.node();
        if matches!(node.kind(), "function_declaration" | "method_declaration") {
            out.functions.extend(function(node, text.raw()));
        }
        let class = classify(node, cursor.field_name(), text.raw());
        if let Some(class) = class {
            mark(node, class, text, out);
        }
        // A string is marked as a whole, and its escapes over it; nothing else that is marked has parts.
        let inside = class.is_none() || class == Some(Class::String);
        if inside && depth < MAX_DEPTH && cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            depth -= 1;
        }
    }
}

/// Adds a node's stretch to each line that it covers.
fn mark(node: Node, class: Class, text: &Text, out: &mut Highlights) {
    let (from, to) = (node.start_position(), node.end_position());
    for row in from.row..=to.row {
        let Some(line) = out.lines.get_mut(row) else { return };
        let len = text.line(row + 1).len();
        let start = if row == from.row { from.column.min(len) } else { 0 };
        let end = if row == to.row { to.column.min(len) } else { len };
        push(line, start..end, class);
    }
}

/// Appends a span; one that lies inside the last splits it.
fn push(line: &mut Vec<Span>, range: Range<usize>, class: Class) {
    if range.is_empty() {
        return;
    }
    let Some(last) = line.last_mut().filter(|last| last.range.end > range.start) else {
        line.push(Span { range, class });
        return;
    };
    let after = range.end..last.range.end;
    let around = last.class;
    last.range.end = range.start;
    if last.range.is_empty() {
        line.pop();
    }
    line.push(Span { range, class });
    if !after.is_empty() {
        line.push(Span { range: after, class: around });
    }
}

fn classify(node: Node, field: Option<&str>, source: &str) -> Option<Class> {
    let kind = node.kind();
    if !node.is_named() {
        let first = kind.as_bytes().first()?;
        return match first {
            b'a'..=b'z' => Some(Class::Keyword),
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b',' | b';' | b'.' if kind != "..." => None,
            b'"' | b'\'' | b'`' | b'\n' | b'\0' => None,
            _ => Some(Class::Operator),
        };
    }
    Some(match kind {
        "comment" => Class::Comment,
        "interpreted_string_literal" | "raw_string_literal" | "rune_literal" => Class::String,
        "escape_sequence" => Class::Escape,
        "int_literal" | "float_literal" | "imaginary_literal" => Class::Number,
        "true" | "false" | "nil" | "iota" => Class::Builtin,
        "type_identifier" => Class::Type,
        "package_identifier" => Class::Package,
        "identifier" | "field_identifier" => {
            let parent = node.parent()?;
            match parent.kind() {
                "function_declaration" | "method_declaration" if field == Some("name") => Class::Function,
                "call_expression" if field == Some("function") => {
                    if is_builtin(source.get(node.byte_range())?) {
                        Class::Builtin
                    } else {
                        Class::Function
                    }
                }
                "selector_expression" if field == Some("field") => {
                    let call = parent.parent().filter(|p| p.kind() == "call_expression");
                    let callee = call.and_then(|c| c.child_by_field_name("function"));
                    if callee.is_some_and(|f| f.id() == parent.id()) { Class::Function } else { Class::Field }
                }
                _ if kind == "field_identifier" => Class::Field,
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn is_builtin(name: &str) -> bool {
    const NAMES: [&str; 18] = [
        "append", "cap", "clear", "close", "complex", "copy", "delete", "imag", "len", "make", "max", "min", "new",
        "panic", "print", "println", "real", "recover",
    ];
    NAMES.contains(&name)
}

fn function(node: Node, source: &str) -> Option<Function> {
    let text = |n: Node| source.get(n.byte_range());
    let name = text(node.child_by_field_name("name")?)?;
    let receiver = node.child_by_field_name("receiver").and_then(|list| {
        let declared = list.named_child(0)?.child_by_field_name("type")?;
        let (star, mut base) = match declared.kind() {
            "pointer_type" => (true, declared.named_child(0)?),
            _ => (false, declared),
        };
        if base.kind() == "generic_type" {
            base = base.child_by_field_name("type")?;
        }
        let base = text(base)?;
        Some(if star { format!("(*{base})") } else { base.to_string() })
    });
    let name = receiver.map_or_else(|| name.to_string(), |r| format!("{r}.{name}"));
    Some(Function { name, lines: (node.start_position().row + 1, node.end_position().row + 1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "package payment\n\n// Update stores.\nfunc (c *OrderCache[K]) Update(id string) (n int) {\n\tc.byID[id] = make(map[string]Status, 12)\n\tlog.Print(\"a\\n\", `x\ny`)\n\treturn len(id) + 0x1f\n}\n\nfunc free() {}\n";

    fn classes(h: &Highlights, t: &Text, line: usize) -> Vec<(String, Class)> {
        h.line(line).iter().map(|s| (t.line(line)[s.range.clone()].to_string(), s.class)).collect()
    }

    fn has(got: &[(String, Class)], text: &str, class: Class) {
        assert!(got.iter().any(|(s, c)| s == text && *c == class), "{text} as {class:?} in {got:?}");
    }

    #[test]
    fn words_have_their_classes() {
        let t = Text::new(CODE.as_bytes());
        let h = Highlights::new("a.go", &t);
        has(&classes(&h, &t, 1), "package", Class::Keyword);
        has(&classes(&h, &t, 3), "// Update stores.", Class::Comment);
        let four = classes(&h, &t, 4);
        has(&four, "func", Class::Keyword);
        has(&four, "OrderCache", Class::Type);
        has(&four, "Update", Class::Function);
        has(&four, "int", Class::Type);
        let five = classes(&h, &t, 5);
        has(&five, "byID", Class::Field);
        has(&five, "=", Class::Operator);
        has(&five, "make", Class::Builtin);
        has(&five, "map", Class::Keyword);
        has(&five, "12", Class::Number);
        let six = classes(&h, &t, 6);
        has(&six, "Print", Class::Function);
        has(&six, "\\n", Class::Escape);
        has(&six, "`x", Class::String);
        has(&classes(&h, &t, 7), "y`", Class::String);
    }

    #[test]
    fn spans_are_in_order_and_do_not_overlap_even_in_broken_code() {
        let broken = "func ((( {{ \"abc\\q\n`unterminated \\n\n}}} return := for \u{fffd}\x00 'x\n漢字 /* open";
        for code in [CODE, broken, "", "\n\n", &CODE[..90]] {
            let t = Text::new(code.as_bytes());
            let h = Highlights::new("a.go", &t);
            for n in 1..=t.len() {
                let mut at = 0;
                for s in h.line(n) {
                    assert!(at <= s.range.start && s.range.start < s.range.end, "{code:?} line {n}: {s:?}");
                    assert!(t.line(n).get(s.range.clone()).is_some(), "on character boundaries");
                    at = s.range.end;
                }
            }
        }
    }

    #[test]
    fn a_line_knows_its_function() {
        let h = Highlights::new("a.go", &Text::new(CODE.as_bytes()));
        assert_eq!(h.enclosing(5).unwrap().name, "(*OrderCache).Update");
        assert_eq!(h.enclosing(11).unwrap().name, "free");
        assert_eq!(h.enclosing(10), None);
    }

    #[test]
    fn other_files_stay_plain() {
        let h = Highlights::new("asm_amd64.s", &Text::new(b"TEXT runtime\xc2\xb7foo(SB)"));
        assert!(h.line(1).is_empty());
    }

    #[test]
    fn what_nests_without_end_is_given_up() {
        let text = Text::new("a(".repeat(200_000).as_bytes());
        let h = Highlights::new("deep.go", &text);
        assert!(h.line(1).is_empty() && h.functions().is_empty());
    }

    #[test]
    fn deep_nesting_is_no_trouble() {
        let code = format!("package a\nvar x = {}1{}", "(".repeat(20_000), ")".repeat(20_000));
        Highlights::new("a.go", &Text::new(code.as_bytes()));
    }
}
