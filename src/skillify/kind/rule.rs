//! **Rule**: people want something done, or not done, from then on.
//!
//! - Situation: a person speaks to an agent ([`super::super::speech`]). Action and outcome: on another day the same or
//!   another person says the same again.
//! - Proof: nothing but people's words. So no rule is published by itself: a person has to agree to it.
//! - Support: two sessions on two days if a sentence says that it lasts, forbids or prefers, or asks for a way to work ("as
//!   a draft"). Three on three days if people only ask for a piece of work ("add tests"). The same text counts once, since
//!   it was pasted. What is older than half a year does not count.
//! - A detail that people add to an act ("with the commit that fixes it") belongs to the rule if every third says it, on two
//!   days. A person who forbade commits once and orders each commit repeats it on every day of an order. So does one who
//!   orders nearly all of them, on five days.
//! - Scope: two people make a rule of the workspace; one person makes a rule of their own. People who contradict each other
//!   each keep their own. If one person says both, the later word holds.
//! - Null: the acts of what people said, exchanged: does anybody say the same again by chance?

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::publish_rule::PublishRule;
use super::super::claim::scope::Scope;
use super::super::claim::shortfall::Shortfall;
use super::super::claim::{Claim, Evidence, SupportedClaim};
use super::super::evidence::segment_ref::SegmentRef;
use super::super::session::outcome::Outcome;
use super::super::significance::Counts;
use super::super::significance::stratified_tail;
use super::super::speech::acts::{self};
use super::super::speech::quotation::{self, Quotation};
use super::super::speech::{Statement, Strength, Want};
use super::super::template::Template;
use super::Shuffle;
use crate::event::Timestamp;
use crate::table::Session;

/// So many days after somebody said it last, it counts no more.
const AGES: u64 = 180;
/// On how many days people must ask for a part of work before it is a rule.
const ASKED_DAYS: usize = 3;
/// On so many days they say a sentence that says by itself that it lasts.
const SAID_DAYS: usize = 2;
/// Where people only ask, act and object must meet more often than chance explains, at this level.
const CHANCE: f64 = 0.01;
/// Or this share of those who name the object ask for the act.
const USUAL: f64 = 0.75;
/// On so many days somebody orders commits before it is how he works.
const ORDERED_DAYS: usize = 5;
/// Those orders, and the act that they are about.
const ORDERED: &str = "commit-order";
const COMMIT: &str = "commit";
/// What people say beside an act belongs to it where every third says so, on two days.
const DETAIL_SHARE: usize = 3;
/// A sentence of so many words is not said twice in the same words.
const COPIED: u8 = 10;
/// And one of so many not by two people.
const COPIED_BY_ANOTHER: u8 = 6;

/// A rule with what it lacks still.
pub(in super::super) struct Ruled {
    pub(in super::super) claim: SupportedClaim,
    pub(in super::super) scope: Scope,
    pub(in super::super) shortfalls: Vec<Shortfall>,
}

/// Something that a person said, and where.
#[derive(Clone, Copy)]
struct Said<'a> {
    work: &'a SegmentRef<'a>,
    statement: &'a Statement,
}

impl Said<'_> {
    fn day(&self) -> String {
        self.work.segment.started_at.date()
    }

    fn session(&self) -> (&str, &str) {
        (&self.work.session.tenant, &self.work.session.session)
    }

    fn evidence(&self, outcome: Outcome) -> Evidence {
        self.work.evidence_of(vec![self.statement.event.clone()], outcome)
    }
}

/// Which way people want it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    For,
    Against,
    Free,
}

const fn side(want: Want) -> Side {
    match want {
        Want::Do => Side::For,
        Want::Not | Want::Ask => Side::Against,
        Want::Free => Side::Free,
    }
}

/// Whether both want an act, or both do not want it.
pub(in super::super) fn is_one_side(one: Want, other: Want) -> bool {
    side(one) == side(other)
}

