//! Planted rules: what people state in several ways on several days, and what only sounds like it.
//!
//! A rule is never published, so these worlds ask what a person would be asked about. Each has four rules of two
//! people among everyday requests, and ten decoys, each about an act of its own, so that a false proposal tells
//! where it comes from.

use skillspan::skillify::{Classes, Config, Offline, PublishRule, Shortfall, Snapshot, mine};
use skillspan::table::Session;

use crate::random::Random;
use crate::record::{CLIENTS, Person, Record};

/// An act: what is said of it as a rule, and the ways in which people state it, take it back, or want the opposite.
struct Act {
    says: &'static str,
    stated: &'static [&'static str],
    opposite: &'static [&'static str],
}

#[rustfmt::skip]
const ACTS: &[Act] = &[
    Act { says: "Do not force-push", stated: &["Never force-push.", "please don't force push, ever", "You must not force-push here."], opposite: &["You can force-push again without asking.", "feel free to force-push"] },
    Act { says: "Do not commit unless you are told to", stated: &["Don't commit unless I tell you to.", "never commit without asking me", "no, I did not ask you to commit"], opposite: &["You can commit again without asking.", "no need to ask, feel free to commit"] },
    Act { says: "Do not add comments to the code", stated: &["Please don't add comments to the code.", "we never write comments that repeat the code", "stop adding comments"], opposite: &["Always add comments.", "from now on, write comments for every function"] },
    Act { says: "Do not skip the commit hooks", stated: &["Never use --no-verify.", "you must not skip the commit hooks", "don't bypass the hooks"], opposite: &["feel free to skip the hooks", "it is fine to skip the hooks again"] },
    Act { says: "Open pull requests as drafts", stated: &["Always open pull requests as drafts.", "From now on, open PRs as drafts.", "make sure you always open a draft PR"], opposite: &["Never open pull requests as drafts.", "please never open PRs as drafts"] },
    Act { says: "Do not edit generated files", stated: &["Never edit generated files.", "don't touch generated code", "we don't edit generated files by hand"], opposite: &["feel free to edit generated files", "it is fine to edit generated files"] },
    Act { says: "Do not use emojis", stated: &["Don't use emojis.", "no emojis in commit messages please", "stop adding emojis"], opposite: &["feel free to use emojis", "it is fine to use emojis again"] },
    Act { says: "Do not delete or skip tests to make them pass", stated: &["Never delete a test to make the build pass.", "don't skip tests", "you must not disable tests"], opposite: &["feel free to skip tests", "it is ok to skip tests again"] },
    Act { says: "Do not edit `vendor/`", stated: &["Never edit `vendor/`.", "don't touch vendor/ please", "you must not change vendor/"], opposite: &["feel free to edit vendor/", "it is fine to edit vendor/ again"] },
    Act { says: "Use `pnpm`", stated: &["Use pnpm, not npm.", "we use pnpm here", "always use `pnpm`"], opposite: &["never use pnpm", "we don't use pnpm"] },
    Act { says: "Do not push unless you are told to", stated: &["Don't push unless I ask for it.", "never push on your own", "you must not push without asking me"], opposite: &["You can push again without asking.", "feel free to push"] },
    Act { says: "Ask before you add a dependency", stated: &["Ask me before you add a dependency.", "always ask before you install a new package", "check with me before you add a library"], opposite: &["feel free to add dependencies", "no need to ask, it is fine to add packages"] },
    Act { says: "Do not swallow errors", stated: &["Never swallow errors.", "don't ignore exceptions", "you must not hide errors"], opposite: &["feel free to ignore errors", "it is ok to swallow errors"] },
    Act { says: "Do not use mocks in tests", stated: &["Don't use mocks in integration tests.", "no mocks, ever", "we never use mocks"], opposite: &["Always use mocks.", "from now on, use mocks"] },
];

#[rustfmt::skip]
const EVERYDAY: &[&str] = &[
    "Rename the flag of the exporter", "Why is the total rounded twice?", "Run the tests again", "Move the helper into the other file",
    "Show me the diff", "The page is blank after the login, have a look", "go on", "ok", "Update the snapshot", "Add a button for the export",
    "what does the worker do when the queue is empty?", "thanks", "Use the blue one", "no, the other file", "Don't worry about the layout", "Now the second one",
];

