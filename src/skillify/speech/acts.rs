//! What people want of their agents, as a list: acts in words of ours.
//!
//! A rule is one of these, or the use of something that has a name. What is in no list is not understood, and so
//! never said: that is how no sentence of a person gets into a skill.

use super::Want;
use super::tokens::Token;

/// What a sentence is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Told {
    /// The act, `""` for one that is in no list.
    pub(super) act: &'static str,
    pub(super) name: String,
    /// The verb of the lists, `""` if it is in none.
    pub(super) verb: String,
    /// The noun of the lists, or [`NAMED_BY`] and the name; `""` for none, [`UNKNOWN`] for another.
    pub(super) object: String,
}

/// Stands before an object that is a name.
const NAMED_BY: &str = "`";
/// An object that is in no list.
const UNKNOWN: &str = "?";

impl Told {
    fn of(act: &'static str, verb: &str, object: &str) -> Self {
        Self { act, name: String::new(), verb: verb.to_owned(), object: object.to_owned() }
    }

    fn named(act: &'static str, name: &str, verb: &str) -> Self {
        let object = format!("{NAMED_BY}{name}");
        Self { act, name: name.to_owned(), verb: verb.to_owned(), object }
    }

    /// Talk before work.
    pub(super) fn consent() -> Self {
        Self::of(CONSENT, "discuss", "first")
    }

    /// Talk, about whatever.
    pub(super) fn is_talk(&self) -> bool {
        self.act.is_empty() && self.verb == TALK
    }

    pub(super) fn is_consent(&self) -> bool {
        self.act == CONSENT
    }

    pub(super) const fn is_known(&self) -> bool {
        !self.act.is_empty()
    }

    /// Whether who asks for it after work was done says what belongs to work.
    pub(super) fn is_of_work(&self) -> bool {
        is_of_work(self.act)
    }
}

/// What a rule says.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Saying {
    /// The sentence; `{}` for the name.
    pub(in super::super) sentence: &'static str,
    /// Two to four words, verb and object.
    pub(in super::super) title: &'static str,
    /// When to think of it.
    pub(in super::super) when: &'static str,
}

const fn say(sentence: &'static str, title: &'static str, when: &'static str) -> Option<Saying> {
    Some(Saying { sentence, title, when })
}

struct Act {
    key: &'static str,
    verbs: &'static [&'static str],
    /// What is done it to; empty where the verb says all.
    nouns: &'static [&'static str],
    of_work: bool,
    to_do: Option<Saying>,
    not: Option<Saying>,
    ask: Option<Saying>,
}

const ADD: &[&str] = &[
    "add",
    "create",
    "extend",
    "get",
    "give",
    "have",
    "include",
    "insert",
    "introduce",
    "keep",
    "leave",
    "maintain",
    "make",
    "need",
    "provide",
    "put",
    "update",
    "write",
];
const TALK: &str = "discuss";
const CONSENT: &str = "consent";
const DONE: &str = "before saying that a change is done";
const GIT: &str = "before a git command that changes anything";
const FIRST: &str = "before changing files";
const TESTING: &str = "before writing or changing tests";
const CODING: &str = "before writing code";

