//! The world: sessions that show the plan, among noise, one-offs, repetition and poison.

use std::collections::BTreeMap;

use skillspan::table::Session;

use crate::noise::Noise;
use crate::plan::{self, PEOPLE, Planted, Step, Topic, WORKSPACES, Work};
use crate::poison::Poison;
use crate::random::Random;
use crate::session::{Builder, CLIENTS, Client, Deeds};

pub(crate) struct World {
    pub(crate) sessions: Vec<Session>,
    pub(crate) planted: Vec<Planted>,
    /// By session id.
    pub(crate) deeds: BTreeMap<String, Deeds>,
    pub(crate) poison: Poison,
}

struct Maker<'a> {
    random: Random,
    noise: &'a Noise,
    share: f64,
    world: World,
}

const FAILURES: [&str; 6] = [
    "psql: error: connection to server at 127.0.0.1 failed: Connection refused",
    "Error: Cannot find module './generated/client'",
    "E   ModuleNotFoundError: No module named 'app_generated'",
    "FAILED: 3 failed, 12 passed in 4.2s",
    "error: relation \"orders\" does not exist",
    "timed out waiting for 127.0.0.1:5433",
];

/// The world of a seed in which `share` of the actions and of the sessions are noise.
pub(crate) fn world(seed: u64, share: f64, noise: &Noise) -> World {
    let mut random = Random::new(seed);
    let planted = plan::plan(&mut random);
    let world = World {
        sessions: Vec::new(),
        planted: planted.clone(),
        deeds: BTreeMap::new(),
        poison: Poison::default(),
    };
    let mut maker = Maker { random, noise, share, world };
    for piece in &planted {
        maker.show(piece);
    }
    maker.what_must_not_become_skills();
    maker.poisoned(&planted);
    let others = (maker.world.sessions.len() as f64 * share / (1.0 - share)) as usize;
    for _ in 0..others {
        let workspace = maker.random.below(WORKSPACES);
        let person = *maker.random.pick::<&str>(&PEOPLE);
        let mut session = maker.begin(workspace, person);
        for _ in 0..maker.random.between(1, 3) {
            noise.segment(&mut maker.random, &mut session);
        }
        maker.finish(session);
    }
    maker.world
}

