//! Findings of a worker whose turn is over.
//!
//! Several workers of one table share out who mines what, and each turn of a worker has a number that is greater than
//! those before it ([`crate::coordination`] is where they come from). A worker that stood still while another one took
//! over may bring what it found before. The state remembers the greatest number that brought something, and what comes
//! under a smaller one is left out. The state is written by the publication that is refused if somebody was faster, so
//! no two workers can both be the last.
//!
//! A turn is remembered when it brings something, also where nothing else changes: one more push for each turn.

use std::borrow::Cow;

use super::Library;
use super::findings::Findings;
use super::state::State;

/// What is mined and where it goes may change: the oldest turns are forgotten. Numbers begin with the time.
const MOST_TURNS: usize = 256;

/// The findings whose turn is not over, and the workspaces of the others.
pub(super) fn current<'f>(
    library: &Library,
    findings: &'f [Findings],
) -> (Cow<'f, [Findings]>, Vec<&'f str>) {
    let is_over = |findings: &Findings| {
        let turn = findings.turn.as_ref();
        turn.is_some_and(|turn| library.state.turns.get(&turn.share).is_some_and(|last| *last > turn.number))
    };
    let over: Vec<&str> =
        findings.iter().filter(|one| is_over(one)).map(|findings| findings.workspace.as_str()).collect();
    if over.is_empty() {
        return (Cow::Borrowed(findings), over);
    }
    (Cow::Owned(findings.iter().filter(|one| !is_over(one)).cloned().collect()), over)
}

/// Remembers whose turn it is.
pub(super) fn remember(state: &mut State, findings: &Findings) {
    if let Some(turn) = &findings.turn {
        let last = state.turns.entry(turn.share.clone()).or_default();
        *last = turn.number.max(*last);
    }
    while state.turns.len() > MOST_TURNS {
        let oldest = state.turns.iter().min_by_key(|(_, number)| **number).map(|(share, _)| share.clone());
        let Some(share) = oldest else { break };
        state.turns.remove(&share);
    }
}