/// In the order of looking: the first that fits is meant.
#[rustfmt::skip]
const ACTS: &[Act] = &[
    Act { key: "secrets", verbs: &["commit", "print", "log", "expose", "show", "hardcode", "store", "echo", "check", "put", "write", "include"], nouns: &["secret", "secrets", "credential", "credentials", "password", "passwords", "api key", "api keys", "access token", "access tokens"], of_work: false,
        to_do: None, not: say("Do not write secrets to code, logs or commits.", "Keep secrets out", CODING), ask: None },
    Act { key: "notes", verbs: &["commit", "add", "push", "check"], nouns: &["plan", "plans", "planning document", "planning documents", "design document", "design documents", "design docs", "working documents", "working notes", "plan files", "plan documents", "plan docs"], of_work: false,
        to_do: None, not: say("Do not commit plans or working notes.", "Keep plans uncommitted", GIT), ask: None },
    Act { key: "draft", verbs: &["open", "create", "make", "submit", "raise", "file", "put"], nouns: &["draft pr", "draft prs", "draft pull request", "draft pull requests", "pr as draft", "prs as drafts", "prs as draft", "pr as a draft", "pull request as draft", "pull requests as drafts", "pull request as a draft", "pull requests as draft", "pr in draft", "prs in draft"], of_work: true,
        to_do: say("Open pull requests as drafts.", "Open draft pull requests", "before opening a pull request"), not: say("Do not open pull requests as drafts.", "Open finished pull requests", "before opening a pull request"), ask: None },
    Act { key: "pr", verbs: &["open", "create", "make", "submit", "raise", "file"], nouns: &["pr", "prs", "pull request", "pull requests", "merge request", "merge requests"], of_work: false,
        to_do: say("Open a pull request for each change.", "Open pull requests", DONE), not: say("Do not open a pull request unless you are told to.", "Wait with pull requests", "before opening a pull request"), ask: say("Ask before you open a pull request.", "Ask before pull requests", "before opening a pull request") },
    Act { key: "main", verbs: &["commit", "push", "work", "merge", "go", "land"], nouns: &["to main", "on main", "into main", "to master", "on master", "into master", "to trunk", "to the main branch", "on the main branch", "to the default branch", "directly to main", "straight to main"], of_work: false,
        to_do: say("Work on the main branch, without a branch of its own.", "Work on main", GIT), not: say("Do not commit or push to the main branch.", "Leave main alone", GIT), ask: say("Ask before you change the main branch.", "Ask before changing main", GIT) },
    Act { key: "force-push", verbs: &["force-push", "force push", "push --force", "push -f", "force-pushing"], nouns: &[], of_work: false,
        to_do: None, not: say("Do not force-push.", "Avoid force pushes", GIT), ask: say("Ask before you force-push.", "Ask before force pushes", GIT) },
    Act { key: "push", verbs: &["push"], nouns: &[], of_work: false,
        to_do: say("Push the work when it is done.", "Push finished work", DONE), not: say("Do not push unless you are told to.", "Push when told", GIT), ask: say("Ask before you push.", "Ask before pushing", GIT) },
    Act { key: "amend", verbs: &["amend"], nouns: &[], of_work: false,
        to_do: None, not: say("Do not amend commits.", "Make new commits", GIT), ask: say("Ask before you amend a commit.", "Ask before amending", GIT) },
    Act { key: "hooks", verbs: &["skip", "bypass", "disable", "circumvent", "ignore"], nouns: &["hook", "hooks", "commit hook", "commit hooks", "git hooks", "pre-commit", "pre-commit hook", "pre-commit hooks"], of_work: false,
        to_do: None, not: say("Do not skip the commit hooks.", "Run the commit hooks", GIT), ask: say("Ask before you skip the commit hooks.", "Ask before skipping hooks", GIT) },
    Act { key: "commit", verbs: &["commit"], nouns: &[], of_work: false,
        to_do: say("Commit the work when it is done.", "Commit finished work", DONE), not: say("Do not commit unless you are told to.", "Commit when told", GIT), ask: say("Ask before you commit.", "Ask before committing", GIT) },
    Act { key: "commit-message", verbs: &["use", "write", "keep", "follow", "start"], nouns: &["conventional commits", "conventional commit messages", "conventional commit format"], of_work: true,
        to_do: say("Write commit messages as conventional commits.", "Write conventional commits", GIT), not: say("Do not write commit messages as conventional commits.", "Write plain commit messages", GIT), ask: None },
    Act { key: "branch", verbs: &["create", "make", "cut", "open", "start", "use", "work"], nouns: &["branch", "branches", "feature branch", "feature branches", "new branch", "new branches", "separate branch", "own branch", "on a branch", "in a branch", "on a feature branch"], of_work: true,
        to_do: say("Work on a branch of its own.", "Work on a branch", FIRST), not: say("Do not create branches unless you are told to.", "Stay on the branch", GIT), ask: say("Ask before you create a branch.", "Ask before branching", GIT) },
    Act { key: "test-first", verbs: &["add", "write", "start", "create", "begin"], nouns: &["failing test first", "failing tests first", "test first", "tests first", "the failing test first", "failing test before", "test before the fix", "with a failing test", "with the test", "a failing test"], of_work: true,
        to_do: say("Write a failing test before the fix.", "Write tests first", CODING), not: None, ask: None },
    Act { key: "keep-tests", verbs: &["delete", "remove", "skip", "disable", "weaken", "comment"], nouns: &["test", "tests", "failing test", "failing tests", "assertion", "assertions"], of_work: false,
        to_do: None, not: say("Do not delete or skip tests to make them pass.", "Keep failing tests", TESTING), ask: say("Ask before you delete or skip a test.", "Ask before deleting tests", TESTING) },
    Act { key: "mocks", verbs: &["use", "add", "write", "introduce", "create", "mock", "be", "have"], nouns: &["mock", "mocks", "stubs", "mocking"], of_work: false,
        to_do: say("Use mocks in tests.", "Use mocks", TESTING), not: say("Do not use mocks in tests.", "Test without mocks", TESTING), ask: None },
    Act { key: "tests", verbs: ADD, nouns: &["test", "tests", "unit test", "unit tests", "integration test", "integration tests", "e2e test", "e2e tests", "test case", "test cases", "test coverage", "regression test", "regression tests"], of_work: true,
        to_do: say("Add tests with a change.", "Add tests", DONE), not: say("Do not add tests unless you are told to.", "Add tests when told", TESTING), ask: say("Ask before you add tests.", "Ask before adding tests", TESTING) },
    Act { key: "changelog", verbs: ADD, nouns: &["changelog", "change log", "changelog entry", "changelog line", "changelog entries", "release note", "release notes", "to the changelog", "in the changelog"], of_work: true,
        to_do: say("Add an entry to the changelog with a change.", "Update the changelog", DONE), not: say("Do not change the changelog unless you are told to.", "Leave the changelog alone", DONE), ask: None },
    Act { key: "tracker", verbs: &["keep", "put", "write", "create", "use", "track", "store", "make", "add"], nouns: &["linear comment", "linear comments", "linear document", "documentation in linear", "plan in linear", "plans in linear", "notes in linear", "docs in linear", "in linear", "in jira", "in notion", "in confluence", "as a linear comment", "in a linear comment", "in the ticket", "in the issue"], of_work: true,
        to_do: say("Keep plans and notes in the issue tracker, not in the repository.", "Keep plans in issues", "before writing a plan"), not: None, ask: None },
    Act { key: "docs", verbs: &["update", "add", "write", "keep", "adjust", "extend", "maintain", "create", "need"], nouns: &["doc", "docs", "documentation", "the docs", "readme", "architecture docs", "in the docs", "to the docs", "to the readme", "in the readme", "readmes"], of_work: true,
        to_do: say("Update the documentation with a change.", "Update the documentation", DONE), not: say("Do not write documentation unless you are told to.", "Document when told", DONE), ask: None },
    Act { key: "summaries", verbs: &["create", "write", "add", "make", "generate", "leave"], nouns: &["summary", "summaries", "summary document", "summary documents", "summary file", "summary files", "markdown files", "md files", "report files", "markdown summaries"], of_work: false,
        to_do: None, not: say("Do not write summary documents.", "Skip summary documents", DONE), ask: None },
    Act { key: "comments", verbs: &["add", "write", "leave", "put", "include", "have", "use"], nouns: &["comment", "comments", "code comments", "inline comments"], of_work: false,
        to_do: say("Comment the code.", "Comment the code", CODING), not: say("Do not add comments to the code.", "Write code without comments", CODING), ask: None },
    Act { key: "reply", verbs: &["reply", "respond", "answer", "leave", "post"], nouns: &["comment", "comments", "review comment", "review comments", "to the comment", "to the comments", "to each comment", "to comments", "thread", "in the thread", "in its thread", "directly", "to review comments", "reply directly", "replies"], of_work: true,
        to_do: say("Answer each review comment in its thread.", "Answer review comments", "when working on review comments"), not: say("Do not answer review comments unless you are told to.", "Leave review comments", "when working on review comments"), ask: say("Ask before you answer review comments.", "Ask before answering reviews", "when working on review comments") },
    Act { key: "dependency", verbs: &["add", "install", "introduce", "bring", "pull", "use"], nouns: &["dependency", "dependencies", "new dependency", "new dependencies", "package", "packages", "new package", "new packages", "third-party library", "third-party libraries", "new library", "new libraries", "library", "libraries", "in a dependency", "in dependencies"], of_work: false,
        to_do: None, not: say("Do not add dependencies.", "Avoid new dependencies", CODING), ask: say("Ask before you add a dependency.", "Ask before adding dependencies", CODING) },
    Act { key: "emojis", verbs: &["use", "add", "put", "include", "write", "be", "have"], nouns: &["emoji", "emojis"], of_work: false,
        to_do: None, not: say("Do not use emojis.", "Write without emojis", "before writing text"), ask: None },
    Act { key: "attribution", verbs: &["add", "include", "put", "use", "write", "mention", "leave", "be"], nouns: &["co-authored-by", "co-author", "co-authors", "co-author line", "co-author lines", "co-author trailer", "attribution", "co-authorship", "yourself", "yourself as"], of_work: false,
        to_do: None, not: say("Do not name the assistant in commits or pull requests.", "Leave out attribution", GIT), ask: None },
    Act { key: "generated", verbs: &["edit", "touch", "change", "modify", "format", "be"], nouns: &["generated file", "generated files", "generated code"], of_work: false,
        to_do: None, not: say("Do not edit generated files.", "Leave generated files", FIRST), ask: None },
    Act { key: "consent", verbs: &["change", "edit", "touch", "modify", "implement", "code", "write", "make", "do", "fix", "start"], nouns: &["anything", "any code", "any files", "any file", "any changes", "any change", "any edits", "code", "files", "changes", "implementing", "coding"], of_work: true,
        to_do: None, not: say("Do not change files before you are told to.", "Explain before editing", FIRST), ask: say("Explain and ask before you change files.", "Explain before editing", FIRST) },
    Act { key: "plan", verbs: &["explain", "show", "write", "make", "present", "propose", "share", "outline", "discuss"], nouns: &["plan", "the plan", "your plan", "approach", "your approach", "design"], of_work: false,
        to_do: say("Show a plan before you change files.", "Show a plan", FIRST), not: None, ask: None },
    Act { key: "reuse", verbs: &["reuse", "use", "look", "check", "search", "find"], nouns: &["existing helper", "existing helpers", "existing function", "existing functions", "existing code", "existing utility", "existing utilities", "existing util", "for existing helpers", "existing implementation", "existing components", "existing methods"], of_work: true,
        to_do: say("Look for existing code before you write new code.", "Reuse existing code", CODING), not: None, ask: None },
    Act { key: "copies", verbs: &["duplicate", "copy", "replicate", "repeat"], nouns: &["code", "logic", "helper", "helpers", "function", "functions", "block", "blocks", "tests"], of_work: false,
        to_do: None, not: say("Do not duplicate code.", "Reuse existing code", CODING), ask: None },
    Act { key: "todos", verbs: &["leave", "add", "write", "put", "be", "have"], nouns: &["todo", "todos", "placeholder", "placeholders", "stub", "stubs"], of_work: false,
        to_do: None, not: say("Do not leave TODOs or placeholders.", "Finish the code", CODING), ask: None },
    Act { key: "errors", verbs: &["swallow", "ignore", "hide", "silence", "suppress"], nouns: &["error", "errors", "exception", "exceptions", "warnings", "lint errors"], of_work: false,
        to_do: None, not: say("Do not swallow errors.", "Handle every error", CODING), ask: None },
    Act { key: "compatibility", verbs: &["keep", "add", "maintain", "write", "break", "preserve", "worry"], nouns: &["backward compatibility", "backwards compatibility", "backwards compat", "backward compat", "backwards compatible", "backward compatible"], of_work: false,
        to_do: say("Keep backward compatibility.", "Keep backward compatibility", CODING), not: say("Do not add code for backward compatibility.", "Skip backward compatibility", CODING), ask: None },
    Act { key: "delete", verbs: &["delete", "remove"], nouns: &["file", "files", "any file", "any files", "data", "branches", "folders", "anything", "my files"], of_work: false,
        to_do: None, not: say("Do not delete files unless you are told to.", "Delete when told", FIRST), ask: say("Ask before you delete files.", "Ask before deleting", FIRST) },
    Act { key: "merge", verbs: &["merge"], nouns: &["pr", "prs", "pull request", "pull requests", "branch", "branches", "anything"], of_work: false,
        to_do: None, not: say("Do not merge unless you are told to.", "Merge when told", GIT), ask: say("Ask before you merge.", "Ask before merging", GIT) },
    Act { key: "deploy", verbs: &["deploy"], nouns: &[], of_work: false,
        to_do: None, not: say("Do not deploy unless you are told to.", "Deploy when told", "before a deployment"), ask: say("Ask before you deploy.", "Ask before deploying", "before a deployment") },
    Act { key: "publish", verbs: &["publish", "release"], nouns: &[], of_work: false,
        to_do: None, not: say("Do not publish a release unless you are told to.", "Publish when told", "before a release"), ask: say("Ask before you publish a release.", "Ask before publishing", "before a release") },
    Act { key: "brief", verbs: &["be", "keep", "answer", "write"], nouns: &["concise", "brief", "terse", "answers short", "answers brief", "your answers short", "your answers brief", "replies short", "it short", "responses short", "your responses short"], of_work: false,
        to_do: say("Keep answers short.", "Keep answers short", "before answering"), not: None, ask: None },
];

