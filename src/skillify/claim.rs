//! Claims, their evidence, and the candidates made of them.

use std::collections::BTreeSet;
use std::fmt;

use super::outcome::Outcome;
use super::score::Shortfall;
use super::template::Template;
use super::unwanted::Unwanted;
use crate::event::Timestamp;

/// One thing that a skill says.
///
/// Match with a wildcard outside this crate: further kinds are further variants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Claim {
    /// Run a command.
    Run(Template),
    /// Where `command` fails, `repair` makes it pass.
    Fix {
        /// The command that fails.
        command: Template,
        /// The command to run before it.
        repair: Template,
    },
    /// Edit a file, or another one of a kind each time; named by its path in the repository where that is known.
    Edit(Template),
    /// Do not run a command: people refused it in this work.
    Avoid(Template),
    /// Run a command where another cannot work because a tool is missing.
    Instead {
        /// The command that does the work.
        run: Template,
        /// The command that cannot.
        failed: Template,
    },
    /// Run one command and not another: people said so.
    Prefer {
        /// The command that people want.
        prefer: Template,
        /// The command that they do not want.
        over: Template,
    },
}

impl Claim {
    /// Whether it speaks of a command before which, or after whose failure, it is of use.
    pub fn names_a_command(&self) -> bool {
        matches!(self, Self::Fix { .. } | Self::Prefer { .. } | Self::Instead { .. })
    }

    /// The claim that prints like this line.
    pub fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split('`');
        let (before, first, between) = (parts.next()?, parts.next()?, parts.next()?);
        let second = parts.next();
        let command = Template::parse;
        let claim = match (before, between, second) {
            ("run ", "", None) => Self::Run(command(first)?),
            ("edit ", "", None) => Self::Edit(Template::parse_path(first)),
            ("do not run ", "", None) => Self::Avoid(command(first)?),
            ("run ", " before ", Some(second)) => {
                Self::Fix { command: command(second)?, repair: command(first)? }
            }
            ("run ", " instead of ", Some(second)) => {
                Self::Instead { run: command(first)?, failed: command(second)? }
            }
            ("run ", ", not ", Some(second)) => {
                Self::Prefer { prefer: command(first)?, over: command(second)? }
            }
            _ => return None,
        };
        Some(claim)
    }

    /// The command that it is against, and how a text names it.
    fn against(&self) -> Option<Unwanted> {
        match self {
            Self::Avoid(command) => Some(Unwanted::of(command, None)),
            Self::Instead { run: wanted, failed: unwanted }
            | Self::Prefer { prefer: wanted, over: unwanted } => Some(Unwanted::of(unwanted, Some(wanted))),
            Self::Run(_) | Self::Fix { .. } | Self::Edit(_) => None,
        }
    }

    /// The claim as a reader is told it: as it prints, but for a command that it is against; see
    /// [`super::unwanted`].
    pub fn told(&self) -> String {
        match (self, self.against()) {
            (Self::Avoid(_), Some(unwanted)) => format!("do not {unwanted}"),
            (Self::Instead { run, .. }, Some(unwanted)) => {
                format!("run `{run}` instead of {}", unwanted.code())
            }
            (Self::Prefer { prefer, .. }, Some(unwanted)) => {
                format!("run `{prefer}`, not {}", unwanted.code())
            }
            _ => self.to_string(),
        }
    }

    /// The code that a text of it may have.
    pub(super) fn codes(&self) -> Vec<String> {
        let templates = self.templates().into_iter().map(ToString::to_string);
        templates.chain(self.against().into_iter().flat_map(Unwanted::into_codes)).collect()
    }

    /// The command that it asks for; `None` where it asks for none.
    pub fn asks_for(&self) -> Option<&Template> {
        match self {
            Self::Run(command)
            | Self::Fix { repair: command, .. }
            | Self::Instead { run: command, .. }
            | Self::Prefer { prefer: command, .. } => Some(command),
            Self::Edit(_) | Self::Avoid(_) => None,
        }
    }

    /// The templates that it speaks of.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Run(only) | Self::Edit(only) | Self::Avoid(only) => vec![only],
            Self::Fix { command, repair } => vec![repair, command],
            Self::Instead { run, failed } => vec![run, failed],
            Self::Prefer { prefer, over } => vec![prefer, over],
        }
    }
}

impl fmt::Display for Claim {
    /// One line that names the claim; equal claims give equal lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(command) => write!(f, "run `{command}`"),
            Self::Fix { command, repair } => write!(f, "run `{repair}` before `{command}`"),
            Self::Edit(file) => write!(f, "edit `{file}`"),
            Self::Avoid(command) => write!(f, "do not run `{command}`"),
            Self::Instead { run, failed } => write!(f, "run `{run}` instead of `{failed}`"),
            Self::Prefer { prefer, over } => write!(f, "run `{prefer}`, not `{over}`"),
        }
    }
}

