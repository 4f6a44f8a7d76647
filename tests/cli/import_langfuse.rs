//! The API of Langfuse, page by page: pages, limits, resets, kills; every observation once.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use skillspan::event::Timestamp;

use crate::import::Machine;
use crate::langfuse_api::{LangfuseApi, PUBLIC_KEY, Project, SECRET_KEY, Trouble};
use crate::support::{eventually, outcome};

const SESSIONS: u64 = 24;
const CALLS: u64 = 4;

/// Sessions of ten days ago, an hour apart: a prompt, four calls of which one fails, an answer.
fn project() -> Project {
    let begin = Timestamp::now().saturating_sub(Duration::from_secs(10 * 24 * 60 * 60));
    let at = |session: u64, second: u64| {
        let time = begin.saturating_add(Duration::from_secs(session * 3_600 + second));
        time.to_iso_millis()
    };
    let (mut observations, mut traces, mut scores) = (Vec::new(), Vec::new(), Vec::new());
    for session in 0..SESSIONS {
        let row = |id: String, kind: &str, second: u64, input: String, output: String, level: &str| {
            json!({
                "id": id, "traceId": format!("t{session}"), "type": kind, "name": if kind == "TOOL" { "bash" } else { "answer" },
                "parentObservationId": if kind == "TOOL" { json!(format!("s{session}-g")) } else { Value::Null },
                "startTime": at(session, second), "endTime": at(session, second + 1), "input": input, "output": output,
                "level": level, "sessionId": format!("talk-{session}"), "userId": "ben@example.com",
                "providedModelName": "model-x", "traceName": "shop",
            })
        };
        let asked =
            json!([{ "role": "user", "content": format!("Run the tests of part {session}.") }]).to_string();
        let said = json!({ "role": "assistant", "content": "I run them." }).to_string();
        observations.push(row(format!("s{session}-g"), "GENERATION", 1, asked, said, "DEFAULT"));
        for call in 0..CALLS {
            let input = json!({ "command": format!("make part-{call}") }).to_string();
            let (output, level) = if call == 0 { ("connection refused", "ERROR") } else { ("ok", "DEFAULT") };
            observations.push(row(
                format!("s{session}-c{call}"),
                "TOOL",
                2 + call,
                input,
                output.to_owned(),
                level,
            ));
        }
        traces.push(json!({
            "id": format!("t{session}"), "timestamp": at(session, 0), "name": "shop",
            "sessionId": format!("talk-{session}"), "userId": "ben@example.com",
        }));
        scores.push(json!({
            "id": format!("score-{session}"), "traceId": format!("t{session}"), "name": "helpful", "value": 1,
            "dataType": "NUMERIC", "timestamp": at(session, 30),
        }));
    }
    observations.sort_by_key(|row| std::cmp::Reverse((row["startTime"].to_string(), row["id"].to_string())));
    Project { observations, traces, scores, most: 13, too_many: usize::MAX, ..Project::default() }
}

fn rows() -> u64 {
    SESSIONS * (CALLS + 1)
}

fn command(machine: &Machine, api: &LangfuseApi, arguments: &[&str]) -> Command {
    let all = [&["import", "langfuse", "--host", &api.address, "--yes", "--no-mining"], arguments].concat();
    let mut command = machine.command(&all);
    command.env("LANGFUSE_PUBLIC_KEY", PUBLIC_KEY).env("LANGFUSE_SECRET_KEY", SECRET_KEY);
    command
}

fn import(machine: &Machine, api: &LangfuseApi, arguments: &[&str]) -> Value {
    let (code, stdout, stderr) = outcome(&mut command(machine, api, &[&["--json"], arguments].concat()));
    assert_eq!(code, 0, "{stdout}{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

/// Every session is there, with each of its facts once.
fn is_whole(machine: &Machine) {
    let expected: BTreeSet<String> = (0..SESSIONS).map(|session| format!("talk-{session}")).collect();
    assert_eq!(machine.ids().into_iter().collect::<BTreeSet<_>>(), expected);
    for id in expected {
        let facts = machine.site.session(&id)["facts"].as_array().unwrap().clone();
        let of = |kind: &str| facts.iter().filter(|fact| fact["kind"] == kind).count();
        let failed = facts.iter().filter(|fact| fact["kind"] == "tool_result" && fact["status"] == "error");
        let counts = (of("prompt"), of("tool_call"), of("tool_result"), of("response"), failed.count());
        assert_eq!(counts, (1, 4, 4, 1, 1), "{id}: {facts:?}");
        assert_eq!(of("feedback"), 1, "{id}: {facts:?}");
    }
    assert_eq!(machine.site.sessions()[0]["user_id"], "ben@example.com");
}

/// What the command keeps, in all files below the folder of the machine that are not sessions.
fn kept(machine: &Machine) -> Vec<String> {
    let mut folders = vec![machine.site.path("data/skillspan/imports")];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                texts.push(String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned());
            }
        }
    }
    texts
}

