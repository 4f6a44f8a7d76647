//! Recorded clients in, sessions and one skill out.

use std::collections::BTreeMap;
use std::path::Path;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::support::{Port, Site, client, eventually, fixtures};

/// A recorded request body.
pub(crate) struct Body {
    signal: String,
    grpc: bool,
    json: bool,
    bytes: Vec<u8>,
}

impl Body {
    fn content_type(&self) -> &'static str {
        if self.json { "application/json" } else { "application/x-protobuf" }
    }
}

/// The bodies below a folder of captures, in the order they were recorded.
fn bodies(folder: &Path) -> Vec<Body> {
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let mut found = Vec::new();
    for path in names {
        if path.is_dir() {
            found.extend(bodies(&path));
        } else if let Some(stem) = path.to_str().unwrap().strip_suffix(".meta.json") {
            let meta: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let json = Path::new(&format!("{stem}.json")).exists();
            let body = format!("{stem}.{}", if json { "json" } else { "pb" });
            found.push(Body {
                signal: meta["signal"].as_str().unwrap().to_owned(),
                grpc: meta["transport"] == "grpc",
                json,
                bytes: std::fs::read(body).unwrap(),
            });
        }
    }
    assert!(!found.is_empty(), "no captures in {}", folder.display());
    found
}

pub(crate) fn post(site: &Site, body: &Body) {
    let status = site.post(&format!("/v1/{}", body.signal), body.content_type(), body.bytes.clone());
    assert_eq!(status, 200, "{}", body.signal);
}

/// Sends a recorded body through a gRPC client.
fn export(site: &Site, body: &Body) {
    let url = format!("http://127.0.0.1:{}", site.grpc);
    let bytes = body.bytes.as_slice();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match body.signal.as_str() {
            "logs" => {
                let request = ExportLogsServiceRequest::decode(bytes).unwrap();
                let answer = LogsServiceClient::connect(url).await.unwrap().export(request).await.unwrap();
                assert_eq!(answer.into_inner().partial_success, None);
            }
            "traces" => {
                let request = ExportTraceServiceRequest::decode(bytes).unwrap();
                let answer = TraceServiceClient::connect(url).await.unwrap().export(request).await.unwrap();
                assert_eq!(answer.into_inner().partial_success, None);
            }
            signal => {
                assert_eq!(signal, "metrics");
                let request = ExportMetricsServiceRequest::decode(bytes).unwrap();
                let answer = MetricsServiceClient::connect(url).await.unwrap().export(request).await.unwrap();
                assert_eq!(answer.into_inner().partial_success, None);
            }
        }
    });
}

pub(crate) fn claude_code() -> Vec<Body> {
    bodies(&fixtures().join("captures/claude-code"))
}

/// First prompt → what the truth says of the session.
fn truth() -> BTreeMap<String, Value> {
    let folder = fixtures().join("captures/claude-code");
    let mut sessions = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let Ok(text) = std::fs::read(entry.unwrap().path().join("expected.json")) else { continue };
        let expected: Value = serde_json::from_slice(&text).unwrap();
        sessions.insert(expected["turns"][0]["prompt"].as_str().unwrap().to_owned(), expected);
    }
    assert_eq!(sessions.len(), 8, "every session but the redacted one has its truth");
    sessions
}

pub(crate) fn facts<'s>(session: &'s Value, kind: &str) -> Vec<&'s Value> {
    session["facts"].as_array().unwrap().iter().filter(|fact| fact["kind"] == kind).collect()
}

pub(crate) fn text<'f>(fact: &'f Value, field: &str) -> &'f str {
    fact[field].as_str().unwrap_or_default()
}

