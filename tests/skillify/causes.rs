//! What made mining say false things about real sessions, each cause as a small team that shows it, beside
//! the same team without it: the one teaches nothing false, the other teaches what is true.

#![allow(clippy::indexing_slicing, reason = "numbers of sessions are the test's own")]

use skillspan::event::Status;
use skillspan::skillify::{Candidate, Config, Digest, null};
use skillspan::table::Session;

use super::sessions::{SessionBuilder, mined, session};

pub(super) const PROJECT: &str = "git.example.com/acme/tea-shop";
const REFUSED_PORT: &str = "psql: error: connection refused on port 5433";

pub(super) fn published(sessions: &[Session]) -> Vec<Candidate> {
    mined(sessions).candidates.into_iter().filter(Candidate::is_published).collect()
}

/// Every line that is published.
pub(super) fn lines(sessions: &[Session]) -> Vec<String> {
    let of = |skill: &Candidate| -> Vec<String> {
        let wording = &skill.wording;
        let all =
            wording.lessons.iter().chain(&wording.steps).chain(&wording.if_it_fails).chain(&wording.avoid);
        all.map(|line| line.text.clone()).collect()
    };
    published(sessions).iter().flat_map(of).collect()
}

fn nothing() -> Vec<String> {
    Vec::new()
}

/// The sessions that support the only published claim.
fn support(sessions: &[Session]) -> Vec<String> {
    let skills = published(sessions);
    let claims: Vec<_> = skills.iter().flat_map(|skill| &skill.claims).collect();
    assert_eq!(claims.len(), 1, "{claims:#?}");
    claims[0].sessions().into_iter().map(|(_, session)| session.to_owned()).collect()
}

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];

fn begun(id: &str, number: usize) -> SessionBuilder {
    session(&format!("{id}{number}")).by(PEOPLE[number % PEOPLE.len()]).project(PROJECT)
}

/// So many sessions of several people that do the same, each asked in words of its own.
fn times(many: usize, id: &str, work: impl Fn(SessionBuilder) -> SessionBuilder) -> Vec<Session> {
    let asked = ["Is the till right?", "The scales, please", "Labels next", "How are the crates?"];
    (0..many).map(|number| work(begun(id, number).prompt(asked[number % asked.len()])).build()).collect()
}

/// Three of them.
fn three(work: impl Fn(SessionBuilder) -> SessionBuilder) -> Vec<Session> {
    times(3, "s", work)
}

/// Other work of the same people.
fn noise() -> Vec<Session> {
    let of = |number: usize| {
        begun("other-", number)
            .prompt(&format!("mend widget{number} of page{number}"))
            .read("README.md")
            .edit(&format!("src/widget{number}.rs"))
            .ok(&format!("./scratch/try{number}.sh"))
            .ok("git commit -am mended")
            .prompt("thanks")
            .build()
    };
    (0..20).map(of).collect()
}

pub(super) fn with_noise(mut sessions: Vec<Session>) -> Vec<Session> {
    sessions.extend(noise());
    sessions
}

const DATABASE: &str = "If `make itest` fails with \"connection refused\", run `make db-up`.";

fn fails_for_the_database(session: SessionBuilder) -> SessionBuilder {
    session.run_with_output("make itest", Status::Error, REFUSED_PORT)
}

fn repaired(session: SessionBuilder) -> SessionBuilder {
    fails_for_the_database(session).ok("make db-up").ok("make itest")
}

#[test]
fn the_classic_case_is_published_among_noise() {
    let sessions = with_noise(three(repaired));
    assert_eq!(lines(&sessions), [DATABASE]);
    assert_eq!(support(&sessions), ["s0", "s1", "s2"]);
    assert_eq!(lines(&with_noise(times(2, "s", repaired))), nothing(), "two sessions may be an accident");
}

#[test]
fn cause_1_a_pass_without_a_failure_before_it_supports_no_repair() {
    let passes = |session: SessionBuilder| session.ok("make db-up").ok("make itest");
    let mut sessions = with_noise(times(6, "p", passes));
    assert_eq!(lines(&sessions), nothing());
    sessions.extend(three(repaired));
    let skills = published(&sessions);
    let repair = skills.iter().flat_map(|skill| &skill.claims).find(|claim| !claim.failures.is_empty());
    let supporting: Vec<&str> = repair.unwrap().sessions().into_iter().map(|(_, session)| session).collect();
    assert_eq!(supporting, ["s0", "s1", "s2"]);
    assert!(lines(&sessions).contains(&DATABASE.to_owned()));
}

