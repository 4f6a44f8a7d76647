//! The tables of a report: which rows there are, and what their numbers mean.

use crate::library::{Side, WatchedSkill};
use crate::skillify::{Claim, Later};

use super::names::Names;
use super::tally::{Against, Cost, Failed, Looked, Sources, Tally};
use super::view::{Cell, Heading, Section, percent, tenths};

/// So many rows of a table are kept: a page folds those behind the first [`MOST_ROWS`].
const MOST_KEPT: usize = 200;

const fn text(title: &'static str, least: usize) -> Heading {
    Heading { title, least: Some(least) }
}

const fn number(title: &'static str) -> Heading {
    Heading { title, least: None }
}

/// All sections but the one about persons.
pub(crate) fn all(tally: &Tally, names: &Names) -> Vec<Section> {
    vec![
        projects(tally, names),
        kinds(tally),
        commands(tally, names),
        against(tally, names),
        missed(tally, names),
        sought(tally, names),
        checks(tally, names),
        lines(tally, names),
        skills(tally, names),
    ]
}

impl Section {
    fn cut(mut self, rows: Vec<Vec<Cell>>) -> Self {
        self.total = rows.len();
        self.rows = rows.into_iter().take(MOST_KEPT).collect();
        self
    }
}

/// Those with the most first; of equals the alphabet decides.
fn ranked<'m, K: Ord, V>(
    sums: impl Iterator<Item = (K, &'m V)>,
    worth: impl Fn(&V) -> u64,
) -> Vec<(K, &'m V)> {
    let mut ranked: Vec<(K, &V)> = sums.filter(|(_, sum)| worth(sum) > 0).collect();
    ranked.sort_by(|(a, one), (b, other)| worth(other).cmp(&worth(one)).then_with(|| a.cmp(b)));
    ranked
}

fn projects(tally: &Tally, names: &Names) -> Section {
    let columns = vec![
        text("WORKSPACE", 9),
        text("REPOSITORY", 12),
        number("SESSIONS"),
        number("CALLS"),
        number("FAILED"),
        number("MINUTES"),
        number("TOKENS"),
    ];
    let rows = ranked(tally.projects.iter(), |cost| cost.sessions);
    let rows = rows.into_iter().map(|((workspace, project), cost)| {
        let project = if project.is_empty() { "unknown".to_owned() } else { names.without(project) };
        let Cost { sessions, calls, failed, seconds, input, output, .. } = *cost;
        vec![
            Cell::Text(names.without(workspace)),
            Cell::Text(project),
            Cell::Count(sessions),
            Cell::Count(calls),
            Cell::Count(failed),
            Cell::Count(seconds / 60),
            Some(input.saturating_add(output)).filter(|tokens| *tokens > 0).map_or(Cell::None, Cell::Count),
        ]
    });
    let section = Section {
        id: "repositories",
        title: "Where the work was",
        says: "Most sessions first. Minutes leave out pauses of more than ten minutes. Tokens are those read and \
               written, where clients report them.",
        columns,
        rows: Vec::new(),
        of: Vec::new(),
        total: 0,
        drawn: Some((2, None)),
        none: "No session.",
    };
    section.cut(rows.collect())
}

fn failed_cells(sum: &Failed) -> Vec<Cell> {
    let Failed { failed, passed, repairs, until, open, sources } = sum;
    // What is not run again until it passes has no end to count.
    let ends = |count: u64| if passed + open > 0 { Cell::Count(count) } else { Cell::None };
    let each = tenths(*until, *repairs).map_or(Cell::None, Cell::Tenths);
    let mut cells =
        vec![Cell::Count(*failed), ends(*passed), ends(*repairs), ends(*until), each, ends(*open)];
    cells.extend(sources_cells(sources));
    cells
}

fn sources_cells(sources: &Sources) -> [Cell; 2] {
    [Cell::Count(sources.sessions), Cell::Count(sources.people())]
}

const FAILED: [Heading; 8] = [
    number("FAILED"),
    number("PASSED"),
    number("TIMES"),
    number("CALLS"),
    number("EACH"),
    number("NEVER"),
    number("SESSIONS"),
    number("PEOPLE"),
];

