//! Names, titles, descriptions and triggers: what a person reads before the skill itself.
//!
//! A name is verb and object in two to four words; a title is a phrase that a person would say; a
//! description says what the skill teaches and then when to use it.

use std::collections::BTreeSet;

use super::super::claim::topic::Topic;
use super::super::claim::unwanted::Unwanted;
use super::super::claim::{COMMIT, Claim, SupportedClaim};
use super::super::kind::rule;
use super::super::template::Template;
use super::propose::Material;
use super::sentences::{enumerated, one_sentence};
use crate::shell::command::single;
use crate::shell::family::Family;

/// How long a description may be; the format allows 1024 characters.
const DESCRIPTION: usize = 600;
/// How many situations a description names.
const SITUATIONS: usize = 3;
/// How many names of things a description lists that one may look for.
const LOOKED_FOR: usize = 6;
/// How many words of the thing a title has.
const THINGS: usize = 2;

/// The head of a skill.
pub(in crate::skillify) struct Named {
    pub(in crate::skillify) name: String,
    pub(in crate::skillify) title: String,
    pub(in crate::skillify) description: String,
    pub(in crate::skillify) when_to_use: Vec<String>,
}

/// The head of the skill that is made of this material.
pub(in crate::skillify) fn of(material: &Material) -> Named {
    match &material.topic {
        Topic::Work => of_work(material),
        topic => of_topic(topic, material),
    }
}

/// A procedure is called as people ask for it.
fn of_work(material: &Material) -> Named {
    let title = asked_for(material);
    let teaches = match steps(material) {
        1 => "One step that this work needs here.".to_owned(),
        steps => format!("The {steps} steps of this work here, in order."),
    };
    let when = format!("asked to {}", lower_first(&title));
    Named {
        name: slug(&title),
        description: described(&format!("{title}: {}", lower_first(&teaches)), std::slice::from_ref(&when)),
        when_to_use: vec![format!("When {when}.")],
        title,
    }
}

fn steps(material: &Material) -> usize {
    material.claims.iter().filter(|claim| claim.claim.is_step()).count()
}

/// "Release the billing service": verb and things, as most prompts have them.
fn asked_for(material: &Material) -> String {
    let things: Vec<&str> = material.words.iter().take(THINGS).map(String::as_str).collect();
    let things = things.join(" ");
    match material.verbs.first() {
        Some(verb) if things.is_empty() => capitalised(verb),
        Some(verb) => format!("{} {things}", capitalised(verb)),
        None if things.is_empty() => String::new(),
        None => format!("Work on {things}"),
    }
}

fn of_topic(topic: &Topic, material: &Material) -> Named {
    let claims = &material.claims;
    let project = material.project.rsplit('/').next().unwrap_or_default();
    let (title, teaches, before) = head_of(topic, claims, project);
    // One lesson says best itself what it teaches.
    let teaches = one_sentence(claims).unwrap_or(teaches);
    let failing = failing(claims);
    let mut when = if before.is_empty() { Vec::new() } else { vec![before] };
    if matches!(topic, Topic::Tests | Topic::Lint | Topic::Types | Topic::Build)
        && let Some(edited) = edited(claims)
    {
        if claims.iter().all(|claim| matches!(claim.claim, Claim::Check { .. })) {
            when.clear();
        }
        when.push(edited);
    }
    let run = run_with_care(claims);
    if !run.is_empty() && *topic != Topic::Lint {
        when.push(format!("before running {}", enumerated(&run, "or")));
    }
    when.extend(failing);
    let mut when_to_use: Vec<String> = when.iter().map(|when| format!("{}.", capitalised(when))).collect();
    let asked = asked_for(material);
    if !material.verbs.is_empty() && !material.words.is_empty() {
        when_to_use.push(format!("When asked to {}.", lower_first(&asked)));
        when.push(format!("when asked to {}", lower_first(&asked)));
    }
    Named { name: slug(&title), description: described(&teaches, &when), when_to_use, title }
}

/// How a skill begins: its title; what it teaches, without a full stop; when to think of it, `""` where only its claims say
/// so.
type Head = (String, String, String);

fn head_of(topic: &Topic, claims: &[SupportedClaim], project: &str) -> Head {
    let of_project = if project.is_empty() { String::new() } else { format!("{project} ") };
    match topic {
        Topic::Rule => rule::head(claims),
        Topic::Task(task) => {
            (format!("Run {task}"), format!("What `{task}` needs here"), format!("before running `{task}`"))
        }
        Topic::Work => Head::default(),
        Topic::Changes | Topic::Files | Topic::Locations | Topic::Commands => {
            head_of_changes(topic, claims, &of_project)
        }
        Topic::Tests
        | Topic::Lint
        | Topic::Types
        | Topic::Build
        | Topic::Dependencies
        | Topic::VersionControl
        | Topic::Forge(_) => head_of_tools(topic, claims, project, &of_project),
    }
}

