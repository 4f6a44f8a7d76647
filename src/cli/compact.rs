//! `skillspan compact`: the table's upkeep, now.

use std::fmt::Write;

use clap::Args;

use crate::event::Timestamp;
use crate::table::Table;

use super::columns::counted;
use super::{ConfigFile, Failure, OrFail, block_on, print, reader};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Remove what is past retention even if the clock looks wrong
    #[arg(long)]
    trust_clock: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    print(&block_on(compact(arguments))?)
}

async fn compact(arguments: &Arguments) -> Result<String, Failure> {
    let settings = arguments.config.load()?;
    let mut text = String::new();
    for table in settings.tables() {
        if !settings.more_tables.is_empty() {
            let _ = writeln!(text, "{}:", table.location);
        }
        text.push_str(&compact_table(reader::open_for_upkeep(table).await?, arguments.trust_clock).await?);
    }
    Ok(text)
}

async fn compact_table(table: Table, trust_clock: bool) -> Result<String, Failure> {
    let mut text = String::new();
    let erased = table.finish_erasures().await.or_fail()?;
    if erased.files > 0 {
        let (rows, files) = (counted(erased.rows, "erased row"), counted(erased.files, "file"));
        let _ = writeln!(text, "{rows} left {files}");
    }
    let retired =
        if trust_clock { table.retire_by_the_clock().await } else { table.retire().await }.or_fail()?;
    if let Some(doubt) = &retired.doubt {
        reader::warn(&format!("retention removes nothing: {doubt}"));
    }
    if retired.files > 0 {
        let files = counted(retired.files, "file");
        let _ = writeln!(text, "removed {files} of days that are no longer kept");
    }
    let compacted = table.compact(Timestamp::now()).await.or_fail()?;
    reader::warn_of_damage(&compacted.damaged);
    let _ = match compacted.days {
        0 => writeln!(text, "no closed day has files to merge"),
        days => writeln!(
            text,
            "{}: {} became {}; dropped {} stored twice",
            counted(days, "closed day"),
            counted(compacted.files_before, "file"),
            compacted.files_after,
            counted(compacted.rows_dropped, "row"),
        ),
    };
    Ok(text)
}