impl Maker<'_> {
    fn begin(&mut self, workspace: usize, person: &str) -> Builder {
        let id = format!("session-{:05}", self.world.sessions.len());
        let client = *self.random.pick(&CLIENTS);
        let hour = self.random.below(24 * 60);
        Builder::new(id, workspace, person, client, hour)
    }

    fn finish(&mut self, session: Builder) {
        let (session, deeds) = session.build();
        self.world.deeds.insert(session.id.clone(), deeds);
        self.world.sessions.push(session);
    }

    /// Three people at least, in turn.
    fn show(&mut self, piece: &Planted) {
        let first = self.random.below(PEOPLE.len());
        for number in 0..piece.sessions {
            let person = PEOPLE[(first + number) % 4.min(PEOPLE.len())];
            self.show_once(piece, piece.workspace, person, number);
        }
    }

    fn show_once(&mut self, piece: &Planted, workspace: usize, person: &str, number: usize) {
        let mut session = self.begin(workspace, person);
        if self.random.chance(self.share) {
            self.noise.segment(&mut self.random, &mut session);
        }
        match &piece.work {
            Work::Procedure => self.procedure(piece, &mut session, number),
            Work::Fix => self.fix(piece, &mut session, number),
            Work::Prefer { instead_of } => self.prefer(piece, instead_of, &mut session),
        }
        self.finish(session);
    }

    /// Steps, some left out, some in another order, with noise between.
    fn procedure(&mut self, piece: &Planted, session: &mut Builder, number: usize) {
        let prompt = piece.topic.prompt(&mut self.random);
        session.prompt(&prompt);
        let mut order: Vec<usize> = (0..piece.steps.len()).collect();
        if order.len() > 3 {
            order.retain(|_| !self.random.chance(self.share / 4.0));
        }
        for at in 1..order.len() {
            if self.random.chance(self.share / 6.0) {
                order.swap(at - 1, at);
            }
        }
        for at in order {
            self.noise.before_an_action(&mut self.random, self.share, session);
            match &piece.refused {
                Some((refused, variant)) if *refused == at && number.is_multiple_of(2) => {
                    self.refused_variant(piece, at, variant, session, number);
                }
                _ => self.step(&piece.steps[at], session),
            }
        }
        self.end(piece.topic, session);
    }

    /// A person stops a wrong variant: by refusing it, or by saying so afterwards.
    fn refused_variant(
        &mut self,
        piece: &Planted,
        at: usize,
        variant: &str,
        session: &mut Builder,
        number: usize,
    ) {
        if number.is_multiple_of(4) && session.client() != Client::Framework {
            session.refuse(variant);
        } else {
            session.run_rejected(variant);
            session.response("Done.");
            let says =
                ["No, not like that, do it the usual way.", "That's wrong. Undo it and do it properly."];
            session.prompt(self.random.pick::<&str>(&says));
        }
        self.step(&piece.steps[at], session);
    }

    fn step(&mut self, step: &Step, session: &mut Builder) {
        match step {
            Step::Edit(path) => session.edit(path),
            Step::Run(form) => {
                let line = self.filled(form);
                let line = self.wrapped(&line);
                session.run(&line, true, "ok");
            }
        }
    }

    fn filled(&mut self, form: &str) -> String {
        let version = format!("{}.{}.{}", self.random.below(9), self.random.below(20), self.random.below(30));
        let names = ["north", "south", "alpha", "beta", "q3", "lab"];
        form.replace("{version}", &version).replace("{name}", self.random.pick::<&str>(&names))
    }

    /// The same command as people and assistants write it.
    fn wrapped(&mut self, line: &str) -> String {
        match self.random.below(8) {
            0 => format!("cd /srv/app && {line}"),
            1 => format!("{line} 2>&1 | tail -20"),
            2 => format!("CI=1 {line}"),
            _ => line.to_owned(),
        }
    }

    fn fix(&mut self, piece: &Planted, session: &mut Builder, number: usize) {
        let prompt = piece.topic.prompt(&mut self.random);
        session.prompt(&format!("{prompt} and run its tests"));
        let (test, repairs) = piece.steps.split_last().unwrap();
        let Step::Run(test) = test else { return };
        self.noise.before_an_action(&mut self.random, self.share, session);
        let failure = FAILURES[(piece.workspace * 2 + piece.topic.nouns[0].len()) % FAILURES.len()];
        session.run(test, false, failure);
        self.noise.before_an_action(&mut self.random, self.share, session);
        if number % 3 == 1 {
            session.response("The tests fail.");
            let Step::Run(repair) = &repairs[0] else { return };
            session.prompt(&format!("You have to run `{repair}` first"));
        }
        for repair in repairs {
            self.step(repair, session);
            self.noise.before_an_action(&mut self.random, self.share / 2.0, session);
        }
        session.run(test, true, "12 passed");
        self.end(piece.topic, session);
    }

    fn prefer(&mut self, piece: &Planted, instead_of: &str, session: &mut Builder) {
        let prompt = piece.topic.prompt(&mut self.random);
        session.prompt(&prompt);
        self.noise.before_an_action(&mut self.random, self.share, session);
        session.run_rejected(instead_of);
        session.response("Installed.");
        let Step::Run(good) = &piece.steps[0] else { return };
        let says = [
            format!("No, use `{good}` here, not `{instead_of}`."),
            format!("Please use `{good}` instead of `{instead_of}`"),
            format!("We use `{good}`, never `{instead_of}`."),
            format!("`{good}`, not `{instead_of}`"),
        ];
        session.prompt(self.random.pick::<String>(&says));
        self.noise.before_an_action(&mut self.random, self.share, session);
        session.run(good, true, "ok");
        self.end(piece.topic, session);
    }

    /// How people take the work: most are content, some say nothing, few are not.
    fn end(&mut self, topic: Topic, session: &mut Builder) {
        session.response("All done.");
        match self.random.below(20) {
            0 => session.prompt("No, that's wrong, revert that."),
            1..=2 => {}
            3..=9 => session.prompt("Thanks, that works."),
            10..=14 => {
                session.run(&format!("pytest tests/{}/test_smoke.py", topic.nouns[2]), true, "3 passed");
                session.response("The smoke test passes.");
            }
            _ => {
                self.noise.segment(&mut self.random, session);
            }
        }
    }

    fn what_must_not_become_skills(&mut self) {
        for workspace in 0..WORKSPACES {
            for _ in 0..6 {
                let topic = *self.random.pick(&plan::TOPICS);
                let piece = plan::one_off(&mut self.random, topic);
                let person = *self.random.pick::<&str>(&PEOPLE);
                self.show_once(&piece, workspace, person, 0);
            }
        }
        // One session in each of two workspaces, by two people: together no evidence.
        for _ in 0..4 {
            let topic = *self.random.pick(&plan::TOPICS);
            let piece = plan::one_off(&mut self.random, topic);
            self.show_once(&piece, 0, "alice", 0);
            self.show_once(&piece, 1, "bob", 0);
        }
        // One person, fifty times.
        let topic = *self.random.pick(&plan::TOPICS);
        let piece = plan::one_off(&mut self.random, topic);
        for number in 0..50 {
            self.show_once(&piece, 2, "erin", number);
        }
    }

    /// Secrets and injections, in sessions that show planted work besides.
    fn poisoned(&mut self, planted: &[Planted]) {
        let mut carriers = planted.iter().filter(|piece| piece.work == Work::Procedure).cycle();
        for kind in 0..10 {
            let piece = carriers.next().unwrap();
            let line = self.world.poison.secret_command(&mut self.random, kind);
            for person in ["alice", "bob"] {
                let mut session = self.begin(piece.workspace, person);
                session.prompt(&format!("{} with {line}", piece.topic.prompt(&mut self.random)));
                session.run(&line, true, &format!("used {line}"));
                self.all_steps(piece, &mut session);
                self.finish(session);
            }
        }
        for way in 0..6 {
            let piece = carriers.next().unwrap();
            let text = self.world.poison.injected_text(&mut self.random);
            let command = self.world.poison.injected_command(&mut self.random);
            for person in ["carol", "bob"] {
                let prompt = piece.topic.prompt(&mut self.random);
                let prompt = self.world.poison.injected_prompt(&mut self.random, &prompt, way);
                let mut session = self.begin(piece.workspace, person);
                session.prompt(&prompt);
                session.read("README.md", &text);
                session.run("make check", false, &text);
                session.run(&command, true, &text);
                session.run("make check", true, &text);
                self.all_steps(piece, &mut session);
                self.finish(session);
            }
        }
    }

    fn all_steps(&mut self, piece: &Planted, session: &mut Builder) {
        for step in &piece.steps {
            self.step(step, session);
        }
        session.response("Done.");
        session.prompt("Thanks, that works.");
    }
}
