//! Checks and files that name each other: `src/x/{name}.py` and `pytest tests/test_{name}.py`.
//!
//! A pattern says which check, or which other file, belongs to a file by its name or its folder. Proof: the file and the
//! check of one session fit each other more often than the file of one session and the check of another.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::session::outcome::Outcome;
use super::super::significance::Counts;
use super::super::significance::{binomial_tail, shrunk};
use super::super::template::Template;
use super::files::{split, stem};
use super::member::{Member, Run};
use super::{Proposed, Sessions, number};

/// Names that many folders have: they tell no file from another.
const COMMON_NAMES: &[&str] = &[
    "__init__", "app", "base", "common", "conftest", "index", "lib", "main", "mod", "test", "tests", "types",
    "util", "utils",
];

/// So many sessions are compared with each other.
const MOST_COMPARED: usize = 200;
/// So many files of a session are looked at.
const MOST_FILES: usize = 40;
/// This share of the sessions must fit.
const SHARE: f64 = 0.5;

/// How the name and folder of a file appear in the path of another that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Pattern {
    /// Of the edited file, with `{folder}` and `{name}`.
    edited: String,
    /// Of what belongs to it.
    theirs: String,
}

/// What a file gives a pattern's placeholders.
type Filling = (String, String);

/// The patterns that could lead from a file to a path, with the values of their placeholders.
fn patterns(file: &str, path: &str) -> Vec<(Pattern, Filling)> {
    let (folder, name) = split(file);
    let (their_folder, their_name) = split(path.trim_start_matches("./"));
    let (own, endings) = stem(name);
    let mut found = Vec::new();
    if file == path || endings.is_empty() {
        return found;
    }
    let dots = if path.starts_with("./") { "./" } else { "" };
    // The folder of the file, with or without what tells "and all below".
    let bare = path.trim_start_matches("./").trim_end_matches("/...").trim_end_matches('/');
    if !folder.is_empty() && bare == folder {
        let (_, ending) = endings.rsplit_once('.').unwrap_or_default();
        let edited = format!("{{folder}}/*.{ending}");
        let theirs = format!(
            "{dots}{{folder}}{}",
            path.trim_start_matches("./").strip_prefix(bare).unwrap_or_default()
        );
        found.push((Pattern { edited, theirs }, (folder.to_owned(), String::new())));
    }
    let is_telling = own.len() >= 3 && !COMMON_NAMES.contains(&own);
    if is_telling && let Some(named) = with_name(their_name, own) {
        let shared = shared_folders(folder, their_folder);
        let rest = |folder: &str| folder.get(shared.len()..).unwrap_or_default().to_owned();
        let place = |folder: &str, name: &str| match (shared.is_empty(), folder.is_empty()) {
            (true, true) => name.to_owned(),
            (true, false) => format!("{folder}/{name}"),
            (false, _) => format!("{{folder}}{}/{name}", rest(folder)),
        };
        let edited = place(folder, &format!("{{name}}{endings}"));
        let theirs = format!("{dots}{}", place(their_folder, &named));
        if edited != theirs {
            found.push((Pattern { edited, theirs }, (shared.to_owned(), own.to_owned())));
        }
    }
    found
}

/// The name with `{name}` for another file's, where that stands between signs.
fn with_name(name: &str, own: &str) -> Option<String> {
    let at = name.find(own)?;
    let (before, rest) = name.split_at(at);
    let after = rest.get(own.len()..)?;
    let is_end = |char: Option<char>| char.is_none_or(|char| !char.is_alphanumeric());
    (is_end(before.chars().next_back()) && is_end(after.chars().next()))
        .then(|| format!("{before}{{name}}{after}"))
}

/// The folders that both paths begin with.
fn shared_folders<'p>(one: &'p str, other: &str) -> &'p str {
    let common = one.split('/').zip(other.split('/')).take_while(|(a, b)| a == b && !a.is_empty());
    let length: usize = common.map(|(part, _)| part.len() + 1).sum();
    one.get(..length.saturating_sub(1)).unwrap_or_default()
}

impl Pattern {
    /// What belongs to a file, if it is one of the pattern's.
    fn fill(&self, file: &str) -> Option<String> {
        let (folder, name) = split(file);
        let (own, endings) = stem(name);
        let (edited_folder, edited_name) = split(&self.edited);
        if edited_name == format!("{{name}}{endings}") {
            let shared = match edited_folder.strip_prefix("{folder}") {
                Some(rest) => folder.strip_suffix(rest)?,
                None if edited_folder == folder => "",
                None => return None,
            };
            return Some(self.theirs.replace("{folder}", shared).replace("{name}", own));
        }
        let ending = edited_name.strip_prefix('*')?;
        (name.ends_with(ending) && !folder.is_empty()).then(|| self.theirs.replace("{folder}", folder))
    }