/// A segment that shows a claim at work.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// When the segment started.
    pub started_at: Timestamp,
    /// The segment.
    pub segment: String,
    /// The session's tenant.
    pub tenant: String,
    /// The session.
    pub session: String,
    /// The events that show it, ascending.
    pub events: Vec<String>,
    /// The assistant.
    pub assistant: String,
    /// The repository, `""` if unknown.
    pub project: String,
    /// The person, `""` if unknown.
    pub person: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// A claim with everything that speaks for and against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportedClaim {
    /// What is claimed.
    pub claim: Claim,
    /// Accepted segments that show it, oldest first; of an Avoid, those where people refused it.
    pub support: Vec<Evidence>,
    /// Segments that speak against it, oldest first.
    pub against: Vec<Evidence>,
}

impl SupportedClaim {
    /// The accepted sessions.
    pub fn sessions(&self) -> BTreeSet<(&str, &str)> {
        self.support.iter().map(|evidence| (evidence.tenant.as_str(), evidence.session.as_str())).collect()
    }
}

/// For whom a skill is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everybody in the workspace.
    Workspace,
    /// Work in one repository.
    Project(String),
    /// One person; never published to a shared target.
    Person(String),
}

impl Scope {
    /// The value of `skillspan-scope`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Project(_) => "project",
            Self::Person(_) => "person",
        }
    }
}

/// One sentence of a skill with the claims that it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The sentence.
    pub text: String,
    /// Indices into [`Candidate::claims`], at least one.
    pub claims: Vec<usize>,
}

/// The text of a skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// 1 to 64 of `a-z`, `0-9`, `-`.
    pub name: String,
    /// The heading.
    pub title: String,
    /// What it does and when to use it; at most 1024 characters.
    pub description: String,
    /// Situations to use it in.
    pub when_to_use: Vec<String>,
    /// What to do, in order.
    pub steps: Vec<Line>,
    /// What to do when a step fails.
    pub if_it_fails: Vec<Line>,
    /// What not to do.
    pub avoid: Vec<Line>,
}

/// A skill as mined, published or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The workspace it was mined from.
    pub workspace: String,
    /// For whom it is.
    pub scope: Scope,
    /// Its text.
    pub wording: Wording,
    /// What it says, with the evidence; the main claim first.
    pub claims: Vec<SupportedClaim>,
    /// Claims that were proposed and left out, each with the reason.
    pub dropped: Vec<String>,
    /// How much it is worth among others, in thousandths.
    pub rank: u32,
    /// Why it is not published; empty if it is.
    pub shortfalls: Vec<Shortfall>,
}

impl Candidate {
    /// Whether it may be published.
    pub fn is_published(&self) -> bool {
        self.shortfalls.is_empty()
    }

    /// The supporting segments of all claims, each once, oldest first.
    pub fn evidence(&self) -> Vec<&Evidence> {
        let mut seen = BTreeSet::new();
        let mut all: Vec<&Evidence> = self.claims.iter().flat_map(|claim| &claim.support).collect();
        all.sort();
        all.retain(|evidence| seen.insert(&evidence.segment));
        all
    }

    /// The accepted sessions behind it.
    pub fn sessions(&self) -> BTreeSet<(&str, &str)> {
        self.claims.iter().flat_map(SupportedClaim::sessions).collect()
    }

    /// The known people behind it.
    pub fn people(&self) -> BTreeSet<&str> {
        let support = self.claims.iter().flat_map(|claim| &claim.support);
        support.map(|evidence| evidence.person.as_str()).filter(|person| !person.is_empty()).collect()
    }

    /// Why it is published or not, a line each.
    pub fn explain(&self) -> Vec<String> {
        let verdict = if self.is_published() { "published" } else { "not published" };
        let mut lines = vec![format!("{}: {verdict}, worth {}", self.wording.name, self.rank)];
        lines.extend(self.shortfalls.iter().map(|shortfall| format!("  because {shortfall}")));
        for claim in &self.claims {
            let (support, against) = (claim.support.len(), claim.against.len());
            lines.push(format!("  claim: {} ({support} for, {against} against)", claim.claim));
            for evidence in claim.support.iter().chain(&claim.against) {
                let Evidence { session, assistant, outcome, .. } = evidence;
                let (date, events) = (evidence.started_at.date(), evidence.events.join(" "));
                lines.push(format!("    {date} {session} {assistant} {} events {events}", outcome.as_str()));
            }
        }
        lines.extend(self.dropped.iter().map(|reason| format!("  left out: {reason}")));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_read_back_from_what_it_prints() {
        for line in [
            "run `git tag v{version}`",
            "run `make db-up` before `make itest`",
            "edit `migrations/{name}.sql`",
            "do not run `git push --force`",
            "run `python3 -m pytest {path}` instead of `python -m pytest {path}`",
            "run `pnpm add {name}`, not `npm install {name}`",
            "run `git commit -m \"{text}\"`",
        ] {
            assert_eq!(Claim::parse(line).unwrap().to_string(), line);
        }
        for line in ["", "run", "run ``", "run `a` after `b`", "walk `a`", "run `a && b`"] {
            assert_eq!(Claim::parse(line), None, "{line}");
        }
    }
}
