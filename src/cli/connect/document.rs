//! A settings file as a document. Reads, sets and removes single settings; order, comments and white space stay as their owner
//! wrote them.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use serde_json::Value;
use toml_edit::{DocumentMut, Item, Table, TableLike};

use super::command::is_same_command;
use super::settings::Setting;

/// A settings file's content.
pub(super) enum Document {
    /// JSON, with or without comments.
    Json(CstRootNode),
    /// TOML.
    Toml(Box<DocumentMut>),
    /// YAML, of which one block is ours.
    Yaml(String),
    /// `NAME=value` lines; a line may begin with `export`.
    Lines(Vec<String>),
}

/// The content cannot be read, or a setting has no place in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DocumentError {
    /// Not of the format that the client reads.
    #[error("it is not valid {format}: {reason}")]
    Invalid {
        /// JSON or TOML.
        format: &'static str,
        /// What the parser says.
        reason: String,
    },
    /// A block of keys has one of its own already.
    #[error("`{0}` exists already; add what `skillspan connect` prints to it by hand")]
    Taken(String),
    /// A key on the way to a setting holds something else than further keys.
    #[error("`{0}` exists and holds no settings")]
    NotAnObject(String),
}

impl Document {
    pub(super) fn json(text: &str) -> Result<Self, DocumentError> {
        let text = if text.trim().is_empty() { "{}\n" } else { text };
        let strict = ParseOptions {
            allow_comments: true,
            allow_loose_object_property_names: false,
            allow_trailing_commas: true,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            ..ParseOptions::default()
        };
        let invalid = |reason: String| DocumentError::Invalid { format: "JSON", reason };
        let root = CstRootNode::parse(text, &strict).map_err(|error| invalid(error.to_string()))?;
        root.object_value().ok_or_else(|| invalid("it is no object".to_owned()))?;
        Ok(Self::Json(root))
    }

    pub(super) fn toml(text: &str) -> Result<Self, DocumentError> {
        let invalid = |error: toml_edit::TomlError| DocumentError::Invalid {
            format: "TOML",
            reason: error.to_string(),
        };
        Ok(Self::Toml(Box::new(text.parse().map_err(invalid)?)))
    }

    /// A file whose own settings are left as they stand: ours are a block of keys between two marks.
    pub(super) fn yaml(text: &str) -> Result<Self, DocumentError> {
        let invalid = |reason: String| DocumentError::Invalid { format: "YAML", reason };
        let events = granit_parser::Parser::new_from_str(text);
        for event in events {
            event.map_err(|error| invalid(error.to_string()))?;
        }
        let is_list = text.lines().any(|line| line.starts_with("- ") || line.starts_with(['[', '{']));
        if is_list {
            Err(invalid("its keys are not lines of a block".to_owned()))
        } else {
            Ok(Self::Yaml(text.to_owned()))
        }
    }

    pub(super) fn lines(text: &str) -> Self {
        Self::Lines(text.lines().map(str::to_owned).collect())
    }

    pub(super) fn render(&self) -> String {
        match self {
            Self::Json(root) => root.to_string(),
            Self::Toml(document) => document.to_string(),
            Self::Yaml(text) => text.clone(),
            Self::Lines(lines) => lines.iter().map(|line| format!("{line}\n")).collect(),
        }
    }

    /// What stands at a path.
    pub(super) fn get(&self, path: &[&str]) -> Option<Value> {
        match self {
            Self::Json(root) => {
                let (last, parents) = path.split_last()?;
                let object =
                    parents.iter().try_fold(root.object_value()?, |object, key| object.object_value(key))?;
                object.get(last)?.value()?.to_serde_value()
            }
            Self::Toml(document) => {
                let mut item = document.as_item();
                for key in path {
                    item = item.get(key)?;
                }
                value_of(item)
            }
            Self::Yaml(text) => {
                let key = format!("{}:", path.first()?);
                match our_block(text) {
                    Some((start, end)) => {
                        let block = text.get(start + BEGIN.len()..end - END.len())?;
                        Some(Value::String(block.to_owned())).filter(|_| block.starts_with(&key))
                    }
                    None => text.lines().any(|line| line.starts_with(&key)).then_some(Value::Null),
                }
            }
            Self::Lines(lines) => {
                let line = lines.iter().rev().find(|line| name_of(line) == path.first().copied())?;
                let (_, value) = line.split_once('=')?;
                Some(Value::String(value.trim().trim_matches(['"', '\'']).to_owned()))
            }
        }
    }

