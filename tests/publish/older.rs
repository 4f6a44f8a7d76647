//! States of older formats, whose claims are lines and whose claims nobody counted.

use serde_json::{Map, Value, json};

/// The state as an older version wrote it.
pub(crate) fn as_lines(state: &str, format: u32) -> String {
    let mut state: Value = serde_json::from_str(state).unwrap();
    write_lines(&mut state);
    state["format"] = format.into();
    serde_json::to_string_pretty(&state).unwrap()
}

fn write_lines(value: &mut Value) {
    if let Some(line) = line(value) {
        *value = line.into();
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(write_lines),
        Value::Object(fields) => {
            if fields.contains_key("claim") {
                fields.remove("counts");
                fields.remove("failures");
            }
            fields.values_mut().for_each(write_lines);
            if let Some(withdrawn) = fields.get_mut("withdrawn") {
                *withdrawn = by_line(withdrawn);
            }
        }
        _ => {}
    }
}

fn by_line(withdrawn: &Value) -> Value {
    let mut map = Map::new();
    for entry in withdrawn.as_array().unwrap() {
        let key = entry["claim"].as_str().unwrap().to_owned();
        map.insert(key, json!({ "reason": entry["reason"], "as_of": entry["as_of"] }));
    }
    Value::Object(map)
}

/// How older versions printed a claim.
fn line(value: &Value) -> Option<String> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    let (kind, of) = fields.iter().next()?;
    let text = |key: &str| of[key].as_str().unwrap().to_owned();
    Some(match kind.as_str() {
        "run" => format!("run `{}`", of.as_str()?),
        "edit" => format!("edit `{}`", of.as_str()?),
        "avoid" => format!("do not run `{}`", of.as_str()?),
        "repair" => format!("run `{}` before `{}`", text("repair"), text("command")),
        "instead" => format!("run `{}` instead of `{}`", text("run"), text("failed")),
        "prefer" => format!("run `{}`, not `{}`", text("prefer"), text("over")),
        _ => return None,
    })
}
