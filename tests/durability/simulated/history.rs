//! Random histories: appends, exports, failing syncs, a full disk, damage, killed processes, power
//! losses. In the end everything that was acknowledged is in the table, once and as it was sent, or
//! where it belongs instead.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use skillspan::event::{EventBatch, Owner, SessionEvent, Timestamp, encode_batch};
use skillspan::exporters::parquet::{Config, ParquetExporter};
use skillspan::journal::{self, Durability, Journal, ReadError};
use skillspan::table::{Filter, Table};
use tokio_util::sync::CancellationToken;

use super::disk::SimulatedDisk;
use super::random::Random;
use super::store::SimulatedStore;

const JOURNAL: &str = "/data/replica/journal";
const TABLE: &str = "/data/sessions";
const LIVES: usize = 4;

/// What clients and operators know, outside of the process.
pub(super) struct World {
    pub(super) disk: SimulatedDisk,
    pub(super) random: Random,
    /// Text by event id, of everything that was sent.
    sent: BTreeMap<String, String>,
    /// Sequence by event id.
    acknowledged: BTreeMap<String, u64>,
    /// Payload by sequence, acknowledged and no event batch.
    undecodable: BTreeMap<u64, Vec<u8>>,
    /// What readers were shown and nobody has exported.
    shown: BTreeMap<u64, Vec<u8>>,
    cursor: u64,
    /// The journal's.
    id: Option<String>,
    /// A sync failed since the power was last off: what was not acknowledged may be shown and go.
    sync_failed: bool,
    /// Texts that were damaged in the journal, up to the damage.
    damaged: Vec<String>,
}

/// Runs a history; the error says what was lost or altered.
pub(crate) fn run(disk: SimulatedDisk, seed: u64) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut world = World::new(disk, seed);
    runtime.block_on(world.run())
}

impl World {
    pub(super) fn new(disk: SimulatedDisk, seed: u64) -> Self {
        Self {
            disk,
            random: Random::new(seed),
            sent: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            undecodable: BTreeMap::new(),
            shown: BTreeMap::new(),
            cursor: 0,
            id: None,
            sync_failed: false,
            damaged: Vec::new(),
        }
    }

    async fn run(&mut self) -> Result<(), String> {
        for life in 0..LIVES {
            // Also in the middle of opening.
            if self.random.chance(1, 3) {
                self.disk.lose_power_after(self.random.below(60));
            }
            match self.life().await {
                Err(error) if self.disk.is_on() => return Err(format!("life {life}: {error}")),
                _ => self.end()?,
            }
        }
        self.finish().await
    }

    /// The process or the power goes.
    fn end(&mut self) -> Result<(), String> {
        if self.random.chance(1, 3) {
            self.disk = self.disk.kill();
            if self.random.chance(1, 2) {
                self.damage_at_rest()?;
            }
        } else {
            self.lose_power();
        }
        Ok(())
    }

    pub(super) fn lose_power(&mut self) {
        self.disk = self.disk.power_loss(&mut self.random);
        self.sync_failed = false;
    }

    /// Damages a record that nobody has exported, while no process runs.
    pub(super) fn damage_at_rest(&mut self) -> Result<(), String> {
        self.disk = self.disk.kill();
        // What is there is known only from reading it.
        drop(self.open()?);
        self.disk = self.disk.kill();
        self.damage();
        Ok(())
    }

    /// As an administrator's mistake puts it there: the segment of another journal.
    pub(super) fn plant_a_foreign_segment(&mut self) {
        let text = "of another journal".to_owned();
        self.disk.plant(&Path::new(JOURNAL).join("00000000000000009999.segment"), text.as_bytes());
        self.damaged.push(text);
    }

    /// Exports until the power fails, or to the end.
    pub(super) async fn export_or_power_loss(&mut self, journal: &Journal) -> Result<(), String> {
        match self.export(journal, true).await {
            Err(error) if self.disk.is_on() => Err(error),
            _ => {
                if self.disk.is_on() {
                    self.cursor = journal.cursor();
                }
                Ok(())
            }
        }
    }

    pub(super) fn open(&mut self) -> Result<Journal, String> {
        let config = journal::Config {
            path: JOURNAL.into(),
            max_size: 64 << 10,
            segment_size: 8 << 10,
            durability: Durability::Fsync,
        };
        let journal =
            Journal::open_on(config, Arc::new(self.disk.clone())).map_err(|error| error.to_string())?;
        if !self.disk.is_on() {
            return Err("the power is off".to_owned());
        }
        let id = self.id.get_or_insert_with(|| journal.id().to_owned());
        if id != journal.id() {
            return Err(format!("the journal {id} has become {}", journal.id()));
        }
        let found = read(&journal).map_err(|error| error.to_string())?;
        if journal.cursor() < self.cursor {
            return Err(format!("the cursor went from {} back to {}", self.cursor, journal.cursor()));
        }
        self.cursor = journal.cursor();
        for (sequence, payload) in self.shown.range(self.cursor..) {
            if found.get(sequence) != Some(payload) {
                return Err(format!("record {sequence} was shown to readers and is gone"));
            }
        }
        self.shown = found;
        if self.sync_failed {
            let promised: BTreeSet<&u64> =
                self.acknowledged.values().chain(self.undecodable.keys()).collect();
            self.shown.retain(|sequence, _| promised.contains(sequence));
        }
        Ok(journal)
    }

