use super::*;
use crate::skillify::Line;

const GOOD: &str = "---
name: run-the-tests
description: \"How the tests run here. Use before running tests, and when `make itest` fails with \\\"connection refused\\\".\"
---

# Run the tests

## When to use
- Before running tests.

## Lessons
1. Use `bin/test {path}`; `pytest {path}` fails here with \"no module named\".
2. After editing `src/{name}.py`, run `bin/test tests/test_{name}.py`.
3. If `make itest` fails with \"connection refused\", run `make db-up`.
4. If `terraform apply -chdir=envs/{name}` fails, run `terraform init -chdir=envs/{name}`.
5. Use `pnpm add {name}`, not `npm`.

## Evidence
Seen in 3 sessions of 2 people: [references/evidence.md](references/evidence.md).
";

fn found(text: &str) -> Vec<String> {
    lint([("a/SKILL.md", text)]).iter().map(ToString::to_string).collect()
}

/// What is found of the good skill with one text in place of another.
fn found_with(old: &str, new: &str) -> Vec<String> {
    assert!(GOOD.contains(old), "{old}");
    found(&GOOD.replace(old, new))
}

#[test]
fn a_good_skill_has_nothing_to_refuse() {
    assert_eq!(found(GOOD), Vec::<String>::new());
    assert_eq!(lint([]), []);
}

#[test]
fn a_placeholder_in_the_place_of_a_subcommand_is_refused() {
    for code in [
        "mise run {name}",
        "git {name}",
        "make {name}",
        "make -s {name}",
        "cd web && npm run {name}",
        "docker compose {name}",
        "npx {name} --fix",
        "./gradlew {name}",
    ] {
        let expected = format!("a/SKILL.md:14: a placeholder stands where a subcommand does: {code}");
        assert_eq!(found_with("make db-up", code), [expected]);
    }
    for code in
        ["git tag v{version}", "bun run {path}", "npm run test:{name}", "pytest {path}", "cargo test {name}"]
    {
        assert_eq!(found_with("make db-up", code), Vec::<String>::new(), "{code}");
    }
}

#[test]
fn one_placeholder_is_one_thing_and_no_command_stands_twice_in_a_line() {
    assert_eq!(
        found_with(
            "If `make itest` fails with \"connection refused\", run `make db-up`.",
            "Run `bin/a {name}` before `bin/b {name}`."
        ),
        ["a/SKILL.md:14: {name} stands for two things"]
    );
    assert_eq!(
        found_with("run `make db-up`.", "run `make itest`."),
        ["a/SKILL.md:14: one command twice: make itest"]
    );
}

#[test]
fn a_command_may_be_run_again() {
    let again = "run `make db-up`, then run `make itest` again.";
    assert_eq!(found_with("run `make db-up`.", again), Vec::<String>::new());
}

#[test]
fn a_list_of_words_is_no_trigger() {
    let description = "Use before running tests, and";
    for (text, words) in [
        ("Use when asked to test, sometimes, find, and", "sometimes, find"),
        ("Use when extraction, hard, commit, tests, and", "hard, commit, tests"),
    ] {
        let expected = format!("a/SKILL.md:3: a list of words is no trigger: {words}");
        assert_eq!(found_with(description, text), [expected]);
    }
    let found = found_with("How the tests run here. Use before", "Test sometimes find. Before");
    assert_eq!(found, ["a/SKILL.md:3: the description does not say when to use it: no \"Use …\""]);
    let found = found_with("How the tests run here.", "Extraction i18n hard git.");
    assert_eq!(found, ["a/SKILL.md:3: words without a sentence: Extraction i18n hard git."]);
}

#[test]
fn a_name_and_a_title_begin_with_a_verb() {
    for (name, what) in [
        ("extraction-i18n-hard-with-git-commit", "the name has 6 words, not 2 to 5"),
        ("tests", "the name has 1 words, not 2 to 5"),
        ("the-tests", "the name does not begin with a verb"),
    ] {
        assert_eq!(found_with("run-the-tests", name), [format!("a/SKILL.md:2: {what}: {name}")]);
    }
    assert_eq!(found_with("run-the-tests", "run-the-tests-b4dbc8e8"), Vec::<String>::new());
    let found = found_with("# Run the tests", "# Tests of the shop");
    assert_eq!(found, ["a/SKILL.md:6: the title does not begin with a verb: Tests of the shop"]);
    let found = found_with("# Run the tests", "");
    assert_eq!(found, ["a/SKILL.md:1: there is no title"]);
}

