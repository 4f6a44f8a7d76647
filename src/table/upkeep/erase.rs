//! Erasure: hides its subject at once and removes it from the files soon after.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use super::replace::{Day, Input, MOST_ATTEMPTS, Outcome};
use super::{TOMBSTONES, Tombstone, UpkeepError};
use crate::event::{SessionEvent, Timestamp, person};
use crate::table::announce::AtWork;
use crate::table::error::ReadError;
use crate::table::file::FileError;
use crate::table::part::{self, Columns, Rows, Test};
use crate::table::query::Gathered;
use crate::table::read::{Listed, Reading, overtaken};
use crate::table::{DamagedFile, Filter, ResolveOptions, Session, Table, resolve};

/// The subject of an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A session by its id, as readers name it.
    Session(String),
    /// A person by the name that is stored, with every session that they appear in. [`Table::names_of`] tells under
    /// which names a person is stored.
    User(String),
}

/// What an erasure did.
#[derive(Debug, Default)]
pub struct Erased {
    /// The sessions that are hidden from now on, as (tenant, session id).
    pub sessions: BTreeSet<(String, String)>,
    /// What hides them.
    pub tombstones: Vec<Tombstone>,
    /// The files that held rows of them and have been replaced.
    pub files: u64,
    /// The rows that have left the files.
    pub rows: u64,
    /// Nothing was found, and an earlier erasure named the subject.
    pub before: bool,
    /// The files that cannot be read, so that nobody can say what they hold.
    pub damaged: Vec<DamagedFile>,
}

/// What there is of a subject.
#[derive(Debug, Default)]
struct Finding {
    /// The sessions, as (tenant, session id).
    sessions: BTreeSet<(String, String)>,
    /// What covers all of their rows.
    tombstones: Vec<Tombstone>,
    /// The files that cannot be read.
    unread: Vec<DamagedFile>,
}

/// How many times the table is searched: rows that arrived during the first search may lead to more.
const MOST_FINDINGS: u32 = 4;

/// What stands behind the id of a tombstone in the name of the file that says that its rows have left the files.
/// Earlier versions said `.done` where they could be wrong; theirs are looked at once more.
const DONE: &str = ".erased";

impl Erased {
    /// Adds what became of another table, or of another part of one.
    pub fn add(&mut self, other: Self) {
        self.sessions.extend(other.sessions);
        self.tombstones.extend(other.tombstones);
        self.files += other.files;
        self.rows += other.rows;
        self.before |= other.before;
        self.damaged.extend(other.damaged);
    }
}

impl Table {
    /// Hides `subject` from readers and writers, then replaces every file that holds a row of it. `tenant`
    /// restricts it to one tenant. Nothing is written if nothing of the subject is found.
    ///
    /// What was begun and not finished, here or elsewhere, is finished as well. When this returns without damaged
    /// files, no file holds a row of it and no writer is about to write one.
    pub async fn erase(
        &self,
        subject: &Subject,
        tenant: Option<&str>,
        now: Timestamp,
    ) -> Result<Erased, UpkeepError> {
        // Rows that another erasure or retention hides already must be found as well.
        let table = Self { with_erased: true, retention: None, ..self.clone() };
        let mut erased = Erased::default();
        let mut damaged = Vec::new();
        for attempt in 1..=MOST_FINDINGS {
            // Later ones look for what was on its way while the earlier ones looked, and not for what a person
            // does from now on.
            let until = (attempt > 1).then_some(now);
            let Finding { sessions, tombstones, unread } = table.find(subject, tenant, now, until).await?;
            damaged = unread;
            let new: Vec<Tombstone> =
                tombstones.into_iter().filter(|found| !found.is_within(&erased.tombstones)).collect();
            if new.is_empty() {
                break;
            }
            for tombstone in &new {
                self.put_tombstone(tombstone).await?;
            }
            erased.sessions.extend(sessions);
            erased.tombstones.extend(new);
            self.others_are_done().await?;
        }
        if erased.tombstones.is_empty() {
            erased.before = self.was_erased(subject, tenant).await?;
        }
        erased.add(self.finish_erasures().await?);
        // Files that were not searched may hold more of the subject, or all of it.
        let is_new =
            |file: &DamagedFile, known: &[DamagedFile]| known.iter().all(|one| one.path != file.path);
        damaged.retain(|file| is_new(file, &erased.damaged));
        erased.damaged.extend(damaged);
        Ok(erased)
    }

