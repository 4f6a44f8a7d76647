//! Erasure: what is to be forgotten is hidden at once and leaves the files soon after.

use std::collections::{BTreeMap, BTreeSet};

use object_store::path::Path;
use uuid::Uuid;

use super::replace::{Day, Input, MOST_ATTEMPTS, Outcome};
use super::{TOMBSTONES, Tombstone, UpkeepError};
use crate::event::{SessionEvent, Timestamp};
use crate::table::file::FileError;
use crate::table::part::{self, Columns, Rows, Test};
use crate::table::query::Gathered;
use crate::table::read::Listed;
use crate::table::{DamagedFile, Filter, ResolveOptions, Session, Table, resolve};

/// Who or what is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A session by its id, as readers name it.
    Session(String),
    /// A person by the id that clients send, with every session that they appear in.
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
    /// The files that cannot be read, so that nobody can say what they hold.
    pub damaged: Vec<DamagedFile>,
}

impl Erased {
    /// Adds what became of another table.
    pub fn add(&mut self, other: Self) {
        self.sessions.extend(other.sessions);
        self.tombstones.extend(other.tombstones);
        self.files += other.files;
        self.rows += other.rows;
        self.damaged.extend(other.damaged);
    }
}

impl Table {
    /// Hides `subject` from readers and writers, then replaces every file that holds a row of it. `tenant`
    /// restricts it to one tenant. Nothing is written if nothing of the subject is found.
    ///
    /// What was begun and not finished, here or elsewhere, is finished as well.
    pub async fn erase(
        &self,
        subject: &Subject,
        tenant: Option<&str>,
        now: Timestamp,
    ) -> Result<Erased, UpkeepError> {
        let (sessions, tombstones) = self.find(subject, tenant, now).await?;
        for tombstone in &tombstones {
            self.put_tombstone(tombstone).await?;
        }
        let finished = self.finish_erasures().await?;
        Ok(Erased { sessions, tombstones, ..finished })
    }

    /// Replaces every file that holds rows of a tombstone which is not done.
    pub async fn finish_erasures(&self) -> Result<Erased, UpkeepError> {
        let mut erased = Erased::default();
        let mut pending = Vec::new();
        for (path, tombstone) in self.documents(TOMBSTONES, &self.known.tombstones).await? {
            if !self.is_done(&path).await? {
                pending.push((path, tombstone));
            }
        }
        if pending.is_empty() {
            return Ok(erased);
        }
        let rows = pending.iter().fold(Rows::default(), |rows, (_, tombstone)| covered_by(rows, tombstone));
        for folder in self.days(&Filter::default()).await? {
            let done = self.erase_in_folder(&folder, &rows).await?;
            erased.files += done.files;
            erased.rows += done.rows;
            erased.damaged.extend(done.damaged);
        }
        for (path, _) in pending.iter().filter(|_| erased.damaged.is_empty()) {
            self.put_document(&done_path(path), Vec::new()).await?;
        }
        Ok(erased)
    }

    pub(super) async fn put_tombstone(&self, tombstone: &Tombstone) -> Result<(), UpkeepError> {
        let path = format!("{TOMBSTONES}/{}.json", tombstone.id);
        let text = serde_json::to_vec(tombstone)
            .map_err(|source| UpkeepError::Encode { path: path.clone(), source })?;
        self.put_document(&path, text).await?;
        Ok(())
    }

