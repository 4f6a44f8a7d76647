//! The attributes of an event as one text of JSON.

use super::Attributes;

/// Attributes as the one JSON object that the journal and the table hold; `""` if there are none.
pub(crate) fn attributes_to_json(attributes: &Attributes) -> String {
    if attributes.is_empty() {
        return String::new();
    }
    // A map from strings to JSON values has no value that serde_json could refuse.
    serde_json::to_string(attributes).unwrap_or_default()
}

/// Reads what [`attributes_to_json`] wrote.
pub(crate) fn attributes_from_json(text: &str) -> Result<Attributes, serde_json::Error> {
    if text.is_empty() { Ok(Attributes::new()) } else { serde_json::from_str(text) }
}
