//! Every kind of secret in every context, and what looks like one and is none.

use std::borrow::Cow;
use std::collections::BTreeMap;

use skillspan::redact::{Key, Options, Redactor};

use crate::corpus::Letters;
use crate::elsewhere::HARMLESS_ELSEWHERE;
use crate::harmless::HARMLESS;
use crate::kinds::{Kind, contexts, elsewhere, forms, is_left, kinds};
use crate::sayings::SAYINGS;

fn redactor() -> Redactor {
    Redactor::new(&Options::default(), Key::new(&[7; 32]).unwrap()).unwrap()
}

/// Kinds that are stored in a context, by the words that they are written down with; `SECURITY.md` says why.
const LIMITS: &[(&str, &str)] = &[
    // What is read of XML's escapes has the line's end within the quotation marks.
    ("--auth-user-pass <(printf", "xml"),
];

fn is_limit(kind: &Kind, context: &str) -> bool {
    LIMITS.iter().any(|(written, limited)| {
        kind.written.contains(written) && (*limited == context || *limited == "all")
    })
}

/// What is stored of these kinds in any context, as lines; how many could have been, and where.
fn stored(kinds: &[Kind]) -> (Vec<String>, usize) {
    let redactor = redactor();
    let contexts = contexts();
    let (mut missed, mut per_context) = (Vec::new(), BTreeMap::new());
    for kind in kinds {
        for (context, wrap) in &contexts {
            let text = wrap(kind);
            let redacted = redactor.redact(&text);
            if is_left(kind, &redacted) && !is_limit(kind, context) {
                *per_context.entry(*context).or_insert(0) += 1;
                missed.push(format!("{context}: {} gave {redacted}", kind.written));
            }
            let again = redactor.redact(&redacted);
            if again != redacted {
                missed.push(format!("twice is not once: {context}: {redacted} gave {again}"));
            }
        }
    }
    let all = kinds.len() * contexts.len();
    println!("{} of {all} stored: {per_context:?}", per_context.values().sum::<usize>());
    (missed, all)
}

#[test]
fn every_kind_of_secret_leaves_every_context() {
    let kinds = kinds(1);
    assert!(kinds.len() >= 200 && contexts().len() >= 6, "{} kinds", kinds.len());
    let (missed, all) = stored(&kinds);
    assert!(missed.is_empty(), "{} of {all} stored:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn every_form_of_a_secret_leaves_every_context() {
    let forms = forms(3);
    assert!(forms.len() >= 400, "{} forms", forms.len());
    let (missed, all) = stored(&forms);
    assert!(missed.is_empty(), "{} of {all} stored:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn what_others_write_leaves_every_context() {
    let (missed, all) = stored(&elsewhere(5));
    assert!(missed.is_empty(), "{} of {all} stored:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn what_stands_around_a_secret_stays() {
    let redactor = redactor();
    let mut changed = Vec::new();
    for kind in kinds(2).iter().filter(|kind| kind.written.contains('¦')) {
        let redacted = redactor.redact(&kind.text);
        let (before, behind) = kind.text.split_once(kind.secret.as_str()).unwrap();
        if !redacted.starts_with(before) || !redacted.ends_with(behind) {
            changed.push(format!("{} gave {redacted}", kind.text));
        }
    }
    assert!(changed.len() * 20 <= kinds(2).len(), "{}:\n{}", changed.len(), changed.join("\n"));
}

/// Passwords as generators make them, in each way that they are written to a configuration.
#[test]
fn generated_passwords_leave_whole() {
    let redactor = redactor();
    let signs =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    let quoted = |password: &str, marks: &str| password.chars().all(|char| !marks.contains(char));
    type Form = (&'static str, &'static str, fn(&str) -> String);
    let forms: [Form; 8] = [
        ("env", "\"'`\\ $", |password| format!("DB_PASSWORD={password}\nPORT=1\n")),
        ("env, single", "'", |password| format!("DB_PASSWORD='{password}'\nPORT=1\n")),
        ("env, double", "\"\\`$", |password| format!("DB_PASSWORD=\"{password}\"\nPORT=1\n")),
        ("yaml", "'", |password| format!("db:\n  password: '{password}'\n  port: 1\n")),
        ("json", "", |password| serde_json::json!({ "password": password, "port": 1 }).to_string()),
        ("json in json", "", |password| {
            serde_json::json!({ "body": serde_json::json!({ "password": password, "port": 1 }).to_string() })
                .to_string()
        }),
        ("ado.net", "\"'`\\;=&", |password| format!("Server=db;User Id=sa;Password={password};Encrypt=true")),
        ("shell quoting", "", |password| {
            format!("deploy --password '{}' --wait", password.replace('\'', "'\\''"))
        }),
    ];
    let mut all = Vec::new();
    for (name, without, form) in forms {
        let mut letters = Letters::new(77);
        let mut left = Vec::new();
        for _ in 0..300 {
            let mut password = String::new();
            while password.len() < 32 {
                password += &letters.of(signs, 1);
                if !quoted(&password, without) {
                    password.pop();
                }
            }
            let text = form(&password);
            let redacted = redactor.redact(&text);
            let runs =
                password.split(|char: char| !char.is_ascii_alphanumeric()).filter(|run| run.len() >= 4);
            if matches!(redacted, Cow::Borrowed(_)) || runs.into_iter().any(|run| redacted.contains(run)) {
                left.push(format!("{text} gave {redacted}"));
            }
        }
        println!("{name}: {} of 300 stored", left.len());
        if left.len() > 6 {
            all.push(format!("{name}: {} of 300:\n{}", left.len(), left.join("\n")));
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// Which of these texts redaction changes.
fn altered(texts: &[&str]) -> Vec<String> {
    let redactor = redactor();
    let altered = texts.iter().filter_map(|text| match redactor.redact(text) {
        Cow::Owned(redacted) => Some(format!("{text}\n  gave {redacted}")),
        Cow::Borrowed(_) => None,
    });
    let altered: Vec<String> = altered.collect();
    println!("{} of {} harmless texts altered\n{}", altered.len(), texts.len(), altered.join("\n"));
    altered
}

#[test]
fn what_is_no_secret_stays() {
    for texts in [HARMLESS, SAYINGS] {
        assert!(texts.len() >= 150, "{}", texts.len());
        let altered = altered(texts);
        assert!(altered.len() * 50 <= texts.len(), "{} altered:\n{}", altered.len(), altered.join("\n"));
    }
    let altered = altered(HARMLESS_ELSEWHERE);
    assert!(altered.is_empty(), "{}", altered.join("\n"));
}
