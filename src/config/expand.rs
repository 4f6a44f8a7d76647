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

/// Replaces in every scalar below `node`.
pub(crate) fn expand(node: &mut Node, source: &dyn Source) -> Result<(), DecodeError> {
    match &mut node.value {
        Value::Null => Ok(()),
        Value::Scalar(scalar) => {
            expand_scalar(scalar, source).map_err(|message| DecodeError::at(node.position, message))
        }
        Value::Sequence(items) => items
            .iter_mut()
            .enumerate()
            .try_for_each(|(index, item)| expand(item, source).map_err(|error| error.below(index))),
        Value::Mapping(entries) => entries
            .iter_mut()
            .try_for_each(|(key, item)| expand(item, source).map_err(|error| error.below(&key.name))),
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
    Err(format!("`${{{reference}}}` names no source; known are `${{env:NAME}}` and `${{file:/path}}`"))
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
        let mut node = Node::parse("a:\n  - ok\n  - ${env:UNSET}\n").unwrap();
        let error = expand(&mut node, &Fixed).unwrap_err();
        assert!(error.to_string().starts_with("3:5: a.1: the environment variable UNSET"), "{error}");
    }
}
