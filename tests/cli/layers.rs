//! Configuration from several places: files in their order, `--set`, variables; and everything that is wrong
//! with it at once.

use std::path::Path;

use skillspan::config::{Given, ProcessorSettings, Settings, Source, load_all};

use crate::support::{Site, outcome, skillspan};

/// Files in a folder, and what they come to.
struct Files(tempfile::TempDir);

struct Home;

impl Source for Home {
    fn env(&self, name: &str) -> Option<String> {
        match name {
            "HOME" => Some("/home/someone".to_owned()),
            "PORT" => Some("7317".to_owned()),
            "PIECE" => Some("service: { memory_limit: 2GiB }".to_owned()),
            _ => None,
        }
    }

    fn file(&self, _: &str) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

impl Files {
    fn new(texts: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (index, text) in texts.iter().enumerate() {
            std::fs::write(folder.path().join(format!("{index}.yaml")), text).unwrap();
        }
        Self(folder)
    }

    fn given(&self, count: usize, sets: &[&str]) -> Given {
        let configs = (0..count).map(|index| self.0.path().join(format!("{index}.yaml"))).collect();
        Given { configs, sets: sets.iter().map(|&set| set.to_owned()).collect() }
    }
}

fn settings(texts: &[&str], sets: &[&str]) -> Settings {
    let files = Files::new(texts);
    load_all(&files.given(texts.len(), sets), &Home).unwrap()
}

/// What is wrong, a line each, without the folder's name.
fn faults(texts: &[&str], sets: &[&str]) -> Vec<String> {
    let files = Files::new(texts);
    let error = load_all(&files.given(texts.len(), sets), &Home).unwrap_err().to_string();
    let folder = format!("{}/", files.0.path().display());
    error.lines().map(|line| line.replace(&folder, "")).collect()
}

fn endpoints(settings: &Settings) -> Vec<String> {
    let listeners = settings.receivers.iter().flat_map(|receiver| &receiver.listeners);
    listeners.map(|listener| format!("{} {}", listener.protocol, listener.address)).collect()
}

#[test]
fn later_files_change_earlier_ones_key_by_key() {
    let base = "receivers: { otlp: { protocols: { grpc: { endpoint: 127.0.0.1:5317 }, http: { endpoint: 127.0.0.1:5318 } } } }
exporters: { parquet: { flush: { rows: 7, age: 2s } } }
service: { memory_limit: 1GiB }
";
    let more = "exporters: { parquet: { flush: { age: 3s } } }\nreceivers: { otlp: { protocols: { http: { endpoint: 127.0.0.1:6318 } } } }\nprocessors:\n";
    let found = settings(&[base, more], &[]);
    let parquet = &found.sessions[0].parquet;
    assert_eq!((parquet.rows, parquet.age.as_secs(), parquet.on_session_end), (7, 3, true));
    assert_eq!(found.memory_limit, 1 << 30);
    assert_eq!(endpoints(&found), ["grpc 127.0.0.1:5317", "http 127.0.0.1:6318"]);
    let turned = settings(&[more, base], &[]);
    assert_eq!(turned.sessions[0].parquet.age.as_secs(), 2, "the order decides");
    assert_eq!(settings(&[base, ""], &[]).memory_limit, 1 << 30, "an empty file changes nothing");
}

#[test]
fn a_single_key_is_set_over_all_files_and_over_what_is_built_in() {
    let set = "receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${env:PORT}";
    let found = settings(&[], &[set, "service::memory_limit=${env:NONE:-3GiB}"]);
    assert_eq!(endpoints(&found), ["grpc 127.0.0.1:7317", "http 127.0.0.1:4318"]);
    assert_eq!(found.memory_limit, 3 << 30);
    let file = "service: { memory_limit: 1GiB }";
    assert_eq!(settings(&[file], &["service.memory_limit=2GiB"]).memory_limit, 2 << 30);
    let sets = ["service.memory_limit=2GiB", "service.memory_limit=4GiB"];
    assert_eq!(settings(&[], &sets).memory_limit, 4 << 30, "the last one wins");
    let found = settings(&[], &["service.pipelines.sessions.processors=[redact, limits]"]);
    assert_eq!(found.sessions[0].processors.len(), 2);
    assert_eq!(found.skills.len(), 1, "the other pipelines stay");
}

#[test]
fn a_text_may_stand_in_a_variable_or_on_the_command_line() {
    let load = |config: &str| {
        let given = Given { configs: vec![config.into()], sets: Vec::new() };
        load_all(&given, &Home)
    };
    assert_eq!(load("env:PIECE").unwrap().memory_limit, 2 << 30);
    assert_eq!(load("yaml:service: { memory_limit: 4GiB }").unwrap().memory_limit, 4 << 30);
    assert_eq!(load("yaml:service::memory_limit: 4GiB").unwrap().memory_limit, 4 << 30);
    let unset = load("env:NOWHERE").unwrap_err().to_string();
    assert!(unset.contains("NOWHERE is not set"), "{unset}");
}

#[test]
fn a_pipeline_that_leaves_something_out_keeps_what_is_built_in() {
    let found = settings(&["service: { pipelines: { sessions: { exporters: [parquet] } } }"], &[]);
    assert_eq!(found.receivers.len(), 3);
    let redacts = |processor: &ProcessorSettings| matches!(processor, ProcessorSettings::Redact { .. });
    assert!(found.sessions[0].processors.iter().any(redacts));
    assert!(found.skills.is_empty(), "pipelines that are written are all there are");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "recievers:
  otlp: { protocols: { grpc: { endpiont: 127.0.0.1:1 } } }
processors:
  worksapce: { default: x }
  redact: { emails: perhaps }
exporters:
  parquet: { flush: { rows: many, age: 30 }, table: lake }
service:
  memory_limit: 5
  pipelines:
    sessions: { receivers: [otlp, otpl], processors: [redact, wrokspace], exporters: [parquet] }
  memory_limit: 6
";
    let found = faults(&[text], &[]);
    let places: Vec<&str> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        [
            "0.yaml:1:1",
            "0.yaml:2:32",
            "0.yaml:4:3",
            "0.yaml:5:21",
            "0.yaml:7:29",
            "0.yaml:7:40",
            "0.yaml:7:53",
            "0.yaml:9:17",
            "0.yaml:11:35",
            "0.yaml:11:63",
            "0.yaml:12:3",
        ],
        "{found:#?}"
    );
    for name in ["`receivers`", "`endpoint`", "`workspace`", "`otlp`"] {
        let meant = format!("did you mean {name}?");
        assert!(found.iter().any(|line| line.contains(&meant)), "{meant}: {found:#?}");
    }
}

