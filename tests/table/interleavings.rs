//! Erasures beside everything else that writes a table: random interleavings of every operation that the
//! processes ask of their store. Two replicas write files of the sessions that are erased, before and after;
//! both do their upkeep; two erasures run at once; any of them may be killed and begin again, answers are lost,
//! time passes.
//!
//! Whatever happens: from the moment at which an erasure says that it is done, no file holds a row of its
//! subject, for ever, and no row of anybody else is lost. `SKILLSPAN_ERASURE_HISTORIES=20000` looks longer,
//! `SKILLSPAN_ERASURE_HISTORY=7` runs one again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use object_store::ObjectStore;
use skillspan::event::{Kind, SessionEvent, Timestamp};
use skillspan::table::upkeep::{Erased, Subject, UpkeepError};
use skillspan::table::{FileIdentity, Filter, Table};
use tokio::task::JoinHandle;

use crate::events::{START, event};
use crate::turns::{Stage, Turn};

const HISTORIES: u64 = 1_000;
/// On average a process does so many operations before another one gets its turn.
const LONGEST_RUN: usize = 12;
const REPLICAS: usize = 2;
/// Files that each replica writes.
const PLANS: u64 = 3;
/// Longer than any announcement counts.
const LONG: Duration = Duration::from_secs(1200);

fn now() -> Timestamp {
    Timestamp::from_micros(START)
}

/// A small generator, so that a history is its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

fn plan(replica: usize, number: u64) -> FileIdentity {
    FileIdentity {
        // Compaction takes the closed day, and leaves the last one alone.
        ingest_date: if number == 1 { "2026-11-22" } else { "2026-11-20" }.into(),
        journal_id: format!("journal-{replica}"),
        batch_id: format!("batch-{replica}-{number}"),
        first: number * 10,
        last: number * 10 + 9,
        ..crate::events::identity()
    }
}

/// Of the sessions of ada and of bob that are erased, of a trace of ada's that does not say so, and of carl,
/// whom nobody erases.
fn rows(replica: usize, number: u64) -> Vec<SessionEvent> {
    let row = |index: usize, session: &str, user: &str, trace: &str| {
        let id = format!("{replica}/{number}/{index}");
        let mut event = event(&id, Kind::ToolCall, -60 + i64::try_from(index).unwrap());
        (event.session_id, event.user_id, event.trace_id) = (session.into(), user.into(), trace.into());
        event
    };
    vec![
        row(0, "ada's", "ada", "aaaa"),
        row(1, "", "", "aaaa"),
        row(2, "bob's", "bob", "bbbb"),
        row(3, "carl's", "carl", "cccc"),
    ]
}

fn subjects() -> [Subject; 3] {
    [Subject::Session("ada's".into()), Subject::User("ada".into()), Subject::Session("bob's".into())]
}

/// The rows of a subject in all the plans, those of the future included.
fn rows_of(subject: &Subject) -> BTreeSet<String> {
    let trace = if *subject == subjects()[2] { "bbbb" } else { "aaaa" };
    let all = (0..REPLICAS).flat_map(|replica| (0..PLANS).flat_map(move |number| rows(replica, number)));
    all.filter(|event| event.trace_id == trace).map(|event| event.event_id).collect()
}

async fn open(store: Arc<dyn ObjectStore>) -> Result<Table, String> {
    Table::open_store(store, "the test's store").await.map_err(|error| error.to_string())
}

/// What a process does, and begins again when it was killed.
#[derive(Clone)]
enum Work {
    /// A replica's exporter: the files that it has not written yet, by its durable cursor.
    Export(usize, Arc<AtomicUsize>),
    Upkeep,
    Erase(Subject),
}

enum Came {
    Nothing,
    /// Of an erasure.
    Erasure(Subject, Result<Erased, UpkeepError>),
}

