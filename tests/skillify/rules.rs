//! Rules that people state: what a person is asked about, for whom, and whose words stay where they are.

use skillspan::library::{Findings, Route};
use skillspan::skillify::{
    Candidate, Config, Digest, Mined, Offline, PublishRule, Rules, Shortfall, Snapshot, mine, quotations,
};
use skillspan::table::Session;

use super::sessions::{mined_by_default, session};

/// A session in which a person says things after some work.
fn says(id: &str, person: &str, day: i64, said: &[&str]) -> Session {
    let begun =
        session(id).on(day).by(person).prompt("Mend the parser of the invoices").edit("src/parser.rs");
    said.iter().fold(begun, |begun, said| begun.prompt(said)).build()
}

/// What a person is asked about: the rule, its scope, and whose it is.
fn asked(mined: &Mined) -> Vec<(String, &'static str)> {
    let rules = mined.candidates.iter().filter(|candidate| candidate.shortfalls.contains(&Shortfall::Rule));
    assert!(rules.clone().all(|candidate| !candidate.is_published()));
    let proposed = rules.filter(|candidate| candidate.is_proposed());
    let first = |candidate: &Candidate| candidate.claims.first().map(|one| one.claim.to_string());
    proposed.filter_map(|candidate| Some((first(candidate)?, candidate.scope.as_str()))).collect()
}

fn asked_of(sessions: &[Session]) -> Vec<(String, &'static str)> {
    asked(&mined_by_default(sessions))
}

#[test]
fn what_two_people_say_on_two_days_is_a_rule_of_the_workspace() {
    let sessions = [
        says("a", "ana", 1, &["Never force-push to a shared branch."]),
        says("b", "ben", 2, &["please don't force push, ever"]),
    ];
    assert_eq!(asked_of(&sessions), [("Do not force-push".to_owned(), "workspace")]);
    assert!(mined_by_default(&sessions).candidates.iter().all(|candidate| !candidate.is_published()));
    let same_day = [
        says("a", "ana", 1, &["Never force-push."]),
        says("b", "ben", 1, &["please don't force push, ever"]),
    ];
    assert_eq!(asked_of(&same_day), []);
}

#[test]
fn a_name_is_said_that_both_people_said() {
    let sessions = [
        says("a", "ana", 1, &["Never edit `vendor/` by hand."]),
        says("b", "ben", 3, &["don't touch vendor/ please"]),
    ];
    assert_eq!(asked_of(&sessions), [("Do not edit `vendor/`".to_owned(), "workspace")]);
    let other =
        [says("a", "ana", 1, &["Never edit `vendor/`."]), says("b", "ben", 3, &["Never edit `dist/`."])];
    assert_eq!(asked_of(&other), []);
}

#[test]
fn a_rule_of_one_person_is_his_own_however_often_he_says_it() {
    let often: Vec<Session> = (0..50)
        .map(|day| says(&format!("s{day}"), "ana", day, &["Never force-push."]))
        .chain([says("other", "ben", 3, &["Now mend the page"])])
        .collect();
    assert_eq!(asked_of(&often), [("Do not force-push".to_owned(), "person")]);
    let alone = &often[..2];
    assert_eq!(
        asked_of(alone),
        [("Do not force-push".to_owned(), "person")],
        "also where nobody else is known"
    );
    assert_eq!(asked_of(&often[..1]), [], "once is no rule");
}

#[test]
fn a_rule_of_one_person_goes_where_the_configuration_names_him_and_nowhere_else() {
    let sessions: Vec<Session> =
        (0..3).map(|day| says(&format!("s{day}"), "ana@example.com", day, &["Never force-push."])).collect();
    let findings = [Findings::from(&mined_by_default(&sessions))];
    let taken = |scopes: &[&str], people: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let route = Route { scopes: names(scopes), people: names(people), ..Route::default() };
        route.of(&findings)[0].candidates.iter().filter(|candidate| candidate.is_proposed()).count()
    };
    assert_eq!(taken(&["person"], &["ana@example.com"]), 1);
    for (scopes, people) in [
        (&["workspace", "project"][..], &["ana@example.com"][..]),
        (&["person"], &[]),
        (&[], &[]),
        (&["person"], &["ben@example.com"]),
    ] {
        assert_eq!(taken(scopes, people), 0, "{scopes:?} {people:?}");
    }
}

#[test]
fn of_nobody_known_nothing_is_asked() {
    let sessions: Vec<Session> =
        (0..4).map(|day| says(&format!("s{day}"), "", day, &["Never force-push."])).collect();
    assert_eq!(asked_of(&sessions), []);
}

