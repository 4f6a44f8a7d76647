//! Lessons of the kinds Instead, Procedure, Prefer and Avoid.

use crate::plan::{Lesson, Step};
use crate::random::Random;
use crate::style::{Language, Style};

/// One or two of four.
pub(crate) fn insteads(random: &mut Random, style: &mut Style) -> Vec<Lesson> {
    let mut kinds = [0, 1, 2, 3];
    random.shuffle(&mut kinds);
    let count = random.between(1, 2);
    kinds[..count].iter().map(|kind| instead(random, style, *kind)).collect()
}

fn instead(random: &mut Random, style: &mut Style, kind: usize) -> Lesson {
    let noun = style.noun();
    let runner = style.test.runner;
    match kind {
        // A program that is missing.
        0 => {
            let (wrong, right, program) = match style.language {
                Language::Python => ("hatch test {path}", "uv run pytest {path}", "hatch"),
                Language::Node => ("vitest run {path}", "pnpm vitest run {path}", "vitest"),
                Language::Go => ("gotestsum {path}", "go test {path}", "gotestsum"),
                Language::Rust => ("cargo-nextest run -p {path}", "cargo test -p {path}", "cargo-nextest"),
            };
            let bare = |form: &str| form.trim_end_matches(" {path}").to_owned();
            Lesson::Instead {
                wrong: vec![wrong.into(), bare(wrong), program.into()],
                right: vec![right.into(), bare(right)],
                error: format!("bash: line 1: {program}: command not found"),
                runner,
                path: true,
            }
        }
        // A subcommand or script that does not exist.
        1 => {
            let (wrong, right, error) = match style.language {
                Language::Node => (
                    format!("npm run test:{noun}"),
                    format!("pnpm test:{noun}"),
                    format!("npm error Missing script: \"test:{noun}\""),
                ),
                Language::Go => (
                    format!("go run ./cmd/{noun} check"),
                    format!("go run ./cmd/{noun} verify"),
                    format!("Error: unknown command \"check\" for \"{noun}\""),
                ),
                Language::Rust => (
                    format!("cargo {noun}"),
                    format!("cargo xtask {noun}"),
                    format!("error: no such command: `{noun}`"),
                ),
                Language::Python => (
                    format!("python manage.py {noun}"),
                    format!("uv run acme {noun}"),
                    format!("Unknown command: '{noun}'"),
                ),
            };
            Lesson::Instead { wrong: vec![wrong], right: vec![right], error, runner, path: false }
        }
        // A wrapper that lacks it.
        2 => {
            let right = style.task(&format!("report-{noun}"));
            let wrong = format!("tk {right}");
            let word = right.split(' ').next().unwrap_or_default();
            let error = format!("error: unrecognized subcommand '{word}'\n\nUsage: tk [OPTIONS] <COMMAND>");
            Lesson::Instead { wrong: vec![wrong], right: vec![right], error, runner, path: false }
        }
        // A folder in which it does not work.
        _ => {
            let folder = format!("{noun}-{}", random.pick::<&str>(&["web", "engine", "worker"]));
            let (wrong, error) = match style.language {
                Language::Python => ("uv build".to_owned(), "error: `/work` does not appear to be a Python project, as neither `pyproject.toml` nor `setup.py` are present".to_owned()),
                Language::Node => ("pnpm bundle".to_owned(), " ERR_PNPM_NO_SCRIPT  Missing script: bundle".to_owned()),
                Language::Go => ("go build ./server".to_owned(), "go: cannot find main module, but found .git/config; to create a module there, run: go mod init".to_owned()),
                Language::Rust => ("cargo build --release".to_owned(), "error: could not find `Cargo.toml` in the current folder or any parent directory".to_owned()),
            };
            let mut right = vec![format!("cd {folder} && {wrong}")];
            if style.language == Language::Node {
                right.push(format!("pnpm --dir {folder} bundle"));
            }
            Lesson::Instead { wrong: vec![wrong], right, error, runner, path: false }
        }
    }
}

/// What procedures are about, and how people ask for them.
pub(crate) const TOPICS: [&[&str]; 4] = [
    &[
        "Cut a new release",
        "Please release what is on main",
        "Time for a release, go ahead",
        "can you ship the next version?",
        "we need a release today, please prepare and cut it",
        "release the current state",
        "A new version should go out now",
    ],
    &[
        "Add a migration for the new {b} column",
        "We need a database migration: {b} on {a}",
        "write the migration that adds {b}",
        "the {a} table gets a {b}, please migrate",
        "Create a schema migration for {a} {b}",
        "migration please: {b} may be null in {a}",
        "Schema change: index {b} in the {a} table, with its migration",
    ],
    &[
        "Publish the {a} package",
        "please publish a new package version to the registry",
        "push the package to our registry",
        "The registry needs the newest package, publish it",
        "publish the client package again",
        "can you get the package published?",
        "package is ready, publish",
    ],
    &[
        "Rotate the {a} certificate",
        "The certificate runs out on friday, renew it",
        "renew our certificate please",
        "New certificate for the gateway, please",
        "Please replace the expiring certificate of the gateway",
        "can you rotate the certificate for {a}?",
        "certificate rotation is due",
    ],
];

