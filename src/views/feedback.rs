//! What people or their tools said of a session as a whole: feedback, such as `Resolved: fail (0)`.

use std::collections::BTreeMap;

use crate::event::{Kind, SessionEvent};
use crate::table::{Fact, Session};

/// The most characters of it that a list of sessions shows.
pub(crate) const LONGEST_FEEDBACK: usize = 80;
/// The most bytes of it that are kept.
const MOST_KEPT: usize = 400;

/// Whether a fact tells in a few words how a session did: a name, a label or a score.
pub(crate) fn is_of_feedback(fact: &Fact) -> bool {
    fact.event.kind == Kind::Feedback && !evaluation(&fact.event).is_empty()
}

/// The feedback on the session, the last of each name; `""` if there is none.
pub(crate) fn feedback_of(session: &Session) -> String {
    let mut by_name: BTreeMap<&str, String> = BTreeMap::new();
    for fact in session.facts.iter().filter(|fact| is_of_feedback(fact)) {
        let (name, how) = (text(&fact.event, NAME), evaluation(&fact.event));
        by_name.insert(name, if name.is_empty() { format!("feedback: {how}") } else { how });
    }
    let mut said = String::new();
    for one in by_name.into_values() {
        if said.len() + one.len() > MOST_KEPT {
            continue;
        }
        if !said.is_empty() {
            said.push_str("; ");
        }
        said.push_str(&one);
    }
    said
}

const NAME: &str = "gen_ai.evaluation.name";

fn text<'e>(event: &'e SessionEvent, name: &str) -> &'e str {
    event.attributes.get(name).and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// What was evaluated and how: `resolved: fail (0)`.
pub(crate) fn evaluation(event: &SessionEvent) -> String {
    let (name, label) = (text(event, NAME), text(event, "gen_ai.evaluation.score.label"));
    let score = event.score.map(|score| score.to_string()).unwrap_or_default();
    let how = match (label.is_empty(), score.is_empty()) {
        (false, false) => format!("{label} ({score})"),
        _ => format!("{label}{score}"),
    };
    if name.is_empty() || how.is_empty() { format!("{name}{how}") } else { format!("{name}: {how}") }
}