    /// The names under which rows of a person are stored that arrived by `until`, those that are erased and not gone
    /// yet included: `written`, and every other way to write the one that [`person`] joins with it.
    ///
    /// It reads four columns of every row that names a person. What files cannot be read, [`Table::erase`] tells.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn names_of(
        &self,
        written: &str,
        tenant: Option<&str>,
        until: Timestamp,
    ) -> Result<BTreeSet<String>, ReadError> {
        let table = Self { with_erased: true, retention: None, ..self.clone() };
        let rows = Some(Rows::default().with("user_id", Test::IsSet));
        let reading = Reading::Part { columns: Columns::People, rows };
        let is_meant = |event: &SessionEvent| {
            tenant.is_none_or(|tenant| event.tenant == tenant)
                && event.ingested_at <= until
                && person::is_same(written, &event.user_id, &event.assistant)
        };
        let mut names = BTreeSet::new();
        let take = |_: &str, events: Vec<SessionEvent>| {
            names.extend(events.into_iter().filter(is_meant).map(|event| event.user_id));
        };
        let _ = table.visit(&Filter::default(), &reading, &BTreeSet::new(), take).await?;
        names.retain(|name| !name.is_empty());
        Ok(names)
    }

    /// Replaces every file that holds rows of a tombstone which is not done.
    pub async fn finish_erasures(&self) -> Result<Erased, UpkeepError> {
        let mut erased = Erased::default();
        let pending = self.pending().await?;
        if pending.is_empty() {
            return Ok(erased);
        }
        let unfinished = self.unfinished_files().await;
        self.others_are_done().await?;
        self.remove_unfinished_files(unfinished).await;
        let rows = pending.iter().fold(Rows::default(), |rows, (_, tombstone)| covered_by(rows, tombstone));
        // Every writer knows the erasure by now, so no file that is created after this listing holds such rows.
        for folder in self.clone().with_retention(None).days(&Filter::default()).await? {
            erased.add(self.erase_in_folder(&folder, &rows).await?);
        }
        for (path, _) in pending.iter().filter(|_| erased.damaged.is_empty()) {
            self.put_document(&done_path(path), Vec::new()).await?;
        }
        Ok(erased)
    }

    /// The tombstones whose rows may still be in files.
    async fn pending(&self) -> Result<Vec<(String, Arc<Tombstone>)>, UpkeepError> {
        let done: BTreeSet<String> = self.names(TOMBSTONES, DONE).await?;
        let tombstones = self.documents(TOMBSTONES, &self.known.tombstones).await?;
        Ok(tombstones.into_iter().filter(|(path, _)| !done.contains(&done_path(path))).collect())
    }

    /// Waits for writers that may not know the erasure yet.
    async fn others_are_done(&self) -> Result<(), UpkeepError> {
        match self.wait_for_writers().await? {
            None => Ok(()),
            Some(AtWork { announcement }) => Err(UpkeepError::AtWork { announcement }),
        }
    }

    /// Whether an earlier erasure named the subject, a person in whichever way.
    async fn was_erased(&self, subject: &Subject, tenant: Option<&str>) -> Result<bool, UpkeepError> {
        let erasures = self.erasures().await?;
        Ok(erasures.iter().filter(|one| tenant.is_none_or(|tenant| one.tenant == tenant)).any(|one| {
            match subject {
                Subject::Session(id) => one.names_session(id),
                Subject::User(user) => one.user_id.as_ref().is_some_and(|id| person::is_same(user, id, "")),
            }
        }))
    }

    pub(super) async fn put_tombstone(&self, tombstone: &Tombstone) -> Result<(), UpkeepError> {
        let path = format!("{TOMBSTONES}/{}.json", tombstone.id);
        let text = serde_json::to_vec(tombstone)
            .map_err(|source| UpkeepError::Encode { path: path.clone(), source })?;
        self.put_document(&path, text).await?;
        Ok(())
    }

    async fn erase_in_folder(&self, folder: &str, rows: &Rows) -> Result<Erased, UpkeepError> {
        for attempt in 1..=MOST_ATTEMPTS {
            let day = self.begin(folder).await?;
            let mut outputs = Vec::new();
            match self.erase_in_day(&day, rows, &mut outputs).await {
                Ok((Outcome::Done, done)) => return Ok(done),
                Ok((Outcome::Lost, _)) => {}
                Err(error) if error.is_overtaken() => self.take_back(&outputs).await?,
                Err(error) => return Err(error),
            }
            overtaken(attempt).await;
        }
        Err(UpkeepError::Contended { folder: folder.to_owned() })
    }

    /// Replaces the files of a day that hold rows which are hidden, each by one without them.
    async fn erase_in_day(
        &self,
        day: &Day,
        rows: &Rows,
        outputs: &mut Vec<String>,
    ) -> Result<(Outcome, Erased), UpkeepError> {
        let mut erased = Erased::default();
        let hidden = self.hidden().await?;
        let mut inputs = Vec::new();
        for listed in &day.live {
            let held = self.holds_any(listed, rows, &hidden).await;
            if !listed.or_damage(held, &mut erased.damaged)?.unwrap_or(false) {
                continue;
            }
            let read = self.read_whole(&listed.location).await;
            let Some((footer, events)) = listed.or_damage(read, &mut erased.damaged)? else { continue };
            let before = events.len() as u64;
            let identity = footer.identity;
            let output = self.write_output(&identity.owner, &identity.ingest_date, events).await?;
            erased.rows += before - output.rows;
            erased.files += 1;
            inputs.push(Input::new(listed.location.as_ref(), &identity));
            outputs.extend(output.path);
        }
        if inputs.is_empty() {
            return Ok((Outcome::Done, erased));
        }
        Ok((self.commit(day, inputs, std::mem::take(outputs)).await?, erased))
    }

    async fn holds_any(
        &self,
        listed: &Listed,
        rows: &Rows,
        hidden: &super::Hidden,
    ) -> Result<bool, FileError> {
        let reader = self.ranges(listed.location.clone(), listed.bytes);
        let (_, events) = part::read(reader, Columns::Keys, Some(rows), None).await?;
        Ok(events.iter().any(|event| hidden.hides(event)))
    }

    /// The sessions that [`Table::erase`] would take, as (tenant, session id).
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sessions_of(
        &self,
        subject: &Subject,
        tenant: Option<&str>,
        now: Timestamp,
    ) -> Result<BTreeSet<(String, String)>, UpkeepError> {
        let table = Self { retention: None, ..self.clone() };
        Ok(table.find(subject, tenant, now, None).await?.sessions)
    }

    /// The sessions of a subject, and what covers all of their rows.
    async fn find(
        &self,
        subject: &Subject,
        tenant: Option<&str>,
        now: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Finding, UpkeepError> {
        // What names nobody is in every row that names nobody.
        let (Subject::Session(name) | Subject::User(name)) = subject;
        if name.is_empty() {
            return Ok(Finding::default());
        }
        let (rows, unread) = self.rows_around(subject).await?;
        let events = rows.events();
        let of_tenant = |session: &&Session| tenant.is_none_or(|tenant| session.tenant == tenant);
        let by_id: BTreeMap<&str, &SessionEvent> =
            events.iter().map(|event| (event.event_id.as_str(), event)).collect();
        let is_of_subject = |session: &&Session| match subject {
            Subject::Session(id) => session.id == *id,
            Subject::User(user) => {
                let ids = session.facts.iter().flat_map(|fact| &fact.event_ids);
                ids.filter_map(|id| by_id.get(id.as_str())).any(|event| {
                    event.user_id == *user && until.is_none_or(|until| event.ingested_at <= until)
                })
            }
        };
        let resolved = resolve(events.clone(), &ResolveOptions { default_workspace: String::new() });
        let found: Vec<&Session> = resolved.iter().filter(of_tenant).filter(is_of_subject).collect();
        let tenants: BTreeSet<&str> = found.iter().map(|session| session.tenant.as_str()).collect();
        let tombstones = tenants.into_iter().map(|tenant| {
            let of_tenant = found.iter().filter(|session| session.tenant == tenant).copied();
            cover(tenant, of_tenant, &events, subject, now)
        });
        let names = found.iter().map(|session| (session.tenant.clone(), session.id.clone()));
        Ok(Finding { sessions: names.collect(), tombstones: tombstones.collect(), unread })
    }

    /// The keys of every row that may belong to a session of the subject, and the files that nobody can read.
    async fn rows_around(&self, subject: &Subject) -> Result<(Gathered, Vec<DamagedFile>), UpkeepError> {
        let one = |value: &str| BTreeSet::from([value.to_owned()]);
        let seed = match subject {
            Subject::User(user) => Rows::default().one_of("user_id", &one(user)),
            Subject::Session(id) => {
                let named = Rows::default().one_of("session_id", &one(id));
                match (id.strip_prefix("trace:"), id.strip_prefix("event:")) {
                    (Some(trace), _) => named.one_of("trace_id", &one(trace)),
                    (None, Some(event)) => named.one_of("event_id", &one(event)),
                    (None, None) => named,
                }
            }
        };
        let filter = Filter::default();
        let mut rows = Gathered::default();
        let unread = self.gather(seed, Columns::Keys, &filter, &mut rows).await?;
        let mut known = (BTreeSet::new(), BTreeSet::new());
        // A session leads to its traces, and a trace to sessions.
        loop {
            let around = (rows.values_of(|event| &event.session_id), rows.values_of(|event| &event.trace_id));
            if around == known {
                return Ok((rows, unread));
            }
            let with_history = rows.events().iter().any(|event| !event.history_after.is_empty());
            let mut wanted = Rows::default().one_of("session_id", &around.0).one_of("trace_id", &around.1);
            if with_history {
                wanted = wanted.with("history_after", Test::IsSet);
            }
            let _ = self.gather(wanted, Columns::Keys, &filter, &mut rows).await?;
            known = around;
        }
    }
}

