//! Credentials leave every text of an event; named attributes leave altogether.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::event::{Attributes, SessionEvent};
use crate::redact::{Redactor, names_identifier};

use super::attributes::column;
use super::{IDENTIFIERS, Processor, Sent, TEXTS, payload_identifiers, payload_texts};

/// Which fields a JSON value is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// All that a client gave, what it calls its sessions, turns and calls included.
    OfClient,
    /// What is left when a dialect has taken those out.
    Left,
}

/// What became of a text or a value.
#[derive(Debug, Clone, Copy, Default)]
struct Done {
    /// It was longer than is stored.
    is_cut: bool,
    /// It is another one than before.
    is_altered: bool,
}

impl std::ops::BitOr for Done {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self { is_cut: self.is_cut | other.is_cut, is_altered: self.is_altered | other.is_altered }
    }
}

/// What of an event stayed as it was. The next event of its record says most of it again, and what was found to
/// hold no secret once need not be looked through again.
#[derive(Debug, Clone, Copy, Default)]
struct Plain {
    texts: [bool; TEXTS],
    identifiers: [bool; IDENTIFIERS],
    attributes: bool,
}

/// The processor `redact`.
pub struct Redact {
    redactor: Redactor,
    drop_attributes: BTreeSet<String>,
    /// Names of attributes, each with the names that its value may have had before.
    renamed: BTreeMap<String, BTreeSet<String>>,
    /// Texts are cut here anyhow: what stands behind it need not be looked at.
    limit: usize,
}

impl Redact {
    /// With the rules of `redactor`; attributes named in `drop_attributes` are not stored at all.
    pub fn new(redactor: Redactor, drop_attributes: impl IntoIterator<Item = String>) -> Self {
        Self {
            redactor,
            drop_attributes: drop_attributes.into_iter().collect(),
            renamed: BTreeMap::new(),
            limit: usize::MAX,
        }
    }

    /// The same where attributes were given other names before: (new, old), in the order in which they were. A
    /// value whose old name says that it is a secret, or that it is not to be stored, is none the less.
    #[must_use]
    pub fn knowing(mut self, renames: &[(String, String)]) -> Self {
        for (new, old) in renames {
            let mut before = self.renamed.get(old).cloned().unwrap_or_default();
            before.insert(old.clone());
            self.renamed.entry(new.clone()).or_default().extend(before);
        }
        self
    }

