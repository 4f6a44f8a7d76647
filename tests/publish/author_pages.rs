//! Skills that people wrote: what an author finds about them becomes a proposal for them, never a second skill, and
//! nothing of it is written before a person agrees.

use std::collections::BTreeMap;
use std::fs;
use std::future::pending;
use std::path::Path;

use serde_json::{Value, json};
use skillspan::exporters::filesystem;
use skillspan::exporters::target::{Target, TargetKind, Update};
use skillspan::library::{Census, Decision, Findings, Layout, Listed, Route, Standing};
use skillspan::service::wording::{Known, Step};
use skillspan::skillify;
use skillspan::skillify::llm::Budget;

use super::author::{jobs, settings, well, world};
use super::life::decision;
use super::model_server::{Behaviour, Server};

const PAGE: &str = "\
---
name: look-at-changes
description: How to look at a change of ann.smith@acme.example. Use before a review.
---
# Look at changes
1. Run `mise run lint` and look at what it says.
2. Ask at https://review.acme.example, with the token ghp_0123456789abcdefABCDEF0123456789abcd.
";
const PATH: &str = ".claude/skills/look-at-changes/SKILL.md";
const LESSON: &str = "After a word about an existing helper, run `mise run lint` once more.";
const HELPER_LINE: &str = "Search for an existing helper before you write a new one.";

/// A repository in which people work, with one skill of theirs.
struct Repository(tempfile::TempDir);

impl Repository {
    fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(PATH);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        Self(folder)
    }

    fn target(&self) -> Target {
        let layout = Layout::Project { path: String::new() };
        let config = filesystem::Config { path: self.0.path().to_owned(), layout };
        Target { route: Route::default(), place: TargetKind::Filesystem(config) }
    }

    /// One run with a model.
    fn run(&self, step: &Step) {
        let sessions = world();
        let jobs = jobs(&sessions);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let found = runtime.block_on(async {
            let known = Known::read(vec![(self.target(), BTreeMap::new())]).await.unwrap();
            step.run(&jobs, skillify::Config::default(), known, pending()).await.unwrap().0
        });
        let found = jobs.iter().zip(found).map(|(job, found)| found.findings(job, &Census::default()));
        self.update(Update::Findings(found.collect::<Vec<Findings>>()));
    }

    fn update(&self, update: Update) {
        self.target().publish(&update, std::sync::Arc::default()).unwrap();
    }

    fn page(&self) -> String {
        fs::read_to_string(self.0.path().join(PATH)).unwrap()
    }

    fn listed(&self, is_it: impl Fn(&Listed) -> bool) -> Option<Listed> {
        self.target().load().unwrap().skills().into_iter().find(is_it)
    }

    fn proposal(&self) -> Option<String> {
        let is_it = |one: &Listed| one.name == "look-at-changes" && one.standing == Standing::HandWritten;
        self.listed(is_it)?.proposal
    }

    /// The texts of what waits for a person as skills of their own.
    fn waiting(&self) -> String {
        let skills = self.target().load().unwrap().skills();
        let waiting = skills.into_iter().filter(|one| one.standing == Standing::Waiting);
        waiting.filter_map(|one| one.proposal).collect()
    }

    fn contents(&self) -> BTreeMap<String, String> {
        fn walk(folder: &Path, found: &mut BTreeMap<String, String>) {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    walk(&path, found);
                } else if let Ok(text) = fs::read_to_string(&path) {
                    found.insert(path.display().to_string(), text);
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(self.0.path(), &mut found);
        found
    }
}

/// What [`well`] answers, and a lesson about the command that the page names.
fn reader(content: &Value) -> String {
    let mut answer: Value = serde_json::from_str(&well(content)).unwrap();
    let Some(observations) = answer["observations"].as_array_mut() else { return answer.to_string() };
    let mut one = observations[0].clone();
    one["when"] = json!("after prompt saying \"existing helper\" run \"mise run lint\"");
    one["kind"] = json!("procedure");
    one["says"] = json!(LESSON);
    observations.push(one);
    answer.to_string()
}

fn step(server: &Server) -> Step {
    Step::new(&settings(server, Budget::default()), None).unwrap()
}

