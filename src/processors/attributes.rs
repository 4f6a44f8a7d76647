//! Attributes change, with the actions of the Collector's processor of that name.
//!
//! What differs: there is `rename`; `set` is `upsert`; and a key may be one that became a column of its own.
//! `delete` and `hash` then reach the column, so that no name stays readable that was to be hashed. The names
//! of [`COLUMNS`] mean those columns in every action.

use serde_json::Value;

use super::select::{Pattern, Selection, Workspaces, text_of};
use super::{Processor, Sent, payload_texts};
use crate::event::{SessionEvent, person, sha256_hex};

/// The columns that an action may name.
pub const COLUMNS: [&str; 9] =
    ["agent", "assistant", "assistant_version", "cwd", "model", "project", "service", "user_id", "workspace"];

/// What stands before the hash in a column: a bare hash would be taken for an id that a client made up, which
/// counts as nobody.
const HASHED: &str = "sha256:";

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Writes it where there is none.
    Insert(String, Origin),
    /// Writes it where there is one.
    Update(String, Origin),
    /// Writes it in any case.
    Upsert(String, Origin),
    /// Takes it away.
    Delete(Keys),
    /// Puts the SHA-256 of its value in its place.
    Hash(Keys),
    /// Gives it another name, where it is there; what had that name is replaced.
    Rename {
        /// The name it has.
        from: String,
        /// The name it gets.
        to: String,
    },
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The configuration.
    Value(Value),
    /// Another attribute.
    Attribute(String),
}

/// Which attributes are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// One.
    One(String),
    /// All whose names are like this.
    Like(Pattern),
}

/// The processor `attributes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// What is changed, in order.
    pub actions: Vec<Action>,
    /// Only of these events; `None`: of all.
    pub include: Option<Selection>,
    /// Not of these.
    pub exclude: Vec<Selection>,
    /// How the pipeline names workspaces.
    pub naming: Workspaces,
}

impl Attributes {
    /// The names that values get, each with the name they had: what is redacted by its name is redacted by
    /// the one it had as well.
    pub fn renames(&self) -> impl Iterator<Item = (&str, &str)> {
        self.actions.iter().filter_map(|action| match action {
            Action::Rename { from, to } => Some((to.as_str(), from.as_str())),
            Action::Insert(to, Origin::Attribute(from))
            | Action::Update(to, Origin::Attribute(from))
            | Action::Upsert(to, Origin::Attribute(from)) => Some((to.as_str(), from.as_str())),
            _ => None,
        })
    }
}

impl Processor for Attributes {
    fn process(&self, events: &mut Vec<SessionEvent>, sent: &Sent<'_>) {
        for event in events {
            let means = |selection: &Selection| selection.matches(event, sent, &self.naming);
            if self.include.as_ref().is_none_or(means) && !self.exclude.iter().any(means) {
                self.actions.iter().for_each(|action| action.apply(event, sent));
            }
        }
    }
}

impl Action {
    fn apply(&self, event: &mut SessionEvent, sent: &Sent<'_>) {
        match self {
            Self::Insert(key, from) if !is_there(event, key) => write(event, key, from),
            Self::Update(key, from) if is_there(event, key) => write(event, key, from),
            Self::Insert(..) | Self::Update(..) => {}
            Self::Upsert(key, from) => write(event, key, from),
            Self::Delete(keys) => {
                for key in keys.of(event) {
                    event.attributes.remove(&key);
                    change_columns(event, &key, sent, &mut String::clear);
                }
            }
            Self::Hash(keys) => {
                for key in keys.of(event) {
                    if let Some(value) = event.attributes.get_mut(&key) {
                        *value = hash(&text_of(value)).into();
                    }
                    change_columns(event, &key, sent, &mut |text| {
                        if !text.starts_with(HASHED) {
                            *text = format!("{HASHED}{}", hash(text));
                        }
                    });
                }
            }
            Self::Rename { from, to } => {
                if let Some(value) = event.attributes.remove(from) {
                    event.attributes.insert(to.clone(), value);
                }
            }
        }
    }
}

impl Keys {
    /// The attribute names that the rule selects. A name that the rule spells out is selected even if the event lacks
    /// it.
    fn of(&self, event: &SessionEvent) -> Vec<String> {
        match self {
            Self::One(key) => vec![key.clone()],
            Self::Like(pattern) => {
                let names = event.attributes.keys().map(String::as_str).chain(COLUMNS);
                names.filter(|name| pattern.0.is_match(name)).map(str::to_owned).collect()
            }
        }
    }
}

/// The column that an action may name.
pub(super) fn column<'e>(event: &'e mut SessionEvent, key: &str) -> Option<&'e mut String> {
    Some(match key {
        "agent" => &mut event.agent,
        "assistant" => &mut event.assistant,
        "assistant_version" => &mut event.assistant_version,
        "cwd" => &mut event.cwd,
        "model" => &mut event.model,
        "project" => &mut event.project,
        "service" => &mut event.service,
        "user_id" => &mut event.user_id,
        "workspace" => &mut event.workspace,
        _ => return None,
    })
}

