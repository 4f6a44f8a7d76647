//! What is sent to which model, for the people who decide about it.

use crate::config::{ModelSettings, Sees};
use crate::skillify::llm::Allowance;

/// Which data goes to a model and where, for people who decide whether it may.
pub fn what_is_sent(settings: &ModelSettings) -> String {
    let ModelSettings { endpoint, uses, sees, is_here } = settings;
    let purpose = match (uses.wording, uses.same_skill) {
        (true, true) => "to be worded, and to be told whether two of them are one",
        (false, true) => "to be told whether two of them are one",
        _ => "to be worded",
    };
    let place = if *is_here { " on this machine" } else { "" };
    let limits = limits(&endpoint.budget.run, &endpoint.budget.day);
    let (model, url) = (&endpoint.model, &endpoint.url);
    match sees {
        Sees::Claims => format!(
            "Claims of skills, and nothing else, are sent to {model} at {url}{place} {purpose}: commands with placeholders for what \
             varies, ends of the paths of edited files, error signatures from a closed list, single words that several \
             prompts share, counts. No transcript, no prompt, no tool's output and no name of a person is. Limits: {limits}.",
        ),
        Sees::Excerpts => format!(
            "Excerpts of sessions are sent to {model} at {url}{place} to be read for lessons: what people said, cut to 300 \
             characters a prompt (420 for a correction); commands and how they ended; up to two lines of what a failed one \
             printed; paths that were edited or missed; a line of what was written after a correction. At most 1,900 characters of a session, of those \
             where something was corrected, refused or failed. Credentials, links, hosts, addresses, folders of people and \
             names of those whom sessions name are taken out; a name that a prompt mentions otherwise is not. Claims of skills \
             are sent {purpose}, and lessons that sessions prove to be written, beside lines of skills that people wrote there. \
             Limits: {limits}.",
        ),
    }
}

fn limits(run: &Allowance, day: &Allowance) -> String {
    let mut parts = Vec::new();
    for (allowance, span) in [(run, "run"), (day, "day")] {
        parts.extend(allowance.calls.map(|calls| format!("{calls} requests a {span}")));
        parts.extend(allowance.tokens.map(|tokens| format!("{tokens} tokens a {span}")));
        parts.extend(allowance.micros.map(|micros| format!("{} a {span}", dollars(micros))));
    }
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// `$0.0123`
pub fn dollars(micros: u64) -> String {
    format!("${}.{:04}", micros / 1_000_000, micros % 1_000_000 / 100)
}
