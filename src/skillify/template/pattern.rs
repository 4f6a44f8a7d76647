//! Patterns: words that vary, with parameters for the part that does.
//!
//! A word is made of parts that stand at boundaries: `TARGET=api`, `HEAD:release/api`, `api_spec.rb`. The
//! parts that all the words begin and end with stay, and the parameter is what is left between them. A shared
//! beginning that ends at no boundary is an accident (`invoice`, `import`), and so is one within a number, a
//! version or a date.

use std::collections::BTreeSet;
use std::fmt;

use super::super::withheld_text;
use super::boundary::{NAME_BOUNDARIES, is_sign, joint_before, number_at, shared_beginning, shared_ending};
use super::parameter::{Kind, Parameter, is_address};
use super::version::version_in;
use crate::shell::command::looks_like_file;
use crate::shell::flag::{flag_key, is_flag};

/// Literal texts and parameters in turn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::skillify) struct Pattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Text(String),
    Parameter(Parameter),
}

/// What fills the parameters of a template in one run.
#[derive(Default)]
pub(in crate::skillify) struct Filled<'w>(Vec<(Parameter, &'w str)>);

/// Numbers the parameters of one template: parameters that the same fills in every run are one.
#[derive(Default)]
pub(in crate::skillify) struct Numbering<'w>(Vec<(Kind, Vec<&'w str>)>);

/// A part of a pattern before its parameters are numbered: a parameter with what fills it in each run.
enum Drafted<'w> {
    Text(&'w str),
    Parameter(Kind, Vec<&'w str>),
}

impl<'w> Numbering<'w> {
    pub(in crate::skillify) fn parameter(&mut self, kind: Kind, values: Vec<&'w str>) -> Parameter {
        let own = |(other, _): &&(Kind, Vec<&str>)| *other == kind;
        let known = self.0.iter().filter(own).position(|(_, known)| *known == values);
        let number = known.unwrap_or_else(|| self.0.iter().filter(own).count()) + 1;
        if known.is_none() {
            self.0.push((kind, values));
        }
        Parameter { kind, number: u8::try_from(number).unwrap_or(u8::MAX) }
    }
}

impl<'w> Filled<'w> {
    fn put(&mut self, parameter: Parameter, text: &'w str) -> bool {
        let agrees = |(other, filled): &(Parameter, &str)| *other != parameter || *filled == text;
        let fits = parameter.kind.admits(text) && self.0.iter().all(agrees);
        if fits {
            self.0.push((parameter, text));
        }
        fits
    }
}

impl Pattern {
    /// The pattern of the words in one column, one word a run; `None` if no parameter fits them all.
    pub(in crate::skillify) fn of<'w>(words: &[&'w str], numbering: &mut Numbering<'w>) -> Option<Self> {
        let drafted = with_version(words).or_else(|| at_joints(words)).or_else(|| whole(words))?;
        let parts = drafted.into_iter().map(|part| match part {
            Drafted::Text(text) => Part::Text(text.to_owned()),
            Drafted::Parameter(kind, values) => Part::Parameter(numbering.parameter(kind, values)),
        });
        Some(Self(parts.filter(|part| *part != Part::Text(String::new())).collect()))
    }

    /// A text, a parameter and a text.
    pub(in crate::skillify) fn around(before: &str, parameter: Parameter, after: &str) -> Self {
        let parts = [Part::Text(before.to_owned()), Part::Parameter(parameter), Part::Text(after.to_owned())];
        Self(parts.into_iter().filter(|part| *part != Part::Text(String::new())).collect())
    }

    /// The pattern that prints like this word; `None` if it has no parameter.
    pub(in crate::skillify) fn parse(word: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = word;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let parameter = after
                .split_once('}')
                .and_then(|(parameter, rest)| Some((Parameter::parse(parameter)?, rest)));
            let Some((parameter, after)) = parameter else {
                text.push('{');
                rest = after;
                continue;
            };
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(Part::Parameter(parameter));
            rest = after;
        }
        text.push_str(rest);
        if parts.is_empty() {
            return None;
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Some(Self(parts))
    }

    /// With a text before it.
    pub(in crate::skillify) fn after(self, text: &str) -> Self {
        let mut parts = self.0;
        match parts.first_mut() {
            Some(Part::Text(first)) => first.insert_str(0, text),
            _ if !text.is_empty() => parts.insert(0, Part::Text(text.to_owned())),
            _ => {}
        }
        Self(parts)
    }

    /// Whether the word has this form, with what else fills the template's parameters.
    pub(in crate::skillify) fn matches<'w>(&self, word: &'w str, filled: &mut Filled<'w>) -> bool {
        fits(&self.0, word, filled)
    }

    /// What the words begin with, `""` if that varies.
    pub(in crate::skillify) fn beginning(&self) -> &str {
        match self.0.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// Its parameters.
    pub(in crate::skillify) fn parameters(&self) -> impl Iterator<Item = Parameter> {
        self.0
            .iter()
            .filter_map(|part| if let Part::Parameter(parameter) = part { Some(*parameter) } else { None })
    }

    /// As it stands in a path, where nothing is quoted.
    pub(in crate::skillify) fn unquoted(&self) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Parameter(parameter) => parameter.to_string(),
        });
        parts.collect()
    }
}

