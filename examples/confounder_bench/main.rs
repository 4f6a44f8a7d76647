//! A second planted benchmark of mining: lessons among what only looks like them.
//!
//! `skill_bench` asks whether planted work is found among noise. This one asks whether the right
//! cause is found: its sessions hold the confounders of real ones, at about the rates that recorded
//! sessions have (edits between a failure and a pass, masked status, chains, wrappers, both orders of
//! a pair, theme files, flaky checks, corrections in words). Each workspace has eight to twelve
//! lessons that must be published and some twenty decoys that must not. Nothing here but
//! [`published`] knows of mining.
//!
//! ```text
//! cargo run --example confounder_bench -- [--seeds 1..4] [--noise 0.3] [--show] [--out FOLDER]
//! cargo run --example confounder_bench -- --rates [FILE.jsonl ...]      # of the planted sessions, or of recorded ones
//! cargo run --example confounder_bench -- --rules [--seeds 1..21]    # rules that people state: what a person is asked about
//! cargo run --example confounder_bench -- --author credulous    # a model proposes everything, and everybody agrees
//! cargo run --example confounder_bench -- --truth | --folly    # the benchmark itself: 1.0 and 0 throughout
//! ```
//!
//! Seeds 1 to 20 are for tuning. Seeds 101 to 120 are looked at by nobody who tunes; they judge once.
//! Seeds from 201 on are spare, for when those have been looked at. The benchmark itself is frozen:
//! it is not changed to suit a miner.
//!
//! | file | holds |
//! |---|---|
//! | `plan.rs`, `kinds.rs`, `style.rs` | what is planted, and a workspace's toolchain |
//! | `world.rs` | workspaces, people, which session plays what |
//! | `play.rs`, `shows.rs`, `decoys.rs`, `tools.rs`, `taught.rs`, `commits.rs` | everyday work, lessons, decoys |
//! | `record.rs` | sessions in the shapes of four clients |
//! | `outputs.rs`, `words.rs` | what runners print, what people say |
//! | `reading.rs`, `matching.rs`, `score.rs` | published lines, read and judged |
//! | `oracle.rs` | what a perfect and what a credulous miner would publish |
//! | `author.rs` | a model that proposes lessons, in its moods |
//! | `rules.rs` | rules that people state, and what only sounds like one |
//! | `rates.rs`, `trail.rs`, `lines.rs` | the rates of confounders, in planted and in recorded sessions |

#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a program for people at a terminal, without input from outside"
)]

mod author;
mod commits;
mod decoys;
mod kinds;
mod lines;
mod matching;
#[allow(dead_code, reason = "of the other benchmark, which uses all of it")]
#[path = "../skill_bench/noise.rs"]
mod noise;
mod oracle;
mod outputs;
mod plan;
mod play;
#[path = "../skill_bench/poison.rs"]
mod poison;
#[path = "../skill_bench/random.rs"]
mod random;
mod rates;
mod reading;
mod record;
mod rules;
mod score;
mod shows;
mod style;
mod taught;
mod tools;
mod trail;
mod words;
mod world;

/// The name under which `noise.rs` knows a session that grows.
mod session {
    pub(crate) use crate::record::Record as Builder;
}

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use skillspan::library::{Findings, Layout, Stored, Tree, load, reconcile};
use skillspan::skillify::{Classes, Config, Offline, PublishRule, Snapshot, mine};
use skillspan::table::Session;

use author::Mood;
use noise::Noise;
use random::Random;
use score::Score;
use world::Workspace;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Options {
    seeds: std::ops::Range<u64>,
    noise: f64,
    show: bool,
    /// Write the published files below this folder as well.
    out: Option<PathBuf>,
    /// Measure rates instead of mining: of these files, or of the planted sessions.
    rates: Option<Vec<PathBuf>>,
    /// Rules that people state, instead of what is published.
    rules: bool,
    /// What a model in this mood proposes is published as well.
    author: Option<Mood>,
    /// Score this instead of what is mined.
    instead: Option<fn(&Workspace) -> Tree>,
}

fn options() -> Options {
    let mut options = Options {
        seeds: 1..4,
        noise: 0.3,
        show: false,
        out: None,
        rates: None,
        rules: false,
        author: None,
        instead: None,
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
            "--out" => options.out = arguments.next().map(PathBuf::from),
            "--show" => options.show = true,
            "--truth" => options.instead = Some(oracle::truth),
            "--folly" => options.instead = Some(oracle::folly),
            "--rules" => options.rules = true,
            "--author" => options.author = arguments.next().map(|mood| Mood::parse(&mood)),
            "--rates" => options.rates = Some(Vec::new()),
            file if options.rates.is_some() && !file.starts_with('-') => {
                options.rates.iter_mut().for_each(|files| files.push(file.into()));
            }
            other => panic!("no such option: {other}"),
        }
    }
    options
}

