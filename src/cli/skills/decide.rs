//! `approve`, `reject`, `restore`.

use std::fmt::Write;

use crate::cli::{Failure, OrFail, print};
use crate::event::Timestamp;
use crate::exporters::target::Update;
use crate::library::Decision;

use super::{Found, Named, find, never};

/// Carries the decision out at every target that has the skill.
pub(super) fn decide(named: &Named, decision: Decision) -> Result<(), Failure> {
    let found = find(&named.config.load()?, named)?;
    let mut text = String::new();
    for Found { target, skill, .. } in &found {
        let update = Update::Decision { skill: skill.name.clone(), decision, as_of: Timestamp::now().date() };
        let report = target.publish(&update, never()).or_fail()?;
        let done = match decision {
            Decision::Approve => "the proposal is in place",
            Decision::Reject => "the proposal is dropped and not made again",
            Decision::Restore => "it stands again",
        };
        let _ = writeln!(text, "{target}: {}: {done}", skill.name);
        for note in &report.notes {
            let _ = writeln!(text, "{note}");
        }
    }
    print(&text)
}