#[test]
fn what_is_wrong_only_because_something_else_is_is_not_told() {
    for (text, only) in [
        (
            "extensions: { auth: 5 }\nreceivers: { otlp: { protocols: { http: { endpoint: 0.0.0.0:1 } } } }\n",
            "0.yaml:1:21: extensions.auth",
        ),
        (
            "exporters: { git: { branch: main } }\nservice: { pipelines: { skills: { receivers: [skillify], exporters: [git] } } }\n",
            "0.yaml:1:19: exporters.git",
        ),
        (
            "extensions: { auth: { tokens: [{ id: a, secret: \"${env:NOWHERE}\", tenant: t }] } }\n",
            "0.yaml:1:49: extensions.auth.tokens.0.secret",
        ),
        ("receivers: { otlp: 5 }\n", "0.yaml:1:20: receivers.otlp"),
        ("service: { pipelines: { sessions: { receivers: [x], exporters: [parquet] } } }\n", "0.yaml:1:49"),
    ] {
        let found = faults(&[text], &[]);
        assert_eq!(found.len(), 1, "{text}: {found:#?}");
        assert!(found[0].starts_with(only), "{text}: {found:#?}");
    }
}

#[test]
fn a_fault_names_the_file_that_it_stands_in_or_the_key_that_was_set() {
    let found = faults(
        &["service: { memory_limit: 1 }\n", "exporters: { parquet: { compression: lz4 } }\n"],
        &["exporters.parquet.flush.age=soon", "a.b", "extensions.auth.tokens=hunter2"],
    );
    assert_eq!(found.len(), 1, "what cannot be read at all is told first: {found:#?}");
    assert!(found[0].starts_with("--set a.b: expected KEY=VALUE"), "{found:#?}");
    let found = faults(
        &["service: { memory_limit: 1 }\n", "exporters: { parquet: { compression: lz4 } }\n"],
        &["exporters.parquet.flush.age=soon", "extensions.auth.tokens=hunter2"],
    );
    let places: Vec<&str> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        ["0.yaml:1:26", "1.yaml:1:38", "--set exporters.parquet.flush.age", "--set extensions.auth.tokens"],
        "{found:#?}"
    );
    assert!(found.iter().all(|line| !line.contains("hunter2")), "{found:#?}");
}

