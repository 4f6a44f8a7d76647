//! However a text is made, redaction looks at a bounded number of bytes for each of its own. Steps are
//! counted, not time.

use proptest::prelude::*;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::*;

/// What all rules together may look at for a byte, and besides.
const MOST_PER_BYTE: usize = 80;
const BESIDES: usize = 32 << 10;

/// A reproducible source of numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides.max(1)
    }
}

/// A text that a pattern matches; what it repeats without end is repeated up to `most` times.
fn sample(pattern: &Hir, dice: &mut Dice, most: u32, text: &mut String) {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).unwrap()),
        HirKind::Class(Class::Unicode(class)) => {
            let ranges = class.ranges();
            let range = ranges[dice.roll(ranges.len().min(6))];
            let of = range.start() as u32
                + dice.roll(1 + (range.end() as usize - range.start() as usize).min(90)) as u32;
            text.push(char::from_u32(of).unwrap_or(range.start()));
        }
        HirKind::Class(Class::Bytes(class)) => text.push(char::from(class.ranges()[0].start())),
        HirKind::Repetition(repetition) => {
            let up_to = repetition.max.unwrap_or(most.max(repetition.min)).min(repetition.min + most);
            let times = repetition.min + dice.roll((up_to - repetition.min + 1) as usize) as u32;
            (0..times).for_each(|_| sample(&repetition.sub, dice, most, text));
        }
        HirKind::Capture(capture) => sample(&capture.sub, dice, most, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| sample(part, dice, most, text)),
        HirKind::Alternation(parts) => sample(&parts[dice.roll(parts.len())], dice, most, text),
    }
}

