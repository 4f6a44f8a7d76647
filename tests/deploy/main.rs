//! What `deploy/` holds is what this binary understands.
//!
//! The chart's and the kustomize base's own form is checked by `deploy/check`, which needs helm and
//! kubectl; here, every configuration in them is resolved as `skillspan validate` does, and the views of
//! `sql/` have every column of the table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use skillspan::config::{Origin, Settings, Source, parse};
use skillspan::coordination::Coordination;
use skillspan::exporters::target::TargetKind;
use skillspan::table::Location;

struct Container;

impl Source for Container {
    fn env(&self, name: &str) -> Option<String> {
        match name {
            "XDG_DATA_HOME" => Some("/var/lib".to_owned()),
            "SKILLSPAN_REDACTION_KEY" => Some("0123456789abcdef0123456789abcdef".to_owned()),
            _ => None,
        }
    }

    fn file(&self, path: &str) -> std::io::Result<String> {
        match path {
            "/run/secrets/git/token" => Ok("token".to_owned()),
            _ => Err(std::io::Error::new(std::io::ErrorKind::NotFound, path.to_owned())),
        }
    }
}

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

fn resolve(text: &str, name: &Path) -> Settings {
    parse(text, Origin::File(name.to_owned()), &Container).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The `skillspan.yaml` of the ConfigMaps in rendered manifests.
fn rendered_configurations(manifests: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = manifests.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim_end() != "  skillspan.yaml: |" {
            continue;
        }
        let mut text = String::new();
        while let Some(line) = lines.peek().filter(|line| line.is_empty() || line.starts_with("    ")) {
            text += line.strip_prefix("    ").unwrap_or_default();
            text.push('\n');
            lines.next();
        }
        found.push(text);
    }
    found
}

fn goldens() -> Vec<PathBuf> {
    let folders = ["helm/skillspan/examples", "kustomize"].map(|folder| fs::read_dir(deploy().join(folder)));
    let folders = folders.into_iter().flat_map(Result::unwrap);
    let mut paths: Vec<PathBuf> =
        folders.map(|folder| folder.unwrap().path().join("rendered/manifests.yaml")).collect();
    paths.sort();
    paths
}

/// Probes and clients come from outside the pod; data goes to the volume or a bucket and nowhere else.
fn assert_fits_a_container(settings: &Settings) {
    let mut listeners = settings.receivers.iter().flat_map(|receiver| &receiver.listeners);
    assert!(listeners.all(|listener| listener.address.ip().is_unspecified()));
    assert!(settings.health.expect("a health endpoint").ip().is_unspecified());
    let targets = settings.skills.iter().flat_map(|pipeline| &pipeline.targets);
    let targets = targets.filter_map(|target| match &target.place {
        TargetKind::Filesystem(config) => Some(&config.path),
        TargetKind::Git(config) => Some(&config.cache),
        // Rows of a service: nothing stays here.
        TargetKind::Deeplake(_) => None,
    });
    let targets = targets.chain(settings.followers.iter().map(|follower| &follower.deeplake.state));
    let tables = settings.tables().filter_map(|table| match &table.location {
        Location::Folder(path) => Some(path),
        Location::Bucket(_) => None,
    });
    let journals = settings.sessions.iter().map(|pipeline| &pipeline.journal.path);
    let digests = settings.skills.iter().filter_map(|pipeline| pipeline.digests.as_ref());
    for path in targets.chain(journals).chain(tables).chain(digests) {
        assert!(path.starts_with("/var/lib/skillspan"), "{} is not on the volume", path.display());
    }
}

/// One process does everything on a folder of its own.
fn assert_is_complete(settings: &Settings) {
    assert_fits_a_container(settings);
    assert!(!settings.sessions.is_empty() && !settings.skills.is_empty(), "both pipelines");
    assert!(matches!(settings.table.location, Location::Folder(_)), "a folder");
}

/// Collectors receive and store, the worker mines, on one table in a bucket.
fn assert_share_the_work(collector: &Settings, worker: &Settings) {
    assert_fits_a_container(collector);
    assert_fits_a_container(worker);
    assert!(!collector.sessions.is_empty() && collector.skills.is_empty(), "the collector does not mine");
    assert!(worker.sessions.is_empty() && worker.receivers.is_empty(), "the worker does not receive");
    assert!(!worker.skills.is_empty(), "the worker mines");
    assert!(matches!(collector.table.location, Location::Bucket(_)), "every pod reaches the table");
    assert_eq!(collector.table, worker.table);
}

