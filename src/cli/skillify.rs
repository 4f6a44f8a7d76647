//! `skillspan skillify`: mine the table now.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::config::{ModelSettings, SkillsPipeline};
use crate::event::{counted, visible_json, visible_line};
use crate::exporters::target::Update;
use crate::service::digests::Digests;
use crate::service::disclosure::{dollars, what_is_sent};
use crate::service::embeddings::{self, Embeddings};
use crate::service::mining::{RunError, jobs, keep_record, mine_what_is_new, publish, read};
use crate::service::wording::{Found, Job, Known, Step, Tally};
use crate::skillify::llm::Spent;
use crate::skillify::{Config, null};
use crate::table::Table;

use super::cases::Events;
use super::holdout::{Until, looked_at};
use super::statements::{Said, states_rules};
use super::{ConfigFile, Failure, OrFail, block_on, print, print_as_is, reader};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Only this workspace
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Only this tenant (tenants share a server: extensions.auth)
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Show what would change; change nothing and ask no model
    #[arg(long)]
    dry_run: bool,
    /// For each lesson found, say why it is published or not
    #[arg(long)]
    explain: bool,
    /// With --explain: show the sessions behind each published line
    #[arg(long, requires = "explain")]
    cases: bool,
    /// Also look for skills in shuffled sessions, this many times: what turns up there is chance
    #[arg(long, value_name = "ROUNDS", conflicts_with_all = ["explain", "show_prompt"])]
    null: Option<u32>,
    /// Learn from the sessions before this day (or `median`: half of them), and test the result on the later ones
    #[arg(long, value_name = "DAY", conflicts_with_all = ["explain", "show_prompt", "null"])]
    learn_until: Option<Until>,
    /// Print what a model would be asked, without the key
    #[arg(long, requires = "dry_run")]
    show_prompt: bool,
}

/// Mines everything and publishes what is found, as `skillspan skillify` does without options.
pub(super) fn run_now(config: &ConfigFile) -> Result<(), Failure> {
    run(&Arguments {
        config: config.clone(),
        workspace: None,
        tenant: None,
        dry_run: false,
        explain: false,
        cases: false,
        null: None,
        learn_until: None,
        show_prompt: false,
    })
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let text = block_on(mine_now(arguments))?;
    if arguments.show_prompt { print_as_is(&text) } else { print(&text) }
}

async fn mine_now(arguments: &Arguments) -> Result<String, Failure> {
    let settings = arguments.config.load()?;
    if settings.skills.is_empty() {
        return Err(Failure::Usage(anyhow::anyhow!("the configuration has no skills pipeline")));
    }
    reader::flush(&settings).await;
    let mut text = String::new();
    let mut failed = None;
    for pipeline in &settings.skills {
        let table = reader::open(&pipeline.table).await?;
        let mut digests = Digests::of(pipeline).await;
        digests.update(&table).await.or_fail()?;
        let census = digests.census();
        let (of_workspace, of_tenant) = (arguments.workspace.clone(), arguments.tenant.clone());
        let is_wanted = move |(tenant, workspace): &(String, String)| {
            of_workspace.as_ref().is_none_or(|wanted| wanted == workspace)
                && of_tenant.as_ref().is_none_or(|wanted| wanted == tenant)
        };
        let mut jobs = jobs(&mut digests, &table, is_wanted, pipeline).await.or_fail()?;
        if let Some(rounds) = arguments.null {
            let mining = Config { verified: Some(&pipeline.verified), ..pipeline.mining };
            for Job { place: (_, workspace), digests, .. } in jobs {
                let _ = writeln!(text, "{}", null(&visible_line(&workspace), &digests, &mining, rounds));
            }
            continue;
        }
        if let Some(until) = &arguments.learn_until {
            let mining = Config { verified: Some(&pipeline.verified), ..pipeline.mining };
            for Job { place: (_, workspace), digests, .. } in jobs {
                let _ = writeln!(text, "{}", looked_at(&workspace, &digests, &mining, until));
            }
            continue;
        }
        look_up(arguments, pipeline, &mut jobs, &mut text).await?;
        let found = mine(arguments, pipeline, &table, &jobs, &mut text).await?;
        if arguments.cases {
            let sessions = read(&table, &pipeline.table.default_workspace).await.or_fail()?;
            let events = Events::of(sessions.values().flatten());
            found.iter().for_each(|found| text.push_str(&events.of_lines(&found.mined)));
            continue;
        }
        if arguments.explain {
            found.iter().flat_map(|found| found.mined.explain()).for_each(|line| {
                let _ = writeln!(text, "{}", visible_line(&line));
            });
            if found.iter().any(|found| states_rules(&found.mined)) {
                let sessions = read(&table, &pipeline.table.default_workspace).await.or_fail()?;
                let said = Said::of(sessions.values().flatten());
                found.iter().for_each(|found| text.push_str(&said.of_mined(&found.mined)));
            }
        }
        if !arguments.dry_run {
            jobs.iter().zip(&found).for_each(|(job, found)| keep_record(pipeline, &job.place, &found.mined));
        }
        let found = jobs.iter().zip(found).map(|(job, found)| found.findings(job, &census));
        let update = Arc::new(Update::Findings(found.collect()));
        failed = bring(arguments, pipeline, &update, &mut text).await.or(failed);
    }
    // One target that fails keeps nothing from the others.
    if let Some(error) = failed {
        print(&text)?;
        return Err(Failure::Failed(error.into()));
    }
    Ok(text)
}