/// Pieces of hostile texts: marks, beginnings of matches, and near misses.
fn pieces(marks: &[&str], pattern: &str) -> Vec<String> {
    let pattern = pattern::parsed(pattern).unwrap();
    let mut pieces = Vec::new();
    for mark in marks {
        for behind in
            ["", " ", "=", ":", "\n", "a", "=\"", "={", " -a ", " x y ", "('", "\\u003d", "%3D", "&#61;"]
        {
            pieces.push(format!("{mark}{behind}"));
        }
        pieces.push(format!(" {mark}a{mark} "));
        pieces.push(format!("{mark}{}", "a".repeat(700)));
    }
    for (seed, most) in [(1, 0), (2, 1), (3, 3), (4, 40), (5, 400)] {
        let mut whole = String::new();
        sample(&pattern, &mut Dice(seed), most, &mut whole);
        for quarter in 1..=4 {
            let cut = whole.floor_char_boundary(whole.len() * quarter / 4 - usize::from(whole.len() > 4));
            pieces.push(whole[..cut].to_owned());
            pieces.push(format!("{} ", &whole[..cut]));
        }
        pieces.push(whole.clone());
        pieces.push(whole.to_lowercase());
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces.sort();
    pieces.dedup();
    pieces
}

fn repeated(piece: &str, length: usize) -> String {
    piece.repeat(length / piece.len() + 1)
}

/// The steps that a text takes for each of its bytes.
fn steps_per_byte(redactor: &Redactor, text: &str, piece: &str) -> f64 {
    let steps = redactor.steps(text);
    let most = MOST_PER_BYTE * text.len() + BESIDES;
    assert!(steps <= most, "{steps} steps for {} bytes of {piece:?}", text.len());
    steps as f64 / text.len() as f64
}

/// The most steps per byte that one of the pieces takes, and which; a longer text of it takes no more.
fn worst(redactor: &Redactor, pieces: &[String]) -> (f64, String) {
    // The end that a match would need, once, behind all that nearly is one.
    let text = |piece: &str, length| repeated(piece, length) + "\n-----END a@b -p secret pass:x";
    let mut worst = (0.0, String::new());
    for piece in pieces {
        let steps = steps_per_byte(redactor, &text(piece, 2 << 10), piece);
        if steps > worst.0 {
            worst = (steps, piece.clone());
        }
    }
    let (_, piece) = worst;
    let shown = piece.chars().take(60).collect();
    (steps_per_byte(redactor, &text(&piece, 40 << 10), &piece), shown)
}

fn own(rules: &[(&str, &[&str])]) -> Result<Redactor, Error> {
    let spec = |(number, (pattern, marks)): (usize, &(&str, &[&str]))| {
        let spec = serde_json::json!({ "name": format!("own-{number}"), "pattern": pattern, "marks": marks });
        serde_json::from_value(spec).unwrap()
    };
    let rules = rules.iter().enumerate().map(spec).collect();
    Redactor::new(&Options { rules, ..Options::default() }, Key::random())
}

#[test]
fn every_built_in_rule_is_linear() {
    let everything = Options { emails: true, home_directories: true, ..Options::default() };
    let redactor = Redactor::new(&everything, Key::random()).unwrap();
    for rule in &RULES {
        let (steps, piece) = worst(&redactor, &pieces(rule.marks, &rule.rule.pattern));
        println!("{:22} {steps:5.1} {piece:?}", rule.rule.name);
    }
}

#[test]
fn names_that_are_given_secrets_are_linear() {
    let redactor = Redactor::built_in().unwrap();
    let names = [
        "password",
        "PASSWORD",
        "secret",
        "TOKEN",
        "api_key",
        "apiKey",
        "--pw",
        "passwd",
        "secretKey",
        "cookie",
        "pwd",
    ];
    let pattern = r#"(?:password|token)(?:=|: | |": "|":"|', '|>|=\{|=\$\(|: >-\n  )[^ ]*"#;
    let (steps, piece) = worst(&redactor, &pieces(&names, pattern));
    println!("{:22} {steps:5.1} {piece:?}", ASSIGNED);
    let more: Vec<String> = [
        "aB3",
        "aB3aB3aB3aB3aB3aB3aB3aB3 ",
        "[redacted:x",
        "[redacted:x:",
        "a_secret_",
        "\\",
        "\\\\\"",
        "%25",
        "&amp;",
    ]
    .map(str::to_owned)
    .into();
    println!("{:22} {:5.1?}", "others", worst(&redactor, &more));
}

/// Rules as installations write them, careless ones among them.
const OWN: &[(&str, &[&str])] = &[
    ("acme_[0-9a-f]{10,}", &["acme_"]),
    ("acme.*secret", &["acme"]),
    ("acme(?s:.*)secret", &["acme"]),
    ("acme(?P<secret>[a-z]+).*", &["acme"]),
    ("(?:a+)+b", &["a"]),
    ("(?:(?:a|b)*a){3}c", &["a", "b"]),
    ("(?:a|b)*a(?:a|b){12}c", &["a"]),
    (r"\bacme\b.*?\bend\b", &["acme"]),
    (r"[\w.]{1,200}@acme", &["a", "@"]),
    ("a.*z|a", &[]),
    ("(?:x|xx)*y", &[]),
    ("x*y|x", &[]),
    ("(?P<secret>a).*b", &[]),
    (r"\w+\s*=\s*\w+!", &[]),
    ("(?:a{2})*b|(?:a{3})*c|(?:a{5})*d|(?:a{7})*e|(?:a{11})*f", &["a"]),
    (".{0,400}z", &["a"]),
];

#[test]
fn rules_of_an_installation_s_own_are_linear() {
    for rule in OWN {
        let redactor = own(&[*rule]).unwrap();
        let mut pieces = pieces(rule.1, rule.0);
        pieces.extend(
            ["a", "ab", "x", "xx", "acme", "aab", "a ", "acme secre", "word = word "].map(str::to_owned),
        );
        let (steps, piece) = worst(&redactor, &pieces);
        println!("{:50} {steps:5.1} {piece:?}", rule.0);
    }
}

#[test]
fn what_no_rule_may_look_at_is_not_stored() {
    let redactor = own(&[("acme(?s:.*)secret=(?P<secret>[a-z]+)", &["acme"])]).unwrap();
    let text = repeated("acme ", 200 << 10) + "secret=swordfish";
    let redacted = redactor.redact(&text);
    assert!(!redacted.contains("swordfish"), "the first of them reaches it");
    let redactor = own(&[("acme(?s:.*)no(?P<secret>[a-z]+)", &["acme"])]).unwrap();
    let text = repeated("acme ", 200 << 10) + "password=swordfish the end";
    let redacted = redactor.redact(&text);
    assert!(redacted.contains("[redacted:unexamined:"), "{}", &redacted[redacted.len() - 200..]);
    assert!(!redacted.contains("swordfish") && !redacted.contains("the end"));
    assert_eq!(redactor.redact(&redacted), redacted, "twice is once");
    // Ordinary texts are looked at to their end.
    let redactor = own(&[(r"acme(?P<secret>[a-z]+).*\bno", &["acme"])]).unwrap();
    let text = repeated("acme is a company\n", 200 << 10) + "the end";
    assert!(redactor.redact(&text).ends_with("the end"));
}

#[test]
fn a_pattern_that_would_make_every_byte_dear_is_refused() {
    for pattern in ["a(?:(?:b{0,50}c){0,50}d){0,50}", "x.{0,5000}y", r"(?:\w{1,100}-){30}", "a{70000}"] {
        let refused = own(&[(pattern, &["a"])]).unwrap_err().to_string();
        assert!(refused.contains("own-0") && refused.contains("smaller"), "{pattern}: {refused}");
    }
    for pattern in [r"acme_[A-Za-z0-9]{32,512}", r"\bacme-\w{1,50}\b", r"x.*y", "é{1,100}"] {
        own(&[(pattern, &["a"])]).unwrap();
        own(&[(pattern, &[])]).unwrap();
    }
}

#[test]
fn a_rule_without_marks_goes_on_behind_what_its_check_refuses() {
    let spec = serde_json::json!({ "name": "own", "pattern": "acme[a-z0-9]+", "check": "mixed" });
    let rules = vec![serde_json::from_value(spec).unwrap()];
    let redactor = Redactor::new(&Options { rules, ..Options::default() }, Key::random()).unwrap();
    let redacted = redactor.redact("acmecorp and acme77 and acmeinc").into_owned();
    assert!(
        redacted.starts_with("acmecorp and [redacted:own:") && redacted.ends_with(" and acmeinc"),
        "{redacted}"
    );
}

/// Every mark, and what stands between a name and its value.
fn fragments() -> Vec<&'static str> {
    let marks = RULES.iter().flat_map(|rule| rule.marks.iter().copied());
    let others = [
        "password",
        "TOKEN",
        "_key",
        "=",
        ": ",
        "\"",
        "'",
        "\\",
        "\\\"",
        "\\n",
        "\n",
        " ",
        "{",
        "}",
        "<",
        ">",
        "</",
        "&",
        "&amp;",
        "%3D",
        "\\u003d",
        "\\/",
        ",",
        ";",
        "-a ",
        "-p",
        "-u ",
        "aB3",
        "a:b",
        "://",
        "@",
        "[redacted:",
        "| ",
        ">-\n  ",
        "value",
        "ghp_",
        "sk-",
    ];
    marks.chain(others).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn mixtures_are_linear(
        pieces in prop::collection::vec(prop::sample::select(fragments()), 1..7),
        letters in "[a-zA-Z0-9 =:/-]{0,12}",
    ) {
        static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::built_in().unwrap());
        let text = repeated(&(pieces.concat() + &letters), 6 << 10);
        let steps = REDACTOR.steps(&text);
        prop_assert!(steps <= MOST_PER_BYTE * text.len() + BESIDES, "{} steps for {} bytes", steps, text.len());
    }
}
