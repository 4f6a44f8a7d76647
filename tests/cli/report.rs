//! `report`: what sessions cost and why, on a terminal, as JSON and as a page; it names nobody and obeys nothing.

use serde_json::{Value, json};

use crate::support::{Running, Site, outcome, skillspan, texts};

/// One record of a session, so many seconds after its start.
struct Record {
    at: u64,
    name: &'static str,
    own: Vec<(&'static str, String)>,
}

/// A session of Claude Code.
struct Told<'a> {
    id: &'a str,
    user: &'a str,
    workspace: &'a str,
    repository: &'a str,
    /// Days after the first.
    day: u64,
    records: Vec<Record>,
}

impl<'a> Told<'a> {
    fn new(id: &'a str, user: &'a str) -> Self {
        let records = Vec::new();
        Self { id, user, workspace: "shop", repository: "https://git.example.com/acme/shop", day: 0, records }
    }

    fn record(mut self, name: &'static str, own: &[(&'static str, &str)]) -> Self {
        let own = own.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        self.records.push(Record { at: self.records.len() as u64 * 60, name, own });
        self
    }

    fn prompt(self, text: &str) -> Self {
        self.record("user_prompt", &[("prompt", text)])
    }

    fn tool(self, tool: &'static str, input: &Value, success: bool, output: &str) -> Self {
        let call = format!("toolu_{}_{}", self.id, self.records.len());
        let end = if success { "tool_output" } else { "error" };
        self.record(
            "tool_result",
            &[
                ("tool_name", tool),
                ("tool_use_id", &call),
                ("success", if success { "true" } else { "false" }),
                ("tool_input", &input.to_string()),
                (end, output),
            ],
        )
    }

    fn run(self, command: &str, success: bool) -> Self {
        self.tool("Bash", &json!({ "command": command }), success, if success { "" } else { "Exit code 2" })
    }

    fn refused(self, command: &str) -> Self {
        let call = format!("toolu_{}_{}", self.id, self.records.len());
        let input = json!({ "command": command }).to_string();
        self.record(
            "tool_decision",
            &[
                ("tool_name", "Bash"),
                ("tool_use_id", &call),
                ("decision", "reject"),
                ("source", "user_reject"),
                ("tool_input", &input),
            ],
        )
    }

    fn body(&self) -> Vec<u8> {
        let start = 1_795_340_000_000_000_000_u64 + self.day * 86_400_000_000_000;
        let records: Vec<Value> = self
            .records
            .iter()
            .map(|Record { at, name, own }| {
                let mut all = vec![("event.name", *name), ("session.id", self.id), ("user.email", self.user)];
                all.extend(own.iter().map(|(key, value)| (*key, value.as_str())));
                json!({
                    "timeUnixNano": (start + at * 1_000_000_000).to_string(),
                    "body": { "stringValue": format!("claude_code.{name}") },
                    "attributes": texts(&all),
                })
            })
            .collect();
        let resource = [
            ("service.name", "claude-code"),
            ("service.version", "2.1.330"),
            ("skillspan.workspace", self.workspace),
            ("vcs.repository.url.full", self.repository),
        ];
        let scope = json!({ "name": "com.anthropic.claude_code.events", "version": "2.1.330" });
        json!({ "resourceLogs": [{
            "resource": { "attributes": texts(&resource) },
            "scopeLogs": [{ "scope": scope, "logRecords": records }],
        }] })
        .to_string()
        .into_bytes()
    }
}

/// A site that holds these sessions.
fn site(sessions: &[Told<'_>]) -> (Site, Running) {
    let site = Site::new("default");
    site.edit_config(&[("workspace: { from: [], default: default }", "workspace: { default: default }")]);
    let running = site.start();
    for session in sessions {
        assert_eq!(site.post("/v1/logs", "application/json", session.body()), 200);
    }
    (site, running)
}

/// Two people: tests that fail twice and pass, a push that is refused.
fn two_people() -> [Told<'static>; 2] {
    let work = |id, user| {
        Told::new(id, user)
            .prompt("mend the basket")
            .run("make check", false)
            .run("ls", true)
            .run("make check", false)
            .run("make check", true)
            .refused("git push --force")
            .run("cargo build", false)
    };
    [work("s-one", "ana.lee@example.com"), work("s-two", "bo.kim@example.com")]
}

fn report(site: &Site, arguments: &[&str]) -> String {
    site.run(&[&["report"], arguments].concat())
}

fn as_json(site: &Site, arguments: &[&str]) -> Value {
    serde_json::from_str(&report(site, &[&["--json"], arguments].concat())).unwrap()
}

fn rows<'r>(report: &'r Value, section: &str) -> &'r [Value] {
    report["sections"][section]["rows"].as_array().unwrap()
}

