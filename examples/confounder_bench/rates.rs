//! The rates of confounders in sessions: planted ones, or recorded ones for comparison.

use std::collections::{BTreeMap, BTreeSet};

use crate::lines::{Joint, clean, cuts, family, key, parts, passed};
use crate::trail::{Item, Trail};

/// Counts by name.
#[derive(Default)]
struct Counts(BTreeMap<&'static str, usize>);

impl Counts {
    fn add(&mut self, name: &'static str) {
        *self.0.entry(name).or_default() += 1;
    }

    fn add_if(&mut self, condition: bool, name: &'static str) {
        if condition {
            self.add(name);
        }
    }

    fn of(&self, name: &str) -> usize {
        self.0.get(name).copied().unwrap_or_default()
    }

    fn share(&self, part: &str, whole: &[&str]) -> String {
        let whole: usize = whole.iter().map(|name| self.of(name)).sum();
        share(self.of(part), whole)
    }
}

fn share(part: usize, whole: usize) -> String {
    format!("{:.0} % ({part}/{whole})", 100.0 * part as f64 / whole.max(1) as f64)
}

/// The last run of each check in a session: whether it passed, and where it stands.
#[derive(Default)]
struct Runs {
    last: BTreeMap<String, (bool, usize)>,
    failed: BTreeSet<String>,
    families: Vec<&'static str>,
}

/// A row of the table: what it is, and its figure.
pub(crate) type Row = (&'static str, String);

/// Measures sessions of one team.
pub(crate) fn measure(trails: &[Trail]) -> Vec<Row> {
    let mut counts = Counts::default();
    let mut people: BTreeMap<&str, usize> = BTreeMap::new();
    let mut files: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let (mut edits, mut shells, mut prompts) = (Vec::new(), Vec::new(), Vec::new());
    for (number, trail) in trails.iter().enumerate() {
        *people.entry(&trail.person).or_default() += 1;
        let mut runs = Runs::default();
        let (mut edited, mut ran, mut asked) = (0, 0, 0);
        for (at, item) in trail.items.iter().enumerate() {
            match item {
                Item::Prompt { text, interrupted } => {
                    asked += 1;
                    counts.add_if(*interrupted, "interrupts");
                    counts.add_if(corrects(text), "corrections");
                }
                Item::Refusal { with_words } => {
                    counts.add("refusals");
                    counts.add_if(*with_words, "refusals with words");
                }
                Item::Edit(path) => {
                    edited += 1;
                    files.entry(path).or_default().insert(number);
                }
                Item::Shell { line, error, output } => {
                    ran += 1;
                    shell(&mut counts, &mut runs, &trail.items, at, (line, *error, output));
                }
            }
        }
        for pair in runs.families.windows(2) {
            counts.add_if(pair == ["lint", "test"], "lint, test");
            counts.add_if(pair == ["test", "lint"], "test, lint");
        }
        counts.add_if(edited > 0, "editing sessions");
        edits.push(edited);
        shells.push(ran);
        prompts.push(asked);
    }
    let busiest = people.values().max().copied().unwrap_or_default();
    let middles = format!("{}, {}, {}", at(&mut edits, 0.5), at(&mut shells, 0.5), at(&mut prompts, 0.5));
    let high = format!("{}, {}", at(&mut edits, 0.9), at(&mut shells, 0.9));
    let top = files.values().map(BTreeSet::len).max().unwrap_or_default();
    let mut rows = vec![
        ("sessions", trails.len().to_string()),
        ("people", people.len().to_string()),
        ("sessions of the busiest person", share(busiest, trails.len())),
        ("edits, shell calls, prompts of a session (median)", middles),
        ("edits, shell calls of a session (of ten the ninth)", high),
    ];
    rows.extend(rates(&counts, trails.len()));
    rows.push(("editing sessions that edit the most edited file", share(top, counts.of("editing sessions"))));
    rows
}

fn at(numbers: &mut [usize], share: f64) -> usize {
    numbers.sort_unstable();
    numbers.get((numbers.len() as f64 * share) as usize).copied().unwrap_or_default()
}

fn corrects(text: &str) -> bool {
    let text = text.trim_start().to_lowercase();
    let starts = [
        "no ",
        "no,",
        "no:",
        "no.",
        "don't",
        "dont ",
        "not ",
        "wrong",
        "stop",
        "instead",
        "please don",
        "that's not",
        "that's wrong",
        "that should be",
        "actually",
        "hmm",
        "wait",
        "use ",
        "we use ",
        "please use ",
    ];
    starts.iter().any(|start| text.starts_with(start))
}

fn rates(counts: &Counts, sessions: usize) -> Vec<Row> {
    let share = |part: &str, whole: &[&str]| counts.share(part, whole);
    let a_session = |name: &str| format!("{:.2}", counts.of(name) as f64 / sessions.max(1) as f64);
    let known: &[&str] = &["failed", "passed"];
    vec![
        ("check runs", counts.of("check").to_string()),
        ("check runs whose status is masked", share("masked", &["check"])),
        ("check runs whose output is cut by `head`, `tail`, `grep`", share("cut", &["check"])),
        ("check runs whose end nothing tells", share("unknown", &["check"])),
        ("check runs that fail", share("failed", known)),
        ("failed check runs that report no error", share("failed, yet no error", &["failed"])),
        ("passes whose output says \"error\"", share("passes that say error", &["passed"])),
        ("passes without a failure before", share("unfailed", &["passed"])),
        ("reruns of a failed check with an edit between", share("edited", &["rerun"])),
        ("clean reruns that pass", share("clean pass", &["clean"])),
        ("reruns with nothing between that pass", share("plain pass", &["plain"])),
        ("failure to pass: an edit between", share("pass, edit", &["pass"])),
        ("failure to pass: an edit and a command between", share("pass, edit, command", &["pass"])),
        ("failure to pass: another check between", share("pass, check", &["pass"])),
        ("failure to pass: one other command between", share("pass, 1", &["pass"])),
        ("failure to pass: two or more other commands between", share("pass, 2", &["pass"])),
        ("chains `a && b`, of shell calls", share("chain", &["shell"])),
        ("chains with a check, of check runs", share("check chain", &["check"])),
        ("folder prefix `cd x &&`, of shell calls", share("folder", &["shell"])),
        ("wrapper prefix, of shell calls", share("wrapper", &["shell"])),
        ("variable set on a command, of shell calls", share("setting", &["shell"])),
        (
            "lint then test : test then lint",
            format!("{} : {}", counts.of("lint, test"), counts.of("test, lint")),
        ),
        ("refusals a session", a_session("refusals")),
        ("refusals with words a session", a_session("refusals with words")),
        ("interrupts a session", a_session("interrupts")),
        ("correcting prompts a session", a_session("corrections")),
    ]
}

fn shell(counts: &mut Counts, runs: &mut Runs, items: &[Item], at: usize, call: (&str, bool, &str)) {
    let (line, error, output) = call;
    counts.add("shell");
    let parts = parts(line);
    let cleaned: Vec<(String, bool, bool)> = parts.iter().map(|part| clean(&part.text)).collect();
    let is_and = parts.iter().any(|part| part.after == Some(Joint::And));
    counts.add_if(is_and && cleaned[0].0.starts_with("cd "), "folder");
    counts.add_if(cleaned.iter().any(|(_, _, wrapper)| *wrapper), "wrapper");
    counts.add_if(cleaned.iter().any(|(_, setting, _)| *setting), "setting");
    let is_real = |at: usize| {
        let text = cleaned[at].0.as_str();
        parts[at].before != Some(Joint::Pipe)
            && !text.is_empty()
            && text != "true"
            && !text.starts_with("cd ")
            && !text.starts_with("echo")
    };
    let real = (0..parts.len()).filter(|at| is_real(*at)).count();
    let is_chain = is_and && real > 1;
    counts.add_if(is_chain, "chain");
    let checks: Vec<(usize, &str)> = (0..parts.len())
        .filter(|at| parts[*at].before != Some(Joint::Pipe))
        .filter_map(|at| family(&cleaned[at].0).map(|family| (at, family)))
        .collect();
    counts.add_if(is_chain && !checks.is_empty(), "check chain");
    for (place, family) in &checks {
        counts.add("check");
        runs.families.push(*family);
        counts.add_if(matches!(parts[*place].after, Some(Joint::Pipe | Joint::Or | Joint::Then)), "masked");
        let pipe = parts[*place..].iter().skip(1).take_while(|part| part.before == Some(Joint::Pipe));
        let cut = pipe.into_iter().any(|part| cuts(&part.text));
        counts.add_if(cut, "cut");
        let ended = passed(error, output, cut).filter(|passed| *passed || checks.len() == 1);
        let Some(passed) = ended else {
            counts.add("unknown");
            continue;
        };
        let name = format!("{}{}", if cleaned[*place].2 { "wrapped " } else { "" }, key(&cleaned[*place].0));
        if passed {
            counts.add("passed");
            counts.add_if(output.to_lowercase().contains("error"), "passes that say error");
            counts.add_if(!runs.failed.contains(&name), "unfailed");
        } else {
            counts.add("failed");
            counts.add_if(!error, "failed, yet no error");
            runs.failed.insert(name.clone());
        }
        if let Some((false, since)) = runs.last.get(&name) {
            rerun(counts, &items[since + 1..at], passed);
        }
        runs.last.insert(name, (passed, at));
    }
}

/// A failed check ran again; this happened in between.
fn rerun(counts: &mut Counts, between: &[Item], passed: bool) {
    counts.add("rerun");
    let edited = between.iter().any(|item| matches!(item, Item::Edit(_)));
    let lines: Vec<&str> = between
        .iter()
        .filter_map(|item| match item {
            Item::Shell { line, .. } => Some(line.as_str()),
            _ => None,
        })
        .collect();
    let spoke = between.iter().any(|item| matches!(item, Item::Prompt { .. }));
    if edited {
        counts.add("edited");
    } else {
        counts.add("clean");
        counts.add_if(passed, "clean pass");
        if lines.is_empty() && !spoke {
            counts.add("plain");
            counts.add_if(passed, "plain pass");
        }
    }
    if passed {
        counts.add("pass");
        counts.add_if(edited, "pass, edit");
        counts.add_if(edited && !lines.is_empty(), "pass, edit, command");
        counts.add_if(lines.len() == 1, "pass, 1");
        counts.add_if(lines.len() > 1, "pass, 2");
        let is_check = |line: &&str| parts(line).iter().any(|part| family(&clean(&part.text).0).is_some());
        counts.add_if(lines.iter().any(is_check), "pass, check");
    }
}

/// A Markdown table of teams side by side.
pub(crate) fn print(teams: &[(String, Vec<Trail>)]) {
    let columns: Vec<Vec<Row>> = teams.iter().map(|(_, trails)| measure(trails)).collect();
    let names: Vec<&str> = teams.iter().map(|(name, _)| name.as_str()).collect();
    println!("| | {} |\n|{}", names.join(" | "), "---|".repeat(names.len() + 1));
    for row in 0..columns[0].len() {
        let figures: Vec<&str> = columns.iter().map(|column| column[row].1.as_str()).collect();
        println!("| {} | {} |", columns[0][row].0, figures.join(" | "));
    }
}
