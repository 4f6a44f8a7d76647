//! Tests of [`super`].

use super::*;

fn values(line: &str) -> Vec<Vec<String>> {
    parse(line)
        .into_iter()
        .map(|pipeline| {
            let stages: Vec<String> = pipeline
                .stages
                .into_iter()
                .map(|stage| stage.into_iter().map(|word| word.value).collect::<Vec<_>>().join("·"))
                .collect();
            stages
        })
        .collect()
}

#[test]
fn splits_lists_and_pipelines() {
    assert_eq!(
        values("cd api && make test 2>&1 | tail -5; echo done &"),
        [vec!["cd·api"], vec!["make·test", "tail·-5"], vec!["echo·done"]]
    );
    assert_eq!(values("a ||\n b |\n c"), [vec!["a"], vec!["b", "c"]]);
    assert_eq!(
        parse("a && b || c").iter().map(|p| p.connector).collect::<Vec<_>>(),
        [Connector::Sequence, Connector::And, Connector::Or]
    );
}

#[test]
fn keeps_quoted_operators_in_their_word() {
    assert_eq!(values(r#"git commit -m "a && b; c" 'x|y' z\ z"#), [vec!["git·commit·-m·a && b; c·x|y·z z"]]);
    assert_eq!(values("echo $(a | b) `c; d`"), [vec!["echo·$(a | b)·`c; d`"]]);
    assert_eq!(parse(r#"say "hi you""#)[0].stages[0][1].raw, "\"hi you\"");
}

#[test]
fn drops_redirections_comments_and_here_documents() {
    assert_eq!(values("make a > out.txt 2>/dev/null < in &> all # why"), [vec!["make·a"]]);
    let line = "psql app <<'SQL'\nselect 1; drop\nSQL\nmake b";
    assert_eq!(values(line), [vec!["psql·app"], vec!["make·b"]]);
    assert!(parse(line)[0].is_fed && !parse(line)[1].is_fed);
    assert!(parse("psql app < a.sql")[0].is_fed && !parse("make a 0<&- > b < /dev/null")[0].is_fed);
}

#[test]
fn tells_where_output_goes_and_what_runs_behind() {
    use Stream::{Dropped, Filed, Kept};
    let streams = |line: &str| parse(line)[0].streams[0].clone();
    for (line, out, errors, writes) in [
        ("a > x.py <<E\n1 > 2\nE", Filed, Kept, vec!["x.py"]),
        ("a >> x 2>&1", Filed, Filed, vec!["x"]),
        ("a 2>&1 > x", Filed, Kept, vec!["x"]),
        ("a &> x", Filed, Filed, vec!["x"]),
        ("a 2>/dev/null", Kept, Dropped, vec![]),
        ("a >/dev/null 2>&1", Dropped, Dropped, vec![]),
        ("a 2>&1", Kept, Kept, vec![]),
        ("a >&2 < in", Kept, Kept, vec![]),
    ] {
        let writes: Vec<String> = writes.into_iter().map(str::to_owned).collect();
        assert_eq!(streams(line), Streams { out, errors, writes }, "{line}");
    }
    let behind: Vec<bool> = parse("a; b && c & d").iter().map(|p| p.is_background).collect();
    assert_eq!(behind, [false, true, true, false]);
    let joined: Vec<Connector> = parse("a && (b; c) 2>&1 | tail").iter().map(|p| p.connector).collect();
    assert_eq!(joined, [Connector::Sequence, Connector::And, Connector::Sequence, Connector::Pipe]);
}

#[test]
fn tells_in_how_many_subshells_a_pipeline_runs() {
    let depths = |line: &str| -> Vec<(usize, usize)> {
        parse(line).iter().map(|pipeline| (pipeline.left_to, pipeline.subshells)).collect()
    };
    assert_eq!(depths("a; (b; (c)); d"), [(0, 0), (0, 1), (1, 2), (0, 0)]);
    assert_eq!(depths("(a) && (b)"), [(0, 1), (0, 1)]);
}

proptest::proptest! {
    #[test]
    fn any_text_is_split_without_a_panic(line in ".{0,200}") {
        for pipeline in parse(&line) {
            proptest::prop_assert!(!pipeline.stages.is_empty());
            proptest::prop_assert!(pipeline.stages.iter().all(|stage| !stage.is_empty()));
        }
    }
}
