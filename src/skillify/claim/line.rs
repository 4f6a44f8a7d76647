//! The one line that names a claim.

use std::fmt;

use super::super::speech::acts;
use super::{COMMIT, Claim};

impl fmt::Display for Claim {
    /// One line that names the claim; equal claims give equal lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(command) => write!(f, "run `{command}`"),
            Self::Repair { command, repair } => write!(f, "if `{command}` fails, run `{repair}`"),
            Self::Prevent { command, first } => write!(f, "run `{first}` before `{command}`"),
            Self::Edit(file) => write!(f, "edit `{file}`"),
            Self::Avoid(command) => write!(f, "do not run `{command}`"),
            Self::Instead { run, failed } => write!(f, "use `{run}` instead of `{failed}`"),
            Self::Prefer { prefer, over } => write!(f, "use `{prefer}`, not `{over}`"),
            Self::Check { edited, run } => write!(f, "after editing `{edited}`, run `{run}`"),
            Self::Together { edited, also } => write!(f, "change `{also}` with `{edited}`"),
            Self::Declared { name, file } => write!(f, "`{name}` is declared in `{file}`"),
            Self::Missing { path, instead: None } => write!(f, "there is no `{path}`"),
            Self::Missing { path, instead: Some(instead) } => {
                write!(f, "there is no `{path}`; look in `{instead}`")
            }
            Self::Rejects { run, rule } => write!(f, "`{run}` rejects `{rule}`"),
            Self::Changes { run } => write!(f, "`{run}` changes files"),
            Self::Piped { run } => write!(f, "run `{run}` without a pipe"),
            Self::NoFlag { run, instead: None } => write!(f, "there is no `{run}`"),
            Self::NoFlag { run, instead: Some(instead) } => write!(f, "there is no `{run}`; use `{instead}`"),
            Self::NoSkill { name, instead: None } => write!(f, "there is no skill `{name}`"),
            Self::NoSkill { name, instead: Some(instead) } => {
                write!(f, "there is no skill `{name}`; use `{instead}`")
            }
            Self::Leftover { folder, remove } => write!(f, "if a check fails in `{folder}`, run `{remove}`"),
            Self::Asked { edited, run } => write!(f, "people ask for `{run}` after `{edited}` was edited"),
            Self::Slow { run, instead: None } => write!(f, "`{run}` runs into the time limit"),
            Self::Slow { run, instead: Some(instead) } => {
                write!(f, "`{run}` runs into the time limit; use `{instead}`")
            }
            Self::Hook { run } => write!(f, "`{COMMIT}` runs `{run}`"),
            Self::Flaky { run } => write!(f, "`{run}` passes and fails on the same files"),
            Self::Snippet { program, error, code } => {
                write!(f, "if a `{program}` script fails with \"{error}\", call `{code}` in it")
            }
            Self::Rule { want, act, name } => {
                f.write_str(acts::said(*want, act, name.as_ref()).trim_end_matches('.'))
            }
            Self::Lesson { when, says } => write!(f, "{} ({when})", says.trim_end_matches('.')),
        }
    }
}
