//! `skills install` and `skills update`: a team's library on a machine, beside what a person has there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::connect_all::Machine;
use crate::support::eventually;

/// A library in a repository of its own.
struct Library(TempDir);

impl Library {
    fn new() -> Self {
        let library = Self(TempDir::new().unwrap());
        library.git(&["init", "-q", "-b", "main"]);
        library
    }

    fn git(&self, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=x", "-c", "user.email=x@example.com"]).args(arguments);
        let done = command.current_dir(self.0.path()).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.0.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn skill(&self, name: &str, words: &str) {
        self.write(&format!("skills/{name}/SKILL.md"), &skill(name, words));
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "x"]);
    }

    fn url(&self) -> String {
        format!("file://{}", self.0.path().display())
    }
}

fn skill(name: &str, words: &str) -> String {
    format!("---\nname: {name}\ndescription: {words}\n---\n{words}\n")
}

/// The files below a folder.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).into_iter().flatten() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_library_comes_to_every_assistant_and_goes_again_to_the_last_byte() {
    let library = Library::new();
    library.skill("run-tests", "Use for tests.");
    library.write("skills/run-tests/scripts/run.sh", "#!/bin/sh\n");
    library.write("README.md", "# ours\n");
    library.commit();
    let machine = Machine::with(&["claude", "codex", "gemini", "pi"], &[".hermes"]);
    machine.write(".claude/settings.json", "{\"model\": \"opus\"}\n");
    machine.write(".claude/skills/mine/SKILL.md", "mine\n");
    let before = machine.tree();
    let (code, said) = machine.run(&["skills", "install", "--from", &library.url()]);
    assert_eq!(code, 0, "{said}");
    for folder in [".claude/skills", ".agents/skills", ".hermes/skills"] {
        let found = files(&machine.home().join(folder));
        assert_eq!(found["run-tests/SKILL.md"], skill("run-tests", "Use for tests."), "{folder}: {said}");
        assert!(found.contains_key("run-tests/scripts/run.sh"), "{found:?}");
    }
    assert!(!machine.home().join(".gemini/skills").exists(), "nobody finds a skill twice");
    for path in [".claude/settings.json", ".gemini/settings.json", ".pi/agent/extensions/skillspan-skills.ts"]
    {
        let written = machine.read(path);
        assert!(written.contains("skills") && written.contains("update"), "{path}: {written}");
    }
    // Telemetry in the same file, and both ways round.
    assert_eq!(machine.run(&["connect", "--all", "--write"]).0, 0);
    assert_eq!(machine.run(&["connect", "--all", "--remove"]).0, 0);
    assert!(machine.read(".claude/settings.json").contains("skillspan skills update"));
    let (code, said) = machine.run(&["skills", "install", "--remove"]);
    assert_eq!(code, 0, "{said}");
    let mut after = machine.tree();
    after.retain(|path, _| !path.starts_with(machine.home().join(".local")));
    assert_eq!(after, before, "{said}");
    assert_eq!(machine.run(&["skills", "install", "--remove"]).0, 1);
    let data = machine.home().join(".local/share/skillspan");
    assert!(!data.join("libraries").exists(), "the library's copy is gone as well: {said}");
}

