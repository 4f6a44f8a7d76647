//! `${env:NAME}`, `${env:NAME:-default}`, `${file:/path}` and `$$` in scalars.
//!
//! Replaced in values after parsing, so that nothing in a variable can become YAML structure.

use super::DecodeError;
use super::tree::{Node, Scalar, Value};

/// Where replacements come from. A trait, so that tests need no process environment.
pub trait Source {
    /// The environment variable's value, if it is set.
    fn env(&self, name: &str) -> Option<String>;
    /// The file's content.
    fn file(&self, path: &str) -> std::io::Result<String>;
}

/// The process's environment and the file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessSource;

impl Source for ProcessSource {
    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> std::io::Result<String> {
        std::fs::read_to_string(path)
    }
}

/// Replaces references in every scalar below `node`, which is at `path`. A reference that cannot be replaced is
/// reported and refused.
pub(crate) fn expand(
    node: &mut Node,
    source: &dyn Source,
    path: &mut Vec<String>,
    errors: &mut Vec<DecodeError>,
) {
    match &mut node.value {
        Value::Null | Value::Refused => {}
        Value::Scalar(scalar) => {
            if let Err(message) = expand_scalar(scalar, source) {
                let error = DecodeError::at(node.position, message);
                errors.push(path.iter().rev().fold(error, |error, name| error.below(name)));
                node.value = Value::Refused;
            }
        }
        Value::Sequence(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                path.push(index.to_string());
                expand(item, source, path, errors);
                path.pop();
            }
        }
        Value::Mapping(entries) => {
            for (key, item) in entries {
                path.push(key.name.clone());
                expand(item, source, path, errors);
                path.pop();
            }
        }
    }
}

fn expand_scalar(scalar: &mut Scalar, source: &dyn Source) -> Result<(), String> {
    if scalar.text.contains('$') {
        scalar.text = expand_text(&scalar.text, source)?;
    }
    Ok(())
}

fn expand_text(text: &str, source: &dyn Source) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some(after) = after.strip_prefix('{') {
            let Some((reference, after)) = after.split_once('}') else {
                return Err("`${` without its `}`; write `$$` for a dollar sign".to_owned());
            };
            expanded.push_str(&resolve(reference, source)?);
            rest = after;
        } else {
            expanded.push('$');
            rest = after;
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn resolve(reference: &str, source: &dyn Source) -> Result<String, String> {
    if let Some(name) = reference.strip_prefix("env:") {
        let (name, default) = match name.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (name, None),
        };
        let value = source.env(name).filter(|value| default.is_none() || !value.is_empty());
        return value.or(default.map(str::to_owned)).ok_or_else(|| {
            format!("the environment variable {name} is not set; set it or write `${{env:{name}:-default}}`")
        });
    }
    if let Some(path) = reference.strip_prefix("file:") {
        let content = source.file(path).map_err(|error| format!("cannot read {path}: {error}"))?;
        return Ok(content.trim_end_matches(['\n', '\r']).to_owned());
    }
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let name = reference.split_once(":-").map_or(reference, |(name, _)| name);
    let meant = match !name.is_empty() && name.chars().all(is_name) {
        true => format!("; write `${{env:{reference}}}` for a variable"),
        false => String::new(),
    };
    Err(format!("`${{{reference}}}` names no source; known are `${{env:NAME}}` and `${{file:/path}}`{meant}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Source for Fixed {
        fn env(&self, name: &str) -> Option<String> {
            match name {
                "SET" => Some("value: [1]".to_owned()),
                "EMPTY" => Some(String::new()),
                _ => None,
            }
        }

        fn file(&self, path: &str) -> std::io::Result<String> {
            match path {
                "/secret" => Ok("s3cret\n".to_owned()),
                _ => Err(std::io::ErrorKind::NotFound.into()),
            }
        }
    }

    #[test]
    fn replaces_what_it_knows_and_names_what_it_does_not() {
        for (text, expected) in [
            ("plain", Ok("plain")),
            ("a ${env:SET} b", Ok("a value: [1] b")),
            ("${env:UNSET:-x:-y}", Ok("x:-y")),
            ("${env:EMPTY:-full}", Ok("full")),
            ("${env:EMPTY}", Ok("")),
            ("${file:/secret}", Ok("s3cret")),
            ("$$${env:UNSET:-}{$HOME} 5$", Ok("${$HOME} 5$")),
            ("${env:UNSET}", Err("the environment variable UNSET is not set")),
            ("${file:/none}", Err("cannot read /none")),
            ("${UNSET}", Err("`${UNSET}` names no source")),
            ("${env:X", Err("`${` without its `}`")),
        ] {
            match (expand_text(text, &Fixed), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text}"),
                (Err(found), Err(expected)) => assert!(found.starts_with(expected), "{text}: {found}"),
                (found, _) => panic!("{text} gave {found:?}"),
            }
        }
    }

    #[test]
    fn an_error_has_its_place_and_path() {
        let text = "a:\n  - ok\n  - ${env:UNSET}\nb: ${env:UNSET}${env:ALSO}\nc: ${env:SET}\n";
        let mut node = Node::parse(text, 1, &mut Vec::new()).unwrap();
        let mut errors = Vec::new();
        expand(&mut node, &Fixed, &mut Vec::new(), &mut errors);
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let [first, second] = errors.as_slice() else { panic!("{errors:?}") };
        assert!(first.starts_with("3:5: a.1: the environment variable UNSET"), "{first}");
        assert!(second.starts_with("4:4: b: the environment variable UNSET"), "{second}");
    }
}