/// What people state in these segments, oldest first.
pub(in super::super) fn rules(
    works: &[SegmentRef<'_>],
    rule: PublishRule,
    as_of: Timestamp,
    shuffle: Option<&mut Shuffle>,
) -> Vec<Ruled> {
    let exchanged = shuffle.map(|shuffle| exchanged(works, shuffle));
    let said: Vec<Said<'_>> = match &exchanged {
        Some(statements) => statements.iter().map(|(work, statement)| Said { work, statement }).collect(),
        None => works.iter().flat_map(|work| of_work(work)).collect(),
    };
    let mut groups: BTreeMap<(&str, String), Vec<Said<'_>>> = BTreeMap::new();
    let mut all = All { said: said.clone(), rule, orders: Vec::new() };
    for one in said.into_iter().filter(|one| !one.statement.act.is_empty()) {
        let age = as_of.since(one.work.segment.started_at).as_secs() / 86_400;
        if age <= AGES {
            let key = (acts::plain(&one.statement.act), one.statement.name.to_lowercase());
            groups.entry(key).or_default().push(one);
        }
    }
    all.orders = groups.remove(&(ORDERED, String::new())).unwrap_or_default();
    let mut ruled: Vec<Ruled> = groups.values().flat_map(|group| of_group(group, &all)).collect();
    // A rule that somebody states outright needs no second request.
    let is_said = |scope: &Scope| {
        ruled.iter().any(|one| {
            let is_it = matches!(&one.claim.claim, Claim::Rule { act, want, .. } if act == COMMIT && *want != Want::Do);
            is_it && one.scope == *scope && one.shortfalls == [Shortfall::Rule]
        })
    };
    let ordered: Vec<Ruled> = of_orders(&all).into_iter().filter(|one| !is_said(&one.scope)).collect();
    ruled.extend(ordered);
    ruled
}

/// A person who orders nearly every commit wants to decide when to commit: these orders, against commits that nobody
/// ordered.
fn of_orders(all: &All<'_>) -> Vec<Ruled> {
    let mut keeping: Vec<(&str, Vec<Said<'_>>)> = Vec::new();
    for (person, said) in by_person(&all.orders) {
        let (own, unordered): (Vec<Said<'_>>, Vec<Said<'_>>) =
            said.into_iter().partition(|one| one.statement.want != Want::Free);
        let days = own.iter().map(Said::day).collect::<BTreeSet<_>>().len();
        if !person.is_empty() && days >= ORDERED_DAYS && unordered.len() * 4 <= own.len() {
            keeping.push((person, own));
        }
    }
    let against: Vec<Said<'_>> =
        all.orders.iter().filter(|one| one.statement.want == Want::Free).copied().collect();
    if keeping.len() >= all.rule.people.max(2) && keeping.len() == by_person(&all.orders).len() {
        let own: Vec<Said<'_>> = keeping.into_iter().flat_map(|(_, own)| own).collect();
        return made(&own, &against, scope_of(&own), vec![Shortfall::Rule]).into_iter().collect();
    }
    let own = |(person, own): (&str, Vec<Said<'_>>)| {
        let against: Vec<Said<'_>> =
            against.iter().filter(|one| one.work.person == person).copied().collect();
        made(&own, &against, Scope::Person(person.to_owned()), vec![Shortfall::Rule])
    };
    keeping.into_iter().filter_map(own).collect()
}

fn by_person<'a>(said: &[Said<'a>]) -> BTreeMap<&'a str, Vec<Said<'a>>> {
    let mut people: BTreeMap<&str, Vec<Said<'_>>> = BTreeMap::new();
    for one in said {
        people.entry(one.work.person).or_default().push(*one);
    }
    people
}

/// Everything that people said, to compare one thing with.
struct All<'a> {
    said: Vec<Said<'a>>,
    rule: PublishRule,
    /// Commits that people ordered, and those that nobody did.
    orders: Vec<Said<'a>>,
}

