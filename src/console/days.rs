//! What arrived on each day: read once, kept as rows, read again when the day's files change.
//!
//! The table's files lie by the day on which their rows arrived, so a page reads days, the newest first, and no more
//! of them than it shows. A day is read in the background; who waits for it waits a moment and is told what is still
//! being read. What is kept is bounded ([`MOST_BYTES`]); the days that nobody asked for longest go first. Who is known
//! to a day ([`Days::names`]) is kept beside it and stays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use super::readers::Readers;
use crate::config::SessionsTable;
use crate::event::{Timestamp, person};
use crate::library::session_hash;
use crate::service::free_memory::GivingBack;
use crate::skillify::SharedCommands;
use crate::skillify::account::{Account, How};
use crate::table::{
    Cursor, MOST_LISTINGS, OpenError, ReadError, ResolveOptions, Session, Table, overtaken, resolve,
};
use crate::views::feedback::feedback_of;
use crate::views::figures::Figures;
use crate::views::report::of_home;
use crate::views::whole::MOST_HELD;

/// So much is kept of all days, in bytes, about.
const MOST_BYTES: usize = 64 << 20;
/// So many characters of a first prompt are kept: a title is cut from them.
const LONGEST_TITLE: usize = 400;
/// So many characters of a session's prompts are kept to be searched.
const LONGEST_SAID: usize = 4_000;
/// So long a listing of files is believed.
const LISTING_LASTS: Duration = Duration::from_secs(2);
/// A day that takes long is read again that much later.
const REST: u32 = 10;

/// What a session showed on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) tenant: String,
    pub(super) workspace: String,
    pub(super) project: String,
    pub(super) user: String,
    /// Who that is, however clients write it; `""` if nobody is known.
    pub(super) person: String,
    pub(super) assistant: String,
    pub(super) id: String,
    pub(super) started_at: Timestamp,
    pub(super) last_event_at: Timestamp,
    pub(super) ended: bool,
    pub(super) prompts: u32,
    pub(super) calls: u32,
    pub(super) failed: u32,
    pub(super) refused: u32,
    pub(super) stopped: u32,
    pub(super) corrected: u32,
    pub(super) errors: u32,
    pub(super) tokens: i64,
    /// The beginning of people's messages, lower-case.
    pub(super) said: String,
    /// Failures and complaints, a line each: `troubles.rs`.
    pub(super) troubles: String,
    /// How its first prompt begins, as it stands: a page shows less of it.
    pub(super) title: String,
    /// Feedback of people or their tools; `""` if there is none.
    pub(super) feedback: String,
    /// What published files call it: [`session_hash`].
    pub(super) hash: String,
    /// So many rows of the day are in none of this, as the session has too many.
    pub(super) left_out: usize,
}

/// Who is known to each day.
pub(super) type Names = Arc<BTreeSet<String>>;

/// A day, as far as it is known.
#[derive(Debug, Clone)]
pub(super) enum Day {
    /// What arrived on it, the newest session first.
    Read(Arc<[Row]>),
    /// It is being read.
    Pending,
}

/// See the module. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Days(Arc<Inner>);

struct Inner {
    table: SessionsTable,
    /// Where days are read.
    readers: Readers,
    state: Mutex<State>,
    /// One day is read at a time: pages are not worth holding up those who send.
    turn: Semaphore,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    opened: Option<Table>,
    listed: Option<(Instant, BTreeMap<String, u64>)>,
    known: BTreeMap<String, Known>,
    /// By day: who is known to it, and the version of the day that was read.
    names: BTreeMap<String, (u64, Names)>,
    is_gathering: bool,
    reading: BTreeSet<String>,
    /// Why the last reading failed.
    failing: Option<String>,
}

struct Known {
    version: u64,
    rows: Arc<[Row]>,
    bytes: usize,
    read_at: Instant,
    took: Duration,
    asked_at: Instant,
}

