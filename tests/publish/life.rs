//! The life of a skill in a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use skillspan::exporters::Destination;
use skillspan::exporters::filesystem::{Config, Error, Filesystem};
use skillspan::exporters::target::{Report, Update};
use skillspan::library::{Change, Decision, Findings, Layout, Listed, Standing};
use skillspan::skillify::Mined;

use super::repository::{NAME, SKILL, first as sessions, needs, with_migration as sessions_with_migration};
use super::sessions::mined;

/// A folder to publish to.
pub(crate) struct Target {
    folder: tempfile::TempDir,
}

impl Target {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn config(&self, layout: Layout) -> Config {
        Config { path: self.folder.path().to_owned(), layout }
    }

    pub(crate) fn exporter(&self) -> Filesystem {
        Filesystem::new(self.config(Layout::Library))
    }

    /// Every SKILL.md.
    pub(crate) fn skills(&self) -> Vec<String> {
        self.files().into_iter().filter(|path| path.ends_with("/SKILL.md")).collect()
    }

    pub(crate) fn remove_folder(&self, path: &str) {
        fs::remove_dir_all(self.folder.path().join(path)).unwrap();
    }

    pub(crate) fn publish(&self, mined: &Mined) -> Report {
        self.exporter().publish(&update(mined)).unwrap()
    }

    pub(crate) fn decide(&self, name: &str, said: Decision) -> Result<(), String> {
        self.exporter().publish(&decision(name, said)).map(drop).map_err(|error| error.to_string())
    }

    /// The one skill that waits for a person.
    pub(crate) fn waiting(&self) -> Option<Listed> {
        let library = self.exporter().load().unwrap();
        library.skills().into_iter().find(|skill| skill.standing == Standing::Waiting)
    }