/// Acts on something that has a name.
#[rustfmt::skip]
const NAMED: &[Act] = &[
    Act { key: "use", verbs: &["use", "prefer", "take", "call", "import", "using", "choose", "pick"], nouns: &[], of_work: false,
        to_do: say("Use `{}`.", "Use the right tools", "before writing code or running commands"), not: say("Do not use `{}`.", "Avoid some tools", "before writing code or running commands"), ask: say("Ask before you use `{}`.", "Ask before some tools", "before writing code or running commands") },
    Act { key: "run", verbs: &["run", "execute", "invoke", "start", "launch", "rerun", "kill"], nouns: &[], of_work: false,
        to_do: say("Run `{}`.", "Run what is wanted", DONE), not: say("Do not run `{}`.", "Avoid some commands", "before running commands"), ask: say("Ask before you run `{}`.", "Ask before some commands", "before running commands") },
    Act { key: "edit", verbs: &["edit", "touch", "change", "modify", "update", "write", "reformat", "format"], nouns: &[], of_work: false,
        to_do: None, not: say("Do not edit `{}`.", "Leave some files alone", FIRST), ask: say("Ask before you edit `{}`.", "Ask before some edits", FIRST) },
    Act { key: "remove", verbs: &["delete", "remove", "rename", "move"], nouns: &[], of_work: false,
        to_do: None, not: say("Do not delete or rename `{}`.", "Keep some files", FIRST), ask: say("Ask before you delete or rename `{}`.", "Ask before deleting", FIRST) },
    Act { key: "track", verbs: &["commit", "add", "stage", "push"], nouns: &[], of_work: false,
        to_do: None, not: say("Do not commit `{}`.", "Keep files uncommitted", GIT), ask: say("Ask before you commit `{}`.", "Ask before committing", GIT) },
];

