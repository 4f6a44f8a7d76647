//! What people want of their agents, as data: acts in words of ours.

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

/// An act: the words that name it, and the words that state it.
pub(super) struct Act {
    pub(super) key: &'static str,
    pub(super) verbs: &'static [&'static str],
    /// What is done it to; empty where the verb says all.
    pub(super) nouns: &'static [&'static str],
    pub(super) of_work: bool,
    pub(super) to_do: Option<Saying>,
    pub(super) not: Option<Saying>,
    pub(super) ask: Option<Saying>,
}

pub(super) const ADD: &[&str] = &[
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
pub(super) const TALK: &str = "discuss";
pub(super) const CONSENT: &str = "consent";
const DONE: &str = "before saying that a change is done";
const GIT: &str = "before a git command that changes anything";
const FIRST: &str = "before changing files";
const TESTING: &str = "before writing or changing tests";
const CODING: &str = "before writing code";

/// In the order of looking: the first that fits is meant.
#[rustfmt::skip]
pub(super) const ACTS: &[Act] = &[
    Act { key: "secrets", verbs: &["commit", "print", "log", "expose", "show", "hardcode", "store", "echo", "check", "put", "write", "include"], nouns: &["secret", "secrets", "credential", "credentials", "password", "passwords", "api key", "api keys", "access token", "access tokens"], of_work: false,
        to_do: None, not: say("Do not write secrets to code, logs or commits.", "Keep secrets out", CODING), ask: None },
    Act { key: "notes", verbs: &["commit", "add", "push", "check"], nouns: &["plan", "plans", "planning document", "planning documents", "design document", "design documents", "design docs", "working documents", "working notes", "plan files", "plan documents", "plan docs", "design notes", "notes", "specs", "design", "designs", "doc", "docs", "documents", "documentation"], of_work: false,
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
    Act { key: "discard", verbs: &["stash", "reset", "discard", "wipe", "drop", "overwrite", "lose", "restore"], nouns: &["my changes", "local changes", "uncommitted changes", "my work", "my edits", "unstaged changes", "the working tree", "the work tree", "hard"], of_work: false,
        to_do: None, not: say("Do not stash, reset or discard work unless you are told to.", "Ask before discarding work", GIT), ask: say("Ask before you stash, reset or discard work.", "Ask before discarding work", GIT) },
    Act { key: "commit-message", verbs: &["use", "write", "keep", "follow", "start"], nouns: &["conventional commits", "conventional commit messages", "conventional commit format"], of_work: true,
        to_do: say("Write commit messages as conventional commits.", "Write conventional commits", GIT), not: say("Do not write commit messages as conventional commits.", "Write plain commit messages", GIT), ask: None },
    Act { key: "branch", verbs: &["create", "make", "cut", "open", "start", "use", "work"], nouns: &["branch", "branches", "feature branch", "feature branches", "new branch", "new branches", "separate branch", "own branch", "on a branch", "in a branch", "on a feature branch"], of_work: true,
        to_do: say("Cut a branch of its own before you change files.", "Cut a branch first", FIRST), not: say("Do not create branches unless you are told to.", "Stay on the branch", GIT), ask: say("Ask before you create a branch.", "Ask before branching", GIT) },
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
    Act { key: "docs", verbs: &["update", "add", "write", "keep", "adjust", "extend", "maintain", "create", "need"], nouns: &["doc", "docs", "documentation", "the docs", "readme", "architecture docs", "in the docs", "to the docs", "to the readme", "in the readme", "readmes", "document", "documents", "architecture document", "guide", "docs folder"], of_work: true,
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
        to_do: None, not: say("Do not duplicate code: look for a helper that exists first.", "Reuse existing code", CODING), ask: None },
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

/// Acts that no verb with its object tells, but the whole sentence, or what was done beside it: `forms.rs` and `deeds.rs` say how.
#[rustfmt::skip]
pub(super) const FORMED: &[Act] = &[
    Act { key: "reply-commit", verbs: &[], nouns: &[], of_work: true,
        to_do: say("Answer each review comment in its thread, with the commit that fixes it.", "Answer review comments", "when working on review comments"), not: None, ask: None },
    Act { key: "draft-base", verbs: &[], nouns: &[], of_work: true,
        to_do: say("Open pull requests as drafts, onto the branch that they build on.", "Open draft pull requests", "before opening a pull request"), not: None, ask: None },
    Act { key: "changelog-short", verbs: &[], nouns: &[], of_work: true,
        to_do: say("Add one short entry to the changelog with a change.", "Update the changelog", DONE), not: None, ask: None },
    Act { key: "branch-main", verbs: &[], nouns: &[], of_work: true,
        to_do: say("Cut a branch off the main branch before you change files.", "Cut a branch first", FIRST), not: None, ask: None },
    Act { key: "judge-review", verbs: &[], nouns: &[], of_work: true,
        to_do: say("Say which points of a review are valid before you fix them.", "Judge review comments", "when working on review comments"), not: None, ask: None },
    Act { key: "test-repeats", verbs: &[], nouns: &[], of_work: true,
        to_do: say("Check that new tests repeat no other test and test our own code.", "Avoid repeated tests", TESTING), not: None, ask: None },
    Act { key: "types", verbs: &[], nouns: &[], of_work: true,
        to_do: say("Use the types of this code base, not plain strings.", "Use strong types", CODING), not: None, ask: None },
    Act { key: "logger", verbs: &[], nouns: &[], of_work: true,
        to_do: say("Log problems, with the logger of this project.", "Log problems", CODING), not: None, ask: None },
    Act { key: "only-look", verbs: &[], nouns: &[], of_work: true,
        to_do: None, not: say("Do not change files when you are asked to check or explain.", "Check without editing", FIRST), ask: None },
    Act { key: "shared-tree", verbs: &[], nouns: &[], of_work: true,
        to_do: say("Others work in the same tree: re-read files, and stage only your own.", "Share the work tree", "before editing or staging files"), not: None, ask: None },
    Act { key: "commit-order", verbs: &[], nouns: &[], of_work: true,
        to_do: None, not: None, ask: say("Commit when you are told to, not before.", "Commit when told", GIT) },
];

/// The same, of something that has a name.
#[rustfmt::skip]
pub(super) const FORMED_NAMED: &[Act] = &[
    Act { key: "verify", verbs: &[], nouns: &[], of_work: true,
        to_do: say("Run `{}` before you say that a change is done.", "Check finished work", DONE), not: None, ask: None },
    Act { key: "parity", verbs: &[], nouns: &[], of_work: true,
        to_do: say("Keep `{}` alike: what one gets, check in the other.", "Keep both alike", "before saying that a change of one of them is done"), not: None, ask: None },
    Act { key: "issue-project", verbs: &[], nouns: &[], of_work: true,
        to_do: say("Put new issues into the project `{}`.", "File issues", "before creating an issue"), not: None, ask: None },
    Act { key: "release-files", verbs: &[], nouns: &[], of_work: true,
        to_do: say("Before a release, update `{}`.", "Prepare a release", "before a release"), not: None, ask: None },
];

/// Acts on something that has a name.
#[rustfmt::skip]
pub(super) const NAMED: &[Act] = &[
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
pub(super) const OF_GIT: &[&str] = &["rebase", "squash", "cherry-pick", "checkout"];

/// Words that begin another clause: the verb's object does not reach beyond them.
pub(super) const SUBORDINATE: &[&str] = &[
    "after", "as", "because", "before", "if", "instead", "once", "rather", "since", "so", "that", "though",
    "to", "unless", "until", "when", "whenever", "where", "which", "while", "without", "over", "than", "for",
];

/// Words that may stand behind what something is done to.
#[rustfmt::skip]
pub(super) const BEHIND: &[&str] = &[
    "about", "after", "again", "always", "and", "any", "anymore", "anywhere", "as", "at", "because", "before", "by", "directly",
    "each", "either", "ever", "every", "everywhere", "explicitly", "first", "for", "from", "here", "if", "immediately", "in", "into", "on", "once", "or",
    "please", "since", "so", "straight", "that", "there", "to", "too", "unless", "until", "up", "when", "whenever", "where", "which",
    "while", "with", "without", "yet", "yourself", "automatically", "at all", "only", "which", "whose", "of", "though", "are", "is", "must", "should", "today", "now", "manually", "well", "not", "entry", "line", "entries", "section", "covering", "showing", "checking", "proving", "onto", "against", "based", "off", "referencing", "mentioning", "including", "saying", "accordingly", "properly", "ourselves", "over", "than", "is",
];