    /// The same where texts are cut to `limit` bytes: this processor cuts them, so that it looks at no more,
    /// and so that nothing is left of a secret that stands where a text is cut.
    #[must_use]
    pub fn cutting_at(self, limit: u64) -> Self {
        Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), ..self }
    }

    fn text(&self, text: &mut String) -> Done {
        let is_cut = text.len() > self.limit;
        Done { is_cut, is_altered: replace(text, |text| self.redactor.redact_up_to(text, self.limit)) }
    }

    /// Redacts the JSON of a client before it is mapped: each value as an attribute's, but the client's ids of
    /// sessions, turns and calls as ids.
    pub fn json(&self, json: &mut Value) {
        self.named_json("", json);
    }

    /// The same for the value of a field.
    pub fn named_json(&self, name: &str, json: &mut Value) {
        self.value(name, json, Words::OfClient);
    }

    /// The value of a field: its name may say that all of it is a secret.
    fn value(&self, name: &str, value: &mut Value, words: Words) -> Done {
        match value {
            Value::String(text) if words == Words::OfClient && names_identifier(name) => {
                let is_altered = replace(text, |text| self.redactor.redact_identifier(text));
                Done { is_cut: false, is_altered }
            }
            Value::String(text) => {
                let is_cut = text.len() > self.limit;
                let is_altered =
                    replace(text, |text| self.redactor.redact_value_up_to(name, text, self.limit));
                Done { is_cut, is_altered }
            }
            Value::Array(items) => {
                items.iter_mut().fold(Done::default(), |done, item| self.value(name, item, words) | done)
            }
            Value::Object(fields) => {
                let (mut renamed, mut done) = (Vec::new(), Done::default());
                for (name, value) in fields.iter_mut() {
                    done = done | self.value(name, value, words);
                    renamed.extend(self.other_name(name).map(|to| (name.clone(), to)));
                }
                done.is_altered |= !renamed.is_empty();
                for (from, to) in renamed {
                    if let Some(value) = fields.remove(&from) {
                        fields.insert(to, value);
                    }
                }
                done
            }
            Value::Number(number) => {
                let text = number.to_string();
                let Cow::Owned(redacted) = self.redactor.redact_value(name, &text) else {
                    return Done::default();
                };
                *value = Value::String(redacted);
                Done { is_cut: false, is_altered: true }
            }
            Value::Null | Value::Bool(_) => Done::default(),
        }
    }

    /// The name to store a field under, if its own holds a secret.
    fn other_name(&self, name: &str) -> Option<String> {
        match self.redactor.redact(name) {
            Cow::Owned(redacted) => Some(redacted),
            Cow::Borrowed(_) => None,
        }
    }

    /// Attributes that were copied to a column.
    fn moved(&self, event: &mut SessionEvent) {
        for (name, before) in &self.renamed {
            let Some(text) = column(event, name) else { continue };
            for old in before {
                match self.drop_attributes.contains(old) {
                    true => text.clear(),
                    false => {
                        replace(text, |text| self.redactor.redact_value_up_to(old, text, self.limit));
                    }
                }
            }
        }
    }

    fn identifier(&self, identifier: &mut String) -> bool {
        replace(identifier, |text| self.redactor.redact_identifier(text))
    }

    /// Redacts one event. `plain` tells which fields of `last` had nothing to redact.
    fn event(&self, event: &mut SessionEvent, last: &mut SessionEvent, plain: &mut Plain) {
        let mut is_cut = false;
        let texts = payload_texts(event).into_iter().zip(payload_texts(last));
        for ((text, last), plain) in texts.zip(&mut plain.texts) {
            if !is_plain(text, last, plain) {
                let done = self.text(text);
                (*plain, is_cut) = (!done.is_altered, is_cut | done.is_cut);
            }
        }
        let identifiers = payload_identifiers(event).into_iter().zip(payload_identifiers(last));
        for ((identifier, last), plain) in identifiers.zip(&mut plain.identifiers) {
            if !is_plain(identifier, last, plain) {
                *plain = !self.identifier(identifier);
            }
        }
        self.moved(event);
        if !(plain.attributes && event.attributes == last.attributes) {
            let done = self.attributes(&mut event.attributes);
            (plain.attributes, is_cut) = (!done.is_altered, is_cut | done.is_cut);
        }
        event.truncated |= is_cut;
    }

    fn attributes(&self, attributes: &mut Attributes) -> Done {
        let none = BTreeSet::new();
        let before = |name: &String| self.renamed.get(name).unwrap_or(&none);
        let all = attributes.len();
        attributes.retain(|name, _| {
            !self.drop_attributes.contains(name) && self.drop_attributes.is_disjoint(before(name))
        });
        let mut done = Done { is_cut: false, is_altered: attributes.len() < all };
        let mut renamed = Vec::new();
        for (name, value) in attributes.iter_mut() {
            for name in before(name) {
                done = done | self.value(name, value, Words::Left);
            }
            done = done | self.value(name, value, Words::Left);
            renamed.extend(self.other_name(name).map(|to| (name.clone(), to)));
        }
        done.is_altered |= !renamed.is_empty();
        for (from, to) in renamed {
            if let Some(value) = attributes.remove(&from) {
                attributes.insert(to, value);
            }
        }
        done
    }
}

