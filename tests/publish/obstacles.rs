//! What stands where files of a library belong: nothing is read or written through it, each such state is
//! named and refused as a whole, nothing counts as deleted, and once it is moved away publishing goes on.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use skillspan::exporters::Destination;
use skillspan::exporters::Obstacle;
use skillspan::exporters::filesystem::{Config, Error, Filesystem};
use skillspan::exporters::git::{self, Git, Mode};
use skillspan::exporters::target::Report;
use skillspan::library::{Change, Layout};

use super::repository::{Bare, NAME, PROPOSAL, Person, SKILL, first, other, update, with_migration};

const THEIRS: &str = "---\nname: theirs\ndescription: \"My own\"\n---\nWritten by hand\n";

/// Every place that a file of the library has above it, and those of its other files.
fn places() -> Vec<String> {
    let skill = format!("skills/{NAME}");
    [
        "skills",
        &skill,
        SKILL,
        &format!("{skill}/references"),
        &format!("{skill}/references/evidence.md"),
        "README.md",
        ".claude-plugin",
        ".claude-plugin/plugin.json",
        ".gitattributes",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A target in a folder, and a folder beside it that is not to be touched.
struct Folder {
    all: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        let all = tempfile::tempdir().unwrap();
        let outside = all.path().join("outside");
        for name in ["a", NAME, &format!("{NAME}/references")] {
            fs::create_dir_all(outside.join(name)).unwrap();
            fs::write(outside.join(name).join("SKILL.md"), THEIRS).unwrap();
        }
        fs::write(outside.join("file"), THEIRS).unwrap();
        fs::create_dir(all.path().join("target")).unwrap();
        Self { all }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.all.path().join("target").join(path)
    }

    fn outside(&self, path: &str) -> PathBuf {
        self.all.path().join("outside").join(path)
    }

    fn exporter(&self) -> Filesystem {
        self.exporter_of(Layout::Library)
    }

    fn exporter_of(&self, layout: Layout) -> Filesystem {
        Filesystem::new(Config { path: self.at(""), layout })
    }

    /// Every file, link and folder of a tree, links not followed, with what is in them.
    fn seen(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut seen = BTreeMap::new();
        for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                seen.extend(Self::seen(&path));
                seen.insert(path, Vec::new());
            } else if kind.is_file() {
                seen.insert(path.clone(), fs::read(&path).unwrap());
            } else {
                seen.insert(path, b"no file".to_vec());
            }
        }
        seen
    }

    fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut seen = Self::seen(self.all.path());
        // Made by a first publish that is refused; it holds nothing.
        seen.retain(|path, _| !path.ends_with(".skillspan") && !path.ends_with(".skillspan/lock"));
        seen
    }

    /// Puts something at a path that had nothing or something else, which is kept beside the target.
    fn put(&self, path: &str, make: impl FnOnce(&Path)) {
        let at = self.at(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        if at.symlink_metadata().is_ok() {
            fs::rename(&at, self.all.path().join("aside")).unwrap();
        }
        make(&at);
    }

    /// Takes it away again and puts back what was there.
    fn undo(&self, path: &str) {
        let at = self.at(path);
        let is_folder = at.symlink_metadata().unwrap().is_dir();
        if is_folder {
            fs::remove_dir_all(&at).unwrap()
        } else {
            fs::remove_file(&at).unwrap()
        }
        let aside = self.all.path().join("aside");
        if aside.symlink_metadata().is_ok() {
            fs::rename(aside, &at).unwrap();
        }
    }

    /// Asserts that the state is refused as a whole and named, by every way in.
    fn assert_refused(&self, path: &str, obstacle: &Obstacle, context: &str) {
        let before = self.everything();
        let exporter = self.exporter();
        let publish = |sessions| exporter.publish(&update(sessions)).map(|report: Report| report.to_string());
        let refused = [
            publish(&with_migration()),
            exporter.plan(&update(&with_migration())).map(|report| report.to_string()),
            publish(&[with_migration(), other(1)].concat()),
        ];
        for outcome in refused {
            let error = outcome.expect_err(context);
            let Error::Blocked { blocked, folder } = &error else { panic!("{context}: {error}") };
            assert_eq!((blocked.path.as_str(), &blocked.obstacle), (path, obstacle), "{context}");
            let text = error.to_string();
            assert!(text.contains(path) && text.contains(folder.to_str().unwrap()), "{context}: {text}");
        }
        assert_eq!(self.everything(), before, "{context}");
    }
}