#[test]
fn cause_2_what_ran_beside_an_edit_repairs_nothing() {
    let failed = |session: SessionBuilder| {
        session.run_with_output("make itest", Status::Error, "KeyError: 'darjeeling'")
    };
    let between: [fn(SessionBuilder, &str) -> SessionBuilder; 3] = [
        |session, file| session.edit(file),
        |session, file| session.ok(&format!("sed -i s/a/b/ {file}")),
        |session, file| session.ok(&format!("python3 - <<'E'\nopen('{file}', 'w').write('')\nE")),
    ];
    for changed in between {
        let of = |number: usize| {
            let file = ["src/cart.py", "web/till.ts", "api/scales.go"][number % 3];
            let asked = begun("s", number).prompt(["The till, please", "Mend the scales"][number % 2]);
            changed(failed(asked), file).ok("make stubs").ok("make itest").build()
        };
        let said = lines(&with_noise((0..6).map(of).collect()));
        assert!(said.iter().all(|line| !line.contains("make stubs")), "{said:?}");
    }
    let clean = with_noise(three(|session| failed(session).ok("make stubs").ok("make itest")));
    assert_eq!(lines(&clean), ["If `make itest` fails with \"KeyError\", run `make stubs`."]);
}

#[test]
fn cause_3_what_a_stronger_repair_explains_is_none() {
    let both =
        |session| fails_for_the_database(session).ok("make wipe-cache").ok("make db-up").ok("make itest");
    let mut sessions = with_noise(times(3, "b", both));
    sessions.extend(times(5, "s", repaired));
    assert_eq!(lines(&sessions), [DATABASE]);
    // By itself it does repair.
    let alone = |session: SessionBuilder| {
        session
            .run_with_output("make itest", Status::Error, "RuntimeError: stale tea leaves")
            .ok("make wipe-cache")
            .ok("make itest")
    };
    sessions.extend(times(4, "a", alone));
    let both = [
        "If `make itest` fails with \"RuntimeError\", run `make wipe-cache`.".to_owned(),
        DATABASE.to_owned(),
    ];
    let mut said = lines(&sessions);
    said.sort_by_key(|line| line.contains("connection"));
    assert_eq!(said, both);
}

#[test]
fn cause_4_of_both_directions_of_a_pair_none_is_published() {
    let one_way = |session: SessionBuilder| {
        session
            .run_with_output("./till/open.sh", Status::Error, "error: database is locked")
            .ok("./till/unlock.sh")
            .ok("./till/open.sh")
    };
    let other_way = |session: SessionBuilder| {
        session
            .run_with_output("./till/unlock.sh", Status::Error, "error: database is locked")
            .ok("./till/open.sh")
            .ok("./till/unlock.sh")
    };
    let mut sessions = with_noise(times(4, "s", one_way));
    let said = "If `./till/open.sh` fails with \"database is locked\", run `./till/unlock.sh`.";
    assert_eq!(lines(&sessions), [said]);
    sessions.extend(times(4, "o", other_way));
    assert_eq!(lines(&sessions), nothing());
}

#[test]
fn cause_5_a_check_repairs_no_check() {
    let failed = |session: SessionBuilder| {
        session.run_with_output("npm test", Status::Error, "Error: Cannot find module './blends'")
    };
    for check in ["npm run lint", "npx tsc --noEmit", "npm run test:unit", "npx eslint src"] {
        let sessions = with_noise(times(6, "s", |session| failed(session).ok(check).ok("npm test")));
        assert_eq!(lines(&sessions), nothing(), "{check}");
    }
    let made = with_noise(three(|session| failed(session).ok("npm run blend").ok("npm test")));
    assert_eq!(lines(&made), ["If `npm test` fails with \"cannot find module\", run `npm run blend`."]);
}