/// What a decoy does, and how many sessions of how many people play it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Decoy {
    FiftyTimes,
    Pasted,
    Printed,
    Jest,
    Quoted,
    TakenBack,
    Secret,
    Contradiction,
    Moment,
    Question,
}

const DECOYS: [Decoy; 10] = [
    Decoy::FiftyTimes,
    Decoy::Pasted,
    Decoy::Printed,
    Decoy::Jest,
    Decoy::Quoted,
    Decoy::TakenBack,
    Decoy::Secret,
    Decoy::Contradiction,
    Decoy::Moment,
    Decoy::Question,
];

const PEOPLE: [&str; 4] = ["ada", "bea", "cai", "dov"];

/// What a session of a world says: who, on which day, which words, printed by a command or said.
struct Line {
    person: usize,
    day: usize,
    text: String,
    is_printed: bool,
}

struct World {
    sessions: Vec<Session>,
    planted: Vec<&'static str>,
    /// By what each decoy would say.
    decoys: Vec<(Decoy, &'static str)>,
    secret: String,
}

fn world(seed: u64) -> World {
    let mut random = Random::new(seed ^ 0x0ea1);
    let mut order: Vec<usize> = (0..ACTS.len()).collect();
    random.shuffle(&mut order);
    let mut lines = Vec::new();
    let mut planted = Vec::new();
    for act in order.drain(..4) {
        let act = &ACTS[act];
        planted.push(act.says);
        for at in 0..random.between(2, 4) {
            let text = act.stated[at % act.stated.len()].to_owned();
            lines.push(Line { person: at % 2, day: 3 + at * 5 + random.below(4), text, is_printed: false });
        }
    }
    let secret = format!("gh{}_{}{seed:08}abcdefghijkl", "p", "9f8e7d6c5b4a3928");
    let mut decoys = Vec::new();
    // What is taken back is allowed again, not forbidden: the opposite would be a rule of its own.
    let is_allowed =
        |act: &usize| ACTS[*act].opposite[0].contains("can ") || ACTS[*act].opposite[0].contains("free");
    let taken_back = order.iter().position(is_allowed).unwrap();
    order.swap(taken_back, DECOYS.iter().position(|decoy| *decoy == Decoy::TakenBack).unwrap());
    for (decoy, act) in DECOYS.into_iter().zip(order) {
        let act = &ACTS[act];
        decoys.push((decoy, act.says));
        decoyed(decoy, act, &secret, &mut lines, &mut random);
    }
    World { sessions: played(&lines, seed, &mut random), planted, decoys, secret }
}

fn decoyed(decoy: Decoy, act: &Act, secret: &str, lines: &mut Vec<Line>, random: &mut Random) {
    let stated = |at: usize| act.stated[at % act.stated.len()].trim_end_matches('.').to_owned();
    let mut say = |person: usize, day: usize, text: String| {
        lines.push(Line { person, day, text, is_printed: decoy == Decoy::Printed });
    };
    match decoy {
        Decoy::FiftyTimes => (0..50).for_each(|at| say(2, at, stated(at))),
        Decoy::Pasted => {
            let text = format!("{} in any of the repositories that the platform team looks after", stated(0));
            (0..4).for_each(|at| say(at, at * 3, text.clone()));
        }
        Decoy::Printed => (0..6).for_each(|at| say(at % 4, at * 3, stated(at))),
        Decoy::Jest => (0..6).for_each(|at| {
            let ends = ["what could go wrong", "lol", "haha, works every time"];
            say(at % 4, at * 3, format!("Oh sure, {}, {}", stated(at).to_lowercase(), random.pick(&ends)));
        }),
        Decoy::Quoted => (0..6).for_each(|at| {
            let text = stated(at);
            let quoted = [
                format!("The old wiki says \"{text}\""),
                format!("> {text}"),
                format!("The reviewer wrote: {text}"),
                format!("```\n{text}\n```\nwhat does it mean?"),
            ];
            say(at % 4, at * 3, random.pick(&quoted).clone());
        }),
        Decoy::TakenBack => {
            (0..4).for_each(|at| say(at % 2, at * 3, stated(at)));
            (0..2).for_each(|at| say(at, 40 + at, act.opposite[at].to_owned()));
        }
        Decoy::Secret => (0..4).for_each(|at| say(at % 2, at * 3, format!("Always use `{secret}`."))),
        Decoy::Contradiction => {
            (0..2).for_each(|at| say(at, 2 + at * 3, stated(at)));
            (0..2).for_each(|at| say(2 + at, 3 + at * 3, act.opposite[at].to_owned()));
        }
        Decoy::Moment => (0..6).for_each(|at| {
            let ends = [" yet", " for now", " this time", " until I had a look"];
            say(at % 4, at * 3, format!("{}{}", stated(at), random.pick(&ends)));
        }),
        Decoy::Question => {
            (0..6).for_each(|at| say(at % 4, at * 3, format!("should we say: {}?", stated(at))))
        }
    }
}

/// Every line in a session of its own, among everyday requests.
fn played(lines: &[Line], seed: u64, random: &mut Random) -> Vec<Session> {
    let mut sessions = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let person = Person { name: PEOPLE[line.person], client: CLIENTS[line.person] };
        let minute = line.day * 24 * 60 + at % 600;
        let mut record = Record::new(format!("rule-{seed}-{at}"), "shop", "shop", &person, minute);
        record.prompt(random.pick::<&str>(EVERYDAY));
        record.edit("src/cart.ts");
        if line.is_printed {
            record.run("make check", false, &line.text);
        } else if random.chance(0.3) {
            record.refuse("make check", Some(&line.text), true);
        } else {
            record.prompt(&line.text);
        }
        record.prompt(random.pick::<&str>(EVERYDAY));
        sessions.push(record.build().0);
    }
    sessions
}