/// What renders is `deploy/check`'s business; that it is what stands beside it can be told by reading.
#[test]
fn a_kustomization_applies_as_it_is() {
    for name in ["base", "worker"] {
        let folder = deploy().join("kustomize").join(name);
        let rendered = fs::read_to_string(folder.join("rendered/manifests.yaml")).unwrap();
        let objects: Vec<&str> = rendered.split("\n---\n").collect();
        let of = |object: &str, line: &str| object.lines().any(|found| found == line);
        let namespaces = objects.iter().filter(|object| of(object, "kind: Namespace"));
        assert_eq!(namespaces.clone().count(), 1, "{name} brings its namespace");
        assert!(namespaces.clone().all(|object| of(object, "  name: skillspan")), "{name}");
        for object in objects.iter().filter(|object| !of(object, "kind: Namespace")) {
            assert!(of(object, "  namespace: skillspan"), "{name}: {object}");
        }
        let images: Vec<&str> =
            rendered.lines().filter_map(|line| line.trim().strip_prefix("image: ")).collect();
        assert!(!images.is_empty());
        let version = env!("CARGO_PKG_VERSION");
        for image in images {
            // No registry is `localhost`: what runs is what was built, or nothing.
            let image =
                image.strip_prefix("localhost/skillspan").unwrap_or_else(|| panic!("{name}: {image}"));
            assert!(
                [format!(":{version}"), format!("-worker:{version}")].iter().any(|tag| tag == image),
                "{image}"
            );
        }
        let kustomization = fs::read_to_string(folder.join("kustomization.yaml")).unwrap();
        let text: String = kustomization.lines().filter(|line| !line.starts_with('#')).collect();
        for placeholder in ["example.com", "YOUR-"] {
            assert!(!text.contains(placeholder), "{name}: {placeholder}");
        }
    }
}

#[test]
fn every_rendered_configuration_is_valid_and_fits_its_pod() {
    let goldens = goldens();
    let mut shared = 0;
    for golden in &goldens {
        let configurations = rendered_configurations(&fs::read_to_string(golden).unwrap());
        let settings: Vec<Settings> = configurations.iter().map(|text| resolve(text, golden)).collect();
        match settings.as_slice() {
            [complete] => assert_is_complete(complete),
            [collector, worker] => {
                shared += 1;
                assert_share_the_work(collector, worker);
            }
            others => panic!("{} has {} configurations", golden.display(), others.len()),
        }
    }
    assert!(shared >= 2 && goldens.len() - shared >= 3, "{goldens:?}");
}

/// Several workers need to be told how they share, a way to do so, and no more rights than that takes.
#[test]
fn workers_are_several_only_where_they_share_what_they_mine() {
    let mut several = 0;
    for golden in goldens() {
        let manifests = fs::read_to_string(&golden).unwrap();
        let configurations = rendered_configurations(&manifests);
        let [_, worker] = configurations.as_slice() else { continue };
        let coordination = resolve(worker, &golden).skills[0].coordination;
        let objects: Vec<&str> = manifests.split("---\n").collect();
        let is = |object: &&&str, kind: &str| object.contains(&format!("\nkind: {kind}\n"));
        let deployment = objects.iter().find(|object| is(object, "Deployment")).expect("a worker");
        let roles: Vec<&&str> = objects.iter().filter(|object| is(object, "Role")).collect();
        let replicas = deployment.lines().find_map(|line| line.strip_prefix("  replicas: "));
        let scaler = objects.iter().find(|object| {
            is(object, "HorizontalPodAutoscaler") && object.contains("\n    kind: Deployment\n")
        });
        assert_ne!(replicas.is_some(), scaler.is_some(), "{}: one of them says how many", golden.display());
        match coordination {
            Coordination::File => {
                assert_eq!(replicas, Some("1"), "{}", golden.display());
                assert!(deployment.contains("    type: Recreate\n"), "{}", golden.display());
            }
            _ => {
                several += 1;
                assert!(!deployment.contains("Recreate"), "{}", golden.display());
            }
        }
        if coordination == Coordination::Kubernetes {
            assert_eq!(roles.len(), 1);
            assert!(
                roles[0]
                    .contains("    resources: [leases]\n    verbs: [get, list, create, update, delete]\n")
            );
            assert!(deployment.contains("      automountServiceAccountToken: true\n"));
            assert!(objects.iter().any(|object| is(&object, "RoleBinding")));
        } else {
            assert!(roles.is_empty(), "{}", golden.display());
            assert!(deployment.contains("      automountServiceAccountToken: false\n"));
        }
    }
    assert_eq!(several, 1);
}

