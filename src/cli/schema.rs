//! `gotrail schema`.

use super::{Exit, Result, Usage};
use crate::report::schema::ALL;
use clap::Args;
use std::io::Write;

#[derive(Args)]
pub struct SchemaArgs {
    /// The output whose JSON Schema to print; without one, the outputs are listed
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

pub fn run(args: &SchemaArgs, out: &mut dyn Write) -> Result<Exit> {
    let Some(name) = &args.name else {
        let width = ALL.iter().map(|o| o.name.len()).max().unwrap_or(0);
        ALL.iter().try_for_each(|o| writeln!(out, "{:<width$}  {}", o.name, o.command))?;
        return Ok(Exit::Done);
    };
    let Some(found) = ALL.iter().find(|o| o.name == name) else {
        let known = ALL.iter().map(|o| o.name).collect::<Vec<_>>().join(", ");
        return Err(Usage::NoSuchOutput { name: name.clone(), known }.into());
    };
    out.write_all(found.schema.as_bytes())?;
    Ok(Exit::Done)
}