fn fits<'w>(parts: &[Part], word: &'w str, filled: &mut Filled<'w>) -> bool {
    match parts {
        [] => word.is_empty(),
        [Part::Text(text), rest @ ..] => {
            word.strip_prefix(text.as_str()).is_some_and(|word| fits(rest, word, filled))
        }
        [Part::Parameter(parameter)] => filled.put(*parameter, word),
        [Part::Parameter(parameter), rest @ ..] => {
            let Some(Part::Text(next)) = rest.first() else { return false };
            word.match_indices(next.as_str()).any(|(at, _)| {
                let (own, theirs) = word.split_at(at);
                let before = filled.0.len();
                let fits = filled.put(*parameter, own) && fits(rest, theirs, filled);
                if !fits {
                    filled.0.truncate(before);
                }
                fits
            })
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.unquoted();
        let plain = |char: char| char.is_alphanumeric() || "-_./:=@%+,~^{}".contains(char);
        if self.parameters().all(|parameter| parameter.kind != Kind::Text) && text.chars().all(plain) {
            return f.write_str(&text);
        }
        let key = text.find('=').and_then(|at| text.get(..=at)).filter(|key| key.chars().all(plain));
        let key = key.filter(|key| !key.contains(['{', '}'])).unwrap_or_default();
        write!(f, "{key}\"{}\"", text.strip_prefix(key).unwrap_or(&text))
    }
}

/// `v{version}` for words that differ in their version alone.
fn with_version<'w>(words: &[&'w str]) -> Option<Vec<Drafted<'w>>> {
    let around = version_in(words.first()?)?;
    if !words.iter().all(|word| version_in(word) == Some(around)) {
        return None;
    }
    let (before, after) = around;
    let versions: Vec<&str> =
        words.iter().filter_map(|word| word.strip_prefix(before)?.strip_suffix(after)).collect();
    let before = words.first()?.get(..before.len())?;
    let after = words.first()?.get(words.first()?.len() - after.len()..)?;
    let is_version = before.ends_with('v') || !versions.iter().all(|version| is_address(version));
    (is_version && prints(before) && prints(after)).then(|| {
        vec![Drafted::Text(before), Drafted::Parameter(Kind::Version, versions), Drafted::Text(after)]
    })
}

/// What the words begin and end with up to a boundary, and a parameter between.
fn at_joints<'w>(words: &[&'w str]) -> Option<Vec<Drafted<'w>>> {
    if words.iter().any(|word| word.contains(char::is_whitespace)) {
        return None;
    }
    let distinct = words.iter().collect::<BTreeSet<_>>().len();
    let by_name = distinct > 2 || words.iter().all(|word| looks_like_file(word));
    between(words, by_name)
}

/// [`at_joints`]; at those within names as well if `by_name`.
fn between<'w>(words: &[&'w str], by_name: bool) -> Option<Vec<Drafted<'w>>> {
    let first = *words.first()?;
    let shared = shared_beginning(words);
    let cuts = [
        number_at(words, shared),
        joint_before(words, shared, by_name, is_sign),
        joint_before(words, shared, false, |char| is_sign(char) && char != '/'),
    ];
    let is_number = |at: usize| cuts.first().is_some_and(|cut| *cut == Some(at));
    for at in cuts.into_iter().flatten() {
        let (before, rests) = (first.get(..at)?, cut_off(words, at));
        let after = shared_ending(&rests, by_name).unwrap_or_default();
        let middles: Vec<&str> = rests.iter().filter_map(|rest| rest.strip_suffix(after)).collect();
        if !(prints(before) && prints(after)) {
            continue;
        }
        if let Some(drafted) = led_by_a_number(before, &middles, after) {
            return Some(drafted);
        }
        // Where folders vary, the path does as a whole.
        let (middles, after) =
            if middles.iter().any(|middle| middle.contains('/')) { (rests, "") } else { (middles, after) };
        if middles.iter().any(|middle| middle.contains('/')) && before.ends_with('/') {
            continue;
        }
        let kind = Kind::of_all(&middles).filter(|kind| !is_number(at) || *kind == Kind::Number);
        let Some(kind) = kind else { continue };
        let kind = if kind == Kind::Path && before.ends_with('/') { Kind::Name } else { kind };
        return Some(vec![Drafted::Text(before), Drafted::Parameter(kind, middles), Drafted::Text(after)]);
    }
    None
}

