//! Errors with their place, before anything is bound; the example file; warnings.

use std::net::TcpListener;
use std::path::Path;

use skillspan::config::{self, Origin, ProcessSource};

use crate::support::{Site, outcome, skillspan};

/// (exit code, standard output, standard error) of `validate` on a text.
pub(crate) fn validate(text: &str) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.yaml");
    std::fs::write(&file, text).unwrap();
    let (code, stdout, stderr) = outcome(skillspan().arg("validate").arg("--config").arg(&file));
    let short = |text: String| text.replace(&file.display().to_string(), "c.yaml");
    (code, short(stdout), short(stderr))
}

#[test]
fn an_error_names_file_line_column_path_and_what_to_do() {
    for (text, expected) in [
        (
            "recievers: {}\n",
            "c.yaml:1:1: recievers: unknown key; did you mean `receivers`? Known here: extensions, receivers, processors, exporters, connectors, service",
        ),
        (
            "receivers:\n  otlp:\n    protocols:\n      grpc: { endpoint: 4317 }\n",
            "c.yaml:4:25: receivers.otlp.protocols.grpc.endpoint: expected an address and a port, such as 127.0.0.1:4317, found `4317`",
        ),
        (
            "exporters:\n  parquet:\n    flush:\n      rows: many\n",
            "c.yaml:4:13: exporters.parquet.flush.rows: expected a whole number that is not negative, found `many`",
        ),
        (
            "exporters:\n  parquet: { flush: { age: 30 } }\n",
            "c.yaml:2:28: exporters.parquet.flush.age: expected a duration with its unit, such as 30s or 1h30m, found `30`",
        ),
        (
            "service:\n  journal: [a]\n",
            "c.yaml:2:12: service.journal: expected keys with values, found a list",
        ),
        (
            "service: { journal: { durability: maybe } }\n",
            "c.yaml:1:35: service.journal.durability: expected one of fsync, os, found `maybe`",
        ),
        (
            "receivers:\n  otlp: { protocols: { http: { cors: { allowed_origins: [example.com] } } } }\n",
            "c.yaml:2:57: receivers.otlp.protocols.http.cors.allowed_origins: expected an origin such as https://app.example.com, found `example.com`",
        ),
        (
            "connectors:\n  skillify:\n    publish: { allow: [read, guess] }\n",
            "c.yaml:3:23: connectors.skillify.publish.allow: no class `guess`; the classes are read, build, test, format, generate, tree, services, tasks, fetch, fetched-code, publish, send, administer, unknown",
        ),
        (
            "connectors:\n  skillify: { window: { events: 0 } }\n",
            "c.yaml:2:33: connectors.skillify.window.events: expected at least 1",
        ),
        (
            "connectors:\n  skillify: { publish: { verified: true } }\n",
            "c.yaml:2:36: connectors.skillify.publish.verified: no credential names a person, so nobody would count: give `user` to the tokens of extensions.auth",
        ),
        (
            "receivers:\n  jaeger: {}\n",
            "c.yaml:2:3: receivers.jaeger: no such type among the receivers; known are: otlp, langfuse, hooks, transcripts",
        ),
        (
            "service:\n  pipelines:\n    sessions: { receivers: [otlp/eu], exporters: [parquet] }\n",
            "c.yaml:3:29: service.pipelines.sessions.receivers.0: there is no `otlp/eu` among the receivers; known are: hooks, langfuse, otlp",
        ),
        (
            "receivers:\n  langfuse: { endpoint: otlp/eu }\n",
            "c.yaml:2:25: receivers.langfuse.endpoint: `otlp/eu` is no OTLP receiver of the same pipeline; name one, such as otlp",
        ),
        (
            "service:\n  pipelines:\n    sessions: { receivers: [langfuse], exporters: [parquet] }\n",
            "c.yaml:1:1: receivers.langfuse.endpoint: `otlp` is no OTLP receiver of the same pipeline; name one, such as otlp",
        ),
        (
            "exporters:\n  parquet: { table: lake }\n",
            "c.yaml:2:21: exporters.parquet.table: there is no extension `lake`; known are: sessions_table",
        ),
        (
            "extensions:\n  sessions_tabel: { path: /x }\n",
            "c.yaml:2:3: extensions.sessions_tabel: unknown key; did you mean `sessions_table`? Known here: health, console, sessions_table, auth",
        ),
        (
            "extensions:\n  sessions_table/eu: {}\nexporters:\n  parquet: { table: sessions_table/eu }\n",
            "c.yaml:2:22: extensions.sessions_table/eu: say where this table is: path",
        ),
        (
            "service:\n  pipelines:\n    sessions/../x: { receivers: [otlp], exporters: [parquet] }\n",
            "c.yaml:3:20: service.pipelines.sessions/../x: the name becomes a folder of the journal: letters and digits, then also `-`, `_` and `.`",
        ),
        (
            "service:\n  pipelines:\n    sessions: { receivers: [otlp, otlp], exporters: [parquet] }\n",
            "c.yaml:3:28: service.pipelines.sessions.receivers: otlp stands here twice",
        ),
        (
            "processors:\n  workspace: { default: x }\n  workspace: { default: y }\n",
            "c.yaml:3:3: the key \"workspace\" is written twice, first at 2:3",
        ),
        (
            "receivers: { otlp: { protocols: { http: { endpoint: 0.0.0.0:4318 } } } }\n",
            "c.yaml:1:53: receivers.otlp.protocols.http.endpoint: anyone who reaches this address could write sessions: listen on 127.0.0.1, write extensions.auth, or say `insecure: true` in the receiver",
        ),
        (
            "extensions:\n  sessions_table: { path: \"${env:NOWHERE}\" }\n",
            "c.yaml:2:27: extensions.sessions_table.path: the environment variable NOWHERE is not set; set it or write `${env:NOWHERE:-default}`",
        ),
        (
            "service: { journal: { max_size: 64MiB, segment: 64MiB } }\n",
            "c.yaml:1:21: service.journal: max_size has room for less than two segments; raise max_size or lower segment",
        ),
        ("service: { pipelines: {} }\n", "c.yaml:1:23: service.pipelines: no pipeline is written here"),
        ("a: [1\n", "c.yaml:1:4: not YAML: "),
        ("service:\n\tmemory_limit: 1GiB\n", "c.yaml:2:1: not YAML: a tab stands here; indent with blanks"),
        (
            "processors:\n  worksapce: { default: x }\n",
            "c.yaml:2:3: processors.worksapce: no such type among the processors; did you mean `workspace`? Known are: mappings, ",
        ),
        (
            "service: { journal: { durability: fsnyc } }\n",
            "c.yaml:1:35: service.journal.durability: expected one of fsync, os, found `fsnyc`; did you mean `fsync`?",
        ),
        (
            "service:\n  pipelines:\n    sessions: { receivers: [otpl], exporters: [parquet] }\n",
            "c.yaml:3:29: service.pipelines.sessions.receivers.0: there is no `otpl` among the receivers; did you mean `otlp`? Known are: hooks, langfuse, otlp",
        ),
    ] {
        let (code, stdout, stderr) = validate(text);
        assert_eq!((code, stdout.as_str()), (64, ""), "{text}");
        assert!(stderr.starts_with(&format!("error: {expected}")), "{text}gave {stderr}");
        assert_eq!(stderr.lines().count(), 1, "one line: {stderr}");
    }
}

