//! What is planted: procedures, repairs, preferences, and the things that must not become skills.

use crate::random::Random;

/// What people call a piece of work: three nouns and three verbs that they use for it.
#[derive(Clone, Copy)]
pub(crate) struct Topic {
    pub(crate) nouns: [&'static str; 3],
    pub(crate) verbs: [&'static str; 3],
}

/// One step: a command with holes such as `{version}`, or the file to edit.
#[derive(Clone, PartialEq)]
pub(crate) enum Step {
    Run(String),
    Edit(String),
}

/// What a planted piece of work is.
#[derive(Clone, PartialEq)]
pub(crate) enum Work {
    /// Steps in order.
    Procedure,
    /// The last step fails until the others have run.
    Fix,
    /// A person wants the only step instead of this command.
    Prefer { instead_of: String },
}

/// Something that must become a skill.
#[derive(Clone)]
pub(crate) struct Planted {
    pub(crate) workspace: usize,
    pub(crate) topic: Topic,
    pub(crate) work: Work,
    pub(crate) steps: Vec<Step>,
    /// A variant of a step that people refuse: (which step, what was run for it).
    pub(crate) refused: Option<(usize, String)>,
    pub(crate) sessions: usize,
}

pub(crate) const WORKSPACES: usize = 3;
pub(crate) const PEOPLE: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

const fn topic(nouns: [&'static str; 3], verbs: [&'static str; 3]) -> Topic {
    Topic { nouns, verbs }
}

pub(crate) const TOPICS: [Topic; 33] = [
    topic(["invoice", "billing", "ledger"], ["issue", "send", "dispatch"]),
    topic(["search", "catalog", "index"], ["rebuild", "refresh", "regenerate"]),
    topic(["thumbnail", "image", "gallery"], ["render", "produce", "generate"]),
    topic(["locale", "translation", "strings"], ["import", "pull", "fetch"]),
    topic(["tenant", "customer", "account"], ["provision", "onboard", "register"]),
    topic(["schema", "database", "tables"], ["migrate", "upgrade", "evolve"]),
    topic(["staging", "environment", "cluster"], ["deploy", "roll", "launch"]),
    topic(["changelog", "version", "release"], ["cut", "publish", "ship"]),
    topic(["certificate", "tls", "gateway"], ["renew", "rotate", "replace"]),
    topic(["backup", "snapshot", "archive"], ["restore", "recover", "load"]),
    topic(["firmware", "device", "sensor"], ["flash", "program", "burn"]),
    topic(["pricing", "tariff", "plan"], ["recalculate", "adjust", "update"]),
    topic(["recommendation", "model", "embedding"], ["train", "fit", "learn"]),
    topic(["newsletter", "mailing", "subscriber"], ["compose", "mail", "distribute"]),
    topic(["warehouse", "stock", "inventory"], ["reconcile", "count", "balance"]),
    topic(["payment", "checkout", "card"], ["settle", "charge", "capture"]),
    topic(["dashboard", "report", "chart"], ["draw", "assemble", "prepare"]),
    topic(["openapi", "client", "sdk"], ["regenerate", "emit", "derive"]),
    topic(["permission", "role", "access"], ["audit", "review", "inspect"]),
    topic(["video", "stream", "transcode"], ["encode", "convert", "compress"]),
    topic(["map", "tile", "terrain"], ["bake", "slice", "cook"]),
    topic(["queue", "worker", "broker"], ["drain", "flush", "empty"]),
    topic(["mobile", "android", "bundle"], ["assemble", "package", "wrap"]),
    topic(["survey", "answer", "poll"], ["collect", "gather", "tally"]),
    topic(["feature", "flag", "toggle"], ["enable", "activate", "switch"]),
    topic(["icon", "sprite", "font"], ["optimise", "shrink", "minify"]),
    topic(["telemetry", "metric", "alert"], ["wire", "configure", "provision"]),
    topic(["fixture", "sample", "dataset"], ["seed", "populate", "fill"]),
    topic(["session", "cookie", "login"], ["invalidate", "expire", "revoke"]),
    topic(["manual", "handbook", "guide"], ["typeset", "compile", "print"]),
    topic(["simulation", "physics", "solver"], ["benchmark", "profile", "measure"]),
    topic(["contract", "ledgerbook", "token"], ["verify", "prove", "attest"]),
    topic(["plugin", "extension", "marketplace"], ["list", "submit", "upload"]),
];

const VERBS: [&str; 16] = [
    "build", "sign", "stage", "export", "pack", "freeze", "warm", "compile", "upload", "announce",
    "snapshot", "prune", "sync", "render", "mirror", "load",
];

/// How a workspace spells its own targets.
const FAMILIES: [fn(&str, &str) -> String; 7] = [
    |verb, noun| format!("make {verb}-{noun}"),
    |verb, noun| format!("just {verb}-{noun}"),
    |verb, noun| format!("npm run {verb}:{noun}"),
    |verb, noun| format!("./scripts/{verb}_{noun}.sh"),
    |verb, noun| format!("cargo xtask {verb}-{noun}"),
    |verb, noun| format!("bundle exec rake {noun}:{verb}"),
    |verb, noun| format!("pnpm run {verb}-{noun}"),
];

const GENERAL: [fn(&str) -> String; 9] = [
    |noun| format!("docker build -t {noun}:{{version}} ."),
    |noun| format!("git tag {noun}-v{{version}}"),
    |noun| format!("docker compose up -d {noun}"),
    |noun| format!("kubectl rollout restart deployment/{noun}"),
    |noun| format!("python manage.py migrate {noun}"),
    |noun| format!("helm upgrade {noun} charts/{noun} --set image.tag={{version}}"),
    |noun| format!("terraform apply -var-file=env/{noun}/{{name}}.tfvars"),
    |noun| format!("psql -f db/{noun}/{{name}}.sql"),
    |noun| format!("gh release create {noun}-{{version}}"),
];

const EDITS: [fn(&str) -> String; 3] = [
    |noun| format!("docs/{noun}/CHANGELOG.md"),
    |noun| format!("config/{noun}.toml"),
    |noun| format!("src/{noun}/version.py"),
];

/// Draws every planted piece of work.
pub(crate) fn plan(random: &mut Random) -> Vec<Planted> {
    let mut topics = TOPICS.to_vec();
    random.shuffle(&mut topics);
    let mut topics = topics.into_iter();
    let mut families = FAMILIES;
    random.shuffle(&mut families);
    let mut planted = Vec::new();
    for (workspace, family) in (0..WORKSPACES).zip(families) {
        let mut next = || topics.next().unwrap();
        for length in [3, 5, 7] {
            let refused = length == 5;
            planted.push(procedure(random, workspace, family, next(), length, refused));
        }
        planted.extend(near_duplicates(random, workspace, family, [next(), next()]));
        for repairs in [1, 1, 2] {
            planted.push(fix(random, workspace, family, next(), repairs));
        }
        planted.push(prefer(random, workspace, family, next()));
    }
    planted
}

fn procedure(
    random: &mut Random,
    workspace: usize,
    family: fn(&str, &str) -> String,
    topic: Topic,
    length: usize,
    refused: bool,
) -> Planted {
    let mut steps = steps(random, family, topic.nouns[0], length);
    if length > 3 {
        let edit = random.pick(&EDITS)(topic.nouns[0]);
        steps[random.between(0, 1)] = Step::Edit(edit);
    }
    let at = length - 1;
    let refused = refused.then(|| (at, family("force", topic.nouns[0])));
    Planted { workspace, topic, work: Work::Procedure, steps, refused, sessions: random.between(6, 9) }
}

fn steps(random: &mut Random, family: fn(&str, &str) -> String, noun: &str, length: usize) -> Vec<Step> {
    let mut own: Vec<String> = VERBS.iter().map(|verb| family(verb, noun)).collect();
    let mut general: Vec<String> = GENERAL.iter().map(|general| general(noun)).collect();
    random.shuffle(&mut own);
    random.shuffle(&mut general);
    let mut steps: Vec<Step> = Vec::new();
    while steps.len() < length {
        let from = if random.chance(0.6) || general.is_empty() { &mut own } else { &mut general };
        steps.push(Step::Run(from.pop().unwrap()));
    }
    steps
}

/// Two procedures of five steps that share three.
fn near_duplicates(
    random: &mut Random,
    workspace: usize,
    family: fn(&str, &str) -> String,
    topics: [Topic; 2],
) -> [Planted; 2] {
    let shared = steps(random, family, "common", 3);
    topics.map(|topic| {
        let own = steps(random, family, topic.nouns[0], 2);
        let steps =
            vec![shared[0].clone(), own[0].clone(), shared[1].clone(), own[1].clone(), shared[2].clone()];
        let sessions = random.between(6, 9);
        Planted { workspace, topic, work: Work::Procedure, steps, refused: None, sessions }
    })
}

fn fix(
    random: &mut Random,
    workspace: usize,
    family: fn(&str, &str) -> String,
    topic: Topic,
    repairs: usize,
) -> Planted {
    let mut verbs = ["start", "prepare", "reset", "install", "up", "generate"];
    random.shuffle(&mut verbs);
    let mut steps: Vec<Step> =
        verbs.iter().take(repairs).map(|verb| Step::Run(family(verb, topic.nouns[0]))).collect();
    let test = if random.chance(0.5) {
        family("test", topic.nouns[0])
    } else {
        format!("pytest tests/{}", topic.nouns[0])
    };
    steps.push(Step::Run(test));
    Planted { workspace, topic, work: Work::Fix, steps, refused: None, sessions: random.between(4, 6) }
}

fn prefer(random: &mut Random, workspace: usize, family: fn(&str, &str) -> String, topic: Topic) -> Planted {
    let noun = topic.nouns[0];
    let pairs = [
        (format!("pnpm add {noun}-kit"), format!("npm install {noun}-kit")),
        (format!("uv add {noun}-kit"), format!("pip install {noun}-kit")),
        (family("apply", noun), family("hotfix", noun)),
    ];
    let (good, bad) = random.pick(&pairs).clone();
    Planted {
        workspace,
        topic,
        work: Work::Prefer { instead_of: bad },
        steps: vec![Step::Run(good)],
        refused: None,
        sessions: random.between(4, 5),
    }
}

/// What must not become a skill: steps that one session shows, or one person alone, or one session
/// in each of two workspaces.
pub(crate) fn one_off(random: &mut Random, topic: Topic) -> Planted {
    let family = *random.pick(&FAMILIES);
    let length = random.between(2, 5);
    let steps = steps(random, family, topic.nouns[1], length);
    Planted { workspace: 0, topic, work: Work::Procedure, steps, refused: None, sessions: 1 }
}

const PROMPTS: [&str; 7] = [
    "{verb} the {a} {b} for {place}",
    "Please {verb} our {a} {b} once more, {place} is waiting",
    "Can you {verb} {a} and {b}?",
    "We want to {verb} the {b} of the {a} today",
    "{verb} {a} {b} please",
    "Time to {verb} the {a} {b} in {place}",
    "hey, {verb} the {a} ({b}) and tell me how it went",
];
const HELD_OUT: [&str; 4] = [
    "Could somebody {verb} the {a} {b} for {place}?",
    "I would like you to {verb} {b} {a} now",
    "Let's {verb} the whole {a} {b} thing",
    "{place} asks us to {verb} its {a}, mind the {b}",
];
const PLACES: [&str; 6] =
    ["customer north", "the demo", "ticket 812", "the berlin office", "release 2.4.1", "tomorrow's call"];

impl Topic {
    /// A request as it stands in the sessions.
    pub(crate) fn prompt(&self, random: &mut Random) -> String {
        self.worded(random, &PROMPTS)
    }

    /// A request in a wording that no session has.
    pub(crate) fn held_out_prompt(&self, random: &mut Random) -> String {
        self.worded(random, &HELD_OUT)
    }

    fn worded(&self, random: &mut Random, templates: &[&str]) -> String {
        let mut nouns = self.nouns;
        random.shuffle(&mut nouns);
        let text = random
            .pick(templates)
            .replace("{verb}", random.pick::<&str>(&self.verbs))
            .replace("{a}", nouns[0])
            .replace("{b}", nouns[1])
            .replace("{place}", random.pick::<&str>(&PLACES));
        let mut chars = text.chars();
        let first = chars.next().unwrap();
        if random.chance(0.6) { first.to_uppercase().chain(chars).collect() } else { text }
    }
}
