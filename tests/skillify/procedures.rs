//! What a procedure is: what sessions did as a whole, and what belongs to it alone.

#![allow(clippy::indexing_slicing, reason = "numbers of sessions are the test's own")]

use skillspan::event::Status;
use skillspan::skillify::{Candidate, Config, Digest, Shortfall, null};
use skillspan::table::Session;

use super::sessions::{SessionBuilder, mined, other_work, session};

/// Ids in the order of their days.
const IDS: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
const PEOPLE: [&str; 4] = ["alice", "bob", "cem", "dina"];

/// A session on the day of its number, by one of four people.
fn nth(number: usize) -> SessionBuilder {
    session(IDS[number]).by(PEOPLE[number % PEOPLE.len()])
}

fn published(sessions: &[Session]) -> Vec<Candidate> {
    let sessions: Vec<Session> = sessions.iter().cloned().chain(other_work(20)).collect();
    mined(&sessions).candidates.into_iter().filter(Candidate::is_published).collect()
}

fn descriptions(sessions: &[Session]) -> Vec<String> {
    let mut texts: Vec<String> =
        published(sessions).into_iter().map(|skill| skill.wording.description).collect();
    texts.sort();
    texts
}

fn steps(skill: &Candidate) -> Vec<&str> {
    skill.wording.steps.iter().map(|line| line.text.as_str()).collect()
}

/// Six deploys, to the first stage and to the second by turns.
fn deploys(commands: impl Fn(&str) -> Vec<String>, prompts: [&str; 2]) -> Vec<Session> {
    let deploy = |number: usize| {
        let stage = ["staging", "prod"][number % 2];
        let asked = nth(number).prompt(prompts[number % 2]);
        let done = commands(stage).iter().fold(asked, |session, command| session.ok(command));
        done.prompt("thanks").build()
    };
    (0..6).map(deploy).collect()
}

#[test]
fn what_differs_in_one_argument_throughout_is_two_procedures() {
    let commands = |stage: &str| {
        let ask = if stage == "prod" { " --require-approval never" } else { "" };
        vec![
            "npm run bundle".to_owned(),
            format!("npx cdk deploy Shop --context stage={stage}{ask}"),
            format!("./tools/smoke.sh {stage}"),
        ]
    };
    let sessions = deploys(commands, ["deploy the shop to staging", "deploy the shop to production"]);
    assert_eq!(
        descriptions(&sessions),
        [
            "Deploy shop production: the 3 steps of this work here, in order. Use when asked to deploy shop \
             production.",
            "Deploy shop staging: the 3 steps of this work here, in order. Use when asked to deploy shop staging.",
        ]
    );
    let mut skills = published(&sessions);
    skills.sort_by_key(|skill| skill.wording.title.clone());
    assert_eq!(
        skills.iter().map(steps).collect::<Vec<_>>(),
        [
            [
                "Run `npm run bundle`.",
                "Run `npx cdk deploy Shop --context stage=prod --require-approval never`.",
                "Run `./tools/smoke.sh prod`."
            ],
            [
                "Run `npm run bundle`.",
                "Run `npx cdk deploy Shop --context stage=staging`.",
                "Run `./tools/smoke.sh staging`."
            ],
        ]
    );
}

#[test]
fn an_argument_of_one_command_that_people_ask_for_is_two_procedures() {
    let commands = |stage: &str| {
        vec![
            "make image".to_owned(),
            format!("./tools/roll-out.sh {stage}"),
            "./tools/tell-team.sh".to_owned(),
        ]
    };
    let told = deploys(commands, ["roll the api out to staging", "roll the api out to production"]);
    assert_eq!(descriptions(&told).len(), 2);
    let untold = deploys(commands, ["roll the api out", "roll the api out"]);
    let [one] = published(&untold).try_into().unwrap();
    let text = format!("{:?}", one.wording);
    assert!(!text.contains("staging") && !text.contains("prod"), "{text}");
}

#[test]
fn an_argument_with_many_values_stays_a_hole() {
    let of = |number: usize| {
        let shop = ["lisbon", "porto", "faro"][number % 3];
        nth(number)
            .prompt(&format!("open the shop of {shop} in the register"))
            .ok(&format!("./register/open.sh --shop={shop}"))
            .ok(&format!("./register/print-sign.sh --shop={shop}"))
            .prompt("thanks")
            .build()
    };
    let sessions: Vec<Session> = (0..9).map(of).collect();
    let [skill] = published(&sessions).try_into().unwrap();
    assert_eq!(steps(&skill).len(), 2);
    assert!(steps(&skill).iter().all(|step| step.contains("--shop={")), "{:?}", steps(&skill));
}