    /// The pattern for readers: a beginning that all folders share is written out.
    fn told(&self, fillings: &BTreeSet<Filling>) -> (String, String) {
        let mut folders = fillings.iter().map(|(folder, _)| folder.as_str());
        let first = folders.next().unwrap_or_default();
        let shared = folders.fold(first, |shared, folder| shared_folders(shared, folder));
        let is_one = fillings.iter().all(|(folder, _)| folder == shared);
        let folder = match (is_one, shared.is_empty()) {
            (true, _) => shared.to_owned(),
            (false, true) => "{folder}".to_owned(),
            (false, false) => format!("{shared}/{{folder}}"),
        };
        (self.edited.replace("{folder}", &folder), self.theirs.replace("{folder}", &folder))
    }
}

/// Whether two files fit a pattern as it is told: `src/{folder}/{name}.ts` and `src/{folder}/{name}.test.ts`.
pub(super) fn is_instance(told: (&str, &str), one: &str, other: &str) -> bool {
    let (edited, theirs) = told;
    patterns(one, other).iter().any(|(pattern, (folder, _))| {
        let filled = |text: &str| text.replace("{folder}", folder);
        let fits = |told: &str, own: &str| {
            let (told_folder, told_name) = split(told);
            let (own_folder, own_name) = split(own);
            let is_within = match told_folder.split_once("{folder}") {
                Some((before, after)) => own_folder.starts_with(before) && own_folder.ends_with(after),
                None => told_folder == own_folder,
            };
            told_name == own_name && is_within
        };
        fits(edited, &filled(&pattern.edited)) && fits(theirs, &filled(&pattern.theirs))
    })
}

/// One session's evidence on a pattern: the paths that its files call for, and the paths it touched.
struct Side<'m> {
    member: &'m Member<'m>,
    asked: BTreeMap<String, usize>,
    did: &'m BTreeMap<String, usize>,
    /// The first edit.
    edited: usize,
}

impl Side<'_> {
    /// The edit and what belongs to it, where the session did that.
    fn fits(&self) -> Option<(usize, usize)> {
        self.asked.iter().find_map(|(line, edited)| Some((*edited, *self.did.get(line)?)))
    }

    /// Whether the check that belongs to a file failed after the edit.
    fn caught(&self) -> bool {
        let failed = |own: &str, run: &Run<'_>| {
            let edited = named_lines(own).iter().filter_map(|line| self.asked.get(line)).min();
            edited.zip(run.failed).is_some_and(|(edited, failed)| failed > *edited)
        };
        self.member.ran.iter().any(|(own, run)| failed(own, run))
    }

    /// Whether a check ran after the edit that holds the one that belongs to a file: of a folder around it, or of all.
    fn ran_a_wider_one(&self) -> bool {
        let is_wider = |(line, edited): (&String, &usize)| {
            self.member.ran.iter().any(|(own, run)| run.last > *edited && is_wider(plain(own), line))
        };
        self.asked.iter().any(is_wider)
    }
}

/// A line without the ways in which people start the same: `./bin/test`, `python bin/test`, `python3 -m pytest`.
pub(in super::super) fn plain(line: &str) -> &str {
    let line = line.strip_prefix("./").unwrap_or(line);
    let Some((program, rest)) = line.split_once(' ') else { return line };
    if !matches!(program, "python" | "python3") {
        return line;
    }
    let is_script = |rest: &str| {
        rest.split(' ').next().is_some_and(|file| file.ends_with(".py") || file.starts_with('-'))
    };
    match rest.strip_prefix("-m ") {
        Some(module) => module,
        None if is_script(rest) => line,
        None => rest.strip_prefix("./").unwrap_or(rest),
    }
}

/// Whether a line runs what the other does for the one path that it names, and more: `pytest`, `pytest tests`.
pub(in super::super) fn is_wider(line: &str, other: &str) -> bool {
    let Some(path) = other.split(' ').skip(1).find(|word| is_path(word)) else { return false };
    let Some((before, after)) = other.split_once(path) else { return false };
    let Some(own) = line.strip_prefix(before.trim_end()) else { return false };
    let Some(own) = own.strip_suffix(after) else { return false };
    let own = own.trim().trim_end_matches("/...").trim_end_matches('/');
    own.is_empty() || path.strip_prefix(own).is_some_and(|rest| rest.starts_with('/'))
}

