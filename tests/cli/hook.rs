//! `skillspan hook`: no event is lost and none counts twice, whether the collector is there, away, or
//! comes back; nothing is on the disk that redaction takes out; nothing that happens is the assistant's
//! trouble.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Site, eventually, give, outcome, skillspan};

/// So many hooks at once.
const STORM: usize = 200;
/// The letters of a secret, without what it begins with: no scanner is to take this for a leak.
const LETTERS: &str = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
const TOKEN: &str = "a-token-of-enough-length";

/// A site, and the data folder of a user of this machine.
struct User {
    site: Site,
}

impl User {
    fn new() -> Self {
        Self { site: Site::new("default") }
    }

    fn data(&self) -> PathBuf {
        self.site.path("data")
    }

    fn spools(&self) -> PathBuf {
        self.data().join("skillspan/hooks")
    }

    fn start(&self) -> crate::support::Running {
        self.site.start_with(&[("XDG_DATA_HOME", &self.data())])
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.site.http)
    }

    /// The command with this user's environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = skillspan();
        command.args(arguments).env("XDG_DATA_HOME", self.data()).env("SKILLSPAN_ENDPOINT", self.endpoint());
        command
    }

    fn hook(&self, assistant: &str, object: &str) -> Output {
        give(self.command(&["hook", assistant]), object).wait_with_output().unwrap()
    }

    /// A prompt of `session`; what the command says on standard error.
    fn prompt(&self, session: &str, text: &str) -> String {
        let command = self.command(&["hook", "claude", "--verbose"]);
        let output = give(command, &prompt(session, text)).wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }

    /// Every file below the spools, by name.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        collect(&self.spools(), &mut found);
        found
    }

    /// The one file of the given name.
    fn file(&self, name: &str) -> PathBuf {
        let files = self.files();
        let mut named = files.into_iter().map(|(path, _)| path).filter(|path| path.ends_with(name));
        let file = named.next().unwrap_or_else(|| panic!("{name} is not there"));
        assert_eq!(named.next(), None);
        file
    }

    /// On the disk of the hooks' user, and in the site's journal and table.
    fn has_no_secret(&self) {
        let mut files = Vec::new();
        collect(&self.site.path(""), &mut files);
        assert!(!files.is_empty());
        for (path, bytes) in files {
            assert!(!String::from_utf8_lossy(&bytes).contains(LETTERS), "{}", path.display());
        }
    }

    fn is_empty(&self) -> bool {
        let files = self.files();
        let holding = ["pending", "sending", "unknown"];
        !files.iter().any(|(path, _)| holding.iter().any(|name| path.ends_with(name)))
    }

    /// How many prompts the table has of a session; each observation is a fact of its own.
    fn prompts(&self, session: &str) -> u64 {
        let sessions = self.site.sessions();
        let session = sessions.iter().find(|found| found["id"] == session);
        session.and_then(|session| session["events"]["prompt"].as_u64()).unwrap_or_default()
    }

    fn eventually_has(&self, session: &str, prompts: usize) {
        eventually("nothing waits any more", || self.is_empty());
        assert_eq!(self.prompts(session), prompts as u64);
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        outcome(self.command(arguments).arg("--config").arg(self.site.config()))
    }

    /// `count` hooks of `session` at once; none may fail.
    fn storm(&self, session: &str, count: usize) {
        let children: Vec<Child> = (0..count)
            .map(|number| {
                let object = prompt(session, &format!("prompt {number}, the token is ghp_{LETTERS}"));
                give(self.command(&["hook", "claude"]), &object)
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert_eq!((output.status.code(), said.as_str()), (Some(0), "{}\n"));
            assert_eq!(output.stderr, b"");
        }
    }
}

impl User {
    /// `STORM` hooks of `session` at once, of which some are killed, each at another point of its life;
    /// the prompts of those that ended by themselves.
    fn storm_with_kills(&self, session: &str) -> Vec<String> {
        let mut children: Vec<(String, Child)> = Vec::new();
        for number in 0..STORM {
            let text = format!("prompt {number}");
            let object = prompt(session, &format!("{text}, the token is ghp_{LETTERS}"));
            let child = give(self.command(&["hook", "claude"]), &object);
            children.push((text, child));
            if number % 3 == 0 {
                // Of one that has just begun, or that began up to ten others ago.
                children[number - number.min(number % 11)].1.kill().unwrap();
            }
        }
        let ended = |(text, mut child): (String, Child)| child.wait().unwrap().success().then_some(text);
        children.into_iter().filter_map(ended).collect()
    }
}

