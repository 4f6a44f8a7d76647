//! Noise: commands, outputs, prompts and paths of recorded runs.

use serde::Deserialize;

use crate::random::Random;
use crate::session::Builder;

#[derive(Deserialize)]
struct Recorded {
    command: String,
    ok: bool,
    output: String,
}

#[derive(Deserialize)]
pub(crate) struct Noise {
    commands: Vec<Recorded>,
    prompts: Vec<String>,
    assistant_prompts: Vec<String>,
    files: Vec<String>,
}

impl Noise {
    pub(crate) fn load() -> Self {
        serde_json::from_str(include_str!("noise.json")).unwrap()
    }

    /// One action that has nothing to do with the work.
    pub(crate) fn act(&self, random: &mut Random, session: &mut Builder) {
        match random.below(10) {
            0 | 1 => session.read(random.pick::<String>(&self.files), "x = 1"),
            2 => session.edit(random.pick::<String>(&self.files)),
            _ => {
                let recorded = random.pick(&self.commands);
                session.run(&recorded.command, recorded.ok, &recorded.output);
            }
        }
    }

    /// As many actions as make `share` of all actions noise, one real action coming after them.
    pub(crate) fn before_an_action(&self, random: &mut Random, share: f64, session: &mut Builder) {
        while random.chance(share) {
            self.act(random, session);
        }
    }

    /// A request of a noise session; the last third of the recorded ones is held out.
    pub(crate) fn prompt(&self, random: &mut Random) -> String {
        if random.chance(0.2) {
            return random.pick(&self.assistant_prompts).clone();
        }
        random.pick(&self.prompts[..self.prompts.len() * 2 / 3]).clone()
    }

    /// Requests that no session has and that no skill is for.
    pub(crate) fn held_out(&self) -> &[String] {
        &self.prompts[self.prompts.len() * 2 / 3..]
    }

    /// A whole segment of other work.
    pub(crate) fn segment(&self, random: &mut Random, session: &mut Builder) {
        session.prompt(&self.prompt(random));
        for _ in 0..random.between(2, 8) {
            self.act(random, session);
        }
        session.response("Done.");
    }
}
