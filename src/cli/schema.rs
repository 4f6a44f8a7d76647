//! `skillspan schema`: the columns of the sessions table.

use std::fmt::Write;

use clap::Args;

use crate::table::columns;

use super::{Failure, OrFail, print, print_json};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let columns = columns();
    if arguments.json {
        return print_json(&format!("{}\n", serde_json::to_string_pretty(&columns).or_fail()?));
    }
    let mut text = String::new();
    for column in columns {
        let null = if column.nullable { "null" } else { "" };
        let _ =
            writeln!(text, "{:<18} {:<18} {null:<5} {}", column.name, column.data_type, column.description);
    }
    print(&text)
}
