//! `skillspan skillify`: mine the table now.

use std::fmt::Write;
use std::sync::Arc;

use clap::Args;

use crate::service::mining::{mine_workspace, publish, read};
use crate::table::Table;

use super::{ConfigFile, Failure, OrFail, block_on, print, reader};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Only this workspace
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Say what would change, change nothing
    #[arg(long)]
    dry_run: bool,
    /// Say of every candidate why it is or is not published
    #[arg(long)]
    explain: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let text = block_on(mine_now(arguments))?;
    print(&text)
}

async fn mine_now(arguments: &Arguments) -> Result<String, Failure> {
    let settings = arguments.config.load()?;
    if settings.skills.is_empty() {
        return Err(Failure::Usage(anyhow::anyhow!("the configuration has no skills pipeline")));
    }
    reader::flush(&settings).await;
    let table = Table::open_read_only(&settings.table).or_fail()?;
    let mut places = read(&table, &settings.default_workspace).await.or_fail()?;
    places.retain(|(_, workspace), _| arguments.workspace.as_ref().is_none_or(|wanted| wanted == workspace));
    let mut text = String::new();
    for pipeline in &settings.skills {
        let mut mined = Vec::new();
        for ((_, workspace), sessions) in &places {
            let found =
                mine_workspace(workspace.clone(), sessions.clone(), pipeline.mining).await.or_fail()?;
            if arguments.explain {
                found.explain().iter().for_each(|line| {
                    let _ = writeln!(text, "{line}");
                });
            }
            mined.push(found);
        }
        let mined = Arc::new(mined);
        for target in &pipeline.targets {
            let published = publish(target.clone(), Arc::clone(&mined), arguments.dry_run).await.or_fail()?;
            let would = if arguments.dry_run { " (dry run: nothing was written)" } else { "" };
            let _ = writeln!(text, "{}: {}{would}", published.path.display(), published.report);
        }
    }
    Ok(text)
}