#[test]
fn people_who_contradict_each_other_keep_their_own() {
    let sessions = [
        says("a1", "ana", 1, &["Never open pull requests as drafts."]),
        says("a2", "ana", 2, &["Please never open PRs as drafts."]),
        says("b1", "ben", 3, &["Always open pull requests as drafts."]),
        says("b2", "ben", 4, &["From now on, open PRs as drafts."]),
        says("c1", "cem", 5, &["Always open draft PRs."]),
    ];
    assert_eq!(
        asked_of(&sessions),
        [
            ("Open pull requests as drafts".to_owned(), "person"),
            ("Do not open pull requests as drafts".to_owned(), "person"),
        ]
    );
}

#[test]
fn a_later_word_holds() {
    let mut sessions = vec![
        says("a1", "ana", 1, &["Always add a changelog entry."]),
        says("b1", "ben", 2, &["Every change needs a changelog entry."]),
    ];
    let rule = "Add an entry to the changelog with a change".to_owned();
    assert_eq!(asked_of(&sessions), [(rule, "workspace")]);
    sessions.push(says("a2", "ana", 5, &["From now on, never write changelog entries."]));
    sessions.push(says("b2", "ben", 6, &["We don't update the changelog anymore."]));
    assert_eq!(
        asked_of(&sessions),
        [("Do not change the changelog unless you are told to".to_owned(), "workspace")]
    );
}

#[test]
fn what_people_take_back_is_no_rule() {
    let mut sessions = vec![
        says("a1", "ana", 1, &["Never commit without asking me."]),
        says("b1", "ben", 2, &["don't commit unless I tell you to"]),
    ];
    assert_eq!(asked_of(&sessions), [("Do not commit unless you are told to".to_owned(), "workspace")]);
    sessions.push(says("a2", "ana", 5, &["You can commit again without asking."]));
    sessions.push(says("b2", "ben", 6, &["You no longer need to ask, feel free to commit."]));
    assert_eq!(asked_of(&sessions), []);
    let withdrawn = mined_by_default(&sessions);
    assert!(withdrawn.explain().join("\n").contains("people took it back"));
}

#[test]
fn the_same_text_counts_once() {
    let rule = "Never force-push to any branch that somebody else may have checked out.";
    let sessions = [says("a", "ana", 1, &[rule]), says("b", "ben", 2, &[rule]), says("c", "ana", 3, &[rule])];
    assert_eq!(asked_of(&sessions), []);
}

#[test]
fn what_was_said_long_ago_counts_no_more() {
    let mut sessions =
        vec![says("a", "ana", 1, &["Never force-push."]), says("b", "ben", 2, &["don't force push, ever"])];
    sessions.push(says("c", "cem", 170, &["Mend the page"]));
    assert_eq!(asked_of(&sessions).len(), 1);
    sessions.push(says("d", "cem", 200, &["Mend the page"]));
    assert_eq!(asked_of(&sessions), []);
}

#[test]
fn what_people_say_when_they_refuse_a_call_counts() {
    let refused = |id: &str, person: &str, day: i64, words: &str| {
        let begun = session(id).on(day).by(person).prompt("Mend the parser").edit("src/parser.rs");
        begun.refused_with("git commit -am parser", words).build()
    };
    let sessions = [
        refused("a", "ana", 1, "no, I did not say commit anything"),
        refused("b", "ben", 2, "don't commit unless I ask"),
    ];
    assert_eq!(asked_of(&sessions), [("Do not commit unless you are told to".to_owned(), "workspace")]);
    let moments = [
        refused("a", "ana", 1, "don't commit yet"),
        refused("b", "ben", 2, "wait, let me look before you commit"),
    ];
    assert_eq!(asked_of(&moments), []);
}

/// Sessions with other requests, so that what is asked again and again stands out.
fn asks(asked: &[(&str, i64, &str)]) -> Vec<Session> {
    const OTHER: &[&str] = &[
        "Rename the flag",
        "Move the helper",
        "Write the parser",
        "Update the snapshot",
        "Show the diff",
        "Add a button",
        "Create a page",
        "Run the app",
        "Check the header",
        "Use the blue colour",
        "Remove the line",
        "Start the server",
        "Explain the cache",
        "Delete the file",
        "Revert the colour",
        "Merge the branches",
        "Run it again",
        "Rename the page",
        "Move the button",
        "Describe the flow",
        "Check the logs",
        "Fix the typo",
        "Read the notes",
        "Open the page",
    ];
    let mut sessions: Vec<Session> = asked
        .iter()
        .enumerate()
        .map(|(at, (person, day, said))| says(&format!("asks{at}"), person, *day, &[said]))
        .collect();
    sessions.extend(
        OTHER.iter().enumerate().map(|(at, said)| {
            says(&format!("other{at}"), if at % 2 == 0 { "ana" } else { "ben" }, 1, &[said])
        }),
    );
    sessions
}