fn pipe(at: &Path) {
    assert!(Command::new("mkfifo").arg(at).status().unwrap().success());
}

/// Puts something at a path.
type Put = Box<dyn FnOnce(&Path)>;
/// What is put there, what it counts as, and how.
type Thing = (&'static str, Obstacle, Put);

/// What may be put at a path, beside what it counts as.
fn things(folder: &Folder, is_file: bool) -> Vec<Thing> {
    let link = |to: PathBuf| -> Put { Box::new(move |at| symlink(to, at).unwrap()) };
    let mut things: Vec<Thing> = vec![
        ("a link to a folder", Obstacle::Link, link(folder.outside(NAME))),
        ("a link to a file", Obstacle::Link, link(folder.outside("file"))),
        ("a link to nothing", Obstacle::Link, link(folder.outside("nothing"))),
        ("a link to itself", Obstacle::Link, Box::new(|at| symlink(at, at).unwrap())),
        ("a link within", Obstacle::Link, link(PathBuf::from("."))),
        ("a link to a device", Obstacle::Link, link(PathBuf::from("/dev/zero"))),
        ("a pipe", Obstacle::Pipe, Box::new(pipe)),
        ("a socket", Obstacle::Socket, Box::new(|at| drop(UnixListener::bind(at).unwrap()))),
    ];
    if is_file {
        things.push(("a folder", Obstacle::Folder, Box::new(|at| fs::create_dir(at).unwrap())));
    } else {
        things.push(("a file", Obstacle::File, Box::new(|at| fs::write(at, THEIRS).unwrap())));
    }
    things
}

fn is_file(path: &str) -> bool {
    !matches!(path.rsplit('/').next(), Some("skills" | NAME | "references" | ".claude-plugin"))
}

#[test]
fn a_folder_refuses_whatever_stands_in_the_way_of_a_first_publish() {
    for path in places() {
        for at in 0..things(&Folder::new(), is_file(&path)).len() {
            let folder = Folder::new();
            let (name, obstacle, make) = things(&folder, is_file(&path)).swap_remove(at);
            let context = format!("{name} at {path}");
            folder.put(&path, make);
            folder.assert_refused(&path, &obstacle, &context);
            folder.undo(&path);
            let report = folder.exporter().publish(&update(&first())).unwrap();
            assert_eq!(report.named(Change::Created), [NAME], "{context}");
        }
    }
}

#[test]
fn a_folder_takes_nothing_for_deleted_that_stands_behind_an_obstacle() {
    for path in places() {
        for at in 0..things(&Folder::new(), is_file(&path)).len() {
            let folder = Folder::new();
            folder.exporter().publish(&update(&first())).unwrap();
            let (name, obstacle, make) = things(&folder, is_file(&path)).swap_remove(at);
            let context = format!("{name} at {path}");
            folder.put(&path, make);
            folder.assert_refused(&path, &obstacle, &context);
            folder.undo(&path);
            let report = folder.exporter().publish(&update(&with_migration())).unwrap();
            assert_eq!(report.named(Change::Sharpened), [NAME], "{context}");
            assert!(report.named(Change::Refused).is_empty(), "{context}");
        }
    }
}

#[test]
fn a_skill_that_was_moved_and_linked_keeps_what_a_person_writes_into_it() {
    let folder = Folder::new();
    folder.exporter().publish(&update(&first())).unwrap();
    let (there, elsewhere) = (folder.at(&format!("skills/{NAME}")), folder.outside("moved"));
    fs::rename(&there, &elsewhere).unwrap();
    symlink(&elsewhere, &there).unwrap();
    let edited = format!("{}\nBy hand\n", fs::read_to_string(elsewhere.join("SKILL.md")).unwrap());
    fs::write(elsewhere.join("SKILL.md"), &edited).unwrap();
    folder.assert_refused(&format!("skills/{NAME}"), &Obstacle::Link, "moved and linked");
    assert!(folder.exporter().load().is_err(), "what cannot be seen is not listed as refused");
    fs::remove_file(&there).unwrap();
    fs::rename(&elsewhere, &there).unwrap();
    let report = folder.exporter().publish(&update(&with_migration())).unwrap();
    assert_eq!(report.named(Change::HandEdited), [NAME]);
    assert_eq!(fs::read_to_string(folder.at(SKILL)).unwrap(), edited);
}

#[test]
fn the_state_is_not_kept_through_a_link() {
    for path in [".skillspan", ".skillspan/library.json", ".skillspan/library.json.next", ".skillspan/lock"] {
        let folder = Folder::new();
        folder.exporter().publish(&update(&first())).unwrap();
        folder.put(path, |at| symlink(folder.outside("a"), at).unwrap());
        let before = Folder::seen(&folder.outside(""));
        let error = folder.exporter().publish(&update(&with_migration())).unwrap_err();
        assert!(error.to_string().contains(&format!("{path} is a link")), "{path}: {error}");
        assert_eq!(Folder::seen(&folder.outside("")), before, "{path}");
        folder.undo(path);
        let report = folder.exporter().publish(&update(&with_migration())).unwrap();
        assert_eq!(report.named(Change::Sharpened), [NAME], "{path}");
    }
}

#[test]
fn a_link_to_a_person_s_own_skill_is_left_alone_and_said() {
    let folder = Folder::new();
    fs::create_dir(folder.at("skills")).unwrap();
    symlink(folder.outside("a"), folder.at("skills/my-own")).unwrap();
    let outside = Folder::seen(&folder.outside(""));
    let report = folder.exporter().publish(&update(&first())).unwrap();
    assert_eq!(report.named(Change::Created), [NAME]);
    assert!(report.notes.iter().any(|note| note.contains("skills/my-own")), "{report}");
    assert_eq!(Folder::seen(&folder.outside("")), outside);
}

#[test]
fn the_folder_itself_may_be_a_link_which_is_said() {
    let folder = Folder::new();
    let link = folder.all.path().join("link");
    symlink(folder.at(""), &link).unwrap();
    for path in [link.clone(), PathBuf::from(format!("{}/", link.display()))] {
        let exporter = Filesystem::new(Config { path, layout: Layout::Library });
        let report = exporter.publish(&update(&first())).unwrap();
        assert!(report.notes.iter().any(|note| note.contains("is a link")), "{report}");
    }
    assert!(folder.at(SKILL).is_file());
    fs::remove_dir_all(folder.at("")).unwrap();
    let exporter = Filesystem::new(Config { path: link.clone(), layout: Layout::Library });
    let error = exporter.publish(&update(&first())).unwrap_err();
    assert!(error.to_string().contains(link.to_str().unwrap()), "{error}");
}

#[test]
fn names_that_differ_in_case_only_are_refused_in_a_folder() {
    let upper = NAME.to_uppercase();
    for (there, path) in [
        ("Skills/x/SKILL.md".to_owned(), "skills".to_owned()),
        (format!("skills/{upper}/SKILL.md"), format!("skills/{NAME}")),
        (format!("skills/{upper}/notes.txt"), format!("skills/{NAME}")),
        (format!("skills/{NAME}/skill.md"), SKILL.to_owned()),
    ] {
        let folder = Folder::new();
        folder.put(&there, |at| fs::write(at, THEIRS).unwrap());
        let before = folder.everything();
        let error = folder.exporter().publish(&update(&first())).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&path) && text.contains("in case only"), "{there}: {text}");
        assert_eq!(folder.everything(), before, "{there}");
        fs::remove_dir_all(folder.at(there.split('/').next().unwrap())).unwrap();
        assert_eq!(folder.exporter().publish(&update(&first())).unwrap().named(Change::Created), [NAME]);
    }
    let folder = Folder::new();
    fs::write(folder.at("readme.md"), "Ours").unwrap();
    folder.exporter().publish(&update(&first())).unwrap();
    assert!(!folder.at("README.md").exists() && folder.at("package.json").exists(), "a README is there");
}