/// Commands of git that people name by their verb alone.
const OF_GIT: &[&str] = &["stash", "rebase", "squash", "reset", "cherry-pick", "checkout"];

/// What begins another clause: what stands behind it is not done to.
const SUBORDINATE: &[&str] = &[
    "after", "as", "because", "before", "if", "instead", "once", "rather", "since", "so", "that", "though",
    "to", "unless", "until", "when", "whenever", "where", "which", "while", "without", "over", "than", "for",
];

/// Words that may stand behind what something is done to.
#[rustfmt::skip]
const BEHIND: &[&str] = &[
    "about", "after", "again", "always", "and", "any", "anymore", "anywhere", "as", "at", "because", "before", "by", "directly",
    "each", "either", "ever", "every", "everywhere", "explicitly", "first", "for", "from", "here", "if", "immediately", "in", "into", "on", "once", "or",
    "please", "since", "so", "straight", "that", "there", "to", "too", "unless", "until", "up", "when", "whenever", "where", "which",
    "while", "with", "without", "yet", "yourself", "automatically", "at all", "only", "which", "whose", "of", "though", "are", "is", "must", "should", "today", "now", "manually", "well", "not", "entry", "line", "entries", "section", "covering", "showing", "checking", "proving", "accordingly", "properly", "ourselves", "over", "than", "is",
];