fn row<'r>(report: &'r Value, section: &str, column: &str, wanted: &str) -> &'r Value {
    let found = rows(report, section).iter().find(|row| row[column] == wanted);
    found.unwrap_or_else(|| panic!("no {wanted} in {section}: {report:#}"))
}

#[test]
fn it_says_what_sessions_cost_and_why() {
    let (site, _running) = site(&two_people());
    let report = as_json(&site, &[]);
    assert_eq!(report["sessions"], 2);
    assert_eq!(report["summary"]["people"], "2");
    assert_eq!(report["summary"]["refused_calls"], "2");
    let listed = site.sessions();
    let sum =
        |key: &str| listed.iter().map(|session| session[key].as_u64().unwrap()).sum::<u64>().to_string();
    assert!(report["summary"]["failed_calls"].as_str().unwrap().starts_with(&sum("failed")), "{report:#}");
    assert!(report["summary"]["tool_calls"].as_str().unwrap().starts_with(&sum("calls")), "{report:#}");

    let check = row(&report, "failed-commands", "command", "make check");
    assert_eq!((&check["failed"], &check["passed"]), (&json!(4), &json!(4)), "{check}");
    assert_eq!(
        (&check["calls"], &check["each"]),
        (&json!(6), &json!(3.0)),
        "three calls after the first failure"
    );
    assert_eq!((&check["never"], &check["people"]), (&json!(0), &json!(2)));
    let build = row(&report, "failed-by-kind", "kind", "build");
    assert_eq!((&build["passed"], &build["never"]), (&json!(0), &json!(2)));
    // This client does not say what the refused call would have run.
    let push = row(&report, "objections", "act", "call Bash");
    assert_eq!((&push["refused"], &push["reason"]), (&json!(2), &json!(0)), "{push}");
}

#[test]
fn its_numbers_agree_with_each_other() {
    let session = |id| {
        Told::new(id, "ana.lee@example.com")
            .prompt("mend the basket")
            // Nothing tells which of them failed.
            .run("make menu && make till", false)
            .tool("Edit", &json!({ "file_path": "/w/a.md" }), false, "String to replace not found in file.")
            .run("cargo test", false)
            .run("cargo test", false)
            .run("ls", true)
            .run("cargo test", true)
            .run("make oven", false)
            .run("make oven", false)
            .run("make oven", false)
            .run("make oven", false)
    };
    let (site, _running) = site(&[session("s-one"), session("s-two")]);
    let report = as_json(&site, &[]);
    let kinds = rows(&report, "failed-by-kind");
    let number = |row: &Value, key: &str| row[key].as_u64().unwrap_or_default();
    let failed: u64 = kinds.iter().map(|row| number(row, "failed")).sum();
    assert_eq!(
        report["summary"]["failed_calls"],
        format!("{failed} (80 %)"),
        "each failed call is in a row: {report:#}"
    );
    assert_eq!(row(&report, "failed-by-kind", "kind", "other calls")["failed"], 2, "{report:#}");
    for kind in kinds {
        // What is run again until it passes passes or stays open.
        if kind["passed"].is_null() {
            assert!(kind["never"].is_null() && kind["calls"].is_null(), "{kind}");
        } else {
            assert_eq!(number(kind, "passed") + number(kind, "never"), number(kind, "failed"), "{kind}");
        }
    }
    let commands: Vec<(&Value, &Value)> =
        rows(&report, "failed-commands").iter().map(|row| (&row["command"], &row["calls"])).collect();
    assert_eq!(
        commands,
        [(&json!("cargo test"), &json!(6)), (&json!("make oven"), &json!(0))],
        "most calls first"
    );
    // This client told no tokens.
    assert_eq!(rows(&report, "repositories")[0]["tokens"], Value::Null);
}