impl<'a> All<'a> {
    /// The orders of people who do not want commits without: each is another day on which he says when.
    fn orders_of(&self, own: &[Said<'_>]) -> Vec<Said<'a>> {
        let is_ban =
            |one: &Said<'_>| one.statement.act == COMMIT && one.statement.strength >= Strength::Standing;
        let people: BTreeSet<&str> =
            own.iter().filter(|one| is_ban(one)).map(|one| one.work.person).collect();
        let of_people = self.orders.iter().filter(|one| people.contains(one.work.person));
        let (ordered, unordered): (Vec<Said<'_>>, Vec<Said<'_>>) =
            of_people.copied().partition(|one| one.statement.want != Want::Free);
        if ordered.len() >= unordered.len() { ordered } else { Vec::new() }
    }

    /// Whether act and object meet as often as they would if people chose each by itself, and who names the object
    /// does not nearly always ask for the act.
    fn is_chance(&self, act: &str) -> bool {
        let mut counts = Counts::default();
        for Said { statement, .. } in &self.said {
            let (verb, object) = acts::parts(act, &statement.verb, &statement.object);
            counts.add(verb, object);
        }
        let named = counts.treated_with + counts.untreated_with;
        let is_usual = f64::from(counts.treated_with) >= USUAL * f64::from(named);
        !is_usual && stratified_tail(&[counts]) > CHANCE
    }
}

fn of_work<'a>(work: &'a SegmentRef<'a>) -> impl Iterator<Item = Said<'a>> {
    work.segment.statements.iter().map(move |statement| Said { work, statement })
}

/// All statements, with their wishes and firmness dealt anew among them.
fn exchanged<'a>(works: &'a [SegmentRef<'a>], shuffle: &mut Shuffle) -> Vec<(&'a SegmentRef<'a>, Statement)> {
    let said: Vec<Said<'a>> = works.iter().flat_map(|work| of_work(work)).collect();
    let mut verbs: Vec<(Want, &str, Strength)> = said
        .iter()
        .map(|one| (one.statement.want, one.statement.verb.as_str(), one.statement.strength))
        .collect();
    shuffle.permute(&mut verbs);
    let exchanged = said.iter().zip(verbs).map(|(one, (want, verb, strength))| {
        let told = acts::retold(verb, &one.statement.object).unwrap_or_default();
        let counts = strength > Strength::Plain || (acts::is_of_work(told.0) && !one.statement.begins);
        let (act, name) = if counts { told } else { ("", String::new()) };
        let verb = verb.to_owned();
        (one.work, Statement { want, act: act.to_owned(), name, verb, strength, ..one.statement.clone() })
    });
    exchanged.collect()
}

/// The rules about one act.
fn of_group(group: &[Said<'_>], all: &All<'_>) -> Vec<Ruled> {
    let rule = all.rule;
    let group = independent(group);
    let people = by_person(&group);
    let known = |person: &str| !person.is_empty();
    let latest: BTreeMap<&str, Side> =
        people.iter().filter_map(|(person, said)| Some((*person, settled(said)?))).collect();
    let on = |wanted: Side| latest.iter().filter(|(person, side)| known(person) && **side == wanted).count();
    let mut ruled = Vec::new();
    for wanted in [Side::For, Side::Against] {
        // Allowing what another person forbids contradicts that person too.
        let opposite = latest.iter().filter(|(person, side)| known(person) && **side != wanted).count();
        let own: Vec<Said<'_>> = people
            .iter()
            .filter(|(person, _)| latest.get(*person) == Some(&wanted))
            .flat_map(|(_, said)| since_it_holds(said, wanted))
            .collect();
        let against: Vec<Said<'_>> = group.iter().filter(|one| is_against(one, wanted)).copied().collect();
        if own.is_empty() {
            let taken_back: Vec<Said<'_>> =
                group.iter().filter(|one| side(one.statement.want) == wanted).copied().collect();
            ruled.extend(made(&taken_back, &against, Scope::Workspace, vec![Shortfall::Withdrawn]));
            continue;
        }
        if on(wanted) >= rule.people.max(2) && opposite == 0 {
            let own = with_orders(own, wanted, all);
            let scope = scope_of(&own);
            ruled.extend(made(&own, &against, scope, lacks(&own, all)));
            continue;
        }
        for (person, said) in people.iter().filter(|(person, _)| latest.get(*person) == Some(&wanted)) {
            let own = with_orders(since_it_holds(said, wanted), wanted, all);
            let mut lacking = lacks(&own, all);
            let scope = if known(person) {
                Scope::Person((*person).to_owned())
            } else {
                lacking.insert(0, Shortfall::People { found: 0, needed: rule.people.max(2) });
                Scope::Workspace
            };
            ruled.extend(made(&own, &against, scope, lacking));
        }
    }
    ruled
}

fn with_orders<'a>(mut own: Vec<Said<'a>>, wanted: Side, all: &All<'a>) -> Vec<Said<'a>> {
    if wanted == Side::Against {
        own.extend(all.orders_of(&own));
    }
    own
}

/// The statements without pasted ones.
fn independent<'a>(group: &[Said<'a>]) -> Vec<Said<'a>> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut kept = Vec::new();
    for one in group {
        let Statement { hash, words, .. } = one.statement;
        let known = seen.get(hash.as_str());
        let is_copy = known.is_some_and(|person| {
            *words >= COPIED || (*words >= COPIED_BY_ANOTHER && *person != one.work.person)
        });
        if !is_copy {
            seen.entry(hash).or_insert(one.work.person);
            kept.push(*one);
        }
    }
    kept
}

