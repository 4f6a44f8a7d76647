//! Credentials out of the rows of exports, before they leave the machine.

use serde_json::Value;

use crate::processors::Redact;

/// Members of OTLP's JSON that say nothing of their value: the attribute around them has its name.
const WRAPPERS: &[&str] = &[
    "value",
    "values",
    "stringValue",
    "boolValue",
    "intValue",
    "doubleValue",
    "bytesValue",
    "arrayValue",
    "kvlistValue",
];

/// Redacts a request of OTLP: each value by the name of its attribute.
pub(super) fn otlp(redact: &Redact, request: &mut Value) {
    named(redact, "", request);
}

fn named(redact: &Redact, name: &str, value: &mut Value) {
    match value {
        Value::Object(members) => {
            let attribute = members.get("key").and_then(Value::as_str).map(str::to_owned);
            let around = attribute.as_deref().unwrap_or(name);
            for (member, value) in members.iter_mut() {
                let name = if WRAPPERS.contains(&member.as_str()) { around } else { member };
                named(redact, name, value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| named(redact, name, value)),
        value => redact.named_json(name, value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::redact::Redactor;

    const TOKEN: &str = "ghp_R7sKq2VbX9mTz4LwYc8NfHd3JpGa6UeQ1xBv";

    fn attribute(key: &str, value: Value) -> Value {
        json!({ "key": key, "value": value })
    }

    #[test]
    fn values_of_otlp_are_redacted_by_the_names_of_their_attributes() {
        let redact = Redact::new(Redactor::built_in().unwrap(), []);
        let request = |attributes: Vec<Value>, body: &str| {
            json!({ "resourceLogs": [{
                "resource": { "attributes": attributes },
                "scopeLogs": [{ "logRecords": [{
                    "timeUnixNano": "1764460800000000000",
                    "traceId": "5b8efff798038103d269b633813fc60c",
                    "spanId": "eee19b7ec3c1b174",
                    "body": { "stringValue": body },
                }] }],
            }] })
        };
        let innocent = request(
            vec![
                attribute("session.id", json!({ "stringValue": "aX9fQ2mPz7LwTc4KvB8nRd3J" })),
                attribute("input_tokens", json!({ "intValue": "4096" })),
                attribute("db.name", json!({ "stringValue": "swordfish" })),
            ],
            "Run the tests.",
        );
        let mut same = innocent.clone();
        otlp(&redact, &mut same);
        assert_eq!(same, innocent);
        let mut secret = request(
            vec![
                attribute("db.password", json!({ "stringValue": "swordfish" })),
                attribute("list", json!({ "arrayValue": { "values": [{ "stringValue": TOKEN }] } })),
                attribute(
                    "map",
                    json!({ "kvlistValue": { "values": [
                        attribute("password", json!({ "stringValue": "sw0rdfish" })),
                    ] } }),
                ),
            ],
            &format!("Use {TOKEN} for it."),
        );
        otlp(&redact, &mut secret);
        let text = secret.to_string();
        assert_eq!(text.matches("[redacted:").count(), 4, "{text}");
        for word in ["swordfish", "sw0rdfish", TOKEN] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}
