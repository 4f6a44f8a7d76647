//! Amendments: lessons of an author that belong to a skill which people wrote. They become a proposal for that skill, not a
//! second skill.
//!
//! A line belongs to the page that its writer named, else to the page that names most of its commands and paths. A line that
//! the page already says is dropped. If a line refutes a statement of the page and says what is true, the proposal corrects
//! the statement. Lines of several runs join in one proposal. What a person rejected does not come back.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Library;
use super::changes::Change;
use super::digest::digest;
use super::guide::correct::{codes, corrected, may_contradict, says_itself};
use super::hand_written::{HEADING, HandWritten, all, numbered};
use super::mentions::mentions;
use super::run::Run;
use super::state::Deepening;
use crate::event::counted;
use crate::skillify::predicate::Predicate;
use crate::skillify::{Candidate, Claim, Line, SupportedClaim};

impl Library {
    /// The skills that people wrote in it, by name: what an author reads, too.
    pub fn hand_written_pages(&self) -> BTreeMap<String, String> {
        all(self, &self.state).into_iter().map(|page| (page.name, page.text.to_owned())).collect()
    }
}

/// Proposes the lines of a candidate to the pages that they belong to; what is left belongs to none.
pub(super) fn share_out<'c>(run: &mut Run<'_>, candidate: &'c Candidate) -> Option<Cow<'c, Candidate>> {
    let is_lesson = |claim: &SupportedClaim| matches!(claim.claim, Claim::Lesson { .. });
    if !candidate.claims.iter().all(is_lesson) {
        return Some(Cow::Borrowed(candidate));
    }
    let pages = all(run.library, &run.state);
    let named = pages.iter().position(|page| candidate.page.as_ref() == Some(&page.name));
    let mut of_pages: BTreeMap<usize, Vec<&Line>> = BTreeMap::new();
    let mut left: Vec<&Line> = Vec::new();
    for line in &candidate.wording.lessons {
        match named.or_else(|| closest(&pages, &claims_of(candidate, line))) {
            Some(at) => of_pages.entry(at).or_default().push(line),
            None => left.push(line),
        }
    }
    if of_pages.is_empty() {
        return Some(Cow::Borrowed(candidate));
    }
    for (at, lines) in of_pages {
        if let Some(page) = pages.get(at) {
            propose(run, page, candidate, &lines);
        }
    }
    (!left.is_empty()).then(|| Cow::Owned(with_lines(candidate, &left)))
}

/// The claims that a line says.
fn claims_of<'c>(candidate: &'c Candidate, line: &Line) -> Vec<&'c SupportedClaim> {
    line.claims.iter().filter_map(|at| candidate.claims.get(*at)).collect()
}

/// The candidate with these of its lines.
fn with_lines(candidate: &Candidate, lines: &[&Line]) -> Candidate {
    let (mut claims, mut lessons) = (Vec::new(), Vec::new());
    for line in lines {
        let from = claims.len();
        claims.extend(claims_of(candidate, line).into_iter().cloned());
        lessons.push(Line { text: line.text.clone(), claims: (from..claims.len()).collect() });
    }
    let mut wording = candidate.wording.clone();
    wording.lessons = lessons;
    Candidate { wording, claims, ..candidate.clone() }
}

/// The page that names the most of the claims' subjects; none if no page names any.
fn closest(pages: &[HandWritten<'_>], claims: &[&SupportedClaim]) -> Option<usize> {
    let score = |page: &HandWritten<'_>| -> usize {
        let whens = claims.iter().filter_map(|claim| when(&claim.claim));
        whens.map(|when| named_in(page.text, when)).sum()
    };
    let scores = pages.iter().map(score).enumerate().filter(|(_, score)| *score > 0);
    scores.max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0))).map(|(at, _)| at)
}

fn when(claim: &Claim) -> Option<&Predicate> {
    if let Claim::Lesson { when, .. } = claim { Some(when) } else { None }
}

/// How many of the commands and paths of a predicate a text names.
fn named_in(text: &str, when: &Predicate) -> usize {
    let runs = codes(text).any(|code| when.names_command(code));
    let named = when.named().iter().filter(|named| mentions(text, named)).count();
    named.max(usize::from(runs))
}

/// Whether the page says what a line says.
fn is_said(text: &str, line: &str, claims: &[&SupportedClaim]) -> bool {
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let wanted = flat(line.trim_end_matches('.'));
    flat(text).contains(&wanted)
        || claims.iter().all(|claim| when(&claim.claim).is_some_and(|when| says(text, when)))
}