#[test]
fn files_that_cannot_be_read_as_yaml_are_all_told() {
    let found = faults(&["a:\n\tb: 1\n", "x: [1\n", "service: {}\n"], &[]);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("a tab stands here") && found[1].starts_with("1.yaml:1:4"), "{found:#?}");
}

#[test]
fn a_reason_of_the_system_is_given_once() {
    for command in [vec!["validate"], vec!["run"], vec!["sessions", "list"], vec!["status"]] {
        let (code, _, said) =
            outcome(skillspan().env("HOME", "/home/x").args(&command).args(["--config", "/nowhere.yaml"]));
        assert_eq!(code, 64, "{command:?}");
        assert_eq!(said.matches("os error 2").count(), 1, "{command:?}: {said}");
        assert!(said.contains("/nowhere.yaml") && said.lines().count() == 1, "{command:?}: {said}");
    }
}

#[test]
fn the_command_line_takes_several_files_and_keys() {
    let site = Site::new("shop");
    let more = site.path("more.yaml");
    std::fs::write(&more, "processors: { workspace: { default: other } }\n").unwrap();
    let run = |arguments: &[&dyn AsRef<Path>]| {
        let mut command = skillspan();
        command.arg("validate");
        for argument in arguments {
            command.arg(argument.as_ref());
        }
        outcome(&mut command)
    };
    let (code, said, errors) =
        run(&[&"--config", &site.config(), &"--config", &more, &"--set", &"service.memory_limit=1GiB"]);
    assert_eq!(code, 0, "{errors}");
    assert!(said.contains(" and --set are valid\n"), "{said}");
    let (code, _, errors) = run(&[&"--config", &site.config(), &"--set", &"service.memroy_limit=1GiB"]);
    assert_eq!(code, 64);
    assert!(errors.starts_with("error: --set service.memroy_limit: "), "{errors}");
    assert!(errors.contains("did you mean `memory_limit`?"), "{errors}");
}

/// The blocks of YAML on a page.
fn yaml_blocks(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```yaml\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn what_the_pages_show_is_valid() {
    let mut count = 0;
    for page in ["docs/reference/configuration.md", "README.md"] {
        for block in yaml_blocks(page) {
            count += 1;
            let found = skillspan::config::parse(&block, skillspan::config::Origin::Text("page"), &Home);
            let found = found.unwrap_or_else(|error| panic!("{page}: {error}\n{block}"));
            assert!(!found.sessions.is_empty() && !found.skills.is_empty(), "{page}: {block}");
        }
    }
    assert!(count >= 4, "only {count} blocks were found");
}

/// What a name is put right to may be wrong as well, and below it something may have been taken out already.
#[test]
fn a_key_that_stays_wrong_is_told_and_ends_reading() {
    for text in [
        "exporters/:\n  git: { url: \"${eace:x}\" }\n",
        "receivers/: { otlp: { protocols: { http: { endpoint: \"${env:NO_SUCH_NAME}\" } } } }\n",
        "service/: { pipelines: \"${eace:x}\" }\n",
    ] {
        let error =
            skillspan::config::parse(text, skillspan::config::Origin::Text("text"), &Home).unwrap_err();
        assert!(!error.to_string().is_empty(), "{text}");
    }
}