#[test]
fn roots_that_are_links_to_each_other_need_one_copy_and_others_are_refused() {
    let layout = Layout::Project { path: String::new() };
    for (target, is_alias) in [("../.agents/skills", true), ("../../outside", false), ("../nothing", false)] {
        let folder = Folder::new();
        folder.put(".claude/skills", |at| symlink(target, at).unwrap());
        let exporter = folder.exporter_of(layout.clone());
        let outcome = exporter.publish(&update(&first()));
        assert_eq!(outcome.is_ok(), is_alias, "{target}: {outcome:?}");
        assert_eq!(folder.at(&format!(".agents/skills/{NAME}/SKILL.md")).is_file(), is_alias, "{target}");
        assert!(folder.at(".claude/skills").is_symlink());
        assert_eq!(fs::read_to_string(folder.outside("a/SKILL.md")).unwrap(), THEIRS);
    }
}

/// What may stand in a repository.
const IN_A_REPOSITORY: [(&str, Obstacle); 4] = [
    ("120000", Obstacle::Link),
    ("160000", Obstacle::Submodule),
    ("100644", Obstacle::File),
    ("100755", Obstacle::File),
];

/// Commits an entry of that mode in place of whatever is at the path.
fn commit_entry(ann: &Person, branch: &str, mode: &str, path: &str) {
    ann.pull(branch);
    fs::write(ann.folder.join("leads-to"), "/etc").unwrap();
    let blob = ann.git(&["hash-object", "-w", "leads-to"]);
    fs::remove_file(ann.folder.join("leads-to")).unwrap();
    let object = if mode == "160000" { "1".repeat(40) } else { blob.trim().to_owned() };
    ann.git(&["rm", "-r", "--quiet", "--cached", "--ignore-unmatch", "--", path]);
    ann.git(&["update-index", "--add", "--cacheinfo", &format!("{mode},{object},{path}")]);
    ann.git(&["commit", "--quiet", "-m", "Put something there"]);
    ann.git(&["push", "--quiet", "origin", &format!("HEAD:{branch}")]);
    ann.git(&["reset", "--quiet", "--hard"]);
    ann.git(&["clean", "--quiet", "-ffdx"]);
}