    /// Whether what stands at a path is the block that we wrote.
    pub(super) fn is_our_block(&self, found: &Value) -> bool {
        matches!(self, Self::Yaml(_)) && found.is_string()
    }

    /// Whether a setting is as it should be.
    pub(super) fn has(&self, setting: &Setting) -> bool {
        match self.get(setting.path) {
            Some(Value::Array(elements)) if setting.in_list => elements.contains(&setting.value),
            Some(value) => value == setting.value,
            None => false,
        }
    }

    /// Puts a setting in its place; an element is added to its list.
    pub(super) fn set(&mut self, setting: &Setting) -> Result<(), DocumentError> {
        if self.has(setting) {
            return Ok(());
        }
        let Some((last, parents)) = setting.path.split_last() else {
            return Ok(());
        };
        match self {
            Self::Json(root) => {
                let object = parents.iter().try_fold(root.object_value_or_set(), |object, key| {
                    object.object_value_or_create(key).ok_or_else(|| not_an_object(key))
                })?;
                match (setting.in_list, object.get(last)) {
                    (true, _) => {
                        let list = object.array_value_or_create(last).ok_or_else(|| not_an_object(last))?;
                        // The same command with other arguments is an earlier one of ours.
                        let is_ours = |element: &jsonc_parser::cst::CstNode| {
                            let element = element.to_serde_value();
                            element.is_some_and(|element| is_same_command(&element, &setting.value))
                        };
                        let ours = list.elements().into_iter().filter(is_ours);
                        ours.for_each(jsonc_parser::cst::CstNode::remove);
                        list.append(input(&setting.value));
                    }
                    (false, Some(property)) => property.set_value(input(&setting.value)),
                    (false, None) => drop(object.append(last, input(&setting.value))),
                }
            }
            Self::Toml(document) => {
                let table = parents.iter().try_fold(
                    document.as_table_mut() as &mut dyn TableLike,
                    |table, key| {
                        let item = table.entry(key).or_insert_with(|| {
                            let mut table = Table::new();
                            table.set_implicit(true);
                            Item::Table(table)
                        });
                        item.as_table_like_mut().ok_or_else(|| not_an_object(key))
                    },
                )?;
                table.insert(last, item_of(&setting.value));
            }
            Self::Yaml(text) => {
                if has_key_of_others(text, last) {
                    return Err(DocumentError::Taken((*last).to_owned()));
                }
                remove_block(text);
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                let block = setting.value.as_str().unwrap_or_default();
                text.push_str(&format!("{BEGIN}{block}{END}"));
            }
            Self::Lines(lines) => {
                lines.retain(|line| name_of(line) != Some(last));
                lines.push(line_of(last, &setting.value));
            }
        }
        Ok(())
    }

    /// Takes a setting away, and what it leaves empty behind it.
    pub(super) fn remove(&mut self, setting: &Setting) {
        let Some((last, parents)) = setting.path.split_last() else {
            return;
        };
        match self {
            Self::Json(root) => {
                if let Some(object) = root.object_value() {
                    remove_from_object(&object, parents, last, setting);
                }
            }
            Self::Toml(document) => remove_from_table(document.as_table_mut(), parents, last),
            Self::Yaml(text) => remove_block(text),
            Self::Lines(lines) => lines.retain(|line| name_of(line) != Some(last)),
        }
    }
}

/// What our block of a YAML file is between.
const BEGIN: &str = "# begin skillspan\n";
const END: &str = "# end skillspan\n";

