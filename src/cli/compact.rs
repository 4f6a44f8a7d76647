//! `skillspan compact`: the table's upkeep, now.

use std::fmt::Write;

use clap::Args;

use crate::event::Timestamp;
use crate::table::Table;

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
        let _ = writeln!(text, "{} erased rows have left {} files", erased.rows, erased.files);
    }
    let retired =
        if trust_clock { table.retire_by_the_clock().await } else { table.retire().await }.or_fail()?;
    if let Some(doubt) = &retired.doubt {
        reader::warn(&format!("retention removes nothing: {doubt}"));
    }
    if retired.files > 0 {
        let _ = writeln!(text, "{} files of days that are no longer kept are removed", retired.files);
    }
    let compacted = table.compact(Timestamp::now()).await.or_fail()?;
    reader::warn_of_damage(&compacted.damaged);
    let _ = match compacted.days {
        0 => writeln!(text, "no closed day has files to merge"),
        days => writeln!(
            text,
            "{days} closed days: {} files became {}, {} rows that were stored twice are dropped",
            compacted.files_before, compacted.files_after, compacted.rows_dropped
        ),
    };
    Ok(text)
}
