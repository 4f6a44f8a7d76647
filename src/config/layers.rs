//! Several texts to one tree, as the Collector merges them: mappings key by key, anything else replaced by
//! what comes later. The built-in configuration is the first layer, then come files, then `--set`.
//!
//! Three things differ from a plain merge, because the built-in configuration is no file that somebody wrote:
//!
//! - An empty section (`processors:`) changes nothing of what is built in.
//! - A receiver has the protocols that files write, not those that are built in besides.
//! - `service.pipelines`, if files write it, are all the pipelines there are. One of them that leaves out its
//!   receivers or its exporters is the built-in one of that name with what it writes changed; one that
//!   writes both is whole, and has the processors that it writes.

use super::DecodeError;
use super::tree::{BUILT_IN, Key, Node, Position, Value};

/// Sections that change nothing where they stand empty; `""` is a whole text.
const SECTIONS: [&str; 8] =
    ["", "extensions", "receivers", "processors", "exporters", "connectors", "service", "pipelines"];

/// Merges two layers, key by key; the later one wins.
pub(super) fn merge(before: Node, later: Node) -> Node {
    merge_named("", before, later)
}

/// The same; `name` is the key that both stand under.
fn merge_named(name: &str, before: Node, later: Node) -> Node {
    if later.value == Value::Null && SECTIONS.contains(&name) {
        return before;
    }
    let position = later.position;
    let (mut entries, new) = match (before.value, later.value) {
        (Value::Mapping(entries), Value::Mapping(new)) if !is_another(name, &entries, &new) => (entries, new),
        (_, value) => return Node { position, value },
    };
    for (key, node) in new {
        match entries.iter_mut().find(|(known, _)| known.name == key.name) {
            Some((known, old)) => {
                let merged = merge_named(&key.name, std::mem::replace(old, nothing(node.position)), node);
                *old = merged;
                *known = key;
            }
            None => entries.push((key, node)),
        }
    }
    Node { position, value: Value::Mapping(entries) }
}

/// Whether the later one of two is something else, not the same thing changed: there is one proposer, and
/// vectors of words come from a file or from a server.
fn is_another(name: &str, before: &[(Key, Node)], later: &[(Key, Node)]) -> bool {
    let has = |entries: &[(Key, Node)], name: &str| entries.iter().any(|(key, _)| key.name == name);
    match name {
        "proposer" => !later.iter().any(|(key, _)| has(before, &key.name)),
        "embeddings" => {
            (has(before, "file") && has(later, "endpoint")) || (has(before, "endpoint") && has(later, "file"))
        }
        _ => false,
    }
}

/// Merges the files' layers over the built-in ones.
pub(super) fn over_built_in(mut built_in: Node, mut written: Node) -> Node {
    for (id, receiver) in written.child("receivers").map(Node::entries).unwrap_or_default() {
        if let Some(protocols) = receiver.child("protocols")
            && let Some(known) = at_mut(&mut built_in, &["receivers", &id.name, "protocols"])
        {
            keep(known, |name| protocols.child(name).is_some());
        }
    }
    if let Some(pipelines) = written.child("service").and_then(|service| service.child("pipelines"))
        && let Some(known) = at_mut(&mut built_in, &["service", "pipelines"])
    {
        keep(known, |name| pipelines.child(name).is_some_and(is_partial));
    }
    drop_empty_sections(&built_in, &mut written);
    merge(built_in, written)
}

/// Whether a pipeline only changes the built-in one of its name. One whose list has a misspelt name does too: the
/// misspelt key is the only error that is reported.
fn is_partial(pipeline: &Node) -> bool {
    let written = |name| pipeline.child(name).is_some_and(|list| list.value != Value::Null);
    match pipeline.value {
        Value::Null => true,
        Value::Mapping(_) => !(written("receivers") && written("exporters")),
        Value::Scalar(_) | Value::Sequence(_) | Value::Refused => false,
    }
}

/// Takes out the keys that files leave empty where a mapping is built in.
fn drop_empty_sections(built_in: &Node, written: &mut Node) {
    let Value::Mapping(entries) = &mut written.value else { return };
    entries.retain_mut(|(key, node)| {
        let Some(known) = built_in.child(&key.name) else { return true };
        drop_empty_sections(known, node);
        node.value != Value::Null || !matches!(known.value, Value::Mapping(_))
    });
}

fn keep(node: &mut Node, is_kept: impl Fn(&str) -> bool) {
    if let Value::Mapping(entries) = &mut node.value {
        entries.retain(|(key, _)| is_kept(&key.name));
    }
}

fn at_mut<'n>(node: &'n mut Node, path: &[&str]) -> Option<&'n mut Node> {
    path.iter().try_fold(node, |node, name| node.child_mut(name))
}

const fn nothing(position: Position) -> Node {
    Node { position, value: Value::Null }
}

/// `KEY=VALUE` of `--set` as a tree of its own: the key's parts stand between dots, or between `::` where a
/// part has a dot. The value is YAML.
pub(super) fn set(argument: &str, layer: usize) -> Result<Node, DecodeError> {
    let position = Position { layer, line: 1, column: 1 };
    let refused = |message: &str| DecodeError::at(position, message.to_owned());
    let Some((key, value)) = argument.split_once('=') else {
        return Err(refused("expected KEY=VALUE, such as service.memory_limit=1GiB"));
    };
    let key = key.trim();
    let names: Vec<&str> =
        if key.contains("::") { key.split("::").collect() } else { key.split('.').collect() };
    if names.iter().any(|name| name.is_empty()) {
        return Err(refused("expected a key such as receivers.otlp.protocols.grpc.endpoint before the `=`"));
    }
    let mut repeated = Vec::new();
    let value = Node::parse(value, layer, &mut repeated).map_err(|error| refused(&error.message))?;
    if let Some(error) = repeated.pop() {
        return Err(refused(&error.message));
    }
    Ok(names.iter().rev().fold(Node { position, ..value }, |node, name| {
        let key = Key { position, name: (*name).to_owned() };
        Node { position, value: Value::Mapping(vec![(key, node)]) }
    }))
}