/// `{number}__{name}`: each begins with a number or a hash that ends at a boundary.
fn led_by_a_number<'w>(before: &'w str, words: &[&'w str], after: &'w str) -> Option<Vec<Drafted<'w>>> {
    let is_joint = |char: char| NAME_BOUNDARIES.contains(&char);
    let split = |word: &'w str| -> Option<(&'w str, &'w str)> {
        let (lead, rest) = word.split_at_checked(word.find(is_joint)?)?;
        let goes_on = rest.trim_start_matches(is_joint).starts_with(|char: char| !char.is_ascii_digit());
        goes_on.then_some((lead, rest))
    };
    let (leads, rests): (Vec<&str>, Vec<&str>) =
        words.iter().map(|word| split(word)).collect::<Option<Vec<_>>>()?.into_iter().unzip();
    let lead = Kind::of_all(&leads).filter(|kind| matches!(kind, Kind::Number | Kind::Sha))?;
    let first = *rests.first()?;
    let all_equal = rests.iter().all(|rest| *rest == first);
    let mut drafted = vec![Drafted::Text(before), Drafted::Parameter(lead, leads)];
    if all_equal {
        drafted.push(Drafted::Text(first));
    } else {
        let boundary = first.len() - first.trim_start_matches(is_joint).len();
        let same = rests.iter().all(|rest| rest.get(..boundary) == first.get(..boundary));
        let going_on = between(&rests, true).filter(|_| same)?;
        // Two parameters with nothing between them would not tell what fills which.
        if !matches!(going_on.first(), Some(Drafted::Text(text)) if !text.is_empty()) {
            return None;
        }
        drafted.extend(going_on);
    }
    drafted.push(Drafted::Text(after));
    Some(drafted)
}

/// A parameter for whole words, behind the option that they are values of.
fn whole<'w>(words: &[&'w str]) -> Option<Vec<Drafted<'w>>> {
    let first = *words.first()?;
    let key = flag_key(first);
    let is_key = |key: &str| !key.contains(char::is_whitespace) && prints(key);
    let shared = key.ends_with('=') && is_key(key) && words.iter().all(|word| word.starts_with(key));
    let key = if shared { key } else { "" };
    if key.is_empty() && words.iter().any(|word| is_flag(word)) {
        return None;
    }
    let values = cut_off(words, key.len());
    Some(vec![Drafted::Text(key), Drafted::Parameter(Kind::of_all(&values)?, values)])
}

fn cut_off<'w>(words: &[&'w str], at: usize) -> Vec<&'w str> {
    words.iter().filter_map(|word| word.get(at..)).collect()
}

/// Whether a text can stand beside a parameter: it reads back as it is, and may be shown at all.
fn prints(text: &str) -> bool {
    text.is_empty()
        || !text.contains(['"', '\\', '$', '`', '!', '{', '}', '\n'])
            && !withheld_text::names_a_host(text)
            && withheld_text::objection(text).is_none()
}

#[cfg(test)]
mod tests {
    use super::super::Template;
    use crate::shell::command::{Command, commands};

    fn template(lines: &[&str]) -> Option<String> {
        let commands: Vec<Command> = lines.iter().map(|line| commands(line).remove(0).command).collect();
        let template = Template::of(&commands.iter().collect::<Vec<_>>())?;
        let parsed = Template::parse(&template.to_string());
        assert_eq!(parsed.as_ref(), Some(&template), "it reads back as it prints");
        assert!(commands.iter().all(|command| template.matches(command)), "{template} matches its own");
        Some(template.to_string())
    }

