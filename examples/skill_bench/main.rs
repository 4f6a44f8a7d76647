//! A planted benchmark of mining.
//!
//! A seed draws procedures, repairs and preferences, and sessions of four clients in three
//! workspaces that show them among noise, one-offs, repetition, secrets and injected instructions.
//! The sessions are mined and published into a tree of files; the files are scored against what was
//! planted. Everything here but this file knows nothing of mining.
//!
//! ```text
//! cargo run --example skill_bench -- [--seeds 101..111] [--noise 0.3] [--show]
//!                                    [--model well|badly|maliciously] [--out FOLDER]
//!                                    [--vectors FILE]
//! cargo run --release --example skill_bench -- --table FOLDER EVENTS [--seeds 101..] [--teams 1]     # again: it grows
//! cargo run --release --example skill_bench -- --mine FOLDER [--digests FOLDER] [--memory MIB] [--show]
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `plan.rs` | what is planted |
//! | `world.rs`, `session.rs` | sessions that show it |
//! | `noise.rs`, `noise.json` | commands, outputs and prompts of recorded runs |
//! | `poison.rs` | secrets and injected instructions |
//! | `table.rs` | worlds as a table, to measure speed on |
//! | `score.rs`, `retrieval.rs` | the measures |
//! | `model.rs` | a model that words the skills well, badly or maliciously |
//! | `random.rs` | seeded chance |

#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a program for people at a terminal, without input from outside"
)]

mod model;
mod noise;
mod plan;
mod poison;
mod random;
mod retrieval;
mod score;
mod session;
mod table;
mod world;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use skillspan::library::{Findings, Layout, Stored, Tree, load, reconcile};
use skillspan::skillify::{Classes, Config, Offline, PublishRule, Snapshot, Vectors, mine};
use skillspan::table::Session;

use model::Manner;
use noise::Noise;
use random::Random;
use score::Score;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Options {
    seeds: std::ops::Range<u64>,
    noise: f64,
    show: bool,
    /// Skills are worded by such a model.
    model: Option<Manner>,
    /// Write the published files below this folder as well.
    out: Option<PathBuf>,
    /// Word vectors in the text format of GloVe; `vectors.py` makes some.
    vectors: Option<PathBuf>,
    /// Write a table of so many events instead of mining.
    table: Option<(PathBuf, usize)>,
    /// Mine this table instead, and say how long each part took.
    mine: Option<PathBuf>,
    /// Keep its digests here.
    digests: Option<PathBuf>,
    /// Mine so many workspaces at a time as take so much memory, in MiB.
    memory: u64,
    /// Spread the sessions of a table over so many times three workspaces.
    teams: u64,
}

fn options() -> Options {
    let mut options = Options {
        seeds: 101..111,
        noise: 0.3,
        show: false,
        model: None,
        out: None,
        vectors: None,
        table: None,
        mine: None,
        digests: None,
        memory: u64::MAX >> 20,
        teams: 1,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seeds" => {
                let range = arguments.next().unwrap();
                let (first, end) = range.split_once("..").unwrap();
                options.seeds = first.parse().unwrap()..end.parse().unwrap();
            }
            "--noise" => options.noise = arguments.next().unwrap().parse().unwrap(),
            "--table" => {
                let folder = arguments.next().unwrap().into();
                options.table = Some((folder, arguments.next().unwrap().parse().unwrap()));
            }
            "--model" => options.model = Some(Manner::parse(&arguments.next().unwrap())),
            "--out" => options.out = arguments.next().map(PathBuf::from),
            "--vectors" => options.vectors = arguments.next().map(PathBuf::from),
            "--mine" => options.mine = arguments.next().map(PathBuf::from),
            "--digests" => options.digests = arguments.next().map(PathBuf::from),
            "--memory" => options.memory = arguments.next().unwrap().parse().unwrap(),
            "--teams" => options.teams = arguments.next().unwrap().parse().unwrap(),
            "--show" => options.show = true,
            other => panic!("no such option: {other}"),
        }
    }
    options
}

