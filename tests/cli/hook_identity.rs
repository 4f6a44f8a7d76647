//! Whose a hook's event is, and how a person leaves sessions out, without a variable that assistants
//! withhold.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{give, skillspan};

/// A home, a repository below it, and nobody who listens: what is kept waits in the spool.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: TempDir::new().unwrap() };
        fs::create_dir_all(desk.repository().join("src/deep")).unwrap();
        fs::create_dir(desk.repository().join(".git")).unwrap();
        desk
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn repository(&self) -> PathBuf {
        self.home().join("work/shop")
    }

    /// What `--verbose` says of a hook, given in the home with `fields` among the object's.
    fn hook(&self, assistant: &str, fields: Value, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let mut object =
            json!({"hook_event_name": "UserPromptSubmit", "session_id": "s", "prompt": "quokka"});
        object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let mut command = skillspan();
        command.args(["hook", assistant, "--verbose", "--endpoint", "http://127.0.0.1:1"]).args(arguments);
        command.env("HOME", self.home()).current_dir(self.home()).envs(variables.iter().copied());
        let output = give(command, &object.to_string()).wait_with_output().unwrap();
        assert!(output.status.success() && output.stdout == b"{}\n");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The object that waits; `None` if nothing does. It waits no longer.
    fn kept(&self) -> Option<Value> {
        let root = self.home().join(".local/share/skillspan/hooks");
        let folder =
            fs::read_dir(root).ok()?.map(|entry| entry.unwrap().path()).find(|path| path.is_dir())?;
        let text = fs::read_to_string(folder.join("pending")).ok()?;
        fs::remove_file(folder.join("pending")).unwrap();
        let (_, json) = text.lines().next_back()?.split_once('{')?;
        Some(serde_json::from_str(&format!("{{{json}")).unwrap())
    }

    fn mark(&self, folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Every byte below the home but the markers.
    fn has(&self, text: &str) -> bool {
        fn within(folder: &Path, text: &str) -> bool {
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| match path.is_dir() {
                true => within(&path, text),
                false => String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(text),
            })
        }
        within(&self.home(), text)
    }
}

#[test]
fn a_marker_file_leaves_sessions_out_wherever_it_stands() {
    let desk = Desk::new();
    let repository = desk.repository();
    let deep = repository.join("src/deep");
    let cases: [(&Path, &str, Value); 8] = [
        (&repository, ".skillspan.yaml", json!({"cwd": repository})),
        (&repository, ".skillspan.yml", json!({"cwd": deep})),
        (&repository, ".skillspan", json!({"cwd": repository.join("gone/away")})),
        (&deep, ".skillspan.yaml", json!({"cwd": deep})),
        (&desk.home().join("work"), ".skillspan.yaml", json!({"cwd": deep})),
        (&desk.home(), ".skillspan.yaml", json!({"cwd": "/"})),
        (&repository, ".skillspan.yaml", json!({"workspace_roots": ["/srv", repository]})),
        (&repository, ".skillspan.yaml", json!({"workspaceRoots": [deep]})),
    ];
    for (folder, name, fields) in cases {
        let marker = desk.mark(folder, name, "capture: false\n");
        let said = desk.hook("claude", fields.clone(), &[], &[]);
        assert!(said.contains("left out by") && said.contains(name), "{fields}: {said}");
        assert_eq!(desk.kept(), None, "{fields}");
        assert!(!desk.has("quokka"), "{fields}");
        fs::remove_file(marker).unwrap();
        desk.hook("claude", fields.clone(), &[], &[]);
        assert!(desk.kept().is_some(), "without it the session is kept: {fields}");
    }
}

#[test]
fn a_marker_in_a_folder_beside_says_nothing_of_others() {
    let desk = Desk::new();
    desk.mark(&desk.repository().join("src/deep"), ".skillspan.yaml", "capture: false\n");
    desk.hook("claude", json!({"cwd": desk.repository().join("src")}), &[], &[]);
    assert!(desk.kept().is_some());
}

