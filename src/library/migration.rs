//! States of formats 1 to 4, in which a claim is the line that it prints as.
//!
//! Every line becomes its claim, and everything else stays. A line that is no claim is dropped, because no run can find it
//! again.

use serde_json::{Map, Value, json};

use crate::skillify::Claim;

/// The last format whose claims are lines.
pub(super) const LINES: u32 = 4;

/// The state with claims in place of lines.
pub(super) fn with_claims(mut state: Value) -> Value {
    for skill in members(&mut state, "skills") {
        content(skill);
        if let Some(lines) = skill.get_mut("withdrawn") {
            *lines = withdrawn(lines);
        }
        if let Some(proposal) = skill.get_mut("proposal") {
            claims(proposal, "claims");
            proposal.get_mut("content").into_iter().for_each(content);
        }
        for past in items(skill, "past") {
            past.get_mut("content").into_iter().for_each(content);
        }
    }
    for deepening in members(&mut state, "hand_written") {
        claims(deepening, "claims");
        claims(deepening, "rejected");
        rejected_as_well(deepening);
    }
    state
}

/// What a skill says.
fn content(content: &mut Value) {
    if let Some(records) = content.get_mut("claims").and_then(Value::as_array_mut) {
        records.retain_mut(|record| {
            let Some(claim) = record.get("claim").and_then(claim) else { return false };
            if let Some(fields) = record.as_object_mut() {
                fields.insert("claim".to_owned(), claim);
                fields.remove("situation");
            }
            true
        });
    }
    let Some(body) = content.get_mut("body") else { return };
    for section in ["lessons", "steps", "if_it_fails", "avoid"] {
        items(body, section).for_each(|sentence| claims(sentence, "claims"));
    }
}

/// A map by line becomes a list.
fn withdrawn(lines: &Value) -> Value {
    let mut list = Vec::new();
    for (line, withdrawal) in lines.as_object().into_iter().flatten() {
        let Some(claim) = Claim::parse(line) else { continue };
        let is_rejected = withdrawal.get("reason").is_some_and(|reason| reason == "rejected");
        let also = claim.prevention().filter(|_| is_rejected);
        for claim in std::iter::once(claim).chain(also) {
            let mut entry = withdrawal.as_object().cloned().unwrap_or_else(Map::new);
            entry.insert("claim".to_owned(), json!(claim));
            list.push(Value::Object(entry));
        }
    }
    Value::Array(list)
}

/// "Run `X` before `C`" was one claim and is two: whoever rejected it wants neither.
fn rejected_as_well(deepening: &mut Value) {
    let Some(rejected) = deepening.get_mut("rejected").and_then(Value::as_array_mut) else { return };
    let also: Vec<Value> = rejected
        .iter()
        .filter_map(|claim| serde_json::from_value::<Claim>(claim.clone()).ok())
        .filter_map(|claim| claim.prevention())
        .map(|claim| json!(claim))
        .collect();
    rejected.extend(also);
}

/// A list of lines becomes one of claims.
fn claims(of: &mut Value, key: &str) {
    if let Some(lines) = of.get_mut(key).and_then(Value::as_array_mut) {
        *lines = lines.iter().filter_map(claim).collect();
    }
}

fn claim(line: &Value) -> Option<Value> {
    line.as_str().and_then(Claim::parse).map(|claim| json!(claim))
}

fn members<'v>(of: &'v mut Value, key: &str) -> impl Iterator<Item = &'v mut Value> {
    of.get_mut(key).and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
}

fn items<'v>(of: &'v mut Value, key: &str) -> impl Iterator<Item = &'v mut Value> {
    of.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten()
}