/// Whether a text holds no secret because it holds nothing, or what `last` did, which was `plain`. Empty texts are
/// told by their lengths: comparing two of them reads an address that no memory is at, and a processor with masked
/// loads takes 130 ns to pass over that. Most texts of an event are empty.
fn is_plain(text: &str, last: &str, plain: &mut bool) -> bool {
    *plain = text.is_empty() || *plain;
    text.is_empty() || (*plain && text == last)
}

/// Whether the text is another one than before.
fn replace(text: &mut String, redact: impl Fn(&str) -> Cow<'_, str>) -> bool {
    if text.is_empty() {
        return false;
    }
    let before = text.len();
    match redact(text) {
        Cow::Owned(redacted) => {
            *text = redacted;
            true
        }
        Cow::Borrowed(first) => {
            let length = first.len();
            text.truncate(length);
            length < before
        }
    }
}

impl Processor for Redact {
    fn process(&self, events: &mut Vec<SessionEvent>, _sent: &Sent<'_>) {
        let (mut none, mut plain) = (SessionEvent::default(), Plain::default());
        for index in 0..events.len() {
            let (done, rest) = events.split_at_mut(index);
            let Some(event) = rest.first_mut() else { return };
            // A value that was moved to another column is judged by the name of both.
            if !self.renamed.is_empty() {
                plain = Plain::default();
            }
            self.event(event, done.last_mut().unwrap_or(&mut none), &mut plain);
        }
    }

