//! Sentences: what each claim says, in words of the claim alone.
//!
//! A sentence states no more than its claims' counts: a repair is said as a repair, and "before" only where
//! prevention was seen.

use std::collections::BTreeSet;

use super::super::claim::unwanted::Unwanted;
use super::super::claim::{COMMIT, Claim, LOOK_AT, SupportedClaim};
use super::super::kind::rejection::{PARTLY, SILENCED};
use super::super::kind::rule_meaning::meaning_of;
use super::super::speech::acts;
use super::super::template::Template;
use super::irreversible::{CAUTION, is_irreversible};
use super::wording::Line;

/// Below this share of cases, a sentence says "usually".
const NEARLY_ALWAYS: f64 = 0.9;

/// What one claim says.
pub(in crate::skillify) fn sentence(claim: &SupportedClaim) -> String {
    match &claim.claim {
        Claim::Run(command) => run_line(command),
        Claim::Edit(file) => format!("Edit `{file}`."),
        Claim::Repair { command, repair } => {
            format!(
                "If `{command}` fails{}, run {}.{}",
                with(&claim.failures),
                repair.told(),
                caution(repair)
            )
        }
        Claim::Prevent { command, first } if command.to_string() == COMMIT => {
            format!(
                "Run {} before `{COMMIT}`: its hook stopped commits that came without it.{}",
                first.told(),
                caution(first)
            )
        }
        Claim::Prevent { command, first } => {
            format!("Run {} before `{command}`.{}", first.told(), caution(first))
        }
        Claim::Instead { run, failed } => {
            let code = Unwanted::of(failed, Some(run)).code();
            format!("Use {}; {code} fails here{}.", run.told(), with(&claim.failures))
        }
        Claim::Prefer { prefer, over } => {
            format!("Use `{prefer}`, not {}.", Unwanted::of(over, Some(prefer)).code())
        }
        Claim::Check { edited, run } => {
            format!("After editing `{edited}`, run {}{}.", run.told(), if_there(claim))
        }
        Claim::Together { edited, also } if surely(claim) < NEARLY_ALWAYS => {
            let of = if also.to_string().contains('{') { "one of" } else { "a change of" };
            format!("A change of `{edited}` usually comes with {of} `{also}`.")
        }
        Claim::Together { edited, also } => format!("When you change `{edited}`, change `{also}` too."),
        Claim::Declared { name, file } => format!("`{name}` is declared in `{file}`."),
        Claim::Missing { path, instead } => no_such(path, instead.as_ref()),
        Claim::Rejects { run, .. } => rejected(&[claim], run),
        Claim::Changes { run } => format!(
            "`{run}` changes files that you did not edit: check `{LOOK_AT}` afterwards and restore what you did not mean to change."
        ),
        Claim::Piped { .. } => hidden_by_a_pipe(&[claim]),
        Claim::NoFlag { run, instead: None } => format!("`{run}` fails here: it does not know the flag."),
        Claim::NoFlag { run, instead: Some(instead) } => {
            format!("Use {}; `{run}` fails here: it does not know the flag.", instead.told())
        }
        Claim::NoSkill { name, instead: None } => format!("There is no skill `{name}` here."),
        Claim::NoSkill { name, instead: Some(instead) } => {
            format!("There is no skill `{name}` here: use {}.", instead.told())
        }
        Claim::Leftover { folder, remove } => format!(
            "If a check fails in files below `{folder}/`, which you did not edit: remove those that nothing uses any more ({}), then run the check again.{}",
            remove.told(),
            caution(remove)
        ),
        Claim::Asked { edited, run } => format!(
            "After editing `{edited}`, run {} before you say that the work is done: people had to ask for it.",
            run.told()
        ),
        Claim::Slow { run, instead: None } => {
            format!("`{run}` runs into the time limit here: run a part of it.")
        }
        Claim::Slow { run, instead: Some(instead) } => {
            format!("Use {}; `{run}` runs into the time limit here.", instead.told())
        }
        Claim::Hook { run } => run_by_a_commit(&[run.told()]),
        Claim::Flaky { run } => {
            format!("`{run}` fails and passes on the same files: run it again before you look for a cause.")
        }
        Claim::Snippet { program, error, code } => {
            format!("If a `{program}` script that you wrote fails with \"{error}\", call `{code}` in it.")
        }
        Claim::Rule { want, act, name } => acts::said(*want, act, name.as_ref()),
        Claim::Lesson { says, .. } => says.clone(),
        Claim::Avoid(command) => format!("Do not {}: people refused it.", Unwanted::of(command, None)),
    }
}