#[test]
fn a_model_has_an_address_a_key_and_a_leash() {
    let proposer = |text: &str| validate(&format!("connectors: {{ skillify: {{ proposer: {text} }} }}\n"));
    let local = "endpoint: http://127.0.0.1:11434/v1, model: small";
    for good in [
        "offline".to_owned(),
        "{ anthropic: { api_key: sk-1 } }".to_owned(),
        "{ anthropic: { api_key: sk-1, budget: { calls: [50/run, 1k/day], tokens: 2M/day, cost: 1.50/day } } }"
            .to_owned(),
        format!("{{ openai: {{ {local} }} }}"),
        format!("{{ openai: {{ {local}, uses: [wording, same_skill], concurrency: 1, timeout: 5m }} }}"),
        format!("{{ openai: {{ {local}, price: {{ input: 0.15, output: 0.60 }}, budget: {{ cost: 1.00/run }} }} }}"),
    ] {
        let (code, _, stderr) = proposer(&good);
        assert_eq!(code, 0, "{good} gave {stderr}");
    }
    for (bad, place, message) in [
        ("{ anthropic: {} }", "proposer.anthropic", "name the key"),
        ("{ openai: { model: m } }", "proposer.openai", "name the server's base URL here: endpoint"),
        ("{ openai: { endpoint: http://x/v1 } }", "proposer.openai", "name the model here: model"),
        ("{ openai: { endpoint: x, model: m } }", "proposer.openai.endpoint", "expected a URL"),
        (
            "{ openai: { endpoint: ftp://x, model: m } }",
            "proposer.openai.endpoint",
            "expected an http or https",
        ),
        (
            "{ openai: { endpoint: http://u:p@x, model: m } }",
            "proposer.openai.endpoint",
            "api_key, not in the URL",
        ),
        ("{ anthropic: { api_key: \"a b\" } }", "proposer.anthropic.api_key", "the key is empty, or"),
        ("{ anthropic: { api_key: sk, budget: { calls: 50 } } }", "anthropic.budget.calls", "such as 50/run"),
        (
            "{ anthropic: { api_key: sk, budget: { calls: [5/run, 6/run] } } }",
            "budget.calls",
            "a list of both",
        ),
        ("{ anthropic: { api_key: sk, budget: { cost: $1/day } } }", "budget.cost", "such as 1.50/day"),
        (
            "{ anthropic: { api_key: sk, model: m, budget: { cost: 1/day } } }",
            "proposer.anthropic",
            "write price",
        ),
        ("{ anthropic: { api_key: sk, concurrency: 0 } }", "concurrency", "1 to 64"),
        ("{ anthropic: { api_key: sk, uses: [] } }", "uses", "nothing would be asked"),
        ("{ anthropic: { api_key: sk, uses: [poetry] } }", "uses.0", "expected one of wording, same_skill"),
        ("{ anthropic: { api_key: sk, temperature: 1 } }", "anthropic.temperature", "unknown key"),
        ("{ anthropic: { api_key: sk }, openai: {} }", "proposer", "there is one proposer"),
        ("haiku", "proposer", "expected offline"),
        ("{ anthropic: { api_key: \"${env:NO_KEY}\" } }", "proposer.anthropic.api_key", "NO_KEY is not set"),
    ] {
        let (code, _, stderr) = proposer(bad);
        assert_eq!(code, 64, "{bad}");
        assert!(stderr.starts_with("error: c.yaml:1:") && stderr.contains(place), "{bad} gave {stderr}");
        assert!(stderr.contains(message) && !stderr.contains("sk-"), "{bad} gave {stderr}");
    }
    let (code, stdout, _) =
        proposer("{ openai: { endpoint: http://models.example.com/v1, model: m, api_key: sk-1 } }");
    assert_eq!(code, 0);
    assert!(stdout.contains("clear text") && !stdout.contains("sk-1"), "{stdout}");
}

