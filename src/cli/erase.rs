//! `skillspan erase`: forget a session or a person, and say what else may remember.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::anyhow;
use clap::Args;

use crate::config::{FollowerSettings, Settings};
use crate::event::{Timestamp, person};
use crate::exporters::filesystem;
use crate::exporters::target::Place;
use crate::journal::{self, Remnants};
use crate::receivers::hooks;
use crate::service::digests;
use crate::table::Location;
use crate::table::upkeep::{Erased, Subject};

use super::{ConfigFile, Failure, OrFail, block_on, print, reader};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    subject: SubjectArguments,
    /// Only of this tenant
    #[arg(long, value_name = "NAME", value_parser = name)]
    tenant: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct SubjectArguments {
    /// The session with this id
    #[arg(long, value_name = "ID", value_parser = name)]
    session: Option<String>,
    /// The person with this id, and every session that they appear in
    #[arg(long, value_name = "ID", value_parser = name)]
    user: Option<String>,
}

/// A variable of a shell that is not set must not name everything that has no name.
fn name(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("it names nothing") } else { Ok(text.to_owned()) }
}

impl SubjectArguments {
    fn subject(&self) -> Option<Subject> {
        let session = self.session.clone().map(Subject::Session);
        session.or_else(|| self.user.clone().map(Subject::User))
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    print(&block_on(erase(arguments))?)
}

async fn erase(arguments: &Arguments) -> Result<String, Failure> {
    let settings = arguments.config.load()?;
    let subject = arguments.subject.subject().ok_or_else(|| anyhow!("name a session or a user"));
    let subject = subject.map_err(Failure::Usage)?;
    // What the journal holds is in the table before it is looked for there.
    reader::flush(&settings).await;
    let mut erased = Erased::default();
    for table in settings.tables() {
        let table = reader::open_for_upkeep(table).await?;
        for subject in ways_of_writing(&subject) {
            let found =
                table.erase(&subject, arguments.tenant.as_deref(), Timestamp::now()).await.or_fail()?;
            erased.add(found);
        }
    }
    forget_digests(&settings)?;
    let remnants = dead_letters(&settings, &erased, &subject)?;
    let waiting = waiting_hooks(&settings, &erased, &subject)?;
    let report = report(&settings, &erased, &remnants, waiting);
    reader::warn_of_damage(&erased.damaged);
    if erased.sessions.is_empty() && remnants.events == 0 && waiting == 0 {
        let (Subject::Session(id) | Subject::User(id)) = &subject;
        let tables: Vec<String> = settings.tables().map(|table| table.location.to_string()).collect();
        return Err(Failure::Failed(anyhow!("nothing of {id:?} is in {}", tables.join(" or in "))));
    }
    Ok(report)
}

/// A person as typed, which is how an older version stored the name, and as this version stores it.
fn ways_of_writing(subject: &Subject) -> Vec<Subject> {
    let stored = match subject {
        Subject::User(user) => person::named(user).filter(|name| name != user).map(Subject::User),
        Subject::Session(_) => None,
    };
    std::iter::once(subject.clone()).chain(stored).collect()
}

/// Digests hold command lines; they are made anew without what is erased.
fn forget_digests(settings: &Settings) -> Result<(), Failure> {
    for folder in settings.skills.iter().filter_map(|pipeline| pipeline.digests.as_ref()) {
        digests::forget(folder).or_fail()?;
    }
    Ok(())
}

fn names(subject: &Subject) -> Vec<String> {
    let name = |subject| match subject {
        Subject::Session(name) | Subject::User(name) => name,
    };
    ways_of_writing(subject).into_iter().map(name).collect()
}

fn dead_letters(settings: &Settings, erased: &Erased, subject: &Subject) -> Result<Remnants, Failure> {
    let covers = |event: &_| erased.tombstones.iter().any(|tombstone| tombstone.covers(event));
    let names = names(subject);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut remnants = Remnants::default();
    for pipeline in &settings.sessions {
        let found = journal::erase_dead_letters(&pipeline.journal.path, covers, &names).or_fail()?;
        remnants.events += found.events;
        remnants.unreadable.extend(found.unreadable);
    }
    Ok(remnants)
}

/// What hooks of this user left for a collector. Returns how many objects are gone.
fn waiting_hooks(settings: &Settings, erased: &Erased, subject: &Subject) -> Result<usize, Failure> {
    let Some(root) = &settings.hook_spools else { return Ok(0) };
    let sessions = erased.sessions.iter().map(|(_, session)| session.clone());
    hooks::erase(root, &sessions.chain(names(subject)).collect()).or_fail()
}

/// What was done, and what only people can do.
fn report(settings: &Settings, erased: &Erased, remnants: &Remnants, waiting: usize) -> String {
    let mut text = String::new();
    for (tenant, session) in &erased.sessions {
        let _ = writeln!(text, "erased     session {session} of {tenant}");
    }
    let _ = writeln!(text, "table      {} rows have left {} files", erased.rows, erased.files);
    if remnants.events > 0 {
        let _ = writeln!(text, "journal    {} events have left the dead letters", remnants.events);
    }
    if waiting > 0 {
        let _ = writeln!(text, "hooks      {waiting} objects no longer wait for a collector");
    }
    let mut left = Vec::new();
    for file in &erased.damaged {
        left.push(format!("{} cannot be read; look at it, or remove it", file.path));
    }
    for path in &remnants.unreadable {
        left.push(format!("{} cannot be read and names it; remove it if it is not needed", path.display()));
    }
    for pipeline in &settings.sessions {
        left.push(format!(
            "the journal in {} keeps accepted requests until its files are written anew; what is in them \
             does not reach the table again",
            pipeline.journal.path.display()
        ));
    }
    left.extend(settings.followers.iter().map(|FollowerSettings { deeplake, .. }| {
        format!(
            "{} removes its rows from {}/{} when it runs next; summaries and skills that others made of them \
             there stay",
            deeplake.name, deeplake.service.org, deeplake.service.workspace
        )
    }));
    left.extend(skills_that_remember(settings, erased));
    left.extend(settings.tables().map(|table| match &table.location {
        Location::Folder(_) => "backups and snapshots of these folders".to_owned(),
        Location::Bucket(bucket) => format!("older object versions and backups of {bucket}"),
    }));
    left.dedup();
    left.push("copies that others made of the table".to_owned());
    let _ = writeln!(text, "\nStill to be looked at:");
    for line in left {
        let _ = writeln!(text, "- {line}");
    }
    text
}

fn skills_that_remember(settings: &Settings, erased: &Erased) -> Vec<String> {
    let mut lines = Vec::new();
    for target in settings.skills.iter().flat_map(|pipeline| &pipeline.targets) {
        match target.load() {
            Ok(library) => {
                let sessions = erased.sessions.iter();
                let names: BTreeSet<String> =
                    sessions.flat_map(|(tenant, session)| library.supported_by(tenant, session)).collect();
                lines.extend(names.iter().map(|name| {
                    format!(
                        "the skill {name} in {target} was learned from it, among others; read it, edit it \
                         or delete it"
                    )
                }));
            }
            // The rows are gone; that must be said whatever a target answers.
            Err(error) => lines.push(format!("{target} cannot be read ({error}); see which skills it has")),
        }
        if let Some(repository) = repository_of(&target.place) {
            lines.push(format!(
                "the git history of {repository} keeps what was published, and so do its clones"
            ));
        }
    }
    lines
}

/// The repository that versions what is published, if one does.
fn repository_of(place: &Place) -> Option<String> {
    match place {
        Place::Git(config) => Some(config.remote.to_string()),
        Place::Filesystem(filesystem::Config { path, .. }) => {
            let repository = path.ancestors().find(|folder| folder.join(".git").exists())?;
            Some(repository.display().to_string())
        }
        Place::Deeplake(_) => None,
    }
}