#[test]
fn it_reads_the_sessions_that_a_listing_has() {
    let (site, _running) = site(&two_people());
    for arguments in [
        vec!["--user", "ana.lee@example.com"],
        vec!["--workspace", "nowhere"],
        vec!["--project", "git@git.example.com:acme/shop.git"],
        vec!["--since", "1h"],
        vec!["--since", "2100-01-01"],
        vec!["--assistant", "codex"],
    ] {
        let listed = site.run(&[&["sessions", "list", "--json"], arguments.as_slice()].concat());
        let shown = as_json(&site, &arguments);
        assert_eq!(shown["sessions"], listed.lines().count(), "{arguments:?}");
    }
    assert!(report(&site, &["--workspace", "nowhere"]).ends_with("\nno sessions\n"));
    let (code, _, stderr) =
        outcome(skillspan().args(["report", "--since", "yesterday", "--config"]).arg(site.config()));
    assert_eq!(code, 64);
    assert!(stderr.contains("expected 7d, 12h or a date"), "{stderr}");
}

#[test]
fn it_names_nobody_unless_it_is_asked_to() {
    let mut sessions = two_people();
    sessions[0].repository = "https://git.example.com/ana.lee/notes-of-bo.kim";
    let (site, _running) = site(&sessions);
    let path = site.path("report.html");
    let html = path.to_str().unwrap();
    assert_eq!(report(&site, &["--html", html]), "");
    let shown = [report(&site, &[]), report(&site, &["--json"]), std::fs::read_to_string(&path).unwrap()];
    for text in shown {
        for name in ["ana", "bo.kim", "mend the basket"] {
            assert!(!text.to_lowercase().contains(name), "{name} in {text}");
        }
        assert!(text.contains("[person]/notes-of-[person]"), "{text}");
    }
    let named = as_json(&site, &["--people"]);
    let people: Vec<&str> =
        rows(&named, "people").iter().map(|row| row["person"].as_str().unwrap()).collect();
    assert_eq!(people, ["ana.lee@example.com", "bo.kim@example.com"]);
    report(&site, &["--people", "--html", html]);
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.contains("ana.lee@example.com") && !page.contains("mend the basket"));
}

#[test]
fn whatever_sessions_hold_the_page_and_the_terminal_obey_nothing() {
    let hostile = "<script>alert(1)</script>\u{1b}[2J\u{202e}\"'><img src=x onerror=alert(2)>";
    let mut session = Told::new("s-evil", hostile)
        .prompt(hostile)
        .run(&format!("make '{hostile}'"), false)
        .run("<script>alert(3)</script>", false)
        .tool("<b>Tool</b>", &json!({}), false, hostile)
        .tool("Read", &json!({ "file_path": format!("/w/{hostile}.md") }), false, "File does not exist.")
        .refused(&format!("{hostile} --yes"));
    session.workspace = hostile;
    session.repository = "https://git.example.com/<script>/\u{202e}x";
    let (site, _running) = site(&[session]);
    let path = site.path("report.html");
    report(&site, &["--html", path.to_str().unwrap(), "--people"]);
    let page = std::fs::read_to_string(&path).unwrap();
    for harmful in ["<script", "<img", "<b>", "\u{1b}", "\u{202e}", "onerror=alert(2)>", "javascript:"] {
        assert!(!page.contains(harmful), "{harmful:?} in {page}");
    }
    assert!(page.contains("&lt;script&gt;"), "it is shown, not left out: {page}");
    let text = report(&site, &["--people"]);
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    assert!(text.contains("\\u{1b}"), "{text}");
    let json = report(&site, &["--people", "--json"]);
    assert!(!json.contains(['\u{1b}', '\u{202e}']), "{json:?}");
}