fn done_path(path: &str) -> String {
    format!("{}{DONE}", path.strip_suffix(".json").unwrap_or(path))
}

/// The rows that a tombstone may cover.
fn covered_by(rows: Rows, tombstone: &Tombstone) -> Rows {
    let user = tombstone.user_id.iter().cloned().collect();
    rows.one_of("session_id", &tombstone.session_ids)
        .one_of("trace_id", &tombstone.trace_ids)
        .one_of("event_id", &tombstone.event_ids)
        .one_of("user_id", &user)
}

/// What covers every row of some sessions of one tenant.
fn cover<'s>(
    tenant: &str,
    sessions: impl Iterator<Item = &'s Session>,
    events: &[SessionEvent],
    subject: &Subject,
    now: Timestamp,
) -> Tombstone {
    let members: BTreeSet<&str> = sessions
        .flat_map(|session| &session.facts)
        .flat_map(|fact| &fact.event_ids)
        .map(String::as_str)
        .collect();
    let is_member = |event: &SessionEvent| members.contains(event.event_id.as_str());
    let of_tenant = || events.iter().filter(|event| event.tenant == tenant);
    let without_id = || of_tenant().filter(|event| event.session_id.is_empty());
    let with_id = of_tenant().filter(|event| is_member(event) && !event.session_id.is_empty());
    let shared: BTreeSet<&str> =
        without_id().filter(|event| !is_member(event)).map(|event| event.trace_id.as_str()).collect();
    // Their traces as well: what arrives later of one may not say whose it is.
    let foreign: BTreeSet<&str> =
        of_tenant().filter(|event| !is_member(event)).map(|event| event.trace_id.as_str()).collect();
    let traces_of_named = of_tenant()
        .filter(|event| is_member(event) && !event.session_id.is_empty())
        .map(|event| &event.trace_id)
        .filter(|trace| !trace.is_empty() && !foreign.contains(trace.as_str()));
    let (whole, alone): (Vec<_>, Vec<_>) = without_id()
        .filter(|event| is_member(event))
        .partition(|event| !event.trace_id.is_empty() && !shared.contains(event.trace_id.as_str()));
    Tombstone {
        id: Uuid::new_v4().simple().to_string(),
        created_at: now.as_micros(),
        tenant: tenant.to_owned(),
        user_id: match subject {
            Subject::User(user) => Some(user.clone()),
            Subject::Session(_) => None,
        },
        session_ids: with_id.map(|event| event.session_id.clone()).collect(),
        trace_ids: whole.into_iter().map(|event| &event.trace_id).chain(traces_of_named).cloned().collect(),
        event_ids: alone.into_iter().map(|event| event.event_id.clone()).collect(),
    }
}