#[test]
fn no_file_puts_back_in_what_another_leaves_out() {
    let desk = Desk::new();
    desk.mark(&desk.home(), ".skillspan.yaml", "capture: false\n");
    desk.mark(&desk.repository(), ".skillspan.yaml", "capture: true\nworkspace: shop\n");
    desk.hook("claude", json!({"cwd": desk.repository()}), &[], &[]);
    assert_eq!(desk.kept(), None);
}

#[test]
fn a_marker_that_is_not_understood_leaves_out_and_says_so() {
    let desk = Desk::new();
    let long = "# \n".repeat(10_000);
    for text in
        ["", "capture: maybe\n", "captrue: false\n", "capture: false: x\n", "\t", "user: ana\n", &long]
    {
        let path = desk.mark(&desk.repository(), ".skillspan.yaml", text);
        let said = desk.hook("claude", json!({"cwd": desk.repository()}), &[], &[]);
        assert!(said.contains("leaves the session out, because"), "{text:?}: {said}");
        assert!(said.contains(path.to_str().unwrap()), "{said}");
        assert_eq!(desk.kept(), None, "{text:?}");
    }
    let refused = desk.home().join(".local/share/skillspan/hooks");
    assert!(refused.is_dir() && desk.has("leaves the session out, because"), "status names it");
}

#[cfg(unix)]
#[test]
fn a_marker_that_cannot_be_read_leaves_out() {
    let desk = Desk::new();
    let path = desk.repository().join(".skillspan.yaml");
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    let said = desk.hook("claude", json!({"cwd": desk.repository()}), &[], &[]);
    assert!(said.contains("cannot be read"), "{said}");
    assert_eq!(desk.kept(), None);
    fs::remove_file(&path).unwrap();
    // A folder of that name is no marker.
    fs::create_dir(desk.repository().join(".skillspan")).unwrap();
    desk.hook("claude", json!({"cwd": desk.repository()}), &[], &[]);
    assert!(desk.kept().is_some());
}

#[cfg(unix)]
#[test]
fn a_link_to_a_repository_is_the_repository() {
    let desk = Desk::new();
    desk.mark(&desk.repository(), ".skillspan.yaml", "capture: false\n");
    let link = desk.home().join("link");
    std::os::unix::fs::symlink(desk.repository().join("src"), &link).unwrap();
    desk.hook("claude", json!({"cwd": link}), &[], &[]);
    assert_eq!(desk.kept(), None);
}

#[test]
fn the_surest_source_says_whose_an_event_is() {
    let desk = Desk::new();
    let cwd = json!({"cwd": desk.repository(), "user_email": "client@example.com"});
    let whose = |arguments: &[&str], variables: &[(&str, &str)]| {
        desk.hook("cursor", cwd.clone(), arguments, variables);
        let kept = desk.kept().unwrap();
        let text = |name: &str| kept.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("skillspan.workspace"), text("enduser.id"))
    };
    let pair = |workspace: &str, user: &str| (workspace.to_owned(), user.to_owned());
    assert_eq!(whose(&[], &[]), pair("", ""), "the client's own field is the dialect's");
    desk.mark(&desk.home(), ".skillspan.yaml", "workspace: home\nuser: home@example.com\n");
    assert_eq!(whose(&[], &[]), pair("home", "home@example.com"));
    let arguments = ["--workspace", "my shop", "--user", "ana@example.com"];
    assert_eq!(whose(&arguments, &[]), pair("my shop", "ana@example.com"));
    desk.mark(&desk.repository(), ".skillspan.yaml", "workspace: nearest\n");
    assert_eq!(whose(&arguments, &[]), pair("nearest", "ana@example.com"));
    let resource = [("OTEL_RESOURCE_ATTRIBUTES", "workspace=resource,enduser.id=resource@example.com")];
    assert_eq!(whose(&arguments, &resource), pair("resource", "resource@example.com"));
    let own = [resource[0], ("SKILLSPAN_WORKSPACE", "own"), ("SKILLSPAN_USER", "own@example.com")];
    assert_eq!(whose(&arguments, &own), pair("own", "own@example.com"));
}
