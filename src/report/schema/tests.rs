//! The published files are what the structs say.

use super::{Published, generated};
use crate::analysis::tables::{TRACE_ID, Table, Type};
use serde_json::{Map, Value};
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// Holds a file against what it should be, or writes it.
fn hold(path: &Path, want: &str) {
    if std::env::var_os("GOTRAIL_SCHEMA").is_some_and(|v| v == "write") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, want).unwrap();
        return;
    }
    let got = std::fs::read_to_string(path).unwrap_or_default();
    assert!(got == want, "{} is not up to date; GOTRAIL_SCHEMA=write updates it", path.display());
}

#[test]
fn files_are_what_the_structs_say() {
    for (p, schema) in generated() {
        let mut v = schema.to_value();
        v.as_object_mut().unwrap().insert("title".into(), format!("The output of `{}`", p.command).into());
        let want = serde_json::to_string_pretty(&v).unwrap() + "\n";
        hold(&docs().join("schema").join(format!("{}.json", p.name)), &want);
    }
    let files = std::fs::read_dir(docs().join("schema")).unwrap().count();
    assert_eq!(files, super::ALL.len(), "a file without an output");
}

#[test]
fn the_documentation_has_every_field() {
    let all: Vec<(&Published, Value)> = generated().into_iter().map(|(p, s)| (p, s.to_value())).collect();
    let want = document(&all);
    // A field without a word on it would be a row without a meaning.
    let rows = want.lines().filter(|l| l.starts_with("| `"));
    let bare: Vec<&str> = rows.filter(|l| l.ends_with("|  |")).collect();
    assert_eq!(bare, Vec::<&str>::new());
    hold(&docs().join("schema.md"), &want);
}

/// The rules that hold for all outputs, out of the documentation of the module.
fn rules() -> String {
    let text = include_str!("mod.rs");
    let lines = text.lines().map_while(|l| l.strip_prefix("//!")).map(|l| l.strip_prefix(' ').unwrap_or(l));
    let from = lines.skip_while(|l| !l.starts_with("The forms are")).collect::<Vec<_>>().join("\n");
    from.replace("[`Place`]", "[`Place`](#place)").replace("[`Ender`]", "[`Ender`](#ender)")
}

#[test]
fn the_tables_say_their_version() {
    assert!(
        include_str!("tables.md").contains(&format!("version of the tables is {}", crate::analysis::tables::VERSION))
    );
}

fn document(all: &[(&Published, Value)]) -> String {
    let mut out = String::from(
        "# JSON outputs\n\n<!-- Made from src/report/schema by `GOTRAIL_SCHEMA=write cargo test --lib schema`. -->\n\n",
    );
    writeln!(
        out,
        "`gotrail schema NAME` prints the JSON Schema of an output; the same files stand in [`schema`](schema).\n"
    )
    .unwrap();
    writeln!(out, "{}", rules()).unwrap();
    let shared = ["Place", "Ender", "EnderKind"];
    for (p, schema) in all {
        writeln!(out, "\n## {}\n\n`{}`\n\n{}", p.name, p.command, text(schema)).unwrap();
        fields(schema, &mut out);
        let defs = schema["$defs"].as_object().cloned().unwrap_or_default();
        for (name, def) in defs.iter().filter(|(n, _)| !shared.contains(&n.as_str())) {
            define(name, def, p.name, &mut out);
        }
    }
    tables(&mut out);
    writeln!(out, "\n## In several outputs").unwrap();
    for name in shared {
        let def = all.iter().find_map(|(_, s)| s["$defs"].get(name)).unwrap();
        define(name, def, "", &mut out);
    }
    out
}

/// The tables of `export` and `query`.
fn tables(out: &mut String) {
    let text = include_str!("tables.md");
    writeln!(out, "\n{}", text.trim_end()).unwrap();
    for t in Table::ALL {
        writeln!(out, "\n### table `{}`\n\n{}\n\n| column | type | is |\n|---|---|---|", t.name(), t.doc()).unwrap();
        for c in std::iter::once(&TRACE_ID).chain(t.columns()) {
            let of = match c.of {
                Type::Int => "integer",
                Type::Text => "text",
                Type::Bool => "boolean",
            };
            writeln!(out, "| `{}` | {of} | {} |", c.name, c.doc).unwrap();
        }
    }
}

fn text(v: &Value) -> String {
    v["description"].as_str().unwrap_or_default().replace('\n', " ")
}

fn define(name: &str, def: &Value, of: &str, out: &mut String) {
    let title = if of.is_empty() { name.to_owned() } else { format!("{of}: {name}") };
    writeln!(out, "\n### {title}\n\n{}", text(def)).unwrap();
    match (def.get("oneOf"), def.get("enum")) {
        (Some(Value::Array(values)), _) => {
            writeln!(out, "\n| value | is |\n|---|---|").unwrap();
            values.iter().for_each(|v| writeln!(out, "| `{}` | {} |", v["const"].as_str().unwrap(), text(v)).unwrap());
        }
        (_, Some(Value::Array(values))) => {
            let values: Vec<String> = values.iter().map(|v| format!("`{}`", v.as_str().unwrap())).collect();
            writeln!(out, "\nOne of {}.", values.join(", ")).unwrap();
        }
        _ => fields(def, out),
    }
}

fn fields(schema: &Value, out: &mut String) {
    let Some(properties) = schema["properties"].as_object() else { return };
    writeln!(out, "\n| key | type | is |\n|---|---|---|").unwrap();
    // Those that are always there are in the order of the struct.
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let optional = properties.keys().map(String::as_str).filter(|k| !required.contains(k));
    for key in required.iter().copied().chain(optional) {
        let p = &properties[key];
        writeln!(out, "| `{key}` | {} | {} |", kind(p), text(p)).unwrap();
    }
}

/// A type in words: `integer`, `array of Wait`, `Place or null`.
fn kind(p: &Value) -> String {
    if let Some(name) = p["$ref"].as_str() {
        return name.rsplit('/').next().unwrap().to_owned();
    }
    if let Some(v) = p.get("const") {
        return format!("`{v}`");
    }
    if let Some(any) = p["anyOf"].as_array() {
        return any.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let one = |t: &str| match (t, p.get("items"), p.get("additionalProperties")) {
        ("array", Some(items), _) => format!("array of {}", kind(items)),
        ("object", _, Some(values)) => format!("object with values of {}", kind(values)),
        _ => t.to_owned(),
    };
    match &p["type"] {
        Value::String(t) => one(t),
        Value::Array(types) => types.iter().filter_map(Value::as_str).map(one).collect::<Vec<_>>().join(" or "),
        _ => panic!("a type that has no words: {}", Value::Object(p.as_object().cloned().unwrap_or_else(Map::new))),
    }
}