#[test]
fn cause_6_no_placeholder_stands_where_a_subcommand_does() {
    let pairs =
        [("itest", "db-up"), ("e2e-test", "web-up"), ("api-test", "queue-up"), ("ui-test", "store-up")];
    let with = |id: &str, many: usize, (test, up): (&str, &str)| {
        times(many, id, |session| {
            session
                .run_with_output(&format!("mise run {test}"), Status::Error, REFUSED_PORT)
                .ok(&format!("mise run {up}"))
                .ok(&format!("mise run {test}"))
        })
    };
    let once = |many: usize| -> Vec<Session> {
        let of = |(at, pair): (usize, &(&str, &str))| with(&format!("s{at}-"), many, *pair);
        with_noise(pairs.iter().enumerate().flat_map(of).collect())
    };
    assert_eq!(lines(&once(1)), nothing());
    let said = lines(&once(3));
    assert_eq!(said.len(), 4, "{said:?}");
    for (test, up) in pairs {
        let line = format!("If `mise run {test}` fails with \"connection refused\", run `mise run {up}`.");
        assert!(said.contains(&line), "{said:?}");
    }
}

#[test]
fn cause_6_a_subcommand_of_git_is_no_placeholder_either() {
    let of = |id: &str, many: usize, command: &str, remedy: &str| {
        times(many, id, |session| {
            session
                .run_with_output(command, Status::Error, "fatal: could not get lock on the shed")
                .ok(remedy)
                .ok(command)
        })
    };
    let mut sessions = of("a", 1, "git gc", "git shed-open");
    sessions.extend(of("b", 1, "git repack", "git crate-open"));
    sessions.extend(of("c", 1, "git prune", "git yard-open"));
    assert_eq!(lines(&with_noise(sessions)), nothing());
    let same = with_noise(of("a", 3, "git gc", "git shed-open"));
    assert_eq!(lines(&same), ["If `git gc` fails with \"could not get lock\", run `git shed-open`."]);
}

#[test]
fn cause_7_a_masked_exit_status_proves_nothing_by_itself() {
    let failing = "E  connection refused on port 5433\n=== 3 failed, 12 passed in 4.10s ===";
    let passing = "=== 15 passed in 4.02s ===";
    for masked in ["pytest tests 2>&1 | tail -5", "pytest tests || true", "pytest tests; echo done"] {
        let run = |last: &'static str| {
            three(move |session| {
                session.run_with_output(masked, Status::Ok, failing).ok("make db-up").run_with_output(
                    masked,
                    Status::Ok,
                    last,
                )
            })
        };
        assert_eq!(
            lines(&with_noise(run(passing))),
            ["If `pytest tests` fails with \"connection refused\", run `make db-up`."],
            "{masked}: its summary says that it failed, and that it passed"
        );
        assert_eq!(lines(&with_noise(run("brewing …"))), nothing(), "{masked}: nothing says that it passed");
        assert_eq!(lines(&with_noise(run(failing))), nothing(), "{masked}: it failed again");
    }
}

#[test]
fn cause_8_the_commands_of_one_chain_are_one_step() {
    let asked = |number: usize| begun("s", number).prompt("bake the biscuit tins");
    let bake = |done: fn(SessionBuilder) -> SessionBuilder| -> Vec<Session> {
        with_noise((0..4).map(|number| done(asked(number)).prompt("thanks").build()).collect())
    };
    let chained = bake(|session| session.ok("./tins/fill.sh && ./tins/seal.sh"));
    assert_eq!(lines(&chained), nothing());
    let apart = bake(|session| session.ok("./tins/fill.sh").ok("./tins/seal.sh"));
    assert_eq!(lines(&apart), ["Run `./tins/fill.sh`.", "Run `./tins/seal.sh`."]);
}

#[test]
fn cause_8_a_chain_is_no_order_of_its_checks() {
    let chained = times(8, "s", |session| session.edit("src/lid.rs").ok("make fmt && make lint"));
    let said = lines(&with_noise(chained));
    assert!(said.iter().all(|line| !line.contains("before")), "{said:?}");
}

