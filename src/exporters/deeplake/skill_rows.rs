//! A SKILL.md as a row of the `skills` table, and back.
//!
//! The reference's clients write a SKILL.md of their own around a row's `body`: the front matter is ours
//! to leave out and theirs to make. A library is read back from the rows: where the latest version of a
//! skill says what was generated, the generated file stands; where it says something else, a person or
//! another program wrote it, and the library leaves it alone as it does everywhere.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rows::stable_id;
use super::sql::Value as SqlValue;
use super::storable::storable;
use crate::event::Timestamp;
use crate::library::{Candidate, Listed, SKILLS, Tree, session_hash};

/// Who our rows say made them: `source_agent` and `author`.
pub(super) const OURS: &str = "skillspan";
/// The link to a file that a row cannot carry.
const EVIDENCE_LINK: &str = ": [references/evidence.md](references/evidence.md)";
/// Separates a description's trigger from the lesson before it.
const BEFORE_TRIGGER: &str = ". Use ";

/// The columns that the latest version of a skill is read from, in the order of [`Latest::of`].
pub(super) const READ: &str = "project_key, name, version, source_agent, description, body";

/// The latest version of a skill, as far as it concerns a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Latest {
    pub(super) project_key: String,
    pub(super) name: String,
    pub(super) version: u64,
    pub(super) is_ours: bool,
    description: String,
    body: String,
}

/// What the library remembers at the service, beside the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// The state that was reached.
    pub(super) current: Option<String>,
    /// The state that a publish is on its way to.
    pub(super) next: Option<String>,
    /// The files as they were generated.
    pub(super) tree: Tree,
    /// The files as they will be.
    pub(super) next_tree: Option<Tree>,
}

/// The front matter of a generated SKILL.md, and the rest.
struct Parsed<'t> {
    fields: BTreeMap<&'t str, String>,
    body: String,
}

impl<'t> Parsed<'t> {
    fn of(text: &'t str) -> Self {
        let rest = text.strip_prefix("---\n").unwrap_or(text);
        let (head, body) = rest.split_once("\n---\n").unwrap_or(("", rest));
        let fields = head.lines().filter_map(|line| {
            let (key, value) = line.trim_start().split_once(": ")?;
            Some((key, serde_json::from_str(value).unwrap_or_else(|_| value.to_owned())))
        });
        let body = body.trim_start_matches('\n').replace(EVIDENCE_LINK, "");
        Self { fields: fields.collect(), body: storable(&body).into_owned() }
    }

    fn field(&self, key: &str) -> &str {
        self.fields.get(key).map_or("", String::as_str)
    }

    fn description(&self) -> String {
        storable(self.field("description")).into_owned()
    }
}

impl Latest {
    /// From a row's [`READ`] columns; `None` if they are not what the table's columns hold.
    fn of(row: &[Value]) -> Option<Self> {
        let [project_key, name, version, source_agent, description, body] = row else { return None };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        // A BIGINT comes as a number or as its digits.
        let version = version.as_u64().or_else(|| version.as_str()?.parse().ok())?;
        Some(Self {
            project_key: text(project_key)?,
            name: text(name)?,
            version,
            is_ours: source_agent.as_str() == Some(OURS),
            description: text(description)?,
            body: text(body)?,
        })
    }

    /// The latest version of each skill that we ever wrote a version of, by name.
    pub(super) fn ours(rows: &[Vec<Value>]) -> BTreeMap<String, Self> {
        let mut latest: BTreeMap<(String, String), Self> = BTreeMap::new();
        let mut ours = BTreeSet::new();
        for row in rows.iter().filter_map(|row| Self::of(row)) {
            let key = (row.project_key.clone(), row.name.clone());
            if row.is_ours {
                ours.insert(key.clone());
            }
            match latest.get(&key) {
                Some(known) if known.version >= row.version => {}
                _ => drop(latest.insert(key, row)),
            }
        }
        let wanted = latest.into_iter().filter(|(key, _)| ours.contains(key));
        wanted.map(|((_, name), row)| (name, row)).collect()
    }

    /// Whether it says what the file says.
    pub(super) fn says(&self, text: &str) -> bool {
        let parsed = Parsed::of(text);
        parsed.body == self.body && parsed.description() == self.description
    }

    /// A SKILL.md of what it says.
    fn as_file(&self) -> String {
        let description = Value::from(self.description.as_str());
        format!("---\nname: {}\ndescription: {description}\n---\n\n{}", self.name, self.body)
    }
}