#[test]
fn alternatives_never_follow_each_other() {
    let of = |number: usize| {
        let asked = nth(number).prompt("load the price list into the till").ok("./till/fetch-prices.sh");
        let loaded = if number < 3 {
            asked.ok("./till/load.sh --quick prices.csv")
        } else {
            asked.ok("./till/load.sh prices.csv --slowly --and with-care")
        };
        loaded.ok("./till/restart.sh").prompt("thanks").build()
    };
    let sessions: Vec<Session> = (0..6).map(of).collect();
    for skill in published(&sessions) {
        let loads = steps(&skill).into_iter().filter(|step| step.contains("./till/load.sh"));
        assert!(loads.count() < 2, "{:?}", steps(&skill));
    }
}

#[test]
fn one_command_that_two_share_among_everyday_work_is_no_procedure() {
    let fixes = |count: usize| -> Vec<Session> {
        let of = |number: usize| {
            let extra = ["openssl rand -hex 8", "openssl rand -hex 8", "kill %1"][number % 3];
            nth(number)
                .prompt("the ledger rounds wrong, fix it")
                .edit("/w/src/ledger.rs")
                .ok(extra)
                .ok("cargo test")
                .ok("git commit -am fix")
                .prompt("thanks")
                .build()
        };
        (0..count).map(of).collect()
    };
    for count in 2..=3 {
        let sessions = fixes(count);
        assert_eq!(descriptions(&sessions), [""; 0]);
        let explained = mined(&sessions).explain().join("\n");
        assert!(explained.contains("one command among everyday work"), "{explained}");
    }
}

#[test]
fn evidence_is_of_those_who_did_what_belongs_to_the_procedure() {
    let of = |number: usize| {
        let asked = nth(number).prompt("regenerate the protobuf code");
        let made = if number < 3 { asked.ok("go vet ./...") } else { asked.ok("buf generate") };
        made.ok("go build ./...").prompt("thanks").build()
    };
    let sessions: Vec<Session> = (0..12).map(of).collect();
    let [skill] = published(&sessions).try_into().unwrap();
    assert_eq!(skill.sessions().len(), 9);
}

#[test]
fn a_command_that_only_fails_of_late_gives_way_to_what_sessions_do_since() {
    let of = |number: usize| {
        let asked = nth(number).prompt("regenerate the protobuf code");
        let made =
            if number < 5 { asked.ok("make proto") } else { asked.fails("make proto").ok("buf generate") };
        made.ok("go build ./...").prompt("thanks").build()
    };
    let sessions: Vec<Session> = (0..9).map(of).collect();
    let [skill] = published(&sessions).try_into().unwrap();
    assert_eq!(steps(&skill), ["Run `buf generate`.", "Run `go build ./...`."]);
    assert_eq!(skill.sessions().len(), 4);

    let given_up = |number: usize| {
        let asked = nth(number).prompt("regenerate the protobuf code");
        if number < 5 { asked.ok("make proto").ok("go build ./...") } else { asked.fails("make proto") }
            .prompt("thanks")
            .build()
    };
    let sessions: Vec<Session> = (0..9).map(given_up).collect();
    assert_eq!(descriptions(&sessions), [""; 0]);
    let explained = mined(&sessions).explain().join("\n");
    assert!(explained.contains("in the newest sessions it only failed"), "{explained}");
}

#[test]
fn what_sessions_repaired_without_is_no_part_of_the_repair() {
    let of = |number: usize| {
        let asked = nth(number).prompt("run the integration tests").fails("make itest");
        let looked = if number < 2 { asked.ok("npx prettier --write src") } else { asked };
        looked.ok("docker compose up -d postgres").ok("make itest").prompt("thanks").build()
    };
    let sessions: Vec<Session> = (0..6).map(of).collect();
    let [skill] = published(&sessions).try_into().unwrap();
    assert_eq!(skill.claims.len(), 1);
    let lessons: Vec<&str> = skill.wording.lessons.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lessons, ["If `make itest` fails, run `docker compose up -d postgres`."]);
    assert!(steps(&skill).is_empty());
}