#[test]
fn a_lesson_about_a_page_is_proposed_for_it_and_nothing_is_written_before_a_person_agrees() {
    let server = Server::start(vec![Behaviour::Words(reader)]);
    let step = step(&server);
    let repository = Repository::with(PAGE);
    repository.run(&step);
    assert_eq!(repository.page(), PAGE, "nothing is written by itself");
    let proposal = repository.proposal().expect("a proposal for the page");
    assert!(proposal.starts_with(PAGE.trim_end()), "{proposal}");
    let learnt = proposal.split("## Learnt from sessions\n").nth(1).unwrap_or_default();
    assert!(learnt.contains(&format!("- {LESSON}\n")), "{proposal}");
    let waiting = repository.waiting();
    assert!(waiting.contains(HELPER_LINE), "what belongs to no page waits as a skill of its own: {waiting}");
    assert!(!waiting.contains(LESSON), "what belongs to the page is no second skill: {waiting}");

    let (before, calls) = (repository.contents(), server.calls());
    repository.run(&step);
    assert_eq!(repository.contents(), before, "the same sessions change nothing");
    assert_eq!(server.calls(), calls, "and ask nobody");

    repository.update(decision("look-at-changes", Decision::Approve));
    assert_eq!(repository.page(), proposal);
    repository.run(&step);
    assert_eq!(repository.proposal(), None, "what the page says is not proposed again");
    assert_eq!(repository.page(), proposal);
}

#[test]
fn what_a_person_rejects_is_not_proposed_again() {
    let server = Server::start(vec![Behaviour::Words(reader)]);
    let step = step(&server);
    let repository = Repository::with(PAGE);
    repository.run(&step);
    repository.update(decision("look-at-changes", Decision::Reject));
    repository.run(&step);
    assert_eq!(repository.proposal(), None);
    assert_eq!(repository.page(), PAGE);
    assert!(!repository.waiting().contains(LESSON));
}

#[test]
fn a_page_that_says_it_already_gets_no_proposal() {
    let server = Server::start(vec![Behaviour::Words(reader)]);
    let step = step(&server);
    let both = format!("{LESSON} After editing Go files of the CLI, run `mise run lint`. Then");
    let says = PAGE.replace("Run `mise run lint` and", &both);
    let repository = Repository::with(&says);
    repository.run(&step);
    assert_eq!(repository.proposal(), None);
    assert!(!repository.waiting().contains(LESSON), "nor is it a skill of its own");
}

/// A writer that puts all into the first page that it is shown.
fn into_the_page(content: &Value) -> String {
    let mut answer: Value = serde_json::from_str(&reader(content)).unwrap();
    if let Some(page) = content["pages"][0]["id"].as_str() {
        answer["skills"][0]["page"] = json!(page);
    }
    answer.to_string()
}

#[test]
fn a_writer_is_shown_pages_cleaned_and_may_say_that_a_line_belongs_to_one() {
    let server = Server::start(vec![Behaviour::Words(into_the_page)]);
    let step = step(&server);
    let repository = Repository::with(PAGE);
    repository.run(&step);
    let proposal = repository.proposal().unwrap();
    assert!(proposal.contains(HELPER_LINE) && proposal.contains(LESSON), "{proposal}");
    assert!(!repository.waiting().contains(HELPER_LINE));

    let content = |body: &Value| -> Value {
        serde_json::from_str(body["messages"][0]["content"].as_str().unwrap()).unwrap()
    };
    let contents: Vec<Value> = server.requests().iter().map(|(_, body)| content(body)).collect();
    let asked = contents.iter().find(|content| content["pages"].is_array()).unwrap();
    let lines = asked["pages"][0]["lines"].to_string();
    assert!(lines.contains("mise run lint") && lines.contains("Look at changes"), "{lines}");
    for secret in ["ann.smith", "acme", "ghp_"] {
        assert!(!lines.contains(secret), "{secret}: {lines}");
    }
}

#[test]
fn a_page_that_is_not_shown_cannot_be_named() {
    fn elsewhere(content: &Value) -> String {
        reader(content).replace("\"lines\":", "\"page\":\"P7\",\"lines\":")
    }
    let server = Server::start(vec![Behaviour::Words(elsewhere)]);
    let step = step(&server);
    let repository = Repository::with(PAGE);
    repository.run(&step);
    assert!(repository.waiting().contains(HELPER_LINE));
    assert!(repository.proposal().unwrap().contains(LESSON));
}
