//! Publishing to a branch of a repository.

use std::fs;

use skillspan::exporters::Destination;
use skillspan::exporters::git::{Error, Git, Mode};
use skillspan::library::{Change, Decision, Layout};

use super::life::decision;
use super::repository::{Bare, NAME, PROPOSAL, SKILL, STATE, first, other, update, with_migration};

#[test]
fn the_first_push_makes_the_branch_and_the_state_of_an_empty_remote() {
    let bare = Bare::new();
    let report = bare.direct().publish(&update(&first())).unwrap();
    assert_eq!(report.named(Change::Created), [NAME]);
    assert!(bare.has("main", SKILL) && bare.has("main", "README.md"));
    assert_eq!((bare.commits("main"), bare.commits(STATE)), (1, 1));
    assert_eq!(bare.files(STATE).keys().collect::<Vec<_>>(), ["main/library.json"]);
    assert_eq!(bare.subjects("main"), [format!("Add {NAME}")]);
}

#[test]
fn nothing_new_pushes_nothing() {
    let bare = Bare::new();
    bare.direct().publish(&update(&first())).unwrap();
    let tips = (bare.tip("main"), bare.tip(STATE));
    for _ in 0..2 {
        let report = bare.direct().publish(&update(&first())).unwrap();
        assert_eq!(report.named(Change::Unchanged), [NAME]);
    }
    assert_eq!((bare.tip("main"), bare.tip(STATE)), tips);
}

#[test]
fn a_second_worker_with_an_empty_disk_continues() {
    let bare = Bare::new();
    bare.direct().publish(&update(&first())).unwrap();
    let before = (bare.tip("main"), bare.tip(STATE), bare.files("main"));
    let second = Git::new(bare.config("two", Mode::Direct));
    let report = second.publish(&update(&first())).unwrap();
    assert_eq!(report.named(Change::Unchanged), [NAME]);
    assert_eq!((bare.tip("main"), bare.tip(STATE), bare.files("main")), before, "same ids, no commit");
    fs::remove_dir_all(bare.folder.path().join("caches")).unwrap();
    let report = second.publish(&update(&with_migration())).unwrap();
    assert_eq!(report.named(Change::Sharpened), [NAME]);
    assert_eq!(bare.subjects("main"), [format!("Sharpen {NAME}"), format!("Add {NAME}")]);
}

#[test]
fn a_proposal_is_merged_and_the_next_stands_on_it() {
    let bare = Bare::new();
    let ann = bare.person("ann");
    ann.pull("main");
    ann.write("notes.txt", "ours");
    ann.commit_and_push("main", "Start");
    let report = bare.review().publish(&update(&first())).unwrap();
    assert_eq!(report.notes, [format!("proposed on branch {PROPOSAL}")]);
    assert!(!bare.has("main", SKILL) && bare.has(PROPOSAL, SKILL) && bare.has(PROPOSAL, "notes.txt"));
    bare.review().publish(&update(&first())).unwrap();
    assert_eq!(bare.commits(PROPOSAL), 2, "a proposal is made once");
    ann.merge_the_proposal();
    bare.review().publish(&update(&first())).unwrap();
    assert_eq!(bare.commits(PROPOSAL), 2, "what was merged is not proposed again");
    let report = bare.review().publish(&update(&with_migration())).unwrap();
    assert_eq!(report.named(Change::Sharpened), [NAME]);
    assert_eq!(bare.git(&["diff", "--name-only", "main", PROPOSAL, "--", "notes.txt"]), "");
    assert!(bare.read(PROPOSAL, SKILL).contains("make migrate"));
}

#[test]
fn a_squashed_proposal_counts_as_merged() {
    let bare = Bare::new();
    bare.review().publish(&update(&first())).unwrap();
    let ann = bare.person("ann");
    ann.pull("main");
    ann.git(&["merge", "--quiet", "--squash", &format!("origin/{PROPOSAL}")]);
    ann.commit_and_push("main", "Skills (#1)");
    let report = bare.review().publish(&update(&first())).unwrap();
    assert_eq!(report.named(Change::Unchanged), [NAME]);
    let report = bare.review().publish(&update(&with_migration())).unwrap();
    assert_eq!(report.named(Change::Sharpened), [NAME]);
    ann.merge_the_proposal();
    assert!(bare.read("main", SKILL).contains("make migrate"));
    assert_eq!(bare.git(&["diff", "main", PROPOSAL]), "");
}

