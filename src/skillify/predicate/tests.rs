use proptest::prelude::*;

use super::super::speech::Want;
use super::ast::*;
use super::*;

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}( [a-z:/.\"\\\\#-]{1,8}){0,2}".prop_map(|text| text.trim().to_owned()),
        Just("connection refused".to_owned()),
        Just("é \"quoted\" \\ back".to_owned()),
    ]
    .prop_filter("no empty text", |text| !text.is_empty() && text.trim() == text)
}

fn paths() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("src/**/*.rs".to_owned()),
        Just("src/{name}.py".to_owned()),
        "[a-z]{1,6}(/[a-z*]{1,6}){0,3}(\\.[a-z]{1,3})?",
    ]
}

fn patterns() -> impl Strategy<Value = Pattern> {
    let commands = prop_oneof![
        Just("make test"),
        Just("git commit -m {name}"),
        Just("pytest tests/test_{name}.py"),
        Just("NODE_ENV=test npm test"),
        Just("cargo test --locked"),
    ];
    (commands, any::<bool>()).prop_map(|(text, more)| Pattern { text: text.to_owned(), more })
}

fn sayings() -> impl Strategy<Value = Saying> {
    proptest::collection::vec(texts(), 0..3)
}

fn edit_endings() -> impl Strategy<Value = Ending> {
    prop_oneof![Just(Ending::Any), Just(Ending::Fail), Just(Ending::Refuse)]
}

fn events() -> impl Strategy<Value = Event> {
    let ending = prop_oneof![Just(Ending::Any), Just(Ending::Pass), Just(Ending::Fail), Just(Ending::Refuse)];
    let look = prop_oneof![Just(Look::Any), Just(Look::Found), Just(Look::Missed)];
    let want = prop_oneof![Just(Want::Do), Just(Want::Not), Just(Want::Ask), Just(Want::Free)];
    let class = proptest::option::of(proptest::sample::select(&Class::ALL[..]));
    prop_oneof![
        (edit_endings(), paths(), sayings()).prop_map(|(ending, path, saying)| Event::Edit {
            ending,
            path,
            saying
        }),
        (look, paths()).prop_map(|(found, path)| Event::Look { found, path }),
        texts().prop_map(|name| Event::Search { name }),
        (ending, patterns(), sayings()).prop_map(|(ending, command, saying)| Event::Run {
            ending,
            command,
            saying
        }),
        (class, sayings()).prop_map(|(class, saying)| Event::Prompt { class, saying }),
        (want, texts(), proptest::option::of(texts())).prop_map(|(want, act, name)| Event::Want {
            want,
            act,
            name
        }),
    ]
}

fn predicates() -> impl Strategy<Value = Predicate> {
    let relation = proptest::sample::select(&Relation::ALL[..]);
    let scope = proptest::sample::select(&Scope::ALL[..]);
    let action = prop_oneof![
        events().prop_map(Action::No),
        proptest::collection::vec(events(), 1..4).prop_map(Action::Steps),
    ];
    let ends =
        (any::<bool>(), any::<bool>(), patterns(), sayings()).prop_map(|(passes, clean, command, saying)| {
            Expected::Ends { passes, clean, command: Some(command), saying }
        });
    let expected = proptest::option::of(prop_oneof![Just(Expected::Accept), ends]);
    (relation, events(), action, scope, expected).prop_map(
        |(relation, situation, action, scope, expected)| Predicate {
            relation,
            situation,
            action: Some(action),
            scope,
            expected,
        },
    )
}

proptest! {
    #[test]
    fn what_prints_parses_to_the_same_tree(predicate in predicates()) {
        let text = predicate.to_string();
        let parsed = Predicate::parse(&text);
        prop_assert_eq!(parsed.as_ref(), Ok(&predicate), "{}", text);
        prop_assert_eq!(parsed.unwrap().to_string(), text);
    }

    #[test]
    fn any_line_is_read_or_refused_at_a_place_in_it(line in "\\PC{0,80}") {
        if let Err(error) = Predicate::parse(&line) {
            prop_assert!(error.column >= 1 && error.column <= line.chars().count() + 1, "{error} in {line:?}");
        }
    }

    #[test]
    fn words_in_any_order_are_read_or_refused(words in proptest::collection::vec(proptest::sample::select(&[
        "after", "before", "with", "edit", "run", "fail", "pass", "refuse", "prompt", "question", "no", "then", "saying",
        "or", "within", "turn", "expect", "clean", "found", "missing", "accept", "\"a b\"", "\"x/*.rs\"", "\"make test\"",
        "\"git commit ...\"", "look", "search", "want", "not", "about", "#",
    ][..]), 0..14)) {
        let line = words.join(" ");
        match Predicate::parse(&line) {
            Ok(predicate) => {
                let again = Predicate::parse(&predicate.to_string());
                prop_assert_eq!(again.as_ref(), Ok(&predicate), "{}", line);
            }
            Err(error) => prop_assert!(error.column >= 1 && error.column <= line.len() + 1, "{error} in {line:?}"),
        }
    }

    #[test]
    fn any_file_is_read_or_refused(text in "(---\n)?(\\PC{0,40}\n|  - \\PC{0,20}\n|predicates:\n|```predicates\n|```\n){0,8}") {
        if let Err(errors) = read_lesson(&text) {
            prop_assert!(!errors.is_empty());
            for error in errors {
                prop_assert!(error.line >= 1 && error.line <= text.lines().count().max(1), "{error} in {text:?}");
            }
        }
    }
}