fn undo_last(ann: &Person, branch: &str) {
    // Without the working tree: of a submodule it has what was there before.
    ann.git(&["read-tree", "HEAD~1"]);
    ann.git(&["commit", "--quiet", "-m", "Take it away"]);
    ann.git(&["push", "--quiet", "origin", &format!("HEAD:{branch}")]);
}

#[test]
fn a_repository_refuses_whatever_stands_in_the_way() {
    for path in places() {
        for (mode, obstacle) in &IN_A_REPOSITORY {
            for was_published in [false, true] {
                let context = format!("{mode} at {path}, published before: {was_published}");
                if *obstacle == Obstacle::File && is_file(&path) {
                    continue;
                }
                let bare = Bare::new();
                let ann = bare.person("ann");
                if was_published {
                    bare.direct().publish(&update(&first())).unwrap();
                } else {
                    ann.pull("main");
                    ann.write("notes.txt", "ours");
                    ann.commit_and_push("main", "Start");
                }
                commit_entry(&ann, "main", mode, &path);
                let tips = (bare.tip("main"), bare.tip("skillspan/state"));
                let error = bare.direct().publish(&update(&with_migration())).expect_err(&context);
                let git::Error::Blocked { path: named, obstacle: found, .. } = &error else {
                    panic!("{context}: {error}")
                };
                assert_eq!((named, found), (&path, obstacle), "{context}");
                assert!(bare.direct().plan(&update(&with_migration())).is_err(), "{context}");
                assert_eq!((bare.tip("main"), bare.tip("skillspan/state")), tips, "{context}");
                undo_last(&ann, "main");
                let report = bare.direct().publish(&update(&with_migration())).unwrap();
                let expected = if was_published { Change::Sharpened } else { Change::Created };
                assert_eq!(report.named(expected), [NAME], "{context}");
            }
        }
    }
}

