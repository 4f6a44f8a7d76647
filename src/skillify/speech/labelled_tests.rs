//! Labelled sentences: what is read as a rule, and what is not.

use super::heard;

/// Sentences that the reader was made with, and others that were written when it stood.
const KNOWN: &str = include_str!("../../../tests/fixtures/rules/sentences-a.tsv");
const LATER: &str = include_str!("../../../tests/fixtures/rules/sentences-b.tsv");
/// Written without a look at the reader, when it had been mended by the others.
const UNSEEN: &str = include_str!("../../../tests/fixtures/rules/sentences-c.tsv");
/// Written by another hand that had not seen the reader; it was mended by them.
const OTHERS: &str = include_str!("../../../tests/fixtures/rules/sentences-d.tsv");
/// Written by a third hand when deeds and whole sentences were read as well; it was mended by them.
const LAST: &str = include_str!("../../../tests/fixtures/rules/sentences-e.tsv");
/// Written when it had been mended by those; it was mended by these as well.
const AFTER: &str = include_str!("../../../tests/fixtures/rules/sentences-f.tsv");
/// Written after that; it was mended by these too.
const NEWEST: &str = include_str!("../../../tests/fixtures/rules/sentences-g.tsv");
/// Written after that.
const UNTOUCHED: &str = include_str!("../../../tests/fixtures/rules/sentences-h.tsv");

fn measured(text: &str) -> (usize, usize, usize, Vec<String>) {
    let (mut right, mut wrong, mut rules, mut missed) = (0, 0, 0, Vec::new());
    for line in text.lines() {
        let (label, sentence) = line.split_once('\t').unwrap();
        let is_read = heard(sentence).iter().any(super::Heard::is_rule);
        rules += usize::from(label == "rule");
        match (label == "rule", is_read) {
            (true, true) => right += 1,
            (false, true) => {
                wrong += 1;
                missed.push(format!("false: {line}"));
            }
            (true, false) => missed.push(format!("missed: {line}")),
            (false, false) => {}
        }
    }
    (right, wrong, rules, missed)
}

#[test]
fn rules_are_read_and_nothing_else_is() {
    for text in [KNOWN, LATER, UNSEEN, OTHERS, LAST, AFTER, NEWEST, UNTOUCHED] {
        let (right, wrong, rules, missed) = measured(text);
        println!("{right} of {rules} rules, {wrong} false\n{}", missed.join("\n"));
        assert_eq!(text.lines().count(), 100);
        assert!(right * 10 >= (right + wrong) * 9, "{wrong} of {} are none", right + wrong);
    }
}
