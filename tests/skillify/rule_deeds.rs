//! Rules that people's words and what was done beside them tell together: refused calls, failing checks, ordered
//! commits, and what is said beside an act.

use skillspan::event::{Decision, Kind, SessionEvent, Status};
use skillspan::skillify::{Candidate, Shortfall, quotations};
use skillspan::table::{Fact, Session};

use super::sessions::{SessionBuilder, mined_by_default, session};

fn begun(id: &str, person: &str, day: i64) -> SessionBuilder {
    session(id).on(day).by(person).prompt("Mend the parser of the invoices").edit("src/parser.rs")
}

fn says(id: &str, person: &str, day: i64, said: &[&str]) -> Session {
    said.iter().fold(begun(id, person, day), |begun, said| begun.prompt(said)).build()
}

/// The rules that a person is asked about, each with its scope.
fn asked(sessions: &[Session]) -> Vec<(String, &'static str)> {
    let mined = mined_by_default(sessions);
    let is_asked = |one: &&Candidate| {
        one.is_proposed() && one.shortfalls.contains(&Shortfall::Rule) && !one.is_published()
    };
    let rules = mined.candidates.iter().filter(is_asked);
    rules.filter_map(|one| Some((one.claims.first()?.claim.to_string(), one.scope.as_str()))).collect()
}

fn rule(says: &str, scope: &'static str) -> Vec<(String, &'static str)> {
    vec![(says.to_owned(), scope)]
}

#[test]
fn what_people_say_in_work_that_loaded_a_skill_counts() {
    let with_skill = |id: &str, person: &str, day: i64| {
        begun(id, person, day).skill("review-code").prompt("Never force-push.").build()
    };
    let sessions = [with_skill("a", "ana", 1), with_skill("b", "ben", 3)];
    assert_eq!(asked(&sessions), rule("Do not force-push", "workspace"));
}

#[test]
fn what_every_third_says_beside_an_act_belongs_to_the_rule() {
    let said = [
        "answer the review comments with the sha of the fix",
        "reply to the comments please",
        "reply to each comment and reference the commit sha",
        "please respond to the comments",
    ];
    let sessions: Vec<Session> =
        said.iter().zip(1..).map(|(said, day)| says(&format!("s{day}"), "ana", day, &[said])).collect();
    let full = "Answer each review comment in its thread, with the commit that fixes it";
    assert_eq!(asked(&sessions), rule(full, "person"));
    // The sentence that says all of it is quoted.
    let claim = &mined_by_default(&sessions).candidates[0].claims[0].claim;
    assert_eq!(quotations(&sessions[2], claim)[0].sentence, said[2]);
    // One of five is a moment's wish.
    let mut rare: Vec<Session> = sessions[..1].to_vec();
    rare.extend((2..6).map(|day| says(&format!("r{day}"), "ana", day, &["reply to the comments please"])));
    assert_eq!(asked(&rare), rule("Answer each review comment in its thread", "person"));
}

#[test]
fn a_refused_call_tells_what_is_meant() {
    let refused = |id: &str, person: &str, day: i64, call: &str, words: &str| {
        begun(id, person, day).refused_with(call, words).build()
    };
    let plans = [
        refused(
            "a",
            "ana",
            1,
            "git add docs/plans/parser-design.md && git commit -m plan",
            "don't check this in",
        ),
        says("b", "ben", 4, &["can we not commit the design docs?"]),
    ];
    assert_eq!(asked(&plans), rule("Do not commit plans or working notes", "workspace"));
    // Of code it is said of the moment's commit.
    let code = [
        refused("a", "ana", 1, "git add src/parser.rs", "don't check this in"),
        says("b", "ben", 4, &["can we not commit the design docs?"]),
    ];
    assert_eq!(asked(&code), []);
    let discards = [
        refused("a", "ana", 1, "git reset --hard origin/main", "what are you doing?!"),
        refused("b", "ben", 5, "git stash", "no, do not stash anything"),
    ];
    assert_eq!(
        asked(&discards),
        rule("Do not stash, reset or discard work unless you are told to", "workspace")
    );
    for (call, words) in [
        ("git status", "what are you doing?!"),
        ("git stash list", "what are you doing?!"),
        ("git reset --hard", "wait, not yet"),
        ("git reset --hard", "hang on, I am looking at it right now"),
    ] {
        let sessions = [refused("a", "ana", 1, call, words), refused("b", "ben", 5, call, words)];
        assert_eq!(asked(&sessions), [], "{call}: {words}");
    }
}

/// A session whose call was refused with words and then ran, under the same id.
fn refused_first(id: &str, person: &str, day: i64, words: &str) -> Session {
    let mut session = begun(id, person, day).ok("git push").build();
    let call =
        session.facts.iter().rev().find(|fact| fact.event.kind == Kind::ToolCall).unwrap().event.clone();
    let decision = SessionEvent {
        kind: Kind::Decision,
        decision: Decision::Reject,
        text: words.to_owned(),
        event_id: format!("{id}-decision"),
        input: String::new(),
        status: Status::Unknown,
        ..call
    };
    session.facts.push(Fact { event_ids: vec![decision.event_id.clone()], event: decision });
    session
}

#[test]
fn words_of_a_refusal_count_where_the_call_ran_later() {
    let words = "no, I did not ask you to push";
    let sessions = [refused_first("a", "ana", 1, words), refused_first("b", "ben", 3, words)];
    assert_eq!(asked(&sessions), [], "the same words of two people were pasted");
    let sessions =
        [refused_first("a", "ana", 1, words), refused_first("b", "ben", 3, "never push on your own")];
    assert_eq!(asked(&sessions), rule("Do not push unless you are told to", "workspace"));
}