fn main() {
    let options = options();
    if let Some(files) = &options.rates {
        return rates::print(&teams(&options, files));
    }
    if options.rules {
        return rules::print(options.seeds);
    }
    let (score, identical, mining) = measure(&options);
    print(&options, &score, identical, mining);
}

/// The sessions to measure rates on.
fn teams(options: &Options, files: &[PathBuf]) -> Vec<(String, Vec<trail::Trail>)> {
    if !files.is_empty() {
        let read = |file: &PathBuf| std::fs::read_to_string(file).unwrap();
        let name = |file: &Path| file.file_stem().unwrap().to_string_lossy().into_owned();
        return files
            .iter()
            .map(|file| (name(file), read(file).lines().map(trail::of_recorded).collect()))
            .collect();
    }
    let noise = Noise::load();
    let mut teams: Vec<(String, Vec<trail::Trail>)> = Vec::new();
    for seed in options.seeds.clone() {
        for (number, workspace) in world::world(seed, options.noise, &noise).into_iter().enumerate() {
            if teams.len() <= number {
                teams.push((workspace.name.clone(), Vec::new()));
            }
            let trails = workspace.sessions.iter().map(trail::of_session).collect();
            teams[number].1.extend(trail::alike(trails, &workspace.plan.style.theme));
        }
    }
    teams
}

/// Mines every workspace of every seed, twice: the second time in another order.
fn measure(options: &Options) -> (Score, bool, Duration) {
    let noise = Noise::load();
    let mut score = Score::default();
    let mut identical = true;
    let mut mining = Duration::ZERO;
    for seed in options.seeds.clone() {
        let mut random = Random::new(seed ^ 0x5eed);
        for workspace in world::world(seed, options.noise, &noise) {
            let started = Instant::now();
            let mined = |sessions: &[Session]| match options.instead {
                Some(publish) => publish(&workspace),
                None => published(&workspace.name, sessions, options.author),
            };
            let tree = mined(&workspace.sessions);
            mining += started.elapsed();
            let mut sessions = workspace.sessions.clone();
            random.shuffle(&mut sessions);
            identical &= mined(&sessions) == tree;
            score.add(&workspace, &tree);
            if let Some(folder) = &options.out {
                write(&tree, &folder.join(format!("{seed}-{}", workspace.name)));
            }
            if options.show {
                let skills = tree.iter().filter(|(path, _)| path.ends_with("SKILL.md"));
                skills.for_each(|(_, text)| println!("{text}"));
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

/// The only place that knows of mining.
fn published(workspace: &str, sessions: &[Session], author: Option<Mood>) -> Tree {
    let snapshot = Snapshot { workspace, sessions };
    // Mining is measured, whatever a person would have to agree to.
    let publish = PublishRule { allow: Classes::EVERY, ..PublishRule::default() };
    let config = Config { publish, ..Config::default() };
    let mut mined = mine(&snapshot, &config, &Offline);
    if let Some(mood) = author {
        author::add(&mut mined, sessions, mood);
    }
    if std::env::var_os("EXPLAIN").is_some() {
        mined.explain().iter().for_each(|line| println!("{line}"));
    }
    let library = load(Layout::Library, &Stored::default(), Tree::new()).unwrap();
    reconcile(&library, &[Findings::from(&mined)]).unwrap().files
}

fn print(options: &Options, score: &Score, identical: bool, mining: Duration) {
    let share =
        |part: usize, whole: usize| format!("{:.3} ({part}/{whole})", part as f64 / whole.max(1) as f64);
    let (planted, said) =
        score.lessons.values().fold((0, 0), |sum, lesson| (sum.0 + lesson.0, sum.1 + lesson.1));
    println!("seeds {:?}, noise {:.0} %, {} sessions", options.seeds, options.noise * 100.0, score.sessions);
    println!("line precision       {}", share(score.true_lines, score.lines));
    println!("skill precision      {}", share(score.true_skills, score.skills));
    println!("lesson recall        {}", share(said, planted));
    for kind in plan::KINDS {
        let (planted, said) = score.lessons.get(kind).copied().unwrap_or_default();
        println!("  {kind:<18} {}", share(said, planted));
    }
    println!("evidence precision   {}", share(score.true_citations, score.citations));
    let false_lines = decoys::KINDS.iter().filter_map(|kind| Some((kind, score.false_lines.get(kind)?)));
    let false_lines: Vec<String> = false_lines.map(|(kind, count)| format!("{kind} {count}")).collect();
    println!(
        "false lines          {}",
        if false_lines.is_empty() { "none".to_owned() } else { false_lines.join(", ") }
    );
    println!("secrets leaked       {}", score.leaked_secrets);
    println!("injections leaked    {}", score.leaked_injections);
    println!("byte-identical       {identical}");
    println!("mining               {:.1} s", mining.as_secs_f64());
    if options.show {
        score.wrong.iter().for_each(|wrong| println!("wrong  {wrong}"));
        score.missed.iter().for_each(|missed| println!("missed {missed}"));
        score.wrong_citations.iter().for_each(|wrong| println!("wrongly cited {wrong}"));
    }
}
