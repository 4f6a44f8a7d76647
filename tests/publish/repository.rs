//! Repositories of the tests: bare remotes, clones in which people work, and exporters to them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use skillspan::event::Status;
use skillspan::exporters::git::{Auth, Config, Git, Mode, Remote};
use skillspan::exporters::target::Update;
use skillspan::library::{Findings, Layout};
use skillspan::table::Session;

use super::sessions::{SessionBuilder, mined, session};

pub(crate) const NAME: &str = "run-the-tests";
pub(crate) const SKILL: &str = "skills/run-the-tests/SKILL.md";
pub(crate) const PROPOSAL: &str = "skillspan/proposal/main";
pub(crate) const STATE: &str = "skillspan/state";

/// Runs git as a person would, with nothing of this machine's configuration.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let (success, text) = try_git(folder, arguments);
    assert!(success, "git {arguments:?}: {text}");
    text
}

pub(crate) fn try_git(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("git")
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("these tests need git: {error}"));
    let text = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// A bare repository, with what belongs to it.
pub(crate) struct Bare {
    pub(crate) folder: tempfile::TempDir,
}

impl Bare {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet", "--bare", "remote.git"]);
        Self { folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }

    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.path().display())
    }

    /// An exporter with an empty disk of its own.
    pub(crate) fn config(&self, worker: &str, mode: Mode) -> Config {
        Config {
            remote: Remote::parse(&self.url()).unwrap(),
            auth: Auth::Open,
            branch: "main".into(),
            mode,
            layout: Layout::Library,
            author: ("skillspan".into(), "skills@example.com".into()),
            cache: self.folder.path().join("caches").join(worker),
            credential_helper: env!("CARGO_BIN_EXE_skillspan").into(),
            program: "git".into(),
        }
    }

    pub(crate) fn direct(&self) -> Git {
        Git::new(self.config("one", Mode::Direct))
    }

    pub(crate) fn review(&self) -> Git {
        Git::new(self.config("one", Mode::Review))
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.path(), arguments)
    }

    /// The commit of a branch, `None` if there is none.
    pub(crate) fn tip(&self, branch: &str) -> Option<String> {
        let (found, text) =
            try_git(&self.path(), &["rev-parse", "--verify", &format!("refs/heads/{branch}")]);
        found.then(|| text.trim().to_owned())
    }

    pub(crate) fn commits(&self, branch: &str) -> usize {
        self.git(&["rev-list", "--count", branch]).trim().parse().unwrap()
    }

    pub(crate) fn files(&self, branch: &str) -> BTreeMap<String, String> {
        let names = self.git(&["ls-tree", "-r", "--name-only", branch]);
        names.lines().map(|name| (name.to_owned(), self.read(branch, name))).collect()
    }

    pub(crate) fn read(&self, branch: &str, path: &str) -> String {
        self.git(&["show", &format!("{branch}:{path}")])
    }

    pub(crate) fn has(&self, branch: &str, path: &str) -> bool {
        try_git(&self.path(), &["cat-file", "-e", &format!("{branch}:{path}")]).0
    }

    /// Subject lines, newest first.
    pub(crate) fn subjects(&self, branch: &str) -> Vec<String> {
        self.git(&["log", "--format=%s", branch]).lines().map(str::to_owned).collect()
    }

    /// A clone in which a person works.
    pub(crate) fn person(&self, name: &str) -> Person {
        let folder = self.folder.path().join("people").join(name);
        fs::create_dir_all(&folder).unwrap();
        git(&folder, &["init", "--quiet"]);
        git(&folder, &["remote", "add", "origin", &self.url()]);
        Person { folder }
    }

    /// Installs a hook that decides about pushes.
    pub(crate) fn hook(&self, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path().join("hooks/update");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// A person with a clone.
pub(crate) struct Person {
    pub(crate) folder: PathBuf,
}

impl Person {
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.folder, arguments)
    }

    /// The branch as it stands at the remote.
    pub(crate) fn pull(&self, branch: &str) {
        self.git(&["fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*"]);
        if try_git(&self.folder, &["rev-parse", "--verify", &format!("origin/{branch}")]).0 {
            self.git(&["checkout", "--quiet", "-B", branch, &format!("origin/{branch}")]);
            self.git(&["reset", "--quiet", "--hard", &format!("origin/{branch}")]);
        } else {
            self.git(&["checkout", "--quiet", "--orphan", branch]);
        }
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap()
    }

    pub(crate) fn commit_and_push(&self, branch: &str, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
        self.git(&["push", "--quiet", "origin", &format!("HEAD:refs/heads/{branch}")]);
    }

    /// Merges what is proposed.
    pub(crate) fn merge_the_proposal(&self) {
        self.pull("main");
        self.git(&["merge", "--quiet", "--no-ff", "-m", "Merge the proposal", &format!("origin/{PROPOSAL}")]);
        self.git(&["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
    }
}

pub(crate) fn update(sessions: &[Session]) -> Update {
    Update::Findings(vec![Findings::from(&mined(sessions))])
}

/// Three sessions of three people in which `test` fails until `fix` has run, found by the agent each time.
pub(crate) fn needs(fix: &str, test: &str) -> Vec<Session> {
    let tried = |session: SessionBuilder| {
        session.run_with_output(test, Status::Error, "connection refused").ok(fix).ok(test)
    };
    let shop = |id: &str, person: &str| session(id).by(person).project("git.example.com/acme/shop-api");
    let one = shop("s01", "alice").prompt("Run the integration tests of the orders module.").read("Makefile");
    let two = shop("s02", "bob").prompt("Run the integration tests please");
    let three = session("s03")
        .by("carol")
        .project("git.example.com/acme/web-widgets")
        .prompt("Fix the greeting in src/app.py to say \"Hi\" and check the integration suite")
        .read("src/app.py")
        .edit("src/app.py");
    [one, two, three].map(|session| tried(session).response("Done.").build()).to_vec()
}

/// Sessions that teach the first version of a skill.
pub(crate) fn first() -> Vec<Session> {
    needs("make db-up", "make itest")
}

/// Three more, in which another failure needs a migration.
pub(crate) fn with_migration() -> Vec<Session> {
    let more = |(id, person): (&str, &str)| {
        session(id)
            .by(person)
            .prompt("run the integration tests")
            .run_with_output("make itest", Status::Error, "relation does not exist")
            .ok("make migrate")
            .ok("make itest")
            .build()
    };
    [first(), [("m4", "alice"), ("m5", "bob"), ("m6", "carol")].map(more).to_vec()].concat()
}

/// Sessions that teach another skill.
pub(crate) fn other(number: usize) -> Vec<Session> {
    let words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet"];
    let word = words.get(number % words.len()).unwrap();
    let suffix = number / words.len();
    let one = |(id, person): (&str, &str)| {
        session(&format!("{id}-{number}"))
            .by(person)
            .prompt(&format!("run the {word} export"))
            .fails(&format!("make export-{word}{suffix}"))
            .ok(&format!("make seed-{word}{suffix}"))
            .ok(&format!("make export-{word}{suffix}"))
            .response("Done.")
            .build()
    };
    [("x", "alice"), ("y", "bob"), ("z", "carol")].map(one).to_vec()
}