/// The share of the cases in which a claim holds, estimated from few cases by Laplace's rule of succession.
fn surely(claim: &SupportedClaim) -> f64 {
    let counts = &claim.counts;
    f64::from(counts.treated_with + 1) / f64::from(counts.treated() + 2)
}

/// A check that names its file by the edited one's may lack that file.
fn if_there(claim: &SupportedClaim) -> &'static str {
    let varies = |part: &Template| part.to_string().contains('{');
    let Claim::Check { edited, run } = &claim.claim else { return "" };
    let is_pattern = varies(edited) && varies(run);
    if is_pattern && claim.counts.treated_without > 0 { ", if that file exists" } else { "" }
}

fn no_such(path: &Template, instead: Option<&Template>) -> String {
    let is_file =
        |path: &Template| path.to_string().rsplit('/').next().is_some_and(|name| name.contains('.'));
    let shown = |path: &Template| if is_file(path) { format!("`{path}`") } else { format!("`{path}/`") };
    match instead {
        None => format!("There is no {}.", shown(path)),
        Some(file) if is_file(file) => format!("There is no {}; it is {}.", shown(path), shown(file)),
        Some(folder) => format!("There is no {}; look in {}.", shown(path), shown(folder)),
    }
}

/// The rules that a check rejects, by name: "often" only where a third of the sessions that ran it broke one.
fn rejected(claims: &[&SupportedClaim], run: &Template) -> String {
    let told = |claim: &&SupportedClaim| {
        let Claim::Rejects { rule, .. } = &claim.claim else { return None };
        let is = |note: &str| claim.failures.iter().any(|own| own == note);
        // What a rule asks for is no advice where people do not do it.
        let note = match () {
            () if is(SILENCED) => Some("mostly silenced with a comment"),
            () if is(PARTLY) => Some("fixed or silenced with a comment"),
            () => meaning_of(rule),
        };
        Some(note.map_or_else(|| format!("`{rule}`"), |note| format!("`{rule}` ({note})")))
    };
    let mut rules: Vec<String> = claims.iter().filter_map(told).collect();
    rules.sort();
    let it = if rules.len() == 1 { "it" } else { "these" };
    let is_often = claims.iter().all(|claim| {
        let counts = &claim.counts;
        counts.treated() * 3 >= counts.treated() + counts.untreated()
    });
    let rules = enumerated(&rules, "and");
    if is_often {
        format!("`{run}` often rejects new code for {rules}: look for {it} before you run it.")
    } else {
        format!("What `{run}` often rejects here: {rules}. Look for {it} before you run it.")
    }
}

/// Which checks fail unnoticed behind a filter. What two filters do any pipe does: then none is named.
fn hidden_by_a_pipe(claims: &[&SupportedClaim]) -> String {
    let filters: BTreeSet<&String> = claims.iter().flat_map(|claim| &claim.failures).collect();
    let by = match (filters.len(), filters.first()) {
        (1, Some(only)) => only.as_str(),
        _ => "a pipe",
    };
    let checks = claims.iter().filter_map(|claim| claim.claim.about()).map(Template::told);
    let checks: Vec<String> = checks.collect();
    let (report, it, fails, prints) = if checks.len() == 1 {
        ("reports", "it", "it fails", "it prints")
    } else {
        ("report", "them", "they fail", "they print")
    };
    format!(
        "Behind {by}, {} {report} success even when {fails}: run {it} without a pipe, or look for the failure in what \
         {prints} before you go on.",
        enumerated(&checks, "and")
    )
}

/// Joins sentences that differ in one part alone: the checks of the same files, the repairs of the same failure,
/// what one command replaces.
pub(super) fn joined(lines: Vec<Line>, claims: &[SupportedClaim]) -> Vec<Line> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let claim = |at: &usize| claims.get(*at);
    for at in lines.into_iter().flat_map(|line| line.claims) {
        let same = parts.last_mut().filter(|part| {
            part.first().and_then(claim).zip(claim(&at)).is_some_and(|(first, next)| are_one(first, next))
        });
        match same {
            Some(part) => part.push(at),
            None => parts.push(vec![at]),
        }
    }
    let lines = parts.into_iter().filter_map(|part| {
        let said: Vec<&SupportedClaim> = part.iter().filter_map(claim).collect();
        Some(Line { text: sentence_of(&said)?, claims: part })
    });
    lines.collect()
}

