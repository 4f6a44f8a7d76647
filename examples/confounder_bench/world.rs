//! A world: some workspaces, each with a plan and the sessions that show it.

use std::collections::BTreeMap;

use skillspan::table::Session;

use crate::decoys::{self, Scene, scenes};
use crate::noise::Noise;
use crate::plan::{self, Decoy, Lesson, Plan};
use crate::play::Play;
use crate::poison::Poison;
use crate::random::Random;
use crate::record::{CLIENTS, Deed, Person, Record};
use crate::shows::Manner;
use crate::style::LANGUAGES;
use crate::tools;

pub(crate) const WORKSPACES: usize = 3;

/// The minutes over which sessions are spread: five weeks.
const MINUTES: usize = 35 * 24 * 60;

const NAMES: [&str; 8] = ["amal", "bryn", "chidi", "dunja", "emre", "freya", "goran", "hina"];

/// Of ten sessions so many are of the first person, the second, …; the recorded teams are as uneven.
const SHARES: [usize; 10] = [0, 0, 0, 0, 1, 1, 2, 3, 4, 5];

/// One workspace.
pub(crate) struct Workspace {
    pub(crate) name: String,
    pub(crate) plan: Plan,
    pub(crate) decoys: Vec<Decoy>,
    pub(crate) sessions: Vec<Session>,
    /// By session id.
    pub(crate) deeds: BTreeMap<String, Vec<Deed>>,
    pub(crate) poison: Poison,
}

/// What a session plays, part by part.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Lesson(usize, Manner, usize),
    Scene(Scene, usize),
    Feature,
    Noise,
}

/// A session to be: whose, and what it plays.
struct Slot {
    person: usize,
    minute: usize,
    parts: Vec<Part>,
}

/// The workspaces of a seed, in which `share` of the actions and of the sessions are noise.
pub(crate) fn world(seed: u64, share: f64, noise: &Noise) -> Vec<Workspace> {
    let mut random = Random::new(seed ^ 0xC0F0_07DE);
    let mut languages = LANGUAGES;
    random.shuffle(&mut languages);
    (0..WORKSPACES).map(|number| workspace(&mut random, number, languages[number], share, noise)).collect()
}

fn workspace(
    random: &mut Random,
    number: usize,
    language: crate::style::Language,
    share: f64,
    noise: &Noise,
) -> Workspace {
    let plan = plan::plan(random, language, number);
    let mut names = NAMES;
    random.shuffle(&mut names);
    let count = random.between(4, 6);
    let people: Vec<Person> =
        names[..count].iter().map(|name| Person { name, client: *random.pick(&CLIENTS) }).collect();
    let groups = groups(random, &plan);
    let parts: usize = groups.iter().map(Vec::len).sum();
    let mut slots: Vec<Slot> = (0..parts * 10 / 18)
        .map(|_| {
            let person = *random.pick(&SHARES) % count;
            Slot { person, minute: random.below(MINUTES), parts: Vec::new() }
        })
        .collect();
    for group in groups {
        assign(random, &mut slots, &group);
    }
    let others = (slots.len() as f64 * share / (1.0 - share) * 0.3) as usize;
    for at in 0..others {
        let parts =
            if at.is_multiple_of(3) { vec![Part::Noise] } else { vec![Part::Feature; random.between(1, 2)] };
        let person = *random.pick(&SHARES) % count;
        slots.push(Slot { person, minute: random.below(MINUTES), parts });
    }
    slots.sort_by_key(|slot| slot.minute);
    let name = format!("team-{number}");
    let decoys = decoys::planted(&plan);
    let (sessions, deeds) = (Vec::new(), BTreeMap::new());
    let mut workspace = Workspace { name, plan, decoys, sessions, deeds, poison: Poison::default() };
    for (at, slot) in slots.into_iter().enumerate() {
        play(random, &mut workspace, &people, at, slot, share, noise);
    }
    // A source of chance of its own: what was drawn so far stays as it is, for seeds that others know.
    let mut own = Random::new(random.clone().below(1 << 30) as u64 ^ 0x7001);
    play_tools(&mut own, &mut workspace, &people, share, noise);
    workspace
}

/// Adds what tools and the repository teach, each part in a session of its own.
fn play_tools(random: &mut Random, workspace: &mut Workspace, people: &[Person], share: f64, noise: &Noise) {
    let (bait, groups) = tools::add(random, &mut workspace.plan);
    workspace.decoys.extend(tools::planted(&workspace.plan, &bait));
    let Workspace { name, plan, sessions, deeds, .. } = workspace;
    let plan: &Plan = plan;
    for (parts, is_of_one) in groups {
        let first = if is_of_one { 0 } else { random.below(people.len()) };
        for (at, part) in parts.into_iter().enumerate() {
            let person = if is_of_one { first } else { (first + at) % people.len() };
            let id = format!("{name}-tools-{:04}", sessions.len());
            let minute = random.below(MINUTES);
            let record = Record::new(id, name, plan.style.repository, &people[person], minute);
            let mut play = Play { random: &mut *random, plan, noise, share, record };
            play.tool(part, &bait);
            if play.random.chance(0.4) {
                play.feature();
            }
            let (session, done) = play.record.build();
            deeds.insert(session.id.clone(), done);
            sessions.push(session);
        }
    }
}