#[test]
fn vectors_of_words_come_from_a_file_or_a_server() {
    let embeddings =
        |text: &str| validate(&format!("connectors: {{ skillify: {{ embeddings: {text} }} }}\n"));
    for good in [
        "{ file: ./vectors.txt }",
        "{ file: ~/vectors.vec }",
        "{ endpoint: http://127.0.0.1:11434/v1, model: nomic-embed-text }",
        "{ endpoint: https://x.example.com/v1/embeddings, model: m, api_key: sk-1, timeout: 5s }",
    ] {
        let (code, stdout, stderr) = embeddings(good);
        assert_eq!(code, 0, "{good} gave {stderr}");
        assert!(!stdout.contains("warning"), "{good} gave {stdout}");
    }
    for (bad, place, message) in [
        ("{}", "skillify.embeddings", "file, or endpoint and model"),
        ("{ model: m }", "skillify.embeddings", "file, or endpoint and model"),
        ("{ file: x, endpoint: http://x/v1 }", "skillify.embeddings", "write one"),
        ("{ file: x, model: m }", "embeddings.model", "it goes with endpoint"),
        ("{ file: x, api_key: sk-1 }", "embeddings.api_key", "it goes with endpoint"),
        ("{ file: x, timeout: 5s }", "embeddings.timeout", "it goes with endpoint"),
        ("{ file: \"\" }", "embeddings.file", "the path is empty"),
        ("{ file: s3://b/x }", "embeddings.file", "s3:// is not supported"),
        ("{ endpoint: http://x/v1 }", "skillify.embeddings", "name the model here: model"),
        ("{ endpoint: http://x/v1, model: \"\" }", "embeddings.model", "no name of a model"),
        ("{ endpoint: x, model: m }", "embeddings.endpoint", "expected a URL"),
        ("{ endpoint: http://u:p@x, model: m }", "embeddings.endpoint", "api_key, not in the URL"),
        (
            "{ endpoint: http://x/v1, model: m, api_key: \"a b\" }",
            "embeddings.api_key",
            "the key is empty, or",
        ),
        ("{ endpoint: http://x/v1, model: m, batch: 3 }", "embeddings.batch", "unknown key"),
        ("vectors.txt", "skillify.embeddings", "expected"),
    ] {
        let (code, _, stderr) = embeddings(bad);
        assert_eq!(code, 64, "{bad}");
        assert!(stderr.starts_with("error: c.yaml:1:") && stderr.contains(place), "{bad} gave {stderr}");
        assert!(stderr.contains(message) && !stderr.contains("sk-1"), "{bad} gave {stderr}");
    }
    let (code, stdout, _) = embeddings("{ endpoint: http://models.example.com/v1, model: m, api_key: sk-1 }");
    assert_eq!(code, 0);
    assert!(stdout.contains("clear text") && !stdout.contains("sk-1"), "{stdout}");
}

