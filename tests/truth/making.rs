//! Sessions made of a seed.

use std::collections::BTreeMap;

use crate::random::Random;
use crate::story::{Aside, Call, End, Ended, May, Step, Story, Turn, What, Who};

/// When the first session begins, in milliseconds.
const BEGINNING: i64 = 1_795_340_000_000;

const ASKED: &[&str] = &[
    "Find out why the nightly import drops rows",
    "Make the linter happy",
    "Add a flag that skips the cache",
    "Which endpoints still use the old client?",
    "Bring the changelog up to date",
    "The invoice totals are off by a cent, please look",
    "Write a test for the empty cart",
    "continue",
    "Yes, do that",
    "Rename the module `billing` to `ledger`",
    "Why does \"make\" rebuild everything?\nIt should not.",
    "Grüße: prüfe bitte, ob die Umlaute im Bericht stimmen ✅",
];
const SAID: &[&str] = &[
    "Let me look at it.",
    "First the tests.",
    "That is odd; I try another way.",
    "I run it once more.",
    "The configuration names two of them.",
];
const ANSWERED: &[&str] = &[
    "Done: the rows are kept now.",
    "It was the rounding; the totals agree.",
    "Nothing uses the old client any more.",
    "The module is renamed and the tests pass.",
    "I could not reproduce it.",
];
const COMMANDS: &[&str] = &[
    "make lint",
    "cargo build --workspace",
    "npm ci",
    "git status --short",
    "ls -la services",
    "./scripts/import.sh --dry-run",
    "grep -rn total src",
    "docker compose ps",
];
const PATHS: &[&str] = &["/srv/shop/README.md", "/srv/shop/src/cart.rs", "/srv/shop/config/app.yaml"];
const PRINTED: &[&str] =
    &["2 files changed", "ready", "src/cart.rs:41: let total", "up to date", "finished in 3 s"];
const COMPLAINED: &[&str] = &[
    "make: *** No rule to make target",
    "E0308: mismatched types",
    "permission denied while opening app.yaml",
    "no such file or directory",
];
const SERVERS: &[(&str, &str)] =
    &[("tracker", "get_issue"), ("warehouse", "find_stock"), ("pages", "search")];
const AGENTS: &[&str] = &["explore", "review", "explore"];
const TASKS: &[&str] =
    &["List all callers of total()", "Read the import script and sum it up", "Check the three configs"];
const REFUSED: &[&str] = &["Not on this branch, please", "Use the staging host instead"];

/// Makes one session of the seed, of what may happen in it.
pub(crate) fn story(seed: u64, may: &[May]) -> Story {
    let mut random = Random::of(seed);
    let clock = BEGINNING + random.between(0, 900_000);
    let id = random.uuid();
    let mut maker = Maker { random, may, clock, ends: BTreeMap::new(), running: vec![], said: 0 };
    let count = 1 + maker.random.below(3);
    let earlier = if maker.may(May::Forks, 12) { 1 } else { 0 };
    let mut turns: Vec<Turn> = vec![];
    for number in 0..count + earlier {
        let steers = number > earlier && maker.steers(turns.last_mut());
        if number == earlier {
            // A task of the session that was forked is not looked after in the fork.
            maker.running.clear();
        }
        let turn = maker.turn(number, steers.then(|| turns.last().map(|turn| turn.trace.clone())).flatten());
        turns.push(turn);
    }
    Story { id, earlier, turns, ends: maker.ends }
}

struct Maker<'m> {
    random: Random,
    may: &'m [May],
    clock: i64,
    ends: BTreeMap<String, Ended>,
    /// Tasks that go on, and how they will end.
    running: Vec<(String, Ended)>,
    said: usize,
}