/// What one person wants in the end.
fn settled(said: &[Said<'_>]) -> Option<Side> {
    said.last().map(|one| side(one.statement.want))
}

/// What a person said for it since he last said something else.
fn since_it_holds<'a>(said: &[Said<'a>], wanted: Side) -> Vec<Said<'a>> {
    let since = said.iter().rposition(|one| side(one.statement.want) != wanted).map_or(0, |at| at + 1);
    said.get(since..).unwrap_or_default().to_vec()
}

fn is_against(one: &Said<'_>, wanted: Side) -> bool {
    side(one.statement.want) != wanted
}

/// What it lacks before a person sees it as a rule. If it lacks nothing, a person still has to agree.
fn lacks(own: &[Said<'_>], all: &All<'_>) -> Vec<Shortfall> {
    let is_firm = |one: &&Said<'_>| one.statement.strength >= Strength::Standing;
    let firm: Vec<&Said<'_>> = own.iter().filter(is_firm).collect();
    let days = |said: &[&Said<'_>]| said.iter().map(|one| one.day()).collect::<BTreeSet<_>>().len();
    let sessions = |said: &[&Said<'_>]| said.iter().map(|one| one.session()).collect::<BTreeSet<_>>().len();
    let enough = |said: &[&Said<'_>], needed: usize| {
        days(said) >= needed && sessions(said) >= needed.max(all.rule.sessions)
    };
    if enough(&firm, SAID_DAYS) {
        return vec![Shortfall::Rule];
    }
    let asked: Vec<&Said<'_>> = own.iter().collect();
    let act = own.first().map_or("", |one| one.statement.act.as_str());
    let asked_days = if acts::is_a_way(act) { SAID_DAYS } else { ASKED_DAYS };
    if enough(&asked, asked_days) {
        // The words for a way to work do not occur in other requests, and an order to commit means just that:
        // neither is tested against chance.
        let orders = own.iter().any(|one| one.statement.act == ORDERED);
        let is_chance = !acts::stands_out(act) && !orders && all.is_chance(act);
        return is_chance.then_some(Shortfall::Chance).into_iter().chain([Shortfall::Rule]).collect();
    }
    let needed = if firm.is_empty() { asked_days } else { SAID_DAYS };
    vec![Shortfall::Days { found: days(&asked).min(needed - 1), needed }, Shortfall::Rule]
}

fn scope_of(own: &[Said<'_>]) -> Scope {
    let projects: BTreeSet<&str> = own.iter().map(|one| one.work.session.project.as_str()).collect();
    match projects.into_iter().collect::<Vec<_>>().as_slice() {
        [project] if !project.is_empty() => Scope::Project((*project).to_owned()),
        _ => Scope::Workspace,
    }
}

fn made(own: &[Said<'_>], against: &[Said<'_>], scope: Scope, shortfalls: Vec<Shortfall>) -> Option<Ruled> {
    let first = own.first()?;
    let act = act_of(own)?;
    let wants: BTreeSet<Want> = own.iter().map(|one| one.statement.want).collect();
    let want = [Want::Not, Want::Ask, Want::Do].into_iter().filter(|want| wants.contains(want));
    // What may only be forbidden is not asked for, and the other way round.
    let want = want.into_iter().chain(other(&wants)).find(|want| acts::saying(*want, act).is_some())?;
    let name = (!first.statement.name.is_empty()).then(|| Template::parse_path(&first.statement.name));
    let evidence = |said: &[Said<'_>], outcome| {
        let mut evidence: Vec<Evidence> = said.iter().map(|one| one.evidence(outcome)).collect();
        evidence.sort();
        evidence
    };
    let claim = Claim::Rule { want, act: act.to_owned(), name };
    let claim =
        SupportedClaim::judged(claim, evidence(own, Outcome::Accepted), evidence(against, Outcome::Rejected));
    Some(Ruled { claim, scope, shortfalls })
}

/// The act in the statements, with the details that enough of them share.
fn act_of<'a>(own: &[Said<'a>]) -> Option<&'a str> {
    let plain = acts::plain(&own.first()?.statement.act);
    let mut days: BTreeMap<&str, (usize, BTreeSet<String>)> = BTreeMap::new();
    for one in own.iter().filter(|one| one.statement.act != plain && acts::plain(&one.statement.act) == plain)
    {
        let (said, days) = days.entry(one.statement.act.as_str()).or_default();
        *said += 1;
        days.insert(one.day());
    }
    let is_usual = |(said, days): &(usize, BTreeSet<String>)| {
        said * DETAIL_SHARE >= own.len() && days.len() >= SAID_DAYS
    };
    let detail = days.iter().filter(|(_, found)| is_usual(found)).max_by_key(|(_, (said, _))| *said);
    Some(detail.map_or(plain, |(act, _)| *act))
}

fn other(wants: &BTreeSet<Want>) -> Option<Want> {
    match wants.first() {
        Some(Want::Not) => Some(Want::Ask),
        Some(Want::Ask) => Some(Want::Not),
        _ => None,
    }
}

/// Title, lesson and trigger.
pub(in super::super) fn head(claims: &[SupportedClaim]) -> (String, String, String) {
    let Some(Claim::Rule { want, act, name }) = claims.first().map(|claim| &claim.claim) else {
        return Default::default();
    };
    let Some(saying) = acts::saying(*want, act) else { return Default::default() };
    let name = name.as_ref().map(ToString::to_string).filter(|name| is_short(name));
    let title = match (name, *want, act.as_str()) {
        (Some(name), Want::Do, "use") => format!("Use {name}"),
        (Some(name), Want::Do, "run" | "verify") => format!("Run {name}"),
        (Some(_), Want::Do, _) => saying.title.to_owned(),
        (Some(name), Want::Not, "use" | "run") => format!("Avoid {name}"),
        (Some(name), Want::Not, _) => format!("Leave {name} alone"),
        (Some(name), Want::Ask, _) => format!("Ask about {name}"),
        _ => saying.title.to_owned(),
    };
    (title, "What people want here".to_owned(), saying.when.to_owned())
}

fn is_short(name: &str) -> bool {
    name.split(' ').count() <= 2
        && name.chars().all(|char| char.is_ascii_alphanumeric() || " -.".contains(char))
}

/// What people said in a session that states the claim, in their words; nothing for claims that are no rules.
pub fn quotations(session: &Session, claim: &Claim) -> Vec<Quotation> {
    let Claim::Rule { want, act, name } = claim else { return Vec::new() };
    let name = name.as_ref().map(ToString::to_string).unwrap_or_default();
    quotation::quotations(session, *want, act, &name)
}