#[test]
fn a_table_is_in_a_folder_or_a_bucket_and_kept_for_whole_days() {
    let table = |fields: &str| validate(&format!("extensions: {{ sessions_table: {{ {fields} }} }}\n"));
    for fields in ["path: s3://bucket/x", "path: gs://b", "path: az://c/x, retention: 180d", "retention: 1d"]
    {
        assert_eq!(table(fields).0, 0, "{fields}");
    }
    for (fields, message) in [
        ("path: ftp://x/y", "a table cannot be at ftp://; known are s3://, gs://, az:// and folders"),
        ("path: s3:///x", "s3:///x names no bucket"),
        ("retention: 30m", "sessions are kept by the day of their ingestion: at least 1d"),
        ("retention: soon", "expected a duration with its unit"),
    ] {
        let (code, _, stderr) = table(fields);
        assert_eq!(code, 64, "{fields}");
        assert!(stderr.contains(message), "{fields} gave {stderr}");
    }
}

#[test]
fn the_empty_file_and_the_built_in_configuration_are_valid() {
    let (code, said, errors) = validate("");
    assert_eq!((code, errors.as_str()), (0, ""));
    let expected = "c.yaml is valid
Pipelines (built in; `service.pipelines` changes them):
  sessions: otlp, langfuse, hooks → redact, workspace, limits → parquet
  skills: skillify → filesystem
";
    assert_eq!(said, expected);
    let (code, built_in, _) = outcome(skillspan().arg("print-config"));
    assert_eq!(code, 0);
    let written = expected.replace(" (built in; `service.pipelines` changes them)", "");
    assert_eq!(validate(&built_in), (0, written, String::new()));
}

#[test]
fn what_is_probably_not_meant_is_a_warning() {
    let text = "receivers: { otlp/eu: {} }\nservice: { pipelines: { sessions: { receivers: [otlp], exporters: [parquet] } } }\n";
    let (code, stdout, _) = validate(text);
    assert_eq!(code, 0);
    assert!(stdout.contains("warning: receivers.otlp/eu: no pipeline uses it\n"), "{stdout}");
    assert!(stdout.contains("without `redact`, credentials in sessions are stored as they are"), "{stdout}");
    let (code, stdout, _) = validate("receivers: { otlp: {} }\nservice: { pipelines: { skills: {} } }\n");
    assert_eq!(code, 0);
    assert!(stdout.contains("warning: receivers.otlp: no pipeline uses it; `sessions: {}` in"), "{stdout}");
    let (code, stdout, _) = validate("connectors: { skillify: { publish: { sessions: 1 } } }\n");
    assert_eq!(code, 0);
    assert!(
        stdout.contains("connectors.skillify.publish.sessions: what is counted needs three sessions"),
        "{stdout}"
    );
}