#[test]
fn the_page_stands_alone() {
    let (site, _running) = site(&two_people());
    let path = site.path("report.html");
    report(&site, &["--html", path.to_str().unwrap()]);
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.contains("default-src 'none'; style-src 'sha256-"), "{page}");
    for fetching in
        ["<script", "<link", " src=", "url(", "@import", "http://", "https://", " style=\"", " on"]
    {
        let body = page.split_once("</style>").unwrap().1;
        assert!(!body.contains(fetching) || fetching == " on" && !body.contains(" onl"), "{fetching}");
    }
    for needed in
        ["<html lang=\"en\">", "<main>", "<nav ", "<header>", "<footer>", "<caption>", "<svg ", "<title>"]
    {
        assert!(page.contains(needed), "{needed} is missing");
    }
    // Every link leads to a section of the page.
    for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
    }
    // What is opened is closed.
    for element in
        ["section", "table", "tr", "th", "td", "tbody", "thead", "div", "svg", "p", "figure", "ul", "dl"]
    {
        let opened =
            page.matches(&format!("<{element}>")).count() + page.matches(&format!("<{element} ")).count();
        assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{element}");
    }
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "nobody else reads it");
}

#[test]
fn a_page_that_cannot_be_written_leaves_nothing_behind() {
    let (site, _running) = site(&two_people());
    let missing = site.path("not/there.html");
    let (code, _, stderr) =
        outcome(skillspan().arg("report").arg("--html").arg(&missing).arg("--config").arg(site.config()));
    assert_eq!(code, 1);
    assert!(stderr.contains("cannot write") && stderr.contains("not/there.html"), "{stderr}");
    let folder = site.path("folder.html");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("kept"), "").unwrap();
    let (code, ..) =
        outcome(skillspan().arg("report").arg("--html").arg(&folder).arg("--config").arg(site.config()));
    assert_eq!(code, 1);
    let left = std::fs::read_dir(site.folder.path()).unwrap().flatten();
    let left: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().ends_with(".new")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(report(&site, &["--html", "-"]).starts_with("<!DOCTYPE html>"));
}

/// The database is not up: three sessions of two people, and later ones that know it or do not.
fn database() -> Vec<Told<'static>> {
    let refused = "dial tcp 127.0.0.1:5432: connect: connection refused";
    let work = |id, user, day, knows: bool| {
        let session = Told { day, ..Told::new(id, user) }.prompt("mend the basket of the shop").tool(
            "Bash",
            &json!({ "command": "make itest" }),
            false,
            refused,
        );
        let session = if knows { session.run("make db-up", true) } else { session };
        session.run("make itest", knows)
    };
    let people = ["ana.lee@example.com", "bo.kim@example.com"];
    vec![
        work("d-1", people[0], 0, true),
        work("d-2", people[1], 1, true),
        work("d-3", people[0], 1, true),
        work("d-4", people[1], 4, true),
        work("d-5", people[1], 5, false),
        work("d-6", people[0], 5, false),
    ]
}

#[test]
fn what_was_learned_before_a_day_is_looked_at_in_later_sessions() {
    let (site, _running) = site(&database());
    let shown = site.run(&["skillify", "--learn-until", "2026-11-25"]);
    assert!(
        shown.contains("shop: learned from 3 sessions before 2026-11-25, looked at in 3 since"),
        "{shown}"
    );
    let line = shown.lines().find(|line| line.contains("make db-up")).unwrap_or_else(|| panic!("{shown}"));
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(cells[..2], ["1", "1"], "first by worth and by what recurred: {line}");
    assert!(line.ends_with("  3       2  1/1, 0/2"), "met by three, broken by two: {line}");
    assert!(
        shown.contains("1 claim; later sessions met 1 of them, 3 times: followed 1, broken 2"),
        "{shown}"
    );
    assert!(!site.path("skills/skills/use-the-database").exists());

    let early = site.run(&["skillify", "--learn-until", "2026-11-22"]);
    assert!(early.contains("no skill was learned"), "{early}");
    assert!(site.run(&["skillify", "--learn-until", "median"]).contains("before 2026-11-2"));
    for wrong in [["--learn-until", "soon"], ["--learn-until", "2026-02-30"]] {
        let (code, _, stderr) =
            outcome(skillspan().arg("skillify").args(wrong).arg("--config").arg(site.config()));
        assert_eq!(code, 64, "{stderr}");
        assert!(stderr.contains("expected a date such as 2026-11-22, or median"), "{stderr}");
    }
}