    async fn life(&mut self) -> Result<(), String> {
        let journal = self.open()?;
        for _ in 0..2 + self.random.below(5) {
            match self.random.below(10) {
                0..=3 => self.append(&journal).await,
                4 => self.append_undecodable(&journal).await,
                5 | 6 => self.export(&journal, true).await?,
                7 => {
                    self.sync_failed = true;
                    self.disk.fail_syncs(1);
                    self.append(&journal).await;
                    self.disk.fail_syncs(0);
                }
                8 => {
                    // Killed between a write and its sync, and opened again: what is shown then must stay.
                    self.disk.lose_power_after(1 + self.random.below(2));
                    self.append(&journal).await;
                    self.disk = self.disk.kill();
                    return self.open().map(drop);
                }
                _ => {
                    self.disk.limit(Some(self.random.below(3000)));
                    self.append(&journal).await;
                    self.export(&journal, false).await?;
                    self.disk.limit(None);
                }
            }
            self.cursor = journal.cursor();
            if self.random.chance(1, 8) {
                self.disk.lose_power_after(self.random.below(50));
            } else if self.random.chance(1, 6) {
                self.disk.lose_power_after_renames(1 + self.random.below(8));
            }
        }
        Ok(())
    }

    pub(super) async fn append(&mut self, journal: &Journal) {
        let requests: Vec<(String, String)> = (0..1 + self.random.below(5)).map(|_| self.request()).collect();
        let appends = requests.iter().map(|(id, text)| journal.append(payload(id, text)));
        for ((id, _), appended) in requests.iter().zip(join_all(appends).await) {
            if let Ok(sequence) = appended {
                self.acknowledged.insert(id.clone(), sequence);
            }
        }
    }

    /// A record that takes most of a segment.
    pub(super) async fn append_large(&mut self, journal: &Journal) {
        let (id, text) = self.request_of(700);
        if let Ok(sequence) = journal.append(payload(&id, &text)).await {
            self.acknowledged.insert(id, sequence);
        }
    }

    /// An event with a text of up to a few sectors.
    fn request(&mut self) -> (String, String) {
        let words = 1 + self.random.below(200);
        self.request_of(words)
    }

    /// An event that is found again by its id.
    fn request_of(&mut self, words: usize) -> (String, String) {
        let number = self.sent.len();
        let id = format!("event-{number}");
        let text = format!("text {number} ").repeat(words);
        self.sent.insert(id.clone(), text.clone());
        (id, text)
    }

    pub(super) async fn append_undecodable(&mut self, journal: &Journal) {
        let payload = vec![0xff; 1 + self.random.below(900)];
        if let Ok(sequence) = journal.append(payload.clone()).await {
            self.undecodable.insert(sequence, payload);
        }
    }

    fn table(&self) -> Result<Table, String> {
        let store = SimulatedStore { disk: self.disk.clone(), root: TABLE.into() };
        Table::open_on(Path::new(TABLE), Arc::new(self.disk.clone()), Arc::new(store))
            .map_err(|error| error.to_string())
    }

    /// Exports until the journal is empty or something fails.
    pub(super) async fn export(&mut self, journal: &Journal, must_open: bool) -> Result<(), String> {
        let table = match self.table() {
            Err(error) if must_open => return Err(error),
            Err(_) => return Ok(()),
            Ok(table) => table,
        };
        let hour = Duration::from_secs(3600);
        let rows = [3, usize::MAX][self.random.below(2)];
        let config = Config { rows, bytes: u64::MAX, age: hour, on_session_end: false, drain_timeout: hour };
        let exporter = ParquetExporter::new(journal.clone(), table, config);
        let handle = exporter.handle();
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        let failing = async {
            while handle.status().failing.is_none() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            _ = exporter.run(shutdown) => {}
            () = failing => {}
        }
        Ok(())
    }

    /// Flips a bit in a record that is not exported.
    fn damage(&mut self) {
        let pending: Vec<String> = self
            .acknowledged
            .iter()
            .filter(|(_, sequence)| self.shown.contains_key(sequence) && **sequence >= self.cursor)
            .map(|(id, _)| id.clone())
            .collect();
        if pending.is_empty() {
            return;
        }
        let id = &pending[self.random.below(pending.len())];
        let text = &self.sent[id];
        if self.disk.flip_bit(Path::new(JOURNAL), ".segment", text) {
            let sequence = self.acknowledged.remove(id).unwrap();
            self.shown.remove(&sequence);
            self.damaged.push(text[..text.len() / 2].to_owned());
        }
    }

