//! What a deeplake exporter needs to be told, and which table it follows.

use crate::configuration::validate;

#[test]
fn a_deeplake_exporter_follows_a_table_with_what_it_needs_to_be_told() {
    let check = |fields: &str, rest: &str| {
        validate(&format!(
            "exporters: {{ deeplake: {{ {fields} }} }}\n{rest}service: {{ pipelines: {{ sessions: {{ receivers: [otlp], processors: [redact], exporters: [parquet, deeplake] }}, skills: {{ receivers: [skillify], exporters: [deeplake] }} }} }}\n"
        ))
    };
    assert_eq!(check("org: o-1, token: t", "").0, 0);
    let several = "extensions: { auth: { tokens: [{ id: a, secret: 0123456789abcdef0123456789abcdef, tenant: a }, { id: b, secret: abcdef0123456789abcdef0123456789, tenant: b }] } }\n";
    assert_eq!(check("org: o-1, token: t, from: { tenant: a, workspace: default }", several).0, 0);
    for (fields, rest, message) in [
        ("token: t", "", "exporters.deeplake: name the organisation's id here: org"),
        ("org: o-1", "", "exporters.deeplake: an API token is needed, such as ${env:DEEPLAKE_TOKEN}: token"),
        ("org: o-1, token: SECRET WORDS", "", "exporters.deeplake.token: the token is more than one word"),
        (
            "org: o-1, token: t, endpoint: http://example.com",
            "",
            "exporters.deeplake.endpoint: expected https://host",
        ),
        (
            "org: o-1, token: t, workspace: ../x",
            "",
            "exporters.deeplake.workspace: expected the id of a workspace",
        ),
        (
            "org: o-1, token: t, tables: { sessions: 'a\"b' }",
            "",
            "exporters.deeplake.tables.sessions: expected a table's name",
        ),
        ("org: o-1, token: t, batch: { rows: 0 }", "", "exporters.deeplake.batch.rows: expected at least 1"),
        ("org: o-1, token: t, table: other", "", "exporters.deeplake.table: there is no extension `other`"),
        ("org: o-1, token: t", several, "exporters.deeplake: extensions.auth knows several tenants"),
    ] {
        let (code, _, stderr) = check(fields, rest);
        assert_eq!(code, 64, "{fields}");
        assert!(stderr.contains(message) && !stderr.contains("SECRET"), "{fields} gave {stderr}");
    }
    let alone = "exporters: { deeplake: { org: o-1, token: t } }\nservice: { pipelines: { sessions: { receivers: [], exporters: [deeplake] } } }\n";
    assert_eq!(validate(alone).0, 0, "a process that only follows a table");
    let (code, _, stderr) = validate(&alone.replace("[], exp", "[], processors: [redact], exp"));
    assert_eq!(code, 64);
    assert!(
        stderr.contains("sessions.processors: without receivers, this pipeline only reads a table"),
        "{stderr}"
    );
}

#[test]
fn a_deeplake_exporter_follows_the_table_that_it_names_or_its_pipeline_fills() {
    let check = |table: &str, exporters: &str| {
        validate(&format!(
            "extensions: {{ sessions_table/eu: {{ path: /srv/eu }} }}
exporters: {{ parquet/eu: {{ table: sessions_table/eu }}, deeplake: {{ org: o-1, token: t{table} }} }}
service: {{ pipelines: {{ sessions: {{ receivers: [otlp], processors: [redact], exporters: [parquet] }}, sessions/eu: {{ receivers: [otlp], processors: [redact], exporters: [parquet/eu] }}, sessions/to: {exporters} }} }}
"
        ))
    };
    let follower = "{ receivers: [], exporters: [deeplake] }";
    let beside = "{ receivers: [otlp], processors: [redact], exporters: [parquet/eu, deeplake] }";
    let mismatch = "service.pipelines.sessions/to: deeplake exports the sessions of sessions_table, and this pipeline fills sessions_table/eu";
    for (table, exporters, warns) in [
        ("", follower, false),
        (", table: sessions_table/eu", follower, false),
        ("", beside, false),
        (", table: sessions_table/eu", beside, false),
        (", table: sessions_table", beside, true),
    ] {
        let (code, stdout, stderr) = check(table, exporters);
        assert_eq!(code, 0, "{table} gave {stderr}");
        assert_eq!(stdout.contains(mismatch), warns, "{table} gave {stdout}");
    }
    let (code, _, stderr) = check(", table: sessions_table/us", follower);
    assert_eq!(code, 64);
    assert!(
        stderr
            .contains("there is no extension `sessions_table/us`; did you mean `sessions_table/eu`? Known are: sessions_table, sessions_table/eu"),
        "{stderr}"
    );
}