/// Of topics that are about tools of a project.
fn head_of_tools(topic: &Topic, claims: &[SupportedClaim], project: &str, of_project: &str) -> Head {
    // The tests of pytest are not what pytest runs.
    let is_a_runner = single(project).is_some_and(|program| program.family() == Family::Test);
    let of_tests = if is_a_runner { format!("{project} project ") } else { of_project.to_owned() };
    let kind = kind_of_tests(topic, claims);
    match topic {
        Topic::Tests => (
            format!("Run the {of_tests}{kind}tests"),
            format!("How the {of_tests}{kind}tests run here"),
            match project {
                "" => format!("before running {kind}tests"),
                project => format!("before running {kind}tests in the {project} checkout"),
            },
        ),
        Topic::Lint => (
            format!("Pass the {of_project}linter"),
            "What lint and format need here".to_owned(),
            match () {
                // What to do about a failure is wanted when it comes.
                () if claims.iter().all(|claim| matches!(claim.claim, Claim::Repair { .. })) => "",
                () => "before linting or formatting",
            }
            .to_owned(),
        ),
        Topic::Types => (
            format!("Check the {of_project}types"),
            "How types are checked here".to_owned(),
            "before checking types".to_owned(),
        ),
        Topic::Build => (
            format!(
                "Build {}",
                if project.is_empty() { "the project".to_owned() } else { project.to_owned() }
            ),
            "How the project is built here".to_owned(),
            "before a build".to_owned(),
        ),
        Topic::Dependencies => (
            format!("Install {of_project}dependencies"),
            "How dependencies are installed here".to_owned(),
            "before installing packages".to_owned(),
        ),
        Topic::VersionControl => (
            format!("Work with the {of_project}repository"),
            "How git is used here".to_owned(),
            "before a git command that changes anything".to_owned(),
        ),
        Topic::Forge(program) => (
            format!(
                "Use {program}{}",
                if project.is_empty() { String::new() } else { format!(" for {project}") }
            ),
            format!("How `{program}` is used here"),
            format!("before running `{program}`"),
        ),
        _ => Head::default(),
    }
}

/// Of topics that are about changes, files and commands.
fn head_of_changes(topic: &Topic, claims: &[SupportedClaim], of_project: &str) -> Head {
    match topic {
        Topic::Changes => (
            changes(claims, of_project),
            match () {
                () if run_with_care(claims).is_empty() => "Which checks belong to which files",
                () if edited(claims).is_none() => "How the checks run here",
                () => "Which checks belong to which files, and how to run them",
            }
            .to_owned(),
            before_a_change_is_done(claims),
        ),
        Topic::Files => (
            format!("Change {of_project}files together"),
            "Which files change together".to_owned(),
            edited(claims).unwrap_or_else(|| "before saying that a change is complete".to_owned()),
        ),
        Topic::Locations => (
            format!("Find the {of_project}code"),
            "Where things are in this repository".to_owned(),
            before_searching(claims),
        ),
        Topic::Commands => (
            only_replacement(claims)
                .or_else(|| failing_ones(claims, of_project))
                .unwrap_or_else(|| format!("Use the right {of_project}commands")),
            "Which commands to use here, and which not".to_owned(),
            before_unwanted(claims),
        ),
        _ => Head::default(),
    }
}

/// "Check Go changes with mise": the language of the files and the program of the checks, where all have one.
fn changes(claims: &[SupportedClaim], of_project: &str) -> String {
    let verb = if only_build(claims) { "Build after" } else { "Check" };
    let only = |mut all: BTreeSet<String>| if all.len() == 1 { all.pop_first() } else { None };
    // A build of some files does not name the language of other checked files.
    let is_beside = |run: &Template| verb == "Check" && builds(run);
    let edited = claims.iter().filter_map(|claim| match &claim.claim {
        Claim::Check { edited, run } if !is_beside(run) => Some(edited.to_string()),
        Claim::Asked { edited, .. } => Some(edited.to_string()),
        _ => None,
    });
    let language = |path: String| {
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending).to_owned();
        LANGUAGES.iter().find(|(own, _)| *own == ending).map_or(ending, |(_, name)| (*name).to_owned())
    };
    let language =
        only(edited.map(language).collect()).filter(|name| LANGUAGES.iter().any(|(_, own)| own == name));
    let told = claims.iter().filter(|claim| match &claim.claim {
        Claim::Leftover { .. } => false,
        Claim::Check { run, .. } => !is_beside(run),
        _ => true,
    });
    let checks = told.filter_map(|claim| claim.claim.about().or_else(|| claim.claim.asks_for()));
    let program =
        only(checks.map(|run| run.to_string().split(' ').next().unwrap_or_default().to_owned()).collect());
    let is_name = |name: &String| !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric());
    let with = program.filter(is_name).map_or_else(String::new, |program| format!(" with {program}"));
    let language = language.map_or_else(String::new, |name| format!("{name} "));
    format!("{verb} {of_project}{language}changes{with}")
}