/// The components that somebody defined, as `section.id`.
pub(super) fn defined(tree: &Node, sections: &[&str]) -> Vec<String> {
    let of = |section: &&str| {
        let entries = tree.child(section).map(Node::entries).unwrap_or_default();
        let written = entries.iter().filter(|(_, node)| node.position.layer != BUILT_IN);
        written.map(|(key, _)| format!("{section}.{}", key.name)).collect::<Vec<_>>()
    };
    sections.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, layer: usize) -> Node {
        Node::parse(text, layer, &mut Vec::new()).unwrap()
    }

    fn shown(node: &Node) -> String {
        match &node.value {
            Value::Null => "~".to_owned(),
            Value::Refused => "!".to_owned(),
            Value::Scalar(scalar) => scalar.text.clone(),
            Value::Sequence(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
            Value::Mapping(entries) => {
                let of = |(key, node): &(Key, Node)| format!("{}={}", key.name, shown(node));
                format!("{{{}}}", entries.iter().map(of).collect::<Vec<_>>().join(" "))
            }
        }
    }

    #[test]
    fn mappings_merge_by_key_and_the_rest_is_replaced() {
        for (before, later, merged) in [
            ("a: 1", "b: 2", "{a=1 b=2}"),
            ("a: {x: 1, y: [1, 2]}", "a: {y: [3]}", "{a={x=1 y=[3]}}"),
            ("a: {x: 1}", "a: 2", "{a=2}"),
            ("a: 2", "a: {x: 1}", "{a={x=1}}"),
            ("a: {x: 1}", "a:", "{a=~}"),
            ("proposer: {anthropic: {model: m}}", "proposer: {openai: {}}", "{proposer={openai={}}}"),
            (
                "proposer: {openai: {model: m}}",
                "proposer: {openai: {timeout: 1s}}",
                "{proposer={openai={model=m timeout=1s}}}",
            ),
            ("embeddings: {endpoint: u, model: m}", "embeddings: {file: f}", "{embeddings={file=f}}"),
        ] {
            assert_eq!(shown(&merge(parse(before, 1), parse(later, 2))), merged, "{before} and {later}");
        }
    }

    #[test]
    fn what_is_built_in_is_no_file() {
        let built_in = "receivers: {otlp: {protocols: {grpc: {endpoint: g}, http: {endpoint: h, max: 1}}}}
service: {pipelines: {sessions: {receivers: [otlp], processors: [redact], exporters: [parquet]}, skills: {receivers: [s], exporters: [f]}}}";
        for (written, path, merged) in [
            ("receivers:\nservice:\n", "receivers.otlp.protocols.grpc.endpoint", "g"),
            (
                "receivers: {otlp: {protocols: {http: {endpoint: x}}}}",
                "receivers.otlp.protocols",
                "{http={endpoint=x max=1}}",
            ),
            ("receivers: {otlp: {protocols: {grpc: }}}", "receivers.otlp.protocols", "{grpc={endpoint=g}}"),
            ("receivers: {otlp: {insecure: true}}", "receivers.otlp.protocols.http.max", "1"),
            (
                "service: {pipelines: {sessions: {processors: [filter, redact]}}}",
                "service.pipelines",
                "{sessions={receivers=[otlp] processors=[filter redact] exporters=[parquet]}}",
            ),
            (
                "service: {pipelines: {sessions: {exporters: [parquet, deeplake]}}}",
                "service.pipelines.sessions.processors",
                "[redact]",
            ),
            (
                "service: {pipelines: {sessions: {receivers: [otlp], exporters: [parquet]}}}",
                "service.pipelines",
                "{sessions={receivers=[otlp] exporters=[parquet]}}",
            ),
            ("service: {pipelines: {}}", "service.pipelines", "{}"),
            ("service: {memory_limit: 1GiB}", "service.pipelines.skills.receivers", "[s]"),
        ] {
            let tree = over_built_in(parse(built_in, BUILT_IN), parse(written, 1));
            let found = path.split('.').fold(&tree, |node, name| node.child(name).unwrap());
            assert_eq!(shown(found), merged, "{written}");
        }
    }

    #[test]
    fn a_key_is_set_wherever_it_stands() {
        for (argument, tree) in [
            ("a.b=1", "{a={b=1}}"),
            ("a::b.c::d=x=y", "{a={b.c={d=x=y}}}"),
            ("a=[x, {b: 1}]", "{a=[x {b=1}]}"),
            ("a=", "{a=~}"),
            ("receivers.otlp/eu.insecure=true", "{receivers={otlp/eu={insecure=true}}}"),
        ] {
            assert_eq!(shown(&set(argument, 1).unwrap()), tree, "{argument}");
        }
        for argument in ["a.b", "=1", "a..b=1", "a=[1", "a={x: 1, x: 2}", ".=1", "a::=2"] {
            assert!(set(argument, 1).is_err(), "{argument}");
        }
    }
}
