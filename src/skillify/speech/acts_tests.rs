//! Sentences by the act that they speak of, and others that sound like it.

use super::{acts, heard};

const SENTENCES: &str = include_str!("../../../tests/fixtures/rules/acts.tsv");

/// The acts that everyday sentences are read as without harm: nothing comes of a plain one.
const EVERYDAY: &[&str] =
    &["", "run", "use", "edit", "remove", "track", "commit", "tests", "consent", "docs", "changelog"];

#[test]
fn sentences_are_read_as_the_act_that_they_speak_of_and_no_other() {
    let mut wrong = Vec::new();
    let (mut positives, mut decoys) = (0, 0);
    for line in SENTENCES.lines() {
        let (act, sentence) = line.split_once('\t').unwrap();
        let told: Vec<&str> = heard(sentence).iter().map(|one| one.told.act).collect();
        let is_right = match act {
            "-" => told.iter().all(|told| EVERYDAY.contains(told)),
            _ => told.contains(&act),
        };
        *if act == "-" { &mut decoys } else { &mut positives } += 1;
        if !is_right {
            wrong.push(format!("{line} read as {told:?}"));
        }
    }
    assert!(positives > 40 && decoys > 30, "{positives} {decoys}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_said_beside_an_act_is_a_form_of_it() {
    assert_eq!(acts::plain("reply-commit"), "reply");
    assert_eq!(acts::plain("reply"), "reply");
    assert!(acts::is_a_way("draft-base") && acts::is_of_work("changelog-short"));
}
