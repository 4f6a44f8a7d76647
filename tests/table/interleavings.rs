//! Erasures beside everything else that writes a table: interleavings of every operation that the processes ask
//! of their store. Two replicas write files of the sessions that are erased, before and after; both do their
//! upkeep; three erasures run at once; any of them may be killed and begin again, answers are lost, time passes.
//!
//! Whatever happens: from the moment at which an erasure says that it is done, no file holds a row of its
//! subject, for ever, no row of anybody else is lost, it says as many rows and files as it took away, and it
//! says that there is nothing only if there is nothing. `SKILLSPAN_ERASURE_HISTORIES=20000` looks longer,
//! `SKILLSPAN_ERASURE_HISTORY=7` runs one again.
//!
//! That such histories find mistakes is shown by mistakes: each [`Mutant`] is caught.

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
use crate::order::{Deed, Order, Random, Who};
use crate::turns::{Mutant, Stage, Turn};

const HISTORIES: u64 = 250;
/// Where each change is tried, so many ways of ranking the processes are, each with fewer changes than this.
const RANKINGS: u64 = 3;
const MOST_CHANGES: u64 = 200;
const REPLICAS: usize = 2;
/// So many of what begins later begins at certain moments alone.
const KEPT: usize = 2;
/// Files that each replica writes.
const PLANS: u64 = 3;
/// Longer than any announcement counts.
const LONG: Duration = Duration::from_secs(1200);

