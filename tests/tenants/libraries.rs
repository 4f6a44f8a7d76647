//! Whose a library is. What another tenant finds changes no byte of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use skillspan::exporters::filesystem::Config;
use skillspan::exporters::target::{Error, Target, TargetKind, Update};
use skillspan::library::{Census, Findings, Layout, Ownership, Route};
use skillspan::service::mining::findings;
use skillspan::skillify::{Digest, Snapshot, mine};
use skillspan::table::Session;

use crate::sessions::{needs, session};

pub(crate) const NAMES: [&str; 2] = ["acme", "evil"];

/// A folder as a target.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn target(&self, whose: Ownership) -> Target {
        let config = Config { path: self.0.path().to_owned(), layout: Layout::Library };
        Target { route: Route { whose, ..Route::default() }, place: TargetKind::Filesystem(config) }
    }

    pub(crate) fn publish(&self, whose: Ownership, findings: Vec<Findings>) -> Result<Vec<String>, Error> {
        let report = self.target(whose).publish(&Update::Findings(findings), Arc::default())?;
        let changes = report.skills.iter().map(|(name, change)| format!("{} {name}", change.as_str()));
        Ok(changes.chain(report.notes.clone()).collect())
    }

    /// Every file but the lock, name and content.
    pub(crate) fn contents(&self) -> BTreeMap<String, String> {
        let text = |path: std::path::PathBuf| {
            let name = path.strip_prefix(self.0.path()).unwrap().display().to_string();
            (name, std::fs::read_to_string(path).unwrap())
        };
        let mut found = Vec::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found.into_iter().filter(|path| !path.ends_with("lock")).map(text).collect()
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.0.path()
    }
}

/// The same sessions as another tenant's, or in another workspace.
pub(crate) fn of(tenant: &str, workspace: &str, mut sessions: Vec<Session>) -> Vec<Session> {
    for session in &mut sessions {
        tenant.clone_into(&mut session.tenant);
        workspace.clone_into(&mut session.workspace);
    }
    sessions
}

/// What a run finds in a table with these sessions, every workspace of every tenant by itself.
pub(crate) fn found(sessions: &[Session]) -> Vec<Findings> {
    let mut places: BTreeMap<(String, String), Vec<Session>> = BTreeMap::new();
    for session in sessions {
        let place = (session.tenant.clone(), session.workspace.clone());
        places.entry(place).or_default().push(session.clone());
    }
    let digests = |sessions: &Vec<Session>| -> Vec<Arc<Digest>> {
        sessions.iter().map(|session| Arc::new(Digest::of(session))).collect()
    };
    let ids = |sessions: &Vec<Session>| sessions.iter().map(|session| session.id.clone()).collect();
    let census = Census::of(places.iter().map(|(place, sessions)| (place.clone(), ids(sessions))).collect());
    let of_place = |((tenant, workspace), sessions): (&(String, String), &Vec<Session>)| {
        let snapshot = Snapshot { workspace, sessions };
        let mined = mine(&snapshot, &Default::default(), &skillspan::skillify::Offline);
        let found = findings(&mined, &digests(sessions));
        Findings { tenant: tenant.clone(), census: census.clone(), ..found }
    };
    places.iter().map(of_place).collect()
}

/// Sessions in which `fix` repairs `test`, by three people.
pub(crate) fn repaired(prefix: &str, test: &str, fix: &str) -> Vec<Session> {
    let one = |(number, person): (usize, &str)| {
        session(&format!("{prefix}{number}"))
            .by(person)
            .project("git.example.com/team/shop")
            .prompt("Run the integration tests please")
            .run_with_output(test, skillspan::event::Status::Error, "connection refused")
            .ok(fix)
            .ok(test)
            .prompt("thanks")
            .build()
    };
    ["alice", "bob", "carol", "dave"].into_iter().enumerate().map(one).collect()
}

