//! Publishers that race, people that push in between, and publishers that are killed.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use skillspan::exporters::Destination;
use skillspan::exporters::git::{Config, Git, Mode, Remote};
use skillspan::library::Change;

use super::hosts;
use super::repository::{Bare, SKILL, STATE, first, git, other, try_git, update, with_migration};

/// How many rounds of the race are run.
const ROUNDS: &str = "SKILLSPAN_TEST_RACES";
/// Every how many of git's runs a publisher is killed; 1 kills it at every one.
const KILL_EVERY: &str = "SKILLSPAN_TEST_KILL_EVERY";
/// Tells a child of the test which remote to publish to, and with which git.
const CHILD: &str = "SKILLSPAN_TEST_PUBLISH_TO";

#[test]
fn two_publishers_and_a_person_race_and_nothing_is_lost() {
    let bare = Bare::new();
    race(&bare, 6, |worker| bare.config(worker, Mode::Direct));
}

#[test]
fn two_publishers_over_http_and_a_person_race_and_nothing_is_lost() {
    let bare = Bare::new();
    let server = hosts::serve(&bare);
    race(&bare, 3, |worker| {
        let cache = bare.config(worker, Mode::Direct).cache;
        Config { mode: Mode::Direct, cache, ..hosts::over_http(&bare, &server, hosts::TOKEN) }
    });
}

fn race(bare: &Bare, rounds: usize, config: impl Fn(&str) -> Config) {
    let rounds: usize = std::env::var(ROUNDS).map_or(rounds, |rounds| rounds.parse().unwrap());
    let person = bare.person("ann");
    person.pull("main");
    person.write("notes/start.txt", "start");
    person.commit_and_push("main", "Start");
    for round in 0..rounds {
        std::thread::scope(|scope| {
            for worker in 0..2 {
                let publisher = Git::new(config(&format!("worker{worker}")));
                scope.spawn(move || {
                    let report = publisher.publish(&update(&other(2 * round + worker))).unwrap();
                    assert_eq!(report.named(Change::Created).len(), 1, "{report}");
                });
            }
            scope.spawn(|| {
                person.write(&format!("notes/{round}.txt"), "a note");
                person.git(&["add", "--all"]);
                person.git(&["commit", "--quiet", "--message", &format!("Note {round}")]);
                while !try_git(&person.folder, &["push", "--quiet", "origin", "HEAD:refs/heads/main"]).0 {
                    person.git(&["pull", "--quiet", "--rebase", "origin", "main"]);
                }
            });
        });
    }
    let files = bare.files("main");
    let skills = files.keys().filter(|path| path.ends_with("/SKILL.md")).count();
    assert_eq!(skills, 2 * rounds, "no skill is lost");
    let notes = files.keys().filter(|path| path.starts_with("notes/")).count();
    assert_eq!(notes, rounds + 1, "no commit of a person is lost");
    assert!(files.values().all(|text| !text.contains("<<<<<<<") && !text.contains(">>>>>>>")));
    assert_eq!(bare.commits("main"), 1 + 3 * rounds, "and no commit was forced away");
    assert_eq!(bare.commits(STATE), 2 * rounds);
    let listed = files["README.md"].matches("/SKILL.md)").count();
    assert_eq!(listed, 2 * rounds, "the list has every skill");
}

/// Not a test: what the children of the next test run.
#[test]
fn publish_as_a_child() {
    let Ok(place) = std::env::var(CHILD) else { return };
    let (remote, program) = place.split_once('|').unwrap();
    let bare = Bare::new();
    let mut config = bare.config("child", Mode::Direct);
    config.remote = Remote::parse(&format!("file://{remote}")).unwrap();
    config.cache = Path::new(remote).with_extension("cache");
    config.program = program.into();
    Git::new(config).publish(&update(&with_migration())).unwrap();
}

/// A git that counts its runs, and kills who started it before or after a certain one.
fn killing_git(folder: &Path, victim: usize, after: bool) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("killing-git");
    let count = folder.join("runs");
    let _ = fs::remove_file(&count);
    let run = if after { "git \"$@\"; kill -9 $PPID; exit 1" } else { "kill -9 $PPID; exit 1" };
    let script = format!(
        "#!/bin/sh\necho >> {0}\nif [ \"$(wc -l < {0})\" -eq {victim} ]; then {run}; fi\nexec git \"$@\"\n",
        count.display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

fn run_child(remote: &Path, program: &str) -> std::process::ExitStatus {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "races::publish_as_a_child", "--nocapture"])
        .env(CHILD, format!("{}|{program}", remote.display()))
        .output()
        .unwrap()
        .status
}

#[test]
fn killed_at_every_step_the_remote_ends_the_same() {
    let bare = Bare::new();
    bare.direct().publish(&update(&first())).unwrap();
    let folder = bare.folder.path();
    let copy = |name: &str| {
        let path = folder.join(name);
        git(folder, &["clone", "--quiet", "--mirror", &bare.url(), path.to_str().unwrap()]);
        path
    };
    let tree =
        |remote: &Path| git(remote, &["ls-tree", "-r", "main"]) + &git(remote, &["ls-tree", "-r", STATE]);
    let commits = |remote: &Path| git(remote, &["rev-list", "--count", "main", STATE]);
    let undisturbed = copy("undisturbed.git");
    assert!(run_child(&undisturbed, &killing_git(folder, 0, false)).success());
    let steps = fs::read_to_string(folder.join("runs")).unwrap().lines().count();
    assert!(steps > 10 && git(&undisturbed, &["show", &format!("main:{SKILL}")]).contains("make migrate"));
    let every: usize = std::env::var(KILL_EVERY).map_or(5, |every| every.parse().unwrap());
    for step in (1..=steps).step_by(every) {
        for after in [false, true] {
            let remote = copy(&format!("killed-{step}-{after}.git"));
            let killed = run_child(&remote, &killing_git(folder, step, after));
            assert_eq!(killed.signal(), Some(9), "step {step}");
            // The next start, on the disk as it was left.
            assert!(run_child(&remote, "git").success(), "after a kill at step {step}, after it: {after}");
            assert_eq!(tree(&remote), tree(&undisturbed), "step {step}, after it: {after}");
            assert_eq!(commits(&remote), commits(&undisturbed), "step {step}, after it: {after}");
        }
    }
}
