//! Sessions of two tenants with equal ids, in one table.

use proptest::prelude::*;
use skillspan::event::{Kind, Owner, SessionEvent, Timestamp};
use skillspan::table::{ResolveOptions, Session, resolve};

/// Events whose sessions, traces, spans, calls, people and workspaces are called alike.
fn event() -> impl Strategy<Value = SessionEvent> {
    let names = (0..3_usize, 0..3_usize, 0..3_usize, 0..2_usize, 0..2_usize);
    let rest = (0..5_usize, 0..4_i64, any::<bool>(), 0..3_usize);
    (names, rest).prop_map(|((session, trace, span, call, workspace), (kind, second, parent, history))| {
        let name =
            |what: &str, number: usize| if number == 0 { String::new() } else { format!("{what}{number}") };
        let kinds = [Kind::Prompt, Kind::ToolCall, Kind::ToolResult, Kind::Response, Kind::SessionEnd];
        SessionEvent {
            session_id: name("s", session),
            trace_id: name("t", trace),
            span_id: name("p", span),
            parent_span_id: if parent { name("p", span + 1) } else { String::new() },
            fact_key: name("call", call),
            tool_call_id: name("call", call),
            workspace: name("w", workspace),
            user_id: "person".to_owned(),
            service: "shop".to_owned(),
            kind: kinds[kind],
            history_before: name("h", history),
            history_after: name("h", history + 1),
            timestamp: Timestamp::from_micros(1_795_000_000_000_000 + second * 1_000_000),
            ..SessionEvent::default()
        }
    })
}

fn of(tenant: &str, events: &[SessionEvent]) -> Vec<SessionEvent> {
    let own = |(number, event): (usize, &SessionEvent)| SessionEvent {
        tenant: tenant.to_owned(),
        event_id: format!("{tenant}-{number}"),
        ..event.clone()
    };
    events.iter().enumerate().map(own).collect()
}

fn resolved(events: Vec<SessionEvent>) -> Vec<Session> {
    resolve(events, &ResolveOptions { default_workspace: "default".to_owned() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_sessions_of_a_workspace_that_a_credential_names_are_the_same_without_another_one(
        shops in proptest::collection::vec(event(), 0..12),
        webs in proptest::collection::vec(event(), 0..12),
    ) {
        let confined = |workspace: &str, events: &[SessionEvent]| {
            let mut events = of("acme", events);
            for event in &mut events {
                event.event_id.insert_str(0, workspace);
            }
            Owner { tenant: "acme".to_owned(), workspace: workspace.to_owned() }.confine(&mut events);
            events
        };
        let (shops, webs) = (confined("shop", &shops), confined("web", &webs));
        let mut together = resolved([shops.clone(), webs].concat());
        together.retain(|session| session.workspace == "shop");
        prop_assert_eq!(together, resolved(shops));
    }

    #[test]
    fn the_sessions_of_a_tenant_are_the_same_without_the_other(
        acmes in proptest::collection::vec(event(), 0..12),
        evils in proptest::collection::vec(event(), 0..12),
    ) {
        let (acmes, evils) = (of("acme", &acmes), of("evil", &evils));
        let mut together = resolved([acmes.clone(), evils].concat());
        together.retain(|session| session.tenant == "acme");
        prop_assert_eq!(together, resolved(acmes));
    }
}