#[test]
fn cause_8_a_check_in_the_call_that_writes_a_file_belongs_to_no_edit() {
    let one_call = |session: SessionBuilder| session.ok("echo oolong > conf/tea.toml && make tea-check");
    assert_eq!(lines(&with_noise(times(6, "s", one_call))), nothing());
    let apart = |session: SessionBuilder| {
        let session = session.edit("conf/tea.toml").fails("make tea-check");
        session.edit("conf/tea.toml").ok("make tea-check")
    };
    let said = lines(&with_noise(times(6, "s", apart)));
    assert_eq!(said, ["After editing `conf/tea.toml`, run `make tea-check`."]);
}

#[test]
fn cause_9_a_folder_is_said_and_a_wrapper_that_is_needed_as_well() {
    let in_a_folder = with_noise(three(|session| {
        session
            .run_with_output("npm test", Status::Error, "npm ERR! Missing script: \"test\"")
            .ok("cd web && npm test")
    }));
    assert_eq!(
        lines(&in_a_folder),
        ["Use `(cd web && npm test)`; `npm test` fails here with \"missing script\"."]
    );
    let wrapped = with_noise(three(|session| {
        session
            .run_with_output("rtk bun run lint", Status::Error, "error: unrecognized subcommand 'bun'")
            .ok("bun run lint")
    }));
    assert_eq!(
        lines(&wrapped),
        ["Use `bun run lint`; `rtk bun run lint` fails here with \"unrecognized subcommand\"."]
    );
    let repaired = with_noise(three(|session| {
        session
            .run_with_output("cd web && npm test", Status::Error, REFUSED_PORT)
            .ok("make db-up")
            .ok("cd web && npm test")
    }));
    assert_eq!(
        lines(&repaired),
        ["If `cd web && npm test` fails with \"connection refused\", run `make db-up`."]
    );
}

#[test]
fn cause_9_runs_in_two_folders_are_two_commands() {
    let sessions = with_noise(times(4, "s", |session| {
        session
            .run_with_output("cd web && npm test", Status::Error, REFUSED_PORT)
            .ok("make db-up")
            .ok("cd api && npm test")
    }));
    assert_eq!(lines(&sessions), nothing());
}

#[test]
fn cause_10_a_file_that_everybody_edits_is_no_step() {
    let asked = |number: usize| begun("s", number).prompt("print the harvest labels");
    let print = |file: &'static str| -> Vec<Session> {
        let of = |number| asked(number).edit(file).ok("./labels/print.sh").ok("./labels/glue.sh");
        (0..4).map(|number| of(number).prompt("thanks").build()).collect()
    };
    let others = || -> Vec<Session> {
        let of = |number: usize| {
            let session = begun("other-", number).prompt(&format!("mend widget{number} of page{number}"));
            let session = session.edit("src/theme.rs").edit(&format!("src/widget{number}.rs"));
            session.ok(&format!("./scratch/try{number}.sh")).prompt("thanks").build()
        };
        (0..20).map(of).collect()
    };
    let steps = ["Run `./labels/print.sh`.", "Run `./labels/glue.sh`."];
    assert_eq!(lines(&[print("src/theme.rs"), others()].concat()), steps);
    let own = lines(&[print("labels/harvest.csv"), others()].concat());
    assert_eq!(own, ["Edit `labels/harvest.csv`.", steps[0], steps[1]]);
}

#[test]
fn cause_12_a_secret_in_a_variable_is_said_by_its_name_and_keeps_nothing_back() {
    let secret = "[redacted:token:4f6a]";
    let asked = |number: usize| begun("s", number).prompt("publish the tea package");
    let publish = |commands: [String; 2]| -> Vec<Session> {
        let of = |number| commands.iter().fold(asked(number), |session, command| session.ok(command));
        with_noise((0..4).map(|number| of(number).prompt("thanks").build()).collect())
    };
    let in_a_variable =
        publish(["./tea/pack.sh".to_owned(), format!("NPM_TOKEN={secret} pnpm publish --tag tea")]);
    assert_eq!(
        lines(&in_a_variable),
        ["Run `./tea/pack.sh`.", "Run `pnpm publish --tag tea` with `NPM_TOKEN` set."]
    );
    let as_a_word = publish(["./tea/pack.sh".to_owned(), format!("./tea/ship.sh {secret}")]);
    assert_eq!(lines(&as_a_word), nothing());
    let repaired = with_noise(three(|session| {
        let login = format!("NPM_TOKEN={secret} ./tea/login.sh");
        session
            .run_with_output("pnpm install", Status::Error, "ERR_PNPM_FETCH_401: Unauthorized")
            .ok(&login)
            .ok("pnpm install")
    }));
    assert_eq!(
        lines(&repaired),
        ["If `pnpm install` fails with \"unauthorized\", run `./tea/login.sh` with `NPM_TOKEN` set."]
    );
}