#[test]
fn lines_do_not_contradict_each_other() {
    let two = |one: &str, other: &str| {
        found_with(
            "3. If `make itest` fails with \"connection refused\", run `make db-up`.",
            &format!("3. {one}\n3. {other}"),
        )
    };
    for (one, other) in [
        ("Run `make x` before `just x`.", "Run `just x` before `make x`."),
        ("Use `make x`, not `just x`.", "Use `just x`, not `make x`."),
        ("Use `make x`; `just x` fails here.", "Run `just x`."),
        ("Do not run `make x`: people refused it.", "Run `make x`."),
    ] {
        let found = two(one, other);
        assert!(
            !found.is_empty() && found.iter().all(|line| line.contains("it contradicts 1")),
            "{one} {other} {found:?}"
        );
    }
    let two = |one: &str, other: &str| {
        let skill = |line: &str| {
            format!(
                "---\nname: run-the-tests\ndescription: Use it before tests.\n---\n# Run the tests\n- {line}\n"
            )
        };
        let (one, other) = (skill(one), skill(other));
        lint([("a", one.as_str()), ("b", other.as_str())]).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        two("Run `make x` before `just x`.", "Run `just x` before `make x`."),
        [
            "a:6: it contradicts b:6: Run `just x` before `make x`.",
            "b:6: it contradicts a:6: Run `make x` before `just x`."
        ]
    );
    assert_eq!(
        two("Run `make x`.", "Run  `make x`"),
        ["b:5: nothing is lost without it: run-the-tests says all of it"]
    );
}

#[test]
fn a_skill_is_short_and_says_nothing_twice() {
    assert_eq!(
        found_with(
            "5. Use `pnpm add {name}`, not `npm`.",
            "5. Use `bin/test {path}`; `pytest {path}` fails here with \"no module named\"."
        ),
        ["a/SKILL.md:16: the same as line 12"]
    );
    assert_eq!(
        found_with("- Before running tests.\n", ""),
        ["a/SKILL.md:8: the section \"When to use\" is empty"]
    );
    let long: String = (0..16).map(|number| format!("- Run `make step-{number}`.\n")).collect();
    assert_eq!(
        found_with("## Evidence", &format!("{long}\n## Evidence")),
        ["a/SKILL.md:6: 21 lines; nobody reads more than 15"]
    );
}

#[test]
fn a_retired_skill_is_not_judged() {
    assert_eq!(
        found("---\nname: x\ndescription: \"Retired: y.\"\n---\n# Retired: X\n"),
        Vec::<String>::new()
    );
}

#[test]
fn a_text_is_refused_before_it_is_published() {
    let line = |text: &str| Line { text: text.into(), claims: vec![0] };
    let mut wording = Wording {
        name: "run-the-tests".into(),
        title: "Run the tests".into(),
        description: "How the tests run here. Use before running tests.".into(),
        lessons: vec![line("If `make itest` fails, run `make db-up`.")],
        ..Wording::default()
    };
    assert_eq!(objections(&wording), Vec::<String>::new());
    wording.lessons.push(line("If `make itest` fails, run `mise run {name}`."));
    wording.description = "Test sometimes find.".into();
    assert_eq!(
        objections(&wording),
        [
            "a placeholder stands where a subcommand does: mise run {name}",
            "the description does not say when to use it: no \"Use …\""
        ]
    );
}

#[test]
fn a_command_that_needs_a_person_is_named() {
    for (command, class) in [
        ("git push origin main", "publish (git)"),
        ("rm -rf src", "administer (it throws away what nothing brings back)"),
        ("./deploy.sh --yes", "administer (it asks nobody and minds no check)"),
        ("ssh build make up", "send"),
        ("evil-tool x", "unknown (evil-tool)"),
    ] {
        let [found]: [String; 1] = found_with("make db-up", command).try_into().unwrap();
        assert!(found.starts_with("a/SKILL.md:14: a person has to agree to what this may do"), "{found}");
        assert!(found.contains(class) && found.ends_with(command), "{found}");
    }
    let refused = found_with("make db-up", "cp a ../../etc/x");
    assert_eq!(
        refused,
        ["a/SKILL.md:14: no skill may say this command (a path outside of the repository): cp a ../../etc/x"]
    );
}

#[test]
fn blocks_of_commands_are_read_and_what_is_only_spoken_of_is_not() {
    let block = "## Lessons\n```bash\n# push it\n$ git push origin main\n```\n```rust\nrm x\n```\n";
    let [found]: [String; 1] = found_with("## Lessons\n", block).try_into().unwrap();
    assert!(
        found.starts_with("a/SKILL.md:14: a person has to agree") && found.ends_with("git push origin main"),
        "{found}"
    );
    for text in [
        "- Do not run `git push --force`: people refused it.",
        "- `CartState` is declared in `src/till/cart.go`.",
    ] {
        assert_eq!(found_with("## Lessons\n", &format!("## Lessons\n{text}\n")), Vec::<String>::new());
    }
}

#[test]
fn what_a_person_agreed_to_and_what_is_allowed_is_not_named() {
    let text = GOOD.replace("make db-up", "git push origin main");
    let files = [("a/SKILL.md", text.as_str())];
    assert_eq!(lint_with(files, Classes::default(), |path| path == "a/SKILL.md"), []);
    assert_eq!(lint_with(files, Classes::EVERY, |_| false), []);
    assert_eq!(lint_with(files, Classes::default(), |_| false).len(), 1);
}