#[test]
fn the_configuration_of_compose_is_valid_and_fits_a_container() {
    let path = deploy().join("container.yaml");
    let text = fs::read_to_string(&path).unwrap();
    assert_is_complete(&resolve(&text, &path));
    let kustomize = fs::read_to_string(deploy().join("kustomize/base/config.yaml")).unwrap();
    assert_eq!(kustomize, text, "one configuration for both");
}

#[test]
fn the_chart_is_of_this_version() {
    let chart = fs::read_to_string(deploy().join("helm/skillspan/Chart.yaml")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(chart.contains(&format!("\nappVersion: \"{version}\"\n")), "{chart}");
}

#[test]
fn a_stopped_pod_and_a_stopped_unit_have_time_to_drain() {
    // 10 s for requests under way and 15 s for the journal.
    let values = fs::read_to_string(deploy().join("helm/skillspan/values.yaml")).unwrap();
    assert!(values.contains("\nterminationGracePeriodSeconds: 45\n"));
    let unit = fs::read_to_string(deploy().join("skillspan.service")).unwrap();
    assert!(unit.contains("\nTimeoutStopSec=40s\n"));
}

/// Log records that become an event, that are dropped, and that nobody recognises.
fn one_record_of_each_fate() -> serde_json::Value {
    let scope = |scope: &str, event: &str| {
        let attributes =
            [("event.name", event), ("session.id", "s"), ("prompt.id", "p"), ("prompt", "hello")];
        let attributes = attributes
            .map(|(key, value)| serde_json::json!({ "key": key, "value": { "stringValue": value } }));
        serde_json::json!({ "scope": { "name": scope }, "logRecords": [{ "attributes": attributes }] })
    };
    let claude_code = "com.anthropic.claude_code.events";
    let scopes =
        [scope(claude_code, "user_prompt"), scope(claude_code, "plugin_loaded"), scope("my.app", "x")];
    serde_json::json!({ "resourceLogs": [{ "scopeLogs": scopes }] })
}

/// The names that `/metrics` of a running service serves.
fn served_metrics() -> std::collections::BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    let text = format!(
        "extensions: {{ health: {{ endpoint: 127.0.0.1:0 }}, sessions_table: {{ path: {root}/sessions }} }}
receivers: {{ otlp: {{ protocols: {{ http: {{ endpoint: 127.0.0.1:0 }} }} }} }}
exporters: {{ filesystem: {{ path: {root}/skills }} }}
service: {{ journal: {{ path: {root}/journal, max_size: 64MiB, segment: 4MiB }} }}
"
    );
    let settings = resolve(&text, Path::new("metrics.yaml"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let served = runtime.block_on(async {
        let service = skillspan::service::Service::start(settings).await.unwrap();
        let url = format!("http://{}/metrics", service.health().unwrap());
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        // A counter with labels is served once something was counted.
        let (_, http) = service.addresses()[0];
        let logs = client.post(format!("http://{http}/v1/logs")).json(&one_record_of_each_fate());
        logs.send().await.unwrap().error_for_status().unwrap();
        let text = client.get(url).send().await.unwrap().text().await.unwrap();
        service.drain().await;
        text
    });
    let types = served.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .flat_map(|line| {
            let (name, kind) = line.split_once(' ').unwrap();
            match kind {
                "counter" => vec![format!("{name}_total")],
                "histogram" => ["_bucket", "_count", "_sum"].map(|end| format!("{name}{end}")).to_vec(),
                _ => vec![name.to_owned()],
            }
        })
        .collect()
}

#[test]
fn dashboard_and_alerts_speak_of_metrics_that_are_served() {
    let served = served_metrics();
    assert!(served.len() > 10, "{served:?}");
    let name = regex::Regex::new(r"\bskillspan_[a-z_]+").unwrap();
    let mut spoken = 0;
    for file in ["observability/alerts.yaml", "observability/dashboard.json"] {
        let text = fs::read_to_string(deploy().join(file)).unwrap();
        for found in name.find_iter(&text) {
            spoken += 1;
            assert!(
                served.contains(found.as_str()),
                "{file} speaks of {}; served are {served:#?}",
                found.as_str()
            );
        }
    }
    assert!(spoken > 20, "only {spoken} names were found: the reading is broken");
}

#[test]
fn every_alert_leads_to_a_section_of_the_runbook() {
    let alerts = fs::read_to_string(deploy().join("observability/alerts.yaml")).unwrap();
    let runbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operate/operations.md");
    let runbook = fs::read_to_string(runbook).unwrap();
    let slug = |heading: &str| {
        heading
            .to_lowercase()
            .replace(|c: char| !c.is_alphanumeric() && c != ' ' && c != '-', "")
            .replace(' ', "-")
    };
    let sections: Vec<String> =
        runbook.lines().filter_map(|line| line.strip_prefix("## ")).map(slug).collect();
    let links: Vec<&str> = alerts
        .split("docs/operate/operations.md#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(links.len(), alerts.matches("- alert:").count());
    for link in links {
        assert!(sections.iter().any(|section| section == link), "{link} is not among {sections:?}");
    }
}

/// What served to put sessions and facts together, and what facts are grouped by.
const NO_OUTPUT: &[&str] =
    &["fact_key", "parent_span_id", "history_before", "history_after", "tenant", "kind"];

/// What the statement that makes the facts puts out, as far as it is renamed or computed.
fn outputs_of_facts(file: &str, begin: &str) -> Vec<String> {
    let text = fs::read_to_string(deploy().join("sql").join(file)).unwrap();
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("{file}: {begin}"));
    let (facts, _) = rest.split_once(";\n").unwrap();
    let words = facts.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.windows(2).filter(|pair| pair[0] == "AS").map(|pair| pair[1].to_owned()).collect()
}

#[test]
fn the_facts_of_both_engines_have_every_column() {
    for (file, begin) in
        [("duckdb.sql", "TEMP TABLE facts AS\n"), ("spark.sql", "TABLE facts USING parquet AS\n")]
    {
        let outputs = outputs_of_facts(file, begin);
        for column in skillspan::table::schema().fields() {
            let name = column.name();
            assert!(NO_OUTPUT.contains(&name.as_str()) || outputs.contains(name), "{file}: {name}");
        }
    }
}

/// What `deploy/release/package` packs for, the workflow builds, and the formula fetches.
#[test]
fn a_release_is_built_packed_and_fetched_for_the_same_platforms() {
    let read = |path: &str| fs::read_to_string(deploy().join(path)).unwrap();
    let package = read("release/package");
    let packed: BTreeSet<&str> = package
        .lines()
        .filter_map(|line| line.strip_prefix("    \"")?.split_once("\": (\""))
        .map(|(target, _)| target)
        .collect();
    let workflow = read("../.github/workflows/release.yml");
    let built: BTreeSet<&str> = workflow
        .split("target: ")
        .skip(1)
        .filter_map(|rest| rest.split(" }").next())
        .filter(|name| name.contains('-'))
        .collect();
    let formula = read("release/homebrew.rb");
    let fetched: BTreeSet<&str> = formula.split('@').filter(|part| packed.contains(part)).collect();
    assert_eq!(built.len(), 4, "{built:?}");
    assert_eq!(built, fetched, "the formula fetches what the workflow builds");
    assert!(built.is_subset(&packed), "{built:?} {packed:?}");
}

/// The Debian package's unit is this one with another program: it has a line that can be changed.
#[test]
fn the_unit_of_the_package_starts_what_the_package_holds() {
    let unit = fs::read_to_string(deploy().join("skillspan.service")).unwrap();
    let starts: Vec<&str> = unit.lines().filter(|line| line.starts_with("ExecStart=")).collect();
    assert_eq!(starts.len(), 1, "{starts:?}");
    assert!(starts[0].ends_with("/skillspan run"), "{starts:?}");
    // The configuration that is installed is a valid one, also where its example is switched on.
    let text = fs::read_to_string(deploy().join("release/debian/config.yaml")).unwrap();
    resolve(&text, Path::new("config.yaml"));
    let example: String = text
        .lines()
        .skip_while(|line| *line != "#")
        .filter_map(|line| line.strip_prefix("# "))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(example.contains("tokens"), "{example}");
    resolve(
        &example.replace("${env:SKILLSPAN_TOKEN}", "0123456789abcdef0123456789abcdef"),
        Path::new("example.yaml"),
    );
}