fn kinds(tally: &Tally) -> Section {
    let rows = ranked(tally.kinds.iter(), |sum| sum.failed);
    let rows = rows.into_iter().map(|(kind, sum)| {
        let first = Cell::Text((*kind).to_owned());
        std::iter::once(first).chain(failed_cells(sum)).collect()
    });
    let section = Section {
        id: "failed-by-kind",
        title: "What failed, by kind",
        says: "PASSED: failures after which the same command passed, which it did so many TIMES: several failures in a row \
               end once; CALLS: the calls until then, EACH: those for one of the TIMES; \
               NEVER: failures after which it did not pass in the session. What is not run again until it passes, such \
               as an edit, and a line of which nothing tells the command that failed, is neither. Each failed call is in \
               a row; one that ran two commands may be in two.",
        columns: std::iter::once(text("KIND", 10)).chain(FAILED).collect(),
        rows: Vec::new(),
        of: Vec::new(),
        total: 0,
        drawn: Some((1, None)),
        none: "Nothing failed.",
    };
    section.cut(rows.collect())
}

/// Of commands that took as many calls the one that stayed open more often comes first; more are not told apart.
const MOST_OPEN: u64 = 1_000_000;

fn commands(tally: &Tally, names: &Names) -> Section {
    // An edit that failed is not repaired by editing until it passes.
    let rows = ranked(tally.commands.iter(), |sum| {
        sum.until.saturating_mul(MOST_OPEN) + sum.open.min(MOST_OPEN - 1)
    });
    let rows = rows.into_iter().map(|((_, what), sum)| {
        let first = Cell::Text(names.without(what));
        std::iter::once(first).chain(failed_cells(sum)).collect()
    });
    let section = Section {
        id: "failed-commands",
        title: "Most expensive failures",
        says: "Commands and tools that ran again until they passed; those that took the most CALLS first.",
        columns: std::iter::once(text("COMMAND", 12)).chain(FAILED).collect(),
        rows: Vec::new(),
        of: Vec::new(),
        total: 0,
        drawn: Some((4, None)),
        none: "Nothing failed.",
    };
    section.cut(rows.collect())
}

fn against(tally: &Tally, names: &Names) -> Section {
    let rows = ranked(tally.against.iter(), Against::all);
    let rows = rows.into_iter().map(|(act, sum)| {
        let Against { refused, with_words, stopped, corrected, sources } = sum;
        let mut cells = vec![Cell::Text(names.without(act))];
        cells.extend([refused, with_words, stopped, corrected].map(|count| Cell::Count(*count)));
        cells.extend(sources_cells(sources));
        cells
    });
    let section = Section {
        id: "objections",
        title: "Refusals and corrections",
        says: "The act that was refused (REASON: with words), after which the assistant was stopped, or that the next \
               prompt corrects; most first. What people said is not shown.",
        columns: vec![
            text("ACT", 12),
            number("REFUSED"),
            number("REASON"),
            number("STOPPED"),
            number("CORRECTED"),
            number("SESSIONS"),
            number("PEOPLE"),
        ],
        rows: Vec::new(),
        of: Vec::new(),
        total: 0,
        drawn: Some((1, Some(4))),
        none: "Nobody refused, stopped or corrected anything.",
    };
    section.cut(rows.collect())
}

fn looked_cells(looked: &Looked) -> Vec<Cell> {
    let mut cells = vec![Cell::Count(looked.times)];
    cells.extend(sources_cells(&looked.sources));
    cells
}

fn missed(tally: &Tally, names: &Names) -> Section {
    let rows =
        ranked(tally.missed.iter(), |looked| looked.sources.sessions * 1_000 + looked.times + looked.in_vain);
    let rows = rows.into_iter().map(|((project, path), looked)| {
        let mut cells = vec![Cell::Text(names.without(path)), Cell::Text(repository(project, names))];
        cells.extend([looked.times, looked.in_vain].map(Cell::Count));
        cells.extend(sources_cells(&looked.sources));
        cells
    });
    let section = Section {
        id: "missed-places",
        title: "Paths that are not there",
        says: "Paths that are not there (ABSENT), and paths below which a search found nothing (NO HIT); those of most \
               SESSIONS first. What lies below a path is a path of its own here.",
        columns: vec![
            text("PATH", 16),
            text("REPOSITORY", 10),
            number("ABSENT"),
            number("NO HIT"),
            number("SESSIONS"),
            number("PEOPLE"),
        ],
        rows: Vec::new(),
        of: Vec::new(),
        total: 0,
        drawn: Some((2, Some(3))),
        none: "Sessions found all that they looked for.",
    };
    section.cut(rows.collect())
}