#[test]
fn a_proposal_that_people_close_and_delete_is_not_made_again() {
    let bare = Bare::new();
    bare.review().publish(&update(&first())).unwrap();
    bare.git(&["update-ref", "-d", &format!("refs/heads/{PROPOSAL}")]);
    for sessions in [first(), with_migration()] {
        let report = bare.review().publish(&update(&sessions)).unwrap();
        assert_eq!(report.named(Change::Refused), [NAME]);
        assert!(!bare.has(PROPOSAL, SKILL));
    }
    bare.review().publish(&decision(NAME, Decision::Restore)).unwrap();
    assert!(bare.has(PROPOSAL, SKILL), "but it can be asked for");
}

#[test]
fn people_push_to_the_proposal_and_to_the_branch_meanwhile() {
    let bare = Bare::new();
    let ann = bare.person("ann");
    ann.pull("main");
    ann.write("README.md", "Our repository\n");
    ann.commit_and_push("main", "Start");
    bare.review().publish(&update(&first())).unwrap();
    ann.pull(PROPOSAL);
    let edited = ann.read(SKILL).replace("## Lessons", "## Lessons, as we like them");
    ann.write(SKILL, &edited);
    ann.commit_and_push(PROPOSAL, "Word it as we do");
    ann.pull("main");
    ann.write("README.md", "Our repository, explained\n");
    ann.commit_and_push("main", "Explain");
    let report = bare.review().publish(&update(&[with_migration(), other(1)].concat())).unwrap();
    assert_eq!(report.named(Change::HandEdited), [NAME]);
    assert_eq!(report.named(Change::Created).len(), 1);
    assert_eq!(bare.read(PROPOSAL, SKILL), edited);
    assert_eq!(bare.read(PROPOSAL, "README.md"), "Our repository, explained\n");
    ann.merge_the_proposal();
}

#[test]
fn a_commit_of_a_person_that_is_undone_is_a_rejection() {
    let bare = Bare::new();
    bare.direct().publish(&update(&first())).unwrap();
    let first_version = bare.read("main", SKILL);
    bare.direct().publish(&update(&with_migration())).unwrap();
    let ann = bare.person("ann");
    ann.pull("main");
    ann.git(&["revert", "--no-edit", "HEAD"]);
    ann.git(&["push", "--quiet", "origin", "main"]);
    for _ in 0..2 {
        let report = bare.direct().publish(&update(&with_migration())).unwrap();
        assert_eq!(report.named(Change::Unchanged), [NAME]);
        assert_eq!(bare.read("main", SKILL), first_version, "what was undone is not done again");
    }
}

#[test]
fn a_protected_branch_is_named_and_left_alone_and_review_works() {
    let bare = Bare::new();
    bare.direct().publish(&update(&first())).unwrap();
    let before = (bare.tip("main"), bare.tip(STATE));
    bare.hook("case $1 in refs/heads/main) echo 'GH006: Protected branch update failed' >&2; exit 1;; esac");
    let error = bare.direct().publish(&update(&with_migration())).unwrap_err();
    assert!(matches!(error, Error::Protected { .. }) && !error.is_transient(), "{error}");
    let text = error.to_string();
    assert!(text.contains("GH006") && text.contains("use `mode: review`"), "{text}");
    assert_eq!((bare.tip("main"), bare.tip(STATE)), before, "neither the branch nor the state");
    bare.review().publish(&update(&with_migration())).unwrap();
    assert!(bare.read(PROPOSAL, SKILL).contains("make migrate"));
}

#[test]
fn a_rewritten_history_is_told_and_nothing_is_forced() {
    let bare = Bare::new();
    bare.direct().publish(&update(&first())).unwrap();
    let ann = bare.person("ann");
    ann.pull("main");
    ann.git(&["commit", "--quiet", "--amend", "-m", "Rewritten"]);
    ann.git(&["push", "--quiet", "--force", "origin", "main"]);
    let rewritten = bare.tip("main").unwrap();
    let report = bare.direct().publish(&update(&with_migration())).unwrap();
    assert!(report.notes.iter().any(|note| note.contains("history of main was rewritten")), "{report}");
    assert_eq!(bare.git(&["rev-parse", "main^"]).trim(), rewritten);
}

#[test]
fn skills_go_where_assistants_look_in_a_repository_that_people_work_in() {
    let bare = Bare::new();
    let ann = bare.person("ann");
    ann.pull("main");
    ann.write("services/shop/main.py", "print()\n");
    ann.write("services/shop/.claude/settings.json", "{}\n");
    ann.commit_and_push("main", "Start");
    let mut config = bare.config("one", Mode::Direct);
    config.layout = Layout::Project { path: "services/shop".into() };
    Git::new(config).publish(&update(&first())).unwrap();
    let agents = bare.read("main", &format!("services/shop/.agents/skills/{NAME}/SKILL.md"));
    assert_eq!(agents, bare.read("main", &format!("services/shop/.claude/skills/{NAME}/SKILL.md")));
    let files = bare.files("main");
    assert_eq!(files.len(), 6, "{:?}", files.keys());
    assert!(files.contains_key("services/shop/main.py") && !files.contains_key("README.md"));
    assert_eq!(bare.files(STATE).keys().collect::<Vec<_>>(), ["main/services/shop/project.json"]);
}

