//! Every door and every target: two tenants with equal workspaces, projects, people and sessions.

use proptest::prelude::*;

use crate::world::{ACME, ACME_SHOP, Door, EVIL, EVIL_OWN, Said, World};

/// An hour of microseconds.
const HOUR: i64 = 3_600_000_000;

/// What a case varies.
#[derive(Debug, Clone)]
struct Case {
    /// Which door the first session takes; the others follow.
    doors: [usize; 2],
    /// Whether they come with the credential of the tenant alone.
    alone: [bool; 2],
    /// Who sends first.
    evil_first: bool,
    /// Words that only one of them says.
    marks: [String; 2],
}

fn cases() -> impl Strategy<Value = Case> {
    let marks = ["[a-f]{6}", "[m-r]{6}"].map(|letters| letters.prop_map(|letters| format!("up{letters}")));
    (any::<[u8; 2]>(), any::<[bool; 2]>(), any::<bool>(), marks).prop_map(
        |(doors, alone, evil_first, marks)| Case { doors: doors.map(usize::from), alone, evil_first, marks },
    )
}

/// Six sessions of six people, alike but for the mark.
fn sessions(mark: &str) -> Vec<Said> {
    let now = skillspan::event::Timestamp::now().as_micros();
    let session = |number: usize| Said {
        session: format!("session-{number}"),
        person: format!("person{number}@example.com"),
        workspace: "shop".to_owned(),
        prompt: format!("run the integration tests of {mark} please"),
        test: "make itest".to_owned(),
        fix: format!("make {mark}"),
        at: now - 10 * HOUR + number as i64 * HOUR,
    };
    (0..6).map(session).collect()
}

async fn send(world: &World, case: &Case, tenant: usize) {
    let tokens = [[ACME_SHOP, ACME], [EVIL_OWN, EVIL]][tenant];
    for (number, said) in sessions(&case.marks[tenant]).iter().enumerate() {
        let door = Door::ALL[(case.doors[tenant] + number) % Door::ALL.len()];
        world.send(door, tokens[usize::from(case.alone[tenant])], said).await;
    }
}

async fn nothing_crosses(case: Case) {
    let mut world = World::start().await;
    let order = if case.evil_first { [1, 0] } else { [0, 1] };
    for tenant in order {
        send(&world, &case, tenant).await;
    }
    let [acme, evil] = &case.marks;
    let stored = |world: &World| {
        let in_table = |tenant: &str, mark: &str| {
            let text = &world.places(tenant)["table"];
            (0..6).all(|number| text.contains(&format!("session-{number}\n"))) && text.contains(mark)
        };
        in_table("acme", acme) && in_table("evil", evil)
    };
    world.until("both tenants' sessions are stored", stored).await;
    let published = |world: &World| {
        [("acme", acme), ("evil", evil)].iter().all(|(tenant, mark)| {
            let places = world.places(tenant);
            let says = |place: &str| places[place].contains(&format!("make {mark}"));
            says("folder")
                && says("project")
                && says("branch")
                && says("deeplake's skills")
                && says("deeplake's library")
        })
    };
    world.until("both tenants' skills are published at every target of theirs", published).await;
    // What a credential of the tenant alone brings is stored as of no workspace, and is not asked for there.
    let exported = |world: &World| {
        let rows = |tenant: &str| !world.standin.rows(&format!("sessions_{tenant}")).is_empty();
        (case.alone[0] || rows("acme")) && (!case.alone[1] || rows("evil"))
    };
    world.until("their sessions are in Deeplake", exported).await;
    let metrics = world.metrics().await;
    assert!(!metrics.contains(acme.as_str()) && !metrics.contains(evil.as_str()), "{metrics}");
    world.stop().await;
    for (tenant, own, other) in [("acme", acme, evil), ("evil", evil, acme)] {
        for (place, text) in world.places(tenant) {
            assert!(!text.contains(other.as_str()), "{other} is in {tenant}'s {place}:\n{text}");
            assert!(!text.contains("-token-"), "a token is in {tenant}'s {place}");
        }
        assert!(world.places(tenant)["table"].contains(own.as_str()));
        nobody_reads_of_another(&world, tenant, own, other);
    }
    let unnamed = crate::world::text_below(&world.path("unnamed"));
    assert!(unnamed.contains(acme.as_str()) && !unnamed.contains(evil.as_str()), "{unnamed}");
    let folders = |tenant: &str| {
        let folder = world.path("sessions/v1").join(format!("owner_tenant={tenant}"));
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let allowed = ["owner_workspace=default", "owner_workspace=own", "owner_workspace=shop"];
    assert!(folders("acme").iter().all(|name| name != allowed[1] && allowed.contains(&name.as_str())));
    assert!(folders("evil").iter().all(|name| name != allowed[2] && allowed.contains(&name.as_str())));
}

/// What commands say of one tenant, and what stands on the machine of one who installs its skills.
fn nobody_reads_of_another(world: &World, tenant: &str, own: &str, other: &str) {
    let of = ["--tenant", tenant];
    let shown = ["sessions", "show", "session-0", "--json"];
    let commands: [&[&str]; 6] = [
        &["sessions", "list", "--json"],
        &shown,
        &["report", "--json"],
        &["report", "--people"],
        &["report", "--html", "-"],
        &["skillify", "--dry-run", "--explain", "--cases"],
    ];
    for command in commands {
        let text = world.command(&[command, &of[..]].concat());
        assert!(!text.contains(other), "{command:?} says {other} of {tenant}:\n{text}");
    }
    assert!(world.command(&[&shown[..], &of[..]].concat()).contains(own));
    let installed = world.installed(tenant);
    assert!(installed.contains(own) && !installed.contains(other), "{installed}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_a_tenant_reaches_anything_of_another(case in cases()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(nothing_crosses(case));
    }
}