/// Compares every session that has a truth: prompts, calls with inputs and status, last responses.
fn assert_sessions_are_true(site: &Site) {
    let listed = site.sessions();
    assert_eq!(listed.len(), 9, "one row a session");
    let mut truth = truth();
    for row in &listed {
        let session = site.session(row["id"].as_str().unwrap());
        let prompts: Vec<&Value> =
            facts(&session, "prompt").into_iter().filter(|fact| text(fact, "agent").is_empty()).collect();
        let first = prompts.first().map(|prompt| text(prompt, "text")).unwrap_or_default();
        let Some(expected) = truth.remove(first) else {
            assert_eq!(first, "", "only the redacted session has no truth");
            assert_eq!(row["events"]["prompt"], 1, "a redacted prompt is still a prompt");
            assert_eq!(row["events"]["tool_call"], 4);
            continue;
        };
        let turns = expected["turns"].as_array().unwrap();
        let said: Vec<&str> = prompts.iter().map(|prompt| text(prompt, "text")).collect();
        let expected_prompts: Vec<&str> = turns.iter().map(|turn| text(turn, "prompt")).collect();
        assert_eq!(said, expected_prompts);
        assert_calls_are_true(&session, turns);
        let last = |turn: &Value| text(turn, "response").to_owned();
        let responses: Vec<&str> = facts(&session, "response")
            .into_iter()
            .filter(|fact| text(fact, "agent").is_empty())
            .map(|fact| text(fact, "text"))
            .collect();
        for turn in turns {
            assert!(responses.contains(&last(turn).as_str()), "{first}: {responses:?}");
        }
        assert_eq!(responses.last().unwrap(), &last(turns.last().unwrap()), "{first}");
    }
    assert_eq!(truth.len(), 0, "sessions that were not found: {:?}", truth.keys());
}

fn assert_calls_are_true(session: &Value, turns: &[Value]) {
    let calls: Vec<&Value> =
        facts(session, "tool_call").into_iter().filter(|call| text(call, "agent").is_empty()).collect();
    let expected: Vec<&Value> = turns.iter().flat_map(|turn| turn["tools"].as_array().unwrap()).collect();
    assert_eq!(calls.len(), expected.len(), "{session:#}");
    for (call, expected) in calls.iter().zip(expected) {
        assert_eq!(text(call, "tool"), text(expected, "tool"));
        assert!(text(call, "input").contains(text(expected, "input_contains")), "{call}");
        let of_call = |kind| {
            let same = |fact: &&Value| fact["tool_call_id"] == call["tool_call_id"];
            facts(session, kind).into_iter().find(same)
        };
        match text(expected, "status") {
            "rejected" => {
                assert_eq!(text(of_call("decision").unwrap(), "decision"), "reject");
                assert_eq!(of_call("tool_result"), None, "what was refused has no result");
            }
            status => assert_eq!(text(of_call("tool_result").unwrap(), "status"), status, "{call}"),
        }
    }
}

