//! The planted sessions: in each workspace a check fails, something repairs it, and the check passes.

use serde_json::{Value, json};

/// How much there is.
pub(crate) struct World {
    pub(crate) workspaces: usize,
    pub(crate) sessions: usize,
}

/// One request of one session.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) session: usize,
    pub(crate) body: Vec<u8>,
}

/// The next number of a seed's sequence (SplitMix64).
pub(crate) fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A number below `bound`.
pub(crate) fn below(state: &mut u64, bound: usize) -> usize {
    let bound = u64::try_from(bound).unwrap();
    usize::try_from(next(state) % bound).unwrap()
}

/// On how many days the sessions begin, so that nothing is the word of one.
pub(crate) const DAYS: usize = 12;
const DAYS64: u64 = DAYS as u64;

/// Seconds of 1970 at which the first session begins: 18 November 2026.
const BEGIN: u64 = 1_794_988_800;

impl World {
    /// The requests of all sessions, each session's in order, of one to three records each.
    pub(crate) fn requests(&self, seed: u64) -> Vec<Request> {
        let mut state = seed;
        (0..self.sessions).flat_map(|number| self.session(number, &mut state)).collect()
    }

    fn session(&self, number: usize, state: &mut u64) -> Vec<Request> {
        let workspace = number % self.workspaces;
        let mut records = Records::new(number, below(state, 4));
        let (check, repair) = (format!("make itest-{workspace}"), format!("make db-up-{workspace}"));
        let refused = format!("dial tcp 127.0.0.1:54{workspace:02}: connect: connection refused");
        records.prompt(&format!("check the orders of batch {number}"));
        records.run("git status", None);
        records.run(&check, Some(&refused));
        // Now and then somebody tries again first.
        if below(state, 5) == 0 {
            records.run(&check, Some(&refused));
        }
        records.run(&repair, None);
        records.run(&check, None);
        records.record("assistant_response", &[("response", &format!("batch {number} is fine"))]);
        let mut rest = records.made.as_slice();
        let mut requests = Vec::new();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(rest.len().min(1 + below(state, 3)));
            requests.push(Request { session: number, body: body(workspace, chunk) });
            rest = after;
        }
        requests
    }
}

/// The records of one session, as Claude Code sends them.
struct Records {
    session: String,
    person: String,
    now: u64,
    made: Vec<Value>,
}

impl Records {
    fn new(number: usize, person: usize) -> Self {
        let number64 = u64::try_from(number).unwrap();
        Self {
            session: format!("{number:08x}-0000-4000-8000-000000000000"),
            person: format!("person-{person}@example.com"),
            now: BEGIN + (number64 % DAYS64) * 86_400 + (number64 / DAYS64) * 600,
            made: Vec::new(),
        }
    }

    fn record(&mut self, name: &str, own: &[(&str, &str)]) {
        self.now += 20;
        let common = [("event.name", name), ("session.id", &self.session), ("user.email", &self.person)];
        let attributes: Vec<Value> =
            common.iter().chain(own).map(|(key, text)| attribute(key, text)).collect();
        self.made.push(json!({
            "timeUnixNano": format!("{}000000000", self.now),
            "body": { "stringValue": format!("claude_code.{name}") },
            "attributes": attributes,
        }));
    }

    fn prompt(&mut self, text: &str) {
        self.record("user_prompt", &[("prompt", text)]);
    }

    /// A command; `error` is what it printed as it failed.
    fn run(&mut self, command: &str, error: Option<&str>) {
        let call = format!("toolu_{}_{}", self.session, self.made.len());
        let input = json!({ "command": command }).to_string();
        let end = error.map_or(("tool_output", "done"), |error| ("error", error));
        let success = if error.is_none() { "true" } else { "false" };
        self.record(
            "tool_result",
            &[
                ("tool_name", "Bash"),
                ("tool_use_id", &call),
                ("success", success),
                ("tool_input", &input),
                end,
            ],
        );
    }
}

fn attribute(key: &str, text: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": text } })
}

fn body(workspace: usize, records: &[Value]) -> Vec<u8> {
    let resource = [
        ("service.name", "claude-code".to_owned()),
        ("service.version", "2.1.330".to_owned()),
        ("skillspan.workspace", format!("team-{workspace}")),
        ("vcs.repository.url.full", format!("https://git.example.com/acme/orders-{workspace}")),
    ];
    let resource: Vec<Value> = resource.iter().map(|(key, text)| attribute(key, text)).collect();
    let scope = json!({ "name": "com.anthropic.claude_code.events", "version": "2.1.330" });
    let scopes = json!([{ "scope": scope, "logRecords": records }]);
    let request =
        json!({ "resourceLogs": [{ "resource": { "attributes": resource }, "scopeLogs": scopes }] });
    request.to_string().into_bytes()
}
