//! `skillspan erase`: forget a session or a person, and say what else may remember.

mod asking;
mod places;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use anyhow::anyhow;
use clap::Args;

use crate::config::{FollowerSettings, Settings};
use crate::event::{SessionEvent, Timestamp, bounded_id, person, visible_line};
use crate::exporters::filesystem;
use crate::exporters::target::TargetKind;
use crate::journal::{self, Remnants};
use crate::receivers::hooks;
use crate::service::{ErasedSubject, QueueErasure, digests, unowned_queues};
use crate::table::upkeep::{Erased, Subject, Tombstone};
use crate::table::{Location, Table};

use super::columns::counted;
use super::{ConfigFile, Failure, OrFail, block_on, print, reader};
use asking::{Preview, is_somebody_there, nothing_found};
use places::{Journals, followers_are_done};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    subject: SubjectArguments,
    /// Only of this tenant; needed if several share the table
    #[arg(long, value_name = "NAME", value_parser = name)]
    tenant: Option<String>,
    /// Say which sessions would be erased, and erase nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask on a terminal
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct SubjectArguments {
    /// The session with this id
    #[arg(long, value_name = "ID", value_parser = name)]
    session: Option<String>,
    /// This person, under every spelling that counts as the same person, and every session they appear in
    #[arg(long, value_name = "ID", value_parser = name)]
    user: Option<String>,
}

/// A variable of a shell that is not set must not name everything that has no name.
fn name(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("it names nothing") } else { Ok(text.to_owned()) }
}

impl SubjectArguments {
    fn subject(&self) -> Option<Subject> {
        let stored = |id: &String| bounded_id(id).unwrap_or_else(|| id.clone());
        let session = self.session.as_ref().map(stored).map(Subject::Session);
        session.or_else(|| self.user.clone().map(Subject::User))
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Outcome { report, left } = block_on(erase(arguments))?;
    print(&report)?;
    if left.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(anyhow!(
        "it is hidden but not erased everywhere yet; it is still in:{}",
        list(&left)
    )))
}

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n- {line}")).collect()
}

/// The tombstones of each table, by the table's id.
type Tombstones = BTreeMap<String, Vec<Tombstone>>;

/// What an erasure says.
struct Outcome {
    report: String,
    /// Places that may still hold some of it, and what to do there.
    left: Vec<String>,
}

async fn erase(arguments: &Arguments) -> Result<Outcome, Failure> {
    let settings = arguments.config.load()?;
    let now = Timestamp::now();
    let subject = arguments.subject.subject().ok_or_else(|| anyhow!("name a session or a user"));
    let subject = subject.map_err(Failure::Usage)?;
    // What the journal holds is in the table before it is looked for there.
    let journals = Journals::flushed(&settings).await?;
    if arguments.tenant.is_none() {
        refuse_several_tenants(&settings).await?;
    }
    if arguments.dry_run || (!arguments.yes && is_somebody_there()) {
        let preview = Preview::of(&settings, &subject, arguments.tenant.as_deref(), now).await?;
        if arguments.dry_run {
            return Ok(Outcome { report: preview.text(), left: Vec::new() });
        }
        if !preview.is_agreed()? {
            return Ok(Outcome { report: "Nothing was erased.\n".to_owned(), left: Vec::new() });
        }
    }
    let mut erased = Erased::default();
    // Of an earlier erasure something may still be left.
    let mut tombstones: Tombstones = BTreeMap::new();
    let mut names = names_as_typed(&subject);
    for settings in settings.tables() {
        let table = reader::open_for_upkeep(settings).await?;
        let wanted = Wanted { subject: &subject, tenant: arguments.tenant.as_deref(), now };
        erased.add(wanted.erase_from(&table, &mut names).await?);
        tombstones.insert(settings.id.clone(), table.tombstones().await.or_fail()?);
    }
    // From here on nothing of it is stored again. The places are searched in the order in which records pass
    // through them, so a record on its way is found in the next place.
    let waiting = waiting_hooks(&settings, &erased, &subject, &names)?;
    let QueueErasure { bodies, mut left } =
        journals.forget(&settings, &tombstones, &in_queues(arguments, &subject, &names, now)).await;
    left.extend(
        unowned_queues(&settings).into_iter().map(|path| {
            format!("{}, the queue of no exporter, may hold it: remove the folder", path.display())
        }),
    );
    let remnants = dead_letters(&settings, &tombstones, arguments, &subject, &names, now)?;
    forget_digests(&settings)?;
    left.extend(followers_are_done(&settings, &tombstones).await);
    left.extend(erased.damaged.iter().map(|file| {
        format!("{} cannot be read, so nobody can say what it holds; look at it, or remove it", file.path)
    }));
    left.extend(remnants.unreadable.iter().map(|path| {
        format!("{} cannot be read and names it; remove it if it is not needed", path.display())
    }));
    reader::warn_of_damage(&erased.damaged);
    if erased.sessions.is_empty() && !erased.before && remnants.events == 0 && waiting == 0 && bodies == 0 {
        let nothing = nothing_found(&settings, &subject).await;
        return Err(Failure::Failed(match left.is_empty() {
            true => nothing,
            false => anyhow!("{nothing}; nobody could look into all of it:{}", list(&left)),
        }));
    }
    let report = report(&settings, &erased, &names, &remnants, Waiting { hooks: waiting, bodies });
    Ok(Outcome { report, left })
}