fn now() -> Timestamp {
    Timestamp::from_micros(START)
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

async fn do_work(store: Arc<dyn ObjectStore>, work: Work) -> Came {
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
    /// The rows that they say have left the files.
    rows: u64,
    failures: BTreeMap<String, usize>,
    kills: usize,
    turns: usize,
}

/// A process at work.
struct Running {
    process: usize,
    work: Work,
    /// The rows that were there when it began.
    before: BTreeSet<String>,
    task: JoinHandle<Came>,
}

struct History {
    random: Random,
    stage: Arc<Stage>,
    order: Order,
    /// Whether anything but the order of turns is left to chance.
    calm: bool,
    /// What is still to begin.
    later: Vec<Work>,
    running: Vec<Running>,
    processes: usize,
    counts: Counts,
}

impl History {
    fn new(seed: u64, mutant: Option<Mutant>) -> Self {
        let mut random = Random(seed);
        let order = match seed % 6 {
            0 => Order::by_chance(),
            1 => Order::by_rank(1 + random.below(4), Who::Anybody),
            2 => Order::by_rank(1 + random.below(2), Who::Exporters),
            // Who comes beside the first must not be left behind itself, or the first goes on before it is done.
            _ => Order::by_rank(1 + random.below(2), Who::Rewriters),
        };
        Self::in_order(random, order, seed.is_multiple_of(3), mutant)
    }

    fn in_order(random: Random, order: Order, calm: bool, mutant: Option<Mutant>) -> Self {
        Self {
            random,
            stage: Stage::new(mutant),
            order,
            calm,
            later: Vec::new(),
            running: Vec::new(),
            processes: 0,
            counts: Counts::default(),
        }
    }

    async fn start(&mut self, work: Work) {
        self.processes += 1;
        let (process, before) = (self.processes, self.stage.rows().await);
        if matches!(work, Work::Export(..)) {
            self.order.meet_exporter(process);
        }
        let task = tokio::spawn(do_work(self.stage.of(process), work.clone()));
        self.running.push(Running { process, work, before, task });
    }

    async fn run(&mut self) -> Result<(), String> {
        let cursors: Vec<Arc<AtomicUsize>> = (0..REPLICAS).map(|_| Arc::default()).collect();
        self.later = vec![Work::Upkeep, Work::Upkeep];
        let ada = subjects()[self.random.below(2)].clone();
        let bob = subjects()[2].clone();
        let (one, other) = if self.random.chance(3) { (bob, ada) } else { (ada, bob) };
        self.later.extend([one.clone(), one, other].map(Work::Erase));
        for (replica, cursor) in cursors.iter().enumerate() {
            self.start(Work::Export(replica, Arc::clone(cursor))).await;
        }
        while !(self.running.is_empty() && self.later.is_empty()) {
            if let Some(next) = self.who_begins() {
                self.start(next).await;
            }
            self.turn().await?;
        }
        self.finish().await
    }

    /// Who begins now, if anybody does. Some erasures are kept for the moments at which somebody is left
    /// behind: what it was about to do is then still to come when they are done.
    fn who_begins(&mut self) -> Option<Work> {
        let is_moment = self.order.has_delayed(&mut self.random);
        let many = self.later.len() > KEPT;
        // Before there is a file nothing is to be done.
        let begins = self.stage.has_files() && (is_moment || many && self.random.chance(12));
        if self.later.is_empty() || !(begins || self.running.is_empty()) {
            return None;
        }
        let erasure = self.later.iter().rposition(|work| matches!(work, Work::Erase(_)));
        let place = erasure.filter(|_| is_moment).unwrap_or_else(|| self.random.below(self.later.len()));
        Some(self.later.swap_remove(place))
    }

    /// Everybody goes on until they wait for a turn, or for a time; then one gets it.
    async fn turn(&mut self) -> Result<(), String> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.take_what_is_done().await?;
        let waiting = self.stage.waiting();
        let is_pausing = |running: &Running| waiting.iter().all(|(process, _)| *process != running.process);
        let pausing = !self.later.is_empty() || self.running.iter().any(is_pausing);
        if let Some(next) = self.order.next(&waiting, pausing, &mut self.random) {
            // What is cut short at a change leaves the most behind.
            let of = if waiting[next].1 == Deed::Reads { 600 } else { 60 };
            let turn = match self.random.below(of) {
                _ if self.calm => Turn::Done,
                0 => Turn::AnswerLost,
                1 => Turn::Refused,
                2..5 => Turn::LastOfItsProcess,
                _ => Turn::Done,
            };
            self.counts.turns += 1;
            self.stage.give(next, turn);
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
            if self.stage.has_ended(self.running[at].process) {
                let Running { work, task, .. } = self.running.swap_remove(at);
                task.abort();
                self.counts.kills += 1;
                // An erasure that was killed has said nothing; a collector comes back.
                if !matches!(work, Work::Erase(_)) {
                    self.start(work).await;
                }
            } else if self.running[at].task.is_finished() {
                let Running { process, before, task, .. } = self.running.swap_remove(at);
                if let Came::Erasure(subject, erased) = task.await.map_err(|error| error.to_string())? {
                    self.judge(process, &before, subject, erased).await?;
                }
            } else {
                at += 1;
            }
        }
        Ok(())
    }

    /// Whether what an erasure says is true.
    async fn judge(
        &mut self,
        process: usize,
        before: &BTreeSet<String>,
        subject: Subject,
        erased: Result<Erased, UpkeepError>,
    ) -> Result<(), String> {
        let erased = match erased {
            Ok(erased) => erased,
            Err(error) if self.calm => return Err(format!("{subject:?} cannot be erased: {error:?}")),
            Err(error) => {
                let kind = format!("{error:?}").split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
                *self.counts.failures.entry(kind).or_default() += 1;
                return Ok(());
            }
        };
        if !erased.damaged.is_empty() {
            return Err(format!("nothing is damaged, and yet {:?}", erased.damaged));
        }
        let (said, left_out) = ((erased.files, erased.rows), self.stage.left_out_by(process));
        if said != left_out {
            return Err(format!(
                "{said:?} files and rows are said to be replaced and left out, {left_out:?} are"
            ));
        }
        self.counts.rows += erased.rows;
        if erased.sessions.is_empty() && !erased.before {
            let there = &(&rows_of(&subject) & before) & &self.stage.rows().await;
            return match there.is_empty() {
                true => Ok(()),
                false => Err(format!("nothing of {subject:?} is said to be there, and {there:?} are")),
            };
        }
        self.counts.claims += 1;
        let holding = self.stage.ban(&rows_of(&subject)).await;
        match holding.is_empty() {
            true => Ok(()),
            false => Err(format!("{subject:?} is said to be erased and is in {holding:?}")),
        }
    }

    /// In the end, with nobody else at work and the dead known to be so, everything is erased that was to be, and
    /// nothing else is lost.
    async fn finish(&mut self) -> Result<(), String> {
        self.stage.let_time_pass(LONG);
        self.calm = true;
        for subject in subjects() {
            self.start(Work::Erase(subject)).await;
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
fn run(name: &str, mut history: History) -> Result<(Counts, usize), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let run = runtime.block_on(history.run());
    let changes = history.order.changes();
    run.map(|()| (history.counts, changes)).map_err(|wrong| format!("history {name}: {wrong}"))
}

fn history(seed: u64, mutant: Option<Mutant>) -> Result<Counts, String> {
    run(&seed.to_string(), History::new(seed, mutant)).map(|(counts, _)| counts)
}

/// One in which nothing is left to chance but the ranks, and one process becomes the last before a change of
/// this number. `None` if there are not so many.
fn with_one_delay(ranks: u64, before: usize) -> Option<Result<Counts, String>> {
    let order = Order::by_rank_but_before(before);
    let history = History::in_order(Random(ranks), order, true, None);
    match run(&format!("{ranks} delayed at {before}"), history) {
        Ok((_, changes)) if changes <= before => None,
        Ok((counts, _)) => Some(Ok(counts)),
        Err(wrong) => Some(Err(wrong)),
    }
}

/// Does each of the tasks, on all cores.
fn on_all_cores<T: Send>(tasks: impl Iterator<Item = u64> + Send, run: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let tasks = Mutex::new(tasks);
    let worker = || {
        let next = || tasks.lock().unwrap().next();
        std::iter::from_fn(next).map(&run).collect::<Vec<T>>()
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

/// What came of histories, all of which must be true.
fn the_truth_of(results: &[Result<Counts, String>]) -> Counts {
    let (mut all, mut untrue) = (Counts::default(), Vec::new());
    for result in results {
        match result {
            Ok(counts) => {
                all.claims += counts.claims;
                all.rows += counts.rows;
                all.kills += counts.kills;
                all.turns += counts.turns;
                for (kind, count) in &counts.failures {
                    *all.failures.entry(kind.clone()).or_default() += count;
                }
            }
            Err(wrong) => untrue.push(wrong),
        }
    }
    assert!(untrue.is_empty(), "{untrue:#?}");
    assert!(all.claims >= 2 * results.len(), "hardly anything was erased: {all:?}");
    all
}

#[test]
fn what_is_said_to_be_erased_is_in_no_file_whatever_runs_beside_it() {
    let results = match asked("SKILLSPAN_ERASURE_HISTORY") {
        Some(seed) => vec![history(seed, None)],
        None => {
            let count = asked("SKILLSPAN_ERASURE_HISTORIES").unwrap_or(HISTORIES);
            on_all_cores(0..count, |seed| history(seed, None))
        }
    };
    println!("{} histories: {:?}", results.len(), the_truth_of(&results));
}

/// Everybody's every change is the one at which they are left behind by all others.
#[test]
fn whoever_stands_still_before_whichever_change_nothing_untrue_is_said() {
    let delays =
        (0..RANKINGS).flat_map(|ranks| (0..MOST_CHANGES).map(move |before| ranks * MOST_CHANGES + before));
    let results =
        on_all_cores(delays, |delay| with_one_delay(delay / MOST_CHANGES, (delay % MOST_CHANGES) as usize));
    let results: Vec<_> = results.into_iter().flatten().collect();
    assert!(results.len() < (RANKINGS * MOST_CHANGES) as usize, "there are changes that were not tried");
    println!("{} histories: {:?}", results.len(), the_truth_of(&results));
}

/// Of so many histories, wherever they begin, one at least catches a mistake.
const ENOUGH: u64 = 50;

#[test]
fn histories_catch_every_mistake_that_an_erasure_could_have() {
    let starts: Vec<(Mutant, u64)> =
        Mutant::ALL.into_iter().flat_map(|mutant| [0, 1_000, 2_000].map(|start| (mutant, start))).collect();
    let caught = on_all_cores(0..starts.len() as u64, |number| {
        let (mutant, start) = starts[number as usize];
        let mut histories = start..start + ENOUGH;
        (mutant, start, histories.find_map(|seed| history(seed, Some(mutant)).err()))
    });
    for (mutant, start, wrong) in &caught {
        println!("{mutant:?} from {start}: {wrong:?}");
    }
    let missed: Vec<_> = caught.into_iter().filter(|(_, _, wrong)| wrong.is_none()).collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