    /// A last life in which nothing fails, a last power loss, and the reckoning.
    pub(super) async fn finish(&mut self) -> Result<(), String> {
        let journal = self.open()?;
        self.append(&journal).await;
        self.export(&journal, true).await?;
        if journal.status().behind > 0 {
            return Err(format!("{} records do not reach the table", journal.status().behind));
        }
        self.disk = self.disk.power_loss(&mut self.random);
        self.open()?;
        self.check_table().await?;
        self.check_dead_letters()?;
        self.check_quarantine()
    }

    async fn check_table(&self) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in self.disk.files_below(Path::new(TABLE)) {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let table = Table::open_read_only(folder.path()).map_err(|error| error.to_string())?;
        let scan = table.scan(&Filter::default()).await.map_err(|error| error.to_string())?;
        if !scan.damaged.is_empty() {
            return Err(format!("damaged files in the table: {:?}", scan.damaged));
        }
        let listing = table.files(&Filter::default()).await.map_err(|error| error.to_string())?;
        if listing.files.iter().map(|file| file.rows).sum::<u64>() != scan.events.len() as u64 {
            return Err("an event is stored by two files".to_owned());
        }
        let stored: BTreeMap<&str, &str> =
            scan.events.iter().map(|event| (event.event_id.as_str(), event.text.as_str())).collect();
        for id in self.acknowledged.keys() {
            if !stored.contains_key(id.as_str()) {
                return Err(format!("{id} was acknowledged and is lost"));
            }
        }
        match stored.iter().find(|(id, text)| self.sent.get(**id).map(String::as_str) != Some(**text)) {
            Some((id, _)) => Err(format!("{id} was altered")),
            None => Ok(()),
        }
    }

    fn check_dead_letters(&self) -> Result<(), String> {
        let letters = self.disk.files_below(&Path::new(JOURNAL).join("dead-letters"));
        // Behind a failed sync a record may be shown, set aside and gone again, and its number given to
        // another one: that is kept beside it, as `2-<sequence>.record`.
        let named = |ending: String| {
            letters
                .iter()
                .filter(move |(name, _)| name.to_str().unwrap().ends_with(&ending))
                .map(|(_, bytes)| bytes)
        };
        for (sequence, payload) in &self.undecodable {
            if !named(format!("{sequence:020}.record")).any(|kept| kept == payload) {
                return Err(format!("record {sequence} is not among the dead letters"));
            }
            if named(format!("{sequence:020}.reason.txt")).all(Vec::is_empty) {
                return Err(format!("nothing says why record {sequence} is a dead letter"));
            }
        }
        Ok(())
    }

    fn check_quarantine(&self) -> Result<(), String> {
        let kept = self.disk.files_below(&Path::new(JOURNAL).join("quarantine"));
        let is_segment = |name: &&PathBuf| name.extension().is_some_and(|end| end == "segment");
        if self.damaged.is_empty()
            && let Some(name) = kept.keys().find(is_segment)
        {
            return Err(format!("{} was set aside, and nothing had damaged it", name.display()));
        }
        let has =
            |text: &String| kept.values().any(|bytes| memchr::memmem::find(bytes, text.as_bytes()).is_some());
        match self.damaged.iter().find(|text| !has(text)) {
            Some(text) => Err(format!("what was damaged is not in the quarantine: {text:.40}")),
            None => Ok(()),
        }
    }
}

/// Everything from the cursor on.
fn read(journal: &Journal) -> Result<BTreeMap<u64, Vec<u8>>, ReadError> {
    let mut found = BTreeMap::new();
    let mut from = journal.cursor();
    loop {
        let records = journal.read(from, 1000)?;
        let Some(last) = records.last() else { return Ok(found) };
        from = last.sequence + 1;
        found.extend(records.into_iter().map(|record| (record.sequence, record.payload.to_vec())));
    }
}

fn payload(id: &str, text: &str) -> Vec<u8> {
    let ingested_at = Timestamp::parse_rfc3339("2026-11-22T12:00:00Z").unwrap();
    let tenant = if text.len().is_multiple_of(2) { "even" } else { "odd" };
    let event = SessionEvent {
        event_id: id.to_owned(),
        text: text.to_owned(),
        tenant: tenant.to_owned(),
        timestamp: ingested_at,
        ingested_at,
        ..SessionEvent::default()
    };
    let owner = Owner { tenant: tenant.to_owned(), workspace: "main".to_owned() };
    encode_batch(EventBatch { owner, ingested_at, events: vec![event], ..EventBatch::default() })
}