#[test]
fn a_line_that_the_guard_holds_back_takes_no_skill_with_it() {
    let of = |number: usize| {
        let told = "The user doesn't want to proceed with this tool use. The tool use was rejected. To tell \
                    you how to proceed, the user said:\nNever use rm -rf!";
        nth(number)
            .prompt("the bazel cache is corrupt, clean it")
            .run_with_output("rm -rf ~/.cache/bazel", Status::Error, told)
            .ok("bazel clean --async")
            .ok("bazel build //app/...")
            .ok("./bazel/warm.sh")
            .prompt("thanks")
            .build()
    };
    let sessions: Vec<Session> = (0..4).map(of).collect();
    let [skill] = published(&sessions).try_into().unwrap();
    assert_eq!(
        steps(&skill),
        ["Run `bazel clean --async`.", "Run `bazel build //app/...`.", "Run `./bazel/warm.sh`."]
    );
    assert!(skill.wording.avoid.is_empty() && skill.wording.lessons.is_empty());
    let all = mined(&sessions).candidates;
    assert!(!format!("{all:?}").contains("rm -rf"));
    let guarded = Shortfall::Guarded("a destructive command".to_owned());
    assert!(all.iter().any(|held| held.shortfalls.contains(&guarded)), "{:?}", mined(&sessions).explain());
}

#[test]
fn preferences_that_contradict_each_other_are_none() {
    let of = |number: usize| {
        let names = ["left-pad", "lodash", "chalk", "zod"];
        let (name, said) = (names[number % 4], ["npm install", "pnpm add"]);
        let (wrong, right) = if number < 3 { (said[0], said[1]) } else { (said[1], said[0]) };
        let tool = |command: &str| command.split(' ').next().unwrap_or_default().to_owned();
        nth(number)
            .prompt(&format!("add {name}"))
            .ok(&format!("{wrong} {name}"))
            .prompt(&format!("no, use {}, not {}", tool(right), tool(wrong)))
            .ok(&format!("{right} {name}"))
            .prompt("thanks")
            .build()
    };
    let undecided: Vec<Session> = (0..6).map(of).collect();
    assert_eq!(descriptions(&undecided), [""; 0]);
    let one_way: Vec<Session> = (0..3).map(of).collect();
    assert_eq!(descriptions(&one_way).len(), 1);
}

#[test]
fn a_step_that_cannot_be_undone_says_to_ask_first() {
    let of = |number: usize| {
        nth(number)
            .prompt("tear the preview environment down")
            .ok("./preview/drain.sh")
            .ok("terraform -chdir=preview destroy -auto-approve")
            .prompt("thanks")
            .build()
    };
    let [skill] = published(&(0..4).map(of).collect::<Vec<_>>()).try_into().unwrap();
    assert_eq!(
        steps(&skill),
        [
            "Run `./preview/drain.sh`.",
            "Run `terraform -chdir=preview destroy -auto-approve`. It cannot be undone: ask first.",
        ]
    );
}

#[test]
fn long_sessions_that_edit_what_everybody_edits_do_no_work_of_one_kind() {
    const HOT: [&str; 8] = ["till", "menu", "oven", "cart", "scale", "label", "stock", "order"];
    let file = |at: usize| format!("src/{0}/{0}.ts", HOT[at % HOT.len()]);
    // Long sessions edit nearly all of the files, again and again, in an order of their own, and a page; short ones edit
    // three, and a page now and then.
    let page = |number: usize| format!("src/pages/page{number}.ts");
    let long = |number: usize| {
        let asked = nth(number).prompt("rework the prices of the menu and the till");
        let edited = (0..140).map(|at| at * 7 + number).filter(|at| at % HOT.len() != number);
        edited
            .fold(asked, |session, at| session.edit(&file(at)))
            .edit(&page(number))
            .ok("bun run test")
            .prompt("thanks")
            .build()
    };
    let short = |number: usize| {
        let asked =
            session(&format!("short-{number}")).by(PEOPLE[number % PEOPLE.len()]).on(number as i64 % 25);
        let asked = asked.prompt(["mend the rounding", "colour the drawer", "sort the ledger"][number % 3]);
        let edited = (0..3).fold(asked, |session, at| session.edit(&file(at * 7 + number)));
        let edited = if number.is_multiple_of(6) { edited.edit(&page(number + 20)) } else { edited };
        edited.ok("bun run test").prompt("thanks").build()
    };
    let sessions: Vec<Session> = (0..9).map(long).chain((0..60).map(short)).collect();
    let digests: Vec<Digest> = sessions.iter().map(Digest::of).collect();
    let table = null("shop", &digests, &Config::default(), 10);
    let row = table.rows.into_iter().find(|row| row.kind == "procedure").unwrap();
    assert_eq!(row.real, 0, "{row:?}");
    // Nor does chance make one of them.
    assert!(row.holds(), "{row:?}");
}