    fn rename(&self, events: &mut Vec<SessionEvent>) {
        for event in events {
            for identifier in payload_identifiers(event) {
                self.identifier(identifier);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_cut_first_and_leaves_no_part_of_a_secret() {
        let redact = |limit: u64, text: &str| {
            let attributes = serde_json::from_value(serde_json::json!({ "note": ["a", text] })).unwrap();
            let mut events =
                vec![SessionEvent { text: text.to_owned(), attributes, ..SessionEvent::default() }];
            Redact::new(Redactor::built_in().unwrap(), [])
                .cutting_at(limit)
                .process(&mut events, &Sent::NOTHING);
            let event = events.remove(0);
            (event.text.clone(), event.attributes["note"][1].as_str().unwrap().to_owned(), event.truncated)
        };
        let secret = format!("ghp_{}", "a1B2".repeat(9));
        for before in ["plain ", "日本語 "] {
            let text = format!("{before}{secret} behind {}", "x".repeat(10_000));
            for limit in before.len() as u64 + 1..(before.len() + secret.len()) as u64 {
                let (stored, attribute, cut) = redact(limit, &text);
                let placeholder = stored.strip_prefix(before).unwrap();
                assert!(
                    placeholder.starts_with("[redacted:github-token:") && placeholder.len() == 30,
                    "{stored}"
                );
                assert_eq!((stored == attribute, cut), (true, true));
            }
        }
        // What shrinks before the cut brings nothing in from behind it.
        let text =
            format!("{}sk-ant-{} {}", format!("{secret} ").repeat(50), "q".repeat(9_000), "x".repeat(9_000));
        let (stored, _, cut) = redact(51 * 41, &text);
        assert!(cut && !stored.contains("qqq") && stored.ends_with(']'), "{stored}");
        let (stored, _, cut) = redact(100, "日本語");
        assert_eq!((stored.as_str(), cut), ("日本語", false));
        let (stored, _, cut) = redact(4, "日本語");
        assert_eq!((stored.as_str(), cut), ("日", true));
    }

    #[test]
    fn a_name_is_looked_at_once_however_many_values_it_has() {
        let redact = Redact::new(Redactor::built_in().unwrap(), []);
        let name = format!("{} ghp_{}", "password ".repeat(2_000), "a1".repeat(18));
        let values: Vec<Value> = (0..20_000).map(Value::from).collect();
        let mut json = serde_json::json!({ name: [values] });
        redact.json(&mut json);
        let fields = json.as_object().unwrap();
        assert!(fields.keys().all(|name| name.contains("[redacted:github-token:")), "{fields:?}");
    }

    #[test]
    fn a_secret_is_one_by_the_name_that_it_had() {
        let renames = [("b", "db.password"), ("c", "b"), ("d", "process.owner"), ("project", "db.password")]
            .map(|(new, old)| (new.to_owned(), old.to_owned()));
        let redact =
            Redact::new(Redactor::built_in().unwrap(), ["process.owner".to_owned()]).knowing(&renames);
        let attributes = serde_json::json!({ "b": "correct", "c": "horse", "d": "battery", "e": "staple" });
        let attributes = serde_json::from_value(attributes).unwrap();
        let project = "clip".to_owned();
        let mut events = vec![SessionEvent { attributes, project, ..SessionEvent::default() }];
        redact.process(&mut events, &Sent::NOTHING);
        let shown = format!("{:?} {}", events[0].attributes, events[0].project);
        assert!(["correct", "horse", "battery", "clip"].iter().all(|word| !shown.contains(word)), "{shown}");
        assert!(shown.contains("staple") && shown.contains("\"c\""), "{shown}");
    }

    #[test]
    fn events_of_one_record_are_redacted_as_if_each_were_alone() {
        let secret = format!("ghp_{}", "a1".repeat(18));
        let event = |text: &str, tool: &str, noted: &str| SessionEvent {
            text: text.to_owned(),
            tool: tool.to_owned(),
            session_id: tool.to_owned(),
            attributes: [("note".to_owned(), noted.into()), ("drop".to_owned(), noted.into())].into(),
            ..SessionEvent::default()
        };
        let texts = ["plain", secret.as_str(), "plain and long", ""];
        let events: Vec<SessionEvent> = texts
            .iter()
            .flat_map(|text| texts.iter().map(move |tool| (text, tool)))
            .flat_map(|(text, tool)| [event(text, tool, text), event(text, tool, tool)])
            .collect();
        let redact = Redact::new(
            Redactor::new(&crate::redact::Options::default(), crate::redact::Key::random()).unwrap(),
            ["drop".to_owned()],
        )
        .cutting_at(10);
        let (mut together, mut alone) = (events.clone(), Vec::new());
        redact.process(&mut together, &Sent::NOTHING);
        for event in events {
            let mut one = vec![event];
            redact.process(&mut one, &Sent::NOTHING);
            alone.append(&mut one);
        }
        assert_eq!(together, alone);
        assert!(
            together.iter().any(|event| event.truncated) && together.iter().any(|event| !event.truncated)
        );
    }

    #[test]
    fn reaches_every_text_of_an_event() {
        let secret = format!("ghp_{}", "a1".repeat(18));
        let attributes = serde_json::json!({
            "process.owner": "root",
            secret.clone(): { secret.clone(): 1 },
            "db.password": "correct",
            "request": { "headers": { "Authorization": ["opaque1credential2"] }, "pin_password": 12345678 },
            "nested": { "list": [secret, { "deep": format!("token {secret}") }] },
        });
        let mut event = SessionEvent {
            attributes: serde_json::from_value(attributes).unwrap(),
            ..SessionEvent::default()
        };
        for text in payload_texts(&mut event) {
            *text = format!("before {secret} after");
        }
        for text in payload_identifiers(&mut event) {
            text.clone_from(&secret);
        }
        let mut events = vec![event];
        Redact::new(Redactor::built_in().unwrap(), ["process.owner".to_owned()])
            .process(&mut events, &Sent::NOTHING);
        let shown = format!("{:?}", events[0]);
        assert!(!shown.contains(&secret), "{shown}");
        assert!(!shown.contains("process.owner"), "{shown}");
        assert!(
            !shown.contains("correct") && !shown.contains("opaque1") && !shown.contains("12345678"),
            "{shown}"
        );
        let (before, after) = events[0].text.split_once("[redacted:github-token:").unwrap();
        assert_eq!((before, after.len()), ("before ", "3f9a1c] after".len()));
        assert_eq!(events[0].session_id, events[0].tool_call_id, "equal secrets stay equal");
    }
}