fn find(key: &str) -> Option<&'static Act> {
    ACTS.iter().chain(NAMED).find(|act| act.key == key)
}

/// Acts that are no piece of work by themselves: who asks for one a second time means that it is done so.
const WAYS: &[&str] = &["commit-message", CONSENT, "draft", "reply", "reuse", "test-first", "tracker"];

/// Whether who asks for an act after work was done says what belongs to work.
pub(in super::super) fn is_of_work(act: &str) -> bool {
    find(act).is_some_and(|act| act.of_work)
}

/// Whether an act is a way to work, and no piece of work by itself.
pub(in super::super) fn is_a_way(act: &str) -> bool {
    WAYS.contains(&act)
}

/// What a rule says, in words of ours.
pub(in super::super) fn saying(want: Want, act: &str) -> Option<Saying> {
    let act = find(act)?;
    match want {
        Want::Do => act.to_do,
        Want::Not => act.not,
        Want::Ask => act.ask,
        Want::Free => None,
    }
}

/// What is done by a verb to what stands behind it.
pub(super) fn told(verb: &str, behind: &[Token], want: Want) -> Told {
    let verb = base(verb);
    let verb = verb.as_str();
    let has = |words: &[&str]| behind.iter().any(|token| words.contains(&token.text.as_str()));
    let opens_with_push = behind.first().is_some_and(|first| first.text == "push" || first.text == "pushing");
    if (verb == "push" && has(&["--force", "-f", "force"])) || (verb == "force" && opens_with_push) {
        return Told::of("force-push", "force-push", "");
    }
    if has(&["--no-verify"]) {
        return Told::of("hooks", "skip", "hooks");
    }
    let words: Vec<&str> = behind.iter().map(|token| token.text.as_str()).collect();
    for act in ACTS.iter().filter(|act| act.verbs.contains(&verb)) {
        let object =
            if act.nouns.is_empty() { is_alone(behind).then_some("") } else { noun(behind, act.nouns) };
        if let Some(object) = object.filter(|_| !is_other(act.key, &words)) {
            return Told::of(act.key, verb, object);
        }
    }
    if OF_GIT.contains(&verb) && !behind.iter().any(|token| token.is_name) {
        return Told::named("run", &format!("git {verb}"), verb);
    }
    let known = if find_verb(verb) { verb } else { "" };
    let known = if matches!(verb, "talk" | "discuss") { TALK } else { known };
    let Some(name) = object(behind).filter(|name| is_sayable(name)) else {
        let noun = ACTS.iter().find_map(|act| noun(behind, act.nouns)).unwrap_or(UNKNOWN);
        return Told::of("", known, noun);
    };
    if is_document(name) && want == Want::Do && ADD.contains(&verb) {
        let is_changelog = name.to_lowercase().contains("changelog");
        return if is_changelog {
            Told::of("changelog", verb, "changelog")
        } else {
            Told::of("docs", verb, "docs")
        };
    }
    match NAMED.iter().find(|act| act.verbs.contains(&verb)) {
        Some(act) => Told::named(act.key, name, verb),
        None => Told { act: "", name: String::new(), ..Told::named("", name, known) },
    }
}