/// Where our block of a YAML file is, its marks included.
fn our_block(text: &str) -> Option<(usize, usize)> {
    let start = text.find(BEGIN)?;
    let end = start + text.get(start..)?.find(END)? + END.len();
    Some((start, end))
}

fn remove_block(text: &mut String) {
    if let Some((start, end)) = our_block(text) {
        text.replace_range(start..end, "");
    }
}

/// Whether the file has the key outside of our block.
fn has_key_of_others(text: &str, key: &str) -> bool {
    let mut others = text.to_owned();
    remove_block(&mut others);
    others.lines().any(|line| line.starts_with(&format!("{key}:")))
}

fn not_an_object(key: &str) -> DocumentError {
    DocumentError::NotAnObject(key.to_owned())
}

fn remove_from_object(object: &CstObject, parents: &[&str], last: &str, setting: &Setting) {
    let Some((next, rest)) = parents.split_first() else {
        let Some(property) = object.get(last) else {
            return;
        };
        match property.array_value().filter(|_| setting.in_list) {
            Some(list) => {
                let ours = |element: &jsonc_parser::cst::CstNode| {
                    element.to_serde_value().is_some_and(|element| {
                        element == setting.value || is_same_command(&element, &setting.value)
                    })
                };
                list.elements().into_iter().filter(ours).for_each(jsonc_parser::cst::CstNode::remove);
                if list.elements().is_empty() {
                    property.remove();
                }
            }
            None => property.remove(),
        }
        return;
    };
    if let Some(inner) = object.object_value(next) {
        remove_from_object(&inner, rest, last, setting);
        if inner.properties().is_empty()
            && let Some(property) = object.get(next)
        {
            property.remove();
        }
    }
}

fn remove_from_table(table: &mut dyn TableLike, parents: &[&str], last: &str) {
    let Some((next, rest)) = parents.split_first() else {
        table.remove(last);
        return;
    };
    let Some(inner) = table.get_mut(next).and_then(Item::as_table_like_mut) else {
        return;
    };
    remove_from_table(inner, rest, last);
    if inner.is_empty() {
        table.remove(next);
    }
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(flag) => CstInputValue::Bool(*flag),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(elements) => CstInputValue::Array(elements.iter().map(input).collect()),
        Value::Object(entries) => {
            CstInputValue::Object(entries.iter().map(|(key, value)| (key.clone(), input(value))).collect())
        }
    }
}

/// The kinds of values that settings in TOML have.
fn item_of(value: &Value) -> Item {
    match value {
        Value::Bool(flag) => toml_edit::value(*flag),
        Value::Number(number) => toml_edit::value(number.as_i64().unwrap_or_default()),
        Value::String(text) => toml_edit::value(text.as_str()),
        Value::Array(elements) => {
            let texts = elements.iter().filter_map(Value::as_str);
            toml_edit::value(texts.collect::<toml_edit::Array>())
        }
        other => toml_edit::value(other.to_string()),
    }
}

fn value_of(item: &Item) -> Option<Value> {
    let value = item.as_value();
    let known = value.and_then(|value| {
        let text = value.as_str().map(Value::from);
        let texts = || {
            let elements = value.as_array()?.iter().map(|element| element.as_str().map(Value::from));
            elements.collect::<Option<Vec<Value>>>().map(Value::Array)
        };
        text.or_else(|| value.as_bool().map(Value::from))
            .or_else(|| value.as_integer().map(Value::from))
            .or_else(texts)
    });
    // An item of neither kind is no value of our settings.
    known.or_else(|| (!item.is_none()).then_some(Value::Null))
}

/// The name that a line of an environment file sets.
fn name_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let assignment = line.strip_prefix("export ").unwrap_or(line);
    let (name, _) = assignment.split_once('=')?;
    Some(name.trim())
}

/// A line that both shells and dotenv files read.
pub(super) fn line_of(name: &str, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.contains(' ') { format!("{name}=\"{text}\"") } else { format!("{name}={text}") }
}
