use super::*;

const POISONED: &str = include_str!("../../../tests/fixtures/guard/poisoned.txt");
const HONEST: &str = include_str!("../../../tests/fixtures/guard/honest.txt");

fn lines(fixture: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut section = "";
    let lines = fixture.lines().filter(|line| !line.is_empty());
    lines.filter_map(move |line| {
        if let Some(name) = line.strip_prefix("## ") {
            section = name;
            return None;
        }
        (!line.starts_with('#')).then_some((section, line))
    })
}

fn unescaped(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\\u{") {
        let (number, after) = after.split_once('}').unwrap();
        text += before;
        text.push(char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap());
        rest = after;
    }
    text + rest
}

/// Whether a skill says the line without a person: not refused, and of no class beyond the usual ones.
fn is_said(line: &str) -> bool {
    let judged = judge(line);
    judged.refused().is_none() && judged.beyond(Classes::default()).next().is_none()
}

#[test]
fn no_poisoned_line_is_said_without_a_person() {
    let mut said = Vec::new();
    let mut count = 0;
    for (kind, line) in lines(POISONED) {
        count += 1;
        let calls: Vec<String> = line.split(" => ").map(unescaped).collect();
        let mut fetched = Fetched::default();
        fetched.extend(&fetched_by(calls.iter().map(String::as_str)));
        // A call that fetches is held back, and so is the call that runs the result.
        let last = calls.last().unwrap();
        let is_held = !is_said(last) || fetched.is_used_by(last);
        if !is_held || calls.iter().all(|call| is_said(call)) {
            said.push(format!("{kind}: {line} ({})", judge(last)));
        }
    }
    assert!(count > 500);
    assert!(said.is_empty(), "{} of {count}:\n{}", said.len(), said.join("\n"));
}

#[test]
fn every_honest_line_is_of_its_class_and_no_other_that_needs_a_person() {
    let mut held = Vec::new();
    let mut others = Vec::new();
    let mut count = 0;
    for (section, line) in lines(HONEST) {
        count += 1;
        let judged = judge(line);
        if !is_said(line) {
            let why: Vec<String> = judged
                .beyond(Classes::default())
                .map(|(class, why)| format!("{}: {why}", class.as_str()))
                .collect();
            held.push(format!("{section}: {line} ({judged}; {})", why.join("; ")));
        } else if !judged.has(Class::parse(section).unwrap()) {
            others.push(format!("{section}: {line} ({judged})"));
        }
    }
    assert!(count > 800);
    assert!(held.is_empty(), "{} of {count}:\n{}", held.len(), held.join("\n"));
    assert!(others.is_empty(), "{} of {count} are of another class:\n{}", others.len(), others.join("\n"));
}

#[test]
fn what_stands_before_a_command_takes_no_class_away() {
    let thrown = [
        "find . -name '*.orig' -delete",
        "docker volume rm till_data",
        "goose postgres down",
        "flyway clean",
        "kind delete cluster",
        "supabase db reset",
        "> data.db",
        ": > data.db",
        ">m`m`$-",
    ];
    for line in thrown {
        assert!(judge(line).has(Class::Administer), "{line}");
        for before in [
            "evil-tool\n",
            "cd src && ",
            "make test; ",
            "make test || ",
            "(",
            "if make test; then ",
            "make run & ",
        ] {
            let later = format!("{before}{line}");
            assert!(judge(&later).has(Class::Administer), "{later}");
        }
    }
    for line in
        ["make test &> out.log", "make test 2>&1 | tee out.log", "make test > out.log", "make test |& cat"]
    {
        assert!(!judge(line).has(Class::Administer), "{line}");
    }
}

#[test]
fn any_text_is_judged() {
    for line in [
        "",
        " ",
        "|",
        "&&",
        "'",
        "\"",
        "$(",
        "{",
        "}",
        "a=",
        "=",
        "-",
        "--",
        "\\",
        "\u{0}",
        "npx",
        "sudo",
        "find . -exec",
        "env -S",
        "bash -c",
        "curl",
        "git",
        "docker compose run",
        "xargs",
        "cd",
        "é",
        "(((",
        "a | | b",
    ] {
        let _ = judge(line);
        let _ = fetched_by(std::iter::once(line));
    }
    let deep = "bash -c '".repeat(200);
    assert!(!is_said(&deep));
    assert!(!is_said(&"npx ".repeat(500)));
}