#[test]
fn a_librarys_copy_stays_while_it_is_needed_and_where_somebody_worked_in_it() {
    let (library, other) = (Library::new(), Library::new());
    for library in [&library, &other] {
        library.skill("one", "x");
        library.commit();
    }
    let machine = Machine::with(&["claude", "codex"], &["work"]);
    let copies = || {
        let entries =
            fs::read_dir(machine.home().join(".local/share/skillspan/libraries")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<PathBuf>>()
    };
    for words in [&["--from", &library.url()][..], &["--from", &library.url(), "--project", "work"]] {
        let (code, said) = machine.run(&[&["skills", "install", "--no-hook"], words].concat());
        assert_eq!(code, 0, "{said}");
    }
    assert_eq!(copies().len(), 1);
    assert_eq!(machine.run(&["skills", "install", "--remove"]).0, 0);
    assert_eq!(copies().len(), 1, "the project has it still");
    let (code, said) = machine.run(&["skills", "install", "--remove", "--project", "work"]);
    assert!(code == 0 && copies().is_empty() && said.contains("the copy of file://"), "{said}");
    for made in ["branch", "file"] {
        assert_eq!(machine.run(&["skills", "install", "--no-hook", "--from", &other.url()]).0, 0);
        let [copy] = &copies()[..] else { panic!("{:?}", copies()) };
        match made {
            "branch" => {
                let mut git = Command::new("git");
                let done = git.args(["branch", "mine", "FETCH_HEAD"]).current_dir(copy).output().unwrap();
                assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            }
            _ => fs::write(copy.join("notes.md"), "mine\n").unwrap(),
        }
        let (code, said) = machine.run(&["skills", "install", "--remove"]);
        assert!(code == 0 && copy.exists() && said.contains("stays: "), "{said}");
        assert!(said.contains(if made == "branch" { "mine" } else { "`notes.md`" }), "{said}");
        fs::remove_dir_all(copy).unwrap();
    }
}

#[test]
fn an_update_brings_what_changed_and_leaves_what_a_person_changed() {
    let library = Library::new();
    for name in ["same", "edited", "extended", "deleted", "leaves"] {
        library.skill(name, "first");
    }
    library.skill("taken", "first");
    library.commit();
    let machine = Machine::with(&["codex"], &[]);
    machine.write(".agents/skills/taken/SKILL.md", "a person's\n");
    let (code, said) = machine.run(&["skills", "install", "--from", &library.url(), "--no-hook"]);
    assert!(code == 0 && said.contains("taken: one of that name is there"), "{said}");
    let folder = machine.home().join(".agents/skills");
    machine.write(".agents/skills/edited/SKILL.md", "mine\n");
    machine.write(".agents/skills/extended/notes.md", "mine\n");
    fs::remove_dir_all(folder.join("deleted")).unwrap();
    for name in ["same", "edited", "extended", "deleted", "new"] {
        library.skill(name, "second");
    }
    library.write("skills/same/references/more.md", "more\n");
    fs::remove_dir_all(library.0.path().join("skills/leaves")).unwrap();
    library.commit();
    for round in 0..2 {
        let (code, said) = machine.run(&["skills", "update"]);
        assert_eq!(code, 0, "{said}");
        let found = files(&folder);
        let expected: BTreeMap<String, String> = [
            ("same/SKILL.md", skill("same", "second")),
            ("same/references/more.md", "more\n".to_owned()),
            ("new/SKILL.md", skill("new", "second")),
            ("edited/SKILL.md", "mine\n".to_owned()),
            ("extended/SKILL.md", skill("extended", "first")),
            ("extended/notes.md", "mine\n".to_owned()),
            ("taken/SKILL.md", "a person's\n".to_owned()),
        ]
        .map(|(path, text)| (path.to_owned(), text))
        .into();
        assert_eq!(found, expected, "{round}: {said}");
        for (name, reason) in [
            ("edited", "a person changed it"),
            ("extended", "a person changed it"),
            ("deleted", "a person deleted it"),
        ] {
            assert!(said.contains(&format!("{name}: {reason}")), "{said}");
        }
    }
    // A person who asks for it anew gets what is missing.
    assert_eq!(machine.run(&["skills", "install", "--from", &library.url(), "--no-hook"]).0, 0);
    assert!(folder.join("deleted/SKILL.md").exists());
    let (code, said) = machine.run(&["skills", "install", "--remove"]);
    assert_eq!(code, 0, "{said}");
    let left: Vec<String> = files(&folder).into_keys().collect();
    assert_eq!(
        left,
        ["edited/SKILL.md", "extended/SKILL.md", "extended/notes.md", "taken/SKILL.md"],
        "{said}"
    );
}

#[test]
fn a_session_that_begins_brings_what_is_new_and_is_told_nothing() {
    let library = Library::new();
    library.skill("one", "first");
    library.commit();
    let machine = Machine::with(&["claude"], &[]);
    assert_eq!(machine.run(&["skills", "update", "--quiet"]), (0, String::new()), "nothing is installed");
    assert_eq!(machine.run(&["skills", "install", "--from", &library.url()]).0, 0);
    library.skill("one", "second");
    library.commit();
    let path = ".claude/skills/one/SKILL.md";
    assert_eq!(machine.run(&["skills", "update", "--quiet"]), (0, String::new()));
    let record = machine.home().join(".local/share/skillspan/installed.json");
    let mut installed: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&record).unwrap()).unwrap();
    assert!(machine.read(path).contains("first"), "it was asked a moment ago");
    installed["installs"][0]["checked_at"] = "2020-01-01T00:00:00Z".into();
    fs::write(&record, installed.to_string()).unwrap();
    assert_eq!(machine.run(&["skills", "update", "--quiet"]), (0, String::new()));
    eventually("the new text", || machine.read(path).contains("second"));
    // A source that is gone takes nothing with it.
    drop(library);
    let (code, said) = machine.run(&["skills", "update"]);
    assert!(code == 1 && said.contains("what is installed stays"), "{said}");
    assert!(machine.read(path).contains("second"));
}