#[test]
fn a_program_of_the_project_is_the_same_however_its_path_begins() {
    let sessions = with_noise(
        (0..4)
            .map(|number| {
                let path = ["bin/test", "./bin/test"][number % 2];
                let failed = begun("s", number).prompt("Is the till right?");
                failed
                    .run_with_output("pytest shop/till.py", Status::Error, "bash: pytest: command not found")
                    .ok(&format!("{path} shop/till.py"))
                    .build()
            })
            .collect(),
    );
    let said = lines(&sessions);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("bin/test shop/till.py`; `pytest shop/till.py` fails here"), "{said:?}");
    assert_eq!(support(&sessions).len(), 4);
}

#[test]
fn a_refused_call_is_no_failure_of_its_tool() {
    let refused = with_noise(times(6, "s", |session| session.refused("pnpm test").ok("npm test")));
    assert_eq!(lines(&refused), nothing());
    let answered = "The user doesn't want to proceed with this tool use. The tool use was rejected.";
    let rejected = with_noise(times(6, "s", |session| {
        session.run_with_output("make itest", Status::Error, answered).ok("make db-up").ok("make itest")
    }));
    assert_eq!(lines(&rejected), nothing());
    let missing = with_noise(three(|session| {
        session.run_with_output("pnpm test", Status::Error, "sh: pnpm: command not found").ok("npm test")
    }));
    assert_eq!(lines(&missing), ["Use `npm test`; `pnpm test` fails here with \"command not found\"."]);
}

#[test]
fn chance_publishes_no_more_than_its_bounds_on_a_planted_table() {
    let mut sessions = with_noise(times(6, "r", repaired));
    sessions.extend(times(8, "f", |session| session.fails("make itest").edit("src/cup.rs").ok("make itest")));
    sessions.extend(times(6, "m", |session| {
        session.run_with_output("pnpm test", Status::Error, "sh: pnpm: command not found").ok("npm test")
    }));
    sessions.extend(times(8, "c", |session| session.edit("docs/menu.md").ok("make menu-check")));
    sessions.extend((0..6).map(|number| {
        let asked = begun("w", number).prompt("print the harvest labels");
        asked.ok("./labels/print.sh").ok("./labels/glue.sh").prompt("thanks").build()
    }));
    let digests: Vec<Digest> = sessions.iter().map(Digest::of).collect();
    let table = null("shop", &digests, &Config::default(), 20);
    assert!(table.rows.iter().all(skillspan::skillify::Row::holds), "{table}");
    let real = |kind: &str| table.rows.iter().find(|row| row.kind == kind).map_or(0, |row| row.real);
    assert!(["repair", "instead", "procedure"].map(real).iter().all(|claims| *claims > 0), "{table}");
}

#[test]
fn the_null_of_checks_publishes_now_and_then_what_chance_makes() {
    // Half of the sessions edit one file and check it, the others edit another: dealt anew, such a table looks like a
    // rule once in a while. A null that never does measures nothing.
    let one = |number: usize| {
        let file = if number.is_multiple_of(2) { "src/oven.py" } else { "src/scale.py" };
        let edited = begun("n", number).prompt("mend the recipe").edit(file);
        let fails = |edited: SessionBuilder| {
            if number < 8 { edited.fails("pytest tests/oven").edit(file) } else { edited }
        };
        let edited = if number.is_multiple_of(2) { fails(edited).ok("pytest tests/oven") } else { edited };
        edited.prompt("thanks").build()
    };
    let digests: Vec<Digest> = (0..24).map(one).map(|session| Digest::of(&session)).collect();
    let table = null("shop", &digests, &Config::default(), 150);
    let checks = table.rows.iter().find(|row| row.kind == "check").unwrap();
    assert_eq!(checks.real, 1, "{table}");
    assert!(checks.shuffled.iter().any(|claims| *claims > 0), "{table}");
    assert!(checks.holds(), "{table}");
}