fn is_there(event: &mut SessionEvent, key: &str) -> bool {
    event.attributes.contains_key(key) || column(event, key).is_some_and(|text| !text.is_empty())
}

fn write(event: &mut SessionEvent, key: &str, from: &Origin) {
    let value = match from {
        Origin::Value(value) => Some(value.clone()),
        Origin::Attribute(name) => event.attributes.get(name).cloned(),
    };
    let Some(value) = value else { return };
    match column(event, key) {
        Some(text) => *text = text_of(&value),
        None => drop(event.attributes.insert(key.to_owned(), value)),
    }
}

/// Changes the column of that name, and every column that the client filled under it.
fn change_columns(event: &mut SessionEvent, key: &str, sent: &Sent<'_>, change: &mut dyn FnMut(&mut String)) {
    if let Some(text) = column(event, key).filter(|text| !text.is_empty()) {
        change(text);
    }
    let Some(value) = sent.attribute(key) else { return };
    let named = person::named(&value);
    for text in payload_texts(event) {
        if !text.is_empty() && (*text == value || named.as_ref() == Some(text)) {
            change(text);
        }
    }
}

fn hash(text: &str) -> String {
    sha256_hex(text, 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(actions: &[Action], attributes: Value, sent: &[(&str, &str)]) -> SessionEvent {
        let attributes = serde_json::from_value(attributes).unwrap();
        let mut events = vec![SessionEvent {
            user_id: "ana@example.com".to_owned(),
            text: "fix the build".to_owned(),
            attributes,
            ..SessionEvent::default()
        }];
        let find =
            |name: &str| sent.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let processor = Attributes {
            actions: actions.to_vec(),
            include: None,
            exclude: Vec::new(),
            naming: Workspaces::default(),
        };
        processor.process(&mut events, &Sent { attributes: &find, workspace: None });
        events.remove(0)
    }

    fn left(actions: &[Action], attributes: Value) -> String {
        serde_json::to_string(&apply(actions, attributes, &[]).attributes).unwrap()
    }

    fn value(text: &str) -> Origin {
        Origin::Value(text.into())
    }

    #[test]
    fn actions_do_what_the_collector_s_do() {
        let key = || "a".to_owned();
        let one = || serde_json::json!({ "a": 1 });
        let none = || serde_json::json!({});
        let copy = || Origin::Attribute("b".to_owned());
        for (action, before, after) in [
            (Action::Insert(key(), value("x")), none(), r#"{"a":"x"}"#),
            (Action::Insert(key(), value("x")), one(), r#"{"a":1}"#),
            (Action::Update(key(), value("x")), none(), "{}"),
            (Action::Update(key(), value("x")), one(), r#"{"a":"x"}"#),
            (Action::Upsert(key(), value("x")), none(), r#"{"a":"x"}"#),
            (Action::Upsert(key(), value("x")), one(), r#"{"a":"x"}"#),
            (Action::Upsert(key(), copy()), one(), r#"{"a":1}"#),
            (Action::Upsert(key(), copy()), serde_json::json!({ "b": 2 }), r#"{"a":2,"b":2}"#),
            (Action::Delete(Keys::One(key())), one(), "{}"),
            (
                Action::Delete(Keys::Like(Pattern(regex::Regex::new("^a").unwrap()))),
                serde_json::json!({ "ab": 1, "b": 1 }),
                r#"{"b":1}"#,
            ),
            (Action::Rename { from: key(), to: "b".to_owned() }, one(), r#"{"b":1}"#),
            (Action::Rename { from: key(), to: "b".to_owned() }, none(), "{}"),
            (
                Action::Hash(Keys::One(key())),
                serde_json::json!({ "a": "hello" }),
                r#"{"a":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}"#,
            ),
        ] {
            assert_eq!(left(std::slice::from_ref(&action), before), after, "{action:?}");
        }
    }

    #[test]
    fn what_became_a_column_is_hashed_and_deleted_there() {
        let hash = |name: &str| [Action::Hash(Keys::One(name.to_owned()))];
        let sent = [("user.email", "Ana@Example.com"), ("prompt", "fix the build")];
        let hashed = apply(&hash("user.email"), serde_json::json!({}), &sent);
        assert!(hashed.user_id.starts_with(HASHED), "{}", hashed.user_id);
        assert_eq!(person::joined(&hashed.user_id, "claude-code"), hashed.user_id, "a person all the same");
        assert_eq!(apply(&hash("user_id"), serde_json::json!({}), &[]).user_id, hashed.user_id);
        let twice = [hash("user_id"), hash("user.email")].concat();
        assert_eq!(apply(&twice, serde_json::json!({}), &sent).user_id, hashed.user_id);
        let deleted = apply(&[Action::Delete(Keys::One("prompt".to_owned()))], serde_json::json!({}), &sent);
        assert_eq!(deleted.text, "");
        let set = [Action::Upsert("workspace".to_owned(), value("shop"))];
        assert_eq!(apply(&set, serde_json::json!({}), &[]).workspace, "shop");
    }
}