/// What is to be erased from each table.
struct Wanted<'a> {
    subject: &'a Subject,
    tenant: Option<&'a str>,
    now: Timestamp,
}

/// How often names of a person are looked for: what was on its way the first time may bear another.
const MOST_LOOKS: u32 = 4;

impl Wanted<'_> {
    /// Erases from one table what is stored under any of the names, and adds to them those that it finds there.
    async fn erase_from(&self, table: &Table, names: &mut BTreeSet<String>) -> Result<Erased, Failure> {
        let Subject::User(typed) = self.subject else {
            return table.erase(self.subject, self.tenant, self.now).await.or_fail();
        };
        let mut erased = Erased::default();
        let mut done = BTreeSet::new();
        for _ in 0..MOST_LOOKS {
            names.extend(table.names_of(typed, self.tenant, self.now).await.or_fail()?);
            let new: Vec<String> = names.difference(&done).cloned().collect();
            if new.is_empty() {
                break;
            }
            for name in new {
                let subject = Subject::User(name.clone());
                erased.add(table.erase(&subject, self.tenant, self.now).await.or_fail()?);
                done.insert(name);
            }
        }
        Ok(erased)
    }
}

/// A person as typed, which is how an older version stored the name, and as this version stores it; a session's id.
fn names_as_typed(subject: &Subject) -> BTreeSet<String> {
    match subject {
        Subject::User(user) => std::iter::once(user.clone()).chain(person::named(user)).collect(),
        Subject::Session(id) => BTreeSet::from([id.clone()]),
    }
}

/// Two tenants may have a session of one id, or a person of one name: neither may take the other's away.
async fn refuse_several_tenants(settings: &Settings) -> Result<(), Failure> {
    for chosen in settings.tables() {
        let table = reader::open_for_upkeep(chosen).await?;
        if table.has_several_tenants().await.or_fail()? {
            return Err(Failure::Usage(anyhow!(
                "{} holds the sessions of several tenants: say whose are meant with --tenant",
                chosen.location
            )));
        }
    }
    Ok(())
}

/// Digests hold command lines; they are made anew without what is erased.
fn forget_digests(settings: &Settings) -> Result<(), Failure> {
    for folder in settings.skills.iter().filter_map(|pipeline| pipeline.digests.as_ref()) {
        digests::forget(folder).or_fail()?;
    }
    Ok(())
}

fn dead_letters(
    settings: &Settings,
    tombstones: &Tombstones,
    arguments: &Arguments,
    subject: &Subject,
    names: &BTreeSet<String>,
    now: Timestamp,
) -> Result<Remnants, Failure> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // Some of it may never have come to a table.
    let is_of_subject = |event: &SessionEvent| {
        arguments.tenant.as_ref().is_none_or(|tenant| *tenant == event.tenant)
            && match subject {
                Subject::Session(id) => event.session_id == *id,
                Subject::User(user) => {
                    let is_named = names.contains(&event.user_id.as_str());
                    (is_named || person::is_same(user, &event.user_id, &event.assistant))
                        && event.ingested_at <= now
                }
            }
    };
    let mut remnants = Remnants::default();
    for pipeline in &settings.sessions {
        let of_table = tombstones.get(&pipeline.table.id).map(Vec::as_slice).unwrap_or_default();
        let covers = |event: &SessionEvent| {
            is_of_subject(event) || of_table.iter().any(|tombstone| tombstone.covers(event))
        };
        let found = journal::erase_dead_letters(&pipeline.journal.path, covers, &names).or_fail()?;
        remnants.events += found.events;
        remnants.unreadable.extend(found.unreadable);
    }
    Ok(remnants)
}