#[test]
fn a_line_as_a_person_writes_it_prints_the_same() {
    for line in [
        "after edit \"src/**/*.rs\" run \"make test\" expect pass",
        "after fail \"make itest\" saying \"connection refused\" run \"make db-up\" expect clean pass \"make itest\"",
        "before run \"git commit ...\" prompt saying \"commit\" or \"ship it\"",
        "after look \"src/commands\" expect missing",
        "after search \"CartState\" expect found \"src/till/cart.go\"",
        "after prompt question no edit \"**\" within turn",
        "after prompt request saying \"release\" run \"make changelog\" then edit \"VERSION\" then run \"git tag v{version}\"",
        "with edit \"a.ts\" edit \"b.ts\"",
        "after run \"git push --force ...\" expect refuse",
        "after edit \"docs/plans/*.md\" expect refuse",
        "with prompt refuse edit \"docs/plans/*.md\" saying \"not this file\"",
        "after fail edit \"*.tsx\" saying \"not found\" read \"*.tsx\"",
        "after run \"cat -A ...\" expect fail saying \"illegal option\"",
        "with prompt want not \"force-push\" about \"main\"",
        "after edit \"*.go\" saying \"//nolint\" run \"make lint\" within work expect pass",
    ] {
        match Predicate::parse(line) {
            Ok(predicate) => assert_eq!(predicate.to_string(), line),
            Err(error) => panic!("{line}: {error}"),
        }
    }
    let spaced = Predicate::parse("  after   edit \"a.py\"  run \"make  test\" # why").unwrap();
    assert_eq!(spaced.to_string(), "after edit \"a.py\" run \"make  test\"");
}

#[test]
fn an_error_names_the_place_what_was_expected_and_what_may_be_meant() {
    for (line, column, words) in [
        ("", 1, "expected after, before or with, found the end of the line"),
        ("aftr edit \"a\" run \"b\"", 1, "found `aftr`; did you mean `after`?"),
        ("after edti \"a\" run \"b\"", 7, "found `edti`; did you mean `edit`?"),
        ("after edit a run \"b\"", 12, "expected the path between quotation marks, found `a`"),
        ("after edit \"a\"", 15, "expected an action, or expect and a result, found the end of the line"),
        ("after edit \"a\" runn \"b\"", 16, "found `runn`; did you mean `run`?"),
        ("after edit \"a\" run \"b\" exspect pass", 24, "did you mean `expect`?"),
        ("after edit \"a\" run \"b\" expect pas", 31, "found `pas`; did you mean `pass`?"),
        ("after edit \"a\" expect pass", 27, "name the command that passes or fails"),
        ("after edit \"a\" run \"b && c\"", 20, "this is no single command"),
        ("after edit \"/etc/a\" run \"b\"", 12, "a path begins at the root of the repository"),
        ("after edit \"a\" run \"b", 20, "no closing quotation mark"),
        ("after edit \"a\" run \"b\" within hour", 31, "expected turn, work or session, found `hour`"),
        ("after prompt qestion expect accept", 14, "did you mean `question`?"),
        ("after edit \"a\" run \"b\" expect missing", 31, "missing tells of a look"),
        ("after edit \"a\" look \"b\" expect refuse", 32, "only what is run or edited can be refused"),
        ("after edit “a” run \"b\"", 12, "begins no word"),
        ("after edit \"a\" run \"b\" expect pass extra", 36, "expected the end of the line, found `extra`"),
    ] {
        let error = Predicate::parse(line).unwrap_err();
        assert!(error.column == column && error.message.contains(words), "{line}\n{error}");
    }
}

#[test]
fn a_page_has_its_predicates_in_a_block_or_in_its_front_matter() {
    let read = |text: &str| -> Vec<(usize, String)> {
        let lines = read_lesson(text).unwrap();
        lines.into_iter().map(|line| (line.line, line.predicate.to_string())).collect()
    };
    let one = "after edit \"a\" run \"b\"";
    let page = format!(
        "---\nname: x\nmetadata:\n  predicates: |\n    {one}\n    # why\n\n  other: y\n---\n# X\n\n```predicates\n{one}\n```\n"
    );
    assert_eq!(read(&page), [(5, one.to_owned()), (13, one.to_owned())]);
    let list = format!("---\npredicates:\n- {one}\n- '{one}'\nname: x\n---\ntext\n");
    assert_eq!(read(&list), [(3, one.to_owned()), (4, one.to_owned())]);
    assert_eq!(read(&format!("version 2\n# a lesson\n\n{one}\n")), [(4, one.to_owned())]);
}

#[test]
fn what_is_wrong_with_a_file_is_said_line_by_line() {
    let errors =
        read_lesson("after edit \"a\" run \"b\"\nafter edti \"a\" run \"b\"\n  befor run \"x\" run \"y\"\n")
            .unwrap_err();
    let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("2:7: expected an event"), "{said:?}");
    assert!(said[1].starts_with("3:3: expected after, before or with, found `befor`"), "{said:?}");
    for (text, words) in [
        ("", "there is no predicate here: write one a line"),
        ("---\nname: x\n---\n# X\n", "write them into a block that begins with ```predicates"),
        ("version 1\nafter edit \"a\" run \"b\"\n", "this program reads version 2 of the language"),
        ("after edit \"a\" run \"b\"\nversion 2\n", "the version stands before all predicates"),
        ("---\nname: x\n---\n```predicates\nafter edit \"a\" run \"b\"\n", "this block has no end"),
    ] {
        let errors = read_lesson(text).unwrap_err();
        assert!(errors.iter().any(|error| error.message.contains(words)), "{text}\n{errors:?}");
    }
}