/// Whether one line of a text says what a predicate does: it names all of it, or has the words that people say. A line that
/// names one command alone says nothing of when to run it; that there is none of it, it says.
fn says(text: &str, when: &Predicate) -> bool {
    let (named, said) = (when.named(), when.said());
    text.lines().any(|line| {
        let names = !named.is_empty() && named.iter().all(|named| mentions(line, named));
        let says = if when.refutes() { says_itself(line) } else { named.len() > 1 };
        (names && says) || said.iter().any(|said| mentions(&line.to_lowercase(), &said.to_lowercase()))
    })
}

fn propose(run: &mut Run<'_>, page: &HandWritten<'_>, candidate: &Candidate, lines: &[&Line]) {
    let known = run.state.hand_written.get(&page.name);
    let rejected = known.map(|known| known.rejected.clone()).unwrap_or_default();
    let base = digest(page.text);
    let pending = known.filter(|known| !known.claims.is_empty() && known.base == base);
    let (mut text, mut claims) = match pending {
        Some(known) => (known.text.clone(), known.claims.clone()),
        None => (page.text.to_owned(), BTreeSet::new()),
    };
    // A lesson is identified by its predicate; its sentence may have changed.
    let asks_the_same = |one: &Claim, other: &Claim| when(one).is_some() && when(one) == when(other);
    let is_known = |claims: &BTreeSet<Claim>, claim: &Claim| {
        let mut known = claims.iter().chain(&rejected);
        known.any(|known| known == claim || asks_the_same(known, claim))
    };
    let own = lines.iter().flat_map(|line| claims_of(candidate, line)).map(|claim| &claim.claim);
    let against: Vec<&Claim> =
        own.filter(|claim| may_contradict(claim) && !is_known(&claims, claim)).collect();
    let before = text.clone();
    if let Some(corrected) = corrected(&against, &before, numbered(&before)) {
        claims.extend(corrected.claims);
        text = corrected.text;
    }
    let mut added: Vec<&Line> = Vec::new();
    for line in lines {
        let of_line = claims_of(candidate, line);
        let is_news = !of_line.iter().any(|claim| is_known(&claims, &claim.claim));
        if is_news && !is_said(&text, &line.text, &of_line) {
            claims.extend(of_line.into_iter().map(|claim| claim.claim.clone()));
            added.push(line);
        }
    }
    if !added.is_empty() {
        text = with_added(text, &with_lines(candidate, &added));
    }
    if claims.is_empty() {
        run.changes.skills.entry(page.name.clone()).or_insert(Change::Unchanged);
        return;
    }
    run.changes.skills.insert(page.name.clone(), Change::Proposed);
    run.state.hand_written.insert(page.name.clone(), Deepening { base, claims, text, rejected });
}

/// The text with what a candidate adds to it.
fn with_added(text: String, candidate: &Candidate) -> String {
    let mut text = text.trim_end().to_owned();
    if text.lines().all(|line| line.trim_end() != HEADING) {
        text.push_str("\n\n");
        text.push_str(HEADING);
    }
    text.push('\n');
    for line in &candidate.wording.lessons {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- {}", line.text);
    }
    let _ = writeln!(text, "\nSeen in {}.", counted(candidate.sessions().len(), "session", "sessions"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_one_line_of_it_names_in_full() {
        for (line, text, is_said) in [
            (r#"after edit "*.go" run "make lint""#, "Run `make lint`.", false),
            (
                r#"after fail "make itest" run "make db-up" expect pass "make itest""#,
                "If `make itest` fails, run `make db-up`.",
                true,
            ),
            (
                r#"after fail "make itest" run "make db-up" expect pass "make itest""#,
                "Run `make itest`.\nRun `make db-up`.",
                false,
            ),
            (r#"after run "gh pr diff --stat ..." expect fail"#, "Run `gh pr diff --stat`.", false),
            (r#"after run "gh pr diff --stat ..." expect fail"#, "There is no `gh pr diff --stat`.", true),
            (r#"with prompt prompt saying "existing helper" or "reuse""#, "- Reuse what is there.", true),
            (r#"with prompt prompt saying "existing helper" or "reuse""#, "- Use helpers.", false),
        ] {
            assert_eq!(says(text, &Predicate::parse(line).unwrap()), is_said, "{line}: {text}");
        }
    }

    #[test]
    fn a_page_is_near_to_what_it_names() {
        let named = |text: &str, line: &str| named_in(text, &Predicate::parse(line).unwrap());
        assert_eq!(
            named("Run `gh pr diff 3 --stat`.", r#"after run "gh pr diff --stat ..." expect fail"#),
            1
        );
        assert_eq!(named("Run gh pr view.", r#"after run "gh pr diff --stat ..." expect fail"#), 0);
        assert_eq!(named("```sh\n$ make lint\n```", r#"after edit "src/a/*.go" run "make lint""#), 1);
        assert_eq!(
            named("Go on.", r#"with prompt prompt saying "go on""#),
            0,
            "words alone make no page near"
        );
    }
}