#[test]
fn folders_projects_and_single_assistants() {
    let library = Library::new();
    library.write(".agents/skills/one/SKILL.md", &skill("one", "x"));
    library.commit();
    let bare = TempDir::new().unwrap();
    library.git(&["clone", "-q", "--bare", ".", bare.path().join("x.git").to_str().unwrap()]);
    let plain = TempDir::new().unwrap();
    fs::create_dir_all(plain.path().join("one")).unwrap();
    fs::write(plain.path().join("one/SKILL.md"), skill("one", "x")).unwrap();
    for from in [library.0.path().to_owned(), bare.path().join("x.git"), plain.path().to_owned()] {
        let machine = Machine::with(&["claude", "codex"], &["work"]);
        let from = from.to_str().unwrap();
        let (code, said) =
            machine.run(&["skills", "install", "--from", from, "--assistant", "codex", "--no-hook"]);
        assert_eq!(code, 0, "{from}: {said}");
        assert!(machine.home().join(".agents/skills/one/SKILL.md").exists(), "{said}");
        assert!(!machine.home().join(".claude").exists(), "{said}");
        let (code, said) = machine.run(&["skills", "install", "--from", from, "--project", "work"]);
        assert_eq!(code, 0, "{from}: {said}");
        for folder in ["work/.agents/skills", "work/.claude/skills"] {
            assert!(machine.home().join(folder).join("one/SKILL.md").exists(), "{folder}: {said}");
        }
        assert!(!machine.home().join(".claude").exists(), "a project's library changes no settings: {said}");
        assert_eq!(machine.run(&["skills", "install", "--remove", "--project", "work"]).0, 0);
        assert!(!machine.home().join("work/.claude").exists());
        assert!(machine.home().join(".agents/skills/one/SKILL.md").exists(), "the person's stays");
    }
}

/// A library is written by others: nothing of it reaches outside of the folders of skills.
#[test]
fn nothing_of_a_library_reaches_elsewhere() {
    let library = Library::new();
    library.skill("good", "x");
    library.write("skills/.hidden/SKILL.md", "x");
    std::os::unix::fs::symlink("/etc/passwd", library.0.path().join("skills/good/passwd")).unwrap();
    std::os::unix::fs::symlink("/etc", library.0.path().join("skills/linked")).unwrap();
    library.commit();
    for from in [library.url(), library.0.path().display().to_string()] {
        let machine = Machine::with(&["claude"], &[]);
        let elsewhere = TempDir::new().unwrap();
        fs::create_dir_all(machine.home().join(".claude/skills")).unwrap();
        let (code, said) = machine.run(&["skills", "install", "--from", &from, "--no-hook"]);
        assert_eq!(code, 0, "{said}");
        let found: Vec<String> = files(&machine.home().join(".claude/skills")).into_keys().collect();
        assert_eq!(found, ["good/SKILL.md"], "{said}");
        // A link that a person put in a skill's place is not followed.
        let link = machine.home().join(".claude/skills/good");
        fs::remove_dir_all(&link).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
        let (code, said) = machine.run(&["skills", "install", "--from", &from, "--no-hook"]);
        assert!(code == 0 && said.contains("good: a link stands in its place"), "{said}");
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_source_that_is_none_is_named() {
    let machine = Machine::with(&["claude"], &[]);
    let empty = TempDir::new().unwrap();
    let empty = empty.path().to_str().unwrap();
    for (from, code, reason) in [
        ("/no/such/folder", 64, "no folder is there"),
        ("ext::sh -c id", 64, "no folder is there"),
        ("--upload-pack=id", 64, ""),
        ("https://me:secret@git.example.com/x.git", 64, "credential helper"),
        ("file:///no/such/repository", 1, "cannot be read"),
        (empty, 1, "has no skills"),
        ("", 64, "--from names nothing"),
    ] {
        let (found, said) = machine.run(&["skills", "install", "--from", from]);
        assert!(found == code && said.contains(reason) && !said.contains("secret"), "{from}: {found} {said}");
    }
    let (code, said) = machine.run(&["skills", "install", "--from", empty, "--assistant", "clod"]);
    assert!(code == 64 && said.contains("claude-code"), "{said}");
    let (code, said) = machine.run(&["skills", "install", "--from", empty, "--project", "/no/such/folder"]);
    assert!(code == 64 && said.contains("--project /no/such/folder"), "{said}");
    assert_eq!(machine.run(&["skills", "install"]).0, 64);
    assert!(!machine.home().join(".claude").exists());
}
