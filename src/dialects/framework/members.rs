//! The members of a JSON object that go by one of several names.

use serde_json::Value;

use super::super::names::NameFilter;

/// Objects of more members are asked for each name; of fewer, each member is looked for among the names.
const FEW_MEMBERS: usize = 8;

/// Parts that are neither text nor tools, and what stands for them.
const MEDIA: &[(&str, &str)] = &[
    ("image", "[image]"),
    ("image_url", "[image]"),
    ("input_image", "[image]"),
    ("audio", "[audio]"),
    ("input_audio", "[audio]"),
    ("video", "[video]"),
    ("document", "[document]"),
    ("file", "[file]"),
    ("input_file", "[file]"),
    ("inlineData", "[file]"),
    ("inline_data", "[file]"),
    ("fileData", "[file]"),
    ("file_data", "[file]"),
    ("blob", "[blob]"),
    ("uri", "[uri]"),
    ("media", "[media]"),
];

/// The first of `names` whose member is there and fits.
pub(super) fn first<'v>(
    value: &'v Value,
    names: &[&str],
    fits: impl Fn(&Value) -> bool,
) -> Option<&'v Value> {
    let members = value.as_object()?;
    if members.len() > FEW_MEMBERS {
        return names.iter().find_map(|name| members.get(*name).filter(|value| fits(value)));
    }
    let place = |name: &str| names.iter().position(|known| *known == name);
    let named = members.iter().filter_map(|(name, value)| Some((place(name)?, value)));
    named.filter(|(_, value)| fits(value)).min_by_key(|(place, _)| *place).map(|(_, value)| value)
}

/// What stands for a part that is neither text nor tool.
pub(super) fn medium(part: &Value, kind: &str) -> Option<&'static str> {
    let members = NameFilter::of(part.as_object()?.keys().map(String::as_str));
    let is_it = |name: &str| name == kind || (members.may_have(name) && part.get(name).is_some());
    MEDIA.iter().find(|(name, _)| is_it(name)).map(|(_, placeholder)| *placeholder)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_name_counts_however_many_members_there_are() {
        let mut object = json!({"b": {}, "a": 1, "c": {}});
        for more in 0..=FEW_MEMBERS {
            assert_eq!(first(&object, &["x", "c", "b"], Value::is_object), object.get("c"));
            assert_eq!(first(&object, &["a", "b"], Value::is_object), object.get("b"));
            assert_eq!(first(&object, &["x"], |_| true), None);
            object[format!("m{more}")] = 1.into();
        }
        assert_eq!(first(&json!([1]), &["a"], |_| true), None);
    }
}
