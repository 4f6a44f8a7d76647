//! What is counted of each kind of claim, in words: the four cells of its counts, each a number of sessions.

use super::super::significance::Counts;
use super::Claim;

/// What each cell of [`Counts`] counts sessions of: action and outcome, action alone, outcome alone, neither. `""` where a
/// kind has no such cell.
fn cells(claim: &Claim) -> [&'static str; 4] {
    match claim {
        Claim::Avoid(_) => ["refused it", "allowed it", "", ""],
        Claim::Prefer { .. } => ["wanted it so", "did not want it so", "", ""],
        Claim::Check { edited, .. } if edited.to_string().contains('{') => {
            ["edited, then ran it", "edited, did not run it", "", ""]
        }
        Claim::Check { .. } => [
            "edited, then ran it",
            "edited, ran neither it nor one that may hold it",
            "ran it without such an edit",
            "neither",
        ],
        Claim::Together { .. } => {
            ["changed both", "changed the first alone", "changed the other alone", "changed neither"]
        }
        Claim::Declared { .. } => ["found it there", "found it elsewhere", "", ""],
        Claim::Missing { .. } => ["looked for it in vain", "found it since", "", ""],
        Claim::Rule { .. } => ["asked for it or said so", "took it back", "", ""],
        Claim::Rejects { .. } => [
            "broke it, then fixed or silenced it",
            "broke it and left it",
            "",
            "ran the check, did not break it",
        ],
        Claim::Changes { .. } => [
            "ran it, and files had changed",
            "ran it, and no file had changed",
            "did not run it, and files had changed",
            "did not run it, and no file had changed",
        ],
        Claim::Piped { .. } => [
            "failed behind a pipe, reported as success",
            "failed behind a pipe, reported as failure",
            "failed without a pipe, reported as success",
            "failed without a pipe, reported as failure",
        ],
        Claim::NoFlag { .. } => ["gave the flag, not known", "gave the flag, taken", "", ""],
        Claim::NoSkill { .. } => ["asked for the skill, not known", "asked for the skill, loaded", "", ""],
        Claim::Leftover { .. } => [
            "a check failed in it, removed what lay there, then passed",
            "a check failed in it, removed what lay there, then failed",
            "",
            "",
        ],
        Claim::Asked { .. } => [
            "ran it late, when a person asked",
            "ran it late, unasked",
            "ran another check late, when a person asked",
            "ran another check late, unasked",
        ],
        // Who does not say it speaks not against it.
        Claim::Lesson { when, .. } if when.is_said() => ["people said it", "", "", ""],
        Claim::Lesson { .. } => {
            ["met it and followed", "met it and did not follow", "followed without", "neither"]
        }
        Claim::Slow { .. } => ["ran out of time", "came to an end", "", ""],
        Claim::Flaky { .. } => ["passed and failed on the same files", "ended alike", "", ""],
        Claim::Hook { .. } => ["commits ran it", "commits did not show it", "", ""],
        Claim::Snippet { .. } => [
            "called it, and it passed",
            "called it, and it failed",
            "did not call it, and it passed",
            "did not call it, and it failed",
        ],
        Claim::Instead { .. } => [
            "the wrong one failed, this one passed or is a check that ran",
            "the wrong one failed, this one failed too",
            "the wrong one worked",
            "the wrong one failed, and nothing did its work",
        ],
        Claim::Repair { .. } => [
            "failed, ran it, then passed",
            "failed, ran it, then failed again",
            "failed, then passed with nothing in between",
            "failed, then failed again with nothing in between",
        ],
        Claim::Prevent { .. } => [
            "ran it first, then passed",
            "ran it first, then failed",
            "did not run it first, then passed",
            "did not run it first, then failed",
        ],
        Claim::Run(_) | Claim::Edit(_) => {
            ["took the step, and it worked", "took the step, and it did not work", "", ""]
        }
    }
}

impl Claim {
    /// The names of its four counts, in the order of [`Counts`]: how many sessions of which kind; `""` for a count that
    /// the kind does not have.
    pub fn counted(&self, counts: &Counts) -> [(&'static str, u32); 4] {
        let Counts { treated_with, treated_without, untreated_with, untreated_without } = *counts;
        let [with, without, other_with, other_without] = cells(self);
        [
            (with, treated_with),
            (without, treated_without),
            (other_with, untreated_with),
            (other_without, untreated_without),
        ]
    }
}