fn sought(tally: &Tally, names: &Names) -> Section {
    let rows = ranked(tally.sought.iter(), |looked| looked.sources.sessions * 1_000 + looked.times);
    let rows = rows.into_iter().map(|((_, name, file), looked)| {
        let mut cells = vec![Cell::Text(names.without(name)), Cell::Text(names.without(file))];
        cells.extend(looked_cells(looked));
        cells
    });
    let section = Section {
        id: "sought-names",
        title: "Most-searched names",
        says: "Names whose declaration sessions searched for, and its file; most SESSIONS first.",
        columns: vec![
            text("NAME", 10),
            text("FILE", 16),
            number("SEARCHES"),
            number("SESSIONS"),
            number("PEOPLE"),
        ],
        rows: Vec::new(),
        of: Vec::new(),
        total: 0,
        drawn: Some((2, None)),
        none: "No name was searched for.",
    };
    section.cut(rows.collect())
}

fn repository(project: &str, names: &Names) -> String {
    let name = project.rsplit('/').next().unwrap_or_default();
    if name.is_empty() { "unknown".to_owned() } else { names.without(name) }
}

fn watched(tally: &Tally) -> impl Iterator<Item = &WatchedSkill> {
    tally.skills.iter().flat_map(|published| &published.skills)
}

fn sum(before: Later, after: Later) -> Later {
    Later {
        followed: before.followed + after.followed,
        followed_well: before.followed_well + after.followed_well,
        followed_ill: before.followed_ill + after.followed_ill,
        broken: before.broken + after.broken,
        broken_well: before.broken_well + after.broken_well,
        broken_ill: before.broken_ill + after.broken_ill,
    }
}

fn checks(tally: &Tally, names: &Names) -> Section {
    let lines = watched(tally).flat_map(|skill| skill.lines.iter().map(move |line| (skill, line)));
    let checks = lines.filter_map(|(skill, line)| match &line.claim {
        Claim::Check { edited, run } => {
            Some(((edited.to_string(), run.told(), skill.name.as_str()), sum(line.before, line.after)))
        }
        _ => None,
    });
    let checks: Vec<((String, String, &str), Later)> = checks.collect();
    let ranked = ranked(checks.iter().map(|(key, later)| (key, later)), |later| later.broken);
    let of = ranked.iter().map(|((_, _, skill), _)| names.without(skill)).collect();
    let rows = ranked.into_iter().map(|((edited, run, _), later)| {
        let percent = percent(later.broken, later.met()).map_or(Cell::None, Cell::Count);
        vec![
            Cell::Text(names.without(edited)),
            Cell::Text(names.without(run)),
            Cell::Count(later.met()),
            Cell::Count(later.broken),
            percent,
        ]
    });
    let section = Section {
        id: "missed-checks",
        title: "Missed checks",
        says: "Sessions that edited such files and did not run this very check after, of the checks that published \
               skills say. Where a check names no file, a session that ran something else, which may hold the check, has \
               MISSED it here; a skill's own page leaves such sessions out. Work that loaded a skill counts here, and is \
               no evidence on a skill's page.",
        columns: vec![
            text("EDITED", 14),
            text("CHECK", 14),
            number("SESSIONS"),
            number("MISSED"),
            number("%"),
        ],
        rows: Vec::new(),
        of,
        total: 0,
        drawn: Some((3, None)),
        none: "No session missed a check of a published skill.",
    };
    section.cut(rows.collect())
}

/// A line, its skill and its count; what sessions showed of it before the skill was published, and after.
type Said<'t> = ((String, &'t str, &'static str), (Later, Later));

