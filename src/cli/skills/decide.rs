//! `approve`, `reject`, `restore`, `withdraw`.

use std::fmt::Write;

use crate::cli::{Failure, OrFail, print};
use crate::event::Timestamp;
use crate::library::{Decision, Remark};
use crate::views::skills::{decide_at, done};

use super::{Named, find};

/// Carries the decision out at every target that has the skill.
pub(super) fn decide(named: &Named, decision: Decision, reason: &str) -> Result<(), Failure> {
    let found = find(&named.config.load()?, named)?;
    let remark = Remark { reason: reason.to_owned(), at: Timestamp::now().to_string(), ..Remark::default() };
    let mut text = String::new();
    for found in &found {
        let report = decide_at(found, decision, remark.clone(), Timestamp::now()).or_fail()?;
        let done = done(decision, found);
        let _ = writeln!(text, "{}: {}: {done}", found.target, found.skill.name);
        for note in &report.notes {
            let _ = writeln!(text, "{note}");
        }
    }
    print(&text)
}