    async fn is_done(&self, path: &str) -> Result<bool, UpkeepError> {
        let path = done_path(path);
        let location = Path::from(path.as_str());
        match object_store::ObjectStoreExt::head(self.store.as_ref(), &location).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(crate::table::ReadError::Fetch { path, source }.into()),
        }
    }

    async fn erase_in_folder(&self, folder: &str, rows: &Rows) -> Result<Erased, UpkeepError> {
        for _ in 0..MOST_ATTEMPTS {
            let day = self.begin(folder).await?;
            if let (Outcome::Done, done) = self.erase_in_day(&day, rows).await? {
                return Ok(done);
            }
        }
        Err(UpkeepError::Contended { folder: folder.to_owned() })
    }

    /// Replaces the files of a day that hold rows which are hidden, each by one without them.
    async fn erase_in_day(&self, day: &Day, rows: &Rows) -> Result<(Outcome, Erased), UpkeepError> {
        let mut erased = Erased::default();
        let hidden = self.hidden().await?;
        let mut inputs = Vec::new();
        let mut outputs = Vec::new();
        for listed in &day.live {
            match self.holds_any(listed, rows, &hidden).await {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => {
                    erased.damaged.push(listed.damage_or_error(error)?);
                    continue;
                }
            }
            let (footer, mut events) = match self.read_whole(&listed.location).await {
                Ok(read) => read,
                Err(error) => {
                    erased.damaged.push(listed.damage_or_error(error)?);
                    continue;
                }
            };
            let before = events.len();
            events.retain(|event| !hidden.hides(event));
            erased.rows += (before - events.len()) as u64;
            erased.files += 1;
            let identity = footer.identity;
            inputs.push(Input::new(listed.location.as_ref(), &identity));
            outputs.extend(self.write_output(&identity.owner, &identity.ingest_date, events).await?);
        }
        if inputs.is_empty() {
            return Ok((Outcome::Done, erased));
        }
        Ok((self.commit(day, inputs, outputs).await?, erased))
    }

    async fn holds_any(
        &self,
        listed: &Listed,
        rows: &Rows,
        hidden: &super::Hidden,
    ) -> Result<bool, FileError> {
        let reader = self.ranges(listed.location.clone(), listed.bytes);
        let (_, events) = part::read(reader, Columns::Keys, Some(rows)).await?;
        Ok(events.iter().any(|event| hidden.hides(event)))
    }

    /// The sessions of a subject, and what covers all of their rows.
    async fn find(
        &self,
        subject: &Subject,
        tenant: Option<&str>,
        now: Timestamp,
    ) -> Result<(BTreeSet<(String, String)>, Vec<Tombstone>), UpkeepError> {
        // What names nobody is in every row that names nobody.
        let (Subject::Session(name) | Subject::User(name)) = subject;
        if name.is_empty() {
            return Ok((BTreeSet::new(), Vec::new()));
        }
        let rows = self.rows_around(subject).await?;
        let events = rows.events();
        let of_tenant = |session: &&Session| tenant.is_none_or(|tenant| session.tenant == tenant);
        let by_id: BTreeMap<&str, &SessionEvent> =
            events.iter().map(|event| (event.event_id.as_str(), event)).collect();
        let is_of_subject = |session: &&Session| match subject {
            Subject::Session(id) => session.id == *id,
            Subject::User(user) => {
                let ids = session.facts.iter().flat_map(|fact| &fact.event_ids);
                ids.filter_map(|id| by_id.get(id.as_str())).any(|event| event.user_id == *user)
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
        Ok((names.collect(), tombstones.collect()))
    }

    /// The keys of every row that may belong to a session of the subject.
    async fn rows_around(&self, subject: &Subject) -> Result<Gathered, UpkeepError> {
        let one = |value: &str| BTreeSet::from([value.to_owned()]);
        let seed = match subject {
            Subject::User(user) => Rows::default().one_of("user_id", &one(user)),
            Subject::Session(id) => match (id.strip_prefix("trace:"), id.strip_prefix("event:")) {
                (Some(trace), _) => Rows::default().one_of("trace_id", &one(trace)),
                (None, Some(event)) => Rows::default().one_of("event_id", &one(event)),
                (None, None) => Rows::default().one_of("session_id", &one(id)),
            },
        };
        let filter = Filter::default();
        let mut rows = Gathered::default();
        let _ = self.gather(seed, Columns::Keys, &filter, &mut rows).await?;
        let mut known = (BTreeSet::new(), BTreeSet::new());
        // A session leads to its traces, and a trace to sessions.
        loop {
            let around = (rows.values_of(|event| &event.session_id), rows.values_of(|event| &event.trace_id));
            if around == known {
                return Ok(rows);
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
    format!("{}.done", path.strip_suffix(".json").unwrap_or(path))
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
        trace_ids: whole.into_iter().map(|event| event.trace_id.clone()).collect(),
        event_ids: alone.into_iter().map(|event| event.event_id.clone()).collect(),
    }
}