    /// What is said to have become of a skill.
    pub(crate) fn state(&self, name: &str) -> &'static str {
        let library = self.exporter().load().unwrap();
        library.skills().iter().find(|skill| skill.name == name).unwrap().state()
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Every file but the lock, relative, ascending.
    pub(crate) fn files(&self) -> Vec<String> {
        fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    walk(root, &entry.path(), files);
                } else {
                    files.push(entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        let mut files = Vec::new();
        walk(self.folder.path(), self.folder.path(), &mut files);
        files.retain(|path| path != ".skillspan/lock");
        files.sort();
        files
    }

    pub(crate) fn contents(&self) -> BTreeMap<String, String> {
        self.files().into_iter().map(|path| (path.clone(), self.read(&path))).collect()
    }
}

pub(crate) fn update(mined: &Mined) -> Update {
    Update::Findings(vec![Findings::from(mined)])
}

/// What a person decides about a skill.
pub(crate) fn decision(name: &str, decision: Decision) -> Update {
    Update::Decision { skill: name.into(), decision, as_of: "2026-11-22".into() }
}

#[test]
fn a_new_skill_is_created() {
    let target = Target::new();
    let report = target.publish(&mined(&sessions()));
    assert_eq!(report.named(Change::Created), [NAME]);
    assert_eq!(report.files_written, 8);
    assert_eq!(
        target.files(),
        [
            ".claude-plugin/marketplace.json",
            ".claude-plugin/plugin.json",
            ".gitattributes",
            ".skillspan/library.json",
            "README.md",
            "gemini-extension.json",
            "package.json",
            "skills/run-the-tests/SKILL.md",
            "skills/run-the-tests/references/evidence.md",
        ]
    );
}

#[test]
fn nothing_mined_writes_nothing() {
    let target = Target::new();
    target.publish(&mined(&[]));
    target.publish(&mined(&sessions()[..1]));
    assert!(target.files().is_empty());
}

#[test]
fn a_run_that_learnt_nothing_writes_nothing() {
    let target = Target::new();
    target.publish(&mined(&sessions()));
    let before = target.contents();
    let mut sessions = sessions();
    for (index, mut again) in self::sessions().into_iter().enumerate() {
        again.id = format!("again{index}");
        sessions.push(again);
    }
    let report = target.publish(&mined(&sessions));
    assert_eq!((report.named(Change::Unchanged).as_slice(), report.files_written), ([NAME].as_slice(), 0));
    assert_eq!(target.contents(), before, "counts alone are no change");
}

#[test]
fn what_sessions_show_anew_sharpens_the_skill_under_its_name() {
    let target = Target::new();
    target.publish(&mined(&sessions()));
    let report = target.publish(&mined(&sessions_with_migration()));
    assert_eq!(report.named(Change::Sharpened), [NAME]);
    let skill = target.read(SKILL);
    assert!(
        skill.contains("2. If `make itest` fails with \"relation does not exist\", run `make migrate`."),
        "{skill}"
    );
    assert!(skill.contains("skillspan-version: \"2\"") && skill.contains("name: run-the-tests\n"));
    assert!(target.read("package.json").contains("0.1.2"));
}

#[test]
fn what_a_person_edited_stays_and_a_proposal_is_kept() {
    let target = Target::new();
    target.publish(&mined(&sessions()));
    let edited = target.read(SKILL).replace("## Lessons", "## Lessons, as we like them");
    target.write(SKILL, &edited);
    let report = target.publish(&mined(&sessions_with_migration()));
    assert_eq!((report.named(Change::HandEdited).as_slice(), report.files_written), ([NAME].as_slice(), 0));
    assert_eq!(target.read(SKILL), edited);
    let state = target.read(".skillspan/library.json");
    assert!(state.contains("\"proposal\"") && state.contains("make migrate"));
    let before = target.contents();
    target.publish(&mined(&sessions_with_migration()));
    assert_eq!(target.contents(), before, "a proposal is made once");
}

#[test]
fn other_line_ends_are_no_edit() {
    let target = Target::new();
    target.publish(&mined(&sessions()));
    target.write(SKILL, &target.read(SKILL).replace('\n', "\r\n"));
    assert_eq!(target.publish(&mined(&sessions_with_migration())).named(Change::Sharpened), [NAME]);
}

#[test]
fn what_a_person_deleted_never_comes_back() {
    let target = Target::new();
    target.publish(&mined(&sessions()));
    fs::remove_dir_all(target.folder.path().join("skills").join(NAME)).unwrap();
    for sessions in [sessions(), sessions_with_migration(), sessions()] {
        let report = target.publish(&mined(&sessions));
        assert_eq!(report.named(Change::Refused), [NAME]);
        assert!(!target.files().iter().any(|path| path.starts_with("skills/")));
    }
    assert!(!target.read("README.md").contains(NAME));
    assert_eq!(target.state(NAME), "deleted by a person");
}

#[test]
fn other_peoples_files_are_not_touched() {
    let target = Target::new();
    for path in ["README.md", SKILL, "skills/mine/SKILL.md", "notes.txt"] {
        target.write(path, "mine");
    }
    let report = target.publish(&mined(&sessions()));
    assert_eq!(report.named(Change::Created).len(), 1);
    assert!(
        report.named(Change::Created)[0].starts_with("run-the-tests-"),
        "{:?}",
        report.named(Change::Created)
    );
    for path in ["README.md", SKILL, "skills/mine/SKILL.md", "notes.txt"] {
        assert_eq!(target.read(path), "mine", "{path}");
    }
}

#[test]
fn a_state_of_a_newer_version_is_refused_by_name() {
    let target = Target::new();
    target.write(".skillspan/library.json", r#"{"format": 99, "shape": "unknown"}"#);
    let error = target.exporter().publish(&update(&mined(&sessions()))).unwrap_err();
    assert!(
        error.to_string().ends_with(
            "library.json: the library's state has format 99, this version reads up to 6: use a newer skillspan"
        ),
        "{error}"
    );
    assert_eq!(target.files(), [".skillspan/library.json"]);
}

#[test]
fn an_interrupted_publish_is_finished_by_the_next() {
    let finished = Target::new();
    finished.publish(&mined(&sessions()));
    let first = finished.contents();
    finished.publish(&mined(&sessions_with_migration()));
    let second = finished.contents();
    // As if the power had gone after each file: the next state is there, some files are, the state is not.
    let changed: Vec<&String> = second
        .keys()
        .filter(|path| !path.starts_with(".skillspan") && first.get(*path) != second.get(*path))
        .collect();
    assert!(changed.len() > 3);
    for done in 0..=changed.len() {
        let target = Target::new();
        for (path, content) in &first {
            target.write(path, content);
        }
        target.write(".skillspan/library.json.next", &second[".skillspan/library.json"]);
        for path in changed.iter().take(done) {
            target.write(path, &second[*path]);
        }
        let report = target.publish(&mined(&sessions_with_migration()));
        assert_eq!(report.named(Change::Sharpened), [NAME], "after {done} files");
        assert_eq!(target.contents(), second, "after {done} files");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_that_names_it() {
    let target = Target::new();
    target.write("file", "");
    let path = target.folder.path().join("file/below");
    let exporter = Filesystem::new(Config { path: path.clone(), layout: Layout::Library });
    let error = exporter.publish(&update(&mined(&sessions()))).unwrap_err();
    assert!(
        matches!(error, Error::Io { .. }) && error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
}

#[test]
fn new_folders_are_closed_to_other_users_and_others_stay_as_they_are() {
    use std::os::unix::fs::PermissionsExt;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let target = Target::new();
    let root = target.folder.path();
    let open = root.join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    for path in [root.join("data/skillspan/skills"), open.clone()] {
        let exporter = Filesystem::new(Config { path, layout: Layout::Library });
        exporter.check().unwrap();
        exporter.publish(&update(&mined(&needs("make db-up", "make itest")))).unwrap();
    }
    let new = ["data", "data/skillspan", "data/skillspan/skills"].map(|path| mode(&root.join(path)));
    assert_eq!((new, mode(&open)), ([0o700; 3], 0o755));

    let bare = super::repository::Bare::new();
    let config = bare.config("one", skillspan::exporters::git::Mode::Direct);
    let cache = config.cache.clone();
    skillspan::exporters::git::Git::new(config).load().unwrap();
    assert_eq!((mode(cache.parent().unwrap()), mode(&cache)), (0o700, 0o700));
}

#[test]
fn links_that_lead_to_no_file_keep_nothing_from_being_published() {
    use std::os::unix::fs::symlink;

    let target = Target::new();
    let skills = target.folder.path().join("skills");
    fs::create_dir(&skills).unwrap();
    symlink("..", skills.join("a-folder.md")).unwrap();
    symlink("itself.md", skills.join("itself.md")).unwrap();
    symlink("nothing.md", skills.join("gone.md")).unwrap();
    assert_eq!(target.publish(&mined(&needs("make db-up", "make itest"))).named(Change::Created), [NAME]);
    assert!(fs::symlink_metadata(skills.join("itself.md")).is_ok());
}