fn lines(tally: &Tally, names: &Names) -> Section {
    let others = watched(tally).flat_map(|skill| skill.lines.iter().map(move |line| (skill, line)));
    let others = others.filter(|(_, line)| !matches!(line.claim, Claim::Check { .. }));
    let others: Vec<Said<'_>> = others
        .map(|(skill, line)| {
            let key = (line.claim.told(), skill.name.as_str(), line.claim.unheeded());
            (key, (line.before, line.after))
        })
        .collect();
    let worth = |(before, after): &(Later, Later)| {
        if after.met() > 0 { 1_000_000 + after.broken } else { before.broken + before.met() }
    };
    let ranked = ranked(others.iter().map(|(key, later)| (key, later)), worth);
    let of = ranked.iter().map(|((_, skill, _), _)| names.without(skill)).collect();
    let rows = ranked.into_iter().map(|((line, _, unheeded), (before, after))| {
        let told = |later: &Later| match later.met() {
            0 => [Cell::None, Cell::None],
            met => [met, later.broken].map(Cell::Count),
        };
        let texts = [Cell::Text(names.without(line)), Cell::Text((*unheeded).to_owned())];
        texts.into_iter().chain(told(before)).chain(told(after)).collect()
    });
    let section = Section {
        id: "lines",
        title: "How sessions followed published skills",
        says: "Sessions that met a line's situation, before the skill was published and after; DID SO: those of them that \
               did what stands under COUNTED, which who has read the line need not do. A path counts with all that lies \
               below it, and with the sessions that found it; a skill's own lines count those that mining took as \
               proof, and no work that loaded a skill.",
        columns: vec![
            text("LINE", 20),
            text("COUNTED", 16),
            number("BEFORE"),
            number("DID SO"),
            number("AFTER"),
            number("DID SO"),
        ],
        rows: Vec::new(),
        of,
        total: 0,
        drawn: None,
        none: "No session met the situation of a published line.",
    };
    section.cut(rows.collect())
}

fn skills(tally: &Tally, names: &Names) -> Section {
    let mut rows = Vec::new();
    for skill in watched(tally) {
        for (when, side) in
            [("before", skill.before), ("after, with it", skill.with), ("after, without", skill.without)]
        {
            if side.sessions > 0 {
                rows.push(side_cells(&names.without(&skill.name), when, &side));
            }
        }
    }
    let section = Section {
        id: "skills",
        title: "Effect of published skills",
        says: "Sessions that met the situation of one of a skill's lines, and what each cost on average: before it was published, and later with the \
               skill loaded and without. Minutes are those from the first event to the last.",
        columns: vec![
            text("SKILL", 14),
            text("SESSIONS THAT MET IT", 14),
            number("NUMBER"),
            number("FAILED"),
            number("CALLS"),
            number("MINUTES"),
        ],
        rows: Vec::new(),
        of: Vec::new(),
        total: 0,
        drawn: None,
        none: "No session met the situation of a published skill.",
    };
    let total = rows.len();
    Section { rows, total, ..section }
}

fn side_cells(skill: &str, when: &str, side: &Side) -> Vec<Cell> {
    let mean = |sum: u64| tenths(sum, side.sessions).map_or(Cell::None, Cell::Tenths);
    vec![
        Cell::Text(skill.to_owned()),
        Cell::Text(when.to_owned()),
        Cell::Count(side.sessions),
        mean(side.failures),
        mean(side.tool_calls),
        mean(side.seconds / 60),
    ]
}

/// The section about persons.
pub(crate) fn persons(tally: &Tally) -> Section {
    let rows = ranked(tally.people.iter(), |cost| cost.sessions);
    let rows = rows.into_iter().map(|(person, cost)| {
        let person = if person.is_empty() { "unknown".to_owned() } else { person.clone() };
        let Cost { sessions, calls, failed, refused, stopped, seconds, .. } = *cost;
        let counts = [sessions, calls, failed, refused, stopped, seconds / 60].map(Cell::Count);
        std::iter::once(Cell::Text(person)).chain(counts).collect()
    });
    let section = Section {
        id: "people",
        title: "Who",
        says: "Cost of each person's sessions; most SESSIONS first.",
        columns: vec![
            text("PERSON", 14),
            number("SESSIONS"),
            number("CALLS"),
            number("FAILED"),
            number("REFUSED"),
            number("STOPPED"),
            number("MINUTES"),
        ],
        rows: Vec::new(),
        of: Vec::new(),
        total: 0,
        drawn: Some((1, None)),
        none: "No session.",
    };
    let rows: Vec<Vec<Cell>> = rows.collect();
    let total = rows.len();
    Section { rows, total, ..section }
}
