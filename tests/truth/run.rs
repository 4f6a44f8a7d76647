//! The property: what is read is what was made.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::thread;

use crate::clients::{self, Client};
use crate::compare::{Findings, compare};
use crate::making::story;
use crate::random::Random;
use crate::wire::{Arrival, Out, arrive};

const SESSIONS: u64 = 1_000;
/// So many failures are told in full.
const TOLD: usize = 6;
/// A session is written by so many clients in the ordinary run; by hand, too.
const WRITERS: u64 = 4;

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn number(name: &str, otherwise: u64) -> u64 {
    variable(name)
        .map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[derive(Default)]
struct Tally {
    sessions: u64,
    written: u64,
    compared: usize,
    failed: BTreeMap<&'static str, usize>,
    told: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.written += other.written;
        self.compared += other.compared;
        for (name, count) in other.failed {
            *self.failed.entry(name).or_default() += count;
        }
        self.told.extend(other.told);
    }
}

/// How a session of a seed arrives.
fn arrival(seed: u64) -> Arrival {
    match seed % 3 {
        0 => Arrival::InOrder,
        1 => Arrival::Shuffled,
        _ => Arrival::Lossy,
    }
}

/// What is found where a client writes the session of a seed.
fn of_seed(client: &Client, seed: u64) -> Findings {
    let story = story(seed, client.may);
    let mut out = Out::default();
    (client.write)(&story, &mut out);
    let arrival = arrival(seed / 7);
    let events = arrive(out.items, arrival, &mut Random::of(!seed));
    compare(client, &story, arrival, events)
}

fn of_seeds(seeds: impl Iterator<Item = u64>, clients: &[&'static Client]) -> Tally {
    let mut tally = Tally::default();
    let many = u64::try_from(clients.len()).unwrap();
    for seed in seeds {
        tally.sessions += 1;
        for turn in 0..WRITERS.min(many) {
            let client = clients[usize::try_from((seed * WRITERS + turn) % many).unwrap()];
            let findings = of_seed(client, seed);
            tally.written += 1;
            tally.compared += findings.compared;
            if findings.differences.is_empty() {
                continue;
            }
            *tally.failed.entry(client.name).or_default() += 1;
            if tally.told.len() < TOLD {
                tally.told.push(told(client, seed, &findings));
            }
        }
    }
    tally
}

fn told(client: &Client, seed: u64, findings: &Findings) -> String {
    let mut text = format!(
        "{}: SKILLSPAN_TRUTH_SEED={seed} SKILLSPAN_TRUTH_SESSIONS=1 SKILLSPAN_TRUTH_CLIENT={:?} ({:?})",
        client.name,
        client.name,
        arrival(seed / 7)
    );
    for difference in findings.differences.iter().take(8) {
        let _ = write!(text, "\n    {difference}");
    }
    text
}

#[test]
fn what_is_read_is_what_was_made() {
    let sessions = number("SKILLSPAN_TRUTH_SESSIONS", SESSIONS);
    let first = number("SKILLSPAN_TRUTH_SEED", 1);
    let only = variable("SKILLSPAN_TRUTH_CLIENT").unwrap_or_default();
    let clients: Vec<&'static Client> =
        clients::all().into_iter().filter(|client| client.name.contains(&only)).collect();
    assert!(!clients.is_empty(), "no client has {only:?} in its name");
    let workers = u64::try_from(thread::available_parallelism().map_or(2, usize::from)).unwrap();
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let clients = &clients;
        let of = |worker: u64| {
            scope.spawn(move || {
                of_seeds((first..first + sessions).filter(move |seed| seed % workers == worker), clients)
            })
        };
        let running: Vec<_> = (0..workers).map(of).collect();
        running.into_iter().for_each(|worker| tally.add(worker.join().unwrap()));
    });
    let Tally { sessions, written, compared, .. } = tally;
    println!("{sessions} sessions from seed {first}, written {written} times, {compared} comparisons");
    let failed: Vec<String> = tally.failed.iter().map(|(name, count)| format!("{name}: {count}")).collect();
    assert!(failed.is_empty(), "{}\n\n{}", failed.join("\n"), tally.told.join("\n"));
}
