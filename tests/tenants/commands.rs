//! Configuration and commands that know whose is meant.

use crate::site::{Site, outcome, skillspan};

const ACME: &str = "acme-token-0123456789abcdef";
const EVIL: &str = "evil-token-0123456789abcdef";

fn validate(exporters: &str, skills: &str) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    let text = format!(
        "extensions: {{ auth: {{ tokens: [{{ id: a, secret: {ACME}, tenant: acme }}, {{ id: e, secret: {EVIL}, tenant: evil }}] }}, \
         sessions_table: {{ path: {root}/sessions }} }}
exporters:
{exporters}
service:
  journal: {{ path: {root}/journal }}
  pipelines:
    sessions: {{ receivers: [otlp], processors: [redact, workspace], exporters: [parquet] }}
    skills: {{ receivers: [skillify], exporters: [{skills}] }}
"
    );
    let path = folder.path().join("skillspan.yaml");
    std::fs::write(&path, text).unwrap();
    outcome(skillspan().args(["validate", "--config"]).arg(&path).env("XDG_DATA_HOME", folder.path()))
}

#[test]
fn a_target_is_one_tenants_and_the_configuration_says_who_has_none() {
    let warning = "none holds those of evil: name one with route: { tenant: NAME }";
    let warns = |exporters: &str, skills: &str| {
        let (code, stdout, stderr) = validate(exporters, skills);
        assert_eq!(code, 0, "{stderr}");
        stdout.contains(warning)
    };
    assert!(warns("  filesystem: { path: /srv/skills }", "filesystem"));
    assert!(!warns("  filesystem: { path: '/srv/skills/{tenant}' }", "filesystem"));
    assert!(!warns(
        "  filesystem: { path: /srv/skills }\n  filesystem/evil: { path: /srv/evil, route: { tenant: evil } }",
        "filesystem, filesystem/evil"
    ));
    assert!(warns("  git: { remote: 'https://git.example.com/skills.git', route: { tenant: acme } }", "git"));
    assert!(!warns("  git: { remote: 'https://git.example.com/skills-{tenant}.git' }", "git"));
    assert!(!warns(
        "  git: { remote: 'https://git.example.com/skills.git', branch: '{tenant}/main' }",
        "git"
    ));
}

#[test]
fn two_tenants_in_one_place_are_refused() {
    let deeplake = |tenant: &str, more: &str| {
        format!("{{ org: o-1, token: t, from: {{ tenant: {tenant}, workspace: default }}{more} }}")
    };
    for (exporters, skills, message) in [
        (
            "  filesystem/a: { path: /srv/s, route: { tenant: acme } }\n  filesystem/e: { path: /srv/s, route: { tenant: evil } }".to_owned(),
            "filesystem/a, filesystem/e",
            "/srv/s is a target for acme and for evil: give each its own",
        ),
        (
            format!("  deeplake/a: {}\n  deeplake/e: {}", deeplake("acme", ""), deeplake("evil", "")),
            "deeplake/a, deeplake/e",
            "is a target for acme and for evil: give each its own",
        ),
        (
            "  filesystem: { path: /srv/s, route: { tenant: '' } }".to_owned(),
            "filesystem",
            "exporters.filesystem.route.tenant: name a tenant of extensions.auth",
        ),
    ] {
        let (code, _, stderr) = validate(&exporters, skills);
        assert_eq!(code, 64, "{exporters}");
        assert!(stderr.contains(message), "{stderr}");
    }
    let tables = ", tables: { skills: k_evil, library: l_evil }";
    let apart = format!("  deeplake/a: {}\n  deeplake/e: {}", deeplake("acme", ""), deeplake("evil", tables));
    let (code, _, stderr) = validate(&apart, "deeplake/a, deeplake/e");
    assert_eq!(code, 0, "{stderr}");
}

/// A site with a session `s-1` of each tenant, alike but for the prompt.
fn site() -> Site {
    let site = Site::new("default");
    let auth = format!(
        "  auth: {{ tokens: [{{ id: a, secret: {ACME}, tenant: acme, workspace: shop }}, {{ id: e, secret: {EVIL}, tenant: evil, workspace: shop }}] }}\n  sessions_table:"
    );
    site.edit_config(&[("  sessions_table:", &auth)]);
    let running = site.start();
    for (token, prompt) in [(ACME, "amber"), (EVIL, "cobalt")] {
        let record = |name: &str, more: serde_json::Value| {
            let mut attributes = vec![
                serde_json::json!({ "key": "event.name", "value": { "stringValue": name } }),
                serde_json::json!({ "key": "session.id", "value": { "stringValue": "s-1" } }),
                serde_json::json!({ "key": "user.email", "value": { "stringValue": "ada@example.com" } }),
            ];
            attributes.push(more);
            serde_json::json!({ "timeUnixNano": "1795000000000000000", "attributes": attributes,
                "body": { "stringValue": format!("claude_code.{name}") } })
        };
        let prompt = serde_json::json!({ "key": "prompt", "value": { "stringValue": prompt } });
        let body = serde_json::json!({ "resourceLogs": [{
            "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "claude-code" } }] },
            "scopeLogs": [{ "scope": { "name": "com.anthropic.claude_code.events" }, "logRecords": [record("user_prompt", prompt)] }],
        }] });
        let url = format!("http://127.0.0.1:{}/v1/logs", site.http);
        let request = crate::site::client().post(url).header("content-type", "application/json");
        let sent = request.header("authorization", format!("Bearer {token}")).body(body.to_string()).send();
        assert_eq!(sent.unwrap().status(), 200);
    }
    assert_eq!(running.terminate(), Some(0));
    site
}

fn fails(site: &Site, arguments: &[&str]) -> String {
    let (code, _, stderr) = outcome(skillspan().args(arguments).arg("--config").arg(site.config()));
    assert_ne!(code, 0, "{arguments:?}");
    stderr
}

#[test]
fn commands_tell_equal_sessions_of_two_tenants_apart() {
    let site = site();
    let listed = site.run(&["sessions", "list"]);
    assert!(listed.contains("acme/shop") && listed.contains("evil/shop"), "{listed}");
    let listed = site.run(&["sessions", "list", "--tenant", "acme"]);
    assert!(!listed.contains("evil") && listed.contains(" shop "), "{listed}");
    let refused = fails(&site, &["sessions", "show", "s-1"]);
    assert!(refused.contains("--tenant acme") && refused.contains("--tenant evil"), "{refused}");
    let shown = site.run(&["sessions", "show", "s-1", "--tenant", "evil"]);
    assert!(shown.contains("cobalt") && !shown.contains("amber"), "{shown}");
    for subject in [["--session", "s-1"], ["--user", "ada@example.com"]] {
        let refused = fails(&site, &[&["erase"], &subject[..]].concat());
        assert!(refused.contains("say whose are meant with --tenant"), "{refused}");
    }
    assert_eq!(site.sessions().len(), 2, "nothing was erased");
    site.run(&["erase", "--user", "ada@example.com", "--tenant", "evil"]);
    let left = site.sessions();
    assert_eq!(left.len(), 1);
    assert_eq!((&left[0]["tenant"], &left[0]["id"]), (&"acme".into(), &"s-1".into()));
}