#[test]
fn a_folder_that_is_a_link_to_the_other_is_not_written_through() {
    let bare = Bare::new();
    let ann = bare.person("ann");
    ann.pull("main");
    ann.write(".agents/skills/README", "skills\n");
    fs::create_dir_all(ann.folder.join(".claude")).unwrap();
    std::os::unix::fs::symlink("../.agents/skills", ann.folder.join(".claude/skills")).unwrap();
    ann.commit_and_push("main", "Start");
    let mut config = bare.config("one", Mode::Direct);
    config.layout = Layout::Project { path: String::new() };
    Git::new(config.clone()).publish(&update(&first())).unwrap();
    Git::new(config).publish(&update(&first())).unwrap();
    assert_eq!(bare.commits("main"), 2);
    assert!(bare.has("main", &format!(".agents/skills/{NAME}/SKILL.md")));
    assert!(bare.git(&["ls-tree", "main", ".claude/skills"]).starts_with("120000"));
}

#[test]
fn a_file_where_a_folder_is_needed_is_named() {
    let bare = Bare::new();
    let ann = bare.person("ann");
    ann.pull("main");
    ann.write("skills", "a list\n");
    ann.commit_and_push("main", "Start");
    let error = bare.direct().publish(&update(&first())).unwrap_err();
    assert!(matches!(&error, Error::Blocked { path, .. } if path == "skills"), "{error}");
}

#[test]
fn several_targets_of_one_remote_remember_separately() {
    let bare = Bare::new();
    let mut project = bare.config("two", Mode::Direct);
    project.layout = Layout::Project { path: String::new() };
    bare.direct().publish(&update(&first())).unwrap();
    Git::new(project).publish(&update(&first())).unwrap();
    assert_eq!(bare.files(STATE).keys().collect::<Vec<_>>(), ["main/library.json", "main/project.json"]);
    let report = bare.direct().publish(&update(&first())).unwrap();
    assert_eq!(report.named(Change::Unchanged), [NAME]);
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let bare = Bare::new();
    let mut gone = bare.config("one", Mode::Direct);
    gone.remote = skillspan::exporters::git::Remote::parse("file:///nowhere/skills.git").unwrap();
    let error = Git::new(gone).publish(&update(&first())).unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let mut no_git = bare.config("one", Mode::Direct);
    no_git.program = "/nowhere/git".into();
    let error = Git::new(no_git).check().unwrap_err();
    assert!(error.to_string().contains("needs git 2.30 or newer"), "{error}");
}

#[test]
fn a_cache_that_is_damaged_is_made_anew() {
    let bare = Bare::new();
    bare.direct().publish(&update(&first())).unwrap();
    let refs = bare.folder.path().join("caches/one/repository/refs/remote");
    // As a kill in the middle of a fetch leaves it.
    fs::write(refs.join("main.lock"), "").unwrap();
    let ann = bare.person("ann");
    ann.pull("main");
    ann.write("notes.txt", "ours");
    ann.commit_and_push("main", "Notes");
    let report = bare.direct().publish(&update(&with_migration())).unwrap();
    assert_eq!(report.named(Change::Sharpened), [NAME]);
    assert!(bare.has("main", "notes.txt"));
}

/// Paths of a configuration may be relative, and git works in another folder.
#[test]
fn a_cache_at_a_relative_path_is_where_it_is_said_to_be() {
    let bare = Bare::new();
    let mut config = bare.config("one", Mode::Direct);
    let here = std::env::current_dir().unwrap();
    let up: std::path::PathBuf = here.components().skip(1).map(|_| "..").collect();
    config.cache = up.join(config.cache.strip_prefix("/").unwrap());
    assert!(config.cache.is_relative());
    Git::new(config.clone()).publish(&update(&first())).unwrap();
    let report = Git::new(config).publish(&update(&with_migration())).unwrap();
    assert_eq!(report.named(Change::Sharpened), [NAME]);
    assert!(bare.folder.path().join("caches/one/ready").exists());
}

