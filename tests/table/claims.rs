//! Every order of steps that workers can take when they claim shards, in the store and as Leases.
//!
//! Each request of a worker is a step. From every state that is reached, each worker may take its next step, or a lease's
//! time passes; states that workers cannot tell apart are visited once. A worker that takes no step any more has
//! crashed, one that takes its next step late has slept: so every crash and every sleep at every step is among the orders.
//!
//! In every state:
//! - a number of a shard is held by one worker at most, ever;
//! - what the target takes comes under numbers that never fall, each of one worker: what a sleeper brings late is refused;
//! - the files of claims are few;
//! - whichever two workers crash now, the third holds every shard soon.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Future;
use futures_util::task::noop_waker;
use skillspan::coordination::{self, Claims, LEASE, LeaseClaims, Shard, StoreClaims};

use crate::claims_backends::{Leases, Objects};

pub(crate) const WORKERS: usize = 3;

/// A mistake that a store or a server could have, so that what is promised does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Of two that create one file, both do.
    CreatesTwice,
    /// Whoever looks behind a put sees nothing greater than that.
    ListsTooOld,
    /// Whatever version a Lease has, it is replaced.
    ReplacesAnything,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Store,
    Lease,
}

/// What is explored.
#[derive(Debug, Clone)]
struct Scenario {
    kind: Kind,
    shards: Shard,
    /// Steps that are taken before, in this order.
    before: Vec<Choice>,
    /// How often each worker looks, at most, with what is before.
    looks: [u32; WORKERS],
    /// How often a lease's time passes.
    times: u32,
    /// This worker leaves after its first look.
    leaver: Option<usize>,
    mutant: Option<Mutant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Step(usize),
    /// So many steps, until it has looked once more and published.
    Look(usize),
    Time,
}

/// What all workers share.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) time: u64,
    pub(crate) mutant: Option<Mutant>,
    pub(crate) objects: BTreeMap<String, (Vec<u8>, u64)>,
    pub(crate) leases: Leases,
    /// What each worker put last.
    pub(crate) last_put: [String; WORKERS],
    granted: Option<usize>,
    times: u32,
    looks: [u32; WORKERS],
    ended: [bool; WORKERS],
    /// All that a worker has seen, as a hash: what it does next follows from it.
    seen: [u64; WORKERS],
    held: [BTreeMap<Shard, u64>; WORKERS],
    holders: BTreeMap<(Shard, u64), usize>,
    /// The target: how often it was written, and by shard the last number and who brought it.
    target: (u64, BTreeMap<Shard, (u64, usize)>),
    refused: u32,
    violations: Vec<String>,
}

pub(crate) type Shared = Arc<Mutex<World>>;