    #[test]
    fn a_hole_stands_for_the_part_of_a_word_that_varies() {
        for (lines, expected) in [
            (["make fit TARGET=ui", "make fit TARGET=db", "make fit TARGET=ci"], "make fit TARGET={name}"),
            (["tf -var unit=a x", "tf -var unit=b x", "tf -var unit=c x"], "tf -var unit={name} x"),
            (["h up --set a.b=x", "h up --set a.b=y", "h up --set a.b=z"], "h up --set a.b={name}"),
            (["go do -u=a up", "go do -u=b up", "go do -u=c up"], "go do -u={name} up"),
            (["tool run unit-ui", "tool run unit-db", "tool run unit-ci"], "tool run unit-{name}"),
            (["tool run app:ui", "tool run app:db", "tool run app:ci"], "tool run app:{name}"),
            (
                ["git push origin HEAD:rel/a", "git push origin HEAD:rel/b", "git push origin HEAD:rel/b"],
                "git push origin HEAD:rel/{name}",
            ),
            (
                ["t run file://u/a/x.bin", "t run file://u/b/x.bin", "t run file://u/c/x.bin"],
                "t run file://u/{name}/x.bin",
            ),
            (["p -F @acme/ui go", "p -F @acme/db go", "p -F @acme/ci go"], "p -F @acme/{name} go"),
            (["rspec m/a_spec.rb", "rspec m/b_spec.rb", "rspec m/b_spec.rb"], "rspec m/{name}_spec.rb"),
            (
                ["mix test a_test.exs", "mix test b_test.exs", "mix test c_test.exs"],
                "mix test {name}_test.exs",
            ),
            (
                [
                    "kubectl --context eu apply -k x",
                    "kubectl --context us apply -k x",
                    "kubectl --context ap apply -k x",
                ],
                "kubectl --context {name} apply -k x",
            ),
            (
                [
                    "terraform -chdir=envs/a plan",
                    "terraform -chdir=envs/b plan",
                    "terraform -chdir=envs/c plan",
                ],
                "terraform -chdir=envs/{name} plan",
            ),
            (["bazel run //ui/...", "bazel run //db/...", "bazel run //ci/..."], "bazel run //{name}/..."),
            (
                ["git checkout -b backport/12", "git checkout -b backport/13", "git checkout -b backport/7"],
                "git checkout -b backport/{number}",
            ),
            (["t run py39 now", "t run py310 now", "t run py311 now"], "t run py{number} now"),
            (
                ["kubectl scale deploy/ui", "kubectl scale deploy/db", "kubectl scale deploy/db"],
                "kubectl scale deploy/{name}",
            ),
            (
                ["t d --tests '*AbRepoIT'", "t d --tests '*CdRepoIT'", "t d --tests '*EfRepoIT'"],
                "t d --tests \"*{name}RepoIT\"",
            ),
            (
                ["mvn x -Dtest=abTest", "mvn x -Dtest=cdTest", "mvn x -Dtest=efTest"],
                "mvn x -Dtest={name}Test",
            ),
            (["t d TestAb now", "t d TestCd now", "t d TestAd now"], "t d Test{name} now"),
            (["t d 'a b/x'", "t d 'c d/x'", "t d 'e/x'"], "t d \"{text}\""),
            (["t d --x='a b'", "t d --x=c", "t d --x=e"], "t d --x=\"{text}\""),
            (["t d --tests '*AT'", "t d --tests '*BT'", "t d --tests 'CT'"], "t d --tests {name}"),
        ] {
            assert_eq!(template(&lines).as_deref(), Some(expected));
        }
    }

    #[test]
    fn an_accident_is_no_part_of_a_word() {
        for (lines, expected) in [
            (["git switch fix-login-page", "git switch fix-login-form"], "git switch {name}"),
            (["t run invoice now", "t run import now"], "t run {name} now"),
            (["t run v1.2 now", "t run v1.3 now"], "t run v{version} now"),
            (["t flash 10.0.0.5 now", "t flash 10.0.1.7 now"], "t flash {name} now"),
            (["t at 10:30 now", "t at 10:45 now"], "t at {name} now"),
            (["t month 2026-10 now", "t month 2026-11 now"], "t month {name} now"),
            (["curl -X PUT https://a.io/x", "curl -X PUT https://a.io/y"], "curl -X PUT {name}"),
            (["t read /home/ann/a.md", "t read /home/bo/a.md"], "t read {path}"),
        ] {
            assert_eq!(template(&lines).as_deref(), Some(expected));
        }
    }

    #[test]
    fn holes_say_what_fills_them_and_which_of_them_hold_the_same() {
        for (lines, expected) in [
            (["t d --on 2026-10-01", "t d --on 2026-11-12"], "t d --on {date}"),
            (["t d --at 2026-10-01T10:00", "t d --at 2026-11-12T08:30"], "t d --at {date}"),
            (["t d --port 5432", "t d --port 80"], "t d --port {number}"),
            (["t d --sha 1a2b3c4", "t d --sha 9876543"], "t d --sha {sha}"),
            (["t d --sha defaced", "t d --sha 9876543"], "t d --sha {name}"),
            (["t move a b all", "t move c d all"], "t move {name} {name2} all"),
            (["t move a a all", "t move c c all"], "t move {name} {name} all"),
            (
                ["git tag v1.0 -m 'R 1.0' x", "git tag v1.1 -m 'R 1.1' x"],
                "git tag v{version} -m \"R {version}\" x",
            ),
        ] {
            assert_eq!(template(&lines).as_deref(), Some(expected));
        }
        let same = Template::parse("t move {name} {name} all").unwrap();
        assert!(same.is_run_by("t move a a all") && !same.is_run_by("t move a b all"));
        let other = Template::parse("t move {name} {name2} all").unwrap();
        assert!(other.is_run_by("t move a a all") && other.is_run_by("t move a b all"));
        assert!(Template::parse("t {name1} {name02} {names}").unwrap().is_literal());
    }
}