#[test]
fn limits_resets_failures_and_a_repeated_page_cost_no_observation() {
    let (machine, mut project) = (Machine::new(), project());
    use Trouble::{Busy, Fail, Fine, Repeat, Reset};
    project.troubles = [Fine, Busy(1), Fine, Reset, Fine, Fail, Fail, Fine, Repeat, Fine, Reset].into();
    let api = LangfuseApi::start(project);
    let told = import(&machine, &api, &["--workspace", "shop"]);
    assert_eq!(
        (&told["left"], &told["rejected"], told.get("stopped")),
        (&json!([]), &json!(0), None),
        "{told}"
    );
    assert!(told["rows"].as_u64().unwrap() >= rows() + SESSIONS, "{told}");
    is_whole(&machine);
    let asked = std::mem::take(&mut api.project().asked);
    assert!(asked[0].starts_with("v2/observations?fromStartTime="), "{asked:?}");
    assert!(asked.iter().any(|asked| asked.starts_with("v2/scores")), "{asked:?}");
    assert!(kept(&machine).iter().all(|text| !text.contains(SECRET_KEY)));
    // The same command brings what is new: of ten days ago nothing is asked for again.
    let again = import(&machine, &api, &["--workspace", "shop"]);
    assert_eq!((&again["rows"], &again["records"]), (&json!(0), &json!(0)), "{again}");
    is_whole(&machine);
    assert!(api.project().asked.len() <= 2, "{:?}", api.project().asked);
}

#[test]
fn what_is_killed_goes_on_with_the_page_that_it_was_at() {
    for signal in ["-KILL", "-INT"] {
        let (machine, mut project) = (Machine::new(), project());
        project.troubles = [Trouble::Fine, Trouble::Fine, Trouble::Fine, Trouble::Fine, Trouble::Hang].into();
        let api = LangfuseApi::start(project);
        let mut child = command(&machine, &api, &[]);
        let child = child.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        eventually("four pages were read", || api.project().asked.len() == 5);
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        if signal == "-INT" {
            assert_eq!(ended.status.code(), Some(1), "{said}");
            let says = "after 52 rows: SIGINT stopped it; what was taken is stored and remembered, and the same command goes on from there";
            assert!(said.contains(says), "{said}");
        }
        let kept = kept(&machine).concat();
        assert!(kept.contains(PUBLIC_KEY) && !kept.contains(SECRET_KEY), "{kept}");
        let before = std::mem::take(&mut api.project().asked);
        let (code, shown, stderr) = outcome(&mut command(&machine, &api, &[]));
        assert_eq!(code, 0, "{stderr}");
        assert!(
            shown.contains("Goes on with the traces of ") && shown.contains("of which 52 rows were read"),
            "{shown}"
        );
        let asked = api.project().asked.clone();
        assert_eq!(asked[0], before[4], "it goes on with the page that had no answer");
        is_whole(&machine);
    }
}

#[test]
fn an_older_server_is_read_by_the_numbers_of_pages() {
    for status in [404, 410] {
        let (machine, mut project) = (Machine::new(), project());
        (project.older, project.troubles) =
            (Some(status), [Trouble::Fine, Trouble::Fine, Trouble::Reset].into());
        let api = LangfuseApi::start(project);
        import(&machine, &api, &[]);
        is_whole(&machine);
        let asked = api.project().asked.clone();
        assert!(
            asked.iter().any(|asked| asked.starts_with("traces?") && asked.contains("page=2")),
            "{asked:?}"
        );
        assert!(
            asked.iter().any(|asked| asked.starts_with("observations?") && asked.contains("page=3")),
            "{asked:?}"
        );
    }
}

#[test]
fn a_page_that_is_too_large_is_asked_for_in_parts() {
    for older in [None, Some(404)] {
        let (machine, mut project) = (Machine::new(), project());
        (project.older, project.too_many, project.most) = (older, 50, usize::MAX);
        let api = LangfuseApi::start(project);
        import(&machine, &api, &[]);
        is_whole(&machine);
    }
}

