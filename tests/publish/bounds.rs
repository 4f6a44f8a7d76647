//! How many skills a target takes: what is beyond a bound waits, is said, and comes when there is room.

use std::collections::BTreeSet;
use std::sync::Arc;

use skillspan::exporters::filesystem::Config;
use skillspan::exporters::git::Mode;
use skillspan::exporters::target::{Report, Target, TargetKind, Update};
use skillspan::library::{Bounds, Change, Findings, Layout, Route};

use super::repository::{Bare, first, other};
use super::sessions::mined;

/// What made-up workspaces, each with one skill, come to.
fn workspaces(count: usize) -> Vec<Findings> {
    let one = |number: usize| {
        let mut findings = Findings::from(&mined(&other(number)));
        findings.workspace = format!("w-{number:02}");
        for candidate in &mut findings.candidates {
            candidate.workspace.clone_from(&findings.workspace);
        }
        findings
    };
    (0..count).map(one).collect()
}

fn target(folder: &tempfile::TempDir, bounds: Bounds) -> Target {
    let config = Config { path: folder.path().to_owned(), layout: Layout::Library };
    Target { route: Route { bounds, ..Route::default() }, place: TargetKind::Filesystem(config) }
}

fn publish(target: &Target, findings: &[Findings]) -> Report {
    target.publish(&Update::Findings(findings.to_vec()), Arc::default()).unwrap()
}

const WIDE: Bounds = Bounds { skills: 1000, workspace: 1000, run: 1000 };

#[test]
fn a_run_brings_so_many_and_the_next_one_goes_on_until_nothing_waits() {
    let folder = tempfile::tempdir().unwrap();
    let findings = workspaces(7);
    let bounded = target(&folder, Bounds { run: 3, ..WIDE });
    let mut created = Vec::new();
    for (new, waiting) in [(3, 4), (3, 1), (1, 0), (0, 0)] {
        let plan = bounded.plan(&Update::Findings(findings.clone())).unwrap();
        let report = publish(&bounded, &findings);
        assert_eq!(plan, report);
        assert_eq!(report.named(Change::Created).len(), new);
        assert_eq!(report.held_back.map_or(0, |held| held.skills), waiting, "{report}");
        assert_eq!(report.held_back.is_some_and(|held| held.by_the_run), waiting > 0);
        assert_eq!(report.notes.iter().any(|note| note.contains("limits.run")), waiting > 0, "{report}");
        created.extend(report.named(Change::Created).into_iter().map(str::to_owned));
    }
    let all = tempfile::tempdir().unwrap();
    let at_once = publish(&target(&all, WIDE), &findings);
    let at_once: BTreeSet<String> = at_once.named(Change::Created).into_iter().map(str::to_owned).collect();
    assert_eq!(created.into_iter().collect::<BTreeSet<_>>(), at_once, "nothing is lost");
}

#[test]
fn a_target_that_is_full_takes_changes_and_nothing_new_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let findings = workspaces(6);
    let full = target(&folder, Bounds { skills: 4, ..WIDE });
    let report = publish(&full, &findings);
    assert_eq!(report.named(Change::Created).len(), 4);
    assert!(report.notes.iter().any(|note| note.starts_with("2 new skills wait")), "{report}");
    assert!(!report.held_back.unwrap().by_the_run);
    let report = publish(&full, &findings);
    assert_eq!((report.changed(), report.named(Change::Unchanged).len()), (0, 4));
    // A person makes room.
    std::fs::remove_dir_all(folder.path().join("skills").join(report.named(Change::Unchanged)[0])).unwrap();
    let report = publish(&full, &findings);
    assert_eq!(
        (report.named(Change::Created).len(), report.named(Change::Refused).len()),
        (1, 1),
        "{report}"
    );
    let report = publish(&target(&folder, WIDE), &findings);
    assert_eq!((report.named(Change::Created).len(), report.held_back), (1, None));
}

#[test]
fn skills_of_one_name_are_told_apart_by_their_workspaces() {
    let folder = tempfile::tempdir().unwrap();
    let mut findings: Vec<Findings> = ["shop", "Till & Co", "till-co"]
        .map(|workspace| {
            let mut findings = workspaces(1).remove(0);
            findings.workspace = workspace.to_owned();
            findings.candidates.iter_mut().for_each(|one| one.workspace.clone_from(&findings.workspace));
            findings
        })
        .into();
    let report = publish(&target(&folder, WIDE), &findings);
    let names = report.named(Change::Created);
    let [first, with_id, with_words] = names.as_slice() else { panic!("{names:?}") };
    assert_eq!(*with_words, format!("{first}-till-co"));
    assert!(with_id.starts_with(first), "{with_id}");
    // They keep their names when another workspace comes first.
    findings.reverse();
    assert_eq!(publish(&target(&folder, WIDE), &findings).named(Change::Created).len(), 0);
}

#[test]
fn a_workspace_takes_no_more_than_its_share() {
    let folder = tempfile::tempdir().unwrap();
    let mut greedy = workspaces(1).remove(0);
    for more in workspaces(6).into_iter().skip(1) {
        greedy.candidates.extend(more.candidates);
    }
    greedy.candidates.iter_mut().for_each(|candidate| candidate.workspace.clone_from(&greedy.workspace));
    let findings = [vec![greedy], workspaces(9).split_off(7)].concat();
    let report = publish(&target(&folder, Bounds { workspace: 2, ..WIDE }), &findings);
    assert_eq!(report.named(Change::Created).len(), 4, "{report}");
    assert!(report.notes.iter().any(|note| note.contains("limits.workspace")), "{report}");
}

#[test]
fn where_not_all_fit_workspaces_take_turns_and_those_with_skills_go_first() {
    let folder = tempfile::tempdir().unwrap();
    let known = Findings::from(&mined(&first()));
    publish(&target(&folder, WIDE), std::slice::from_ref(&known));
    let more = Findings::from(&mined(&[first(), other(1)].concat()));
    let findings = [workspaces(9).split_off(3), vec![more]].concat();
    let report = publish(&target(&folder, Bounds { run: 1, ..WIDE }), &findings);
    let library = target(&folder, WIDE).load().unwrap();
    let created = report.named(Change::Created);
    let workspaces: Vec<String> = library
        .skills()
        .into_iter()
        .filter(|skill| created.contains(&skill.name.as_str()))
        .map(|skill| skill.workspace)
        .collect();
    assert_eq!(workspaces, [known.workspace], "{report}");
}

#[test]
fn a_repository_is_bounded_too() {
    let bare = Bare::new();
    let route = Route { bounds: Bounds { run: 2, ..WIDE }, ..Route::default() };
    let target = Target { route, place: TargetKind::Git(Box::new(bare.config("one", Mode::Direct))) };
    for (new, waiting) in [(2, 1), (1, 0)] {
        let report = publish(&target, &workspaces(3));
        assert_eq!(report.named(Change::Created).len(), new);
        assert_eq!(report.held_back.map_or(0, |held| held.skills), waiting);
    }
}