/// What a verb of one sentence says of the object of another one: act and name.
pub(in super::super) fn retold(verb: &str, object: &str) -> Option<(&'static str, String)> {
    let own = |act: &&Act| act.verbs.contains(&verb);
    if let Some(name) = object.strip_prefix(NAMED_BY) {
        return Some((NAMED.iter().find(own)?.key, name.to_owned()));
    }
    let fits =
        |act: &&Act| if act.nouns.is_empty() { object.is_empty() } else { act.nouns.contains(&object) };
    Some((ACTS.iter().filter(own).find(fits)?.key, String::new()))
}

/// Whether a verb can be the act's, and whether an object can.
pub(in super::super) fn parts(act: &str, verb: &str, object: &str) -> (bool, bool) {
    find(act).map_or((false, false), |act| {
        let fits = if act.nouns.is_empty() { object.is_empty() } else { act.nouns.contains(&object) };
        (act.verbs.contains(&verb), fits)
    })
}

/// Words for whatever is changed.
const OF_NO_KIND: &[&str] = &["any", "anything", "changes", "code", "coding", "files", "implementing"];

/// "Comments" that are no comments of code.
fn is_other(key: &str, words: &[&str]) -> bool {
    let has = |others: &[&str]| words.iter().any(|word| others.contains(word));
    match key {
        "comments" => has(&[
            "review", "linear", "issue", "pr", "thread", "ticket", "jira", "github", "reply", "replies",
        ]),
        "branch" => has(&["main", "master", "default", "which", "current", "same"]),
        "plan" => !has(&["before", "first"]),
        // Any at all, not those of a kind.
        CONSENT => !words.first().is_some_and(|first| OF_NO_KIND.contains(first)),
        "pr" => has(&["issue", "issues", "sub-issues", "comment", "comments", "description", "descriptions"]),
        _ => false,
    }
}

