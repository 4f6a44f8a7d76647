//! Claims: what a skill can say, with everything that speaks for and against it.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Claim`], a variant for each kind; [`SupportedClaim`]: with counts and [`Evidence`] |
//! | `line.rs` | the one line that names a claim |
//! | `cells.rs` | what the counts of each kind mean, in words |
//! | `reading.rs` | claims read from text and from states |
//! | `as_predicate.rs` | a claim as a predicate |
//! | `topic.rs` | what a claim is about: the topic of its skill |
//! | `scope.rs` | for whom a skill is |
//! | `publish_rule.rs` | how much evidence a skill needs |
//! | `shortfall.rs` | why a claim or a skill is not published |
//! | `guard.rs` | which claims are never published, and which a person has to agree to |
//! | `unwanted.rs` | how a text names a command that it speaks against |

pub mod as_predicate;
pub(super) mod cells;
pub(super) mod guard;
pub(super) mod line;
pub(super) mod publish_rule;
pub(super) mod reading;
pub(super) mod scope;
pub(super) mod shortfall;
pub(super) mod topic;
pub(super) mod unwanted;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::digest::micros;
use super::predicate::Predicate;
use super::session::outcome::Outcome;
use super::significance::Counts;
use super::speech::{Want, acts};
use super::template::{Template, a_path, perhaps_a_path};
use crate::event::Timestamp;
use unwanted::Unwanted;

/// How to see what a command changed.
pub(super) const LOOK_AT: &str = "git diff";

/// What runs the hooks of a repository.
pub(super) const COMMIT: &str = "git commit";

/// One thing that a skill says.
///
/// Its serde form is for people as well: `{"repair": {"command": "make itest", "repair": "make db-up"}}`.
/// Match with a wildcard outside this crate: further kinds are further variants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Claim {
    /// Run a command.
    Run(Template),
    /// Where `command` fails, `repair` makes it pass.
    Repair {
        /// The command that fails.
        command: Template,
        /// The command to run after its failure.
        repair: Template,
    },
    /// Where `first` ran before it, `command` fails less often.
    Prevent {
        /// The command that fails.
        command: Template,
        /// The command to run before it.
        first: Template,
    },
    /// Edit a file, or another one of a kind each time; named by its path in the repository where that is known.
    Edit(#[serde(deserialize_with = "a_path")] Template),
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
    /// Run a command after files were edited: it belongs to them.
    Check {
        /// The files, by their paths in the repository.
        #[serde(deserialize_with = "a_path")]
        edited: Template,
        /// The command.
        run: Template,
    },
    /// Two files change together.
    Together {
        /// The file that is edited.
        #[serde(deserialize_with = "a_path")]
        edited: Template,
        /// The file that is edited with it.
        #[serde(deserialize_with = "a_path")]
        also: Template,
    },
    /// A name is declared in a file.
    Declared {
        /// The name.
        name: String,
        /// The file.
        #[serde(deserialize_with = "a_path")]
        file: Template,
    },
    /// There is no such path.
    Missing {
        /// The path that people look for.
        #[serde(deserialize_with = "a_path")]
        path: Template,
        /// Where they find what they want.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "perhaps_a_path")]
        instead: Option<Template>,
    },
    /// A check rejects code by a rule.
    Rejects {
        /// The check.
        run: Template,
        /// The rule, as the check names it.
        rule: String,
    },
    /// A check changes files that nobody edited.
    Changes {
        /// The check.
        run: Template,
    },
    /// Behind a pipe a check hides that it failed.
    Piped {
        /// The check.
        run: Template,
    },
    /// A program does not know a flag.
    NoFlag {
        /// Program and subcommand with the flag.
        run: Template,
        /// What works.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead: Option<Template>,
    },
    /// There is no such skill.
    NoSkill {
        /// The name that sessions ask for.
        name: String,
        /// What does the work.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead: Option<Template>,
    },
    /// Checks fail in files that are left over.
    Leftover {
        /// The folder that they lie in.
        #[serde(deserialize_with = "a_path")]
        folder: Template,
        /// What removes them.
        remove: Template,
    },
    /// After files were edited, people had to point to a check.
    Asked {
        /// The files, by their paths in the repository.
        #[serde(deserialize_with = "a_path")]
        edited: Template,
        /// The check.
        run: Template,
    },
    /// A check runs into the time limit.
    Slow {
        /// The check.
        run: Template,
        /// What comes to an end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead: Option<Template>,
    },
    /// A check passes and fails on the same tree.
    Flaky {
        /// The check.
        run: Template,
    },
    /// A commit runs a check by itself.
    Hook {
        /// The check.
        run: Template,
    },
    /// A script that a session writes itself needs to call something.
    Snippet {
        /// The program that runs it.
        program: String,
        /// The error with which it fails.
        error: String,
        /// The name to call.
        code: String,
    },
    /// People want an act, or do not want it: said in words of ours, never in theirs.
    Rule {
        /// What they want.
        want: Want,
        /// The act, as [`super::speech`] lists it.
        act: String,
        /// The command, path or name that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "perhaps_a_path")]
        name: Option<Template>,
    },
    /// A predicate with its counts, in a sentence that a model proposed. It waits for a person's agreement.
    Lesson {
        /// What sessions are asked.
        when: Predicate,
        /// The sentence.
        says: String,
    },
}

