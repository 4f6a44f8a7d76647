//! Lists spread over attributes: `llm.input_messages.0.message.role`, `gen_ai.prompt.1.content`.
//!
//! The numbers come from outside: `….999999999.…` must not allocate that many messages. A tree keeps
//! what is there, in the order of its numbers.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::AnyValue;
use serde_json::Value;

use super::super::record::to_json;

/// Names nest no deeper in any convention; what does is left out.
const MAX_SEGMENTS: usize = 12;

#[derive(Default)]
struct Node<'a> {
    value: Option<&'a AnyValue>,
    /// By number, where a name is one, and name.
    children: BTreeMap<(Option<u64>, &'a str), Node<'a>>,
}

/// The attributes below a prefix, by what follows it, as one JSON value; `None` if there are none.
pub(super) fn to_value<'a>(attributes: impl Iterator<Item = (&'a str, &'a AnyValue)>) -> Option<Value> {
    let mut root = Node::default();
    for (path, value) in attributes {
        if path.split('.').count() > MAX_SEGMENTS {
            continue;
        }
        let node = path.split('.').fold(&mut root, |node, segment| {
            let number = segment.parse::<u64>().ok();
            node.children.entry((number, segment)).or_default()
        });
        node.value = Some(value);
    }
    (!root.children.is_empty()).then(|| root.into_value())
}

impl Node<'_> {
    fn into_value(self) -> Value {
        if self.children.is_empty() {
            return self.value.map_or(Value::Null, to_json);
        }
        if self.children.keys().all(|(number, _)| number.is_some()) {
            return self.children.into_values().map(Node::into_value).collect();
        }
        let named = self.children.into_iter();
        named.map(|((_, name), node)| (name.to_owned(), node.into_value())).collect()
    }
}