fn prompt(session: &str, text: &str) -> String {
    json!({ "hook_event_name": "UserPromptSubmit", "session_id": session, "cwd": "/srv/shop", "prompt": text })
        .to_string()
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if let Ok(bytes) = fs::read(&path) {
            found.push((path, bytes));
        }
    }
}

#[test]
fn a_storm_of_hooks_loses_nothing_while_the_collector_is_there() {
    let user = User::new();
    let running = user.start();
    user.storm("up", STORM);
    user.eventually_has("up", STORM);
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_storm_of_hooks_waits_redacted_for_a_collector_that_is_away_and_arrives_once() {
    let user = User::new();
    user.storm("down", STORM);
    let on_disk = user.files();
    let lines: usize = on_disk
        .iter()
        .filter(|(path, _)| path.ends_with("pending") || path.ends_with("sending"))
        .map(|(_, bytes)| {
            String::from_utf8_lossy(bytes).lines().filter(|line| line.contains(" claude ")).count()
        })
        .sum();
    assert_eq!(lines, STORM, "all of them wait");
    for (path, bytes) in &on_disk {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(LETTERS), "{}", path.display());
        assert!(!path.ends_with("pending") || text.contains("[redacted:github-token:"));
    }
    let (code, said, _) = user.run(&["status"]);
    assert_eq!(code, 0);
    assert!(said.contains(&format!("{STORM} events of hooks wait for {}", user.endpoint())), "{said}");

    let running = user.start();
    user.eventually_has("down", STORM);
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_storm_of_hooks_loses_nothing_while_the_collector_goes_and_comes_back() {
    let user = User::new();
    let running = user.start();
    user.storm("back", STORM / 4);
    running.kill();
    user.storm("back", STORM / 4);
    std::thread::scope(|scope| {
        scope.spawn(|| user.storm("back", STORM / 2));
        let running = user.start();
        scope.spawn(move || drop(running));
    });
    let running = user.start();
    user.eventually_has("back", STORM / 4 * 4);
    assert_eq!(running.terminate(), Some(0));
}

/// Whatever a process does when it is killed: what those that ended have kept is stored, once.
#[test]
fn a_storm_in_which_hooks_are_killed_loses_nothing_that_was_kept() {
    let user = User::new();
    let away = user.storm_with_kills("away");
    user.has_no_secret();
    let running = user.start();
    let there = user.storm_with_kills("there");
    eventually("nothing waits any more", || user.is_empty());
    for (session, ended) in [("away", away), ("there", there)] {
        let shown = user.site.session(session);
        let facts = shown["facts"].as_array().unwrap().iter().filter(|fact| fact["kind"] == "prompt");
        let texts = facts.map(|fact| fact["text"].as_str().unwrap());
        let mut stored: Vec<&str> = texts.map(|text| text.split(',').next().unwrap()).collect();
        let facts = stored.len();
        stored.sort_unstable();
        stored.dedup();
        assert_eq!(stored.len(), facts, "{session}: none twice");
        let lost: Vec<&String> = ended.iter().filter(|text| !stored.contains(&text.as_str())).collect();
        assert!(lost.is_empty(), "{session}: {lost:?} of {} that ended", ended.len());
        assert!(ended.len() < STORM, "{session}: some were killed");
    }
    assert_eq!(running.terminate(), Some(0));
    user.has_no_secret();
}

#[test]
fn where_a_collector_attends_to_the_spool_a_hook_leaves_its_event_there() {
    let user = User::new();
    let running = user.start();
    let mut given = 0;
    eventually("the collector attends", || {
        given += 1;
        user.prompt("attended", &format!("prompt {given}")).contains("which takes it")
    });
    // What asks for the table asks for this as well.
    assert_eq!(user.prompts("attended"), given);
    running.kill();
    let said = user.prompt("attended", "nobody attends");
    assert!(said.contains("what waits is kept"), "{said}");
    let running = user.start();
    user.eventually_has("attended", usize::try_from(given).unwrap() + 1);
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_collector_that_stops_takes_what_hooks_left_for_it() {
    let user = User::new();
    let running = user.start();
    let mut given = 0;
    eventually("the collector attends", || {
        given += 1;
        user.prompt("stops", &format!("prompt {given}")).contains("which takes it")
    });
    assert_eq!(running.terminate(), Some(0));
    assert!(user.is_empty());
    assert_eq!(user.prompts("stops"), given);
}

#[test]
fn the_next_hook_sends_what_waits() {
    let user = User::new();
    assert!(user.prompt("later", "one").contains("what waits is kept"));
    user.prompt("later", "two");
    // The collector has a data folder of its own: it knows nothing of this user's.
    let running = user.site.start();
    let mut given = 2;
    eventually("a hook sends what waits", || {
        given += 1;
        user.prompt("later", &format!("prompt {given}"));
        user.is_empty()
    });
    user.eventually_has("later", given);
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn what_was_sent_and_not_taken_out_is_the_same_event_again() {
    let user = User::new();
    for number in 0..5 {
        user.prompt("again", &format!("prompt {number}"));
    }
    let waiting =
        user.files().into_iter().find(|(path, _)| path.ends_with("sending") || path.ends_with("pending"));
    let (path, bytes) = waiting.unwrap();
    let running = user.start();
    user.eventually_has("again", 5);
    // As if the process had been killed between the answer and the end of `sending`.
    fs::write(path.with_file_name("sending"), &bytes).unwrap();
    user.prompt("again", "prompt 5");
    user.eventually_has("again", 6);
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_line_that_was_cut_by_a_crash_costs_no_other() {
    let user = User::new();
    user.prompt("cut", "one");
    let path =
        ["pending", "sending"].map(|name| user.files().into_iter().find(|(path, _)| path.ends_with(name)));
    let (path, bytes) = path.into_iter().flatten().next().unwrap();
    let cut = [bytes.as_slice(), &bytes[18..bytes.len() - 7]].concat();
    fs::write(path.with_file_name("pending"), cut).unwrap();
    if path.ends_with("sending") {
        fs::remove_file(path).unwrap();
    }
    user.prompt("cut", "two");
    let running = user.start();
    user.eventually_has("cut", 2);
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_spool_that_is_full_refuses_what_comes_and_keeps_what_waits() {
    let user = User::new();
    user.prompt("full", "one");
    let path = user.file("endpoint").with_file_name("pending");
    fs::rename(&path, path.with_file_name("sending")).unwrap();
    let nearly_full = (16 << 20) - 1_000;
    fs::write(&path, format!("skillspan-hooks/1\n{}\n", "x".repeat(nearly_full))).unwrap();
    let said = user.prompt("full", &"word ".repeat(400));
    assert!(said.contains("bytes of hooks wait for the collector already"), "{said}");
    user.prompt("full", "two");
    let (_, said, _) = user.run(&["status"]);
    assert!(said.contains("1 event of hooks for") && said.contains("bytes of hooks wait"), "{said}");
    let running = user.start();
    user.eventually_has("full", 2);
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_spool_of_another_version_is_left_alone() {
    let user = User::new();
    user.prompt("later", "one");
    for name in ["pending", "sending"] {
        let path = user.file("endpoint").with_file_name(name);
        fs::write(&path, "skillspan-hooks/2\nsomething\n").unwrap();
    }
    assert!(user.prompt("later", "two").contains("format"));
    let running = user.start();
    eventually("what cannot be kept is sent at once", || {
        user.prompt("later", "three");
        user.prompts("later") > 0
    });
    assert_eq!(fs::read_to_string(user.file("pending")).unwrap(), "skillspan-hooks/2\nsomething\n");
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn whatever_happens_the_assistant_gets_its_answer() {
    let user = User::new();
    for object in ["", "{", "[1]", "null", "\u{feff}{}", &"[".repeat(100_000), &"x".repeat(5 << 20)] {
        let output = user.hook("claude", object);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"{}\n"[..]));
        assert_eq!(output.stderr, b"");
    }
    let output = user.hook("cline", "{}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["cancel"], false);
    let unknown = user.hook("emacs", "{}");
    assert_eq!((unknown.status.code(), unknown.stdout.as_slice()), (Some(0), &b"{}\n"[..]));
    let mut without_home = skillspan();
    without_home.args(["hook", "pi"]).env_remove("HOME");
    assert!(give(without_home, "{}").wait_with_output().unwrap().status.success());
    let mut nowhere = user.command(&["hook", "pi", "--endpoint", "not an address"]);
    nowhere.env("XDG_DATA_HOME", "/proc/nowhere");
    assert!(give(nowhere, "{}").wait_with_output().unwrap().status.success());
    let refused = fs::read_to_string(user.file("refused")).unwrap();
    assert_eq!(refused.lines().count(), 7, "each with its reason: {refused}");
    assert!(!refused.contains("xxx"), "and without its text");
}

#[test]
fn what_cannot_be_kept_is_sent_at_once() {
    let user = User::new();
    let running = user.start();
    for (session, data) in [("no-folder", "/proc/nowhere"), ("no-home", "")] {
        let mut command = user.command(&["hook", "claude"]);
        command.env("XDG_DATA_HOME", data).env_remove("HOME");
        give(command, &prompt(session, "x")).wait_with_output().unwrap();
        eventually("it has arrived", || user.prompts(session) == 1);
    }
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_hook_that_is_written_wrong_does_not_stop_the_assistant() {
    let user = User::new();
    for arguments in [&["hook"][..], &["hook", "pi", "--no-such-option"], &["hook", "pi", "more"]] {
        let output = give(user.command(arguments), "{}").wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"{}\n"[..]));
    }
}

#[test]
fn a_hook_whose_input_never_ends_does_not_hold_the_assistant() {
    let user = User::new();
    let mut command = user.command(&["hook", "claude"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let _open = child.stdin.take().unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_session_that_is_left_out_is_nowhere() {
    let user = User::new();
    let running = user.start();
    let attributes = "skillspan.capture=false,team=a";
    for (name, value) in [
        ("SKILLSPAN_HOOK", "off"),
        ("SKILLSPAN_HOOK", "disabled"),
        ("SKILLSPAN_CAPTURE", "false"),
        ("SKILLSPAN_CAPTURE", " No "),
        ("OTEL_RESOURCE_ATTRIBUTES", attributes),
        ("OTEL_RESOURCE_ATTRIBUTES", "skillspan.capture=OFF"),
    ] {
        let mut command = user.command(&["hook", "claude"]);
        command.env(name, value);
        let output = give(command, &prompt("left-out", "x")).wait_with_output().unwrap();
        assert_eq!(output.stdout, b"{}\n");
    }
    assert!(!user.spools().exists());
    assert_eq!(user.prompts("left-out"), 0);
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn what_the_environment_says_of_a_session_is_stored_with_it() {
    let user = User::new();
    let running = user.start();
    let mut command = user.command(&["hook", "claude"]);
    command.env("OTEL_RESOURCE_ATTRIBUTES", "workspace=shop%20api,user.name=ada");
    command.env("TRACEPARENT", "00-b093ea9237fec2cd45689a1d8a083f3a-84b844b161b23fae-01");
    give(command, &prompt("known", "x")).wait_with_output().unwrap();
    eventually("it has arrived", || user.prompts("known") == 1);
    let shown = user.site.session("known").to_string();
    for text in ["ada", "b093ea9237fec2cd45689a1d8a083f3a"] {
        assert!(shown.contains(text), "{shown}");
    }
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_collector_that_is_far_away_gets_what_no_assistant_waits_for() {
    let user = User::new();
    let _running = user.start();
    // Each way takes a fifth of a second, and the address is none of this machine's loopback.
    let far = Far::before(user.site.http, Duration::from_millis(200));
    for turn in 0..3 {
        let mut command = user.command(&["hook", "claude"]);
        command.env("SKILLSPAN_ENDPOINT", &far.endpoint);
        // A data folder of its own: the collector does not attend to this spool.
        command.env("XDG_DATA_HOME", user.site.path("laptop"));
        let output = give(command, &prompt("s", &format!("turn {turn}"))).wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "{}\n");
    }
    eventually("all have arrived", || user.prompts("s") == 3);
}

/// A way to a port that takes time.
struct Far {
    endpoint: String,
}

impl Far {
    fn before(port: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let endpoint = format!("http://0.0.0.0:{}", listener.local_addr().unwrap().port());
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(there) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let (back, forth) = (near.try_clone().unwrap(), there.try_clone().unwrap());
                thread::spawn(move || carry(near, forth, delay));
                thread::spawn(move || carry(there, back, delay));
            }
        });
        Self { endpoint }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let mut bytes = [0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        thread::sleep(delay);
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[test]
fn a_token_is_sent_and_never_written() {
    let user = User::new();
    let config = fs::read_to_string(user.site.config()).unwrap();
    // What is given under load may be sent by a later call: none of this looks at the time.
    let auth = format!("extensions:\n  auth: {{ tokens: [{{ id: pk, secret: {TOKEN}, tenant: acme }}] }}\n");
    fs::write(user.site.config(), config.replacen("extensions:\n", &auth, 1)).unwrap();
    let running = user.start();
    let with = |token: &str, text: &str| {
        let mut command = user.command(&["hook", "claude", "--verbose"]);
        command.env("SKILLSPAN_TOKEN", token);
        let output = give(command, &prompt("guarded", text)).wait_with_output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    eventually("a wrong token is refused", || with("a-wrong-token-of-length", "one").contains("401"));
    let mut given = 0;
    eventually("a right one is not", || {
        given += 1;
        with(TOKEN, "two").contains(" sent to ")
    });
    for (path, bytes) in user.files() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(TOKEN) && !text.contains("a-wrong-token"), "{}", path.display());
    }
    assert_eq!(user.prompts("guarded"), given, "what waits with another token is not sent with this one");
    let (_, status, _) = user.run(&["status"]);
    assert!(status.contains("answered with 401"), "{status}");
    assert!(status.contains("the last try: ") && status.contains("401 Unauthorized"), "{status}");
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_token_is_read_from_a_file_of_its_own() {
    let user = User::new();
    let config = fs::read_to_string(user.site.config()).unwrap();
    let auth = format!("extensions:\n  auth: {{ tokens: [{{ id: pk, secret: {TOKEN}, tenant: acme }}] }}\n");
    fs::write(user.site.config(), config.replacen("extensions:\n", &auth, 1)).unwrap();
    let running = user.start();
    let file = user.site.path("token");
    let with_file = || {
        let arguments = ["hook", "claude", "--verbose", "--token-file", file.to_str().unwrap()];
        let output = give(user.command(&arguments), &prompt("filed", "x")).wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = with_file();
    assert!(said.contains("the token cannot be read"), "{said}");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    eventually("it is sent", || with_file().contains(" sent to "));
    assert!(user.prompts("filed") > 0);
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn erasing_reaches_what_waits() {
    let user = User::new();
    for (session, text) in [("forget", "one"), ("keep", "two"), ("forget", "three")] {
        user.prompt(session, text);
    }
    let running = user.start();
    user.eventually_has("keep", 1);
    assert_eq!(running.terminate(), Some(0));
    user.prompt("forget", "four");
    user.prompt("keep", "five");
    let (code, said, error) = user.run(&["erase", "--session", "forget"]);
    assert_eq!(code, 0, "{error}");
    assert!(said.contains("1 object left the spool"), "{said}");
    let waiting = user.files().into_iter().map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned());
    let waiting = waiting.collect::<String>();
    assert!(!waiting.contains("forget") && waiting.contains("keep"), "{waiting}");
    let running = user.start();
    user.eventually_has("keep", 2);
    assert_eq!(user.prompts("forget"), 0);
    assert_eq!(running.terminate(), Some(0));
}

/// A collector that knows one assistant alone, until it is updated; the paths that it was asked for.
fn older_collector(port: u16, is_updated: Arc<AtomicBool>, asked: Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            let mut buffer = [0; 4096];
            // A request of these tests fits one read, or two.
            while let Ok(read) = stream.read(&mut buffer) {
                bytes.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&bytes);
                let length = text.lines().find_map(|line| {
                    line.to_lowercase().strip_prefix("content-length: ")?.trim().parse::<usize>().ok()
                });
                let body = text.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len());
                if read == 0 || length.is_some_and(|length| body >= length) {
                    break;
                }
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some(path) = text.split(' ').nth(1).map(str::to_owned) else { continue };
            let is_known = path.ends_with("/claude") || is_updated.load(Ordering::SeqCst);
            asked.lock().unwrap().push(path);
            let status = if is_known { "200 OK" } else { "404 Not Found" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
            // Who has gone needs no answer.
            let _ = stream.write_all(answer.as_bytes());
        }
    });
}

#[test]
fn an_assistant_that_the_collector_does_not_know_holds_up_no_other() {
    let user = User::new();
    let cursor = json!({ "hook_event_name": "beforeSubmitPrompt", "conversation_id": "new", "prompt": "x" });
    for number in 0..3 {
        user.prompt("known", &format!("before {number}"));
        user.hook("cursor", &cursor.to_string());
        user.prompt("known", &format!("after {number}"));
    }
    let (is_updated, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    older_collector(user.site.http, Arc::clone(&is_updated), Arc::clone(&asked));
    let waits = |name: &str| {
        let files = user.files();
        files.into_iter().any(|(path, bytes)| path.ends_with(name) && bytes.len() > 18)
    };
    eventually("what the collector knows has gone", || {
        user.prompt("known", "more");
        waits("unknown") && !waits("pending") && !waits("sending")
    });
    let (code, status, _) = user.run(&["status"]);
    assert!(status.contains("cursor") && status.contains("update skillspan there"), "{code} {status}");
    is_updated.store(true, Ordering::SeqCst);
    eventually("what it knows now has gone as well", || {
        user.prompt("known", "more");
        user.is_empty()
    });
    assert!(asked.lock().unwrap().iter().any(|path| path.ends_with("/cursor")));
}