impl Claim {
    /// Whether it speaks of a command before which, or after whose failure, it is of use.
    pub fn names_a_command(&self) -> bool {
        matches!(
            self,
            Self::Repair { .. } | Self::Prevent { .. } | Self::Prefer { .. } | Self::Instead { .. }
        )
    }

    /// Whether it is a step of a procedure: it says nothing without the others.
    pub(crate) fn is_step(&self) -> bool {
        matches!(self, Self::Run(_) | Self::Edit(_))
    }

    /// The command of a step of a procedure.
    pub fn step(&self) -> Option<&Template> {
        if let Self::Run(command) = self { Some(command) } else { None }
    }

    /// The command whose failure it speaks of.
    pub fn situation(&self) -> Option<&Template> {
        match self {
            Self::Repair { command, .. } | Self::Prevent { command, .. } => Some(command),
            _ => None,
        }
    }

    /// Of a repair the claim that it prevents the failure as well: who refuses one wants neither.
    pub(crate) fn prevention(&self) -> Option<Self> {
        let Self::Repair { command, repair } = self else { return None };
        Some(Self::Prevent { command: command.clone(), first: repair.clone() })
    }

    /// The command that it is against, and how a text names it.
    fn against(&self) -> Option<Unwanted> {
        match self {
            Self::Avoid(command) => Some(Unwanted::of(command, None)),
            Self::Instead { run: wanted, failed: unwanted }
            | Self::Prefer { prefer: wanted, over: unwanted } => Some(Unwanted::of(unwanted, Some(wanted))),
            _ => None,
        }
    }

    /// The claim as a reader sees it: as it prints, except for a command that it speaks against; see [`self::unwanted`].
    pub fn told(&self) -> String {
        match (self, self.against()) {
            (Self::Avoid(_), Some(unwanted)) => format!("do not {unwanted}"),
            (Self::Instead { run, .. }, Some(unwanted)) => {
                format!("use `{run}` instead of {}", unwanted.code())
            }
            (Self::Prefer { prefer, .. }, Some(unwanted)) => {
                format!("use `{prefer}`, not {}", unwanted.code())
            }
            _ => self.to_string(),
        }
    }

    /// The code that a text of it may have.
    pub(super) fn codes(&self) -> Vec<String> {
        let told = |template: &Template| -> Vec<String> {
            template.told().split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        let templates = self.templates();
        let whole = templates.iter().map(ToString::to_string);
        let whole: Vec<String> = whole.chain(templates.iter().flat_map(|template| told(template))).collect();
        let names = match self {
            Self::Declared { name, .. } => vec![name.clone()],
            Self::Rejects { rule, .. } => vec![rule.clone()],
            Self::Lesson { says, .. } => says.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
            Self::Snippet { program, code, .. } => vec![program.clone(), code.clone()],
            Self::NoSkill { name, .. } => vec![name.clone()],
            Self::Leftover { folder, .. } => vec![format!("{folder}/")],
            Self::Changes { .. } => vec![LOOK_AT.to_owned()],
            Self::Hook { .. } => vec![COMMIT.to_owned()],
            _ => Vec::new(),
        };
        whole
            .into_iter()
            .chain(names)
            .chain(self.against().into_iter().flat_map(Unwanted::into_codes))
            .collect()
    }

    /// The command that it asks for; `None` where it asks for none.
    pub fn asks_for(&self) -> Option<&Template> {
        match self {
            Self::Run(command)
            | Self::Repair { repair: command, .. }
            | Self::Prevent { first: command, .. }
            | Self::Instead { run: command, .. }
            | Self::Prefer { prefer: command, .. }
            | Self::Check { run: command, .. }
            | Self::Asked { run: command, .. } => Some(command),
            Self::Leftover { remove, .. } => Some(remove),
            Self::NoFlag { instead, .. } | Self::NoSkill { instead, .. } | Self::Slow { instead, .. } => {
                instead.as_ref()
            }
            // The name of an issue's project, say, is nothing to run.
            Self::Rule { want: Want::Do, act, name } => name.as_ref().filter(|_| acts::names_a_command(act)),
            _ => None,
        }
    }

    /// The check that it says something of.
    pub(crate) fn about(&self) -> Option<&Template> {
        match self {
            Self::Rejects { run, .. }
            | Self::Changes { run }
            | Self::Piped { run }
            | Self::Slow { run, .. }
            | Self::Hook { run }
            | Self::Flaky { run } => Some(run),
            _ => None,
        }
    }

    /// The commands that a reader of it may run.
    pub(super) fn commands(&self) -> Vec<&Template> {
        self.asks_for().into_iter().chain(self.about().or_else(|| self.situation())).collect()
    }

    /// The command that it is against and shows as it is.
    pub(super) fn unwanted(&self) -> Option<&Template> {
        let shown = self.against().is_some_and(|unwanted| !unwanted.fetches());
        match self {
            Self::Avoid(command)
            | Self::Instead { failed: command, .. }
            | Self::Prefer { over: command, .. } => Some(command).filter(|_| shown),
            Self::NoFlag { run, .. } => Some(run),
            Self::Rule { want: Want::Not | Want::Ask, name, .. } => name.as_ref(),
            _ => None,
        }
    }

    /// The files that it speaks of.
    pub(super) fn files(&self) -> Vec<&Template> {
        match self {
            Self::Edit(file) | Self::Declared { file, .. } => vec![file],
            Self::Check { edited, .. } | Self::Asked { edited, .. } => vec![edited],
            Self::Together { edited, also } => vec![edited, also],
            Self::Missing { path, instead } => std::iter::once(path).chain(instead).collect(),
            Self::Leftover { folder, .. } => vec![folder],
            _ => Vec::new(),
        }
    }

    /// The templates that it speaks of.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Run(only) | Self::Edit(only) | Self::Avoid(only) => vec![only],
            Self::Repair { command, repair: first } | Self::Prevent { command, first } => {
                vec![first, command]
            }
            Self::Instead { run, failed } => vec![run, failed],
            Self::Prefer { prefer, over } => vec![prefer, over],
            Self::Check { edited, run } | Self::Asked { edited, run } => vec![edited, run],
            Self::Together { edited, also } => vec![edited, also],
            Self::Declared { file, .. } => vec![file],
            Self::Missing { path, instead } => std::iter::once(path).chain(instead).collect(),
            Self::Rejects { run, .. }
            | Self::Changes { run }
            | Self::Piped { run }
            | Self::Hook { run }
            | Self::Flaky { run } => {
                vec![run]
            }
            Self::Snippet { .. } => Vec::new(),
            Self::NoSkill { instead, .. } => instead.iter().collect(),
            Self::Leftover { folder, remove } => vec![folder, remove],
            Self::NoFlag { run, instead } | Self::Slow { run, instead } => {
                std::iter::once(run).chain(instead).collect()
            }
            Self::Rule { name, .. } => name.iter().collect(),
            Self::Lesson { .. } => Vec::new(),
        }
    }
}