/// The checks that name files, with their counts.
pub(super) fn checks(sessions: &Sessions<'_>, members: &[Member<'_>]) -> Vec<Proposed> {
    let did: Vec<BTreeMap<String, usize>> = members.iter().map(named_checks).collect();
    proposed(sessions, members, &did, |edited, theirs| {
        Some(Claim::Check { edited: Template::parse_path(&edited), run: Template::parse(&theirs)? })
    })
}

/// The checks of a session that name a path, as lines, with the place of the last run.
fn named_checks(member: &Member<'_>) -> BTreeMap<String, usize> {
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for (line, run) in &member.ran {
        for line in named_lines(line) {
            let last = named.entry(line).or_default();
            *last = run.last.max(*last);
        }
    }
    named
}

/// So many paths of one line are read.
const MOST_PATHS: usize = 8;

/// The line for each path that it names: `bin/test a.py b.py` does what `bin/test a.py` does, and `bin/test b.py`.
pub(in super::super) fn named_lines(line: &str) -> Vec<String> {
    let line = plain(line);
    let words: Vec<&str> = line.split(' ').collect();
    let is_one = |at: &usize| *at > 0 && words.get(*at).is_some_and(|word| is_path(word));
    let paths: Vec<usize> = (0..words.len()).filter(is_one).collect();
    if paths.len() > MOST_PATHS {
        return Vec::new();
    }
    let with = |path: usize| {
        let others = words.iter().enumerate().filter(|(at, _)| *at == path || !paths.contains(at));
        others.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    };
    paths.iter().map(|path| with(*path)).collect()
}

fn is_path(word: &str) -> bool {
    !word.starts_with('-')
        && (word.contains('/')
            || word.rsplit_once('.').is_some_and(|(name, end)| !name.is_empty() && end.len() <= 4))
}

/// The files that belong to others, with their counts; `did` has each session's files.
pub(super) fn files(sessions: &Sessions<'_>, members: &[Member<'_>]) -> Vec<Proposed> {
    let did: Vec<BTreeMap<String, usize>> = members
        .iter()
        .map(|member| {
            member.edited.files.iter().map(|(path, (_, last))| ((*path).to_owned(), *last)).collect()
        })
        .collect();
    proposed(sessions, members, &did, |edited, theirs| {
        Some(Claim::Together { edited: Template::parse_path(&edited), also: Template::parse_path(&theirs) })
    })
}

