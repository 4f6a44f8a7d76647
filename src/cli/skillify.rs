//! `skillspan skillify`: mine the table now.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::exporters::target::Update;
use crate::service::digests::Digests;
use crate::service::mining::{findings, mine_workspace, publish};

use super::{ConfigFile, Failure, OrFail, block_on, print, reader};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Only this workspace
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Show what would change, change nothing
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
    let table = reader::open(&settings).await?;
    let mut text = String::new();
    let mut failed = None;
    for pipeline in &settings.skills {
        let mut digests = match &pipeline.digests {
            Some(folder) => Digests::open(folder, &settings.table, &settings.default_workspace).await,
            None => Digests::in_memory(&settings.default_workspace),
        };
        digests.update(&table).await.or_fail()?;
        let mut places = digests.places();
        places.retain(|(_, workspace), _| {
            arguments.workspace.as_ref().is_none_or(|wanted| wanted == workspace)
        });
        let mut all = Vec::new();
        for ((_, workspace), digests) in &places {
            let found =
                mine_workspace(workspace.clone(), digests.clone(), pipeline.mining).await.or_fail()?;
            if arguments.explain {
                found.explain().iter().for_each(|line| {
                    let _ = writeln!(text, "{line}");
                });
            }
            all.push(findings(&found, digests));
        }
        let update = Arc::new(Update::Findings(all));
        for target in &pipeline.targets {
            let stop = Arc::new(AtomicBool::new(false));
            match publish(target.clone(), Arc::clone(&update), arguments.dry_run, stop).await {
                Ok(report) if arguments.dry_run => {
                    let _ =
                        writeln!(text, "{target}: {report} (dry run: nothing was written)\n{}", report.diff);
                }
                Ok(report) => {
                    let _ = writeln!(text, "{target}: {report}");
                }
                Err(error) => failed = Some(error),
            }
        }
    }
    // One target that fails keeps nothing from the others.
    if let Some(error) = failed {
        print(&text)?;
        return Err(Failure::Failed(error.into()));
    }
    Ok(text)
}