impl Memory {
    /// The library's files as the service has them.
    pub(super) fn tree(&self, rows: &BTreeMap<String, Latest>) -> Tree {
        let generated = |path: &String| {
            let next = self.next_tree.as_ref().and_then(|tree| tree.get(path));
            [next, self.tree.get(path)].into_iter().flatten()
        };
        // A table without any row of ours was emptied or lost; nobody refused every skill.
        if rows.is_empty() {
            return self.tree.clone();
        }
        let mut tree = Tree::new();
        for (name, row) in rows {
            let path = skill_path(name);
            match generated(&path).find(|text| row.says(text)) {
                Some(text) => drop(tree.insert(path, text.clone())),
                // What we retired stays there as its last version says.
                None if row.is_ours && !self.tree.contains_key(&path) => {}
                None => drop(tree.insert(path, row.as_file())),
            }
        }
        for (path, text) in &self.tree {
            let folder =
                path.strip_prefix(SKILLS).and_then(|rest| rest.trim_start_matches('/').split('/').next());
            let of_skill = folder.filter(|_| path.starts_with(SKILLS));
            let stands = of_skill.is_none_or(|name| tree.contains_key(&skill_path(name)));
            if !path.ends_with("/SKILL.md") && stands {
                tree.insert(path.clone(), text.clone());
            }
        }
        tree
    }
}

/// The path of a skill's SKILL.md in a tree.
pub(super) fn skill_path(name: &str) -> String {
    format!("{SKILLS}/{name}/SKILL.md")
}

/// The skill whose SKILL.md a path is.
pub(super) fn skill_of(path: &str) -> Option<&str> {
    path.strip_prefix(SKILLS)?.strip_prefix('/')?.strip_suffix("/SKILL.md")
}

/// The sessions and people that the evidence of a run stands for, by the session's hash.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<String, (String, String)>);

impl Known {
    pub(super) fn of<'c>(candidates: impl Iterator<Item = &'c Candidate>) -> Self {
        let evidence = candidates.flat_map(|candidate| &candidate.claims).flat_map(|claim| &claim.support);
        let named = evidence.map(|evidence| {
            let hash = session_hash(&evidence.tenant, &evidence.session);
            (hash, (evidence.session.clone(), evidence.person.clone()))
        });
        Self(named.collect())
    }
}

/// A new version of a skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewVersion {
    pub(super) id: String,
    texts: Vec<(&'static str, String)>,
    version: u64,
}

impl NewVersion {
    /// The version that says what `text`, a generated SKILL.md, says.
    pub(super) fn of(
        name: &str,
        text: &str,
        latest: Option<&Latest>,
        listed: Option<&Listed>,
        known: &Known,
        now: Timestamp,
    ) -> Self {
        let parsed = Parsed::of(text);
        let (workspace, repository) =
            (parsed.field("skillspan-workspace"), parsed.field("skillspan-project"));
        let version = latest.map_or(0, |latest| latest.version) + 1;
        let key = latest.map_or_else(|| project_key(workspace, repository), |row| row.project_key.clone());
        let description = parsed.description();
        let trigger =
            description.rfind(BEFORE_TRIGGER).and_then(|end| description.get(end + 2..)).unwrap_or_default();
        let (sessions, people) = evidence(listed, known);
        let scope = if parsed.field("skillspan-scope") == "person" { "me" } else { "team" };
        let project = repository.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(workspace);
        let id = stable_id(&["skill", name, &key, &version.to_string(), &description, &parsed.body]);
        let time = now.to_iso_millis();
        let texts = vec![
            ("id", id.clone()),
            ("name", name.to_owned()),
            ("project", project.to_owned()),
            ("project_key", key),
            ("install", if repository.is_empty() { "global" } else { "project" }.to_owned()),
            ("source_sessions", sessions),
            ("source_agent", OURS.to_owned()),
            ("scope", scope.to_owned()),
            ("author", OURS.to_owned()),
            ("contributors", people),
            ("trigger_text", trigger.to_owned()),
            ("description", description),
            ("body", parsed.body),
            ("created_at", time.clone()),
            ("updated_at", time),
        ];
        Self { id, texts, version }
    }

    /// Its columns.
    pub(super) fn values(&self) -> Vec<(&'static str, SqlValue<'_>)> {
        let texts = self.texts.iter().map(|(name, text)| (*name, SqlValue::Text(text)));
        texts.chain([("version", SqlValue::Number(self.version))]).collect()
    }
}

/// 16 hex digits, as the reference's keys have; theirs are made of a remote's URL that we do not have.
fn project_key(workspace: &str, repository: &str) -> String {
    stable_id(&["project", workspace, repository]).replace('-', "").chars().take(16).collect()
}

/// The sessions behind a skill and their people, as two JSON lists. A session that this run knows by its
/// hash alone is named by it.
fn evidence(listed: Option<&Listed>, known: &Known) -> (String, String) {
    let claims = listed.into_iter().flat_map(|listed| &listed.evidence);
    let hashes = claims.flat_map(|claim| &claim.sessions).map(|(_, hash, _, _)| hash);
    let (mut sessions, mut people) = (BTreeSet::new(), BTreeSet::new());
    for hash in hashes {
        match known.0.get(hash) {
            Some((session, person)) => {
                sessions.insert(session.as_str());
                people.insert(person.as_str());
            }
            None => drop(sessions.insert(hash)),
        }
    }
    people.remove("");
    let list = |names: BTreeSet<&str>| Value::from(names.into_iter().collect::<Vec<_>>()).to_string();
    (list(sessions), list(people))
}
