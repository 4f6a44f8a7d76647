//! The second use of a model: whether two candidates are one skill.
//!
//! Its word is a proposal. What is one skill is decided by rules; a person may follow the proposal.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::session::short_hash::short_hash;
use super::super::word::wording::Candidate;
use super::answer::{Refusal, Sifted};
use super::question::{Question, show};

/// Raised when the instructions change.
const VERSION: &str = "same-1";
/// `{"same":false}` is five tokens; some servers count white space.
const ANSWER_TOKENS: u64 = 64;

const SYSTEM: &str = "\
You compare two skills: short instructions for coding agents, mined from sessions of a team.
Say whether they teach the same work, so that a team would keep only one of them. Skills that share a \
command and serve different work are not the same. Answer with the JSON that the schema asks for.";

/// Two candidates that may be one skill.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Whether they are.
    pub question: Question,
    /// The claims of each, as they are named.
    pub claims: [BTreeSet<String>; 2],
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Judgement {
    same: bool,
}

impl Pair {
    /// Whether the answer to its question says that they are one skill.
    pub fn is_same(answer: &str) -> bool {
        serde_json::from_str::<Judgement>(answer).is_ok_and(|judgement| judgement.same)
    }
}

/// The pairs of published candidates that are worth a question: they share a command and not all of
/// their claims. Those that share most come first; there are at most as many as candidates.
pub fn pairs(model: &str, candidates: &[Candidate]) -> Vec<Pair> {
    let published: Vec<(&Candidate, BTreeSet<String>, BTreeSet<String>)> = candidates
        .iter()
        .filter(|candidate| candidate.is_published())
        .map(|candidate| (candidate, programs(candidate), names(candidate)))
        .collect();
    let mut found: Vec<(usize, Pair)> = Vec::new();
    for (at, (one, their_programs, their_claims)) in published.iter().enumerate() {
        for (other, programs, claims) in published.iter().skip(at + 1) {
            let shared = their_programs.intersection(programs).count();
            if shared > 0 && !their_claims.is_subset(claims) && !claims.is_subset(their_claims) {
                let question = question(model, one, other);
                found.push((shared, Pair { question, claims: [their_claims.clone(), claims.clone()] }));
            }
        }
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.question.key.cmp(&b.1.question.key)));
    found.truncate(published.len());
    found.into_iter().map(|(_, pair)| pair).collect()
}

/// What may be kept of an answer.
pub(super) fn sift(text: &str) -> Sifted {
    let text = text.trim();
    match serde_json::from_str::<Judgement>(text) {
        Ok(Judgement { same }) => {
            Sifted { answer: json!({ "same": same }).to_string(), refusals: Vec::new() }
        }
        Err(_) => {
            Sifted { answer: json!({ "same": false }).to_string(), refusals: vec![Refusal::NotTheSchema] }
        }
    }
}

fn question(model: &str, one: &Candidate, other: &Candidate) -> Question {
    let mut both = [(names(one), one), (names(other), other)];
    both.sort_by(|a, b| a.0.cmp(&b.0));
    let plain: Vec<String> =
        both.iter().map(|(claims, _)| claims.iter().cloned().collect::<Vec<_>>().join("\n")).collect();
    let shown: Vec<Value> = both.iter().map(|(_, candidate)| shown(candidate)).collect();
    let [(_, first), (_, second)] = both;
    Question {
        key: short_hash(&[VERSION, model, &plain.join("\n\n")], 16),
        system: SYSTEM,
        content: json!({ "skills": shown }).to_string(),
        schema: json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["same"],
            "properties": { "same": { "type": "boolean" } }
        }),
        about: format!("whether {} is {}", first.wording.name, second.wording.name),
        answer_tokens: ANSWER_TOKENS,
        lines: Vec::new(),
        words: Vec::new(),
    }
}

/// The description is made of the claims, and of words that several prompts share.
fn shown(candidate: &Candidate) -> Value {
    let claims: Vec<Value> = candidate.claims.iter().enumerate().map(|(at, claim)| show(at, claim)).collect();
    json!({ "description": candidate.wording.description, "claims": claims })
}

fn names(candidate: &Candidate) -> BTreeSet<String> {
    candidate.claims.iter().map(|claim| claim.claim.to_string()).collect()
}

/// The first two words of each command: `make test`, `git push`.
fn programs(candidate: &Candidate) -> BTreeSet<String> {
    let templates = candidate.claims.iter().flat_map(|claim| claim.claim.templates());
    templates
        .map(|template| template.to_string().split_whitespace().take(2).collect::<Vec<_>>().join(" "))
        .collect()
}