/// All that has to be played, each group in sessions of several people.
fn groups(random: &mut Random, plan: &Plan) -> Vec<Vec<Part>> {
    let mut groups = Vec::new();
    for (at, lesson) in plan.lessons.iter().enumerate() {
        let manners = manners(random, lesson);
        groups.push(
            manners
                .into_iter()
                .enumerate()
                .map(|(number, manner)| Part::Lesson(at, manner, number))
                .collect(),
        );
    }
    for (scene, count) in scenes() {
        groups.push((0..count).map(|number| Part::Scene(scene, number)).collect());
    }
    groups
}

fn manners(random: &mut Random, lesson: &Lesson) -> Vec<Manner> {
    let times = match lesson {
        Lesson::Repair { prevents, second, .. } => {
            let mut manners = vec![Manner::Clean; random.between(4, 6)];
            manners.extend([Manner::Dirty; 2]);
            if random.chance(0.6) {
                manners.extend([Manner::Untreated; 2]);
            }
            if *prevents {
                manners.extend([Manner::Before; 4]);
            }
            if second.is_some() {
                manners.extend([Manner::SecondAfter, Manner::SecondAfter, Manner::SecondAfter]);
                manners.extend([Manner::SecondAlone, Manner::SecondAlone]);
            }
            return manners;
        }
        Lesson::Procedure { .. } | Lesson::Together { .. } => random.between(5, 7),
        Lesson::Check { .. } => random.between(7, 9),
        Lesson::Instead { .. } => random.between(4, 6),
        Lesson::Prefer { .. } => random.between(4, 5),
        Lesson::Avoid { .. } => random.between(3, 4),
        Lesson::Tool(_) => 0,
    };
    vec![Manner::Clean; times]
}

/// Gives the parts of a group to sessions that have little yet, each to another, of two people at
/// least; what one person does alone to sessions of one.
fn assign(random: &mut Random, slots: &mut [Slot], group: &[Part]) {
    let alone = match group.first() {
        Some(Part::Scene(Scene::OnePerson, _)) => Some(0),
        Some(Part::Scene(Scene::Contradiction(first), _)) => Some(usize::from(*first)),
        _ => None,
    };
    let mut order: Vec<usize> = (0..slots.len()).collect();
    random.shuffle(&mut order);
    order.sort_by_key(|at| slots[*at].parts.len());
    if let Some(person) = alone {
        order.retain(|at| slots[*at].person == person);
    } else {
        // The second place goes to somebody else than the first, the fourth to somebody else again.
        for place in [1, 3] {
            let before = slots[order[place - 1]].person;
            let other = order.iter().skip(place).position(|at| slots[*at].person != before);
            if let Some(offset) = other {
                let moved = order.remove(place + offset);
                order.insert(place, moved);
            }
        }
    }
    for (part, at) in group.iter().zip(order) {
        slots[at].parts.push(*part);
    }
}

fn play(
    random: &mut Random,
    workspace: &mut Workspace,
    people: &[Person],
    number: usize,
    slot: Slot,
    share: f64,
    noise: &Noise,
) {
    let Workspace { name, plan, sessions, deeds, poison, .. } = workspace;
    let plan: &Plan = plan;
    let mut person = people[slot.person].clone();
    // One session in five is of another client.
    if random.chance(0.2) {
        person.client = *random.pick(&CLIENTS);
    }
    let id = format!("{name}-session-{number:04}");
    let record = Record::new(id, name, plan.style.repository, &person, slot.minute);
    let mut parts = slot.parts;
    if parts.is_empty() || random.chance(0.6) {
        parts.push(Part::Feature);
    }
    if random.chance(plan.style.long) {
        parts.extend(vec![Part::Feature; random.between(2, 5)]);
    }
    random.shuffle(&mut parts);
    let mut play = Play { random, plan, noise, share, record };
    for part in parts {
        match part {
            Part::Lesson(at, manner, number) => play.lesson(&plan.lessons[at], manner, number, poison),
            Part::Scene(scene, number) => play.scene(scene, number, poison),
            Part::Feature => play.feature(),
            Part::Noise => noise.segment(play.random, &mut play.record),
        }
    }
    let (session, done) = play.record.build();
    deeds.insert(session.id.clone(), done);
    sessions.push(session);
}
