//! Tests of [`super`].

use super::*;
use crate::shell::command::commands;

fn command(line: &str) -> Command {
    commands(line).remove(0).command
}

fn template(lines: &[&str]) -> Option<String> {
    let commands: Vec<Command> = lines.iter().map(|line| command(line)).collect();
    let template = Template::of(&commands.iter().collect::<Vec<_>>())?;
    let own = commands.iter().filter(|command| template.matches(command)).count();
    assert!(own * 2 >= commands.len(), "{template} matches most of its own commands");
    Some(template.to_string())
}

#[test]
fn what_differs_becomes_a_typed_hole() {
    assert_eq!(template(&["git tag v0.4.2", "git tag v1.10.0"]).unwrap(), "git tag v{version}");
    assert_eq!(template(&["pytest -x tests/a.py", "pytest tests/b.py"]).unwrap(), "pytest tests/{name}.py");
    assert_eq!(template(&["pytest tests/a.py", "pytest b.py"]).unwrap(), "pytest {path}");
    assert_eq!(template(&["psql -f db/a/x.sql", "psql -f db/a/y.sql"]).unwrap(), "psql -f db/a/{name}.sql");
    assert_eq!(
        template(&["terraform apply -var-file=env/a.tfvars", "terraform apply -var-file=env/b.tfvars"])
            .unwrap(),
        "terraform apply -var-file=env/{name}.tfvars"
    );
    assert_eq!(template(&["make deploy", "make deploy"]).unwrap(), "make deploy");
    assert_eq!(
        template(&["cargo test --test api", "cargo test --test web"]).unwrap(),
        "cargo test --test {name}"
    );
    assert_eq!(
        template(&["git commit -m \"Release 0.4.2\"", "git commit -m 'Release 0.5.0'"]).unwrap(),
        "git commit -m \"Release {version}\""
    );
}

#[test]
fn a_word_is_spelled_as_most_runs_spell_it() {
    let runs = |dotted: usize, plain: usize| {
        let (dotted_one, plain_one) = (command("./bin/test core"), command("bin/test core"));
        Template::of_runs(&[(&dotted_one, dotted), (&plain_one, plain)]).map(|template| template.to_string())
    };
    assert_eq!(runs(2, 30).unwrap(), "bin/test core");
    assert_eq!(runs(30, 2).unwrap(), "./bin/test core");
}

#[test]
fn edited_files_share_the_end_of_their_paths_or_their_folder() {
    let of = |paths: &[&str]| {
        let template = Template::of_paths(paths)?;
        assert!(paths.iter().all(|path| template.matches_path(path)), "{template}");
        Some(template.to_string())
    };
    assert_eq!(of(&["/srv/app/docs/CHANGELOG.md", "docs/CHANGELOG.md"]).unwrap(), "docs/CHANGELOG.md");
    assert_eq!(of(&["a/CHANGELOG.md", "b/CHANGELOG.md"]).unwrap(), "CHANGELOG.md");
    assert_eq!(of(&["db/migrations/a.sql", "migrations/b.sql"]).unwrap(), "migrations/{name}.sql");
    assert_eq!(
        of(&["src/db/V31__invoice.sql", "/home/a/src/db/V9__tax_rate.sql"]).unwrap(),
        "src/db/V{number}__{name}.sql"
    );
    assert_eq!(
        of(&["docs/adr/0031-invoice.md", "docs/adr/0032-refund.md"]).unwrap(),
        "docs/adr/{number}-{name}.md"
    );
    assert_eq!(
        of(&["db/40353607_add_invoice.py", "db/7f9b6c1a_add_refund.py"]).unwrap(),
        "db/{sha}_add_{name}.py"
    );
    assert_eq!(of(&["a/b.py", "c/d.py"]), None);
}

#[test]
fn a_template_is_read_back_from_what_it_prints() {
    for lines in [
        &["git tag v0.4.2", "git tag v1.10.0"][..],
        &["pytest -x tests/a.py", "pytest tests/b.py"],
        &["pytest tests/a.py", "pytest b.py"],
        &["terraform apply -var-file=env/a.tfvars", "terraform apply -var-file=env/b.tfvars"],
        &["make deploy", "make deploy"],
        &["cargo test --test api", "cargo test --test web"],
        &["git commit -m \"Release 0.4.2\"", "git commit -m 'Release 0.5.0'"],
        &["git commit -m \"one thing\"", "git commit -m 'another'"],
        &["npx prisma migrate deploy", "npx prisma migrate deploy"],
        &["cat dump.sql | psql shop", "cat dump.sql | psql shop"],
    ] {
        let commands: Vec<Command> = lines.iter().map(|line| command(line)).collect();
        let template = Template::of(&commands.iter().collect::<Vec<_>>()).unwrap();
        let parsed = Template::parse(&template.to_string()).unwrap();
        assert_eq!(parsed, template, "{template}");
        assert!(lines.iter().any(|line| parsed.is_run_by(line)), "{template}");
    }
    let path = Template::of_paths(&["db/migrations/1.sql", "migrations/2.sql"]).unwrap();
    assert_eq!(Template::parse_path(&path.to_string()), path);
    assert_eq!(Template::parse("make a && make b"), None);
    assert_eq!(Template::parse(""), None);
}

#[test]
fn what_differs_in_its_verb_has_no_template() {
    assert_eq!(template(&["make a", "make b"]), None);
    assert_eq!(template(&["pytest a.py", "pytest a.py b.py"]), None);
}

#[test]
fn flags_are_those_that_most_runs_agree_in() {
    let up = "docker compose up -d db";
    assert_eq!(template(&[up, up, "docker compose up db"]).unwrap(), up);
    assert_eq!(template(&["make a", "make -B a"]).unwrap(), "make a");
    assert_eq!(template(&["make -s -j4 a", "make -j8 a", "make -s a"]).unwrap(), "make -s a");
}

#[test]
fn a_template_matches_no_other_command() {
    let commands = [command("git tag v0.4.2"), command("git tag v0.5.0")];
    let template = Template::of(&commands.iter().collect::<Vec<_>>()).unwrap();
    assert!(template.matches(&command("git tag -q v9.9.9")));
    assert!(!template.matches(&command("git tag -d v9.9.9")));
    assert!(!template.matches(&command("git tag latest")));
    assert!(!template.matches(&command("git tag v9.9.9 HEAD")));
}