/// One or two of four.
pub(crate) fn procedures(random: &mut Random, style: &mut Style) -> Vec<Lesson> {
    let mut topics = [0, 1, 2, 3];
    random.shuffle(&mut topics);
    let count = random.between(1, 2);
    topics[..count].iter().map(|topic| procedure(style, *topic)).collect()
}

fn procedure(style: &mut Style, topic: usize) -> Lesson {
    let noun = style.noun();
    let run = |line: &str| Step::Run(line.replace("NOUN", noun));
    let task = |name: &str| Step::Run(style.task(&name.replace("NOUN", noun)));
    let (steps, secret) = match topic {
        0 => (
            vec![
                Step::Edit("CHANGELOG.md".to_owned()),
                run("./scripts/bump_NOUN.sh {version}"),
                run("git tag -a v{version} -m v{version}"),
                run("git push origin v{version}"),
                run("gh release create v{version} --draft --generate-notes"),
            ],
            None,
        ),
        1 => (
            vec![
                run("./bin/NOUN-schema new {name}"),
                task("schema-dump-NOUN"),
                run("docker compose run --rm NOUN-lint"),
                task("erd-NOUN"),
            ],
            None,
        ),
        2 => match style.language {
            Language::Node => (
                vec![
                    run("pnpm changeset version"),
                    task("bundle-NOUN"),
                    run("pnpm publish --access restricted --no-git-checks"),
                ],
                Some("NPM_TOKEN"),
            ),
            Language::Python => (
                vec![run("rm -rf dist"), run("uv build --package NOUN"), run("uv publish --index NOUN")],
                Some("UV_PUBLISH_TOKEN"),
            ),
            Language::Rust => (
                vec![
                    task("vendor-NOUN"),
                    run("cargo package -p NOUN --locked"),
                    run("cargo publish -p NOUN --registry acme"),
                ],
                Some("CARGO_REGISTRY_TOKEN"),
            ),
            Language::Go => (
                vec![
                    task("dist-NOUN"),
                    run("cosign sign-blob dist/NOUN.tar.gz --yes"),
                    run("goreleaser release --clean"),
                ],
                Some("GITHUB_TOKEN"),
            ),
        },
        _ => (
            vec![
                run("./ops/NOUN/request.sh --days 90"),
                run("openssl verify -CAfile ops/NOUN/ca.pem ops/NOUN/new.pem"),
                run("kubectl create secret tls NOUN-tls --cert=ops/NOUN/new.pem --key=ops/NOUN/new.key"),
                run("kubectl rollout restart deployment/NOUN"),
                run("kubectl rollout status deployment/NOUN --timeout=90s"),
                task("probe-NOUN"),
            ],
            Some("OPS_TOKEN"),
        ),
    };
    Lesson::Procedure { topic, steps, secret }
}

pub(crate) fn prefer(random: &mut Random, style: &mut Style) -> Lesson {
    let noun = style.noun();
    let package = ["pnpm add {name}", "npm install {name}", "pnpm", "npm"];
    let pairs: [[String; 4]; 2] = [
        match style.language {
            Language::Node => package.map(str::to_owned),
            Language::Python => ["uv add {name}", "pip install {name}", "uv", "pip"].map(str::to_owned),
            Language::Go => [
                format!("go tool sqlc generate -f {noun}.yaml"),
                format!("sqlc generate -f {noun}.yaml"),
                "go tool sqlc".into(),
                "plain sqlc".into(),
            ],
            Language::Rust => [
                style.task(&format!("bench-{noun}")),
                format!("cargo bench -p {noun}"),
                style.task(&format!("bench-{noun}")),
                "cargo bench".into(),
            ],
        },
        [
            style.task(&format!("apply-{noun}")),
            style.task(&format!("hotfix-{noun}")),
            style.task(&format!("apply-{noun}")),
            style.task(&format!("hotfix-{noun}")),
        ],
    ];
    let [good, bad, good_word, bad_word] = random.pick(&pairs).clone();
    let forms = |whole: &str, word: &str| {
        let bare = whole.trim_end_matches(" {name}").to_owned();
        vec![whole.to_owned(), bare, word.trim_start_matches("plain ").to_owned()]
    };
    Lesson::Prefer {
        good: forms(&good, &good_word),
        bad: forms(&bad, &bad_word),
        words: [good_word, bad_word],
    }
}

const FORCE: &[&str] = &[
    "Don't force-push, other people work on that branch",
    "never use git push --force here, ask for a new branch instead",
    "no force push please, we lost commits that way",
    "Do not run `git push --force`, ever.",
];
const VOLUMES: &[&str] = &[
    "Don't remove the volumes, `docker compose down -v` deletes everybody's data",
    "never docker compose down -v here, the seed takes hours",
    "Do not run docker compose down -v. Stop the containers, keep the volumes.",
    "no down -v please, it wipes the database",
];
const HISTORY: &[&str] = &[
    "Don't reset --hard, there is work of mine in that tree",
    "never run git reset --hard in this checkout",
    "Do not use git reset --hard, I lose my changes",
    "no hard reset please, never do that with my changes",
];

pub(crate) fn avoid(random: &mut Random, style: &mut Style) -> Lesson {
    style.noun();
    let (command, words) = *random.pick(&[
        ("git push --force", FORCE),
        ("docker compose down -v", VOLUMES),
        ("git reset --hard", HISTORY),
    ]);
    Lesson::Avoid { command: command.to_owned(), words }
}