#[test]
fn a_proposal_waits_while_the_branch_has_a_link_in_its_way() {
    let bare = Bare::new();
    let ann = bare.person("ann");
    ann.pull("main");
    ann.write("notes.txt", "ours");
    ann.commit_and_push("main", "Start");
    bare.review().publish(&update(&first())).unwrap();
    commit_entry(&ann, "main", "120000", "skills");
    let tips = (bare.tip(PROPOSAL), bare.tip("skillspan/state"));
    for sessions in [first(), with_migration()] {
        let error = bare.review().publish(&update(&sessions)).unwrap_err();
        assert!(error.to_string().contains("skills on branch"), "{error}");
    }
    assert_eq!((bare.tip(PROPOSAL), bare.tip("skillspan/state")), tips);
    undo_last(&ann, "main");
    let report = bare.review().publish(&update(&with_migration())).unwrap();
    assert_eq!(report.named(Change::Sharpened), [NAME]);
    assert!(bare.read(PROPOSAL, SKILL).contains("make migrate"));
}

#[test]
fn folders_that_differ_in_case_only_are_refused_in_a_repository() {
    for (there, path) in [
        (format!("skills/{}/SKILL.md", NAME.to_uppercase()), format!("skills/{NAME}")),
        ("Skills/mine/SKILL.md".to_owned(), "skills".to_owned()),
    ] {
        let bare = Bare::new();
        let ann = bare.person("ann");
        ann.pull("main");
        ann.write(&there, THEIRS);
        ann.commit_and_push("main", "Start");
        let error = bare.direct().publish(&update(&first())).unwrap_err();
        assert!(matches!(&error, git::Error::Blocked { path: named, .. } if *named == path), "{error}");
        assert_eq!(bare.commits("main"), 1);
    }
}

#[test]
fn a_link_out_of_a_repository_is_no_copy_of_the_other_root() {
    for target in ["../../elsewhere", "/srv/skills", "skills"] {
        let bare = Bare::new();
        let ann = bare.person("ann");
        ann.pull("main");
        fs::create_dir_all(ann.folder.join(".claude")).unwrap();
        symlink(target, ann.folder.join(".claude/skills")).unwrap();
        ann.commit_and_push("main", "Start");
        let mut config = bare.config("one", Mode::Direct);
        config.layout = Layout::Project { path: String::new() };
        let error = Git::new(config).publish(&update(&first())).unwrap_err();
        assert!(error.to_string().contains(".claude/skills"), "{target}: {error}");
        assert_eq!(bare.commits("main"), 1);
    }
}

#[test]
fn the_state_of_a_repository_is_not_begun_anew_because_a_link_stands_in_its_place() {
    for (mode, path) in
        [("120000", "main/library.json"), ("160000", "main"), ("100644", "main/library.json/x")]
    {
        let bare = Bare::new();
        bare.direct().publish(&update(&first())).unwrap();
        let ann = bare.person("ann");
        ann.pull("skillspan/state");
        ann.git(&["rm", "--quiet", "main/library.json"]);
        commit_entry_here(&ann, mode, path);
        let tips = (bare.tip("main"), bare.tip("skillspan/state"));
        let error = bare.direct().publish(&update(&with_migration())).unwrap_err();
        assert!(matches!(error, git::Error::Blocked { .. }), "{mode} {path}: {error}");
        assert_eq!((bare.tip("main"), bare.tip("skillspan/state")), tips);
        undo_last(&ann, "skillspan/state");
        let report = bare.direct().publish(&update(&with_migration())).unwrap();
        assert_eq!(report.named(Change::Sharpened), [NAME]);
    }
}

fn commit_entry_here(ann: &Person, mode: &str, path: &str) {
    fs::write(ann.folder.join("leads-to"), "/etc").unwrap();
    let blob = ann.git(&["hash-object", "-w", "leads-to"]);
    fs::remove_file(ann.folder.join("leads-to")).unwrap();
    let object = if mode == "160000" { "1".repeat(40) } else { blob.trim().to_owned() };
    ann.git(&["update-index", "--add", "--cacheinfo", &format!("{mode},{object},{path}")]);
    ann.git(&["commit", "--quiet", "-m", "Put something there"]);
    ann.git(&["push", "--quiet", "origin", "HEAD:skillspan/state"]);
    ann.git(&["reset", "--quiet", "--hard"]);
    ann.git(&["clean", "--quiet", "-ffdx"]);
}