/// Languages by the endings of their files.
const LANGUAGES: &[(&str, &str)] = &[
    ("c", "C"),
    ("cpp", "C++"),
    ("cs", "C#"),
    ("css", "CSS"),
    ("go", "Go"),
    ("java", "Java"),
    ("js", "JavaScript"),
    ("kt", "Kotlin"),
    ("php", "PHP"),
    ("py", "Python"),
    ("rb", "Ruby"),
    ("rs", "Rust"),
    ("swift", "Swift"),
    ("ts", "TypeScript"),
    ("tsx", "TypeScript"),
];

/// "Avoid commands that fail here", if the skill tells of several programs and of nothing else.
fn failing_ones(claims: &[SupportedClaim], of_project: &str) -> Option<String> {
    let mut programs: BTreeSet<String> = BTreeSet::new();
    for claim in claims {
        let program = match &claim.claim {
            Claim::Instead { run, .. } | Claim::NoFlag { run, .. } => run.words_alone(),
            Claim::NoSkill { name, .. } => name.clone(),
            _ => return None,
        };
        programs.insert(program.split(' ').next().unwrap_or_default().to_owned());
    }
    (programs.len() > 1).then(|| format!("Avoid {of_project}commands that fail here"))
}

/// "before searching for `CartState`", for what people look for most.
fn before_searching(claims: &[SupportedClaim]) -> String {
    let wanted = claims.iter().filter_map(|claim| match &claim.claim {
        Claim::Declared { name, .. } => Some(format!("`{name}`")),
        Claim::Missing { path, .. } => Some(format!("`{path}`")),
        _ => None,
    });
    let wanted: Vec<String> = wanted.take(LOOKED_FOR).collect();
    format!("before searching for {}", enumerated(&wanted, "or"))
}

/// "after editing `styles.css`", if a description can name all the files that the claims are about.
fn edited(claims: &[SupportedClaim]) -> Option<String> {
    let files = claims.iter().filter_map(|claim| match &claim.claim {
        Claim::Check { edited, .. } | Claim::Together { edited, .. } | Claim::Asked { edited, .. } => {
            Some(format!("`{edited}`"))
        }
        _ => None,
    });
    let mut named: Vec<String> = Vec::new();
    for file in files {
        if !named.contains(&file) {
            named.push(file);
        }
    }
    // `a/**/*.go` says `a/b/*.go` as well.
    let holds = |wide: &str, narrow: &str| {
        let Some((root, ending)) = wide.trim_matches('`').split_once("**/*") else { return false };
        let narrow = narrow.trim_matches('`');
        wide.trim_matches('`') != narrow && narrow.starts_with(root) && narrow.ends_with(ending)
    };
    let wide = named.clone();
    named.retain(|narrow| !wide.iter().any(|wide| holds(wide, narrow)));
    (1..=SITUATIONS).contains(&named.len()).then(|| format!("after editing {}", enumerated(&named, "or")))
}

/// When to think of what to run after a change; `""` if no claim says it.
fn before_a_change_is_done(claims: &[SupportedClaim]) -> String {
    let is_of_a_run = |claim: &SupportedClaim| {
        matches!(claim.claim, Claim::Piped { .. } | Claim::Rejects { .. } | Claim::Repair { .. })
    };
    if claims.iter().all(is_of_a_run) {
        return String::new();
    }
    if claims.iter().all(|claim| is_of_a_run(claim) || is_of_a_commit(claim)) {
        return format!("before `{COMMIT}`");
    }
    edited(claims).unwrap_or_else(|| "after editing files and before saying that a change is done".to_owned())
}

/// Whether a claim is about what the hooks of commits run.
fn is_of_a_commit(claim: &SupportedClaim) -> bool {
    match &claim.claim {
        Claim::Hook { .. } => true,
        Claim::Prevent { command, .. } => command.to_string() == COMMIT,
        _ => false,
    }
}

/// The checks of which something is to be known before they run, each once.
fn run_with_care(claims: &[SupportedClaim]) -> Vec<String> {
    let mut checks: Vec<String> = Vec::new();
    for claim in claims {
        if let Claim::Piped { run } | Claim::Rejects { run, .. } = &claim.claim {
            let run = run.told();
            if !checks.contains(&run) {
                checks.push(run);
            }
        }
    }
    checks
}

/// Whether all that is to run after a change builds something.
fn only_build(claims: &[SupportedClaim]) -> bool {
    claims.iter().all(|claim| claim.claim.asks_for().is_some_and(builds))
}

fn builds(run: &Template) -> bool {
    single(&run.to_string()).is_some_and(|run| run.family() == Family::Build)
}