/// Why days cannot be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum DaysError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Days {
    pub(super) fn of(table: SessionsTable, readers: Readers) -> Self {
        Self(Arc::new(Inner {
            table,
            readers,
            state: Mutex::default(),
            turn: Semaphore::new(1),
            changed: watch::Sender::new(0),
        }))
    }

    /// The table, if there is one yet.
    pub(super) async fn table(&self) -> Result<Option<Table>, OpenError> {
        if let Some(table) = self.0.lock(|state| state.opened.clone()) {
            return Ok(Some(table));
        }
        match Table::connect_read_only(&self.0.table.location).await {
            Ok(table) => {
                let table = table.with_retention(self.0.table.retention);
                self.0.lock(|state| state.opened = Some(table.clone()));
                Ok(Some(table))
            }
            Err(OpenError::NoTable { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn options(&self) -> ResolveOptions {
        ResolveOptions { default_workspace: self.0.table.default_workspace.clone() }
    }

    /// The days on which something arrived, the newest first.
    pub(super) async fn dates(&self) -> Result<Vec<String>, DaysError> {
        Ok(self.versions().await?.into_keys().rev().collect())
    }

    async fn versions(&self) -> Result<BTreeMap<String, u64>, DaysError> {
        let known = self.0.lock(|state| state.listed.clone());
        if let Some((at, versions)) = known
            && at.elapsed() < LISTING_LASTS
            // Whoever waits for the first session need not wait for this as well.
            && !versions.is_empty()
        {
            return Ok(versions);
        }
        let Some(table) = self.table().await? else { return Ok(BTreeMap::new()) };
        let versions = table.standing(&Cursor::default()).await?.days();
        self.0.lock(|state| {
            state.known.retain(|date, _| versions.contains_key(date));
            state.names.retain(|date, _| versions.contains_key(date));
            state.listed = Some((Instant::now(), versions.clone()));
        });
        Ok(versions)
    }

    /// A day, or that it is still being read after so long.
    pub(super) async fn day(&self, date: &str, until: Instant) -> Result<Day, DaysError> {
        let versions = self.versions().await?;
        let Some(version) = versions.get(date).copied() else { return Ok(Day::Read(Arc::default())) };
        let mut changed = self.0.changed.subscribe();
        let mut waited = false;
        loop {
            let (rows, is_fresh) = self.0.lock(|state| state.rows(date, version));
            if !is_fresh {
                self.begin(date.to_owned(), version);
            }
            if let Some(rows) = rows {
                return Ok(Day::Read(rows));
            }
            if waited && self.failing().is_some() {
                return Ok(Day::Pending);
            }
            waited = true;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || tokio::time::timeout(left, changed.changed()).await.is_err() {
                return Ok(Day::Pending);
            }
        }
    }

    /// Who is known to the table: logins, addresses and full names, of each day those of its last reading, and a
    /// number that grows with each reading. `None` if a day was not read yet after so long: all are, in the background.
    pub(super) async fn names(&self, until: Instant) -> Result<Option<(u64, Vec<Names>)>, DaysError> {
        let versions = self.versions().await?;
        let mut changed = self.0.changed.subscribe();
        loop {
            let (known, is_whole, is_fresh) = self.0.lock(|state| {
                let of = |date: &String| state.names.get(date);
                let known: Vec<Names> =
                    versions.keys().filter_map(of).map(|(_, names)| Arc::clone(names)).collect();
                let is_fresh =
                    versions.iter().all(|(date, now)| of(date).is_some_and(|(then, _)| then == now));
                (known, versions.keys().all(|date| state.names.contains_key(date)), is_fresh)
            });
            if !is_fresh {
                self.gather(&versions);
            }
            let stamp = *changed.borrow_and_update();
            if is_whole {
                return Ok(Some((stamp, known)));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || tokio::time::timeout(left, changed.changed()).await.is_err() {
                return Ok(None);
            }
        }
    }

    /// Reads the days of which nobody is known yet, one after the other, unless that is under way. Pages that wait for
    /// a day get their turn in between.
    fn gather(&self, versions: &BTreeMap<String, u64>) {
        if self.0.lock(|state| std::mem::replace(&mut state.is_gathering, true)) {
            return;
        }
        let (days, versions) = (self.clone(), versions.clone());
        self.0.readers.spawn(async move {
            // The newest last: those that pages show most are the last that go.
            for (date, version) in versions {
                let is_known =
                    days.0.lock(|state| state.names.get(&date).is_some_and(|(then, _)| *then == version));
                if !is_known && days.0.lock(|state| state.reading.insert(date.clone())) {
                    days.read_in_turn(date, version).await;
                }
            }
            days.0.lock(|state| state.is_gathering = false);
        });
    }

    /// What is known of a day, as it is now; nothing is read.
    pub(super) fn known(&self, date: &str) -> Option<Arc<[Row]>> {
        self.0.lock(|state| Some(Arc::clone(&state.known.get(date)?.rows)))
    }

    /// The days that are in memory.
    pub(super) fn in_memory(&self) -> Vec<Arc<[Row]>> {
        self.0.lock(|state| state.known.values().map(|known| Arc::clone(&known.rows)).collect())
    }

    /// Why the last reading of a day failed, if it did.
    pub(super) fn failing(&self) -> Option<String> {
        self.0.lock(|state| state.failing.clone())
    }

    /// Reads the day in the background, unless that is under way.
    fn begin(&self, date: String, version: u64) {
        if !self.0.lock(|state| state.reading.insert(date.clone())) {
            return;
        }
        let days = self.clone();
        self.0.readers.spawn(async move { days.read_in_turn(date, version).await });
    }

    async fn read_in_turn(&self, date: String, version: u64) {
        let turn = self.0.turn.acquire().await;
        let began = Instant::now();
        let read = self.read(&date).await;
        drop(turn);
        self.0.lock(|state| state.put(&date, version, read, began));
        self.0.changed.send_modify(|times| *times += 1);
    }

    /// Off the threads that answer: to resolve a day is work.
    async fn read(&self, date: &str) -> Result<OfDay, String> {
        let Some(table) = self.table().await.map_err(|error| error.to_string())? else {
            return Ok(OfDay::default());
        };
        let (options, date) = (self.options(), date.to_owned());
        let read = self.0.readers.read(move || rows_of(table, options, date)).await?;
        read.map_err(|error| error.to_string())
    }
}

impl Inner {
    fn lock<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// What is known of a day, and whether it is as it is now, or was read a moment ago.
    fn rows(&mut self, date: &str, version: u64) -> (Option<Arc<[Row]>>, bool) {
        let Some(known) = self.known.get_mut(date) else { return (None, false) };
        known.asked_at = Instant::now();
        let is_recent = known.read_at.elapsed() < known.took * REST;
        (Some(Arc::clone(&known.rows)), known.version == version || is_recent)
    }

    fn put(&mut self, date: &str, version: u64, read: Result<OfDay, String>, began: Instant) {
        self.reading.remove(date);
        let OfDay { rows, names } = match read {
            Ok(read) => read,
            Err(error) => {
                self.failing = Some(error);
                return;
            }
        };
        self.failing = None;
        self.names.insert(date.to_owned(), (version, Arc::new(names)));
        let now = Instant::now();
        let bytes = rows.iter().map(Row::bytes).sum();
        let took = now.duration_since(began);
        let known = Known { version, rows: rows.into(), bytes, read_at: now, took, asked_at: now };
        self.known.insert(date.to_owned(), known);
        while self.known.values().map(|known| known.bytes).sum::<usize>() > MOST_BYTES && self.known.len() > 1
        {
            let oldest = self.known.iter().min_by_key(|(_, known)| known.asked_at);
            let Some(date) = oldest.map(|(date, _)| date.clone()) else { break };
            self.known.remove(&date);
        }
    }
}

/// What is read of a day.
#[derive(Default)]
struct OfDay {
    rows: Vec<Row>,
    names: BTreeSet<String>,
}

/// What arrived on a day, session by session, and who is known to it; anew if upkeep replaces a file before it is read.
async fn rows_of(table: Table, options: ResolveOptions, date: String) -> Result<OfDay, ReadError> {
    for attempt in 1..MOST_LISTINGS {
        match read_day(&table, &options, &date).await {
            Err(error) if error.is_overtaken() => overtaken(attempt).await,
            done => return done,
        }
    }
    read_day(&table, &options, &date).await
}

async fn read_day(table: &Table, options: &ResolveOptions, date: &str) -> Result<OfDay, ReadError> {
    let standing = table.standing(&Cursor::default()).await?.on(date);
    let mut groups = table.new_groups(standing, &[], &BTreeSet::new()).await?.within(MOST_HELD);
    let (mut commands, mut memory) = (SharedCommands::default(), GivingBack::default());
    let mut day = OfDay::default();
    while let Some(complete) = groups.next().await? {
        memory.go_on();
        (_, commands) = commands.within(|| {
            for group in complete {
                let left_out = group.left_out;
                for session in resolve(group.events, options) {
                    day.names.extend(names_of(&session));
                    day.rows.push(Row { left_out, ..Row::of(&session) });
                }
            }
        });
    }
    day.rows.sort_by(|a, b| (b.started_at, &a.id, &a.tenant).cmp(&(a.started_at, &b.id, &b.tenant)));
    Ok(day)
}

/// Attributes in which clients name people.
const NAMING: [&str; 8] = [
    "enduser.id",
    "enduser.name",
    "user.email",
    "user.full_name",
    "user.login",
    "user.name",
    "user_email",
    "user_name",
];

/// The people of a session: those whom its events name, and the owner of its home folder.
pub(super) fn names_of(session: &Session) -> BTreeSet<String> {
    let mut names = BTreeSet::from([session.user_id.clone()]);
    for event in session.facts.iter().map(|fact| &fact.event) {
        for name in NAMING {
            let named =
                event.attributes.get(name).and_then(serde_json::Value::as_str).and_then(person::named);
            names.extend(named);
        }
        if !event.user_id.is_empty() && !names.contains(&event.user_id) {
            names.insert(event.user_id.clone());
        }
        names.extend(of_home(&event.cwd).map(str::to_lowercase));
    }
    names.remove("");
    names
}

impl Row {
    fn of(session: &Session) -> Self {
        let figures = Figures::of(session);
        let account = Account::of(session);
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let objected =
            |wanted: &[How]| count(account.objections.iter().filter(|one| wanted.contains(&one.how)).count());
        let prompts =
            || session.turns().filter_map(|turn| turn.prompt()).map(|prompt| prompt.event.text.as_str());
        let mut said = String::new();
        for prompt in prompts() {
            if said.len() >= LONGEST_SAID {
                break;
            }
            said.extend(prompt.chars().take(LONGEST_SAID).flat_map(char::to_lowercase));
            said.push('\n');
        }
        // The text's real size is what the memory bound counts.
        said.shrink_to_fit();
        Self {
            tenant: session.tenant.clone(),
            workspace: session.workspace.clone(),
            project: session.project.clone(),
            user: session.user_id.clone(),
            person: person::joined(&session.user_id, &session.assistant),
            assistant: session.assistant.clone(),
            id: session.id.clone(),
            started_at: session.started_at,
            last_event_at: session.last_event_at,
            ended: session.ended,
            prompts: count(figures.prompts),
            calls: count(figures.calls),
            failed: count(figures.failed),
            refused: objected(&[How::Refused, How::RefusedWithWords]),
            stopped: objected(&[How::Stopped]),
            corrected: objected(&[How::Corrected]),
            errors: count(figures.errors),
            tokens: figures.tokens().all(),
            troubles: super::troubles::troubles_of(&account),
            said,
            title: prompts()
                .next()
                .map(|prompt| {
                    let title: String = prompt.trim().chars().take(LONGEST_TITLE).collect();
                    title.into_boxed_str().into_string()
                })
                .unwrap_or_default(),
            feedback: feedback_of(session).into_boxed_str().into_string(),
            hash: session_hash(&session.tenant, &session.id),
            left_out: 0,
        }
    }

    fn bytes(&self) -> usize {
        let texts = [&self.tenant, &self.workspace, &self.project, &self.user, &self.person, &self.assistant];
        let texts = texts.into_iter().chain([
            &self.id,
            &self.said,
            &self.troubles,
            &self.title,
            &self.feedback,
            &self.hash,
        ]);
        size_of::<Self>() + texts.map(String::capacity).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_kept_within_their_bytes_and_those_asked_for_last_stay() {
        let mut state = State::default();
        let row = |number: usize| Row { id: number.to_string(), said: "x".repeat(4_000), ..Row::default() };
        for day in 10..50 {
            let read = OfDay { rows: (0..1_000).map(row).collect(), names: BTreeSet::new() };
            state.put(&format!("2026-10-{day}"), 1, Ok(read), Instant::now());
        }
        let kept = state.known.values().flat_map(|known| known.rows.iter());
        let bytes: usize = kept.map(|row| size_of::<Row>() + row.said.capacity() + row.id.capacity()).sum();
        assert!(bytes <= MOST_BYTES, "{bytes} bytes are kept");
        assert!(state.known.len() > 10, "{} days are kept", state.known.len());
        assert!(state.known.contains_key("2026-10-49") && !state.known.contains_key("2026-10-10"));
    }
}