/// A word of a verb as lists have it: "adding", "adds", "committing".
fn base(verb: &str) -> String {
    let known = find_verb;
    if known(verb) {
        return verb.to_owned();
    }
    let mut tries = Vec::new();
    for ending in ["ing", "s", "es", "ed"] {
        if let Some(stem) = verb.strip_suffix(ending) {
            tries.push(stem.to_owned());
            tries.push(format!("{stem}e"));
            let mut chars = stem.chars().rev();
            if chars.next().is_some_and(|last| chars.next() == Some(last)) {
                tries.extend(stem.get(..stem.len().saturating_sub(1)).map(str::to_owned));
            }
        }
    }
    tries.into_iter().find(|word| known(word)).unwrap_or_else(|| verb.to_owned())
}

fn find_verb(verb: &str) -> bool {
    ACTS.iter().chain(NAMED).any(|act| act.verbs.contains(&verb)) || OF_GIT.contains(&verb)
}

/// Whether nothing of its own stands behind a verb: "commit", "commit anything", "push the changes".
fn is_alone(behind: &[Token]) -> bool {
    const NOTHING: &[&str] = &[
        "anything",
        "it",
        "this",
        "that",
        "them",
        "stuff",
        "things",
        "changes",
        "change",
        "work",
        "code",
        "everything",
        "the",
        "my",
        "your",
        "any",
        "these",
        "those",
        "commits",
        "branches",
        "a",
        "commit",
        "to",
        "git",
        "remote",
        "origin",
        "shared",
        "branch",
        "things",
        "automatically",
        "directly",
        "on",
        "own",
        "for",
        "me",
        "by",
        "yourself",
    ];
    let object = behind.iter().take_while(|token| !is_subordinate(token) || token.text == "to");
    object
        .filter(|token| !BEHIND.contains(&token.text.as_str()))
        .all(|token| !token.is_name && NOTHING.contains(&token.text.as_str()))
}