#[test]
fn recorded_claude_code_sessions_become_true_sessions_and_one_skill() {
    let site = Site::new("shop");
    let running = site.start();
    let bodies = claude_code();
    assert_eq!(bodies.len(), 43);
    for body in &bodies {
        post(&site, body);
    }
    assert_sessions_are_true(&site);

    for body in bodies.iter().filter(|body| body.grpc) {
        export(&site, body);
    }
    assert_sessions_are_true(&site);

    site.run(&["skillify"]);
    let skills = site.skills();
    assert_eq!(skills.len(), 1, "{skills:?}: nothing is made of one-off sessions");
    assert_eq!(skills[0].file_name().unwrap(), "run-the-integration-tests");
    let skill = std::fs::read_to_string(skills[0].join("SKILL.md")).unwrap();
    assert!(skill.contains("description: \"If `make test-integration` fails, run `make db-up`. Use before running integration tests"), "{skill}");
    assert!(
        skill.contains("## Lessons\n1. If `make test-integration` fails, run `make db-up`.\n"),
        "{skill}"
    );
    assert!(skill.contains("skillspan-sessions: \"3\""), "{skill}");
    let evidence = std::fs::read_to_string(skills[0].join("references/evidence.md")).unwrap();
    assert_eq!(evidence.lines().filter(|line| line.ends_with("| claude-code | accepted |")).count(), 3);

    let before = std::fs::read(skills[0].join("SKILL.md")).unwrap();
    assert!(site.run(&["skillify"]).contains("unchanged: run-the-integration-tests"));
    assert_eq!(std::fs::read(skills[0].join("SKILL.md")).unwrap(), before, "nothing new, nothing changed");
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn two_recorded_sessions_are_too_few_for_a_skill() {
    let site = Site::new("shop");
    let _running = site.start();
    for folder in ["s01-dbup-agent-grpc", "s03-dbup-widgets-httpjson"] {
        for body in bodies(&fixtures().join("captures/claude-code").join(folder)) {
            post(&site, &body);
        }
    }
    assert_eq!(site.sessions().len(), 2);
    site.run(&["skillify"]);
    assert_eq!(site.skills(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn the_same_work_in_three_assistants_becomes_one_skill_each() {
    let site = Site::new("shop");
    let _running = site.start();
    for assistant in ["claude-code", "codex", "gemini-cli"] {
        for body in bodies(&fixtures().join("captures").join(assistant)) {
            if ["logs", "traces"].contains(&body.signal.as_str()) {
                post(&site, &body);
            }
        }
    }
    site.run(&["skillify"]);
    let read = |file: &str| {
        let read = |folder: std::path::PathBuf| std::fs::read_to_string(folder.join(file)).unwrap();
        site.skills().into_iter().map(read).collect::<Vec<_>>()
    };
    let skills = read("SKILL.md");
    assert_eq!(skills.len(), 2, "{skills:#?}");
    let section = |skill: &str, title: &str| {
        let has = |part: &str| part.strip_prefix(title).map(|lines| lines.trim().to_owned());
        skill.split("## ").find_map(has).unwrap_or_else(|| panic!("no {title} in {skill}"))
    };
    assert!(skills[0].starts_with("---\nname: release-bump-version\n"), "{}", skills[0]);
    assert_eq!(
        section(&skills[0], "Steps\n"),
        "1. Edit `src/version.py`.\n2. Edit `CHANGELOG.md`.\n3. Run `make lint`.\n4. Run `make test`.\n\
         5. Run `git commit -qam \"Release {version}\"`.\n6. Run `git tag v{version}`."
    );
    assert!(skills[1].starts_with("---\nname: run-the-integration-tests\n"), "{}", skills[1]);
    assert_eq!(
        section(&skills[1], "Lessons\n"),
        "1. Run `make db-up` before `make test-integration`.\n\
         2. If `make test-integration` fails with \"connection refused\", run `make db-up`."
    );
    for evidence in read("references/evidence.md") {
        for claim in evidence.split("## ").skip(1) {
            for assistant in ["claude-code", "codex", "gemini-cli"] {
                assert!(claim.contains(&format!("| {assistant} | accepted |")), "{assistant}: {claim}");
            }
        }
    }
}

/// The body with texts replaced wherever they stand.
fn rename(body: &Body, names: &[(&str, &str)]) -> Body {
    fn in_message<M: Message + Default + Serialize + DeserializeOwned>(
        body: &Body,
        names: &[(&str, &str)],
    ) -> Vec<u8> {
        let json = if body.json {
            String::from_utf8(body.bytes.clone()).unwrap()
        } else {
            serde_json::to_string(&M::decode(body.bytes.as_slice()).unwrap()).unwrap()
        };
        let renamed = names.iter().fold(json, |json, (from, to)| json.replace(from, to));
        if body.json {
            return renamed.into_bytes();
        }
        serde_json::from_str::<M>(&renamed).unwrap().encode_to_vec()
    }
    let bytes = match body.signal.as_str() {
        "logs" => in_message::<ExportLogsServiceRequest>(body, names),
        "traces" => in_message::<ExportTraceServiceRequest>(body, names),
        _ => in_message::<ExportMetricsServiceRequest>(body, names),
    };
    Body { signal: body.signal.clone(), bytes, ..*body }
}

#[test]
fn the_same_sessions_with_other_commands_give_the_same_skill_about_these() {
    let site = Site::new("shop");
    let _running = site.start();
    let names = [("make test-integration", "just verify-all"), ("make db-up", "podman compose start queue")];
    for body in claude_code() {
        post(&site, &rename(&body, &names));
    }
    site.run(&["skillify"]);
    let skills = site.skills();
    assert_eq!(skills.len(), 1, "{skills:?}");
    let skill = std::fs::read_to_string(skills[0].join("SKILL.md")).unwrap();
    let lesson = "## Lessons\n1. If `just verify-all` fails, run `podman compose start queue`.\n";
    assert!(skill.contains(lesson), "{skill}");
    assert!(!skill.contains("make "), "{skill}");
}

/// Compares the sessions that every framework ran.
fn assert_framework_sessions_are_true(site: &Site) {
    let truth = fixtures().join("captures/expected-framework-sessions.json");
    let truth: Value = serde_json::from_slice(&std::fs::read(truth).unwrap()).unwrap();
    let truth = truth["sessions"].as_array().unwrap();
    assert_eq!(site.sessions().len(), truth.len());
    for expected in truth {
        let session = site.session(text(expected, "id"));
        let turns = expected["turns"].as_array().unwrap();
        let texts =
            |kind| facts(&session, kind).into_iter().map(|fact| text(fact, "text")).collect::<Vec<_>>();
        let expected_texts = |field| turns.iter().map(|turn| text(turn, field)).collect::<Vec<_>>();
        assert_eq!(texts("prompt"), expected_texts("prompt"));
        assert!(expected_texts("final").iter().all(|last| texts("response").contains(last)));
        let steps: Vec<&Value> = turns.iter().flat_map(|turn| turn["steps"].as_array().unwrap()).collect();
        let calls: Vec<&str> = facts(&session, "tool_call").iter().map(|call| text(call, "tool")).collect();
        assert_eq!(calls, steps.iter().map(|step| text(step, "tool")).collect::<Vec<_>>());
        let results: Vec<bool> =
            facts(&session, "tool_result").iter().map(|result| text(result, "status") == "ok").collect();
        assert_eq!(results, steps.iter().map(|step| step["ok"] == true).collect::<Vec<_>>());
    }
}

#[test]
fn recorded_genai_sessions_become_true_sessions() {
    let site = Site::new("default");
    let _running = site.start();
    for body in bodies(&fixtures().join("captures/otel-genai-attrs")) {
        post(&site, &body);
    }
    assert_framework_sessions_are_true(&site);
}

/// What each version of Langfuse's SDKs sent, to the paths that it sent it to, into a fresh folder each:
/// they share ids. Two of them once more from the last request to the first: scores before their spans.
#[test]
fn recorded_langfuse_sessions_become_true_sessions_with_their_scores() {
    for (folder, scores, backwards) in [
        ("langfuse-py-v2", 9, false),
        ("langfuse-py-v4", 13, false),
        ("langfuse-py-v4", 13, true),
        ("langfuse-py-v5", 13, false),
        ("langfuse-py-v5-split", 13, false),
        ("langfuse-py-v5-split", 13, true),
        ("langfuse-js", 9, false),
    ] {
        let site = Site::new("default");
        let running = site.start();
        let listing = std::fs::read_dir(fixtures().join("captures").join(folder)).unwrap();
        let mut files: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        if backwards {
            files.reverse();
        }
        for file in files {
            let name = file.file_name().unwrap().to_str().unwrap();
            let (path, status) = match name.rsplit_once('-').unwrap().1.split_once('.').unwrap().0 {
                "traces" => ("/api/public/otel/v1/traces", 200),
                "ingestion" => ("/api/public/ingestion", 207),
                "scores" => ("/api/public/scores", 202),
                other => panic!("{other}"),
            };
            let json = name.ends_with(".json");
            let content_type = if json { "application/json" } else { "application/x-protobuf" };
            let answer = site.post(path, content_type, std::fs::read(&file).unwrap());
            assert_eq!(answer, status, "{}", file.display());
        }
        assert_framework_sessions_are_true(&site);
        let sessions = site.sessions();
        let of_session = |row: &Value| row["events"]["feedback"].as_u64().unwrap_or_default();
        assert_eq!(sessions.iter().map(of_session).sum::<u64>(), scores, "{folder}");
        for row in &sessions {
            assert_eq!(row["events"]["tool_result"], row["events"]["tool_call"], "{folder}: listed as shown");
        }
        assert_eq!(running.terminate(), Some(0));
    }
}

#[test]
fn a_remote_that_is_down_holds_up_nothing_but_itself() {
    let site = Site::new("shop");
    let nobodys = Port::keep();
    let dead = nobodys.address();
    let config = std::fs::read_to_string(site.config()).unwrap();
    let config = config.replace(
        "exporters:\n",
        &format!("connectors:\n  skillify: {{ every_turns: 1, min_interval: 1s }}\nexporters:\n  parquet: {{ flush: {{ age: 1s }} }}\n  git: {{ remote: \"http://{dead}/skills.git\" }}\n"),
    );
    let pipelines = "  pipelines:\n    sessions: { receivers: [otlp], processors: [redact, workspace], exporters: [parquet] }\n    skills: { receivers: [skillify], exporters: [git, filesystem] }\n";
    let data = format!("{config}{pipelines}");
    std::fs::write(site.config(), data).unwrap();
    let running = site.start();
    for body in claude_code() {
        post(&site, &body);
    }
    let metrics =
        || client().get(format!("http://127.0.0.1:{}/metrics", site.health)).send().unwrap().text().unwrap();
    eventually("the folder has its skill", || site.path("skills/README.md").exists());
    eventually("the failure is counted", || metrics().contains("kind=\"unreachable\""));
    assert!(metrics().lines().any(|line| line == "skillspan_targets_failing 1"), "{}", metrics());
    assert!(site.log().contains("cannot reach"), "{}", site.log());
    let report: Value = serde_json::from_str(&site.run(&["status", "--json"])).unwrap();
    let target = |name: &str| {
        let targets = report["targets"].as_array().unwrap();
        targets.iter().find(|target| text(target, "target").contains(name)).cloned().unwrap()
    };
    assert_eq!(text(&target("skills.git"), "failing"), "unreachable");
    assert!(target("skills.git")["retry_at"].is_string(), "{report}");
    assert!(target(&site.path("skills").display().to_string())["published_at"].is_string(), "{report}");
    let problem = &report["problems"][0];
    assert!(text(problem, "what").contains(&format!("cannot reach http://{dead}/skills.git")), "{report}");
    assert!(text(problem, "todo").contains("see whether the remote is up"), "{report}");
    let said = site.run(&["status"]);
    assert!(said.contains("skills.git (main): failing (unreachable)"), "{said}");
    for body in claude_code() {
        post(&site, &body);
    }
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_request_of_more_than_four_mebibytes_is_read_whole_over_grpc_and_http() {
    let recorded = fixtures().join("captures/openinference-langgraph/001-traces.pb");
    let mut request = ExportTraceServiceRequest::decode(std::fs::read(recorded).unwrap().as_slice()).unwrap();
    let again = request.resource_spans.clone();
    request.resource_spans.extend(again);
    let bytes = request.encode_to_vec();
    assert!(bytes.len() > 4 << 20, "{} bytes", bytes.len());
    let site = Site::new("default");
    let running = site.start();
    export(&site, &Body { signal: "traces".to_owned(), grpc: true, json: false, bytes: bytes.clone() });
    post(&site, &Body { signal: "traces".to_owned(), grpc: false, json: false, bytes });
    assert_eq!(running.terminate(), Some(0));
    let sessions = site.sessions();
    let count =
        |kind: &str| sessions.iter().filter_map(|session| session["events"][kind].as_u64()).sum::<u64>();
    assert_eq!((sessions.len(), count("prompt"), count("tool_call"), count("response")), (3, 9, 26, 9));
}