/// A git that says what a full disk makes it say, once per line of a file.
#[test]
fn a_full_disk_is_named_and_the_next_attempt_succeeds() {
    use std::os::unix::fs::PermissionsExt as _;
    let bare = Bare::new();
    let full = bare.folder.path().join("full");
    let shim = bare.folder.path().join("git-on-a-full-disk");
    let script = format!(
        "#!/bin/sh\nfor word in \"$@\"; do\n  if [ \"$word\" = hash-object ] && [ -e {0} ]; then\n    \
         echo 'error: unable to write file: No space left on device' >&2; exit 128\n  fi\ndone\nexec git \"$@\"\n",
        full.display()
    );
    fs::write(&shim, script).unwrap();
    fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    let mut config = bare.config("one", Mode::Direct);
    config.program = shim;
    fs::write(&full, "").unwrap();
    let error = Git::new(config.clone()).publish(&update(&first())).unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }) && error.is_transient(), "{error}");
    assert_eq!(bare.tip("main"), None);
    fs::remove_file(&full).unwrap();
    Git::new(config).publish(&update(&first())).unwrap();
    assert!(bare.has("main", SKILL));
}

/// Git does not say why it could not write a configuration; the disk under the cache does.
#[test]
fn a_full_disk_that_git_does_not_speak_of_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    for (is_full, kind) in [(true, "disk_full"), (false, "failed")] {
        let bare = Bare::new();
        let cache = bare.folder.path().join("caches/one");
        let shim = bare.folder.path().join("git-that-cannot-write");
        let fill =
            if is_full { format!("ln -sf /dev/full {}/probe;", cache.display()) } else { String::new() };
        let script = format!(
            "#!/bin/sh\nfor word in \"$@\"; do\n  if [ \"$word\" = init ]; then\n    {fill} \
             echo 'error: failed to write new configuration file config.lock' >&2; exit 128\n  fi\ndone\nexec git \"$@\"\n",
        );
        fs::write(&shim, script).unwrap();
        fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
        let mut config = bare.config("one", Mode::Direct);
        config.program = shim;
        let error = Git::new(config).publish(&update(&first())).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.is_transient() && error.to_string().contains("failed to write"), "{error}");
        bare.direct().publish(&update(&first())).unwrap();
        assert!(bare.has("main", SKILL), "it goes on by itself");
    }
}

#[test]
fn hooks_and_configuration_of_the_machine_have_no_say() {
    use std::os::unix::fs::PermissionsExt as _;
    let bare = Bare::new();
    bare.direct().publish(&update(&first())).unwrap();
    let repository = bare.folder.path().join("caches/one/repository");
    let traces = bare.folder.path().join("ran");
    let hook = repository.join("hooks/pre-push");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", traces.display())).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    // What git reads as the user's configuration where HOME points.
    fs::write(repository.join(".gitconfig"), "[user]\n\tname = Mallory\n[commit]\n\tgpgSign = true\n")
        .unwrap();
    bare.direct().publish(&update(&with_migration())).unwrap();
    assert!(!traces.exists());
    assert_eq!(
        bare.git(&["log", "-1", "--format=%an <%ae> %cn", "main"]).trim(),
        "skillspan <skills@example.com> skillspan"
    );
}

/// Every file of a branch, its name as bytes and its object.
fn listed(bare: &Bare, branch: &str) -> Vec<Vec<u8>> {
    let output = std::process::Command::new("git")
        .args(["ls-tree", "-r", "-z", branch])
        .current_dir(bare.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    output.stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

#[test]
fn peoples_files_keep_names_that_are_not_utf_8() {
    use std::os::unix::ffi::OsStrExt as _;
    for mode in [Mode::Direct, Mode::Review] {
        let bare = Bare::new();
        let ann = bare.person("ann");
        ann.pull("main");
        // Latin-1; read as UTF-8 with replacements, the two have one name.
        for name in [b"caf\xe9.md", b"caf\xe8.md"] {
            fs::write(ann.folder.join(std::ffi::OsStr::from_bytes(name)), name).unwrap();
        }
        ann.write("plain.md", "plain");
        ann.commit_and_push("main", "Start");
        let before = listed(&bare, "main");
        assert_eq!(before.len(), 3);
        Git::new(bare.config("one", mode)).publish(&update(&first())).unwrap();
        let branch = if mode == Mode::Direct { "main" } else { PROPOSAL };
        let after = listed(&bare, branch);
        assert!(before.iter().all(|line| after.contains(line)), "{mode:?}: {after:?}");
        assert!(bare.has(branch, SKILL));
        // The branch moves meanwhile, so that a proposal is brought up to it.
        ann.pull("main");
        ann.write("plain.md", "changed");
        ann.commit_and_push("main", "Change");
        Git::new(bare.config("one", mode)).publish(&update(&with_migration())).unwrap();
        let after = listed(&bare, branch);
        let kept = before.iter().filter(|line| line.contains(&0xe9) || line.contains(&0xe8));
        assert_eq!(kept.filter(|line| after.contains(line)).count(), 2, "{mode:?}: {after:?}");
    }
}