#[test]
fn what_people_ask_for_after_work_again_and_again_belongs_to_it() {
    let sessions = asks(&[
        ("ana", 1, "can you add some tests?"),
        ("ben", 3, "please add a test for the empty list"),
        ("ana", 5, "we need a test here, add one test"),
        ("ben", 6, "can we add a test?"),
    ]);
    assert_eq!(asked_of(&sessions), [("Add tests with a change".to_owned(), "workspace")]);
    assert_eq!(asked_of(&asks(&[("ana", 1, "can you add some tests?"), ("ben", 3, "add a test")])), []);
    let ways = asks(&[("ana", 1, "create a draft PR please"), ("ben", 3, "push, open it as a draft PR")]);
    assert_eq!(asked_of(&ways), [("Open pull requests as drafts".to_owned(), "workspace")]);
    // What a session begins with is its work.
    let works: Vec<Session> = [("ana", 1), ("ben", 3), ("ana", 5), ("ben", 7)]
        .iter()
        .map(|(person, day)| {
            session(&format!("w{day}"))
                .on(*day)
                .by(person)
                .prompt("Add a test for the parser")
                .edit("t.rs")
                .build()
        })
        .collect();
    assert_eq!(asked_of(&works), []);
}

#[test]
fn questions_jests_quotations_and_moments_are_no_rules() {
    for said in [
        "Should we never force-push?",
        "Oh sure, always force-push, what could go wrong.",
        "The reviewer wrote: never force-push",
        "The page says \"never force-push\"",
        "Don't force-push yet, I am still looking.",
        "maybe never force-push",
        "```\nnever force-push\n```",
        "> never force-push",
    ] {
        let sessions = [says("a", "ana", 1, &[said]), says("b", "ben", 2, &[said, "ok"])];
        assert_eq!(asked_of(&sessions), [], "{said}");
    }
}

#[test]
fn a_secret_in_a_rule_is_never_said() {
    for said in
        ["Always use `--token ghp_abcdefghij0123456789`.", "Never use `npm_9f8e7d6c5b4a39281706f5e4d3c2`."]
    {
        let sessions = [says("a", "ana", 1, &[said]), says("b", "ben", 2, &[&format!("ok. {said}")])];
        let mined = mined_by_default(&sessions);
        assert_eq!(asked(&mined), [], "{said}");
        let told: Vec<String> = mined.explain();
        assert!(!told.join("\n").contains("9f8e7d") && !told.join("\n").contains("ghp_"), "{told:?}");
    }
}

#[test]
fn nobody_looks_for_rules_where_they_are_off() {
    let sessions =
        [says("a", "ana", 1, &["Never force-push."]), says("b", "ben", 2, &["don't force push, ever"])];
    let publish = PublishRule { rules: Rules::Off, ..PublishRule::default() };
    let config = Config { publish, ..Config::default() };
    let mined = mine(&Snapshot { workspace: "shop", sessions: &sessions }, &config, &Offline);
    assert_eq!(mined.candidates, []);
}

#[test]
fn no_word_of_a_person_leaves_the_session() {
    let sessions = [
        says("a", "ana", 1, &["Never force-push, quoth the zebra."]),
        says("b", "ben", 2, &["For zebra's sake, never force-push."]),
    ];
    let mined = mined_by_default(&sessions);
    assert_eq!(asked(&mined).len(), 1);
    assert!(!format!("{mined:?}").contains("zebra"));
    for session in &sessions {
        let digest = Digest::of(session);
        assert!(!format!("{digest:?}").replace("words: \"", "").contains("zebra's"));
        let kept = postcard::to_extend(&digest, Vec::new()).unwrap();
        assert!(!String::from_utf8_lossy(&kept).contains("quoth"));
    }
    // Who may see the session reads it there, and nowhere where the session is gone.
    let claim = &mined.candidates[0].claims[0].claim;
    let said: Vec<String> = quotations(&sessions[0], claim).into_iter().map(|one| one.sentence).collect();
    assert_eq!(said, ["Never force-push, quoth the zebra."]);
    let forgotten = Session { facts: Vec::new(), ..sessions[0].clone() };
    assert_eq!(quotations(&forgotten, claim), []);
}

#[test]
fn what_is_not_to_be_changed_while_a_question_is_open_is_no_rule() {
    let sessions = [
        says("a", "ana", 1, &["don't fix anything, but just check whether it works"]),
        says("b", "ana", 3, &["Don't change anything, just tell me"]),
    ];
    assert_eq!(asked_of(&sessions), []);
    let lasting = [
        says("a", "ana", 1, &["Please never change any files without asking"]),
        says("b", "ana", 3, &["Never change anything without asking me"]),
    ];
    assert_eq!(asked_of(&lasting).len(), 1, "{:?}", asked_of(&lasting));
}
