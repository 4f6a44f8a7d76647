//! Working directories: in the resource, in the arguments of tools and in what a client tells its model
//! about the workspace.

use super::json;
use super::record::{Record, to_text};

/// Arguments that name the directory a command runs in.
const ARGUMENTS: &[&str] = &["workdir", "cwd", "working_directory", "directory", "dir_path"];

/// Where the process runs, as OpenTelemetry's resource attribute says; `""` if it does not.
pub(super) fn of_process(record: &Record<'_>) -> String {
    let told = record.look("process.working_directory").map(to_text);
    told.and_then(|told| absolute(&told)).unwrap_or_default()
}

/// The directory that a tool's arguments (JSON text) name, if it is an absolute path.
pub(super) fn of_arguments(arguments: &str) -> Option<String> {
    if !ARGUMENTS.iter().any(|name| arguments.contains(name)) {
        return None;
    }
    let arguments = json::parse(arguments).ok()?;
    let named = ARGUMENTS.iter().find_map(|name| arguments.get(name)?.as_str())?;
    absolute(named)
}

/// The directory that follows the first of `words` in a text, on the same line or, as a list item,
/// on the next.
pub(super) fn after(text: &str, words: &[&str]) -> Option<String> {
    words.iter().find_map(|words| {
        let (_, rest) = text.split_once(words)?;
        let line = rest
            .lines()
            .map(|line| line.trim_matches([' ', '\t', '-', '*', ':', '`']))
            .find(|line| !line.is_empty())?;
        absolute(line)
    })
}

/// A path that is absolute on Unix or on Windows.
fn absolute(path: &str) -> Option<String> {
    let path = path.trim();
    let is_windows = path.as_bytes().get(1..3).is_some_and(|rest| rest == b":\\" || rest == b":/");
    (path.starts_with('/') || is_windows).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_name_a_directory_only_as_an_absolute_path() {
        let of = |arguments: &str| of_arguments(arguments).unwrap_or_default();
        assert_eq!(of(r#"{"command":["ls"],"workdir":"/srv/shop"}"#), "/srv/shop");
        assert_eq!(of(r#"{"command":"dir","directory":"C:\\src\\shop"}"#), "C:\\src\\shop");
        for none in [r#"{"directory":"src"}"#, r#"{"directory":7}"#, r#"{"path":"/srv"}"#, "directory", ""] {
            assert_eq!(of(none), "", "{none}");
        }
    }

    #[test]
    fn a_text_names_a_directory_after_its_words() {
        let gemini = "- **Workspace Directories:**\n  - /srv/shop\n- **Directory Structure:**";
        assert_eq!(after(gemini, &["Workspace Directories:"]), Some("/srv/shop".to_owned()));
        let claude = "Primary working directory: /srv/a b\nIs a git repository: true";
        assert_eq!(after(claude, &["Primary working directory"]), Some("/srv/a b".to_owned()));
        assert_eq!(after("Workspace Directories:\nnone", &["Workspace Directories:"]), None);
        assert_eq!(after("", &["Workspace Directories:"]), None);
    }
}
