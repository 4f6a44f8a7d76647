//! Tests of [`super`].

use super::*;

fn texts(line: &str) -> Vec<String> {
    commands(line).iter().map(|listed| listed.command.text()).collect()
}

fn only(line: &str) -> Command {
    let mut all = commands(line);
    assert_eq!(all.len(), 1, "{line}");
    all.remove(0).command
}

#[test]
fn finds_the_command_within_its_wrappers() {
    for line in [
        "make test-integration",
        "CI=1 make test-integration 2>&1 | tail -40",
        "env CI=1 timeout 60s make test-integration",
        "pwsh -NoProfile -Command \"make test-integration\"",
        "bash -lc 'make test-integration'",
        "time make test-integration > log.txt",
    ] {
        assert_eq!(texts(line), ["make test-integration"], "{line}");
    }
    assert_eq!(texts("cd x && make a && make b"), ["cd x", "cd x && make a", "cd x && make b"]);
    assert_eq!(texts("sudo -E env A=b make a"), ["sudo A=b make a"]);
    assert_eq!(texts("bash -c 'cd x && make a' && make b"), ["cd x", "cd x && make a", "make b"]);
}

#[test]
fn a_line_of_one_command_is_read_back_from_what_it_prints() {
    for line in ["cd web && sudo -u app A=b make a", "A=b make a", "make a"] {
        assert_eq!(single(line).unwrap().text(), line);
    }
    assert_eq!(single("make a && make b"), None);
    assert_eq!(single("ls && make b"), None);
}

#[test]
fn what_words_do_not_say_cannot_be_said() {
    for line in [
        "mysql shop < dump.sql",
        "psql app <<SQL\nselect 1\nSQL",
        "docker build -t a:$(git rev-parse HEAD) .",
        "$env:A='b'; make a",
        "cat a.sql | PGUSER=b psql",
        "helm upgrade a --set auth=[redacted:password:4f]",
        "export A=$B; make a",
    ] {
        let last = commands(line).pop().unwrap().command;
        assert!(!last.is_literal() && last.may_be_a_step(), "{line}");
    }
    for line in
        ["python - <<E\nprint(1)\nE", "python -c 'print(1)'", "git commit -F - <<E\na\nE", "pytest $A"]
    {
        let last = commands(line).pop().unwrap().command;
        assert!(!last.is_literal() && !last.may_be_a_step(), "{line}");
    }
}

#[test]
fn names_program_and_subcommand() {
    for (line, token) in [
        ("make db-up", "make db-up"),
        ("npm run test:e2e -- --bail", "npm run test:e2e"),
        ("docker compose up -d db", "docker compose up"),
        ("./scripts/seed.sh now", "scripts/seed.sh now"),
        ("scripts/seed.sh now", "scripts/seed.sh now"),
        ("./seed.sh now", "./seed.sh now"),
        ("python -m pytest -x tests/a.py", "pytest"),
        ("uv run pytest tests/a.py", "pytest"),
        ("bash scripts/setup.sh", "bash scripts/setup.sh"),
        ("cargo test --test api", "cargo test"),
        ("git tag v0.4.2", "git tag"),
        ("rm -rf build", "rm"),
        ("terraform -chdir=envs/a plan", "terraform plan"),
        ("kubectl --context eu apply -k config", "kubectl apply"),
        ("git -C vendor/sdk checkout v1", "git checkout"),
        ("docker --context far compose -f a.yml up -d", "docker compose up"),
        ("aws --profile ci s3 sync a b", "aws s3"),
        ("make -C firmware headers", "make headers"),
    ] {
        assert_eq!(only(line).token(), token, "{line}");
    }
}

#[test]
fn tells_looking_from_doing() {
    for line in [
        "ls -la",
        "cat a | grep b",
        "git -P diff",
        "git -C vendor/sdk diff",
        "kubectl --context eu get pods",
        "sed -n 1,5p a",
        "cd x",
        "kubectl get pods",
        "kubectl config get-contexts",
        "find . -name a",
        "make -n all",
        "curl -s localhost:1/health",
    ] {
        assert!(commands(line).iter().all(|listed| listed.command.is_trivial()), "{line}");
    }
    for line in [
        "make all",
        "git commit -m a",
        "sed -i s/a/b/ c",
        "cat a.sql | psql app",
        "curl -s x.sh | sh",
        "docker compose up -d",
        "kubectl apply -k config",
        "kubectl --kubeconfig eu.yaml config use-context eu",
    ] {
        assert!(!only(line).is_trivial(), "{line}");
    }
    assert_eq!(only("cat a.sql | psql app").text(), "cat a.sql | psql app");
}

#[test]
fn a_trailing_filter_masks_the_exit_code() {
    let exit = |line: &str| commands(line).pop().unwrap().view.exit;
    assert_eq!(exit("make test | tail"), Exit::Filtered { can_fail: false, by: "tail" });
    assert_eq!(exit("make test | grep x"), Exit::Filtered { can_fail: true, by: "grep" });
    assert_eq!(exit("make test"), Exit::Told);
    assert_eq!(exit("set -o pipefail; make test | tail"), Exit::Told);
    assert_eq!(exit("make test &"), Exit::Hidden);
    assert_eq!(exit("for a in 1 2; do make test; done"), Exit::Hidden);
}

#[test]
fn tells_checks_and_probes() {
    assert!(only("just itest").is_check() && only("npm run test:e2e").is_check());
    assert!(!only("make db-up").is_check());
    assert!(only("make lint").is_probe());
    assert!(!only("make test-db-up").is_probe());
}

#[test]
fn a_line_of_more_commands_than_people_write_is_read_as_none() {
    for command in ["a; ", "cd a && ", "(a); ", "if a; then b; fi; "] {
        assert!(commands(&command.repeat(20_000)).is_empty(), "{command}");
    }
    assert_eq!(commands(&"make a; ".repeat(500)).len(), 500);
}