#[test]
fn one_person_is_enough_only_without_credentials_and_on_loopback() {
    let token =
        "extensions: { auth: { tokens: [{ id: a, secret: a-token-of-enough-length, tenant: acme }] } }\n";
    let open =
        "receivers: { otlp: { insecure: true, protocols: { http: { endpoint: \"0.0.0.0:4318\" } } } }\n";
    for (text, alone) in [("", true), (token, false), (open, false)] {
        let settings = config::parse(text, Origin::Text("test"), &ProcessSource).unwrap();
        assert_eq!(settings.skills.first().unwrap().mining.publish.alone, alone, "{text}");
    }
}

#[test]
fn workspaces_are_mined_as_far_back_as_the_configuration_says() {
    for (text, window) in [
        ("", (None, None)),
        ("connectors: { skillify: { window: { events: 2000000 } } }\n", (Some(2_000_000), None)),
        ("connectors: { skillify: { window: { age: 90d } } }\n", (None, Some(90 * 86_400))),
    ] {
        let settings = config::parse(text, Origin::Text("test"), &ProcessSource).unwrap();
        let found = settings.skills.first().unwrap().window;
        assert_eq!((found.events, found.age.map(|age| age.as_secs())), window, "{text}");
    }
}

#[test]
fn the_example_is_valid_and_says_the_defaults() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.yaml");
    let (code, stdout, stderr) = outcome(skillspan().arg("validate").arg("--config").arg(&example));
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(!stdout.contains("warning"), "{stdout}");
    let settings = |text: &str| {
        let parsed = skillspan::config::parse(text, skillspan::config::Origin::BuiltIn, &Home).unwrap();
        // Whether a file writes the pipelines differs, and nothing else.
        format!("{:#?}", skillspan::config::Settings { outlines: Vec::new(), ..parsed })
    };
    assert_eq!(settings(&std::fs::read_to_string(&example).unwrap()), settings(""));
}

#[test]
fn the_example_runs() {
    let site = Site::new("default");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.yaml");
    let example = std::fs::read_to_string(example).unwrap();
    let root = site.folder.path().display().to_string();
    let on_free_ports = example
        .replace("127.0.0.1:13133", &format!("127.0.0.1:{}", site.health))
        .replace("127.0.0.1:4317", &format!("127.0.0.1:{}", site.grpc))
        .replace("127.0.0.1:4318", &format!("127.0.0.1:{}", site.http))
        .replace("${env:XDG_DATA_HOME:-~/.local/share}", &root);
    assert_eq!(on_free_ports.matches(&root).count(), 4);
    std::fs::write(site.config(), on_free_ports).unwrap();
    let running = site.start();
    assert_eq!(site.post("/v1/traces", "application/json", b"{}".to_vec()), 200);
    assert_eq!(running.terminate(), Some(0));
}

struct Home;

impl skillspan::config::Source for Home {
    fn env(&self, name: &str) -> Option<String> {
        (name == "HOME").then(|| "/home/someone".to_owned())
    }