/// What the claims say, if one sentence can say it.
pub(in crate::skillify) fn one_sentence(claims: &[SupportedClaim]) -> Option<String> {
    let (first, rest) = claims.split_first()?;
    rest.iter().all(|next| are_one(first, next)).then_some(())?;
    sentence_of(&claims.iter().collect::<Vec<_>>())
}

/// Whether one sentence can say both.
fn are_one(one: &SupportedClaim, other: &SupportedClaim) -> bool {
    match (&one.claim, &other.claim) {
        (Claim::Check { edited, .. }, Claim::Check { edited: theirs, .. }) => edited == theirs,
        (Claim::Repair { command, .. }, Claim::Repair { command: theirs, .. }) => {
            command == theirs && one.failures == other.failures
        }
        (Claim::Instead { run, .. }, Claim::Instead { run: theirs, .. }) => run == theirs,
        (Claim::Declared { file, .. }, Claim::Declared { file: theirs, .. }) => file == theirs,
        (Claim::Rejects { run, .. }, Claim::Rejects { run: theirs, .. }) => run == theirs,
        (Claim::Piped { .. }, Claim::Piped { .. }) | (Claim::Hook { .. }, Claim::Hook { .. }) => true,
        _ => false,
    }
}

fn sentence_of(claims: &[&SupportedClaim]) -> Option<String> {
    let [first, _, ..] = claims else { return claims.first().map(|claim| sentence(claim)) };
    let asked = claims.iter().filter_map(|claim| claim.claim.asks_for());
    let codes: Vec<String> = asked.clone().map(Template::told).collect();
    let careful = asked.clone().map(caution).find(|caution| !caution.is_empty()).unwrap_or_default();
    Some(match &first.claim {
        Claim::Check { edited, .. } => {
            let there = claims.iter().map(|claim| if_there(claim)).find(|there| !there.is_empty());
            format!(
                "After editing `{edited}`, run {}{}.",
                enumerated(&codes, "and"),
                there.unwrap_or_default()
            )
        }
        Claim::Repair { command, .. } => {
            format!("If `{command}` fails{}, run {}.{careful}", with(&first.failures), codes.join(", then "))
        }
        Claim::Instead { run, .. } => format!("Use {}; {}.", run.told(), all_fail(claims)),
        Claim::Declared { file, .. } => {
            let names = claims.iter().filter_map(|claim| match &claim.claim {
                Claim::Declared { name, .. } => Some(format!("`{name}`")),
                _ => None,
            });
            format!("{} are declared in `{file}`.", enumerated(&names.collect::<Vec<_>>(), "and"))
        }
        Claim::Rejects { run, .. } => rejected(claims, run),
        Claim::Piped { .. } => hidden_by_a_pipe(claims),
        Claim::Hook { .. } => {
            let checks = claims.iter().filter_map(|claim| claim.claim.about()).map(Template::told);
            run_by_a_commit(&checks.collect::<Vec<_>>())
        }
        _ => sentence(first),
    })
}

/// "`a` and `b` fail here with "x"", or what each fails with.
fn all_fail(claims: &[&SupportedClaim]) -> String {
    let failed = claims.iter().filter_map(|claim| match &claim.claim {
        Claim::Instead { failed, run } => Some((Unwanted::of(failed, Some(run)).code(), &claim.failures)),
        _ => None,
    });
    let failed: Vec<(String, &Vec<String>)> = failed.collect();
    match failed.as_slice() {
        [(_, first), rest @ ..] if rest.iter().all(|(_, own)| own == first) => {
            let codes: Vec<String> = failed.iter().map(|(code, _)| code.clone()).collect();
            format!("{} fail here{}", enumerated(&codes, "and"), with(first))
        }
        _ => {
            let each = failed.iter().map(|(code, own)| format!("{code} fails here{}", with(own)));
            enumerated(&each.collect::<Vec<_>>(), "and")
        }
    }
}

fn run_by_a_commit(checks: &[String]) -> String {
    format!("`{COMMIT}` runs {} by itself.", enumerated(checks, "and"))
}

fn with(failures: &[String]) -> String {
    if failures.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = failures.iter().map(|failure| format!("\"{failure}\"")).collect();
    format!(" with {}", enumerated(&quoted, "or"))
}

/// The step that says to run a command.
fn run_line(command: &Template) -> String {
    format!("Run {}.{}", command.told(), caution(command))
}

fn caution(command: &Template) -> &'static str {
    if is_irreversible(&command.to_string()) { CAUTION } else { "" }
}

/// "a", "a and b", "a, b and c".
pub(super) fn enumerated(items: &[String], word: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} {word} {last}", rest.join(", ")),
    }
}