fn is_subordinate(token: &Token) -> bool {
    !token.is_name && SUBORDINATE.contains(&token.text.as_str())
}

/// The noun that stands among the words, whole and with nothing behind it that makes it another.
fn noun<'n>(behind: &[Token], nouns: &[&'n str]) -> Option<&'n str> {
    let words: Vec<&str> = behind.iter().take(9).map(|token| token.text.as_str()).collect();
    let end = behind.iter().take(9).skip(1).position(|token| {
        !token.is_name
            && ["before", "if", "unless", "until", "when", "because", "after", "so"]
                .contains(&token.text.as_str())
    });
    nouns.iter().copied().find(|noun| {
        let parts: Vec<&str> = noun.split(' ').collect();
        words.windows(parts.len()).enumerate().any(|(at, window)| {
            let next = words.get(at + parts.len());
            let is_before_the_end = end.is_none_or(|end| at <= end);
            window == parts.as_slice() && is_before_the_end && next.is_none_or(|next| BEHIND.contains(next))
        })
    })
}

/// The name that something is done to: the first one, before another clause begins.
fn object(behind: &[Token]) -> Option<&str> {
    let mut tokens = behind.iter().take_while(|token| !is_subordinate(token));
    let place = tokens.position(|token| token.is_name)?;
    // A name far behind the verb is not what it is done to.
    behind.get(place).filter(|_| place <= 3).map(|token| token.text.as_str())
}

fn is_document(name: &str) -> bool {
    let lower = name.to_lowercase();
    let file = lower.rsplit('/').next().unwrap_or_default();
    let is_page = lower.ends_with(".md") || lower.starts_with("docs/") || lower.ends_with("/docs");
    is_page || ["readme", "changelog", "claude.md", "agents.md"].contains(&file)
}

/// Whether a name can stand in a sentence of ours.
fn is_sayable(name: &str) -> bool {
    let is_short = (2..=60).contains(&name.len()) && name.split(' ').count() <= 5;
    let is_plain = name.chars().all(|char| char.is_ascii_alphanumeric() || " ._-/:@*+=~#".contains(char));
    is_short && is_plain && name.chars().any(|char| char.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_act_says_something_and_has_a_name_of_its_own() {
        let mut keys = BTreeSet::new();
        for act in ACTS.iter().chain(NAMED) {
            assert!(keys.insert(act.key), "{}", act.key);
            let sayings = [act.to_do, act.not, act.ask];
            assert!(sayings.iter().any(Option::is_some), "{}", act.key);
            for saying in sayings.into_iter().flatten() {
                assert!(saying.sentence.ends_with('.') && saying.sentence.len() < 80, "{}", saying.sentence);
                assert!((2..=4).contains(&saying.title.split(' ').count()), "{}", saying.title);
                assert_eq!(saying.sentence.contains("{}"), NAMED.iter().any(|named| named.key == act.key));
            }
        }
    }
}
