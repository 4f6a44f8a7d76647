//! Which events are meant: what `include` and `exclude` of processors say.
//!
//! As in the Collector, all that one selection writes has to match, and of a list one entry is enough. What
//! differs: workspaces, projects, users and assistants can be named, and attributes are compared as the client
//! sent them, also those that became a column.

use regex::Regex;

use super::Sent;
use crate::event::{SessionEvent, person};

/// A regular expression; equal ones are written alike.
#[derive(Debug, Clone)]
pub struct Pattern(pub Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

/// A text that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// The whole text.
    Exactly(String),
    /// Somewhere in the text.
    Like(Pattern),
}

/// An attribute that has to be there, with such a value if one is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: Option<Test>,
}

/// The conditions that an event must meet, all of them; an empty list selects every event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// All of these.
    pub attributes: Vec<Attribute>,
    /// `service.name`.
    pub services: Vec<Test>,
    /// Such as `claude-code`.
    pub assistants: Vec<Test>,
    /// Of the event, as the pipeline's `workspace` processor names them.
    pub workspaces: Vec<Test>,
    /// As `host/owner/name`.
    pub projects: Vec<Test>,
    /// People, in any way to write them.
    pub users: Vec<Test>,
}

/// How a pipeline names workspaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workspaces {
    /// The attributes that name one, in order of precedence; `None`: the event says it.
    pub from: Option<Vec<String>>,
    /// The workspace of those that name none.
    pub default: String,
}

impl Test {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exactly(wanted) => wanted == text,
            Self::Like(pattern) => pattern.0.is_match(text),
        }
    }

    fn is_person(&self, event: &SessionEvent) -> bool {
        match self {
            Self::Exactly(wanted) => person::is_same(wanted, &event.user_id, &event.assistant),
            Self::Like(pattern) => !event.user_id.is_empty() && pattern.0.is_match(&event.user_id),
        }
    }
}

impl Selection {
    /// Whether it names sessions, not single records of them.
    pub fn is_of_sessions(&self) -> bool {
        !(self.workspaces.is_empty() && self.projects.is_empty() && self.users.is_empty())
    }

    /// Whether the event is meant; workspaces are named by `naming`.
    pub fn matches(&self, event: &SessionEvent, sent: &Sent<'_>, naming: &Workspaces) -> bool {
        let any =
            |tests: &[Test], text: &str| tests.is_empty() || tests.iter().any(|test| test.matches(text));
        self.attributes.iter().all(|attribute| attribute.is_of(event, sent))
            && any(&self.services, &event.service)
            && any(&self.assistants, &event.assistant)
            && (self.workspaces.is_empty() || any(&self.workspaces, &naming.of(event, sent).0))
            && any(&self.projects, &event.project)
            && (self.users.is_empty() || self.users.iter().any(|test| test.is_person(event)))
    }
}

impl Attribute {
    fn is_of(&self, event: &SessionEvent, sent: &Sent<'_>) -> bool {
        let stored = event.attributes.get(&self.key).map(text_of);
        let Some(value) = stored.or_else(|| sent.attribute(&self.key)) else { return false };
        self.value.as_ref().is_none_or(|test| test.matches(&value))
    }
}

impl Workspaces {
    /// The workspace of an event, and whether the event names it itself.
    pub fn of(&self, event: &SessionEvent, sent: &Sent<'_>) -> (String, bool) {
        if let Some(workspace) = sent.workspace {
            return (workspace.to_owned(), true);
        }
        let stored = |name: &String| event.attributes.get(name).map(text_of);
        let named = match &self.from {
            Some(from) => from.iter().find_map(|name| stored(name).or_else(|| sent.attribute(name))),
            None => Some(event.workspace.clone()),
        };
        match named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) {
            Some(name) => (name, true),
            // Where no attribute names it, it is the workspace of all sessions.
            None => (self.default.clone(), self.from.as_ref().is_some_and(Vec::is_empty)),
        }
    }
}

/// A value as a text: numbers and flags as they are written.
pub(super) fn text_of(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