#[test]
fn a_target_is_the_first_tenants_whoever_finds_something_first() {
    let folder = Folder::new();
    let [evil, acme] = ["evil", "acme"].map(|tenant| of(tenant, "shop", needs("make db-up", "make itest")));
    let whose = || Ownership::Of("acme".to_owned());
    let told = folder.publish(whose(), found(&evil)).unwrap();
    assert!(folder.contents().is_empty(), "{told:?}");
    assert!(told.concat().contains("give evil one with `route: { tenant: evil }`"), "{told:?}");
    folder.publish(whose(), found(&[evil.clone(), acme].concat())).unwrap();
    let state = &folder.contents()[".skillspan/library.json"];
    assert!(state.contains("\"tenant\": ") && !state.contains("acme") && !state.contains("evil"), "{state}");
    // Whoever is first in the configuration later: the library stays whose it is.
    let before = folder.contents();
    folder.publish(Ownership::Of("evil".to_owned()), found(&evil)).unwrap();
    folder.publish(Ownership::OfTheOnly, found(&evil)).unwrap();
    assert_eq!(folder.contents(), before);
    let error = folder.publish(Ownership::Named("evil".to_owned()), found(&evil)).unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), ("tenant", false));
    assert!(error.to_string().contains("another tenant than \"evil\""), "{error}");
    assert_eq!(folder.contents(), before);
}

#[test]
fn equal_sessions_of_two_tenants_become_two_skills_with_ids_of_their_own() {
    let ids = NAMES.map(|tenant| {
        let folder = Folder::new();
        let sessions = NAMES.map(|tenant| of(tenant, "shop", needs("make db-up", "make itest"))).concat();
        folder.publish(Ownership::Named(tenant.to_owned()), found(&sessions)).unwrap();
        let skills = folder.target(Ownership::default()).load().unwrap().skills();
        assert_eq!(skills.len(), 1, "{tenant}");
        let hashes: Vec<String> = skills[0].evidence[0].sessions.iter().map(|one| one.1.clone()).collect();
        (skills[0].name.clone(), skills[0].id.clone(), hashes)
    });
    assert_eq!(ids[0].0, ids[1].0, "the names may be equal");
    assert_ne!(ids[0].1, ids[1].1);
    assert!(ids[0].2.iter().all(|hash| !ids[1].2.contains(hash)));
}

/// One run: which tenants have sessions of it, and what they do.
#[derive(Debug, Clone)]
struct Step {
    tenants: [bool; 2],
    fix: usize,
    test: usize,
    delete: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (any::<[bool; 2]>(), 0..3_usize, 0..2_usize, proptest::bool::weighted(0.15))
        .prop_map(|(tenants, fix, test, delete)| Step { tenants, fix, test, delete });
    proptest::collection::vec(step, 1..6)
}

/// Plays the runs; `with_evil`: the other tenant's sessions are in the table as well.
fn play(steps: &[Step], whose: &Ownership, with_evil: bool) -> BTreeMap<String, String> {
    const FIXES: [&str; 3] = ["make db-up", "make evil-up", "make seed"];
    const TESTS: [&str; 2] = ["make itest", "make e2e"];
    let folder = Folder::new();
    let mut table: Vec<Session> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        // Equal ids, people, projects and days; each tenant does something else.
        for (tenant, name) in NAMES.iter().enumerate().filter(|(tenant, _)| step.tenants[*tenant]) {
            if tenant == 0 || with_evil {
                let fix = FIXES[(step.fix + tenant) % FIXES.len()];
                table.extend(of(name, "shop", repaired(&format!("s{number}-"), TESTS[step.test], fix)));
            }
        }
        folder.publish(whose.clone(), found(&table)).unwrap();
        if step.delete
            && let Ok(mut folders) = std::fs::read_dir(folder.path().join("skills"))
            && let Some(Ok(first)) = folders.next()
        {
            std::fs::remove_dir_all(first.path()).unwrap();
        }
    }
    folder.contents()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_another_tenant_does_changes_no_byte_of_a_library(steps in steps(), named in any::<bool>()) {
        let whose = if named { Ownership::Named("acme".into()) } else { Ownership::Of("acme".into()) };
        prop_assert_eq!(play(&steps, &whose, true), play(&steps, &whose, false));
    }
}