/// "Use bun", if the claims have one short command to use; "Use bun without rtk", if they say nothing else.
fn only_replacement(claims: &[SupportedClaim]) -> Option<String> {
    let replacement = |claim: &SupportedClaim| match &claim.claim {
        Claim::Instead { run, .. } => Some(run.words_alone()),
        Claim::Prefer { prefer, .. } => Some(prefer.words_alone()),
        _ => None,
    };
    let first = replacement(claims.first()?)?;
    let is_short = first.split(' ').count() <= THINGS && !first.contains(['{', '/', '-', '"']);
    if !is_short || !claims.iter().all(|claim| replacement(claim).as_ref() == Some(&first)) {
        return None;
    }
    let wrapper = |claim: &SupportedClaim| match &claim.claim {
        Claim::Instead { failed, .. } => {
            let failed = failed.words_alone();
            failed.strip_suffix(&first)?.strip_suffix(' ').map(str::to_owned)
        }
        _ => None,
    };
    let without = wrapper(claims.first()?).filter(|word| !word.contains(' '));
    let is_all = claims.iter().all(|claim| wrapper(claim) == without);
    Some(match without.filter(|_| is_all) {
        Some(wrapper) => format!("Use {first} without {wrapper}"),
        None => format!("Use {first}"),
    })
}

/// "before running `npm install`", for the commands that the skill is against; before any where it is against none.
fn before_unwanted(claims: &[SupportedClaim]) -> String {
    let unwanted = claims.iter().filter_map(|claim| match &claim.claim {
        Claim::Prefer { prefer, over } => Some(Unwanted::of(over, Some(prefer)).code()),
        Claim::Avoid(command) => Some(Unwanted::of(command, None).code()),
        Claim::NoFlag { run, .. } => Some(format!("`{run}`")),
        Claim::NoSkill { name, .. } => Some(format!("the skill `{name}`")),
        Claim::Instead { failed, run } if !Unwanted::of(failed, None).fetches() => {
            Some(Unwanted::of(failed, Some(run)).code())
        }
        _ => None,
    });
    let unwanted: Vec<String> = unwanted.take(SITUATIONS).collect();
    if unwanted.is_empty() {
        // When a command fails is told for each.
        String::new()
    } else {
        format!("before running {}", enumerated(&unwanted, "or"))
    }
}

/// "integration " where all claims speak of such tests and of no others.
fn kind_of_tests(topic: &Topic, claims: &[SupportedClaim]) -> String {
    const KINDS: [&str; 7] = ["e2e", "integration", "unit", "smoke", "acceptance", "contract", "browser"];
    if *topic != Topic::Tests {
        return String::new();
    }
    let of = |claim: &SupportedClaim| -> Option<&'static str> {
        let text = claim.claim.situation().or_else(|| claim.claim.asks_for())?.to_string();
        let has = |kind: &&&str| text.split(|char: char| !char.is_alphanumeric()).any(|word| word == **kind);
        KINDS.iter().find(has).copied()
    };
    let mut kinds = claims.iter().map(of);
    match kinds.next().flatten() {
        Some(first) if kinds.all(|kind| kind == Some(first)) => format!("{first} "),
        _ => String::new(),
    }
}

/// "when `make itest` fails with "connection refused"", for each failure that a claim speaks of.
fn failing(claims: &[SupportedClaim]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for claim in claims {
        let command: &Template = match &claim.claim {
            Claim::Repair { command, .. } => command,
            Claim::Instead { failed, .. } if Unwanted::of(failed, None).fetches() => {
                continue;
            }
            Claim::Instead { failed, .. } => failed,
            _ => continue,
        };
        let with = claim.failures.first().map_or_else(String::new, |failure| format!(" with \"{failure}\""));
        let when = format!("when `{command}` fails{with}");
        if !found.contains(&when) && found.len() < SITUATIONS {
            found.push(when);
        }
    }
    found
}

fn described(teaches: &str, when: &[String]) -> String {
    let teaches = teaches.trim_end_matches('.');
    for many in (1..=when.len()).rev() {
        let use_when = enumerated(when.get(..many).unwrap_or_default(), "and");
        let use_when = if use_when.starts_with("asked") { format!("when {use_when}") } else { use_when };
        let text = format!("{teaches}. Use {use_when}.");
        if text.chars().count() <= DESCRIPTION {
            return text;
        }
    }
    format!("{teaches}.")
}

pub(in crate::skillify) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// A skill's name from its title: as many of its words as fit.
fn slug(title: &str) -> String {
    let mut name = String::new();
    for word in
        title.to_lowercase().split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
    {
        if name.len() + 1 + word.len() > 64 {
            break;
        }
        if !name.is_empty() {
            name.push('-');
        }
        name.push_str(word);
    }
    name
}
