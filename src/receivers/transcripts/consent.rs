//! What a session's folder and its assistant's settings say of whether it may be kept, and whose work it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::event::capture;
use crate::receivers::marker;

/// Larger is no file of settings.
const MAX_SETTINGS: u64 = 1 << 20;
/// Where Claude Code keeps settings, below a project and below the home.
const CLAUDE_SETTINGS: &[&str] = &[".claude/settings.json", ".claude/settings.local.json"];
const CAPTURE_VARIABLES: &[&str] = &["SKILLSPAN_CAPTURE", "SKILLSPAN_HOOK"];
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
const CAPTURE: &str = "skillspan.capture";

/// What settings and marker files say about the sessions of one folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Consent {
    /// The file that leaves them out, or why one that cannot be understood does.
    pub(super) refused_by: Option<String>,
    /// The workspace that the folder names.
    pub(super) workspace: Option<String>,
    /// The workspace and the person that the home folder names.
    pub(super) home: (Option<String>, Option<String>),
}

/// What is said of sessions in `cwd`. Answers are remembered in `known`.
pub(super) fn consent(cwd: &str, home: Option<&Path>, known: &mut BTreeMap<PathBuf, Consent>) -> Consent {
    let folder = PathBuf::from(cwd);
    if let Some(known) = known.get(&folder) {
        return known.clone();
    }
    let folders: Vec<PathBuf> = if cwd.is_empty() { Vec::new() } else { vec![folder.clone()] };
    let consent = match marker::look(&folders, home) {
        Err(error) => Consent { refused_by: Some(error.to_string()), ..Consent::default() },
        Ok(marks) => Consent {
            refused_by: marks
                .off
                .map(|path| path.display().to_string())
                .or_else(|| refused_by_settings(folders.first().map(PathBuf::as_path), home)),
            workspace: marks.workspace,
            home: (marks.home.workspace, marks.home.user),
        },
    };
    known.insert(folder, consent.clone());
    consent
}

/// The settings that switch capture off for a client's own telemetry speak of its files as well.
fn refused_by_settings(folder: Option<&Path>, home: Option<&Path>) -> Option<String> {
    let above = folder.into_iter().flat_map(Path::ancestors).filter(|folder| folder.is_absolute());
    let files = above.chain(home).flat_map(|folder| CLAUDE_SETTINGS.iter().map(|name| folder.join(name)));
    files.into_iter().find(|path| forbids(path)).map(|path| path.display().to_string())
}

fn forbids(path: &Path) -> bool {
    let is_short =
        fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MAX_SETTINGS);
    let text = if is_short { fs::read_to_string(path).ok() } else { None };
    let settings: Value = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let Some(variables) = settings.get("env").and_then(Value::as_object) else { return false };
    variables.iter().any(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let attributes = value.split(',').filter_map(|pair| pair.split_once('='));
        CAPTURE_VARIABLES.contains(&name.as_str()) && capture::forbids(&value)
            || name == RESOURCE
                && attributes
                    .into_iter()
                    .any(|(key, value)| key.trim() == CAPTURE && capture::forbids(value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_and_settings_leave_sessions_out() {
        let home = tempfile::tempdir().unwrap();
        let of = |name: &str| {
            let folder = home.path().join(name);
            let found = consent(folder.to_str().unwrap(), Some(home.path()), &mut BTreeMap::new());
            (found.refused_by.is_some(), found.workspace)
        };
        for (name, file, text) in [
            ("off", ".skillspan.yaml", "capture: false\n"),
            ("odd", ".skillspan.yaml", "captrue: false\n"),
            ("shop", ".skillspan.yaml", "workspace: shop\n"),
            (
                "env",
                ".claude/settings.json",
                r#"{"env":{"OTEL_RESOURCE_ATTRIBUTES":"a=b, skillspan.capture=false"}}"#,
            ),
            (
                "on",
                ".claude/settings.json",
                r#"{"env":{"OTEL_RESOURCE_ATTRIBUTES":"skillspan.capture=true"}}"#,
            ),
        ] {
            let path = home.path().join(name).join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(of("off"), (true, None));
        assert_eq!(of("off/gone/below"), (true, None), "a folder that is gone is below one that is there");
        assert_eq!(of("odd"), (true, None));
        assert_eq!(of("shop/src"), (false, Some("shop".to_owned())));
        assert_eq!(of("env/src"), (true, None));
        assert_eq!(of("on"), (false, None));
        assert_eq!(of("elsewhere"), (false, None));
    }
}