async fn work(store: Arc<dyn ObjectStore>, work: Work) -> Came {
    let table = loop {
        if let Ok(table) = open(Arc::clone(&store)).await {
            break table;
        }
    };
    match work {
        Work::Export(replica, cursor) => {
            while (cursor.load(Ordering::SeqCst) as u64) < PLANS {
                let number = cursor.load(Ordering::SeqCst) as u64;
                match table.write(&plan(replica, number), rows(replica, number)).await {
                    Ok(_) => drop(cursor.fetch_add(1, Ordering::SeqCst)),
                    Err(error) => assert!(error.is_transient(), "{error}"),
                }
            }
            Came::Nothing
        }
        Work::Upkeep => {
            // It is done again an hour later.
            let _ = table.compact(now()).await;
            let _ = table.finish_erasures().await;
            Came::Nothing
        }
        Work::Erase(subject) => {
            let erased = table.erase(&subject, None, now()).await;
            Came::Erasure(subject, erased)
        }
    }
}

/// What came of the erasures of a history.
#[derive(Debug, Default)]
struct Counts {
    claims: usize,
    failures: BTreeMap<String, usize>,
    kills: usize,
    turns: usize,
}

struct History {
    random: Random,
    stage: Arc<Stage>,
    /// Whether anything but the order of turns is left to chance.
    calm: bool,
    running: Vec<(usize, Work, JoinHandle<Came>)>,
    processes: usize,
    /// Whose turn it is for a while: where everybody goes on alike, nobody is ever left behind for long.
    favourite: usize,
    counts: Counts,
}

impl History {
    fn new(seed: u64, hides_writers: bool) -> Self {
        let random = Random(seed);
        let stage = Stage::new(hides_writers);
        let calm = seed.is_multiple_of(3);
        Self {
            random,
            stage,
            calm,
            running: Vec::new(),
            processes: 0,
            favourite: 0,
            counts: Counts::default(),
        }
    }

    fn start(&mut self, task: Work) {
        self.processes += 1;
        let store = self.stage.of(self.processes);
        self.running.push((self.processes, task.clone(), tokio::spawn(work(store, task))));
    }

    async fn run(&mut self) -> Result<(), String> {
        let cursors: Vec<Arc<AtomicUsize>> = (0..REPLICAS).map(|_| Arc::default()).collect();
        let mut later: Vec<Work> = vec![Work::Upkeep, Work::Upkeep];
        later.extend((0..2).map(|_| Work::Erase(subjects()[self.random.below(3)].clone())));
        for (replica, cursor) in cursors.iter().enumerate() {
            self.start(Work::Export(replica, Arc::clone(cursor)));
        }
        while !(self.running.is_empty() && later.is_empty()) {
            if !later.is_empty() && (self.running.is_empty() || self.random.chance(8)) {
                let next = later.swap_remove(self.random.below(later.len()));
                self.start(next);
            }
            self.turn().await?;
        }
        self.finish().await
    }

