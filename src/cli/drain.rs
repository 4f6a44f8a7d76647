//! `skillspan drain`: the journal of a replica that is gone, to the table.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::config::{SessionsTable, Settings};
use crate::exporters::parquet::{self, ParquetExporter};
use crate::journal::{self, Durability, Journal, dead_letters};
use crate::table::Table;

use super::reader::TableChoice;
use super::run::start_logging;
use super::{ConfigFile, Failure, OrFail, block_on, print};

/// Of one of our own journals, so that the last segments are cut and no more.
const SEGMENT_SIZE: u64 = 64 << 20;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// The folder of that journal (service.journal.path of the process that is gone)
    #[arg(long, value_name = "DIR")]
    journal: PathBuf,
    #[command(flatten)]
    table: TableChoice,
    /// Give up after this many seconds; the rest stays in the journal
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    print(&block_on(drain(arguments))?)
}

async fn drain(arguments: &Arguments) -> Result<String, Failure> {
    let settings = arguments.config.load()?;
    start_logging(settings.logs, true);
    let path = arguments.journal.clone();
    if !Journal::is_in(&path) {
        return Err(Failure::Usage(anyhow::anyhow!("{} holds no journal", path.display())));
    }
    let timeout = Duration::from_secs(arguments.timeout);
    let chosen = table_of(arguments, &settings)?;
    let pipeline = settings.sessions.iter().find(|pipeline| pipeline.table == *chosen);
    let config = match pipeline {
        Some(pipeline) => parquet::Config { drain_timeout: timeout, ..pipeline.parquet.clone() },
        None => parquet::Config {
            rows: 50_000,
            bytes: 64 << 20,
            age: Duration::ZERO,
            on_session_end: false,
            drain_timeout: timeout,
        },
    };
    let table = Table::connect(&chosen.location).await.or_fail()?.with_retention(chosen.retention);
    let journal = journal::Config {
        path: path.clone(),
        max_size: u64::MAX,
        segment_size: SEGMENT_SIZE,
        durability: Durability::Fsync,
    };
    let journal = Journal::open(journal).or_fail()?;
    let (id, records) = (journal.id().to_owned(), journal.status().behind);
    journal.close();
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let exporter = ParquetExporter::new(journal, table, config);
    exporter.check().await.or_fail()?;
    let left = exporter.run(shutdown).await;
    if left > 0 {
        let error = anyhow::anyhow!("{left} of {records} records are not in the table yet; run it again");
        return Err(Failure::Failed(error));
    }
    let letters = dead_letters(&path).or_fail()?.len();
    let rest = match letters {
        0 if path.join("sessions").is_dir() => {
            format!("nothing is left in {} itself; below it are journals of other pipelines", path.display())
        }
        0 => format!("nothing is left in {}; it can be deleted", path.display()),
        letters => format!("{letters} dead letters stay in {}", path.display()),
    };
    Ok(format!("{records} records of journal {id} are in the table; {rest}\n"))
}

/// The table that a journal belongs to: as its pipeline says, or as somebody has to say.
fn table_of<'s>(arguments: &Arguments, settings: &'s Settings) -> Result<&'s SessionsTable, Failure> {
    if let Some(named) = arguments.table.named(settings)? {
        return Ok(named);
    }
    let mut pipelines = settings.sessions.iter();
    if let Some(own) = pipelines.find(|pipeline| pipeline.journal.path == arguments.journal) {
        return Ok(&own.table);
    }
    if settings.more_tables.is_empty() {
        return Ok(&settings.table);
    }
    let known: Vec<&str> = settings.tables().map(|table| table.id.as_str()).collect();
    let message = format!(
        "the configuration has several tables, and no pipeline has this journal: say where its records go, --table {}",
        known.join(" or --table ")
    );
    Err(Failure::Usage(anyhow::anyhow!(message)))
}