/// What hooks of this user left for a collector. Returns how many objects are gone.
fn waiting_hooks(
    settings: &Settings,
    erased: &Erased,
    subject: &Subject,
    names: &BTreeSet<String>,
) -> Result<usize, Failure> {
    let Some(root) = &settings.hook_spools else { return Ok(0) };
    let sessions = erased.sessions.iter().map(|(_, session)| session.clone());
    let person = match subject {
        Subject::User(user) => Some(user.as_str()),
        Subject::Session(_) => None,
    };
    hooks::erase(root, &sessions.chain(names.iter().cloned()).collect(), person).or_fail()
}

/// What waited, and does no longer.
struct Waiting {
    hooks: usize,
    bodies: u64,
}

/// Who is erased, for the queues of other backends.
fn in_queues(
    arguments: &Arguments,
    subject: &Subject,
    names: &BTreeSet<String>,
    now: Timestamp,
) -> ErasedSubject {
    let (session, people) = match subject {
        Subject::Session(id) => (Some(id.clone()), Vec::new()),
        Subject::User(_) => (None, names.iter().cloned().collect()),
    };
    ErasedSubject { session, people, tenant: arguments.tenant.clone(), at: now.as_micros() }
}

/// What was erased, and what remains for people to do.
fn report(
    settings: &Settings,
    erased: &Erased,
    names: &BTreeSet<String>,
    remnants: &Remnants,
    waiting: Waiting,
) -> String {
    let mut text = String::new();
    // The user must see that the name covers others too.
    if names.len() > 1 {
        let names: Vec<Cow<'_, str>> = names.iter().map(|name| visible_line(name)).collect();
        let _ = writeln!(text, "names      {}", names.join(", "));
    }
    for (tenant, session) in &erased.sessions {
        let _ = writeln!(text, "erased     session {} of {}", visible_line(session), visible_line(tenant));
    }
    if erased.before && erased.sessions.is_empty() {
        let _ = writeln!(text, "erased     before, and nothing of it is left in the table");
    }
    let (rows, files) = (counted(erased.rows, "row"), counted(erased.files, "file"));
    let _ = writeln!(text, "table      {rows} left {files}");
    if remnants.events > 0 {
        let _ = writeln!(text, "journal    {} left the dead letters", counted(remnants.events, "event"));
    }
    if waiting.hooks > 0 {
        let objects = counted(waiting.hooks, "object");
        let _ = writeln!(text, "hooks      {objects} left the spool and will not be sent");
    }
    if waiting.bodies > 0 {
        let requests = counted(waiting.bodies, "request");
        let _ = writeln!(text, "forward    it left {requests} that wait for a backend");
    }
    let mut left = vec![
        "the journals of other replicas; each takes its own away with its next upkeep, within an hour"
            .to_owned(),
    ];
    left.extend(settings.followers.iter().map(|FollowerSettings { deeplake, .. }| {
        format!(
            "summaries and skills that others made of its rows in {}/{}",
            deeplake.service.org, deeplake.service.workspace
        )
    }));
    left.extend(settings.forwards.iter().map(|forward| {
        format!("what {} was sent before: erase it at {}", forward.otlp.name, forward.otlp.endpoint)
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
        let _ = writeln!(text, "- {}", visible_line(&line));
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
fn repository_of(place: &TargetKind) -> Option<String> {
    match place {
        TargetKind::Git(config) => Some(config.remote.to_string()),
        TargetKind::Filesystem(filesystem::Config { path, .. }) => {
            let repository = path.ancestors().find(|folder| folder.join(".git").exists())?;
            Some(repository.display().to_string())
        }
        TargetKind::Deeplake(_) => None,
    }
}