    /// Everybody goes on until they wait for a turn, or for a time; then one gets it.
    async fn turn(&mut self) -> Result<(), String> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.take_what_is_done().await?;
        if self.stage.waiting() > 0 {
            let mut n = self.random.below(self.stage.waiting());
            match self.stage.place_of(self.favourite) {
                Some(own) if !self.random.chance(LONGEST_RUN) => n = own,
                _ => {}
            }
            let turn = match self.random.below(400) {
                _ if self.calm => Turn::Done,
                0..4 => Turn::AnswerLost,
                4..8 => Turn::Refused,
                8..16 => Turn::LastOfItsProcess,
                _ => Turn::Done,
            };
            self.counts.turns += 1;
            self.favourite = self.stage.give(n, turn);
        }
        if !self.calm && self.random.chance(600) {
            self.stage.let_time_pass(LONG);
            tokio::time::advance(LONG).await;
        }
        match self.stage.violations().first() {
            Some(violation) => Err(violation.clone()),
            None => Ok(()),
        }
    }

    async fn take_what_is_done(&mut self) -> Result<(), String> {
        let mut at = 0;
        while at < self.running.len() {
            if self.stage.has_ended(self.running[at].0) {
                let (_, work, task) = self.running.swap_remove(at);
                task.abort();
                self.counts.kills += 1;
                // An erasure that was killed has said nothing; a collector comes back.
                if !matches!(work, Work::Erase(_)) {
                    self.start(work);
                }
            } else if self.running[at].2.is_finished() {
                let (_, _, task) = self.running.swap_remove(at);
                if let Came::Erasure(subject, erased) = task.await.map_err(|error| error.to_string())? {
                    self.judge(subject, erased).await?;
                }
            } else {
                at += 1;
            }
        }
        Ok(())
    }

    /// Whether what an erasure says is true.
    async fn judge(&mut self, subject: Subject, erased: Result<Erased, UpkeepError>) -> Result<(), String> {
        match erased {
            Ok(erased) if erased.sessions.is_empty() && !erased.before => Ok(()),
            Ok(erased) if erased.damaged.is_empty() => {
                self.counts.claims += 1;
                let holding = self.stage.ban(&rows_of(&subject)).await;
                match holding.is_empty() {
                    true => Ok(()),
                    false => Err(format!("{subject:?} is said to be erased and is in {holding:?}")),
                }
            }
            Ok(erased) => Err(format!("nothing is damaged, and yet {:?}", erased.damaged)),
            Err(error) if self.calm => Err(format!("{subject:?} cannot be erased: {error:?}")),
            Err(error) => {
                let kind = format!("{error:?}").split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
                *self.counts.failures.entry(kind).or_default() += 1;
                Ok(())
            }
        }
    }

    /// In the end, with nobody else at work and the dead known to be so, everything is erased that was to be, and
    /// nothing else is lost.
    async fn finish(&mut self) -> Result<(), String> {
        self.stage.let_time_pass(LONG);
        self.calm = true;
        for subject in subjects() {
            self.start(Work::Erase(subject));
            while !self.running.is_empty() {
                self.turn().await?;
            }
        }
        let table = open(Arc::new(self.stage.inner.fork())).await?;
        let scan = table.scan(&Filter::default()).await.map_err(|error| error.to_string())?;
        let left: BTreeSet<String> = scan.events.into_iter().map(|event| event.event_id).collect();
        let all = (0..REPLICAS).flat_map(|replica| (0..PLANS).flat_map(move |number| rows(replica, number)));
        let of_carl: BTreeSet<String> =
            all.filter(|event| event.user_id == "carl").map(|event| event.event_id).collect();
        if left == of_carl { Ok(()) } else { Err(format!("{left:?} are left")) }
    }
}

/// Runs a history; the error says which claim is untrue, or what is lost.
fn history(seed: u64, hides_writers: bool) -> Result<Counts, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let mut history = History::new(seed, hides_writers);
    let run = runtime.block_on(history.run());
    run.map(|()| history.counts).map_err(|wrong| format!("history {seed}: {wrong}"))
}

/// Runs many histories on all cores.
fn histories(count: u64, hides_writers: bool) -> Vec<Result<Counts, String>> {
    let next = Arc::new(Mutex::new(0));
    let worker = || {
        let mut results = Vec::new();
        loop {
            let seed = {
                let mut next = next.lock().unwrap();
                *next += 1;
                *next - 1
            };
            if seed >= count {
                return results;
            }
            let result = history(seed, hides_writers);
            results.push(result);
        }
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().unwrap())
}

#[test]
fn what_is_said_to_be_erased_is_in_no_file_whatever_runs_beside_it() {
    let results = match asked("SKILLSPAN_ERASURE_HISTORY") {
        Some(seed) => vec![history(seed, false)],
        None => histories(asked("SKILLSPAN_ERASURE_HISTORIES").unwrap_or(HISTORIES), false),
    };
    let (mut all, mut untrue) = (Counts::default(), Vec::new());
    for result in &results {
        match result {
            Ok(counts) => {
                all.claims += counts.claims;
                all.kills += counts.kills;
                all.turns += counts.turns;
                for (kind, count) in &counts.failures {
                    *all.failures.entry(kind.clone()).or_default() += count;
                }
            }
            Err(wrong) => untrue.push(wrong),
        }
    }
    println!("{} histories: {all:?}; {} are wrong", results.len(), untrue.len());
    assert!(untrue.is_empty(), "{untrue:#?}");
    assert!(all.claims >= 2 * results.len(), "hardly anything was erased: {all:?}");
}

#[test]
fn an_erasure_that_does_not_wait_for_others_says_what_is_not_true_and_is_caught() {
    let caught = histories(60, true).into_iter().filter_map(Result::err).count();
    assert!(caught > 0, "nothing needs that an erasure waits for those who write");
    println!("{caught} of 60");
}