/// A segment that shows a claim at work.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    /// When the segment started.
    #[serde(with = "micros")]
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
    /// Whether a credential says so, and not the client alone.
    pub by_credential: bool,
    /// Its outcome.
    pub outcome: Outcome,
}

/// A claim with everything that speaks for and against it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupportedClaim {
    /// What is claimed.
    pub claim: Claim,
    /// The signatures of the failures that it is about, the most frequent first. For a pipe: the filters that hid them.
    /// For a rule of a tool: `silenced` if most sessions silence it.
    pub failures: Vec<String>,
    /// How many sessions met its situation, with its action and without, and how they ended.
    pub counts: Counts,
    /// How probable counts like these are by chance; 0 where nothing was tested.
    #[serde(rename = "chance")]
    pub p_value: f64,
    /// Sessions that took the action and had the outcome, oldest first; of an Avoid, those where people
    /// refused it.
    pub support: Vec<Evidence>,
    /// Sessions that took the action and did not have the outcome, oldest first.
    pub against: Vec<Evidence>,
    /// How late its action was taken after the failure, in tenths of a step on average: of actions that one
    /// sentence says, the first one stands first.
    pub place: u32,
    /// Some of the sessions that did not take the action: those with the outcome first.
    pub untreated: Vec<Evidence>,
}

impl SupportedClaim {
    /// A claim that people's judgement proves: no count is tested.
    pub(super) fn judged(claim: Claim, support: Vec<Evidence>, against: Vec<Evidence>) -> Self {
        let mut supported = Self {
            claim,
            failures: Vec::new(),
            counts: Counts::default(),
            p_value: 0.0,
            support,
            against,
            place: 0,
            untreated: Vec::new(),
        };
        let count = |evidence: &[Evidence]| {
            let sessions: BTreeSet<_> = evidence.iter().map(|one| (&one.tenant, &one.session)).collect();
            u32::try_from(sessions.len()).unwrap_or(u32::MAX)
        };
        supported.counts.treated_with = count(&supported.support);
        supported.counts.treated_without = count(&supported.against);
        supported
    }

    /// Its counts, in words.
    pub fn counted(&self) -> String {
        let cells = self.claim.counted(&self.counts).into_iter().enumerate();
        let shown = cells.filter(|(at, (name, count))| !name.is_empty() && (*count > 0 || *at < 2));
        let mut told: Vec<String> = shown.map(|(_, (name, count))| format!("{name}: {count}")).collect();
        if self.p_value > 0.0 {
            told.push(format!("chance {:.1e}", self.p_value));
        }
        told.join("; ")
    }

    /// The accepted sessions.
    pub fn sessions(&self) -> BTreeSet<(&str, &str)> {
        self.support.iter().map(|evidence| (evidence.tenant.as_str(), evidence.session.as_str())).collect()
    }
}