/// What a person would be asked about, and what of it is planted.
pub(crate) fn print(seeds: std::ops::Range<u64>) {
    let (mut asked, mut right, mut planted, mut said, mut leaks) = (0, 0, 0, 0, 0);
    let mut wrong: Vec<String> = Vec::new();
    let mut missed: Vec<String> = Vec::new();
    for seed in seeds.clone() {
        let world = world(seed);
        let publish = PublishRule { allow: Classes::EVERY, ..PublishRule::default() };
        let config = Config { publish, ..Config::default() };
        let mined = mine(&Snapshot { workspace: "shop", sessions: &world.sessions }, &config, &Offline);
        leaks += usize::from(format!("{:?}", mined.candidates).contains(&world.secret));
        let rules = mined.candidates.iter().filter(|one| one.shortfalls.contains(&Shortfall::Rule));
        let proposed: Vec<(String, &str)> = rules
            .filter(|one| one.is_proposed())
            .map(|one| (one.claims[0].claim.to_string(), one.scope.as_str()))
            .collect();
        planted += world.planted.len();
        for rule in &world.planted {
            let is_said = proposed.iter().any(|(says, scope)| says == rule && *scope != "person");
            said += usize::from(is_said);
            if !is_said {
                missed.push(format!("{seed}: {rule}"));
            }
        }
        for (says, scope) in &proposed {
            let decoy = world.decoys.iter().find(|(_, act)| act == says).map(|(decoy, _)| *decoy);
            // One person's own is his own; so are both sides of people who contradict each other.
            let is_own = *scope == "person"
                && matches!(decoy, Some(Decoy::FiftyTimes | Decoy::Contradiction | Decoy::TakenBack));
            let is_right = is_own || (*scope != "person" && world.planted.contains(&says.as_str()));
            asked += 1;
            right += usize::from(is_right);
            if !is_right {
                wrong.push(format!("{seed}: {says} ({scope}) {decoy:?}"));
            }
        }
    }
    println!("rules, seeds {seeds:?}");
    println!("proposal precision   {right}/{asked}");
    println!("rule recall          {said}/{planted}");
    println!("secrets leaked       {leaks}");
    wrong.iter().for_each(|wrong| println!("wrong  {wrong}"));
    missed.iter().for_each(|missed| println!("missed {missed}"));
}