impl Maker<'_> {
    fn may(&mut self, what: May, percent: usize) -> bool {
        self.may.contains(&what) && self.random.chance(percent)
    }

    fn tick(&mut self, most: i64) -> i64 {
        self.clock += self.random.between(2, most);
        self.clock
    }

    /// A text that no other one of the session is equal to, as a rule.
    fn own(&mut self, text: &str) -> String {
        self.said += 1;
        format!("{text} ({})", self.said)
    }

    /// Whether the next prompt is typed while the last calls of a turn run; takes its answer away then.
    fn steers(&mut self, before: Option<&mut Turn>) -> bool {
        let Some(before) = before.filter(|_| self.may.contains(&May::Steering)) else { return false };
        let runs = before.steps.len() > 1 && self.random.chance(20);
        if runs {
            before.steps.pop();
        }
        let last = before.steps.last().and_then(|step| step.calls.iter().map(|call| call.until).max());
        // The prompt comes a moment before the calls are over.
        if let Some(until) = last.filter(|_| runs) {
            before.until = until + 1;
            self.clock = until - 3;
        }
        runs && last.is_some()
    }

    fn turn(&mut self, number: usize, steered_trace: Option<String>) -> Turn {
        let steers = steered_trace.is_some();
        if !steers {
            self.tick(40_000);
        }
        let at = self.clock;
        let resumed = number > 0 && !steers && self.may(May::Resumption, 20);
        let compacted = number > 0 && !steers && self.may(May::Compaction, 15);
        let prompt = (*self.random.pick(ASKED)).to_owned();
        let (id, trace, span) = (self.random.uuid(), self.random.hex(32), self.random.hex(16));
        self.clock += 10;
        let mut steps = vec![];
        for _ in 0..self.random.below(4) {
            let again = self.failed_lately(&steps);
            let step = self.step(0, again);
            steps.push(step);
        }
        steps.push(self.answer());
        let trace = steered_trace.unwrap_or(trace);
        Turn { id, trace, span, at, until: self.tick(30), prompt, resumed, compacted, steers, steps }
    }

    /// The command that failed last, to be tried once more.
    fn failed_lately(&mut self, steps: &[Step]) -> Option<What> {
        let failed = steps.last()?.calls.iter().find(|call| call.has_failed())?.what.clone();
        self.random.chance(60).then_some(failed)
    }

    fn answer(&mut self) -> Step {
        let words = *self.random.pick(ANSWERED);
        let words = self.own(words);
        self.reply(words, vec![])
    }

    fn reply(&mut self, words: String, asides: Vec<Aside>) -> Step {
        let at = self.tick(60);
        let until = self.tick(900);
        Step {
            id: format!("req_{}", self.random.hex(20)),
            span: self.random.hex(16),
            at,
            until,
            asides,
            words,
            calls: vec![],
            read: self.random.between(100, 9_000),
            wrote: self.random.between(5, 400),
        }
    }

    fn step(&mut self, depth: usize, again: Option<What>) -> Step {
        let asides = self.asides(depth);
        let words = if self.random.chance(50) { (*self.random.pick(SAID)).to_owned() } else { String::new() };
        let words = if words.is_empty() { words } else { self.own(&words) };
        let mut step = self.reply(words, asides);
        let mut asked = vec![match again {
            Some(what) => what,
            None => self.what(depth),
        }];
        while asked.len() < 3 && self.may(May::Parallel, 25) {
            let twin = asked
                .first()
                .filter(|what| matches!(what, What::Read { .. } | What::Command { background: false, .. }));
            let twin = twin.cloned();
            match twin {
                Some(twin) if self.may(May::Twins, 30) => asked.push(twin),
                _ => asked.push(self.what(depth)),
            }
        }
        if depth == 0
            && !self.running.is_empty()
            && self.random.chance(60)
            && !step.asides.iter().any(|aside| matches!(aside, Aside::Notice { .. }))
        {
            asked.push(What::Poll { task: self.running[0].0.clone() });
        }
        if !self.may.contains(&May::Twins) {
            let mut seen: Vec<What> = vec![];
            asked.retain(|what| {
                !seen.contains(what) && {
                    seen.push(what.clone());
                    true
                }
            });
        }
        let began = self.tick(30);
        let mut over = began;
        for what in asked {
            self.clock = began + self.random.between(0, 3);
            step.calls.push(self.call(depth, what));
            over = over.max(self.clock);
        }
        self.clock = over;
        step
    }

    fn asides(&mut self, depth: usize) -> Vec<Aside> {
        if depth > 0 || !self.may.contains(&May::MachineText) {
            return vec![];
        }
        let mut asides = vec![];
        if self.random.chance(10) {
            asides.push(Aside::Reminder(self.own("The list of tasks is empty.")));
        }
        if self.random.chance(7) {
            asides.push(Aside::Feedback(self.own("the field `total` is missing")));
        }
        if !self.running.is_empty() && self.random.chance(30) {
            let (task, ended) = self.running.remove(0);
            self.ends.insert(task.clone(), ended);
            asides.push(Aside::Notice { task });
        }
        asides
    }

    fn what(&mut self, depth: usize) -> What {
        match self.random.below(20) {
            0 | 1 if depth == 0 && self.may.contains(&May::Agents) => {
                let task = *self.random.pick(TASKS);
                What::Agent { name: (*self.random.pick(AGENTS)).to_owned(), task: self.own(task) }
            }
            2..=4 if self.may.contains(&May::Servers) => {
                let (server, tool) = *self.random.pick(SERVERS);
                What::Server {
                    server: server.to_owned(),
                    tool: tool.to_owned(),
                    query: format!("A{}", self.random.below(90)),
                }
            }
            5..=7 => What::Read { path: (*self.random.pick(PATHS)).to_owned() },
            8 | 9 if depth == 0 && self.running.is_empty() && self.may.contains(&May::Background) => {
                What::Command { line: (*self.random.pick(COMMANDS)).to_owned(), background: true }
            }
            _ => What::Command { line: (*self.random.pick(COMMANDS)).to_owned(), background: false },
        }
    }

    fn call(&mut self, depth: usize, what: What) -> Call {
        let at = self.clock;
        let (id, span) = (self.random.hex(20), self.random.hex(16));
        let end = match &what {
            What::Poll { task } => self.look(task),
            What::Agent { .. } => self.run(depth),
            What::Command { line, background: true } => self.hand(&id, line),
            What::Command { .. } | What::Read { .. } if self.may(May::Refusals, 9) => End::Refused {
                by: if self.random.chance(50) { Who::Person } else { Who::Policy },
                words: (*self.random.pick(REFUSED)).to_owned(),
            },
            _ if self.random.chance(28) => {
                let output = *self.random.pick(COMPLAINED);
                End::Failed { code: self.random.between(1, 3), output: self.own(output) }
            }
            _ => {
                let output = *self.random.pick(PRINTED);
                End::Worked { output: self.own(output) }
            }
        };
        let tried = matches!(end, End::Worked { .. } | End::Failed { .. }) && self.may(May::Again, 6);
        let until = self.tick(1_500) + if tried { 60 } else { 0 };
        self.clock = until;
        Call { id, span, at, until, what, end, failed_before: i64::from(tried) }
    }

    fn hand(&mut self, call: &str, line: &str) -> End {
        let mut number = 100 + self.random.below(900);
        let is_taken = |number: usize| {
            let task = number.to_string();
            self.ends.contains_key(&task) || self.running.iter().any(|(running, _)| *running == task)
        };
        while is_taken(number) {
            number += 1;
        }
        let task = number.to_string();
        let code = if self.random.chance(40) { self.random.between(1, 3) } else { 0 };
        let output = if code == 0 { *self.random.pick(PRINTED) } else { *self.random.pick(COMPLAINED) };
        let ended = Ended { code, output: self.own(output), call: call.to_owned(), line: line.to_owned() };
        self.running.push((task.clone(), ended));
        End::Handed { task, output: self.own("starting") }
    }

    fn look(&mut self, task: &str) -> End {
        let ended = self.random.chance(65);
        if ended {
            let (task, ended) = self.running.remove(0);
            self.ends.insert(task, ended);
        }
        End::Seen { task: task.to_owned(), ended }
    }

    fn run(&mut self, depth: usize) -> End {
        self.tick(30);
        let steps: Vec<Step> = (0..=self.random.below(2)).map(|_| self.step(depth + 1, None)).collect();
        let answer = self.answer();
        End::Agent { steps: steps.into_iter().chain([answer]).collect() }
    }
}
