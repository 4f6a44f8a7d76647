//! The guard: what must never be published, whoever wrote it, and what a person has to agree to first.
//!
//! A text with a credential, a name, a deceiving letter or an instruction to the assistant is withheld. A command is
//! published only if it is of a known kind that the configuration allows: see [`crate::shell::class`].

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::super::withheld_text::{names_a_host, objection};
use super::Claim;
use super::shortfall::Shortfall;
use crate::shell::class::{self, Fetched, Judgement};
use crate::shell::{Class, Classes};

/// What a claim holds that must not be published, if anything.
fn objection_to_claim(claim: &Claim) -> Option<&'static str> {
    let text = claim.to_string();
    if names_a_host(&text) {
        return Some("a host");
    }
    let commands = claim.commands().into_iter().chain(claim.unwanted());
    let refused = commands.filter_map(|command| class::judge(&command.to_string()).refused());
    let outside = claim.files().into_iter().filter(|file| {
        let path = file.to_string();
        class::leads_out(&path, 0) || path.starts_with(".git/")
    });
    let refused = refused.chain(outside.map(|_| "a path outside of the repository")).next();
    refused.or_else(|| objection(&text))
}

/// What the sessions of a workspace tell about the commands that they run.
#[derive(Debug, Default)]
pub(in crate::skillify) struct Known {
    /// Files that any of them fetched: no part of a repository.
    pub(in crate::skillify) fetched: Fetched,
    /// The tools that their assistants have beside the shell, by name.
    pub(in crate::skillify) tools: BTreeSet<String>,
    /// The names of all skills that any session loaded.
    pub(in crate::skillify) skills: BTreeSet<String>,
    /// What is known of claims and lines that were looked at: many candidates have the same.
    objections: RefCell<BTreeMap<Claim, Option<&'static str>>>,
    judged: RefCell<BTreeMap<String, Rc<Judgement>>>,
}

impl Known {
    /// [`objection_to_claim`].
    pub(in crate::skillify) fn objection_to(&self, claim: &Claim) -> Option<&'static str> {
        if let Some(known) = self.objections.borrow().get(claim) {
            return *known;
        }
        let found = objection_to_claim(claim);
        self.objections.borrow_mut().insert(claim.clone(), found);
        found
    }

    fn judge(&self, line: &str) -> Rc<Judgement> {
        if let Some(known) = self.judged.borrow().get(line) {
            return Rc::clone(known);
        }
        let judged = Rc::new(class::judge(line));
        self.judged.borrow_mut().insert(line.to_owned(), Rc::clone(&judged));
        judged
    }
}

/// The shortfall for a command that most sessions ran in forms that no step can state. The token holds nothing that the
/// guard finds.
pub(in crate::skillify) fn unsaid(token: String) -> Shortfall {
    Shortfall::Unsaid(if objection(&token).is_none() { token } else { "…".to_owned() })
}

/// What a person has to agree to before the claims are published: each class beyond the allowed ones, with what
/// gave it. What runs something that a session fetched is no script of the repository.
pub(in crate::skillify) fn needs_review<'c>(
    claims: impl IntoIterator<Item = &'c Claim>,
    allowed: Classes,
    known: &Known,
) -> Option<Shortfall> {
    let mut classes: BTreeMap<Class, String> = BTreeMap::new();
    let mut add = |class: Class, why: &str| {
        classes.entry(class).or_insert_with(|| why.to_owned());
    };
    for claim in claims {
        for command in claim.commands() {
            let line = command.to_string();
            // A line states that a command failed and does not ask for it, so nobody has to know it.
            let is_asked_for = claim.asks_for() == Some(command);
            if known.tools.contains(&line) && allowed.has(Class::Tasks) {
                continue;
            }
            let judged = known.judge(&line);
            let beyond =
                || judged.beyond(allowed).filter(|(class, _)| is_asked_for || *class != Class::Unknown);
            beyond().for_each(|(class, why)| add(class, why));
            let is_fetch = judged
                .beyond(Classes::default())
                .any(|(class, _)| matches!(class, Class::Fetch | Class::Send));
            if !allowed.has(Class::FetchedCode) && !is_fetch && known.fetched.is_used_by(&line) {
                add(Class::FetchedCode, "a session fetched what it runs");
            }
        }
        // The text also shows commands that it speaks against. An assistant that skims it must not find one that does
        // harm.
        for line in claim.unwanted().into_iter().map(ToString::to_string) {
            let judged = known.judge(&line);
            let harms =
                judged.beyond(allowed).filter(|(class, _)| matches!(class, Class::Send | Class::FetchedCode));
            harms.for_each(|(class, why)| add(class, why));
        }
    }
    (!classes.is_empty()).then_some(Shortfall::Review(classes))
}