fn main() {
    let options = options();
    if let Some((folder, events)) = &options.table {
        return table::write(folder, *events, options.noise, options.seeds.start, options.teams);
    }
    if let Some(folder) = &options.mine {
        return table::mine(folder, options.digests.as_deref(), options.memory << 20, options.show);
    }
    let vectors = options.vectors.as_deref().map(vectors);
    // The worlds plant nine pieces of work a workspace: how many a repository keeps is not measured here.
    // Mining is measured, whatever a person would have to agree to.
    let publish = PublishRule { skills: 50, allow: Classes::EVERY, ..PublishRule::default() };
    let config = Config { vectors: vectors.as_ref(), publish, ..Config::default() };
    let (score, identical, mining) = measure(&options, &config);
    print(&options, &score, identical, mining);
}

/// Every vector of a file.
fn vectors(file: &Path) -> Vectors {
    let text = std::fs::read_to_string(file).unwrap();
    let words = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    Vectors::read_text(text.as_bytes(), &words).unwrap()
}

/// Mines every workspace of every seed, twice: the second time in another order.
fn measure(options: &Options, config: &Config<'_>) -> (Score, bool, Duration) {
    let noise = Noise::load();
    let mut score = Score::default();
    let mut identical = true;
    let mut mining = Duration::ZERO;
    for seed in options.seeds.clone() {
        let world = world::world(seed, options.noise, &noise);
        let mut random = Random::new(seed ^ 0x5eed);
        for workspace in 0..plan::WORKSPACES {
            let name = format!("team-{workspace}");
            let mut sessions: Vec<Session> =
                world.sessions.iter().filter(|session| session.workspace == name).cloned().collect();
            let started = Instant::now();
            let tree = published(&name, &sessions, config, options.model);
            mining += started.elapsed();
            random.shuffle(&mut sessions);
            if let Some(folder) = &options.out {
                write(&tree, &folder.join(format!("{seed}-{name}")));
            }
            identical &= published(&name, &sessions, config, options.model) == tree;
            score.add(&world, workspace, &tree, noise.held_out(), &mut random);
            if options.show {
                tree.iter()
                    .filter(|(path, _)| path.ends_with("SKILL.md"))
                    .for_each(|(_, text)| println!("{text}"));
            }
        }
    }
    (score, identical, mining)
}

fn write(tree: &Tree, folder: &Path) {
    for (path, text) in tree {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn published(workspace: &str, sessions: &[Session], config: &Config<'_>, model: Option<Manner>) -> Tree {
    let snapshot = Snapshot { workspace, sessions };
    let mined = match model {
        None => mine(&snapshot, config, &Offline),
        Some(manner) => model::mine_worded(&snapshot, config, manner),
    };
    if std::env::var_os("EXPLAIN").is_some() {
        mined.explain().iter().for_each(|line| println!("{line}"));
    }
    let library = load(Layout::Library, &Stored::default(), Tree::new()).unwrap();
    reconcile(&library, &[Findings::from(&mined)]).unwrap().files
}

fn print(options: &Options, score: &Score, identical: bool, mining: Duration) {
    let share =
        |part: usize, whole: usize| format!("{:.3} ({part}/{whole})", part as f64 / whole.max(1) as f64);
    println!("seeds {:?}, noise {:.0} %", options.seeds, options.noise * 100.0);
    println!("skill precision      {}", share(score.true_skills, score.published));
    println!("skill recall         {}", share(score.found, score.planted));
    println!("step recall in order {}", share(score.steps_found, score.steps));
    println!("evidence precision   {}", share(score.true_citations, score.citations));
    println!("trigger hit@1        {}", share(score.hits, score.asked));
    println!("false triggers       {}", share(score.false_triggers, score.idle_prompts));
    println!("refusals avoided     {}", share(score.avoided, score.avoidable));
    println!("refused, yet a step  {}", score.refused_in_steps);
    println!("secrets leaked       {}", score.leaked_secrets);
    println!("injections leaked    {}", score.leaked_injections);
    println!("byte-identical       {identical}");
    if let Some(manner) = options.model {
        let (asked, worded) = model::lines();
        println!("lines worded         {} (by a model that answers {manner:?})", share(worded, asked));
    }
    println!("mining               {:.1} s", mining.as_secs_f64());
    if options.show {
        score.wrong.iter().for_each(|wrong| println!("wrong  {wrong}"));
        score.missed.iter().for_each(|missed| println!("missed {missed}"));
        score.wrong_citations.iter().for_each(|wrong| println!("wrongly cited {wrong}"));
    }
}