/// Gives the jobs of a pipeline vectors of words, if it has a place to take them from.
async fn look_up(
    arguments: &Arguments,
    pipeline: &SkillsPipeline,
    jobs: &mut [Job],
    text: &mut String,
) -> Result<(), Failure> {
    let Some(mut embeddings) = Embeddings::of(pipeline).or_fail()? else { return Ok(()) };
    if arguments.explain {
        pipeline.embeddings.iter().filter_map(embeddings::what_is_sent).for_each(|sent| {
            let _ = writeln!(text, "{sent}");
        });
    }
    let looked = if arguments.dry_run {
        embeddings.rehearse(jobs).await.or_fail()?
    } else {
        embeddings.look_up(jobs, pending()).await.or_fail()?
    };
    let nobody = if arguments.dry_run { " (dry run: nobody was asked)" } else { "" };
    let _ = writeln!(text, "embeddings: {looked}{nobody}");
    Ok(())
}

/// Mines every job for a pipeline, with its model if it has one.
async fn mine(
    arguments: &Arguments,
    pipeline: &SkillsPipeline,
    table: &Table,
    jobs: &[Job],
    text: &mut String,
) -> Result<Vec<Found>, Failure> {
    let Some(model) = &pipeline.model else {
        if arguments.show_prompt {
            let _ = writeln!(text, "{}: skills are worded offline, nothing is sent", pipeline.name);
        }
        return mine_what_is_new(jobs, pipeline.mining, pipeline.digests.as_deref()).await.or_fail();
    };
    if arguments.explain {
        let _ = writeln!(text, "{}", what_is_sent(model));
    }
    let step = Step::new(model, pipeline.digests.as_deref()).or_fail()?;
    let targets = pipeline.targets.iter().map(|target| (target.clone(), BTreeMap::new())).collect();
    let known = Known::read(targets).await.or_fail()?;
    let known = known.with_sessions(table, &pipeline.table.default_workspace);
    let (found, tally) = if arguments.dry_run || arguments.cases {
        let (found, tally) = step.rehearse(jobs, pipeline.mining, known).await.or_fail()?;
        would_ask(arguments, model, &tally, text)?;
        (found, tally)
    } else {
        step.run(jobs, pipeline.mining, known, pending()).await.or_fail()?
    };
    if !(arguments.dry_run || arguments.cases) {
        let _ = writeln!(text, "{}: {tally}", model.endpoint.model);
    }
    if arguments.explain {
        for fallen in tally.author.iter().flat_map(|author| &author.fallen) {
            let _ = writeln!(text, "{}", visible_line(fallen));
        }
    }
    Ok(found)
}

/// What a run that is not dry would ask.
fn would_ask(
    arguments: &Arguments,
    model: &ModelSettings,
    tally: &Tally,
    text: &mut String,
) -> Result<(), Failure> {
    let (questions, name) = (&tally.questions, &model.endpoint.model);
    let _ = writeln!(
        text,
        "{name}: {} questions would be asked; {} answers are known (dry run: nobody was asked)",
        questions.len(),
        tally.known
    );
    if questions.is_empty() {
        return Ok(());
    }
    let mut most = Spent::default();
    questions.iter().for_each(|question| most.add(model.endpoint.at_most(question)));
    let _ = writeln!(
        text,
        "  that takes at most {} tokens, {}; {}",
        most.tokens,
        dollars(most.micros),
        if most.micros == 0 { "no price is configured" } else { "at the configured price" }
    );
    if let Some(author) = &tally.author {
        let _ = writeln!(
            text,
            "  excerpts of {} would be read for the first time, and what stands be written",
            counted(author.unread, "session", "sessions")
        );
    }
    for question in questions {
        if arguments.show_prompt {
            let (address, body) = model.endpoint.request(question, false);
            let body = serde_json::to_string_pretty(&body).or_fail()?;
            let (about, body) = (visible_line(&question.about), visible_json(&body));
            let _ = writeln!(text, "\n# {about}\nPOST {address}\n{body}");
        } else if arguments.explain {
            let _ = writeln!(text, "  would ask: {}", visible_line(&question.about));
        }
    }
    Ok(())
}

/// Brings the findings to every target; says which failed last.
async fn bring(
    arguments: &Arguments,
    pipeline: &SkillsPipeline,
    update: &Arc<Update>,
    text: &mut String,
) -> Option<RunError> {
    let mut failed = None;
    for target in &pipeline.targets {
        let stop = Arc::new(AtomicBool::new(false));
        match publish(target.clone(), Arc::clone(update), arguments.dry_run, stop).await {
            Ok(report) if arguments.dry_run => {
                let _ = writeln!(text, "{target}: {report} (dry run: nothing was written)\n{}", report.diff);
            }
            Ok(report) => {
                let _ = writeln!(text, "{target}: {report}");
            }
            Err(error) => failed = Some(error),
        }
    }
    failed
}
