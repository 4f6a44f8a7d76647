//! A console and somebody who looks at it.

use std::path::{Path, PathBuf};
use std::process::Command;

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};

use crate::site::{Running, Site, give, outcome, skillspan};

/// A site with a console on a port of its own.
pub(crate) struct House {
    pub(crate) site: Site,
    pub(crate) port: u16,
    running: Option<Running>,
}

/// Somebody with a browser, or a program.
pub(crate) struct Visitor {
    pub(crate) port: u16,
    client: Client,
    pub(crate) cookie: String,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl House {
    /// Not started yet.
    pub(crate) fn new() -> Self {
        let site = Site::new("shop");
        let port = site.free_port();
        let digests = site.path("digests").display().to_string();
        let console = format!("  console: {{ endpoint: 127.0.0.1:{port} }}\n  sessions_table:");
        site.edit_config(&[
            ("  sessions_table:", &console),
            // Sessions say whose they are.
            ("workspace: { from: [], default: shop }", "workspace: { default: shop }"),
        ]);
        site.add_to_config(&format!("connectors:\n  skillify: {{ min_interval: 1h, digests: {digests} }}\n"));
        Self { site, port, running: None }
    }

    /// Running, with nothing in it.
    pub(crate) fn open() -> Self {
        let mut house = Self::new();
        house.start();
        house
    }

    pub(crate) fn start(&mut self) {
        let path = PathBuf::from(std::env::var_os("PATH").unwrap());
        let home = self.home();
        self.running =
            Some(self.site.start_with(&[("XDG_DATA_HOME", &home), ("HOME", &home), ("PATH", &path)]));
    }

    pub(crate) fn stop(&mut self) {
        assert_eq!(self.running.take().unwrap().terminate(), Some(0));
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.site.path("home")
    }

    /// A command with the house's configuration and data folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> (i32, String, String) {
        outcome(self.prepared().args(arguments).arg("--config").arg(self.site.config()))
    }

    fn prepared(&self) -> Command {
        let mut command = skillspan();
        let path = std::env::var_os("PATH").unwrap();
        command.env("XDG_DATA_HOME", self.home()).env("HOME", self.home()).env("PATH", path);
        command
    }

    /// What `skillspan mcp` answers to these lines, in the order of the answers.
    pub(crate) fn asked(&self, lines: &[String]) -> Vec<Value> {
        self.asked_with(&[], lines)
    }

    pub(crate) fn asked_with(&self, arguments: &[&str], lines: &[String]) -> Vec<Value> {
        let mut command = self.prepared();
        command.arg("mcp").args(arguments).arg("--config").arg(self.site.config());
        let answered = give(command, &lines.iter().map(|line| format!("{line}\n")).collect::<String>());
        let output = answered.wait_with_output().unwrap();
        let (stdout, stderr) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && stderr.is_empty(), "{stderr}");
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The owner, who came in with a key.
    pub(crate) fn owner(&self) -> Visitor {
        let (code, address, stderr) = self.command(&["open", "--print"]);
        assert_eq!(code, 0, "{stderr}");
        let mut visitor = self.stranger();
        visitor.enter(address.trim());
        visitor
    }

    /// Nobody that is known.
    pub(crate) fn stranger(&self) -> Visitor {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client =
            Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Visitor { port: self.port, client, cookie: String::new() }
    }

    /// Who shows a token at the sign-in.
    pub(crate) fn with_token(&self, token: &str) -> Visitor {
        let mut visitor = self.stranger();
        let answer = visitor.post("/sign-in", &[("token", token)]);
        assert_eq!(answer.status, 303, "{}", answer.text);
        visitor.take_cookie(&answer);
        visitor
    }

    /// Sends sessions; everything is in the table when this returns.
    pub(crate) fn send(&self, bodies: &[Value]) {
        self.send_with(bodies, None);
    }

    pub(crate) fn send_with(&self, bodies: &[Value], token: Option<&str>) {
        let client = crate::site::client();
        for body in bodies {
            let mut request = client.post(format!("http://127.0.0.1:{}/v1/logs", self.site.http)).json(body);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            assert!(request.send().unwrap().status().is_success());
        }
        let flush = client.post(format!("http://127.0.0.1:{}/flush", self.site.health)).send().unwrap();
        assert!(flush.status().is_success());
    }

    /// Looks for skills now.
    pub(crate) fn mine(&self) {
        let (code, _, stderr) = self.command(&["skillify"]);
        assert_eq!(code, 0, "{stderr}");
    }
}

impl Visitor {
    /// Goes to the address with a key.
    fn enter(&mut self, address: &str) {
        let answer = Answer::of(self.client.get(address).send().unwrap());
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.take_cookie(&answer);
    }

    fn take_cookie(&mut self, answer: &Answer) {
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        self.cookie = cookie.split(';').next().unwrap().to_owned();
    }

