//! The members of a JSON object that go by one of several names.

use serde_json::Value;

/// Objects of more members are asked for each name; of fewer, each member is looked for among the names.
const FEW_MEMBERS: usize = 8;

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