fn proposed(
    sessions: &Sessions<'_>,
    members: &[Member<'_>],
    did: &[BTreeMap<String, usize>],
    claim: impl Fn(String, String) -> Option<Claim>,
) -> Vec<Proposed> {
    let mut seen: BTreeMap<Pattern, (BTreeSet<usize>, BTreeSet<Filling>)> = BTreeMap::new();
    for (member, did) in members.iter().zip(did) {
        for file in member.edited.files.keys().take(MOST_FILES) {
            for line in did.keys().take(MOST_FILES) {
                for word in line.split(' ').filter(|word| is_path(word)) {
                    for (pattern, filling) in patterns(file, word) {
                        let theirs = line.replacen(word, &pattern.theirs, 1);
                        let (by, fillings) = seen.entry(Pattern { theirs, ..pattern }).or_default();
                        by.insert(member.session);
                        fillings.insert(filling);
                    }
                }
            }
        }
    }
    let recurring = seen.into_iter().filter(|(_, (by, fillings))| by.len() >= 3 && fillings.len() >= 3);
    recurring
        .filter_map(|(pattern, (_, fillings))| {
            let (edited, theirs) = pattern.told(&fillings);
            judge(sessions, members, did, &pattern, claim(edited, theirs)?)
        })
        .collect()
}

/// A pattern's counts: of the sessions that edited such a file, those that did what belongs to it. It is judged by those
/// that did something of the form, held against the same files beside what other sessions did.
fn judge(
    sessions: &Sessions<'_>,
    members: &[Member<'_>],
    did: &[BTreeMap<String, usize>],
    pattern: &Pattern,
    claim: Claim,
) -> Option<Proposed> {
    let mut form = pattern.theirs.split('{');
    let (opens, closes) =
        (form.next().unwrap_or_default(), pattern.theirs.rsplit('}').next().unwrap_or_default());
    let is_of_form = |line: &String| line.starts_with(opens) && line.ends_with(closes);
    let mut sides = Vec::new();
    // The sessions that edited such a file and did nothing of the form.
    let mut idle = Vec::new();
    for (member, did) in members.iter().zip(did) {
        let files = member.edited.files.iter().take(MOST_FILES);
        let asked: Vec<(String, usize)> =
            files.filter_map(|(path, (first, _))| Some((pattern.fill(path)?, *first))).collect();
        let Some(edited) = asked.iter().map(|(_, first)| *first).min() else { continue };
        let side = Side { member, asked: asked.into_iter().collect(), did, edited };
        if did.keys().any(is_of_form) { sides.push(side) } else { idle.push(side) }
    }
    let is_check = matches!(claim, Claim::Check { .. });
    if is_check && !sides.iter().any(Side::caught) {
        return None;
    }
    let (mut support, mut against) = (Vec::new(), Vec::new());
    let mut counts = Counts::default();
    for side in &sides {
        let timeline = sessions.timelines.get(side.member.session)?;
        let fits = side.fits();
        counts.add(true, fits.is_some());
        if is_check && fits.is_none() && side.ran_a_wider_one() {
            continue;
        }
        let (edited, did) = fits.unwrap_or((side.edited, side.edited));
        let steps = [edited, did];
        let outcome = if fits.is_some() { Outcome::Accepted } else { Outcome::Rejected };
        let shown = timeline.evidence(sessions.works, &steps, outcome);
        if fits.is_some() { support.extend(shown) } else { against.extend(shown) }
    }
    let (fitting, pairs) = beside_others(&sides);
    // A form that fits well is still no rule if few of the sessions that edit such files follow it.
    if counts.treated_with * 3 < number(sides.len() + idle.len()) {
        return None;
    }
    let by_chance = f64::from(fitting) / f64::from(pairs.max(1));
    if counts.treated_rate() < SHARE || by_chance * 2.0 > counts.treated_rate() {
        return None;
    }
    let rate = shrunk((fitting, pairs), 0.1);
    let p_value = binomial_tail(counts.treated_with, counts.treated(), rate);
    let left_out = idle.iter().filter(|side| !(is_check && side.ran_a_wider_one()));
    against.extend(left_out.filter_map(|side| {
        let timeline = sessions.timelines.get(side.member.session)?;
        timeline.evidence(sessions.works, &[side.edited], Outcome::Rejected)
    }));
    counts.treated_without = number(against.len());
    support.sort();
    against.sort();
    let treated = sides.iter().map(|side| side.member.session).collect();
    let claim = SupportedClaim {
        claim,
        failures: Vec::new(),
        counts,
        p_value,
        support,
        against,
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated })
}

/// How often the files of one session fit what the next ones did, of how many pairs.
fn beside_others(sides: &[Side<'_>]) -> (u32, u32) {
    let compared: Vec<&Side<'_>> = sides.iter().take(MOST_COMPARED).collect();
    let (mut fitting, mut pairs) = (0, 0);
    for one in &compared {
        for other in compared.iter().filter(|other| other.member.session != one.member.session) {
            pairs += 1;
            fitting += u32::from(one.asked.keys().any(|line| other.did.contains_key(line)));
        }
    }
    (fitting, pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_several_paths_runs_each_of_them() {
        assert_eq!(named_lines("./bin/test a/x.py b/y.py -v"), ["bin/test a/x.py -v", "bin/test b/y.py -v"]);
        assert_eq!(named_lines("pytest tests/test_x.py"), ["pytest tests/test_x.py"]);
        assert!(named_lines("pytest -q").is_empty());
        assert!(named_lines(&format!("pytest {}", "a/x.py ".repeat(9).trim())).is_empty());
    }

    #[test]
    fn a_path_belongs_to_a_file_by_its_name_or_its_folder() {
        let of = |file: &str, path: &str| {
            let found = patterns(file, path).into_iter();
            let told: Vec<(String, String)> = found
                .map(|(pattern, filling)| {
                    assert_eq!(pattern.fill(file).as_deref(), Some(path));
                    let _ = filling;
                    (pattern.edited, pattern.theirs)
                })
                .collect();
            told
        };
        let pair = |a: &str, b: &str| vec![(a.to_owned(), b.to_owned())];
        assert_eq!(
            of("src/billing/tax.py", "tests/test_tax.py"),
            pair("src/billing/{name}.py", "tests/test_{name}.py")
        );
        assert_eq!(
            of("shop/core/tax.py", "shop/core/tests/test_tax.py"),
            pair("{folder}/{name}.py", "{folder}/tests/test_{name}.py")
        );
        assert_eq!(of("pkg/store/db.go", "./pkg/store/..."), pair("{folder}/*.go", "./{folder}/..."));
        assert_eq!(of("src/syntax.py", "tests/test_tax.py"), vec![]);
        assert_eq!(of("a/index.ts", "a/index.test.ts"), vec![]);
    }
}