    pub(crate) fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What is answered, once nothing is being read any more.
    pub(crate) fn get(&self, path: &str) -> Answer {
        for _ in 0..300 {
            let answer = self.get_with(path, &[]);
            let told = answer.text.split_once("\"still_read\":").map(|(_, rest)| rest);
            let is_read = told.is_none_or(|rest| rest.starts_with("null") || rest.starts_with("0,"));
            let is_read = is_read || path.ends_with("/openapi.json");
            let comes_again = answer.status == 503 || answer.text.contains("http-equiv=\"refresh\"");
            if is_read && !comes_again {
                return answer;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{path} is not read within 15 s");
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.get(self.address(path)).header("cookie", &self.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.send().unwrap())
    }

    /// A page, which must be there.
    pub(crate) fn page(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.text
    }

    /// JSON of `/api/v1`, which must be there.
    pub(crate) fn json(&self, path: &str) -> Value {
        let answer = self.get(&format!("/api/v1{path}"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        serde_json::from_str(&answer.text).unwrap()
    }

    /// The token that its forms carry.
    pub(crate) fn csrf(&self) -> String {
        let page = self.page("/skills");
        let rest = page.split_once("name=\"csrf\" value=\"").unwrap().1;
        rest.split_once('"').unwrap().0.to_owned()
    }

    /// A form, as a browser sends one of this console's.
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = format!("http://127.0.0.1:{}", self.port);
        self.post_with(path, fields, &[("origin", &origin)])
    }

    pub(crate) fn post_with(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let mut request = self.client.post(self.address(path)).header("cookie", &self.cookie);
        request = request.header("content-type", "application/x-www-form-urlencoded").body(body.join("&"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.send().unwrap())
    }
}

impl Answer {
    fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().unwrap() }
    }
}

/// A text as a part of an address.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

pub(crate) fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// A session of Claude Code in which the integration tests fail until something is run.
pub(crate) struct Story<'s> {
    pub(crate) id: &'s str,
    pub(crate) person: &'s str,
    pub(crate) workspace: &'s str,
    pub(crate) repair: &'s str,
    /// Stands in every text that a client sets.
    pub(crate) everywhere: &'s str,
}

impl Story<'_> {
    pub(crate) fn body(&self) -> Value {
        let Self { id, person, workspace, repair, everywhere: more } = self;
        let mut records = Vec::new();
        let mut add = |name: &str, own: &[(&str, String)]| {
            let number = records.len();
            let common = [
                ("event.name", name.to_owned()),
                ("session.id", (*id).to_owned()),
                ("user.email", (*person).to_owned()),
                ("prompt.id", format!("{id}-p")),
                ("terminal.type", format!("xterm{more}")),
            ];
            let attributes: Vec<Value> =
                common.iter().chain(own).map(|(key, value)| attribute(key, value)).collect();
            let time = (std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() - 600
                + 2 * number as u64)
                * 1_000_000_000;
            records.push(json!({
                "timeUnixNano": time.to_string(),
                "body": { "stringValue": format!("claude_code.{name}") },
                "attributes": attributes,
            }));
        };
        let call = |number: usize, tool: &str, command: &str, ok: bool, output: &str| {
            vec![
                ("tool_name", tool.to_owned()),
                ("tool_use_id", format!("toolu_{id}_{number}{more}")),
                ("success", ok.to_string()),
                ("duration_ms", "1500".to_owned()),
                ("tool_input", json!({ "command": command }).to_string()),
                (if ok { "tool_output" } else { "error" }, output.to_owned()),
            ]
        };
        add("user_prompt", &[("prompt", format!("run the integration tests{more}"))]);
        let refused = format!("connection refused{more}");
        add("tool_result", &call(1, "Bash", "make itest", false, &refused));
        add("tool_result", &call(2, "Bash", repair, true, &format!("started{more}")));
        add("tool_result", &call(3, "Bash", "make itest", true, "ok"));
        if !more.is_empty() {
            add("tool_result", &call(4, &format!("mcp{more}"), &format!("look{more}"), false, more));
            add("assistant_response", &[("response", (*more).to_owned())]);
            add("api_error", &[("error", (*more).to_owned()), ("model", (*more).to_owned())]);
        }
        let resource = [
            attribute("service.name", "claude-code"),
            attribute("service.version", &format!("2.1{more}")),
            attribute("skillspan.workspace", workspace),
            attribute("vcs.repository.url.full", &format!("https://git.example.com/acme/till{more}")),
        ];
        json!({ "resourceLogs": [{
            "resource": { "attributes": resource },
            "scopeLogs": [{ "scope": { "name": "com.anthropic.claude_code.events" }, "logRecords": records }],
        }] })
    }
}

/// The records of a session that was sent.
fn records(body: &mut Value) -> &mut Vec<Value> {
    body["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array_mut().unwrap()
}

/// The same session, in which each record has one more attribute.
pub(crate) fn saying(mut body: Value, key: &str, value: &str) -> Value {
    for record in records(&mut body) {
        record["attributes"].as_array_mut().unwrap().push(attribute(key, value));
    }
    body
}

/// The same session, so many days earlier.
pub(crate) fn earlier(mut body: Value, days: u64) -> Value {
    for record in records(&mut body) {
        let time: u64 = record["timeUnixNano"].as_str().unwrap().parse().unwrap();
        record["timeUnixNano"] = (time - days * 86_400_000_000_000).to_string().into();
    }
    body
}

/// The UTC date so many days ago.
pub(crate) fn date(days: u64) -> String {
    let micros = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    let then = i64::try_from(micros).unwrap() - i64::try_from(days).unwrap() * 86_400_000_000;
    skillspan::event::Timestamp::from_micros(then).date()
}

/// Six sessions of three people in which something repairs the integration tests.
pub(crate) fn stories(prefix: &str, workspace: &str, repair: &str) -> Vec<Value> {
    let people = ["ana@example.com", "ben@example.com", "cleo@example.com"];
    let story = |number: usize| {
        let (id, person) = (format!("{prefix}-{number}"), people[number % people.len()]);
        Story { id: &id, person, workspace, repair, everywhere: "" }.body()
    };
    (0..6).map(story).collect()
}

/// A bare repository in a folder.
pub(crate) fn bare(folder: &Path) -> PathBuf {
    let path = folder.join("remote.git");
    let made = Command::new("git").args(["init", "--quiet", "--bare"]).arg(&path).status().unwrap();
    assert!(made.success());
    path
}