    fn file(&self, _: &str) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

#[test]
fn usage_and_missing_files_are_64() {
    assert_eq!(outcome(skillspan().arg("rnu")).0, 64);
    assert_eq!(outcome(skillspan().args(["validate", "--config", "/nowhere.yaml"])).0, 64);
    assert_eq!(outcome(skillspan().arg("--help")).0, 0);
    assert_eq!(outcome(skillspan().arg("--version")).0, 0);
}

#[test]
fn without_a_home_it_asks_for_one() {
    let (code, _, stderr) = outcome(skillspan().env_remove("HOME").arg("validate"));
    assert_eq!(code, 64);
    assert!(stderr.contains("neither XDG_DATA_HOME nor HOME is set"), "{stderr}");
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_left_half_started() {
    let site = Site::new("default");
    let taken = TcpListener::bind(("127.0.0.1", site.http)).unwrap();
    let (code, _, stderr) = outcome(skillspan().arg("run").arg("--config").arg(site.config()));
    assert_eq!(code, 1);
    let expected = format!(
        "error: receivers.otlp.protocols.http.endpoint: cannot listen on 127.0.0.1:{}: Address already in use",
        site.http
    );
    assert!(stderr.starts_with(&expected), "{stderr}");
    assert!(
        stderr.contains("`--set receivers.otlp.protocols.http.endpoint=HOST:PORT` takes another"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(!site.path("journal").exists() && !site.path("sessions").exists(), "nothing was created");
    drop(taken);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    for (name, place) in
        [("sessions", "extensions.sessions_table"), ("skills", "exporters"), ("journal", "service.journal")]
    {
        let site = Site::new("default");
        // A file where the folder should be: nobody, not even root, can write below it.
        std::fs::write(site.path(name), "").unwrap();
        let (code, _, stderr) = outcome(skillspan().arg("run").arg("--config").arg(site.config()));
        assert_eq!(code, 1, "{name}");
        assert!(stderr.starts_with(&format!("error: {place}: ")), "{name}: {stderr}");
        assert!(stderr.contains(&site.path(name).display().to_string()), "{name}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn two_processes_cannot_share_a_journal() {
    let site = Site::new("default");
    let _running = site.start();
    let other = Site::new("default");
    let config = std::fs::read_to_string(other.config()).unwrap();
    let shared = config.replace(
        &format!("{}/journal", other.folder.path().display()),
        &format!("{}/journal", site.folder.path().display()),
    );
    std::fs::write(other.config(), shared).unwrap();
    let (code, _, stderr) = outcome(skillspan().arg("run").arg("--config").arg(other.config()));
    assert_eq!(code, 1);
    assert!(stderr.contains("in use by another process"), "{stderr}");
}

/// A configuration whose skills go to such an exporter.
fn with_git(git: &str) -> String {
    format!(
        "exporters:\n  git: {git}\nservice:\n  pipelines:\n    skills: {{ receivers: [skillify], exporters: [git] }}\n"
    )
}

/// Who was slower has to be refused: a push is, and nothing else.
#[test]
fn several_workers_need_a_git_target_and_a_place_for_their_claims() {
    let with = |coordination: &str, table: &str, exporters: &str| {
        format!(
            "extensions: {{ sessions_table: {{ path: \"{table}\" }} }}
connectors: {{ skillify: {{ coordination: {coordination} }} }}
exporters: {{ git: {{ remote: \"file:///x.git\" }}, filesystem: {{ path: /srv/skills }} }}
service: {{ pipelines: {{ skills: {{ receivers: [skillify], exporters: [{exporters}] }} }} }}
"
        )
    };
    let at = "connectors.skillify.coordination: ";
    for (coordination, table, exporters, expected) in [
        ("store", "s3://b", "git, filesystem", "`store` is for several workers, and /srv/skills is a folder"),
        ("kubernetes", "s3://b", "filesystem", "export to git, which refuses whoever was slower"),
        ("store", "/srv/sessions", "git", "and /srv/sessions is a folder; use a table at s3://"),
        ("votes", "s3://b", "git", "expected file, store or kubernetes, found `votes`"),
    ] {
        let (code, _, stderr) = validate(&with(coordination, table, exporters));
        assert_eq!(code, 64, "{coordination} {exporters}: {stderr}");
        assert!(stderr.contains(at) && stderr.contains(expected), "{expected}\n{stderr}");
    }
    for (coordination, table) in
        [("store", "s3://b"), ("kubernetes", "s3://b"), ("kubernetes", "/srv/sessions")]
    {
        let (code, _, stderr) = validate(&with(coordination, table, "git"));
        assert_eq!(code, 0, "{coordination} {table}: {stderr}");
    }
}

#[test]
fn a_git_exporter_is_checked_before_anything_runs() {
    for (git, expected) in [
        ("{ branch: main }", "exporters.git: name the repository here: remote"),
        (
            "{ remote: /srv/skills.git }",
            "exporters.git.remote: expected https://, ssh://, user@host:path or file://",
        ),
        ("{ remote: \"https://git.example.com/x.git\", mode: push }", "exporters.git.mode: "),
        (
            "{ remote: \"https://git.example.com/x.git\", auth: { key_file: k } }",
            "exporters.git.auth: write a token, or key_file and known_hosts_file",
        ),
        (
            "{ remote: \"git@git.example.com:x.git\", auth: { token: t } }",
            "exporters.git.auth: auth.token needs https://, auth.key_file needs ssh",
        ),
        (
            "{ remote: \"file:///x.git\", branch: \"a b\" }",
            "exporters.git.branch: this is no name of a branch",
        ),
        (
            "{ remote: \"file:///x.git\", path: shop }",
            "exporters.git.path: only `layout: project` takes a path",
        ),
        (
            "{ remote: \"file:///x.git\", layout: project, path: ../shop }",
            "exporters.git.path: expected a folder below the repository's root",
        ),
        ("{ remote: \"file:///x.git\", author: ann }", "exporters.git.author: expected `name <mail>`"),
        ("{ remote: \"file:///x.git\", route: { scopes: [team] } }", "exporters.git.route.scopes"),
    ] {
        let (code, _, stderr) = validate(&with_git(git));
        assert_eq!(code, 64, "{git}: {stderr}");
        assert!(stderr.contains(expected), "{git}\n{stderr}");
    }
    let (code, _, stderr) =
        validate(&with_git("{ remote: \"https://git.example.com/x.git\", auth: { token: t } }"));
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn no_error_shows_a_secret_of_a_git_exporter() {
    for git in [
        "{ remote: \"https://ann:marker-77@git.example.com/x.git\" }",
        "{ remote: \"http://git.example.com/x.git\", auth: { token: marker-77 } }",
        "{ remote: \"git@git.example.com:x.git\", auth: { token: marker-77 } }",
        "{ remote: \"https://git.example.com/x.git\", auth: { token: marker-77, key_file: k } }",
        "{ remote: \"https://git.example.com/x.git\", auth: { token: marker-77, tokens: 1 } }",
    ] {
        let (code, stdout, stderr) = validate(&with_git(git));
        assert_eq!(code, 64, "{git}: {stderr}");
        assert!(!format!("{stdout}{stderr}").contains("marker-77"), "{stderr}");
    }
}

/// What the start would find out, `validate` says.
#[test]
fn files_of_certificates_are_looked_at() {
    let tls = "tls: { cert_file: /nonexistent/c.pem, key_file: /nonexistent/k.pem }";
    for (text, path) in [
        (
            format!("receivers: {{ otlp: {{ protocols: {{ http: {{ {tls} }} }} }} }}\n"),
            "receivers.otlp.protocols.http.tls: /nonexistent",
        ),
        (
            format!("receivers: {{ otlp: {{ protocols: {{ grpc: {{ {tls} }} }} }} }}\n"),
            "receivers.otlp.protocols.grpc.tls: /nonexistent",
        ),
        (format!("extensions: {{ console: {{ {tls} }} }}\n"), "extensions.console.tls: /nonexistent"),
    ] {
        let (code, said, told) = validate(&text);
        assert!(code == 1 && told.contains(path) && told.contains("cannot be read"), "{said}{told}");
    }
}

#[test]
fn a_port_is_listened_on_once() {
    let http = "receivers: { otlp: { protocols: { http: { endpoint: \"127.0.0.1:9999\" } } } }\n";
    for (text, says) in [
        (format!("{http}extensions: {{ health: {{ endpoint: \"127.0.0.1:9999\" }} }}\n"), "extensions.health.endpoint"),
        (format!("{http}extensions: {{ console: {{ endpoint: \"127.0.0.1:9999\" }} }}\n"), "extensions.console.endpoint"),
        (
            "receivers: { otlp: { protocols: { http: { endpoint: \"127.0.0.1:9999\" }, grpc: { endpoint: \"127.0.0.1:9999\" } } } }\n".to_owned(),
            "one port takes both gRPC and HTTP",
        ),
    ] {
        let (code, _, told) = validate(&text);
        assert!(code == 64 && told.contains("a port is listened on once") && told.contains(says), "{told}");
    }
}
