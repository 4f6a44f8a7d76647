//! What `deploy/` holds is what this binary understands.
//!
//! The chart's and the kustomize base's own form is checked by `deploy/check`, which needs helm and
//! kubectl; here, every configuration in them is resolved as `skillspan validate` does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use skillspan::config::{Origin, Settings, Source, parse};

struct Container;

impl Source for Container {
    fn env(&self, name: &str) -> Option<String> {
        match name {
            "XDG_DATA_HOME" => Some("/var/lib".to_owned()),
            _ => None,
        }
    }

    fn file(&self, path: &str) -> std::io::Result<String> {
        Err(std::io::Error::new(std::io::ErrorKind::NotFound, path.to_owned()))
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
    let examples = deploy().join("helm/skillspan/examples");
    let mut paths: Vec<PathBuf> = fs::read_dir(examples)
        .unwrap()
        .map(|example| example.unwrap().path().join("rendered/manifests.yaml"))
        .collect();
    paths.push(deploy().join("kustomize/rendered/manifests.yaml"));
    paths.sort();
    paths
}

/// Probes and clients come from outside the pod; data goes to the volume and nowhere else.
fn assert_fits_a_container(settings: &Settings) {
    let sessions = settings.sessions.as_ref().expect("a sessions pipeline");
    assert!(sessions.listeners.iter().all(|listener| listener.address.ip().is_unspecified()));
    assert!(settings.health.expect("a health endpoint").ip().is_unspecified());
    let targets = settings.skills.iter().flat_map(|pipeline| &pipeline.targets).map(|target| &target.path);
    for path in targets.chain([&sessions.journal.path, &settings.table]) {
        assert!(path.starts_with("/var/lib/skillspan"), "{} is not on the volume", path.display());
    }
}

#[test]
fn every_rendered_configuration_is_valid_and_fits_a_container() {
    let goldens = goldens();
    assert!(goldens.len() >= 3, "{goldens:?}");
    for golden in goldens {
        let configurations = rendered_configurations(&fs::read_to_string(&golden).unwrap());
        assert_eq!(configurations.len(), 1, "{}", golden.display());
        for text in configurations {
            assert_fits_a_container(&resolve(&text, &golden));
        }
    }
}

#[test]
fn the_configuration_of_compose_is_valid_and_fits_a_container() {
    let path = deploy().join("container.yaml");
    let text = fs::read_to_string(&path).unwrap();
    assert_fits_a_container(&resolve(&text, &path));
    let kustomize = fs::read_to_string(deploy().join("kustomize/config.yaml")).unwrap();
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