/// Waits for the worker's next step, does it, and notes what the worker saw.
pub(crate) async fn step<T>(world: &Shared, worker: usize, work: impl FnOnce(&mut World) -> (T, u64)) -> T {
    futures_util::future::poll_fn(|_| {
        let mut world = world.lock().unwrap();
        if world.granted == Some(worker) {
            world.granted = None;
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
    let mut world = world.lock().unwrap();
    let (answer, seen) = work(&mut world);
    world.saw(worker, seen);
    answer
}

pub(crate) fn hash_of(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

impl World {
    fn saw(&mut self, worker: usize, what: u64) {
        self.seen[worker] = hash_of(&(self.seen[worker], what));
    }

    fn stored(&self) -> u64 {
        hash_of(&(self.time, &self.objects, &self.leases, &self.target))
    }

    /// States with one key have one future.
    fn key(&self) -> u64 {
        hash_of(&(self.stored(), self.seen, self.looks, self.ended, self.times))
    }

    fn note_held(&mut self, worker: usize, held: BTreeMap<Shard, u64>) {
        for (shard, number) in &held {
            let holder = *self.holders.entry((*shard, *number)).or_insert(worker);
            if holder != worker {
                self.violations.push(format!("{holder} and {worker} hold shard {shard} under {number}"));
            }
        }
        self.held[worker] = held;
    }

    /// Puts in the target what a worker found, unless it was written since, or knows a later turn.
    fn publish(&mut self, worker: usize, version: u64, shard: Shard, number: u64) -> &'static str {
        if self.target.0 != version {
            return "raced";
        }
        let last = self.target.1.get(&shard).copied();
        if last.is_some_and(|(last, _)| last > number) {
            self.refused += 1;
            return "too late";
        }
        if let Some((_, other)) = last.filter(|(last, other)| *last == number && *other != worker) {
            self.violations.push(format!("{other} and {worker} brought something under {number}"));
        }
        self.target.0 += 1;
        self.target.1.insert(shard, (number, worker));
        "taken"
    }
}

async fn work(worker: usize, claims: Box<dyn Claims>, world: Shared, leaver: bool) {
    loop {
        if let Ok(held) = coordination::tend(claims.as_ref()).await {
            world.lock().unwrap().note_held(worker, held.clone());
            for (shard, number) in &held {
                while publish(worker, &world, *shard, *number).await == "raced" {}
            }
            if leaver {
                let _ = coordination::leave(claims.as_ref(), &held).await;
                let mut world = world.lock().unwrap();
                world.note_held(worker, BTreeMap::new());
                world.ended[worker] = true;
                return;
            }
        }
        world.lock().unwrap().looks[worker] += 1;
    }
}

/// Two steps, as with git: fetch, and the push that is refused if anybody was faster.
async fn publish(worker: usize, world: &Shared, shard: Shard, number: u64) -> &'static str {
    let version = step(world, worker, |world| (world.target.0, world.target.0)).await;
    step(world, worker, |world| {
        let outcome = world.publish(worker, version, shard, number);
        (outcome, hash_of(&outcome))
    })
    .await
}

/// A history under way.
struct Run {
    world: Shared,
    workers: Vec<Pin<Box<dyn Future<Output = ()>>>>,
}

impl Run {
    fn new(scenario: &Scenario) -> Self {
        let world = World { mutant: scenario.mutant, time: 1_000, ..World::default() };
        let world = Arc::new(Mutex::new(world));
        let start = |worker: usize| -> Pin<Box<dyn Future<Output = ()>>> {
            let (name, shards) = (format!("w{worker}"), scenario.shards);
            let claims: Box<dyn Claims> = match scenario.kind {
                Kind::Store => Box::new(StoreClaims::named(Objects::of(&world, worker), "s", &name, shards)),
                Kind::Lease => {
                    let time = Arc::clone(&world);
                    let clock = move || {
                        let mut world = time.lock().unwrap();
                        let now = world.time;
                        world.saw(worker, now);
                        Duration::from_secs(now)
                    };
                    let api = Leases::of(&world, worker);
                    Box::new(LeaseClaims::named(api, "s", &name, shards, Arc::new(clock)))
                }
            };
            Box::pin(work(worker, claims, Arc::clone(&world), scenario.leaver == Some(worker)))
        };
        let workers = (0..WORKERS).map(start).collect();
        let mut run = Self { world, workers };
        (0..WORKERS).for_each(|worker| run.poll(worker));
        run
    }

    fn poll(&mut self, worker: usize) {
        let waker = noop_waker();
        let mut context = Context::from_waker(&waker);
        let polled = self.workers[worker].as_mut().poll(&mut context);
        if polled.is_ready() {
            self.workers[worker] = Box::pin(std::future::pending());
        }
    }

    fn take(&mut self, choice: Choice) {
        match choice {
            Choice::Time => {
                let mut world = self.world.lock().unwrap();
                world.time += LEASE.as_secs() + 1;
                world.times += 1;
            }
            Choice::Step(worker) => {
                self.world.lock().unwrap().granted = Some(worker);
                self.poll(worker);
            }
            Choice::Look(worker) => {
                let looks = self.world.lock().unwrap().looks[worker];
                for _ in 0..200 {
                    self.take(Choice::Step(worker));
                    if self.world.lock().unwrap().looks[worker] > looks {
                        return;
                    }
                }
                panic!("{worker} never ends its look");
            }
        }
    }

    fn of(scenario: &Scenario, choices: &[Choice]) -> Self {
        let mut run = Self::new(scenario);
        scenario.before.iter().chain(choices).for_each(|choice| run.take(*choice));
        run
    }

    /// What holds in every state; answers its key.
    fn check(&self, scenario: &Scenario, path: &[Choice], counts: &mut Counts) -> Result<u64, String> {
        let world = self.world.lock().unwrap();
        if let Some(violation) = world.violations.first() {
            return Err(format!("{violation}: {path:?}"));
        }
        let files = world.objects.keys().filter(|path| path.contains("/shards/")).count();
        // The greatest, and what each worker may have put and not yet removed.
        if files > usize::from(scenario.shards) * (1 + 2 * WORKERS) {
            return Err(format!("{files} files of claims: {path:?}"));
        }
        counts.refused = counts.refused.max(world.refused);
        counts.takeovers = counts.takeovers.max(world.holders.len());
        Ok(world.key())
    }

    fn choices(&self, scenario: &Scenario, times_before: u32) -> Vec<Choice> {
        let world = self.world.lock().unwrap();
        let may = |worker: &usize| !world.ended[*worker] && world.looks[*worker] < scenario.looks[*worker];
        let steps = (0..WORKERS).filter(may).map(Choice::Step);
        let time = (world.times < scenario.times + times_before).then_some(Choice::Time);
        steps.chain(time).collect()
    }

    /// The others are gone: whatever they left, this worker holds everything soon.
    fn recovers(&mut self, survivor: usize, shards: Shard) -> Result<(), String> {
        for _ in 0..3 {
            self.take(Choice::Time);
            self.take(Choice::Look(survivor));
        }
        let world = self.world.lock().unwrap();
        let held = &world.held[survivor];
        if held.len() == usize::from(shards) {
            return world.violations.first().map_or(Ok(()), |violation| Err(violation.clone()));
        }
        Err(format!(
            "{survivor} alone holds {held:?} of {shards}: {:?} {:?}",
            world.objects.keys(),
            world.leases
        ))
    }
}

#[derive(Debug, Default)]
struct Counts {
    states: usize,
    recoveries: usize,
    refused: u32,
    takeovers: usize,
}

/// Visits all states; the error is a history that breaks a promise.
fn explore(scenario: &Scenario) -> Result<Counts, String> {
    let mut counts = Counts::default();
    let (mut known, mut alone, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![Vec::new()]);
    let times_before = scenario.before.iter().filter(|choice| **choice == Choice::Time).count() as u32;
    while let Some(mut path) = open.pop() {
        let mut run = Run::of(scenario, &path);
        // The first choice goes on from here, the others are done anew later.
        while known.insert(run.check(scenario, &path, &mut counts)?) {
            counts.states += 1;
            for survivor in (0..WORKERS).filter(|worker| scenario.leaver != Some(*worker)) {
                // What the others had in mind is gone with them.
                let world = run.world.lock().unwrap();
                let is_new = alone.insert(hash_of(&(survivor, world.stored(), world.seen[survivor])));
                drop(world);
                if is_new {
                    let mut run = Run::of(scenario, &path);
                    run.recovers(survivor, scenario.shards).map_err(|wrong| format!("{wrong}: {path:?}"))?;
                    counts.recoveries += 1;
                }
            }
            let choices = run.choices(scenario, times_before);
            let Some((first, others)) = choices.split_first() else { break };
            open.extend(others.iter().map(|choice| [path.as_slice(), &[*choice]].concat()));
            path.push(*first);
            run.take(*first);
        }
    }
    Ok(counts)
}

fn scenario(kind: Kind, looks: [u32; WORKERS], times: u32) -> Scenario {
    Scenario { kind, shards: 1, before: Vec::new(), looks, times, leaver: None, mutant: None }
}

/// A worker that holds the shard and sleeps before it publishes, while others take over from it.
fn with_a_sleeper(kind: Kind, looks: [u32; WORKERS], times: u32) -> Scenario {
    // Everything of its look but the two steps of the publication.
    let holds = vec![Choice::Step(0); 4];
    match kind {
        Kind::Store => Scenario { before: holds, ..scenario(kind, looks, times) },
        // The others have seen the Lease that stays the same from now on.
        Kind::Lease => {
            let before = [holds, vec![Choice::Look(1), Choice::Look(2)]].concat();
            let [first, second, third] = looks;
            Scenario { before, ..scenario(kind, [first, second + 1, third + 1], times) }
        }
    }
}

/// A worker that saw the shard free sleeps before it takes it under a number that others have used since.
fn with_an_old_number() -> Scenario {
    let asleep = [Choice::Look(0), Choice::Time, Choice::Step(1), Choice::Step(1), Choice::Step(1)];
    let before = [asleep.as_slice(), &[Choice::Look(2), Choice::Time]].concat();
    Scenario { before, ..scenario(Kind::Store, [2, 1, 1], 0) }
}

/// One worker holds two shards and has to give one back when the others come.
fn with_two_shards(kind: Kind) -> Scenario {
    Scenario { shards: 2, before: vec![Choice::Look(0)], ..scenario(kind, [2, 1, 1], 0) }
}

/// One worker goes in order.
fn with_a_leaver(kind: Kind, times: u32) -> Scenario {
    Scenario { leaver: Some(2), ..scenario(kind, [1, 1, 1], times) }
}

/// Explores more, for minutes.
const ALL: &str = "SKILLSPAN_TEST_ALL_CLAIMS";

#[allow(clippy::print_stdout, reason = "how much was explored is what a reader of the test asks")]
fn holds(scenario: &Scenario) -> Counts {
    let counts = explore(scenario).unwrap();
    println!("{:?} {} shards {:?}: {counts:?}", scenario.kind, scenario.shards, scenario.looks);
    assert!(counts.states > 20, "hardly anything was explored: {counts:?}");
    counts
}

fn holds_in_every_order(kind: Kind) {
    holds(&scenario(kind, [1, 1, 1], 0));
    holds(&with_two_shards(kind));
    holds(&with_a_leaver(kind, 0));
    let counts = holds(&with_a_sleeper(kind, [2, 1, 1], 1));
    assert!(counts.refused > 0 && counts.takeovers > 1, "nobody came too late: {counts:?}");
    if std::env::var_os(ALL).is_some() {
        holds(&scenario(kind, [1, 1, 1], 1));
        holds(&with_a_leaver(kind, 1));
        holds(&with_a_sleeper(kind, [2, 2, 1], 2));
    }
}

#[test]
fn claims_in_the_store_hold_in_every_order_of_steps() {
    holds_in_every_order(Kind::Store);
    let counts = holds(&with_an_old_number());
    assert!(counts.takeovers > 2, "{counts:?}");
}

#[test]
fn claims_as_leases_hold_in_every_order_of_steps() {
    holds_in_every_order(Kind::Lease);
}

#[test]
fn the_exploration_finds_what_a_broken_store_or_server_does() {
    let mut missed = BTreeSet::new();
    for (scenario, mutant) in [
        (with_a_sleeper(Kind::Store, [2, 1, 1], 1), Mutant::CreatesTwice),
        (with_an_old_number(), Mutant::ListsTooOld),
        (with_a_sleeper(Kind::Lease, [2, 1, 1], 1), Mutant::ReplacesAnything),
    ] {
        let found = explore(&Scenario { mutant: Some(mutant), ..scenario }).err();
        println!("{mutant:?}: {found:?}");
        if found.is_none() {
            missed.insert(format!("{mutant:?}"));
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}