#[test]
fn a_cursor_that_is_no_longer_known_costs_nothing() {
    let (machine, mut project) = (Machine::new(), project());
    project.troubles = [Trouble::Fine, Trouble::Fine, Trouble::Hang].into();
    let api = LangfuseApi::start(project);
    let mut child = command(&machine, &api, &[]).stdout(Stdio::null()).spawn().unwrap();
    eventually("two pages were read", || api.project().asked.len() == 3);
    child.kill().unwrap();
    child.wait().unwrap();
    // It goes on with what is older than all that it has.
    (api.project().forgets_cursors, api.project().asked) = (true, Vec::new());
    import(&machine, &api, &[]);
    is_whole(&machine);
}

#[test]
fn a_trial_asks_for_one_page_and_stores_nothing() {
    let (machine, api) = (Machine::new(), LangfuseApi::start(project()));
    let told = import(&machine, &api, &["--dry-run"]);
    assert_eq!((&told["rows"], &told["dry_run"]), (&json!(13), &json!(true)), "{told}");
    assert_eq!(api.project().asked.len(), 1);
    assert!(!machine.site.path("sessions").exists() && !machine.site.path("data/skillspan/imports").exists());
    let (code, shown, stderr) = outcome(command(&machine, &api, &["--dry-run"]).env("COLUMNS", "80"));
    assert_eq!(code, 0, "{stderr}");
    assert!(shown.contains("the newest page has 13 rows"), "{shown}");
    assert!(shown.lines().all(|line| line.contains('/') || line.chars().count() <= 80), "{shown}");
}

#[test]
fn what_a_person_has_to_do_is_said() {
    let (machine, api) = (Machine::new(), LangfuseApi::start(project()));
    let fails = |command: &mut Command, code: i32, says: &str| {
        let (ended, _, stderr) = outcome(command);
        assert_eq!(ended, code, "{stderr}");
        assert!(stderr.contains(says), "{says}: {stderr}");
        assert!(!stderr.contains("sk-lf-"), "{stderr}");
    };
    let usual = |arguments: &[&str]| command(&machine, &api, arguments);
    fails(
        usual(&[]).env_remove("LANGFUSE_PUBLIC_KEY"),
        64,
        "no public key: set LANGFUSE_PUBLIC_KEY, or say --public-key",
    );
    fails(
        usual(&[]).env_remove("LANGFUSE_SECRET_KEY"),
        64,
        "no secret key: set LANGFUSE_SECRET_KEY, or put it into a file",
    );
    fails(&mut usual(&["--secret-key-file", "/nowhere"]), 64, "the secret key cannot be read: /nowhere: ");
    for (host, says) in
        [("ftp://l", "--host ftp://l: write an address"), ("http://a:b@l", "--host the address names a user")]
    {
        let all = ["import", "langfuse", "--host", host, "--yes"];
        fails(
            machine.command(&all).env("LANGFUSE_PUBLIC_KEY", "pk").env("LANGFUSE_SECRET_KEY", "sk-lf-x"),
            64,
            says,
        );
    }
    let file = machine.site.path("secret");
    fs::write(&file, "sk-lf-another\n").unwrap();
    fails(
        &mut usual(&["--secret-key-file", file.to_str().unwrap()]),
        1,
        "the keys are refused (401): Invalid credentials. Confirm that pk-lf-0f1e2d3c:[redacted] is right: check LANGFUSE_PUBLIC_KEY",
    );
    let (code, _, stderr) =
        outcome(command(&machine, &api, &[]).args(["--json"]).env_remove("HOME").env_remove("XDG_DATA_HOME"));
    assert_eq!(code, 64, "{stderr}");
    api.project().moved = Some("https://elsewhere.example/".to_owned());
    fails(&mut usual(&[]), 1, "it redirects to https://elsewhere.example/: name that server with --host");
    api.project().moved = None;
    // Whose limit is by the day, does not wait for it.
    api.project().troubles = [Trouble::Busy(86_400)].into();
    fails(
        &mut usual(&[]),
        1,
        "the server accepts no more requests for 1440 minutes; what was taken is stored",
    );
    let all = ["import", "langfuse", "--host", &api.address];
    let mut unasked = machine.command(&all);
    unasked.env("LANGFUSE_PUBLIC_KEY", PUBLIC_KEY).env("LANGFUSE_SECRET_KEY", SECRET_KEY);
    fails(&mut unasked, 64, "say --yes to import, or --dry-run to look");
}

#[test]
fn a_server_that_asks_for_no_wait_is_not_asked_without_a_pause() {
    let (machine, mut project) = (Machine::new(), project());
    project.troubles = [Trouble::Busy(0), Trouble::Busy(0)].into();
    let api = LangfuseApi::start(project);
    let (code, _, stderr) = outcome(&mut command(&machine, &api, &[]));
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stderr.matches("asking again in").count(), 2, "{stderr}");
    assert!(!stderr.contains("asking again in 0 ms"), "{stderr}");
    is_whole(&machine);
}