#[test]
fn a_check_that_people_report_on_three_days_belongs_before_the_end() {
    let reports = |id: &str, day: i64, said: &str| {
        session(id)
            .on(day)
            .by("ana")
            .prompt(said)
            .edit("src/parser.rs")
            .fails("make lint")
            .ok("make lint")
            .build()
    };
    let mut sessions = vec![reports("a", 1, "make lint fails"), reports("b", 3, "the lint is failing again")];
    assert_eq!(asked(&sessions), []);
    sessions.push(reports("c", 6, "can you fix the lint errors"));
    assert_eq!(asked(&sessions), rule("Run `make lint` before you say that a change is done", "person"));
    for decoy in [
        "does make lint fail?",
        "lint the page",
        "the linter is nice",
        "add a button that fails the lint form",
    ] {
        let sessions: Vec<Session> = (1..6).map(|day| reports(&format!("d{day}"), day, decoy)).collect();
        let found = asked(&sessions);
        assert!(found.is_empty() || decoy.contains("make lint fail"), "{decoy}: {found:?}");
    }
}

#[test]
fn who_orders_nearly_every_commit_says_when() {
    let ordered = |day: i64| {
        begun(&format!("o{day}"), "ana", day).prompt("commit this").ok("git commit -am parser").build()
    };
    let unordered =
        |day: i64| begun(&format!("u{day}"), "ana", day).prompt("go on").ok("git commit -am parser").build();
    let five: Vec<Session> = (1..6).map(ordered).collect();
    assert_eq!(asked(&five), rule("Commit when you are told to, not before", "person"));
    assert_eq!(asked(&five[..4]), []);
    let both: Vec<Session> = five.iter().cloned().chain((1..4).map(unordered)).collect();
    assert_eq!(asked(&both), [], "three of eight were not ordered");
    // Who forbids it once and orders each says the same.
    let mut banned: Vec<Session> = five[..2].to_vec();
    banned.push(
        begun("ban", "ana", 9).refused_with("git commit -am x", "no, I did not say commit anything").build(),
    );
    assert_eq!(asked(&banned), rule("Do not commit unless you are told to", "person"));
}

#[test]
fn to_look_and_change_nothing_is_a_rule_where_it_is_said_again_and_again() {
    let said = [
        "don't change anything, just tell me why it fails",
        "without making any changes: can you check the other reader?",
        "do not edit anything, only look at the parser",
    ];
    let sessions: Vec<Session> =
        said.iter().zip(1..).map(|(said, day)| says(&format!("s{day}"), "ana", day, &[said])).collect();
    assert_eq!(asked(&sessions[..2]), []);
    assert_eq!(
        asked(&sessions),
        rule("Do not change files when you are asked to check or explain", "person")
    );
}

#[test]
fn two_parts_that_have_to_be_alike_are_parts_that_are_there() {
    let with_parts = |id: &str, person: &str, day: i64, said: &str| {
        begun(id, person, day).edit("src/ios_sync.rs").edit("src/android_sync.rs").prompt(said).build()
    };
    let said = ["make sure it is the same for ios and android", "please add it to both android and ios"];
    let sessions = [with_parts("a", "ana", 1, said[0]), with_parts("b", "ben", 4, said[1])];
    assert_eq!(
        asked(&sessions),
        rule("Keep `android` and `ios` alike: what one gets, check in the other", "workspace")
    );
    let elsewhere = [says("a", "ana", 1, &said[..1]), says("b", "ben", 4, &said[1..])];
    assert_eq!(asked(&elsewhere), [], "no file of them is known");
}

#[test]
fn where_issues_go_and_who_else_works_here_is_said_in_many_words() {
    let issues = [
        says("a", "ana", 1, &["can you log an issue for it in project: Atlas"]),
        says("b", "ana", 4, &["create a ticket in the Atlas project, please"]),
    ];
    assert_eq!(asked(&issues), rule("Put new issues into the project `Atlas`", "person"));
    let tree = [
        says("a", "ana", 1, &["wait, someone else edited parser.rs"]),
        says("b", "ana", 4, &["Another agent is working on your files, read them again"]),
    ];
    assert_eq!(
        asked(&tree),
        rule("Others work in the same tree: re-read files, and stage only your own", "person")
    );
    for decoy in [
        "somebody else should look at the files",
        "does another agent edit the files?",
        "which project is the issue in?",
    ] {
        assert_eq!(asked(&[says("a", "ana", 1, &[decoy]), says("b", "ben", 4, &[decoy])]), [], "{decoy}");
    }
}

#[test]
fn a_way_to_work_is_never_the_work_that_a_session_begins_with() {
    let begins =
        |id: &str, day: i64, said: &str| session(id).on(day).by("ana").prompt(said).edit("src/a.rs").build();
    let sessions = [
        begins("a", 1, "Keep our working notes in linear."),
        begins("b", 3, "can we create the plan as a linear comment please"),
    ];
    assert_eq!(
        asked(&sessions),
        rule("Keep plans and notes in the issue tracker, not in the repository", "person")
    );
    let tests =
        [begins("a", 1, "add a test"), begins("b", 3, "add a test"), begins("c", 5, "add some tests")];
    assert_eq!(asked(&tests), []);
}
