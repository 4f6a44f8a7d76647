//! What a credential names is the ceiling: what a payload calls itself owns nothing.

use std::collections::BTreeSet;

use skillspan::table::{Filter, ResolveOptions, Session, Table};

use crate::world::{ACME, ACME_SHOP, ACME_WEB, Door, EVIL, EVIL_OWN, Said, World, text_below};

const HOUR: i64 = 3_600_000_000;

/// Sessions of five people in a workspace, with names of their own or of somebody else's.
fn sessions(prefix: &str, workspace: &str, fix: &str) -> Vec<Said> {
    let now = skillspan::event::Timestamp::now().as_micros();
    let session = |number: usize| Said {
        session: format!("{prefix}-{number}"),
        person: format!("person{number}@example.com"),
        workspace: workspace.to_owned(),
        prompt: "run the integration tests".to_owned(),
        test: "make itest".to_owned(),
        fix: fix.to_owned(),
        at: now - 20 * HOUR + number as i64 * HOUR,
    };
    (0..5).map(session).collect()
}

async fn send_all(world: &World, door: Door, token: &str, sessions: &[Said]) {
    for said in sessions {
        world.send(door, token, said).await;
    }
}

async fn stored(world: &World) -> Vec<Session> {
    let Ok(table) = Table::open(&world.path("sessions")) else { return Vec::new() };
    let scan = table.scan(&Filter::default()).await.unwrap();
    skillspan::table::resolve(scan.events, &ResolveOptions { default_workspace: "default".to_owned() })
}

fn skills_of(world: &World, folder: &str) -> String {
    text_below(&world.path(folder).join("skills"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_names_its_workspace_only_where_its_credential_names_none() {
    let mut world = World::start().await;
    let claims = [
        (ACME_SHOP, ("acme", "shop")),
        (ACME_WEB, ("acme", "web")),
        (ACME, ("acme", "claimed")),
        (EVIL_OWN, ("evil", "own")),
        (EVIL, ("evil", "claimed")),
    ];
    for (number, door) in Door::ALL.into_iter().enumerate().filter(|(_, door)| *door != Door::Langfuse) {
        for (token, _) in claims {
            let session = format!("{}-{number}", &token[..9]);
            world.send(door, token, &Said { session, ..sessions("x", "claimed", "make up").remove(0) }).await;
        }
    }
    world.stop().await;
    let sessions = stored(&world).await;
    assert_eq!(sessions.len(), (Door::ALL.len() - 1) * claims.len());
    for session in sessions {
        let (_, place) = claims.iter().find(|(token, _)| session.id.starts_with(&token[..9])).unwrap();
        assert_eq!((session.tenant.as_str(), session.workspace.as_str()), *place, "{}", session.id);
        let kept = session.facts.iter().any(|fact| {
            fact.event.attributes.get("skillspan.workspace").is_some_and(|value| value == "claimed")
        });
        assert!(kept, "what the payload called it stays an attribute of {}", session.id);
    }
    let folders: BTreeSet<String> = std::fs::read_dir(world.path("sessions/v1/owner_tenant=acme"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let own = ["owner_workspace=default", "owner_workspace=shop", "owner_workspace=web"];
    assert_eq!(folders, own.map(str::to_owned).into());
}

/// What the skills of the first tenant's folder say when somebody else has sent `attack`.
async fn attacked(attack: &[(Door, &str, Vec<Said>)]) -> (String, String, World) {
    let mut world = World::start().await;
    send_all(&world, Door::Json, ACME_SHOP, &sessions("s", "shop", "make db-up")).await;
    let says = |world: &World| skills_of(world, "each/acme").contains("make db-up");
    world.until("the skill is published", says).await;
    for (door, token, sessions) in attack {
        send_all(&world, *door, token, sessions).await;
    }
    let arrived = attack.iter().flat_map(|(_, _, sessions)| sessions).map(|said| said.fix.clone());
    let fixes: BTreeSet<String> = arrived.collect();
    let taught = |world: &World| {
        let all = text_below(&world.path("each"));
        fixes.iter().all(|fix| all.contains(fix.as_str()))
    };
    world.until("what the others say has been learned somewhere", taught).await;
    world.stop().await;
    (skills_of(&world, "each/acme"), text_below(&world.path("unnamed")), world)
}

/// Twice as many sessions, newer, in which the published repair fails.
fn revision(workspace: &str) -> Vec<Said> {
    let mut newer = sessions("r", workspace, "make evil-up");
    newer.extend(sessions("q", workspace, "make evil-up"));
    newer.iter_mut().for_each(|said| said.at += 10 * HOUR);
    newer
}

/// The same under the ids of the sessions that taught the skill.
fn with_ids_of_the_victim() -> Vec<Said> {
    let mut sessions = revision("shop");
    for (number, said) in sessions.iter_mut().enumerate() {
        said.session = format!("s-{number}");
    }
    sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_sessions_revise_no_skill_whatever_they_call_themselves() {
    for (door, token, sessions) in [
        (Door::Json, EVIL_OWN, revision("shop")),
        (Door::Hooks, EVIL, revision("shop")),
        (Door::Grpc, EVIL, with_ids_of_the_victim()),
    ] {
        let (acmes, unnamed, world) = attacked(&[(door, token, sessions)]).await;
        assert!(acmes.contains("make db-up") && !acmes.contains("evil-up"), "{door:?}: {acmes}");
        assert!(unnamed.contains("make db-up") && !unnamed.contains("evil-up"), "{door:?}: {unnamed}");
        for (place, text) in world.places("acme") {
            assert!(!text.contains("evil-up"), "{door:?}: {place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_workspaces_credential_gets_nothing_into_a_target_of_this_one() {
    for sessions in [revision("shop"), with_ids_of_the_victim()] {
        nothing_of_another_workspace(sessions).await;
    }
}

async fn nothing_of_another_workspace(sessions: Vec<Said>) {
    let (acmes, unnamed, _world) = attacked(&[(Door::Protobuf, ACME_WEB, sessions)]).await;
    let of_shop = |text: &str| -> String {
        let skills = text.split("SKILL.md\n").filter(|skill| skill.contains("skillspan-workspace: \"shop\""));
        skills.collect()
    };
    assert!(of_shop(&acmes).contains("make db-up") && !of_shop(&acmes).contains("evil-up"), "{acmes}");
    assert!(acmes.contains("skillspan-workspace: \"web\""), "{acmes}");
    assert!(unnamed.contains("make db-up") && !unnamed.contains("evil-up"), "routed to shop: {unnamed}");
}
